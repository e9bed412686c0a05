"""Addresses of posts: what the site's own generator would give."""

from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.config_types import FilePath, Language, TimeZone, Url
from feeds.settings import PostSettings, Settings, SiteSettings
from tests.core.factory import parsed


def address(front, path, generator, pattern, *, folder="posts", zone="Asia/Tokyo", site="https://example.com/", **more):
    """The path of a post's URL on a site with this pattern, and the warnings about the post."""
    posts = PostSettings(generator=generator, permalink=pattern, folder=FilePath(folder), **more)
    settings = Settings(site=SiteSettings(url=Url(site), timezone=TimeZone(zone), language=Language("en")), posts=posts)
    post = parsed(f"title: {front}", path=path, settings=settings)
    return post.url.removeprefix("https://example.com"), post.warnings


#: (front matter after `title: `, file, generator, pattern) -> path
BRACES = {
    ("What's new?", "2026-01-02-Two_Doors.md", "none", "/{name}/"): "/Two_Doors/",
    ("What's new?", "2026-01-02-Two_Doors.md", "none", "/{title}.html"): "/whats-new.html",
    ("What's new?\nslug: doors", "2026-01-02-x.md", "none", "/{title}/{name}"): "/doors/doors",
    ("A", "notes/2026-01-02-x.md", "none", "/{folder}/{slug}/"): "/notes/x/",
    ("A", "notes/b/2026-01-02-x/index.md", "none", "/{folder}/{name}/"): "/notes/b/x/",
    ("A", "notes/b/2026-01-02-x.md", "none", "/{section}/{name}/"): "/notes/x/",
    ("A", "2026-01-02-x.md", "none", "/{folder}/{name}/"): "/x/",
    ("A\ncategories: [Über uns, B]", "2026-01-02-x.md", "none", "/{categories}/{name}/"): "/%C3%BCber-uns/b/x/",
    ("A\ncategories: [Über uns, B]", "2026-01-02-x.md", "jekyll", "/{categories}/{name}/"): "/%C3%BCber%20uns/b/x/",
    ("A", "2026-01-02-Grüße & mehr.md", "hugo", "/blog/{name}/"): "/blog/gr%C3%BC%C3%9Fe-mehr/",
    ("A", "2026-01-02-Grüße.md", "zola", "/{name}/"): "/grusse/",
    ("A", "2026-01-02-x.y.md", "eleventy", "/{name}/"): "/x.y/",
    ("A", "2026-01-02-x.md", "none", "/{i_month}/{y_day}/{short_month}/{name}/"): "/1/002/Jan/x/",
}
#: Where a file is without any setting of its generator.
PATHS = {
    ("A", "2026-01-02-x.md", "docusaurus", "/blog/{path}"): "/blog/2026/01/02/x",
    ("A\ndate: 2025-12-24", "2026-1-2-x.mdx", "docusaurus", "/blog/{path}"): "/blog/2026/1/2/x",
    ("A", "2026/01/02-x/index.md", "docusaurus", "/blog/{path}"): "/blog/2026/01/02/x",
    ("A\nslug: /hello/there", "2026-01-02-x.md", "docusaurus", "/blog/{path}"): "/blog/hello/there",
    ("A\ndate: 2026-01-02", "team/plans.md", "docusaurus", "/blog/{path}/"): "/blog/team/plans/",
    ("A", "blog/2026-01-02-x.md", "eleventy", "/{path}/"): "/blog/2026-01-02-x/",
    ("A", "blog/2026-01-02-x.md", "eleventy", "/{folder}/{name}.html"): "/blog/x.html",
    ("A\nslug: s", "blog/2026-01-02-x.md", "eleventy", "/{folder}/{name}/{slug}"): "/blog/x/s",
    ("A", "blog/2026-01-02-x/2026-01-02-x.md", "eleventy", "/{path}/"): "/blog/2026-01-02-x/",
    ("A", "blog/2026-01-02-x/index.md", "eleventy", "/{path}/"): "/blog/2026-01-02-x/",
    ("A", "notes/2026-01-02-Über_uns.md", "pelican", "/{path}.html"): "/2026-01-02-uber_uns.html",
    ("A\ndate: 2026-01-02", "blog/x/x.md", "eleventy", "/{path}/"): "/blog/x/",
    ("A", "blog/2026-01-02-Two Doors.md", "zola", "/{path}/"): "/blog/two-doors/",
    ("A\nslug: Other", "blog/2026-01-02-x/index.md", "zola", "/{path}/"): "/blog/other/",
    ("A\ndate: 2026-01-02", "Blog/2026-01-02-X.md", "hugo", "/{path}/"): "/blog/2026-01-02-x/",
    ("A", "Blog/2026-01-02-X.md", "hugo", "/{path}/"): "/blog/x/",
    ("A\ndate: 2026-01-02", "blog/x.fr.md", "hugo", "/{path}/"): "/fr/blog/x/",
    ("A\ndate: 2026-01-02", "Blog/Hello World.md", "astro", "/{path}/"): "/blog/hello-world/",
    ("A\ndate: 2026-01-02", "fa/metrics.md", "jekyll", "/:path/"): "/fa/metrics/",
    ("A", "notes/2026-01-02-x.md", "none", "/{path}/"): "/notes/x/",
}
JEKYLL = {
    ("A", "2026-01-02-x.md", "jekyll", "date"): "/2026/01/02/x.html",
    ("A\ncategory: Blog", "notes/2026-01-02-Vim_8.md", "none", "date"): "/blog/2026/01/02/Vim_8.html",
    ("A\ncategories: b a", "2026-01-02-x.md", "jekyll", "pretty"): "/b/a/2026/01/02/x/",
    ("A", "2026-02-03-x.md", "jekyll", "ordinal"): "/2026/034/x.html",
    ("A", "2026-01-02-x.md", "jekyll", "none"): "/x.html",
    ("A", "2026-01-02-x.md", "jekyll", "weekdate"): "/2026/W01/Fri/x.html",
    ("A\nslug: My Slug", "2026-01-02-x.md", "jekyll", "/:title/:slug"): "/My-Slug/my-slug",
    ("A", "2026-01-02-X y.md", "jekyll", "/:name/:short_year/:i_day.html"): "/2026-01-02-x-y/26/2.html",
    ("A", "es/_posts/2026-01-02-x.md", "jekyll", "/:categories/:title:output_ext"): "/es/x.html",
    ("A", "2026-01-02-x.md", "jekyll", "/:collection/:path:output_ext"): "/posts/2026-01-02-x.html",
    ("A\ncategories: [C#, Ü]", "2026-01-02-x.md", "jekyll", "/:slugified_categories/:title"): "/c/%C3%BC/x",
    ("A\npermalink: /:year/:title/", "2026-01-02-x.md", "jekyll", "date"): "/2026/x/",
    ("A\npermalink: /:categories/here/\ncategory: C", "2026-01-02-x.md", "jekyll", "date"): "/c/here/",
    ("A\npermalink: false", "2026-01-02-x.md", "jekyll", "date"): "/2026/01/02/x.html",
}
HUGO = {
    ("What's New?\ndate: 2026-01-02", "x.md", "hugo", ":year/:month/:day/:slug/"): "/2026/01/02/whats-new/",
    ("A", "2026-01-02-Mixed_Case_.v2.md", "hugo", ":year/:month/:day/:slug/"): "/2026/01/02/mixed_case/",
    ("A", "2026-01-02-x.md", "hugo", "/:slugorfilename/"): "/x/",
    ("A\ndate: 2026-01-02", "2026-01-02-x.md", "hugo", "/:slugorfilename/"): "/2026-01-02-x/",
    ("A\nslug: Mixed Case", "2026-01-02-x.md", "hugo", "/:year/:slug/"): "/2026/mixed-case/",
    ("A\nslug: s", "2026-01-02-X.md", "hugo", "/:title/:filename/"): "/a/2026-01-02-x/",
    ("A\nslug: s", "2026-01-02-X.md", "hugo", "/Posts/:slugorcontentbasename/"): "/posts/s/",
    ("A", "2026-01-02-X.md", "hugo", "/:monthname/:weekday/:yearday/:contentbasename/"): "/january/5/2/2026-01-02-x/",
    ("A", "news/a/2026-01-02-x/index.md", "hugo", "/:sections/:filename/"): "/news/a/2026-01-02-x/",
    ("A", "news/a/2026-01-02-x.md", "hugo", "/:section/:slug/"): "/news/x/",
    ("A\nurl: /:year/here", "2026-01-02-x.md", "hugo", "/:slug/"): "/2026/here",
    ("A\nurl: /old/place", "2026-01-02-x.md", "hugo", "/:slug/"): "/old/place/",
    ("A\nurl: /old/place.php", "2026-01-02-x.md", "hugo", "/:slug/"): "/old/place.php",
    ("A\ndate: 2026-01-02", "x.fr.md", "hugo", "/:slug/"): "/fr/a/",
    ("A", "2026-01-02-x.md", "hugo", "/:2006/:01/:02/:slug/"): "/2026/01/02/x/",
    ("A", "2026-01-02-x.md", "hugo", ":06/:1/:2/:slug"): "/26/1/2/x",
    ("A", "2026-01-02-x.md", "hugo", "/:Jan/:January/:Mon/:Monday/:002/:slug/"): "/jan/january/fri/friday/002/x/",
    ("A\ndate: 2026-01-02T03:04:05", "x.md", "hugo", "/:20060102-:150405/:filename/"): "/20260102-030405/x/",
    ("A", "2026-01-02-x.md", "hugo", "/:2006y01m/:slug/"): "/2026y01m/x/",
    ("A\nurl: /:2006/:01/here/", "2026-01-02-x.md", "hugo", "/:slug/"): "/2026/01/here/",
    ("A", "a/b/C/2026-01-02-x.md", "hugo", "/:sections[1:]/:slug/"): "/b/c/x/",
    ("A", "a/b/C/2026-01-02-x.md", "hugo", "/:sections[last]/:slug/"): "/c/x/",
    ("A", "a/b/C/2026-01-02-x.md", "hugo", "/:sections[:last]/:sections[0]/:slug/"): "/a/b/a/x/",
    ("A", "a/2026-01-02-x.md", "hugo", "/:sections[1]/:sections[0:9]/:slug/"): "/a/x/",
}
OTHERS = {
    ("A", "notes/2026-01-02-Two.md", "hexo", ":year/:month/:day/:title/"): "/2026/01/02/notes/Two/",
    ("Two & Doors", "notes/2026-01-02-x.md", "hexo", ":name/:post_title.html"): "/x/two-doors.html",
    ("A\nabbrlink: 4a17b156", "2026-01-02-x.md", "hexo", "posts/:abbrlink/"): "/posts/4a17b156/",
    ("A\ncategories: [Foo Bar, Baz]", "2026-01-02-x.md", "hexo", ":category/:title/"): "/Foo-Bar/Baz/x/",
    ("A\ncategories: [[a, b], [c]]", "2026-01-02-x.md", "hexo", ":category/:title/"): "/c/x/",
    ("A", "2026-01-02-x.md", "hexo", ":category/:title/"): "/uncategorized/x/",
    ("A\ncategories: b a\ncategory: c", "2026-01-02-x.md", "hexo", ":category/:title/"): "/b-a/x/",
    ("Østre, 北京", "2026-01-02-x.md", "pelican", "/{title}.html"): "/ostre-bei-jing.html",
    ('A\npath: "2025/02/13/x"', "x.md", "zola", "/{path}/"): "/2025/02/13/x/",
    ("A\npath: /x/", "2026-01-02-x.md", "none", "/{slug}/"): "/x/",
    ("A\npermalink: /x/index.html", "2026-01-02-x.md", "eleventy", "/{name}/"): "/x/",
    ("A\npermalink: /x/index.html", "2026-01-02-x.md", "jekyll", "date"): "/x/index.html",
    ("A\npermalink: /x", "2026-01-02-x.md", "none", "/{slug}/"): "/x",
    ("A\npermalink: /talk:rust/", "2026-01-02-x.md", "jekyll", "date"): "/talk:rust/",
    ("A\npermalink: pretty", "2026-01-02-x.md", "jekyll", "date"): "/pretty",
}
CASES = BRACES | PATHS | JEKYLL | HUGO | OTHERS


@pytest.mark.parametrize(("case", "path"), CASES.items(), ids=[" ".join(case[1:]) for case in CASES])
def test_an_address_is_the_one_that_the_generator_makes(case, path):
    """The pattern of a site gives the address that its generator gives, without a warning."""
    found, warnings = address(*case)
    assert (found, [w for w in warnings if "date: is" not in w]) == (path, [])


DAYS = {
    ("jekyll", "/:year/:month/:day/:title/"): "/2026/01/02/x/",
    ("jekyll", "/{year}/{month}/{day}/{name}/"): "/2026/01/02/x/",
    ("hexo", ":year/:month/:day/:title/"): "/2026/01/02/x/",
    ("hugo", ":year/:month/:day/:filename/"): "/2026/01/01/x/",
    ("none", "/{year}/{month}/{day}/{name}/"): "/2026/01/01/x/",
}


@pytest.mark.parametrize(("case", "path"), DAYS.items(), ids=map(str, DAYS))
def test_the_day_is_that_of_the_zone_in_which_the_generator_reckons(case, path):
    """Jekyll and Hexo move a date with an offset to the site's zone, the others take it as it is written."""
    assert address("A\ndate: 2026-01-01 23:30:00 -0800", "x.md", *case)[0] == path


LANGUAGES = {
    ("pelican", "lang: fr", ""): "/tide-fr.html",
    ("pelican", "lang: en", ""): "/2026/tide.html",
    ("pelican", "x: y", ""): "/2026/tide.html",
    ("pelican", "lang: pt-BR", "/{lang}/{year}/{title}/"): "/pt-BR/2026/tide/",
    ("none", "lang: fr", "/{lang}/{title}/"): "/fr/tide/",
    ("none", "lang: fr", ""): "/2026/tide.html",
}


@pytest.mark.parametrize(("case", "path"), LANGUAGES.items(), ids=map(str, LANGUAGES))
def test_a_post_in_another_language_has_the_address_of_translations(case, path):
    """`posts.permalink_lang` is the pattern for other languages than the site's, by default that of Pelican there."""
    generator, front, pattern = case
    found, _ = address(f"Tide\n{front}", "2026-01-02-x.md", generator, "/{year}/{title}.html", permalink_lang=pattern)
    assert found == path
    with_language, _ = address(f"Tide\n{front}\nlang: fr", "2026-01-02-x.md", "pelican", "/{lang}/{title}.html")
    assert with_language == "/fr/tide.html"


@pytest.mark.parametrize(
    ("front", "path", "pattern", "expected"),
    [
        ("date: 2023-05-06", "2024-02-03-Dated-name.md", "/{path}/", "/dated-name/"),
        ("date: 2023-05-06", "2024-02-03-dated-name.md", "/:year/:slugorfilename/", "/2024/dated-name/"),
        ("date: 2023-05-06", "2024-02-03-dated-name.md", "/:year/:slugorcontentbasename/", "/2024/dated-name/"),
        ("date: 2023-05-06", "2024-02-03-dated-name.md", "/:year/:month/:day/:title/", "/2024/02/03/my-title/"),
        ("date: 2023-05-06", "2024-02-03-dated-name.md", "/:year/:slug/", "/2024/dated-name/"),
        ("date: 2023-05-06", "2024-02-03-dated-name.md", "/:year/:filename/", "/2024/2024-02-03-dated-name/"),
        ("date: 2023-05-06\nslug: chosen", "2024-02-03-x.md", "/:year/:slug/", "/2024/chosen/"),
        ("date: 2023-05-06\nslug: chosen", "2024-02-03-x.md", "/:year/:filename/", "/2024/2024-02-03-x/"),
        ("date: 2023-05-06", "2024-02-03-b/index.md", "/:year/:slug/", "/2024/b/"),
        ("date: 2023-05-06", "2024-02-03-b/2024-03-01-x.md", "/:month/:slug/", "/03/x/"),
        ("date: 2023-05-06", "2024-02-06-a.b.c.md", "/:year/:slug/", "/2024/a.b/"),
        ("date: 2024-02-03T23:30:00-09:00", "2024-02-03-x.md", "/:day/:slug/", "/03/x/"),
        # Without a date in the name, or with one that does not exist, the front matter counts
        ("date: 2023-05-06", "undated.md", "/:year/:slug/", "/2023/my-title/"),
        ("date: 2023-05-06", "undated.md", "/:year/:slugorfilename/", "/2023/undated/"),
        ("date: 2023-05-06", "2024-02-31-x.md", "/:year/:slugorfilename/", "/2023/2024-02-31-x/"),
        ("date: 2023-05-06", "2024-2-9-x.md", "/:year/:slugorfilename/", "/2023/2024-2-9-x/"),
        ("date: 2023-05-06", "2024-02-07.md", "/:year/:slug/", "/2024/my-title/"),
    ],
)
def test_a_date_in_the_file_name_counts_first_in_hugo(front, path, pattern, expected):
    """With `date_from = "file_name"` date and slug of a dated file are those of its name: as built by Hugo 0.168."""
    more = {"site": "https://example.com/", "date_from": "file_name"}
    assert address(f"My title\n{front}", path, "hugo", pattern, **more)[0] == expected


def test_hugo_takes_an_impossible_date_in_a_name_for_a_part_of_the_name():
    """Where the date in a file name does not exist, Hugo's address keeps it."""
    assert address("A\ndate: 2021-09-30", "2021-09-31-x.md", "hugo", "/{name}/")[0] == "/2021-09-31-x/"


def test_each_section_may_have_a_pattern_of_its_own():
    """`posts.permalinks` replaces the pattern for the posts of a section, counted from Hugo's `content`."""
    more = {"folder": "content/news", "permalinks": {"news": ":year/:slug/"}}
    assert address("A", "2026-01-02-x.md", "hugo", "/{path}/", **more)[0] == "/2026/x/"
    more["permalinks"] = {"events": ":year/:slug/"}
    assert address("A", "2026-01-02-x.md", "hugo", "/{path}/", **more)[0] == "/news/x/"
    more = {"permalinks": {"notes": "/n/{name}"}}
    assert address("A", "notes/2026-01-02-x.md", "none", "/{name}/", **more)[0] == "/n/x"


TEMPLATES = {
    "Nunjucks": "/{{ page.date | date }}/x/",
    "Liquid": "{% if x %}/x/{% endif %}",
    "JavaScript": "/${title}/",
    "EJS": "/<%= title %>/",
}


@pytest.mark.parametrize("template", TEMPLATES.values(), ids=TEMPLATES)
def test_a_template_as_address_is_reported_and_the_pattern_counts(template):
    """A template in the front matter's address gives a warning with its line, and the site's pattern is used."""
    path, warnings = address(f"A\npermalink: '{template}'", "2026-01-02-x.md", "eleventy", "/blog/{name}/")
    assert path == "/blog/x/"
    reason = "is a template, which only your site generator can fill in; posts.permalink is used instead"
    assert warnings == (f"2026-01-02-x.md:3: permalink: {template!r} {reason}",)


def test_an_unknown_placeholder_in_the_front_matter_is_reported():
    """A placeholder that the generator does not have gives a warning, and the site's pattern is used."""
    path, (warning,) = address("A\npermalink: /:yaer/", "2026-01-02-x.md", "jekyll", "none")
    assert path == "/x.html"
    assert "'/:yaer/' :yaer is not a placeholder that is known of Jekyll; did you mean :year?" in warning


@pytest.mark.parametrize(
    ("front", "pattern", "path"),
    [
        ("A", "/{name}/", "/project/x/"),
        ("A", "date", "/project/2026/01/02/x.html"),
        ("A\npermalink: /y/", "date", "/project/y/"),
        ("A\npermalink: /:year/y/", "date", "/project/2026/y/"),
        ("A\npath: y", "date", "/project/y/"),
    ],
)
def test_a_site_below_a_path_has_it_in_every_address(front, pattern, path):
    """The path of `site.url` begins each address, wherever the address comes from."""
    assert address(front, "2026-01-02-x.md", "none", pattern, site="https://example.com/project/")[0] == path


NAMES = st.text(st.characters(exclude_characters="/\\\0.", exclude_categories=("Cs", "Cc")), min_size=1, max_size=20)


@given(
    st.lists(st.sampled_from(["..", ".", "/", "%2e", "%2E.", "a", " ", "#", "?", "\\\\"]), min_size=1, max_size=8),
    st.sampled_from(["none", "jekyll", "hugo", "zola", "hexo"]),
)
def test_no_title_and_no_category_leads_out_of_the_site(parts, generator):
    """Whatever the title and the categories are, the address stays below the site's path."""
    written = "".join(parts)
    pattern = "/x/:category/:title/:post_title/" if generator == "hexo" else "/x/{categories}/{title}/"
    path, _ = address(
        f"'{written}A'\ncategories: ['{written}', B]",
        "2026-01-02-a.md",
        generator,
        pattern,
        site="https://example.com/p/",
    )
    assert path.startswith("/p/x/")
    assert not {unquote(part) for part in path.split("/")} & {".", ".."}


@given(NAMES, st.sampled_from(["none", "jekyll", "hugo", "zola", "astro", "eleventy", "hexo", "docusaurus", "pelican"]))
def test_any_file_name_gives_an_address_in_ascii_below_the_site(name, generator):
    """Whatever a file is called, its address is ASCII, below the site, and without empty parts."""
    found, _ = address("A\ndate: 2026-01-02", f"{name}.md", generator, "/b/{name}/{path}/{title}/")
    assert found.isascii()
    assert found.startswith("/b/")
    assert "//" not in found
    assert not set(found) & set(' ?#<>"')
