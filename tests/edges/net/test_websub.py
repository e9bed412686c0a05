"""Pings to a real WebSub hub and checks of a real web server on this machine."""

import socket
import threading
import time
from contextlib import contextmanager, suppress

import pytest

from feeds.edges.net import web_check, websub
from tests.hub import Hub, LocalServer, Subscriber, Web


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    """Requests to this machine use no proxy."""
    monkeypatch.setenv("no_proxy", "*")


@pytest.fixture
def hub():
    with Hub() as hub:
        yield hub


@pytest.fixture
def web(tmp_path):
    with Web(tmp_path) as web:
        yield web


def unused_url():
    """A URL of this machine where nothing listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}/"


def test_a_ping_has_the_form_that_all_hubs_accept(hub):
    """PubSubHubbub 0.4 section 7.1, and `hub.topic` for hubs that read that."""
    topic = "https://example.com/feeds/category/%E9%9B%A8/atom.xml"
    assert websub.send_ping(hub.url, topic) is None
    assert hub.forms == [{"hub.mode": "publish", "hub.url": topic, "hub.topic": topic}]
    assert hub.heads[0]["Content-Type"] == "application/x-www-form-urlencoded"
    assert hub.heads[0]["User-Agent"].startswith("Feeds/")


@pytest.mark.parametrize("status", [200, 202, 204])
def test_any_2xx_is_a_success(hub, status):
    """Hubs use different codes."""
    hub.status = status
    assert websub.send_ping(hub.url, "https://example.com/a") is None


@pytest.mark.parametrize("status", [400, 403, 404, 429, 500, 503])
def test_an_http_error_is_returned_with_its_code(hub, status):
    """The ping has failed."""
    hub.status = status
    assert websub.send_ping(hub.url, "https://example.com/a") == f"HTTP {status}"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_a_failure_unless_the_new_hub_gets_the_ping(hub, status):
    """The redirect may lead to a web page about hubs."""
    with Hub() as old:
        old.status, old.headers = status, {"Location": hub.url}
        assert websub.send_ping(old.url, "https://example.com/a") is not None or hub.pings == ["https://example.com/a"]


def test_a_hub_that_cannot_be_reached_is_a_failure():
    """It is returned as text, not raised."""
    assert "refused" in websub.send_ping(unused_url(), "https://example.com/a")


@contextmanager
def raw_server(data, slowly=b""):
    """The URL of a server that sends *data* to the first client, then single bytes *slowly*, and closes."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def respond():
            with server.accept()[0] as connection, suppress(OSError):
                connection.recv(1000)
                connection.sendall(data)
                for at in range(len(slowly)):
                    time.sleep(0.05)
                    connection.sendall(slowly[at : at + 1])

        thread = threading.Thread(target=respond)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/"
        thread.join()


@pytest.mark.parametrize("data", [b"", b"what?\r\n\r\n", b"HTTP/1.1 2", b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 200])
def test_a_response_that_is_not_http_is_a_failure(data):
    """This holds for a ping and for a check, on a loopback address too, because something listens there."""
    with raw_server(data) as url:
        assert websub.send_ping(url, "https://example.com/a")
    with raw_server(data) as url:
        assert not web_check.serves(url, b"<feed/>")


def test_a_hub_that_hangs_is_not_waited_for(hub, monkeypatch):
    """The ping fails after the timeout."""
    monkeypatch.setattr(web_check, "TIMEOUT", 0.2)
    hub.answers.clear()
    started = time.monotonic()
    assert "timed out" in websub.send_ping(hub.url, "https://example.com/a")
    assert time.monotonic() - started < 1


DRIPS = [b"HTTP/1.1 200 OK\r\nX-Words: ", b"HTTP/1.1 200 OK\r\n\r\n"]


@pytest.mark.parametrize("begun", DRIPS, ids=["head", "content"])
@pytest.mark.parametrize(
    "check", [websub.send_ping, lambda url, _: web_check.serves(url, b"x" * 30)], ids=["ping", "document"]
)
def test_a_response_byte_by_byte_does_not_extend_the_timeout(begun, check, monkeypatch):
    """The timeout is for the whole response."""
    monkeypatch.setattr(web_check, "TIMEOUT", 0.2)
    with raw_server(begun, b"x" * 30) as url:
        started = time.monotonic()
        check(url, "https://example.com/a")
        assert time.monotonic() - started < 1


def test_a_document_must_be_served_byte_for_byte(tmp_path, web):
    """A response that differs in one byte, is longer or shorter, or is missing does not count."""
    (tmp_path / "a.xml").write_bytes(b"<feed/>")
    assert web_check.serves(f"{web.url}a.xml", b"<feed/>")
    for other in (b"<feed>", b"<feed/>\n", b"<fee", b""):
        assert not web_check.serves(f"{web.url}a.xml", other)
    assert not web_check.serves(f"{web.url}b.xml", b"<feed/>")


def test_half_a_response_does_not_count():
    """The connection ends before all bytes of `Content-Length`."""

    class Torn(LocalServer):
        def get(self, _path, _query):
            return 200, b"<feed/>", {"Content-Length": "99"}

    with Torn() as web:
        assert not web_check.serves(f"{web.url}a.xml", b"<feed/>" + b"x" * 92)


def test_a_web_that_hangs_is_not_waited_for(monkeypatch):
    """After the timeout the document counts as missing."""
    monkeypatch.setattr(web_check, "TIMEOUT", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as server:
        started = time.monotonic()
        assert not web_check.serves(f"http://127.0.0.1:{server.getsockname()[1]}/a.xml", b"<feed/>")
        assert time.monotonic() - started < 1


def test_a_loopback_site_without_a_server_counts_as_served():
    """A check does not wait for a web site that does not exist."""
    assert web_check.serves(f"{unused_url()}a.xml", b"<feed/>")
    assert web_check.serves(f"{unused_url()}a.xml".replace("127.0.0.1", "localhost"), b"<feed/>")


def test_the_hub_of_the_tests_verifies_subscriptions(tmp_path, web):
    """It subscribes only a callback that confirms the topic, and sends each subscriber only its own topic."""
    (tmp_path / "a.xml").write_bytes(b"<feed/>")
    (tmp_path / "b.xml").write_bytes(b"<other/>")
    with Hub() as hub, Subscriber(f"{web.url}a.xml") as subscriber:
        assert subscriber.subscribe(hub.url, f"{web.url}b.xml") == 404
        assert subscriber.subscribe(hub.url) == 202
        assert list(hub.subscriptions) == [(f"{web.url}a.xml", subscriber.url)]
        assert websub.send_ping(hub.url, f"{web.url}b.xml") is None
        assert subscriber.received == []
        assert websub.send_ping(hub.url, f"{web.url}a.xml") is None
        (delivery,) = subscriber.received
        assert delivery.content == b"<feed/>"
        assert delivery.link == f'<{hub.url}>; rel="hub", <{web.url}a.xml>; rel="self"'
        hub.subscriptions[f"{web.url}a.xml", subscriber.url] = "another secret"
        websub.send_ping(hub.url, f"{web.url}a.xml")
        assert len(subscriber.received) == 1
