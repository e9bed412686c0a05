"""Measures how the time for one post grows with its length, for shapes that are hard on parsers.

    python bench/growth.py [--sizes 10000,100000,1000000] [--write] [NAME ...]

Each shape is a post of so many characters, mostly one piece repeated. The time is that of the processor for all that is done
with a post: reading it, rendering it for feeds and letters, comparing it, checking its links, changing its tags. The last
column is the result: the post is published, or it is rejected for a reason. --write puts the table into bench/README.md.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import page  # noqa: E402 - a script beside this one

from feeds.config import load_config  # noqa: E402 - the package is next to this folder
from feeds.core.curation import duplicates  # noqa: E402 - as above
from feeds.core.newsletters import anchors, mailhtml, text_links, text_part, truncation  # noqa: E402 - as above
from feeds.core.posts import markdown, parse, render, retag  # noqa: E402 - as above
from feeds.errors import PostError  # noqa: E402 - as above
from feeds.model import Post  # noqa: E402 - as above
from feeds.settings import Settings  # noqa: E402 - as above

#: A larger size is not measured after one that took so many seconds.
_TOO_LONG = 10
_HEAD = "title: T\ndate: 2026-01-01\n"
_TOML_HEAD = "title = 'T'\ndate = '2026-01-01'\n"
_SENTENCE = "Lorem ipsum dolor sit amet, consectetur adipiscing elit, and so on it goes forever. "

Make = Callable[[int], str]


def _repeat(piece: str, size: int) -> str:
    return (piece * (size // len(piece) + 1))[:size]


def _lines(line: Callable[[int], str], size: int) -> str:
    parts, length = [], 0
    while length < size:
        parts.append(line(len(parts)))
        length += len(parts[-1])
    return "".join(parts)


def _body(make: Make) -> Make:
    return lambda size: f"---\n{_HEAD}---\n{make(size)}"


def _yaml(make: Make) -> Make:
    return lambda size: f"---\n{_HEAD}{make(_below_limit(size))}\n---\nText.\n"


def _toml(make: Make) -> Make:
    return lambda size: f"+++\n{_TOML_HEAD}{make(_below_limit(size))}\n+++\nText.\n"


def _json(make: Make) -> Make:
    return lambda size: f'{{"title": "T", "date": "2026-01-01"{make(_below_limit(size))}}}\nText.\n'


def _pelican(make: Make) -> Make:
    return lambda size: f"Title: T\nDate: 2026-01-01\n{make(_below_limit(size))}\nText.\n"


def _below_limit(size: int) -> int:
    """Return the size of front matter that is not rejected for its length alone."""
    return min(size, 99_000)


def _pieces() -> Iterator[tuple[str, Make]]:
    """Yield the shapes that are one piece repeated."""
    markdown_pieces = "# a\n|a\n---\n|&|\xa0|[|[a](|![|[^a]|*a **a |_*|`|<|\\|> |- a\n|* a\n\n|a  \n|http://a |a@b.c |a. |(a. |「|、|… "
    html_pieces = (
        "<dl><dd>|<div>|<ul><li>|<p>|<p><b>|<b></i>|<rp>|<pre>|<table><tr><td>|<table>a|<h1>|<svg>|<!--|<a><div>|<x-y>"
    )
    others = "🇩🇪|e\u0301|漢字。|{{|{|a\n---END---\n|[a](b) |![a](b) "
    for piece in f"{markdown_pieces}|{html_pieces}|{others}".split("|"):
        yield f"`{piece!r}`", _body(lambda size, piece=piece: _repeat(piece, size))


def _marked() -> Iterator[tuple[str, Make]]:
    """Yield shapes of the body whose pieces differ."""
    yield "cells of one table", _body(lambda n: f"{'a|' * (n // 4)}\n{'-|' * (n // 4)}\n")
    yield (
        "short rows of a wide table",
        _body(lambda n: f"{'a|' * (n // 8)}\n{'-|' * (n // 8)}\n{_repeat('a' + chr(10), n // 2)}"),
    )
    yield "headings of one name", _body(lambda n: _lines(lambda i: f"# a\n# a-{i}\n", n))
    yield "headings of many names", _body(lambda n: _lines(lambda i: f"# a{i}\n", n))
    yield "footnotes", _body(lambda n: _lines(lambda i: f"a[^{i}]\n\n[^{i}]: a\n\n", n))
    yield "reference links", _body(lambda n: _lines(lambda i: f"[a{i}]\n\n[a{i}]: /b\n\n", n))
    yield "attributes of one element", _body(lambda n: f"<a {_lines(lambda i: f'a{i} ', n)}>x</a>")
    yield "attributes of an open tag", _body(lambda n: f"<div {_lines(lambda i: f'a{i} ', n)}")
    yield "attributes of the document", _body(lambda n: _lines(lambda i: f"<html a{i}>", n))
    yield "`&` in an attribute", _body(lambda n: f"<a title='{_repeat('&', n)}'>x</a>")
    yield "formatting left open", _body(lambda n: _lines(lambda i: f"<p><font a{i}>", n))
    yield "elements closed properly", _body(lambda n: "<div>" * (n // 11) + "</div>" * (n // 11))
    yield "elements of 100 levels", _body(lambda n: _repeat("<div>" * 98 + "</div>" * 98 + "\n\n", n - n % 1080))
    yield "words between cells", _body(lambda n: "<table>" + _repeat("a<b>x</b>", n))
    yield "one long sentence", _body(lambda n: _repeat("lorem ipsum ", n))
    yield "one paragraph again and again", _body(lambda n: _repeat(_SENTENCE + "\n\n", n))
    yield (
        "two drafts",
        _body(lambda n: 2 * (_lines(lambda i: f"Sentence number {i} is here. ", n // 2) + "\n\n---END---\n\n")),
    )
    yield (
        "drafts that go on",
        _body(lambda n: _lines(lambda i: f"Sentence {i} ends.\n\n---END---\n\n...here {i}, ends.\n\n", n)),
    )
    yield "answers in two drafts", _body(lambda n: 2 * (_repeat("Yes.\n\n", n // 2) + "---END---\n\n"))
    yield "footnotes left open in drafts", _body(lambda n: "a\n\n---END---\n\n" + _repeat("a.[^", n))


def _fronts() -> Iterator[tuple[str, Make]]:
    """Yield shapes of the front matter."""
    yield "YAML: unknown keys", _yaml(lambda n: _lines(lambda i: f"authr{i}: 1\n", n))
    yield "YAML: repeated keys", _yaml(lambda n: _lines(lambda i: f"authr{i // 2}: 1\n", n))
    yield "YAML: files", _yaml(lambda n: "audio:\n" + _lines(lambda i: f"- a.{i}\n", n))
    yield "TOML: unknown keys", _toml(lambda n: _lines(lambda i: f"last_modifiedat_{i}=1\n", n))
    yield "TOML: a key of many parts", _toml(lambda n: _repeat("a.", n) + "a=1")
    yield "TOML: a table of many parts", _toml(lambda n: "[" + _repeat("a.", n) + "a]")
    yield "TOML: tags", _toml(lambda n: f"tags = [{_lines(lambda i: f'{chr(39)}a{i}{chr(39)},', n)}]")
    yield "JSON: unknown keys", _json(lambda n: _lines(lambda i: f',"authr{i}":1', n))
    yield "JSON: repeated keys", _json(lambda n: _lines(lambda i: f',"authr{i // 2}":1', n))
    yield "JSON: tags", _json(lambda n: ',"tags":["a"' + _lines(lambda i: f',"a{i}"', n) + "]")
    yield "Pelican: unknown keys", _pelican(lambda n: _lines(lambda i: f"authr{i}: 1\n", n))
    yield "TOML beyond the limit", lambda n: f"+++\n{_TOML_HEAD}{_repeat('a.', n)}a=1\n+++\nText.\n"


SHAPES: dict[str, Make] = {**dict(_pieces()), **dict(_marked()), **dict(_fronts())}


def _settings() -> Settings:
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "config.toml"
        config.write_text('[site]\ntitle = "B"\nurl = "https://bench.example/"\n[posts]\nfolder = "."\n', "utf-8")
        return load_config(config, {}).settings


SETTINGS = _settings()


def process(content: bytes) -> str:
    """Do all that is done with one post; return the result in a few words."""
    path, base = "a.md", "https://bench.example/a/"
    try:
        post = parse.parse_post(path, content, SETTINGS)
        rendered = render.render_post(path, content, SETTINGS)
        compared = render.comparison_text(path, content, SETTINGS)
    except PostError as e:
        return f"rejected: {e.reason}"
    duplicates.compare_texts(compared, compared._replace(plain=f"{compared.plain} more"))
    markdown.sanitize_html(rendered.html, base)
    truncation.truncate_blocks(mailhtml.render_mail_html(rendered.html, base, mailhtml.MailStyle()), 100_000)
    prepared = mailhtml.prepare_html(rendered.html, base)
    text_part.set_text(prepared, text_links.LinkNumbers(), page=base, picture="Picture: {alt}")
    if isinstance(post, Post):
        anchors.find_anchors(post, rendered.html)
    try:
        retag.retag(content, path, lambda tag: tag.upper())
    except PostError:
        return "published; its tags have to be changed by hand"
    return "published"


def measure(make: Make, size: int) -> tuple[float, str]:
    """Return the seconds of the processor for a post of this size, and the result."""
    content = make(size).encode()
    start = time.process_time()
    result = process(content)
    return time.process_time() - start, result


def _rows(names: list[str], sizes: list[int]) -> Iterator[str]:
    yield f"| shape | {' | '.join(f'{size:,}' for size in sizes)} | result |"
    yield f"|---|{'---:|' * len(sizes)}---|"
    for name in names:
        cells, seconds, result = [], 0.0, ""
        for size in sizes:
            if seconds < _TOO_LONG:
                seconds, result = measure(SHAPES[name], size)
                cells.append(f"{seconds:.3f}")
        yield f"| {name} | {' | '.join(cells + ['more'] * (len(sizes) - len(cells)))} | {result} |"


def main() -> None:
    """Print the table; with --write, put it into the README."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--sizes", default="10000,100000,1000000")
    options.add_argument("--write", action="store_true")
    options.add_argument("names", nargs="*", metavar="NAME")
    given = options.parse_args()
    sizes = [int(size) for size in given.sizes.split(",")]
    measure(SHAPES["one long sentence"], sizes[0])  # loads all modules
    rows = []
    for row in _rows(given.names or list(SHAPES), sizes):
        print(row, flush=True)
        rows.append(row)
    if given.write:
        about = f"{datetime.now(UTC):%Y-%m-%d}, Python {sys.version.split()[0]}; seconds of one processor.\n\n"
        page.written(about + "\n".join(rows) + "\n", HERE / "README.md", "growth")


if __name__ == "__main__":
    main()
