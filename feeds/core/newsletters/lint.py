"""Check a letter and a theme: what is wrong, why it matters, how to fix it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from feeds.core.newsletters.message import MOST_BYTES, transfer_size
from feeds.core.newsletters.palette import MIN_CONTRAST, contrast_ratio, dark_palette, light_palette
from feeds.core.newsletters.picture_problems import (
    MOST_PICTURE_BYTES,
    PictureFormat,
    says_nothing,
    unsupported_format,
)
from feeds.core.posts.text import parse_html
from feeds.display import format_count
from feeds.model import Letter, PictureFile
from feeds.settings import Theme

#: Phones show about this much of a subject.
_MAX_SUBJECT = 60
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_TRACKING_PARAMETERS = ("utm_", "mc_", "fbclid", "gclid")


@dataclass(frozen=True, kw_only=True, slots=True)
class Diagnostic:
    """One thing that is wrong (`error`) or could be better (`warning`)."""

    level: str
    where: str
    what: str
    why: str
    do: str


def lint_letter(letter: Letter, where: str, files: Mapping[str, PictureFile] | None = None) -> Iterator[Diagnostic]:
    """Yield the faults of a rendered letter; *files* are those of its pictures that are known, by address."""
    size = transfer_size(letter.html)
    if size >= MOST_BYTES:
        yield Diagnostic(
            level="error",
            where=where,
            what=f"the HTML takes {size:,} bytes",
            why="Gmail cuts letters at about 102 kB, and the unsubscribe link with them",
            do="include fewer posts (max_posts), or make the templates smaller",
        )
    if len(letter.subject) > _MAX_SUBJECT:
        yield Diagnostic(
            level="warning",
            where=where,
            what=f"the subject has {len(letter.subject)} characters",
            why=f"a phone shows about {_MAX_SUBJECT}",
            do="write a shorter one in the editor's note",
        )
    root = parse_html(letter.html)
    yield from _lint_links(root, where)
    yield from _lint_images(root, where)
    yield from _lint_formats(root, where, files or {})
    yield from _lint_weight(root, where, files or {})
    yield from _lint_text(letter, where)


def _lint_links(root: Any, where: str) -> Iterator[Diagnostic]:
    for link in dict.fromkeys(element.get("href", "") for element in root.iter("a")):
        parts = urlsplit(link)
        if parts.scheme not in {"http", "https", "mailto", "tel"}:
            yield Diagnostic(
                level="error",
                where=where,
                what=f"the link {link[:80]!r} leads nowhere in a mail program",
                why="relative links do not work in mail",
                do="write the absolute URL",
            )
        elif parts.scheme == "http":
            yield Diagnostic(
                level="warning",
                where=where,
                what=f"the link {link[:80]!r} is not encrypted",
                why="mail programs and browsers warn about such links",
                do="write https, if the site supports it",
            )
        elif any(name.startswith(_TRACKING_PARAMETERS) for name, _ in parse_qsl(parts.query)):
            yield Diagnostic(
                level="warning",
                where=where,
                what=f"the link {link[:80]!r} has a tracking parameter",
                why="readers expect that a letter does not track them",
                do="remove the parameter",
            )


def _lint_images(root: Any, where: str) -> Iterator[Diagnostic]:
    for image in root.iter("img"):
        address = image.get("src", "")[:80]
        if image.get("alt") is None:
            yield Diagnostic(
                level="error",
                where=where,
                what=f"the image {address!r} has no alt",
                why="screen readers, and programs that do not load images, show the file name instead",
                do='describe what it shows, or write alt="" if it is decoration',
            )
        elif not image.get("alt").strip():
            yield Diagnostic(
                level="warning",
                where=where,
                what=f"the image {address!r} has an empty alt",
                why="many readers do not load images",
                do="write image_alt in the post, or ![description](address) in its text",
            )
        elif says_nothing(image.get("alt"), image.get("src", "")):
            yield Diagnostic(
                level="warning",
                where=where,
                what=f"the image {address!r} has the alt {image.get('alt')[:60]!r}, which does not describe it",
                why="that is all that readers without images, and screen readers, get of it",
                do="write what it shows: image_alt in the post, or ![description](address) in its text",
            )


def _lint_formats(root: Any, where: str, files: Mapping[str, PictureFile]) -> Iterator[Diagnostic]:
    """Yield a diagnostic for each format that not all mail programs show."""
    found: dict[PictureFormat, list[str]] = {}
    for url in _image_urls(root):
        if kind := unsupported_format(url, files[url].format if url in files else ""):
            found.setdefault(kind, []).append(url)
    for kind, urls in found.items():
        is_converted = kind.is_converted and all(url in files for url in urls)
        number = format_count(len(urls), f"image is {kind.name}", f"images are {kind.name}")
        yield Diagnostic(
            level="warning",
            where=where,
            what=f"{number}, such as {urls[0][:80]!r}",
            why=f"{kind.programs} not show it ({kind.source})",
            do="save as PNG or JPEG" + (', or set mail.pictures = "convert"' if is_converted else ""),
        )


def _lint_weight(root: Any, where: str, files: Mapping[str, PictureFile]) -> Iterator[Diagnostic]:
    """Yield a diagnostic if the images that are files of this site are large together."""
    sizes = {url: files[url].size for url in _image_urls(root) if url in files}
    if sum(sizes.values()) > MOST_PICTURE_BYTES:
        largest = max(sizes, key=lambda url: sizes[url])
        yield Diagnostic(
            level="warning",
            where=where,
            what=f"the images take {sum(sizes.values()):,} bytes, {largest[:80]!r} alone {sizes[largest]:,}",
            why=f"on a phone, more than {MOST_PICTURE_BYTES:,} take long to load",
            do='make them smaller (1200 pixels wide are enough), or set mail.pictures = "convert"',
        )


def _image_urls(root: Any) -> list[str]:
    return list(dict.fromkeys(image.get("src", "") for image in root.iter("img")))


def _lint_text(letter: Letter, where: str) -> Iterator[Diagnostic]:
    """Yield a diagnostic if the text part is empty."""
    if not letter.text.strip():
        yield Diagnostic(
            level="error",
            where=where,
            what="the text part is empty",
            why="some mail programs show nothing else, and filters take a letter without it for spam",
            do="check digest.txt in your templates",
        )


def has_unsubscribe_link(html: str, url: str) -> bool:
    """Return whether the HTML part of a letter has a link to *url* that a reader can see: with a text or an image."""
    links = (link for link in parse_html(html).iter("a") if link.get("href") == url)
    return any(_has_label(link) and not _is_hidden(link) for link in links)


def _has_label(link: Any) -> bool:
    return bool(link.text_content().strip()) or link.find(".//img") is not None


def _is_hidden(link: Any) -> bool:
    elements = (link, *link.iterancestors())
    return any(_HIDDEN.search(element.get("style", "")) is not None for element in elements)


def lint_theme(theme: Theme, where: str) -> Iterator[Diagnostic]:
    """Yield a diagnostic for each key of a theme whose colours have too little contrast (WCAG 2.2, 1.4.3)."""
    lowest: dict[str, tuple[float, str, str]] = {}
    for name, colour, background in _colour_pairs(theme):
        ratio = contrast_ratio(colour, background)
        lowest[name] = min(lowest.get(name, (ratio, colour, background)), (ratio, colour, background))
    for name, (ratio, colour, background) in lowest.items():
        if ratio < MIN_CONTRAST:
            is_dark = name == "accent_dark"
            yield Diagnostic(
                level="error",
                where=f"{where}.{name}",
                what=f"{colour} on {background} has a contrast of {ratio:.1f} : 1",
                why=f"{_COLOURED.get(name, 'the name of a category needs')} {MIN_CONTRAST} : 1 to be legible"
                " (WCAG 2.2, 1.4.3)",
                do="choose a lighter colour" if is_dark else "choose a darker colour",
            )


_COLOURED = {
    **dict.fromkeys(("accent", "accent_dark"), "links and the button need"),
    "ink": "text, and the lighter text of dates, need",
}


def _colour_pairs(theme: Theme) -> Iterator[tuple[str, str, str]]:
    """Yield each key of the theme with a colour that results from it and a background that it is on."""
    light, dark = light_palette(theme), dark_palette(theme)
    for background in (light.paper, light.tint):
        yield "ink", light.ink, background
        yield "ink", light.muted, background
        yield "accent", light.accent, background
    yield from (("accent_dark", dark.accent, background) for background in (dark.paper, dark.tint))
    for name in theme.categories:
        yield f"categories.{name}", light.category(name), light.paper
        yield f"categories.{name}", dark.category(name), dark.paper
