"""Limits for texts that take parsers too long, or that no reader could show.

comrak, html5ever (in nh3) and libxml2 (in lxml) are linear in the length of a text, except where its elements nest
deeply, where one element has many attributes, and where a table has many cells that are not written. Then the time
grows with the square of the length. Each of these is found here, in linear time, before the parser sees it.
"""

import re

from feeds.core.posts import nesting

#: The cells of tables can make gigabytes of HTML from some kilobytes of Markdown.
MAX_GROWTH = 20
#: In characters: HTML up to this length is accepted whatever the length of its Markdown.
_ALWAYS_ACCEPTED = 500_000
#: What comrak writes for a cell that is not written.
_EMPTY_CELL = len("<td></td>\n")
#: comrak counts the columns before each cell.
_MOST_COLUMNS = 500
#: A table of fewer cells cannot be too long.
_MANY_CELLS = 50_000
#: A list nests by indentation or by marks on one line.
_DEEP_INDENT = b" " * 60
_LIST_IN_LISTS = re.compile(rb"\n[ \t>]*+(?:(?:[-+*]|[0-9]{1,9}[.)])[ \t>]++){9}")
#: In one text.
_MOST_SPECIAL = 1000
#: A character for which nh3 copies the text so far, with the text behind it: one that it escapes, or that begins with
#: the same byte as a no-break space. Tags are matched first.
_SPECIAL = r"(?:[&>\x80-\xbf]|<(?![A-Za-z/!?]))[^<>&\x80-\xbf]*+"
_TEXT = re.compile(
    rf"(?:{nesting.MARKUP.pattern})|(?:{_SPECIAL}){{{_MOST_SPECIAL}}}(?P<more>(?=[<>&\x80-\xbf]))?+|(?:{_SPECIAL})++",
    nesting.MARKUP.flags,
)
_ANY_SPECIAL = re.compile(r"[<&\x80-\xbf]")
#: All these tags add their attributes to one element.
_DOCUMENT_TAG = re.compile(r"<(?:html|body)\s", re.IGNORECASE)
#: A page has one of each.
_MOST_DOCUMENT_TAGS = 10
#: A tag begins with a letter (https://html.spec.whatwg.org/#tag-open-state), unlike `a < b` in a text.
_TAG = re.compile("<[A-Za-z/]")
#: A tag with too many attributes is longer.
_LONG_TAG = 2 * nesting.MAX_ATTRIBUTES


def may_be_pathological(markdown: bytes) -> bool:
    """Return whether *markdown*, or its HTML, may be beyond a limit.

    False is certain: the text has too few marks. True may be a false alarm.
    """
    marks = len(markdown) - len(markdown.translate(None, b"<>*_~|"))
    return (
        marks >= nesting.MAX_DEPTH
        or marks * markdown.count(b"\n") >= _MANY_CELLS
        or _DEEP_INDENT in markdown
        or (b"\t" in markdown and b"\t\t\t\t\t\t\t\t" in markdown)
        or _LIST_IN_LISTS.search(b"\n" + markdown) is not None
        or (b"<" in markdown and _has_long_tag(markdown.decode()))
    )


def excess_of_markdown(markdown: str) -> str | None:
    """Return the limit that *markdown* exceeds, so that comrak must not see it; None if it exceeds none."""
    marks = markdown.count("|")
    if marks <= _MOST_COLUMNS and marks * markdown.count("\n") < _MANY_CELLS:
        return None
    columns, missing = _measure_tables(markdown)
    if missing * _EMPTY_CELL > max(_ALWAYS_ACCEPTED, MAX_GROWTH * len(markdown)):
        return f"{_TOO_LONG}; the header of a table has many more cells than its rows"
    return f"a table has more than {_MOST_COLUMNS} columns; divide it" if columns > _MOST_COLUMNS else None


def excess_of_html(html: str, source: str) -> str | None:
    """Return the limit that *html*, made from *source*, exceeds; None if it exceeds none."""
    if len(html) > max(_ALWAYS_ACCEPTED, MAX_GROWTH * len(source)):
        return nesting.find_excess(html[:_ALWAYS_ACCEPTED]) or _TOO_LONG
    may_be_misplaced = html.count("<") > nesting.MAX_MISPLACED and "<table" in html.lower()
    is_deep = nesting.most_depth(html) > nesting.MAX_DEPTH
    if is_deep or may_be_misplaced or _has_long_tag(html) or _DOCUMENT_TAG.search(html):
        return nesting.find_excess(html)
    return None


def excess_of_page(html: str) -> str | None:
    """Return the limit of attributes that a page of the built site exceeds; None if it exceeds none.

    How deep its elements nest matters only in the part of it that is shown: libxml2 stops at 256 levels.
    """
    is_strange = _has_long_tag(html) or len(_DOCUMENT_TAG.findall(html)) > _MOST_DOCUMENT_TAGS
    return nesting.find_excess(html, max_depth=len(html)) if is_strange else None


_TOO_LONG = f"its HTML is more than {MAX_GROWTH} times as long as its Markdown"


def _measure_tables(markdown: str) -> tuple[int, int]:
    """Return the most columns of a table, and how many cells all rows lack, which comrak adds.

    A table ends at a blank line.
    """
    most = columns = missing = 0
    for line in markdown.split("\n"):
        bare = line.strip(" \t>")
        if not bare:
            columns = 0
        elif "|" in bare and "-" in bare and not bare.strip("|:- \t"):
            columns = max(columns, bare.count("|"))
            most = max(most, columns)
        elif columns:
            missing += max(0, columns - bare.count("|") - 1)
    return most, missing


def divide_texts(html: str) -> str:
    """Return *html* with an empty comment, which sanitising removes, after a thousand special characters of a text."""
    if len(_ANY_SPECIAL.findall(html)) <= _MOST_SPECIAL:
        return html
    return _TEXT.sub(lambda found: found[0] if found["more"] is None else f"{found[0]}<!---->", html)


def _has_long_tag(text: str) -> bool:
    """Return whether *text* may have a tag with too many attributes."""
    return any(len(part) > _LONG_TAG and _TAG.search(part, 0, len(part) - _LONG_TAG) for part in text.split(">"))
