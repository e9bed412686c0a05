"""The values that the template of an issue's web page uses beside the letter: addresses, formats, the share picture."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from feeds.core.curation.taxonomy import normalize_name
from feeds.core.newsletters.i18n import Texts
from feeds.core.newsletters.template_context import LetterView
from feeds.core.syndication.feed import FILES
from feeds.jobs.feeds.pages import format_links, page_head
from feeds.jobs.site import Site
from feeds.settings import Newsletter

#: The file name of the share picture, beside the page.
SHARE_PICTURE = "share.png"
#: Its width and height in pixels: a shape that networks do not crop
#: (https://developers.facebook.com/docs/sharing/webmasters/images).
SHARE_SIZE = (1200, 630)


def page_values(site: Site, newsletter: Newsletter, letter: LetterView, texts: Texts) -> dict[str, Any]:
    """Return the values `page` of the template of an issue's page."""
    colours = _category_colours(letter)
    url, is_public = letter.web_url or "", newsletter.archive == "public"
    folder = site.public_url(f"newsletters/{newsletter.name}/")
    formats = tuple(name for name in FILES if name in site.settings.feeds.formats) if is_public else ()
    return page_head(site, texts, site.icon, title=letter.subject, url=url) | {
        "issues_url": folder if is_public else letter.site_url,
        "formats": format_links(formats, folder),
        "picture": _picture(letter, url),
        "colours": colours,
        "categories": _category_classes(letter, colours),
    }


def _category_colours(letter: LetterView) -> list[dict[str, str]]:
    """Return a class with its two colours for each category of the theme."""
    light, dark = letter.palette.categories, letter.palette_dark.categories
    return [{"name": f"c{n}", "key": key, "light": light[key], "dark": dark[key]} for n, key in enumerate(light)]


def _category_classes(letter: LetterView, colours: list[dict[str, str]]) -> Mapping[str, str]:
    """Return the class for the name of each category in a letter; empty for one without a colour."""
    names = {colour["key"]: colour["name"] for colour in colours}
    stories = [letter.lead, letter.second, *(story for group in letter.groups for story in group.stories)]
    labels = [*(story.category for story in stories if story), *(group.heading for group in letter.rows)]
    return {label: names.get(normalize_name(label), "") for label in labels}


@dataclass(frozen=True, kw_only=True, slots=True)
class SharePicture:
    """The picture that networks show beside a link to the page; the size in pixels, if it is known."""

    url: str
    alt: str
    width: int | None = None
    height: int | None = None


def _picture(letter: LetterView, url: str) -> SharePicture:
    """Return the lead's picture, else one that is made from the theme."""
    if letter.lead and letter.lead.image:
        return SharePicture(url=letter.lead.image.url, alt=letter.lead.image.alt)
    width, height = SHARE_SIZE
    return SharePicture(url=f"{url}{SHARE_PICTURE}", alt=letter.subject, width=width, height=height)


def issue_page_url(site: Site, newsletter: Newsletter, number: int) -> str | None:
    """Return the URL of an issue's page; None if the newsletter has no archive."""
    if newsletter.archive == "off":
        return None
    return site.public_url(f"newsletters/{newsletter.name}/{number}/")
