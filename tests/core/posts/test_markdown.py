"""Markdown to HTML, and sanitised HTML."""

import nh3
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml.html import fragment_fromstring

from feeds.core.posts import markdown

BASE = "https://example.com/2026/01/02/post/"


def sanitized(source):
    return markdown.sanitize_html(markdown.render_markdown(source), BASE)


def test_emphasis_works_beside_japanese_punctuation():
    """Emphasis works beside Japanese punctuation, where strict CommonMark leaves the asterisks in the text."""
    assert "<strong>「組版」</strong>は" in sanitized("文字の**「組版」**は大切だ。")


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
    """Tables, footnotes, task lists, strike-through, heading ids and code languages are rendered."""
    assert expected in sanitized(source)


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
    """Scripts, event handlers, forms, styles and unknown URL schemes are removed."""
    found = sanitized(source).lower()
    for word in ("<script", "onerror", "onload", "javascript:", "data:", "<form", "<style", "style=", "<svg", "name="):
        assert word not in found


@given(st.lists(st.sampled_from([*HOSTILE, "a", "\n\n", "`", "<b>", "</div>", "<!--", "&#1;", "\ufffe"]), max_size=6))
def test_no_mixture_of_hostile_pieces_comes_through(pieces):
    """No combination of hostile pieces leaves an active element or attribute, or a character that XML cannot carry."""
    found = sanitized("".join(pieces))
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
    """Every URL of a post is made absolute."""
    assert f'src="{absolute}"' in sanitized(f"![a]({written})")


def test_an_embedded_player_becomes_a_link():
    """An embedded player is replaced with a link to its source, and the text after it is kept."""
    found = sanitized('<p>Watch <iframe src="https://video.example/v/1" title="The talk"></iframe> it.</p>')
    assert '<a href="https://video.example/v/1">The talk</a> it.' in found
    video = sanitized('<video><source src="/talk.mp4"></video>')
    assert 'href="https://example.com/talk.mp4"' in video


def test_a_feed_has_the_link_alone():
    """In a feed a video becomes a link only, without its poster picture."""
    video = '<video src="/t.mp4" poster="/t.png" title="The talk" width="320"></video>'
    assert sanitized(video) == '<p><a href="https://example.com/t.mp4">The talk</a></p>\n'


def test_the_replacement_of_a_player_is_sanitised():
    """The replacement of a player is sanitised too."""

    def to_script(element, player):
        element.tag, element.text = "script", player.title
        element.set("onclick", player.url)

    player = '<iframe src="/v" title="alert(1)"></iframe>'
    assert markdown.replace_players(player, to_script) == '<script onclick="/v">alert(1)</script>'
    assert markdown.sanitize_html(f"{player}behind", BASE, to_script) == "behind"


def test_without_players_nothing_is_parsed_or_changed():
    """HTML without players is returned unchanged; `videos` is not a player."""
    html = "<p>a<br>b <videos>c"
    assert markdown.replace_players(html, markdown.replace_with_link) is html


def test_the_same_text_always_gives_the_same_html():
    """Sanitising the same text gives the same bytes; bare nh3 writes two set attributes in a random order."""
    source = "- [x] a\n- [ ] b\n\n<input type=text name=x>\n\n<td rowspan=2 colspan=3 headers=a align=left>\n"
    assert len({sanitized(source) for _ in range(40)}) == 1
    html = '<input checked="" disabled="">'
    both = {"input": {"type": "checkbox", "disabled": ""}}
    assert len({nh3.clean(html, tags={"input"}, set_tag_attribute_values=both) for _ in range(200)}) == 2
