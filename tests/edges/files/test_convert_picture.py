"""Pictures in formats that all mail programs show."""

import io

import pytest
from PIL import Image, ImageCms

from feeds.edges.files.convert_picture import MAX_WIDTH, convert_picture, needs_conversion
from feeds.edges.files.picture_files import read_picture
from feeds.errors import FeedsError

GPS = 0x8825


def save(folder, image, name, **options):
    """Save a picture and return what is known of its file."""
    image.save(folder / name, **options)
    return read_picture(str(folder / name))


def opened(converted):
    return Image.open(io.BytesIO(converted.content))


def plain(mode="RGB", size=(300, 200), colour="red"):
    return Image.new(mode, size, colour)


NEEDS = {
    "WebP": ("a.webp", (300, 200), True),
    "AVIF": ("a.avif", (300, 200), True),
    "a large photo": ("a.jpg", (1201, 10), True),
    "a photo": ("a.jpg", (1200, 10), False),
    "a drawing": ("a.png", (300, 200), False),
    "a GIF": ("a.gif", (300, 200), False),
}


@pytest.mark.parametrize(("name", "size", "needed"), NEEDS.values(), ids=NEEDS)
def test_what_mail_programs_do_not_show_or_is_too_large_needs_conversion(tmp_path, name, size, needed):
    """All others stay as they are."""
    assert needs_conversion(save(tmp_path, plain(size=size), name)) is needed


FORMATS = {
    "a photo": ("RGB", "red", "a.webp", "JPEG", ".jpg"),
    "AVIF": ("RGB", "red", "a.avif", "JPEG", ".jpg"),
    "transparent": ("RGBA", (255, 0, 0, 9), "a.webp", "PNG", ".png"),
    "a channel that hides nothing": ("RGBA", (255, 0, 0, 255), "a.webp", "JPEG", ".jpg"),
    "a drawing stays one": ("RGB", "red", "a.png", "PNG", ".png"),
    "grey": ("L", 9, "a.jpg", "JPEG", ".jpg"),
    "for printers": ("CMYK", (0, 255, 255, 0), "a.jpg", "JPEG", ".jpg"),
    "a palette": ("P", 9, "a.gif", "PNG", ".png"),
}


@pytest.mark.parametrize(("mode", "colour", "name", "picture_format", "suffix"), FORMATS.values(), ids=FORMATS)
def test_a_photo_becomes_jpeg_and_what_is_transparent_png(tmp_path, mode, colour, name, picture_format, suffix):
    """The colour stays the same, but for what JPEG loses."""
    file = save(tmp_path, plain(mode, (2400, 100), colour), name)
    found = convert_picture(file)
    assert (found.format, found.suffix, found.width, found.height) == (picture_format, suffix, MAX_WIDTH, 50)
    assert opened(found).size == (MAX_WIDTH, 50)
    with Image.open(file.path) as source:
        before = source.convert("RGBA").getpixel((5, 5))
    after = opened(found).convert("RGBA").getpixel((5, 5))
    assert max(abs(a - b) for a, b in zip(before, after, strict=True)) <= 12


def test_the_same_file_gives_the_same_bytes(tmp_path):
    """Also from another folder and at another time; another picture has another digest."""
    for name in ("one", "two", "three"):
        (tmp_path / name).mkdir()
    first, second, third = (
        convert_picture(save(tmp_path / name, plain(colour=colour), "a.webp"))
        for name, colour in (("one", "red"), ("two", "red"), ("three", "blue"))
    )
    assert (first.content, first.digest) == (second.content, second.digest)
    assert third.digest != first.digest


def test_the_place_where_a_photo_was_taken_is_removed(tmp_path):
    """No EXIF, comment or other metadata stays, and the picture is turned upright."""
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "Maker"
    exif.get_ifd(GPS)[1] = "N"
    file = save(tmp_path, plain(size=(1600, 800)), "a.jpg", exif=exif, comment=b"private")
    found = convert_picture(file)
    assert (found.width, found.height) == (800, 1600) == (file.width, file.height)
    assert b"Maker" not in found.content
    assert b"private" not in found.content
    assert not opened(found).getexif()


def test_metadata_of_a_png_is_removed(tmp_path):
    """Text and EXIF do not get into the new file."""
    exif = Image.Exif()
    exif[0x010F] = "Maker"
    found = convert_picture(save(tmp_path, plain(size=(1300, 10)), "a.png", exif=exif))
    assert b"Maker" not in found.content
    assert set(opened(found).info) <= {"dpi"}


def test_colours_are_those_of_the_profile(tmp_path):
    """A profile that swaps red and green is applied; the result is sRGB and has none."""
    swapped = _swapped_profile()
    found = convert_picture(save(tmp_path, plain(colour=(250, 5, 5)), "a.webp", icc_profile=swapped, lossless=True))
    red, green, _ = opened(found).getpixel((5, 5))
    assert green > 200 > red
    assert "icc_profile" not in opened(found).info


def _swapped_profile():
    """Return the profile of sRGB with the colorants of red and green swapped."""
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert srgb.count(b"rXYZ") == srgb.count(b"gXYZ") == 1
    return srgb.replace(b"rXYZ", b"????").replace(b"gXYZ", b"rXYZ").replace(b"????", b"gXYZ")


def test_a_damaged_profile_is_ignored(tmp_path):
    """The picture is converted without it."""
    assert convert_picture(save(tmp_path, plain(), "a.webp", icc_profile=b"nothing of the kind")).format == "JPEG"


def test_an_animated_gif_stays_as_it_is(tmp_path):
    """However wide it is; of another animation the first picture is taken."""
    frames = [plain(size=(1300, 20), colour=colour) for colour in ("red", "blue")]
    options = {"save_all": True, "append_images": frames[1:], "duration": 90}
    assert convert_picture(save(tmp_path, frames[0], "a.gif", **options)) is None
    assert convert_picture(save(tmp_path, frames[0], "a.webp", **options)).format == "JPEG"


BROKEN = {
    "too many pixels": (lambda file: file, "has 20,000 x 5,001 pixels and is not converted; make it smaller"),
    "cut off": (lambda file: file.write_bytes(file.read_bytes()[:-200]), "cannot be converted"),
    "gone": (lambda file: file.unlink(), "cannot be read: No such file or directory"),
}


@pytest.mark.parametrize(("breaks", "message"), BROKEN.values(), ids=BROKEN)
def test_a_picture_that_cannot_be_converted_is_refused_in_one_line(tmp_path, breaks, message):
    """The line names the file; no more than its header is unpacked."""
    large = message.startswith("has")
    known = save(tmp_path, plain("L" if large else "RGB", (20_000, 5_001) if large else (300, 200), 0), "a.png")
    breaks(tmp_path / "a.png")
    with pytest.raises(FeedsError, match=r"a\.png") as caught:
        convert_picture(known)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
