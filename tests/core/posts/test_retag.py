"""Replacing tags in post files."""

import json

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from feeds.core.posts import frontmatter
from feeds.core.posts.retag import retag
from feeds.errors import PostError

NEW = {"人工知能": "AI", "ai": "AI", "quoted": "it's: a", "no": "yes", "R&D": "research"}


def renamed(source, new=NEW):
    content = source if isinstance(source, bytes) else source.encode()
    return retag(content, "p.md", lambda name: new.get(name, name)).decode()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("tags: [ b , ai,'ai x' ] # ai", "tags: [ b , AI,'ai x' ] # ai"),
        ('tags: ["ai", quoted]', 'tags: ["AI", "it\'s: a"]'),
        ("tags: ['quoted']", "tags: ['it''s: a']"),
        ("tags:\n- b\n-   ai   # mine\nai: ai", "tags:\n- b\n-   AI   # mine\nai: ai"),
        ("tags: ai", "tags: AI"),
        ("tags: b , ai,c", "tags: b , AI,c"),
        ("tags: 'b, ai'", "tags: 'b, AI'"),
        ("tags: [no]", 'tags: ["yes"]'),
        ("tags: [R&amp;D]", "tags: [research]"),
        ("Topics: [ai]\nkeywords: ai", "Topics: [AI]\nkeywords: AI"),
        ("extra:\n  tags: [ai]", "extra:\n  tags: [AI]"),
        ("x: &t [ai]\ntags: *t", None),
        ("tags: [ai]\ntags: [ai, b]", "tags: [ai]\ntags: [AI, b]"),
    ],
)
def test_yaml_keeps_its_quotes_spaces_and_comments(old, new):
    """YAML tags are replaced in lists of both forms and in strings; quotes, spaces and comments stay."""
    source = f"---\ntitle: ai\n{old}\n---\nai, 人工知能\n"
    if new is None:
        with pytest.raises(PostError, match="change them by hand"):
            renamed(source)
    else:
        assert renamed(source) == source.replace(old, new, 1)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("tags = ['ai', \"b\"]", "tags = ['AI', \"b\"]"),
        ("tags = [ # don't touch \"ai\"\n  'quoted', # ai\n]", 'tags = [ # don\'t touch "ai"\n  "it\'s: a", # ai\n]'),
        ('[taxonomies]\ntags = ["ai"]\n[other]\ntags = ["ai"]', '[taxonomies]\ntags = ["AI"]\n[other]\ntags = ["ai"]'),
        ('tags = "b, ai"', 'tags = "b, AI"'),
    ],
)
def test_toml_keeps_its_quotes_spaces_and_comments(old, new):
    """TOML tags are replaced, and equal strings elsewhere are not."""
    source = f"+++\ntitle = \"ai\"\n{old}\n+++\ntags = ['ai']\n"
    assert renamed(source) == source.replace(old, new, 1)


def test_json_keeps_its_form():
    """JSON tags are replaced, and the escapes of other values stay."""
    source = '{\n "title": "ai", "x": "\\u0061", "tags":["b" ,"\\u4eba工知能"]\n}\nai\n'
    assert renamed(source) == source.replace("\\u4eba工知能", "AI")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("tags: [ai, b, 人工知能]", "tags: [AI, b]"),
        ("tags:\n  - AI\n  - ai\n  - b", "tags:\n  - AI\n  - b"),
        ("tags: ai, 人工知能, b", "tags: AI, b"),
        ("tags:\n  - AI # one\n  - ai # two", "tags:\n  - AI # one\n  - AI # two"),
    ],
)
def test_a_tag_that_is_then_repeated_is_removed(old, new):
    """A tag that a list then repeats is removed, unless a comment would be removed with it."""
    source = f"---\n{old}\n---\n"
    assert renamed(source) == source.replace(old, new)


@pytest.mark.parametrize("codec", ["utf-8-sig", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_byte_order_mark_and_line_ends_stay(codec, end):
    """The byte order mark and all line ends stay, mixed ones too."""
    source = f"---{end}title: x{end}tags:{end}- b{end}- ai{end}- 人工知能{end}---{end}one\ntwo\r\nthree\r"
    expected = source.replace(f"- ai{end}- 人工知能", "- AI")
    assert retag(source.encode(codec), "p.md", lambda name: NEW.get(name, name)) == expected.encode(codec)


@pytest.mark.parametrize("old", ["tags: >\n  ai,\n  b", "tags: |-\n  ai", "tags: [!!str ai]", "tags: [ai\n x, ai]"])
def test_tags_that_cannot_be_located_are_rejected(old):
    """Tags that cannot be located raise a PostError."""
    with pytest.raises(PostError, match=r"p\.md.*by hand"):
        renamed(f"---\n{old}\n---\n")


def test_thousands_of_tags_have_to_be_changed_by_hand():
    """Of TOML or JSON with thousands of tags the file stays as it is: each would have to be looked for by parsing."""
    tags = ", ".join(f'"t{n}"' for n in range(2000))
    for old in (f"+++\ntags = [{tags}]\n+++\n", f'{{"tags": [{tags}]}}\n'):
        with pytest.raises(PostError, match="change it by hand"):
            retag(old.encode(), "p.md", str.upper)


def test_a_name_with_a_comma_does_not_become_two_tags():
    """A new tag with a comma is rejected in a string of tags, and quoted in a list."""
    with pytest.raises(PostError, match="read as several tags"):
        renamed("---\ntags: ai\n---\n", {"ai": "a, b"})
    assert renamed("---\ntags: [ai]\n---\n", {"ai": "a, b"}) == '---\ntags: ["a, b"]\n---\n'


NAMES = st.text(st.characters(exclude_categories=("C", "Z"), exclude_characters=",&\\"), min_size=1, max_size=6)
FORMS = {
    "flow": ("---\ntitle: t\ntags: [{}] # c\n---\n", ", "),
    "block": ("---\ntags:\n  - {}\ntitle: t\n---\n", "\n  - "),
    "toml": ('+++\ntags = [\n  {}, # c\n]\ntitle = "t"\n+++\n', ",\n  "),
    "json": ('{{"title": "t", "tags": [{}]}}\n', " ,"),
}


@given(
    st.lists(NAMES, min_size=1, max_size=5, unique=True),
    st.data(),
    st.sampled_from(sorted(FORMS)),
    st.sampled_from(["\n", "\r\n"]),
    st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00"), max_size=20),
)
def test_only_the_tags_change(names, data, form, end, body):
    """The result equals the file written with the new tags, and a second run changes nothing."""
    pool = data.draw(st.lists(NAMES, min_size=len(names), max_size=len(names), unique=True))
    new = {old: (name if data.draw(st.booleans()) else old) for old, name in zip(names, pool, strict=True)}
    assume(len(set(new.values())) == len(names) and all(new.get(name, name) == name for name in new.values()))
    frame, joint = FORMS[form]

    def written(tags):
        return (
            frame.format(joint.join(json.dumps(t, ensure_ascii=False) for t in tags)).replace("\n", end) + body
        ).encode()

    source = written(names)
    result = retag(source, "p.md", lambda name: new.get(name, name))
    assert result == written(new[name] for name in names)
    assert retag(result, "p.md", lambda name: new.get(name, name)) == result


@pytest.mark.parametrize("block", [True, False])
@given(number=st.integers(1, 4), target=NAMES)
@example(number=1, target="null")
@example(number=2, target="2024-01-01")
@example(number=2, target="- x")
@example(number=2, target="#x")
def test_plain_yaml_is_read_back_as_the_new_tag(number, target, block):
    """A new tag is read back as this same text, even if it looks like null, a date or a list item."""
    plain = [f"w{n}" for n in range(number)]
    source = (
        "---\nt: 1\ntags:\n" + "".join(f"- {p}\n" for p in plain)
        if block
        else f"---\nt: 1\ntags: [{', '.join(plain)}]\n"
    )
    source += "---\nbody\n"
    result = renamed(source, {"w0": target})
    found = frontmatter.split_front_matter(result, "p.md")
    assert found.metadata == {"t": "1", "tags": [target, *(p for p in plain[1:] if p != target)]}
    assert found.body == "body\n"
