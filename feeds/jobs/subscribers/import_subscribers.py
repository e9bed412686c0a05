"""Import subscribers from CSV files of any program, and export them for any spreadsheet."""

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
from feeds.edges.store.subscriber_import import ImportCounts
from feeds.errors import FeedsError
from feeds.jobs.store.journal import append_pending
from feeds.jobs.store.site_store import open_site_store
from feeds.jobs.subscribers import subscribe
from feeds.jobs.subscribers.address_hashing import load_hasher
from feeds.model import GONE_STATUSES, ImportRow, Subscriber

#: Rows between two progress reports.
_PROGRESS_ROWS = 2000
#: How many topics are compared with the categories of posts.
_MOST_TOPICS = 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class RowMessage:
    """A message about one row."""

    #: The line that it starts on, from 1.
    row: int
    email: str
    #: `refused`: not imported; `kept_out`: not reactivated; `warning`: imported, except for what the text says.
    kind: str
    #: For the operator.
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportReport:
    """The result of an import."""

    file: str
    import_format: ImportFormat
    #: Texts for the operator.
    notes: tuple[str, ...]
    #: The topics in the rows, the first `_MOST_TOPICS` of them.
    topics: tuple[str, ...]
    #: Non-empty rows below the header.
    rows: int
    rejected: int
    #: Rows with an address that occurred before.
    repeated: int
    counts: ImportCounts
    #: True if the rows were imported; False if some were rejected, and in a dry run.
    done: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportOptions:
    """How to import a file."""

    #: Newsletters for every row; none: those of the row, else all.
    newsletters: tuple[str, ...] = ()
    #: Columns that are not used, whatever they mean.
    ignore_columns: tuple[str, ...] = ()
    #: The status of every row that does not give a worse one; empty: active, or what the file says.
    status: str = ""
    dry_run: bool = False
    #: Import the other rows if some are rejected.
    partial: bool = False
    now: datetime
    #: Called with messages about rows, in their order, those kept out last.
    report_row: Callable[[RowMessage], None] = lambda _: None
    progress: Callable[[str, int, int], None] = lambda _what, _done, _of: None


def import_csv(config: Config, file: Path, options: ImportOptions) -> ImportReport:
    """Import the subscribers in a CSV file (`-`: standard input), all or nothing.

    Raises:
        FeedsError: the file or the store cannot be used, or there is no such newsletter.
        LockedError: a publish run is at work on this site.
    """
    newsletters = subscribe.resolve_newsletters(config, options.newsletters)
    # A publish run would wait too long for the store.
    site_lock = nullcontext() if options.dry_run else lock.lock_site(config.folder)
    with (
        site_lock,
        open_site_store(config, create=not options.dry_run) as store,
        text_input.open_text(file, csv_reader.detect_encoding) as source,
    ):
        reader = _ImportReader(source, options, newsletters, load_hasher(config, store))
        store.subscriber_import.stage(reader.import_rows())
        options.progress("Importing", reader.rows, 0)
        done = not options.dry_run and (options.partial or not reader.rejected)
        counts = store.subscriber_import.commit_import(source.name, options.now, apply=done)
        if done:
            append_pending(config, store)
        for row in store.subscriber_import.kept_out():
            text = f"is {row.status}" if row.status else "is on the suppression list"
            options.report_row(RowMessage(row=row.number, email=row.email, kind="kept_out", text=text))
    return reader.report(counts, done=done)


class _ImportReader:
    """Reads a file, and counts its rows."""

    def __init__(
        self, source: TextInput, options: ImportOptions, newsletters: Sequence[str], hasher: AddressHasher
    ) -> None:
        self._source, self._options, self._newsletters, self._hasher = source, options, newsletters, hasher
        self._import_note = f"import {source.name}, {options.now:%Y-%m-%d %H:%M %z}"
        configured: Collection[str] | None = None if options.newsletters else newsletters
        try:
            self._format, self._rows = csv_rows.read_rows(
                source.lines,
                file=source.name,
                newsletters=configured,
                ignore=options.ignore_columns,
                status=options.status,
            )
        except ValueError as e:
            raise FeedsError(f"{source.name}: {e}") from e
        self.rejected = self.rows = 0
        self._topics: dict[str, None] = {}

    def import_rows(self) -> Iterator[ImportRow]:
        """Yield the rows to import; report the others."""
        for row in self._rows:
            self.rows += 1
            if self.rows % _PROGRESS_ROWS == 0:
                done = self._source.bytes_read if self._source.size else self.rows
                self._options.progress(f"Reading {self._source.name}", done, self._source.size)
            if isinstance(row, RejectedRow):
                self.rejected += 1
                self._options.report_row(RowMessage(row=row.number, email=row.email, kind="refused", text=row.reason))
            else:
                for warning in row.warnings:
                    self._options.report_row(RowMessage(row=row.number, email=row.email, kind="warning", text=warning))
                yield self._import_row(row)

    def _import_row(self, row: CsvRow) -> ImportRow:
        subscriptions = tuple([(name, row.topics_of(name)) for name in self._newsletters_of(row)])
        if len(self._topics) < _MOST_TOPICS:
            self._topics |= dict.fromkeys(topic for _, topics in subscriptions for topic in topics)
        return ImportRow(
            number=row.number,
            email=row.email,
            key=row.key,
            status=row.status,
            lang=row.lang,
            timezone=row.timezone,
            consent=self._consent_of(row),
            created_at=row.created_at,
            subscriptions=subscriptions,
            digests=self._hasher.digests(row.key),
        )

    def _newsletters_of(self, row: CsvRow) -> Sequence[str]:
        """Return the newsletters of a row; a person who is gone is not subscribed to all by default."""
        if row.newsletters is not None and not self._options.newsletters:
            return row.newsletters
        return () if row.status in GONE_STATUSES else self._newsletters

    def _consent_of(self, row: CsvRow) -> str:
        """Return the consent text of a row and a note on this import; our own export has such a note already."""
        if row.consent and self._format.name == "feeds":
            return row.consent
        return f"{row.consent}; {self._import_note}" if row.consent else self._import_note

    def report(self, counts: ImportCounts, *, done: bool) -> ImportReport:
        """Return the result."""
        people = sum(counts.added.values()) + counts.merged + counts.unchanged + counts.newly_gone + counts.kept_out
        return ImportReport(
            file=self._source.name,
            import_format=self._format,
            notes=(*self._format.notes, *self._override_notes()),
            topics=tuple(self._topics),
            rows=self.rows,
            rejected=self.rejected,
            repeated=self.rows - self.rejected - people,
            counts=counts,
            done=done,
        )

    def _override_notes(self) -> Iterator[str]:
        if self._options.newsletters and "newsletters" in self._format.columns:
            yield "its newsletters column is ignored, since --newsletter applies to every row"


def export_csv(config: Config, *, newsletter: str | None = None, status: str | None = None) -> Iterator[bytes]:
    """Yield subscribers as CSV that `import_csv` reads: all, those of a newsletter, or those with a status.

    In UTF-8 with the byte order mark that Excel needs; formulas are escaped.

    Raises:
        FeedsError: there is no such newsletter.
    """
    people = subscribe.list_subscribers(config, newsletter=newsletter, status=status)
    bom = b"\xef\xbb\xbf"
    for line in csv_rows.write_rows(map(_to_csv_row, people)):
        yield bom + line.encode()
        bom = b""


def write_export(file: Path, content: Iterable[bytes]) -> None:
    """Write an export to a file that only its owner may read.

    Raises:
        OutputError: the file cannot be written.
    """
    write_private(file, content)


def _to_csv_row(subscriber: Subscriber) -> CsvRow:
    return CsvRow(
        email=subscriber.email,
        key=subscriber.key,
        status=subscriber.status,
        lang=subscriber.lang,
        timezone=subscriber.timezone,
        newsletters=subscriber.newsletters,
        topics=subscriber.topics,
        consent=subscriber.consent,
        created_at=subscriber.created_at,
    )
