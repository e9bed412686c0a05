"""Print results: lines and tables for people, JSON for programs. Imports nothing until something is printed."""

from __future__ import annotations

import sys

from feeds.display import format_count

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import Any, TypeVar

    from feeds.config import Config
    from feeds.core.newsletters.outlook import Outlook
    from feeds.jobs.init import NewSite
    from feeds.jobs.report import PublishReport
    from feeds.jobs.run import Event

    Item = TypeVar("Item")

#: How many written files are named.
_MOST_LINES = 12
_YELLOW, _RED = 33, 31


def print_diagnostics(errors: Iterable[str], warnings: Iterable[str]) -> None:
    """Print warnings and errors to standard error."""
    for word, colour, lines in (("warning", _YELLOW, warnings), ("error", _RED, errors)):
        shown = f"\033[{colour}m{word}\033[0m" if sys.stderr.isatty() else word
        for line in lines:
            print(f"{shown}: {escape_controls(line)}", file=sys.stderr)


def escape_controls(line: str) -> str:
    """Return *line* without control characters: titles and file names may hold terminal commands."""
    if line.isprintable():
        return line
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in line)


def format_plan(site: NewSite) -> Iterator[str]:
    """Yield what `feeds init` is about to set: one line for each key, with the place that its value was taken from."""
    kind = f"a site of {site.generator}" if site.generator else "a folder with posts"
    yield f"{site.folder.resolve().name} is {kind}. Its settings, and where they are from:"
    width = max(map(len, (*site.values, "posts.rendered")))
    for key, found in site.values.items():
        value = found.value if isinstance(found.value, str) else ", ".join(f"{a} = {b}" for a, b in found.value.items())
        yield escape_controls(f"  {key.ljust(width)}  {value}  ({found.source})")
    for key, effect in (("site.title", "feeds have the name of the host"), ("site.url", "every link begins with it")):
        if key not in site.values:
            yield f"  {key.ljust(width)}  is not known: {effect}"
    if site.unbuilt:
        effect = f"is not set, since {site.unbuilt}/ is not built yet: texts are made from the Markdown"
        yield f"  {'posts.rendered'.ljust(width)}  {effect}"
    yield from (escape_controls(f"warning: {problem}") for problem in site.problems)


def format_new_site(site: NewSite, written: Iterable[str]) -> Iterator[str]:
    """Yield the files that `feeds init` has written, what to set in the generator, and the next steps."""
    yield from (f"wrote {site.folder / name}" for name in written)
    yield from site.advice
    if site.values and "site.url" not in site.values:
        yield f"Set site.url in {site.folder / 'feeds.toml'}: every link begins with it."
    import shlex

    option = f" --config {shlex.quote(str(site.folder / 'feeds.toml'))}" if site.folder.parts else ""
    if not site.is_existing:
        yield f"Then try: feeds publish --dry-run{option}"
        return
    if site.generator:
        yield f"Publish after each build of {site.generator}: feeds are written into the built site."
    yield "Next:"
    yield f"  feeds ids adopt {shlex.quote(site.old_feed)}{option}" if site.old_feed else f"  feeds posts{option}"
    yield f"  feeds publish --dry-run{option}"
    yield f"  feeds publish{option}"


def print_json(found: dict[str, Any]) -> None:
    """Print one object on one line."""
    import json

    print(json.dumps(found, ensure_ascii=False))


def print_table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    """Print a table for a person, tab-separated lines for a pipe."""
    if not sys.stdout.isatty():
        for row in rows:
            print("\t".join(map(escape_controls, row)))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*head, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        table.add_row(*(Text(escape_controls(cell)) for cell in row))
    Console().print(table)


def print_records(
    records: Sequence[Item],
    to_dict: Callable[[Item], dict[str, Any]],
    head: tuple[str, ...],
    to_row: Callable[[Item], tuple[str, ...]],
    *,
    as_json: bool,
) -> None:
    """Print JSON, one object a line, or a table."""
    if not as_json:
        print_table(head, [to_row(record) for record in records])
        return
    for record in records:
        print_json(to_dict(record))


# A publish run ----------------------------------------------------------------------------------------------------


def format_post_counts(counts: dict[str, int]) -> str:
    """Return a line that counts posts by status."""
    return "posts: " + ", ".join(
        f"{number} {status}" for status, number in counts.items() if number or status == "public"
    )


def format_report(config: Config, report: PublishReport, *, dry_run: bool) -> Iterator[str]:
    """Yield the report of a publish run, line by line, for people."""
    folder = config.settings.feeds.folder.rstrip("/")
    yield format_post_counts(report.counts)
    would = "would be written" if dry_run else "written"
    yield f"feeds and pages: {len(report.written)} {would}, {report.unchanged} unchanged, in {folder}/"
    shown = report.written if dry_run else report.written[:_MOST_LINES]
    yield from (f"  {folder}/{name}" for name in shown)
    if len(shown) < len(report.written):
        yield f"  and {len(report.written) - len(shown)} more"
    yield from (f"  {folder}/{name} {'would be removed' if dry_run else 'removed'}" for name in report.removed)
    yield from format_issues(config, report, dry_run=dry_run)
    yield from outlook_lines(config, report.outlooks)


def format_issues(config: Config, report: PublishReport, *, dry_run: bool) -> Iterator[str]:
    """Yield a line for each issue of a publish run."""
    for issue in report.issues:
        posts = format_count(issue.posts, "post") if issue.posts else "a note"
        to = f"{posts} to {format_count(issue.recipients, 'recipient')}"
        kept = (
            f", in {config.settings.state}/outbox/{issue.newsletter}/{issue.number}/"
            if config.settings.mail.transport == "outbox"
            else ""
        )
        where = "would be sent" if dry_run else issue.outcome(kept)
        if issue.state == "composed":
            to, where = posts, f"waits for `feeds approve {issue.newsletter}`"
        yield f"{issue.newsletter} {issue.number}: {to}, {where}"


def outlook_lines(config: Config, outlooks: Iterable[Outlook]) -> Iterator[str]:
    """Yield the next slot and waiting posts of each newsletter, for people."""
    for outlook in outlooks:
        from feeds.core.newsletters.outlook import format_outlook

        yield format_outlook(outlook, config.settings.site.timezone)


def _outlook_to_dict(found: Outlook) -> dict[str, Any]:
    return {
        "newsletter": found.newsletter,
        "next_slot": found.slot.isoformat(),
        "posts_waiting": found.posts,
        "missed_slot": found.missed_slot.isoformat() if found.missed_slot else None,
        "reason": found.reason,
    }


def report_to_dict(report: PublishReport) -> dict[str, Any]:
    """Return the report of a publish run for programs; the caller adds how long it took, as the last field."""
    return {
        "posts": report.counts,
        "feeds": {"written": len(report.written), "unchanged": report.unchanged},
        **({"removed": report.removed} if report.removed else {}),
        "issues": [issue.facts for issue in report.issues],
        **({"newsletters": [_outlook_to_dict(one) for one in report.outlooks]} if report.outlooks else {}),
    }


def event_to_dict(at: str, found: Event) -> dict[str, Any]:
    """Return a line of the log of `feeds run`."""
    return {"at": at, "level": found.level, "event": found.what, "text": found.text, **found.facts}


def print_report(config: Config, report: PublishReport, *, as_json: bool) -> int:
    """Print the report of a publish run that another command made; return the exit code."""
    from feeds.jobs.report import truncate_warnings

    print_diagnostics([*report.errors, *report.alerts], [*truncate_warnings(report.warnings), *report.later])
    if as_json:
        print_json(report_to_dict(report))
    for line in () if as_json else format_report(config, report, dry_run=False):
        print(line)
    return report.exit_code
