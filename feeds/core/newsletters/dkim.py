"""Signatures by which receivers see whose a message is and that nobody changed it (DKIM, RFC 6376).

The messages of a letter share most of their header. That part is made canonical and hashed once, so a message costs
hardly more than the bare signature. `cryptography` signs without holding Python's lock: threads sign side by side.

The header is "relaxed", since relays fold lines anew; the body is "simple", since base64 and quoted-printable arrive as
they left.
"""

import re
from binascii import b2a_base64
from collections import Counter
from collections.abc import Iterable, Sequence
from hashlib import sha256
from textwrap import wrap
from typing import NamedTuple

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

PrivateKey = RSAPrivateKey | Ed25519PrivateKey

#: Signers should use no less (RFC 8301 section 3.2), and not every receiver verifies more (the same).
_FEWEST_BITS, _MOST_BITS = 2048, 4096
#: What a message has at most once (RFC 5322 section 3.6, RFC 2045) and people or programs go by. Who gets a letter can
#: send it on with a second one on top: receivers verify the lowest, and many show the highest (RFC 6376 section 8.15).
_NO_SECOND = ("from", "subject", "to", "date", "message-id", "reply-to", "mime-version", "content-type")
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_DNS_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_SPACES = re.compile(rb"[ \t]+")
_LINE = 76
_PADDING, _DIGEST = PKCS1v15(), Prehashed(SHA256())


def load_private_key(pem: bytes) -> PrivateKey:
    """Return the key in a PEM file, RSA of 2048 to 4096 bits (RFC 8301) or Ed25519 (RFC 8463).

    Raises ValueError, in words for the owner of the file, for anything else and for a key that has a password.
    """
    try:
        found = load_pem_private_key(pem, None)
    except TypeError as e:  # what `cryptography` says to a missing password
        raise ValueError("this key has a password, which nobody can type while letters go out: store it without") from e
    except (ValueError, UnsupportedAlgorithm) as e:
        raise ValueError("this is no private key in PEM: `openssl genrsa 2048` makes one") from e
    if not isinstance(found, PrivateKey):
        raise ValueError("this is a key of another kind: DKIM has RSA and Ed25519")  # noqa: TRY004 - the file is wrong
    if isinstance(found, RSAPrivateKey) and not _FEWEST_BITS <= found.key_size <= _MOST_BITS:
        raise ValueError(f"this RSA key has {found.key_size} bits: receivers want {_FEWEST_BITS} to {_MOST_BITS}")
    return found


class DkimKey(NamedTuple):
    """A key, and the name under which receivers find its other half: `<selector>._domainkey.<domain>` in DNS."""

    selector: str
    private: PrivateKey


class Signer:
    """What signs for a domain.

    Raises ValueError for names that are none in DNS (in ASCII), without an RSA key, and for two keys of one name.
    """

    def __init__(self, domain: str, keys: Sequence[DkimKey]) -> None:
        for name in (domain, *(key.selector for key in keys)):
            if not _DNS_NAME.fullmatch(name):
                raise ValueError(f"{name!r} is no name in DNS: letters, digits and hyphens between dots")
        if not any(isinstance(key.private, RSAPrivateKey) for key in keys):
            raise ValueError("an RSA key is missing: large providers verify no other, so Ed25519 only goes beside it")
        if twice := _repeated(key.selector.lower() for key in keys):
            raise ValueError(f"two keys are called {twice[0]}: DNS holds one for each selector")
        self._domain = domain
        # Receivers that look at one signature look at the first.
        self._keys = sorted(keys, key=lambda key: isinstance(key.private, Ed25519PrivateKey))

    def for_letter(self, fixed: Iterable[tuple[str, bytes]], own: Iterable[str]) -> "LetterSigner":
        """Return what signs the messages of one letter: every field named here, and no second one of what comes once.

        *fixed* are the fields that all its messages share, names with values as they are sent: what comes after the
        colon, folded, without the last CRLF. *own* are the names of those that each message has itself. Fields that
        are not named may be added on the way.

        Raises ValueError without From (RFC 6376 section 5.4), for a name that comes twice, since receivers tell such
        fields apart by their order, and for values with line breaks that end a field.
        """
        fixed, own = list(fixed), tuple(name.lower() for name in own)
        names = [*(name.lower() for name, _ in fixed), *own]
        if "from" not in names:
            raise ValueError("From is missing among the fields to sign")
        if twice := _repeated(names):
            raise ValueError(f"{twice[0]} comes twice among the fields to sign")
        # A name that no field is left for stands for nothing, and for the field that is added (section 5.4.2).
        names += [name for name in _NO_SECOND if name in names]
        shared = b"".join(_relaxed(name.lower(), value) for name, value in fixed)
        return LetterSigner(shared, own, [_Head.of(self._domain, key, names) for key in self._keys])


class _Head(NamedTuple):
    """A DKIM-Signature up to its time."""

    private: PrivateKey
    text: bytes
    #: As it is hashed.
    canonical: bytes

    @classmethod
    def of(cls, domain: str, key: DkimKey, names: Sequence[str]) -> "_Head":
        kind = "ed25519" if isinstance(key.private, Ed25519PrivateKey) else "rsa"
        tags = f"v=1; a={kind}-sha256; c=relaxed/simple; d={domain}; s={key.selector}; h={': '.join(names)};"
        lines = wrap(
            f"DKIM-Signature: {tags}", _LINE, subsequent_indent=" ", break_long_words=False, break_on_hyphens=False
        )
        text = "\r\n".join(lines).encode()
        return cls(key.private, text, _relaxed("dkim-signature", text.partition(b":")[2]).removesuffix(b"\r\n"))

    def field(self, digest: bytes, rest: bytes) -> bytes:
        """Return the whole field, signed, with its line end."""
        signature = b" b=" + b2a_base64(self._signature(digest), newline=False)
        first, others = signature[:_LINE], signature[_LINE:]
        lines = (first, *(b" " + others[at : at + _LINE - 1] for at in range(0, len(others), _LINE - 1)))
        return b"%b\r\n%b\r\n%b\r\n" % (self.text, rest, b"\r\n".join(lines))

    def _signature(self, digest: bytes) -> bytes:
        if isinstance(self.private, Ed25519PrivateKey):
            return self.private.sign(digest)  # RFC 8463 section 3: the digest is the message
        return self.private.sign(digest, _PADDING, _DIGEST)


class LetterSigner:
    """What signs the messages of one letter; threads may share it."""

    def __init__(self, shared: bytes, own: Sequence[str], heads: Sequence[_Head]) -> None:
        self._hashed, self._own, self._heads = sha256(shared), own, heads

    def sign(self, own: Sequence[bytes], body_hash: bytes, at: int) -> bytes:
        """Return the message's DKIM-Signature fields, RSA first, in lines of 76 characters: they go on top of it.

        The same message at the same time always has the same signatures. *own* are the values of the message's own
        fields, as they are sent and in the order of their names. *body_hash* is the SHA-256 of the body; its "simple"
        canonical form is the body itself as long as it ends with exactly one CRLF (RFC 6376 section 3.4.3), which
        whoever calls sees to. *at* is in seconds since 1970.

        Raises ValueError for more or fewer values than names, and for line breaks that end a field.
        """
        hashed = self._hashed.copy()
        for name, value in zip(self._own, own, strict=True):
            hashed.update(_relaxed(name, value))
        rest = b" t=%d; bh=%b;" % (at, b2a_base64(body_hash, newline=False))
        found = b""
        for head in self._heads:
            whole = hashed.copy()
            # As if nothing were signed yet, and without a line end (section 3.7).
            whole.update(b"%b%b b=" % (head.canonical, rest))
            found += head.field(whole.digest(), rest)
        return found


def _relaxed(name: str, value: bytes) -> bytes:
    """Return a field as it is hashed (RFC 6376 section 3.4.2); *name* is in small letters."""
    unfolded = value.replace(b"\r\n ", b" ").replace(b"\r\n\t", b" ")
    if b"\r" in unfolded or b"\n" in unfolded:
        raise ValueError(f"a line break ends {name} before its value does")
    return b"%b:%b\r\n" % (name.encode(), _SPACES.sub(b" ", unfolded).strip(b" "))


def _repeated(names: Iterable[str]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]
