"""Alerts, each reported once."""

from datetime import timedelta

import pytest

from feeds.edges.mail.smtp import sender
from feeds.edges.store.database import open_store
from tests.conftest import CONFIG, NEWSLETTER, NOW
from tests.mailing import Mailing, addresses, configured
from tests.mailing import subscribe as join
from tests.smtpserver import SmtpServer, at

HOUR = timedelta(hours=1)


@pytest.fixture
def server():
    with SmtpServer() as found:
        yield found


def alerts(site):
    """Return the lines that the operator's command got."""
    file = site.folder / "alerts"
    return file.read_text("utf-8").splitlines() if file.exists() else []


def with_alert(text):
    return text.replace("[feeds]", '[publish]\nalert = "cat >> alerts"\n[feeds]')


def test_an_issue_that_cannot_be_composed_is_reported_after_an_hour(letter_site):
    """An issue that cannot be composed for an hour is reported once, in the exit code and to the command."""
    letter_site.configure(with_alert(CONFIG + NEWSLETTER))
    letter_site.publish()
    letter_site.post("second", date="2026-11-25")
    slot = NOW.replace(hour=8) + timedelta(days=7)
    (letter_site.folder / "templates").mkdir()
    (letter_site.folder / "templates" / "digest.txt").write_text("{{ nonsense(", "utf-8")
    report = letter_site.publish(slot + HOUR / 2)
    assert (len(report.errors), report.alerts, alerts(letter_site)) == (1, [], [])
    for later in (1.5, 2, 2.5):
        report = letter_site.publish(slot + later * HOUR)
        assert (len(report.errors), report.alerts, report.exit_code) == (1, [], 1)
    [line] = alerts(letter_site)
    assert line.startswith("weekly: the issue due at 2026-11-30 08:00 UTC could not be composed: ")
    assert "digest.txt" in line


@pytest.mark.usefixtures("databases")
def test_an_issue_with_deferred_deliveries_is_not_reported(letter_site, server):
    """An issue that was offered to a server is not reported, though its deliveries are deferred for hours."""
    mailing = Mailing(letter_site, server)
    letter_site.configure(with_alert(configured(server)))
    join(letter_site.folder, addresses(2))
    server.rule = at("rcpt", "451 4.3.0 later")
    mailing.publish()
    mailing.wait(hours=2)
    report = mailing.publish()
    assert (report.alerts, report.exit_code) == ([], 3)
    assert alerts(letter_site) == []


def test_an_issue_whose_servers_are_unavailable_is_reported_after_an_hour(letter_site, server, monkeypatch):
    """An issue whose servers are unavailable for an hour is reported once, with exit code 1; later runs exit with 3."""
    monkeypatch.setattr(sender, "_PAUSES", (0.0, 0.01, 0.01))
    mailing = Mailing(letter_site, server)
    letter_site.configure(with_alert(configured(server, host="127.0.0.1", port=1)))
    join(letter_site.folder, addresses(2))
    assert mailing.publish().exit_code == 3
    mailing.wait(minutes=61)
    report = mailing.publish()
    line = "weekly 1 was due at 2026-11-23 08:00 UTC and nothing of it was sent; `feeds publish` prints the reason"
    assert (report.alerts, report.exit_code, alerts(letter_site)) == ([line], 1, [line])
    assert (mailing.publish().exit_code, alerts(letter_site)) == (3, [line])


@pytest.mark.usefixtures("databases")
def test_a_halted_issue_and_a_paused_domain_are_reported_at_once(letter_site, server):
    """A halted issue and a paused domain are reported at once, with a command that helps."""
    mailing = Mailing(letter_site, server)
    letter_site.configure(with_alert(configured(server)))
    join(letter_site.folder, addresses(100))
    server.rule = at("rcpt", "550 5.7.1 policy")
    report = mailing.publish()
    assert alerts(letter_site) == report.alerts
    halted, paused = report.alerts
    assert halted.startswith("weekly 1 is halted: 20 deliveries in a row were refused")
    assert halted.endswith("`feeds resume weekly` resumes it")
    assert paused.startswith("example.org gets no letters until ")
    assert "`feeds bounces --believe example.org` applies them" in paused
    assert (report.errors, report.warnings, report.exit_code) == ([], [], 1)
    again = mailing.publish()
    assert (len(again.errors), again.alerts) == (1, [])


def test_a_command_that_fails_is_reported(letter_site, server):
    """If the operator's command fails, this is an error, and the report still has the alerts."""
    mailing = Mailing(letter_site, server)
    letter_site.configure(with_alert(configured(server)).replace("cat >> alerts", "echo no such command >&2; exit 7"))
    join(letter_site.folder, addresses(100))
    server.rule = at("rcpt", "550 5.7.1 policy")
    report = mailing.publish()
    assert len(report.alerts) == 2
    assert report.errors[-1].startswith("publish.alert: 'echo no such command")


@pytest.mark.usefixtures("databases")
def test_an_alert_is_forgotten_after_a_quarter(site):
    """An alert is reported again after 90 days, so that the table does not grow without end."""
    with open_store(site.config.store_url, site.folder) as store:
        assert store.alerts.record("a", NOW)
        assert not store.alerts.record("a", NOW + timedelta(days=89))
        assert store.alerts.record("b", NOW + timedelta(days=91))
        assert store.alerts.record("a", NOW + timedelta(days=91))
