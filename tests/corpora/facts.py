"""Calculates the facts of the labelled pairs from the blogs.

    python tests/corpora/facts.py CORPORA [--write]

CORPORA is a folder with the six blogs, at the commits that README.md names. Every pair whose facts differ from those in
`pairs.toml` is printed, and the exit code is 1; with `--write` the file is rewritten instead. Labels and notes were
written by hand and are never changed.
"""

import json
import posixpath
import sys
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from feeds.config_types import Language, TimeZone, Url
from feeds.core.curation import duplicates, series, titles
from feeds.core.posts.parse import parse_post
from feeds.core.posts.render import ComparisonText, comparison_text
from feeds.model import Post
from feeds.settings import Settings, SiteSettings

PAIRS = Path(__file__).with_name("pairs.toml")
#: The posts folder and the language of each blog.
BLOGS = {
    "digitalgov": ("digitalgov/content/news", "en"),
    "vim-jp": ("vim-jp/_posts", "ja"),
    "rust-blog": ("rust-blog/content", "en"),
    "codefor-de": ("codefor-de/content/blog", "de"),
    "opensource-guide": ("opensource-guide/_articles", "en"),
    "react-native-blog": ("react-native-blog/website/blog", "en"),
}
#: The keys of a pair: those written by hand first and last, those that are calculated between them.
_TEXTS = ("similarity", "same_numbers", "same_parts", "same_lang")
_CALCULATED = (*_TEXTS, "same_title", "like_title", "same_target", "lengths")
KEYS = ("blog", "a", "b", "label", *_CALCULATED, "note")


def source(corpora: Path, blog: str, path: str) -> tuple[str, bytes, Settings]:
    """Return the arguments for `parse_post`. A date is added to the path, since only the text matters."""
    folder, language = BLOGS[blog]
    site = SiteSettings(url=Url("https://example.com/"), timezone=TimeZone("UTC"), language=Language.parse(language))
    place, name = posixpath.split(path)
    dated = posixpath.join(place, f"2000-01-01-{name}")
    return dated, (corpora / folder / path).read_bytes(), Settings(site=site)


@cache
def post(corpora: Path, blog: str, path: str) -> Post:
    """Return a post of a blog."""
    found = parse_post(*source(corpora, blog, path))
    assert isinstance(found, Post), path
    return found


@cache
def compared(corpora: Path, blog: str, path: str) -> ComparisonText:
    """Return the text of a post for comparison."""
    return comparison_text(*source(corpora, blog, path))


def add_facts(corpora: Path, pair: dict[str, Any]) -> dict[str, Any]:
    """Return *pair* with its calculated values."""
    a, b = (post(corpora, pair["blog"], pair[name]) for name in "ab")
    one, other = (compared(corpora, pair["blog"], pair[name]) for name in "ab")
    like = duplicates.compare_texts(one, other)
    return pair | {
        "similarity": round(like.jaccard, 4),
        "same_numbers": a.digits_hash == b.digits_hash,
        "same_parts": not (like.are_parts or series.are_parts(a.title, b.title)),
        "same_lang": a.lang == b.lang,
        "same_title": titles.fold_title(a.title) == titles.fold_title(b.title),
        "like_title": titles.may_be_copies(a.title, b.title),
        "same_target": a.external_url == b.external_url,
        "lengths": [len(one.plain), len(other.plain)],
    }


def format_pairs(pairs: list[dict[str, Any]]) -> str:
    """Return *pairs* as TOML, which has the same strings, numbers and lists as JSON."""
    tables = (
        "[[pair]]\n" + "".join(f"{key} = {json.dumps(pair[key], ensure_ascii=False)}\n" for key in KEYS)
        for pair in pairs
    )
    return "\n".join(["# Labelled by hand; the numbers are calculated by facts.py. README.md says how.\n", *tables])


def main(corpora: Path, *, write: bool) -> int:
    """Compare or rewrite the file; return the exit code."""
    pairs = tomllib.loads(PAIRS.read_text("utf-8"))["pair"]
    calculated = [add_facts(corpora, pair) for pair in pairs]
    if write:
        PAIRS.write_text(format_pairs(calculated), "utf-8")
        return 0
    differing = [(old, new) for old, new in zip(pairs, calculated, strict=True) if old != new]
    for old, new in differing:
        changed = [f"{key} {old.get(key)!r} -> {new[key]!r}" for key in new if old.get(key) != new[key]]
        print(f"{new['blog']}: {new['a']} / {new['b']}: {', '.join(changed)}")  # noqa: T201 - the output of this script
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), write="--write" in sys.argv[2:]))
