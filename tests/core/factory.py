"""Posts and entries for tests of the core."""

from datetime import UTC, datetime, timedelta

import msgspec

from feeds.config_types import TimeZone, Url
from feeds.core.posts.parse import parse_post
from feeds.core.posts.render import render_post
from feeds.model import Author, Entry, Post, PublishedCategory, Text
from feeds.settings import Settings, SiteSettings

START = datetime(2026, 1, 1, tzinfo=UTC)
SETTINGS = Settings(
    site=SiteSettings(url=Url("https://example.com/"), timezone=TimeZone("Asia/Tokyo"), author="The desk")
)
BODY = "This is a body of some words. " * 10


def parsed(front, body=BODY, path="2026-01-02-a.md", settings=SETTINGS):
    """The post of a file with this front matter (YAML)."""
    found = parse_post(path, f"---\n{front}\n---\n{body}".encode(), settings)
    assert isinstance(found, Post)
    return found


def rendered(front, body=BODY, path="2026-01-02-a.md", settings=SETTINGS):
    """The rendered text of a file with this front matter (YAML)."""
    return render_post(path, f"---\n{front}\n---\n{body}".encode(), settings)


def post(path="a.md", **values):
    """A post with all values that are required."""
    return Post(
        **{
            "path": path,
            "title": path,
            "published": START,
            "lang": "en",
            "slug": path.removesuffix(".md"),
            "url": f"https://example.com/{path.removesuffix('.md')}/",
            "text_digest": path,
            "text_size": 1000,
            "authors": (Author(name="Ada"),),
        }
        | values,
    )


def entry(path="a.md", *, topics=(), tags=(), days=0, **values):
    """An entry published this many days after `START`."""
    source = post(path, **({"published": START + timedelta(days=days)} | values))
    return Entry(
        id=f"tag:example.com,2026:{path}",
        post=source,
        categories=tuple(PublishedCategory(term=name, label=name, slug=name.lower()) for name in topics),
        tags=tuple(tags),
        updated=source.updated or source.published,
    )


def texts(*entries, **values):
    """The rendered texts of the posts of these entries, by path."""
    found = {
        e.post.path: Text(
            html=f"<p>Body of {e.post.path}.</p>\n", excerpt=f"Excerpt of {e.post.path}.", reading_minutes=3
        )
        for e in entries
    }
    return {path: msgspec.structs.replace(text, **values) for path, text in found.items()}
