"""How deep HTML is nested, whatever is left open or closed in the wrong order."""

import re

import nh3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.core.posts import nesting

NAMES = (
    "a b code font i small u p div span ul ol li dl dt dd table tr td th tbody caption h1 h2 blockquote pre section "
    "ruby rp rt details form button address x-y"
)
ELEMENTS = NAMES.split()
TAGS = st.sampled_from(
    [
        f"<{slash}{name}{mark}>{text}"
        for name in ELEMENTS
        for slash in ("", "/")
        for mark in ("", " c=1")
        for text in ("", "x")
    ]
)


def real_depth(html):
    """The depth of what html5ever makes of *html*: nh3 closes all elements in order."""
    depth = deepest = 0
    for tag in re.finditer(r"<(/?)[a-z]", nh3.clean(html, tags=set(ELEMENTS), attributes={"*": {"c"}}, link_rel=None)):
        depth += -1 if tag[1] else 1
        deepest = max(deepest, depth)
    return deepest


@given(st.lists(TAGS, min_size=1, max_size=6), st.integers(1, 40))
def test_it_is_never_less_than_the_depth_of_a_real_parser(tags, times):
    """However tags are mixed, html5ever does not nest deeper than computed, parts of tables that it adds aside."""
    html = "".join(tags) * times
    real = real_depth(html)
    assert real <= 3 * nesting.most_depth(html) + 3
    assert real <= 3 * deepest(html) + 3


def deepest(html):
    """The smallest limit of depth that *html* does not exceed."""
    low, high = 0, nesting.most_depth(html) * 3 + 3
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if nesting.find_excess(html, middle) else (low, middle)
    return low


@pytest.mark.parametrize(
    "html",
    [
        "<p>One <b>two</b>\n" * 500,
        "<ul>" + "<li>One\n" * 500 + "</ul>",
        "<dl>" + "<dt>One<dd>Two\n" * 500 + "</dl>",
        "<table>" + "<tr><td>One<td>Two\n" * 500 + "</table>",
        "<table>" + "<tr><td><b>One</td></tr>" * 500 + "</table>",
        "<table>\n" + "<tr>\n<td><b>One</b> <p>two</td>\n" * 12_000 + "</table>",
        "<p><font color=red>One</font></p>" * 500,
        "<p><b>One\n" * 500,
        "<div><p>One <img src=a><br><hr></div>" * 500,
        "<div><span>One</div>" * 500,
        '<a href="/x?<b>">One</a>' * 500,
        "<!-- <div> -->" * 500,
        "<script>" + "<div>" * 500 + "</script>",
        "<h2>One</h2><a name=x>" * 500,
        "<svg><path d='x'/><g><path/></g></svg>" * 500,
        "<ruby>a<rp>(<rt>b<rp>)</ruby>" * 500,
        "a < b and <3 " * 500,
    ],
)
def test_careless_html_is_not_taken_for_deep(html):
    """End tags that HTML lets authors leave out, and unclosed elements that a parser closes, do not add up."""
    assert nesting.find_excess(html, 10) is None


@pytest.mark.parametrize(
    ("html", "reason"),
    [
        ("<dl><dd>" * 150, "nested more than 200 deep"),
        ("<b></i>" * 300, "nested more than 200 deep"),
        ("<div><xmp></div></xmp>" * 300, "nested more than 200 deep"),
        ("<div>" * 300 + "</div>" * 300, "nested more than 200 deep"),
        ("".join(f"<p><font a{n}>" for n in range(300)), "nested more than 200 deep"),
        ("<a " + " ".join(f"a{n}" for n in range(1200)) + ">x</a>", "more than 1,000 attributes"),
        ("<a " + " ".join(f"a{n}='>'" for n in range(1200)), "more than 1,000 attributes"),
        ("".join(f"<html a{n}>" for n in range(1200)), "more than 1,000 attributes"),
        ("<table>" + "<div></div>" * 12_000, "more than 10,000 words or elements between its cells"),
        ("<table>a" * 12_000, "more than 10,000 words or elements between its cells"),
        ("<table>" + "<tr>a<b>x</b>" * 12_000, "more than 10,000 words or elements between its cells"),
        ("<a title='" + "&" * 12_000 + "'>x</a>", "more than 10,000 `&`"),
    ],
)
def test_what_a_parser_takes_too_long_for_is_found(html, reason):
    """Deep nesting of any kind, many attributes and many character references in them are found, with a reason."""
    assert reason in nesting.find_excess(html)
