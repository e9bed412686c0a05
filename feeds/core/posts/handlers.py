"""The formats of front matter: YAML, TOML, JSON, Pelican's header lines and the head of an HTML document.

Built on python-frontmatter's handlers, with errors where those go on silently: for a list as front matter, a missing
closing fence and broken YAML they return no metadata and raise nothing (python-frontmatter 1.3.0). Impossible dates
raise a bare ValueError there, and libyaml ends the process on deep nesting.

This is apart from `feeds.core.posts.frontmatter` because importing these libraries takes longer than a whole publish
that finds nothing changed.
"""

import json
import re
import tomllib
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import yaml
from frontmatter.default_handlers import BaseHandler
from yaml.events import (
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from feeds.core.posts.vocabulary import KEYS

#: Everything the parsers raise: PyYAML's constructors on `!!timestamp foo` and the like, all of them on deep nesting.
UNREADABLE = (yaml.YAMLError, ValueError, RecursionError, AttributeError, LookupError, TypeError)
#: The metadata key under which handlers put the keys that occur twice; no post can have such a key.
REPEATED = "\0repeated"
_MAX_CHARACTERS = 100_000
_MAX_ALIASES = 20
_MAX_DEPTH = 100
_MAX_VALUES = 10_000
#: Characters of a value with quotes that an error message shows.
_MAX_SHOWN = 100
#: Brackets in quotes do not nest, but only the parser can recognise them.
_MAX_BRACKETS = 2000
#: A line with a key and a value that may be meant as text: not a date or number, nor a list whose end is missing.
_VALUE = re.compile(
    r"(?P<key>[ \t-]*(?P<name>[\w-]+)[ \t]*[:=][ \t]+)"
    r"(?=(?:[\[{][^\]}]*[\]}])?[^\[{\n]*[^\W\d_TZ])(?P<value>\S.*?)[ \t]*"
)
_ALIAS = re.compile(r"(?<![^\s\[\]{},:-])\*[^\s\[\]{},*]+")
_ANCHOR = re.compile(r"(?<![^\s\[\]{},:-])&[^\s\[\]{},&]+")
#: A key of TOML with too many parts; tomllib copies the parts before each one.
_DOTTED_KEY = re.compile(
    rf"""(?<![\w-])(?:(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+){{{_MAX_DEPTH}}}""", re.ASCII
)
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLS = {word: value for value in (True, False) for word in (str(value), str(value).lower(), str(value).upper())}
#: The plain scalars that are not text.
_PLAIN: dict[str, bool | None] = {**dict.fromkeys(_NULLS), **_BOOLS}


class TextLoader(yaml.CSafeLoader):
    """YAML in which all scalars are text, except `null`, `true` and `false`.

    YAML 1.1 would read the title `1.10` as 1.1, the slug `010` as 8 and the language `no` as false, and would raise on
    the date `2021-09-31`. The meaning of a value depends on its key, so it is decided by those who know the key.
    """

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - as PyYAML has it

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self.repeated: list[str] = []

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 - PyYAML's signature
        """Return the mapping, and collect its repeated keys."""
        keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        if len(set(keys)) < len(keys):
            self.repeated += (key for key in _repeated(keys) if key != "<<")
        return super().construct_mapping(node, deep=deep)


TextLoader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"(?:~|null|Null|NULL|)$"), ["~", "n", "N", ""])
TextLoader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)
TextLoader.add_implicit_resolver("tag:yaml.org,2002:merge", re.compile(r"<<$"), ["<"])


class UnquotedValueError(ValueError):
    """A value that cannot be parsed unless it is put into quotes."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        #: As in `error_position`.
        self.line = line


class Fenced(BaseHandler):
    """Metadata between two fences."""

    FM_BOUNDARY: re.Pattern[str]
    #: The closing fence with the line break before it, which is found faster than a line start.
    closing: re.Pattern[str]

    def split(self, text: str) -> tuple[str, str]:
        """Return the text of the metadata and the text after the closing fence.

        Raises:
            ValueError: the closing fence is missing.
        """
        opening = self.FM_BOUNDARY.match(text)
        closing = opening and self.closing.search(text, opening.end())
        if not opening or not closing:
            raise ValueError(f"it has no closing {self.END_DELIMITER}")
        return text[opening.end() : closing.start() + 1], text[closing.end() :]

    def load(self, fm: str) -> dict[str, Any]:
        """Return the metadata, its repeated keys under `REPEATED`.

        Raises:
            UnquotedValueError: it is broken, and quotes around one value would fix it.
            yaml.YAMLError | ValueError: it is broken, not a mapping, or too large.
        """
        try:
            return self.parse(fm)
        except (yaml.YAMLError, ValueError) as e:
            _raise_if_unquoted(fm, e, self.parse)
            raise

    def parse(self, front: str) -> dict[str, Any]:
        """Return the metadata as `load` does, with the parser's own errors."""
        raise NotImplementedError


class Yaml(Fenced):
    """YAML between `---`, or from `---` to `...` as in Jekyll and Pandoc."""

    FM_BOUNDARY = re.compile(r"-{3,}[ \t]*$", re.MULTILINE)
    closing = re.compile(r"\n(?:-{3,}|\.{3}(?![ \t]*\n-{3,}[ \t]*$))[ \t]*$", re.MULTILINE)
    START_DELIMITER = END_DELIMITER = "---"

    def parse(self, front: str) -> dict[str, Any]:
        """Return the mapping, its repeated keys under `REPEATED`.

        Raises:
            yaml.YAMLError | ValueError: it is broken, not a mapping, or too large.
        """
        if excess := _check_limits(front):
            raise ValueError(excess)
        metadata = load_fast(front)
        return load_full(front) if metadata is None else metadata


class UnfencedYaml(Yaml):
    """YAML up to `---` without a fence before it, as Hexo allows.

    Any text may begin with a word and a colon, so the lines must include a title, and a blank line must be followed by
    a key: other text there is that of a post with Pelican's lines.
    """

    FM_BOUNDARY = re.compile(
        r"(?P<front>(?=[A-Za-z][\w-]*:)(?:[ \t]*+\S[^\n]*\n|(?:[ \t]*\n)++(?=[a-z][\w-]*:[ \t\n]))+?)-{3,}[ \t]*$",
        re.MULTILINE | re.ASCII,
    )
    START_DELIMITER = ""
    _TITLE = re.compile(r"^title:[ \t]*\S", re.MULTILINE | re.IGNORECASE)

    def detect(self, text: str) -> bool:
        """Return whether *text* begins with such lines, including a title."""
        found = self.FM_BOUNDARY.match(text)
        return found is not None and self._TITLE.search(found["front"]) is not None

    def split(self, text: str) -> tuple[str, str]:
        """Return the lines and the text after the closing fence."""
        found = self.FM_BOUNDARY.match(text)
        return (found["front"], text[found.end() :]) if found else ("", text)


def load_fast(front: str) -> dict[str, Any] | None:
    """Return the same mapping as `load_full`, faster; None if *front* is broken or needs `load_full`.

    PyYAML's resolver and constructors take longer than its parser, and most front matter does not need them, so this
    builds the mapping from the parser's events. It leaves tags, anchors, aliases, `<<`, repeated keys, keys that are
    lists and second documents to `load_full`.
    """
    next_event = yaml.CSafeLoader(front).get_event
    try:
        next_event(), next_event()  # the stream begins, the document begins
        first = next_event()
        if type(first) is not MappingStartEvent or first.anchor or first.tag:
            return None
        mapping = _build_mapping(next_event)
        if mapping is None:
            return None
        next_event()  # the document ends
        return mapping if type(next_event()) is StreamEndEvent else None
    except yaml.YAMLError:
        return None


def _build_mapping(next_event: Any) -> dict[str, Any] | None:  # noqa: C901, PLR0912 - calls per event cost time
    """Return the mapping that has just begun, or None. Not recursive, since a post may nest deeply."""
    mapping: dict[str, Any] = {}
    outer: list[tuple[Any, Any]] = []
    #: The innermost mapping, whose next event is a key if `key` is None; or the innermost list, if `add` is set.
    here: Any = mapping
    add: Any = None
    key: Any = None
    while True:
        event = next_event()
        kind = type(event)
        if kind is ScalarEvent:
            value = event.value
            if event.anchor or event.tag:
                return None
            plain = event.implicit[0]
            if add:
                add(_PLAIN.get(value, value) if plain else value)
            elif key is None:
                if value in here or (plain and (value in _PLAIN or value == "<<")):
                    return None
                key = value
            else:
                here[key] = _PLAIN.get(value, value) if plain else value
                key = None
        elif kind is MappingStartEvent or kind is SequenceStartEvent:
            if event.anchor or event.tag:
                return None
            inner: Any = {} if kind is MappingStartEvent else []
            if add:
                add(inner)
            elif key is None:
                return None
            else:
                here[key] = inner
                key = None
            outer.append((here, add))
            here, add = inner, (inner.append if kind is SequenceStartEvent else None)
        elif kind is MappingEndEvent or kind is SequenceEndEvent:
            if not outer:
                return mapping
            here, add = outer.pop()
        else:
            return None


def load_full(front: str) -> dict[str, Any]:
    """Return the mapping in *front*, all of YAML allowed; its repeated keys are under `REPEATED`.

    Raises:
        yaml.YAMLError | ValueError: it is broken, not a mapping, or its aliases expand to too many values.
    """
    loader = TextLoader(front)
    try:
        metadata = loader.get_single_data()
    finally:
        loader.dispose()
    if metadata is not None and not isinstance(metadata, dict):
        kind = "a list" if isinstance(metadata, list) else "one value"
        raise ValueError(f"it is {kind}, not keys with values")
    if "*" in front and _count_values(metadata) > _MAX_VALUES:
        raise ValueError(f"its YAML aliases expand to more than {_MAX_VALUES:,} values")
    return {**(metadata or {}), REPEATED: tuple(loader.repeated)}


class Toml(Fenced):
    """TOML between `+++`; python-frontmatter supports it only if the package `toml` is installed."""

    FM_BOUNDARY = re.compile(r"\+{3,}[ \t]*$", re.MULTILINE)
    closing = re.compile(r"\n\+{3,}[ \t]*$", re.MULTILINE)
    START_DELIMITER = END_DELIMITER = "+++"

    def parse(self, front: str) -> dict[str, Any]:
        """Return the table; repeated keys are errors in TOML.

        Raises:
            ValueError | RecursionError: it is broken, or nested too deeply.
        """
        if front.count(".") > _MAX_DEPTH and _DOTTED_KEY.search(front):
            raise RecursionError
        return tomllib.loads(front)


class Json(BaseHandler):
    """A JSON object at the very start, as in Hugo; the body begins on the line after its closing brace.

    python-frontmatter requires each brace alone on its line, and takes the first such line for the end.
    """

    FM_BOUNDARY = re.compile(r"{(?=\s*[\"}])")
    START_DELIMITER, END_DELIMITER = "{", "}"

    def split(self, text: str) -> tuple[str, str]:
        """Return the text of the object and the text after it.

        Raises:
            ValueError | RecursionError: the object is broken, or more text follows on the line of its closing brace.
        """
        _, end = json.JSONDecoder().raw_decode(text)
        rest_of_line, _, _ = text[end:].partition("\n")
        if rest_of_line.strip():
            raise json.JSONDecodeError("the text must begin on the line below the closing brace", text, end)
        return text[:end], text[end + len(rest_of_line) :]

    def load(self, fm: str) -> dict[str, Any]:
        """Return the object, numbers as text; its repeated keys are under `REPEATED`.

        Raises:
            ValueError | RecursionError: it is broken, or nested too deeply.
        """
        if _bracket_depth(fm) > _MAX_DEPTH:
            raise RecursionError
        repeated: list[str] = []

        def to_dict(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
            repeated.extend(_repeated(key for key, _ in pairs))
            return dict(pairs)

        metadata = json.loads(fm, object_pairs_hook=to_dict, parse_float=str, parse_int=str, parse_constant=str)
        return {**metadata, REPEATED: tuple(repeated)}


class Headers(BaseHandler):
    """Pelican's lines such as `Title: …` before the first blank line (Python-Markdown's Meta-Data extension).

    Any text may begin with a word and a colon, so the lines must include a title.
    """

    FM_BOUNDARY = re.compile(r"((?: {0,3}[\w-]+:[^\n]*(?:\n|\Z)(?: {4,}\S[^\n]*(?:\n|\Z))*)+)(?:[ \t]*\n|\Z)", re.ASCII)
    START_DELIMITER = END_DELIMITER = ""
    _TITLE = re.compile(r"^ {0,3}title:[ \t]*\S", re.MULTILINE | re.IGNORECASE)
    _HEADER = re.compile(r"^ {0,3}([\w-]+):(.*(?:\n {4,}.*)*)", re.MULTILINE | re.ASCII)

    def detect(self, text: str) -> bool:
        """Return whether *text* begins with such lines, including a title."""
        found = self.FM_BOUNDARY.match(text)
        return found is not None and self._TITLE.search(found[1]) is not None

    def split(self, text: str) -> tuple[str, str]:
        """Return the lines and the text after the blank line."""
        found = self.FM_BOUNDARY.match(text)
        return (found[1], text[found.end() :]) if found else ("", text)

    def load(self, fm: str) -> dict[str, Any]:
        """Return the metadata, values of several lines joined; its repeated keys are under `REPEATED`."""
        return _to_metadata((key, " ".join(value.split())) for key, value in self._HEADER.findall(fm))


class HtmlHead(BaseHandler):
    """The `head` of an HTML document: its title, and a `meta` element for each other key, as in Pelican."""

    FM_BOUNDARY = re.compile(r"(?:<!doctype[^>]*>\s*)?<(?:html|head)\b", re.IGNORECASE)
    START_DELIMITER, END_DELIMITER = "<head>", "</head>"
    _END = re.compile(r"</head\s*>(?:\s*<body\b[^>]*>)?", re.IGNORECASE)
    _BODY_END = re.compile(r"</body\s*>\s*(?:</html\s*>\s*)?\Z", re.IGNORECASE)

    def split(self, text: str) -> tuple[str, str]:
        """Return the head and the content of the body.

        Raises:
            ValueError: the head is not closed.
        """
        end = self._END.search(text)
        if not end:
            raise ValueError("it has no closing </head>")
        body_end = self._BODY_END.search(text, end.end())
        return text[: end.end()], text[end.end() : body_end.start() if body_end else len(text)]

    def load(self, fm: str) -> dict[str, Any]:
        """Return title, language and `meta` elements by name; repeated names are under `REPEATED`."""
        from lxml.html import document_fromstring

        root = document_fromstring(fm)
        named = ((meta.get("name"), meta.get("content", meta.get("contents"))) for meta in root.iter("meta"))
        metadata = _to_metadata((name, value) for name, value in named if name and value is not None)
        return {"title": root.findtext(".//title"), "lang": root.get("lang"), **metadata}


def _to_metadata(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Return Pelican's metadata: names in lower case, tags and authors as lists, repeated names under `REPEATED`."""
    named = [(name.lower(), value) for name, value in pairs]
    lists = {*KEYS["tags"], *KEYS["authors"]}
    metadata = {name: _split_names(value) if name in lists else value for name, value in named}
    return {**metadata, REPEATED: tuple(_repeated(name for name, _ in named))}


def _split_names(value: str) -> list[str]:
    """Return the names in *value*, separated by semicolons if it has any (names may contain commas), else by commas."""
    return [name.strip() for name in value.split(";" if ";" in value else ",") if name.strip()]


def _repeated(keys: Iterable[str]) -> list[str]:
    return sorted(key for key, number in Counter(keys).items() if number > 1)


_ANY_FILE: tuple[BaseHandler, ...] = (Yaml(), Toml(), Json(), UnfencedYaml(), Headers())
_HTML_HEAD = HtmlHead()


def find_handler(text: str, path: str) -> BaseHandler | None:
    """Return the handler for the front matter at the start of *text*; None without front matter."""
    for handler in _ANY_FILE:
        if handler.detect(text):
            return handler
    return _HTML_HEAD if path.lower().endswith(".html") and _HTML_HEAD.detect(text) else None


def error_position(error: Exception) -> tuple[int, str]:
    """Return the line (the opening fence is line 1) and the reason of a parser's error."""
    if isinstance(error, UnquotedValueError):
        return error.line, str(error)
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        return error.problem_mark.line + 1, error.problem or "not YAML"
    if isinstance(error, json.JSONDecodeError):
        return error.lineno, f"{error.msg} (column {error.colno})"
    if isinstance(error, RecursionError):
        return 1, f"nested more than {_MAX_DEPTH} levels deep"
    if found := re.search(r"\(at line (\d+), column \d+\)", str(error)):
        return int(found[1]), str(error).removesuffix(found[0]).strip()
    return 1, str(error).splitlines()[0]


def _raise_if_unquoted(front: str, error: Exception, parse: Callable[[str], Any]) -> None:
    """Raise an `UnquotedValueError` if *error* goes away, or further down, with quotes around the value at its line."""
    line, reason = error_position(error)
    context = getattr(error, "context_mark", None)
    lines = front.split("\n")
    for at in dict.fromkeys((line, context.line + 1 if context else line)):
        found = _VALUE.fullmatch(lines[at - 1]) if at <= len(lines) else None
        if found is None:
            continue
        quoted = found["key"] + json.dumps(_without_quotes(found["value"]), ensure_ascii=False)
        try:
            parse("\n".join((*lines[: at - 1], quoted, *lines[at:])))
        except UNREADABLE as e:
            if error_position(e)[0] <= at or error_position(e) == (line, reason):
                continue
        shown = f": {quoted.strip()}" if len(quoted) <= _MAX_SHOWN else ""
        raise UnquotedValueError(at, f"{reason}; put the {found['name']} into quotes{shown}") from error


def _without_quotes(value: str) -> str:
    """Return a value that cannot be parsed without the quote that is not closed, or the two that hold another one."""
    quote, number = value[0], value.count(value[0])
    if quote not in "'\"" or number % 2 == 0:
        return value
    if number == 1:
        return value[1:]
    return value[1:-1] if value[-1] == quote else value


def check_length(front: str) -> None:
    """Check that *front* is not too long for its parser; some take time that grows with the square of its length.

    Raises:
        ValueError: it is too long.
    """
    if len(front) > _MAX_CHARACTERS:
        raise ValueError(f"longer than {_MAX_CHARACTERS:,} characters; move what is not about the post out of it")


def _check_limits(front: str) -> str | None:
    """Return the limit that *front* exceeds, so that the YAML parser must not see it; None if it exceeds none."""
    if "&" in front and "*" in front and _ANCHOR.search(front) and len(_ALIAS.findall(front)) > _MAX_ALIASES:
        return f"more than {_MAX_ALIASES} YAML aliases, which could expand without end"
    brackets = front.count("[") + front.count("{")
    if brackets > _MAX_BRACKETS:
        return f"more than {_MAX_BRACKETS:,} brackets, nested or not"
    if (brackets > _MAX_DEPTH and _bracket_depth(front) > _MAX_DEPTH) or _nests_by_marks(front):
        return f"nested more than {_MAX_DEPTH} levels deep"
    return None


def _bracket_depth(front: str) -> int:
    depth = deepest = 0
    for character in front:
        depth += (character in "[{") - (character in "]}")
        deepest = max(deepest, depth)
    return deepest


def _nests_by_marks(front: str) -> bool:
    """Return whether lists or keys are nested too deeply by marks on one line, such as `- - - x`."""
    if front.count("- ") + front.count("? ") < _MAX_DEPTH:
        return False
    return re.search(rf"(?:[-?] +){{{_MAX_DEPTH},}}", front) is not None


def _count_values(value: Any) -> int:
    """Return the number of values in *value*, repeated ones included; counting stops just above the limit."""
    count, todo = 0, [value]
    while todo and count <= _MAX_VALUES:
        here = todo.pop()
        inner = list(here.values()) if isinstance(here, dict) else here if isinstance(here, list) else []
        count += 1 + len(inner)
        todo += [i for i in inner if isinstance(i, dict | list)]
    return count
