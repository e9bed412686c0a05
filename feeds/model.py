"""The data model: immutable values that all other modules share.

A file in the posts folder is a `Post`. The `Catalogue` holds an `Entry` for each public post, and a `PostOutcome` for
each file. An `Issue` is one edition of a newsletter, a `Letter` its rendering, a `Delivery` one letter to one
subscriber.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct

#: A datetime with a time zone.
AwareDatetime = Annotated[datetime, Meta(tz=True)]


class Value(Struct, frozen=True, kw_only=True, array_like=True):
    """An immutable struct that is compared by its fields and encoded as a JSON array."""


# Posts ------------------------------------------------------------------------------------------------------------


class PostStatus(StrEnum):
    """How a publish run treats a post file."""

    PUBLIC = "public"
    DRAFT = "draft"
    FUTURE = "future"
    EXPIRED = "expired"
    DUPLICATE = "duplicate"
    REJECTED = "rejected"


class Author(Value, frozen=True, kw_only=True):
    """The author of a post."""

    name: str
    uri: str | None = None
    email: str | None = None


class Image(Value, frozen=True, kw_only=True):
    """The lead image of a post."""

    #: Absolute.
    url: str
    alt: str = ""


class PictureFile(Value, frozen=True, kw_only=True):
    """The file of a picture on this machine."""

    path: str
    #: As Pillow names it, such as `JPEG`.
    format: str
    #: In pixels, as browsers show it.
    width: int
    height: int
    #: In bytes.
    size: int
    #: True if no part of it is transparent.
    is_opaque: bool = False


class Enclosure(Value, frozen=True, kw_only=True):
    """A file attached to a post: a podcast episode, a video, a document (RFC 4287 section 4.2.7.2)."""

    #: Absolute.
    url: str
    #: The media type; None if neither the post nor the file name gives it.
    type: str | None = None
    #: Size in bytes; None if the post does not give it. The size of the site's own files is read for each feed.
    length: int | None = None
    #: Playing time.
    seconds: int | None = None
    title: str = ""


class Transcript(Value, frozen=True, kw_only=True):
    """The text of an episode, as a file."""

    #: Absolute.
    url: str
    type: str
    lang: str = ""


class Person(Value, frozen=True, kw_only=True):
    """A person who takes part in an episode; empty fields are unknown."""

    name: str
    #: Such as `host` or `guest`.
    role: str = ""
    #: Absolute.
    url: str = ""
    image: str = ""


class Episode(Value, frozen=True, kw_only=True):
    """The fields of a post with a recording that podcast apps show; empty fields are unknown."""

    season: int | None = None
    number: int | None = None
    #: `full`, `trailer` or `bonus`.
    type: str = ""
    explicit: bool | None = None
    transcripts: tuple[Transcript, ...] = ()
    #: The URL of a JSON file.
    chapters: str = ""
    people: tuple[Person, ...] = ()


class OriginalFeed(Value, frozen=True, kw_only=True):
    """The feed of another site that published a post first (RFC 4287 section 4.2.11, `atom:source`)."""

    title: str
    #: The URL of the feed document.
    url: str
    id: str | None = None


class UnknownTag(Value, frozen=True, kw_only=True):
    """A template tag in a post that only the site's generator can render."""

    #: The tag without its values: `{{< card >}}`.
    kind: str
    #: The first line of the file that has it.
    line: int


class PostLink(Value, frozen=True, kw_only=True):
    """A link of a post to another one, which is named by a path, file name or slug."""

    #: As it is written; empty for the post itself.
    target: str
    #: The line of the file that has it.
    line: int
    #: True if a template tag names the post.
    by_tag: bool = False


class Post(Value, frozen=True, kw_only=True):
    """A parsed post file: its front matter, and the fingerprints of its text."""

    #: Relative to the posts folder, separated by `/`.
    path: str
    title: str
    published: AwareDatetime
    #: None if the post has not been updated since `published`.
    updated: AwareDatetime | None = None
    expires: AwareDatetime | None = None
    draft: bool = False
    #: BCP 47.
    lang: str
    slug: str
    #: Absolute.
    url: str
    #: `id` or `guid` of the front matter, unchanged.
    declared_id: str | None = None
    #: The page that a link post links to, or that the post's page redirects to.
    external_url: str | None = None
    #: The URL of the original, if the post is a copy (RFC 6596).
    canonical: str | None = None
    source: OriginalFeed | None = None
    #: Copyright or licence, as text.
    rights: str = ""
    authors: tuple[Author, ...] = ()
    categories: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    #: Tags that `tags.rules` added because of words in title or text, in the spelling of the rule.
    rule_tags: tuple[str, ...] = ()
    image: Image | None = None
    enclosures: tuple[Enclosure, ...] = ()
    episode: Episode | None = None
    #: Digest of the published text without white space, Markdown characters and letter case.
    text_digest: str
    #: Size of that text in bytes.
    text_size: int
    #: Fingerprint that similar texts mostly share (`feeds.core.posts.sketch`).
    sketch: bytes = b""
    #: Hash of all digits of the text: it differs between instalments, whose other words may be the same.
    digits_hash: int = 0
    #: False keeps the post out of all feeds.
    feed: bool = True
    #: True allows an old post in a newsletter, False keeps the post out, None decides by its age.
    newsletter: bool | None = None
    featured: bool = False
    #: No newsletter includes the post before this time.
    hold_until: AwareDatetime | None = None
    #: Messages for the user: `path:line: …`.
    warnings: tuple[str, ...] = ()
    #: Those of them that are about its text; they do not matter where the text is taken from the built site.
    text_warnings: tuple[str, ...] = ()
    #: One of each kind.
    unknown_tags: tuple[UnknownTag, ...] = ()
    links: tuple[PostLink, ...] = ()


class Text(Value, frozen=True, kw_only=True):
    """The rendered text of a post; rendering is slow, so only posts that are published have one."""

    #: Not sanitised, with relative URLs.
    html: str
    excerpt: str
    #: Whole minutes, at least 1; from the front matter if it is set there.
    reading_minutes: int
    #: Messages for the user: `path:line: …`.
    warnings: tuple[str, ...] = ()
    #: Why its Markdown is rendered although it has a page in the built site; empty otherwise.
    page_problem: str = ""


class PostOutcome(Value, frozen=True, kw_only=True):
    """How a publish run treats one file, and why."""

    path: str
    status: PostStatus
    #: Empty for a public post.
    reason: str = ""
    #: Path of the post that is published instead.
    duplicate_of: str | None = None
    #: None only if the file cannot be parsed.
    post: Post | None = None


class DuplicateKind(StrEnum):
    """The way in which one post repeats another."""

    ID = "id"
    TEXT = "text"
    #: Almost the same text.
    NEAR = "near"
    #: Almost the same text with another number, date, part or recording, such as a monthly notice.
    INSTALMENT = "instalment"


class TextSimilarity(Value, frozen=True, kw_only=True):
    """The similarity of two texts."""

    #: Jaccard index of the sets of 5-character shingles, 0 to 1.
    jaccard: float
    #: Length of the shorter text.
    characters: int
    #: True if they differ in digits, words that count or recordings, as the parts of a series do.
    are_parts: bool = False


class DuplicatePair(Value, frozen=True, kw_only=True):
    """A post that repeats another one, or may do so."""

    post: Post
    kept: Post
    kind: DuplicateKind
    similarity: float
    #: False if both posts are published and the pair is only reported.
    dropped: bool
    #: A message for the user.
    reason: str


# Feeds ------------------------------------------------------------------------------------------------------------


class PublishedCategory(Value, frozen=True, kw_only=True):
    """A category or tag in the form in which it is published."""

    #: The spelling that replaces all variants; the `term` in feeds.
    term: str
    #: The name that readers see.
    label: str
    #: Part of paths; not percent-encoded, may contain non-ASCII characters.
    slug: str
    description: str = ""


class Entry(Value, frozen=True, kw_only=True):
    """A public post with its id, categories and tags, which depend on other posts and on the store."""

    #: A URI that never changes.
    id: str
    post: Post
    categories: tuple[PublishedCategory, ...]
    tags: tuple[str, ...]
    #: The post's `updated`; `published` if `updated` is not set, in the future, or earlier than `published`.
    updated: datetime


class Catalogue(Value, frozen=True, kw_only=True):
    """All public entries at one time, newest first, and the outcome of each file."""

    now: datetime
    entries: tuple[Entry, ...]
    outcomes: tuple[PostOutcome, ...]
    #: Posts that repeat or resemble another one, in the order of their paths.
    duplicates: tuple[DuplicatePair, ...] = ()
    #: Published ids that ids in front matter replace from now on, by the new id.
    replaced_ids: dict[str, str] = {}
    #: Messages for the user about categories.
    category_warnings: tuple[str, ...] = ()

    @property
    def counts(self) -> dict[str, int]:
        """The number of files with each status, zeros included."""
        counts = Counter(outcome.status for outcome in self.outcomes)
        return {status.value: counts[status] for status in PostStatus}


class AdoptedDate(Value, frozen=True, kw_only=True):
    """The date of an entry whose id comes from the feed of another program, which readers have seen with it."""

    #: The entry's own `updated` when the id was taken; once the post has another one, that is published.
    own: AwareDatetime
    #: The earlier one that the other feed has; it is published until then.
    shown: AwareDatetime


class KnownEntry(Value, frozen=True, kw_only=True):
    """An entry that was published before, as the store keeps it."""

    id: str
    path: str
    text_digest: str
    #: The next three are None if an older version of the program stored the entry.
    sketch: bytes | None = None
    title: str | None = None
    published: datetime | None = None
    #: None unless the id was taken from a feed of another program that has an earlier date.
    adopted: AdoptedDate | None = None
    #: The id that the post has now, if it was given another one; what was announced with this id stays announced.
    replaced_by: str | None = None


class EntryVersion(Value, frozen=True, kw_only=True):
    """A past or current version of an entry, published from `since` on."""

    since: datetime
    path: str
    text_digest: str
    #: None if an older version of the program stored it.
    title: str | None


class KnownFeed(Value, frozen=True, kw_only=True):
    """A feed that was published before, as the store keeps it."""

    #: `all`, `category`, `tag`, `author`, `language`, `extra` or `newsletter`.
    kind: str
    #: The normalised name of the category, tag, … ; empty for the feed of all posts.
    key: str
    id: str
    #: Relative to `public/`, with `/` at the end.
    folder: str
    #: The name that readers see.
    label: str
    #: The last published `updated` of the feed; it never goes back.
    updated: datetime | None = None
    #: Former folders, which still get a copy of the feed.
    former: tuple[str, ...] = ()


class ArchivePage(Value, frozen=True, kw_only=True):
    """A page of a feed's archive (RFC 5005 section 4); an entry never moves to another page."""

    #: `kind` and `key` of the feed.
    kind: str
    key: str
    #: From 1; page 1 has the oldest entries.
    number: int
    #: The number of entries that fill the page; fixed when the page is started.
    size: int
    #: Ids in the order in which they were added, including entries that are no longer public.
    entries: tuple[str, ...]


class Ping(Value, frozen=True, kw_only=True):
    """A changed document whose WebSub hub has not been notified yet."""

    #: Relative to `public/`.
    path: str
    since: datetime
    tries: int = 0
    #: Time of the next attempt.
    next_at: datetime


# Newsletters ------------------------------------------------------------------------------------------------------


class IssueState(StrEnum):
    """The progress of an issue."""

    #: The content is frozen; the issue waits for approval.
    COMPOSED = "composed"
    #: Recipients and letters are frozen too; some deliveries are not sent yet.
    SENDING = "sending"
    SENT = "sent"


class DeliveryState(StrEnum):
    """The progress of a delivery."""

    READY = "ready"
    #: Reserved by a sending process that has not started it.
    LEASED = "leased"
    #: Stored before the transport gets the message, so that a crash leaves a trace.
    HANDING_OVER = "handing_over"
    SENT = "sent"
    #: The server answered "try again later" (4xx).
    DEFERRED = "deferred"
    #: Not sent: the server rejected it permanently (5xx), or said "try again later" too often.
    FAILED = "failed"
    #: Ended before it was sent: the subscriber unsubscribed, or the issue was cancelled or retracted.
    CANCELLED = "cancelled"
    #: Given to the server without an answer; it may have arrived.
    UNKNOWN = "unknown"


class ReplyAction(StrEnum):
    """The consequence of a mail server's reply for a delivery."""

    SENT = "sent"
    #: Try again later; each time counts as a try.
    LATER = "later"
    #: The server or the domain takes no more for now: wait, without counting a try.
    LIMIT = "limit"
    #: This delivery has failed; others go on.
    NEVER = "never"
    #: The sender is rejected, so every delivery to this domain, or through this server, would fail.
    REJECTED = "rejected"


class DomainDelay(Value, frozen=True, kw_only=True):
    """Why the deliveries of an issue to one domain wait, and how long."""

    domain: str
    #: `LIMIT` or `REJECTED`; `NEVER` if the domain accepted nothing for so long that its deliveries have failed.
    cause: ReplyAction
    #: The last answer that caused it.
    answer: str
    #: How often in a row a single delivery was tried and put off.
    times: int
    #: None if nothing waits: all have failed, or a rate limit is only remembered.
    until: datetime | None

    @property
    def has_given_up(self) -> bool:
        """True if its deliveries have failed."""
        return self.cause is ReplyAction.NEVER

    def matters(self, now: datetime) -> bool:
        """Return whether deliveries wait, or have failed, at present."""
        return self.has_given_up or (self.until is not None and self.until > now)


class ServerLimit(Value, frozen=True, kw_only=True):
    """The limits of a mail server while an issue is sent, learned from its replies."""

    #: The last answer that asked us to wait; empty if there was none.
    answer: str = ""
    #: How often in a row it asked us to wait, without accepting a message between.
    times: int = 0
    #: When it may be tried again; None if it accepts messages.
    until: datetime | None = None
    #: Messages for one connection, and for a minute; 0 if no limit is known.
    per_connection: int = 0
    per_minute: float = 0.0


class EditorNote(Value, frozen=True, kw_only=True):
    """The editor's note for one issue: a Markdown file in `letters/`."""

    #: Relative to the site's folder; used in messages.
    path: str
    #: Digest of the file.
    digest: str
    subject: str = ""
    #: Not sanitised yet.
    html: str = ""
    #: Posts, each named by path, slug, URL or id.
    pinned: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    #: The lines of the file that name them; None without.
    pin_line: int | None = None
    skip_line: int | None = None


class Selection(Value, frozen=True, kw_only=True):
    """The entries of an issue."""

    #: Shown with an excerpt, the lead first; empty if the issue has only a note.
    stories: tuple[Entry, ...]
    #: Listed by title only.
    also: tuple[Entry, ...] = ()
    #: Not shown, but marked as announced: the older posts, in the first issue of a newsletter.
    passed_over: tuple[Entry, ...] = ()
    note: "EditorNote | None" = None


class IssueContent(Value, frozen=True, kw_only=True):
    """The frozen content of an issue, from which letters are rendered when it is approved."""

    selection: Selection
    #: Rendered posts by path.
    texts: dict[str, Text]


class IssuePage(Value, frozen=True, kw_only=True):
    """The public web page of an issue, without personal links."""

    #: The page in `public/newsletters/`.
    html: str
    #: HTML for the entry in the newsletter's own feed; empty if an older version of the program froze the issue.
    entry: str = ""


class SubscriberPreferences(Value, frozen=True, kw_only=True):
    """Preferences of a subscriber; subscribers with equal preferences get the same letter."""

    #: None means the language of the newsletter.
    lang: str | None = None
    #: Category names, sorted; empty means all categories.
    topics: tuple[str, ...] = ()


class Letter(Value, frozen=True, kw_only=True):
    """An issue rendered for all subscribers with the same language and the same selection of posts."""

    lang: str
    subject: str
    html: str
    text: str


class Issue(Value, frozen=True, kw_only=True):
    """One edition of a newsletter, as the store keeps it."""

    id: int
    newsletter: str
    number: int
    #: UTC.
    slot: datetime
    state: IssueState
    subject: str
    #: Numbers of posts, recipients and sent letters.
    posts: int
    recipients: int
    sent: int
    #: The secret from which the Message-IDs of this issue are derived.
    seed: bytes = b""
    #: Why sending has stopped; empty if it has not.
    halt_reason: str = ""
    #: True if sending may go on beyond `mail.first_percent`.
    released_to_all: bool = False
    #: UTC: the time of the publish run; None for an issue that is not stored, such as a preview.
    composed_at: datetime | None = None
    #: When it was retracted (UTC), and the public reason.
    retracted_at: datetime | None = None
    retraction: str = ""
    #: The number of the issue that this one corrects.
    corrects: int | None = None

    @property
    def date(self) -> datetime:
        """The time that readers see: of the slot or, if it was later, of the composition; old slots are caught up."""
        return max(self.slot, self.composed_at or self.slot)

    @property
    def updated(self) -> datetime:
        """The time of the slot or, if it is later, of the retraction."""
        return max(self.slot, self.retracted_at or self.slot)


class RenderedIssue(Value, frozen=True, kw_only=True):
    """The letters of an issue, and which subscribers get which of them."""

    letters: Sequence[Letter]
    #: An index into `letters` for each set of preferences; subscribers whose preferences are missing get no letter.
    letter_index: Mapping[SubscriberPreferences, int]
    #: Address and key of each `copy_to` address; they get the letter at `copy_letter_index`.
    copies: Sequence[tuple[str, str]] = ()
    copy_letter_index: int = 0
    #: Only subscribers who got, or may have got, the issue with this id; None: all subscribers of the newsletter.
    recipients_of: int | None = None


class NewIssue(Value, frozen=True, kw_only=True):
    """An issue that is not in the store yet."""

    newsletter: str
    number: int
    slot: datetime
    subject: str
    selection: Selection
    page: IssuePage
    content: IssueContent
    seed: bytes
    #: None while the issue waits for approval.
    rendered: RenderedIssue | None
    transport: str = ""
    #: The id of the issue that it corrects.
    corrects: int | None = None


class AdoptedIssue(Value, frozen=True, kw_only=True):
    """An issue that was sent before the store knew it, as its page shows it."""

    number: int
    subject: str
    page: str


class Delivery(Value, frozen=True, kw_only=True):
    """One letter to one email address."""

    id: int
    letter_id: int
    recipient: str
    state: DeliveryState
    #: When the message was first given to a server (UTC); the `Date` of the message.
    handed_over_at: datetime | None
    #: None for a copy to a `copy_to` address, and for a subscriber who was erased.
    subscriber_id: int | None
    #: The number of "try again later" answers.
    tries: int = 0


class DeliveryOutcome(Value, frozen=True, kw_only=True):
    """The result of one attempt to send a delivery."""

    #: Of the delivery.
    id: int
    state: DeliveryState
    #: The server's answer, or the reason why there is none.
    answer: str
    tries: int = 0
    #: Deferred deliveries only: do not try again before this time.
    next_at: datetime | None = None


#: Statuses of subscribers who get no more letters, the mildest first.
GONE_STATUSES = ("unsubscribed", "bounced", "complained")


class Subscriber(Value, frozen=True, kw_only=True):
    """A subscriber, their status and subscriptions."""

    id: int
    email: str
    #: The normalised address, by which addresses are compared.
    key: str
    status: str
    lang: str | None
    newsletters: tuple[str, ...]
    #: When and how consent was given, as text.
    consent: str
    timezone: str | None = None
    #: Chosen categories by newsletter; a newsletter that is missing here is sent with all categories.
    topics: dict[str, tuple[str, ...]] = {}
    #: How the subscriber was added: `add`, or the name of an imported file.
    source: str = ""
    #: UTC: when the subscriber was added, and when the status changed last.
    created_at: datetime
    status_at: datetime


class Recipient(Value, frozen=True, kw_only=True):
    """The person, and the delivery if it is known, that a bounce is about."""

    #: None for a `copy_to` address and for an erased subscriber.
    subscriber_id: int | None
    #: As mail is addressed.
    email: str
    #: As addresses are compared.
    domain: str
    #: The following are None where only the subscriber is known.
    delivery_id: int | None = None
    issue_id: int | None = None
    newsletter: str | None = None
    number: int | None = None
    #: From which the delivery's token was made.
    seed: bytes = b""
    #: The mail outside of any issue that it is about.
    mail_id: int | None = None


class BounceRecord(Value, frozen=True, kw_only=True):
    """A bounce as the store keeps it."""

    id: int
    subscriber_id: int
    issue_id: int | None
    domain: str
    #: See `feeds.core.subscribers.bounces.BounceKind`.
    kind: str
    #: An enhanced status code (RFC 3463), or empty.
    status: str
    #: The server's words.
    said: str
    #: When we learned of it.
    at: datetime
    email: str
    #: The subscriber's status.
    subscriber_status: str


class ImportRow(Value, frozen=True, kw_only=True):
    """A person on an imported list."""

    #: The line that the row starts on.
    number: int
    email: str
    #: As addresses are compared.
    key: str
    #: pending, active, unsubscribed, bounced, complained
    status: str = "active"
    lang: str | None = None
    timezone: str | None = None
    consent: str
    created_at: datetime | None = None
    #: Newsletters, each with its topics; no topics: all of them.
    subscriptions: tuple[tuple[str, tuple[str, ...]], ...] = ()
    #: What the address may be hashed to on the suppression list.
    digests: tuple[str, ...] = ()


# Mail outside of any issue ---------------------------------------------------------------------------------------


class ServiceMailKind(StrEnum):
    """The purpose of a mail to one person; its texts are `mail_<kind>_…` in `templates/texts/`."""

    #: Asks whether the recipient has signed up.
    CONFIRMATION = "confirmation"
    REMINDER = "reminder"
    WELCOME = "welcome"
    #: A fresh link to the preferences, which was asked for.
    PREFERENCES = "preferences"
    #: Asks whether a subscription may move to this address.
    ADDRESS = "address"


#: In an unsubscribe link, and for what it leads to, in place of a name: every newsletter of the subscriber.
ALL_NEWSLETTERS = "*"


class ChangeSource(Value, frozen=True, kw_only=True):
    """Where a change of what a subscriber gets has come from."""

    #: `confirmation` (a link or button), `reply` (to a confirmation), `preferences`, `undo`, `letter` (its unsubscribe
    #: link), `mail` (to its unsubscribe address) or `address` (a move to another address).
    how: str
    #: The version of the words of consent that were shown; empty if none were.
    wording: str = ""
    #: A keyed hash of the network address; empty if it is not known.
    client: str = ""


class SubscriptionChange(Value, frozen=True, kw_only=True):
    """A change of what a subscriber gets."""

    newsletter: str
    at: datetime
    #: `subscribed`, `topics` or `unsubscribed`.
    what: str
    #: Those of the subscription from then on; none means all.
    topics: tuple[str, ...]
    source: ChangeSource


class NewServiceMail(Value, frozen=True, kw_only=True):
    """A mail to one person that is not in the store yet."""

    kind: ServiceMailKind
    recipient: str
    #: As addresses are compared.
    recipient_key: str
    #: None means the language of the site.
    lang: str | None = None
    #: What its texts show: `url` is the link of its button.
    values: dict[str, str] = {}
    #: Random bytes, from which its Message-ID and its bounce address are made.
    seed: bytes
    #: After this it is of no use, and is not sent.
    expires_at: datetime


class ServiceMail(Value, frozen=True, kw_only=True):
    """A mail to one person that waits to be sent."""

    id: int
    kind: ServiceMailKind
    recipient: str
    lang: str | None
    values: dict[str, str]
    seed: bytes
    tries: int
    #: When it was first given to a server (UTC); the `Date` of the message.
    handed_over_at: datetime | None


# Sign-ups ---------------------------------------------------------------------------------------------------------


#: The `wording` of a sign-up that was asked for by mail.
BY_MAIL = "mail"


class SignupRequest(Value, frozen=True, kw_only=True):
    """A sign-up as it was entered on the web, which no job has looked at yet."""

    #: 0 if it is not in the store yet.
    id: int = 0
    email: str
    #: As addresses are compared.
    key: str
    newsletters: tuple[str, ...]
    #: Of the page.
    lang: str
    #: Keyed hashes of the address of the client and of its network.
    client: str
    network: str
    #: The version of the words of consent on the page.
    wording: str
    #: See `feeds.core.subscribers.signup.FormSignal`.
    signals: tuple[str, ...] = ()
    at: datetime


class Signup(Value, frozen=True, kw_only=True):
    """A sign-up that waits for its click or for the editor, or was confirmed."""

    id: int
    email: str
    key: str
    newsletters: tuple[str, ...]
    lang: str
    client: str
    wording: str
    #: `held`, `waiting` or `confirmed`.
    state: str
    #: Why it is held.
    held: str
    created_at: datetime
    confirmation_at: datetime | None

    @property
    def is_by_mail(self) -> bool:
        """True if it was asked for by mail; then a reply confirms it."""
        return self.wording == BY_MAIL


# The journal ------------------------------------------------------------------------------------------------------


class _Record(Struct, frozen=True, kw_only=True, tag_field="about", omit_defaults=True):
    """One line of the journal, which `feeds store restore` replays into a backup of the store."""


class IdAssigned(_Record, frozen=True, kw_only=True, tag="id"):
    """The id of an entry, and the data by which its post is recognised again."""

    id: str
    path: str
    #: Digest of the text.
    text: str
    title: str | None = None
    #: ISO 8601 with offset.
    published: str | None = None
    sketch: bytes | None = None
    #: The two dates of an `AdoptedDate`.
    adopted: tuple[AwareDatetime, AwareDatetime] | None = None
    replaced_by: str | None = None


class IssueRecorded(_Record, frozen=True, kw_only=True, tag="issue"):
    """An issue that is being sent or was sent."""

    newsletter: str
    number: int
    slot: AwareDatetime
    subject: str
    state: IssueState
    composed_at: AwareDatetime
    transport: str = ""
    #: Digest of the editor's note.
    note: str = ""
    recipients: int = 0
    sent: int = 0
    #: As in `Issue`.
    retracted_at: AwareDatetime | None = None
    retraction: str = ""
    corrects: int | None = None
    #: HTML for the entry in the newsletter's own feed. (The page itself is in `public/`.)
    entry: str = ""
    #: Ids of the announced entries in order, by how they were announced: `story`, `also`, `passed_over`.
    entries: dict[str, tuple[str, ...]] = {}


class SubscriberEvent(_Record, frozen=True, kw_only=True, tag="person"):
    """A change of a subscriber's status. It does not contain the address."""

    #: The hash of the address, as on the suppression list.
    who: str
    #: A status; `left` or `returned` (unsubscribed from one newsletter, or subscribed again); `erased`, `suppressed` or
    #: `allowed` (added to the suppression list by erasing or by hand, or removed from it).
    what: str
    newsletter: str = ""
    at: AwareDatetime


class JournalBegun(_Record, frozen=True, kw_only=True, tag="journal"):
    """The first line of a journal, by which a store knows it again."""

    #: Random.
    id: str


JournalRecord = IdAssigned | IssueRecorded | SubscriberEvent
