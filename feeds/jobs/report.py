"""What a publish run did."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import ClassVar

from feeds.edges.fast_path.state import Footprint
from feeds.model import IssueState

#: How many warnings are told at once.
_MOST_WARNINGS = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class IssueReport:
    """An issue this pass composed or finished."""

    newsletter: str
    number: int
    posts: int
    recipients: int
    #: `composed` (it waits for approval), `waiting` (for the site), `sending` or `sent`; in a dry run `due`.
    state: str

    @property
    def facts(self) -> dict[str, object]:
        """All of it, for programs."""
        return {name: getattr(self, name) for name in ("newsletter", "number", "posts", "recipients", "state")}


@dataclass(kw_only=True, slots=True)
class PublishReport:
    """What one pass did."""

    counts: dict[str, int] = field(default_factory=dict)
    #: Below `public/`.
    written: list[str] = field(default_factory=list)
    #: Likewise: documents of feeds that were ended.
    removed: list[str] = field(default_factory=list)
    unchanged: int = 0
    #: How many pages of issues were written.
    pages: int = 0
    #: When the next future post is due; None when there is none.
    next_public_at: datetime | None = None
    #: When the hub is to be told of a change again; None where it knows all.
    next_ping_at: datetime | None = None
    issues: list[IssueReport] = field(default_factory=list)
    #: Whether any issue is on its way.
    sends: bool = False
    #: A line each; the user must mend these.
    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    #: Why the issue of a newsletter that is due could not be composed.
    failed: dict[str, str] = field(default_factory=dict)
    #: A line each, told once: what somebody should look after before long.
    alerts: list[str] = field(default_factory=list)
    #: A line each: another try may fare better.
    later: list[str] = field(default_factory=list)
    #: When a server that said "later" is asked again.
    next_try_at: datetime | None = None
    #: True if the person at the terminal was asked whether to send, and declined: the next run asks again.
    declined: bool = False
    #: What was read and written, for the fast path; None if the next run may have something to do.
    footprint: Footprint | None = None

    #: What a process exits with for what is to be tried again.
    LATER: ClassVar[int] = 3

    @property
    def exit_code(self) -> int:
        """What the process exits with: 1 wins, since somebody has to mend something."""
        return 1 if self.errors or self.alerts else self.LATER if self.later else 0

    def as_unchanged(self) -> "PublishReport":
        """Return the report of a next run that changes nothing; an issue that waits for approval is still in it."""
        waiting = [issue for issue in self.issues if issue.state == IssueState.COMPOSED]
        unchanged = self.unchanged + len(self.written)
        return replace(
            self, written=[], removed=[], pages=0, unchanged=unchanged, issues=waiting, sends=False, footprint=None
        )


def truncate_warnings(warnings: Sequence[str]) -> list[str]:
    """Return the first warnings, and how many more there are: a folder that has just come has thousands."""
    if len(warnings) <= _MOST_WARNINGS:
        return list(warnings)
    more = len(warnings) - _MOST_WARNINGS + 1
    return [*warnings[: _MOST_WARNINGS - 1], f"and {more:,} more like these; `feeds posts` prints all of them"]
