"""How much may leave, and when."""

from datetime import timedelta

import pytest

from feeds.edges.store.database import open_store
from tests.conftest import CONFIG, NEWSLETTER, NOW
from tests.mailing import URL, Mailing, addresses
from tests.mailing import subscribe as join
from tests.smtpserver import SmtpServer, at

FIVE = ", ".join(f'"r{n}@example.com"' for n in range(5))


def limited(site, limit):
    site.configure(CONFIG + NEWSLETTER.replace('"desk@example.com"]', f"{FIVE}]", 1) + limit)


def test_no_more_leave_in_a_day_than_may(letter_site):
    """The others follow when the first of them is a day old; nobody is lost."""
    limited(letter_site, "per_day = 3\n")
    report = letter_site.publish()
    assert (len(letter_site.letters()), report.issues[0].state, report.exit_code) == (3, "sending", 3)
    assert "weekly 1: 2 of 5 wait; the next try is due at 2026-11-24 12:00 UTC" in report.later
    assert report.next_try_at == NOW + timedelta(days=1)
    assert letter_site.publish(NOW + timedelta(hours=23)).issues[0].state == "sending"
    assert len(letter_site.letters()) == 3
    assert letter_site.publish(NOW + timedelta(days=1, seconds=1)).issues[0].state == "sent"
    assert len(letter_site.letters()) == 5


def test_mail_leaves_in_its_hours(letter_site):
    """Before them it waits; feeds and pages do not."""
    limited(letter_site, 'hours = "13:00-14:00"\n')
    report = letter_site.publish()
    assert (letter_site.letters(), report.next_try_at) == ([], NOW + timedelta(hours=1))
    assert "feeds/atom.xml" in report.written
    assert "public/newsletters/weekly/1/index.html" in letter_site.files("public")
    assert letter_site.publish(NOW + timedelta(hours=1)).issues[0].state == "sent"


# The first part of an issue -----------------------------------------------------------------------------------------

READERS = 200


@pytest.fixture
def mailing(letter_site):
    """An issue of which two in a hundred go first."""
    with SmtpServer() as server:
        found = Mailing(letter_site, server)
        found.configure(mail='first_percent = 2\nfirst_pause = "20 min"\n')
        join(letter_site.folder, addresses(READERS))
        yield found


def test_some_get_it_first_and_the_others_when_nothing_bad_has_come_of_it(mailing):
    """After the pause, without anybody's doing."""
    report = mailing.publish()
    assert (len(mailing.server.accepted), report.exit_code) == (READERS // 50, 3)
    assert report.later[0] == "weekly 1: the first 4 are out, the rest follows at 12:20 UTC"
    assert report.next_try_at == NOW + timedelta(minutes=20)
    mailing.wait(minutes=19)
    mailing.publish()
    assert len(mailing.server.accepted) == READERS // 50
    mailing.wait(minutes=1)
    assert mailing.publish().exit_code == 0
    assert sorted(mailing.server.counts().elements()) == addresses(READERS)


def test_the_others_are_spared_what_the_first_refuse(mailing):
    """The issue is stopped; whoever says so sends the rest."""
    mailing.server.rule = lambda step: "550 5.1.1 no such user" if step.stage == "rcpt" and step.before == 0 else None
    report = mailing.publish()
    reason = "is stopped: 1 of the first 4 were refused, came back or complained; `feeds resume weekly` sends the rest"
    assert (report.errors, len(mailing.server.accepted)) == ([f"weekly 1: {reason}"], 3)
    assert len(report.alerts) == 1
    mailing.server.rule = at("rcpt", None)
    assert mailing.resume().exit_code == 0
    assert mailing.states() == {"sent": READERS - 1, "failed": 1}


def test_what_comes_back_in_the_pause_counts(mailing):
    """That is what it is for."""
    mailing.publish()
    with open_store(URL, mailing.site.folder) as store, store.bounces.transaction():
        first = store.deliveries._db.execute("SELECT id FROM deliveries WHERE state = 'sent'").fetchone()[0]  # noqa: SLF001 - as it lies there
        store.bounces.record_bounce(store.bounces.find_delivery(first), "complaint", "", "spam", mailing.at)
    mailing.wait(minutes=30)
    assert "1 of the first 4" in mailing.publish().errors[0]
    assert len(mailing.server.accepted) == READERS // 50


def test_an_issue_for_few_has_no_first_part(letter_site):
    """Nor has one that stays on this machine."""
    with SmtpServer() as server:
        mailing = Mailing(letter_site, server)
        mailing.configure(mail="first_percent = 2\n")
        join(letter_site.folder, addresses(20))
        assert mailing.publish().exit_code == 0
        assert len(server.accepted) == 20
