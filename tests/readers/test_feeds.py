"""Feed readers keep every entry of our feeds.

The feeds are those of the sample posts, of posts with difficult texts, and of real blogs if they are on this machine.
"""

import re
import shutil
from datetime import UTC
from functools import cache
from html import unescape
from pathlib import Path
from types import SimpleNamespace

import feedparser
import pytest

from feeds.config import load_config
from feeds.core.syndication import plan
from feeds.core.syndication.item import item_of_entry
from feeds.edges.process.workers import workers
from feeds.jobs.posts.survey import SurveyOptions, survey_posts
from feeds.jobs.publish import publish
from tests.conftest import NOW, ROOT, asked
from tests.readers.harness import reader_params
from tests.validity.rules import atom_faults, json_faults, opml_faults, rss_faults

CORPORA = ROOT.parent / "shared" / "corpora"
BLOGS = {
    "digitalgov": "content/news",
    "rust-blog": "content",
    "vim-jp": "_posts",
    "codefor-de": "content",
    "react-native-blog": "website/blog",
    "mission": "",
}
CONFIG = """[site]
title = "Readers"
url = "https://readers.example/"
id_authority = "readers.example,2026"
author = "The desk"
[feeds]
by = ["category"]
"""
IMAGE_TYPES = {"png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "webp": "image/webp", "gif": "image/gif"}
HARD = {
    "markup": "title: 'x < y && <b>z</b> ]]> &amp;lt; \"q\"'\ntags: [C++, 'a & b']",
    "emoji": "title: '👩🏽‍🚀 と 🏴󠁧󠁢󠁥󠁮󠁧󠁿、𠮷野家で'\ncategory: 日本語 / ことば",
    "bidi": 'title: "\\u202eabc\\u202c السلام עברית"\nlang: ar',
    "long": f"title: {'長い題名' * 250}",
    "link": "title: A link\nsource_url: https://elsewhere.example/a?b=1&c=%E3%81%82\nauthors: [Ada, 葵]",
    "episode": "title: 第一回\naudio: {url: /音声/第 1 回.mp3, length: 1234, type: audio/mpeg}\nimage: /絵.png",
    "film": "title: Film\nenclosures: [/a.pdf, {url: /b.mp4, size: 99}, https://cdn.example/c.bin]",
    "old": "title: Before the web\ndate: 1981-05-06T07:08:09+09:00",
}


def _sources():
    """Yield the name of each set of posts, and a function that puts it into a folder."""
    yield "sample", lambda to: shutil.copytree(ROOT / "posts", to)
    yield "hard", _write_hard_posts
    for name, below in BLOGS.items():
        if (CORPORA / name).is_dir():
            yield name, lambda to, source=CORPORA / name / below: shutil.copytree(source, to)


def _write_hard_posts(to):
    to.mkdir()
    for day, (name, front) in enumerate(HARD.items(), 1):
        date = "" if "date:" in front else f"date: 2026-10-{day:02}T08:30:00+09:00\n"
        body = "Text & <em>mehr</em> 本文。" + "".join(map(chr, (1, 11, 0xFFFE, 0x2028, 0x1F600)))
        (to / f"{name}.md").write_text(f"---\n{front}\n{date}---\n{name}: {body}\n", "utf-8")


SOURCES = dict(_sources())


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """Return a function that publishes a set of posts once, and returns the folder, the feeds and the texts."""

    @cache
    def publish_(name):
        folder = tmp_path_factory.mktemp("readers")
        SOURCES[name](folder / "posts")
        (folder / "config.toml").write_text(CONFIG, "utf-8")
        config = load_config(folder / "config.toml", {})
        publish(config, *asked())
        with workers() as team:
            options = SurveyOptions(team=team, progress=lambda *_: None)
            survey = survey_posts(config, now=NOW, known=(), options=options)
        feeds = plan.plan_feeds(survey.catalogue, config.settings)
        texts = {entry.id: survey.text(entry.post) for feed in feeds[:4] for entry in feed.shown}
        return SimpleNamespace(public=folder / "public", feeds=feeds[:4], texts=texts)

    return publish_


@pytest.mark.parametrize("name", SOURCES)
def test_every_document_keeps_the_rules_of_its_format(name, published):
    """Every document is valid by the specifications (tests/validity/) and for feedparser."""
    files = [file for file in sorted(published(name).public.rglob("*")) if file.is_file()]
    faults = {str(file): found for file in files if (found := _faults(file, file.read_bytes()))}
    assert faults == {}
    assert {file.suffix for file in files} >= {".xml", ".json", ".opml", ".html"}


def _faults(file, content):
    if file.suffix == ".opml":
        return opml_faults(content)
    if file.name == "feed.json":
        return json_faults(content)
    if file.suffix != ".xml":
        return []
    faults = rss_faults(content) if file.name == "rss.xml" else atom_faults(content)
    return faults + (["feedparser: bozo"] if feedparser.parse(content).bozo else [])


@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize(("reader", "format_"), reader_params("atom", "rss", "json"))
def test_a_reader_keeps_every_entry_as_it_was_written(reader, format_, name, published):
    """A reader keeps all entries in their order with every field, except for fields that it always drops."""
    site = published(name)
    for feed in site.feeds:
        read = reader.read(Path(site.public) / feed.files[format_])
        assert [one.id for one in read] == [entry.id for entry in feed.shown]
        for one, entry in zip(read, feed.shown, strict=True):
            assert _fields(one) == _expected(entry, reader.name, format_)
            _check_text(one, entry, site.texts[entry.id], reader.name)


def _fields(one):
    """Return the fields of an entry that was read."""
    return {
        "title": one.title,
        "link": one.link,
        "published": one.published,
        "categories": one.categories,
        "enclosures": one.enclosures,
        "authors": one.authors,
    }


def _expected(entry, reader, format_):
    """Return the fields that a reader must keep of an entry; `harness.py` describes what each reader drops."""
    post = entry.post
    terms = list(dict.fromkeys([topic.term for topic in entry.categories] + list(entry.tags)))
    keeps_categories = reader in {"sfeed", "feedsmith"}
    return {
        "title": _title(post.title, reader, format_),
        "link": post.url if format_ == "json" else post.external_url or post.url,
        "published": post.published.astimezone(UTC).replace(microsecond=0),
        "categories": tuple(terms) if keeps_categories else None,
        "enclosures": _enclosures(post, reader, format_),
        "authors": _authors([author.name for author in post.authors], reader, format_),
    }


def _title(title, reader, format_):
    """Return the title as a reader keeps it; lemon24's reader decodes references in RSS titles."""
    return unescape(title) if reader == "reader" and format_ == "rss" and "<" not in title else title


def _enclosures(post, reader, format_):
    files = [(file.url, file.type or "") for file in post.enclosures]
    if post.image and format_ != "json":
        ending = post.image.url.rpartition(".")[2]
        files.append((post.image.url, IMAGE_TYPES.get(ending, "")))
    if reader == "newsboat":
        played = [file for file in files if file[1].startswith(("audio/", "video/"))]
        return tuple(played[-1:])
    if reader == "sfeed":
        return tuple((url, "") for url, _ in files[:1])
    if reader == "reader" and format_ == "atom":
        return tuple((url, media_type or "text/html") for url, media_type in files)  # its default for links
    if format_ != "atom":
        files = [(url, media_type or "application/octet-stream") for url, media_type in files]
    return tuple(files[:1] if format_ == "rss" else files)


def _authors(names, reader, format_):
    if reader == "newsboat":
        return (", ".join(names),) if format_ == "atom" else tuple(names[-1:])
    if reader == "sfeed":
        return tuple(names[:1])
    if reader == "reader" and format_ == "rss":
        return tuple(re.sub(r" \(.*\)$", "", name) for name in names[-1:])  # a comment, as in mail addresses
    if reader == "reader" and format_ == "atom":
        return tuple(names[-1:])
    return tuple(names)


def _check_text(one, entry, text, reader):
    """Check that a reader keeps the HTML as it is; lemon24's reader sanitizes it again."""
    html = item_of_entry(entry, text, full=True, sizes={}).html
    if reader == "reader":
        assert bool(one.content.strip()) == bool(html.strip() or text.excerpt)
    else:
        assert one.content.strip() == html.strip() or not html.strip()
