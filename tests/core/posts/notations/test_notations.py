"""Notations that generators add to Markdown."""

import re
from contextlib import suppress
from html import unescape

import pytest

from feeds.errors import PostError
from tests.core.factory import rendered
from tests.core.posts.tags.test_expand import settings_for, shown

BOXES = {
    "Docusaurus": ":::tip[The *title*]\nOne.\n\nTwo.\n:::\nThree.",
    "Docusaurus of old and VitePress": ":::tip The *title*\nOne.\n\nTwo.\n:::\n\nThree.",
    "with spaces": "::: tip The *title*\n\nOne.\n\nTwo.\n\n:::\n\nThree.",
    "Pandoc": "::: {.tip} The *title*\nOne.\n\nTwo.\n:::\nThree.",
    "GitHub with a title": "> [!TIP] The *title*\n> One.\n>\n> Two.\n\nThree.",
    "Python-Markdown": '!!! tip "The *title*"\n    One.\n\n    Two.\n\nThree.',
}


@pytest.mark.parametrize("body", BOXES.values(), ids=BOXES)
def test_a_box_is_a_quotation_with_its_title(body):
    """A box is shown as a quotation whose first line is its title, and the text below is outside of it."""
    assert shown(body) == (
        "<blockquote><p><strong>The <em>title</em></strong></p><p>One.</p><p>Two.</p></blockquote><p>Three.</p>"
    )


@pytest.mark.parametrize("body", [":::warning\nOne.\n:::", "> [!WARNING]\n> One.", "!!! warning\n    One."])
def test_a_box_without_a_title_has_its_kind_as_title(body):
    """Without a title, the kind of a box is its title."""
    assert shown(body) == "<blockquote><p><strong>Warning</strong></p><p>One.</p></blockquote>"


def test_boxes_in_boxes_and_lists_stay_there():
    """A box in a box or in an item of a list is inside of it, with its code."""
    assert shown("::::note\nOne.\n\n:::tip\n```\n:::\n```\n:::\n\nTwo.\n::::") == (
        "<blockquote><p><strong>Note</strong></p><p>One.</p><blockquote><p><strong>Tip</strong></p>"
        "<pre><code>:::</code></pre></blockquote><p>Two.</p></blockquote>"
    )
    assert shown("- a\n\n  :::tip\n  One.\n  :::\n\n- b") == (
        "<ul><li><p>a</p><blockquote><p><strong>Tip</strong></p><p>One.</p></blockquote></li><li><p>b</p></li></ul>"
    )


@pytest.mark.parametrize(
    "body", ["```\n:::tip\nOne.\n:::\n```", "`:::tip`", ":::tip without an end", "~~~\n> [!NOTE]\n~~~", "a ::: b"]
)
def test_what_is_no_box_is_left_alone(body):
    """In code, and without an end mark, the marks of a box are text."""
    assert rendered("title: A", body).html == rendered("title: A", body, settings=settings_for("none")).html


ATTRIBUTES = {
    "a block's": ("One *two*.\n{: .wide #a}\n\nThree.", "<p>One <em>two</em>.</p><p>Three.</p>"),
    "a block's, above it": ("{: .wide}\nOne.", "<p>One.</p>"),
    "goldmark's": ('One.\n{.wide data-x="y"}\n\nTwo.', "<p>One.</p><p>Two.</p>"),
    "a picture's": (
        '![a](/b.png){: .wide width="80%"} and [c](/d){target=_blank .e}',
        '<p><img src="https://example.com/b.png" alt="a"> and <a href="https://example.com/d">c</a></p>',
    ),
    "emphasis'": ("**One**{: .a} two", "<p><strong>One</strong> two</p>"),
    "a list of contents": ("* Contents\n{:toc}\n\nOne.", "<p>One.</p>"),
    "an excluded heading": ("## One\n{: .no_toc}\n\nTwo.", '<h2 id="one">One</h2><p>Two.</p>'),
    "the id of a heading": ("## One *two* {#three}\n\nx", '<h2 id="three">One <em>two</em></h2><p>x</p>'),
    "the id of a heading, kramdown": ("## One {: #two .b}\n\nx", '<h2 id="two">One</h2><p>x</p>'),
    "the id of an underlined heading": ("One {#two}\n===\n\nx", '<h1 id="two">One</h1><p>x</p>'),
    "the id of a heading with code": ("## One `{#a}` {#two}\n\nx", '<h2 id="two">One <code>{#a}</code></h2><p>x</p>'),
    "an id in another script": ("## Один {#раз-два}\n\nx", '<h2 id="раз-два">Один</h2><p>x</p>'),
    "a comment": ("One {::comment}gone{:/comment}two.", "<p>One two.</p>"),
}


@pytest.mark.parametrize("case", ATTRIBUTES.values(), ids=ATTRIBUTES)
@pytest.mark.parametrize("generator", ["auto", "jekyll", "hugo"])
def test_an_attribute_list_is_left_out(case, generator):
    """Attribute lists are not shown; a heading has the id that its list gives it."""
    body, html = case
    assert shown(body, generator) == html


@pytest.mark.parametrize(
    "words", ["a {:?} b", "x{:>5}", "{ a: 1 }", "set {1, 2}", "`{: .a}`", "f(x){ y }", "{#", "a {b} c"]
)
def test_braces_that_are_no_attribute_list_are_text(words):
    """Braces in a text stay."""
    assert rendered("title: A", words).html == rendered("title: A", words, settings=settings_for("none")).html


@pytest.mark.parametrize("generator", ["auto", "jekyll", "hugo", "hexo", "pelican"])
def test_a_definition_list_is_one(generator):
    """A term with a colon on the next line is a definition list."""
    assert shown("Tide\n: Goes *out*.\n: Comes in.\n", generator) == (
        "<dl><dt>Tide</dt><dd>Goes <em>out</em>.</dd><dd>Comes in.</dd></dl>"
    )


@pytest.mark.parametrize("generator", ["zola", "docusaurus", "none"])
def test_without_definition_lists_a_colon_is_text(generator):
    """A generator without definition lists shows the colon, and so do we."""
    assert "<dl>" not in shown("Tide\n: Goes out.\n", generator)


@pytest.mark.parametrize(
    ("body", "html"),
    [
        ("## Head\n{: #foo .bar}\n\nText", '<h2 id="foo">Head</h2><p>Text</p>'),
        ("## Head ##\n{:.bar #foo}\nText", '<h2 id="foo">Head</h2><p>Text</p>'),
        ("## C#\n{:#c}\nText", '<h2 id="c">C#</h2><p>Text</p>'),
        ("Head\n---\n{: #foo}\n\nText", '<h2 id="foo">Head</h2><p>Text</p>'),
        ("> ## Head\n> {: #foo}\n", '<blockquote><h2 id="foo">Head</h2></blockquote>'),
        ("## Head\n{: .bar}\n\nText", '<h2 id="head">Head</h2><p>Text</p>'),
        ("## Head {#own}\n{: .bar}\n\nText", '<h2 id="own">Head</h2><p>Text</p>'),
        ("## Head\n\nText\n{: #foo}\n", '<h2 id="head">Head</h2><p>Text</p>'),
        ("```\n## Head\n{: #foo}\n```", "<pre><code>## Head{: #foo}</code></pre>"),
    ],
)
def test_an_id_on_the_line_below_a_heading_is_that_of_the_heading(body, html):
    """In kramdown a list on the line below belongs to the heading; one below other text does not."""
    assert shown(body, "jekyll") == html


@pytest.mark.parametrize("generator", ["jekyll", "pelican"])
@pytest.mark.parametrize(
    ("body", "html"),
    [
        ("The HTML.\n\n*[HTML]: Hyper Text", "<p>The HTML.</p>"),
        ("*[HTML]: Hyper Text\n*[a b]:\nThe HTML.", "<p>The HTML.</p>"),
        ("## B\n   *[C]: d\n\nText", '<h2 id="b">B</h2><p>Text</p>'),
        ("> A\n>\n> *[C]: d *e*\n\nText", "<blockquote><p>A</p></blockquote><p>Text</p>"),
        ("- A\n\n  *[C]: d\n", "<ul><li>A</li></ul>"),
        # No definition
        ("The HTML.\n*[HTML]: Hyper Text", "<p>The HTML.*[HTML]: Hyper Text</p>"),
        ("*[C] : d", "<p>*[C] : d</p>"),
        ("*[word]* then: d", "<p><em>[word]</em> then: d</p>"),
        ("```\n\n*[C]: d\n```", "<pre><code>*[C]: d</code></pre>"),
    ],
)
def test_the_definition_of_an_abbreviation_is_left_out(generator, body, html):
    """A definition is a block of its own or below a heading, as in kramdown; code and other text stay."""
    assert shown(body, generator) == html


@pytest.mark.parametrize("generator", ["hugo", "eleventy", "none"])
def test_without_abbreviations_a_definition_is_text(generator):
    """Generators whose Markdown has no abbreviations show the line."""
    assert shown("B\n\n*[C]: d", generator) == "<p>B</p><p>*[C]: d</p>"


def test_names_of_emoji_are_emoji():
    """A name of an emoji is the emoji; in code, inside of words and times, and without a name it is text."""
    assert shown("At 10:100:30 :tada: and :+1:! `:tada:`") == "<p>At 10:100:30 🎉 and 👍! <code>:tada:</code></p>"
    for words in ("At 10:100:30", "fe80:1234:a", "a:tada:b", ":not_a_name:", "std::memo::x"):
        assert shown(words) == f"<p>{words}</p>"


@pytest.mark.parametrize(
    ("generator", "breaks", "html"),
    [
        ("hexo", "auto", "<p>One<br>two</p>"),
        ("hexo", False, "<p>Onetwo</p>"),
        ("jekyll", "auto", "<p>Onetwo</p>"),
        ("jekyll", True, "<p>One<br>two</p>"),
        ("none", True, "<p>One<br>two</p>"),
    ],
)
def test_line_breaks_are_those_of_the_generator(generator, breaks, html):
    """A line break in a paragraph is shown as the generator does, or as `posts.breaks` says."""
    assert shown("One\ntwo", generator, breaks=breaks) == html


@pytest.mark.parametrize("generator", ["pelican", "auto"])
def test_static_files_of_pelican_have_their_addresses(generator):
    """`{static}` is the content folder or, without a slash, that of the post; an attached file is beside its page."""
    body = "![a]({static}/images/a.png) ![b]({static}b.png) ![c]({attach}c.png) [d](|static|/d.pdf) [e]({index})"
    html = shown(body, generator, path="blog/2026-01-02-a.md", front="title: A\ndate: 2026-01-02")
    assert re.findall(r'(?:src|href)="https://example.com/([^"]*)"', html) == [
        "images/a.png",
        "blog/b.png",
        "a/c.png",
        "d.pdf",
        "",
    ]


FORMULAS = {
    "in a line": (r"Of $$a_1 * b_2 \\ c$$ two.", r"<p>Of <code>a_1 * b_2 \\ c</code> two.</p>"),
    "a block": (
        "$$\na_1 < b_2\n\n= c\n$$\n\nTwo.",
        '<pre><code class="language-latex">a_1 &lt; b_2= c</code></pre><p>Two.</p>',
    ),
    "money": ("A $$ and a $$ more.", "<p>A $$ and a $$ more.</p>"),
    "code": ("`$$a_1$$`", "<p><code>$$a_1$$</code></p>"),
}


@pytest.mark.parametrize("case", FORMULAS.values(), ids=FORMULAS)
def test_a_formula_is_its_latex(case):
    """A formula between `$$` is shown as its LaTeX, of which Markdown reads nothing."""
    assert shown(case[0]) == case[1]


def test_a_body_of_html_has_no_code_for_its_indentation():
    """In a text that is HTML throughout, lines that are indented below a blank line are HTML, as in Jekyll."""
    body = "<div>\n  <p>One</p>\n\n    <p>Two</p>\n\n<pre>\n    code\n</pre>\n</div>\n"
    assert shown(body, "jekyll") == "<div><p>One</p><p>Two</p><pre>    code</pre></div>"
    assert "<code>" in shown(body, "hugo")


LONG = [
    "$$a" * 99_999,
    ":::a\n" * 50_000,
    ":::a\n" * 20_000 + ":::\n" * 20_000,
    "{:" * 100_000,
    "## a {#" * 50_000,
    "![a](b){.c" * 50_000,
]


@pytest.mark.parametrize(
    "body", [*LONG, "!!! a\n    " * 30_000, "# {.a " * 50_000, ":a:" * 100_000, "a\n: b\n" * 20_000]
)
def test_notations_take_linear_time(body):
    """Unclosed and nested notations are read in linear time; in quadratic time this test would not end."""
    with suppress(PostError):  # too deep, or too long
        rendered("title: A", body)


CONTENTS = {
    "kramdown's": "* TOC\n{:toc}",
    "kramdown's with numbers": "1. TOC\n{: toc}",
    "kramdown's without a word": "*\n{:toc}",
    "kramdown's in several lines": "* A\n* B\n  more\n{:toc .wide #y}",
    "kramdown's above the list": "{:toc}\n* TOC\n* B",
    "Python-Markdown's": "[TOC]",
    "markdown-it's": "[[toc]]",
    "GitLab's": "[[_TOC_]]",
    "CSDN's": "@[toc](Contents)",
}


@pytest.mark.parametrize("mark", CONTENTS.values(), ids=CONTENTS)
def test_a_list_of_contents_is_not_shown(mark):
    """Neither the mark of a list of contents is shown nor the list that it replaces; lists and text around it stay."""
    assert shown(f"One.\n\n{mark}\n\n* Two\n* Three", "jekyll") == "<p>One.</p><ul><li>Two</li><li>Three</li></ul>"
    assert (
        shown(f"## Contents\n{{:.no_toc}}\n\n{mark}\n\nOne.", "jekyll") == '<h2 id="contents">Contents</h2><p>One.</p>'
    )
    assert mark.split("\n")[0] in unescape(re.sub("<[^<>]*>", "", rendered("title: A", f"```\n\n{mark}\n\n```").html))


def test_what_only_looks_like_a_list_of_contents_stays():
    """A mark in a sentence, and a link with the name of one, are text."""
    assert shown("See [TOC] here.") == "<p>See [TOC] here.</p>"
    assert shown("[toc]\n\n[toc]: /x") == '<p><a href="https://example.com/x">toc</a></p>'


MATH = {
    "single signs": ("a $x_i$ b", "<p>a <code>x_i</code> b</p>"),
    "emphasis inside": ("$a*b$ and $c*d$", "<p><code>a*b</code> and <code>c*d</code></p>"),
    "a command": (r"a \\(\alpha\\) b", r"<p>a <code>\alpha</code> b</p>"),
    "Hugo's passthrough": (r"a \(x_i\) b", "<p>a <code>x_i</code> b</p>"),
    "a block": (
        "One.\n\n\\\\[\nx^2\n\\\\]\n\nTwo.",
        '<p>One.</p><pre><code class="language-latex">x^2</code></pre><p>Two.</p>',
    ),
}


@pytest.mark.parametrize("case", MATH.values(), ids=MATH)
@pytest.mark.parametrize(
    "front", ["math: true", "mathjax: yes", "use_math: 1", "params: {katex: true}", "extra: {math: x}"]
)
def test_formulas_between_single_signs_are_latex_if_the_post_asks_for_formulas(case, front):
    """With a key such as `math`, what is between single dollar signs or MathJax's brackets is LaTeX."""
    body, html = case
    assert shown(body, "hugo", f"title: A\n{front}") == html


@pytest.mark.parametrize("front", ["math: true", "math: false", "title: B"])
def test_prices_and_variables_are_no_formulas(front):
    """Sums, variables of a shell, code and escaped signs are text, whatever the front matter asks for."""
    for text in ("It is $5 or $10.", "$5-$10", "a$b$c", "$ x $", "$a", r"x \[a\] y"):
        assert shown(text, "hugo", f"title: A\n{front}") == f"<p>{text.replace(chr(92), '')}</p>"
    assert shown("`$x_i$`", "hugo", f"title: A\n{front}") == "<p><code>$x_i$</code></p>"


def test_without_a_key_single_signs_are_text():
    """If the front matter does not ask for formulas, a dollar sign is one."""
    assert shown("a $x$ b", "hugo", "title: A\nmath: false") == "<p>a $x$ b</p>"
    assert shown("a $x$ b", "hugo") == "<p>a $x$ b</p>"
