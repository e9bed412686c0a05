"""What is remembered of an address that no mail may go to again: a digest that only the site's key can make.

Whoever was erased must not be kept, and must not come back with the next list. A plain hash would not do: addresses can
be guessed and hashed by the million. So it is an HMAC-SHA256 (RFC 2104), with the key's number before it and four bytes
by which the key itself is known: a file that was lost and made anew has a first key too, and would find nobody.
"""

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Mapping


class AddressHasher:
    """Makes the digests of addresses."""

    def __init__(self, keys: Mapping[int, bytes]) -> None:
        """Take keys by number: the highest one makes what is kept, all of them find it."""
        self._keys = [(f"{number}-{_digest(key, '')[:6]}", key) for number, key in sorted(keys.items(), reverse=True)]

    @property
    def key_ids(self) -> frozenset[str]:
        """What stands before the colon of the digests that can be made."""
        return frozenset(mark for mark, _ in self._keys)

    def digests(self, address: str) -> tuple[str, ...]:
        """Return what an address (as addresses are compared) may be kept as, the one to keep it as first."""
        return tuple([f"{mark}:{_digest(key, address)}" for mark, key in self._keys])


def _digest(key: bytes, address: str) -> str:
    return urlsafe_b64encode(hmac.digest(key, address.encode(), "sha256")).rstrip(b"=").decode()
