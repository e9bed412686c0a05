"""The sign-up form: open it, and accept what was entered.

Nothing here looks an address up: a request is stored, and `signup_round` decides about it later. So the answer and its
time are the same for every address.
"""

import hmac
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import blake2b
from typing import TYPE_CHECKING

from feeds.config import Config
from feeds.core.subscribers import addresses, signup
from feeds.core.subscribers.link_tokens import Link, LinkPurpose, parse_link, sign_link, verify_link
from feeds.core.subscribers.signup import FormSignal
from feeds.edges.files.keys import Keys, load_keys
from feeds.edges.store.database import Store
from feeds.edges.store.networks import RequestLimits
from feeds.edges.store.signups import RequestOutcome
from feeds.errors import AddressError
from feeds.jobs.newsletters import send_checks
from feeds.jobs.site import Site
from feeds.jobs.store.site_store import open_site_store
from feeds.jobs.subscribers.signup_problems import is_form_closed
from feeds.model import SignupRequest
from feeds.settings import Newsletter

if TYPE_CHECKING:
    from feeds.core.newsletters.i18n import Texts

#: Bounds on what the store keeps of requests.
REQUEST_LIMITS = RequestLimits(
    of_network=signup.MOST_OF_NETWORK, requests=signup.MOST_REQUESTS, networks=signup.MOST_NETWORKS
)
#: The length of a hashed client in bytes.
_HASH_SIZE = 12


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenForm:
    """A sign-up form that can be sent."""

    newsletters: tuple[Newsletter, ...]
    #: What the reader agrees to.
    consent: str
    #: Goes back with the form; it expires.
    token: str


@dataclass(frozen=True, kw_only=True, slots=True)
class SentForm:
    """A sign-up form as it was sent."""

    email: str
    newsletters: tuple[str, ...]
    token: str
    #: A field that people do not see.
    honeypot: str
    #: The client's address.
    client: str


class SignupAnswer(StrEnum):
    """The answer to a form; it depends on the form, the network and the site, never on what is known of an address."""

    ACCEPTED = "accepted"
    BAD_ADDRESS = "bad address"
    NO_NEWSLETTER = "no newsletter"
    #: The form was open for too long, or was made elsewhere.
    STALE = "stale"
    CLOSED = "closed"
    TOO_MANY = "too many"
    BUSY = "busy"


def open_form(site: Site, lang: str, now: datetime) -> OpenForm | None:
    """Return the form in a language; None if the site takes no sign-ups now."""
    newsletters = offered_newsletters(site)
    if not newsletters or _is_closed(site, now):
        return None
    consent, version = consent_words(site.texts(preferred=lang))
    link = Link(
        purpose=LinkPurpose.FORM,
        subscriber_id=0,
        expires_at=now + signup.FORM_LIFETIME,
        value=version,
    )
    token = sign_link(link, *load_keys(site.config.keys_file).current_unsubscribe_key, lang)
    return OpenForm(newsletters=newsletters, consent=consent, token=token)


def accept_form(site: Site, form: SentForm, lang: str, now: datetime) -> SignupAnswer:
    """Store what was entered into a form in a language, and return the answer.

    Raises:
        FeedsError: the keys or the store cannot be used; nothing is stored.
    """
    try:
        address = addresses.parse_address(form.email)
        addresses.require_usable(address)
    except AddressError:
        return SignupAnswer.BAD_ADDRESS
    chosen = signup.choose_newsletters(form.newsletters, (one.name for one in offered_newsletters(site)))
    if not chosen:
        return SignupAnswer.NO_NEWSLETTER
    keys = load_keys(site.config.keys_file)
    consent, version = consent_words(site.texts(preferred=lang))
    opened_at = _opened_at(form.token, lang, version, keys, now)
    if opened_at is None:
        return SignupAnswer.STALE
    if _is_closed(site, now):
        return SignupAnswer.CLOSED
    request = SignupRequest(
        email=address.email,
        key=address.key,
        newsletters=chosen,
        lang=lang,
        client=hash_client(form.client, keys),
        network=hash_client(signup.network_of(form.client), keys),
        wording=version,
        signals=tuple(_form_signals(form, now, opened_at)),
        at=now,
    )
    return _store(site.config, request, consent, now)


def _store(config: Config, request: SignupRequest, consent: str, now: datetime) -> SignupAnswer:
    with open_site_store(config) as store:
        if not store.signups.has_wording(request.wording):
            store.signups.record_wording(request.wording, request.lang, consent, now)
        outcome = store.signups.record_request(request, now - signup.PERIOD, REQUEST_LIMITS)
    return {
        RequestOutcome.ACCEPTED: SignupAnswer.ACCEPTED,
        RequestOutcome.TOO_MANY: SignupAnswer.TOO_MANY,
        RequestOutcome.BUSY: SignupAnswer.BUSY,
    }[outcome]


def offered_newsletters(site: Site) -> tuple[Newsletter, ...]:
    """Return the newsletters that the page offers."""
    names = site.settings.signup.newsletters
    return tuple(one for one in site.settings.newsletters if not names or one.name in names)


def _is_closed(site: Site, now: datetime) -> bool:
    """Return whether the site takes no sign-ups now: as it is set, because of complaints, or for want of `web.url`.

    Without it, links in mail that leaves this machine would lead to the reader's own machine.
    """
    config = site.config
    if not config.settings.signup.open or not send_checks.can_mail_links(site):
        return True
    with open_site_store(config, create=False) as store:
        return is_form_closed(store, now)


def _opened_at(token: str, lang: str, version: str, keys: Keys, now: datetime) -> datetime | None:
    """Return when a form was opened; None if it was made elsewhere, has expired, or has another wording."""
    link = parse_link(token, LinkPurpose.FORM)
    if link is None or link.value != version or not verify_link(token, LinkPurpose.FORM, keys.leave, lang):
        return None
    return link.expires_at - signup.FORM_LIFETIME if now < link.expires_at else None


def _form_signals(form: SentForm, now: datetime, opened_at: datetime) -> list[FormSignal]:
    signals = [FormSignal.HONEYPOT] if form.honeypot else []
    return [*signals, FormSignal.FAST] if now - opened_at < signup.FASTEST else signals


def wording_version(lang: str, consent: str) -> str:
    """Return the version of the words of consent: a digest of 16 characters."""
    return blake2b(f"{lang}\n{consent}".encode(), digest_size=8).hexdigest()


def consent_words(texts: "Texts") -> tuple[str, str]:
    """Return the words of consent in a language, and their version."""
    words = texts.format("signup_consent")
    return words, wording_version(texts.lang, words)


def record_shown_words(site: Site, store: Store, version: str, now: datetime) -> str:
    """Store the words of consent that a page has shown; return their version, empty if they are not the site's now."""
    for lang in site.templates.languages():
        words, found = consent_words(site.texts(preferred=lang))
        if found == version:
            if not store.signups.has_wording(version):
                store.signups.record_wording(version, lang, words, now)
            return version
    return ""


def hash_client(client: str, keys: Keys) -> str:
    """Return a keyed hash of the address of a client or network: it proves an address, and cannot be reversed."""
    return hmac.digest(keys.current_suppression_key[1], b"client\0" + client.encode(), "sha256")[:_HASH_SIZE].hex()
