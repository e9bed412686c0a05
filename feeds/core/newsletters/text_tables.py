"""Set a table as plain text: in aligned columns where they fit, else each row as lines `Head: value`."""

from collections.abc import Callable, Sequence
from itertools import zip_longest
from typing import Any, NamedTuple

from feeds.core.newsletters.plaintext import wrap_text
from feeds.core.posts.text import display_width

_GAP = "  "
#: A cell that spans more columns spans so many.
_MOST_COLUMNS = 20
_MOST_DIGITS = 4


class Cell(NamedTuple):
    """One cell of a table."""

    #: In one line.
    text: str
    #: `left`, `center` or `right`.
    align: str = "left"
    is_head: bool = False


_EMPTY = Cell("")


def own_rows(table: Any) -> list[Any]:
    """Return the rows of a table, without those of a table inside it."""
    return [row for row in table.iter("tr") if next(row.iterancestors("table")) is table]


def make_rows(rows: Sequence[Any], read: Callable[[Any], Cell]) -> list[list[Cell]]:
    """Return the cells of *rows*, elements of a tree; where a cell spans rows or columns, empty ones follow it."""
    found: list[list[Cell]] = []
    #: Column -> number of rows below that a cell reaches into.
    spans: dict[int, int] = {}
    for row in rows:
        cells: list[Cell] = []
        for element in row.iterchildren("td", "th"):
            _fill(cells, spans)
            columns, below = _span(element, "colspan"), _span(element, "rowspan") - 1
            spans.update(dict.fromkeys(range(len(cells), len(cells) + columns), below) if below else {})
            cells += [read(element), *[_EMPTY] * (columns - 1)]
        found.append(cells)
    return found


def _fill(cells: list[Cell], spans: dict[int, int]) -> None:
    """Add empty cells where one of a row above reaches into this row."""
    while spans.get(len(cells), 0):
        spans[len(cells)] -= 1
        cells.append(_EMPTY)


def _span(element: Any, name: str) -> int:
    written = (element.get(name) or "").strip()
    return max(1, min(int(written[:_MOST_DIGITS]), _MOST_COLUMNS)) if written.isdecimal() else 1


def set_table(rows: Sequence[Sequence[Cell]], width: int) -> list[list[str]]:
    """Return a table as blocks, each a list of lines of at most *width* cells."""
    widths = [max(map(_cell_width, column)) for column in zip_longest(*rows)] if _may_fit(rows, width) else [width + 1]
    if sum(widths) + len(_GAP) * (len(widths) - 1) <= width:
        return [_set_columns(rows, widths)]
    return _set_values(rows, width)


def _may_fit(rows: Sequence[Sequence[Cell]], width: int) -> bool:
    """Return whether no row alone is too wide; else the columns are not measured, since there may be thousands."""
    return all(len(row) * len(_GAP) <= width for row in rows)


def _cell_width(cell: Cell | None) -> int:
    return display_width(cell.text) if cell else 0


def _head_size(rows: Sequence[Sequence[Cell]]) -> int:
    """Return the number of rows at the top that have only heads."""
    size = 0
    while size < len(rows) and rows[size] and all(cell.is_head or cell is _EMPTY for cell in rows[size]):
        size += 1
    return size


def _set_columns(rows: Sequence[Sequence[Cell]], widths: Sequence[int]) -> list[str]:
    lines = [_set_row(row, widths) for row in rows]
    head = _head_size(rows)
    rule = [_GAP.join("-" * width for width in widths)] if 0 < head < len(rows) else []
    return [*lines[:head], *rule, *lines[head:]]


def _set_row(row: Sequence[Cell], widths: Sequence[int]) -> str:
    return _GAP.join(_align(cell, width) for cell, width in zip(row, widths, strict=False)).rstrip()


def _align(cell: Cell, width: int) -> str:
    space = width - display_width(cell.text)
    before = {"right": space, "center": space // 2}.get(cell.align, 0)
    return f"{' ' * before}{cell.text}{' ' * (space - before)}"


def _set_values(rows: Sequence[Sequence[Cell]], width: int) -> list[list[str]]:
    """Return a block for each row, with a line for each cell that is not empty."""
    head = _head_size(rows)
    heads = [cell.text for cell in rows[head - 1]] if 0 < head < len(rows) else []
    shown = [*rows[: head - 1], *rows[head:]] if heads else rows
    blocks = ([line for text in _values(row, heads) for line in _hang(text, width)] for row in shown)
    return [block for block in blocks if block]


def _values(row: Sequence[Cell], heads: Sequence[str]) -> list[str]:
    named = zip_longest(row, heads[: len(row)], fillvalue="")
    return [_value(cell.text, head) for cell, head in named if isinstance(cell, Cell) and cell.text]


def _value(text: str, head: object) -> str:
    name = str(head).rstrip(":：")
    return f"{name}: {text}" if name else text


def _hang(text: str, width: int) -> list[str]:
    """Return the lines of a value; all but the first are indented."""
    first, *others = wrap_text(text, width - len(_GAP)).split("\n")
    return [first, *(f"{_GAP}{line}" for line in others)]
