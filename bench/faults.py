"""What becomes of a send that something happens to: how many readers are lost, how many get their letter twice.

    python bench/faults.py [--runs 20] [--kills 200] [--write]

Each fault is done to a send of its own, so many times, on the test suite's own mail server, which keeps what it takes and
can be told to misbehave; whatever is left is then sent by the next publishes, as cron would start them, and by `feeds
resume` where something is held. Lost is who got nothing in the end; doubled, who got another copy, always with the same
Message-ID. --write puts the table into bench/README.md.
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

from feeds.edges.mail.smtp import connect, sender, session  # noqa: E402 - the tests' own parts lie beside the package
from feeds.edges.mail.transport import Stage  # noqa: E402 - as above
from tests.conftest import SampleSite  # noqa: E402 - as above
from tests.disk import disk, filled, small  # noqa: E402 - as above
from tests.mailing import Mailing, addresses, configured, subscribe  # noqa: E402 - as above
from tests.smtpserver import Answer, Fault, Rule, SmtpServer, Step, at, offering  # noqa: E402 - as above
from tests.test_crashes import ended, killed, started, until_taken  # noqa: E402 - as above

READERS, CONNECTIONS = 200, 4
#: Seconds that a server may be silent here: it would be minutes.
_SHORT = 0.3


@dataclass(frozen=True)
class Row:
    """What became of one kind of fault."""

    fault: str
    runs: int
    readers: int
    lost: int
    doubled: int
    #: How many may have doubled by what we promise, in all runs together.
    allowed: int


@contextmanager
def under_way(readers: int = READERS, place: Path | None = None, **settings: object) -> Iterator[Mailing]:
    """A site with so many readers, and the server that its letter goes through; its store lies in *place*."""
    with tempfile.TemporaryDirectory() as folder, SmtpServer() as server:
        site = SampleSite(Path(folder))
        url = f"sqlite:///{place or folder}/feeds.db"
        site.configure(configured(server, **({"connections": CONNECTIONS, "store": url} | settings)))
        site.post("first")
        subscribe(site.folder, addresses(readers), url=url)
        yield Mailing(site, server)


def finished(mailing: Mailing) -> tuple[int, int]:
    """Let publishes follow until nothing is left to send; return how many readers are lost, how many doubled."""
    for _ in range(200):
        report = mailing.publish()
        if report.exit_code == 0:
            break
        mailing.at = max(mailing.at + timedelta(minutes=1), report.next_try_at or mailing.at)
    if mailing.states()["unknown"]:
        mailing.resume()
    return counted(mailing)


def counted(mailing: Mailing) -> tuple[int, int]:
    """Return how many readers got nothing, and how many another copy.

    Raises:
        SystemExit: a copy has another Message-ID.
    """
    for copies in mailing.server.copies():
        if len({copy.message_id for copy in copies}) > 1:
            sys.exit("a copy has another Message-ID")
    return len(mailing.fared()) - len(mailing.server.counts()), mailing.server.doubled()


# Servers ----------------------------------------------------------------------------------------------------------


def often(stage: str, answer: Answer, share: float = 0.05) -> Rule:
    """Return a rule that gives an answer at a stage now and then."""
    return lambda step: answer if step.stage == stage and random.random() < share else None


def greylist() -> Rule:
    """Return a rule that refuses whoever is not known yet."""
    known: set[str] = set()

    def rule(step: Step) -> Answer:
        if step.stage != "rcpt" or step.words in known:
            return None
        known.add(step.words)
        return "450 4.2.0 greylisted"

    return rule


def changing() -> Rule:
    """Return a rule that drops connections, and offers something else each time."""
    offers = [("PIPELINING", "8BITMIME"), ("8BITMIME",), ("SMTPUTF8",), ("PIPELINING", "SMTPUTF8")]
    drops = often("data", Fault.HANG_UP)
    return lambda step: offering(*offers[step.before % 4]) if step.stage == "ehlo" else drops(step)


#: By the fault's name: a rule anew for each run, and how many of the readers may double.
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
    "server offers something else after each reconnect": (changing, 0),
}


def servers(runs: int) -> Iterator[Row]:
    """Yield what becomes of sends through servers that misbehave."""
    for name, (rule, may_double) in SERVERS.items():
        lost = doubled = 0
        for _ in range(runs):
            with under_way() as mailing:
                mailing.server.rule = rule()
                gone, twice = given_up(mailing) if name.endswith("every final dot") else finished(mailing)
            lost, doubled = lost + gone, doubled + twice
        yield Row(name, runs, READERS, lost, doubled, may_double * runs)


def given_up(mailing: Mailing) -> tuple[int, int]:
    """Publish until everything is held for a person, since it may have arrived; return what came of it till then."""
    while mailing.publish().exit_code:
        mailing.wait(minutes=6)
    return counted(mailing)


# This machine -----------------------------------------------------------------------------------------------------


def kills(number: int) -> Row:
    """Kill senders, one after the other, of one send."""
    connections, readers = 8, max(5000, number * 100)
    with under_way(readers, connections=connections) as mailing:
        mailing.server.pace, mailing.server.forgets = 0.012, True
        code, _, complained = killed(mailing, number)
        if code:
            sys.exit(complained)
        if mailing.states()["unknown"]:
            ended(started(mailing.site.folder, "resume"))
        return Row("kill -9 at a random moment", number, readers, *counted(mailing), connections * number)


def power(runs: int) -> Row:
    """Lose power in the middle of sends."""
    lost = doubled = allowed = 0
    for _ in range(runs):
        with (
            tempfile.TemporaryDirectory() as folder,
            disk(Path(folder)) as found,
            under_way(2000, found.place) as mailing,
        ):
            mailing.server.pace = 0.004
            process = started(mailing.site.folder)
            until_taken(mailing.server, 1, process)
            time.sleep(random.uniform(0.2, 0.8))
            since = found.lose_power(process)
            allowed += sum(taken.at >= since for taken in mailing.server.taken) + CONNECTIONS
            gone, twice = finished(mailing)
        lost, doubled = lost + gone, doubled + twice
    return Row("power is lost", runs, 2000, lost, doubled, allowed)


def full_disk(runs: int) -> Row:
    """Fill the disk in the middle of sends."""
    lost = doubled = 0
    for _ in range(runs):
        with tempfile.TemporaryDirectory() as folder, small(Path(folder)) as place, under_way(600, place) as mailing:
            mailing.server.pace = 0.002
            process = started(mailing.site.folder)
            until_taken(mailing.server, 50, process)
            with filled(place, process.pid):
                ended(process)
            gone, twice = finished(mailing)
        lost, doubled = lost + gone, doubled + twice
    return Row("the disk is full", runs, 600, lost, doubled, CONNECTIONS * runs)


def beside(name: str, runs: int, act: Callable[[Mailing], None]) -> Row:
    """Do something else in the middle of sends."""
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
    """Hold the store, as another program that writes."""
    with closing(sqlite3.connect(mailing.site.folder / "feeds.db", timeout=10, isolation_level=None)) as db:
        db.execute("BEGIN IMMEDIATE")
        time.sleep(1)
        db.execute("ROLLBACK")


def yesterday(runs: int) -> Row:
    """Bring back the store as it was before the issue was composed; nothing may be sent by it."""
    lost = doubled = 0
    for _ in range(runs):
        with under_way() as mailing:
            file = mailing.site.folder / "feeds.db"
            mailing.publish(feeds_only=True)
            shutil.copy(file, file.with_name("yesterday.db"))
            gone, _ = finished(mailing)
            shutil.copy(file.with_name("yesterday.db"), file)
            mailing.publish()
            lost, doubled = lost + gone, doubled + mailing.server.doubled()
    return Row("the store is yesterday's", runs, READERS, lost, doubled, 0)


def rows(runs: int, killings: int) -> Iterator[Row]:
    """Yield all of it."""
    connect._PATIENCE = _SHORT  # noqa: SLF001 - minutes, for a person; here every second counts
    sender._PAUSES = (0.0, 0.01, 0.01)  # noqa: SLF001 - as above
    session.PATIENCE.update(dict.fromkeys(Stage, _SHORT))
    yield kills(killings)
    yield power(runs)
    yield full_disk(runs)
    yield yesterday(runs)
    yield beside("two senders at once", runs, lambda mailing: ended(started(mailing.site.folder)))
    yield beside("another program holds the store", runs, hold)
    yield from servers(runs)


def table(found: list[Row]) -> str:
    """Return a Markdown table."""
    head = "| fault | runs | readers in a run | lost | doubled | doubled at most, as promised |\n|---|---:|---:|---:|---:|---:|\n"
    return head + "".join(
        f"| {row.fault} | {row.runs:,} | {row.readers:,} | {row.lost:,} | {row.doubled:,} | {row.allowed:,} |\n"
        for row in found
    )


def main() -> None:
    """Do all of it and print."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--runs", type=int, default=20)
    asked.add_argument("--kills", type=int, default=200)
    asked.add_argument("--write", action="store_true")
    options = asked.parse_args()
    found = []
    for row in rows(options.runs, options.kills):
        print(f"{row.fault}: {row.lost} lost, {row.doubled} doubled (at most {row.allowed})", flush=True)
        found.append(row)
    print(table(found))
    if options.write:
        page.written(table(found), HERE / "README.md", "faults")
    if any(row.lost or row.doubled > row.allowed for row in found):
        sys.exit("more than was promised")


if __name__ == "__main__":
    main()
