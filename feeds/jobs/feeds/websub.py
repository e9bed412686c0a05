"""Tell the hub what has changed, once the web shows it. Never holds a publish up for long, and never fails it."""

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

#: Seconds that a pass may spend on this; what is left has its turn in the next one.
_BUDGET = 10.0
_FIRST_WAIT, _LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=1)
#: A hub that has not listened for so long is not asked again.
_PATIENCE = timedelta(days=3)


def notify_hub(site: Site, memory: Feeds, context: Context, report: PublishReport) -> None:
    """Ping the hub for each document that is waiting for it and is due."""
    if site.settings.feeds.hub is None:
        memory.clear_pings(ping.path for ping in memory.load_pings())
        return
    now = context.clock()
    due = [ping for ping in memory.load_pings() if ping.next_at <= now]
    heard, again = _ping_due(site, due, context, report)
    asked = {ping.path: ping.tries for ping in due}
    given_up = [p.path for p in again if now - p.since > _PATIENCE and p.tries > asked[p.path]]
    report.warnings += (f"{site.settings.feeds.hub}: has not heard of {path} for 3 days; given up" for path in given_up)
    memory.clear_pings([*heard, *given_up])
    memory.postpone_pings(replace(p, next_at=now + _wait(p.tries)) for p in again if p.path not in given_up)
    report.next_ping_at = min((ping.next_at for ping in memory.load_pings()), default=None)


def _wait(tries: int) -> timedelta:
    return min(_FIRST_WAIT * (1 << min(max(tries - 1, 0), 10)), _LONGEST_WAIT)


def _ping_due(site: Site, due: Iterable[Ping], context: Context, report: PublishReport) -> tuple[list[str], list[Ping]]:
    """Return the documents of which the hub has heard, and the pings to be tried again."""
    hub_url, started = str(site.settings.feeds.hub), time.monotonic()
    heard: list[str] = []
    again: list[Ping] = []
    refused: str | None = None
    waiting = list(due)
    for done, ping in enumerate(waiting, 1):
        if time.monotonic() - started > _BUDGET:
            again.append(ping)  # it was not its turn: that is no failure
            continue
        if refused:  # a hub that is away is asked once a pass
            again.append(replace(ping, tries=ping.tries + 1))
            continue
        content, url = site.public.read(ping.path), site.public_url(ping.path)
        if content is None:
            heard.append(ping.path)  # gone meanwhile: there is nothing to tell
        elif site.settings.publish.wait_for_site and not web_check.serves(url, content):
            again.append(replace(ping, tries=ping.tries + 1))
        elif refused := websub.send_ping(hub_url, url):
            report.warnings.append(f"{hub_url}: {refused}; it will be told later that {url} has changed")
            again.append(replace(ping, tries=ping.tries + 1))
        else:
            heard.append(ping.path)
        context.progress("Telling the hub", done, len(waiting))
    return heard, again
