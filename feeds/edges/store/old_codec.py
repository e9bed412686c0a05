"""How values are stored in columns: times in UTC without an offset, topics as a JSON list."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime


def encode_time(moment: datetime) -> str:
    """Return a time as SQLAlchemy writes it into SQLite: UTC, without an offset."""
    return moment.astimezone(UTC).isoformat(" ", "microseconds")[:-6]  # years below 1000 too


def decode_time(text: str) -> datetime:
    """Return the time that `encode_time` has encoded."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def to_column_time(moment: datetime) -> datetime:
    """Return a time as SQLAlchemy's `DateTime` columns take it: UTC, naive."""
    return moment.astimezone(UTC).replace(tzinfo=None)


def from_column_time(moment: datetime) -> datetime:
    """Return a time read from a `DateTime` column as an aware one."""
    return moment.replace(tzinfo=UTC)


def encode_topics(names: Iterable[str]) -> str:
    """Return topics as a sorted JSON list, so that equal sets are equal strings."""
    return json.dumps(sorted(set(names)), ensure_ascii=False)
