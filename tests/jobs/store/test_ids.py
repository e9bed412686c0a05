"""Permanent ids, end to end: in the store, its history, and an export file."""

import json

import feedparser
import pytest

from tests.conftest import NOW

WORDS = "Words that make a text long enough to be found again, whatever happens to the file that it is in. "


def ids(site):
    """Return entry ids by title, as in the feed."""
    return {entry.title: entry.id for entry in feedparser.parse(site.read("public/feeds/atom.xml")).entries}


def text(name):
    return f"{name} says: " + "".join(f"{WORDS}{name} {n}. " for n in range(6))


@pytest.mark.usefixtures("databases")
def test_history_tells_what_an_entry_was_and_where_it_lay(site, feeds):
    """The history lists the versions of a renamed, retitled and edited entry, for its present and its former path."""
    file = site.post("first", text("A"))
    site.publish(NOW)
    file.rename(file.with_name("second.md"))
    site.publish(NOW)
    site.post("second", text("A") + "And more.\n", title="Another title")
    site.publish(NOW)
    for path in ("second.md", "posts/second.md", "first.md"):
        lines = feeds("posts", "--history", path, "--json").stdout.splitlines()
        states = [json.loads(line) for line in lines]
        assert [(s["path"], s["title"]) for s in states] == [
            ("first.md", "first"),
            ("second.md", "first"),
            ("second.md", "Another title"),
        ]
        assert len({s["id"] for s in states}) == 1
        assert states[1]["text"] == states[0]["text"] != states[2]["text"]
    plain = feeds("posts", "--history", "second.md").stdout.splitlines()
    assert plain[0].startswith("tag:example.com,2026:2026-11-20/first.md")
    assert [line.split("\t")[1] for line in plain[1:]] == ["first.md", "second.md", "second.md"]


def test_a_file_without_history_is_said_to_have_none(site, feeds):
    """A file that was never published gives an error."""
    site.post("a")
    done = feeds("posts", "--history", "nowhere.md")
    assert (done.returncode, done.stdout) == (1, "")
    assert "nowhere.md: no entry was published from this file" in done.stderr


def test_ids_survive_a_machine_that_keeps_no_store(site, feeds):
    """Ids that are exported, and imported into a new store, stay the same for posts that were renamed since."""
    file = site.post("first", text("A"))
    site.post("other", text("B"))
    site.publish(NOW)
    before = ids(site)
    assert "wrote 2 ids to feeds-ids.jsonl" in feeds("ids", "export").stdout
    first = (site.folder / "feeds-ids.jsonl").read_bytes()
    assert feeds("ids", "export").returncode == 0
    assert (site.folder / "feeds-ids.jsonl").read_bytes() == first
    file.rename(file.with_name("moved.md"))
    (site.folder / ".feeds/feeds.db").unlink()
    assert "imported 2 ids from feeds-ids.jsonl; 0 were known" in feeds("ids", "import").stdout
    assert "imported 0 ids from feeds-ids.jsonl; 2 were known" in feeds("ids", "import").stdout
    site.publish(NOW)
    assert ids(site) == before


BROKEN = {
    "no JSON": ("{", "Expecting property name"),
    "no id": ('{"path": "a", "text": "b", "title": null, "published": null, "sketch": null}', "has no 'id'"),
    "a number": ('{"id": 7, "path": "a", "text": "b", "title": null, "published": null, "sketch": null}', "7 is not"),
    "no sketch": ('{"id": "x", "path": "a", "text": "b", "title": null, "published": null, "sketch": "%"}', ""),
    "no date": ('{"id": "x", "path": "a", "text": "b", "title": null, "published": "soon", "sketch": null}', "Invalid"),
}


@pytest.mark.parametrize(("line", "reason"), BROKEN.values(), ids=BROKEN)
def test_a_line_that_is_no_id_is_named_and_nothing_is_taken_over(site, feeds, line, reason):
    """An invalid line is reported with file and line number, and nothing is imported."""
    site.post("a")
    site.publish(NOW)
    feeds("ids", "export")
    file = site.folder / "feeds-ids.jsonl"
    file.write_text(file.read_text("utf-8") + line + "\n", "utf-8")
    (site.folder / ".feeds/feeds.db").unlink()
    done = feeds("ids", "import")
    assert done.returncode == 1
    assert "feeds-ids.jsonl:2: is not a line of `feeds ids export`" in done.stderr
    assert reason in done.stderr
    assert feeds("ids", "export", "again.jsonl").stdout.startswith("wrote 0 ids")


def test_a_copy_is_a_duplicate_and_takes_no_id(site):
    """A copy with an earlier date does not take the id of the original, which was published first."""
    site.post("the-original", text("A"))
    site.publish(NOW)
    before = ids(site)
    site.post("c", text("A"), title="the-original", date="2020-01-01")
    report = site.publish(NOW)
    assert (ids(site), report.counts["duplicate"]) == (before, 1)


@pytest.mark.usefixtures("databases")
def test_two_files_that_swap_names_keep_their_ids(site):
    """Two files that swap their names keep their ids."""
    a, b = site.post("a", text("A")), site.post("b", text("B"))
    site.publish(NOW)
    before = ids(site)
    a.rename(a.with_name("c.md"))
    b.rename(a)
    a.with_name("c.md").rename(b)
    site.publish(NOW)
    assert ids(site) == before


def test_another_permalink_and_another_category_keep_the_id(site):
    """A changed permalink or category does not change the id."""
    from tests.conftest import CONFIG

    site.post("a", text("A"), category="X")
    site.publish(NOW)
    before = ids(site)
    site.configure(CONFIG + '\n[posts]\npermalink = "/{slug}.html"\n')
    site.post("a", text("A"), category="Y")
    site.publish(NOW)
    assert ids(site) == before
    assert "https://example.com/a.html" in site.read("public/feeds/atom.xml")


@pytest.mark.usefixtures("databases")
def test_a_new_post_at_an_old_path_is_new(site):
    """A post with a new text at an old path gets a new id."""
    site.post("latest", text("A"), title="October")
    site.publish(NOW)
    before = ids(site)
    site.post("latest", "Quite another story, of ships and tides. " * 12, title="November")
    site.publish(NOW)
    assert ids(site)["November"] not in before.values()


WARNING = (
    "posts/first.md:4: this id replaces tag:example.com,2026:2026-11-20/first.md, with which the post was published:"
    " feed readers show it again, newsletters do not announce it again; remove the id to keep the published one"
)


@pytest.mark.usefixtures("databases")
def test_an_id_that_is_added_to_a_published_post_is_reported(letter_site, feeds):
    """A check, a dry run and the publish run report an id that replaces a published one; later runs do not."""
    letter_site.publish()
    letter_site.post("first", guid="https://old.example/?p=1")
    place, _, text = WARNING.partition(": ")
    assert f"{place}\t{text.split(':')[0]}" in feeds("check").stdout
    assert WARNING in feeds("publish", "--dry-run").stderr
    assert WARNING in letter_site.publish().warnings
    assert ids(letter_site) == {"first": "https://old.example/?p=1"}
    assert WARNING not in letter_site.publish(use_cache=False).warnings


@pytest.mark.usefixtures("databases")
@pytest.mark.parametrize("edit", [{}, {"body": "Some words of a post, and more.\n"}, {"title": "Another title"}])
def test_a_post_with_a_new_id_is_not_announced_again(letter_site, feeds, edit):
    """A post that got an id after it was announced is not announced again, whatever id it gets and however often."""
    letter_site.publish()
    letters = letter_site.letters()
    for guid in ("https://old.example/?p=1", "urn:x:2", "tag:example.com,2026:2026-11-20/first.md", "urn:x:2", None):
        letter_site.post("first", guid=guid, **edit)
        assert "1 post to" not in feeds("send", "weekly", "--yes").stdout
    assert letter_site.letters() == letters
    assert ids(letter_site) == {edit.get("title", "first"): "urn:x:2"}


def test_another_post_with_an_id_of_its_own_is_announced(letter_site, feeds):
    """A post of another day that was written over a published one, and has an id of its own, is announced."""
    letter_site.publish()
    before = letter_site.letters()
    letter_site.post("first", "News of the week.\n", guid="urn:x:2", date="2026-11-23", title="The second")
    assert feeds("send", "weekly", "--yes").returncode == 0
    assert len(letter_site.letters()) == len(before) + 1


def test_a_dry_run_knows_that_a_replaced_id_was_announced(letter_site, feeds):
    """In a dry run, a post whose id is about to be replaced does not wait for an issue."""
    letter_site.publish()
    letter_site.post("first", guid="urn:x:1")
    outlook = json.loads(feeds("publish", "--dry-run", "--json").stdout)["newsletters"][0]
    assert outlook["posts_waiting"] == 0
