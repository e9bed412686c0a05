"""What a pass is asked for, and what it did."""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from feeds.edges.files.scan import Scan

#: How many warnings are told at once.
_MOST_WARNINGS = 20
#: Told how far a long piece of work is: what, done, of how many.
Progress = Callable[[str, int, int], None]


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


@dataclass(frozen=True, kw_only=True, slots=True)
class FastPathState:
    """The state in which a pass left everything: as long as it lasts, another pass would do nothing."""

    #: The next moment at which a post appears, changes or expires; None where none is known.
    until: datetime | None
    #: Whether a pass that may send letters would have more to look at.
    letters: bool
    #: The posts folder, and every other file and folder that was read or written.
    posts: str
    watched: tuple[str, ...]
    #: The state of all of them.
    state: bytes


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
    #: None where something is still to be done, or may be.
    fast_path: FastPathState | None = None

    #: What a process exits with for what is to be tried again.
    LATER: ClassVar[int] = 3

    @property
    def exit_code(self) -> int:
        """What the process exits with: 1 wins, since somebody has to mend something."""
        return 1 if self.errors or self.alerts else self.LATER if self.later else 0

    def as_unchanged(self) -> "PublishReport":
        """Return what another pass would report if nothing changed until then."""
        unchanged = self.unchanged + len(self.written)
        return replace(self, written=[], removed=[], unchanged=unchanged, issues=[], sends=False, fast_path=None)


def _unheard(_what: str, _done: int, _of: int) -> None:
    """Tell nobody."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PublishOptions:
    """What the caller wants of a pass."""

    #: Decides what is public and which slots are due.
    now: datetime
    #: The real time: for the `Date` of a message.
    clock: Callable[[], datetime]
    #: So many bytes that nobody can guess.
    random_bytes: Callable[[int], bytes] = secrets.token_bytes
    dry_run: bool = False
    feeds_only: bool = False
    #: A newsletter whose issue goes out now, whatever its schedule says.
    send: str | None = None
    #: False: everything is read and made again, and nothing of it is kept.
    use_cache: bool = True
    #: Nobody needs to be asked before mail goes out.
    yes: bool = False
    #: Asks whoever sits at the terminal; None where nobody does.
    ask: Callable[[str], bool] | None = None
    progress: Progress = _unheard
    #: Whether somebody wants it to end soon: what is begun is finished, nothing else is taken.
    stopping: Callable[[], bool] = lambda: False
    #: What lies in the posts folder, if somebody has just looked.
    seen: "Scan | None" = None


def truncate_warnings(warnings: Sequence[str]) -> list[str]:
    """Return the first warnings, and how many more there are: a folder that has just come has thousands."""
    if len(warnings) <= _MOST_WARNINGS:
        return list(warnings)
    more = len(warnings) - _MOST_WARNINGS + 1
    return [*warnings[: _MOST_WARNINGS - 1], f"and {more:,} more like these; `feeds posts` tells all of them"]
