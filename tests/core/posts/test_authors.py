"""Data files with authors: each form gives the same authors, by id."""

import json

import pytest

from feeds.core.posts.authors import AuthorDirectory, parse_author_file
from feeds.errors import PostError
from feeds.model import Author
from tests.core.factory import post

SITE = "https://example.com/project/"
ADA = Author(name="Ada Lovelace", uri="https://ada.example/", email="ada@example.com")
BY_ID = {"ada": {"name": "Ada Lovelace", "title": "Analyst", "url": "https://ada.example/", "email": "ada@example.com"}}
FORMS = {
    "Docusaurus": (
        "blog/authors.yml",
        "---\nada:\n  name: Ada Lovelace\n  title: Analyst\n  url: https://ada.example/\n  email: ada@example.com\n",
    ),
    "JSON": ("_data/authors.json", json.dumps(BY_ID)),
    "a list": ("data/authors.json", json.dumps([{"id": "ada"} | BY_ID["ada"]])),
    "TOML": (
        "data/authors.toml",
        '[ada]\nname = "Ada Lovelace"\nhomepage = "https://ada.example/"\nemail = "ada@example.com"\n',
    ),
}
SINGLE = {
    "YAML": (
        "data/authors/ada.yaml",
        "display_name: Ada Lovelace\nwebsite: https://ada.example/\nemail: ada@example.com\n",
    ),
    "Markdown": (
        "src/content/authors/ada.md",
        "---\nname: Ada Lovelace\nurl: https://ada.example/\nemail: ada@example.com\n---\nShe wrote.\n",
    ),
}


@pytest.mark.parametrize(("path", "content"), FORMS.values(), ids=FORMS)
def test_a_file_of_authors_gives_them_by_id(path, content):
    """YAML, TOML and JSON, by id or as a list, give the same author with name, URL and mail address."""
    assert parse_author_file(path, content.encode(), SITE, is_single=False) == {"ada": ADA}


@pytest.mark.parametrize(("path", "content"), SINGLE.values(), ids=SINGLE)
def test_a_file_for_each_author_is_named_after_the_id(path, content):
    """A file in a folder of authors is one author, whose id is the file's name."""
    assert parse_author_file(path, content.encode(), SITE, is_single=True) == {"ada": ADA}


def test_what_an_author_lacks_is_not_invented():
    """Without a name the id is the name, since a title is a job; a URL may be a path on the site."""
    content = b"ada: {title: Analyst}\nbob: Bob Brown\ncleo: {name: Cleo, url: /about/cleo, email: nobody}\n8: ~\n"
    assert parse_author_file("authors.yml", content, SITE, is_single=False) == {
        "ada": Author(name="ada"),
        "bob": Author(name="Bob Brown"),
        "cleo": Author(name="Cleo", uri="https://example.com/project/about/cleo"),
    }


BROKEN = {
    ("authors.yml", b"ada:\n  name: [x\n"): 3,
    ("authors.yml", b"- name: Ada\n"): 1,
    ("authors.json", b'{\n"ada": }'): 2,
    ("authors.toml", b"[ada]\nname = \n"): 2,
    ("authors.yml", b"\xff"): 1,
    ("authors.json", b"[" * 100_000): 1,
}


@pytest.mark.parametrize(("case", "line"), BROKEN.items(), ids=[f"{p} {c[:12]}" for p, c in BROKEN])
def test_a_broken_file_is_an_error_with_its_line(case, line):
    """A file that cannot be parsed raises a PostError with path and line."""
    path, content = case
    with pytest.raises(PostError, match="cannot be read: ") as caught:
        parse_author_file(path, content, SITE, is_single=False)
    assert (caught.value.path, caught.value.line) == (path, line)


NAMED = {
    (Author(name="ada"),): (ADA,),
    (Author(name="Ada "), Author(name="ada")): (ADA,),
    (Author(name="ada", uri="https://other.example/"),): (Author(name="ada", uri="https://other.example/"),),
    (Author(name="Bob"), Author(name="ada")): (Author(name="Bob"), ADA),
    (): (),
}


@pytest.mark.parametrize(("written", "completed"), NAMED.items(), ids=map(str, NAMED))
def test_an_author_by_id_is_completed(written, completed):
    """An id becomes the author; a name that is not an id, or an author with a URL of its own, stays."""
    assert AuthorDirectory({"ada": ADA}).complete(post(authors=written)).authors == completed


UNKNOWN = {
    "bob": ["bob"],
    "bob.b-1": ["bob.b-1"],
    "Bob": [],
    "bob brown": [],
    "ada": [],
    "ada lovelace": [],
    "鈴木": [],
}


@pytest.mark.parametrize(("name", "unknown"), UNKNOWN.items())
def test_only_what_can_be_nothing_but_an_id_is_unknown(name, unknown):
    """A word in lower case that is not in the files is an unknown id; a name with capitals or spaces is a name."""
    directory = AuthorDirectory({"ada": ADA})
    assert list(directory.unknown_ids(post(authors=(Author(name=name),)))) == unknown
