"""Markdown -> HTML, and HTML -> HTML that can be shown to anybody."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any
from urllib.parse import urljoin

from feeds.core.posts.text import parse_html

_SCHEMES = {"http", "https", "mailto", "tel", "sms", "xmpp", "irc", "ircs", "geo", "magnet", "webcal"}
_PLAYERS = ("iframe", "video", "audio", "embed", "object")
_PLAYER = re.compile(rf"<(?:{'|'.join(_PLAYERS)})\b", re.IGNORECASE)
#: Elements that may hold themselves, and so nest without end.
_TAG = re.compile(
    r"<(/?)(?:div|blockquote|ul|ol|table|section|article|span|em|strong|b|i|u|s|a|font|details|figure|sub|sup|center|del)\b",
    re.IGNORECASE,
)
#: Those that comrak itself writes for a few characters of Markdown.
_NESTED = ("<blockquote", "<ul", "<ol", "<em", "<strong", "<del")
_DEEPEST = 200
#: A list nests by columns or by marks on one line.
_DEEP_INDENT = b" " * 60
_LIST_IN_LISTS = re.compile(rb"\n[ \t>]*[-+*0-9][-+*0-9.) \t>]{17}")
#: Cells of a table: a row of one letter can have as many as its header.
_MANY_CELLS = 50_000
_OTHER_SCHEME = re.compile(r"(?!https?:)[A-Za-z][A-Za-z0-9+.-]*:", re.IGNORECASE)
#: XML 1.0 section 2.2: what no XML document can carry.
_NOT_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True, kw_only=True, slots=True)
class Player:
    """What an embedded player would play, as the post writes it; empty where it does not."""

    #: Never empty, and of no scheme that could run.
    url: str
    title: str
    #: The still that a film shows before it plays.
    poster: str
    width: str


def strip_illegal_xml(text: str) -> str:
    """Return *text* without the characters that XML 1.0 cannot carry."""
    return _NOT_XML.sub("", text)


def first_illegal_xml(text: str) -> re.Match[str] | None:
    """Return the first character that XML 1.0 cannot carry."""
    return _NOT_XML.search(text)


@lru_cache(maxsize=1)
def _options() -> tuple[Any, Any]:
    from comrak import ExtensionOptions, RenderOptions  # noqa: PLC0415 - only what is shown is rendered

    extensions = ExtensionOptions()
    extensions.table = extensions.footnotes = extensions.tasklist = extensions.strikethrough = True
    extensions.autolink = extensions.cjk_friendly_emphasis = True
    extensions.header_id_prefix = ""
    rendering = RenderOptions()
    rendering.unsafe_ = True  # raw HTML is let through here and sanitised below
    return extensions, rendering


def render_markdown(markdown: str) -> str:
    """Return the HTML of *markdown*: CommonMark with tables, footnotes, task lists, strike-through and heading ids.

    Not safe to show: raw HTML comes through as written.
    """
    from comrak import render_markdown  # noqa: PLC0415

    extensions, rendering = _options()
    return strip_illegal_xml(render_markdown(markdown, extensions, None, rendering))  # `&#1;` is a character by now


def may_be_pathological(markdown: bytes) -> bool:
    """Return whether *markdown* has what it takes to nest too deeply or to grow too much.

    Most posts have not, and need not be rendered to know it. What is suspected is rendered and looked at, so a false
    alarm costs time only; what passes here has too few marks for either.
    """
    marks = len(markdown) - len(markdown.translate(None, b"<>*_~|"))
    return (
        marks >= _DEEPEST
        or marks * markdown.count(b"\n") >= _MANY_CELLS
        or _DEEP_INDENT in markdown
        or (b"\t" in markdown and b"\t\t\t\t\t\t\t\t" in markdown)
        or _LIST_IN_LISTS.search(b"\n" + markdown) is not None
    )


def nesting_depth(html: str) -> int:
    """Return how deep the elements of *html* are nested at most, as far as that could hurt a parser.

    Parsers take a time that grows with the square of the depth, and libxml2 gives up at 256.
    """
    if html.count("<") - 2 * html.count("</") < _DEEPEST and sum(map(html.count, _NESTED)) < _DEEPEST:
        return 0
    depth = deepest = 0
    for tag in _TAG.finditer(html):
        depth = max(0, depth - 1) if tag[1] else depth + 1
        deepest = max(deepest, depth)
    return deepest


def replace_with_link(element: Any, player: Player) -> None:
    """Make *element* a link to what a player plays."""
    element.tag = "a"
    element.set("href", player.url)
    element.text = player.title or player.url


def absolute_url(url: str, base: str) -> str | None:
    """Return *url* as seen from *base*; None for what can be no address, such as `//[bad`."""
    try:
        return urljoin(base, url)
    except ValueError:
        return None


def sanitize_html(html: str, base: str, shown: Callable[[Any, Player], None] = replace_with_link) -> str:
    """Return *html* without scripts, handlers, forms and unknown schemes, every URL absolute as seen from *base*.

    An embedded player becomes what *shown* makes of it, a link to what it plays; that is sanitised like all else.
    """
    import nh3  # noqa: PLC0415 - only what is shown is sanitised

    return strip_illegal_xml(  # and inside raw HTML now
        nh3.clean(
            replace_players(html, shown),
            tags=_tags(),
            attributes=_attributes(),
            # Task lists; no other input. One value only: nh3 0.3 writes several in an order that chance decides.
            set_tag_attribute_values={"input": {"type": "checkbox"}},
            url_schemes=_SCHEMES,
            url_relative=partial(absolute_url, base=base),
            link_rel=None,
        ),
    )


@lru_cache(maxsize=1)
def _tags() -> set[str]:
    import nh3  # noqa: PLC0415

    return nh3.ALLOWED_TAGS | {"section", "input", "tfoot", "picture"} - {"center"}


@lru_cache(maxsize=1)
def _attributes() -> dict[str, set[str]]:
    import nh3  # noqa: PLC0415

    ours: dict[str, set[str]] = {
        "*": {"lang", "dir", "title", "id"},
        "code": {"class"},
        "input": {"checked", "disabled"},
        "img": {"loading"},
    }
    return {
        tag: nh3.ALLOWED_ATTRIBUTES.get(tag, set()) | ours.get(tag, set()) for tag in {*nh3.ALLOWED_ATTRIBUTES, *ours}
    }


def replace_players(html: str, shown: Callable[[Any, Player], None]) -> str:
    """Return *html*, not yet safe, with what *shown* makes of the empty `span` that stands for each embedded player.

    Nothing is made of a player that names no address, or only such as could run; nothing plays, whatever is made.
    """
    if not _PLAYER.search(html):
        return html
    from lxml.html import tostring  # noqa: PLC0415 - few posts embed anything

    root = parse_html(html)
    for element in list(root.iter(*_PLAYERS)):
        player = _player(element)
        element.clear(keep_tail=True)
        element.tag = "span"
        if player:
            shown(element, player)
    return str(tostring(root, encoding="unicode"))[len("<body>") : -len("</body>")]


def _player(element: Any) -> Player | None:
    sources = [element, *element.iter("source")]
    urls = (found for e in sources for key in ("src", "data") if (found := e.get(key)))
    url = next((u for u in urls if not _OTHER_SCHEME.match(u.strip())), None)
    if not url:
        return None
    said = {name: strip_illegal_xml(element.get(name, "")) for name in ("title", "poster", "width")}
    return Player(url=strip_illegal_xml(url), **said)
