"""Enclosures in all shapes of front matter."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.config_types import Url
from feeds.core.posts import media, parse
from feeds.model import Enclosure, Post
from feeds.settings import Settings, SiteSettings

SETTINGS = Settings(site=SiteSettings(title="Test", url=Url("https://example.com/")))
HOST = "https://example.com"


def parsed(front):
    head = front if front.startswith("{") else f"---\ntitle: A\n{front}\n---"
    found = parse.parse_post("2026-01-02-a.md", f"{head}\n\nWords.\n".encode(), SETTINGS)
    assert isinstance(found, Post)
    return found


def file(url="/a.mp3", kind="audio/mpeg", length=None, seconds=None, title=""):
    return Enclosure(
        url=url if "://" in url else f"{HOST}{url}", type=kind, length=length, seconds=seconds, title=title
    )


SHAPES = {
    "an address": ("enclosure: https://cdn.example/a.mp3", [file("https://cdn.example/a.mp3")]),
    "a path on the site": ("enclosure: /a.mp3", [file()]),
    "a path beside the page": ("enclosure: a.mp3", [file("/2026/01/02/a/a.mp3")]),
    "address, bytes and type": (
        "enclosure: https://cdn.example/a.mp3 1234 audio/x-special",
        [file("https://cdn.example/a.mp3", "audio/x-special", 1234)],
    ),
    "the same in lines": (
        'enclosure: "https://cdn.example/a\\n1234\\naudio/mpeg\\n"',
        [file("https://cdn.example/a", length=1234)],
    ),
    "a mapping": (
        "enclosure: {url: /a.mp3, type: audio/aac, length: 99, duration: 10, title: Part one}",
        [file("/a.mp3", "audio/aac", 99, 10, "Part one")],
    ),
    "a mapping in other words": (
        "enclosure: {src: /a, mime-type: Audio/MPEG, filesize: '1,234'}",
        [file("/a", length=1234)],
    ),
    "a mapping with keys in any case": ("enclosure: {URL: /a.mp3, Size_In_Bytes: 7}", [file(length=7)]),
    "a list of addresses": ("enclosures: [/a.mp3, /b.pdf]", [file(), file("/b.pdf", "application/pdf")]),
    "a list of anything": (
        "enclosures:\n- /a.mp3\n- [/b.ogg]\n- {file: /c.webm}\n- /d 5 image/png",
        [
            file(),
            file("/b.ogg", "audio/ogg"),
            file("/c.webm", "video/webm"),
            file("/d", "image/png", 5),
        ],
    ),
    "audio": ("audio: /a.m4a", [file("/a.m4a", "audio/mp4")]),
    "video": ("video: {src: /a.mp4, title: T}", [file("/a.mp4", "video/mp4", title="T")]),
    "podcast": ("podcast: {url: /a.mp3, duration: '1:02:03'}", [file(seconds=3723)]),
    "several keys": ("video: /v.webm\naudio: /a.mp3", [file(), file("/v.webm", "video/webm")]),
    "one file twice": ("enclosure: {url: /a.mp3, title: T}\naudio: /a.mp3", [file(title="T")]),
    "a switch": ("video: true", []),
    "a switch that is off": ("audio: false", []),
    "a switch beside a file": ("video: true\naudio: /a.mp3", [file()]),
    "no value": ("enclosure:", []),
    "an empty list": ("enclosures: []", []),
    "an empty text": ("enclosure: ''", []),
    "spaces and other scripts": ("audio: /第 1 回.mp3", [file("/%E7%AC%AC%201%20%E5%9B%9E.mp3")]),
    "an address with a query": (
        "audio: https://cdn.example/a.MP3?x=1.png",
        [file("https://cdn.example/a.MP3?x=1.png")],
    ),
    "WordPress with a stray mark": (
        "enclosure:\n  - |\n    |\n        https://example.com/a.mp3\n        1234\n        audio/mpeg\n",
        [file(length=1234)],
    ),
    "WordPress with a stray mark alone": ("enclosure: |\n  |\n  /a.mp3\n", [file()]),
    "WordPress with a duration": (
        'enclosure: |\n  /a.mp3\n  1234\n  audio/mpeg\n  a:1:{s:8:"duration";s:7:"0:31:07";}\n',
        [file(length=1234, seconds=1867)],
    ),
    "a table of Hugo's": ("params:\n  audio: /a.mp3", [file()]),
}


@pytest.mark.parametrize(("front", "files"), SHAPES.values(), ids=SHAPES)
def test_files_may_be_written_in_any_shape(front, files):
    """Files are read from a text, a triple, a mapping or lists of these, under any key, without warnings."""
    post = parsed(front)
    assert list(post.enclosures) == files
    assert post.warnings == ()


WRONG = {
    "a word": (
        "video: dQw4w9WgXcQ",
        "2026-01-02-a.md:3: video: 'dQw4w9WgXcQ' is not the web address of a file; it is ignored",
    ),
    "a number": ("audio: 7", "2026-01-02-a.md:3: audio: '7' is not the web address of a file; it is ignored"),
    "another scheme": (
        "enclosure: ftp://a.example/a.mp3",
        "2026-01-02-a.md:3: enclosure: 'ftp://a.example/a.mp3' is not the web address of a file; it is ignored",
    ),
    "an address that cannot be one": (
        "layout: x\nenclosure: http://[bad/a.mp3",
        "2026-01-02-a.md:4: enclosure: 'http://[bad/a.mp3' is not the web address of a file; it is ignored",
    ),
}


@pytest.mark.parametrize(("front", "line"), WRONG.values(), ids=WRONG)
def test_a_value_that_is_not_the_address_of_a_file_is_ignored(front, line):
    """A value that is not an http(s) address of a file gives a warning with file and line, and no enclosure."""
    post = parsed(front)
    assert post.enclosures == ()
    assert post.warnings == (line,)


@pytest.mark.parametrize("written", ["/thing", "/thing.q7", "{url: /thing, type: audio}", "/a.b/thing"])
def test_an_unknown_media_type_gives_a_warning(written):
    """A file with an unknown media type is kept, and the warning shows how to declare one."""
    post = parsed(f"enclosure: {written}")
    (found,) = post.enclosures
    assert found.type is None
    (line,) = post.warnings
    assert line.startswith("2026-01-02-a.md:3: enclosure: '/")
    assert line.endswith("has no known media type; write `type`, such as audio/mpeg")


def test_a_warning_names_the_key_that_is_wrong():
    """A warning names the key of the file that it is about."""
    (line,) = parsed("enclosure: /a.mp3\naudio: /thing.q7").warnings
    assert line.startswith("2026-01-02-a.md:4: audio: ")


DURATIONS = {
    "1:02:03": 3723,
    "01:02:03": 3723,
    "62:03": 3723,
    "0:45": 45,
    "1:02:03.5": 3723,
    "3723": 3723,
    "3723.9": 3723,
    " 45 ": 45,
    "100:00:00": 360000,
    "0": None,
    "0:00": None,
    "-5": None,
    "1:2:3": None,
    "PT1H": 3600,
    "PT31M7S": 1867,
    "pt31m7.5s": 1867,
    "P0DT1H2M3S": 3723,
    "45 min": 2700,
    "45m": 2700,
    "1h05": 3900,
    "1 hr 5 mins": 3900,
    "1 hour and 5 minutes": 3900,
    "1 Stunde und 5 Minuten": 3900,
    "1時間5分": 3900,
    "90 seconds": 90,
    "an hour": None,
    "P": None,
    "P1DT2H": None,
    "PT": None,
    "PT45": None,
    "45 minutes ago": None,
    "min": None,
    "1e5": None,
    "99999999": None,
    "": None,
}


@pytest.mark.parametrize(("written", "seconds"), DURATIONS.items())
def test_durations_are_clocks_or_seconds(written, seconds):
    """A duration is a clock time, seconds, ISO 8601 or numbers with units; another value is ignored with a warning."""
    assert media.parse_duration(written) == seconds
    post = parsed(f"enclosure: {{url: /a.mp3, duration: '{written}'}}")
    (found,) = post.enclosures
    assert found.seconds == seconds
    unread = seconds is None and written not in {"0", "0:00", ""}
    assert ["is not a duration" in warning for warning in post.warnings] == [True] * unread


def test_a_duration_may_be_written_beside_the_file():
    """`duration` and `itunes_duration` of the post apply to each file without its own duration."""
    assert parsed("audio: /a.mp3\nduration: '1:00'").enclosures == (file(seconds=60),)
    assert parsed("audio: /a.mp3\nitunes_duration: 90").enclosures == (file(seconds=90),)
    own = parsed("audio: {url: /a.mp3, duration: 5}\nvideo: /b.webm\nduration: 60")
    assert [found.seconds for found in own.enclosures] == [5, 60]


@pytest.mark.parametrize("value", [None, True, False, [1], {"a": 1}])
def test_only_texts_and_numbers_are_durations(value):
    """Null, booleans, lists and mappings are not durations."""
    assert media.parse_duration(value) is None


LENGTHS = {"0": 0, "1234": 1234, "1,234,567": 1234567, "12 MB": None, "-1": None, "1.5": None, "9" * 16: None}


@pytest.mark.parametrize(("written", "length"), LENGTHS.items())
def test_lengths_are_bytes(written, length):
    """A length is read from a number of bytes; other values are ignored."""
    (found,) = parsed(f"enclosure: {{url: /a.mp3, length: '{written}'}}").enclosures
    assert found.length == length


@pytest.mark.parametrize("wrong", ["audio", "audio/", "/mpeg", "audio/mpeg; codecs=x", "音/声", "a b/c", ""])
def test_an_invalid_media_type_is_replaced_by_the_guessed_one(wrong):
    """An invalid media type (RFC 6838) is replaced by the one of the file name."""
    assert parsed(f"enclosure: {{url: /a.mp3, type: '{wrong}'}}").enclosures == (file(),)


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("https://a.example/x.PNG", "image/png"),
        ("https://a.example/x.jpeg?size=1#top", "image/jpeg"),
        ("https://a.example/x%2Emp3", "audio/mpeg"),
        ("https://a.example/x.tar.zip", "application/zip"),
        ("https://a.example/mp3", None),
        ("https://a.example/a.mp3/", None),
        ("https://a.mp3", None),
        ("https://a.example/x.", None),
        ("https://a.example/?f=x.mp3", None),
    ],
)
def test_the_media_type_is_guessed_from_the_extension(url, kind):
    """The media type is guessed from the extension of the file name, in any case, and from nothing else."""
    assert media.guess_media_type(url) == kind


def test_types_are_the_same_on_every_machine():
    """The extensions in the table of media types are in lower case, and its types are valid."""
    for extension, kind in media.TYPES.items():
        assert extension == extension.lower()
        assert media.declared_media_type({"type": kind}) == kind


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["url", "src", "type", "length", "duration", "title", "x"]), inner, max_size=4
        )
    ),
    max_leaves=8,
)


@given(st.sampled_from(["enclosure", "enclosures", "audio", "video", "podcast"]), JSON_VALUES, JSON_VALUES)
def test_any_value_is_read_without_an_error(key, value, duration):
    """Any JSON value is read without an error; each enclosure has a valid address, length and duration."""
    front = {"title": "A", key: value, "duration": duration}
    post = parsed(json.dumps(front))
    for found in post.enclosures:
        assert found.url.startswith(("http://", "https://"))
        assert found.url.isascii()
        assert found.length is None or found.length >= 0
        assert found.seconds is None or found.seconds > 0


PICTURES = {
    "image: /x.jpg": "/x.jpg",
    "image: {path: /x.jpg, alt: A}": "/x.jpg",
    "cover: {image: /x.jpg}": "/x.jpg",
    "images: [{url: /x.jpg}, /y.jpg]": "/x.jpg",
    "header: 1\nimage:\n  src: {path: /x.jpg}": "/x.jpg",
    "image: ['', /x.jpg]": "/x.jpg",
    "image: {width: 3}": None,
    "image: 7": "7",
}


@pytest.mark.parametrize(("front", "path"), PICTURES.items())
def test_a_picture_may_be_written_in_any_shape(front, path):
    """The lead picture is read from a text, a mapping with any of the usual keys, or a list of these."""
    found = parsed(f"{front}").image
    assert (found and found.url) == (
        path and f"https://example.com{path if path[0] == '/' else f'/2026/01/02/a/{path}'}"
    )
