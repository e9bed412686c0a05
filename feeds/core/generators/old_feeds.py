"""The feeds that a site has had so far: those that its settings name, as far as the built site has them."""

import re
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from feeds.core.generators.site_files import DOCUMENTS, FeedFormat, OldFeed, feed_format

#: Where the themes and plug-ins of the generators put the feed of all posts.
USUAL_PATHS = (
    *("feed.xml", "atom.xml", "rss.xml", "index.xml", "rss2.xml", "feed.json"),
    *("feed/index.xml", "feed/feed.xml", "feed/feed.json", "feeds/all.atom.xml", "feeds/all.rss.xml"),
    *("blog/rss.xml", "blog/atom.xml", "blog/feed.xml", "blog/index.xml", "posts/index.xml"),
)
_LINK = re.compile(r"<link\b[^>]*>", re.IGNORECASE)
_TYPE = re.compile(r"""type\s*=\s*["']?application/(?:(?:atom|rss)\+xml|feed\+json)""", re.IGNORECASE)
_HREF = re.compile(r"""href\s*=\s*(?:["']([^"']*)["']|([^\s>]+))""", re.IGNORECASE)
#: Which feed's ids are taken if there are several: Atom has one for each entry, RSS need not.
_ORDER: tuple[FeedFormat, ...] = ("atom", "rss", "json")


def linked_feeds(page: str, base: str) -> list[str]:
    """Return the paths of the feeds that the home page links to, below *base*, the path of the site."""
    links = (link for link in _LINK.findall(page) if _TYPE.search(link))
    targets = (urlsplit(found[1] or found[2] or "").path for link in links if (found := _HREF.search(link)))
    return [path.removeprefix(base).lstrip("/") for path in targets]


def check_feeds(expected: Iterable[OldFeed], heads: Mapping[str, str], output: str) -> list[OldFeed]:
    """Return the feeds of a built site.

    *heads* are the first characters of the files that may be feeds, by path in the built site. *output* is its folder.
    """
    found = {one.path: OldFeed(path=one.path, format=one.format, source=one.source) for one in expected}
    for path, head in heads.items():
        if re.search(r"<rss\b|<feed\b|<rdf:|jsonfeed\.org/version", head):
            source = found[path].source if path in found else f"{output}/{path}"
            found[path] = OldFeed(path=path, format=feed_format(path, head), source=source)
    return [one for path, one in found.items() if path in heads]


def moved_feeds(feeds: Iterable[OldFeed]) -> dict[str, str]:
    """Return the value of `feeds.moved`: the former address of each feed, and the document of Feeds in its format."""
    return {f"/{one.path}": f"feeds/{DOCUMENTS[one.format]}" for one in feeds if one.path}


def feed_to_adopt(feeds: Iterable[OldFeed]) -> OldFeed | None:
    """Return the feed whose ids are to be taken over; None without one."""
    return min(feeds, key=lambda one: _ORDER.index(one.format), default=None)
