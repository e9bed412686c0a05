"""The text of a new `feeds.toml`: the reference of all keys, with the values that are known."""

import json
import re
from collections.abc import Iterator, Mapping

#: Tables of the reference that are examples as a whole.
_EXAMPLES = re.compile(r"\[\[|\[categories\.")
_KEY_LINE = re.compile(r"(?:# )?(\w+) = ")
_TABLE_LINE = re.compile(r"(# )?(\[+)([\w.\"]+)")
_TRAILING = re.compile(r'((?:# )?(?:"(?:[^"\\]|\\.)*"|[^"#])*(?<=\S)) +(# .*)')
Value = str | Mapping[str, str]


def fill_reference(reference: str, values: Mapping[str, Value]) -> str:
    """Return the reference of all keys with only *values* set, by table and key: every other key is a comment.

    A value that is a table is written in place of its table in the reference (`feeds.moved`), or in one line.
    """
    return "\n".join(_fill_lines(reference, values)) + "\n"


def _fill_lines(reference: str, values: Mapping[str, Value]) -> Iterator[str]:
    table = ""
    is_example = is_replaced = False
    for line in reference.splitlines():
        if found := _TABLE_LINE.match(line):
            is_example = bool(found[1] or _EXAMPLES.match(line))
            table = found[3]
            value = values.get(table)
            is_replaced = not isinstance(value, str) and value is not None
            if is_replaced:
                yield _align(line.removeprefix("# "), line)
                yield from (f"{_quote(key)} = {_quote(inner)}" for key, inner in value.items())  # type: ignore[union-attr] # a table
                continue
        is_replaced = is_replaced and bool(line)
        if not is_replaced:
            yield _fill_line(line, table, values, is_example=is_example)


def _fill_line(line: str, table: str, values: Mapping[str, Value], *, is_example: bool) -> str:
    key = _KEY_LINE.match(line)
    if key and not is_example and (value := values.get(f"{table}.{key[1]}")) is not None:
        return _set_value(line, key[1], value)
    is_set = (key and not line.startswith("#")) or (is_example and line.startswith("["))
    return _align(f"# {line}", line) if is_set else line


def _set_value(line: str, key: str, value: Value) -> str:
    """Return the line of a key with another value."""
    if isinstance(value, str):
        written = _quote(value)
    else:
        written = f"{{ {', '.join(f'{_quote(name)} = {_quote(inner)}' for name, inner in value.items())} }}"
    comment = _TRAILING.match(line)
    return _align(f"{key} = {written}" + (f" {comment[2]}" if comment else ""), line)


def _quote(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")  # a JSON string is a TOML string


def _align(changed: str, line: str) -> str:
    """Return a changed line with its trailing comment in the column where *line* has it, if there is room."""
    parts, column = _TRAILING.match(changed), _TRAILING.match(line)
    if parts is None or column is None:
        return changed
    return f"{parts[1].ljust(column.start(2) - 1)} {parts[2]}"
