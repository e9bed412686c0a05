"""The next issue of a newsletter as if it were due now: to look at, or for one address."""

from dataclasses import dataclass

from feeds.core.newsletters import choose, message, tokens
from feeds.core.newsletters.message import Edition
from feeds.core.subscribers import addresses
from feeds.edges.store.memory import Memory
from feeds.errors import FeedsError
from feeds.jobs.compose import SEED_BYTES, draft, known, waiting
from feeds.jobs.letters import Typesetter
from feeds.jobs.report import Wish
from feeds.jobs.site import Site
from feeds.jobs.survey import Survey
from feeds.model import Choice, Content, Delivery, DeliveryState, Letter
from feeds.settings import Newsletter


@dataclass(frozen=True, kw_only=True, slots=True)
class Next:
    """The issue that would go out now, or that waits for approval."""

    typesetter: Typesetter
    content: Content

    def letter(self, choice: Choice) -> Letter | None:
        """Return the letter for readers with one choice; None where they would be told nothing.

        Raises:
            TemplateError: a template has a fault.
        """
        told = choose.told_to(self.content.selection, choice, self.typesetter.site.settings.categories)
        if told is None:
            return None
        return self.typesetter.letter(Content(selection=told, texts=self.content.texts), choice.lang)[1]


def next_issue(site: Site, newsletter: Newsletter, found: Survey, memory: Memory, wish: Wish) -> Next | None:
    """Return the next issue; None where there is nothing to tell.

    Raises:
        FeedsError: it cannot be composed.
    """
    issue = waiting(memory, newsletter.name)
    content = memory.content(issue.id) if issue else None
    if issue and content:
        setter = Typesetter(site=site, newsletter=newsletter, number=issue.number, slot=issue.slot, seed=issue.seed)
        return Next(typesetter=setter, content=content)
    drafted = draft(site, newsletter, found, memory, wish.now.replace(microsecond=0), wish.chance(SEED_BYTES))
    return Next(typesetter=drafted[0], content=drafted[2]) if drafted else None


def trial(site: Site, name: str, recipient: str, found: Survey, memory: Memory, wish: Wish) -> str:
    """Make the next issue of a newsletter out to one address, as a reader would get it; return where it lies.

    Nothing is written down: the issue that readers get will tell the same.

    Raises:
        FeedsError: there is no such newsletter, or nothing to tell.
        AddressError: mail could not be sent there.
    """
    newsletter, address = known(site, name), addresses.parse(recipient)
    found_next = next_issue(site, newsletter, found, memory, wish)
    letter = found_next.letter(Choice()) if found_next else None
    if found_next is None or letter is None:
        raise FeedsError(f"{name} has nothing to tell: fewer than {newsletter.min_posts} posts since the last issue")
    envelope, moment = found_next.typesetter.envelope, wish.clock()
    delivery = Delivery(
        id=int(moment.timestamp()),  # the Message-ID comes of it: another trial is another message
        letter_id=0,
        recipient=address.email,
        state=DeliveryState.READY,
        handed_over_at=None,
        subscriber_id=None,
    )
    content = Edition(envelope, message.encoded(envelope, letter)).message(delivery, "0" * tokens.LENGTH, moment)
    return site.outbox.keep(f"test/{name}/{envelope.number}", address.email, content)
