"""Line breaks in the source of posts in Japanese and Chinese."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.core.posts.line_breaks import join_cjk_lines
from feeds.core.posts.portable import inner_html
from feeds.core.posts.text import parse_html

BROKEN = {
    "between sentences": ("<p>欠航。\nこれより</p>", "<p>欠航。これより</p>"),
    "inside of a sentence": ("<p>尋ね\n  た</p>", "<p>尋ねた</p>"),
    "after emphasis": ("<p><em>風。</em>\nこれより</p>", "<p><em>風。</em>これより</p>"),
    "before a link": ('<p>これ\n<a href="/a">より</a></p>', '<p>これ<a href="/a">より</a></p>'),
    "inside of emphasis": ("<p><em>欠航。\n</em>これ</p>", "<p><em>欠航。</em>これ</p>"),
    "Chinese": ("<p>欢迎回信\n谢谢</p>", "<p>欢迎回信谢谢</p>"),
}
KEPT = {
    "a space": "<p>欠航。 これより</p>",
    "beside Latin letters": "<p>新しい\nMac を</p>",
    "Korean, which has spaces": "<p>한 번도\n적지</p>",
    "code": "<pre>欠航\nこれ</pre>",
    "code in code": "<pre><code>欠航\nこれ</code></pre>",
    "English": "<p>a\nb</p>",
}


def joined(html):
    root = parse_html(html)
    join_cjk_lines(root)
    return inner_html(root)


@pytest.mark.parametrize(("html", "expected"), BROKEN.values(), ids=BROKEN)
def test_a_line_break_inside_of_japanese_or_chinese_is_removed(html, expected):
    """It stands for no space, also at the edge of an inline element."""
    assert joined(html) == expected


@pytest.mark.parametrize("html", KEPT.values(), ids=KEPT)
def test_other_white_space_is_kept(html):
    """A line break between words with spaces, or in code, says something."""
    assert joined(html) == html


@given(st.text("あ。a \n", max_size=30))
def test_only_white_space_is_removed(text):
    """All other characters stay, in their order."""
    found = parse_html(joined(f"<p>{text}<b>{text}</b>{text}</p>")).text_content()
    assert "".join(found.split()) == "".join((text * 3).split())
