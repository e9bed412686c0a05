"""Parse mail that asks to subscribe (`bounces+join-weekly@…`), and replies to confirmations (`bounces+c-<token>@…`)."""

import re
from collections.abc import Sequence
from email.utils import getaddresses

from feeds.core.subscribers import automatic_replies
from feeds.core.subscribers.mime_parts import header_value, header_values, parse_mail, sender_local_part
from feeds.core.subscribers.reports import RECIPIENT_FIELDS
from feeds.core.subscribers.sender_authentication import is_from_domain
from feeds.model import Value

#: The headers come first.
_MAX_BYTES = 100_000
#: Programs that answer for a person, and lists (RFC 2919, RFC 3834 section 2).
_BULK = frozenset({"bulk", "junk", "list"})
_DAEMONS = frozenset({"mailer-daemon", "postmaster"})


class MailRequest(Value, frozen=True, kw_only=True):
    """A mail that asks to subscribe, or to confirm that."""

    #: The newsletter to subscribe to, and the token of a confirmation; one of the two is empty.
    newsletter: str = ""
    token: str = ""
    #: The author's address; empty if it is not exactly one.
    sender: str
    #: True if a program has written it: it has no effect.
    is_automatic: bool
    #: True if the receiving server has authenticated the author's domain.
    is_authenticated: bool


class MailRequestParser:
    """Parses the mail to one address, received by one server."""

    def __init__(self, address: str, server: str) -> None:
        local, _, domain = (re.escape(part) for part in address.rpartition("@"))
        self._server = server
        self._address = re.compile(
            rf"(?i)(?<![\w.+-]){local}\+(?:join-([a-z0-9-]{{1,50}})|c-([0-9a-f]{{32}}))@{domain}(?![\w.-]*\w)"
        )

    def parse(self, raw: bytes) -> MailRequest | None:
        """Return the request in a message; None if it is none."""
        message = parse_mail(raw[:_MAX_BYTES])
        if message is None:
            return None
        found = next(filter(None, map(self._address.search, header_values(message, RECIPIENT_FIELDS))), None)
        if found is None:
            return None
        is_automatic = (
            automatic_replies.is_automatic(message)
            or header_value(message, "Precedence").lower() in _BULK
            or bool(header_value(message, "List-Id"))
            or sender_local_part(message) in _DAEMONS
        )
        sender = _sender([*header_values(message, ["From"])])
        results = [*header_values(message, ["Authentication-Results"])]
        domain = sender.rpartition("@")[2].lower()
        return MailRequest(
            newsletter=(found[1] or "").lower(),
            token=(found[2] or "").lower(),
            sender=sender,
            is_automatic=is_automatic,
            is_authenticated=bool(self._server and domain) and is_from_domain(results, domain, self._server),
        )


def _sender(fields: Sequence[str]) -> str:
    """Return the only address in `From`; empty if there are several: who is authenticated then, is unclear."""
    try:
        found = [address for _, address in getaddresses(fields) if "@" in address]
    except (ValueError, TypeError, AttributeError):
        return ""
    return found[0] if len(found) == 1 and len(fields) == 1 else ""
