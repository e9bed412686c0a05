"""Bounces and complaints, from a real mailbox to who gets the next issue."""

import json
import mailbox
import os
import re
import sqlite3
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
from feeds.edges.store.deliveries import DeliveryOutcome
from feeds.edges.store.issues import NewIssue, RenderedIssue
from feeds.errors import ConfigError, FeedsError
from feeds.jobs import run
from feeds.jobs.context import Context
from feeds.jobs.newsletters import approve
from feeds.jobs.subscribers import bounces, subscribe
from feeds.jobs.subscribers.erase import erase_subscriber
from feeds.model import DeliveryState, IssueContent, IssuePage, Letter, Selection, SubscriberPreferences
from tests import mailserver
from tests.conftest import CONFIG, NEWSLETTER, NOW
from tests.returned import ADDRESS, block, complaint, delivery_report, letter, personal_mail

DAY = timedelta(days=1)
BOUNCES = f'[mail.bounces]\naddress = "{ADDRESS}"\nmailbox = "maildir:back"\n'
DAILY = NEWSLETTER.replace("[mail]", '[[newsletters]]\nname = "daily"\nschedule = "0 7 * * *"\n[mail]')


class Returning:
    """A site whose letters may come back."""

    def __init__(self, site, configured=NEWSLETTER):
        self.site = site
        site.configure(CONFIG + configured + BOUNCES)
        self.box = mailbox.Maildir(site.folder / "back")
        self.now = NOW

    @property
    def config(self):
        return self.site.config

    def joins(self, *names, domain="readers.example"):
        for name in names:
            subscribe.add_subscriber(self.config, f"{name}@{domain}", [], lang=None, now=NOW - 90 * DAY, again=False)

    def publishes(self, days=0):
        """The next issue goes out, so many days later; return who gets it."""
        self.now = NOW + days * DAY
        self.site.post(f"day {days}", f"Something that nobody has said before day {days}.\n", date=self.now.isoformat())
        report = self.site.publish(self.now)
        assert report.errors == []
        self.number = max((issue.number for issue in report.issues), default=0)
        return self.got()

    def got(self, newsletter="weekly"):
        folder = self.site.folder / "outbox" / newsletter / str(self.number)
        return {file.name.partition("@")[0] for file in folder.glob("*@readers.example.eml")}

    def message(self, name, newsletter="weekly"):
        [file] = (self.site.folder / "outbox" / newsletter / str(self.number)).glob(f"{name}@*.eml")
        return message_from_bytes(file.read_bytes())

    def token(self, name):
        return re.search(r"\.([0-9a-f]{30})@", self.message(name)["Message-ID"])[1]

    def returns(self, name, **fields):
        """A server sends a letter back."""
        token = self.token(name)
        to = f"bounces+{token}@letters.example"
        self.box.add(delivery_report(block(**fields), to=to, returned=letter(token)))

    def read(self, days=None, **how):
        self.now = self.now if days is None else NOW + days * DAY
        return bounces.process_mailbox(self.config, self.now, **how)

    def stands(self, name, domain="readers.example"):
        return {s.email: s.status for s in subscribe.list_subscribers(self.config)}[f"{name}@{domain}"]

    def left(self):
        return len(list(mailbox.Maildir(self.site.folder / "back")))


@pytest.fixture
def back(site):
    """A weekly newsletter with three readers."""
    made = Returning(site)
    made.joins("ada", "bob", "eve")
    return made


def decisions(found):
    return [(one.what, one.email.partition("@")[0], one.decision) for one in found.processed]


def test_the_first_bounce_pauses_a_week_and_the_second_is_the_last(back):
    """The letter that is tried again in between is the one whose answer decides."""
    assert back.publishes() == {"ada", "bob", "eve"}
    back.returns("ada")
    found = back.read()
    assert decisions(found) == [("bounce", "ada", "paused")]
    assert (found.processed[0].newsletter, found.processed[0].number, found.processed[0].status) == (
        "weekly",
        1,
        "5.1.1",
    )
    assert back.publishes(6) == set()  # no slot since
    assert back.publishes(7) == {"ada", "bob", "eve"}
    back.returns("ada")
    assert decisions(back.read()) == [("bounce", "ada", "bounced")]
    assert back.stands("ada") == "bounced"
    assert back.publishes(14) == {"bob", "eve"}
    assert back.left() == 0


def test_who_is_paused_misses_what_goes_out_meanwhile(site):
    """They are active all the same."""
    back = Returning(site, DAILY)
    back.joins("ada", "bob")
    back.publishes()
    back.returns("ada")
    back.read()
    for day in range(1, 7):
        back.publishes(day)
        assert back.got("daily") == {"bob"}
    back.publishes(7.1)
    assert back.got("daily") == {"ada", "bob"}
    assert back.stands("ada") == "active"


def test_a_pause_that_is_over_when_an_issue_is_approved_is_over(site):
    """Whoever approves decides who gets it."""
    back = Returning(site, NEWSLETTER.replace("[mail]", "approve = true\n[mail]"))
    back.joins("ada", "bob")
    site.post("first", "Something else that nobody has ever said.\n", date="2026-11-20")
    site.publish(NOW)
    approve.approve_issue(back.config, "weekly", Context(clock=lambda: NOW))
    back.number = 1
    back.returns("ada")
    back.read()
    site.post("second", "And now for something different again.\n", date="2026-11-29")
    site.publish(NOW + 6.9 * DAY)
    later = NOW + 7.5 * DAY
    approve.approve_issue(back.config, "weekly", Context(clock=lambda: later))
    back.number = 2
    assert back.got() == {"ada", "bob"}


@pytest.mark.parametrize(
    ("fields", "what", "decision"),
    [
        ({"status": "5.7.1", "said": "smtp; 550 no"}, "bounce", "nothing"),
        ({"status": "5.2.2", "said": "smtp; 552 full"}, "bounce", "nothing"),
        ({"status": "4.2.2", "said": "smtp; 452 full"}, "bounce", "nothing"),
        ({"action": "delayed", "status": "4.4.1"}, "delay", ""),
        ({"action": "delivered", "status": "2.0.0"}, "automatic", ""),
    ],
)
def test_what_says_nothing_of_a_reader_changes_nothing(back, fields, what, decision):
    """It is recognised, so it is removed."""
    back.publishes()
    back.returns("ada", **fields)
    [one] = back.read().processed
    assert (one.what, one.decision) == (what, decision)
    assert back.publishes(7) == {"ada", "bob", "eve"}
    assert (back.left(), back.site.files("bounces")) == (0, {})


def test_soft_bounces_add_up(back):
    """Five within thirty days; letters go on until then."""
    for week in range(5):
        assert "ada" in back.publishes(7 * week)
        back.returns("ada", status="4.2.2", said="smtp; 452 full")
        found = back.read()
    assert decisions(found) == [("bounce", "ada", "bounced")]


def test_a_complaint_is_the_end_at_once(back):
    """Whoever calls a letter spam must never get another."""
    back.publishes()
    token = back.token("ada")
    back.box.add(complaint(f"bounces+{token}@letters.example", letter(token)))
    back.box.add(complaint("redacted@letters.example", letter(token)))
    assert decisions(back.read()) == [("complaint", "ada", "complained"), ("complaint", "ada", "")]
    assert back.publishes(7) == {"bob", "eve"}


# Leaving ----------------------------------------------------------------------------------------------------------


def leaving(back, name, newsletter):
    """The address that the reader's letter names; the sender that puts it there is tested elsewhere."""
    key = load_keys(back.site.folder / "feeds.key").current_unsubscribe_key
    with open_store("sqlite:///feeds.db", back.site.folder) as store:
        person = store.subscribers.find(f"{name}@readers.example")
    return f"bounces+u-{tokens.unsubscribe_token(*key, person.id, newsletter)}@letters.example"


def test_a_mail_to_the_address_in_a_letter_ends_that_subscription(site):
    """Of this newsletter alone; who reads nothing any more has left; twice is the same as once."""
    back = Returning(site, DAILY)
    back.joins("ada", "bob")
    back.box.add(personal_mail("Subject: unsubscribe weekly", to=leaving(back, "ada", "weekly")))
    assert decisions(back.read()) == [("leave", "ada", "left")]
    assert back.publishes() == {"bob"}
    assert back.got("daily") == {"ada", "bob"}
    for decision in ("left", ""):
        back.box.add(personal_mail(f"Subject: {decision}", to=leaving(back, "ada", "daily").upper()))
        assert decisions(back.read()) == [("leave", "ada", decision)]
    assert back.stands("ada") == "unsubscribed"
    with pytest.raises(FeedsError, match="--again"):
        back.joins("ada")


def test_letters_name_the_address_that_leaves(back):
    """In the header and in the text, since nobody reads the replies."""
    back.publishes()
    assert "bounces+u-" in back.message("ada")["List-Unsubscribe"]


# What is not ours -------------------------------------------------------------------------------------------------


def forged(back):
    """Messages that bear no token of ours, or another one's."""
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
    leave = leaving(back, "ada", "weekly")
    yield personal_mail(to=leave[:10] + "02" + leave[12:])
    yield personal_mail(to=leave.replace("@", "0@"))
    yield personal_mail(to=address("u-" + "00" * 20))
    yield personal_mail("Subject: unsubscribe", to=ADDRESS)


def test_nothing_happens_without_a_valid_token(back):
    """What is forged, cut or meant for somebody else is kept for a person to look at."""
    back.publishes()
    messages = list(forged(back))
    for raw in messages:
        back.box.add(raw)
    found = back.read()
    assert Counter(one.what for one in found.processed) == {"unrecognised": len(messages)}
    assert found.kept == len(messages)
    assert back.publishes(7) == {"ada", "bob", "eve"}


def test_what_nobody_understands_is_kept_for_ninety_days(back):
    """As it came, for its owner only, not in the repository; then it goes."""
    raw = personal_mail("Subject: Re: News", to=ADDRESS, body="I liked it.")
    back.box.add(raw)
    assert back.read().kept == 1
    [ignored, kept] = back.site.files("bounces").items()
    assert (ignored, kept[1]) == (("bounces/.gitignore", b"*\n"), raw)
    assert kept[0].startswith("bounces/2026-11-23-")
    for path in (back.site.folder / "bounces", back.site.folder / kept[0]):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0
    assert (back.left(), back.read(90).kept) == (0, 1)
    assert back.read(91).kept == 0
    assert len(back.site.files("bounces")) == 1


def test_an_answering_machine_is_not_kept(back):
    """There are many, and nobody wants to read them."""
    back.publishes()
    to = f"bounces+{back.token('ada')}@letters.example"
    back.box.add(personal_mail("Auto-Submitted: auto-replied", to=to, body="I am on holiday."))
    assert decisions(back.read()) == [("automatic", "", "")]
    assert (back.left(), back.site.files("bounces")) == (0, {})


def test_a_copy_and_somebody_who_was_erased_bounce_in_vain(back):
    """They are no readers."""
    back.publishes()
    for name in ("desk", "eve"):
        back.returns(name)
    erase_subscriber(back.site.config, "eve@readers.example", NOW)
    assert {one.decision for one in back.read().processed} == {""}
    assert back.left() == 0


# Once -------------------------------------------------------------------------------------------------------------


def test_a_dry_run_says_the_same_and_changes_nothing(back):
    """Not even the mailbox."""
    back.publishes()
    back.returns("ada")
    back.box.add(personal_mail("Subject: Hello", to=ADDRESS))
    before = back.site.files("feeds.db", "back")
    dry = back.read(dry_run=True)
    assert back.site.files("feeds.db", "back") == before
    assert not (back.site.folder / "bounces").exists()
    assert dry.processed == back.read().processed


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
    """Whether before what follows was written down, or after that and before the message was removed."""
    back.publishes()
    back.returns("ada")
    back.box.add(personal_mail("Subject: Hello", to=ADDRESS))
    done = subprocess.run([sys.executable, "-c", KILLED, where], cwd=back.site.folder, check=False, timeout=60)
    assert (done.returncode, back.left()) == (-9, 2)
    found = back.read(8)
    assert len(found.processed) == (2 if where == "before the store" else 0)
    assert (back.left(), found.kept) == (0, 1)
    assert back.stands("ada") == "active"
    with sqlite3.connect(back.site.folder / "feeds.db") as db:
        assert db.execute("SELECT count(*) FROM bounces").fetchone() == (1,)
    db.close()


def test_a_report_that_comes_twice_counts_once(back):
    """A week apart as well: servers repeat themselves."""
    back.publishes()
    for days in (0, 8):
        back.returns("ada", said=f"smtp; 550 5.1.1 no, day {days}")
        back.read(days)
    assert back.stands("ada") == "active"


def test_large_messages_are_read_a_few_at_a_time(back):
    """Ten megabytes each; what comes behind them is read all the same."""
    back.publishes()
    for at in range(3):
        back.box.add(personal_mail(f"Subject: {at}", to=ADDRESS, body="words " * 1_700_000))
    back.returns("ada")
    found = back.read()
    assert Counter(one.what for one in found.processed) == {"unrecognised": 3, "bounce": 1}
    assert (found.kept, back.left()) == (3, 0)


# Domains ----------------------------------------------------------------------------------------------------------

GMAIL = "550 5.1.1 The email account that you tried to reach does not exist. Please try double-checking the address"
OUTAGE = datetime(2020, 12, 14, 22, 30, tzinfo=UTC)


class Mass:
    """Thousands of readers, and issues as a sender leaves them."""

    def __init__(self, back, **domains):
        self.back = back
        self.domains = {domain.replace("_", "."): number for domain, number in domains.items()}
        with open_store("sqlite:///feeds.db", back.site.folder):
            pass
        people = [f"r{at}@{domain}" for domain, number in self.domains.items() for at in range(number)]
        with sqlite3.connect(back.site.folder / "feeds.db") as db:
            db.executemany(
                "INSERT INTO subscribers (email, email_key, status, consent, created_at, status_at)"
                " VALUES (?1, ?1, 'active', '', '2020-01-01 00:00:00.000000', '2020-01-01 00:00:00.000000')",
                [(email,) for email in people],
            )
            db.execute("INSERT INTO subscriptions (subscriber_id, newsletter) SELECT id, 'weekly' FROM subscribers")
        db.close()

    def issue(self, number, at, refuses=lambda _email: "", *, settle=True):
        """An issue goes out, and some servers refuse; return how many readers it was for, and what is told."""
        told = Selection(stories=())
        with open_store("sqlite:///feeds.db", self.back.site.folder) as store:
            store.bounces.end_pauses(at)
            plan = NewIssue(
                newsletter="weekly",
                number=number,
                slot=at,
                subject="S",
                selection=told,
                page=IssuePage(html="P"),
                content=IssueContent(selection=told, texts={}),
                seed=b"seed",
                mailing=RenderedIssue(
                    letters=[Letter(lang="en", subject="S", html="<p>", text="T")],
                    choices=dict.fromkeys(store.issues.load_preferences("weekly"), 0),
                ),
            )
            store.issues.freeze(plan, at)
            taken = store.deliveries.claim(number, 100_000, at, resend=1)
            store.deliveries.commit_and_begin([outcome(one, refuses(one.recipient)) for one in taken], [], at)
            self.last = taken
            return len(taken), bounces.decide_refusals(store.bounces, number, at) if settle else []

    def statuses(self):
        with sqlite3.connect(self.back.site.folder / "feeds.db") as db:
            found = dict(db.execute("SELECT status, count(*) FROM subscribers GROUP BY 1").fetchall())
        db.close()
        return found

    def readers(self, at):
        with open_store("sqlite:///feeds.db", self.back.site.folder) as store:
            store.bounces.end_pauses(at)
            return store.issues.load_preferences("weekly").get(SubscriberPreferences(), 0)


def outcome(delivery, refusal):
    if refusal:
        return DeliveryOutcome(id=delivery.id, state=DeliveryState.FAILED, answer=refusal)
    return DeliveryOutcome(id=delivery.id, state=DeliveryState.SENT, answer="250 2.0.0 OK")


def at_gmail(email):
    """What Gmail's servers answered: their own domain, and those whose mail they keep."""
    return GMAIL if email.endswith(("@gmail.com", "@hosted.example")) else ""


def test_gmails_fault_of_december_2020_costs_nobody_their_letters(site):
    """For a day valid accounts were refused, at gmail.com and at small domains whose mail Gmail keeps; two issues fell
    into it. Nobody is given up, everybody gets the next issue but one at the latest.
    """  # noqa: D205 - two sentences, one rule
    mass = Mass(Returning(site), gmail_com=3000, hosted_example=5, readers_example=1000)
    number, told = mass.issue(1, OUTAGE, at_gmail)
    assert (number, len(told)) == (4005, 1)
    assert told[0].startswith(
        "gmail.com gets no letters until 2020-12-17 22:30 UTC: 1,000 of 3,000 were told to have no"
    )
    number, told = mass.issue(2, OUTAGE + timedelta(hours=21), at_gmail)
    assert (number, told) == (1000, [])
    assert mass.statuses() == {"active": 4005}
    assert mass.readers(OUTAGE + 4 * DAY) == 4000
    assert mass.issue(3, OUTAGE + 7 * DAY)[0] == 4005
    assert mass.issue(4, OUTAGE + 14 * DAY)[0] == 4005


def test_issues_that_are_out_when_a_domain_is_paused_decide_nothing_there(site):
    """Both had left before anybody looked; and what comes much later of them changes nothing either."""
    mass = Mass(Returning(site), gmail_com=2000, readers_example=100)
    for number in (1, 2):
        refuses = {"refuses": lambda email: at_gmail(email) if email != "r7@gmail.com" else ""}
        mass.issue(number, OUTAGE + timedelta(hours=21 * number), **refuses, settle=False)
    late = OUTAGE + 8 * DAY
    with open_store("sqlite:///feeds.db", site.folder) as store:
        assert len(bounces.decide_refusals(store.bounces, 1, OUTAGE + DAY)) == 1
        assert bounces.decide_refusals(store.bounces, 2, OUTAGE + DAY) == []
        with store.bounces.transaction():
            straggler = store.bounces.find_delivery(8)
            assert straggler.email == "r7@gmail.com"
            kept = store.bounces.record_bounce(straggler, "hard", "5.1.1", "", late)
            assert bounces.decide_all(store.bounces, late) == ({kept: "held"}, [])
        assert store.bounces.paused_domains(late) == ()
    assert mass.statuses() == {"active": 2100}
    assert mass.readers(late) == 2100


def test_reports_about_a_whole_domain_decide_nothing_there(site):
    """They come one by one: the first of them pause readers, until it is clear that the domain is to blame."""
    back = Returning(site)
    mass = Mass(back, gmail_com=200, readers_example=50)
    mass.issue(1, OUTAGE)
    back.now = OUTAGE
    for portion in range(4):
        for one in mass.last[portion * 5 : portion * 5 + 5]:
            token = tokens.delivery_token(b"seed", one.id)
            back.box.add(delivery_report(to=f"bounces+{token}@letters.example", returned=letter(token)))
        found = bounces.process_mailbox(back.config, OUTAGE + timedelta(minutes=portion))
        expected = {"paused"} if portion < 2 else {"held"}
        assert {one.decision for one in found.processed} == expected
        assert len(found.warnings) == (portion == 2)
        assert mass.readers(OUTAGE + timedelta(minutes=portion)) == [245, 240, 50, 50][portion]
    assert mass.readers(OUTAGE + 4 * DAY) == 250
    assert mass.statuses() == {"active": 250}


def test_a_list_with_some_dead_addresses_is_cleaned_of_them(site):
    """One in twenty-five is no fault of the domain: a pause, and a week later the end."""
    mass = Mass(Returning(site), gmail_com=1000)

    def dead(email):
        return GMAIL if email.startswith("r1") and len(email) == len("r10@gmail.com") + 1 and email[3] < "4" else ""

    gone = [f"r{at}@gmail.com" for at in range(1000) if dead(f"r{at}@gmail.com")]
    assert mass.issue(1, OUTAGE, dead) == (1000, [])
    assert mass.issue(2, OUTAGE + DAY, dead) == (1000 - len(gone), [])
    assert mass.issue(3, OUTAGE + 7 * DAY, dead) == (1000, [])
    assert mass.statuses() == {"active": 1000 - len(gone), "bounced": len(gone)}


def test_an_operator_who_knows_better_is_believed(site, feeds):
    """An old list is no outage: then what was held counts, also what comes of the same issue later."""
    mass = Mass(Returning(site), gmail_com=500)
    for number, days in ((1, 0), (2, 8)):
        gone = {"refuses": lambda email: GMAIL if email < "r2" else ""}
        assert len(mass.issue(number, OUTAGE + days * DAY, **gone)[1]) == 1
    assert mass.statuses() == {"active": 500}
    done = feeds("bounces", "--believe", "gmail.com")
    assert done.stdout == "gmail.com: 224 bounces applied: 112 paused, 112 bounced\n"
    assert mass.statuses() == {"active": 388, "bounced": 112}
    with open_store("sqlite:///feeds.db", site.folder) as store, store.bounces.transaction():
        last = store.bounces.record_bounce(store.bounces.find_delivery(3), "hard", "5.1.1", "", OUTAGE + 9 * DAY)
        assert bounces.decide_all(store.bounces, OUTAGE + 9 * DAY) == ({last: "paused"}, [])
    assert feeds("bounces", "--believe", "gmail.com").stdout == "gmail.com: 0 bounces applied: none was held back\n"
    assert feeds("bounces", "--believe", "gmail.com", "--json").returncode == 2


def test_refusals_of_what_we_are_pause_the_domain(site):
    """A cluster of 5.7.x; nobody there is to blame."""
    mass = Mass(Returning(site), picky_example=500, readers_example=100)
    number, [told] = mass.issue(
        1, OUTAGE, lambda email: "550 5.7.1 blocked" if email.startswith("r1") and "picky" in email else ""
    )
    assert "111 of 500 were refused for who we are" in told
    assert mass.readers(OUTAGE + DAY) == 100
    assert mass.readers(OUTAGE + 3 * DAY) == 600
    assert number == 600


def test_a_few_at_a_small_domain_are_judged_one_by_one(site):
    """Half of four readers is no outage."""
    mass = Mass(Returning(site), small_example=4)
    assert mass.issue(1, OUTAGE, lambda email: GMAIL if email < "r2" else "") == (4, [])
    assert mass.readers(OUTAGE + DAY) == 2


def test_revive_brings_back_whom_a_server_was_wrong_about(site, feeds):
    """As the operator says it: a domain and two days, the second one whole."""
    mass = Mass(Returning(site), hosted_example=5, readers_example=5)
    everybody = {"refuses": lambda _email: GMAIL}
    mass.issue(1, OUTAGE, **everybody)
    mass.issue(2, OUTAGE + 8 * DAY, **everybody)
    assert mass.statuses() == {"bounced": 10}
    words = ("subscribers", "revive", "--domain", "@HOSTED.example")
    between = ("--between", "2020-12-22", "2020-12-22")
    done = feeds(*words, *between)
    assert done.returncode == 0
    assert done.stdout.startswith("5 subscribers reactivated, 0 pauses ended, 5 bounces discarded")
    assert mass.statuses() == {"active": 5, "bounced": 5}
    assert mass.issue(3, OUTAGE + 16 * DAY, **everybody)[0] == 5
    assert mass.statuses() == {"active": 5, "bounced": 5}
    odd = feeds("subscribers", "revive", "--domain", "a..b\N{LATIN SMALL LETTER E WITH ACUTE}", *between)
    assert (odd.returncode, "is no domain" in odd.stderr) == (1, True)
    wrong = feeds(*words, "--between", "2020-12-24", "2020-12-23")
    assert (wrong.returncode, "is not after" in wrong.stderr) == (1, True)


# Commands ---------------------------------------------------------------------------------------------------------


def test_the_command_tells_what_followed(back, feeds):
    """A line a message, or an object; and what is kept."""
    back.publishes()
    back.returns("ada")
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
    done = feeds("bounces")
    lines = done.stdout.splitlines()
    assert sorted(lines[:2]) == ["bounce\tada@readers.example\tweekly 1\t5.1.1\tpaused", "unrecognised\t\t\t\t"]
    assert lines[2:] == [
        "mail that came back: 2 (1 bounce, 1 unrecognised); readers: 1 paused",
        "1 messages that could not be read are in bounces/, each for 90 days",
    ]
    assert feeds("bounces").stdout == "1 messages that could not be read are in bounces/, each for 90 days\n"


@pytest.mark.parametrize(
    ("place", "told"),
    [
        ("/var/mail/bounces", "is not a mailbox; write such as 'maildir:/var/mail/bounces'"),
        ("maildir:", "is not a mailbox"),
        ("imap://host/INBOX", "is not a mailbox"),
        ("imaps://me@host:99999/", "is not a mailbox"),
        ("pop3://me@host/", "is not a mailbox"),
        ("imaps://me:secret@host/INBOX", "must not contain a password"),
        ("imaps://me@host/Zurück", "is not ASCII"),
    ],
)
def test_what_is_no_mailbox_is_named_by_its_line(site, place, told):
    """And a password that stands in it is not repeated."""
    site.configure(f'{CONFIG}[mail.bounces]\naddress = "{ADDRESS}"\nmailbox = "{place}"\n')
    with pytest.raises(ConfigError, match=r"config\.toml:11: mail\.bounces\.mailbox: ") as found:
        site.config  # noqa: B018 - a property that reads it
    assert told in str(found.value)
    assert "secret" not in str(found.value)


def test_the_password_comes_from_the_variable_that_is_named(site):
    """Never from the file; and it is not shown."""
    text = f'[mail.bounces]\naddress = "{ADDRESS}"\nmailbox = "imaps://me@host/"\npassword_env = "SECRET"\n'
    (site.folder / "config.toml").write_text(text, "utf-8")
    config = load_config(site.folder / "config.toml", {"SECRET": "hush"})
    assert (config.bounces_password, "hush" in repr(config)) == ("hush", False)


def test_without_a_mailbox_there_is_nothing_to_read(site, feeds):
    """And it says what to set."""
    done = feeds("bounces")
    assert (done.returncode, "mail.bounces is not set" in done.stderr) == (1, True)


def test_the_scheduler_reads_it_in_every_pass(back):
    """And what is wrong there stops no letters."""
    back.publishes()
    back.returns("ada")
    [told] = run.process_bounces(back.config, NOW)
    assert told.text == "mail that came back: 1 (1 bounce); readers: 1 paused"
    assert run.process_bounces(back.config, NOW) == []
    os.rename(back.site.folder / "back", back.site.folder / "gone")  # noqa: PTH104 - a folder that mail servers made
    [told] = run.process_bounces(back.config, NOW)
    assert told.text.startswith("error: bounce mailbox: ")
    back.site.configure(CONFIG + NEWSLETTER)
    assert run.process_bounces(back.config, NOW) == []


# A real server ----------------------------------------------------------------------------------------------------

#: Finds out whom there is only when it delivers, so that it sends a report.
POSTFIX = """
smtpd_reject_unlisted_recipient = no
recipient_delimiter = +
virtual_mailbox_domains = readers.example
virtual_mailbox_maps = inline:{ ada@readers.example=ada/, bounces@readers.example=bounces/ }
"""


@pytest.mark.skipif(bool(mailserver.MISSING), reason=mailserver.MISSING)
def test_a_report_of_a_real_postfix_finds_the_reader(site, tmp_path_factory):
    """From the letter that went out to the pause: its envelope's sender is where the report comes to."""
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
