"""Facts about site generators: the files by which one is recognised, and where it keeps posts and the built site."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Generator:
    """A site generator; paths are relative to the site's folder."""

    name: str
    #: Files and folders; the site is this generator's if one of them exists.
    markers: tuple[str, ...]
    #: Top-level keys, in lower case, of a `config.toml` that is this generator's.
    keys: frozenset[str] = frozenset()
    #: Folders of posts; the first one that exists is used.
    posts: tuple[str, ...]
    #: The folder of the built site.
    output: str = "public"
    #: What has to be set in the generator for Feeds; empty if nothing.
    advice: str = ""


_HUGO_KEYS = {"baseurl", "languagecode", "defaultcontentlanguage", "publishdir", "contentdir", "theme", "params"}
_ZOLA_KEYS = {"base_url", "compile_sass", "build_search_index", "generate_feeds", "generate_feed", "slugify"}
_CONTENT = ("content/posts", "content/post", "content/blog", "content")
#: Hexo is before Jekyll, whose config file has the same name. Sources: the pages on configuration and folders of
#: gohugo.io, getzola.org, hexo.io, jekyllrb.com, 11ty.dev, docs.astro.build, docusaurus.io and docs.getpelican.com.
GENERATORS = (
    Generator(name="Zola", markers=(), keys=frozenset(_ZOLA_KEYS), posts=_CONTENT),
    Generator(
        name="Hugo",
        markers=("hugo.toml", "hugo.yaml", "hugo.yml", "hugo.json", "config/_default"),
        keys=frozenset(_HUGO_KEYS),
        posts=_CONTENT,
    ),
    Generator(name="Hexo", markers=("source/_posts",), posts=("source/_posts",)),
    Generator(
        name="Jekyll",
        markers=("_config.yml", "_config.yaml", "_config.toml"),
        posts=("_posts",),
        output="_site",
        # Jekyll keeps what begins with a name in keep_files, so a copy that was built before this is not removed.
        advice=(
            "Add to _config.yml: `exclude: [feeds.toml]` and `keep_files: [feeds, newsletters]`; then delete"
            " _site/feeds.toml, if it is there."
        ),
    ),
    Generator(
        name="Eleventy",
        markers=(".eleventy.js", "eleventy.config.js", "eleventy.config.mjs", "eleventy.config.cjs"),
        posts=("content/blog", "src/posts", "src/blog", "posts", "blog"),
        output="_site",
    ),
    Generator(
        name="Astro",
        markers=("astro.config.mjs", "astro.config.ts", "astro.config.js"),
        posts=("src/content/blog", "src/content/posts", "src/pages/posts"),
        output="dist",
    ),
    Generator(
        name="Docusaurus",
        markers=("docusaurus.config.js", "docusaurus.config.ts"),
        posts=("blog",),
        output="build",
    ),
    Generator(name="Pelican", markers=("pelicanconf.py",), posts=("content",), output="output"),
)


def recognise_config(raw: Mapping[str, Any]) -> Generator | None:
    """Return the generator whose `config.toml` has these top-level keys; None if it is not known."""
    keys = {key.lower() for key in raw}
    return next((generator for generator in GENERATORS if generator.keys & keys), None)


#: Everything that `find_generator` looks at, from the site's folder.
MARKERS = ("config.toml", *(marker for generator in GENERATORS for marker in generator.markers))


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
    return next((one for one in GENERATORS if any((folder / marker).exists() for marker in one.markers)), None)
