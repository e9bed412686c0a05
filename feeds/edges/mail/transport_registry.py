"""The transport that `mail.transport` names: one of ours, or one that another package provides.

A package provides one by an entry point in the group `feeds.transports`: a callable that takes the settings of `[mail]`
and the site's folder, and returns a `feeds.edges.mail.transport.Transport`. `transport_conformance` beside this module
checks a transport.
"""

from collections.abc import Sequence
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING

from feeds.edges.mail.transport import Transport
from feeds.errors import SenderRejected
from feeds.settings import TRANSPORT_GROUP, TRANSPORTS, MailSettings

if TYPE_CHECKING:
    from collections.abc import Callable


def create_transport(
    mail: MailSettings, folder: Path, *, outbox: Path, passwords: Sequence[str], name: str
) -> Transport:
    """Return the transport that the settings name.

    *folder* is the site's folder; messages are written to *outbox* if they are not sent. *passwords* are those of
    `mail.all_servers`; *name* is the host name for EHLO.

    Raises:
        SenderRejected: the transport does not exist, or a setting is missing.
    """
    from feeds.edges.mail.outbox import Maildir, Outbox
    from feeds.edges.mail.sendmail import Sendmail
    from feeds.edges.mail.smtp.sender import SmtpTransport

    _check_passwords(mail, passwords)
    servers = list(zip(mail.all_servers, passwords, strict=True))
    ours: dict[str, Callable[[], Transport]] = {
        "outbox": lambda: Outbox(outbox),
        "maildir": lambda: Maildir(outbox),
        "smtp": lambda: SmtpTransport(servers, name),
        "sendmail": lambda: Sendmail(mail.sendmail),
    }
    if mail.transport in ours:
        return ours[mail.transport]()
    return _load_foreign(mail, folder)


def _check_passwords(mail: MailSettings, passwords: Sequence[str]) -> None:
    for at, (server, password) in enumerate(zip(mail.all_servers, passwords, strict=True)):
        if mail.transport == "smtp" and server.user and not password:
            key = f"mail.servers[{at - 1}]" if at else "mail.smtp"
            raise SenderRejected(f"{key}.user is set, but the environment variable {server.password_env} is not")


def _load_foreign(mail: MailSettings, folder: Path) -> Transport:
    points = {point.name: point for point in entry_points(group=TRANSPORT_GROUP)}
    if mail.transport not in points:
        names = ", ".join((*TRANSPORTS, *sorted(points)))
        raise SenderRejected(f"mail.transport: unknown transport {mail.transport!r}; available: {names}")
    try:
        found: Transport = points[mail.transport].load()(mail, folder)
    except Exception as e:
        raise SenderRejected(f"mail.transport: {mail.transport} cannot be loaded: {type(e).__name__}: {e}") from e
    return found
