"""The pages for people: one a feed, and the list of all feeds."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from feeds.core.newsletters.i18n import Texts, text_direction
from feeds.core.syndication.feed import FILES, MEDIA_TYPES, Feed
from feeds.edges.cache import build_manifest
from feeds.jobs.site import Site
from feeds.model import Entry, Issue, Text
from feeds.settings import Format

#: How many issues the list of all feeds names.
_LETTERS_SHOWN = 10
_NAMES: dict[Format, str] = {"atom": "Atom", "rss": "RSS", "json": "JSON"}


@dataclass(frozen=True, kw_only=True, slots=True)
class PageItem:
    """What a feed's page shows of an entry."""

    title: str
    url: str
    lang: str
    topic: str = ""
    excerpt: str = ""
    meta: str = ""

    @property
    def dir(self) -> str:
        """The direction of its script."""
        return text_direction(self.lang)


def page_item_of_entry(entry: Entry, text: Text, words: Texts, feed: Feed) -> PageItem:
    """Return what a page shows of a post; the category is not said again on the category's own page."""
    post, about = entry.post, feed.about and feed.about[1]
    topics = [topic.label for topic in entry.categories if topic.label != about]
    authors = ", ".join(author.name for author in post.authors)
    said = (authors, words.date(post.published), words.plural("reading", text.reading_minutes))
    return PageItem(
        title=post.title,
        url=post.external_url or post.url,
        lang=post.lang,
        topic=topics[0] if topics else "",
        excerpt=text.excerpt,
        meta=" · ".join(filter(None, said)),
    )


def issue_title(issue: Issue, words: Texts) -> str:
    """Return what lists call an issue: its subject, and that it was taken back if it was."""
    return words.format("retracted", subject=issue.subject) if issue.retracted_at else issue.subject


def page_item_of_issue(site: Site, issue: Issue, words: Texts) -> PageItem:
    """Return what a page shows of a newsletter's issue."""
    number = words.format("issue", number=issue.number)
    return PageItem(
        title=issue_title(issue, words),
        url=site.public_url(f"newsletters/{issue.newsletter}/{issue.number}/"),
        lang=words.lang,
        meta=f"{number} · {words.date(issue.slot)}",
    )


def render_feed_page(site: Site, feed: Feed, stories: Sequence[PageItem], words: Texts) -> bytes:
    """Return the page of one feed.

    Raises:
        TemplateError: the template has a fault.
    """
    page = _page(site, words, title=feed.title, url=feed.page_url) | {
        "label": _label(feed, words),
        "about": feed.subtitle,
        "facts": _facts(feed, words),
        "formats": _formats(feed),
        "all_url": site.settings.feeds_url,
        "stories": stories,
    }
    return _rendered(site, "pages/feed.html", page, words)


def _facts(feed: Feed, words: Texts) -> str:
    """Return how many entries there are and when the feed was updated."""
    found = [words.plural("entries", feed.total)]
    if feed.total:
        found.append(words.format("updated", date=words.date(feed.updated)))
    return " · ".join(found)


def feed_list_digest(site: Site, feeds: Iterable[Feed], issues: Sequence[Issue]) -> str:
    """Return a digest of everything that decides the list's bytes; asking for it loads no template."""
    rows = [(f.title, f.url, f.subtitle, f.formats, f.label, f.total, _newest(f, issues)) for f in feeds]
    letters = [(i.newsletter, i.number, i.subject, i.slot, i.retracted_at) for i in issues]
    settings = site.settings
    stamp = site.templates_stamp()
    return build_manifest.input_digest(rows, letters, stamp, settings.site, settings.newsletters, settings.feeds_url)


def render_feed_list(site: Site, feeds: Iterable[Feed], issues: Sequence[Issue]) -> bytes:
    """Return the page that lists every feed, with autodiscovery links, and the newest public issues.

    Raises:
        TemplateError: the template has a fault.
    """
    words = site.texts()
    page = _page(site, words, title=words.format("feeds"), url=site.settings.feeds_url) | {
        "intro": words.format("feeds_intro"),
        "groups": [
            {"title": group_title(kind, words), "rows": [_row(feed, issues, words) for feed in members]}
            for kind, members in groupby(feeds, lambda feed: feed.kind)
        ],
        "opml_url": f"{site.settings.feeds_url}feeds.opml",
        "letters": _letters(site, issues, words),
    }
    return _rendered(site, "pages/feeds.html", page, words)


def group_title(kind: str, words: Texts) -> str:
    """Return what the feeds of a kind are called together; the feed of everything stands alone."""
    return "" if kind == "all" else words.format("newsletters" if kind == "newsletter" else f"by_{kind}")


def _page(site: Site, words: Texts, *, title: str, url: str) -> dict[str, Any]:
    about = site.settings.site
    return {
        "lang": words.lang,
        "dir": words.direction,
        "title": title,
        "url": url,
        "site_name": about.name,
        "site_url": about.url,
    }


def _rendered(site: Site, name: str, page: Mapping[str, Any], words: Texts) -> bytes:
    return site.templates.render(name, {"page": page, "t": words.plain}).encode()


def _label(feed: Feed, words: Texts) -> str:
    return words.format("everything") if feed.kind == "all" else feed.label


def _formats(feed: Feed) -> list[dict[str, str]]:
    return [{"name": _NAMES[f], "type": MEDIA_TYPES[f], "url": feed.url_of(FILES[f])} for f in feed.formats]


def _newest(feed: Feed, issues: Sequence[Issue]) -> Any:
    """Return when its newest entry was published: what is said of an issue afterwards makes it no newer."""
    if feed.kind == "newsletter":
        return max((issue.slot for issue in issues if issue.newsletter == feed.key), default=feed.updated)
    return feed.entries[0].post.published if feed.entries else feed.updated


def _row(feed: Feed, issues: Sequence[Issue], words: Texts) -> dict[str, Any]:
    return {
        "title": _label(feed, words),
        "full_title": feed.title,
        "url": feed.page_url,
        "entries": words.plural("entries", feed.total),
        "newest": words.date(_newest(feed, issues)) if feed.total else "",
        "description": feed.subtitle,
        "formats": _formats(feed),
    }


def _letters(site: Site, issues: Iterable[Issue], words: Texts) -> list[dict[str, Any]]:
    open_to_all = {n.name: n for n in site.settings.newsletters if n.archive == "public"}
    shown = [issue for issue in issues if issue.newsletter in open_to_all]
    return [
        {
            "title": f"{open_to_all[issue.newsletter].heading}: {issue_title(issue, words)}",
            "url": site.public_url(f"newsletters/{issue.newsletter}/{issue.number}/"),
            "date": words.date(issue.slot),
        }
        for issue in reversed(shown[-_LETTERS_SHOWN:])
    ]
