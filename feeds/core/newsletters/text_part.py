"""Set the HTML of a post, a note or a sponsor as plain text, for the text part of a letter.

Code stays as it is; lists, quotations, headings and tables look as they do in Markdown. Links have numbers, and their
addresses stand at the end. All lines have at most `plaintext.WIDTH` cells, except where a word, an address or code is
longer.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from feeds.core.newsletters.headings import HEADINGS
from feeds.core.newsletters.plaintext import WIDTH, SetText, wrap_paragraph, wrap_text
from feeds.core.newsletters.text_links import LinkNumbers, is_address, link_address
from feeds.core.newsletters.text_tables import Cell, make_rows, own_rows, set_table
from feeds.core.posts.text import INLINE, WITHOUT_TEXT, display_width, join_lines, parse_html

#: A line break of the post. No HTML that was sanitised has this character.
_BREAK = "\x0b"
#: A text in a narrower column would be harder to read than one that is not indented.
_NARROWEST = 24
_CODE_INDENT = " " * 4
#: A cell that has one of these cannot stand in a column of a table.
_BLOCKS_IN_CELLS = ("table", "pre", "ul", "ol", "dl", "blockquote", "hr", *HEADINGS)
_RAISED = str.maketrans("0123456789+-=()n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿ")
_LOWERED = str.maketrans("0123456789+-=()", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎")
#: Content of `sup` and `sub` for which Unicode has characters; without them 10<sup>6</sup> would be 106.
_RAISABLE, _LOWERABLE = re.compile(r"[0-9+=()n-]*[0-9n][0-9+=()n-]*"), re.compile(r"[0-9+=()-]*[0-9][0-9+=()-]*")
#: What surrounds the text of an element.
_AROUND = {"del": ("~~", "~~"), "s": ("~~", "~~"), "strike": ("~~", "~~"), "q": ("“", "”"), "rt": ("(", ")")}
#: The text part may have three times as many words as the HTML; in the rest of a letter, both have some more.
_MOST_WORDS, _WORDS_AROUND = 2.5, 20
_NUMBER = re.compile(r"-?\d{1,9}")


def set_text(html: str, numbers: LinkNumbers, *, page: str, picture: str) -> tuple[SetText, ...]:
    """Return sanitised *html* as blocks of plain text, the last of them the addresses of its links.

    *numbers* are those of the links in all parts of the letter. A link to a place inside *html* has none; it begins
    with *page*, the URL of the post. *picture* says that there is a picture; `{alt}` in it is its description.
    """
    if not html:
        return ()
    root = parse_html(html)
    setter = _Setter(numbers=numbers, page=page, picture=picture, ids=_ids(root), levels=_levels(root))
    blocks = setter.blocks(root, WIDTH)
    if _has_too_many_words(blocks, root):
        blocks = replace(setter, wrap=wrap_paragraph).blocks(root, WIDTH)
    addresses = [[f"[{number}] {address}" for address, number in setter.used.items()]]
    return tuple(SetText("\n".join(lines)) for lines in [*blocks, *addresses] if lines)


def _has_too_many_words(blocks: list[list[str]], root: Any) -> bool:
    """Return whether SpamAssassin would report that the text part differs from the HTML (MPART_ALT_DIFF_COUNT).

    It takes what is between white space for a word, in a script without spaces each line, and compares the numbers of
    different words (`_multipart_alternative_difference` in its Plugin/BodyEval.pm).
    """
    in_text = {word for lines in blocks for line in lines for word in line.split()}
    in_html = {word for text in root.itertext() for word in text.split()}
    return len(in_text) > _MOST_WORDS * len(in_html) + _WORDS_AROUND


def _ids(root: Any) -> frozenset[str]:
    return frozenset(element.get(name) for element in root.iter() for name in ("id", "name") if element.get(name))


def _levels(root: Any) -> list[str]:
    """Return the names of the headings that occur, highest first."""
    return sorted({heading.tag for heading in root.iter(*HEADINGS)})


@dataclass(slots=True)
class _Flow:
    """The blocks of an element so far, and the text of the paragraph that is being read."""

    width: int
    wrap: Callable[[str, int], str]
    blocks: list[list[str]] = field(default_factory=list)
    parts: list[str] = field(default_factory=list)

    def end_paragraph(self) -> None:
        """Add the paragraph to the blocks, unless it is empty."""
        if any(map(str.strip, self.parts)):
            self.blocks.append(self._lines("".join(self.parts)))
        self.parts.clear()

    def add_number(self, number: int) -> None:
        """Append the number of a link, after a space unless there is one, or the text is Japanese or Chinese."""
        last = next((part for part in reversed(self.parts) if part), " ")[-1]
        is_joined = last.isspace() or display_width(last) > 1
        self.parts.append(f"[{number}]" if is_joined else f" [{number}]")

    def _lines(self, text: str) -> list[str]:
        """Return the lines of a paragraph; a `>` at the beginning of one is not the mark of a quotation."""
        joined = filter(None, map(join_lines, text.split(_BREAK)))
        lines = (line for part in joined for line in self.wrap(part, self.width).split("\n"))
        return [f" {line}" if line.startswith(">") else line for line in lines]


def _join(blocks: list[list[str]], *, spaced: bool = True) -> list[str]:
    """Return the lines of *blocks*, with an empty line between two of them if *spaced*."""
    lines: list[str] = []
    for n, block in enumerate(blocks):
        lines += ["", *block] if n and spaced else block
    return lines


def _indent(lines: list[str], first: str, others: str) -> list[str]:
    """Return *lines* with a mark before the first and before all others; an empty line ends without a space."""
    return [(f"{others if n else first}{line}").rstrip() for n, line in enumerate(lines)]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Setter:
    """Sets the elements of one part of a letter."""

    numbers: LinkNumbers
    page: str
    picture: str
    #: Places inside the text, by id.
    ids: frozenset[str]
    #: Names of the headings that occur.
    levels: list[str]
    wrap: Callable[[str, int], str] = wrap_text
    #: The addresses of this part, with their numbers.
    used: dict[str, int] = field(default_factory=dict)

    def blocks(self, element: Any, width: int) -> list[list[str]]:
        """Return the content of *element* as blocks, each a list of lines."""
        flow = _Flow(width, self.wrap)
        self.walk(element, flow)
        flow.end_paragraph()
        return flow.blocks

    def walk(self, element: Any, flow: _Flow) -> None:
        """Add the content of *element* to a flow."""
        flow.parts.append(element.text or "")
        for child in element:
            if isinstance(child.tag, str) and child.tag not in WITHOUT_TEXT:
                self._set(child, flow)
            flow.parts.append(child.tail or "")

    def _set(self, element: Any, flow: _Flow) -> None:
        if inline := _INLINE_SETTERS.get(element.tag):
            inline(self, element, flow)
        elif element.tag in INLINE:
            self.walk(element, flow)
        else:
            flow.end_paragraph()
            if block := _BLOCK_SETTERS.get(element.tag):
                flow.blocks += block(self, element, flow.width)
            else:
                self.walk(element, flow)
            flow.end_paragraph()


# Text -----------------------------------------------------------------------------------------------------------------


def _break(_setter: _Setter, _element: Any, flow: _Flow) -> None:
    flow.parts.append(_BREAK)


def _checkbox(_setter: _Setter, box: Any, flow: _Flow) -> None:
    flow.parts.append("[x] " if box.get("checked") is not None else "[ ] ")


def _image(setter: _Setter, image: Any, flow: _Flow) -> None:
    if alt := (image.get("alt") or "").strip():
        flow.parts.append(f"[{setter.picture.format(alt=alt)}]")


def _surrounded(setter: _Setter, element: Any, flow: _Flow) -> None:
    """Set text with marks around it; a reading has none where the post has parentheses around it."""
    before, after = _AROUND[element.tag]
    if element.tag == "rt" and element.getparent().find("rp") is not None:
        before = after = ""
    flow.parts.append(before)
    setter.walk(element, flow)
    flow.parts.append(after)


def _raised(setter: _Setter, element: Any, flow: _Flow) -> None:
    pattern, characters = (_RAISABLE, _RAISED) if element.tag == "sup" else (_LOWERABLE, _LOWERED)
    text = "".join(element.itertext()).strip()
    if pattern.fullmatch(text) and all(_is_inside(setter, link) for link in element.iter("a")):
        flow.parts.append(text.translate(characters))
    else:
        setter.walk(element, flow)


def _is_inside(setter: _Setter, link: Any) -> bool:
    """Return whether a link leads to a place in this text."""
    page, mark, fragment = (link.get("href") or "").partition("#")
    return bool(mark) and page == setter.page and fragment in setter.ids


def _link(setter: _Setter, link: Any, flow: _Flow) -> None:
    label, address = "".join(link.itertext()).strip(), link_address(link.get("href") or "")
    if _is_inside(setter, link):
        if any(map(str.isalnum, label)):  # else it is an arrow back from a footnote
            setter.walk(link, flow)
    elif not address or is_address(label, address):
        setter.walk(link, flow)
    else:
        _numbered_link(setter, link, label, address, flow)


def _numbered_link(setter: _Setter, link: Any, label: str, address: str, flow: _Flow) -> None:
    """Set a link with a number; of a link with text and pictures only the text, which says what it is."""
    alts = [(image.get("alt") or "").strip() for image in link.iter("img")]
    if label:
        _remove_images(link)
    elif not any(alts):
        flow.parts += [address] if alts else []  # else it is an anchor
        return
    setter.walk(link, flow)
    setter.used[address] = setter.numbers.number(address)
    flow.add_number(setter.used[address])


# Blocks ---------------------------------------------------------------------------------------------------------------


def _code(_setter: _Setter, pre: Any, _width: int) -> list[list[str]]:
    for line_break in pre.iter("br"):
        line_break.text = "\n"
    lines = "".join(pre.itertext()).strip("\n").split("\n")
    return [_indent(lines, _CODE_INDENT, _CODE_INDENT)] if any(map(str.strip, lines)) else []


def _heading(setter: _Setter, heading: Any, width: int) -> list[list[str]]:
    lines = _join(setter.blocks(heading, width), spaced=False)
    underline = "-" if heading.tag == setter.levels[0] else "~"
    return [[*lines, underline * min(width, max(map(display_width, lines)))]] if lines else []


def _quotation(setter: _Setter, quotation: Any, width: int) -> list[list[str]]:
    is_wide = width - len("> ") >= _NARROWEST
    lines = _join(setter.blocks(quotation, width - len("> ") if is_wide else width))
    return [_indent(lines, "> ", "> ") if is_wide else lines] if lines else []


def _list(setter: _Setter, element: Any, width: int) -> list[list[str]]:
    is_loose = any(item.find("p") is not None for item in element.iterchildren("li"))
    items = [_item(setter, item, mark, width, is_loose=is_loose) for item, mark in _marked_items(element)]
    return [_join(items, spaced=is_loose)] if items else []


def _item(setter: _Setter, item: Any, mark: str, width: int, *, is_loose: bool) -> list[str]:
    inner = width - len(mark)
    if inner < _NARROWEST:
        return [mark.rstrip(), *_join(setter.blocks(item, width), spaced=is_loose)]
    lines = _join(setter.blocks(item, inner), spaced=is_loose)
    return _indent(lines or [""], mark, " " * len(mark))


def _definitions(setter: _Setter, element: Any, width: int) -> list[list[str]]:
    """Return the terms, each with its explanations below it."""
    groups: list[list[str]] = []
    is_after_term = False
    for child in element.iter("dt", "dd"):
        if child.getparent() is not element and child.getparent().getparent() is not element:
            continue  # of a list inside this one
        lines = _definition(setter, child, width)
        if groups and (child.tag == "dd" or is_after_term):
            groups[-1] += lines
        else:
            groups.append(lines)
        is_after_term = child.tag == "dt"
    return [group for group in groups if group]


def _definition(setter: _Setter, element: Any, width: int) -> list[str]:
    if element.tag == "dt" or width - len(_CODE_INDENT) < _NARROWEST:
        return _join(setter.blocks(element, width))
    return _indent(_join(setter.blocks(element, width - len(_CODE_INDENT))), _CODE_INDENT, _CODE_INDENT)


def _rule(_setter: _Setter, _element: Any, _width: int) -> list[list[str]]:
    return [["* * *"]]


def _table(setter: _Setter, table: Any, width: int) -> list[list[str]]:
    captions = [block for caption in table.iterchildren("caption") for block in setter.blocks(caption, width)]
    rows = own_rows(table)
    if max(map(len, rows), default=0) <= 1 or next(table.iterdescendants(*_BLOCKS_IN_CELLS), None) is not None:
        return [*captions, *(block for row in rows for cell in row for block in setter.blocks(cell, width))]
    return [*captions, *set_table(make_rows(rows, partial(_cell, setter)), width)]


def _cell(setter: _Setter, cell: Any) -> Cell:
    """Return a cell with its text in one line."""
    text = " ".join(line for block in setter.blocks(cell, _UNLIMITED) for line in block)
    return Cell(text, cell.get("align") or "left", is_head=cell.tag == "th")


def _footnotes(setter: _Setter, section: Any, width: int) -> list[list[str]]:
    """Return a section; comrak writes one for the footnotes, with nothing but a list, whose numbers are raised."""
    if [child.tag for child in section] != ["ol"]:
        return setter.blocks(section, width)
    items = enumerate(section[0].iterchildren("li"), 1)
    return [_item(setter, item, f"{str(n).translate(_RAISED)} ", width, is_loose=True) for n, item in items]


#: In cells; no line of a cell is broken.
_UNLIMITED = 1_000_000_000


def _remove_images(link: Any) -> None:
    """Remove the images of a link, and the line break after each."""
    for image in list(link.iter("img")):
        following = image.getnext()
        if following is not None and following.tag == "br" and not (image.tail or "").strip():
            following.drop_tree()
        image.drop_tree()


def _marked_items(element: Any) -> Iterator[tuple[Any, str]]:
    """Yield the items of a list with their marks; a list inside another without an item is an item without a mark."""
    items = [child for child in element if isinstance(child.tag, str)]
    if element.tag != "ol":
        yield from ((item, "- " if item.tag == "li" else "  ") for item in items)
        return
    is_reversed = element.get("reversed") is not None
    number = _number(element.get("start"), len(items) if is_reversed else 1)
    for item in items:
        number = _number(item.get("value"), number)
        yield item, f"{number}. "
        number += -1 if is_reversed else 1


def _number(written: str | None, default: int) -> int:
    found = _NUMBER.fullmatch((written or "").strip())
    return int(found[0]) if found else default


_INLINE_SETTERS: dict[str, Callable[[_Setter, Any, _Flow], None]] = {
    "a": _link,
    "br": _break,
    "img": _image,
    "input": _checkbox,
    "sup": _raised,
    "sub": _raised,
    **dict.fromkeys(_AROUND, _surrounded),
}
_BLOCK_SETTERS: dict[str, Callable[[_Setter, Any, int], list[list[str]]]] = {
    "pre": _code,
    "blockquote": _quotation,
    "ul": _list,
    "ol": _list,
    "dl": _definitions,
    "hr": _rule,
    "table": _table,
    "section": _footnotes,
    **dict.fromkeys(HEADINGS, _heading),
}
