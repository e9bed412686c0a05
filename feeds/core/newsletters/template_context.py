"""Build the values that the templates of a letter use from a selection."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from itertools import groupby
from unicodedata import bidirectional
from urllib.parse import urlencode

from feeds.core.newsletters.headings import HEADINGS
from feeds.core.newsletters.i18n import Texts
from feeds.core.newsletters.mail_tables import CARDS
from feeds.core.newsletters.palette import Palette, dark_palette, light_palette
from feeds.core.newsletters.phrases import split_phrases
from feeds.core.newsletters.pictures import FindPicture, PictureView, as_written, is_first_picture, picture_view
from feeds.core.newsletters.placeholders import BODY, LINKS, NAVIGATION, NEIGHBOURS, NOTE, SPONSOR, strip_placeholders
from feeds.core.newsletters.plaintext import WIDTH
from feeds.core.posts import text
from feeds.core.posts.locales import text_direction
from feeds.model import Entry, Issue, Post, Selection, Text
from feeds.settings import Newsletter, Settings, Theme

#: From so many stories on a letter has a table of contents.
_MIN_CONTENTS = 5
#: About as much as mail programs show of the preview text beside a subject.
_PREVIEW_WIDTH = 140
#: The excerpt of a compact row: two lines.
_ROW_WIDTH = 120
#: So much of a summary is looked for in the text: excerpts leave some things out further on.
_OPENING = 30
_NOT_IN_EXCERPTS = text.WITHOUT_TEXT.union(HEADINGS)
_WORD = re.compile(r"\w+")
#: The bidirectional types of characters that are from left to right in such a line (UAX #9, table 4).
_LEFT_TO_RIGHT = frozenset({"L", "EN", "ES", "ET", "CS", "NSM", "WS", "ON"})
#: The excerpt of the lead may be longer than that of a story: four lines instead of three.
_LEAD_WIDTH = 320


@dataclass(frozen=True, kw_only=True, slots=True)
class LetterLinks:
    """The addresses of pages around an issue; None for a page that does not exist."""

    #: The issue on the web.
    web: str | None = None
    #: All issues of the newsletter, the one before this, and the newsletter's feed.
    issues: str | None = None
    previous: str | None = None
    feed: str | None = None
    #: The page where readers subscribe.
    signup: str | None = None
    #: The page of the issue that this one corrects.
    corrected: str | None = None


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
    #: Empty if there is no text to read.
    reading: str
    image: PictureView | None
    #: The parts of the title between which a line may break; empty if lines break at spaces.
    phrases: tuple[str, ...] = ()
    #: For the name of its category, in a light scheme.
    colour: str = ""

    @property
    def isolates_author(self) -> bool:
        """True if the author's name can have another direction than the line that it is in."""
        return self.dir == "rtl" or not _LEFT_TO_RIGHT.issuperset(map(bidirectional, self.author))


@dataclass(frozen=True, kw_only=True, slots=True)
class StoryGroup:
    """Stories under one heading."""

    heading: str
    stories: tuple[StoryView, ...]
    #: For the heading, in a light scheme.
    colour: str = ""


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
    #: True if the first picture of the body is the lead's image, which is not shown above it then.
    body_has_image: bool
    #: True if a table in note, sponsor or body has the class `s`, by which it becomes cards on a phone.
    has_cards: bool
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
    #: The editor's note as blocks of plain text, whose lines are set; these and the others are empty on the web page.
    note_text: tuple[str, ...] = ()
    sponsor_text: tuple[str, ...] = ()
    #: The whole lead; empty in a digest.
    body_text: tuple[str, ...] = ()
    text_width: int = WIDTH
    #: On the web page: the placeholders for the navigation between issues at its top, and for the links at its end.
    navigation: str = NAVIGATION
    links: str = LINKS
    #: The colours in a light and in a dark scheme, and the fonts of `font` that Windows has, for Outlook.
    palette: Palette
    palette_dark: Palette
    word_font: str
    #: The texts of `t` that are English in a letter of another language.
    english: frozenset[str]
    #: The second story, which a digest shows larger than the others; None in a letter with a whole post.
    second: StoryView | None = None
    #: The groups without the second story.
    rows: tuple[StoryGroup, ...] = ()
    #: The lead's own summary, if it is not the beginning of its text; empty in a digest.
    dek: str = ""
    #: The page with all issues, the page of the issue before this one, and the newsletter's feed; None without them.
    issues_url: str | None = None
    previous_url: str | None = None
    feed_url: str | None = None
    #: Where readers subscribe who got the letter from a friend; None without a sign-up page and a public archive.
    signup_url: str | None = None

    @property
    def contents(self) -> tuple[StoryView, ...]:
        """All stories in the order of the letter, for a table of contents; empty if there are few."""
        stories = [self.lead, self.second, *(story for group in self.rows for story in group.stories)]
        shown = tuple(story for story in stories if story)
        return shown if len(shown) >= _MIN_CONTENTS else ()

    def english_in(self, *names: str) -> bool:
        """Return whether any of these texts is English in a letter of another language."""
        return not self.english.isdisjoint(names)


def build_letter_view(  # noqa: PLR0913 - a letter needs all of them
    selection: Selection,
    post_texts: Mapping[str, Text],
    inserts: Mapping[str, str],
    in_text: Mapping[str, tuple[str, ...]],
    texts: Texts,
    settings: Settings,
    *,
    newsletter: Newsletter,
    number: int,
    date: datetime,
    audience: Audience,
    links: LetterLinks,
    unsubscribe_url: str,
    preferences_url: str | None = None,
    cut: bool = False,
    corrects: Issue | None = None,
    find_picture: FindPicture = as_written,
) -> LetterView:
    """Return the view of one issue in one language; *post_texts* are the texts of its posts, by path.

    *inserts* are the HTML for mail of note, sponsor and post, by placeholder; *in_text* has their blocks of plain text,
    and nothing for the web page. Only subscribers see *unsubscribe_url* and *preferences_url*. An issue that *corrects*
    another has a note and no stories.
    """
    lead, rest = next(iter(selection.stories), None), selection.stories[1:]
    palette = light_palette(newsletter.theme)
    parameters = {} if audience is Audience.WEB else newsletter.link_parameters
    stories = _StoryViews(post_texts, texts, palette, parameters, find_picture)
    by_category, is_digest = newsletter.group_by == "category", newsletter.template == "digest"
    title, base = newsletter.heading, settings.site.url
    lead_view = stories.story(lead, _LEAD_WIDTH) if lead else None
    note = inserts[NOTE]
    return LetterView(
        lang=texts.lang,
        dir=texts.direction,
        title=title,
        issue=texts.format("issue", number=number),
        date=texts.date(date),
        subject=strip_placeholders(issue_subject(selection, texts, corrects)),
        preview=_preview(selection, lead_view, texts) if lead_view else text.shorten(_plain_line(note), _PREVIEW_WIDTH),
        note=NOTE if note else "",
        sponsor=SPONSOR if inserts[SPONSOR] else "",
        body=BODY if newsletter.template == "letter" else "",
        cut=cut,
        body_has_image=lead is not None and _has_image(lead.post, inserts[BODY], find_picture),
        has_cards=any(CARDS in html for html in inserts.values()),
        neighbours=NEIGHBOURS,
        theme=newsletter.theme,
        lead=lead_view,
        correction=_correction(selection, texts, corrects, links.corrected) if corrects else None,
        groups=stories.groups(rest, by_category=by_category),
        second=stories.story(rest[0]) if is_digest and rest else None,
        rows=stories.rows(rest, by_category=by_category, below_second=is_digest),
        dek="" if is_digest or lead is None else _dek(post_texts[lead.post.path]),
        also=tuple(stories.story(entry) for entry in selection.also),
        why="" if audience is Audience.COPY else texts.format("why", title=title),
        web=audience is Audience.WEB,
        web_url=links.web,
        issues_url=links.issues,
        previous_url=links.previous,
        feed_url=links.feed,
        signup_url=links.signup,
        unsubscribe_url=unsubscribe_url if audience is Audience.SUBSCRIBER else None,
        preferences_url=preferences_url if audience is Audience.SUBSCRIBER else None,
        font=newsletter.theme.font or texts.font,
        word_font=fonts_of_windows(newsletter.theme.font or texts.font),
        palette=palette,
        palette_dark=dark_palette(newsletter.theme),
        english=texts.english,
        line_height=texts.line_height,
        site_name=settings.site.name,
        site_url=base,
        address=settings.mail.address,
        note_text=in_text.get(NOTE, ()),
        sponsor_text=in_text.get(SPONSOR, ()),
        body_text=in_text.get(BODY, ()),
    )


def _has_image(post: Post, html: str, find_picture: FindPicture) -> bool:
    """Return whether the first picture of *html* is the image of a post, as written or as a letter shows it."""
    if post.image is None:
        return False
    urls = (post.image.url, find_picture(post.image.url, post).url)
    return any(is_first_picture(url, html) for url in urls)


def issue_subject(selection: Selection, texts: Texts, corrects: Issue | None = None) -> str:
    """Return the editor's subject, else the lead's title: mail programs thread messages with the same subject.

    The default subject of an issue that *corrects* another has the subject of that issue.
    """
    if selection.note and selection.note.subject:
        return text.balance_directions(selection.note.subject)
    if corrects:
        return texts.format("correction_of", subject=corrects.subject)
    return text.balance_directions(selection.stories[0].post.title)


def _preview(selection: Selection, lead: StoryView, texts: Texts) -> str:
    """Return the beginning of the lead's excerpt and, if there is room, the titles of the next two stories."""
    titles = [strip_placeholders(text.balance_directions(entry.post.title)) for entry in selection.stories[1:3]]
    also = texts.format("preview_also", titles=texts.join(titles)) if titles else ""
    room = _PREVIEW_WIDTH - text.display_width(also) - 1
    excerpt = text.shorten(lead.excerpt, max(room, _PREVIEW_WIDTH // 2))
    return " ".join(filter(None, (excerpt, also)))


def _dek(post_text: Text) -> str:
    """Return the post's own summary; empty if it is only the beginning of the text, which a reader would read twice."""
    summary = strip_placeholders(post_text.excerpt)
    return "" if _opening(_words(summary)) in _words(_prose(post_text.html)) else summary


def _prose(html: str) -> str:
    """Return the text of a post without what excerpts leave out: headings, and the numbers of footnotes."""
    blocks = text.tree_blocks(text.parse_html(html), _NOT_IN_EXCERPTS, "footnote-ref", text.join_lines)
    return " ".join(block for _, block in blocks)


def _words(line: str) -> str:
    """Return the words of a text for comparison, with a space around each."""
    return f" {' '.join(_WORD.findall(text.normalize(line).casefold()))} "


def _opening(words: str) -> str:
    """Return the first words; the last of them may be cut, as it may be in an excerpt."""
    return words[:_OPENING].rstrip() if len(words) > _OPENING else words


def fonts_of_windows(fonts: str) -> str:
    """Return those of a list of fonts that Windows has, in their order, and the generic family.

    Word, which shows letters in Outlook on Windows, takes only the first font of a list, and Times New Roman if it does
    not have that.
    """
    names = [name.strip(" '") for name in fonts.split(",")]
    known = [name for name in names if name in _WINDOWS_FONTS]
    return ", ".join([*known, "serif" if names[-1] == "serif" else "sans-serif"])


#: The fonts of our languages and of common font chains that Windows has, or offers with a language
#: (https://learn.microsoft.com/en-us/typography/fonts/windows_11_font_list).
_WINDOWS_FONTS = frozenset(
    {"Arial", "Calibri", "Cambria", "Consolas", "David", "Ebrima", "Gadugi", "Georgia", "Gulim", "Latha"}
    | {"Leelawadee UI", "Malgun Gothic", "Mangal", "Meiryo", "Microsoft JhengHei", "Microsoft YaHei", "Nirmala UI"}
    | {"Palatino Linotype", "Segoe UI", "SimSun", "Sylfaen", "Tahoma", "Times New Roman", "Trebuchet MS", "Verdana"}
    | {"Vrinda", "Yu Gothic"}
)


def _plain_line(html: str) -> str:
    return strip_placeholders(" ".join(paragraph for _, paragraph in text.text_blocks(html)))


def _correction(selection: Selection, texts: Texts, corrects: Issue, url: str | None) -> CorrectionView:
    headline = strip_placeholders(issue_subject(selection, texts, corrects))
    number = texts.format("issue", number=corrects.number)
    return CorrectionView(
        title=headline,
        phrases=split_phrases(headline, texts.lang),
        says=texts.format("corrects", issue=number, date=texts.date(corrects.date)),
        of=strip_placeholders(corrects.subject),
        url=url,
    )


# Stories ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _StoryViews:
    """Builds the views of stories."""

    post_texts: Mapping[str, Text]
    texts: Texts
    palette: Palette
    #: Query parameters for the links to posts.
    link_parameters: Mapping[str, str]
    find_picture: FindPicture

    def story(self, entry: Entry, width: int = text.EXCERPT_WIDTH) -> StoryView:
        post, post_text = entry.post, self.post_texts[entry.post.path]
        title = text.balance_directions(post.title)
        return StoryView(
            title=strip_placeholders(title),
            url=_add_parameters(post.url, self.link_parameters),
            lang=post.lang,
            dir=text_direction(post.lang),
            excerpt=strip_placeholders(text.shorten(post_text.excerpt, width)),
            category=strip_placeholders(_first_category(entry)),
            author=strip_placeholders(", ".join(author.name for author in post.authors)),
            date=self.texts.date(post.published),
            reading=self.texts.reading_time(post_text.reading_minutes),
            image=self._image(post),
            phrases=split_phrases(title, post.lang),
            colour=self.palette.category(*(name for one in entry.categories[:1] for name in (one.label, one.term))),
        )

    def _image(self, post: Post) -> PictureView | None:
        if post.image is None:
            return None
        return picture_view(self.find_picture(post.image.url, post), strip_placeholders(post.image.alt))

    def rows(self, entries: Sequence[Entry], *, by_category: bool, below_second: bool) -> tuple[StoryGroup, ...]:
        """Return the groups of compact rows; *below_second*, the first entry is shown above them and left out."""
        shown = 1 if below_second else 0
        return self.groups(entries[shown:], above=entries[:shown], by_category=by_category, width=_ROW_WIDTH)

    def groups(
        self,
        entries: Sequence[Entry],
        *,
        by_category: bool,
        above: Sequence[Entry] = (),
        width: int = text.EXCERPT_WIDTH,
    ) -> tuple[StoryGroup, ...]:
        """Return one group, or a group for each first category, in the order of their newest stories.

        The categories of the entries *above* the groups come first. Entries without a category are the last, under a
        heading of their own if there are others.
        """
        if not by_category:
            return (self._group("", entries, width),) if entries else ()
        headings = list(dict.fromkeys(_first_category(entry) for entry in (*above, *entries)))
        headings.sort(key=lambda heading: not heading)
        ordered = sorted(entries, key=lambda entry: headings.index(_first_category(entry)))
        uncategorised = self.texts.format("more") if len(headings) > 1 else ""
        grouped = groupby(ordered, key=_first_category)
        return tuple(self._group(heading or uncategorised, members, width) for heading, members in grouped)

    def _group(self, heading: str, entries: Iterable[Entry], width: int) -> StoryGroup:
        stories = tuple(self.story(entry, width) for entry in entries)
        return StoryGroup(heading=heading, stories=stories, colour=stories[0].colour)


def _add_parameters(url: str, parameters: Mapping[str, str]) -> str:
    """Return a URL with parameters added to its query, before its fragment."""
    if not parameters:
        return url
    page, mark, fragment = url.partition("#")
    return f"{page}{'&' if '?' in page else '?'}{urlencode(parameters)}{mark}{fragment}"


def _first_category(entry: Entry) -> str:
    return entry.categories[0].label if entry.categories else ""
