"""Convert a post's HTML to HTML for mail: all styles inline, nothing that a mail program would drop or run.

Mail programs drop style sheets, scripts, forms and frames, each program others. So a letter has only plain elements
of a post: headings, paragraphs, lists, quotations, code, tables and images, each styled in its own attribute. Classes
are for what may be lost: dark colours, narrow screens.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Any

from feeds.core.newsletters.headings import HEADINGS, shift_headings
from feeds.core.newsletters.mail_pictures import double_sources, pixel_width, style_picture
from feeds.core.newsletters.mail_tables import style_table
from feeds.core.newsletters.palette import light_palette
from feeds.core.newsletters.picture_problems import unsupported_format
from feeds.core.newsletters.pictures import COLUMN, Picture, as_written
from feeds.core.newsletters.task_lists import put_boxes_beside_text
from feeds.core.newsletters.truncation import split_blocks
from feeds.core.posts import markdown
from feeds.core.posts.footnotes import unlink_footnotes
from feeds.core.posts.line_breaks import join_cjk_lines
from feeds.core.posts.locales import has_italics, text_direction
from feeds.core.posts.portable import inner_html
from feeds.core.posts.text import parse_html
from feeds.core.posts.urls import remove_ignored
from feeds.settings import Theme

_MONO = "font-family:Menlo,Consolas,monospace"
#: A player whose parent is one of these is between paragraphs.
_BLOCK_PARENTS = {"body", "div", "section", "article", "center"}
#: Outlook on Windows does not know these elements, and Yahoo and Outlook.com remove their tags, so that a caption runs
#: on from its image (https://www.caniemail.com/features/html-semantics/). `details` would hide its content in some.
_REPLACED = (
    dict.fromkeys(("article", "aside", "details", "figure", "figcaption", "footer", "header", "hgroup", "nav"), "div")
    | dict.fromkeys(("section", "summary", "main"), "div")
    | dict.fromkeys(("mark", "time", "picture"), "span")
)
_TEXT_ALIGN = re.compile(r"text-align\s*:\s*(left|right|center)\b", re.IGNORECASE)
_URL_ATTRIBUTES = {"href", "src"}


@dataclass(frozen=True, kw_only=True, slots=True)
class MailStyle:
    """The colours of a letter except that of its text, the side where its lines start, and whether it has italics."""

    muted: str = "#5f5a52"
    accent: str = "#0a5a78"
    tint: str = "#f5f1e8"
    rule: str = "#e4ded3"
    start: str = "left"
    italics: bool = True

    @classmethod
    def of_theme(cls, theme: Theme, lang: str) -> "MailStyle":
        """Return the colours of a theme, and what the script of a language needs."""
        colours = light_palette(theme)
        return cls(
            muted=colours.muted,
            accent=colours.accent,
            tint=colours.tint,
            rule=colours.rule,
            start="right" if text_direction(lang) == "rtl" else "left",
            italics=has_italics(lang),
        )


def prepare_html(html: str, base: str, *, watch: str = "{title}") -> str:
    """Return a post's HTML as both parts of a letter are made from it: sanitised, with absolute addresses.

    A film becomes a link, with the still image above it that the post names, if any; *watch* is the text of that link.
    Footnotes have no links.
    """
    return _prepare(html, base, watch)[0]


def render_mail_html(
    html: str,
    base: str,
    style: MailStyle,
    *,
    below: int = 2,
    watch: str = "{title}",
    find_picture: Callable[[str], Picture] = as_written,
) -> str:
    """Return a post's HTML as HTML for mail, see `prepare_html`; *below* is the level of the heading above the post.

    *find_picture* returns what is known of the picture at an absolute address.
    """
    from lxml.html import tostring

    prepared, doubles = _prepare(html, base, watch)
    root = parse_html(prepared)
    join_cjk_lines(root)
    find = partial(_find_with_double, doubles, find_picture)
    shift_headings(root, below)
    for element in list(root.iter()):
        if isinstance(element.tag, str) and element is not root:
            _inline_style(element, style, below, find)
    for table in root.iter("table"):
        style_table(table, start=style.start, rule=style.rule)
    return "".join(str(tostring(child, encoding="unicode", method="html")) for child in split_blocks(root)).strip()


@lru_cache(maxsize=8)
def _prepare(html: str, base: str, watch: str) -> tuple[str, Mapping[str, str]]:
    """Return prepared HTML, and its pictures of twice the size.

    A few are kept: both parts of a letter need them, and so does the letter of each group of subscribers.
    """
    aligned, doubles = _read_removed(unlink_footnotes(html), base)
    return markdown.sanitize_html(aligned, base, partial(_replace_with_link, base=base, watch=watch)), doubles


def _read_removed(html: str, base: str) -> tuple[str, dict[str, str]]:
    """Return *html* and its pictures of twice the size: what sanitising removes and a letter needs.

    The alignment of a cell is put from its style, where many generators write it, into its attribute. The box of a task
    is put beside its text.
    """
    if not any(name in html for name in ("srcset", "text-align", "<input")):
        return html, {}
    root = parse_html(html)
    put_boxes_beside_text(root)
    for cell in root.iter("td", "th"):
        if side := _TEXT_ALIGN.search(cell.get("style", "")):
            cell.set("align", side[1].lower())
    return inner_html(root), double_sources(root.iter("img"), base)


def _find_with_double(doubles: Mapping[str, str], find_picture: Callable[[str], Picture], url: str) -> Picture:
    found = find_picture(url)
    if found.url_2x or url not in doubles or found.url != url or unsupported_format(doubles[url], ""):
        return found
    return replace(found, url_2x=doubles[url], full_url=doubles[url])


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
    link.append(Element("img", src=still, alt=title, width=str(pixel_width(player.width) or COLUMN)))
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


def _inline_style(element: Any, style: MailStyle, below: int, find_picture: Callable[[str], Picture]) -> None:
    """Style one element in its attribute; ids and classes of the post are removed."""
    for name in ("id", "name", "class", "style", "loading"):
        element.attrib.pop(name, None)
    for name in _URL_ATTRIBUTES.intersection(element.keys()):  # lxml would write a line break as `%0A`
        element.set(name, remove_ignored(element.get(name)))
    if element.tag in HEADINGS:
        _inline_heading_style(element, below)
    elif element.tag == "img":
        style_picture(element, find_picture, style.muted)
    elif element.tag == "input":
        _replace_checkbox(element)
    elif element.tag == "a" and not len(element) and not (element.text or "").strip():
        element.drop_tree()  # an anchor
    elif not (element.tag == "code" and element.getparent().tag == "pre"):  # `pre` has the style
        _inline_simple_style(element, style)


def _inline_heading_style(heading: Any, below: int) -> None:
    size = 21 if heading.tag == f"h{below + 1}" else 17
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


#: Slanted characters of Chinese, Japanese, Korean, Arabic, Hebrew or Devanagari are distorted upright ones.
_UPRIGHT = dict.fromkeys(("em", "i"), "font-style:normal;font-weight:700") | dict.fromkeys(
    ("address", "cite", "dfn", "var"), "font-style:normal"
)


@lru_cache(maxsize=8)
def _styles(style: MailStyle) -> dict[str, str]:
    start = style.start
    # Outlook on Windows knows `padding` on cells only (https://www.caniemail.com/features/css-padding/): bullets and
    # numbers would be left of the column, cut off. They take some 30 px of margin (emailmonday/Cerberus, issue 167).
    indented = "margin:0 32px 16px 0" if start == "right" else "margin:0 0 16px 32px"
    inline = _MONO + f";font-size:.9em;background:{style.tint}"
    return ({} if style.italics else _UPRIGHT) | {
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
        "figure": "margin:0 0 16px",
        "figcaption": f"margin:8px 0 0;font-size:14px;color:{style.muted}",
        "summary": "font-weight:700",
        "mark": f"background:{style.tint}",
        "dt": "font-weight:700",
        "dd": "margin:0 0 8px",
    }


def _replace_checkbox(box: Any) -> None:
    """Replace a task's checkbox with a character, since mail programs drop forms."""
    done = box.get("checked") is not None
    box.attrib.clear()
    box.tag, box.text = "span", "☑" if done else "☐"
