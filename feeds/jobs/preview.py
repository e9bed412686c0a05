"""The next issue of each newsletter, as it would go out now, made anew when anything it is made of has changed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from pathlib import Path

from feeds import config as configuration
from feeds.core.newsletters import judge
from feeds.core.newsletters.judge import Remark
from feeds.edges import seal
from feeds.edges.folder import stamps
from feeds.edges.scan import scan
from feeds.edges.store.opening import opened
from feeds.edges.workers import workers
from feeds.errors import FeedsError
from feeds.jobs import send
from feeds.jobs.report import Wish
from feeds.jobs.site import Site
from feeds.jobs.survey import Means, survey
from feeds.model import Letter
from feeds.settings import Newsletter


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """One newsletter's next issue, or why there is none."""

    newsletter: Newsletter
    letter: Letter | None
    #: For people; empty where there is a letter.
    reason: str
    remarks: tuple[Remark, ...]


class Preview:
    """What a preview shows; asked again and again."""

    def __init__(self, path: Path, environ: Mapping[str, str], clock: Callable[[], datetime]) -> None:
        self._path, self._environ, self._clock = path, environ, clock
        self._state = ""
        self._shown: dict[str, Shown] = {}

    def state(self) -> str:
        """Return a digest of everything a letter is made of; asking for it renders nothing."""
        folder = self._path.resolve().parent
        places = [stamps(folder / name) for name in ("templates", "letters")]
        posts = scan(str(folder / self._posts_folder())).seal()
        around = seal.surroundings(str(self._path), self._environ)
        return blake2b(b"\0".join([around, posts, repr(places).encode()]), digest_size=12).hexdigest()

    def _posts_folder(self) -> str:
        try:
            return configuration.load(self._path, self._environ).settings.posts.folder
        except FeedsError:
            return "posts"

    def shown(self) -> dict[str, Shown]:
        """Return the next issue of each newsletter, by its name.

        Raises:
            FeedsError: the config cannot be used.
        """
        state = self.state()
        if state != self._state:
            self._shown = {shown.newsletter.name: shown for shown in self._made()}
            self._state = state
        return self._shown

    def _made(self) -> list[Shown]:
        config = configuration.load(self._path, self._environ)
        now = self._clock()
        with opened(config.settings.store.url, config.folder, create=False) as store, workers() as team:
            means = Means(team=team, progress=lambda *_: None, dry_run=True)
            found = survey(config, now=now, known=store.entries.known(), means=means)
            site, wish = Site(config), Wish(now=now, clock=self._clock, dry_run=True)
            made = []
            for newsletter in config.settings.newsletters:
                try:
                    letter, reason = send.next_letter(site, newsletter, found, store.memory, wish), ""
                except FeedsError as e:
                    letter, reason = None, str(e)
                made.append(_shown(newsletter, letter, reason))
        return made


def _shown(newsletter: Newsletter, letter: Letter | None, reason: str) -> Shown:
    remarks = [*judge.theme(newsletter.theme, "theme")]
    if letter is not None:
        remarks += judge.letter(letter, "letter")
    elif not reason:
        reason = f"nothing to tell: fewer than {newsletter.min_posts} posts since the last issue"
    return Shown(newsletter=newsletter, letter=letter, reason=reason, remarks=tuple(remarks))
