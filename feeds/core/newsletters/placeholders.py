"""Insert HTML into letters and pages after their template is rendered."""

import re
from collections.abc import Mapping
from html import escape

from feeds.core.newsletters.i18n import Texts

#: Placeholders in templates, which are replaced with HTML after MJML is compiled.
NOTE, SPONSOR, BODY = "feeds:note:8d1c", "feeds:sponsor:8d1c", "feeds:body:8d1c"
_PLACEHOLDER = re.compile(r"feeds:(?:note|sponsor|body|neighbours|navigation|links):8d1c")
#: These stay in the stored page: the neighbouring issues are known when the page is written to `public/`. They become
#: the navigation at its top and the links at its end; `NEIGHBOURS` is in pages that older versions stored.
NAVIGATION, LINKS, NEIGHBOURS = "feeds:navigation:8d1c", "feeds:links:8d1c", "feeds:neighbours:8d1c"


def strip_placeholders(text: str) -> str:
    """Return a text of a post without the placeholders of templates."""
    return _PLACEHOLDER.sub("", text) if "feeds:" in text else text


def is_styled(page: str) -> bool:
    """Return whether a stored page has its style sheet; those that older versions stored do not."""
    return NAVIGATION in page


def insert_neighbour_links(page: str, texts: Texts, links: Mapping[str, str]) -> str:
    """Return an issue's page with *links* to other issues, URLs by the name of their text."""
    anchors = "".join(_link(name, url, texts, 'class="tap"') for name, url in links.items())
    label = escape(texts.format("issues"))
    navigation = f'<nav class="meta issues" aria-label="{label}">{anchors}</nav>' if links else ""
    at_end = f'<p class="meta issues">{anchors}</p>' if links else ""
    page = page.replace(NAVIGATION, navigation).replace(LINKS, at_end)
    return page.replace(NEIGHBOURS, _links_in_old_page(texts, links))


def _links_in_old_page(texts: Texts, links: Mapping[str, str]) -> str:
    """Return the links as a paragraph for a page that has the style sheet of a letter."""
    style = 'class="u" style="color:#5f5a52;text-decoration:underline"'
    anchors = (_link(name, url, texts, style) for name, url in links.items())
    return f'<p style="margin:0 0 8px">{f" {texts.separator} ".join(anchors)}</p>' if links else ""


def _link(name: str, url: str, texts: Texts, attributes: str) -> str:
    return f'<a {attributes} rel="{_RELATIONS[name]}" href="{escape(url)}">{escape(texts.format(name))}</a>'


_RELATIONS = {"previous_issue": "prev", "next_issue": "next", "all_issues": "index"}


def insert_notice(page: str, notice: str) -> str:
    """Return an issue's page with a notice at the top of its body; any version or template may have made the page."""
    found = _BODY_TAG.search(page)
    at = found.end() if found else 0
    return page[:at] + notice + page[at:]


_BODY_TAG = re.compile(r"<body\b[^>]*>", re.IGNORECASE)
