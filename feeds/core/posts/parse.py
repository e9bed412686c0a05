"""The bytes of one file -> a `Post`, or the reason why it is not one.

Every post file is read this far. Its HTML is made only for posts that are shown (`feeds.core.posts.render`).
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, TypeGuard
from urllib.parse import quote

from feeds.config_types import Language
from feeds.core.posts import dates, limits, media, rules, sketch, text
from feeds.core.posts.addresses import PostAddress
from feeds.core.posts.authors import clean, parse_author
from feeds.core.posts.episodes import read_episode
from feeds.core.posts.file_addresses import FileAddresses
from feeds.core.posts.post_file import PostFile
from feeds.core.posts.tags.expand import Unknown
from feeds.core.posts.tags.fragments import POST_SCHEME
from feeds.core.posts.tags.links import find_links
from feeds.core.posts.urls import below_site, is_uri, move_to_site, quote_url, resolve_url, slugify
from feeds.core.posts.vocabulary import normal_key
from feeds.errors import PostError
from feeds.model import (
    Author,
    Enclosure,
    Episode,
    Image,
    OriginalFeed,
    Post,
    PostLink,
    PostOutcome,
    PostStatus,
    UnknownTag,
)
from feeds.settings import Settings

#: A larger file is not read.
MOST_BYTES = 10_000_000
#: So many keys that occur twice are named.
_MOST_WARNED = 100
#: What is written but not shown: targets of links, tags of elements, addresses.
_UNSHOWN = re.compile(r"(?<=\])\([^()\n]*\)|<[^<>]*>|https?://\S+")
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:|//")
#: Liquid, Nunjucks, EJS or JavaScript in an address.
_TEMPLATE = re.compile(r"{[{%]|<%|\${")
#: The generators that take an address of `false` for none.
_FALSE_IS_NOTHING = frozenset({"jekyll", "hexo"})
_MOVE_FILE = "move it to the folder of static files"
#: Values of `published`, where `0` may be a date, and of `status`.
_NOT_LIVE, _NOT_PUBLIC = frozenset({"false", "no", "off"}), frozenset({"draft", "hidden", "private", "skip"})


def parse_post(path: str, content: bytes, settings: Settings) -> Post | PostOutcome:
    """Return the post in *content*; a `PostOutcome` for a draft that is too incomplete to be a post.

    Raises:
        PostError: the file cannot be used; the reason is for people.
    """
    try:
        return _PostParser(path, content, settings).parse()
    except PostError:
        if _is_in_drafts(path):
            return PostOutcome(path=path, status=PostStatus.DRAFT, reason="draft")
        raise


def _is_in_drafts(path: str) -> bool:
    """Return whether a file is in a folder for drafts, as Jekyll and Hexo have it; a draft may have no date yet."""
    return "_drafts" in path.split("/")[:-1]


class _PostParser(PostFile):
    """Reads the values of a `Post`, each by its keys."""

    def parse(self) -> Post | PostOutcome:
        draft = self.is_draft()
        try:
            return self.build_post(draft=draft)
        except PostError:
            if draft:
                return PostOutcome(path=self.path, status=PostStatus.DRAFT, reason="draft")
            raise

    def build_post(self, *, draft: bool) -> Post:
        self.warn_about_keys()
        title, lang, published = self.read_title(), str(self.read_language()), self.read_published()
        slug = self.read_slug()
        categories = self.read_names("categories")
        address = PostAddress(self, published=published, title=title, slug=slug, lang=lang, categories=categories)
        url = self.read_url(address)
        before_text = len(self.warnings)
        body = self.published_body(title)
        data = body.encode()
        normalized = sketch.normalize_bytes(data)
        if sketch.has_illegal_xml(normalized):
            body = self.strip_illegal(body)
            data = body.encode()
            normalized = sketch.normalize_bytes(data)
        expanded = self.expand(body)
        text_warnings = tuple(self.warnings[before_text:])
        if limits.may_be_pathological(data):
            self.render(body)  # for its limits only
        enclosures = self.read_enclosures(url)
        return Post(
            path=self.path,
            title=title,
            published=published,
            updated=self.read_date("updated"),
            expires=self.read_date("expires"),
            draft=draft,
            lang=lang,
            slug=slug,
            url=url,
            declared_id=self.read_id(),
            external_url=self.read_target(url),
            canonical=self.read_page_url("canonical", url),
            source=self.read_original_feed(url),
            rights=self.read_line("rights"),
            authors=self.read_authors(),
            categories=categories,
            tags=self.read_names("tags"),
            rule_tags=self.find_rule_tags(title, body),
            image=self.read_image(url),
            enclosures=enclosures,
            episode=self.read_episode(enclosures, url) if enclosures else None,
            text_digest=sketch.text_digest(normalized),
            text_size=len(normalized),
            sketch=sketch.make_sketch(normalized),
            digits_hash=sketch.digits_hash(data),
            feed=self.read_flag("feed") is not False,
            newsletter=self.read_flag("newsletter"),
            featured=self.read_flag("featured") is True,
            hold_until=self.read_date("hold"),
            warnings=tuple(self.warnings),
            text_warnings=text_warnings,
            unknown_tags=self.first_of_each_kind(expanded.unknown),
            links=self.locate_links(find_links(expanded.text, has_tags=expanded.text is not body)),
        )

    def first_of_each_kind(self, unknown: Sequence[Unknown]) -> tuple[UnknownTag, ...]:
        """Return the first template tag of each kind that cannot be rendered; reject the post if the site asks."""
        if unknown and self.settings.posts.unknown_tags == "reject":
            reason = f"{unknown[0].kind} is a template tag that cannot be rendered (posts.unknown_tags)"
            raise PostError(self.path, self.line_of_text(unknown[0].written), reason)
        first = {tag.kind: tag.written for tag in reversed(unknown)}
        return tuple(UnknownTag(kind=kind, line=self.line_of_text(first[kind])) for kind in dict(unknown))

    def locate_links(self, targets: Iterable[str]) -> tuple[PostLink, ...]:
        """Return links to other posts with the lines that they are on."""
        found = ((target.removeprefix(POST_SCHEME), target.startswith(POST_SCHEME)) for target in targets)
        return tuple(PostLink(target=t, line=self.line_of_text(t), by_tag=by_tag) for t, by_tag in found)

    def warn_about_keys(self) -> None:
        for key in self.source.repeated_keys[:_MOST_WARNED]:
            self.warn(key, "occurs twice; the last value counts")
        for written, known in self.fields.misspelled():
            self.warn(written, f"is not a known key; did you mean `{known}`?")

    def is_draft(self) -> bool:
        """Return whether the post is not to be announced: `draft: true`, `published: false`, in `_drafts`, …."""
        if self.read_flag("draft") is True or self.read_flag("unlisted") is True or _is_in_drafts(self.path):
            return True
        if self.has_no_page():
            return True
        return self.read_word("live") in _NOT_LIVE or self.read_word("status") in _NOT_PUBLIC

    def has_no_page(self) -> bool:
        """Return whether Eleventy writes no page for the post; to Jekyll and Hexo, `false` is not an address."""
        key, value = self.fields.get("url")
        if normal_key(key) != "permalink" or self.settings.posts.generator in _FALSE_IS_NOTHING:
            return False
        return value is False or (isinstance(value, dict) and value.get("build") is False)

    def read_word(self, meaning: str) -> str:
        _, value = self.fields.get(meaning)
        return "" if value is None else str(value).strip().lower()

    def read_language(self) -> str:
        """Return the language of the key, else of the file name (`x.ja.md`), else of the site."""
        key, value = self.fields.get("lang")
        if value is not None:
            try:
                return Language.parse(str(value))
            except ValueError as e:
                self.warn(key, f"{e}; the site's language is used")
        return self.language_in_name or self.settings.site.language

    # Dates ------------------------------------------------------------------------------------------------------

    def read_date(self, meaning: str) -> datetime | None:
        key, value = self.fields.get(meaning)
        if value is None:
            return None
        try:
            return self.parse_date(key, value)
        except ValueError as e:
            self.warn(key, f"{e}; it is ignored")
            return None

    def parse_date(self, key: str, value: Any) -> datetime:
        """Return a value as a date; a doubtful zone or an impossible offset is a warning.

        Raises:
            ValueError: it is not a date; the reason is for people.
        """
        date, doubt = dates.read_date(str(value), self.settings.site.timezone)
        if doubt:
            self.warn(key, doubt)
        self.warn_about_offset(key, date)
        return date

    def warn_about_offset(self, key: str, date: datetime) -> None:
        if dates.has_impossible_offset(date):
            self.warn(key, f"no place on earth is as far from UTC as {date:%z}; feeds give the time in UTC")

    def read_published(self) -> datetime:
        """Return the date of the key, else of `path` or `url`, of the file name, of the folder.

        With `posts.date_from = "file_name"` a date in the file name counts first.
        """
        key, value = self.fields.get("date")
        if self.is_dated_by_name:
            date = dates.parse_date(self.name[: dates.DAY], self.settings.site.timezone)
            return max(date, self.read_date("embargo") or date)
        in_path = dates.date_in_path(self.path)
        if value is not None:
            try:
                date = self.parse_date(key, value)
            except ValueError as e:
                self.reject(key, str(e))
            self.compare_with_path(key, date, in_path)
            return max(date, self.read_date("embargo") or date)  # as in Hugo: not before either of the two
        address = self.fields.get("url")
        written = (None if self.is_link(*address) else dates.date_in_path(str(address[1] or ""))) or in_path
        if not written:
            self.reject("date", "is missing from the front matter and from the names of the file and its folder")
        try:
            return dates.parse_date(written, self.settings.site.timezone)
        except ValueError as e:
            raise PostError(self.path, None, f"the only date is in the file name: {e}") from None

    def compare_with_path(self, key: str, date: datetime, in_path: str | None) -> None:
        if in_path is None:
            return
        try:
            other = dates.parse_date(in_path, date.tzinfo or self.settings.site.timezone)
        except ValueError as e:
            self.warn(key, f"is {date:%Y-%m-%d}, but the file name has an {e}")
            return
        if abs((date.date() - other.date()).days) > 1:
            self.warn(key, f"is {date.date()}, but the file name says {other.date()}")

    # Addresses --------------------------------------------------------------------------------------------------

    def read_slug(self) -> str:
        key, value = self.fields.get("slug")
        if value is None or isinstance(value, (bool, dict, list)) or not str(value).strip(" /"):
            return slugify(dates.strip_date(self.name)) or "post"
        return self.check_path(key, str(value)).strip("/").rpartition("/")[2]

    def check_path(self, key: str, value: str) -> str:
        """Return a slug or URL path from the front matter; reject one that leads out of the site."""
        if ".." in value.replace("\\", "/").split("/") or text.CONTROL.search(value) or "\\" in value:
            self.reject(key, f"{value!r} leads out of the site; write a plain name")
        return value

    def read_url(self, address: PostAddress) -> str:
        """Return the URL in the front matter if it is on the site, else the one that `posts.permalink` gives."""
        key, value = self.fields.get("url")
        if isinstance(value, str) and value.strip() and not self.is_link(key, value):
            written = self.check_path(key, value.strip())
            try:
                return self.own_url(key, written, address)
            except ValueError as e:
                self.warn(key, f"{value!r} {e}; posts.permalink is used instead")
        return self.settings.site.url + address.from_settings().lstrip("/")

    def own_url(self, key: str, written: str, address: PostAddress) -> str:
        """Return the URL that the front matter names.

        Raises:
            ValueError: it is not on the site, or cannot be known; the reason is for people.
        """
        site = self.settings.site.url
        if _TEMPLATE.search(written):
            raise ValueError("is a template, which only your site generator can fill in")
        if not _ABSOLUTE.match(written):
            written = site + address.from_front_matter(normal_key(key), written).lstrip("/")
        url = resolve_url(site, written)
        if url is None or (url := move_to_site(url, site)) is None:
            raise ValueError(f"is not an address on {site}")
        return url

    def is_link(self, key: str, value: Any) -> bool:
        """Return whether *key* is `url` with a page of another site; `permalink` and `path` always mean this page."""
        if normal_key(key) != "url" or not isinstance(value, str) or not _ABSOLUTE.match(value.strip()):
            return False
        url = resolve_url(self.settings.site.url, value.strip())
        return url is not None and move_to_site(url, self.settings.site.url) is None

    def read_target(self, url: str) -> str | None:
        """Return the URL of the page that a link post is about; None for other posts."""
        key, value = self.fields.get("target")
        is_own_address = normal_key(key) == "url" and not self.is_link(key, value)
        return None if is_own_address else self.read_page_url("target", url)

    def resolve(self, url: str, written: str) -> str | None:
        """Return an address in the front matter of the page *url* as an absolute one; None if it is none."""
        return resolve_url(url, below_site(written, self.settings.site.url))

    def resolve_file(self, key: str, url: str, written: str) -> str | None:
        """Return the address of a file in the front matter of the page *url*; None, and a warning, if it is none."""
        address = FileAddresses(self.settings, self.path, lambda: url).find(written)
        if address is None:
            self.warn(
                key, f"{written[:60]!r} has an address that only the built site knows; it is ignored: {_MOVE_FILE}"
            )
            return None
        found = self.resolve(url, address)
        if found is None:
            self.warn(key, f"{written[:60]!r} is not the web address of a file; it is ignored")
        return found

    def read_id(self) -> str | None:
        """Return the post's own id as a URI (RFC 4287 section 4.2.6); one that is not a URI inside a `tag:` URI."""
        written = self.read_line("id")
        if not written or is_uri(written):
            return quote_url(written) or None
        return f"tag:{self.settings.site.authority}:id/{quote(written, safe='/-._~')}"

    def read_page_url(self, meaning: str, url: str) -> str | None:
        """Return the absolute URL of another page; None if there is none, or it is this page's own."""
        key, value = self.fields.get(meaning)
        first = value[0] if isinstance(value, list) and value else value
        if not isinstance(first, str) or not first.strip():
            return None
        written = first.strip()
        found = self.resolve(url, written) if written.lower().startswith(("http://", "https://", "/")) else None
        if found is None:
            self.warn(key, f"{written[:60]!r} is not a web address; it is ignored")
        return None if found == url else found

    def read_original_feed(self, url: str) -> OriginalFeed | None:
        """Return the feed that the post comes from: a mapping with `title` and `url`; a name alone is not enough."""
        _, value = self.fields.get("source")
        if not isinstance(value, dict):
            return None
        title, written = clean(value.get("title") or value.get("name")), clean(value.get("url"))
        found, id_ = resolve_url(url, written) if written else None, clean(value.get("id"))
        if not title or not found:
            return None
        return OriginalFeed(title=title, url=found, id=quote_url(id_) if is_uri(id_) else None)

    def read_image(self, url: str) -> Image | None:
        key, value = self.fields.get("image")
        written = media.picture_address(value)
        if written is None:
            return None
        found = self.resolve_file(key, url, written)
        return Image(url=found, alt=self.read_line("image_alt")) if found else None

    def read_enclosures(self, url: str) -> tuple[Enclosure, ...]:
        """Return the files that belong to the post, each once."""
        found: dict[str, Enclosure] = {}
        for key, value in self.fields.each("enclosures"):
            for fields in media.normalize_enclosures([value]):
                if (enclosure := self.read_enclosure(key, fields, url)) is not None:
                    found.setdefault(enclosure.url, enclosure)
        return tuple(found.values())

    def read_episode(self, enclosures: tuple[Enclosure, ...], url: str) -> Episode | None:
        """Return what podcast apps show of the post."""
        return read_episode(self.fields, enclosures, lambda written: self.resolve(url, written), self.warn)

    def read_enclosure(self, key: str, fields: Mapping[str, Any], url: str) -> Enclosure | None:
        written = fields["url"]
        if written is None:
            self.warn(key, "has no file address; write it as `url`")
            return None
        if not isinstance(written, str) or not re.search(r"[./]", written):  # a bare word is a player's id
            self.warn(key, f"{str(written)[:60]!r} is not the web address of a file; it is ignored")
            return None
        found = self.resolve_file(key, url, written.strip())
        if found is None:
            return None
        media_type = media.declared_media_type(fields) or media.guess_media_type(found)
        if media_type is None:
            self.warn(key, f"{written.strip()[:60]!r} has no known media type; write `type`, such as audio/mpeg")
        return Enclosure(
            url=found,
            type=media_type,
            length=media.parse_length(fields),
            seconds=self.read_duration(key, fields),
            title=clean(fields.get("title")),
        )

    def read_duration(self, key: str, fields: Mapping[str, Any]) -> int | None:
        """Return the seconds that an enclosure takes: its own duration, else that of the post."""
        written = (key, fields.get("duration"))
        if written[1] is None:
            written = self.fields.get("duration")
        seconds = media.parse_duration(written[1])
        if seconds is None and written[1] is not None and str(written[1]).strip(" 0:"):
            self.warn(written[0], f"{str(written[1])[:40]!r} is not a duration; write, for example, 31:07 or 1:02:03")
        return seconds

    # Lists ------------------------------------------------------------------------------------------------------

    def read_names(self, meaning: str) -> tuple[str, ...]:
        """Return categories or tags in their order, each once, however they were written."""
        is_spaced = self.settings.posts.generator == "jekyll"
        names = [
            name
            for key, value in self.fields.each(meaning)
            for name in (value.split() if is_spaced and _is_words(key, value) else _list_names(value))
        ]
        for name in names:
            if not name.isprintable() and text.CONTROL.search(name):
                key, _ = self.fields.get(meaning)
                reason = f"{name!r} contains a line break or control character; a feed and a folder get this name"
                self.reject(key, reason)
        return tuple(dict.fromkeys(filter(None, map(_clean_name, names))))

    def read_authors(self) -> tuple[Author, ...]:
        """Return the authors, each once; the site's author if the post names none."""
        _, value = self.fields.get("authors")
        site = self.settings.site
        written = value if isinstance(value, list) else [value]
        authors = [author for one in written if (author := parse_author(one, site.url))]
        return tuple(dict.fromkeys(authors)) or ((Author(name=site.author),) if site.author else ())

    def find_rule_tags(self, title: str, body: str) -> tuple[str, ...]:
        """Return the tags that the site's rules find in the title and the shown text."""
        given = self.settings.tags.rules
        return rules.tags_in(f"{title}\n{_UNSHOWN.sub(' ', body)}", given) if given else ()


@lru_cache(maxsize=20_000)
def _clean_name(written: str) -> str:
    """Return the name of a category or tag as one line; thousands of posts carry the same few."""
    return text.clean_line(written)


def _list_names(value: Any) -> Iterable[str]:
    """Return the names in a value: a list, Hexo's list of lists, a comma-separated string or a number."""
    if isinstance(value, dict):
        return []
    if isinstance(value, list):
        names = (name for inner in value for name in (inner if isinstance(inner, list) else [inner]))
        return [_as_word(name) for name in names if name is not None and not isinstance(name, (dict, list))]
    return _as_word(value).split(",")


def _is_words(key: str, value: Any) -> TypeGuard[str]:
    """Return whether Jekyll separates a value by spaces: a text under a plural key; one with commas is meant otherwise.

    Source: `pluralized_array_from_hash` in Jekyll's lib/jekyll/utils.rb.
    """
    return isinstance(value, str) and "," not in value and normal_key(key) in {"tags", "categories"}


def _as_word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
