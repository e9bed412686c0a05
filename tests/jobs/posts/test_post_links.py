"""Links from one post to another."""

import re
from datetime import timedelta

import pytest

from tests.conftest import CONFIG, NOW

LINKS = {
    "a file": ("none", "[a](first.md)"),
    "a file with a fragment": ("none", "[a](./first.md#part)"),
    "a file in angle brackets": ("none", "[a](<first.md>)"),
    "a definition": ("none", "[a]\n\n[a]: first.md"),
    "HTML": ("none", '<a href="first.md">a</a>'),
    "Docusaurus": ("docusaurus", "[a](/posts/first.md)"),
    "Zola": ("zola", "[a](@/first.md)"),
    "Zola, from the site": ("zola", "[a](@/posts/first.md#part)"),
    "Pelican": ("pelican", "[a]({filename}first.md)"),
    "Pelican, from the root": ("pelican", "[a]({filename}/first.md)"),
    "Pelican of old": ("pelican", "[a](|filename|first.md)"),
    "Hugo's ref": ("hugo", '[a]({{< ref "first.md#part" >}})'),
    "Hugo's relref": ("hugo", '[a]({{% relref "/posts/first" %}})'),
    "a ref in HTML": ("hugo", '<a href="{{< ref "first" >}}">a</a>'),
    "a ref with a name": ("hugo", '[a]({{< relref path="first.md" >}})'),
    "Jekyll's post_url": ("jekyll", "[a]({{ site.baseurl }}{% post_url first %})"),
    "Jekyll's post_url with an absolute address": ("jekyll", "[a]({{ site.url }}{% post_url first %})"),
    "Jekyll's link": ("jekyll", "[a]({% link posts/first.md %}#part)"),
    "Hexo's post_link": ("hexo", '{% post_link first "a" %}'),
    "Hexo's post_path": ("hexo", "[a]({% post_path first %})"),
}


def links(site, name="feeds/atom.xml"):
    """The addresses in links of the entry `second`."""
    entry = re.search(
        r"<entry\b(?:(?!</entry>).)*<title>second</title>.*?</entry>", site.read(f"public/{name}"), re.DOTALL
    )
    return re.findall(r'&lt;a(?: href="([^"]*)")?&gt;a&lt;', entry[0])


def configure(site, generator):
    site.configure(CONFIG + f'[posts]\ngenerator = "{generator}"\n')


@pytest.mark.parametrize(("generator", "body"), LINKS.values(), ids=LINKS)
def test_a_link_to_another_post_has_its_address(site, generator, body):
    """A link that names a post by its file, path or slug leads to the address of that post, with the fragment."""
    configure(site, generator)
    site.post("first", slug="one", date="2026-11-01")
    site.post("second", body)
    report = site.publish()
    part = "#part" if "#part" in body else ""
    assert links(site) == [f"https://example.com/2026/11/01/one/{part}"]
    assert not [line for line in report.warnings if "links to" in line]


@pytest.mark.parametrize(
    ("generator", "body"),
    [
        ("jekyll", "[a]({% link _posts/2026-11-01-nope.md %})"),
        ("jekyll", "[a]({{ site.baseurl }}{% link posts/nope.md %})"),
        ("hugo", '[a]({{< ref "/posts/nope.md" >}})'),
    ],
)
def test_a_tag_with_the_file_of_a_post_that_is_not_there_is_reported(site, generator, body):
    """A file in the posts folder can only be a post: without one the link becomes text, and a warning names it."""
    configure(site, generator)
    site.post("second", body)
    report = site.publish()
    assert links(site) == [] or links(site) == [""]
    assert [line for line in report.warnings if "nope" in line], report.warnings


def test_a_tag_with_a_page_that_is_no_post_has_its_address(site):
    """A file elsewhere, and the page of a section, are pages of the site."""
    configure(site, "hugo")
    site.post("second", '[a]({{< ref "/about/us.md" >}}) [a]({{< ref "/posts/_index.md" >}})')
    report = site.publish()
    assert links(site) == ["https://example.com/about/us/", "https://example.com/posts/"]
    assert not [line for line in report.warnings if "links to" in line]


@pytest.mark.parametrize(
    "generator_and_body",
    [LINKS[key] for key in ("a file", "Zola", "Hugo's ref", "Jekyll's post_url", "Hexo's post_link")],
)
def test_a_link_to_a_post_that_is_not_public_becomes_text(site, generator_and_body):
    """A link to a draft or future post has no address and is reported; when the post is public, the link is there."""
    generator, body = generator_and_body
    configure(site, generator)
    site.post("first", slug="one", date="2026-11-25")
    site.post("second", body)
    report = site.publish()
    assert links(site) == [""]
    assert [line for line in report.warnings if "links to" in line] == [
        "posts/second.md:6: links to first.md, which is not public; the link becomes text"
    ]
    report = site.publish(NOW + timedelta(days=7))
    assert links(site)[0].removesuffix("#part") == "https://example.com/2026/11/25/one/"
    assert not [line for line in report.warnings if "links to" in line]


def test_a_link_to_no_post_becomes_text_and_is_reported(site):
    """A link to a file that is not there is reported with its line and becomes text; one from the root stays."""
    configure(site, "none")
    site.post("second", "One.\n\n[a](gone.md) and [a](/files/list.md)\n\n`[a](code.md)`")
    report = site.publish()
    assert links(site) == ["", "https://example.com/files/list.md"]
    assert [line for line in report.warnings if "links to" in line] == [
        "posts/second.md:8: links to 'gone.md', which is not the path or name of a post; the link becomes text"
    ]


def test_a_ref_to_a_page_that_is_no_post_has_its_usual_address(site):
    """Hugo's `ref` to a page outside of the posts folder becomes the address that Hugo gives pages by default."""
    configure(site, "hugo")
    site.post("second", '[a]({{< ref "/about/us.md#who" >}}) [a]({{< ref "/" >}})')
    site.publish()
    assert links(site) == ["https://example.com/about/us/#who", "https://example.com/"]


def test_a_post_is_rendered_again_when_the_post_that_it_links_to_moves(site):
    """If only the address of the other post changes, the feed has the new one; with and without the cache."""
    configure(site, "none")
    site.post("first", slug="one", date="2026-11-01")
    site.post("second", "[a](first.md)")
    site.publish()
    site.post("first", slug="uno", date="2026-11-01")
    site.publish()
    assert links(site) == ["https://example.com/2026/11/01/uno/"]
    before = site.files("public")
    site.publish(use_cache=False)
    assert site.files("public") == before


def test_posts_with_the_same_file_name_are_told_apart(site):
    """Of posts in two folders or languages, the one beside the link or in its language is meant."""
    configure(site, "none")
    for name, slug in (("x/first", "x"), ("y/first", "y"), ("z/first.ja", "z")):
        site.post(name, title="T" + slug, slug=slug, date="2026-11-01")
    site.post("y/second", "[a](first.md) [a](../x/first.md) [a](../z/first.md)", title="second")
    site.publish()
    assert [url[-2] for url in links(site)] == ["y", "x", "z"]
