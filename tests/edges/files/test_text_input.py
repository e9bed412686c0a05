"""Files of others, on a real disk."""

import io
import os

import pytest

from feeds.core.subscribers.csv_reader import detect_encoding
from feeds.edges.files import text_input
from feeds.errors import FeedsError


def test_a_file_is_read_as_it_is_encoded_and_tells_how_far_it_was_read(tmp_path):
    """Its line ends stay; its size and the place in it are bytes."""
    file = tmp_path / "people.csv"
    file.write_bytes("email\r\nadä@example.org\r\n".encode("utf-16"))
    with text_input.open_text(file, detect_encoding) as found:
        assert (found.name, found.size) == ("people.csv", file.stat().st_size)
        assert list(found.lines) == ["email\r\n", "adä@example.org\r\n"]
        assert found.bytes_read == found.size


def test_standard_input_is_a_file_of_unknown_size(monkeypatch):
    """It stays open: it is not ours."""
    there, here = os.pipe()
    os.write(here, b"email\n")
    os.close(here)
    with io.TextIOWrapper(os.fdopen(there, "rb")) as standard_input:
        monkeypatch.setattr("sys.stdin", standard_input)
        with text_input.open_text(text_input.STANDARD_INPUT, detect_encoding) as found:
            assert (found.name, found.size, list(found.lines), found.bytes_read) == (
                "standard input",
                0,
                ["email\n"],
                0,
            )
        assert os.fstat(there)


@pytest.mark.parametrize(
    ("content", "told"),
    [(None, r"people\.csv: cannot be read: No such file"), (b"PK\3\4", r"people\.csv: this is a ZIP archive")],
)
def test_what_cannot_be_read_is_named(tmp_path, content, told):
    """And what it is instead."""
    if content is not None:
        (tmp_path / "people.csv").write_bytes(content)
    with pytest.raises(FeedsError, match=told), text_input.open_text(tmp_path / "people.csv", detect_encoding):
        pass


def test_a_folder_is_no_file(tmp_path):
    """It is told as such, whenever that is found out."""
    with pytest.raises(FeedsError, match="Is a directory"), text_input.open_text(tmp_path, detect_encoding) as found:
        list(found.lines)
