"""DKIM signatures, verified by two independent programs: dkimpy and OpenDKIM."""

import math
import re
from base64 import b64decode, b64encode
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from types import SimpleNamespace

import dkim
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from hypothesis import assume, given
from hypothesis import strategies as st

from feeds.core.newsletters.dkim import DkimKey, Signer, load_private_key
from tests import opendkim

DOMAIN = "example.com"
AT = 1_795_435_200
FIXED = {
    "From": b" Ada <letters@example.com>",
    "Subject": b" =?utf-8?q?Gr=C3=BC=C3=9Fe_aus_der_Werkstatt=2C_mit_vielen?=\r\n =?utf-8?q?_Neuigkeiten?=",
    "Reply-To": b" desk@example.com",
    "List-Id": b" <weekly.example.com>",
    "MIME-Version": b" 1.0",
    "Content-Type": b' multipart/alternative;\r\n boundary="=_5f9b"',
}
OWN = {
    "To": b" reader@example.org",
    "Date": b" Mon, 23 Nov 2026 12:00:00 +0000",
    "Message-ID": b" <weekly.12.abcdef@example.com>",
    "List-Unsubscribe": b" <https://example.com/unsubscribe/abcdef>,\r\n <mailto:desk@example.com>",
}
BODY = b"--=_5f9b\r\n\r\nSome words.\r\n--=_5f9b--\r\n"


class _VerifyKey:
    """Replaces PyNaCl, with which dkimpy verifies Ed25519; `cryptography` can do that too."""

    def __init__(self, text, **_):
        self._key = Ed25519PublicKey.from_public_bytes(b64decode(text))

    def verify(self, digest, signature):
        self._key.verify(signature, digest)


class Dkimpy:
    """Verifies messages with dkimpy, with a dictionary instead of DNS."""

    def __init__(self, records):
        self._records = records

    def verdicts(self, messages):
        """Return for each message whether its first signature is valid."""
        return [dkim.verify(message, dnsfunc=self._record) for message in messages]

    def _record(self, name, **_):
        return self._records[name.decode().rstrip(".")]


def pem(key, encryption=NoEncryption()):  # noqa: B008 - a constant
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)


@pytest.fixture(scope="session")
def keys():
    """A key of each type, loaded from PEM."""
    made = {"s1": rsa.generate_private_key(65537, 2048), "s2": Ed25519PrivateKey.generate()}
    return [DkimKey(selector, load_private_key(pem(key))) for selector, key in made.items()]


@pytest.fixture(scope="session")
def records(keys):
    """The records in DNS, by name; an Ed25519 key is published as bare bytes (RFC 8463 section 4)."""
    (_, rsa_key), (_, ed25519_key) = keys
    whole = rsa_key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    bare = ed25519_key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return {
        "s1._domainkey.example.com": f"v=DKIM1; k=rsa; p={b64encode(whole).decode()}",
        "s2._domainkey.example.com": f"v=DKIM1; k=ed25519; p={b64encode(bare).decode()}",
    }


@pytest.fixture(
    scope="session",
    params=[
        "dkimpy",
        pytest.param("opendkim", marks=pytest.mark.skipif(bool(opendkim.MISSING), reason=opendkim.MISSING)),
    ],
)
def verifier(request, records, tmp_path_factory):
    """One of the two programs that verify signatures."""
    if request.param == "opendkim":
        yield opendkim.OpenDkim(tmp_path_factory.mktemp("opendkim"), records)
        return
    with pytest.MonkeyPatch.context() as patch:
        if not hasattr(dkim, "nacl"):
            nacl = SimpleNamespace(
                signing=SimpleNamespace(VerifyKey=_VerifyKey),
                encoding=SimpleNamespace(Base64Encoder=None),
                exceptions=SimpleNamespace(BadSignatureError=InvalidSignature, ValueError=ValueError),
            )
            patch.setattr(dkim, "nacl", nacl, raising=False)
        yield Dkimpy(records)


@pytest.fixture(scope="session", params=[1, 2], ids=["rsa", "rsa-and-ed25519"])
def signer(request, keys):
    """A signer with RSA alone, and one with both keys in the wrong order."""
    return Signer(DOMAIN, keys[: request.param][::-1])


def signatures(signer, fixed=FIXED, own=OWN, body=BODY):
    """Return the DKIM-Signature fields, each with its line end."""
    text = signer.for_letter(fixed.items(), list(own)).sign(list(own.values()), sha256(body).digest(), AT)
    return re.findall(rb"DKIM-Signature:.*\r\n(?:[ \t].*\r\n)+", text)


def head(fields):
    return b"".join(b"%b:%b\r\n" % (name.encode(), value) for name, value in fields.items())


def tags(signature):
    """Return the tags of a DKIM-Signature without white space."""
    value = re.sub(r"\s", "", signature.decode().partition(":")[2])
    return dict(tag.split("=", 1) for tag in value.split(";"))


def with_each(found, message):
    """Return the message once for each signature, with that signature only."""
    return [signature + message for signature in found]


#: Text in a field or a line of the body: any characters except line ends and control characters.
words = st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=30).map(str.encode)
white = st.text(" \t", max_size=3).map(str.encode)
folds = st.sampled_from([b"\r\n ", b"\r\n\t", b"\r\n  \t", b" ", b"\t", b""])


@st.composite
def values(draw):
    """Draw the value of a field: folded, with tabs, with white space at both ends, in any script."""
    parts = draw(st.lists(st.tuples(words.filter(bytes.strip), white, folds), max_size=4))
    return draw(white) + b"".join(b"%b%b%b" % part for part in parts[:-1]) + b"".join(parts[-1][:2] if parts else ())


fixed_fields = st.fixed_dictionaries(
    {"From": st.just(FIXED["From"])}, optional={name: values() for name in [*FIXED, "X-Any"] if name != "From"}
)
own_fields = st.fixed_dictionaries({name: values() for name in OWN})
bodies = st.lists(st.tuples(words, white).map(b"".join), max_size=6).map(
    lambda lines: b"\r\n".join(lines).rstrip(b"\r\n") + b"\r\n"
)


@given(fixed=fixed_fields, own=own_fields, body=bodies)
def test_every_message_is_verified(fixed, own, body, keys, verifier):
    """For any fields and body, each signature is valid alone, and so are both together."""
    found = signatures(Signer(DOMAIN, keys), fixed, own, body)
    message = head(own | fixed) + b"\r\n" + body
    assert verifier.verdicts([*with_each(found, message), b"".join(found) + message]) == [True] * 3


@given(data=st.data(), fixed=fixed_fields, own=own_fields, body=bodies)
def test_one_changed_byte_breaks_every_signature(data, fixed, own, body, keys, verifier):
    """A changed byte in a signed field or the body breaks each signature; only white space of the header may change."""
    found = signatures(Signer(DOMAIN, keys), fixed, own, body)
    fields, place = fixed | own, data.draw(st.sampled_from([*fixed, *own, "body"]))
    text = body if place == "body" else fields[place]
    kept = b" \t\r\n<@>" if place == "From" else b" \t\r\n"  # OpenDKIM stops if From has no address
    visible = [at for at, byte in enumerate(text) if byte not in kept]
    assume(visible)
    at = data.draw(st.sampled_from(visible))
    changed = text[:at] + (b"x" if text[at : at + 1] != b"x" else b"y") + text[at + 1 :]
    fields, body = (fields, changed) if place == "body" else (fields | {place: changed}, body)
    assert verifier.verdicts(with_each(found, head(fields) + b"\r\n" + body)) == [False] * 2


@pytest.mark.parametrize("top", [True, False], ids=["above", "below"])
@pytest.mark.parametrize(
    "name", ["From", "FROM", "Subject", "To", "Date", "Message-ID", "Reply-To", "MIME-Version", "Content-Type"]
)
def test_a_second_one_of_what_comes_once_breaks_every_signature(name, top, signer, verifier):
    """A second field on top or below breaks each signature: a forwarded letter cannot get another sender or subject."""
    second, whole = head({name: b" Mallory <mallory@example.net>"}), head(FIXED | OWN)
    message = (second + whole if top else whole + second) + b"\r\n" + BODY
    assert not any(verifier.verdicts(with_each(signatures(signer), message)))


def test_what_relays_add_and_fold_anew_breaks_nothing(signer, verifier):
    """Signatures stay valid if relays add trace, spam and list fields, change the case of names or fold lines anew."""
    trace = {"Return-Path": b" <a@b.example>", "Received": b" from a\r\n\tby b;\r\n\tMon, 23 Nov 2026 12:00:01 +0000"}
    below = {"X-Spam-Status": b" No", "Sender": b" list@example.net", "Cc": b" b@example.net", "List-Post": b" NO"}
    folded = {name.upper(): re.sub(rb"(?<!\n) ", b"\r\n\t ", value) for name, value in (OWN | FIXED).items()}
    message = head(trace) + head(folded) + head(below) + b"\r\n" + BODY
    assert all(verifier.verdicts(with_each(signatures(signer), message)))


def test_signed_are_all_fields_once_and_what_comes_once_again(keys):
    """Every field is signed, single fields once more; a field that the message does not have may be added later."""
    for signature in signatures(Signer(DOMAIN, keys)):
        signed = tags(signature)["h"].split(":")
        again = ["from", "subject", "to", "date", "message-id", "reply-to", "mime-version", "content-type"]
        assert sorted(signed) == sorted([*map(str.lower, [*FIXED, *OWN]), *again])
    (without,) = signatures(Signer(DOMAIN, keys[:1]), {"From": b" a@example.com"}, {})
    assert tags(without)["h"] == "from:from"


def test_rsa_comes_first(keys):
    """The RSA signature is the first: receivers that check only one signature check the first, and support RSA."""
    found = [tags(signature) for signature in signatures(Signer(DOMAIN, keys[::-1]))]
    assert [(tag["a"], tag["s"], tag["t"]) for tag in found] == [
        ("rsa-sha256", "s1", str(AT)),
        ("ed25519-sha256", "s2", str(AT)),
    ]


def test_the_same_message_has_the_same_signatures_from_any_thread(signer):
    """A retry repeats a message byte for byte, and threads may share one `LetterSigner`."""
    prepared = signer.for_letter(FIXED.items(), list(OWN))
    values = [list((OWN | {"To": f" {number}@example.org".encode()}).values()) for number in range(50)]
    sequential = [prepared.sign(own, sha256(BODY).digest(), AT) for own in values]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda own: prepared.sign(own, sha256(BODY).digest(), AT), values)) == sequential


@given(st.lists(st.from_regex(r"X-[A-Za-z-]{1,60}", fullmatch=True), unique_by=str.lower, max_size=40))
def test_no_line_is_over_76_characters(keys, names):
    """For any number of fields no line has more than 76 characters; all but the first begin with a space."""
    text = b"".join(signatures(Signer("a-rather-long-name.news.example.com", keys), FIXED, dict.fromkeys(names, b"")))
    lines = text.split(b"\r\n")
    assert lines.pop() == b""
    assert all(len(line) <= 76 and not {*b"\r\n"} & {*line} for line in lines)
    assert all(line.startswith((b" ", b"DKIM-Signature: v=1; ")) and line.strip() for line in lines)


def test_ed25519_alone_is_an_error(keys):
    """Ed25519 without RSA is an error: large providers do not verify it and treat the letters as unsigned."""
    with pytest.raises(ValueError, match="an RSA key is missing"):
        Signer(DOMAIN, keys[1:])
    with pytest.raises(ValueError, match="an RSA key is missing"):
        Signer(DOMAIN, [])


def test_two_keys_of_one_name_are_an_error(keys):
    """Two keys with one selector, in any case, are an error: DNS has only one key for each selector."""
    with pytest.raises(ValueError, match="two keys have the selector s1"):
        Signer(DOMAIN, [keys[0], DkimKey("S1", keys[1].private)])


@pytest.mark.parametrize(
    "name", ["", "ex ample.com", "example.com; l=0", "example.com\r\nBcc: a", "a..b", "bücher.example"]
)
def test_names_that_dns_has_not_are_an_error(name, keys):
    """A domain or selector that is not a DNS name is an error: it could end a tag or a line of the header."""
    with pytest.raises(ValueError, match="is not a DNS name"):
        Signer(name, keys)
    with pytest.raises(ValueError, match="is not a DNS name"):
        Signer(DOMAIN, [DkimKey(name, keys[0].private)])


def test_from_must_be_signed(signer):
    """A letter without From is an error (RFC 6376 section 5.4)."""
    with pytest.raises(ValueError, match="From is missing"):
        signer.for_letter([("Subject", b" A")], ["To"])


def test_a_field_comes_once(signer):
    """A repeated field is an error: receivers count such fields from the bottom, and their order is not known here."""
    with pytest.raises(ValueError, match="to occurs twice"):
        signer.for_letter(FIXED.items(), ["To", "TO"])


@pytest.mark.parametrize("value", [b" a\r\nBcc: b@example.com", b" a\nb", b" a\rb", b" a\r\n", b" a\r\n\r\n b"])
def test_a_value_that_ends_its_field_is_an_error(value, signer):
    """A value with a line break that ends the field is an error: other bytes would be sent than signed."""
    with pytest.raises(ValueError, match="a line break ends subject"):
        signer.for_letter((FIXED | {"Subject": value}).items(), [])
    with pytest.raises(ValueError, match="a line break ends to"):
        signatures(signer, own={"To": value})


def test_values_and_names_are_as_many(signer):
    """Fewer values than names are an error, since the wrong fields would be signed."""
    with pytest.raises(ValueError, match="argument"):
        signer.for_letter(FIXED.items(), ["To", "Date"]).sign([b" a@example.com"], bytes(32), AT)


def mersenne(one, other):
    """Return an RSA key of *one* + *other* bits from two known primes, since large ones are slow to find."""
    p, q = 2**other - 1, 2**one - 1
    d = pow(65537, -1, math.lcm(p - 1, q - 1))
    public = rsa.RSAPublicNumbers(65537, p * q)
    return rsa.RSAPrivateNumbers(p, q, d, d % (p - 1), d % (q - 1), pow(q, -1, p), public).private_key(
        unsafe_skip_rsa_key_validation=True  # which takes seconds; `load_private_key` validates the key
    )


@pytest.mark.parametrize(("one", "other"), [(127, 521), (521, 607), (607, 1279), (2203, 2281)])
def test_rsa_keys_that_receivers_do_not_take_are_refused(one, other):
    """RSA keys below 2048 or above 4096 bits are errors: too weak, or not always verified (RFC 8301 section 3.2)."""
    with pytest.raises(ValueError, match=f"this RSA key has {one + other} bits: receivers accept 2048 to 4096"):
        load_private_key(pem(mersenne(one, other)))


def test_a_key_with_a_password_is_refused_with_a_word_about_it():
    """A key with a password is an error that says so: no one can enter the password during a send."""
    with pytest.raises(ValueError, match="this key has a password"):
        load_private_key(pem(Ed25519PrivateKey.generate(), BestAvailableEncryption(b"secret")))


def test_keys_of_other_kinds_are_refused():
    """A key of another type is an error that says so."""
    with pytest.raises(ValueError, match="another type of key"):
        load_private_key(pem(ec.generate_private_key(ec.SECP256R1())))


def test_what_is_no_private_key_is_refused(keys):
    """An empty file, plain text, half a file and a public key are errors."""
    public = keys[0].private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    for text in (b"", b"hello", pem(keys[1].private)[:60], public, keys[1].private.private_bytes_raw()):
        with pytest.raises(ValueError, match="this is not a private key in PEM"):
            load_private_key(text)
