"""Limits for texts that take parsers too long, or that no reader could show."""

import nh3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.core.posts import limits
from feeds.core.posts.markdown import render_markdown
from feeds.errors import PostError
from tests.core.factory import parsed, rendered


@pytest.mark.parametrize("prefix", ["", "> ", "- ", "1. "])
def test_a_table_with_many_cells_that_are_not_written_is_rejected(prefix):
    """A header of a thousand cells above a thousand rows of one letter is rejected, wherever the table is."""
    indent = "> " if prefix == "> " else " " * len(prefix)
    rows = ["|" + "a|" * 1000, "|" + "-|" * 1000, *["a"] * 1000]
    with pytest.raises(PostError, match=r"a\.md:4: its HTML is more than 20 times as long as its Markdown; the header"):
        parsed("title: A", prefix + f"\n{indent}".join(rows))


def test_a_table_of_thousands_of_columns_is_rejected():
    """A table of thousands of columns is rejected: comrak takes quadratic time for each row."""
    with pytest.raises(PostError, match="a table has more than 500 columns"):
        parsed("title: A", "|" + "a|" * 20_000 + "\n|" + "-|" * 20_000 + "\n|" + "a|" * 20_000)


def test_large_tables_are_published():
    """A table of 50,000 written cells is published, and so are many short tables."""
    wide = "|" + "a|" * 100 + "\n|" + "-|" * 100 + "\n" + ("|" + "a|" * 100 + "\n") * 500
    assert rendered("title: A", wide).html.count("<td>") == 50_000
    many = "a|b|c|d\n-|-|-|-\na\n\nText.\n\n" * 3000
    assert rendered("title: A", many).html.count("<table>") == 3000


@pytest.mark.parametrize("heading", ["# A, B\n", "## a *b*\n\n", "a b\n---\n", "> # A  b!\n>\n"])
def test_thousands_of_equal_headings_have_no_ids(heading):
    """Headings of one name more than a thousand times are rendered without ids, which comrak would have to number."""
    assert render_markdown(heading * 1002).count(' id="') == 0
    assert render_markdown(heading * 600).count(' id="') == 600


def test_thousands_of_different_headings_have_ids():
    """The headings of a long glossary keep their ids."""
    assert render_markdown("".join(f"# a{n}\n" for n in range(3000))).count(' id="') == 3000


@pytest.mark.parametrize("address", ["a@b.c ", "xmpp:a@b.c ", "x mailto:a@b.c, "])
def test_thousands_of_addresses_in_one_line_are_not_linked(address):
    """A line of 100,000 mail addresses is rendered without links; bare comrak would end the process."""
    assert "<a" not in render_markdown(address * 100_000)
    assert render_markdown(f"{address * 900}\n" * 3).count("<a") == 2700


TEXTS = st.lists(
    st.sampled_from(
        [
            "&",
            "&amp;",
            "a",
            "<b>",
            "</b>",
            "<a title='&&>&'>",
            "<!-- & -->",
            "&#65;",
            "&lt",
            "\n",
            "\xa0",
            "\x85",
            "°",
            "> ",
            "< ",
        ]
    )
)


@given(TEXTS, st.integers(1, 800))
def test_a_text_that_is_divided_is_the_same_when_it_is_sanitised(pieces, times):
    """The comments that divide a text with many character references leave no trace."""
    html = "".join(pieces) * times
    assert nh3.clean(limits.divide_texts(html)) == nh3.clean(html)


@pytest.mark.parametrize(
    "html",
    [
        "<dl><dd>" * 5000,
        "<b></i>" * 5000,
        "<a " + " ".join(f"a{n}" for n in range(5000)) + ">x</a>",
        "<div " + " ".join(f"a{n}" for n in range(5000)),
    ],
)
@pytest.mark.parametrize("path", ["2026-01-02-a.md", "2026-01-02-a.html", "2026-01-02-a.mdx"])
def test_html_that_takes_parsers_too_long_is_rejected_when_it_is_read(path, html):
    """Deep elements and elements of thousands of attributes are rejected with file and line, also if never shown."""
    with pytest.raises(PostError, match=r"2026-01-02-a\.\w+:4: (quotations|an element)"):
        parsed("title: A", html, path=path)
