"""Open what sending needs: the bounce mailbox, and the mail servers or the command that letters go through."""

from collections.abc import Iterator
from dataclasses import dataclass

from feeds.edges.mail.transport import CheckedTransport
from feeds.errors import FeedsError
from feeds.jobs.site import Site


@dataclass(frozen=True, slots=True)
class ConnectionProblem:
    """Something that sending needs and that cannot be used."""

    #: The key in the config.
    key: str
    reason: str


def find_connection_problems(site: Site) -> Iterator[ConnectionProblem]:
    """Yield a problem for each server, command or mailbox that cannot be used; nothing is sent or changed."""
    try:
        transport = site.transport
    except FeedsError as e:
        yield ConnectionProblem("mail", str(e))
    else:
        if isinstance(transport, CheckedTransport):
            yield from (ConnectionProblem("mail", reason) for reason in transport.find_problems())
    yield from find_mailbox_problems(site)


def find_mailbox_problems(site: Site) -> Iterator[ConnectionProblem]:
    """Yield a problem if the bounce mailbox cannot be read; nothing is changed in it."""
    bounces = site.settings.mail.bounces
    if bounces is None:
        return
    from feeds.edges.mail.mailbox import open_mailbox

    config = site.config
    try:
        with open_mailbox(bounces.mailbox, config.folder, config.bounces_password, read_only=True) as box:
            box.names()
    except FeedsError as e:
        yield ConnectionProblem("mail.bounces.mailbox", f"the bounce mailbox cannot be read: {e}")
