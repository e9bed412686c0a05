"""Read and render post files, on all cores if there are many."""

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache, partial
from hashlib import sha256
from pathlib import Path

import msgspec
from msgspec.structs import replace

from feeds.config import Config
from feeds.core.posts import parse, render
from feeds.edges.cache.post_cache import CachedPost, PostInputs
from feeds.edges.files import source_files
from feeds.edges.files.scan import Scan, Stamp
from feeds.edges.process.workers import Workers
from feeds.errors import PostChangedDuringRead, PostError
from feeds.jobs.context import Progress
from feeds.jobs.posts.batches import in_batches
from feeds.jobs.posts.pages import built_folder, page_digest, read_page
from feeds.model import Post, PostOutcome, PostStatus, Text

#: Pairs of a target in a post's links and the address of the post that it means.
LinkUrls = tuple[tuple[str, str], ...]
#: Files that a worker reads at once.
_BATCH = 200
#: From so many files on, worker processes save more time than they take to start.
_MANY = 600


def posts_folder(config: Config) -> Path:
    """Return the absolute path of the posts folder."""
    return config.resolve(config.settings.posts.folder)


def skipped_folder(config: Config) -> str:
    """Return the path of the built site below the posts folder: its pages are not posts; empty if it is not there.

    It begins at the posts folder and ends with a slash.
    """
    folder, posts = built_folder(config), os.path.realpath(posts_folder(config))
    below = os.path.relpath(os.path.realpath(folder), posts) if folder else "."
    return "" if below == "." or below.startswith("..") else f"{below}/"


# Reading ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _File:
    """A file to read."""

    path: str
    stamp: Stamp
    #: The digest of its content when it was last read; empty if it was not.
    last_digest: str


#: Holds the place of a file in the order until it is read.
_UNREAD = CachedPost("", (0, 0, 0, 0), "", None)


def read_posts(
    config: Config, scan: Scan, cached_posts: Mapping[str, CachedPost], team: Workers, progress: Progress
) -> tuple[dict[str, CachedPost], list[str]]:
    """Return every file of *scan* as a post or a rejection, by path, and the paths of the files that were read.

    A file with the stamp of *cached_posts* is not read. Files that `posts.only_in` leaves out are not there.
    """
    only_in = config.settings.posts.only_in
    found: dict[str, CachedPost] = {}
    files = []
    for path, stamp in zip(scan.paths, scan.stamps(), strict=True):
        if only_in and only_in not in path.split("/")[:-1]:
            continue
        cached = cached_posts.get(path)
        if cached is not None and cached.stamp == stamp and stamp[3] != 0:
            found[path] = cached
        elif not _is_utf8(path):
            # Such a path cannot be encoded for the cache or for another process.
            found[path] = _read_file(config, posts_folder(config), _File(path, stamp, ""))
        else:
            found[path] = cached or _UNREAD
            files.append(_File(path, stamp, cached.content_digest if cached else ""))
    done = 0
    for encoded in team.map(partial(_read_batch, config), in_batches(files, _BATCH), long=len(files) >= _MANY):
        for post in _decoder().decode(encoded):
            is_same = post.post is None and post.outcome is None
            found[post.path] = replace(found[post.path], stamp=post.stamp) if is_same else post
            done += 1
        progress("Reading posts", done, len(files))
    return found, [file.path for file in files]


def _is_utf8(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


@lru_cache(maxsize=1)
def _decoder() -> "msgspec.json.Decoder[list[CachedPost]]":
    return msgspec.json.Decoder(list[CachedPost])


def _read_batch(config: Config, files: Sequence[_File]) -> bytes:
    """Return some files as posts, encoded as in the cache: faster to send to another process than a pickle."""
    place = posts_folder(config)
    return msgspec.json.encode([_read_file(config, place, file) for file in files])


def _read_file(config: Config, place: Path, file: _File) -> CachedPost:
    """Read and parse one file. The result has neither a post nor a rejection if the content is the same as before."""
    path, digest = file.path, ""
    post: Post | None = None
    rejection: PostOutcome | None = None
    try:
        data = source_files.read_file(place, path, parse.MOST_BYTES)
        digest = content_digest(data)
        if digest != file.last_digest:
            parsed = parse.parse_post(path, data, config.settings)
            post, rejection = (parsed, None) if isinstance(parsed, Post) else (None, parsed)
    except PostError as e:
        rejection = PostOutcome(path=e.path, status=PostStatus.REJECTED, reason=str(e))
    except Exception as e:  # noqa: BLE001 - whatever a file contains, the others must be read
        reason = f"{path}:1: cannot be parsed ({type(e).__name__}: {e}); please report this as a bug"
        rejection = PostOutcome(path=path, status=PostStatus.REJECTED, reason=reason)
    return CachedPost(path, file.stamp, digest, post, rejection)


def content_digest(content: bytes) -> str:
    """Return the digest of the bytes of a post file."""
    return sha256(content).hexdigest()[:32]  # twice as fast as BLAKE2 on processors with SHA instructions


# Rendering --------------------------------------------------------------------------------------------------------


def render_unchanged(config: Config, path: str, inputs: PostInputs, links: LinkUrls = ()) -> Text:
    """Return the rendered text of a post whose file and page still have the digests of *inputs*.

    *links* are those of `Survey.links`.

    Raises:
        PostChangedDuringRead: one of them was changed or removed since.
        PostError: the post cannot be rendered.
    """
    try:
        data = source_files.read_file(posts_folder(config), path, parse.MOST_BYTES)
    except PostError:
        raise PostChangedDuringRead(path) from None
    page = read_page(config, inputs.page_path)
    if (content_digest(data), page_digest(page)) != (inputs.content_digest, inputs.page_digest):
        raise PostChangedDuringRead(path)
    return render.render_post(path, data, config.settings, page, dict(links))


def render_texts(
    config: Config, posts: Sequence[tuple[str, PostInputs]], team: Workers, progress: Progress
) -> dict[str, Text]:
    """Return the rendered texts of posts without their HTML, by path; those that cannot be rendered are left out.

    *posts* are pairs of a path and the inputs of the text.
    """
    found: dict[str, Text] = {}
    batches = in_batches(posts, _BATCH)
    for texts in team.map(partial(_render_batch, config), batches, long=len(posts) >= _MANY):
        found.update(texts)
        progress("Rendering posts", len(found), len(posts))
    return found


def _render_batch(config: Config, posts: Sequence[tuple[str, PostInputs]]) -> list[tuple[str, Text]]:
    texts = []
    for path, inputs in posts:
        with suppress(PostChangedDuringRead, PostError):
            texts.append((path, replace(render_unchanged(config, path, inputs), html="")))
    return texts
