"""The next issue of each newsletter as it would be sent now; rendered again when anything it depends on changes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from pathlib import Path

from feeds import config as configuration
from feeds.core.newsletters import lint
from feeds.core.newsletters.lint import Diagnostic
from feeds.edges.fast_path.check import digest_files, environment_fingerprint
from feeds.edges.files.scan import Scan, scan_folder
from feeds.edges.files.source_files import list_stamps
from feeds.edges.process.workers import workers
from feeds.edges.store.database import open_store
from feeds.edges.store.issues import Issues
from feeds.errors import FeedsError
from feeds.jobs.context import Context, ignore_progress
from feeds.jobs.newsletters.compose import nothing_to_send
from feeds.jobs.newsletters.next_issue import NextIssue, next_issue
from feeds.jobs.posts.read import posts_folder, skipped_folder
from feeds.jobs.posts.survey import Survey, SurveyOptions, survey_posts
from feeds.jobs.site import Site
from feeds.model import Letter, Selection, SubscriberPreferences
from feeds.settings import Newsletter


@dataclass(frozen=True, kw_only=True, slots=True)
class PreviewIssue:
    """One newsletter's next issue, or why there is none."""

    newsletter: Newsletter
    #: None if there is none; then there is a reason.
    issue: NextIssue | None
    reason: str
    #: Preferences that subscribers have or may choose; the first is the default, everything.
    choices: tuple[SubscriberPreferences, ...] = (SubscriberPreferences(),)

    def letter(self, choice: int) -> Letter | None:
        """Return the letter for `choices[choice]`; None if no post matches it.

        Raises:
            FeedsError: a template has a fault.
        """
        if self.issue is None or choice not in range(len(self.choices)):
            return None
        return self.issue.letter(self.choices[choice])


class Preview:
    """The preview of one site; it caches what it renders."""

    def __init__(self, path: Path, environ: Mapping[str, str], clock: Callable[[], datetime]) -> None:
        self._path, self._environ, self._clock = path, environ, clock
        self._state = ""
        self._issues: dict[str, PreviewIssue] = {}
        #: The files that may be pages of the built site, as far as they are known.
        self._pages: Sequence[str] = ()

    def state(self) -> str:
        """Return a digest of everything that decides how letters look; it renders nothing."""
        folder = self._path.resolve().parent
        stamps = [list_stamps(folder / name) for name in ("templates", "letters")]
        texts = digest_files(self._pages, str(folder), self._scan(folder))
        environment = environment_fingerprint(str(self._path), self._environ)
        return blake2b(b"\0".join([environment, texts, repr(stamps).encode()]), digest_size=12).hexdigest()

    def _scan(self, folder: Path) -> Scan:
        try:
            config = configuration.load_config(self._path, self._environ)
        except FeedsError:
            return scan_folder(str(folder / "posts"))
        return scan_folder(str(posts_folder(config)), skipped_folder(config))

    def rendered_issues(self) -> dict[str, PreviewIssue]:
        """Return the next issue of each newsletter, by the newsletter's name.

        Raises:
            FeedsError: the config cannot be used.
        """
        state = self.state()
        if state != self._state:
            self._issues = {issue.newsletter.name: issue for issue in self._render()}
            self._state = self.state() if self._pages else state  # the pages are known only now
        return self._issues

    def _render(self) -> list[PreviewIssue]:
        config = configuration.load_config(self._path, self._environ)
        now = self._clock()
        with open_store(config.store_url, config.folder, create=False) as store, workers() as team:
            options = SurveyOptions(team=team, progress=ignore_progress, dry_run=True)
            survey = survey_posts(config, now=now, known=store.entries.load_entries(), options=options)
            self._pages = survey.checked_pages
            site, context = Site(config), Context(clock=self._clock)
            return [
                _render_issue(site, newsletter, survey, store.issues, now, context)
                for newsletter in config.settings.newsletters
            ]


def lint_preview(issue: PreviewIssue, letter: Letter | None) -> tuple[Diagnostic, ...]:
    """Return the diagnostics of `feeds check` about a letter and its newsletter's theme."""
    files = issue.issue.renderer.pictures.files if issue.issue else {}
    about_letter = lint.lint_letter(letter, "letter", files) if letter else ()
    return (*lint.lint_theme(issue.newsletter.theme, "theme"), *about_letter)


def _render_issue(
    site: Site, newsletter: Newsletter, survey: Survey, issues: Issues, now: datetime, context: Context
) -> PreviewIssue:
    try:
        issue = next_issue(site, newsletter, survey, issues, now, context, original_pictures=True)
        if issue is not None:
            issue.letter(SubscriberPreferences())  # raises here, once, if a template has a fault
    except FeedsError as e:
        return PreviewIssue(newsletter=newsletter, issue=None, reason=str(e))
    if issue is None:
        reason = f"nothing to send: {nothing_to_send(site, newsletter, survey, issues, now)}"
        return PreviewIssue(newsletter=newsletter, issue=None, reason=reason)
    choices = _list_choices(site, newsletter, issue.content.selection, issues)
    return PreviewIssue(newsletter=newsletter, issue=issue, reason="", choices=choices)


def _list_choices(
    site: Site, newsletter: Newsletter, selection: Selection, issues: Issues
) -> tuple[SubscriberPreferences, ...]:
    """Return the default, what subscribers have chosen, each language with texts, and each topic of the issue."""
    topics = dict.fromkeys(topic.label for entry in selection.stories for topic in entry.categories)
    default = site.texts(newsletter).lang
    choices = (
        SubscriberPreferences(),
        *issues.load_preferences(newsletter.name),
        *(SubscriberPreferences(lang=lang) for lang in site.templates.languages() if lang != default),
        *(SubscriberPreferences(topics=(topic,)) for topic in topics),
    )
    return tuple(dict.fromkeys(choices))
