"""Measures speed and memory of sending, compared with Postfix's message generator and with a simple Python script.

    python bench/sending.py [--count 10000] [--rounds 5] [--naive 200] [--postfix 2000] [--memory 1000,100000] [--write]

Messages are sent to `smtp-sink`, which discards them, in turn by `smtp-source -d -s 16`, by Feeds (unsigned, signed with
RSA-2048, signed with RSA-2048 and Ed25519), and by EmailMessage, dkimpy and smtplib over one connection. If the script runs as
root, smtp-source and Feeds also send to a Postfix that is started for this, queues on disk and discards. Before the
measurement, all must have sent messages of the same size, without signatures.

Feeds' issue is frozen before, and the cost of a run for one subscriber (Python, libraries, the posts) is subtracted, so that
only sending is measured; each delivery is stored before and after, as always. Seconds differ between machines; compare the
ratios to smtp-source in the same run. `smtp-sink` reads messages byte by byte and keeps one core busy: with two cores it is
the limit for all but signed messages.

With FEEDS_POSTGRESQL, the URL of a server as a role that may create databases, Feeds also sends from a store there:

    POSTGRESQL_SETTINGS= bash .ci/postgresql python bench/sending.py

--naive and --postfix set the numbers of messages for the script and for Postfix (0: leave out). --memory measures the peak
memory of runs for these numbers of subscribers. --write puts the results into bench/README.md and draws bench/sending.svg.
"""

import argparse
import json
import os
import pwd
import re
import shutil
import smtplib
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from pathlib import Path

import chart
import page
import psycopg
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

try:
    import dkim
except ImportError:  # the script is left out
    dkim = None

HERE = Path(__file__).parent
CONNECTIONS = 16
#: The signing keys of each kind of message.
KINDS = {"unsigned": (), "RSA-2048": ("rsa",), "RSA-2048 + Ed25519": ("rsa", "ed25519")}
DOMAIN = "bench.example"
#: The largest accepted relative difference of message sizes.
_ALIKE = 0.02
#: Exit code of `feeds publish` if letters wait: here for `mail.hours`, since the issue is only frozen.
_LATER = 3
#: Number of paragraphs of a post whose letter has about 44 kB.
_PARAGRAPHS = 35
_PARAGRAPH = "Gardens, water and stones are told of in one paragraph after the other; who skips one misses little. " * 4
_POST = "---\ntitle: A long post\ndate: 2026-11-01T08:00:00Z\n---\n\n"
_CONFIG = """[site]
title = "Bench"
url = "https://{domain}/"
id_authority = "{domain},2026"
language = "en"
[[newsletters]]
name = "weekly"
title = "The weekly letter"
schedule = "0 8 * * mon"
template = "letter"
max_age = "36500 days"
[mail]
from = "Bench <letters@{domain}>"
reply_to = "desk@{domain}"
transport = "smtp"
{hours}
[mail.smtp]
port = {port}
connections = {connections}
"""
_SIGNED = """[[mail.dkim]]
selector = "{name}"
key_file = "{name}.pem"
"""
_MAIN = """compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
myhostname = mx.{domain}
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
default_transport = discard:
relay_transport = discard:
alias_maps =
local_recipient_maps =
in_flow_delay = 0
"""
_MASTER = """127.0.0.1:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
flush unix n - n 1000? 0 flush
discard unix - - n - - discard
proxymap unix - - n - - proxymap
anvil unix - - n - 1 anvil
"""


@dataclass(frozen=True)
class Cost:
    """The cost of sending a number of messages, in seconds."""

    messages: int
    wall: float
    cpu: float
    #: Peak memory in MB.
    megabytes: float = 0.0

    def less(self, other: "Cost") -> "Cost":
        """Return the difference to the cost of a smaller run."""
        return Cost(self.messages - other.messages, self.wall - other.wall, self.cpu - other.cpu)


Programs = dict[str, Callable[[], Cost]]


@dataclass(frozen=True)
class Row:
    """A row of the table: the medians of one program."""

    into: str
    program: str
    rate: float
    #: CPU time for a message, in microseconds.
    cpu: float
    #: Number of cores that other processes kept busy just before.
    others: float


# Servers ----------------------------------------------------------------------------------------------------------


@contextmanager
def sink(dump: Path | None = None) -> Iterator[int]:
    """Run an smtp-sink and yield its port; it writes received messages to the folder *dump*."""
    port = _free()
    command = [tool("smtp-sink")]
    if os.geteuid() == 0:
        command += ["-u", "nobody"]  # it refuses to serve as root
    if dump:
        _give_away(dump)
        command += ["-d", f"{dump}/"]  # it appends random characters
    name = f"sink-{os.getpid()}"
    with subprocess.Popen([*command, "-h", name, f"127.0.0.1:{port}", "1024"], stderr=subprocess.DEVNULL) as process:
        try:
            _wait_for(port, name)
            yield port
        finally:
            process.terminate()


@contextmanager
def postfix(folder: Path) -> Iterator[int]:
    """Run a Postfix that accepts all mail, queues it in *folder* and discards it; yield its port."""
    port = _free()
    for name in ("config", "queue", "data"):
        (folder / name).mkdir()
    for above in (folder, *folder.parents[:-1]):
        above.chmod(above.stat().st_mode | 0o055)
    shutil.chown(folder / "data", "postfix")
    config = folder / "config"
    (config / "main.cf").write_text(_MAIN.format(folder=folder, domain=DOMAIN), "utf-8")
    (config / "master.cf").write_text(_MASTER.format(port=port), "utf-8")
    subprocess.run(["postfix", "-c", str(config), "start"], check=True, capture_output=True, timeout=60)
    try:
        _wait_for(port, f"mx.{DOMAIN}")
        yield port
    finally:
        subprocess.run(["postfix", "-c", str(config), "stop"], check=True, capture_output=True, timeout=60)


def _drained(folder: Path) -> None:
    """Wait until Postfix has emptied its queues, since its work would slow down the next program."""
    until = time.monotonic() + 120
    queues = [folder / "queue" / name for name in ("incoming", "active", "deferred")]
    while any(file.is_file() for queue in queues for file in queue.rglob("*")):
        if time.monotonic() > until:
            sys.exit("Postfix does not empty its queues")
        time.sleep(0.2)


def _free() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def _wait_for(port: int, name: str) -> None:
    """Wait until *name* answers at a port; exit if another server has taken the port in the meantime."""
    for _ in range(200):
        try:
            with socket.create_connection(("127.0.0.1", port), 5) as connection:
                greeting = connection.makefile().readline()
        except OSError:
            time.sleep(0.05)
        else:
            return None if name in greeting else sys.exit(f"another server listens at {port}: {greeting.strip()}")
    return sys.exit(f"nothing listens at {port}")


def _give_away(folder: Path) -> None:
    """Give a folder to the user that smtp-sink runs as."""
    if os.geteuid() == 0:
        folder.parent.chmod(0o755)
        os.chown(folder, pwd.getpwnam("nobody").pw_uid, -1)


def tool(name: str) -> str:
    """Return the path of one of Postfix's programs, which are not in every user's PATH.

    Raises:
        SystemExit: the program is not installed.
    """
    return shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin") or sys.exit(f"{name} is missing: install Postfix")


# Programs ---------------------------------------------------------------------------------------------------------


def ran(command: list[str], folder: Path, messages: int = 0, *, well: tuple[int, ...] = (0,)) -> tuple[Cost, str]:
    """Run a command; return its cost and its output.

    Raises:
        SystemExit: the exit code is not in *well*; the output is printed.
    """
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as figures:
        number = figures.fileno()
        measured = [sys.executable, "-I", str(HERE / "measured.py"), str(number), *command]
        done = subprocess.run(measured, cwd=folder, stdout=output, stderr=output, pass_fds=[number], check=False)
        output.seek(0)
        said = output.read().decode()
        figures.seek(0)
        costs = json.loads(figures.read())
    if done.returncode not in well:
        sys.exit(f"{' '.join(command)}: exit code {done.returncode}\n{said[-2000:]}")
    return Cost(messages, *costs), said


class Source:
    """smtp-source, Postfix's message generator."""

    def __init__(self, size: int) -> None:
        #: It adds a header whose length depends on the host name, so `fit` corrects the length.
        self._length, self._folder = size, Path.cwd()

    def fit(self, size: int) -> None:
        """Correct the length after a message had *size* bytes."""
        self._length += self._length - size

    def run(self, count: int, port: int) -> Cost:
        """Send *count* messages."""
        command = [tool("smtp-source"), "-d", "-f", f"letters@{DOMAIN}", "-t", f"reader@{DOMAIN}"]
        command += ["-s", f"{min(CONNECTIONS, count)}", "-l", f"{self._length}", "-m", f"{count}", f"127.0.0.1:{port}"]
        return ran(command, self._folder, count)[0]


class Feeds:
    """This program, with an issue that is frozen and waits to be sent."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._url = "sqlite:///.feeds/feeds.db"
        (folder / "posts").mkdir(parents=True)
        text = "\n\n".join(f"{number}. {_PARAGRAPH}" for number in range(1, _PARAGRAPHS + 1))
        (folder / "posts" / "2026-11-01-long.md").write_text(f"{_POST}{text}\n", "utf-8")
        for name, key in _keys().items():
            (folder / f"{name}.pem").write_bytes(key)

    def run(self, kind: str, count: int, port: int) -> Cost:
        """Send an issue to *count* subscribers; return the cost of the whole command.

        Raises:
            SystemExit: not all of them got the issue.
        """
        self._bring_frozen(count, port)
        self._configure(port, kind)
        cost, said = ran([*_feeds(), "publish", "--yes", "--json"], self.folder, count)
        issues = json.loads(said.splitlines()[-1])["issues"]
        if [(issue["recipients"], issue["state"]) for issue in issues] != [(count, "sent")]:
            sys.exit(f"feeds did not send to all {count:,}:\n{said}")
        return cost

    def _bring_frozen(self, count: int, port: int) -> None:
        """Make the store one whose issue is frozen and not sent."""
        kept, store = self.folder / f"frozen-{count}.db", self.folder / ".feeds/feeds.db"
        if not kept.exists():
            store.unlink(missing_ok=True)
            self._freeze(count, port)
            store.rename(kept)
        shutil.copy(kept, store)

    def _freeze(self, count: int, port: int) -> None:
        """Freeze an issue in a new store, by publishing outside of `mail.hours`."""
        (self.folder / "people.csv").unlink(missing_ok=True)
        for name in ("public", ".feeds/cache"):  # an issue there would be unknown to the new store
            shutil.rmtree(self.folder / name, ignore_errors=True)
        later = datetime.now(UTC) + timedelta(hours=12)
        self._configure(port, hours=f'hours = "{later:%H:00}-{later:%H:01}"')
        rows = (f"reader{number}@readers.example\n" for number in range(count))
        (self.folder / "people.csv").write_text("email\n" + "".join(rows), "utf-8")
        ran([*_feeds(), "subscribers", "import", "people.csv", "--newsletter", "weekly"], self.folder)
        ran([*_feeds(), "publish", "--yes"], self.folder, well=(_LATER,))

    def _configure(self, port: int, kind: str = "unsigned", hours: str = "") -> None:
        settings = _CONFIG.format(domain=DOMAIN, port=port, connections=CONNECTIONS, hours=hours)
        keys = (_SIGNED.format(name=name) for name in KINDS[kind])
        store = f'[store]\nurl = "{self._url}"\n'
        (self.folder / "config.toml").write_text(settings + "".join(keys) + store, "utf-8")


class FeedsOnPostgresql(Feeds):
    """The same with a store on a server; a database with a frozen issue is the template of the one that is sent from."""

    def __init__(self, folder: Path, server: str) -> None:
        super().__init__(folder)
        self._server, self._frozen = server, set[int]()
        self._url = server.rpartition("/")[0] + "/bench"

    def _bring_frozen(self, count: int, port: int) -> None:
        template = f"frozen_{count}"
        if count not in self._frozen:
            self._execute(
                "DROP DATABASE IF EXISTS bench", f"DROP DATABASE IF EXISTS {template}", "CREATE DATABASE bench"
            )
            self._freeze(count, port)
            self._execute(f"ALTER DATABASE bench RENAME TO {template}")
            self._frozen.add(count)
        # The new database is on the disk before the measurement begins.
        self._execute("DROP DATABASE IF EXISTS bench", f"CREATE DATABASE bench TEMPLATE {template}", "CHECKPOINT")

    def _execute(self, *statements: str) -> None:
        with psycopg.connect(self._server, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)


class Naive:
    """A simple script: it builds, signs and sends one message after the other over one connection."""

    def __init__(self, letter: EmailMessage) -> None:
        parts = {part.get_content_type(): part.get_content() for part in letter.iter_parts()}
        self._text, self._html, self._key = parts["text/plain"], parts["text/html"], _keys()["rsa"]

    def run(self, count: int, port: int) -> Cost:
        """Send *count* messages."""
        wall, cpu = time.perf_counter(), time.process_time()
        with smtplib.SMTP("127.0.0.1", port) as server:
            for number in range(count):
                to = f"reader{number}@readers.example"
                server.sendmail(f"letters@{DOMAIN}", to, self._message(to))
        return Cost(count, time.perf_counter() - wall, time.process_time() - cpu)

    def _message(self, to: str) -> bytes:
        found = EmailMessage(policy=policy.SMTP)
        found["From"], found["To"], found["Subject"] = f"Bench <letters@{DOMAIN}>", to, "A long post"
        found["Date"], found["Message-ID"] = formatdate(), make_msgid(domain=DOMAIN)
        found["List-Unsubscribe"] = f"<mailto:desk@{DOMAIN}?subject=unsubscribe>"
        found.set_content(self._text)
        found.add_alternative(self._html, subtype="html")
        content = found.as_bytes()
        return dkim.sign(content, b"rsa", DOMAIN.encode(), self._key) + content


def feeds_run(feeds: Feeds, kind: str, count: int, port: int) -> Cost:
    """Return the cost of sending alone: a run for *count* subscribers minus a run for one."""
    alone = feeds.run(kind, 1, port)
    return feeds.run(kind, count, port).less(alone)


def _feeds() -> list[str]:
    return [str(Path(sys.executable).parent / "feeds")]


def _keys() -> dict[str, bytes]:
    """Return new private keys in PEM."""
    made = {"rsa": rsa.generate_private_key(65537, 2048), "ed25519": ed25519.Ed25519PrivateKey.generate()}
    pem, form, plain = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return {name: key.private_bytes(pem, form, plain) for name, key in made.items()}


# Comparing messages -------------------------------------------------------------------------------------------------


def received(send: Callable[[int], object]) -> bytes:
    """Return the message that *send* sends to a port, as it was transferred."""
    with tempfile.TemporaryDirectory() as place:
        dump = Path(place, "dump")
        dump.mkdir()
        with sink(dump) as port:
            send(port)
        (file,) = dump.iterdir()
        return as_sent(file.read_bytes())


def as_sent(dumped: bytes) -> bytes:
    """Return a dumped message without smtp-sink's additions: headers up to `Received`, a last empty line, LF line ends."""
    _, _, message = re.split(rb"^(Received: .*\n(?:[ \t].*\n)*)", dumped, maxsplit=1, flags=re.MULTILINE)
    return message.removesuffix(b"\n").replace(b"\n", b"\r\n")


def unsigned_size(message: bytes) -> int:
    """Return the size of a message without its signatures, in bytes."""
    return len(re.sub(rb"^DKIM-Signature: .*\r\n(?:[ \t].*\r\n)*", b"", message, flags=re.MULTILINE | re.IGNORECASE))


def fitted(feeds: Feeds) -> tuple[Source, Naive, int]:
    """Return the other two programs, set up for messages of the same size as Feeds', and this size in bytes.

    Raises:
        SystemExit: the sizes differ, so ratios would have no meaning.
    """
    sent = {kind: received(lambda port, kind=kind: feeds.run(kind, 1, port)) for kind in KINDS}
    size = unsigned_size(sent["unsigned"])
    source = Source(size)
    source.fit(unsigned_size(received(lambda port: source.run(1, port))))
    naive = Naive(message_from_bytes(sent["unsigned"], policy=policy.default))
    sizes = {kind: unsigned_size(message) for kind, message in sent.items()}
    sizes["smtp-source"] = unsigned_size(received(lambda port: source.run(1, port)))
    if dkim:
        sizes["naive"] = unsigned_size(received(lambda port: naive.run(1, port)))
    if wrong := {name: found for name, found in sizes.items() if abs(found / size - 1) > _ALIKE}:
        sys.exit(f"messages differ from {size:,} bytes in size: {wrong}")
    return source, naive, size


# Measuring --------------------------------------------------------------------------------------------------------


def measured(programs: Programs, into: str, rounds: int, between: Callable[[], None]) -> Iterator[Row]:
    """Run all programs in turn, with a call of *between* after each; yield their rows."""
    costs: dict[str, list[Cost]] = {name: [] for name in programs}
    others = []
    for _ in range(rounds):
        for name, run in programs.items():
            others.append(_busy())
            costs[name].append(run())
            between()
    for name, found in costs.items():
        rate = statistics.median(cost.messages / cost.wall for cost in found)
        cpu = statistics.median(cost.cpu / cost.messages for cost in found) * 1e6
        yield Row(into, name, rate, cpu, statistics.mean(others))


def _busy(seconds: float = 0.25) -> float:
    """Return the number of cores that other processes keep busy; if they do, rates are not reliable."""
    before = _ticks()
    time.sleep(seconds)
    return (_ticks() - before) / os.sysconf("SC_CLK_TCK") / seconds


def _ticks() -> int:
    """Return the busy time of all cores since boot, in clock ticks; 0 without /proc."""
    try:
        user, nice, system, _idle, _wait, *interrupts = (
            Path("/proc/stat").read_text("ascii").split("\n")[0].split()[1:8]
        )
    except OSError:
        return 0
    return sum(map(int, (user, nice, system, *interrupts)))


def into_sink(feeds: Feeds, source: Source, naive: Naive, options: argparse.Namespace) -> list[Row]:
    """Measure all programs with smtp-sink."""
    count = options.count
    with sink() as port:
        programs = {"smtp-source": lambda: source.run(count, port)}
        for kind in KINDS:
            programs[f"feeds, {kind}"] = lambda kind=kind: feeds_run(feeds, kind, count, port)
        if server := os.environ.get("FEEDS_POSTGRESQL"):
            on_server = FeedsOnPostgresql(feeds.folder / "postgresql", server)
            programs["feeds, unsigned, PostgreSQL"] = lambda: feeds_run(on_server, "unsigned", count, port)
        if dkim and options.naive:
            programs["EmailMessage + dkimpy + smtplib, RSA-2048"] = lambda: naive.run(options.naive, port)
        return list(measured(programs, "smtp-sink", options.rounds, lambda: None))


def into_postfix(feeds: Feeds, source: Source, options: argparse.Namespace) -> list[Row]:
    """Measure smtp-source and Feeds with a real Postfix; return nothing if Postfix cannot be started."""
    count = options.postfix
    if not count or os.geteuid() or shutil.which("postfix") is None:
        return []
    with tempfile.TemporaryDirectory() as place, postfix(Path(place)) as port:
        programs = {"smtp-source": lambda: source.run(count, port)}
        for kind in ("unsigned", "RSA-2048"):
            programs[f"feeds, {kind}"] = lambda kind=kind: feeds_run(feeds, kind, count, port)
        return list(measured(programs, "Postfix", options.rounds, lambda: _drained(Path(place))))


def memory(feeds: Feeds, sizes: list[int]) -> dict[int, float]:
    """Return the peak memory of a run in MB, by number of subscribers."""
    with sink() as port:
        return {count: feeds.run("unsigned", count, port).megabytes for count in sizes}


# Reporting --------------------------------------------------------------------------------------------------------


def table(rows: list[Row]) -> str:
    """Return the rows as a Markdown table; ratios are to smtp-source with the same server."""
    base = {row.into: row.rate for row in rows if row.program == "smtp-source"}
    lines = ["| into | program | messages/s | CPU µs a message | ratio to smtp-source |", "|---|---|---:|---:|---:|"]
    for row in rows:
        ratio = "" if row.program == "smtp-source" else f"{row.rate / base[row.into]:.2f}"
        lines.append(f"| {row.into} | {row.program} | {row.rate:,.0f} | {row.cpu:,.0f} | {ratio} |")
    return "\n".join(lines) + "\n"


def memory_table(found: dict[int, float]) -> str:
    """Return the peaks as a Markdown table; nothing if none was measured."""
    if not found:
        return ""
    lines = ["| readers | peak MB |", "|---:|---:|", *(f"| {count:,} | {peak:.0f} |" for count, peak in found.items())]
    return "\n" + "\n".join(lines) + "\n"


def caption(size: int, rows: list[Row], options: argparse.Namespace) -> str:
    """Return a line with the date, the machine, the versions, the counts and the load of the measurement."""
    command = [tool("postconf"), "-h", "mail_version"]
    version = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    python = ".".join(map(str, sys.version_info[:3]))
    counts = f"{options.count:,} messages into smtp-sink"
    if options.postfix:
        counts += f", {options.postfix:,} into Postfix"
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, Python {python}, Postfix {version}; medians of {options.rounds}"
        f" interleaved runs, messages of {size:,} bytes (without signatures), {counts}. Others kept"
        f" {statistics.mean(row.others for row in rows):.1f} cores busy.\n"
    )


def charted(rows: list[Row]) -> str:
    """Return a chart of the rates, with a group for each server."""
    groups = {
        f"into {into}": [
            chart.Bar(row.program, row.rate, f"{row.rate:,.0f} a second", is_ours=row.program.startswith("feeds"))
            for row in rows
            if row.into == into
        ]
        for into in dict.fromkeys(row.into for row in rows)
    }
    return chart.drawn("Messages a second, feeds beside Postfix's generator", groups)


def main() -> None:
    """Measure and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--naive", type=int, default=200, metavar="COUNT")
    parser.add_argument("--postfix", type=int, default=2000, metavar="COUNT")
    parser.add_argument("--memory", default="", metavar="READERS,…")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        feeds = Feeds(Path(place))
        source, naive, size = fitted(feeds)
        rows = into_sink(feeds, source, naive, options) + into_postfix(feeds, source, options)
        peaks = memory(feeds, [int(count) for count in options.memory.split(",") if count])
    text = f"{caption(size, rows, options)}\n{table(rows)}{memory_table(peaks)}"
    print(text)
    if options.write:
        page.written(text, HERE / "README.md", "sending")
        (HERE / "sending.svg").write_text(charted(rows), "utf-8")


if __name__ == "__main__":
    main()
