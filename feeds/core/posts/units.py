"""Markdown -> its units (sentences, headings, blocks) -> Markdown; for `feeds.core.posts.passages`.

A paragraph of prose gives one unit for each sentence and a heading is one unit. Every other block (code, quotation,
table, list, verse, HTML) is one unit that is never split.
"""

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

from feeds.core.posts import sentences
from feeds.core.posts.text import display_width, parse_html

#: Characters of a paragraph's first line that are compared.
FIRST_LINE = 60
#: The definition of a link or footnote; a repeated one has no effect.
_DEFINITION = re.compile(r" {0,3}\[[^\]\s]+\]:")
_FOOTNOTE = re.compile(r"^ {0,3}\[\^[^\]\s]+\]:", re.MULTILINE)
#: A narrower sentence means nothing without the one beside it.
_ANSWER_WIDTH = 16
#: Wrapped prose has lines wider than this.
_VERSE_WIDTH = 50

_Kind = Literal["sentence", "heading", "block"]


@dataclass(slots=True)
class Unit:
    """A sentence, a heading, or a block that is kept as it is."""

    kind: _Kind
    #: As written, without white space around it.
    text: str
    #: Whether it begins a paragraph.
    opens: bool
    #: The start of the paragraph's first line; only in the first unit of a paragraph.
    line: str = ""
    #: Whether it continues a sentence that was cut off before a separator.
    resumes: bool = False
    #: The text for comparison.
    key: str = ""

    @property
    def needs_neighbour(self) -> bool:
        """True if it may be repeated on purpose: a block, a heading, a sentence such as `Yes.`; not a definition."""
        if self.kind == "block":
            return not _DEFINITION.match(self.text)
        return self.kind != "sentence" or (len(self.text) < _ANSWER_WIDTH and display_width(self.text) < _ANSWER_WIDTH)

    def __post_init__(self) -> None:
        self.key = comparison_key(self.text) if self.kind != "block" else self.text


def comparison_key(text: str) -> str:
    """Return *text* for comparison with other sentences: NFKC, without emphasis marks and white space.

    All white space is removed, because a line break in Japanese source is not a space.
    """
    key = re.sub(r"^#+|[*\s]+|__+|~~+", "", unicodedata.normalize("NFKC", text))
    return key or text


def split_units(markdown: str) -> list[Unit]:
    """Return the units of *markdown*, in order."""
    lines, units, at = markdown.split("\n"), [], 0
    for kind, first, end in [*_split_blocks(markdown), ("", len(lines), len(lines))]:
        if first < at:
            continue
        units += _block_unit(lines[at:first])
        text = "\n".join(lines[first:end])
        if kind == "p" and not _FOOTNOTE.search(text) and not _is_verse(text):
            parts = [part.strip() for part in sentences.split_sentences(text) if part.strip()]
            line = lines[first].lstrip()[:FIRST_LINE]
            units += [Unit("sentence", part, opens=not n, line="" if n else line) for n, part in enumerate(parts)]
        elif kind[:1] == "h" and kind != "hr":
            units.append(Unit("heading", text.strip(), opens=True))
        else:
            units += _block_unit(lines[first:end])
        at = end
    return units


def prose_lines(lines: list[str]) -> set[int]:
    """Return the numbers (from 0) of lines in paragraphs, rules and headings; not in code, lists or quotations."""
    return {
        n
        for kind, first, end in _split_blocks("\n".join(lines))
        if kind in {"p", "hr", "h1", "h2", "h3", "h4", "h5", "h6"}
        for n in range(first, end)
    }


def _split_blocks(markdown: str) -> list[tuple[str, int, int]]:
    """Return (element, first line, line after the last) for each top-level block; lines are counted from 0.

    The positions are comrak's. Raw HTML and definitions of links have none; the gaps they leave are blocks too.
    Footnotes are disabled: if two drafts define the same one, comrak 0.0.16 puts everything between into a list.
    """
    from comrak import ExtensionOptions, RenderOptions, render_markdown

    extensions, rendering = ExtensionOptions(), RenderOptions()
    extensions.table = True
    rendering.sourcepos = True
    root = parse_html(str(render_markdown(markdown, extensions, None, rendering)))
    blocks = []
    for element in root:
        if isinstance(element.tag, str) and (position := element.get("data-sourcepos")):
            first, last = (int(part.split(":")[0]) for part in position.split("-"))
            blocks.append((element.tag, first - 1, last))
    return sorted(blocks, key=lambda block: block[1])


def _block_unit(lines: list[str]) -> list[Unit]:
    text = "\n".join(lines).strip("\n")
    return [Unit("block", text, opens=True)] if text.strip() else []


def _is_verse(text: str) -> bool:
    """Return whether a paragraph's line breaks are intended: verse, an address, a list without marks.

    They are if one of them is a hard break, or if all lines are narrow and most end without a full stop.
    """
    lines = text.split("\n")[:-1]
    if any(line.endswith(("  ", "\\")) for line in lines):
        return True
    unfinished = sum(not sentences.is_whole_sentence(line) for line in lines)
    return 2 * unfinished > len(lines) and all(display_width(line) < _VERSE_WIDTH for line in lines)


def join_units(units: list[Unit]) -> str:
    """Return Markdown: a blank line between paragraphs, between sentences a space if their script uses one."""
    out = ""
    for unit in units:
        if not out:
            out = unit.text
        elif unit.opens:
            out += "\n\n" + unit.text
        else:
            out += ("" if joins_without_space(out, unit.text) else " ") + unit.text
    return out + "\n" if out else ""


def joins_without_space(left: str, right: str) -> bool:
    """Return whether two sentences are written without a space between them, as in Chinese and Japanese."""
    return unicodedata.east_asian_width(left[-1]) in "WF" or unicodedata.east_asian_width(right[0]) in "WF"
