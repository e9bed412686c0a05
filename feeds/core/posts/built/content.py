"""The bytes of a built page -> the HTML of the post's text in it.

The text is in the element that `posts.content_selector` names, or that microdata, microformats or the names of classes
call the text of an article, else in `article` or `main`, else somewhere. Every candidate is checked against the words
of the post: a wrong element would show readers the text of another post, or a menu. Of those that hold the whole text
the smallest is taken.
"""

import re
from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any, NamedTuple

from feeds.core.posts import limits, markdown
from feeds.core.posts.built.clean import clean_content, count_media, is_wrapper
from feeds.core.posts.built.words import FEW_WORDS, OwnText, compile_xpath, element_text, element_words
from feeds.core.posts.portable import inner_html, make_portable

#: Classes that themes give to the text of a post and to nothing else.
_TEXT_CLASSES = frozenset(
    {"e-content", "post-content", "entry-content", "article-content", "post-body", "entry-body", "article-body"}
    | {
        "page__content",
        "post__content",
        "post__body",
        "article__content",
        "article__body",
        "entry__content",
        "post-text",
    }
    | {"blog-content", "markdown-body", "theme-doc-markdown", "sl-markdown-content", "vp-doc", "gh-content"}
)
_ROLES = (f"role={mark}{role}" for mark in ("", "'", '"') for role in ("main", "article"))
_TELLING = (*_TEXT_CLASSES, "articleBody", *_ROLES)
_MAY_HOLD_TEXT = (
    ".//*[self::article or self::main or @role or @itemprop or contains(@class, 'content') or contains(@class, 'body')"
    " or contains(@class, 'text') or contains(@class, 'doc')]"
)
#: A cleaned element that has fewer of the post's words is not the text: formulas and code have others there.
_LEAST_RECALL = 0.4
#: An element is good if it has this part of those words of the post that are anywhere in the page.
_WHOLE = 0.95
#: A part of the site may have this part of the post's pairs of words, such as the name of the author's office.
_FEW_OF_TEXT = 0.1
#: A text may hold so much of other words, if no template tag can have made them.
_MOST_FOREIGN = 0.5
#: Between these a page may have no white space, without which their words would become one.
_BLOCKS_WITHOUT_SPACE = re.compile(
    r"(</(?:p|h[1-6]|li|[uod]l|div|blockquote|t[rdh]|pre|fig\w+|section|summary|details|d[td])>|<br>)(?=[^\s])"
)
_COMMENT_MARK = re.compile(r"\s*(?:more|truncate)\s*\Z", re.IGNORECASE)
_CHARSET = re.compile(rb"<meta[^<>]*charset\s*=\s*[\"']?\s*([\w-]+)", re.IGNORECASE)
#: What kramdown puts around TeX with a `<`.
_CDATA = re.compile(r"% <!\[CDATA\[|%\]\]>")
#: Elements around the text and the parts of the site.
_AROUND_ALL = frozenset({"html", "head", "body", "main"})
#: Elements of a table by which old themes arrange a page.
_LAYOUT = frozenset({"table", "tbody", "tr", "td"})
_DECLARATION = re.compile(r"\s*<\?xml[^<>]*\?>")


class Content(NamedTuple):
    """The text of a post in its page."""

    #: Portable (see `make_portable`), not sanitised.
    html: str = ""
    #: Why it is not found, for people; empty if it is.
    problem: str = ""


def extract_content(page: bytes, own: OwnText, selector: str = "") -> Content:
    """Return the HTML of the text of a post in *page*; *selector* is a CSS selector of the element, or empty."""
    if not (own.source.text.strip() or own.source.media or own.source.has_templates):
        return Content()  # a link, whose page says what the front matter says
    html = _decode(page)
    if excess := limits.excess_of_page(html):
        return Content(problem=excess)
    root = _parse(html)
    if root is None:
        return Content(problem="the page is empty")
    found = _select(root, own, selector) if selector else _find(root, html, own)
    if isinstance(found, str):
        return Content(problem=found)
    problem = clean_content(found.element, own, is_text=found.is_text)
    return Content(problem=problem) if problem else _finish(found.element, own)


class _Found(NamedTuple):
    """The element with the text."""

    element: Any
    #: True if it is known to hold nothing else.
    is_text: bool


def _finish(element: Any, own: OwnText) -> Content:
    """Return the HTML of an element that was cleaned, if it is the text."""
    if problem := _problem_of_text(element, own):
        return Content(problem=problem)
    element.attrib.clear()
    element.tail = None
    html = _BLOCKS_WITHOUT_SPACE.sub(r"\1\n", make_portable(inner_html(element)))
    excess = limits.excess_of_html(html, html)
    return Content(problem=excess) if excess else Content(html=html.strip())


def _problem_of_text(element: Any, own: OwnText) -> str:
    """Return why an element that was cleaned is not the text; empty if it is."""
    words = element_words(element)
    if not words and not count_media(element) and not _has_signs(element):
        return "the text is not found in the element that holds it"
    if own.size < FEW_WORDS:
        return "" if own.is_enough(words, 0) else "the page has only a part of the post's words"
    if own.recall(own.matched(words)) < _LEAST_RECALL:
        return "the page has only a part of the post's words"
    if not own.source.has_templates and own.foreign(words) > _MOST_FOREIGN:
        return "the element that has the post's words has more other words"
    return ""


def _has_signs(element: Any) -> bool:
    """Return whether there is a picture that is drawn, a formula, or text without words, such as emoji."""
    return bool(element_text(element).strip()) or next(element.iter("svg", "math", "canvas"), None) is not None


# Reading the page ---------------------------------------------------------------------------------------------------


def _decode(page: bytes) -> str:
    """Return the text of a page: UTF-8, else in the encoding that it declares."""
    with suppress(UnicodeDecodeError):
        return page.decode("utf-8-sig")
    with suppress(LookupError, UnicodeDecodeError):
        declared = _CHARSET.search(page)
        return page.decode(declared[1].decode() if declared else "latin-1")
    return page.decode(errors="replace")


def _parse(html: str) -> Any | None:
    """Return the root of a page without scripts, styles and comments; None if the page is empty.

    Not its `body`: where the tags around it are left out, libxml2 leaves `main` and `article` in the `head`.
    """
    from lxml.etree import ParserError
    from lxml.html import document_fromstring

    try:
        root = document_fromstring(_DECLARATION.sub("", markdown.strip_illegal_xml(html), count=1))
    except ParserError:
        return None
    _remove_unshown(root)
    return root


def _remove_unshown(root: Any) -> None:
    """Remove scripts, styles and comments, except the mark that ends an excerpt; formulas in scripts stay as text."""
    from lxml.etree import Comment

    for script in list(root.iter("script")):
        if script.get("type", "").startswith("math/tex"):
            script.tag = "code"
            script.text = _CDATA.sub("", script.text or "").strip()
            script.attrib.clear()
    for element in list(root.iter("script", "style", "template", "link", "meta", "title")):
        element.drop_tree()
    for comment in list(root.iter(Comment)):
        if not _COMMENT_MARK.match(comment.text or ""):
            comment.drop_tree()


# Choosing the element -----------------------------------------------------------------------------------------------


def _select(root: Any, own: OwnText, selector: str) -> _Found | str:
    """Return the element of a selector; if it selects several, the one with most of the post's words."""
    elements = [element for element in _compile(selector)(root) if isinstance(element.tag, str)]
    if not elements:
        return f"posts.content_selector ({selector!r}) selects nothing in the page"
    matches = _Matches(own)
    element = matches.smallest_whole(elements, max(map(matches.of, elements)))
    if own.is_enough(element_words(element), matches.of(element)):
        return _Found(element, is_text=True)
    recall = own.recall(matches.of(element))
    return f"what posts.content_selector ({selector!r}) selects has only {recall:.0%} of the post's words"


@lru_cache(maxsize=1)
def _compile(selector: str) -> Any:
    from lxml.cssselect import CSSSelector

    return CSSSelector(selector, translator="html")


def _find(root: Any, html: str, own: OwnText) -> _Found | str:
    """Return the smallest element that is known to hold a text and holds all of this one; else why there is none."""
    exact, landmarks = _candidates(root, html)
    matches = _Matches(own)
    if own.size < FEW_WORDS:
        return _find_few_words(exact, landmarks, matches)
    if (best := _choose(matches, exact, landmarks, own.all_pairs)) is not None:
        return best
    in_page = matches.of(root)
    if not own.is_enough((), in_page):
        return f"the page has only {own.recall(in_page):.0%} of the post's words"
    if (best := _choose(matches, exact, landmarks, in_page)) is not None:
        return best
    _remove_site_parts(root, matches)
    return _descend(root, matches)


def _choose(matches: "_Matches", exact: Sequence[Any], landmarks: Sequence[Any], in_page: int) -> _Found | None:
    """Return the smallest element with nearly all that match *in_page*; None if none has."""
    if (best := matches.smallest_whole(exact, in_page)) is not None:
        return _Found(best, is_text=True)
    best = matches.smallest_whole(landmarks, in_page)
    return None if best is None else _descend(best, matches)


def _find_few_words(exact: Sequence[Any], landmarks: Sequence[Any], matches: "_Matches") -> _Found | str:
    """Return the one element of the page that is known to hold a text, since few words are elsewhere too."""
    only = _only(exact or landmarks)
    if only is None:
        return "the post has too few words to find them in the page"
    return _Found(only, is_text=True) if exact else _descend(only, matches)


def _remove_site_parts(root: Any, matches: "_Matches") -> None:
    """Remove the header and footer of the site, in a page of which the text is in none of the usual elements."""
    few = _FEW_OF_TEXT * matches.of(root)
    for part in list(root.iter("header", "footer", "aside")):
        if next(part.iterancestors("article", "main"), None) is None and matches.of(part) <= few:
            part.drop_tree()
    matches.forget()


class _Matches:
    """What elements have of the post's words; each is asked for more than once."""

    def __init__(self, own: OwnText) -> None:
        self.own = own
        #: The number of words, and of pairs of words that match.
        self._known: dict[Any, tuple[int, int]] = {}

    def forget(self) -> None:
        """Forget all elements, since some have lost a part."""
        self._known.clear()

    def of(self, element: Any) -> int:
        """Return how many pairs of words of the post an element has."""
        return self._measure(element)[1]

    def _measure(self, element: Any) -> tuple[int, int]:
        if element not in self._known:
            words = element_words(element)
            self._known[element] = (len(words), self.own.matched(words))
        return self._known[element]

    def smallest_whole(self, elements: Sequence[Any], in_page: int) -> Any | None:
        """Return the element with the fewest words of those that have nearly all that match *in_page*."""
        whole: list[Any] = []
        larger: set[Any] = set()
        for element in reversed(elements):  # those inside come before those around them
            if element not in larger and self.of(element) >= _WHOLE * in_page:
                whole.append(element)
                larger.update(element.iterancestors())
        return min(whole, key=self._measure, default=None)


def _candidates(root: Any, html: str) -> tuple[list[Any], list[Any]]:
    """Return the elements that are called the text of an article, and those that hold one among other things."""
    if not any(name in html for name in _TELLING):  # to look at every element takes longer
        return [], list(root.iter("article", "main"))
    exact, landmarks = [], []
    for element in compile_xpath(_MAY_HOLD_TEXT)(root):
        names, attributes = element.get("class", "").split(), element.attrib
        if "articleBody" in attributes.get("itemprop", "").split() or not _TEXT_CLASSES.isdisjoint(names):
            exact.append(element)
        elif element.tag in {"article", "main"} or attributes.get("role") in {"main", "article"}:
            landmarks.append(element)
    return exact, landmarks


def _only(elements: Sequence[Any]) -> Any | None:
    """Return the innermost of elements that hold each other; None if there are others beside it."""
    if not elements:
        return None
    inner = elements[-1]
    around = {*inner.iterancestors(), inner}
    return inner if around.issuperset(elements) else None


def _descend(element: Any, matches: _Matches) -> _Found:
    """Return the smallest element inside that has every word and picture of the post that *element* has.

    It is known to hold nothing else if the title, which is above the text, is not in it, and loose words are.
    """
    while (inner := _whole_child(element, matches)) is not None:
        element = inner
    own = matches.own
    is_text = own.source.has_loose_words and element.tag not in _AROUND_ALL and not _has_title(element, own)
    return _Found(element, is_text=is_text and is_wrapper(element))


def _whole_child(element: Any, matches: _Matches) -> Any | None:
    """Return the child that has all of the text; none if few words are in several, since a menu may have them too."""
    own, all_media = matches.own, count_media(element)
    if own.size < FEW_WORDS and sum(map(matches.of, element.iterchildren("*"))) > matches.of(element):
        return None
    for child in element.iterchildren("*"):
        if _is_around(child, own) and 0 < matches.of(child) == matches.of(element):
            return child if _may_be_text(child, all_media, own) else None
    return None


def _is_around(child: Any, own: OwnText) -> bool:
    """Return whether an element groups others; tables do in old themes."""
    return is_wrapper(child) or (child.tag in _LAYOUT and _has_title(child, own))


def _may_be_text(child: Any, all_media: int, own: OwnText) -> bool:
    """Return whether nothing of the text can be beside a child that has all of the post's words."""
    media = count_media(child)
    # Loose words are not in what a template tag has made. A plug-in may put a `section` around the words of each part.
    is_around_tags = not own.source.has_templates or (own.source.has_loose_words and child.tag != "section")
    if media != all_media and (not is_around_tags or media < own.source.media):
        return False
    return is_around_tags or _has_title(child, own)


def _has_title(element: Any, own: OwnText) -> bool:
    return any(element_words(heading) == own.title for heading in element.iter("h1", "h2", "h3"))
