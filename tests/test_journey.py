"""The whole way of a reader, with real parts: a browser, `feeds run`, Postfix, and a mailbox that is read by IMAP."""

import http.client
import imaplib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from base64 import b64encode
from contextlib import closing, contextmanager
from datetime import timedelta
from email import message_from_bytes, policy
from types import SimpleNamespace
from urllib.parse import urlsplit

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from feeds.edges.store.database import open_store
from tests import mailserver
from tests.conftest import NOW
from tests.mailing import configured, subscribe
from tests.test_pages import CHROMIUM, browser  # noqa: F401 - found by its name
from tests.webserver import FORM

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
    pytest.mark.skipif(bool(mailserver.MISSING), reason=mailserver.MISSING),
]

#: A name that the sign-up form takes, other than `.test`.
DOMAIN = "example.org"
ADA, BOB = f"ada@{DOMAIN}", f"bob@{DOMAIN}"
URL = "https://letters.example.com/"
SIGNING = '[[mail.dkim]]\nselector = "s1"\nkey_file = "dkim.pem"\n'


class Mailbox:
    """The mailbox of all readers; the port of `feeds run`, and the key that verifies its signatures."""

    def __init__(self, server, port, public_key):
        self._server, self.port, self.public_key = server, port, public_key

    def fetch(self, recipient):
        """Return the messages to a recipient, as they came."""
        with imaplib.IMAP4("127.0.0.1", self._server.imap, timeout=20) as imap:
            imap.login("reader", mailserver.PASSWORD)
            if imap.select(readonly=True)[1] == [b"0"]:
                return []
            found = [part[1] for part in imap.fetch("1:*", "(RFC822)")[1] if isinstance(part, tuple)]
        return [raw for raw in found if re.search(rb"^Delivered-To: %b\r$" % recipient.encode(), raw, re.MULTILINE)]

    def wait_for(self, recipient, number):
        """Return the last message to a recipient once there are *number* of them."""
        for _ in range(600):
            if len(found := self.fetch(recipient)) >= number:
                assert len(found) == number
                return found[-1]
            time.sleep(0.1)
        raise TimeoutError(f"{recipient} has {len(found)} messages")


class Service:
    """The command `feeds run`."""

    def __init__(self, folder, now):
        self._popen = subprocess.Popen(
            [sys.executable, "-W", "error", "-u", "-m", "feeds", "run", "--json"],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=os.environ | {"FEEDS_CLOCK": now.isoformat()},
        )

    def wait_for(self, name):
        """Return the next event of this name; no error may come before it."""
        for line in self._popen.stdout:
            event = json.loads(line)
            assert event["level"] == "info", line
            if event["event"] == name:
                return event
        raise AssertionError(name)

    def stop(self):
        """End it as systemd does; return its exit code and what it has logged since."""
        self._popen.send_signal(signal.SIGTERM)
        rest, _ = self._popen.communicate(timeout=60)
        return self._popen.returncode, [json.loads(line)["event"] for line in rest.splitlines()]

    def kill(self):
        self._popen.kill()
        self._popen.communicate()


@contextmanager
def service(folder, now):
    started = Service(folder, now)
    try:
        yield started
    finally:
        started.kill()


@pytest.fixture
def mailbox(tmp_path_factory, site):
    """A mailbox; the site's letters go to it, and are signed."""
    key = rsa.generate_private_key(65537, 2048)
    (site.folder / "dkim.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with mailserver.running(tmp_path_factory.mktemp("mail"), f"virtual_mailbox_domains = {DOMAIN}\n") as server:
        config = configured(SimpleNamespace(port=server.smtp), mail=SIGNING)
        site.configure(
            config.replace("[feeds]", '[publish]\nevery = "1 s"\n[feeds]')
            + f'[web]\nurl = "{URL}"\nlisten = "127.0.0.1:{port}"\n[signup]\nwelcome = "latest"\n'
        )
        yield Mailbox(server, port, key.public_key())


@pytest.fixture
def page(browser, mailbox):  # noqa: F811 - the fixture
    """A browser whose requests to `web.url` reach `feeds run`, as through a proxy that ends TLS."""
    context = browser.new_context(viewport={"width": 375, "height": 800}, locale="en")

    def forward(route):
        path = route.request.url.removeprefix(URL)
        route.fulfill(response=route.fetch(url=f"http://127.0.0.1:{mailbox.port}/{path}", max_redirects=0))

    context.set_default_timeout(120_000)
    context.route(f"{URL}**", forward)
    yield context.new_page()
    context.unroute_all(behavior="ignoreErrors")
    context.close()


def wait_for(element):
    """Wait for an element, and for everything that its page loads."""
    element.wait_for()
    element.page.wait_for_load_state()


def find_url(raw, path):
    """Return the link in the text of a message whose path begins with *path*."""
    text = message_from_bytes(raw, policy=policy.default).get_body(("plain",)).get_content()
    return re.search(rf"{re.escape(URL + path)}/[\w-]+", text)[0]


def send_one_click(mailbox, letter):
    """Unsubscribe as Gmail does: with what the fields of the letter say, and nothing else. Return the answer."""
    url = letter["List-Unsubscribe"].split(",")[0].strip("<> ")
    assert url.startswith(URL)
    with closing(http.client.HTTPConnection("127.0.0.1", mailbox.port, timeout=60)) as connection:
        connection.request("POST", urlsplit(url).path, letter["List-Unsubscribe-Post"], {"Content-Type": FORM})
        answer = connection.getresponse()
        return answer.status, answer.getheader("Set-Cookie"), answer.getheader("Location"), answer.read()


def check_signature(mailbox, raw):
    """Check that the signature is valid, and covers the fields for unsubscribing (RFC 8058 section 4)."""
    public = b64encode(mailbox.public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
    assert dkim.verify(raw, dnsfunc=lambda *_, **__: b"v=DKIM1; k=rsa; p=" + public)
    field = message_from_bytes(raw, policy=policy.compat32)["DKIM-Signature"]
    signed = re.search(r"\bh=([^;]+)", field)[1].lower()
    assert {"list-unsubscribe", "list-unsubscribe-post"} <= {name.strip() for name in signed.split(":")}


def test_a_reader_subscribes_reads_chooses_and_leaves(site, feeds, mailbox, page):
    """A reader signs up on a static page, confirms, gets a welcome and a letter, chooses, leaves, and gets no more."""
    form = feeds("signup-form", "--newsletter", "weekly")
    assert form.returncode == 0, form.stderr
    (site.folder / "static.html").write_text(f"<!doctype html><title>A blog</title>{form.stdout}", "utf-8")
    subscribe(site.folder, [BOB])
    with service(site.folder, NOW) as run:
        run.wait_for("serving")

        page.goto((site.folder / "static.html").as_uri())
        page.get_by_label("Your e-mail address").fill(ADA)
        page.get_by_role("button", name="Subscribe").click()
        assert page.url.startswith(f"{URL}subscribe?")
        assert page.get_by_label("Your e-mail address").input_value() == ADA
        page.get_by_role("button", name="Subscribe").click()
        wait_for(page.get_by_role("heading", name="Please look into your mailbox"))

        page.goto(find_url(mailbox.wait_for(ADA, 1), "confirm"))
        page.get_by_role("button", name="Yes, subscribe me").click()
        wait_for(page.get_by_role("heading", name="You are subscribed"))
        welcome = mailbox.wait_for(ADA, 2)

        site.post("first", title="What is new", date=NOW.isoformat(), categories="[News, Tools]")
        raw = mailbox.wait_for(ADA, 3)
        letter = message_from_bytes(raw, policy=policy.default)
        assert all("What is new" in part.get_content() for part in letter.iter_parts())
        check_signature(mailbox, raw)
        assert run.wait_for("issue")["recipients"] == 2

        page.goto(find_url(welcome, "preferences"))
        page.get_by_text("Only these topics").click()
        page.get_by_label("News").check()
        page.get_by_role("button", name="Save").click()
        wait_for(page.get_by_text("Your preferences are saved."))
        with open_store(site.config.store_url, site.folder) as store:
            assert store.subscribers.find(ADA).topics == {"weekly": ("News",)}

        assert send_one_click(mailbox, letter) == (200, None, None, b"")
        assert run.stop() == (0, ["stopped"])

    next_week = NOW + timedelta(days=7)
    site.post("second", title="More news", date=next_week.isoformat(), categories="[News]")
    with service(site.folder, next_week) as run:
        issue = run.wait_for("issue")
        assert (issue["number"], issue["recipients"], issue["state"]) == (2, 1, "sent")
        assert run.stop()[0] == 0
    assert b"More news" in mailbox.wait_for(BOB, 2)
    assert len(mailbox.fetch(ADA)) == 3
