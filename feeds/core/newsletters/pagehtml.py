"""Convert HTML of a post, a note or a sponsor to HTML for the web page of an issue: valid, and without styles.

The style sheet of the page decides how it looks. A letter's HTML (`mailhtml`) is made for mail programs instead: its
styles are in attributes, and it has attributes that the HTML standard calls obsolete.
"""

from typing import Any

from feeds.core.newsletters.headings import shift_headings
from feeds.core.newsletters.task_lists import put_boxes_beside_text
from feeds.core.posts import markdown
from feeds.core.posts.footnotes import keep_links_inside
from feeds.core.posts.line_breaks import join_cjk_lines
from feeds.core.posts.portable import inner_html
from feeds.core.posts.text import parse_html

#: Obsolete elements (https://html.spec.whatwg.org/multipage/obsolete.html), and what replaces them there.
_RENAMED = {"acronym": "abbr", "big": "span", "rtc": "rt", "strike": "s", "tt": "code"}
#: Obsolete attributes, by element; of cells, `align` becomes a class.
_OBSOLETE = {
    "a": ("name",),
    "hr": ("align", "size", "width"),
    "img": ("align",),
    **dict.fromkeys(("thead", "tbody", "tfoot", "tr", "th", "td", "col", "colgroup"), ("align", "char", "charoff")),
    "table": ("align", "char", "charoff", "summary"),
}
_SIDES = {"left", "right", "center"}
#: So many columns fit on a phone.
_MOST_COLUMNS = 4


def render_page_html(html: str, base: str, *, below: int = 1) -> str:
    """Return *html* sanitised, with absolute URLs except links to its ids, and headings in levels without gaps.

    *base* is the address of the post, *below* the level of the heading above it.
    """
    if not html:
        return ""
    root = parse_html(keep_links_inside(markdown.sanitize_html(html, base), base, base))
    join_cjk_lines(root)
    put_boxes_beside_text(root)
    shift_headings(root, below)
    for element in root.iter(*_RENAMED, *_OBSOLETE):
        element.tag = _RENAMED.get(element.tag, element.tag)
        _drop_obsolete_attributes(element)
    for image in root.iter("img"):
        _tidy_image(image)
    for code in root.iter("pre", "code"):
        code.set("dir", "ltr")  # code runs from left to right in any language
    for table in list(root.iter("table")):
        _let_scroll(table)
    return inner_html(root).strip()


def _drop_obsolete_attributes(element: Any) -> None:
    side = element.get("align", "").lower()
    for name in _OBSOLETE.get(element.tag, ()):
        element.attrib.pop(name, None)
    if element.tag in {"th", "td"} and side in _SIDES:
        element.set("class", side)


def _let_scroll(table: Any) -> None:
    """Put a table with many columns into a box that scrolls, also by keyboard; the page itself never does."""
    from lxml.html import Element

    if max((len(row) for row in table.iter("tr")), default=0) <= _MOST_COLUMNS:
        return
    box = Element("div", {"class": "wide", "tabindex": "0"})
    box.tail, table.tail = table.tail, None
    table.addprevious(box)
    box.append(table)


def _tidy_image(image: Any) -> None:
    """Keep sizes in pixels only, which reserve the space of the image, and give it an alt text."""
    sizes = [image.attrib.pop(name, "") for name in ("width", "height")]
    if all(size.isdecimal() and int(size[:5]) for size in sizes):
        for name, size in zip(("width", "height"), sizes, strict=True):
            image.set(name, size[:5])
    image.set("alt", image.get("alt", ""))
    image.set("loading", "lazy")
