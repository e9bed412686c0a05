"""The state of the service and its numbers, for monitoring programs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal

from feeds.config import Config
from feeds.edges.store.database import can_use_store, check_store, store_path
from feeds.edges.store.journal_file import journal_path
from feeds.edges.store.postgresql import is_postgresql
from feeds.edges.store.signups import SignupCounts
from feeds.errors import FeedsError
from feeds.jobs.newsletters.status import load_progress
from feeds.jobs.store.site_store import open_site_store, site_to_check

if TYPE_CHECKING:
    from pathlib import Path

#: A publish run that has not ended this long after it should have begun is late.
_PATIENCE = timedelta(minutes=30)
#: `starting` until the first publish run has ended; `off` if the process does not publish.
SchedulerState = Literal["ok", "starting", "late", "off"]


@dataclass(slots=True)
class Pulse:
    """When `feeds run` has published last, and when it publishes next; other threads read it."""

    #: None until the first publish run has ended.
    last_publish_at: datetime | None = None
    #: At first when the process started; None if this process does not publish.
    next_publish_at: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Health:
    """The state of each part of the service."""

    store: Literal["ok", "failed"]
    scheduler: SchedulerState
    #: Since the end of the last publish run of this process; None if there was none.
    seconds_since_publish: int | None

    @property
    def is_well(self) -> bool:
        """True if all checks passed."""
        return self.store == "ok" and self.scheduler != "late"


@dataclass(frozen=True, kw_only=True, slots=True)
class StoreCounts:
    """Numbers of records in the store."""

    #: Status -> subscribers.
    subscribers: Mapping[str, int]
    #: Newsletter -> letters that are still to be sent.
    pending: Mapping[str, int] = field(default_factory=dict)
    signups: SignupCounts


class StoreWatch:
    """Checks the database, and that the file of a SQLite one is the one of the first check."""

    def __init__(self) -> None:
        #: Path of a database -> device and inode of its file at the first check; the config may name another one.
        self._first: dict[Path, tuple[int, int]] = {}

    def is_well(self, config: Config) -> bool:
        """Return whether the database can be read and is the file that it was at the first call.

        A new site has neither a database nor a journal yet, and is well.
        """
        if is_postgresql(config.store_url):
            return can_use_store(config.store_url, config.folder, config.settings.site)
        file = store_path(config.store_url, config.folder)
        if file not in self._first and not file.exists() and not journal_path(file).exists():
            return True
        try:
            found = check_store(file, site_to_check(config))
        except FeedsError:
            return False
        return found == self._first.setdefault(file, found)


def check_health(config: Config, watch: StoreWatch, pulse: Pulse, now: datetime) -> Health:
    """Return the state of the service; a store that cannot be read is part of it, not an error."""
    last = pulse.last_publish_at
    return Health(
        store="ok" if watch.is_well(config) else "failed",
        scheduler=_check_scheduler(pulse, now),
        seconds_since_publish=None if last is None else int((now - last).total_seconds()),
    )


def _check_scheduler(pulse: Pulse, now: datetime) -> SchedulerState:
    if pulse.next_publish_at is None:
        return "off"
    if now > pulse.next_publish_at + _PATIENCE:
        return "late"
    return "ok" if pulse.last_publish_at else "starting"


def count_store(config: Config, now: datetime) -> StoreCounts:
    """Return the numbers of the store.

    Raises:
        FeedsError: the store cannot be read.
    """
    with open_site_store(config, create=False) as store:
        subscribers, signups = store.subscribers.count_by_status(), store.signups.count()
    pending: dict[str, int] = {}
    for progress in load_progress(config, now):
        newsletter = progress.issue.newsletter
        pending[newsletter] = pending.get(newsletter, 0) + progress.pending
    return StoreCounts(subscribers=subscribers, pending=pending, signups=signups)
