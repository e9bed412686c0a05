"""Excerpts of posts: descriptions, the text above the mark, first sentences."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.core.posts import excerpts
from tests.core.factory import rendered

MARKS = ["<!--more-->", "<!-- More -->", "<!-- truncate -->", "{/* truncate */}", "{/*truncate*/}"]
PATHS = ["2026-01-02-a.md", "2026-01-02-a.mdx"]


def excerpt(body, path="2026-01-02-a.md"):
    return rendered("title: A", body, path).excerpt


@pytest.mark.parametrize(
    ("above", "below", "expected"),
    [
        ("See [x][g].", "[g]: https://x.example/", "See x."),
        ("A note[^1] here.", "[^1]: The *note*.", "A note here."),
        ("[x][] and ![y][z] to see.", "[x]: /x\n[z]: /z.png", "x and to see."),
    ],
)
def test_the_text_above_the_mark_may_need_definitions_below_it(above, below, expected):
    """Links, footnotes and pictures above the mark are resolved although they are defined below it."""
    assert excerpt(f"{above}\n\n<!--more-->\n\nMore.\n\n{below}\n") == expected


@pytest.mark.parametrize("code", ["`{}`", "``a ` {}``", "```\n{} x\n```", "~~~ html\n{} x\n~~~", "    {}"])
@pytest.mark.parametrize("mark", MARKS)
@pytest.mark.parametrize("path", PATHS)
def test_a_mark_in_code_is_code(code, mark, path):
    """A mark in code neither ends the excerpt nor vanishes from the text."""
    text = rendered("title: A", f"One.\n\n{code.format(mark)}\n\nTwo.\n\n{mark}\n\nThree.", path)
    assert text.excerpt.startswith("One. ")
    assert text.excerpt.endswith("Two.")
    assert text.html.count(mark.replace("<", "&lt;").replace(">", "&gt;")) == 1


@pytest.mark.parametrize("path", PATHS)
def test_the_mark_of_mdx_is_one_in_markdown_too(path):
    """`{/* truncate */}` ends the excerpt and is not printed, in `.md` as in `.mdx` files."""
    text = rendered("title: A", "One.\n\n{/* truncate */}\n\nTwo {/* truncate */} words.", path)
    assert (text.excerpt, "{" in text.html) == ("One.", False)


@pytest.mark.parametrize(
    "line", ["{} Read *on* [here](/x).", "  {}Read *on* [here](/x).", "- a\n\n  {} Read *on* [here](/x)."]
)
@pytest.mark.parametrize("mark", ["<!--more-->", "<!-- truncate -->"])
def test_text_behind_a_mark_on_its_line_is_markdown(line, mark):
    """Markdown on the same line behind the mark is rendered."""
    html = rendered("title: A", "One.\n\n" + line.format(mark)).html
    assert '<p>Read <em>on</em> <a href="/x">here</a>.</p>' in html


def test_a_mark_inside_a_paragraph_ends_the_excerpt_there():
    """The excerpt ends at a mark inside a paragraph."""
    assert excerpt("One <!--more--> and *two*.") == "One"


def test_without_text_above_the_mark_the_excerpt_is_the_first_sentences():
    """A mark below nothing but a picture or white space ends no excerpt."""
    assert excerpt("![](x.png)\n\n<!--more-->\n\nText.") == "Text."
    assert excerpt("<!--more-->\n\nText.") == "Text."


ALONE = {
    "headings, code and lists": ("# H\n\n```\ncode\n```\n\n- item\n\nThe *first*.\n\nNext.", "The first. Next."),
    "a heading in bold": ("**Head**\n\nThe words.", "The words."),
    "a heading in bold and a picture": ("![x](/a.png) **Head**\n\nThe words.", "The words."),
    "a sentence in bold": ("**It is so.**\n\nThe words.", "It is so. The words."),
    "only headings": ("# One\n\n## Two", "One Two"),
    "a link": ("[English version](/en)\n\nThe words.", "The words."),
    "two links": ("[One](/a) | [Two](/b)\n\nThe words.", "The words."),
    "an address": ("<https://they.example/>\n\nThe words.", "The words."),
    "only a link": ("[One](/a)", "One"),
    "a byline": ("*By Ada Lovelace*\n\nThe words.", "The words."),
    "a byline in German": ("Von Ada Lovelace\n\nThe words.", "The words."),
    "a byline in Japanese": ("文：山田花子\n\n本文です。", "本文です。"),
    "a sentence that begins like a byline": ("By then it was late.\n\nThe words.", "By then it was late. The words."),
    "code": ("It is here. Run this:\n\n```\ncode\n```\n\nIt prints 1.", "It is here."),
    "code in the middle of a sentence": ("It is here. If you run\n\n```\ncode\n```\n\nit prints 1.", "It is here."),
    "a list": ("It is here. We have\n\n- a\n- b\n\nand so on.", "It is here."),
    "a table": ("It is here. Prices:\n\n|a|b|\n|-|-|\n|1|2|\n\nThey fall.", "It is here."),
    "code behind a whole sentence": ("It is here.\n\n```\ncode\n```\n\nIt prints 1.", "It is here. It prints 1."),
    "code behind nothing else": ("Run this:\n\n```\ncode\n```\n\nIt prints 1.", "It prints 1."),
    "an announcement": ("It is here. The notes:\n\n## Notes", "It is here."),
    "only an announcement": ("The notes:\n\n## Notes", "The notes:"),
    "Japanese paragraphs": ("一つ目。\n\n二つ目！\n\n三つ目。", "一つ目。二つ目！三つ目。"),
    "Japanese lines": ("長い文の途\n中で改行。 次の文。\nVim も。", "長い文の途中で改行。次の文。Vim も。"),
    "Japanese emphasis": ("これは**「太字」**です。", "これは「太字」です。"),
    "powers in Python": ("Say 2\\*\\*3.", "Say 2**3."),
}  # fmt: skip


@pytest.mark.parametrize(("body", "expected"), ALONE.values(), ids=ALONE)
@pytest.mark.parametrize("mark", ["", "\n\n<!-- more -->\n\n## Below\n\nThe rest."], ids=["without mark", "with mark"])
def test_an_excerpt_can_be_read_alone(body, expected, mark):
    """An excerpt has paragraphs without headings, links and bylines, and no sentence that leads to what is left out."""
    assert excerpt(body + mark) == expected


@pytest.mark.parametrize("name", ["big", "nobr", "acronym", "blink", "label", "button", "output", "kbd", "foo-bar"])
def test_words_in_an_element_inside_a_line_are_in_the_excerpt(name):
    """An excerpt has the words of every element that stands in a line, also of those that are out of date."""
    assert excerpt(f"One <{name}>two</{name}> three.\n\n- An item.") == "One two three."


def test_footnotes_are_not_a_part_of_the_excerpt():
    """Neither the numbers of footnotes nor their texts are in an excerpt."""
    body = "A footnote[^1] here.\n\nMore[^n].\n\n[^1]: First note.\n[^n]: Second.\n"
    assert excerpt(body) == "A footnote here. More."


@pytest.mark.parametrize("body", ["It costs ~~17~~ 18.", "It costs <s>17</s> 18.", "It costs <del>17 or</del> 18."])
def test_what_is_struck_out_is_not_in_the_excerpt(body):
    """Struck-out text is left out, since without its line it would say the opposite."""
    assert excerpt(body) == "It costs 18."
    assert excerpt(f"{body}\n\n<!--more-->\n\nMore.") == "It costs 18."


DESCRIPTIONS = {
    "Use <head> and <T> well": "Use <head> and <T> well",
    "From <path> to List<int>": "From <path> to List<int>",
    "Use <b> in </i>, <?php or <!DOCTYPE html>": "Use <b> in </i>, <?php or <!DOCTYPE html>",
    "An <em>old</em> <a href='/x'>link</a>,<br>`<b>`": "An old link, <b>",
    "<p>One</p><p>Two</p>": "One Two",
    "<script>evil()</script>Good": "Good",
    "2024. What a year.": "2024. What a year.",
    "7) Rules": "7) Rules",
    "# of people": "# of people",
    "Learn C #": "Learn C #",
    "- 5 degrees": "- 5 degrees",
    "> 9000": "> 9000",
    "***": "***",
    "~~17~~ 18": "18",
    "One *two* &amp; `three`": "One two & three",
    "[x](y) of <https://a.example/>": "x of https://a.example/",
}


@pytest.mark.parametrize(("written", "expected"), DESCRIPTIONS.items())
def test_a_description_is_one_line_of_inline_markdown(written, expected):
    """A description has emphasis, links and code, but no blocks; words in angle brackets that are not markup stay."""
    quoted = written.replace("'", "''")
    assert rendered(f"title: A\ndescription: '{quoted}'").excerpt == expected


def test_a_description_may_look_like_a_number():
    """A number is a description; a description in which all is struck out is none."""
    assert rendered("title: A\ndescription: 2024").excerpt == "2024"
    assert rendered("title: A\ndescription: ~~old~~", "Text.").excerpt == "Text."


@given(st.text(alphabet="a <>/!?-#*`~[]()&;|\\", max_size=40))
def test_any_description_is_one_line(written):
    """Any description gives one line of text."""
    assert "\n" not in excerpts.excerpt_of_description(written)


@given(st.text(alphabet="aB1 .:/!?-#>)(|\"'+=@{}^$%,;]字", max_size=30))
def test_a_description_without_marks_is_its_own_text(line):
    """Without the signs of inline Markdown a description is what it would be if it were rendered."""
    rendered_line = excerpts.excerpt_of_description(f"{line}<!-- -->")
    assert " ".join(excerpts.excerpt_of_description(line).split()) == rendered_line


@pytest.mark.parametrize(
    "piece", ["<!-- more --> x\n", "```\n<!--more-->x", "`<!--more--> x\n", "<!-- more", "<pre>{/*"]
)
def test_finding_the_mark_takes_linear_time(piece):
    """Marks and unclosed code of any number are found in linear time; in quadratic time this test would not end."""
    source = piece * (1_000_000 // len(piece))
    excerpts.separate_marks(source + "\n<!--more--> x")
    excerpts.mdx_marks_to_comments(source + "{/* truncate */}")


@pytest.mark.parametrize(
    "body", ["One two.\n<p>Three.</p>", "<div>One two.</div>\n<p>Three.</p>", "<p>One two.</p>\nThree."]
)
def test_text_outside_of_paragraphs_is_part_of_the_excerpt(body):
    """In an HTML file, text in the body or in a `div` is read like a paragraph."""
    assert rendered("title: A", body, "2026-01-02-a.html").excerpt == "One two. Three."
