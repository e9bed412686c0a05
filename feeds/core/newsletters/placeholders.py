"""Insert HTML into letters and pages after their template is rendered."""

import re
from collections.abc import Mapping
from html import escape

from feeds.core.newsletters.i18n import Texts

#: Placeholders in templates, which are replaced with HTML after MJML is compiled.
NOTE, SPONSOR, BODY = "feeds:note:8d1c", "feeds:sponsor:8d1c", "feeds:body:8d1c"
_PLACEHOLDER = re.compile(r"feeds:(?:note|sponsor|body|neighbours):8d1c")
#: This one stays in the stored page: the neighbouring issues are known when the page is written to `public/`.
NEIGHBOURS = "feeds:neighbours:8d1c"


def strip_placeholders(text: str) -> str:
    """Return a text of a post without the placeholders of templates."""
    return _PLACEHOLDER.sub("", text) if "feeds:" in text else text


def insert_neighbour_links(page: str, texts: Texts, links: Mapping[str, str]) -> str:
    """Return an issue's page with *links* to other issues, URLs by the name of their text."""
    style = "color:#5f5a52;text-decoration:underline"
    anchors = (
        f'<a class="u" rel="{_RELATIONS[name]}" href="{escape(url)}" style="{style}">{escape(texts.format(name))}</a>'
        for name, url in links.items()
    )
    return page.replace(NEIGHBOURS, f'<p style="margin:0 0 8px">{" · ".join(anchors)}</p>' if links else "")


_RELATIONS = {"previous_issue": "prev", "next_issue": "next", "all_issues": "index"}


def insert_notice(page: str, notice: str) -> str:
    """Return an issue's page with a notice at the top of its body; any version or template may have made the page."""
    found = _BODY_TAG.search(page)
    at = found.end() if found else 0
    return page[:at] + notice + page[at:]


_BODY_TAG = re.compile(r"<body\b[^>]*>", re.IGNORECASE)
