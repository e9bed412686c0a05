"""The elements of podcasts in RSS: those of Apple (`itunes`) and of the Podcast Namespace (`podcast`).

Sources: https://podcasters.apple.com/support/823-podcast-requirements and
https://podcasting2.org/docs/podcast-namespace. Elements of a channel are only written for a feed that a `[[podcasts]]`
table names.
"""

from collections.abc import Iterable, Iterator
from typing import Any
from uuid import UUID, uuid5

from lxml import etree

from feeds.core.posts.markdown import strip_illegal_xml
from feeds.core.syndication.feed import FILES, Feed, normalize_feed_path
from feeds.core.syndication.item import FeedDocument, Item
from feeds.model import Episode
from feeds.podcast_categories import CATEGORIES
from feeds.settings import Podcast

ITUNES = "http://www.itunes.com/dtds/podcast-1.0.dtd"
PODCAST = "https://podcastindex.org/namespace/1.0"
#: Podcast Namespace, `guid`.
_GUID_NAMESPACE = UUID("ead4c236-bf58-58c6-a2c6-a6b28d128cb6")


def find_podcast(feed: Feed, podcasts: Iterable[Podcast]) -> Podcast | None:
    """Return the settings of the podcast that a feed is; None if it is none."""
    return next((podcast for podcast in podcasts if _folder(podcast) == feed.folder), None)


def podcast_warnings(podcasts: Iterable[Podcast], feeds: Iterable[Feed], config: str) -> Iterator[str]:
    """Yield a warning for each podcast without a feed in RSS, or without what directories require."""
    folders = {feed.folder for feed in feeds if "rss" in feed.formats}
    for at, podcast in enumerate(podcasts):
        if _folder(podcast) not in folders:
            yield (
                f"{config}: podcasts[{at}].feed: there is no RSS feed in feeds/{podcast.feed}; write a folder that"
                ' feeds/index.html lists, such as "category/podcast", and add "rss" to feeds.formats'
            )
        if missing := [key for key in ("category", "image") if not getattr(podcast, key)]:
            yield f"{config}: podcasts[{at}]: has no {' and no '.join(missing)}; Apple Podcasts requires both"


def _folder(podcast: Podcast) -> str:
    below = podcast.feed.strip("/")
    return normalize_feed_path(below) if below else "feeds/"


def write_channel(channel: Any, document: FeedDocument, podcast: Podcast) -> None:
    """Write the elements of the channel."""
    _element(channel, f"{{{ITUNES}}}author", text=podcast.author or document.author)
    _element(channel, f"{{{ITUNES}}}type", text=podcast.type)
    _element(channel, f"{{{ITUNES}}}explicit", text=_flag(podcast.explicit))
    if podcast.image:
        _element(channel, f"{{{ITUNES}}}image", {"href": str(podcast.image)})
    for name in (podcast.category,) if isinstance(podcast.category, str) else podcast.category:
        _write_category(channel, name)
    if podcast.owner:
        owner = _element(channel, f"{{{ITUNES}}}owner")
        address = podcast.owner.address
        _element(owner, f"{{{ITUNES}}}name", text=address.display_name or podcast.author or document.author)
        _element(owner, f"{{{ITUNES}}}email", text=address.addr_spec)
    _write_namespace_channel(channel, document, podcast)


def _write_category(channel: Any, name: str) -> None:
    parent = CATEGORIES[name]
    element = _element(channel, f"{{{ITUNES}}}category", {"text": parent})
    if name != parent:
        _element(element, f"{{{ITUNES}}}category", {"text": name})


def _write_namespace_channel(channel: Any, document: FeedDocument, podcast: Podcast) -> None:
    url = document.feed.url_of(FILES["rss"])
    _element(channel, f"{{{PODCAST}}}guid", text=podcast.guid or podcast_guid(url))
    if podcast.locked is not None:
        owner = {"owner": podcast.owner.address.addr_spec} if podcast.owner else {}
        _element(channel, f"{{{PODCAST}}}locked", owner, "yes" if podcast.locked else "no")
    if podcast.funding:
        _element(channel, f"{{{PODCAST}}}funding", {"url": str(podcast.funding.url)}, podcast.funding.text or None)


def podcast_guid(url: str) -> str:
    """Return the id of a podcast: made of the feed's URL without scheme and slashes at its end."""
    return str(uuid5(_GUID_NAMESPACE, url.partition("://")[2].rstrip("/")))


def write_episode(entry: Any, item: Item) -> None:
    """Write what Apple's elements say of an episode; every RSS feed may show one."""
    episode = item.episode or Episode()
    values = {
        "season": episode.season or None,  # Apple: a number greater than 0
        "episode": episode.number or None,
        "episodeType": episode.type or None,
        "explicit": None if episode.explicit is None else _flag(episode.explicit),
    }
    for name, value in values.items():
        if value is not None:
            _element(entry, f"{{{ITUNES}}}{name}", text=str(value))


def write_podcast_episode(entry: Any, item: Item) -> None:
    """Write what only the feed of a podcast has: the picture, and elements of the Podcast Namespace."""
    episode = item.episode or Episode()
    if item.image:
        _element(entry, f"{{{ITUNES}}}image", {"href": item.image.url})
    for name, number in (("season", episode.season), ("episode", episode.number)):
        if number is not None:
            _element(entry, f"{{{PODCAST}}}{name}", text=str(number))
    for transcript in episode.transcripts:
        lang = {"language": transcript.lang} if transcript.lang else {}
        _element(entry, f"{{{PODCAST}}}transcript", {"url": transcript.url, "type": transcript.type} | lang)
    if episode.chapters:
        _element(entry, f"{{{PODCAST}}}chapters", {"url": episode.chapters, "type": "application/json+chapters"})
    for person in episode.people:
        optional = {"role": person.role, "href": person.url, "img": person.image}
        _element(entry, f"{{{PODCAST}}}person", {key: value for key, value in optional.items() if value}, person.name)


def _flag(value: bool) -> str:  # noqa: FBT001 - the value to be written
    return "true" if value else "false"


def _element(parent: Any, name: str, attributes: dict[str, str] | None = None, text: str | None = None) -> Any:
    element = etree.SubElement(
        parent, name, {key: strip_illegal_xml(value) for key, value in (attributes or {}).items()}
    )
    element.text = None if text is None else strip_illegal_xml(text)
    return element
