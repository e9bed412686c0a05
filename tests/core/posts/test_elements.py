"""Words in angle brackets: elements of a post, or text."""

import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.core.posts.elements import escape_stray_tags, strip_title_tags
from feeds.core.posts.markdown import render_markdown, sanitize_html
from feeds.core.posts.text import text_blocks, text_content
from tests.core.factory import parsed, rendered

BASE = "https://example.com/a/"
WORDS = {
    "an option": ("Copy it with --from <path> and then start.", "Copy it with --from <path> and then start."),
    "a type": ("A List<int> of Option<T> and Map<K, List<text>>.", "A List<int> of Option<T> and Map<K, List<text>>."),
    "two words": ("Run cp <path to file> <dir> now.", "Run cp <path to file> <dir> now."),
    "keys": ("Press <CR>, <C-x> and <F1>.", "Press <CR>, <C-x> and <F1>."),
    "the head of a page": ("Use <head> and <title> and <body> well.", "Use <head> and <title> and <body> well."),
    "elements that swallow text": (
        "A <script> or <textarea> or <iframe> or <svg> or <plaintext> *here*.",
        "A <script> or <textarea> or <iframe> or <svg> or <plaintext> here.",
    ),
    "elements without attributes": ("An <img>, <input> or <object> of it.", "An <img>, <input> or <object> of it."),
    "an end tag": ("Close it with </path> there.", "Close it with </path> there."),
    "in an attribute": ('<b title="<path>">bold</b> text <set> more', "bold text <set> more"),
    "in upper case": ("A <PATH> and <Set> more", "A <PATH> and <Set> more"),
}


@pytest.mark.parametrize(("markdown", "shown"), WORDS.values(), ids=WORDS)
def test_a_word_in_angle_brackets_is_text(markdown, shown):
    """A word in angle brackets that is not an element of a post is text in the HTML, and in an excerpt made from it."""
    text = rendered("title: A", markdown)
    assert text_content(sanitize_html(text.html, BASE)) == shown
    assert text.excerpt == shown


def test_an_excerpt_of_its_own_keeps_words_in_angle_brackets():
    """An excerpt in the front matter keeps its words in angle brackets."""
    assert rendered('title: A\ndescription: "Use <head> and <T> well"').excerpt == "Use <head> and <T> well"


def test_words_in_angle_brackets_in_html_posts_are_text():
    """In an HTML post a word in angle brackets swallows nothing."""
    text = rendered("title: A", "<p>From <path> to <set> there.</p>", path="2026-01-02-a.html")
    assert text_content(sanitize_html(text.html, BASE)) == "From <path> to <set> there."


@pytest.mark.parametrize(
    "tag",
    [
        "</body>",
        "</html>",
        "</BODY >",
        "</body></html>",
        "<body class='x'>",
        "</head>",
        "<html lang='en'>",
        "</frameset>",
    ],
)
@pytest.mark.parametrize("around", ["One.\n\n{}\n\nTwo.\n\n- Three.", "One. {} Two.\n\n- Three."])
def test_a_tag_of_a_page_ends_no_post(tag, around):
    """A tag of a whole page inside a post is removed, and what follows it stays in excerpt, reading time and text."""
    text = rendered("title: A", around.format(tag))
    assert [line for _, line in text_blocks(text.html)][-1] == "Three."
    assert text_content(sanitize_html(text.html, BASE)).split() == ["One.", "Two.", "Three."]
    assert text.excerpt == "One. Two."


NAMES = st.text(string.ascii_lowercase, min_size=1, max_size=12) | st.sampled_from(
    ["path", "arg", "list", "int", "text", "set", "line", "filter", "and", "none", "mi", "g", "use", "view", "select"]
)


@given(NAMES, st.sampled_from(["before <{}> after", "<{}> after", "List<{}> after", "</{}> after", "<{} after> after"]))
def test_no_word_in_angle_brackets_swallows_what_follows(name, shape):
    """Whatever the word is, the text after it stays."""
    html = sanitize_html(render_markdown(shape.format(name)), BASE)
    assert text_content(html).endswith("after")


ELEMENTS = {
    "known elements": ("<div>a <b>b</b></div>", "<div>a <b>b</b></div>"),
    "an element with an end tag": ("<list>a</list> b", "a b"),
    "a component with attributes": ('<TabItem value="x">a</TabItem> b', "a b"),
    "an empty component": ("a <Chart /> b", "a  b"),
    "an attribute without an end tag": ('a <path d="x"> b', "a  b"),
    "an element whose end tag is missing": ('<iframe src="/a"> b', '<iframe src="/a"></iframe> b'),
    "an element that closes itself": ('<iframe src="/a" /> b </iframe>', '<iframe src="/a" /></iframe> b </iframe>'),
    "a comment": ("<!-- <path> --> <set>", "<!-- <path> --> &lt;set&gt;"),
    "the content of a script": (
        "<script>a<b && '<path>'</script> <set>",
        "<script>a<b && '<path>'</script> &lt;set&gt;",
    ),
    "a drawing": ('<svg><path d="x"/><text>a</text></svg>', '<svg><path d="x"/><text>a</text></svg>'),
}


@pytest.mark.parametrize(("html", "escaped"), ELEMENTS.values(), ids=ELEMENTS)
def test_elements_stay_elements(html, escaped):
    """Known elements stay; tags of other names with attributes or an end tag are removed, and their content stays."""
    assert escape_stray_tags(html) == escaped


@pytest.mark.parametrize(
    "shape", ["<path>", '<a b="', "<script>", "<svg>", "<svg></svg>", "</x>", "<!--", "<x y='", "<iframe", "<a a=b c"]
)
def test_words_in_angle_brackets_are_found_in_linear_time(shape):
    """Any number of tags is read in linear time; in quadratic time this test would not end."""
    assert escape_stray_tags(shape * 50_000 + "</script")


TITLES = {
    "Write <em>and</em> read": "Write and read",
    "<code>x</code> and <b><i>y</i></b>": "x and y",
    'A <span class="n">name</span><br>below': "A name below",
    "<del>17</del> 18 days": "18 days",
    "Option<T> and <b>": "Option<T> and <b>",
    "<InputAccessoryView> is here": "<InputAccessoryView> is here",
    "1 < 2 > 0": "1 < 2 > 0",
}


@pytest.mark.parametrize(("written", "title"), TITLES.items())
def test_a_title_is_text(written, title):
    """The tags of emphasis and the like are removed from a title; other words in angle brackets stay."""
    assert strip_title_tags(written) == title
    assert parsed(f"title: '{written}'").title == title


def test_a_first_line_that_repeats_a_title_with_tags_is_removed():
    """A heading that repeats the title is removed, though one of the two has tags."""
    assert rendered("title: Write <em>and</em> read", "# Write *and* read\n\nText.").html == "<p>Text.</p>\n"
    assert rendered("title: Write and read", "# Write <em>and</em> read\n\nText.").html == "<p>Text.</p>\n"


@given(st.text("<b>/i x", max_size=60))
def test_any_title_is_read_once(title):
    """The text of a title does not depend on how it was nested, up to four levels."""
    assert not re.search(r"<b>[^<>]*</b>", strip_title_tags(title)) or title.count("<") > 8


@pytest.mark.parametrize(
    "name", ["plaintext", "template", "textarea", "select", "xmp", "noembed", "object", "video", "title"]
)
@pytest.mark.parametrize("shape", ["before <{}> after", '<{} a="b"> after', "<{} /> after", "<{}>Words</{}> after"])
def test_no_element_of_html_swallows_what_follows(name, shape):
    """The text after an element stays, whether it has attributes, an end tag or neither."""
    assert text_content(sanitize_html(render_markdown(shape.replace("{}", name)), BASE)).endswith("after")
