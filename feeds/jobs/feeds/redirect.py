"""Keep former feed addresses working: copies of moved documents, and redirect rules for web servers."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from http import HTTPStatus

from feeds.core.syndication import redirects
from feeds.core.syndication.feed import Feed
from feeds.core.syndication.redirects import RedirectRule
from feeds.edges.cache.build_manifest import input_digest
from feeds.edges.files.output_folder import OutputFolder
from feeds.jobs.feeds.output_writer import OutputWriter
from feeds.jobs.site import Site

TABLE = "feeds/redirects.json"


def write_redirects(site: Site, feeds: Sequence[Feed], retired: Iterable[str], writer: OutputWriter) -> list[str]:
    """Write copies at the former paths of feeds, and the redirect rules; return warnings."""
    configured, problems = redirects.configured_moves(site.settings.feeds.moved, feeds)
    moves = [*redirects.remembered_moves(feeds, retired), *configured]
    for old, new in redirects.documents_to_copy(moves, feeds).items():
        content = site.public.read(new)
        if content is not None:
            writer.write(old, content, input_digest(str(content)))
    rules = list(redirects.redirect_rules(moves, site.settings.feeds_url))
    warnings = _format_problems(site, problems)
    warnings += _dropped_redirects(site, rules)
    _write_rules(site, rules, writer)
    return warnings


def find_invalid_moves(site: Site, feeds: Iterable[Feed]) -> list[str]:
    """Return a warning for each line of `feeds.moved` that is invalid."""
    return _format_problems(site, redirects.configured_moves(site.settings.feeds.moved, feeds)[1])


def _format_problems(site: Site, problems: Mapping[str, str]) -> list[str]:
    return [site.config.warning(("feeds", "moved", old), problem) for old, problem in problems.items()]


def _dropped_redirects(site: Site, rules: Iterable[RedirectRule]) -> Iterator[str]:
    """Yield a warning for each redirect of the last run that is no longer configured."""
    current = {rule.encoded for rule in rules}
    try:
        rows = json.loads(site.public.read(TABLE) or b"[]")
        former = [str(row["from"]) for row in rows if row["status"] != HTTPStatus.GONE]
    except (ValueError, TypeError, KeyError):
        return
    for path in former:
        if path not in current:
            yield f"{path}: is not redirected to another feed any more; the copy there stays until you delete it"


def _write_rules(site: Site, rules: Sequence[RedirectRule], writer: OutputWriter) -> None:
    """Update our block in the files of web servers, and the table of all redirects for programs."""
    fallback = redirects.web_path(site.settings.feeds_url)
    _write_block(site.public, "_redirects", redirects.render_redirects(rules, fallback), writer)
    _write_block(site.public, ".htaccess", redirects.render_htaccess(rules), writer)
    if rules or site.public.has(TABLE):
        rows = ",\n".join(json.dumps(row, ensure_ascii=False) for row in redirects.redirect_table(rules))
        writer.write(TABLE, f"[\n{rows}\n]\n".encode(), input_digest(rows))


def _write_block(public: OutputFolder, name: str, lines: Sequence[str], writer: OutputWriter) -> None:
    """Put *lines* into a file and leave its other lines alone; remove the file if nothing is left in it."""
    content = public.read(name)
    try:
        before = (content or b"").decode()
        after = redirects.insert_block(before, lines)
    except ValueError as e:  # UnicodeDecodeError is one
        writer.report_failure(f"{public.root / name}: {e}; redirects are not written into it")
        return
    if after:
        writer.write(name, after.encode(), input_digest(after))
    elif before:
        writer.remove(name)
