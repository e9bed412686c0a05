"""The addresses and sizes that pictures have in a letter."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from html import unescape
from urllib.parse import parse_qsl, unquote, urlsplit

from feeds.model import Post

#: The width of a letter's column, and of a thumbnail, in pixels.
COLUMN, THUMBNAIL = 600, 96
#: A thumbnail of a tall picture is not higher than this.
_THUMBNAIL_HEIGHT = 144
_FIRST_SOURCE = re.compile(r"<img\b[^>]*?\ssrc=[\"']([^\"']*)", re.IGNORECASE)
#: What is in the address of a picture of another size, and not in that of the original: of WordPress (`-300x200`), Hugo
#: (`_hu_0123456789abcdef`, `_hu0123456789abcdef_600x0_resize_q75`), Ghost (`/size/w600`) and screens (`@2x`).
_SIZE_IN_PATH = re.compile(
    r"-\d{2,4}x\d{2,4}(?=\.\w+$)|_hu_?[0-9a-f]{8,}[\w-]*(?=\.\w+$)|(?<=/)size/w\d+(?:h\d+)?/|@[23]x(?=\.)"
)
#: The parameters by which image servers make a picture of another size (Jetpack, imgix, Cloudinary, Contentful), and
#: those by which generators tell caches of a new version.
_SIZE_IN_QUERY = frozenset(
    {"w", "h", "width", "height", "fit", "resize", "dpr", "q", "quality", "auto", "fm", "format", "ssl", "strip"}
    | {"v", "ver", "version"}
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Picture:
    """A picture: its address in the letter, and its real size in pixels, None if it is not known."""

    url: str
    #: The address of the picture in full size, which the post has.
    full_url: str
    width: int | None = None
    height: int | None = None
    #: The address of the same picture with twice as many pixels a side; empty if there is none.
    url_2x: str = ""
    #: True if its file has no transparent parts; None if the file is not known.
    has_no_alpha: bool | None = None

    @property
    def is_opaque(self) -> bool:
        """True if the picture has no transparent parts, also by its name: JPEG knows none."""
        if self.has_no_alpha is None:
            return urlsplit(self.url).path.lower().endswith((".jpg", ".jpeg"))
        return self.has_no_alpha

    @property
    def srcset(self) -> str:
        """The value of the attribute `srcset`; empty without a second address."""
        return f"{self.url_2x} 2x" if self.url_2x else ""

    def fit(self, width: int, height: int | None = None) -> tuple[int, int] | None:
        """Return the size at which the whole picture fits into *width* and *height*, not enlarged; None if not known.

        Both are at least 1.
        """
        if self.width is None or self.height is None:
            return None
        scale = min(1.0, width / self.width, (height or self.height) / self.height)
        return max(1, round(self.width * scale)), max(1, round(self.height * scale))


def is_first_picture(url: str, html: str) -> bool:
    """Return whether the first picture of *html* is the one at *url*, or the same one in another size."""
    found = _FIRST_SOURCE.search(html)
    return found is not None and _original(unescape(found[1])) == _original(url)


def _original(url: str) -> object:
    """Return what the addresses of a picture in all its sizes have in common."""
    parts = urlsplit(url)
    query = sorted(pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] not in _SIZE_IN_QUERY)
    return parts.netloc.lower(), _SIZE_IN_PATH.sub("", unquote(parts.path)), query


#: Returns the picture that a letter shows for an address in a post, or in a text without a post (None).
FindPicture = Callable[[str, Post | None], Picture]


def as_written(url: str, _post: Post | None = None) -> Picture:
    """Return a picture of which only the address is known."""
    return Picture(url=url, full_url=url)


@dataclass(frozen=True, kw_only=True, slots=True)
class PictureView:
    """The lead image of a post as templates show it: its address, alternative text, and sizes in pixels.

    A size is that at which the whole picture is shown, in its own proportions and never enlarged, with `width` (the
    column) and `height` at most 600 and `thumbnail_width` at most 96; None if the size of the file is not known.
    """

    url: str
    alt: str
    width: int | None = None
    height: int | None = None
    thumbnail_width: int | None = None
    thumbnail_height: int | None = None
    #: For the attribute `srcset`, such as `https://example.com/a@2x.jpg 2x`; empty without a picture of twice the size.
    srcset: str = ""
    #: True if it has no transparent parts and needs no light ground in a dark scheme.
    is_opaque: bool = False


def picture_view(picture: Picture, alt: str) -> PictureView:
    """Return the view of a lead image."""
    width, height = picture.fit(COLUMN, COLUMN) or (None, None)
    thumbnail_width, thumbnail_height = picture.fit(THUMBNAIL, _THUMBNAIL_HEIGHT) or (None, None)
    return PictureView(
        url=picture.url,
        alt=alt,
        width=width,
        height=height,
        thumbnail_width=thumbnail_width,
        thumbnail_height=thumbnail_height,
        srcset=picture.srcset,
        is_opaque=picture.is_opaque,
    )
