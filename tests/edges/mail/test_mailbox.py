"""Reading and emptying mailboxes: a real Maildir, a real mbox file, a real IMAP server."""

import imaplib
import mailbox as standard
import os
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager

import pytest

from feeds.edges.mail.mailbox import open_mailbox
from feeds.errors import FeedsError, MailServerUnavailable, SenderRejected
from tests import mailserver

MESSAGES = [b"From: a\nSubject: %d\n\nbody\n" % at for at in range(3)]


@pytest.fixture(params=["maildir", "mbox"])
def url(request, tmp_path):
    kind = {"maildir": standard.Maildir, "mbox": standard.mbox}[request.param]
    box = kind(tmp_path / "box")
    for raw in MESSAGES:
        box.add(raw)
    box.close()
    return f"{request.param}:box"


@contextmanager
def opened(url, folder, **options):
    with open_mailbox(url, folder, "", **options) as box:
        yield box


def contents(url, folder):
    with opened(url, folder, read_only=True) as box:
        return [box.read(name) for name in box.names()]


def test_messages_are_read_unchanged_and_removed_one_by_one(url, tmp_path):
    """The messages that are not removed stay as they were."""
    with opened(url, tmp_path) as box:
        names = box.names()
        assert sorted(box.read(name) for name in names) == MESSAGES
        kept = box.read(names[1])
        box.remove([names[0], names[2]])
    assert contents(url, tmp_path) == [kept]
    with opened(url, tmp_path) as box:
        box.remove(box.names())
    assert contents(url, tmp_path) == []


def test_a_read_only_mailbox_is_not_changed(url, tmp_path):
    """All files have the same bytes, and no lock file is left."""
    before = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}
    assert len(contents(url, tmp_path)) == 3
    assert {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()} == before


def test_a_message_that_another_program_has_removed_is_none(tmp_path):
    """Removing it again is not an error."""
    box = standard.Maildir(tmp_path / "box")
    box.add(MESSAGES[0])
    with opened("maildir:box", tmp_path) as one, opened("maildir:box", tmp_path) as other:
        [name] = one.names()
        other.remove(other.names())
        assert one.read(name) is None
        one.remove([name])


def test_the_messages_of_a_maildir_are_sorted_by_time(tmp_path):
    """Their names begin with the Unix time of delivery; a name that does not begin with a number is first."""
    standard.Maildir(tmp_path / "box")
    for name in ("9.b.host", "10.a.host", "odd"):
        (tmp_path / "box" / "new" / name).write_bytes(name.encode())
    assert contents("maildir:box", tmp_path) == [b"odd", b"9.b.host", b"10.a.host"]


def test_what_is_no_file_in_a_maildir_is_left_alone(tmp_path):
    """A pipe, a folder and a link without a target are not read: to open a pipe would never end."""
    box = standard.Maildir(tmp_path / "box")
    box.add(MESSAGES[0])
    os.mkfifo(tmp_path / "box/new/1.pipe")
    (tmp_path / "box/cur/2.folder").mkdir()
    (tmp_path / "box/new/3.link").symlink_to("nowhere")
    assert contents("maildir:box", tmp_path) == [MESSAGES[0]]


@pytest.mark.parametrize("url", ["maildir:none", "mbox:none", "maildir:file", "mbox:folder"])
def test_a_path_without_a_mailbox_is_an_error(tmp_path, url):
    """No mailbox is created: an empty one would hide a mistake in the settings."""
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "folder").mkdir()
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(FeedsError, match=url.partition(":")[2]):
        contents(url, tmp_path)
    assert sorted(tmp_path.rglob("*")) == before


HOLDER = """
import fcntl, sys
held = open("box", "rb+")
fcntl.lockf(held, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""


def test_an_mbox_file_that_is_locked_is_not_read(tmp_path):
    """A mail server locks it for a moment only, so the error asks to try again; we lock it too."""
    standard.mbox(tmp_path / "box").close()
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER], cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with process:
        assert process.stdout.readline() == b"held\n"
        with pytest.raises(MailServerUnavailable, match="is locked by another program"), opened("mbox:box", tmp_path):
            pass
        process.stdin.close()
    with opened("mbox:box", tmp_path):
        done = subprocess.run(
            [sys.executable, "-c", HOLDER.replace("EX)", "EX | fcntl.LOCK_NB)")],
            cwd=tmp_path,
            check=False,
            stderr=subprocess.PIPE,
        )
        assert b"BlockingIOError" in done.stderr


# IMAP -------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    if mailserver.MISSING:
        pytest.skip(mailserver.MISSING)
    with mailserver.running(tmp_path_factory.mktemp("imap")) as found:
        yield found


@contextmanager
def client(server):
    with imaplib.IMAP4("127.0.0.1", server.imap, timeout=20) as imap:
        imap.login("reader", mailserver.PASSWORD)
        yield imap


@pytest.fixture
def folder(server, request):
    """A folder for one test, with three messages: its quoted name and its URL."""
    name = f'It is "{abs(hash(request.node.name))}"'
    quoted = '"' + name.replace('"', '\\"') + '"'
    with client(server) as imap:
        imap.create(quoted)
        for raw in MESSAGES:
            imap.append(quoted, None, None, raw.replace(b"\n", b"\r\n"))
    return quoted, f"imap://reader@127.0.0.1:{server.imap}/{name.replace(' ', '%20').replace(chr(34), '%22')}"


@contextmanager
def logged_in(url, tmp_path, password=mailserver.PASSWORD, **options):
    with open_mailbox(url, tmp_path, password, **options) as box:
        yield box


def test_an_imap_folder_is_read_and_emptied_one_by_one(folder, tmp_path, server):
    """Other messages stay unread, and what another client has marked as deleted is not expunged (RFC 4315)."""
    quoted, url = folder
    with client(server) as imap:
        imap.select(quoted)
        imap.store("2", "+FLAGS", r"(\Deleted)")
    with logged_in(url, tmp_path) as box:
        names = box.names()
        assert [box.read(name) for name in names] == [MESSAGES[at].replace(b"\n", b"\r\n") for at in (0, 2)]
        box.remove(names[:1])
        assert box.read(names[0]) is None
        box.remove(names[:1])
        assert box.names() == names[1:]
    with client(server) as imap:
        imap.select(quoted)
        flags = [part.decode() for part in imap.fetch("1:*", "(FLAGS)")[1]]
    assert len(flags) == 2
    assert ["Deleted" in one for one in flags] == [True, False]
    assert not any("Seen" in one for one in flags)


def test_a_read_only_imap_folder_is_not_changed(folder, tmp_path):
    """Messages cannot be removed from it."""
    _, url = folder
    with logged_in(url, tmp_path, read_only=True) as box:
        assert len([box.read(name) for name in box.names()]) == 3
        box.remove(box.names())
    with logged_in(url, tmp_path) as box:
        assert len(box.names()) == 3


@pytest.mark.parametrize("password", ["falsches Wört", "letters\r\nA LOGOUT"])
def test_a_wrong_password_is_an_error(tmp_path, server, password):
    """The error does not repeat the password, whatever characters it has."""
    message = r"^imap://127\.0\.0\.1:\d+/INBOX: .*[Aa]uthentication"
    url = f"imap://reader@127.0.0.1:{server.imap}/INBOX"
    with pytest.raises(SenderRejected, match=message) as error, logged_in(url, tmp_path, password):
        pass
    assert password not in str(error.value)


def test_an_imap_folder_that_does_not_exist_is_an_error(tmp_path, server):
    """It is not created."""
    url = f"imap://reader@127.0.0.1:{server.imap}/None"
    with pytest.raises(SenderRejected, match="the folder cannot be opened"), logged_in(url, tmp_path):
        pass


def test_a_password_is_not_sent_unencrypted(tmp_path, server):
    """`127.1` is this machine but is not recognised as loopback, and the server does not offer STARTTLS."""
    with (
        pytest.raises(SenderRejected, match="does not offer STARTTLS"),
        logged_in(f"imap://reader@127.1:{server.imap}/INBOX", tmp_path),
    ):
        pass


def test_a_server_that_cannot_be_reached_is_unavailable(tmp_path, server):
    """Nothing listens at the port, or the server there does not speak TLS."""
    for url in ("imap://reader@127.0.0.1:1/INBOX", f"imaps://reader@127.0.0.1:{server.imap}/INBOX"):
        message = r"^imaps?://127\.0\.0\.1:\d+/INBOX: cannot be reached"
        with pytest.raises(MailServerUnavailable, match=message), logged_in(url, tmp_path):
            pass


@pytest.mark.parametrize(
    ("response", "error"),
    [
        ("NO [UNAVAILABLE] Come back later", MailServerUnavailable),
        ("NO [SERVERBUG] Internal error", MailServerUnavailable),
        ("NO [AUTHENTICATIONFAILED] No", SenderRejected),
        ("BAD What?", SenderRejected),
    ],
)
def test_the_code_of_a_response_says_if_the_failure_is_temporary(tmp_path, response, error):
    """RFC 5530."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=refuse, args=(listening, response))
        thread.start()
        with pytest.raises(error), logged_in(f"imap://reader@127.0.0.1:{listening.getsockname()[1]}/INBOX", tmp_path):
            pass
        thread.join()


def refuse(listening, response):
    """Serve one client: greet it, list capabilities, and give *response* to all else until it logs out."""
    connection, _ = listening.accept()
    with connection, connection.makefile("rwb") as lines:
        lines.write(b"* OK [CAPABILITY IMAP4rev1] here\r\n")
        lines.flush()
        for line in lines:
            tag, command = line.split()[:2]
            if command == b"CAPABILITY":
                lines.write(b"* CAPABILITY IMAP4rev1\r\n%b OK that is all\r\n" % tag)
            else:
                lines.write(b"%b %b\r\n" % (tag, response.encode()))
            lines.flush()
            if command == b"LOGOUT":
                return


def test_a_url_without_a_folder_is_the_inbox(tmp_path, server):
    """It is opened, and empty."""
    with logged_in(f"imap://reader@127.0.0.1:{server.imap}", tmp_path) as box:
        assert box.names() == []
