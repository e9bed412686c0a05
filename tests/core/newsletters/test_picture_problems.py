"""Pictures of which readers get nothing."""

import pytest

from feeds.core.newsletters.picture_problems import says_nothing, unsupported_format

NOTHING = [
    *("IMG_1234.jpg", "IMG_1234", "_DSC0042", "DSCF1002.JPG", "PXL_20260512_101112", "P1010034", "image", "Image 2"),
    *(
        "img",
        "picture",
        "Photo",
        "untitled",
        "Screenshot 2024-05-01 at 10.22.33",
        "Screen Shot 2021-01-02 at 9.00.01 AM",
    ),
    *(
        "Bildschirmfoto 2026-03-04 um 11.12.13",
        "Bild 3",
        "Capture d’écran 2026-01-02 à 10.11.12",
        "captura de pantalla",
    ),
    *(
        "スクリーンショット",
        "スクリーンショット 2026-11-20 9.41.00",
        "画像",
        "画像1",
        "写真 (2)",
        "図１",
        "屏幕截图 2026-01-01",
    ),
    *(
        "截圖",
        "스크린샷 2026-01-01",
        "صورة",
        "لقطة شاشة 2026",
        "снимок экрана",
        "תמונה",
        "3f2a9c0d11e24b5f8a7c",
        "my file.png",
    ),
]
WORDS = [
    *(
        "A ferry in the fog",
        "Image of the moon, taken in Oslo",
        "Photo: the harbour at night",
        "picture frames in a shop",
    ),
    *("写真家の机", "画像処理の流れ", "図1 売上の推移", "Screenshot of the settings page", "bread", "Plan 9", "R2-D2"),
    *("صورة القمر فوق المدينة", "Bildhauer bei der Arbeit", "imaginary numbers", "12 monkeys"),
]


@pytest.mark.parametrize("alt", NOTHING)
def test_defaults_and_names_of_files_say_nothing(alt):
    """An alternative text of a camera, system or editor says nothing, in any language and width."""
    assert says_nothing(alt, "https://example.com/a.png")


@pytest.mark.parametrize("alt", WORDS)
def test_a_description_says_something(alt):
    """Also one that begins with such a word, or is short."""
    assert not says_nothing(alt, "https://example.com/a.png")


@pytest.mark.parametrize(("alt", "is_name"), [("team-2-final", True), ("hero_image", True), ("sunset", False)])
def test_the_name_of_the_file_says_nothing(alt, is_name):
    """A word that is also the file's name may be a description; one with digits or hyphens is not."""
    assert says_nothing(alt, f"https://example.com/pics/{alt}.jpg?v=2") is is_name


FORMATS = {
    "by its name": ("https://example.com/a.webp?v=1", "", "WebP"),
    "by its file": ("https://example.com/a", "AVIF", "AVIF"),
    "the file knows better": ("https://example.com/a.webp", "JPEG", None),
    "a drawing": ("https://example.com/a.SVG", "", "SVG"),
    "a photo": ("https://example.com/a.jpg", "", None),
    "no name": ("https://example.com/", "", None),
}


@pytest.mark.parametrize(("url", "found", "name"), FORMATS.values(), ids=FORMATS)
def test_formats_that_mail_programs_do_not_show_are_known(url, found, name):
    """The format is that of the file, or of the name if the file is elsewhere."""
    kind = unsupported_format(url, found)
    assert (kind and kind.name) == name
