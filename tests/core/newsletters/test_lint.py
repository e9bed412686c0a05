"""A letter as a stranger would judge it."""

import pytest
from msgspec.structs import replace

from feeds.core.newsletters import lint
from feeds.core.newsletters.lint import AnchorIndex
from feeds.core.posts.markdown import render_markdown
from feeds.model import Letter
from feeds.settings import Theme
from tests.core.factory import post

LEAVE = "mailto:desk@example.com?subject=unsubscribe"
GOOD = Letter(
    lang="en",
    subject="A subject",
    html='<p>Words <a href="https://example.com/">more</a> <img src="https://x/a.png" alt="A"> '
    f'<a href="{LEAVE}">x</a></p>',
    text=f"Words\n{LEAVE}\n",
)
BAD = {
    "too long": ({"html": GOOD.html + "x" * 100_000}, "error", "the HTML takes"),
    "too long in base64": ({"html": GOOD.html + "あ" * 25_000}, "error", "the HTML takes"),
    "a long subject": ({"subject": "x" * 61}, "warning", "the subject has 61 characters"),
    "a relative link": ({"html": GOOD.html + '<a href="/a">x</a>'}, "error", "the link '/a' leads nowhere"),
    "a fragment": ({"html": GOOD.html + '<a href="#a">x</a>'}, "error", "the link '#a' leads nowhere"),
    "an open link": ({"html": GOOD.html + '<a href="http://a.example/">x</a>'}, "warning", "is not encrypted"),
    "a tracker": (
        {"html": GOOD.html + '<a href="https://a.example/?utm_source=x">x</a>'},
        "warning",
        "carries a tracker",
    ),
    "no alt": ({"html": GOOD.html + '<img src="https://x/b.png">'}, "error", "has no alt"),
    "an empty alt": ({"html": GOOD.html + '<img src="https://x/b.png" alt=" ">'}, "warning", "says nothing in words"),
    "no text": ({"text": " \n"}, "error", "the text part is empty"),
    "no way to leave": ({"text": "Words"}, "error", "there is no way to leave in both parts"),
}


def test_a_good_letter_is_not_found_fault_with():
    """Nothing is said for the sake of saying something."""
    assert list(lint.lint_letter(GOOD, "x")) == []


@pytest.mark.parametrize(("change", "level", "what"), BAD.values(), ids=BAD)
def test_each_fault_is_told_with_its_reason_and_remedy(change, level, what):
    """What, where, why it matters, what to do."""
    found = [remark for remark in lint.lint_letter(replace(GOOD, **change), "next issue") if what in remark.what]
    assert [(remark.level, remark.where) for remark in found] == [(level, "next issue")]
    assert found[0].why
    assert found[0].do


def test_contrast_is_what_wcag_reckons():
    """21 : 1 for black on white, 1 : 1 for a colour on itself, whichever is named first."""
    assert lint.contrast_ratio("#000000", "#ffffff") == pytest.approx(21)
    assert lint.contrast_ratio("#777777", "#777777") == 1
    assert (
        lint.contrast_ratio("#767676", "#ffffff")
        == lint.contrast_ratio("#ffffff", "#767676")
        == pytest.approx(4.54, abs=0.01)
    )


def test_a_theme_must_be_legible_in_both_schemes():
    """The shipped one is; a pale accent is told for the light scheme, a dark one for the dark."""
    assert list(lint.lint_theme(Theme(), "t")) == []
    found = list(lint.lint_theme(Theme(accent="#cccccc", accent_dark="#333333"), "t"))
    assert [(remark.where, remark.do) for remark in found] == [
        ("t.accent", "take a darker colour"),
        ("t.accent_dark", "take a lighter colour"),
    ]


@pytest.mark.parametrize(
    ("one", "other", "aligned"),
    [
        ("Example.com", "example.com", True),
        ("news.example.com", "example.com", True),
        ("example.com", "news.example.com", True),
        ("news.example.com", "mail.example.com", False),
        ("badexample.com", "example.com", False),
    ],
)
def test_domains_are_aligned_when_one_holds_the_other(one, other, aligned):
    """By whole labels, whatever their case: `badexample.com` is nobody's subdomain."""
    assert lint.is_aligned(one, other) is aligned


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
        lint.find_anchors(post(path), render_markdown(text)) for path, text in (("a.md", guide), ("b.md", markdown))
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
        lint.find_anchors(post(f"{n}.md", url="https://example.com/x/"), render_markdown(f"## H{n}\n")) for n in (1, 2)
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
    assert lint.fragment_line("https://example.com/a/#%E6%8A%95%E8%B3%87", text) == 4
    assert lint.fragment_line("https://example.com/b/#%C3%BC", text) == 5
    assert lint.fragment_line("https://example.com/b/#z", text) is None
