"""The preferences of one subscriber: show, save, and mail a fresh link to them."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from feeds.config import Config
from feeds.config_types import TimeZone
from feeds.core.curation.taxonomy import category_keys
from feeds.core.subscribers import signup
from feeds.core.subscribers.link_tokens import LinkPurpose
from feeds.core.subscribers.pauses import pause_end
from feeds.edges.files.keys import load_keys
from feeds.edges.store.database import Store
from feeds.errors import FeedsError
from feeds.jobs.context import Context
from feeds.jobs.newsletters.send_checks import can_mail_links
from feeds.jobs.site import Site
from feeds.jobs.store.site_store import open_site_store
from feeds.jobs.subscribers.leave import append_events, change_source
from feeds.jobs.subscribers.links import is_suppressed, open_link, open_unsubscribe_link, preferences_url
from feeds.jobs.subscribers.service_mail import new_service_mail
from feeds.jobs.subscribers.sign_up import REQUEST_LIMITS, hash_client, offered_newsletters
from feeds.model import NewServiceMail, ServiceMailKind, Subscriber
from feeds.settings import Newsletter

#: How long a link to the preferences works.
LINK_TIME = timedelta(hours=24)
#: How often one is mailed: to who holds a letter, and to an address that anybody may have typed.
_LINK_PACE, _TYPED_PACE = timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Topic:
    """A category that a subscriber can choose."""

    name: str
    is_chosen: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Subscription:
    """A newsletter on the page of preferences."""

    name: str
    title: str
    is_subscribed: bool
    #: No chosen one means all topics.
    topics: tuple[Topic, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class PreferencesView:
    """The values that the page of preferences shows."""

    email: str
    lang: str | None
    #: Languages that letters can be in.
    languages: tuple[str, ...]
    subscriptions: tuple[Subscription, ...]
    #: The first day with letters again; None without a pause.
    paused_until: date | None
    #: Today and the last day that can be chosen.
    today: date

    @property
    def is_subscribed(self) -> bool:
        """True if they get any newsletter."""
        return any(one.is_subscribed for one in self.subscriptions)


class InvalidPreferencesError(FeedsError):
    """A field of the preferences is not valid; `fields` has `lang`, `pause` or both."""

    def __init__(self, fields: Collection[str]) -> None:
        super().__init__(f"not valid: {', '.join(fields)}")
        self.fields = fields


@dataclass(frozen=True, kw_only=True, slots=True)
class PreferencesInput:
    """The choices of a subscriber; newsletters and topics that are not offered are ignored."""

    #: Newsletters with their topics; no topics mean all.
    newsletters: Mapping[str, Iterable[str]]
    #: None: the language of each newsletter.
    lang: str | None
    #: The day, as ISO 8601 writes it. Today, or an empty text, means no pause.
    pause: str
    #: The version of the words of consent on the page, and the client, by its network address.
    wording: str = ""
    client: str = ""


def load_preferences(config: Config, token: str, context: Context) -> PreferencesView:
    """Return the preferences of the subscriber of a link; nothing is changed.

    Raises:
        LinkError: the token is not valid, or not any more.
    """
    with open_site_store(config, create=False) as store:
        _, subscriber = open_link(config, store, token, LinkPurpose.PREFERENCES, context.clock())
        return _view(config, store, subscriber, context.clock())


def save_preferences(config: Config, token: str, chosen: PreferencesInput, context: Context) -> PreferencesView:
    """Store what the subscriber of a link has chosen; return their preferences.

    Raises:
        LinkError: the token is not valid, or not any more.
        InvalidPreferencesError: the pause is not a day from today to a year from now, or the language is not offered.
    """
    now = context.clock()
    with open_site_store(config, create=False) as store:
        _, subscriber = open_link(config, store, token, LinkPurpose.PREFERENCES, now)
        view = _view(config, store, subscriber, now)
        offered = {one.name: {topic.name for topic in one.topics} for one in view.subscriptions}
        wanted = {name: offered[name] & {*topics} for name, topics in chosen.newsletters.items() if name in offered}
        lang, paused_until = _check(chosen, view, _zone(config, subscriber), now)
        store.preferences.save(
            subscriber.id,
            wanted,
            offered.keys() - wanted.keys(),
            lang=lang,
            paused_until=paused_until,
            source=change_source(config, store, "preferences", chosen.wording, chosen.client, now),
            now=now,
        )
        append_events(config, store)
        subscriber = store.subscribers.find_by_id(subscriber.id) or subscriber
        return _view(config, store, subscriber, now)


def _check(
    chosen: PreferencesInput, view: PreferencesView, zone: TimeZone, now: datetime
) -> tuple[str | None, datetime | None]:
    """Return the language, and the end of the pause.

    Raises:
        InvalidPreferencesError: one of them is not valid.
    """
    wrong = [] if chosen.lang is None or chosen.lang in view.languages else ["lang"]
    paused_until = None
    try:
        paused_until = pause_end(date.fromisoformat(chosen.pause), zone, now) if chosen.pause else None
    except ValueError:
        wrong.append("pause")
    if wrong:
        raise InvalidPreferencesError(wrong)
    return chosen.lang, paused_until


def fill_in(
    view: PreferencesView, newsletters: Collection[str], topics: Mapping[str, Collection[str]], lang: str | None
) -> PreferencesView:
    """Return the preferences with what was entered in place of what is stored: for a form that is shown again."""
    entered = [
        _fill_in(one, topics.get(one.name, ()), is_subscribed=one.name in newsletters) for one in view.subscriptions
    ]
    return replace(view, lang=lang, subscriptions=tuple(entered))


def _fill_in(one: Subscription, topics: Collection[str], *, is_subscribed: bool) -> Subscription:
    chosen = tuple(replace(topic, is_chosen=topic.name in topics) for topic in one.topics)
    return replace(one, is_subscribed=is_subscribed, topics=chosen)


def _view(config: Config, store: Store, subscriber: Subscriber, now: datetime) -> PreferencesView:
    zone, until = _zone(config, subscriber), store.preferences.paused_until(subscriber.id)
    labels, site = _category_labels(store), Site(config)
    offered = offered_newsletters(site)
    newsletters = [n for n in config.settings.newsletters if n in offered or n.name in subscriber.newsletters]
    return PreferencesView(
        email=subscriber.email,
        lang=subscriber.lang,
        languages=tuple(dict.fromkeys([*site.templates.languages(), *filter(None, [subscriber.lang])])),
        subscriptions=tuple(_subscription(config, newsletter, subscriber, labels) for newsletter in newsletters),
        paused_until=until.astimezone(zone).date() if until and until > now else None,
        today=now.astimezone(zone).date(),
    )


def _zone(config: Config, subscriber: Subscriber) -> TimeZone:
    return TimeZone(subscriber.timezone) if subscriber.timezone else config.settings.site.timezone


def _subscription(
    config: Config, newsletter: Newsletter, subscriber: Subscriber, labels: Iterable[str]
) -> Subscription:
    chosen = subscriber.topics.get(newsletter.name, ())
    return Subscription(
        name=newsletter.name,
        title=newsletter.heading,
        is_subscribed=subscriber.status == "active" and newsletter.name in subscriber.newsletters,
        topics=tuple(_topics(config, newsletter, chosen, labels)),
    )


def _topics(config: Config, newsletter: Newsletter, chosen: Iterable[str], labels: Iterable[str]) -> Iterable[Topic]:
    """Yield the published categories of a newsletter, and chosen ones that no post has any more."""
    categories = config.settings.categories
    allowed, wanted = category_keys(newsletter.categories, categories), category_keys(chosen, categories)
    offered = [label for label in labels if not allowed or category_keys([label], categories) <= allowed]
    missing = [name for name in chosen if not category_keys([name], categories) <= category_keys(offered, categories)]
    for name in sorted([*offered, *missing], key=str.casefold):
        yield Topic(name=name, is_chosen=category_keys([name], categories) <= wanted)


def _category_labels(store: Store) -> list[str]:
    retired = store.feeds.load_retired()
    return [feed.label for feed in store.feeds.load_feeds() if feed.kind == "category" and feed.folder not in retired]


# Links ------------------------------------------------------------------------------------------------------------


def mail_link(config: Config, unsubscribe_token: str, context: Context) -> bool:
    """Queue a mail with a fresh link to who holds a letter; one an hour at most.

    Returns whether one is on its way: False if the subscriber was erased, or their address must not get mail.

    Raises:
        LinkError: the unsubscribe token is not valid.
    """
    with open_site_store(config, create=False) as store:
        subscriber, _ = open_unsubscribe_link(config, store, unsubscribe_token)
        if subscriber is None or not _may_get_link(config, store, subscriber):
            return False
        _queue_link(config, store, subscriber, context, pace=_LINK_PACE)
    return True


def request_link(config: Config, key: str, client: str, context: Context) -> bool:
    """Record that a client, by its network address, has typed an address (as addresses are compared) to get a link.

    What follows does not depend on the address until `answer_link_requests` looks it up. Returns False, for every
    address alike, if the client's network has sent too many requests; sign-ups count too.
    """
    now, network = context.clock(), hash_client(signup.network_of(client), load_keys(config.keys_file))
    with open_site_store(config) as store:
        return store.preferences.request_link(key, network, now, now - signup.PERIOD, REQUEST_LIMITS)


def answer_link_requests(site: Site, context: Context) -> int:
    """Queue a mail for each requested address that is known, one a day at most; return how many were queued."""
    queued, config = 0, site.config
    with open_site_store(config, create=False) as store:
        keys = store.preferences.link_requests()
        for key in keys:
            subscriber = store.subscribers.find(key)
            if subscriber is not None and _may_get_link(config, store, subscriber):
                queued += _queue_link(config, store, subscriber, context, pace=_TYPED_PACE)
        if keys:
            store.preferences.delete_link_requests(keys)
    return queued


def _may_get_link(config: Config, store: Store, subscriber: Subscriber) -> bool:
    is_unwanted = subscriber.status == "complained" or is_suppressed(config, store, subscriber.key)
    return not is_unwanted and can_mail_links(Site(config))


def _queue_link(config: Config, store: Store, subscriber: Subscriber, context: Context, *, pace: timedelta) -> bool:
    now = context.clock()
    last = store.service_mails.last_queued_at(subscriber.key, ServiceMailKind.PREFERENCES)
    if last is not None and now < last + pace:
        return False
    store.service_mails.add(_link_mail(config, subscriber, context), now)
    return True


def _link_mail(config: Config, subscriber: Subscriber, context: Context) -> NewServiceMail:
    expires_at = context.clock() + LINK_TIME
    return new_service_mail(
        ServiceMailKind.PREFERENCES,
        subscriber.email,
        subscriber.key,
        context,
        lang=subscriber.lang,
        values={"url": preferences_url(config, subscriber, expires_at)},
        expires_at=expires_at,
    )
