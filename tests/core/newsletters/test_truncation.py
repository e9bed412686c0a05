"""Truncating the HTML of long posts."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.core.newsletters.mailhtml import MailStyle, prepare_html, render_mail_html
from feeds.core.newsletters.truncation import truncate_alike, truncate_blocks
from feeds.core.posts.markdown import render_markdown
from feeds.core.posts.text import parse_html, text_content

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


ROWS = "| One | Two | Three |\n|---|---|---|\n" + "| word word | *words* of a cell | 12 |\n" * 40


@pytest.mark.parametrize("size", range(1500, 4500, 97))
@pytest.mark.parametrize("markdown", [ROWS, "> " + ROWS.replace("\n", "\n> "), f"<div>\n\n{ROWS}\n</div>"])
def test_a_row_of_a_cut_table_has_all_its_cells(markdown, size):
    """A table ends between two rows, wherever it is."""
    kept, cut = truncate_blocks(rendered(markdown), size)
    assert cut
    assert {len(row.findall("td")) or len(row.findall("th")) for row in parse_html(kept).iter("tr")} <= {3}
    last = list(parse_html(kept).iter("td"))[-3:]
    assert [cell.text_content() for cell in last] in (["Oneword word", "Twowords of a cell", "Three12"], WHOLE_ROW, [])


WHOLE_ROW = ["word word", "words of a cell", "12"]


def test_a_row_that_is_longer_than_the_letter_keeps_its_cells():
    """It is cut inside of a cell; the cells after that are empty."""
    html = "<table><tr><td>a</td><td>" + "word " * 400 + "</td><td>b</td><td>c</td></tr></table>"
    kept, _ = truncate_blocks(html, 1000)
    assert len(kept.encode()) <= 1000
    assert [bool(cell.text_content()) for cell in parse_html(kept).iter("td")] == [True, True, False, False]


@pytest.mark.parametrize("introduction", ["## Next", "What you need:", "要るもの：", "## Next\n\nWhat you need:"])
@pytest.mark.parametrize("around", ["{}", "<div>\n\n{}\n\n</div>"])
def test_nothing_introduces_what_is_left_out(introduction, around):
    """A heading or a sentence with a colon is not the end of a letter whose next block does not fit."""
    html = rendered(around.format(f"{'word ' * 100}\n\n{introduction}\n\n- {'item ' * 300}"))
    at = len(html[: html.index("<ul")].encode())
    for size in range(at + 6, at + 60, 7):
        kept, cut = truncate_blocks(html, size)
        assert cut
        assert text_content(kept).rstrip("…").endswith("word")


PARTS = {
    "paragraphs": "word *words* [words](/a)\n\n" * 60,
    "one paragraph": "word **words** [words](/a) " * 200,
    "lists": "- word\n  - words\n" * 60,
    "tasks": "- [ ] word\n\n- [x] words\n\n" * 40,
    "a table of cards": ROWS,
    "Japanese": "言葉を\n書く。" * 200,
    "headings and quotations": "## Head\n\n> words words\n\n" * 40,
}


@pytest.mark.parametrize("size", range(1000, 3000, 211))
@pytest.mark.parametrize("markdown", PARTS.values(), ids=PARTS)
def test_the_text_part_ends_where_the_html_does(markdown, size):
    """The post without styles is cut at the character at which the one with styles was cut."""
    html = rendered(markdown)
    kept, cut = truncate_blocks(html, size)
    assert cut
    plain = truncate_alike(prepare_html(render_markdown(markdown), BASE), kept)
    assert without_styles(plain) == without_styles(re.sub(r'<b class="h"[^>]*>\w+ </b>', "", kept))


def without_styles(html):
    """Return the letters of a text, without the boxes of tasks."""
    return re.sub(r"[\s☐☑…]", "", text_content(html))


@given(st.text(max_size=200), st.integers(1, 300))
def test_the_text_part_of_any_post_is_the_beginning_of_it(markdown, size):
    """Whatever is kept of the HTML, the text part is a beginning of the post."""
    prepared = prepare_html(render_markdown(markdown), BASE)
    kept, _ = truncate_blocks(rendered(markdown), size)
    assert without_styles(prepared).startswith(without_styles(truncate_alike(prepared, kept)))
