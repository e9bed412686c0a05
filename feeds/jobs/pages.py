"""The pages for people."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from feeds.core.newsletters.words import Words
from feeds.core.syndication.plan import Feed
from feeds.edges import made
from feeds.jobs.site import Site
from feeds.model import Issue

#: How many issues the list of all feeds names.
_LETTERS_SHOWN = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """What the list of all feeds shows."""

    lang: str
    dir: str
    title: str
    site_name: str
    site_url: str
    intro: str
    rows: tuple[dict[str, str], ...]
    letters: tuple[dict[str, str], ...]


def recipe(site: Site, feeds: Iterable[Feed], issues: Iterable[Issue]) -> str:
    """Return a digest of everything that decides the page's bytes; asking for it loads no template."""
    rows = [
        (f.title, f.atom_url, f.subtitle, len(f.entries), f.entries[0].post.published if f.entries else None)
        for f in feeds
    ]
    letters = [(i.newsletter, i.number, i.subject, i.slot) for i in issues]
    settings = site.settings
    stamp = site.templates_stamp()
    return made.recipe(rows, letters, stamp, settings.site, settings.newsletters, settings.feeds_url)


def feeds_page(site: Site, feeds: Iterable[Feed], issues: Iterable[Issue]) -> bytes:
    """Return the page that lists every feed, with autodiscovery links, and the newest public issues.

    Raises:
        TemplateError: the template has a fault.
    """
    words = site.words()
    page = Page(
        lang=words.lang,
        dir=words.direction,
        title=words.say("feeds"),
        site_name=site.settings.site.name,
        site_url=site.settings.site.url,
        intro=words.say("feeds_intro"),
        rows=tuple(_row(feed, words) for feed in feeds),
        letters=tuple(_letters(site, issues, words)),
    )
    return site.templates.render("pages/feeds.html", {"page": page, "t": words.plain}).encode()


def _row(feed: Feed, words: Words) -> dict[str, str]:
    return {
        "title": feed.topic.label if feed.topic else words.say("everything"),
        "url": feed.atom_url,
        "entries": words.count("entries", len(feed.entries)),
        "newest": words.date(feed.entries[0].post.published) if feed.entries else "",
        "description": feed.subtitle,
    }


def _letters(site: Site, issues: Iterable[Issue], words: Words) -> list[dict[str, Any]]:
    open_to_all = {n.name: n for n in site.settings.newsletters if n.archive == "public"}
    shown = [issue for issue in issues if issue.newsletter in open_to_all]
    return [
        {
            "title": f"{open_to_all[issue.newsletter].heading}: {issue.subject}",
            "url": site.public_url(f"newsletters/{issue.newsletter}/{issue.number}/"),
            "date": words.date(issue.slot),
        }
        for issue in reversed(shown[-_LETTERS_SHOWN:])
    ]
