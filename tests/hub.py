"""A small WebSub hub (W3C 2018), a WebSub subscriber and a web server on 127.0.0.1."""

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
Response = tuple[int, bytes, dict[str, str]]
_TYPES = {".xml": "application/xml", ".json": "application/json", ".html": "text/html"}


class _Handler(BaseHTTPRequestHandler):
    """Passes requests to the owner of the server."""

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        self._respond(*self.server.owner.get(unquote(parts.path), dict(parse_qsl(parts.query))))

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self._respond(*self.server.owner.post(content, dict(self.headers)))

    def _respond(self, status: int, content: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(content))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Log nothing."""


class _Server(ThreadingHTTPServer):
    owner: "LocalServer"

    def handle_error(self, *_: object) -> None:
        """Print nothing: a client may close the connection before the response."""


class LocalServer:
    """An HTTP server on a port of this machine."""

    def __init__(self, port: int = 0) -> None:
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.owner = self
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def get(self, _path: str, _query: dict[str, str]) -> Response:
        """Return the response to a GET."""
        return 404, b"", {}

    def post(self, _content: bytes, _headers: dict[str, str]) -> Response:
        """Return the response to a POST."""
        return 405, b"", {}

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Web(LocalServer):
    """Serves the files of a folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder

    def get(self, path: str, _query: dict[str, str]) -> Response:
        try:
            content = (self.folder / path.lstrip("/")).read_bytes()
        except OSError:
            return 404, b"", {}
        return 200, content, {"Content-Type": _TYPES.get(Path(path).suffix, "text/plain")}


class Hub(LocalServer):
    """Verifies subscriptions, and sends a document that has changed to its subscribers (WebSub sections 5 to 7)."""

    def __init__(self, port: int = 0) -> None:
        super().__init__(port)
        #: The URLs of all pings, and the forms and headers that they came with.
        self.pings: list[str] = []
        self.forms: list[dict[str, str]] = []
        self.heads: list[dict[str, str]] = []
        #: The secret, by topic and callback.
        self.subscriptions: dict[tuple[str, str], str] = {}
        #: The response to a publisher.
        self.status, self.headers = 202, {}
        #: While it is clear, no request gets a response.
        self.answers = threading.Event()
        self.answers.set()

    def post(self, content: bytes, headers: dict[str, str]) -> Response:
        self.answers.wait(10)
        form = dict(parse_qsl(content.decode()))
        if form.get("hub.mode") == "subscribe":
            return (202 if self._verify(form) else 404), b"", {}
        self.forms.append(form)
        self.heads.append(headers)
        if form.get("hub.mode") != "publish" or "hub.url" not in form:
            return 400, b"", {}
        if 200 <= self.status < 300:
            self.pings.append(form["hub.url"])
            self._distribute(form["hub.url"])
        return self.status, b"", self.headers

    def get(self, _path: str, _query: dict[str, str]) -> Response:
        return 200, b"a page about this hub", {}

    def _verify(self, form: dict[str, str]) -> bool:
        topic, callback, challenge = form["hub.topic"], form["hub.callback"], secrets.token_hex()
        query = {"hub.mode": "subscribe", "hub.topic": topic, "hub.challenge": challenge, "hub.lease_seconds": "864000"}
        try:
            with urllib.request.urlopen(f"{callback}?{urlencode(query)}", timeout=5) as response:
                is_confirmed = response.read().decode() == challenge
        except urllib.error.HTTPError as error:
            error.close()
            return False
        if is_confirmed:
            self.subscriptions[topic, callback] = form.get("hub.secret", "")
        return is_confirmed

    def _distribute(self, topic: str) -> None:
        callbacks = {callback: secret for (one, callback), secret in self.subscriptions.items() if one == topic}
        if not callbacks:
            return
        with urllib.request.urlopen(topic, timeout=5) as response:
            content, kind = response.read(), response.headers["Content-Type"]
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
    """A document that a subscriber received."""

    content: bytes
    link: str
    kind: str


class Subscriber(LocalServer):
    """Subscribes to one topic, and accepts only documents that are signed with its secret."""

    SECRET = "known to the hub only"

    def __init__(self, topic: str) -> None:
        super().__init__()
        self.topic = topic
        self.received: list[Delivery] = []

    def subscribe(self, hub: str, topic: str = "") -> int:
        """Subscribe to a topic, by default its own; return the status of the response."""
        form = {"hub.mode": "subscribe", "hub.topic": topic or self.topic, "hub.callback": self.url}
        data = urlencode(form | {"hub.secret": self.SECRET}).encode()
        try:
            with urllib.request.urlopen(hub, data, timeout=5) as response:
                return int(response.status)
        except urllib.error.HTTPError as error:
            error.close()
            return error.code

    def get(self, _path: str, query: dict[str, str]) -> Response:
        is_wanted = query["hub.topic"] == self.topic
        return (200, query["hub.challenge"].encode(), {}) if is_wanted else (404, b"", {})

    def post(self, content: bytes, headers: dict[str, str]) -> Response:
        if headers.get("X-Hub-Signature") == f"sha256={_signature(self.SECRET, content)}":
            self.received.append(Delivery(content, headers["Link"], headers["Content-Type"]))
        return 204, b"", {}


def _signature(secret: str, content: bytes) -> str:
    return hmac.new(secret.encode(), content, hashlib.sha256).hexdigest()
