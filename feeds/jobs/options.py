"""The options of a publish run."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from feeds.edges.files.scan import Scan


@dataclass(frozen=True, kw_only=True, slots=True)
class PublishOptions:
    """The options of one publish run."""

    #: The moment that decides which posts are public and which slots are due.
    now: datetime
    #: Write and send nothing; only report what would be written and sent.
    dry_run: bool = False
    #: Neither compose nor send newsletters.
    feeds_only: bool = False
    #: The name of a newsletter to send now, whatever its schedule says.
    send: str | None = None
    #: If False, read every post, build every file, and do not write to the cache.
    use_cache: bool = True
    #: Send mail without asking for confirmation.
    yes: bool = False
    #: The files in the posts folder, if they were listed a moment ago.
    scan: "Scan | None" = None
