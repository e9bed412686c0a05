"""Find and read the pages of posts in the built site (`posts.rendered`)."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from hashlib import sha256
from pathlib import Path

from msgspec.structs import replace

from feeds.config import Config
from feeds.core.posts.built.paths import page_paths
from feeds.core.posts.render import Page
from feeds.display import format_count
from feeds.edges.cache.post_cache import BuiltPage, CachedPost
from feeds.edges.files import source_files
from feeds.edges.files.built_site import BuiltSite
from feeds.edges.files.scan import Stamp
from feeds.edges.process.workers import Workers
from feeds.errors import FeedsError, PostError
from feeds.jobs.context import Progress
from feeds.jobs.posts.batches import in_batches
from feeds.model import Post

#: A larger page is not read.
_MOST_BYTES = 10_000_000
#: Pages that a worker reads at once; from so many on, worker processes save more time than they take to start.
_BATCH, _MANY = 200, 600
#: So many posts are named in a warning about many.
_NAMED = 3


def built_folder(config: Config) -> Path | None:
    """Return the absolute path of the built site; None if texts are not taken from it."""
    rendered = config.settings.posts.rendered
    return config.resolve(rendered) if rendered else None


def require_built_site(config: Config) -> None:
    """Raise if the built site is not there: every text would change to what Feeds makes of the Markdown, and back.

    Raises:
        FeedsError: the message says what to do.
    """
    folder = built_folder(config)
    if folder is not None and not folder.is_dir():
        raise FeedsError(
            f"{config.path}: posts.rendered: the folder {config.settings.posts.rendered!r} does not exist; build the"
            " site first, or correct the name"
        )


def require_pages(config: Config, public: Sequence[CachedPost]) -> None:
    """Raise if no post of *public* with a text has a page: the site is not built, or all addresses are wrong.

    Raises:
        FeedsError: the message says what to do.
    """
    with_text = _posts_with_text(public)
    if built_folder(config) is None or not with_text or any(one.page for one in with_text):
        return
    raise FeedsError(
        f"{config.path}: posts.rendered: the folder {config.settings.posts.rendered!r} has no page of any post"
        f" ({_expected_page(config, with_text)}): build the site first, or correct posts.permalink"
    )


def read_pages(
    config: Config, posts: Mapping[str, CachedPost], site: BuiltSite, team: Workers, progress: Progress
) -> dict[str, CachedPost]:
    """Return the posts whose page is another one than in *posts*, or has changed, with their new page."""
    changed: dict[str, CachedPost] = {}
    unread: list[tuple[str, str, Stamp]] = []
    for path, cached in posts.items():
        found = _find_page(config, cached.post, site)
        page = cached.page
        if found is None:
            if page is not None:
                changed[path] = replace(cached, page=None)
        elif page is None or (page.path, page.stamp) != found or page.stamp[3] == 0:
            unread.append((path, *found))
    done = 0
    for batch in team.map(partial(_read_batch, config), in_batches(unread, _BATCH), long=len(unread) >= _MANY):
        for path, page in batch:
            changed[path] = replace(posts[path], page=page)
            done += 1
        progress("Reading pages", done, len(unread))
    return changed


def _find_page(config: Config, post: Post | None, site: BuiltSite) -> tuple[str, Stamp] | None:
    """Return path and stamp of the page of a post; a draft has none."""
    if post is None or post.draft:
        return None
    return site.find(page_paths(post.url, config.settings.site.url))


def _read_batch(config: Config, pages: Sequence[tuple[str, str, Stamp]]) -> list[tuple[str, BuiltPage | None]]:
    """Return the page of each post, given as the path of the post, that of its page, and the stamp of that."""
    found = []
    for post_path, path, stamp in pages:
        page = read_page(config, path)
        found.append((post_path, BuiltPage(path, stamp, page_digest(page)) if page else None))
    return found


def read_page(config: Config, path: str) -> Page | None:
    """Return a page of the built site; None if it is not there, or cannot be read."""
    folder = built_folder(config)
    if folder is None or not path:
        return None
    try:
        return Page(path, source_files.read_file(folder, path, _MOST_BYTES))
    except PostError:
        return None


def page_digest(page: Page | None) -> str:
    """Return the digest of the bytes of a page; empty without one."""
    return sha256(page.content).hexdigest()[:32] if page else ""


# Warnings ---------------------------------------------------------------------------------------------------------


def page_warnings(config: Config, public: Sequence[CachedPost]) -> Iterator[str]:
    """Yield a warning about *public* posts without a page, and one about pages that are older than their posts."""
    rendered = config.settings.posts.rendered
    missing = [one for one in _posts_with_text(public) if one.page is None]
    if missing:
        lacks = format_count(len(missing), "post has", "posts have")
        yield (
            f"{rendered}: {lacks} no page here, such as {_name(missing)}"
            f" ({_expected_page(config, missing)}): the Markdown is rendered"
            " instead; build the site first, or correct posts.permalink"
        )
    older = [one for one in public if one.page is not None and one.page.stamp[0] < one.stamp[0]]
    if older:
        yield (
            f"{rendered}: the built site is older than {format_count(len(older), 'post')}, such as {_name(older)}:"
            " build it first; readers get the text of the old page"
        )


def unmatched_warning(config: Config, problems: Mapping[str, str]) -> Iterator[str]:
    """Yield a warning about posts whose text is not found in their page; *problems* are the reasons by path."""
    if problems:
        paths = sorted(problems)
        number = format_count(len(paths), "post is not found in its page", "posts is not found in their pages")
        named = ", ".join(f"{path} ({problems[path]})" for path in paths[:_NAMED])
        yield (
            f"{config.settings.posts.rendered}: the text of {number}: {named}: the Markdown is"
            " rendered instead; set posts.content_selector"
        )


def _posts_with_text(posts: Sequence[CachedPost]) -> list[CachedPost]:
    return [one for one in posts if one.post and one.post.text_size]


def _expected_page(config: Config, posts: Sequence[CachedPost]) -> str:
    """Return which page of the first post is missing."""
    expected = page_paths(posts[0].post.url, config.settings.site.url) if posts[0].post else ()
    return f"{expected[0]} is missing" if expected else "its address is not on the site"


def _name(posts: Sequence[CachedPost]) -> str:
    return ", ".join(sorted(one.path for one in posts)[:_NAMED])
