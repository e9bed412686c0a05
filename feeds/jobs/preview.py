"""The next issue of each newsletter as it would be sent now; rendered again when anything it depends on changes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from pathlib import Path

from feeds import config as configuration
from feeds.core.newsletters import lint
from feeds.core.newsletters.lint import Diagnostic
from feeds.core.schedule import due_slot, next_slot
from feeds.display import format_slot
from feeds.edges.fast_path.check import digest_files, environment_fingerprint
from feeds.edges.files.picture_files import read_picture
from feeds.edges.files.scan import Scan, scan_folder
from feeds.edges.files.source_files import list_stamps
from feeds.edges.process.workers import workers
from feeds.edges.store.issues import Issues
from feeds.errors import FeedsError
from feeds.jobs.context import Context, ignore_progress
from feeds.jobs.newsletters.compose import nothing_to_send
from feeds.jobs.newsletters.find import waiting_issue
from feeds.jobs.newsletters.next_issue import NextIssue, next_issue, sample_issue
from feeds.jobs.newsletters.send_test import SentTest, send_test
from feeds.jobs.posts.read import posts_folder, skipped_folder
from feeds.jobs.posts.survey import Survey, SurveyOptions, survey_posts
from feeds.jobs.preview_choices import PreviewChoices, list_choices
from feeds.jobs.site import Site
from feeds.jobs.store.site_store import open_site_store
from feeds.model import Letter, SubscriberPreferences
from feeds.settings import Newsletter


@dataclass(frozen=True, kw_only=True, slots=True)
class PreviewIssue:
    """One newsletter's next issue, or why there is none."""

    newsletter: Newsletter
    #: None if there is none; then there is a reason.
    issue: NextIssue | None
    reason: str
    #: The issue is made of the newest posts, since there is nothing to send; the reason says why.
    is_sample: bool = False
    #: When it is sent, in words.
    when: str = ""
    #: How many get it: subscribers, also those whose topics it may not have, and copies.
    readers: int = 0
    #: The From that readers see.
    sender: str = ""
    #: Where the test message goes unless another address is given; empty if mail is not configured.
    test_address: str = ""
    #: Preferences that subscribers have or may choose.
    choices: PreviewChoices = field(default_factory=PreviewChoices)

    def letter(self, choice: int) -> Letter | None:
        """Return the letter for one of the choices, by its number; None if no post matches it.

        Raises:
            FeedsError: a template has a fault.
        """
        preferences = self.choices.get(choice)
        return self.issue.letter(preferences) if self.issue and preferences else None

    def picture_file(self, url: str) -> str | None:
        """Return the file of a picture that is published at *url* with a post of the issue, or with the site.

        None if it is not on this machine, or is not a picture.
        """
        if self.issue is None:
            return None
        site, posts = self.issue.renderer.site, self.issue.content.selection.stories
        places = [*((entry.post.url, entry.post.path) for entry in posts), ("", "")]
        found = (site.files.path(url, *place) for place in places)
        return next((path for path in found if path and _is_public_picture(path, site.config.folder)), None)


def _is_public_picture(path: str, folder: Path) -> bool:
    """Return whether a file is a picture, and not in a hidden folder of the site, which no generator publishes."""
    below = Path(path).relative_to(folder) if Path(path).is_relative_to(folder) else Path(Path(path).name)
    is_hidden = any(part.startswith(".") for part in below.parts)
    return not is_hidden and (path.lower().endswith(".svg") or read_picture(path) is not None)


class Preview:
    """The preview of one site; it caches what it renders."""

    def __init__(self, path: Path, environ: Mapping[str, str], clock: Callable[[], datetime]) -> None:
        self._path, self._environ, self._clock = path, environ, clock
        self._state = ""
        self._issues: dict[str, PreviewIssue] = {}
        #: The files that may be pages of the built site, as far as they are known.
        self._pages: Sequence[str] = ()
        #: The files of pictures that letters show, by the name that each has in the preview.
        self.pictures: dict[str, str] = {}

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

    def register_picture(self, issue: PreviewIssue, url: str) -> str | None:
        """Return the name under which the picture at *url* is found in `pictures`; None if it is not on this machine.

        A request can name only what a letter shows, and never a path.
        """
        path = issue.picture_file(url)
        if path is None:
            return None
        name = blake2b(path.encode(), digest_size=12).hexdigest()
        self.pictures[name] = path
        return name

    def send_test(self, name: str, recipient: str) -> SentTest:
        """Send the next issue of a newsletter to one address, as `feeds send --test` does.

        Raises:
            FeedsError: as for `send_test`.
        """
        config = configuration.load_config(self._path, self._environ)
        return send_test(config, name, recipient, self._clock(), Context(clock=self._clock))

    def _render(self) -> list[PreviewIssue]:
        config = configuration.load_config(self._path, self._environ)
        now = self._clock()
        with open_site_store(config, create=False) as store, workers() as team:
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
    renderer = issue.issue.renderer if issue.issue else None
    if letter is None or renderer is None:
        return tuple(lint.lint_theme(issue.newsletter.theme, "theme"))
    pictures, converts = renderer.pictures, renderer.site.settings.mail.pictures == "convert"
    about_letter = lint.lint_letter(letter, "letter", pictures.files, origins=pictures.origins, converts=converts)
    return (*lint.lint_theme(issue.newsletter.theme, "theme"), *about_letter)


def _render_issue(
    site: Site, newsletter: Newsletter, survey: Survey, issues: Issues, now: datetime, context: Context
) -> PreviewIssue:
    reason = ""
    try:
        issue = next_issue(site, newsletter, survey, issues, now, context)
        if issue is None:
            reason = nothing_to_send(site, newsletter, survey, issues, now)
            issue = sample_issue(site, newsletter, survey, issues, now, context)
        if issue is not None:
            issue = issue.with_original_pictures()
            issue.letter(SubscriberPreferences())  # raises here, once, if a template has a fault
    except FeedsError as e:
        return PreviewIssue(newsletter=newsletter, issue=None, reason=str(e))
    if issue is None:
        return PreviewIssue(newsletter=newsletter, issue=None, reason=f"nothing to send: {reason}")
    mail = site.settings.mail
    tested = mail.reply_to or mail.sender
    return PreviewIssue(
        newsletter=newsletter,
        issue=issue,
        reason=reason,
        is_sample=bool(reason),
        when=_when(site, newsletter, issues, now),
        readers=sum(issues.load_preferences(newsletter.name).values()) + len(newsletter.copy_to),
        sender=issue.renderer.headers.sender.address.display_name or issue.renderer.headers.sender.address.addr_spec,
        test_address=tested.address.addr_spec if mail.sender and tested and not reason else "",
        choices=list_choices(site, newsletter, issue, survey, issues),
    )


def _when(site: Site, newsletter: Newsletter, issues: Issues, now: datetime) -> str:
    """Return when the next issue is sent, in words."""
    if waiting_issue(issues, newsletter.name):
        return f"waits for `feeds approve {newsletter.name}`"
    zone, (used, _) = site.zone(newsletter), issues.last_issue(newsletter.name)
    due = due_slot(newsletter.schedule, zone, now, used=used, catch_up=newsletter.catch_up)
    if due is not None:
        return "due now: the next `feeds publish` sends it"
    return format_slot(next_slot(newsletter.schedule, zone, now), zone, now)
