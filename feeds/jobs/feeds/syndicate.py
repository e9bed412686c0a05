"""Write the feeds: decide what each one shows, remember it, make what is made of something else than before.

The store knows where a feed lies, what is on its archive pages and that its hub has to hear of it, before any of it
stands in `public/`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from itertools import chain
from typing import TYPE_CHECKING

from msgspec.structs import replace as replace_in

from feeds.config import Config
from feeds.core.curation.catalogue import newest_first
from feeds.core.syndication import archive, plan
from feeds.core.syndication.feed import FILES, PAGE, ArchivePosition, Feed, normalize_feed_path
from feeds.edges.cache.build_manifest import input_digest
from feeds.errors import FeedsError, PostError
from feeds.jobs.context import Context
from feeds.jobs.feeds.output_writer import OutputWriter
from feeds.jobs.posts.survey import Survey, render_unchanged
from feeds.jobs.site import Site, cached_site
from feeds.model import ArchivePage, Entry, Text

if TYPE_CHECKING:
    from feeds.edges.process.workers import Workers
    from feeds.edges.store.feeds import Feeds

#: From so many on, other cores save more time than they take to start.
_MANY = 8
#: Of many, so many are made together. A worker remembers the posts it has shown last: other feeds show them too.
_PART, _REMEMBERED = 40, 500


class UnrenderablePosts(Exception):  # noqa: N818 - not a fault of ours, a reason to begin anew without some posts
    """Posts that can be read and cannot be shown."""

    def __init__(self, reasons: dict[str, str]) -> None:
        super().__init__(reasons)
        #: Why, by path.
        self.reasons = reasons


@dataclass(frozen=True, kw_only=True, slots=True)
class RenderTask:
    """What is made together, since it shows the same posts: a feed in all its formats, or one page of its archive."""

    #: With the entries that are shown only.
    feed: Feed
    place: ArchivePosition
    #: Which files are wanted, below `public/`, and what they are made of.
    wanted: tuple[str, ...]
    made_of: str
    #: The same of the page for people, and what that showed, if it lies as it was left.
    page_made_of: str = ""
    page_showed: str = ""
    #: The digest of each post.
    contents: Mapping[str, str]
    #: Bytes of local files, by address.
    sizes: Mapping[str, int]


#: Bytes by path (none for a page that comes out as it was) and a digest of what the page shows; or why there are none.
RenderResult = tuple[dict[str, bytes | None], str] | str | dict[str, str]


class Syndication:
    """The feeds of one pass."""

    def __init__(
        self,
        site: Site,
        found: Survey,
        memory: "Feeds",
        press: OutputWriter,
        context: Context,
        *,
        dry_run: bool = False,
    ) -> None:
        self.site, self.found, self.memory, self.press, self.context = site, found, memory, press, context
        self._dry_run = dry_run
        settings = site.settings
        self._faces: dict[str, str] = {}
        self._stamp = site.templates_stamp()
        self.known = {(feed.kind, feed.key): feed for feed in memory.load_feeds()}
        self.ended = plan.retired_paths(memory.load_retired(), settings)
        self.feeds = plan.plan_feeds(found.catalogue, settings, self.known.values(), self.ended)
        self.pages: dict[tuple[str, str], list[ArchivePage]] = {}
        self.new_pages: list[ArchivePage] = []
        had = memory.load_archive_pages()
        if archive.archives_enabled(settings, len(found.catalogue.entries), begun=bool(had)):
            self._fill_archives(had)

    def _fill_archives(self, known: Iterable[ArchivePage]) -> None:
        had: dict[tuple[str, str], list[ArchivePage]] = {}
        for page in known:
            had.setdefault((page.kind, page.key), []).append(page)
        for feed in (feed for feed in self.feeds if "atom" in feed.formats):
            pages = had.get((feed.kind, feed.key), [])
            inherited = [] if pages else had.get((feed.kind, feed.former_key), [])
            pages = pages or [replace_in(page, key=feed.key) for page in inherited]
            new = archive.merge_pages(pages if inherited else (), archive.fill_pages(feed, pages))
            self.new_pages += new
            self.pages[feed.kind, feed.key] = archive.published_pages(feed, archive.merge_pages(pages, new))

    def start(self, team: "Workers") -> Iterable[tuple[RenderTask, RenderResult]]:
        """Return the parts that are made of something else than before, and what is made of them.

        They are being made from now on, and written only when the store knows what they show.
        """
        self.stale = [part for feed in self.feeds for part in self._parts(feed) if part.wanted]
        self.stale.sort(key=_newest, reverse=True)  # neighbours in time show the same posts
        size = _PART if len(self.stale) > _PART * _MANY else 1
        parts = [self.stale[n : n + size] for n in range(0, len(self.stale), size)]
        made = team.map(partial(_render_parts, self.site.config), parts, long=len(parts) >= _MANY)
        return zip(self.stale, chain.from_iterable(made), strict=True)

    def save(self) -> None:
        """Keep what feeds are called, what is on their archive pages, and which may be about to change."""
        changed = [f.known_feed for f in self.feeds if self.known.get((f.kind, f.key)) != f.known_feed]
        self.memory.save_feeds(changed, self.new_pages)
        self.waiting: frozenset[str] = frozenset()
        if self.site.settings.feeds.hub:
            announced = (path for part in self.stale for path in _announced(part))
            self.waiting = self.memory.expect_pings(announced, self.context.clock())

    def write(self, made: Iterable[tuple[RenderTask, RenderResult]]) -> None:
        """Write feeds, or report why one cannot be made.

        Raises:
            Unshowable: some posts have to be left out.
        """
        refused: dict[str, str] = {}
        same: list[str] = []
        for done, (part, what) in enumerate(made, 1):
            if isinstance(what, dict):
                refused |= what
            elif isinstance(what, str):
                self.press.report_failure(f"{part.feed.folder}: cannot be made: {what}")
            else:
                same += self._write_part(part, *what)
            self.context.progress("Writing feeds", done, len(self.stale))
        if refused:
            raise UnrenderablePosts(refused)
        if not self._dry_run:
            self.memory.clear_pings(path for path in same if path not in self.waiting)
            self.memory.reset_pings(self.waiting.difference(same), self.context.clock())
        self._take_down()
        self._sweep_archives()

    def _take_down(self) -> None:
        """Take away what was ended, unless another feed lies there now."""
        planned = {feed.folder for feed in self.feeds}
        for path in sorted(self.ended - planned):
            names = (*FILES.values(), PAGE, "archive/*.xml") if path.endswith("/") else ("",)
            for found in (found for name in names for found in self.site.public.glob(path + name)):
                self.press.remove(found)

    def _sweep_archives(self) -> None:
        """Take away archive documents that nothing links to any more, also where a feed lay before.

        See `archive.linked`. Servers are told where the others are; copies of them would keep what was withdrawn.
        """
        pages = ((feed, page) for feed in self.feeds for page in self.pages.get((feed.kind, feed.key), ()))
        linked = {feed.folder + archive.archive_path(page.number) for feed, page in pages}
        folders = dict.fromkeys(folder for feed in self.feeds for folder in (feed.folder, *feed.former))
        for folder in folders:
            for path in self.site.public.glob(f"{folder}archive/*.xml"):
                if path not in linked:
                    self.press.remove(path)

    def _write_part(self, part: RenderTask, files: Mapping[str, bytes | None], shows: str) -> list[str]:
        """Write what was made; return what has not changed by it."""
        same = []
        for path, content in files.items():
            made_of = f"{part.page_made_of} {shows}" if path == part.feed.page else part.made_of
            if content is None:
                self.press.mark_unchanged(path, made_of)
            elif not self.press.write(path, content, made_of):
                same.append(path)
        return same

    # Parts ------------------------------------------------------------------------------------------------------

    def _parts(self, feed: Feed) -> Iterator[RenderTask]:
        pages = self.pages.get((feed.kind, feed.key), [])
        places = list(archive.archive_positions(pages))
        yield self._current(feed, ArchivePosition(older=places[-1].number if places else None))
        by_id = {entry.id: entry for entry in feed.entries} if pages else {}
        for place, page in zip(places, pages, strict=True):
            entries = sorted((by_id[i] for i in page.entries if i in by_id), key=newest_first)
            yield self._archived(feed, place, tuple(entries))

    def _current(self, feed: Feed, place: ArchivePosition) -> RenderTask:
        sizes = self._sizes(feed.shown)
        made_of = self._recipe(feed, place, feed.shown, sizes, feed.updated, self.site.settings.feeds.hub)
        page_made_of = input_digest(made_of, feed.total, feed.label, feed.formats, self._stamp)
        wanted = [path for path in feed.files.values() if not self.press.is_fresh(path, made_of)]
        known, _, showed = self.press.last_digest(feed.page).partition(" ")
        if known == page_made_of:
            self.press.mark_current(feed.page)
        else:
            wanted.append(feed.page)
        return self._part(
            replace(feed, entries=feed.shown), place, wanted, made_of, sizes, page_made_of=page_made_of, showed=showed
        )

    def _archived(self, feed: Feed, place: ArchivePosition, entries: tuple[Entry, ...]) -> RenderTask:
        sizes, path = self._sizes(entries), feed.folder + archive.archive_path(place.number or 0)
        made_of = self._recipe(feed, place, entries, sizes)
        wanted = [] if self.press.is_fresh(path, made_of) else [path]
        return self._part(replace(feed, entries=entries), place, wanted, made_of, sizes)

    def _part(
        self,
        feed: Feed,
        place: ArchivePosition,
        wanted: list[str],
        made_of: str,
        sizes: Mapping[str, int],
        *,
        page_made_of: str = "",
        showed: str = "",
    ) -> RenderTask:
        return RenderTask(
            feed=feed,
            place=place,
            wanted=tuple(wanted),
            made_of=made_of,
            page_made_of=page_made_of,
            page_showed=showed,
            contents={e.post.path: self.found.readings[e.post.path].content_digest for e in feed.entries}
            if wanted
            else {},
            sizes=sizes,
        )

    def _recipe(
        self,
        feed: Feed,
        place: ArchivePosition,
        entries: Iterable[Entry],
        sizes: Mapping[str, int],
        *current: object,
    ) -> str:
        """Return a digest of all that decides a document's bytes; *current* is what only the feed itself says."""
        about = (feed.id, feed.title, feed.subtitle, feed.url, feed.home, feed.lang, feed.about, feed.content)
        place_ = (place.number, place.older, place.newer)
        return input_digest(
            about, place_, [self._entry_fingerprint(e) for e in entries], sizes, self.site.settings.site, current
        )

    def _entry_fingerprint(self, entry: Entry) -> str:
        """Return all that an entry shows, in one short text: it is asked for once for each document."""
        found = self._faces.get(entry.id)
        if found is None:
            path = entry.post.path
            parts = (entry.id, path, self.found.readings[path].content_digest, entry.updated.isoformat(), *entry.tags)
            found = self._faces[entry.id] = "\0".join((*parts, self._topics(entry)))
        return found

    def _topics(self, entry: Entry) -> str:
        return "\0".join(f"{topic.term}\0{topic.label}" for topic in entry.categories)

    def _sizes(self, entries: Iterable[Entry]) -> dict[str, int]:
        """Return the bytes of every file that entries name and that lies here, by address."""
        found = {}
        for post in (entry.post for entry in entries):
            if post.image is None and not post.enclosures:
                continue
            urls = [file.url for file in post.enclosures] + ([post.image.url] if post.image else [])
            for url in urls:
                if (size := self.site.files.size(url, post.url, post.path)) is not None:
                    found[url] = size
        return found

    # What is odd ------------------------------------------------------------------------------------------------

    def warnings(self) -> Iterator[str]:
        """Yield a line for each feed that goes on without posts, and for what is not written any more and stays."""
        yield from self.found.catalogue.category_warnings
        for feed in self.feeds:
            if not feed.entries and feed.kind != "all":
                place = self.site.public.root / feed.folder
                ends = f"`feeds retire {feed.folder}` ends it"
                yield f"{place}: no public post is in this feed; it goes on without entries ({ends})"
        yield from self._abandoned()

    def _abandoned(self) -> Iterator[str]:
        """Yield a line for documents that a change of `feeds.by` or `feeds.formats` has left behind."""
        gone = (
            {feed.folder for feed in self.feeds}
            | self.ended
            | set(map(normalize_feed_path, self.site.settings.feeds.moved))
        )
        left = [f for f in self.known.values() if f.folder not in gone and f.kind != "newsletter"]
        left = [f for f in left if not any(f.folder in feed.former for feed in self.feeds)]
        for kind in dict.fromkeys(feed.kind for feed in left):
            folders = [feed.folder for feed in left if feed.kind == kind]
            yield (
                f"{self.site.public.root}: {len(folders)} feeds by {kind} are not written any more, such as"
                f" {folders[0]}; their readers see nothing new ({_back(kind)}, `feeds retire` ends them)"
            )
        for feed in self.feeds:
            for name, file in FILES.items():
                for path in (f"{folder}{file}" for folder in (feed.folder, *feed.former)):
                    if name not in feed.formats and path not in self.ended and self.site.public.has(path):
                        yield (
                            f"{self.site.public.root / path}: this format is not written any more (feeds.formats); its"
                            f" readers see nothing new (`feeds retire {path}` ends it)"
                        )


def _back(kind: str) -> str:
    return "`[[feeds.extra]]` brings them back" if kind == "extra" else f'`by = ["{kind}"]` brings them back'


def _announced(part: RenderTask) -> Iterator[str]:
    """Yield the documents of a part that a hub has to hear of."""
    return (path for path in part.wanted if part.place.number is None and path != part.feed.page)


# In other processes -----------------------------------------------------------------------------------------------


def _newest(part: RenderTask) -> float:
    entries = part.feed.entries
    return entries[0].post.published.timestamp() if entries else 0.0


@lru_cache(maxsize=1)
def _texts(site: Site) -> Callable[[str, str], Text]:
    """Return what tells what a post of a site says, by its path and the digest of its content."""
    return lru_cache(maxsize=_REMEMBERED)(partial(render_unchanged, site.config))


def _render_parts(config: Config, parts: Iterable[RenderTask]) -> list[RenderResult]:
    return [_render_part(config, part) for part in parts]


def _render_part(config: Config, part: RenderTask) -> RenderResult:
    """Return the files of a part, or why they cannot be made, or why some of its posts cannot be shown."""
    texts: dict[str, Text] = {}
    refused: dict[str, str] = {}
    text = _texts(cached_site(config))
    for path, content in part.contents.items():
        try:
            texts[path] = text(path, content)
        except PostError as e:
            refused[path] = str(e)
    if refused:
        return refused
    try:
        found: dict[str, bytes | None] = dict(_documents(config, part, texts))
        page, shows = _page(config, part, texts) if part.feed.page in part.wanted else (None, "")
    except (ValueError, TypeError, FeedsError) as e:  # what lxml and feedgen raise; other feeds are written
        return str(e)
    return ({**found, part.feed.page: page} if shows else found), shows


def _documents(config: Config, part: RenderTask, texts: Mapping[str, Text]) -> Iterator[tuple[str, bytes]]:
    """Yield the path and the bytes of each document that is wanted."""
    paths = [path for path in part.wanted if path != part.feed.page]
    if not paths:
        return
    from feeds.core.syndication import item  # noqa: PLC0415 - lxml and feedgen, only where a feed is made
    from feeds.core.syndication.documents import render_documents  # noqa: PLC0415 - lxml and feedgen, only where a feed is made

    feed = part.feed
    full = feed.content == "full"
    items = [item.item_of_entry(e, texts[e.post.path], full=full, sizes=part.sizes) for e in feed.entries]
    yield from render_documents(feed, items, config.settings, paths, part.place)


def _page(config: Config, part: RenderTask, texts: Mapping[str, Text]) -> tuple[bytes | None, str]:
    """Return the page of a feed and a digest of what it shows; no bytes if that is what it showed before."""
    from feeds.jobs.feeds import pages  # noqa: PLC0415 - Jinja2 and Babel, for a page that seldom changes

    site, feed = cached_site(config), part.feed
    shows = input_digest(
        [(e.post.title, e.post.url, e.post.published, e.categories, texts[e.post.path].excerpt) for e in feed.entries],
        [(e.post.lang, e.post.external_url, e.post.authors, texts[e.post.path].reading_minutes) for e in feed.entries],
        (feed.title, feed.subtitle, feed.label, feed.url, feed.about, feed.total, feed.updated, feed.formats),
        site.templates_stamp(),
        config.settings.site,
    )
    if shows == part.page_showed:
        return None, shows
    words = site.texts()
    stories = [pages.page_item_of_entry(e, texts[e.post.path], words, feed) for e in feed.entries]
    return pages.render_feed_page(site, feed, stories, words), shows
