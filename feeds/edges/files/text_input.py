"""A text file of unknown encoding, or standard input, as lines."""

import io
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from feeds.errors import FeedsError

#: The file name that means standard input.
STANDARD_INPUT = Path("-")


class TextInput:
    """An open text file."""

    def __init__(self, file: Path, raw: io.BufferedReader, encoding: str) -> None:
        self._file, self._raw = file, raw
        #: The name of the file, without its folder.
        self.name = input_name(file)
        #: In bytes; 0 if it is unknown.
        self.size = os.fstat(raw.fileno()).st_size
        self._text = io.TextIOWrapper(raw, encoding, errors="replace", newline="")

    @property
    def lines(self) -> Iterator[str]:
        """The lines, each with its line end.

        Raises:
            FeedsError: the file cannot be read to its end.
        """
        with _file_errors(self._file):
            yield from self._text

    @property
    def bytes_read(self) -> int:
        """How many bytes were read; 0 if the size is unknown."""
        return self._raw.tell() if self.size else 0


def input_name(file: Path) -> str:
    """Return the name of a file for messages."""
    return "standard input" if file == STANDARD_INPUT else file.name


@contextmanager
def open_text(file: Path, encoding: Callable[[bytes], str]) -> Iterator[TextInput]:
    """Hold *file*, or standard input for `-`, open; *encoding* returns the encoding for its first bytes.

    Raises:
        FeedsError: it cannot be read, or is not text (*encoding* raises a ValueError that says what it is).
    """
    with _file_errors(file):
        raw = os.fdopen(os.dup(sys.stdin.fileno()), "rb") if file == STANDARD_INPUT else file.open("rb")
    with raw:
        with _file_errors(file):
            text = TextInput(file, raw, encoding(raw.peek()))
        yield text


@contextmanager
def _file_errors(file: Path) -> Iterator[None]:
    """Turn OSError and ValueError into a FeedsError with the name of the file."""
    try:
        yield
    except OSError as e:
        raise FeedsError(f"{input_name(file)}: cannot be read: {e.strerror or e}") from e
    except ValueError as e:
        raise FeedsError(f"{input_name(file)}: {e}") from e
