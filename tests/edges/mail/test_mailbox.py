"""Mailboxes: real folders, a real file, a real IMAP server."""

import imaplib
import mailbox as standard
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
def place(request, tmp_path):
    kind = {"maildir": standard.Maildir, "mbox": standard.mbox}[request.param]
    box = kind(tmp_path / "box")
    for raw in MESSAGES:
        box.add(raw)
    box.close()
    return f"{request.param}:box"


@contextmanager
def looking(place, folder, **how):
    with open_mailbox(place, folder, "", **how) as box:
        yield box


def contents(place, folder):
    with looking(place, folder, look=True) as box:
        return [box.read(name) for name in box.names()]


def test_messages_are_read_as_they_are_and_removed_one_by_one(place, tmp_path):
    """What is not removed is left as it was; what is gone is gone."""
    with looking(place, tmp_path) as box:
        names = box.names()
        assert sorted(box.read(name) for name in names) == MESSAGES
        kept = box.read(names[1])
        box.remove([names[0], names[2]])
    assert contents(place, tmp_path) == [kept]
    with looking(place, tmp_path) as box:
        box.remove(box.names())
    assert contents(place, tmp_path) == []


def test_who_only_looks_changes_nothing(place, tmp_path):
    """Not a byte, and no lock is left."""
    before = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}
    assert len(contents(place, tmp_path)) == 3
    assert {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()} == before


def test_what_is_gone_meanwhile_is_gone(tmp_path):
    """Somebody else reads the same Maildir."""
    box = standard.Maildir(tmp_path / "box")
    box.add(MESSAGES[0])
    with looking("maildir:box", tmp_path) as one, looking("maildir:box", tmp_path) as other:
        [name] = one.names()
        other.remove(other.names())
        assert one.read(name) is None
        one.remove([name])


def test_the_order_in_a_maildir_is_that_in_which_they_came(tmp_path):
    """Their names begin with the second; one that does not is first."""
    standard.Maildir(tmp_path / "box")
    for name in ("9.b.host", "10.a.host", "odd"):
        (tmp_path / "box" / "new" / name).write_bytes(name.encode())
    assert contents("maildir:box", tmp_path) == [b"odd", b"9.b.host", b"10.a.host"]


@pytest.mark.parametrize("place", ["maildir:none", "mbox:none", "maildir:file", "mbox:folder"])
def test_what_is_no_mailbox_is_named_and_not_made(tmp_path, place):
    """A wrong path would else stay unnoticed for ever."""
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "folder").mkdir()
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(FeedsError, match=place.partition(":")[2]):
        contents(place, tmp_path)
    assert sorted(tmp_path.rglob("*")) == before


HOLDER = """
import fcntl, sys
held = open("box", "rb+")
fcntl.lockf(held, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""


def test_a_file_that_somebody_writes_to_is_left_alone(tmp_path):
    """Try again; mail servers hold it for a moment only."""
    standard.mbox(tmp_path / "box").close()
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER], cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with process:
        assert process.stdout.readline() == b"held\n"
        with pytest.raises(MailServerUnavailable, match="somebody else holds it"), looking("mbox:box", tmp_path):
            pass
        process.stdin.close()
    with looking("mbox:box", tmp_path):
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
    """A folder of the test's own, with three messages in it."""
    name = f'It is "{abs(hash(request.node.name))}"'
    quoted = '"' + name.replace('"', '\\"') + '"'
    with client(server) as imap:
        imap.create(quoted)
        for raw in MESSAGES:
            imap.append(quoted, None, None, raw.replace(b"\n", b"\r\n"))
    return quoted, f"imap://reader@127.0.0.1:{server.imap}/{name.replace(' ', '%20').replace(chr(34), '%22')}"


@contextmanager
def asked(place, tmp_path, password=mailserver.PASSWORD, **how):
    with open_mailbox(place, tmp_path, password, **how) as box:
        yield box


def test_a_folder_on_a_server_is_read_and_emptied_one_by_one(folder, tmp_path, server):
    """What is not removed is left unread; what somebody else has marked is theirs to remove (RFC 4315)."""
    quoted, place = folder
    with client(server) as imap:
        imap.select(quoted)
        imap.store("2", "+FLAGS", r"(\Deleted)")
    with asked(place, tmp_path) as box:
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


def test_who_only_looks_at_a_server_changes_nothing(folder, tmp_path):
    """The folder is opened for reading only."""
    _, place = folder
    with asked(place, tmp_path, look=True) as box:
        assert len([box.read(name) for name in box.names()]) == 3
        box.remove(box.names())
    with asked(place, tmp_path) as box:
        assert len(box.names()) == 3


@pytest.mark.parametrize("password", ["falsches Wört", "letters\r\nA LOGOUT"])
def test_a_server_that_does_not_let_us_in_is_told(tmp_path, server, password):
    """The password is not, whatever it is made of."""
    why = r"^imap://127\.0\.0\.1:\d+/INBOX: .*[Aa]uthentication"
    place = f"imap://reader@127.0.0.1:{server.imap}/INBOX"
    with pytest.raises(SenderRejected, match=why) as told, asked(place, tmp_path, password):
        pass
    assert password not in str(told.value)


def test_a_folder_that_is_not_there_is_told(tmp_path, server):
    """It is not made."""
    place = f"imap://reader@127.0.0.1:{server.imap}/None"
    with pytest.raises(SenderRejected, match="the folder cannot be opened"), asked(place, tmp_path):
        pass


def test_a_password_is_not_said_for_all_to_hear(tmp_path, server):
    """This address leads to this machine, and it is none that says so; the server offers no encryption."""
    with (
        pytest.raises(SenderRejected, match="no encryption"),
        asked(f"imap://reader@127.1:{server.imap}/INBOX", tmp_path),
    ):
        pass


def test_a_server_that_is_not_there_is_asked_later(tmp_path, server):
    """Nothing listens, or what listens does not speak TLS."""
    for place in ("imap://reader@127.0.0.1:1/INBOX", f"imaps://reader@127.0.0.1:{server.imap}/INBOX"):
        why = r"^imaps?://127\.0\.0\.1:\d+/INBOX: cannot be reached"
        with pytest.raises(MailServerUnavailable, match=why), asked(place, tmp_path):
            pass


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        ("NO [UNAVAILABLE] Come back later", MailServerUnavailable),
        ("NO [SERVERBUG] Internal error", MailServerUnavailable),
        ("NO [AUTHENTICATIONFAILED] No", SenderRejected),
        ("BAD What?", SenderRejected),
    ],
)
def test_a_server_that_says_later_is_asked_later(tmp_path, said, fault):
    """RFC 5530: its codes tell one "no" from another."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=refuse, args=(listening, said))
        thread.start()
        with pytest.raises(fault), asked(f"imap://reader@127.0.0.1:{listening.getsockname()[1]}/INBOX", tmp_path):
            pass
        thread.join()


def refuse(listening, said):
    """Be a server that greets, tells what it can, and then says no until it is left alone."""
    talk, _ = listening.accept()
    with talk, talk.makefile("rwb") as lines:
        lines.write(b"* OK [CAPABILITY IMAP4rev1] here\r\n")
        lines.flush()
        for line in lines:
            tag, command = line.split()[:2]
            if command == b"CAPABILITY":
                lines.write(b"* CAPABILITY IMAP4rev1\r\n%b OK that is all\r\n" % tag)
            else:
                lines.write(b"%b %b\r\n" % (tag, said.encode()))
            lines.flush()
            if command == b"LOGOUT":
                return


def test_an_inbox_needs_no_name(tmp_path, server):
    """And is what is read without one."""
    with asked(f"imap://reader@127.0.0.1:{server.imap}", tmp_path) as box:
        assert box.names() == []
