"""The text of a post in pages as site generators make them."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.core.posts.built.content import extract_content
from feeds.core.posts.built.own_text import own_text
from feeds.core.posts.built.words import split_words
from feeds.core.posts.markdown import sanitize_html
from feeds.core.posts.post_file import PostFile
from feeds.core.posts.render import Page, render_post
from feeds.core.posts.text import text_content
from tests.core.factory import SETTINGS

BASE = "https://example.com/2026/a/"
#: A post with most of what a post can have.
SOURCE = """
Bread wants time more than it wants work. This is how we bake on Fridays, with a dough that rests overnight.[^1]

## What you need

Five hundred grams of flour, a little salt, and water that is *not* too warm.

- a large bowl
- a scale that knows grams

```python
def rest(hours):
    return "longer" if hours < 12 else "enough"
```

![The dough after a night](/img/dough.jpg)

> Patience is the cheapest ingredient of all.

The oven is hot when a drop of water dances on its floor.

[^1]: Overnight means twelve hours, at least in winter.
"""
FRONT = """title: Bread on Fridays
date: 2026-11-20
author: Ada Miller
tags: [bread, kitchen]
description: A dough that rests."""


def own(source=SOURCE, front=FRONT, path="a.md"):
    file = PostFile(path, f"---\n{front}\n---\n{source}".encode(), SETTINGS)
    return own_text(file, file.read_title())


def shown(page, source=SOURCE, selector="", **given):
    """Return the sanitised HTML of the text in a page, or fail."""
    found = extract_content(page.encode(), own(source, **given), selector)
    assert not found.problem
    return sanitize_html(found.html, BASE)


def problem(page, source=SOURCE, selector=""):
    return extract_content(page.encode(), own(source), selector).problem


#: What the text is in every page below.
WORDS = split_words(
    "Bread wants time more than it wants work. This is how we bake on Fridays, with a dough that rests overnight. 1"
    " What you need Five hundred grams of flour, a little salt, and water that is not too warm. a large bowl"
    " a scale that knows grams def rest(hours): return longer if hours < 12 else enough"
    " Patience is the cheapest ingredient of all. The oven is hot when a drop of water dances on its floor."
    " Overnight means twelve hours, at least in winter."
)
CODE = """<pre><code class="language-python">def rest(hours):
    return "longer" if hours &lt; 12 else "enough"</code></pre>"""
#: A page as each generator makes it of the post, with a theme that is usual there.
PAGES = {file.stem: file.read_text("utf-8") for file in sorted((Path(__file__).parent / "pages").glob("*.html"))}


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
def test_the_words_of_an_entry_are_those_of_the_text_in_the_page(page):
    """In a page as each generator makes it, the text has all words of the post and none of the rest of the page."""
    assert split_words(text_content(shown(page))) == WORDS
    assert 'src="https://example.com/img/dough.jpg"' in shown(page)


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
def test_code_stays_and_its_colours_go(page):
    """Code keeps its lines and language, and has no numbers, colours and buttons."""
    html = shown(page)
    assert CODE in html.replace("\n</code>", "</code>")
    assert html.count("<pre") == 1


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
def test_nothing_but_the_post_is_left(page):
    """No link leads to a heading or a footnote of the page, and only the picture of the post is left."""
    html = shown(page)
    assert html.count("<img") == 1
    assert "#" not in html.replace("&#", "")


# Parts of pages ---------------------------------------------------------------------------------------------------

#: Enough words of an author for a page to be recognised.
LEAD = "The lead of this post is long enough to be found again in a page."
TAIL = "The tail of it ends what the author wanted to say about all this."
DOT = "data:image/gif;base64,AAAA"


def between(html):
    """Return what is shown of *html* between two paragraphs of a post that has a template tag there."""
    page = f"<body><main><article><h1>Bread on Fridays</h1><p>{LEAD}</p>{html}<p>{TAIL}</p></article></main></body>"
    found = shown(page, f"{LEAD}\n\n{{{{< x >}}}}\n\n{TAIL}\n")
    inside = re.fullmatch(rf"<p>{LEAD}</p>(.*)<p>{TAIL}</p>", found, re.DOTALL)
    assert inside, found
    return inside[1].strip()


REMOVED = {
    "hidden": "<p hidden>no</p>",
    "hidden by a style": '<div style="color: red; display:none">no</div>',
    "hidden from screens": '<span class="sr-only">no</span>',
    "a decoration": '<i class="icon" aria-hidden="true">no</i>',
    "a script": "<script>no()</script><style>.no {}</style><template><p>no</p></template>",
    "a button": '<button class="copy">Copy</button>',
    "share buttons": '<div class="share-buttons"><a href="https://social.example/">Tell your friends</a></div>',
    "related posts": '<aside class="related-posts"><h3>Read next</h3><a href="/b/">Another one</a></aside>',
    "comments": '<section id="comments"><h2>3 comments</h2><p>Nice. Very nice indeed.</p></section>',
    "a form": '<form action="/subscribe"><label>Your address <input type="email"></label></form>',
    "a comment": "<!-- no -->",
    "a menu": '<nav><a href="/a/">A</a><a href="/b/">B</a></nav>',
    "a table of contents": '<div class="toc"><p>Parts</p><ul><li><a href="#a">This is the lead</a></li></ul></div>',
}


@pytest.mark.parametrize("html", REMOVED.values(), ids=REMOVED)
def test_parts_of_the_page_are_removed_inside_the_text_too(html):
    """What is hidden, or is a part of the page and not of the post, is removed wherever it is."""
    assert between(html) == ""


KEPT = {
    "a box that a tag has made": ('<div class="note"><p>Take care.</p></div>', "<div><p>Take care.</p>\n</div>"),
    "the author's own words in a box with a telling name": (
        f'<div class="related"><p>{LEAD}</p></div>',
        f"<div><p>{LEAD}</p>\n</div>",
    ),
    "a panel behind a tab": ('<div role="tabpanel" hidden><p>npm</p></div>', "<div><p>npm</p>\n</div>"),
    "details": (
        "<details><summary>More</summary><p>x</p></details>",
        "<details><summary>More</summary>\n<p>x</p>\n</details>",
    ),
    "a heading that opens a panel": ("<h3><button>More?</button></h3>", "<h3>More?</h3>"),
    "an emoji": ('<p>Hi <span aria-hidden="true">👋</span></p>', "<p>Hi 👋</p>"),
    "a table of numbers": ("<table><tr><td>1</td><td>x</td></tr></table>", None),
    "a player": (
        '<iframe src="https://video.example/1" title="Film"></iframe>',
        '<a href="https://video.example/1">Film</a>',
    ),
    "a link to another page's part": (
        '<p><a href="/b/#c">there</a></p>',
        '<p><a href="https://example.com/b/#c">there</a></p>',
    ),
    "a link to a part of this page": (
        '<p><a href="#c">below</a></p>',
        '<p><a href="https://example.com/2026/a/#c">below</a></p>',
    ),
}


@pytest.mark.parametrize(("html", "expected"), KEPT.values(), ids=KEPT)
def test_what_a_template_tag_has_made_stays(html, expected):
    """What the generator has added to the text stays: boxes, panels, players, tables, links."""
    found = between(html)
    assert found == expected if expected else "<td>1</td>" in found.replace("\n", "")


HEADINGS = {
    "a sign behind": '<h2 id="x">Why <a href="#x" class="anchor">#</a></h2>',
    "a sign before": '<h2 id="x"><a class="zola-anchor" href="#x">🔗</a>Why</h2>',
    "an icon": '<h2 id="x"><a id="y" class="anchor" href="#x" aria-hidden="true"><svg></svg></a>Why</h2>',
    "words for screen readers": '<h2 id="x">Why<a class="header-anchor" href="#x">Permalink to Why</a></h2>',
    "a link around": '<h2 id="x"><a href="#x">Why</a></h2>',
    "an address of the page": '<h2 id="x">Why<a href="https://example.com/2026/a/#x">¶</a></h2>',
}


@pytest.mark.parametrize("html", HEADINGS.values(), ids=HEADINGS)
def test_headings_do_not_link_to_themselves(html):
    """A heading has its words and its id, and no link to itself."""
    assert re.sub(r"\s*</h2>", "</h2>", between(html)) == '<h2 id="x">Why</h2>'


X2 = "<math><mrow><msup><mi>x</mi><mn>2</mn></msup></mrow></math>"
FORMULAS = {
    "MathML": X2,
    "KaTeX": f'<span class="katex-display"><span class="katex"><span class="katex-mathml">{X2[:-7]}<annotation '
    'encoding="application/x-tex">x^2</annotation></math></span><span class="katex-html" aria-hidden="true">'
    "<span>x</span><span>2</span></span></span></span>",
    "MathJax 3": f'<mjx-container class="MathJax" jax="SVG"><svg><g></g></svg><mjx-assistive-mml>{X2}'
    "</mjx-assistive-mml></mjx-container>",
    "MathJax 2": f'<span class="MathJax" data-mathml="x"><nobr aria-hidden="true">x2</nobr><span class="MJX_Assistive_'
    f'MathML">{X2}</span></span><script type="math/mml">x</script>',
}


@pytest.mark.parametrize("html", FORMULAS.values(), ids=FORMULAS)
def test_a_formula_is_shown_once_and_readably(html):
    """Of the forms in which a page has a formula, one that feed readers show is left."""
    assert between(f"<p>{html}</p>").replace("<span>", "").replace("</span>", "") == "<p>x<sup>2</sup></p>"


def test_a_formula_in_a_script_is_shown_as_it_is_written():
    """A formula that a script would set is shown in TeX."""
    tex = "<p><code>x^2 &lt; 1</code></p>"
    assert between('<p><script type="math/tex">x^2 < 1</script></p>') == tex
    assert between('<p><script type="math/tex; mode=display">% <![CDATA[ x^2 < 1 %]]></script></p>') == tex


CODE_BLOCKS = {
    "Hexo": '<figure class="highlight js"><table><tr><td class="gutter"><pre><span class="line">1</span><br>'
    '<span class="line">2</span><br></pre></td><td class="code"><pre><span class="line"><span class='
    '"k">let</span> a</span>'
    '<br><span class="line">b</span><br></pre></td></tr></table></figure>',
    "numbers in lines": '<pre><code class="language-js"><span class="line"><span class="ln">1</span><span class="cl">'
    'let a\n</span></span><span class="line"><span class="ln">2</span><span class="cl">b\n</span></span></code></pre>',
    "Prism": '<pre class="line-numbers language-js"><code class="language-js">let a\nb<span aria-hidden="true" class='
    '"line-numbers-rows"><span></span><span></span></span></code></pre>',
    "Shiki": '<pre class="shiki" style="background:#fff" data-language="js"><code><span class="line">'
    '<span style="color:red">let</span> a</span>\n<span class="line">b</span></code></pre>',
    "mkdocs": '<div class="language-js highlight"><pre><span></span><code><a id="l1" name="l1" href="#l1"></a>let a\n'
    '<a href="#l2"></a>b\n</code></pre></div>',
}


@pytest.mark.parametrize("html", CODE_BLOCKS.values(), ids=CODE_BLOCKS)
def test_code_has_its_lines_and_its_language(html):
    """Code of each highlighter is left with its lines and its language, and without numbers."""
    found = re.sub("</?(?:div|figure)>|\n(?=</code>)", "", between(html)).strip()
    assert found == '<pre><code class="language-js">let a\nb</code></pre>'


def test_text_in_fixed_columns_is_no_code():
    """A `pre` without code stays one, with its emphasis."""
    assert between("<pre>a  <b>b</b>\n1  2</pre>") == "<pre>a  <b>b</b>\n1  2</pre>"


# What is not the text ---------------------------------------------------------------------------------------------

MANY = " ".join(f"Word{n} of others." for n in range(200))
WRONG = {
    "an empty page": ("", "the page is empty"),
    "another post": (
        "<article><p>Other words stand here, none of them from this post.</p></article>",
        "of the post's words",
    ),
    "the beginning alone": (f"<article><p>{LEAD[:20]}</p></article>", "of the post's words"),
    "a post in a page of many": (f"<body><p>{MANY}</p><p>{LEAD} {TAIL}</p><p>{MANY}</p></body>", None),
}


@pytest.mark.parametrize(("page", "expected"), WRONG.values(), ids=WRONG)
def test_a_wrong_element_is_not_taken(page, expected):
    """A page without the post's words is a problem; of a page with more, only the post is taken."""
    source = f"{LEAD}\n\n{TAIL}\n"
    if expected:
        assert expected in problem(page, source)
    else:
        assert split_words(shown(page, source)) == split_words(f"p {LEAD} {TAIL} p")


def test_of_several_articles_the_one_with_the_post_is_taken():
    """In a page with several articles, the one that has the post's words is taken."""
    page = "".join(f"<article><p>{text}</p></article>" for text in ("One.", f"{LEAD}</p><p>{TAIL}", "Three and four."))
    assert shown(page, f"{LEAD}\n\n{TAIL}") == f"<p>{LEAD}</p>\n<p>{TAIL}</p>"


def test_a_post_without_words_needs_an_element_that_is_known():
    """A post that is a picture is taken from the one article of its page; from a page with two it is not."""
    picture = '<article><h1>Bread on Fridays</h1><p><img src="/a.jpg"></p></article>'
    assert shown(picture, "![](/a.jpg)") == '<p><img src="https://example.com/a.jpg"></p>'
    assert "too few words" in problem(picture + picture, "![](/a.jpg)")


def test_a_link_post_without_text_stays_without_text():
    """A post without text takes none from its page, which shows its description."""
    assert shown("<article><h1>Bread on Fridays</h1><p>A dough that rests.</p></article>", "\n") == ""


def test_the_description_that_a_theme_shows_is_not_the_text():
    """A description above the text is removed, unless the text begins with it."""
    page = f"<article><h1>Bread on Fridays</h1><p>A dough that rests.</p><p>{LEAD}</p><p>{TAIL}</p></article>"
    assert shown(page, f"{LEAD}\n\n{TAIL}") == f"<p>{LEAD}</p>\n<p>{TAIL}</p>"
    assert shown(page, f"A dough that rests.\n\n{LEAD}\n\n{TAIL}").startswith("<p>A dough that rests.</p>")


FILM = '<iframe src="https://www.video.example/embed/dQw4w9WgXcQ"></iframe>'
MEDIA = {
    "a picture at the end": ("![](/img/boat.jpg)", '<p><img src="/img/boat.jpg"></p>', "<img"),
    "a picture that was made smaller": ("![](/img/boat.jpg)", '<p><img src="/_astro/boat.Bx12_Z3.webp"></p>', "<img"),
    "a picture that a script loads": (
        "![](/img/boat.jpg)",
        f'<p><img src="{DOT}" data-src="/img/boat.jpg"><noscript><img src="/img/boat.jpg"></noscript></p>',
        "<img",
    ),
    "a film of which the author wrote the address": (
        "https://video.example/watch?v=dQw4w9WgXcQ",
        f"<p>{FILM}</p>",
        "<a",
    ),
}


@pytest.mark.parametrize(("written", "made", "expected"), MEDIA.values(), ids=MEDIA)
def test_pictures_and_films_at_the_end_of_a_text_stay(written, made, expected):
    """Of a text that ends in a picture or film, it stays; the theme's own picture above and below the text does not."""
    around = '<p><img src="/theme/hero.png"></p>'
    page = f"<article><h1>Bread on Fridays</h1>{around}<div><p>{LEAD}</p><p>{TAIL}</p>{made}</div>{around}</article>"
    found = shown(page, f"{LEAD}\n\n{TAIL}\n\n{written}\n")
    assert found.count(expected) == 1
    assert "hero" not in found


def test_a_text_in_japanese_is_found():
    """Words of a script without spaces are recognised, also if lines are joined."""
    source = "これは日本語の記事です。\n改行があっても、同じ文章として認識されます。\n"
    page = f"<article><p>ほかの記事の文章です。</p></article><article><p>{source.replace(chr(10), '')}</p></article>"
    assert shown(page, source) == f"<p>{source.replace(chr(10), '')}</p>"


def test_a_description_that_repeats_the_first_paragraph_takes_nothing_away():
    """If the description is the first paragraph, it stays once, whether the theme shows the description or not."""
    front = FRONT.replace("A dough that rests.", LEAD)
    linked = LEAD.replace("The lead", '[The lead]({{< ref x >}} "A title of it")')
    source = f"{linked}\n\n{TAIL}"
    for above in ("", f"<p>{LEAD}</p>"):
        page = f"<article><h1>Bread on Fridays</h1>{above}<p>{LEAD}</p><p>{TAIL}</p></article>"
        assert shown(page, source, front=front) == f"<p>{LEAD}</p>\n<p>{TAIL}</p>"


def test_a_post_of_one_word_keeps_it():
    """A post of a single word has it from its page."""
    assert shown("<article><h1>Bread on Fridays</h1><p>Soon</p></article>", "Soon\n") == "<p>Soon</p>"


def test_the_footer_of_a_site_without_landmarks_is_removed():
    """In a page without `main` and `article`, the footer is removed though its words are in the post too."""
    words = "The Office of Bread and Butter of the City wrote this text for all of you and for nobody else at all."
    page = f"<header>Menu</header><h1>Bread on Fridays</h1><p>{words}</p><p>{TAIL}</p><footer>Office of Bread</footer>"
    for source in (f"{words}\n\n{TAIL}", f"{words} {{{{< x >}}}}\n\n{TAIL}\n"):
        assert shown(f"<body>{page}</body>", source) == f"<p>{words}</p>\n<p>{TAIL}</p>"


def test_pages_in_other_encodings_are_read():
    """A page in the encoding that it declares is read; one without any is read as Latin-1."""
    source = f"{LEAD} Übung macht den Bäcker.\n"
    for head, codec in (
        ('<meta charset="iso-8859-15">', "iso-8859-15"),
        ("", "latin-1"),
        ("<?xml version='1.0'?>", "utf-8"),
    ):
        page = f"{head}<article><p>{LEAD} Übung macht den Bäcker.</p></article>".encode(codec)
        assert "Übung macht den Bäcker." in extract_content(page, own(source)).html


def test_a_page_without_the_tags_that_html_lets_it_leave_out_is_read():
    """A minified page has neither `html` nor `body`, and its paragraphs have no end."""
    page = f"<!doctype html><meta charset=utf-8><title>x</title><header>Menu</header><main><p>{LEAD}<p>{TAIL}</main>"
    assert shown(page, f"{LEAD}\n\n{TAIL}") == f"<p>{LEAD}</p>\n<p>{TAIL}</p>"


def test_the_mark_ends_the_excerpt_of_a_page_that_does_not_have_it():
    """The excerpt of a page ends where the mark is in the Markdown."""
    content = f"---\n{FRONT.rpartition(chr(10))[0]}\n---\n{LEAD}\n\n<!--more-->\n\n{TAIL}\n".encode()
    page = f"<article><h1>Bread on Fridays</h1><p>{LEAD}</p><p>{TAIL}</p></article>".encode()
    assert render_post("a.md", content, SETTINGS, Page("a.html", page)).excerpt == LEAD


@given(st.text(alphabet="<>/abdivpre \"'=&;!-", max_size=200))
def test_no_page_raises(html):
    """Whatever a page holds, there is a text or a problem."""
    found = extract_content(f"<article><p>{LEAD}</p>{html}</article>".encode(), own(f"{LEAD}\n"))
    assert bool(found.html) != bool(found.problem)
