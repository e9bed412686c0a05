"""Literals in the source text of JavaScript and TypeScript modules. No JavaScript is executed.

It does not parse the language: object literals are found wherever they are, and a value that is not a literal is
left out. A name that a constant of the same file gives to a text, and the text behind `||` or `??`, count as that text.
"""

import re
from collections.abc import Iterator
from typing import Any

_TOKEN = re.compile(
    r"""(?P<space>\s+|//[^\n]*|/\*.*?\*/)
    |(?P<text>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`)
    |(?P<number>\d[\w.]*)
    |(?P<name>[\w$\u0080-\U0010ffff]+)
    |(?P<sign>\.\.\.|=>|\?\?|\|\||.)""",
    re.DOTALL | re.VERBOSE,
)
#: A regular expression may begin after these signs only; elsewhere a slash divides.
_REGEX = re.compile(r"/(?![*/])(?:[^/\\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+/[a-z]*")
_BEFORE_REGEX = frozenset({"", "(", ",", "=", ":", "[", "!", "&", "|", "||", "??", "?", "{", "}", ";", "=>", "return"})
_ESCAPE = re.compile(r"\\(u\{[0-9a-fA-F]+\}|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|.)", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "\0", "\n": ""}
_LAST_CHARACTER = 0x10FFFF
_WORDS: dict[str, Any] = {"true": True, "false": False, "null": None}
_OPEN, _CLOSE = frozenset("([{"), frozenset(")]}")
#: A deeper literal is not one of settings.
_MAX_DEPTH = 60
#: A value that is not a literal.
_UNKNOWN = object()
Token = tuple[str, str]


def find_objects(text: str) -> list[dict[str, Any]]:
    """Return the outermost object literals in *text*, in their order, with the values that are literals."""
    return list(_Literals(text).objects())


def find_constants(text: str) -> dict[str, str]:
    """Return the constants of a module that are texts."""
    return dict(_Literals(text).constants)


def find_calls(text: str, method: str) -> list[str]:
    """Return the first argument of each call of *method* that is a text."""
    tokens = list(_tokenize(text))
    return [
        _unquote(tokens[n + 2][1])
        for n, token in enumerate(tokens[:-2])
        if token == ("name", method) and tokens[n + 1][1] == "(" and tokens[n + 2][0] == "text"
    ]


def _tokenize(text: str) -> Iterator[Token]:
    place, before = 0, ""
    while place < len(text):
        regex = _REGEX.match(text, place) if text[place] == "/" and before in _BEFORE_REGEX else None
        found = regex or _TOKEN.match(text, place)
        if found is None:  # cannot happen: a sign is any character
            return
        place = found.end()
        kind = "regex" if regex else found.lastgroup or ""
        if kind != "space":
            before = found[0]
            yield kind, before


def _unquote(literal: str) -> str:
    """Return the text of a literal; an escape is a unit of UTF-16, so two of them may be one character."""
    text = _ESCAPE.sub(_unescape, literal[1:-1])
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "ignore")


def _unescape(found: re.Match[str]) -> str:
    code = found[1]
    if len(code) > 1:
        number = int(code[1:].strip("{}"), 16)
        return chr(number) if number <= _LAST_CHARACTER else ""
    return _ESCAPES.get(code, code)


class _Literals:
    """Reads literals from a list of tokens."""

    def __init__(self, text: str) -> None:
        self._tokens = [*_tokenize(text), *[("end", "")] * 3]
        self._at = 0
        self.constants = dict(self._find_constants())

    def _find_constants(self) -> Iterator[tuple[str, str]]:
        for n, (kind, word) in enumerate(self._tokens[:-4]):
            if kind == "name" and word in {"const", "let", "var"}:
                start = n + 2 if self._tokens[n + 2][1] != ":" else n + 4  # const a: string = …
                (_, equals), (literal, value) = (self._tokens[start:] + [("end", "")] * 2)[:2]
                if equals == "=" and literal == "text" and "${" not in value:
                    yield self._tokens[n + 1][1], _unquote(value)

    def objects(self) -> Iterator[dict[str, Any]]:
        """Yield the outermost object literals."""
        while self._tokens[self._at][0] != "end":
            if self._begins_object():
                yield self._object(0)
            else:
                self._at += 1

    def _begins_object(self) -> bool:
        """Return whether a brace here begins an object: a key follows, or `...`, and not a block's statement."""
        first, second, third = self._tokens[self._at : self._at + 3]
        is_key = second[0] in {"name", "text"} and third[1] in {":", ","}
        return first[1] == "{" and (is_key or second[1] == "...")

    def _object(self, depth: int) -> dict[str, Any]:
        self._at += 1
        found: dict[str, Any] = {}
        while self._goes_on("}"):
            (kind, word), (_, sign) = self._tokens[self._at : self._at + 2]
            if kind in {"name", "text", "number"} and sign == ":":
                self._at += 2
                value = self._value(depth + 1)
                if value is not _UNKNOWN:
                    found[_unquote(word) if kind == "text" else word] = value
            elif kind == "name" and sign in {",", "}"}:
                if word in self.constants:
                    found[word] = self.constants[word]
                self._at += 1
            else:
                self._skip()
            self._at += self._goes_on("}")  # the comma
        self._at += self._tokens[self._at][1] == "}"
        return found

    def _list(self, depth: int) -> list[Any]:
        self._at += 1
        found = []
        while self._goes_on("]"):
            value = self._value(depth + 1)
            if value is not _UNKNOWN:
                found.append(value)
            self._at += self._goes_on("]")  # the comma
        self._at += self._tokens[self._at][1] == "]"
        return found

    def _goes_on(self, end: str) -> bool:
        """Return whether the list or object that *end* closes goes on here."""
        return self._tokens[self._at][0] != "end" and self._tokens[self._at][1] != end

    def _value(self, depth: int) -> Any:
        """Return the value here and stop at the comma or bracket behind it."""
        start = self._at
        value = self._literal(depth)
        if self._tokens[self._at][1] in {",", "}", "]", ")", ";"} and value is not _UNKNOWN:
            return value
        if self._tokens[self._at][1] in {"satisfies", "as"} and value is not _UNKNOWN:
            self._skip()
            return value
        self._at = start
        self._skip()
        return self._default(start)

    def _default(self, start: int) -> Any:
        """Return the text behind `||` or `??` at the end of an expression."""
        if self._at - 2 <= start:
            return _UNKNOWN
        sign, last = self._tokens[self._at - 2 : self._at]
        is_default = sign[1] in {"||", "??"} and last[0] == "text" and "${" not in last[1]
        return _unquote(last[1]) if is_default else _UNKNOWN

    def _literal(self, depth: int) -> Any:
        kind, word = self._tokens[self._at]
        if depth > _MAX_DEPTH:
            return _UNKNOWN
        if word in _OPEN:
            return {"{": self._object, "[": self._list, "(": self._in_parentheses}[word](depth)
        self._at += 1
        if kind == "text":
            return _UNKNOWN if word[0] == "`" and "${" in word else _unquote(word)
        if kind == "number":
            return int(word) if word.isdecimal() else _UNKNOWN
        return _WORDS.get(word, self.constants.get(word, _UNKNOWN)) if kind == "name" else _UNKNOWN

    def _in_parentheses(self, depth: int) -> Any:
        """Return the value in parentheses, as after a comment with its type."""
        self._at += 1
        value = self._value(depth + 1)
        is_closed = self._tokens[self._at][1] == ")"
        self._at += is_closed
        return value if is_closed else _UNKNOWN

    def _skip(self) -> None:
        """Go to the comma or bracket that ends the value here."""
        depth = 0
        while self._tokens[self._at][0] != "end":
            kind, sign = self._tokens[self._at]
            if kind == "sign":
                if depth == 0 and (sign == "," or sign in _CLOSE):
                    return
                depth += (sign in _OPEN) - (sign in _CLOSE)
            self._at += 1
