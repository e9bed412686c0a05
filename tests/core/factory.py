"""Posts and entries for tests of the core."""

from datetime import UTC, datetime, timedelta

import msgspec

from feeds.model import Author, Entry, Post, PublishedCategory, Text

START = datetime(2026, 1, 1, tzinfo=UTC)


def post(path="a.md", **values):
    """A post with everything it must have."""
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
    """An entry published some days after the start."""
    written = post(path, **({"published": START + timedelta(days=days)} | values))
    return Entry(
        id=f"tag:example.com,2026:{path}",
        post=written,
        categories=tuple(PublishedCategory(term=name, label=name, slug=name.lower()) for name in topics),
        tags=tuple(tags),
        updated=written.updated or written.published,
    )


def texts(*entries, **values):
    """What the posts of these entries say, by path."""
    made = {
        e.post.path: Text(
            html=f"<p>Body of {e.post.path}.</p>\n", excerpt=f"Excerpt of {e.post.path}.", reading_minutes=3
        )
        for e in entries
    }
    return {path: msgspec.structs.replace(text, **values) for path, text in made.items()}
