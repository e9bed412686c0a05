"""Warnings about sign-ups for the editor: that complaints have closed the form, and that some wait."""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from feeds.core.subscribers import signup
from feeds.display import format_count
from feeds.edges.store.database import Store


class SignupProblem(NamedTuple):
    """A problem that the editor should look into."""

    #: Of the alert that reports it once.
    key: str
    line: str


def is_form_closed(store: Store, now: datetime) -> bool:
    """Return whether too many confirmations were complained about lately."""
    return signup.is_closed_by_complaints(*store.signups.count_complaints(now - signup.COMPLAINTS_COUNT_FOR))


def find_signup_problems(store: Store, now: datetime) -> Iterator[SignupProblem]:
    """Yield that complaints have closed the sign-up form, and, on each day (UTC), that sign-ups wait for the editor."""
    sent, complaints = store.signups.count_complaints(now - signup.COMPLAINTS_COUNT_FOR)
    if signup.is_closed_by_complaints(sent, complaints):
        key = f"complaints have closed sign-up, beginning with mail {store.signups.first_complaint()}"
        line = f"sign-up is closed: {complaints} of {format_count(sent, 'confirmation')} were reported as spam"
        yield SignupProblem(key, f"{line}; find out who is signed up there, then `feeds signups reopen` opens it")
    if number := store.signups.count().held:
        held = format_count(number, "sign-up waits", "sign-ups wait")
        yield SignupProblem(f"sign-ups are held on {now:%Y-%m-%d}", f"{held} for you; `feeds signups` lists them")
