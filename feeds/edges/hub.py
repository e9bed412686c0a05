"""What the web shows of a document, and the hub that is told when it has changed (WebSub, W3C 2018)."""

import http.client
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlencode, urlsplit

from feeds import __version__

Answer = TypeVar("Answer")
#: Seconds that one question may take, whatever the other side does meanwhile.
_PATIENCE = 5.0
#: More than a feed ever is.
_MOST_BYTES = 50_000_000
_HEAD = {"User-Agent": f"Feeds/{__version__}"}
_FAULTS = (OSError, http.client.HTTPException, ValueError)  # URLError and time-outs are OSErrors


class _Unmoved(urllib.request.HTTPRedirectHandler):
    """Follows nothing: the standard library would repeat a POST as a GET, and take the page it gets for an answer."""

    def redirect_request(self, *_args: Any, **_named: Any) -> None:
        """Return nothing, so that the answer counts as it is."""


def shows(url: str, content: bytes) -> bool:
    """Return whether the web shows *content* at *url*.

    A loopback address that nobody serves has no web to wait for.
    """
    ask = urllib.request.Request(url, headers=_HEAD | {"Cache-Control": "no-cache"})  # noqa: S310 - http(s) by config

    def found() -> bytes:
        with urllib.request.urlopen(ask, timeout=_PATIENCE) as answer:  # noqa: S310 - as above
            return bytes(answer.read(_MOST_BYTES))

    try:
        return _within(_PATIENCE, found) == content
    except urllib.error.HTTPError as e:
        e.close()
        return False
    except _FAULTS as e:
        reason = getattr(e, "reason", e)
        return isinstance(reason, ConnectionRefusedError) and _is_loopback(url)


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    return host in {"localhost", "::1"} or host.startswith("127.")


def ping(hub: str, topic: str) -> str | None:
    """Tell *hub* that the document at *topic* has changed; return None if it has heard, else why not.

    The specification leaves this dialogue to hubs and publishers (section 6); all public hubs take
    PubSubHubbub 0.4's form (section 7.1), some read `hub.topic` for `hub.url`.
    """
    form = urlencode({"hub.mode": "publish", "hub.url": topic, "hub.topic": topic}).encode()
    ask = urllib.request.Request(hub, data=form, headers=_HEAD)  # noqa: S310 - http(s) by config
    opener = urllib.request.build_opener(_Unmoved)

    def told() -> None:
        with opener.open(ask, timeout=_PATIENCE) as answer:
            answer.read(1000)

    try:
        _within(_PATIENCE, told)
    except urllib.error.HTTPError as e:
        with e:
            moved = f" and names {e.headers['Location']}" if e.headers.get("Location") else ""
            return f"answered {e.code}{moved}"
    except _FAULTS as e:
        return str(getattr(e, "reason", e) or type(e).__name__)
    return None


def _within(seconds: float, work: Callable[[], Answer]) -> Answer:
    """Return what *work* returns; a time-out of a socket starts anew with each byte, so a thread bounds the whole.

    Raises:
        TimeoutError: it takes longer; it is left to itself.
        OSError, HTTPException, ValueError: as *work* does.
    """
    found: list[Answer] = []
    wrong: list[Exception] = []

    def do() -> None:
        try:
            found.append(work())
        except Exception as e:  # noqa: BLE001 - raised again below, in the thread that asked
            wrong.append(e)

    thread = threading.Thread(target=do, daemon=True)
    thread.start()
    thread.join(seconds)
    if wrong:
        raise wrong[0]
    if not found:
        raise TimeoutError(f"timed out: no whole answer in {seconds:g} s")
    return found[0]
