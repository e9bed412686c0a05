"""The excerpt of a post: its description, the text above the mark `<!--more-->`, or its first sentences."""

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import islice, pairwise
from typing import Any

from feeds.core.posts import markdown, sentences, text

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
#: Elements whose text is a paragraph: of those other than `p` it is text that an HTML file has outside of paragraphs.
_PARAGRAPHS = frozenset({"p", "body", "div", "section", "article", "main", "center"})
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6", "heading"})
#: What a sentence before it introduces.
_INTRODUCED = frozenset({"pre", "ul", "ol", "li", "dl", "dt", "table", "thead", "tbody", "tr", "th", "td"})
_NOT_PROSE = frozenset({"pre", "byline"})
#: So many paragraphs and blocks are looked at: those after them never fit.
_MOST_PARAGRAPHS, _MOST_BLOCKS = 12, 100
_LONGEST_BYLINE = 80
_BYLINE = re.compile(
    r"(?:(?:(?:written|posted|published) )?by|author|(?:geschrieben )?von|autor(?:in)?|text|par|por|di|door)[: ]"
    r"\s*[^\W\d_]"
    r"|(?:文|著者|執筆者?|作者|筆者|投稿者)\s*[:：/／]",
    re.IGNORECASE,
)
_SPACE_AFTER_CJK = re.compile(r"(?<=[。！？]) (?=\S)")
#: Asterisks for emphasis that CommonMark leaves in the text, since they have no spaces around them.
_STARS_AT_CJK = re.compile(rf"(?<={text.CJK_OR_MARK})\*\*|\*\*(?={text.CJK_OR_MARK})")
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
    """Return the text above the mark in *html*; without a mark, or a text above it, the first sentences."""
    before, is_marked = split_at_mark(html)
    above = _join(_prose(_blocks(before))) if is_marked else ""
    return above or text.shorten(_join(_prose(_blocks(html), _MOST_PARAGRAPHS)))


def split_at_mark(html: str) -> tuple[str, bool]:
    """Return the HTML above the first mark, and whether there is one."""
    mark = _MARK_IN_HTML.search(html) if "<!--" in html else None
    return (html[: mark.start()], True) if mark else (html, False)


def excerpt_up_to(html: str, is_last: Callable[[str], bool]) -> str:
    """Return the text of *html* up to the first block of which *is_last* is true; empty without one."""
    found = []
    for block in _blocks(html):
        found.append(block)
        if is_last(block[1]):
            return _join(_prose(found))
    return ""


def excerpt_of_description(line: str) -> str:
    """Return the text of a description: one line of inline Markdown, in which words like `<head>` are words."""
    if not _MARKS_OF_MARKDOWN.search(line):
        return line
    heading = markdown.render_markdown(f"# {line} #")  # the only block whose text is inline whatever it begins with
    return _join(block for _, block in _blocks(_escape_words(heading)))


def _escape_words(html: str) -> str:
    """Return *html* with the tags escaped that are not markup of a description, or of which only one end is there."""
    ends = {(found["name"].lower(), bool(found["closes"])) for found in _TAG.finditer(html) if found["name"]}

    def escape(found: re.Match[str]) -> str:
        name = (found["name"] or "").lower()
        is_pair = {(name, False), (name, True)} <= ends
        return found[0] if name in _SINGLE or (name in _MARKUP and is_pair) else "&lt;" + found[0][1:]

    return _TAG.sub(escape, html)


def _join(paragraphs: Iterable[str]) -> str:
    """Return paragraphs in one line, without spaces after Japanese and Chinese full stops."""
    joined = " ".join(" ".join(paragraphs).split())
    return joined if joined.isascii() else _SPACE_AFTER_CJK.sub("", _STARS_AT_CJK.sub("", joined))


def _blocks(html: str) -> Iterator[tuple[str, str]]:
    """Yield the blocks of *html* without what is struck out, footnotes and the numbers that refer to them.

    The first paragraphs that only look like such are named after what they are: `heading`, `link` or `byline`.
    """
    root = text.parse_html(html)
    for paragraph in islice(root.iter("p"), _MOST_PARAGRAPHS):
        paragraph.tag = _kind(paragraph)
    return text.tree_blocks(root, text.WITHOUT_TEXT | _STRUCK_OUT, "footnote", text.join_lines)


def _kind(paragraph: Any) -> str:
    """Return the kind of a paragraph: `p`, or a `heading` in bold, a `link` without other words, or a `byline`."""
    words = " ".join(paragraph.itertext()).strip()
    if len(words) > _LONGEST_BYLINE or sentences.is_whole_sentence(words):
        return "p"
    if _BYLINE.match(words):
        return "byline"
    inner = [child.tag for child in paragraph if child.tag not in {"br", "img"}]
    has_own_text = any((part or "").strip(" \t\n|/·,") for part in _own_texts(paragraph))
    if not inner or has_own_text:
        return "p"
    return "link" if set(inner) == {"a"} else "heading" if set(inner) <= {"b", "strong"} else "p"


def _own_texts(element: Any) -> Iterator[str | None]:
    yield element.text
    for child in element:
        yield child.tail


def _prose(blocks: Iterable[tuple[str, str]], most: int | None = None) -> list[str]:
    """Return the first paragraphs of *blocks* that can be read on their own; without one, other text, else headings.

    A sentence that introduces code, a list or a table is left out with it, and what comes behind then.
    """
    prose: list[str] = []
    others: list[str] = []
    headings: list[str] = []
    named = list(islice(blocks, _MOST_BLOCKS if most else None))
    for (name, block), (following, _) in pairwise([*named, ("end", "")]):
        if name not in _PARAGRAPHS:
            (headings if name in _HEADINGS else others if name not in _NOT_PROSE else []).append(block)
            continue
        is_whole = following not in _INTRODUCED or _ends_sentence(block)
        if kept := block if is_whole else "".join(sentences.split_sentences(block)[:-1]).rstrip():
            prose.append(kept)
        if len(prose) == most or (prose and not is_whole):
            break
    return (_without_announcement(prose) or [b for name, b in named if name in _PARAGRAPHS] or others or headings)[
        :most
    ]


def _without_announcement(prose: list[str]) -> list[str]:
    """Return paragraphs without a last sentence that ends with a colon: what it announces is not there."""
    if not prose or not prose[-1].endswith((":", "：")):
        return prose
    kept = "".join(sentences.split_sentences(prose[-1])[:-1]).rstrip()
    return [*prose[:-1], *([kept] if kept else [])]


def _ends_sentence(block: str) -> bool:
    return sentences.is_whole_sentence(block) and not block.endswith((":", "："))
