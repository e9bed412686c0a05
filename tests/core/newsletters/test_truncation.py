"""Truncating the HTML of long posts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.core.newsletters.mailhtml import MailStyle, render_mail_html
from feeds.core.newsletters.truncation import truncate_blocks
from feeds.core.posts.markdown import render_markdown
from feeds.core.posts.text import text_content

BASE = "https://example.com/a/"


def rendered(markdown):
    return render_mail_html(render_markdown(markdown), BASE, MailStyle())


@given(st.text(max_size=200), st.integers(1, 300))
def test_truncated_html_fits(markdown, size):
    """A truncated text fits into the size; a text that is not truncated is unchanged."""
    html = rendered(markdown)
    kept, cut = truncate_blocks(html, size)
    assert len(kept.encode()) <= size or not cut
    assert cut or kept == html


def test_a_cut_falls_between_paragraphs():
    """A text is truncated between paragraphs if they are short."""
    kept, cut = truncate_blocks("<p>one</p><p>two</p><p>three</p>", 25)
    assert (kept, cut) == ("<p>one</p><p>two</p>", True)


WORDS = "word & <words> "
LONG = {
    "one paragraph": WORDS * 4_000,
    "a heading and one paragraph": "# Heading\n\n" + WORDS * 4_000,
    "a paragraph with emphasis and links": "**word** [words](/a) " * 3_000,
    "a paragraph in a script without spaces": "言葉を書く。" * 4_000,
    "a word that never ends": "x" * 60_000,
    "a list": "- words\n" * 6_000,
    "a table": "| a | b |\n|---|---|\n" + "| word | words |\n" * 4_000,
    "code": "```\n" + "print('words')\n" * 4_000 + "```",
    "lines with breaks": "a<br>" * 12_000,
    "bold letters": "**a** " * 12_000,
    "a quotation": "> words\n>\n" * 6_000,
    "all of it in a div": "<div>\n\n" + "words\n\n" * 6_000 + "</div>",
    "boxes in boxes": "<div>" * 200 + "words " * 10_000 + "</div>" * 200,
    "emoji of several characters": "👩‍👩‍👧‍👦" * 4_000,
}


@pytest.mark.parametrize("markdown", LONG.values(), ids=LONG)
def test_a_block_that_is_longer_than_a_letter_is_cut_inside(markdown):
    """One block that is longer than a letter fills the room, and ends at a word."""
    html = rendered(markdown)
    kept, cut = truncate_blocks(html, 10_000)
    assert cut
    assert len(kept.encode()) <= 10_000
    assert len(kept.encode()) > 9_000
    full, part = text_content(html), text_content(kept).removesuffix("…").rstrip()
    assert full.startswith(part)
    assert not part.endswith("\u200d")


@given(
    st.lists(
        st.sampled_from(
            ["<b>", "</b>", "<p>", "</p>", "<ul><li>", "</ul>", "<br>", "a & b", "&nbsp;", "日本", "<img src='/a.png'>"]
        ),
        max_size=40,
    ).map("".join),
    st.integers(0, 2000),
)
def test_whatever_a_post_holds_its_beginning_fits(html, size):
    """Of any markup, the part that is kept fits, and is the beginning of the text."""
    whole = render_mail_html(html, BASE, MailStyle())
    kept, cut = truncate_blocks(whole, size)
    assert len(kept.encode()) <= size or not cut
    assert text_content(whole).replace(" ", "").startswith(text_content(kept).removesuffix("…").replace(" ", ""))
