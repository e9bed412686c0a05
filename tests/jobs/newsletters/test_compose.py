"""Issues and letters of a real site."""

import re
import shutil
from datetime import timedelta
from email import message_from_bytes, policy

import pytest

from feeds.edges.files.private_folder import create_private_folder
from feeds.edges.store.database import open_store
from feeds.errors import AddressError, FeedsError
from feeds.jobs.subscribers import subscribe
from tests.conftest import CONFIG, NEWSLETTER, NOW

WEEK = timedelta(days=7)


def message(site, path):
    return message_from_bytes((site.folder / ".feeds/outbox" / path).read_bytes(), policy=policy.default)


def subject(site, number):
    return message(site, f"weekly/{number}/desk@example.com.eml")["Subject"]


@pytest.mark.usefixtures("databases")
def test_the_first_issue_goes_out_at_once_and_only_once(letter_site):
    """The first issue is sent at once: each recipient gets one message, the web a page; later runs send nothing."""
    report = letter_site.publish()
    assert [(i.newsletter, i.number, i.posts, i.recipients, i.state) for i in report.issues] == [
        ("weekly", 1, 1, 1, "sent")
    ]
    assert letter_site.letters() == ["weekly/1/desk@example.com.eml"]
    assert "first" in letter_site.read("public/newsletters/weekly/1/index.html")
    assert letter_site.publish().issues == []
    assert letter_site.publish(NOW + WEEK).issues == []


@pytest.mark.usefixtures("databases")
def test_a_new_post_is_in_the_next_issue_and_in_no_other(letter_site):
    """A new post is in the next issue and in no later one, even if it is renamed and edited."""
    letter_site.publish()
    file = letter_site.post("second", "The text of it. " * 20, date="2026-11-25")
    assert [i.number for i in letter_site.publish(NOW + WEEK).issues] == [2]
    assert subject(letter_site, 2) == "second"
    file.rename(file.with_name("third.md"))
    assert letter_site.publish(NOW + 2 * WEEK).issues == []
    letter_site.post("third", "Other words altogether.", date="2026-11-25", title="New title")
    assert letter_site.publish(NOW + 3 * WEEK).issues == []


def test_a_back_catalogue_is_never_mailed(letter_site):
    """Posts that were public before the first issue, and found no room in it, count as announced."""
    letter_site.configure((CONFIG + NEWSLETTER).replace("copy_to", "max_posts = 1\ncopy_to"))
    for n in range(3):
        letter_site.post(f"old{n}", date=f"2026-11-1{n}")
    letter_site.publish()
    assert subject(letter_site, 1) == "first"
    assert letter_site.publish(NOW + WEEK).issues == []


@pytest.mark.usefixtures("databases")
def test_a_slot_without_recipients_is_not_used_up(letter_site):
    """Without recipients no issue is composed; once there is one, the slot is still due and the posts are sent."""
    letter_site.configure((CONFIG + NEWSLETTER).replace('copy_to = ["desk@example.com"]', ""))
    assert letter_site.publish().issues == []
    subscribe.add_subscriber(letter_site.config, "ada@example.org", [], lang=None, now=NOW, again=False)
    assert [i.recipients for i in letter_site.publish(NOW + timedelta(hours=1)).issues] == [1]


def test_subscribers_get_a_way_to_unsubscribe_and_copies_none(letter_site):
    """Subscribers can unsubscribe, by header and link, and copies cannot; an address that is both is a subscriber."""
    for email in ("ada@example.org", "Desk@example.com"):
        subscribe.add_subscriber(letter_site.config, email, [], lang=None, now=NOW, again=False)
    letter_site.configure(
        (CONFIG + NEWSLETTER).replace('"desk@example.com"]', '"desk@example.com", "boss@example.com"]')
    )
    letter_site.publish()
    assert len(letter_site.letters()) == 3
    leave = {path: message(letter_site, path)["List-Unsubscribe"] for path in letter_site.letters()}
    assert leave == {
        "weekly/1/ada@example.org.eml": "<mailto:desk@example.com?subject=unsubscribe%20weekly>",
        "weekly/1/Desk@example.com.eml": "<mailto:desk@example.com?subject=unsubscribe%20weekly>",
        "weekly/1/boss@example.com.eml": None,
    }
    for path in letter_site.letters():
        parts = [part.get_content() for part in message(letter_site, path).iter_parts()]
        is_copy = "boss" in path
        assert [("unsubscribe" in part.lower(), "you subscribed" in part) for part in parts] == [(not is_copy,) * 2] * 2


@pytest.mark.usefixtures("databases")
def test_an_unsubscribed_address_is_not_added_again_by_accident(letter_site):
    """An unsubscribed address gets no letters, and is only added again with the option that says they asked for it."""
    config = letter_site.config
    subscribe.add_subscriber(config, "ada@example.org", [], lang=None, now=NOW, again=False)
    assert subscribe.remove_subscriber(config, "ADA@example.org", NOW)
    letter_site.publish()
    assert letter_site.letters() == ["weekly/1/desk@example.com.eml"]
    with pytest.raises(FeedsError, match=r"ada@example\.org is unsubscribed; if this person asked"):
        subscribe.add_subscriber(config, "ada@example.org", [], lang=None, now=NOW, again=False)
    assert subscribe.add_subscriber(config, "ada@example.org", [], lang=None, now=NOW, again=True).status == "active"


def test_invalid_subscriptions_are_refused(letter_site):
    """Adding a subscriber with an unknown newsletter, an invalid address or an unknown language is refused."""
    config = letter_site.config
    with pytest.raises(FeedsError, match="there is no newsletter 'daily'; known here: weekly"):
        subscribe.add_subscriber(config, "ada@example.org", ["daily"], lang=None, now=NOW, again=False)
    with pytest.raises(AddressError):
        subscribe.add_subscriber(config, "ada", [], lang=None, now=NOW, again=False)
    with pytest.raises(FeedsError, match="--lang"):
        subscribe.add_subscriber(config, "ada@example.org", [], lang="klingonish", now=NOW, again=False)
    assert not subscribe.remove_subscriber(config, "ada@example.org", NOW)
    assert list(subscribe.list_subscribers(config)) == []


@pytest.mark.usefixtures("databases")
def test_a_missed_slot_is_caught_up_once(letter_site):
    """However many slots were missed, one issue is sent, and only within `catch_up`."""
    letter_site.publish()
    letter_site.post("second", date="2026-11-25")
    late = NOW + 3 * WEEK
    assert letter_site.publish(late + timedelta(hours=9)).issues == []
    assert [i.number for i in letter_site.publish(late + WEEK).issues] == [2]
    with open_store(letter_site.config.store_url, letter_site.folder) as store:
        assert [i.slot.day for i in store.issues.load_issues()] == [23, 21]


def test_the_archive_may_be_unlisted_or_off(letter_site):
    """An unlisted archive has pages without links to them; without an archive there are no pages."""
    for archive, page, listed in (("unlisted", True, False), ("off", False, False), ("public", True, True)):
        for name in letter_site.files("public", ".feeds/outbox"):
            (letter_site.folder / name).unlink()
        (letter_site.folder / ".feeds/feeds.db").unlink(missing_ok=True)
        letter_site.configure((CONFIG + NEWSLETTER).replace("copy_to", f'archive = "{archive}"\ncopy_to'))
        letter_site.publish()
        assert (letter_site.folder / "public/newsletters/weekly/1/index.html").exists() is page
        assert ("newsletters/weekly/1/" in letter_site.read("public/feeds/index.html")) is listed
        found = message(letter_site, "weekly/1/desk@example.com.eml")
        assert found["List-Archive"] == ("<https://example.com/newsletters/weekly/>" if listed else None)
        assert (letter_site.folder / "public/newsletters/weekly/index.html").exists() is listed
        assert ("newsletters/weekly/1/" in found.get_body(("plain",)).get_content()) is page


def _dates(site, number):
    """Return the dates that the text part and the page of an issue show."""
    text = message(site, f"weekly/{number}/desk@example.com.eml").get_body(("plain",)).get_content()
    page = site.read(f"public/newsletters/weekly/{number}/index.html")
    return [re.search(r"November \d+, 2026", shown)[0] for shown in (text.split("\n")[1], page)]


@pytest.mark.parametrize("approve", [False, True])
def test_an_issue_shows_the_day_on_which_it_is_composed(letter_site, feeds, approve):
    """An issue that is composed days after its slot shows the later day, also once it is approved; the slot stays."""
    letter_site.configure(APPROVED if approve else CONFIG + NEWSLETTER)
    letter_site.publish(NOW + timedelta(days=2))
    assert not approve or feeds("approve", "weekly").returncode == 0
    assert _dates(letter_site, 1) == ["November 25, 2026"] * 2
    assert "November 25, 2026" in letter_site.read("public/feeds/index.html")
    with open_store(letter_site.config.store_url, letter_site.folder) as store:
        assert [i.slot.day for i in store.issues.load_issues()] == [23]
    assert letter_site.publish(NOW + timedelta(days=3)).issues == []


APPROVED = (CONFIG + NEWSLETTER).replace("copy_to", "approve = true\ncopy_to")


@pytest.mark.usefixtures("databases")
def test_an_issue_waits_for_approval(letter_site, feeds):
    """With `approve = true`, an issue is composed once; until it is approved, nothing is sent, shown or composed."""
    letter_site.configure(APPROVED)
    for now in (NOW, NOW, NOW + WEEK):
        found = letter_site.publish(now)
        assert [(i.number, i.posts, i.recipients, i.state) for i in found.issues] == [(1, 1, 0, "composed")]
    assert letter_site.letters() == []
    assert not (letter_site.folder / "public" / "newsletters").exists()
    subscribe.add_subscriber(letter_site.config, "ada@example.com", [], lang=None, now=NOW, again=False)
    done = feeds("approve", "weekly")
    assert (done.returncode, "weekly 1: 1 post to 2 recipients, sent" in done.stdout) == (0, True)
    assert letter_site.letters() == ["weekly/1/ada@example.com.eml", "weekly/1/desk@example.com.eml"]
    assert (letter_site.folder / "public/newsletters/weekly/atom.xml").exists()
    again = feeds("approve", "weekly")
    assert (again.returncode, "no issue of weekly waits for approval" in again.stderr) == (1, True)


def test_the_approved_issue_is_the_composed_one(letter_site, feeds):
    """Edits and new posts before the approval change nothing; a test message shows the waiting issue."""
    letter_site.configure(APPROVED)
    letter_site.publish()
    letter_site.post("first", "Other words altogether.\n", title="Another title")
    letter_site.post("second", date="2026-11-22")
    assert feeds("send", "weekly", "--test", "me@example.com", "--now", "2026-11-23T12:00Z").returncode == 0
    assert feeds("approve", "weekly").returncode == 0
    for path, subject in (
        ("weekly/1/desk@example.com.eml", "first"),
        ("test/weekly/1/me@example.com.eml", "[Test] first"),
    ):
        found = message(letter_site, path)
        assert (found["Subject"], "Some words of a post." in found.as_string()) == (subject, True)
        assert "second" not in found.get_body(("plain",)).get_content()


@pytest.mark.usefixtures("databases")
def test_a_cancelled_issue_is_composed_again(letter_site, feeds):
    """A cancelled issue is composed again with its number and slot, and with the posts that are public by then."""
    letter_site.configure(APPROVED)
    letter_site.publish()
    assert "weekly 1 is discarded" in feeds("cancel", "weekly").stdout
    assert feeds("cancel", "weekly").returncode == 1
    assert feeds("cancel", "daily").returncode == 1
    letter_site.post("second", date="2026-11-21")
    assert [(i.number, i.posts, i.state) for i in letter_site.publish().issues] == [(1, 2, "composed")]


# Topics and languages ----------------------------------------------------------------------------------------------

TOPICS = {"cats": "[Cats]", "dogs": "[Dogs]", "both": "[Cats, Dogs]", "nothing": "[]"}


def add_subscriber(site, name, topics=(), lang=None):
    subscribe.add_subscriber(site.config, f"{name}@example.org", [], topics=topics, lang=lang, now=NOW, again=False)


def titles(site, name):
    text = message(site, f"weekly/1/{name}@example.org.eml").get_body(("plain",)).get_content()
    return {title for title in (*TOPICS, "first") if f"/{title}/" in text}


@pytest.mark.usefixtures("databases")
def test_subscribers_get_their_topics(letter_site):
    """Topics match in any case and by former names; subscribers without topics get all posts."""
    more = '[categories."Dogs"]\nwas = ["Hounds"]\n'
    letter_site.configure(
        (CONFIG + NEWSLETTER).replace('copy_to = ["desk@example.com"]', "").replace("[mail]", f"{more}[mail]")
    )
    for title, categories in TOPICS.items():
        letter_site.post(title, categories=categories)
    for name, topics in {"a": (), "c": ["cats"], "d": ["Hounds"], "e": ["Dogs", "CATS"], "n": ["Birds"]}.items():
        add_subscriber(letter_site, name, topics)
    [issue] = letter_site.publish().issues
    assert (issue.posts, issue.recipients) == (5, 4)
    assert {name: titles(letter_site, name) for name in "acde"} == {
        "a": {"first", *TOPICS},
        "c": {"cats", "both"},
        "d": {"dogs", "both"},
        "e": {"cats", "dogs", "both"},
    }
    page = letter_site.read("public/newsletters/weekly/1/index.html")
    assert all(f"/{title}/" in page for title in ("first", *TOPICS))
    with open_store(letter_site.config.store_url, letter_site.folder) as store:
        assert len(store.issues.load_letters(1)) == 4


@pytest.mark.usefixtures("databases")
def test_letters_are_in_the_subscribers_language(letter_site):
    """Letters are in the subscriber's language if it has texts, else in the newsletter's; equal ones are one letter."""
    for name, lang in {"a": None, "b": "ja", "c": "ja", "d": "ar", "e": "eo", "f": "en"}.items():
        add_subscriber(letter_site, name, lang=lang)
    letter_site.publish()
    found = {name: message(letter_site, f"weekly/1/{name}@example.org.eml") for name in "abcdef"}
    langs = {name: next(iter(m.iter_parts()))["Content-Language"] for name, m in found.items()}
    assert langs == {"a": "en", "b": "ja", "c": "ja", "d": "ar", "e": "en", "f": "en"}
    assert "購読をやめる" in found["b"].get_body(("plain",)).get_content()
    assert 'dir="rtl"' in found["d"].get_body(("html",)).get_content()
    with open_store(letter_site.config.store_url, letter_site.folder) as store:
        assert len(store.issues.load_letters(1)) == 4  # one of them is for copies


@pytest.mark.usefixtures("databases")
def test_empty_letters_are_not_sent(letter_site):
    """If all letters would be empty, there is no issue, and the slot is not used up."""
    letter_site.configure((CONFIG + NEWSLETTER).replace('copy_to = ["desk@example.com"]', ""))
    add_subscriber(letter_site, "a", ["Birds"])
    assert letter_site.publish().issues == []
    letter_site.post("birds", categories="[birds]", date="2026-11-21")
    [issue] = letter_site.publish().issues
    assert (issue.number, issue.posts, issue.recipients) == (1, 2, 1)


# The editor's note -------------------------------------------------------------------------------------------------


def write_note(site, text, name="next.md"):
    file = site.folder / "letters" / "weekly" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, "utf-8")


def test_an_editors_note_changes_an_issue(letter_site):
    """A note sets the subject and text above the stories, pins a post to the top and skips another, which stays new."""
    letter_site.post("second", date="2026-11-22")
    letter_site.post("third", date="2026-11-21")
    write_note(
        letter_site,
        "---\nsubject: 今週の *手紙*\npin: [first.md]\nskip: third\n---\nDear **all**,\n\nsee [the list](/list).\n",
    )
    letter_site.publish()
    letter = message(letter_site, "weekly/1/desk@example.com.eml")
    text, html = (part.get_content() for part in letter.iter_parts())
    assert letter["Subject"] == "今週の *手紙*"
    assert text.index("Dear all,") < text.index("see the list") < text.index("first") < text.index("second")
    assert "<strong>all</strong>" in html
    assert "third" not in html + text
    assert "see the list [1].\n\n[1] https://example.com/list\n" in text.replace("\r\n", "\n")
    assert "<strong>all</strong>" in letter_site.read("public/newsletters/weekly/1/index.html")
    write_note(letter_site, "---\nsubject: Next\n---\n")
    letter_site.publish(NOW + WEEK)
    assert subject(letter_site, 2) == "Next"
    assert "third" in message(letter_site, "weekly/2/desk@example.com.eml").as_string()


def test_a_post_cannot_contain_the_notes_placeholder(letter_site):
    """The placeholder of the note is removed from the text, title and image of a post."""
    word = "feeds:note:8d1c"
    letter_site.post("first", f"Words {word}.\n", title=f"'A {word} title'", image="/a.png", image_alt=word)
    write_note(letter_site, "The editor <b>speaks</b>.\n")
    letter_site.publish()
    text, html = (p.get_content() for p in message(letter_site, "weekly/1/desk@example.com.eml").iter_parts())
    assert html.count("speaks") == 1
    assert word not in html + text


@pytest.mark.usefixtures("databases")
def test_no_note_is_used_twice(letter_site):
    """`next.md` is used once, until it changes; a note named by a number is for the issue with that number."""
    write_note(letter_site, "Only once.\n")
    letter_site.publish()
    letter_site.post("second", date="2026-11-25")
    letter_site.publish(NOW + WEEK)
    assert "Only once." in message(letter_site, "weekly/1/desk@example.com.eml").as_string()
    assert "Only once." not in message(letter_site, "weekly/2/desk@example.com.eml").as_string()
    write_note(letter_site, "The third.\n", "3.md")
    letter_site.post("third", date="2026-12-02")
    letter_site.publish(NOW + 2 * WEEK)
    assert "The third." in message(letter_site, "weekly/3/desk@example.com.eml").as_string()


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("---\npin: nowhere.md\n---\n", "letters/weekly/next.md:2: 'nowhere.md' is not a public post"),
        (
            "---\nsubject: x\nskip: frist\n---\n",
            "letters/weekly/next.md:3: 'frist' is not a public post, or was announced",
        ),
        ("---\nsubjet: x\n---\n", "letters/weekly/next.md:2: subjet: unknown key; a note has subject, pin and skip"),
        ("---\npin: [[a]]\n---\n", "letters/weekly/next.md:2: pin: write a post's path or a list of paths"),
        ("---\npin: [a\n---\n", "letters/weekly/next.md:3: broken front matter"),
    ],
)
def test_an_invalid_note_stops_only_its_issue(letter_site, text, error):
    """An invalid note is an error with file and line; feeds are written, and the fixed note lets the issue be sent."""
    write_note(letter_site, text)
    report = letter_site.publish()
    assert (report.issues, "feeds/atom.xml" in report.written) == ([], True)
    assert report.errors[0].startswith(error)
    write_note(letter_site, "Well.\n")
    assert [i.state for i in letter_site.publish().issues] == ["sent"]


# Long letters and whole posts ---------------------------------------------------------------------------------------


def sizes(site, path):
    raw = (site.folder / ".feeds/outbox" / path).read_bytes()
    html = list(message_from_bytes(raw, policy=policy.default).iter_parts())[1]
    return len(html.get_content().encode()), len(html.get_payload().encode())


def test_a_letter_may_have_a_whole_post(letter_site):
    """With `template = "letter"`, the whole post is in both parts, with code and tables, styled for mail."""
    letter_site.configure((CONFIG + NEWSLETTER).replace("copy_to", 'template = "letter"\ncopy_to'))
    table, code = "| a | b |\n|---|---|\n| 1 | 2 |", "```\ncode\n```"
    body = f"# One\n\nWords `here`, [there](/there) and more.\n\n{table}\n\n{code}\n\n<script>x</script>\n\nThe end.\n"
    letter_site.post("whole", body, date="2026-11-22")
    letter_site.publish()
    text, html = (p.get_content() for p in message(letter_site, "weekly/1/desk@example.com.eml").iter_parts())
    assert "Words here, there [1] and more." in text
    assert "a  b\n-  -\n1  2\n\n    code\n\nThe end.\n\n[1] https://example.com/there\n" in text.replace("\r\n", "\n")
    assert "The end." in text
    assert "The end." in html
    assert "<table style=" in html
    assert "white-space:pre-wrap" in html
    assert "<script" not in html
    assert "first" in html


LONG_POSTS = {
    "many paragraphs": "\n\n".join(f"{n} {'words ' * 60}" for n in range(400)),
    "Japanese": "\n\n".join(f"{n} {'言葉を書く。' * 60}" for n in range(400)),
    "one paragraph": " ".join(f"{n} {'words ' * 60}" for n in range(400)) + "words " * 25_000 + "399 ",
    "one list": "\n".join(f"- {n} {'words ' * 60}" for n in range(400)),
}


@pytest.mark.parametrize("body", LONG_POSTS.values(), ids=LONG_POSTS)
def test_a_long_post_is_cut_where_mail_programs_would_cut_it(letter_site, body):
    """Of a post that is too long both parts have the same beginning, and say so; its page on the web is complete."""
    letter_site.configure((CONFIG + NEWSLETTER).replace("copy_to", 'template = "letter"\ncopy_to'))
    letter_site.post("whole", body, date="2026-11-22")
    letter_site.publish()
    path = "weekly/1/desk@example.com.eml"
    assert 60_000 < max(sizes(letter_site, path)) < 100_000
    text, html = (part.get_content() for part in message(letter_site, path).iter_parts())
    for part in (text, html):
        assert "This letter is shortened" in part
        assert ("50 " in part, "399 " in part) == (True, False)
    assert len(text) < len(html)
    page = letter_site.read("public/newsletters/weekly/1/index.html")
    assert ("399 " in page, "This letter is shortened" in page) == (True, False)


def test_a_digest_that_is_too_long_has_fewer_stories(letter_site):
    """If a digest is too long, some stories are listed by title or wait for the next issue."""
    letter_site.configure((CONFIG + NEWSLETTER).replace("copy_to", "max_posts = 500\ncopy_to"))
    letter_site.publish()
    for n in range(300):
        letter_site.post(f"p{n}", "word " * 60 + f"{n}.", date="2026-11-25")
    first = letter_site.publish(NOW + WEEK).issues[0]
    assert 20 < first.posts < 250
    assert max(sizes(letter_site, "weekly/2/desk@example.com.eml")) < 100_000
    second = letter_site.publish(NOW + 2 * WEEK).issues[0]
    assert second.posts >= 300 - first.posts - 20 or second.posts > 20


def test_the_issue_of_a_removed_newsletter_is_not_sent(letter_site):
    """If a newsletter is removed from config.toml, its unfinished issue is an error and not sent."""
    letter_site.publish()
    with open_store(letter_site.config.store_url, letter_site.folder) as store:
        store.database.connection.execute("UPDATE issues SET state = 'sending'")  # a crash in the middle
    letter_site.configure((CONFIG + NEWSLETTER).replace('name = "weekly"', 'name = "other"'))
    assert "config.toml has no such newsletter any more" in " ".join(letter_site.publish().errors)


def test_a_letter_says_everything_in_both_parts(letter_site):
    """Both parts have title, link, excerpt, reading time and unsubscribe address, in the newsletter's language."""
    letter_site.configure((CONFIG + NEWSLETTER).replace("copy_to", 'language = "ja"\ncopy_to'))
    letter_site.post("題名", "本文です。", reading_time=8, lang="ja", categories="[投資分析]", date="2026-11-21")
    subscribe.add_subscriber(letter_site.config, "ada@example.org", [], lang=None, now=NOW, again=False)
    letter_site.publish()
    found = message(letter_site, "weekly/1/ada@example.org.eml")
    for kind in ("plain", "html"):
        text = found.get_body((kind,)).get_content()
        for words in (
            "題名",
            "本文です。",
            "8分で読めます",
            "first",
            "https://example.com/2026/11/20/first/",
            "mailto:desk@example.com",
        ):
            assert words in text, (kind, words)
    page = letter_site.read("public/newsletters/weekly/1/index.html")
    assert "8分で読めます" in page
    assert "mailto:" not in page
    assert "ada@" not in page


@pytest.mark.usefixtures("databases")
def test_a_subscriber_who_unsubscribes_before_sending_gets_no_letter(letter_site):
    """A subscriber who unsubscribes after the issue was frozen gets no letter; the others do, and it is finished."""
    config = letter_site.config
    subscribe.add_subscriber(config, "ada@example.org", [], lang=None, now=NOW, again=False)
    create_private_folder(letter_site.folder / ".feeds")
    (letter_site.folder / ".feeds/outbox").write_text("in the way", "utf-8")
    report = letter_site.publish()
    assert [i.state for i in report.issues] == ["sending"]
    assert len(report.errors) == 1
    subscribe.remove_subscriber(config, "ada@example.org", NOW)
    (letter_site.folder / ".feeds/outbox").unlink()
    assert [i.state for i in letter_site.publish().issues] == ["sent"]
    assert letter_site.letters() == ["weekly/1/desk@example.com.eml"]


@pytest.mark.usefixtures("databases")
def test_a_deleted_page_is_written_again_as_it_was_sent(letter_site):
    """The deleted page of an issue is written again as it was sent, though its post has changed."""
    letter_site.publish()
    page = letter_site.folder / "public/newsletters/weekly/1/index.html"
    before = page.read_bytes()
    page.unlink()
    letter_site.post("first", title="Renamed")
    letter_site.publish()
    assert page.read_bytes() == before


def test_an_international_site_sends_letters(letter_site):
    """The headers of a site with an international domain name have it as punycode."""
    letter_site.configure((CONFIG + NEWSLETTER).replace("https://example.com/", "https://日本.example/"))
    assert [i.state for i in letter_site.publish().issues] == ["sent"]
    found = message(letter_site, "weekly/1/desk@example.com.eml")
    assert found["List-Archive"] == "<https://xn--wgv71a.example/newsletters/weekly/>"


def test_a_page_that_cannot_be_written_stops_nothing_else(letter_site):
    """A page that cannot be written is an error; other files are written, and the issue waits for its page."""
    letter_site.post("first", categories="[X]")
    (letter_site.folder / "public").mkdir()
    blocked = letter_site.folder / "public" / "newsletters"
    blocked.write_text("a file where a folder should be", "utf-8")
    report = letter_site.publish()
    assert [len(report.errors), report.issues[0].state] == [4, "sending"]
    assert "newsletters/weekly/1/index.html" in report.errors[0]
    assert "feeds/index.html" in report.written
    blocked.unlink()
    assert [i.state for i in letter_site.publish().issues] == ["sent"]
    shutil.rmtree(blocked / "weekly" / "1")
    (blocked / "weekly" / "1").write_text("in the way", "utf-8")
    report = letter_site.publish()
    assert len(report.errors) == 1
    assert report.issues == []


# Outside the schedule ----------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("databases")
def test_an_issue_may_go_out_now(letter_site, feeds):
    """`feeds send` sends an issue outside the schedule; the next slot still gets its issue."""
    letter_site.publish()
    letter_site.post("second", date="2026-11-23")
    done = feeds("send", "weekly", "--now", "2026-11-24T10:00Z")
    assert (done.returncode, "weekly 2: 1 post to 1 recipient, sent" in done.stdout) == (0, True)
    assert feeds("send", "daily").returncode == 1
    letter_site.post("third", date="2026-11-25")
    assert [i.number for i in letter_site.publish(NOW + WEEK).issues] == [3]


def test_a_test_message_is_sent_alone_and_changes_nothing(letter_site, feeds):
    """`feeds send --test` writes one message; the issue that subscribers get afterwards has the same posts."""
    done = feeds("send", "weekly", "--test", "me@example.com", "--now", "2026-11-23T12:00Z")
    said = "weekly 1 to me@example.com, as a test: saved as test/weekly/1/me@example.com.eml"
    assert (done.returncode, done.stdout.strip()) == (0, said)
    assert message(letter_site, "test/weekly/1/me@example.com.eml")["Subject"] == "[Test] first"
    assert not (letter_site.folder / ".feeds/feeds.db").exists()
    assert [(i.number, i.posts) for i in letter_site.publish().issues] == [(1, 1)]
    empty = feeds("send", "weekly", "--test", "me@example.com", "--now", "2026-11-30T12:00Z")
    assert (empty.returncode, "weekly has nothing to send" in empty.stderr) == (1, True)


def test_pages_of_issues_link_to_their_neighbours(letter_site):
    """The page of an issue links to its neighbours at top and end, and has Open Graph tags; letters have neither."""
    for n in range(3):
        letter_site.post(f"p{n}", date=f"2026-11-{22 + n}", image="/a.png")
        letter_site.publish(NOW + n * WEEK)
    pages = [letter_site.read(f"public/newsletters/weekly/{n}/index.html") for n in (1, 2, 3)]
    links = [re.findall(r'rel="(prev|next|index)" href="([^"]*)"', page) for page in pages]
    assert [len(found) for found in links] == [4, 6, 4]
    found = [sorted(set(found)) for found in links]
    here = "https://example.com/newsletters/weekly/"
    assert found[0] == [("index", here), ("next", f"{here}2/")]
    assert found[1] == [("index", here), ("next", f"{here}3/"), ("prev", f"{here}1/")]
    assert found[2] == [("index", here), ("prev", f"{here}2/")]
    assert 'property="og:title" content="p1"' in pages[1]
    assert 'property="og:image" content="https://example.com/a.png"' in pages[1]
    html = list(message(letter_site, "weekly/2/desk@example.com.eml").iter_parts())[1].get_content()
    assert "og:" not in html
    assert "feeds:" not in html.replace("https://", "")


def test_a_newsletter_has_a_theme(letter_site):
    """A theme sets colours, logo, fonts and width, and the site's own folder overrides a part of the templates."""
    theme = (
        '[newsletters.theme]\naccent = "#7a2e2e"\nwidth = 500\nlogo = "https://example.com/l.png"\nlogo_alt = "L"\n'
        'headline_font = "Georgia, serif"\n'
    )
    letter_site.configure((CONFIG + NEWSLETTER).replace("[mail]", f"{theme}[mail]"))
    foot = letter_site.folder / "templates" / "letter" / "foot.mjml"
    foot.parent.mkdir(parents=True)
    part = '<mj-text>Mine, <a href="{{ letter.unsubscribe_url }}">bye</a></mj-text>'
    foot.write_text(f"<mj-section><mj-column>{part}</mj-column></mj-section>", "utf-8")
    letter_site.publish()
    html = list(message(letter_site, "weekly/1/desk@example.com.eml").iter_parts())[1].get_content()
    for said in ("#7a2e2e", "540px", 'src="https://example.com/l.png" alt="L"', "Georgia, serif", "Mine,"):
        assert said in html
    assert "#0a5a78" not in html


WITHOUT_LINK = {
    "a foot": ("letter/foot.mjml", "<mj-section><mj-column><mj-text>Bye</mj-text></mj-column></mj-section>"),
    "a foot whose link is hidden": (
        "letter/foot.mjml",
        '<mj-raw><p style="display:none"><a href="{{ letter.unsubscribe_url }}">x</a></p></mj-raw>',
    ),
    "a digest without its foot": (
        "digest.mjml",
        "<mjml><mj-body>{% include 'letter/masthead.mjml' %}</mj-body></mjml>",
    ),
    "a foot of the text part": ("letter/foot.txt", "Bye\n"),
    "a text part without its foot": ("digest.txt", "{{ letter.title }}\n"),
}


@pytest.mark.parametrize(("name", "template"), WITHOUT_LINK.values(), ids=WITHOUT_LINK)
def test_a_template_without_an_unsubscribe_link_stops_its_letter(letter_site, name, template):
    """If subscribers could not unsubscribe, the template is an error and nothing is sent; feeds are published."""
    file = letter_site.folder / "templates" / name
    file.parent.mkdir(parents=True)
    file.write_text(template, "utf-8")
    subscribe.add_subscriber(letter_site.config, "ada@example.org", [], lang=None, now=NOW, again=False)
    report = letter_site.publish()
    assert (report.exit_code, report.issues, letter_site.letters()) == (1, [], [])
    [error] = report.errors
    assert error.startswith(f"templates/{name}: ")
    assert "{{ letter.unsubscribe_url }}" in error
    assert "feeds/atom.xml" in report.written
    file.unlink()
    assert [issue.state for issue in letter_site.publish().issues] == ["sent"]


def test_copies_need_no_unsubscribe_link(letter_site):
    """A template without an unsubscribe link stops no issue that has no subscribers."""
    (letter_site.folder / "templates").mkdir()
    (letter_site.folder / "templates" / "digest.txt").write_text("{{ letter.title }}", "utf-8")
    assert [issue.state for issue in letter_site.publish().issues] == ["sent"]


def test_a_sponsor_is_named_and_link_parameters_are_added(letter_site):
    """A sponsor's text is in both parts under a label; link parameters are in letters only."""
    more = (
        'sponsor = "**They** pay. [Look](https://they.example/)."\nlink_parameters = { utm_source = "w", a = "b c" }\n'
    )
    letter_site.configure((CONFIG + NEWSLETTER).replace("copy_to", f"{more}copy_to"))
    letter_site.publish()
    text, html = (p.get_content() for p in message(letter_site, "weekly/1/desk@example.com.eml").iter_parts())
    assert text.index("Sponsored") < text.index("They pay. Look [1].\r\n\r\n[1] https://they.example/")
    assert html.index("Sponsored") < html.index("<strong>They</strong> pay.")
    assert "/first/?utm_source=w&a=b+c" in text
    assert "/first/?utm_source=w&amp;a=b+c" in html
    page = letter_site.read("public/newsletters/weekly/1/index.html")
    assert ("Sponsored" in page, "utm_source" in page) == (True, False)
    assert "utm_source" not in letter_site.read("public/newsletters/weekly/atom.xml")
