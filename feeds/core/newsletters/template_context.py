"""Build the values that the templates of a letter use from a selection."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from itertools import groupby
from urllib.parse import urlencode

from feeds.core.newsletters import mailhtml
from feeds.core.newsletters.i18n import Texts
from feeds.core.newsletters.phrases import split_phrases
from feeds.core.newsletters.pictures import FindPicture, PictureView, as_written, picture_view
from feeds.core.newsletters.placeholders import BODY, LINKS, NAVIGATION, NEIGHBOURS, NOTE, SPONSOR, strip_placeholders
from feeds.core.posts import text
from feeds.core.posts.locales import text_direction
from feeds.model import Entry, Issue, Post, Selection, Text
from feeds.settings import Newsletter, Settings, Theme

#: Columns of the text part: a reply that quotes it needs no new line breaks.
_TEXT_WIDTH = 72
#: The excerpt of the lead may be longer than that of a story: four lines instead of three.
_LEAD_WIDTH = 320


class Audience(Enum):
    """Who reads an issue."""

    SUBSCRIBER = auto()
    #: An address in `copy_to`, which has not subscribed and cannot unsubscribe.
    COPY = auto()
    #: Everybody, on the web page, which must not have personal data.
    WEB = auto()


@dataclass(frozen=True, kw_only=True, slots=True)
class StoryView:
    """One post as a letter shows it."""

    title: str
    url: str
    lang: str
    dir: str
    excerpt: str
    #: Category and author are empty if the post has none.
    category: str
    author: str
    date: str
    reading: str
    image: PictureView | None
    #: The parts of the title between which a line may break; empty if lines break at spaces.
    phrases: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class StoryGroup:
    """Stories under one heading."""

    heading: str
    stories: tuple[StoryView, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class CorrectionView:
    """The corrected issue, in a letter that corrects it."""

    #: The headline of the letter, and its parts as in `StoryView`.
    title: str
    phrases: tuple[str, ...]
    #: A sentence with number and date of the corrected issue, its subject, and the URL of its page if it has one.
    says: str
    of: str
    url: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class LetterView:
    """Everything that a letter's template may use."""

    lang: str
    dir: str
    title: str
    issue: str
    date: str
    subject: str
    preview: str
    #: Placeholders for HTML, which is inserted later; empty if there is none.
    note: str
    sponsor: str
    body: str
    #: True if the body is only the beginning of the post.
    cut: bool
    #: The placeholder for links to the previous and next issue, on the web page.
    neighbours: str
    theme: Theme
    #: None in a correction, which has no stories.
    lead: StoryView | None
    correction: CorrectionView | None
    groups: tuple[StoryGroup, ...]
    also: tuple[StoryView, ...]
    #: Why the recipient gets it; empty in a copy, whose recipient has not subscribed.
    why: str
    #: True for the web page, which must not have personal data.
    web: bool
    web_url: str | None
    #: None on the web page and in a copy; the preferences also without a web server.
    unsubscribe_url: str | None
    preferences_url: str | None
    font: str
    line_height: str
    site_name: str
    site_url: str
    address: str
    #: The paragraphs of the editor's note as plain text; these and the others are empty on the web page.
    note_text: tuple[str, ...] = ()
    sponsor_text: tuple[str, ...] = ()
    #: The paragraphs of the whole lead; empty in a digest.
    body_text: tuple[str, ...] = ()
    text_width: int = _TEXT_WIDTH
    #: On the web page: the placeholders for the navigation between issues at its top, and for the links at its end.
    navigation: str = NAVIGATION
    links: str = LINKS


def build_letter_view(  # noqa: PLR0913 - a letter needs all of them
    selection: Selection,
    post_texts: Mapping[str, Text],
    inserts: Mapping[str, str],
    texts: Texts,
    settings: Settings,
    *,
    newsletter: Newsletter,
    number: int,
    slot: datetime,
    audience: Audience,
    web_url: str | None,
    unsubscribe_url: str,
    preferences_url: str | None = None,
    cut: bool = False,
    corrects: Issue | None = None,
    corrects_url: str | None = None,
    find_picture: FindPicture = as_written,
) -> LetterView:
    """Return the view of one issue in one language; *post_texts* are the texts of its posts, by path.

    *inserts* are the HTML for mail of note, sponsor and post, by placeholder; the text part says the same. Only
    subscribers see *unsubscribe_url* and *preferences_url*. An issue that *corrects* another has a note and no stories.
    """
    lead, rest = next(iter(selection.stories), None), selection.stories[1:]
    parameters = {} if audience is Audience.WEB else newsletter.link_parameters
    stories = _StoryViews(post_texts, texts, parameters, find_picture)
    title, base = newsletter.heading, settings.site.url
    lead_view = stories.story(lead, _LEAD_WIDTH) if lead else None
    note = inserts[NOTE]
    in_text = {} if audience is Audience.WEB else {key: mailhtml.text_paragraphs(html) for key, html in inserts.items()}
    return LetterView(
        lang=texts.lang,
        dir=texts.direction,
        title=title,
        issue=texts.format("issue", number=number),
        date=texts.date(slot),
        subject=strip_placeholders(issue_subject(selection, texts, corrects)),
        preview=text.shorten(lead_view.excerpt if lead_view else _plain_line(note), 140),
        note=NOTE if note else "",
        sponsor=SPONSOR if inserts[SPONSOR] else "",
        body=BODY if newsletter.template == "letter" else "",
        cut=cut,
        neighbours=NEIGHBOURS,
        theme=newsletter.theme,
        lead=lead_view,
        correction=_correction(selection, texts, corrects, corrects_url) if corrects else None,
        groups=stories.groups(rest, by_category=newsletter.group_by == "category"),
        also=tuple(stories.story(entry) for entry in selection.also),
        why="" if audience is Audience.COPY else texts.format("why", title=title),
        web=audience is Audience.WEB,
        web_url=web_url,
        unsubscribe_url=unsubscribe_url if audience is Audience.SUBSCRIBER else None,
        preferences_url=preferences_url if audience is Audience.SUBSCRIBER else None,
        font=newsletter.theme.font or texts.font,
        line_height=texts.line_height,
        site_name=settings.site.name,
        site_url=base,
        address=settings.mail.address,
        note_text=in_text.get(NOTE, ()),
        sponsor_text=in_text.get(SPONSOR, ()),
        body_text=in_text.get(BODY, ()),
    )


def issue_subject(selection: Selection, texts: Texts, corrects: Issue | None = None) -> str:
    """Return the editor's subject, else the lead's title: mail programs thread messages with the same subject.

    The default subject of an issue that *corrects* another has the subject of that issue.
    """
    if selection.note and selection.note.subject:
        return selection.note.subject
    return texts.format("correction_of", subject=corrects.subject) if corrects else selection.stories[0].post.title


def _plain_line(html: str) -> str:
    return strip_placeholders(" ".join(paragraph for _, paragraph in text.text_blocks(html)))


def _correction(selection: Selection, texts: Texts, corrects: Issue, url: str | None) -> CorrectionView:
    headline = strip_placeholders(issue_subject(selection, texts, corrects))
    number = texts.format("issue", number=corrects.number)
    return CorrectionView(
        title=headline,
        phrases=split_phrases(headline, texts.lang),
        says=texts.format("corrects", issue=number, date=texts.date(corrects.slot)),
        of=strip_placeholders(corrects.subject),
        url=url,
    )


# Stories ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _StoryViews:
    """Builds the views of stories."""

    post_texts: Mapping[str, Text]
    texts: Texts
    #: Query parameters for the links to posts.
    link_parameters: Mapping[str, str]
    find_picture: FindPicture

    def story(self, entry: Entry, width: int = text.EXCERPT_WIDTH) -> StoryView:
        post, post_text = entry.post, self.post_texts[entry.post.path]
        return StoryView(
            title=strip_placeholders(post.title),
            url=_add_parameters(post.url, self.link_parameters),
            lang=post.lang,
            dir=text_direction(post.lang),
            excerpt=strip_placeholders(text.shorten(post_text.excerpt, width)),
            category=strip_placeholders(_first_category(entry)),
            author=strip_placeholders(", ".join(author.name for author in post.authors)),
            date=self.texts.date(post.published),
            reading=self.texts.plural("reading", post_text.reading_minutes),
            image=self._image(post),
            phrases=split_phrases(post.title, post.lang),
        )

    def _image(self, post: Post) -> PictureView | None:
        if post.image is None:
            return None
        return picture_view(self.find_picture(post.image.url, post), strip_placeholders(post.image.alt))

    def groups(self, entries: Sequence[Entry], *, by_category: bool) -> tuple[StoryGroup, ...]:
        """Return one group, or a group for each first category, in the order of their newest stories."""
        if not by_category:
            return (self._group("", entries),) if entries else ()
        headings = list(dict.fromkeys(_first_category(entry) for entry in entries))
        ordered = sorted(entries, key=lambda entry: headings.index(_first_category(entry)))
        return tuple(self._group(heading, members) for heading, members in groupby(ordered, key=_first_category))

    def _group(self, heading: str, entries: Iterable[Entry]) -> StoryGroup:
        return StoryGroup(heading=heading, stories=tuple(self.story(entry) for entry in entries))


def _add_parameters(url: str, parameters: Mapping[str, str]) -> str:
    """Return a URL with parameters added to its query, before its fragment."""
    if not parameters:
        return url
    page, mark, fragment = url.partition("#")
    return f"{page}{'&' if '?' in page else '?'}{urlencode(parameters)}{mark}{fragment}"


def _first_category(entry: Entry) -> str:
    return entry.categories[0].label if entry.categories else ""
