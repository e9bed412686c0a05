"""The text of a post file -> its metadata and its body.

Built on python-frontmatter's handlers. What they do silently wrong is refused here: a list as front matter, a missing
closing fence and broken YAML leave no metadata behind and no error (python-frontmatter 1.3.0), dates that cannot be
raise a bare ValueError, and libyaml ends the process on deep nesting.
"""

import re
import tomllib
from collections import Counter
from dataclasses import dataclass
from typing import Any

import yaml
from frontmatter.default_handlers import BaseHandler, YAMLHandler

from feeds.errors import PostError

#: What PyYAML's constructors raise at `!!timestamp foo` and its like, and both parsers at what nests too deeply.
_UNREADABLE = (ValueError, RecursionError, AttributeError, LookupError, TypeError)
_MOST_CHARACTERS = 100_000
_MOST_ALIASES = 20
_DEEPEST = 100
_MOST_VALUES = 10_000
#: Brackets in quotes do not nest, but telling them apart is the parser's work.
_MOST_BRACKETS = 2000
#: Where the YAML handler leaves the keys that stand twice; no key of a post can be this.
_REPEATED = "\0repeated"
_ALIAS = re.compile(r"(?<![^\s\[\]{},:-])\*[^\s\[\]{},*]+")
_ANCHOR = re.compile(r"(?<![^\s\[\]{},:-])&[^\s\[\]{},&]+")


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """A post file taken apart."""

    metadata: dict[str, Any]
    #: Everything after the closing fence.
    body: str
    #: The front matter's text and where it begins, to find the line of a key.
    front: str
    front_line: int
    #: Keys that stand twice; the last one counts.
    repeated_keys: tuple[str, ...] = ()

    @property
    def body_line(self) -> int:
        """The line on which the body begins."""
        return self.front_line + self.front.count("\n") + 1

    def line_of(self, key: str) -> int:
        """Return the line on which *key* stands, or the one where the front matter begins."""
        found = re.search(rf"^[ \t]*[\"']?{re.escape(key)}[\"']?[ \t]*[:=]", self.front, re.MULTILINE | re.IGNORECASE)
        return self.front_line + (self.front.count("\n", 0, found.start()) if found else 0)


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


class _Yaml(YAMLHandler):
    """YAML between `---`, refused where python-frontmatter would shrug."""

    def load(self, fm: str, **_: object) -> dict[str, Any]:
        """Return the mapping; keys that stand twice in it lie under `_REPEATED`."""
        if problem := _too_much(fm):
            raise ValueError(problem)
        loader = Scalars(fm)
        try:
            found = loader.get_single_data()
        finally:
            loader.dispose()
        if found is not None and not isinstance(found, dict):
            kind = "a list" if isinstance(found, list) else "one value"
            raise ValueError(f"it is {kind}, not keys with values")
        if "*" in fm and _weight(found) > _MOST_VALUES:
            raise ValueError(f"its YAML aliases expand to more than {_MOST_VALUES:,} values")
        return {**(found or {}), _REPEATED: tuple(loader.repeated)}


class _Toml(BaseHandler):
    """TOML between `+++`; python-frontmatter has this only where the package `toml` happens to be installed."""

    FM_BOUNDARY = re.compile(r"^\+{3,}[ \t]*$", re.MULTILINE)
    START_DELIMITER = END_DELIMITER = "+++"

    def load(self, fm: str) -> dict[str, Any]:
        """Return the table; TOML lets no key stand twice."""
        return tomllib.loads(fm)


_HANDLERS: tuple[tuple[str, BaseHandler], ...] = (
    ("---", _Yaml(fm_boundary=re.compile(r"^-{3,}[ \t]*$", re.MULTILINE))),
    ("+++", _Toml()),
)


def split(text: str, path: str) -> Source:
    """Return *text* taken apart; it has line feeds only and no byte order mark.

    Raises:
        PostError: there is no front matter, or it is broken or not a mapping.
    """
    start = len(text) - len(text.lstrip())
    blank = text.count("\n", 0, start)
    for fence, handler in _HANDLERS:
        if handler.detect(text[start:]):
            return _taken_apart(text[start:], path, fence, handler, blank)
    raise PostError(path, blank + 1, "no front matter; the first line must be --- (YAML) or +++ (TOML)")


def _taken_apart(text: str, path: str, fence: str, handler: BaseHandler, blank: int) -> Source:
    try:
        front, body = handler.split(text)
    except ValueError:
        raise PostError(path, blank + 1, f"the front matter has no closing {fence}") from None
    try:
        found = handler.load(front)
    except (yaml.YAMLError, *_UNREADABLE) as e:
        line, reason = _place(e)
        raise PostError(path, blank + line, f"broken front matter: {reason}") from e
    repeated = found.pop(_REPEATED, ())
    metadata = {str(key): value for key, value in found.items()}
    return Source(
        metadata=metadata,
        body=body.removeprefix("\n"),
        front=front,
        front_line=blank + 1,
        repeated_keys=repeated,
    )


def _too_much(front: str) -> str | None:
    """Return why *front* is not even given to the YAML parser, or None."""
    if len(front) > _MOST_CHARACTERS:
        return f"longer than {_MOST_CHARACTERS:,} characters"
    if "&" in front and "*" in front and _ANCHOR.search(front) and len(_ALIAS.findall(front)) > _MOST_ALIASES:
        return f"more than {_MOST_ALIASES} YAML aliases, which could expand without end"
    if front.count("[") + front.count("{") > _MOST_BRACKETS:
        return f"more than {_MOST_BRACKETS:,} brackets, nested or not"
    if front.count("[") + front.count("{") > _DEEPEST or re.search(rf"(?:[-?] +){{{_DEEPEST},}}", front):
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


def _place(error: Exception) -> tuple[int, str]:
    """Return the line inside the file (the fence is line 1) and the reason of a parser's error."""
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        return error.problem_mark.line + 1, error.problem or "not YAML"
    if isinstance(error, RecursionError):
        return 1, f"nested more than {_DEEPEST} levels deep"
    if found := re.search(r"\(at line (\d+), column \d+\)", str(error)):
        return int(found[1]), str(error).removesuffix(found[0]).strip()
    return 1, str(error).splitlines()[0]
