"""Write the feeds of newsletters, and the two lists of all feeds: a web page and an OPML file."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import TYPE_CHECKING

from feeds.core.syndication import plan
from feeds.core.syndication.feed import PAGE, Feed
from feeds.edges.cache.build_manifest import input_digest
from feeds.jobs.feeds import pages
from feeds.jobs.feeds.output_writer import OutputWriter
from feeds.jobs.newsletters.notices import render_entry_notice
from feeds.jobs.site import Site
from feeds.model import Issue, IssueState, KnownFeed
from feeds.settings import Newsletter

if TYPE_CHECKING:
    from feeds.core.newsletters.i18n import Texts
    from feeds.core.syndication.item import Item
    from feeds.edges.store.database import Store

_INDEX, _OPML = "feeds/index.html", "feeds/feeds.opml"


class NewsletterFeeds:
    """The feeds of all newsletters with a public archive."""

    def __init__(
        self,
        site: Site,
        store: "Store",
        writer: OutputWriter,
        retired: Collection[str],
        *,
        now: datetime,
        dry_run: bool = False,
    ) -> None:
        self.site, self.store, self.writer, self.retired = site, store, writer, retired
        self._now, self._dry_run = now, dry_run
        issues = store.issues.load_issues() if store.has_issues else ()
        #: The approved issues of every newsletter, the oldest first.
        self.issues: tuple[Issue, ...] = tuple(i for i in issues if i.state is not IssueState.COMPOSED)

    def write(self) -> list[Feed]:
        """Update the documents and the page of each newsletter's feed; return the feeds."""
        store = self.store.feeds
        known = {feed.key: feed for feed in store.load_feeds() if feed.kind == "newsletter"}
        planned = (feed for feed in self._plan(known) if feed.folder not in self.retired)
        feeds = list(plan.drop_retired_formats(self.retired, planned))
        if not self._dry_run:
            store.save_feeds([feed.known_feed for feed in feeds if known.get(feed.key) != feed.known_feed], [])
        for feed in feeds:
            self._write_feed(feed)
        return feeds

    def _plan(self, known: Mapping[str, KnownFeed]) -> Iterator[Feed]:
        for newsletter in self.site.settings.newsletters:
            issues = self._issues_of(newsletter.name)
            if newsletter.archive == "public" and issues:
                yield plan.plan_newsletter_feed(
                    newsletter,
                    self.site.settings,
                    issues=len(issues),
                    updated=max(issue.updated for issue in issues),
                    known=known.get(newsletter.name),
                )

    def _issues_of(self, name: str) -> list[Issue]:
        """Return a newsletter's issues, newest first."""
        return [issue for issue in reversed(self.issues) if issue.newsletter == name]

    def _write_feed(self, feed: Feed) -> None:
        issues = self._issues_of(feed.key)
        digest = self._input_digest(feed, issues[: feed.size])
        digests = {**dict.fromkeys(feed.files.values(), digest), feed.page: input_digest(digest, issues)}
        stale = [path for path, digest in digests.items() if not self.writer.is_fresh(path, digest)]
        has_hub = self.site.settings.feeds.hub and not self._dry_run
        pinged = [path for path in stale if path != feed.page and has_hub]
        waiting = self.store.feeds.expect_pings(pinged, self._now)
        rendered = self._render(feed, issues, stale)
        same = [path for path, content in rendered if not self.writer.write(path, content, digests[path])]
        self.store.feeds.clear_pings(path for path in same if path in pinged and path not in waiting)
        self.store.feeds.reset_pings(waiting.difference(same), self._now)

    def _input_digest(self, feed: Feed, issues: Sequence[Issue]) -> str:
        """Return a digest of everything that decides the bytes of a feed's documents and page."""
        settings, zone = self.site.settings, self.site.zone(self._newsletter(feed))
        head = (feed.id, feed.title, feed.url, feed.lang, feed.total, feed.formats, self.site.icon)
        return input_digest(head, issues, settings.site, settings.feeds.hub, self.site.templates_stamp(), zone)

    def _render(self, feed: Feed, issues: Sequence[Issue], paths: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        """Yield the path and the bytes of each of *paths*."""
        if feed.page in paths:
            yield feed.page, self._render_archive_page(feed, issues)
        documents = [path for path in paths if path != feed.page]
        if documents:
            from feeds.core.syndication.documents import render_documents

            items = [self._item(feed, issue, issues) for issue in issues[: feed.size]]
            yield from render_documents(feed, items, self.site.settings, documents)

    def _render_archive_page(self, feed: Feed, issues: Sequence[Issue]) -> bytes:
        newsletter = self._newsletter(feed)
        texts, zone = self.site.texts(newsletter), self.site.zone(newsletter)
        years = [
            (year, [self._page_item(issue, texts) for issue in members])
            for year, members in groupby(issues, lambda issue: issue.date.astimezone(zone).year)
        ]
        return pages.render_archive_page(self.site, feed, years, texts)

    def _page_item(self, issue: Issue, texts: "Texts") -> pages.PageItem:
        return pages.page_item_of_issue(self.site, issue, self.store.issues.load_page(issue.id).entry, texts)

    def _newsletter(self, feed: Feed) -> Newsletter:
        return next(n for n in self.site.settings.newsletters if n.name == feed.key)

    def warnings(self) -> Iterator[str]:
        """Yield a warning for each newsletter whose feed is still in `public/` but no longer written."""
        written = {n.name for n in self.site.settings.newsletters if n.archive == "public"}
        for feed in self.store.feeds.load_feeds():
            is_abandoned = feed.kind == "newsletter" and feed.key not in written and feed.folder not in self.retired
            if is_abandoned and self.site.public.has(f"{feed.folder}{PAGE}"):
                folder = self.site.public.root / feed.folder
                yield f"{folder}: this feed is not written any more (`feeds retire {feed.folder}` removes it)"

    def _item(self, feed: Feed, issue: Issue, issues: Sequence[Issue]) -> "Item":
        from feeds.core.syndication import item

        newsletter = self._newsletter(feed)
        notice = render_entry_notice(self.site, newsletter, issue, issues)
        return item.item_of_issue(
            issue,
            notice + self.store.issues.load_page(issue.id).entry,
            title=pages.issue_title(issue, self.site.texts(newsletter)),
            url=pages.issue_url(self.site, issue),
            lang=feed.lang,
            authority=self.site.settings.site.authority,
        )


def write_feed_list(site: Site, feeds: Sequence[Feed], issues: Sequence[Issue], writer: OutputWriter) -> None:
    """Update the web page that lists all feeds."""
    digest = pages.feed_list_digest(site, feeds, issues)
    if not writer.is_fresh(_INDEX, digest):
        writer.write(_INDEX, pages.render_feed_list(site, feeds, issues), digest)


def write_opml(site: Site, feeds: Sequence[Feed], writer: OutputWriter) -> None:
    """Update the OPML file, which feed readers import; remove it if no feed has a document."""
    if not any(feed.formats for feed in feeds):
        writer.remove(_OPML)
        return
    rows = [(f.kind, f.label, f.title, f.subtitle, f.lang, f.formats, f.url) for f in feeds]
    updated = max((f.updated for f in feeds), default=None)
    digest = input_digest(rows, updated, site.settings.site, site.templates_stamp())
    if not writer.is_fresh(_OPML, digest):
        from feeds.core.syndication.opml import render_opml

        texts = site.texts()
        groups = {feed.kind: pages.group_title(feed.kind, texts) for feed in feeds}
        writer.write(_OPML, render_opml(feeds, site.settings.site.name, groups), digest)
