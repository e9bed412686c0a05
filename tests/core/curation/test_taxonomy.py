"""Names of categories and tags."""

from hypothesis import given
from hypothesis import strategies as st

from feeds.core.curation.taxonomy import Spellings, normalize_name, published_categories
from feeds.settings import CategorySettings
from tests.core.factory import post


def test_the_spelling_used_most_wins():
    """Of spellings that differ in case, width, hyphens or spaces the most used one wins."""
    spellings = Spellings(["Open-Source", "open source", "open source", "ＡＩ", "AI", "AI"])
    assert spellings.of(["Open-Source", "ＡＩ", "OPEN_SOURCE"]) == ("open source", "AI")


def test_aliases_merge_different_names():
    """Names that the config declares to be aliases are one tag."""
    spellings = Spellings(["人工知能", "AI"], {"人工知能": "AI"})
    assert spellings.of(["人工知能", "ai"]) == ("AI",)


def test_a_category_has_the_slug_and_label_of_its_config():
    """A category gets the slug and label of the config."""
    found = published_categories(
        [post(categories=("投資分析",))], {"投資分析": CategorySettings(slug="investing", label="Investing")}
    )
    assert [(t.term, t.label, t.slug) for t in found.values()] == [("投資分析", "Investing", "investing")]


def test_slugs_keep_their_script_and_never_collide():
    """Slugs keep their script, and names that differ only in unsafe characters get different slugs."""
    found = published_categories([post(categories=("C", "C++", "C#", "日本語", "?"))], {})
    slugs = [t.slug for t in found.values()]
    assert len({s.casefold() for s in slugs}) == len(slugs) == 5
    assert "日本語" in slugs


@given(st.lists(st.text(min_size=1, max_size=8), max_size=8), st.randoms(use_true_random=False))
def test_the_order_of_posts_never_matters(names, random):
    """Spellings and slugs do not depend on the order of posts."""
    posts = [post(f"{n}.md", categories=(name,)) for n, name in enumerate(names)]
    assert published_categories(posts, {}) == published_categories(random.sample(posts, len(posts)), {})
    assert {normalize_name(t.term) for t in published_categories(posts, {}).values()} == {
        normalize_name(name) for name in names
    }
