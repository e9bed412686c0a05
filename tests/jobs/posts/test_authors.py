"""Authors in data files of the site, from the file to the feed."""

import pytest

from tests.jobs.posts.test_duplicates import CONFIG

PLACES = {
    "Docusaurus": "posts/authors.yml",
    "Jekyll": "_data/authors.yml",
    "Hugo": "data/authors/ada.yaml",
    "Hexo": "source/_data/authors.yml",
    "Astro": "src/content/authors/ada.yml",
}


def write(site, path, content):
    """Write a file of the site, and the folders above it."""
    (site.folder / path).parent.mkdir(parents=True, exist_ok=True)
    (site.folder / path).write_text(content, "utf-8")


def atom(site):
    """The feed of everything."""
    return (site.folder / "public/feeds/atom.xml").read_text("utf-8")


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_authors_are_found_where_the_generator_keeps_them(site, place):
    """A post that names an author by id has the name, URL and address of the data file, without a warning."""
    about = "name: Ada Lovelace\nurl: https://ada.example/\n"
    write(site, place, about if "/ada." in place else "ada:\n  " + about.replace("\n", "\n  "))
    site.post("a", title="One", authors="[ada]")
    assert site.publish().warnings == []
    assert "<name>Ada Lovelace</name>" in atom(site)
    assert "<uri>https://ada.example/</uri>" in atom(site)


TERMS = {
    "a title": ("title: Ada Lovelace", "https://example.com/authors/ada/"),
    "a title and a name": ("title: About Ada\nname: Ada Lovelace", "https://example.com/authors/ada/"),
    "the address of the page": ("title: Ada Lovelace\nurl: /people/ada/", "https://example.com/people/ada/"),
    "a website": ("title: Ada Lovelace\nurl: https://ada.example/", "https://ada.example/"),
}


@pytest.mark.parametrize(("front", "url"), TERMS.values(), ids=TERMS)
def test_the_page_of_an_author_in_hugo_has_the_name_and_the_address(site, front, url):
    """An author with a page in `content/authors` has its title as name, and its address; a page without both stays."""
    write(site, "content/authors/ada/_index.md", f"---\n{front}\nemail: ada@example.com\n---\nBorn in 1815.\n")
    write(site, "content/authors/_index.md", "---\ntitle: Authors\n---\n")
    write(site, "content/authors/bob/_index.md", "---\nrole: guest\n---\n")
    site.post("a", title="One", authors="[ada, bob]")
    assert site.publish().warnings == []
    assert "<name>Ada Lovelace</name>" in atom(site)
    assert f"<uri>{url}</uri>" in atom(site)
    assert "<email>ada@example.com</email>" in atom(site)
    assert "<name>bob</name>" in atom(site)


def test_a_new_page_of_an_author_is_published(site, feeds):
    """When the page of an author appears in a folder that was there, or changes, the fast path notices it."""
    now = ("--now", "2026-11-23", "--feeds-only")
    write(site, "content/authors/ada/avatar.txt", "x")
    site.post("a", title="One", authors="[ada]")
    for name in ("ada", "Ada L.", "Ada Lovelace"):
        if name != "ada":
            write(site, "content/authors/ada/_index.md", f"---\ntitle: {name}\n---\n")
        feeds("publish", *now)
        assert f"<name>{name}</name>" in atom(site)
        assert "0 written" in feeds("publish", *now).stdout


def test_a_change_in_the_file_of_authors_is_published(site, feeds):
    """When the file of authors appears or changes, the next publish writes the feeds anew, also on the fast path."""
    now = ("--now", "2026-11-23", "--feeds-only")
    site.post("a", title="One", authors="[ada]")
    for name in ("ada", "Ada L.", "Ada Lovelace"):
        if name != "ada":
            write(site, "_data/authors.yml", f"ada: {{name: {name}}}\n")
        feeds("publish", *now)
        assert f"<name>{name}</name>" in atom(site)
        assert "0 written" in feeds("publish", *now).stdout


def test_an_unknown_author_is_reported_once(site):
    """An id that is not in the file stays, with one warning for all posts that name it."""
    write(site, "_data/authors.yml", "ada: {name: Ada}\n")
    site.post("a", "A text.\n", title="One", authors="[bob, ada, Cleo]")
    site.post("b", "Another text.\n", title="Two", authors="[bob]", date="2026-11-21")
    report = site.publish()
    reason = "'bob' is not an author in _data/authors.yml; it stays as it is: add it there, or correct it"
    assert [line.partition(": ")[2] for line in report.warnings] == [reason]
    assert report.warnings[0].startswith("posts/")
    assert "<name>bob</name>" in atom(site)


def test_a_broken_file_of_authors_stops_nothing(site):
    """A file of authors that cannot be parsed is a warning with its line, and posts keep the names they have."""
    write(site, "_data/authors.yml", "ada:\n  name: [x\n")
    site.post("a", title="One", authors="[ada]")
    (warning,) = site.publish().warnings
    assert warning.startswith("_data/authors.yml:3: cannot be read: ")
    assert "<name>ada</name>" in atom(site)


def test_the_settings_may_name_the_file(site):
    """`posts.authors` replaces the usual places."""
    site.configure(CONFIG + '[posts]\nauthors = "people.json"\n')
    write(site, "_data/authors.yml", "ada: {name: Wrong}\n")
    write(site, "people.json", '{"ada": {"name": "Right"}}')
    site.post("a", title="One", authors="[ada]")
    site.publish()
    assert "<name>Right</name>" in atom(site)
