"""Make and verify the tokens for deliveries and subscriptions in mail addresses: short, signed, case-insensitive.

Mail servers may change the case of an address, so tokens are hexadecimal. Each has a payload and the beginning of its
HMAC (RFC 2104). A forger can test a signature only by sending mail or requests, so 80 bits of it are enough.
"""

import hmac
from hashlib import blake2b, sha256

#: In bytes.
_NUMBER_SIZE, _SIGNATURE_SIZE = 5, 10
#: Characters of an unsubscribe token.
LENGTH = 40
#: The subscriber that the tokens of test letters name; the ids of subscribers begin with 1.
TEST_SUBSCRIBER = 0


def delivery_token(seed: bytes, delivery_id: int) -> str:
    """Return the token of a delivery, for its Message-ID and its bounce address (VERP)."""
    number = delivery_id.to_bytes(_NUMBER_SIZE)
    return (number + _signature(seed, b"delivery", number)).hex()


def parse_delivery_token(token: str) -> int | None:
    """Return the delivery id in a token, which is not verified yet; None if it is not such a token."""
    decoded = _decode(token)
    if decoded is None or len(decoded) != _NUMBER_SIZE + _SIGNATURE_SIZE:
        return None
    return int.from_bytes(decoded[:_NUMBER_SIZE])


def verify_delivery_token(seed: bytes, token: str) -> bool:
    """Return whether *token* was made with *seed*, the seed of the delivery's issue."""
    number = parse_delivery_token(token)
    return number is not None and hmac.compare_digest(delivery_token(seed, number), token.lower())


def service_token(seed: bytes, mail_id: int) -> str:
    """Return the token of a mail outside of any issue, as `delivery_token` does for a delivery."""
    number = mail_id.to_bytes(_NUMBER_SIZE)
    return (number + _signature(seed, b"service", number)).hex()


def verify_service_token(seed: bytes, token: str) -> bool:
    """Return whether *token* was made with *seed*, the seed of the mail that it names."""
    number = parse_delivery_token(token)
    return number is not None and hmac.compare_digest(service_token(seed, number), token.lower())


def unsubscribe_token(key_id: int, key: bytes, subscriber_id: int, newsletter: str) -> str:
    """Return the token that ends one subscription; it does not expire and has `LENGTH` characters."""
    payload = bytes([key_id]) + subscriber_id.to_bytes(_NUMBER_SIZE) + name_digest(newsletter)
    return (payload + _signature(key, b"leave", payload)).hex()


def parse_unsubscribe_token(token: str, keys: dict[int, bytes]) -> tuple[int, bytes] | None:
    """Return the subscriber and the digest of the newsletter in a token; None if it is not signed by one of *keys*."""
    decoded = _decode(token)
    if decoded is None or len(token) != LENGTH or decoded[0] not in keys:
        return None
    payload, signature = decoded[:-_SIGNATURE_SIZE], decoded[-_SIGNATURE_SIZE:]
    if not hmac.compare_digest(_signature(keys[decoded[0]], b"leave", payload), signature):
        return None
    return int.from_bytes(payload[1 : 1 + _NUMBER_SIZE]), payload[1 + _NUMBER_SIZE :]


def is_test_token(token: str) -> bool:
    """Return whether an unsubscribe token, which `parse_unsubscribe_token` has verified, is that of a test letter."""
    decoded = _decode(token)
    return decoded is not None and int.from_bytes(decoded[1 : 1 + _NUMBER_SIZE]) == TEST_SUBSCRIBER


def reply_token(key_id: int, key: bytes, signup_id: int, bound_to: str) -> str:
    """Return the token of the address that confirms a sign-up by a reply; it is bound to the sign-up's data."""
    payload = bytes([key_id]) + signup_id.to_bytes(_NUMBER_SIZE)
    return (payload + _signature(key, b"reply", payload + bound_to.encode())).hex()


def parse_reply_token(token: str) -> int | None:
    """Return the sign-up in a token, which is not verified yet; None if it is not such a token."""
    decoded = _decode(token)
    if decoded is None or len(decoded) != 1 + _NUMBER_SIZE + _SIGNATURE_SIZE:
        return None
    return int.from_bytes(decoded[1 : 1 + _NUMBER_SIZE])


def verify_reply_token(token: str, keys: dict[int, bytes], bound_to: str) -> bool:
    """Return whether a token was signed by one of *keys* for the sign-up with these data."""
    number, decoded = parse_reply_token(token), _decode(token)
    if number is None or decoded is None or decoded[0] not in keys:
        return False
    return hmac.compare_digest(reply_token(decoded[0], keys[decoded[0]], number, bound_to), token.lower())


def name_digest(newsletter: str) -> bytes:
    """Return a newsletter's name as a digest of four bytes."""
    return blake2b(newsletter.encode(), digest_size=4).digest()


def token_placeholder(seed: bytes) -> str:
    """Return the placeholder for the unsubscribe token in an issue's letters; the author of a post cannot guess it."""
    return blake2b(seed, digest_size=LENGTH // 2, person=b"place").hexdigest()


def _signature(key: bytes, purpose: bytes, payload: bytes) -> bytes:
    return hmac.digest(key, purpose + b"\0" + payload, sha256)[:_SIGNATURE_SIZE]


def _decode(token: str) -> bytes | None:
    try:
        return bytes.fromhex(token) if token.isalnum() else None
    except ValueError:
        return None
