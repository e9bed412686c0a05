"""What has to be in order before mail goes out to the world.

A letter cannot be taken back. So a store that has forgotten what was sent, a newsletter that nobody could leave, a site
that does not show yet what is told, and an issue that nobody meant to send now are told of instead.
"""

import re
from urllib.parse import urlsplit

from feeds.edges.net import web_check
from feeds.edges.store.issues import Issues
from feeds.errors import FeedsError
from feeds.jobs.context import Context
from feeds.jobs.newsletters.issue_renderer import issue_page_url
from feeds.jobs.options import PublishOptions
from feeds.jobs.site import Site
from feeds.model import Issue, IssueContent, RenderedIssue
from feeds.settings import Newsletter

#: Transports that keep messages on this machine.
_KEPT = ("outbox", "maildir")
#: Names that nobody can hold (RFC 2606, RFC 6761): a site of such a name is a trial.
_RESERVED = re.compile(r"(?:.+\.)?(?:example(?:\.(?:com|net|org))?|test|invalid|localhost)")


def sends_externally(site: Site) -> bool:
    """Return whether mail goes out to people: not into the outbox, and not to servers of this machine for a trial."""
    mail, url = site.settings.mail, site.settings.site.url
    if mail.transport in _KEPT:
        return False
    host = urlsplit(url).hostname or ""
    is_trial = bool(_RESERVED.fullmatch(host)) or web_check.is_loopback(url)
    stays = mail.transport == "smtp" and all(web_check.is_loopback(f"//{server.host}") for server in mail.all_servers)
    return not (is_trial and stays)


def check_sendable(site: Site, newsletter: Newsletter, known: int) -> None:
    """Raise where mail must not go out from here; *known* is the last number that the store knows as sent.

    Raises:
        FeedsError: the store does not know what was sent, or readers could not leave.
    """
    mail = site.settings.mail
    if mail.transport in _KEPT:
        return
    lying = public_issue_numbers(site, newsletter)
    if lying and max(lying) > known:
        raise FeedsError(
            f"{newsletter.name}: issue {max(lying)} lies in {site.settings.feeds.folder}/newsletters/, and the store"
            f" knows {known or 'none'}: it is new, or older than what was sent, and would tell everybody again. Bring"
            " back the store, or `feeds store adopt` takes what is public now as told"
        )
    if sends_externally(site) and mail.bounces is None and site.settings.web.url is None:
        raise FeedsError(
            f"{newsletter.name}: readers could not leave: set mail.bounces, a mailbox where `unsubscribe` is read"
        )


def confirm_send(
    site: Site,
    newsletter: Newsletter,
    issues: Issues,
    mailing: RenderedIssue,
    number: int,
    *,
    options: PublishOptions,
    context: Context,
) -> bool:
    """Return whether an issue may go out now: nobody has to be asked, or somebody says so.

    Raises:
        FeedsError: somebody should say so, and nobody is there to.
    """
    if options.yes or not sends_externally(site):
        return True
    about = f"{newsletter.name} {number}"
    reasons = []
    if not issues.has_sent_by(site.settings.mail.transport):
        reasons.append("would be the first to leave this machine")
    if options.now > context.clock():
        reasons.append(f"would go out ahead of its time (--now {options.now:%Y-%m-%d %H:%M})")
    if mailing.recipients_of is not None:
        reasons.append("would go out of turn")
    if context.confirm is not None:
        why = f", which {' and '.join(reasons)}" if reasons else ""
        return context.confirm(
            f"Send {about} to {issues.count_recipients(newsletter.name, mailing):,} recipients{why}?"
        )
    if reasons:
        command = "publish" if mailing.recipients_of is None else "correct"
        raise FeedsError(f"{about} {' and '.join(reasons)}; `feeds {command} --yes` sends it")
    return True


def pages_missing_online(site: Site, newsletter: Newsletter, issue: Issue, content: IssueContent | None) -> str:
    """Return what of an issue the web does not show yet, and why, in words; empty where readers would find it all."""
    if not (site.settings.publish.wait_for_site and sends_externally(site)):
        return ""
    own = {urlsplit(url).hostname for url in (site.settings.site.url, site.settings.feeds_url)}
    told = [entry.post.url for entry in content.selection.stories] if content else []
    page = issue_page_url(site, newsletter, issue.number)
    urls = dict.fromkeys(url for url in (site.settings.feeds_url, page, *told) if url and urlsplit(url).hostname in own)
    gone = web_check.missing_urls(urls)
    if not gone:
        return ""
    more = f", and {len(gone) - 1} more" if len(gone) > 1 else ""
    return f"waits for the site: {gone[0][0]} {gone[0][1]}{more}"


def public_issue_numbers(site: Site, newsletter: Newsletter) -> list[int]:
    """Return the numbers of issues whose pages lie in the public folder."""
    found = site.public.glob(f"newsletters/{newsletter.name}/*/index.html")
    return [int(name) for name in (path.split("/")[-2] for path in found) if name.isdecimal()]
