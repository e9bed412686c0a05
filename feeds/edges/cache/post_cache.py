"""The cache of parsed posts: a file in the folder `cache/` of the state, which may be deleted at any time.

The first line names the build and the settings that the cache is valid for; each other line is a frame with a checksum
and the results of a run. Later frames override earlier ones. A run that changed little appends one frame, so that its
cost depends on what changed. A cache that is damaged or of another build is ignored, and all posts are parsed again.
"""

import fcntl
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import chain
from pathlib import Path
from typing import NamedTuple
from zlib import crc32

import msgspec

from feeds.edges.files.private_folder import create_private_folder
from feeds.edges.files.scan import UNKNOWN, Stamp
from feeds.edges.files.write_files import replace_file
from feeds.model import Post, PostOutcome, TextSimilarity

_MAGIC = b"feeds cache 1 "
#: Posts in one frame of a file that is rewritten: few enough to need little memory, many enough for few frames.
_FRAME = 1000
#: A file with more than this many frames for each that it needs is rewritten.
_MOST_FRAMES = 4
#: The clocks of file systems tick: a file that was changed within a tick before it was read may change again unnoticed.
_TICK = 20_000_000
_COARSE_TICK = 2_000_000_000
_SECOND = 1_000_000_000


class BuiltPage(msgspec.Struct, frozen=True, array_like=True):
    """The page of a post in the built site as it was read."""

    #: Relative to the folder of the built site.
    path: str
    stamp: Stamp
    #: Digest of its bytes.
    digest: str


class PostInputs(NamedTuple):
    """The inputs of a post's text besides the settings: its file and its page, if it has one."""

    content_digest: str
    page_path: str = ""
    page_digest: str = ""


class CachedPost(msgspec.Struct, frozen=True, array_like=True):
    """A file of the posts folder as it was read."""

    path: str
    stamp: Stamp
    #: Digest of its bytes.
    content_digest: str
    #: None if the file is not a post; then there is an outcome.
    post: Post | None
    outcome: PostOutcome | None = None
    #: None if it has no page, or texts are not taken from a built site.
    page: BuiltPage | None = None

    @property
    def inputs(self) -> PostInputs:
        """The inputs of its text."""
        if self.page is None:
            return PostInputs(self.content_digest)
        return PostInputs(self.content_digest, self.page.path, self.page.digest)


class _Frame(msgspec.Struct, array_like=True):
    posts: list[CachedPost]
    removed: list[str]
    similarities: list[tuple[str, str, TextSimilarity]]


_decoder = msgspec.json.Decoder(_Frame)


class PostCache:
    """The results of earlier runs. If not *keep*, they are read but nothing is written."""

    def __init__(self, folder: Path, build: str, *, keep: bool = True) -> None:
        self._keep = keep
        self._folder, self._header = folder, _MAGIC + build.encode() + b"\n"
        self._file = folder / "posts"
        #: By path.
        self.posts: dict[str, CachedPost] = {}
        #: By the text digests of two posts.
        self.similarities: dict[tuple[str, str], TextSimilarity] = {}
        #: Problems with the cache, as messages.
        self.warnings: list[str] = []
        #: Inode and size of the file that was loaded.
        self._loaded: tuple[int, int] | None = None
        self._frames = 0

    def load(self) -> None:
        """Load the cache if it is valid."""
        try:
            with self._file.open("rb") as file:
                status = os.fstat(file.fileno())
                header = file.readline(len(self._header) + 1)
                if header == self._header:
                    is_valid = self._load_frames(file)
                    self._loaded = (status.st_ino, status.st_size) if is_valid else None
                elif not header.startswith(_MAGIC):
                    self._warn("is damaged, or is a file of another program")
        except FileNotFoundError:
            return
        except OSError as e:
            self._warn(f"cannot be read ({e.strerror or e})")

    def _load_frames(self, lines: Iterator[bytes]) -> bool:
        """Load all frames, or none if one is damaged; return whether all are valid."""
        for line in lines:
            try:
                if int(line[:8], 16) != crc32(line[9:]):
                    raise ValueError  # noqa: TRY301 - handled like a checksum that is not a number
                frame = _decoder.decode(line[9:])
            except (ValueError, msgspec.DecodeError):
                self._warn("is damaged")
                self.posts.clear()
                self.similarities.clear()
                return False
            self._frames += 1
            self.posts.update((post.path, post) for post in frame.posts)
            for path in frame.removed:
                self.posts.pop(path, None)
            self.similarities.update(((one, other), similarity) for one, other, similarity in frame.similarities)
        return True

    def _warn(self, problem: str) -> None:
        self.warnings.append(f"{self._file}: the cache {problem}; it is rebuilt from the posts")

    def forget_similarities(self, text_digests: Iterable[str]) -> None:
        """Forget what was found of posts with these texts, so that they are compared again."""
        forgotten = set(text_digests)
        for pair in [pair for pair in self.similarities if not forgotten.isdisjoint(pair)]:
            del self.similarities[pair]

    def trust_threshold(self) -> int:
        """Return the time (ns since 1970) before which a file that is read now must have been changed to be trusted.

        It is a time of the file system, whose clock may differ from the machine's. 0 if the folder cannot be written.
        """
        clock = self._folder / "clock"
        if not self._keep:
            return 0
        try:
            create_private_folder(self._folder)
            clock.touch(mode=0o600)
            now = clock.stat().st_mtime_ns
        except OSError:
            return 0
        return now - (_COARSE_TICK if now % _SECOND == 0 else _TICK)

    def save(
        self,
        fresh: Mapping[str, CachedPost],
        removed: list[str],
        similarities: Mapping[tuple[str, str], TextSimilarity],
    ) -> None:
        """Store the results of this run, unless another process has changed the file since it was loaded."""
        if not self._keep:
            return
        try:
            create_private_folder(self._folder)
            with _try_lock(self._folder) as is_locked:
                if is_locked and self._is_as_loaded():
                    self._write(fresh, removed, similarities)
        except OSError as e:
            reason = e.strerror or str(e)
            self.warnings.append(
                f"{self._folder}: the cache cannot be written ({reason}); the next run reads all posts"
            )

    def recall(self, name: str, digest: str) -> bytes | None:
        """Return the content stored under *name* if it was made from inputs with this digest and is not damaged."""
        try:
            header, _, content = (self._folder / name).read_bytes().partition(b"\n")
        except OSError:
            return None
        return content if header == self._content_header(digest, content) else None

    def store(self, name: str, digest: str, content: bytes) -> None:
        """Store the result of a slow computation with the digest of its inputs; a failure is ignored."""
        if self._keep:
            with suppress(OSError):
                create_private_folder(self._folder)
                parts = [self._content_header(digest, content), b"\n", content]
                replace_file(self._folder / name, parts, mode=0o600, durable=False)

    def _content_header(self, digest: str, content: bytes) -> bytes:
        return b"%b %b %08x" % (self._header.rstrip(), digest.encode(), crc32(content))

    def _is_as_loaded(self) -> bool:
        """Return whether the file has not changed since it was loaded; True also if it was invalid or is gone."""
        if self._loaded is None:
            return True
        try:
            status = self._file.stat()
        except FileNotFoundError:
            self._loaded = None
            return True
        return self._loaded == (status.st_ino, status.st_size)

    def _write(
        self,
        fresh: Mapping[str, CachedPost],
        removed: list[str],
        similarities: Mapping[tuple[str, str], TextSimilarity],
    ) -> None:
        self.posts.update(fresh)
        for path in removed:
            self.posts.pop(path, None)
        self.similarities.update(similarities)
        is_small = len(fresh) <= _FRAME and self._frames < _MOST_FRAMES * (1 + len(self.posts) // _FRAME)
        if self._loaded is not None and is_small:
            pairs = [(one, other, similarity) for (one, other), similarity in similarities.items()]
            with self._file.open("ab") as file:
                file.write(_encode(_Frame(list(fresh.values()), removed, pairs)))
        else:
            self._rewrite()

    def _rewrite(self) -> None:
        posts = list(self.posts.values())
        digests = {post.post.text_digest for post in posts if post.post}
        pairs = [
            (a, b, similarity) for (a, b), similarity in self.similarities.items() if a in digests and b in digests
        ]
        # Pairs come first: a post that is in the cache counts as compared with all other posts in it.
        frames = [_Frame([], [], pairs)]
        frames += [_Frame(posts[n : n + _FRAME], [], []) for n in range(0, len(posts), _FRAME)]
        replace_file(self._file, chain([self._header], map(_encode, frames)), mode=0o600, durable=False)


def with_trusted_stamp(post: CachedPost, threshold: int) -> CachedPost:
    """Return *post* with unknown stamps instead of those of files that were not changed before *threshold*."""
    page = post.page
    if page is not None and not _is_at_rest(page.stamp, threshold):
        post = msgspec.structs.replace(post, page=msgspec.structs.replace(page, stamp=UNKNOWN))
    return post if _is_at_rest(post.stamp, threshold) else msgspec.structs.replace(post, stamp=UNKNOWN)


def _is_at_rest(stamp: Stamp, threshold: int) -> bool:
    return max(stamp[0], stamp[1]) < threshold


def _encode(frame: _Frame) -> bytes:
    encoded = msgspec.json.encode(frame) + b"\n"
    return b"%08x %b" % (crc32(encoded), encoded)


@contextmanager
def _try_lock(folder: Path) -> Iterator[bool]:
    """Hold the lock of the cache; yield whether it was free."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(descriptor)
