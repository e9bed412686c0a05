"""Find the fault in MJML that mrml cannot compile, and the place in the templates where it comes from.

mrml reports neither: it names "the root template" and, for some faults, a position in it. libxml2 is stricter, so it is
asked only after mrml has failed, and what mrml accepts is left out of its answer.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

#: Elements without an end tag, which mrml accepts.
_VOID = re.compile(r"<(area|base|br|col|hr|img|input|link|meta|source|wbr)\b([^<>]*?)/?>", re.IGNORECASE)
#: What mrml accepts: references that XML does not know, and attributes without a value.
_ACCEPTED = re.compile(r"entity|xmlParseEntityRef|Specification mandates value", re.IGNORECASE)
_HYPHENS = (
    "a comment contains `--`, with which XML would end it: write a single hyphen, or a comment of Jinja2, {# … #}"
)
#: libxml2 names the line of the output, which authors never see, on which an element begins that is not closed.
_OUTPUT_LINE = re.compile(r" line (\d+)")
_TOKEN = re.compile(r"<!--.*?(?:-->|$)|<[^<>]*>?")
#: How many lines around a line are compared, since some lines occur many times.
_CONTEXT = 3


def find_fault(source: str, files: Sequence[str]) -> tuple[str, int | None, str] | None:
    """Return file, line and reason of the first fault in *source*, the output of *files*; None if none is found.

    The line is None, and the file the first one, if the text of the fault is in no file.
    """
    error = _first_error(source)
    if error is None:
        return None
    message = error.message.strip()
    lines = source.split("\n")
    at = min(_error_line(error, source), len(lines)) - 1
    path, line = _line_in_files(lines, at, files) or find_word(_token_at(lines[at], error.column), files)
    is_comment = error.type_name == "ERR_HYPHEN_IN_COMMENT"
    return path, line, _HYPHENS if is_comment else f"MJML must be well-formed: {_OUTPUT_LINE.sub('', message)}"


def find_word(word: str, files: Sequence[str]) -> tuple[str, int | None]:
    """Return the first of *files* that contains a word, and the line; the first file and None if none does."""
    pattern = re.compile(rf"{re.escape(word)}(?![\w-])" if word.startswith("<") else re.escape(word))
    for file in files:
        for number, line in enumerate(_read_lines(file), 1):
            if word and pattern.search(line):
                return file, number
    return files[0], None


def _first_error(source: str) -> Any:
    """Return the first error of libxml2 that mrml does not accept; None if there is none."""
    from lxml import etree

    parser = etree.XMLParser(recover=True, huge_tree=True, resolve_entities=False)
    etree.fromstring(_VOID.sub(r"<\1\2/>", source).encode(), parser)
    return next((error for error in parser.error_log if not _ACCEPTED.search(error.message)), None)


def _error_line(error: Any, source: str) -> int:
    """Return the line on which a fault begins; libxml2 reports where it noticed it."""
    if error.type_name == "ERR_COMMENT_NOT_FINISHED":
        return source.count("\n", 0, source.rfind("<!--")) + 1
    opened = _OUTPUT_LINE.search(error.message)
    return int(opened[1]) if opened else int(error.line)


def _token_at(line: str, column: int) -> str:
    """Return the last tag or comment of a line that begins before a column."""
    return next((token[0] for token in reversed([*_TOKEN.finditer(line)]) if token.start() < max(column, 1)), "")


def _line_in_files(lines: Sequence[str], at: int, files: Sequence[str]) -> tuple[str, int] | None:
    """Return the file and line from which a line of the output comes unchanged: the one whose neighbours agree most."""
    wanted, found = lines[at].strip(), []
    around = {line.strip() for line in lines[max(0, at - _CONTEXT) : at + _CONTEXT + 1]}
    for file in files:
        own = [line.strip() for line in _read_lines(file)]
        for number, line in enumerate(own):
            if wanted and line == wanted:
                score = len(around.intersection(own[max(0, number - _CONTEXT) : number + _CONTEXT + 1]))
                found.append((score, file, number + 1))
    best = max(found, key=lambda one: one[0], default=None)
    return best[1:] if best else None


def _read_lines(file: str) -> list[str]:
    try:
        return Path(file).read_text("utf-8").splitlines()
    except OSError:
        return []
