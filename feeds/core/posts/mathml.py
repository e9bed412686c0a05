"""MathML -> HTML of letters, signs, superscripts and subscripts: few feed readers and no mail programs show MathML."""

from html import escape
from typing import Any

#: (Parent, which child) -> what is written before and after the child.
_CHILDREN = {
    ("msup", 1): ("<sup>", "</sup>"),
    ("mover", 1): ("<sup>", "</sup>"),
    ("msub", 1): ("<sub>", "</sub>"),
    ("munder", 1): ("<sub>", "</sub>"),
    **{(parent, 1): ("<sub>", "</sub>") for parent in ("msubsup", "munderover")},
    **{(parent, 2): ("<sup>", "</sup>") for parent in ("msubsup", "munderover")},
    ("mfrac", 1): ("/", ""),
    ("mroot", 1): ("<sup>1/", "</sup>"),
}
#: Element -> what is written before and after it.
_ELEMENTS = {
    "msqrt": ("√(", ")"),
    "mfenced": ("(", ")"),
    "mtd": ("", " "),
    "mtr": ("", "; "),
    "mspace": (" ", ""),
}
_NOT_SHOWN = frozenset({"annotation", "annotation-xml", "mphantom", "script", "style"})
#: The parents of which a child of several elements is put in parentheses.
_TIGHT = frozenset({"mfrac", "mroot"})


def math_to_html(math: Any) -> str:
    """Return the HTML of a `math` element, an lxml tree."""
    from lxml.etree import iterwalk

    parts: list[str] = []
    walk = iterwalk(math, events=("start", "end", "comment"))
    for event, element in walk:
        if event == "comment" or element.tag in _NOT_SHOWN:
            _skip(walk, event)
        elif event == "start":
            parts += (_around(element)[0], escape((element.text or "").strip()))
        else:
            parts.append(_around(element)[1])
    return "".join(parts).strip(" ;")


def _skip(walk: Any, event: str) -> None:
    if event == "start":
        walk.skip_subtree()


def _around(element: Any) -> tuple[str, str]:
    """Return the signs before and after an element."""
    parent = element.getparent()
    before, after = _ELEMENTS.get(element.tag, ("", ""))
    if parent is None or element.tag == "math":
        return before, after
    outer_before, outer_after = _CHILDREN.get((parent.tag, _place(element)), ("", ""))
    if parent.tag in _TIGHT and len(element) > 1:
        before, after = f"({before}", f"{after})"
    return outer_before + before, after + outer_after


def _place(element: Any) -> int:
    """Return whether an element is the first (0), the second (1) or a later child (2)."""
    before = element.getprevious()
    return 0 if before is None else 1 if before.getprevious() is None else 2
