"""One pass: bring feeds and pages up to date, compose every issue that is due, then send whatever is on its way.

The order keeps the promises. The store learns of an entry before a feed shows it. An issue is frozen, with its letters
and recipients, in one transaction before anything of it leaves; its page is written before the first message; each
message is written down before and after it is handed over. Killed anywhere, the next pass goes on from there.

What is written is written under the site's lock. Sending is not: it may take hours, and feeds go on being published.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from feeds.config import Config
from feeds.core.syndication.plan import Feed, assigned_slugs, retired_paths
from feeds.edges.cache import fast_path_state, fingerprint
from feeds.edges.cache.build_manifest import BuildManifest
from feeds.edges.process import lock
from feeds.edges.process.workers import Workers, workers
from feeds.edges.store import database
from feeds.edges.store.database import open_store
from feeds.errors import FeedsError, PostChangedDuringRead, PostError
from feeds.jobs.feeds.deploy import Deployment
from feeds.jobs.feeds.output_writer import OutputWriter
from feeds.jobs.feeds.syndicate import Syndication, UnrenderablePosts
from feeds.jobs.posts.survey import Survey, SurveyOptions, survey_posts
from feeds.jobs.report import FastPathState, PublishOptions, PublishReport
from feeds.jobs.site import Site
from feeds.jobs.store.journal import append_pending
from feeds.model import PostStatus

if TYPE_CHECKING:
    from feeds.edges.files.scan import Scan
    from feeds.edges.store.database import Store

#: How often a pass begins anew when posts change under its hands.
_ATTEMPTS = 3


def publish(config: Config, wish: PublishOptions) -> PublishReport:
    """Do one pass and return what it did; one part's trouble does not stop the others.

    Raises:
        Busy: another publish is at work on this site.
        Changed: a post kept changing while it was read.
        StoreError: the memory cannot be used; nothing was written.
    """
    report = prepare(config, wish)
    if report.sends:
        from feeds.jobs.newsletters.deliver import deliver_issues  # noqa: PLC0415 - a pass that sends nothing loads none of it

        deliver_issues(Site(config), wish, report)
    if report.sends or report.failed:
        from feeds.jobs.newsletters import alert  # noqa: PLC0415 - as above

        alert.report_alerts(config, report, wish)
    return report


def prepare(config: Config, wish: PublishOptions) -> PublishReport:
    """Do everything but send; `Report.sends` says whether there is anything to.

    Raises:
        Busy, Changed, StoreError: as above.
    """
    url, create = config.settings.store.url, not wish.dry_run
    with lock.lock_site(config.folder):
        with open_store(url, config.folder, create=create) as store, workers() as team:
            done = _tried(config, wish, store, team)
        done.report.fast_path = done.rest()
    return done.report


def _tried(config: Config, wish: PublishOptions, store: "Store", team: Workers) -> "_PublishRun":
    """Return a pass that was done; it begins anew when posts change under its hands."""
    refused: dict[str, str] = {}
    attempts = 1
    while True:
        done = _PublishRun(config, wish, store, team, refused)
        done.seen = wish.seen if attempts == 1 else None
        try:
            done.do()
        except PostChangedDuringRead:
            if attempts == _ATTEMPTS:
                raise
            attempts += 1
        except UnrenderablePosts as e:  # read well, and cannot be shown; the others go on without them
            refused |= e.reasons
        else:
            return done


class _PublishRun:
    """One pass at work."""

    def __init__(
        self, config: Config, wish: PublishOptions, store: "Store", team: Workers, refused: Mapping[str, str]
    ) -> None:
        self.config, self.wish, self.store, self.team, self.refused = config, wish, store, team, refused
        self.site = Site(config, dry_run=wish.dry_run)
        self.report = PublishReport(warnings=list(config.warnings))
        #: A fresh look at the posts folder, if there is one.
        self.seen: Scan | None = None

    def do(self) -> None:
        found = self.found = survey_posts(
            self.config,
            now=self.wish.now,
            known=self.store.entries.load_entries(),
            slugs=assigned_slugs(self.store.feeds.load_feeds(), "category"),
            means=SurveyOptions(
                team=self.team,
                progress=self.wish.progress,
                use_cache=self.wish.use_cache,
                dry_run=self.wish.dry_run,
                meanwhile=_load,
                seen=self.seen,
            ),
            refused=self.refused,
        )
        cache = self.config.folder / fingerprint.CACHE / "made" if self.wish.use_cache else None
        self.made = BuildManifest(cache, self.site.public.root, found.build)
        self.press = OutputWriter(self.site.public, self.made, self.report)
        self.has_letters = bool(self.site.settings.newsletters) or self.store.has_issues
        self.tell(found)
        self.deployment = Deployment(self.site, self.store.feeds, self.wish, self.report)
        self.write_feeds(found)
        if self.has_letters:
            self.compose_letters(found)
        self.list_feeds()
        if not self.wish.dry_run:
            self.made.save()
            if self.deployment.run():
                self.announce()

    def rest(self) -> FastPathState | None:
        """Return the state in which everything was left; None if something is still to be done. The store is closed."""
        calm = self.found.settled and not self.found.warnings and not self.refused and not self.press.failed
        waiting = self.report.next_ping_at is not None or bool(self.report.later) or self.report.sends
        if not calm or waiting or self.wish.dry_run or not self.wish.use_cache:
            return None
        places = (*(feed.folder for feed in self.feeds), *self.made.paths)
        store = database.store_path(self.site.settings.store.url, self.config.folder)
        templates = self.config.folder / "templates"
        watched = (
            *(f"{self.site.public.root}/{place}" for place in dict.fromkeys(places)),
            *dict.fromkeys(self.site.files.looked_at),
            *(f"{store}{ending}" for ending in ("", "-wal")),
            *map(str, (templates, *sorted(templates.rglob("*")))),
        )
        return FastPathState(
            until=self.found.until,
            letters=self.has_letters,
            posts=str(self.config.resolve(self.site.settings.posts.folder)),
            watched=watched,
            state=fast_path_state.watched_state(watched, self.found.scan),
        )

    def tell(self, found: Survey) -> None:
        """Report what lies in the posts folder."""
        report, catalogue = self.report, found.catalogue
        report.counts = catalogue.counts
        future = (v.post.published for v in catalogue.outcomes if v.status is PostStatus.FUTURE and v.post)
        report.next_public_at = min(future, default=None)
        errors, warnings = found.diagnostics()
        report.errors += errors
        report.warnings += [*found.warnings, *warnings]

    # Feeds and pages --------------------------------------------------------------------------------------------

    def write_feeds(self, found: Survey) -> None:
        """Bring the feeds of posts, their archives and pages up to date."""
        syndication = Syndication(self.site, found, self.store.feeds, self.press, self.wish)
        made = syndication.start(self.team)
        if not self.wish.dry_run:
            self.store.entries.save_entries(found.catalogue.entries, self.wish.now)
            syndication.save()
            with self.one_by_one():
                append_pending(self.config, self.store)
        self.site.public.remove_temp_files("feeds", "newsletters")
        syndication.write(made)
        self.report.warnings += syndication.warnings()
        self.feeds: list[Feed] = list(syndication.feeds)

    def list_feeds(self) -> None:
        """Bring the newsletters' feeds and everything that tells of feeds up to date."""
        from feeds.jobs.feeds import newsletter_feeds, redirect  # noqa: PLC0415 - Babel, for words that seldom change

        gone = retired_paths(self.store.feeds.load_retired(), self.site.settings)
        newsletters = newsletter_feeds.NewsletterFeeds(self.site, self.store, self.press, self.wish, gone)
        with self.one_by_one():
            self.feeds += newsletters.write()
            self.report.warnings += newsletters.warnings()
        with self.one_by_one():
            newsletter_feeds.write_feed_list(self.site, self.feeds, newsletters.issues, self.press)
        with self.one_by_one():
            newsletter_feeds.write_opml(self.site, self.feeds, self.press)
        with self.one_by_one():
            self.report.warnings += redirect.write_redirects(self.site, self.feeds, gone, self.press)

    @contextmanager
    def one_by_one(self) -> Iterator[None]:
        """Report what goes wrong inside; what comes behind it is done all the same."""
        try:
            yield
        except FeedsError as e:
            self.press.report_failure(str(e))

    def announce(self) -> None:
        """Tell the hub, if there is one to tell anything."""
        if self.site.settings.feeds.hub or self.store.feeds.load_pings():
            from feeds.jobs.feeds.websub import notify_hub  # noqa: PLC0415 - HTTP, for sites with a hub

            notify_hub(self.site, self.store.feeds, self.wish, self.report)

    # Letters ----------------------------------------------------------------------------------------------------

    def compose_letters(self, found: Survey) -> None:
        """Compose what is due, and write the pages of issues."""
        from feeds.jobs.newsletters import issue_pages  # noqa: PLC0415 - a site without newsletters loads none of it

        if not self.wish.feeds_only:
            self.compose_due(found)
        if not self.wish.dry_run:
            issue_pages.write_issue_pages(self.site, self.store.issues, self.report)
            self.report.sends = not self.wish.feeds_only and bool(self.store.issues.load_issues(unfinished=True))

    def compose_due(self, found: Survey) -> None:
        """Freeze the issues that are due."""
        from feeds.jobs.newsletters import compose  # noqa: PLC0415 - as above

        memory = self.store.issues
        if not self.wish.dry_run:
            self.store.bounces.end_pauses(self.wish.clock())
        for newsletter in self.site.settings.newsletters:
            try:
                compose.compose_issue(self.site, newsletter, found, memory, self.wish, self.report)
            except PostChangedDuringRead:
                raise
            except PostError as e:
                raise UnrenderablePosts({e.path: str(e)}) from e
            except FeedsError as e:
                self.report.errors.append(str(e))
                self.report.failed[newsletter.name] = str(e)


def _load() -> None:
    """Load what making feeds takes."""
    import nh3  # noqa: F401, PLC0415 - only where feeds are made

    from feeds.core.syndication import documents  # noqa: F401, PLC0415 - as above
