"""A letter as a stranger would judge it: what is odd, why it matters, what to do."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from feeds.core.newsletters.message import MOST_BYTES, transfer_size
from feeds.core.posts.text import parse_html
from feeds.model import Letter
from feeds.settings import Theme

#: Of the shipped templates, light and dark: paper, and what stands on the button.
_PAPER, _DARK_PAPER = "#fffdf8", "#171614"
#: WCAG 2.2, 1.4.3: text of ordinary size.
_CONTRAST = 4.5
#: What phones show of a subject.
_SUBJECT = 60
_TRACKERS = ("utm_", "mc_", "fbclid", "gclid")


@dataclass(frozen=True, kw_only=True, slots=True)
class Diagnostic:
    """One thing that is wrong (`error`) or could be better (`warning`)."""

    level: str
    where: str
    what: str
    why: str
    do: str


def lint_letter(found: Letter, where: str) -> Iterator[Diagnostic]:
    """Yield what is odd about a rendered letter."""
    size = transfer_size(found.html)
    if size >= MOST_BYTES:
        yield Diagnostic(
            level="error",
            where=where,
            what=f"the HTML takes {size:,} bytes",
            why="Gmail cuts letters at about 102 kB, and the way to leave with them",
            do="tell of fewer posts (max_posts), or make the templates smaller",
        )
    if len(found.subject) > _SUBJECT:
        yield Diagnostic(
            level="warning",
            where=where,
            what=f"the subject has {len(found.subject)} characters",
            why=f"a phone shows about {_SUBJECT}",
            do="write a shorter one in the editor's note",
        )
    root = parse_html(found.html)
    yield from _links(root, where)
    yield from _pictures(root, where)
    yield from _parts(found, root, where)


def _links(root: Any, where: str) -> Iterator[Diagnostic]:
    for link in dict.fromkeys(element.get("href", "") for element in root.iter("a")):
        parts = urlsplit(link)
        if parts.scheme not in {"http", "https", "mailto", "tel"}:
            yield Diagnostic(
                level="error",
                where=where,
                what=f"the link {link[:80]!r} leads nowhere in a mail program",
                why="a letter has no address that it could be relative to",
                do="write the whole address",
            )
        elif parts.scheme == "http":
            yield Diagnostic(
                level="warning",
                where=where,
                what=f"the link {link[:80]!r} is not encrypted",
                why="mail programs and browsers warn of it",
                do="write https, if the site has it",
            )
        elif any(name.startswith(_TRACKERS) for name, _ in parse_qsl(parts.query)):
            yield Diagnostic(
                level="warning",
                where=where,
                what=f"the link {link[:80]!r} carries a tracker",
                why="readers are told that nobody watches them",
                do="leave the parameters out",
            )


def _pictures(root: Any, where: str) -> Iterator[Diagnostic]:
    for picture in root.iter("img"):
        address = picture.get("src", "")[:80]
        if picture.get("alt") is None:
            yield Diagnostic(
                level="error",
                where=where,
                what=f"the picture {address!r} has no alt",
                why="who cannot see it, or does not load pictures, hears the name of the file",
                do='write what it shows, or alt="" where it shows nothing',
            )
        elif not picture.get("alt").strip():
            yield Diagnostic(
                level="warning",
                where=where,
                what=f"the picture {address!r} says nothing in words",
                why="many readers load no pictures",
                do="write image_alt in the post, or ![words](address) in its text",
            )


def _parts(found: Letter, root: Any, where: str) -> Iterator[Diagnostic]:
    """Yield what is missing in one of the two parts: the text, a story, the way to leave."""
    if not found.text.strip():
        yield Diagnostic(
            level="error",
            where=where,
            what="the text part is empty",
            why="some readers have nothing else, and filters take a letter without one for spam",
            do="look at digest.txt in your templates",
        )
    leaving = [e.get("href", "") for e in root.iter("a") if e.get("href", "").startswith("mailto:")]
    if not any(link in found.text for link in leaving):
        yield Diagnostic(
            level="error",
            where=where,
            what="there is no way to leave in both parts",
            why="the law of many countries and all large providers want one",
            do="keep letter.unsubscribe_url in both templates",
        )


def lint_theme(found: Theme, where: str) -> Iterator[Diagnostic]:
    """Yield where a theme's colours are too faint to read (WCAG 2.2, 1.4.3)."""
    for name, colour, paper in (
        ("accent", found.accent, _PAPER),
        ("accent_dark", found.accent_dark, _DARK_PAPER),
    ):
        ratio = contrast_ratio(colour, paper)
        if ratio < _CONTRAST:
            yield Diagnostic(
                level="error",
                where=f"{where}.{name}",
                what=f"{colour} on {paper} has a contrast of {ratio:.1f} : 1",
                why=f"links and the button need {_CONTRAST} : 1 to be read by everybody (WCAG 2.2, 1.4.3)",
                do="take a darker colour" if name == "accent" else "take a lighter colour",
            )


def contrast_ratio(one: str, other: str) -> float:
    """Return the contrast ratio of two colours, 1 to 21 (WCAG 2.2, relative luminance)."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)  # noqa: PLR2004 - sRGB's numbers
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
