"""Talking to a hub and to the web: a real one of each, on this machine."""

import socket
import threading
import time
from contextlib import contextmanager, suppress

import pytest

from feeds.edges.net import web_check, websub
from tests.hub import Hub, Served, Subscriber, Web


@pytest.fixture(autouse=True)
def direct(monkeypatch):
    """No proxy stands between this machine and itself."""
    monkeypatch.setenv("no_proxy", "*")


@pytest.fixture
def there():
    with Hub() as found:
        yield found


@pytest.fixture
def web(tmp_path):
    with Web(tmp_path) as found:
        yield found


def nobody():
    """An address of this machine at which nobody answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}/"


def test_a_hub_is_told_in_the_form_that_all_take(there):
    """PubSubHubbub 0.4 section 7.1, and `hub.topic` for those who read that."""
    topic = "https://example.com/feeds/category/%E9%9B%A8/atom.xml"
    assert websub.send_ping(there.url, topic) is None
    assert there.forms == [{"hub.mode": "publish", "hub.url": topic, "hub.topic": topic}]
    assert there.heads[0]["Content-Type"] == "application/x-www-form-urlencoded"
    assert there.heads[0]["User-Agent"].startswith("Feeds/")


@pytest.mark.parametrize("status", [200, 202, 204])
def test_any_success_means_that_the_hub_has_heard(there, status):
    """Hubs answer as they like."""
    there.status = status
    assert websub.send_ping(there.url, "https://example.com/a") is None


@pytest.mark.parametrize("status", [400, 403, 404, 429, 500, 503])
def test_any_failure_is_told(there, status):
    """With its number; the hub has not heard."""
    there.status = status
    assert websub.send_ping(there.url, "https://example.com/a") == f"answered {status}"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_hub_that_has_moved_is_told_there_or_has_not_heard(there, status):
    """A redirect to a page about hubs is no success."""
    with Hub() as old:
        old.status, old.headers = status, {"Location": there.url}
        assert websub.send_ping(old.url, "https://example.com/a") is not None or there.pings == [
            "https://example.com/a"
        ]


def test_a_hub_that_is_away_is_told():
    """In words, not as an exception."""
    assert "refused" in websub.send_ping(nobody(), "https://example.com/a")


@contextmanager
def talking(words, slowly=b""):
    """The address of something that says *words* to the first who asks, a few more *slowly*, and hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def talk():
            with server.accept()[0] as line, suppress(OSError):
                line.recv(1000)
                line.sendall(words)
                for at in range(len(slowly)):
                    time.sleep(0.05)
                    line.sendall(slowly[at : at + 1])

        thread = threading.Thread(target=talk)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/"
        thread.join()


@pytest.mark.parametrize("words", [b"", b"what?\r\n\r\n", b"HTTP/1.1 2", b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 200])
def test_what_talks_nonsense_has_neither_heard_nor_shown_anything(words):
    """What is no HTTP is no answer; not even on this machine, where somebody does serve something."""
    with talking(words) as url:
        assert websub.send_ping(url, "https://example.com/a")
    with talking(words) as url:
        assert not web_check.serves(url, b"<feed/>")


def test_a_hub_that_hangs_is_not_waited_for(there, monkeypatch):
    """Longer than our patience."""
    monkeypatch.setattr(web_check, "PATIENCE", 0.2)
    there.answers.clear()
    started = time.monotonic()
    assert "timed out" in websub.send_ping(there.url, "https://example.com/a")
    assert time.monotonic() - started < 1


DRIPS = [b"HTTP/1.1 200 OK\r\nX-Words: ", b"HTTP/1.1 200 OK\r\n\r\n"]


@pytest.mark.parametrize("begun", DRIPS, ids=["head", "content"])
@pytest.mark.parametrize(
    "ask", [websub.send_ping, lambda url, _: web_check.serves(url, b"x" * 30)], ids=["ping", "shows"]
)
def test_what_answers_byte_by_byte_is_not_waited_for(begun, ask, monkeypatch):
    """Patience is for the whole answer, not for each of its bytes."""
    monkeypatch.setattr(web_check, "PATIENCE", 0.2)
    with talking(begun, b"x" * 30) as url:
        started = time.monotonic()
        ask(url, "https://example.com/a")
        assert time.monotonic() - started < 1


def test_the_web_shows_what_it_shows(tmp_path, web):
    """Byte for byte; what is older, longer, shorter or missing is not it."""
    (tmp_path / "a.xml").write_bytes(b"<feed/>")
    assert web_check.serves(f"{web.url}a.xml", b"<feed/>")
    for other in (b"<feed>", b"<feed/>\n", b"<fee", b""):
        assert not web_check.serves(f"{web.url}a.xml", other)
    assert not web_check.serves(f"{web.url}b.xml", b"<feed/>")


def test_half_an_answer_shows_nothing():
    """A line that breaks is no document."""

    class Torn(Served):
        def got(self, _path, _query):
            return 200, b"<feed/>", {"Content-Length": "99"}

    with Torn() as web:
        assert not web_check.serves(f"{web.url}a.xml", b"<feed/>" + b"x" * 92)


def test_a_web_that_hangs_is_not_waited_for(monkeypatch):
    """Longer than our patience, and then it has not shown anything."""
    monkeypatch.setattr(web_check, "PATIENCE", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as server:
        started = time.monotonic()
        assert not web_check.serves(f"http://127.0.0.1:{server.getsockname()[1]}/a.xml", b"<feed/>")
        assert time.monotonic() - started < 1


def test_a_site_on_this_machine_that_nobody_serves_is_not_waited_for():
    """There is no web that could show it."""
    assert web_check.serves(f"{nobody()}a.xml", b"<feed/>")
    assert web_check.serves(f"{nobody()}a.xml".replace("127.0.0.1", "localhost"), b"<feed/>")


def test_the_tests_hub_verifies_intent(tmp_path, web):
    """Nobody is subscribed who does not answer for it, and nobody is sent another's topic."""
    (tmp_path / "a.xml").write_bytes(b"<feed/>")
    (tmp_path / "b.xml").write_bytes(b"<other/>")
    with Hub() as there, Subscriber(f"{web.url}a.xml") as subscriber:
        assert subscriber.subscribe(there.url, f"{web.url}b.xml") == 404
        assert subscriber.subscribe(there.url) == 202
        assert list(there.subscriptions) == [(f"{web.url}a.xml", subscriber.url)]
        assert websub.send_ping(there.url, f"{web.url}b.xml") is None
        assert subscriber.received == []
        assert websub.send_ping(there.url, f"{web.url}a.xml") is None
        (delivery,) = subscriber.received
        assert delivery.content == b"<feed/>"
        assert delivery.link == f'<{there.url}>; rel="hub", <{web.url}a.xml>; rel="self"'
        there.subscriptions[f"{web.url}a.xml", subscriber.url] = "another secret"
        websub.send_ping(there.url, f"{web.url}a.xml")
        assert len(subscriber.received) == 1
