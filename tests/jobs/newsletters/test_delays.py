"""One reader, domain or server that refuses letters of an issue does not stop the others, and costs them no try."""

import json
from collections import Counter
from datetime import timedelta

import pytest

from feeds.edges.mail.smtp import sender, server_pace
from feeds.edges.store.database import open_store
from feeds.jobs.newsletters import status
from tests.mailing import Mailing
from tests.mailing import subscribe as join
from tests.smtpserver import SmtpServer, at

#: Servers that reject the sender; the issue of one reader must not stop the issue of all.
REJECTIONS = [
    ("rcpt", "550 5.7.26 Unauthenticated email is not accepted due to domain's DMARC policy"),
    ("rcpt", "550 5.7.9 This mail has been blocked because the sender is unauthenticated"),
    ("rcpt", "530 5.7.57 Client not authenticated to send mail"),
    ("content", "550 5.7.26 This message fails to pass SPF checks"),
]
SLOWER = "450 4.7.1 too much mail"


@pytest.fixture(autouse=True)
def short_waits(monkeypatch):
    """Pauses within a run take hundredths of a second."""
    monkeypatch.setattr(sender, "_PAUSES", (0.0, 0.01, 0.02))
    monkeypatch.setattr(server_pace, "_WAITS", (0.01, 0.02, 0.04, 300))


@pytest.fixture
def mailing(letter_site):
    with SmtpServer() as server:
        found = Mailing(letter_site, server)
        found.configure(connections=4)
        yield found
        found.check()


def readers_at_many_domains(number):
    """Return the addresses of readers, each at another domain."""
    return [f"reader@d{n:04}.example" for n in range(number)]


def at_domain(stage, answer, *domains):
    """Return a rule for recipients at these domains."""
    return lambda s: answer if s.stage == stage and any(f"@{one}" in s.words for one in domains) else None


def delays(mailing):
    with open_store(mailing.site.config.store_url, mailing.site.folder) as store:
        return store.delays.load_domains(1)


# A domain that rejects the sender ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("stage", "answer"), REJECTIONS)
def test_a_domain_that_rejects_the_sender_stops_no_other(mailing, stage, answer):
    """Of 60 readers, 59 get their letter in the first run; the operator is told once, and the one is tried again."""
    join(mailing.site.folder, readers_at_many_domains(60))
    mailing.server.rule = at_domain(stage, answer, "d0007.example")
    report = mailing.publish()
    assert (report.exit_code, mailing.states()) == (1, {"sent": 59, "deferred": 1})
    [alert] = report.alerts
    assert alert.startswith(f"d0007.example takes no letters of weekly 1: {answer}. The other domains get theirs; once")
    mailing.wait(minutes=3)
    again = mailing.publish()
    assert (again.exit_code, again.alerts, len(mailing.server.commands("MAIL"))) == (3, [], 61)
    mailing.server.rule = at(stage, None)
    assert mailing.resume().exit_code == 0
    assert mailing.states() == {"sent": 60}
    assert mailing.server.duplicates() == 0


def test_a_domain_with_many_readers_is_asked_with_one_letter_at_a_time(mailing):
    """Of 300 readers at a domain, a few are refused in the first run, one in each later run, and none loses a try."""
    there = [f"r{n:03}@big.example" for n in range(300)]
    join(mailing.site.folder, [*readers_at_many_domains(5), *there])
    mailing.server.rule = at_domain("rcpt", REJECTIONS[0][1], "big.example")
    mailing.publish()
    assert mailing.states() == {"sent": 5, "deferred": 300}
    assert len(mailing.server.commands("MAIL")) <= 5 + 8
    before = len(mailing.server.commands("MAIL"))
    mailing.wait(minutes=2)
    mailing.publish()
    assert len(mailing.server.commands("MAIL")) == before + 1
    assert {one.tries for one in mailing.deliveries()} == {0}
    assert delays(mailing)["big.example"].times == 2
    mailing.server.rule = at("rcpt", None)
    mailing.wait(minutes=6)
    mailing.publish()
    mailing.wait(minutes=2)  # those that were refused themselves are due a minute later
    assert mailing.publish().exit_code == 0
    assert mailing.states() == {"sent": 305}
    assert delays(mailing) == {}


def test_a_domain_that_never_accepts_the_sender_is_given_up_and_the_issue_ends(mailing):
    """After two days all its deliveries have failed, each with the domain's words, after a few dozen commands."""
    there = [f"r{n:03}@big.example" for n in range(50)]
    join(mailing.site.folder, [*readers_at_many_domains(5), *there])
    answer = REJECTIONS[0][1]
    mailing.server.rule = at_domain("rcpt", answer, "big.example")
    while mailing.publish().later:
        mailing.wait(hours=1)
        assert len(mailing.server.commands("MAIL")) < 60
    assert mailing.states() == {"sent": 5, "failed": 50}
    [text] = mailing.answers()
    assert text.startswith("given up after ")
    assert text.endswith(f" tries: {answer}")
    assert mailing.state() == "sent"


def test_a_mailbox_that_rejects_the_sender_does_not_stop_its_domain(mailing):
    """A domain that takes the letters of other readers goes on; the one mailbox is retried like any other refusal."""
    there = [f"r{n:03}@big.example" for n in range(40)]
    join(mailing.site.folder, there)
    mailing.server.rule = lambda s: REJECTIONS[0][1] if s.stage == "rcpt" and "r003@" in s.words else None
    mailing.publish()
    assert mailing.states() == {"sent": 39, "deferred": 1}
    assert [(one.recipient, one.tries) for one in mailing.deliveries() if one.tries] == [("r003@big.example", 1)]
    assert delays(mailing) == {}


def test_a_relay_that_rejects_the_sender_for_all_stops_the_run_and_nobody_waits(mailing):
    """After the third domain in a row the run ends with the relay's words, and no domain is delayed for it."""
    join(mailing.site.folder, readers_at_many_domains(60))
    answer = REJECTIONS[0][1]
    mailing.server.rule = at("rcpt", answer)
    report = mailing.publish()
    assert report.errors == [f"weekly 1: the server rejects this sender: {answer} (in reply to RCPT)"]
    assert (mailing.states(), delays(mailing)) == ({"ready": 60}, {})
    assert len(mailing.server.commands("MAIL")) <= 3 + 2 * 4
    mailing.server.rule = at("rcpt", None)
    assert mailing.publish().exit_code == 0
    assert mailing.states() == {"sent": 60}


@pytest.mark.parametrize("rejecting", [3, 5, 12])
def test_rejecting_domains_next_to_each_other_keep_no_letter_from_others_and_the_issue_ends(mailing, rejecting):
    """The first runs stop, since the relay may be meant; later ones reach all others, and those that reject fail."""
    join(mailing.site.folder, readers_at_many_domains(20))
    there = [f"d{n:04}." for n in range(rejecting)]
    mailing.server.rule = at_domain("rcpt", REJECTIONS[0][1], *there)
    for _ in range(rejecting // 2 + 1):
        mailing.publish()
        mailing.wait(minutes=1)
    assert mailing.states()["sent"] == 20 - rejecting
    for _ in range(100):
        mailing.publish()
        mailing.wait(hours=1)
        if mailing.state() == "sent":
            break
    assert mailing.states() == {"sent": 20 - rejecting, "failed": rejecting}


def test_of_two_relays_only_the_one_that_rejects_the_sender_is_left(letter_site):
    """The other relay sends everything; what the first one has refused is not lost."""
    with SmtpServer(at("mail", "550 5.7.1 sender not owned")) as bad, SmtpServer() as good:
        mailing = Mailing(letter_site, bad)
        mailing.configure(mail="", connections=2)
        text = (letter_site.folder / "config.toml").read_text("utf-8")
        second = f'[[mail.servers]]\nhost = "127.0.0.1"\nport = {good.port}\nsecurity = "none"\n'
        letter_site.configure(text + second)
        join(letter_site.folder, readers_at_many_domains(30))
        assert mailing.publish().exit_code == 0
        assert (len(good.accepted), len(bad.accepted)) == (30, 0)
        assert len(bad.commands("MAIL")) <= 4


# Rate limits ------------------------------------------------------------------------------------------------------


def test_a_domain_that_limits_its_rate_costs_no_try(mailing):
    """A domain takes ten letters an hour: all its readers get theirs in some hours, and few commands are refused."""
    there = [f"r{n:03}@slow.example" for n in range(60)]
    join(mailing.site.folder, [*there, *readers_at_many_domains(20)])
    taken = Counter()

    def rule(step):
        if step.stage != "rcpt" or "@slow.example" not in step.words:
            return None
        hour = mailing.at.replace(minute=0, second=0, microsecond=0)
        taken[hour] += 1
        return "451 4.7.1 exceeded the hourly rate limit for messages" if taken[hour] > 10 else None

    mailing.server.rule = rule
    first = mailing.publish()
    assert (first.exit_code, mailing.states()["sent"] >= 20) == (3, True)
    runs = 1
    while mailing.publish().exit_code == 3:
        assert {one.tries for one in mailing.deliveries()} <= {0, 1}
        mailing.wait(minutes=5)
        runs += 1
        assert runs < 200
    assert mailing.states() == {"sent": 80}
    refused = sum(max(0, number - 10) for number in taken.values())
    assert refused <= 25
    assert mailing.at - mailing.deliveries()[0].sent_at <= timedelta(hours=9)


@pytest.mark.parametrize("number", [60, 1000])
def test_a_limit_for_a_connection_costs_few_commands_and_no_try(mailing, number):
    """A relay takes 20 letters on a connection: all get theirs in one run, and a handful of commands are refused."""
    join(mailing.site.folder, readers_at_many_domains(number))
    mailing.server.rule = lambda s: SLOWER if s.stage == "mail" and s.message > 20 else None
    assert mailing.publish().exit_code == 0
    assert (mailing.states(), {one.tries for one in mailing.deliveries()}) == ({"sent": number}, {0})
    assert len(mailing.server.commands("MAIL")) <= number + 8
    assert mailing.server.duplicates() == 0


@pytest.mark.usefixtures("databases")
def test_a_relay_that_refuses_more_is_left_alone_and_the_next_try_is_known(mailing, feeds):
    """`status` says what was learned; `feeds run` would come back at that time; a resume tries at once."""
    join(mailing.site.folder, readers_at_many_domains(60))
    mailing.server.rule = lambda s: SLOWER if s.stage == "mail" and s.before >= 30 else None
    report = mailing.publish()
    name = f"127.0.0.1:{mailing.server.port}"
    assert report.later == [f"weekly 1: the mail server {name} asked us to wait: {SLOWER}"]
    assert report.next_try_at == mailing.at + timedelta(seconds=300)
    assert mailing.states() == {"sent": 30, "ready": 30}
    [progress] = status.load_progress(mailing.site.config, mailing.at)
    assert (progress.servers[name].times, progress.servers[name].answer) == (4, SLOWER)
    found = json.loads(feeds("status", "--json").stdout)
    until = (mailing.at + timedelta(seconds=300)).isoformat()
    [server] = found["servers"]
    assert (server["server"], server["until"], server["answer"]) == (name, until, SLOWER)
    assert f"{name} takes no more for now, next try at 2026-11-23 12:05 UTC: {SLOWER}" in feeds("status").stdout
    mailing.server.rule = at("mail", None)
    connections = mailing.server.connections
    assert mailing.publish().exit_code == 3
    assert mailing.server.connections == connections
    mailing.wait(minutes=5)
    assert mailing.publish().exit_code == 0
    assert {one.tries for one in mailing.deliveries()} == {0}


def test_an_account_that_may_send_no_more_today_is_left_alone(mailing):
    """A limit of the server itself, said after each letter's content, costs a few commands and no try."""
    join(mailing.site.folder, readers_at_many_domains(300))
    answer = "550 5.4.5 Daily user sending limit exceeded"
    mailing.server.rule = lambda s: answer if s.stage == "content" and s.before >= 50 else None
    report = mailing.publish()
    assert (report.exit_code, mailing.states()["sent"]) == (3, 50)
    assert len(mailing.server.commands("MAIL")) <= 50 + 30
    mailing.wait(minutes=6)
    before = len(mailing.server.commands("MAIL"))
    mailing.publish()
    assert len(mailing.server.commands("MAIL")) <= before + 8
    assert {one.tries for one in mailing.deliveries()} == {0}
    mailing.server.rule = at("content", None)
    assert mailing.resume().exit_code == 0
    assert mailing.states() == {"sent": 300}


@pytest.mark.usefixtures("databases")
def test_a_killed_sender_forgets_no_delay(mailing):
    """What was stored about domains and servers is there for the next process, which asks no one too early."""
    join(mailing.site.folder, ["a@slow.example", "b@slow.example", "c@fast.example"])
    mailing.server.rule = at_domain("rcpt", "451 4.7.1 rate limit exceeded", "slow.example")
    mailing.publish()
    mailing.site.run_sql("UPDATE deliveries SET state = 'leased', next_at = NULL WHERE state = 'deferred'")
    before = len(mailing.server.commands("MAIL"))
    assert mailing.publish().exit_code == 3
    assert len(mailing.server.commands("MAIL")) == before
    assert mailing.states() == {"sent": 1, "deferred": 2}
