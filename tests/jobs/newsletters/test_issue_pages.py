"""The pages of issues: what they have, and their share pictures."""

import re
import sqlite3
from contextlib import closing
from datetime import timedelta
from html import escape
from io import BytesIO
from quopri import encodestring
from shutil import rmtree

import pytest
from PIL import Image

from tests.conftest import CONFIG, NEWSLETTER, NOW

HERE = "public/newsletters/weekly/1"
URL = "https://example.com/newsletters/weekly/1/"


@pytest.fixture
def page(letter_site):
    """Return the page of an issue."""
    letter_site.publish()
    return letter_site.read(f"{HERE}/index.html")


def test_an_issue_is_a_page(page):
    """The page has a main element, one h1, an icon, the newsletter's feed, and nothing of a letter's HTML."""
    assert [page.count(tag) for tag in ("<main>", "<h1>", 'rel="icon"', "<nav ", "<footer")] == [1, 1, 1, 1, 1]
    assert (
        'type="application/atom+xml" title="The weekly" href="https://example.com/newsletters/weekly/atom.xml"' in page
    )
    assert re.findall(r"mso|cellpadding|align=|style=", page) == []
    assert "feeds:" not in page.replace("https://", "")


@pytest.mark.parametrize(
    ("subject", "headings"),
    [("", [1]), ("first", [1]), ("Of doors", [1, 2])],
)
def test_the_subject_is_the_headline(letter_site, subject, headings):
    """A subject of the editor's own is the h1 above the lead; else the title of the lead is."""
    (letter_site.folder / "letters" / "weekly").mkdir(parents=True)
    note = f"---\nsubject: {subject}\n---\n" if subject else "\n"
    (letter_site.folder / "letters" / "weekly" / "next.md").write_text(note, "utf-8")
    letter_site.publish()
    html = letter_site.read(f"{HERE}/index.html")
    assert [int(level) for level in re.findall(r"<h(\d)", html)] == headings
    assert f"<h1><bdi>{subject}</bdi></h1>" in html or subject in {"", "first"}


def test_a_whole_post_has_its_headings_below_its_title(letter_site):
    """A whole post on the page has its own HTML, with headings one level below its title."""
    letter_site.configure((CONFIG + NEWSLETTER).replace("copy_to", 'template = "letter"\ncopy_to'))
    letter_site.post("first", body="Words.\n\n#### A part\n\n| a |\n|--:|\n| 1 |\n")
    letter_site.publish()
    html = letter_site.read(f"{HERE}/index.html")
    assert '<h2 id="a-part">A part</h2>' in html
    assert '<td class="right">1</td>' in html


@pytest.mark.parametrize("name", ["Café & <Reise>", "Hello!", "(x)"])
def test_the_name_of_the_site_keeps_its_direction(letter_site, name):
    """In letters and pages of a Hebrew site, marks at the ends of its name stay at its ends."""
    config = CONFIG.replace('title = "Test"', f'title = "{name}"\nlanguage = "he"')
    assert config != CONFIG
    letter_site.configure(config + NEWSLETTER)
    letter_site.publish()
    written = escape(name, quote=False)
    for page in (f"{HERE}/index.html", "public/newsletters/weekly/index.html", "public/feeds/index.html"):
        shown = letter_site.read(page).split("<body", 1)[1]
        assert f">{written}</a>" not in shown
        assert f"><bdi>{written}</bdi></a>" in shown


@pytest.mark.parametrize("control", ["\u202e", "\u202d", "\u2066"])
def test_a_title_turns_no_text_around_it(letter_site, control):
    """An override or isolate that is not closed is in no feed, page or letter; the feed's entry stays the same."""
    letter_site.post("first", title=f"'Receipt {control}fdp.exe'")
    letter_site.publish()
    written = letter_site.files("public", ".feeds/outbox")
    encoded = (control.encode(), encodestring(control.encode()).strip())
    assert not any(form in content for form in encoded for content in written.values())
    shown = {name.rsplit(".", 1)[-1] for name, content in written.items() if b"Receipt fdp.exe" in content}
    assert {"xml", "html", "eml"} <= shown


# Share pictures -----------------------------------------------------------------------------------------------------


def test_a_page_without_picture_has_one_made_from_the_theme(letter_site, page):
    """An issue whose lead has no picture names a PNG of 1200 x 630 beside its page, in the colours of the theme."""
    assert f'<meta property="og:image" content="{URL}share.png">' in page
    picture = Image.open(BytesIO((letter_site.folder / HERE / "share.png").read_bytes()))
    assert (picture.format, picture.size) == ("PNG", (1200, 630))
    assert picture.convert("RGB").getpixel((0, 0)) == (10, 90, 120)


def test_the_picture_of_a_post_comes_first(letter_site):
    """If the lead has a picture, the page names that one, and none is made."""
    letter_site.post("first", image="/a.png", image_alt="A door")
    letter_site.publish()
    page = letter_site.read(f"{HERE}/index.html")
    assert re.findall(r'og:image" content="([^"]*)"', page) == ["https://example.com/a.png"]
    assert 'og:image:alt" content="A door"' in page
    assert not (letter_site.folder / HERE / "share.png").exists()


def test_a_share_picture_is_written_once(letter_site, page):
    """A share picture that exists is not written again, though the theme has changed; a deleted one is."""
    picture = letter_site.folder / HERE / "share.png"
    before = picture.stat().st_mtime_ns, picture.read_bytes()
    theme = '[newsletters.theme]\naccent = "#7a2e2e"\n'
    letter_site.configure((CONFIG + NEWSLETTER).replace("[mail]", f"{theme}[mail]"))
    letter_site.publish()
    assert (picture.stat().st_mtime_ns, picture.read_bytes()) == before
    picture.unlink()
    letter_site.publish()
    assert picture.exists()


def test_a_share_picture_has_the_day_that_the_issue_shows(letter_site):
    """An issue composed two days after its slot has the picture of one whose slot is on that day."""
    pictures = []
    for day in ("mon", "wed"):
        letter_site.configure((CONFIG + NEWSLETTER).replace("0 8 * * mon", f"0 8 * * {day}"))
        letter_site.publish(NOW + timedelta(days=2))
        pictures.append((letter_site.folder / HERE / "share.png").read_bytes())
        for made in (".feeds", "public"):
            rmtree(letter_site.folder / made)
    assert pictures[0] == pictures[1]


def test_a_page_of_an_older_version_stays_as_it_is(letter_site, page):
    """A page that an older version stored gets its links where it has their placeholder, and no share picture."""
    (letter_site.folder / HERE / "share.png").unlink()
    with closing(sqlite3.connect(letter_site.folder / ".feeds/feeds.db")) as db, db:
        db.execute("UPDATE contents SET page = '<body><p>Old</p>feeds:neighbours:8d1c</body>'")
    letter_site.publish(NOW, use_cache=False)
    found = letter_site.read(f"{HERE}/index.html")
    assert found.startswith('<body><p>Old</p><p style="margin:0 0 8px"><a class="u"')
    assert 'rel="index" href="https://example.com/newsletters/weekly/"' in found
    assert not (letter_site.folder / HERE / "share.png").exists()


# Icons --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["favicon.svg", "static/favicon.ico", "public/apple-touch-icon.png"])
def test_the_site_has_its_own_icon(letter_site, name):
    """Pages name the icon of the site where its file is on this machine; feed pages follow when it appears."""
    letter_site.publish()
    assert 'rel="icon" href="data:image/svg+xml,' in letter_site.read("public/feeds/index.html")
    icon = letter_site.folder / name
    icon.parent.mkdir(exist_ok=True)
    icon.write_bytes(b"an icon")
    letter_site.publish()
    for page in ("public/feeds/index.html", "public/feeds/all/index.html", "public/newsletters/weekly/index.html"):
        assert f'rel="icon" href="https://example.com/{icon.name}"' in letter_site.read(page)
