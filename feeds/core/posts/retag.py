"""Replacing the tags in the front matter of a post file, and no other byte.

A parser locates each tag. PyYAML gives the position of every value. The parsers of TOML and JSON do not, so each
string that could be the tag is replaced by a marker and the text is parsed again: the string is the tag if the marker
is then found under the tag's keys. Finally the new file is parsed, and refused unless only its tags have changed.
"""

import json
import re
import tomllib
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from feeds.core.posts import frontmatter, handlers, text
from feeds.core.posts.vocabulary import KEYS, NESTED, normal_key
from feeds.errors import PostError

#: A tag -> the tag that replaces it.
Rename = Callable[[str], str]
#: The keys that lead to a value of front matter.
_Keys = tuple[str, ...]

_MARKER = "\ue0f2"
#: The front matter is parsed again for each tag, up to so many characters; more tags have to be changed by hand.
_MOST_PARSED = 2_000_000
_QUOTED = re.compile(r'"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'')


@dataclass(frozen=True, slots=True)
class _Scalar:
    """A string in front matter: its start, its end and its value."""

    start: int
    end: int
    value: str


@dataclass(frozen=True, slots=True)
class _Edit:
    start: int
    end: int
    new: str


def retag(content: bytes, path: str, rename: Rename) -> bytes:
    """Return *content* with each tag replaced by *rename* of it; a tag that a list then repeats is removed.

    Nothing else changes: byte order mark, line ends, quotes, comments and spacing stay. Doing it again changes nothing,
    if *rename* returns its own results unchanged.

    Raises:
        PostError: the front matter is missing or broken, or its tags are written in a way that cannot be edited.
    """
    mark, encoding = frontmatter.detect_bom(content)
    try:
        written = content[len(mark) :].decode(encoding)
    except UnicodeDecodeError as e:
        raise PostError(path, None, f"is not text: {e.reason}") from None
    plain = written.replace("\r\n", "\n").replace("\r", "\n")
    edits = list(_plan_edits(plain, path, rename))
    if not edits:
        return content
    try:
        _check_result(plain, _apply_edits(plain, edits), path, rename)
        pairs = _crlf_positions(written)
        shifted = [_Edit(_shift(e.start, pairs), _shift(e.end, pairs), e.new) for e in edits]
        return mark + _apply_edits(written, shifted).encode(encoding)
    except UnicodeEncodeError:
        raise PostError(path, None, "a tag cannot be written in this file's encoding") from None


def _plan_edits(plain: str, path: str, rename: Rename) -> Iterator[_Edit]:
    front = _FrontMatter(plain, path)
    for keys in _tag_keys(front.metadata):
        value = _get(front.metadata, keys)
        if _rename_value(value, rename) == value:
            continue
        scalars = front.locate(keys)
        is_list = isinstance(value, list)
        expected = [v for v in value if isinstance(v, str)] if is_list else [value]
        if [scalar.value for scalar in scalars] != expected:
            line = plain.count("\n", 0, front.start) + 1
            raise PostError(path, line, f"{keys[-1]}: is written in a way that cannot be edited; change it by hand")
        yield from _edit_list(front, scalars, rename) if is_list else _edit_line(front, scalars[0], rename)


def _edit_list(front: "_FrontMatter", scalars: list[_Scalar], rename: Rename) -> Iterator[_Edit]:
    """Yield the edits of a list: new tags, and removals of repeated ones with the comma or hyphen before them."""
    seen: set[str] = set()
    before: int | None = None
    for scalar in scalars:
        new = _rename_tag(scalar.value, rename)
        gap = "#" if before is None else front.text[before : scalar.start]
        if new in seen and "#" not in gap and before is not None:
            yield _Edit(before, scalar.end, "")
        elif new != scalar.value:
            yield _Edit(scalar.start, scalar.end, front.quote(new, scalar, "- {}", "[{}]"))
        seen.add(new)
        before = scalar.end


def _edit_line(front: "_FrontMatter", scalar: _Scalar, rename: Rename) -> Iterator[_Edit]:
    """Yield the edit of a string of tags."""
    new = _rename_line(scalar.value, rename)
    if new.count(",") > scalar.value.count(","):
        reason = f"{new!r} would be read as several tags; make a list of it"
        raise PostError(front.path, front.text.count("\n", 0, scalar.start) + 1, reason)
    yield _Edit(scalar.start, scalar.end, front.quote(new, scalar, "k: {}"))


def _rename_tag(value: str, rename: Rename) -> str:
    """Return the new tag for *value*; *value* itself, entities and spaces included, if its tag stays."""
    name = text.clean_line(value)
    new = rename(name) if name else name
    return value if new == name else new


def _rename_line(value: str, rename: Rename) -> str:
    """Return a string of comma-separated tags renamed, each once, with the spaces around them kept."""
    has_trailing_space = value != value.rstrip()
    parts: dict[str, str] = {}
    for part in value.split(","):
        new = _rename_tag(part, rename)
        name = text.clean_line(new)
        if new != part:
            new = part[: len(part) - len(part.lstrip())] + name + part[len(part.rstrip()) :]
        parts.setdefault(name, new)
    joined = ",".join(parts.values())
    return joined if has_trailing_space else joined.rstrip()


def _rename_value(value: Any, rename: Rename) -> Any:
    """Return the value that front matter should have after the edit; lists with repeated tags."""
    if isinstance(value, str):
        changes = any(_rename_tag(part, rename) != part for part in value.split(","))
        return _rename_line(value, rename) if changes else value
    if isinstance(value, list):
        new = [_rename_tag(v, rename) if isinstance(v, str) else v for v in value]
        return value if new == value else new
    return value


def _check_result(old: str, new: str, path: str, rename: Rename) -> None:
    """Raise a PostError unless *new* differs from *old* only by its tags."""
    before, after = _FrontMatter(old, path), _FrontMatter(new, path)
    expected = before.metadata
    for keys in _tag_keys(expected):
        value, actual = _get(expected, keys), _get(after.metadata, keys)
        renamed = _rename_value(value, rename)
        is_same = (
            list(dict.fromkeys(map(str, renamed))) == list(dict.fromkeys(map(str, actual)))
            if (isinstance(renamed, list) and isinstance(actual, list))
            else renamed == actual
        )
        if not is_same:
            raise PostError(path, None, "its tags cannot be changed without changing more; change them by hand")
        _set(expected, keys, actual)
    if expected != after.metadata or before.body != after.body:
        raise PostError(path, None, "its tags cannot be changed without changing more; change them by hand")


class _FrontMatter:
    """The front matter of a file with line feeds only, and the positions of its strings."""

    def __init__(self, plain: str, path: str) -> None:
        start = len(plain) - len(plain.lstrip())
        self.kind = plain[start : start + 1]
        self.text, self.path = plain, path
        if self.kind == "{":
            self.start = start
            self.metadata, self.end = _load_json(plain, start, path)
            self.body = plain[self.end :]
        else:
            source = frontmatter.split_front_matter(plain, path)
            self.start = plain.index(source.front, start)
            self.end = self.start + len(source.front)
            self.metadata, self.body = source.metadata, source.body

    def locate(self, keys: _Keys) -> list[_Scalar]:
        """Return the string that *keys* lead to, or the strings of a list, as far as they can be located, in order."""
        scalars = self._locate_in_yaml(keys) if self.kind == "-" else self._locate_by_parsing(keys)
        return sorted(scalars, key=lambda scalar: scalar.start)

    def _locate_in_yaml(self, keys: _Keys) -> Iterator[_Scalar]:
        node = yaml.compose(self.text[self.start : self.end], Loader=handlers.TextLoader)
        for name in keys:
            pairs = node.value if isinstance(node, yaml.MappingNode) else []
            node = next((value for key, value in reversed(pairs) if key.value == name), None)
        inner = node.value if isinstance(node, yaml.SequenceNode) else [node]
        for scalar in inner:
            if isinstance(scalar, yaml.ScalarNode) and scalar.tag == "tag:yaml.org,2002:str":
                start, end = self.start + scalar.start_mark.index, self.start + scalar.end_mark.index
                raw = self.text[start:end]
                if "\n" not in raw and (raw[:1] == scalar.style if scalar.style else raw == scalar.value):
                    yield _Scalar(start, end, scalar.value)

    def _locate_by_parsing(self, keys: _Keys) -> Iterator[_Scalar]:
        value = _get(self.metadata, keys)
        expected = [v for v in value if isinstance(v, str)] if isinstance(value, list) else [value]
        position, parsed = self.start, 0
        while (quoted := _QUOTED.search(self.text, position, self.end)) and parsed < _MOST_PARSED:
            position = quoted.start() + 1  # the quote may be an apostrophe in a comment, so every quote is tried
            string = self._unquote(quoted[0])
            if string not in expected:
                continue
            parsed += self.end - self.start
            if self._is_at(quoted, keys):
                yield _Scalar(quoted.start(), quoted.end(), string)
                position = quoted.end()

    def _is_at(self, quoted: re.Match[str], keys: _Keys) -> bool:
        """Return whether *quoted* is the value that *keys* lead to, or one of its list."""
        marked = self.text[: quoted.start()] + f'"{_MARKER}"' + self.text[quoted.end() : self.end]
        try:
            value = _get(self._load(marked[self.start :]), keys)
        except (ValueError, LookupError, TypeError):
            return False
        return value == _MARKER or (isinstance(value, list) and _MARKER in value)

    def _unquote(self, quoted: str) -> str:
        try:
            string = self._load(f'{{"v": {quoted}}}' if self.kind == "{" else f"v = {quoted}")["v"]
        except ValueError:
            return ""
        return string if isinstance(string, str) else ""

    def _load(self, front: str) -> dict[str, Any]:
        loaded: dict[str, Any] = json.loads(front) if self.kind == "{" else tomllib.loads(front)
        return loaded

    def quote(self, value: str, scalar: _Scalar, *templates: str) -> str:
        """Return *value* in the quotes of *scalar*; unquoted only if *value* can be so in all *templates* of YAML."""
        first = self.text[scalar.start]
        if first == "'" and (self.kind == "-" or "'" not in value):
            return "'" + (value.replace("'", "''") if self.kind == "-" else value) + "'"
        if first not in "\"'" and all(_is_plain(value, template) for template in templates):
            return value
        return json.dumps(value, ensure_ascii=False)  # YAML and TOML have the same escapes


def _load_json(plain: str, start: int, path: str) -> tuple[dict[str, Any], int]:
    try:
        metadata, end = json.JSONDecoder().raw_decode(plain, start)
    except (ValueError, RecursionError) as e:
        raise PostError(path, plain.count("\n", 0, start) + 1, f"broken front matter: {e}") from None
    return metadata, end


def _is_plain(value: str, template: str) -> bool:
    """Return whether unquoted *value* is this same text in YAML 1.1, which most generators use."""
    try:
        loaded = yaml.load(template.format(value), Loader=yaml.CSafeLoader)
    except (yaml.YAMLError, ValueError):
        return False
    return loaded in ([value], {"k": value})


def _tag_keys(metadata: dict[str, Any]) -> Iterator[_Keys]:
    """Yield the keys of each value that holds tags, also those in the tables of Zola and Hugo."""
    for key, value in metadata.items():
        if normal_key(key) in KEYS["tags"]:
            yield (key,)
        elif normal_key(key) in NESTED and isinstance(value, dict):
            yield from ((key, inner) for inner in value if normal_key(str(inner)) in KEYS["tags"])


def _get(metadata: Any, keys: _Keys) -> Any:
    for name in keys:
        metadata = metadata[name]
    return metadata


def _set(metadata: Any, keys: _Keys, value: Any) -> None:
    _get(metadata, keys[:-1])[keys[-1]] = value


def _apply_edits(written: str, edits: Iterable[_Edit]) -> str:
    for edit in sorted(edits, key=lambda edit: -edit.start):
        written = written[: edit.start] + edit.new + written[edit.end :]
    return written


def _crlf_positions(written: str) -> list[int]:
    """Return the positions of CRLF line ends in the text in which each of them is one line feed."""
    return [found.start() - number for number, found in enumerate(re.finditer("\r\n", written))]


def _shift(position: int, crlf_positions: list[int]) -> int:
    """Return the position in the text as written of one in the text with line feeds only."""
    return position + bisect_left(crlf_positions, position)
