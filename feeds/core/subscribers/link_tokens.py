"""Make and verify the tokens of links that a person gets by mail or on a page: signed, bound to a fact, expiring.

A token names a subscriber by id and is bound to something that is true only as long as it may be used: to the address,
so that it ends when the address changes and is never another person's if an id is used again; or to the time of an
unsubscribe, so that only that one is undone. What it is bound to is signed, and not in the token. So the caller parses
a token, looks up the subscriber, and then verifies it.
"""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from hashlib import sha256

#: In bytes: key number, subscriber, seconds since 1970, and the beginning of an HMAC (RFC 2104).
_KEY_SIZE, _SUBSCRIBER_SIZE, _TIME_SIZE, _SIGNATURE_SIZE = 1, 5, 5, 16
_FIXED = _KEY_SIZE + _SUBSCRIBER_SIZE + _TIME_SIZE
#: How long a new address can confirm, and how long it is stored.
ADDRESS_LINK_TIME = timedelta(days=3)
#: Characters of the longest token, which has the name of a newsletter.
_LONGEST = 600


class LinkPurpose(StrEnum):
    """What a link allows; a token for one purpose is not valid for another."""

    #: To see and change everything of one subscriber.
    PREFERENCES = "preferences"
    #: To undo an unsubscribe.
    UNDO = "undo"
    #: To move subscriptions to the address that the link was mailed to.
    ADDRESS = "address"
    #: To confirm a sign-up.
    CONFIRM = "confirm"
    #: To send the sign-up form.
    FORM = "form"


@dataclass(frozen=True, kw_only=True, slots=True)
class Link:
    """The payload of a token, which is not verified yet."""

    purpose: LinkPurpose
    subscriber_id: int
    #: UTC, in whole seconds.
    expires_at: datetime
    #: The newsletter to return to, or the number of a request; empty for the preferences. It is not encrypted, and URLs
    #: end up in logs and histories, so it is never an address.
    value: str = ""


def sign_link(link: Link, key_id: int, key: bytes, bound_to: str) -> str:
    """Return the token of a link: letters, digits, `-` and `_`."""
    time = int(link.expires_at.timestamp()).to_bytes(_TIME_SIZE)
    fixed = bytes([key_id]) + link.subscriber_id.to_bytes(_SUBSCRIBER_SIZE) + time
    payload = fixed + link.value.encode()
    return urlsafe_b64encode(payload + _signature(key, link.purpose, payload, bound_to)).rstrip(b"=").decode()


def parse_link(token: str, purpose: LinkPurpose) -> Link | None:
    """Return the link of a token, which is not verified yet; None if it is not such a token."""
    decoded = _decode(token)
    if decoded is None or len(decoded) < _FIXED + _SIGNATURE_SIZE:
        return None
    numbers, value = decoded[_KEY_SIZE:_FIXED], decoded[_FIXED:-_SIGNATURE_SIZE]
    try:
        return Link(
            purpose=purpose,
            subscriber_id=int.from_bytes(numbers[:_SUBSCRIBER_SIZE]),
            expires_at=datetime.fromtimestamp(int.from_bytes(numbers[_SUBSCRIBER_SIZE:]), UTC),
            value=value.decode(),
        )
    except (UnicodeDecodeError, ValueError, OverflowError, OSError):  # a year that no date has, or no text
        return None


def verify_link(token: str, purpose: LinkPurpose, keys: dict[int, bytes], bound_to: str) -> bool:
    """Return whether a token was signed by one of *keys* for this purpose and is bound to *bound_to*.

    Whether it has expired is the caller's question.
    """
    decoded = _decode(token)
    if decoded is None or len(decoded) < _FIXED + _SIGNATURE_SIZE or decoded[0] not in keys:
        return False
    payload, signature = decoded[:-_SIGNATURE_SIZE], decoded[-_SIGNATURE_SIZE:]
    return hmac.compare_digest(_signature(keys[decoded[0]], purpose, payload, bound_to), signature)


def _signature(key: bytes, purpose: LinkPurpose, payload: bytes, bound_to: str) -> bytes:
    # The lengths keep the payload from running into what it is bound to.
    parts = (f"link {purpose}".encode(), payload, bound_to.encode())
    return hmac.digest(key, b"".join(len(part).to_bytes(4) + part for part in parts), sha256)[:_SIGNATURE_SIZE]


def _decode(token: str) -> bytes | None:
    """Return the bytes of a token; None if another spelling gives the same bytes, or none."""
    if len(token) > _LONGEST or not token.isascii():
        return None
    try:
        decoded = urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except (Error, ValueError):
        return None
    return decoded if urlsafe_b64encode(decoded).rstrip(b"=").decode() == token else None
