"""What is asked before mail goes out to the world."""

from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from feeds.jobs.newsletters import send_checks
from feeds.jobs.site import Site
from tests.conftest import CONFIG, NEWSLETTER, NOW

#: Nobody holds this name, and nobody here looks it up: nothing listens at the port of the server either.
WORLD = CONFIG.replace("https://example.com/", "https://letters.example.museum/")
LEAVING = '[mail.bounces]\naddress = "bounces@example.com"\nmailbox = "maildir:bounces"\n'
SMTP = 'transport = "smtp"\n[mail.smtp]\nport = 9\n'
SECOND = '[[mail.servers]]\nhost = "{}"'


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    """A server that is away is given up without waiting."""
    monkeypatch.setattr("feeds.edges.mail.smtp.sender._PAUSES", (0.0,))


def sending(site, url=WORLD, more="", publish="[publish]\nwait_for_site = false\n"):
    site.configure(f"{url}{publish}{NEWSLETTER}{SMTP}{more}")


@pytest.mark.parametrize(
    ("url", "mail", "leaves"),
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
def test_mail_leaves_unless_it_is_kept_or_a_trial(site, url, mail, leaves):
    """A trial has a name that nobody can hold, and all its servers on this machine."""
    site.configure(CONFIG.replace("https://example.com/", url) + f"[mail]\n{mail}\n")
    assert send_checks.sends_externally(Site(site.config)) is leaves


def test_a_letter_that_nobody_could_leave_stays_here(letter_site):
    """Nothing is frozen; with a mailbox where leaving is read it goes on."""
    sending(letter_site)
    report = letter_site.publish(yes=True)
    assert report.issues == []
    assert "readers could not leave: set mail.bounces" in report.errors[0]
    sending(letter_site, more=LEAVING)
    report = letter_site.publish(yes=True)
    assert [issue.state for issue in report.issues] == ["sending"]
    assert (report.exit_code, "cannot be reached" in report.later[0]) == (3, True)


@pytest.mark.parametrize("answer", [True, False])
def test_the_first_issue_that_leaves_wants_a_yes(letter_site, answer):
    """At a terminal somebody is asked; where nobody sits, it is an error that says how to say yes."""
    sending(letter_site, more=LEAVING)
    report = letter_site.publish()
    assert report.issues == []
    assert "weekly 1 would be the first to leave this machine; `feeds publish --yes` sends it" in report.errors[0]
    asked = []
    report = letter_site.publish(confirm=lambda question: asked.append(question) or answer)
    assert asked == ["Send weekly 1 to 1 recipients, which would be the first to leave this machine?"]
    assert bool(report.issues) is answer
    assert report.errors == []


def test_later_issues_go_by_themselves_but_never_ahead_of_their_time(letter_site):
    """A `--now` in the future sends what was meant for then."""
    sending(letter_site, more=LEAVING)
    letter_site.publish(yes=True)
    letter_site.post("second", date="2026-11-25")
    week = NOW + timedelta(days=7)
    ahead = letter_site.publish(week, clock=lambda: NOW)
    assert "weekly 2 would go out ahead of its time (--now 2026-11-30 12:00)" in " ".join(ahead.errors)
    assert [(i.number, i.state) for i in letter_site.publish(week).issues] == [(1, "sending"), (2, "sending")]


def test_a_store_that_has_forgotten_sends_nothing(letter_site):
    """Also on trial; feeds are published all the same."""
    sending(letter_site, url=CONFIG)
    letter_site.publish()
    (letter_site.folder / "feeds.db").unlink()
    report = letter_site.publish()
    assert report.issues == []
    assert "issue 1 lies in public/newsletters/, and the store knows none" in report.errors[0]
    assert report.unchanged > 0


def test_an_issue_waits_until_the_web_shows_it(letter_site):
    """Its page, its posts and the feeds, as far as they are of this site; then it goes out."""
    there = set()

    class Web(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200 if self.path in there else 404)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Web)
    Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/"
    relay = '[mail.smtp]\nhost = "relay.invalid"\n'
    config = f'{CONFIG.replace("https://example.com/", url)}{NEWSLETTER}transport = "smtp"\n{relay}{LEAVING}'
    letter_site.configure(config)
    try:
        report = letter_site.publish(yes=True)
        assert [issue.state for issue in report.issues] == ["waiting"]
        assert report.exit_code == 3
        assert f"weekly 1: waits for the site: {url}feeds/ returns HTTP 404, and 2 more" in report.later
        there |= {"/feeds/", "/newsletters/weekly/1/", "/2026/11/20/first/"}
        report = letter_site.publish(yes=True)
        assert [issue.state for issue in report.issues] == ["sending"]
        assert "relay.invalid:25 cannot be reached" in report.later[0]
    finally:
        server.shutdown()
        server.server_close()
