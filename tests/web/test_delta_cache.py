"""The cache of deltas of feeds."""

import asyncio
import json

from feeds.web.delta_cache import DeltaCache
from feeds.web.public_file import build_file


def make_version(number, before):
    """Return a version of a feed whose newest entry is a large one."""
    items = [{"id": str(n), "text": f"{n} " * 2000} for n in range(number, -1, -1)]
    return build_file("feeds/feed.json", json.dumps({"items": items}).encode(), 0, before)


def test_deltas_are_kept_up_to_a_number_of_bytes():
    """Of more deltas than fit the ones used last are kept; the others are made again and are the same."""
    file = None
    for number in range(8):
        file = make_version(number, file)
    assert len(file.bases) == 7

    async def ask_twice():
        cache = DeltaCache(most_bytes=100_000)
        first = {base: await cache.find(file, base) for base in file.bases}
        return first, {base: await cache.find(file, base) for base in reversed(file.bases)}

    first, again = asyncio.run(ask_twice())
    assert all(first[base].content == again[base].content for base in file.bases)
    newest, oldest = list(file.bases)[-1], next(iter(file.bases))
    assert first[newest] is again[newest]
    assert first[oldest] is not again[oldest]
