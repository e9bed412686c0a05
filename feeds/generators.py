"""Facts about site generators: the files by which one is recognised."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Generator:
    """A site generator; paths are relative to the site's folder."""

    name: str
    #: Files and folders; the site is this generator's if one of them exists.
    markers: tuple[str, ...] = ()
    #: Files; the site is this generator's if one of them has such a text.
    texts: Mapping[str, re.Pattern[str]] = field(default_factory=dict)
    #: Files; if one of them exists, the markers are those of another generator.
    excluded_by: tuple[str, ...] = ()
    #: Top-level keys, in lower case, of a `config.toml` that is this generator's.
    keys: frozenset[str] = frozenset()


_HUGO_KEYS = {"baseurl", "languagecode", "defaultcontentlanguage", "publishdir", "contentdir", "theme", "params"}
_ZOLA_KEYS = {"base_url", "compile_sass", "build_search_index", "generate_feeds", "generate_feed", "slugify"}
_HUGO_YAML = re.compile(r"^\s*[\"']?baseurl[\"']?\s*:", re.IGNORECASE | re.MULTILINE)
_MODULES = ("js", "ts", "mjs", "mts", "cjs", "cts")
#: Hexo is before Jekyll, whose config file has the same name; Octopress, which is a Jekyll, has Hexo's folder. Sources:
#: the pages on configuration and folders of gohugo.io, getzola.org, hexo.io, jekyllrb.com, 11ty.dev, docs.astro.build,
#: docusaurus.io and docs.getpelican.com.
GENERATORS = (
    Generator(name="Zola", markers=("zola.toml",), keys=frozenset(_ZOLA_KEYS)),
    Generator(
        name="Hugo",
        markers=("hugo.toml", "hugo.yaml", "hugo.yml", "hugo.json", "config/_default"),
        texts=dict.fromkeys(("config.yaml", "config.yml", "config.json"), _HUGO_YAML),
        keys=frozenset(_HUGO_KEYS),
    ),
    Generator(name="Hexo", markers=("source/_posts",), excluded_by=("Gemfile",)),
    Generator(name="Jekyll", markers=("_config.yml", "_config.yaml", "_config.toml")),
    Generator(
        name="Eleventy",
        markers=(".eleventy.js", *(f"eleventy.config.{kind}" for kind in ("js", "mjs", "cjs", "ts"))),
        texts={"package.json": re.compile(r'"@11ty/eleventy"\s*:')},
    ),
    Generator(name="Astro", markers=tuple(f"astro.config.{kind}" for kind in _MODULES)),
    Generator(name="Docusaurus", markers=tuple(f"docusaurus.config.{kind}" for kind in _MODULES)),
    Generator(name="Pelican", markers=("pelicanconf.py",)),
)


def recognise_config(raw: Mapping[str, Any]) -> Generator | None:
    """Return the generator whose `config.toml` has these top-level keys; None if it is not known."""
    keys = {key.lower() for key in raw}
    return next((generator for generator in GENERATORS if generator.keys & keys), None)


#: Everything that `find_generator` looks at, from the site's folder.
MARKERS = (
    "config.toml",
    *(path for generator in GENERATORS for path in (*generator.markers, *generator.texts, *generator.excluded_by)),
)


def find_generator(folder: Path) -> Generator | None:
    """Return the generator of the site in *folder*, by its `config.toml` or its other files; None if not known."""
    return recognise_config(read_config(folder)) or recognise_site(folder)


def read_config(folder: Path) -> dict[str, Any]:
    """Return the tables of the `config.toml` in *folder*; none if there is no such file, or it is not TOML."""
    try:
        return tomllib.loads((folder / "config.toml").read_text("utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        return {}


def recognise_site(folder: Path) -> Generator | None:
    """Return the generator of the site in *folder* by its files; None if there are none that are known."""
    try:
        names = {path.name for path in folder.iterdir()}
    except OSError:
        return None
    return next((one for one in GENERATORS if any(_marks(folder, names, one))), None)


def _marks(folder: Path, names: set[str], generator: Generator) -> Iterator[bool]:
    """Yield whether each file of a generator is there; *names* are those in *folder*."""
    if names.intersection(generator.excluded_by):
        return
    for marker in generator.markers:
        yield marker in names or ("/" in marker and marker.partition("/")[0] in names and (folder / marker).exists())
    for name in names.intersection(generator.texts):
        try:
            yield generator.texts[name].search((folder / name).read_text("utf-8-sig")) is not None
        except (OSError, ValueError):
            continue
