"""The bytes of one file -> what a feed or letter shows of it: HTML, excerpt, reading time.

Rendering costs more than all of `feeds.core.posts.parse`, so only posts that are shown or compared are rendered.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

from feeds.core.posts import excerpts, markdown, text
from feeds.core.posts.post_file import PostFile
from feeds.model import Text
from feeds.settings import Settings

_WEB_SCHEME = re.compile(r"https?:(?=//)", re.IGNORECASE)


def render_post(path: str, content: bytes, settings: Settings, links: Mapping[str, str] | None = None) -> Text:
    """Return the HTML, excerpt and reading time of the post in *content*.

    *links* are the addresses of the posts that it links to, by the targets in `Post.links`.

    Raises:
        PostError: the file cannot be used, or its HTML is beyond the limits of `PostFile.render`.
    """
    return _PostRenderer(path, content, settings, links).make_text()


class ComparisonText(NamedTuple):
    """What of a post is compared with others."""

    #: Normalised.
    plain: str
    #: Addresses of embedded audio, video and pages, without `https:`, of which there is nothing in the plain text.
    players: frozenset[str]


def comparison_text(path: str, content: bytes, settings: Settings) -> ComparisonText:
    """Return the text and the players of the post in *content*, for comparison with others.

    Raises:
        PostError: as for `render_post`.
    """
    html = _render_body(path, content, settings)
    urls = (_WEB_SCHEME.sub("", url) for url in markdown.player_urls(html))
    return ComparisonText(text.normalize(text.text_content(html)), frozenset(urls))


def plain_paragraphs(path: str, content: bytes, settings: Settings) -> list[str]:
    """Return the blocks of plain text of the post in *content*.

    Raises:
        PostError: as for `render_post`.
    """
    return [block for _, block in text.text_blocks(_render_body(path, content, settings))]


def _render_body(path: str, content: bytes, settings: Settings) -> str:
    file = PostFile(path, content, settings)
    return file.render(file.published_body(file.read_title()))


class _PostRenderer(PostFile):
    """Makes the `Text` of a post."""

    def make_text(self) -> Text:
        """Return the text with only the warnings that `parse_post` has not given."""
        body = self.strip_illegal(self.published_body(self.read_title()))
        html = self.render(body)
        keeps_tags = self.settings.posts.unknown_tags == "keep" and self.expand(body).unknown
        html_without_tags = self.render(body, keep_unknown=False) if keeps_tags else html
        self.warnings.clear()
        return Text(
            html=html,
            excerpt=markdown.strip_illegal_xml(self.make_excerpt(html_without_tags)),
            reading_minutes=self.reading_minutes(text.text_content(html)),
            warnings=tuple(self.warnings),
        )

    def make_excerpt(self, html: str) -> str:
        """Return the excerpt in the front matter, else the text before `<!--more-->`, else the first sentences."""
        description = self.expand(self.read_line("excerpt"), keep_unknown=False).text
        described = excerpts.excerpt_of_description(description) if description else ""
        return described or excerpts.excerpt_of_text(html)

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
