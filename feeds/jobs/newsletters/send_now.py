"""Send an issue of a newsletter now, whatever its schedule says."""

from datetime import datetime

from feeds.config import Config
from feeds.jobs.context import Context
from feeds.jobs.newsletters.find import find_newsletter
from feeds.jobs.options import PublishOptions
from feeds.jobs.publish import publish
from feeds.jobs.report import PublishReport
from feeds.jobs.site import Site


def send_now(config: Config, newsletter: str, now: datetime, context: Context, *, yes: bool = False) -> PublishReport:
    """Publish, with an issue of *newsletter* composed at *now*; return the report.

    Raises:
        FeedsError: there is no such newsletter.
        LockedError: another publish of this site is running.
    """
    find_newsletter(Site(config), newsletter)
    return publish(config, PublishOptions(now=now, send=newsletter, yes=yes), context)
