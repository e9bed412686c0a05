"""Counts lost and doubled letters when sending is disturbed.

    python bench/faults.py [--runs 20] [--kills 200] [--write]

Each fault disturbs the sending of one issue, in as many runs as the options set, to the mail server of the test suite, which
keeps every message and can misbehave. Later publish runs send the remaining letters, as with cron, and `feeds resume` sends
letters that are held. Lost: subscribers without a letter in the end. Doubled: subscribers with another copy, which must have
the same Message-ID. --write puts the table into bench/README.md.
"""

import argparse
import random
import shutil
import sqlite3
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import page

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from feeds.edges.mail.smtp import connect, sender, server_pace, session  # noqa: E402 - the tests are next to the package
from feeds.edges.mail.transport import Stage  # noqa: E402 - as above
from tests.conftest import SampleSite  # noqa: E402 - as above
from tests.disk import disk, small_disk, without_space  # noqa: E402 - as above
from tests.mailing import Mailing, addresses, configured, subscribe  # noqa: E402 - as above
from tests.smtpserver import Answer, Fault, Rule, SmtpServer, Step, at, ehlo_reply  # noqa: E402 - as above
from tests.test_crashes import finish, kill_senders, start, wait_for_messages  # noqa: E402 - as above

READERS, CONNECTIONS = 200, 4
#: Seconds without an answer until a server is given up; in production it is minutes.
_SHORT = 0.3


@dataclass(frozen=True)
class Row:
    """The result of all runs of one fault."""

    fault: str
    runs: int
    readers: int
    lost: int
    doubled: int
    #: The most doubled letters that are promised, in all runs together.
    allowed: int


@contextmanager
def under_way(readers: int = READERS, place: Path | None = None, **settings: object) -> Iterator[Mailing]:
    """Set up a site with so many subscribers, and its mail server; *place* is the folder of the store."""
    with tempfile.TemporaryDirectory() as folder, SmtpServer() as server:
        site = SampleSite(Path(folder))
        url = f"sqlite:///{place or f'{folder}/.feeds'}/feeds.db"
        site.configure(configured(server, **({"connections": CONNECTIONS, "store": url} | settings)))
        site.post("first")
        subscribe(site.folder, addresses(readers), url=url)
        yield Mailing(site, server)


def finished(mailing: Mailing) -> tuple[int, int]:
    """Publish until nothing is left to send; return the numbers of lost and doubled letters."""
    for _ in range(200):
        report = mailing.publish()
        if report.exit_code == 0:
            break
        mailing.at = max(mailing.at + timedelta(minutes=1), report.next_try_at or mailing.at)
    if mailing.states()["unknown"]:
        mailing.resume()
    return counted(mailing)


def counted(mailing: Mailing) -> tuple[int, int]:
    """Return the numbers of lost and doubled letters.

    Raises:
        SystemExit: a copy has another Message-ID.
    """
    for copies in mailing.server.copies():
        if len({copy.message_id for copy in copies}) > 1:
            sys.exit("a copy has another Message-ID")
    return len(mailing.deliveries()) - len(mailing.server.counts()), mailing.server.duplicates()


# Servers ----------------------------------------------------------------------------------------------------------


def often(stage: str, answer: Answer, share: float = 0.05) -> Rule:
    """Return a rule that gives *answer* at a stage, at random."""
    return lambda step: answer if step.stage == stage and random.random() < share else None


def greylist() -> Rule:
    """Return a rule that defers the first attempt for each recipient (greylisting)."""
    known: set[str] = set()

    def rule(step: Step) -> Answer:
        if step.stage != "rcpt" or step.words in known:
            return None
        known.add(step.words)
        return "450 4.2.0 greylisted"

    return rule


def per_connection(most: int) -> Rule:
    """Return a rule for a server that takes so many messages on a connection."""
    return lambda step: "450 4.7.1 too much mail" if step.stage == "mail" and step.message > most else None


def changing() -> Rule:
    """Return a rule that drops connections, and offers other extensions after each reconnect."""
    offers = [("PIPELINING", "8BITMIME"), ("8BITMIME",), ("SMTPUTF8",), ("PIPELINING", "SMTPUTF8")]
    drops = often("data", Fault.HANG_UP)
    return lambda step: ehlo_reply(*offers[step.before % 4]) if step.stage == "ehlo" else drops(step)


#: By the name of the fault: a function that makes the rule of a run, and how many letters may double in a run.
SERVERS: dict[str, tuple[Callable[[], Rule], int]] = {
    "server hangs up after DATA, now and then": (lambda: often("data", Fault.HANG_UP), 0),
    "server hangs up after the final dot, now and then": (lambda: often("content", Fault.KEEP_AND_HANG_UP), READERS),
    "server hangs up after every final dot": (lambda: at("content", Fault.KEEP_AND_HANG_UP), READERS),
    "server hangs up in the middle of a pipelined batch": (lambda: often("rcpt", Fault.HANG_UP), 0),
    "server hangs up in the middle of a content": (lambda: often("part", Fault.HANG_UP), 0),
    "server answers what nobody asked": (lambda: often("mail", "250 2.1.0 ok\r\n250 2.0.0 surprise"), 0),
    "server says 421, now and then": (lambda: often("content", "421 4.3.2 closing"), 0),
    "server falls silent before a content": (lambda: at("mail", Fault.SILENCE, times=2, skip=20), 0),
    "server falls silent after a content": (lambda: at("content", Fault.SILENCE, times=2, skip=20), 2),
    "server keeps a grey list": (greylist, 0),
    "server takes 20 messages on a connection": (lambda: per_connection(20), 0),
    "server offers something else after each reconnect": (changing, 0),
}


def servers(runs: int) -> Iterator[Row]:
    """Yield the results with servers that misbehave."""
    for name, (rule, may_double) in SERVERS.items():
        lost = doubled = 0
        for _ in range(runs):
            with under_way() as mailing:
                mailing.server.rule = rule()
                gone, twice = given_up(mailing) if name.endswith("every final dot") else finished(mailing)
            lost, doubled = lost + gone, doubled + twice
        yield Row(name, runs, READERS, lost, doubled, may_double * runs)


def given_up(mailing: Mailing) -> tuple[int, int]:
    """Publish until the remaining letters are held because they may have arrived; return lost and doubled letters."""
    while mailing.publish().exit_code:
        mailing.wait(minutes=6)
    return counted(mailing)


# This machine -----------------------------------------------------------------------------------------------------


def kills(number: int) -> Row:
    """Kill the sending process again and again during one issue."""
    connections, readers = 8, max(5000, number * 100)
    with under_way(readers, connections=connections) as mailing:
        mailing.server.pace, mailing.server.forgets = 0.012, True
        code, _, complained = kill_senders(mailing, number)
        if code:
            sys.exit(complained)
        if mailing.states()["unknown"]:
            finish(start(mailing.site.folder, "resume"))
        return Row("kill -9 at a random moment", number, readers, *counted(mailing), connections * number)


def power(runs: int) -> Row:
    """Lose power while an issue is sent."""
    lost = doubled = allowed = 0
    for _ in range(runs):
        with (
            tempfile.TemporaryDirectory() as folder,
            disk(Path(folder)) as found,
            under_way(2000, found.path) as mailing,
        ):
            mailing.server.pace = 0.004
            process = start(mailing.site.folder)
            wait_for_messages(mailing.server, 1, process)
            time.sleep(random.uniform(0.2, 0.8))
            since = found.lose_power(process)
            allowed += sum(message.at >= since for message in mailing.server.accepted) + CONNECTIONS
            gone, twice = finished(mailing)
        lost, doubled = lost + gone, doubled + twice
    return Row("power is lost", runs, 2000, lost, doubled, allowed)


def full_disk(runs: int) -> Row:
    """Fill the disk while an issue is sent."""
    lost = doubled = 0
    for _ in range(runs):
        with (
            tempfile.TemporaryDirectory() as folder,
            small_disk(Path(folder)) as place,
            under_way(600, place) as mailing,
        ):
            mailing.server.pace = 0.002
            process = start(mailing.site.folder)
            wait_for_messages(mailing.server, 50, process)
            with without_space(place, process.pid):
                finish(process)
            gone, twice = finished(mailing)
        lost, doubled = lost + gone, doubled + twice
    return Row("the disk is full", runs, 600, lost, doubled, CONNECTIONS * runs)


def beside(name: str, runs: int, act: Callable[[Mailing], None]) -> Row:
    """Run *act* in another thread while an issue is sent."""
    lost = doubled = 0
    for _ in range(runs):
        with under_way() as mailing:
            begun = threading.Event()
            mailing.server.rule = lambda step, begun=begun: begun.set() if step.stage == "content" else None
            mailing.server.pace = 0.003
            other = threading.Thread(target=lambda begun=begun, mailing=mailing: (begun.wait(30), act(mailing)))
            other.start()
            gone, twice = finished(mailing)
            other.join()
        lost, doubled = lost + gone, doubled + twice
    return Row(name, runs, READERS, lost, doubled, 0)


def hold(mailing: Mailing) -> None:
    """Lock the store for a second, as another writing program does."""
    with closing(sqlite3.connect(mailing.site.folder / ".feeds/feeds.db", timeout=10, isolation_level=None)) as db:
        db.execute("BEGIN IMMEDIATE")
        time.sleep(1)
        db.execute("ROLLBACK")


def yesterday(runs: int) -> Row:
    """Put back the store from before the issue was composed, and publish; nothing may be sent."""
    lost = doubled = 0
    for _ in range(runs):
        with under_way() as mailing:
            file = mailing.site.folder / ".feeds/feeds.db"
            mailing.publish(feeds_only=True)
            shutil.copy(file, file.with_name("yesterday.db"))
            gone, _ = finished(mailing)
            shutil.copy(file.with_name("yesterday.db"), file)
            mailing.publish()
            lost, doubled = lost + gone, doubled + mailing.server.duplicates()
    return Row("the store is yesterday's", runs, READERS, lost, doubled, 0)


def rows(runs: int, killings: int) -> Iterator[Row]:
    """Yield the results of all faults."""
    connect._TIMEOUT = _SHORT  # noqa: SLF001 - minutes in production
    sender._PAUSES = (0.0, 0.01, 0.01)  # noqa: SLF001 - as above
    server_pace._WAITS = (0.01, 0.01, 0.01, 60, 300)  # noqa: SLF001 - as above
    session.TIMEOUTS.update(dict.fromkeys(Stage, _SHORT))
    yield kills(killings)
    yield power(runs)
    yield full_disk(runs)
    yield yesterday(runs)
    yield beside("two senders at once", runs, lambda mailing: finish(start(mailing.site.folder)))
    yield beside("another program holds the store", runs, hold)
    yield from servers(runs)


def table(found: list[Row]) -> str:
    """Return the results as a Markdown table."""
    head = "| fault | runs | readers in a run | lost | doubled | doubled at most, as promised |\n|---|---:|---:|---:|---:|---:|\n"
    return head + "".join(
        f"| {row.fault} | {row.runs:,} | {row.readers:,} | {row.lost:,} | {row.doubled:,} | {row.allowed:,} |\n"
        for row in found
    )


def main() -> None:
    """Run all faults and print the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    found = []
    for row in rows(options.runs, options.kills):
        print(f"{row.fault}: {row.lost} lost, {row.doubled} doubled (at most {row.allowed})", flush=True)
        found.append(row)
    print(table(found))
    if options.write:
        page.written(table(found), HERE / "README.md", "faults")
    if any(row.lost or row.doubled > row.allowed for row in found):
        sys.exit("more letters were lost or doubled than is promised")


if __name__ == "__main__":
    main()
