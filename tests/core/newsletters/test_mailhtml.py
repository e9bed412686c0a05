"""A post's HTML as mail programs can show it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.core.newsletters.mailhtml import Look, mail_html, shortened
from feeds.core.newsletters.phrases import phrases
from feeds.core.posts.markdown import to_html
from feeds.core.posts.text import tree

BASE = "https://example.com/a/"


def dressed(markdown, **look):
    return mail_html(to_html(markdown), BASE, Look(**look))


SHOWN = {
    "headings stand below the letter's own": ("# A\n\n## B", '<h3 style="margin:32px 0 8px'),
    "links have their colour": ("[a](/b)", '<a href="https://example.com/b" style="color:#0a5a78'),
    "code wraps": ("```\nx\n```", "white-space:pre-wrap"),
    "a wide table becomes rows on a phone": ("|a|b|c|d|\n|-|-|-|-|\n|1|2|3|4|", '<table style="width:100%'),
    "a picture fits": ("![x](/a.png)", 'style="max-width:100%;height:auto'),
    "a picture without words says so": ('<img src="/a.png">', 'alt=""'),
    "a task is no form": ("- [x] done", "<span>☑</span> done"),
}


@pytest.mark.parametrize(("markdown", "html"), SHOWN.values(), ids=SHOWN)
def test_everything_has_its_look(markdown, html):
    """Inline, since mail programs drop style sheets."""
    assert html in dressed(markdown)


def test_what_mail_cannot_show_is_not_there():
    """No scripts, forms, frames, classes, ids, and no picture inside its own address."""
    raw = (
        "<script>x</script><form><input></form><style>p{}</style>"
        '<p id="a" class="b" style="color:red" onclick="x">y</p>'
        '<iframe src="https://video.example/1" title="Film"></iframe><img src="data:image/png;base64,AAAA" alt="dot">'
    )
    found = mail_html(raw, BASE, Look())
    for gone in ("script", "form", "<style", "onclick", 'id="', "color:red", "iframe", "data:"):
        assert gone not in found
    assert '<a href="https://video.example/1"' in found
    assert "dot" in found


def test_a_picture_is_no_wider_than_the_column():
    """Outlook takes the attribute, others the style."""
    assert 'width="600"' in mail_html('<img src="/a.png" width="2000" height="9">', BASE, Look())
    assert "height=" not in mail_html('<img src="/a.png" width="2000" height="9">', BASE, Look())


def test_quotations_stand_on_the_side_where_lines_begin():
    """On the right in Arabic."""
    assert "border-right:3px" in dressed("> a", start="right")


@given(st.text(max_size=200), st.integers(1, 300))
def test_whatever_is_cut_is_whole_blocks(markdown, most):
    """What is kept are the first blocks, and nothing is kept that does not fit."""
    html = dressed(markdown)
    kept, cut = shortened(html, most)
    assert len(kept.encode()) <= most or not cut
    assert cut or kept == html


def test_a_cut_falls_between_paragraphs():
    """Never inside one."""
    kept, cut = shortened("<p>one</p><p>two</p><p>three</p>", 25)
    assert (kept, cut) == ("<p>one</p><p>two</p>", True)


def test_japanese_headlines_break_between_phrases():
    """Nothing is lost; other languages break at their spaces."""
    title = "AIと 長い見出しがどこまでも続いていく話"
    found = phrases(title, "ja-JP")
    assert "".join(found) == title
    assert "見出しが" in found
    assert phrases(title, "en") == phrases("話", "ja") == phrases(title * 20, "ja") == ()


def test_code_runs_from_the_left_in_any_language():
    """A letter in Arabic does not turn a program round."""
    found = dressed("`a` and\n\n```\nb\n```", start="right")
    assert found.count('dir="ltr"') == 2


TAGS = st.sampled_from(
    ["<b>", "</b>", "<table>", "<tr>", "<td>", "</td>", "</table>", "<div>", "</div>", "<p>", "</p>", "x"]
)


@given(st.lists(TAGS, max_size=40).map("".join))
def test_no_post_breaks_out_of_its_place(html):
    """Whatever tags it leaves open, closes twice or nests: what stands behind it in the letter stands behind it."""
    letter = tree(f"<div>{mail_html(html, BASE, Look())}</div><p>behind</p>")
    assert [child.tag for child in letter] == ["div", "p"]
    assert letter[1].text == "behind"


def test_a_word_of_any_length_and_a_picture_in_its_own_address_are_contained():
    """The word breaks where the line ends (`.bg` in letter/head.mjml), the picture is left out."""
    found = mail_html(f"<p>{'x' * 300}</p><img src='data:image/png;base64,{'A' * 3_000_000}' alt='dot'>", BASE, Look())
    assert len(found) < 1000
    assert "dot" in found
