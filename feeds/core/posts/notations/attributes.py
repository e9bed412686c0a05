"""Attribute lists such as `{: .wide}`, `{#id}` and `{.wide}` -> nothing; the id of a heading stays.

Sources: "Inline Attribute Lists" and "Extensions" of kramdown, "Markdown attributes" of Hugo (goldmark), "Attribute
Lists" of Python-Markdown.
"""

import re

from feeds.core.posts.tags.tokens import code_ranges, is_in, replace_outside_code, without

_NAME = r"[^\s{}\"'=#.:]+"
_ONE = rf"(?:[#.][^\s{{}}\"'=]+|{_NAME}=(?:\"[^\"{{}}\n]*\"|'[^'{{}}\n]*'|[^\s{{}}\"']+))"
#: One or more classes, ids and attributes.
_LIST = rf"[ \t]*{_ONE}(?:[ \t]+{_ONE})*[ \t]*"
_ANY = re.compile(r"\{[:#.]|\{[\w-]+=")
#: The mark of a list of contents, which the list above or below it stands for, and the first line of a list.
_CONTENTS = re.compile(r"^[ \t]*\{:[^{}\n]*\btoc\b[^{}\n]*\}[ \t]*$\n?", re.MULTILINE)
_ITEM = re.compile(r"[ \t]*(?:[-*+]|\d{1,9}[.)])(?:[ \t]|$)", re.MULTILINE)
_OF_HEADING = re.compile(
    rf"^(?P<text>[ \t>]*#{{1,6}}[ \t].*?|[^\n]*\S(?=[ \t]*\{{#[^{{}}\n]*\}}[ \t]*\n[ ]{{0,3}}(?:=+|-+)[ \t]*$))[ \t]*"
    rf"(?P<braces>\{{:?(?P<list>{_LIST})\}})[ \t]*#*[ \t]*$",
    re.MULTILINE,
)
#: A list on the line below one that may be a heading, whose own list would end with a brace.
_BELOW = re.compile(
    rf"^(?P<text>[^\n]*[^\s}}])[ \t]*(?P<line>\n[ ]{{0,3}}(?:=+|-+)[ \t]*)?"
    rf"\n[ \t>]*(?P<braces>\{{:(?P<list>{_LIST})\}})[ \t]*$",
    re.MULTILINE,
)
_HEADING = re.compile(r"[ \t>]*#{1,6}[ \t]")
_CLOSING = re.compile(r"(?<=[ \t])#+\Z")
#: A line of its own, of kramdown also with names of other lists: `{: .wide}`, `{:refdef}`, `{::options x="y" /}`.
_LINE = re.compile(rf"^[ \t>]*(?:\{{:[^{{}}\n]*\}}|\{{{_LIST}\}})[ \t]*$\n?", re.MULTILINE)
#: Behind a link, a picture, emphasis or code.
_INLINE = re.compile(rf"(?<=[)\]*_`>~])\{{:?{_LIST}\}}")
_COMMENT = re.compile(r"\{::comment\}.*?\{:/(?:comment)?\}|\{::[\w-]*[^{}\n]*/?\}|\{:/[\w-]*\}", re.DOTALL)
_ID = re.compile(r"#([^\s{}\"'=]+)")
#: What `convert_attributes` writes behind a heading, and the heading in HTML.
_ID_MARK = re.compile(
    r"<(?P<tag>h[1-6])(?: id=\"[^\"]*\")?>(?P<text>(?:(?!</h[1-6]>).)*?)[ ]?"
    r"<a data-heading-id=\"(?P<id>[^\"]*)\"></a></(?P=tag)>",
    re.DOTALL,
)


def convert_attributes(text: str) -> str:
    """Return Markdown without attribute lists; code is left alone."""
    if not _ANY.search(text):
        return text
    if "{::comment}" in text:
        text = _COMMENT.sub("", text)
    if "toc" in text:
        text = _without_contents(text)
    for pattern, replacement in (
        (_BELOW, _heading_above),
        (_OF_HEADING, _heading),
        (_LINE, without),
        (_COMMENT, without),
        (_INLINE, without),
    ):
        text = replace_outside_code(pattern, replacement, text, place=_brace)
    return text


def _without_contents(text: str) -> str:
    """Return Markdown without `{:toc}` and the list that it turns into a list of contents."""
    code = code_ranges(text)
    parts, end = [], 0
    for mark in _CONTENTS.finditer(text):
        if mark.start() < end or is_in(code, mark.start()):
            continue
        begin = _begin_of_list(text, end, mark.start())
        parts.append(text[end:begin])
        end = mark.end()
        if begin == mark.start() and _ITEM.match(text, end):
            below = text.find("\n\n", end)
            end = below + 1 if below >= 0 else len(text)
    return "".join([*parts, text[end:]])


def _begin_of_list(text: str, first: int, end: int) -> int:
    """Return where the list begins that ends at *end*, at *first* or later; *end* if there is none."""
    begin, at = end, end
    while at > first:
        line = text.rfind("\n", first, at - 1) + 1 or first
        if not text[line:at].strip() or text[line:at].lstrip().startswith(("#", "{:")):
            break
        at = line
        if _ITEM.match(text, at):
            begin = at
    return begin


def _brace(found: re.Match[str]) -> int:
    return found.start("braces") if "braces" in found.re.groupindex else found.start() + found[0].index("{")


def _heading(found: re.Match[str]) -> str:
    id_ = _ID.search(found["list"])
    return found["text"] + (f' <a data-heading-id="{id_[1]}"></a>' if id_ else "")


def _heading_above(found: re.Match[str]) -> str:
    """Return a heading with the id that is on the line below it, as kramdown has it; other text as it is."""
    id_ = _ID.search(found["list"])
    if id_ is None or not (found["line"] or _HEADING.match(found["text"])):
        return found[0]
    text = found["text"] if found["line"] else _CLOSING.sub("", found["text"]).rstrip()
    return f'{text} <a data-heading-id="{id_[1]}"></a>{found["line"] or ""}'


def set_heading_ids(html: str) -> str:
    """Return *html* in which headings have the ids that the post gives them."""
    return _ID_MARK.sub(r'<\g<tag> id="\g<id>">\g<text></\g<tag>>', html) if "data-heading-id" in html else html
