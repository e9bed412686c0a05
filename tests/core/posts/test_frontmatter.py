"""Splitting post files into front matter and body, and rejecting broken ones."""

import subprocess
import sys

import frontmatter as bare
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from feeds.core.posts import frontmatter, handlers
from feeds.errors import PostError
from tests.conftest import unmeasured


def split(text, path="a.md"):
    return frontmatter.split_front_matter(text, path)


def test_yaml_and_toml_are_read():
    """YAML and TOML give the same metadata and body."""
    yaml = split('---\ntitle: "A"\ntags: [x, y]\n---\nBody\n---\nmore')
    toml = split('+++\ntitle = "A"\ntags = ["x", "y"]\n+++\nBody\n---\nmore')
    assert yaml.metadata == toml.metadata == {"title": "A", "tags": ["x", "y"]}
    assert yaml.body == toml.body == "Body\n---\nmore"


def test_a_json_object_at_the_start_is_read():
    """JSON front matter as in Hugo is read: indented or on one line, numbers as written."""
    indented = split('{\n  "title": "A } B",\n  "version": 1.10,\n  "draft": true\n}\n\nBody')
    assert indented.metadata == {"title": "A } B", "version": "1.10", "draft": True}
    assert (indented.body, indented.body_line, indented.line_of("draft")) == ("\nBody", 6, 4)
    assert split('{"title": "A"}\nBody').body == "Body"


def test_a_json_key_that_is_repeated_is_reported():
    """Repeated JSON keys are reported, nested ones too, and the last value counts."""
    source = split('{"title": "A", "title": "B", "extra": {"x": "1", "x": "2"}}\n')
    assert (source.metadata["title"], set(source.repeated_keys)) == ("B", {"title", "x"})


def test_pelicans_header_lines_are_read():
    """Pelican's header lines are read: keys in any case, values of several lines, names separated by semicolons."""
    source = split(
        "Title: My: title\nDate: 2010-12-03 10:20\nTags: a, b\nAuthors: Doe, Jane; Roe, Rick\n"
        "Summary: Short\n    and long\nStatus:\n \nBody: *here*.\n"
    )
    assert source.metadata == {
        "title": "My: title",
        "date": "2010-12-03 10:20",
        "tags": ["a", "b"],
        "authors": ["Doe, Jane", "Roe, Rick"],
        "summary": "Short and long",
        "status": "",
    }
    assert (source.body, source.body_line, source.line_of("tags")) == ("Body: *here*.\n", 9, 3)


@pytest.mark.parametrize("lines", ["title: A\ntags:\n- x\n- y\n", "tags: [x, y]\n# a comment\n\ntitle: A\n"])
def test_the_opening_fence_may_be_missing(lines):
    """As in Hexo, YAML that ends with `---` needs no fence before it; it may have lists, comments and blank lines."""
    source = split(f"{lines}---\nBody\n---\nmore")
    assert source.metadata == {"title": "A", "tags": ["x", "y"]}
    assert (source.body, source.body_line) == ("Body\n---\nmore", lines.count("\n") + 2)
    assert source.line_of("title") == lines[: lines.index("title")].count("\n") + 1


@pytest.mark.parametrize("body", ["Text\n---\nmore", "# Heading\n---\n", "- x\n- y\n\n---\n", "Note: x\n\n---\n"])
def test_a_rule_in_the_text_does_not_close_pelicans_lines(body):
    """Pelican's lines end at the blank line, although a `---` follows in the text."""
    source = split(f"Title: A\nDate: x\n\n{body}")
    assert (source.metadata, source.body) == ({"title": "A", "date": "x"}, body)


@pytest.mark.parametrize(
    ("end", "body"), [("...\n", "Body\n---\n"), ("... \n", "Body"), ("...\n---\n", "Body\n..."), ("---\n", "...\nBody")]
)
def test_yaml_may_end_with_three_dots(end, body):
    """YAML between `---` and `...` is read, as in Jekyll and Pandoc; a `---` on the next line belongs to it."""
    source = split(f"---\ntitle: A...\n{end}{body}")
    assert (source.metadata, source.body) == ({"title": "A..."}, body)
    assert source.body_line == 3 + end.count("\n")


def test_empty_front_matter_is_front_matter():
    """Two fences without a line between them are front matter without keys."""
    assert [split(f"---\n{end}\nBody").metadata for end in ("---", "...", "{}\n---", "# x\n---")] == [{}] * 4


@pytest.mark.parametrize(
    "text",
    [
        "Note: this\n\nBody",
        "Title: this\nBody",
        "Title:\n\nBody",
        "A title: this\n\nBody",
        "{% x %}\nBody",
        "Note: x\n---\n",
        "x\n---\n",
    ],
)
def test_a_text_that_begins_with_a_word_and_a_colon_has_no_front_matter(text):
    """Lines with a colon are front matter only if they are complete and include a title."""
    with pytest.raises(PostError, match="no front matter"):
        split(text)


def test_the_head_of_an_html_file_is_read():
    """The title and the `meta` elements of an HTML document are its metadata, as in Pelican."""
    source = split(
        '<!DOCTYPE html>\n<html lang="de">\n<head>\n<title>A &amp; B</title>\n'
        '<meta name="Date" content="2012-07-09 22:28">\n<meta name="keywords" contents="a, b">\n'
        '<meta charset="utf-8">\n</head>\n<body class="x">\n<p>Body</p>\n</body>\n</html>\n',
        "a.html",
    )
    expected = {"title": "A & B", "lang": "de", "date": "2012-07-09 22:28", "keywords": ["a", "b"]}
    assert source.metadata == expected
    assert (source.body, source.line_of("date"), source.line_of("title")) == ("<p>Body</p>\n", 5, 4)


def test_only_an_html_file_may_begin_with_its_head():
    """An HTML head is not front matter in a Markdown file."""
    with pytest.raises(PostError, match="no front matter"):
        split("<html><head><title>A</title></head></html>")


def test_scalars_stay_as_they_were_written():
    """All plain YAML scalars are text, except true, false and null."""
    found = split("---\na: 1.10\nb: 010\nc: no\nd: 12:30\ne: 2021-09-31\nf: true\ng: ~\nh:\n---\n").metadata
    assert found == {
        "a": "1.10",
        "b": "010",
        "c": "no",
        "d": "12:30",
        "e": "2021-09-31",
        "f": True,
        "g": None,
        "h": None,
    }


def test_blank_lines_before_the_fence_do_not_matter():
    """Blank lines before the fence are allowed, and count in line numbers."""
    source = split("\n\n---\ntitle: A\ndate: x\n---\nB")
    assert source.metadata["title"] == "A"
    assert source.line_of("date") == 5


def test_a_key_that_is_repeated_is_reported():
    """A repeated YAML key is reported, and the last value counts."""
    source = split("---\ntitle: A\ntitle: B\n---\n")
    assert (source.metadata["title"], source.repeated_keys) == ("B", ("title",))


REJECTED = {
    "nothing": ("Just text\n", 1, "no front matter"),
    "a list": ("---\n- a\n- b\n---\n", 1, "it is a list, not keys with values"),
    "plain text": ("---\njust words\n---\n", 1, "it is one value, not keys with values"),
    "no closing fence": ("---\ntitle: A\nBody\n", 1, "has no closing ---"),
    "broken YAML": ("---\ntitle: A\nb: [1, 2\n---\n", 4, "did not find expected"),
    "broken TOML": ('+++\na = 1\nb = "x\n+++\n', 3, "Illegal character"),
    "aliases that explode": (
        "---\n" + "a: &a [x]\n" + "".join(f"{c}: &{c} [{'*a,' * 9}*a]\n" for c in "bcdef") + "---\n",
        1,
        "YAML aliases",
    ),
    "a deep hole": ("---\na: " + "[" * 500 + "\n---\n", 1, "nested more than 100 levels"),
    "a deeper hole": ("---\n" + "- " * 100_000 + "x\n---\n", 1, "longer than 100,000 characters"),
    "a hole of dashes": ("---\n" + "- " * 40_000 + "x\n---\n", 1, "nested more than 100 levels"),
    "broken JSON": ('{\n"title": "A"\n"date": "x"\n}\n', 3, "Expecting ',' delimiter"),
    "JSON with text behind it": ('{\n"title": "A"\n} Body', 3, "must begin on the line below the closing brace"),
    "JSON without an end": ('{\n"title": "A",\n', 3, "Expecting property name"),
    "a deep hole in JSON": ('{"a": ' + "[" * 200 + "]" * 200 + "}\n", 1, "nested more than 100 levels"),
    "a deeper hole in JSON": ('{"a": ' + "[" * 50_000 + "\n", 1, "nested more than 100 levels"),
    "a key of many parts in TOML": ("+++\n" + "a . " * 5000 + "a=1\n+++\n", 1, "nested more than 100 levels"),
    "a table of many quoted parts": ("+++\n[" + "'a'." * 5000 + "a]\n+++\n", 1, "nested more than 100 levels"),
    "long TOML": ("+++\n" + "a1 = 1\n" * 20_000 + "+++\n", 1, "longer than 100,000 characters"),
    "long JSON": ('{"a": "' + "x" * 100_000 + '"}\n', 1, "longer than 100,000 characters"),
    "long header lines": ("Title: A\n" + "a: 1\n" * 20_000 + "\n", 1, "longer than 100,000 characters"),
    "a deep hole in TOML": ("+++\na = " + "[" * 5000 + "\n+++\n", 1, "nested more than 100 levels"),
}


@pytest.mark.parametrize(("text", "line", "reason"), REJECTED.values(), ids=REJECTED)
def test_broken_front_matter_is_rejected_with_line_and_reason(text, line, reason):
    """Broken front matter raises a PostError with line and reason."""
    with pytest.raises(PostError) as caught:
        split(text)
    assert caught.value.line == line
    assert reason in caught.value.reason


UNQUOTED = {
    "Assignment 1: Some Title": "Assignment 1: Some Title",
    "[WIP] Ready?": "[WIP] Ready?",
    "@home": "@home",
    "*Now* or never": "*Now* or never",
    "`feeds` is out": "`feeds` is out",
    "{x} is y": "{x} is y",
    "!important": "!important",
    "> quoted": "> quoted",
    "Why:": "Why:",
    '"Yes" and "no"': '\\"Yes\\" and \\"no\\"',
    "'Yes' and 'no'": "'Yes' and 'no'",
    "'Unclosed": "Unclosed",
    "'It's here'": "It's here",
    "'Yes' and it's": "'Yes' and it's",
    "日本: 語": "日本: 語",
}


@pytest.mark.parametrize(("value", "quoted"), UNQUOTED.items(), ids=UNQUOTED)
def test_a_value_that_needs_quotes_is_named(value, quoted):
    """The error for a value that YAML cannot read without quotes names its line and key, and shows it in quotes."""
    with pytest.raises(PostError) as caught:
        split(f"---\nlayout: x\ntitle: {value}\nother: y\n---\n")
    assert caught.value.line == 3
    assert caught.value.reason.endswith(f'; put the title into quotes: title: "{quoted}"')
    split(f'---\ntitle: "{quoted}"\n---\n')


def test_quotes_are_suggested_for_toml_and_nested_keys_too():
    """A text without quotes in TOML, or below another key, is named; a long one is not repeated."""
    with pytest.raises(PostError, match=r"put the title into quotes: title = .Some Title."):
        split("+++\ntitle = Some Title\n+++\n")
    with pytest.raises(PostError, match=r"a.md:3: .* put the name into quotes: - name: .A: B.$"):
        split("---\nauthors:\n- name: A: B\n---\n")
    with pytest.raises(PostError, match=r"a.md:2: .* put the title into quotes: title: .a: b.$"):
        split("---\ntitle: a: b\nother: c: d\n---\n")
    with pytest.raises(PostError, match=r"put the title into quotes$"):
        split(f"---\ntitle: a: {'b' * 200}\n---\n")


@pytest.mark.parametrize("line", ["b: [1, 2", "b: [x, y", "b: [x, y]]", "b: {x: y", "b: {x: [y}"])
def test_quotes_are_not_suggested_for_a_broken_list(line):
    """A list or mapping whose end is missing is not meant as text."""
    with pytest.raises(PostError) as caught:
        split(f"---\ntitle: A\n{line}\n---\n")
    assert "quotes" not in caught.value.reason
    with pytest.raises(PostError) as caught:
        split("+++\ndate = 2026-13-01\n+++\n")
    assert "quotes" not in caught.value.reason


@pytest.mark.parametrize("line", ["b: c\n", "\n", " \n", "---x\n", "a:\n\n"])
def test_looking_for_a_closing_fence_takes_linear_time(line):
    """A text without front matter is rejected in linear time; in quadratic time this test would not end."""
    with pytest.raises(PostError):
        split("a: b\n" + line * (1_000_000 // len(line)))


def test_the_length_of_the_body_is_not_limited():
    """The limit concerns the front matter; a long body, and one below JSON, are not part of it."""
    for front in ("---\ntitle: A\n---\n", '{"title": "A"}\n', "+++\ntitle = 'A. B. C.'\n+++\n", "Title: A\n\n"):
        assert len(split(front + "x" * 200_000).body) == 200_000


def test_dots_in_a_text_are_not_parts_of_a_key():
    """A TOML text may have hundreds of dots."""
    text = "One word. " * 300 + "www.example.com... " * 50
    assert split(f'+++\ntitle = "{text}"\n+++\n').metadata["title"] == text


def test_bare_python_frontmatter_ignores_broken_front_matter():
    """Bare python-frontmatter returns no metadata and no error for broken front matter; this is why it is wrapped."""
    for text in ("---\n- a\n---\nB", "---\ntitle: A\nB"):
        assert bare.loads(text).metadata == {}


def test_bare_libyaml_crashes_the_process():
    """Bare libyaml crashes the process on deep nesting; this is why the depth is checked before."""
    code = "import yaml; yaml.load('- ' * 100_000 + 'x', Loader=yaml.CSafeLoader)"
    assert subprocess.run([sys.executable, "-c", code], check=False, capture_output=True).returncode < 0


def test_an_html_head_without_an_end_is_rejected():
    """An HTML head without an end is rejected."""
    with pytest.raises(PostError, match="it has no closing </head>"):
        split("<html><head><title>A</title>\n<body>", "a.html")


STARTS = st.sampled_from(["", "---\n", "+++\n", '{"', "Title: x\n", "<html>", "<head><title>x</title><meta name='a' "])


@given(STARTS, st.text(alphabet="-+\n :ab[]{}&*!\"'#|>%@`,?\t<=/", max_size=60))
def test_any_text_is_split_or_rejected(start, text):
    """Any text gives metadata or a PostError with a reason."""
    try:
        assert isinstance(split(start + text + "\n---\n</head>", "a.html").metadata, dict)
    except PostError as error:
        assert error.reason


#: Pieces of YAML, to be joined in any order.
PIECES = ["a", "b", ": ", ":\n", "\n", "\n  ", "- ", "[", "]", "{", "}", ", ", "&a ", "*a", "!x ", "!!int ", "<<", "? "]
PIECES += ["true", "~", "null", "1.10", "'", '"', "|\n", ">-\n", "#", "%", "---\n", "...\n", "\t", "é", "あ"]


@given(st.lists(st.sampled_from(PIECES), max_size=14).map("".join))
def test_what_is_read_fast_is_read_as_pyyaml_reads_it(front):
    """`load_fast` returns the same mapping as `load_full`, or None."""
    fast = handlers.load_fast(front)
    if fast is not None:
        assert repr({**fast, handlers.REPEATED: ()}) == repr(handlers.load_full(front))


values = st.recursive(
    st.none() | st.booleans() | st.text(max_size=8), lambda v: st.lists(v, max_size=3) | st.dictionaries(st.text(), v)
)


@given(st.dictionaries(st.text(min_size=1), values, min_size=1))
def test_any_mapping_reads_back_as_it_was_written(mapping):
    """`load_fast` reads any mapping that PyYAML has written, unchanged."""
    written = yaml.dump(mapping, Dumper=yaml.CSafeDumper, allow_unicode=True)
    if "&" not in written:  # PyYAML writes repeated values as aliases
        assert handlers.load_fast(written) == mapping


@pytest.mark.parametrize(
    "value", ["&x 1", "!!timestamp 2021-09-31", "!!python/object/apply:os.system [ls]", "!x y", "{<<: {b: 1}}"]
)
def test_anchors_tags_and_merges_are_left_to_pyyaml(value):
    """`load_fast` returns None for anchors, tags and merges."""
    assert handlers.load_fast(f"a: {value}\n") is None


def test_nothing_heavy_is_imported_before_a_file_is_split():
    """Importing the post parser does not import YAML, TOML, HTML or language libraries."""
    heavy = {"yaml", "frontmatter", "tomllib", "difflib", "babel", "lxml"}
    code = f"import sys, feeds.core.posts.parse, feeds.core.posts.render; print({heavy} & {{*sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, env=unmeasured())
    assert done.stdout == b"set()\n"
