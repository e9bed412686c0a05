"""Where a Japanese headline may break: between phrases, as BudouX finds them, not in the middle of a word."""

from functools import lru_cache
from typing import Any

#: One line takes no more anyway.
_MOST_CHARACTERS = 200


def split_phrases(text: str, lang: str) -> tuple[str, ...]:
    """Return the phrases of a headline; nothing where it has one only, or is in a language that breaks at spaces."""
    if lang.split("-", maxsplit=1)[0] != "ja" or len(text) > _MOST_CHARACTERS:
        return ()
    found = tuple(_parser().parse(text))
    return found if len(found) > 1 else ()


@lru_cache(maxsize=1)
def _parser() -> Any:
    import budoux  # noqa: PLC0415 - only letters with Japanese headlines need it

    return budoux.load_default_japanese_parser()
