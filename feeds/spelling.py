"""Suggestions for misspelled names: "did you mean ...?"."""

from collections.abc import Iterable


def closest_name(word: str, known: Iterable[str], *, cutoff: float = 0.6) -> str | None:
    """Return the known name that is most similar to *word*; None if none is similar enough.

    *cutoff* is the smallest accepted similarity, 0 to 1, as `difflib.SequenceMatcher.ratio` measures it.
    """
    from difflib import get_close_matches

    return next(iter(get_close_matches(word, known, n=1, cutoff=cutoff)), None)
