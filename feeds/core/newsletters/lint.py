"""Check a letter and a theme: what is wrong, why it matters, how to fix it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, parse_qsl, urlsplit

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


@dataclass(frozen=True, slots=True)
class Origin:
    """The address of a link or an image as it was written, and the file of the post that has it; empty if none."""

    address: str
    post: str = ""

    def __str__(self) -> str:
        return f"{self.address[:80]!r}" + (f" in {self.post}" if self.post else "")


def lint_letter(
    letter: Letter,
    where: str,
    files: Mapping[str, PictureFile] | None = None,
    *,
    origins: Mapping[str, Origin] | None = None,
    converts: bool = False,
) -> Iterator[Diagnostic]:
    """Yield the faults of a rendered letter.

    *files* are those of its pictures that are known, *origins* where links and images come from, both by address in
    the letter; *converts* is True if `mail.pictures` is `convert`.
    """
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
    yield from _lint_links(root, where, origins or {})
    yield from _lint_images(root, where, origins or {})
    yield from _lint_formats(root, where, files or {}, converts=converts)
    yield from _lint_weight(root, where, files or {}, converts=converts)
    yield from _lint_text(letter, where)


def _lint_links(root: Any, where: str, origins: Mapping[str, Origin]) -> Iterator[Diagnostic]:
    for link, element in _links(root).items():
        parts, at = _split(link), _link_place(element, origins.get(link))
        if parts.scheme not in {"http", "https", "mailto", "tel"}:
            yield Diagnostic(
                level="error",
                where=where,
                what=f"the link {link[:80]!r} leads nowhere in a mail program{at}",
                why="relative links do not work in mail",
                do="write the absolute URL",
            )
        elif parts.scheme == "http":
            yield Diagnostic(
                level="warning",
                where=where,
                what=f"the link {link[:80]!r} is not encrypted{at}",
                why="mail programs and browsers warn about such links",
                do="write https, if the site supports it",
            )
        elif any(name.startswith(_TRACKING_PARAMETERS) for name, _ in parse_qsl(parts.query)):
            yield Diagnostic(
                level="warning",
                where=where,
                what=f"the link {link[:80]!r} has a tracking parameter{at}",
                why="readers expect that a letter does not track them",
                do="remove the parameter",
            )


def _links(root: Any) -> dict[str, Any]:
    """Return the first element of each link, by address; `<a>` without `href` is a placeholder (HTML, 4.5.1)."""
    links: dict[str, Any] = {}
    for element in root.iter("a"):
        if element.get("href") is not None:
            links.setdefault(element.get("href"), element)
    return links


def _split(link: str) -> SplitResult:
    """Return the parts of a URL; those of an empty one if it has an invalid host."""
    try:
        return urlsplit(link)
    except ValueError:
        return urlsplit("")


def _link_place(element: Any, origin: Origin | None) -> str:
    """Return the text of a link and the post that has it, as far as they are known, for the end of a message."""
    text = " ".join(element.text_content().split())[:60]
    parts = [repr(text) if text else "", f"in {origin.post}" if origin and origin.post else ""]
    known = " ".join(filter(None, parts))
    return f": {known}" if known else ""


def _lint_images(root: Any, where: str, origins: Mapping[str, Origin]) -> Iterator[Diagnostic]:
    for image in root.iter("img"):
        address = str(origins.get(image.get("src", ""), Origin(image.get("src", ""))))
        if image.get("alt") is None:
            yield Diagnostic(
                level="error",
                where=where,
                what=f"the image {address} has no alt",
                why="screen readers, and programs that do not load images, show the file name instead",
                do='describe what it shows, or write alt="" if it is decoration',
            )
        elif not image.get("alt").strip():
            yield Diagnostic(
                level="warning",
                where=where,
                what=f"the image {address} has an empty alt",
                why="many readers do not load images",
                do="write image_alt in the post, or ![description](address) in its text",
            )
        elif says_nothing(image.get("alt"), image.get("src", "")):
            yield Diagnostic(
                level="warning",
                where=where,
                what=f"the image {address} has the alt {image.get('alt')[:60]!r}, which does not describe it",
                why="that is all that readers without images, and screen readers, get of it",
                do="write what it shows: image_alt in the post, or ![description](address) in its text",
            )


def _lint_formats(root: Any, where: str, files: Mapping[str, PictureFile], *, converts: bool) -> Iterator[Diagnostic]:
    """Yield a diagnostic for each format that not all mail programs show."""
    found: dict[PictureFormat, list[str]] = {}
    for url in _image_urls(root):
        if kind := unsupported_format(url, files[url].format if url in files else ""):
            found.setdefault(kind, []).append(url)
    for kind, urls in found.items():
        is_converted = not converts and kind.is_converted and all(url in files for url in urls)
        number = format_count(len(urls), f"image is {kind.name}", f"images are {kind.name}")
        yield Diagnostic(
            level="warning",
            where=where,
            what=f"{number}, such as {urls[0][:80]!r}",
            why=f"{kind.programs} not show it ({kind.source})",
            do="save as PNG or JPEG" + (', or set mail.pictures = "convert"' if is_converted else ""),
        )


def _lint_weight(root: Any, where: str, files: Mapping[str, PictureFile], *, converts: bool) -> Iterator[Diagnostic]:
    """Yield a diagnostic if the images that are files of this site are large together."""
    sizes = {url: files[url].size for url in _image_urls(root) if url in files}
    if sum(sizes.values()) > MOST_PICTURE_BYTES:
        largest = max(sizes, key=lambda url: sizes[url])
        yield Diagnostic(
            level="warning",
            where=where,
            what=f"the images take {sum(sizes.values()):,} bytes, {largest[:80]!r} alone {sizes[largest]:,}",
            why=f"on a phone, more than {MOST_PICTURE_BYTES:,} take long to load",
            do="make them smaller (1200 pixels wide are enough)"
            + ("" if converts else ', or set mail.pictures = "convert"'),
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


@dataclass(frozen=True, kw_only=True, slots=True)
class _ColourPair:
    """A key of a theme, a colour and a background that result from it, and both as messages name them."""

    key: str
    colour: str
    background: str
    #: By the colour in the config that it is, or is made from.
    colour_name: str
    background_name: str

    @property
    def ratio(self) -> float:
        return contrast_ratio(self.colour, self.background)


def lint_theme(theme: Theme, where: str) -> Iterator[Diagnostic]:
    """Yield a diagnostic for each key of a theme whose colours have too little contrast (WCAG 2.2, 1.4.3)."""
    lowest: dict[str, _ColourPair] = {}
    for pair in _colour_pairs(theme):
        lowest[pair.key] = min(lowest.get(pair.key, pair), pair, key=lambda one: one.ratio)
    for name, pair in lowest.items():
        if pair.ratio < MIN_CONTRAST:
            is_dark = name == "accent_dark"
            yield Diagnostic(
                level="error",
                where=f"{where}.{name}",
                what=f"{pair.colour_name} on {pair.background_name} has a contrast of {pair.ratio:.1f} : 1",
                why=f"{_COLOURED.get(name, 'the name of a category needs')} {MIN_CONTRAST} : 1 to be legible"
                " (WCAG 2.2, 1.4.3)",
                do="choose a lighter colour" if is_dark else "choose a darker colour",
            )


_COLOURED = {
    **dict.fromkeys(("accent", "accent_dark"), "links and the button need"),
    "ink": "text, and the lighter text of dates, need",
}


def _colour_pairs(theme: Theme) -> Iterator[_ColourPair]:
    """Yield each key of the theme with a colour that results from it and a background that it is on."""
    light, dark = light_palette(theme), dark_palette(theme)
    light_backgrounds = {light.paper: theme.paper, light.tint: f"the tint of {theme.paper} and {theme.ink}"}
    dark_backgrounds = {dark.paper: f"the dark background {dark.paper}", dark.tint: f"the dark tint {dark.tint}"}

    def pairs(key: str, colour: str, name: str, backgrounds: Mapping[str, str]) -> Iterator[_ColourPair]:
        for background, background_name in backgrounds.items():
            yield _ColourPair(
                key=key, colour=colour, background=background, colour_name=name, background_name=background_name
            )

    yield from pairs("ink", light.ink, theme.ink, light_backgrounds)
    yield from pairs("ink", light.muted, f"the lighter text of {theme.ink}", light_backgrounds)
    yield from pairs("accent", light.accent, theme.accent, light_backgrounds)
    yield from pairs("accent_dark", dark.accent, theme.accent_dark, dark_backgrounds)
    for name, written in theme.categories.items():
        yield from pairs(f"categories.{name}", light.category(name), written, {light.paper: theme.paper})
        yield from pairs(
            f"categories.{name}", dark.category(name), written, {dark.paper: f"the dark background {dark.paper}"}
        )
