"""Links to anchors in posts."""

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


#: The same without the heading of which romanisation may have made any id in ASCII.
PLAIN = GUIDE.replace("## 投資分析", "")


def atlas(markdown="", guide=GUIDE):
    """A site of two posts: `b.md` leads to places in `a.md`, or in itself."""
    places = [
        anchors.find_anchors(post(path), render_markdown(text)) for path, text in (("a.md", guide), ("b.md", markdown))
    ]
    return AnchorIndex(places, "posts"), places[1]


def dead(link, guide=GUIDE):
    site, places = atlas(f"## Here\n\n[x]({link})\n", guide)
    return list(site.dead_links(places.links))


FOUND = {
    "a heading": "#set-up",
    "under its own address": "https://example.com/a/#set-up",
    "with another spelling of the address": "http://www.Example.com/a/index.html?from=feed#set-up",
    "whole": "https://example.com/a#set-up",
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
    "a script's business": "#!/page/2",
    "words in the text": "#:~:text=Set%20up",
    "a place and words in the text": "#set-up:~:text=x",
}


@pytest.mark.parametrize("link", FOUND.values(), ids=FOUND)
def test_a_place_that_some_generator_makes_is_found(link):
    """The site is made by another program, whose ids differ: what may be right is not found fault with."""
    assert dead(link if link.startswith("http") else f"/a/{link}") == []


@pytest.mark.parametrize("fragment", ["#set-upp", "#2-set-up", "#投資", "#what-is-new", "#ünïcod", "#x:~:text=Set"])
def test_a_place_that_no_generator_makes_is_told(fragment):
    """Of headings in plain letters there is no doubt; what is not ASCII is not transliterated either."""
    [link] = dead(f"/a/{fragment}", PLAIN)
    assert link.startswith("https://example.com/a/#")


def test_links_elsewhere_are_nobodys_business_here():
    """Other sites, pages that are no posts, and addresses that are none."""
    for link in (
        "https://other.example/a/#x",
        "/about/#x",
        "//[bad#x",
        "mailto:a@example.com#x",
        "https://example.com/",
    ):
        assert dead(link) == []


def test_a_place_in_the_same_page_is_looked_for_there():
    """`#x` leads to the post that says so, not to a post that has it."""
    assert dead("#here") == []
    assert dead("#set-up") == ["https://example.com/b/#set-up"]


def test_what_looks_like_a_link_in_a_comment_is_none():
    """Only what a browser would follow counts, once."""
    site, places = atlas('<!-- <a href="#x">x</a> -->\n\n`<a href="#y">`\n\n[z](#z) and [z](#z)\n')
    assert list(site.dead_links(places.links)) == ["https://example.com/b/#z"]


def test_two_posts_of_one_address_have_the_places_of_both():
    """Nobody knows which of them the site shows."""
    places = [
        anchors.find_anchors(post(f"{n}.md", url="https://example.com/x/"), render_markdown(f"## H{n}\n"))
        for n in (1, 2)
    ]
    assert list(AnchorIndex(places, "posts").dead_links(f"https://example.com/x/#h{n}" for n in (1, 2, 3))) == [
        "https://example.com/x/#h3"
    ]


def test_a_lost_place_is_told_with_the_nearest_one():
    """Where it was looked for, why that matters, and what was probably meant."""
    site, _ = atlas()
    remark = site.diagnose("https://example.com/a/#setup", "posts/b.md:3")
    assert (remark.level, remark.where) == ("warning", "posts/b.md:3")
    assert remark.what == "the link to '#setup' leads nowhere: no heading or element of posts/a.md has this id"
    assert remark.why
    assert remark.do == "write #set-up, if that is meant"
    assert site.diagnose("https://example.com/a/#zzzz", "").do == "take the id of a heading there, or leave the # out"


def test_a_letter_is_told_of_its_own_links_only():
    """What a post links to is to be mended in the post, and is told there; a note's or a template's link here."""
    site, places = atlas("[x](/a/#of-post)\n", PLAIN)
    links = ("https://example.com/a/", "https://example.com/a/#of-post", "https://example.com/a/#of-note")
    html = "".join(f'<p><a href="{link}">x</a></p>' for link in links)
    assert list(site.dead_links(places.links)) == ["https://example.com/a/#of-post"]
    assert list(site.dead_links_in_letter(html + html)) == ["https://example.com/a/#of-note"]


def test_a_link_is_found_in_its_file():
    """By its fragment, as it is written: with letters or encoded."""
    text = "---\ntitle: x\n---\n[x](/a/#投資)\n[y](#%C3%BC)\n"
    assert anchors.fragment_line("https://example.com/a/#%E6%8A%95%E8%B3%87", text) == 4
    assert anchors.fragment_line("https://example.com/b/#%C3%BC", text) == 5
    assert anchors.fragment_line("https://example.com/b/#z", text) is None
