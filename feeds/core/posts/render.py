"""The bytes of one file -> what a feed or letter shows of it: HTML, excerpt, reading time.

Rendering costs more than all of `feeds.core.posts.parse`, so only posts that are shown or compared are rendered.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from feeds.core.posts import excerpts, markdown, parse, text
from feeds.core.posts.file_addresses import FileAddresses, resolve_files
from feeds.core.posts.footnotes import unlink_footnotes
from feeds.core.posts.post_file import PostFile
from feeds.display import format_count
from feeds.model import Post, Text
from feeds.settings import Settings

if TYPE_CHECKING:
    from feeds.core.posts.built.words import OwnText

_WEB_SCHEME = re.compile(r"https?:(?=//)", re.IGNORECASE)


class Page(NamedTuple):
    """The page of a post in the built site."""

    #: Relative to the folder of the built site.
    path: str
    content: bytes


def render_post(
    path: str, content: bytes, settings: Settings, page: Page | None = None, links: Mapping[str, str] | None = None
) -> Text:
    """Return the HTML, excerpt and reading time of the post in *content*: of its text in *page*, if there is one.

    *links* are the addresses of the posts that it links to, by the targets in `Post.links`.

    Raises:
        PostError: the file cannot be used, or its HTML is beyond the limits of `PostFile.render`.
    """
    return _PostRenderer(path, content, settings, links).make_text(page)


class ComparisonText(NamedTuple):
    """What of a post is compared with others."""

    #: Normalised.
    plain: str
    #: Addresses of embedded audio, video and pages, without `https:`, of which there is nothing in the plain text.
    players: frozenset[str]


def comparison_text(path: str, content: bytes, settings: Settings, page: Page | None = None) -> ComparisonText:
    """Return the text and the players of the post in *content*, for comparison with others.

    Raises:
        PostError: as for `render_post`.
    """
    html = _render_body(path, content, settings, page)
    urls = (_WEB_SCHEME.sub("", url) for url in markdown.player_urls(html))
    return ComparisonText(text.normalize(text.text_content(html)), frozenset(urls))


def plain_paragraphs(path: str, content: bytes, settings: Settings, page: Page | None = None) -> list[str]:
    """Return the blocks of plain text of the post in *content*.

    Raises:
        PostError: as for `render_post`.
    """
    return [block for _, block in text.text_blocks(_render_body(path, content, settings, page))]


def _render_body(path: str, content: bytes, settings: Settings, page: Page | None) -> str:
    file = _PostRenderer(path, content, settings)
    return unlink_footnotes(file.shown_html(file.published_body, page))


class _PostRenderer(PostFile):
    """Makes the `Text` of a post."""

    #: Why the text is not taken from the post's page; empty if it is, or if there is no page.
    page_problem = ""
    #: The words by which the text was found in the page; None if it was not.
    _own: "OwnText | None" = None
    #: As they are written.
    unknown_files: Sequence[str] = ()

    def __init__(self, path: str, content: bytes, settings: Settings, links: Mapping[str, str] | None = None) -> None:
        super().__init__(path, content, settings, links)
        self._content = content

    def make_text(self, page: Page | None) -> Text:
        """Return the text with only the warnings that `parse_post` has not given."""
        html = self.shown_html(lambda title: self.strip_illegal(self.published_body(title)), page)
        plain_html = unlink_footnotes(html)
        html_without_tags = plain_html if self._own else unlink_footnotes(self._without_kept_tags(plain_html))
        self.warnings.clear()
        self.warn_about_files()
        return Text(
            html=html,
            excerpt=markdown.strip_illegal_xml(self.make_excerpt(html_without_tags)),
            reading_minutes=self.reading_minutes(text.text_content(plain_html)),
            warnings=tuple(self.warnings),
            page_problem=self.page_problem,
        )

    def _without_kept_tags(self, html: str) -> str:
        """Return *html* without the template tags that the site keeps: they never stand in an excerpt."""
        if self.settings.posts.unknown_tags != "keep":
            return html
        body = self.strip_illegal(self.published_body(self.read_title()))
        return self.render(body, keep_unknown=False) if self.expand(body).unknown else html

    def shown_html(self, body: Callable[[str], str], page: Page | None) -> str:
        """Return the HTML of the text in *page*; without a page, or if the text is not found there, that of *body*.

        *body* returns the Markdown that is published, given the title.
        """
        title = self.read_title()
        if page is not None:
            from feeds.core.posts.built import content, own_text

            own = own_text.own_text(self, title)
            found = content.extract_content(page.content, own, self.settings.posts.content_selector)
            if not found.problem:
                self._own = own
                return found.html
            self.page_problem = f"{page.path}: {found.problem}"
        addresses = FileAddresses(self.settings, self.path, self._page_url)
        html, self.unknown_files = resolve_files(self.render(body(title)), addresses)
        return html

    def _page_url(self) -> str:
        """Return the URL of the post's page; empty if it has none. Few texts need it."""
        post = parse.parse_post(self.path, self._content, self.settings)
        return post.url if isinstance(post, Post) else ""

    def warn_about_files(self) -> None:
        """Warn of the files that the text names and whose addresses only the built site knows."""
        if not self.unknown_files:
            return
        first, *others = dict.fromkeys(self.unknown_files)
        more = f", and {format_count(len(others), 'more file')}" if others else ""
        self.warnings.append(
            f"{self.path}:{self.line_of_text(first)}: {first[:60]!r}{more} has an address that only the built site"
            " knows; it is left out: set posts.rendered, or move it to the folder of static files"
        )

    def make_excerpt(self, html: str) -> str:
        """Return the excerpt in the front matter, else the text before `<!--more-->`, else the first sentences."""
        description = self.expand(self.read_line("excerpt"), keep_unknown=False).text
        described = excerpts.excerpt_of_description(description) if description else ""
        own = self._own
        above = excerpts.excerpt_up_to(html, own.ends_excerpt) if own and own.source.above_mark else ""
        return described or above or excerpts.excerpt_of_text(html)

    def reading_minutes(self, plain: str) -> int:
        """Return the minutes in the front matter if it names any, else those that *plain* takes."""
        speed = self.settings.posts.reading
        counted = text.reading_minutes(plain, speed.words_per_minute, speed.cjk_characters_per_minute)
        key, value = self.fields.get("reading_time")
        if value is None:
            return counted
        number = re.match(r"\s*(\d{1,4})(?!\d)", str(value))
        declared = int(number[1]) if number else 0
        if declared < 1:
            self.warn(key, f"{value!r} is not a number of minutes; the text takes {counted}")
            return counted
        if declared != counted:
            self.warn(key, f"says {declared} min, the text takes {counted}; the post's own is used")
        return declared
