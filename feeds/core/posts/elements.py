"""Which tags in the HTML of a post are elements, and which are words in angle brackets.

`--from <path>`, `List<int>` and `press <CR>` are not HTML, but a parser takes them for elements: a browser hides the
word, and nh3 removes everything up to the end of the paragraph if SVG or MathML has an element of that name.
"""

import re

#: The elements of a post: what nh3 keeps, what is replaced by something else (players), and what only adds style.
_ELEMENTS = frozenset(
    {"a", "abbr", "acronym", "article", "aside", "b", "bdi", "bdo", "big", "blockquote", "br", "caption", "center"}
    | {"cite", "code", "col", "colgroup", "data", "dd", "del", "details", "dfn", "div", "dl", "dt", "em"}
    | {"figcaption", "figure", "font", "footer", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hgroup", "hr", "i"}
    | {"ins", "kbd", "li", "main", "map", "mark", "nav", "nobr", "ol", "p", "picture", "pre", "q", "rp", "rt", "rtc"}
    | {"ruby", "s", "samp", "section", "small", "span", "strike", "strong", "sub", "summary", "sup", "table", "tbody"}
    | {"td", "tfoot", "th", "thead", "time", "tr", "tt", "u", "ul", "var", "wbr"},
)
#: Elements that mean nothing without attributes: a word in angle brackets that looks like one is not one.
_BARE_IS_A_WORD = frozenset({"img", "input", "embed", "iframe", "area", "source", "track", "param", "link", "meta"})
#: The content of these is not parsed.
_RAW = frozenset({"script", "style", "textarea", "title", "xmp", "iframe", "noscript", "noembed", "noframes"})
_FOREIGN = frozenset({"svg", "math"})
#: Without an end tag, these swallow the rest of the post.
_TO_BE_CLOSED = _RAW | _FOREIGN | {"video", "audio", "object", "applet", "template"}
#: A parser ends the page at the end tag of one, and ignores their start tags inside of a post (HTML standard, section
#: 13.2.6.4.7, fragment case).
_PAGE = frozenset({"html", "head", "body", "frameset"})
#: The other elements of HTML. A tag of any other name is removed: nh3 may take it for an element of SVG or MathML.
_OTHER_HTML = frozenset(
    {"base", "basefont", "bgsound", "blink", "button", "canvas", "datalist", "dialog", "dir", "fieldset"}
    | {"form", "frame", "label", "legend", "marquee", "menu", "meter", "optgroup"}
    | {"option", "output", "progress", "search", "select", "slot"},
)
#: Tags of these names, in lower case, are left alone: most posts have no others.
_PLAIN = _ELEMENTS | {"img"}
_HTML = _ELEMENTS | _BARE_IS_A_WORD | _TO_BE_CLOSED | _OTHER_HTML
_NAME = re.compile(r"</?([A-Za-z][^\s/>]*)")
#: A comment or a tag, as HTML's tokenizer finds them; without its end, it is as long as the text.
_TOKEN = re.compile(
    r"<!--.*?(?:-->|\Z)"
    r"""|<(?P<slash>/?)(?P<name>[a-z][^\s/>]*)(?P<rest>(?:=\s*+(?:"[^"]*(?:"|\Z)|'[^']*(?:'|\Z))|[^>])*+)(?P<end>>|\Z)""",
    re.IGNORECASE | re.DOTALL,
)
_END_TAG = re.compile(r"</([a-z][^\s/>]*)[\s/>]", re.IGNORECASE)
#: Elements that a title may have, and how deep they are looked for inside each other.
_OF_TITLE = "abbr|b|bdi|bdo|cite|code|dfn|em|i|ins|kbd|mark|q|samp|small|span|strong|sub|sup|tt|u|var"
_STRUCK = re.compile(r" ?<(del|s|strike)(?:\s[^<>]*)?>[^<>]*</\1\s*>", re.IGNORECASE)
_MAX_NESTED = 4
_PAIR_OF_TITLE = re.compile(rf"<({_OF_TITLE})(?:\s[^<>]*)?>([^<>]*)</\1\s*>", re.IGNORECASE)
_BREAK_OF_TITLE = re.compile(r" ?<(?:br|wbr)\s*/?> ?", re.IGNORECASE)


def escape_stray_tags(html: str) -> str:
    """Return *html* in which each tag is an element of a post, and every other word in angle brackets is text.

    A tag of another name is removed, and what it encloses stays, if it has attributes or an end tag. The time that this
    takes is linear.
    """
    names = _NAME.findall(html)
    is_plain = _PLAIN.issuperset(names) and "<img>" not in html
    return html if is_plain else _TagEscaper(html).escaped()


class _TagEscaper:
    """Goes once through the tags of a text."""

    def __init__(self, html: str) -> None:
        self._html = html
        #: Name -> where its last end tag is.
        self._last_end = {found[1].lower(): found.start() for found in _END_TAG.finditer(html)}
        self._opened: set[str] = set()

    def escaped(self) -> str:
        parts: list[str] = []
        at = 0
        while token := _TOKEN.search(self._html, at):
            parts += (self._html[at : token.start()], self._replace(token))
            at = self._end(token)
            parts.append(self._html[token.end() : at])
        return "".join((*parts, self._html[at:]))

    def _end(self, token: re.Match[str]) -> int:
        """Return where to go on: behind the end tag of an element whose content is not HTML."""
        name = (token["name"] or "").lower()
        if name not in _RAW | _FOREIGN or token["slash"] or not self._is_closed(token) or _is_empty(token):
            return token.end()
        end = re.compile(rf"</{re.escape(name)}[\s/>]", re.IGNORECASE).search(self._html, token.end())
        return end.start() if end else token.end()

    def _is_closed(self, token: re.Match[str]) -> bool:
        return self._last_end.get(token["name"].lower(), -1) > token.start()

    def _replace(self, token: re.Match[str]) -> str:
        """Return the replacement of a tag: the tag, nothing, or its text."""
        if token["name"] is None or not token["end"]:
            return token[0]
        name = token["name"].lower()
        if token["slash"]:
            return self._replace_end(token, name)
        if name in _TO_BE_CLOSED:
            return self._replace_closed(token, name)
        if name in _ELEMENTS:
            return token[0]
        if not self._is_markup(token):
            return _as_text(token)
        self._opened.add(name)
        return token[0] if name in _HTML else ""

    def _replace_end(self, token: re.Match[str], name: str) -> str:
        if name in _HTML:
            return token[0]
        return "" if name in _PAGE or name in self._opened else _as_text(token)

    def _replace_closed(self, token: re.Match[str], name: str) -> str:
        if self._is_closed(token) and not _is_empty(token):
            return token[0]
        return f"{token[0]}</{name}>" if "=" in token["rest"] or _is_empty(token) else _as_text(token)

    def _is_markup(self, token: re.Match[str]) -> bool:
        """Return whether a tag is not a word: it has attributes or an end tag, or is an empty component of JSX."""
        is_component = _is_empty(token) and token["name"][0].isupper()
        return "=" in token["rest"] or is_component or self._is_closed(token)


def _is_empty(token: re.Match[str]) -> bool:
    return token["rest"].endswith("/")


def _as_text(token: re.Match[str]) -> str:
    return f"&lt;{token[0][1:-1]}&gt;"


def strip_title_tags(title: str) -> str:
    """Return a title without the tags of emphasis, code and the like, and without what is struck out.

    Other words in angle brackets stay.
    """
    for _ in range(_MAX_NESTED):
        if "<" not in title:
            break
        title = _PAIR_OF_TITLE.sub(r"\2", _STRUCK.sub("", _BREAK_OF_TITLE.sub(" ", title))).strip()
    return title
