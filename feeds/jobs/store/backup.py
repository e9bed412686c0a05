"""The store as a thing: taking over what was sent without it, keeping a copy of it."""

import html
import re
from datetime import datetime
from pathlib import Path

from feeds.config import Config
from feeds.edges.process import lock
from feeds.edges.process.workers import workers
from feeds.edges.store.database import SCHEMA_VERSION, Store, copy_store, open_store
from feeds.errors import FeedsError
from feeds.jobs.context import Context
from feeds.jobs.newsletters import send_checks
from feeds.jobs.posts.survey import SurveyOptions, survey_posts
from feeds.jobs.site import Site
from feeds.jobs.store.journal import append_pending
from feeds.model import AdoptedIssue, Entry
from feeds.settings import Newsletter

_TITLE = re.compile(r"<title>(.*?)</title>", re.DOTALL)


def adopt_public(config: Config, now: datetime, context: Context, *, dry_run: bool = False) -> list[str]:
    """Take what is public now as told, in every newsletter, and issues that lie in `public/` as sent; say how many.

    For a new store, one that is older than what was sent, and a site that comes from another tool.

    Raises:
        FeedsError: there are no newsletters.
        Busy: a publish is at work on this site.
    """
    if not config.settings.newsletters:
        raise FeedsError(f"{config.path} has no [[newsletters]], so there is nothing that could have been told")
    with (
        lock.lock_site(config.folder),
        open_store(config.settings.store.url, config.folder) as store,
        workers() as team,
    ):
        options = SurveyOptions(team=team, progress=context.progress, dry_run=dry_run)
        found = survey_posts(config, now=now, known=store.entries.load_entries(), options=options)
        site, entries = Site(config), found.catalogue.entries
        if not dry_run:
            store.entries.save_entries(entries, now)
        told = [
            _adopt(site, newsletter, store, entries, now, dry_run=dry_run) for newsletter in config.settings.newsletters
        ]
        if not dry_run:
            append_pending(config, store)
    return told


def _adopt(
    site: Site, newsletter: Newsletter, store: Store, entries: tuple[Entry, ...], now: datetime, *, dry_run: bool
) -> str:
    _, known = store.issues.last_issue(newsletter.name)
    lying = sorted(number for number in send_checks.public_issue_numbers(site, newsletter) if number > known)
    told = store.issues.announced_ids(newsletter.name)
    new = sum(entry.id not in told for entry in entries)
    if not dry_run:
        sent = [_of_page(site, newsletter, number) for number in lying]
        store.issues.adopt(newsletter.name, sent, [entry.id for entry in entries], now)
    would = "would count" if dry_run else "count"
    issues = f"issues {lying[0]} to {lying[-1]} {would} as sent, " if lying else ""
    return f"{newsletter.name}: {issues}{new:,} posts {would} as told"


def _of_page(site: Site, newsletter: Newsletter, number: int) -> AdoptedIssue:
    page = (site.public.read(f"newsletters/{newsletter.name}/{number}/index.html") or b"").decode("utf-8", "replace")
    title = _TITLE.search(page)
    return AdoptedIssue(number=number, subject=html.unescape(title[1]).strip() if title else "", page=page)


def backup_store(config: Config, file: Path) -> list[Path]:
    """Copy the store to *file*, whole and at one moment, also while something sends, and its keys beside it.

    Raises:
        FeedsError: there is no store, *file* is there already or cannot be written.
    """
    return copy_store(config.settings.store.url, config.folder, file, config.resolve(config.settings.secrets.file))


def upgrade_store(config: Config) -> str:
    """Migrate the tables of the store to this version, as opening it always does; return the schema version."""
    with open_store(config.settings.store.url, config.folder):
        return SCHEMA_VERSION
