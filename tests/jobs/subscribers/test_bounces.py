"""Bounces and complaints, from a real mailbox to the recipients of the next issue."""

import json
import mailbox
import os
import re
import stat
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from email import message_from_bytes

import pytest

from feeds.config import load_config
from feeds.core.newsletters import tokens
from feeds.edges.files.keys import load_keys
from feeds.edges.store.database import open_store
from feeds.errors import ConfigError, FeedsError
from feeds.jobs import run
from feeds.jobs.context import Context
from feeds.jobs.newsletters import approve
from feeds.jobs.subscribers import bounces, subscribe
from feeds.jobs.subscribers.erase import erase_subscriber
from feeds.model import (
    ALL_NEWSLETTERS,
    DeliveryOutcome,
    DeliveryState,
    IssueContent,
    IssuePage,
    Letter,
    NewIssue,
    RenderedIssue,
    Selection,
    SubscriberPreferences,
)
from tests import mailserver
from tests.conftest import CONFIG, NEWSLETTER, NOW
from tests.mailing import subscribe as add_readers
from tests.returned import ADDRESS, block, complaint, delivery_report, letter, personal_mail

DAY = timedelta(days=1)
BOUNCES = f'[mail.bounces]\naddress = "{ADDRESS}"\nmailbox = "maildir:back"\n'
DAILY = NEWSLETTER.replace("[mail]", '[[newsletters]]\nname = "daily"\nschedule = "0 7 * * *"\n[mail]')


class BounceSite:
    """A site with a bounce mailbox."""

    def __init__(self, site, configured=NEWSLETTER):
        self.site = site
        site.configure(CONFIG + configured + BOUNCES)
        self.box = mailbox.Maildir(site.folder / "back")
        self.now = NOW

    @property
    def config(self):
        return self.site.config

    def add(self, *names, domain="readers.example"):
        for name in names:
            subscribe.add_subscriber(self.config, f"{name}@{domain}", [], lang=None, now=NOW - 90 * DAY, again=False)

    def publish(self, days=0):
        """Publish the next issue, *days* later; return who gets it."""
        self.now = NOW + days * DAY
        self.site.post(
            f"day {days}", f"Something that has not been said before day {days}.\n", date=self.now.isoformat()
        )
        report = self.site.publish(self.now)
        assert report.errors == []
        self.number = max((issue.number for issue in report.issues), default=0)
        return self.recipients()

    def recipients(self, newsletter="weekly"):
        folder = self.site.folder / ".feeds/outbox" / newsletter / str(self.number)
        return {file.name.partition("@")[0] for file in folder.glob("*@readers.example.eml")}

    def message(self, name, newsletter="weekly"):
        [file] = (self.site.folder / ".feeds/outbox" / newsletter / str(self.number)).glob(f"{name}@*.eml")
        return message_from_bytes(file.read_bytes())

    def token(self, name):
        return re.search(r"\.([0-9a-f]{30})@", self.message(name)["Message-ID"])[1]

    def return_letter(self, name, **fields):
        """Put a delivery report on a letter into the bounce mailbox."""
        token = self.token(name)
        to = f"bounces+{token}@letters.example"
        self.box.add(delivery_report(block(**fields), to=to, returned=letter(token)))

    def process(self, days=None, **how):
        self.now = self.now if days is None else NOW + days * DAY
        return bounces.process_mailbox(self.config, self.now, **how)

    def status_of(self, name, domain="readers.example"):
        return {s.email: s.status for s in subscribe.list_subscribers(self.config)}[f"{name}@{domain}"]

    def remaining(self):
        return len(list(mailbox.Maildir(self.site.folder / "back")))


@pytest.fixture
def back(site):
    """A weekly newsletter with three subscribers."""
    bounce_site = BounceSite(site)
    bounce_site.add("ada", "bob", "eve")
    return bounce_site


def effects(found):
    return [(one.what, one.email.partition("@")[0], one.decision) for one in found.processed]


@pytest.mark.usefixtures("databases")
def test_the_first_bounce_pauses_a_week_and_the_second_is_the_last(back):
    """The first hard bounce pauses a subscriber for a week; the next one, after the pause, ends the subscription."""
    assert back.publish() == {"ada", "bob", "eve"}
    back.return_letter("ada")
    found = back.process()
    assert effects(found) == [("bounce", "ada", "paused")]
    assert (found.processed[0].newsletter, found.processed[0].number, found.processed[0].status) == (
        "weekly",
        1,
        "5.1.1",
    )
    assert back.publish(6) == set()  # no slot since
    assert back.publish(7) == {"ada", "bob", "eve"}
    back.return_letter("ada")
    assert effects(back.process()) == [("bounce", "ada", "bounced")]
    assert back.status_of("ada") == "bounced"
    assert back.publish(14) == {"bob", "eve"}
    assert back.remaining() == 0


def test_who_is_paused_misses_what_goes_out_meanwhile(site):
    """A paused subscriber stays active, but gets no issues until the pause ends."""
    back = BounceSite(site, DAILY)
    back.add("ada", "bob")
    back.publish()
    back.return_letter("ada")
    back.process()
    for day in range(1, 7):
        back.publish(day)
        assert back.recipients("daily") == {"bob"}
    back.publish(7.1)
    assert back.recipients("daily") == {"ada", "bob"}
    assert back.status_of("ada") == "active"


@pytest.mark.usefixtures("databases")
def test_a_pause_that_is_over_when_an_issue_is_approved_is_over(site):
    """A pause that ends before an issue is approved does not exclude the subscriber from it."""
    back = BounceSite(site, NEWSLETTER.replace("[mail]", "approve = true\n[mail]"))
    back.add("ada", "bob")
    site.post("first", "Something else that has never been said.\n", date="2026-11-20")
    site.publish(NOW)
    approve.approve_issue(back.config, "weekly", Context(clock=lambda: NOW))
    back.number = 1
    back.return_letter("ada")
    back.process()
    site.post("second", "And now for something different again.\n", date="2026-11-29")
    site.publish(NOW + 6.9 * DAY)
    later = NOW + 7.5 * DAY
    approve.approve_issue(back.config, "weekly", Context(clock=lambda: later))
    back.number = 2
    assert back.recipients() == {"ada", "bob"}


@pytest.mark.parametrize(
    ("fields", "what", "decision"),
    [
        ({"status": "5.7.1", "said": "smtp; 550 no"}, "bounce", "nothing"),
        ({"status": "5.2.2", "said": "smtp; 552 full"}, "bounce", "nothing"),
        ({"status": "5.1.1", "said": "smtp; 550 5.1.1 has sent to too many recipients this hour"}, "bounce", "nothing"),
        ({"status": "5.1.1", "said": "smtp; 550 5.7.1 IP address blacklisted"}, "bounce", "nothing"),
        ({"status": "4.2.2", "said": "smtp; 452 full"}, "bounce", "nothing"),
        ({"action": "delayed", "status": "4.4.1"}, "delay", ""),
        ({"action": "delivered", "status": "2.0.0"}, "automatic", ""),
    ],
)
def test_what_says_nothing_of_a_reader_changes_nothing(back, fields, what, decision):
    """A bounce without a consequence, a delay or a success report is removed, and changes nothing."""
    back.publish()
    back.return_letter("ada", **fields)
    [one] = back.process().processed
    assert (one.what, one.decision) == (what, decision)
    assert back.publish(7) == {"ada", "bob", "eve"}
    assert (back.remaining(), back.site.files(".feeds/bounces")) == (0, {})


@pytest.mark.parametrize(
    ("status", "said"), [("4.2.2", "452 full"), ("5.2.2", "552 full"), ("5.0.0", "554 over quota")]
)
def test_soft_bounces_add_up(back, status, said):
    """Five soft bounces within thirty days end a subscription, also those of a full mailbox with a permanent code."""
    for week in range(5):
        assert "ada" in back.publish(7 * week)
        back.return_letter("ada", status=status, said=f"smtp; {said}")
        found = back.process()
    assert effects(found) == [("bounce", "ada", "bounced")]


@pytest.mark.usefixtures("databases")
def test_a_complaint_is_the_end_at_once(back):
    """A complaint ends a subscription at once; a second one is not counted."""
    back.publish()
    token = back.token("ada")
    back.box.add(complaint(f"bounces+{token}@letters.example", letter(token)))
    back.box.add(complaint("redacted@letters.example", letter(token)))
    assert effects(back.process()) == [("complaint", "ada", "complained"), ("complaint", "ada", "")]
    assert back.publish(7) == {"bob", "eve"}


# Unsubscribing ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sender", "server", "kept"),
    [("letters@letters.example", "mx.example", 1), ("a@other.example", "mx.example", 0), ("a@letters.example", "", 0)],
)
def test_an_unsigned_complaint_to_the_complaint_address_of_letters_is_kept(site, sender, server, kept):
    """It has no effect if letters name the address in CFBL-Address and `authserv_id` is set; otherwise it has."""
    back = BounceSite(site, NEWSLETTER.replace("letters@example.com", sender))
    site.configure((site.folder / "config.toml").read_text("utf-8") + f'authserv_id = "{server}"\n')
    back.add("ada")
    back.publish()
    token = back.token("ada")
    raw = complaint(f"bounces+{token}@letters.example", letter(token))
    back.box.add(raw.replace(b"To: complaints@letters.example", f"To: {ADDRESS}".encode(), 1))
    report = back.process()
    assert (report.kept, back.status_of("ada")) == (kept, "active" if kept else "complained")


def unsubscribe_address(back, name, newsletter):
    """Return the unsubscribe address in a subscriber's letter; the sender that inserts it is tested elsewhere."""
    key = load_keys(back.site.folder / ".feeds/feeds.key").current_unsubscribe_key
    with open_store(back.site.config.store_url, back.site.folder) as store:
        person = store.subscribers.find(f"{name}@readers.example")
    return f"bounces+u-{tokens.unsubscribe_token(*key, person.id, newsletter)}@letters.example"


@pytest.mark.usefixtures("databases")
def test_a_mail_to_the_address_in_a_letter_ends_that_subscription(site):
    """A mail to the unsubscribe address ends that subscription; without any other, the status is `unsubscribed`."""
    back = BounceSite(site, DAILY)
    back.add("ada", "bob")
    back.box.add(personal_mail("Subject: unsubscribe weekly", to=unsubscribe_address(back, "ada", "weekly")))
    assert effects(back.process()) == [("leave", "ada", "left")]
    assert back.publish() == {"bob"}
    assert back.recipients("daily") == {"ada", "bob"}
    for decision in ("left", ""):
        back.box.add(personal_mail(f"Subject: {decision}", to=unsubscribe_address(back, "ada", "daily").upper()))
        assert effects(back.process()) == [("leave", "ada", decision)]
    assert back.status_of("ada") == "unsubscribed"
    with pytest.raises(FeedsError, match="--again"):
        back.add("ada")


@pytest.mark.parametrize(("config", "names"), [(DAILY, "daily, weekly"), (NEWSLETTER, "weekly")])
def test_unsubscribing_through_a_welcome_is_reported_with_the_names_of_the_newsletters(site, config, names):
    """A welcome for several newsletters unsubscribes from all; the report names those that the subscriber had."""
    back = BounceSite(site, config)
    back.add("ada")
    for newsletter, decision in ((names, "left"), ("", "")):
        back.box.add(personal_mail(f"Subject: {decision}", to=unsubscribe_address(back, "ada", ALL_NEWSLETTERS)))
        [found] = back.process().processed
        assert (found.newsletter, found.decision) == (newsletter, decision)


@pytest.mark.usefixtures("databases")
@pytest.mark.parametrize(
    ("sender", "fields"),
    [
        ("ada@readers.example", ("Auto-Submitted: auto-replied", "X-Apple-Unsubscribe: true")),
        ("ada@readers.example", ("Return-Path: <>", "Precedence: auto_reply")),
        ("Postmaster General <ada@bounce.example>", ()),
    ],
)
def test_a_wish_to_leave_is_granted_whatever_its_header_says(back, sender, fields):
    """A mail to the unsubscribe address ends the subscription, also if a program marked it as an automatic reply."""
    address = unsubscribe_address(back, "ada", "weekly")
    back.box.add(personal_mail(*fields, to=address, sender=sender))
    assert effects(back.process()) == [("leave", "ada", "left")]
    assert back.publish() == {"bob", "eve"}


def test_an_absence_notice_at_the_unsubscribe_address_is_removed(back):
    """An absence notice that answers a letter ends no subscription and is not kept, whichever address it reaches."""
    back.publish()
    fields = ("Subject: Automatic reply: News", f"In-Reply-To: {back.message('ada')['Message-ID']}")
    back.box.add(personal_mail(*fields, to=unsubscribe_address(back, "ada", "weekly")))
    assert effects(back.process()) == [("automatic", "", "")]
    assert (back.remaining(), back.status_of("ada")) == (0, "active")


def test_letters_name_the_address_that_leaves(back):
    """A letter has the unsubscribe address in its List-Unsubscribe header."""
    back.publish()
    assert "bounces+u-" in back.message("ada")["List-Unsubscribe"]


# Unrecognised messages --------------------------------------------------------------------------------------------


def forged_messages(back):
    """Yield messages with no token of ours, or with an invalid one."""
    own, other = back.token("ada"), "0000000001" + "ab" * 10
    address = "bounces+{}@letters.example".format
    yield delivery_report(to=address(other), returned=letter(other))
    yield delivery_report(to=address(own[:-1] + ("0" if own[-1] != "0" else "1")), returned="")
    yield delivery_report(to=address(own[:-2]), returned="")
    yield delivery_report(to=address(f"{int(own[:10], 16) + 1:010x}{own[10:]}"), returned="")
    yield delivery_report(to=address("f" * 30), returned="")
    yield delivery_report(to=ADDRESS, returned="")
    yield delivery_report(to=f"bounces+{own}@elsewhere.example", returned="")
    yield complaint(address(other), letter(other))
    leave = unsubscribe_address(back, "ada", "weekly")
    yield personal_mail(to=leave[:10] + "02" + leave[12:])
    yield personal_mail(to=leave.replace("@", "0@"))
    yield personal_mail(to=address("u-" + "00" * 20))
    yield personal_mail("Subject: unsubscribe", to=ADDRESS)


@pytest.mark.usefixtures("databases")
def test_nothing_happens_without_a_valid_token(back):
    """A message without a valid token stays in the mailbox and changes nothing."""
    back.publish()
    messages = list(forged_messages(back))
    for raw in messages:
        back.box.add(raw)
    found = back.process(confirm=lambda _: True)
    assert (found.processed, found.kept, found.left) == ([], 0, len(messages))
    assert back.remaining() == len(messages)
    assert back.publish(7) == {"ada", "bob", "eve"}


@pytest.mark.usefixtures("databases")
def test_what_nobody_understands_is_kept_for_ninety_days(back):
    """A message to a return address that says nothing known is kept unchanged for ninety days, private."""
    back.publish()
    raw = personal_mail("Subject: Re: News", to=f"bounces+{back.token('ada')}@letters.example", body="I liked it.")
    back.box.add(raw)
    assert back.process().kept == 1
    [(path, content)] = back.site.files(".feeds/bounces").items()
    assert content == raw
    assert path.startswith(".feeds/bounces/2026-11-23-")
    for place in (back.site.folder / ".feeds/bounces", back.site.folder / path):
        assert stat.S_IMODE(place.stat().st_mode) & 0o077 == 0
    assert (back.remaining(), back.process(90).kept) == (0, 1)
    assert back.process(91).kept == 0
    assert back.site.files(".feeds/bounces") == {}


def test_an_answering_machine_is_not_kept(back):
    """An automatic reply is removed and not kept."""
    back.publish()
    to = f"bounces+{back.token('ada')}@letters.example"
    back.box.add(personal_mail("Auto-Submitted: auto-replied", to=to, body="I am on holiday."))
    assert effects(back.process()) == [("automatic", "", "")]
    assert (back.remaining(), back.site.files(".feeds/bounces")) == (0, {})


@pytest.mark.usefixtures("databases")
def test_a_copy_and_somebody_who_was_erased_bounce_in_vain(back):
    """A bounce of a `copy_to` address or of an erased subscriber changes nothing."""
    back.publish()
    for name in ("desk", "eve"):
        back.return_letter(name)
    erase_subscriber(back.site.config, "eve@readers.example", NOW)
    assert {one.decision for one in back.process().processed} == {""}
    assert back.remaining() == 0


# Other people's mail ----------------------------------------------------------------------------------------------


def private_mail(number):
    """Return a mail that has nothing to do with a newsletter."""
    fields = ["Subject: Lunch?", "Auto-Submitted: auto-replied", "Subject: Undelivered Mail Returned to Sender"]
    return personal_mail(fields[number % 3], f"Message-ID: <{number}@elsewhere.example>", to="me@letters.example")


@pytest.fixture(params=["maildir", "mbox"])
def shared(back, request):
    """A mailbox with two private mails, one of them read already, and a bounce; return what it holds."""
    back.publish()
    back.return_letter("ada")
    read = mailbox.MaildirMessage(private_mail(0))
    read.set_subdir("cur")
    read.add_flag("S")
    back.box.add(read)
    back.box.add(private_mail(1))
    if request.param == "maildir":
        return lambda: [str(message["Subject"]) for message in back.box]
    file = back.site.folder / "box"
    box = mailbox.mbox(file)
    for message in back.box:
        box.add(message)
    box.close()
    back.site.configure(back.site.read("config.toml").replace("maildir:back", "mbox:box"))
    return lambda: re.findall(r"^From ", file.read_text("utf-8"), re.MULTILINE)


def test_other_mail_stays_as_it_is(back, shared):
    """Mail without a token of ours is neither moved, marked nor read again; new bounces are still found."""
    found = back.process(confirm=lambda _: True)
    assert (effects(found), found.left, found.kept) == ([("bounce", "ada", "paused")], 2, 0)
    assert len(shared()) == 2
    assert back.process().left == 2
    if "maildir" in back.site.read("config.toml"):
        [name] = (back.site.folder / "back/cur").iterdir()
        assert name.name.endswith(":2,S")
        assert len(list((back.site.folder / "back/new").iterdir())) == 1


def test_the_first_read_of_a_mailbox_with_other_mail_asks(back, shared, feeds):
    """It says how much other mail there is; without a yes nothing is read, after it nothing is asked again."""
    asked = []
    with pytest.raises(FeedsError, match=r"was not read; set mail\.bounces\.mailbox"):
        back.process(confirm=lambda question: bool(asked.append(question)))
    assert "holds 2 messages that do not answer letters of this site; they stay as they are" in asked[0]
    assert feeds("bounces").stderr.endswith("If it is the right mailbox, run `feeds bounces --yes` once\n")
    [event] = run.process_bounces(back.config, NOW)
    assert "run `feeds bounces --yes` once" in event.text
    assert len(shared()) == 3
    assert back.status_of("ada") == "active"
    assert feeds("bounces", "--yes").returncode == 0
    assert run.process_bounces(back.config, NOW) == []
    assert len(shared()) == 2


def test_a_mailbox_of_bounces_alone_is_read_without_a_question(back):
    """If the first read finds only ours, other mail that comes later is left without a question."""
    back.publish()
    back.return_letter("ada")
    assert back.process().left == 0
    back.box.add(private_mail(0))
    assert back.process().left == 1


def test_a_mailbox_that_was_processed_before_needs_no_confirmation(back):
    """A site whose store has processed bounces goes on after an upgrade, although the mailbox is not remembered."""
    back.publish()
    back.return_letter("ada")
    back.process()
    (back.site.folder / ".feeds/mailbox.json").unlink()
    back.box.add(private_mail(0))
    assert back.process().left == 1


def test_another_mailbox_is_read_for_the_first_time(back):
    """Another mailbox is not confirmed by the memory of the first one."""
    back.publish()
    back.box.add(private_mail(0))
    back.process(confirm=lambda _: True)
    other = mailbox.Maildir(back.site.folder / "other", create=True)
    other.add(private_mail(1))
    back.site.configure(back.site.read("config.toml").replace("maildir:back", "maildir:other"))
    with pytest.raises(
        FeedsError, match="holds 1 message that does not answer a letter of this site; it stays as it is"
    ):
        back.process()


# Exactly once -----------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("databases")
def test_a_dry_run_says_the_same_and_changes_nothing(back):
    """A dry run reports the same effects as a real one, and changes neither store nor mailbox."""
    back.publish()
    back.return_letter("ada")
    back.box.add(personal_mail("Subject: Hello", to=ADDRESS))
    before = back.site.files(".feeds/feeds.db", "back")
    dry = back.process(dry_run=True)
    assert back.site.files(".feeds/feeds.db", "back") == before
    assert not (back.site.folder / ".feeds/mailbox.json").exists()
    assert dry.processed == back.process(confirm=lambda _: True).processed


KILLED = """
import os, signal, sys
from datetime import datetime, UTC
from pathlib import Path
from feeds.config import load_config
from feeds.edges.mail import mailbox
from feeds.edges.store.bounces import Bounces
from feeds.jobs.subscribers import bounces

where = sys.argv[1]
def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)
if where == "before the store":
    Bounces.delete_old_messages = die
else:
    mailbox._Maildir.remove = die
bounces.process_mailbox(load_config(Path("config.toml"), {}), datetime(2026, 11, 23, 12, 0, tzinfo=UTC))
"""


@pytest.mark.parametrize("where", ["before the store", "before the mailbox"])
def test_who_is_killed_counts_once(back, where):
    """If the process is killed before or after the commit, each message has its effect once."""
    back.publish()
    back.return_letter("ada")
    back.box.add(personal_mail("Subject: Hello", to=f"bounces+{back.token('bob')}@letters.example"))
    done = subprocess.run([sys.executable, "-c", KILLED, where], cwd=back.site.folder, check=False, timeout=60)
    assert (done.returncode, back.remaining()) == (-9, 2)
    found = back.process(8)
    assert len(found.processed) == (2 if where == "before the store" else 0)
    assert (back.remaining(), found.kept) == (0, 1)
    assert back.status_of("ada") == "active"
    assert back.site.run_sql("SELECT count(*) FROM bounces") == [(1,)]


@pytest.mark.usefixtures("databases")
def test_a_report_that_comes_twice_counts_once(back):
    """Two reports on one letter, a week apart, count as one bounce."""
    back.publish()
    for days in (0, 8):
        back.return_letter("ada", said=f"smtp; 550 5.1.1 no, day {days}")
        back.process(days)
    assert back.status_of("ada") == "active"


def test_large_messages_are_read_a_few_at_a_time(back):
    """Large messages are processed in small batches, and the messages after them are processed too."""
    back.publish()
    for at in range(3):
        to = f"bounces+{back.token('bob')}@letters.example"
        back.box.add(personal_mail(f"Subject: {at}", to=to, body="words " * 1_700_000))
    back.return_letter("ada")
    found = back.process()
    assert Counter(one.what for one in found.processed) == {"unrecognised": 3, "bounce": 1}
    assert (found.kept, back.remaining()) == (3, 0)


# Domains ----------------------------------------------------------------------------------------------------------

GMAIL = "550 5.1.1 The email account that you tried to reach does not exist. Please try double-checking the address"
OUTAGE = datetime(2020, 12, 14, 22, 30, tzinfo=UTC)


class MassMailing:
    """Thousands of subscribers, and issues in the state in which a sender leaves them."""

    def __init__(self, back, **domains):
        self.back = back
        self.domains = {domain.replace("_", "."): number for domain, number in domains.items()}
        people = [f"r{at}@{domain}" for domain, number in self.domains.items() for at in range(number)]
        add_readers(back.site.folder, people, since=datetime(2020, 1, 1, tzinfo=UTC))

    def send(self, number, at, refuse=lambda _email: "", *, decide=True):
        """Send an issue that some servers refuse; return the number of recipients, and the warnings."""
        selection = Selection(stories=())
        with open_store(self.back.site.config.store_url, self.back.site.folder) as store:
            store.bounces.end_pauses(at)
            plan = NewIssue(
                newsletter="weekly",
                number=number,
                slot=at,
                subject="S",
                selection=selection,
                page=IssuePage(html="P"),
                content=IssueContent(selection=selection, texts={}),
                seed=b"seed",
                rendered=RenderedIssue(
                    letters=[Letter(lang="en", subject="S", html="<p>", text="T")],
                    letter_index=dict.fromkeys(store.issues.load_preferences("weekly"), 0),
                ),
            )
            store.issues.freeze(plan, at)
            claimed = store.deliveries.claim(number, 100_000, at, resend=1)
            store.deliveries.commit_and_begin([outcome(one, refuse(one.recipient)) for one in claimed], [], at)
            self.last = claimed
            return len(claimed), bounces.decide_refusals(store.bounces, number, at, UTC) if decide else []

    def statuses(self):
        return dict(self.back.site.run_sql("SELECT status, count(*) FROM subscribers GROUP BY 1"))

    def count_active(self, at):
        with open_store(self.back.site.config.store_url, self.back.site.folder) as store:
            store.bounces.end_pauses(at)
            return store.issues.load_preferences("weekly").get(SubscriberPreferences(), 0)


def outcome(delivery, refusal):
    if refusal:
        return DeliveryOutcome(id=delivery.id, state=DeliveryState.FAILED, answer=refusal)
    return DeliveryOutcome(id=delivery.id, state=DeliveryState.SENT, answer="250 2.0.0 OK")


def gmail_outage(email):
    """Return the answer of Gmail's servers, for gmail.com and for a domain that they host."""
    return GMAIL if email.endswith(("@gmail.com", "@hosted.example")) else ""


@pytest.mark.usefixtures("databases")
@pytest.mark.parametrize(
    ("answer", "active"),
    [
        ("550 User unknown", 2),
        ("550 5.7.1 No such user!", 2),
        ("550 5.4.1 Recipient address rejected: Access denied", 2),
        ("550 5.1.1 too many recipients this hour", 3),
        ("550-5.2.1 The user is receiving mail at a rate that prevents more", 3),
        ("550 5.1.1 refused, see https://www.spamhaus.org/query", 3),
        ("552 5.2.2 full", 3),
    ],
)
def test_a_refusal_means_what_the_server_says(site, answer, active):
    """A refusal pauses a subscriber only if the server says that there is no such mailbox, whatever its code."""
    mailing = MassMailing(BounceSite(site), readers_example=3)
    mailing.send(1, NOW, lambda email: answer if email.startswith("r0@") else "")
    assert mailing.count_active(NOW + DAY) == active


@pytest.mark.usefixtures("databases")
def test_gmails_fault_of_december_2020_costs_nobody_their_letters(site):
    """An outage as at Gmail in December 2020 ends no subscription, and all get the next issue but one at the latest."""
    mass = MassMailing(BounceSite(site), gmail_com=3000, hosted_example=5, readers_example=1000)
    number, warnings = mass.send(1, OUTAGE, gmail_outage)
    assert (number, len(warnings)) == (4005, 1)
    assert warnings[0].startswith(
        "suspected outage: gmail.com gets no letters until 2020-12-17 22:30 UTC: 1,000 of 3,000 recipients bounced"
    )
    number, warnings = mass.send(2, OUTAGE + timedelta(hours=21), gmail_outage)
    assert (number, warnings) == (1000, [])
    assert mass.statuses() == {"active": 4005}
    assert mass.count_active(OUTAGE + 4 * DAY) == 4000
    assert mass.send(3, OUTAGE + 7 * DAY)[0] == 4005
    assert mass.send(4, OUTAGE + 14 * DAY)[0] == 4005


@pytest.mark.usefixtures("databases")
def test_issues_that_are_out_when_a_domain_is_paused_decide_nothing_there(site):
    """Refusals of two issues during one suspected outage are held, and so is a bounce that comes a week later."""
    mass = MassMailing(BounceSite(site), gmail_com=2000, readers_example=100)
    for number in (1, 2):
        refuse = {"refuse": lambda email: gmail_outage(email) if email != "r7@gmail.com" else ""}
        mass.send(number, OUTAGE + timedelta(hours=21 * number), **refuse, decide=False)
    late = OUTAGE + 8 * DAY
    with open_store(site.config.store_url, site.folder) as store:
        assert len(bounces.decide_refusals(store.bounces, 1, OUTAGE + DAY, UTC)) == 1
        assert bounces.decide_refusals(store.bounces, 2, OUTAGE + DAY, UTC) == []
        with store.bounces.transaction():
            straggler = store.bounces.find_delivery(8)
            assert straggler.email == "r7@gmail.com"
            kept = store.bounces.record_bounce(straggler, "hard", "5.1.1", "", late)
            assert bounces.decide_all(store.bounces, late, UTC) == ({kept: "held"}, [])
        assert store.bounces.paused_domains(late) == ()
    assert mass.statuses() == {"active": 2100}
    assert mass.count_active(late) == 2100


@pytest.mark.usefixtures("databases")
def test_reports_about_a_whole_domain_decide_nothing_there(site):
    """Reports that arrive one by one pause subscribers until an outage is suspected; then all of them are held."""
    back = BounceSite(site)
    mass = MassMailing(back, gmail_com=200, readers_example=50)
    mass.send(1, OUTAGE)
    back.now = OUTAGE
    for portion in range(4):
        for one in mass.last[portion * 5 : portion * 5 + 5]:
            token = tokens.delivery_token(b"seed", one.id)
            back.box.add(delivery_report(to=f"bounces+{token}@letters.example", returned=letter(token)))
        found = bounces.process_mailbox(back.config, OUTAGE + timedelta(minutes=portion))
        expected = {"paused"} if portion < 2 else {"held"}
        assert {one.decision for one in found.processed} == expected
        assert len(found.warnings) == (portion == 2)
        assert mass.count_active(OUTAGE + timedelta(minutes=portion)) == [245, 240, 50, 50][portion]
    assert mass.count_active(OUTAGE + 4 * DAY) == 250
    assert mass.statuses() == {"active": 250}


@pytest.mark.usefixtures("databases")
def test_a_list_with_some_dead_addresses_is_cleaned_of_them(site):
    """Four per cent of dead addresses at a domain are not an outage: they are paused, and a week later bounced."""
    mass = MassMailing(BounceSite(site), gmail_com=1000)

    def dead(email):
        return GMAIL if email.startswith("r1") and len(email) == len("r10@gmail.com") + 1 and email[3] < "4" else ""

    gone = [f"r{at}@gmail.com" for at in range(1000) if dead(f"r{at}@gmail.com")]
    assert mass.send(1, OUTAGE, dead) == (1000, [])
    assert mass.send(2, OUTAGE + DAY, dead) == (1000 - len(gone), [])
    assert mass.send(3, OUTAGE + 7 * DAY, dead) == (1000, [])
    assert mass.statuses() == {"active": 1000 - len(gone), "bounced": len(gone)}


@pytest.mark.usefixtures("databases")
def test_an_operator_who_knows_better_is_believed(site, feeds):
    """`--believe` applies the held bounces of a domain, and later bounces of the same issues."""
    mass = MassMailing(BounceSite(site), gmail_com=500)
    for number, days in ((1, 0), (2, 8)):
        gone = {"refuse": lambda email: GMAIL if email < "r2" else ""}
        assert len(mass.send(number, OUTAGE + days * DAY, **gone)[1]) == 1
    assert mass.statuses() == {"active": 500}
    done = feeds("bounces", "--believe", "gmail.com")
    assert done.stdout == "gmail.com: 224 bounces applied: 112 paused, 112 bounced\n"
    assert mass.statuses() == {"active": 388, "bounced": 112}
    with open_store(site.config.store_url, site.folder) as store, store.bounces.transaction():
        last = store.bounces.record_bounce(store.bounces.find_delivery(3), "hard", "5.1.1", "", OUTAGE + 9 * DAY)
        assert bounces.decide_all(store.bounces, OUTAGE + 9 * DAY, UTC) == ({last: "paused"}, [])
    assert feeds("bounces", "--believe", "gmail.com").stdout == "gmail.com: 0 bounces applied: none was held back\n"
    assert feeds("bounces", "--believe", "gmail.com", "--json").returncode == 2


@pytest.mark.usefixtures("databases")
def test_refusals_of_what_we_are_pause_the_domain(site):
    """Many policy refusals (5.7.x) pause a domain and end no subscription."""
    mass = MassMailing(BounceSite(site), picky_example=500, readers_example=100)
    number, [warning] = mass.send(
        1, OUTAGE, lambda email: "550 5.7.1 blocked" if email.startswith("r1") and "picky" in email else ""
    )
    assert "111 of 500 letters were rejected because of the sender" in warning
    assert mass.count_active(OUTAGE + DAY) == 100
    assert mass.count_active(OUTAGE + 3 * DAY) == 600
    assert number == 600


@pytest.mark.usefixtures("databases")
def test_a_few_at_a_small_domain_are_judged_one_by_one(site):
    """Few bounces at a small domain are not an outage, even if they are half of it."""
    mass = MassMailing(BounceSite(site), small_example=4)
    assert mass.send(1, OUTAGE, lambda email: GMAIL if email < "r2" else "") == (4, [])
    assert mass.count_active(OUTAGE + DAY) == 2


@pytest.mark.usefixtures("databases")
def test_revive_brings_back_whom_a_server_was_wrong_about(site, feeds):
    """`revive` reactivates subscribers of a domain that bounced between two days, the second included."""
    mass = MassMailing(BounceSite(site), hosted_example=5, readers_example=5)
    everybody = {"refuse": lambda _email: GMAIL}
    mass.send(1, OUTAGE, **everybody)
    mass.send(2, OUTAGE + 8 * DAY, **everybody)
    assert mass.statuses() == {"bounced": 10}
    words = ("subscribers", "revive", "--domain", "@HOSTED.example")
    between = ("--between", "2020-12-22", "2020-12-22")
    done = feeds(*words, *between)
    assert done.returncode == 0
    assert done.stdout.startswith("5 subscribers reactivated, 0 pauses ended, 5 bounces discarded")
    assert mass.statuses() == {"active": 5, "bounced": 5}
    assert mass.send(3, OUTAGE + 16 * DAY, **everybody)[0] == 5
    assert mass.statuses() == {"active": 5, "bounced": 5}
    odd = feeds("subscribers", "revive", "--domain", "a..b\N{LATIN SMALL LETTER E WITH ACUTE}", *between)
    assert (odd.returncode, "is not a domain" in odd.stderr) == (1, True)
    wrong = feeds(*words, "--between", "2020-12-24", "2020-12-23")
    assert (wrong.returncode, "is not after" in wrong.stderr) == (1, True)


# Commands ---------------------------------------------------------------------------------------------------------


def test_the_command_tells_what_followed(back, feeds):
    """`feeds bounces` prints a line or an object per message, and how many messages stay and are kept."""
    back.publish()
    back.return_letter("ada")
    back.box.add(personal_mail("Subject: Hello", to=f"bounces+{back.token('bob')}@letters.example"))
    back.box.add(personal_mail("Subject: Hello", to=ADDRESS))
    dry = feeds("bounces", "--dry-run", "--json")
    found = sorted((json.loads(line) for line in dry.stdout.splitlines()), key=lambda one: one["what"])
    assert [one["what"] for one in found] == ["bounce", "unrecognised"]
    assert found[0] == {
        "what": "bounce",
        "email": "ada@readers.example",
        "newsletter": "weekly",
        "number": 1,
        "status": "5.1.1",
        "said": "smtp; 550 5.1.1 <ada@readers.example>: no such user",
        "decision": "paused",
    }
    done = feeds("bounces", "--yes")
    lines = done.stdout.splitlines()
    assert sorted(lines[:2]) == ["bounce\tada@readers.example\tweekly 1\t5.1.1\tpaused", "unrecognised\t\t\t\t"]
    rest = [
        "1 message that is not ours stays in the mailbox",
        "1 message that says nothing known is in .feeds/bounces/, each for 90 days",
    ]
    assert lines[2:] == ["bounce mailbox: 2 processed (1 bounce, 1 unrecognised); subscribers: 1 paused", *rest]
    assert feeds("bounces").stdout.splitlines() == rest


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("/var/mail/bounces", "is not a mailbox; write such as 'maildir:/var/mail/bounces'"),
        ("maildir:", "is not a mailbox"),
        ("imap://host/INBOX", "is not a mailbox"),
        ("imaps://me@host:99999/", "is not a mailbox"),
        ("pop3://me@host/", "is not a mailbox"),
        ("imaps://me:secret@host/INBOX", "must not contain a password"),
        ("imaps://me:secret@host:99999/INBOX", "'imaps://me:…@host:99999/INBOX' is not a mailbox"),
        ("imap://:secret@", "is not a mailbox"),
        ("imaps://me@host/Zurück", "is not ASCII"),
    ],
)
def test_what_is_no_mailbox_is_named_by_its_line(site, place, message):
    """An invalid mailbox URL is reported with file and line, and a password in it is not repeated."""
    site.configure(f'{CONFIG}[mail.bounces]\naddress = "{ADDRESS}"\nmailbox = "{place}"\n')
    with pytest.raises(ConfigError, match=r"config\.toml:11: mail\.bounces\.mailbox: ") as found:
        site.config  # noqa: B018 - a property that reads it
    assert message in str(found.value)
    assert "secret" not in str(found.value)


def test_the_password_comes_from_the_variable_that_is_named(site):
    """The mailbox password comes from the environment variable, and is not in the config's repr."""
    text = f'[mail.bounces]\naddress = "{ADDRESS}"\nmailbox = "imaps://me@host/"\npassword_env = "SECRET"\n'
    (site.folder / "config.toml").write_text(text, "utf-8")
    config = load_config(site.folder / "config.toml", {"SECRET": "hush"})
    assert (config.bounces_password, "hush" in repr(config)) == ("hush", False)


def test_without_a_mailbox_there_is_nothing_to_read(site, feeds):
    """Without `mail.bounces`, the command fails and names the key."""
    done = feeds("bounces")
    assert (done.returncode, "mail.bounces is not set" in done.stderr) == (1, True)


def test_the_scheduler_reads_it_in_every_pass(back):
    """`feeds run` processes bounces in each run, and an error there does not stop it."""
    back.publish()
    back.return_letter("ada")
    [event] = run.process_bounces(back.config, NOW)
    assert event.text == "bounce mailbox: 1 processed (1 bounce); subscribers: 1 paused"
    assert run.process_bounces(back.config, NOW) == []
    os.rename(back.site.folder / "back", back.site.folder / "gone")  # noqa: PTH104 - a folder that mail servers made
    [event] = run.process_bounces(back.config, NOW)
    assert event.text.startswith("error: bounce mailbox: ")
    back.site.configure(CONFIG + NEWSLETTER)
    assert run.process_bounces(back.config, NOW) == []


# A real mail server -----------------------------------------------------------------------------------------------

#: It accepts unknown recipients and checks them when it delivers, so that it sends a report.
POSTFIX = """
smtpd_reject_unlisted_recipient = no
recipient_delimiter = +
virtual_mailbox_domains = readers.example
virtual_mailbox_maps = inline:{ ada@readers.example=ada/, bounces@readers.example=bounces/ }
"""


@pytest.mark.skipif(bool(mailserver.MISSING), reason=mailserver.MISSING)
def test_a_report_of_a_real_postfix_finds_the_reader(site, tmp_path_factory):
    """A delivery report by a real Postfix pauses the subscriber whose letter bounced."""
    folder = tmp_path_factory.mktemp("postfix")
    with mailserver.running(folder, POSTFIX) as server:
        mail = NEWSLETTER.replace("example.com", "readers.example").replace("copy_to", "# copy_to")
        mail += f'transport = "smtp"\n[mail.smtp]\nhost = "127.0.0.1"\nport = {server.smtp}\n'
        box = folder / "mail" / "bounces"
        site.configure(
            CONFIG + mail + f'[mail.bounces]\naddress = "bounces@readers.example"\nmailbox = "maildir:{box}"\n'
        )
        site.post("first")
        for name in ("ada", "gone"):
            subscribe.add_subscriber(site.config, f"{name}@readers.example", [], lang=None, now=NOW - DAY, again=False)
        report = site.publish(yes=True)
        assert report.errors == []
        for _ in range(200):
            if (box / "new").is_dir() and any((box / "new").iterdir()):
                break
            time.sleep(0.05)
        found = bounces.process_mailbox(site.config, NOW)
    assert [(one.what, one.email, one.status, one.decision) for one in found.processed] == [
        ("bounce", "gone@readers.example", "5.1.1", "paused")
    ]
    assert "unknown user" in found.processed[0].said
