"""Opens a connection: smtplib does TCP, TLS, EHLO and AUTH, then hands over the socket."""

import smtplib
import socket
import ssl
from contextlib import suppress
from dataclasses import dataclass

from feeds.edges.mail.transport import Reply
from feeds.errors import MailServerUnavailable, SenderRejected
from feeds.settings import SmtpSettings

#: Seconds for the greeting and everything else before the first message (RFC 5321 section 4.5.3.2.1 allows five
#: minutes, but a server that needs so long is useless for a newsletter).
_TIMEOUT = 30


@dataclass(frozen=True, slots=True)
class ReadySocket:
    """A connection that is ready for the first MAIL command."""

    socket: socket.socket
    #: Of EHLO, in small letters.
    extensions: frozenset[str]


def tls_context(server: SmtpSettings) -> ssl.SSLContext | None:
    """Return the context that verifies the certificate of *server*; None if it does not use TLS.

    Loading all authorities takes longer than sending a hundred messages, so all connections share one context.
    """
    return None if server.security == "none" else ssl.create_default_context()


def connect(server: SmtpSettings, password: str, name: str, context: ssl.SSLContext | None) -> ReadySocket:
    """Return a connection to *server*; *name* is the host name for EHLO, *context* that of `tls_context`.

    Raises:
        MailServerUnavailable: the server cannot be reached, or replies 4xx.
        SenderRejected: the server rejects the connection, TLS or the password, or its certificate is not valid.
    """
    try:
        return _connect(server, password, name, context)
    except smtplib.SMTPResponseException as e:
        raise _reply_error(server, e) from e
    except smtplib.SMTPServerDisconnected as e:
        raise MailServerUnavailable(f"{_server_name(server)} closed the connection: {e}") from e
    except smtplib.SMTPException as e:  # an extension that we need is not offered
        raise SenderRejected(f"{_server_name(server)}: {e} Check its keys in config.toml") from e
    except ssl.SSLCertVerificationError as e:
        raise SenderRejected(f"{_server_name(server)}: its certificate is not valid: {e.verify_message}") from e
    except ssl.SSLError as e:
        raise SenderRejected(
            f"{_server_name(server)}: TLS failed: {e.reason or e}; check its key `security` in config.toml"
        ) from e
    except UnicodeError as e:  # smtplib takes ASCII only, and raises this for an empty label of a host too
        raise SenderRejected(
            f"{_server_name(server)}: host, user and password must be ASCII, and the host a valid name"
        ) from e
    except OSError as e:
        raise MailServerUnavailable(f"{_server_name(server)} cannot be reached: {e}") from e


def find_problem(server: SmtpSettings, password: str, name: str) -> str:
    """Return why mail cannot be sent through a server; empty if it accepts user and password."""
    try:
        ready = connect(server, password, name, tls_context(server))
    except (MailServerUnavailable, SenderRejected) as e:
        return str(e)
    with ready.socket, suppress(OSError):
        ready.socket.sendall(b"QUIT\r\n")
    return ""


def _connect(server: SmtpSettings, password: str, name: str, context: ssl.SSLContext | None) -> ReadySocket:
    client = _open(server, name, context)
    try:
        client.ehlo_or_helo_if_needed()
        if server.security == "starttls":
            client.starttls(context=context)  # raises if it is not offered: it is required
            client.ehlo()
        if server.user:
            client.login(server.user, password)
        found, client.sock = client.sock, None
    except BaseException:
        client.close()
        raise
    assert found is not None
    found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    found.settimeout(0)
    return ReadySocket(found, frozenset(client.esmtp_features))


def _open(server: SmtpSettings, name: str, context: ssl.SSLContext | None) -> smtplib.SMTP:
    if server.security == "tls":
        return smtplib.SMTP_SSL(server.host, server.port, local_hostname=name, timeout=_TIMEOUT, context=context)
    return smtplib.SMTP(server.host, server.port, local_hostname=name, timeout=_TIMEOUT)


def _reply_error(server: SmtpSettings, error: smtplib.SMTPResponseException) -> MailServerUnavailable | SenderRejected:
    """Return the error for a reply that is not a success."""
    text = error.smtp_error.decode("utf-8", "replace") if isinstance(error.smtp_error, bytes) else error.smtp_error
    reply = Reply(error.smtp_code, " ".join(text.split()))
    if reply.code < 0:  # smtplib has cut off the first three characters
        return SenderRejected(f"{_server_name(server)} does not speak SMTP: it sent '…{reply.text}'")
    if reply.code // 100 == 4:  # noqa: PLR2004 - a temporary failure
        return MailServerUnavailable(f"{_server_name(server)} replied {reply}")
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return SenderRejected(f"{_server_name(server)} rejects user and password: {reply}")
    return SenderRejected(f"{_server_name(server)} rejects the connection: {reply}")


def _server_name(server: SmtpSettings) -> str:
    return f"the mail server {server.host}:{server.port}"
