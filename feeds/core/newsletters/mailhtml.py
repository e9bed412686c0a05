"""A post's HTML -> HTML for mail: sizes, colours and margins inline, nothing that a mail program would drop or run.

Mail programs drop style sheets, scripts, forms and frames, and each in its own way. So what is left of a post is plain:
headings, paragraphs, lists, quotations, code, tables and pictures, each with its look in its own attribute. Classes are
for what may be lost: dark colours, narrow screens.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from feeds.core.posts import markdown
from feeds.core.posts.text import parse_html

_MONO = "font-family:Menlo,Consolas,monospace"
#: Wider tables become rows on a phone.
_FEW_COLUMNS = 3
#: The column of a letter, in pixels.
COLUMN = 600
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
#: Where a player stands between paragraphs.
_BETWEEN = {"body", "div", "section", "article", "center"}
#: More digits are no width, and beyond 4300 Python reads no number.
_MOST_DIGITS = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class MailStyle:
    """The colours of a letter beside that of its text, and its direction."""

    muted: str = "#5f5a52"
    accent: str = "#0a5a78"
    tint: str = "#f5f1e8"
    rule: str = "#e4ded3"
    start: str = "left"


def render_mail_html(html: str, base: str, look: MailStyle, *, below: int = 2, watch: str = "{title}") -> str:
    """Return what a post's HTML looks like in mail; its headings stand *below* that level.

    A film is a link, and above it the still that the post names, if it names one; *watch* is what the link says then.
    """
    from lxml.html import tostring  # noqa: PLC0415 - only a due issue needs it

    root = parse_html(markdown.sanitize_html(html, base, partial(_show_player, base=base, watch=watch)))
    for element in list(root.iter()):
        if isinstance(element.tag, str) and element is not root:
            _inline_style(element, look, below)
    return "".join(str(tostring(child, encoding="unicode", method="html")) for child in _children(root)).strip()


def players_as_text(html: str, base: str) -> str:
    """Return *html*, not safe to show, with each player as title and address: in a text part no link can be followed.

    The address stands between angle brackets (RFC 3986 appendix C), so that no program takes a mark behind it along.
    """
    return markdown.replace_players(html, partial(_player_as_text, base=base))


def links_as_text(html: str, base: str) -> str:
    """Return *html*, not safe to show, with the address of each link behind its words, as a text part needs it."""
    from lxml.html import tostring  # noqa: PLC0415 - as above

    root = parse_html(f"<div>{html}</div>")[0]
    for link in root.iter("a"):
        address = _web_address(link.get("href") or "", base)
        if address and link.text_content().strip() != address:
            link.tail = f" <{address}>{link.tail or ''}"
    return str(tostring(root, encoding="unicode", method="html"))


def truncate_blocks(html: str, most_bytes: int) -> tuple[str, bool]:
    """Return as many blocks of *html* as take at most *most_bytes*, and whether any are left out."""
    from lxml.html import tostring  # noqa: PLC0415 - as above

    if len(html.encode()) <= most_bytes:
        return html, False
    kept, used = [], 0
    for block in _children(parse_html(html)):
        written = str(tostring(block, encoding="unicode", method="html"))
        used += len(written.encode())
        if used > most_bytes:
            break
        kept.append(written)
    return "".join(kept).strip(), True


def _show_player(element: Any, player: markdown.Player, base: str, watch: str) -> None:
    """Make a player a link, with its still above it: no still is asked of a host that the post does not name itself.

    Picture and words are one link, so that it is one stop for who goes by keyboard, and reads with pictures off.
    """
    from lxml.html import Element  # noqa: PLC0415 - as above

    address, still = _web_address(player.url, base), _web_address(player.poster, base)
    if address is None:
        return
    title = player.title.strip() or address
    link = _apart(element, "a")
    link.set("href", address)
    if still is None:
        link.text = title
        return
    link.append(Element("img", src=still, alt=title, width=str(_width(player.width) or COLUMN)))
    link.append(Element("br"))
    link[-1].tail = watch.format(title=title)


def _player_as_text(element: Any, player: markdown.Player, base: str) -> None:
    address, title = _web_address(player.url, base), player.title.strip()
    if address is not None:
        _apart(element, "span").text = f"{title} <{address}>".lstrip()


def _apart(element: Any, tag: str) -> Any:
    """Give *element* a tag; one that stands between paragraphs becomes one itself, and what is in it has the tag."""
    from lxml.html import Element  # noqa: PLC0415 - as above

    outer = element.getparent()
    if outer is None or outer.tag not in _BETWEEN:
        element.tag = tag
        return element
    element.tag = "p"
    element.append(Element(tag))
    return element[0]


def _web_address(url: str, base: str) -> str | None:
    """Return *url* as it can be fetched, seen from *base*; None where it is empty or of another scheme."""
    found = markdown.absolute_url(url.strip(), base) if url.strip() else None
    return found.replace(" ", "%20") if found and found.startswith(("http://", "https://")) else None


def _children(root: Any) -> Iterator[Any]:
    """Yield the blocks of a body; text that stands in none becomes a paragraph."""
    from lxml.html import Element  # noqa: PLC0415 - as above

    if root.text and root.text.strip():
        block = Element("p")
        block.text = root.text
        yield block
    for child in root:
        tail, child.tail = child.tail, None
        yield child
        if tail and tail.strip():
            block = Element("p")
            block.text = tail
            yield block


def _inline_style(element: Any, look: MailStyle, below: int) -> None:
    """Give one element its look; ids and classes of the post mean nothing in a letter."""
    for name in ("id", "class", "style", "loading"):
        element.attrib.pop(name, None)
    if element.tag in _HEADINGS:
        _inline_heading_style(element, below)
    elif element.tag == "img":
        _inline_picture_style(element, look)
    elif element.tag == "input":
        _inline_box_style(element)
    elif element.tag == "table":
        _inline_table_style(element)
    elif element.tag == "a" and not len(element) and not (element.text or "").strip():
        element.drop_tree()  # a heading's anchor: it leads to itself and says nothing
    elif not (element.tag == "code" and element.getparent().tag == "pre"):  # that looks as what is around it
        _inline_plain_style(element, look)


def _inline_heading_style(heading: Any, below: int) -> None:
    level = min(below + _HEADINGS.index(heading.tag) + 1, len(_HEADINGS))
    heading.tag = f"h{level}"
    size = 21 if level <= below + 2 else 17
    heading.set("style", f"margin:32px 0 8px;font-size:{size}px;line-height:1.3;font-weight:700")


def _inline_plain_style(element: Any, look: MailStyle) -> None:
    tag, styles = element.tag, _styles(look)
    if tag in styles:
        element.set("style", styles[tag])
    if tag in _CLASSES:
        element.set("class", _CLASSES[tag])
    if tag in {"pre", "code"}:
        element.set("dir", "ltr")  # in any language


_CLASSES = {"a": "c", "pre": "m", "code": "m", "figcaption": "u"}


def _styles(look: MailStyle) -> dict[str, str]:
    start = look.start
    cell = f"padding:8px 16px 8px 0;border-bottom:1px solid {look.rule};text-align:{start};vertical-align:top"
    inline = _MONO + f";font-size:.9em;background:{look.tint}"
    return {
        "p": "margin:0 0 16px",
        "a": f"color:{look.accent};text-decoration:underline",
        "ul": f"margin:0 0 16px;padding-{start}:24px",
        "ol": f"margin:0 0 16px;padding-{start}:24px",
        "li": "margin:0 0 4px",
        "blockquote": f"margin:0 0 16px;padding-{start}:16px;border-{start}:3px solid {look.rule}",
        "pre": f"margin:0 0 16px;padding:16px;background:{look.tint};{_MONO};font-size:14px;line-height:1.5;"
        "white-space:pre-wrap;overflow-wrap:anywhere;text-align:left",
        "code": inline,
        "hr": f"margin:32px 0;border:0;border-top:1px solid {look.rule}",
        "th": f"{cell};font-weight:700",
        "td": cell,
        "figure": "margin:0 0 16px",
        "figcaption": f"margin:8px 0 0;font-size:14px;color:{look.muted}",
        "dt": "font-weight:700",
        "dd": "margin:0 0 8px",
    }


def _inline_picture_style(picture: Any, look: MailStyle) -> None:
    """Give a picture words, a width the column can bear, and no height, which it would keep when it shrinks."""
    if not picture.get("src", "").startswith(("http://", "https://")):  # data: would make the letter too long
        picture.tag, words = "span", picture.get("alt", "")
        picture.attrib.clear()
        picture.text = words
        return
    width = _width(picture.get("width", ""))
    for name in ("width", "height", "srcset", "sizes"):
        picture.attrib.pop(name, None)
    picture.set("alt", picture.get("alt", ""))
    if width is not None:
        picture.set("width", str(width))
    style = f"max-width:100%;height:auto;border:0;font-size:14px;line-height:1.4;color:{look.muted}"
    picture.set("style", style)
    picture.set("class", "u")  # in the dark its words stand where no picture is loaded


def _width(written: str) -> int | None:
    """Return a width in pixels that the column can bear; None for what is none, such as `100%`."""
    if not written.isdecimal():
        return None
    return min(int(written[:_MOST_DIGITS]), COLUMN)


def _inline_box_style(box: Any) -> None:
    """Write a task's box as a character: a form has no place in mail."""
    done = box.get("checked") is not None
    box.attrib.clear()
    box.tag, box.text = "span", "☑" if done else "☐"


def _inline_table_style(table: Any) -> None:
    columns = max((len(row) for row in table.iter("tr")), default=0)
    table.set("style", "width:100%;margin:0 0 16px;border-collapse:collapse;font-size:16px")
    if columns > _FEW_COLUMNS:
        table.set("class", "s")
