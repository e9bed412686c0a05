"""Which config file a command uses if none is named. Loads nothing, since the fast path asks too."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

#: The names of the config file; the first one that exists is used.
NAMES = ("feeds.toml", "config.toml")


def find_config(environ: Mapping[str, str]) -> str:
    """Return the file that FEEDS_CONFIG names, else the first of `NAMES` in the current folder; it may not exist."""
    named = os.path.expanduser(environ.get("FEEDS_CONFIG", ""))  # noqa: PTH111 - pathlib takes long to load
    return named or next(filter(os.path.exists, NAMES), NAMES[0])
