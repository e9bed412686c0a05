"""Links to anchors in posts: find those that lead nowhere."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from html import unescape
from urllib.parse import unquote, urldefrag, urlsplit

from feeds.core.newsletters.lint import Diagnostic
from feeds.core.posts.markdown import absolute_url
from feeds.core.posts.text import parse_html
from feeds.model import Post
from feeds.spelling import closest_name

# The first two patterns begin with "=", which is rare: that is ten times as fast as a name in upper or lower case.
_ID_ATTRIBUTE = re.compile(
    r"""=(?:(?<=\sid=)|(?<=\sid\s=)|(?<=\sname=)|(?<=\sname\s=))\s*(?:"([^"<>]*)"|'([^'<>]*)'|([^\s"'<>=`]+))""",
    re.IGNORECASE,
)
_FRAGMENT_LINK = re.compile(r"""=(?:(?<=\shref=)|(?<=\shref\s=))\s*["']?([^\s"'<>]*#[^\s"'<>]*)""", re.IGNORECASE)
_HEADING = re.compile(r"<h[1-6]\b[^<>]*>((?:(?!</?h[1-6]\b).){0,1000}+)</h[1-6]>", re.IGNORECASE | re.DOTALL)
#: Ids that generators read in the text: `## Title {#id}`, `{: #id}`, and any argument of a template tag.
_ID_IN_BRACES = re.compile(r"\{:?[^{}\n]*?#([^\s{}]+)")
_TEMPLATE_TAG = re.compile(r"\{[{%]((?:(?!\{[{%]|[%}]\}).){0,1000}+)[%}]\}", re.DOTALL)
#: Characters of a heading that every generator leaves out of its id. For other characters generators differ: `ü` may
#: become `ü`, `u`, `ue` or nothing, `&` nothing or `and`, a crab emoji `crab`.
_DROPPED = re.compile(r"[ \t\n_.,:;!?'\"()\[\]{}/\\*#`-]+")
_NOT_PLAIN = re.compile(r"[^A-Za-z0-9]")
#: Fragments that are not anchors of a post: the top of the page, comments, footnotes (generators number them
#: differently), and what scripts read from an address.
_IGNORED_FRAGMENT = re.compile(
    r"(?:top|respond|disqus_thread|comments?(?:[-_:]?\d+)?|(?:user-content-)?(?:fn|fnref|footnote)[-_:]?\d+|[!/].*|)\Z",
    re.IGNORECASE | re.DOTALL,
)
#: How many ids of a page are compared with a dead link, to suggest the nearest.
_MAX_COMPARED = 500
#: Host and path of a page, normalized.
PageKey = tuple[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class PostAnchors:
    """The anchors of one post, and its own links to anchors."""

    page: PageKey
    #: The path of the post's file.
    path: str
    #: The ids in the post's HTML as it is rendered here.
    ids: frozenset[str]
    #: The title, which the site may show as a heading, and ids that a generator may read in the text.
    possible_ids: frozenset[str]
    #: For headings with other characters than plain letters: patterns of the ids that generators may make.
    heading_patterns: tuple[str, ...]
    #: Absolute URLs; without links to other sites and to ids of the post itself.
    links: tuple[str, ...]


def find_anchors(post: Post, html: str) -> PostAnchors:
    """Return the anchors of a post that is rendered as *html*, and its links to anchors.

    Most posts need not be parsed for this: their links lead to other sites, or to their own headings.
    """
    page = page_key(post.url)
    ids = frozenset(unescape("".join(groups)) for groups in _ID_ATTRIBUTE.findall(html))
    own = {f"#{name}" for name in ids}

    def links_to_check(links: Iterable[str]) -> tuple[str, ...]:
        """Return the links that may lead to a post of this site, but not to an id of this post; absolute."""
        near = (link for link in links if link not in own and ("://" not in link or page[0] in link.lower()))
        urls = (absolute_url(link, post.url) for link in near if unquote(link) not in own)
        return tuple(dict.fromkeys(url for url in urls if url and page_key(url)[0] == page[0]))

    candidates = links_to_check(map(unescape, _FRAGMENT_LINK.findall(html)))
    return PostAnchors(
        page=page,
        path=post.path,
        ids=ids,
        possible_ids=frozenset((post.title, *(_ids_in_text(html) if "{" in html else ()))),
        heading_patterns=tuple(_heading_patterns(html)),
        # Some candidates may be in a comment.
        links=links_to_check(_fragment_links(html)) if candidates else (),
    )


def _fragment_links(html: str) -> Iterator[str]:
    """Yield the links of *html* that have a fragment."""
    for element in parse_html(html).iter("a"):
        if "#" in (link := element.get("href", "").strip()):
            yield link


def find_links(html: str, base: str) -> Iterator[str]:
    """Yield the links of a post's text as a letter has them: absolute, if they lead anywhere."""
    for element in parse_html(html).iter("a"):
        if link := element.get("href", "").strip():
            yield absolute_url(link, base) or link


def page_key(url: str) -> PageKey:
    """Return host and path of a URL, without scheme, `www.`, query and the file name of an index."""
    parts = urlsplit(url)
    path = re.sub(r"/(?:index\.html?)?\Z", "", unquote(parts.path))
    return (parts.netloc.lower().removeprefix("www."), path)


def _ids_in_text(html: str) -> Iterator[str]:
    yield from _ID_IN_BRACES.findall(html)
    for tag in _TEMPLATE_TAG.findall(html):
        yield from re.findall(r"[\w-]+", unescape(tag))


def _heading_patterns(html: str) -> Iterator[str]:
    """Yield a pattern for each heading from which generators make different ids; `*` matches any characters."""
    for inner in _HEADING.findall(html):
        heading = _DROPPED.sub("", unescape(re.sub(r"<[^>]*>", "", inner)))
        if _NOT_PLAIN.search(heading):
            yield _NOT_PLAIN.sub("*", heading).lower()


class AnchorIndex:
    """The anchors of all posts of a site."""

    def __init__(self, posts: Iterable[PostAnchors], folder: str) -> None:
        """*folder* is the folder of the posts, for messages."""
        self._folder = folder
        self._posts: dict[PageKey, list[PostAnchors]] = {}
        self._post_links: set[str] = set()
        for post in posts:
            self._posts.setdefault(post.page, []).append(post)
            self._post_links.update(post.links)
        #: Normalized ids of the pages that were asked for.
        self._ids: dict[PageKey, frozenset[str]] = {}

    def dead_links(self, links: Iterable[str]) -> Iterator[str]:
        """Yield the links that lead to a post, but not to an anchor in it."""
        for link in links:
            page, name = page_key(link), _fragment(link)
            if page in self._posts and not _IGNORED_FRAGMENT.match(name) and not self._has_anchor(page, name):
                yield link

    def dead_links_in_letter(self, html: str) -> Iterator[str]:
        """Yield the dead links of a letter, except those of its posts, which are reported with the posts."""
        links = dict.fromkeys(_fragment_links(html))
        return self.dead_links(link for link in links if link not in self._post_links)

    def _has_anchor(self, page: PageKey, name: str) -> bool:
        """Return whether a page has an anchor, whichever id the site's generator makes for it.

        Generators differ: from "1. What's new?" they make `1-whats-new`, `1-what-s-new` or `what-s-new`. So only
        letters and digits are compared, without digits at the beginning.
        """
        posts, normalized = self._posts[page], _normalize(name)
        if page not in self._ids:
            ids = [_normalize(one) for post in posts for one in (*post.ids, *post.possible_ids)]
            self._ids[page] = frozenset((*ids, *(one.lstrip("0123456789") for one in ids)))
        if normalized in self._ids[page]:
            return True
        patterns = (pattern for post in posts for pattern in post.heading_patterns)
        return name.isascii() and any(fnmatchcase(normalized, pattern) for pattern in patterns)

    def diagnose(self, link: str, where: str) -> Diagnostic:
        """Return the diagnostic for a dead link."""
        post, name = self._posts[page_key(link)][0], _fragment(link)
        near = closest_name(name, sorted(post.ids)[:_MAX_COMPARED])
        return Diagnostic(
            level="warning",
            where=where,
            what=f"the link to {f'#{name}'[:80]!r} leads nowhere: no heading or element of {self._folder}/{post.path} "
            "has this id",
            why="the browser opens the top of the page instead",
            do=f"write #{near}, if that is meant" if near else "use the id of a heading there, or remove the #",
        )


def _fragment(link: str) -> str:
    """Return a link's fragment, decoded and without text directives (`:~:`, URL Fragment Text Directives)."""
    return unquote(urldefrag(link)[1]).partition(":~:")[0]


def _normalize(name: str) -> str:
    """Return the letters and digits of an id, without case and accents."""
    return "".join(c for c in unicodedata.normalize("NFKD", name).casefold() if c.isalnum())


def fragment_line(link: str, text: str) -> int | None:
    """Return the number of the first line of a post's file that has a link's fragment; None if there is none."""
    name = urldefrag(link)[1]
    positions = (text.find(f"#{spelling}") for spelling in (name, unquote(name)))
    return next((text.count("\n", 0, at) + 1 for at in positions if at >= 0), None)
