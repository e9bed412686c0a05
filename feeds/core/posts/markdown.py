"""Markdown -> HTML, and HTML -> HTML that is safe to show."""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from posixpath import basename
from typing import Any, NamedTuple
from urllib.parse import quote, unquote, urljoin, urlsplit

from feeds.core.posts import limits
from feeds.core.posts.footnotes import unlink_footnotes
from feeds.core.posts.media import guess_media_type
from feeds.core.posts.portable import inner_html, make_portable
from feeds.core.posts.text import parse_html
from feeds.idn import ascii_host

_SCHEMES = {"http", "https", "mailto", "tel", "sms", "xmpp", "irc", "ircs", "geo", "magnet", "webcal"}
_PLAYERS = ("iframe", "video", "audio", "embed", "object")
_PLAYER = re.compile(rf"<(?:{'|'.join(_PLAYERS)}|script\b[^<>]*\ssrc)\b", re.IGNORECASE)
#: Where the URL of a player is; `data-src` is where scripts find it that load a player when it comes into view.
_URL_ATTRIBUTES = ("src", "data", "data-src", "data-lazy-src")
#: Scripts that write a page of another site into the post; the page is at the same address without `.js`.
_SCRIPT_OF_PAGE = re.compile(
    r"((?:https?:)?//(?:gist\.github\.com/[\w./-]+?|gitlab\.com/[\w./-]*?snippets/\d+|asciinema\.org/a/\w+))\.js\b",
    re.ASCII,
)
#: What says nothing about the site of a player.
_HOST_PREFIX = re.compile(r"(?:www|player|embed|m)\.(?=[^.]+\.)")
#: Punctuation, so that comrak treats it as it treats `~`, and rare.
_INSTEAD_OF_TILDE = "⁓∽⸛⸞"
_LONE_TILDE = re.compile(r"(?<![~\\])~(?!~)")
_OTHER_SCHEME = re.compile(r"(?!https?:)[A-Za-z][A-Za-z0-9+.-]*:", re.IGNORECASE)
#: The characters that no XML document can carry (XML 1.0 section 2.2).
_NOT_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
#: A pattern, with MULTILINE and DOTALL, for fenced code and code in a line, to be matched before what code may hold.
CODE = r"(?P<code>^[ \t>]*(?P<fence>`{3,}|~{3,}).*?(?:^[ \t>]*(?P=fence)|\Z)|(?<!`)(?P<ticks>`++)[^`]++(?P=ticks))"
#: In HTML in lower case: a quotation's source, and a host that is not in ASCII.
_CITE = re.compile(r"cite\s*=")
_WIDE_HOST = re.compile(r"https?://[^\s/?#\"'<>]*(?:%|[^\x00-\x7f])")
#: Pictures inside the HTML: of these types, and not so long that feeds with several posts become too large.
_DATA_PICTURE = re.compile(r"data:image/(?:png|jpe?g|gif|webp|avif);base64,[\w+/=%\s]*\Z", re.ASCII | re.IGNORECASE)
_MAX_DATA_URL = 100_000
#: Browsers leave these out of a URL, so that `da\tta:` is a scheme (https://url.spec.whatwg.org/#url-parsing).
_IGNORED_IN_URL = re.compile(r"[\x00-\x20]+")
#: The inside of a heading, and what does not go into its id.
_HEADING = re.compile(r"<h[1-6]>((?:(?!</?h[1-6]>).)*+)", re.DOTALL)
_NOT_IN_ID = re.compile(r"<[^<>]*>|&\w+;|[^\w<&]+|[<&]")
#: For the id of each, comrak tries all numbers before it.
_MOST_EQUAL_HEADINGS = 1000
#: In one line. With 30,000, comrak 0.0.16 ends the process, since its stack overflows.
_MOST_ADDRESSES = 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class Player:
    """An embedded player: its values as the post has them, empty where it has none."""

    #: Relative or http(s), never empty.
    url: str
    title: str
    #: The picture that a video shows before it plays.
    poster: str
    width: str

    @property
    def label(self) -> str:
        """The text of a link to it: its title, else the name of its file, else the host of its page."""
        url = self.url.strip()
        parts = urlsplit(url)
        name, host = unquote(basename(parts.path)), _HOST_PREFIX.sub("", parts.netloc.lower())
        return self.title.strip() or (name if guess_media_type(url) else host) or name or url


def strip_illegal_xml(text: str) -> str:
    """Return *text* without the characters that XML 1.0 cannot carry."""
    return _NOT_XML.sub("", text)


def first_illegal_xml(text: str) -> re.Match[str] | None:
    """Return the first character that XML 1.0 cannot carry."""
    return _NOT_XML.search(text)


class Extensions(NamedTuple):
    """The syntax of a text beside CommonMark with GitHub's extensions."""

    #: A line break in a paragraph is shown as one.
    breaks: bool = False
    definitions: bool = False
    #: Names such as `:tada:`.
    emoji: bool = False


@lru_cache(maxsize=8)
def _options(extra: Extensions, *, heading_ids: bool, autolink: bool) -> tuple[Any, Any]:
    from comrak import ExtensionOptions, RenderOptions

    extensions = ExtensionOptions()
    extensions.table = extensions.footnotes = extensions.tasklist = extensions.strikethrough = True
    extensions.cjk_friendly_emphasis = True
    extensions.autolink = autolink
    extensions.description_lists = extra.definitions
    extensions.shortcodes = extra.emoji
    extensions.header_id_prefix = "" if heading_ids else None
    rendering = RenderOptions()
    rendering.hardbreaks = extra.breaks
    rendering.unsafe_ = True  # raw HTML is kept here and sanitised below
    return extensions, rendering


def render_markdown(markdown: str) -> str:
    """Return the HTML of *markdown*: CommonMark with tables, footnotes, task lists, strike-through and heading ids.

    It is portable (see `make_portable`), but not safe to show: raw HTML is kept. Footnotes have no links.
    """
    return make_portable(unlink_footnotes(to_html(markdown)))


_NO_EXTENSIONS = Extensions()


def to_html(markdown: str, extra: Extensions = _NO_EXTENSIONS) -> str:
    """Return the HTML of *markdown* as comrak writes it, with raw HTML as it is written."""
    written, mark = _hide_lone_tildes(markdown)
    html = _call_comrak(written, extra)
    if mark:
        html = html.replace(mark, "~").replace(quote(mark), "~")
    return strip_illegal_xml(html)  # `&#1;` is resolved by now


def _call_comrak(markdown: str, extra: Extensions) -> str:
    """Return the HTML of *markdown*, without ids of headings if too many of them are equal."""
    from comrak import render_markdown

    autolink = not _has_line_of_addresses(markdown)
    if markdown.count("\n") > _MOST_EQUAL_HEADINGS:
        extensions, rendering = _options(extra, heading_ids=False, autolink=autolink)
        html = str(render_markdown(markdown, extensions, None, rendering))
        if _has_many_equal_headings(html):
            return html
    extensions, rendering = _options(extra, heading_ids=True, autolink=autolink)
    return str(render_markdown(markdown, extensions, None, rendering))


def _has_line_of_addresses(markdown: str) -> bool:
    """Return whether a line has so many mail addresses that comrak must not link them: it calls itself for each."""
    if markdown.count("@") <= _MOST_ADDRESSES:
        return False
    return any(line.count("@") > _MOST_ADDRESSES for line in markdown.split("\n"))


def _hide_lone_tildes(markdown: str) -> tuple[str, str]:
    """Return *markdown* with another sign for each single tilde, and that sign; an empty one if there is none.

    `~/src:~/dst` is not a strike-through, but comrak takes one tilde for two (as GitHub does) and has no option for it.
    """
    if "~" not in markdown or len(_LONE_TILDE.findall(markdown)) <= 1:
        return markdown, ""
    mark = next((sign for sign in _INSTEAD_OF_TILDE if sign not in markdown and quote(sign) not in markdown), "")
    return (_LONE_TILDE.sub(mark, markdown), mark) if mark else (markdown, "")


def _has_many_equal_headings(html: str) -> bool:
    """Return whether so many headings are equal, marks aside, that comrak takes too long to number their ids."""
    ids = Counter(_NOT_IN_ID.sub("", heading).lower() for heading in _HEADING.findall(html))
    return max(ids.values(), default=0) > _MOST_EQUAL_HEADINGS


def replace_with_link(element: Any, player: Player) -> None:
    """Turn *element* into a link to the URL that a player plays."""
    element.tag = "a"
    element.set("href", player.url)
    element.text = player.label


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

    is_filtered = _needs_filter(html)
    return strip_illegal_xml(  # entities in raw HTML are resolved only now
        nh3.clean(
            limits.divide_texts(replace_players(html, replace)),
            tags=_tags(),
            attributes=_attributes(),
            # For task lists; other inputs are removed. One attribute only: nh3 0.3 writes several in a random order.
            set_tag_attribute_values={"input": {"type": "checkbox"}},
            url_schemes=_SCHEMES | {"data"} if is_filtered else _SCHEMES,
            url_relative=partial(absolute_url, base=base),
            attribute_filter=partial(_filter_attribute, base=base) if is_filtered else None,
            link_rel=None,
        ),
    )


def _needs_filter(html: str) -> bool:
    """Return whether there may be an attribute that nh3 does not check; a filter for each attribute takes time."""
    lower = html.lower()
    return ("cite" in lower and _CITE.search(lower) is not None) or "data:" in lower or bool(_WIDE_HOST.search(lower))


def _filter_attribute(tag: str, name: str, value: str, *, base: str) -> str | None:
    """Return the value of an attribute; None for one that is removed.

    nh3 takes neither `cite` nor a `data:` URL for what it is: the one it does not check at all, of the other it knows
    only the scheme. Hosts are written in ASCII here, since comrak escapes them like paths.
    """
    if name == "cite":
        return _citable_url(value, base)
    if name in {"href", "src"}:
        is_data = _IGNORED_IN_URL.sub("", value[:_MAX_DATA_URL]).lower().startswith("data:")
        return ascii_host(value) if not is_data or (tag == "img" and _is_small_picture(value)) else None
    return value


def _citable_url(written: str, base: str) -> str | None:
    """Return the absolute http(s) URL of a quotation's source; None if *written* is a name."""
    url = written.strip()
    if _OTHER_SCHEME.match(url) or not re.fullmatch(r"(?!www\.)(?:https?:)?[^\s:]*[/.#?]\S*", url):
        return None
    absolute = absolute_url(url, base)
    return ascii_host(absolute) if absolute and absolute.startswith(("http://", "https://")) else None


def _is_small_picture(url: str) -> bool:
    return len(url) <= _MAX_DATA_URL and _DATA_PICTURE.match(url) is not None


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
        "a": {"name"},
        "input": {"checked", "disabled"},
        "ol": {"reversed"},
        "li": {"value"},
        "img": {"loading"},
    }
    return {
        tag: nh3.ALLOWED_ATTRIBUTES.get(tag, set()) | ours.get(tag, set()) for tag in {*nh3.ALLOWED_ATTRIBUTES, *ours}
    }


def replace_players(html: str, replace: Callable[[Any, Player], None]) -> str:
    """Return *html*, not yet safe, with each embedded player replaced.

    A player with a relative or http(s) URL becomes an empty `span`, which is given to *replace*; without one, of the
    player only its content stays. A script that writes a page of a known site into the post is a player too.
    """
    if not _PLAYER.search(html):
        return html
    root = parse_html(html)
    for element in list(root.iter(*_PLAYERS, "script")):
        player = _player_of_script(element) if element.tag == "script" else _player(element)
        if player or element.tag == "iframe":
            element.clear(keep_tail=True)
        if player or element.tag != "script":
            element.tag = "span"
        if player:
            replace(element, player)
    return inner_html(root)


def player_urls(html: str) -> list[str]:
    """Return the URLs of the players in *html* as they are written."""
    urls: list[str] = []
    replace_players(html, lambda _, player: urls.append(player.url.strip()))
    return urls


def _player(element: Any) -> Player | None:
    sources = [element, *element.iter("source")]
    urls = (found for e in sources for key in _URL_ATTRIBUTES if (found := e.get(key)))
    url = next((u for u in urls if not _OTHER_SCHEME.match(u.strip()) and absolute_url(u, "") is not None), None)
    if not url:
        return None
    title = element.get("title") or element.get("aria-label", "")
    values = (url, title, element.get("poster", ""), element.get("width", ""))
    return Player(**dict(zip(("url", "title", "poster", "width"), map(strip_illegal_xml, values), strict=True)))


def _player_of_script(script: Any) -> Player | None:
    """Return the page that a script writes into the post, as if it were embedded; None for any other script."""
    found = _SCRIPT_OF_PAGE.match(script.get("src", "").strip())
    return Player(url=found[1], title=found[1].partition("//")[2], poster="", width="") if found else None
