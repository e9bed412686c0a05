"""What stands for a delivery or a subscription in addresses that others see: short, signed, the same in any case.

Mail servers may change the case of an address, so tokens are hexadecimal. Each holds what it stands for and the
beginning of an HMAC (RFC 2104) of it. Nobody can try out signatures but by sending us mail or requests, so 80 bits of
it are enough.
"""

import hmac
from hashlib import blake2b, sha256

#: Bytes of a number, and of a signature.
_NUMBER, _SIGNATURE = 5, 10
#: Characters of a token that a letter carries.
LENGTH = 40


def delivery_token(seed: bytes, delivery_id: int) -> str:
    """Return what stands for a delivery in its Message-ID and in the address it comes back to (VERP)."""
    number = delivery_id.to_bytes(_NUMBER)
    return (number + _signature(seed, b"delivery", number)).hex()


def parse_delivery_token(token: str) -> int | None:
    """Return which delivery a token says it stands for, which is still to be believed; None for no token."""
    found = _bytes(token)
    return int.from_bytes(found[:_NUMBER]) if found and len(found) == _NUMBER + _SIGNATURE else None


def verify_delivery_token(seed: bytes, token: str) -> bool:
    """Return whether *token* was made with the seed of the delivery's issue."""
    number = parse_delivery_token(token)
    return number is not None and hmac.compare_digest(delivery_token(seed, number), token.lower())


def unsubscribe_token(key_id: int, key: bytes, subscriber_id: int, newsletter: str) -> str:
    """Return what lets whoever holds it end one subscription, at any time; `LENGTH` characters."""
    payload = bytes([key_id]) + subscriber_id.to_bytes(_NUMBER) + name_digest(newsletter)
    return (payload + _signature(key, b"leave", payload)).hex()


def parse_unsubscribe_token(token: str, keys: dict[int, bytes]) -> tuple[int, bytes] | None:
    """Return the subscriber and the digest of the newsletter that a token ends; None where it was not made by us."""
    found = _bytes(token)
    if found is None or len(token) != LENGTH or found[0] not in keys:
        return None
    payload, signature = found[:-_SIGNATURE], found[-_SIGNATURE:]
    if not hmac.compare_digest(_signature(keys[found[0]], b"leave", payload), signature):
        return None
    return int.from_bytes(payload[1 : 1 + _NUMBER]), payload[1 + _NUMBER :]


def name_digest(newsletter: str) -> bytes:
    """Return four bytes that stand for a newsletter's name."""
    return blake2b(newsletter.encode(), digest_size=4).digest()


def token_placeholder(seed: bytes) -> str:
    """Return what stands in an issue's letters where each reader's token will: nobody who writes posts can know it."""
    return blake2b(seed, digest_size=LENGTH // 2, person=b"place").hexdigest()


def _signature(key: bytes, purpose: bytes, payload: bytes) -> bytes:
    return hmac.digest(key, purpose + b"\0" + payload, sha256)[:_SIGNATURE]


def _bytes(token: str) -> bytes | None:
    try:
        return bytes.fromhex(token) if token.isalnum() else None
    except ValueError:
        return None
