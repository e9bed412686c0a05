"""The tags of a site."""

from datetime import timedelta

from feeds.core.curation.catalogue import build_catalogue
from feeds.core.curation.tags import tag_overview
from feeds.core.curation.taxonomy import Spellings
from feeds.settings import Settings, TagSettings
from tests.core.factory import START, post


def catalogue(*posts, **values):
    settings = Settings(tags=TagSettings(**values))
    return build_catalogue(posts, now=START + timedelta(days=1), known=(), settings=settings), settings


def table(*posts, **values):
    return {t.tag: t for t in tag_overview(*catalogue(*posts, **values))}


def test_rule_tags_are_published_behind_the_posts_own():
    """Rule tags follow the tags of the post, each tag once, in the most used spelling."""
    found, _ = catalogue(
        post("a.md", tags=("x", "nvidia"), rule_tags=("NVIDIA", "Chips")), post("b.md", rule_tags=("NVIDIA",))
    )
    assert {e.post.path: e.tags for e in found.entries} == {"a.md": ("x", "NVIDIA", "Chips"), "b.md": ("NVIDIA",)}


def test_a_tag_is_listed_with_spellings_posts_rule_hits_and_aliases():
    """The overview lists each tag with its spellings in front matter, posts, rule hits and aliases."""
    found = table(
        post("a.md", tags=("人工知能",)),
        post("b.md", tags=("AI",), rule_tags=("AI",)),
        post("c.md", tags=("AI",)),
        post("d.md", rule_tags=("AI",)),
        aliases={"人工知能": "AI", "unused": "other"},
    )
    assert list(found) == ["AI"]
    tag = found["AI"]
    assert list(tag.spellings.items()) == [("AI", 2), ("人工知能", 1)]
    assert (tag.posts, tag.rule_hits, tag.aliases) == (("a.md", "b.md", "c.md", "d.md"), 2, ("人工知能",))


def test_a_tag_below_another_counts_for_it_and_is_published_as_it_was_given():
    """A tag counts for the tag above it, which is not added to the post; spaces around the slash are ignored."""
    posts = post("a.md", tags=("AI/Chips",)), post("b.md", tags=("ai / chips",)), post("c.md", tags=("AI", "AI/Chips"))
    found = table(*posts)
    assert {name: (len(t.posts), t.below) for name, t in found.items()} == {"AI": (3, 2), "AI/Chips": (3, 0)}
    assert {e.post.path: e.tags for e in catalogue(*posts)[0].entries}["b.md"] == ("AI/Chips",)


def test_a_slash_alone_makes_no_level():
    """Tags such as `/x` and `x/` are not hierarchical."""
    assert set(table(post("a.md", tags=("/x", "x/", "y//z")))) == {"/x", "x/", "y//z"}


def test_an_alias_of_the_tag_above_holds_below_it():
    """An alias of a tag is also applied to the tags below it, in several steps."""
    spellings = Spellings(["ML/Chips"], {"ML": "KI", "KI": "AI"})
    assert spellings.of(["ML/Chips", "ki", "ml/x"]) == ("AI/Chips", "AI", "AI/x")


def test_aliases_that_lead_in_a_circle_come_to_an_end():
    """Aliases in a circle are each applied once."""
    assert Spellings([], {"a": "b", "b": "a"}).of(["a"]) == ("a",)
    assert Spellings([], {"AI": "AI/General"}).of(["AI"]) == ("AI/General",)


def test_nothing_of_a_draft_or_future_post_leaks():
    """Tags and spellings of drafts and future posts are not in the overview."""
    found = table(
        post("a.md", tags=("ai",)),
        *(post(f"{n}.md", tags=("AI", "secret"), draft=True) for n in range(3)),
        post("f.md", tags=("AI", "later"), published=START + timedelta(days=2)),
    )
    assert {name: t.spellings for name, t in found.items()} == {"ai": {"ai": 1}}
