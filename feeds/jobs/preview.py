"""The next issue of each newsletter, as it would go out now, made anew when anything it is made of has changed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from pathlib import Path

from feeds import config as configuration
from feeds.core.newsletters import lint
from feeds.core.newsletters.lint import Diagnostic
from feeds.edges.fast_path.check import environment_fingerprint
from feeds.edges.files.scan import scan_folder
from feeds.edges.files.source_files import list_stamps
from feeds.edges.process.workers import workers
from feeds.edges.store.database import open_store
from feeds.edges.store.issues import Issues
from feeds.errors import FeedsError
from feeds.jobs.context import Context
from feeds.jobs.newsletters.next_issue import NextIssue, next_issue
from feeds.jobs.posts.survey import Survey, SurveyOptions, survey_posts
from feeds.jobs.site import Site
from feeds.model import Letter, Selection, SubscriberPreferences
from feeds.settings import Newsletter


@dataclass(frozen=True, kw_only=True, slots=True)
class PreviewIssue:
    """One newsletter's next issue, or why there is none."""

    newsletter: Newsletter
    #: None where there is none.
    issue: NextIssue | None
    #: For people; empty where there is an issue.
    reason: str
    #: What readers have asked for, or may ask for; the first is nothing.
    choices: tuple[SubscriberPreferences, ...] = (SubscriberPreferences(),)

    def letter(self, place: int) -> Letter | None:
        """Return the letter for one of the choices; None where those who made it would be told nothing.

        Raises:
            FeedsError: a template has a fault.
        """
        if self.issue is None or place not in range(len(self.choices)):
            return None
        return self.issue.letter(self.choices[place])


class Preview:
    """What a preview shows; asked again and again."""

    def __init__(self, path: Path, environ: Mapping[str, str], clock: Callable[[], datetime]) -> None:
        self._path, self._environ, self._clock = path, environ, clock
        self._state = ""
        self._shown: dict[str, PreviewIssue] = {}

    def state(self) -> str:
        """Return a digest of everything a letter is made of; asking for it renders nothing."""
        folder = self._path.resolve().parent
        places = [list_stamps(folder / name) for name in ("templates", "letters")]
        posts = scan_folder(str(folder / self._posts_folder())).digest()
        around = environment_fingerprint(str(self._path), self._environ)
        return blake2b(b"\0".join([around, posts, repr(places).encode()]), digest_size=12).hexdigest()

    def _posts_folder(self) -> str:
        try:
            return configuration.load_config(self._path, self._environ).settings.posts.folder
        except FeedsError:
            return "posts"

    def rendered_issues(self) -> dict[str, PreviewIssue]:
        """Return the next issue of each newsletter, by its name.

        Raises:
            FeedsError: the config cannot be used.
        """
        state = self.state()
        if state != self._state:
            self._shown = {shown.newsletter.name: shown for shown in self._render()}
            self._state = state
        return self._shown

    def _render(self) -> list[PreviewIssue]:
        config = configuration.load_config(self._path, self._environ)
        now = self._clock()
        with open_store(config.settings.store.url, config.folder, create=False) as store, workers() as team:
            options = SurveyOptions(team=team, progress=lambda *_: None, dry_run=True)
            found = survey_posts(config, now=now, known=store.entries.load_entries(), options=options)
            site, context = Site(config), Context(clock=self._clock)
            return [
                _shown(site, newsletter, found, store.issues, now, context)
                for newsletter in config.settings.newsletters
            ]


def lint_preview(shown: PreviewIssue, letter: Letter | None) -> tuple[Diagnostic, ...]:
    """Return what `feeds check` would say of a letter and its newsletter's theme."""
    of_letter = lint.lint_letter(letter, "letter") if letter else ()
    return (*lint.lint_theme(shown.newsletter.theme, "theme"), *of_letter)


def _shown(
    site: Site, newsletter: Newsletter, found: Survey, memory: Issues, now: datetime, context: Context
) -> PreviewIssue:
    try:
        issue = next_issue(site, newsletter, found, memory, now, context)
        if issue is not None:
            issue.letter(SubscriberPreferences())  # a fault in a template shows here, once
    except FeedsError as e:
        return PreviewIssue(newsletter=newsletter, issue=None, reason=str(e))
    if issue is None:
        reason = f"nothing to tell: fewer than {newsletter.min_posts} posts since the last issue"
        return PreviewIssue(newsletter=newsletter, issue=None, reason=reason)
    chosen = _choices(site, newsletter, issue.content.selection, memory)
    return PreviewIssue(newsletter=newsletter, issue=issue, reason="", choices=chosen)


def _choices(site: Site, newsletter: Newsletter, told: Selection, memory: Issues) -> tuple[SubscriberPreferences, ...]:
    """Return no choice, those that readers have made, each language that has texts, and each topic of the issue."""
    topics = dict.fromkeys(topic.label for entry in told.stories for topic in entry.categories)
    own = site.texts(newsletter).lang
    possible = (
        SubscriberPreferences(),
        *memory.load_preferences(newsletter.name),
        *(SubscriberPreferences(lang=lang) for lang in site.templates.languages() if lang != own),
        *(SubscriberPreferences(topics=(topic,)) for topic in topics),
    )
    return tuple(dict.fromkeys(possible))
