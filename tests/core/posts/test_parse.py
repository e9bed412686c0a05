"""One file, read and understood: what real blogs write is accepted, what cannot be is refused by name."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.config_types import TimeZone, Url
from feeds.core.posts import parse
from feeds.errors import PostError
from feeds.model import Author, Post, PostOutcome, PostStatus
from feeds.settings import DuplicateSettings, PostSettings, Settings, SiteSettings

SETTINGS = Settings(
    site=SiteSettings(url=Url("https://example.com/"), timezone=TimeZone("Asia/Tokyo"), author="The desk")
)
LONG = "This is a body of some words. " * 10


def understood(front, body=LONG, path="2026-01-02-a.md", settings=SETTINGS):
    found = parse.parse_post(path, f"---\n{front}\n---\n{body}".encode(), settings)
    assert isinstance(found, Post)
    return found


def shown(front, body=LONG, path="2026-01-02-a.md", settings=SETTINGS):
    return parse.render_post(path, f"---\n{front}\n---\n{body}".encode(), settings)


def test_a_plain_post_is_understood():
    """Title, date, names, address and text, with defaults from the site."""
    post = understood("title: A\ncategories: [X]\ntags: [t]")
    assert (post.title, post.slug, post.url) == ("A", "a", "https://example.com/2026/01/02/a/")
    assert post.published.isoformat() == "2026-01-02T00:00:00+09:00"
    assert (post.categories, post.tags, post.authors) == (("X",), ("t",), (Author(name="The desk"),))
    assert (post.lang, post.warnings) == ("en", ())


LISTS = {
    "tags: [a, b]": ("a", "b"),
    "tags: a, b": ("a", "b"),
    "tags: a": ("a",),
    "tags: 7": ("7",),
    "tags:": (),
    "tags: []": (),
    "tags: [[a, b], [a, c], d]": ("a", "b", "c", "d"),
    "tags: [a, a, ~]": ("a",),
    "topics: [a]\ntag: b": ("b", "a"),
    "keywords: a": ("a",),
    "taxonomies:\n  tags: [a]": ("a",),
}


@pytest.mark.parametrize(("front", "tags"), LISTS.items())
def test_lists_may_be_written_in_any_way(front, tags):
    """String, integer, null, list, several keys, a table: all name tags."""
    assert understood(f"title: A\n{front}").tags == tags


def test_category_may_stand_beside_categories():
    """Both count, each name once."""
    assert understood("title: A\ncategory: X\ncategories: [Y, X]").categories == ("Y", "X")


AUTHORS = {
    "author: Ada": [Author(name="Ada")],
    "authors: [Ada, Bob]": [Author(name="Ada"), Author(name="Bob")],
    "authors:\n- name: Ada\n  url: https://ada.example/\n- name: Bob": [
        Author(name="Ada", uri="https://ada.example/"),
        Author(name="Bob"),
    ],
    "author:": [Author(name="The desk")],
}


@pytest.mark.parametrize(("front", "authors"), AUTHORS.items())
def test_authors_may_be_names_or_mappings(front, authors):
    """A list of mappings keeps the links; nobody named means the site's author."""
    assert list(understood(f"title: A\n{front}").authors) == authors


def test_titles_and_slugs_may_look_like_numbers():
    """`slug: 124062` is a slug, `title: 1.10` a title."""
    post = understood("title: 1.10\nslug: 124062")
    assert (post.title, post.slug) == ("1.10", "124062")


def test_entities_and_stray_marks_in_titles_are_resolved():
    """What a generator would have shown; joiners that a script needs survive."""
    assert understood("title: \u200bEPA&#8217;s  plan").title == "EPA’s plan"
    assert understood("title: می\u200cخواهم").title == "می\u200cخواهم"
    assert understood('title: "<View> & co"').title == "<View> & co"


ENCODINGS = {
    "CRLF": b"---\r\ntitle: A\r\n---\r\nOne\r\nTwo\r\n",
    "lone CR": b"---\rtitle: A\r---\rOne\rTwo\r",
    "BOM": "\ufeff---\ntitle: A\n---\nOne\nTwo\n".encode(),
    "big-endian UTF-16 with BOM": "\ufeff---\r\ntitle: A\r\n---\r\nOne\r\nTwo\r\n".encode("utf-16-be"),
    "UTF-16 with BOM": "\ufeff---\ntitle: A\n---\nOne\nTwo\n".encode("utf-16-le"),
    "blank lines first": b"\n\n---\ntitle: A\n---\nOne\nTwo\n",
}


@pytest.mark.parametrize("content", ENCODINGS.values(), ids=ENCODINGS)
def test_line_ends_and_marks_of_any_system_are_accepted(content):
    """The same post, whatever the editor."""
    post = parse.parse_post("2026-01-02-a.md", content, SETTINGS)
    assert isinstance(post, Post)
    assert post.title == "A"
    assert parse.render_post("2026-01-02-a.md", content, SETTINGS).html == "<p>One\nTwo</p>\n"


KEYS = {
    "lastmod: 2026-03-01": ("updated", "2026-03-01T00:00:00+09:00"),
    "last_modified_at: 2026-03-01": ("updated", "2026-03-01T00:00:00+09:00"),
    "modified: 2026-03-01": ("updated", "2026-03-01T00:00:00+09:00"),
    "expires: 2026-03-01": ("expires", "2026-03-01T00:00:00+09:00"),
    "extra:\n  updated: 2026-03-01": ("updated", "2026-03-01T00:00:00+09:00"),
    "updated: 2026-03-01": ("updated", "2026-03-01T00:00:00+09:00"),
    "expirydate: 2026-03-01": ("expires", "2026-03-01T00:00:00+09:00"),
}


@pytest.mark.parametrize(("front", "expected"), KEYS.items())
def test_each_generators_key_means_the_same(front, expected):
    """One vocabulary for all."""
    name, moment = expected
    assert getattr(understood(f"title: A\n{front}"), name).isoformat() == moment


@pytest.mark.parametrize("key", ["description", "summary", "excerpt", "deck", "og-description"])
def test_an_excerpt_of_its_own_wins(key):
    """Whatever its key, as text: marks and entities resolved."""
    assert shown(f'title: A\n{key}: "One *two* &amp; three"').excerpt == "One two & three"


def test_an_excerpt_ends_at_the_more_mark():
    """`<!--more-->` and `<!--truncate-->` say where."""
    for mark in ("<!--more-->", "<!-- truncate -->"):
        assert shown("title: A", f"First.\n\nSecond.\n\n{mark}\n\nThird.").excerpt == "First. Second."


@pytest.mark.parametrize("key", ["image", "cover", "thumbnail"])
def test_the_lead_picture_is_absolute(key):
    """Under any of its keys, as text or mapping, with its alt text."""
    post = understood(f"title: A\n{key}: /i/ä b.png\nimage_alt: Alt")
    assert post.image.url == "https://example.com/i/%C3%A4%20b.png"
    assert post.image.alt == "Alt"
    assert understood(f"title: A\n{key}:\n  src: a.png").image.url == post.url + "a.png"
    assert understood(f"title: A\n{key}: javascript:alert(1)").image is None


@pytest.mark.parametrize(
    "front",
    [
        *("draft: true", "published: false", "status: draft", "draft: yes", "status: skip", "unlisted: true"),
        "eleventyExcludeFromCollections: true",
    ],
)
def test_a_draft_is_told_by_any_of_its_keys(front):
    """And a draft without a date is a draft, not an error."""
    assert understood(f"title: A\n{front}").draft
    undated = parse.parse_post("a.md", f"---\n{front}\n---\nx".encode(), SETTINGS)
    assert undated == PostOutcome(path="a.md", status=PostStatus.DRAFT, reason="draft")


LANGUAGES = {
    ("lang: ja", "a.md"): "ja",
    ("language: zh_hans", "a.md"): "zh-Hans",
    ("x: y", "a.fa.md"): "fa",
    ("x: y", "a.js.md"): "en",
    ("lang: no", "a.md"): "no",
}


@pytest.mark.parametrize(("given_", "lang"), LANGUAGES.items(), ids=map(str, LANGUAGES))
def test_the_language_comes_from_key_or_file_name(given_, lang):
    """Else it is the site's; an extension that is no language is none."""
    front, path = given_
    assert understood(f"title: A\n{front}", path=f"2026-01-02-{path}").lang == lang


def test_the_language_is_no_part_of_the_slug():
    """`x.fa.md` is the Persian `x`."""
    assert understood("title: A", path="2026-01-02-x.fa.md").slug == "x"


DATES = {
    ("date: 2026-02-03", "a.md"): "2026-02-03",
    ('path: "2025/02/13/x"', "a.md"): "2025-02-13",
    ("x: y", "2015-03-01-x.md"): "2015-03-01",
    ("x: y", "2019-1-7-x.md"): "2019-01-07",
    ("x: y", "2015-03-01-x/index.md"): "2015-03-01",
    ("published: 2026-02-03", "a.md"): "2026-02-03",
    ("pubDate: 2026-02-03", "a.md"): "2026-02-03",
    ("publishDate: 2026-02-03\ndate: 2026-02-04", "a.md"): "2026-02-04",
    ("published: true\ncreated: 2026-02-03", "a.md"): "2026-02-03",
    ('url: "/2025/02/13/x/"', "a.md"): "2025-02-13",
    ('permalink: "/2025/2/3/x/"', "2026-01-02-a.md"): "2025-02-03",
    ("date: 2026-02-03", "a/2026/02/04/a.md"): "2026-02-03",
}


@pytest.mark.parametrize(("given_", "date"), DATES.items(), ids=map(str, DATES))
def test_the_date_comes_from_key_address_file_or_folder(given_, date):
    """In this order."""
    front, path = given_
    post = understood(f"title: A\n{front}", path=path)
    assert f"{post.published:%Y-%m-%d}" == date


def test_nothing_comes_out_before_its_embargo():
    """Hugo's `publishDate` beside a `date`: the later of the two."""
    assert (
        understood("title: A\ndate: 2026-01-02\npublishDate: 2026-02-03").published.date().isoformat() == "2026-02-03"
    )
    assert (
        understood("title: A\ndate: 2026-01-02\npublishDate: 2025-02-03").published.date().isoformat() == "2026-01-02"
    )
    assert understood("title: A\npublishDate: 2026-01-02").published.date().isoformat() == "2026-01-02"


WARNED = {
    "characters XML cannot carry": ("title: A", "One\x0cTwo", "a.md:4: U+000C is a character that XML cannot carry"),
    "duplicate keys": ("title: A\ntitle: B", LONG, "a.md:2: title: stands twice"),
    "misspelt keys": ("title: A\ncatagories: [x]", LONG, "a.md:3: catagories: is not a known key; did you mean `cat"),
    "template tags": ("title: A", "x\n\n{{< video 1 >}}", "a.md:6: template tags such as '{{<' are left"),
    "Liquid tags": ("title: A", "{% post_url x %}", "a.md:4: template tags such as '{% post_url'"),
    "an offset beyond 14:00": ("title: A\ndate: 2026-01-02T00:00:00+15:00", LONG, "a.md:3: date: no place on earth"),
    "a date unlike the name's": ("title: A\ndate: 2026-05-06", LONG, "a.md:3: date: is 2026-05-06, but the file name"),
    "another reading time": ("title: A\nreading_time: 8", LONG, "a.md:3: reading_time: says 8 min, the text gives 1"),
    "an unknown language": ("title: A\nlang: klingonish", LONG, "a.md:3: lang: 'klingonish' is not a language tag"),
    "an impossible update": ("title: A\nupdated: 2026-02-30", LONG, "a.md:3: updated: impossible date"),
    "neither true nor false": ("title: A\nfeatured: perhaps", LONG, "a.md:3: featured: 'perhaps' is neither true nor"),
}


@pytest.mark.parametrize(("front", "body", "warning"), WARNED.values(), ids=WARNED)
def test_what_is_odd_is_accepted_with_a_warning(front, body, warning):
    """File, line, what is odd; the post is published all the same."""
    found = [*understood(front, body).warnings, *shown(front, body).warnings]
    assert [w for w in found if w.startswith("2026-01-02-" + warning)], found


def test_an_impossible_date_in_the_file_name_is_a_warning_beside_a_good_one():
    """`2021-09-31-x.md` with a date of its own is a post."""
    post = understood("title: A\ndate: 2021-09-30", path="2021-09-31-x.md")
    assert "the file name has an impossible date '2021-09-31'" in post.warnings[0]


REJECTED = {
    "no title": (b"---\ndate: 2026-01-02\n---\nx", 1, "title: there is none"),
    "no date anywhere": (b"---\ntitle: A\n---\nx", 1, "date: there is none, neither in the front matter nor"),
    "an impossible date": (b"---\ntitle: A\ndate: 2026-02-30\n---\nx", 3, "date: impossible date '2026-02-30'"),
    "not text": (b"\x89PNG\r\n\x1a\n\x00\x00", 1, "is not text: invalid start byte at byte 0"),
    "half a character of UTF-16": (
        "\ufeff---\ntitle: A\n".encode("utf-16-le") + b"x",
        3,
        "is not text: truncated data",
    ),
    "broken front matter": (b"---\ntitle: [A\n---\nx", 3, "broken front matter: did not find expected"),
    "broken Pelican lines": (b"Title: A\nDate: 2026-13-02\n\nx", 2, "date: impossible date '2026-13-02'"),
    "a NUL": (b"---\ntitle: A\n---\nx\n\x00", 5, "is not text: it holds a NUL byte"),
    "no front matter": (b"# A\n\nx", 1, "no front matter"),
    "a slug that leads out": (b"---\ntitle: A\nslug: ../../etc/passwd\n---\n", 3, "slug: '../../etc/passwd' leads out"),
    "a path that leads out": (b"---\ntitle: A\nurl: /../../x\ndate: 2026-01-02\n---\n", 3, "url: '/../../x' leads out"),
    "a category with a line break": (
        b'---\ntitle: A\ndate: 2026-01-02\ncategory: "\\n<script>"\n---\n',
        4,
        "category: '\\n<script>' holds a line break",
    ),
}


@pytest.mark.parametrize(
    "body", [">" * 50_000 + "x", "<div>" * 100_000, "".join("  " * n + "- a\n" for n in range(900))]
)
def test_a_body_nested_beyond_reason_is_rejected(body):
    """Parsers would need minutes for it, and no reader could show it."""
    with pytest.raises(PostError, match="nested more than 200 deep"):
        understood("title: A", body)


@pytest.mark.parametrize(("content", "line", "reason"), REJECTED.values(), ids=REJECTED)
def test_what_cannot_be_is_rejected_by_line_and_reason(content, line, reason):
    """One reason for each file, with the line where it stands."""
    path = "2026-01-02-a.md" if b"slug" in content else "a.md"
    with pytest.raises(PostError) as caught:
        parse.parse_post(path, content, SETTINGS)
    assert (caught.value.path, caught.value.line) == (path, line)
    assert caught.value.reason.startswith(reason)


TITLES = {
    "plain": "A title\n\nBody.",
    "heading": "# A title\n\nBody.",
    "setext": "A title\n=======\n\nBody.",
    "bold": "**A title**\n\nBody.",
    "other case": "a TITLE\n\nBody.",
}


@pytest.mark.parametrize("body", TITLES.values(), ids=TITLES)
def test_a_first_line_that_repeats_the_title_is_dropped(body):
    """A reader has just read it."""
    assert parse.strip_title(body, "A title") == "Body."


@pytest.mark.parametrize("body", ["A title and more\n\nBody.", "A title\ngoes on.", "Body.\n\nA title\n"])
def test_a_line_that_is_more_than_the_title_stays(body):
    """Only a line of its own, only the first."""
    assert parse.strip_title(body, "A title") == body


def test_a_permalink_follows_the_pattern():
    """Every placeholder, quoted for the web."""
    pattern = "/{category}/{lang}/{year}-{month}-{day}/{stem}/{slug}"
    settings = Settings(site=SETTINGS.site, posts=PostSettings(permalink=pattern))
    post = understood("title: A\ncategory: 投資\nlang: ja", path="2026-01-02-手紙.md", settings=settings)
    expected = "%E6%8A%95%E8%B3%87/ja/2026-01-02/2026-01-02-%E6%89%8B%E7%B4%99/%E6%89%8B%E7%B4%99"
    assert post.url == f"https://example.com/{expected}"


def test_a_post_may_name_its_address():
    """A path on the site is taken; another site's address is not, and neither is a generator's pattern."""
    assert understood('title: A\npermalink: "/x/y.html"').url == "https://example.com/x/y.html"
    assert understood('title: A\npath: "2025/02/13/x"').url == "https://example.com/2025/02/13/x"
    for elsewhere in ("https://other.example/x", "/:year/:title/", "//other.example/x"):
        post = understood(f'title: A\npermalink: "{elsewhere}"')
        assert post.url == "https://example.com/2026/01/02/a/"
        assert post.warnings


def test_passages_may_be_reported_or_kept():
    """The policy decides what a repetition leads to."""
    body = "雨が降る。\n\n---END---\n\n雨が降る。風が吹く。\n"
    for policy, times, warnings in (("drop", 1, 1), ("report", 2, 1), ("keep", 2, 0)):
        settings = Settings(site=SETTINGS.site, duplicates=DuplicateSettings(passages=policy))
        post = understood("title: A", body, settings=settings)
        assert len(post.warnings) == warnings
        assert shown("title: A", body, settings=settings).html.count("雨が降る。") == times


def test_the_modules_of_an_mdx_page_are_no_text():
    """What a page imports is for its generator."""
    text = shown("title: A", "\nimport A from 'a';\nexport const b = 1;\n\nHello.\n", path="2026-01-02-a.mdx")
    assert text.html == "<p>Hello.</p>\n"


def test_the_comments_of_an_mdx_page_are_no_text():
    """But code keeps what looks like one, and a component its text; where an excerpt ends may be said by one."""
    body = (
        "First.\n\n{/* truncate */}\n\n{/* gone\n\ngone */}\n\n```jsx\n{/* kept */}\n```\n\n"
        "`{/* kept */}` {/* gone */}here.\n\n<Tabs>\n\nInside.\n\n</Tabs>\n"
    )
    text = shown("title: A", body, path="2026-01-02-a.mdx")
    assert (text.excerpt, text.html.count("kept"), text.html.count("gone")) == ("First.", 2, 0)
    assert "truncate" not in text.html
    assert "<p>Inside.</p>" in text.html


@pytest.mark.parametrize("name", ["Script", "Style", "Pre", "Title", "Textarea", "Head", "Image", "Tabs", "Tabs.Item"])
def test_a_component_of_an_mdx_page_swallows_no_text(name):
    """Some are called as elements are whose text no browser shows, and HTML knows no element that ends itself."""
    body = f'One.\n\n<{name} />\n\nTwo.\n\n<{name} about="a > b">\n\nThree.\n\n</{name}>\n\n`<{name}>`\n'
    text = shown("title: A", body, path="2026-01-02-a.mdx")
    assert re.sub(r"\s+", "", text.html) == (f"<p>One.</p><p>Two.</p><p>Three.</p><p><code>&lt;{name}&gt;</code></p>")


def test_reading_an_mdx_page_takes_time_that_grows_with_its_length():
    """Marks of code and comments that nothing closes are looked at once; else this would not end today."""
    body = "{/* x\n x" + "`" * 300_000 + "a" * 300_000 + "{/*" * 300_000 + "<A '" * 10_000
    assert understood("title: A", body, path="2026-01-02-a.mdx").title == "A"


def test_the_text_of_an_html_file_is_html_already():
    """Nothing in it is Markdown: neither marks, nor indented lines, nor a first line like the title, nor drafts."""
    body = "A title\n\n    <p>One *two*</p>\n\n---END---\n\n<!-- more -->\n<p>More</p>\n"
    text = shown("title: A title", body, path="2026-01-02-a.html")
    assert text.html == body
    assert text.excerpt == "A title One *two* ---END---"
    assert not understood("title: A title", body, path="2026-01-02-a.html").warnings


def test_what_is_odd_in_an_html_file_is_said_as_of_markdown():
    """Characters XML cannot carry, template tags, a depth no reader could show."""
    path = "2026-01-02-a.HTML"
    warnings = understood("title: A", "<p>One\x0cTwo</p>\n{% include x %}", path=path).warnings
    assert sorted(w.partition(" ")[0] for w in warnings) == [f"{path}:4:", f"{path}:5:"]
    with pytest.raises(PostError, match="nested more than 200 deep"):
        understood("title: A", "<div>" * 1000, path=path)


def test_every_shape_of_front_matter_makes_the_same_post():
    """YAML, TOML, JSON and Pelican's lines say the same, each in its way."""
    heads = (
        "---\ntitle: A\ndate: 2026-01-02\ntags: [x, y]\nauthors: [Ada]\n---\n",
        '+++\ntitle = "A"\ndate = 2026-01-02\ntags = ["x", "y"]\nauthors = ["Ada"]\n+++\n',
        '{"title": "A", "date": "2026-01-02", "tags": ["x", "y"], "authors": ["Ada"]}\n',
        "Title: A\nDate: 2026-01-02\nTags: x, y\nAuthors: Ada\n\n",
    )
    posts = [parse.parse_post("a.md", (head + LONG).encode(), SETTINGS) for head in heads]
    assert posts == [posts[0]] * 4


@pytest.mark.parametrize("character", ["\x00", "\x0b", "\x1f", "\ufffe", "\uffff", "\ufffd", "\x7f", "\r", "\t", "界"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_what_xml_cannot_carry_is_found_in_any_encoding(character, encoding):
    """The quick look at the bytes misses nothing and accuses nobody."""
    content = f"---\ntitle: A\n---\nOne{character}Two".encode(encoding)
    if character == "\x00":
        with pytest.raises(PostError, match="holds a NUL byte"):
            parse.parse_post("2026-01-02-a.md", content, SETTINGS)
        return
    post = parse.parse_post("2026-01-02-a.md", content, SETTINGS)
    assert bool(post.warnings) is (character in "\x0b\x1f\ufffe\uffff")


def test_a_title_that_escapes_to_what_xml_cannot_carry_is_warned_of():
    """The file's bytes are harmless, what they stand for is not."""
    post = understood('title: "A\\x08B"')
    assert post.title == "AB"
    assert "title: holds characters that XML cannot carry" in post.warnings[0]


@given(st.text(max_size=60))
def test_a_slug_is_always_one_safe_part_of_a_path(name):
    """Never empty dots, never a separator, never a character a URL or file system minds."""
    slug = parse.slugify(name)
    assert slug not in {".", ".."}
    assert not set(slug) & set("/\\?#%<>\"' \n\x00")
    assert parse.slugify(slug) == slug


@given(st.binary(max_size=80))
def test_no_bytes_raise_anything_but_a_rejection(content):
    """Whatever lies in the folder, the others go on."""
    try:
        parse.parse_post("2026-01-02-a.md", b"---\ntitle: A\n" + content, SETTINGS)
    except PostError as refusal:
        assert refusal.reason
