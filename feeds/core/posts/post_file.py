"""The common part of parsing and rendering a post: values of its front matter, published text, HTML.

`feeds.core.posts.parse` reads every post file, `feeds.core.posts.render` only those that are shown or compared.
"""

import re
from collections.abc import Mapping
from itertools import zip_longest
from typing import NoReturn

from feeds.core.posts import dates, excerpts, languages, limits, markdown, mdx, passages, text
from feeds.core.posts.elements import escape_stray_tags, strip_title_tags
from feeds.core.posts.frontmatter import parse_source
from feeds.core.posts.notations.attributes import set_heading_ids
from feeds.core.posts.notations.convert import find_extensions, to_commonmark
from feeds.core.posts.notations.pelican import resolve_static
from feeds.core.posts.portable import make_portable
from feeds.core.posts.tags.expand import Expanded, expand_tags
from feeds.core.posts.tags.links import replace_links
from feeds.core.posts.tags.page import TagPage
from feeds.core.posts.tags.tokens import may_have_tags
from feeds.core.posts.vocabulary import Fields
from feeds.display import format_count
from feeds.errors import PostError
from feeds.settings import Settings

#: Characters for emphasis, a heading's marks and white space in a line that repeats the title.
_MARKS_OF_TITLE = 40
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_TRUE, _FALSE = frozenset({"true", "yes", "on", "1"}), frozenset({"false", "no", "off", "0"})


class PostFile:
    """One post file, and the warnings about it so far.

    Raises:
        PostError: it is not text, or its front matter is missing or broken.
    """

    def __init__(self, path: str, content: bytes, settings: Settings, links: Mapping[str, str] | None = None) -> None:
        self.path, self.settings = path, settings
        #: The addresses of the posts that this one links to.
        self.links = links or {}
        self.source = parse_source(path, content)
        folder, _, file_name = path.rpartition("/")
        #: The file's name without its extension.
        self.stem = file_name.rpartition(".")[0] or file_name
        self.language_in_name = languages.language_in_name(self.stem, self.source.body)
        name = self.stem.rpartition(".")[0] if self.language_in_name else self.stem
        #: The name without a language; of `index` that of the folder.
        self.name = folder.rpartition("/")[2] if name == "index" and folder else name
        self.is_html, self.is_mdx = (path.lower().endswith(extension) for extension in (".html", ".mdx"))
        # Docusaurus reads all its Markdown as MDX.
        self.is_mdx = self.is_mdx or (settings.posts.generator == "docusaurus" and not self.is_html)
        #: Whether Markdown of an unknown generator has JavaScript, which is removed when it is rendered.
        self.has_imports = (
            settings.posts.generator == "auto"
            and not (self.is_html or self.is_mdx)
            and mdx.begins_with_import(self.source.body)
        )
        self.fields = Fields(self.source.metadata)
        #: `path:line: …`, for people.
        self.warnings: list[str] = []

    @property
    def is_dated_by_name(self) -> bool:
        """Whether the date in the file name counts, although the front matter may have one."""
        return self.settings.posts.date_from == "file_name" and dates.has_possible_date(self.name)

    def reject(self, key: str, reason: str) -> NoReturn:
        """Raise a PostError at the line of *key*."""
        raise PostError(self.path, self.source.line_of(key), f"{key}: {reason}")

    def warn(self, key: str, reason: str) -> None:
        """Add a warning at the line of *key*."""
        self.warnings.append(f"{self.path}:{self.source.line_of(key)}: {key}: {reason}")

    # Values -----------------------------------------------------------------------------------------------------

    def read_line(self, meaning: str) -> str:
        """Return a value as one line of text that XML can carry; empty without a value."""
        key, value = self.fields.get(meaning)
        if value is None or isinstance(value, (bool, dict, list)):
            return ""
        if not str(value).isprintable() and markdown.first_illegal_xml(str(value)):
            self.warn(key, "contains characters that XML cannot carry; they are removed")
        return legal_line(str(value))

    def read_flag(self, meaning: str) -> bool | None:
        """Return a value as true or false; None without a value, or with one that is neither."""
        key, value = self.fields.get(meaning)
        if value is None or isinstance(value, bool):
            return value
        word = str(value).strip().lower()
        if word in _TRUE | _FALSE:
            return word in _TRUE
        self.warn(key, f"{value!r} is neither true nor false")
        return None

    def read_title(self) -> str:
        """Return the title, else the first heading, else the words in a dated name; a post without any is rejected."""
        title = (
            strip_title_tags(self.read_line("title"))
            or self._boolean_title()
            or self._heading()
            or self._title_in_name()
        )
        if not title:
            self.reject("title", "is missing; write one here or as a heading at the start of the text")
        self._warn_about_directions(title)
        return title

    def _warn_about_directions(self, title: str) -> None:
        """Warn of the first control of a title that would turn the text after it; it is left out where it is shown."""
        shown = text.balance_directions(title)
        if shown == title:
            return
        first = next(a for a, b in zip_longest(title, shown) if a != b)
        key, _ = self.fields.get("title")
        reason = f"contains U+{ord(first):04X}, which is invisible and could turn the text around it"
        self.warn(key, f"{reason}; it is left out of feeds, pages and letters")

    def _boolean_title(self) -> str:
        """Return a title such as `True` as it is written."""
        key, value = self.fields.get("title")
        written = re.search(rf"{re.escape(key)}[\"']?\s*[:=]\s*(true|false)\b", self.source.front, re.IGNORECASE)
        return written[1] if written and isinstance(value, bool) else ""

    def _heading(self) -> str:
        """Return the heading that begins the text, else the first one of the highest rank, as in Docusaurus."""
        body = self.source.body
        blocks = list(text.text_blocks(self.render(mdx.to_markdown(body) if self.is_mdx else body)))
        headings = [words for tag, words in blocks if tag == "h1"]
        if blocks and blocks[0][0] in _HEADINGS:
            headings.insert(0, blocks[0][1])
        return legal_line(headings[0]) if headings else ""

    def _title_in_name(self) -> str:
        """Return the words in the name of a dated file, each with a capital letter, as in Jekyll."""
        words = dates.strip_date(self.name)
        if words == self.name:
            return ""
        title = legal_line(" ".join(word.capitalize() for word in re.split("[-_ ]+", words)))
        self.warn("title", f"is missing; it is taken from the file name: {title!r}")
        return title

    # Text -------------------------------------------------------------------------------------------------------

    def published_body(self, title: str) -> str:
        """Return the Markdown that is published, or the HTML of an HTML post."""
        body = self.source.body
        if self.is_mdx:
            body = mdx.to_markdown(body)
        return body if self.is_html else self._merge_passages(strip_title(body, title))

    def _merge_passages(self, body: str) -> str:
        policy = self.settings.duplicates.passages
        if policy == "keep":
            return body
        merged = passages.merge_passages(body)
        if not merged.dropped:
            return body
        one, many = "repeated or cut sentence or separator", "repeated or cut sentences and separators"
        number = len(merged.dropped)
        if policy == "report":
            found = format_count(number, one, many)
            self.warnings.append(f"{self.path}: {found} would be removed, and stay (duplicates.passages)")
            return body
        removed = format_count(number, f"{one} is", f"{many} are")
        self.warnings.append(f"{self.path}: {removed} removed from the published text")
        return merged.markdown

    def strip_illegal(self, body: str) -> str:
        """Return *body* without characters that XML cannot carry, and warn of the first one."""
        if found := markdown.first_illegal_xml(self.source.body):
            line = self.source.body_line + self.source.body.count("\n", 0, found.start())
            self.warnings.append(
                f"{self.path}:{line}: U+{ord(found[0]):04X} is a character that XML cannot carry; it is removed",
            )
        return markdown.strip_illegal_xml(body)

    def expand(self, body: str, *, keep_unknown: bool | None = None) -> Expanded:
        """Return *body* without template tags; those that are not known are left out or kept, as the site has it."""
        if not may_have_tags(body, self.settings.posts.generator):
            return Expanded(body)
        keep = self.settings.posts.unknown_tags == "keep" if keep_unknown is None else keep_unknown
        return expand_tags(body, self._tag_page(), keep_unknown=keep)

    def _tag_page(self) -> TagPage:
        _, date = self.fields.get("date")
        return TagPage(
            settings=self.settings,
            metadata=self.source.metadata,
            is_bundle=self.path.rpartition("/")[2].startswith("index."),
            date=str(date or dates.date_in_path(self.path) or ""),
        )

    def line_of_text(self, written: str) -> int:
        """Return the line of a part of the body; the first line of the body if it is not in it."""
        at = self.source.body.find(written)
        return self.source.body_line + (self.source.body.count("\n", 0, at) if at > 0 else 0)

    def render(self, body: str, *, keep_unknown: bool | None = None) -> str:
        """Return the HTML of a whole body, without template tags.

        Raises:
            PostError: it is nested too deeply, many times as long as its Markdown, or beyond another limit.
        """
        if self.has_imports:
            body = mdx.to_markdown(body)
        body = resolve_static(self.expand(body, keep_unknown=keep_unknown).text, self.path, self.settings)
        if not self.is_html:
            body = to_commonmark(body, self.settings.posts, self.source.metadata)
        if not self.is_html and (excess := limits.excess_of_markdown(body)):
            raise PostError(self.path, self.source.body_line, excess)
        html = escape_stray_tags(self.to_html(body))
        if excess := limits.excess_of_html(html, body):
            raise PostError(self.path, self.source.body_line, excess)
        return replace_links(set_heading_ids(make_portable(html)), self.links)

    def to_html(self, source: str) -> str:
        """Return a part of the body as HTML for a web page, which it is already in an HTML post."""
        if self.is_html:
            return source
        separated = excerpts.separate_marks(source)
        extensions = find_extensions(separated, self.settings.posts)
        to_html = mdx.to_html if self.is_mdx or self.has_imports else markdown.to_html
        html = to_html(separated, extensions)
        return excerpts.mdx_marks_to_comments(html)


def legal_line(written: str) -> str:
    """Return *written* as one line of text that XML can carry."""
    line = text.clean_line(written)
    return (line if line.isprintable() else markdown.strip_illegal_xml(line)).strip()


def strip_title(body: str, title: str) -> str:
    """Return *body* without a first line, plain or as a heading, that repeats the title."""
    begun = body.lstrip()
    # Besides marks and white space, a title is written as itself, as entities, or with at most 4 characters for each of
    # its own (Unicode 16.0, NFC): a longer first line is something else, without any need to normalise it.
    if len(begun) > (end := 4 * len(title) + _MARKS_OF_TITLE) and "\n" not in begun[:end] and "&" not in begun[:end]:
        return body
    first, _, rest = begun.partition("\n")
    if _comparable(first.strip(" \t#")) != _comparable(title):
        return body
    below, _, after = rest.partition("\n")
    underlined = bool(below.strip()) and not below.strip().strip("=-")
    if underlined:
        return after.lstrip("\n")
    return rest.lstrip("\n") if first.startswith("#") or not below.strip() else body


def _comparable(line: str) -> str:
    return re.sub(
        r"\]\([^()\s]*\)|[*_`\[\]\s]+", "", text.normalize(strip_title_tags(text.clean_line(line)))
    ).casefold()
