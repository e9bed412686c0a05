"""Format issues, their progress and their deliveries."""

from __future__ import annotations

from feeds.cli.output import escape_controls, print_json
from feeds.display import format_count, format_time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import tzinfo
    from typing import Any

    from feeds.edges.store.deliveries import DeliveryResult
    from feeds.jobs.newsletters.send_test import SentTest
    from feeds.jobs.newsletters.status import IssueProgress
    from feeds.model import DomainDelay, Issue, ServerLimit

#: How many kinds of refusals are printed.
_MOST_REFUSALS = 12


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


def issue_row(found: Issue, zone: tzinfo) -> tuple[str, ...]:
    """Return an issue as a row of a table, with its slot in the site's time zone."""
    slot, sent = format_time(found.slot, zone), f"{found.sent}/{found.recipients}"
    return (found.newsletter, str(found.number), slot, ", ".join(_state(found)), sent, found.subject)


def _state(found: Issue) -> Iterator[str]:
    yield found.state.value
    if found.retracted_at:
        yield "retracted"
    if found.corrects:
        yield f"corrects {found.corrects}"


def progress_to_dict(found: IssueProgress) -> dict[str, Any]:
    """Return the progress of an issue for programs."""
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
        "delayed_domains": [_delay_to_dict(one) for one in found.delayed],
        "servers": [_server_to_dict(server, limit) for server, limit in found.servers.items()],
    }


def _delay_to_dict(delay: DomainDelay) -> dict[str, Any]:
    until = delay.until.isoformat() if delay.until else None
    return {"domain": delay.domain, "cause": delay.cause, "answer": delay.answer, "until": until}


def _server_to_dict(server: str, limit: ServerLimit) -> dict[str, Any]:
    return {
        "server": server,
        "per_connection": limit.per_connection,
        "per_minute": round(limit.per_minute),
        "until": limit.until.isoformat() if limit.until and limit.times else None,
        "answer": limit.answer,
    }


def progress_lines(found: IssueProgress, zone: tzinfo) -> Iterator[str]:
    """Yield the progress of an issue, line by line, for people, with times in the site's zone."""
    about = found.issue
    counts = [f"{number:,} {state}" for state, number in found.counts.items() if number]
    yield f"{about.newsletter} {about.number}: {', '.join(counts) or 'none'} of {about.recipients:,}; {about.subject}"
    if about.corrects:
        yield f"  corrects {about.newsletter} {about.corrects}"
    if about.retracted_at:
        why = f": {about.retraction}" if about.retraction else ""
        yield f"  retracted on {format_time(about.retracted_at, zone)}{why}"
    if about.halt_reason:
        yield f"  halted: {about.halt_reason}"
    if found.rate and found.pending:
        yield f"  {found.rate:,} in the last minute, about {-(-(found.seconds_left or 0) // 60):,} min left"
    if found.next_at:
        yield f"  next retry at {format_time(found.next_at, zone)}"
    yield from (
        f"  {one.number:,} at {one.domain}: {one.code or 'no answer'}" for one in found.refusals[:_MOST_REFUSALS]
    )
    yield from (f"  {one.domain} is paused until {format_time(one.until, zone)}: {one.reason}" for one in found.paused)
    yield from (_delay_line(one, zone) for one in found.delayed)
    yield from (line for server, limit in found.servers.items() for line in _server_lines(server, limit, zone))


def _delay_line(delay: DomainDelay, zone: tzinfo) -> str:
    if delay.until is None:
        return f"  {delay.domain} was given up: {delay.answer}"
    says = "takes no more for now" if delay.cause == "limit" else "rejects the sender"
    return f"  {delay.domain} {says}, next try at {format_time(delay.until, zone)}: {delay.answer}"


def _server_lines(server: str, limit: ServerLimit, zone: tzinfo) -> Iterator[str]:
    """Yield what was learned about a server."""
    if limit.per_connection:
        yield f"  {server} takes {format_count(limit.per_connection, 'message')} on a connection"
    if limit.per_minute:
        yield f"  {server} takes about {format_count(round(limit.per_minute), 'message')} a minute"
    if limit.times and limit.until:
        yield f"  {server} takes no more for now, next try at {format_time(limit.until, zone)}: {limit.answer}"


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


def delivery_row(found: DeliveryResult, zone: tzinfo) -> tuple[str, ...]:
    """Return a delivery as a row of a table, with its time in the site's zone."""
    when = format_time(found.sent_at, zone) if found.sent_at else ""
    return (found.recipient, found.lang, found.state.value, when, found.answer)


def print_sent_test(found: SentTest, *, as_json: bool) -> None:
    """Print what became of a test message."""
    if as_json:
        print_json(found.facts)
    else:
        print(f"{found.newsletter} {found.number} to {found.recipient}, as a test: {escape_controls(found.answer)}")
