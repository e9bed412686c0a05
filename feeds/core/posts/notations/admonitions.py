"""Boxes such as notes and warnings -> quotations that begin with their title.

`:::tip Title` of Docusaurus, VitePress, Starlight and Pandoc, `> [!TIP]` of GitHub, Hugo and Obsidian, and
`!!! tip "Title"` of Python-Markdown. A reader without the styles of the site can tell a quotation with a title from the
text around it.
"""

import re
from collections.abc import Iterator

_MARKS = (":::", "> [!", ">[!", "!!! ")
_ANY = re.compile(r":::|> ?\[![A-Za-z]+\]|!!! ")
_FENCE = re.compile(r"[ \t>]*(`{3,}(?=[^`]*\Z)|~{3,})")
_BEGIN = re.compile(
    r"(?P<indent>[ \t>]*)(?P<colons>:{3,})[ \t]*(?:\{[ \t]*\.?(?P<class>[\w-]+)[^{}]*\}|(?P<name>[A-Za-z][\w-]*))"
    r"[ \t]*(?:\[(?P<label>.*)\])?[ \t]*(?P<title>.*?)[ \t]*(?:\{[^{}]*\})?[ \t]*"
)
_END = re.compile(r"[ \t>]*:{3,}[ \t]*")
_ALERT = re.compile(r"(?P<indent>[ \t>]*>)[ \t]?\[!(?P<name>[A-Za-z]+)\][+-]?[ \t]*(?P<title>.*?)[ \t]*")
_INDENTED = re.compile(r"(?P<indent>[ \t]*)!!![ \t]+(?P<name>[A-Za-z][\w-]*)[^\"]*(?:\"(?P<title>[^\"]*)\")?[ \t]*")
#: Kinds of boxes that have a title of their own.
_KINDS = frozenset(
    {"note", "tip", "info", "important", "warning", "caution", "danger", "success", "hint", "attention", "error"}
    | {"question", "example", "abstract", "summary", "bug", "failure", "quote", "seealso", "todo", "secondary"},
)
_NESTED = "    "
#: Boxes inside of more are not deeper.
_MOST_NESTED = 20


def convert_admonitions(text: str) -> str:
    """Return Markdown with each box as a quotation; code is left alone."""
    if not any(mark in text for mark in _MARKS) or not _ANY.search(text):
        return text
    return "\n".join(_Converter(text.split("\n")).lines())


class _Converter:
    """Goes once through the lines of a text."""

    def __init__(self, lines: list[str]) -> None:
        self._lines = lines
        #: How many end marks follow; a box without one is not a box.
        self._ends = sum(bool(_END.fullmatch(line)) for line in lines)
        self._fence = ""
        #: The indentation of the outermost open box, and how many are open.
        self._indent, self._depth = "", 0
        #: The indentation of a box whose content is indented.
        self._box: str | None = None

    def lines(self) -> Iterator[str]:
        for line in self._lines:
            if self._box is not None and not self._fence and line.strip() and not self._is_inside(line):
                self._box = None
                yield ""
            yield from [line] if self._box is None and self._follow_fence(line) else self._convert(line)

    def _follow_fence(self, line: str) -> bool:
        """Return whether a line outside of boxes is code."""
        was_open = bool(self._fence)
        self._track(line)
        return not self._depth and (was_open or bool(self._fence))

    def _track(self, line: str) -> None:
        found = _FENCE.match(line)
        if found and not self._fence:
            self._fence = found[1]
        elif found and line.strip(" \t>").rstrip() == found[1] and found[1].startswith(self._fence):
            self._fence = ""

    def _is_inside(self, line: str) -> bool:
        return self._box is not None and line.startswith(self._box + _NESTED)

    def _convert(self, line: str) -> Iterator[str]:
        if self._box is not None:
            self._track(line)
            yield f"{self._box}> {line[len(self._box) + len(_NESTED) :]}".rstrip()
        elif self._fence or (self._depth and _FENCE.match(line)):
            yield self._inside(line)
        elif _END.fullmatch(line):
            yield from self._end(line)
        elif (found := _BEGIN.fullmatch(line)) and self._ends:
            yield from self._begin(found)
        elif found := _ALERT.fullmatch(line):
            yield from self._titled(self._inside(found["indent"]), found["title"] or found["name"].capitalize())
        elif found := _INDENTED.fullmatch(line):
            self._box = found["indent"]
            title = found["title"] if found["title"] is not None else _default_title(found["name"])
            yield from self._titled(f"{self._box}>", title)
        else:
            yield self._inside(line)

    def _inside(self, line: str) -> str:
        """Return a line as one of the quotations that are open."""
        if not self._depth:
            return line
        rest = line[len(self._indent) :] if line.startswith(self._indent) else line.lstrip()
        return f"{self._indent}{'> ' * min(self._depth, _MOST_NESTED)}{rest}".rstrip()

    def _begin(self, found: re.Match[str]) -> Iterator[str]:
        self._ends -= 1
        if not self._depth:
            self._indent = found["indent"]
        self._depth += 1
        title = found["label"] or found["title"] or _default_title(found["name"] or found["class"])
        yield from self._titled(self._inside(self._indent), title)

    @staticmethod
    def _titled(prefix: str, title: str) -> Iterator[str]:
        yield f"{prefix} **{title}**" if title else prefix
        yield prefix

    def _end(self, line: str) -> Iterator[str]:
        if not self._depth:
            yield line
            return
        self._depth -= 1
        yield self._inside(self._indent) if self._depth else ""


def _default_title(kind: str) -> str:
    """Return the title of a box that names none; only kinds that are known have one."""
    return kind.capitalize() if kind.lower() in _KINDS else ""
