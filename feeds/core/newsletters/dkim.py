"""Sign messages, so that receivers can verify their sender and content (DKIM, RFC 6376).

The messages of a letter share most of their header fields. These are canonicalized and hashed once, so a message costs
hardly more than the bare signature. `cryptography` releases Python's global lock while it signs: threads sign in
parallel.

The header is canonicalized as "relaxed", since relays fold lines differently; the body as "simple", since base64 and
quoted-printable are not changed on the way.
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

#: Signers should not use shorter keys, and not every receiver verifies longer ones (RFC 8301 section 3.2).
_MIN_BITS, _MAX_BITS = 2048, 4096
#: Fields that a message has at most once (RFC 5322 section 3.6, RFC 2045) and that people or programs rely on. They are
#: signed once more than they occur: a recipient could forward the letter with a second one on top, since receivers
#: verify the lowest and many programs show the highest (RFC 6376 section 8.15).
_OVERSIGNED = ("from", "subject", "to", "date", "message-id", "reply-to", "mime-version", "content-type")
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_DNS_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_WHITESPACE = re.compile(rb"[ \t]+")
_LINE_LENGTH = 76
_PADDING, _PREHASHED = PKCS1v15(), Prehashed(SHA256())


def load_private_key(pem: bytes) -> PrivateKey:
    """Return the key in a PEM file, RSA of 2048 to 4096 bits (RFC 8301) or Ed25519 (RFC 8463).

    Raises ValueError, with a message for the owner of the file, for anything else and for a key with a password.
    """
    try:
        key = load_pem_private_key(pem, None)
    except TypeError as e:  # this is how `cryptography` reports a missing password
        raise ValueError("this key has a password, which cannot be entered during a send: store it without one") from e
    except (ValueError, UnsupportedAlgorithm) as e:
        raise ValueError("this is not a private key in PEM format: `openssl genrsa 2048` makes one") from e
    if not isinstance(key, PrivateKey):
        raise ValueError("this is another type of key: DKIM uses RSA and Ed25519")  # noqa: TRY004 - the file is wrong
    if isinstance(key, RSAPrivateKey) and not _MIN_BITS <= key.key_size <= _MAX_BITS:
        raise ValueError(f"this RSA key has {key.key_size} bits: receivers accept {_MIN_BITS} to {_MAX_BITS}")
    return key


class DkimKey(NamedTuple):
    """A private key and its selector: the public key is in DNS at `<selector>._domainkey.<domain>`."""

    selector: str
    private: PrivateKey


class Signer:
    """Signs messages of one domain.

    Raises ValueError for a domain or selector that is not a DNS name (in ASCII), without an RSA key, and for two keys
    with the same selector.
    """

    def __init__(self, domain: str, keys: Sequence[DkimKey]) -> None:
        for name in (domain, *(key.selector for key in keys)):
            if not _DNS_NAME.fullmatch(name):
                raise ValueError(f"{name!r} is not a DNS name: use letters, digits and hyphens between dots")
        if not any(isinstance(key.private, RSAPrivateKey) for key in keys):
            raise ValueError("an RSA key is missing: large providers verify only RSA, so use Ed25519 only beside it")
        if repeated := _repeated_names(key.selector.lower() for key in keys):
            raise ValueError(f"two keys have the selector {repeated[0]}: DNS has one key for each selector")
        self._domain = domain
        # Receivers that check only one signature check the first.
        self._keys = sorted(keys, key=lambda key: isinstance(key.private, Ed25519PrivateKey))

    def for_letter(self, shared: Iterable[tuple[str, bytes]], own_names: Iterable[str]) -> "LetterSigner":
        """Return a signer for the messages of one letter.

        *shared* are the fields that all its messages have in common, names with values as they are sent: the bytes
        after the colon, folded, without the last CRLF. *own_names* are the names of the fields that each message has
        itself. All these fields are signed; fields that are not named may be added on the way.

        Raises ValueError without From (RFC 6376 section 5.4), for a repeated name, since receivers distinguish such
        fields by their order, and for values with line breaks that end a field.
        """
        shared, own_names = list(shared), tuple(name.lower() for name in own_names)
        names = [*(name.lower() for name, _ in shared), *own_names]
        if "from" not in names:
            raise ValueError("From is missing among the fields to sign")
        if repeated := _repeated_names(names):
            raise ValueError(f"{repeated[0]} occurs twice among the fields to sign")
        # A name without a field signs the absence of the field: adding one breaks the signature (section 5.4.2).
        names += [name for name in _OVERSIGNED if name in names]
        header = b"".join(_canonicalize_field(name.lower(), value) for name, value in shared)
        prefixes = [_SignaturePrefix.of(self._domain, key, names) for key in self._keys]
        return LetterSigner(header, own_names, prefixes)


class _SignaturePrefix(NamedTuple):
    """A DKIM-Signature field up to its time (`t=`)."""

    private: PrivateKey
    text: bytes
    #: The form that is hashed.
    canonical: bytes

    @classmethod
    def of(cls, domain: str, key: DkimKey, names: Sequence[str]) -> "_SignaturePrefix":
        algorithm = "ed25519" if isinstance(key.private, Ed25519PrivateKey) else "rsa"
        tags = f"v=1; a={algorithm}-sha256; c=relaxed/simple; d={domain}; s={key.selector}; h={': '.join(names)};"
        lines = wrap(
            f"DKIM-Signature: {tags}",
            _LINE_LENGTH,
            subsequent_indent=" ",
            break_long_words=False,
            break_on_hyphens=False,
        )
        text = "\r\n".join(lines).encode()
        canonical = _canonicalize_field("dkim-signature", text.partition(b":")[2]).removesuffix(b"\r\n")
        return cls(key.private, text, canonical)

    def complete(self, digest: bytes, last_tags: bytes) -> bytes:
        """Return the whole field with its signature and CRLF."""
        signature = b" b=" + b2a_base64(self._sign_digest(digest), newline=False)
        first, rest = signature[:_LINE_LENGTH], signature[_LINE_LENGTH:]
        step = _LINE_LENGTH - 1
        lines = (first, *(b" " + rest[at : at + step] for at in range(0, len(rest), step)))
        return b"%b\r\n%b\r\n%b\r\n" % (self.text, last_tags, b"\r\n".join(lines))

    def _sign_digest(self, digest: bytes) -> bytes:
        if isinstance(self.private, Ed25519PrivateKey):
            return self.private.sign(digest)  # RFC 8463 section 3: the digest is the message
        return self.private.sign(digest, _PADDING, _PREHASHED)


class LetterSigner:
    """Signs the messages of one letter; threads may share it."""

    def __init__(self, header: bytes, own_names: Sequence[str], prefixes: Sequence[_SignaturePrefix]) -> None:
        self._header_hash, self._own_names, self._prefixes = sha256(header), own_names, prefixes

    def sign(self, own_values: Sequence[bytes], body_hash: bytes, timestamp: int) -> bytes:
        """Return the DKIM-Signature fields for the top of a message, RSA first, in lines of 76 characters.

        The same message at the same time always has the same signatures. *own_values* are the values of the message's
        own fields, as they are sent and in the order of their names. *body_hash* is the SHA-256 of the body; its
        "simple" canonical form is the body itself as long as it ends with exactly one CRLF (RFC 6376 section 3.4.3),
        which the caller ensures. *timestamp* is in seconds since 1970.

        Raises ValueError for more or fewer values than names, and for line breaks that end a field.
        """
        header_hash = self._header_hash.copy()
        for name, value in zip(self._own_names, own_values, strict=True):
            header_hash.update(_canonicalize_field(name, value))
        last_tags = b" t=%d; bh=%b;" % (timestamp, b2a_base64(body_hash, newline=False))
        fields = b""
        for prefix in self._prefixes:
            whole = header_hash.copy()
            # With an empty signature and without CRLF (section 3.7).
            whole.update(b"%b%b b=" % (prefix.canonical, last_tags))
            fields += prefix.complete(whole.digest(), last_tags)
        return fields


def _canonicalize_field(name: str, value: bytes) -> bytes:
    """Return a field in "relaxed" canonical form (RFC 6376 section 3.4.2); *name* is in lower case."""
    unfolded = value.replace(b"\r\n ", b" ").replace(b"\r\n\t", b" ")
    if b"\r" in unfolded or b"\n" in unfolded:
        raise ValueError(f"a line break ends {name} before its value does")
    return b"%b:%b\r\n" % (name.encode(), _WHITESPACE.sub(b" ", unfolded).strip(b" "))


def _repeated_names(names: Iterable[str]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]
