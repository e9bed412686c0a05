"""Settings in YAML, TOML and JSON, as tables; what cannot be read is reported and counts as empty."""

import json
import tomllib
from typing import Any

import yaml

from feeds.core.generators.site_files import SiteFacts, SiteFiles, to_table
from feeds.core.posts.handlers import UNREADABLE, TextLoader

_FENCES = {"---": "yaml", "+++": "toml"}


def read_table(site: SiteFiles, path: str, facts: SiteFacts) -> dict[str, Any]:
    """Return the table in a settings file; empty, with a problem in *facts*, if it cannot be read."""
    try:
        return parse_table(path.rpartition(".")[2], site.texts[path])
    except UNREADABLE as e:
        reason = str(e).splitlines()[0] if str(e) else type(e).__name__
        facts.problems.append(f"{path}: cannot be read ({reason}); nothing was taken from it")
        return {}


def parse_table(kind: str, text: str) -> dict[str, Any]:
    """Return the table in *text*, which is `toml`, `json` or else YAML, whose scalars stay text."""
    text = text.removeprefix("\ufeff")
    if kind == "toml":
        return tomllib.loads(text)
    if kind == "json":
        return to_table(json.loads(text))
    return to_table(yaml.load(text, TextLoader))  # noqa: S506 - TextLoader is a CSafeLoader


def read_front_matter(site: SiteFiles, path: str, facts: SiteFacts) -> dict[str, Any]:
    """Return the front matter of a page; empty without one."""
    first, _, rest = site.texts.get(path, "").removeprefix("\ufeff").partition("\n")
    kind = _FENCES.get(first.strip())
    if kind is None:
        return {}
    text = rest.partition(f"\n{first.strip()}")[0]
    return read_table(SiteFiles(paths=(), texts={f"{path}.{kind}": text}), f"{path}.{kind}", facts)
