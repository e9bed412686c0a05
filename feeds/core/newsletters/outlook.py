"""The next issue of a newsletter: its slot, how many posts wait for it, and whether the last slot was missed."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from feeds.core.newsletters.selection import available_since, waiting_entries
from feeds.core.schedule import due_slot, last_slot, next_slot
from feeds.display import format_count, format_day, format_slot
from feeds.model import EditorNote, Entry
from feeds.settings import CategorySettings, Newsletter


@dataclass(frozen=True, kw_only=True, slots=True)
class Outlook:
    """The next slot of a newsletter, and the posts that wait for it."""

    newsletter: str
    #: As of when this is so.
    at: datetime
    #: UTC. It is in the past if an issue is due now.
    slot: datetime
    is_due: bool
    #: When an issue that is due now is due no more; None if none is due, or if it stays due (the first one).
    due_until: datetime | None
    #: How many posts wait, and how many an issue needs (`min_posts`).
    posts: int
    needed: int
    #: The slot before, if posts waited for it and it is past by more than `catch_up`.
    missed_slot: datetime | None
    #: How many subscribers and copies there are.
    recipients: int
    #: The number of the issue that waits for approval, if one does.
    waiting_issue: int | None = None
    #: Why no issue was sent, if one was asked for; empty if none was.
    reason: str = ""

    @property
    def is_stuck(self) -> bool:
        """True if a person should know that posts were not sent: the slot was missed, or there are no recipients."""
        return self.missed_slot is not None or bool(self.posts and not self.recipients)


def foresee(
    public: Sequence[Entry],
    newsletter: Newsletter,
    zone: tzinfo,
    now: datetime,
    *,
    used: datetime | None,
    announced: Collection[str],
    recipients: int,
    categories: Mapping[str, CategorySettings],
    note: EditorNote | None = None,
) -> Outlook:
    """Return the outlook of a newsletter; *used* is the last slot that it has used, *public* is newest first.

    Raises:
        PostError: the note names a post that is not public or is already announced.
    """

    def waiting(at: datetime) -> list[Entry]:
        pinned, others = waiting_entries(
            public, newsletter, slot=at, announced=announced, first=used is None, categories=categories, note=note
        )
        return [*pinned, *others]

    due = due_slot(newsletter.schedule, zone, now, used=used, catch_up=newsletter.catch_up)
    slot = due or next_slot(newsletter.schedule, zone, now)
    entries = waiting(slot)
    return Outlook(
        newsletter=newsletter.name,
        at=now,
        slot=slot,
        is_due=due is not None,
        due_until=due + newsletter.catch_up if due and used else None,
        posts=len(entries),
        needed=newsletter.min_posts,
        missed_slot=None if due else _missed_slot(entries, newsletter, zone, now, used),
        recipients=recipients,
    )


def _missed_slot(
    entries: Iterable[Entry], newsletter: Newsletter, zone: tzinfo, now: datetime, used: datetime | None
) -> datetime | None:
    """Return the last slot if it was not used and enough of the entries that still wait were there in time."""
    slot = last_slot(newsletter.schedule, zone, now)
    if used is None or slot <= used:
        return None
    in_time = sum(available_since(entry) <= slot for entry in entries)
    return slot if in_time >= newsletter.min_posts else None


def format_outlook(outlook: Outlook, zone: tzinfo) -> str:
    """Return an outlook as a line, with times in *zone*."""
    name = outlook.newsletter
    parts = [_reason_part(outlook, zone) if outlook.reason else _waiting_part(outlook, zone)]
    if outlook.waiting_issue is not None:
        parts.append(f"issue {outlook.waiting_issue} comes first: it waits for `feeds approve {name}`")
    if outlook.posts and not outlook.recipients and not outlook.reason:
        parts.append(NO_SUBSCRIBERS)
    elif 0 < outlook.posts < outlook.needed and not outlook.reason:
        parts.append(f"an issue needs {outlook.needed} (min_posts)")
    if outlook.missed_slot is not None:
        parts.append(f"the slot of {format_day(outlook.missed_slot, zone, outlook.at)} was missed")
        parts.append(f"`feeds send {name}` sends now")
    return f"{name}: {'; '.join(parts)}"


#: Why a newsletter has no recipients.
NO_SUBSCRIBERS = "it has no subscribers; `feeds subscribers add` adds one"


def _reason_part(outlook: Outlook, zone: tzinfo) -> str:
    following = "" if outlook.is_due else f"; the next slot is {format_slot(outlook.slot, zone, outlook.at)}"
    return f"no issue was sent: {outlook.reason}{following}"


def _waiting_part(outlook: Outlook, zone: tzinfo) -> str:
    number = outlook.posts
    posts = format_count(number, "post waits", "posts wait") if number else "no posts wait"
    slot = format_slot(outlook.slot, zone, outlook.at)
    return f"{posts} for the slot of {slot}, which is due" if outlook.is_due else f"{posts} for {slot}"


def too_few_posts(newsletter: Newsletter, number: int) -> str:
    """Return why *number* posts make no issue."""
    if not number:
        return "there are no new posts"
    posts = format_count(number, "post waits", "posts wait")
    return f"{posts}, and an issue needs {newsletter.min_posts} (min_posts)"
