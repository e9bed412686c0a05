"""The mailbox that bounces come back to: a Maildir, an mbox file, or a folder on an IMAP server (RFC 3501).

The caller reads one message after another and removes those that are processed; all others are left unchanged.
"""

import imaplib
import mailbox
import re
import ssl
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from hashlib import sha256
from ipaddress import ip_address
from itertools import chain
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from feeds.errors import FeedsError, MailServerUnavailable, SenderRejected

#: Seconds that a server may take to answer.
_TIMEOUT = 60
#: How many messages are removed with one command: servers limit the length of a command line.
_BATCH = 100
#: Ports of IMAP servers: plain text with STARTTLS, and TLS from the start (RFC 8314 section 7).
_PORT, _PORT_TLS = 143, 993


class MailFolder(Protocol):
    """An open mailbox."""

    def names(self) -> Sequence[str]:
        """Return the names of the messages, oldest first."""

    def read(self, name: str) -> bytes | None:
        """Return a message; None if it has been removed in the meantime."""

    def remove(self, names: Iterable[str]) -> None:
        """Remove messages; ignore those that are removed already."""


@contextmanager
def open_mailbox(url: str, folder: Path, password: str, *, read_only: bool = False) -> Iterator[MailFolder]:
    """Hold the mailbox at a URL of config.toml open; a relative path starts at *folder*.

    Raises:
        FeedsError: the mailbox does not exist or cannot be read.
        SenderRejected: the server rejects the login.
        MailServerUnavailable: the server cannot be reached, or another program has locked the file.
    """
    kind, _, path = url.partition(":")
    try:
        if kind == "maildir":
            yield _Maildir(folder / path)
        elif kind == "mbox":
            with _open_mbox(folder / path, read_only=read_only) as box:
                yield box
        else:
            with _open_imap(url, password, read_only=read_only) as imap:
                yield imap
    except mailbox.NoSuchMailboxError as e:
        raise FeedsError(f"{folder / path}: the mailbox does not exist") from e
    except mailbox.ExternalClashError as e:
        raise MailServerUnavailable(f"{folder / path}: is locked by another program; try again") from e
    except OSError as e:
        if kind in ("maildir", "mbox"):
            raise FeedsError(f"{folder / path}: cannot be read: {e.strerror or e}") from e
        raise MailServerUnavailable(f"{_without_user(url)}: cannot be reached: {e.strerror or e}") from e
    except imaplib.IMAP4.abort as e:
        raise MailServerUnavailable(f"{_without_user(url)}: the connection was lost: {e}") from e
    except imaplib.IMAP4.error as e:
        raise _to_error(url, _to_text(e)) from e


# Folders ----------------------------------------------------------------------------------------------------------


class _Maildir:
    """One file a message; needs no lock."""

    def __init__(self, path: Path) -> None:
        self._path, self._box = path, mailbox.Maildir(path, create=False)
        if not (path / "new").is_dir():
            raise mailbox.NoSuchMailboxError(path)

    def names(self) -> Sequence[str]:
        files = {
            file.name.partition(":")[0] for file in self._files() if file.is_file()
        }  # to open a pipe may never end
        return sorted(files.intersection(self._box.keys()), key=lambda name: (_arrival_time(name), name))

    def _files(self) -> Iterator[Path]:
        return chain.from_iterable((self._path / folder).iterdir() for folder in ("new", "cur"))

    def read(self, name: str) -> bytes | None:
        with suppress(KeyError, FileNotFoundError):
            return self._box.get_bytes(name)
        return None

    def remove(self, names: Iterable[str]) -> None:
        for name in names:
            self._box.discard(name)


def _arrival_time(name: str) -> int:
    """Return the Unix time with which the name of a message begins; 0 if it does not begin with one."""
    digits = name.partition(".")[0]
    return int(digits) if digits.isdecimal() else 0


@contextmanager
def _open_mbox(path: Path, *, read_only: bool) -> Iterator["_Mbox"]:
    """Hold the file locked, as mail servers do, until removed messages are deleted from it."""
    box = mailbox.mbox(path, create=False)
    try:
        if not read_only:
            box.lock()
        yield _Mbox(box)
        if not read_only:
            box.flush()
    finally:
        box.unlock()
        box.close()


class _Mbox:
    """One file for all messages; their names are digests, since their positions change."""

    def __init__(self, box: mailbox.mbox) -> None:
        self._box = box
        self._keys: dict[str, list[str]] = {}
        for key in box.keys():  # noqa: SIM118 - iterating over the box would parse all messages
            self._keys.setdefault(sha256(box.get_bytes(key)).hexdigest(), []).append(key)

    def names(self) -> Sequence[str]:
        return list(self._keys)

    def read(self, name: str) -> bytes | None:
        return self._box.get_bytes(self._keys[name][0])

    def remove(self, names: Iterable[str]) -> None:
        """Remove messages, and all copies of them."""
        for key in chain.from_iterable(self._keys[name] for name in names):
            self._box.discard(key)


# IMAP -------------------------------------------------------------------------------------------------------------


@contextmanager
def _open_imap(url: str, password: str, *, read_only: bool) -> Iterator["_Imap"]:
    parts = urlsplit(url)
    server = _connect(parts.scheme, parts.hostname or "", parts.port)
    try:
        if parts.scheme == "imap":
            _start_tls(server, parts.hostname or "")
        _log_in(server, unquote(parts.username or ""), password)
        name = unquote(parts.path.removeprefix("/")) or "INBOX"
        quoted = '"' + re.sub(r'(["\\])', r"\\\1", name) + '"'
        status, data = server.select(quoted, readonly=read_only)
        if status != "OK":
            raise _to_error(url, f"the folder cannot be opened: {_to_text(data[0])}")
        yield _Imap(server)
    finally:
        with suppress(OSError, imaplib.IMAP4.error):
            server.logout()
        with suppress(OSError):  # imaplib leaves the socket open if the logout fails
            server.shutdown()


def _connect(scheme: str, host: str, port: int | None) -> imaplib.IMAP4:
    if scheme == "imaps":
        return imaplib.IMAP4_SSL(host, port or _PORT_TLS, ssl_context=ssl.create_default_context(), timeout=_TIMEOUT)
    return imaplib.IMAP4(host, port or _PORT, timeout=_TIMEOUT)


def _start_tls(server: imaplib.IMAP4, host: str) -> None:
    """Encrypt the connection before a password is sent, unless it stays on this machine."""
    if _is_loopback(host):
        return
    if "STARTTLS" not in server.capabilities:
        raise SenderRejected(f"{host} does not offer STARTTLS, so the password would be sent unencrypted; try imaps://")
    server.starttls(ssl.create_default_context())


def _log_in(server: imaplib.IMAP4, user: str, password: str) -> None:
    """Log in; use AUTHENTICATE PLAIN (RFC 4616) if imaplib cannot quote user or password for LOGIN."""
    if all(word.isascii() and word.isprintable() for word in (user, password)):
        server.login(user, password)
    else:
        server.authenticate("PLAIN", lambda _challenge: f"\0{user}\0{password}".encode())


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


class _Imap:
    """A folder on a server; the names of messages are their UIDs, with the folder's UIDVALIDITY (RFC 3501 2.3.1.1)."""

    def __init__(self, server: imaplib.IMAP4) -> None:
        self._server = server
        _, validity = server.response("UIDVALIDITY")
        self._validity = f"{(validity[0] or b'').decode()}." if validity else "."
        _, data = server.capability()  # imaplib asks before the login only, when servers list fewer capabilities
        self._has_uidplus = b"UIDPLUS" in data[0].upper().split()

    def names(self) -> Sequence[str]:
        data = self._command("SEARCH", "UNDELETED")
        uids = data[0].decode().split() if data and isinstance(data[0], bytes) else []
        return [self._validity + uid for uid in uids]

    def read(self, name: str) -> bytes | None:
        for part in self._command("FETCH", name.removeprefix(self._validity), "(BODY.PEEK[])"):
            if isinstance(part, tuple):
                return bytes(part[1])
        return None

    def remove(self, names: Iterable[str]) -> None:
        """Delete and expunge messages; without UIDPLUS (RFC 4315) those that others have marked as deleted too."""
        uids = [name.removeprefix(self._validity) for name in names]
        for start in range(0, len(uids), _BATCH):
            batch = ",".join(uids[start : start + _BATCH])
            self._command("STORE", batch, "+FLAGS.SILENT", r"(\Deleted)")
            if self._has_uidplus:
                self._command("EXPUNGE", batch)
            else:
                self._server.expunge()

    def _command(self, command: str, *arguments: str) -> list[object]:
        status, data = self._server.uid(command, *arguments)
        if status != "OK":
            raise imaplib.IMAP4.error(f"{command}: {_to_text(data[0] if data else status)}")
        return list(data)


def _to_error(url: str, text: str) -> FeedsError:
    """Return the error for a NO of a server; some response codes mean that a later try may succeed (RFC 5530)."""
    is_temporary = any(f"[{code}]" in text.upper() for code in ("UNAVAILABLE", "INUSE", "SERVERBUG", "LIMIT"))
    return (MailServerUnavailable if is_temporary else SenderRejected)(f"{_without_user(url)}: {text}")


def _to_text(response: object) -> str:
    """Return a response of a server as one line; imaplib gives bytes, or errors that hold bytes."""
    first = response.args[0] if isinstance(response, Exception) and response.args else response
    text = first.decode("utf-8", "replace") if isinstance(first, bytes) else str(first)
    return " ".join(text.split())


def _without_user(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
