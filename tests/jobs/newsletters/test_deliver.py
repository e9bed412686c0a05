"""Letters on their way through a mail server that does what servers do: nobody is lost, nobody gets two unawares."""

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
from feeds.edges.mail.smtp import sender
from feeds.edges.store.database import open_store
from feeds.errors import FeedsError
from feeds.jobs.newsletters import approve, resume, status
from feeds.jobs.options import PublishOptions
from feeds.jobs.publish import publish
from feeds.jobs.subscribers import subscribe
from tests.conftest import NOW
from tests.mailing import URL, Mailing, addresses
from tests.mailing import subscribe as join
from tests.smtpserver import Fault, SmtpServer, at

READERS = 10
A, B, *_ = addresses(READERS)


@pytest.fixture(autouse=True)
def hurry(monkeypatch):
    """Nothing here waits long for a server that is away."""
    monkeypatch.setattr(sender, "_PAUSES", (0.0, 0.01, 0.02))


@pytest.fixture
def server():
    with SmtpServer() as found:
        yield found


@pytest.fixture
def mailing(letter_site, server):
    """A weekly letter to ten readers."""
    found = Mailing(letter_site, server)
    found.configure()
    join(letter_site.folder, addresses(READERS))
    yield found
    if not found.has_old_store:
        found.check()


def pem(key):
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def everybody_once(mailing):
    return mailing.server.counts() == Counter(addresses(READERS))


# Well -------------------------------------------------------------------------------------------------------------


def test_everybody_gets_one_and_a_second_publish_sends_nothing(mailing):
    """The issue is sent, the exit code 0, and the server's answer is kept."""
    report = mailing.publish()
    assert (report.exit_code, [i.state for i in report.issues]) == (0, ["sent"])
    assert everybody_once(mailing)
    assert [(f.recipient, f.state, f.sent_at, f.answer) for f in mailing.deliveries()] == [
        (reader, "sent", NOW, "250 2.0.0 kept") for reader in addresses(READERS)
    ]
    connections = mailing.server.connections
    assert (mailing.publish().exit_code, mailing.server.connections) == (0, connections)


# Without an answer ------------------------------------------------------------------------------------------------


def test_a_lost_answer_is_waited_for_then_the_message_is_sent_once_more(mailing):
    """Five minutes later, with the same bytes, Date and Message-ID included."""
    mailing.server.rule = at("content", Fault.KEEP_AND_HANG_UP, times=1)
    report = mailing.publish()
    assert report.exit_code == 3
    assert report.later == ["weekly 1: 1 of 10 wait; the next try is due at 2026-11-23 12:05 UTC"]
    assert report.next_try_at == NOW + timedelta(minutes=5)
    assert mailing.states() == {"sent": 9, "unknown": 1}
    mailing.wait(minutes=4)
    assert mailing.publish().exit_code == 3
    assert everybody_once(mailing)
    mailing.wait(minutes=1)
    assert mailing.publish().exit_code == 0
    assert mailing.state() == "sent"
    assert mailing.server.counts() == Counter(addresses(READERS)) + Counter([A])
    [copies] = [copies for copies in mailing.server.copies() if len(copies) > 1]
    assert len({(copy.message_id, copy.date, copy.content) for copy in copies}) == 1


def test_a_signed_message_is_repeated_byte_by_byte(mailing):
    """Its signatures too."""
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
    """Then what may have arrived is held for a person, who may send it once more."""
    mailing.server.rule = at("content", Fault.KEEP_AND_HANG_UP)
    for _ in range(60):
        report = mailing.publish()
        mailing.wait(minutes=5)
        if report.exit_code == 0:
            break
    assert mailing.states() == {"unknown": READERS}
    assert set(mailing.server.counts().values()) == {2}
    assert report.warnings == ["weekly 1: 10 may have arrived and are held; `feeds resume weekly` sends them again"]
    assert mailing.state() == "sending"
    mailing.server.rule = at("content", None)
    assert mailing.resume().exit_code == 0
    assert mailing.states() == {"sent": READERS}
    assert set(mailing.server.counts().values()) == {3}


def test_what_is_to_be_held_is_never_sent_twice(mailing):
    """`on_unknown = "hold"`: a person decides."""
    mailing.configure(mail='on_unknown = "hold"\n')
    mailing.server.rule = at("content", Fault.KEEP_AND_HANG_UP, times=2, skip=3)
    report = mailing.publish()
    assert (report.exit_code, len(report.warnings)) == (0, 1)
    mailing.wait(hours=5)
    assert mailing.publish().exit_code == 0
    assert everybody_once(mailing)
    assert mailing.states() == {"sent": 8, "unknown": 2}
    assert mailing.answers() == {"the server closed the connection": 2}


# Later ------------------------------------------------------------------------------------------------------------


def test_a_server_that_is_away_is_asked_again_later(mailing):
    """Exit 3, nothing lost, nothing doubled."""
    mailing.server.rule = at("greeting", "421 4.3.2 come back later", times=3)
    report = mailing.publish()
    assert report.exit_code == 3
    assert report.later[0].endswith("replied 421 4.3.2 come back later")
    assert mailing.states() == {"ready": READERS}
    assert mailing.publish().exit_code == 0
    assert everybody_once(mailing)


def test_a_grey_list_is_waited_for_or_hurried(mailing):
    """Whoever is not known is told "later"; `feeds resume` does not wait, and counts no try against anybody."""
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
    assert everybody_once(mailing)
    assert mailing.state() == "sent"


def test_somebody_who_hurries_does_not_use_up_the_tries(mailing):
    """However often they do: no reader is given up for it."""
    mailing.server.rule = at("rcpt", "450 4.2.0 greylisted")
    mailing.publish()
    for _ in range(18):  # more than there are in two days
        mailing.wait(seconds=10)
        assert mailing.resume().exit_code == 3
    assert mailing.states() == {"deferred": READERS}


def test_a_server_that_says_later_for_ever_is_given_up(mailing):
    """After two days, for that reader; the issue ends."""
    mailing.server.rule = lambda step: "451 4.3.0 later" if step.stage == "rcpt" and A in step.words else None
    tries = 0
    while (report := mailing.publish()).exit_code == 3:
        tries += 1
        mailing.at = report.next_try_at
    assert (report.exit_code, mailing.state()) == (0, "sent")
    assert timedelta(hours=40) < mailing.at - NOW <= timedelta(hours=48)
    assert mailing.states() == {"sent": 9, "failed": 1}
    assert mailing.answers() == {f"given up after {tries + 1} tries: 451 4.3.0 later": 1}


@pytest.mark.parametrize("stage", ["mail", "rcpt", "data", "content"])
def test_a_server_that_closes_loses_nobody(mailing, stage):
    """421, wherever it comes."""
    mailing.configure(connections=3)
    mailing.server.rule = at(stage, "421 4.3.2 closing", times=3, skip=2)
    assert mailing.publish().exit_code == 3
    mailing.wait(minutes=10)
    assert mailing.publish().exit_code == 0
    assert everybody_once(mailing)


# Never ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stage", ["rcpt", "content"])
def test_a_reader_who_is_refused_gets_none_and_the_others_theirs(mailing, stage):
    """The answer is kept, and the issue is done."""
    mailing.server.rule = lambda step: "550 5.1.1 nobody" if step.stage == stage and A in step.words else None
    assert mailing.publish().exit_code == 0
    assert mailing.state() == "sent"
    assert mailing.server.counts() == Counter(addresses(READERS)[1:])
    assert mailing.answers() == {"550 5.1.1 nobody": 1}
    [progress] = status.load_progress(mailing.site.config, mailing.at)
    assert [(t.domain, t.code, t.number) for t in progress.refusals] == [("example.org", "550 5.1.1", 1)]


@pytest.mark.parametrize(
    ("stage", "answer"),
    [
        ("mail", "553 5.7.1 sender not owned"),
        ("mail", "530 5.7.0 authentication required"),
        ("rcpt", "550 5.7.26 not authenticated"),
        ("content", "550 5.7.515 Access denied"),
    ],
)
def test_a_fault_that_is_ours_stops_the_run(mailing, stage, answer):
    """Exit 1, in the server's words; nobody is given up, and all get theirs when it is mended."""
    mailing.configure(connections=2)
    mailing.server.rule = at(stage, answer)
    report = mailing.publish()
    assert report.exit_code == 1
    said = f"weekly 1: the server refuses us, not the reader: {answer} (in answer to {stage.upper()})"
    assert report.errors == [said]
    assert mailing.states() == {"ready": READERS}
    assert len(mailing.server.commands("MAIL")) <= 6
    mailing.server.rule = at(stage, None)
    assert mailing.publish().exit_code == 0
    assert everybody_once(mailing)


def test_a_password_that_is_missing_or_refused_stops_the_run(mailing):
    """Exit 1, and nobody was tried."""
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


def test_what_is_no_mail_server_is_to_be_mended(mailing):
    """Exit 1: another try would not fare better."""
    mailing.server.rule = at("greeting", "HTTP/1.1 400 Bad Request")
    report = mailing.publish()
    assert report.exit_code == 1
    assert "does not speak SMTP" in report.errors[0]
    assert mailing.states() == {"ready": READERS}
    mailing.server.rule = at("greeting", None)
    assert mailing.publish().exit_code == 0


def test_a_key_that_is_lost_in_the_middle_stops_the_run(mailing):
    """Nothing leaves unsigned; when it is back, the others get theirs."""
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
    assert everybody_once(mailing)
    assert all(message.content.startswith(b"DKIM-Signature:") for message in mailing.server.accepted)


def test_twenty_refusals_of_what_we_send_stop_the_issue(letter_site, server):
    """Each ends a delivery, so nobody else is asked until somebody says so; what waits is sent then."""
    mailing = Mailing(letter_site, server)
    mailing.configure()
    join(letter_site.folder, addresses(100))
    server.rule = at("rcpt", "550 5.7.1 policy")
    report = mailing.publish()
    assert report.errors == ["weekly 1: 20 in a row were refused, the last with: 550 5.7.1 policy"]
    failed = mailing.states()["failed"]
    assert 20 <= failed <= 22
    [progress] = status.load_progress(mailing.site.config, mailing.at)
    assert progress.issue.halt_reason == "20 in a row were refused, the last with: 550 5.7.1 policy"
    server.rule = at("rcpt", None)
    again = mailing.publish()
    assert again.errors == [
        f"weekly 1: is stopped: {progress.issue.halt_reason}; `feeds resume weekly` goes on with it"
    ]
    assert server.accepted == []
    assert mailing.resume().exit_code == 0
    assert mailing.states() == {"failed": failed, "sent": 100 - failed}
    assert len(server.accepted) == 100 - failed


# Readers who leave, and orders that come meanwhile ----------------------------------------------------------------


def while_under_way(mailing, stage, act, answer=None):
    """A server that does something once when it hears of the first reader, then answers."""

    def rule(step):
        if step.stage != stage or A not in step.words:
            return None
        if not done:
            done.append(act())
        return answer

    done = []
    mailing.server.rule = rule
    return done


def test_a_reader_who_leaves_before_the_hand_over_gets_none(mailing):
    """Leased, and the envelope is out already."""
    left = while_under_way(mailing, "rcpt", lambda: subscribe.remove_subscriber(mailing.site.config, A, NOW))
    assert mailing.publish().exit_code == 0
    assert left == [True]
    assert mailing.server.counts() == Counter(addresses(READERS)[1:])
    assert mailing.answers() == {"cancelled: no longer subscribed": 1}


@pytest.mark.parametrize("answer", ["451 4.3.0 later", Fault.HANG_UP])
def test_a_reader_who_leaves_while_it_is_handed_over_is_not_tried_again(mailing, answer):
    """Whatever the server says then."""
    while_under_way(mailing, "content", lambda: subscribe.remove_subscriber(mailing.site.config, A, NOW), answer)
    mailing.publish()
    mailing.wait(hours=1)
    mailing.server.rule = at("content", None)
    assert mailing.publish().exit_code == 0
    assert mailing.server.counts() == Counter(addresses(READERS)[1:])
    assert mailing.states() == {"sent": 9, "failed": 1}


def test_a_reader_who_leaves_while_it_arrives_got_it(mailing):
    """What is true is written down."""
    while_under_way(mailing, "content", lambda: subscribe.remove_subscriber(mailing.site.config, A, NOW))
    assert mailing.publish().exit_code == 0
    assert mailing.states() == {"sent": READERS}


@pytest.mark.parametrize("answer", ["451 4.3.0 later", Fault.HANG_UP, None])
def test_a_cancelled_issue_sends_nothing_more(mailing, answer):
    """Though a sender is at work on it, and whatever becomes of what is on the wire."""
    while_under_way(mailing, "content", lambda: resume.cancel_issue(mailing.site.config, "weekly"), answer)
    mailing.publish()
    mailing.wait(hours=1)
    mailing.server.rule = at("content", None)
    assert mailing.publish().exit_code == 0
    assert mailing.state() == "sent"
    assert mailing.states() == ({"sent": 1, "failed": 9} if answer is None else {"failed": READERS})
    assert mailing.server.counts() == ({A: 1} if answer is None else {})


def test_a_server_is_not_asked_for_each_of_those_whose_issue_was_cancelled(letter_site, server):
    """What was leased already is let go at once, not one connection after the other."""
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
    assert mailing.states() == {"sent": len(server.accepted), "failed": 300 - len(server.accepted)}
    assert len(server.accepted) <= until_then[0] + 4  # what was on the wire, and what each connection was given then
    assert server.connections < 10


# Senders and programs beside us -----------------------------------------------------------------------------------


@pytest.fixture
def beside(mailing):
    """Runs something in the middle of a send, and returns what it returned."""
    at_work, go_on, found = threading.Event(), threading.Event(), []

    def rule(step):
        if step.stage == "content" and step.before == 3:
            at_work.set()
            go_on.wait(30)

    def run(act):
        def second():
            at_work.wait(30)
            try:
                found.append(act())
            finally:
                go_on.set()

        mailing.server.rule = rule
        other = threading.Thread(target=second)
        other.start()
        assert mailing.publish().exit_code == 0
        other.join()
        return found[0]

    return run


def test_of_two_senders_the_second_leaves_it_to_the_first(mailing, feeds, beside):
    """Nobody doubles; feeds are brought up to date all the same."""
    mailing.site.post("second", date="2026-11-21")
    done = beside(lambda: (mailing.site.post("third", date="2026-11-22"), feeds("publish", "--yes", "--json"))[1])
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["issues"][0]["state"] == "sending"
    assert "third" in mailing.site.read("public/feeds/atom.xml")
    assert everybody_once(mailing)
    assert not list(mailing.site.folder.glob("*.sending"))


def test_what_comes_to_be_sent_meanwhile_is_sent_by_who_is_at_it(mailing, feeds, beside):
    """An issue that somebody else's publish has composed does not wait for the next one."""

    def second():
        mailing.site.post("urgent", date="2026-11-22")
        return feeds("send", "weekly", "--now", "2026-11-24T12:00:00Z", "--yes")

    assert beside(second).returncode == 0
    with open_store(URL, mailing.site.folder) as store:
        assert [(i.state, i.sent) for i in store.issues.load_issues()] == [("sent", 10), ("sent", 10)]
    assert sorted(mailing.server.counts().values()) == [2] * 10


def test_nobody_is_erased_while_letters_go_out(mailing, feeds, beside):
    """An answer of the server would bring the address back; a list may be taken in."""
    (mailing.site.folder / "people.csv").write_text("email\nnew@example.org\n", "utf-8")

    def act():
        return feeds("subscribers", "erase", addresses(1)[0]), feeds("subscribers", "import", "people.csv")

    erased, imported = beside(act)
    assert (erased.returncode, imported.returncode) == (3, 0), imported.stderr
    assert "another process is sending" in erased.stderr


@pytest.mark.parametrize("lock", ["BEGIN IMMEDIATE", "BEGIN; SELECT count(*) FROM deliveries"])
def test_a_store_that_another_program_holds_is_waited_for(mailing, lock):
    """A program that writes, one that reads: in the middle of a send, and when it begins and ends."""
    held = []

    def hold():
        with closing(sqlite3.connect(mailing.site.folder / "feeds.db", timeout=10)) as db:
            db.isolation_level = None
            while len(held) < 8:
                for statement in lock.split(";"):
                    db.execute(statement).fetchall()
                held.append(1)
                time.sleep(0.3)
                db.execute("COMMIT")
                time.sleep(0.01)

    beside = threading.Thread(target=hold)
    beside.start()
    mailing.server.pace = 0.05
    try:
        report = mailing.publish()
    finally:
        held.extend([1] * 8)
        beside.join()
    assert (report.errors, report.exit_code) == ([], 0)
    assert everybody_once(mailing)


# For people and programs ------------------------------------------------------------------------------------------


def test_the_command_tells_how_a_send_fares(mailing, feeds):
    """Exit codes and words of `publish`, `status`, `issues` and `resume`."""
    mailing.server.rule = lambda step: {A: "450 4.2.0 grey", B: "550 5.1.1 nobody"}.get(step.words[9:-1])
    done = feeds("publish", "--now", "2026-11-23T12:00Z", "--yes")
    assert done.returncode == 3
    assert "weekly 1: 1 of 10 wait; the next try is due at" in done.stderr
    found = json.loads(feeds("status", "--json").stdout)
    assert (found["sent"], found["left"], found["state"], found["halted"]) == (8, 1, "sending", "")
    assert found["deliveries"] == {
        **dict.fromkeys(("ready", "leased", "handing_over", "unknown"), 0),
        "sent": 8,
        "deferred": 1,
        "failed": 1,
    }
    assert {(one["code"], one["number"]) for one in found["refusals"]} == {("450 4.2.0", 1), ("550 5.1.1", 1)}
    rows = [json.loads(line) for line in feeds("issues", "1", "--recipients", "--json").stdout.splitlines()]
    assert Counter(row["state"] for row in rows) == {"sent": 8, "deferred": 1, "failed": 1}
    assert {row["recipient"]: row["answer"] for row in rows if row["state"] != "sent"} == {
        A: "450 4.2.0 grey",
        B: "550 5.1.1 nobody",
    }
    mailing.server.rule = at("rcpt", "550 5.7.26 unauthenticated")
    done = feeds("resume")
    assert done.returncode == 1
    assert "the server refuses us, not the reader: 550 5.7.26 unauthenticated" in done.stderr
    mailing.server.rule = at("rcpt", None)
    assert feeds("resume").returncode == 0
    assert mailing.server.counts() == Counter(one for one in addresses(READERS) if one != B)
    assert "sent" in feeds("issues").stdout


# Stores that are not what they were -------------------------------------------------------------------------------


def backup(mailing):
    return (mailing.site.folder / "feeds.db").read_bytes()


def restore(mailing, content):
    (mailing.site.folder / "feeds.db").write_bytes(content)


def test_a_store_from_before_the_issue_does_not_send_it_again(mailing):
    """The issue's page lies in public; the store that does not know it is refused."""
    mailing.publish(feeds_only=True)
    before = backup(mailing)
    mailing.publish()
    restore(mailing, before)
    report = mailing.publish()
    assert report.exit_code == 1
    assert "issue 1 lies in public/newsletters/, and the store knows none" in report.errors[0]
    assert everybody_once(mailing)
    mailing.has_old_store = True


def test_a_store_from_before_the_approval_does_not_send_it_again(mailing):
    """Nor by somebody who approves it once more."""
    config = mailing.site.folder / "config.toml"
    config.write_text(config.read_text("utf-8").replace("[[newsletters]]", "[[newsletters]]\napprove = true"), "utf-8")
    mailing.publish()
    before = backup(mailing)
    assert approve.approve_issue(mailing.site.config, "weekly", mailing.context()).exit_code == 0
    restore(mailing, before)
    with pytest.raises(FeedsError, match="lies in public/newsletters/"):
        approve.approve_issue(mailing.site.config, "weekly", mailing.context())
    assert everybody_once(mailing)


def test_a_store_from_the_middle_sends_again_only_what_it_does_not_know(mailing):
    """With the same Message-IDs, so that mailboxes show one."""
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
