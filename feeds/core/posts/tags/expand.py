"""A post's text with template tags -> its text without them.

Each tag is rendered, reduced to what its values say, or left out. Code is left alone.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import NamedTuple

from feeds.core.posts.tags import block_tags, hugo, zola
from feeds.core.posts.tags.fragments import NO_ADDRESS
from feeds.core.posts.tags.languages import Language, is_certain, template_languages
from feeds.core.posts.tags.liquid import CERTAIN_OUTPUT, LOGIC, LiquidTemplate
from feeds.core.posts.tags.nunjucks import LOGIC as NUNJUCKS_LOGIC
from feeds.core.posts.tags.nunjucks import NunjucksTemplate, is_nunjucks
from feeds.core.posts.tags.page import TagPage
from feeds.core.posts.tags.tokens import Code, Tag, Tokenizer, may_have_tags, unescape_code

_MODULES: Mapping[Language, ModuleType] = {"hugo": hugo, "zola": zola, "liquid": block_tags}
_VERBATIM: Mapping[Language, frozenset[str]] = {"hugo": hugo.VERBATIM, "liquid": block_tags.VERBATIM}
_REST_OF_LINE = re.compile(r"[ \t]*(?:\n|\Z)")
_ASSIGNED = re.compile(r"(?:(?:for|tablerow)\s+(\w+)\s+in|(?:assign|capture|increment|decrement)\s+[\"']?(\w+))\b")
#: What is in front of an address.
_BEFORE_ADDRESS = ("](", "](<", '="', "='", "]: ")


class Unknown(NamedTuple):
    """A tag that only the site can render."""

    #: The tag without its values.
    kind: str
    #: The tag, or the name of a value in it, as it is written.
    written: str


class Expanded(NamedTuple):
    """A text without tags."""

    text: str
    #: In the order of the text.
    unknown: tuple[Unknown, ...] = ()


@dataclass(frozen=True)
class _Open:
    """A tag of which an end tag may follow."""

    tag: Tag


@dataclass(frozen=True)
class _Logic:
    """A tag or output of Liquid or Nunjucks."""

    tag: Tag


_Piece = str | _Open | _Logic


def expand_tags(text: str, page: TagPage, *, keep_unknown: bool = False) -> Expanded:
    """Return *text* without template tags; those that are not known are left out, or left as they are."""
    languages = template_languages(page.settings.posts.generator)
    if not languages or not may_have_tags(text, page.settings.posts.generator):
        return Expanded(text)
    return _Expander(text, page, languages, keep_unknown=keep_unknown).expanded()


class _Expander:
    """Goes once through the tags of a text."""

    def __init__(self, text: str, page: TagPage, languages: frozenset[Language], *, keep_unknown: bool) -> None:
        self._text, self._page, self._keep = text, page, keep_unknown
        self._languages = languages
        self._is_certain = is_certain(page.settings.posts.generator)
        self._is_nunjucks = page.settings.posts.generator == "eleventy" and is_nunjucks(text)
        self._logic = NUNJUCKS_LOGIC if self._is_nunjucks else LOGIC
        self._tokens = list(Tokenizer(text, languages, _VERBATIM).tokens())
        #: End tags that follow, by language and name.
        self._ends = Counter(_pair(token) for token in self._tokens if isinstance(token, Tag) and token.closes)
        #: Values that the text itself names.
        self._names = {"forloop"} | {name for token in self._tokens for name in _assigned_names(token)}
        self._pieces: list[_Piece] = []
        #: Places of open tags in the pieces.
        self._open: list[int] = []
        self._unknown: list[Unknown] = []

    def expanded(self) -> Expanded:
        for token in self._tokens:
            if isinstance(token, Tag):
                self._add(token)
            else:
                self._pieces.append(Code(unescape_code(token, self._languages)) if isinstance(token, Code) else token)
        pieces = [self._single(piece.tag) if isinstance(piece, _Open) else piece for piece in self._pieces]
        if self._is_nunjucks or any(isinstance(piece, _Logic) for piece in pieces):
            return Expanded(self._render_logic(pieces), tuple(self._unknown))
        return Expanded("".join(piece for piece in pieces if isinstance(piece, str)), tuple(self._unknown))

    def _add(self, tag: Tag) -> None:
        if tag.language == "liquid" and (not tag.name or tag.name in self._logic):
            self._pieces.append(_Logic(tag) if tag.name or self._is_output(tag) else tag.written)
        elif tag.language == "zola" and not self._is_certain and not tag.may_be_pair and tag.name not in zola.KNOWN:
            self._pieces.append(tag.written)
        elif tag.closes:
            self._ends[_pair(tag)] -= 1
            self._close(tag)
        elif tag.may_be_pair and tag.content is None and self._ends[_pair(tag)] > 0:
            self._open.append(len(self._pieces))
            self._pieces.append(_Open(tag))
        else:
            self._pieces.append(self._single(tag))

    def _is_output(self, tag: Tag) -> bool:
        """Return whether `{{ x }}` is Liquid, and not a text about another template language."""
        name = re.match(r"\w*", tag.arguments)
        is_named = name is not None and name[0] in self._names
        return self._is_certain or is_named or CERTAIN_OUTPUT.match(tag.arguments) is not None

    def _close(self, end: Tag) -> None:
        """Wrap the pieces since the tag that *end* closes; an end tag without one is left out."""
        for n in range(len(self._open) - 1, -1, -1):
            at = self._open[n]
            opened = self._pieces[at]
            if isinstance(opened, _Open) and _pair(opened.tag) == _pair(end):
                del self._open[n:]
                is_block = self._text.find("\n", opened.tag.end, end.start) >= 0
                before, after = _MODULES[end.language].wrap_content(opened.tag, is_block=is_block)
                self._pieces[at] = before
                self._pieces.append(after)
                return
        if self._keep:
            self._pieces.append(end.written)

    def _single(self, tag: Tag) -> str:
        """Return what a tag without content that is Markdown shows."""
        shown = _MODULES[tag.language].render_tag(tag, self._page) if tag.name else None
        if shown is not None:
            return self._placed(tag, shown)
        self._unknown.append(Unknown(tag.kind, tag.written))
        if self._keep:
            return tag.written
        return NO_ADDRESS if self._text.endswith(_BEFORE_ADDRESS, 0, tag.start) else ""

    def _placed(self, tag: Tag, shown: str) -> str:
        """Return HTML with the blank lines that it needs between Markdown."""
        if not shown.startswith("<"):
            return shown
        before = self._text[self._text.rfind("\n", 0, tag.start) + 1 : tag.start]
        is_alone = not before.strip(" \t>") and _REST_OF_LINE.match(self._text, tag.end) is not None
        if "<pre>" in shown and not is_alone:
            return f"\n\n{shown}\n\n"
        return f"{shown}\n" if is_alone else shown

    def _render_logic(self, pieces: Sequence[_Piece]) -> str:
        template = NunjucksTemplate() if self._is_nunjucks else LiquidTemplate()
        for piece in pieces:
            if isinstance(piece, _Logic):
                template.add_tag(piece.tag.written)
            elif isinstance(piece, str):
                template.add_text(piece, is_code=isinstance(piece, Code))
        try:
            text, names = template.render(self._page)
        except ValueError:
            self._unknown += (Unknown(p.tag.kind, p.tag.written) for p in pieces if isinstance(p, _Logic))
            return "".join(self._without_logic(piece) for piece in pieces)
        self._unknown += (Unknown(f"{{{{ {name} }}}}", name) for name in names)
        return text

    def _without_logic(self, piece: _Piece) -> str:
        if isinstance(piece, _Logic):
            return piece.tag.written if self._keep else ""
        return piece if isinstance(piece, str) else ""


def _assigned_names(token: str | Tag) -> Iterator[str]:
    """Yield the name that a tag of Liquid gives a value."""
    if isinstance(token, Tag) and token.language == "liquid" and token.name in LOGIC:
        found = _ASSIGNED.match(f"{token.name} {token.arguments}")
        if found:
            yield found[1] or found[2]


def _pair(tag: Tag) -> tuple[Language, str]:
    """Return what a tag and its end tag have in common."""
    return tag.language, "end" if tag.language == "zola" else tag.name
