"""The excerpt of a post: its description, the text above the mark `<!--more-->`, or its first sentences."""

import re
from collections.abc import Callable, Iterator

from feeds.core.posts import markdown, text

#: `<!--more-->` of Hugo, Zola, Hexo and Jekyll; `<!--truncate-->` of Docusaurus.
_MARK = r"<!--\s*(?:more|truncate)\s*-->"
_MARK_IN_HTML = re.compile(_MARK, re.IGNORECASE)
#: To CommonMark the whole line of a comment is HTML (section 4.6, kind 2); to the generators only the mark is.
_LINE_WITH_MARK = re.compile(rf"^(?P<indent> {{0,3}}){_MARK}(?=[ \t]*\S)", re.IGNORECASE | re.MULTILINE)
_CODE_OR_LINE_WITH_MARK = re.compile(
    rf"{markdown.CODE}|{_LINE_WITH_MARK.pattern}[ \t]*", re.IGNORECASE | re.MULTILINE | re.DOTALL
)
#: The mark of MDX as CommonMark renders it; Docusaurus reads `.md` files as MDX too.
_MDX_MARK = r"{/(?:\*\s*truncate\s*\*|<em>truncate</em>)/}"
_CODE_OR_MDX_MARK = re.compile(
    rf"(?P<code><(?P<tag>pre|code)\b(?:.*?</(?P=tag)>|.*))|<p>{_MDX_MARK}</p>|{_MDX_MARK}", re.IGNORECASE | re.DOTALL
)
#: Without these a line of Markdown is its own text.
_MARKS_OF_MARKDOWN = re.compile(r"[<&*_~`\[\\]")
#: A tag or other raw HTML.
_TAG = re.compile(r"<(?P<closes>/?)(?P<name>[a-z][a-z0-9-]*)\b[^<>]*>|<[?!](?!--)", re.IGNORECASE)
_SINGLE = frozenset({"br", "wbr", "img"})
#: Elements that a description may have; others, such as `<head>`, are words that it mentions.
_MARKUP = (
    text.INLINE
    | text.WITHOUT_TEXT - {"head", "title"}
    | frozenset({"p", "div", "ul", "ol", "li", "blockquote", "pre", "h1", "h2", "h3", "h4", "h5", "h6", "strike"})
)
#: Text that was struck out is withdrawn.
_STRUCK_OUT = frozenset({"del", "s", "strike"})


def separate_marks(source: str) -> str:
    """Return Markdown in which the text behind a mark at the start of a line begins a new paragraph."""
    if "<!--" not in source or not _LINE_WITH_MARK.search(source):
        return source
    return _CODE_OR_LINE_WITH_MARK.sub(
        lambda found: found[0] if found["indent"] is None else f"{found[0].rstrip()}\n\n{found['indent']}", source
    )


def mdx_marks_to_comments(html: str) -> str:
    """Return *html* with `<!-- more -->` for each `{/* truncate */}` that is not in code."""
    if "{/" not in html:
        return html
    return _CODE_OR_MDX_MARK.sub(lambda found: found["code"] or "<!-- more -->", html)


def excerpt_of_text(html: str) -> str:
    """Return the text above the mark in *html*; its first sentences if there is no mark, or no text above it."""
    before, is_marked = split_at_mark(html)
    above = _join_blocks(before) if is_marked else ""
    return above or text.make_excerpt(_blocks(html))


def split_at_mark(html: str) -> tuple[str, bool]:
    """Return the HTML above the first mark, and whether there is one."""
    mark = _MARK_IN_HTML.search(html) if "<!--" in html else None
    return (html[: mark.start()], True) if mark else (html, False)


def excerpt_up_to(html: str, is_last: Callable[[str], bool]) -> str:
    """Return the text of *html* up to the first block of which *is_last* is true; empty without one."""
    found = []
    for _, block in _blocks(html):
        found.append(block)
        if is_last(block):
            return " ".join(found)
    return ""


def excerpt_of_description(line: str) -> str:
    """Return the text of a description: one line of inline Markdown, in which words like `<head>` are words."""
    if not _MARKS_OF_MARKDOWN.search(line):
        return line
    heading = markdown.render_markdown(f"# {line} #")  # the only block whose text is inline whatever it begins with
    return _join_blocks(_escape_words(heading))


def _escape_words(html: str) -> str:
    """Return *html* with the tags escaped that are not markup of a description, or of which only one end is there."""
    ends = {(found["name"].lower(), bool(found["closes"])) for found in _TAG.finditer(html) if found["name"]}

    def escape(found: re.Match[str]) -> str:
        name = (found["name"] or "").lower()
        is_pair = {(name, False), (name, True)} <= ends
        return found[0] if name in _SINGLE or (name in _MARKUP and is_pair) else "&lt;" + found[0][1:]

    return _TAG.sub(escape, html)


def _join_blocks(html: str) -> str:
    return " ".join(text.join_blocks(_blocks(html)).split())


def _blocks(html: str) -> Iterator[tuple[str, str]]:
    """Yield the blocks of *html* without what is struck out, footnotes and the numbers that refer to them."""
    return text.text_blocks(html, without=text.WITHOUT_TEXT | _STRUCK_OUT, without_class="footnote")
