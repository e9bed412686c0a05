"""Feeds that lie elsewhere now, or have ended: where they lay, and what servers are told."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.core.syndication import redirects
from feeds.core.syndication.feed import NEVER, Feed, normalize_feed_path
from feeds.core.syndication.redirects import FeedMove

HERE = "https://example.com/feeds/"
BLOCK = "# Feeds: begin (written by `feeds publish`)\n/a /b 301\n# Feeds: end\n"


def feed(folder="feeds/category/new/", *, former=(), formats=("atom", "json")):
    """A feed that lies in a folder, and lay in others."""
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


def test_a_feed_is_still_found_where_it_lay():
    """Each former folder leads to the present one, in one step."""
    found = redirects.remembered_moves([EVERYTHING, feed(former=["feeds/category/a/", "feeds/category/b/"])], [])
    assert found == [
        FeedMove(old="feeds/category/a/", new="feeds/category/new/"),
        FeedMove(old="feeds/category/b/", new="feeds/category/new/"),
    ]


def test_a_folder_that_another_feed_has_taken_leads_nowhere():
    """Two categories that swapped their slugs lie where the other one lay."""
    found = [feed("feeds/category/a/", former=["feeds/category/b/"]), feed("feeds/category/b/", former=["feeds/x/"])]
    assert redirects.remembered_moves(found, []) == [FeedMove(old="feeds/x/", new="feeds/category/b/")]


def test_what_was_ended_is_gone_and_not_moved():
    """A former folder that was ended is 410 and no longer a copy."""
    found = redirects.remembered_moves([feed(former=["feeds/category/a/"])], ["feeds/category/a/", "feeds/rss.xml"])
    assert found == [FeedMove(old="feeds/category/a/", new=None), FeedMove(old="feeds/rss.xml", new=None)]


def test_of_a_newsletter_the_documents_end_and_the_issues_stay():
    """Pages of issues lie in the same folder, and letters link to them."""
    assert [move.old for move in redirects.remembered_moves([], ["newsletters/weekly/"])] == [
        f"newsletters/weekly/{name}" for name in ("atom.xml", "rss.xml", "feed.json")
    ]


def test_what_the_config_moves_is_found():
    """A folder to a folder, a file to a file, through as many steps as it takes."""
    wanted = {"category/old": "category/older", "category/older": "category/new", "/feed.xml": "feeds/atom.xml"}
    assert redirects.configured_moves(wanted, [EVERYTHING, feed()]) == (
        [
            FeedMove(old="feeds/category/old/", new="feeds/category/new/"),
            FeedMove(old="feeds/category/older/", new="feeds/category/new/"),
            FeedMove(old="feed.xml", new="feeds/atom.xml"),
        ],
        [],
    )


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("category/a", "category/a", "leads back to itself"),
        ("category/new", "feeds/", "a feed lies there now"),
        ("atom.xml", "category/new/atom.xml", "a feed lies there now"),
        ("/../feed.xml", "atom.xml", "is no path below public/"),
        ("/", "category/new", "is no path below public/"),
        ("/a\\nb.xml", "atom.xml", "is no path below public/"),
        ('/a".xml', "atom.xml", "is no path below public/"),
        ("/feed.xml", "category/new", "a folder moves to a folder and a file to a file"),
        ("/feed", "atom.xml", "a folder moves to a folder and a file to a file"),
        ("/feed.xml", "category/new/rss.xml", "there is no feed at the new place"),
        ("category/old", "category/nothing", "there is no feed at the new place"),
    ],
)
def test_a_move_that_cannot_be_is_named(old, new, words):
    """With both paths and the reason; it is not done, and the others are."""
    fine = {"/fine.json": "feed.json"}
    found, problems = redirects.configured_moves({old: new} | fine, [EVERYTHING, feed()])
    assert found == [FeedMove(old="fine.json", new="feeds/feed.json")]
    assert len(problems) == 1
    assert problems[0].startswith(f"feeds.moved: {normalize_feed_path(old)!r} = ")
    assert words in problems[0]


def test_a_move_that_cannot_be_leads_no_other_astray():
    """What moved to a feed's place leads to that feed, also if the config would have that one lie elsewhere."""
    wanted = {"/feed.xml": "atom.xml", "atom.xml": "category/new/atom.xml"}
    found, problems = redirects.configured_moves(wanted, [EVERYTHING, feed()])
    assert found == [FeedMove(old="feed.xml", new="feeds/atom.xml")]
    assert len(problems) == 1


def test_moves_in_a_circle_come_to_an_end():
    """Each of them is named."""
    found, problems = redirects.configured_moves({"a": "b", "b": "c", "c": "a"}, [EVERYTHING])
    assert found == []
    assert len(problems) == 3
    assert all("leads back to itself" in problem for problem in problems)


def test_every_file_of_a_folder_goes_on_being_written_where_it_lay():
    """The documents in their formats and the page; of a file that moved only that."""
    found = [
        FeedMove(old="feeds/category/old/", new="feeds/category/new/"),
        FeedMove(old="feed.xml", new="feeds/atom.xml"),
    ]
    assert redirects.documents_to_copy([*found, FeedMove(old="feeds/rss.xml", new=None)], [EVERYTHING, feed()]) == {
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


def test_netlify_and_cloudflare_are_told():
    """Documents first, then folders with all below them; paths percent-encoded; what has ended shows the list."""
    names = ("atom.xml", "rss.xml", "feed.json")
    assert redirects.render_redirects(list(redirects.redirect_rules(MOVED, HERE)), "/feeds/") == [
        "/feed.xml /feeds/atom.xml 301",
        "/feeds/rss.xml /feeds/ 410",
        *(f"/feeds/category/{RAIN}/{name} /feeds/category/rain/{name} 301" for name in names),
        *(f"/feeds/tag/old/{name} /feeds/ 410" for name in names),
        f"/feeds/category/{RAIN}/* /feeds/category/rain/:splat 301",
        "/feeds/tag/old/* /feeds/ 410",
    ]


def test_apache_is_told():
    """It compares decoded paths, and takes whole addresses to lead to; where the module is off, nothing breaks."""
    assert redirects.render_htaccess([]) == []
    assert redirects.render_htaccess(list(redirects.redirect_rules(MOVED, HERE))) == [
        "<IfModule mod_alias.c>",
        'Redirect 301 "/feeds/category/雨/" "https://example.com/feeds/category/rain/"',
        'Redirect 301 "/feed.xml" "https://example.com/feeds/atom.xml"',
        'Redirect gone "/feeds/tag/old/"',
        'Redirect gone "/feeds/rss.xml"',
        "</IfModule>",
    ]


def test_programs_are_told():
    """The same in a table that JSON can hold."""
    table = redirects.redirect_table(list(redirects.redirect_rules(MOVED, HERE)))
    assert json.loads(json.dumps(table)) == [
        {"from": f"/feeds/category/{RAIN}/", "to": "/feeds/category/rain/", "status": 301},
        {"from": "/feed.xml", "to": "/feeds/atom.xml", "status": 301},
        {"from": "/feeds/tag/old/", "to": None, "status": 410},
        {"from": "/feeds/rss.xml", "to": None, "status": 410},
    ]


def test_a_site_below_a_path_is_told_with_it():
    """Servers know paths from the host on."""
    answers = list(redirects.redirect_rules(MOVED[1:2], "https://example.com/~ada/feeds/"))
    assert redirects.render_redirects(answers, "/~ada/feeds/") == ["/~ada/feed.xml /~ada/feeds/atom.xml 301"]


def test_our_lines_stand_marked_behind_those_of_others():
    """A missing line break at the end is added first."""
    assert redirects.insert_block("", ["/a /b 301"]) == BLOCK
    assert redirects.insert_block("/x /y 302", ["/a /b 301"]) == f"/x /y 302\n{BLOCK}"
    assert redirects.insert_block(f"/x /y 302\n{BLOCK}/z /y 302\n", ["/c /d 301"]) == (
        f"/x /y 302\n{BLOCK.replace('/a /b', '/c /d')}/z /y 302\n"
    )
    assert redirects.insert_block(f"/x /y 302\n{BLOCK}/z /y 302\n", []) == "/x /y 302\n/z /y 302\n"


LINES = st.lists(st.text("ab/ .*:é\\1", max_size=12).filter(lambda line: "Feeds:" not in line), max_size=5)


@given(before=LINES, behind=LINES, ours=st.lists(LINES, min_size=1, max_size=4), ends=st.booleans())
def test_what_others_wrote_survives_and_ours_goes_without_a_trace(before, behind, ours, ends):
    """Whatever we wrote and rewrote, their lines stay as they are, and go on alone when no move is left."""
    text = "\n".join(before) + ("\n" if ends and before else "")
    expected = text if not any(ours) or not text or text.endswith("\n") else f"{text}\n"
    now = text
    for lines in ours:
        now = redirects.insert_block(now, lines)
        assert redirects.insert_block(now, lines) == now
        assert now.startswith(text)
    appended = "".join(f"{line}\n" for line in behind)
    joint = "" if not now or now.endswith("\n") else "\n"
    theirs = "" if not expected or expected.endswith("\n") else "\n"
    assert redirects.insert_block(now + joint + appended, []) == expected + theirs * bool(joint) + appended
