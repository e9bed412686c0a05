"""A site with two newsletters and a subscriber of both, with a web server, and the links that the subscriber has."""

from datetime import timedelta

from feeds.core.newsletters import tokens
from feeds.core.subscribers.link_tokens import Link, LinkPurpose
from feeds.edges.files.keys import load_keys
from feeds.edges.store.database import open_store
from feeds.edges.store.table_shapes import table_shapes
from feeds.jobs.context import Context
from feeds.jobs.site import Site
from feeds.jobs.subscribers import erase, preferences, subscribe
from feeds.jobs.subscribers.links import make_link
from tests.conftest import CONFIG, NEWSLETTER, NOW

ADA = "ada@example.org"
WEB = '[web]\nurl = "https://letters.example.com/"\n'
TWO = NEWSLETTER + WEB + NEWSLETTER.partition("[mail]")[0].replace("weekly", "daily")


def context(now=NOW):
    """Return a context whose clock stands still."""
    return Context(clock=lambda: now)


def subscribe_ada(site, more=""):
    """Configure both newsletters; ada gets `weekly` in German about notes only, and `daily`. Return the config."""
    site.configure(CONFIG + TWO + more)
    subscribe.add_subscriber(site.config, ADA, ["weekly"], topics=["Notes"], lang="de", now=NOW, again=False)
    subscribe.add_subscriber(site.config, ADA, ["daily"], lang=None, now=NOW, again=False)
    return site.config


def letter_token(config, newsletter="weekly", subscriber_id=1):
    """Return the token of the links in a letter."""
    key_id, key = load_keys(config.keys_file).current_unsubscribe_key
    return tokens.unsubscribe_token(key_id, key, subscriber_id, newsletter)


def preferences_token(config, email=ADA, now=NOW):
    """Return the token of a mailed link."""
    with open_store(config.store_url, config.folder) as store:
        subscriber = store.subscribers.find(email)
    expires_at = now + timedelta(hours=24)
    return make_link(
        config, Link(purpose=LinkPurpose.PREFERENCES, subscriber_id=subscriber.id, expires_at=expires_at), subscriber
    )


def stored(config, email=ADA):
    """Return the status of a subscriber, and their newsletters with topics; None if there is none."""
    with open_store(config.store_url, config.folder) as store:
        found = store.subscribers.find(email)
    return found and (found.status, {name: found.topics.get(name, ()) for name in found.newsletters})


def contents(config):
    """Return every row of the store, by table."""
    with open_store(config.store_url, config.folder) as store:
        names = [table.name for table in table_shapes()] + ["journal"] * store.database.keeps_journal
        return {name: sorted(map(repr, store.database.query(f"SELECT * FROM {name}"))) for name in names}


def answer_requests(config, now=NOW):
    """Do what a round of the server does about requests, without sending mail; return how many mails were queued."""
    queued = preferences.answer_link_requests(Site(config), context(now))
    erase.erase_requested(config, now)
    return queued


def mails(config):
    """Return kind, recipient, language and link of each mail that waits."""
    with open_store(config.store_url, config.folder) as store:
        waiting = store.service_mails.load_due(0, 1000, NOW + timedelta(days=365), resend=1)
    return [(mail.kind.value, mail.recipient, mail.lang, mail.values["url"]) for mail in waiting]
