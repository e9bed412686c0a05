"""Posts as plain text."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.core.newsletters.mailhtml import prepare_html
from feeds.core.newsletters.text_links import LinkNumbers
from feeds.core.newsletters.text_part import set_text
from feeds.core.posts.markdown import render_markdown
from feeds.core.posts.text import display_width, text_content

BASE = "https://example.com/a/"
FILM = '<video src="/t.mp4" poster="/t.png" title="T"></video>'


def set_html(html, numbers=None):
    """Return HTML as plain text."""
    prepared = prepare_html(html, BASE, watch="Watch: {title}")
    return "\n\n".join(set_text(prepared, numbers or LinkNumbers(), page=BASE, picture="Picture: {alt}"))


def set_markdown(markdown):
    return set_html(render_markdown(markdown))


LONG = "word " * 20

ELEMENTS = {
    "code": ("```python\na\n\n    b  #" + " long" * 20 + "\n```", "    a\n\n        b  #" + " long" * 20),
    "code in HTML": ("<pre>a<br>  <b>b</b>\n</pre>", "    a\n      b"),
    "code in a list": ("- a\n\n  ```\n  b\n    c\n  ```", "- a\n\n      b\n        c"),
    "a list": ("- a\n- b", "- a\n- b"),
    "a list in a list": ("- a\n  - b\n    - c\n- d", "- a\n  - b\n    - c\n- d"),
    "a list of paragraphs": ("- a\n\n- b\n\n  c", "- a\n\n- b\n\n  c"),
    "a list with an empty item": ("- a\n-\n- b", "- a\n-\n- b"),
    "numbers": ("1. a\n2. b", "1. a\n2. b"),
    "numbers from 9": ("9. a\n   - c\n10. b", "9. a\n   - c\n10. b"),
    "numbers backwards": ("<ol reversed><li>a<li>b<li>c</ol>", "3. a\n2. b\n1. c"),
    "numbers backwards from 9": ("<ol reversed start=9><li>a<li>b</ol>", "9. a\n8. b"),
    "an item with a number": ("<ol><li>a<li value=7>b<li>c</ol>", "1. a\n7. b\n8. c"),
    "tasks": ("- [x] a\n- [ ] b", "- [x] a\n- [ ] b"),
    "tasks of paragraphs": ("- [x] a\n\n- [ ] b\n\n  c", "- [x] a\n\n- [ ] b\n\n  c"),
    "numbered tasks of paragraphs": ("1. [x] **a**\n\n2. [ ] b", "1. [x] a\n\n2. [ ] b"),
    "a task with a list of tasks": ("- [x] a\n\n  - [ ] b\n\n  - [ ] c", "- [x] a\n\n  - [ ] b\n\n  - [ ] c"),
    "a long item": (f"- {LONG}", f"- {('word ' * 14).strip()}\n  {('word ' * 6).strip()}"),
    "a quotation": ("> a\n>\n> b", "> a\n>\n> b"),
    "a quotation in a quotation": ("> a\n>\n> > b\n> > - c", "> a\n>\n> > b\n> >\n> > - c"),
    "a quotation in a list": ("- a\n  > b", "- a\n  > b"),
    "a long quotation": (f"> {LONG}", f"> {('word ' * 14).strip()}\n> {('word ' * 6).strip()}"),
    "a sign that does not quote": ("\\> a", " > a"),
    "headings": ("## A\n\n### Bb\n\n#### C\n\n## D", "A\n-\n\nBb\n~~\n\nC\n~\n\nD\n-"),
    "a wide heading": ("# 見出し", "見出し\n------"),
    "an empty heading": ("#\n\na", "a"),
    "a rule": ("a\n\n***\n\nb", "a\n\n* * *\n\nb"),
    "line breaks": ("a\\\nb<br>c", "a\nb\nc"),
    "a picture": ("![A tree](/t.png)", "[Picture: A tree]"),
    "a picture without alt": ("a\n\n![](/t.png)", "a"),
    "a picture with a caption": (
        '<figure><img src="/t.png" alt="A"><figcaption>B</figcaption></figure>',
        "[Picture: A]\n\nB",
    ),
    "footnotes": ("a[^x] b[^y].\n\n[^x]: One\n    more.\n\n[^y]: Two.", "a¹ b².\n\n¹ One more.\n\n² Two."),
    "footnotes of another generator": (
        '<p>a<sup id="fnref:1"><a href="#fn:1">1</a></sup></p><ol><li id="fn:1">b <a href="#fnref:1">↩</a></li></ol>',
        "a¹\n\n1. b",
    ),
    "powers": ("10<sup>-6</sup>, H<sub>2</sub>O, 1<sup>st</sup>", "10⁻⁶, H₂O, 1st"),
    "definitions": ("<dl><dt>A<dt>B<dd>C<dd>D<dt>E<dd>F</dl>", "A\nB\n    C\n    D\n\nE\n    F"),
    "details": ("<details><summary>A</summary>\n\nb\n\n- c\n\n</details>", "A\n\nb\n\n- c"),
    "what was struck out": ("~~a~~ b", "~~a~~ b"),
    "readings": ("<ruby>本<rt>ほん</rt></ruby><ruby>木<rp>（</rp><rt>き</rt><rp>）</rp></ruby>", "本(ほん)木（き）"),
    "a table": (
        "| Name | Price |\n|:--|--:|\n| Tea | 2 |\n| 緑茶 | 10.50 |",
        "Name  Price\n----  -----\nTea       2\n緑茶  10.50",
    ),
    "a centred table": ("| A | B |\n|:-:|---|\n| ccccc | d |", "  A    B\n-----  -\nccccc  d"),
    "a table without a head": ("<table><tr><td>a<td>b<tr><td>c<td>d</table>", "a  b\nc  d"),
    "a table with a caption": (
        "<table><caption>C</caption><tr><th>a<th>b<tr><td>c<td>d</table>",
        "C\n\na  b\n-  -\nc  d",
    ),
    "a table with spans": (
        "<table><tr><th>a<th>b<th>c<tr><td rowspan=2>1<td>2<td>3<tr><td>4<td>5<tr><td colspan=2>6<td>7</table>",
        "a  b  c\n-  -  -\n1  2  3\n   4  5\n6     7",
    ),
    "a wide table": (
        f"| A | B | C |\n|---|---|---|\n| 1 | {LONG}| |\n| 2 | x | y |",
        f"A: 1\nB: {('word ' * 13).strip()}\n  {('word ' * 7).strip()}\n\nA: 2\nB: x\nC: y",
    ),
    "a wide table in Japanese": (
        f"| 名前 | 説明 |\n|---|---|\n| 茶 | {'長' * 40} |",
        f"名前: 茶\n説明: {'長' * 32}\n  {'長' * 8}",
    ),
    "a table of code": ("<table><tr><td><pre>1\n2</pre><td><pre>a\n b</pre></table>", "    1\n    2\n\n    a\n     b"),
    "Japanese": (
        "長い文を\n書きました。" * 6,
        f"{'長い文を書きました。' * 3}長い文を書き\nました。{'長い文を書きました。' * 2}",
    ),
    "Japanese with Latin words": ("Vim\nを使う", "Vim を使う"),
}


@pytest.mark.parametrize(("markdown", "expected"), ELEMENTS.values(), ids=ELEMENTS)
def test_each_element_is_set(markdown, expected):
    """An element of a post looks in plain text as people type it."""
    assert set_markdown(markdown) == expected


LINKS = {
    "a link": ("[They](https://they.example/?a=1&b=2) pay.", "They [1] pay.", ["https://they.example/?a=1&b=2"]),
    "two links": ("[a](/a), [b](b)", "a [1], b [2]", ["https://example.com/a", "https://example.com/a/b"]),
    "the same address": ("[a](/a), [b](/b), [c](/a)", "a [1], b [2], c [1]", ["https://example.com/a", "https://example.com/b"]),
    "a link in Japanese": ("[本](/a)です", "本[1]です", ["https://example.com/a"]),
    "a link by reference": ("[Look][1].\n\n[1]: https://they.example/", "Look [1].", ["https://they.example/"]),
    "a banner": ("[![They pay](/b.png)](https://they.example/)", "[Picture: They pay] [1]", ["https://they.example/"]),
    "a banner without alt": ('<a href="https://they.example/"><img src="/b.png"></a>', "https://they.example/", []),
    "a picture beside words": ("[![x](/b.png) Look](https://they.example/)", "Look [1]", ["https://they.example/"]),
    "an address": ("<https://a.example/>, https://b.example/", "https://a.example/, https://b.example/", []),
    "a mail address": ("Write to <desk@example.com>.", "Write to desk@example.com.", []),
    "a mail address behind words": ("[Write](mailto:desk@example.com)", "Write [1]", ["mailto:desk@example.com"]),
    "a phone number": ("[Call](tel:+15550100)", "Call [1]", ["tel:+15550100"]),
    "a wide address": ('<a href="https://example.com/日本">A</a>', "A [1]", ["https://example.com/%E6%97%A5%E6%9C%AC"]),
    "an address in two lines": ('<a href="https://they.example/\na">A</a>', "A [1]", ["https://they.example/a"]),
    "a link around blocks": ('<a href="https://they.example/"><div>One</div><div>Two</div></a>', "One [1]\n\nTwo [1]", ["https://they.example/"]),
    "a link to a heading": ('[Below](#b)\n\n## <span id="b">B</span>', "Below\n\nB\n-", []),
    "a link to a heading that is not there": ("[Below](#b)", "Below [1]", ["https://example.com/a/#b"]),
    "a film between paragraphs": (f"before\n\n{FILM}\n\nafter", "before\n\nWatch: T [1]\n\nafter", ["https://example.com/t.mp4"]),
    "a player with nothing to follow": ('<iframe src="javascript:x()" title="T"></iframe>\n\nafter', "after", []),
    "a script": ("[a](javascript:x())", "a", []),
    "an anchor": ('<a name="x"></a>a', "a", []),
}  # fmt: skip


@pytest.mark.parametrize(("markdown", "expected", "addresses"), LINKS.values(), ids=LINKS)
def test_links_are_numbered_and_their_addresses_stand_at_the_end(markdown, expected, addresses):
    """A link has a number unless its text is its address; the addresses are in ASCII, one a line."""
    end = "\n".join(f"[{n}] {address}" for n, address in enumerate(addresses, 1))
    assert set_markdown(markdown) == (f"{expected}\n\n{end}" if end else expected)


def test_all_parts_of_a_letter_share_their_numbers():
    """An address of the editor's note has the same number in the post, and is listed at the end of both."""
    numbers = LinkNumbers()
    assert set_html('<a href="/x">a</a>', numbers) == "a [1]\n\n[1] https://example.com/x"
    assert set_html('<a href="/y">b</a> <a href="/x">c</a>', numbers) == (
        "b [2] c [1]\n\n[2] https://example.com/y\n[1] https://example.com/x"
    )


def test_a_text_without_spaces_is_not_wrapped_where_spam_filters_would_mind():
    """Long Japanese paragraphs stay in one line each; SpamAssassin would find three times the words of the HTML."""
    paragraphs = ["".join(chr(0x4E00 + (n * 331 + at) % 2000) for at in range(300)) + "。" for n in range(8)]
    assert set_markdown("\n\n".join(paragraphs)) == "\n\n".join(paragraphs)
    short = "\n\n".join(paragraph[:80] for paragraph in paragraphs)
    assert max(map(display_width, set_markdown(short).split("\n"))) <= 72


def test_any_depth_is_set():
    """Lists and quotations as deep as a post may have them are set; they are indented while there is room."""
    html = "<blockquote><ul><li>" * 60 + LONG + "</ul></blockquote>" * 60
    lines = set_html(html).split("\n")
    assert max(map(len, lines)) <= 72
    assert " ".join(lines).split().count("word") == 20


WORD = st.integers(0, 10**6).map(lambda n: f"w{n}")
TEXT = st.lists(WORD, min_size=1, max_size=30).map(" ".join)
WRAPPERS = [
    "<p>{}</p>",
    "<p><a href='/{}'>{}</a></p>",
    "<p>{}<br>{}</p>",
    "<b>{}</b>",
    "<h2>{}</h2>",
    "<blockquote>{}</blockquote>",
    "<div>{}</div>",
    "<ul><li>{}</li><li>{}</li></ul>",
    "<ol start=99999999><li>{}</li><li><p>{}</p></li></ol>",
    "<dl><dt>{}</dt><dd>{}</dd></dl>",
    "<details><summary>{}</summary>{}</details>",
    "<table><tr><th>{}</th><th>{}</th></tr><tr><td>{}</td><td>{}</td></tr></table>",
    "<section><ol><li>{}</li></ol></section>",
    "<figure><figcaption>{}</figcaption></figure>",
    "<pre>{}</pre>",
    "{} {}",
]


def _fill(inner):
    """Return a strategy for an element whose places are filled with *inner*."""
    return st.sampled_from(WRAPPERS).flatmap(
        lambda wrapper: st.tuples(*[inner] * wrapper.count("{}")).map(lambda values: wrapper.format(*values))
    )


HTML = st.recursive(TEXT, _fill, max_leaves=12)


@given(HTML)
def test_no_word_is_lost_and_no_line_is_too_long(html):
    """All words of a post are in its plain text, in lines of at most 72 cells, code and addresses aside."""
    prepared = prepare_html(html, BASE)
    blocks = set_text(prepared, LinkNumbers(), page=BASE, picture="{alt}")
    plain = "\n\n".join(blocks)
    words = re.findall(r"w\d+", text_content(prepared))
    assert set(words) <= set(re.findall(r"w\d+", plain))
    if "<pre>" not in html:
        assert all(len(line) <= 72 for line in plain.split("\n") if not re.match(r"\[\d+\] http", line))
    assert all(line == line.rstrip() for line in plain.split("\n"))
