"""The progress of issues; resuming and cancelling them."""

import json
import re
import subprocess
import sys
from collections import Counter
from datetime import UTC, timedelta

import pytest

from feeds.cli import output
from feeds.errors import FeedsError
from feeds.jobs.newsletters import resume, status
from feeds.jobs.run import report_events
from feeds.jobs.subscribers import subscribe
from tests.conftest import NOW
from tests.mailing import Mailing, addresses, configured
from tests.mailing import subscribe as join
from tests.smtpserver import SmtpServer, at

DAILY = '[[newsletters]]\nname = "daily"\nschedule = "0 7 * * *"\ncopy_to = ["desk@example.com"]\n'


@pytest.fixture
def mailing(letter_site):
    """A weekly newsletter with ten subscribers."""
    with SmtpServer() as server:
        found = Mailing(letter_site, server)
        found.configure()
        join(letter_site.folder, addresses(10))
        yield found


def load_progress(mailing):
    return status.load_progress(mailing.site.config, mailing.at)


def test_there_is_no_progress_before_anything_is_sent(site):
    """Before anything is sent there is no progress, and no database is created."""
    assert status.load_progress(site.config, NOW) == []
    assert not (site.folder / ".feeds/feeds.db").exists()
    with pytest.raises(FeedsError, match="there is no issue 1; `feeds issues` lists all"):
        list(status.issue_recipients(site.config, None, 1))


@pytest.mark.usefixtures("databases")
def test_progress_is_counted_during_a_send(mailing):
    """During a send, another process can read the number of deliveries in each state, and the rate."""
    found = []

    def rule(step):
        if step.stage == "content" and step.before == 5:
            found.extend(load_progress(mailing))

    mailing.server.rule = rule
    mailing.publish()
    [progress] = found
    assert Counter(progress.counts) == Counter(sent=5, handing_over=1, leased=4) + Counter(
        dict.fromkeys(progress.counts, 0)
    )
    assert (progress.rate, progress.pending, progress.seconds_left) == (5, 5, 60)
    assert (progress.issue.state, progress.next_at, progress.refusals) == ("sending", None, ())


def test_the_last_sent_issue_is_shown_until_a_newer_one_is_sent(mailing):
    """Progress has every issue that is being sent, and each newsletter's last sent issue."""
    mailing.publish()
    mailing.site.post("second", date="2026-11-27")
    mailing.server.rule = at("rcpt", "451 4.3.0 later")
    mailing.site.publish(NOW + timedelta(days=7))
    assert [(p.issue.number, p.issue.state, p.counts["sent"], p.pending) for p in load_progress(mailing)] == [
        (1, "sent", 10, 0),
        (2, "sending", 0, 10),
    ]
    assert load_progress(mailing)[1].next_at == NOW + timedelta(days=7, minutes=2)
    mailing.server.rule = at("rcpt", None)
    mailing.site.publish(NOW + timedelta(days=7, minutes=2))
    assert [p.issue.number for p in load_progress(mailing)] == [2]


def test_without_a_rate_the_time_left_is_unknown(mailing):
    """If nothing was sent in the last minute, the time left is unknown."""
    mailing.server.rule = lambda step: "451 4.3.0 later" if "r0003" in step.words else None
    mailing.publish()
    assert [(p.rate, p.pending, p.seconds_left) for p in load_progress(mailing)] == [(9, 1, 7)]
    mailing.wait(minutes=2)
    assert [(p.rate, p.pending, p.seconds_left) for p in load_progress(mailing)] == [(0, 1, None)]


@pytest.mark.usefixtures("databases")
def test_refusals_are_counted_by_domain_and_code(mailing):
    """Refusals are counted by domain and code, whatever their text, the most frequent first."""
    join(mailing.site.folder, [f"x{n}@elsewhere.example" for n in range(2)])

    def rule(step):
        if step.stage != "rcpt":
            return None
        number = int(step.words.split("@")[0][9:].lstrip("r<x"))
        if "elsewhere" in step.words:
            return f"421 4.7.0 [{number}] rate limited" if number else "550 5.1.1 no such user"
        return f"450 4.2.{number % 2} box {number}" if number < 5 else None

    mailing.server.rule = rule
    mailing.publish()
    [progress] = load_progress(mailing)
    assert [(one.domain, one.code, one.number) for one in progress.refusals][:2] == [
        ("example.org", "450 4.2.0", 3),
        ("example.org", "450 4.2.1", 2),
    ]
    assert {(one.domain, one.code, one.number) for one in progress.refusals[2:]} == {
        ("elsewhere.example", "421 4.7.0", 1),
        ("elsewhere.example", "550 5.1.1", 1),
    }


OUTCOMES = {
    "a dead address": ("550 5.1.1 no such user", "sent", "9 sent, 1 refused"),
    "a message that is too large": ("552 5.3.4 too large", "sent", "9 sent, 1 refused"),
    "a full mailbox": ("452 4.2.2 full", "sending", "sending"),
}


@pytest.mark.parametrize(("reply", "state", "outcome"), OUTCOMES.values(), ids=OUTCOMES)
def test_an_issue_that_was_refused_is_not_reported_as_sent(mailing, feeds, reply, state, outcome):
    """If a server has refused recipients, the report says how many, and the command that lists them, at once."""
    mailing.server.rule = lambda step: reply if step.stage == "rcpt" and "r0003" in step.words else None
    report = mailing.publish()
    [line] = output.format_issues(mailing.site.config, report, dry_run=False)
    [event] = [event.text for event in report_events(report, UTC) if event.what == "issue"]
    listed = ": `feeds issues 1 --recipients`" if state == "sent" else ""
    assert line == event == f"weekly 1: 1 post to 10 recipients, {outcome}{listed}"
    losses = {"sent": 9, "refused": 1} if state == "sent" else {}
    facts = {"newsletter": "weekly", "number": 1, "posts": 1, "recipients": 10, "state": state}
    assert report.issues[0].facts == facts | losses
    assert reply in feeds("issues", "1", "--recipients").stdout


def test_a_report_counts_what_was_refused_cancelled_and_still_waits(mailing):
    """The report of each run has the numbers so far, and the newsletter's name if there are several."""
    mailing.site.configure(f"{mailing.site.read('config.toml')}\n{DAILY.replace('daily', 'other')}")
    rules = {"r0003": "550 5.1.1 no such user", "r0004": "451 4.3.0 later", "r0005": "451 4.3.0 later"}
    mailing.server.rule = lambda step: next((reply for name, reply in rules.items() if name in step.words), None)
    listed = "`feeds issues 1 --recipients --newsletter weekly`"
    report = next(issue for issue in mailing.publish().issues if issue.newsletter == "weekly")
    assert report.outcome() == f"7 sent, 1 refused, 2 waiting: {listed}"
    subscribe.remove_subscriber(mailing.site.config, "r0004@example.org", NOW)
    mailing.server.rule = at("rcpt", None)
    mailing.wait(minutes=2)
    report = next(issue for issue in mailing.publish().issues if issue.newsletter == "weekly")
    assert report.outcome() == f"8 sent, 1 refused, 1 cancelled: {listed}"


@pytest.mark.parametrize("reply", ["451 4.3.0 later", "452 full", "450 4.2.0 [1] greylisted"])
def test_what_was_given_up_shows_its_last_code(mailing, feeds, reply):
    """`feeds status` shows the last code of a delivery that was given up after many tries."""
    mailing.server.rule = lambda step: reply if step.stage == "rcpt" and "r0003" in step.words else None
    while (report := mailing.publish()).exit_code == 3:
        mailing.at = report.next_try_at
    assert mailing.states() == {"sent": 9, "failed": 1}
    assert [answer for answer in mailing.answers() if answer.endswith(f" tries: {reply}")]
    code = re.match(r"\d{3}(?: \d\.\d\.\d)?", reply)[0]
    assert f"\n  1 at example.org: {code}\n" in feeds("status").stdout


def test_an_issue_is_found_by_number_and_newsletter(mailing):
    """An issue's number is enough unless two newsletters have it; then the newsletter must be named."""
    config = configured(mailing.server).replace("[mail]", f"{DAILY}[mail]", 1)
    mailing.site.configure(config)
    mailing.publish()
    with pytest.raises(
        FeedsError, match="several newsletters have an issue 1: daily, weekly; choose one with --newsletter"
    ):
        list(status.issue_recipients(mailing.site.config, None, 1))
    assert [f.recipient for f in status.issue_recipients(mailing.site.config, "daily", 1)] == ["desk@example.com"]
    assert len(list(status.issue_recipients(mailing.site.config, "weekly", 1))) == 10
    with pytest.raises(FeedsError, match="there is no issue 2"):
        list(status.issue_recipients(mailing.site.config, "weekly", 2))


@pytest.mark.usefixtures("databases")
def test_one_newsletter_is_resumed_alone(mailing):
    """Resuming one newsletter leaves deliveries of the others waiting; an unknown newsletter is an error."""
    mailing.site.configure(configured(mailing.server).replace("[mail]", f"{DAILY}[mail]", 1))
    mailing.server.rule = at("rcpt", "451 4.3.0 later")
    mailing.publish()
    mailing.server.rule = at("rcpt", None)
    report = resume.resume_sending(mailing.site.config, "daily", mailing.context())
    assert mailing.server.counts() == {"desk@example.com": 1}
    assert report.exit_code == 3
    with pytest.raises(FeedsError, match="there is no newsletter 'monthly'; known here: weekly, daily"):
        resume.resume_sending(mailing.site.config, "monthly", mailing.context())


@pytest.mark.usefixtures("databases")
def test_an_issue_that_is_being_sent_can_be_cancelled(mailing):
    """Cancelling an issue that is being sent fails its pending deliveries; a second time there is nothing to cancel."""
    mailing.server.rule = lambda step: "451 4.3.0 later" if step.stage == "rcpt" and step.before > 3 else None
    mailing.publish()
    message = resume.cancel_issue(mailing.site.config, "weekly")
    assert message == "weekly 1 is cancelled: 6 deliveries were not sent"
    mailing.server.rule = at("rcpt", None)
    mailing.wait(hours=1)
    assert mailing.publish().exit_code == 0
    assert len(mailing.server.accepted) == 4
    assert mailing.answers() == {"cancelled": 6}
    with pytest.raises(FeedsError, match="no issue of weekly waits"):
        resume.cancel_issue(mailing.site.config, "weekly")


@pytest.mark.usefixtures("databases")
def test_a_reader_who_left_before_the_letter_was_sent_is_cancelled(mailing, feeds):
    """A subscriber who unsubscribes before their letter is sent counts as cancelled, and not among the refusals."""
    mailing.server.rule = at("rcpt", "451 4.3.0 later")
    mailing.publish()
    subscribe.remove_subscriber(mailing.site.config, "r0003@example.org", NOW)
    mailing.server.rule = at("rcpt", None)
    mailing.wait(minutes=2)
    assert mailing.publish().exit_code == 0
    assert mailing.states() == {"sent": 9, "cancelled": 1}
    shown = feeds("status").stdout
    assert shown.startswith("weekly 1: 9 sent, 1 cancelled of 10; first\nweekly: no posts wait")


def test_times_are_in_the_zone_of_the_site(mailing, feeds):
    """Listings have the site's zone, and `--json` has UTC."""
    mailing.site.configure(mailing.site.read("config.toml").replace('timezone = "UTC"', 'timezone = "Asia/Tokyo"'))
    mailing.server.rule = lambda step: "451 4.3.0 later" if step.stage == "rcpt" and step.before else None
    mailing.publish()
    assert "\t2026-11-23 08:00 JST\t" in feeds("issues").stdout
    assert json.loads(feeds("issues", "--json").stdout)["slot"] == "2026-11-22T23:00:00+00:00"
    assert "\tsent\t2026-11-23 21:00 JST\t" in feeds("issues", "1", "--recipients").stdout
    assert "next retry at 2026-11-23 21:02 JST" in feeds("status").stdout
    assert json.loads(feeds("status", "--json").stdout)["next_try"] == "2026-11-23T12:02:00+00:00"
    shown = feeds("subscribers", "show", "r0000@example.org").stdout
    assert "known since 2026-01-01 09:00 JST" in shown


@pytest.mark.usefixtures("databases")
def test_an_issue_that_waits_for_approval_can_be_discarded(letter_site):
    """Cancelling an issue that waits for approval discards it, and the next publish composes it again."""
    letter_site.configure(letter_site.read("config.toml").replace('name = "weekly"', 'name = "weekly"\napprove = true'))
    letter_site.publish()
    message = resume.cancel_issue(letter_site.config, "weekly")
    assert message == "weekly 1 is discarded; the next publish composes it again"
    assert [issue.state for issue in letter_site.publish().issues] == ["composed"]
    with pytest.raises(FeedsError, match="there is no newsletter 'monthly'"):
        resume.cancel_issue(letter_site.config, "monthly")


def test_progress_is_watched_until_all_is_sent(mailing):
    """`feeds status --watch --json` prints a line for each change and ends when all issues are sent."""
    command = [sys.executable, "-W", "error", "-m", "feeds", "status", "--watch", "--json"]
    watches, lines = [], []

    def rule(step):
        if step.stage == "content" and step.before == 0:
            watches.append(subprocess.Popen(command, cwd=mailing.site.folder, stdout=subprocess.PIPE, text=True))
            lines.append(watches[0].stdout.readline())  # the server answers when the watch has begun

    mailing.server.rule = rule
    mailing.publish()
    lines += watches[0].communicate(timeout=60)[0].splitlines()
    seen = [json.loads(line) for line in lines]
    assert watches[0].returncode == 0
    assert len(seen) > 1
    assert [one["sent"] for one in seen] == sorted(one["sent"] for one in seen)
    assert (seen[0]["state"], seen[-1]["state"], seen[-1]["sent"]) == ("sending", "sent", 10)


# A domain that refuses everything -----------------------------------------------------------------------------------


@pytest.mark.usefixtures("databases")
def test_a_domain_that_refuses_everything_is_paused_during_the_send(letter_site, feeds):
    """A domain that refuses many is paused during the send; after `subscribers revive` the rest of it is sent."""
    big, small = [f"r{n:03}@big.example" for n in range(400)], [f"s{n:03}@small.example" for n in range(100)]
    with SmtpServer() as server:
        mailing = Mailing(letter_site, server)
        mailing.configure()
        join(letter_site.folder, [*big, *small])
        server.rule = lambda s: "550 5.1.1 no such user" if s.stage == "rcpt" and "@big.example" in s.words else None
        report = mailing.publish()
        refused = mailing.states()["failed"]
        assert refused < 100
        assert mailing.states() == {"sent": 100, "failed": refused, "deferred": 400 - refused}
        assert "big.example gets no letters until" in report.alerts[0]
        [shown] = [json.loads(line) for line in feeds("status", "--json").stdout.splitlines()]
        assert [one["domain"] for one in shown["paused_domains"]] == ["big.example"]
        shown = feeds("status").stdout
        assert "big.example is paused until" in shown
        assert "no answer" not in shown
        server.rule = at("rcpt", None)
        mailing.wait(hours=1)
        assert mailing.publish().exit_code == 3
        revived = ("--domain", "big.example", "--between", "2026-11-23", "2030-11-24")
        assert feeds("subscribers", "revive", *revived).returncode == 0
        assert mailing.publish().exit_code == 0
        assert mailing.states() == {"sent": 500 - refused, "failed": refused}
