"""HTML of posts on the web page of an issue."""

import re

import pytest

from feeds.core.newsletters.pagehtml import render_page_html
from feeds.core.posts.markdown import render_markdown, to_html

BASE = "https://example.com/post/"


def rendered(html, below=1):
    return render_page_html(html, BASE, below=below)


@pytest.mark.parametrize("side", ["left", "center", "right"])
def test_the_alignment_of_a_column_is_a_class(side):
    """The alignment of a Markdown column becomes a class, not the obsolete attribute or a style."""
    marks = {"left": ":--", "center": ":-:", "right": "--:"}
    html = rendered(render_markdown(f"| a |\n|{marks[side]}|\n| 1 |\n"))
    assert (f'<td class="{side}">1</td>' in html, "align=" in html, "style" in html) == (True, False, False)


@pytest.mark.parametrize("markdown", ["- [x] done\n\n- b", "1. [ ] done\n\n2. [ ] b", "- a\n\n  - [x] done\n\n  - b"])
def test_the_box_of_a_task_is_on_the_line_of_its_text(markdown):
    """Where items are paragraphs, the box is inside the paragraph."""
    assert re.search(r"<p><input[^>]*> done</p>", rendered(render_markdown(markdown)))


@pytest.mark.parametrize(("columns", "scrolls"), [(2, False), (4, False), (5, True)])
def test_a_wide_table_is_in_a_box_that_scrolls(columns, scrolls):
    """Up to four columns stay as they are; a table with more scrolls in a box that the keyboard reaches."""
    row = "| " + " | ".join("abcde"[:columns]) + " |\n"
    html = rendered(render_markdown(f"before\n\n{row}{'|---' * columns}|\n{row}\nafter\n"))
    assert ('<div class="wide" tabindex="0"><table>' in html) is scrolls
    assert html.index("before") < html.index("<table>") < html.index("after")


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("<h1>a</h1><h3>b</h3>", "<h3>a</h3><h4>b</h4>"),
        ("<h4>a</h4><h2>b</h2>", "<h3>a</h3><h3>b</h3>"),
        ("<h6>a</h6>", "<h3>a</h3>"),
    ],
)
def test_headings_follow_the_headline_without_gaps(written, shown):
    """The first heading is one level below the headline, and deeper ones one level deeper, whatever the post uses."""
    assert rendered(written, below=2) == shown


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ('<img src="/a.png">', '<img src="https://example.com/a.png" alt="" loading="lazy">'),
        ('<img src="/a.png" alt="A" width="9" height="7">', 'alt="A" width="9" height="7" loading="lazy">'),
        ('<img src="/a.png" alt="A" width="100%" height="7">', 'alt="A" loading="lazy">'),
    ],
)
def test_pictures_have_alternative_texts_and_sizes_in_pixels(written, shown):
    """A picture gets an alternative text, an absolute address, and keeps its size only in pixels."""
    assert shown in rendered(written)


def test_obsolete_elements_and_attributes_are_replaced():
    """Elements and attributes that the HTML standard calls obsolete are replaced or removed; their texts stay."""
    html = rendered(
        '<p><tt>a</tt> <strike>b</strike> <acronym title="x">c</acronym></p><hr width="3"><a name="n">d</a>'
    )
    assert html == '<p><code dir="ltr">a</code> <s>b</s> <abbr title="x">c</abbr></p><hr><a>d</a>'


def test_footnotes_lead_to_each_other_inside_the_page():
    """The links between footnotes and text stay on the page of the issue."""
    html = rendered(to_html("Text[^1].\n\n[^1]: Note.\n"))
    target = html.partition('href="#')[2].partition('"')[0]
    assert target
    assert f'id="{target}"' in html
