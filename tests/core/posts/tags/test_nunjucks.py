"""Nunjucks in the posts of Eleventy."""

import pytest

from tests.core.posts.tags.test_expand import kinds, shown

RENDERED = {
    "a value": ('{% set name = "Ada" %}Hi {{ name }}!', "<p>Hi Ada!</p>"),
    "a block as a value": ("{% set x %}A *b*{% endset %}C {{ x }}.", "<p>C A <em>b</em>.</p>"),
    "filters with values": ('{{ "/img/a.png" | url }} {{ "a b" | replace("a", "c") }}', "<p>/img/a.png c b</p>"),
    "an unknown filter": ('{{ "a" | shiny("b") }}', "<p>a</p>"),
    "a loop": ('{% for x in ["a", "b"] %}- {{ x }}\n{% endfor %}', "<ul><li>a</li><li>b</li></ul>"),
    "a counter": ("{% for x in [4, 5] %}{{ loop.index }}{{ x }} {% endfor %}", "<p>14 25</p>"),
    "a condition": ('{% if title === "B" %}yes{% elseif 1 %}no{% else %}never{% endif %}', "<p>no</p>"),
    "not": ("{% if title and not draft %}yes{% endif %}", "<p>yes</p>"),
    "a condition in a line": ('{{ "yes" if title else "no" }}', "<p>yes</p>"),
    "texts joined": ('{{ "a" ~ title ~ 1 }}', "<p>aA1</p>"),
    "a sum": ("{% set n = 1 + 2 * 3 %}{{ n }}", "<p>7</p>"),
    "a list": ('{% set l = ["a", "b"] %}{{ l }} {{ l | join("+") }}', "<p>a,b a+b</p>"),
    "a mapping": ('{% set m = {"x": 1} %}{{ m.x }}{{ m }}', "<p>1</p>"),
    "a comment": ("A{# note #}B", "<p>AB</p>"),
    "a macro": ("{% macro f(a) %}<b>{{ a }}</b>{% endmacro %}A", "<p>A</p>"),
    "code": ("{% set a = 1 %}`{{ a }} {# c #}` {{ a }}", "<p><code>{{ a }} {# c #}</code> 1</p>"),
    "raw": ("{% set a = 1 %}{% raw %}{{ a }}{% endraw %} {{ a }}", "<p>{{ a }} 1</p>"),
    "a picture": ('{% image "./a.png", "A *tide*" %}', "<p>A <em>tide</em></p>"),
    "a picture with names": ('{% image src="./a.png", alt="A tide" %}', "<p>A tide</p>"),
    "a picture elsewhere": (
        '{% image "https://o.example/a.png", "A tide" %}',
        '<img src="https://o.example/a.png" alt="A tide">',
    ),
}


@pytest.mark.parametrize(("body", "html"), RENDERED.values(), ids=RENDERED)
def test_nunjucks_is_rendered(body, html):
    """What a post's Nunjucks says without the site is shown, and nothing is reported."""
    assert shown(body, "eleventy") == html
    assert kinds(body, "eleventy") == []


UNKNOWN = {
    "a value of the site": ("{% set a = 1 %}A {{ collections.all }} {{ a }}", "<p>A  1</p>", ["{{ collections }}"]),
    "a length": (
        "{% set a = 1 %}A {{ collections.all | length }}{{ x | wordcount }}",
        "<p>A</p>",
        ["{{ collections }}", "{{ x }}"],
    ),
    "a size in Liquid": ("A {{ collections.all | size }}", "<p>A</p>", ["{{ collections.all }}"]),
    "a length in a condition": ("{% set a = 1 %}A{% if x | length > 0 %} B{% endif %}", "<p>A</p>", []),
    "a function": ('{% set a = 1 %}A {{ f("x") }}', "<p>A</p>", ["{{ f() }}"]),
    "an import": ('{% import "x.njk" as f %}A', "<p>A</p>", ["{% import %}"]),
    "a broken tag": ("{% set a = %}A", "<p>A</p>", ["{% set %}"]),
    "a private name": ('{% set a = "x" %}A{{ a.__class__.__mro__ }}', "<p>A</p>", ["{{ __class__ }}"]),
}


@pytest.mark.parametrize(("body", "html", "reported"), UNKNOWN.values(), ids=UNKNOWN)
def test_what_only_the_site_knows_is_left_out_and_reported(body, html, reported):
    """Values and functions of the site are left out, and the warning names them."""
    assert shown(body, "eleventy") == html
    assert kinds(body, "eleventy") == reported


ENDLESS = {
    "loops in loops": "{% for a in [1,2,3,4,5,6,7,8,9] %}" * 8 + "x" + "{% endfor %}" * 8,
    "a text joined with itself": '{% set a = "xxxxxxxxxx" %}' + "{% set a = a ~ a %}" * 60 + "{{ a }}",
    "a block with itself twice": '{% set a = "xxxx" %}' + "{% set a %}{{ a }}{{ a }}{% endset %}" * 60 + "{{ a }}",
    "a sum of texts": '{% set a = "xxxxxxxxxx" %}' + "{% set a = a + a %}" * 60 + "{{ a }}",
    "a sum of lists": "{% set a = [1] %}" + "{% set a = a + a %}" * 60 + "{{ a }}",
    "lists in lists": "{% set a = [1] %}" + "{% set a = [a, a] %}" * 60 + "{{ a | string }}",
    "pairs in pairs": "{% set a = 1 %}" + "{% set a = (a, a) %}" * 60 + "{{ a | upper }}",
    "mappings in mappings": "{% set a = 1 %}" + '{% set a = {"x": a, "y": a} %}' * 60 + "{{ a | string }}",
    "a product": '{% set a = "x" * 1000000000 %}{{ a }}',
    "a power": "{% set a = 9 ** 9 ** 9 %}{{ a }}",
    "a replaced text": '{% set a = "aaaaaaaaaa" %}' + '{% set a = a | replace("a", a) %}' * 40 + "{{ a }}",
    "brackets": "{% set a = " + "(" * 5000 + "1" + ")" * 5000 + " %}",
}


@pytest.mark.parametrize("body", ENDLESS.values(), ids=ENDLESS)
def test_a_template_without_an_end_is_left_out(body):
    """A template that would take very long or very much memory is left out and reported; the text around it stays."""
    assert "Below." in shown(f"{body}\n\nBelow.", "eleventy")
    assert kinds(body, "eleventy") != []


def test_liquid_of_eleventy_stays_liquid():
    """Without a sign of Nunjucks, the tags of Eleventy are Liquid."""
    assert shown('{% assign a = "b" %}{{ a | upcase }} {% unless x %}c{% endunless %}', "eleventy") == "<p>B c</p>"
    assert shown("A {# b #}", "jekyll") == "<p>A {# b #}</p>"
