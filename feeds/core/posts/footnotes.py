"""Links inside a post: between footnotes and text, and to its headings.

A letter has none of footnotes: mail programs remove ids, and the link would open the post's page. In a feed they stay
inside the entry, see `docs/design.md`.
"""

import re
from hashlib import sha256
from html import escape, unescape
from urllib.parse import quote, unquote

#: What comrak writes for footnotes.
_SECTION = '<section class="footnotes" data-footnotes>'
_REFERENCE = re.compile(r'(?<=<sup class="footnote-ref">)<a href="#fn-[^"]*" id="[^"]*" data-footnote-ref>([^<]*)</a>')
_BACK_LINK = re.compile(
    r' ?<a href="#fnref-[^"]*" class="footnote-backref"[^>]*>↩(?:<sup class="footnote-ref">\d+</sup>)?</a>'
)
_NOTE = re.compile(r'<li id="fn-[^"]*">')
#: In sanitised HTML: a start tag with attributes, and those of them that name an element or a link's target.
_TAG = re.compile(r'<[a-z][a-z0-9]*(?: [a-z-]+="[^"]*")+>')
_ATTRIBUTE = re.compile(r' (?P<key>id|name|href)="(?P<value>[^"]*)"')
#: An id of a footnote or of its number in the text: of comrak, kramdown, goldmark, Python-Markdown and remark.
_NOTE_ID = re.compile(
    r"(?:user-content-)?(?P<kind>fnref|fn|footnote-ref|footnote|ftnref|ftn)(?P<rest>(?:[-_:]|\d).*)", re.DOTALL
)
#: Digits of an entry's id in the ids of its footnotes.
_SHORT = 8
#: Characters of a fragment that are not encoded (RFC 3986 section 3.5).
_SAFE = "!$&'()*+,;=:@/?-._~"


def unlink_footnotes(html: str) -> str:
    """Return comrak's HTML without the links between footnotes and text; their numbers stay."""
    text, mark, notes = html.rpartition(_SECTION)
    if not mark:
        return html
    return _REFERENCE.sub(r"\1", text) + mark + _NOTE.sub("<li>", _BACK_LINK.sub("", _REFERENCE.sub(r"\1", notes)))


def keep_links_inside(html: str, page: str, entry_id: str) -> str:
    """Return sanitised *html* in which links to its own ids are relative, and the ids of footnotes are unique.

    A link to another fragment of *page*, the post's URL, leads to that page.
    """
    if ' id="' not in html and ' name="' not in html:
        return html
    scope = _Scope(html, page, sha256(entry_id.encode()).hexdigest()[:_SHORT])
    return _TAG.sub(lambda tag: _ATTRIBUTE.sub(scope.replace, tag[0]), html)


class _Scope:
    """The ids of one entry."""

    def __init__(self, html: str, page: str, short_id: str) -> None:
        self._page, self._short_id = f"{page}#", short_id
        attributes = (found for tag in _TAG.finditer(html) for found in _ATTRIBUTE.finditer(tag[0]))
        self._ids = {unescape(found["value"]) for found in attributes if found["key"] != "href"}

    def replace(self, found: re.Match[str]) -> str:
        """Return an attribute with the id that is used in the entry."""
        key, value = found["key"], unescape(found["value"])
        if key != "href":
            unique = self._unique(value)
            return found[0] if unique == value else f' {key}="{escape(unique)}"'
        if not value.startswith(self._page):
            return found[0]
        fragment = value[len(self._page) :]
        name = fragment if fragment in self._ids else unquote(fragment)
        if name not in self._ids:
            return found[0]
        unique = self._unique(name)
        return f' href="#{escape(fragment if unique == name else quote(unique, safe=_SAFE))}"'

    def _unique(self, name: str) -> str:
        """Return the id of a footnote with that of the entry in it; another id as it is."""
        note = _NOTE_ID.fullmatch(name)
        if note is None:
            return name
        mark = "" if note["rest"][0] in "-_:" else "-"
        return f"{note['kind']}-{self._short_id}{mark}{note['rest']}"
