"""The addresses of files that posts name by their place among the sources."""

import re

import pytest
from msgspec.structs import replace

from feeds.config_types import Url
from feeds.core.posts.markdown import sanitize_html
from feeds.settings import PostSettings
from tests.core.factory import SETTINGS, parsed, rendered


def settings_for(generator, folder="posts", site="https://example.com/", permalink="/{year}/{name}/"):
    posts = PostSettings(generator=generator, folder=folder, permalink=permalink)
    return replace(SETTINGS, posts=posts, site=replace(SETTINGS.site, url=Url(site)))


FOUND = {
    "Hugo, in the folder of the post": ("hugo", "content/posts", "2026-01-02-a/index.md", "t.png", "2026/a/t.png"),
    "Hugo, by the path to static": ("hugo", "content/posts", "2026-01-02-a.md", "../../static/i/t.png", "i/t.png"),
    "Zola, in the folder of the post": ("zola", "content", "2026-01-02-a/index.md", "./t.png", "2026/a/t.png"),
    "Zola, by the path to static": ("zola", "content", "b/2026-01-02-a/index.md", "../../../static/t.png", "t.png"),
    "Docusaurus, by the path to static": ("docusaurus", "web/blog", "2026-01-02-a.md", "../static/i/t.png", "i/t.png"),
    "Docusaurus, by its mark for the site": (
        "docusaurus",
        "blog",
        "2026-01-02-a.md",
        "@site/static/i/t.png",
        "i/t.png",
    ),
    "Docusaurus, by a path name": ("docusaurus", "blog", "2026-01-02-a.md", "pathname:///i/t.png", "i/t.png"),
    "Astro, by the path to public": ("astro", "src/content/blog", "2026-01-02-a.md", "../../../public/t.png", "t.png"),
    "Eleventy, by the path to public": ("eleventy", "content/blog", "2026-01-02-a.md", "../../public/t.png", "t.png"),
    "Eleventy, beside the page": ("eleventy", "content/blog", "2026-01-02-a/index.md", "t.png", "2026/a/t.png"),
    "Jekyll, by the path among the sources": ("jekyll", "_posts", "2026-01-02-a.md", "../assets/t.png", "assets/t.png"),
    "Jekyll, with a folder for each year": ("jekyll", "_posts", "x/2026-01-02-a.md", "../../i/t.png", "i/t.png"),
    "Jekyll, in a folder that it does not copy": (
        "jekyll",
        "_posts",
        "2026-01-02-a.md",
        "../_i/t.png",
        "2026/_i/t.png",
    ),
    "Jekyll, above the site's folder": ("jekyll", "_posts", "2026-01-02-a.md", "../../t.png", "t.png"),
    "Jekyll, beside the page": ("jekyll", "_posts", "2026-01-02-a.md", "t.png", "2026/a/t.png"),
    "Hexo, by the path among the sources": ("hexo", "source/_posts", "2026-01-02-a.md", "../i/t.png", "i/t.png"),
    "Hexo, in the post's folder": ("hexo", "source/_posts", "2026-01-02-a.md", "t.png", "2026/a/t.png"),
    "Hexo, with the name of the post's folder": (
        *("hexo", "source/_posts", "2026-01-02-a.md", "./2026-01-02-a/t.png", "2026/a/t.png"),
    ),
    "Pelican, attached": ("pelican", "content/blog", "2026-01-02-a.md", "{attach}t.png", "2026/a/t.png"),
    "Pelican, static": ("pelican", "content/blog", "2026-01-02-a.md", "{static}/i/t.png", "i/t.png"),
    "an unknown generator": ("none", "posts", "2026-01-02-a.md", "../static/t.png", "2026/static/t.png"),
}
WRITTEN = {
    "a picture": "![Tide]({})",
    "a reference": "![Tide][t]\n\n[t]: {}",
    "HTML": '<img alt="Tide" src="{}">',
    "HTML without quotation marks": "<p><img src={} alt=Tide></p>",
    "a link": "[Tide]({})",
    "a video": "<video><source src='{}'></video>",
}


def addresses(body, path, settings, base=None):
    """Return the addresses of pictures and links in a body as a feed shows it."""
    url = base or parsed("title: A\ndate: 2026-01-02", body, path, settings=settings).url
    html = sanitize_html(rendered("title: A\ndate: 2026-01-02", body, path, settings=settings).html, url)
    return re.findall(r'(?:src|href)="([^"]*)"', html)


@pytest.mark.parametrize("case", FOUND.values(), ids=FOUND)
@pytest.mark.parametrize("form", WRITTEN.values(), ids=WRITTEN)
def test_a_file_has_the_address_that_the_generator_gives_it(case, form):
    """A file has the same address in every notation: the one on the site."""
    generator, folder, path, written, expected = case
    found = addresses(form.format(written), path, settings_for(generator, folder))
    assert found == [f"https://example.com/{expected}"]


@pytest.mark.parametrize("written", ["t.png", "2026-01-02-a/t.png", "./t.png"])
def test_files_of_a_post_of_hexo_are_below_an_address_with_an_extension(written):
    """Hexo puts the files of the page `x.html` into the folder `x`."""
    settings = settings_for("hexo", "source/_posts", permalink="/p/{name}.html")
    assert addresses(f"![t]({written})", "2026-01-02-a.md", settings) == ["https://example.com/p/a/t.png"]


@pytest.mark.parametrize("generator", ["docusaurus", "hexo"])
def test_the_root_is_that_of_the_site(generator):
    """Docusaurus and Hexo put the site's path before an address that begins with a slash, other generators do not."""
    site, path = "https://example.com/project/", "2026-01-02-a.md"
    for written in ("/i/t.png", "/project/i/t.png"):
        found = addresses(f"![t]({written})", path, settings_for(generator, site=site))
        assert found == ["https://example.com/project/i/t.png"]
    assert addresses("![t](/i/t.png)", path, settings_for("hugo", site=site)) == ["https://example.com/i/t.png"]


@pytest.mark.parametrize("generator", ["docusaurus", "astro"])
@pytest.mark.parametrize(
    "body", ["A\n![High & low](./t.png) [b](../c/d.pdf) e", 'A\n<img alt="High & low" src=t.png> b e']
)
def test_a_picture_whose_address_only_the_built_site_knows_is_its_description(generator, body):
    """A file that gets its name in the build is left out with a warning that says where it is; its words stay."""
    settings = settings_for(generator)
    text = rendered("title: A\ndate: 2026-01-02", body, "x.md", settings=settings)
    assert "<img" not in text.html
    assert "href" not in text.html
    assert "High &amp; low" in text.html
    assert " b e" in re.sub("<[^<>]*>", "", text.html)
    (warning,) = text.warnings
    assert warning.startswith("x.md:6: ")
    assert "set posts.rendered" in warning


def test_links_and_code_are_no_files():
    """Addresses of pages, other sites and fragments stay as they are, and so does code."""
    body = "[a](../b/) [c](#d) ![e](https://o.example/t.png) `<img src=t.png>` [f](g.html) [h](mailto:a@b.example)"
    settings = settings_for("docusaurus")
    text = rendered("title: A\ndate: 2026-01-02", body, "x.md", settings=settings)
    assert text.warnings == ()
    assert text.html == rendered("title: A\ndate: 2026-01-02", body, "x.md").html


def test_a_file_in_code_of_pelican_stays_as_it_is_written():
    """In code, `{static}` is text."""
    text = rendered("title: A", "`{static}/t.png`", settings=settings_for("pelican"))
    assert "<code>{static}/t.png</code>" in text.html


def test_files_in_the_front_matter_have_the_same_addresses():
    """Pictures and enclosures in the front matter are found as those in the text, or reported with their line."""
    front = "title: A\nimage: {}\nenclosures: [{}]"
    settings = settings_for("docusaurus", "blog")
    post = parsed(front.format("../static/t.png", "'@site/static/b.mp3'"), settings=settings)
    assert (post.image.url, post.enclosures[0].url) == ("https://example.com/t.png", "https://example.com/b.mp3")
    post = parsed(front.format("./t.png", "./b.mp3"), settings=settings)
    assert (post.image, post.enclosures) == (None, ())
    places = sorted(line.partition(" './")[0] for line in post.warnings)
    assert places == ["2026-01-02-a.md:3: image:", "2026-01-02-a.md:4: enclosures:"]
