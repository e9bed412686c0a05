"""How much may leave, and when."""

from datetime import timedelta

from tests.conftest import CONFIG, NEWSLETTER, NOW

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
