"""HTML that is inserted into a letter or a page after its template is rendered."""

import re
from collections.abc import Mapping
from html import escape

from feeds.core.newsletters.i18n import Texts

#: What stands in a template for HTML that is put in when all else is compiled. A post that says it is not heard.
NOTE, SPONSOR, BODY = "feeds:note:8d1c", "feeds:sponsor:8d1c", "feeds:body:8d1c"
_STANDING_IN = re.compile(r"feeds:(?:note|sponsor|body|neighbours):8d1c")
#: Likewise, but for as long as the page is kept: which issues stand beside it is known when it is written.
NEIGHBOURS = "feeds:neighbours:8d1c"


def strip_placeholders(words: str) -> str:
    """Return words of a post without those that stand for something in our templates."""
    return _STANDING_IN.sub("", words) if "feeds:" in words else words


def insert_neighbour_links(page: str, words: Texts, links: Mapping[str, str]) -> str:
    """Return a page of the archive with links to other issues, by the text that says which."""
    look = "color:#5f5a52;text-decoration:underline"
    found = (
        f'<a class="u" rel="{_RELATIONS[name]}" href="{escape(url)}" style="{look}">{escape(words.format(name))}</a>'
        for name, url in links.items()
    )
    return page.replace(NEIGHBOURS, f'<p style="margin:0 0 8px">{" · ".join(found)}</p>' if links else "")


_RELATIONS = {"previous_issue": "prev", "next_issue": "next", "all_issues": "index"}


def insert_notice(page: str, notice: str) -> str:
    """Return a page of the archive with something that must be read first, whichever version or tool made the page."""
    found = _BODY.search(page)
    at = found.end() if found else 0
    return page[:at] + notice + page[at:]


#: Where what a page shows begins.
_BODY = re.compile(r"<body\b[^>]*>", re.IGNORECASE)
