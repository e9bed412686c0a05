"""Text files of unknown encoding, on a real disk."""

import io
import os

import pytest

from feeds.core.subscribers.csv_reader import detect_encoding
from feeds.edges.files import text_input
from feeds.errors import FeedsError


def test_a_file_is_decoded_and_counts_the_bytes_that_were_read(tmp_path):
    """Line ends stay as they are."""
    file = tmp_path / "people.csv"
    file.write_bytes("email\r\nadä@example.org\r\n".encode("utf-16"))
    with text_input.open_text(file, detect_encoding) as found:
        assert (found.name, found.size) == ("people.csv", file.stat().st_size)
        assert list(found.lines) == ["email\r\n", "adä@example.org\r\n"]
        assert found.bytes_read == found.size


def test_standard_input_is_a_file_of_unknown_size(monkeypatch):
    """It stays open."""
    reader, writer = os.pipe()
    os.write(writer, b"email\n")
    os.close(writer)
    with io.TextIOWrapper(os.fdopen(reader, "rb")) as standard_input:
        monkeypatch.setattr("sys.stdin", standard_input)
        with text_input.open_text(text_input.STANDARD_INPUT, detect_encoding) as found:
            assert (found.name, found.size, list(found.lines), found.bytes_read) == (
                "standard input",
                0,
                ["email\n"],
                0,
            )
        assert os.fstat(reader)


@pytest.mark.parametrize(
    ("content", "error"),
    [(None, r"people\.csv: cannot be read: No such file"), (b"PK\3\4", r"people\.csv: this is a ZIP archive")],
)
def test_a_file_that_is_not_text_is_an_error(tmp_path, content, error):
    """The error says what it is; so is a file that does not exist."""
    if content is not None:
        (tmp_path / "people.csv").write_bytes(content)
    with pytest.raises(FeedsError, match=error), text_input.open_text(tmp_path / "people.csv", detect_encoding):
        pass


def test_a_folder_is_an_error(tmp_path):
    """It may be raised when the file is opened or when it is read."""
    with pytest.raises(FeedsError, match="Is a directory"), text_input.open_text(tmp_path, detect_encoding) as found:
        list(found.lines)
