"""How values lie in the tables."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime


def to_column_time(moment: datetime) -> datetime:
    """Return a moment as the tables have it: UTC, without zone."""
    return moment.astimezone(UTC).replace(tzinfo=None)


def from_column_time(moment: datetime) -> datetime:
    """Return a moment that a table had."""
    return moment.replace(tzinfo=UTC)


def encode_topics(names: Iterable[str]) -> str:
    """Return names in the one form in which equal choices are equal texts."""
    return json.dumps(sorted(set(names)), ensure_ascii=False)
