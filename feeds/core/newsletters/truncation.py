"""Truncate the HTML of a post to the size that mail programs show."""

import re
from collections.abc import Iterator
from html import escape, unescape
from typing import Any

from feeds.core.posts.text import parse_html

#: A reference that `escape` wrote, cut in the middle.
_PART_OF_REFERENCE = re.compile(r"&\w{0,3}\Z")
#: A text ends between words, if they are not longer than this.
_LAST_WORD = re.compile(r"\s\S{0,60}\Z")
_ELLIPSIS = "…"
#: Regional indicators (Unicode Standard Annex 29, rules GB12 and GB13).
_FLAG_LETTERS = "".join(map(chr, range(0x1F1E6, 0x1F200)))
#: In code points; a longer one is cut.
_LONGEST_CHARACTER = 64


def truncate_blocks(html: str, max_bytes: int) -> tuple[str, bool]:
    """Return the beginning of *html* that fits into *max_bytes*, and whether anything was left out.

    It ends between two blocks, unless that would leave more than half of the room empty: then it ends inside the block
    that does not fit, between two words.
    """
    if len(html.encode()) <= max_bytes:
        return html, False
    kept: list[str] = []
    room = max_bytes
    for block in split_blocks(parse_html(html)):
        if _size(block) > room:
            if room > max_bytes // 2 and _tags_size(block) < room:
                _truncate(block, room)
                kept.append(_to_html(block))
            break
        kept.append(_to_html(block))
        room -= _size(block)
    return "".join(kept).strip(), True


def split_blocks(root: Any) -> Iterator[Any]:
    """Yield the blocks of a body; text outside of a block becomes a paragraph."""
    from lxml.html import Element

    if root.text and root.text.strip():
        block = Element("p")
        block.text = root.text
        yield block
    for child in root:
        tail, child.tail = child.tail, None
        yield child
        if tail and tail.strip():
            block = Element("p")
            block.text = tail
            yield block


def _truncate(block: Any, room: int) -> None:
    """Remove from a block what is behind so many bytes of its HTML."""
    from lxml.etree import iterwalk

    for event, element in iterwalk(block, events=("start", "end")):
        place = "text" if event == "start" else "tail"
        room -= _tags_size(element) if event == "start" else 0
        text = getattr(element, place) or ""
        if _text_size(text) > room:
            break
        room -= _text_size(text)
    _remove_behind(block, element, place)
    if room < 0:  # not even its tags fit
        element.getparent().remove(element)
    else:
        setattr(element, place, _truncate_text(text, room))


def _remove_behind(block: Any, element: Any, place: str) -> None:
    """Remove what is behind the text, or the tail, of an element."""
    if place == "text":
        del element[:]
        element.tail = None
    while element is not block:
        parent = element.getparent()
        del parent[parent.index(element) + 1 :]
        element = parent
        element.tail = None


def _truncate_text(text: str, room: int) -> str:
    """Return as much of a text as fits, and an ellipsis."""
    cut = escape(text, quote=False).encode()[: max(0, room - len(_ELLIPSIS.encode()))].decode(errors="ignore")
    whole = _without_last_character(unescape(_PART_OF_REFERENCE.sub("", cut)))
    kept = _LAST_WORD.sub("", whole).rstrip()
    return kept + _ELLIPSIS if kept else ""


def _without_last_character(text: str) -> str:
    """Return a text without its last character as readers see it, which may be cut.

    In a whole text this would take time that grows with the square of a row of flags, which are two letters each.
    """
    import regex

    flags = len(text) - len(text.rstrip(_FLAG_LETTERS))
    if flags:
        return text[: -2 + flags % 2]
    return text[:-_LONGEST_CHARACTER] + str(regex.sub(r"\X\Z", "", text[-_LONGEST_CHARACTER:]))


def _to_html(element: Any) -> str:
    from lxml.html import tostring

    return str(tostring(element, encoding="unicode", method="html"))


def _size(element: Any) -> int:
    return len(_to_html(element).encode())


def _tags_size(element: Any) -> int:
    """Return the size of the tags of an element. lxml leaves out the end tag of some if they are empty."""
    from lxml.html.defs import empty_tags

    tags, end = _to_html(element.makeelement(element.tag, element.attrib)), f"</{element.tag}>"
    is_whole = element.tag in empty_tags or tags.endswith(end)
    return len(tags.encode()) + (0 if is_whole else len(end))


def _text_size(text: str) -> int:
    return len(escape(text, quote=False).encode())
