"""`feeds ids adopt`, end to end: from the feed of another program to every format of ours."""

import json

import feedparser
import pytest

from tests.conftest import CONFIG
from tests.hub import Web

FORMATS = CONFIG.replace('["atom"]', '["atom", "rss", "json"]') + '[posts]\npermalink = "/{slug}/"\n'
WORDS = "Words that make a text long enough to be found again, whatever happens to the file that it is in. "
ITEM = """<item><title>{title}</title><link>http://www.example.com/{name}</link>
<pubDate>{date}</pubDate><guid isPermaLink="false">{id}</guid></item>"""
ENTRY = """<entry><id>{id}</id><title>{name}</title><link href="https://example.com/{name}/"/>
<published>2026-11-20T00:00:00Z</published><updated>{updated}</updated></entry>"""
FRIDAY = "Fri, 20 Nov 2026 00:00:00 GMT"


def rss(*items):
    """An RSS feed; each item is the name of a post and its old id."""
    written = "".join(ITEM.format(title=name, name=name, date=FRIDAY, id=id_) for name, id_ in items)
    return f"<rss version='2.0'><channel><link>http://example.com/</link>{written}</channel></rss>"


def atom(*entries, links=""):
    """An Atom feed; each entry is the name of a post, its old id and the date of its update."""
    written = "".join(ENTRY.format(name=name, id=id_, updated=updated) for name, id_, updated in entries)
    return f"<feed xmlns='http://www.w3.org/2005/Atom'>{links}{written}</feed>"


def ids(site, name="atom.xml"):
    """Return entry ids by title, as in the feed."""
    return {entry.title: entry.id for entry in feedparser.parse(site.read(f"public/feeds/{name}")).entries}


def dates(site):
    return {entry.title: entry.updated for entry in feedparser.parse(site.read("public/feeds/atom.xml")).entries}


def body(name):
    return f"{name} says: " + "".join(f"{WORDS}{name} {n}. " for n in range(6))


@pytest.fixture
def moved(site):
    """A site with two posts that an old feed shows, and a new one."""
    site.configure(FORMATS)
    for name in ("first", "second", "third"):
        site.post(name, body(name))
    (site.folder / "old.xml").write_text(rss(("first", "1 at http://old.example"), ("second", "urn:old:2")), "utf-8")
    return site


@pytest.mark.usefixtures("databases")
def test_old_ids_are_kept_in_every_format(moved, feeds):
    """Adopted ids are in Atom, RSS and JSON as they were; another post gets a new one."""
    done = feeds("ids", "adopt", "old.xml")
    assert (done.returncode, done.stdout) == (0, "2 ids adopted: 2 by link, 0 by title and date\n")
    moved.publish()
    expected = {"first": "1 at http://old.example", "second": "urn:old:2"}
    new = {"third": "tag:example.com,2026:2026-11-20/third.md"}
    assert ids(moved) == ids(moved, "rss.xml") == expected | new
    items = json.loads(moved.read("public/feeds/feed.json"))["items"]
    assert {item["title"]: item["id"] for item in items} == expected | new
    assert '<guid isPermaLink="false">1 at http://old.example</guid>' in moved.read("public/feeds/rss.xml")


def test_an_id_that_is_the_address_of_the_page_says_so_in_rss(moved, feeds):
    """`isPermaLink` is true for an adopted id that is the post's present address, and false for a former address."""
    feed = rss(("first", "https://example.com/first/"), ("second", "http://example.com/second.html"))
    (moved.folder / "old.xml").write_text(feed, "utf-8")
    feeds("ids", "adopt", "old.xml")
    moved.publish()
    document = moved.read("public/feeds/rss.xml")
    assert '<guid isPermaLink="true">https://example.com/first/</guid>' in document
    assert '<guid isPermaLink="false">http://example.com/second.html</guid>' in document


@pytest.mark.usefixtures("databases")
def test_adopted_ids_are_permanent(moved, feeds):
    """Adopted ids survive an edited and renamed file, an export to another machine and a restored backup."""
    feeds("ids", "adopt", "old.xml")
    moved.publish()
    assert feeds("ids", "export").returncode == 0
    file = moved.folder / "posts" / "first.md"
    file.rename(file.with_name("renamed.md"))
    moved.post("second", body("second") + "More.\n")
    moved.publish()
    assert ids(moved)["first"] == "1 at http://old.example"
    assert ids(moved)["second"] == "urn:old:2"
    before = ids(moved)
    moved.lose_store()
    assert feeds("ids", "import").returncode == 0
    moved.publish()
    assert ids(moved) == before


def test_a_dry_run_changes_nothing(moved, feeds):
    """`--dry-run` lists every entry and stores nothing, not even a database."""
    done = feeds("ids", "adopt", "--dry-run", "old.xml")
    assert done.stdout.splitlines() == [
        "matched\t1 at http://old.example\tfirst.md\tlink",
        "matched\turn:old:2\tsecond.md\tlink",
        "2 ids would be adopted: 2 by link, 0 by title and date",
    ]
    assert not (moved.folder / ".feeds/feeds.db").exists()


def test_what_was_not_adopted_is_listed(moved, feeds):
    """Entries without a post, and ids that are named second, are listed with the reason; with `--json` all entries."""
    entries = [("first", "urn:1"), ("gone", "urn:2"), ("first", "urn:3")]
    (moved.folder / "old.xml").write_text(rss(*entries), "utf-8")
    assert feeds("ids", "adopt", "old.xml", "--dry-run").returncode == 0
    found = [json.loads(line) for line in feeds("ids", "adopt", "old.xml", "--json").stdout.splitlines()]
    assert [(one["id"], one["status"], one["path"], one["by"]) for one in found] == [
        ("urn:1", "matched", "first.md", "link"),
        ("urn:2", "unmatched", None, ""),
        ("urn:3", "ambiguous", "first.md", "link"),
    ]
    assert found[0] | {"reason": "", "present_id": None, "updated": None} == found[0]
    assert found[0]["published"] == "2026-11-20T00:00:00+00:00"
    assert feeds("ids", "adopt", "old.xml").stdout.splitlines() == [
        "unmatched\turn:2\t\tno post has this address",
        "ambiguous\turn:3\tfirst.md\tfirst.md already gets the id urn:1, which is named first",
        "0 ids adopted; 1 known before; 1 ambiguous; 1 unmatched",
    ]


def test_a_feed_that_cannot_be_read_changes_nothing(moved, feeds):
    """If one of several feeds is missing or is not a feed, the exit code is 1 and no id is stored."""
    (moved.folder / "page.html").write_text("<html><title>x</title></html>", "utf-8")
    for name, reason in (("nowhere.xml", "cannot be read: No such file"), ("page.html", "is not a feed")):
        done = feeds("ids", "adopt", "old.xml", name)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith(f"error: {name}: {reason}")
    moved.publish()
    assert ids(moved)["second"] != "urn:old:2"


def test_older_documents_are_followed(moved, feeds):
    """At a URL, `next` and `prev-archive` are followed, each once; those on other hosts are named."""
    older = "<link rel='prev-archive' href='/2.xml'/><link rel='next' href='https://elsewhere.example/3.xml'/>"
    older += "<link rel='next' href='http://[faulty/4.xml'/>"
    (moved.folder / "1.xml").write_text(atom(("first", "urn:1", "2026-11-20T00:00:00Z"), links=older), "utf-8")
    again = "<link rel='next' href='1.xml'/>"
    second = atom(("second", "urn:2", "2026-11-20T00:00:00Z"), ("first", "urn:x", "2026-11-20T00:00:00Z"), links=again)
    (moved.folder / "2.xml").write_text(second, "utf-8")
    with Web(moved.folder) as web:
        done = feeds("ids", "adopt", "--json", f"{web.url}1.xml")
        missing = feeds("ids", "adopt", f"{web.url}0.xml")
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(one["id"], one["status"]) for one in found] == [
        ("urn:1", "matched"),
        ("urn:2", "matched"),
        ("urn:x", "ambiguous"),
    ]
    assert "has older entries on another host, https://elsewhere.example/3.xml; name that address, too" in done.stderr
    assert "has older entries on another host, http://[faulty/4.xml" in done.stderr
    assert (missing.returncode, missing.stderr) == (1, f"error: {web.url}0.xml: returns HTTP 404\n")
    done = feeds("ids", "adopt", "1.xml")
    assert "1.xml: has older entries at /2.xml; name that address, too" in done.stderr


def test_dates_are_not_later_than_in_the_old_feed(site, feeds):
    """An entry has the date of the old feed until its post is updated again; then it has the new date."""
    site.post("first", updated="2026-11-22")
    site.post("second", updated="2026-11-21")
    entries = [("first", "urn:1", "2026-11-21T06:00:00+09:00"), ("second", "urn:2", "2026-11-22T00:00:00Z")]
    (site.folder / "old.xml").write_text(atom(*entries), "utf-8")
    feeds("ids", "adopt", "old.xml")
    site.publish()
    assert dates(site) == {"first": "2026-11-20T21:00:00+00:00", "second": "2026-11-21T00:00:00+00:00"}
    (site.folder / ".feeds/feeds-ids.jsonl").unlink(missing_ok=True)
    feeds("ids", "export")
    (site.folder / ".feeds/feeds.db").unlink()
    feeds("ids", "import")
    site.publish()
    assert dates(site)["first"] == "2026-11-20T21:00:00+00:00"
    site.post("first", updated="2026-11-23")
    site.publish()
    assert dates(site)["first"] == "2026-11-23T00:00:00+00:00"


def test_a_date_in_another_zone_is_reported(site, feeds):
    """If posts have other dates than the old feed, one warning says how many, names one, and what to set."""
    site.post("first")
    site.post("second")
    feed = rss(("first", "urn:1"), ("second", "urn:2")).replace("00:00:00 GMT", "00:00:00 +0900")
    (site.folder / "old.xml").write_text(feed, "utf-8")
    assert feeds("ids", "adopt", "old.xml").stderr == (
        "warning: 2 posts have another date than in the old feed, for example first.md: 2026-11-20 00:00 UTC, there"
        " 2026-11-19 15:00 UTC; check site.timezone\n"
    )


def test_posts_that_are_not_public_get_their_id_too(site, feeds):
    """An expired post and a draft keep their old ids for when they are public."""
    site.post("first", body("first"), expires="2026-11-21")
    draft = site.post("second", body("second"), draft="true")
    (site.folder / "old.xml").write_text(rss(("first", "urn:1"), ("second", "urn:2")), "utf-8")
    assert feeds("ids", "adopt", "old.xml").stdout.startswith("2 ids adopted")
    draft.write_text(draft.read_text("utf-8").replace("draft: true\n", ""), "utf-8")
    site.post("first", body("first"))
    site.publish()
    assert ids(site) == {"first": "urn:1", "second": "urn:2"}


@pytest.mark.usefixtures("databases")
def test_ids_that_were_published_are_only_replaced_on_request(moved, feeds):
    """After a first publish, posts keep their ids and a warning names `--replace`, which gives them the old ones."""
    moved.publish()
    before = ids(moved)
    done = feeds("ids", "adopt", "old.xml")
    assert done.stdout.splitlines()[-1] == "0 ids adopted; 2 published with another id"
    assert "2 posts were already published with another id; if nobody reads these feeds yet" in done.stderr
    moved.publish()
    assert ids(moved) == before
    assert feeds("ids", "adopt", "--replace", "old.xml").stdout.startswith("2 ids adopted")
    moved.publish()
    after = {"first": "1 at http://old.example", "second": "urn:old:2", "third": before["third"]}
    assert ids(moved) == after
    file = moved.folder / "posts" / "first.md"
    file.rename(file.with_name("renamed.md"))
    moved.publish()
    assert ids(moved) == after
    assert feeds("ids", "export").returncode == 0
    moved.lose_store()
    assert feeds("ids", "import").returncode == 0
    moved.publish()
    assert ids(moved) == after


def test_nothing_is_announced_again_when_its_id_is_replaced(letter_site, feeds):
    """A post that a newsletter announced is not announced again with its old id, even after a restored backup."""
    letter_site.publish()
    letters = letter_site.letters()
    assert letters
    feeds("store", "backup", "backup.db")
    (letter_site.folder / "old.xml").write_text(rss(("first", "urn:1")), "utf-8")
    assert feeds("ids", "adopt", "--replace", "old.xml").stdout.startswith("1 id adopted")
    letter_site.publish()
    assert ids(letter_site) == {"first": "urn:1"}
    assert feeds("send", "weekly", "--yes").returncode == 0
    assert feeds("store", "restore", "backup.db").returncode == 0
    assert feeds("send", "weekly", "--yes").returncode == 0
    assert ids(letter_site) == {"first": "urn:1"}
    assert letter_site.letters() == letters
