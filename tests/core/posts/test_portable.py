"""HTML of web pages made portable: pictures, formulas, drawings and forms."""

import pytest

from feeds.core.posts.markdown import render_markdown, sanitize_html
from feeds.core.posts.portable import make_portable
from feeds.core.posts.text import text_content
from tests.core.factory import rendered

BASE = "https://example.com/a/"
REAL = '<img src="https://example.com/real.jpg">'
DOT = "data:image/png;base64,AAAA"


def shown(source):
    return sanitize_html(render_markdown(source), BASE).strip()


LAZY = {
    "data-src": f'<img src="{DOT}" data-src="/real.jpg">',
    "data-lazy-src": '<img src="/blank.gif" data-lazy-src="/real.jpg">',
    "data-original": f'<img data-original="/real.jpg" src="{DOT}">',
    "data-srcset": f'<img src="{DOT}" data-srcset="/real.jpg 1x, /large.jpg 2x">',
    "a set alone": '<img srcset="/real.jpg 480w, /large.jpg 960w">',
    "a set of small and large": '<img src="/dot.gif" data-srcset="/dot.jpg 20w, /real.jpg 800w, /large.jpg 2000w">',
    "a set of small ones": '<img srcset="/dot.jpg 20w, /real.jpg 300w">',
    "a set beside a dot": f'<img src="{DOT}" srcset="/real.jpg, /large.jpg 2x">',
    "a set of a picture": f'<picture><source data-srcset="/real.jpg 800w"><img src="{DOT}"></picture>',
    "the last set of a picture": '<picture><source srcset="/x.avif"><source srcset="/real.jpg"><img src=""></picture>',
    "an address with a comma": '<img srcset="/real.jpg 1x, /a,b.jpg 2x">',
    "noscript beside a wrapped dot": f'<span><img src="{DOT}"></span><noscript><img src="/real.jpg"></noscript>',
    "a control character": '<img data-src="&#1;/real.jpg">',
    "a picture": '<picture><source srcset="/x.webp"><img data-src="/real.jpg"></picture>',
}


@pytest.mark.parametrize("html", LAZY.values(), ids=LAZY)
def test_a_picture_that_a_script_would_load_is_shown(html):
    """A picture has the URL that a script would give it."""
    assert REAL in shown(html)


def test_the_content_of_noscript_is_shown():
    """The content of `noscript` is shown as HTML, and not as a second picture beside the one of a script."""
    assert f"a <span>{REAL}</span> b" in shown('a <noscript><img src="/real.jpg"></noscript> b')
    assert "<div><p>Words</p></div>" in shown("<div><noscript><p>Words</p></noscript></div>")
    twice = shown(f'<img src="{DOT}" data-src="/real.jpg"><noscript><img src="/real.jpg"></noscript>')
    assert twice.count("<img") == 1


def test_a_small_picture_inside_the_html_stays():
    """A picture as a `data:` URL stays if it is small and cannot hold a program; else its description is left."""
    assert shown(f"![dot]({DOT})") == f'<p><img src="{DOT}" alt="dot"></p>'
    for url in ("data:image/svg+xml;base64,AAAA", "data:text/html,x", f"data:image/png;base64,{'A' * 200_000}"):
        assert shown(f'<img src="{url}" alt="dot">') == '<img alt="dot">'


FORMULAS = {
    "a power": ("<msup><mi>x</mi><mn>2</mn></msup>", "x<sup>2</sup>"),
    "an index": ("<msub>\n <mi>a</mi>\n <mi>i</mi>\n</msub>", "a<sub>i</sub>"),
    "a sum": (
        "<munderover><mo>∑</mo><mrow><mi>i</mi><mo>=</mo><mn>1</mn></mrow><mi>n</mi></munderover><mi>i</mi>",
        "∑<sub>i=1</sub><sup>n</sup>i",
    ),
    "a fraction": (
        "<mfrac><mrow><mi>a</mi><mo>+</mo><mn>1</mn></mrow><mi>b</mi></mfrac><mo>&lt;</mo><mn>2</mn>",
        "(a+1)/b&lt;2",
    ),
    "a root": ("<msqrt><mn>2</mn></msqrt>", "√(2)"),
    "a table": ("<mtable><mtr><mtd>1</mtd><mtd>2</mtd></mtr><mtr><mtd>3</mtd></mtr></mtable>", "1 2 ; 3"),
    "its source": ('<semantics><mi>x</mi><annotation encoding="application/x-tex">\\x</annotation></semantics>', "x"),
}


@pytest.mark.parametrize(("mathml", "html"), FORMULAS.values(), ids=FORMULAS)
def test_a_formula_is_letters_and_signs(mathml, html):
    """A formula in MathML is its letters, signs, superscripts and subscripts, in its line."""
    assert shown(f"A <math>{mathml}</math> b") == f"<p>A <span>{html}</span> b</p>"


def test_a_drawing_is_its_words():
    """A drawing is its title, description and words, without those that are not drawn; one without words is nothing."""
    drawing = (
        '<svg aria-label="Sales"><title>Sales</title><desc>by year</desc><defs><text>no</text></defs>'
        "<g><text>2025: <tspan>42 %</tspan></text></g><foreignObject><div>Label</div></foreignObject></svg>"
    )
    assert shown(f"<div>{drawing}</div>") == "<div><p>Sales by year 2025: 42 % Label</p></div>"
    assert shown(f"See {drawing} here") == "<p>See <span>Sales by year 2025: 42 % Label</span> here</p>"
    assert text_content(shown('a <svg viewBox="0 0 1 1"><path d="M0"/></svg> b')) == "a b"


def test_only_checkboxes_stay():
    """The checkbox of a task stays, any other field of a form is removed."""
    assert "checkbox" in shown("- [ ] a")
    for field in ('type="email"', "name=q", "type=text value=x", 'type="radio"'):
        assert "<input" not in shown(f"a <input {field}> b")


def test_excerpts_and_html_posts_are_portable_too():
    """A formula is in the excerpt, and in an HTML post."""
    html = "<p>A <math><mi>x</mi></math> b.</p>"
    assert rendered("title: A", html).excerpt == "A x b."
    assert rendered("title: A", html, path="2026-01-02-a.html").html == "<p>A <span>x</span> b.</p>"


def test_html_without_any_of_these_is_not_changed():
    """HTML without formulas, drawings and late pictures is the same."""
    html = '<p>a<br>b <img src="/a.png" alt=""> c'
    assert make_portable(html) is html
    assert make_portable('a <input type="checkbox" disabled=""> b') == 'a <input type="checkbox" disabled=""> b'


@pytest.mark.parametrize(
    "shape",
    ["<img x='", "<input a=b>x", "<noscript>a</noscript>b", "<svg><text>a</text></svg>b", "<math><mi>x</mi></math>y"],
)
def test_any_number_of_these_is_read_in_linear_time(shape):
    """Many fields, drawings and formulas take linear time; in quadratic time this test would not end."""
    assert make_portable(shape * 20_000)
