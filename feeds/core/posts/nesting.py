"""How deep an HTML parser nests the elements of a text, whatever is left open or closed in the wrong order.

This follows the open elements as the HTML Standard does (13.2.4 and 13.2.6), without making a tree. Where it is
simpler than the standard it errs towards too deep. html5ever looks through the open elements at most tags, so deep
nesting takes it quadratic time; and it opens formatting elements that were not closed again in each later block, so
39 kB of `<p><font a1><p><font a2>` become 46 MB.
"""

import re

#: Deeper nested HTML is not accepted: no reader could show it, and libxml2 loses text below 256 levels.
MAX_DEPTH = 200
#: No element of a post has as many. html5ever and libxml2 compare each of them with all others.
MAX_ATTRIBUTES = 1000
#: In the attributes of one element; html5ever copies the text before each character reference.
MAX_REFERENCES = 10_000
#: Texts and elements in tables and in no cell; html5ever puts each in front of its table, which it looks for.
MAX_MISPLACED = 10_000


def _names(words: str) -> frozenset[str]:
    return frozenset(words.split())


_SPACE = r"\t\n\f\r\ "
_ATTRIBUTE = rf"""
    [{_SPACE}/]*+ (?: =[^{_SPACE}/>=]*+ | [^{_SPACE}/>=]++ )
    (?: [{_SPACE}]*+ = [{_SPACE}]*+ (?: "[^"]*+" | '[^']*+' | [^{_SPACE}>"'][^{_SPACE}>]*+ | (?=>) ) )?+
"""
_EACH_ATTRIBUTE = re.compile(_ATTRIBUTE, re.VERBOSE)
#: A comment, a declaration or a tag, as HTML's tokenizer finds it (13.2.5). One that is not closed goes to the end.
MARKUP = re.compile(
    rf"""<!-- (?: -?> | .*? (?: --!?> | \Z ) )
    | < (?: [!?] | /(?![A-Za-z]) ) [^>]*+
    | < (?P<slash>/?) (?P<name>[A-Za-z][^{_SPACE}/>]*+) (?P<attributes>(?:{_ATTRIBUTE})*+) (?P<end>[{_SPACE}/]*+) >?""",
    re.VERBOSE | re.DOTALL,
)
_VOID = _names(
    "area base basefont bgsound br col embed frame hr image img input keygen link meta param source track wbr"
)
#: Their attributes are added to the one element of the document.
_DOCUMENT = frozenset({"html", "head", "body"})
#: What is in them is text. `plaintext` is never closed.
_RAW = _names("iframe noembed noframes noscript plaintext script style textarea title xmp")
#: Opened again where a block closes them.
_FORMATTING = _names("a b big code em font i nobr s small strike strong tt u")
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
#: A start tag of these closes an open paragraph; an end tag closes what is open inside.
_BLOCKS = _HEADINGS | _names(
    "address article aside blockquote center dd details dialog dir div dl dt fieldset figcaption figure footer form "
    "header hgroup li listing main menu nav ol p plaintext pre search section summary table ul xmp"
)
#: End tags do not close what is outside of these.
_SCOPES = _names(
    "annotation-xml applet caption desc foreignobject marquee mi mn mo ms mtext object table td template th title"
)
_CLOSE_ALL_INSIDE = _BLOCKS | _SCOPES | _names("button select tbody tfoot thead tr")
#: The standard's "special": an end tag of another element closes nothing outside of these.
_SPECIAL = _CLOSE_ALL_INSIDE | _RAW | _DOCUMENT | _VOID | frozenset({"colgroup", "frameset"})
#: Formatting inside of these ends with them.
_MARKERS = _names("applet caption marquee object td template th")
_CELLS, _SECTIONS = frozenset({"td", "th"}), frozenset({"tbody", "tfoot", "thead"})
#: Part of a table -> the parts of which one stays open around it; what is open inside of that is closed.
_AROUND = {
    **dict.fromkeys(_CELLS, _SECTIONS | {"table", "tr"}),
    "tr": _SECTIONS | {"table"},
    **dict.fromkeys((*_SECTIONS, "caption", "colgroup"), frozenset({"table"})),
}
_BETWEEN_CELLS = _SECTIONS | {"table", "tr"}
#: An item of a list -> those that its start tag closes.
_ITEMS = {"li": frozenset({"li"}), **dict.fromkeys(("dd", "dt"), frozenset({"dd", "dt"}))}
#: Element -> those outside of which its end tag closes nothing, if it is not `_SCOPES`.
_END_SCOPES = {
    **dict.fromkeys(_AROUND, frozenset({"table", "template"})),
    "table": frozenset({"template"}),
    "template": frozenset[str](),
    "p": _SCOPES | {"button"},
    "li": _SCOPES | {"ol", "ul"},
}
#: Closed by each other if they are innermost.
_ADJACENT = (_HEADINGS, frozenset({"option", "optgroup"}))
_RUBY = frozenset({"rb", "rp", "rt", "rtc"})
#: As many equal formatting elements are opened again at most ("the Noah's Ark clause").
_MOST_EQUAL = 3


#: An element in the usual form with text only inside, or nothing.
_LEAF = re.compile(r"""<([a-z][a-z0-9]*)(?: [a-z-]++(?:="[^"<>]*+")?+)*+>[^<]*+</\1>""")


def most_depth(html: str) -> int:
    """Return a number that the depth of *html* does not exceed; ten times as fast as following all elements."""
    tags = html.count("<") - html.count("</")
    if tags <= MAX_DEPTH:
        return tags
    without_leaves = _LEAF.sub("", html)
    outer = _LEAF.sub("", without_leaves)
    return outer.count("<") - outer.count("</") + (html != without_leaves) + (without_leaves != outer)


def find_excess(html: str, max_depth: int = MAX_DEPTH) -> str | None:
    """Return the limit of depth, attributes or misplaced words that *html* exceeds; None if it exceeds none."""
    elements, at = _OpenElements(), 0
    of_document: list[str] = []
    while found := MARKUP.search(html, at):
        if found.start() > at:
            elements.text(html[at : found.start()])
        at, name, attributes = found.end(), (found["name"] or "").lower(), found["attributes"] or ""
        if name in _DOCUMENT:
            of_document.append(attributes)
        if len(attributes) > MAX_ATTRIBUTES and (excess := _excess_of_attributes(attributes)):
            return excess
        if found["slash"]:
            elements.end(name)
        elif name:
            elements.start(name, attributes, is_closed=found["end"].endswith("/"))
            if excess := elements.excess(max_depth):
                return excess
            if name in _RAW and not elements.is_foreign():
                at = _raw_end(html, name, at)
    return _excess_of_attributes(" ".join(of_document))


def _excess_of_attributes(written: str) -> str | None:
    """Return the limit that the attributes of one element exceed; None if they exceed none."""
    if len(_EACH_ATTRIBUTE.findall(written)) > MAX_ATTRIBUTES:
        return f"an element has more than {MAX_ATTRIBUTES:,} attributes; remove some, or write `<` as `&lt;`"
    if written.count("&") > MAX_REFERENCES:
        return f"an address or attribute has more than {MAX_REFERENCES:,} `&`; remove some"
    return None


def _raw_end(html: str, name: str, at: int) -> int:
    """Return where the end tag of a raw element begins; the end of *html* if it has none."""
    end = None if name == "plaintext" else re.compile(rf"</{name}(?=[{_SPACE}/>])", re.IGNORECASE).search(html, at)
    return end.start() if end else len(html)


class _OpenElements:
    """The open elements, and the formatting elements that will be opened again."""

    def __init__(self) -> None:
        #: The outermost first.
        self.names: list[str] = []
        #: The attributes of each, as written.
        self._attributes: list[str] = []
        #: Names and attributes of formatting elements that a block has closed.
        self._reopened: list[tuple[str, str]] = []
        #: Texts and elements between the cells of tables so far.
        self._misplaced = 0

    @property
    def depth(self) -> int:
        """How deep the next text is nested."""
        return len(self.names) + len(self._reopened)

    def _is_between_cells(self) -> bool:
        """Return whether what follows belongs into a cell, and none is open."""
        return bool(self.names) and self.names[-1] in _BETWEEN_CELLS

    def is_foreign(self) -> bool:
        """Return whether SVG or MathML is open."""
        return "svg" in self.names or "math" in self.names

    def excess(self, max_depth: int) -> str | None:
        """Return the limit that is exceeded now; None if none is."""
        if self.depth > max_depth:
            return f"quotations, lists or elements are nested more than {max_depth} deep; close some of them"
        if self._misplaced > MAX_MISPLACED:
            return f"a table has more than {MAX_MISPLACED:,} words or elements between its cells; put them into cells"
        return None

    def text(self, written: str) -> None:
        """Read text."""
        self._misplaced += self._is_between_cells() and not written.isspace()
        self._reopen()

    def _reopen(self) -> None:
        """Open the formatting elements again: text or an inline element follows."""
        for name, attributes in self._reopened:
            self._open(name, attributes)
        self._reopened.clear()

    def start(self, name: str, attributes: str, *, is_closed: bool) -> None:
        """Open an element, and close those that it closes."""
        if name in _DOCUMENT or (name in _AROUND and "table" not in self.names):
            return
        self._misplaced += self._is_between_cells() and name not in _AROUND
        self._close_siblings(name)
        if name not in _BLOCKS and name not in _AROUND:
            self._reopen()
        may_close_itself = name in {"svg", "math"} or (name not in _SPECIAL and self.is_foreign())
        if not (name in _VOID or (is_closed and may_close_itself)):
            self._open(name, attributes)

    def _close_siblings(self, name: str) -> None:
        if name == "table":
            self._close(frozenset({"table"}), _CELLS | {"caption", "template"})
        if name in _AROUND:
            self._cut((self._find(_AROUND[name], frozenset()) or 0) + 1)
        if name in _ITEMS:
            self._close(_ITEMS[name], _SPECIAL - {"address", "div", "p"})
        if name in _BLOCKS or name == "hr":
            self._close(frozenset({"p"}), _END_SCOPES["p"])
        if self.names and any(self.names[-1] in group and name in group for group in _ADJACENT):
            self._cut(len(self.names) - 1)
        if name in _RUBY and "ruby" in self.names and self.names[-1] in _RUBY:
            self._cut(len(self.names) - 1)
        if name in {"a", "button", "nobr"}:
            self.end(name)

    def end(self, name: str) -> None:
        """Close an element and what is open inside; of a form, or of formatting around a block, only itself."""
        if name in _FORMATTING:
            self._end_formatting(name)
        elif name == "form":
            self._remove(self._find(frozenset({name}), _SCOPES))
        else:
            usual = _SCOPES if name in _CLOSE_ALL_INSIDE else _SPECIAL
            self._close(frozenset({name}), _END_SCOPES.get(name, usual))

    def _end_formatting(self, name: str) -> None:
        for n, (other, _) in enumerate(self._reopened):
            if other == name:
                del self._reopened[n]
                return
        at = self._find(frozenset({name}), _SCOPES)
        if at is not None and _SPECIAL.isdisjoint(self.names[at + 1 :]):
            self._cut(at + 1)
        self._remove(at)

    def _remove(self, at: int | None) -> None:
        if at is not None:
            del self.names[at], self._attributes[at]

    def _open(self, name: str, attributes: str) -> None:
        self.names.append(name)
        self._attributes.append(attributes)

    def _close(self, names: frozenset[str], outside: frozenset[str]) -> None:
        at = self._find(names, outside)
        if at is not None:
            self._cut(at)

    def _find(self, wanted: frozenset[str], outside: frozenset[str]) -> int | None:
        """Return the index of the innermost of *wanted* that is not outside of one of *outside*."""
        if wanted.isdisjoint(self.names):
            return None
        for at in range(len(self.names) - 1, -1, -1):
            if self.names[at] in wanted:
                return at
            if self.names[at] in outside:
                return None
        return None

    def _cut(self, at: int) -> None:
        """Close the elements from an index on."""
        closed = list(zip(self.names[at:], self._attributes[at:], strict=True))
        del self.names[at:], self._attributes[at:]
        for element in closed:
            if element[0] in _MARKERS:
                return
            if element[0] in _FORMATTING and self._reopened.count(element) < _MOST_EQUAL:
                self._reopened.append(element)
