"""Convert a post's HTML to HTML for mail: all styles inline, nothing that a mail program would drop or run.

Mail programs drop style sheets, scripts, forms and frames, each program others. So a letter has only plain elements
of a post: headings, paragraphs, lists, quotations, code, tables and images, each styled in its own attribute. Classes
are for what may be lost: dark colours, narrow screens.
"""

import re
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

from feeds.core.newsletters.pictures import COLUMN
from feeds.core.newsletters.truncation import split_blocks
from feeds.core.posts import markdown
from feeds.core.posts.footnotes import unlink_footnotes
from feeds.core.posts.portable import inner_html
from feeds.core.posts.text import parse_html, text_blocks
from feeds.core.posts.urls import is_uri, quote_url, resolve_url

_MONO = "font-family:Menlo,Consolas,monospace"
#: On a phone, the rows of a table with more columns become blocks.
_MAX_NARROW_COLUMNS = 3
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
#: A player whose parent is one of these is between paragraphs.
_BLOCK_PARENTS = {"body", "div", "section", "article", "center"}
#: Outlook on Windows does not know these elements, and Yahoo and Outlook.com remove their tags, so that a caption runs
#: on from its image (https://www.caniemail.com/features/html-semantics/). `details` would hide its content in some.
_REPLACED = (
    dict.fromkeys(("article", "aside", "details", "figure", "figcaption", "footer", "header", "hgroup", "nav"), "div")
    | dict.fromkeys(("section", "summary", "main"), "div")
    | dict.fromkeys(("mark", "time", "picture"), "span")
)
#: Only so many digits of a width are read; Python refuses numbers of more than 4300.
_MAX_DIGITS = 5
_URL_ATTRIBUTES = {"href", "src"}
#: Browsers leave line breaks and tabs out of a URL (https://url.spec.whatwg.org/#url-parsing).
_IGNORED_IN_URL = re.compile(r"[\t\n\r]+")


@dataclass(frozen=True, kw_only=True, slots=True)
class MailStyle:
    """The colours of a letter except that of its text, and the side where its lines start."""

    muted: str = "#5f5a52"
    accent: str = "#0a5a78"
    tint: str = "#f5f1e8"
    rule: str = "#e4ded3"
    start: str = "left"


def render_mail_html(html: str, base: str, style: MailStyle, *, below: int = 2, watch: str = "{title}") -> str:
    """Return a post's HTML as HTML for mail; *below* is the level of the heading above the post.

    A film becomes a link, with the still image above it that the post names, if any; *watch* is the text of that link.
    Footnotes have no links.
    """
    from lxml.html import tostring

    unlinked = unlink_footnotes(html)
    root = parse_html(markdown.sanitize_html(unlinked, base, partial(_replace_with_link, base=base, watch=watch)))
    for element in list(root.iter()):
        if isinstance(element.tag, str) and element is not root:
            _inline_style(element, style, below)
    return "".join(str(tostring(child, encoding="unicode", method="html")) for child in split_blocks(root)).strip()


def text_paragraphs(html: str) -> tuple[str, ...]:
    """Return the paragraphs of mail HTML for the text part, with the address of each link after its text.

    Addresses are in angle brackets (RFC 3986 appendix C), so that no program takes the punctuation after one for a part
    of it, and in ASCII, so that no line breaks inside one.
    """
    root = parse_html(html)
    for link in root.iter("a"):
        label = _link_label(link)
        address = _link_address(link.get("href") or "")
        if address and not _is_address(label, address):
            link.tail = f" <{address}>{link.tail or ''}"
    return tuple(paragraph for _, paragraph in text_blocks(inner_html(root)))


def _replace_with_link(element: Any, player: markdown.Player, base: str, watch: str) -> None:
    """Replace a player with a link, below its still image if the post names one.

    Nothing is requested from a host that the post does not name. Image and text are one link: one Tab stop for the
    keyboard, and legible without images.
    """
    from lxml.html import Element

    address, still = _web_address(player.url, base), _web_address(player.poster, base)
    if address is None:
        return
    title = player.label
    link = _replace_element(element, "a")
    link.set("href", address)
    if still is None:
        link.text = title
        return
    link.append(Element("img", src=still, alt=title, width=str(_pixel_width(player.width) or COLUMN)))
    link.append(Element("br"))
    link[-1].tail = watch.format(title=title)


def _replace_element(element: Any, tag: str) -> Any:
    """Turn *element* into one with another tag and return it; between paragraphs it is put into a paragraph."""
    from lxml.html import Element

    parent = element.getparent()
    if parent is None or parent.tag not in _BLOCK_PARENTS:
        element.tag = tag
        return element
    element.tag = "p"
    element.append(Element(tag))
    return element[0]


def _web_address(url: str, base: str) -> str | None:
    """Return *url* as an absolute http(s) URL, resolved against *base*; None if it is empty or has another scheme."""
    absolute = markdown.absolute_url(url.strip(), base) if url.strip() else None
    return absolute.replace(" ", "%20") if absolute and absolute.startswith(("http://", "https://")) else None


def _link_label(link: Any) -> str:
    """Return the text of a link without its images, which break no line; one of only images gets their alt texts."""
    images = list(link.iter("img"))
    for image in images:
        following = image.getnext()
        if following is not None and following.tag == "br" and not (image.tail or "").strip():
            following.drop_tree()
        image.drop_tree()
    if not link.text_content().strip():
        link.text = " ".join(image.get("alt", "") for image in images)
    return str(link.text_content()).strip()


def _link_address(url: str) -> str:
    """Return the absolute address of a link in ASCII; empty if it is not one."""
    return resolve_url("", url.strip()) or (quote_url(url.strip()) if is_uri(url.strip()) else "")


def _is_address(label: str, address: str) -> bool:
    """Return whether the text of a link is its address, as it is typed."""
    return address in {_link_address(label), f"mailto:{label}"}


def _inline_style(element: Any, style: MailStyle, below: int) -> None:
    """Style one element in its attribute; ids and classes of the post are removed."""
    for name in ("id", "name", "class", "style", "loading"):
        element.attrib.pop(name, None)
    for name in _URL_ATTRIBUTES.intersection(element.keys()):  # lxml would write a line break as `%0A`
        element.set(name, _IGNORED_IN_URL.sub("", element.get(name)))
    if element.tag in _HEADINGS:
        _inline_heading_style(element, below)
    elif element.tag == "img":
        _inline_image_style(element, style)
    elif element.tag == "input":
        _replace_checkbox(element)
    elif element.tag == "table":
        _inline_table_style(element)
    elif element.tag == "a" and not len(element) and not (element.text or "").strip():
        element.drop_tree()  # an anchor
    elif not (element.tag == "code" and element.getparent().tag == "pre"):  # `pre` has the style
        _inline_simple_style(element, style)


def _inline_heading_style(heading: Any, below: int) -> None:
    level = min(below + _HEADINGS.index(heading.tag) + 1, len(_HEADINGS))
    heading.tag = f"h{level}"
    size = 21 if level <= below + 2 else 17
    heading.set("style", f"margin:32px 0 8px;font-size:{size}px;line-height:1.3;font-weight:700")


def _inline_simple_style(element: Any, style: MailStyle) -> None:
    tag, styles = element.tag, _styles(style)
    element.tag = _REPLACED.get(tag, tag)
    if tag in styles:
        element.set("style", styles[tag])
    if tag in _CLASSES:
        element.set("class", _CLASSES[tag])
    if tag in {"pre", "code"}:
        element.set("dir", "ltr")  # code runs from left to right in any language


_CLASSES = {"a": "c", "pre": "m", "code": "m", "mark": "m", "figcaption": "u"}


@lru_cache(maxsize=8)
def _styles(style: MailStyle) -> dict[str, str]:
    start = style.start
    # Outlook on Windows knows `padding` on cells only (https://www.caniemail.com/features/css-padding/): bullets and
    # numbers would be left of the column, cut off. They take some 30 px of margin (emailmonday/Cerberus, issue 167).
    indented = "margin:0 32px 16px 0" if start == "right" else "margin:0 0 16px 32px"
    cell = f"padding:8px 16px 8px 0;border-bottom:1px solid {style.rule};text-align:{start};vertical-align:top"
    inline = _MONO + f";font-size:.9em;background:{style.tint}"
    return {
        "p": "margin:0 0 16px",
        "a": f"color:{style.accent};text-decoration:underline",
        "ul": f"{indented};padding:0",
        "ol": f"{indented};padding:0",
        "li": "margin:0 0 4px",
        "blockquote": f"margin:0 0 16px;padding-{start}:16px;border-{start}:3px solid {style.rule}",
        "pre": f"margin:0 0 16px;padding:16px;background:{style.tint};{_MONO};font-size:14px;line-height:1.5;"
        "white-space:pre-wrap;overflow-wrap:anywhere;text-align:left",
        "code": inline,
        "hr": f"margin:32px 0;border:0;border-top:1px solid {style.rule}",
        "th": f"{cell};font-weight:700",
        "td": cell,
        "figure": "margin:0 0 16px",
        "figcaption": f"margin:8px 0 0;font-size:14px;color:{style.muted}",
        "summary": "font-weight:700",
        "mark": f"background:{style.tint}",
        "dt": "font-weight:700",
        "dd": "margin:0 0 8px",
    }


def _inline_image_style(image: Any, style: MailStyle) -> None:
    """Give an image an alt text and a width within the column, and no height, which it would keep when it shrinks."""
    if not image.get("src", "").startswith(("http://", "https://")):  # data: would make the letter too long
        image.tag, alt = "span", image.get("alt", "")
        image.attrib.clear()
        image.text = alt
        return
    width = _pixel_width(image.get("width", ""))
    for name in ("width", "height", "srcset", "sizes"):
        image.attrib.pop(name, None)
    image.set("alt", image.get("alt", ""))
    if width is not None:
        image.set("width", str(width))
    image.set("style", f"max-width:100%;height:auto;border:0;font-size:14px;line-height:1.4;color:{style.muted}")


def _pixel_width(text: str) -> int | None:
    """Return a width in pixels, at most that of the column; None if *text* is not a number, such as `100%`."""
    if not text.isdecimal():
        return None
    return min(int(text[:_MAX_DIGITS]), COLUMN)


def _replace_checkbox(box: Any) -> None:
    """Replace a task's checkbox with a character, since mail programs drop forms."""
    done = box.get("checked") is not None
    box.attrib.clear()
    box.tag, box.text = "span", "☑" if done else "☐"


def _inline_table_style(table: Any) -> None:
    columns = max((len(row) for row in table.iter("tr")), default=0)
    table.set("style", "width:100%;margin:0 0 16px;border-collapse:collapse;font-size:16px")
    if columns > _MAX_NARROW_COLUMNS:
        table.set("class", "s")
