"""One publish run: update feeds and pages, compose the issues that are due, then send what is ready.

The order keeps the promises of docs/design.md. The store records an entry before a feed shows it. An issue is frozen
with its letters and recipients in one transaction before anything of it is sent. Its page is written before the first
message, and each message is recorded before and after it is handed to a server. If the process is killed, the next run
continues.

Everything is written under the site's lock. Sending is not, since it can take hours and feeds must not wait for it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

from feeds.config import Config
from feeds.core.syndication.plan import assigned_slugs, retired_paths
from feeds.edges.cache.build_manifest import BuildManifest
from feeds.edges.fast_path.check import digest_files
from feeds.edges.fast_path.state import NEVER, Footprint
from feeds.edges.files.output_folder import OutputFolder
from feeds.edges.process import lock
from feeds.edges.process.workers import Workers, workers
from feeds.edges.store.database import Store, store_path
from feeds.edges.store.postgresql import is_postgresql
from feeds.errors import FeedsError, PostChangedDuringRead, PostError
from feeds.generators import MARKERS
from feeds.jobs.context import Context
from feeds.jobs.feeds.deploy import Deployment
from feeds.jobs.feeds.output_writer import OutputWriter
from feeds.jobs.feeds.syndicate import Syndication, UnrenderablePosts
from feeds.jobs.options import PublishOptions
from feeds.jobs.posts.authors import watched_author_paths
from feeds.jobs.posts.pages import unmatched_warning
from feeds.jobs.posts.read import posts_folder, skipped_folder
from feeds.jobs.posts.survey import Survey, SurveyOptions, survey_posts
from feeds.jobs.posts.unmatched import known_problems
from feeds.jobs.report import PublishReport
from feeds.jobs.sample import refuse_sample
from feeds.jobs.site import Site
from feeds.jobs.store.journal import append_pending
from feeds.jobs.store.site_store import open_site_store
from feeds.model import PostStatus

if TYPE_CHECKING:
    from feeds.core.syndication.feed import Feed
    from feeds.edges.files.scan import Scan

#: How often a run starts again because a post changed while it was read.
_ATTEMPTS = 3


def publish(config: Config, options: PublishOptions, context: Context) -> PublishReport:
    """Publish once and return the report; a failure in one part does not stop the others.

    Raises:
        LockedError: another publish of this site is running.
        PostChangedDuringRead: a post kept changing while it was read.
        StoreError: the database cannot be used; nothing was written.
    """
    return _send(config, prepare(config, options, context), options, context)


def change_and_publish(
    config: Config, change: Callable[[Store], None], options: PublishOptions, context: Context
) -> PublishReport:
    """Change the store, then publish; no other process gets the site's lock in between.

    Raises:
        LockedError: another publish of this site is running; *change* was not called.
        PostChangedDuringRead, StoreError: as for `publish`. What *change* raises is raised, and nothing is published.
    """
    with lock.lock_site(config.folder):
        with open_site_store(config) as store:
            change(store)
        report = _prepare_locked(config, options, context)
    return _send(config, report, options, context)


def prepare(config: Config, options: PublishOptions, context: Context) -> PublishReport:
    """Do everything but send; `PublishReport.sends` is True if there is something to send.

    Raises:
        LockedError, PostChangedDuringRead, StoreError: as for `publish`.
    """
    with lock.lock_site(config.folder):
        return _prepare_locked(config, options, context)


def _prepare_locked(config: Config, options: PublishOptions, context: Context) -> PublishReport:
    with open_site_store(config, create=not options.dry_run) as store, workers() as team:
        run = _run(config, options, context, store, team)
    run.report.footprint = run.footprint()
    return run.report


def _send(config: Config, report: PublishReport, options: PublishOptions, context: Context) -> PublishReport:
    """Send what is ready, and report alerts; a person waits for a confirmation, so it goes before letters."""
    if not (options.dry_run or options.feeds_only):
        _send_service_mails(config, context, report)
    if report.sends:
        from feeds.jobs.newsletters.deliver import deliver_issues

        deliver_issues(Site(config), context, report)
    if (report.sends or report.failed) and not options.dry_run:
        from feeds.jobs.newsletters import alert

        alert.report_alerts(config, report, context, now=options.now)
    return report


def _send_service_mails(config: Config, context: Context, report: PublishReport) -> None:
    """Send confirmations and other mail outside of issues, if any is due."""
    from feeds.jobs.subscribers.signup_due import is_round_due

    if is_round_due(config, context.clock()):
        from feeds.jobs.subscribers.signup_round import run_signup_round

        done = run_signup_round(Site(config), context)
        report.errors += done.mail.errors
        report.alerts += done.alerts


def _run(config: Config, options: PublishOptions, context: Context, store: Store, team: Workers) -> "_PublishRun":
    """Do a run and return it; start again if a post changes while it is read or cannot be rendered."""
    unrenderable: dict[str, str] = {}
    attempts = 1
    while True:
        run = _PublishRun(config, options, context, store, team, unrenderable)
        run.scan = options.scan if attempts == 1 else None
        try:
            run.do()
        except PostChangedDuringRead:
            if attempts == _ATTEMPTS:
                raise
            attempts += 1
        except UnrenderablePosts as e:  # they could be read; the next attempt leaves them out
            unrenderable |= e.reasons
        else:
            return run


class _PublishRun:
    """The steps of one publish run."""

    def __init__(
        self,
        config: Config,
        options: PublishOptions,
        context: Context,
        store: Store,
        team: Workers,
        unrenderable: Mapping[str, str],
    ) -> None:
        self.config, self.options, self.context, self.store, self.team = config, options, context, store, team
        #: Why posts cannot be rendered, by path; they are left out.
        self.unrenderable = unrenderable
        self.site = Site(config, dry_run=options.dry_run)
        self.report = PublishReport(warnings=list(config.warnings))
        #: The files in the posts folder, if they were listed a moment ago.
        self.scan: Scan | None = None
        #: The pages of issues that were written or found unchanged, below `public/`.
        self.issue_pages: Sequence[str] = ()

    def do(self) -> None:
        self.site.public.require_folder()
        known = self.store.entries.load_entries()
        survey = self.survey = survey_posts(
            self.config,
            now=self.options.now,
            known=known,
            slugs=assigned_slugs(self.store.feeds.load_feeds(), "category"),
            options=SurveyOptions(
                team=self.team,
                progress=self.context.progress,
                use_cache=self.options.use_cache,
                dry_run=self.options.dry_run,
                meanwhile=_load,
                scan=self.scan,
            ),
            unrenderable=self.unrenderable,
        )
        refuse_sample(survey, known)
        cache = self.config.cache_folder / "made" if self.options.use_cache else None
        self.manifest = BuildManifest(cache, self.site.public.root, survey.input_name)
        self.writer = OutputWriter(self.site.public, self.manifest, self.report)
        self.has_newsletters = bool(self.site.settings.newsletters) or self.store.has_issues
        self.has_waiting_mail = self.store.service_mails.next_at(resend=1) is not None
        self.report_posts(survey)
        self.deployment = Deployment(
            self.site, self.store.feeds, self.report, now=self.context.clock(), dry_run=self.options.dry_run
        )
        self.write_feeds(survey)
        if self.has_newsletters:
            self.compose_newsletters(survey)
        self.list_feeds()
        if not self.options.dry_run:
            self.manifest.save()
            if self.deployment.run():
                self.notify_hub()

    def footprint(self) -> Footprint | None:
        """Return the files that decided what this run did; None if the next run may have something to do.

        The store is closed.
        """
        if not self._is_complete():
            return None
        folder = str(self.config.folder)
        watched = tuple(dict.fromkeys(path.removeprefix(f"{folder}/") for path in self._watched()))
        moments = [self.survey.next_change_at, *self._next_slots(), *(o.due_until for o in self.report.outlooks)]
        return Footprint(
            until=min((moment.timestamp() for moment in moments if moment), default=NEVER),
            newsletters=self.has_newsletters,
            posts_folder=str(posts_folder(self.config)).removeprefix(f"{folder}/"),
            skipped_folder=skipped_folder(self.config),
            watched=watched,
            digest=digest_files(watched, folder, self.survey.scan),
        )

    def _is_complete(self) -> bool:
        """Return whether another run, with nothing changed, would have nothing to do and nothing new to report."""
        report, options = self.report, self.options
        failed = bool(self.unrenderable or self.writer.failed or report.failed or self.survey.warnings)
        waiting = report.next_ping_at is not None or bool(report.later) or report.sends or report.declined
        waiting = waiting or self.has_waiting_mail
        asked = options.dry_run or options.send is not None or not options.use_cache
        # Another machine may change a store on PostgreSQL, and no file tells.
        is_watched = not is_postgresql(self.config.store_url)
        return is_watched and self.survey.is_settled and not (failed or waiting or asked)

    def _watched(self) -> Iterator[str]:
        """Yield every file and folder besides the posts that a run reads or writes."""
        public, folder = self.site.public.root, self.config.folder
        yield from (f"{public}/{feed.folder}" for feed in self.feeds)
        yield from (f"{public}/{path}" for path in (*self.manifest.paths, *self.issue_pages))
        yield from self.site.files.checked_paths
        yield from self.survey.checked_pages
        store = store_path(self.config.store_url, folder)
        yield from (f"{store}{ending}" for ending in ("", "-wal"))
        yield from (f"{folder}/{marker}" for marker in MARKERS)
        yield from map(str, watched_author_paths(self.config))
        for own in (folder / "templates", folder / "letters"):
            yield from map(str, (own, *sorted(own.rglob("*"))))

    def _next_slots(self) -> Iterator[datetime]:
        """Yield the next slot of each newsletter. This run has looked at a slot that is due now."""
        from feeds.core.schedule import next_slot

        for newsletter in self.site.settings.newsletters:
            yield next_slot(newsletter.schedule, self.site.zone(newsletter), self.options.now)

    def report_posts(self, survey: Survey) -> None:
        """Report the status of every post file, with errors and warnings."""
        report, catalogue = self.report, survey.catalogue
        report.counts = catalogue.counts
        future = (o.post.published for o in catalogue.outcomes if o.status is PostStatus.FUTURE and o.post)
        report.next_public_at = min(future, default=None)
        errors, warnings = survey.diagnostics()
        report.errors += errors
        drops, site = survey.drop_warnings(), self.site
        report.warnings += [*drops, *survey.warnings, *warnings, *site.unused_templates(), *site.missing_texts()]

    # Feeds and pages --------------------------------------------------------------------------------------------

    def write_feeds(self, survey: Survey) -> None:
        """Update the feeds of posts, their archives and their pages."""
        syndication = Syndication(
            self.site, survey, self.store.feeds, self.writer, self.context, dry_run=self.options.dry_run
        )
        results = syndication.start(self.team)
        if not self.options.dry_run:
            self.store.entries.save_entries(survey.catalogue.entries, self.options.now, survey.catalogue.replaced_ids)
            syndication.save()
            with self.reporting_errors():
                append_pending(self.config, self.store)
        self.site.public.remove_temp_files("feeds", "newsletters")
        OutputFolder(self.config.cache_folder, dry_run=self.options.dry_run).remove_temp_files()
        syndication.write(results)
        self.report.warnings += syndication.warnings()
        if self.config.settings.posts.rendered:
            problems = known_problems(
                survey,
                syndication.page_problems,
                syndication.shown_paths,
                use_cache=self.options.use_cache,
                dry_run=self.options.dry_run,
            )
            self.report.warnings += unmatched_warning(self.config, problems)
        self.feeds: list[Feed] = list(syndication.feeds)

    def list_feeds(self) -> None:
        """Update the feeds of newsletters, the lists of feeds and the redirects."""
        from feeds.jobs.feeds import newsletter_feeds, redirect

        retired = retired_paths(self.store.feeds.load_retired(), self.site.settings)
        newsletters = newsletter_feeds.NewsletterFeeds(
            self.site, self.store, self.writer, retired, now=self.context.clock(), dry_run=self.options.dry_run
        )
        with self.reporting_errors():
            self.feeds += newsletters.write()
            self.report.warnings += newsletters.warnings()
        if podcasts := self.site.settings.podcasts:
            from feeds.core.syndication.podcast import podcast_warnings

            self.report.warnings += podcast_warnings(podcasts, self.feeds, str(self.config.path))
        with self.reporting_errors():
            newsletter_feeds.write_feed_list(self.site, self.feeds, newsletters.issues, self.writer)
        with self.reporting_errors():
            newsletter_feeds.write_opml(self.site, self.feeds, self.writer)
        with self.reporting_errors():
            self.report.warnings += redirect.write_redirects(self.site, self.feeds, retired, self.writer)

    @contextmanager
    def reporting_errors(self) -> Iterator[None]:
        """Report an error in the block; the steps after it still run."""
        try:
            yield
        except FeedsError as e:
            self.writer.report_failure(str(e))

    def notify_hub(self) -> None:
        """Ping the WebSub hub about changed feeds, if a hub is configured or pings are pending."""
        if self.site.settings.feeds.hub or self.store.feeds.load_pings():
            from feeds.jobs.feeds.websub import notify_hub

            notify_hub(self.site, self.store.feeds, self.context, self.report)

    # Newsletters ----------------------------------------------------------------------------------------------------

    def compose_newsletters(self, survey: Survey) -> None:
        """Compose the issues that are due, and write the pages of issues."""
        from feeds.jobs.newsletters import issue_pages

        if not self.options.feeds_only:
            self.compose_due(survey)
            self.foresee(survey)
        if not self.options.dry_run:
            self.issue_pages = issue_pages.write_issue_pages(self.site, self.store.issues, self.report)
            self.report.sends = not self.options.feeds_only and bool(self.store.issues.load_issues(unfinished=True))

    def compose_due(self, survey: Survey) -> None:
        """Compose and freeze the issues that are due."""
        from feeds.jobs.newsletters import compose

        if not self.options.dry_run:
            self.store.bounces.end_pauses(self.context.clock())
        for newsletter in self.site.settings.newsletters:
            try:
                compose.compose_issue(
                    self.site,
                    newsletter,
                    survey,
                    self.store.issues,
                    self.report,
                    options=self.options,
                    context=self.context,
                )
            except PostChangedDuringRead:
                raise
            except PostError as e:
                raise UnrenderablePosts({e.path: str(e)}) from e
            except FeedsError as e:
                self.writer.report_failure(str(e))
                self.report.failed[newsletter.name] = str(e)

    def foresee(self, survey: Survey) -> None:
        """Report what each newsletter sends next, except for an issue that a dry run has not frozen."""
        from feeds.jobs.newsletters import foresee

        for newsletter in self.site.settings.newsletters:
            self.report.warnings += foresee.category_warnings(self.site, newsletter, survey)
            if newsletter.name not in {issue.newsletter for issue in self.report.issues if issue.state == "due"}:
                reason = self.report.skipped.get(newsletter.name, "")
                found = foresee.foresee_newsletter(
                    self.site, newsletter, survey, self.store.issues, self.options.now, reason=reason
                )
                self.report.outlooks.append(found)


def _load() -> None:
    """Import what rendering feeds needs, in a worker that has nothing else to do."""
    import nh3  # noqa: F401 - only where feeds are made

    from feeds.core.syndication import documents  # noqa: F401 - as above
