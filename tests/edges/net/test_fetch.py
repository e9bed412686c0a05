"""Fetching documents from a real web server on this machine."""

import pytest

from feeds.edges.net import web_check
from feeds.edges.net.fetch import fetch_document
from feeds.errors import FeedsError
from tests.hub import LocalServer


class _Server(LocalServer):
    def get(self, path, _query):
        if path == "/moved":
            return 301, b"", {"Location": "/here"}
        if path == "/file":
            return 302, b"", {"Location": "file:///etc/hostname"}
        return (200, b"content", {}) if path == "/here" else (410, b"", {})


@pytest.fixture
def server():
    with _Server() as server:
        yield server


def test_the_address_after_redirects_is_returned(server):
    """A document has the address that it was redirected to, against which its links are resolved."""
    assert fetch_document(f"{server.url}moved") == (b"content", f"{server.url}here")


def test_what_cannot_be_fetched_is_named(server, monkeypatch):
    """An HTTP error, a redirect to a file, a closed port and a document that is too large are errors with the URL."""
    with pytest.raises(FeedsError, match=r"/gone: returns HTTP 410$"):
        fetch_document(f"{server.url}gone")
    with pytest.raises(FeedsError, match=r"/file: returns HTTP 302$"):
        fetch_document(f"{server.url}file")
    with pytest.raises(FeedsError, match=r"^http://127\.0\.0\.1:9/: cannot be fetched: .*refused"):
        fetch_document("http://127.0.0.1:9/")
    monkeypatch.setattr(web_check, "MOST_BYTES", 6)
    with pytest.raises(FeedsError, match=r"/here: is larger than 6 bytes$"):
        fetch_document(f"{server.url}here")
