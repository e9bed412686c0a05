"""Render the web page of each feed, and the page that lists all feeds."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby
from typing import Any
from urllib.parse import quote

from markupsafe import Markup

from feeds.core.newsletters import issue_summary
from feeds.core.newsletters.i18n import Texts
from feeds.core.posts.locales import text_direction
from feeds.core.posts.text import balance_directions
from feeds.core.syndication.feed import FILES, MEDIA_TYPES, Feed
from feeds.edges.cache import build_manifest
from feeds.jobs.site import Site
from feeds.model import Entry, Issue, Text
from feeds.settings import Format

#: How many issues the list of all feeds shows.
_MOST_ISSUES = 10
#: From so many feeds on the list has links to its groups.
_MIN_JUMPS = 30
_FORMAT_NAMES: dict[Format, str] = {"atom": "Atom", "rss": "RSS", "json": "JSON"}


@dataclass(frozen=True, kw_only=True, slots=True)
class PageImage:
    """A picture on a page."""

    url: str
    alt: str


@dataclass(frozen=True, kw_only=True, slots=True)
class PageItem:
    """One entry on the page of a feed."""

    title: str
    url: str
    lang: str
    topic: str = ""
    excerpt: str = ""
    #: What the line below it says: author, date, reading time.
    facts: tuple[str, ...] = ()
    #: The mark between two facts, of the page's language.
    separator: str
    #: URL and alternative text of its picture.
    image: PageImage | None = None

    @property
    def meta(self) -> str:
        """The facts as one line."""
        return _join_facts(self.facts, self.separator)

    @property
    def isolated_facts(self) -> Markup:
        """The facts as HTML, each in its own text direction."""
        return _isolate(self.facts, self.separator)

    @property
    def dir(self) -> str:
        """The text direction of its language."""
        return text_direction(self.lang)


def _join_facts(facts: Iterable[str], separator: str) -> str:
    return f" {separator} ".join(facts)


def _isolate(facts: Iterable[str], separator: str) -> Markup:
    """Return values as the HTML of one line, in which each keeps its own text direction (UAX #9)."""
    isolated = (f"<bdi>{escape(fact)}</bdi>" for fact in facts)
    return Markup(_join_facts(isolated, str(escape(separator))))  # noqa: S704 - escaped


def page_item_of_entry(entry: Entry, text: Text, texts: Texts, feed: Feed) -> PageItem:
    """Return a post for the page of *feed*; its category is left out on the page of that category."""
    post, own_topic = entry.post, feed.about and feed.about[1]
    topics = [topic.label for topic in entry.categories if topic.label != own_topic]
    authors = ", ".join(author.name for author in post.authors)
    facts = (authors, texts.date(post.published), texts.reading_time(text.reading_minutes))
    return PageItem(
        title=balance_directions(post.title),
        url=post.external_url or post.url,
        lang=post.lang,
        topic=topics[0] if topics else "",
        excerpt=text.excerpt,
        facts=tuple(filter(None, facts)),
        separator=texts.separator,
    )


def issue_title(issue: Issue, texts: Texts) -> str:
    """Return the title of an issue in lists: its subject, marked if it was retracted."""
    return texts.format("retracted", subject=issue.subject) if issue.retracted_at else issue.subject


def issue_url(site: Site, issue: Issue) -> str:
    """Return the URL of an issue's page."""
    return site.public_url(f"newsletters/{issue.newsletter}/{issue.number}/")


def page_item_of_issue(site: Site, issue: Issue, entry: str, texts: Texts) -> PageItem:
    """Return an issue for the page of its newsletter's feed; *entry* is its stored HTML, which may be empty."""
    excerpt, image = issue_summary.summarize(entry)
    return PageItem(
        title=issue_title(issue, texts),
        url=issue_url(site, issue),
        lang=texts.lang,
        excerpt=excerpt,
        facts=(texts.format("issue", number=issue.number), texts.date(issue.date)),
        separator=texts.separator,
        image=PageImage(url=image[0], alt=image[1]) if image else None,
    )


def render_archive_page(site: Site, feed: Feed, years: Sequence[tuple[int, Sequence[PageItem]]], texts: Texts) -> bytes:
    """Return the page of a newsletter with all its issues, by year.

    Raises:
        TemplateError: the template has a fault.
    """
    page = _feed_page(site, feed, texts, site.icon) | {
        "stories": [item for _, items in years for item in items],
        "years": [{"year": year, "stories": items} for year, items in years],
    }
    return _render(site, "pages/feed.html", page, texts)


def render_feed_page(site: Site, feed: Feed, page_items: Sequence[PageItem], texts: Texts, icon: str) -> bytes:
    """Return the page of one feed; *icon* is the URL of the site's icon.

    Raises:
        TemplateError: the template has a fault.
    """
    page = _feed_page(site, feed, texts, icon) | {"stories": page_items, "years": []}
    return _render(site, "pages/feed.html", page, texts)


def _feed_page(site: Site, feed: Feed, texts: Texts, icon: str) -> dict[str, Any]:
    facts = _facts(feed, texts)
    return page_head(site, texts, icon, title=feed.title, url=feed.page_url) | {
        "label": _label(feed, texts),
        "about": feed.subtitle,
        "facts": _join_facts(facts, texts.separator),
        "isolated_facts": _isolate(facts, texts.separator),
        "formats": format_links(feed.formats, feed.url),
        "all_url": site.settings.feeds_url,
    }


def _facts(feed: Feed, texts: Texts) -> list[str]:
    """Return the number of entries and the date of the last update."""
    facts = [texts.plural("entries", feed.total)]
    if feed.total:
        facts.append(texts.format("updated", date=texts.date(feed.updated)))
    return facts


def feed_list_digest(site: Site, feeds: Iterable[Feed], issues: Sequence[Issue]) -> str:
    """Return a digest of everything that decides the list's bytes; it loads no template."""
    rows = [(f.title, f.url, f.subtitle, f.formats, f.label, f.total, _newest_date(f, issues)) for f in feeds]
    issue_rows = [(i.newsletter, i.number, i.subject, i.slot, i.date, i.retracted_at) for i in issues]
    settings, stamp = site.settings, site.templates_stamp()
    head = (settings.site, settings.newsletters, settings.feeds_url, site.icon)
    return build_manifest.input_digest(rows, issue_rows, stamp, *head)


def render_feed_list(site: Site, feeds: Iterable[Feed], issues: Sequence[Issue]) -> bytes:
    """Return the page that lists every feed, with autodiscovery links, and the newest public issues.

    Raises:
        TemplateError: the template has a fault.
    """
    texts = site.texts()
    groups = [
        {"id": kind, "title": group_title(kind, texts), "rows": [_feed_row(feed, issues, texts) for feed in members]}
        for kind, members in groupby(feeds, lambda feed: feed.kind)
    ]
    page = page_head(site, texts, site.icon, title=texts.format("feeds"), url=site.settings.feeds_url) | {
        "intro": texts.format("feeds_intro"),
        "groups": groups,
        "has_jumps": sum(len(group["rows"]) for group in groups) >= _MIN_JUMPS,
        "opml_url": f"{site.settings.feeds_url}feeds.opml",
        "letters": _issue_rows(site, issues, texts),
    }
    return _render(site, "pages/feeds.html", page, texts)


def group_title(kind: str, texts: Texts) -> str:
    """Return the heading above the feeds of a kind; empty for the feed of everything, which is the only one."""
    return "" if kind == "all" else texts.format("newsletters" if kind == "newsletter" else f"by_{kind}")


def page_head(site: Site, texts: Texts, icon: str, *, title: str, url: str) -> dict[str, Any]:
    """Return the values `page` that `pages/base.html` needs; *icon* is the URL of the site's icon."""
    settings = site.settings.site
    return {
        "lang": texts.lang,
        "dir": texts.direction,
        "font": texts.font,
        "line_height": texts.line_height,
        "icon": icon,
        "title": title,
        "url": url,
        "site_name": settings.name,
        "site_url": settings.url,
    }


def _render(site: Site, name: str, page: Mapping[str, Any], texts: Texts) -> bytes:
    return site.templates.render(name, {"page": page, "t": texts.plain}).encode()


def _label(feed: Feed, texts: Texts) -> str:
    return texts.format("everything") if feed.kind == "all" else feed.label


def format_links(formats: Iterable[Format], folder_url: str) -> list[dict[str, str]]:
    """Return name, media type and URL of each document of a feed at *folder_url*."""
    return [
        {"name": _FORMAT_NAMES[f], "type": MEDIA_TYPES[f], "url": f"{folder_url}{quote(FILES[f])}"} for f in formats
    ]


def _newest_date(feed: Feed, issues: Sequence[Issue]) -> Any:
    """Return when the newest entry was published; a retraction makes an issue no newer."""
    if feed.kind == "newsletter":
        return max((issue.date for issue in issues if issue.newsletter == feed.key), default=feed.updated)
    return feed.entries[0].post.published if feed.entries else feed.updated


def _feed_row(feed: Feed, issues: Sequence[Issue], texts: Texts) -> dict[str, Any]:
    return {
        "title": _label(feed, texts),
        "full_title": feed.title,
        "url": feed.page_url,
        "entries": texts.plural("entries", feed.total),
        "newest": texts.date(_newest_date(feed, issues)) if feed.total else "",
        "description": feed.subtitle,
        "formats": format_links(feed.formats, feed.url),
    }


def _issue_rows(site: Site, issues: Iterable[Issue], texts: Texts) -> list[dict[str, Any]]:
    public = {n.name: n for n in site.settings.newsletters if n.archive == "public"}
    shown = [issue for issue in issues if issue.newsletter in public]
    return [
        {
            "title": f"{public[issue.newsletter].heading}: {issue_title(issue, texts)}",
            "newsletter": public[issue.newsletter].heading,
            "subject": issue_title(issue, texts),
            "url": issue_url(site, issue),
            "date": texts.date(issue.date),
        }
        for issue in reversed(shown[-_MOST_ISSUES:])
    ]
