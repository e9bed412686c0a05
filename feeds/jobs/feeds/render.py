"""Render the documents and the web page of a feed; runs in worker processes."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache, partial

from feeds.config import Config
from feeds.edges.cache.build_manifest import input_digest
from feeds.edges.cache.post_cache import PostInputs
from feeds.errors import FeedsError, PostError
from feeds.jobs.feeds.render_tasks import RenderTask
from feeds.jobs.posts.read import LinkUrls, render_unchanged
from feeds.jobs.site import Site, cached_site
from feeds.latest import keep_latest
from feeds.model import Text

#: How many rendered posts a worker keeps: the next feeds often show the same posts.
_CACHED_TEXTS = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class RenderResult:
    """The rendered files of one task, or why there are none."""

    #: Bytes by path; None for a web page that shows the same as before.
    files: Mapping[str, bytes | None] = field(default_factory=dict)
    #: A digest of what the web page shows: most edits of a post change its documents and not the page.
    visible_digest: str = ""
    #: Why texts were not found in the pages of the built site, by path of the post.
    page_problems: Mapping[str, str] = field(default_factory=dict)
    #: Why posts could not be rendered, by path.
    unrenderable: Mapping[str, str] = field(default_factory=dict)
    #: Why the files could not be rendered; empty if they were.
    error: str = ""


def render_tasks(config: Config, tasks: Iterable[RenderTask]) -> list[RenderResult]:
    """Render several tasks; neither a post nor a feed that cannot be rendered stops the others.

    Raises:
        PostChangedDuringRead: a post is not the one that was surveyed.
    """
    return [_render_task(config, task) for task in tasks]


def _render_task(config: Config, task: RenderTask) -> RenderResult:
    texts: dict[str, Text] = {}
    unrenderable: dict[str, str] = {}
    render_text = _text_renderer(cached_site(config))
    for path, inputs in task.post_inputs.items():
        try:
            texts[path] = render_text(path, inputs, task.post_links.get(path, ()))
        except PostError as e:
            unrenderable[path] = str(e)
    if unrenderable:
        return RenderResult(unrenderable=unrenderable)
    problems = {path: text.page_problem for path, text in texts.items() if text.page_problem}
    try:
        files: dict[str, bytes | None] = dict(_render_documents(config, task, texts))
        if task.feed.page not in task.paths:
            return RenderResult(files=files, page_problems=problems)
        page, visible_digest = _render_page(config, task, texts)
    except (ValueError, TypeError, FeedsError) as e:  # lxml and feedgen raise the first two
        return RenderResult(error=str(e))
    files[task.feed.page] = page
    return RenderResult(files=files, visible_digest=visible_digest, page_problems=problems)


@lru_cache(maxsize=1)
def _text_renderer(site: Site) -> Callable[[str, PostInputs, LinkUrls], Text]:
    """Return `render_unchanged` for the posts of a site, with a cache."""
    return keep_latest(partial(render_unchanged, site.config), of=0, size=_CACHED_TEXTS)


def _render_documents(config: Config, task: RenderTask, texts: Mapping[str, Text]) -> Iterator[tuple[str, bytes]]:
    """Yield the path and the bytes of each document."""
    paths = [path for path in task.paths if path != task.feed.page]
    if not paths:
        return
    from feeds.core.syndication import item
    from feeds.core.syndication.documents import render_documents

    feed = task.feed
    full = feed.content == "full"
    items = [item.item_of_entry(e, texts[e.post.path], full=full, sizes=task.file_sizes) for e in feed.entries]
    yield from render_documents(feed, items, config.settings, paths, task.position)


def _render_page(config: Config, task: RenderTask, texts: Mapping[str, Text]) -> tuple[bytes | None, str]:
    """Return the web page of a feed and a digest of what it shows; no bytes if it would show the same as before."""
    from feeds.jobs.feeds import pages

    site, feed = cached_site(config), task.feed
    visible_digest = input_digest(
        [(e.post.title, e.post.url, e.post.published, e.categories, texts[e.post.path].excerpt) for e in feed.entries],
        [(e.post.lang, e.post.external_url, e.post.authors, texts[e.post.path].reading_minutes) for e in feed.entries],
        (feed.title, feed.subtitle, feed.label, feed.url, feed.about, feed.total, feed.updated, feed.formats),
        site.templates_stamp(),
        config.settings.site,
        task.icon,
    )
    if visible_digest == task.last_visible_digest:
        return None, visible_digest
    page_texts = site.texts()
    page_items = [pages.page_item_of_entry(e, texts[e.post.path], page_texts, feed) for e in feed.entries]
    return pages.render_feed_page(site, feed, page_items, page_texts, task.icon), visible_digest
