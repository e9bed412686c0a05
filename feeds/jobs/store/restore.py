"""Bring a backup of the store back, and what the journal says has happened since.

All is done in a copy beside the store, which then takes the store's place in one step: killed at any point, there is
the store that was there, or the one that was to come.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from feeds.config import Config
from feeds.core.subscribers.subscriber_history import SubscriberHistory, merge_histories, replay_events
from feeds.core.subscribers.suppression import AddressHasher
from feeds.edges.files.keys import load_keys
from feeds.edges.files.output_folder import write_private
from feeds.edges.process import lock
from feeds.edges.store import database, journal_file, replace
from feeds.edges.store.database import Store, open_store
from feeds.edges.store.replay import StoredSubscriber
from feeds.errors import FeedsError, StoreError
from feeds.jobs.site import Site
from feeds.jobs.store.journal import append_pending, mask_address
from feeds.model import IdAssigned, IssueRecorded, IssueState, JournalRecord, KnownEntry, SubscriberEvent

_HELD = "the store was brought back from a backup, and whoever it shows as waiting may have got it since"

#: For a site that has no keys yet, and a dry run that must not make any: nothing that is kept was made with it.
_NOBODYS = {0: b""}


@dataclass(kw_only=True, slots=True)
class ReplayCounts:
    """What of a journal was news to a store."""

    ids: int = 0
    #: Names: `weekly 2`.
    issues: list[str] = field(default_factory=list)
    #: Of these it is not known that everybody got them, and there are no letters to send to the others.
    cut_short: list[str] = field(default_factory=list)
    #: Of these something is still to be sent, and nothing is until somebody says so.
    held: list[str] = field(default_factory=list)
    #: How many readers now stand otherwise, by what they are, have left, or came back to; how many were erased.
    people: Counter[str] = field(default_factory=Counter)
    #: How many entries of the suppression list have changed.
    listed: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class RestoreReport:
    """What was done, a line each."""

    lines: list[str]
    warnings: list[str]


def restore_store(config: Config, file: Path, now: datetime, *, dry_run: bool = False) -> RestoreReport:
    """Put a backup in the store's place, as the journal says that it would be today; what stood there is kept.

    In a dry run, only say what would be done.

    Raises:
        StoreError: the file is no backup, or cannot be brought back.
        FeedsError: the keys that are there cannot read the suppression list or the journal.
        Busy: a publish or a sender is at work on this site.
    """
    store = database.store_path(config.settings.store.url, config.folder)
    if file.exists() and store.exists() and file.samefile(store):
        raise StoreError(f"{file}: is the store itself")
    with lock.lock_site(config.folder), replace.open_replacement(file, store) as copy, lock.lock_sending(store):
        ring = _ring(config, file, dry_run=dry_run)
        lines, warnings = _lines(config, store, ring, dry_run=dry_run)
        digests = _digests(ring)  # not before: what the store had still to write may have made the first keys
        with open_store(f"sqlite:///{copy.resolve()}", config.folder) as backup:
            _check(config, file, digests, backup, lines)
            since = backup.replay.latest_time()
            backup.replay.disable_fsync()
            found = replay_records(backup, lines, digests, _page(Site(config)), now)
            if found.people["erased"]:
                backup.suppressions.secure_vacuum()
        aside = None if dry_run else replace.replace_store(copy, store, f"{now:%Y-%m-%dT%H-%M-%S}")
    told = [_brought_back(store, file, since, dry_run=dry_run), *_describe(found), *_aside(aside)]
    return RestoreReport(lines=told, warnings=[*warnings, *_warnings(store, found, lines)])


def _ring(config: Config, file: Path, *, dry_run: bool) -> Path:
    """Return the file whose keys count: the site's, which is brought back with the backup where there is none."""
    here, spare = config.resolve(config.settings.secrets.file), file.with_name(f"{file.name}.key")
    if here.exists() or not spare.is_file():
        return here
    load_keys(spare)  # they are whole
    if not dry_run:
        write_private(here, [spare.read_bytes()])
    return spare


def _digests(ring: Path) -> AddressHasher:
    return AddressHasher(load_keys(ring).suppress if ring.exists() else _NOBODYS)


def _lines(config: Config, store: Path, ring: Path, *, dry_run: bool) -> tuple[list[JournalRecord], list[str]]:
    """Return what the journal says, with what the present store has not written there yet, and what is to be told."""
    warnings: list[str] = []
    waiting: list[JournalRecord] = []
    if store.is_file():
        try:
            with open_store(config.settings.store.url, config.folder, create=not dry_run) as present:
                if dry_run:
                    digests = _digests(ring)
                    waiting = [
                        mask_address(digests, line) for _, line in sorted(present.journal.load_pending().items())
                    ]
                else:
                    append_pending(config, present)
        except StoreError as e:
            warnings.append(f"{e}; what it alone knows is lost")
    file = journal_file.journal_path(store)
    return [*journal_file.read_records(file, warnings.append), *waiting], warnings


def _check(config: Config, file: Path, digests: AddressHasher, backup: Store, lines: Sequence[JournalRecord]) -> None:
    marks = backup.suppressions.key_ids() | {
        line.who.partition(":")[0] for line in lines if isinstance(line, SubscriberEvent)
    }
    if marks - digests.key_ids:
        here = config.resolve(config.settings.secrets.file)
        raise FeedsError(
            f"{here}: the keys cannot read whom the suppression list or the journal means; bring back the file that"
            f" belongs to them (a backup lies in {file}.key). Nothing was changed"
        )


def _page(site: Site) -> Callable[[str, int], str]:
    def page(newsletter: str, number: int) -> str:
        found = site.public.read(f"newsletters/{newsletter}/{number}/index.html") or b""
        return found.decode("utf-8", "replace")

    return page


# Replaying --------------------------------------------------------------------------------------------------------


def replay_records(
    store: Store, lines: Sequence[JournalRecord], digests: AddressHasher, page: Callable[[str, int], str], now: datetime
) -> ReplayCounts:
    """Do in a store what a journal says, as far as it is not done; return what that was.

    What is done here is in the journal already and is not written into it again.
    """
    lines = [*lines, *_news(store, lines, digests)]
    last = store.journal.last_number()
    found = ReplayCounts()
    given = [_known(line) for line in lines if isinstance(line, IdAssigned)]
    found.ids = store.entries.add_known(given, now)
    issues = _issues(line for line in lines if isinstance(line, IssueRecorded))
    found.issues = store.replay.record_issues(issues, page)
    arrived = {f"{one.newsletter} {one.number}" for one in issues if one.state is IssueState.SENT}
    found.cut_short = [name for name in found.issues if name not in arrived]
    _people(store, replay_events(line for line in lines if isinstance(line, SubscriberEvent)), digests, found)
    found.held = store.replay.hold_unsent(_HELD)
    store.journal.drop((), after=last)
    return found


def _news(store: Store, lines: Iterable[JournalRecord], digests: AddressHasher) -> list[JournalRecord]:
    """Return what the store is still to write into the journal; what that knows, or knows better, is forgotten."""
    waiting = {number: mask_address(digests, line) for number, line in store.journal.load_pending().items()}
    if not waiting:
        return []
    latest: dict[tuple[object, ...], datetime | None] = {}
    for line in lines:
        latest[_subject(line)] = max(filter(None, [latest.get(_subject(line)), _at(line)]), default=None)
    known = {number for number, line in waiting.items() if _is_known(line, latest)}
    store.journal.drop(known)
    return [line for number, line in sorted(waiting.items()) if number not in known]


def _at(line: JournalRecord) -> datetime | None:
    return line.at if isinstance(line, SubscriberEvent) else None


def _is_known(line: JournalRecord, latest: Mapping[tuple[object, ...], datetime | None]) -> bool:
    """Return whether the journal has said this, or something later about the same person."""
    at, last = _at(line), latest.get(_subject(line))
    return _subject(line) in latest and (at is None or last is None or at <= last)


def _subject(line: JournalRecord) -> tuple[object, ...]:
    """Return whom or what a line is about."""
    if isinstance(line, IdAssigned):
        return ("id", line.id)
    return ("issue", line.newsletter, line.number) if isinstance(line, IssueRecorded) else ("person", line.who)


def _known(line: IdAssigned) -> KnownEntry:
    published = datetime.fromisoformat(line.published) if line.published else None
    return KnownEntry(
        id=line.id, path=line.path, text_digest=line.text, sketch=line.sketch, title=line.title, published=published
    )


def _issues(told: Iterable[IssueRecorded]) -> list[IssueRecorded]:
    """Return every issue as it stood last, in the order in which they set out."""
    return list({(one.newsletter, one.number): one for one in told}.values())


def _people(store: Store, known: Mapping[str, SubscriberHistory], digests: AddressHasher, found: ReplayCounts) -> None:
    stay: set[str] = set()
    for reader, names, fate in _spoken_of(store, known, digests):
        if fate.was_forgotten(reader.created_at):
            _erase(store, reader.key, {reader.email, reader.key}, known, names)
            found.people["erased"] += 1
        else:
            stay.update(names)
            found.people.update(_stand(store, reader, fate))
    found.people["erased"] += _erase_addresses(store, known, digests)
    found.listed = _settle_list(store, known, stay)


def _spoken_of(
    store: Store, known: Mapping[str, SubscriberHistory], digests: AddressHasher
) -> Sequence[tuple[StoredSubscriber, tuple[str, ...], SubscriberHistory]]:
    """Return the readers of whom something was said, what they may be known as, and what it comes to."""
    named = ((reader, digests.digests(reader.key)) for reader in store.replay.iterate_subscribers()) if known else ()
    return [(reader, names, fate) for reader, names in named if (fate := merge_histories(known, names))]


def _stand(store: Store, reader: StoredSubscriber, fate: SubscriberHistory) -> Iterator[str]:
    """Let somebody stand where they stood last; yield what has changed."""
    for newsletter, said in fate.newsletters.items():
        if said.what == "left":
            changed = store.replay.unsubscribe_from(reader.id, newsletter, said.at)
        else:
            changed = store.replay.resubscribe(reader.id, newsletter)
        if changed:
            yield f"{said.what} {newsletter}"
    if fate.status and fate.status.what != reader.status:
        store.replay.set_status(reader.id, fate.status.what, fate.status.at)
        yield fate.status.what


def _erase(
    store: Store, key: str, spellings: set[str], known: Mapping[str, SubscriberHistory], names: Iterable[str]
) -> None:
    digest = next(name for name in names if name in known and known[name].erased)
    said = known[digest].erased
    assert said is not None
    store.suppressions.erase(key, spellings, digest, said.at)


def _erase_addresses(store: Store, known: Mapping[str, SubscriberHistory], digests: AddressHasher) -> int:
    """Erase those who were no readers, and whose letters the backup knows; return how many that were."""
    erased = {name for name, fate in known.items() if fate.listed and fate.listed.what == "erased"}
    theirs = (
        [key for key in store.replay.delivered_addresses() if erased.intersection(digests.digests(key))]
        if erased
        else []
    )
    for key in theirs:
        _erase(store, key, {key}, known, digests.digests(key))
    return len(theirs)


def _settle_list(store: Store, known: Mapping[str, SubscriberHistory], here: set[str]) -> int:
    """Bring the suppression list to what was said of it last; who is gone and not known here comes onto it too."""
    listed, allowed = {}, []
    for digest, fate in known.items():
        if fate.listed and fate.listed.what != "allowed":
            listed[digest] = (fate.listed.what, fate.listed.at)
        elif fate.is_gone and fate.status and digest not in here:
            listed[digest] = ("suppressed", fate.status.at)
        elif fate.listed:
            allowed.append(digest)
    return store.replay.replace_suppressions(listed, allowed)


# Telling ----------------------------------------------------------------------------------------------------------


def _brought_back(store: Path, file: Path, since: datetime | None, *, dry_run: bool) -> str:
    known = f"knows of nothing after {since:%Y-%m-%d %H:%M} UTC" if since else "is empty"
    return f"{store.name} {'would be' if dry_run else 'is'} {file} again, which {known}"


def _describe(found: ReplayCounts) -> Iterator[str]:
    people = [f"{number:,} {what}" for what, number in found.people.most_common() if number]
    parts = [
        f"{found.ids:,} ids" if found.ids else "",
        f"{', '.join(found.issues)} counted as sent" if found.issues else "",
        f"readers: {', '.join(people)}" if people else "",
        f"{found.listed:,} changes of the suppression list" if found.listed else "",
    ]
    yield f"from the journal: {'; '.join(filter(None, parts)) or 'nothing that it did not know'}"


def _aside(aside: Path | None) -> Iterator[str]:
    if aside:
        yield f"the store that was there is {aside.name} now; it holds addresses: delete it when you need it no more"


def _warnings(store: Path, found: ReplayCounts, lines: Sequence[JournalRecord]) -> Iterator[str]:
    if not lines:
        yield f"{journal_file.journal_path(store)}: there is no journal; nothing that happened since the backup is known"
    for name in found.held:
        newsletter = name.rpartition(" ")[0]
        yield f"{name} was on its way and is held: {_HELD}; `feeds resume {newsletter}` sends it to them"
    for name in found.cut_short:
        yield f"{name} was on its way, and its letters are not in the backup: whoever had not got it does not get it"
    yield "who has subscribed since the backup is neither in it nor in the journal, which keeps no addresses: add them"
