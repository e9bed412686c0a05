"""The posts of the entries of another program's feed."""

from datetime import UTC, datetime, timedelta

import pytest

from feeds.core.curation.adoption import (
    AdoptionStatus,
    OldDocument,
    address_key,
    compare_with_known,
    known_entry,
    match_entries,
)
from feeds.core.curation.old_feed import OldEntry
from feeds.model import KnownEntry
from tests.core.factory import START, post

SITE = "https://example.com/"
POST = post("a.md", title="The “title” – of a post", url="https://example.com/blog/caf%C3%A9/")
OTHER = post("b.md", title="Another", url="https://example.com/blog/b/", published=START + timedelta(days=9))


def match(*entries, posts=(POST, OTHER), home="", site=SITE):
    return match_entries([OldDocument(entries=entries, home=home)], posts, site)


def states(adoptions):
    return [(adoption.status.value, adoption.post and adoption.post.path, adoption.by) for adoption in adoptions]


@pytest.mark.parametrize(
    "link",
    [
        "http://example.com/blog/caf%C3%A9/",
        "https://www.example.com/blog/café",
        "https://EXAMPLE.com/blog/caf%c3%a9/index.html",
        "https://example.com/blog/cafe\u0301/?utm_source=rss&utm_medium=feed#more",
        "/blog/caf%C3%A9/",
    ],
)
def test_an_address_may_be_written_in_many_ways(link):
    """Scheme, www, case of the host, slash, index.html, percent-encoding, campaign and fragment make no difference."""
    assert states(match(OldEntry(id="i", links=(link,)))) == [("matched", "a.md", "link")]


@pytest.mark.parametrize(
    "link",
    ["https://elsewhere.example/blog/café/", "https://example.com/blog/CAFÉ/", "https://example.com/blog/café/?p=1"],
)
def test_another_address_does_not_match(link):
    """Another host, another case of the path and a query that names a page make a difference."""
    assert states(match(OldEntry(id="i", links=(link,)))) == [("unmatched", None, "")]


def test_a_site_that_moved_is_found_below_its_home_page():
    """Entries of another host and folder match by their path below the feed's home page."""
    entry = OldEntry(id="i", links=("http://me.host.example/~me/blog/café/",))
    assert states(match(entry, home="http://www.me.host.example/~me/")) == [("matched", "a.md", "link")]
    assert states(match(entry)) == [("unmatched", None, "")]
    same_host = OldEntry(id="i", links=("https://old.example/blog/b/",))
    assert states(match(same_host, home="https://old.example/blog/")) == [("matched", "b.md", "link")]


@pytest.mark.parametrize(
    ("title", "hours", "status"),
    [
        ('The "title" - of a post', 0, "matched"),
        ("the title of a post", -9, "matched"),
        ("The title of a post", 14, "matched"),
        ("The title of a post", 25, "unmatched"),
        ("The title of a host", 0, "unmatched"),
    ],
)
def test_without_its_address_an_entry_is_found_by_title_and_date(title, hours, status):
    """Quotes, dashes and case make no difference, nor a time zone; another day or word does."""
    entry = OldEntry(id="i", title=title, links=("https://old.example/?p=1",), published=START + timedelta(hours=hours))
    [found] = match(entry)
    assert found.status == status
    assert found.by == ("title and date" if status == "matched" else "")


def test_posts_of_one_title_are_told_apart_by_date():
    """Of two posts with a title, the one with the entry's date fits; with two of that date, none is taken."""
    daily = [post(f"{n}.md", title="Links", published=START + timedelta(hours=20 * n)) for n in range(3)]
    entry = OldEntry(id="i", title="Links", published=START + timedelta(hours=20))
    assert states(match(entry, posts=daily)) == [("matched", "1.md", "title and date")]
    twins = [post(name, title="Links") for name in ("x.md", "y.md")]
    [found] = match(OldEntry(id="i", title="Links", published=START), posts=twins)
    assert (found.status, found.reason) == (
        AdoptionStatus.AMBIGUOUS,
        "no post has this address; x.md, y.md have this title and date",
    )


def test_an_entry_without_a_date_is_not_matched_by_its_title():
    """A title alone does not match; the reason names the post with the title if its date is another."""
    assert states(match(OldEntry(id="i", title="Another"))) == [("unmatched", None, "")]
    [found] = match(OldEntry(id="i", title="Another", published=START))
    assert found.reason == "no post has this address; b.md has this title, but another date"


def test_posts_with_one_address_are_told_apart_by_title_and_date():
    """Of posts at one address, the one with title and date gets the id; otherwise all of them are named."""
    twins = [post(name, title=name, url=POST.url) for name in ("x.md", "y.md", "z.md")]
    link = (POST.url,)
    assert states(match(OldEntry(id="i", links=link, title="y.md", published=START), posts=twins)) == [
        ("matched", "y.md", "link")
    ]
    [found] = match(OldEntry(id="i", links=link), posts=twins)
    assert (found.status, found.reason) == (AdoptionStatus.AMBIGUOUS, "x.md, y.md, z.md have this address")


def test_a_post_gets_the_id_that_is_named_first():
    """Of several ids for a post, that of the first feed and entry is taken; the others are ambiguous."""
    first, second = (OldEntry(id=name, links=(POST.url,)) for name in "ij")
    third = OldEntry(id="k", title=POST.title, published=POST.published)
    documents = [OldDocument(entries=[first]), OldDocument(entries=[second, third])]
    found = match_entries(documents, [POST], SITE)
    assert states(found) == [
        ("matched", "a.md", "link"),
        ("ambiguous", "a.md", "link"),
        ("ambiguous", "a.md", "title and date"),
    ]
    assert found[1].reason == "a.md already gets the id i, which is named first"


def test_a_link_post_is_found_by_the_page_that_it_links_to():
    """A feed that links to the other page, as linkblogs do, matches the post."""
    linking = post("l.md", external_url="https://elsewhere.example/page?id=3")
    entry = OldEntry(id="i", links=("http://elsewhere.example/page?id=3",))
    assert states(match(entry, posts=[linking])) == [("matched", "l.md", "link")]


def test_faulty_addresses_do_no_harm():
    """An address that cannot be read only equals itself."""
    assert address_key("http://[broken", (SITE,)) == "http://[broken"
    assert states(match(OldEntry(id="i", links=("http://[broken",)), home="http://[too")) == [("unmatched", None, "")]


# Ids that posts have already --------------------------------------------------------------------------------------


def compare(present, known=(), *, source=POST, replace=False):
    adoptions = match(OldEntry(id="old", links=(POST.url,)), posts=[source])
    [found] = compare_with_known(adoptions, {"a.md": present}, {entry.id: entry for entry in known}, replace=replace)
    return found


def known(entry_id, path="a.md", **values):
    return KnownEntry(id=entry_id, path=path, text_digest="", **values)


def test_an_id_that_a_post_has_already_is_kept():
    """The id of the store is kept; one that is only in the front matter is stored like a new one."""
    assert compare("old", [known("old")]).status is AdoptionStatus.KEPT
    declaring = post("a.md", url=POST.url, declared_id="old")
    assert compare("old", source=declaring).status is AdoptionStatus.MATCHED


def test_a_published_id_is_only_replaced_on_request():
    """A post that was published with another id keeps it, unless ids are to be replaced."""
    found = compare("new", [known("new")])
    assert (found.status, found.present_id) == (AdoptionStatus.PUBLISHED, "new")
    assert found.reason == "a.md was already published with the id new"
    found = compare("new", [known("new")], replace=True)
    assert (found.status, found.present_id) == (AdoptionStatus.MATCHED, "new")
    assert compare("new").status is AdoptionStatus.MATCHED


def test_a_declared_id_wins():
    """An id in the front matter is never replaced, and the reason says what to do."""
    declaring = post("a.md", url=POST.url, declared_id="urn:mine")
    found = compare("urn:mine", source=declaring, replace=True)
    assert found.status is AdoptionStatus.PUBLISHED
    assert found.reason == "a.md declares the id urn:mine; remove it from the front matter to keep this one"


def test_an_id_of_another_post_is_not_taken():
    """An id that another post has is ambiguous; one that this post had before can be given back."""
    found = compare("new", [known("old", "z.md"), known("new")], replace=True)
    assert (found.status, found.reason) == (AdoptionStatus.AMBIGUOUS, "this id belongs to z.md")
    found = compare("new", [known("old", replaced_by="new"), known("new")], replace=True)
    assert (found.status, found.present_id) == (AdoptionStatus.MATCHED, "new")


@pytest.mark.parametrize(
    ("published", "updated", "shown"),
    [(0, None, 0), (0, 3, 3), (0, 7, None), (0, 5, None), (-9, None, 0), (None, None, None)],
)
def test_the_old_date_is_kept_if_it_is_earlier(published, updated, shown):
    """The feed's last date is kept if the post has a later one, but not one before the post is published."""
    dates = {
        name: START + timedelta(days=days)
        for name, days in (("published", published), ("updated", updated))
        if days is not None
    }
    [adoption] = match(OldEntry(id="old", links=(POST.url,), **dates))
    own = START + timedelta(days=5)
    adopted = known_entry(adoption, own).adopted
    assert (adopted and (adopted.own, adopted.shown)) == (
        None if shown is None else (own, START + timedelta(days=shown))
    )


def test_the_store_recognises_the_post_again():
    """What is stored has the post's path, title, date and text, by which its id is found."""
    [adoption] = match(OldEntry(id="old", links=(POST.url,)))
    entry = known_entry(adoption, datetime(2026, 1, 1, tzinfo=UTC))
    assert (entry.id, entry.path, entry.title, entry.published, entry.text_digest) == (
        "old",
        POST.path,
        POST.title,
        POST.published,
        POST.text_digest,
    )
