"""Connections and signals of the web server: slow, endless and broken requests, and the process itself."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import ExitStack

import pytest
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from feeds.cli.serve import RunServer
from feeds.config_types import ListenAddress
from feeds.errors import FeedsError
from feeds.jobs.context import Context
from feeds.jobs.health import Pulse
from feeds.web import limits, protocol
from feeds.web.server import listen
from tests.conftest import CONFIG, NOW
from tests.webserver import FORM, web_client


@pytest.fixture
def client(site):
    write_feed(site)
    with web_client(site.config) as client:
        yield client


def write_feed(site):
    """Write a file where feeds are; what is in it does not matter here."""
    (site.folder / "public/feeds").mkdir(parents=True)
    (site.folder / "public/feeds/atom.xml").write_text("<feed/>", "utf-8")


def connect(client):
    return socket.create_connection((client.host, client.port), timeout=20)


def read_all(connection):
    """Return what a server sends until it ends the connection."""
    parts = []
    try:
        while part := connection.recv(65536):
            parts.append(part)
    except ConnectionResetError:
        pass
    return b"".join(parts)


def find_statuses(answers):
    """Return the status of each answer."""
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", answers)]


def get(path="/feeds/atom.xml", *headers):
    return "\r\n".join([f"GET {path} HTTP/1.1", "Host: x", *headers, "", ""]).encode()


@pytest.mark.parametrize("begin", [b"", b"G", b"GET /feeds/atom.xml HTTP/1.1\r\nHost: x\r\n", get()])
def test_a_client_that_does_not_go_on_is_cut_off(client, monkeypatch, begin):
    """A connection ends if the head of a request does not come, or no further request after an answer."""
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.1)
    monkeypatch.setattr(protocol, "IDLE_SECONDS", 0.1)
    with connect(client) as connection:
        connection.sendall(begin)
        answer = read_all(connection)
    assert answer.startswith(b"HTTP/1.1 200 OK" if begin.endswith(b"\r\n\r\n") else b"")
    assert client.get("/feeds/atom.xml").status == 200


def test_a_head_has_a_bound(client):
    """A request whose path and headers are larger than 32 KiB is refused with 431, also if it never ends."""
    with connect(client) as connection:
        connection.sendall(b"GET /feeds/atom.xml HTTP/1.1\r\n")
        for number in range(100):
            try:
                connection.sendall(b"X-%d: " % number + b"x" * 1000 + b"\r\n")
            except OSError:
                break
        assert find_statuses(read_all(connection)) == [431]
    with connect(client) as connection:
        connection.sendall(get("/feeds/atom.xml", "X: " + "x" * 33_000))
        assert find_statuses(read_all(connection)) == [431]
    assert client.get("/feeds/atom.xml", X="x" * 20_000).status == 200


def test_a_client_that_does_not_read_is_cut_off(client, site, monkeypatch):
    """A connection ends if its client reads nothing of an answer."""
    monkeypatch.setattr(protocol, "IDLE_SECONDS", 0.1)
    (site.folder / "public/feeds/large.bin").write_bytes(os.urandom(8_000_000))
    with connect(client) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.sendall(get("/feeds/large.bin") * 4)
        wait_until(lambda: any(one.transport.get_write_buffer_size() for one in list(client.connections)))
        wait_until(lambda: not client.connections)


def wait_until(is_so):
    """Wait until a condition holds."""
    for _ in range(600):
        if is_so():
            return
        time.sleep(0.05)
    raise TimeoutError


_CHUNKED = b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: %s\r\nTransfer-Encoding: chunked\r\n\r\n" % FORM.encode()


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00", 400),
        (b"GET\r\n\r\n", 400),
        (b"FETCH /feeds/atom.xml HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
        (b"GET /feeds/atom.xml HTTP/9.9\r\nHost: x\r\n\r\n", 400),
        (b"GET /feeds/atom.xml HTTP/2.0\r\nHost: x\r\n\r\n", 400),
        (b"GET /feeds/atom.xml HTTP/0.9\r\nHost: x\r\n\r\n", 400),
        (b"GET /feeds/\xff HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"GET feeds/atom.xml HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"GET * HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"GET /feeds/atom.xml HTTP/1.1\r\nHost : x\r\n\r\n", 400),
        (b"GET /feeds/atom.xml HTTP/1.1\r\nHost: x\r\nA: b\x00c\r\n\r\n", 400),
        (b"GET /feeds/atom.xml HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
        (b"GET /feeds/atom.xml HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 400),
        (b"POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\nabc", 400),
        (_CHUNKED + b"zz\r\n", 400),
        (_CHUNKED + b"3\r\na=bx\r\n", 400),
        (get("/feeds/atom.xml", *(f"X-{number}: {'x' * 90}" for number in range(400))), 431),
        (get("/" + "x" * 40_000), 431),
    ],
)
def test_a_request_that_cannot_be_read_gets_one_answer(client, sent, status):
    """Bytes that are not a request, or that two servers could read in two ways, get one answer and no other."""
    with connect(client) as connection:
        connection.sendall(sent + b"x" * 1000 + get())
        connection.shutdown(socket.SHUT_WR)
        answer = read_all(connection)
    assert find_statuses(answer) == [status]
    assert b"connection: close" in answer
    assert client.logged == []


def test_a_refusal_comes_after_the_answers_to_earlier_requests(client):
    """Requests before one that cannot be read are answered first; the others on the connection are not answered."""
    bad = (b"GET / HTTP/3\r\n\r\n", _CHUNKED + b"zz\r\n", get("/" + "x" * 40_000))
    for wrong, status in zip(bad, (400, 400, 431), strict=True):
        with connect(client) as connection:
            connection.sendall(get() + get("/nowhere") + get("/healthz") + wrong + get())
            assert find_statuses(read_all(connection)) == [200, 404, 200, status]
    assert client.logged == []


def test_a_broken_body_after_its_answer_gets_no_other_answer(client):
    """A chunk that cannot be read, of a body that was refused already, only ends the connection."""
    with connect(client) as connection:
        connection.sendall(_CHUNKED.replace(FORM.encode(), b"text/plain"))
        assert find_statuses(connection.recv(65536)) == [415]
        connection.sendall(b"zz\r\n")
        assert find_statuses(read_all(connection)) == []


def test_a_broken_chunk_while_a_form_is_read_gets_one_answer(client):
    """A chunk that cannot be read after good ones is 400, and a client that leaves meanwhile is not an error."""
    with connect(client) as connection:
        connection.sendall(_CHUNKED + b"3\r\na=b\r\n")
        time.sleep(0.1)  # the application has begun to read; without that the test shows less
        connection.sendall(b"zz\r\n")
        assert find_statuses(read_all(connection)) == [400]
    with connect(client) as connection:
        connection.sendall(_CHUNKED + b"3\r\na=b\r\n")
        time.sleep(0.1)
    assert client.get("/healthz").status == 200
    assert client.logged == []


def test_a_client_that_has_ended_its_side_gets_its_answers(client):
    """Whole requests are answered also if the client sends no more; the connection ends after the last answer."""
    with connect(client) as connection:
        connection.sendall(get("/nowhere") + get("/healthz"))
        connection.shutdown(socket.SHUT_WR)
        assert find_statuses(read_all(connection)) == [404, 200]


@pytest.mark.parametrize("path", ["/feeds/atom.xml", "/healthz"])
@pytest.mark.parametrize(
    ("hosts", "status"),
    [
        ((), 400),
        (("x", "x"), 400),
        (("x", "y"), 400),
        (("",), 400),
        (("x y",), 400),
        (("x, y",), 400),
        (("x/y",), 400),
        (("user@x",), 400),
        (("http://x",), 400),
        (("x:80:80",), 400),
        (("x:http",), 400),
        (("[::1",), 400),
        (("[:::1]",), 400),
        (("::1",), 400),
        (("é",), 400),
        (("x",), 200),
        (("letters.example.com:8080",), 200),
        (("192.0.2.1",), 200),
        (("[2001:db8::1]:80",), 200),
        (("xn--bcher-kva.example",), 200),
        (("b%C3%BCcher.example",), 200),
        (("under_score",), 200),
    ],
)
def test_a_request_has_one_valid_host(client, path, hosts, status):
    """A request without a `Host` field, with two of them or with one that is not a host is 400, for files and pages."""
    fields = "".join(f"Host: {host}\r\n" for host in hosts).encode()
    for _ in range(2):
        with connect(client) as connection:
            connection.sendall(b"GET %s HTTP/1.1\r\n%sConnection: keep-alive\r\n\r\n" % (path.encode(), fields))
            connection.shutdown(socket.SHUT_WR)
            assert find_statuses(read_all(connection)) == [status]


def test_an_old_request_needs_no_host(client):
    """HTTP/1.0 has no `Host` field; if there is one, it must be valid, also to be kept alive."""
    for fields, status in {
        b"": 200,
        b"Connection: keep-alive\r\n": 200,
        b"Host: x\r\n": 200,
        b"Host: x\r\nHost: x\r\n": 400,
        b"Host: a b\r\n": 400,
    }.items():
        with connect(client) as connection:
            connection.sendall(b"GET /feeds/atom.xml HTTP/1.0\r\n%s\r\n" % fields)
            connection.shutdown(socket.SHUT_WR)
            assert find_statuses(read_all(connection)) == [status]


@pytest.mark.parametrize(
    ("target", "host", "status"),
    [
        ("http://letters.example/feeds/atom.xml", "x", 200),
        ("HTTPS://letters.example:443/feeds/atom.xml?a=b", "x", 200),
        ("http://letters.example/healthz?a=b", "x", 200),
        ("http://letters.example", "x", 200),
        ("http://letters.example?a=b", "x", 200),
        ("http://letters.example/nowhere", "x", 404),
        ("http://letters.example/feeds/atom.xml", "x y", 400),
        ("http:///feeds/atom.xml", "x", 400),
        ("http://me@letters.example/feeds/atom.xml", "x", 400),
        ("http://a:b:c/feeds/atom.xml", "x", 400),
        ("ftp://letters.example/feeds/atom.xml", "x", 400),
    ],
)
def test_a_target_in_absolute_form_is_its_path(client, target, host, status):
    """A target with a host is answered like its path; one of another scheme or with a wrong host is 400."""
    with connect(client) as connection:
        connection.sendall(f"GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        connection.shutdown(socket.SHUT_WR)
        assert find_statuses(read_all(connection)) == [status]
    assert client.logged == []


def test_the_host_of_a_target_in_absolute_form_counts(client):
    """The application sees the host of the target, not the one in the `Host` field (RFC 9112, section 3.2.2)."""
    client.app.routes.append(Route("/host", lambda request: PlainTextResponse(str(request.url))))
    with connect(client) as connection:
        connection.sendall(b"GET http://letters.example/host?a=b HTTP/1.1\r\nHost: other.example\r\n\r\n")
        connection.shutdown(socket.SHUT_WR)
        assert read_all(connection).endswith(b"http://letters.example/host?a=b")


def test_a_request_to_upgrade_loses_no_request_after_it(client):
    """A client that offers another protocol stays with HTTP/1.1, and its next request is answered too."""
    with connect(client) as connection:
        connection.sendall(get("/feeds/atom.xml", "Connection: Upgrade", "Upgrade: h2c") + get("/nowhere"))
        connection.shutdown(socket.SHUT_WR)
        assert find_statuses(read_all(connection)) == [200, 404]


def test_requests_on_one_connection_are_answered_in_their_order(client):
    """Requests that are sent at once, equal ones and others, are answered in order; also one in single bytes."""
    with connect(client) as connection:
        connection.sendall(get() + get() + get("/nowhere") + get("/feeds/atom.xml", "Connection: close"))
        assert read_all(connection).count(b"HTTP/1.1 200 OK") == 3
    with connect(client) as connection:
        for byte in get("/feeds/atom.xml", "Connection: close"):
            connection.sendall(bytes([byte]))
        assert read_all(connection).startswith(b"HTTP/1.1 200 OK")
    with connect(client) as connection:
        for request in (get(), get(), get("/nowhere"), get(), get("/feeds/atom.xml", "Connection: close")):
            connection.sendall(request)
            time.sleep(0.02)
        found = read_all(connection)
    assert re.findall(rb"HTTP/1\.1 (\d+) ", found) == [b"200", b"200", b"404", b"200", b"200"]


def test_an_equal_request_gets_a_changed_file(client, site):
    """The second of two equal requests of one second gets the new version if the file changed between them."""
    with connect(client) as connection:
        for text in (b"first", b"other"):
            (site.folder / "public/feeds/new.json").write_bytes(text)
            connection.sendall(get("/feeds/new.json"))
            assert connection.recv(65536).endswith(text)


def test_a_form_has_a_bound(client, monkeypatch):
    """A body that is larger than 64 KiB is 413, with its length in front or in endless parts; a slow one is 408."""
    assert client.request("POST", "/echo", b"x" * 70_000, Content_Type=FORM).status == 413
    assert client.request("POST", "/echo", (b"x" * 1000 for _ in range(200)), Content_Type=FORM).status == 413
    assert client.post("/echo", {"a": "b"}).text == "a=b"
    monkeypatch.setattr(limits, "MOST_SECONDS", 0.1)
    with connect(client) as connection:
        connection.sendall(
            b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: %s\r\nContent-Length: 9\r\n\r\na" % FORM.encode()
        )
        assert connection.recv(65536).startswith(b"HTTP/1.1 408")


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("application/json", b"{}", 415),
        ("text/plain", b"a=b", 415),
        ("", b"a=b", 415),
        (FORM, b"a=%ff%00&b", 200),
        (FORM, b"=&" * 1001, 400),
        ("multipart/form-data", b"x", 400),
        ("multipart/form-data; boundary=b", b"--b\r\nno header", 400),
        ("multipart/form-data; boundary=b", b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n", 400),
        (
            "multipart/form-data; boundary=b",
            b'--b\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\nx\r\n--b--\r\n',
            400,
        ),
        (
            "Multipart/Form-Data; boundary=b",
            b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n--b--\r\n',
            200,
        ),
    ],
)
def test_a_body_that_is_no_form_is_refused(client, content_type, body, status):
    """A body of another type is 415, one that cannot be read or has a file or too many fields 400, without an error."""
    assert client.request("POST", "/echo", body, Content_Type=content_type).status == status
    assert client.logged == []


# The process ----------------------------------------------------------------------------------------------------------


class Process:
    """The command `feeds serve` of a site."""

    def __init__(self, folder, address, *options):
        self.address = address
        self.popen = subprocess.Popen(
            [sys.executable, "-m", "feeds", "serve", *options],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
        )

    def wait_for(self, text):
        """Return the line of the log that has a text."""
        for line in self.popen.stdout:
            if text in line:
                return line
        raise AssertionError(text)

    def stop(self, number=signal.SIGTERM):
        self.popen.send_signal(number)
        return self.popen.communicate(timeout=20)[0], self.popen.returncode


@pytest.fixture
def process(site):
    """The command at a Unix socket."""
    write_feed(site)
    site.configure(f'{CONFIG}[web]\nlisten = "unix:{site.folder}/s"\n')
    process = Process(site.folder, str(site.folder / "s"))
    try:
        process.wait_for("serving")
        yield process
    finally:
        process.popen.kill()
        process.popen.communicate()


def ask(process, path):
    """Return the answer of a server at a Unix socket, which is there as soon as it says so."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(process.address)
        connection.sendall(get(path, "Connection: close"))
        return read_all(connection)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_process_ends_cleanly(process, number):
    """It serves at a Unix socket, and SIGTERM and Ctrl-C end it with exit code 0 and no traceback."""
    assert ask(process, "/feeds/atom.xml").startswith(b"HTTP/1.1 200 OK")
    output, code = process.stop(number)
    assert (code, output) == (0, "stopped\n")


def test_a_hangup_reads_the_config_again(process, site):
    """SIGHUP uses the new config; a wrong one is reported, and the old one is used on."""
    site.configure(f'{CONFIG}[web]\nlisten = "unix:{site.folder}/s"\n[web]')
    process.popen.send_signal(signal.SIGHUP)
    assert "config.toml:11: is not TOML" in process.wait_for("error")
    assert "the old config" in process.wait_for("error")
    assert ask(process, "/feeds/atom.xml").startswith(b"HTTP/1.1 200 OK")
    site.configure(f'{CONFIG.replace("Test", "Renamed")}[web]\nlisten = "unix:{site.folder}/s"\n')
    process.popen.send_signal(signal.SIGHUP)
    process.wait_for("read the config again")
    assert b"Renamed" in ask(process, "/nowhere")


@pytest.mark.parametrize("web", ['[web]\nlisten = "127.0.0.1:9"\n', '[web]\nlisten = "unix:other"\n', ""])
def test_another_address_needs_a_restart_and_all_else_is_used(process, site, web):
    """SIGHUP with another `web.listen`, or without `[web]`, says once that it needs a restart; the rest is used."""
    for title in ("Renamed", "Again"):
        site.configure(CONFIG.replace("Test", title) + web)
        process.popen.send_signal(signal.SIGHUP)
        if title == "Renamed":
            line = process.wait_for("warning")
            assert re.search(r"config\.toml: web\.listen: \S+ needs a restart; .* stays at unix:", line)
        assert process.wait_for("") == "read the config again\n"
        assert title.encode() in ask(process, "/nowhere")
    site.configure(f'{CONFIG}[web]\nlisten = "unix:{site.folder}/s"\n')
    process.popen.send_signal(signal.SIGHUP)
    assert process.wait_for("") == "read the config again\n"


def test_a_hangup_with_a_broken_page_names_file_and_line(process, site):
    """SIGHUP with a fault in a page's template reports it, and the old pages are used on."""
    assert b"HTTP 404" in ask(process, "/nowhere")  # an answer: the signal is handled by now
    (site.folder / "templates/pages").mkdir(parents=True)
    (site.folder / "templates/pages/error.html").write_text("a\n{% if %}\n", "utf-8")
    process.popen.send_signal(signal.SIGHUP)
    assert "templates/pages/error.html:2: Expected an expression" in process.wait_for("error")
    assert "the old config" in process.wait_for("error")
    assert b"HTTP 404" in ask(process, "/nowhere")


def test_a_socket_that_a_dead_process_left_is_replaced(process, site):
    """A Unix socket that nobody serves is replaced; one that is served, and a port that is used, are an error."""
    with pytest.raises(FeedsError, match=r"web\.listen: unix:.* cannot be used"):
        listen(ListenAddress("unix:s"), site.folder)
    process.popen.kill()
    process.popen.wait()
    with listen(ListenAddress("unix:s"), site.folder) as listener:
        assert listener.family == socket.AF_UNIX
    with (
        listen(ListenAddress("127.0.0.1:0"), site.folder) as used,
        pytest.raises(FeedsError, match=r"web\.listen: 127\.0\.0\.1:\d+ cannot be used: Address already in use"),
    ):
        listen(ListenAddress(f"127.0.0.1:{used.getsockname()[1]}"), site.folder)


def test_a_port_is_freed_at_once(site):
    """A server that starts again gets its port, also while a connection of the last one is closing."""
    write_feed(site)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    for _ in range(2):
        site.configure(f'{CONFIG}[web]\nlisten = "127.0.0.1:{port}"\n')
        process = Process(site.folder, "")
        assert f"http://127.0.0.1:{port}/" in process.wait_for("serving")
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/feeds/atom.xml", timeout=20) as answer:
            assert answer.status == 200
            assert process.stop()[1] == 0


def test_a_publish_with_a_broken_page_goes_on_with_the_old_pages(site):
    """A changed config whose pages have an error is not used by the server of `feeds run`, and the publish goes on."""
    text = f'{CONFIG}[web]\nurl = "https://letters.example.com/"\nlisten = "unix:{site.folder}/s"\n'
    site.configure(text)
    events = []
    web = RunServer(site.config, Context(clock=lambda: NOW), events.append, Pulse())
    with ExitStack() as stack:
        web.start(stack, access_log=False)
        (site.folder / "templates/pages").mkdir(parents=True)
        (site.folder / "templates/pages/error.html").write_text("{% if %}", "utf-8")
        site.configure(text.replace("Test", "Renamed"))
        web.follow_config(site.config)
    assert "error.html:1: Expected an expression" in events[-2].text
    assert events[-1].text == "error: web: the old config is still used"


_URL = 'url = "https://letters.example.com/"\n'


@pytest.mark.parametrize(
    ("before", "after", "warning"),
    [
        (_URL, _URL + 'listen = "unix:t"\n', "web.listen: unix:t needs a restart; until then the web server stays at"),
        (_URL, "", "web.url: that it is not set needs a restart; until then the web server stays at"),
        ("", _URL, "web.url: needs a restart; until then the web server does not run"),
    ],
)
def test_feeds_run_says_that_another_address_needs_a_restart(site, before, after, warning):
    """A changed address that a publish of `feeds run` has read is a warning, but one only; the rest is used."""
    listen_at = f'listen = "unix:{site.folder}/s"\n'
    site.configure(f"{CONFIG}[web]\n{before}{listen_at}")
    events = []
    web = RunServer(site.config, Context(clock=lambda: NOW), events.append, Pulse())
    with ExitStack() as stack:
        web.start(stack, access_log=False)
        events.clear()
        site.configure(f"{CONFIG}[web]\n{after}{'' if 'listen' in after else listen_at}")
        for _ in range(2):
            web.follow_config(site.config)
    [event] = events
    assert (event.level, warning in event.text) == ("warning", True)


def test_feeds_run_without_pages_needs_no_restart(site):
    """With `--no-web` nothing is served and no change of the address is a warning."""
    events = []
    web = RunServer(site.config, Context(clock=lambda: NOW), events.append, Pulse(), no_web=True)
    site.configure(f"{CONFIG}[web]\n{_URL}")
    with ExitStack() as stack:
        web.start(stack, access_log=False)
        web.follow_config(site.config)
    assert events == []
