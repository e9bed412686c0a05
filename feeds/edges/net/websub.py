"""The hub that is told when a document has changed (WebSub, W3C 2018)."""

import urllib.error
import urllib.request
from typing import Any
from urllib.parse import urlencode

from feeds.edges.net import web_check


class _Unmoved(urllib.request.HTTPRedirectHandler):
    """Follows nothing: the standard library would repeat a POST as a GET, and take the page it gets for an answer."""

    def redirect_request(self, *_args: Any, **_named: Any) -> None:
        """Return nothing, so that the answer counts as it is."""


def send_ping(hub: str, topic: str) -> str | None:
    """Tell *hub* that the document at *topic* has changed; return None if it has heard, else why not.

    The specification leaves this dialogue to hubs and publishers (section 6); all public hubs take
    PubSubHubbub 0.4's form (section 7.1), some read `hub.topic` for `hub.url`.
    """
    form = urlencode({"hub.mode": "publish", "hub.url": topic, "hub.topic": topic}).encode()
    ask = urllib.request.Request(hub, data=form, headers=web_check.HEAD)  # noqa: S310 - http(s) by config
    opener = urllib.request.build_opener(_Unmoved)

    def told() -> None:
        with opener.open(ask, timeout=web_check.PATIENCE) as answer:
            answer.read(1000)

    try:
        web_check.run_with_deadline(told)
    except urllib.error.HTTPError as e:
        with e:
            moved = f" and names {e.headers['Location']}" if e.headers.get("Location") else ""
            return f"answered {e.code}{moved}"
    except web_check.FAULTS as e:
        return str(getattr(e, "reason", e) or type(e).__name__)
    return None
