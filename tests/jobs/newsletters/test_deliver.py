"""Sending through a mail server with faults: no letter is lost, and none is sent twice without need."""

import json
import sqlite3
import threading
import time
from collections import Counter
from contextlib import closing
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from feeds.config import load_config
from feeds.edges.mail.smtp import sender, server_pace
from feeds.edges.store.database import open_store
from feeds.errors import FeedsError
from feeds.jobs.newsletters import approve, resume, status
from feeds.jobs.options import PublishOptions
from feeds.jobs.publish import publish
from feeds.jobs.subscribers import subscribe
from tests.conftest import NOW
from tests.mailing import Mailing, addresses, configured
from tests.mailing import subscribe as join
from tests.smtpserver import Fault, SmtpServer, at

READERS = 10
A, B, *_ = addresses(READERS)


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch):
    """The sender waits only for hundredths of a second before it connects again."""
    monkeypatch.setattr(sender, "_PAUSES", (0.0, 0.01, 0.02))
    monkeypatch.setattr(server_pace, "_WAITS", (0.01, 0.02, 0.04, 300))


@pytest.fixture
def server():
    with SmtpServer() as found:
        yield found


@pytest.fixture
def mailing(letter_site, server):
    """A weekly newsletter with ten subscribers."""
    found = Mailing(letter_site, server)
    found.configure()
    join(letter_site.folder, addresses(READERS))
    yield found
    if not found.has_old_store:
        found.check()


def pem(key):
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def all_got_one(mailing):
    return mailing.server.counts() == Counter(addresses(READERS))


# Success ----------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("databases")
def test_all_get_one_and_a_second_publish_sends_nothing(mailing):
    """If all is accepted, the issue is sent (exit 0) with its replies stored, and a second publish sends nothing."""
    report = mailing.publish()
    assert (report.exit_code, [i.state for i in report.issues]) == (0, ["sent"])
    assert all_got_one(mailing)
    assert [(f.recipient, f.state, f.sent_at, f.answer) for f in mailing.deliveries()] == [
        (reader, "sent", NOW, "250 2.0.0 kept") for reader in addresses(READERS)
    ]
    connections = mailing.server.connections
    assert (mailing.publish().exit_code, mailing.server.connections) == (0, connections)


#: Addresses as people write them, and the domain that a server gets: the one that its registry knows (IDNA 2008).
IN_OTHER_SCRIPTS = {
    "a@straße.example": "xn--strae-oqa.example",
    "b@νόμος.example": "xn--xxabhm1c.example",
    "c@ελλάς.example": "xn--hxarsa0b.example",
    "d@bücher.example": "xn--bcher-kva.example",
    "e@日本語.example": "xn--wgv71a119e.example",
    "f@почта.example": "xn--80a1acny.example",
    "g@한국어.example": "xn--3e0bk47br7k.example",
    "h@xn--fa-hia.example": "xn--fa-hia.example",
    "i@MÜNCHEN.example": "xn--mnchen-3ya.example",
    "j@größe.Straße.example": "xn--gre-6ka8i.xn--strae-oqa.example",
}


@pytest.mark.usefixtures("databases")
def test_a_letter_goes_to_the_domain_of_its_address(letter_site, server):
    """A domain in another script is in ASCII in RCPT TO, To and MAIL FROM, as its registry has it."""
    mailing = Mailing(letter_site, server)
    settings = configured(server).replace("<letters@example.com>", "<letters@straße.example>")
    letter_site.configure(settings)
    for email in IN_OTHER_SCRIPTS:
        subscribe.add_subscriber(letter_site.config, email, [], lang=None, now=NOW, again=False)
    mailing.publish()
    expected = [f"{email[0]}@{domain}" for email, domain in IN_OTHER_SCRIPTS.items()]
    assert sorted(server.commands("RCPT")) == [f"RCPT TO:<{address}>" for address in expected]
    assert set(server.commands("MAIL")) == {"MAIL FROM:<letters@xn--strae-oqa.example>"}
    assert all(f"\r\nTo: {one.recipient}\r\n".encode() in b"\r\n" + one.content for one in server.accepted)


# Without a reply --------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("databases")
def test_a_lost_answer_is_waited_for_then_the_message_is_sent_once_more(mailing):
    """If the connection ends before the reply, the message is sent again after five minutes, byte for byte the same."""
    mailing.server.rule = at("content", Fault.KEEP_AND_HANG_UP, times=1)
    report = mailing.publish()
    assert report.exit_code == 3
    assert report.later == ["weekly 1: 1 of 10 deliveries waits; the next try is due at 2026-11-23 12:05 UTC"]
    assert report.next_try_at == NOW + timedelta(minutes=5)
    assert mailing.states() == {"sent": 9, "unknown": 1}
    mailing.wait(minutes=4)
    assert mailing.publish().exit_code == 3
    assert all_got_one(mailing)
    mailing.wait(minutes=1)
    assert mailing.publish().exit_code == 0
    assert mailing.state() == "sent"
    assert mailing.server.counts() == Counter(addresses(READERS)) + Counter([A])
    [copies] = [copies for copies in mailing.server.copies() if len(copies) > 1]
    assert len({(copy.message_id, copy.date, copy.content) for copy in copies}) == 1


def test_a_signed_message_is_repeated_byte_by_byte(mailing):
    """A signed message that is sent again has the same bytes, including its signatures."""
    keys = {"rsa": rsa.generate_private_key(65537, 2048), "ed": ed25519.Ed25519PrivateKey.generate()}
    tables = ""
    for name, key in keys.items():
        (mailing.site.folder / f"{name}.pem").write_bytes(pem(key))
        tables += f'[[mail.dkim]]\nselector = "{name}"\nkey_file = "{name}.pem"\n'
    mailing.configure(mail=tables)
    mailing.server.rule = at("content", Fault.KEEP_AND_HANG_UP, times=1)
    mailing.publish()
    mailing.wait(minutes=61)
    assert mailing.publish().exit_code == 0
    assert max(mailing.server.counts().values()) == 2
    assert all(message.content.count(b"DKIM-Signature:") == 2 for message in mailing.server.accepted)


def test_a_server_that_never_answers_gets_each_message_twice_at_most(mailing):
    """If no reply ever comes, each message is sent twice and then held; `feeds resume` sends it once more."""
    mailing.server.rule = at("content", Fault.KEEP_AND_HANG_UP)
    for _ in range(60):
        report = mailing.publish()
        mailing.wait(minutes=5)
        if report.exit_code == 0:
            break
    assert mailing.states() == {"unknown": READERS}
    assert set(mailing.server.counts().values()) == {2}
    held = "weekly 1: 10 deliveries may have arrived and are held; `feeds resume weekly` sends them again"
    assert report.warnings == [held]
    assert mailing.state() == "sending"
    mailing.server.rule = at("content", None)
    assert mailing.resume().exit_code == 0
    assert mailing.states() == {"sent": READERS}
    assert set(mailing.server.counts().values()) == {3}


@pytest.mark.usefixtures("databases")
def test_a_held_message_is_never_sent_twice(mailing):
    """With `on_unknown = "hold"`, a message that may have arrived is not sent again."""
    mailing.configure(mail='on_unknown = "hold"\n')
    mailing.server.rule = at("content", Fault.KEEP_AND_HANG_UP, times=2, skip=3)
    report = mailing.publish()
    assert (report.exit_code, len(report.warnings)) == (0, 1)
    mailing.wait(hours=5)
    assert mailing.publish().exit_code == 0
    assert all_got_one(mailing)
    assert mailing.states() == {"sent": 8, "unknown": 2}
    assert mailing.answers() == {"the server closed the connection": 2}


# Temporary failures -----------------------------------------------------------------------------------------------


def test_a_server_that_is_away_is_asked_again_later(mailing):
    """If the server is unavailable, the exit code is 3, and the next publish sends every letter once."""
    mailing.server.rule = at("greeting", "421 4.3.2 come back later", times=3)
    report = mailing.publish()
    assert report.exit_code == 3
    assert report.later[0].endswith("replied 421 4.3.2 come back later")
    assert mailing.states() == {"ready": READERS}
    assert mailing.publish().exit_code == 0
    assert all_got_one(mailing)


@pytest.mark.usefixtures("databases")
def test_greylisting_is_waited_for_or_resumed(mailing):
    """A greylisted delivery is deferred until its next try is due; `feeds resume` sends it at once."""
    seen = set()

    def rule(step):
        if step.stage != "rcpt" or step.words in seen:
            return None
        seen.add(step.words)
        return "450 4.2.0 greylisted"

    mailing.server.rule = rule
    report = mailing.publish()
    assert (report.exit_code, mailing.states()) == (3, {"deferred": READERS})
    assert report.next_try_at == NOW + timedelta(minutes=2)
    mailing.wait(seconds=119)
    assert (mailing.publish().exit_code, mailing.server.accepted) == (3, [])
    assert mailing.resume().exit_code == 0
    assert all_got_one(mailing)
    assert mailing.state() == "sent"


@pytest.mark.usefixtures("databases")
def test_resuming_does_not_use_up_the_tries(mailing):
    """However often `feeds resume` retries deferred deliveries, none of them is given up for it."""
    mailing.server.rule = at("rcpt", "450 4.2.0 greylisted")
    mailing.publish()
    for _ in range(18):  # more than the tries of two days
        mailing.wait(seconds=10)
        assert mailing.resume().exit_code == 3
    assert mailing.states() == {"deferred": READERS}


@pytest.mark.usefixtures("databases")
def test_a_delivery_that_is_always_deferred_is_given_up(mailing):
    """A delivery that is deferred for two days fails, and the issue is finished."""
    mailing.server.rule = lambda step: "451 4.3.0 later" if step.stage == "rcpt" and A in step.words else None
    tries = 0
    while (report := mailing.publish()).exit_code == 3:
        tries += 1
        mailing.at = report.next_try_at
    assert (report.exit_code, mailing.state()) == (0, "sent")
    assert timedelta(hours=40) < mailing.at - NOW <= timedelta(hours=48)
    assert mailing.states() == {"sent": 9, "failed": 1}
    assert mailing.answers() == {f"given up after {tries + 1} tries: 451 4.3.0 later": 1}


@pytest.mark.usefixtures("databases")
@pytest.mark.parametrize("stage", ["mail", "rcpt", "data", "content"])
def test_a_server_that_closes_loses_no_letter(mailing, stage):
    """A server that closes with 421 at any stage loses no letter, doubles none, and costs no letter a try."""
    mailing.configure(connections=3)
    mailing.server.rule = at(stage, "421 4.3.2 closing", times=3, skip=2)
    assert mailing.publish().exit_code == (0 if stage == "mail" else 3)
    assert {one.tries for one in mailing.deliveries()} <= {0, 1}
    mailing.wait(minutes=10)
    assert mailing.publish().exit_code == 0
    assert all_got_one(mailing)


# Permanent failures -----------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("databases")
@pytest.mark.parametrize("stage", ["rcpt", "content"])
def test_a_refused_recipient_gets_none_and_the_others_theirs(mailing, stage):
    """A permanent refusal fails one delivery; its reply is stored, the others are sent, and the issue is finished."""
    mailing.server.rule = lambda step: "550 5.1.1 no such user" if step.stage == stage and A in step.words else None
    assert mailing.publish().exit_code == 0
    assert mailing.state() == "sent"
    assert mailing.server.counts() == Counter(addresses(READERS)[1:])
    assert mailing.answers() == {"550 5.1.1 no such user": 1}
    [progress] = status.load_progress(mailing.site.config, mailing.at)
    assert [(t.domain, t.code, t.number) for t in progress.refusals] == [("example.org", "550 5.1.1", 1)]


@pytest.mark.usefixtures("databases")
@pytest.mark.parametrize(
    ("stage", "answer"),
    [
        ("mail", "553 5.7.1 sender not owned"),
        ("mail", "530 5.7.0 authentication required"),
        ("rcpt", "550 5.7.26 not authenticated"),
        ("content", "550 5.7.515 Access denied"),
    ],
)
def test_a_rejected_sender_stops_the_run(mailing, stage, answer):
    """A rejected sender stops the run (exit 1) with the server's words; no delivery fails, all are sent later."""
    mailing.configure(connections=2)
    mailing.server.rule = at(stage, answer)
    report = mailing.publish()
    assert report.exit_code == 1
    error = f"weekly 1: the server rejects this sender: {answer} (in reply to {stage.upper()})"
    assert report.errors == [error]
    assert mailing.states() == {"ready": READERS}
    assert len(mailing.server.commands("MAIL")) <= 6
    mailing.server.rule = at(stage, None)
    assert mailing.publish().exit_code == 0
    assert all_got_one(mailing)


def test_a_password_that_is_missing_or_refused_stops_the_run(mailing):
    """A missing or rejected SMTP password stops the run with exit code 1 before any delivery."""
    mailing.server.offers = ("AUTH PLAIN",)
    mailing.server.rule = at("auth", "535 5.7.8 bad credentials")
    mailing.configure(user="desk")
    report = mailing.publish()
    assert (report.exit_code, mailing.server.connections) == (1, 0)
    assert "the environment variable FEEDS_SMTP_PASSWORD is not" in report.errors[0]
    report = publish(
        load_config(mailing.site.folder / "config.toml", {"FEEDS_SMTP_PASSWORD": "x"}),
        PublishOptions(now=NOW),
        mailing.context(),
    )
    assert report.exit_code == 1
    assert "rejects user and password: 535 5.7.8 bad credentials" in report.errors[0]
    assert mailing.states() == {"ready": READERS}


def test_a_server_that_does_not_speak_smtp_stops_the_run(mailing):
    """A server that does not speak SMTP stops the run with exit code 1: a retry would not help."""
    mailing.server.rule = at("greeting", "HTTP/1.1 400 Bad Request")
    report = mailing.publish()
    assert report.exit_code == 1
    assert "does not speak SMTP" in report.errors[0]
    assert mailing.states() == {"ready": READERS}
    mailing.server.rule = at("greeting", None)
    assert mailing.publish().exit_code == 0


def test_a_key_that_is_lost_in_the_middle_stops_the_run(mailing):
    """If a DKIM key is missing, nothing is sent unsigned; once it is back, the rest is sent."""
    key = mailing.site.folder / "rsa.pem"
    key.write_bytes(pem(rsa.generate_private_key(65537, 2048)))
    mailing.configure(mail='[[mail.dkim]]\nselector = "rsa"\nkey_file = "rsa.pem"\n')
    mailing.server.rule = lambda step: "451 4.3.0 later" if step.stage == "rcpt" and step.before >= 5 else None
    mailing.publish()
    mailing.server.rule = at("rcpt", None)
    mailing.wait(minutes=2)
    key.rename(key.with_suffix(".lost"))
    report = mailing.publish()
    assert report.exit_code == 1
    assert "mail.dkim[0].key_file: rsa.pem: No such file or directory" in report.errors[0]
    assert len(mailing.server.accepted) == 5
    key.with_suffix(".lost").rename(key)
    assert mailing.publish().exit_code == 0
    assert all_got_one(mailing)
    assert all(message.content.startswith(b"DKIM-Signature:") for message in mailing.server.accepted)


@pytest.mark.usefixtures("databases")
def test_twenty_policy_refusals_halt_the_issue(letter_site, server):
    """Twenty policy refusals in a row halt the issue until `feeds resume`, which sends the rest."""
    mailing = Mailing(letter_site, server)
    mailing.configure()
    join(letter_site.folder, addresses(100))
    server.rule = at("rcpt", "550 5.7.1 policy")
    report = mailing.publish()
    reason = "20 deliveries in a row were refused, the last with: 550 5.7.1 policy"
    assert report.errors == []
    assert report.alerts[0] == f"weekly 1 is halted: {reason}; `feeds resume weekly` resumes it"
    failed = mailing.states()["failed"]
    assert 20 <= failed <= 22
    [progress] = status.load_progress(mailing.site.config, mailing.at)
    assert progress.issue.halt_reason == reason
    server.rule = at("rcpt", None)
    again = mailing.publish()
    assert again.errors == [f"weekly 1: is halted: {progress.issue.halt_reason}; `feeds resume weekly` resumes it"]
    assert server.accepted == []
    assert mailing.resume().exit_code == 0
    assert mailing.states() == {"failed": failed, "sent": 100 - failed}
    assert len(server.accepted) == 100 - failed


# Unsubscribing and cancelling during a send -----------------------------------------------------------------------


def act_at(mailing, stage, act, answer=None):
    """Make the server act once when the first subscriber's address reaches a stage, then reply."""

    def rule(step):
        if step.stage != stage or A not in step.words:
            return None
        if not done:
            done.append(act())
        return answer

    done = []
    mailing.server.rule = rule
    return done


@pytest.mark.usefixtures("databases")
def test_unsubscribing_before_the_content_stops_the_letter(mailing):
    """A subscriber who unsubscribes after RCPT and before the content gets no letter."""
    left = act_at(mailing, "rcpt", lambda: subscribe.remove_subscriber(mailing.site.config, A, NOW))
    assert mailing.publish().exit_code == 0
    assert left == [True]
    assert mailing.server.counts() == Counter(addresses(READERS)[1:])
    assert mailing.answers() == {"cancelled: no longer subscribed": 1}


@pytest.mark.usefixtures("databases")
@pytest.mark.parametrize("answer", ["451 4.3.0 later", Fault.HANG_UP])
def test_unsubscribing_during_the_content_stops_retries(mailing, answer):
    """A subscriber who unsubscribes during the content is not retried, even if the server deferred it or hung up."""
    act_at(mailing, "content", lambda: subscribe.remove_subscriber(mailing.site.config, A, NOW), answer)
    mailing.publish()
    mailing.wait(hours=1)
    mailing.server.rule = at("content", None)
    assert mailing.publish().exit_code == 0
    assert mailing.server.counts() == Counter(addresses(READERS)[1:])
    assert mailing.states() == {"sent": 9, "cancelled": 1}


@pytest.mark.usefixtures("databases")
def test_unsubscribing_during_an_accepted_delivery_changes_nothing(mailing):
    """A delivery that was accepted is recorded as sent, even if the subscriber unsubscribed meanwhile."""
    act_at(mailing, "content", lambda: subscribe.remove_subscriber(mailing.site.config, A, NOW))
    assert mailing.publish().exit_code == 0
    assert mailing.states() == {"sent": READERS}


@pytest.mark.usefixtures("databases")
@pytest.mark.parametrize("answer", ["451 4.3.0 later", Fault.HANG_UP, None])
def test_a_cancelled_issue_sends_nothing_more(mailing, answer):
    """A cancelled issue sends nothing more, though a sender is running, whatever the reply to the current message."""
    act_at(mailing, "content", lambda: resume.cancel_issue(mailing.site.config, "weekly"), answer)
    mailing.publish()
    mailing.wait(hours=1)
    mailing.server.rule = at("content", None)
    assert mailing.publish().exit_code == 0
    assert mailing.state() == "sent"
    assert mailing.states() == ({"sent": 1, "cancelled": 9} if answer is None else {"cancelled": READERS})
    assert mailing.server.counts() == ({A: 1} if answer is None else {})


@pytest.mark.usefixtures("databases")
def test_leased_deliveries_of_a_cancelled_issue_are_dropped_at_once(letter_site, server):
    """If an issue is cancelled, the sender drops all leased deliveries at once, without asking the server for each."""
    mailing = Mailing(letter_site, server)
    mailing.configure(connections=2)
    join(letter_site.folder, addresses(300))
    until_then = []

    def rule(step):
        if step.stage == "content" and step.before == 5:
            mailing.cancel()
            until_then.append(len(server.accepted))

    server.rule = rule
    assert mailing.publish().exit_code == 0
    assert mailing.states() == {"sent": len(server.accepted), "cancelled": 300 - len(server.accepted)}
    assert len(server.accepted) <= until_then[0] + 4  # the messages in flight, and one more for each connection
    assert server.connections < 10


# Other processes --------------------------------------------------------------------------------------------------


@pytest.fixture
def during_send(mailing):
    """Return a function that runs an action during a send and returns its result."""
    is_sending, may_continue, results = threading.Event(), threading.Event(), []

    def rule(step):
        if step.stage == "content" and step.before == 3:
            is_sending.set()
            may_continue.wait(30)

    def run(act):
        def second():
            is_sending.wait(30)
            try:
                results.append(act())
            finally:
                may_continue.set()

        mailing.server.rule = rule
        other = threading.Thread(target=second)
        other.start()
        assert mailing.publish().exit_code == 0
        other.join()
        return results[0]

    return run


@pytest.mark.usefixtures("databases")
def test_a_second_sender_leaves_sending_to_the_first(mailing, feeds, during_send):
    """A second publish updates the feeds and leaves sending to the first; no letter is doubled."""
    mailing.site.post("second", date="2026-11-21")
    done = during_send(lambda: (mailing.site.post("third", date="2026-11-22"), feeds("publish", "--yes", "--json"))[1])
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["issues"][0]["state"] == "sending"
    assert "third" in mailing.site.read("public/feeds/atom.xml")
    assert all_got_one(mailing)
    assert not list(mailing.site.folder.glob("*.sending"))


def test_an_issue_composed_during_a_send_is_sent_by_the_running_sender(mailing, feeds, during_send):
    """An issue that another process composes during a send is sent by the running sender."""

    def second():
        mailing.site.post("urgent", date="2026-11-22")
        return feeds("send", "weekly", "--now", "2026-11-24T12:00:00Z", "--yes")

    assert during_send(second).returncode == 0
    with open_store(mailing.site.config.store_url, mailing.site.folder) as store:
        assert [(i.state, i.sent) for i in store.issues.load_issues()] == [("sent", 10), ("sent", 10)]
    assert sorted(mailing.server.counts().values()) == [2] * 10


@pytest.mark.usefixtures("databases")
def test_erasing_is_refused_during_a_send(mailing, feeds, during_send):
    """During a send, erasing is refused, since a reply could bring the address back; an import is allowed."""
    (mailing.site.folder / "people.csv").write_text("email\nnew@example.org\n", "utf-8")

    def act():
        return feeds("subscribers", "erase", addresses(1)[0]), feeds("subscribers", "import", "people.csv")

    erased, imported = during_send(act)
    assert (erased.returncode, imported.returncode) == (3, 0), imported.stderr
    assert "another process is sending" in erased.stderr


@pytest.mark.parametrize("lock", ["BEGIN IMMEDIATE", "BEGIN; SELECT count(*) FROM deliveries"])
def test_a_locked_database_is_waited_for(mailing, lock):
    """A send waits for a program that holds a lock on the database, whether it writes or reads."""
    held = []

    def hold():
        with closing(sqlite3.connect(mailing.site.folder / ".feeds/feeds.db", timeout=10)) as db:
            db.isolation_level = None
            while len(held) < 8:
                for statement in lock.split(";"):
                    db.execute(statement).fetchall()
                held.append(1)
                time.sleep(0.3)
                db.execute("COMMIT")
                time.sleep(0.01)

    holder = threading.Thread(target=hold)
    holder.start()
    mailing.server.pace = 0.05
    try:
        report = mailing.publish()
    finally:
        held.extend([1] * 8)
        holder.join()
    assert (report.errors, report.exit_code) == ([], 0)
    assert all_got_one(mailing)


# Reports ----------------------------------------------------------------------------------------------------------


def test_commands_report_the_progress_of_a_send(mailing, feeds):
    """`publish`, `status`, `issues` and `resume` report the progress of a send, as text, JSON and exit codes."""
    mailing.server.rule = lambda step: {A: "450 4.2.0 grey", B: "550 5.1.1 no such user"}.get(step.words[9:-1])
    done = feeds("publish", "--now", "2026-11-23T12:00Z", "--yes")
    assert done.returncode == 3
    assert "weekly 1: 1 of 10 deliveries waits; the next try is due at" in done.stderr
    found = json.loads(feeds("status", "--json").stdout)
    assert (found["sent"], found["left"], found["state"], found["halted"]) == (8, 1, "sending", "")
    assert found["deliveries"] == {
        **dict.fromkeys(("ready", "leased", "handing_over", "unknown", "cancelled"), 0),
        "sent": 8,
        "deferred": 1,
        "failed": 1,
    }
    assert {(one["code"], one["number"]) for one in found["refusals"]} == {("450 4.2.0", 1), ("550 5.1.1", 1)}
    rows = [json.loads(line) for line in feeds("issues", "1", "--recipients", "--json").stdout.splitlines()]
    assert Counter(row["state"] for row in rows) == {"sent": 8, "deferred": 1, "failed": 1}
    assert {row["recipient"]: row["answer"] for row in rows if row["state"] != "sent"} == {
        A: "450 4.2.0 grey",
        B: "550 5.1.1 no such user",
    }
    mailing.server.rule = at("rcpt", "550 5.7.26 unauthenticated")
    done = feeds("resume")
    assert done.returncode == 1
    assert "example.org takes no letters of weekly 1: 550 5.7.26 unauthenticated" in done.stderr
    mailing.server.rule = at("rcpt", None)
    assert feeds("resume").returncode == 0
    assert mailing.server.counts() == Counter(one for one in addresses(READERS) if one != B)
    assert "sent" in feeds("issues").stdout


# Old databases ----------------------------------------------------------------------------------------------------


def backup(mailing):
    return (mailing.site.folder / ".feeds/feeds.db").read_bytes()


def restore(mailing, content):
    (mailing.site.folder / ".feeds/feeds.db").write_bytes(content)


def test_a_database_from_before_the_issue_does_not_send_it_again(mailing):
    """If the database is older than the issue, whose page is in public/, publishing refuses to send it again."""
    mailing.publish(feeds_only=True)
    before = backup(mailing)
    mailing.publish()
    restore(mailing, before)
    report = mailing.publish()
    assert report.exit_code == 1
    assert "public/newsletters/ contains issue 1, but the database has none" in report.errors[0]
    assert all_got_one(mailing)
    mailing.has_old_store = True


def test_a_database_from_before_the_approval_does_not_send_it_again(mailing):
    """If the database is older than the approval, approving the issue again is refused."""
    config = mailing.site.folder / "config.toml"
    config.write_text(config.read_text("utf-8").replace("[[newsletters]]", "[[newsletters]]\napprove = true"), "utf-8")
    mailing.publish()
    before = backup(mailing)
    assert approve.approve_issue(mailing.site.config, "weekly", mailing.context()).exit_code == 0
    restore(mailing, before)
    with pytest.raises(FeedsError, match="public/newsletters/ contains issue 1, but the database has none"):
        approve.approve_issue(mailing.site.config, "weekly", mailing.context())
    assert all_got_one(mailing)


def test_a_database_from_the_middle_of_a_send_repeats_only_the_rest(mailing):
    """A database from the middle of a send repeats only the deliveries it does not know, with the same Message-IDs."""
    full = lambda: len(mailing.server.accepted) >= 4  # noqa: E731
    mailing.server.rule = lambda step: Fault.HANG_UP if full() and step.stage in {"greeting", "rcpt"} else None
    assert mailing.publish().exit_code == 3
    middle, known = backup(mailing), set(mailing.server.counts())
    assert len(known) == 4
    mailing.server.rule = at("rcpt", None)
    mailing.wait(minutes=10)
    assert mailing.publish().exit_code == 0
    restore(mailing, middle)
    mailing.wait(minutes=10)
    assert mailing.publish().exit_code == 0
    counts = mailing.server.counts()
    assert {reader for reader, number in counts.items() if number == 1} == known
    assert {reader for reader, number in counts.items() if number == 2} == set(addresses(READERS)) - known
    for copies in mailing.server.copies():
        assert len({copy.message_id for copy in copies}) == 1
    mailing.has_old_store = True
