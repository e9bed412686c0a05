"""What the operator is told, once."""

from datetime import timedelta

import pytest

from feeds.edges.mail.smtp import sender
from feeds.edges.store.database import open_store
from tests.conftest import CONFIG, NEWSLETTER, NOW
from tests.mailing import URL, Mailing, addresses, configured
from tests.mailing import subscribe as join
from tests.smtpserver import SmtpServer, at

HOUR = timedelta(hours=1)


@pytest.fixture
def server():
    with SmtpServer() as found:
        yield found


def alerted(site):
    """What the operator's command was given."""
    file = site.folder / "alerts"
    return file.read_text("utf-8").splitlines() if file.exists() else []


def with_alert(text):
    return text.replace("[feeds]", '[publish]\nalert = "cat >> alerts"\n[feeds]')


def test_an_issue_that_is_due_and_cannot_be_composed_is_told_after_an_hour(letter_site):
    """To the command and in the exit code, once, however many passes there are."""
    letter_site.configure(with_alert(CONFIG + NEWSLETTER))
    letter_site.publish()
    letter_site.post("second", date="2026-11-25")
    slot = NOW.replace(hour=8) + timedelta(days=7)
    (letter_site.folder / "templates").mkdir()
    (letter_site.folder / "templates" / "digest.txt").write_text("{{ nonsense(", "utf-8")
    report = letter_site.publish(slot + HOUR / 2)
    assert (len(report.errors), report.alerts, alerted(letter_site)) == (1, [], [])
    for later in (1.5, 2, 2.5):
        report = letter_site.publish(slot + later * HOUR)
        assert (len(report.errors), len(report.alerts)) == (1, int(later == 1.5))
    [line] = alerted(letter_site)
    assert line.startswith("weekly was due at 2026-11-30 08:00 UTC and is not on its way: ")
    assert "digest.txt" in line


def test_an_issue_of_which_nothing_has_left_is_told_after_an_hour(letter_site, server):
    """Of which something has left it is on its way."""
    mailing = Mailing(letter_site, server)
    letter_site.configure(with_alert(configured(server)))
    join(letter_site.folder, addresses(2))
    server.rule = at("rcpt", "451 4.3.0 later")
    mailing.publish()
    mailing.wait(hours=2)
    report = mailing.publish()
    assert (report.alerts, report.exit_code) == ([], 3)
    assert alerted(letter_site) == []


def test_an_issue_whose_servers_are_away_for_an_hour_is_told(letter_site, server, monkeypatch):
    """The exit code says that somebody has to look, once; then again that it is to be tried later."""
    monkeypatch.setattr(sender, "_PAUSES", (0.0, 0.01, 0.01))
    mailing = Mailing(letter_site, server)
    letter_site.configure(with_alert(configured(server, host="127.0.0.1", port=1)))
    join(letter_site.folder, addresses(2))
    assert mailing.publish().exit_code == 3
    mailing.wait(minutes=61)
    report = mailing.publish()
    line = "weekly 1 was due at 2026-11-23 08:00 UTC and is not on its way; `feeds publish` says why"
    assert (report.alerts, report.exit_code, alerted(letter_site)) == ([line], 1, [line])
    assert (mailing.publish().exit_code, alerted(letter_site)) == (3, [line])


def test_a_stopped_issue_and_a_paused_domain_are_told_at_once(letter_site, server):
    """With what to do about them."""
    mailing = Mailing(letter_site, server)
    letter_site.configure(with_alert(configured(server)))
    join(letter_site.folder, addresses(100))
    server.rule = at("rcpt", "550 5.7.1 policy")
    report = mailing.publish()
    assert alerted(letter_site) == report.alerts
    stopped, paused = report.alerts
    assert stopped.startswith("weekly 1 is stopped: 20 in a row were refused")
    assert stopped.endswith("`feeds resume weekly` goes on with it")
    assert paused.startswith("example.org gets no letters until ")


def test_a_command_that_fails_is_told_and_stops_nothing(letter_site, server):
    """The alert itself is in the report all the same."""
    mailing = Mailing(letter_site, server)
    letter_site.configure(with_alert(configured(server)).replace("cat >> alerts", "echo no such command >&2; exit 7"))
    join(letter_site.folder, addresses(100))
    server.rule = at("rcpt", "550 5.7.1 policy")
    report = mailing.publish()
    assert len(report.alerts) == 2
    assert report.errors[-1].startswith("publish.alert: 'echo no such command")


def test_what_was_told_is_forgotten_after_a_quarter(tmp_path):
    """Else it would grow for ever."""
    with open_store(URL, tmp_path) as store:
        assert store.alerts.record("a", NOW)
        assert not store.alerts.record("a", NOW + timedelta(days=89))
        assert store.alerts.record("b", NOW + timedelta(days=91))
        assert store.alerts.record("a", NOW + timedelta(days=91))
