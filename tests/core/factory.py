"""Posts and entries for tests of the core."""

from datetime import UTC, datetime, timedelta

from feeds.model import Author, Entry, Post, Topic

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
            "body": f"Body of {path}.\n",
            "excerpt": f"Excerpt of {path}.",
            "reading_minutes": 3,
            "text_digest": path,
            "text_length": 1000,
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
        categories=tuple(Topic(term=name, label=name, slug=name.lower()) for name in topics),
        tags=tuple(tags),
        updated=written.updated or written.published,
    )
