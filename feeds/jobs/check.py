"""Judge everything before readers do: posts, config, the next issue of each newsletter, who it comes from."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from feeds.config import Config
from feeds.core.newsletters import anchors, lint
from feeds.core.newsletters.anchors import AnchorIndex, PostAnchors
from feeds.core.newsletters.domains import ascii_domain, is_aligned
from feeds.core.newsletters.lint import Diagnostic
from feeds.core.posts.parse import MOST_BYTES
from feeds.edges.files import source_files
from feeds.edges.process.workers import Workers
from feeds.edges.store.issues import Issues
from feeds.errors import FeedsError, PostError
from feeds.jobs.context import Context
from feeds.jobs.newsletters import next_issue
from feeds.jobs.posts.listing import open_survey
from feeds.jobs.posts.survey import Survey, render_unchanged
from feeds.jobs.site import Site
from feeds.model import Post, SubscriberPreferences
from feeds.settings import Newsletter

if TYPE_CHECKING:
    from feeds.core.newsletters.dkim import DkimKey
    from feeds.core.newsletters.sender_dns import Identity
    from feeds.edges.net.dns import Resolver

#: Posts that one call to a worker renders; from so many on, other cores save more time than they take to start.
_PART, _MANY = 100, 600
#: A larger file is no key.
_MOST_KEY_BYTES = 100_000
#: What a worker says of a post: what is odd about it, and the places in it.
_Seen = tuple[str, tuple[str, ...], PostAnchors]


def run_checks(config: Config, now: datetime, context: Context) -> list[Diagnostic]:
    """Return what is wrong or odd about posts, config and the next issue of each newsletter."""
    with open_survey(config, now, context) as opened:
        return list(check_site(Site(config), opened.survey, opened.store.issues, opened.team, now=now, context=context))


def check_site(
    site: Site,
    found: Survey,
    memory: Issues,
    team: Workers,
    resolver: "Resolver | None" = None,
    *,
    now: datetime,
    context: Context,
) -> Iterator[Diagnostic]:
    """Yield what is odd, errors and warnings as they come.

    If mail leaves this machine, *resolver* is asked what DNS says of the sender: the machine's own where none is named.
    """
    yield from _config(site.config)
    seen = _seen(found, context, team)
    atlas = AnchorIndex((places for _, _, places in seen), _place(site))
    yield from _posts(site, found, seen, atlas)
    yield from _mail(site, resolver)
    for newsletter in site.settings.newsletters:
        where = f"{site.config.path}: newsletters.{newsletter.name}.theme"
        yield from lint.lint_theme(newsletter.theme, where)
        yield from _next_issue(site, newsletter, found, memory, atlas, now=now, context=context)


def _config(config: Config) -> Iterator[Diagnostic]:
    for line in config.warnings:
        yield Diagnostic(level="warning", where=str(config.path), what=line, why="", do="")


# Posts ------------------------------------------------------------------------------------------------------------


def _seen(found: Survey, context: Context, team: Workers) -> list[_Seen]:
    """Return what shows of public posts when they are rendered, in the order of paths."""
    public = sorted((entry.post for entry in found.catalogue.entries), key=lambda post: post.path)
    contents = [(post, found.readings[post.path].content_digest) for post in public]
    parts = [contents[at : at + _PART] for at in range(0, len(contents), _PART)]
    seen: list[_Seen] = []
    for part in team.map(partial(_seen_part, found.config), parts, long=len(contents) >= _MANY):
        seen += part
        context.progress("Rendering posts", len(seen), len(contents))
    return seen


def _seen_part(config: Config, contents: Sequence[tuple[Post, str]]) -> list[_Seen]:
    seen = []
    for post, content in contents:
        with suppress(FeedsError):  # it has changed since it was read: there is nothing to say of it now
            text = render_unchanged(config, post.path, content)
            seen.append((post.path, text.warnings, anchors.find_anchors(post, text.html)))
    return seen


def _posts(site: Site, found: Survey, seen: Sequence[_Seen], atlas: AnchorIndex) -> Iterator[Diagnostic]:
    """Yield what is odd about posts, what shows only when they are rendered included."""
    errors, warnings = found.diagnostics()
    yield from (_of_posts("error", line) for line in errors)
    yield from (_of_posts("warning", line) for line in (*warnings, *found.catalogue.category_warnings))
    for path, odd, places in seen:
        yield from (_of_posts("warning", f"{_place(site)}/{line}") for line in odd)
        for link in atlas.dead_links(places.links):
            yield atlas.diagnose(link, _where(site, path, link))


def _place(site: Site) -> str:
    return site.settings.posts.folder.rstrip("/")


def _where(site: Site, path: str, link: str) -> str:
    """Return where in a post a link is, for people."""
    line = None
    with suppress(PostError):
        content = source_files.read_file(site.config.resolve(site.settings.posts.folder), path, MOST_BYTES)
        line = anchors.fragment_line(link, content.decode(errors="replace"))
    return f"{_place(site)}/{path}" if line is None else f"{_place(site)}/{path}:{line}"


def _of_posts(level: str, line: str) -> Diagnostic:
    where, _, what = line.partition(": ")
    return Diagnostic(level=level, where=where, what=what, why="", do="")


# Mail -------------------------------------------------------------------------------------------------------------


def _mail(site: Site, resolver: "Resolver | None") -> Iterator[Diagnostic]:
    """Yield what is odd about who letters come from, and whether receivers can know it."""
    if site.settings.newsletters:
        yield from _sender(site)
        yield from _authenticity(site, resolver)


def _sender(site: Site) -> Iterator[Diagnostic]:
    """Yield what is missing of who letters come from."""
    mail, where = site.settings.mail, f"{site.config.path}: mail"
    if mail.sender is None:
        yield Diagnostic(
            level="warning",
            where=f"{where}.from",
            what="nobody is named that letters come from",
            why="they come from an address made of the newsletter's name and the site's host, which may not exist",
            do="write such as 'Sample Letters <letters@example.com>'",
        )
    elif not is_aligned(mail.sender.address.domain, site.settings.site.host.removeprefix("www.")):
        yield Diagnostic(
            level="warning",
            where=f"{where}.from",
            what=f"letters come from {mail.sender.address.domain}, links lead to {site.settings.site.host}",
            why="filters and readers trust a letter more whose links lead to its own domain",
            do="send from the site's domain, if it can receive mail",
        )
    if not mail.address:
        yield Diagnostic(
            level="warning",
            where=f"{where}.address",
            what="there is no postal address in the foot",
            why="the law of some countries wants one in every newsletter (CAN-SPAM among them)",
            do="write where you can be reached by post",
        )


def _authenticity(site: Site, resolver: "Resolver | None") -> Iterator[Diagnostic]:
    """Yield what keeps receivers from knowing letters as the sender's; DNS is not asked of letters that stay here."""
    mail, where = site.settings.mail, f"{site.config.path}: mail"
    leaves = mail.transport == "smtp"
    if not leaves and not mail.dkim:
        return
    from feeds.core.newsletters import sender_dns  # noqa: PLC0415 - cryptography is slow to load, and seldom needed

    domain = ascii_domain(mail.sender.address.domain if mail.sender else site.settings.site.host).lower()
    keys, odd = _keys(site, domain, where)
    yield from odd
    if mail.dkim and not mail.is_signed:
        reasons = [f"{name} {relay.rewrites}" for name, relay in mail.relays.items() if relay.rewrites]
        yield sender_dns.unused_keys(reasons, where)
    if leaves:
        bounces = ascii_domain(mail.bounces.address.address.domain).lower() if mail.bounces else None
        used = tuple(keys) if mail.is_signed else ()
        identity = sender_dns.Identity(domain=domain, bounces=bounces, keys=used, where=where)
        yield from _in_dns(identity, resolver)


def _keys(site: Site, domain: str, where: str) -> tuple[list["DkimKey"], list[Diagnostic]]:
    """Return the keys that letters can be signed with, and what is odd about the others."""
    from feeds.core.newsletters import dkim, sender_dns  # noqa: PLC0415 - cryptography, for sites that sign

    keys, odd = [], []
    for at, entry in enumerate(site.settings.mail.dkim):
        file = site.config.resolve(entry.key_file)
        try:
            real = file.resolve()  # a key may well be a link to where secrets are kept
            keys.append(
                dkim.DkimKey(
                    entry.selector,
                    dkim.load_private_key(source_files.read_file(real.parent, real.name, _MOST_KEY_BYTES)),
                )
            )
        except (PostError, ValueError, RuntimeError) as e:  # RuntimeError: links that lead to each other
            reason = e.reason if isinstance(e, PostError) else str(e)
            odd.append(sender_dns.unusable_key(str(file), reason, f"{where}.dkim[{at}].key_file"))
    if keys and not odd:
        odd += sender_dns.key_conflicts(domain, keys, where)
    return keys, odd


def _in_dns(identity: "Identity", resolver: "Resolver | None") -> Iterator[Diagnostic]:
    """Yield what is odd about what DNS says of the sender; if nobody can be asked, that alone."""
    from feeds.core.newsletters import sender_dns  # noqa: PLC0415 - as above
    from feeds.edges.net.dns import Resolver  # noqa: PLC0415 - slow to load, and seldom needed

    asked = resolver or Resolver()
    try:
        texts = {name: asked.txt_records(name) for name in sender_dns.names_to_query(identity)}
        exchanges = asked.mx_hosts(identity.bounces) if identity.bounces else ()
    except FeedsError as e:
        yield sender_dns.dns_unavailable(str(e), identity.where)
    else:
        yield from sender_dns.check_sender(identity, texts, exchanges)


# Letters ----------------------------------------------------------------------------------------------------------


def _next_issue(
    site: Site,
    newsletter: Newsletter,
    found: Survey,
    memory: Issues,
    atlas: AnchorIndex,
    *,
    now: datetime,
    context: Context,
) -> Iterator[Diagnostic]:
    """Yield what is odd about the issue that would go out now; nothing where there is nothing to tell."""
    where = f"next issue of {newsletter.name}"
    try:
        found_next = next_issue.next_issue(site, newsletter, found, memory, now, context)
        letter = found_next.letter(SubscriberPreferences()) if found_next else None
    except (FeedsError, PostError) as e:
        yield Diagnostic(level="error", where=where, what=str(e), why="the issue cannot be composed", do="")
        return
    if letter:
        yield from lint.lint_letter(letter, where)
        yield from (atlas.diagnose(link, where) for link in atlas.dead_links_in_letter(letter.html))
