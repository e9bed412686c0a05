"""Feeds, archives, redirects and lists of feeds, as whole publish runs write them."""

import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import suppress
from datetime import timedelta
from urllib.parse import unquote

import feedparser
import pytest
from lxml import etree

from tests.conftest import CONFIG, NEWSLETTER, NOW, SampleSite
from tests.validity.rules import archive_faults, atom_faults, json_faults, opml_faults, rss_faults

SITE = "https://example.com/"
ALL_FORMATS = 'entries = 3\nformats = ["atom", "rss", "json"]'
ATOM = "{http://www.w3.org/2005/Atom}"
FAULTS = {".xml": atom_faults, "rss.xml": rss_faults, ".json": json_faults, ".opml": opml_faults}


def config(more="", feeds=ALL_FORMATS):
    """The tests' config with three entries a feed and all formats, and *more* after it."""
    return CONFIG.replace('formats = ["atom"]', feeds) + more


@pytest.fixture
def small(site):
    """A site whose feeds show three entries."""
    site.configure(config())
    return site


def write(site, *numbers, **front):
    """Write posts, each with its number as the day of November 2026."""
    for number in numbers:
        site.post(
            f"p{number:02}", f"Words of post {number}.\n", **({"date": f"2026-11-{number:02}", "title": number} | front)
        )


def documents(site, folder="feeds/"):
    """The Atom documents of one feed, by URL."""
    found = site.files(f"public/{folder}archive") | {f"public/{folder}atom.xml": public(site, f"{folder}atom.xml")}
    return {SITE + name.removeprefix("public/"): content for name, content in found.items()}


def public(site, path):
    """The bytes of a file below `public/`."""
    return (site.folder / "public" / path).read_bytes()


def links(document, rel):
    root = etree.fromstring(document)
    return [link.get("href") for link in root.findall(f"{ATOM}link") if link.get("rel") == rel]


def titles(document):
    return [entry.title for entry in feedparser.parse(document).entries]


def archive_chain(site, folder="feeds/"):
    """The titles that a reader finds who follows `prev-archive` from the feed to its end, a list for each document."""
    address, found = f"{SITE}{folder}atom.xml", []
    while address:
        document = public(site, unquote(address.removeprefix(SITE)))
        assert links(document, "self") == [address]
        found.append(titles(document))
        (address,) = links(document, "prev-archive") or [None]
    return found


def entries(document):
    """The bytes of each entry of an Atom document, by id."""
    found = re.findall(rb"<entry.*?</entry>", document, re.DOTALL)
    return {re.search(rb"<id>(.*?)</id>", entry)[1].decode(): entry for entry in found}


def around(document):
    """The lines of an Atom or RSS document outside its entries."""
    rest = re.sub(rb"<(entry|item).*</(entry|item)>", b"", document, flags=re.DOTALL)
    return [line.strip() for line in rest.decode().splitlines()]


def lines_that_differ(one, other):
    return [line for line in {*one} ^ {*other} if line]


# The archive ------------------------------------------------------------------------------------------------------


def test_a_reader_who_follows_the_archive_finds_every_post_once(small):
    """The chain of `prev-archive` links has pages of three posts, the newest first, and each post is on one page."""
    write(small, *range(1, 11))
    small.publish()
    current, *pages = archive_chain(small)
    assert current == ["10", "9", "8"]
    assert pages == [["9", "8", "7"], ["6", "5", "4"], ["3", "2", "1"]]


def test_a_feed_of_few_posts_has_no_archive(small):
    """A feed that shows all its posts has no archive."""
    write(small, 1, 2)
    small.publish()
    assert archive_chain(small) == [["2", "1"]]
    assert small.files("public/feeds/archive") == {}


def test_rss_and_json_know_no_archive_and_have_none(small):
    """Without Atom, no archive is written, and the other formats do not link to one."""
    small.configure(config(feeds='entries = 3\nformats = ["rss", "json"]'))
    write(small, *range(1, 8))
    small.publish()
    assert small.files("public/feeds/archive") == {}
    assert b"archive" not in public(small, "feeds/rss.xml") + public(small, "feeds/feed.json")


def test_archives_can_be_turned_off_and_on(small):
    """`archives = false` removes archive documents and the links to them; turned on again, all files are as before."""
    write(small, *range(1, 8))
    small.publish()
    before = small.files("public")
    small.configure(config(feeds=f"{ALL_FORMATS}\narchives = false"))
    small.publish()
    assert archive_chain(small) == [["7", "6", "5"]]
    assert small.files("public/feeds/archive") == {}
    small.configure(config())
    small.publish()
    assert small.files("public") == before


CHANGES = {
    "seven posts": lambda site: write(site, *range(11, 18), categories="[X]"),
    "one more": lambda site: write(site, 18, categories="[X]"),
    "two that come late": lambda site: write(site, 1, 2, categories="[X]"),
    "one of another category": lambda site: write(site, 19, categories="[Y]"),
    "one is withdrawn from a full page": lambda site: write(site, 12, categories="[X]", draft="true"),
    "the newest expires": lambda site: write(site, 18, categories="[X]", expirydate="2026-11-23T11:00:00Z"),
    "one changes its date": lambda site: site.post("p13", "Words of post 13.\n", date="2026-11-03", title=13),
    "one changes its category": lambda site: write(site, 14, categories="[Y]"),
    "the withdrawn one is back": lambda site: write(site, 12, categories="[X]"),
    "many": lambda site: write(site, *range(3, 11), categories="[X, Y]"),
    "nearly all go": lambda site: write(site, *range(3, 20), draft="true"),
    "and are back": lambda site: write(site, *range(3, 20), categories="[X]"),
}


def test_after_every_run_the_archives_are_whole(small):
    """After any change, every public post is on the chain of archive pages, and an entry stays on its page."""
    placed = {}
    for name, change in CHANGES.items():
        change(small)
        report = small.publish()
        assert report.errors == [], name
        for folder in ("feeds/", "feeds/category/x/", "feeds/category/y/"):
            if not (small.folder / "public" / folder).exists():
                continue
            found = documents(small, folder)
            assert archive_faults(found) == [], f"{folder} after {name}"
            assert [fault for document in found.values() for fault in atom_faults(document)] == []
            pages = {address: set(entries(document)) for address, document in found.items() if "archive" in address}
            for address, ids in pages.items():
                assert all(placed.setdefault((folder, identity), address) == address for identity in ids), name
        reached = {title for page in archive_chain(small) for title in page}
        assert len(reached) == report.counts["public"], name


def unlinked(document):
    """An archive page without the one line that may change: the link to the next page."""
    return re.sub(rb' *<link [^>]*rel="next-archive"[^>]*/>\n', b"", document)


def test_a_full_page_changes_by_its_next_page_or_a_removal_only(small):
    """A full archive page changes only if its next page appears or a post is removed; other entries do not."""
    write(small, *range(11, 18))
    small.publish()
    full = ("feeds/archive/1.xml", "feeds/archive/2.xml")
    before = [public(small, path) for path in full]
    for change in (
        lambda: write(small, 18, 19, 20),
        lambda: write(small, 1),
        lambda: write(small, 21, categories="[X]"),
    ):
        change()
        small.publish()
        assert [unlinked(public(small, path)) for path in full] == [unlinked(document) for document in before]
    write(small, 12, draft="true")
    small.publish()
    first, second = (public(small, path) for path in full)
    assert unlinked(second) == unlinked(before[1])
    former = entries(before[0])
    remaining = [identity for identity in former if "p12" not in identity]
    assert entries(first) == {identity: former[identity] for identity in remaining}
    assert lines_that_differ(around(unlinked(first)), around(unlinked(before[0]))) == []


def test_what_comes_late_is_in_the_archive_at_once(small):
    """A new post with an old date is not in the feed, but in the archive at once."""
    write(small, *range(11, 18))
    small.publish()
    write(small, 1)
    small.publish()
    assert archive_chain(small) == [["17", "16", "15"], ["17", "1"], ["16", "15", "14"], ["13", "12", "11"]]


# What a run changes -----------------------------------------------------------------------------------------------


def test_a_new_post_changes_only_the_feeds_that_show_it(small):
    """A new post changes neither another category's documents and page nor any full archive page."""
    write(small, *range(1, 7), categories="[X]")
    write(small, *range(7, 14), categories="[Y]")
    small.publish()
    before = small.files("public")
    write(small, 20, categories="[X]")
    small.publish()
    changed = {
        name.removeprefix("public/feeds/")
        for name, content in small.files("public").items()
        if content != before.get(name)
    }
    assert changed == {
        *("atom.xml", "rss.xml", "feed.json", "all/index.html", "index.html", "feeds.opml"),
        *(f"category/x/{name}" for name in ("atom.xml", "rss.xml", "feed.json", "index.html")),
    }


def test_a_new_post_is_one_entry_more_and_one_less(small):
    """In every format, a new post adds one entry, removes the oldest and changes `updated`, and no other byte."""
    write(small, *range(1, 8))
    small.publish()
    before = [public(small, f"feeds/{name}") for name in ("atom.xml", "rss.xml", "feed.json")]
    write(small, 20)
    small.publish()
    atom, rss, feed = (public(small, f"feeds/{name}") for name in ("atom.xml", "rss.xml", "feed.json"))

    former, current = entries(before[0]), entries(atom)
    assert (len(former.keys() - current.keys()), len(current.keys() - former.keys())) == (1, 1)
    assert {i: former[i] for i in former.keys() & current.keys()} == {
        i: current[i] for i in former.keys() & current.keys()
    }
    assert titles(atom) == ["20", "7", "6"]
    differing = lines_that_differ(around(before[0]), around(atom))
    assert sorted(line.partition(">")[0] for line in differing) == ["<updated", "<updated"]

    items = [set(re.findall(rb"<item>.*?</item>", document, re.DOTALL)) for document in (before[1], rss)]
    assert [len(items[0] - items[1]), len(items[1] - items[0])] == [1, 1]
    differing = lines_that_differ(around(before[1]), around(rss))
    assert sorted(line.partition(">")[0] for line in differing) == ["<lastBuildDate", "<lastBuildDate"]

    was, now = json.loads(before[2]), json.loads(feed)
    assert now.pop("items")[1:] == was.pop("items")[:2]
    assert was == now


def test_a_page_that_gets_full_is_linked(small):
    """When an archive page gets full, only `updated` and the links to the archive change outside the entries."""
    write(small, *range(1, 9))
    small.publish()
    before = public(small, "feeds/atom.xml")
    write(small, 20)
    small.publish()
    atom = public(small, "feeds/atom.xml")
    assert (links(before, "prev-archive"), links(atom, "prev-archive")) == (
        [f"{SITE}feeds/archive/2.xml"],
        [f"{SITE}feeds/archive/3.xml"],
    )
    differing = lines_that_differ(around(before), around(atom))
    assert len(differing) == 4
    assert all(line.startswith("<updated>") or 'rel="prev-archive"' in line for line in differing)


def visible_fields(document):
    return [(e.id, e.published, e.updated, e.title) for e in feedparser.parse(document).entries]


def test_an_edit_that_is_not_dated_changes_text_and_neither_ids_nor_dates(small):
    """An edit without a new `updated` changes the text of the entry, and neither its id nor any date."""
    write(small, 1, 2, 3)
    small.publish()
    before = public(small, "feeds/atom.xml")
    small.post("p02", "Better words.\n", date="2026-11-02", title=2)
    small.publish()
    after = public(small, "feeds/atom.xml")
    assert b"Better words." in after
    assert visible_fields(after) == visible_fields(before)
    assert around(after) == around(before)


def test_an_edit_that_is_dated_changes_updated(small):
    """An edit with `updated` changes `updated` of the entry and of the feed; the id stays."""
    write(small, 1, 2, 3)
    small.publish()
    before = {fields[0]: fields for fields in visible_fields(public(small, "feeds/atom.xml"))}
    write(small, 2, updated="2026-11-22T10:00:00Z")
    small.publish()
    after = public(small, "feeds/atom.xml")
    changed = [fields for fields in visible_fields(after) if before[fields[0]] != fields]
    assert [(fields[2], fields[3]) for fields in changed] == [("2026-11-22T10:00:00+00:00", "2")]
    assert feedparser.parse(after).feed.updated == "2026-11-22T10:00:00+00:00"


def test_what_comes_back_into_the_window_is_nothing_new(small):
    """If the newest post expires, an older one is back with its former bytes, and `updated` of the feed stays."""
    write(small, *range(1, 5))
    small.publish()
    before = entries(public(small, "feeds/atom.xml"))
    write(small, 5, expirydate="2026-11-23T13:00:00Z")
    small.publish()
    assert titles(public(small, "feeds/atom.xml")) == ["5", "4", "3"]
    updated = feedparser.parse(public(small, "feeds/atom.xml")).feed.updated
    small.publish(NOW + timedelta(hours=2))
    after = public(small, "feeds/atom.xml")
    assert titles(after) == ["4", "3", "2"]
    assert entries(after) == before
    assert feedparser.parse(after).feed.updated == updated


def test_updated_of_a_feed_never_goes_back(small):
    """`updated` of a feed never goes back, whatever posts are withdrawn or get another date."""
    last = {}
    for change in CHANGES.values():
        change(small)
        small.publish()
        for name, content in small.files("public").items():
            if name.endswith("/atom.xml"):
                updated = feedparser.parse(content).feed.updated_parsed
                assert updated >= last.get(name, updated)
                last[name] = updated


def test_updated_goes_back_after_a_run_with_a_clock_that_was_ahead(small):
    """After a run with a clock that was a year ahead, `updated` of feeds goes back to the real time."""
    write(small, 1)
    write(small, 2, date="2027-11-02")
    small.publish(NOW + timedelta(days=400))
    assert feedparser.parse(public(small, "feeds/atom.xml")).feed.updated.startswith("2027")
    small.publish()
    assert feedparser.parse(public(small, "feeds/atom.xml")).feed.updated == "2026-11-01T00:00:00+00:00"


# The same everywhere ----------------------------------------------------------------------------------------------

RICH = {
    "rain": (
        "雨の日の言葉。\n\n<p lang='ja'>傘を持って。</p>\n",
        {"title": "雨", "lang": "ja", "categories": "[天気, X]", "authors": "[葵]"},
    ),
    "link": ("See [there](other/).\n", {"link": "https://example.org/page", "tags": "[AI, 'a & b']"}),
    "cast": ("Listen & <b>hear</b>.\n", {"enclosure": "/cast.mp3", "duration": "'1:02:03'", "image": "/pics/a.png"}),
    "words": ("A *few* words, [a link](#x) and `code`.\n", {"tags": "[ai]", "author": "Ada <ada@example.com>"}),
    "dated": ("Dated words.\n", {"date": "2026-11-19T08:30:00+09:00", "updated": "2026-11-21", "summary": "S & T"}),
}
KINDS = 'entries = 3\nby = ["category", "tag", "author", "language"]'
EXTRA = '\n[[feeds.extra]]\nname = "mine"\ntitle = "Mine"\ntag = ["ai"]\n[feeds.moved]\n"/feed.xml" = "rss.xml"\n'


def rich(site, *, reverse=False):
    """A site of Japanese and English posts with everything that feeds can show."""
    site.configure(config(EXTRA + NEWSLETTER, KINDS))
    (site.folder / "static" / "pics").mkdir(parents=True)
    (site.folder / "static" / "pics" / "a.png").write_bytes(b"x" * 123)
    for name, (body, front) in sorted(RICH.items(), reverse=reverse):
        site.post(name, body, **front)
    return site


def test_every_document_is_valid(site):
    """All formats, kinds of feeds and lists are valid, with Japanese and English posts, images and link posts."""
    assert rich(site).publish().errors == []
    found = {
        name: content for name, content in site.files("public").items() if name.endswith((".xml", ".json", ".opml"))
    }
    kinds = {name.split("/")[2] for name in found if name.startswith("public/feeds/")}
    assert kinds >= {"atom.xml", "rss.xml", "feed.json", "category", "tag", "author", "language", "mine", "feeds.opml"}
    assert "public/newsletters/weekly/atom.xml" in found
    assert "public/feeds/category/天気/feed.json" in found
    for name, content in found.items():
        if name not in {"public/feeds/redirects.json", "public/feed.xml"}:
            rules = next(rules for ending, rules in reversed(FAULTS.items()) if name.endswith(ending))
            assert rules(content) == [], name
    assert rss_faults(found["public/feed.xml"]) == []


def site_in(folder):
    (folder / "posts").mkdir(parents=True)
    return SampleSite(folder)


def test_the_same_site_gives_the_same_bytes_everywhere(tmp_path):
    """`public/` has the same bytes in another time zone, locale, hash seed and order of files."""
    environments = {
        "here": {"PYTHONHASHSEED": "1"},
        "zone": {"TZ": "Pacific/Kiritimati", "PYTHONHASHSEED": "2"},
        "locale": {"LC_ALL": "C", "LANG": "C", "TZ": "America/St_Johns", "PYTHONHASHSEED": "3"},
        "order": {"PYTHONUTF8": "0", "PYTHONHASHSEED": "4"},
    }
    sites = {name: rich(site_in(tmp_path / name), reverse=name == "order") for name in environments}
    started = [
        subprocess.Popen(
            [sys.executable, "-W", "error", "-m", "feeds", "publish", "--now", "2026-11-23T12:00Z"],
            cwd=sites[name].folder,
            env=os.environ | variables,
            stdout=subprocess.DEVNULL,
        )
        for name, variables in environments.items()
    ]
    assert [process.wait(60) for process in started] == [0] * 4
    outputs = [site.files("public") for site in sites.values()]
    assert len(outputs[0]) > 30
    assert all(output == outputs[0] for output in outputs[1:])


def test_a_fresh_store_gives_the_same_bytes(tmp_path):
    """If posts came in the order of their dates and none was removed, a new store gives the same bytes."""
    grown, fresh = site_in(tmp_path / "grown"), site_in(tmp_path / "fresh")
    for site in (grown, fresh):
        site.configure(config())
    for number in range(1, 9):
        write(grown, number, categories="[X]" if number % 2 else "[Y]")
        grown.publish()
        write(fresh, number, categories="[X]" if number % 2 else "[Y]")
    fresh.publish()
    assert fresh.files("public") == grown.files("public")
    shutil.rmtree(grown.folder / ".feeds/cache")
    (grown.folder / ".feeds/feeds.db").unlink()
    assert grown.publish().written == []


# Configuration ----------------------------------------------------------------------------------------------------


def test_a_category_can_configure_its_feed(small):
    """A category's settings decide title, size, content, slug and label of its feed; other feeds stay as they are."""
    small.configure(
        config(
            '[categories.X]\ntitle = "All of X"\nentries = 2\ncontent = "summary"\nslug = "ex"\nlabel = "Ex"\n'
            'description = "What is X."\n'
        )
    )
    write(small, 1, 2, 3, 4, categories="[X, Y]")
    small.publish()
    found = feedparser.parse(small.read("public/feeds/category/ex/atom.xml"))
    assert (found.feed.title, found.feed.subtitle, len(found.entries)) == ("All of X", "What is X.", 2)
    assert (found.feed.tags[0].term, found.feed.tags[0].label) == ("X", "Ex")
    assert [("content" in entry, bool(entry.summary)) for entry in found.entries] == [(False, True)] * 2
    assert archive_chain(small, "feeds/category/ex/") == [["4", "3"], ["4", "3"], ["2", "1"]]
    assert all(
        "content_html" not in item for item in json.loads(small.read("public/feeds/category/ex/feed.json"))["items"]
    )
    other = feedparser.parse(small.read("public/feeds/category/y/atom.xml"))
    assert (other.feed.title, len(other.entries)) == ("Y · Test", 3)
    assert all(entry.content for entry in other.entries)


def test_a_feed_can_be_of_what_passes_a_filter(small):
    """A custom feed has the posts that match every filter that is set; a language also matches its regions."""
    small.configure(
        config(
            '[[feeds.extra]]\nname = "far"\ntitle = "Far"\ndescription = "D"\ntag = ["ai", "x y"]\nlanguage = "ja"\n'
            'entries = 2\n[[feeds.extra]]\nname = "ada"\nauthor = "Ada"\n'
        )
    )
    write(small, 1, tags="[AI]", lang="ja")
    write(small, 2, tags="[AI]", lang="en")
    write(small, 3, tags="[XY]", lang="ja-JP", author="ada")
    write(small, 4, tags="[other]", lang="ja")
    write(small, 5, tags="[ai]", lang="ja")
    small.publish()
    found = feedparser.parse(small.read("public/feeds/far/atom.xml"))
    assert (found.feed.title, found.feed.subtitle, found.feed.language) == ("Far", "D", "ja")
    assert archive_chain(small, "feeds/far/") == [["5", "3"], ["3", "1"]]
    assert archive_chain(small, "feeds/ada/") == [["3"]]


def redirects(site):
    return json.loads(site.read("public/feeds/redirects.json"))


MOVED = '\n[feeds.moved]\n"category/old" = "category/new"\n"/feed.xml" = "feeds/atom.xml"\n'


def test_a_moved_feed_is_copied_to_its_old_path_and_redirected(small):
    """A moved feed has copies at its old path, byte for byte, and redirects for Netlify, Apache and programs."""
    small.configure(config(MOVED))
    write(small, 1, categories="[New]")
    assert small.publish().warnings == []
    for name in ("atom.xml", "rss.xml", "feed.json", "index.html"):
        assert public(small, f"feeds/category/old/{name}") == public(small, f"feeds/category/new/{name}")
    assert public(small, "feed.xml") == public(small, "feeds/atom.xml")
    assert links(public(small, "feeds/category/old/atom.xml"), "self") == [f"{SITE}feeds/category/new/atom.xml"]
    assert small.read("public/_redirects").splitlines()[1:-1] == [
        "/feed.xml /feeds/atom.xml 301",
        *(f"/feeds/category/old/{n} /feeds/category/new/{n} 301" for n in ("atom.xml", "rss.xml", "feed.json")),
        "/feeds/category/old/* /feeds/category/new/:splat 301",
    ]
    assert small.read("public/.htaccess").splitlines()[2:-2] == [
        f'Redirect 301 "/feeds/category/old/" "{SITE}feeds/category/new/"',
        f'Redirect 301 "/feed.xml" "{SITE}feeds/atom.xml"',
    ]
    assert redirects(small) == [
        {"from": "/feeds/category/old/", "to": "/feeds/category/new/", "status": 301},
        {"from": "/feed.xml", "to": "/feeds/atom.xml", "status": 301},
    ]
    write(small, 2, categories="[New]")
    small.publish()
    assert titles(public(small, "feed.xml")) == titles(public(small, "feeds/category/old/atom.xml")) == ["2", "1"]
    assert small.publish().written == []


def test_lines_of_the_site_survive(small):
    """The site's own lines in `_redirects` and `.htaccess` stay, also when our block is removed with the last move."""
    (small.folder / "public").mkdir()
    theirs = {"_redirects": "/x /y 302\n", ".htaccess": "Options -Indexes\n"}
    for name, lines in theirs.items():
        (small.folder / "public" / name).write_text(lines, "utf-8")
    write(small, 1, categories="[New]")
    small.configure(config(MOVED))
    small.publish()
    for name, lines in theirs.items():
        assert small.read(f"public/{name}").startswith(lines)
        assert small.read(f"public/{name}").count("301") == {"_redirects": 5, ".htaccess": 2}[name]
    small.configure(config())
    small.publish()
    assert {name: small.read(f"public/{name}") for name in theirs} == theirs
    assert redirects(small) == []


def test_a_file_that_was_ours_alone_goes_with_our_lines(small):
    """A server file with no lines but ours is removed with the last move."""
    write(small, 1, categories="[New]")
    small.configure(config(MOVED))
    small.publish()
    small.configure(config())
    small.publish()
    assert not (small.folder / "public" / "_redirects").exists()
    assert not (small.folder / "public" / ".htaccess").exists()


def test_moves_that_cannot_be_are_named(small):
    """A move that is not possible is a warning with both paths; feeds and other moves are written."""
    small.configure(
        config(
            '[feeds.moved]\n"category/x" = "feeds/atom.xml"\n"/../a.xml" = "atom.xml"\n'
            '"/a.xml" = "nothing.xml"\n"/b.xml" = "atom.xml"\n'
        )
    )
    write(small, 1)
    report = small.publish()
    assert len(report.warnings) == 3
    assert all(f"{small.folder / 'config.toml'}:" in warning for warning in report.warnings)
    assert public(small, "b.xml") == public(small, "feeds/atom.xml")
    assert not (small.folder / "a.xml").exists()
    assert len(redirects(small)) == 1


def test_a_category_that_was_renamed_keeps_its_readers(small):
    """A category renamed with `was` keeps the id and the archive of its feed, and its old path is still written."""
    write(small, *range(1, 6), categories="[Old]")
    small.publish()
    before = feedparser.parse(public(small, "feeds/category/old/atom.xml"))
    small.configure(config('[categories.New]\nwas = ["Old"]\n'))
    write(small, 6, categories="[New]")
    report = small.publish()
    assert report.warnings == []
    after = feedparser.parse(public(small, "feeds/category/new/atom.xml"))
    assert (after.feed.id, after.feed.title) == (before.feed.id, "New · Test")
    assert titles(public(small, "feeds/category/new/atom.xml")) == ["6", "5", "4"]
    assert public(small, "feeds/category/old/atom.xml") == public(small, "feeds/category/new/atom.xml")
    assert redirects(small) == [{"from": "/feeds/category/old/", "to": "/feeds/category/new/", "status": 301}]
    assert set(small.read("public/feeds/feeds.opml").split('"')) >= {f"{SITE}feeds/category/new/atom.xml"}
    assert "category/old" not in small.read("public/feeds/feeds.opml")


def test_no_two_feeds_ever_have_one_id(small):
    """No two feeds have the same id, even if `was` is removed from the config again."""
    write(small, 1, categories="[Old]")
    small.publish()
    small.configure(config('[categories.New]\nwas = ["Old"]\n'))
    small.publish()
    write(small, 1, categories="[New]")
    small.configure(config("[categories.New]\n"))
    small.publish()
    found = [content for name, content in small.files("public/feeds").items() if name.endswith("atom.xml")]
    by_self = {links(document, "self")[0]: feedparser.parse(document).feed.id for document in found}
    assert len(set(by_self.values())) == len(by_self)


def test_a_changed_slug_keeps_the_old_folder_written(small):
    """After each change of a slug, all former folders get copies of the new documents, and redirects."""
    write(small, 1, categories="[X]")
    small.publish()
    for number, slug in ((2, "y"), (3, "z")):
        small.configure(config(f'[categories.X]\nslug = "{slug}"\n'))
        write(small, number, categories="[X]")
        assert small.publish().warnings == []
    current = public(small, "feeds/category/z/atom.xml")
    assert titles(current) == ["3", "2", "1"]
    assert public(small, "feeds/category/x/atom.xml") == public(small, "feeds/category/y/atom.xml") == current
    assert [(row["from"], row["to"]) for row in redirects(small)] == [
        ("/feeds/category/x/", "/feeds/category/z/"),
        ("/feeds/category/y/", "/feeds/category/z/"),
    ]


def test_two_categories_may_swap_their_slugs(small):
    """Two categories that swap their slugs keep their ids, each in the other's folder, without redirects."""
    write(small, 1, categories="[X]")
    write(small, 2, categories="[Y]")
    small.publish()
    before = {name: feedparser.parse(public(small, f"feeds/category/{name}/atom.xml")).feed.id for name in "xy"}
    small.configure(config('[categories.X]\nslug = "y"\n[categories.Y]\nslug = "x"\n'))
    assert small.publish().errors == []
    after = {name: feedparser.parse(public(small, f"feeds/category/{name}/atom.xml")).feed.id for name in "xy"}
    assert after == {"x": before["y"], "y": before["x"]}
    assert small.publish().written == []
    assert not (small.folder / "public" / "_redirects").exists()


def test_a_feed_without_posts_keeps_its_folder(small):
    """A slug that is the folder of another category's empty feed does not put two feeds into one folder."""
    write(small, 1, categories="[X]")
    write(small, 2, categories="[Y]")
    small.publish()
    write(small, 1, categories="[X]", draft="true")
    small.publish()
    small.configure(config('[categories.Y]\nslug = "x"\n'))
    report = small.publish()
    assert len(report.written) == len(set(report.written))
    opml = re.findall(r'xmlUrl="([^"]*)"', small.read("public/feeds/feeds.opml"))
    assert len(opml) == len(set(opml))


def test_what_is_withdrawn_is_withdrawn_wherever_its_feed_lay(small):
    """The text of a withdrawn post is nowhere in `public/`, also not in former folders of its feed."""
    write(small, *range(1, 8), categories="[X]")
    small.post("secret", "This is withdrawn.\n", title="Secret", date="2026-11-01", categories="[X]")
    small.publish()
    small.configure(config('[categories.X]\nslug = "y"\n'))
    small.publish()
    small.post("secret", "This is withdrawn.\n", title="Secret", date="2026-11-01", categories="[X]", draft="true")
    small.publish()
    assert [name for name, content in small.files("public").items() if b"This is withdrawn" in content] == []


# Retiring feeds ---------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("databases")
def test_a_feed_can_be_retired_and_brought_back(small, feeds):
    """`retire` removes the files of a feed, answers 410 and takes it off all lists; `--undo` restores all of it."""
    write(small, *range(1, 8), categories="[X]")
    write(small, 8, categories="[Y]")
    assert feeds("publish", "--feeds-only").returncode == 0
    before = small.files("public")
    done = feeds("retire", "category/x")
    assert (done.returncode, done.stderr) == (0, "")
    assert small.files("public/feeds/category/x") == {}
    assert "/feeds/category/x/* /feeds/ 410" in small.read("public/_redirects").splitlines()
    assert 'Redirect gone "/feeds/category/x/"' in small.read("public/.htaccess").splitlines()
    assert redirects(small) == [{"from": "/feeds/category/x/", "to": None, "status": 410}]
    for name in ("index.html", "feeds.opml"):
        assert "category/x" not in small.read(f"public/feeds/{name}")
        assert "category/y" in small.read(f"public/feeds/{name}")
    write(small, 9, categories="[X]")
    feeds("publish", "--feeds-only")
    assert small.files("public/feeds/category/x") == {}
    (small.folder / "posts" / "p09.md").unlink()
    done = feeds("retire", "category/x/", "--undo")
    assert (done.returncode, done.stderr) == (0, "")
    assert redirects(small) == []
    assert not (small.folder / "public" / "_redirects").exists()
    assert small.files("public/feeds/category/x") == {n: c for n, c in before.items() if "/category/x/" in n}
    assert "category/x" in small.read("public/feeds/index.html")
    assert "category/x" in small.read("public/feeds/feeds.opml")


def test_one_document_can_be_retired(small, feeds):
    """A single document can be retired; the feed's other formats stay."""
    write(small, 1, categories="[X]")
    feeds("publish", "--feeds-only")
    assert feeds("retire", "category/x/rss.xml").returncode == 0
    assert sorted(small.files("public/feeds/category/x")) == [
        f"public/feeds/category/x/{name}" for name in ("atom.xml", "feed.json", "index.html")
    ]
    assert redirects(small) == [{"from": "/feeds/category/x/rss.xml", "to": None, "status": 410}]


def test_a_feed_is_retired_in_all_its_folders_and_no_other_with_it(small, feeds):
    """The former folder of a retired feed is removed too, unless another feed is there now."""
    write(small, 1, categories="[X]")
    write(small, 2, categories="[Y]")
    write(small, 3, categories="[Z]")
    small.publish()
    small.configure(config('[categories.X]\nslug = "y"\n[categories.Y]\nslug = "x"\n[categories.Z]\nslug = "zed"\n'))
    small.publish()
    assert feeds("retire", "category/zed").returncode == 0
    assert small.files("public/feeds/category/z", "public/feeds/category/zed") == {}
    assert feeds("retire", "category/y").returncode == 0
    assert small.files("public/feeds/category/y") == {}
    assert titles(public(small, "feeds/category/x/atom.xml")) == ["2"]
    assert feeds("retire", "category/zed", "--undo").returncode == 0
    assert titles(public(small, "feeds/category/z/atom.xml")) == ["3"]


@pytest.mark.parametrize("path", ["category/nothing", "category/x/other.xml", "feeds", "feeds/", "category", ""])
def test_only_a_feed_can_be_retired(small, path):
    """Retiring a path that is not a feed is an error that names it, and changes nothing; `feeds/` is not a feed."""
    from feeds.errors import FeedsError
    from feeds.jobs.context import Context
    from feeds.jobs.feeds.retire import retire_feed, unretire_feed

    write(small, 1, categories="[X]")
    small.publish()
    before = small.files("public")
    context = Context(clock=lambda: NOW)
    with pytest.raises(FeedsError, match="is not a feed"):
        retire_feed(small.config, path, context)
    with pytest.raises(FeedsError, match="is not retired"):
        unretire_feed(small.config, path, context)
    assert small.files("public") == before


def test_an_unknown_path_is_an_error_for_people(small, feeds):
    """An unknown path is exit code 1 and one line that says what to write."""
    write(small, 1)
    feeds("publish", "--feeds-only")
    done = feeds("retire", "category/nothing")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: feeds/category/nothing/: is not a feed; name its folder")
    assert done.stderr.count("\n") == 1


def test_a_format_that_is_dropped_is_reported_and_left(small):
    """A format that is taken out of the config is reported, and its documents stay until `feeds retire`."""
    write(small, 1)
    small.publish()
    rss = public(small, "feeds/rss.xml")
    small.configure(config(feeds='formats = ["atom", "json"]'))
    warnings = small.publish().warnings
    assert len(warnings) == 1
    assert "public/feeds/rss.xml: this format is not written any more (feeds.formats)" in warnings[0]
    assert "`feeds retire feeds/rss.xml` removes it" in warnings[0]
    assert public(small, "feeds/rss.xml") == rss


def test_a_kind_that_is_dropped_is_reported_and_left(small):
    """A kind of feeds that is taken out of the config is reported in one line, and its documents stay."""
    write(small, 1, categories="[X]")
    write(small, 2, categories="[Y]")
    small.publish()
    before = small.files("public/feeds/category")
    small.configure(config(feeds=f"{ALL_FORMATS}\nby = []"))
    warnings = small.publish().warnings
    assert len(warnings) == 1
    assert "2 feeds by category are not written any more, such as feeds/category/x/" in warnings[0]
    assert small.files("public/feeds/category") == before
    small.configure(config())
    assert small.publish().warnings == []


# Files of the site ------------------------------------------------------------------------------------------------


def test_a_local_picture_has_its_size_and_a_grown_one_changes_the_feed(small, feeds):
    """The feed has the size of a local image; if the file changes, the next publish updates it, with no post edited."""
    (small.folder / "pics").mkdir()
    picture = small.folder / "pics" / "a.png"
    picture.write_bytes(b"x" * 123)
    write(small, 1, image="/pics/a.png")
    time.sleep(0.05)
    command = ("publish", "--feeds-only", "--now", "2026-11-23")
    feeds(*command)
    enclosure = f'<enclosure url="{SITE}pics/a.png" length="123" type="image/png"/>'
    assert enclosure in small.read("public/feeds/rss.xml")
    assert 'length="123"' in small.read("public/feeds/atom.xml")
    assert "0 written" in feeds(*command).stdout
    picture.write_bytes(b"x" * 1234)
    assert "2 written" in feeds(*command).stdout
    assert enclosure.replace("123", "1234") in small.read("public/feeds/rss.xml")
    assert 'length="1234"' in small.read("public/feeds/atom.xml")
    assert atom_faults(public(small, "feeds/atom.xml")) == rss_faults(public(small, "feeds/rss.xml")) == []
    picture.unlink()
    assert "2 written" in feeds(*command).stdout
    assert enclosure.replace("123", "0") in small.read("public/feeds/rss.xml")


def test_an_address_that_no_file_can_have_stops_no_other_post(small):
    """A post with an image URL that cannot be a file path does not stop the other posts."""
    write(small, 1)
    write(small, 2, image=f"{SITE}2026/11/02/p02/?%00")
    assert small.publish().counts["public"] == 2
    assert titles(public(small, "feeds/atom.xml")) == ["2", "1"]


# Newsletters ------------------------------------------------------------------------------------------------------


def test_a_newsletter_has_a_feed_after_its_first_issue(letter_site):
    """A newsletter has a feed and a page after its first issue; an entry is an issue, and stays as it was sent."""
    letter_site.configure(config(NEWSLETTER))
    letter_site.publish(feeds_only=True)
    assert letter_site.files("public/newsletters") == {}
    letter_site.publish()
    paths = [
        f"public/newsletters/weekly/{name}"
        for name in ("1/index.html", "1/share.png", "atom.xml", "feed.json", "index.html", "rss.xml")
    ]
    assert sorted(letter_site.files("public/newsletters")) == paths
    found = feedparser.parse(letter_site.read("public/newsletters/weekly/atom.xml"))
    assert (found.feed.title, found.feed.updated) == ("The weekly · Test", "2026-11-23T08:00:00+00:00")
    assert [entry.link for entry in found.entries] == [f"{SITE}newsletters/weekly/1/"]
    assert "first" in found.entries[0].content[0].value
    assert f"{SITE}2026/11/20/first/" in found.entries[0].content[0].value
    assert f"{SITE}newsletters/weekly/1/" in letter_site.read("public/newsletters/weekly/index.html")
    for listing in ("index.html", "feeds.opml"):
        assert f"{SITE}newsletters/weekly/atom.xml" in letter_site.read(f"public/feeds/{listing}")
    for name, rules in (("atom.xml", atom_faults), ("rss.xml", rss_faults), ("feed.json", json_faults)):
        assert rules(public(letter_site, f"newsletters/weekly/{name}")) == []

    before = entries(public(letter_site, "newsletters/weekly/atom.xml"))
    letter_site.post("first", "Other words altogether.\n", title="Renamed")
    letter_site.post("second", date="2026-11-25")
    letter_site.publish(NOW + timedelta(days=7))
    after = entries(public(letter_site, "newsletters/weekly/atom.xml"))
    assert len(after) == 2
    assert before.items() <= after.items()


@pytest.mark.parametrize("archive", ["unlisted", "off"])
def test_a_newsletter_that_is_not_for_everybody_has_no_feed(letter_site, archive):
    """A newsletter whose archive is not public has no feed, and no list names it."""
    letter_site.configure(config(NEWSLETTER.replace('title = "The weekly"', f'archive = "{archive}"')))
    assert [issue.state for issue in letter_site.publish().issues] == ["sent"]
    assert [name for name in letter_site.files("public/newsletters") if "/1/" not in name] == []
    assert "newsletters" not in letter_site.read("public/feeds/index.html") + letter_site.read(
        "public/feeds/feeds.opml"
    )


# Killed -----------------------------------------------------------------------------------------------------------


def killed_at(site, step):
    """Publish in a process that is killed before its *step*-th rename, removal or commit; return whether it was."""
    pid = os.fork()
    if pid:
        return os.WIFSIGNALED(os.waitpid(pid, 0)[1])
    left = [step]
    connections = []

    def count():
        left[0] -= 1
        if left[0] < 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def hook(event, values):
        if event == "sqlite3.connect/handle":
            connections.append(values[0])  # the connection cannot be used yet
        elif connections:
            with suppress(sqlite3.ProgrammingError):
                connections[0].set_trace_callback(lambda sql: count() if sql.startswith("COMMIT") else None)
                connections.pop()
        if event in {"os.rename", "os.mkdir", "os.remove", "os.rmdir"}:
            count()

    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # no workers: they would survive the kill
    sys.addaudithook(hook)
    try:
        site.publish()
    finally:
        os._exit(0)


def test_killed_at_any_step_the_next_run_completes_it(small):
    """A run killed before any rename, removal or commit is completed by the next one, to the same bytes."""
    write(small, *range(1, 6), categories="[X]")
    small.configure(config('[categories.X]\nslug = "old"\n', 'entries = 2\nformats = ["atom"]'))
    small.publish()
    clean = small.files(".")
    small.configure(
        config(
            '[feeds.moved]\n"/feed.xml" = "atom.xml"\n[categories.X]\nslug = "new"\n',
            'entries = 2\nformats = ["atom"]',
        )
    )
    write(small, 6, categories="[X]")
    write(small, 2, categories="[X]", draft="true")
    changed = small.files("posts") | {"config.toml": small.read("config.toml").encode()}
    small.publish()
    finished = small.files("public")
    step, killed = 0, True
    while killed:
        for name in ("public", ".feeds/cache"):
            shutil.rmtree(small.folder / name)
        for name, content in (clean | changed).items():
            (small.folder / name).parent.mkdir(parents=True, exist_ok=True)
            (small.folder / name).write_bytes(content)
        killed = killed_at(small, step)
        for name, content in small.files("public").items():
            assert ".feeds-unfinished-" in name or content in {finished.get(name), clean.get(name)}, f"torn at {step}"
        small.publish()
        assert small.files("public") == finished, f"after a kill at step {step}"
        step += 1
    assert step > 20


# Special cases ----------------------------------------------------------------------------------------------------


def test_a_renamed_category_takes_no_other_one_along(small):
    """Renaming the category `Tech` does not affect `Tech/AI`: names are compared whole."""
    write(small, 1, categories="[Tech]")
    write(small, 2, categories="[Tech/AI]")
    small.configure(config('[categories.Technology]\nwas = ["Tech"]\n'))
    assert small.publish().errors == []
    assert titles(public(small, "feeds/category/technology/atom.xml")) == ["1"]
    assert titles(public(small, "feeds/category/tech-ai/atom.xml")) == ["2"]


def test_a_renamed_category_keeps_the_pages_of_its_archive(small):
    """A renamed category has the same posts on the same archive pages, as the old pages redirect to the new ones."""
    for day, name in enumerate((5, 1, 3, 2, 4), 1):
        write(small, name, day=day, categories="[Old]")
        small.publish()
    before = [titles(public(small, f"feeds/category/old/archive/{n}.xml")) for n in (1,)]
    small.configure(config('[categories.New]\nwas = ["Old"]\n'))
    small.publish()
    assert [titles(public(small, f"feeds/category/new/archive/{n}.xml")) for n in (1,)] == before


def test_a_retired_feed_stays_retired_and_no_other_one_is_taken_for_it(small, feeds):
    """If another category gets the folder of a retired feed, that category's feed is there, without a 410."""
    write(small, 1, categories="[Notes]")
    write(small, 2, categories="[Essays]")
    small.publish()
    assert feeds("retire", "category/notes").returncode == 0
    write(small, 1, categories="[Notes]", draft="true")
    small.configure(config('[categories.Essays]\nslug = "notes"\n'))
    small.publish()
    assert titles(public(small, "feeds/category/notes/atom.xml")) == ["2"]
    assert not list((small.folder / "public/feeds/category").glob("notes-*"))
    assert "410" not in small.read("public/_redirects")


def test_a_retired_feed_can_be_moved(small, feeds):
    """A retired feed that is moved afterwards has a redirect instead of a 410, and the copy stays."""
    write(small, 1, categories="[Notes]")
    write(small, 2, categories="[Essays]")
    small.publish()
    feeds("retire", "category/notes")
    write(small, 1, categories="[Essays]")
    small.configure(config('[feeds.moved]\n"category/notes" = "category/essays"\n'))
    small.publish()
    assert public(small, "feeds/category/notes/atom.xml") == public(small, "feeds/category/essays/atom.xml")
    assert "gone" not in small.read("public/.htaccess")
    assert small.publish().written == []


def test_a_folder_of_feeds_cannot_move(small):
    """A folder that contains feeds cannot be moved, as its redirect would be a loop."""
    write(small, 1, categories="[Notes]")
    small.configure(config('[feeds.moved]\n"category" = "category/notes"\n'))
    assert "a feed is at the old path now" in small.publish().warnings[0]
    assert not (small.folder / "public" / "_redirects").exists()


def test_a_mark_without_its_pair_is_an_error_and_no_line_is_removed(small):
    """If our end mark is missing in `_redirects`, that is an error, and no line behind the first mark is removed."""
    write(small, 1, categories="[New]")
    small.configure(config(MOVED))
    small.publish()
    file = small.folder / "public" / "_redirects"
    damaged = file.read_text("utf-8").replace("# Feeds: end\n", "/mine /b 301\n")
    file.write_text(damaged, "utf-8")
    for _ in range(2):
        assert "only one of the lines" in small.publish().errors[0]
        assert file.read_text("utf-8") == damaged


def test_a_new_template_in_a_folder_ends_the_fast_path(small, feeds):
    """A new template two folders deep ends the fast path."""
    write(small, 1)
    (small.folder / "templates" / "pages").mkdir(parents=True)
    (small.folder / "templates" / "pages" / "issue.html").write_text("", "utf-8")
    feeds("publish", "--feeds-only")
    time.sleep(0.05)
    feeds("publish", "--feeds-only")
    (small.folder / "templates" / "pages" / "feeds.html").write_text("mine", "utf-8")
    feeds("publish", "--feeds-only")
    assert small.read("public/feeds/index.html") == "mine"


def test_nothing_outside_is_taken_away(small, feeds, tmp_path_factory):
    """A link that leads out of `public/` is not followed: no file there is removed, and the rest of the run is done."""
    outside = tmp_path_factory.mktemp("outside")
    (outside / "atom.xml").write_text("theirs", "utf-8")
    write(small, 1, categories="[Notes]")
    small.publish()
    shutil.rmtree(small.folder / "public/feeds/category/notes")
    (small.folder / "public/feeds/category/notes").symlink_to(outside)
    done = feeds("retire", "category/notes")
    assert (done.returncode, "is outside of" in done.stderr) == (1, True)
    assert (outside / "atom.xml").read_text("utf-8") == "theirs"
    assert "410" in small.read("public/_redirects")


def test_a_name_with_a_dot_is_a_folder(small, feeds):
    """`category/node.js` is a folder and not a file."""
    write(small, 1, categories="[node.js]")
    small.publish()
    assert feeds("retire", "category/node.js").returncode == 0
    assert not (small.folder / "public/feeds/category/node.js/atom.xml").exists()


def test_a_move_that_is_dropped_is_reported_once(small):
    """A move that is taken out of the config is reported once; the copy stays."""
    write(small, 1, categories="[New]")
    small.configure(config(MOVED))
    small.publish()
    small.configure(config())
    assert any("/feed.xml: is not redirected to another feed any more" in line for line in small.publish().warnings)
    write(small, 2, categories="[New]")
    assert not any("/feed.xml" in line for line in small.publish().warnings)


def test_filters_know_former_names_and_aliases(small):
    """The filter of a custom feed matches the former name of a category and the alias of a tag."""
    extra = '[[feeds.extra]]\nname = "a"\ncategory = "Old"\n[[feeds.extra]]\nname = "b"\ntag = "ML"\n'
    write(small, 1, categories="[New]", tags="[Learning]")
    small.configure(config(f'{extra}[categories.New]\nwas = ["Old"]\n[tags]\naliases = {{ "ML" = "Learning" }}\n'))
    small.publish()
    assert titles(public(small, "feeds/a/atom.xml")) == titles(public(small, "feeds/b/atom.xml")) == ["1"]
