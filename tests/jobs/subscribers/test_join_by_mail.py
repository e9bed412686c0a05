"""Subscribing by mail alone: from a mail in the mailbox to the subscriber, and everything that must not subscribe."""

import mailbox
from datetime import timedelta
from email import message_from_bytes, policy

import pytest

from feeds.edges.store.database import open_store
from feeds.jobs.context import Context
from feeds.jobs.site import Site
from feeds.jobs.subscribers import bounces, subscribe
from feeds.jobs.subscribers.signup_round import run_signup_round
from feeds.model import ChangeSource
from tests.conftest import CONFIG, NEWSLETTER, NOW

SERVER = "mx.letters.example"
JOIN = "bounces+join-weekly@letters.example"
BOUNCES = '[mail.bounces]\naddress = "bounces@letters.example"\nmailbox = "maildir:back"\n'
TRUSTED = f'{BOUNCES}authserv_id = "{SERVER}"\n'
ADA = "ada@example.org"
PASS = f"{SERVER}; dkim=pass header.d=example.org"


class MailSite:
    """A site without a web server, and its mailbox."""

    def __init__(self, site, more=TRUSTED):
        self.site = site
        site.configure(CONFIG + NEWSLETTER + more)
        self.box = mailbox.Maildir(site.folder / "back")

    @property
    def config(self):
        return self.site.config

    def receive(self, to=JOIN, sender=ADA, results=PASS, more="", now=NOW, **options):
        """Put a mail into the mailbox and process it; return kind and decision of what was processed."""
        field = f"Authentication-Results: {results}\r\n" if results else ""
        self.box.add(f"{field}From: {sender}\r\nTo: {to}\r\n{more}Subject: x\r\n\r\nHi.\r\n".encode())
        report = bounces.process_mailbox(self.config, now, confirm=lambda _: True, **options)
        return [(message.what.value, message.decision) for message in report.processed]

    def send(self, now=NOW):
        """Do a round; return the mails that it has sent."""
        before = {*self.site.letters()}
        run_signup_round(Site(self.config), Context(clock=lambda: now, random_bytes=bytes))
        paths = [self.site.folder / ".feeds/outbox" / name for name in self.site.letters() if name not in before]
        return [message_from_bytes(path.read_bytes(), policy=policy.default) for path in paths]

    def subscriber(self, email=ADA):
        with open_store(self.config.store_url, self.config.folder) as store:
            return store.subscribers.find(email)

    def held(self):
        with open_store(self.config.store_url, self.config.folder) as store:
            return [(entry.email, entry.held) for entry in store.signups.iterate("held")]


@pytest.fixture
def mail_site(letter_site):
    return MailSite(letter_site)


@pytest.mark.usefixtures("databases")
def test_a_mail_and_a_reply_subscribe(mail_site):
    """A mail asks, the confirmation has no link, and a reply to it subscribes; both mails are removed."""
    assert mail_site.receive() == [("join", "asked")]
    assert mail_site.subscriber() is None
    [confirmation] = mail_site.send()
    assert (confirmation["To"], confirmation["Auto-Submitted"]) == (ADA, "auto-generated")
    assert "/confirm/" not in confirmation.get_body(("plain",)).get_content()
    reply = confirmation["Reply-To"]
    assert mail_site.receive(to=reply) == [("join", "subscribed")]
    found = mail_site.subscriber()
    assert (found.status, found.newsletters, found.source) == ("active", ("weekly",), "mail")
    assert found.consent == "asked by mail 2026-11-23 12:00 UTC; confirmed by a reply 2026-11-23 12:00 UTC"
    with open_store(mail_site.config.store_url, mail_site.config.folder) as store:
        [change] = store.preferences.changes(ADA)
    assert (change.newsletter, change.what, change.source) == ("weekly", "subscribed", ChangeSource(how="reply"))
    assert len(mail_site.box) == 0
    assert mail_site.receive(to=reply) == [("join", "")]


def test_with_a_web_server_the_confirmation_has_a_link_too(letter_site):
    """With a web server, the confirmation of a mail has a link, and a reply confirms as well."""
    found = MailSite(letter_site, TRUSTED + '[web]\nurl = "https://letters.example.com/"\n')
    found.receive()
    [confirmation] = found.send()
    assert "https://letters.example.com/confirm/" in confirmation.get_body(("plain",)).get_content()
    assert found.receive(to=confirmation["Reply-To"]) == [("join", "subscribed")]


@pytest.mark.parametrize(
    "results",
    [
        "",
        f"{SERVER}; dkim=fail header.d=example.org",
        "mx.evil.example; dkim=pass header.d=example.org",
        f"{SERVER}; none",
    ],
)
def test_an_author_who_is_not_authenticated_gets_no_mail(mail_site, results):
    """A mail whose author the server has not authenticated is removed; nothing is mailed and nothing is stored."""
    assert mail_site.receive(results=results) == [("join", "")]
    assert (mail_site.send(), mail_site.held(), len(mail_site.box)) == ([], [], 0)


def test_without_the_name_of_the_server_the_editor_decides(letter_site):
    """Without `authserv_id` no author is authenticated: the request waits for the editor, and nothing is mailed."""
    found = MailSite(letter_site, BOUNCES)
    assert found.receive() == [("join", "asked")]
    assert found.send() == []
    [(email, reason)] = found.held()
    assert (email, "authserv_id" in reason) == (ADA, True)


@pytest.mark.parametrize(
    "mail",
    [
        {"to": "bounces+join-monthly@letters.example"},
        {"sender": "a@example.org, b@example.org"},
        {"sender": "'ada@example.org"},
        {"more": "Precedence: list\r\n"},
        {"more": "Auto-Submitted: auto-replied\r\n"},
    ],
)
def test_what_does_not_ask_has_no_effect(mail_site, mail):
    """A mail for an unknown newsletter, of several authors, or of a program is removed without an effect."""
    assert [decision for _, decision in mail_site.receive(**mail)] == [""]
    assert (mail_site.send(), len(mail_site.box)) == ([], 0)


def test_an_absence_notice_does_not_confirm(mail_site):
    """An automatic reply to a confirmation subscribes nobody; a person's reply after it does."""
    mail_site.receive()
    reply = mail_site.send()[0]["Reply-To"]
    assert mail_site.receive(to=reply, more="Auto-Submitted: auto-replied\r\n") == [("automatic", "")]
    assert mail_site.subscriber() is None
    assert mail_site.receive(to=reply) == [("join", "subscribed")]


@pytest.mark.usefixtures("databases")
def test_an_address_gets_one_confirmation_a_day(mail_site):
    """However often an address asks, it gets one confirmation within a day, and a suppressed one none."""
    subscribe.suppress_address(mail_site.config, "sue@example.org", NOW)
    for hours in (0, 1, 23):
        mail_site.receive(now=NOW + timedelta(hours=hours))
        mail_site.receive(sender="sue@example.org")
        assert len(mail_site.send(NOW + timedelta(hours=hours))) == (hours == 0)


def test_a_forged_reply_confirms_nothing(mail_site):
    """A reply to an address with another token subscribes nobody."""
    mail_site.receive()
    reply = mail_site.send()[0]["Reply-To"]
    other = "0" if reply[12] != "0" else "1"
    forged = [reply.replace("+c-", f"+c-{other}")[: len("bounces+c-") + 32] + "@letters.example"]
    forged += [f"bounces+c-{'0' * 32}@letters.example"]
    for to in forged:
        assert mail_site.receive(to=to) == [("join", "")]
    assert mail_site.subscriber() is None


def test_a_dry_run_changes_nothing(mail_site):
    """A dry run says what it would do, and leaves mailbox and database as they are."""
    assert mail_site.receive(dry_run=True) == [("join", "asked")]
    assert (mail_site.send(), len(mail_site.box)) == ([], 1)


def test_a_closed_form_takes_no_mail_either(letter_site):
    """With `signup.open = false` a mail that asks has no effect."""
    found = MailSite(letter_site, TRUSTED + "[signup]\nopen = false\n")
    assert found.receive() == [("join", "")]
    assert found.send() == []
