"""Patterns for the addresses of posts: our placeholders in braces, and the notations of Jekyll, Hugo and Hexo.

What the placeholders of one post are is decided in `feeds.core.posts.addresses`. Sources: the pages on permalinks of
jekyllrb.com, gohugo.io and hexo.io, and Jekyll's `lib/jekyll/configuration.rb` (`STYLE_TO_PERMALINK`) for its styles.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Literal

from feeds.spelling import closest_name

#: The site generators whose rules for addresses, lists and authors are known.
GeneratorName = Literal["none", "jekyll", "hugo", "zola", "eleventy", "hexo", "astro", "docusaurus", "pelican"]
#: The values of `posts.generator`.
GeneratorChoice = Literal["auto", GeneratorName]
#: The text before a placeholder, and the field that it stands for; the last field is empty.
Part = tuple[str, str]

_DAYS = ("year", "month", "day")
_TIMES = ("hour", "minute", "second")
_JEKYLL_DATES = (
    *("i_month", "i_day", "short_year", "short_month", "long_month", "y_day"),
    *("week", "w_year", "w_day", "short_day", "long_day"),
)
#: The fields that may be written in braces.
FIELDS = (
    *(*_DAYS, "slug", "name", "title", "stem", "path", "folder", "section", "category", "categories", "lang"),
    *(*_TIMES, *_JEKYLL_DATES),
)
#: A pattern needs one of these, or all posts of a day would have one address.
_NAMES = frozenset(
    {"slug", "name", "title", "stem", "path", "lower_name", "file_slug", "only_title", "file_part", "slug_or_file"}
    | {"post_title", "hash"}
)
#: Generator -> placeholder in its notation -> field.
_NOTATIONS: dict[str, dict[str, str]] = {
    "jekyll": {name: name for name in (*_DAYS, *_TIMES, *_JEKYLL_DATES, "categories", "slugified_categories", "path")}
    | {
        "title": "name",
        "slug": "lower_name",
        "name": "file_slug",
        "collection": "collection",
        "output_ext": "html_extension",
    },
    "hugo": {name: name for name in (*_DAYS, "section", "sections")}
    | {"monthname": "lower_month", "weekday": "weekday", "weekdayname": "lower_weekday", "yearday": "yearday"}
    | {"title": "only_title", "slug": "title", "filename": "file_part", "contentbasename": "file_part"}
    | {"slugorfilename": "slug_or_file", "slugorcontentbasename": "slug_or_file"},
    "hexo": {name: name for name in (*_DAYS, *_TIMES, "i_month", "i_day", "name", "post_title", "hash")}
    | {"title": "path", "category": "last_category"},
}
#: Jekyll's styles by name; `:categories` is empty for most posts.
STYLES: Mapping[str, str] = {
    "date": "/:categories/:year/:month/:day/:title:output_ext",
    "pretty": "/:categories/:year/:month/:day/:title/",
    "ordinal": "/:categories/:year/:y_day/:title:output_ext",
    "weekdate": "/:categories/:year/W:week/:short_day/:title:output_ext",
    "none": "/:categories/:title:output_ext",
}
#: The parts of Go's date formats that a word may have, longest first, and what they stand for; "" for those that would
#: tell no day (`nextStdChunk` of Go's time/format.go). Hugo's addresses are in lower case.
_GO_FIELDS = {
    "2006": "year",
    "06": "short_year",
    "January": "lower_month",
    "Jan": "lower_short_month",
    "Monday": "lower_weekday",
    "Mon": "lower_short_day",
    "002": "y_day",
    "01": "month",
    "02": "day",
    "04": "minute",
    "05": "second",
    "15": "hour",
    "1": "i_month",
    "2": "i_day",
}
_GO_FIELD = re.compile("|".join(_GO_FIELDS))
#: Of the 12-hour clock, without a leading zero, or of zones: rare in addresses.
_OTHER_GO_FIELD = re.compile(r"[0345]|MST|PM|pm|_2")
#: Hugo: a part of the folders, `:sections[1:]`.
_SLICE = re.compile(r"\[(?:\d+|last)?:?(?:\d+|last)?\]")
_BRACES = re.compile(r"{([^{}]*)}")
#: In the front matter a placeholder begins a part of the path: `/talk:rust/` is an address.
_COLON_AFTER_SLASH = re.compile(r"(?:^|/):(?:[A-Za-z_]|(?:2006|0[126]|[12])(?!\d))")
_COLON = re.compile(r":(\w+)")


def is_notation(pattern: str) -> bool:
    """Return whether *pattern* has placeholders such as `:year`, or is one of Jekyll's styles."""
    return pattern in STYLES or ("{" not in pattern and _COLON.search(pattern) is not None)


def has_placeholder(written: str) -> bool:
    """Return whether an address in the front matter is a pattern such as `/:year/x/`."""
    return _COLON_AFTER_SLASH.search(written) is not None


def check_pattern(pattern: str, generator: GeneratorName) -> None:
    """Check a pattern for the addresses of many posts.

    Raises:
        ValueError: it has a placeholder that is not known, or none that tells posts apart; the reason is for people.
    """
    if not any(field in _NAMES or field.startswith("key:") for _, field in parse_pattern(pattern, generator)):
        names = "{slug}, {name}, {title}, {stem} or {path}"
        raise ValueError(f"needs {names}; otherwise posts of one day would share a URL")


def parse_pattern(pattern: str, generator: GeneratorName) -> tuple[Part, ...]:
    """Return the parts of a pattern. A field of Hexo's front matter is `key:<name>`.

    Raises:
        ValueError: it has a placeholder that is not known; the reason is for people.
    """
    if is_notation(pattern):
        return tuple(_parse_notation(STYLES.get(pattern, pattern), "jekyll" if pattern in STYLES else generator))
    return tuple(_parse_braces(pattern))


def _parse_braces(pattern: str) -> Iterator[Part]:
    if not pattern.startswith("/"):
        raise ValueError("must start with a slash; the site's url comes before it")
    *pairs, end = _BRACES.split(pattern)
    for literal, name in zip(pairs[::2], pairs[1::2], strict=True):
        if name not in FIELDS:
            close = closest_name(name, FIELDS)
            known = ", ".join(f"{{{field}}}" for field in FIELDS)
            hint = f"did you mean {{{close}}}?" if close else f"use one of: {known}"
            raise ValueError(f"{{{name}}} is not a known placeholder; {hint}")
        yield literal, name
    yield end, ""


def _parse_notation(pattern: str, generator: GeneratorName) -> Iterator[Part]:
    if generator not in _NOTATIONS:
        raise ValueError(
            "placeholders such as :title mean something else in Jekyll, Hugo and Hexo; set posts.generator,"
            " or write {name}, {title} or {path}"
        )
    if generator == "hugo":
        yield "/", "language_folder"
    rest = "/" + pattern.lstrip("/")
    while found := _COLON.search(rest):
        name, parts = _find_parts(rest, found, generator)
        before, rest = rest[: found.start()], rest[found.start(1) + len(name) :]
        literal, field = next(parts)
        yield _as_written(before, generator) + literal, field
        yield from parts
    yield _as_written(rest, generator), ""


def _find_parts(pattern: str, found: re.Match[str], generator: GeneratorName) -> tuple[str, Iterator[Part]]:
    """Return the placeholder that is *found* in a pattern, and the parts that it stands for."""
    if generator == "hugo" and found[1] not in _NOTATIONS["hugo"]:
        parts = _go_parts(found[1])
        if parts:
            return found[1], iter(parts)
    name, field = _find_field(found[1], generator)
    if generator == "hugo" and field == "sections" and (cut := _SLICE.match(pattern, found.end())):
        return name + cut[0], iter([("", field + cut[0])])
    return name, iter([("", field)])


def _go_parts(layout: str) -> list[Part]:
    """Return the parts of a date format of Go, such as `2006` or `Jan`; none if it is not one that is known."""
    parts, end = [], 0
    for found in _GO_FIELD.finditer(layout):
        parts.append((layout[end : found.start()].lower(), _GO_FIELDS[found[0]]))
        end = found.end()
    rest = _GO_FIELD.sub("", layout)
    return (
        []
        if not parts or _OTHER_GO_FIELD.search(rest)
        else [*parts, *([(layout[end:].lower(), "")] if layout[end:] else [])]
    )


def _as_written(literal: str, generator: GeneratorName) -> str:
    """Return the fixed text of a pattern; Hugo puts whole addresses in lower case."""
    return literal.lower() if generator == "hugo" else literal


def _find_field(word: str, generator: GeneratorName) -> tuple[str, str]:
    """Return the placeholder at the beginning of *word*, and its field. An underscore after it may be text."""
    known = _NOTATIONS[generator]
    for name in (word, word.rstrip("_")):
        if name in known:
            return name, known[name]
    if generator == "hexo":
        return word, f"key:{word}"
    close = closest_name(word, known)
    names = ", ".join(f":{name}" for name in known)
    hint = f"did you mean :{close}?" if close else f"use one of: {names}; or write {{name}}, {{title}} or {{path}}"
    raise ValueError(f":{word} is not a placeholder that is known of {generator.capitalize()}; {hint}")
