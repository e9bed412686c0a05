"""A small WebSub hub (W3C 2018), a subscriber and a web server, on 127.0.0.1, for as long as a test takes."""

import hashlib
import hmac
import secrets
import threading
import urllib.error
import urllib.request
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

#: Status, content, headers.
Answer = tuple[int, bytes, dict[str, str]]
_TYPES = {".xml": "application/xml", ".json": "application/json", ".html": "text/html"}


class _Handler(BaseHTTPRequestHandler):
    """Asks whoever owns the server."""

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        self._answer(*self.server.owner.got(unquote(parts.path), dict(parse_qsl(parts.query))))

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self._answer(*self.server.owner.posted(content, dict(self.headers)))

    def _answer(self, status: int, content: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(content))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    owner: "Served"

    def handle_error(self, *_: object) -> None:
        """Say nothing: who asks may go before the answer comes."""


class Served:
    """Something that answers on a port of this machine."""

    def __init__(self, port: int = 0) -> None:
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.owner = self
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def got(self, _path: str, _query: dict[str, str]) -> Answer:
        """Answer a GET."""
        return 404, b"", {}

    def posted(self, _content: bytes, _headers: dict[str, str]) -> Answer:
        """Answer a POST."""
        return 405, b"", {}

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Web(Served):
    """Serves a folder as it is at each moment."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder

    def got(self, path: str, _query: dict[str, str]) -> Answer:
        try:
            content = (self.folder / path.lstrip("/")).read_bytes()
        except OSError:
            return 404, b"", {}
        return 200, content, {"Content-Type": _TYPES.get(Path(path).suffix, "text/plain")}


class Hub(Served):
    """Verifies intent, fetches what has changed, and sends all of it to whoever subscribed (sections 5 to 7)."""

    def __init__(self, port: int = 0) -> None:
        super().__init__(port)
        #: The addresses that were said to have changed, and what was said with them.
        self.pings: list[str] = []
        self.forms: list[dict[str, str]] = []
        self.heads: list[dict[str, str]] = []
        #: By topic and callback: the secret.
        self.subscriptions: dict[tuple[str, str], str] = {}
        #: What a publisher is answered.
        self.status, self.headers = 202, {}
        #: While it is clear, nobody is answered.
        self.answers = threading.Event()
        self.answers.set()

    def posted(self, content: bytes, headers: dict[str, str]) -> Answer:
        self.answers.wait(10)
        form = dict(parse_qsl(content.decode()))
        if form.get("hub.mode") == "subscribe":
            return (202 if self._verified(form) else 404), b"", {}
        self.forms.append(form)
        self.heads.append(headers)
        if form.get("hub.mode") != "publish" or "hub.url" not in form:
            return 400, b"", {}
        if 200 <= self.status < 300:
            self.pings.append(form["hub.url"])
            self._distribute(form["hub.url"])
        return self.status, b"", self.headers

    def got(self, _path: str, _query: dict[str, str]) -> Answer:
        return 200, b"a page about this hub", {}

    def _verified(self, form: dict[str, str]) -> bool:
        topic, callback, challenge = form["hub.topic"], form["hub.callback"], secrets.token_hex()
        asked = {"hub.mode": "subscribe", "hub.topic": topic, "hub.challenge": challenge, "hub.lease_seconds": "864000"}
        try:
            with urllib.request.urlopen(f"{callback}?{urlencode(asked)}", timeout=5) as answer:
                meant = answer.read().decode() == challenge
        except urllib.error.HTTPError as error:
            error.close()
            return False
        if meant:
            self.subscriptions[topic, callback] = form.get("hub.secret", "")
        return meant

    def _distribute(self, topic: str) -> None:
        callbacks = {callback: secret for (wanted, callback), secret in self.subscriptions.items() if wanted == topic}
        if not callbacks:
            return
        with urllib.request.urlopen(topic, timeout=5) as answer:
            content, kind = answer.read(), answer.headers["Content-Type"]
        for callback, secret in callbacks.items():
            headers = {"Content-Type": kind, "Link": f'<{self.url}>; rel="hub", <{topic}>; rel="self"'}
            if secret:
                headers["X-Hub-Signature"] = f"sha256={_signature(secret, content)}"
            urllib.request.urlopen(urllib.request.Request(callback, content, headers), timeout=5).close()

    def close(self) -> None:
        self.answers.set()
        super().close()


@dataclass(frozen=True)
class Delivery:
    """What a subscriber was sent."""

    content: bytes
    link: str
    kind: str


class Subscriber(Served):
    """Wants one topic, and takes only what is signed with its secret."""

    SECRET = "not told to anybody else"

    def __init__(self, topic: str) -> None:
        super().__init__()
        self.topic = topic
        self.received: list[Delivery] = []

    def subscribe(self, hub: str, topic: str = "") -> int:
        """Ask the hub for a topic, our own unless told otherwise; return what it answers."""
        form = {"hub.mode": "subscribe", "hub.topic": topic or self.topic, "hub.callback": self.url}
        data = urlencode(form | {"hub.secret": self.SECRET}).encode()
        try:
            with urllib.request.urlopen(hub, data, timeout=5) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            error.close()
            return error.code

    def got(self, _path: str, query: dict[str, str]) -> Answer:
        meant = query["hub.topic"] == self.topic
        return (200, query["hub.challenge"].encode(), {}) if meant else (404, b"", {})

    def posted(self, content: bytes, headers: dict[str, str]) -> Answer:
        if headers.get("X-Hub-Signature") == f"sha256={_signature(self.SECRET, content)}":
            self.received.append(Delivery(content, headers["Link"], headers["Content-Type"]))
        return 204, b"", {}


def _signature(secret: str, content: bytes) -> str:
    return hmac.new(secret.encode(), content, hashlib.sha256).hexdigest()
