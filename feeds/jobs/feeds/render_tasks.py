"""Plan which documents and pages of a feed have to be rendered: those whose inputs have changed since the last run."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain

from feeds.core.curation.catalogue import newest_first
from feeds.core.syndication import archive
from feeds.core.syndication.feed import ArchivePosition, Feed
from feeds.edges.cache.build_manifest import input_digest
from feeds.edges.cache.post_cache import PostInputs
from feeds.jobs.feeds.output_writer import OutputWriter
from feeds.jobs.posts.read import LinkUrls
from feeds.jobs.posts.survey import Survey
from feeds.jobs.site import Site
from feeds.model import ArchivePage, Entry


@dataclass(frozen=True, kw_only=True, slots=True)
class RenderTask:
    """Files that show the same posts and are rendered together: a feed in all its formats, or one archive page."""

    #: Its `entries` are only those that these files show.
    feed: Feed
    position: ArchivePosition
    #: The files to render, below `public/`.
    paths: tuple[str, ...]
    #: The input digest of the documents.
    digest: str
    #: The input digest of the feed's web page.
    page_digest: str = ""
    #: The digest of what the web page shows (see `RenderResult`) as it was last written; empty if that is not known.
    last_visible_digest: str = ""
    #: The URL of the icon that the web page names.
    icon: str = ""
    #: The inputs of the text of each post, by its path.
    post_inputs: Mapping[str, PostInputs]
    #: The addresses of the posts that each post links to, by its path; without posts that link to none.
    post_links: Mapping[str, LinkUrls] = field(default_factory=dict)
    #: Bytes of local files, by their URL.
    file_sizes: Mapping[str, int]

    @property
    def pinged_paths(self) -> Iterator[str]:
        """The documents whose changes the hub is notified of: those of the feed itself, not of its archive."""
        return (path for path in self.paths if self.position.number is None and path != self.feed.page)


class RenderTaskPlanner:
    """Plans render tasks; files that are up to date are counted in the report."""

    def __init__(self, site: Site, survey: Survey, writer: OutputWriter) -> None:
        self._site, self._survey, self._writer = site, survey, writer
        self._templates_stamp = site.templates_stamp()
        #: By entry id.
        self._fingerprints: dict[str, str] = {}

    def plan(self, feed: Feed, pages: Sequence[ArchivePage]) -> Iterator[RenderTask]:
        """Yield the tasks of a feed and its archive pages; a task without paths has nothing to render."""
        positions = list(archive.archive_positions(pages))
        yield self._feed_task(feed, ArchivePosition(older=positions[-1].number if positions else None))
        by_id = {entry.id: entry for entry in feed.entries} if pages else {}
        for position, page in zip(positions, pages, strict=True):
            entries = sorted((by_id[i] for i in page.entries if i in by_id), key=newest_first)
            yield self._archive_task(feed, position, tuple(entries))

    def _feed_task(self, feed: Feed, position: ArchivePosition) -> RenderTask:
        sizes = self._file_sizes(feed.shown)
        digest = self._document_digest(feed, position, feed.shown, sizes, feed.updated, *self._channel_settings())
        page_digest = input_digest(digest, feed.total, feed.label, feed.formats, self._templates_stamp, self._site.icon)
        stale = [path for path in feed.files.values() if not self._writer.is_fresh(path, digest)]
        last_page_digest, _, last_visible_digest = self._writer.last_digest(feed.page).partition(" ")
        if last_page_digest == page_digest:
            self._writer.mark_current(feed.page)
        else:
            stale.append(feed.page)
        task = self._task(replace(feed, entries=feed.shown), position, stale, digest, sizes)
        return replace(task, page_digest=page_digest, last_visible_digest=last_visible_digest, icon=self._site.icon)

    def _channel_settings(self) -> tuple[object, ...]:
        return (self._site.settings.feeds.hub, self._site.settings.podcasts)

    def _archive_task(self, feed: Feed, position: ArchivePosition, entries: tuple[Entry, ...]) -> RenderTask:
        sizes, path = self._file_sizes(entries), feed.folder + archive.archive_path(position.number or 0)
        digest = self._document_digest(feed, position, entries, sizes)
        stale = [] if self._writer.is_fresh(path, digest) else [path]
        return self._task(replace(feed, entries=entries), position, stale, digest, sizes)

    def _task(
        self, feed: Feed, position: ArchivePosition, paths: list[str], digest: str, sizes: Mapping[str, int]
    ) -> RenderTask:
        posts = [entry.post for entry in feed.entries] if paths else []
        return RenderTask(
            feed=feed,
            position=position,
            paths=tuple(paths),
            digest=digest,
            post_inputs={post.path: self._survey.cached_posts[post.path].inputs for post in posts},
            post_links={post.path: self._survey.links(post) for post in posts if post.links},
            file_sizes=sizes,
        )

    def _document_digest(
        self,
        feed: Feed,
        position: ArchivePosition,
        entries: Iterable[Entry],
        sizes: Mapping[str, int],
        *feed_only: object,
    ) -> str:
        """Return a digest of everything that decides a document's bytes; *feed_only* is not part of archive pages."""
        head = (feed.id, feed.title, feed.subtitle, feed.url, feed.home, feed.lang, feed.about, feed.content)
        archive_links = (position.number, position.older, position.newer)
        fingerprints = [self._entry_fingerprint(entry) for entry in entries]
        return input_digest(head, archive_links, fingerprints, sizes, self._site.settings.site, feed_only)

    def _entry_fingerprint(self, entry: Entry) -> str:
        """Return everything that documents show of an entry as one text; cached, as many documents ask for it."""
        found = self._fingerprints.get(entry.id)
        if found is None:
            path = entry.post.path
            inputs = self._survey.cached_posts[path].inputs
            topics = "\0".join(f"{topic.term}\0{topic.label}" for topic in entry.categories)
            authors = "\0".join(f"{one.name}\0{one.uri}\0{one.email}" for one in entry.post.authors)
            links = "\0".join(chain.from_iterable(self._survey.links(entry.post))) if entry.post.links else ""
            parts = (entry.id, path, *inputs, entry.updated.isoformat(), *entry.tags, topics, authors, links)
            found = self._fingerprints[entry.id] = "\0".join(parts)
        return found

    def _file_sizes(self, entries: Iterable[Entry]) -> dict[str, int]:
        """Return the bytes of every local file that entries name, by its URL."""
        found = {}
        for post in (entry.post for entry in entries):
            if post.image is None and not post.enclosures:
                continue
            urls = [file.url for file in post.enclosures] + ([post.image.url] if post.image else [])
            for url in urls:
                if (size := self._site.files.size(url, post.url, post.path)) is not None:
                    found[url] = size
        return found
