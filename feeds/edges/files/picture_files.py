"""The real sizes of pictures in local files."""

import os
import struct
import warnings
from functools import lru_cache
from typing import TYPE_CHECKING

from feeds.model import PictureFile

if TYPE_CHECKING:
    from PIL.Image import Image

#: The formats that are read, as Pillow names them: those of pictures on the web, except SVG, which has no pixels.
FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "AVIF")
#: What Pillow raises on files that are damaged, beside `DecompressionBombError`.
DAMAGED = (OSError, ValueError, SyntaxError, ArithmeticError, LookupError, RuntimeError, TypeError, struct.error)
_ORIENTATION = 0x0112
#: The values of EXIF's orientation by which a picture is turned by 90 degrees.
_TURNED = range(5, 9)


def read_picture(path: str) -> PictureFile | None:
    """Return the size of the picture in a file; None if the file does not exist or its size cannot be read.

    Only the header is read, no pixels. The size is as browsers show the picture: EXIF orientation counts.
    """
    try:
        status = os.stat(path)  # noqa: PTH116 - many letters show the same pictures
    except OSError:
        return None
    return _read_header(path, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=4096)
def _read_header(path: str, _modified: int, size: int) -> PictureFile | None:
    from PIL import Image

    damaged = (*DAMAGED, Image.DecompressionBombError)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # nothing is unpacked
        try:
            with Image.open(path, formats=FORMATS) as image:
                width, height = shown_size(image)
                return PictureFile(
                    path=path,
                    format=image.format or "",
                    width=width,
                    height=height,
                    size=size,
                    is_opaque=_is_opaque(image),
                )
        except damaged:
            return None


def _is_opaque(image: "Image") -> bool:
    """Return whether no part is transparent; `has_transparency_data` of Pillow fails on a PNG without its palette."""
    return "A" not in image.getbands() and "transparency" not in image.info


def shown_size(image: "Image") -> tuple[int, int]:
    """Return width and height of an open picture as browsers show it: turned as its EXIF orientation says."""
    from PIL.Image import Exif

    exif = Exif()
    if found := image.info.get("exif"):  # not `getexif`, which may unpack the pixels of a PNG
        exif.load(found)
    width, height = image.size
    return (height, width) if exif.get(_ORIENTATION) in _TURNED else (width, height)
