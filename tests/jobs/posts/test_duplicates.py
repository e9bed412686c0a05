"""Duplicates: which posts are dropped, kept and reported, and what `feeds duplicates` prints."""

import json

import pytest

from feeds.jobs.posts.listing import list_duplicates
from tests.conftest import CONFIG, asked
from tests.conftest import NOW as MOMENT

NOW = ("--now", "2026-11-23")


def make_words(seed, count=220):
    parts = ["bread", "water", "salt", "flour", "oven", "crust", "table", "knife", "morning", "guest", "yeast", "song"]
    return [parts[(n * n + seed * 7 + n // 5) % len(parts)] for n in range(count)]


def prose(words):
    return " ".join(words) + "\n"


def pairs_of(site):
    """The pairs that `feeds duplicates` lists."""
    return list_duplicates(site.config, MOMENT, asked()[1]).pairs


def sample(site):
    copy = make_words(1)
    copy[100] = "butter"
    site.post("a", prose(make_words(1)), title="Bread")
    site.post("b", prose(copy), title="Bread again", date="2026-11-21")
    site.post("c", prose(make_words(3)), title="Salt", date="2026-11-19")
    site.post("d", prose(make_words(3)), title="Salt", date="2026-11-21")
    site.post("e1", prose(make_words(5)) + "Number 1.\n")
    site.post("e2", prose(make_words(5)) + "Number 2.\n", date="2026-11-21")


def test_each_pair_is_a_line_in_a_pipe_and_an_object_as_json(site, feeds):
    """In a pipe, each pair is a line with kind, similarity, outcome and paths; with `--json`, an object."""
    sample(site)
    plain = feeds("duplicates", *NOW)
    assert (plain.returncode, plain.stderr) == (0, "")
    lines = plain.stdout.splitlines()
    assert [line.split("\t")[0::2] for line in lines[:3]] == [
        ["near", "dropped", "a.md"],
        ["text", "dropped", "c.md"],
        ["instalment", "stays", "e1.md"],
    ]
    assert lines[3] == "3 pairs: 2 dropped, 1 only reported"
    found = [json.loads(line) for line in feeds("duplicates", "--json", *NOW).stdout.splitlines()]
    assert [(f["path"], f["other"], f["kind"], f["dropped"]) for f in found] == [
        ("b.md", "a.md", "near", True),
        ("d.md", "c.md", "text", True),
        ("e2.md", "e1.md", "instalment", False),
    ]
    assert 0.85 < found[0]["similarity"] < 1 == found[1]["similarity"]
    assert found[0]["reason"] == f"{int(found[0]['similarity'] * 100)} % of its text as a.md"


def test_texts_are_printed_side_by_side(site, feeds):
    """`--show` prints the paragraphs of both texts side by side and marks those that differ."""
    site.post("a", prose(make_words(1)) + "\nThe same end.\n")
    site.post("b", prose(make_words(1)).replace("guest", "friend", 1) + "\nThe same end.\n", date="2026-11-21")
    shown = feeds("duplicates", "--show", *NOW).stdout
    assert "a.md" in shown
    assert "b.md" in shown
    assert shown.count("≠") == 1
    assert shown.count("The same end.") == 2


def test_near_duplicates_may_be_published_with_a_warning(site, feeds):
    """With `near = "report"`, near-duplicates are published with a warning; with `"keep"`, they are not looked for."""
    sample(site)
    site.configure(CONFIG + '[duplicates]\nnear = "report"\n')
    done = feeds("publish", *NOW)
    assert done.returncode == 0
    assert "warning: posts/b.md: " in done.stderr
    assert "% of its text as a.md; it is published anyway (duplicates.near)" in done.stderr
    site.configure(CONFIG + '[duplicates]\nnear = "keep"\n')
    assert "posts/b.md" not in feeds("publish", *NOW).stderr
    assert [line.split("\t")[0] for line in feeds("duplicates", *NOW).stdout.splitlines()] == [
        "text",
        "1 pair: 1 dropped, 0 only reported",
    ]


def test_a_drop_is_a_warning_the_first_time_only(site, feeds):
    """A dropped post is a warning of the first run that drops it; later runs count it, and every check names it."""
    sample(site)
    reported = [
        "warning: posts/b.md: 99 % of its text as a.md; it is not published (`feeds duplicates --show` compares)",
        "warning: posts/d.md: the same text as c.md; it is not published (`feeds duplicates --show` compares)",
    ]
    assert [line.replace("96 %", "99 %") for line in feeds("publish", *NOW).stderr.splitlines()] == reported
    assert feeds("publish", *NOW).stderr == "warning: 2 warnings are as before; `feeds check` prints all\n"
    assert feeds("check", *NOW).stdout.count("it is not published") == 2
    site.post("e", prose(make_words(3)), title="Salt", date="2026-11-22")
    assert feeds("publish", *NOW).stderr.splitlines()[0] == reported[1].replace("d.md", "e.md")
    (site.folder / "posts" / "d.md").unlink()
    assert "posts/" not in feeds("publish", *NOW).stderr
    sample(site)
    assert feeds("publish", *NOW).stderr.splitlines()[0] == reported[1]


def test_a_dry_run_does_not_count_as_the_first_time(site, feeds):
    """A dry run warns of dropped posts, and so does the run after it."""
    sample(site)
    assert feeds("publish", "--dry-run", *NOW).stderr.count("it is not published") == 2
    assert feeds("publish", *NOW).stderr.count("it is not published") == 2


def test_a_drop_is_reported_before_other_warnings(site):
    """Dropped posts come first in the report: of many new warnings only the first are printed."""
    for n in range(30):
        site.post(f"{n}", f"Text {n} {{{{ page.of{n} }}}}\n")
    sample(site)
    assert [line.split(":")[0] for line in site.publish().warnings[:3]] == ["posts/b.md", "posts/d.md", "posts/0.md"]


def test_posts_with_one_id_are_named_with_the_line(site, feeds):
    """Of two posts with one id, the later one is dropped with a warning that names both, the line and the remedy."""
    site.post("a", title="One", guid="urn:x:1")
    site.post("b", "Another text.\n", title="Two", guid="urn:x:1", date="2026-11-21")
    line = "posts/b.md:4: the same id as a.md; it is not published: give it an id of its own if it is another post"
    assert feeds("publish", *NOW).stderr == f"warning: {line}\n"
    assert line.partition(": ")[2] in feeds("check", *NOW).stdout


ADDRESSES = {
    "written": ({"permalink": "/x/"}, {"permalink": "/x/"}, 4),
    "a slug": ({"slug": "x"}, {"slug": "x"}, 4),
    "file names that differ in the date only": ({}, {}, 1),
}


@pytest.mark.parametrize(("one", "other", "line"), ADDRESSES.values(), ids=ADDRESSES)
def test_posts_at_one_address_are_reported(site, feeds, one, other, line):
    """Two public posts with one address are a warning of publish and check that names both and the address."""
    site.configure(CONFIG + '[posts]\npermalink = "/{slug}/"\n')
    site.post("2026-11-20-x", "One text.\n", title="One", **one)
    site.post("2026-11-21-x", "Another text.\n", title="Two", date="2026-11-21", **other)
    warning = (
        f"posts/2026-11-21-x.md:{line}: has the same address as 2026-11-20-x.md, https://example.com/x/: give each post"
        " a slug of its own, or complete posts.permalink"
    )
    assert feeds("publish", *NOW).stderr == f"warning: {warning}\n"
    assert warning.partition(": ")[2] in feeds("check", *NOW).stdout
    site.post("2026-11-22-x", "A draft.\n", title="Three", draft="true", slug="x", date="2026-11-22")
    assert site.publish().warnings == [warning]
    site.post("2026-11-23-x", "A third text.\n", title="Four", **({"date": "2026-11-23"} | other))
    assert "as 2026-11-20-x.md and 1 more, " in site.publish().warnings[0]


ONE_PAGE = [("/x/", "/x/index.html"), ("/x/", "/x"), ("/ä b/", "/%C3%A4%20b/"), ("/", "/index.html")]
OTHER_PAGES = [("/x/", "/X/"), ("/x.html", "/x/"), ("/x/", "/x/a"), ("/myindex.html", "/my")]


@pytest.mark.parametrize("addresses", ONE_PAGE + OTHER_PAGES, ids=map(str, ONE_PAGE + OTHER_PAGES))
def test_addresses_that_lead_to_one_page_are_one_address(site, addresses):
    """A final slash, `index.html` and percent-encoding make no other page; another case does."""
    for n, address in enumerate(addresses):
        site.post(f"p{n}", f"The text number {n}.\n", title=f"Post {n}", permalink=f'"{address}"')
    warned = [line for line in site.publish().warnings if "has the same address as p0.md, " in line]
    assert len(warned) == (addresses in ONE_PAGE)


SHOW_NOTES = "Subscribe to the show wherever you listen, and write to us. " * 5


def test_episodes_with_the_same_show_notes_are_all_published(site):
    """Posts with other enclosures are all published without a word, whatever their texts and titles."""
    for n, title in enumerate(("On bread", "On salt", "On salt")):
        audio = f"https://example.com/{n}.mp3"
        site.post(f"e{n}", SHOW_NOTES, title=title, enclosure=audio, date=f"2026-11-1{n}")
    report = site.publish()
    assert (report.counts["public"], report.warnings) == (3, [])
    site.post("again", SHOW_NOTES, title="On salt", enclosure="https://example.com/2.mp3", date="2026-11-12")
    report = site.publish()
    assert (report.counts["public"], report.counts["duplicate"]) == (3, 1)


JAPANESE = (
    "蕎麦を打つ人も、パンを焼く人も、町の広場に集まって、朝から晩まで話をします。お茶とお菓子は用意しますので、手ぶらで来てください。"
    "初めての方には、経験のある人が隣に座って、小麦の選び方から窯の温度まで、丁寧に説明します。子ども連れも歓迎です。"
    "雨の日は駅前の図書館に場所を移します。写真を撮るときは、写る人に一声かけてください。"
    "帰りには、焼きたてのパンを一つずつお土産に持って帰れます。参加の申し込みは要りません。"
)
CITIES = {
    "in English": ("Meetup in {}", prose(make_words(5)) + "In {}.\n"),
    "in Japanese": ("{}のミートアップ", JAPANESE + "{}にて。\n"),
    "with the city in the title only": ("{}: meetup", prose(make_words(5))),
}


@pytest.mark.parametrize(("title", "body"), CITIES.values(), ids=CITIES)
def test_posts_with_another_word_in_the_title_are_all_published(site, title, body):
    """Posts that have the same words but one in text and title are all published and reported."""
    for n, city in enumerate(("Berlin", "Hamburg", "Leipzig")):
        site.post(f"m{n}", body.format(city), title=json.dumps(title.format(city)), date=f"2026-11-1{n}")
    report = site.publish()
    assert report.counts["public"] == 3
    assert [line.split(":")[0] for line in report.warnings] == ["posts/m1.md", "posts/m2.md"]
    assert all("under another title; it is published anyway (duplicates.near)" in line for line in report.warnings)
    assert [pair.dropped for pair in pairs_of(site)] == [False, False]
    site.configure(CONFIG + '[duplicates]\nnear = "keep"\n')
    assert site.publish().warnings == []


def test_recipes_that_share_sentences_are_all_published(site):
    """Recipes whose texts consist of mostly the same sentences are all published."""
    steps = [f"{' '.join(make_words(n, 12)).capitalize()}." for n in (1, 3, 5, 7, 9)]
    site.post("cake", " ".join(steps * 2), title="Apple cake", date="2026-11-10")
    site.post("bread", prose(make_words(4)), title="Rye bread", date="2026-11-11")
    site.post("pie", " ".join(steps[::-1] * 2), title="Pear pie", date="2026-11-12")
    assert site.publish().counts["public"] == 3


WORDS = {
    "months": ("Saturday March 16", "Saturday May 16"),
    "weekdays": ("It is on Friday", "It is on Thursday"),
    "stages": ("This is 8.5 beta 1", "This is 8.5 rc 1"),
    "the release after them": ("This is 8.5 RC", "This is 8.5"),
    "ordinals": ("The second meeting", "The third meeting"),
    "German months": ("Am 3. März", "Am 3. Mai"),
    "German ordinals": ("Das zweite Treffen", "Das dritte Treffen"),
    "Japanese ordinals": ("第三回", "第四回"),
    "Arabic months": ("يوم 3 مايو", "يوم 3 يونيو"),
    "Arabic digits": ("الحلقة ١٢", "الحلقة ١٣"),
    "cardinals": ("Part one", "Part two"),
    "German cardinals": ("Teil eins", "Teil zwei"),
    "Roman numbers": ("Part II", "Part III"),
}


@pytest.mark.parametrize("words", WORDS.values(), ids=WORDS)
@pytest.mark.parametrize("where", ["text", "title", "both"])
def test_instalments_that_differ_in_words_are_all_published(site, words, where):
    """Posts that differ in a month, weekday, ordinal or stage, in text or title, are instalments: all are published."""
    notice = prose(make_words(5))
    for n, word in enumerate(words):
        title = json.dumps(f"Notice: {word}" if where != "text" else "Notice")
        site.post(f"n{n}", notice + f"{word}.\n" * (where != "title"), title=title, date=f"2026-11-1{n}")
    report = site.publish()
    assert (report.counts["public"], report.warnings) == (2, [])
    [pair] = pairs_of(site)
    assert (pair.post.path, pair.kept.path, pair.kind, pair.dropped) == ("n1.md", "n0.md", "instalment", False)


PLAYERS = {
    "pages": ('<iframe src="https://video.example/a"></iframe>', '<iframe src="https://video.example/b"></iframe>'),
    "audio": ('<audio src="north.mp3"></audio>', '<audio controls><source src="south.mp3"></audio>'),
    "films that load late": ('<video data-src="/a.webm"></video>', '<video data-src="/b.webm"></video>'),
}


@pytest.mark.parametrize("players", PLAYERS.values(), ids=PLAYERS)
def test_posts_with_other_recordings_in_their_text_are_all_published(site, players):
    """Posts with one title and the same words around another recording, which is not in the words, are two posts."""
    for n, player in enumerate(players):
        site.post(f"n{n}", prose(make_words(5)) + f"\n{player}\n", title="Live", date=f"2026-11-1{n}")
    assert site.publish().counts["public"] == 2
    assert [(pair.kind, pair.dropped) for pair in pairs_of(site)] == [("instalment", False)]


def test_a_copy_with_the_same_recording_is_dropped(site):
    """A copy is one if a recording in its text is the same, or if only one of the two has one."""
    words = prose(make_words(5))
    site.post("a", words + '\n<iframe src="http://video.example/a"></iframe>\n', title="Live", date="2026-11-10")
    site.post("b", words + '\n<iframe src="//video.example/a" title="A"></iframe>\n', title="Live", date="2026-11-11")
    site.post("c", words, title="Live", date="2026-11-12")
    assert site.publish().counts["duplicate"] == 2


def test_posts_without_text_are_published(site):
    """Posts with one title and neither text nor external URL are all published, whatever else they share."""
    for n in range(2):
        site.post(f"e{n}", "", title="Photo", description=f"Picture {n}", date="2026-11-10")
    site.post("e2", "", title="Photo", date="2026-11-11", author="Ada")
    assert site.publish().counts["public"] == 3


def test_short_notices_of_two_days_are_published(site):
    """Short posts with the same title and text are one post only if their dates are the same."""
    for n, day in enumerate((10, 11, 11)):
        site.post(f"e{n}", "Closed today.\n", title="Notice", date=f"2026-11-{day}")
    report = site.publish()
    assert (report.counts["public"], report.counts["duplicate"]) == (2, 1)


def test_of_two_copies_the_one_with_the_right_date_is_kept(site):
    """Of two copies the one is kept whose date is that of its file name, or nearer to it, even if it is the later."""
    site.post("2026-07-14-bread", prose(make_words(1)), title="Bread", date="2026-05-01")
    site.post("2026-05-19-bread", prose(make_words(1)), title="Bread", date="2026-05-02")
    assert [pair.post.path for pair in pairs_of(site)] == ["2026-07-14-bread.md"]
    site.post("2026-11-02-bread", prose(make_words(1)), title="Bread", date="2026-11-02")
    assert {pair.kept.path for pair in pairs_of(site)} == {"2026-11-02-bread.md"}
