"""Pictures in the text of a post in a letter: their width, sources of twice the size, and links."""

import re
from collections.abc import Callable
from typing import Any

from feeds.core.newsletters.pictures import COLUMN, THUMBNAIL, Picture
from feeds.core.posts.markdown import absolute_url

#: Only so many digits of a width are read; Python refuses numbers of more than 4300.
_MAX_DIGITS = 5
#: The space that one of these takes from the column, in pixels.
_INDENTS = {"li": 32, "blockquote": 19, "dd": 40}
#: The space between two cells.
_CELL = 12
#: A picture that is alone in one of these is a figure, not a sign in a line.
_BLOCKS = frozenset({"body", "p", "div", "section", "article", "td", "th", "li", "blockquote", "center"})
#: A source and its density or width (https://html.spec.whatwg.org/#srcset-attributes).
_SOURCE = re.compile(r"([^\s,]\S*+)(?:\s++(\d{1,5}(?:\.\d{1,3})?)([wx]))?")
_TWICE = 2


def double_sources(images: Any, base: str) -> dict[str, str]:
    """Return the address of the source of twice the size in the `srcset` of pictures, by that in `src`."""
    found = {}
    for image in images:
        src = absolute_url(image.get("src", ""), base)
        double = _double_source(image.get("srcset") or image.get("data-srcset") or "")
        url = absolute_url(double, base) if double else None
        if src and url and url != src and url.startswith(("http://", "https://")):
            found[src] = url.replace(" ", "%20")
    return found


def _double_source(srcset: str) -> str:
    """Return the first source with twice the pixels, or at least twice the column's width; empty without one."""
    sources = sorted((float(size), unit, url) for url, size, unit in _SOURCE.findall(srcset) if size)
    least = {"x": _TWICE, "w": _TWICE * COLUMN}
    return next((url for size, unit, url in sources if size >= least[unit]), "")


def style_picture(image: Any, find_picture: Callable[[str], Picture], muted: str) -> None:
    """Give a picture an alternative text, its width within the column, and a link to the picture in full size.

    It gets no height, which Outlook on Windows would keep when a picture shrinks. A picture of unknown size has the
    width of the column in Outlook only, which reads the attribute before the style, if it is alone in its block.
    """
    if not image.get("src", "").startswith(("http://", "https://")):  # data: would make the letter too long
        _replace_with_text(image)
        return
    picture, declared = find_picture(image.get("src")), pixel_width(image.get("width", ""))
    for name in ("width", "height", "srcset", "sizes", "align"):
        image.attrib.pop(name, None)
    room = _room(image)
    width = _shown_width(declared, picture, room)
    is_bounded = width is None and _is_figure(image)
    image.set("src", picture.url)
    image.set("alt", image.get("alt", ""))
    if picture.srcset:
        image.set("srcset", picture.srcset)
    if width is not None or is_bounded:
        image.set("width", str(width or room))
    if picture.is_opaque:
        image.set("class", "o")
    size = _size_style(width, is_bounded=is_bounded)
    image.set("style", f"{size};height:auto;border:0;font-size:14px;line-height:1.4;color:{muted}")
    if image.get("alt").strip() and (width is None or width >= THUMBNAIL):
        _link(image, picture.full_url)


def _size_style(width: int | None, *, is_bounded: bool) -> str:
    """Return how wide a picture is: as its place, up to *width*, also where pictures are off.

    `max-width:100%` alone would not let a picture that is off be narrower than its attribute `width`.
    """
    if width is not None:
        return f"width:100%;max-width:{width}px"
    return "width:auto;max-width:100%" if is_bounded else "max-width:100%"


def _replace_with_text(image: Any) -> None:
    alt = image.get("alt", "")
    image.attrib.clear()
    image.tag, image.text = "span", alt


def _shown_width(declared: int | None, picture: Picture, room: int) -> int | None:
    """Return the width in pixels at which a picture is shown; None if neither the post nor a file has it."""
    width = declared or picture.width
    return None if width is None else max(1, min(width, room))


def pixel_width(text: str) -> int | None:
    """Return a width in pixels, at most that of the column; None if *text* is not a number, such as `100%`."""
    if not text.isdecimal():
        return None
    return min(int(text[:_MAX_DIGITS]), COLUMN)


def _room(image: Any) -> int:
    """Return the width in pixels that the place of a picture has, inside of lists, quotations and tables."""
    room = COLUMN
    for element in reversed(list(image.iterancestors())):
        room -= _INDENTS.get(element.tag, 0)
        if element.tag == "tr":
            room = room // max(1, len(element)) - _CELL
    return max(room, _CELL)


def _is_figure(image: Any) -> bool:
    """Return whether a picture, or the link around it, is alone in its block."""
    parent = image.getparent()
    around = parent if parent.tag == "a" else image
    beside = (around.getparent().text, around.tail, image.tail)
    return around.getparent().tag in _BLOCKS and not any((text or "").strip() for text in beside)


def _link(image: Any, url: str) -> None:
    """Put a picture that is not in a link into one."""
    from lxml.html import Element

    if next(image.iterancestors("a"), None) is not None:
        return
    link = Element("a", href=url, style="text-decoration:none")
    link.tail, image.tail = image.tail, None
    image.getparent().replace(image, link)
    link.append(image)
