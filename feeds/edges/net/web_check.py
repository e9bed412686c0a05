"""What the web shows: whether what is about to be announced is there yet.

Many sites are deployed after this program has run, by something else.
"""

import http.client
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar
from urllib.parse import urlsplit

from feeds import __version__

T = TypeVar("T")
#: Seconds that one question may take, whatever the other side does meanwhile.
PATIENCE = 5.0
#: More than a feed ever is.
_MOST_BYTES = 50_000_000
HEAD = {"User-Agent": f"Feeds/{__version__}"}
#: What can go wrong with a question; URLError and time-outs are OSErrors.
FAULTS = (OSError, http.client.HTTPException, ValueError)
_AT_ONCE = 8


def serves(url: str, content: bytes) -> bool:
    """Return whether the web shows *content* at *url*.

    A loopback address that nobody serves has no web to wait for.
    """
    ask = urllib.request.Request(url, headers=HEAD | {"Cache-Control": "no-cache"})  # noqa: S310 - http(s) by config

    def found() -> bytes:
        with urllib.request.urlopen(ask, timeout=PATIENCE) as answer:  # noqa: S310 - as above
            return bytes(answer.read(_MOST_BYTES))

    try:
        return run_with_deadline(found) == content
    except urllib.error.HTTPError as e:
        e.close()
        return False
    except FAULTS as e:
        reason = getattr(e, "reason", e)
        return isinstance(reason, ConnectionRefusedError) and is_loopback(url)


def missing_urls(urls: Iterable[str]) -> list[tuple[str, str]]:
    """Return the addresses that do not answer, in their order, each with why."""
    asked = list(urls)
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="live") as pool:
        return [(url, why) for url, why in zip(asked, pool.map(_why_not, asked), strict=True) if why]


def _why_not(url: str) -> str:
    ask = urllib.request.Request(url, headers=HEAD | {"Cache-Control": "no-cache"})  # noqa: S310 - http(s) by config

    def found() -> None:
        with urllib.request.urlopen(ask, timeout=PATIENCE) as answer:  # noqa: S310 - as above
            answer.read(1)

    try:
        run_with_deadline(found)
    except urllib.error.HTTPError as e:
        e.close()
        return f"answers {e.code}"
    except FAULTS as e:
        return f"does not answer: {getattr(e, 'reason', e)}"
    return ""


def is_loopback(url: str) -> bool:
    """Return whether an address is of this machine (RFC 6761 section 6.3, RFC 1122 section 3.2.1.3)."""
    host = urlsplit(url).hostname or ""
    return host in {"localhost", "::1"} or host.startswith("127.")


def run_with_deadline(work: Callable[[], T]) -> T:
    """Return what *work* returns, if it does so soon.

    A time-out of a socket starts anew with each byte, so a thread bounds the whole.

    Raises:
        TimeoutError: it takes longer; it is left to itself.
        OSError, HTTPException, ValueError: as *work* does.
    """
    found: list[T] = []
    wrong: list[Exception] = []

    def do() -> None:
        try:
            found.append(work())
        except Exception as e:  # noqa: BLE001 - raised again below, in the thread that asked
            wrong.append(e)

    thread = threading.Thread(target=do, daemon=True)
    thread.start()
    thread.join(PATIENCE)
    if wrong:
        raise wrong[0]
    if not found:
        raise TimeoutError(f"timed out: no whole answer in {PATIENCE:g} s")
    return found[0]
