"""Check that an issue may be sent to the outside; a letter cannot be taken back.

Sending is refused if the store does not know issues that were sent, if subscribers cannot unsubscribe, if the web does
not show the issue yet, or if a person must confirm it first.
"""

from urllib.parse import urlsplit

from feeds.core.newsletters.sample_values import find_sample_values, is_reserved_domain
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
_LOCAL_TRANSPORTS = ("outbox", "maildir")


def sends_externally(site: Site) -> bool:
    """Return whether mail goes to people: not into a folder, and not to servers of this machine in a test."""
    mail = site.settings.mail
    if mail.transport in _LOCAL_TRANSPORTS:
        return False
    is_local = mail.transport == "smtp" and all(web_check.is_loopback(f"//{one.host}") for one in mail.all_servers)
    return not (_is_test(site) and is_local)


def _is_test(site: Site) -> bool:
    """Return whether nobody else can reach the site at its URL."""
    return is_reserved_domain(site.settings.site.host) or web_check.is_loopback(site.settings.site.url)


def sample_values(site: Site) -> list[tuple[str, str]]:
    """Return the keys and values that a real site has kept from the sample and would send to people."""
    return [*find_sample_values(site.settings)] if sends_externally(site) and not _is_test(site) else []


def check_sendable(site: Site, newsletter: Newsletter, last_number: int) -> None:
    """Raise if mail must not be sent from here; *last_number* is the highest issue number in the store.

    Raises:
        FeedsError: the store does not know an issue that was sent, a value is the sample's, or subscribers cannot
            unsubscribe.
    """
    mail = site.settings.mail
    if mail.transport in _LOCAL_TRANSPORTS:
        return
    published = max(public_issue_numbers(site, newsletter), default=0)
    if published > last_number:
        known = f"none after issue {last_number}" if last_number else "none"
        raise FeedsError(
            f"{newsletter.name}: {site.settings.feeds.folder}/newsletters/ contains issue {published}, but the database"
            f" has {known}. Sending now would repeat old issues. Restore the database, or run `feeds store adopt` to"
            " mark the published issues as sent"
        )
    if sample := [f"{key} is {value!r}" for key, value in sample_values(site)]:
        raise FeedsError(f"{newsletter.name}: {', '.join(sample)}, as in the sample; set your own before you send mail")
    if sends_externally(site) and mail.bounces is None and site.settings.web.url is None:
        raise FeedsError(
            f"{newsletter.name}: there is no way to unsubscribe: set mail.bounces, a mailbox that Feeds reads"
        )


def confirm_send(
    site: Site,
    newsletter: Newsletter,
    issues: Issues,
    rendered: RenderedIssue,
    number: int,
    *,
    options: PublishOptions,
    context: Context,
) -> bool:
    """Return whether an issue may be sent now: no confirmation is needed, or the person at the terminal gives it.

    Raises:
        FeedsError: a confirmation is needed and there is no terminal.
    """
    if options.yes or not sends_externally(site):
        return True
    name, transport = f"{newsletter.name} {number}", site.settings.mail.transport
    is_correction = rendered.recipients_of is not None
    reasons = []
    if not issues.has_sent_by(transport):
        reasons.append(f"would be the first issue sent by {transport}")
    if options.now > context.clock():
        reasons.append(f"would be sent before it is due (--now {options.now:%Y-%m-%d %H:%M})")
    if is_correction:
        reasons.append("would be sent outside the schedule")
    if context.confirm is not None:
        recipients = issues.count_recipients(newsletter.name, rendered)
        why = f", which {' and '.join(reasons)}" if reasons else ""
        return context.confirm(f"Send {name} to {recipients:,} recipients{why}?")
    if reasons:
        command = "correct" if is_correction else "publish"
        raise FeedsError(f"{name} {' and '.join(reasons)}; `feeds {command} --yes` sends it")
    return True


def pages_missing_online(site: Site, newsletter: Newsletter, issue: Issue, content: IssueContent | None) -> str:
    """Return the first URL of an issue that the web does not serve yet, with the reason; empty if it serves all."""
    if not (site.settings.publish.wait_for_site and sends_externally(site)):
        return ""
    own_hosts = {urlsplit(url).hostname for url in (site.settings.site.url, site.settings.feeds_url)}
    posts = [entry.post.url for entry in content.selection.stories] if content else []
    urls = (site.settings.feeds_url, issue_page_url(site, newsletter, issue.number), *posts)
    missing = web_check.missing_urls(dict.fromkeys(url for url in urls if url and urlsplit(url).hostname in own_hosts))
    if not missing:
        return ""
    more = f", and {len(missing) - 1} more" if len(missing) > 1 else ""
    return f"waits for the site: {missing[0][0]} {missing[0][1]}{more}"


def public_issue_numbers(site: Site, newsletter: Newsletter) -> list[int]:
    """Return the numbers of issues whose pages are in the public folder."""
    pages = site.public.glob(f"newsletters/{newsletter.name}/*/index.html")
    return [int(name) for name in (page.split("/")[-2] for page in pages) if name.isdecimal()]
