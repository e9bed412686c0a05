"""Parse e-mail addresses, compare them, and warn about unusual ones.

email-validator decides. It takes 20 to 100 µs per address, too long for a list of a million, so plain ASCII addresses,
which are nearly all, are matched by one pattern with its rules. Any other text is passed to the library. A property
test checks that both agree.
"""

import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING

from feeds.errors import AddressError
from feeds.model import Value

if TYPE_CHECKING:
    import regex

#: RFC 5321 section 4.5.3.1.3, less the angle brackets; in octets (RFC 3696, erratum 1690).
MAX_LENGTH = 254
#: RFC 5321 section 4.5.3.1.1, in octets.
_MAX_LOCAL = 64
_ATOM = r"[A-Za-z0-9_!#$%&'*+\-/=?^`{|}~]+"  # RFC 5322 section 3.2.3
_LABEL = r"(?!..--)[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"  # RFC 1123 section 2.1; the library parses punycode
_PLAIN_ADDRESS = re.compile(rf"({_ATOM}(?:\.{_ATOM})*)@((?:{_LABEL}\.)+{_LABEL}(?<=[A-Za-z]))")

#: Addresses of a role, not of a person (RFC 2142), and addresses that are not read.
_ROLE_NAMES = frozenset(
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
#: UAX #31, table 5: recommended scripts.
_RECOMMENDED_SCRIPTS = [
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
#: UTS #39 section 5.2, "highly restrictive": the only scripts that may be mixed in one word.
_SCRIPT_COMBINATIONS = (
    ("Latin", "Han", "Hiragana", "Katakana"),
    ("Latin", "Han", "Bopomofo"),
    ("Latin", "Han", "Hangul"),
)


class MailAddress(Value, frozen=True, kw_only=True):
    """A valid e-mail address."""

    #: As mail is addressed: the local part as given, the domain in lower case.
    email: str
    #: As addresses are compared: case-folded, the domain as punycode.
    key: str


def parse_address(text: str) -> MailAddress:
    """Return the address in *text*; the mailbox need not exist.

    Raises:
        AddressError: *text* is not an e-mail address.
    """
    stripped = text.strip()
    return _parse_plain(stripped) or _parse_with_library(text, stripped)


def require_usable(address: MailAddress) -> None:
    """Raise if mail to an address would hardly arrive, though its spelling is allowed. For new subscribers only.

    Such an address has nearly always been damaged on its way: pasted between quotation marks, typed in full width, or
    glued to other text.

    Raises:
        AddressError: the address should not be subscribed; the reason is for people.
    """
    local = address.email[: address.email.rindex("@")]
    if len(local.encode()) > _MAX_LOCAL:
        raise AddressError(address.email, f"The part before the @ has more than {_MAX_LOCAL} bytes (RFC 5321).")
    if local.startswith("'"):
        raise AddressError(address.email, "It begins with an apostrophe; write the address without quotation marks.")
    if not local.isascii() and unicodedata.normalize("NFKC", local) != local:
        raise AddressError(address.email, "It has full-width or similar letters before the @; type it anew.")


def address_warnings(address: MailAddress) -> tuple[str, ...]:
    """Return texts about what is unusual about an address, usually none.

    A role address (`postmaster@`) is read by several people, or not at all, and they did not all subscribe. A word with
    mixed scripts (a Cyrillic а in pаypal.com) may imitate another address (UTS #39); a word entirely in Cyrillic is
    just Russian.
    """
    role = (f"{_role_name(address)}@ is a role address, not a person",) if is_role_address(address) else ()
    if address.email.isascii() or all(map(_has_one_script, re.split("[@.]", address.email))):
        return role
    return (*role, "mixes scripts that look alike, or uses a rare script")


def is_role_address(address: MailAddress) -> bool:
    """Return whether an address is that of a role, such as `postmaster@` (RFC 2142)."""
    return _role_name(address) in _ROLE_NAMES


def _role_name(address: MailAddress) -> str:
    return address.key.rpartition("@")[0].partition("+")[0]


def mask_address(email: str) -> str:
    """Return an address that its owner recognises and no one can write to: `a•••@e•••.org`.

    The dots do not show how long it is.
    """
    local, _, domain = email.rpartition("@")
    name, dot, end = domain.rpartition(".")
    return f"{local[:1]}•••@{name[:1]}•••{dot}{end}" if dot else f"{local[:1]}•••@{domain[:1]}•••"


def _parse_plain(text: str) -> MailAddress | None:
    """Return the address if it matches the plain pattern; None if the library must decide."""
    found = _PLAIN_ADDRESS.fullmatch(text)
    if found is None or len(text) > MAX_LENGTH:
        return None
    local, domain = found.groups()
    key = text.lower()
    domain = key[-len(domain) :]
    unreachable_ends, caseless_names = _library_lists()
    if domain.endswith(unreachable_ends):
        return None
    if key[: len(local)] in caseless_names:
        local = local.lower()
    return MailAddress(email=f"{local}@{domain}", key=key)


def _parse_with_library(text: str, stripped: str) -> MailAddress:
    """Return the address as email-validator parses it."""
    from email_validator import EmailNotValidError, validate_email

    if len(stripped) > MAX_LENGTH:  # email-validator would check every character first
        raise AddressError(text, f"It has {len(stripped)} characters; an address has {MAX_LENGTH} at most.")
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
    """Return email-validator's domain endings without mail, and its case-insensitive local parts (RFC 2142)."""
    import email_validator
    from email_validator.rfc_constants import CASE_INSENSITIVE_MAILBOX_NAMES

    ends = tuple(f".{name}" for name in email_validator.SPECIAL_USE_DOMAIN_NAMES)
    return ends, frozenset(CASE_INSENSITIVE_MAILBOX_NAMES)


def _has_one_script(word: str) -> bool:
    return word.isascii() or _one_script_pattern().fullmatch(word) is not None


@cache
def _one_script_pattern() -> "regex.Pattern[str]":
    import regex

    scripts = [*((script,) for script in _RECOMMENDED_SCRIPTS), *_SCRIPT_COMBINATIONS]
    return regex.compile("|".join(map(_script_pattern, scripts)))


def _script_pattern(scripts: Iterable[str]) -> str:
    """Return a pattern for a word that has only these *scripts*, digits and punctuation."""
    every = "".join(rf"\p{{Script_Extensions={script}}}" for script in scripts)
    return rf"[{every}\p{{Script=Common}}\p{{Script=Inherited}}]*"
