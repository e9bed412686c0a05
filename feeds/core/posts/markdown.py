"""Markdown -> HTML, and HTML -> HTML that is safe to show."""

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
#: Elements that may contain themselves, and so nest without limit.
_TAG = re.compile(
    r"<(/?)(?:div|blockquote|ul|ol|table|section|article|span|em|strong|b|i|u|s|a|font|details|figure|sub|sup|center|del)\b",
    re.IGNORECASE,
)
#: Elements that comrak writes for a few characters of Markdown.
_CHEAP_TO_NEST = ("<blockquote", "<ul", "<ol", "<em", "<strong", "<del")
#: Deeper nested HTML is not accepted: no reader could show it.
MAX_DEPTH = 200
#: A list nests by indentation or by marks on one line.
_DEEP_INDENT = b" " * 60
_LIST_IN_LISTS = re.compile(rb"\n[ \t>]*[-+*0-9][-+*0-9.) \t>]{17}")
#: Cells of tables: a row of one letter gets as many cells as its header has.
_MANY_CELLS = 50_000
_OTHER_SCHEME = re.compile(r"(?!https?:)[A-Za-z][A-Za-z0-9+.-]*:", re.IGNORECASE)
#: The characters that no XML document can carry (XML 1.0 section 2.2).
_NOT_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
#: A pattern, with MULTILINE and DOTALL, for fenced code and code in a line, to be matched before what code may hold.
CODE = r"(?P<code>^[ \t>]*(?P<fence>`{3,}|~{3,}).*?(?:^[ \t>]*(?P=fence)|\Z)|(?<!`)(?P<ticks>`++)[^`]++(?P=ticks))"


@dataclass(frozen=True, kw_only=True, slots=True)
class Player:
    """An embedded player: its values as the post has them, empty where it has none."""

    #: Relative or http(s), never empty.
    url: str
    title: str
    #: The picture that a video shows before it plays.
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
    from comrak import ExtensionOptions, RenderOptions

    extensions = ExtensionOptions()
    extensions.table = extensions.footnotes = extensions.tasklist = extensions.strikethrough = True
    extensions.autolink = extensions.cjk_friendly_emphasis = True
    extensions.header_id_prefix = ""
    rendering = RenderOptions()
    rendering.unsafe_ = True  # raw HTML is kept here and sanitised below
    return extensions, rendering


def render_markdown(markdown: str) -> str:
    """Return the HTML of *markdown*: CommonMark with tables, footnotes, task lists, strike-through and heading ids.

    It is not safe to show: raw HTML is kept as written.
    """
    from comrak import render_markdown

    extensions, rendering = _options()
    return strip_illegal_xml(render_markdown(markdown, extensions, None, rendering))  # `&#1;` is resolved by now


def may_be_pathological(markdown: bytes) -> bool:
    """Return whether the HTML of *markdown* may be nested too deeply or be too long.

    False is certain: the text has too few marks for either. True may be a false alarm.
    """
    marks = len(markdown) - len(markdown.translate(None, b"<>*_~|"))
    return (
        marks >= MAX_DEPTH
        or marks * markdown.count(b"\n") >= _MANY_CELLS
        or _DEEP_INDENT in markdown
        or (b"\t" in markdown and b"\t\t\t\t\t\t\t\t" in markdown)
        or _LIST_IN_LISTS.search(b"\n" + markdown) is not None
    )


def nesting_depth(html: str) -> int:
    """Return how deep the elements of *html* are nested; 0 for HTML that is certainly less deep than `MAX_DEPTH`.

    The time that parsers take grows with the square of the depth, and libxml2 gives up at 256.
    """
    if html.count("<") - 2 * html.count("</") < MAX_DEPTH and sum(map(html.count, _CHEAP_TO_NEST)) < MAX_DEPTH:
        return 0
    depth = deepest = 0
    for tag in _TAG.finditer(html):
        depth = max(0, depth - 1) if tag[1] else depth + 1
        deepest = max(deepest, depth)
    return deepest


def replace_with_link(element: Any, player: Player) -> None:
    """Turn *element* into a link to the URL that a player plays."""
    element.tag = "a"
    element.set("href", player.url)
    element.text = player.title or player.url


def absolute_url(url: str, base: str) -> str | None:
    """Return *url* relative to *base*; None if it cannot be parsed, such as `//[bad`."""
    try:
        return urljoin(base, url)
    except ValueError:
        return None


def sanitize_html(html: str, base: str, replace: Callable[[Any, Player], None] = replace_with_link) -> str:
    """Return *html* without scripts, handlers, forms and unknown schemes, every URL made absolute with *base*.

    *replace* turns each embedded player into something else; the result is sanitised like the rest.
    """
    import nh3

    return strip_illegal_xml(  # entities in raw HTML are resolved only now
        nh3.clean(
            replace_players(html, replace),
            tags=_tags(),
            attributes=_attributes(),
            # For task lists; other inputs are removed. One attribute only: nh3 0.3 writes several in a random order.
            set_tag_attribute_values={"input": {"type": "checkbox"}},
            url_schemes=_SCHEMES,
            url_relative=partial(absolute_url, base=base),
            link_rel=None,
        ),
    )


@lru_cache(maxsize=1)
def _tags() -> set[str]:
    import nh3

    return nh3.ALLOWED_TAGS | {"section", "input", "tfoot", "picture"} - {"center"}


@lru_cache(maxsize=1)
def _attributes() -> dict[str, set[str]]:
    import nh3

    ours: dict[str, set[str]] = {
        "*": {"lang", "dir", "title", "id"},
        "code": {"class"},
        "input": {"checked", "disabled"},
        "img": {"loading"},
    }
    return {
        tag: nh3.ALLOWED_ATTRIBUTES.get(tag, set()) | ours.get(tag, set()) for tag in {*nh3.ALLOWED_ATTRIBUTES, *ours}
    }


def replace_players(html: str, replace: Callable[[Any, Player], None]) -> str:
    """Return *html*, not yet safe, with each embedded player replaced.

    A player becomes an empty `span`, which is given to *replace* if the player has a relative or http(s) URL.
    """
    if not _PLAYER.search(html):
        return html
    from lxml.html import tostring

    root = parse_html(html)
    for element in list(root.iter(*_PLAYERS)):
        player = _player(element)
        element.clear(keep_tail=True)
        element.tag = "span"
        if player:
            replace(element, player)
    return str(tostring(root, encoding="unicode"))[len("<body>") : -len("</body>")]


def _player(element: Any) -> Player | None:
    sources = [element, *element.iter("source")]
    urls = (found for e in sources for key in ("src", "data") if (found := e.get(key)))
    url = next((u for u in urls if not _OTHER_SCHEME.match(u.strip())), None)
    if not url:
        return None
    title, poster, width = (strip_illegal_xml(element.get(name, "")) for name in ("title", "poster", "width"))
    return Player(url=strip_illegal_xml(url), title=title, poster=poster, width=width)
