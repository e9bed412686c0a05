"""Limits: letters in a day, hours, and the first batch."""

from datetime import timedelta

import pytest

from feeds.edges.store.database import open_store
from feeds.jobs.context import Context
from feeds.jobs.subscribers import subscribe
from feeds.jobs.subscribers.service_mail import new_service_mail
from feeds.model import ServiceMailKind
from tests.conftest import CONFIG, NEWSLETTER, NOW
from tests.mailing import Mailing, addresses
from tests.mailing import subscribe as join
from tests.smtpserver import SmtpServer, at

FIVE = ", ".join(f'"r{n}@example.com"' for n in range(5))


def limited(site, limit):
    site.configure(CONFIG + NEWSLETTER.replace('"desk@example.com"]', f"{FIVE}]", 1) + limit)


@pytest.mark.usefixtures("databases")
def test_no_more_is_sent_in_a_day_than_allowed(letter_site):
    """With `per_day`, the rest is sent when the first letters are a day old; no letter is lost."""
    limited(letter_site, "per_day = 3\n")
    report = letter_site.publish()
    assert (len(letter_site.letters()), report.issues[0].state, report.exit_code) == (3, "sending", 3)
    assert "weekly 1: 2 of 5 deliveries wait; the next try is due at 2026-11-24 12:00 UTC" in report.later
    assert report.next_try_at == NOW + timedelta(days=1)
    assert letter_site.publish(NOW + timedelta(hours=23)).issues[0].state == "sending"
    assert len(letter_site.letters()) == 3
    assert letter_site.publish(NOW + timedelta(days=1, seconds=1)).issues[0].state == "sent"
    assert len(letter_site.letters()) == 5


def queue_links(site, number, now=NOW):
    """Queue mails with a link to the preferences, as for readers who asked for one."""
    values = {"url": "https://letters.example.com/preferences/x"}
    context = Context(clock=lambda: now, random_bytes=bytes)
    with open_store(site.config.store_url, site.config.folder) as store:
        for at in range(number):
            to = f"asked{at}@example.org"
            expires_at = now + timedelta(days=1)
            kind = ServiceMailKind.PREFERENCES
            mail = new_service_mail(kind, to, to, context, values=values, expires_at=expires_at)
            store.service_mails.add(mail, now)


@pytest.mark.parametrize(("limit", "links", "letters"), [(3, 1, 2), (3, 2, 1), (3, 3, 0), (3, 5, 0), (9, 2, 5)])
def test_mail_to_single_persons_counts_and_is_sent_first(letter_site, limit, links, letters):
    """Mail outside of issues is sent first, whatever the limit, and leaves letters the rest of `per_day`."""
    limited(letter_site, f"per_day = {limit}\n")
    queue_links(letter_site, links)
    letter_site.publish()
    found = letter_site.letters()
    assert (sum("mail/" in path for path in found), sum("weekly/1/" in path for path in found)) == (links, letters)


@pytest.mark.usefixtures("databases")
def test_letters_never_hold_back_mail_to_single_persons(letter_site):
    """With `per_day` used up by letters, mail outside of issues is sent at once, and counts."""
    limited(letter_site, "per_day = 3\n")
    letter_site.publish()
    later = NOW + timedelta(hours=1)
    queue_links(letter_site, 2, later)
    report = letter_site.publish(later)
    assert sum("mail/" in path for path in letter_site.letters()) == 2
    assert report.next_try_at == NOW + timedelta(days=1)
    letter_site.publish(NOW + timedelta(days=1, seconds=1))
    assert sum("weekly/1/" in path for path in letter_site.letters()) == 4
    letter_site.publish(later + timedelta(days=1, seconds=1))
    assert sum("weekly/1/" in path for path in letter_site.letters()) == 5


def test_mail_is_sent_in_its_hours(letter_site):
    """Outside `hours` letters wait, while feeds and pages are written."""
    limited(letter_site, 'hours = "13:00-14:00"\n')
    report = letter_site.publish()
    assert (letter_site.letters(), report.next_try_at) == ([], NOW + timedelta(hours=1))
    assert "feeds/atom.xml" in report.written
    assert "public/newsletters/weekly/1/index.html" in letter_site.files("public")
    assert letter_site.publish(NOW + timedelta(hours=1)).issues[0].state == "sent"


# The first batch ---------------------------------------------------------------------------------------------------

READERS = 200


@pytest.fixture
def mailing(letter_site):
    """An issue of which 2 % are sent first."""
    with SmtpServer() as server:
        found = Mailing(letter_site, server)
        found.configure(mail='first_percent = 2\nfirst_pause = "20 min"\n')
        join(letter_site.folder, addresses(READERS))
        yield found


@pytest.mark.usefixtures("databases")
def test_the_rest_follows_a_good_first_batch_after_a_pause(mailing):
    """With `first_percent`, the rest is sent after the pause if the first batch was not refused."""
    report = mailing.publish()
    assert (len(mailing.server.accepted), report.exit_code) == (READERS // 50, 3)
    assert report.later[0] == "weekly 1: the first 4 deliveries are sent; the rest follows at 2026-11-23 12:20 UTC"
    assert report.next_try_at == NOW + timedelta(minutes=20)
    mailing.wait(minutes=19)
    mailing.publish()
    assert len(mailing.server.accepted) == READERS // 50
    mailing.wait(minutes=1)
    assert mailing.publish().exit_code == 0
    assert sorted(mailing.server.counts().elements()) == addresses(READERS)


def test_a_refused_first_batch_halts_the_issue(mailing):
    """If the first batch is refused, the issue is halted; `feeds resume` sends the rest."""
    mailing.server.rule = lambda step: "550 5.1.1 no such user" if step.stage == "rcpt" and step.before == 0 else None
    report = mailing.publish()
    reason = "1 of the first 4 deliveries was refused, bounced or got a complaint"
    assert report.alerts == [f"weekly 1 is halted: {reason}; `feeds resume weekly` resumes it"]
    assert (report.errors, report.exit_code, len(mailing.server.accepted)) == ([], 1, 3)
    mailing.server.rule = at("rcpt", None)
    assert mailing.resume().exit_code == 0
    assert mailing.states() == {"sent": READERS - 1, "failed": 1}


@pytest.mark.usefixtures("databases")
def test_a_complaint_during_the_pause_halts_the_issue(mailing):
    """A bounce or complaint during the pause halts the issue too."""
    mailing.publish()
    with open_store(mailing.site.config.store_url, mailing.site.folder) as store, store.bounces.transaction():
        first = store.database.connection.execute("SELECT id FROM deliveries WHERE state = 'sent'").fetchone()[0]
        store.bounces.record_bounce(store.bounces.find_delivery(first), "complaint", "", "spam", mailing.at)
    mailing.wait(minutes=30)
    assert "1 of the first 4" in mailing.publish().alerts[0]
    assert len(mailing.server.accepted) == READERS // 50


def test_a_small_issue_has_no_first_batch(letter_site):
    """An issue with few recipients has no first batch."""
    with SmtpServer() as server:
        mailing = Mailing(letter_site, server)
        mailing.configure(mail="first_percent = 2\n")
        join(letter_site.folder, addresses(20))
        assert mailing.publish().exit_code == 0
        assert len(server.accepted) == 20


def test_a_first_batch_that_is_put_off_is_tried_again_later(mailing):
    """If every delivery of the first batch is put off, the run ends and nothing else is sent until one has arrived."""
    mailing.server.rule = at("rcpt", "451 4.3.0 later")
    report = mailing.publish()
    assert (report.exit_code, mailing.server.accepted) == (3, [])
    assert mailing.states() == {"deferred": READERS // 50, "ready": READERS - READERS // 50}
    mailing.server.rule = at("rcpt", None)
    mailing.wait(minutes=2)
    mailing.publish()
    assert len(mailing.server.accepted) == READERS // 50


def test_a_first_batch_of_people_who_left_is_skipped(mailing):
    """If all of the first batch unsubscribe before the issue is sent, they count neither as refused nor as sent."""
    mailing.server.rule = at("greeting", "421 4.3.2 later")
    mailing.publish()
    first = [one.recipient for n, one in enumerate(mailing.deliveries(), 1) if n % 50 == 0]
    for email in first:
        subscribe.remove_subscriber(mailing.site.config, email, NOW)
    mailing.server.rule = at("greeting", None)
    mailing.wait(hours=1)
    assert mailing.publish().exit_code == 0
    assert mailing.states() == {"sent": READERS - len(first), "cancelled": len(first)}
