"""The forms of front matter: YAML, TOML, JSON, and Pelican's header lines.

Handlers in the manner of python-frontmatter's: each detects its form, splits it from the body and loads it. Loaded only
when a post is read, since PyYAML and python-frontmatter take as long to load as hundreds of posts take to read.
"""

import json
import re
import tomllib
from collections import Counter
from typing import Any

import yaml
from frontmatter.default_handlers import BaseHandler, YAMLHandler
from yaml._yaml import CParser
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

#: What parsers raise at what they cannot read, PyYAML's constructors at `!!timestamp foo` and its like included.
UNREADABLE = (yaml.YAMLError, ValueError, RecursionError, AttributeError, LookupError, TypeError)
#: Where handlers leave the keys that stand twice; no key of a post can be this.
REPEATED = "\0repeated"
_MOST_CHARACTERS = 100_000
_MOST_ALIASES = 20
_DEEPEST = 100
_MOST_VALUES = 10_000
#: Brackets in quotes do not nest, but telling them apart is the parser's work.
_MOST_BRACKETS = 2000
_ALIAS = re.compile(r"(?<![^\s\[\]{},:-])\*[^\s\[\]{},*]+")
_ANCHOR = re.compile(r"(?<![^\s\[\]{},:-])&[^\s\[\]{},&]+")


class Scalars(yaml.CSafeLoader):
    """YAML in which only `null`, `true` and `false` are more than text.

    YAML 1.1 would read the title `1.10` as 1.1, the slug `010` as 8, the language `no` as false and the date
    `2021-09-31` as an exception. What a value means depends on its key, so it is decided there.
    """

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - PyYAML's own way

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self.repeated: list[str] = []

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 - PyYAML's signature
        """Return the mapping; keys that stand twice are written down."""
        keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        if len(set(keys)) < len(keys):
            self.repeated += sorted(key for key, number in Counter(keys).items() if number > 1 and key != "<<")
        return super().construct_mapping(node, deep=deep)


Scalars.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"(?:~|null|Null|NULL|)$"), ["~", "n", "N", ""])
Scalars.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)
Scalars.add_implicit_resolver("tag:yaml.org,2002:merge", re.compile(r"<<$"), ["<"])


class _Unusual(Exception):  # noqa: N818 - not a fault, a reason to take the long way
    """There is more in this YAML than keys, texts and lists."""


class _Events:
    """YAML built from the parser's events: what `Scalars` gives, in a third of the time.

    Nearly all front matter is keys, texts and lists. Whatever else turns up (tags, anchors, aliases, merges, keys that
    are no scalars, a second document, an error) is `_Unusual` and left to `Scalars`, which knows what to make of it.
    """

    def __init__(self, front: str) -> None:
        self._parser = CParser(front)
        self._next = self._parser.get_event
        self.repeated: list[str] = []

    def mapping(self) -> dict[Any, Any]:
        """Return the one mapping there is."""
        try:
            self._next()
            if not isinstance(self._next(), DocumentStartEvent):
                raise _Unusual
            start = self._next()
            if type(start) is not MappingStartEvent or start.anchor or start.tag:
                raise _Unusual
            found = self._mapping()
            self._next()
            if type(self._next()) is not StreamEndEvent:
                raise _Unusual
        finally:
            self._parser.dispose()
        return found

    def _value(self, event: Any) -> Any:
        kind = type(event)
        if kind is AliasEvent or event.anchor or event.tag:
            raise _Unusual
        if kind is ScalarEvent:
            return _PLAIN.get(event.value, event.value) if event.implicit[0] else event.value
        if kind is SequenceStartEvent:
            found = []
            while type(event := self._next()) is not SequenceEndEvent:
                found.append(self._value(event))
            return found
        return self._mapping()

    def _mapping(self) -> dict[Any, Any]:
        found: dict[Any, Any] = {}
        keys = []
        while type(key := self._next()) is not MappingEndEvent:
            if type(key) is not ScalarEvent or key.value == "<<":
                raise _Unusual
            keys.append(key.value)
            found[self._value(key)] = self._value(self._next())
        if len(set(keys)) < len(keys):
            self.repeated += sorted(key for key, number in Counter(keys).items() if number > 1)
        return found


#: What is more than text where it stands without quotation marks.
_PLAIN: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


class _Yaml(YAMLHandler):
    """YAML between `---`, refused where python-frontmatter would shrug."""

    def split(self, text: str) -> tuple[str, str]:
        """Return front matter and body."""
        return _fenced(super().split, text, "---")

    def load(self, fm: str, **_: object) -> dict[str, Any]:
        """Return the mapping; keys that stand twice in it lie under `REPEATED`."""
        if problem := _too_much(fm):
            raise ValueError(problem)
        events = _Events(fm)
        try:
            found, repeated = events.mapping(), events.repeated
        except (_Unusual, yaml.YAMLError):
            found, repeated = _loaded(fm)
        return {**found, REPEATED: tuple(repeated)} if repeated else found


def _loaded(front: str) -> tuple[dict[Any, Any], list[str]]:
    """Return what PyYAML makes of *front*, and the keys that stand twice."""
    loader = Scalars(front)
    try:
        found = loader.get_single_data()
    finally:
        loader.dispose()
    if found is not None and not isinstance(found, dict):
        kind = "a list" if isinstance(found, list) else "one value"
        raise ValueError(f"it is {kind}, not keys with values")
    if "*" in front and _weight(found) > _MOST_VALUES:
        raise ValueError(f"its YAML aliases expand to more than {_MOST_VALUES:,} values")
    return found or {}, loader.repeated


def _fenced(split: Any, text: str, fence: str) -> tuple[str, str]:
    try:
        front, body = split(text)
    except ValueError:
        raise ValueError(f"the front matter has no closing {fence}") from None
    return front, body


class _Toml(BaseHandler):
    """TOML between `+++`; python-frontmatter has this only where the package `toml` happens to be installed."""

    FM_BOUNDARY = re.compile(r"^\+{3,}[ \t]*$", re.MULTILINE)
    START_DELIMITER = END_DELIMITER = "+++"

    def split(self, text: str) -> tuple[str, str]:
        """Return front matter and body."""
        return _fenced(super().split, text, "+++")

    def load(self, fm: str) -> dict[str, Any]:
        """Return the table; TOML lets no key stand twice."""
        return tomllib.loads(fm)


class _Json(BaseHandler):
    """A JSON object at the very beginning, as Hugo has it; the body begins on the line behind its closing brace."""

    FM_BOUNDARY = re.compile(r"(?=\{)")
    START_DELIMITER = END_DELIMITER = ""

    def detect(self, text: str) -> bool:
        """Return whether an object begins here, and no template tag."""
        return text.startswith("{") and not text.startswith(("{{", "{%"))

    def split(self, text: str) -> tuple[str, str]:
        """Return front matter and body."""
        try:
            _, end = _objects([]).raw_decode(text)
        except json.JSONDecodeError:
            return text, ""  # `load` will say what is wrong
        behind, line, body = text[end:].partition("\n")
        if behind.strip():
            raise ValueError(
                f"(at line {text.count(chr(10), 0, end) + 1}) {behind.strip()[:20]!r} stands behind the closing brace"
            )
        return text[:end], body if line else ""

    def load(self, fm: str) -> dict[str, Any]:
        """Return the object; numbers are text, keys that stand twice lie under `REPEATED`."""
        repeated: list[str] = []
        try:
            found, _ = _objects(repeated).raw_decode(fm)
        except json.JSONDecodeError as e:
            raise ValueError(f"(at line {e.lineno}) it is not JSON: {e.msg}") from None
        return {**found, REPEATED: tuple(repeated)} if repeated else dict(found)


def _objects(repeated: list[str]) -> json.JSONDecoder:
    """Return a decoder that notes keys that stand twice, and keeps numbers as they are written."""

    def made(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        counts = Counter(key for key, _ in pairs)
        repeated.extend(sorted(key for key, number in counts.items() if number > 1))
        return dict(pairs)

    return json.JSONDecoder(object_pairs_hook=made, parse_float=str, parse_int=str, parse_constant=str)


class _Headers(BaseHandler):
    """Pelican's header lines, up to the first line that is none (Python-Markdown's meta-data extension).

    A text may begin with a word and a colon by chance, so a `Title` must be among them.
    """

    FM_BOUNDARY = re.compile(r"(?=\w)")
    START_DELIMITER = END_DELIMITER = ""
    _LINE = re.compile(r"[ ]{0,3}([A-Za-z0-9_-]+):[ \t]*(.*)")
    _MORE = re.compile(r"[ ]{4,}(.*\S.*)")
    #: What holds several names, between semicolons or else commas.
    _LISTS = frozenset({"tags", "keywords", "authors", "author"})

    def detect(self, text: str) -> bool:
        """Return whether these are header lines with a title."""
        first, _, _ = text.partition("\n")
        return self._LINE.fullmatch(first) is not None and "title" in self.load(self.split(text)[0])

    def split(self, text: str) -> tuple[str, str]:
        """Return front matter and body."""
        end = 0
        for line in text.splitlines(keepends=True):
            bare = line.rstrip("\n")
            if not (self._LINE.fullmatch(bare) or (end and self._MORE.fullmatch(bare))):
                break
            end += len(line)
        return text[:end].removesuffix("\n"), text[end:]

    def load(self, fm: str) -> dict[str, Any]:
        """Return the headers, by their names in lower case."""
        found: dict[str, list[str]] = {}
        values: list[str] = []
        for line in fm.split("\n"):
            if header := self._LINE.fullmatch(line):
                values = found.setdefault(header[1].lower(), [])
                values.append(header[2].strip())
            else:
                values.append(line.strip())
        texts = {key: " ".join(filter(None, lines)) for key, lines in found.items()}
        return {key: _names(text) if key in self._LISTS else text for key, text in texts.items()}


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(";" if ";" in text else ",") if name.strip()]


#: In the order in which they are asked whether a text is theirs.
HANDLERS: tuple[BaseHandler, ...] = (
    _Yaml(fm_boundary=re.compile(r"^-{3,}[ \t]*$", re.MULTILINE)),
    _Toml(),
    _Json(),
    _Headers(),
)


def _too_much(front: str) -> str | None:
    """Return why *front* is not even given to the YAML parser, or None."""
    if len(front) > _MOST_CHARACTERS:
        return f"longer than {_MOST_CHARACTERS:,} characters"
    if "&" in front and "*" in front and _ANCHOR.search(front) and len(_ALIAS.findall(front)) > _MOST_ALIASES:
        return f"more than {_MOST_ALIASES} YAML aliases, which could expand without end"
    if front.count("[") + front.count("{") > _MOST_BRACKETS:
        return f"more than {_MOST_BRACKETS:,} brackets, nested or not"
    if front.count("[") + front.count("{") > _DEEPEST or front.count("- ") + front.count("? ") >= _DEEPEST:
        depth = deepest = 0
        for character in front:
            depth += (character in "[{") - (character in "]}")
            deepest = max(deepest, depth)
        if deepest > _DEEPEST or re.search(rf"(?:[-?] +){{{_DEEPEST},}}", front):
            return f"nested more than {_DEEPEST} levels deep"
    return None


def _weight(value: Any) -> int:
    """Return how many values *value* holds, counted again where an alias repeats them, at most just over the limit."""
    count, todo = 0, [value]
    while todo and count <= _MOST_VALUES:
        here = todo.pop()
        inner = list(here.values()) if isinstance(here, dict) else here if isinstance(here, list) else []
        count += 1 + len(inner)
        todo += [i for i in inner if isinstance(i, dict | list)]
    return count


def place(error: Exception) -> tuple[int, str]:
    """Return the line inside the file (the fence is line 1) and the reason of a parser's error."""
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        return error.problem_mark.line + 1, error.problem or "not YAML"
    if isinstance(error, RecursionError):
        return 1, f"nested more than {_DEEPEST} levels deep"
    if found := re.search(r"\(at line (\d+)(?:, column \d+)?\)", str(error)):
        return int(found[1]), str(error).replace(found[0], "").strip()
    return 1, str(error).splitlines()[0]
