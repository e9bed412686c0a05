"""Check posts, config, the next issue of each newsletter and its sender before readers get any of it."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from feeds.config import Config
from feeds.core.newsletters import anchors, lint
from feeds.core.newsletters.anchors import AnchorIndex, PostAnchors
from feeds.core.newsletters.domains import is_aligned
from feeds.core.newsletters.lint import Diagnostic
from feeds.core.posts.parse import MOST_BYTES
from feeds.edges.cache.post_cache import PostInputs
from feeds.edges.files import source_files
from feeds.edges.process.workers import Workers
from feeds.edges.store.issues import Issues
from feeds.errors import FeedsError, PostChangedDuringRead, PostError
from feeds.jobs.context import Context
from feeds.jobs.newsletters import next_issue, send_checks
from feeds.jobs.newsletters.connections import ConnectionProblem, find_connection_problems, find_mailbox_problems
from feeds.jobs.newsletters.foresee import category_warnings
from feeds.jobs.posts.batches import in_batches
from feeds.jobs.posts.listing import open_survey
from feeds.jobs.posts.pages import unmatched_warning
from feeds.jobs.posts.read import LinkUrls, posts_folder, render_unchanged
from feeds.jobs.posts.survey import Survey
from feeds.jobs.site import Site
from feeds.model import Post, SubscriberPreferences
from feeds.settings import Newsletter

if TYPE_CHECKING:
    from feeds.core.newsletters.dkim import DkimKey
    from feeds.core.newsletters.sender_dns import Identity
    from feeds.edges.net.dns import Resolver
    from feeds.edges.store.database import Store

#: Posts that a worker renders at once; from so many on, worker processes save more time than they take to start.
_BATCH, _MANY = 100, 600
#: A larger file is not a key.
_MOST_KEY_BYTES = 100_000


class _RenderedPost(NamedTuple):
    """A post that was rendered. Its *error* is empty if it can be rendered, else it has no anchors."""

    path: str
    warnings: tuple[str, ...] = ()
    anchors: PostAnchors | None = None
    error: str = ""
    page_problem: str = ""


def run_checks(config: Config, now: datetime, context: Context) -> list[Diagnostic]:
    """Return errors and warnings about posts, config and the next issue of each newsletter."""
    with open_survey(config, now, context) as opened:
        site, survey, store = Site(config), opened.survey, opened.store
        found = [*check_site(site, survey, store.issues, opened.team, now=now, context=context)]
        for one in check_feeds(site, survey, store, now):
            if not any(one.what in other.what for other in found):  # one fault may show in several places
                found.append(one)
        return found


def check_feeds(site: Site, survey: Survey, store: "Store", now: datetime) -> Iterator[Diagnostic]:
    """Yield a warning for each wrong line of `feeds.moved`, and errors of the site's templates and output folder."""
    from feeds.jobs.feeds import newsletter_feeds, redirect
    from feeds.jobs.reader_pages import find_page_errors
    from feeds.jobs.template_samples import find_template_errors

    feeds, _ = newsletter_feeds.plan_all_feeds(site, survey.catalogue, store)
    yield from (_parse_diagnostic("warning", line) for line in redirect.find_invalid_moves(site, feeds))
    try:
        site.public.require_folder()
    except FeedsError as e:
        yield _error_diagnostic(site, e)
    if site.templates.has_own and not any(site.templates.find_problems()):
        errors = (*find_template_errors(site, feeds, now), *find_page_errors(site))
        yield from dict.fromkeys(_error_diagnostic(site, e) for e in errors)


def _check_templates(site: Site) -> Iterator[Diagnostic]:
    """Yield an error for each template and text file that cannot be used, once."""
    if site.templates.has_own:
        yield from dict.fromkeys(_error_diagnostic(site, error) for error in site.templates.find_problems())


def _error_diagnostic(site: Site, error: FeedsError) -> Diagnostic:
    return _parse_diagnostic("error", str(error).removeprefix(f"{site.config.folder}/"))


def check_site(
    site: Site,
    survey: Survey,
    issues: Issues,
    team: Workers,
    resolver: "Resolver | None" = None,
    *,
    now: datetime,
    context: Context,
) -> Iterator[Diagnostic]:
    """Yield errors and warnings about a site.

    If mail leaves this machine, the sender's DNS records are checked with *resolver*; None: the machine's own resolver.
    """
    yield from _check_config(site.config)
    yield from (_parse_diagnostic("warning", line) for line in (*site.unused_templates(), *site.missing_texts()))
    yield from _check_templates(site)
    rendered = _render_posts(survey, context, team)
    anchor_index = AnchorIndex((post.anchors for post in rendered if post.anchors), _path_prefix(site))
    yield from _check_posts(site, survey, rendered, anchor_index)
    yield from _check_mail(site, resolver)
    for newsletter in site.settings.newsletters:
        where = f"{site.config.path}: newsletters.{newsletter.name}.theme"
        yield from lint.lint_theme(newsletter.theme, where)
        yield from (_parse_diagnostic("warning", line) for line in category_warnings(site, newsletter, survey))
        yield from _check_next_issue(site, newsletter, survey, issues, anchor_index, now=now, context=context)


def _check_config(config: Config) -> Iterator[Diagnostic]:
    for line in config.warnings:
        yield Diagnostic(level="warning", where=str(config.path), what=line, why="", do="")


# Posts ------------------------------------------------------------------------------------------------------------


def _render_posts(survey: Survey, context: Context, team: Workers) -> list[_RenderedPost]:
    """Return the public posts that can be rendered, in the order of paths."""
    public = sorted((entry.post for entry in survey.catalogue.entries), key=lambda post: post.path)
    posts = [(post, survey.cached_posts[post.path].inputs, survey.links(post)) for post in public]
    rendered: list[_RenderedPost] = []
    batches = in_batches(posts, _BATCH)
    for batch in team.map(partial(_render_batch, survey.config), batches, long=len(posts) >= _MANY):
        rendered += batch
        context.progress("Rendering posts", len(rendered), len(posts))
    return rendered


def _render_batch(config: Config, posts: Sequence[tuple[Post, PostInputs, LinkUrls]]) -> list[_RenderedPost]:
    rendered = []
    for post, inputs, links in posts:
        try:
            text = render_unchanged(config, post.path, inputs, links)
            found = anchors.find_anchors(post, text.html)
            rendered.append(_RenderedPost(post.path, text.warnings, found, page_problem=text.page_problem))
        except PostError as e:
            rendered.append(_RenderedPost(post.path, error=str(e)))
        except PostChangedDuringRead:
            rendered.append(_RenderedPost(post.path, warnings=(f"{post.path}: has changed meanwhile; check again",)))
    return rendered


def _check_posts(
    site: Site, survey: Survey, rendered: Sequence[_RenderedPost], anchor_index: AnchorIndex
) -> Iterator[Diagnostic]:
    """Yield errors and warnings about posts, also those that only rendering finds."""
    errors, warnings = survey.diagnostics()
    yield from (_parse_diagnostic("error", line) for line in errors)
    warnings += (*survey.drop_warnings(), *survey.catalogue.category_warnings)
    problems = {post.path: post.page_problem for post in rendered if post.page_problem}
    warnings += unmatched_warning(site.config, problems)
    yield from (_parse_diagnostic("warning", line) for line in warnings)
    place = _path_prefix(site)
    for post in rendered:
        yield from [_parse_diagnostic("error", f"{place}/{post.error}")] if post.error else []
        yield from (_parse_diagnostic("warning", f"{place}/{line}") for line in post.warnings)
        for link in anchor_index.dead_links(post.anchors.links) if post.anchors else ():
            yield anchor_index.diagnose(link, _link_position(site, post.path, link))


def _path_prefix(site: Site) -> str:
    """Return the posts folder as the config names it, for messages."""
    return site.settings.posts.folder.rstrip("/")


def _link_position(site: Site, path: str, link: str) -> str:
    """Return the file and line of a link in a post; only the file if the line is not found."""
    line = None
    with suppress(PostError):
        content = source_files.read_file(posts_folder(site.config), path, MOST_BYTES)
        line = anchors.fragment_line(link, content.decode(errors="replace"))
    file = f"{_path_prefix(site)}/{path}"
    return file if line is None else f"{file}:{line}"


def _parse_diagnostic(level: str, line: str) -> Diagnostic:
    """Return a line such as `posts/a.md:3: what` as a diagnostic."""
    where, _, what = line.partition(": ")
    return Diagnostic(level=level, where=where, what=what, why="", do="")


# Mail -------------------------------------------------------------------------------------------------------------


def _check_mail(site: Site, resolver: "Resolver | None") -> Iterator[Diagnostic]:
    """Yield errors and warnings about the sender of letters, and its authentication."""
    if site.settings.newsletters:
        for key, value in send_checks.sample_values(site):
            reason = f"{value!r} is the sample's, or an address that nobody can have"
            yield Diagnostic(level="error", where=f"{site.config.path}: {key}", what=reason, why="", do="set your own")
        yield from _check_sender(site)
        yield from _check_connections(site)
        yield from _check_authentication(site, resolver)
    else:
        yield from _check_unused_mail(site)


def _check_unused_mail(site: Site) -> Iterator[Diagnostic]:
    """Yield an error for each DKIM key and mailbox that cannot be used: `feeds publish` and `feeds run` open them."""
    domain = (
        site.settings.mail.sender.address.domain if site.settings.mail.sender else site.settings.site.host
    ).lower()
    if site.settings.mail.dkim:
        yield from _load_keys(site, domain, f"{site.config.path}: mail")[1]
    for problem in find_mailbox_problems(site):
        yield _connection_diagnostic(site, problem)


def _check_sender(site: Site) -> Iterator[Diagnostic]:
    """Yield a problem for each part of the sender that is missing."""
    mail, where = site.settings.mail, f"{site.config.path}: mail"
    if mail.sender is None:
        yield Diagnostic(
            level="warning",
            where=f"{where}.from",
            what="no sender is set",
            why="letters come from the newsletter's name at the site's host, an address that may not exist",
            do="write an address such as 'Sample Letters <letters@example.com>'",
        )
    elif not is_aligned(mail.sender.address.domain, site.settings.site.host.removeprefix("www.")):
        yield Diagnostic(
            level="warning",
            where=f"{where}.from",
            what=f"letters come from {mail.sender.address.domain}, but link to {site.settings.site.host}",
            why="spam filters and readers trust a letter more if it links to the domain that it comes from",
            do="send from the site's domain, if it can receive mail",
        )
    if not send_checks.can_unsubscribe(site):
        yield Diagnostic(
            level="error",
            where=f"{where}.bounces",
            what="there is no way to unsubscribe",
            why="an issue is not sent without one",
            do=f"set {send_checks.UNSUBSCRIBE_WAYS}",
        )
    if send_checks.is_one_click_insecure(site):
        yield Diagnostic(
            level="error",
            where=f"{site.config.path}: web.url",
            what="the page for unsubscribing has no https",
            why="mail providers do not use it (RFC 8058), and tokens could be read on the way; no issue is sent",
            do="put a proxy with a certificate before it, and write its https URL",
        )
    if not mail.address:
        yield Diagnostic(
            level="warning",
            where=f"{where}.address",
            what="no postal address is set",
            why="some countries require one in every newsletter (in the US, CAN-SPAM)",
            do="write the address where mail by post reaches you; it is put into the footer",
        )


def _check_connections(site: Site) -> Iterator[Diagnostic]:
    """Yield an error for each mail server, command or mailbox that cannot be used."""
    for problem in find_connection_problems(site):
        yield _connection_diagnostic(site, problem)


def _connection_diagnostic(site: Site, problem: ConnectionProblem) -> Diagnostic:
    return Diagnostic(
        level="error",
        where=f"{site.config.path}: {problem.key}",
        what=problem.reason,
        why="letters could not be sent, or bounces and unsubscribe requests would be lost",
        do="correct the settings, or the password in the environment",
    )


def _check_authentication(site: Site, resolver: "Resolver | None") -> Iterator[Diagnostic]:
    """Yield problems of DKIM keys and, if letters are sent by SMTP, of the sender's DNS records."""
    mail, where = site.settings.mail, f"{site.config.path}: mail"
    uses_smtp = mail.transport == "smtp"
    if not uses_smtp and not mail.dkim:
        return
    from feeds.core.newsletters import sender_dns

    domain = (mail.sender.address.domain if mail.sender else site.settings.site.host).lower()
    keys, problems = _load_keys(site, domain, where)
    yield from problems
    if mail.dkim and not mail.is_signed:
        reasons = [f"{name} {relay.rewrites}" for name, relay in mail.relays.items() if relay.rewrites]
        yield sender_dns.unused_keys(reasons, where)
    if uses_smtp:
        bounces = mail.bounces.address.address.domain.lower() if mail.bounces else None
        signing_keys = tuple(keys) if mail.is_signed else ()
        identity = sender_dns.Identity(domain=domain, bounces=bounces, keys=signing_keys, where=where)
        yield from _check_dns(identity, resolver)


def _load_keys(site: Site, domain: str, where: str) -> tuple[list["DkimKey"], list[Diagnostic]]:
    """Return the keys that letters can be signed with, and a diagnostic for each other one."""
    from feeds.core.newsletters import dkim, sender_dns

    keys, problems = [], []
    for at, entry in enumerate(site.settings.mail.dkim):
        file = site.config.resolve(entry.key_file)
        try:
            target = file.resolve()  # a key may be a link into a folder of secrets
            pem = source_files.read_file(target.parent, target.name, _MOST_KEY_BYTES)
            keys.append(dkim.DkimKey(entry.selector, dkim.load_private_key(pem)))
        except (PostError, ValueError, RuntimeError) as e:  # RuntimeError: a loop of links
            reason = e.reason if isinstance(e, PostError) else str(e)
            problems.append(sender_dns.unusable_key(str(file), reason, f"{where}.dkim[{at}].key_file"))
    if keys and not problems:
        problems += sender_dns.key_conflicts(domain, keys, where)
    return keys, problems


def _check_dns(identity: "Identity", resolver: "Resolver | None") -> Iterator[Diagnostic]:
    """Yield problems of the sender's DNS records; if DNS cannot be queried, only that."""
    from feeds.core.newsletters import sender_dns
    from feeds.edges.net.dns import Resolver

    dns = resolver or Resolver()
    try:
        texts = {name: dns.txt_records(name) for name in sender_dns.names_to_query(identity)}
        mx_hosts = dns.mx_hosts(identity.bounces) if identity.bounces else ()
    except FeedsError as e:
        yield sender_dns.dns_unavailable(str(e), identity.where)
    else:
        yield from sender_dns.check_sender(identity, texts, mx_hosts)


# Letters ----------------------------------------------------------------------------------------------------------


def _check_next_issue(
    site: Site,
    newsletter: Newsletter,
    survey: Survey,
    issues: Issues,
    anchor_index: AnchorIndex,
    *,
    now: datetime,
    context: Context,
) -> Iterator[Diagnostic]:
    """Yield errors and warnings about the issue that would be sent now; none if there is nothing to send."""
    where = f"next issue of {newsletter.name}"
    try:
        issue = next_issue.next_issue(site, newsletter, survey, issues, now, context)
        letter = issue.letter(SubscriberPreferences()) if issue else None
        if issue and site.templates.has_own and newsletter.archive != "off":
            issue.renderer.render_page(issue.content)
    except FeedsError as e:
        yield Diagnostic(level="error", where=where, what=str(e), why="the issue cannot be composed", do="")
        return
    if issue and letter:
        pictures = issue.renderer.pictures
        origins = {**_link_origins(site, issue), **pictures.origins}
        converts = site.settings.mail.pictures == "convert"
        yield from lint.lint_letter(letter, where, pictures.files, origins=origins, converts=converts)
        yield from (_parse_diagnostic("warning", line) for line in pictures.problems.values())
        yield from (anchor_index.diagnose(link, where) for link in anchor_index.dead_links_in_letter(letter.html))


def _link_origins(site: Site, issue: next_issue.NextIssue) -> dict[str, lint.Origin]:
    """Return the posts that have links, by the address in the letter: those of the texts, and of posts about a page."""
    origins: dict[str, lint.Origin] = {}
    for entry in issue.content.selection.stories:
        post, text = entry.post, issue.content.texts.get(entry.post.path)
        file = f"{_path_prefix(site)}/{post.path}"
        links = [post.external_url, *anchors.find_links(text.html, post.url)] if text else [post.external_url]
        for link in filter(None, links):
            origins.setdefault(link, lint.Origin(link, file))
    return origins
