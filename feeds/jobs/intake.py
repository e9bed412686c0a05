"""Many people at once: a list from anywhere is taken in, or given out for anybody's spreadsheet."""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from feeds.config import Config
from feeds.core.subscribers import rows, sheets
from feeds.core.subscribers.dialects import Dialect
from feeds.core.subscribers.rows import Row
from feeds.core.subscribers.sheets import Refused
from feeds.core.subscribers.suppression import Digests
from feeds.edges import lock, sheet
from feeds.edges.sheet import Sheet
from feeds.edges.store.intake import Arrival, Settled
from feeds.edges.store.opening import opened
from feeds.errors import FeedsError
from feeds.jobs import subscribe
from feeds.jobs.journal import keep
from feeds.jobs.suppressing import digests
from feeds.model import Subscriber

#: How many rows are read between two looks at how far we are.
_A_WHILE = 2000


@dataclass(frozen=True, kw_only=True, slots=True)
class Remark:
    """What there is to say of one row."""

    #: Of the line that it starts on; 1 is the first.
    row: int
    email: str
    #: `refused`: nobody was taken from it; `kept_out`: somebody who is not brought back; `warning`: the rest was taken.
    what: str
    #: For people.
    why: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Taken:
    """What became of a list."""

    file: str
    dialect: Dialect
    #: For people: what they should know about this file.
    notes: tuple[str, ...]
    #: Those that are filled, below the header.
    rows: int
    refused: int
    #: Rows that name somebody again.
    repeated: int
    people: Settled
    #: Whether it is so now; False where rows were refused, and in a dry run.
    done: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Order:
    """How a list is to be taken in."""

    #: What everybody on it reads; none: what their row says, else all newsletters.
    newsletters: tuple[str, ...] = ()
    dry_run: bool = False
    #: Take the others where rows are refused.
    partial: bool = False
    now: datetime
    #: Is told what there is to say of rows, in their order, those kept out last.
    tell: Callable[[Remark], None] = lambda _: None
    progress: Callable[[str, int, int], None] = lambda _what, _done, _of: None


def take_in(config: Config, file: Path, order: Order) -> Taken:
    """Take in the people in a file of CSV (`-`: standard input), all or nothing.

    Raises:
        FeedsError: the file or the store cannot be used, or there is no such newsletter.
        Busy: a publish is at work on this site.
    """
    newsletters = subscribe.named(config, order.newsletters)
    held = nullcontext() if order.dry_run else lock.site(config.folder)  # a publish would wait too long for the store
    with (
        held,
        opened(config.settings.store.url, config.folder, create=not order.dry_run) as store,
        sheet.reading(file, sheets.encoding) as source,
    ):
        reader = _Reader(source, order, newsletters, digests(config, store))
        store.intake.stage(reader.arrivals())
        order.progress("Taking in", reader.rows, 0)
        done = not order.dry_run and (order.partial or not reader.refused)
        people = store.intake.settle(source.name, order.now, keep=done)
        if done:
            keep(config, store)
        for one in store.intake.kept_out():
            why = f"is {one.status}" if one.status else "must not be written to again"
            order.tell(Remark(row=one.number, email=one.email, what="kept_out", why=why))
    return reader.taken(people, done=done)


class _Reader:
    """Reads a list, and counts what it reads."""

    def __init__(self, source: Sheet, order: Order, newsletters: Sequence[str], digests: Digests) -> None:
        self._source, self._order, self._newsletters, self._digests = source, order, newsletters, digests
        self._stamp = f"import {source.name}, {order.now:%Y-%m-%d %H:%M %z}"
        known: Collection[str] | None = None if order.newsletters else newsletters
        try:
            self._dialect, self._coming = rows.read(source.lines, file=source.name, newsletters=known)
        except ValueError as e:
            raise FeedsError(f"{source.name}: {e}") from e
        self.refused = self.rows = 0

    def arrivals(self) -> Iterator[Arrival]:
        """Yield the people on it, a row each."""
        for row in self._coming:
            self.rows += 1
            if self.rows % _A_WHILE == 0:
                done = self._source.at if self._source.size else self.rows
                self._order.progress(f"Reading {self._source.name}", done, self._source.size)
            if isinstance(row, Refused):
                self.refused += 1
                self._order.tell(Remark(row=row.number, email=row.email, what="refused", why=row.reason))
            else:
                for warning in row.warnings:
                    self._order.tell(Remark(row=row.number, email=row.email, what="warning", why=warning))
                yield self._arrival(row)

    def _arrival(self, row: Row) -> Arrival:
        return Arrival(
            number=row.number,
            email=row.email,
            key=row.key,
            status=row.status,
            lang=row.lang,
            timezone=row.timezone,
            consent=self._consent(row),
            created_at=row.created_at,
            wants=tuple([(name, row.wanted(name)) for name in self._read_by(row)]),
            digests=self._digests.of(row.key),
        )

    def _read_by(self, row: Row) -> Sequence[str]:
        """Return the newsletters that somebody reads; of those who have gone nobody says that they read all."""
        if row.newsletters is not None and not self._order.newsletters:
            return row.newsletters
        return () if row.status in subscribe.GONE else self._newsletters

    def _consent(self, row: Row) -> str:
        """Return the evidence of a row, and that it came by this list; our own lists have said where it was from."""
        if row.consent and self._dialect.name == "feeds":
            return row.consent
        return f"{row.consent}; {self._stamp}" if row.consent else self._stamp

    def taken(self, people: Settled, *, done: bool) -> Taken:
        """Return what became of it."""
        known = sum(people.added.values()) + people.merged + people.unchanged + people.left + people.kept_out
        return Taken(
            file=self._source.name,
            dialect=self._dialect,
            notes=(*self._dialect.notes, *self._overruled()),
            rows=self.rows,
            refused=self.refused,
            repeated=self.rows - self.refused - known,
            people=people,
            done=done,
        )

    def _overruled(self) -> Iterator[str]:
        if self._order.newsletters and "newsletters" in self._dialect.columns:
            yield "its column of newsletters is not looked at, since --newsletter says what everybody reads"


def written(config: Config, *, newsletter: str | None = None, status: str | None = None) -> Iterator[bytes]:
    """Yield everybody as CSV, or those who read a newsletter, or those of a status: what `take_in` takes back.

    In UTF-8 with the mark that Excel needs; formulas are neutralised.

    Raises:
        FeedsError: there is no such newsletter.
    """
    people = subscribe.everybody(config, newsletter=newsletter, status=status)
    mark = b"\xef\xbb\xbf"
    for line in rows.written(map(_row, people)):
        yield mark + line.encode()
        mark = b""


def _row(person: Subscriber) -> Row:
    return Row(
        email=person.email,
        key=person.key,
        status=person.status,
        lang=person.lang,
        timezone=person.timezone,
        newsletters=person.newsletters,
        topics=person.topics,
        consent=person.consent,
        created_at=person.created_at,
    )
