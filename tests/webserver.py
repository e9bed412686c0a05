"""The web server of a site in this process, and requests to it as clients send them."""

import http.client
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Thread
from urllib.parse import urlencode

from starlette.responses import PlainTextResponse

from feeds.config_types import ListenAddress
from feeds.jobs.context import Context
from feeds.web.app import make_app
from feeds.web.door import Door
from feeds.web.forms import form_route
from feeds.web.server import WebServer, listen
from tests.conftest import NOW

FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Answer:
    """The answer to a request."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


class Client:
    """Sends requests to a server; each has its own connection."""

    def __init__(self, host: str, port: int, door: Door, logged: list[str], connections, app=None) -> None:
        self.host, self.port, self.door, self.logged, self.app = host, port, door, logged, app
        #: The open connections of the server.
        self.connections = connections
        #: The address that requests come from.
        self.source = "127.0.0.1"

    def request(self, method, path, body=None, **headers) -> Answer:
        """Return the answer; in the names of headers, `_` means `-`."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=20, source_address=(self.source, 0))
        try:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body, named)
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def get(self, path, **headers) -> Answer:
        return self.request("GET", path, **headers)

    def post(self, path, fields, **headers) -> Answer:
        """Send a form; *fields* is a mapping or a list of pairs."""
        return self.request("POST", path, urlencode(fields), **({"Content_Type": FORM} | headers))


@contextmanager
def web_client(config, clock=lambda: NOW):
    """Serve a site on a free port; yield a client. Faults that the server logs are in its list `logged`."""
    logged: list[str] = []
    door = Door(config, Context(clock=clock), logged.append)
    app = make_app(door)
    app.routes.append(form_route("/echo", _echo))
    server, listener = WebServer(door, app), listen(ListenAddress("127.0.0.1:0"), config.folder)
    host, port = listener.getsockname()
    thread = Thread(target=server.serve, args=[listener])
    thread.start()
    try:
        yield Client(host, port, door, logged, server.connections, app)
    finally:
        server.stop()
        thread.join(20)


def _echo(_request, form):
    """A form of the tests that answers with its fields."""
    return PlainTextResponse(urlencode(form.multi_items()))
