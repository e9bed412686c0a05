"""Notify the WebSub hub of changed feeds once the website serves them; never delay a publish for long or fail it."""

import time
from collections.abc import Iterable
from datetime import timedelta

from msgspec.structs import replace

from feeds.edges.net import web_check, websub
from feeds.edges.store.feeds import Feeds
from feeds.jobs.context import Context
from feeds.jobs.report import PublishReport
from feeds.jobs.site import Site
from feeds.model import Ping

#: Seconds that one run may spend on pings; the rest wait for the next run.
_BUDGET = 10.0
_FIRST_WAIT, _LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=1)
#: A ping that failed for so long is not sent again.
_GIVE_UP_AFTER = timedelta(days=3)


def notify_hub(site: Site, store: Feeds, context: Context, report: PublishReport) -> None:
    """Ping the hub for each changed document whose ping is due."""
    hub_url = site.settings.feeds.hub
    if hub_url is None:
        store.clear_pings(ping.path for ping in store.load_pings())
        return
    now = context.clock()
    due = [ping for ping in store.load_pings() if ping.next_at <= now]
    done, failed = _ping_due(site, due, context, report)
    tries_before = {ping.path: ping.tries for ping in due}
    given_up = [p.path for p in failed if now - p.since > _GIVE_UP_AFTER and p.tries > tries_before[p.path]]
    report.warnings += (f"{hub_url}: pings for {path} failed for 3 days; given up" for path in given_up)
    store.clear_pings([*done, *given_up])
    store.postpone_pings(replace(p, next_at=now + _delay(p.tries)) for p in failed if p.path not in given_up)
    report.next_ping_at = min((ping.next_at for ping in store.load_pings()), default=None)


def _delay(tries: int) -> timedelta:
    return min(_FIRST_WAIT * (1 << min(max(tries - 1, 0), 10)), _LONGEST_WAIT)


def _ping_due(site: Site, due: Iterable[Ping], context: Context, report: PublishReport) -> tuple[list[str], list[Ping]]:
    """Send pings; return the paths of those that are done, and the pings to try again."""
    hub_url, started = str(site.settings.feeds.hub), time.monotonic()
    done: list[str] = []
    failed: list[Ping] = []
    refusal: str | None = None
    waiting = list(due)
    for number, ping in enumerate(waiting, 1):
        if time.monotonic() - started > _BUDGET:
            failed.append(ping)  # not sent in this run: that does not count as a try
            continue
        if refusal:  # after one failure, the hub is not asked again in this run
            failed.append(replace(ping, tries=ping.tries + 1))
            continue
        content, url = site.public.read(ping.path), site.public_url(ping.path)
        if content is None:
            done.append(ping.path)  # the document was removed meanwhile
        elif site.settings.publish.wait_for_site and not web_check.serves(url, content):
            failed.append(replace(ping, tries=ping.tries + 1))
        elif refusal := websub.send_ping(hub_url, url):
            report.warnings.append(f"{hub_url}: {refusal}; the ping for {url} will be sent again later")
            failed.append(replace(ping, tries=ping.tries + 1))
        else:
            done.append(ping.path)
        context.progress("Pinging the hub", number, len(waiting))
    return done, failed
