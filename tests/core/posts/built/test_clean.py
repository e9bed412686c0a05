"""What of an element is the post's text, and what is the theme's."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.core.posts.built.content import extract_content
from feeds.core.posts.built.words import split_words
from feeds.core.posts.text import parse_html
from tests.core.posts.built.test_content import LEAD, own, problem, shown

TITLE = "<h1>Bread on Fridays</h1>"
OTHER = "How we lost the cat"
#: Where themes put a text (`@`), and what they put around it.
THEMES = {
    "beside lists": f'<main><x-anchors>{TITLE}<ul class="post-metadata"><li><time>20 November 2026</time></li><li>'
    f'<a href="/tags/oven/">oven</a></li></ul>@<ul class="links-nextprev"><li>← Previous<br><a href="/c/">{OTHER}'
    "</a></li></ul></x-anchors></main>",
    "an element without a known name": f'<main><article>{TITLE}<div class="body">@</div><div class="more"><h3>Related'
    f'</h3><a href="/c/">{OTHER}</a></div></article></main>',
    "paragraphs about the post": f'<main>{TITLE}<p>Published on November 20, 2026 by Ada Miller in <a href="/in/x">'
    f'Ovens</a></p>@<p>← <a href="/c/">Previous post: {OTHER}</a></p><p>Tags: <a href="/t/x">oven</a></p></main>',
    "tags in the element of the text": f'<article><header>{TITLE}</header><div class="serif">@<ul><li>'
    f'<a href="/tags/oven">oven</a></li></ul></div><aside><p>Related</p><a href="/c/">{OTHER}</a></aside></article>',
    "a licence": f'<article><header>{TITLE}<span>Posted <time>Nov 20, 2026</time></span></header><div class="content">'
    '@</div><div class="tail"><p>This post is licensed under CC BY 4.0 by the author.</p></div></article>',
    "a list of contents": f'<article>{TITLE}<section class="page__content"><aside><nav class="toc"><h4>On this page'
    "</h4></nav></aside>@</section></article>",
    "a date as JavaScript writes it": f'<article>{TITLE}<div class="post-content"><time>Fri Nov 20 2026 00:00:00'
    " GMT+0000 (Coordinated Universal Time)</time>@</div></article>",
    "unclosed elements": f'<main><article>{TITLE}<div class="entry">@</article></span></main></p>',
}
SHORT = {
    "a sentence": ("I moved to town 1 today.", "<p>I moved to town 1 today.</p>"),
    "three words": ("Just a note.", "<p>Just a note.</p>"),
    "a quotation": ("> Be kind.", "<blockquote><p>Be kind.</p></blockquote>"),
    "a list": ("- flour\n- salt", "<ul><li>flour</li><li>salt</li></ul>"),
    "code": ("    ls", "<pre><code>ls</code></pre>"),
    "a link": ("[Look](https://other.example/)", '<p><a href="https://other.example/">Look</a></p>'),
    "Japanese": ("今日は晴れ。", "<p>今日は晴れ。</p>"),
    "a number": ("42", "<p>42</p>"),
    "emoji": ("🎉🎉", "<p>🎉🎉</p>"),
    "a picture": ("![](/a.jpg)", '<p><img src="https://example.com/a.jpg"></p>'),
}


@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
@pytest.mark.parametrize(("source", "html"), SHORT.values(), ids=SHORT)
def test_a_short_text_is_never_lost(theme, source, html):
    """Of a short post the page's text is shown, and nothing of the theme."""
    found = re.sub(r"\s*\n\s*|</?div>", "", shown(theme.replace("@", html), source))
    assert found == html


GALLERY = '<div class="g"><figure><img src="/1.jpg"><figcaption>Sunset over the river</figcaption></figure></div>'


@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
@pytest.mark.parametrize("words", ["Photos from the bakery.", "写真です。"])
def test_a_short_text_keeps_what_a_tag_has_made(theme, words):
    """Of a few words and a gallery, both are shown."""
    found = shown(theme.replace("@", f"<p>{words}</p>{GALLERY}"), f"{words}\n\n{{{{< gallery >}}}}\n")
    assert words in found
    assert "Sunset over the river" in found
    assert OTHER not in found


#: What a template tag at an edge of the text may make.
MADE = {
    "a figure": "<figure><figcaption>Loaves by colour</figcaption></figure>",
    "a table of numbers": "<table><tr><td>1</td><td>2</td></tr></table>",
    "an amount": "<p>42 €</p>",
    "a telephone number": '<p><a href="tel:+4930">+49 30 1234567</a></p>',
    "a box": '<aside class="callout"><strong>Warning</strong><p>The oven is hot</p></aside>',
}
#: What dates, names and links of themes look like; only in an element that is known to be the text they are the post's.
LIKE_FACTS = {
    "a date": "<p>12 March 2025, 18:30</p>",
    "the author's name": "<p>Ada Miller</p>",
    "tags": '<ul><li><a href="/x">bread</a></li></ul>',
    "a link": '<p><a href="/buy">Buy tickets</a></p>',
}
KNOWN = {
    "post-content": f'<article>{TITLE}<div class="post-content">@</div></article>',
    "articleBody": f'<article>{TITLE}<div itemprop="articleBody">@</div></article>',
    "the element around the loose words": f'<article>{TITLE}<div class="zz">@</div></article>',
}


@pytest.mark.parametrize("made", [*MADE.values(), *LIKE_FACTS.values()], ids=[*MADE, *LIKE_FACTS])
@pytest.mark.parametrize("theme", KNOWN.values(), ids=KNOWN)
def test_in_a_known_element_nothing_is_a_date_or_byline(theme, made):
    """What a tag has made before or after the words stays, whatever it says."""
    words = split_words(" ".join(parse_html(made).itertext()))
    for source, text in (("{{< x >}}\n\n@", f"{made}<p>{LEAD}</p>"), ("@\n\n{{< x >}}", f"<p>{LEAD}</p>{made}")):
        found = shown(theme.replace("@", text), source.replace("@", LEAD))
        assert sorted(split_words(" ".join(parse_html(found).itertext()))) == sorted(words + split_words(LEAD))


@pytest.mark.parametrize("made", MADE.values(), ids=MADE)
@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
def test_nothing_of_the_theme_is_shown_beside_a_tag(theme, made):
    """A text that begins or ends with a tag has what the tag has made, and nothing of the theme."""
    words = split_words(" ".join(parse_html(made).itertext()))
    for source, text in (("{{< x >}}\n\n@", f"{made}<p>{LEAD}</p>"), ("@\n\n{{< x >}}", f"<p>{LEAD}</p>{made}")):
        found = shown(theme.replace("@", text), source.replace("@", LEAD))
        assert sorted(split_words(" ".join(parse_html(found).itertext()))) == sorted(words + split_words(LEAD))


@pytest.mark.parametrize("made", [LIKE_FACTS["a date"], LIKE_FACTS["the author's name"], LIKE_FACTS["a link"]])
def test_what_may_be_the_tags_or_the_themes_is_a_problem(made):
    """If the page does not say whether the theme or a tag has made a line, the Markdown is rendered."""
    page = f"<main>{TITLE}<p>{LEAD}</p>{made}</main>"
    assert "it is not clear whether" in problem(page, f"{LEAD}\n\n{{{{< x >}}}}\n")
    assert shown(page, LEAD) == f"<p>{LEAD}</p>"


@pytest.mark.parametrize("source", [LEAD, f"{LEAD}\n\n{{{{< x >}}}}"])
def test_a_line_without_an_element_below_the_text_is_the_themes(source):
    """In a table of an old theme, the line below the text is left out."""
    page = f"<table><tr><td>menu</td><td><h2>Bread on Fridays</h2><p>{LEAD}</p><hr>Posted by Ada, 12 comments</td></tr>"
    assert shown(page, source) == f"<p>{LEAD}</p>"


def test_lists_of_other_posts_beside_a_tag_are_not_shown():
    """Links to other posts beside what a tag has made are a problem, whatever their addresses are."""
    for url in ("/c/", "../c/", "https://example.com/c/", "c.html"):
        listed = f'<h3>More</h3><ul><li><a href="{url}">{OTHER}</a></li></ul>'
        assert problem(f"<main>{TITLE}<p>{LEAD}</p>{listed}</main>", f"{LEAD}\n\n{{{{< x >}}}}")
        assert problem(f'<main><x-a>{TITLE}<img src="/a.jpg">{listed}</x-a></main>', '{{< img "/a.jpg" >}}')


def test_formulas_that_were_drawn_are_not_missing():
    """A page that shows formulas without their TeX has the whole text."""
    formulas = " ".join(f"$a_{n} + b_{n * 3} = c_{n * 7}$" for n in range(2))
    page = f"<article>{TITLE}<p>{LEAD} <span class='katex-html'>x</span></p></article>"
    assert LEAD in shown(page, f"{LEAD} {formulas}")


def test_a_short_text_with_a_changed_word_is_found():
    """A short text of which the generator has changed a word, such as the name of an emoji, is the page's."""
    assert shown(f"<article>{TITLE}<p>I am 🎉 happy</p></article>", "I am :tada: happy") == "<p>I am 🎉 happy</p>"


def test_an_element_in_a_tag_is_not_all_of_the_text():
    """If all words are in the tags of a pair or in the author's element, what is beside them stays."""
    chart = "<figure><figcaption>Loaves by colour</figcaption></figure>"
    for before, after in (
        ("{{< box >}}", "{{< /box >}}"),
        ("{% row_start %}", "{% row_end %}"),
        ('<div class="b">\n', "\n</div>"),
    ):
        page = f'<article>{TITLE}<div class="zz"><div class="b"><p>{LEAD}</p></div>{chart}</div></article>'
        assert "Loaves" in shown(page, f"{before}\n{LEAD}\n{after}\n\n{{{{< chart >}}}}\n")


# A part of the text ---------------------------------------------------------------------------------------------------

LINES = [
    f"This is the line {n} of {n * 7} that the author wrote about bread, salt and oven {n * 3}." for n in range(20)
]


@pytest.mark.parametrize("selector", ["", "article"])
@pytest.mark.parametrize("tag", ["", "\n\n{{< x >}}\n\nAnd the end of it."])
@given(st.integers(0, 20))
def test_a_page_that_lacks_much_of_the_text_is_a_problem(tag, selector, count):
    """A page with less than nine tenths of the words is that of a build that was ended, or of an older text."""
    end = "<p>And the end of it.</p>" if tag else ""
    page = f"<article>{TITLE}{''.join(f'<p>{line}</p>' for line in LINES[:count])}{end}</article>"
    found = extract_content(page.encode(), own("\n\n".join(LINES) + tag), selector)
    assert bool(found.problem) == (count < 18)
    assert bool(found.html) == (count >= 18)


@pytest.mark.parametrize(
    "source", ["Just a note.", "42", "> Be kind.", "今日は晴れ。", "🎉🎉", "![](/a.jpg)", "{{< x >}}"]
)
def test_an_empty_element_is_not_the_text(source):
    """If the element has nothing of a short post, that is a problem and not an empty text."""
    assert problem(f'<article>{TITLE}<div class="post-content"></div></article>', source)
    assert problem(f"<article>{TITLE}</article>", source)
