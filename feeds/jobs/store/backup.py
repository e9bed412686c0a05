"""Back up the store, and adopt what was published without it."""

import html
import re
from datetime import datetime
from pathlib import Path

from feeds.config import Config
from feeds.display import format_count
from feeds.edges.process import lock
from feeds.edges.process.workers import workers
from feeds.edges.store.database import Store, copy_store
from feeds.edges.store.schema import SCHEMA_VERSION
from feeds.errors import FeedsError
from feeds.jobs.context import Context
from feeds.jobs.newsletters import send_checks
from feeds.jobs.posts.survey import SurveyOptions, survey_posts
from feeds.jobs.site import Site
from feeds.jobs.store.journal import append_pending
from feeds.jobs.store.site_store import open_site_store, site_to_check
from feeds.model import AdoptedIssue, Entry
from feeds.settings import Newsletter

_TITLE = re.compile(r"<title>(.*?)</title>", re.DOTALL)


def adopt_public(config: Config, now: datetime, context: Context, *, dry_run: bool = False) -> list[str]:
    """Mark all public posts as announced, and all issues in `public/` as sent; return a line for each newsletter.

    For a new store, a restored one that is older than the last issue, and a site that comes from another program.

    Raises:
        FeedsError: there are no newsletters.
        LockedError: a publish run is at work on this site.
    """
    if not config.settings.newsletters:
        raise FeedsError(f"{config.path} has no [[newsletters]], so there is nothing to adopt")
    with (
        lock.lock_site(config.folder),
        open_site_store(config) as store,
        workers() as team,
    ):
        options = SurveyOptions(team=team, progress=context.progress, dry_run=dry_run)
        survey = survey_posts(config, now=now, known=store.entries.load_entries(), options=options)
        site, entries = Site(config), survey.catalogue.entries
        if not dry_run:
            store.entries.save_entries(entries, now, survey.catalogue.replaced_ids)
        newsletters = config.settings.newsletters
        lines = [_adopt(site, newsletter, store, entries, now, dry_run=dry_run) for newsletter in newsletters]
        if not dry_run:
            append_pending(config, store)
    return lines


def _adopt(
    site: Site, newsletter: Newsletter, store: Store, entries: tuple[Entry, ...], now: datetime, *, dry_run: bool
) -> str:
    _, last_number = store.issues.last_issue(newsletter.name)
    numbers = sorted(n for n in send_checks.public_issue_numbers(site, newsletter) if n > last_number)
    announced = store.issues.announced_ids(newsletter.name)
    new = sum(entry.id not in announced for entry in entries)
    if not dry_run:
        sent = [_load_public_issue(site, newsletter, number) for number in numbers]
        store.issues.adopt(newsletter.name, sent, [entry.id for entry in entries], now)
    marked = "would be marked" if dry_run else "marked"
    which = f"issue {numbers[0]}" if len(numbers) == 1 else f"issues {numbers[0]} to {numbers[-1]}" if numbers else ""
    issues = f"{which} {marked} as sent, " if which else ""
    return f"{newsletter.name}: {issues}{format_count(new, 'post')} {marked} as announced"


def _load_public_issue(site: Site, newsletter: Newsletter, number: int) -> AdoptedIssue:
    page = (site.public.read(f"newsletters/{newsletter.name}/{number}/index.html") or b"").decode("utf-8", "replace")
    title = _TITLE.search(page)
    return AdoptedIssue(number=number, subject=html.unescape(title[1]).strip() if title else "", page=page)


def backup_store(config: Config, file: Path) -> list[Path]:
    """Copy the store at one moment to *file*, even during a send, and its keys beside it; return the files.

    Raises:
        FeedsError: there is no store, or *file* exists already or cannot be written.
    """
    return copy_store(config.store_url, config.folder, file, config.keys_file, site=site_to_check(config))


def upgrade_store(config: Config) -> str:
    """Migrate the tables of the store to this version, as opening it always does; return the schema version."""
    with open_site_store(config):
        return SCHEMA_VERSION
