"""The addresses and sizes that pictures have in a letter."""

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from feeds.model import Post

#: The width of a letter's column, and of a thumbnail, in pixels.
COLUMN, THUMBNAIL = 600, 96
#: A thumbnail of a tall picture is not higher than this.
_THUMBNAIL_HEIGHT = 144


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
