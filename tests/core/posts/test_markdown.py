"""Markdown to HTML, and HTML that may be shown."""

import nh3
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml.html import fragment_fromstring

from feeds.core.posts import markdown

BASE = "https://example.com/2026/01/02/post/"


def rendered(source):
    return markdown.sanitize_html(markdown.render_markdown(source), BASE)


def test_emphasis_works_beside_japanese_punctuation():
    """Strict CommonMark leaves these asterisks in the text."""
    assert "<strong>「組版」</strong>は" in rendered("文字の**「組版」**は大切だ。")


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("|a|\n|-|\n|1|", "<td>1</td>"),
        ("a[^1]\n\n[^1]: note", f'href="{BASE}#fn-1"'),
        ("- [x] done", "checked"),
        ("~~old~~", "<del>old</del>"),
        ("## 見出し", 'id="見出し"'),
        ("```py\nx\n```", '<code class="language-py">'),
    ],
)
def test_the_extensions_of_real_blogs_work(source, expected):
    """Tables, footnotes, task lists, strike-through, heading ids, code with its language."""
    assert expected in rendered(source)


HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[x](javascript:alert(1))",
    '<a href="data:text/html,<script>alert(1)</script>">x</a>',
    '<form action="https://evil.example"><input name=q><button>go</button></form>',
    '<iframe src="javascript:alert(1)"></iframe>',
    '<svg onload="alert(1)"><script>alert(1)</script></svg>',
    "<style>*{display:none}</style>",
    '<div style="position:fixed">x</div>',
    "<input type=password name=p value=x>",
]


@pytest.mark.parametrize("source", HOSTILE)
def test_nothing_that_runs_or_asks_comes_through(source):
    """Scripts, handlers, forms, styles and unknown schemes are out."""
    found = rendered(source).lower()
    for word in ("<script", "onerror", "onload", "javascript:", "data:", "<form", "<style", "style=", "<svg", "name="):
        assert word not in found


@given(st.lists(st.sampled_from([*HOSTILE, "a", "\n\n", "`", "<b>", "</div>", "<!--", "&#1;", "\ufffe"]), max_size=6))
def test_no_mixture_of_hostile_pieces_comes_through(pieces):
    """However they are combined, no element or attribute that acts is left, and no character XML cannot carry."""
    found = rendered("".join(pieces))
    assert not markdown.first_illegal_xml(found)
    for element in fragment_fromstring(found, create_parent="div").iter():
        assert element.tag not in {"script", "form", "style", "iframe", "object", "embed", "button"}
        assert not [name for name in element.attrib if name.startswith("on") or name == "style"]


@pytest.mark.parametrize(
    ("written", "absolute"),
    [
        ("/images/a.png", "https://example.com/images/a.png"),
        ("a.png", BASE + "a.png"),
        ("//cdn.example/a.png", "https://cdn.example/a.png"),
        ("https://other.example/a.png", "https://other.example/a.png"),
    ],
)
def test_every_url_is_absolute(written, absolute):
    """A reader shows the text far from its page."""
    assert f'src="{absolute}"' in rendered(f"![a]({written})")


def test_an_embedded_player_becomes_a_link():
    """What played is still to be found, and the text behind it is kept."""
    found = rendered('<p>Watch <iframe src="https://video.example/v/1" title="The talk"></iframe> it.</p>')
    assert '<a href="https://video.example/v/1">The talk</a> it.' in found
    video = rendered('<video><source src="/talk.mp4"></video>')
    assert 'href="https://example.com/talk.mp4"' in video


def test_a_feed_has_the_link_alone():
    """A still is for mail: readers of feeds show what they like, and feeds stay as they are."""
    film = '<video src="/t.mp4" poster="/t.png" title="The talk" width="320"></video>'
    assert rendered(film) == '<p><a href="https://example.com/t.mp4">The talk</a></p>\n'


def test_whatever_a_player_becomes_is_sanitised():
    """What shows it decides about looks, not about what may run."""

    def shown(element, player):
        element.tag, element.text = "script", player.title
        element.set("onclick", player.url)

    player = '<iframe src="/v" title="alert(1)"></iframe>'
    assert markdown.replace_players(player, shown) == '<script onclick="/v">alert(1)</script>'
    assert markdown.sanitize_html(f"{player}behind", BASE, shown) == "behind"


def test_without_players_nothing_is_parsed_or_changed():
    """Few posts embed anything; `videos` is no element."""
    html = "<p>a<br>b <videos>c"
    assert markdown.replace_players(html, markdown.replace_with_link) is html


def test_the_same_text_always_gives_the_same_html():
    """Sanitising leaves nothing to chance; with two attributes set, nh3 would write them in either order."""
    source = "- [x] a\n- [ ] b\n\n<input type=text name=x>\n\n<td rowspan=2 colspan=3 headers=a align=left>\n"
    assert len({rendered(source) for _ in range(40)}) == 1
    html = '<input checked="" disabled="">'
    both = {"input": {"type": "checkbox", "disabled": ""}}
    assert len({nh3.clean(html, tags={"input"}, set_tag_attribute_values=both) for _ in range(200)}) == 2
