"""The mailbox to which mail comes back: a Maildir, an mbox file, or a folder on an IMAP server (RFC 3501).

Whoever reads it looks at one message after another and removes those that are done with; nothing else is touched.
"""

import imaplib
import mailbox
import re
import ssl
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from ipaddress import ip_address
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from feeds.errors import FeedsError, MailServerUnavailable, SenderRejected

#: Seconds that a server may take to answer.
_PATIENCE = 60
#: How many messages are removed with one command: lines of commands are not endless.
_AT_ONCE = 100
#: Where IMAP servers listen: in the clear at first, and encrypted from the start (RFC 8314 section 7).
_PORT, _PORT_TLS = 143, 993


class MailFolder(Protocol):
    """An open mailbox."""

    def names(self) -> Sequence[str]:
        """Return by which names messages are known here, in the order in which they came."""

    def read(self, name: str) -> bytes | None:
        """Return a message; None if it is gone meanwhile."""

    def remove(self, names: Iterable[str]) -> None:
        """Take messages away; they may be gone already."""


@contextmanager
def open_mailbox(place: str, folder: Path, password: str, *, look: bool = False) -> Iterator[MailFolder]:
    """Hold a mailbox open, as config.toml names it; a relative path starts at *folder*. With *look* nothing changes.

    Raises:
        FeedsError: there is none, or it cannot be read.
        MailRefused: the server does not let us in.
        MailAway: the server cannot be reached, or somebody else holds the file.
    """
    kind, _, where = place.partition(":")
    try:
        if kind == "maildir":
            yield _Maildir(folder / where)
        elif kind == "mbox":
            with _mbox(folder / where, look=look) as found:
                yield found
        else:
            with _imap(place, password, look=look) as found:
                yield found
    except mailbox.NoSuchMailboxError as e:
        raise FeedsError(f"{folder / where}: there is no such mailbox") from e
    except mailbox.ExternalClashError as e:
        raise MailServerUnavailable(f"{folder / where}: somebody else holds it; try again") from e
    except OSError as e:
        if kind in ("maildir", "mbox"):
            raise FeedsError(f"{folder / where}: cannot be read: {e.strerror or e}") from e
        raise MailServerUnavailable(f"{_without_user(place)}: cannot be reached: {e.strerror or e}") from e
    except imaplib.IMAP4.abort as e:
        raise MailServerUnavailable(f"{_without_user(place)}: the connection is lost: {e}") from e
    except imaplib.IMAP4.error as e:
        raise _refusal(place, _words(e)) from e


# Folders ----------------------------------------------------------------------------------------------------------


class _Maildir:
    """One file a message; nobody has to be locked out."""

    def __init__(self, path: Path) -> None:
        self._box = mailbox.Maildir(path, create=False)
        if not (path / "new").is_dir():
            raise mailbox.NoSuchMailboxError(path)

    def names(self) -> Sequence[str]:
        return sorted(self._box.keys(), key=lambda name: (_second(name), name))

    def read(self, name: str) -> bytes | None:
        with suppress(KeyError, FileNotFoundError):
            return self._box.get_bytes(name)
        return None

    def remove(self, names: Iterable[str]) -> None:
        for name in names:
            self._box.discard(name)


def _second(name: str) -> int:
    """Return when a message came: that is what the names of its files begin with."""
    digits = name.partition(".")[0]
    return int(digits) if digits.isdecimal() else 0


@contextmanager
def _mbox(path: Path, *, look: bool) -> Iterator["_Mbox"]:
    """Hold the file locked, as mail servers do, until what is removed is gone from it."""
    box = mailbox.mbox(path, create=False)
    try:
        if not look:
            box.lock()
        yield _Mbox(box)
        if not look:
            box.flush()
    finally:
        box.unlock()
        box.close()


class _Mbox:
    """One file for all."""

    def __init__(self, box: mailbox.mbox) -> None:
        self._box = box
        self._keys = {str(key): key for key in box.keys()}  # noqa: SIM118 - to iterate is to read all messages

    def names(self) -> Sequence[str]:
        return list(self._keys)

    def read(self, name: str) -> bytes | None:
        return self._box.get_bytes(self._keys[name])

    def remove(self, names: Iterable[str]) -> None:
        for name in names:
            self._box.discard(self._keys[name])


# IMAP -------------------------------------------------------------------------------------------------------------


@contextmanager
def _imap(place: str, password: str, *, look: bool) -> Iterator["_Imap"]:
    parts = urlsplit(place)
    server = _connected(parts.scheme, parts.hostname or "", parts.port)
    try:
        if parts.scheme == "imap":
            _encrypt(server, parts.hostname or "")
        _log_in(server, unquote(parts.username or ""), password)
        name = unquote(parts.path.removeprefix("/")) or "INBOX"
        quoted = '"' + re.sub(r'(["\\])', r"\\\1", name) + '"'
        answer, said = server.select(quoted, readonly=look)
        if answer != "OK":
            raise _refusal(place, f"the folder cannot be opened: {_words(said[0])}")
        yield _Imap(server)
    finally:
        with suppress(OSError, imaplib.IMAP4.error):
            server.logout()
        with suppress(OSError):  # the library leaves it open if the server does not like to be left
            server.shutdown()


def _connected(scheme: str, host: str, port: int | None) -> imaplib.IMAP4:
    if scheme == "imaps":
        return imaplib.IMAP4_SSL(host, port or _PORT_TLS, ssl_context=ssl.create_default_context(), timeout=_PATIENCE)
    return imaplib.IMAP4(host, port or _PORT, timeout=_PATIENCE)


def _encrypt(server: imaplib.IMAP4, host: str) -> None:
    """Make a connection one that a password may go over, unless it does not leave this machine."""
    if _is_here(host):
        return
    if "STARTTLS" not in server.capabilities:
        raise SenderRejected(f"{host} offers no encryption, and all could read the password; try imaps://")
    server.starttls(ssl.create_default_context())


def _log_in(server: imaplib.IMAP4, user: str, password: str) -> None:
    """Say who we are; what LOGIN cannot carry goes as in RFC 4616, since the library breaks on it, or is fooled."""
    if all(word.isascii() and word.isprintable() for word in (user, password)):
        server.login(user, password)
    else:
        server.authenticate("PLAIN", lambda _challenge: f"\0{user}\0{password}".encode())


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


class _Imap:
    """A folder on a server; messages are known by their UIDs."""

    def __init__(self, server: imaplib.IMAP4) -> None:
        self._server = server
        _, found = server.capability()  # what the library knows is from before the login, when servers tell less
        self._expunges_some = b"UIDPLUS" in found[0].upper().split()

    def names(self) -> Sequence[str]:
        found = self._asked("SEARCH", "UNDELETED")
        return found[0].decode().split() if found and isinstance(found[0], bytes) else []

    def read(self, name: str) -> bytes | None:
        for part in self._asked("FETCH", name, "(BODY.PEEK[])"):
            if isinstance(part, tuple):
                return bytes(part[1])
        return None

    def remove(self, names: Iterable[str]) -> None:
        """Delete and expunge: only these if the server can (RFC 4315), else what others have deleted here as well."""
        every = list(names)
        for start in range(0, len(every), _AT_ONCE):
            some = ",".join(every[start : start + _AT_ONCE])
            self._asked("STORE", some, "+FLAGS.SILENT", r"(\Deleted)")
            if self._expunges_some:
                self._asked("EXPUNGE", some)
            else:
                self._server.expunge()

    def _asked(self, command: str, *words: str) -> list[object]:
        answer, found = self._server.uid(command, *words)
        if answer != "OK":
            raise imaplib.IMAP4.error(f"{command}: {_words(found[0] if found else answer)}")
        return list(found)


def _refusal(place: str, words: str) -> FeedsError:
    """Return what a server's "no" is: some codes say that it may be another one later (RFC 5530)."""
    later = any(f"[{code}]" in words.upper() for code in ("UNAVAILABLE", "INUSE", "SERVERBUG", "LIMIT"))
    return (MailServerUnavailable if later else SenderRejected)(f"{_without_user(place)}: {words}")


def _words(said: object) -> str:
    """Return what a server says, in one line; the library gives bytes, or errors that hold them."""
    first = said.args[0] if isinstance(said, Exception) and said.args else said
    text = first.decode("utf-8", "replace") if isinstance(first, bytes) else str(first)
    return " ".join(text.split())


def _without_user(place: str) -> str:
    parts = urlsplit(place)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
