"""The element with a post's text in a built page -> the text alone: what the page adds for its visitors is removed."""

import re
from collections import Counter
from collections.abc import Callable
from typing import Any

from feeds.core.posts.built.code import simplify_code
from feeds.core.posts.built.words import OwnText, compile_xpath, count_passage, element_text, element_words, split_words

_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
#: Elements that only group others.
_WRAPPERS = frozenset(
    {"html", "head", "body", "div", "section", "article", "main", "header", "footer", "hgroup", "center"}
)
#: What is shown although it has no words.
MEDIA = ("img", "video", "audio", "iframe", "object", "embed", "canvas", "math", "svg")
#: Counted: what a post names in its Markdown.
_EMBEDDED = ("img", "video", "audio", "iframe", "object", "embed")
_MAY_BE_HIDDEN = (
    ".//*[@hidden or @aria-hidden or @style or contains(@class, 'hidden') or contains(@class, 'sr-only')"
    " or contains(@class, 'screen') or contains(@class, 'noprint')]"
)
_ADDRESSES = ("src", "data-src", "data-lazy-src", "srcset", "data-srcset")
_HIDDEN_STYLE = re.compile(r"(?:display\s*:\s*none|visibility\s*:\s*hidden)", re.IGNORECASE)
_HIDDEN_CLASSES = frozenset(
    {
        "sr-only",
        "visually-hidden",
        "visuallyhidden",
        "screen-reader-text",
        "screenreader-only",
        "usa-sr-only",
        "noprint",
    }
)
_MAY_BE_FURNITURE = (
    ".//*[@class or @id or @role or self::nav or self::form or self::select or self::textarea or self::dialog]"
)
#: In the names of classes and ids: parts of a page that are about a post, or beside it.
_FURNITURE = re.compile(
    r"(?:^|[\s_-])(?:shar(?:e|ing|ethis)|addtoany|sharedaddy|social|related|recommended|read-next|comments?|disqus"
    r"|giscus|utterances|isso|webmentions?|respond|pagination|pager|pagenav|post-nav|prev-next|links-nextprev|breadcrumbs?"
    r"|newsletter|subscri\w+|signup|author-(?:bio|box|card)|byline|(?:post|entry|article)-(?:meta|metadata|info|footer|tags)"
    r"|taglist|tags|edit-(?:this-)?page|skip-link|back-to-top)(?:$|[\s_-])",
    re.IGNORECASE,
)
_CONTENTS = re.compile(r"(?:^|[\s_-])(?:toc|table-?of-?contents|markdown-toc|on-this-page)(?:$|[\s_-])", re.IGNORECASE)
_FACTS = re.compile(r"tag|topic|categor|keyword|meta|author|date|label", re.IGNORECASE)
#: Pages that list posts, and what links to other posts are called.
_LISTS = re.compile(r"(?:^|/)(?:tags?|categor(?:y|ies)|topics?|authors?|archives?)/", re.IGNORECASE)
_RELATIONS = frozenset({"tag", "author", "prev", "next", "category"})
#: Not a file, and not a place in this page.
_OTHER_PAGE = re.compile(
    r"(?!\S*\.(?:jpe?g|png|gif|webp|avif|svg|pdf|zip|mp[34]|csv)\Z)(?:/|\.|https?://|[\w-]+(?:/|\.html?\Z))"
)
#: The first words of what themes write around a text.
_BESIDE_TEXT = re.compile(
    r"[←→«»‹›]|(?:(?:previous|prev|next|older|newer)(?:\s+(?:post|article|entry)s?)?\s*(?:[:←→«»]|\Z)|related\b"
    r"|read next"
    r"|you (?:may|might) also|this (?:post|work|article|site) is licensed|on this page|table of contents"
    r"|share (?:this|on)"
    r"|tags?\s*:|tagged\b|categor(?:y|ies)\s*:|filed under|back to|leave a (?:reply|comment)|\d+ (?:repl(?:y|ies)"
    r"|comments?|responses?)\b|zurück|schlagwörter|vorheriger|nächster|article (?:précédent|suivant)|étiquettes"
    r"|entrada (?:anterior|siguiente)|etiquetas|前の|次の|上一篇|下一篇|标签|タグ|関連)",
    re.IGNORECASE,
)
_ABOUT_POST = re.compile(
    r"(?:posted|published|written|updated|last modified|by|von|veröffentlicht|par|publié|por|publicado)\b",
    re.IGNORECASE,
)
#: A wrapper with so many characters is not what the page says about a post: what it holds is looked at.
_LONG = 400
_NOTES = ".//*[self::li or self::sup or self::a or self::p or self::div][@id]"
_NOTE_ID = re.compile(r"(?:user-content-)?(?:fn|fr|footnote)", re.IGNORECASE)
#: The words of a link to a heading are signs, or these.
_ANCHOR_CLASSES = re.compile(
    r"(?:^|[\s_-])(?:anchor|headerlink|hash-link|permalink|headinglink|deeplink)", re.IGNORECASE
)
#: The part of the words that is in links, from which on a block is a list of links.
_MOSTLY = 0.6


def clean_content(element: Any, own: OwnText, *, is_text: bool) -> str:
    """Remove from *element* what is not the post's text, and simplify its code and formulas.

    With *is_text* it is known to hold nothing else but what is marked. Returns why it is not known where the text ends,
    for people; empty if it is.
    """
    for step in (_simplify_formulas, _remove_hidden, simplify_code):
        step(element)
    _remove_furniture(element, own)
    _remove_anchors(element)
    _reduce_notes(element)
    trimmer = _Trimmer(element, own, is_text=is_text)
    trimmer.trim()
    for span in list(element.iterdescendants("span")):
        if not {"lang", "dir", "title"}.intersection(span.attrib):
            span.drop_tag()
    return trimmer.doubt


def is_wrapper(element: Any) -> bool:
    """Return whether an element, maybe one of the site's own, only groups others."""
    return element.tag in _WRAPPERS or "-" in element.tag


def count_media(element: Any) -> int:
    """Return the number of pictures and players in an element, without those for visitors without scripts."""
    return len(_embedded(element))


def _embedded(element: Any) -> list[Any]:
    return [one for one in element.iter(*_EMBEDDED) if next(one.iterancestors("noscript"), None) is None]


# Formulas -----------------------------------------------------------------------------------------------------------


def _simplify_formulas(root: Any) -> None:
    """Leave of each formula of KaTeX and MathJax its MathML, from which readers get letters and signs."""
    for formula in list(root.iter("math")):
        outer = next((above for above in formula.iterancestors() if _is_formula(above)), None)
        if outer is None or formula.getparent() is None:
            continue
        while (above := outer.getparent()) is not None and _is_formula(above):
            outer = above
        formula.tail = outer.tail
        outer.getparent().replace(outer, formula)


def _is_formula(element: Any) -> bool:
    names = element.get("class", "").split()
    return element.tag == "mjx-container" or any(name in {"katex", "katex-display", "MathJax"} for name in names)


# Hidden elements, controls, furniture -------------------------------------------------------------------------------


def _remove_all(root: Any, where: str, is_removed: Callable[[Any], bool]) -> None:
    """Remove those of the descendants *where* (an XPath) that are to be removed."""
    for element in compile_xpath(where)(root):
        if is_removed(element):
            element.drop_tree()


def _remove_hidden(root: Any) -> None:
    _remove_all(root, _MAY_BE_HIDDEN, _is_hidden)


def _is_hidden(element: Any) -> bool:
    """Return whether visitors do not see an element; panels behind tabs can be opened."""
    attributes = element.attrib
    if attributes.get("role") == "tabpanel" or attributes.get("hidden") == "until-found":
        return False
    if "hidden" in attributes or _HIDDEN_STYLE.search(attributes.get("style", "")):
        return True
    if not _HIDDEN_CLASSES.isdisjoint(attributes.get("class", "").split()):
        return True
    return attributes.get("aria-hidden") == "true" and not _is_emoji(element)


def _is_emoji(element: Any) -> bool:
    text = "".join(element.itertext("*")).strip()
    return element.tag != "a" and bool(text) and all(c > "\u203b" for c in text)


def _remove_furniture(root: Any, own: OwnText) -> None:
    for button in list(root.iterdescendants("button")):
        if next(button.iterancestors(*_HEADINGS), None) is not None:
            button.drop_tag()  # it opens what is below the heading
        else:
            button.drop_tree()
    _remove_all(root, _MAY_BE_FURNITURE, lambda element: _is_furniture(element, own))


def _is_furniture(element: Any, own: OwnText) -> bool:
    """Return whether an element is a part of the page that is not the post's text, wherever it is."""
    if element.tag in {"select", "textarea", "dialog"}:
        return True
    attributes = element.attrib
    names = f"{attributes.get('class', '')} {attributes.get('id', '')}"
    is_navigation = element.tag == "nav" or attributes.get("role") in {"navigation", "doc-toc"}
    if is_navigation or _CONTENTS.search(names):
        return element.tag not in _HEADINGS and (_is_mostly_links(element) or not own.is_own(element_words(element)))
    if element.tag == "form":
        return not own.is_own(element_words(element))
    if not _FURNITURE.search(names) or element.tag in _HEADINGS | {"pre", "code", "img"}:
        return False
    return not own.is_own(words := element_words(element)) or not words


def _is_mostly_links(element: Any) -> bool:
    words = len(element_words(element))
    linked = sum(len(element_words(link)) for link in element.iter("a"))
    return linked >= _MOSTLY * words


# Links inside the page ----------------------------------------------------------------------------------------------


def _remove_anchors(root: Any) -> None:
    """Remove the links of headings to themselves; of a heading that is a link, the words stay."""
    for link in list(root.iterdescendants("a")):
        if "#" not in link.get("href", ""):
            continue
        in_heading = next(link.iterancestors(*_HEADINGS), None) is not None
        is_sign = not element_words(link) and next(link.iter("img"), None) is None
        is_anchor = in_heading and _ANCHOR_CLASSES.search(link.get("class", ""))
        if is_sign or (is_anchor and len(element_words(link)) < len(element_words(_heading(link)))):
            link.drop_tree()
        elif in_heading and link.get("href", "").startswith("#"):
            link.drop_tag()


def _heading(link: Any) -> Any:
    return next(link.iterancestors(*_HEADINGS))


def _reduce_notes(root: Any) -> None:
    """Replace the links to footnotes with their numbers, and remove those back, as in the Markdown that we render."""
    for link in list(root.iterdescendants("a")):
        names, role, href = link.get("class", ""), link.get("role", ""), link.get("href", "")
        if "#" not in href:
            continue
        if role == "doc-backlink" or "footnote-back" in names or "data-footnote-backref" in link.attrib:
            link.drop_tree()
        elif role == "doc-noteref" or "footnote" in names or next(link.iterancestors("sup"), None) is not None:
            link.drop_tag()
    for note in compile_xpath(_NOTES)(root):
        if _NOTE_ID.match(note.get("id", "")):
            del note.attrib["id"]


# What the page puts before and after the text -----------------------------------------------------------------------


class _Trimmer:
    """Removes title, date, authors and the like before the text, and what is behind its end."""

    def __init__(self, root: Any, own: OwnText, *, is_text: bool) -> None:
        self._root, self._own, self._is_known = root, own, is_text
        #: Words of which it is not known whether a template tag or the theme has made them; empty if there are none.
        self.doubt = ""
        self._media = count_media(root)

    def trim(self) -> None:
        self._remove_title()
        for is_end in (False, True):
            self._trim_edge(self._root, is_end=is_end)

    def _remove_title(self) -> None:
        """Remove the title with its header and what is above it, unless it is the title of a section of the text."""
        title = next((one for one in self._root.iter("h1", "h2") if element_words(one) == self._own.title), None)
        if title is None:
            return
        block = next(title.iterancestors("header", "hgroup"), title)
        above = [
            one for inner in (block, *_ancestors_below(block, self._root)) for one in inner.itersiblings(preceding=True)
        ]
        if any(self._is_text(one) for one in above):
            return
        for one in (*above, block):
            self._remove(one)

    def _is_text(self, block: Any) -> bool:
        """Return whether a block above a title is the author's."""
        words = element_words(block)
        return len(words) > len(self._own.title) and self._own.is_own(words) and block.tag not in {"header", "nav"}

    def _remove(self, block: Any) -> None:
        self._media -= count_media(block)
        block.drop_tree()

    def _trim_edge(self, element: Any, *, is_end: bool) -> bool:
        """Remove children from one end on; return whether the text begins in *element*."""
        for child in list(reversed(element) if is_end else element):
            if not isinstance(child.tag, str):
                continue
            if self._is_text_beside(child, is_end=is_end):
                return True
            words = element_words(child)
            if words and is_wrapper(child) and self._is_looked_into(child, words, is_end=is_end):
                if self._trim_edge(child, is_end=is_end):
                    return True
                if next(child.iter(*MEDIA), None) is None:
                    self._remove(child)
                continue
            if self._is_page_part(child, words, is_end=is_end):
                self._remove(child)
            elif words:
                return True
        return bool((element.text or "").strip())

    def _is_looked_into(self, block: Any, words: list[bytes], *, is_end: bool) -> bool:
        """Return whether a block is long, or has words or pictures of the text and other words."""
        if len(element_text(block)) > _LONG or not self._own.size:
            return True
        if self._own.is_own(words):
            return False
        return self._own.has_part(words) or (self._is_beyond(is_end=is_end) and not self._is_spare(block))

    def _is_text_beside(self, child: Any, *, is_end: bool) -> bool:
        """Return whether text without an element is between a child and the edge; that of the theme is removed."""
        text = _text_beside(child, is_end=is_end)
        words = split_words(text)
        if self._is_known or not words or self._own.is_own(words):
            return bool(text)
        if is_end and (self._is_beyond(is_end=True) or _is_about_post(text, words, self._own)):
            child.tail = None
            return False
        return True

    def _is_beyond(self, *, is_end: bool) -> bool:
        """Return whether what is outside of the author's words cannot be made by a template tag."""
        source = self._own.source
        return not source.has_templates or (source.ends_in_words if is_end else source.begins_in_words)

    def _is_page_part(self, block: Any, words: list[bytes], *, is_end: bool) -> bool:
        own, is_beyond = self._own, self._is_beyond(is_end=is_end)
        if not words:
            return next(block.iter(*MEDIA), None) is None or (is_beyond and self._is_spare(block))
        if not is_end and (is_beyond or not self._is_known) and self._is_repeated_line(words):
            return True
        if _is_marked(block, words, own) or _is_list_of_facts(block, words, own, is_known=self._is_known):
            return True
        if own.is_own(words) or not self._is_spare(block):
            return False
        return is_beyond or (not self._is_known and self._is_theme(block, words, is_end=is_end))

    def _is_repeated_line(self, words: list[bytes]) -> bool:
        return self._own.is_line_of_front_matter(words) and self._is_added(words)

    def _is_theme(self, block: Any, words: list[bytes], *, is_end: bool) -> bool:
        """Return whether the theme has made a block that a template tag of the post may have made too.

        In doubt `doubt` says so: readers must not see the title of another post, nor lose a part of this one.
        """
        own = self._own
        if block.tag == "table" or next(block.iter("table", "pre"), None) is not None:
            return False
        if _is_about_post(element_text(block), words, own) or block.tag in {"header", "footer"}:
            return True
        is_fact = own.are_facts(words) and own.has_fact(words)
        if is_fact and not is_end:
            return True
        if is_fact or _leads_elsewhere(block, own):
            self.doubt = f"it is not clear whether {' '.join(element_text(block).split())[:40]!r} belongs to the text"
        return False

    def _is_added(self, words: list[bytes]) -> bool:
        """Return whether a passage is in the page more often than in the post."""
        written = self._own.count_passage(words)
        return not written or count_passage(element_words(self._root), words) > written

    def _is_spare(self, block: Any) -> bool:
        """Return whether the pictures and players of *block* are the page's: the post has all that it names without."""
        media = _embedded(block)
        if not media:
            return next(block.iter("math", "svg", "canvas"), None) is None
        is_own = any(self._own.names_file(one.get(name, "")) for one in media for name in _ADDRESSES)
        return not is_own and self._media - len(media) >= self._own.source.media


def _ancestors_below(element: Any, root: Any) -> list[Any]:
    """Return the ancestors of an element that are inside of *root*."""
    ancestors = list(element.iterancestors())
    return ancestors[: ancestors.index(root)] if root in ancestors else []


def _text_beside(child: Any, *, is_end: bool) -> str:
    """Return the text between a child and the end from which children are looked at."""
    before = child.getprevious()
    text = child.tail if is_end else child.getparent().text if before is None else before.tail
    return (text or "").strip()


def _is_marked(block: Any, words: list[bytes], own: OwnText) -> bool:
    """Return whether a block is marked as a date, or as links to tags, authors or other posts."""
    if block.tag in {"table", "pre", "figure"} or not own.source.has_templates:
        return False
    marked = Counter(word for one in block.iter("time", "a") if _is_mark(one, own) for word in element_words(one))
    return bool(marked) and (not (rest := [*(Counter(words) - marked)]) or own.are_facts(rest))


def _is_mark(element: Any, own: OwnText) -> bool:
    """Return whether an element is a date, or a link to a tag or the like that is not the author's."""
    if element.tag == "time":
        return True
    url = element.get("href", "")
    is_relation = not _RELATIONS.isdisjoint(element.get("rel", "").split())
    return (is_relation or _LISTS.search(url) is not None) and not own.mentions(url)


def _is_about_post(text: str, words: list[bytes], own: OwnText) -> bool:
    """Return whether a passage begins like what themes write around a text, and says what the front matter says."""
    if _BESIDE_TEXT.match(text.strip()):
        return True
    return _ABOUT_POST.match(text.strip()) is not None and own.part_of_facts(words) >= _MOSTLY


def _leads_elsewhere(block: Any, own: OwnText) -> bool:
    """Return whether a block is mostly links to other pages, of which the author has named none."""
    links = list(block.iter("a"))
    pages = [link for link in links if _OTHER_PAGE.match(link.get("href", ""))]
    is_named = any(own.mentions(link.get("href", "")) for link in links)
    return bool(pages) and not is_named and _is_mostly_links(block)


def _is_list_of_facts(block: Any, words: list[bytes], own: OwnText, *, is_known: bool) -> bool:
    """Return whether a block is a list of links to the post's tags, author or the like."""
    if block.tag == "table" or not own.are_facts(words):
        return False
    if block.tag in {"footer", "header"}:
        return True
    links = list(block.iter("a"))
    if _FACTS.search(f"{block.get('class', '')} {block.get('id', '')}"):
        return bool(links)
    return not is_known and block.tag == "ul" and not all(own.mentions(link.get("href", "")) for link in links)
