"""The text of a post in pages as site generators make them."""

from pathlib import Path

import pytest

from feeds.core.posts.built.content import extract_content
from feeds.core.posts.built.own_text import own_text
from feeds.core.posts.built.words import split_words
from feeds.core.posts.markdown import sanitize_html
from feeds.core.posts.post_file import PostFile
from feeds.core.posts.text import text_content
from tests.core.factory import SETTINGS

BASE = "https://example.com/2026/a/"
#: A post with most of what a post can have.
SOURCE = """
Bread wants time more than it wants work. This is how we bake on Fridays, with a dough that rests overnight.[^1]

## What you need

Five hundred grams of flour, a little salt, and water that is *not* too warm.

- a large bowl
- a scale that knows grams

```python
def rest(hours):
    return "longer" if hours < 12 else "enough"
```

![The dough after a night](/img/dough.jpg)

> Patience is the cheapest ingredient of all.

The oven is hot when a drop of water dances on its floor.

[^1]: Overnight means twelve hours, at least in winter.
"""
FRONT = """title: Bread on Fridays
date: 2026-11-20
author: Ada Miller
tags: [bread, kitchen]
description: A dough that rests."""


def own(source=SOURCE, front=FRONT, path="a.md"):
    file = PostFile(path, f"---\n{front}\n---\n{source}".encode(), SETTINGS)
    return own_text(file, file.read_title())


def shown(page, source=SOURCE, selector="", **given):
    """Return the sanitised HTML of the text in a page, or fail."""
    found = extract_content(page.encode(), own(source, **given), selector)
    assert not found.problem
    return sanitize_html(found.html, BASE)


def problem(page, source=SOURCE, selector=""):
    return extract_content(page.encode(), own(source), selector).problem


#: What the text is in every page below.
WORDS = split_words(
    "Bread wants time more than it wants work. This is how we bake on Fridays, with a dough that rests overnight. 1"
    " What you need Five hundred grams of flour, a little salt, and water that is not too warm. a large bowl"
    " a scale that knows grams def rest(hours): return longer if hours < 12 else enough"
    " Patience is the cheapest ingredient of all. The oven is hot when a drop of water dances on its floor."
    " Overnight means twelve hours, at least in winter."
)
CODE = """<pre><code class="language-python">def rest(hours):
    return "longer" if hours &lt; 12 else "enough"</code></pre>"""
#: A page as each generator makes it of the post, with a theme that is usual there.
PAGES = {file.stem: file.read_text("utf-8") for file in sorted((Path(__file__).parent / "pages").glob("*.html"))}


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
def test_the_words_of_an_entry_are_those_of_the_text_in_the_page(page):
    """In a page as each generator makes it, the text has all words of the post and none of the rest of the page."""
    assert split_words(text_content(shown(page))) == WORDS
    assert 'src="https://example.com/img/dough.jpg"' in shown(page)


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
def test_code_stays_and_its_colours_go(page):
    """Code keeps its lines and language, and has no numbers, colours and buttons."""
    html = shown(page)
    assert CODE in html.replace("\n</code>", "</code>")
    assert html.count("<pre") == 1


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
def test_nothing_but_the_post_is_left(page):
    """No link leads to a heading or a footnote of the page, and only the picture of the post is left."""
    html = shown(page)
    assert html.count("<img") == 1
    assert "#" not in html.replace("&#", "")
