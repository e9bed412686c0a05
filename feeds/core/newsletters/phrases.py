"""Split Japanese headlines into phrases with BudouX, so that lines do not break in the middle of a word."""

from functools import lru_cache
from typing import Any

#: Longer headlines are not split.
_MAX_CHARACTERS = 200


def split_phrases(text: str, lang: str) -> tuple[str, ...]:
    """Return the phrases of a Japanese headline; empty if it has only one or is in another language."""
    if lang.split("-", maxsplit=1)[0] != "ja" or len(text) > _MAX_CHARACTERS:
        return ()
    phrases = tuple(_parser().parse(text))
    return phrases if len(phrases) > 1 else ()


@lru_cache(maxsize=1)
def _parser() -> Any:
    import budoux

    return budoux.load_default_japanese_parser()
