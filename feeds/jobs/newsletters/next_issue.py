"""The next issue of a newsletter as if it were due now: to look at, or for one address."""

from dataclasses import dataclass
from datetime import datetime

from feeds.config import Config
from feeds.core.newsletters import message, selection, tokens
from feeds.core.newsletters.message import MessageBuilder
from feeds.core.subscribers import addresses
from feeds.edges.store.issues import Issues
from feeds.errors import FeedsError
from feeds.jobs.context import Context
from feeds.jobs.newsletters.compose import SEED_BYTES, draft_issue, find_newsletter, find_waiting
from feeds.jobs.newsletters.issue_renderer import IssueRenderer
from feeds.jobs.posts.listing import open_survey
from feeds.jobs.posts.survey import Survey
from feeds.jobs.site import Site
from feeds.model import Delivery, DeliveryState, IssueContent, Letter, SubscriberPreferences
from feeds.settings import Newsletter


@dataclass(frozen=True, kw_only=True, slots=True)
class NextIssue:
    """The issue that would go out now, or that waits for approval."""

    typesetter: IssueRenderer
    content: IssueContent

    def letter(self, choice: SubscriberPreferences) -> Letter | None:
        """Return the letter for readers with one choice; None where they would be told nothing.

        Raises:
            TemplateError: a template has a fault.
        """
        told = selection.selection_for(self.content.selection, choice, self.typesetter.site.settings.categories)
        if told is None:
            return None
        return self.typesetter.render_letter(IssueContent(selection=told, texts=self.content.texts), choice.lang)[1]


def next_issue(
    site: Site, newsletter: Newsletter, found: Survey, memory: Issues, now: datetime, context: Context
) -> NextIssue | None:
    """Return the next issue; None where there is nothing to tell.

    Raises:
        FeedsError: it cannot be composed.
    """
    issue = find_waiting(memory, newsletter.name)
    content = memory.load_content(issue.id) if issue else None
    if issue and content:
        setter = IssueRenderer(site=site, newsletter=newsletter, number=issue.number, slot=issue.slot, seed=issue.seed)
        return NextIssue(typesetter=setter, content=content)
    drafted = draft_issue(site, newsletter, found, memory, now.replace(microsecond=0), context.random_bytes(SEED_BYTES))
    return NextIssue(typesetter=drafted[0], content=drafted[2]) if drafted else None


def send_test(config: Config, name: str, recipient: str, now: datetime, context: Context) -> str:
    """Write the next issue of a newsletter to one address, as a subscriber would get it; return where the message is.

    Nothing is stored: the issue that subscribers get will have the same posts.

    Raises:
        FeedsError: there is no such newsletter, or it has nothing to send.
        AddressError: *recipient* is not an address that mail can be sent to.
    """
    site = Site(config)
    newsletter, address = find_newsletter(site, name), addresses.parse_address(recipient)
    with open_survey(config, now, context) as opened:
        found = next_issue(site, newsletter, opened.survey, opened.store.issues, now, context)
        letter = found.letter(SubscriberPreferences()) if found else None
    if found is None or letter is None:
        raise FeedsError(f"{name} has nothing to send: fewer than {newsletter.min_posts} posts since the last issue")
    envelope, moment = found.typesetter.headers, context.clock()
    delivery = Delivery(
        id=int(moment.timestamp()),  # the Message-ID comes of it: another trial is another message
        letter_id=0,
        recipient=address.email,
        state=DeliveryState.READY,
        handed_over_at=None,
        subscriber_id=None,
    )
    content = MessageBuilder(envelope, message.encode_letter(envelope, letter)).build(
        delivery, "0" * tokens.LENGTH, moment
    )
    return site.outbox.write_message(f"test/{name}/{envelope.number}", address.email, content)
