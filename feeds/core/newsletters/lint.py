"""A letter as a stranger would judge it: what is odd, why it matters, what to do."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from html import unescape
from typing import Any
from urllib.parse import parse_qsl, unquote, urldefrag, urlsplit

from feeds.core.newsletters.message import MOST_BYTES, transfer_size
from feeds.core.posts.markdown import absolute_url
from feeds.core.posts.text import parse_html
from feeds.model import Letter, Post
from feeds.settings import Theme
from feeds.spelling import closest_name

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


# Domains ----------------------------------------------------------------------------------------------------------


def is_subdomain(domain: str, other: str) -> bool:
    """Return whether *domain* is *other* or one of its subdomains."""
    return f".{domain.lower()}".endswith(f".{other.lower()}")


def is_aligned(one: str, other: str) -> bool:
    """Return whether one domain is the other or below it, as relaxed alignment is (RFC 7489 section 3.1).

    Of siblings only DNS, or a list of registries, can tell.
    """
    return is_subdomain(one, other) or is_subdomain(other, one)


# Places inside posts ----------------------------------------------------------------------------------------------

# Both begin with what is rare, which is found ten times as fast as what may be written in two cases.
_ID = re.compile(
    r"""=(?:(?<=\sid=)|(?<=\sid\s=)|(?<=\sname=)|(?<=\sname\s=))\s*(?:"([^"<>]*)"|'([^'<>]*)'|([^\s"'<>=`]+))""",
    re.IGNORECASE,
)
_LINK = re.compile(r"""=(?:(?<=\shref=)|(?<=\shref\s=))\s*["']?([^\s"'<>]*#[^\s"'<>]*)""", re.IGNORECASE)
_HEADING = re.compile(r"<h[1-6]\b[^>]*>(.{0,1000}?)</h[1-6]>", re.IGNORECASE | re.DOTALL)
#: Ids that generators take from the text: `## Title {#id}`, `{: #id}`, and whatever a template tag is told.
_NAMED = re.compile(r"\{:?[^{}\n]*?#([^\s{}]+)")
_TEMPLATE_TAG = re.compile(r"\{[{%](.{0,1000}?)[%}]\}", re.DOTALL)
#: What every generator drops from a heading when it makes an id of it; what it makes of others, each knows for itself:
#: `ü` may be `ü`, `u`, `ue` or nothing, `&` nothing or `and`, a crab `crab`.
_DROPPED = re.compile(r"[ \t\n_.,:;!?'\"()\[\]{}/\\*#`-]+")
_NOT_PLAIN = re.compile(r"[^A-Za-z0-9]")
#: No places of the post: the top of the page, comments, footnotes (whose numbers each generator gives as it likes),
#: and what scripts take from an address.
_NOT_OF_POSTS = re.compile(
    r"(?:top|respond|disqus_thread|comments?(?:[-_:]?\d+)?|(?:user-content-)?(?:fn|fnref|footnote)[-_:]?\d+|[!/].*|)\Z",
    re.IGNORECASE | re.DOTALL,
)
#: Ids that may be meant instead of a wrong one, and are compared with it.
_MOST_COMPARED = 500
#: What of an address tells one page of a site from another.
Page = tuple[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class PostAnchors:
    """Where links can lead to inside one post, and its own links to such places."""

    page: Page
    #: Of the post.
    path: str
    #: As the post's HTML has them here.
    ids: frozenset[str]
    #: The title, which the site may show as a heading, and words that stand where generators read ids.
    named: frozenset[str]
    #: Headings not only of plain letters, as patterns of the ids that generators may make of them.
    headings: tuple[str, ...]
    #: Absolute; without those to other sites, and to the post's own ids.
    links: tuple[str, ...]


def find_anchors(post: Post, html: str) -> PostAnchors:
    """Return the places in a post that is rendered as *html*, and its links to such.

    Most posts need not be parsed for it: their links lead to other sites, or to their own headings.
    """
    here = page_key(post.url)
    ids = frozenset(unescape("".join(found)) for found in _ID.findall(html))
    own = {f"#{name}" for name in ids}

    def doubtful(links: Iterable[str]) -> tuple[str, ...]:
        """Return those that may lead to a post of this site, but not to an id of this one; absolute."""
        near = (link for link in links if link not in own and ("://" not in link or here[0] in link.lower()))
        found = (absolute_url(link, post.url) for link in near if unquote(link) not in own)
        return tuple(dict.fromkeys(link for link in found if link and page_key(link)[0] == here[0]))

    likely = doubtful(map(unescape, _LINK.findall(html)))
    return PostAnchors(
        page=here,
        path=post.path,
        ids=ids,
        named=frozenset((post.title, *(_named(html) if "{" in html else ()))),
        headings=tuple(_odd_headings(html)),
        links=doubtful(_links_to_places(html)) if likely else (),  # what looks like a link may stand in a comment
    )


def _links_to_places(html: str) -> Iterator[str]:
    """Yield the links of *html* that name a place in a page."""
    for element in parse_html(html).iter("a"):
        if "#" in (link := element.get("href", "").strip()):
            yield link


def page_key(url: str) -> Page:
    """Return which page an address leads to: without scheme, `www.`, query and the name of an index."""
    parts = urlsplit(url)
    path = re.sub(r"/(?:index\.html?)?\Z", "", unquote(parts.path))
    return (parts.netloc.lower().removeprefix("www."), path)


def _named(html: str) -> Iterator[str]:
    yield from _NAMED.findall(html)
    for tag in _TEMPLATE_TAG.findall(html):
        yield from re.findall(r"[\w-]+", unescape(tag))


def _odd_headings(html: str) -> Iterator[str]:
    """Yield the headings of which each generator makes another id; bare, with `*` for what may have become anything."""
    for inner in _HEADING.findall(html):
        heading = _DROPPED.sub("", unescape(re.sub(r"<[^>]*>", "", inner)))
        if _NOT_PLAIN.search(heading):
            yield _NOT_PLAIN.sub("*", heading).lower()


class AnchorIndex:
    """The places in all posts of a site."""

    def __init__(self, found: Iterable[PostAnchors], folder: str) -> None:
        """*folder* is that of the posts, for people."""
        self._folder = folder
        self._pages: dict[Page, list[PostAnchors]] = {}
        self._of_posts: set[str] = set()
        for one in found:
            self._pages.setdefault(one.page, []).append(one)
            self._of_posts.update(one.links)
        #: Bare, of the pages that were asked for.
        self._known: dict[Page, frozenset[str]] = {}

    def dead_links(self, links: Iterable[str]) -> Iterator[str]:
        """Yield the links that lead to a post, but to no place in it."""
        for link in links:
            there, name = page_key(link), _name(link)
            if there in self._pages and not _NOT_OF_POSTS.match(name) and not self._has(there, name):
                yield link

    def dead_links_in_letter(self, html: str) -> Iterator[str]:
        """Yield the dead links that a letter has of its own: those of its posts are to be mended there."""
        links = dict.fromkeys(_links_to_places(html))
        return self.dead_links(link for link in links if link not in self._of_posts)

    def _has(self, there: Page, name: str) -> bool:
        """Return whether a page has a place, under whatever id the site's generator gives it.

        Generators disagree: of "1. What's new?" they make `1-whats-new`, `1-what-s-new`, `what-s-new`. So only letters
        and digits count, and no digits in front.
        """
        posts, bare = self._pages[there], _bare(name)
        if there not in self._known:
            known = [_bare(one) for post in posts for one in (*post.ids, *post.named)]
            self._known[there] = frozenset((*known, *(one.lstrip("0123456789") for one in known)))
        if bare in self._known[there]:
            return True
        patterns = (pattern for post in posts for pattern in post.headings)
        return name.isascii() and any(fnmatchcase(bare, pattern) for pattern in patterns)

    def diagnose(self, link: str, where: str) -> Diagnostic:
        """Return what is to be said of a dead link."""
        there, name = self._pages[page_key(link)][0], _name(link)
        near = closest_name(name, sorted(there.ids)[:_MOST_COMPARED])
        return Diagnostic(
            level="warning",
            where=where,
            what=f"the link to {f'#{name}'[:80]!r} leads nowhere: no heading or element of {self._folder}/{there.path} "
            "has this id",
            why="readers come out at the top of the page, and look for what they were promised",
            do=f"write #{near}, if that is meant" if near else "take the id of a heading there, or leave the # out",
        )


def _name(link: str) -> str:
    """Return what a link's fragment names; what stands behind `:~:` is for browsers (URL Fragment Text Directives)."""
    return unquote(urldefrag(link)[1]).partition(":~:")[0]


def _bare(name: str) -> str:
    """Return the letters and digits of a name, without case and accents."""
    return "".join(c for c in unicodedata.normalize("NFKD", name).casefold() if c.isalnum())


def fragment_line(link: str, text: str) -> int | None:
    """Return the number of the line in which a post's file has a link's fragment; None where it is not found."""
    name = urldefrag(link)[1]
    found = (text.find(f"#{written}") for written in (name, unquote(name)))
    return next((text.count("\n", 0, at) + 1 for at in found if at >= 0), None)
