"""Dead links to anchors in posts."""

import pytest

from feeds.core.newsletters import anchors
from feeds.core.newsletters.anchors import AnchorIndex
from feeds.core.posts.markdown import render_markdown
from tests.core.factory import post

GUIDE = """\
# Guide

## Set up

## 1. What's new in C++?

## Ünïcode & more

## 投資分析

## Own id {#chosen}

## Kramdown
{: .class #given}

{{< anchor "made" >}} and [^1]

<a name="old"></a> <p ID = 'quoted'>x</p> <p id=bare>x</p>

[^1]: A note.
"""


#: The same without the heading whose romanized id may be anything in ASCII.
PLAIN = GUIDE.replace("## 投資分析", "")


def site_of(markdown="", guide=GUIDE):
    """Return the anchors of a site of two posts, and those of `b.md`, which links to `a.md` or to itself."""
    posts = [
        anchors.find_anchors(post(path), render_markdown(text)) for path, text in (("a.md", guide), ("b.md", markdown))
    ]
    return AnchorIndex(posts, "posts"), posts[1]


def dead(link, guide=GUIDE):
    site, linking = site_of(f"## Here\n\n[x]({link})\n", guide)
    return list(site.dead_links(linking.links))


FOUND = {
    "a heading": "#set-up",
    "under its own address": "https://example.com/a/#set-up",
    "with another spelling of the address": "http://www.Example.com/a/index.html?from=feed#set-up",
    "absolute": "https://example.com/a#set-up",
    "as other generators make ids": "#what-s-new-in-c",
    "with the number, without the marks": "#1-whats-new-in-c",
    "spelled out": "#whats-new-in-cplusplus",
    "transliterated": "#uenicode-and-more",
    "without what is not ASCII": "#ncode--more",
    "percent-encoded": "#%E6%8A%95%E8%B3%87%E5%88%86%E6%9E%90",
    "as letters": "#投資分析",
    "romanised": "#tou-zi-fen-xi",
    "an id beside a heading": "#chosen",
    "an id below a heading": "#given",
    "an id in a template tag": "#made",
    "an anchor's name": "#old",
    "an id in single quotes": "#quoted",
    "an id without quotes": "#bare",
    "a footnote": "#fn-1",
    "a footnote as others number it": "#fnref:2",
    "the title": "#a-md",
    "the top": "#top",
    "nothing": "#",
    "comments": "#comment-12",
    "a fragment for a script": "#!/page/2",
    "words in the text": "#:~:text=Set%20up",
    "an anchor and words in the text": "#set-up:~:text=x",
}


@pytest.mark.parametrize("link", FOUND.values(), ids=FOUND)
def test_an_anchor_that_some_generator_makes_is_found(link):
    """A link is not dead if any generator may make its anchor, since generators make different ids."""
    assert dead(link if link.startswith("http") else f"/a/{link}") == []


@pytest.mark.parametrize("fragment", ["#set-upp", "#2-set-up", "#投資", "#what-is-new", "#ünïcod", "#x:~:text=Set"])
def test_an_anchor_that_no_generator_makes_is_dead(fragment):
    """A link is dead if no generator makes its anchor; a fragment that is not ASCII is compared as it is."""
    [link] = dead(f"/a/{fragment}", PLAIN)
    assert link.startswith("https://example.com/a/#")


def test_links_to_other_pages_are_not_checked():
    """Links to other sites, to pages other than posts, and invalid addresses are not reported."""
    for link in (
        "https://other.example/a/#x",
        "/about/#x",
        "//[bad#x",
        "mailto:a@example.com#x",
        "https://example.com/",
    ):
        assert dead(link) == []


def test_an_anchor_in_the_same_page_is_looked_for_there():
    """`#x` is looked for in the post with the link, not in other posts."""
    assert dead("#here") == []
    assert dead("#set-up") == ["https://example.com/b/#set-up"]


def test_what_looks_like_a_link_in_a_comment_is_none():
    """Links in comments and code are ignored, and a repeated link is reported once."""
    site, linking = site_of('<!-- <a href="#x">x</a> -->\n\n`<a href="#y">`\n\n[z](#z) and [z](#z)\n')
    assert list(site.dead_links(linking.links)) == ["https://example.com/b/#z"]


def test_two_posts_of_one_address_have_the_anchors_of_both():
    """If two posts have one address, the anchors of both count, since the site may show either."""
    posts = [
        anchors.find_anchors(post(f"{n}.md", url="https://example.com/x/"), render_markdown(f"## H{n}\n"))
        for n in (1, 2)
    ]
    assert list(AnchorIndex(posts, "posts").dead_links(f"https://example.com/x/#h{n}" for n in (1, 2, 3))) == [
        "https://example.com/x/#h3"
    ]


def test_a_dead_link_is_reported_with_the_nearest_anchor():
    """The diagnostic of a dead link names the post, the reason and the nearest id."""
    site, _ = site_of()
    diagnostic = site.diagnose("https://example.com/a/#setup", "posts/b.md:3")
    assert (diagnostic.level, diagnostic.where) == ("warning", "posts/b.md:3")
    assert diagnostic.what == "the link to '#setup' leads nowhere: no heading or element of posts/a.md has this id"
    assert diagnostic.why
    assert diagnostic.do == "write #set-up, if that is meant"
    assert site.diagnose("https://example.com/a/#zzzz", "").do == "use the id of a heading there, or remove the #"


def test_only_dead_links_that_are_not_from_posts_are_reported_for_a_letter():
    """A dead link of a post is reported for the post; a dead link of a note or template is reported for the letter."""
    site, linking = site_of("[x](/a/#of-post)\n", PLAIN)
    links = ("https://example.com/a/", "https://example.com/a/#of-post", "https://example.com/a/#of-note")
    html = "".join(f'<p><a href="{link}">x</a></p>' for link in links)
    assert list(site.dead_links(linking.links)) == ["https://example.com/a/#of-post"]
    assert list(site.dead_links_in_letter(html + html)) == ["https://example.com/a/#of-note"]


def test_a_link_is_found_in_its_file():
    """The line of a link is found by its fragment, decoded or percent-encoded."""
    text = "---\ntitle: x\n---\n[x](/a/#投資)\n[y](#%C3%BC)\n"
    assert anchors.fragment_line("https://example.com/a/#%E6%8A%95%E8%B3%87", text) == 4
    assert anchors.fragment_line("https://example.com/b/#%C3%BC", text) == 5
    assert anchors.fragment_line("https://example.com/b/#z", text) is None
