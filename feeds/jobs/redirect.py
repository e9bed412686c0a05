"""Keep the promise that a feed's address holds: copies where feeds lay, and what servers are told of it."""

import json
from collections.abc import Iterable, Sequence

from feeds.core.syndication import moves
from feeds.core.syndication.plan import Feed
from feeds.edges.folder import Output
from feeds.edges.made import recipe
from feeds.jobs.press import Press
from feeds.jobs.site import Site

_TABLE = "feeds/redirects.json"


def redirect(site: Site, feeds: Sequence[Feed], retired: Iterable[str], press: Press) -> list[str]:
    """Write the new documents where feeds lay, and the answers of servers; return warnings."""
    found, problems = moves.configured(site.settings.feeds.moved, feeds)
    found = [*moves.known(feeds, retired), *found]
    for old, new in moves.copies(found, feeds).items():
        content = site.public.read(new)
        if content is not None:
            press.write(old, content, recipe("a copy of", new, press.last(new)))
    write_answers(site, found, press)
    return [f"{site.config.path}: {problem}" for problem in problems]


def write_answers(site: Site, found: Iterable[moves.Move], press: Press) -> None:
    """Bring what servers are told up to date: our lines in their files, and a table for programs."""
    answers = list(moves.answers(found, site.settings.feeds_url))
    fallback = moves.web_path(site.settings.feeds_url)
    _bring(site.public, "_redirects", moves.redirects(answers, fallback), press)
    _bring(site.public, ".htaccess", moves.htaccess(answers), press)
    if answers or site.public.has(_TABLE):
        rows = ",\n".join(json.dumps(row, ensure_ascii=False) for row in moves.table(answers))
        press.write(_TABLE, f"[\n{rows}\n]\n".encode(), recipe(rows))


def _bring(public: Output, name: str, lines: Sequence[str], press: Press) -> None:
    """Bring a file to hold *lines* among whatever else stands in it; a file that is ours alone goes with them."""
    content = public.read(name)
    try:
        before = (content or b"").decode()
    except UnicodeDecodeError:
        press.fail(f"{public.root / name}: is not UTF-8; redirects for feeds that moved cannot be written into it")
        return
    after = moves.with_block(before, lines)
    if after:
        press.write(name, after.encode(), recipe(after))
    elif before:
        public.remove(name)
