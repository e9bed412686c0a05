"""Check that an issue may be sent to the outside; a letter cannot be taken back.

Sending is refused if the store does not know issues that were sent, if subscribers cannot unsubscribe, if servers and
mailboxes that it needs cannot be used, or if a person must confirm it first. All reasons are reported together.
"""

from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import urlsplit

from feeds.core.newsletters.domains import is_reserved_domain
from feeds.core.newsletters.sample_values import find_sample_values
from feeds.display import format_count, format_time
from feeds.edges.net import web_check
from feeds.edges.store.issues import Issues
from feeds.errors import FeedsError
from feeds.jobs.context import Context
from feeds.jobs.newsletters.connections import find_connection_problems
from feeds.jobs.newsletters.issue_page_values import issue_page_url
from feeds.jobs.options import PublishOptions
from feeds.jobs.site import Site
from feeds.model import Issue, IssueContent, NewIssue
from feeds.settings import Newsletter

#: Transports that keep messages on this machine.
_LOCAL_TRANSPORTS = ("outbox", "maildir")
#: The ways to unsubscribe, one of which must be set.
UNSUBSCRIBE_WAYS = (
    "web.url, where `feeds serve` or `feeds run` answers, or mail.bounces, a mailbox that Feeds reads, or"
    ' mail.unsubscribe = "reply", if you remove by hand everybody who writes to mail.reply_to'
)
#: How many titles the question before sending shows.
_MOST_TITLES = 3


def sends_externally(site: Site) -> bool:
    """Return whether mail goes to people: not into a folder, and not to servers of this machine in a test."""
    mail = site.settings.mail
    if mail.transport in _LOCAL_TRANSPORTS:
        return False
    is_local = mail.transport == "smtp" and all(web_check.is_loopback(f"//{one.host}") for one in mail.all_servers)
    return not (_is_test(site) and is_local)


def _is_test(site: Site) -> bool:
    """Return whether the site's URL is for this machine or a test only."""
    return is_reserved_domain(site.settings.site.host) or web_check.is_loopback(site.settings.site.url)


def sample_values(site: Site) -> list[tuple[str, str]]:
    """Return the keys and values that a real site has kept from the sample and would send to people."""
    return [*find_sample_values(site.settings)] if sends_externally(site) and not _is_test(site) else []


def can_unsubscribe(site: Site) -> bool:
    """Return whether subscribers can leave, or no mail goes to people."""
    mail, web = site.settings.mail, site.settings.web
    has_way = mail.bounces is not None or web.url is not None or mail.unsubscribe == "reply"
    return has_way or not sends_externally(site)


def can_mail_links(site: Site) -> bool:
    """Return whether links to pages for readers work for whoever gets them: elsewhere only those below `web.url`."""
    return site.settings.web.url is not None or not sends_externally(site)


def is_one_click_insecure(site: Site) -> bool:
    """Return whether letters to people would name a page without https, which mail providers do not use (RFC 8058)."""
    url = site.settings.web.url
    return url is not None and not url.startswith("https:") and sends_externally(site)


def require_sendable(
    site: Site, newsletter: Newsletter, issues: Issues, number: int, content: IssueContent | None
) -> None:
    """Raise if mail must not be sent from here: an issue with this number and content.

    Raises:
        FeedsError: with every reason why not.
    """
    _refuse(site, newsletter, number, content, [*_obstacles(site, newsletter, issues, number)])


def confirm_send(
    site: Site,
    newsletter: Newsletter,
    issues: Issues,
    new_issue: NewIssue,
    *,
    options: PublishOptions,
    context: Context,
) -> bool:
    """Return whether an issue may be sent now: no confirmation is needed, or the person at the terminal gives it.

    Raises:
        FeedsError: with every reason why it must not be sent, or not without a confirmation that no one can give.
    """
    obstacles = [*_obstacles(site, newsletter, issues, new_issue.number)]
    is_asked = sends_externally(site) and not options.yes
    unusual = [*_unusual(site, issues, new_issue, options, context)] if is_asked else []
    if unusual and context.confirm is None:
        obstacles.append(f"it would be {' and '.join(unusual)} (`feeds {_command(new_issue, options)} --yes` sends it)")
    _refuse(site, newsletter, new_issue.number, new_issue.content, obstacles)
    if not is_asked or context.confirm is None:
        return True
    return context.confirm(_question(newsletter, issues, new_issue, unusual))


def _command(new_issue: NewIssue, options: PublishOptions) -> str:
    """Return the command that sends the issue."""
    if new_issue.corrects is not None:
        return "correct"
    return f"send {options.send}" if options.send else "publish"


def _refuse(
    site: Site, newsletter: Newsletter, number: int, content: IssueContent | None, obstacles: list[str]
) -> None:
    """Raise if there are obstacles; name the posts, too, that an issue would have to wait for.

    The pages of the site cannot be asked for: `publish.after` may bring them to the web after this.
    """
    if not obstacles:
        return
    if not site.settings.publish.after and (missing := _missing_online(site, _post_urls(content))):
        obstacles.append(f"it would wait for the site, since {missing} (publish.wait_for_site)")
    raise FeedsError(f"{newsletter.name} {number} is not sent: {'; '.join(obstacles)}")


def _obstacles(site: Site, newsletter: Newsletter, issues: Issues, number: int) -> Iterator[str]:
    """Yield every reason why mail must not be sent from here."""
    mail = site.settings.mail
    if mail.transport in _LOCAL_TRANSPORTS:
        return
    published = max(public_issue_numbers(site, newsletter), default=0)
    if published >= number:
        known = f"none after issue {number - 1}" if number > 1 else "none"
        yield (
            f"{site.settings.feeds.folder}/newsletters/ contains issue {published}, but the database has {known}, so"
            " old issues would be repeated: restore the database, or run `feeds store adopt` to mark the published"
            " issues as sent"
        )
    if sample := [f"{key} is {value!r}" for key, value in sample_values(site)]:
        yield f"{', '.join(sample)}, as in the sample: set your own"
    if not sends_externally(site):
        return
    if not can_unsubscribe(site):
        yield f"there is no way to unsubscribe: set {UNSUBSCRIBE_WAYS}"
    if is_one_click_insecure(site):
        yield f"web.url is {site.settings.web.url!r}, and one-click unsubscribe needs https: put a proxy before it"
    if not issues.has_sent_by(mail.transport):
        yield from (problem.reason for problem in find_connection_problems(site))


def _unusual(
    site: Site, issues: Issues, new_issue: NewIssue, options: PublishOptions, context: Context
) -> Iterator[str]:
    """Yield why a person has to confirm that an issue is sent."""
    transport = site.settings.mail.transport
    if not issues.has_sent_by(transport):
        yield f"the first issue sent by {transport}"
    if options.now > context.clock():
        yield f"sent before it is due (--now {format_time(options.now, site.settings.site.timezone)})"
    if new_issue.corrects is not None:
        yield "sent outside the schedule"


def _question(newsletter: Newsletter, issues: Issues, new_issue: NewIssue, unusual: Sequence[str]) -> str:
    """Return the question before an issue is sent: its subject, how many posts and recipients, the first titles."""
    assert new_issue.rendered is not None
    stories = new_issue.selection.stories
    posts = format_count(len(stories), "post") if stories else "a note"
    recipients = format_count(issues.count_recipients(newsletter.name, new_issue.rendered), "recipient")
    lines = [f"{newsletter.name} {new_issue.number}, “{new_issue.subject}”: {posts} to {recipients}"]
    lines += [f"  {entry.post.title}" for entry in stories[:_MOST_TITLES]]
    if len(stories) > _MOST_TITLES:
        lines.append(f"  and {len(stories) - _MOST_TITLES} more")
    if unusual:
        lines.append(f"It would be {' and '.join(unusual)}.")
    return "\n".join([*lines, "Send it?"])


def pages_missing_online(site: Site, newsletter: Newsletter, issue: Issue, content: IssueContent | None) -> str:
    """Return the first URL of an issue that the web does not serve yet, with the reason; empty if it serves all."""
    page = issue_page_url(site, newsletter, issue.number)
    # Without its page, readers could not unsubscribe with one click. (The server answers below that URL only.)
    unsubscribe = [f"{site.settings.web.url}preferences"] if site.settings.web.url else []
    missing = _missing_online(
        site, [site.settings.feeds_url, *([page] if page else []), *unsubscribe, *_post_urls(content)]
    )
    return f"waits for the site: {missing}" if missing else ""


def _post_urls(content: IssueContent | None) -> list[str]:
    return [entry.post.url for entry in content.selection.stories] if content else []


def _missing_online(site: Site, urls: Iterable[str]) -> str:
    """Return the first of our URLs that the web does not serve, with the reason; empty if none is missing."""
    if not (site.settings.publish.wait_for_site and sends_externally(site)):
        return ""
    own_urls = (site.settings.site.url, site.settings.feeds_url, site.settings.web.url or "")
    own_hosts = {urlsplit(url).hostname for url in own_urls}
    missing = web_check.missing_urls(dict.fromkeys(url for url in urls if urlsplit(url).hostname in own_hosts))
    if not missing:
        return ""
    more = f", and {len(missing) - 1} more" if len(missing) > 1 else ""
    return f"{missing[0][0]} {missing[0][1]}{more}"


def public_issue_numbers(site: Site, newsletter: Newsletter) -> list[int]:
    """Return the numbers of issues whose pages are in the public folder."""
    pages = site.public.glob(f"newsletters/{newsletter.name}/*/index.html")
    return [int(name) for name in (page.split("/")[-2] for page in pages) if name.isdecimal()]
