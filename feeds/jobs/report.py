"""The result of a publish run."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import ClassVar

from feeds.core.newsletters.outlook import Outlook
from feeds.edges.fast_path.state import Footprint
from feeds.model import IssueState

#: How many warnings one run prints.
_MOST_WARNINGS = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class IssueReport:
    """An issue that this run composed, or whose sending it continued."""

    newsletter: str
    number: int
    posts: int
    recipients: int
    #: `composed` (waits for approval), `waiting` (for the website), `sending` or `sent`; in a dry run `due`.
    state: str
    #: How many of its deliveries were sent and refused, and how many were cancelled, so far.
    sent: int = 0
    refused: int = 0
    cancelled: int = 0
    #: The command that lists its recipients.
    command: str = ""

    @property
    def facts(self) -> dict[str, object]:
        """The fields for JSON; `sent` and what follows only if some recipients do not get it."""
        names = ["newsletter", "number", "posts", "recipients", "state"]
        return {name: getattr(self, name) for name in [*names, *(["sent", *self._losses] if self._losses else [])]}

    @property
    def _losses(self) -> list[str]:
        return [name for name in ("refused", "cancelled") if getattr(self, name)]

    def outcome(self, kept: str = "") -> str:
        """Return the state for people, and *kept*, where its messages are; if some recipients do not get it, why."""
        if not self._losses:
            return f"{self.state}{kept}"
        left = self.recipients - self.sent - self.refused - self.cancelled
        counts = [f"{self.sent:,} sent", *(f"{getattr(self, name):,} {name}" for name in self._losses)]
        counts += [f"{left:,} waiting"] if left else []
        return f"{', '.join(counts)}{kept}: `{self.command}`"


@dataclass(kw_only=True, slots=True)
class PublishReport:
    """The result of one publish run, and the work that is left."""

    #: Number of files by status.
    counts: dict[str, int] = field(default_factory=dict)
    #: Paths below `public/`.
    written: list[str] = field(default_factory=list)
    #: Paths below `public/`: files of retired feeds, and archive pages that nothing links to.
    removed: list[str] = field(default_factory=list)
    unchanged: int = 0
    #: How many issue pages were written.
    pages: int = 0
    #: When the next future post becomes public; None if there is none.
    next_public_at: datetime | None = None
    #: When the next WebSub ping is due; None if none is waiting.
    next_ping_at: datetime | None = None
    issues: list[IssueReport] = field(default_factory=list)
    #: True if an issue has deliveries to send.
    sends: bool = False
    #: Errors that the user has to fix.
    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    #: What each newsletter sends next.
    outlooks: list[Outlook] = field(default_factory=list)
    #: Why a newsletter has no issue though one was asked for, by its name.
    skipped: dict[str, str] = field(default_factory=dict)
    #: Why the due issue of a newsletter could not be composed, by its name.
    failed: dict[str, str] = field(default_factory=dict)
    #: Problems that need attention soon; each is reported once.
    alerts: list[str] = field(default_factory=list)
    #: Temporary failures that a later run tries again.
    later: list[str] = field(default_factory=list)
    #: When the next delivery that a server deferred is tried again.
    next_try_at: datetime | None = None
    #: True if the user was asked whether to send, and declined: the next run asks again.
    declined: bool = False
    #: What was read and written, for the fast path; None if the next run may have something to do.
    footprint: Footprint | None = None

    #: Exit code for temporary failures.
    LATER: ClassVar[int] = 3

    @property
    def exit_code(self) -> int:
        """The exit code of the process: 1 comes before 3, as the user has to fix something."""
        return 1 if self.errors or self.alerts else self.LATER if self.later else 0

    def as_unchanged(self) -> "PublishReport":
        """Return the report of a next run that changes nothing; issues that wait for approval stay in it."""
        waiting = [issue for issue in self.issues if issue.state == IssueState.COMPOSED]
        unchanged = self.unchanged + len(self.written)
        return replace(
            self, written=[], removed=[], pages=0, unchanged=unchanged, issues=waiting, sends=False, footprint=None
        )


def truncate_warnings(warnings: Sequence[str]) -> list[str]:
    """Return the first warnings and a line with the number of the others: an imported blog can have thousands."""
    if len(warnings) <= _MOST_WARNINGS:
        return list(warnings)
    more = len(warnings) - _MOST_WARNINGS + 1
    return [*warnings[: _MOST_WARNINGS - 1], f"and {more:,} more like these; `feeds posts` prints all of them"]
