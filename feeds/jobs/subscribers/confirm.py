"""Confirm a sign-up: the link in the confirmation and in its reminder."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial

from feeds.core.newsletters import tokens
from feeds.core.subscribers.link_tokens import Link, LinkPurpose, parse_link, sign_link, verify_link
from feeds.edges.files.keys import load_keys
from feeds.edges.store.database import Store
from feeds.jobs.context import Context
from feeds.jobs.newsletters.send_checks import can_mail_links
from feeds.jobs.site import Site, web_url
from feeds.jobs.store.journal import append_pending
from feeds.jobs.store.site_store import open_site_store
from feeds.jobs.subscribers.links import is_suppressed, preferences_url
from feeds.jobs.subscribers.service_mail import new_service_mail
from feeds.jobs.subscribers.sign_up import hash_client
from feeds.model import ALL_NEWSLETTERS, ChangeSource, NewServiceMail, ServiceMailKind, Signup

#: How long the welcome may wait for a mail server.
_WELCOME_LASTS = timedelta(days=2)
#: How long its link to the preferences works, which was not asked for and which is not opened at once.
_WELCOME_LINK_TIME = timedelta(days=7)


class LinkState(StrEnum):
    """The state of a link for confirming."""

    #: It can be confirmed.
    OPEN = "open"
    CONFIRMED = "confirmed"
    #: It was confirmed before; nothing has changed now.
    USED = "used"
    EXPIRED = "expired"
    #: No link of this site.
    INVALID = "invalid"


@dataclass(frozen=True, kw_only=True, slots=True)
class Confirmation:
    """A link for confirming, and what it subscribes to."""

    state: LinkState
    #: Titles of newsletters.
    titles: tuple[str, ...] = ()
    #: Of the sign-up; empty if it is unknown.
    lang: str = ""


def confirm_url(site: Site, signup: Signup, now: datetime) -> str:
    """Return the link that confirms a sign-up; it expires after `signup.expire`."""
    link = Link(
        purpose=LinkPurpose.CONFIRM, subscriber_id=signup.id, expires_at=now + site.settings.signup.expire, value=""
    )
    token = sign_link(link, *load_keys(site.config.keys_file).current_unsubscribe_key, _binding(signup))
    return f"{web_url(site.config)}confirm/{token}"


def _binding(signup: Signup) -> str:
    """Return the text that a link is bound to: another sign-up that gets the same id has another time."""
    return f"{signup.key} {signup.created_at.timestamp()}"


def reply_address(site: Site, signup: Signup) -> str:
    """Return the address that confirms a sign-up by a reply; empty if it was not asked for by mail."""
    if not (signup.is_by_mail and site.settings.mail.bounces):
        return ""
    to = site.settings.mail.bounces.address.address
    key_id, key = load_keys(site.config.keys_file).current_unsubscribe_key
    return f"{to.username}+c-{tokens.reply_token(key_id, key, signup.id, _binding(signup))}@{to.domain}"


def confirm_by_reply(site: Site, store: Store, token: str, context: Context, *, dry_run: bool = False) -> Signup | None:
    """Subscribe the address of a sign-up that was asked for by mail, whoever has replied: the address had the token.

    Returns the sign-up; None if the token is not valid, or the sign-up does not wait any more. In a dry run nothing is
    changed. The caller moves the journal records.
    """
    file = site.config.keys_file
    number = tokens.parse_reply_token(token)
    signup = store.signups.find(number) if number is not None and file.exists() else None
    if signup is None or not tokens.verify_reply_token(token, load_keys(file).leave, _binding(signup)):
        return None
    is_waiting = signup.is_by_mail and signup.state == "waiting" and newsletter_titles(site, signup.newsletters)
    if not is_waiting or is_suppressed(site.config, store, signup.key):
        return None
    if not dry_run:
        consent = _consent(signup, f"by a reply {context.clock():%Y-%m-%d %H:%M} UTC")
        welcome = partial(_welcome, site, store, signup, context)
        source = ChangeSource(how="reply")
        store.signups.confirm(signup, consent=consent, source=source, welcome=welcome, now=context.clock())
    return signup


def _consent(signup: Signup, how: str) -> str:
    at = f"{signup.created_at:%Y-%m-%d %H:%M} UTC"
    asked = f"asked by mail {at}" if signup.is_by_mail else f"signed up on the web {at} from {signup.client}"
    wording = "" if signup.is_by_mail else f", wording {signup.wording}"
    return f"{asked}{wording}; confirmed {how}"


def look_at_link(site: Site, token: str, now: datetime) -> Confirmation:
    """Return the sign-up that a link would confirm; nothing is changed."""
    with open_site_store(site.config, create=False) as store:
        return _check(site, store, token, now)[0]


def confirm_signup(site: Site, token: str, client: str, context: Context) -> Confirmation:
    """Subscribe the address of a link, and queue its welcome; a link that was used before changes nothing.

    Raises:
        FeedsError: the store or the keys cannot be used.
    """
    now = context.clock()
    with open_site_store(site.config) as store:
        found, signup = _check(site, store, token, now)
        if signup is None or found.state is not LinkState.OPEN:
            return found
        keys = load_keys(site.config.keys_file)
        source = ChangeSource(
            how="confirmation",
            wording="" if signup.is_by_mail else signup.wording,
            client=hash_client(client, keys),
        )
        consent = _consent(signup, f"{now:%Y-%m-%d %H:%M} UTC from {source.client}")
        welcome = partial(_welcome, site, store, signup, context)
        is_new = store.signups.confirm(signup, consent=consent, source=source, welcome=welcome, now=now)
        append_pending(site.config, store)
    state = LinkState.CONFIRMED if is_new else LinkState.USED
    return Confirmation(state=state, titles=found.titles, lang=found.lang)


def _check(site: Site, store: Store, token: str, now: datetime) -> tuple[Confirmation, Signup | None]:
    link = parse_link(token, LinkPurpose.CONFIRM)
    file = site.config.keys_file
    keys = load_keys(file).leave if link is not None and file.exists() else {}
    signup = store.signups.find(link.subscriber_id) if link is not None and keys else None
    if link is None or (signup and not verify_link(token, LinkPurpose.CONFIRM, keys, _binding(signup))):
        return Confirmation(state=LinkState.INVALID), None
    if signup is None:  # it has expired, or was deleted: whether the token was ever ours does not matter any more
        return Confirmation(state=LinkState.EXPIRED), None
    titles = newsletter_titles(site, signup.newsletters)
    if signup.state == "confirmed":
        return Confirmation(state=LinkState.USED, titles=titles, lang=signup.lang), signup
    is_open = signup.state == "waiting" and now < link.expires_at and bool(titles)
    if not is_open or is_suppressed(site.config, store, signup.key):
        return Confirmation(state=LinkState.EXPIRED, lang=signup.lang), None
    return Confirmation(state=LinkState.OPEN, titles=titles, lang=signup.lang), signup


def newsletter_titles(site: Site, names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the titles of newsletters, in the order of the config, without those that are not in it any more."""
    return tuple(one.heading for one in site.settings.newsletters if one.name in names)


def _welcome(site: Site, store: Store, signup: Signup, context: Context) -> NewServiceMail | None:
    """Return the welcome of who has just subscribed, with a link to the preferences; None if the site has none."""
    subscriber = store.subscribers.find(signup.key)
    if not site.settings.signup.welcome_parts or subscriber is None:
        return None
    values = {
        "titles": ", ".join(newsletter_titles(site, signup.newsletters)),
        "newsletters": ",".join(signup.newsletters),
    }
    name = signup.newsletters[0] if len(signup.newsletters) == 1 else ALL_NEWSLETTERS
    key_id, key = load_keys(site.config.keys_file).current_unsubscribe_key
    values["unsubscribe"] = tokens.unsubscribe_token(key_id, key, subscriber.id, name)
    if can_mail_links(site):
        values["url"] = preferences_url(site.config, subscriber, context.clock() + _WELCOME_LINK_TIME)
    return new_service_mail(
        ServiceMailKind.WELCOME,
        signup.email,
        signup.key,
        context,
        lang=signup.lang,
        values=values,
        expires_at=context.clock() + _WELCOME_LASTS,
    )
