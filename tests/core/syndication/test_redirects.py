"""Feeds that have moved or were retired: copies at their old paths, and redirects for web servers."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.core.syndication import redirects
from feeds.core.syndication.feed import NEVER, Feed
from feeds.core.syndication.redirects import FeedMove

FEEDS_URL = "https://example.com/feeds/"
BLOCK = "# Feeds: begin (written by `feeds publish`)\n/a /b 301\n# Feeds: end\n"


def feed(folder="feeds/category/new/", *, former=(), formats=("atom", "json")):
    """Return a feed in a folder, with former folders."""
    return Feed(
        kind="all" if folder == "feeds/" else "category",
        key=folder,
        id=f"tag:example.com,2026:{folder}",
        title="Test",
        label="Test",
        folder=folder,
        url=f"https://example.com/{folder}",
        home="https://example.com/",
        lang="en",
        total=0,
        size=3,
        content="full",
        formats=formats,
        updated=NEVER,
        former=tuple(former),
    )


EVERYTHING = feed("feeds/")


def test_a_feed_is_still_found_at_its_former_paths():
    """Each former folder redirects to the present one, in one step."""
    found = redirects.remembered_moves([EVERYTHING, feed(former=["feeds/category/a/", "feeds/category/b/"])], [])
    assert found == [
        FeedMove(old="feeds/category/a/", new="feeds/category/new/"),
        FeedMove(old="feeds/category/b/", new="feeds/category/new/"),
    ]


def test_a_folder_that_another_feed_has_taken_is_not_redirected():
    """A former folder in which another feed is now is not redirected, as after a swap of two slugs."""
    feeds = [feed("feeds/category/a/", former=["feeds/category/b/"]), feed("feeds/category/b/", former=["feeds/x/"])]
    assert redirects.remembered_moves(feeds, []) == [FeedMove(old="feeds/x/", new="feeds/category/b/")]


def test_what_was_ended_is_gone_and_not_moved():
    """A retired former folder gets 410 and no copy."""
    found = redirects.remembered_moves([feed(former=["feeds/category/a/"])], ["feeds/category/a/", "feeds/rss.xml"])
    assert found == [FeedMove(old="feeds/category/a/", new=None), FeedMove(old="feeds/rss.xml", new=None)]


def test_of_a_newsletter_the_documents_end_and_the_issues_stay():
    """Retiring a newsletter's feed removes only its documents: letters link to the pages of issues in its folder."""
    assert [move.old for move in redirects.remembered_moves([], ["newsletters/weekly/"])] == [
        f"newsletters/weekly/{name}" for name in ("atom.xml", "rss.xml", "feed.json")
    ]


def test_moves_in_the_config_are_followed():
    """`feeds.moved` may move folders and files, in any number of steps."""
    moved = {"category/old": "category/older", "category/older": "category/new", "/feed.xml": "feeds/atom.xml"}
    assert redirects.configured_moves(moved, [EVERYTHING, feed()]) == (
        [
            FeedMove(old="feeds/category/old/", new="feeds/category/new/"),
            FeedMove(old="feeds/category/older/", new="feeds/category/new/"),
            FeedMove(old="feed.xml", new="feeds/atom.xml"),
        ],
        {},
    )


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("category/a", "category/a", "leads back to itself"),
        ("category/new", "feeds/", "a feed is at the old path now"),
        ("atom.xml", "category/new/atom.xml", "a feed is at the old path now"),
        ("/../feed.xml", "atom.xml", "is not a valid path below public/"),
        ("/", "category/new", "is not a valid path below public/"),
        ("/a\\nb.xml", "atom.xml", "is not a valid path below public/"),
        ('/a".xml', "atom.xml", "is not a valid path below public/"),
        ("/feed.xml", "category/new", "a folder can only move to a folder, a file to a file"),
        ("/feed", "atom.xml", "a folder can only move to a folder, a file to a file"),
        ("/feed.xml", "category/new/rss.xml", "the new path is not a feed"),
        ("category/old", "category/nothing", "the new path is not a feed"),
    ],
)
def test_an_invalid_move_is_reported(old, new, words):
    """An invalid move is reported with both paths and the reason, and the other moves are made."""
    valid = {"/valid.json": "feed.json"}
    moves, problems = redirects.configured_moves({old: new} | valid, [EVERYTHING, feed()])
    assert moves == [FeedMove(old="valid.json", new="feeds/feed.json")]
    assert list(problems) == [old]
    assert problems[old].startswith(f"cannot move to {new!r}: ")
    assert words in problems[old]


def test_an_invalid_move_does_not_change_others():
    """A move to the path of a feed leads to that feed, even if another, invalid move starts at this path."""
    moved = {"/feed.xml": "atom.xml", "atom.xml": "category/new/atom.xml"}
    moves, problems = redirects.configured_moves(moved, [EVERYTHING, feed()])
    assert moves == [FeedMove(old="feed.xml", new="feeds/atom.xml")]
    assert len(problems) == 1


def test_moves_in_a_circle_come_to_an_end():
    """Each move of a cycle is reported."""
    moves, problems = redirects.configured_moves({"a": "b", "b": "c", "c": "a"}, [EVERYTHING])
    assert moves == []
    assert len(problems) == 3
    assert all("leads back to itself" in problem for problem in problems.values())


def test_every_file_of_a_moved_folder_is_copied_to_the_old_path():
    """At the old path of a folder all documents and the page are written; at that of a file only the file."""
    moves = [
        FeedMove(old="feeds/category/old/", new="feeds/category/new/"),
        FeedMove(old="feed.xml", new="feeds/atom.xml"),
    ]
    assert redirects.documents_to_copy([*moves, FeedMove(old="feeds/rss.xml", new=None)], [EVERYTHING, feed()]) == {
        "feeds/category/old/atom.xml": "feeds/category/new/atom.xml",
        "feeds/category/old/feed.json": "feeds/category/new/feed.json",
        "feeds/category/old/index.html": "feeds/category/new/index.html",
        "feed.xml": "feeds/atom.xml",
    }


MOVED = [
    FeedMove(old="feeds/category/雨/", new="feeds/category/rain/"),
    FeedMove(old="feed.xml", new="feeds/atom.xml"),
    FeedMove(old="feeds/tag/old/", new=None),
    FeedMove(old="feeds/rss.xml", new=None),
]
RAIN = "%E9%9B%A8"


def test_lines_for_netlify_and_cloudflare():
    """Documents come before folders with everything below, percent-encoded; retired paths show the list of feeds."""
    names = ("atom.xml", "rss.xml", "feed.json")
    assert redirects.render_redirects(list(redirects.redirect_rules(MOVED, FEEDS_URL)), "/feeds/") == [
        "/feed.xml /feeds/atom.xml 301",
        "/feeds/rss.xml /feeds/ 410",
        *(f"/feeds/category/{RAIN}/{name} /feeds/category/rain/{name} 301" for name in names),
        *(f"/feeds/tag/old/{name} /feeds/ 410" for name in names),
        f"/feeds/category/{RAIN}/* /feeds/category/rain/:splat 301",
        "/feeds/tag/old/* /feeds/ 410",
    ]


def test_lines_for_apache():
    """Apache gets decoded paths and absolute URLs, in a block that is ignored without mod_alias."""
    assert redirects.render_htaccess([]) == []
    assert redirects.render_htaccess(list(redirects.redirect_rules(MOVED, FEEDS_URL))) == [
        "<IfModule mod_alias.c>",
        'Redirect 301 "/feeds/category/雨/" "https://example.com/feeds/category/rain/"',
        'Redirect 301 "/feed.xml" "https://example.com/feeds/atom.xml"',
        'Redirect gone "/feeds/tag/old/"',
        'Redirect gone "/feeds/rss.xml"',
        "</IfModule>",
    ]


def test_the_table_for_programs():
    """The rules are available as data that JSON can encode."""
    table = redirects.redirect_table(list(redirects.redirect_rules(MOVED, FEEDS_URL)))
    assert json.loads(json.dumps(table)) == [
        {"from": f"/feeds/category/{RAIN}/", "to": "/feeds/category/rain/", "status": 301},
        {"from": "/feed.xml", "to": "/feeds/atom.xml", "status": 301},
        {"from": "/feeds/tag/old/", "to": None, "status": 410},
        {"from": "/feeds/rss.xml", "to": None, "status": 410},
    ]


def test_rules_of_a_site_below_a_path_begin_with_it():
    """For a site below a path the rules have the whole path from the host on."""
    rules = list(redirects.redirect_rules(MOVED[1:2], "https://example.com/~ada/feeds/"))
    assert redirects.render_redirects(rules, "/~ada/feeds/") == ["/~ada/feed.xml /~ada/feeds/atom.xml 301"]


def test_our_lines_are_inserted_as_a_block():
    """Our lines are a marked block after the other lines, which is replaced later or removed."""
    assert redirects.insert_block("", ["/a /b 301"]) == BLOCK
    assert redirects.insert_block("/x /y 302", ["/a /b 301"]) == f"/x /y 302\n{BLOCK}"
    assert redirects.insert_block(f"/x /y 302\n{BLOCK}/z /y 302\n", ["/c /d 301"]) == (
        f"/x /y 302\n{BLOCK.replace('/a /b', '/c /d')}/z /y 302\n"
    )
    assert redirects.insert_block(f"/x /y 302\n{BLOCK}/z /y 302\n", []) == "/x /y 302\n/z /y 302\n"


LINES = st.lists(st.text("ab/ .*:é\\1", max_size=12).filter(lambda line: "Feeds:" not in line), max_size=5)


@given(before=LINES, after=LINES, ours=st.lists(LINES, min_size=1, max_size=4), ends=st.booleans())
def test_other_lines_survive_and_ours_can_be_removed(before, after, ours, ends):
    """After any number of changes the other lines are as they were, and our block can be removed without a trace."""
    text = "\n".join(before) + ("\n" if ends and before else "")
    expected = text if not any(ours) or not text or text.endswith("\n") else f"{text}\n"
    current = text
    for lines in ours:
        current = redirects.insert_block(current, lines)
        assert redirects.insert_block(current, lines) == current
        assert current.startswith(text)
    appended = "".join(f"{line}\n" for line in after)
    joint = "" if not current or current.endswith("\n") else "\n"
    expected_joint = "" if not expected or expected.endswith("\n") else "\n"
    assert redirects.insert_block(current + joint + appended, []) == expected + expected_joint * bool(joint) + appended
