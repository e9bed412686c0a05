"""Reckons the facts of the labelled pairs again from the blogs themselves.

    python tests/corpora/facts.py CORPORA [--write]

CORPORA is a folder with the six blogs side by side, at the commits that README.md names. Every pair whose facts are
no longer those in `pairs.toml` is printed, and the exit code is 1; with `--write` the file is rewritten instead. The
labels and notes are a person's; nothing here changes them.
"""

import json
import posixpath
import sys
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from feeds.config_types import Language, TimeZone, Url
from feeds.core.curation import duplicates
from feeds.core.posts import parse, text
from feeds.model import Post
from feeds.settings import Settings, SiteSettings

PAIRS = Path(__file__).with_name("pairs.toml")
#: Where each blog keeps its posts, and the language it is written in.
BLOGS = {
    "digitalgov": ("digitalgov/content/news", "en"),
    "vim-jp": ("vim-jp/_posts", "ja"),
    "rust-blog": ("rust-blog/content", "en"),
    "codefor-de": ("codefor-de/content/blog", "de"),
    "opensource-guide": ("opensource-guide/_articles", "en"),
    "react-native-blog": ("react-native-blog/website/blog", "en"),
}
#: What is said of each pair: a person's words first and last, what can be reckoned between them.
_RECKONED = ("similarity", "same_numbers", "same_lang", "same_title", "same_target", "lengths")
KEYS = ("blog", "a", "b", "label", *_RECKONED, "note")


def content(corpora: Path, blog: str, path: str) -> tuple[str, bytes, Settings]:
    """Return what reading one post takes; one that has no date gets one, since only its text is looked at."""
    folder, language = BLOGS[blog]
    site = SiteSettings(url=Url("https://example.com/"), timezone=TimeZone("UTC"), language=Language.parse(language))
    place, name = posixpath.split(path)
    dated = posixpath.join(place, f"2000-01-01-{name}")
    return dated, (corpora / folder / path).read_bytes(), Settings(site=site)


@cache
def post(corpora: Path, blog: str, path: str) -> Post:
    """Return one post of a blog."""
    found = parse.parse_post(*content(corpora, blog, path))
    assert isinstance(found, Post), path
    return found


@cache
def plain(corpora: Path, blog: str, path: str) -> str:
    """Return its text as texts are compared."""
    return parse.comparison_text(*content(corpora, blog, path))


def facts(corpora: Path, pair: dict[str, Any]) -> dict[str, Any]:
    """Return *pair* with what can be reckoned."""
    a, b = (post(corpora, pair["blog"], pair[name]) for name in "ab")
    one, other = (plain(corpora, pair["blog"], pair[name]) for name in "ab")
    return pair | {
        "similarity": round(duplicates.compare_texts(one, other).jaccard, 4),
        "same_numbers": a.digits_hash == b.digits_hash,
        "same_lang": a.lang == b.lang,
        "same_title": text.normalize(a.title).casefold() == text.normalize(b.title).casefold(),
        "same_target": a.external_url == b.external_url,
        "lengths": [len(one), len(other)],
    }


def written(pairs: list[dict[str, Any]]) -> str:
    """Return *pairs* as TOML; strings, numbers and lists of JSON are TOML's too."""
    tables = (
        "[[pair]]\n" + "".join(f"{key} = {json.dumps(pair[key], ensure_ascii=False)}\n" for key in KEYS)
        for pair in pairs
    )
    return "\n".join(["# Labelled by hand; the numbers are reckoned by facts.py. README.md says how.\n", *tables])


def main(corpora: Path, *, write: bool) -> int:
    """Compare or rewrite the file; return the exit code."""
    pairs = tomllib.loads(PAIRS.read_text("utf-8"))["pair"]
    reckoned = [facts(corpora, pair) for pair in pairs]
    if write:
        PAIRS.write_text(written(reckoned), "utf-8")
        return 0
    differing = [(old, new) for old, new in zip(pairs, reckoned, strict=True) if old != new]
    for old, new in differing:
        changed = [f"{key} {old.get(key)!r} -> {new[key]!r}" for key in new if old.get(key) != new[key]]
        print(f"{new['blog']}: {new['a']} / {new['b']}: {', '.join(changed)}")  # noqa: T201 - this is its answer
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), write="--write" in sys.argv[2:]))
