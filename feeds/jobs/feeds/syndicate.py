"""Write the feeds of posts: plan them, render what has changed, save them to the store, write them to `public/`.

The store is updated before `public/`: where feeds are, what their archive pages hold, and which pings are due.
"""

from collections.abc import Iterable, Iterator
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING

from msgspec.structs import replace

from feeds.core.syndication import archive, plan
from feeds.core.syndication.feed import FILES, PAGE, Feed, normalize_feed_path
from feeds.display import format_count
from feeds.jobs.context import Context
from feeds.jobs.feeds.output_writer import OutputWriter
from feeds.jobs.feeds.render import RenderResult, render_tasks
from feeds.jobs.feeds.render_tasks import RenderTask, RenderTaskPlanner
from feeds.jobs.posts.survey import Survey
from feeds.jobs.site import Site
from feeds.model import ArchivePage, KnownFeed

if TYPE_CHECKING:
    from feeds.edges.process.workers import Workers
    from feeds.edges.store.feeds import Feeds

#: From so many tasks on, worker processes save more time than they take to start.
_MANY_TASKS = 8
#: Of very many tasks, a worker is given this many at once.
_BATCH = 40


class UnrenderablePosts(Exception):  # noqa: N818 - not an error: the run starts again without these posts
    """Some posts were read but cannot be rendered."""

    def __init__(self, reasons: dict[str, str]) -> None:
        super().__init__(reasons)
        #: By path.
        self.reasons = reasons


class Syndication:
    """The feeds of posts in one publish run; call `start`, `save` and `write`, in this order."""

    def __init__(
        self,
        site: Site,
        survey: Survey,
        store: "Feeds",
        writer: OutputWriter,
        context: Context,
        *,
        dry_run: bool = False,
    ) -> None:
        self.site, self.survey, self.store, self.writer, self.context = site, survey, store, writer, context
        self._dry_run = dry_run
        #: Why texts were not found in the pages of the built site, by path of the post; only of what was rendered.
        self.page_problems: dict[str, str] = {}
        settings = site.settings
        self.known = {(feed.kind, feed.key): feed for feed in store.load_feeds()}
        self.retired = plan.retired_paths(store.load_retired(), settings)
        self.feeds = plan.plan_feeds(survey.catalogue, settings, self.known.values(), self.retired)
        #: Archive pages by kind and key of their feed, and those that the store does not have yet.
        self.pages: dict[tuple[str, str], list[ArchivePage]] = {}
        self.new_pages: list[ArchivePage] = []
        stored_pages = store.load_archive_pages()
        if archive.archives_enabled(settings, len(survey.catalogue.entries), begun=bool(stored_pages)):
            self._fill_archives(stored_pages)

    def _fill_archives(self, stored_pages: Iterable[ArchivePage]) -> None:
        """Assign entries to archive pages; a renamed category takes over the pages of its former name."""
        stored: dict[tuple[str, str], list[ArchivePage]] = {}
        for page in stored_pages:
            stored.setdefault((page.kind, page.key), []).append(page)
        for feed in (feed for feed in self.feeds if "atom" in feed.formats):
            pages = stored.get((feed.kind, feed.key), [])
            inherited = [] if pages else stored.get((feed.kind, feed.former_key), [])
            pages = pages or [replace(page, key=feed.key) for page in inherited]
            new = archive.merge_pages(pages if inherited else (), archive.fill_pages(feed, pages))
            self.new_pages += new
            self.pages[feed.kind, feed.key] = archive.published_pages(feed, archive.merge_pages(pages, new))

    def start(self, team: "Workers") -> Iterable[tuple[RenderTask, RenderResult]]:
        """Start to render what has changed; return an iterable of the results.

        Workers render from now on, while the caller updates the store.
        """
        planner = RenderTaskPlanner(self.site, self.survey, self.writer)
        planned = (task for feed in self.feeds for task in planner.plan(feed, self._pages_of(feed)))
        self.tasks = [task for task in planned if task.paths]
        self.tasks.sort(key=_newest_timestamp, reverse=True)  # neighbours in time show the same posts
        size = _BATCH if len(self.tasks) > _BATCH * _MANY_TASKS else 1
        batches = [self.tasks[n : n + size] for n in range(0, len(self.tasks), size)]
        results = team.map(partial(render_tasks, self.site.config), batches, long=len(batches) >= _MANY_TASKS)
        return zip(self.tasks, chain.from_iterable(results), strict=True)

    @property
    def shown_paths(self) -> set[str]:
        """The paths of the posts that feeds and their archives show."""
        shown = {entry.post.path for feed in self.feeds for entry in feed.shown}
        archived = {identity for pages in self.pages.values() for page in pages for identity in page.entries}
        return shown.union(entry.post.path for entry in self.survey.catalogue.entries if entry.id in archived)

    def _pages_of(self, feed: Feed) -> list[ArchivePage]:
        return self.pages.get((feed.kind, feed.key), [])

    def save(self) -> None:
        """Save feeds, archive pages and pings that may become due to the store."""
        changed = [f.known_feed for f in self.feeds if self.known.get((f.kind, f.key)) != f.known_feed]
        self.store.save_feeds(changed, self.new_pages)
        #: Documents with a ping that was due before this run.
        self.waiting: frozenset[str] = frozenset()
        if self.site.settings.feeds.hub:
            pinged = (path for task in self.tasks for path in task.pinged_paths)
            self.waiting = self.store.expect_pings(pinged, self.context.clock())

    def write(self, results: Iterable[tuple[RenderTask, RenderResult]]) -> None:
        """Write the rendered files and remove those of retired feeds; report feeds that cannot be rendered.

        Raises:
            UnrenderablePosts: some posts have to be left out.
        """
        unrenderable: dict[str, str] = {}
        same: list[str] = []
        failed: dict[str, list[str]] = {}
        for done, (task, result) in enumerate(results, 1):
            unrenderable |= result.unrenderable
            self.page_problems |= result.page_problems
            if result.error:
                failed.setdefault(result.error, []).append(task.feed.folder)
            same += self._write_files(task, result)
            self.context.progress("Writing feeds", done, len(self.tasks))
        for error, folders in failed.items():
            others = f" and {format_count(len(folders) - 1, 'other feed', 'other feeds')}" if folders[1:] else ""
            self.writer.report_failure(f"{folders[0]}{others}: cannot be rendered: {error}")
        if unrenderable:
            raise UnrenderablePosts(unrenderable)
        if not self._dry_run:
            self.store.clear_pings(path for path in same if path not in self.waiting)
            self.store.reset_pings(self.waiting.difference(same), self.context.clock())
        self._remove_retired()
        self._remove_unlinked_archives()

    def _write_files(self, task: RenderTask, result: RenderResult) -> list[str]:
        """Write the files of one task; return the paths of those that did not change."""
        same = []
        for path, content in result.files.items():
            digest = f"{task.page_digest} {result.visible_digest}" if path == task.feed.page else task.digest
            if content is None:
                self.writer.mark_unchanged(path, digest)
            elif not self.writer.write(path, content, digest):
                same.append(path)
        return same

    def _remove_retired(self) -> None:
        """Remove the files of retired feeds, unless another feed is in that folder now."""
        planned = {feed.folder for feed in self.feeds}
        for path in sorted(self.retired - planned):
            names = (*FILES.values(), PAGE, "archive/*.xml") if path.endswith("/") else ("",)
            for file in (file for name in names for file in self.site.public.glob(path + name)):
                self.writer.remove(file)

    def _remove_unlinked_archives(self) -> None:
        """Remove archive documents that no feed links to any more, also in former folders of a feed.

        Former folders get redirects and no copies: a copy would keep posts that were withdrawn from the archive.
        """
        linked = {
            feed.folder + archive.archive_path(page.number) for feed in self.feeds for page in self._pages_of(feed)
        }
        folders = dict.fromkeys(folder for feed in self.feeds for folder in (feed.folder, *feed.former))
        for folder in folders:
            for path in self.site.public.glob(f"{folder}archive/*.xml"):
                if path not in linked:
                    self.writer.remove(path)

    # Warnings ---------------------------------------------------------------------------------------------------

    def warnings(self) -> Iterator[str]:
        """Yield warnings about categories, feeds without posts, and files that are no longer written."""
        yield from self.survey.catalogue.category_warnings
        for feed in self.feeds:
            if not feed.entries and feed.kind != "all":
                folder = self.site.public.root / feed.folder
                remedy = f"`feeds retire {feed.folder}` removes it"
                yield f"{folder}: no public post is in this feed; it is written without entries ({remedy})"
        yield from self._abandoned_kinds()
        yield from self._abandoned_formats()

    def _abandoned_kinds(self) -> Iterator[str]:
        """Yield a warning for each kind of feeds that a change of `feeds.by` or `feeds.extra` has left behind."""
        abandoned = list(self._abandoned_feeds())
        for kind in dict.fromkeys(feed.kind for feed in abandoned):
            folders = [feed.folder for feed in abandoned if feed.kind == kind]
            number = format_count(len(folders), f"feed by {kind} is", f"feeds by {kind} are")
            yield (
                f"{self.site.public.root}: {number} not written any more, such as"
                f" {folders[0]}; their readers see nothing new ({_remedy(kind)}, `feeds retire` removes them)"
            )

    def _abandoned_feeds(self) -> Iterator[KnownFeed]:
        """Yield the feeds that earlier runs wrote, and that are neither written now nor moved nor retired."""
        moved = map(normalize_feed_path, self.site.settings.feeds.moved)
        current = (folder for feed in self.feeds for folder in (feed.folder, *feed.former))
        accounted_for = {*self.retired, *moved, *current}
        for feed in self.known.values():
            if feed.kind != "newsletter" and feed.folder not in accounted_for:
                yield feed

    def _abandoned_formats(self) -> Iterator[str]:
        """Yield a warning for each document that a change of `feeds.formats` has left behind."""
        for feed in self.feeds:
            dropped = [file for name, file in FILES.items() if name not in feed.formats]
            for path in (f"{folder}{file}" for file in dropped for folder in (feed.folder, *feed.former)):
                if path not in self.retired and self.site.public.has(path):
                    yield (
                        f"{self.site.public.root / path}: this format is not written any more (feeds.formats); its"
                        f" readers see nothing new (`feeds retire {path}` removes it)"
                    )


def _remedy(kind: str) -> str:
    return "`[[feeds.extra]]` brings them back" if kind == "extra" else f'`by = ["{kind}"]` brings them back'


def _newest_timestamp(task: RenderTask) -> float:
    entries = task.feed.entries
    return entries[0].post.published.timestamp() if entries else 0.0
