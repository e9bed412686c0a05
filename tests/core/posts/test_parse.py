"""Parsing post files: what real blogs contain is accepted, unusable files are rejected with line and reason."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.config_types import Url
from feeds.core.posts.parse import parse_post
from feeds.core.posts.render import render_post
from feeds.errors import PostError
from feeds.model import Author, Post, PostOutcome, PostStatus
from feeds.settings import PostSettings, Settings, SiteSettings
from tests.core.factory import BODY, SETTINGS, parsed, rendered


def test_a_plain_post_is_parsed():
    """A post has the values of its front matter, and defaults from the site."""
    post = parsed("title: A\ncategories: [X]\ntags: [t]")
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
    """Tags are read from a string, an integer, a list, several keys or a nested table."""
    assert parsed(f"title: A\n{front}").tags == tags


SPACED = {
    ("jekyll", "tags: b a"): (("b", "a"), ()),
    ("jekyll", "categories: Two Words"): ((), ("Two", "Words")),
    ("jekyll", "tag: b a\ncategory: Two Words"): (("b a",), ("Two Words",)),
    ("jekyll", "tags: b c, a"): (("b c", "a"), ()),
    ("jekyll", "tags: [b a, c]"): (("b a", "c"), ()),
    ("jekyll", "categories: A B\ncategory: C D"): ((), ("A", "B", "C D")),
    ("hugo", "tags: b a"): (("b a",), ()),
    ("none", "categories: Two Words"): ((), ("Two Words",)),
}


@pytest.mark.parametrize(("case", "names"), SPACED.items(), ids=map(str, SPACED))
def test_jekyll_separates_tags_and_categories_by_spaces(case, names):
    """In a Jekyll site a text under `tags` or `categories` is a list of words, under a singular key one name."""
    generator, front = case
    settings = Settings(site=SETTINGS.site, posts=PostSettings(generator=generator))
    post = parsed(f"title: A\n{front}", settings=settings)
    assert (post.tags, post.categories) == names


def test_category_may_be_used_beside_categories():
    """The names under both keys are read, each once."""
    assert parsed("title: A\ncategory: X\ncategories: [Y, X]").categories == ("Y", "X")


AUTHORS = {
    "author: Ada": [Author(name="Ada")],
    "authors: [Ada, Bob]": [Author(name="Ada"), Author(name="Bob")],
    "authors:\n- name: Ada\n  url: https://ada.example/\n- name: Bob": [
        Author(name="Ada", uri="https://ada.example/"),
        Author(name="Bob"),
    ],
    "author:": [Author(name="The desk")],
    "authors: {key: ada, title: Maintainer}": [Author(name="ada")],
    "authors: [{key: ada, name: Ada, title: Maintainer}, {displayName: Gus, title: Editor}]": [
        Author(name="Ada"),
        Author(name="Gus"),
    ],
    "author: {login: gus, display_name: Gus, email: gus@example.com}": [Author(name="Gus", email="gus@example.com")],
    "author: {username: gus, full-name: Gus Gray, title: Editor}": [Author(name="Gus Gray")],
    "author: {first_name: Ada, last_name: Lee, slug: ada, title: Dr}": [Author(name="Ada Lee")],
    "author: {Title: Ada, URL: /ada}": [Author(name="Ada", uri="https://example.com/ada")],
}


@pytest.mark.parametrize(("front", "authors"), AUTHORS.items())
def test_authors_may_be_names_or_mappings(front, authors):
    """A list of mappings keeps the links; a job is not a name; a post without authors gets the site's author."""
    assert list(parsed(f"title: A\n{front}").authors) == authors


def test_titles_and_slugs_may_look_like_numbers():
    """The slug `124062` and the title `1.10` stay as written."""
    post = parsed("title: 1.10\nslug: 124062")
    assert (post.title, post.slug) == ("1.10", "124062")


@pytest.mark.parametrize("word", ["true", "True", "FALSE", "no", "Yes", "12:30", "2026-01-02", "0x10"])
def test_a_title_may_look_like_another_type(word):
    """A title that YAML or TOML could take for something else stays as written; so do tags and categories."""
    assert parsed(f"title: {word}").title == word
    assert parsed(f"title: {word} # a comment\ntags: [{word}]").tags == (word.lower() if word[0] in "tTF" else word,)
    toml = b'+++\ntitle = true\ndate = "2026-01-02"\n+++\nx'
    assert parse_post("a.md", toml, SETTINGS).title == "true"


def test_a_switch_is_not_a_text():
    """True and false are not rights, description or slug: themes have switches with these names."""
    post = parsed("title: A\ncopyright: true\nslug: false\nimage: /a.png\nimage_alt: true")
    assert (post.rights, post.slug, post.image.alt) == ("", "a", "")
    assert rendered("title: A\ndescription: true", "Text.").excerpt == "Text."


HEADINGS = {
    "# A *b* [c](/x) `<d>` &amp; e": "A b c <d> & e",
    "A\n===": "A",
    "### A ###": "A",
    "Text.\n\n## Part\n\n# A": "A",
    "## A\n\n# B": "A",
    "```\n# x\n```\n\n# A": "A",
    "\n\n# A": "A",
}


@pytest.mark.parametrize(("body", "title"), HEADINGS.items())
def test_without_a_title_the_heading_is_the_title(body, title):
    """The heading that begins the text, else the first of rank 1, is the title of a post without one."""
    for front in ("", "title:", "layout: post"):
        assert (parsed(front, body).title, parsed(front, body).warnings) == (title, ())
    assert parsed("", f"import A from 'a'\n\n{body}", path="2026-01-02-a.mdx").title == title


@pytest.mark.parametrize("body", ["# A *b* [c](/x)\n\nText.", "A\n=\n\nText.", "## `A` ##\n\nText."])
def test_a_heading_that_is_the_title_is_not_in_the_text_too(body):
    """The heading that begins the text is removed from it if it became the title."""
    assert rendered("", body).html == "<p>Text.</p>\n"


def test_an_html_file_may_have_its_title_in_a_heading():
    """An HTML file without a title has that of its first `h1`."""
    assert parsed("", "<p>x</p><h1>A <b>b</b></h1>", path="2026-01-02-a.html").title == "A b"


@pytest.mark.parametrize(
    ("path", "title"),
    [
        ("2026-01-02-hello-big_world.md", "Hello Big World"),
        ("2026-01-02-hello.de.md", "Hello"),
        ("2026-01-02-hello-world/index.md", "Hello World"),
        ("2026-1-2-手紙.md", "手紙"),
    ],
)
def test_without_title_and_heading_the_dated_name_is_the_title(path, title):
    """As in Jekyll, the words in the name of a dated file or folder are the title of last resort, with a warning."""
    post = parsed("", "Text.", path=path)
    assert post.title == title
    assert post.warnings == (f"{path}:1: title: is missing; it is taken from the file name: {title!r}",)


def test_entities_and_stray_marks_in_titles_are_resolved():
    """Entities are resolved and zero-width marks at the ends removed; joiners that a script needs stay."""
    assert parsed("title: \u200bEPA&#8217;s  plan").title == "EPA’s plan"
    assert parsed("title: می\u200cخواهم").title == "می\u200cخواهم"
    assert parsed('title: "<View> & co"').title == "<View> & co"


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
    """Any line ends, a byte order mark, UTF-16 and leading blank lines give the same post."""
    post = parse_post("2026-01-02-a.md", content, SETTINGS)
    assert isinstance(post, Post)
    assert post.title == "A"
    assert render_post("2026-01-02-a.md", content, SETTINGS).html == "<p>One\nTwo</p>\n"


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
    """The date keys of all generators are read."""
    name, date = expected
    assert getattr(parsed(f"title: A\n{front}"), name).isoformat() == date


@pytest.mark.parametrize("key", ["image", "cover", "thumbnail"])
def test_the_lead_picture_is_absolute(key):
    """A picture under any of its keys, as text or mapping, gets an absolute URL and its alternative text."""
    post = parsed(f"title: A\n{key}: /i/ä b.png\nimage_alt: Alt")
    assert post.image.url == "https://example.com/i/%C3%A4%20b.png"
    assert post.image.alt == "Alt"
    assert parsed(f"title: A\n{key}:\n  src: a.png").image.url == post.url + "a.png"
    assert parsed(f"title: A\n{key}: javascript:alert(1)").image is None


@pytest.mark.parametrize(
    "front",
    [
        *("draft: true", "published: false", "status: draft", "draft: yes", "status: skip", "unlisted: true"),
        "eleventyExcludeFromCollections: true",
    ],
)
def test_any_of_the_draft_keys_makes_a_draft(front):
    """Any of the draft keys makes a draft; one without a date is a draft too, not an error."""
    assert parsed(f"title: A\n{front}").draft
    undated = parse_post("a.md", f"---\n{front}\n---\nx".encode(), SETTINGS)
    assert undated == PostOutcome(path="a.md", status=PostStatus.DRAFT, reason="draft")


@pytest.mark.parametrize("content", ["---\ntitle: A\n---\nx", "---\n---\n", "---\nx: [\n---\n", "An idea.", "", "\0"])
def test_what_is_in_the_folder_for_drafts_is_a_draft(content):
    """A file in `_drafts` is a draft in whatever state, with or without a date; a file of that name is not."""
    for path in ("_drafts/a.md", "x/_drafts/y/a.md"):
        assert parse_post(path, content.encode(), SETTINGS) == PostOutcome(
            path=path, status=PostStatus.DRAFT, reason="draft"
        )
    assert parsed("title: A", path="_drafts/2026-01-02-a.md").draft
    assert not parsed("title: A", path="2026-01-02-_drafts.md").draft


LANGUAGES = {
    ("lang: ja", "a.md"): "ja",
    ("language: zh_hans", "a.md"): "zh-Hans",
    ("x: y", "a.fa.md"): "fa",
    ("x: y", "a.js.md"): "en",
    ("lang: no", "a.md"): "no",
}


IN_NAMES = {
    ("init.el", "Configure Emacs with λ and little else. " + BODY): None,
    ("init.el", "Καλημέρα κόσμε"): "el",
    ("main.cs", "A naïve program, and a café. " + BODY): None,
    ("main.cs", "Příliš žluťoučký kůň"): "cs",
    ("script.pl", "It is written in Perl."): None,
    ("bbc.co.uk", "News."): None,
    ("x.uk", "Новини. News."): "uk",
    ("lib.so", "A shared object."): None,
    ("x.cs-CZ", "Code."): "cs-CZ",
    ("x.fr", "Texte."): "fr",
    ("x.pt_br", "Texto."): "pt-BR",
}


@pytest.mark.parametrize(("case", "lang"), IN_NAMES.items(), ids=map(str, IN_NAMES))
def test_a_file_type_in_a_name_is_not_a_language(case, lang):
    """A code that often ends other names is a language only if the text is written in it; else it is in the slug."""
    stem, body = case
    post = parsed("title: A", body, path=f"2026-01-02-{stem}.md")
    assert (post.lang, post.slug) == ((lang, stem.partition(".")[0]) if lang else ("en", stem))


@pytest.mark.parametrize(("case", "lang"), LANGUAGES.items(), ids=map(str, LANGUAGES))
def test_the_language_comes_from_key_or_file_name(case, lang):
    """The language is that of the key, else of the file name, else of the site; `.js` in a name is not a language."""
    front, path = case
    assert parsed(f"title: A\n{front}", path=f"2026-01-02-{path}").lang == lang


def test_the_language_is_not_a_part_of_the_slug():
    """The slug of `x.fa.md` is `x`."""
    assert parsed("title: A", path="2026-01-02-x.fa.md").slug == "x"


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


@pytest.mark.parametrize(("case", "date"), DATES.items(), ids=map(str, DATES))
def test_the_date_comes_from_key_address_file_or_folder(case, date):
    """The date is taken from the key, else from the address, the file name, the folder."""
    front, path = case
    post = parsed(f"title: A\n{front}", path=path)
    assert f"{post.published:%Y-%m-%d}" == date


NO_PAGE = {
    ("none", "permalink: false"): True,
    ("eleventy", "permalink: false"): True,
    ("eleventy", "permalink: {build: false}"): True,
    ("eleventy", "permalink: {build: /x/}"): False,
    ("jekyll", "permalink: false"): False,
    ("hexo", "permalink: false"): False,
    ("none", "path: false"): False,
}


@pytest.mark.parametrize(("case", "draft"), NO_PAGE.items(), ids=map(str, NO_PAGE))
def test_a_post_for_which_no_page_is_written_is_a_draft(case, draft):
    """Eleventy writes no page for `permalink: false`, so nothing is announced; to Jekyll and Hexo it is no address."""
    generator, front = case
    post = parsed(f"title: A\n{front}", settings=Settings(posts=PostSettings(generator=generator)))
    assert post.draft is draft


def test_nothing_comes_out_before_its_embargo():
    """Of Hugo's `publishDate` and `date` the later one is the publication date."""
    assert parsed("title: A\ndate: 2026-01-02\npublishDate: 2026-02-03").published.date().isoformat() == "2026-02-03"
    assert parsed("title: A\ndate: 2026-01-02\npublishDate: 2025-02-03").published.date().isoformat() == "2026-01-02"
    assert parsed("title: A\npublishDate: 2026-01-02").published.date().isoformat() == "2026-01-02"


WARNED = {
    "characters XML cannot carry": ("title: A", "One\x0cTwo", "a.md:4: U+000C is a character that XML cannot carry"),
    "duplicate keys": ("title: A\ntitle: B", BODY, "a.md:2: title: occurs twice"),
    "misspelt keys": ("title: A\ncatagories: [x]", BODY, "a.md:3: catagories: is not a known key; did you mean `cat"),
    "an ambiguous zone": (
        "title: A\ndate: 2026-01-02 08:00 CST",
        BODY,
        "a.md:3: date: CST is US Central Time or China",
    ),
    "an unknown zone": ("title: A\nupdated: 2026-01-02 08:00 XYZ", BODY, "a.md:3: updated: 'XYZ' is not a known time"),
    "an offset beyond 14:00": ("title: A\ndate: 2026-01-02T00:00:00+15:00", BODY, "a.md:3: date: no place on earth"),
    "a date unlike the name's": ("title: A\ndate: 2026-05-06", BODY, "a.md:3: date: is 2026-05-06, but the file name"),
    "another reading time": ("title: A\nreading_time: 8", BODY, "a.md:3: reading_time: says 8 min, the text takes 1"),
    "an unknown language": ("title: A\nlang: klingonish", BODY, "a.md:3: lang: 'klingonish' is not a language tag"),
    "an impossible update": ("title: A\nupdated: 2026-02-30", BODY, "a.md:3: updated: impossible date"),
    "neither true nor false": ("title: A\nfeatured: perhaps", BODY, "a.md:3: featured: 'perhaps' is neither true nor"),
}


@pytest.mark.parametrize(("front", "body", "warning"), WARNED.values(), ids=WARNED)
def test_questionable_values_are_accepted_with_a_warning(front, body, warning):
    """Questionable values give a warning with file and line, and the post is accepted."""
    found = [*parsed(front, body).warnings, *rendered(front, body).warnings]
    assert [w for w in found if w.startswith("2026-01-02-" + warning)], found


def test_an_impossible_date_in_the_file_name_is_a_warning_beside_a_good_one():
    """An impossible date in the file name is a warning if the front matter has a valid one."""
    post = parsed("title: A\ndate: 2021-09-30", path="2021-09-31-x.md")
    assert "the file name has an impossible date '2021-09-31'" in post.warnings[0]


REJECTED = {
    "no title": (b"---\ndate: 2026-01-02\n---\nx", 1, "title: is missing"),
    "no date anywhere": (b"---\ntitle: A\n---\nx", 1, "date: is missing from the front matter and from"),
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
        "category: '\\n<script>' contains a line break",
    ),
}


@pytest.mark.parametrize(("content", "line", "reason"), REJECTED.values(), ids=REJECTED)
def test_unusable_files_are_rejected_with_line_and_reason(content, line, reason):
    """An unusable file is rejected with its line and one reason."""
    path = "2026-01-02-a.md" if b"slug" in content else "a.md"
    with pytest.raises(PostError) as caught:
        parse_post(path, content, SETTINGS)
    assert (caught.value.path, caught.value.line) == (path, line)
    assert caught.value.reason.startswith(reason)


def test_a_permalink_follows_the_pattern():
    """All placeholders of `posts.permalink` are filled in and percent-encoded."""
    pattern = "/{category}/{lang}/{year}-{month}-{day}/{stem}/{slug}"
    settings = Settings(site=SETTINGS.site, posts=PostSettings(permalink=pattern))
    post = parsed("title: A\ncategory: 投資\nlang: ja", path="2026-01-02-手紙.md", settings=settings)
    expected = "%E6%8A%95%E8%B3%87/ja/2026-01-02/2026-01-02-%E6%89%8B%E7%B4%99/%E6%89%8B%E7%B4%99"
    assert post.url == f"https://example.com/{expected}"


def test_a_post_may_name_its_address():
    """A path on the site is the address of the post; another site's URL gives a warning."""
    assert parsed('title: A\npermalink: "/x/y.html"').url == "https://example.com/x/y.html"
    assert parsed('title: A\npath: "2025/02/13/x"').url == "https://example.com/2025/02/13/x/"
    for elsewhere in ("https://other.example/x", "/:yaer/:title/", "//other.example/x"):
        post = parsed(f'title: A\npermalink: "{elsewhere}"')
        assert post.url == "https://example.com/2026/01/02/a/"
        assert post.warnings


@pytest.mark.parametrize("link", ["https://other.example/2020/03/04/x", "//other.example/x", "HTTP://other.example/x"])
def test_a_url_on_another_site_makes_a_link_post(link):
    """`url` with another site's page is the target of a link post, whose own address and date are as usual."""
    post = parsed(f"title: A\nurl: {link}")
    assert post.external_url.lower().startswith(("http://other.example/", "https://other.example/"))
    assert (post.url, post.warnings) == ("https://example.com/2026/01/02/a/", ())
    assert f"{post.published:%Y-%m-%d}" == "2026-01-02"


def test_a_link_post_may_have_an_address_too():
    """Beside `permalink`, `url` is still the target; a key that means nothing else comes before it."""
    post = parsed("title: A\npermalink: /x/\nurl: https://other.example/y")
    assert (post.url, post.external_url) == ("https://example.com/x/", "https://other.example/y")
    post = parsed("title: A\nsource_url: https://third.example/\nurl: https://other.example/y")
    assert post.external_url == "https://third.example/"


@pytest.mark.parametrize(
    "written", ["http://example.com/x/", "https://www.example.com/x/", "//EXAMPLE.com/x/", "https://example.com/x/"]
)
def test_the_sites_own_host_may_be_written_in_any_way(written):
    """An address on the site's host is the post's own, whatever its scheme, its case and a leading `www.`."""
    post = parsed(f"title: A\nurl: {written}")
    assert (post.url, post.external_url, post.warnings) == ("https://example.com/x/", None, ())


@pytest.mark.parametrize("written", ["mailto:a@b.example", "ftp://other.example/x"])
def test_a_url_that_is_not_a_web_address_is_a_warning(written):
    """A `url` that no browser opens is neither an address nor a target, and is warned of."""
    post = parsed(f"title: A\nurl: {written}")
    assert (post.url, post.external_url) == ("https://example.com/2026/01/02/a/", None)
    assert "is not an address on https://example.com/" in post.warnings[0]


def test_every_shape_of_front_matter_makes_the_same_post():
    """YAML, TOML, JSON and Pelican's header lines give equal posts."""
    heads = (
        "---\ntitle: A\ndate: 2026-01-02\ntags: [x, y]\nauthors: [Ada]\n---\n",
        '+++\ntitle = "A"\ndate = 2026-01-02\ntags = ["x", "y"]\nauthors = ["Ada"]\n+++\n',
        '{"title": "A", "date": "2026-01-02", "tags": ["x", "y"], "authors": ["Ada"]}\n',
        "Title: A\nDate: 2026-01-02\nTags: x, y\nAuthors: Ada\n\n",
    )
    posts = [parse_post("a.md", (head + BODY).encode(), SETTINGS) for head in heads]
    assert posts == [posts[0]] * 4


@pytest.mark.parametrize("character", ["\x00", "\x0b", "\x1f", "\ufffe", "\uffff", "\ufffd", "\x7f", "\r", "\t", "界"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_what_xml_cannot_carry_is_found_in_any_encoding(character, encoding):
    """The fast check of the bytes finds exactly the characters that XML cannot carry."""
    content = f"---\ntitle: A\n---\nOne{character}Two".encode(encoding)
    if character == "\x00":
        with pytest.raises(PostError, match="holds a NUL byte"):
            parse_post("2026-01-02-a.md", content, SETTINGS)
        return
    post = parse_post("2026-01-02-a.md", content, SETTINGS)
    assert bool(post.warnings) is (character in "\x0b\x1f\ufffe\uffff")


def test_a_title_that_escapes_to_what_xml_cannot_carry_is_warned_of():
    """A YAML escape for a control character is removed from the title, with a warning."""
    post = parsed('title: "A\\x08B"')
    assert post.title == "AB"
    assert "title: contains characters that XML cannot carry" in post.warnings[0]


@given(st.binary(max_size=80))
def test_no_bytes_raise_anything_but_a_rejection(content):
    """Any bytes give a post or a PostError with a reason."""
    try:
        parse_post("2026-01-02-a.md", b"---\ntitle: A\n" + content, SETTINGS)
    except PostError as error:
        assert error.reason


@pytest.mark.parametrize("key", ["image", "audio", "canonical_url", "external_url"])
def test_an_address_from_the_root_is_below_a_site_in_a_folder(key):
    """An address that starts with a slash is below the site, as `permalink` is."""
    settings = Settings(site=SiteSettings(title="T", url=Url("https://example.com/project/")))
    post = parsed(f"title: A\npermalink: /x\n{key}: /assets/c.mp3", settings=settings)
    files = [post.image and post.image.url, *(file.url for file in post.enclosures), post.canonical, post.external_url]
    assert "https://example.com/project/assets/c.mp3" in files
    assert post.url == "https://example.com/project/x"


def test_references_in_an_address_end_with_a_semicolon():
    """`&copy=1` in an id or an author's address is a parameter and no sign; `&amp;` is read as it is in HTML."""
    post = parsed(
        "title: A &copy; B\nguid: https://x.example/?p=12&section=Blog&copy=1\n"
        "author: {name: Ada, url: 'https://x.example/?a=1&amp;para=2&not=3'}"
    )
    assert post.declared_id == "https://x.example/?p=12&section=Blog&copy=1"
    assert post.authors[0].uri == "https://x.example/?a=1&para=2&not=3"
    assert post.title == "A © B"


@pytest.mark.parametrize(("control", "rest"), [("202E", ""), ("2067", "\u202c"), ("2069", ""), ("206A", "")], ids=str)
def test_a_title_with_a_control_of_direction_is_reported(control, rest):
    """The warning has file and line; the title, which the entry is known by, stays as it is written."""
    title = f"Receipt {chr(int(control, 16))}fdp.exe{rest}"
    post = parse_post("a.md", f"---\ndate: 2026-11-20\ntitle: {title}\n---\nx\n".encode(), SETTINGS)
    assert post.title == title
    [warning] = post.warnings
    assert warning.startswith(f"a.md:3: title: contains U+{control}, which is invisible")


def test_a_title_with_closed_controls_of_direction_is_not_reported():
    """An isolate and a zero-width non-joiner belong to a title as they are."""
    title = "\u2068می\u200cخواهم\u2069 now"
    post = parse_post("a.md", f"---\ndate: 2026-11-20\ntitle: {title}\n---\nx\n".encode(), SETTINGS)
    assert (post.title, post.warnings) == (title, ())
