"""Hash addresses for the suppression list: HMAC-SHA256 (RFC 2104) with a key of the site.

An erased address must not be stored, and must not come back with the next import. A plain hash would not hide it:
addresses can be guessed and hashed by the million. A digest begins with the number of its key and four bytes that
identify the key: a key file that was lost and created again also has a key number 1, but its digests match nothing.
"""

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Mapping


class AddressHasher:
    """Hashes addresses with the keys of the site."""

    def __init__(self, keys: Mapping[int, bytes]) -> None:
        """Take keys by number: new digests use the highest one, lookups use all."""
        self._keys = [(f"{number}-{_digest(key, '')[:6]}", key) for number, key in sorted(keys.items(), reverse=True)]

    @property
    def key_ids(self) -> frozenset[str]:
        """The prefixes, before the colon, of the digests that these keys can make."""
        return frozenset(key_id for key_id, _ in self._keys)

    def digests(self, address: str) -> tuple[str, ...]:
        """Return the digests of an address (as addresses are compared), the one to store first."""
        return tuple([f"{key_id}:{_digest(key, address)}" for key_id, key in self._keys])


def _digest(key: bytes, address: str) -> str:
    return urlsafe_b64encode(hmac.digest(key, address.encode(), "sha256")).rstrip(b"=").decode()
