"""Opening a connection: TCP, TLS, EHLO and AUTH by smtplib, which then hands over the socket."""

import smtplib
import socket
import ssl
from dataclasses import dataclass

from feeds.edges.transport import Reply
from feeds.errors import MailAway, MailRefused
from feeds.settings import Smtp

#: Seconds for the greeting and everything before the first message (RFC 5321 section 4.5.3.2.1 allows five minutes,
#: but a relay that takes so long is of no use).
_PATIENCE = 30


@dataclass(frozen=True, slots=True)
class Opened:
    """A connection that is ready for envelopes."""

    socket: socket.socket
    #: What the server offers, in small letters.
    offers: frozenset[str]


def opened(server: Smtp, password: str, name: str) -> Opened:
    """Return a connection to *server*; *name* is what we call ourselves.

    Raises:
        MailAway: it cannot be reached, or says "later".
        MailRefused: it wants what we have not, or does not want us: TLS, its certificate, the password.
    """
    try:
        return _opened(server, password, name)
    except smtplib.SMTPAuthenticationError as e:
        raise _refused(server, _reply(e), "does not accept user and password") from e
    except smtplib.SMTPResponseException as e:
        reply = _reply(e)
        if reply.code // 100 == 4:  # noqa: PLR2004 - later
            raise MailAway(f"{_named(server)} says {reply}") from e
        raise _refused(server, reply, "refuses us") from e
    except smtplib.SMTPNotSupportedError as e:
        raise MailRefused(f"{_named(server)}: {e}; see mail.smtp in config.toml") from e
    except ssl.SSLCertVerificationError as e:
        raise MailRefused(f"{_named(server)}: its certificate is not to be trusted: {e.verify_message}") from e
    except ssl.SSLError as e:
        raise MailRefused(f"{_named(server)}: TLS fails: {e.reason or e}; mail.smtp.security may be wrong") from e
    except (OSError, smtplib.SMTPException) as e:
        raise MailAway(f"{_named(server)} cannot be reached: {e}") from e


def _opened(server: Smtp, password: str, name: str) -> Opened:
    context = ssl.create_default_context()
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
    return Opened(plain, frozenset(found.esmtp_features))


def _reply(error: smtplib.SMTPResponseException) -> Reply:
    text = error.smtp_error.decode("utf-8", "replace") if isinstance(error.smtp_error, bytes) else error.smtp_error
    return Reply(error.smtp_code, " ".join(text.split()))


def _named(server: Smtp) -> str:
    return f"the mail server {server.host}:{server.port}"


def _refused(server: Smtp, reply: Reply, how: str) -> MailRefused:
    return MailRefused(f"{_named(server)} {how}: {reply}")
