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
        assert read_all(connection).startswith((b"HTTP/1.1 431", b""))
    with connect(client) as connection:
        connection.sendall(get("/feeds/atom.xml", "X: " + "x" * 33_000))
        assert read_all(connection).startswith(b"HTTP/1.1 431 Request Header Fields Too Large")
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


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00", b"400"),
        (b"GET\r\n\r\n", b"400"),
        (b"GET /feeds/atom.xml HTTP/9.9\r\n\r\n", b"400"),
        (b"GET /feeds/atom.xml HTTP/1.1\r\nHost : x\r\n\r\n", b"400"),
        (b"GET /feeds/atom.xml HTTP/1.1\r\nA: b\x00c\r\n\r\n", b"400"),
        (b"GET /feeds/atom.xml HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", b"400"),
        (b"GET /feeds/atom.xml HTTP/1.1\r\nContent-Length: -1\r\n\r\n", b"400"),
        (b"POST /nowhere HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\nabc", b"400"),
    ],
)
def test_what_is_not_http_is_refused(client, sent, status):
    """Bytes that are no request, and headers that two servers could read in two ways, are refused with 400."""
    with connect(client) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        assert read_all(connection).split()[1:2] == [status]
    assert client.logged == []


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
        connection.sendall(b"POST /echo HTTP/1.1\r\nContent-Type: %s\r\nContent-Length: 9\r\n\r\na" % FORM.encode())
        assert connection.recv(65536).startswith(b"HTTP/1.1 408")


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("application/json", b"{}", 415),
        ("text/plain", b"a=b", 415),
        ("", b"a=b", 415),
        (FORM, b"a=%ff%00&b", 200),
        (FORM, b"=&" * 200, 400),
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
