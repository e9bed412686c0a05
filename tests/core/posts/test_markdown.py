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
        ("a[^1]\n\n[^1]: note", "<p>a<sup>1</sup></p>\n<section>\n<ol>\n<li>\n<p>note</p>"),
        ("- [x] done", "checked"),
        ("~~old~~", "<del>old</del>"),
        ("## 見出し *a*", '<h2 id="見出し-a">見出し <em>a</em></h2>'),
        ("```py\nx\n```", '<code class="language-py">'),
    ],
)
def test_the_extensions_of_real_blogs_work(source, expected):
    """Tables, footnotes, task lists, strike-through, heading ids and code languages are rendered."""
    assert expected in sanitized(source)


@pytest.mark.parametrize(
    "source",
    [
        "## One\n\na[^1] b[^x] c[^1]\n\n[^1]: note\n\n[^x]: two\n\n    more\n",
        "a[^<b>]\n\n[^<b>]: ends in code\n\n        code\n",
        "# `x` & \"y\" > 'z'\n\n- a[^ü]\n\n[^ü]: [b](#one)",
    ],
)
def test_no_link_of_ours_leads_to_an_id_that_the_page_may_not_have(source):
    """In an editor's note, headings and footnotes have no links of our own; links that the author wrote stay."""
    root = fragment_fromstring(sanitized(source), create_parent="div")
    links = [link.get("href") for link in root.iter("a")]
    assert links == ([f"{BASE}#one"] if "(#one)" in source else [])
    assert not [item for item in root.iter("li", "sup") if item.get("id")]
    assert "↩" not in root.text_content()


TILDES = {
    "Copy ~/src:~/dst": "Copy ~/src:~/dst",
    "about ~5 to ~10": "about ~5 to ~10",
    "H~2~O and ~~old~~": "H~2~O and <del>old</del>",
    "`~a` and https://x.example/~u/~v": '<code>~a</code> and <a href="https://x.example/~u/~v">https://x.example/~u/~v</a>',
    "[a](/~u/) \\~b ~c": f'<a href="{BASE[:19]}/~u/">a</a> ~b ~c',
    "~⁓ ⁓~": "~⁓ ⁓~",
    "**~a**b ~c*d*": "<strong>~a</strong>b ~c<em>d</em>",
}


@pytest.mark.parametrize(("source", "html"), TILDES.items())
def test_one_tilde_is_no_strike_through(source, html):
    """Two tildes strike out; single ones are text, as they are in code and in addresses."""
    assert sanitized(source) == f"<p>{html}</p>\n"


CITED = {
    "/source": "https://example.com/source",
    "https://o.example/?a=1": "https://o.example/?a=1",
    "//o.example/a": "https://o.example/a",
    "https://тест.рф/": "https://xn--e1aybc.xn--p1ai/",
    "#note": f"{BASE}#note",
    "Some Person": None,
    "Ada": None,
    "www.o.example/a": None,
    "javascript:alert(1)": None,
    " JAVASCRIPT:alert(1)": None,
    "java&#9;script:alert(1)//": None,
    "&#1;javascript:alert('/')": None,
    "data:text/html,/": None,
    "mailto:a@b.example": None,
    "http:javascript:/x": None,
    "": None,
}


@pytest.mark.parametrize("tag", ["blockquote", "q", "del", "ins"])
@pytest.mark.parametrize(("written", "absolute"), CITED.items())
def test_a_quotation_cites_a_web_address_or_nothing(tag, written, absolute):
    """`cite` is an absolute http(s) URL, or it is removed."""
    found = sanitized(f'<{tag} CITE = "{written}">a</{tag}>')
    assert fragment_fromstring(found, create_parent="div").find(f".//{tag}").get("cite") == absolute


@pytest.mark.parametrize(
    "url",
    ["data:text/html,x", "&#100;ata:text/html,x", "da&#9;ta:text/html,x", "&#1;data:text/html,x", "DATA:image/png,x"],
)
def test_no_link_leads_to_data(url):
    """No link leads to a `data:` URL, however it is written, though small pictures may have one."""
    source = f'<a href="{url}">x</a> <img src="{url}"> <q cite="{url}"></q> <img src="data:image/png;base64,AAAA">'
    for element in fragment_fromstring(sanitized(source), create_parent="div").iter("a", "img", "q"):
        assert {*element.attrib.values()} <= {"data:image/png;base64,AAAA"}


HOSTS = {
    "[x](https://тест.рф/путь)": "https://xn--e1aybc.xn--p1ai/%D0%BF%D1%83%D1%82%D1%8C",
    "<https://bücher.example:8080/a>": "https://xn--bcher-kva.example:8080/a",
    '<a href="https://例え.テスト/?q=ü#ü">x</a>': "https://xn--r8jz45g.xn--zckzah/?q=ü#ü",
    "[x](https://ok.example/тест)": "https://ok.example/%D1%82%D0%B5%D1%81%D1%82",
}


@pytest.mark.parametrize(("source", "url"), HOSTS.items())
def test_the_host_of_a_link_is_in_ascii(source, url):
    """The host of a link is in ASCII as DNS has it, not percent-encoded like a path."""
    assert fragment_fromstring(sanitized(source), create_parent="div").find(".//a").get("href") == url


def test_an_anchor_keeps_its_name():
    """`<a name>` keeps its name, to which links lead."""
    assert '<a name="part-2"></a>' in sanitized('<a name="part-2"></a>Part 2')


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


LABELS = {
    '<audio src="/e/12%20two.mp3"></audio>': "12 two.mp3",
    '<video data-src="/talk.webm"></video>': "talk.webm",
    '<iframe src="https://www.youtube.com/embed/x?start=1"></iframe>': "youtube.com",
    '<iframe src="//player.vimeo.com/video/1"></iframe>': "vimeo.com",
    '<iframe src="about:blank" data-src="https://maps.example/a"></iframe>': "maps.example",
    '<iframe src="https://maps.example/" aria-label="The way"></iframe>': "The way",
    '<iframe src="https://embed.ted.example/talks/a.html"></iframe>': "ted.example",
    '<embed src="/slides/">': "/slides/",
    '<script src="https://gist.github.com/u/0a1b.js"></script>': "gist.github.com/u/0a1b",
    '<script async src="https://asciinema.org/a/14.js" id="x"></script>': "asciinema.org/a/14",
    '<script src="//gitlab.com/group/project/-/snippets/7.js"></script>': "gitlab.com/group/project/-/snippets/7",
}


@pytest.mark.parametrize(("player", "label"), LABELS.items())
def test_the_link_to_a_player_says_what_it_is(player, label):
    """A player without a title is a link with the name of its file or of its site; a script with a page is one too."""
    (link,) = fragment_fromstring(sanitized(f"a\n\n{player}\n\nb"), create_parent="div").iter("a")
    assert link.text == label
    assert link.get("href").startswith("https://")


def test_a_player_that_cannot_be_linked_keeps_its_text():
    """The text in a player without an address stays; a script that writes no known page leaves nothing."""
    assert "Words" in sanitized("<object><p>Words</p></object>")
    assert "Words" in sanitized("<video>Words</video>")
    assert sanitized('<script src="https://widgets.example/1.js"></script>').strip() == ""


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
