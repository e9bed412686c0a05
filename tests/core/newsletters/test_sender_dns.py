"""What receivers would find in DNS, judged."""

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


def told(texts=None, exchanges=(), bounces=None, keys=(RSA, ED25519)):
    """What is said of records that differ from good ones, as (level, what)."""
    identity = Identity(domain=DOMAIN, bounces=bounces, keys=keys, where="config.toml: mail")
    asked = sender_dns.names_to_query(identity)
    answers = {name: answer for name, answer in (GOOD | (texts or {})).items() if name in asked}
    assert set(answers) == set(asked)
    found = list(sender_dns.check_sender(identity, answers, exchanges))
    assert all(remark.why and remark.do and remark.where.startswith("config.toml: mail") for remark in found)
    return [(remark.level, remark.what) for remark in found]


def pkcs1(key):
    return key.private.public_key().public_bytes(Encoding.DER, PublicFormat.PKCS1)


def test_good_records_are_not_found_fault_with():
    """SPF and both keys at the sender's domain, DMARC at the one above it: all there is to say is nothing."""
    assert told() == []


SPF_FAULTS = {
    "none": ((), "error", "has no SPF record"),
    "another version": (("v=spf10 mx -all",), "error", "has no SPF record"),
    "two": ((SPF, "v=spf1 a -all"), "error", "has 2 SPF records"),
    "nobody": (("V=SPF1  -ALL",), "error", "says that no server may send for it"),
}


@pytest.mark.parametrize(("records", "level", "what"), SPF_FAULTS.values(), ids=SPF_FAULTS)
def test_exactly_one_spf_record_lets_somebody_send(records, level, what):
    """RFC 7208, 4.5: none and more than one are both as bad; one that lets nobody send is for domains without mail."""
    [(found, said)] = told({DOMAIN: records})
    assert found == level
    assert what in said


def test_spf_is_asked_of_the_envelope_and_only_recommended_for_from():
    """RFC 7208, 2.4: receivers look at the address that mail comes back to."""
    bounces = f"bounces.{DOMAIN}"
    assert told({bounces: (SPF,), DOMAIN: ()}, ("mx.example.com",), bounces) == [
        ("warning", f"{DOMAIN} has no SPF record")
    ]
    assert told({bounces: ()}, ("mx.example.com",), bounces) == [("error", f"{bounces} has no SPF record")]


DMARC_FAULTS = {
    "none": ({"_dmarc.example.com": ("v=DMARC2; p=none", "v=spf1 -all")}, "error", "has no DMARC record"),
    "two": ({f"_dmarc.{DOMAIN}": (DMARC, DMARC)}, "error", "has 2 DMARC records"),
    "no policy": ({f"_dmarc.{DOMAIN}": ("v=DMARC1; rua=mailto:a@example.com",)}, "warning", "does not say what to do"),
}


@pytest.mark.parametrize(("texts", "level", "what"), DMARC_FAULTS.values(), ids=DMARC_FAULTS)
def test_one_dmarc_record_says_what_to_do(texts, level, what):
    """RFC 7489, 6.6.3 and 6.3: the nearest one counts, one alone, and it has a policy."""
    [(found, said)] = told(texts)
    assert found == level
    assert what in said


def test_dmarc_is_looked_for_up_to_the_second_label():
    """RFC 9989: the domain, then each one above it, eight names at most; never a top-level domain's."""
    long = Identity(domain="a.b.c.d.e.f.g.h.i.example.com", bounces=None, keys=(), where="")
    above = [f"_dmarc.{'.'.join('defghi'[at:])}.example.com" for at in range(6)]
    assert sender_dns.names_to_query(long) == (long.domain, f"_dmarc.{long.domain}", *above, "_dmarc.example.com")
    short = Identity(domain="localhost", bounces=None, keys=(), where="")
    assert sender_dns.names_to_query(short) == ("localhost", "_dmarc.localhost")


DKIM_FAULTS = {
    "none": ((), "has no record"),
    "two": ((sender_dns.dkim_record(RSA), sender_dns.dkim_record(OTHER)), "has 2 records"),
    "revoked": (("v=DKIM1; p=",), "is revoked"),
    "another's": ((sender_dns.dkim_record(OTHER),), "has another key"),
    "of another kind": ((sender_dns.dkim_record(ED25519),), r"of another kind \(ed25519\)"),
    "not base64": (("v=DKIM1; p=%%%",), "has another key"),
    "something else": (("v=spf1 -all",), "holds no key"),
    "another version": (("v=DKIM2; p=AAAA",), "holds no key"),
}


@pytest.mark.parametrize(("records", "what"), DKIM_FAULTS.values(), ids=DKIM_FAULTS)
def test_each_key_is_found_where_receivers_look_for_it(records, what):
    """RFC 6376, 3.6: one record at the selector, not revoked, with the other half of the key that signs."""
    [(level, said)] = told({S1: records})
    assert level == "error"
    assert said.startswith(S1)
    assert re.search(what, said)


def test_what_is_to_be_published_is_told_whole():
    """Nobody has to know how a public key is written down: the remedy is the record."""
    identity = Identity(domain=DOMAIN, bounces=None, keys=(ED25519,), where="m")
    [remark] = sender_dns.check_sender(identity, GOOD | {S2: ()}, ())
    public = ED25519.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    assert f'{S2} TXT "v=DKIM1; k=ed25519; p={b64encode(public).decode()}"' in remark.do


def test_a_key_may_be_written_down_in_each_way_that_receivers_read():
    """Without version and kind, folded, and in the form that RFC 6376 means, beside the one of its examples."""
    folded = sender_dns.dkim_record(RSA).replace("v=DKIM1; k=rsa; ", "").replace("A", "A \t")
    assert told({S1: (folded,)}) == []
    assert told({S1: (f"v=DKIM1; p={b64encode(pkcs1(RSA)).decode()};",)}) == []


BACK = "mail comes back to"
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
    "siblings, as far as DNS can tell": (
        "bounces.example.com",
        {"_dmarc.example.com": None},
        [("warning", "DNS could not find out")],
    ),
    "strangers": ("mail.example.net", {}, [("error", BACK)]),
    "one name that begins with the other": (f"{DOMAIN}.example.net", {}, [("error", BACK)]),
    "one name that ends like the other": (
        f"bad{DOMAIN}",
        {"_dmarc.example.com": ()},
        [("error", "has no DMARC record"), ("warning", BACK)],
    ),
}


@pytest.mark.parametrize(("bounces", "texts", "expected"), BOUNCES.values(), ids=BOUNCES)
def test_mail_comes_back_to_the_organisation_it_comes_from(bounces, texts, expected):
    """RFC 7489, 3.1.2: else SPF says nothing for the sender; where nobody knows, nothing is said."""
    found = told({bounces: (SPF,)} | texts, ("mx.example.com",), bounces)
    assert [level for level, _ in found] == [level for level, _ in expected]
    assert all(what in said for (_, said), (_, what) in zip(found, expected, strict=True))


@pytest.mark.parametrize(("exchanges", "what"), [((), "has no MX record"), ((".",), "takes no mail")])
def test_somebody_takes_the_mail_that_comes_back(exchanges, what):
    """A domain without a mail exchange, or with one that says no (RFC 7505), loses bounces and leave requests."""
    [(level, said)] = told({f"b.{DOMAIN}": (SPF,)}, exchanges, f"b.{DOMAIN}")
    assert level == "error"
    assert what in said


def test_what_could_not_be_found_out_is_not_said_to_be_missing():
    """A name whose servers are down is told as such, once, and the others are judged all the same."""
    assert told({DOMAIN: None, S1: ()}) == [
        ("warning", f"DNS could not find out about {DOMAIN}"),
        ("error", f"{S1} has no record"),
    ]
    assert told({f"_dmarc.{DOMAIN}": None, "_dmarc.example.com": ()}) == [
        ("warning", f"DNS could not find out about _dmarc.{DOMAIN}")
    ]


def test_servers_that_find_nothing_out_are_told_once():
    """A resolver that refuses every question is as good as none."""
    [(level, what)] = told(dict.fromkeys(GOOD))
    assert (level, what) == ("warning", "DNS could not be asked: the name servers find nothing out")


@given(
    st.dictionaries(st.sampled_from(sorted(GOOD)), st.none() | st.lists(st.text(max_size=30), max_size=3).map(tuple))
)
def test_no_answer_is_too_odd_to_be_judged(texts):
    """DNS is anybody's: whatever stands there, remarks come of it and no fault of ours."""
    told(texts)


def test_a_key_that_cannot_be_used_comes_with_the_command_that_makes_one():
    """Path, reason and remedy, the path as a shell takes it."""
    remark = sender_dns.unusable_key("/a b/k.pem", "cannot be read: No such file or directory", "m.dkim[0].key_file")
    assert remark.level == "error"
    assert remark.what == "/a b/k.pem: cannot be read: No such file or directory"
    assert "`openssl genrsa -out '/a b/k.pem' 2048`" in remark.do


TOGETHER = {
    "both kinds": ([RSA, ED25519], None),
    "no RSA": ([ED25519], "an RSA key is missing"),
    "one name": ([RSA, ED25519._replace(selector="S1")], "two keys are called s1"),
    "no name": ([RSA._replace(selector="s 1")], "'s 1' is no name in DNS"),
}


@pytest.mark.parametrize(("keys", "what"), TOGETHER.values(), ids=TOGETHER)
def test_keys_can_sign_together(keys, what):
    """What the signer would refuse while letters go out is told before."""
    found = list(sender_dns.key_conflicts(DOMAIN, keys, "m"))
    assert [remark.level for remark in found] == ([] if what is None else ["error"])
    assert what is None or what in found[0].what
