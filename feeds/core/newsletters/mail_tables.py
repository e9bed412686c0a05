"""Tables of a post in a letter: aligned as in the post, and on a phone a table or cards.

On a phone, up to four narrow columns stay a table. The rows of a wider one become cards: the first value is the title,
and each other one is after the head of its column. A style sheet shows these heads: where a mail program drops it, or
on a wide screen, they are hidden, also to screen readers, and the table stays one. They are elements, since Gmail and
Outlook.com do not know `::before` (https://www.caniemail.com/features/css-pseudo-element-before/).
"""

import re
from collections.abc import Sequence
from itertools import chain, repeat
from typing import Any, NamedTuple

from feeds.core.newsletters.text_tables import own_rows
from feeds.core.posts.text import display_width

#: On a phone, a table with more columns becomes cards.
_MAX_NARROW_COLUMNS = 4
#: In pixels: a letter's column on a phone of 375 and on a wide screen, and the space between two cells.
_PHONE, _COLUMN, _GAP = 335, 600, 12
#: In pixels: the size of the text of a table with few columns and of one with many, and about the width of a character.
_LARGE, _SMALL, _CHARACTER = 16, 14, {16: 9, 14: 8}
#: In characters: a cell with more wraps, if its words allow it.
_WRAPPED = 12
#: Quantities, dates, times and ranges, with a sign, currency or unit: `−1 234,5 €`, `US$ 5`, `12:30`, `3万人`.
_NUMBER = re.compile(r"(?:[^\W\d]{0,3}[^\w]{0,3})\d[\d\s.,:'’/·–−‐-]*(?:\s?[^\s\d]{1,4}(?!\S)){0,2}")
_LONGEST_NUMBER = 24
#: In characters: a longer word, such as an address, may break in a place of its own choice, so that it fits a phone.
_LONGEST_WORD = 30
#: A word in bold or capitals is wider than its number of characters says, by this part at most.
_SPARE = 1.25
#: Characters between which a line never ends.
_UNBROKEN = re.compile(r"[\d.,]+")
#: A table of one row has no head.
_FEWEST_ROWS = 2
_SPANS = ("colspan", "rowspan")
_SIDES = frozenset({"left", "right", "center"})
#: The cell that mrml writes around has `word-break:break-word`, which would let columns be narrower than their words.
_TABLE = "width:100%;margin:0 0 16px;border-collapse:collapse;word-break:normal;overflow-wrap:break-word"
#: Outlook on Windows does not hide every element with `display:none`.
_HIDDEN = "display:none;mso-hide:all"


#: The class of a table that becomes cards, and the attribute as it is written.
_CARDS_CLASS = "s"
CARDS = f'class="{_CARDS_CLASS}"'


class _Width(NamedTuple):
    """The widths of a column in characters: of its longest number, word, and cell on one line."""

    number: int
    word: int
    line: int


class _Breaks(NamedTuple):
    """From which length on words may break, in characters: on a phone, and also in a letter on a wide screen."""

    phone: int
    always: int
    #: The width of a character in pixels.
    character: int


def style_table(table: Any, *, start: str, rule: str) -> None:
    """Style a table and its own cells, not those of a table inside; *start* is the side where lines start.

    *rule* is the colour of lines. Alignments are those in the attributes `align`.
    """
    rows = own_rows(table)
    head = _head_row(table, rows)
    widths = [_column_width(cells) for cells in _columns(rows)]
    is_card = not _is_narrow(widths)
    size = _text_size(widths)
    character = _CHARACTER[size]
    breaks = _Breaks(_longest_word(widths, character, _PHONE), _longest_word(widths, character, _COLUMN), character)
    table.set("style", f"{_TABLE};font-size:{size}px")
    for row in rows:
        row.set("valign", "top")
        row.set("align", start)
        for cell in _cells(row):
            _style_cell(cell, start, rule, breaks)
            if cell.tag == "th" and not cell.get("scope"):
                cell.set("scope", "col" if row.getparent().tag == "thead" else "row")
    if is_card:
        _make_cards(table, rows, head)


def _head_row(table: Any, rows: Sequence[Any]) -> Any:
    """Return the last row of `thead` or, without one, a first row that has only `th`; None if there is neither."""
    found = [row for row in rows if row.getparent().tag == "thead"]
    if found:
        return found[-1]
    if len(rows) < _FEWEST_ROWS or {cell.tag for cell in _cells(rows[0])} != {"th"}:
        return None
    _move_into_head(table, rows[0])
    return rows[0]


def _cells(row: Any) -> list[Any]:
    return list(row.iterchildren("td", "th"))


def _move_into_head(table: Any, row: Any) -> None:
    from lxml.html import Element

    head = Element("thead")
    head.append(row)
    table.insert(1 if len(table) and table[0].tag == "caption" else 0, head)


def _columns(rows: Sequence[Any]) -> list[list[str]]:
    """Return the texts of the cells of each column."""
    columns: list[list[str]] = []
    for row in rows:
        for number, cell in enumerate(_cells(row)):
            if number == len(columns):
                columns.append([])
            columns[number].append(_text(cell))
    return columns


def _text(cell: Any) -> str:
    return " ".join(cell.text_content().split())


def _column_width(texts: Sequence[str]) -> _Width:
    numbers = (display_width(text) for text in texts if _is_number(text))
    return _Width(max(numbers, default=0), max(map(_word_width, texts)), max(map(display_width, texts)))


def _word_width(text: str) -> int:
    """Return the width of the longest part that has no place for a line break; text in CJK breaks anywhere."""
    if _is_number(text):
        return display_width(text)
    return max((len(word) if display_width(word) == len(word) else 2 for word in text.split()), default=0)


def _is_narrow(widths: Sequence[_Width]) -> bool:
    return len(widths) <= _MAX_NARROW_COLUMNS and (len(widths) == 1 or _readable_room(widths) <= _PHONE)


def _readable_room(widths: Sequence[_Width]) -> int:
    """Return the pixels at which the columns are easy to read on a phone."""
    return _room([max(one.word, min(one.line, _WRAPPED)) for one in widths], _CHARACTER[_LARGE])


def _room(columns: Sequence[int], character: int) -> int:
    """Return the pixels that columns of so many characters take."""
    return sum(columns) * character + _GAP * (len(columns) - 1)


def _text_size(widths: Sequence[_Width]) -> int:
    """Return the size of the text in pixels: the large one if the words of few columns then fit a phone."""
    is_large = _room([one.word for one in widths], _CHARACTER[_LARGE]) <= _PHONE
    return _LARGE if is_large and len(widths) <= _MAX_NARROW_COLUMNS else _SMALL


def _longest_word(widths: Sequence[_Width], character: int, room: int) -> int:
    """Return the length from which on words may break, so that the table is as wide as *room* at most.

    In the letter's column numbers break too, if nothing else helps, but on a phone never.
    """
    longest, least = _LONGEST_WORD, [one.number if room == _PHONE else 0 for one in widths]
    while longest > 1:
        columns = [max(number, min(one.word, longest)) for number, one in zip(least, widths, strict=True)]
        if _room(columns, character) <= room:
            break
        longest -= 1
    return longest


def _is_number(text: str) -> bool:
    return len(text) <= _LONGEST_NUMBER and _NUMBER.fullmatch(text) is not None


def _style_cell(cell: Any, start: str, rule: str, breaks: _Breaks) -> None:
    """Style a cell; where it is aligned as its row, it needs no attribute."""
    text, side = _text(cell), cell.attrib.pop("align", "").lower()
    parts = [f"padding:{_padding(cell, start)};border-bottom:1px solid {rule}"]
    if side in _SIDES and side != start:
        cell.set("align", side)
    if cell.tag == "th" or cell.get("align"):
        parts.append(f"text-align:{cell.get('align', start)}")
    if cell.tag == "th":
        parts.append("font-weight:700")
    parts += _break_styles(text, breaks)
    cell.set("style", ";".join(parts))


def _break_styles(text: str, breaks: _Breaks) -> list[str]:
    """Return the styles that let words break, or a number not.

    A word that may break gives its cell no width. The cell gets that of the longest word which may not break or, if
    words break on phones only, a width with which they do not break elsewhere.
    """
    word, is_number = _word_width(text), _is_number(text)
    if word > breaks.always:
        return [f"width:{breaks.always * breaks.character}px", "overflow-wrap:anywhere"]
    if is_number:
        return [] if _UNBROKEN.fullmatch(text) else ["white-space:nowrap"]
    if word > breaks.phone:
        return [f"width:{round(word * breaks.character * _SPARE)}px", "overflow-wrap:anywhere", "hyphens:auto"]
    return []


def _padding(cell: Any, start: str) -> str:
    """Return a padding with a gap to the next cell of the row, if there is one."""
    if cell.getnext() is None:
        return "8px 0"
    return f"8px 0 8px {_GAP}px" if start == "right" else f"8px {_GAP}px 8px 0"


def _make_cards(table: Any, rows: Sequence[Any], head: Any) -> None:
    """Let the rows be blocks on a phone, titled by their first cells, and the others after the heads of their columns.

    Empty cells are hidden there. Where cells are merged, the column of a cell is not known, and the heads stay above
    the rows.
    """
    table.set("class", _CARDS_CLASS)
    names = [] if head is None else [_text(cell) for cell in _cells(head)]
    is_merged = any(cell.get(name, "1") != "1" for row in rows for cell in _cells(row) for name in _SPANS)
    if is_merged or not any(names):
        return
    head.getparent().set("class", "e")
    for row in (row for row in rows if row.getparent().tag != "thead"):
        first, *others = _cells(row)
        first.set("class", "e" if _is_empty(first) else "f")
        for cell, name in zip(others, chain(names[1:], repeat("")), strict=False):
            if _is_empty(cell):
                cell.set("class", "e")
            elif name:
                _insert_name(cell, name)


def _is_empty(cell: Any) -> bool:
    return not _text(cell) and cell.find(".//img") is None


def _insert_name(cell: Any, name: str) -> None:
    """Put *name* into the line of the value; the space in it is a place for a line break also if the value has none."""
    from lxml.html import Element

    label = Element("b", {"class": "h", "style": _HIDDEN})
    label.text, label.tail, cell.text = f"{name} ", cell.text, None
    cell.insert(0, label)
