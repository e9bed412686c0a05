"""Retracted issues: nothing more of them is sent, and page and feeds get a notice."""

import json
import re
import sqlite3
from contextlib import closing
from datetime import timedelta

import feedparser
import pytest

from feeds.edges.process import lock
from feeds.edges.store.database import open_store
from feeds.errors import FeedsError, LockedError
from feeds.jobs.context import Context
from feeds.jobs.newsletters import retract
from tests.conftest import CONFIG, NEWSLETTER, NOW
from tests.mailing import Mailing, addresses
from tests.mailing import subscribe as join
from tests.smtpserver import SmtpServer, at
from tests.validity.atom import atom_faults, updated_faults
from tests.validity.jsonfeed import json_faults
from tests.validity.rss import rss_faults

WEEK = timedelta(days=7)
LATER = NOW + timedelta(hours=3)
HERE = "public/newsletters/weekly"
FORMATS = CONFIG.replace('["atom"]', '["atom", "rss", "json"]')


def context(at=LATER):
    return Context(clock=lambda: at, random_bytes=bytes)


def retract_issue(site, number=None, reason="", at=LATER):
    return retract.retract_issue(site.config, "weekly", number, reason, context(at))


def issues(site):
    with open_store(site.config.store_url, site.folder) as store:
        return store.issues.load_issues()


@pytest.fixture
def sent(letter_site):
    """A site whose first issue was sent, with feeds in all formats."""
    letter_site.configure(FORMATS + NEWSLETTER)
    letter_site.publish()
    return letter_site


@pytest.fixture
def mailing(letter_site):
    """A weekly newsletter with ten subscribers, sent through a server."""
    with SmtpServer() as server:
        found = Mailing(letter_site, server)
        found.configure()
        join(letter_site.folder, addresses(10))
        yield found


# Sending -----------------------------------------------------------------------------------------------------------


def test_a_running_sender_finds_nothing_more_to_send(mailing):
    """Retracting during a send cancels the rest at once; the message in flight is still recorded as sent."""
    done = []

    def rule(step):
        if step.stage == "content" and step.before == 4 and not done:
            done.append(retract_issue(mailing.site, reason="Wrong"))

    mailing.server.rule = rule
    report = mailing.publish()
    mailing.check()
    assert mailing.states() == {"sent": 5, "cancelled": 5}
    assert mailing.answers() == {"retracted": 5}
    assert (done[0].cancelled, done[0].report.exit_code) == (6, 0)
    assert [(i.number, i.state) for i in report.issues] == [(1, "sent")]
    assert "Wrong" in mailing.site.read(f"{HERE}/1/index.html")
    assert "Wrong" in mailing.site.read(f"{HERE}/atom.xml")
    assert [(i.sent, i.recipients) for i in issues(mailing.site)] == [(5, 10)]


@pytest.mark.usefixtures("databases")
def test_cancelled_deliveries_stay_cancelled(mailing):
    """Deferred deliveries of a retracted issue stay cancelled after `feeds resume` and after undoing the retraction."""
    mailing.server.rule = lambda step: "451 4.3.0 later" if step.stage == "rcpt" and step.before > 3 else None
    mailing.publish()
    assert retract_issue(mailing.site).cancelled == 6
    mailing.server.rule = at("rcpt", None)
    retract.undo_retraction(mailing.site.config, "weekly", None, context())
    mailing.wait(hours=5)
    assert mailing.resume().exit_code == 0
    assert len(mailing.server.accepted) == 4
    assert mailing.answers() == {"retracted": 6}


@pytest.mark.usefixtures("databases")
def test_a_halted_issue_can_be_retracted(mailing):
    """A halted issue can be retracted; it is finished then, and a publish reports nothing about it."""
    mailing.publish(stopping=lambda: True)
    with open_store(mailing.site.config.store_url, mailing.site.folder) as store:
        store.deliveries.halt(1, "20 deliveries in a row were refused")
    assert retract_issue(mailing.site).cancelled == 10
    assert (mailing.publish().exit_code, mailing.state()) == (0, "sent")


@pytest.mark.usefixtures("databases")
def test_its_posts_stay_announced(sent):
    """The posts of a retracted issue stay announced: the next issue has only new ones."""
    retract_issue(sent)
    assert sent.publish(NOW + WEEK).issues == []
    sent.post("second", date="2026-11-25")
    assert [(i.number, i.posts) for i in sent.publish(NOW + WEEK).issues] == [(2, 1)]


# The notice ----------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("databases")
def test_page_and_feeds_get_a_notice_and_keep_the_text(sent):
    """Page and feeds get a notice with date and reason above the unchanged text; other files do not change."""
    before = sent.files("public")
    page = before[f"{HERE}/1/index.html"].decode()
    done = retract_issue(sent, reason="The  <b>numbers</b>\n were wrong")
    assert (done.issue.retracted_at, done.issue.retraction) == (LATER, "The <b>numbers</b> were wrong")
    after = sent.files("public")
    new_page = after[f"{HERE}/1/index.html"].decode()
    notice = re.search(r"<body[^>]*>(<aside.*?</aside>\n)", new_page, re.DOTALL)[1]
    assert new_page.replace(notice, "") == page
    assert 'role="note" aria-label="Note on this issue" lang="en" dir="ltr"' in notice
    assert "<strong>This issue was retracted on November 23, 2026.</strong>" in notice
    assert "The &lt;b&gt;numbers&lt;/b&gt; were wrong" in notice
    changed = {name for name in after if after[name] != before.get(name)}
    assert changed - {"public/feeds/feeds.opml", "public/feeds/index.html"} == {
        *(f"{HERE}/{name}" for name in ("1/index.html", "index.html", "atom.xml", "rss.xml", "feed.json")),
    }
    assert "Retracted: first" in after[f"{HERE}/index.html"].decode()
    assert "<bdi>The weekly</bdi>: <bdi>Retracted: first</bdi>" in after["public/feeds/index.html"].decode()


def test_a_retracted_issue_is_not_newer(sent):
    """A retraction changes the date on the newsletter's page, but not the date of its newest issue in all feeds."""
    retract_issue(sent, at=NOW + timedelta(days=2))
    assert 'data-label="Newest">November 23, 2026' in sent.read("public/feeds/index.html")
    assert "updated November 25, 2026" in sent.read(f"{HERE}/index.html")


def test_feeds_with_a_retraction_are_valid(sent):
    """Atom, RSS and JSON are valid: the title has the retraction, the content its reason above the text."""
    before = feedparser.parse(sent.read(f"{HERE}/atom.xml")).entries[0]
    retract_issue(sent, reason="Wrong numbers")
    atom, rss, feed = (sent.folder / HERE / name for name in ("atom.xml", "rss.xml", "feed.json"))
    assert atom_faults(atom.read_bytes()) + updated_faults(atom.read_bytes()) == []
    assert rss_faults(rss.read_bytes()) + json_faults(feed.read_bytes()) == []
    entry = feedparser.parse(atom.read_text("utf-8")).entries[0]
    assert (entry.id, entry.published, entry.title) == (before.id, before.published, "Retracted: first")
    assert (entry.updated, before.updated) == ("2026-11-23T15:00:00+00:00", "2026-11-23T08:00:00+00:00")
    [item] = json.loads(feed.read_text("utf-8"))["items"]
    assert (item["title"], item["date_modified"]) == ("Retracted: first", "2026-11-23T15:00:00+00:00")
    of_rss = feedparser.parse(rss.read_text("utf-8")).entries[0]
    assert of_rss.title == "Retracted: first"
    for html in (entry.content[0].value, item["content_html"], of_rss.summary):
        assert html.index("was retracted on November 23, 2026") < html.index("Wrong numbers") < html.index("/first/")
        assert "style" not in html


@pytest.mark.parametrize(
    ("lang", "direction", "text", "title"),
    [
        ("ja", "ltr", "この号は2026年11月23日に撤回されました。", "【撤回】first"),
        ("de", "ltr", "Diese Ausgabe wurde am 23. November 2026 zurückgezogen.", "Zurückgezogen: first"),
        ("ar", "rtl", "سُحب هذا العدد في 23 نوفمبر 2026.", "مسحوب: first"),
    ],
)
def test_the_notice_is_in_the_newsletters_language(letter_site, lang, direction, text, title):
    """The notice is in the newsletter's language and direction, whatever the site's."""
    letter_site.configure(CONFIG + NEWSLETTER.replace("copy_to", f'language = "{lang}"\ncopy_to'))
    letter_site.publish()
    retract_issue(letter_site)
    page = letter_site.read(f"{HERE}/1/index.html")
    assert text in page
    assert '<aside role="note" aria-label="' in page
    assert f'lang="{lang}" dir="{direction}"' in page[page.index("<aside") : page.index("</aside>")]
    assert title in letter_site.read(f"{HERE}/atom.xml")


@pytest.mark.usefixtures("databases")
def test_a_retraction_is_undone_without_a_trace(sent):
    """Undoing a retraction restores every file byte for byte; an issue that is not retracted is an error."""
    before = sent.files("public")
    retract_issue(sent, reason="A mistake")
    assert sent.files("public") != before
    done = retract.undo_retraction(sent.config, "weekly", None, context())
    assert (done.issue.retracted_at, done.issue.retraction) == (None, "")
    assert sent.files("public") == before
    with pytest.raises(FeedsError, match="weekly 1 was not retracted"):
        retract.undo_retraction(sent.config, "weekly", 1, context())
    with lock.lock_site(sent.folder), pytest.raises(LockedError):
        retract.undo_retraction(sent.config, "weekly", 1, context())


@pytest.mark.usefixtures("databases")
def test_a_lost_page_is_written_with_the_notice(sent):
    """If a page is deleted or overwritten, or the cache is not used, the next publish writes it with the notice."""
    retract_issue(sent, reason="Wrong")
    page = sent.folder / HERE / "1" / "index.html"
    with_notice = page.read_bytes()
    page.unlink()
    sent.publish()
    assert page.read_bytes() == with_notice
    page.write_bytes(b"<html><body>old</body></html>")
    sent.publish(use_cache=False)
    assert page.read_bytes() == with_notice


@pytest.mark.parametrize("page", ["", "<HTML><BODY CLASS=old><p>Sent", "<p>Sent"])
def test_a_page_of_another_tool_gets_the_notice(sent, page):
    """A page of another tool, adopted with `feeds store adopt`, gets the notice at the top of its body."""
    with closing(sqlite3.connect(sent.folder / ".feeds/feeds.db")) as db, db:
        db.execute("UPDATE contents SET page = ?", (page,))
    retract_issue(sent, reason="Wrong")
    html = sent.read(f"{HERE}/1/index.html")
    assert html.index("Wrong") < (html.index("<p>Sent") if page else len(html))
    assert html.lower().startswith("<html><body class=old>" if "BODY" in page else '<div class="bg"')


def test_files_are_deployed_with_the_notice(sent):
    """`publish.after` runs after the notice was written to page and feed."""
    after = "cp -r public/newsletters deployed-`ls -d deployed* | wc -l`"
    sent.configure(f'{FORMATS}[publish]\nafter = "{after}"\n{NEWSLETTER}')
    retract_issue(sent, reason="Wrong numbers")
    assert "Wrong numbers" in sent.read("deployed-0/weekly/1/index.html")
    assert "Wrong numbers" in sent.read("deployed-0/weekly/atom.xml")


# Which issue -------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("databases")
def test_the_newest_issue_is_retracted_unless_a_number_is_given(sent):
    """Without a number the newest issue is retracted; a second retraction replaces the reason only if one is given."""
    sent.post("second", date="2026-11-25")
    sent.publish(NOW + WEEK)
    assert retract_issue(sent).issue.number == 2
    assert retract_issue(sent, 1, "First").issue.number == 1
    assert [i.retraction for i in issues(sent)] == ["First", ""]
    again = retract_issue(sent, 1, at=LATER + WEEK).issue
    assert (again.retracted_at, again.retraction) == (LATER, "First")
    again = retract_issue(sent, 1, "Second", at=LATER + WEEK).issue
    assert (again.retracted_at, again.retraction) == (LATER + WEEK, "Second")


def test_an_issue_that_was_not_sent_cannot_be_retracted(letter_site):
    """An issue that waits for approval, an unknown issue and an unknown newsletter cannot be retracted."""
    letter_site.configure((CONFIG + NEWSLETTER).replace("copy_to", "approve = true\ncopy_to"))
    with pytest.raises(FeedsError, match="there is no issue of weekly; `feeds issues` lists all"):
        retract_issue(letter_site)
    letter_site.publish()
    for number in (None, 1):
        with pytest.raises(FeedsError, match="weekly 1 waits for approval and was not sent; `feeds cancel weekly`"):
            retract_issue(letter_site, number)
    with pytest.raises(FeedsError, match="there is no issue 2 of weekly"):
        retract_issue(letter_site, 2)
    with pytest.raises(FeedsError, match="there is no newsletter 'daily'; known here: weekly"):
        retract.retract_issue(letter_site.config, "daily", None, "", context())


def test_an_issue_without_a_page_can_be_retracted(letter_site):
    """Without an archive, an issue is retracted and no page is written."""
    letter_site.configure((CONFIG + NEWSLETTER).replace("copy_to", 'archive = "off"\ncopy_to'))
    letter_site.publish()
    assert retract_issue(letter_site).report.exit_code == 0
    assert not (letter_site.folder / HERE).exists()


def test_the_commands_report_a_retraction(sent, feeds):
    """`feeds retract`, `feeds issues` and `feeds status` report the retraction, as text and JSON."""
    done = feeds("retract", "weekly", "1", "--reason", "Wrong")
    assert (done.returncode, done.stdout.splitlines()[0]) == (0, "weekly 1 is retracted")
    assert "\tsent, retracted\t" in feeds("issues").stdout
    assert re.search(r"  retracted on \d{4}-\d\d-\d\d \d\d:\d\d UTC: Wrong\n", feeds("status").stdout)
    [found] = map(json.loads, feeds("status", "--json").stdout.splitlines())
    assert (found["retraction"], found["corrects"], found["state"]) == ("Wrong", None, "sent")
    first, summary = map(json.loads, feeds("retract", "weekly", "--undo", "--json").stdout.splitlines())
    assert (first["number"], first["retracted_at"], first["ended"]) == (1, None, 0)
    assert summary["issues"] == []
    feeds("retract", "weekly")
    assert "weekly 1 is no longer retracted" in feeds("retract", "weekly", "--undo").stdout
    assert feeds("retract", "weekly", "--undo", "--reason", "x").returncode == 2
    assert feeds("retract", "weekly", "--undo").returncode == 1
