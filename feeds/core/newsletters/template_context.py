"""A selection -> what the templates of a letter see. Plain values: a template decides nothing but looks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from urllib.parse import urlencode

from msgspec.structs import replace

from feeds.core.newsletters import mailhtml
from feeds.core.newsletters.i18n import Texts, text_direction
from feeds.core.newsletters.phrases import split_phrases
from feeds.core.newsletters.placeholders import BODY, NEIGHBOURS, NOTE, SPONSOR, strip_placeholders
from feeds.core.posts import markdown, text
from feeds.model import Entry, Image, Issue, Selection, Text
from feeds.settings import Newsletter, Settings, Theme

#: Columns of the text part: short enough to be quoted once without wrapping again.
_TEXT_WIDTH = 72
#: A lead may be longer than a story: four lines instead of three.
_LEAD_WIDTH = 320


@dataclass(frozen=True, kw_only=True, slots=True)
class StoryView:
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
    #: The title in pieces between which a line may break; empty where any space will do.
    phrases: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class StoryGroup:
    """Stories under one heading."""

    heading: str
    stories: tuple[StoryView, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class CorrectionView:
    """What a letter says that corrects an issue, beside the editor's note."""

    #: Its own headline, and likewise in pieces.
    title: str
    phrases: tuple[str, ...]
    #: Which issue it corrects, as a sentence, that issue's subject and page; no page where there is no archive.
    says: str
    of: str
    url: str | None


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
    #: Words that stand for HTML until all else is compiled; empty where there is none.
    note: str
    sponsor: str
    body: str
    #: Whether the body is only the beginning of the post.
    cut: bool
    #: Likewise, on the web: the issues before and behind this one.
    neighbours: str
    theme: Theme
    #: None in a correction, which tells of no posts.
    lead: StoryView | None
    correction: CorrectionView | None
    groups: tuple[StoryGroup, ...]
    also: tuple[StoryView, ...]
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
    #: What the editor says, as plain text, a paragraph each.
    note_text: tuple[str, ...] = ()
    sponsor_text: tuple[str, ...] = ()
    #: The lead, whole, likewise; nothing in a digest.
    body_text: tuple[str, ...] = ()
    text_width: int = _TEXT_WIDTH


def build_letter_view(  # noqa: PLR0913 - a letter is made of all of them
    selection: Selection,
    texts: Mapping[str, Text],
    words: Texts,
    settings: Settings,
    *,
    newsletter: Newsletter,
    number: int,
    slot: datetime,
    web_url: str | None,
    unsubscribe_url: str | None,
    cut: bool = False,
    corrects: Issue | None = None,
    corrects_url: str | None = None,
) -> LetterView:
    """Return the view of one issue in one language; *texts* holds what its posts say, by path.

    Without a way to leave it is the page for the web, which must show nothing personal. One that *corrects* another
    has a note and no stories.
    """
    lead, rest = next(iter(selection.stories), None), selection.stories[1:]
    links = {} if unsubscribe_url is None else newsletter.link_parameters
    title, note = newsletter.heading, selection.note
    first = _story(lead, texts, words, links, _LEAD_WIDTH) if lead else None
    base, html = settings.site.url, note.html if note else ""
    note_text = _paragraphs(html, base)
    whole = lead if newsletter.template == "letter" else None
    return LetterView(
        lang=words.lang,
        dir=words.direction,
        title=title,
        issue=words.format("issue", number=number),
        date=words.date(slot),
        subject=strip_placeholders(issue_subject(selection, words, corrects)),
        preview=text.shorten(first.excerpt if first else strip_placeholders(" ".join(note_text)), 140),
        note=NOTE if note and note.html else "",
        sponsor=SPONSOR if newsletter.sponsor else "",
        body=BODY if newsletter.template == "letter" else "",
        cut=cut,
        neighbours=NEIGHBOURS,
        theme=newsletter.theme,
        lead=first,
        correction=_correction(selection, words, corrects, corrects_url) if corrects else None,
        groups=_groups(rest, texts, words, links, by_category=newsletter.group_by == "category"),
        also=tuple(_story(entry, texts, words, links) for entry in selection.also),
        why=words.format("why", title=title),
        web=unsubscribe_url is None,
        web_url=web_url,
        unsubscribe_url=unsubscribe_url,
        font=newsletter.theme.font or words.font,
        line_height=words.line_height,
        site_name=settings.site.name,
        site_url=settings.site.url,
        address=settings.mail.address,
        # Nothing else in a correction leads to where its links do.
        note_text=_paragraphs(mailhtml.links_as_text(html, base), base) if corrects else note_text,
        sponsor_text=_paragraphs(markdown.render_markdown(newsletter.sponsor), settings.site.url)
        if newsletter.sponsor
        else (),
        body_text=_paragraphs(texts[whole.post.path].html, whole.post.url) if whole else (),
    )


def _paragraphs(html: str, base: str) -> tuple[str, ...]:
    return tuple(found for _, found in text.text_blocks(mailhtml.players_as_text(html, base)))


def issue_subject(selection: Selection, words: Texts, corrects: Issue | None = None) -> str:
    """Return the editor's subject, else the lead's title: mail programs thread what has the same subject.

    That of an issue which *corrects* another says so, and which.
    """
    if selection.note and selection.note.subject:
        return selection.note.subject
    return words.format("correction_of", subject=corrects.subject) if corrects else selection.stories[0].post.title


def _correction(selection: Selection, words: Texts, corrects: Issue, url: str | None) -> CorrectionView:
    headline = strip_placeholders(issue_subject(selection, words, corrects))
    number = words.format("issue", number=corrects.number)
    return CorrectionView(
        title=headline,
        phrases=split_phrases(headline, words.lang),
        says=words.format("corrects", issue=number, date=words.date(corrects.slot)),
        of=strip_placeholders(corrects.subject),
        url=url,
    )


def _groups(
    entries: Sequence[Entry], texts: Mapping[str, Text], words: Texts, links: Mapping[str, str], *, by_category: bool
) -> tuple[StoryGroup, ...]:
    """Return the stories under their first category, categories in the order of their newest story."""
    if not by_category:
        return (
            (StoryGroup(heading="", stories=tuple(_story(e, texts, words, links) for e in entries)),) if entries else ()
        )
    headings = list(dict.fromkeys(_category(entry) for entry in entries))
    ordered = sorted(entries, key=lambda entry: headings.index(_category(entry)))
    return tuple(
        StoryGroup(heading=heading, stories=tuple(_story(entry, texts, words, links) for entry in stories))
        for heading, stories in groupby(ordered, key=_category)
    )


def _with(parameters: Mapping[str, str], url: str) -> str:
    """Return an address with parameters behind it, before its fragment; those that it has stay."""
    if not parameters:
        return url
    page, mark, fragment = url.partition("#")
    return f"{page}{'&' if '?' in page else '?'}{urlencode(parameters)}{mark}{fragment}"


def _category(entry: Entry) -> str:
    return entry.categories[0].label if entry.categories else ""


def _story(
    entry: Entry, texts: Mapping[str, Text], words: Texts, links: Mapping[str, str], width: int = text.EXCERPT_WIDTH
) -> StoryView:
    post, shown = entry.post, texts[entry.post.path]
    return StoryView(
        title=strip_placeholders(post.title),
        url=_with(links, post.url),
        lang=post.lang,
        dir=text_direction(post.lang),
        excerpt=strip_placeholders(text.shorten(shown.excerpt, width)),
        category=strip_placeholders(_category(entry)),
        author=strip_placeholders(", ".join(author.name for author in post.authors)),
        date=words.date(post.published),
        reading=words.plural("reading", shown.reading_minutes),
        image=post.image and replace(post.image, alt=strip_placeholders(post.image.alt)),
        phrases=split_phrases(post.title, post.lang),
    )
