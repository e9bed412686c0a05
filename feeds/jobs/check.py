"""Judge everything before readers do: posts, config, the next issue of each newsletter, who it comes from."""

from collections.abc import Iterable, Iterator

from feeds.config import Config
from feeds.core.newsletters import judge
from feeds.core.newsletters.judge import Remark
from feeds.edges.store.memory import Memory
from feeds.edges.workers import Workers
from feeds.errors import FeedsError, PostError
from feeds.jobs import trial
from feeds.jobs.report import Wish
from feeds.jobs.site import Site
from feeds.jobs.survey import Survey
from feeds.model import Choice
from feeds.settings import Newsletter


def check(site: Site, found: Survey, memory: Memory, wish: Wish, team: Workers) -> Iterator[Remark]:
    """Yield what is odd, errors and warnings as they come."""
    yield from _config(site.config)
    yield from _posts(site, found, wish, team)
    yield from _mail(site)
    for newsletter in site.settings.newsletters:
        where = f"{site.config.path}: newsletters.{newsletter.name}.theme"
        yield from judge.theme(newsletter.theme, where)
        yield from _next_issue(site, newsletter, found, memory, wish)


def _config(config: Config) -> Iterator[Remark]:
    for line in config.warnings:
        yield Remark(level="warning", where=str(config.path), what=line, why="", do="")


def _posts(site: Site, found: Survey, wish: Wish, team: Workers) -> Iterator[Remark]:
    """Yield what is odd about posts, what shows only when they are rendered included."""
    errors, warnings = found.complaints()
    yield from (_of_posts("error", line) for line in errors)
    yield from (_of_posts("warning", line) for line in (*warnings, *found.catalogue.oddities))
    place = site.settings.posts.folder.rstrip("/")
    public = {entry.post.path for entry in found.catalogue.entries}
    for path, text in sorted(found.texts(team, wish.progress).items()):
        for line in text.warnings if path in public else ():
            yield _of_posts("warning", f"{place}/{line}")


def _of_posts(level: str, line: str) -> Remark:
    where, _, what = line.partition(": ")
    return Remark(level=level, where=where, what=what, why="", do="")


def _mail(site: Site) -> Iterator[Remark]:
    """Yield what is missing of who letters come from."""
    if not site.settings.newsletters:
        return
    mail, where = site.settings.mail, f"{site.config.path}: mail"
    if mail.sender is None:
        yield Remark(
            level="warning",
            where=f"{where}.from",
            what="nobody is named that letters come from",
            why="they come from an address made of the newsletter's name and the site's host, which may not exist",
            do="write such as 'Sample Letters <letters@example.com>'",
        )
    elif not _is_aligned(mail.sender.address.domain, site.settings.site.host):
        yield Remark(
            level="warning",
            where=f"{where}.from",
            what=f"letters come from {mail.sender.address.domain}, links lead to {site.settings.site.host}",
            why="filters and readers trust a letter more whose links lead to its own domain",
            do="send from the site's domain, if it can receive mail",
        )
    if not mail.address:
        yield Remark(
            level="warning",
            where=f"{where}.address",
            what="there is no postal address in the foot",
            why="the law of some countries wants one in every newsletter (CAN-SPAM among them)",
            do="write where you can be reached by post",
        )


def _is_aligned(domain: str, host: str) -> bool:
    """Return whether one is the other or below it, `www.` aside (as DMARC's relaxed alignment, RFC 7489, 3.1)."""
    one, other = domain.lower(), host.lower().removeprefix("www.")
    return one == other or one.endswith(f".{other}") or other.endswith(f".{one}")


def _next_issue(site: Site, newsletter: Newsletter, found: Survey, memory: Memory, wish: Wish) -> Iterable[Remark]:
    """Yield what is odd about the issue that would go out now; nothing where there is nothing to tell."""
    where = f"next issue of {newsletter.name}"
    try:
        found_next = trial.next_issue(site, newsletter, found, memory, wish)
        letter = found_next.letter(Choice()) if found_next else None
    except (FeedsError, PostError) as e:
        return [Remark(level="error", where=where, what=str(e), why="the issue cannot be composed", do="")]
    return judge.letter(letter, where) if letter else []
