"""Diagnostics for the DNS records of a sender."""

import re
from base64 import b64encode

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from feeds.core.newsletters import sender_dns
from feeds.core.newsletters.dkim import DkimKey
from feeds.core.newsletters.sender_dns import Identity

RSA = DkimKey("s1", generate_private_key(65537, 2048))
ED25519 = DkimKey("s2", Ed25519PrivateKey.generate())
OTHER = DkimKey("s1", generate_private_key(65537, 2048))
DOMAIN = "news.example.com"
SPF, DMARC = "v=spf1 mx -all", "v=DMARC1; p=none"
S1, S2 = f"s1._domainkey.{DOMAIN}", f"s2._domainkey.{DOMAIN}"
GOOD = {
    DOMAIN: (SPF, "some-site-verification=1"),
    f"_dmarc.{DOMAIN}": (),
    "_dmarc.example.com": (DMARC,),
    S1: (sender_dns.dkim_record(RSA),),
    S2: (sender_dns.dkim_record(ED25519),),
}


def diagnostics(changed=None, mx_hosts=(), bounces=None, keys=(RSA, ED25519)):
    """Return the diagnostics, as (level, what), for good records except for the *changed* ones."""
    identity = Identity(domain=DOMAIN, bounces=bounces, keys=keys, where="config.toml: mail")
    names = sender_dns.names_to_query(identity)
    records = {name: answer for name, answer in (GOOD | (changed or {})).items() if name in names}
    assert set(records) == set(names)
    found = list(sender_dns.check_sender(identity, records, mx_hosts))
    assert all(one.why and one.do and one.where.startswith("config.toml: mail") for one in found)
    return [(one.level, one.what) for one in found]


def pkcs1(key):
    return key.private.public_key().public_bytes(Encoding.DER, PublicFormat.PKCS1)


def test_good_records_have_no_diagnostics():
    """SPF and both keys at the sender's domain and DMARC at its parent give no diagnostics."""
    assert diagnostics() == []


SPF_FAULTS = {
    "none": ((), "error", "has no SPF record"),
    "another version": (("v=spf10 mx -all",), "error", "has no SPF record"),
    "two": ((SPF, "v=spf1 a -all"), "error", "has 2 SPF records"),
    "no server": (("V=SPF1  -ALL",), "error", "says that no server may send for it"),
}


@pytest.mark.parametrize(("records", "level", "what"), SPF_FAULTS.values(), ids=SPF_FAULTS)
def test_exactly_one_spf_record_lets_a_server_send(records, level, what):
    """No SPF record, more than one (RFC 7208, 4.5) and one that lets no server send are errors."""
    [(found, text)] = diagnostics({DOMAIN: records})
    assert found == level
    assert what in text


def test_spf_is_asked_of_the_envelope_and_only_recommended_for_from():
    """A missing SPF record is an error at the envelope's domain (RFC 7208, 2.4) and a warning at that of From."""
    bounces = f"bounces.{DOMAIN}"
    assert diagnostics({bounces: (SPF,), DOMAIN: ()}, ("mx.example.com",), bounces) == [
        ("warning", f"{DOMAIN} has no SPF record")
    ]
    assert diagnostics({bounces: ()}, ("mx.example.com",), bounces) == [("error", f"{bounces} has no SPF record")]


DMARC_FAULTS = {
    "none": ({"_dmarc.example.com": ("v=DMARC2; p=none", "v=spf1 -all")}, "error", "has no DMARC record"),
    "two": ({f"_dmarc.{DOMAIN}": (DMARC, DMARC)}, "error", "has 2 DMARC records"),
    "no policy": ({f"_dmarc.{DOMAIN}": ("v=DMARC1; rua=mailto:a@example.com",)}, "warning", "does not say what to do"),
}


@pytest.mark.parametrize(("changed", "level", "what"), DMARC_FAULTS.values(), ids=DMARC_FAULTS)
def test_one_dmarc_record_says_what_to_do(changed, level, what):
    """The nearest DMARC record counts; there must be one only (RFC 7489, 6.6.3), with a policy (6.3)."""
    [(found, text)] = diagnostics(changed)
    assert found == level
    assert what in text


def test_dmarc_is_looked_for_up_to_the_second_label():
    """DMARC is queried at the domain and its parents, eight names at most, never at a top-level domain (RFC 9989)."""
    long = Identity(domain="a.b.c.d.e.f.g.h.i.example.com", bounces=None, keys=(), where="")
    parents = [f"_dmarc.{'.'.join('defghi'[at:])}.example.com" for at in range(6)]
    assert sender_dns.names_to_query(long) == (long.domain, f"_dmarc.{long.domain}", *parents, "_dmarc.example.com")
    short = Identity(domain="localhost", bounces=None, keys=(), where="")
    assert sender_dns.names_to_query(short) == ("localhost", "_dmarc.localhost")


DKIM_FAULTS = {
    "none": ((), "has no record"),
    "two": ((sender_dns.dkim_record(RSA), sender_dns.dkim_record(OTHER)), "has 2 records"),
    "revoked": (("v=DKIM1; p=",), "is revoked"),
    "another's": ((sender_dns.dkim_record(OTHER),), "has another key"),
    "of another type": ((sender_dns.dkim_record(ED25519),), r"of another type \(ed25519\)"),
    "not base64": (("v=DKIM1; p=%%%",), "has another key"),
    "something else": (("v=spf1 -all",), "a record without a key"),
    "another version": (("v=DKIM2; p=AAAA",), "a record without a key"),
}


@pytest.mark.parametrize(("records", "what"), DKIM_FAULTS.values(), ids=DKIM_FAULTS)
def test_each_key_is_found_where_receivers_look_for_it(records, what):
    """There must be one record at the selector, not revoked, with the public key of the private one (RFC 6376, 3.6)."""
    [(level, text)] = diagnostics({S1: records})
    assert level == "error"
    assert text.startswith(S1)
    assert re.search(what, text)


def test_the_record_to_publish_is_given_in_full():
    """The remedy for a missing key record is the complete record."""
    identity = Identity(domain=DOMAIN, bounces=None, keys=(ED25519,), where="m")
    [diagnostic] = sender_dns.check_sender(identity, GOOD | {S2: ()}, ())
    public = ED25519.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    assert f'{S2} TXT "v=DKIM1; k=ed25519; p={b64encode(public).decode()}"' in diagnostic.do


def test_a_key_may_be_written_down_in_each_way_that_receivers_read():
    """A key record may omit version and type, be folded, and use the PKCS #1 form that RFC 6376 specifies."""
    folded = sender_dns.dkim_record(RSA).replace("v=DKIM1; k=rsa; ", "").replace("A", "A \t")
    assert diagnostics({S1: (folded,)}) == []
    assert diagnostics({S1: (f"v=DKIM1; p={b64encode(pkcs1(RSA)).decode()};",)}) == []


BACK = "bounces go to"
BOUNCES = {
    "below": ("bounces.news.example.com", {}, []),
    "above": ("example.com", {}, []),
    "siblings under one policy": ("bounces.example.com", {}, []),
    "siblings": ("bounces.example.com", {"_dmarc.example.com": (), f"_dmarc.{DOMAIN}": (DMARC,)}, [("warning", BACK)]),
    "siblings under a registry": (
        "bounces.example.com",
        {"_dmarc.example.com": ("v=DMARC1; p=none; psd=y",)},
        [("warning", BACK)],
    ),
    "siblings, if the lookup fails": (
        "bounces.example.com",
        {"_dmarc.example.com": None},
        [("warning", "the DNS lookup of")],
    ),
    "strangers": ("mail.example.net", {}, [("error", BACK)]),
    "one name that begins with the other": (f"{DOMAIN}.example.net", {}, [("error", BACK)]),
    "one name that ends like the other": (
        f"bad{DOMAIN}",
        {"_dmarc.example.com": ()},
        [("error", "has no DMARC record"), ("warning", BACK)],
    ),
}


@pytest.mark.parametrize(("bounces", "changed", "expected"), BOUNCES.values(), ids=BOUNCES)
def test_bounces_go_to_the_organisation_of_the_sender(bounces, changed, expected):
    """A bounce address of another organisation is reported (RFC 7489, 3.1.2), unless a lookup failed."""
    found = diagnostics({bounces: (SPF,)} | changed, ("mx.example.com",), bounces)
    assert [level for level, _ in found] == [level for level, _ in expected]
    assert all(what in text for (_, text), (_, what) in zip(found, expected, strict=True))


@pytest.mark.parametrize(("mx_hosts", "what"), [((), "has no MX record"), ((".",), "accepts no mail")])
def test_the_bounce_domain_accepts_mail(mx_hosts, what):
    """A bounce domain without a mail exchange, or with a null MX (RFC 7505), is an error."""
    [(level, text)] = diagnostics({f"b.{DOMAIN}": (SPF,)}, mx_hosts, f"b.{DOMAIN}")
    assert level == "error"
    assert what in text


def test_a_failed_lookup_is_not_reported_as_a_missing_record():
    """A failed lookup gives one warning, and the other names are checked."""
    assert diagnostics({DOMAIN: None, S1: ()}) == [
        ("warning", f"the DNS lookup of {DOMAIN} failed"),
        ("error", f"{S1} has no record"),
    ]
    assert diagnostics({f"_dmarc.{DOMAIN}": None, "_dmarc.example.com": ()}) == [
        ("warning", f"the DNS lookup of _dmarc.{DOMAIN} failed")
    ]


def test_servers_that_do_not_answer_are_reported_once():
    """If every lookup fails, there is one warning for all of them."""
    [(level, what)] = diagnostics(dict.fromkeys(GOOD))
    assert (level, what) == ("warning", "DNS cannot be queried: the name servers do not answer")


@given(
    st.dictionaries(st.sampled_from(sorted(GOOD)), st.none() | st.lists(st.text(max_size=30), max_size=3).map(tuple))
)
def test_no_answer_is_too_odd_to_be_checked(changed):
    """Any text in DNS gives diagnostics and never an exception."""
    diagnostics(changed)


def test_a_key_that_cannot_be_used_comes_with_the_command_that_makes_one():
    """The diagnostic has path, reason and a command, with the path quoted for a shell."""
    reason = "cannot be read: No such file or directory"
    diagnostic = sender_dns.unusable_key("/a b/k.pem", reason, "m.dkim[0].key_file")
    assert diagnostic.level == "error"
    assert diagnostic.what == f"/a b/k.pem: {reason}"
    assert "`openssl genrsa -out '/a b/k.pem' 2048`" in diagnostic.do


TOGETHER = {
    "both kinds": ([RSA, ED25519], None),
    "no RSA": ([ED25519], "an RSA key is missing"),
    "one name": ([RSA, ED25519._replace(selector="S1")], "two keys have the selector s1"),
    "no name": ([RSA._replace(selector="s 1")], "'s 1' is not a DNS name"),
}


@pytest.mark.parametrize(("keys", "what"), TOGETHER.values(), ids=TOGETHER)
def test_keys_can_sign_together(keys, what):
    """Keys that a `Signer` would reject during a send are reported by the check."""
    found = list(sender_dns.key_conflicts(DOMAIN, keys, "m"))
    assert [one.level for one in found] == ([] if what is None else ["error"])
    assert what is None or what in found[0].what
