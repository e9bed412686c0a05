"""Attack a sign-up page over HTTP, and print for each attack how much mail it sent and what was stored.

    python bench/signups.py [--requests 10000] [--only NAME]

The server runs in this process on a free port, with a clock of its own; a trusted proxy's header gives each request the
address of its client. Mail is written to the outbox of a temporary site.
"""

import argparse
import http.client
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread
from urllib.parse import urlencode

from feeds.config import load_config
from feeds.config_types import ListenAddress
from feeds.edges.store.database import open_store
from feeds.jobs.context import Context
from feeds.jobs.site import Site
from feeds.jobs.subscribers.signup_round import run_signup_round
from feeds.jobs.subscribers.subscribe import add_subscriber, suppress_address
from feeds.web.app import make_app
from feeds.web.door import Door
from feeds.web.server import WebServer, listen

_CONFIG = """
[site]
title = "Sample"
url = "https://example.com/"
[[newsletters]]
name = "weekly"
schedule = "0 8 * * mon"
[mail]
from = "Sample <letters@example.com>"
[web]
url = "http://letters.example.com/"
"""
_NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
#: How many requests come between two rounds of the sign-up job.
_ROUND_EVERY = 250
_TABLES = ("signup_requests", "signup_networks", "signups", "service_mails")


@dataclass
class _Attacked:
    """A fresh site under attack."""

    folder: Path
    door: Door
    connection: http.client.HTTPConnection
    now: datetime = _NOW

    def token(self) -> str:
        self.connection.request("GET", "/subscribe")
        found = re.search(rb'name="token" value="([^"]+)"', self.connection.getresponse().read())
        return found[1].decode() if found else ""

    def post(self, email: str, client: str, token: str, **more: str) -> int:
        fields = {"email": email, "newsletter": "weekly", "lang": "en", "token": token} | more
        headers = {"Content-Type": "application/x-www-form-urlencoded", "X-Forwarded-For": client}
        self.connection.request("POST", "/subscribe", urlencode(fields), headers)
        answer = self.connection.getresponse()
        answer.read()
        return answer.status

    def run_round(self) -> None:
        self.connection.close()  # the server closes one that is idle for long; the next request opens another
        run_signup_round(Site(self.door.config), self.door.context)

    def count_mails(self) -> int:
        return sum(1 for _ in (self.folder / ".feeds/outbox").rglob("*.eml"))

    def count_rows(self) -> int:
        with open_store(self.door.config.store_url, self.folder) as store:
            queries = (f"SELECT count(*) FROM {table}" for table in _TABLES)
            return sum(next(store.database.query(query))[0] for query in queries)


Attack = Callable[[_Attacked, int, str], int]


def _one_client(site: _Attacked, n: int, token: str) -> int:
    return site.post(f"reader{n}@example.org", "192.0.2.1", token)


def _one_network(site: _Attacked, n: int, token: str) -> int:
    return site.post(f"reader{n}@example.org", f"2001:db8:1:{n % 65536:x}::1", token)


def _one_address(site: _Attacked, n: int, token: str) -> int:
    return site.post("ada@example.org", f"10.{n // 250 % 250}.{n % 250}.1", token)


def _many_of_all(site: _Attacked, n: int, token: str) -> int:
    return site.post(f"reader{n}@example.org", f"10.{n // 250 % 250}.{n % 250}.1", token)


def _programs(site: _Attacked, n: int, token: str) -> int:
    return site.post(f"info@site{n}.example", f"10.{n // 250 % 250}.{n % 250}.1", token, website="http://spam.example/")


def _forged(site: _Attacked, n: int, token: str) -> int:
    return site.post(f"reader{n}@example.org", "192.0.2.1", token[:-3] + "AAA")


def _known(site: _Attacked, n: int, token: str) -> int:
    name = ("known", "suppressed")[n % 2]
    return site.post(f"{name}@example.org", f"10.{n // 250 % 250}.{n % 250}.1", token)


ATTACKS: dict[str, tuple[Attack, str]] = {
    "one client, an address each time": (_one_client, "5 of a client, 20 requests an hour of a network"),
    "clients of one /48, an address each time": (_one_network, "20 requests an hour of a network"),
    "one address, a client each time": (_one_address, "1 confirmation a day of an address"),
    "a client and an address each time": (_many_of_all, "signup.confirmations_per_hour (200)"),
    "the same, from programs": (_programs, "score: held for the editor"),
    "a forged token": (_forged, "signature"),
    "subscribed and suppressed addresses": (_known, "no mail to them"),
}


@contextmanager
def _attacked_site() -> Iterator[_Attacked]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "posts").mkdir()
        (folder / "config.toml").write_text(_CONFIG, "utf-8")
        config = load_config(folder / "config.toml", {})
        add_subscriber(config, "known@example.org", [], lang=None, now=_NOW, again=False)
        suppress_address(config, "suppressed@example.org", _NOW)
        site = _Attacked(folder, None, None)  # type: ignore[arg-type] - both are set below
        site.door = Door(config, Context(clock=lambda: site.now), lambda line: print(line, file=sys.stderr))
        server, listener = WebServer(site.door, make_app(site.door)), listen(ListenAddress("127.0.0.1:0"), folder)
        site.connection = http.client.HTTPConnection(*listener.getsockname())
        thread = Thread(target=server.serve, args=[listener])
        thread.start()
        try:
            yield site
        finally:
            site.connection.close()
            server.stop()
            thread.join()


def _measure(attack: Attack, requests: int) -> tuple[Counter[int], int, int, float]:
    """Return the answers by status, the mails sent, the rows stored at most, and the seconds, for one hour's attack."""
    with _attacked_site() as site:
        token = site.token()
        site.now += timedelta(minutes=1)
        answers: Counter[int] = Counter()
        rows, start = 0, time.monotonic()
        for n in range(requests):
            answers[attack(site, n, token)] += 1
            if n % _ROUND_EVERY == _ROUND_EVERY - 1:
                rows = max(rows, site.count_rows())
                site.run_round()
        seconds = time.monotonic() - start
        site.run_round()
        return answers, site.count_mails(), max(rows, site.count_rows()), seconds


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--only", default="", help="only attacks whose names begin with this text")
    options = parser.parse_args()
    requests = options.requests
    print("| attack | requests | answers | mails sent | rows stored | bound |\n|---|---|---|---|---|---|")
    for name, (attack, bound) in ATTACKS.items():
        if not name.startswith(options.only):
            continue
        answers, mails, rows, seconds = _measure(attack, requests)
        statuses = ", ".join(f"{status}: {number:,}" for status, number in sorted(answers.items()))
        print(f"| {name} | {requests:,} | {statuses} | {mails} | {rows:,} | {bound} |", flush=True)
        print(f"{name}: {seconds / requests * 1000:.1f} ms a request", file=sys.stderr)


if __name__ == "__main__":
    main()
