"""Checks before mail is sent externally."""

import json
import os
import shutil
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from feeds.config import load_config
from feeds.edges.mail.smtp import server_pace
from feeds.jobs.newsletters import send_checks
from feeds.jobs.newsletters.send_now import send_now
from feeds.jobs.publish import publish
from feeds.jobs.site import Site
from tests.conftest import CONFIG, NEWSLETTER, NOW, asked
from tests.smtpserver import OFFERS, SmtpServer, at, no_fault

#: This name is not registered, and is not looked up here: the mail servers are on this machine.
HOST = "letters.example.museum"
EXTERNAL = CONFIG.replace("https://example.com/", f"https://{HOST}/")
OWN = NEWSLETTER.replace("example.com", HOST)
BOUNCES = f'[mail.bounces]\naddress = "bounces@{HOST}"\nmailbox = "maildir:bounces"\n'
SECOND = '[[mail.servers]]\nhost = "{}"'
NO_WAY = (
    "there is no way to unsubscribe: set web.url, where `feeds serve` or `feeds run` answers, or mail.bounces, a"
    ' mailbox that Feeds reads, or mail.unsubscribe = "reply", if you remove by hand everybody who writes to'
    " mail.reply_to"
)
OFFLINE = "[publish]\nwait_for_site = false\n"


@pytest.fixture(autouse=True)
def short_waits(monkeypatch):
    """A server that takes no more is waited for only for hundredths of a second."""
    monkeypatch.setattr(server_pace, "_WAITS", (0.01, 0.02, 300))


@pytest.fixture
def server():
    """A mail server that says "later" to everything, so that issues are frozen and stay unsent."""
    with SmtpServer(at("mail", "451 4.3.0 later")) as running:
        yield running


def configure(site, server, *, url=EXTERNAL, more=BOUNCES, publish=OFFLINE, newsletter=OWN, **smtp):
    keys = {"port": server.port} | smtp
    lines = "".join(
        f'{key} = "{value}"\n' if isinstance(value, str) else f"{key} = {value}\n" for key, value in keys.items()
    )
    site.configure(f'{url}{publish}{newsletter}transport = "smtp"\n[mail.smtp]\n{lines}{more}')
    for name in ("new", "cur", "tmp"):
        (site.folder / "bounces" / name).mkdir(parents=True, exist_ok=True)


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


def test_an_issue_without_a_way_to_unsubscribe_is_not_sent(letter_site, server):
    """Without a way to unsubscribe nothing is frozen; with a bounce mailbox the issue is sent."""
    configure(letter_site, server, more="")
    report = letter_site.publish(yes=True)
    assert report.issues == []
    assert report.errors == [f"weekly 1 is not sent: {NO_WAY}"]
    configure(letter_site, server)
    report = letter_site.publish(yes=True)
    assert ([issue.state for issue in report.issues], report.exit_code) == (["sending"], 3)


@pytest.mark.parametrize(
    "way",
    ['[web]\nurl = "https://letters.example.museum/"\n', 'unsubscribe = "reply"\n', BOUNCES],
)
def test_each_way_to_unsubscribe_is_enough(letter_site, server, way):
    """A web server, replies that the editor reads, or a bounce mailbox: with any of them the issue is sent."""
    configure(letter_site, server, more="")
    config = letter_site.read("config.toml")
    is_mail = way.startswith("unsubscribe")
    letter_site.configure(config.replace("[mail]\n", f"[mail]\n{way}") if is_mail else config + way)
    report = letter_site.publish(yes=True)
    assert ([issue.state for issue in report.issues], report.errors) == (["sending"], [])


def test_a_page_for_unsubscribing_without_https_is_not_sent(letter_site, server):
    """An issue whose unsubscribe page has no https is not sent, since mail providers would not use the page."""
    configure(letter_site, server, more='[web]\nurl = "http://letters.example.museum/"\n')
    report = letter_site.publish(yes=True)
    [error] = report.errors
    assert error.startswith("weekly 1 is not sent: web.url is 'http://letters.example.museum/', and one-click")
    assert error.endswith(" needs https: put a proxy before it")


def test_all_reasons_are_reported_together(letter_site, server):
    """One error has every reason why an issue is not sent, also that its posts are not online."""
    configure(
        letter_site, server, url=EXTERNAL.replace(HOST, "127.0.0.1:9").replace("https", "http"), more="", publish=""
    )
    site = letter_site.read("config.toml").replace(
        'transport = "smtp"', 'transport = "sendmail"\nsendmail = "/nowhere"'
    )
    letter_site.configure(site)
    [error] = letter_site.publish().errors
    missing = "http://127.0.0.1:9/2026/11/20/first/ does not respond: [Errno 111] Connection refused"
    assert error.split("; ") == [
        f"weekly 1 is not sent: {NO_WAY}",
        "mail.sendmail: the command /nowhere does not exist",
        "it would be the first issue sent by sendmail (`feeds publish --yes` sends it)",
        f"it would wait for the site, since {missing} (publish.wait_for_site)",
    ]


@pytest.mark.usefixtures("databases")
def test_the_first_external_issue_needs_a_confirmation(letter_site, server):
    """The first external issue needs a confirmation: at a terminal by an answer, without one by `--yes`."""
    configure(letter_site, server)
    report = letter_site.publish()
    assert (report.issues, report.errors) == (
        [],
        ["weekly 1 is not sent: it would be the first issue sent by smtp (`feeds publish --yes` sends it)"],
    )
    sent = send_now(letter_site.config, "weekly", NOW, asked()[1])
    assert sent.errors[0].endswith("(`feeds send weekly --yes` sends it)")
    for answer in (False, True):
        report = letter_site.publish(confirm=lambda _, answer=answer: answer)
        assert (bool(report.issues), report.errors) == (answer, [])


def test_the_question_shows_what_is_sent(letter_site, server):
    """The question has the subject, the number of posts and recipients, and the first three titles."""
    configure(letter_site, server)
    for day in range(14, 18):
        letter_site.post(f"post {day}", date=f"2026-11-{day}")
    questions = []
    letter_site.publish(confirm=questions.append)
    assert questions[0].splitlines() == [
        "weekly 1, “first”: 5 posts to 1 recipient",
        "  first",
        "  post 17",
        "  post 16",
        "  and 2 more",
        "It would be the first issue sent by smtp.",
        "Send it?",
    ]


def test_a_later_issue_needs_a_confirmation_only_before_it_is_due(letter_site, server):
    """Later issues need no confirmation, unless `--now` is in the future."""
    configure(letter_site, server)
    letter_site.publish(yes=True)
    letter_site.post("second", date="2026-11-25")
    week = NOW + timedelta(days=7)
    ahead = letter_site.publish(week, clock=lambda: NOW)
    assert "weekly 2 is not sent: it would be sent before it is due (--now 2026-11-30 12:00 UTC)" in " ".join(
        ahead.errors
    )
    assert [(i.number, i.state) for i in letter_site.publish(week).issues] == [(1, "sending"), (2, "sending")]


# What sending needs -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("break_it", "reason"),
    [
        (lambda folder: shutil.rmtree(folder / "bounces"), "bounces: the mailbox does not exist"),
        (lambda folder: (folder / "bounces" / "new").rmdir(), "bounces: the mailbox does not exist"),
    ],
)
def test_the_first_issue_is_not_sent_without_the_bounce_mailbox(letter_site, server, break_it, reason):
    """Before the first issue the bounce mailbox is opened; nothing is frozen if it cannot be read."""
    configure(letter_site, server)
    break_it(letter_site.folder)
    report = letter_site.publish(yes=True)
    assert report.issues == []
    assert report.errors == [f"weekly 1 is not sent: the bounce mailbox cannot be read: {letter_site.folder}/{reason}"]


@pytest.mark.parametrize(
    ("rule", "smtp", "reason"),
    [
        (at("greeting", "421 4.3.2 later"), {}, "replied 421 4.3.2 later"),
        (at("auth", "535 5.7.8 wrong"), {"user": "desk"}, "rejects user and password: 535 5.7.8 wrong"),
        (no_fault, {"security": "starttls"}, "STARTTLS extension not supported by server. Check its keys"),
    ],
)
def test_the_first_issue_is_not_sent_without_a_mail_server(letter_site, server, monkeypatch, rule, smtp, reason):
    """Before the first issue each mail server is logged in to; nothing is frozen if one refuses."""
    monkeypatch.setenv("FEEDS_SMTP_PASSWORD", "secret")
    configure(letter_site, server, **smtp)
    server.rule, server.offers = rule, (*OFFERS, "AUTH PLAIN")
    [error] = publish_with_environment(letter_site)
    assert error.startswith(f"weekly 1 is not sent: the mail server 127.0.0.1:{server.port}")
    assert reason in error
    assert not (letter_site.folder / "public/newsletters/weekly/1").exists()


def publish_with_environment(site):
    """Return the errors of a publish that has the passwords of the environment."""
    config = load_config(site.folder / "config.toml", os.environ)
    return publish(config, *asked(yes=True)).errors


def test_every_server_is_tried(letter_site, server):
    """With several servers, each that cannot be used is named."""
    second = '[[mail.servers]]\nhost = "127.0.0.1"\nport = 9\n'
    configure(letter_site, server, more=BOUNCES + second)
    assert letter_site.publish(yes=True).errors == [
        "weekly 1 is not sent: the mail server 127.0.0.1:9 cannot be reached: [Errno 111] Connection refused"
    ]


def test_a_later_issue_does_not_open_them_first(letter_site, server):
    """Once an issue was sent by a transport, a mailbox that is away for a moment keeps no issue back."""
    configure(letter_site, server)
    letter_site.publish(yes=True)
    letter_site.post("second", date="2026-11-25")
    shutil.rmtree(letter_site.folder / "bounces")
    report = letter_site.publish(NOW + timedelta(days=7))
    assert ([issue.number for issue in report.issues], report.errors) == ([1, 2], [])


def test_check_opens_what_sending_needs(letter_site, feeds, server):
    """`feeds check` reports mail servers and mailboxes that cannot be used, before anything is sent."""

    def opened():
        """Return the errors about servers and mailboxes."""
        found = [json.loads(line) for line in feeds("check", "--json").stdout.splitlines()]
        return [one for one in found if one["why"].startswith("letters could not be sent")]

    configure(letter_site, server)
    assert opened() == []
    configure(letter_site, server, port=9)
    shutil.rmtree(letter_site.folder / "bounces")
    found = {one["where"].rpartition(" ")[2]: one["what"] for one in opened()}
    assert found["mail"] == "the mail server 127.0.0.1:9 cannot be reached: [Errno 111] Connection refused"
    assert found["mail.bounces.mailbox"].endswith("/bounces: the mailbox does not exist")


@pytest.mark.usefixtures("databases")
def test_an_old_database_sends_nothing(letter_site, server):
    """If `public/` has an issue that the database does not know, nothing is sent, while feeds are published."""
    configure(letter_site, server, url=CONFIG)
    letter_site.publish()
    letter_site.lose_store()
    report = letter_site.publish()
    assert report.issues == []
    assert "public/newsletters/ contains issue 1, but the database has none" in report.errors[0]
    assert report.unchanged > 0


def test_an_issue_waits_until_the_web_shows_it(letter_site, server):
    """An issue waits until the web serves its page, its posts, the feeds, and the page to unsubscribe."""
    served = set()

    class Web(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200 if self.path in served else 404)
            self.end_headers()

        def log_message(self, *_):
            pass

    web = ThreadingHTTPServer(("127.0.0.1", 0), Web)
    Thread(target=web.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{web.server_port}/"
    # A command may send to anybody, so the site is not a test.
    configure(letter_site, server, url=CONFIG.replace("https://example.com/", url), publish="")
    sendmail = 'transport = "sendmail"\nsendmail = "/bin/false"'
    letter_site.configure(letter_site.read("config.toml").replace('transport = "smtp"', sendmail))
    try:
        report = letter_site.publish(yes=True)
        assert [issue.state for issue in report.issues] == ["waiting"]
        assert report.exit_code == 3
        assert f"weekly 1: waits for the site: {url}feeds/ returns HTTP 404, and 2 more" in report.later
        served |= {"/feeds/", "/newsletters/weekly/1/", "/2026/11/20/first/"}
        letter_site.configure(f'{letter_site.read("config.toml")}[web]\nurl = "https://127.0.0.1:9/"\n')
        report = letter_site.publish(yes=True)
        unsubscribe = "https://127.0.0.1:9/preferences does not respond: [Errno 111] Connection refused"
        assert report.later == [f"weekly 1: waits for the site: {unsubscribe}"]
        letter_site.configure(letter_site.read("config.toml").partition("[web]")[0])
        report = letter_site.publish(yes=True)
        assert [issue.state for issue in report.issues] == ["sending"]
        assert "/bin/false ended with exit code 1" in report.errors[0]
    finally:
        web.shutdown()
        web.server_close()
