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
from feeds.core.subscribers.fates import Fate, fates, of_one
from feeds.core.subscribers.suppression import Digests
from feeds.edges import journal, lock
from feeds.edges.folder import write_private
from feeds.edges.keys import keys
from feeds.edges.store import opening, swap
from feeds.edges.store.opening import Store, opened
from feeds.edges.store.replay import Reader
from feeds.errors import FeedsError, StoreError
from feeds.jobs.journal import hidden, keep
from feeds.jobs.site import Site
from feeds.model import Given, IssueState, Known, Line, Told, Word

_HELD = "the store was brought back from a backup, and whoever it shows as waiting may have got it since"

#: For a site that has no keys yet, and a dry run that must not make any: nothing that is kept was made with it.
_NOBODYS = {0: b""}


@dataclass(kw_only=True, slots=True)
class Replayed:
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
class Restored:
    """What was done, a line each."""

    lines: list[str]
    warnings: list[str]


def restore(config: Config, file: Path, now: datetime, *, dry_run: bool = False) -> Restored:
    """Put a backup in the store's place, as the journal says that it would be today; what stood there is kept.

    In a dry run, only say what would be done.

    Raises:
        StoreError: the file is no backup, or cannot be brought back.
        FeedsError: the keys that are there cannot read the suppression list or the journal.
        Busy: a publish or a sender is at work on this site.
    """
    store = opening.path(config.settings.store.url, config.folder)
    if file.exists() and store.exists() and file.samefile(store):
        raise StoreError(f"{file}: is the store itself")
    with lock.site(config.folder), swap.copied_beside(file, store) as copy, lock.sending(store):
        ring = _ring(config, file, dry_run=dry_run)
        lines, warnings = _lines(config, store, ring, dry_run=dry_run)
        digests = _digests(ring)  # not before: what the store had still to write may have made the first keys
        with opened(f"sqlite:///{copy.resolve()}", config.folder) as backup:
            _check(config, file, digests, backup, lines)
            since = backup.replay.last_word()
            backup.replay.hurry()
            found = replay(backup, lines, digests, _page(Site(config)), now)
            if found.people["erased"]:
                backup.suppressions.overwrite()
        aside = None if dry_run else swap.put(copy, store, f"{now:%Y-%m-%dT%H-%M-%S}")
    told = [_brought_back(store, file, since, dry_run=dry_run), *_told(found), *_aside(aside)]
    return Restored(lines=told, warnings=[*warnings, *_warnings(store, found, lines)])


def _ring(config: Config, file: Path, *, dry_run: bool) -> Path:
    """Return the file whose keys count: the site's, which is brought back with the backup where there is none."""
    here, spare = config.resolve(config.settings.secrets.file), file.with_name(f"{file.name}.key")
    if here.exists() or not spare.is_file():
        return here
    keys(spare)  # they are whole
    if not dry_run:
        write_private(here, [spare.read_bytes()])
    return spare


def _digests(ring: Path) -> Digests:
    return Digests(keys(ring).suppress if ring.exists() else _NOBODYS)


def _lines(config: Config, store: Path, ring: Path, *, dry_run: bool) -> tuple[list[Line], list[str]]:
    """Return what the journal says, with what the present store has not written there yet, and what is to be told."""
    warnings: list[str] = []
    waiting: list[Line] = []
    if store.is_file():
        try:
            with opened(config.settings.store.url, config.folder, create=not dry_run) as present:
                if dry_run:
                    digests = _digests(ring)
                    waiting = [hidden(digests, line) for _, line in sorted(present.journal.waiting().items())]
                else:
                    keep(config, present)
        except StoreError as e:
            warnings.append(f"{e}; what it alone knows is lost")
    file = journal.beside(store)
    return [*journal.read(file, warnings.append), *waiting], warnings


def _check(config: Config, file: Path, digests: Digests, backup: Store, lines: Sequence[Line]) -> None:
    marks = backup.suppressions.marks() | {line.who.partition(":")[0] for line in lines if isinstance(line, Word)}
    if marks - digests.marks:
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


def replay(
    store: Store, lines: Sequence[Line], digests: Digests, page: Callable[[str, int], str], now: datetime
) -> Replayed:
    """Do in a store what a journal says, as far as it is not done; return what that was.

    What is done here is in the journal already and is not written into it again.
    """
    lines = [*lines, *_news(store, lines, digests)]
    last = store.journal.last()
    found = Replayed()
    given = [_known(line) for line in lines if isinstance(line, Given)]
    found.ids = store.entries.add(given, now)
    issues = _issues(line for line in lines if isinstance(line, Told))
    found.issues = store.replay.issues(issues, page)
    arrived = {f"{one.newsletter} {one.number}" for one in issues if one.state is IssueState.SENT}
    found.cut_short = [name for name in found.issues if name not in arrived]
    _people(store, fates(line for line in lines if isinstance(line, Word)), digests, found)
    found.held = store.replay.hold(_HELD)
    store.journal.drop((), after=last)
    return found


def _news(store: Store, lines: Iterable[Line], digests: Digests) -> list[Line]:
    """Return what the store is still to write into the journal; what that knows, or knows better, is forgotten."""
    waiting = {number: hidden(digests, line) for number, line in store.journal.waiting().items()}
    if not waiting:
        return []
    latest: dict[tuple[object, ...], datetime | None] = {}
    for line in lines:
        latest[_subject(line)] = max(filter(None, [latest.get(_subject(line)), _at(line)]), default=None)
    known = {number for number, line in waiting.items() if _is_known(line, latest)}
    store.journal.drop(known)
    return [line for number, line in sorted(waiting.items()) if number not in known]


def _at(line: Line) -> datetime | None:
    return line.at if isinstance(line, Word) else None


def _is_known(line: Line, latest: Mapping[tuple[object, ...], datetime | None]) -> bool:
    """Return whether the journal has said this, or something later about the same person."""
    at, last = _at(line), latest.get(_subject(line))
    return _subject(line) in latest and (at is None or last is None or at <= last)


def _subject(line: Line) -> tuple[object, ...]:
    """Return whom or what a line is about."""
    if isinstance(line, Given):
        return ("id", line.id)
    return ("issue", line.newsletter, line.number) if isinstance(line, Told) else ("person", line.who)


def _known(line: Given) -> Known:
    published = datetime.fromisoformat(line.published) if line.published else None
    return Known(
        id=line.id, path=line.path, text_digest=line.text, sketch=line.sketch, title=line.title, published=published
    )


def _issues(told: Iterable[Told]) -> list[Told]:
    """Return every issue as it stood last, in the order in which they set out."""
    return list({(one.newsletter, one.number): one for one in told}.values())


def _people(store: Store, known: Mapping[str, Fate], digests: Digests, found: Replayed) -> None:
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
    store: Store, known: Mapping[str, Fate], digests: Digests
) -> Sequence[tuple[Reader, tuple[str, ...], Fate]]:
    """Return the readers of whom something was said, what they may be known as, and what it comes to."""
    named = ((reader, digests.of(reader.key)) for reader in store.replay.readers()) if known else ()
    return [(reader, names, fate) for reader, names in named if (fate := of_one(known, names))]


def _stand(store: Store, reader: Reader, fate: Fate) -> Iterator[str]:
    """Let somebody stand where they stood last; yield what has changed."""
    for newsletter, said in fate.newsletters.items():
        if said.what == "left":
            changed = store.replay.leave(reader.id, newsletter, said.at)
        else:
            changed = store.replay.come_back(reader.id, newsletter)
        if changed:
            yield f"{said.what} {newsletter}"
    if fate.status and fate.status.what != reader.status:
        store.replay.stand(reader.id, fate.status.what, fate.status.at)
        yield fate.status.what


def _erase(store: Store, key: str, spellings: set[str], known: Mapping[str, Fate], names: Iterable[str]) -> None:
    digest = next(name for name in names if name in known and known[name].erased)
    said = known[digest].erased
    assert said is not None
    store.suppressions.erase(key, spellings, digest, said.at)


def _erase_addresses(store: Store, known: Mapping[str, Fate], digests: Digests) -> int:
    """Erase those who were no readers, and whose letters the backup knows; return how many that were."""
    erased = {name for name, fate in known.items() if fate.listed and fate.listed.what == "erased"}
    theirs = [key for key in store.replay.addresses() if erased.intersection(digests.of(key))] if erased else []
    for key in theirs:
        _erase(store, key, {key}, known, digests.of(key))
    return len(theirs)


def _settle_list(store: Store, known: Mapping[str, Fate], here: set[str]) -> int:
    """Bring the suppression list to what was said of it last; who is gone and not known here comes onto it too."""
    listed, allowed = {}, []
    for digest, fate in known.items():
        if fate.listed and fate.listed.what != "allowed":
            listed[digest] = (fate.listed.what, fate.listed.at)
        elif fate.is_gone and fate.status and digest not in here:
            listed[digest] = ("suppressed", fate.status.at)
        elif fate.listed:
            allowed.append(digest)
    return store.replay.settle_list(listed, allowed)


# Telling ----------------------------------------------------------------------------------------------------------


def _brought_back(store: Path, file: Path, since: datetime | None, *, dry_run: bool) -> str:
    known = f"knows of nothing after {since:%Y-%m-%d %H:%M} UTC" if since else "is empty"
    return f"{store.name} {'would be' if dry_run else 'is'} {file} again, which {known}"


def _told(found: Replayed) -> Iterator[str]:
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


def _warnings(store: Path, found: Replayed, lines: Sequence[Line]) -> Iterator[str]:
    if not lines:
        yield f"{journal.beside(store)}: there is no journal, so nobody knows what has happened since the backup"
    for name in found.held:
        newsletter = name.rpartition(" ")[0]
        yield f"{name} was on its way and is held: {_HELD}; `feeds resume {newsletter}` sends it to them"
    for name in found.cut_short:
        yield f"{name} was on its way, and its letters are not in the backup: whoever had not got it does not get it"
    yield "who has subscribed since the backup is neither in it nor in the journal, which keeps no addresses: add them"
