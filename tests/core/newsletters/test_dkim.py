"""Signatures: verified by two programs of other families, dkimpy and OpenDKIM."""

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
    """What dkimpy has PyNaCl for: verifying Ed25519, which `cryptography` does as well."""

    def __init__(self, text, **_):
        self._key = Ed25519PublicKey.from_public_bytes(b64decode(text))

    def verify(self, digest, signature):
        self._key.verify(signature, digest)


class Dkimpy:
    """dkimpy, asking a dictionary instead of DNS."""

    def __init__(self, records):
        self._records = records

    def verdicts(self, messages):
        """Return for each message whether the first signature in it is good."""
        return [dkim.verify(message, dnsfunc=self._record) for message in messages]

    def _record(self, name, **_):
        return self._records[name.decode().rstrip(".")]


def pem(key, encryption=NoEncryption()):  # noqa: B008 - a constant
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)


@pytest.fixture(scope="session")
def keys():
    """One of each kind, as they come out of files."""
    made = {"s1": rsa.generate_private_key(65537, 2048), "s2": Ed25519PrivateKey.generate()}
    return [DkimKey(selector, load_private_key(pem(key))) for selector, key in made.items()]


@pytest.fixture(scope="session")
def records(keys):
    """What stands in DNS; Ed25519 without the frame that RSA has (RFC 8463 section 4)."""
    (_, one), (_, other) = keys
    whole = one.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    bare = other.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
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
def judge(request, records, tmp_path_factory):
    """Both programs, one after the other."""
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
    """RSA alone, and both; handed over in the wrong order."""
    return Signer(DOMAIN, keys[: request.param][::-1])


def signatures(signer, fixed=FIXED, own=OWN, body=BODY):
    """The DKIM-Signature fields, each with its line end."""
    text = signer.for_letter(fixed.items(), list(own)).sign(list(own.values()), sha256(body).digest(), AT)
    return re.findall(rb"DKIM-Signature:.*\r\n(?:[ \t].*\r\n)+", text)


def head(fields):
    return b"".join(b"%b:%b\r\n" % (name.encode(), value) for name, value in fields.items())


def tags(signature):
    """What a DKIM-Signature says, by tag, without white space."""
    value = re.sub(r"\s", "", signature.decode().partition(":")[2])
    return dict(tag.split("=", 1) for tag in value.split(";"))


def alone(found, message):
    """The message with each signature as its only one."""
    return [signature + message for signature in found]


#: What may stand in a field or a line of the body: anything but what ends lines and controls programs.
words = st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=30).map(str.encode)
white = st.text(" \t", max_size=3).map(str.encode)
folds = st.sampled_from([b"\r\n ", b"\r\n\t", b"\r\n  \t", b" ", b"\t", b""])


@st.composite
def values(draw):
    """What stands after a field's colon: folded, with tabs, with white space at both ends, in any script."""
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
def test_every_message_is_verified(fixed, own, body, keys, judge):
    """Whatever stands in the fields and the body, each signature is good, and so are both together."""
    found = signatures(Signer(DOMAIN, keys), fixed, own, body)
    message = head(own | fixed) + b"\r\n" + body
    assert judge.verdicts([*alone(found, message), b"".join(found) + message]) == [True] * 3


@given(data=st.data(), fixed=fixed_fields, own=own_fields, body=bodies)
def test_one_changed_byte_breaks_every_signature(data, fixed, own, body, keys, judge):
    """Be it in any signed field or in the body: only white space of the header may change on the way."""
    found = signatures(Signer(DOMAIN, keys), fixed, own, body)
    fields, place = fixed | own, data.draw(st.sampled_from([*fixed, *own, "body"]))
    text = body if place == "body" else fields[place]
    kept = b" \t\r\n<@>" if place == "From" else b" \t\r\n"  # OpenDKIM goes no further without an address in From
    visible = [at for at, byte in enumerate(text) if byte not in kept]
    assume(visible)
    at = data.draw(st.sampled_from(visible))
    changed = text[:at] + (b"x" if text[at : at + 1] != b"x" else b"y") + text[at + 1 :]
    fields, body = (fields, changed) if place == "body" else (fields | {place: changed}, body)
    assert judge.verdicts(alone(found, head(fields) + b"\r\n" + body)) == [False] * 2


@pytest.mark.parametrize("top", [True, False], ids=["above", "below"])
@pytest.mark.parametrize(
    "name", ["From", "FROM", "Subject", "To", "Date", "Message-ID", "Reply-To", "MIME-Version", "Content-Type"]
)
def test_a_second_one_of_what_comes_once_breaks_every_signature(name, top, signer, judge):
    """Else whoever gets a letter could send it on under another name or headline, and it would be signed by us."""
    second, whole = head({name: b" Mallory <mallory@example.net>"}), head(FIXED | OWN)
    message = (second + whole if top else whole + second) + b"\r\n" + BODY
    assert not any(judge.verdicts(alone(signatures(signer), message)))


def test_what_relays_add_and_fold_anew_breaks_nothing(signer, judge):
    """Traces, verdicts and lists' fields come on top or below; names change case, and lines are folded elsewhere."""
    trace = {"Return-Path": b" <a@b.example>", "Received": b" from a\r\n\tby b;\r\n\tMon, 23 Nov 2026 12:00:01 +0000"}
    below = {"X-Spam-Status": b" No", "Sender": b" list@example.net", "Cc": b" b@example.net", "List-Post": b" NO"}
    folded = {name.upper(): re.sub(rb"(?<!\n) ", b"\r\n\t ", value) for name, value in (OWN | FIXED).items()}
    message = head(trace) + head(folded) + head(below) + b"\r\n" + BODY
    assert all(judge.verdicts(alone(signatures(signer), message)))


def test_signed_are_all_fields_once_and_what_comes_once_again(keys):
    """A field that the message has not is not signed, so that it may be added."""
    for signature in signatures(Signer(DOMAIN, keys)):
        signed = tags(signature)["h"].split(":")
        again = ["from", "subject", "to", "date", "message-id", "reply-to", "mime-version", "content-type"]
        assert sorted(signed) == sorted([*map(str.lower, [*FIXED, *OWN]), *again])
    (without,) = signatures(Signer(DOMAIN, keys[:1]), {"From": b" a@example.com"}, {})
    assert tags(without)["h"] == "from:from"


def test_rsa_comes_first(keys):
    """Receivers that look at one signature look at the first, and know RSA."""
    found = [tags(signature) for signature in signatures(Signer(DOMAIN, keys[::-1]))]
    assert [(tag["a"], tag["s"], tag["t"]) for tag in found] == [
        ("rsa-sha256", "s1", str(AT)),
        ("ed25519-sha256", "s2", str(AT)),
    ]


def test_the_same_message_has_the_same_signatures_from_any_thread(signer):
    """A resumed send repeats a message byte for byte, and what is prepared may be shared."""
    prepared = signer.for_letter(FIXED.items(), list(OWN))
    values = [list((OWN | {"To": f" {number}@example.org".encode()}).values()) for number in range(50)]
    alone = [prepared.sign(own, sha256(BODY).digest(), AT) for own in values]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda own: prepared.sign(own, sha256(BODY).digest(), AT), values)) == alone


@given(st.lists(st.from_regex(r"X-[A-Za-z-]{1,60}", fullmatch=True), unique_by=str.lower, max_size=40))
def test_no_line_is_over_76_characters(keys, names):
    """However many fields are signed; each line but the first begins with a space and ends with CRLF."""
    text = b"".join(signatures(Signer("a-rather-long-name.news.example.com", keys), FIXED, dict.fromkeys(names, b"")))
    lines = text.split(b"\r\n")
    assert lines.pop() == b""
    assert all(len(line) <= 76 and not {*b"\r\n"} & {*line} for line in lines)
    assert all(line.startswith((b" ", b"DKIM-Signature: v=1; ")) and line.strip() for line in lines)


def test_ed25519_alone_is_an_error(keys):
    """Large providers do not verify it: letters would count as unsigned there."""
    with pytest.raises(ValueError, match="an RSA key is missing"):
        Signer(DOMAIN, keys[1:])
    with pytest.raises(ValueError, match="an RSA key is missing"):
        Signer(DOMAIN, [])


def test_two_keys_of_one_name_are_an_error(keys):
    """DNS holds one key for a name, in any case of its letters: the other signature would be broken."""
    with pytest.raises(ValueError, match="two keys are called s1"):
        Signer(DOMAIN, [keys[0], DkimKey("S1", keys[1].private)])


@pytest.mark.parametrize(
    "name", ["", "ex ample.com", "example.com; l=0", "example.com\r\nBcc: a", "a..b", "bücher.example"]
)
def test_names_that_dns_has_not_are_an_error(name, keys):
    """A domain or selector goes into the header as it is, so nothing in it may end a tag or a line."""
    with pytest.raises(ValueError, match="is no name in DNS"):
        Signer(name, keys)
    with pytest.raises(ValueError, match="is no name in DNS"):
        Signer(DOMAIN, [DkimKey(name, keys[0].private)])


def test_from_must_be_signed(signer):
    """A signature without it says nothing about who wrote (RFC 6376 section 5.4)."""
    with pytest.raises(ValueError, match="From is missing"):
        signer.for_letter([("Subject", b" A")], ["To"])


def test_a_field_comes_once(signer):
    """Receivers count fields of one name from below, and nobody here knows which of ours lies below."""
    with pytest.raises(ValueError, match="to comes twice"):
        signer.for_letter(FIXED.items(), ["To", "TO"])


@pytest.mark.parametrize("value", [b" a\r\nBcc: b@example.com", b" a\nb", b" a\rb", b" a\r\n", b" a\r\n\r\n b"])
def test_a_value_that_ends_its_field_is_an_error(value, signer):
    """What would be signed is not what would be sent."""
    with pytest.raises(ValueError, match="a line break ends subject"):
        signer.for_letter((FIXED | {"Subject": value}).items(), [])
    with pytest.raises(ValueError, match="a line break ends to"):
        signatures(signer, own={"To": value})


def test_values_and_names_are_as_many(signer):
    """A value too few would sign the wrong fields."""
    with pytest.raises(ValueError, match="argument"):
        signer.for_letter(FIXED.items(), ["To", "Date"]).sign([b" a@example.com"], bytes(32), AT)


def mersenne(one, other):
    """An RSA key of *one* + *other* bits out of two known primes: large ones are slow to find."""
    p, q = 2**other - 1, 2**one - 1
    d = pow(65537, -1, math.lcm(p - 1, q - 1))
    public = rsa.RSAPublicNumbers(65537, p * q)
    return rsa.RSAPrivateNumbers(p, q, d, d % (p - 1), d % (q - 1), pow(q, -1, p), public).private_key(
        unsafe_skip_rsa_key_validation=True  # which takes seconds, and who reads the file validates it
    )


@pytest.mark.parametrize(("one", "other"), [(127, 521), (521, 607), (607, 1279), (2203, 2281)])
def test_rsa_keys_that_receivers_do_not_take_are_refused(one, other):
    """Fewer than 2048 bits are too weak, and more than 4096 need not be verified (RFC 8301 section 3.2)."""
    with pytest.raises(ValueError, match=f"this RSA key has {one + other} bits: receivers want 2048 to 4096"):
        load_private_key(pem(mersenne(one, other)))


def test_a_key_with_a_password_is_refused_with_a_word_about_it():
    """Letters go out while nobody is there to type it."""
    with pytest.raises(ValueError, match="this key has a password"):
        load_private_key(pem(Ed25519PrivateKey.generate(), BestAvailableEncryption(b"secret")))


def test_keys_of_other_kinds_are_refused():
    """A good key for something else is told from no key."""
    with pytest.raises(ValueError, match="a key of another kind"):
        load_private_key(pem(ec.generate_private_key(ec.SECP256R1())))


def test_what_is_no_private_key_is_refused(keys):
    """Nothing, words, half a file and the public half are all no key."""
    public = keys[0].private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    for text in (b"", b"hello", pem(keys[1].private)[:60], public, keys[1].private.private_bytes_raw()):
        with pytest.raises(ValueError, match="this is no private key in PEM"):
            load_private_key(text)
