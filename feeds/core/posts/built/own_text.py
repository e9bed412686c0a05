"""The Markdown of a post -> the words by which its text is recognised in the page that a generator made of it."""

import re
from collections.abc import Iterator
from html import unescape
from typing import Any

from feeds.core.posts import excerpts, limits, mdx
from feeds.core.posts.built.words import OwnText, PostSource, split_words
from feeds.core.posts.post_file import PostFile

#: Tags of Liquid, Hugo, Nunjucks and Zola, and kramdown's attribute lists.
_TEMPLATE_TAG = re.compile(r"\{(?:\{.*?\}\}|%.*?%\}|#.*?#\}|:[^{}\n]*\})", re.DOTALL)
_HIDDEN = re.compile(r"<(script|style)\b.*?</\1\s*>|<!--.*?-->", re.DOTALL | re.IGNORECASE)
_MAY_HIDE = re.compile(r"<(?:script|style|!)", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")
_DESCRIPTION = re.compile(r"\s(?:alt|title|aria-label)=\"([^\"<>]*)\"", re.IGNORECASE)
_TEX = re.compile(r"\$\$.*?\$\$|\\\[.*?\\\]|\$[^$\s][^$\n]*\$|\\\(.*?\\\)", re.DOTALL)
#: What Liquid and Nunjucks leave out.
_NOT_RENDERED = re.compile(r"\{%-?\s*comment\s*-?%\}.*?\{%-?\s*endcomment\s*-?%\}|\{#.*?#\}", re.DOTALL)
#: The first and the last of what may put an element of its own around words: tags of a pair, HTML, components.
_OPENS_BOX = re.compile(r"\{\{[<%]\s*(?!/)|\{%|<(?!/)[A-Za-z]")
_CLOSES_BOX = re.compile(
    r"\{\{[<%]\s*(?:/|[\w-]*(?:end|stop|close))|\{%-?\s*(?:end|[\w-]*(?:_end|close))|</[A-Za-z]", re.IGNORECASE
)
#: Links, notes and comments, which are not where they are written.
_DEFINITIONS = re.compile(r"^ {0,3}\[[^\]\n]+\]:[^\n]*(?:\n(?: {4}|\t)[^\n]*)*|<!--.*?-->", re.MULTILINE | re.DOTALL)
_NOT_TEXT = re.compile(r"!\[[^\]]*\](?:\([^()]*\)|\[[^\]]*\])?|<[^<>]*>")
_WORD = re.compile(r"\w")
_MEDIA = re.compile(r"<(?:img|video|audio|iframe|embed|object)\b", re.IGNORECASE)
#: What a line about a post consists of besides the values of its front matter.
_AROUND_FACTS = (
    "a about an and at author authors by categories category comments date edited filed for from in last m min mins"
    " minute minutes modified of on post posted posts published read reading since tag tagged tags time to topic topics"
    " january february march april may june july august september october november december jan feb mar apr jun jul aug"
    " sep sept oct nov dec monday tuesday wednesday thursday friday saturday sunday mon tue wed thu fri sat sun"
    " coordinated universal gmt cet cest est edt pst pdt tue thur z comment reply replies 0000"
    " under update updated with word words write writer written am pm utc"
    " 分 年 月 日 読 了 約 von und am in uhr min lesezeit veröffentlicht aktualisiert par le de lecture por el lectura"
)


def own_text(file: PostFile, title: str) -> OwnText:
    """Return the words of the post in *file*.

    Its Markdown is rendered as CommonMark: what a generator makes of the rest is what the page is asked for.
    """
    source = _NOT_RENDERED.sub(" ", file.source.body)
    tags = " ".join(_TEMPLATE_TAG.findall(source)) if "{" in source else ""
    plain = _TEMPLATE_TAG.sub(_replace_tag, source) if tags else source
    html = _to_html(file, plain)
    above, is_marked = excerpts.split_at_mark(html)
    shown = _HIDDEN.sub(" ", html) if _MAY_HIDE.search(html) else html
    begins_in_words, ends_in_words = _edges_in_words(source)
    found = PostSource(
        body=source,
        text=_text(shown),
        hidden=" ".join((tags, *map(unescape, _DESCRIPTION.findall(shown)))),
        values=(title, *_values(file.source.metadata)),
        around_values=_AROUND_FACTS,
        title=title,
        media=len(_MEDIA.findall(html)),
        has_templates=bool(tags) or file.is_mdx,
        begins_in_words=begins_in_words,
        ends_in_words=ends_in_words,
        above_mark=_text(above) if is_marked else "",
        formula_words=sum(len(split_words(tex)) for tex in _TEX.findall(source)),
        has_loose_words=_WORD.search(_without_boxes(source)) is not None,
    )
    return OwnText(found)


def _replace_tag(tag: re.Match[str]) -> str:
    """Return what takes the place of a template tag, so that a link whose address it makes stays a link."""
    return "#" if tag.string.endswith("](", 0, tag.start()) else " "


def _text(html: str) -> str:
    return unescape(_TAG.sub(" ", html))


def _edges_in_words(source: str) -> tuple[bool, bool]:
    """Return whether the first and the last line are text."""
    first = source.lstrip().partition("\n")[0]
    last = _DEFINITIONS.sub("", source).rstrip().rpartition("\n")[2]
    return _is_in_words(first), _is_in_words(last)


def _without_boxes(source: str) -> str:
    """Return the words that are in no element of the author's or of a template tag; in doubt, fewer of them."""
    opening, closings = _OPENS_BOX.search(source), list(_CLOSES_BOX.finditer(source))
    if opening and closings and closings[-1].start() > opening.start():
        source = source[: opening.start()] + "\n" + source[closings[-1].end() :].partition("\n")[2]
    return _NOT_TEXT.sub("", _DEFINITIONS.sub("", _TEMPLATE_TAG.sub(" ", source)))


def _is_in_words(line: str) -> bool:
    """Return whether a line is text, and not a template tag, a component or a picture."""
    return "{" not in line and _WORD.search(_NOT_TEXT.sub("", line)) is not None


def _to_html(file: PostFile, body: str) -> str:
    """Return the HTML of a body; only its words if a parser must not see it."""
    if file.is_html or limits.excess_of_markdown(body):
        return body
    return file.to_html(mdx.to_markdown(body) if file.is_mdx else body)


def _values(value: Any) -> Iterator[str]:
    """Yield every text and number in front matter."""
    if isinstance(value, dict):
        for inner in value.values():
            yield from _values(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _values(inner)
    elif value is not None:
        yield str(value)
