"""The feeds of newsletters, and what lists all feeds: a page for people, an OPML file for feed readers."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from feeds.core.syndication import plan
from feeds.core.syndication.feed import PAGE, Feed
from feeds.edges.cache.build_manifest import input_digest
from feeds.jobs.feeds import pages
from feeds.jobs.feeds.output_writer import OutputWriter
from feeds.jobs.newsletters.notices import render_notice
from feeds.jobs.site import Site
from feeds.model import Issue, IssueState, KnownFeed
from feeds.settings import Newsletter

if TYPE_CHECKING:
    from feeds.core.syndication.item import Item
    from feeds.edges.store.database import Store

_INDEX, _OPML = "feeds/index.html", "feeds/feeds.opml"


class NewsletterFeeds:
    """The feeds of all newsletters whose issues are open to everybody."""

    def __init__(
        self,
        site: Site,
        store: "Store",
        press: OutputWriter,
        ended: Collection[str],
        *,
        now: datetime,
        dry_run: bool = False,
    ) -> None:
        self.site, self.store, self.press, self.ended = site, store, press, ended
        self._now, self._dry_run = now, dry_run
        #: Of every newsletter, the oldest first.
        known = store.issues.load_issues() if store.has_issues else ()
        self.issues: tuple[Issue, ...] = tuple(i for i in known if i.state is not IssueState.COMPOSED)

    def write(self) -> list[Feed]:
        """Bring each newsletter's feed and page up to date; return the feeds."""
        memory = self.store.feeds
        known = {feed.key: feed for feed in memory.load_feeds() if feed.kind == "newsletter"}
        found = list(
            plan.drop_retired_formats(
                self.ended, (feed for feed in self._feeds(known) if feed.folder not in self.ended)
            )
        )
        if not self._dry_run:
            memory.save_feeds([feed.known_feed for feed in found if known.get(feed.key) != feed.known_feed], [])
        for feed in found:
            self._write(feed)
        return found

    def _feeds(self, known: Mapping[str, KnownFeed]) -> Iterator[Feed]:
        for newsletter in self.site.settings.newsletters:
            issues = self._of(newsletter.name)
            if newsletter.archive == "public" and issues:
                yield plan.plan_newsletter_feed(
                    newsletter,
                    self.site.settings,
                    issues=len(issues),
                    updated=max(issue.updated for issue in issues),
                    known=known.get(newsletter.name),
                )

    def _of(self, name: str) -> list[Issue]:
        """Return a newsletter's issues, newest first."""
        return [issue for issue in reversed(self.issues) if issue.newsletter == name]

    def _write(self, feed: Feed) -> None:
        issues = self._of(feed.key)[: feed.size]
        settings = self.site.settings
        about = (feed.id, feed.title, feed.url, feed.lang, feed.total, feed.formats)
        zone = self.site.zone(self._named(feed))
        made_of = input_digest(about, issues, settings.site, settings.feeds.hub, self.site.templates_stamp(), zone)
        wanted = [path for path in (*feed.files.values(), feed.page) if not self.press.is_fresh(path, made_of)]
        told = [path for path in wanted if path != feed.page and settings.feeds.hub and not self._dry_run]
        waiting = self.store.feeds.expect_pings(told, self._now)
        made = self._render(feed, issues, wanted)
        same = [path for path, content in made if not self.press.write(path, content, made_of)]
        self.store.feeds.clear_pings(path for path in same if path in told and path not in waiting)
        self.store.feeds.reset_pings(waiting.difference(same), self._now)

    def _render(self, feed: Feed, issues: Sequence[Issue], wanted: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        if feed.page in wanted:
            words = self.site.texts(self._named(feed))
            stories = [pages.page_item_of_issue(self.site, issue, words) for issue in issues]
            yield feed.page, pages.render_feed_page(self.site, feed, stories, words)
        paths = [path for path in wanted if path != feed.page]
        if paths:
            from feeds.core.syndication.documents import render_documents  # noqa: PLC0415 - lxml and feedgen, only where a feed is made

            items = [self._item(feed, issue, issues) for issue in issues]
            yield from render_documents(feed, items, self.site.settings, paths)

    def _named(self, feed: Feed) -> Newsletter:
        return next(n for n in self.site.settings.newsletters if n.name == feed.key)

    def warnings(self) -> Iterator[str]:
        """Yield a line for each newsletter's feed that is not written any more and stays."""
        named = {n.name: n for n in self.site.settings.newsletters if n.archive == "public"}
        for feed in self.store.feeds.load_feeds():
            left = feed.kind == "newsletter" and feed.key not in named and feed.folder not in self.ended
            if left and self.site.public.has(f"{feed.folder}{PAGE}"):
                place = self.site.public.root / feed.folder
                yield f"{place}: its feed is not written any more and stays (`feeds retire {feed.folder}` ends it)"

    def _item(self, feed: Feed, issue: Issue, issues: Sequence[Issue]) -> "Item":
        from feeds.core.syndication import item  # noqa: PLC0415 - as above

        newsletter = self._named(feed)
        entry = (
            render_notice(self.site, newsletter, issue, issues, on_page=False)
            + self.store.issues.load_page(issue.id).entry
        )
        title = pages.issue_title(issue, self.site.texts(newsletter))
        url = self.site.public_url(f"newsletters/{issue.newsletter}/{issue.number}/")
        authority = self.site.settings.site.authority
        return item.item_of_issue(issue, entry, title=title, url=url, lang=feed.lang, authority=authority)


def write_feed_list(site: Site, feeds: Sequence[Feed], issues: Sequence[Issue], press: OutputWriter) -> None:
    """Bring the page that lists all feeds up to date."""
    made_of = pages.feed_list_digest(site, feeds, issues)
    if not press.is_fresh(_INDEX, made_of):
        press.write(_INDEX, pages.render_feed_list(site, feeds, issues), made_of)


def write_opml(site: Site, feeds: Sequence[Feed], press: OutputWriter) -> None:
    """Bring the list of all feeds for programs up to date."""
    if not any(feed.formats for feed in feeds):
        press.remove(_OPML)
        return
    about = [(f.kind, f.label, f.title, f.subtitle, f.lang, f.formats, f.url) for f in feeds]
    updated = max((f.updated for f in feeds), default=None)
    made_of = input_digest(about, updated, site.settings.site, site.templates_stamp())
    if not press.is_fresh(_OPML, made_of):
        from feeds.core.syndication.opml import render_opml  # noqa: PLC0415 - lxml, for a file that seldom changes

        words = site.texts()
        groups = {feed.kind: pages.group_title(feed.kind, words) for feed in feeds}
        press.write(_OPML, render_opml(feeds, site.settings.site.name, groups), made_of)
