"""Parsing and comparing addresses."""

import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import example, given
from hypothesis import strategies as st

from feeds.core.subscribers.addresses import address_warnings, mask_address, parse_address
from feeds.errors import AddressError


def test_addresses_are_compared_without_case_and_with_idn_as_punycode():
    """Addresses that differ in case, or in the form of an international domain, have the same key."""
    assert parse_address("Ada@EXAMPLE.org").key == parse_address(" ada@example.org ").key == "ada@example.org"
    assert parse_address("a@bücher.example.org").key == "a@xn--bcher-kva.example.org"


@pytest.mark.parametrize(
    "text", ["", "ada", "a@b@c.org", "a@b.org\nBcc: x@y.org", "a@b.org, c@d.org", "@b.org", "a" * 300 + "@b.org"]
)
def test_what_mail_could_not_be_sent_to_is_refused(text):
    """A text that is not an address, or holds several, is rejected."""
    with pytest.raises(AddressError, match="is not an email address"):
        parse_address(text)


@given(st.text(max_size=40))
def test_no_text_raises_anything_but_a_refusal(text):
    """Any text gives an address or an AddressError with a reason."""
    try:
        assert "@" in parse_address(text).key
    except AddressError as error:
        assert error.reason


def test_a_text_far_too_long_is_refused_at_once():
    """A text longer than an address is rejected by its length: a hostile CSV cell may have 131,072 characters."""
    with pytest.raises(AddressError) as error:
        parse_address("a@" * 60_000)
    assert "120000 characters" in error.value.reason


def _parse_with_library(text):
    """Return the address as email-validator alone parses it."""
    try:
        found = validate_email(text.strip(), check_deliverability=False)
    except EmailNotValidError:
        return None
    return found.normalized, f"{found.local_part.casefold()}@{found.ascii_domain.casefold()}"


def _parse(text):
    try:
        found = parse_address(text)
    except AddressError:
        return None
    return found.email, found.key


UNUSUAL = [
    *(
        "a@b.org",
        "A.B+c@D-e.ORG",
        "a@b.c",
        "a@b.c1",
        "a@b.1c",
        "a@1.2.3.4",
        "a@b.123",
        "a@localhost",
        "a@b",
        "a@b.local",
    ),
    *(
        "a@b.test",
        "a@test",
        "a@b.TEST",
        "a@b.invalid",
        "a@x.arpa",
        "a@b.onion",
        "a@contest",
        "a@b.contest",
        "a@test.org",
    ),
    *("a@example", "a@example.org", "a@b.example", ".a@b.org", "a.@b.org", "a..b@c.org", "a.b.c@d.org", "a@.b.org"),
    *(
        "a@b.org.",
        "a@b..org",
        "a@-b.org",
        "a@b-.org",
        "a@b-.c.org",
        "a@b--c.org",
        "a@bc--d.org",
        "a@b.cd--e",
        "a@b---c.org",
    ),
    *("a@xn--bcher-kva.de", "a@XN--BCHER-KVA.de", "a@xn--0.de", "a@xn--.de", "a@b.xn--p1ai", "a@xn--a.org"),
    *('"a"@b.org', '"a b"@c.org', '"a.b."@c.org', 'a"b@c.org', "a\\@b@c.org", "a b@c.org", "a@b c.org", "(x)a@b.org"),
    *(
        "a(x)@b.org",
        "a@b.org(x)",
        "a@[127.0.0.1]",
        "a@[IPv6:::1]",
        "Ada <a@b.org>",
        "<a@b.org>",
        "mailto:a@b.org",
        "a@b_c.org",
    ),
    *(
        "a@b.org\n",
        "\ta@b.org\u3000",
        "a@b.org\x00",
        "a\r\n@b.org",
        "a@b\n.org",
        "a@b.org\x85",
        "a;b@c.org",
        "a,b@c.org",
    ),
    *(
        "!#$%&'*+-/=?^_`{|}~@b.org",
        "=cmd()@b.org",
        "'=a@b.org",
        "-a@b.org",
        "a@b.o-g",
        "a@b.org-",
        "a@9.org",
        "a@b9.org",
    ),
    *("INFO@b.org", "Abuse@B.org", "PostMaster@b.org", "INFOS@b.org", "Info+x@b.org", "info.X@b.org", "UUCP@b.org"),
    *("pаypal@b.org", "a@pаypal.com", "ａ@b.org", "a@ｂ.org", "a＠b.org", "a@b。org", "a@b․org", "ſ@b.org", "K@b.org"),
    *("jürgen@b.org", "ju\u0308rgen@b.org", "a@bu\u0308cher.de", "почта@пример.рф", "a@faß.de", "a@ß.de", "İ@b.org"),
    *(
        "a\u200b@b.org",
        "a@b\u200b.org",
        "\u202ea@b.org",
        "a@\u0301b.org",
        "\u0301a@b.org",
        "a\ud800@b.org",
        "a\ufffd@b.org",
    ),
    *("a@" + "b" * 63 + ".org", "a@" + "b" * 64 + ".org", "a" * 64 + "@b.org", "a" * 65 + "@b.org"),
    *("a" * 248 + "@b.org", "a" * 249 + "@b.org", "a@" + "b." * 124 + "org", "a@" + "b." * 125 + "org"),
    *(
        "ü" * 124 + "@b.org",
        "ü" * 125 + "@b.org",
        "a" * 230 + "@bücher.org",
        "a" * 243 + "@bücher.org",
        "a" * 244 + "@xn--bcher-kva.de",
    ),
]


@pytest.mark.parametrize("text", UNUSUAL, ids=ascii)
def test_hard_addresses_are_what_email_validator_says(text):
    """Unusual addresses (dots, hyphens, lengths, reserved domains, punycode, quotes) parse as in email-validator."""
    assert _parse(text) == _parse_with_library(text)


_LOCALS = st.text("abzABZ019.+-_'=!/\"@ ü", max_size=70) | st.sampled_from(["INFO", "info", "Abuse", "a" * 64, "news"])
_LABELS = st.text("abzABZ019-", max_size=8) | st.sampled_from(
    [
        "xn--bcher-kva",
        "XN--0",
        "ab--c",
        "b" * 63,
        "b" * 64,
        "bü",
        "test",
        "invalid",
        "localhost",
        "org",
        "ORG",
        "com",
        "b_c",
        "１",
    ]
)


@given(_LOCALS, st.lists(_LABELS, min_size=1, max_size=5), st.sampled_from(["", " ", "\n", ".", "@", "\u3000"]))
@example("a" * 180, ["b" * 63, "b" * 8], "")
def test_the_short_way_says_what_email_validator_says(local, labels, end):
    """Texts that are nearly addresses parse, or fail, as in email-validator."""
    text = f"{local}@{'.'.join(labels)}{end}"
    assert _parse(text) == _parse_with_library(text)


@given(st.from_regex(r"[a-zA-Z0-9!#-'*+/=?^-~.-]{1,64}@([a-zA-Z0-9-]{1,12}\.){1,4}[a-zA-Z0-9-]{1,8}", fullmatch=True))
def test_the_short_way_holds_for_plain_addresses(text):
    """Texts of plain ASCII characters parse, or fail, as in email-validator."""
    assert _parse(text) == _parse_with_library(text)


@pytest.mark.parametrize("text", ["postmaster@b.org", "Abuse@b.org", "noreply@b.org", "no-reply+x@b.org", "INFO@b.org"])
def test_the_address_of_an_office_is_told(text):
    """A role address gives a warning."""
    (warning,) = address_warnings(parse_address(text))
    assert "is a role address, not a person" in warning


@pytest.mark.parametrize("text", ["a@pаypal.com", "pаypal@b.org", "a@xn--pypal-4ve.com", "a@gοοgle.com", "a@𐌰𐌱.org"])
def test_mixed_alphabets_are_told(text):
    """A word that mixes scripts gives a warning (UTS #39), also in punycode."""
    assert address_warnings(parse_address(text)) == ("mixes scripts that look alike, or uses a rare script",)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "ada@b.org",
            "ada.lovelace-1@b.co.uk",
            "jürgen@bücher.de",
            "почта@пример.рф",
            "a@пример.com",
            "ユーザー@b.jp",
        ),
        *("a@日本語とkana.jp", "a@한국어.kr", "pressoffice@b.org", "информ@b.org", "δοκιμή@παράδειγμα.gr", "a@ไทย.th"),
    ],
)
def test_people_with_one_alphabet_are_not_doubted(text):
    """A word in one script gives no warning, nor does Japanese or Korean mixed with Latin."""
    assert address_warnings(parse_address(text)) == ()


@pytest.mark.parametrize(
    ("email", "expected"),
    [
        ("ada.lovelace@example.org", "a•••@e•••.org"),
        ("a@b.example.co", "a•••@b•••.co"),
        ("手紙@例え.jp", "手•••@例•••.jp"),
        ("x@localhost", "x•••@l•••"),
    ],
)
def test_a_masked_address_shows_first_letters_and_the_end(email, expected):
    """A masked address has the first letters of name and domain and the top-level domain, and not their lengths."""
    assert mask_address(email) == expected
