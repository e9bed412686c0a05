"""A post's text -> code and other text that is left alone, and template tags.

The languages are told apart by their first characters. Code spans, code blocks and comments are left alone. The time
is linear.
"""

import re
from bisect import bisect_right
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

from feeds.core.posts.tags.languages import Language

_QUOTED = r'"(?:\\.|(?!\{\{[<%])[^"\\])*+"|`(?:(?!\{\{[<%])[^`])*+`'


def _shortcode(mark: str, end: str) -> str:
    """Return the pattern of a tag of Hugo between these marks; in its quotes may be anything."""
    inside = rf"(?:{_QUOTED}|(?!/?\s*{end}\}}\}}|\{{\{{)[^\"`])"
    return rf"\{{\{{{mark}\s*+(?P<slash>/?)\s*+(?P<name>[\w./-]+)(?P<args>{inside}*+)(?P<single>/?)\s*{end}\}}\}}"


def _named(pattern: str, prefix: str) -> str:
    return pattern.replace("(?P<", f"(?P<{prefix}_")


#: What code, a comment or a tag begins with.
_SPECIAL = re.compile(r"`+|~{3,}|<(?=!--|pre\b|code\b|script\b|style\b)|\{(?=[{%])", re.IGNORECASE)
#: In characters.
_FENCE = 3
_FENCED = re.compile(
    r"(?P<fence>`{3,}(?=[^`\n]*(?:\n|\Z))|~{3,}).*?(?:^[ \t>]*(?P=fence)|\Z)", re.MULTILINE | re.DOTALL
)
_SPAN = re.compile(r"(?P<ticks>`++)[^`]++(?P=ticks)(?!`)")
_HTML = re.compile(
    r"<!--.*?(?:-->|\Z)|<(?P<html>pre|code|script|style)\b[^<>]*>.*?(?:</(?P=html)\s*>|\Z)", re.IGNORECASE | re.DOTALL
)
_PATTERNS: Mapping[Language, tuple[str, ...]] = {
    "hugo": (
        r"(?P<escaped>\{\{(?P<mark>[<%])/\*(?P<shown>(?:(?!\*/|\{\{).)*+)\*/(?P<unmark>[>%])\}\})",
        _named(_shortcode("<", ">"), "a"),
        _named(_shortcode("%", "%"), "b"),
        r"(?P<broken>\{\{[<%](?:(?!\{\{|[>%]\}\}).)*+[>%]\}\})",
    ),
    "zola": (
        r"(?P<zescaped>\{(?P<zmark>[{%])/\*(?P<zshown>(?:(?!\*/|\{[{%]).)*+)\*/(?P<zunmark>[}%])\})",
        r"(?:\{\{|(?P<block>\{%))-?\s*+(?P<zname>[a-zA-Z_]\w*)\((?P<zargs>[^{}]*?)\)\s*-?(?(block)%\}|\}\})",
        r"(?P<zend>\{%-?\s*+end\s*-?%\})",
    ),
    "liquid": (
        r"\{%-?\s*+(?P<lname>\w+|\#)(?P<largs>(?:(?!\{%|%\}).)*?)-?%\}",
        r"(?P<output>\{\{-?(?P<expression>(?:(?!\{\{|\}\}|\{%).)*?)-?\}\})",
    ),
}
#: The marks with which tags begin.
_BEGINS = ("{{", "{%")


@lru_cache(maxsize=8)
def _pattern(languages: frozenset[Language]) -> re.Pattern[str]:
    patterns = [
        pattern for language in ("hugo", "zola", "liquid") if language in languages for pattern in _PATTERNS[language]
    ]
    return re.compile("|".join(patterns), re.DOTALL)


class Code(str):
    """Text in which tags are not rendered: code or a comment."""

    __slots__ = ()


_ESCAPED = re.compile(r"\{\{([<%])/\*((?:(?!\*/|\{\{).)*+)\*/([>%])\}\}", re.DOTALL)
_RAW = re.compile(r"\{%-?\s*(?:end)?raw\s*-?%\}")


def unescape_code(code: Code, languages: frozenset[Language]) -> str:
    """Return code without the marks by which generators, which read templates in code too, tell text from tags."""
    if "hugo" in languages and "/*" in code:
        return _ESCAPED.sub(r"{{\1\2\3}}", code)
    is_pair = "liquid" in languages and "endraw" in code and len(_RAW.findall(code)) > 1
    return _RAW.sub("", code) if is_pair else code


@dataclass(frozen=True, slots=True)
class Tag:
    """A template tag as it is written."""

    language: Language
    #: Empty for an output such as `{{ page.title }}`.
    name: str
    #: What is between the name and the end mark; of an output, its expression.
    arguments: str
    #: The whole tag.
    written: str
    #: Where it begins and ends in the text.
    start: int
    end: int
    #: True for an end tag.
    closes: bool = False
    #: False for a tag that cannot have an end tag.
    may_be_pair: bool = True
    #: The text between a tag and its end tag, for tags whose content is not read.
    content: str | None = None

    @property
    def kind(self) -> str:
        """The tag without its values, to name it in a warning."""
        if not self.name:
            return self.written if len(self.written) <= _LONGEST_KIND else f"{self.written[:_LONGEST_KIND]}…"
        if self.language == "hugo":
            return f"{self.written[:3]} {self.name} {'>' if self.written[2] == '<' else '%'}}}}}"
        if self.language == "zola":
            return f"{self.written[:2]} {self.name}() {'%}' if self.written[1] == '%' else '}}'}"
        return f"{{% {self.name} %}}"


_LONGEST_KIND = 40


def is_in(ranges: list[tuple[int, int]], at: int) -> bool:
    """Return whether a place is in one of *ranges*, which are in order and do not overlap."""
    n = bisect_right(ranges, at, key=lambda one: one[0]) - 1
    return n >= 0 and at < ranges[n][1]


def code_ranges(text: str) -> list[tuple[int, int]]:
    """Return where code and comments begin and end."""
    ranges: list[tuple[int, int]] = []
    at = 0
    for part in Tokenizer(text, frozenset()).tokens():
        if isinstance(part, str):
            if isinstance(part, Code):
                ranges.append((at, at + len(part)))
            at += len(part)
    return ranges


def replace_outside_code(
    pattern: re.Pattern[str],
    replacement: Callable[[re.Match[str]], str],
    text: str,
    *,
    place: Callable[[re.Match[str]], int] = re.Match.start,
) -> str:
    """Return *text* with what matches replaced, unless its *place*, by default its beginning, is in code."""
    if not pattern.search(text):
        return text
    code = code_ranges(text)
    return pattern.sub(lambda found: found[0] if is_in(code, place(found)) else replacement(found), text)


def without(_: re.Match[str]) -> str:
    """Return an empty text: the replacement of what is left out."""
    return ""


def may_have_tags(text: str, generator: str) -> bool:
    """Return whether a text may have template tags, or comments of Nunjucks; most posts have none."""
    if "{" not in text:
        return False
    return any(begin in text for begin in _BEGINS) or (generator == "eleventy" and "{#" in text)


@dataclass(frozen=True)
class Tokenizer:
    """Reads the tags of a text."""

    text: str
    languages: frozenset[Language]
    #: Tags whose content is not read, by language.
    verbatim: Mapping[Language, Collection[str]] = field(default_factory=dict)
    #: Tags of which no end tag follows.
    _unclosed: set[str] = field(default_factory=set)

    def tokens(self) -> Iterator[str | Tag]:
        """Yield the parts of the text in their order: text that is left alone, and tags."""
        at = searched = 0
        while special := _SPECIAL.search(self.text, searched):
            found = self._match(special)
            if found is None:
                searched = special.end()
                continue
            if found.start() > at:
                yield self.text[at : found.start()]
            token = self._token(found)
            yield token
            at = searched = token.end if isinstance(token, Tag) else found.end()
        yield self.text[at:]

    def _match(self, special: re.Match[str]) -> re.Match[str] | None:
        """Return the code, comment or tag that begins here."""
        at, mark = special.start(), special[0][0]
        if mark == "{":
            return None if not self.languages else _pattern(self.languages).match(self.text, at)
        if mark == "<":
            return _HTML.match(self.text, at)
        begin = self.text.rfind("\n", 0, at) + 1
        is_fence = len(special[0]) >= _FENCE and not self.text[begin:at].strip(" \t>")
        return (_FENCED.match(self.text, at) if is_fence else None) or _SPAN.match(self.text, at)

    def _token(self, found: re.Match[str]) -> str | Tag:
        if found[0][0] != "{":
            return Code(found[0])
        groups = found.groupdict()
        if groups.get("escaped"):
            return f"{{{{{groups['mark']}{groups['shown']}{groups['unmark']}}}}}"
        if groups.get("zescaped"):
            return f"{{{groups['zmark']}{groups['zshown']}{groups['zunmark']}}}"
        tag = _tag(found, groups)
        if self._is_in_indented_code(found.start()):
            return Code(found[0])
        if not tag.closes and tag.name in self.verbatim.get(tag.language, ()):
            return self._with_content(tag)
        return tag

    def _with_content(self, tag: Tag) -> Tag:
        """Return a tag with its content, up to its end tag."""
        if tag.name in self._unclosed:
            return tag
        end = _end_tag(tag.language, tag.name).search(self.text, tag.end)
        if end is None:
            self._unclosed.add(tag.name)
            return tag
        content = self.text[tag.end : end.start()]
        return Tag(tag.language, tag.name, tag.arguments, tag.written, tag.start, end.end(), content=content)

    def _is_in_indented_code(self, at: int) -> bool:
        begin = self.text.rfind("\n", 0, at) + 1
        if not self.text.startswith(("    ", "\t"), begin):
            return False
        return is_in(self._indented_code, begin)

    @cached_property
    def _indented_code(self) -> list[tuple[int, int]]:
        """The blocks of indented code (CommonMark section 4.4) outside of lists: where each begins and ends."""
        blocks: list[tuple[int, int]] = []
        at, after_blank, in_list, in_code = 0, True, False, False
        for line in self.text.splitlines(keepends=True):
            is_blank = not line.strip()
            if not is_blank:
                is_indented = line.startswith(("    ", "\t"))
                in_code = is_indented and not in_list and (after_blank or in_code)
                if in_code:
                    blocks.append((at, at + len(line)))
                elif not is_indented:
                    in_list = bool(_LIST_ITEM.match(line)) or (in_list and (line[0] == " " or not after_blank))
            after_blank = is_blank
            at += len(line)
        return blocks


_LIST_ITEM = re.compile(r" {0,3}(?:[-+*]|\d{1,9}[.)])[ \t]")


@lru_cache(maxsize=32)
def _end_tag(language: Language, name: str) -> re.Pattern[str]:
    if language == "hugo":
        return re.compile(rf"\{{\{{[<%]\s*/\s*{re.escape(name)}\s*[>%]\}}\}}")
    return re.compile(rf"\{{%-?\s*end{re.escape(name)}\b[^%]*%\}}")


def _tag(found: re.Match[str], groups: Mapping[str, str | None]) -> Tag:
    """Return the tag that was found."""
    place = (found[0], found.start(), found.end())
    if groups.get("a_name") or groups.get("b_name"):
        return _shortcode_tag(groups, place)
    if groups.get("broken"):
        return Tag("hugo", "", found[0][3:-3].strip(), *place, may_be_pair=False)
    if name := groups.get("zname"):
        return Tag("zola", name, groups["zargs"] or "", *place, may_be_pair=bool(groups["block"]))
    if groups.get("zend"):
        return Tag("zola", "end", "", *place, closes=True)
    if name := groups.get("lname"):
        closes = name.startswith("end") and len(name) > len("end")
        name = name.removeprefix("end") if closes else name
        return Tag("liquid", name, (groups["largs"] or "").strip(), *place, closes=closes)
    return Tag("liquid", "", (groups["expression"] or "").strip(), *place, may_be_pair=False)


def _shortcode_tag(groups: Mapping[str, str | None], place: tuple[str, int, int]) -> Tag:
    """Return a tag of Hugo; the names of its parts begin with `a` in `{{< >}}` and with `b` in `{{% %}}`."""
    prefix = "a" if groups.get("a_name") else "b"
    name, arguments = groups[f"{prefix}_name"] or "", (groups[f"{prefix}_args"] or "").strip()
    closes, may_be_pair = bool(groups[f"{prefix}_slash"]), not groups[f"{prefix}_single"]
    return Tag("hugo", name, arguments, *place, closes=closes, may_be_pair=may_be_pair)
