"""A cache of deltas: the new entries of a feed since a former version of it (RFC 3229)."""

from collections import OrderedDict

from starlette.concurrency import run_in_threadpool

from feeds.web.public_file import PublicFile
from feeds.web.shared_work import SharedWork

#: Path of a feed, digest of its version, digest of the former version.
_Key = tuple[str, str, str]


class DeltaCache:
    """Deltas with their codings, as far as they fit into a number of bytes; it belongs to one event loop."""

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._made: OrderedDict[_Key, PublicFile] = OrderedDict()
        self._making: SharedWork[PublicFile] = SharedWork()
        self._bytes = 0

    async def find(self, file: PublicFile, base: str) -> PublicFile:
        """Return the feed with its new entries since the version *base*, which is one of its `bases`."""
        key = (file.path, file.digest, base)
        delta = self._made.get(key)
        if delta is None:
            return await self._making.wait_for(key, self._make(key, file))
        self._made.move_to_end(key)
        return delta

    async def _make(self, key: _Key, file: PublicFile) -> PublicFile:
        delta = await run_in_threadpool(file.make_delta, key[2])
        self._made[key] = delta
        self._bytes += delta.bytes_in_memory
        while self._bytes > self._most:
            self._bytes -= self._made.popitem(last=False)[1].bytes_in_memory
        return delta
