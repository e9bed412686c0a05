"""One pass: bring feeds and pages up to date, finish what is unfinished, compose and send every issue that is due.

The order keeps the promises. The store learns of an entry before a feed shows it. An issue is frozen, with its letters
and recipients, in one transaction before anything of it leaves; its page is written before the first message; each
message is written down before and after it is handed over. Killed anywhere, the next pass goes on from there.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING

from feeds.config import Config
from feeds.core.syndication import plan
from feeds.edges import build, lock, seal
from feeds.edges.made import Made, recipe
from feeds.edges.store import opening
from feeds.edges.store.opening import opened
from feeds.edges.workers import Workers, workers
from feeds.errors import Changed, FeedsError, OutputError, PostError
from feeds.jobs.report import Report, Rest, Wish
from feeds.jobs.site import Site
from feeds.jobs.survey import Means, Survey, shown, survey
from feeds.model import Status, Text

if TYPE_CHECKING:
    from feeds.edges.scan import Scan
    from feeds.edges.store.opening import Store

#: How often a pass begins anew when posts change under its hands.
_ATTEMPTS = 3
_CATEGORIES = "feeds/category/*/atom.xml"
#: From so many feeds on, other cores save more time than they take to start.
_MANY_FEEDS = 8


def publish(config: Config, wish: Wish) -> Report:
    """Do one pass and return what it did; one part's trouble does not stop the others.

    Raises:
        Busy: another publish is at work on this site.
        Changed: a post kept changing while it was read.
        StoreError: the memory cannot be used; nothing was written.
    """
    url, create = config.settings.store.url, not wish.dry_run
    with lock.site(config.folder):
        with opened(url, config.folder, create=create) as store, workers() as team:
            done = _tried(config, wish, store, team)
        done.report.rest = done.rest()
    return done.report


def _tried(config: Config, wish: Wish, store: "Store", team: Workers) -> "_Pass":
    """Return a pass that was done; it begins anew when posts change under its hands."""
    refused: dict[str, str] = {}
    attempts = 1
    while True:
        done = _Pass(config, wish, store, team, refused)
        done.seen = wish.seen if attempts == 1 else None
        try:
            done.do()
        except Changed:
            if attempts == _ATTEMPTS:
                raise
            attempts += 1
        except _Refused as e:  # read well, and cannot be shown; the others go on without them
            refused |= e.reasons
        else:
            return done


#: A feed, its recipe, and its bytes or why there are none.
_Made = tuple[plan.Feed, str, bytes | str | dict[str, str]]


class _Refused(Exception):  # noqa: N818 - not a fault of ours, a reason to begin anew without some posts
    """Posts that can be read and cannot be shown."""

    def __init__(self, reasons: dict[str, str]) -> None:
        super().__init__(reasons)
        #: Why, by path.
        self.reasons = reasons


class _Pass:
    """One pass at work."""

    def __init__(self, config: Config, wish: Wish, store: "Store", team: Workers, refused: Mapping[str, str]) -> None:
        self.config, self.wish, self.store, self.team, self.refused = config, wish, store, team, refused
        self.site = Site(config, dry_run=wish.dry_run)
        self.report = Report(warnings=list(config.warnings))
        #: A fresh look at the posts folder, if there is one.
        self.seen: Scan | None = None
        #: Whether anything could not be made or written.
        self.failed = False

    def do(self) -> None:
        found = self.found = survey(
            self.config,
            now=self.wish.now,
            known=self.store.entries.known(),
            means=Means(
                team=self.team,
                progress=self.wish.progress,
                use_cache=self.wish.use_cache,
                dry_run=self.wish.dry_run,
                meanwhile=_load,
                seen=self.seen,
            ),
            refused=self.refused,
        )
        cache = self.config.folder / build.CACHE / "made" if self.wish.use_cache else None
        self.made = Made(cache, self.site.public.root, found.build)
        self.has_letters = bool(self.site.settings.newsletters) or self.store.has_issues
        self.tell(found)
        feeds = plan.plan(found.catalogue, self.site.settings)
        documents = self.documents(found, feeds)
        if not self.wish.dry_run:
            self.store.entries.remember(found.catalogue.entries, self.wish.now)
        self.write_feeds(documents)
        self.report.warnings += self.left_over(feeds)
        if not self.wish.feeds_only:
            self.send_letters(found)
        self.write_index(feeds)
        if not self.wish.dry_run:
            self.made.save()

    def rest(self) -> Rest | None:
        """Return the state in which everything was left; None if something is still to be done. The store is closed."""
        calm = self.found.settled and not self.found.warnings and not self.refused and not self.failed
        if not calm or self.wish.dry_run or not self.wish.use_cache:
            return None
        places = ("feeds", "feeds/category", *self.made.paths, *self.site.public.matching(_CATEGORIES))
        store = opening.path(self.site.settings.store.url, self.config.folder)
        templates = self.config.folder / "templates"
        watched = (
            *(str(self.site.public.root / place) for place in dict.fromkeys(places)),
            *(f"{store}{ending}" for ending in ("", "-wal")),
            *(str(templates / name) for name in ("", *(name for name, _, _ in self.site.templates_stamp()))),
        )
        return Rest(
            until=self.found.until,
            letters=self.has_letters,
            posts=str(self.config.resolve(self.site.settings.posts.folder)),
            watched=watched,
            state=seal.state(watched, self.found.scan),
        )

    def tell(self, found: Survey) -> None:
        """Report what lies in the posts folder."""
        report, catalogue = self.report, found.catalogue
        report.counts = catalogue.counts
        future = (v.post.published for v in catalogue.verdicts if v.status is Status.FUTURE and v.post)
        report.next_public_at = min(future, default=None)
        errors, warnings = found.complaints()
        report.errors += errors
        report.warnings += [*found.warnings, *warnings]

    # Feeds and pages --------------------------------------------------------------------------------------------

    def documents(self, found: Survey, feeds: Iterable[plan.Feed]) -> Iterable[_Made]:
        """Return the feeds that are made of something else than before, each with its recipe and its bytes.

        They are being made from now on, and written only when the store knows what they show.
        """
        stale = []
        for feed in feeds:
            made_of = _recipe(feed, found)
            if self.made.is_fresh(feed.path, made_of):
                self.report.unchanged += 1
            else:
                stale.append((feed, made_of))
        parts = [(feed, {e.post.path: found.readings[e.post.path].content for e in feed.entries}) for feed, _ in stale]
        made = self.team.map(partial(_document, self.config), parts, long=len(stale) >= _MANY_FEEDS)
        return ((feed, made_of, document) for (feed, made_of), document in zip(stale, made, strict=True))

    def write_feeds(self, documents: Iterable[_Made]) -> None:
        """Write feeds, or report why one cannot be made."""
        self.site.public.sweep("feeds", "newsletters")
        refused: dict[str, str] = {}
        for feed, made_of, document in documents:
            if isinstance(document, dict):
                refused |= document
            elif isinstance(document, str):
                self.fail(f"{feed.path}: cannot be made: {document}")
            else:
                self.write(feed.path, document, made_of)
        if refused:
            raise _Refused(refused)

    def write(self, path: str, content: bytes, made_of: str) -> None:
        """Bring one file up to date."""
        try:
            if self.site.public.write(path, content):
                self.report.written.append(path)
            else:
                self.report.unchanged += 1
        except OutputError as e:
            self.fail(str(e))
        else:
            self.made.note(path, made_of)

    def fail(self, reason: str) -> None:
        """Report what could not be made; another pass may fare better."""
        self.report.errors.append(reason)
        self.failed = True

    def left_over(self, feeds: Iterable[plan.Feed]) -> Iterator[str]:
        """Yield a line for each category's feed that nothing is in any more; readers may ask for it, so it stays."""
        shown_ = {feed.path for feed in feeds}
        for path in self.site.public.matching(_CATEGORIES):
            if path not in shown_:
                where = self.site.public.root / path
                yield f"{where}: no public post is in this feed any more; it stays until you delete it"

    def write_index(self, feeds: Iterable[plan.Feed]) -> None:
        """Bring the page that lists all feeds up to date."""
        from feeds.jobs import pages  # noqa: PLC0415 - Jinja2 and Babel, for a page that seldom changes

        path = "feeds/index.html"
        issues = self.store.memory.issues() if self.store.has_issues else ()
        try:
            made_of = pages.recipe(self.site, feeds, issues)
            if self.made.is_fresh(path, made_of):
                self.report.unchanged += 1
            else:
                self.write(path, pages.feeds_page(self.site, feeds, issues), made_of)
        except FeedsError as e:
            self.fail(str(e))

    # Letters ----------------------------------------------------------------------------------------------------

    def send_letters(self, found: Survey) -> None:
        """Compose what is due, and bring what is on its way to its end."""
        if not self.has_letters:
            return
        from feeds.jobs import send  # noqa: PLC0415 - a site without newsletters loads none of it

        memory = self.store.memory
        for newsletter in self.site.settings.newsletters:
            try:
                send.compose(self.site, newsletter, found, memory, self.wish, self.report)
            except Changed:
                raise
            except PostError as e:
                raise _Refused({e.path: str(e)}) from e
            except FeedsError as e:
                self.report.errors.append(str(e))
        if not self.wish.dry_run:
            send.finish(self.site, memory, self.wish, self.report)
            send.restore_pages(self.site, memory, self.report)


def _recipe(feed: plan.Feed, found: Survey) -> str:
    """Return a digest of everything that decides the feed's bytes."""
    about = (feed.id, feed.title, feed.subtitle, feed.url, feed.lang, feed.topic, feed.updated)
    entries = [
        (e.id, e.post.path, found.readings[e.post.path].content, e.updated, e.categories, e.tags) for e in feed.entries
    ]
    settings = found.config.settings
    return recipe(about, entries, settings.site, settings.feeds)


def _load() -> None:
    """Load what making feeds takes."""
    import nh3  # noqa: F401, PLC0415 - only where feeds are made

    from feeds.core.syndication import atom  # noqa: F401, PLC0415 - as above


def _document(config: Config, part: tuple[plan.Feed, Mapping[str, str]]) -> bytes | str | dict[str, str]:
    """Return a feed's bytes, or why they cannot be made, or why some of its posts cannot be shown.

    *part* holds the feed and the digest of each of its posts.
    """
    from feeds.core.syndication import atom  # noqa: PLC0415 - lxml and feedgen, only where a feed has to be made

    feed, contents = part
    texts: dict[str, Text] = {}
    refused: dict[str, str] = {}
    for path, content in contents.items():
        try:
            texts[path] = shown(config, path, content)
        except PostError as e:
            refused[path] = str(e)
    if refused:
        return refused
    try:
        return atom.document(feed, texts, config.settings)
    except (ValueError, TypeError) as e:  # what lxml and feedgen raise; the other feeds are written all the same
        return str(e)
