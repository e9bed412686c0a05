"""Format subscribers and import reports; of a million subscribers only a few hundred are in memory at a time."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import datetime
from itertools import islice

from feeds.cli import output
from feeds.display import format_count, format_time
from feeds.jobs.subscribers.subscriber_document import subscriber_to_dict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import tzinfo
    from typing import Any

    from feeds.jobs.subscribers.erase import ErasureReport
    from feeds.jobs.subscribers.import_subscribers import ImportReport, RowMessage
    from feeds.jobs.subscribers.subscribe import SubscriberData
    from feeds.model import Subscriber, SubscriptionChange

#: How many rows one table has: its first rows decide how wide it is.
_TABLE = 500
#: How many messages of each kind are printed for people.
_MOST_MESSAGES = 20
#: How times are stored in texts of consent.
_CONSENT_TIME = re.compile(r"(\b\d{4}-\d\d-\d\d \d\d:\d\d) (UTC\b|[+-]\d{4}\b)", re.ASCII)
_HEAD = ("email", "status", "language", "newsletters")


def print_subscribers(found: Iterable[Subscriber], *, as_json: bool) -> None:
    """Print subscribers as JSON, one object a line, or as tables."""
    coming = iter(found)
    while some := list(islice(coming, _TABLE)):
        output.print_records(some, subscriber_to_dict, _HEAD, subscriber_row, as_json=as_json)


def subscriber_row(found: Subscriber) -> tuple[str, ...]:
    """Return a subscriber as a row of a table."""
    topics = {name: f" ({', '.join(chosen)})" for name, chosen in found.topics.items()}
    reads = ", ".join(name + topics.get(name, "") for name in found.newsletters)
    return (found.email, found.status, found.lang or "", reads)


def format_status_counts(counts: dict[str, int]) -> str:
    """Return a line that counts subscribers by status."""
    return f"subscribers: {_listed(counts) or 'none'}"


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{number:,} {status}" for status, number in counts.items())


# One subscriber -------------------------------------------------------------------------------------------------------


def subscriber_data_lines(found: SubscriberData, zone: tzinfo) -> Iterator[str]:
    """Yield everything that is stored about one address, line by line, for people, with times in the site's zone."""
    if found.subscriber:
        yield from _person_lines(found.subscriber, zone)
    else:
        yield f"{found.email}: was never subscribed"
    for newsletter, at in found.unsubscribed_from.items():
        yield f"  unsubscribed from {newsletter} on {format_time(at, zone)}"
    for change in found.changes:
        yield f"  {change.newsletter}: {_change_name(change)} on {format_time(change.at, zone)}{_change_facts(change)}"
    if found.suppression:
        yield f"  {found.suppression.reason} on {format_time(found.suppression.at, zone)}: gets no mail again"
    if found.paused_until:
        yield f"  wants no letters until {format_time(found.paused_until, zone)}"
    for letter in found.deliveries:
        when = f"{letter.state} {format_time(letter.sent_at, zone)}" if letter.sent_at else letter.state
        yield f"  {letter.newsletter} {letter.number}: {when}; {letter.subject}; {letter.answer or 'no answer'}"
    for mail in found.mails:
        yield f"  {mail.kind} mail: {mail.state} {format_time(mail.sent_at or mail.created_at, zone)}"
    for one in found.bounces:
        yield f"  bounced {format_time(one.at, zone)}: {one.kind} {one.status} {one.decision}; {one.said}"
    for former in found.former_addresses:
        yield "the address before:"
        yield from subscriber_data_lines(former, zone)


def _change_name(change: SubscriptionChange) -> str:
    """Return what a change was, with the topics from then on: `topics Code, Notes`, `subscribed (Code)`."""
    chosen = ", ".join(change.topics)
    if change.what == "topics":
        return f"topics {chosen or 'all'}"
    return f"{change.what} ({chosen})" if chosen else change.what


def _change_facts(change: SubscriptionChange) -> str:
    source = change.source
    facts = (("by", source.how), ("wording", source.wording), ("from", source.client))
    return "".join(f", {name} {value}" for name, value in facts if value)


def _person_lines(one: Subscriber, zone: tzinfo) -> Iterator[str]:
    _, _, lang, reads = subscriber_row(one)
    yield f"{one.email}: {one.status} since {format_time(one.status_at, zone)}"
    yield f"  known since {format_time(one.created_at, zone)}, added by {one.source or 'an older version'}"
    own_zone = one.timezone or "unknown"
    yield f"  subscribed to {reads or 'nothing'}; language {lang or 'as the newsletter'}; time zone {own_zone}"
    yield f"  consent: {_in_zone(one.consent, zone) or 'not recorded'}"


def _in_zone(text: str, zone: tzinfo) -> str:
    """Return a text of consent with its times in a zone; what only looks like a time stays as it is."""
    return _CONSENT_TIME.sub(lambda found: _format_stored(found[1], found[2], zone) or found[0], text)


def _format_stored(minute: str, offset: str, zone: tzinfo) -> str:
    with suppress(ValueError, OverflowError):
        stored = f"{minute} {offset.replace('UTC', '+0000')}"
        return format_time(datetime.strptime(stored, "%Y-%m-%d %H:%M %z"), zone)
    return ""


def erasure_lines(found: ErasureReport) -> Iterator[str]:
    """Yield the result of an erasure, line by line."""
    person = "a subscriber" if found.was_known else "no subscriber"
    deliveries = format_count(found.deliveries, "delivery", "deliveries")
    yield f"{found.email} is erased: {person}, {deliveries}, {format_count(found.files, 'stored message')}"
    yield from (f"{email} is erased too: this subscriber's former address" for email in found.former_addresses)
    yield "a keyed hash keeps the address from being imported again; backups may still contain it"


def copy_to_warnings(found: ErasureReport) -> Iterator[str]:
    """Yield a warning for each newsletter whose `copy_to` still names the erased address."""
    yield from (
        f"{name} still sends copies to {found.email}: remove it from copy_to in the config"
        for name in found.copy_to_newsletters
    )


# Imports ------------------------------------------------------------------------------------------------------------


def row_message_to_dict(found: RowMessage) -> dict[str, Any]:
    """Return the message about one row, for programs."""
    return {"row": found.row, "email": found.email, found.kind: found.text}


class RowMessages:
    """Messages about rows: the first few of each kind are kept, the others are counted."""

    def __init__(self) -> None:
        self._first: dict[str, list[str]] = {}
        self._counts: dict[str, int] = {}

    def add(self, found: RowMessage) -> None:
        """Count a message, and keep it if it is one of the first of its kind."""
        self._counts[found.kind] = self._counts.get(found.kind, 0) + 1
        if self._counts[found.kind] <= _MOST_MESSAGES:
            text = f"{found.row}: {found.email}: {_PREFIXES[found.kind]}{found.text}"
            self._first.setdefault(found.kind, []).append(text)

    def lines(self, file: str, *what: str) -> Iterator[str]:
        """Yield the kept messages of these kinds, and a line that counts the others."""
        for kind in what:
            yield from (f"{file}:{line}" for line in self._first.get(kind, ()))
            if (more := self._counts.get(kind, 0) - _MOST_MESSAGES) > 0:
                yield f"{file}: and {more:,} more like these; --json prints all of them"


_PREFIXES = {"refused": "rejected: ", "kept_out": "kept out: ", "warning": ""}


def import_report_to_dict(found: ImportReport, *, seconds: float) -> dict[str, Any]:
    """Return the result of an import for programs."""
    return {
        "file": found.file,
        "tool": found.import_format.name,
        "ignored": found.import_format.ignored,
        "notes": found.notes,
        "rows": found.rows,
        "added": found.counts.added,
        "merged": found.counts.merged,
        "unchanged": found.counts.unchanged,
        "left": found.counts.newly_gone,
        "kept_out": found.counts.kept_out,
        "repeated": found.repeated,
        "refused": found.rejected,
        "imported": found.done,
        "seconds": round(seconds, 3),
    }


def import_report_lines(found: ImportReport, *, dry_run: bool) -> Iterator[str]:
    """Yield the result of an import, line by line, for people."""
    about = "" if found.import_format.name == "plain" else f" (exported by {found.import_format.name})"
    yield f"{found.file}{about}: {format_count(found.rows, 'row')}"
    people = found.counts
    counts = (
        (sum(people.added.values()), f"new: {_listed(dict(people.added))}"),
        (people.merged, "already known, updated: a newsletter, a topic or a language was added"),
        (people.unchanged, "already known, unchanged"),
        (people.newly_gone, "unsubscribed, as this file says"),
        (people.kept_out, "kept out: unsubscribed, bounced, complained or suppressed before"),
        (found.repeated, "duplicate row" if found.repeated == 1 else "duplicate rows"),
        (found.rejected, "rejected"),
    )
    yield from (f"  {number:,} {what}" for number, what in counts if number)
    if found.import_format.ignored:
        yield f"ignored columns: {', '.join(found.import_format.ignored)}"
    if dry_run:
        yield "dry run: nothing was imported"
    elif not found.done:
        yield "nothing was imported: fix the rejected rows, or import the others with --partial"
