"""One pass: bring feeds and pages up to date, finish what is unfinished, compose and send every issue that is due.

The order keeps the promises. The store learns of an entry before a feed shows it. An issue is frozen, with its letters
and recipients, in one transaction before anything of it leaves; its page is written before the first message; each
message is written down before and after it is handed over. Killed anywhere, the next pass goes on from there.
"""

from collections.abc import Iterable, Iterator

from feeds.config import Config
from feeds.core.syndication import atom, plan
from feeds.edges import lock
from feeds.edges.folder import Output
from feeds.edges.store.memory import Memory
from feeds.edges.store.opening import opened
from feeds.errors import FeedsError, OutputError
from feeds.jobs.pages import feeds_page
from feeds.jobs.report import Report, Wish
from feeds.jobs.site import Site
from feeds.jobs.survey import complaints, survey
from feeds.model import Catalogue, Status


def publish(config: Config, wish: Wish) -> Report:
    """Do one pass and return what it did; one part's trouble does not stop the others.

    Raises:
        Busy: another publish is at work on this site.
        StoreError: the memory cannot be used; nothing was written.
    """
    report = Report(warnings=list(config.warnings))
    with lock.site(config.folder), opened(config.settings.store.url, config.folder, create=not wish.dry_run) as memory:
        found = survey(config, now=wish.now, known=memory.known(), progress=wish.progress)
        report.counts = found.counts
        report.next_public_at = min(
            (v.post.published for v in found.verdicts if v.status is Status.FUTURE and v.post), default=None
        )
        errors, warnings = complaints(config, found)
        report.errors += errors
        report.warnings += warnings
        if not wish.dry_run:
            memory.remember(found.entries, wish.now)
        site = Site(config, dry_run=wish.dry_run)
        feeds = plan.plan(found, site.settings)
        _write_feeds(site, feeds, report)
        report.warnings += _left_over(site, feeds)
        if not wish.feeds_only:
            _send_letters(site, found, memory, wish, report)
        _write_index(site, feeds, memory, report)
    return report


def _write_feeds(site: Site, feeds: Iterable[plan.Feed], report: Report) -> None:
    site.public.sweep("feeds", "newsletters")
    for feed in feeds:
        try:
            _write(site.public, feed.path, atom.document(feed, site.settings), report)
        except (ValueError, TypeError) as e:  # what lxml and feedgen raise; the other feeds are written all the same
            report.errors.append(f"{feed.path}: cannot be made: {e}")


def _left_over(site: Site, feeds: Iterable[plan.Feed]) -> Iterator[str]:
    """Yield a line for each category's feed that nothing is in any more; readers may still ask for it, so it stays."""
    shown = {feed.path for feed in feeds}
    for path in site.public.matching("feeds/category/*/atom.xml"):
        if path not in shown:
            yield f"{site.public.root / path}: no public post is in this feed any more; it stays until you delete it"


def _write_index(site: Site, feeds: Iterable[plan.Feed], memory: Memory, report: Report) -> None:
    try:
        page = feeds_page(site, feeds, memory.issues())
        _write(site.public, "feeds/index.html", page, report)
    except FeedsError as e:
        report.errors.append(str(e))


def _write(output: Output, path: str, content: bytes, report: Report) -> None:
    try:
        if output.write(path, content):
            report.written.append(path)
        else:
            report.unchanged += 1
    except OutputError as e:
        report.errors.append(str(e))


def _send_letters(site: Site, found: Catalogue, memory: Memory, wish: Wish, report: Report) -> None:
    if not site.settings.newsletters and not memory.issues(unfinished=True):
        return
    from feeds.jobs import send  # noqa: PLC0415 - a site without newsletters loads none of it

    for newsletter in site.settings.newsletters:
        try:
            send.compose(site, newsletter, found, memory, wish, report)
        except FeedsError as e:
            report.errors.append(str(e))
    if not wish.dry_run:
        send.finish(site, memory, wish, report)
        send.restore_pages(site, memory, report)
