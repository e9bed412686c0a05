"""Convert pictures to formats that all mail programs show."""

import io
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from feeds.edges.files.picture_files import DAMAGED, FORMATS
from feeds.errors import FeedsError
from feeds.model import PictureFile

if TYPE_CHECKING:
    from PIL.Image import Image

#: In pixels: twice the width of a letter's column.
MAX_WIDTH = 1200
#: Formats that not all mail programs show.
_UNSUPPORTED = frozenset({"WEBP", "AVIF"})
#: In pixels: a picture of more takes too much memory, and a damaged file may claim any number.
_MAX_PIXELS = 100_000_000
#: Of JPEG: differences are not seen, at half the bytes of 95.
_QUALITY = 85
#: In bytes: enough that two pictures of a letter never get the same name.
_DIGEST_SIZE = 6


class ConvertedPicture(NamedTuple):
    """A picture in another format or size."""

    content: bytes
    #: `JPEG` or `PNG`, and the suffix of its name.
    format: str
    suffix: str
    width: int
    height: int
    #: Of the file that it was made from.
    digest: str


def needs_conversion(file: PictureFile) -> bool:
    """Return whether a picture has a format that not all mail programs show, or is wider than `MAX_WIDTH`."""
    return file.format in _UNSUPPORTED or file.width > MAX_WIDTH


def convert_picture(file: PictureFile) -> ConvertedPicture | None:
    """Return a picture as JPEG, or as PNG if it has transparent parts or was one; None for an animated GIF.

    It is at most `MAX_WIDTH` wide, turned upright, in sRGB, and has no metadata, such as the place where it was taken.
    The same file always gives the same bytes with the same version of Pillow.

    Raises:
        FeedsError: the file cannot be read, is damaged, or has too many pixels.
    """
    try:
        modified = Path(file.path).stat().st_mtime_ns
    except OSError as e:
        raise FeedsError(f"{file.path}: cannot be read: {e.strerror or e}") from e
    return _convert(file, modified)


@lru_cache(maxsize=32)
def _convert(file: PictureFile, _modified: int) -> ConvertedPicture | None:
    from PIL import Image

    if file.width * file.height > _MAX_PIXELS:
        raise FeedsError(
            f"{file.path}: has {file.width:,} x {file.height:,} pixels and is not converted; make it smaller"
        )
    try:
        source = Path(file.path).read_bytes()
        with Image.open(io.BytesIO(source), formats=FORMATS) as image:
            if image.format == "GIF" and getattr(image, "is_animated", False):
                return None
            drawn = _draw(image)
            picture_format = "PNG" if image.format in {"PNG", "GIF"} or drawn.mode == "RGBA" else "JPEG"
    except (*DAMAGED, Image.DecompressionBombError) as e:
        raise FeedsError(f"{file.path}: cannot be converted: {e}; save the picture again") from e
    content = _encode(drawn, picture_format)
    digest = blake2b(source, digest_size=_DIGEST_SIZE).hexdigest()
    suffix = {"PNG": ".png", "JPEG": ".jpg"}[picture_format]
    return ConvertedPicture(content, picture_format, suffix, drawn.width, drawn.height, digest)


def _draw(image: "Image") -> "Image":
    """Return the pixels of a picture as readers see them: upright, in sRGB, with an alpha channel only if needed."""
    from PIL import Image, ImageOps

    profile = image.info.get("icc_profile")
    image.draft("RGB", (2 * MAX_WIDTH, 2 * MAX_WIDTH))  # a large JPEG is unpacked at a fraction of its size
    upright = ImageOps.exif_transpose(image)
    drawn = _to_srgb(upright, profile)
    if drawn.width > MAX_WIDTH:
        height = max(1, round(drawn.height * MAX_WIDTH / drawn.width))
        drawn = drawn.resize((MAX_WIDTH, height), Image.Resampling.LANCZOS)
    if drawn.mode == "RGBA" and drawn.getchannel("A").getextrema() == (255, 255):
        drawn = drawn.convert("RGB")
    drawn.info = {}
    return drawn


def _to_srgb(image: "Image", profile: bytes | None) -> "Image":
    """Return a picture as RGB or RGBA, its colours as its profile means them; a damaged profile is ignored."""
    from PIL import ImageCms

    mode = "RGBA" if image.has_transparency_data else "RGB"
    plain = image if image.mode in {"RGB", "RGBA", "CMYK", "L"} else image.convert(mode)
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            target = ImageCms.createProfile("sRGB")
            found = ImageCms.profileToProfile(plain, source, target, outputMode=mode)
        except (ImageCms.PyCMSError, OSError, ValueError):
            found = None
        if found is not None:
            return found
    return plain.convert(mode)


def _encode(image: "Image", picture_format: str) -> bytes:
    content = io.BytesIO()
    options = {"quality": _QUALITY, "progressive": True} if picture_format == "JPEG" else {}
    image.save(content, picture_format, optimize=True, **options)
    return content.getvalue()
