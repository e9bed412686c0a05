"""Opening a connection: TCP, TLS, EHLO and AUTH by smtplib, which then hands over the socket."""

import smtplib
import socket
import ssl
from dataclasses import dataclass

from feeds.edges.mail.transport import Reply
from feeds.errors import MailServerUnavailable, SenderRejected
from feeds.settings import SmtpSettings

#: Seconds for the greeting and everything before the first message (RFC 5321 section 4.5.3.2.1 allows five minutes,
#: but a relay that takes so long is of no use).
_PATIENCE = 30


@dataclass(frozen=True, slots=True)
class ReadySocket:
    """A connection that is ready for envelopes."""

    socket: socket.socket
    #: What the server offers, in small letters.
    offers: frozenset[str]


def tls_context(server: SmtpSettings) -> ssl.SSLContext | None:
    """Return what the certificate of *server* is checked with; None where there is no TLS.

    Reading all authorities takes longer than a hundred messages do: once for many connections.
    """
    return None if server.security == "none" else ssl.create_default_context()


def connect(server: SmtpSettings, password: str, name: str, context: ssl.SSLContext | None) -> ReadySocket:
    """Return a connection to *server*; *name* is what we call ourselves, *context* what `trust` returns.

    Raises:
        MailAway: it cannot be reached, or says "later".
        MailRefused: it wants what we have not, or does not want us: TLS, its certificate, the password.
    """
    try:
        return _connect(server, password, name, context)
    except smtplib.SMTPResponseException as e:
        raise _answered(server, e) from e
    except smtplib.SMTPServerDisconnected as e:
        raise MailServerUnavailable(f"{_named(server)} hangs up: {e}") from e
    except smtplib.SMTPException as e:  # what we want it does not offer
        raise SenderRejected(f"{_named(server)}: {e} See its keys in config.toml") from e
    except ssl.SSLCertVerificationError as e:
        raise SenderRejected(f"{_named(server)}: its certificate is not to be trusted: {e.verify_message}") from e
    except ssl.SSLError as e:
        raise SenderRejected(
            f"{_named(server)}: TLS fails: {e.reason or e}; its `security` in config.toml may be wrong"
        ) from e
    except UnicodeError as e:  # smtplib knows no other, and a host may be none
        raise SenderRejected(f"{_named(server)}: host, user and password must be ASCII, and the host a name") from e
    except OSError as e:
        raise MailServerUnavailable(f"{_named(server)} cannot be reached: {e}") from e


def _connect(server: SmtpSettings, password: str, name: str, context: ssl.SSLContext | None) -> ReadySocket:
    if server.security == "tls":
        found: smtplib.SMTP = smtplib.SMTP_SSL(
            server.host, server.port, local_hostname=name, timeout=_PATIENCE, context=context
        )
    else:
        found = smtplib.SMTP(server.host, server.port, local_hostname=name, timeout=_PATIENCE)
    try:
        found.ehlo_or_helo_if_needed()
        if server.security == "starttls":
            found.starttls(context=context)  # raises if it is not offered: required means required
            found.ehlo()
        if server.user:
            found.login(server.user, password)
        plain, found.sock = found.sock, None
    except BaseException:
        found.close()
        raise
    assert plain is not None
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    plain.settimeout(0)
    return ReadySocket(plain, frozenset(found.esmtp_features))


def _answered(server: SmtpSettings, error: smtplib.SMTPResponseException) -> MailServerUnavailable | SenderRejected:
    """Return what an answer means that is no yes."""
    said = error.smtp_error.decode("utf-8", "replace") if isinstance(error.smtp_error, bytes) else error.smtp_error
    reply = Reply(error.smtp_code, " ".join(said.split()))
    if reply.code < 0:  # smtplib has cut off what should have been a code
        return SenderRejected(f"{_named(server)} does not speak SMTP: it says '…{reply.text}'")
    if reply.code // 100 == 4:  # noqa: PLR2004 - later
        return MailServerUnavailable(f"{_named(server)} says {reply}")
    how = "does not accept user and password" if isinstance(error, smtplib.SMTPAuthenticationError) else "refuses us"
    return SenderRejected(f"{_named(server)} {how}: {reply}")


def _named(server: SmtpSettings) -> str:
    return f"the mail server {server.host}:{server.port}"
