"""Line breaks in the source of a post that stand for no space."""

from collections.abc import Iterator
from typing import Any

from feeds.core.posts.text import BREAK_INSIDE_CJK

#: In place of a character that is removed, and of one in a text in which white space counts. HTML has neither.
_REMOVED, _REPLACED = "\0", "\1"
_VERBATIM = frozenset({"pre", "textarea"})


def join_cjk_lines(root: Any) -> None:
    """Remove the line breaks inside of Japanese or Chinese below *root*, also beside inline elements, not in `pre`.

    Browsers show a space there, though CSS Text 3, section 4.1.3, lets them leave it out.
    """
    places = list(_text_places(root))
    joined = "".join(text for *_, text in places)
    if joined.isascii():
        return
    marked = BREAK_INSIDE_CJK.sub(lambda found: _REMOVED * len(found[0]), joined)
    start = 0
    for element, name, text in places:
        part = marked[start : start + len(text)]
        start += len(text)
        if _REMOVED in part:
            setattr(element, name, part.replace(_REMOVED, ""))


def _text_places(root: Any) -> Iterator[tuple[Any, str, str]]:
    """Yield each text below *root* in its order, with the element and the attribute of lxml that has it."""
    from lxml.etree import iterwalk

    verbatim = 0
    for event, element in iterwalk(root, events=("start", "end")):
        starts = event == "start"
        if element.tag in _VERBATIM:
            verbatim += 1 if starts else -1
        name = "text" if starts else "tail"
        text = getattr(element, name)
        if text and (starts or element is not root):
            yield element, name, _REPLACED * len(text) if verbatim else text
