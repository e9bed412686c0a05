"""The reasons that commands give if nothing is sent, and the next slots."""

import json
from datetime import timedelta

import pytest

from feeds.core.newsletters.outlook import format_outlook
from feeds.jobs.newsletters.send_now import send_now
from feeds.jobs.run import report_events
from feeds.jobs.subscribers import subscribe
from tests.conftest import CONFIG, NEWSLETTER, NOW, asked

WEEK = timedelta(days=7)
NO_COPIES = NEWSLETTER.replace('copy_to = ["desk@example.com"]\n', "")
TOKYO = CONFIG.replace('timezone = "UTC"', 'timezone = "Asia/Tokyo"')


def lines(report, site):
    return [format_outlook(one, site.config.settings.site.timezone) for one in report.outlooks]


def send(site, **context):
    return send_now(site.config, "weekly", NOW, asked(**context)[1])


def add(site, topics=()):
    subscribe.add_subscriber(site.config, "ada@example.org", [], topics=topics, lang=None, now=NOW, again=False)


def test_nothing_new_is_said(letter_site, feeds):
    """`feeds send` with nothing new says so and when the next slot is, as text and as JSON, and exits with 0."""
    letter_site.publish()
    done = feeds("send", "weekly")
    said = "weekly: no issue was sent: there are no new posts; the next slot is Monday 30 November 08:00 UTC\n"
    assert (done.returncode, said in done.stdout) == (0, True)
    found = json.loads(feeds("send", "weekly", "--json").stdout)["newsletters"]
    assert found == [
        {
            "newsletter": "weekly",
            "next_slot": "2026-11-30T08:00:00+00:00",
            "posts_waiting": 0,
            "missed_slot": None,
            "reason": "there are no new posts",
        }
    ]


def test_too_few_posts_are_said(letter_site):
    """`feeds send` with fewer than `min_posts` says how many wait and how many are needed."""
    letter_site.configure((CONFIG + NEWSLETTER).replace("copy_to", "min_posts = 3\ncopy_to"))
    assert (
        "no issue was sent: 1 post waits, and an issue needs 3 (min_posts)" in lines(send(letter_site), letter_site)[0]
    )


def test_a_newsletter_without_readers_is_said(letter_site):
    """Without subscribers, `feeds send` says so, and so does every publish while posts wait."""
    letter_site.configure(CONFIG + NO_COPIES)
    assert lines(send(letter_site), letter_site) == [
        "weekly: no issue was sent: it has no subscribers; `feeds subscribers add` adds one"
    ]
    said = (
        "weekly: 1 post waits for the slot of Monday 23 November 08:00 UTC, which is due; it has no subscribers;"
        " `feeds subscribers add` adds one"
    )
    assert lines(letter_site.publish(), letter_site) == [said]


@pytest.mark.usefixtures("databases")
def test_readers_of_other_topics_are_said(letter_site):
    """If no subscriber has chosen a topic of the posts, `feeds send` says so."""
    letter_site.configure(CONFIG + NO_COPIES)
    letter_site.post("first", category="Food")
    add(letter_site, topics=["Travel"])
    assert (
        "no issue was sent: no subscriber has chosen a topic of these posts" in lines(send(letter_site), letter_site)[0]
    )


def test_a_no_is_said(letter_site):
    """After a "no" to the question the report says that nothing was sent, and the next publish asks again."""
    external = CONFIG.replace("https://example.com/", "https://letters.example.museum/")
    bounces = '[mail.bounces]\naddress = "b@letters.example.museum"\nmailbox = "maildir:bounces"\n'
    for name in ("new", "cur", "tmp"):
        (letter_site.folder / "bounces" / name).mkdir(parents=True)
    own = NO_COPIES.replace("example.com", "letters.example.museum")
    letter_site.configure(f'{external}{own}transport = "sendmail"\nsendmail = "/bin/true"\n{bounces}')
    add(letter_site)
    report = letter_site.publish(confirm=lambda _: False)
    assert lines(report, letter_site) == ["weekly: no issue was sent: you answered no"]
    assert (report.errors, report.footprint) == ([], None)


def test_a_missed_slot_is_said(site, feeds):
    """A slot that was missed by more than `catch_up` is named by publish, issues and status, in the site's zone."""
    site.configure(TOKYO + NEWSLETTER)
    site.post("first")
    site.publish()
    site.post("second", date="2026-11-25")
    late = NOW + WEEK
    report = site.publish(late)
    said = (
        "weekly: 1 post waits for Monday 7 December 08:00 JST; the slot of 30 November was missed;"
        " `feeds send weekly` sends now"
    )
    assert lines(report, site) == [said]
    for command in ("issues", "status"):
        assert feeds(command, FEEDS_CLOCK=late.isoformat()).stdout.splitlines()[-1] == said
    event = next(
        event for event in report_events(report, site.config.settings.site.timezone) if event.what == "waiting"
    )
    assert (event.level, event.text) == ("warning", said)


def test_a_publish_that_finds_nothing_changed_says_the_same(letter_site, feeds):
    """The line about the next slot is the same when a publish finds nothing changed."""
    feeds("publish")
    again = [feeds("publish").stdout.splitlines()[-2] for _ in range(2)]
    assert again == ["weekly: no posts wait for Monday 30 November 08:00 UTC"] * 2


@pytest.mark.usefixtures("databases")
def test_an_issue_that_waits_for_approval_comes_first(letter_site):
    """While an issue waits for approval, the line says that it comes first."""
    letter_site.configure((CONFIG + NEWSLETTER).replace("copy_to", "approve = true\ncopy_to"))
    letter_site.publish()
    letter_site.post("second", date="2026-11-23")
    said = "1 post waits for Monday 30 November 08:00 UTC; issue 1 comes first: it waits for `feeds approve weekly`"
    assert lines(letter_site.publish(), letter_site) == [f"weekly: {said}"]


def test_a_dry_run_does_not_say_that_the_posts_of_its_issue_wait(letter_site):
    """In a dry run, the posts of an issue that is due are in it and wait for no other slot."""
    report = letter_site.publish(dry_run=True)
    assert ([issue.state for issue in report.issues], report.outlooks) == (["due"], [])


# Categories ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("categories", "expected"),
    [
        ('["Lief"]', ["no public post has the category 'Lief'; did you mean 'Life'?"]),
        ('["life", "Quite other"]', ["no public post has the category 'Quite other'"]),
        ('["LIFE", "Planned", "Once"]', []),
    ],
)
def test_a_category_that_no_post_has_is_a_warning(letter_site, feeds, categories, expected):
    """A newsletter's category that no public post has and the config does not describe is a warning, with a hint."""
    configured = '[categories."Planned"]\nwas = ["Once"]\n'
    letter_site.configure(CONFIG + configured + NEWSLETTER.replace("copy_to", f"categories = {categories}\ncopy_to"))
    letter_site.post("first", category="Life")
    where = f"{letter_site.config.path}: newsletters.weekly.categories: "
    assert letter_site.publish().warnings == [where + text for text in expected]
    found = [json.loads(line) for line in feeds("check", "--json").stdout.splitlines()]
    assert [one["what"] for one in found if "no public post" in one["what"]] == [
        f"newsletters.weekly.categories: {text}" for text in expected
    ]


def test_a_coloured_category_that_no_post_has_is_a_warning(letter_site):
    """The colour of a misspelt category would never be seen."""
    letter_site.configure(CONFIG + NEWSLETTER + '[newsletters.theme]\ncategories = { Lief = "#102030" }\n')
    letter_site.post("first", category="Life")
    where = f"{letter_site.config.path}: newsletters.weekly.theme.categories: "
    assert letter_site.publish().warnings == [where + "no public post has the category 'Lief'; did you mean 'Life'?"]


def test_categories_are_not_compared_before_there_are_posts(letter_site):
    """While no post is public, categories are not a reason for a warning."""
    letter_site.configure(CONFIG + NEWSLETTER.replace("copy_to", 'categories = ["Life"]\ncopy_to'))
    letter_site.post("first", draft="true")
    assert letter_site.publish().warnings == []


def test_a_topic_that_no_post_has_is_a_warning(letter_site, feeds):
    """A topic that no public post has is a warning when a subscriber is added or imported; they are subscribed."""
    letter_site.post("first", category="Food")
    done = feeds("subscribers", "add", "ada@example.org", "--topic", "Foo", "--topic", "food")
    warning = "no public post has the category 'Foo'; did you mean 'Food'?"
    assert (done.returncode, done.stdout) == (0, "ada@example.org is active: weekly\n")
    assert done.stderr == f"warning: ada@example.org: {warning}\n"
    rows = "email,topics\nbob@example.org,Foo\neve@example.org,Foo\n"
    (letter_site.folder / "list.csv").write_text(rows, "utf-8")
    done = feeds("subscribers", "import", "list.csv")
    assert (done.returncode, done.stderr) == (0, f"warning: list.csv: {warning}\n")
