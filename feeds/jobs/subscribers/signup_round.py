"""Decide about the sign-ups that came in, remind, expire, and send the mail that waits: one round of the sign-up job.

A round also does what else readers have asked for on the web: it mails links to preferences, and erases who wants it.

`feeds serve` and `feeds run` do a round after each sign-up and every minute; `feeds publish` does one when anything
waits.
"""

from dataclasses import dataclass, field
from datetime import datetime

from feeds.core.newsletters.domains import is_reserved_domain
from feeds.core.subscribers import signup
from feeds.core.subscribers.addresses import MailAddress
from feeds.core.subscribers.link_tokens import ADDRESS_LINK_TIME
from feeds.core.subscribers.signup import FormSignal, SignupFacts, SignupOutcome
from feeds.edges.net.dns import Resolver
from feeds.edges.store.database import Store
from feeds.errors import FeedsError
from feeds.jobs.context import Context
from feeds.jobs.newsletters import alert
from feeds.jobs.report import PublishReport
from feeds.jobs.site import Site
from feeds.jobs.store.site_store import open_site_store
from feeds.jobs.subscribers.confirm import confirm_url, newsletter_titles, reply_address
from feeds.jobs.subscribers.erase import erase_requested
from feeds.jobs.subscribers.links import is_suppressed
from feeds.jobs.subscribers.preferences import answer_link_requests
from feeds.jobs.subscribers.service_mail import ServiceMailReport, new_service_mail, send_service_mails
from feeds.jobs.subscribers.signup_problems import is_form_closed
from feeds.model import NewServiceMail, ServiceMailKind, Signup, SignupRequest

#: Requests that are read at a time, and reminders of one round.
_BATCH = 100
#: Seconds for all DNS queries about one batch; after that nothing is held for its domain.
_DNS_SECONDS = 10.0


@dataclass(kw_only=True, slots=True)
class SignupRound:
    """The results of a round."""

    confirmations: int = 0
    held: int = 0
    reminders: int = 0
    expired: int = 0
    mail: ServiceMailReport = field(default_factory=ServiceMailReport)
    #: Problems that a person should look into.
    alerts: list[str] = field(default_factory=list)


def run_signup_round(site: Site, context: Context, resolver: Resolver | None = None) -> SignupRound:
    """Do a round and return what it has done; *resolver* replaces the machine's name servers.

    Raises:
        FeedsError: the store or the keys cannot be used; what was not decided waits for the next round.
    """
    result = SignupRound()
    with open_site_store(site.config) as store:
        round_ = _Round(site, store, context, result, resolver)
        round_.decide_requests()
        round_.remind()
        now = context.clock()
        store.preferences.delete_address_changes(now - ADDRESS_LINK_TIME)
        result.expired = store.signups.delete_old(now - site.settings.signup.expire, now - signup.PERIOD)
    answer_link_requests(site, context)
    result.mail = send_service_mails(site, context)
    erase_requested(site.config, context.clock())
    result.alerts = _report_alerts(site, context)
    return result


def _report_alerts(site: Site, context: Context) -> list[str]:
    """Report that the form was closed, or that sign-ups are held, once; return the lines."""
    report = PublishReport()
    alert.report_alerts(site.config, report, context, now=context.clock())
    return [*report.alerts, *report.errors]


def confirmation_mail(site: Site, entry: Signup, kind: ServiceMailKind, context: Context) -> NewServiceMail:
    """Return the confirmation or the reminder of a sign-up."""
    now = context.clock()
    values = {"titles": ", ".join(newsletter_titles(site, entry.newsletters))}
    reply = reply_address(site, entry)
    if reply:
        values["reply"] = reply
    if not reply or site.settings.web.url:
        values["url"] = confirm_url(site, entry, now)
    return new_service_mail(
        kind,
        entry.email,
        entry.key,
        context,
        lang=entry.lang,
        values=values,
        expires_at=now + site.settings.signup.expire,
    )


class _Round:
    def __init__(
        self, site: Site, store: Store, context: Context, result: SignupRound, resolver: Resolver | None
    ) -> None:
        self._site, self._store, self._context, self._result = site, store, context, result
        self._resolver = resolver
        self._domains: dict[str, bool | None] = {}

    # Requests -----------------------------------------------------------------------------------------------------

    def decide_requests(self) -> None:
        """Decide about every request that waits."""
        while requests := self._store.signups.load_requests(_BATCH):
            resolver = self._resolver or Resolver(timeout=_DNS_SECONDS)
            for request in requests:
                if self._context.stopping():
                    return
                self._decide(request, resolver)

    def _decide(self, request: SignupRequest, resolver: Resolver) -> None:
        now = self._context.clock()
        outcome, reason = signup.decide_signup(self._facts(request, resolver, now), now)
        match outcome:
            case SignupOutcome.CONFIRM:
                self._result.confirmations += self._store.signups.confirm_request(request, self._confirmation, now)
            case SignupOutcome.HOLD:
                self._result.held += self._store.signups.hold(request, reason, now)
            case SignupOutcome.MERGE:
                self._store.signups.merge(request)
            case SignupOutcome.IGNORE:
                self._store.signups.drop(request)

    def _facts(self, request: SignupRequest, resolver: Resolver, now: datetime) -> SignupFacts:
        store, start = self._store, now - signup.PERIOD
        subscriber = store.subscribers.find(request.key)
        of_client, of_network = store.signups.count_near(request, start)
        return SignupFacts(
            address=MailAddress(email=request.email, key=request.key),
            form=tuple(map(FormSignal, request.signals)),
            has_mail_server=self._has_mail_server(request.key.rpartition("@")[2], resolver),
            of_client=of_client,
            of_network=of_network,
            is_suppressed=is_suppressed(self._site.config, store, request.key)
            or (subscriber is not None and subscriber.status == "complained"),
            is_subscribed=subscriber is not None
            and subscriber.status == "active"
            and set(request.newsletters) <= set(subscriber.newsletters),
            confirmation_at=store.service_mails.last_queued_at(request.key, ServiceMailKind.CONFIRMATION),
            confirmations=store.service_mails.count_queued_for(
                request.key, ServiceMailKind.CONFIRMATION, now - signup.CONFIRMATIONS_COUNT_FOR
            ),
            is_other_spelling=self._is_other_spelling(request.key, now),
            budget=self._budget(now),
            is_form_closed=is_form_closed(store, now),
            is_full=store.signups.count().held >= signup.MOST_SIGNUPS,
        )

    def _is_other_spelling(self, key: str, now: datetime) -> bool:
        """Return whether another spelling of a mailbox got a confirmation lately: it reaches the same person."""
        since, kind = now - signup.CONFIRMATION_EVERY, ServiceMailKind.CONFIRMATION
        others = self._store.service_mails.recipients_at(signup.domains_of_mailbox(key), kind, since)
        return any(signup.mailbox_of(other) == signup.mailbox_of(key) for other in others if other != key)

    def _budget(self, now: datetime) -> int:
        """Return how many confirmations and reminders this hour still allows."""
        kinds = (ServiceMailKind.CONFIRMATION, ServiceMailKind.REMINDER)
        queued = sum(self._store.service_mails.count_queued(kind, now - signup.PERIOD) for kind in kinds)
        return self._site.settings.signup.confirmations_per_hour - queued

    def _has_mail_server(self, domain: str, resolver: Resolver) -> bool | None:
        """Return whether a domain has a mail server; None if that is unknown, as for a reserved name (RFC 6761)."""
        if self._resolver is None and is_reserved_domain(domain):
            return None
        if domain not in self._domains:
            try:
                self._domains[domain] = resolver.accepts_mail(domain)
            except FeedsError:  # a name server that does not answer says nothing about a person
                self._domains[domain] = None
        return self._domains[domain]

    def _confirmation(self, entry: Signup) -> NewServiceMail:
        return confirmation_mail(self._site, entry, ServiceMailKind.CONFIRMATION, self._context)

    # Reminders ----------------------------------------------------------------------------------------------------

    def remind(self) -> None:
        """Queue the only reminder of each sign-up whose confirmation was sent so long ago."""
        after = self._site.settings.signup.reminder
        now = self._context.clock()
        if not after or is_form_closed(self._store, now):
            return
        for entry in self._store.signups.load_for_reminder(now - after, min(_BATCH, max(0, self._budget(now)))):
            mail = confirmation_mail(self._site, entry, ServiceMailKind.REMINDER, self._context)
            self._result.reminders += self._store.signups.remind(entry, mail, now)
