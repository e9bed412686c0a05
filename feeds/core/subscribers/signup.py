"""Decide what happens to a sign-up: who gets a confirmation, who waits for the editor, who gets nothing.

Anybody can enter anybody's address, thousands of times. So every bound counts mail, not good intentions: one
confirmation a day for an address, a number of requests an hour for a network, a number of confirmations an hour for the
site. What looks like a program only waits for the editor, since each sign may be wrong.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from ipaddress import IPv6Address, ip_address, ip_network

from feeds.core.subscribers.addresses import MailAddress, is_role_address

#: How long a form may be open before it is sent, and how fast a person hardly is.
FORM_LIFETIME, FASTEST = timedelta(hours=12), timedelta(seconds=3)
#: How long an address gets no other confirmation.
CONFIRMATION_EVERY = timedelta(days=1)
#: How many confirmations an address gets within a month without a click.
MOST_CONFIRMATIONS, CONFIRMATIONS_COUNT_FOR = 3, timedelta(days=30)
#: The period of all other limits.
PERIOD = timedelta(hours=1)
#: Requests of one network: a school or a company may be behind one.
MOST_OF_NETWORK = 20
#: Requests that wait to be looked at, networks that are counted, and sign-ups on record: a flood fills no disk.
MOST_REQUESTS, MOST_NETWORKS, MOST_SIGNUPS = 1_000, 10_000, 5_000
#: A sign-up with so many points waits for the editor.
HOLD_SCORE = 5
#: The form closes above one complaint in so many confirmations. One complaint alone closes nothing: otherwise anybody
#: could close the form of a small site with one sign-up of their own.
COMPLAINTS_PER, LEAST_COMPLAINTS = 100, 2
#: How long a complaint counts.
COMPLAINTS_COUNT_FOR = timedelta(days=30)
#: Dots in the name of a Gmail address, which Gmail ignores: one mailbox has thousands of such addresses.
_MOST_DOTS = 3
_GMAIL = frozenset({"gmail.com", "googlemail.com"})


class FormSignal(StrEnum):
    """What the form, or the mail, itself shows of a program."""

    #: A field that people do not see is filled in; some browsers fill it in too.
    HONEYPOT = "honeypot"
    FAST = "fast"
    #: Asked for by mail whose author no server has authenticated.
    UNAUTHENTICATED = "unauthenticated"


@dataclass(frozen=True, kw_only=True, slots=True)
class SignupFacts:
    """What is known about one request."""

    address: MailAddress
    form: tuple[FormSignal, ...] = ()
    #: False if the domain has no mail server; None if DNS cannot tell.
    has_mail_server: bool | None = None
    #: Other sign-ups of the same client, and of the same network, within `PERIOD`.
    of_client: int = 0
    of_network: int = 0
    #: The address is on the suppression list, or has complained.
    is_suppressed: bool = False
    #: It gets all the newsletters already.
    is_subscribed: bool = False
    #: When it got its last confirmation.
    confirmation_at: datetime | None = None
    #: Within `CONFIRMATIONS_COUNT_FOR`; and whether another spelling of the same mailbox got one within
    #: `CONFIRMATION_EVERY`.
    confirmations: int = 0
    is_other_spelling: bool = False
    #: Confirmations that this hour still allows.
    budget: int = 1
    is_form_closed: bool = False
    #: `MOST_SIGNUPS` are on record.
    is_full: bool = False


class SignupOutcome(StrEnum):
    """A decision about a request."""

    CONFIRM = "confirm"
    #: It waits for the editor.
    HOLD = "hold"
    #: A sign-up that waits for its click gets these newsletters too, without another mail.
    MERGE = "merge"
    #: Nothing is stored and nothing is sent.
    IGNORE = "ignore"


def decide_signup(facts: SignupFacts, now: datetime) -> tuple[SignupOutcome, str]:
    """Return the decision about a request, and why it is held, for the editor."""
    if facts.is_suppressed or facts.is_subscribed:
        return SignupOutcome.IGNORE, ""
    if facts.confirmation_at is not None and now - facts.confirmation_at < CONFIRMATION_EVERY:
        return SignupOutcome.MERGE, ""
    reason = _find_hold_reason(facts)
    if not reason:
        return SignupOutcome.CONFIRM, ""
    return (SignupOutcome.IGNORE, "") if facts.is_full else (SignupOutcome.HOLD, reason)


def _find_hold_reason(facts: SignupFacts) -> str:
    """Return why a sign-up waits for the editor; empty: it does not."""
    points = [*_find_signs(facts)]
    if sum(number for number, _ in points) >= HOLD_SCORE:
        return "; ".join(reason for _, reason in points)
    if facts.is_form_closed:
        return "the form is closed because of complaints"
    if facts.budget <= 0:
        return "more sign-ups in this hour than signup.confirmations_per_hour"
    return ""


def _find_signs(facts: SignupFacts) -> Iterator[tuple[int, str]]:
    """Yield the signs of abuse with their points; no form signal is enough alone."""
    if FormSignal.HONEYPOT in facts.form:
        yield 3, "a hidden field is filled in"
    if FormSignal.FAST in facts.form:
        yield 2, f"sent within {FASTEST.seconds} seconds"
    if FormSignal.UNAUTHENTICATED in facts.form:
        yield HOLD_SCORE, "asked for by mail, and the author is not authenticated (mail.bounces.authserv_id)"
    if facts.has_mail_server is False:
        yield HOLD_SCORE, "the domain has no mail server"
    if is_role_address(facts.address):
        yield 3, "a role address"
    if _is_dotted_gmail(facts.address):
        yield 3, "a Gmail address with many dots"
    yield from _find_signs_of_bombing(facts)
    if facts.of_client:
        yield min(facts.of_client, HOLD_SCORE), f"{facts.of_client} other sign-ups of this client within an hour"
    if others := max(facts.of_network - facts.of_client, 0) // 2:
        yield min(others, HOLD_SCORE), f"{facts.of_network} other sign-ups of this network within an hour"


def _find_signs_of_bombing(facts: SignupFacts) -> Iterator[tuple[int, str]]:
    """Yield the signs that a person gets confirmations without wanting them, each of which is enough."""
    if facts.is_other_spelling:
        yield HOLD_SCORE, "another spelling of this mailbox got a confirmation lately"
    if facts.confirmations >= MOST_CONFIRMATIONS:
        yield HOLD_SCORE, f"{facts.confirmations} confirmations within {CONFIRMATIONS_COUNT_FOR.days} days"


def mailbox_of(key: str) -> str:
    """Return the mailbox of an address as addresses are compared: without a tag (RFC 5233) and Gmail's dots."""
    local, _, domain = key.rpartition("@")
    local = local.partition("+")[0] or local
    if domain in _GMAIL:
        return f"{local.replace('.', '')}@gmail.com"
    return f"{local}@{domain}"


def domains_of_mailbox(key: str) -> frozenset[str]:
    """Return the domains that the other spellings of an address may have."""
    domain = key.rpartition("@")[2]
    return _GMAIL if domain in _GMAIL else frozenset({domain})


def _is_dotted_gmail(address: MailAddress) -> bool:
    local, _, domain = address.key.rpartition("@")
    return domain in _GMAIL and local.count(".") > _MOST_DOTS


def is_closed_by_complaints(sent: int, complaints: int) -> bool:
    """Return whether so many *complaints* about so many confirmations close the form."""
    return complaints >= LEAST_COMPLAINTS and complaints * COMPLAINTS_PER > sent


def network_of(client: str) -> str:
    """Return the network of a client whose requests are limited together: /24 of IPv4, /48 of IPv6 (RFC 6177).

    A text that is not an address, as of a client behind a Unix socket without a proxy's header, is its own network.
    """
    try:
        address = ip_address(client)
    except ValueError:
        return client
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    address = mapped or address
    return str(ip_network(f"{address}/{48 if isinstance(address, IPv6Address) else 24}", strict=False))


def choose_newsletters(wanted: Iterable[str], offered: Iterable[str]) -> tuple[str, ...]:
    """Return those of the newsletters that are offered, sorted; the only one if just one is offered."""
    offered = sorted(set(offered))
    return tuple(offered) if len(offered) == 1 else tuple(sorted(set(wanted) & set(offered)))
