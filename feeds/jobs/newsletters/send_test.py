"""Send the next issue of a newsletter to one address, as a test."""

from dataclasses import asdict, dataclass
from datetime import datetime

from msgspec.structs import replace

from feeds.config import Config
from feeds.core.newsletters import message, replies, tokens
from feeds.core.newsletters.message import MessageBuilder
from feeds.core.subscribers import addresses
from feeds.edges.mail.single_mail import SingleMail
from feeds.edges.mail.transport import OutgoingMail, Replied, Unconfirmed
from feeds.errors import FeedsError, MailServerUnavailable
from feeds.jobs.context import Context
from feeds.jobs.newsletters import send_checks
from feeds.jobs.newsletters.compose import nothing_to_send
from feeds.jobs.newsletters.deliver import unsubscribe_tokens
from feeds.jobs.newsletters.find import find_newsletter
from feeds.jobs.newsletters.issue_renderer import IssueRenderer
from feeds.jobs.newsletters.next_issue import next_issue
from feeds.jobs.posts.listing import open_survey
from feeds.jobs.site import Site
from feeds.model import Delivery, DeliveryState, Letter, ReplyAction, SubscriberPreferences

#: Before the subject, so that a test is not taken for the issue.
_MARK = "[Test]"


@dataclass(frozen=True, kw_only=True, slots=True)
class SentTest:
    """A test message that was sent, or written by a transport that writes files."""

    newsletter: str
    number: int
    subject: str
    recipient: str
    #: The words of the server or, for a file, where it is.
    answer: str

    @property
    def facts(self) -> dict[str, object]:
        """All fields, for JSON."""
        return asdict(self)


def send_test(config: Config, name: str, recipient: str, now: datetime, context: Context) -> SentTest:
    """Send the next issue of a newsletter to one address through the transport, as a subscriber would get it.

    Nothing is stored: the issue that subscribers get will have the same posts. It needs no confirmation and does not
    wait for the website. Its links to unsubscribe, to the preferences and to the web are valid, and change nothing.

    Raises:
        FeedsError: there is no such newsletter, it has nothing to send, the message is refused, or has
            addresses of the sample.
        MailServerUnavailable: no server takes the message now.
        AddressError: *recipient* is not an address that mail can be sent to.
    """
    site = Site(config)
    if sample := send_checks.sample_values(site):
        named = ", ".join(f"{key} is {value!r}" for key, value in sample)
        raise FeedsError(f"the test message is not sent: {named}, as in the sample: set your own")
    newsletter, address = find_newsletter(site, name), addresses.parse_address(recipient)
    with open_survey(config, now, context) as opened:
        issue = next_issue(site, newsletter, opened.survey, opened.store.issues, now, context)
        issue = issue and issue.for_test()
        letter = issue.letter(SubscriberPreferences()) if issue else None
        if issue is None or letter is None:
            reason = nothing_to_send(site, newsletter, opened.survey, opened.store.issues, now)
            raise FeedsError(f"{name} has nothing to send: {reason}")
    letter = replace(letter, subject=f"{_MARK} {letter.subject}")
    return SentTest(
        newsletter=name,
        number=issue.renderer.number,
        subject=letter.subject,
        recipient=address.email,
        answer=_send(site, issue.renderer, letter, address.email, context.clock()),
    )


def _send(site: Site, renderer: IssueRenderer, letter: Letter, recipient: str, now: datetime) -> str:
    """Send one message; return the server's words."""
    headers = renderer.headers
    delivery = Delivery(
        id=int(now.timestamp()),  # so that each test message has another Message-ID
        letter_id=0,
        recipient=recipient,
        state=DeliveryState.READY,
        handed_over_at=None,
        subscriber_id=tokens.TEST_SUBSCRIBER,  # it has the headers of a subscriber's letter
    )
    builder = MessageBuilder(headers, message.encode_letter(headers, letter), site.signer(headers.domain))
    folder = f"test/{headers.newsletter.name}/{headers.number}"
    mail = OutgoingMail(delivery.id, headers.return_path(delivery.id), message.idna_address(recipient), folder)
    queue = SingleMail(mail, builder.build(delivery, unsubscribe_tokens(site, headers)(delivery), now))
    site.transport.run(queue)
    return _accepted(recipient, queue.outcome)


def _accepted(recipient: str, outcome: Replied | Unconfirmed | None) -> str:
    """Return the server's answer when it accepted the message.

    Raises:
        FeedsError: it did not accept the message, or may have accepted it.
        MailServerUnavailable: it may accept the message later.
    """
    if isinstance(outcome, Unconfirmed):
        raise FeedsError(f"the test message to {recipient} may have arrived: {outcome.reason}")
    if outcome is None:
        raise MailServerUnavailable(f"the test message to {recipient} was not sent; try again")
    match replies.classify_reply(outcome.reply, outcome.stage):
        case ReplyAction.SENT:
            return outcome.reply.text
        case ReplyAction.LATER | ReplyAction.LIMIT:
            raise MailServerUnavailable(f"the test message to {recipient} was not taken yet: {outcome.reply}")
        case ReplyAction.NEVER | ReplyAction.REJECTED:
            raise FeedsError(f"the test message to {recipient} was refused: {outcome.reply}")
