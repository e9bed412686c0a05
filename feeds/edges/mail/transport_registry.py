"""Which transport `mail.transport` names: one of ours, or one that another package brings.

A package brings one by an entry point in the group `feeds.transports`: a callable that takes the settings of `[mail]`
and the site's folder, and returns a `feeds.edges.mail.transport.Transport`. `feeds.edges.mail.transport_conformance` tells whether it
keeps its promises.
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


def create_transport(mail: MailSettings, folder: Path, *, passwords: Sequence[str], name: str) -> Transport:
    """Return the transport that the settings name; *passwords* are those of `mail.all_servers`.

    *name* is what we call ourselves to servers.

    Raises:
        MailRefused: there is none of this name, or it lacks what it needs.
    """
    from feeds.edges.mail.outbox import Maildir, Outbox  # noqa: PLC0415 - a site loads the transport it uses
    from feeds.edges.mail.sendmail import Sendmail  # noqa: PLC0415 - as above
    from feeds.edges.mail.smtp.sender import SmtpTransport  # noqa: PLC0415 - as above

    servers = list(zip(mail.all_servers, passwords, strict=True))
    for at, (server, password) in enumerate(servers):
        if mail.transport == "smtp" and server.user and not password:
            key = f"mail.servers[{at - 1}]" if at else "mail.smtp"
            raise SenderRejected(f"{key}.user is set, and the variable {server.password_env} is not")
    ours: dict[str, Callable[[], Transport]] = {
        "outbox": lambda: Outbox(folder / "outbox"),
        "maildir": lambda: Maildir(folder / "outbox"),
        "smtp": lambda: SmtpTransport(servers, name),
        "sendmail": lambda: Sendmail(mail.sendmail),
    }
    if mail.transport in ours:
        return ours[mail.transport]()
    return _foreign(mail, folder)


def _foreign(mail: MailSettings, folder: Path) -> Transport:
    known = {point.name: point for point in entry_points(group=TRANSPORT_GROUP)}
    if mail.transport not in known:
        names = ", ".join((*TRANSPORTS, *sorted(known)))
        raise SenderRejected(f"mail.transport: there is no transport {mail.transport!r}; known here: {names}")
    try:
        found: Transport = known[mail.transport].load()(mail, folder)
    except Exception as e:
        raise SenderRejected(f"mail.transport: {mail.transport} cannot be used: {type(e).__name__}: {e}") from e
    return found
