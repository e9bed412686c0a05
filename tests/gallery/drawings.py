"""Pictures for the posts, drawn here: hills below a sky, as PNG."""

import math
import struct
import zlib
from functools import lru_cache
from pathlib import Path

#: Width and height by the name of the file: wide, tall, square and smaller than the column.
SIZES = {"wide": (1200, 675), "tall": (600, 900), "square": (640, 640), "small": (240, 160)}
#: Sky, sun and hills from far to near.
_COLOURS = ("dfe9ec", "f3c98b", "9db8bd", "5f8a94", "2f5f6e", "183a46")
_HILLS = 4


def draw_all(folder: Path) -> None:
    """Write every picture into *folder*."""
    folder.mkdir(parents=True, exist_ok=True)
    for seed, (name, (width, height)) in enumerate(SIZES.items()):
        (folder / f"{name}.png").write_bytes(draw_hills(width, height, seed))


@lru_cache
def draw_hills(width: int, height: int, seed: int) -> bytes:
    """Return a PNG; another *seed* gives other hills."""
    tops = [[_top(hill, x / width, seed) * height for x in range(width)] for hill in range(_HILLS)]
    rows = b"".join(b"\0" + _row(y, width, height, tops) for y in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    parts = (
        (b"IHDR", head),
        (b"PLTE", bytes.fromhex("".join(_COLOURS))),
        (b"IDAT", zlib.compress(rows, 9)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in parts)


def _top(hill: int, x: float, seed: int) -> float:
    """Return where a hill begins at *x*, both as a share of the picture."""
    waves = (math.sin(x * (3 + hill * 2) + seed * 1.7 + hill * 2.1), math.sin(x * (9 + hill * 3) + seed + hill))
    return 0.42 + hill * 0.14 + 0.07 * waves[0] + 0.02 * waves[1]


def _row(y: int, width: int, height: int, tops: list[list[float]]) -> bytes:
    row, radius = bytearray(width), min(width, height) / 9
    reach = math.sqrt(max(0.0, radius**2 - (y - height * 0.27) ** 2))
    middle = width * 0.7
    for x in range(int(middle - reach), int(middle + reach) if reach else 0):
        row[x] = 1
    for hill, top in enumerate(tops):
        if min(top) <= y:
            for x in range(width):
                if top[x] <= y:
                    row[x] = hill + 2
    return bytes(row)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
