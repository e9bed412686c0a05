"""Taking a post file apart, and refusing what is broken."""

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
    """Both fences give the same mapping and body."""
    yaml = split('---\ntitle: "A"\ntags: [x, y]\n---\nBody\n---\nmore')
    toml = split('+++\ntitle = "A"\ntags = ["x", "y"]\n+++\nBody\n---\nmore')
    assert yaml.metadata == toml.metadata == {"title": "A", "tags": ["x", "y"]}
    assert yaml.body == toml.body == "Body\n---\nmore"


def test_a_json_object_at_the_start_is_read():
    """As Hugo has it: indented or on one line, numbers as written, the text on the line below the closing brace."""
    indented = split('{\n  "title": "A } B",\n  "version": 1.10,\n  "draft": true\n}\n\nBody')
    assert indented.metadata == {"title": "A } B", "version": "1.10", "draft": True}
    assert (indented.body, indented.body_line, indented.line_of("draft")) == ("\nBody", 6, 4)
    assert split('{"title": "A"}\nBody').body == "Body"


def test_a_json_key_that_stands_twice_is_reported():
    """Wherever it does; the last one counts."""
    source = split('{"title": "A", "title": "B", "extra": {"x": "1", "x": "2"}}\n')
    assert (source.metadata["title"], set(source.repeated_keys)) == ("B", {"title", "x"})


def test_pelicans_header_lines_are_read():
    """In the syntax of Python-Markdown: any case, values over several lines, semicolons where names hold commas."""
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


@pytest.mark.parametrize(
    "text", ["Note: this\n\nBody", "Title: this\nBody", "Title:\n\nBody", "A title: this\n\nBody", "{% x %}\nBody"]
)
def test_a_text_that_begins_with_a_word_and_a_colon_has_no_front_matter(text):
    """Only whole lines of keys with a title among them are metadata."""
    with pytest.raises(PostError, match="no front matter"):
        split(text)


def test_the_head_of_an_html_file_is_read():
    """As Pelican has it: the title, a `meta` element for each other key, and what stands in the body."""
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
    """A Markdown file with one is no post."""
    with pytest.raises(PostError, match="no front matter"):
        split("<html><head><title>A</title></head></html>")


def test_scalars_stay_as_they_were_written():
    """Titles, versions, octal-looking slugs, times and Norwegian are text; only true, false and null are not."""
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
    """Lines are counted with them."""
    source = split("\n\n---\ntitle: A\ndate: x\n---\nB")
    assert source.metadata["title"] == "A"
    assert source.line_of("date") == 5


def test_a_key_that_stands_twice_is_reported():
    """The last one counts, as in every generator, and is named."""
    source = split("---\ntitle: A\ntitle: B\n---\n")
    assert (source.metadata["title"], source.repeated_keys) == ("B", ("title",))


REFUSED = {
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
    "a deep hole in TOML": ("+++\na = " + "[" * 5000 + "\n+++\n", 1, "nested more than 100 levels"),
}


@pytest.mark.parametrize(("text", "line", "reason"), REFUSED.values(), ids=REFUSED)
def test_broken_front_matter_is_refused_with_line_and_reason(text, line, reason):
    """No broken file passes as one without metadata, and none ends the process."""
    with pytest.raises(PostError) as caught:
        split(text)
    assert caught.value.line == line
    assert reason in caught.value.reason


def test_bare_python_frontmatter_would_shrug():
    """What we refuse, the library takes for text without metadata: this is why it is wrapped."""
    for text in ("---\n- a\n---\nB", "---\ntitle: A\nB"):
        assert bare.loads(text).metadata == {}


def test_bare_libyaml_would_end_the_process():
    """Deep nesting kills the interpreter inside libyaml: this is why depth is bounded before it."""
    code = "import yaml; yaml.load('- ' * 100_000 + 'x', Loader=yaml.CSafeLoader)"
    assert subprocess.run([sys.executable, "-c", code], check=False, capture_output=True).returncode < 0


def test_an_html_head_without_an_end_is_refused():
    """Nothing says where its text begins."""
    with pytest.raises(PostError, match="it has no closing </head>"):
        split("<html><head><title>A</title>\n<body>", "a.html")


STARTS = st.sampled_from(["", "---\n", "+++\n", '{"', "Title: x\n", "<html>", "<head><title>x</title><meta name='a' "])


@given(STARTS, st.text(alphabet="-+\n :ab[]{}&*!\"'#|>%@`,?\t<=/", max_size=60))
def test_no_text_raises_anything_but_a_refusal(start, text):
    """Any text is taken apart or refused by name."""
    try:
        assert isinstance(split(start + text + "\n---\n</head>", "a.html").metadata, dict)
    except PostError as refusal:
        assert refusal.reason


#: Pieces of YAML with which anything may follow anything.
PIECES = ["a", "b", ": ", ":\n", "\n", "\n  ", "- ", "[", "]", "{", "}", ", ", "&a ", "*a", "!x ", "!!int ", "<<", "? "]
PIECES += ["true", "~", "null", "1.10", "'", '"', "|\n", ">-\n", "#", "%", "---\n", "...\n", "\t", "é", "あ"]


@given(st.lists(st.sampled_from(PIECES), max_size=14).map("".join))
def test_what_is_read_fast_is_read_as_pyyaml_reads_it(front):
    """The events of ordinary front matter give the mapping that PyYAML's constructors give, or leave it to them."""
    fast = handlers.load_fast(front)
    if fast is not None:
        assert repr({**fast, handlers.REPEATED: ()}) == repr(handlers.load_full(front))


values = st.recursive(
    st.none() | st.booleans() | st.text(max_size=8), lambda v: st.lists(v, max_size=3) | st.dictionaries(st.text(), v)
)


@given(st.dictionaries(st.text(min_size=1), values, min_size=1))
def test_any_mapping_reads_back_as_it_was_written(mapping):
    """What another program writes as YAML, quoted where it must be, comes back the same."""
    written = yaml.dump(mapping, Dumper=yaml.CSafeDumper, allow_unicode=True)
    if "&" not in written:  # PyYAML writes what stands twice as an alias
        assert handlers.load_fast(written) == mapping


@pytest.mark.parametrize(
    "value", ["&x 1", "!!timestamp 2021-09-31", "!!python/object/apply:os.system [ls]", "!x y", "{<<: {b: 1}}"]
)
def test_what_could_mean_more_than_it_says_is_left_to_pyyaml(value):
    """Anchors, tags and merges are never guessed at."""
    assert handlers.load_fast(f"a: {value}\n") is None


def test_nothing_heavy_is_loaded_before_a_file_is_taken_apart():
    """A publish in which nothing has changed does not pay for parsers."""
    heavy = {"yaml", "frontmatter", "tomllib", "difflib", "babel", "lxml"}
    code = f"import sys, feeds.core.posts.parse; print({heavy} & {{*sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, env=unmeasured())
    assert done.stdout == b"set()\n"
