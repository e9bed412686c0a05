"""The sizes of pictures in files."""

import io
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from feeds.edges.files.picture_files import FORMATS, read_picture


def encoded(picture_format, size=(300, 200), **options):
    """Return the bytes of a red picture."""
    content = io.BytesIO()
    Image.new("RGB", size, "red").save(content, picture_format, **options)
    return content.getvalue()


def read(folder, content, name="a.jpg"):
    (folder / name).write_bytes(content)
    return read_picture(str(folder / name))


@pytest.mark.parametrize("picture_format", FORMATS)
def test_the_size_of_each_format_is_read(tmp_path, picture_format):
    """The format is that of the content, whatever the name is."""
    found = read(tmp_path, encoded(picture_format))
    assert found is not None
    assert (found.format, found.width, found.height) == (picture_format, 300, 200)
    assert found.size == len(encoded(picture_format))


@pytest.mark.parametrize("picture_format", ["JPEG", "WEBP", "AVIF"])
def test_a_picture_that_exif_turns_has_the_size_of_the_turned_one(tmp_path, picture_format):
    """Orientation 6 turns by 90 degrees, as phones write it; 3 turns by 180."""
    for orientation, size in ((6, (200, 300)), (3, (300, 200))):
        exif = Image.Exif()
        exif[0x0112] = orientation
        found = read(tmp_path, encoded(picture_format, exif=exif), f"{orientation}.jpg")
        assert found is not None
        assert (found.width, found.height) == size


@pytest.mark.parametrize(("side", "width"), [(12_000, 12_000), (60_000, None)])
def test_a_picture_that_would_fill_the_memory_is_only_measured(tmp_path, side, width):
    """A PNG of few bytes and many pixels is not unpacked; with more than Pillow allows it has no size."""
    png, sides = encoded("PNG", (1, 1)), side.to_bytes(4, "big") * 2
    header = b"IHDR" + sides + png[24:29]
    found = read(tmp_path, png[:12] + header + zlib.crc32(header).to_bytes(4, "big") + png[33:])
    assert (found and found.width) == width


@pytest.mark.parametrize("content", [b"", b"<svg/>", b"GIF89a", b"words", encoded("JPEG")[:30], encoded("AVIF")[:40]])
def test_what_is_not_a_whole_picture_has_no_size(tmp_path, content):
    """It raises no error."""
    assert read(tmp_path, content) is None


def test_a_missing_file_and_a_folder_have_no_size(tmp_path):
    """It raises no error."""
    assert read_picture(str(tmp_path / "none.png")) is None
    assert read_picture(str(tmp_path)) is None


def test_a_file_that_changes_is_read_again(tmp_path):
    """The size is cached for a path and its time and size."""
    assert read(tmp_path, encoded("PNG", (10, 10))).width == 10
    assert read(tmp_path, encoded("PNG", (2000, 10))).width == 2000


@given(
    picture_format=st.sampled_from(FORMATS),
    changes=st.dictionaries(st.integers(0, 200), st.integers(0, 255), max_size=8),
    end=st.integers(0, 800),
)
def test_no_damaged_file_raises_an_error(tmp_path_factory, picture_format, changes, end):
    """Whatever is in a file, it has a size or none."""
    content = bytearray(encoded(picture_format)[:end])
    for place, value in changes.items():
        if place < len(content):
            content[place] = value
    file = Path(tmp_path_factory.mktemp("damaged")) / "a"
    file.write_bytes(content)
    found = read_picture(str(file))
    assert found is None or (found.width > 0 and found.height > 0)
