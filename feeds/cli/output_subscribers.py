"""How people look: lines for people, objects for programs; of a million of them only a few are held at a time."""

from __future__ import annotations

from itertools import islice

from feeds.cli import output

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime
    from typing import Any

    from feeds.edges.store.subscribers import BounceSummary, DeliveryRecord
    from feeds.jobs.subscribers.erase import ErasureReport
    from feeds.jobs.subscribers.import_subscribers import ImportReport, RowMessage
    from feeds.jobs.subscribers.subscribe import SubscriberData
    from feeds.model import Subscriber

#: A table is as wide as its first lines want.
_TABLE = 500
#: How many rows of each kind are named to people.
_MOST_REMARKS = 20
_HEAD = ("email", "status", "language", "newsletters")


def print_subscribers(found: Iterable[Subscriber], *, as_json: bool) -> None:
    """Print people, an object a line or as tables."""
    coming = iter(found)
    while some := list(islice(coming, _TABLE)):
        output.print_records(some, subscriber_to_dict, _HEAD, subscriber_row, as_json=as_json)


def subscriber_row(found: Subscriber) -> tuple[str, ...]:
    """Return a reader as a line of a table."""
    topics = {name: f" ({', '.join(chosen)})" for name, chosen in found.topics.items()}
    reads = ", ".join(name + topics.get(name, "") for name in found.newsletters)
    return (found.email, found.status, found.lang or "", reads)


def subscriber_to_dict(found: Subscriber) -> dict[str, Any]:
    """Return a reader for programs."""
    return {
        "email": found.email,
        "status": found.status,
        "lang": found.lang,
        "timezone": found.timezone,
        "newsletters": found.newsletters,
        "topics": found.topics,
        "consent": found.consent,
        "source": found.source,
        "created_at": found.created_at.isoformat(),
        "status_at": found.status_at.isoformat(),
    }


def format_status_counts(counts: dict[str, int]) -> str:
    """Return how many people have which status, in words."""
    return f"people: {_listed(counts) or 'none'}"


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{number:,} {status}" for status, number in counts.items())


# One person -------------------------------------------------------------------------------------------------------


def subscriber_data_to_dict(found: SubscriberData) -> dict[str, Any]:
    """Return all that is stored about somebody, for programs and for whoever asks what is stored about them."""
    held = found.suppression
    about = subscriber_to_dict(found.person) if found.person else {"email": found.email, "status": None}
    return about | {
        "left": {newsletter: at.isoformat() for newsletter, at in found.left.items()},
        "letters": [_letter(one) for one in found.letters],
        "returned": [_returned(one) for one in found.returned],
        "suppressed": {"reason": held.reason, "at": held.at.isoformat()} if held else None,
    }


def _letter(one: DeliveryRecord) -> dict[str, Any]:
    return {
        "newsletter": one.newsletter,
        "number": one.number,
        "subject": one.subject,
        "lang": one.lang,
        "state": one.state,
        "sent_at": one.sent_at.isoformat() if one.sent_at else None,
        "answer": one.answer,
    }


def _returned(one: BounceSummary) -> dict[str, Any]:
    return {
        "at": one.at.isoformat(),
        "kind": one.kind,
        "status": one.status,
        "said": one.said,
        "decision": one.decision,
    }


def subscriber_data_lines(found: SubscriberData) -> Iterator[str]:
    """Yield the same for people."""
    if found.person:
        yield from _person_lines(found.person)
    else:
        yield f"{found.email}: nobody who was subscribed"
    for newsletter, at in found.left.items():
        yield f"  left {newsletter} on {_minute(at)}"
    if found.suppression:
        yield f"  {found.suppression.reason} on {_minute(found.suppression.at)}: must not be written to again"
    for letter in found.letters:
        when = f"{letter.state} {_minute(letter.sent_at)}" if letter.sent_at else letter.state
        yield f"  {letter.newsletter} {letter.number}: {when}; {letter.subject}; {letter.answer or 'no answer'}"
    for one in found.returned:
        yield f"  came back {_minute(one.at)}: {one.kind} {one.status} {one.decision}; {one.said}"


def _person_lines(one: Subscriber) -> Iterator[str]:
    _, _, lang, reads = subscriber_row(one)
    yield f"{one.email}: {one.status} since {_minute(one.status_at)}"
    yield f"  known since {_minute(one.created_at)}, came by {one.source or 'an older version'}"
    yield f"  reads {reads or 'nothing'}; language {lang or 'as the newsletter'}; time zone {one.timezone or 'unknown'}"
    yield f"  consent: {one.consent or 'none was written down'}"


def _minute(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def subscriber_document(found: SubscriberData) -> Iterator[bytes]:
    """Yield it as a document for whom it is about."""
    import json

    yield f"{json.dumps(subscriber_data_to_dict(found), ensure_ascii=False, indent=2)}\n".encode()


def erasure_lines(found: ErasureReport) -> Iterator[str]:
    """Yield what was forgotten, in words."""
    person = "a subscriber" if found.was_known else "no subscriber"
    yield f"{found.email} is erased: {person}, {found.letters:,} deliveries, {found.files:,} messages that lay here"
    yield "a hash that only this site's key can compare keeps the address from coming back; backups may still hold it"


def copy_to_warnings(found: ErasureReport) -> Iterator[str]:
    """Yield where letters still go to somebody who is erased."""
    yield from (f"{name} goes on sending copies to {found.email}: copy_to says so" for name in found.copied)


# Lists ------------------------------------------------------------------------------------------------------------


def row_message_to_dict(found: RowMessage) -> dict[str, Any]:
    """Return what there is to say of one row, for programs."""
    return {"row": found.row, "email": found.email, found.what: found.why}


class RowMessages:
    """What there is to say of rows: of each kind the first few are kept, the others only counted."""

    def __init__(self) -> None:
        self._first: dict[str, list[str]] = {}
        self._counts: dict[str, int] = {}

    def add(self, found: RowMessage) -> None:
        """Count a row, and keep it if it is one of the first."""
        self._counts[found.what] = self._counts.get(found.what, 0) + 1
        if self._counts[found.what] <= _MOST_REMARKS:
            told = f"{found.row}: {found.email}: {_SAID[found.what]}{found.why}"
            self._first.setdefault(found.what, []).append(told)

    def lines(self, file: str, *what: str) -> Iterator[str]:
        """Yield a line each, and one for the others."""
        for kind in what:
            yield from (f"{file}:{line}" for line in self._first.get(kind, ()))
            if (more := self._counts.get(kind, 0) - _MOST_REMARKS) > 0:
                yield f"{file}: and {more:,} more like these; --json tells all of them"


_SAID = {"refused": "refused: ", "kept_out": "kept out: ", "warning": ""}


def import_report_to_dict(found: ImportReport, *, seconds: float) -> dict[str, Any]:
    """Return what became of a list, for programs."""
    return {
        "file": found.file,
        "tool": found.dialect.name,
        "ignored": found.dialect.ignored,
        "notes": found.notes,
        "rows": found.rows,
        "added": found.people.added,
        "merged": found.people.merged,
        "unchanged": found.people.unchanged,
        "left": found.people.left,
        "kept_out": found.people.kept_out,
        "repeated": found.repeated,
        "refused": found.refused,
        "imported": found.done,
        "seconds": round(seconds, 3),
    }


def import_report_lines(found: ImportReport, *, dry_run: bool) -> Iterator[str]:
    """Yield the same for people."""
    about = "" if found.dialect.name == "plain" else f" (as {found.dialect.name} writes it)"
    yield f"{found.file}{about}: {found.rows:,} rows"
    people = found.people
    counts = (
        (sum(people.added.values()), f"new: {_listed(dict(people.added))}"),
        (people.merged, "known, and now with what they had not: a newsletter, a topic, a language"),
        (people.unchanged, "known, with nothing new"),
        (people.left, "no reader any more, as this file says"),
        (people.kept_out, "kept out: they had gone, or must not be written to"),
        (found.repeated, "naming somebody again"),
        (found.refused, "refused"),
    )
    yield from (f"  {number:,} {what}" for number, what in counts if number)
    if found.dialect.ignored:
        yield f"columns that nothing was taken from: {', '.join(found.dialect.ignored)}"
    if dry_run:
        yield "dry run: nothing was imported"
    elif not found.done:
        yield "nothing was imported: mend the rows that were refused, or take the others with --partial"
