"""Literals in the text of JavaScript and TypeScript modules."""

import json
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.core.generators.javascript import find_calls, find_constants, find_objects

NAMES = st.text(string.ascii_letters + "_$", min_size=1, max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(0, 10**9) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
FRAGMENTS = st.lists(
    st.sampled_from(
        [
            *"{}[](),:;.`'\"/\\ \n*=$",
            "...",
            "=>",
            "a",
            "return",
            "const",
            "//",
            "/*",
            "*/",
            "satisfies",
            "??",
            "'x'",
            "1",
        ]
    ),
    max_size=40,
).map("".join)


@given(st.dictionaries(NAMES, VALUES, min_size=1, max_size=5))
def test_what_is_json_is_read_as_it_is(value):
    """An object in JSON, which is JavaScript, is read back, whatever is around it."""
    for text in ("export default {};", "module.exports = async () => {{ return {}; }}", "const config: Config = {}\n"):
        assert find_objects(text.replace("{{", "{").replace("}}", "}").replace("{}", json.dumps(value), 1)) == [value]


@given(FRAGMENTS | st.text(max_size=60))
def test_any_text_is_read_to_its_end(text):
    """A text that is not JavaScript raises nothing and takes no endless time."""
    find_objects(text)
    find_constants(text)
    find_calls(text, "a")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("export default {title: 'Ada\\'s \\u00fc\\x41', n: 1};", {"title": "Ada's üA", "n": 1}),
        ("// {a: 1}\n/* {b: 2} */ x = {c: `3`, /* d: 4, */ e: 'http://x' // f\n}", {"c": "3", "e": "http://x"}),
        (
            "const t = 'T';\nconst u: string = 'U';\nx = {t, title: t, url: u, other}",
            {"t": "T", "title": "T", "url": "U"},
        ),
        (
            "x = {url: process.env.URL ?? 'https://a.example', b: env('X') || '/b/'}",
            {"url": "https://a.example", "b": "/b/"},
        ),
        ("x = {a: `${b}`, c: d + 'e', f: require('g'), h: {i: 'j'}}", {"h": {"i": "j"}}),
        ("x = {a: {b: 'c'} satisfies T, d: ['e', f(), 'g'] as const}", {"a": {"b": "c"}, "d": ["e", "g"]}),
        ("x = /** @type {T} */ ({a: /** @type {T} */ ({b: 'c'}), d: 'e'})", {"a": {"b": "c"}, "d": "e"}),
        ("x = {re: /[/'\"{]+/g, a: s.replace(/{/, '}'), b: 4 / 2, c: 'd'}", {"c": "d"}),
        (
            "x = {...base, 'quoted-key': true, f(a) { return {g: 1}; }, h: (a, b) => ({c: a}), i: null}",
            {"quoted-key": True, "i": None},
        ),
        (
            "export default function (c) { if (c) { c.x(); }\n return { dir: { input: 'src' } }; }",
            {"dir": {"input": "src"}},
        ),
    ],
)
def test_literals_are_taken_and_nothing_else(text, expected):
    """Texts, numbers, lists and objects are values; expressions, functions and templates with values are left out."""
    assert find_objects(text)[0] == expected


def test_calls_are_found_by_the_method():
    """The first argument of a call is taken if it is a text."""
    text = (
        "c.setInputDirectory('src'); c.setInputDirectory(other); setOutputDirectory(`dist`); // setInputDirectory('no')"
    )
    assert (find_calls(text, "setInputDirectory"), find_calls(text, "setOutputDirectory")) == (["src"], ["dist"])
