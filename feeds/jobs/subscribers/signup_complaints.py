"""Whether complaints about confirmations have closed the sign-up form."""

from datetime import datetime

from feeds.core.subscribers import signup
from feeds.edges.store.database import Store


def is_form_closed(store: Store, now: datetime) -> bool:
    """Return whether too many confirmations were complained about lately."""
    return signup.is_closed_by_complaints(*store.signups.count_complaints(now - signup.COMPLAINTS_COUNT_FOR))
