"""What an address is, when two are the same, and which make one wonder.

email-validator decides. It takes 20 to 100 µs an address, too long for a list of a million, so plain ASCII addresses,
which nearly all are, are recognised by its own rules written as one pattern. Where that pattern does not fit, whatever
the reason, the library is asked. A property test holds that both say the same.
"""

import re
from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING

from feeds.errors import AddressError
from feeds.model import Value

if TYPE_CHECKING:
    import regex

#: RFC 5321 section 4.5.3.1.3, less the angle brackets; in octets (RFC 3696, erratum 1690).
LONGEST = 254
_ATOM = r"[A-Za-z0-9_!#$%&'*+\-/=?^`{|}~]+"  # RFC 5322 section 3.2.3
_LABEL = (
    r"(?!..--)[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"  # RFC 1123 section 2.1; punycode is left to the library
)
_PLAIN = re.compile(rf"({_ATOM}(?:\.{_ATOM})*)@((?:{_LABEL}\.)+{_LABEL}(?<=[A-Za-z]))")

#: Mailboxes of an office, not of a person: RFC 2142, and those that nobody reads.
_ROLES = frozenset(
    [
        "abuse",
        "admin",
        "administrator",
        "billing",
        "contact",
        "daemon",
        "do-not-reply",
        "donotreply",
        "ftp",
        "help",
        "hostmaster",
        "info",
        "list",
        "listserv",
        "mail",
        "mailer-daemon",
        "majordomo",
        "marketing",
        "news",
        "newsletter",
        "no-reply",
        "no_reply",
        "nobody",
        "noc",
        "noreply",
        "office",
        "operator",
        "postmaster",
        "privacy",
        "root",
        "sales",
        "security",
        "spam",
        "support",
        "sysadmin",
        "undisclosed-recipients",
        "unsubscribe",
        "usenet",
        "uucp",
        "webmaster",
        "www",
    ]
)
#: UAX #31, table 5: the scripts that are in use everywhere where they are in use at all.
_SCRIPTS = [
    "Arabic",
    "Armenian",
    "Bengali",
    "Bopomofo",
    "Cyrillic",
    "Devanagari",
    "Ethiopic",
    "Georgian",
    "Greek",
    "Gujarati",
    "Gurmukhi",
    "Hangul",
    "Han",
    "Hebrew",
    "Hiragana",
    "Kannada",
    "Katakana",
    "Khmer",
    "Lao",
    "Latin",
    "Malayalam",
    "Myanmar",
    "Oriya",
    "Sinhala",
    "Tamil",
    "Telugu",
    "Thaana",
    "Thai",
    "Tibetan",
]
#: UTS #39 section 5.2, "highly restrictive": the only scripts that may stand in one word.
_TOGETHER = (("Latin", "Han", "Hiragana", "Katakana"), ("Latin", "Han", "Bopomofo"), ("Latin", "Han", "Hangul"))


class MailAddress(Value, frozen=True, kw_only=True):
    """An address that mail could be sent to."""

    #: As mail is addressed: the local part as given, the domain in lower case.
    email: str
    #: As addresses are compared: case-folded, the domain as punycode.
    key: str


def parse_address(text: str) -> MailAddress:
    """Return the address in *text*; whether a mailbox answers there is not asked.

    Raises:
        AddressError: mail could not be sent there.
    """
    stripped = text.strip()
    return _plain(stripped) or _asked(text, stripped)


def address_warnings(address: MailAddress) -> tuple[str, ...]:
    """Return what somebody should know before they write to *address*: texts for people, most often none.

    A role's mailbox (`postmaster@`) is read by many or by nobody, and they did not all subscribe. Alphabets that are
    mixed within a word (a Cyrillic а in pаypal.com) are how one address passes for another (UTS #39); a word that is
    Cyrillic throughout is just a Russian word.
    """
    local = address.key.rpartition("@")[0].partition("+")[0]
    role = (f"{local}@ is an office, not a person",) if local in _ROLES else ()
    if address.email.isascii() or all(map(_one_alphabet, re.split("[@.]", address.email))):
        return role
    return (*role, "mixes alphabets that look alike, or uses a rare one")


def _plain(text: str) -> MailAddress | None:
    """Return the address if it is one by the plain rules; None says nothing."""
    found = _PLAIN.fullmatch(text)
    if found is None or len(text) > LONGEST:
        return None
    local, domain = found.groups()
    key = text.lower()
    domain = key[-len(domain) :]
    unreachable, offices = _library_lists()
    if domain.endswith(unreachable):
        return None
    if key[: len(local)] in offices:
        local = local.lower()
    return MailAddress(email=f"{local}@{domain}", key=key)


def _asked(text: str, stripped: str) -> MailAddress:
    """Return what email-validator says."""
    from email_validator import EmailNotValidError, validate_email  # noqa: PLC0415 - only commands about people need it

    if len(stripped) > LONGEST:  # it would say so too, but only after it has looked at every character
        raise AddressError(text, f"It has {len(stripped)} characters; an address has {LONGEST} at most.")
    try:
        found = validate_email(stripped, check_deliverability=False)
    except EmailNotValidError as e:
        raise AddressError(text, str(e)) from e
    return MailAddress(
        email=found.normalized,
        key=f"{found.local_part.casefold()}@{found.ascii_domain.casefold()}",
    )


@cache
def _library_lists() -> tuple[tuple[str, ...], frozenset[str]]:
    """Return email-validator's ends of domains without mail, and its local parts without case (RFC 2142)."""
    import email_validator  # noqa: PLC0415 - as above
    from email_validator.rfc_constants import CASE_INSENSITIVE_MAILBOX_NAMES  # noqa: PLC0415 - as above

    ends = tuple(f".{name}" for name in email_validator.SPECIAL_USE_DOMAIN_NAMES)
    return ends, frozenset(CASE_INSENSITIVE_MAILBOX_NAMES)


def _one_alphabet(word: str) -> bool:
    return word.isascii() or _one_alphabet_pattern().fullmatch(word) is not None


@cache
def _one_alphabet_pattern() -> "regex.Pattern[str]":
    import regex  # noqa: PLC0415 - few addresses need it

    scripts = [*((script,) for script in _SCRIPTS), *_TOGETHER]
    return regex.compile("|".join(map(_written_in, scripts)))


def _written_in(scripts: Iterable[str]) -> str:
    """Return a pattern for text in nothing but *scripts*, digits and signs."""
    every = "".join(rf"\p{{Script_Extensions={script}}}" for script in scripts)
    return rf"[{every}\p{{Script=Common}}\p{{Script=Inherited}}]*"
