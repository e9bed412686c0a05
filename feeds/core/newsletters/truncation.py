"""Truncate the HTML of a post to the size that mail programs show."""

import re
from collections.abc import Iterator
from html import escape, unescape
from typing import Any

from feeds.core.newsletters.headings import HEADINGS
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
#: In bytes; a longer row of a table is cut inside of its cells.
_LONGEST_ROW = 2000
#: A sentence that ends so introduces what is after it.
_COLONS = (":", "\uff1a")
_CELLS = ("td", "th")
_BOXES = frozenset({"div", "section", "article"})
#: What a letter has and the post has not: the boxes of tasks, and the names before the values of a table's cards.
_BOX, _NAME_CLASS = frozenset("☐☑"), "h"


def truncate_blocks(html: str, max_bytes: int) -> tuple[str, bool]:
    """Return the beginning of *html* that fits into *max_bytes*, and whether anything was left out.

    It ends between two blocks, unless that would leave more than half of the room empty: then it ends inside the block
    that does not fit, between two words or rows of a table. It does not end with a heading, or with a
    sentence that ends with a colon.
    """
    if len(html.encode()) <= max_bytes:
        return html, False
    kept: list[Any] = []
    room = max_bytes
    for block in split_blocks(parse_html(html)):
        if _size(block) > room:
            if room > max_bytes // 2 and _tags_size(block) < room:
                _truncate(block, room)
                kept.append(block)
            break
        kept.append(block)
        room -= _size(block)
    _drop_introductions(kept)
    return "".join(map(_to_html, kept)).strip(), True


def truncate_alike(html: str, shortened: str) -> str:
    """Return the beginning of a post's HTML that ends where *shortened* does: a truncated letter made from it."""
    blocks, kept = list(split_blocks(parse_html(html))), list(split_blocks(parse_html(shortened)))
    del blocks[len(kept) :]
    if kept:
        _keep_letters(blocks[-1], sum(map(_count_letters, _shared_texts(kept[-1]))) - _ends_cut(kept[-1]))
    return "".join(map(_to_html, blocks)).strip()


def _shared_texts(block: Any) -> Iterator[str]:
    """Yield the texts of a block of a letter that the post has too."""
    for element in block.iter():
        is_name = element.get("class") == _NAME_CLASS if isinstance(element.tag, str) else True
        if not is_name:
            yield element.text or ""
        if element is not block:
            yield element.tail or ""


def _count_letters(text: str) -> int:
    return sum(not (character.isspace() or character in _BOX) for character in text)


def _ends_cut(block: Any) -> int:
    """Return the number of characters that truncating has added to a block."""
    return int("".join(_shared_texts(block)).rstrip().endswith(_ELLIPSIS))


def _keep_letters(block: Any, letters: int) -> None:
    """Remove from a block what is behind so many characters that are not white space."""
    from lxml.etree import iterwalk

    for event, element in iterwalk(block, events=("start", "end")):
        place = "text" if event == "start" else "tail"
        if element is block and place == "tail":
            return
        text = getattr(element, place) or "" if isinstance(element.tag, str) or place == "tail" else ""
        number = _count_letters(text)
        if number > letters:
            break
        letters -= number
    _remove_behind(block, element, place)
    setattr(element, place, _first_letters(text, letters) + _ELLIPSIS if letters else "")
    _drop_empty_end(block)


def _first_letters(text: str, number: int) -> str:
    at = 0
    while number:
        number -= _count_letters(text[at])
        at += 1
    return text[:at]


def _drop_introductions(blocks: Any) -> None:
    """Remove from the end of some blocks what introduces a block that is left out, also inside of boxes."""
    while len(blocks):
        last = blocks[-1]
        if last.tag in _BOXES and len(last) and not (last.tail or "").strip():
            _drop_introductions(last)
        text = last.text_content().strip() if isinstance(last.tag, str) else ""
        is_empty = not text and last.find(".//img") is None and last.tag not in {"img", "hr", "br"}
        is_introduction = last.tag in HEADINGS or (last.tag == "p" and text.endswith(_COLONS))
        if (last.tail or "").strip() or not (is_empty or is_introduction):
            return
        del blocks[-1]


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
        room -= _new_tags_size(element) if event == "start" else 0
        text = getattr(element, place) or ""
        if _text_size(text) > room:
            break
        room -= _text_size(text)
    row = _short_row(element)
    _remove_behind(block, element, place)
    if row is not None:
        row.getparent().remove(row)
    elif room < 0:  # not even its tags fit
        element.getparent().remove(element)
    else:
        setattr(element, place, _truncate_text(text, room))


def _new_tags_size(element: Any) -> int:
    """Return the size of the tags of an element; those of a row include those of its cells, which it never loses."""
    if element.tag in _CELLS and element.getparent() is not None and element.getparent().tag == "tr":
        return 0
    cells = element.iterchildren(*_CELLS) if element.tag == "tr" else ()
    return _tags_size(element) + sum(map(_tags_size, cells))


def _short_row(element: Any) -> Any:
    """Return the outermost row around an element if it is short and below another one; None without such a row."""
    rows = [one for one in (element, *element.iterancestors()) if one.tag == "tr"]
    row = rows[-1] if rows else None
    if row is None or _size(row) > _LONGEST_ROW:
        return None
    table = next(row.iterancestors("table"), None)
    return row if table is not None and next(table.iter("tr")) is not row else None


def _remove_behind(block: Any, element: Any, place: str) -> None:
    """Remove what is behind the text, or the tail, of an element."""
    if place == "text":
        del element[:]
        element.tail = None
    while element is not block:
        parent = element.getparent()
        behind = parent[parent.index(element) + 1 :]
        for other in behind:
            if parent.tag == "tr" and other.tag in _CELLS:
                _empty(other)
            else:
                parent.remove(other)
        element = parent
        element.tail = None


def _empty(cell: Any) -> None:
    del cell[:]
    cell.text = cell.tail = None


def _drop_empty_end(block: Any) -> None:
    """Remove the last items, rows and paragraphs of a block that have no text."""
    last = block
    while len(last):
        last = last[-1]
    while last is not block and not last.text_content().strip() and last.tag not in {"img", "br", "hr", "input"}:
        parent = last.getparent()
        if (last.tail or "").strip() or (last.tag in _CELLS and parent.text_content().strip()):
            return
        parent.remove(last)
        last = parent if not len(parent) else parent[-1]


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
