"""What was read and derived before: `.feeds-cache/` beside the config. It may be deleted at any time.

One file of lines: a header that names the build and the settings it holds for, then frames. A frame carries a checksum
and what a pass found out; later frames override earlier ones. A pass that changed little adds one frame, so that it
costs what it changed. What is damaged, foreign or of another build is not trusted: what it held is found out again.
"""

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import chain
from pathlib import Path
from zlib import crc32

import msgspec

from feeds.edges.files.scan import UNKNOWN, Stamp
from feeds.edges.files.write_files import replace_file
from feeds.model import Post, PostOutcome, TextSimilarity

_MARK = b"feeds cache 1 "
#: Readings in one frame of a file that is written whole: few enough to need little memory, many enough to be few.
_FRAME = 1000
#: A file with more than this many frames for each it needs is written anew.
_MOST_FRAMES = 4
#: Clocks of file systems tick: a file that was changed this close to being read may change again in the same tick.
_TICK = 20_000_000
_COARSE_TICK = 2_000_000_000
_SECOND = 1_000_000_000


class CachedPost(msgspec.Struct, frozen=True, array_like=True):
    """One file as it was when it was read."""

    path: str
    stamp: Stamp
    #: Digest of the bytes.
    content: str
    #: None where the file is no post; then there is a verdict.
    post: Post | None
    verdict: PostOutcome | None = None


class _Frame(msgspec.Struct, array_like=True):
    readings: list[CachedPost]
    gone: list[str]
    likeness: list[tuple[str, str, TextSimilarity]]


_frames = msgspec.json.Decoder(_Frame)


class PostCache:
    """What earlier passes found out, and a place for what this one does, unless it is not to *keep* any of that."""

    def __init__(self, folder: Path, build: str, *, keep: bool = True) -> None:
        self._keep = keep
        self._folder, self._header = folder, _MARK + build.encode() + b"\n"
        self._file = folder / "posts"
        self.readings: dict[str, CachedPost] = {}
        self.likeness: dict[tuple[str, str], TextSimilarity] = {}
        #: For people, when something was in the way.
        self.warnings: list[str] = []
        self._loaded: tuple[int, int] | None = None
        self._frames = 0

    def load(self) -> None:
        """Read what there is and can be trusted."""
        try:
            with self._file.open("rb") as file:
                about = os.fstat(file.fileno())
                header = file.readline(len(self._header) + 1)
                if header == self._header:
                    whole = self._take(file)
                    self._loaded = (about.st_ino, about.st_size) if whole else None
                elif not header.startswith(_MARK):
                    self._tell("is not ours or is damaged")
        except FileNotFoundError:
            return
        except OSError as e:
            self._tell(f"cannot be read ({e.strerror or e})")

    def _take(self, lines: Iterator[bytes]) -> bool:
        """Take frames up to the first that is damaged; return whether none was."""
        for line in lines:
            try:
                if int(line[:8], 16) != crc32(line[9:]):
                    raise ValueError  # noqa: TRY301 - a wrong sum is as bad as no sum
                frame = _frames.decode(line[9:])
            except (ValueError, msgspec.DecodeError):
                self._tell("is damaged")
                self.readings.clear()
                self.likeness.clear()
                return False
            self._frames += 1
            self.readings.update((reading.path, reading) for reading in frame.readings)
            for path in frame.gone:
                self.readings.pop(path, None)
            self.likeness.update(((one, other), like) for one, other, like in frame.likeness)
        return True

    def _tell(self, what: str) -> None:
        self.warnings.append(f"{self._file}: the cache {what}; it is made anew from the posts")

    def trust_threshold(self) -> int:
        """Return the file system's own time (ns since 1970) before which a file that is read now was at rest.

        Clocks of machines and of file systems may differ; this one is what modification times are compared with. 0
        where the folder cannot be written.
        """
        clock = self._folder / "clock"
        if not self._keep:
            return 0
        try:
            self._make_folder()
            clock.touch()
            now = clock.stat().st_mtime_ns
        except OSError:
            return 0
        return now - (_COARSE_TICK if now % _SECOND == 0 else _TICK)

    def save(
        self, fresh: Mapping[str, CachedPost], gone: list[str], likeness: Mapping[tuple[str, str], TextSimilarity]
    ) -> None:
        """Keep what this pass found out. Two processes may do so at once: the second leaves a changed file alone."""
        if not self._keep:
            return
        try:
            self._make_folder()
            with _locked(self._folder) as mine:
                if mine and self._is_as_loaded():
                    self._write(fresh, gone, likeness)
        except OSError as e:
            reason = e.strerror or str(e)
            self.warnings.append(
                f"{self._folder}: the cache cannot be written ({reason}); the next run reads all posts"
            )

    def _make_folder(self) -> None:
        """Make the folder, and keep it out of the site's repository."""
        if not self._folder.is_dir():
            self._folder.mkdir()
            (self._folder / ".gitignore").write_text("*\n", "utf-8")

    def recall(self, name: str, recipe: str) -> bytes | None:
        """Return what was kept under *name*, if it was made by this recipe and is whole."""
        try:
            head, _, content = (self._folder / name).read_bytes().partition(b"\n")
        except OSError:
            return None
        return content if head == self._head(recipe, content) else None

    def store(self, name: str, recipe: str, content: bytes) -> None:
        """Keep something that takes long to find out; without it, it is found out again."""
        if self._keep:
            with suppress(OSError):
                self._make_folder()
                (self._folder / name).write_bytes(self._head(recipe, content) + b"\n" + content)

    def _head(self, recipe: str, content: bytes) -> bytes:
        return b"%b %b %08x" % (self._header.rstrip(), recipe.encode(), crc32(content))

    def _is_as_loaded(self) -> bool:
        """Return whether the file is what was read, or nothing worth keeping."""
        if self._loaded is None:
            return True
        try:
            about = self._file.stat()
        except FileNotFoundError:
            self._loaded = None
            return True
        return self._loaded == (about.st_ino, about.st_size)

    def _write(
        self, fresh: Mapping[str, CachedPost], gone: list[str], likeness: Mapping[tuple[str, str], TextSimilarity]
    ) -> None:
        self.readings.update(fresh)
        for path in gone:
            self.readings.pop(path, None)
        self.likeness.update(likeness)
        added = [(one, other, like) for (one, other), like in likeness.items()]
        small = len(fresh) <= _FRAME and self._frames < _MOST_FRAMES * (1 + len(self.readings) // _FRAME)
        if self._loaded is not None and small:
            with self._file.open("ab") as file:
                file.write(_line(_Frame(list(fresh.values()), gone, added)))
        else:
            self._replace()

    def _replace(self) -> None:
        readings = list(self.readings.values())
        digests = {reading.post.text_digest for reading in readings if reading.post}
        pairs = [(a, b, like) for (a, b), like in self.likeness.items() if a in digests and b in digests]
        # Pairs first: whoever finds a post here takes it for compared with all the others.
        frames = [_Frame([], [], pairs)]
        frames += [_Frame(readings[n : n + _FRAME], [], []) for n in range(0, len(readings), _FRAME)]
        replace_file(self._file, chain([self._header], map(_line, frames)), mode=0o600, durable=False)


def with_trusted_stamp(reading: CachedPost, moment: int) -> CachedPost:
    """Return *reading* with a stamp that can be trusted from now on, or with none."""
    at_rest = max(reading.stamp[0], reading.stamp[1]) < moment
    return reading if at_rest else msgspec.structs.replace(reading, stamp=UNKNOWN)


def _line(frame: _Frame) -> bytes:
    encoded = msgspec.json.encode(frame) + b"\n"
    return b"%08x %b" % (crc32(encoded), encoded)


@contextmanager
def _locked(folder: Path) -> Iterator[bool]:
    """Hold the cache for writing; yield whether it is ours."""
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(number)
