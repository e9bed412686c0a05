"""Checks of the public web site: many sites are deployed by another program after this one has run."""

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
#: Seconds for a whole request.
TIMEOUT = 5.0
#: More than any feed has.
MOST_BYTES = 50_000_000
HEADERS = {"User-Agent": f"Feeds/{__version__}"}
#: What a request can raise; URLError and timeouts are OSErrors.
ERRORS = (OSError, http.client.HTTPException, ValueError)
_THREADS = 8


def serves(url: str, content: bytes) -> bool:
    """Return whether the response at *url* is *content*; True for a loopback address where nothing listens."""
    try:
        return run_with_deadline(lambda: _get(url, MOST_BYTES)) == content
    except urllib.error.HTTPError as e:
        e.close()
        return False
    except ERRORS as e:
        reason = getattr(e, "reason", e)
        return isinstance(reason, ConnectionRefusedError) and is_loopback(url)


def missing_urls(urls: Iterable[str]) -> list[tuple[str, str]]:
    """Return the URLs that do not respond with a success, in their order, each with the reason."""
    requested = list(urls)
    with ThreadPoolExecutor(_THREADS, thread_name_prefix="live") as pool:
        return [(url, reason) for url, reason in zip(requested, pool.map(_failure, requested), strict=True) if reason]


def _failure(url: str) -> str:
    """Return why a URL is missing; empty if it is not."""
    try:
        run_with_deadline(lambda: _get(url, 1))
    except urllib.error.HTTPError as e:
        e.close()
        return f"returns HTTP {e.code}"
    except ERRORS as e:
        return f"does not respond: {getattr(e, 'reason', e)}"
    return ""


def _get(url: str, most_bytes: int) -> bytes:
    headers = HEADERS | {"Cache-Control": "no-cache"}
    request = urllib.request.Request(url, headers=headers)  # noqa: S310 - http(s) by config
    with urllib.request.urlopen(request, timeout=TIMEOUT) as response:  # noqa: S310 - as above
        return bytes(response.read(most_bytes))


def is_loopback(url: str) -> bool:
    """Return whether the host of a URL is this machine (RFC 6761 section 6.3, RFC 1122 section 3.2.1.3)."""
    host = urlsplit(url).hostname or ""
    return host in {"localhost", "::1"} or host.startswith("127.")


def run_with_deadline(work: Callable[[], T]) -> T:
    """Return the result of *work*, which runs in a thread: the timeout of a socket starts again with each byte.

    Raises:
        TimeoutError: it takes longer; the thread is abandoned.
        OSError, HTTPException, ValueError: as *work* does.
    """
    results: list[T] = []
    errors: list[Exception] = []

    def run() -> None:
        try:
            results.append(work())
        except Exception as e:  # noqa: BLE001 - raised again below, in the calling thread
            errors.append(e)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(TIMEOUT)
    if errors:
        raise errors[0]
    if not results:
        raise TimeoutError(f"timed out: no complete response within {TIMEOUT:g} s")
    return results[0]
