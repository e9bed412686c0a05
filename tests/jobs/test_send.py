"""Issues and letters, on a real site."""

from datetime import timedelta
from email import message_from_bytes, policy

import pytest

from feeds.edges.store.opening import opened
from feeds.errors import AddressError, FeedsError
from feeds.jobs import subscribe
from tests.conftest import CONFIG, NEWSLETTER, NOW

WEEK = timedelta(days=7)


def message(site, path):
    return message_from_bytes((site.folder / "outbox" / path).read_bytes(), policy=policy.default)


def announced(site, number):
    return message(site, f"weekly/{number}/desk@example.com.eml")["Subject"]


def test_the_first_issue_goes_out_at_once_and_only_once(letter_site):
    """Due at its last slot, one message a recipient, a page for the web; a second pass sends nothing."""
    report = letter_site.publish()
    assert [(i.newsletter, i.number, i.posts, i.recipients, i.state) for i in report.issues] == [
        ("weekly", 1, 1, 1, "sent")
    ]
    assert letter_site.letters() == ["weekly/1/desk@example.com.eml"]
    assert "first" in letter_site.read("public/newsletters/weekly/1/index.html")
    assert letter_site.publish().issues == []
    assert letter_site.publish(NOW + WEEK).issues == []


def test_a_new_post_is_told_in_the_next_issue_and_never_again(letter_site):
    """Renamed and edited it is still the same post."""
    letter_site.publish()
    file = letter_site.post("second", "The text of it. " * 20, date="2026-11-25")
    assert [i.number for i in letter_site.publish(NOW + WEEK).issues] == [2]
    assert announced(letter_site, 2) == "second"
    file.rename(file.with_name("third.md"))
    assert letter_site.publish(NOW + 2 * WEEK).issues == []
    letter_site.post("third", "Other words altogether.", date="2026-11-25", title="New title")
    assert letter_site.publish(NOW + 3 * WEEK).issues == []


def test_a_back_catalogue_is_never_mailed(letter_site):
    """What was public when the newsletter began counts as announced."""
    letter_site.configure((CONFIG + NEWSLETTER).replace("copy_to", "max_posts = 1\ncopy_to"))
    for n in range(3):
        letter_site.post(f"old{n}", date=f"2026-11-1{n}")
    letter_site.publish()
    assert announced(letter_site, 1) == "first"
    assert letter_site.publish(NOW + WEEK).issues == []


def test_a_slot_without_readers_or_posts_is_not_used_up(letter_site):
    """The posts wait."""
    letter_site.configure((CONFIG + NEWSLETTER).replace('copy_to = ["desk@example.com"]', ""))
    assert letter_site.publish().issues == []
    subscribe.add(letter_site.config, "ada@example.org", [], lang=None, now=NOW, again=False)
    assert [i.recipients for i in letter_site.publish(NOW + timedelta(hours=1)).issues] == [1]


def test_a_reader_gets_what_the_desk_gets_and_a_way_to_leave(letter_site):
    """Readers carry a List-Unsubscribe, copies none; an address in both lists is a reader."""
    for email in ("ada@example.org", "Desk@example.com"):
        subscribe.add(letter_site.config, email, [], lang=None, now=NOW, again=False)
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


def test_who_has_left_gets_nothing_and_is_not_brought_back_by_accident(letter_site):
    """Only when somebody says that they asked for it."""
    config = letter_site.config
    subscribe.add(config, "ada@example.org", [], lang=None, now=NOW, again=False)
    assert subscribe.remove(config, "ADA@example.org", NOW)
    letter_site.publish()
    assert letter_site.letters() == ["weekly/1/desk@example.com.eml"]
    with pytest.raises(FeedsError, match=r"ada@example\.org is unsubscribed; if this person asked"):
        subscribe.add(config, "ada@example.org", [], lang=None, now=NOW, again=False)
    assert subscribe.add(config, "ada@example.org", [], lang=None, now=NOW, again=True).status == "active"


def test_people_subscribe_to_what_there_is(letter_site):
    """An unknown newsletter, a wrong address or language is refused in words."""
    config = letter_site.config
    with pytest.raises(FeedsError, match="there is no newsletter 'daily'; known here: weekly"):
        subscribe.add(config, "ada@example.org", ["daily"], lang=None, now=NOW, again=False)
    with pytest.raises(AddressError):
        subscribe.add(config, "ada", [], lang=None, now=NOW, again=False)
    with pytest.raises(FeedsError, match="--lang"):
        subscribe.add(config, "ada@example.org", [], lang="klingonish", now=NOW, again=False)
    assert not subscribe.remove(config, "ada@example.org", NOW)
    assert subscribe.everybody(config) == ()


def test_a_missed_slot_is_caught_up_once(letter_site):
    """However many were missed, and only within `catch_up`."""
    letter_site.publish()
    letter_site.post("second", date="2026-11-25")
    late = NOW + 3 * WEEK
    assert letter_site.publish(late + timedelta(hours=9)).issues == []
    assert [i.number for i in letter_site.publish(late + WEEK).issues] == [2]
    with opened("sqlite:///feeds.db", letter_site.folder) as store:
        assert [i.slot.day for i in store.memory.issues()] == [23, 21]


def test_the_archive_may_be_unlisted_or_off(letter_site):
    """Unlisted has a page that nothing points to; off has none."""
    for archive, page, listed in (("unlisted", True, False), ("off", False, False), ("public", True, True)):
        for name in letter_site.files("public", "outbox"):
            (letter_site.folder / name).unlink()
        (letter_site.folder / "feeds.db").unlink(missing_ok=True)
        letter_site.configure((CONFIG + NEWSLETTER).replace("copy_to", f'archive = "{archive}"\ncopy_to'))
        letter_site.publish()
        assert (letter_site.folder / "public/newsletters/weekly/1/index.html").exists() is page
        assert ("newsletters/weekly/1/" in letter_site.read("public/feeds/index.html")) is listed
        found = message(letter_site, "weekly/1/desk@example.com.eml")
        assert (found["List-Archive"] is not None) is listed
        assert ("newsletters/weekly/1/" in found.get_body(("plain",)).get_content()) is page


def test_a_newsletter_that_wants_approval_composes_nothing_yet(letter_site):
    """Nobody could approve it, so nothing may go out."""
    letter_site.configure((CONFIG + NEWSLETTER).replace("copy_to", "approve = true\ncopy_to"))
    assert letter_site.publish().issues == []


def test_a_newsletter_that_is_gone_from_the_config_is_not_finished_blindly(letter_site):
    """Its unsent letters wait until somebody decides."""
    letter_site.publish()
    with opened("sqlite:///feeds.db", letter_site.folder) as store:
        store.memory._db.exec_driver_sql("UPDATE issues SET state = 'sending'")  # noqa: SLF001 - a crash in the middle
        store.memory._db.commit()  # noqa: SLF001
    letter_site.configure((CONFIG + NEWSLETTER).replace('name = "weekly"', 'name = "other"'))
    assert "config.toml has no such newsletter any more" in " ".join(letter_site.publish().errors)


def test_a_letter_says_everything_in_both_parts(letter_site):
    """Titles, links, excerpts, reading time and how to leave; in the newsletter's language."""
    letter_site.configure((CONFIG + NEWSLETTER).replace("copy_to", 'language = "ja"\ncopy_to'))
    letter_site.post("題名", "本文です。", reading_time=8, lang="ja", categories="[投資分析]", date="2026-11-21")
    subscribe.add(letter_site.config, "ada@example.org", [], lang=None, now=NOW, again=False)
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


def test_who_leaves_while_a_letter_is_waiting_does_not_get_it(letter_site):
    """Also when the issue was frozen before; the others get theirs, and the issue ends."""
    config = letter_site.config
    subscribe.add(config, "ada@example.org", [], lang=None, now=NOW, again=False)
    (letter_site.folder / "outbox").write_text("in the way", "utf-8")
    report = letter_site.publish()
    assert [i.state for i in report.issues] == ["sending"]
    assert len(report.errors) == 1
    subscribe.remove(config, "ada@example.org", NOW)
    (letter_site.folder / "outbox").unlink()
    assert [i.state for i in letter_site.publish().issues] == ["sent"]
    assert letter_site.letters() == ["weekly/1/desk@example.com.eml"]


def test_an_issues_page_comes_back_as_it_was_sent(letter_site):
    """Whoever cleans `public/` loses nothing."""
    letter_site.publish()
    page = letter_site.folder / "public/newsletters/weekly/1/index.html"
    before = page.read_bytes()
    page.unlink()
    letter_site.post("first", title="Renamed")
    letter_site.publish()
    assert page.read_bytes() == before


def test_an_international_site_sends_letters(letter_site):
    """Headers hold its name as punycode."""
    letter_site.configure((CONFIG + NEWSLETTER).replace("https://example.com/", "https://日本.example/"))
    assert [i.state for i in letter_site.publish().issues] == ["sent"]
    found = message(letter_site, "weekly/1/desk@example.com.eml")
    assert found["List-Archive"] == "<https://xn--wgv71a.example/feeds/>"


def test_a_page_that_cannot_be_written_stops_nothing_else(letter_site):
    """On its way or long sent: an error for each file, and the feeds' page is still written."""
    letter_site.post("first", categories="[X]")
    (letter_site.folder / "public").mkdir()
    blocked = letter_site.folder / "public" / "newsletters"
    blocked.write_text("a file where a folder should be", "utf-8")
    report = letter_site.publish()
    assert [len(report.errors), report.issues[0].state] == [3, "sending"]
    assert "newsletters/weekly/1/index.html" in report.errors[0]
    assert "feeds/index.html" in report.written
    blocked.unlink()
    assert [i.state for i in letter_site.publish().issues] == ["sent"]
    (blocked / "weekly" / "1" / "index.html").unlink()
    (blocked / "weekly" / "1").rmdir()
    (blocked / "weekly" / "1").write_text("in the way", "utf-8")
    report = letter_site.publish()
    assert len(report.errors) == 1
    assert report.issues == []
