"""The catalogue of public posts at one time."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from feeds.core.curation.catalogue import build_catalogue
from feeds.model import PostOutcome, PostStatus
from feeds.settings import Settings
from tests.core.factory import START, post


def built(*posts, days=10):
    return build_catalogue(posts, now=START + timedelta(days=days), known=(), settings=Settings())


def status(*posts, **more):
    return {v.path: v.status for v in built(*posts, **more).outcomes}


def test_drafts_future_and_expired_posts_are_held_back():
    """Drafts, future posts and expired posts are not public."""
    found = status(
        post("draft.md", draft=True),
        post("future.md", published=START + timedelta(days=11)),
        post("expired.md", expires=START + timedelta(days=9)),
        post("public.md", expires=START + timedelta(days=11)),
    )
    assert found == {
        "draft.md": PostStatus.DRAFT,
        "future.md": PostStatus.FUTURE,
        "expired.md": PostStatus.EXPIRED,
        "public.md": PostStatus.PUBLIC,
    }


def test_a_draft_does_not_make_a_public_post_a_duplicate():
    """A draft with the same text does not make a public post a duplicate."""
    found = status(post("a.md", draft=True, text_digest="t"), post("b.md", text_digest="t"))
    assert found["b.md"] is PostStatus.PUBLIC


def test_nothing_of_a_draft_leaks_into_names():
    """The spelling of a category is chosen from public posts only."""
    catalogue = built(
        post("a.md", categories=("ai",)),
        *(post(f"d{n}.md", draft=True, categories=("AI",)) for n in range(3)),
    )
    assert catalogue.entries[0].categories[0].term == "ai"


def test_an_update_still_to_come_does_not_count():
    """An `updated` date in the future is not used."""
    later = post("a.md", updated=START + timedelta(days=20))
    assert built(later).entries[0].updated == START
    assert built(later, days=30).entries[0].updated == START + timedelta(days=20)


def test_every_file_has_an_outcome_and_every_status_a_count():
    """Every file has an outcome, and the counts name every status."""
    rejected = PostOutcome(path="x.md", status=PostStatus.REJECTED, reason="x.md:1: no")
    catalogue = built(post("a.md"), rejected)
    assert catalogue.counts == {"public": 1, "draft": 0, "future": 0, "expired": 0, "duplicate": 0, "rejected": 1}


@given(st.permutations([post(f"{n}.md", published=START + timedelta(days=n % 3)) for n in range(6)]))
def test_the_order_of_files_never_matters(posts):
    """Entries are sorted newest first, then by path, whatever the order of files."""
    assert [e.post.path for e in built(*posts).entries] == ["2.md", "5.md", "1.md", "4.md", "0.md", "3.md"]
