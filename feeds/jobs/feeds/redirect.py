"""Keep the promise that a feed's address holds: copies where feeds lay, and what servers are told of it."""

import json
from collections.abc import Iterable, Iterator, Sequence
from http import HTTPStatus

from feeds.core.syndication import redirects
from feeds.core.syndication.feed import Feed
from feeds.edges.cache.build_manifest import input_digest
from feeds.edges.files.output_folder import OutputFolder
from feeds.jobs.feeds.output_writer import OutputWriter
from feeds.jobs.site import Site

_TABLE = "feeds/redirects.json"


def write_redirects(site: Site, feeds: Sequence[Feed], ended: Iterable[str], press: OutputWriter) -> list[str]:
    """Write the new documents where feeds lay, and the answers of servers; return warnings."""
    asked, problems = redirects.configured_moves(site.settings.feeds.moved, feeds)
    found = [*redirects.remembered_moves(feeds, ended), *asked]
    for old, new in redirects.documents_to_copy(found, feeds).items():
        content = site.public.read(new)
        if content is not None:
            press.write(old, content, input_digest(str(content)))
    answers = list(redirects.redirect_rules(found, site.settings.feeds_url))
    warnings = [f"{site.config.path}: {problem}" for problem in problems]
    warnings += _forgotten(site, answers)
    _tell_servers(site, answers, press)
    return warnings


def _forgotten(site: Site, answers: Iterable[redirects.RedirectRule]) -> Iterator[str]:
    """Yield a line, once, for each address that servers were told of and will not be any more."""
    told = {answer.encoded for answer in answers}
    try:
        rows = json.loads(site.public.read(_TABLE) or b"[]")
        before = [str(row["from"]) for row in rows if row["status"] != HTTPStatus.GONE]
    except (ValueError, TypeError, KeyError):
        return
    for path in before:
        if path not in told:
            yield f"{path}: does not lead to another feed any more; what was written there stays until you delete it"


def _tell_servers(site: Site, answers: Sequence[redirects.RedirectRule], press: OutputWriter) -> None:
    """Bring what servers are told up to date: our lines in their files, and a table for programs."""
    _bring(
        site.public,
        "_redirects",
        redirects.render_redirects(answers, redirects.web_path(site.settings.feeds_url)),
        press,
    )
    _bring(site.public, ".htaccess", redirects.render_htaccess(answers), press)
    if answers or site.public.has(_TABLE):
        rows = ",\n".join(json.dumps(row, ensure_ascii=False) for row in redirects.redirect_table(answers))
        press.write(_TABLE, f"[\n{rows}\n]\n".encode(), input_digest(rows))


def _bring(public: OutputFolder, name: str, lines: Sequence[str], press: OutputWriter) -> None:
    """Bring a file to hold *lines* among whatever else stands in it; a file that is ours alone goes with them."""
    content = public.read(name)
    try:
        before = (content or b"").decode()
        after = redirects.insert_block(before, lines)
    except ValueError as e:  # UnicodeDecodeError is one
        press.report_failure(f"{public.root / name}: {e}; what has moved or ended is not written into it")
        return
    if after:
        press.write(name, after.encode(), input_digest(after))
    elif before:
        press.remove(name)
