"""Divide the work on many posts among workers."""

from collections.abc import Sequence
from typing import TypeVar

Item = TypeVar("Item")


def in_batches(items: Sequence[Item], size: int) -> list[Sequence[Item]]:
    """Split *items* into runs of *size*; the last one may be shorter."""
    return [items[n : n + size] for n in range(0, len(items), size)]
