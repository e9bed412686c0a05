"""Do what readers have asked for on the web, and what does not happen while they wait for a page."""

from feeds.config import Config
from feeds.jobs.context import Context
from feeds.jobs.subscribers.erase import erase_requested
from feeds.jobs.subscribers.preferences import answer_link_requests


def answer_requests(config: Config, url: str, context: Context) -> int:
    """Queue the links that were asked for, and erase who wants it; return how many mails were queued.

    Somebody who wants to be erased waits while something is being published or sent; the next call tries again. *url*
    is the web server's (`web.url`).

    Raises:
        FeedsError: the database, the keys or a file cannot be used.
    """
    queued = answer_link_requests(config, f"{url}preferences/", context)
    erase_requested(config, context.clock())
    return queued
