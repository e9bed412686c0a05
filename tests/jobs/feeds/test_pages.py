"""The page of a newsletter with all its issues, and the list of all feeds."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from tests.conftest import CONFIG, NEWSLETTER, NOW

WEEK = timedelta(days=7)
ARCHIVE = "public/newsletters/weekly/index.html"


def test_the_archive_lists_every_issue_by_year(letter_site):
    """The archive has all issues under their years, also those that are no longer in the feed; the feed has fewer."""
    letter_site.configure((CONFIG + NEWSLETTER).replace("[feeds]", "[feeds]\nentries = 3"))
    for n in range(8):
        day = NOW + n * WEEK
        letter_site.post(f"p{n}", date=f"{day:%Y-%m-%d}", image="/a.png", image_alt=f"Picture {n}")
        letter_site.publish(day)
    page = letter_site.read(ARCHIVE)
    assert re.findall(r'<h2 id="y\d+">(\d+)</h2>|<h3><a href="[^"]*/(\d+)/">', page) == [
        *(("2027", ""), ("", "8"), ("", "7")),
        *(("2026", ""), ("", "6"), ("", "5"), ("", "4"), ("", "3"), ("", "2"), ("", "1")),
    ]
    assert re.findall(r'href="#(y\d+)"', page) == ["y2027", "y2026"]
    assert letter_site.read("public/newsletters/weekly/atom.xml").count("<entry ") == 3


def test_an_issue_is_below_the_year_of_its_date(letter_site):
    """An issue composed in a new year, after its slot in the old one, is below the new year; the list has that day."""
    letter_site.publish(datetime(2027, 1, 2, 12, tzinfo=UTC))
    assert re.findall(r'<h2 id="y\d+">(\d+)</h2>', letter_site.read(ARCHIVE)) == ["2027"]
    assert "January 2, 2027" in letter_site.read(ARCHIVE)
    assert "January 2, 2027" in letter_site.read("public/feeds/index.html")


def test_an_issue_in_the_archive_has_excerpt_and_picture(letter_site):
    """Each issue of the archive has the excerpt and the picture of its lead; one without a picture has none."""
    letter_site.post("first", body="Words of the post.\n", image="/a.png", image_alt="A door")
    letter_site.publish()
    letter_site.post("second", body="Other words.\n", date="2026-11-29")
    letter_site.publish(NOW + WEEK)
    second, first = letter_site.read(ARCHIVE).split("<article")[1:]
    assert (">Words of the post.</bdi></p>" in first, ">Other words.</bdi></p>" in second) == (True, True)
    assert '<img class="thumbnail" src="https://example.com/a.png" alt="A door"' in first
    assert "<img" not in second
    assert "<bdi>No. 1</bdi> · <bdi>November 23, 2026</bdi>" in first


@pytest.mark.parametrize("title", ["Les trains", "« Bonjour ! »", "Hello!"])
def test_an_issue_in_an_archive_of_another_direction_starts_on_one_side(letter_site, title):
    """Title, excerpt and facts are in one element whose direction is that of the title, and have none of their own."""
    letter_site.configure((CONFIG + NEWSLETTER).replace('title = "Test"', 'title = "Test"\nlanguage = "he"'))
    letter_site.post("first", title=f"'{title}'", lang="fr", body="Ils partent le soir.\n")
    letter_site.publish()
    [issue] = letter_site.read(ARCHIVE).split("<article")[1:]
    assert '<div dir="auto">' in issue
    assert f"{title}</a></h3>" in issue
    assert "<p><bdi>Ils partent le soir.</bdi></p>" in issue


def test_each_fact_keeps_its_direction(site):
    """Author, date and reading time of an entry are isolated from each other, whatever their scripts."""
    site.post("a", author="كاتب 12")
    site.publish()
    page = site.read("public/feeds/all/index.html")
    assert "<bdi>كاتب 12</bdi> · <bdi>" in page
    assert re.findall(r"<bdi>1 entry</bdi> · <bdi>updated", page)


def test_a_long_list_of_feeds_has_links_to_its_groups(site):
    """From 30 feeds on the list has links to its groups; a shorter list has none. Both explain what a feed is."""
    categories = [f"Category {n}" for n in range(28)]
    site.post("a", categories=f"[{', '.join(categories)}]")
    site.publish()
    short = site.read("public/feeds/index.html")
    site.post("b", categories="[One, Two]")
    site.publish()
    long = site.read("public/feeds/index.html")
    assert ('<nav class="meta jump"' in short, '<nav class="meta jump"' in long) == (False, True)
    for name in re.findall(r'class="tap" href="#([^"]*)"', long):
        assert f'id="{name}"' in long
    for page in (short, long):
        assert page.count('href="#about"') == page.count('<h2 id="about">') == 1
