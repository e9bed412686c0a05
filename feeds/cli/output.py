"""How results look: lines for people, objects for programs. Loads nothing until something is told."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import Any, TypeVar

    from feeds.config import Config
    from feeds.core.curation.suggest import Suggestion
    from feeds.core.curation.tags import Tag
    from feeds.core.newsletters.lint import Diagnostic
    from feeds.edges.store.deliveries import DeliveryResult
    from feeds.jobs.newsletters.status import IssueProgress
    from feeds.jobs.posts.tags import TagChange
    from feeds.jobs.report import PublishReport
    from feeds.jobs.run import Event
    from feeds.model import DuplicatePair, Entry, EntryVersion, Issue, PostOutcome, Text

    Item = TypeVar("Item")

#: How many written files are named.
_MOST_LINES = 12
_YELLOW, _RED = 33, 31


def print_diagnostics(errors: Iterable[str], warnings: Iterable[str]) -> None:
    """Tell what is odd and what is wrong, on standard error."""
    for word, colour, lines in (("warning", _YELLOW, warnings), ("error", _RED, errors)):
        shown = f"\033[{colour}m{word}\033[0m" if sys.stderr.isatty() else word
        for line in lines:
            print(f"{shown}: {escape_controls(line)}", file=sys.stderr)


def escape_controls(line: str) -> str:
    """Return *line* without what a terminal would obey: post and file names are anybody's."""
    if line.isprintable():
        return line
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in line)


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
    found: Sequence[Item],
    for_programs: Callable[[Item], dict[str, Any]],
    head: tuple[str, ...],
    for_people: Callable[[Item], tuple[str, ...]],
    *,
    as_json: bool,
) -> None:
    """Print an object a line, or a table."""
    if not as_json:
        print_table(head, [for_people(item) for item in found])
        return
    for item in found:
        print_json(for_programs(item))


# A pass -----------------------------------------------------------------------------------------------------------


def format_post_counts(counts: dict[str, int]) -> str:
    """Return how many posts have which status, in words."""
    return "posts: " + ", ".join(
        f"{number} {status}" for status, number in counts.items() if number or status == "public"
    )


def format_report(config: Config, report: PublishReport, *, dry_run: bool) -> Iterator[str]:
    """Yield what a pass did, for people."""
    folder = config.settings.feeds.folder.rstrip("/")
    yield format_post_counts(report.counts)
    would = "would be written" if dry_run else "written"
    yield f"feeds and pages: {len(report.written)} {would}, {report.unchanged} unchanged, in {folder}/"
    shown = report.written if dry_run else report.written[:_MOST_LINES]
    yield from (f"  {folder}/{name}" for name in shown)
    if len(shown) < len(report.written):
        yield f"  and {len(report.written) - len(shown)} more"
    yield from (f"  {folder}/{name} {'would be removed' if dry_run else 'removed'}" for name in report.removed)
    for issue in report.issues:
        what = f"{issue.posts} posts" if issue.posts else "a note"
        to = f"{what} to {issue.recipients} recipients"
        kept = f", in outbox/{issue.newsletter}/{issue.number}/" if config.settings.mail.transport == "outbox" else ""
        where = "would be sent" if dry_run else f"{issue.state}{kept}"
        if issue.state == "composed":
            to, where = f"{issue.posts} posts", f"waits for `feeds approve {issue.newsletter}`"
        yield f"{issue.newsletter} {issue.number}: {to}, {where}"


def report_to_dict(report: PublishReport) -> dict[str, Any]:
    """Return what a pass did, for programs; how long it took stands last and is added by whoever tells it."""
    return {
        "posts": report.counts,
        "feeds": {"written": len(report.written), "unchanged": report.unchanged},
        **({"removed": report.removed} if report.removed else {}),
        "issues": [issue.facts for issue in report.issues],
    }


def event_to_dict(at: str, found: Event) -> dict[str, Any]:
    """Return a line of the log of `feeds run`."""
    return {"at": at, "level": found.level, "event": found.what, "text": found.text, **found.facts}


def diagnostic_to_dict(found: Diagnostic) -> dict[str, Any]:
    """Return a remark of `feeds check`, for programs."""
    return {"level": found.level, "where": found.where, "what": found.what, "why": found.why, "do": found.do}


def diagnostic_row(found: Diagnostic) -> tuple[str, ...]:
    """Return a remark as a row."""
    return (found.level, found.where, f"{found.what}: {found.why}" if found.why else found.what, found.do)


def print_report(config: Config, report: PublishReport, *, as_json: bool) -> int:
    """Tell what a pass did on the way to something else; return the exit code."""
    from feeds.jobs.report import truncate_warnings

    print_diagnostics([*report.errors, *report.alerts], [*truncate_warnings(report.warnings), *report.later])
    if as_json:
        print_json(report_to_dict(report))
    for line in () if as_json else format_report(config, report, dry_run=False):
        print(line)
    return report.exit_code


# Posts ------------------------------------------------------------------------------------------------------------


def post_to_dict(verdict: PostOutcome, entry: Entry | None, text: Text | None) -> dict[str, Any]:
    """Return what was understood of one file."""
    post = verdict.post
    found: dict[str, Any] = {
        "path": verdict.path,
        "status": verdict.status.value,
        "reason": verdict.reason,
        "duplicate_of": verdict.duplicate_of,
        "id": entry.id if entry else post and post.declared_id,
    }
    if post is None:
        return found | _UNREAD
    return found | {
        "url": post.url,
        "title": post.title,
        "published": post.published.isoformat(),
        "updated": post.updated.isoformat() if post.updated else None,
        "lang": post.lang,
        "authors": [author.name for author in post.authors],
        "categories": [topic.label for topic in entry.categories] if entry else list(post.categories),
        "tags": list(entry.tags if entry else post.tags),
        "excerpt": text.excerpt if text else None,
        "reading_minutes": text.reading_minutes if text else None,
        "warnings": [*post.warnings, *(text.warnings if text else ())],
    }


#: What is known of a file that could not be read: the same fields, empty.
_UNREAD: dict[str, Any] = {
    **dict.fromkeys(("url", "title", "published", "updated", "lang")),
    **{name: [] for name in ("authors", "categories", "tags")},
    **dict.fromkeys(("excerpt", "reading_minutes")),
    "warnings": [],
}


def post_row(verdict: PostOutcome) -> tuple[str, ...]:
    """Return one file as a line of a table."""
    post = verdict.post
    date = f"{post.published:%Y-%m-%d}" if post else ""
    return (verdict.status.value, date, verdict.path, verdict.reason or (post.title if post else ""))


def entry_version_to_dict(identity: str, state: EntryVersion) -> dict[str, Any]:
    """Return what an entry was from a moment on, for programs."""
    return {
        "id": identity,
        "since": state.since.isoformat(),
        "path": state.path,
        "title": state.title,
        "text": state.text_digest,
    }


def entry_version_row(state: EntryVersion) -> tuple[str, ...]:
    """Return the same as a line of a table."""
    return (f"{state.since:%Y-%m-%d %H:%M} UTC", state.path, state.title or "", state.text_digest[:8])


# Duplicates -------------------------------------------------------------------------------------------------------


def duplicate_to_dict(found: DuplicatePair) -> dict[str, Any]:
    """Return a pair of posts for programs."""
    return {
        "path": found.post.path,
        "other": found.kept.path,
        "kind": found.kind.value,
        "similarity": round(found.similarity, 4),
        "dropped": found.dropped,
        "reason": found.reason,
    }


def duplicate_row(found: DuplicatePair) -> tuple[str, ...]:
    """Return a pair of posts as a line of a table."""
    percent = f"{int(found.similarity * 100)} %"
    return (found.kind.value, percent, "dropped" if found.dropped else "stays", found.post.path, found.kept.path)


def format_pair_counts(found: Sequence[DuplicatePair]) -> str:
    """Return how many pairs were found, in words."""
    dropped = sum(pair.dropped for pair in found)
    pairs = "1 pair" if len(found) == 1 else f"{len(found)} pairs"
    return f"{pairs}: {dropped} dropped, {len(found) - dropped} only reported"


def print_side_by_side(left: str, right: str, lines: Iterable[tuple[str, str, bool]]) -> None:
    """Print two texts beside each other, paragraph by paragraph; what differs is marked."""
    from rich.console import Console
    from rich.table import Column, Table
    from rich.text import Text

    table = Table(Column(Text(left)), "", Column(Text(right)), expand=True, header_style="bold")
    for one, other, same in lines:
        style = "dim" if same else ""
        table.add_row(Text(escape_controls(one), style), "" if same else "≠", Text(escape_controls(other), style))
    Console().print(table)


# Tags -------------------------------------------------------------------------------------------------------------


def tag_to_dict(found: Tag) -> dict[str, Any]:
    """Return a tag for programs."""
    return {
        "tag": found.tag,
        "spellings": found.spellings,
        "posts": len(found.posts),
        "below": found.below,
        "rule_hits": found.rule_hits,
        "aliases": found.aliases,
        "paths": found.posts,
    }


def tag_row(found: Tag) -> tuple[str, ...]:
    """Return a tag as a line of a table."""
    return (
        found.tag,
        str(len(found.posts)),
        str(found.rule_hits),
        ", ".join(f"{name} {number}" for name, number in found.spellings.items()),
        "; ".join(filter(None, [f"{found.below} below it" * bool(found.below), ", ".join(found.aliases)])),
    )


def suggestion_to_dict(one: Suggestion) -> dict[str, Any]:
    """Return a suggested tag for programs."""
    return {"path": one.path, "tag": one.tag, "because": one.because, "posts": one.posts, "of": one.of}


def suggestion_row(one: Suggestion) -> tuple[str, ...]:
    """Return a suggested tag, and why it is, as a line of a table."""
    words = ", ".join(f"“{word}”" for word in one.because)
    return (one.path, one.tag, f"because {one.posts} of {one.of} posts with {words} carry it")


def print_tag_changes(folder: str, found: Iterable[TagChange], *, as_json: bool) -> list[str]:
    """Print what is or would be changed in front matter; return what cannot be, a line each."""
    errors = []
    for change in found:
        if change.reason:
            errors.append(f"{folder}/{change.reason}")
        if as_json:
            diff = "".join(f"{line}\n" for line in change.diff)
            print_json({"path": change.path, "written": change.written, "diff": diff, "reason": change.reason})
        else:
            for line in change.diff:  # a pipe gets the bytes that patch(1) wants
                print(escape_controls(line) if sys.stdout.isatty() else line)
    return errors


# Issues -----------------------------------------------------------------------------------------------------------


def issue_to_dict(found: Issue) -> dict[str, Any]:
    """Return an issue for programs."""
    return {
        "newsletter": found.newsletter,
        "number": found.number,
        "slot": found.slot.isoformat(),
        "subject": found.subject,
        "posts": found.posts,
        "recipients": found.recipients,
        "sent": found.sent,
        "state": found.state,
        "retracted_at": found.retracted_at.isoformat() if found.retracted_at else None,
        "retraction": found.retraction,
        "corrects": found.corrects,
    }


def issue_row(found: Issue) -> tuple[str, ...]:
    """Return an issue as a line of a table."""
    slot, sent = f"{found.slot:%Y-%m-%d %H:%M} UTC", f"{found.sent}/{found.recipients}"
    return (found.newsletter, str(found.number), slot, ", ".join(_state(found)), sent, found.subject)


def _state(found: Issue) -> Iterator[str]:
    yield found.state.value
    if found.retracted_at:
        yield "retracted"
    if found.corrects:
        yield f"corrects {found.corrects}"


def progress_to_dict(found: IssueProgress) -> dict[str, Any]:
    """Return how an issue fares, for programs."""
    return issue_to_dict(found.issue) | {
        "deliveries": found.counts,
        "sent": found.counts["sent"],
        "left": found.pending,
        "per_minute": found.rate,
        "seconds_left": found.seconds_left,
        "next_try": found.next_at.isoformat() if found.next_at else None,
        "halted": found.issue.halt_reason,
        "refusals": [{"domain": one.domain, "code": one.code, "number": one.number} for one in found.refusals],
        "paused_domains": [
            {"domain": one.domain, "until": one.until.isoformat(), "reason": one.reason} for one in found.paused
        ],
    }


def progress_lines(found: IssueProgress) -> Iterator[str]:
    """Yield how an issue fares, for people."""
    about = found.issue
    said = [f"{number:,} {state}" for state, number in found.counts.items() if number]
    yield f"{about.newsletter} {about.number}: {', '.join(said) or 'nobody'} of {about.recipients:,}; {about.subject}"
    if about.corrects:
        yield f"  corrects {about.newsletter} {about.corrects}"
    if about.retracted_at:
        why = f": {about.retraction}" if about.retraction else ""
        yield f"  retracted on {about.retracted_at:%Y-%m-%d %H:%M} UTC{why}"
    if about.halt_reason:
        yield f"  stopped: {about.halt_reason}"
    if found.rate and found.pending:
        yield f"  {found.rate:,} in the last minute, about {-(-(found.seconds_left or 0) // 60):,} min left"
    if found.next_at:
        yield f"  the next try is due at {found.next_at:%Y-%m-%d %H:%M} UTC"
    yield from (f"  {one.number:,} at {one.domain}: {one.code or 'no answer'}" for one in found.refusals[:_MOST_LINES])
    yield from (f"  nobody at {one.domain} until {one.until:%Y-%m-%d %H:%M} UTC: {one.reason}" for one in found.paused)


def delivery_to_dict(found: DeliveryResult) -> dict[str, Any]:
    """Return a delivery for programs."""
    return {
        "recipient": found.recipient,
        "lang": found.lang,
        "state": found.state,
        "sent_at": found.sent_at.isoformat() if found.sent_at else None,
        "answer": found.answer,
        "tries": found.tries,
    }


def delivery_row(found: DeliveryResult) -> tuple[str, ...]:
    """Return a delivery as a line of a table."""
    when = f"{found.sent_at:%Y-%m-%d %H:%M:%S}" if found.sent_at else ""
    return (found.recipient, found.lang, found.state.value, when, found.answer)
