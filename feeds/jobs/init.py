"""Create a working site: a copy of the sample."""

import json
import re
import shutil
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from feeds.config_types import Url
from feeds.edges.files import resources
from feeds.errors import FeedsError


def create_site(folder: Path, *, title: str | None, url: str | None, now: datetime) -> list[str]:
    """Copy the sample site to *folder*; return the names of what was written.

    With *url*, the tagging authority for new ids is frozen to its host and the year of *now*.

    Raises:
        FeedsError: the folder has a config or posts already, or cannot be written.
    """
    for name in ("config.toml", "posts"):
        if (folder / name).exists():
            raise FeedsError(f"{folder / name} already exists; name an empty folder: feeds init DIR")
    sample = resources.resource_folder()
    text = _adapt((sample / "config.toml").read_text("utf-8"), title, url, now)
    try:
        shutil.copytree(sample / "posts", folder / "posts")
        (folder / "config.toml").write_text(text, "utf-8")
    except OSError as e:
        raise FeedsError(f"{folder}: cannot be written: {e.strerror or e}") from e
    return ["config.toml", "posts/"]


def _adapt(text: str, title: str | None, url: str | None, now: datetime) -> str:
    if title is not None:
        text = _set_value(text, "title", " ".join(title.split()))
    if url is not None:
        try:
            parsed = Url.parse(url)
        except ValueError as e:
            raise FeedsError(f"--url: {e}") from e
        text = _set_value(text, "url", parsed)
        text = _set_value(text, "id_authority", f"{urlsplit(parsed).hostname},{now.year}")
    return text


def _set_value(text: str, key: str, value: str) -> str:
    """Return TOML *text* with its first *key* set to *value*; comments stay."""
    quoted = json.dumps(value, ensure_ascii=False)  # a JSON string is a TOML string
    return re.sub(rf'^({key} *= *)"[^"]*"', lambda match: match[1] + quoted, text, count=1, flags=re.MULTILINE)
