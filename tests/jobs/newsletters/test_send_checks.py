"""Checks before mail is sent externally."""

from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from feeds.jobs.newsletters import send_checks
from feeds.jobs.site import Site
from tests.conftest import CONFIG, NEWSLETTER, NOW

#: This name is not registered, and is not looked up here: the port of the server refuses connections.
EXTERNAL = CONFIG.replace("https://example.com/", "https://letters.example.museum/")
BOUNCES = '[mail.bounces]\naddress = "bounces@example.com"\nmailbox = "maildir:bounces"\n'
SMTP = 'transport = "smtp"\n[mail.smtp]\nport = 9\n'
SECOND = '[[mail.servers]]\nhost = "{}"'


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch):
    """The sender gives up without waiting if a server is unavailable."""
    monkeypatch.setattr("feeds.edges.mail.smtp.sender._PAUSES", (0.0,))


def configure(site, url=EXTERNAL, more="", publish="[publish]\nwait_for_site = false\n"):
    site.configure(f"{url}{publish}{NEWSLETTER}{SMTP}{more}")


@pytest.mark.parametrize(
    ("url", "mail", "expected"),
    [
        ("https://blog.example.museum/", 'transport = "smtp"', True),
        ("https://example.com/", 'transport = "smtp"', False),
        ("https://a.test/", 'transport = "smtp"', False),
        ("http://127.0.0.1:8000/", 'transport = "smtp"', False),
        ("https://example.com/", 'transport = "smtp"\n[mail.smtp]\nhost = "relay.example.museum"', True),
        ("https://example.com/", f'transport = "smtp"\n[mail.smtp]\n{SECOND.format("localhost")}', False),
        ("https://example.com/", f'transport = "smtp"\n[mail.smtp]\n{SECOND.format("relay.example.museum")}', True),
        ("https://example.com/", f'transport = "outbox"\n[mail.smtp]\n{SECOND.format("relay.example.museum")}', False),
        ("https://example.com/", 'transport = "sendmail"', True),
        ("https://blog.example.museum/", 'transport = "maildir"', False),
        ("https://blog.example.museum/", "", False),
        ("https://notexample.com/", 'transport = "smtp"', True),
    ],
)
def test_mail_is_external_unless_it_is_local_or_a_test(site, url, mail, expected):
    """Mail is external unless a folder gets it, or a site with a reserved name sends to servers on this machine."""
    site.configure(CONFIG.replace("https://example.com/", url) + f"[mail]\n{mail}\n")
    assert send_checks.sends_externally(Site(site.config)) is expected


def test_an_issue_without_a_way_to_unsubscribe_is_not_sent(letter_site):
    """Without a way to unsubscribe nothing is frozen; with a bounce mailbox the issue is sent."""
    configure(letter_site)
    report = letter_site.publish(yes=True)
    assert report.issues == []
    assert "there is no way to unsubscribe: set mail.bounces" in report.errors[0]
    configure(letter_site, more=BOUNCES)
    report = letter_site.publish(yes=True)
    assert [issue.state for issue in report.issues] == ["sending"]
    assert (report.exit_code, "cannot be reached" in report.later[0]) == (3, True)


@pytest.mark.parametrize("answer", [True, False])
def test_the_first_external_issue_needs_a_confirmation(letter_site, answer):
    """The first external issue needs a confirmation: at a terminal by an answer, without one by `--yes`."""
    configure(letter_site, more=BOUNCES)
    report = letter_site.publish()
    assert report.issues == []
    assert "weekly 1 would be the first issue sent by smtp; `feeds publish --yes` sends it" in report.errors[0]
    asked = []
    report = letter_site.publish(confirm=lambda question: asked.append(question) or answer)
    assert asked == ["Send weekly 1 to 1 recipients, which would be the first issue sent by smtp?"]
    assert bool(report.issues) is answer
    assert report.errors == []


def test_a_later_issue_needs_a_confirmation_only_before_it_is_due(letter_site):
    """Later issues need no confirmation, unless `--now` is in the future."""
    configure(letter_site, more=BOUNCES)
    letter_site.publish(yes=True)
    letter_site.post("second", date="2026-11-25")
    week = NOW + timedelta(days=7)
    ahead = letter_site.publish(week, clock=lambda: NOW)
    assert "weekly 2 would be sent before it is due (--now 2026-11-30 12:00)" in " ".join(ahead.errors)
    assert [(i.number, i.state) for i in letter_site.publish(week).issues] == [(1, "sending"), (2, "sending")]


def test_an_old_database_sends_nothing(letter_site):
    """If `public/` has an issue that the database does not know, nothing is sent, while feeds are published."""
    configure(letter_site, url=CONFIG)
    letter_site.publish()
    (letter_site.folder / ".feeds/feeds.db").unlink()
    report = letter_site.publish()
    assert report.issues == []
    assert "public/newsletters/ contains issue 1, but the database has none" in report.errors[0]
    assert report.unchanged > 0


def test_an_issue_waits_until_the_web_shows_it(letter_site):
    """An issue waits until the web serves its page, its posts and the feeds of this site."""
    served = set()

    class Web(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200 if self.path in served else 404)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Web)
    Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/"
    relay = '[mail.smtp]\nhost = "relay.invalid"\n'
    config = f'{CONFIG.replace("https://example.com/", url)}{NEWSLETTER}transport = "smtp"\n{relay}{BOUNCES}'
    letter_site.configure(config)
    try:
        report = letter_site.publish(yes=True)
        assert [issue.state for issue in report.issues] == ["waiting"]
        assert report.exit_code == 3
        assert f"weekly 1: waits for the site: {url}feeds/ returns HTTP 404, and 2 more" in report.later
        served |= {"/feeds/", "/newsletters/weekly/1/", "/2026/11/20/first/"}
        report = letter_site.publish(yes=True)
        assert [issue.state for issue in report.issues] == ["sending"]
        assert "relay.invalid:25 cannot be reached" in report.later[0]
    finally:
        server.shutdown()
        server.server_close()
