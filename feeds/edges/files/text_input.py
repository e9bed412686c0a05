"""A file that somebody else made, or whatever comes in by standard input, as lines of text."""

import io
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from feeds.errors import FeedsError

#: As a file is named on the command line that is standard input.
STANDARD_INPUT = Path("-")


class TextInput:
    """An open file."""

    def __init__(self, file: Path, raw: io.BufferedReader, encoding: str) -> None:
        self._file, self._raw = file, raw
        #: Of the file, without its folder.
        self.name = input_name(file)
        #: Bytes; 0 where nobody knows.
        self.size = os.fstat(raw.fileno()).st_size
        self._text = io.TextIOWrapper(raw, encoding, errors="replace", newline="")

    @property
    def lines(self) -> Iterator[str]:
        """Its lines, each with its end.

        Raises:
            FeedsError: it cannot be read to its end.
        """
        with _describe_error(self._file):
            yield from self._text

    @property
    def bytes_read(self) -> int:
        """How many bytes of it were read; 0 where nobody knows how many there are."""
        return self._raw.tell() if self.size else 0


def input_name(file: Path) -> str:
    """Return what a file is called in words."""
    return "standard input" if file == STANDARD_INPUT else file.name


@contextmanager
def open_text(file: Path, encoding: Callable[[bytes], str]) -> Iterator[TextInput]:
    """Hold *file* open, `-` being standard input; *encoding* tells from its first bytes how it is encoded.

    Raises:
        FeedsError: it cannot be read, or is no text (*encoding* raises ValueError, with what it is).
    """
    with _describe_error(file):
        raw = os.fdopen(os.dup(sys.stdin.fileno()), "rb") if file == STANDARD_INPUT else file.open("rb")
    with raw:
        with _describe_error(file):
            sheet = TextInput(file, raw, encoding(raw.peek()))
        yield sheet


@contextmanager
def _describe_error(file: Path) -> Iterator[None]:
    try:
        yield
    except OSError as e:
        raise FeedsError(f"{input_name(file)}: cannot be read: {e.strerror or e}") from e
    except ValueError as e:
        raise FeedsError(f"{input_name(file)}: {e}") from e
