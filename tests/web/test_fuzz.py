"""Any request to any page: an answer, and never a fault of ours."""

import re
import socket

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import CONFIG, NEWSLETTER
from tests.webserver import FORM, web_client


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    from tests.conftest import SampleSite

    folder = tmp_path_factory.mktemp("site")
    (folder / "posts").mkdir()
    site = SampleSite(folder)
    site.configure(CONFIG + NEWSLETTER + '[web]\nurl = "https://letters.example.com/"\n')
    site.post("first")
    site.publish()
    with web_client(site.config) as client:
        yield client


_PARTS = st.sampled_from(
    [
        *("feeds", "newsletters", "atom.xml", "..", "%2e%2e", "%00", "%ff", "%", "%25", "", ".", "a" * 300, "日", ";x"),
        *("subscribe", "confirm", "preferences", "unsubscribe", "metrics", "healthz", "style-0.css", "config.toml"),
        *("?a=b", "#"),
    ]
)
_PATHS = st.lists(_PARTS, max_size=5).map(lambda parts: ("/" + "/".join(parts)).encode())
_NAMES = (
    *("If-None-Match", "If-Modified-Since", "Accept-Encoding", "Accept-Language", "A-IM", "User-Agent", "Range"),
    *("X-Forwarded-For", "X-Forwarded-Proto", "Cookie", "Accept", "Content-Type", "Origin"),
)
_VALUES = (b"", b"*", b'"x"', b"feed", b"gzip;q=0", b"ar", b"bytes=0-1", FORM.encode(), b"multipart/form-data")
_CONTROLS = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")  # refused by the parser
_HEADERS = st.dictionaries(
    st.sampled_from(_NAMES),
    st.sampled_from(_VALUES) | st.binary(max_size=40).map(lambda value: _CONTROLS.sub(b"", value)),
    max_size=5,
)
_METHODS = st.sampled_from([b"GET", b"HEAD", b"POST", b"OPTIONS", b"PUT", b"DELETE", b"PATCH"])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(method=_METHODS, path=_PATHS, headers=_HEADERS, body=st.binary(max_size=200))
def test_every_request_gets_an_answer(client, method, path, headers, body):
    """Whatever method, path, headers and body are, the answer is a status that says so, and nothing is logged."""
    del client.logged[:]
    lines = [b"%s %s HTTP/1.1" % (method, path), b"Host: x", b"Content-Length: %d" % len(body), b"Connection: close"]
    lines += [b"%s: %s" % (name.encode(), value) for name, value in headers.items()]
    with socket.create_connection((client.host, client.port), timeout=20) as connection:
        connection.sendall(b"\r\n".join([*lines, b"", body]))
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    status = int(answer.split()[1])
    assert 200 <= status < 500
    assert b"Traceback" not in answer
    assert b"[site]" not in answer
    assert client.logged == []
