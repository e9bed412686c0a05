"""Which feeds there are, and which entries each one shows."""

from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote

from feeds.model import Catalogue, Entry, Topic
from feeds.settings import Settings

#: What an empty feed says: `updated` is required (RFC 4287 section 4.1.1) and must not come from the clock.
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True, slots=True)
class Feed:
    """One feed: what it is called, where it lies, what it shows."""

    #: A `tag:` URI.
    id: str
    title: str
    subtitle: str
    #: The folder below `public/`, with `/`.
    folder: str
    #: The folder on the web.
    url: str
    lang: str
    #: None for the feed of everything.
    topic: Topic | None
    #: Newest first.
    entries: tuple[Entry, ...]

    @property
    def path(self) -> str:
        """The Atom document below `public/`."""
        return f"{self.folder}atom.xml"

    @property
    def atom_url(self) -> str:
        """The Atom document on the web."""
        return f"{self.url}atom.xml"

    @property
    def updated(self) -> datetime:
        """When the newest of its entries was updated."""
        return max((entry.updated for entry in self.entries), default=_NEVER)


def plan(catalogue: Catalogue, settings: Settings) -> tuple[Feed, ...]:
    """Return the feed of everything, then one a category in the order of their paths."""
    shown = [entry for entry in catalogue.entries if entry.post.feed]
    by_topic: dict[Topic, list[Entry]] = {}
    for entry in shown if "category" in settings.feeds.by else ():
        for topic in entry.categories:
            by_topic.setdefault(topic, []).append(entry)
    topics = sorted(by_topic, key=lambda topic: topic.slug)
    return (_feed(shown, None, settings), *(_feed(by_topic[topic], topic, settings) for topic in topics))


def _feed(entries: list[Entry], topic: Topic | None, settings: Settings) -> Feed:
    place = "" if topic is None else f"category/{topic.slug}/"
    site = settings.site
    return Feed(
        id=f"tag:{site.authority}:feeds/{quote(place)}",
        title=site.name if topic is None else f"{topic.label} · {site.name}",
        subtitle="" if topic is None else topic.description,
        folder=f"feeds/{place}",
        url=settings.feeds_url + quote(place),
        lang=site.language,
        topic=topic,
        entries=tuple(entries[: settings.feeds.entries]),
    )
