"""Mail outside of any issue: the queue, the message, and what a kill or a server's answer does to it."""

import os
import re
import signal
import subprocess
import sys
from datetime import timedelta
from email import message_from_bytes, policy
from html import escape

import pytest

from feeds.edges.store.database import open_store
from feeds.jobs.context import Context
from feeds.jobs.site import Site
from feeds.jobs.subscribers.service_mail import new_service_mail, send_service_mails
from feeds.model import ServiceMailKind
from tests.conftest import CONFIG, NEWSLETTER, NOW
from tests.smtpserver import Fault, SmtpServer, at

URL = "https://letters.example.com/confirm/abc123"


def context(now=NOW):
    return Context(clock=lambda: now, random_bytes=bytes)


def queue(site, recipient="ada@example.org", kind=ServiceMailKind.CONFIRMATION, lang=None, now=NOW):
    values = {"url": URL, "titles": "The weekly"}
    mail = new_service_mail(
        kind, recipient, recipient, context(), lang=lang, values=values, expires_at=now + timedelta(days=1)
    )
    with open_store(site.config.store_url, site.config.folder) as store:
        store.service_mails.add(mail, now)


def send(site, now=NOW):
    return send_service_mails(Site(site.config), context(now))


def rows(site, columns="state, tries, answer, template_values"):
    with open_store(site.config.store_url, site.config.folder) as store:
        return store.database.connection.execute(f"SELECT {columns} FROM service_mails ORDER BY id").fetchall()


def by_smtp(site, server, more=""):
    smtp = f'transport = "smtp"\n{more}[mail.smtp]\nhost = "127.0.0.1"\nport = {server.port}\n'
    site.configure(CONFIG + NEWSLETTER + smtp)


@pytest.mark.parametrize("lang", ["en", "de", "ja", "ar"])
@pytest.mark.parametrize("kind", ServiceMailKind)
def test_a_mail_is_written_in_the_language_of_its_recipient(letter_site, kind, lang):
    """Each kind of mail has its link in both parts, in the language of its recipient, and no List-Unsubscribe."""
    queue(letter_site, kind=kind, lang=lang)
    assert send(letter_site).sent == 1
    [path] = letter_site.letters()
    message = message_from_bytes((letter_site.folder / ".feeds/outbox" / path).read_bytes(), policy=policy.default)
    text, html = message.get_body(("plain",)), message.get_body(("html",))
    assert message["To"] == "ada@example.org"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["List-Unsubscribe"] is None
    assert text["Content-Language"] == html["Content-Language"] == lang
    assert URL in text.get_content()
    assert f'href="{URL}"' in html.get_content()


@pytest.mark.parametrize("name", ["Café & <Reise>", "Hello!", "(x)"])
@pytest.mark.parametrize("lang", ["he", "ar", "fa", "en"])
def test_names_keep_their_own_direction(letter_site, name, lang):
    """In masthead, sentence and foot, marks at the ends of a name stay at its ends, also beside other names."""
    sites_name = CONFIG.replace('title = "Test"', f'title = "{name}"')
    assert sites_name != CONFIG
    letter_site.configure(sites_name + NEWSLETTER.replace("The weekly", f"{name} daily"))
    values = {"url": URL, "titles": f"{name} daily, Another"}
    kind, kept = ServiceMailKind.CONFIRMATION, NOW + timedelta(days=1)
    mail = new_service_mail(
        kind, "a@example.org", "a@example.org", context(), lang=lang, values=values, expires_at=kept
    )
    with open_store(letter_site.config.store_url, letter_site.config.folder) as store:
        store.service_mails.add(mail, NOW)
    assert send(letter_site).sent == 1
    [path] = letter_site.letters()
    message = message_from_bytes((letter_site.folder / ".feeds/outbox" / path).read_bytes(), policy=policy.default)
    html = message.get_body(("html",)).get_content()
    written = escape(name, quote=False)
    assert re.search(f'<h1[^>]*><span dir="auto">{re.escape(written)}</span></h1>', html)
    assert f'<span dir="auto">{written} daily</span>, ' in html
    assert re.search(f'<a [^>]*dir="auto"[^>]*>{re.escape(written)}</a>', html)


@pytest.mark.usefixtures("databases")
def test_a_mail_that_was_sent_is_not_sent_again_and_keeps_no_link(letter_site):
    """A second run sends nothing, and the store forgets the link."""
    queue(letter_site)
    assert send(letter_site).sent == 1
    assert send(letter_site).sent == 0
    assert rows(letter_site, "state, template_values") == [("sent", "{}")]


@pytest.mark.usefixtures("databases")
def test_a_refused_mail_fails_and_others_are_sent(letter_site):
    """A recipient that the server refuses for good gets no other try; the next one gets its mail."""
    with SmtpServer(lambda step: "550 5.1.1 no" if step.stage == "rcpt" and "gone" in step.words else None) as server:
        by_smtp(letter_site, server)
        for name in ("gone@example.org", "ada@example.org"):
            queue(letter_site, name)
        report = send(letter_site)
    assert (report.sent, report.failed, report.next_try_at) == (1, 1, None)


@pytest.mark.usefixtures("databases")
@pytest.mark.parametrize("answer", ["451 4.7.1 greylisted", "421 4.3.2 busy", "452 4.5.3 too many"])
def test_a_mail_that_is_put_off_is_tried_again(letter_site, answer):
    """A temporary refusal is tried again a few minutes later."""
    with SmtpServer(at("rcpt", answer, times=1)) as server:
        by_smtp(letter_site, server)
        queue(letter_site)
        first = send(letter_site)
        assert first.sent == 0
        assert first.next_try_at is not None
        assert first.next_try_at > NOW
        assert send(letter_site, first.next_try_at).sent == 1


def test_without_a_server_mail_waits(letter_site):
    """If no server can be reached, the error is reported and the mail waits."""
    with SmtpServer() as server:
        by_smtp(letter_site, server)
    queue(letter_site)
    report = send(letter_site)
    assert report.errors
    assert report.next_try_at is not None
    assert report.next_try_at > NOW


@pytest.mark.usefixtures("databases")
def test_a_mail_that_may_have_arrived_is_sent_once_more_and_has_the_same_id(letter_site):
    """A connection that ends before the answer leads to one more message with the same Message-ID and date."""
    with SmtpServer(at("content", Fault.KEEP_AND_HANG_UP)) as server:
        by_smtp(letter_site, server)
        queue(letter_site)
        for hours in range(4):
            send(letter_site, NOW + timedelta(hours=hours))
        assert len(server.accepted) == 2
        assert len({(one.message_id, one.date) for one in server.accepted}) == 1


@pytest.mark.usefixtures("databases")
def test_a_killed_sender_neither_loses_nor_doubles_a_mail(letter_site):
    """What was being handed over when the process was killed is sent once more under the same file name."""
    queue(letter_site)
    with open_store(letter_site.config.store_url, letter_site.folder) as store:
        store.service_mails.commit_and_begin([], [1], NOW)
    assert send(letter_site).sent == 0
    assert rows(letter_site, "state, unknowns") == [("unknown", 1)]
    later = NOW + timedelta(minutes=5)
    assert send(letter_site, later).sent == 1
    assert send(letter_site, later + timedelta(hours=1)).sent == 0
    assert len(letter_site.letters()) == 1


def test_a_mail_that_may_have_arrived_is_held_if_the_settings_say_so(letter_site):
    """With `mail.on_unknown = "hold"`, it is not sent again."""
    with SmtpServer(at("content", Fault.KEEP_AND_HANG_UP, times=1)) as server:
        by_smtp(letter_site, server, 'on_unknown = "hold"\n')
        queue(letter_site)
        assert [send(letter_site, NOW + timedelta(hours=n)).sent for n in range(3)] == [0, 0, 0]
        assert len(server.accepted) == 1


def test_an_address_beyond_ascii_stays_as_it_is(letter_site):
    """The address of a recipient is written in UTF-8 (RFC 6532), its domain in ASCII."""
    queue(letter_site, "jürgen@bücher.example")
    assert send(letter_site).sent == 1
    [path] = letter_site.letters()
    content = (letter_site.folder / ".feeds/outbox" / path).read_bytes()
    assert "To: jürgen@xn--bcher-kva.example\r\n".encode() in content


@pytest.mark.usefixtures("databases")
def test_an_expired_mail_is_not_sent(letter_site):
    """A mail whose link has expired is cancelled."""
    queue(letter_site)
    assert send(letter_site, NOW + timedelta(days=2)).sent == 0
    assert rows(letter_site, "state, template_values") == [("cancelled", "{}")]


@pytest.mark.parametrize(("stage", "most"), [("mail", 1), ("rcpt", 1), ("data", 1), ("content", 2)])
def test_kill_minus_9_loses_no_mail_and_doubles_only_one_in_flight(letter_site, stage, most):
    """A process that is killed at any point of a session sends the mail in the next run; a second copy is the same."""
    processes: list[subprocess.Popen] = []

    def kill(step):
        if step.stage == stage and len(processes) == 1 and step.before == 0:
            processes[0].kill()
            processes[0].wait()

    def publish(now):
        environ = os.environ | {"FEEDS_CLOCK": now.isoformat()}
        processes.append(
            subprocess.Popen([sys.executable, "-m", "feeds", "publish"], cwd=letter_site.folder, env=environ)
        )
        return processes[-1].wait(120)

    with SmtpServer(kill) as server:
        by_smtp(letter_site, server)
        queue(letter_site)
        assert publish(NOW) == -signal.SIGKILL
        for hours in (1, 2):
            assert publish(NOW + timedelta(hours=hours)) == 0
        copies = [one for one in server.accepted if one.recipient == "ada@example.org"]
        assert 1 <= len(copies) <= most
        assert len({one.message_id for one in copies}) == 1
    assert rows(letter_site, "state") == [("sent",)]
