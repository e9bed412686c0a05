"""HTML of a web page -> HTML that means the same without scripts, styles and drawings, as in feeds and letters."""

import re
from typing import Any

from feeds.core.posts.elements import escape_stray_tags
from feeds.core.posts.mathml import math_to_html
from feeds.core.posts.text import CONTROL, parse_html

#: Where scripts find a picture that they load when it comes into view.
_LAZY = ("data-src", "data-lazy-src", "data-original", "data-lazy")
_LAZY_SETS = ("data-srcset", "data-lazy-srcset")
#: In pixels: the first picture of a set that has this width is wide enough for a feed.
_WIDE_ENOUGH = 480
#: A URL, which may have commas inside, and its width or density (https://html.spec.whatwg.org/#srcset-attributes).
_CANDIDATE = re.compile(r"([^\s,]\S*+)(?:\s++(\d++(?:\.\d++)?)([wx]))?")
#: Finds whether there is anything to change.
_PAGE_ONLY = re.compile(
    r"<(?:svg\b|math\b|noscript\b|picture\b|input\b(?![^<>]*\btype=[\"']?checkbox)"
    r"|img\b(?:(?=[^<>]*\sdata-(?:src|lazy|original))|(?![^<>]*\ssrc\s*=)|(?=[^<>]*\ssrcset)(?=[^<>]*\ssrc\s*=\s*[\"']?data:)))",
    re.IGNORECASE,
)
#: What comrak writes in headings.
_HEADING_LINK = re.compile(
    r'<a href="#[^"]*" aria-label="[^"]*" data-heading-content="[^"]*" class="anchor"></a>(?=</h)'
)
#: Between the children of these there is no text, only blocks.
_BLOCK_PARENTS = frozenset({"body", "div", "section", "article", "center", "figure", "main"})
#: Parts of a drawing that are not drawn where they are.
_NOT_DRAWN = frozenset({"defs", "symbol", "clippath", "mask", "pattern", "marker"})
_WORDS = ("text", "foreignobject")


def make_portable(html: str) -> str:
    """Return the HTML of a post with words in angle brackets as text, and without what only a web page can show.

    Formulas and drawings become their text, pictures that a script would load become plain pictures, and what stands
    in `noscript` is shown. comrak's links in headings are removed. It is not safe to show.
    """
    html = escape_stray_tags(_strip_heading_links(html))
    if not _PAGE_ONLY.search(html):
        return html
    root = parse_html(html)
    for element in list(root.iter("svg", "math", "img", "noscript", "input")):
        if element.getparent() is not None:
            _REPLACE[element.tag](element)
    return inner_html(root)


def _strip_heading_links(html: str) -> str:
    """Return comrak's HTML without the empty link in each heading: in a feed it would show the heading's own id."""
    return _HEADING_LINK.sub("", html) if ' class="anchor"></a></h' in html else html


def inner_html(root: Any) -> str:
    """Return the HTML inside an element without attributes."""
    from lxml.html import tostring

    return str(tostring(root, encoding="unicode"))[len(f"<{root.tag}>") : -len(f"</{root.tag}>")]


def _replace_image(image: Any) -> None:
    """Give an image the URL that a script would give it, or one of its set, or of those of the `picture` around it."""
    url = _first(image, _LAZY) or _choose(_first(image, _LAZY_SETS)) or image.get("src", "")
    if not url or url.startswith("data:"):
        sets = [image, *image.xpath("ancestor::picture[1]//source")]
        sources = (_choose(_first(one, (*_LAZY_SETS, "srcset"))) or _first(one, _LAZY) for one in reversed(sets[1:]))
        url = _choose(image.get("srcset", "")) or next(filter(None, sources), "") or url
    if url and url != image.get("src"):
        image.set("src", CONTROL.sub("", url))  # lxml refuses what XML cannot carry


def _choose(written: str) -> str:
    """Return a URL of a `srcset`: the first that is wide enough, else the widest; empty without one."""
    found = [(float(size or 0), str(url).rstrip(","), unit) for url, size, unit in _CANDIDATE.findall(written)]
    if not found or found[0][2] != "w":
        return found[0][1] if found else ""
    return next((url for width, url, _ in sorted(found) if width >= _WIDE_ENOUGH), max(found)[1])


def _first(element: Any, names: tuple[str, ...]) -> str:
    return next((value for name in names if (value := element.get(name, "").strip())), "")


def _replace_noscript(noscript: Any) -> None:
    """Show the content of `noscript`, unless it is the picture beside it that a script would load."""
    beside, image = noscript.getprevious(), noscript.find(".//img")
    if beside is not None and image is not None:
        _replace_image(image)
        shown = next(beside.iter("img"), None)
        if shown is not None and shown.get("src") == image.get("src"):
            noscript.clear(keep_tail=True)
        elif shown is not None and _is_placeholder(shown):
            shown.set("src", CONTROL.sub("", image.get("src", "")))
            noscript.clear(keep_tail=True)
    noscript.tag = _tag_between(noscript, "div")


def _is_placeholder(image: Any) -> bool:
    """Return whether a picture only takes the place of another one until a script runs."""
    return str(image.get("src", "data:")).startswith("data:")


def _replace_input(field: Any) -> None:
    """Remove a field of a form; the checkbox of a task stays."""
    if field.get("type", "").strip().lower() != "checkbox":
        field.clear(keep_tail=True)
        field.tag = "span"


def _replace_drawing(drawing: Any) -> None:
    """Replace a drawing with its title, description and words."""
    named = [drawing.get("aria-label", ""), *(drawing.findtext(name) or "" for name in ("title", "desc"))]
    shown = [element for element in drawing.iter(*_WORDS) if not _is_inside(element, drawing)]
    words = [" ".join(part.split()) for part in [*named, *("".join(element.itertext()) for element in shown)]]
    drawing.clear(keep_tail=True)
    drawing.tag = _tag_between(drawing, "p")
    drawing.text = " ".join(dict.fromkeys(filter(None, words)))


def _is_inside(element: Any, drawing: Any) -> bool:
    """Return whether a part of a drawing is not drawn, or is in another part with words."""
    hidden = _NOT_DRAWN | set(_WORDS)
    parent = element.getparent()
    while parent is not drawing:
        if parent.tag in hidden:
            return True
        parent = parent.getparent()
    return False


def _replace_formula(formula: Any) -> None:
    from lxml.html import fragment_fromstring

    shown = fragment_fromstring(math_to_html(formula), create_parent="span")
    formula.clear(keep_tail=True)
    formula.tag = "span"
    formula.text = shown.text
    formula.extend(shown)


def _tag_between(element: Any, block: str) -> str:
    """Return the tag for a place between blocks, or inside a line."""
    parent = element.getparent()
    return block if parent is not None and parent.tag in _BLOCK_PARENTS and not _has_text_beside(element) else "span"


def _has_text_beside(element: Any) -> bool:
    before = element.getprevious()
    text = element.getparent().text if before is None else before.tail
    return bool((text or "").strip() or (element.tail or "").strip())


_REPLACE = {
    "svg": _replace_drawing,
    "math": _replace_formula,
    "img": _replace_image,
    "noscript": _replace_noscript,
    "input": _replace_input,
}
