"""Sends pings to a WebSub hub (W3C 2018)."""

import urllib.error
import urllib.request
from typing import Any
from urllib.parse import urlencode

from feeds.edges.net import web_check


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: the standard library would turn the POST into a GET and take any page for a success."""

    def redirect_request(self, *_args: Any, **_named: Any) -> None:
        """Return None, so that the redirect is an HTTPError."""


def send_ping(hub: str, topic: str) -> str | None:
    """Notify *hub* that the document at *topic* has changed; return None on success, otherwise the reason.

    WebSub leaves the form of this request to hubs and publishers (section 6); all public hubs accept that of
    PubSubHubbub 0.4 (section 7.1), some read `hub.topic` instead of `hub.url`.
    """
    form = urlencode({"hub.mode": "publish", "hub.url": topic, "hub.topic": topic}).encode()
    request = urllib.request.Request(hub, data=form, headers=web_check.HEADERS)  # noqa: S310 - http(s) by config
    opener = urllib.request.build_opener(_NoRedirect)

    def send() -> None:
        with opener.open(request, timeout=web_check.TIMEOUT) as response:
            response.read(1000)

    try:
        web_check.run_with_deadline(send)
    except urllib.error.HTTPError as e:
        with e:
            location = e.headers.get("Location")
            return f"HTTP {e.code}" + (f", redirects to {location}" if location else "")
    except web_check.ERRORS as e:
        return str(getattr(e, "reason", e) or type(e).__name__)
    return None
