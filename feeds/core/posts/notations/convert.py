"""Which notations a post has: those that its generator has and its text uses."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from feeds.core.posts import markdown
from feeds.core.posts.markdown import Extensions
from feeds.core.posts.notations.admonitions import convert_admonitions
from feeds.core.posts.notations.attributes import convert_attributes
from feeds.core.posts.notations.formulas import convert_formulas
from feeds.core.posts.notations.html_body import dedent_html
from feeds.core.posts.tags.tokens import replace_outside_code, without
from feeds.settings import PostSettings

#: A term and, on the next line, what it means. Behind a blank line a colon may also be something else.
_DEFINITION = re.compile(r"^(?![ \t]*[>#|:\-*+\d])[^\n]*\S[^\n]*\n:[ \t]+\S", re.MULTILINE)
_LOOSE_DEFINITION = re.compile(r"^(?![ \t]*[>#|:\-*+\d])[^\n]*\S[^\n]*\n\n?:[ \t]+\S", re.MULTILINE)
_WITH_DEFINITIONS = frozenset({"jekyll", "hugo", "hexo", "pelican"})
#: `*[HTML]: Hyper Text`, a block of its own or below a heading: "Abbreviations" of kramdown's syntax page, and the
#: extension `abbr` of Python-Markdown, which Pelican has by default.
_ABBREVIATIONS = re.compile(
    r"(?P<before>\A|(?<=\n)[ \t>]*\n|^[ ]{0,3}#{1,6}[ \t][^\n]*\n)"
    r"(?:(?:[ ]{0,3}>)*[ ]{0,3}\*\[[^\]\n]+\]:[^\n]*(?:\n|\Z))+",
    re.MULTILINE,
)
_WITH_ABBREVIATIONS = frozenset({"jekyll", "pelican"})
_EMOJI_NAMES = Extensions(emoji=True)
#: Of a name.
_COLONS = 2
#: `:tada:`, but not a part of a time, a word or an address.
_EMOJI = re.compile(r":[a-z+-][a-z0-9_+-]*:(?![\w:/])")
_INSIDE = re.compile(r"[\w:/]")
#: Where a list of contents is put by Python-Markdown, markdown-it, GitLab and CSDN: a paragraph of its own.
_CONTENTS = re.compile(
    r"(?:(?<=\n\n)|\A)[ ]{0,3}(?:\[TOC\](?!:)|\[\[_?TOC_?\]\]|@\[TOC\](?:\([^()\n]*\))?)[ \t]*(?=\n[ \t]*\n|\n?\Z)",
    re.IGNORECASE,
)
_CONTENTS_LINK = re.compile(r"^[ ]{0,3}\[toc\]:", re.IGNORECASE | re.MULTILINE)
#: Keys of the front matter that themes load a script for formulas by.
_NO = frozenset({"false", "no", "off", "0", "none", ""})
_MATH_KEYS = frozenset({"math", "katex", "mathjax", "usemath", "usemathjax", "usekatex", "latex"})


def to_commonmark(text: str, settings: PostSettings, metadata: Mapping[str, Any]) -> str:
    """Return Markdown with the notations of generators as CommonMark; *metadata* is the front matter."""
    if settings.generator == "none":
        return text
    if "*[" in text and settings.generator in _WITH_ABBREVIATIONS:
        text = _without_abbreviations(text)
    text = convert_formulas(dedent_html(text, settings.generator), single=_has_math(metadata))
    return _convert_emoji(convert_attributes(convert_admonitions(_without_contents(text))))


def _has_math(metadata: Mapping[str, Any]) -> bool:
    """Return whether the front matter asks for formulas, as in the themes of Hugo, Hexo, Jekyll and Zola."""
    params = metadata.get("params") or metadata.get("extra")
    tables = (metadata, params) if isinstance(params, dict) else (metadata,)
    return any(
        str(key).lower().replace("_", "") in _MATH_KEYS and str(value).lower() not in _NO
        for table in tables
        for key, value in table.items()
    )


def _without_contents(text: str) -> str:
    """Return *text* without the line that a list of contents takes the place of; a link with this text stays."""
    if "toc]" not in text and "TOC" not in text:
        return text
    if _CONTENTS_LINK.search(text):
        return text
    return replace_outside_code(_CONTENTS, without, text)


def _without_abbreviations(text: str) -> str:
    """Return *text* without the definitions of abbreviations; a word with a definition is a word."""
    return replace_outside_code(
        _ABBREVIATIONS, lambda found: f"{found['before']}\n", text, place=lambda found: found.end("before")
    )


def _convert_emoji(text: str) -> str:
    """Return *text* with emoji instead of their names; code is left alone."""
    if text.count(":") < _COLONS:
        return text

    def replace(found: re.Match[str]) -> str:
        at = found.start()
        return found[0] if at > 0 and _INSIDE.match(text, at - 1) else _emoji(found[0])

    return replace_outside_code(_EMOJI, replace, text)


@lru_cache(maxsize=1000)
def _emoji(written: str) -> str:
    """Return the emoji of a name, as GitHub has them; the name if there is none."""
    return markdown.to_html(written, _EMOJI_NAMES).strip().removeprefix("<p>").removesuffix("</p>")


def find_extensions(text: str, settings: PostSettings) -> Extensions:
    """Return the extensions of comrak that a text needs; most texts need none."""
    breaks = settings.generator == "hexo" if settings.breaks == "auto" else settings.breaks
    if settings.generator == "none":
        return Extensions(breaks=breaks)
    return Extensions(breaks=breaks, definitions=_has_definitions(text, settings))


def _has_definitions(text: str, settings: PostSettings) -> bool:
    if "\n:" not in text:
        return False
    if settings.generator == "auto":
        return _DEFINITION.search(text) is not None
    return settings.generator in _WITH_DEFINITIONS and _LOOSE_DEFINITION.search(text) is not None
