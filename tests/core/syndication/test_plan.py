"""The feeds of a site: their names, folders and entries."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from feeds.config_types import IdAuthority, Language, Url
from feeds.core.curation.catalogue import build_catalogue
from feeds.core.syndication import plan
from feeds.core.syndication.feed import NEVER
from feeds.core.syndication.plan import assigned_slugs, plan_newsletter_feed
from feeds.model import Author, Catalogue, KnownFeed
from feeds.settings import CategorySettings, CustomFeed, FeedSettings, Newsletter, Settings, SiteSettings
from tests.core.factory import START, entry, post

SITE = SiteSettings(title="Test", url=Url("https://example.com/"), id_authority=IdAuthority("example.com,2026"))
SETTINGS = Settings(site=SITE)
NOW = START + timedelta(days=100)


def configured(categories=None, **feeds):
    return Settings(site=SITE, feeds=FeedSettings(**feeds), categories=categories or {})


def planned(*entries, settings=SETTINGS, known=(), retired=()):
    return plan.plan_feeds(Catalogue(now=NOW, entries=entries, outcomes=()), settings, known, retired)


def curated(*posts, settings=SETTINGS, known=(), retired=()):
    """Return the feeds of posts that went through the catalogue, in which categories get their slugs."""
    catalogue = build_catalogue(posts, now=NOW, known=(), settings=settings, slugs=assigned_slugs(known, "category"))
    return plan.plan_feeds(catalogue, settings, known, retired)


def known_feed(kind="category", key="x", folder=None, **values):
    return KnownFeed(
        **{
            "kind": kind,
            "key": key,
            "id": f"tag:example.com,2020:{kind}/{key}",
            "folder": folder or f"feeds/{kind}/{key}/",
            "label": key.upper(),
        }
        | values
    )


def folders(feeds):
    return [feed.folder for feed in feeds]


def shown(feeds):
    """Return the paths that each feed shows, by label, without the feed of everything."""
    return {feed.label: [e.post.path for e in feed.shown] for feed in feeds if feed.kind != "all"}


def known_feeds(feeds):
    return [feed.known_feed for feed in feeds]


# Kinds ------------------------------------------------------------------------------------------------------------


def test_there_is_a_feed_of_everything_and_one_per_category():
    """There is a feed of everything and one for each category; slugs are percent-encoded in URLs only."""
    feeds = planned(entry("a.md", topics=["投資"]), entry("b.md", topics=["B"]))
    assert folders(feeds) == ["feeds/", "feeds/category/b/", "feeds/category/投資/"]
    everything, _, investing = feeds
    assert everything.files == {"atom": "feeds/atom.xml", "rss": "feeds/rss.xml", "json": "feeds/feed.json"}
    assert investing.url_of("atom.xml") == "https://example.com/feeds/category/%E6%8A%95%E8%B3%87/atom.xml"
    assert investing.id == "tag:example.com,2026:feeds/category/%E6%8A%95%E8%B3%87/"
    assert (investing.title, investing.about, investing.lang) == ("投資 · Test", ("投資", "投資"), "en")
    assert (everything.title, everything.about, everything.id) == ("Test", None, "tag:example.com,2026:feeds/")
    assert shown(feeds) == {"B": ["b.md"], "投資": ["a.md"]}
    assert [e.post.path for e in everything.shown] == ["a.md", "b.md"]


def test_a_feed_has_a_page_for_people():
    """A feed's HTML page is in its folder; that of the feed of everything is in `all/`, below the list of feeds."""
    everything, category = planned(entry("a.md", topics=["A"]))
    assert (everything.page, everything.page_url) == ("feeds/all/index.html", "https://example.com/feeds/all/")
    assert everything.home == "https://example.com/"
    assert category.page == "feeds/category/a/index.html"
    assert category.page_url == category.home == "https://example.com/feeds/category/a/"


KINDS = {
    "category": {"A": ["b.md", "a.md"], "B": ["a.md"]},
    "tag": {"t": ["a.md"], "u": ["b.md", "a.md"]},
    "author": {"Ada": ["b.md", "a.md"], "葵": ["b.md"]},
    "language": {"English": ["a.md"], "日本語": ["b.md"]},
}
POSTS = (
    entry("b.md", topics=["A"], tags=["u"], days=1, authors=(Author(name="Ada"), Author(name="葵")), lang="ja"),
    entry("a.md", topics=["A", "B"], tags=["t", "u"]),
)


@pytest.mark.parametrize(("kind", "wanted"), KINDS.items())
def test_there_is_a_feed_for_each_name_of_a_kind(kind, wanted):
    """With a kind in `by`, there is a feed for each of its names, with the entries that have it."""
    feeds = planned(*POSTS, settings=configured(by=(kind,)))
    assert shown(feeds) == wanted
    abouts = [(feed.label, feed.label) if kind in {"category", "tag"} else None for feed in feeds[1:]]
    assert [feed.about for feed in feeds] == [None, *abouts]
    assert {feed.kind for feed in feeds} == {"all", kind}
    assert all(feed.folder.startswith(f"feeds/{kind}/") for feed in feeds[1:])


@given(st.permutations(list(KINDS)))
def test_feeds_are_in_the_order_of_their_kinds_and_folders(by):
    """Feeds are in a fixed order of kinds and sorted by folder; custom feeds come last, in their own order."""
    extra = (CustomFeed(name="z", tag="t"), CustomFeed(name="m"))
    feeds = planned(*POSTS, settings=configured(by=tuple(by), extra=extra))
    assert [feed.kind for feed in feeds] == ["all", *(kind for kind in KINDS for _ in range(2)), "extra", "extra"]
    assert all(folders(feeds[n : n + 2]) == sorted(folders(feeds[n : n + 2])) for n in (1, 3, 5, 7))
    assert folders(feeds[-2:]) == ["feeds/z/", "feeds/m/"]


def test_only_configured_kinds_are_planned():
    """With `by = []` there is only the feed of everything."""
    assert folders(planned(*POSTS, settings=configured(by=()))) == ["feeds/"]


def test_spellings_of_one_name_are_one_feed():
    """Spellings of one author are one feed, named by the most frequent spelling."""
    one, two, three = (Author(name=name) for name in ("ada lovelace", "Ada Lovelace", "Ada Lovelace"))
    feeds = planned(
        *(entry(f"{n}.md", authors=(author,)) for n, author in enumerate((one, two, three))),
        settings=configured(by=("author",)),
    )
    assert shown(feeds) == {"Ada Lovelace": ["0.md", "1.md", "2.md"]}
    assert feeds[1].key == "adalovelace"


def test_a_feed_of_a_language_is_in_that_language():
    """A feed of a language is labelled in that language; a language without a name has its tag."""
    settings = configured(by=("language",))
    feeds = planned(*(entry(f"{lang}.md", lang=lang) for lang in ("zh-Hans", "pt-BR", "qzz")), settings=settings)
    assert {feed.key: feed.lang for feed in feeds[1:]} == {lang: lang for lang in ("zh-Hans", "pt-BR", "qzz")}
    assert folders(feeds[1:]) == ["feeds/language/pt-br/", "feeds/language/qzz/", "feeds/language/zh-hans/"]
    labels = {feed.key: feed.label for feed in feeds}
    assert labels["pt-BR"].startswith("Português")
    assert labels["zh-Hans"].startswith("中文")
    assert labels["qzz"] == "qzz"


# Custom feeds -----------------------------------------------------------------------------------------------------

FILTERED = (
    entry("ja.md", topics=["A"], tags=["t"], lang="ja", authors=(Author(name="葵"), Author(name="Ada"))),
    entry("en.md", topics=["A", "B"], tags=["t", "U U"], authors=(Author(name="Ada"),)),
    entry("hans.md", topics=["C"], tags=["u-u"], lang="zh-Hans", authors=(Author(name="Bo"),)),
    entry("zhx.md", lang="zhx", authors=()),
)
FILTERS = {
    "nothing": ({}, ["ja", "en", "hans", "zhx"]),
    "a category": ({"category": "a"}, ["ja", "en"]),
    "several categories": ({"category": ("B", "C")}, ["en", "hans"]),
    "a tag in any spelling": ({"tag": "u_u"}, ["en", "hans"]),
    "several tags": ({"tag": ("t", "none")}, ["ja", "en"]),
    "an author": ({"author": "ada"}, ["ja", "en"]),
    "several authors": ({"author": ("葵", "Bo")}, ["ja", "hans"]),
    "a language": ({"language": "ja"}, ["ja"]),
    "a language and its varieties": ({"language": "zh"}, ["hans"]),
    "a language in any case": ({"language": "ZH-HANS"}, ["hans"]),
    "a variety of another script": ({"language": "zh-Hant"}, []),
    "several languages": ({"language": ("ja", "en")}, ["ja", "en"]),
    "each of two keys": ({"category": "A", "language": "ja"}, ["ja"]),
    "each of four keys": ({"category": "A", "tag": "t", "author": "Ada", "language": "en"}, ["en"]),
    "two keys that no post has together": ({"category": "C", "language": "ja"}, []),
}


@pytest.mark.parametrize(("filters", "wanted"), FILTERS.values(), ids=FILTERS)
def test_a_custom_feed_has_the_entries_that_match_each_of_its_keys(filters, wanted):
    """A custom feed has the entries that match each key by one of its names, in any spelling."""
    feeds = planned(*FILTERED, settings=configured(by=(), extra=(CustomFeed(name="picks", **filters),)))
    assert [e.post.path.removesuffix(".md") for e in feeds[1].entries] == wanted


def test_a_custom_feed_has_its_own_title_and_size():
    """A custom feed has its title, description, size and content; one `language` is the language of the feed."""
    extra = CustomFeed(
        name="picks", title="Picks", description="The best", language="ja", entries=1, content="summary", tag="t"
    )
    settings = configured(by=(), extra=(extra, CustomFeed(name="two", language=("ja", "en"))))
    _, picks, two = planned(*FILTERED, settings=settings)
    assert (picks.title, picks.label, picks.subtitle, picks.lang) == ("Picks", "Picks", "The best", "ja")
    assert (picks.size, picks.content, picks.folder, picks.key) == (1, "summary", "feeds/picks/", "picks")
    assert (two.title, two.lang, two.size, two.content) == ("two · Test", "en", 20, "full")


def test_a_custom_feed_without_entries_is_planned():
    """A custom feed is planned even if no entry matches."""
    (_, none) = planned(settings=configured(by=(), extra=(CustomFeed(name="none", tag="t"),)))
    assert (none.entries, none.total, none.updated) == ((), 0, NEVER)


# Entries ----------------------------------------------------------------------------------------------------------


def test_a_feed_shows_the_newest_and_holds_all():
    """A feed shows `entries` entries and holds all, for its archive."""
    (feed,) = planned(*(entry(f"{n}.md", days=-n) for n in range(5)), settings=configured(entries=2))
    assert [e.post.path for e in feed.shown] == ["0.md", "1.md"]
    assert (len(feed.entries), feed.total, feed.size) == (5, 5, 2)


def test_a_post_may_stay_out_of_feeds():
    """A post with `feed: false` is in no feed, and its category has no feed because of it."""
    assert [feed.entries for feed in planned(entry("a.md", topics=["A"], feed=False))] == [()]


def test_a_category_may_have_its_own_settings():
    """A category may set title, label, slug, description, size and content of its feed."""
    settings = configured(
        {
            "投資": CategorySettings(
                label="Investing", slug="money", description="About it", title="Money!", entries=1, content="summary"
            )
        },
        entries=5,
    )
    everything, money, other = curated(
        post("a.md", categories=("投資",)), post("b.md", categories=("投資", "Z")), settings=settings
    )
    assert (money.title, money.label, money.subtitle) == ("Money!", "Investing", "About it")
    assert (money.folder, money.about) == ("feeds/category/money/", ("投資", "Investing"))
    assert (money.size, money.content, money.total) == (1, "summary", 2)
    for feed in (everything, other):
        assert (feed.size, feed.content) == (5, "full")
    assert (other.title, other.subtitle) == ("Z · Test", "")


def test_formats_are_in_a_fixed_order():
    """Formats are in a fixed order, whatever the order in the config."""
    assert list(planned(settings=configured(formats=("json", "atom")))[0].files) == ["atom", "json"]


# Dates ------------------------------------------------------------------------------------------------------------


def test_a_feed_is_as_new_as_the_newest_entry_it_shows():
    """`updated` is that of the newest entry shown, by `updated` of entries; entries that are not shown do not count."""
    corrected = entry("old.md", updated=START + timedelta(days=9))
    newer = entry("new.md", days=5)
    assert planned(newer, corrected)[0].updated == START + timedelta(days=9)
    assert planned(newer, corrected, settings=configured(entries=1))[0].updated == START + timedelta(days=5)
    assert planned()[0].updated == NEVER


def test_updated_never_goes_back():
    """If the newest entry is removed, `updated` stays as published, until a newer entry comes."""
    published = known_feed("all", "", "feeds/", updated=START + timedelta(days=7))
    assert planned(entry("a.md", days=5), known=[published])[0].updated == START + timedelta(days=7)
    assert planned(known=[published])[0].updated == START + timedelta(days=7)
    assert planned(entry("a.md", days=8), known=[published])[0].updated == START + timedelta(days=8)


def test_a_feed_is_never_newer_than_now():
    """A published `updated` in the future, from a wrong clock, is ignored."""
    published = known_feed("all", "", "feeds/", updated=NOW + timedelta(seconds=1))
    assert planned(entry("a.md", days=5), known=[published])[0].updated == START + timedelta(days=5)
    assert planned(known=[published])[0].updated == NEVER
    assert planned(known=[replace(published, updated=NOW)])[0].updated == NOW


def test_planning_again_with_the_known_feeds_changes_nothing():
    """Planning again with the known feeds gives the same feeds; a feed that never had an entry has no date."""
    settings = configured(by=("category", "tag", "author", "language"), extra=(CustomFeed(name="x"),))
    first = planned(*POSTS, settings=settings)
    assert planned(*POSTS, settings=settings, known=known_feeds(first)) == first
    assert planned()[0].known_feed.updated is None
    assert first[0].known_feed.updated == START + timedelta(days=1)


# Known feeds ------------------------------------------------------------------------------------------------------


def test_a_feed_that_was_published_stays_without_posts():
    """A known feed without posts stays, empty, with its id, folder, title and date."""
    settings = configured(by=("category", "tag", "author", "language"))
    first = planned(*POSTS, settings=settings)
    after = planned(settings=settings, known=known_feeds(first))
    assert [(f.kind, f.key, f.id, f.folder, f.label, f.title) for f in after] == [
        (f.kind, f.key, f.id, f.folder, f.label, f.title) for f in first
    ]
    assert all(feed.entries == () for feed in after)
    assert [feed.updated for feed in after] == [feed.updated for feed in first]
    assert known_feeds(after) == known_feeds(first)


def test_the_settings_of_a_category_apply_without_posts():
    """The feed of a category without posts keeps its configured title, description and size."""
    settings = configured(
        {"投資": CategorySettings(label="Investing", description="About it", title="Money!", entries=1)}
    )
    first = curated(post("a.md", categories=("投資",)), settings=settings)[1]
    after = curated(settings=settings, known=[first.known_feed])[1]
    assert after.known_feed == first.known_feed
    assert (after.title, after.subtitle, after.about, after.size) == ("Money!", "About it", first.about, 1)


def test_retired_feeds_are_not_planned():
    """A retired feed is not planned, with or without posts; a new feed in a retired folder is."""
    settings = configured(by=("category",), extra=(CustomFeed(name="x"),))
    retired = ["feeds/category/a/", "feeds/category/b/", "feeds/x/", "feeds/category/c/"]
    known = [known_feed(key="a"), known_feed(key="b"), known_feed(kind="extra", key="x", folder="feeds/x/")]
    posts = (entry("a.md", topics=["A", "C"]),)
    assert folders(planned(*posts, settings=settings, known=known, retired=retired)) == ["feeds/", "feeds/category/c/"]


def test_a_retired_format_is_left_out():
    """A retired document removes the format from its feed; the feed stays, even without formats."""
    feeds = planned(entry("a.md", topics=["A"]), retired=["feeds/rss.xml", "feeds/category/a/atom.xml", "feeds/x.xml"])
    assert [feed.formats for feed in feeds] == [("atom", "json"), ("rss", "json")]
    (feed,) = planned(retired=["feeds/atom.xml", "feeds/rss.xml", "feeds/feed.json"])
    assert (feed.formats, feed.files) == ((), {})


def test_an_assigned_slug_stays():
    """A second category with the same slug never takes the URL of the first, which may have subscribers."""
    first = curated(post("a.md", categories=("C++",)))
    assert folders(first) == ["feeds/", "feeds/category/c/"]
    second = curated(post("a.md", categories=("C++",)), post("b.md", categories=("C",)), known=known_feeds(first))
    assert {feed.label: feed.folder for feed in second[1:]} == {
        "C++": "feeds/category/c/",
        "C": "feeds/category/c-2/",
    }


def test_an_assigned_slug_stays_while_its_category_has_no_posts():
    """Slugs stay assigned while the first category has no posts, and when its posts return."""
    first = curated(post("a.md", categories=("C++",)))
    without = curated(post("b.md", categories=("C",)), known=known_feeds(first))
    places = {"C++": "feeds/category/c/", "C": "feeds/category/c-2/"}
    assert {feed.label: feed.folder for feed in without[1:]} == places
    assert {feed.label: feed.total for feed in without[1:]} == {"C++": 0, "C": 1}
    returned = curated(post("a.md", categories=("C++",)), post("b.md", categories=("C",)), known=known_feeds(without))
    assert {feed.label: feed.folder for feed in returned[1:]} == places


@pytest.mark.parametrize("kind", ["tag", "author"])
def test_assigned_slugs_of_tags_and_authors_stay_too(kind):
    """Slugs of tags and authors stay assigned, with and without posts."""
    settings = configured(by=(kind,))

    def carrying(*names):
        values = {"tags": names} if kind == "tag" else {"authors": tuple(Author(name=name) for name in names)}
        return entry("a.md", **values)

    first = planned(carrying("C++"), settings=settings)
    places = {"C++": f"feeds/{kind}/c/", "C": f"feeds/{kind}/c-2/"}
    for names in (("C",), ("C", "C++")):
        feeds = planned(carrying(*names), settings=settings, known=known_feeds(first))
        assert {feed.label: feed.folder for feed in feeds[1:]} == places


def test_no_two_feeds_have_one_folder():
    """A configured slug has priority over an assigned one; the other feed moves."""
    first = curated(post("a.md", categories=("X",)))
    settings = configured({"B": CategorySettings(slug="x")})
    feeds = curated(post("b.md", categories=("B",)), settings=settings, known=known_feeds(first))
    assert len(set(folders(feeds))) == len(feeds)


def test_a_feed_keeps_its_former_folders():
    """A new slug moves the feed and its old folder becomes a former one; moved back, it is not one any more."""
    first = curated(post("a.md", categories=("X",)))

    def with_slug(slug, before):
        settings = configured({"X": CategorySettings(slug=slug)})
        return curated(post("a.md", categories=("X",)), settings=settings, known=known_feeds(before))

    moved = with_slug("y", first)
    assert (moved[1].folder, moved[1].former, moved[1].id) == (
        "feeds/category/y/",
        ("feeds/category/x/",),
        first[1].id,
    )
    again = with_slug("x", moved)
    assert (again[1].folder, again[1].former) == ("feeds/category/x/", ("feeds/category/y/",))
    third = with_slug("z", again)
    assert third[1].former == ("feeds/category/y/", "feeds/category/x/")


# Renamed categories -----------------------------------------------------------------------------------------------

RENAMED = configured({"New": CategorySettings(was=("Old", "Older"))})


def test_a_renamed_category_keeps_its_id_and_former_folders():
    """A category renamed with `was` keeps its id and former folders, and has the posts of both names."""
    first = curated(post("a.md", categories=("Old",)))
    known = [*known_feeds(first), known_feed(key="older", former=("feeds/category/oldest/",))]
    feeds = curated(post("a.md", categories=("Old",)), post("b.md", categories=("New",)), settings=RENAMED, known=known)
    assert folders(feeds) == ["feeds/", "feeds/category/new/"]
    new = feeds[1]
    assert (new.id, new.label, new.total) == (first[1].id, "New", 2)
    assert new.former == ("feeds/category/old/", "feeds/category/oldest/", "feeds/category/older/")
    assert new.updated == START
    again = curated(post("b.md", categories=("New",)), settings=RENAMED, known=[*known, *known_feeds(feeds)])
    assert (again[1].id, sorted(again[1].former)) == (new.id, sorted(new.former))


def test_a_renamed_category_keeps_its_id_without_known_feeds():
    """Without known feeds, the id of a renamed category is derived from its former name."""
    old = curated(post("a.md", categories=("Old",)))[1]
    new = curated(post("a.md", categories=("New",)), settings=RENAMED)[1]
    assert new.id == old.id
    assert new.former == ("feeds/category/old/", "feeds/category/older/")


def test_a_category_that_was_published_before_it_was_a_new_name_keeps_its_own_id():
    """A category that had a feed before it became the new name of another keeps its own id."""
    known = [known_feed(key="new"), known_feed(key="old")]
    new = curated(post("a.md", categories=("New",)), settings=RENAMED, known=known)[1]
    assert new.id == "tag:example.com,2020:category/new"
    assert "feeds/category/old/" in new.former


def test_a_renamed_category_is_as_new_as_it_was():
    """A renamed category keeps the `updated` that it had under its former name."""
    known = [known_feed(key="old", updated=START + timedelta(days=7))]
    new = curated(post("a.md", categories=("New",)), settings=RENAMED, known=known)[1]
    assert new.updated == START + timedelta(days=7)


def test_a_category_renamed_without_posts_stays():
    """A category that is renamed and has no posts keeps its feed and id."""
    feeds = curated(settings=RENAMED, known=[known_feed(key="old")])
    assert [feed.id for feed in feeds[1:]] == ["tag:example.com,2020:category/old"]


# Order ------------------------------------------------------------------------------------------------------------


@given(st.randoms(use_true_random=False))
def test_the_order_of_known_feeds_and_retired_paths_never_matters(random):
    """Known feeds and retired paths in any order give the same feeds."""
    settings = configured({"New": CategorySettings(was=("Old",))}, by=("category", "tag", "author", "language"))
    posts = (entry("a.md", topics=["A", "New"], tags=["C", "C#"]), entry("b.md", lang="ja", tags=["c plus"]))
    known = [
        *(known_feed(key=key) for key in ("a", "old", "gone", "z")),
        *(known_feed("tag", key, label=key) for key in ("c", "c++", "c!")),
        known_feed("author", "bo", label="Bo"),
        known_feed("language", "fr", label="Français"),
    ]
    retired = ["feeds/category/z/", "feeds/rss.xml"]
    assert planned(
        *posts,
        settings=settings,
        known=random.sample(known, len(known)),
        retired=random.sample(retired, len(retired)),
    ) == planned(*posts, settings=settings, known=known, retired=retired)


# Odd names --------------------------------------------------------------------------------------------------------


def odd(*posts, settings=SETTINGS):
    """Return the folders of categories, and the warnings."""
    catalogue = build_catalogue(posts, now=NOW, known=(), settings=settings)
    feeds = plan.plan_feeds(catalogue, settings)
    return {feed.label: feed.folder for feed in feeds[1:]}, list(catalogue.category_warnings)


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        (".", "category"),
        ("..", "category"),
        ("?!", "category"),
        ("CON", "con-category"),
        ("nul.txt", "nul.txt-category"),
        ("COM1", "com1-category"),
        ("x" * 300, "x" * 200),
        ("絵" * 100, "絵" * 66),
    ],
    ids=["a dot", "two dots", "punctuation", "a device", "a device's file", "a port", "300 characters", "300 bytes"],
)
def test_a_name_that_is_not_a_valid_folder_gets_one_and_a_warning(name, slug):
    """A name that no file system takes as it is gets another folder and a warning, unless the config has a `slug`."""
    places, warnings = odd(post("p.md", categories=(name,)))
    assert places == {name: f"feeds/category/{slug}/"}
    (line,) = warnings
    assert line.startswith(f"p.md: category '{name[:60]}' has its feed in category/{slug[:60]}/; a `slug`")
    assert len(line) < 250
    settings = configured({name: CategorySettings(slug="mine")})
    assert odd(post("p.md", categories=(name,)), settings=settings) == ({name: "feeds/category/mine/"}, [])


def test_names_that_differ_only_by_case_are_one_feed():
    """Names that differ only by case or separators are one feed, with the most frequent spelling and a warning."""
    posts = [
        post(f"{n}.md", categories=(name,)) for n, name in enumerate(["Open source", "open-source", "open-source"])
    ]
    assert odd(*posts) == (
        {"open-source": "feeds/category/open-source/"},
        ["0.md: categories 'Open source' and 'open-source' are one category, published as 'open-source'"],
    )


def test_names_that_differ_only_by_punctuation_are_two_feeds():
    """Names that differ only by punctuation get different folders, also without case, and a warning for the second."""
    places, warnings = odd(post("a.md", categories=("C#",)), post("b.md", categories=("C++",)))
    assert places == {"C#": "feeds/category/c/", "C++": "feeds/category/c-2/"}
    assert [line.partition(";")[0] for line in warnings] == ["b.md: category 'C++' has its feed in category/c-2/"]


@given(st.lists(st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1), max_size=6))
def test_no_two_categories_share_a_folder(names):
    """Categories of any names have different folders, also without case, directly below `feeds/category/`."""
    feeds = curated(*(post(f"{n}.md", categories=(name,)) for n, name in enumerate(names)))[1:]
    assert len({feed.folder.casefold() for feed in feeds}) == len(feeds)
    for feed in feeds:
        slug = feed.folder.removeprefix("feeds/category/").removesuffix("/")
        assert slug.strip(".")
        assert "/" not in slug
        assert len(slug.encode()) < 255


# Newsletters ------------------------------------------------------------------------------------------------------


def test_a_newsletter_has_a_feed_of_its_issues():
    """A newsletter's feed is in the folder of its pages, keeps its id, and has the newsletter's language if set."""
    weekly = Newsletter(name="weekly", title="The weekly", language=Language("ja"), schedule="0 8 * * mon")
    made = plan_newsletter_feed(weekly, SETTINGS, issues=3, updated=START, known=None)
    assert (made.kind, made.key, made.folder) == ("newsletter", "weekly", "newsletters/weekly/")
    assert made.url == made.home == "https://example.com/newsletters/weekly/"
    assert (made.title, made.label, made.lang) == ("The weekly · Test", "The weekly", "ja")
    assert (made.id, made.total, made.updated) == ("tag:example.com,2026:newsletters/weekly/", 3, START)
    known = known_feed("newsletter", "weekly", "newsletters/weekly/")
    plain = Newsletter(name="weekly", schedule="0 8 * * mon")
    again = plan_newsletter_feed(plain, SETTINGS, issues=3, updated=START, known=known)
    assert (again.id, again.lang, again.label) == (known.id, "en", "weekly")
    elsewhere = Settings(site=SITE, feeds=FeedSettings(url=Url("https://feeds.example/x/feeds/")))
    made = plan_newsletter_feed(plain, elsewhere, issues=0, updated=NEVER, known=None)
    assert made.url_of("atom.xml") == "https://feeds.example/x/newsletters/weekly/atom.xml"
