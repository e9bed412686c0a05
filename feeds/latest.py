"""A cache of results of which only the last version is of use."""

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

Result = TypeVar("Result")


def keep_latest(function: Callable[..., Result], of: int, size: int) -> Callable[..., Result]:
    """Return *function* with a cache of *size* results, the last one for each value of its argument number *of*.

    Unlike with `lru_cache`, a new version of a post takes the place of the old one; a service would fill its memory
    with versions that are not needed again.
    """
    results: dict[Hashable, tuple[tuple[Any, ...], Result]] = {}

    def cached(*arguments: Any) -> Result:
        known = results.pop(arguments[of], None)
        if known is None or known[0] != arguments:
            known = (arguments, function(*arguments))
        results[arguments[of]] = known
        if len(results) > size:
            del results[next(iter(results))]
        return known[1]

    return cached
