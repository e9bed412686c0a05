"""Restore the store from a backup, and replay the journal on it.

All changes are made in a copy beside the store, which then replaces the store in one step: if the process is killed,
either the previous store or the restored one is there.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from pathlib import Path

from feeds.config import Config
from feeds.core.subscribers.subscriber_history import SubscriberHistory, merge_histories, replay_events
from feeds.core.subscribers.suppression import AddressHasher
from feeds.display import format_count, format_time
from feeds.edges.files.keys import load_keys
from feeds.edges.files.output_folder import write_private
from feeds.edges.process import lock
from feeds.edges.store import database, journal_file, replace
from feeds.edges.store.database import Store, open_store
from feeds.edges.store.postgresql import is_postgresql
from feeds.edges.store.postgresql_backup import restore_command
from feeds.edges.store.postgresql_errors import hide_password
from feeds.edges.store.replay import StoredSubscriber
from feeds.errors import FeedsError, StoreError
from feeds.jobs.site import Site
from feeds.jobs.store.journal import append_pending, complete_journal, mask_address
from feeds.jobs.store.missing_records import find_missing
from feeds.jobs.store.site_store import check_database, open_site_store, refuse_other_site
from feeds.model import AdoptedDate, IdAssigned, IssueRecorded, IssueState, JournalRecord, KnownEntry, SubscriberEvent

_HELD = "the store was restored from a backup, and its pending recipients may have got this issue since"

#: For a site without a key file, and a dry run, which must not create one: no digest was made with this key.
_UNUSED_KEYS = {0: b""}


@dataclass(kw_only=True, slots=True)
class ReplayCounts:
    """The changes made by a replay of the journal."""

    ids: int = 0
    #: Names: `weekly 2`.
    issues: list[str] = field(default_factory=list)
    #: Issues that may not have reached all recipients, and whose letters are lost.
    cut_short: list[str] = field(default_factory=list)
    #: Issues with pending deliveries; they are held until the operator resumes them.
    held: list[str] = field(default_factory=list)
    #: How many subscribers have changed, by their new status, or by the newsletter left or returned to; or erased.
    subscribers: Counter[str] = field(default_factory=Counter)
    #: How many entries of the suppression list have changed.
    suppressions: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class RestoreReport:
    """The result of a restore, as lines for the operator."""

    lines: list[str]
    warnings: list[str]


def restore_store(config: Config, file: Path, now: datetime, *, dry_run: bool = False) -> RestoreReport:
    """Replace the store with a backup on which the journal was replayed; the previous store is kept.

    In a dry run, only report the changes.

    Raises:
        StoreError: the file is not a backup, or cannot be restored, or it or the present store is another site's.
        FeedsError: the keys do not match the digests in the suppression list or the journal.
        LockedError: a publish run or a sender is at work on this site.
    """
    if is_postgresql(config.store_url):
        raise StoreError(
            f"{hide_password(config.store_url)}: PostgreSQL restores its own backups: run"
            f" `{restore_command(config.store_url, file)}` while Feeds is stopped"
        )
    store = database.store_path(config.store_url, config.folder)
    if file.exists() and store.exists() and file.samefile(store):
        raise StoreError(f"{file}: is the store itself, not a backup")
    with lock.lock_site(config.folder), replace.open_replacement(file, store) as copy, lock.lock_task(store, "sending"):
        check_database(config, f"sqlite:///{copy.resolve()}", str(file))
        refuse_other_site(config)
        key_file = _restore_keys(config, file, dry_run=dry_run)
        records, warnings = _read_journal(config, store, key_file, dry_run=dry_run)
        hasher = _load_hasher(key_file)  # only now: appending the pending records may have created the first keys
        with open_store(f"sqlite:///{copy.resolve()}", config.folder) as backup:
            _check_keys(config, file, hasher, backup, records)
            since = backup.replay.latest_time()
            backup.replay.disable_fsync()
            counts = replay_records(backup, records, hasher, _page_loader(Site(config)), now)
            if counts.subscribers["erased"]:
                backup.suppressions.secure_vacuum()
        aside = None if dry_run else replace.replace_store(copy, store, f"{now:%Y-%m-%dT%H-%M-%S}")
    lines = [
        _restored_line(store, file, since, config.settings.site.timezone, dry_run=dry_run),
        _counts_line(counts),
        *_aside_lines(aside),
    ]
    return RestoreReport(lines=lines, warnings=[*warnings, *_warnings(store, counts, records)])


def _restore_keys(config: Config, file: Path, *, dry_run: bool) -> Path:
    """Return the site's key file; if there is none, the backup's, which is copied to the site."""
    key_file, backup = config.keys_file, file.with_name(f"{file.name}.key")
    if key_file.exists() or not backup.is_file():
        return key_file
    load_keys(backup)  # raises if it is damaged
    if not dry_run:
        write_private(key_file, [backup.read_bytes()])
    return backup


def _load_hasher(key_file: Path) -> AddressHasher:
    return AddressHasher(load_keys(key_file).suppress if key_file.exists() else _UNUSED_KEYS)


def _read_journal(
    config: Config, store: Path, key_file: Path, *, dry_run: bool
) -> tuple[list[JournalRecord], list[str]]:
    """Return the journal's records, including what only the present store knows, and warnings."""
    warnings: list[str] = []
    if store.is_file():
        try:
            with open_site_store(config, create=not dry_run) as present:
                return _complete_journal(config, present, key_file, warnings.append, dry_run=dry_run), warnings
        except StoreError as e:
            warnings = [f"{e}; changes that are not in the journal are lost"]
    return [*journal_file.read_records(journal_file.journal_path(store), warnings.append)], warnings


def _complete_journal(
    config: Config, present: Store, key_file: Path, warn: Callable[[str], None], *, dry_run: bool
) -> list[JournalRecord]:
    """Return the journal's records, after adding what only the present store knows; in a dry run, to the list alone.

    That is what is still pending, and all that a file that was brought from elsewhere knows.
    """
    file = journal_file.journal_path(database.store_path(config.store_url, config.folder))
    if not dry_run:
        append_pending(config, present)
        complete_journal(config, present, config.store_url)
        return [*journal_file.read_records(file, warn)]
    hasher = _load_hasher(key_file)
    records = [*journal_file.read_records(file, warn), *_pending_records(present, hasher)]
    return [*records, *find_missing(present, records, lambda: hasher)]


def _pending_records(store: Store, hasher: AddressHasher) -> list[JournalRecord]:
    return [mask_address(hasher, record) for _, record in sorted(store.journal.load_pending().items())]


def _check_keys(
    config: Config, file: Path, hasher: AddressHasher, backup: Store, records: Sequence[JournalRecord]
) -> None:
    events = (record for record in records if isinstance(record, SubscriberEvent))
    key_ids = backup.suppressions.key_ids() | {event.who.partition(":")[0] for event in events}
    if key_ids - hasher.key_ids:
        key_file = config.keys_file
        raise FeedsError(
            f"{key_file}: these keys do not match the hashes in the suppression list or the journal; restore the key"
            f" file that belongs to them (a backup of it is {file}.key). Nothing was changed"
        )


def _page_loader(site: Site) -> Callable[[str, int], str]:
    def load_page(newsletter: str, number: int) -> str:
        page = site.public.read(f"newsletters/{newsletter}/{number}/index.html") or b""
        return page.decode("utf-8", "replace")

    return load_page


# Replaying --------------------------------------------------------------------------------------------------------


def replay_records(
    store: Store,
    records: Sequence[JournalRecord],
    hasher: AddressHasher,
    load_page: Callable[[str, int], str],
    now: datetime,
) -> ReplayCounts:
    """Apply the records of a journal to a store; return what has changed.

    The changes are in the journal already and are not recorded again.
    """
    records = [*records, *_take_newer_records(store, records, hasher)]
    last = store.journal.last_number()
    counts = ReplayCounts()
    ids = [_to_known_entry(record) for record in records if isinstance(record, IdAssigned)]
    counts.ids = store.entries.add_known(ids, now)
    issues = _latest_issues(record for record in records if isinstance(record, IssueRecorded))
    counts.issues = store.replay.record_issues(issues, load_page)
    finished = {f"{issue.newsletter} {issue.number}" for issue in issues if issue.state is IssueState.SENT}
    counts.cut_short = [name for name in counts.issues if name not in finished]
    histories = replay_events(record for record in records if isinstance(record, SubscriberEvent))
    _replay_subscribers(store, histories, hasher, counts)
    counts.held = store.replay.hold_unsent(_HELD)
    store.replay.cancel_service_mails()
    store.signups.delete([key for key in store.replay.signup_keys() if store.suppressions.find(hasher.digests(key))])
    store.journal.drop((), after=last)
    return counts


def _take_newer_records(store: Store, records: Iterable[JournalRecord], hasher: AddressHasher) -> list[JournalRecord]:
    """Return the backup's pending records that are newer than the journal; delete the others."""
    pending = {number: mask_address(hasher, record) for number, record in store.journal.load_pending().items()}
    if not pending:
        return []
    latest: dict[tuple[object, ...], datetime | None] = {}
    for record in records:
        subject = _subject(record)
        latest[subject] = max(filter(None, [latest.get(subject), _event_time(record)]), default=None)
    known = {number for number, record in pending.items() if _is_known(record, latest)}
    store.journal.drop(known)
    return [record for number, record in sorted(pending.items()) if number not in known]


def _event_time(record: JournalRecord) -> datetime | None:
    return record.at if isinstance(record, SubscriberEvent) else None


def _is_known(record: JournalRecord, latest: Mapping[tuple[object, ...], datetime | None]) -> bool:
    """Return whether the journal has this record, or a later event of the same person."""
    at, last = _event_time(record), latest.get(_subject(record))
    return _subject(record) in latest and (at is None or last is None or at <= last)


def _subject(record: JournalRecord) -> tuple[object, ...]:
    """Return the id, issue or person that a record is about."""
    if isinstance(record, IdAssigned):
        return ("id", record.id)
    if isinstance(record, IssueRecorded):
        return ("issue", record.newsletter, record.number)
    return ("person", record.who)


def _to_known_entry(record: IdAssigned) -> KnownEntry:
    return KnownEntry(
        id=record.id,
        path=record.path,
        text_digest=record.text,
        sketch=record.sketch,
        title=record.title,
        published=datetime.fromisoformat(record.published) if record.published else None,
        adopted=AdoptedDate(own=record.adopted[0], shown=record.adopted[1]) if record.adopted else None,
        replaced_by=record.replaced_by,
    )


def _latest_issues(records: Iterable[IssueRecorded]) -> list[IssueRecorded]:
    """Return the last record of each issue, in the order in which the issues were first recorded."""
    return list({(record.newsletter, record.number): record for record in records}.values())


def _replay_subscribers(
    store: Store, histories: Mapping[str, SubscriberHistory], hasher: AddressHasher, counts: ReplayCounts
) -> None:
    kept: set[str] = set()
    for subscriber, digests, history in _subscribers_with_history(store, histories, hasher):
        if history.is_erased(subscriber.created_at):
            _erase(store, subscriber.key, {subscriber.email, subscriber.key}, histories, digests)
            counts.subscribers["erased"] += 1
        else:
            kept.update(digests)
            counts.subscribers.update(_apply_history(store, subscriber, history))
    counts.subscribers["erased"] += _erase_recipients(store, histories, hasher)
    counts.suppressions = _update_suppressions(store, histories, kept)


def _subscribers_with_history(
    store: Store, histories: Mapping[str, SubscriberHistory], hasher: AddressHasher
) -> Sequence[tuple[StoredSubscriber, tuple[str, ...], SubscriberHistory]]:
    """Return the subscribers that the journal has events of, with their digests and histories."""
    subscribers = store.replay.iterate_subscribers() if histories else ()
    hashed = ((subscriber, hasher.digests(subscriber.key)) for subscriber in subscribers)
    return [(s, digests, history) for s, digests in hashed if (history := merge_histories(histories, digests))]


def _apply_history(store: Store, subscriber: StoredSubscriber, history: SubscriberHistory) -> Iterator[str]:
    """Bring a subscriber to the last state in the journal; yield what has changed."""
    for newsletter, event in history.newsletters.items():
        if event.name == "left":
            changed = store.replay.unsubscribe_from(subscriber.id, newsletter, event.at)
        else:
            changed = store.replay.resubscribe(subscriber.id, newsletter)
        if changed:
            yield f"{event.name} {newsletter}"
    if history.status and history.status.name != subscriber.status:
        store.replay.set_status(subscriber.id, history.status.name, history.status.at)
        yield history.status.name


def _erase(
    store: Store, key: str, spellings: set[str], histories: Mapping[str, SubscriberHistory], digests: Iterable[str]
) -> None:
    digest = next(digest for digest in digests if digest in histories and histories[digest].erased)
    event = histories[digest].erased
    assert event is not None
    store.suppressions.erase(key, spellings, digest, event.at)


def _erase_recipients(store: Store, histories: Mapping[str, SubscriberHistory], hasher: AddressHasher) -> int:
    """Erase addresses in the backup that are not subscribers and were erased since; return how many."""
    erased = {digest for digest, h in histories.items() if h.suppression and h.suppression.name == "erased"}
    if not erased:
        return 0
    keys = [key for key in store.replay.other_addresses() if erased.intersection(hasher.digests(key))]
    for key in keys:
        _erase(store, key, {key}, histories, hasher.digests(key))
    return len(keys)


def _update_suppressions(store: Store, histories: Mapping[str, SubscriberHistory], kept: set[str]) -> int:
    """Bring the suppression list to its last state, and add people who are gone and not in the backup.

    Without the latter, an import could subscribe them again.
    """
    suppressed, allowed = {}, []
    for digest, history in histories.items():
        if history.suppression and history.suppression.name != "allowed":
            suppressed[digest] = (history.suppression.name, history.suppression.at)
        elif history.is_gone and history.status and digest not in kept:
            suppressed[digest] = ("suppressed", history.status.at)
        elif history.suppression:
            allowed.append(digest)
    return store.replay.replace_suppressions(suppressed, allowed)


# Reporting --------------------------------------------------------------------------------------------------------


def _restored_line(store: Path, file: Path, since: datetime | None, zone: tzinfo, *, dry_run: bool) -> str:
    last_change = f"last change {format_time(since, zone)}" if since else "empty"
    return f"{'would restore' if dry_run else 'restored'} {store.name} from {file} ({last_change})"


def _counts_line(counts: ReplayCounts) -> str:
    subscribers = [f"{number:,} {change}" for change, number in counts.subscribers.most_common() if number]
    parts = [
        format_count(counts.ids, "id") if counts.ids else "",
        f"{', '.join(counts.issues)} marked as sent" if counts.issues else "",
        f"subscribers: {', '.join(subscribers)}" if subscribers else "",
        format_count(counts.suppressions, "change of the suppression list", "changes of the suppression list")
        if counts.suppressions
        else "",
    ]
    return f"from the journal: {'; '.join(filter(None, parts)) or 'nothing new'}"


def _aside_lines(aside: Path | None) -> Iterator[str]:
    if aside:
        yield f"the previous store is kept as {aside.name}; it has addresses: delete it when you no longer need it"


def _warnings(store: Path, counts: ReplayCounts, records: Sequence[JournalRecord]) -> Iterator[str]:
    if not records:
        yield f"{journal_file.journal_path(store)}: there is no journal; changes since the backup are lost"
    for name in counts.held:
        newsletter = name.rpartition(" ")[0]
        yield f"{name} was being sent and is held: {_HELD}; `feeds resume {newsletter}` sends it to them"
    for name in counts.cut_short:
        yield f"{name} was being sent, and its letters are not in the backup: recipients who have not got it never will"
    yield "subscribers added since the backup are lost, since the journal has no addresses: add them again"
