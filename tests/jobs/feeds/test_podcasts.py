"""Podcasts in RSS, as apps and directories read them."""

import feedparser
import pytest
from lxml import etree

from feeds.core.syndication.podcast import podcast_guid
from feeds.errors import ConfigError
from tests.conftest import CONFIG
from tests.validity.rules import rss_faults

PODCAST = (
    CONFIG.replace('["atom"]', '["atom", "rss"]')
    + """
[[podcasts]]
feed = "category/podcast"
category = ["Documentary", "Technology"]
image = "https://example.com/cover.jpg"
owner = "The desk <desk@example.com>"
explicit = true
type = "serial"
locked = true
funding = { url = "https://example.com/give?a=1&b=2", text = "Give & take" }
"""
)
NAMES = {"itunes": "http://www.itunes.com/dtds/podcast-1.0.dtd", "podcast": "https://podcastindex.org/namespace/1.0"}
EPISODE = {
    "category": "Podcast",
    "audio": "/a.mp3",
    "duration": "PT31M7S",
    "image": "/one.png",
    "season": "1",
    "episode": "2",
    "explicit": "false",
    "transcript": "/t.srt",
    "chapters": "/c.json",
    "hosts": "[Ada]",
}


@pytest.fixture
def podcast(site):
    """A site whose category is a podcast, with one episode."""
    site.configure(PODCAST)
    site.post("one", **EPISODE)
    return site


def texts(site, path, *, feed="category/podcast"):
    """Return the texts of the elements at a path of an RSS feed, with their attributes."""
    channel = etree.fromstring(site.read(f"public/feeds/{feed}/rss.xml").encode()).find("channel")
    return [((element.text or "").strip() or None, dict(element.attrib)) for element in channel.iterfind(path, NAMES)]


def test_the_feed_has_what_directories_ask_for(podcast):
    """The channel has categories with their parents, picture, owner, type, guid, lock and funding, and is valid."""
    podcast.publish()
    assert texts(podcast, "itunes:category") == [(None, {"text": "Society & Culture"}), (None, {"text": "Technology"})]
    assert texts(podcast, "itunes:category/itunes:category") == [(None, {"text": "Documentary"})]
    assert texts(podcast, "itunes:image") == [(None, {"href": "https://example.com/cover.jpg"})]
    assert texts(podcast, "itunes:owner/itunes:email") == [("desk@example.com", {})]
    assert texts(podcast, "itunes:owner/itunes:name") == [("The desk", {})]
    assert texts(podcast, "itunes:explicit") == [("true", {})]
    assert texts(podcast, "itunes:type") == [("serial", {})]
    assert texts(podcast, "podcast:locked") == [("yes", {"owner": "desk@example.com"})]
    assert texts(podcast, "podcast:funding") == [("Give & take", {"url": "https://example.com/give?a=1&b=2"})]
    assert texts(podcast, "podcast:guid") == [(podcast_guid("https://example.com/feeds/category/podcast/rss.xml"), {})]
    content = podcast.read("public/feeds/category/podcast/rss.xml").encode()
    assert rss_faults(content) == []
    assert not feedparser.parse(content).bozo


def test_an_episode_has_what_apps_show(podcast):
    """The item has season, episode, explicit, picture, duration, transcript, chapters and people."""
    podcast.publish()
    assert {name: texts(podcast, f"item/itunes:{name}") for name in ("season", "episode", "explicit", "duration")} == {
        "season": [("1", {})],
        "episode": [("2", {})],
        "explicit": [("false", {})],
        "duration": [("1867", {})],
    }
    assert texts(podcast, "item/itunes:image") == [(None, {"href": "https://example.com/one.png"})]
    transcript = {"url": "https://example.com/t.srt", "type": "application/x-subrip"}
    assert texts(podcast, "item/podcast:transcript") == [(None, transcript)]
    chapters = {"url": "https://example.com/c.json", "type": "application/json+chapters"}
    assert texts(podcast, "item/podcast:chapters") == [(None, chapters)]
    assert texts(podcast, "item/podcast:person") == [("Ada", {"role": "host"})]


def test_other_feeds_are_not_podcasts(podcast):
    """A feed that no `[[podcasts]]` table names has the numbers of episodes, but nothing of the channel."""
    podcast.publish()
    document = podcast.read("public/feeds/rss.xml")
    assert "podcastindex" not in document
    assert "itunes:owner" not in document
    assert "<itunes:season>1</itunes:season>" in document


def test_the_feed_is_written_again_when_its_settings_change(podcast):
    """A changed setting of a podcast changes its feed, although no post has changed."""
    podcast.publish()
    podcast.configure(PODCAST.replace("locked = true", 'locked = false\nguid = "917393E3-1b1e-5cef-ace4-edaa54e1f810"'))
    podcast.publish()
    assert texts(podcast, "podcast:locked") == [("no", {"owner": "desk@example.com"})]
    assert texts(podcast, "podcast:guid") == [("917393e3-1b1e-5cef-ace4-edaa54e1f810", {})]


def test_the_feed_of_all_posts_may_be_a_podcast(podcast):
    """Without `feed`, the feed of all posts is the podcast; most keys may be left out."""
    podcast.configure(CONFIG.replace('["atom"]', '["rss"]') + "[[podcasts]]\n")
    podcast.publish()
    assert texts(podcast, "itunes:author", feed=".") == [("Test", {})]
    assert texts(podcast, "itunes:explicit", feed=".") == [("false", {})]
    assert texts(podcast, "podcast:locked", feed=".") == []


def test_a_podcast_without_a_feed_is_reported(podcast):
    """A `feed` that does not exist, or has no RSS, is a warning that says what to write."""
    podcast.configure(PODCAST.replace("category/podcast", "podcast"))
    [warning] = [line for line in podcast.publish().warnings if "podcasts[0]" in line]
    assert "podcasts[0].feed: there is no RSS feed in feeds/podcast" in warning


def test_what_directories_require_is_reported(podcast):
    """A podcast without category or picture is a warning that names what is missing."""
    podcast.configure(CONFIG.replace('["atom"]', '["rss"]') + '[[podcasts]]\ncategory = "Technology"\n')
    [warning] = [line for line in podcast.publish().warnings if "podcasts[0]" in line]
    assert warning.endswith("podcasts[0]: has no image; Apple Podcasts requires both")


def test_a_category_that_apple_does_not_have_is_an_error(podcast):
    """A misspelt category is an error of the config, with its line and the nearest name."""
    podcast.configure(PODCAST.replace("Documentary", "Documentaries"))
    with pytest.raises(ConfigError, match=r"podcasts\[0\]\.category: 'Documentaries' .*'Documentary'"):
        podcast.publish()


def test_the_guid_is_that_of_the_podcast_namespace():
    """The id is made as the specification's example shows, without scheme and slash at the end."""
    assert podcast_guid("https://podnews.net/rss") == "9b024349-ccf0-5f69-a609-6b82873eab3c"
    assert podcast_guid("http://podnews.net/rss/") == podcast_guid("https://podnews.net/rss")
