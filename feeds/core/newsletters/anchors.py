"""Links to anchors in posts: which of them lead nowhere."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase
from html import unescape
from urllib.parse import unquote, urldefrag, urlsplit

from feeds.core.newsletters.lint import Diagnostic
from feeds.core.posts.markdown import absolute_url
from feeds.core.posts.text import parse_html
from feeds.model import Post

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
        near = get_close_matches(name, sorted(there.ids)[:_MOST_COMPARED], 1)
        return Diagnostic(
            level="warning",
            where=where,
            what=f"the link to {f'#{name}'[:80]!r} leads nowhere: no heading or element of {self._folder}/{there.path} "
            "has this id",
            why="readers come out at the top of the page, and look for what they were promised",
            do=f"write #{near[0]}, if that is meant" if near else "take the id of a heading there, or leave the # out",
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
