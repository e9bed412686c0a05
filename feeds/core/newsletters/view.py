"""A selection -> what the templates of a letter see. Plain values: a template decides nothing but looks."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from feeds.core.newsletters.words import Words, direction
from feeds.core.posts import text
from feeds.model import Entry, Image, Selection, Text
from feeds.settings import Settings

#: Columns of the text part: short enough to be quoted once without wrapping again.
_TEXT_WIDTH = 72
#: A lead may be longer than a story: four lines instead of three.
_LEAD_WIDTH = 320


@dataclass(frozen=True, kw_only=True, slots=True)
class Story:
    """One post as a letter shows it."""

    title: str
    url: str
    lang: str
    dir: str
    excerpt: str
    #: Empty where the post has none; likewise below.
    category: str
    author: str
    date: str
    reading: str
    image: Image | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """Stories under one heading."""

    heading: str
    stories: tuple[Story, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class LetterView:
    """Everything a letter's template may use."""

    lang: str
    dir: str
    title: str
    issue: str
    date: str
    subject: str
    preview: str
    lead: Story
    groups: tuple[Group, ...]
    also: tuple[Story, ...]
    why: str
    #: True for the archive page: nothing in it is personal.
    web: bool
    web_url: str | None
    unsubscribe_url: str | None
    font: str
    line_height: str
    site_name: str
    site_url: str
    address: str
    text_width: int = _TEXT_WIDTH


def letter_view(
    selection: Selection,
    texts: Mapping[str, Text],
    words: Words,
    settings: Settings,
    *,
    title: str,
    number: int,
    slot: datetime,
    web_url: str | None,
    unsubscribe_url: str | None,
) -> LetterView:
    """Return the view of one issue in one language; *texts* holds what its posts say, by path.

    Without a way to leave it is the page for the web, which must show nothing personal.
    """
    lead, *rest = selection.stories
    first = _story(lead, texts, words, _LEAD_WIDTH)
    return LetterView(
        lang=words.lang,
        dir=words.direction,
        title=title,
        issue=words.say("issue", number=number),
        date=words.date(slot),
        subject=lead.post.title,
        preview=text.shorten(first.excerpt, 140),
        lead=first,
        groups=_groups(rest, texts, words),
        also=tuple(_story(entry, texts, words) for entry in selection.also),
        why=words.say("why", title=title),
        web=unsubscribe_url is None,
        web_url=web_url,
        unsubscribe_url=unsubscribe_url,
        font=words.font,
        line_height=words.line_height,
        site_name=settings.site.name,
        site_url=settings.site.url,
        address=settings.mail.address,
    )


def _groups(entries: list[Entry], texts: Mapping[str, Text], words: Words) -> tuple[Group, ...]:
    """Return the stories under their first category, categories in the order of their newest story."""
    headings = list(dict.fromkeys(_category(entry) for entry in entries))
    ordered = sorted(entries, key=lambda entry: headings.index(_category(entry)))
    return tuple(
        Group(heading=heading, stories=tuple(_story(entry, texts, words) for entry in stories))
        for heading, stories in groupby(ordered, key=_category)
    )


def _category(entry: Entry) -> str:
    return entry.categories[0].label if entry.categories else ""


def _story(entry: Entry, texts: Mapping[str, Text], words: Words, width: int = text.EXCERPT_WIDTH) -> Story:
    post, said = entry.post, texts[entry.post.path]
    return Story(
        title=post.title,
        url=post.url,
        lang=post.lang,
        dir=direction(post.lang),
        excerpt=text.shorten(said.excerpt, width),
        category=_category(entry),
        author=", ".join(author.name for author in post.authors),
        date=words.date(post.published),
        reading=words.count("reading", said.reading_minutes),
        image=post.image,
    )
