"""The bytes of one file -> a `Post`, or the reason why it is none."""

import posixpath
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, NoReturn
from urllib.parse import quote, urljoin, urlsplit

from feeds.config_types import Language
from feeds.core.posts import dates, frontmatter, markdown, media, passages, rules, sketch, text
from feeds.core.posts.vocabulary import Fields
from feeds.errors import PostError
from feeds.model import Author, Enclosure, Image, OriginalFeed, Post, PostOutcome, PostStatus, Text
from feeds.settings import Settings

#: A larger file is no post.
MOST_BYTES = 10_000_000
#: In bytes: a file name takes 255, and a number may follow.
LONGEST_SLUG = 200
#: Deeper, and no reader could show it.
MOST_NESTED = 200
#: Tables fill up missing cells: some kilobytes of Markdown can become gigabytes.
_MOST_GROWTH = 20
_ALWAYS_SHOWN = 500_000
#: Byte order marks that a post may begin with, and the encoding that each tells.
BOMS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
_BOM_STARTS = frozenset(mark[:1] for mark, _ in BOMS)
#: Characters for emphasis, a heading's marks and white space in a line that says the title again.
_MARKS_OF_TITLE = 40
_MORE = re.compile(r"<!--\s*(?:more|truncate)\s*-->|{/\*\s*truncate\s*\*/}", re.IGNORECASE)
_TEMPLATE_TAGS = re.compile(r"{{[<%]|{%-?\s*\w+|{{-?\s*(?:site|page|post|\.[A-Z])\b")
#: Modules that an MDX page imports or exports before its first paragraph.
_MDX_MODULES = re.compile(r"\s*(?:(?:import|export)\s(?:[^\n]+\n)+\s*)+")
#: Of a link, an element, an address: what is written and not shown.
_LINK_TARGET = re.compile(r"(?<=\])\([^()\n]*\)|<[^<>]*>|https?://\S+")
_COMPOUND = (dict, list)
#: Its comments (MDX 2 has no HTML ones) but the one where an excerpt ends, and components whose names are no elements
#: to CommonMark or such as hold no Markdown (section 4.6, kind 1); code comes first, as it may hold anything.
_MDX_ONLY = re.compile(
    r"(?P<code>^[ \t>]*(?P<fence>`{3,}|~{3,}).*?(?:^[ \t>]*(?P=fence)|\Z)|(?<!`)(?P<ticks>`++)[^`]++(?P=ticks))"
    r"|{/\*(?!\s*truncate\s*\*/})(?:(?!{/\*).)*?\*/}"
    r"|(?P<tag>(?<!\\)</?)(?:Pre|Script|Style|Textarea|[A-Z]\w*(?:\.\w+)+)(?=[\s/>])",
    re.MULTILINE | re.DOTALL,
)
#: A tag of its components, in HTML: in JSX a capital tells them from elements, in HTML `<Script />` would be one.
_MDX_COMPONENT = re.compile(r"""</?[A-Z](?:[^<>"']|"[^"<]*"|'[^'<]*')*+>""")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")
#: What may stand in an address as it is (RFC 3986 section 2.2), and the sign of what is encoded already.
_IN_ADDRESSES = "%/:=&?~#+!$,;'@()*[]"
#: RFC 3986 section 3.1.
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S")
#: As far as a feed cares (RFC 4287 section 3.2.3).
_MAIL_ADDRESS = re.compile(r"[^\s@<>]+@[^\s@<>]+\Z")
_YES, _NO = frozenset({"true", "yes", "on", "1"}), frozenset({"false", "no", "off", "0"})
#: Of `published`, where `0` is no answer; and of `status`.
_NOT_LIVE, _NOT_PUBLIC = _NO - {"0"}, frozenset({"draft", "hidden", "private", "skip"})
_UNSAFE_IN_SLUG = re.compile(r"[\s/\\?#%<>\"'`|{}^\[\]:;=&+,!*()$@~]+")
_LANGUAGE_IN_NAME = re.compile(r"\.([A-Za-z]{2,3}(?:[-_][A-Za-z]{2,4})?)$")


def parse_post(path: str, content: bytes, settings: Settings) -> Post | PostOutcome:
    """Return the post in *content*; a `Verdict` when it is a draft that is not complete enough to be a post.

    Nothing is rendered: that is `shown`'s work, for the few posts that need it.

    Raises:
        PostError: the file cannot be used; the reason is for people.
    """
    return _parser(path, content, settings).post()


def render_post(path: str, content: bytes, settings: Settings) -> Text:
    """Return what the post in *content* says, rendered.

    Raises:
        PostError: the file cannot be used, or a few lines of it become more HTML than anybody could show.
    """
    return _parser(path, content, settings).text()


def comparison_text(path: str, content: bytes, settings: Settings) -> str:
    """Return the normalised plain text of the post in *content*, as texts are compared.

    Raises:
        PostError: as for `shown`.
    """
    return text.normalize(text.text_content(_rendered(path, content, settings)))


def plain_paragraphs(path: str, content: bytes, settings: Settings) -> list[str]:
    """Return the blocks of plain text of the post in *content*.

    Raises:
        PostError: as for `shown`.
    """
    return [found for _, found in text.text_blocks(_rendered(path, content, settings))]


def _rendered(path: str, content: bytes, settings: Settings) -> str:
    reader = _parser(path, content, settings)
    return reader.rendered(reader.body(reader.title()))


def _parser(path: str, content: bytes, settings: Settings) -> "_PostParser":
    return _PostParser(path, parse_source(path, content), settings)


def parse_source(path: str, content: bytes) -> frontmatter.FrontMatterSource:
    """Return the front matter and the text in *content*, as they are written.

    Raises:
        PostError: it is not text, or has no front matter that can be read.
    """
    return frontmatter.split_front_matter(_text(path, content), path)


def _text(path: str, content: bytes) -> str:
    """Return *content* as text with line feeds only."""
    mark, encoding = b"", "utf-8"
    if content[:1] in _BOM_STARTS:
        mark, encoding = next(((m, e) for m, e in BOMS if content.startswith(m)), (mark, encoding))
    unmarked = content.removeprefix(mark)
    try:
        found = unmarked.decode(encoding)
    except UnicodeDecodeError as e:
        line = unmarked[: e.start].decode(encoding).count("\n") + 1
        raise PostError(path, line, f"is not text: {e.reason} at byte {e.start} ({encoding})") from None
    if b"\0" in content and "\0" in found:  # UTF-16 is full of zero bytes
        raise PostError(path, found.count("\n", 0, found.index("\0")) + 1, "is not text: it holds a NUL byte")
    return found.replace("\r\n", "\n").replace("\r", "\n") if b"\r" in content else found


class _PostParser:
    """One file on its way to become a post."""

    def __init__(self, path: str, source: frontmatter.FrontMatterSource, settings: Settings) -> None:
        self.path, self.source, self.settings = path, source, settings
        name = path.rpartition("/")[2]
        #: The file's name without its ending.
        self.stem = name.rpartition(".")[0] or name
        self.is_html, self.is_mdx = (path.lower().endswith(ending) for ending in (".html", ".mdx"))
        self.fields = Fields(source.metadata)
        self.warnings: list[str] = []

    def post(self) -> Post | PostOutcome:
        draft = self.is_draft()
        try:
            return self.complete(draft=draft)
        except PostError:
            if draft:
                return PostOutcome(path=self.path, status=PostStatus.DRAFT, reason="draft")
            raise

    def complete(self, *, draft: bool) -> Post:
        self.warn_about_keys()
        title, lang, published = self.title(), str(self.lang()), self.published()
        slug = self.slug()
        categories = self.names("categories")
        url = self.url(published, slug, lang, categories)
        body = self.body(title)
        data = body.encode()
        squeezed = sketch.normalize_bytes(data)
        if sketch.has_illegal_xml(squeezed):
            body = self.without_illegal(body)
            data = body.encode()
            squeezed = sketch.normalize_bytes(data)
        if markdown.may_be_pathological(data):
            self.rendered(body)
        return Post(
            path=self.path,
            title=title,
            published=published,
            updated=self.moment("updated"),
            expires=self.moment("expires"),
            draft=draft,
            lang=lang,
            slug=slug,
            url=url,
            declared_id=self.own_id(),
            external_url=self.address("target", url),
            canonical=self.address("canonical", url),
            source=self.feed_of_origin(url),
            rights=self.line("rights"),
            authors=self.authors(),
            categories=categories,
            tags=self.names("tags"),
            rule_tags=self.rule_tags(title, body),
            image=self.image(url),
            enclosures=self.enclosures(url),
            text_digest=sketch.text_digest(squeezed),
            text_size=len(squeezed),
            sketch=sketch.make_sketch(squeezed),
            digits_hash=sketch.digits_hash(data),
            feed=self.flag("feed") is not False,
            newsletter=self.flag("newsletter"),
            featured=self.flag("featured") is True,
            hold_until=self.moment("hold"),
            warnings=tuple(self.warnings),
        )

    def text(self) -> Text:
        """Return what the post says; what `post` warns of is not said again."""
        body = self.without_illegal(self.body(self.title()))
        html = self.rendered(body)
        self.warnings.clear()
        return Text(
            html=html,
            excerpt=markdown.strip_illegal_xml(self.excerpt(body, html)),
            reading_minutes=self.minutes(text.text_content(html)),
            warnings=tuple(self.warnings),
        )

    def rendered(self, body: str) -> str:
        html = self.html(body)
        if markdown.nesting_depth(html) > MOST_NESTED:
            reason = f"quotations, lists or elements are nested more than {MOST_NESTED} deep"
            raise PostError(self.path, self.source.body_line, reason)
        if len(html) > max(_ALWAYS_SHOWN, _MOST_GROWTH * len(body)):
            raise PostError(
                self.path, self.source.body_line, "a few lines of it become more HTML than anybody could show"
            )
        return html

    def html(self, source: str) -> str:
        """Return a part of the body as HTML, which it may be already."""
        if self.is_html:
            return source
        if not self.is_mdx:
            return markdown.render_markdown(source)
        # MDX has no other comments, and its comments are text to Markdown.
        return _MDX_COMPONENT.sub("", markdown.render_markdown(_MORE.sub("<!-- more -->", source)))

    # Saying what is wrong ---------------------------------------------------------------------------------------

    def refuse(self, key: str, reason: str) -> NoReturn:
        raise PostError(self.path, self.source.line_of(key), f"{key}: {reason}")

    def warn(self, key: str, reason: str) -> None:
        self.warnings.append(f"{self.path}:{self.source.line_of(key)}: {key}: {reason}")

    def warn_about_keys(self) -> None:
        for key in self.source.repeated_keys:
            self.warn(key, "stands twice; the last one counts")
        for written, known in self.fields.misspelled():
            self.warn(written, f"is not a known key; did you mean `{known}`?")

    # Single values ----------------------------------------------------------------------------------------------

    def line(self, meaning: str) -> str:
        """Return a value as one line of text, without what XML cannot carry; empty where there is none."""
        key, value = self.fields.get(meaning)
        if value is None or isinstance(value, _COMPOUND):
            return ""
        if not str(value).isprintable() and markdown.first_illegal_xml(str(value)):
            self.warn(key, "holds characters that XML cannot carry; they are left out")
        return _legal(text.clean_line(str(value))).strip()

    def flag(self, meaning: str) -> bool | None:
        key, value = self.fields.get(meaning)
        if value is None or isinstance(value, bool):
            return value
        word = str(value).strip().lower()
        if word in _YES | _NO:
            return word in _YES
        self.warn(key, f"{value!r} is neither true nor false")
        return None

    def is_draft(self) -> bool:
        """Return whether the post says it is not ready: `draft: true`, `published: false`, `status: draft`."""
        if self.flag("draft") is True or self.flag("unlisted") is True:
            return True
        return self.word("live") in _NOT_LIVE or self.word("status") in _NOT_PUBLIC

    def word(self, meaning: str) -> str:
        _, value = self.fields.get(meaning)
        return "" if value is None else str(value).strip().lower()

    def title(self) -> str:
        found = self.line("title")
        if not found:
            self.refuse("title", "there is none; a feed needs one for every post")
        return found

    def lang(self) -> str:
        """Return the language: the key's, else the file name's (`x.ja.md`), else the site's."""
        key, value = self.fields.get("lang")
        if value is not None:
            try:
                return Language.parse(str(value))
            except ValueError as e:
                self.warn(key, f"{e}; the site's is taken")
        if in_name := self.language_in_name():
            return in_name
        return self.settings.site.language

    def language_in_name(self) -> str | None:
        found = _LANGUAGE_IN_NAME.search(self.stem) if "." in self.stem else None
        if not found:
            return None
        from babel.localedata import exists  # noqa: PLC0415 - few file names carry a language

        return Language.parse(found[1]) if exists(found[1].lower().split("-")[0].split("_")[0]) else None

    # Dates ------------------------------------------------------------------------------------------------------

    def moment(self, meaning: str) -> datetime | None:
        key, value = self.fields.get(meaning)
        if value is None:
            return None
        try:
            moment = dates.parse_date(str(value), self.settings.site.timezone)
        except ValueError as e:
            self.warn(key, f"{e}; it is left out")
            return None
        self.warn_about_offset(key, moment)
        return moment

    def warn_about_offset(self, key: str, moment: datetime) -> None:
        if dates.has_impossible_offset(moment):
            self.warn(key, f"no place on earth is as far from UTC as {moment:%z}")

    def published(self) -> datetime:
        """Return the date: the key's, else that of `path` or `url`, of the file name, of the folder."""
        key, value = self.fields.get("date")
        named = dates.date_in_path(self.path)
        if value is not None:
            try:
                found = dates.parse_date(str(value), self.settings.site.timezone)
            except ValueError as e:
                self.refuse(key, str(e))
            self.warn_about_offset(key, found)
            self.compare_with_name(key, found, named)
            return max(found, self.moment("embargo") or found)  # as Hugo has it: nothing comes out before either
        written = dates.date_in_path(str(self.fields.get("url")[1] or "")) or named
        if not written:
            self.refuse("date", "there is none, neither in the front matter nor in the file's or folder's name")
        try:
            return dates.parse_date(written, self.settings.site.timezone)
        except ValueError as e:
            raise PostError(self.path, None, f"the only date is the file name's: {e}") from None

    def compare_with_name(self, key: str, found: datetime, named: str | None) -> None:
        if named is None:
            return
        try:
            other = dates.parse_date(named, found.tzinfo or self.settings.site.timezone)
        except ValueError as e:
            self.warn(key, f"is {found:%Y-%m-%d}, but the file name has an {e}")
            return
        if abs((found.date() - other.date()).days) > 1:
            self.warn(key, f"is {found.date()}, but the file name says {other.date()}")

    # Where it lies on the web -----------------------------------------------------------------------------------

    def slug(self) -> str:
        key, value = self.fields.get("slug")
        stem = self.stem
        if self.language_in_name():
            stem = stem.rpartition(".")[0]
        if stem == "index" and "/" in self.path:
            stem = posixpath.basename(posixpath.dirname(self.path))
        if value is None or isinstance(value, _COMPOUND) or not str(value).strip(" /"):
            return slugify(dates.strip_date(stem)) or "post"
        return self.checked_path(key, str(value)).strip("/").rpartition("/")[2]

    def checked_path(self, key: str, value: str) -> str:
        """Return a slug or URL path from the front matter; refuse one that leads out of the site."""
        if ".." in value.replace("\\", "/").split("/") or _CONTROL.search(value) or "\\" in value:
            self.refuse(key, f"{value!r} leads out of the site; write a plain name")
        return value

    def url(self, published: datetime, slug: str, lang: str, categories: tuple[str, ...]) -> str:
        key, value = self.fields.get("url")
        if isinstance(value, str) and value.strip():
            site = self.settings.site.url
            written = self.checked_path(key, value.strip())
            whole = written if re.match(r"[A-Za-z][A-Za-z0-9+.-]*:|//", written) else site + written.lstrip("/")
            found = _web_address(site, whole)
            if found and urlsplit(found)[:2] == urlsplit(site)[:2] and not re.search(r"/:\w", written):
                return found
            self.warn(key, f"{value!r} is no address on {site}; the site's permalink is taken")
        pattern = self.settings.posts.permalink
        parts = {
            "{year}": f"{published.year:04}",
            "{month}": f"{published.month:02}",
            "{day}": f"{published.day:02}",
            "{slug}": quote(slug),
            "{stem}": quote(self.stem) if "{stem}" in pattern else "",
            "{lang}": lang,
            "{category}": quote(slugify(categories[0])) if categories and "{category}" in pattern else "",
        }
        path = "".join([parts.get(part, part) for part in _placeholders(pattern)])
        if "//" in path:
            path = re.sub(r"/{2,}", "/", path)
        return self.settings.site.url + path.lstrip("/")

    def own_id(self) -> str | None:
        """Return the post's own id as a URI; inside a `tag:` URI if it is none (RFC 4287 section 4.2.6 wants one)."""
        found = self.line("id")
        if not found or _SCHEME.match(found):
            return quote(found, safe=_IN_ADDRESSES) or None
        return f"tag:{self.settings.site.authority}:id/{quote(found, safe='/-._~')}"

    def address(self, meaning: str, url: str) -> str | None:
        """Return another page's address, absolute; None where there is none, or it is this page's own."""
        key, value = self.fields.get(meaning)
        first = value[0] if isinstance(value, list) and value else value
        if not isinstance(first, str) or not first.strip():
            return None
        written = first.strip()
        found = _web_address(url, written) if written.startswith(("http://", "https://", "/")) else None
        if found is None:
            self.warn(key, f"{written[:60]!r} is no web address; it is left out")
        return None if found == url else found

    def feed_of_origin(self, url: str) -> OriginalFeed | None:
        """Return the feed that the post comes from: a mapping with `title` and `url`; a mere name tells of no feed."""
        _, value = self.fields.get("source")
        if not isinstance(value, dict):
            return None
        title, written = _clean(value.get("title") or value.get("name")), _clean(value.get("url"))
        found = _web_address(url, written) if written else None
        return OriginalFeed(title=title, url=found, id=_uri(_clean(value.get("id")))) if title and found else None

    def image(self, url: str) -> Image | None:
        key, value = self.fields.get("image")
        first = value[0] if isinstance(value, list) and value else value
        if isinstance(first, dict):
            first = first.get("src") or first.get("url") or first.get("image")
        if not isinstance(first, str) or not first.strip():
            return None
        found = _web_address(url, first.strip())
        if found is None:
            self.warn(key, f"{first[:60]!r} is no web address of a picture; it is left out")
            return None
        return Image(url=found, alt=self.line("image_alt"))

    def enclosures(self, url: str) -> tuple[Enclosure, ...]:
        """Return the files that belong to the post, each once."""
        found: dict[str, Enclosure] = {}
        for key, value in self.fields.each("enclosures"):
            for fields in media.normalize_enclosures([value]):
                if (one := self.enclosure(key, fields, url)) is not None:
                    found.setdefault(one.url, one)
        return tuple(found.values())

    def enclosure(self, key: str, fields: Mapping[str, Any], url: str) -> Enclosure | None:
        written = fields["url"]
        if written is None:
            self.warn(key, "names no file; write its address as `url`")
            return None
        is_file = isinstance(written, str) and re.search(r"[./]", written)  # a bare word is a player's id
        found = _web_address(url, written.strip()) if is_file else None
        if found is None:
            self.warn(key, f"{str(written)[:60]!r} is no web address of a file; it is left out")
            return None
        kind = media.declared_media_type(fields) or media.guess_media_type(found)
        if kind is None:
            self.warn(key, f"{written.strip()[:60]!r} names no type that is known; write `type`, such as audio/mpeg")
        return Enclosure(
            url=found,
            type=kind,
            length=media.parse_length(fields),
            seconds=media.parse_duration(fields.get("duration"))
            or media.parse_duration(self.fields.get("duration")[1]),
            title=_clean(fields.get("title")),
        )

    # Lists ------------------------------------------------------------------------------------------------------

    def names(self, meaning: str) -> tuple[str, ...]:
        """Return categories or tags in their order, each once, however they were written."""
        found = [name for value in self.fields.all(meaning) for name in _listed(value)]
        for name in found:
            if not name.isprintable() and _CONTROL.search(name):
                key, _ = self.fields.get(meaning)
                self.refuse(key, f"{name!r} holds a line break or control character; it would name a feed and a folder")
        return tuple(dict.fromkeys(filter(None, map(_name, found))))

    def authors(self) -> tuple[Author, ...]:
        _, value = self.fields.get("authors")
        site = self.settings.site.url
        found = [a for one in (value if isinstance(value, list) else [value]) if (a := _author(one, site))]
        return tuple(dict.fromkeys(found)) or (
            (Author(name=self.settings.site.author),) if self.settings.site.author else ()
        )

    def rule_tags(self, title: str, body: str) -> tuple[str, ...]:
        """Return the tags that the site's rules find in title and text; where links lead to is not text."""
        given = self.settings.tags.rules
        return rules.tags_in(f"{title}\n{_LINK_TARGET.sub(' ', body)}", given) if given else ()

    # Text -------------------------------------------------------------------------------------------------------

    def body(self, title: str) -> str:
        """Return the Markdown, or the HTML of an HTML post, that is published."""
        body = self.source.body
        if self.is_mdx:
            body = _without_modules(body)
        if ("{{" in body or "{%" in body) and (found := _TEMPLATE_TAGS.search(body)):
            line = self.source.body_line + body.count("\n", 0, found.start())
            self.warnings.append(f"{self.path}:{line}: template tags such as {found[0]!r} are left in the text")
        return body if self.is_html else self.without_passages(strip_title(body, title))

    def without_illegal(self, body: str) -> str:
        """Return *body* without characters that XML cannot carry, and say where the first one stands."""
        if found := markdown.first_illegal_xml(self.source.body):
            line = self.source.body_line + self.source.body.count("\n", 0, found.start())
            self.warnings.append(
                f"{self.path}:{line}: U+{ord(found[0]):04X} is a character that XML cannot carry; it is left out",
            )
        return markdown.strip_illegal_xml(body)

    def without_passages(self, body: str) -> str:
        policy = self.settings.duplicates.passages
        if policy == "keep":
            return body
        merged = passages.merge_passages(body)
        if not merged.dropped:
            return body
        what = f"{len(merged.dropped)} repeated or torn sentences and separators"
        if policy == "report":
            self.warnings.append(f"{self.path}: {what} would be dropped; they are kept (duplicates.passages)")
            return body
        self.warnings.append(f"{self.path}: {what} are dropped from the published text")
        return merged.markdown

    def excerpt(self, body: str, html: str) -> str:
        """Return the post's own, else what stands before `<!--more-->`, else the first sentences."""
        _, value = self.fields.get("excerpt")
        if isinstance(value, str) and value.strip():
            return _as_line(markdown.render_markdown(self.line("excerpt")))
        before_more = _MORE.split(body, maxsplit=1)
        if len(before_more) > 1 and before_more[0].strip():
            return _as_line(self.html(before_more[0]))
        return text.make_excerpt(text.text_blocks(html))

    def minutes(self, plain: str) -> int:
        speed = self.settings.posts.reading
        reckoned = text.reading_minutes(plain, speed.words_per_minute, speed.cjk_characters_per_minute)
        key, value = self.fields.get("reading_time")
        own = re.match(r"\s*(\d{1,4})(?!\d)", str(value)) if value is not None else None
        if value is not None and (not own or int(own[1]) < 1):
            self.warn(key, f"{value!r} is no number of minutes; the text gives {reckoned}")
        if not own or int(own[1]) < 1:
            return reckoned
        if int(own[1]) != reckoned:
            self.warn(key, f"says {int(own[1])} min, the text gives {reckoned}; the post's own is kept")
        return int(own[1])


def _as_line(html: str) -> str:
    return " ".join(text.join_blocks(text.text_blocks(html)).split())


def _without_modules(mdx: str) -> str:
    """Return *mdx* without what it imports and exports at its top and without its comments; components stay."""
    modules = _MDX_MODULES.match(mdx)
    return _MDX_ONLY.sub(_as_markdown, mdx[modules.end() :] if modules else mdx)


def _as_markdown(found: re.Match[str]) -> str:
    return found["code"] or (f"{found['tag']}Component" if found["tag"] else "")


def strip_title(body: str, title: str) -> str:
    """Return *body* without a first line, plain or as a heading, that says the title again."""
    begun = body.lstrip()
    # Marks and white space aside, a title is written as itself, as entities, or in at most 4 characters for each of
    # its own (Unicode 16.0, NFC): a paragraph need not be taken apart to see that it is none.
    if len(begun) > (end := 4 * len(title) + _MARKS_OF_TITLE) and "\n" not in begun[:end] and "&" not in begun[:end]:
        return body
    first, _, rest = begun.partition("\n")
    if _bare(first.strip(" \t#")) != _bare(title):
        return body
    below, _, behind = rest.partition("\n")
    underlined = bool(below.strip()) and not below.strip().strip("=-")
    if underlined:
        return behind.lstrip("\n")
    return rest.lstrip("\n") if first.startswith("#") or not below.strip() else body


def _bare(line: str) -> str:
    return re.sub(r"[*_`\s]+", "", text.normalize(text.clean_line(line))).casefold()


def slugify(name: str) -> str:
    """Return *name* as a part of a path: its own script, lower case, hyphens for what paths do not take."""
    plain_name = text.normalize(name)
    if not plain_name.isprintable():
        plain_name = _CONTROL.sub("", plain_name)
    slug = _UNSAFE_IN_SLUG.sub("-", plain_name.lower()).strip("-.")
    if len(slug) * 4 <= LONGEST_SLUG:
        return slug
    return slug.encode()[:LONGEST_SLUG].decode(errors="ignore").rstrip("-.")


@lru_cache(maxsize=16)
def _placeholders(pattern: str) -> list[str]:
    """Return a permalink's pattern as what stands between its placeholders and these."""
    return re.split(r"({\w+})", pattern)


def _web_address(base: str, written: str) -> str | None:
    """Return *written* as seen from *base*, everything beyond ASCII percent-encoded; None if it is no web address."""
    if _CONTROL.search(written):
        return None
    try:
        found = urljoin(base, written)
        parts = urlsplit(found)
    except ValueError:
        return None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        return None
    return quote(found, safe=_IN_ADDRESSES)


@lru_cache(maxsize=20_000)
def _name(written: str) -> str:
    """Return the name of a category or tag as one line; thousands of posts carry the same few."""
    return text.clean_line(written)


def _listed(value: Any) -> Iterable[str]:
    """Return the names in a value that may be a list, Hexo's list of lists, a comma-separated string or a number."""
    if isinstance(value, dict):
        return []
    if isinstance(value, list):
        names = (name for inner in value for name in (inner if isinstance(inner, list) else [inner]))
        return [str(name) for name in names if name is not None and not isinstance(name, _COMPOUND)]
    return str(value).split(",")


def _uri(written: str) -> str | None:
    """Return an absolute URI in ASCII; None where that is none."""
    return quote(written, safe=_IN_ADDRESSES) if _SCHEME.match(written) else None


def _author(value: Any, site: str) -> Author | None:
    if not isinstance(value, dict):
        name = _clean(value)
        return Author(name=name) if name else None
    name = _clean(value.get("name") or value.get("title"))
    uri = next((_clean(value[key]) for key in ("url", "uri", "website") if value.get(key)), None)
    email = _clean(value.get("email"))
    if not name:
        return None
    return Author(
        name=name, uri=_web_address(site, uri) if uri else None, email=email if _MAIL_ADDRESS.match(email) else None
    )


def _clean(value: Any) -> str:
    """Return a name or address as one line; empty for what is neither text nor a number."""
    if value is None or isinstance(value, (bool, *_COMPOUND)):
        return ""
    return _legal(text.clean_line(str(value))).strip()


def _legal(line: str) -> str:
    return line if line.isprintable() else markdown.strip_illegal_xml(line)
