"""How metadata stands at the head of a post file.

Built on python-frontmatter's handlers. What they do silently wrong is refused here: a list as front matter, a missing
closing fence and broken YAML leave no metadata behind and no error (python-frontmatter 1.3.0), dates that cannot be
raise a bare ValueError, and libyaml ends the process on deep nesting.

Apart from `feeds.core.posts.frontmatter` because the libraries behind it take longer to load than a publish in which
nothing has changed takes altogether.
"""

import json
import re
import tomllib
from collections import Counter
from collections.abc import Iterable
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

#: What the parsers raise: PyYAML's constructors at `!!timestamp foo` and its like, all at what nests too deeply.
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
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLS = {word: value for value in (True, False) for word in (str(value), str(value).lower(), str(value).upper())}
#: The plain scalars that are more than text.
_PLAIN: dict[str, bool | None] = {**dict.fromkeys(_NULLS), **_BOOLS}


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


class Fenced(BaseHandler):
    """Metadata between two fences."""

    FM_BOUNDARY: re.Pattern[str]
    #: The same behind a line break, which is searched for faster than the beginning of a line.
    closing: re.Pattern[str]

    def split(self, text: str) -> tuple[str, str]:
        """Return the metadata's text and what follows the closing fence.

        Raises:
            ValueError: there is no closing fence.
        """
        opened = self.FM_BOUNDARY.match(text)
        closed = opened and self.closing.search(text, opened.end())
        if not opened or not closed:
            raise ValueError(f"it has no closing {self.END_DELIMITER}")
        return text[opened.end() : closed.start() + 1], text[closed.end() :]


class Yaml(Fenced):
    """YAML between `---`, refused where python-frontmatter would shrug."""

    FM_BOUNDARY = re.compile(r"-{3,}[ \t]*$", re.MULTILINE)
    closing = re.compile(r"\n-{3,}[ \t]*$", re.MULTILINE)
    START_DELIMITER = END_DELIMITER = "---"

    def load(self, fm: str) -> dict[str, Any]:
        """Return the mapping; keys that stand twice in it lie under `REPEATED`."""
        if problem := _too_much(fm):
            raise ValueError(problem)
        found = load_fast(fm)
        return load_full(fm) if found is None else found


def load_fast(front: str) -> dict[str, Any] | None:
    """Return the mapping in *front* as `whole` would; None where it is no ordinary one, or broken.

    PyYAML's resolver and constructors take longer than its parser, and ordinary front matter has no use for them: so
    this takes the parser's events as they come. Whatever could mean more than it says - a tag,
    an anchor, an alias, `<<`, a key that stands twice or is a list, a second document - is left to `whole`.
    """
    next_event = yaml.CSafeLoader(front).get_event
    try:
        next_event(), next_event()  # the stream begins, the document begins
        first = next_event()
        if type(first) is not MappingStartEvent or first.anchor or first.tag:
            return None
        found = _mapping(next_event)
        if found is None:
            return None
        next_event()  # the document ends
        return found if type(next_event()) is StreamEndEvent else None
    except yaml.YAMLError:
        return None


def _mapping(next_event: Any) -> dict[str, Any] | None:  # noqa: C901, PLR0912 - a call for each event costs as much as it
    """Return the mapping that has just begun, or None; not recursive, since the depth is the post's."""
    found: dict[str, Any] = {}
    outer: list[tuple[Any, Any]] = []
    #: A mapping whose next event is a key if `key` is None; a list if `add` is set.
    here: Any = found
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
                return found
            here, add = outer.pop()
        else:
            return None


def load_full(front: str) -> dict[str, Any]:
    """Return the mapping in *front*, whatever it makes use of; keys that stand twice lie under `REPEATED`.

    Raises:
        yaml.YAMLError | ValueError: it is broken, no mapping, or grows beyond reason.
    """
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
    return {**(found or {}), REPEATED: tuple(loader.repeated)}


class Toml(Fenced):
    """TOML between `+++`; python-frontmatter has this only where the package `toml` happens to be installed."""

    FM_BOUNDARY = re.compile(r"\+{3,}[ \t]*$", re.MULTILINE)
    closing = re.compile(r"\n\+{3,}[ \t]*$", re.MULTILINE)
    START_DELIMITER = END_DELIMITER = "+++"

    def load(self, fm: str) -> dict[str, Any]:
        """Return the table; TOML lets no key stand twice."""
        return tomllib.loads(fm)


class Json(BaseHandler):
    """A JSON object at the very start, as Hugo has it; the text begins on the line below its closing brace.

    python-frontmatter wants each brace on a line of its own, and takes the first such line for the end.
    """

    FM_BOUNDARY = re.compile(r"{(?=\s*[\"}])")
    START_DELIMITER, END_DELIMITER = "{", "}"

    def split(self, text: str) -> tuple[str, str]:
        """Return the object's text and what follows it; everything and nothing where it is broken.

        Raises:
            ValueError: something follows the closing brace on its line.
        """
        try:
            _, end = json.JSONDecoder().raw_decode(text)
        except json.JSONDecodeError:
            return text, ""
        behind, _, _ = text[end:].partition("\n")
        if behind.strip():
            raise json.JSONDecodeError("the text must begin on the line below the closing brace", text, end)
        return text[:end], text[end + len(behind) :]

    def load(self, fm: str) -> dict[str, Any]:
        """Return the object, numbers as they were written; keys that stand twice in it lie under `REPEATED`."""
        if _bracket_depth(fm) > _DEEPEST:
            raise RecursionError
        repeated: list[str] = []

        def mapping(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
            repeated.extend(sorted(key for key, number in Counter(key for key, _ in pairs).items() if number > 1))
            return dict(pairs)

        found = json.loads(fm, object_pairs_hook=mapping, parse_float=str, parse_int=str, parse_constant=str)
        return {**found, REPEATED: tuple(repeated)}


class Headers(BaseHandler):
    """Pelican's lines of `Title: …` up to the first blank one, in the syntax of Python-Markdown's Meta-Data extension.

    Any text may begin with a word and a colon, so only lines with a title among them count.
    """

    FM_BOUNDARY = re.compile(r"((?: {0,3}[\w-]+:[^\n]*(?:\n|\Z)(?: {4,}\S[^\n]*(?:\n|\Z))*)+)(?:[ \t]*\n|\Z)", re.ASCII)
    START_DELIMITER = END_DELIMITER = ""
    _TITLE = re.compile(r"^ {0,3}title:[ \t]*\S", re.MULTILINE | re.IGNORECASE)
    _HEADER = re.compile(r"^ {0,3}([\w-]+):(.*(?:\n {4,}.*)*)", re.MULTILINE | re.ASCII)

    def detect(self, text: str) -> bool:
        """Return whether *text* begins with such lines, a title among them."""
        found = self.FM_BOUNDARY.match(text)
        return found is not None and self._TITLE.search(found[1]) is not None

    def split(self, text: str) -> tuple[str, str]:
        """Return the lines and what follows the blank one."""
        found = self.FM_BOUNDARY.match(text)
        return (found[1], text[found.end() :]) if found else ("", text)

    def load(self, fm: str) -> dict[str, Any]:
        """Return the values, those of several lines as one; keys that stand twice lie under `REPEATED`."""
        return _with_repeated((key, " ".join(value.split())) for key, value in self._HEADER.findall(fm))


class HtmlHead(BaseHandler):
    """The `head` of an HTML document: its title, and a `meta` element for each other key, as Pelican has it."""

    FM_BOUNDARY = re.compile(r"(?:<!doctype[^>]*>\s*)?<(?:html|head)\b", re.IGNORECASE)
    START_DELIMITER, END_DELIMITER = "<head>", "</head>"
    _END = re.compile(r"</head\s*>(?:\s*<body\b[^>]*>)?", re.IGNORECASE)
    _BEHIND = re.compile(r"</body\s*>\s*(?:</html\s*>\s*)?\Z", re.IGNORECASE)

    def split(self, text: str) -> tuple[str, str]:
        """Return the head and what is in the body.

        Raises:
            ValueError: the head is not closed.
        """
        end = self._END.search(text)
        if not end:
            raise ValueError("it has no closing </head>")
        behind = self._BEHIND.search(text, end.end())
        return text[: end.end()], text[end.end() : behind.start() if behind else len(text)]

    def load(self, fm: str) -> dict[str, Any]:
        """Return title, language and `meta` elements by their names; names that stand twice lie under `REPEATED`."""
        from lxml.html import document_fromstring  # noqa: PLC0415 - few posts are whole documents

        if len(fm) > _MOST_CHARACTERS:
            raise ValueError(f"longer than {_MOST_CHARACTERS:,} characters")
        root = document_fromstring(fm)
        named = ((meta.get("name"), meta.get("content", meta.get("contents"))) for meta in root.iter("meta"))
        found = _with_repeated((name, value) for name, value in named if name and value is not None)
        return {"title": root.findtext(".//title"), "lang": root.get("lang"), **found}


def _with_repeated(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Return Pelican's metadata: names in lower case, tags and authors as lists, what stands twice under `REPEATED`."""
    named = [(name.lower(), value) for name, value in pairs]
    repeated = sorted(name for name, number in Counter(name for name, _ in named).items() if number > 1)
    lists = {*KEYS["tags"], *KEYS["authors"]}
    found = {name: _listed(value) if name in lists else value for name, value in named}
    return {**found, REPEATED: tuple(repeated)}


def _listed(value: str) -> list[str]:
    """Return the names in *value*: between semicolons, so that names may hold commas, else between commas."""
    return [name.strip() for name in value.split(";" if ";" in value else ",") if name.strip()]


_ANYWHERE: tuple[BaseHandler, ...] = (Yaml(), Toml(), Json(), Headers())
_HTML_HEAD = HtmlHead()


def find_handler(text: str, path: str) -> BaseHandler | None:
    """Return the handler for the metadata at the very start of *text*, or None where there is none."""
    for found in _ANYWHERE:
        if found.detect(text):
            return found
    return _HTML_HEAD if path.lower().endswith(".html") and _HTML_HEAD.detect(text) else None


def error_position(error: Exception) -> tuple[int, str]:
    """Return the line inside the file (the fence is line 1) and the reason of a parser's error."""
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        return error.problem_mark.line + 1, error.problem or "not YAML"
    if isinstance(error, json.JSONDecodeError):
        return error.lineno, f"{error.msg} (column {error.colno})"
    if isinstance(error, RecursionError):
        return 1, f"nested more than {_DEEPEST} levels deep"
    if found := re.search(r"\(at line (\d+), column \d+\)", str(error)):
        return int(found[1]), str(error).removesuffix(found[0]).strip()
    return 1, str(error).splitlines()[0]


def _too_much(front: str) -> str | None:
    """Return why *front* is not even given to the YAML parser, or None."""
    if len(front) > _MOST_CHARACTERS:
        return f"longer than {_MOST_CHARACTERS:,} characters"
    if "&" in front and "*" in front and _ANCHOR.search(front) and len(_ALIAS.findall(front)) > _MOST_ALIASES:
        return f"more than {_MOST_ALIASES} YAML aliases, which could expand without end"
    brackets = front.count("[") + front.count("{")
    if brackets > _MOST_BRACKETS:
        return f"more than {_MOST_BRACKETS:,} brackets, nested or not"
    if (brackets > _DEEPEST and _bracket_depth(front) > _DEEPEST) or _is_hole_of_dashes(front):
        return f"nested more than {_DEEPEST} levels deep"
    return None


def _bracket_depth(front: str) -> int:
    depth = deepest = 0
    for character in front:
        depth += (character in "[{") - (character in "]}")
        deepest = max(deepest, depth)
    return deepest


def _is_hole_of_dashes(front: str) -> bool:
    """Return whether lists or keys nest by marks on one line, deeper than a parser should go."""
    if front.count("- ") + front.count("? ") < _DEEPEST:
        return False
    return re.search(rf"(?:[-?] +){{{_DEEPEST},}}", front) is not None


def _weight(value: Any) -> int:
    """Return how many values *value* holds, counted again where an alias repeats them, at most just over the limit."""
    count, todo = 0, [value]
    while todo and count <= _MOST_VALUES:
        here = todo.pop()
        inner = list(here.values()) if isinstance(here, dict) else here if isinstance(here, list) else []
        count += 1 + len(inner)
        todo += [i for i in inner if isinstance(i, dict | list)]
    return count
