"""Reckons the facts of the labelled pairs again from the blogs themselves.

    python tests/corpora/facts.py CORPORA [--write]

CORPORA is a folder with the six blogs side by side, at the commits that README.md names. Every pair whose facts are
no longer those in `pairs.toml` is printed, and the exit code is 1; with `--write` the file is rewritten instead. The
labels and notes are a person's; nothing here changes them.
"""

import json
import posixpath
import re
import sys
import tomllib
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

from feeds.core.posts import markdown, read, text
from feeds.model import Post
from feeds.settings import Language, Settings, Site, Url, Zone

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
_RECKONED = ("similarity", "same_digits", "same_lang", "same_title", "same_target", "lengths")
KEYS = ("blog", "a", "b", "label", *_RECKONED, "note")
#: Characters in a shingle.
SHINGLE = 5


@cache
def post(corpora: Path, blog: str, path: str) -> Post:
    """Return one post of a blog; those that have no date get one, since only their text is looked at."""
    folder, language = BLOGS[blog]
    site = Site(url=Url("https://example.com/"), timezone=Zone("UTC"), language=Language.parse(language))
    place, name = posixpath.split(path)
    dated = posixpath.join(place, f"2000-01-01-{name}")
    found = read.understand(dated, (corpora / folder / path).read_bytes(), Settings(site=site))
    assert isinstance(found, Post), path
    return found


@cache
def plain(body: str) -> str:
    """Return the text of a post as it is shown."""
    return text.plain(text.blocks(markdown.to_html(body)))


@cache
def shingles(normal: str) -> frozenset[str]:
    """Return every run of characters as long as a shingle."""
    return frozenset(normal[at : at + SHINGLE] for at in range(len(normal) - SHINGLE + 1))


def similarity(a: str, b: str) -> float:
    """Return the Jaccard index of the shingles of two normalised texts; 1 for two that have none."""
    first, second = shingles(a), shingles(b)
    return round(len(first & second) / len(first | second), 4) if first | second else 1.0


def facts(corpora: Path, pair: dict[str, Any]) -> dict[str, Any]:
    """Return *pair* with what can be reckoned."""
    a, b = (post(corpora, pair["blog"], pair[name]) for name in "ab")
    written = [plain(a.body), plain(b.body)]
    normal = [text.normal(found) for found in written]
    digits = [Counter(re.findall(r"\d+", found)) for found in written]
    return pair | {
        "similarity": similarity(*normal),
        "same_digits": digits[0] == digits[1],
        "same_lang": a.lang == b.lang,
        "same_title": a.title == b.title,
        "same_target": a.target == b.target,
        "lengths": [len(found) for found in normal],
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
