"""Draft the next issue of a newsletter as if it were due now, for a preview or a test message."""

from dataclasses import dataclass
from datetime import datetime

from feeds.config import Config
from feeds.core.newsletters import message, selection, tokens
from feeds.core.newsletters.message import MessageBuilder
from feeds.core.subscribers import addresses
from feeds.edges.store.issues import Issues
from feeds.errors import FeedsError
from feeds.jobs.context import Context
from feeds.jobs.newsletters.compose import SEED_BYTES, draft_issue
from feeds.jobs.newsletters.find import find_newsletter, waiting_issue
from feeds.jobs.newsletters.issue_renderer import IssueRenderer
from feeds.jobs.posts.listing import open_survey
from feeds.jobs.posts.survey import Survey
from feeds.jobs.site import Site
from feeds.model import Delivery, DeliveryState, IssueContent, Letter, SubscriberPreferences
from feeds.settings import Newsletter


@dataclass(frozen=True, kw_only=True, slots=True)
class NextIssue:
    """The issue that would be sent now, or that waits for approval."""

    renderer: IssueRenderer
    content: IssueContent

    def letter(self, preferences: SubscriberPreferences) -> Letter | None:
        """Return the letter for subscribers with these preferences; None if they get none.

        Raises:
            TemplateError: a template has an error.
        """
        categories = self.renderer.site.settings.categories
        selected = selection.selection_for(self.content.selection, preferences, categories)
        if selected is None:
            return None
        content = IssueContent(selection=selected, texts=self.content.texts)
        return self.renderer.render_letter(content, preferences.lang)[1]


def next_issue(
    site: Site, newsletter: Newsletter, survey: Survey, issues: Issues, now: datetime, context: Context
) -> NextIssue | None:
    """Return the next issue; None if there are not enough posts.

    Raises:
        FeedsError: it cannot be composed.
    """
    issue = waiting_issue(issues, newsletter.name)
    content = issues.load_content(issue.id) if issue else None
    if issue and content:
        number, slot, seed = issue.number, issue.slot, issue.seed
        renderer = IssueRenderer(site=site, newsletter=newsletter, number=number, slot=slot, seed=seed)
        return NextIssue(renderer=renderer, content=content)
    draft = draft_issue(site, newsletter, survey, issues, now.replace(microsecond=0), context.random_bytes(SEED_BYTES))
    return NextIssue(renderer=draft.renderer, content=draft.content) if draft else None


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
        issue = next_issue(site, newsletter, opened.survey, opened.store.issues, now, context)
        letter = issue.letter(SubscriberPreferences()) if issue else None
    if issue is None or letter is None:
        raise FeedsError(f"{name} has nothing to send: fewer than {newsletter.min_posts} posts since the last issue")
    headers, sent_at = issue.renderer.headers, context.clock()
    delivery = Delivery(
        id=int(sent_at.timestamp()),  # so that each test message has another Message-ID
        letter_id=0,
        recipient=address.email,
        state=DeliveryState.READY,
        handed_over_at=None,
        subscriber_id=None,
    )
    builder = MessageBuilder(headers, message.encode_letter(headers, letter))
    content = builder.build(delivery, "0" * tokens.LENGTH, sent_at)
    return site.outbox.write_message(f"test/{name}/{headers.number}", address.email, content)
