"""How far issues have come, and what a person may do about it."""

import json
import subprocess
import sys
from collections import Counter
from datetime import timedelta

import pytest

from feeds.errors import FeedsError
from feeds.jobs.newsletters import resume, status
from tests.conftest import NOW
from tests.mailing import Mailing, addresses, configured
from tests.mailing import subscribe as join
from tests.smtpserver import SmtpServer, at

DAILY = '[[newsletters]]\nname = "daily"\nschedule = "0 7 * * *"\ncopy_to = ["desk@example.com"]\n'


@pytest.fixture
def mailing(letter_site):
    """A weekly letter to ten readers."""
    with SmtpServer() as server:
        found = Mailing(letter_site, server)
        found.configure()
        join(letter_site.folder, addresses(10))
        yield found


def seen(mailing):
    return status.load_progress(mailing.site.config, mailing.at)


def test_nothing_sent_is_nothing_to_tell(site):
    """And no store is made for it."""
    assert status.load_progress(site.config, NOW) == []
    assert not (site.folder / "feeds.db").exists()
    with pytest.raises(FeedsError, match="there is no issue 1; `feeds issues` lists all"):
        list(status.issue_recipients(site.config, None, 1))


def test_progress_is_counted_while_letters_go_out(mailing):
    """By another process, without waiting for the sender: how many of which state, and how fast."""
    found = []

    def rule(step):
        if step.stage == "content" and step.before == 5:
            found.extend(seen(mailing))

    mailing.server.rule = rule
    mailing.publish()
    [progress] = found
    assert Counter(progress.counts) == Counter(sent=5, handing_over=1, leased=4) + Counter(
        dict.fromkeys(progress.counts, 0)
    )
    assert (progress.rate, progress.pending, progress.seconds_left) == (5, 5, 60)
    assert (progress.issue.state, progress.next_at, progress.refusals) == ("sending", None, ())


def test_what_is_over_is_told_until_something_newer_is(mailing):
    """Of each newsletter the last that has arrived, and everything that is on its way."""
    mailing.publish()
    mailing.site.post("second", date="2026-11-27")
    mailing.server.rule = at("rcpt", "451 4.3.0 later")
    mailing.site.publish(NOW + timedelta(days=7))
    assert [(p.issue.number, p.issue.state, p.counts["sent"], p.pending) for p in seen(mailing)] == [
        (1, "sent", 10, 0),
        (2, "sending", 0, 10),
    ]
    assert seen(mailing)[1].next_at == NOW + timedelta(days=7, minutes=2)
    mailing.server.rule = at("rcpt", None)
    mailing.site.publish(NOW + timedelta(days=7, minutes=2))
    assert [p.issue.number for p in seen(mailing)] == [2]


def test_an_old_rate_says_nothing(mailing):
    """Where nothing moved in the last minute, nobody knows how long the rest takes."""
    mailing.server.rule = lambda step: "451 4.3.0 later" if "r0003" in step.words else None
    mailing.publish()
    assert [(p.rate, p.pending, p.seconds_left) for p in seen(mailing)] == [(9, 1, 7)]
    mailing.wait(minutes=2)
    assert [(p.rate, p.pending, p.seconds_left) for p in seen(mailing)] == [(0, 1, None)]


def test_refusals_are_told_by_domain_and_code_the_most_frequent_first(mailing):
    """So that one provider's trouble is seen at a glance; the words of each are with the recipients."""
    join(mailing.site.folder, [f"x{n}@elsewhere.example" for n in range(2)])

    def rule(step):
        if step.stage != "rcpt":
            return None
        number = int(step.words.split("@")[0][9:].lstrip("r<x"))
        if "elsewhere" in step.words:
            return f"421 4.7.0 [{number}] rate limited" if number else "550 5.1.1 nobody"
        return f"450 4.2.{number % 2} box {number}" if number < 5 else None

    mailing.server.rule = rule
    mailing.publish()
    [progress] = seen(mailing)
    assert [(one.domain, one.code, one.number) for one in progress.refusals][:2] == [
        ("example.org", "450 4.2.0", 3),
        ("example.org", "450 4.2.1", 2),
    ]
    assert {(one.domain, one.code, one.number) for one in progress.refusals[2:]} == {
        ("elsewhere.example", "421 4.7.0", 1),
        ("elsewhere.example", "550 5.1.1", 1),
    }


def test_an_issue_is_named_by_its_number_and_if_need_be_its_newsletter(mailing):
    """Two newsletters may have an issue of one number."""
    config = configured(mailing.server).replace("[mail]", f"{DAILY}[mail]", 1)
    mailing.site.configure(config)
    mailing.publish()
    with pytest.raises(FeedsError, match="issues 1 of daily, weekly: say which with --newsletter"):
        list(status.issue_recipients(mailing.site.config, None, 1))
    assert [f.recipient for f in status.issue_recipients(mailing.site.config, "daily", 1)] == ["desk@example.com"]
    assert len(list(status.issue_recipients(mailing.site.config, "weekly", 1))) == 10
    with pytest.raises(FeedsError, match="there is no issue 2"):
        list(status.issue_recipients(mailing.site.config, "weekly", 2))


def test_one_newsletter_is_resumed_alone(mailing):
    """What waits of another one goes on waiting; one that does not exist is an error."""
    mailing.site.configure(configured(mailing.server).replace("[mail]", f"{DAILY}[mail]", 1))
    mailing.server.rule = at("rcpt", "451 4.3.0 later")
    mailing.publish()
    mailing.server.rule = at("rcpt", None)
    report = resume.resume_sending(mailing.site.config, "daily", mailing.context())
    assert mailing.server.counts() == {"desk@example.com": 1}
    assert report.exit_code == 3
    with pytest.raises(FeedsError, match="there is no newsletter 'monthly'; known here: weekly, daily"):
        resume.resume_sending(mailing.site.config, "monthly", mailing.context())


def test_what_is_on_its_way_can_be_ended(mailing):
    """Those who have it have it; nobody else gets it, and the next issue is another one."""
    mailing.server.rule = lambda step: "451 4.3.0 later" if step.stage == "rcpt" and step.before > 3 else None
    mailing.publish()
    assert resume.cancel_issue(mailing.site.config, "weekly") == "weekly 1 is cancelled: 6 deliveries were not sent"
    mailing.server.rule = at("rcpt", None)
    mailing.wait(hours=1)
    assert mailing.publish().exit_code == 0
    assert len(mailing.server.accepted) == 4
    assert mailing.answers() == {"cancelled": 6}
    with pytest.raises(FeedsError, match="no issue of weekly waits"):
        resume.cancel_issue(mailing.site.config, "weekly")


def test_what_waits_for_approval_can_be_forgotten(letter_site):
    """Then it is composed anew."""
    letter_site.configure(letter_site.read("config.toml").replace('name = "weekly"', 'name = "weekly"\napprove = true'))
    letter_site.publish()
    said = resume.cancel_issue(letter_site.config, "weekly")
    assert said == "weekly 1 is discarded; the next publish composes it again"
    assert [issue.state for issue in letter_site.publish().issues] == ["composed"]
    with pytest.raises(FeedsError, match="there is no newsletter 'monthly'"):
        resume.cancel_issue(letter_site.config, "monthly")


def test_progress_is_watched_until_all_is_over(mailing):
    """Line after line where nobody sits, and then it ends."""
    mailing.server.pace = 0.25
    command = [sys.executable, "-W", "error", "-m", "feeds", "status", "--watch", "--json"]
    found = []

    def rule(step):
        if step.stage == "content" and step.before == 0:
            found.append(subprocess.Popen(command, cwd=mailing.site.folder, stdout=subprocess.PIPE, text=True))

    mailing.server.rule = rule
    mailing.publish()
    said, _ = found[0].communicate(timeout=30)
    seen = [json.loads(line) for line in said.splitlines()]
    assert found[0].returncode == 0
    assert len(seen) > 1
    assert [one["sent"] for one in seen] == sorted(one["sent"] for one in seen)
    assert (seen[0]["state"], seen[-1]["state"], seen[-1]["sent"]) == ("sending", "sent", 10)


# A domain to blame --------------------------------------------------------------------------------------------------


def test_a_domain_that_refuses_everybody_is_left_alone_before_everybody_was_asked(letter_site, feeds):
    """Most of its readers wait until somebody has looked into it, and get their letters then; others get theirs."""
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
        assert "big.example gets no letters until" in report.warnings[0]
        [shown] = [json.loads(line) for line in feeds("status", "--json").stdout.splitlines()]
        assert [one["domain"] for one in shown["paused_domains"]] == ["big.example"]
        assert "big.example is paused until" in feeds("status").stdout
        server.rule = at("rcpt", None)
        mailing.wait(hours=1)
        assert mailing.publish().exit_code == 3
        revived = ("--domain", "big.example", "--between", "2026-11-23", "2030-11-24")
        assert feeds("subscribers", "revive", *revived).returncode == 0
        assert mailing.publish().exit_code == 0
        assert mailing.states() == {"sent": 500 - refused, "failed": refused}
