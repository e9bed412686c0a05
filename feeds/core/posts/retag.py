"""Other tags in the front matter of a post file, and no other byte changed.

A parser says where each tag stands: PyYAML's marks for YAML. Parsers of TOML and JSON keep no places, so they are
asked: each string that reads like a tag is replaced by a mark, and where the mark comes out is what the string was.
Afterwards the new file is read again: tags must be the new ones and everything else what it was, or the file is
refused.
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
from feeds.core.posts.parse import BOMS
from feeds.core.posts.vocabulary import KEYS, NESTED, normal_key
from feeds.errors import PostError

#: A tag as written -> the tag that should stand there.
Rename = Callable[[str], str]
#: Where a value stands in front matter: keys and places in lists.
_Place = tuple[str | int, ...]

_MARK = "\ue0f2"
_QUOTED = re.compile(r'"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'')


@dataclass(frozen=True, slots=True)
class _Scalar:
    """A string in front matter: where it begins and ends, and its value."""

    start: int
    end: int
    value: str


@dataclass(frozen=True, slots=True)
class _Edit:
    start: int
    end: int
    new: str


def retag(content: bytes, path: str, rename: Rename) -> bytes:
    """Return *content* with each of its tags as *rename* has it; a tag that then stands twice in a list goes.

    Nothing else changes: byte order mark, line ends, quotes, comments and spacing stay. Doing it again changes nothing,
    provided *rename* leaves its own results alone.

    Raises:
        PostError: the file has no front matter that can be read, or its tags stand there in a way that is not edited.
    """
    mark, encoding = next(((m, e) for m, e in BOMS if content.startswith(m)), (b"", "utf-8"))
    try:
        written = content[len(mark) :].decode(encoding)
    except UnicodeDecodeError as e:
        raise PostError(path, None, f"is not text: {e.reason}") from None
    plain = written.replace("\r\n", "\n").replace("\r", "\n")
    edits = list(_edits(plain, path, rename))
    if not edits:
        return content
    try:
        _check(plain, _applied(plain, edits), path, rename)
        doubled = _line_ends_of_two(written)
        moved = [_Edit(_moved(e.start, doubled), _moved(e.end, doubled), e.new) for e in edits]
        return mark + _applied(written, moved).encode(encoding)
    except UnicodeEncodeError:
        raise PostError(path, None, "a tag cannot be written in this file's encoding") from None


def _edits(plain: str, path: str, rename: Rename) -> Iterator[_Edit]:
    front = _Front(plain, path)
    for place in _tag_places(front.metadata):
        value = _at(front.metadata, place)
        if _renamed(value, rename) == value:
            continue
        found = front.locate(place)
        many = isinstance(value, list)
        wanted = [v for v in value if isinstance(v, str)] if many else [value]
        if [scalar.value for scalar in found] != wanted:
            line = plain.count("\n", 0, front.start) + 1
            raise PostError(path, line, f"{place[-1]}: is written in a way that is not edited here; change it by hand")
        yield from _list_edits(front, found, rename) if many else _line_edits(front, found[0], rename)


def _list_edits(front: "_Front", found: list[_Scalar], rename: Rename) -> Iterator[_Edit]:
    """Yield the edits of a list: new spellings; what then stands twice goes, with the comma or hyphen before it."""
    seen: set[str] = set()
    before: int | None = None
    for scalar in found:
        new = _spelled(scalar.value, rename)
        gap = "#" if before is None else front.text[before : scalar.start]
        if new in seen and "#" not in gap and before is not None:
            yield _Edit(before, scalar.end, "")
        elif new != scalar.value:
            yield _Edit(scalar.start, scalar.end, front.quoted(new, scalar, "- {}", "[{}]"))
        seen.add(new)
        before = scalar.end


def _line_edits(front: "_Front", scalar: _Scalar, rename: Rename) -> Iterator[_Edit]:
    new = _line(scalar.value, rename)
    if new.count(",") > scalar.value.count(","):
        reason = f"{new!r} would be read as several tags; make a list of it"
        raise PostError(front.path, front.text.count("\n", 0, scalar.start) + 1, reason)
    yield _Edit(scalar.start, scalar.end, front.quoted(new, scalar, "k: {}"))


def _spelled(value: str, rename: Rename) -> str:
    """Return what should stand for *value*: itself, entities and spaces included, where it reads as the right tag."""
    name = text.clean_line(value)
    new = rename(name) if name else name
    return value if new == name else new


def _line(value: str, rename: Rename) -> str:
    """Return a string of tags between commas, each once, with the spaces around them as they were."""
    trailing = len(value) - len(value.rstrip())
    parts: dict[str, str] = {}
    for part in value.split(","):
        new = _spelled(part, rename)
        name = text.clean_line(new)
        if new != part:
            new = part[: len(part) - len(part.lstrip())] + name + part[len(part.rstrip()) :]
        parts.setdefault(name, new)
    joined = ",".join(parts.values())
    return joined if trailing else joined.rstrip()


def _renamed(value: Any, rename: Rename) -> Any:
    """Return a value of front matter as it should be read afterwards, without what then stands twice."""
    if isinstance(value, str):
        changed = any(_spelled(part, rename) != part for part in value.split(","))
        return _line(value, rename) if changed else value
    if isinstance(value, list):
        new = [_spelled(v, rename) if isinstance(v, str) else v for v in value]
        return value if new == value else new
    return value


def _check(old: str, new: str, path: str, rename: Rename) -> None:
    """Refuse *new* unless it differs from *old* by its tags alone."""
    before, after = _Front(old, path), _Front(new, path)
    expected = before.metadata
    for place in _tag_places(expected):
        value, now = _at(expected, place), _at(after.metadata, place)
        wanted = _renamed(value, rename)
        same = (
            list(dict.fromkeys(map(str, wanted))) == list(dict.fromkeys(map(str, now)))
            if (isinstance(wanted, list) and isinstance(now, list))
            else wanted == now
        )
        if not same:
            raise PostError(path, None, "its tags cannot be changed without changing more; change them by hand")
        _put(expected, place, now)
    if expected != after.metadata or before.body != after.body:
        raise PostError(path, None, "its tags cannot be changed without changing more; change them by hand")


class _Front:
    """The front matter of a file with line feeds only, and where its strings stand."""

    def __init__(self, plain: str, path: str) -> None:
        start = len(plain) - len(plain.lstrip())
        self.kind = plain[start : start + 1]
        self.text, self.path = plain, path
        if self.kind == "{":
            self.start = start
            self.metadata, self.end = _json(plain, start, path)
            self.body = plain[self.end :]
        else:
            source = frontmatter.split_front_matter(plain, path)
            self.start = plain.index(source.front, start)
            self.end = self.start + len(source.front)
            self.metadata, self.body = source.metadata, source.body

    def locate(self, place: _Place) -> list[_Scalar]:
        """Return the strings at *place*, one or a list's; what cannot be located is left out."""
        found = self._by_marks(place) if self.kind == "-" else self._by_asking(place)
        return sorted(found, key=lambda scalar: scalar.start)

    def _by_marks(self, place: _Place) -> Iterator[_Scalar]:
        node = yaml.compose(self.text[self.start : self.end], Loader=handlers.Scalars)
        for name in place:
            pairs = node.value if isinstance(node, yaml.MappingNode) else []
            node = next((value for key, value in reversed(pairs) if key.value == name), None)
        inner = node.value if isinstance(node, yaml.SequenceNode) else [node]
        for scalar in inner:
            if isinstance(scalar, yaml.ScalarNode) and scalar.tag == "tag:yaml.org,2002:str":
                start, end = self.start + scalar.start_mark.index, self.start + scalar.end_mark.index
                raw = self.text[start:end]
                if "\n" not in raw and (raw[:1] == scalar.style if scalar.style else raw == scalar.value):
                    yield _Scalar(start, end, scalar.value)

    def _by_asking(self, place: _Place) -> Iterator[_Scalar]:
        value = _at(self.metadata, place)
        wanted = [v for v in value if isinstance(v, str)] if isinstance(value, list) else [value]
        at = self.start
        while found := _QUOTED.search(self.text, at, self.end):
            at = found.start() + 1  # the quote may be an apostrophe in a comment: every place is tried
            read = self._read(found[0])
            if read in wanted and self._is_at(found, place):
                yield _Scalar(found.start(), found.end(), read)
                at = found.end()

    def _is_at(self, found: re.Match[str], place: _Place) -> bool:
        marked = self.text[: found.start()] + f'"{_MARK}"' + self.text[found.end() : self.end]
        try:
            value = _at(self._load(marked[self.start :]), place)
        except (ValueError, LookupError, TypeError):
            return False
        return value == _MARK or (isinstance(value, list) and _MARK in value)

    def _read(self, quoted: str) -> str:
        try:
            read = self._load(f'{{"v": {quoted}}}' if self.kind == "{" else f"v = {quoted}")["v"]
        except ValueError:
            return ""
        return read if isinstance(read, str) else ""

    def _load(self, front: str) -> dict[str, Any]:
        loaded: dict[str, Any] = json.loads(front) if self.kind == "{" else tomllib.loads(front)
        return loaded

    def quoted(self, value: str, scalar: _Scalar, *shapes: str) -> str:
        """Return *value* in the quotes that *scalar* has; without any only if all *shapes* of YAML then keep it."""
        raw = self.text[scalar.start]
        if raw == "'" and (self.kind == "-" or "'" not in value):
            return "'" + (value.replace("'", "''") if self.kind == "-" else value) + "'"
        if raw not in "\"'" and all(_is_plain(value, shape) for shape in shapes):
            return value
        return json.dumps(value, ensure_ascii=False)  # its escapes are YAML's and TOML's too


def _json(plain: str, start: int, path: str) -> tuple[dict[str, Any], int]:
    try:
        found, end = json.JSONDecoder().raw_decode(plain, start)
    except (ValueError, RecursionError) as e:
        raise PostError(path, plain.count("\n", 0, start) + 1, f"broken front matter: {e}") from None
    return found, end


def _is_plain(value: str, shape: str) -> bool:
    """Return whether YAML 1.1, which most generators speak, reads *value* without quotes as this very text."""
    try:
        read = yaml.load(shape.format(value), Loader=yaml.CSafeLoader)
    except (yaml.YAMLError, ValueError):
        return False
    return read in ([value], {"k": value})


def _tag_places(metadata: dict[str, Any]) -> Iterator[_Place]:
    """Yield where tags stand: under every key that means tags, also in the tables some generators keep them in."""
    for key, value in metadata.items():
        if normal_key(key) in KEYS["tags"]:
            yield (key,)
        elif normal_key(key) in NESTED and isinstance(value, dict):
            yield from ((key, inner) for inner in value if normal_key(str(inner)) in KEYS["tags"])


def _at(metadata: Any, place: _Place) -> Any:
    for name in place:
        metadata = metadata[name]
    return metadata


def _put(metadata: Any, place: _Place, value: Any) -> None:
    _at(metadata, place[:-1])[place[-1]] = value


def _applied(written: str, edits: Iterable[_Edit]) -> str:
    for edit in sorted(edits, key=lambda edit: -edit.start):
        written = written[: edit.start] + edit.new + written[edit.end :]
    return written


def _line_ends_of_two(written: str) -> list[int]:
    """Return where, counted with line feeds only, the line ends of two bytes (CRLF) stand."""
    return [found.start() - number for number, found in enumerate(re.finditer("\r\n", written))]


def _moved(place: int, doubled: list[int]) -> int:
    return place + bisect_left(doubled, place)
