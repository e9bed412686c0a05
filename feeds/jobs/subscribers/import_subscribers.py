"""Many people at once: a list from anywhere is taken in, or given out for anybody's spreadsheet."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from feeds.config import Config
from feeds.core.subscribers import csv_reader, csv_rows
from feeds.core.subscribers.csv_reader import RejectedRow
from feeds.core.subscribers.csv_rows import CsvRow
from feeds.core.subscribers.import_formats import ImportFormat
from feeds.core.subscribers.suppression import AddressHasher
from feeds.edges.files import text_input
from feeds.edges.files.output_folder import write_private
from feeds.edges.files.text_input import TextInput
from feeds.edges.process import lock
from feeds.edges.store.database import open_store
from feeds.edges.store.subscriber_import import ImportCounts, ImportRow
from feeds.errors import FeedsError
from feeds.jobs.store.journal import append_pending
from feeds.jobs.subscribers import subscribe
from feeds.jobs.subscribers.address_hashing import load_hasher
from feeds.model import Subscriber

#: How many rows are read between two looks at how far we are.
_A_WHILE = 2000


@dataclass(frozen=True, kw_only=True, slots=True)
class RowMessage:
    """What there is to say of one row."""

    #: Of the line that it starts on; 1 is the first.
    row: int
    email: str
    #: `refused`: nobody was taken from it; `kept_out`: somebody who is not brought back; `warning`: the rest was taken.
    what: str
    #: For people.
    why: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportReport:
    """What became of a list."""

    file: str
    dialect: ImportFormat
    #: For people: what they should know about this file.
    notes: tuple[str, ...]
    #: Those that are filled, below the header.
    rows: int
    refused: int
    #: Rows that name somebody again.
    repeated: int
    people: ImportCounts
    #: Whether it is so now; False where rows were refused, and in a dry run.
    done: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportOptions:
    """How a list is to be taken in."""

    #: What everybody on it reads; none: what their row says, else all newsletters.
    newsletters: tuple[str, ...] = ()
    dry_run: bool = False
    #: Take the others where rows are refused.
    partial: bool = False
    now: datetime
    #: Is told what there is to say of rows, in their order, those kept out last.
    tell: Callable[[RowMessage], None] = lambda _: None
    progress: Callable[[str, int, int], None] = lambda _what, _done, _of: None


def import_csv(config: Config, file: Path, order: ImportOptions) -> ImportReport:
    """Take in the people in a file of CSV (`-`: standard input), all or nothing.

    Raises:
        FeedsError: the file or the store cannot be used, or there is no such newsletter.
        Busy: a publish is at work on this site.
    """
    newsletters = subscribe.resolve_newsletters(config, order.newsletters)
    held = (
        nullcontext() if order.dry_run else lock.lock_site(config.folder)
    )  # a publish would wait too long for the store
    with (
        held,
        open_store(config.settings.store.url, config.folder, create=not order.dry_run) as store,
        text_input.open_text(file, csv_reader.detect_encoding) as source,
    ):
        reader = _ImportReader(source, order, newsletters, load_hasher(config, store))
        store.subscriber_import.stage(reader.import_rows())
        order.progress("Taking in", reader.rows, 0)
        done = not order.dry_run and (order.partial or not reader.refused)
        people = store.subscriber_import.commit_import(source.name, order.now, keep=done)
        if done:
            append_pending(config, store)
        for one in store.subscriber_import.kept_out():
            why = f"is {one.status}" if one.status else "must not be written to again"
            order.tell(RowMessage(row=one.number, email=one.email, what="kept_out", why=why))
    return reader.report(people, done=done)


class _ImportReader:
    """Reads a list, and counts what it reads."""

    def __init__(
        self, source: TextInput, order: ImportOptions, newsletters: Sequence[str], digests: AddressHasher
    ) -> None:
        self._source, self._order, self._newsletters, self._digests = source, order, newsletters, digests
        self._stamp = f"import {source.name}, {order.now:%Y-%m-%d %H:%M %z}"
        known: Collection[str] | None = None if order.newsletters else newsletters
        try:
            self._dialect, self._coming = csv_rows.read_rows(source.lines, file=source.name, newsletters=known)
        except ValueError as e:
            raise FeedsError(f"{source.name}: {e}") from e
        self.refused = self.rows = 0

    def import_rows(self) -> Iterator[ImportRow]:
        """Yield the people on it, a row each."""
        for row in self._coming:
            self.rows += 1
            if self.rows % _A_WHILE == 0:
                done = self._source.bytes_read if self._source.size else self.rows
                self._order.progress(f"Reading {self._source.name}", done, self._source.size)
            if isinstance(row, RejectedRow):
                self.refused += 1
                self._order.tell(RowMessage(row=row.number, email=row.email, what="refused", why=row.reason))
            else:
                for warning in row.warnings:
                    self._order.tell(RowMessage(row=row.number, email=row.email, what="warning", why=warning))
                yield self._import_row(row)

    def _import_row(self, row: CsvRow) -> ImportRow:
        return ImportRow(
            number=row.number,
            email=row.email,
            key=row.key,
            status=row.status,
            lang=row.lang,
            timezone=row.timezone,
            consent=self._consent(row),
            created_at=row.created_at,
            wants=tuple([(name, row.wanted(name)) for name in self._to_row(row)]),
            digests=self._digests.digests(row.key),
        )

    def _to_row(self, row: CsvRow) -> Sequence[str]:
        """Return the newsletters that somebody reads; of those who have gone nobody says that they read all."""
        if row.newsletters is not None and not self._order.newsletters:
            return row.newsletters
        return () if row.status in subscribe.GONE else self._newsletters

    def _consent(self, row: CsvRow) -> str:
        """Return the evidence of a row, and that it came by this list; our own lists have said where it was from."""
        if row.consent and self._dialect.name == "feeds":
            return row.consent
        return f"{row.consent}; {self._stamp}" if row.consent else self._stamp

    def report(self, people: ImportCounts, *, done: bool) -> ImportReport:
        """Return what became of it."""
        known = sum(people.added.values()) + people.merged + people.unchanged + people.left + people.kept_out
        return ImportReport(
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


def export_csv(config: Config, *, newsletter: str | None = None, status: str | None = None) -> Iterator[bytes]:
    """Yield everybody as CSV, or those who read a newsletter, or those of a status: what `take_in` takes back.

    In UTF-8 with the mark that Excel needs; formulas are neutralised.

    Raises:
        FeedsError: there is no such newsletter.
    """
    people = subscribe.list_subscribers(config, newsletter=newsletter, status=status)
    mark = b"\xef\xbb\xbf"
    for line in csv_rows.write_rows(map(_row, people)):
        yield mark + line.encode()
        mark = b""


def write_export(file: Path, content: Iterable[bytes]) -> None:
    """Write an export to a file that only its owner may read.

    Raises:
        OutputError: the file cannot be written.
    """
    write_private(file, content)


def _row(person: Subscriber) -> CsvRow:
    return CsvRow(
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
