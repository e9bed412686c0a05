"""Subscribe by mail alone: a mail to `bounces+join-<newsletter>@` asks, and a reply to the confirmation confirms.

A mail names any author, so a confirmation goes only to one whom the receiving server has authenticated. The request
then takes the way of sign-ups on the web, with the same limits (`signup_round`).
"""

from dataclasses import dataclass

from feeds.core.subscribers import addresses, signup
from feeds.core.subscribers.mail_requests import MailRequest, MailRequestParser
from feeds.core.subscribers.signup import FormSignal
from feeds.edges.files.keys import load_keys
from feeds.edges.store.database import Store
from feeds.errors import AddressError
from feeds.jobs.context import Context
from feeds.jobs.site import Site
from feeds.jobs.subscribers.confirm import confirm_by_reply
from feeds.jobs.subscribers.sign_up import REQUEST_LIMITS, hash_client, offered_newsletters
from feeds.model import BY_MAIL, SignupRequest


@dataclass(frozen=True, kw_only=True, slots=True)
class HandledRequest:
    """A mail that asks to subscribe or confirms, and its effect."""

    email: str
    newsletter: str
    #: `asked`, `subscribed`, or empty: it had none.
    decision: str = ""


class MailRequests:
    """Handles the mail requests of one site."""

    def __init__(self, site: Site, store: Store, context: Context, *, dry_run: bool) -> None:
        assert site.settings.mail.bounces is not None
        bounces = site.settings.mail.bounces
        to = bounces.address.address
        self._site, self._store, self._context, self._dry_run = site, store, context, dry_run
        self._server = bounces.authserv_id
        self._parser = MailRequestParser(f"{to.username}@{to.domain}", self._server)

    def parse(self, raw: bytes) -> MailRequest | None:
        """Return the request in a message; None if it is none of this site."""
        return self._parser.parse(raw)

    def handle(self, request: MailRequest) -> HandledRequest:
        """Apply a request; a second time it has no effect."""
        if request.is_automatic:
            return HandledRequest(email=request.sender, newsletter=request.newsletter)
        return self._confirm(request) if request.token else self._ask(request)

    def _confirm(self, request: MailRequest) -> HandledRequest:
        found = confirm_by_reply(self._site, self._store, request.token, self._context, dry_run=self._dry_run)
        if found is None:
            return HandledRequest(email=request.sender, newsletter="")
        return HandledRequest(email=found.email, newsletter=", ".join(found.newsletters), decision="subscribed")

    def _ask(self, request: MailRequest) -> HandledRequest:
        ignored = HandledRequest(email=request.sender, newsletter=request.newsletter)
        offered = {newsletter.name: newsletter for newsletter in offered_newsletters(self._site)}
        # A server that is configured and does not vouch for the author says that the author may be forged.
        is_forged = bool(self._server) and not request.is_authenticated
        if is_forged or not self._site.settings.signup.open or request.newsletter not in offered:
            return ignored
        try:
            address = addresses.parse_address(request.sender)
            addresses.require_usable(address)
        except AddressError:
            return ignored
        lang = offered[request.newsletter].language or self._site.settings.site.language
        self._record(address, request, lang)
        return HandledRequest(email=address.email, newsletter=request.newsletter, decision="asked")

    def _record(self, address: addresses.MailAddress, request: MailRequest, lang: str) -> None:
        if self._dry_run:
            return
        now = self._context.clock()
        # There is no client: the limits are those of an address and of the site.
        client = hash_client(f"mail {address.key}", load_keys(self._site.config.keys_file))
        entry = SignupRequest(
            email=address.email,
            key=address.key,
            newsletters=(request.newsletter,),
            lang=lang,
            client=client,
            network=client,
            wording=BY_MAIL,
            signals=() if request.is_authenticated else (FormSignal.UNAUTHENTICATED,),
            at=now,
        )
        self._store.signups.record_request(entry, now - signup.PERIOD, REQUEST_LIMITS)
