"""The nouns: frozen values that are valid because they exist.

One file is a `Post`. What is public at a moment is the `Catalogue` of `Entry` values; a `Verdict` says of every file
what became of it. An `Issue` is one edition of a newsletter, a `Letter` its rendering, a `Delivery` its way to one
reader.
"""

from collections import Counter
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct

#: A moment that knows its offset from UTC.
Moment = Annotated[datetime, Meta(tz=True)]


class Value(Struct, frozen=True, kw_only=True, array_like=True):
    """A noun: it does not change, equals what holds the same, and can be kept as JSON and read back."""


class PostStatus(StrEnum):
    """What became of a post file."""

    PUBLIC = "public"
    DRAFT = "draft"
    FUTURE = "future"
    EXPIRED = "expired"
    DUPLICATE = "duplicate"
    REJECTED = "rejected"


class Author(Value, frozen=True, kw_only=True):
    """Somebody who wrote a post."""

    name: str
    uri: str | None = None
    email: str | None = None


class Image(Value, frozen=True, kw_only=True):
    """A post's lead picture."""

    #: Absolute.
    url: str
    alt: str = ""


class Enclosure(Value, frozen=True, kw_only=True):
    """A file that belongs to a post: an episode, a film, a document (RFC 4287 section 4.2.7.2)."""

    #: Absolute.
    url: str
    #: A media type; None where neither the post nor the file's name tells.
    type: str | None = None
    #: Bytes; None where the post does not say. A file of the site is looked at when a feed is made.
    length: int | None = None
    #: How long it plays.
    seconds: int | None = None
    title: str = ""


class OriginalFeed(Value, frozen=True, kw_only=True):
    """The feed of another site in which a post came out first (RFC 4287 section 4.2.11)."""

    title: str
    #: Of the feed itself.
    url: str
    id: str | None = None


class Post(Value, frozen=True, kw_only=True):
    """One file, read and understood as far as every post must be: its front matter, and what its text is known by."""

    #: Relative to the posts folder, with `/`.
    path: str
    title: str
    published: Moment
    #: None where the post names none; then it has not been updated since `published`.
    updated: Moment | None = None
    expires: Moment | None = None
    draft: bool = False
    #: BCP 47.
    lang: str
    slug: str
    #: Absolute.
    url: str
    #: `id` or `guid` of the front matter, as written.
    declared_id: str | None = None
    #: The page a link post points to, or the post's page redirects to.
    external_url: str | None = None
    #: Where else the same text stands first (RFC 6596).
    canonical: str | None = None
    source: OriginalFeed | None = None
    #: Who may do what with it, in words.
    rights: str = ""
    authors: tuple[Author, ...] = ()
    categories: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    #: What `tags.rules` found in title and text; each tag as its rule spells it.
    rule_tags: tuple[str, ...] = ()
    image: Image | None = None
    enclosures: tuple[Enclosure, ...] = ()
    #: Of the text as published, less white space, case and marks; equal texts have equal digests.
    text_digest: str
    #: Bytes of that text.
    text_size: int
    #: What a similar text shares with this one, and what the next instalment does not; see `feeds.core.posts.sketch`.
    sketch: bytes = b""
    digits_hash: int = 0
    #: False keeps the post out of every feed.
    feed: bool = True
    #: True lets an old post into a newsletter, False keeps it out, None leaves it to its age.
    newsletter: bool | None = None
    featured: bool = False
    #: Until then no newsletter tells of it.
    hold_until: Moment | None = None
    #: `path:line: …`, for people.
    warnings: tuple[str, ...] = ()


class Text(Value, frozen=True, kw_only=True):
    """What a post says: made only for posts that are shown, since it has to be rendered."""

    #: As rendered: not safe to show yet, addresses as the post has them.
    html: str
    excerpt: str
    #: Whole minutes, at least 1; the post's own where it names one.
    reading_minutes: int
    #: `path:line: …`, for people.
    warnings: tuple[str, ...] = ()


class PostOutcome(Value, frozen=True, kw_only=True):
    """What became of one file, and why."""

    path: str
    status: PostStatus
    #: Empty for a public post.
    reason: str = ""
    #: Path of the post that stays.
    duplicate_of: str | None = None
    #: None only when the file could not be read as a post.
    post: Post | None = None


class DuplicateKind(StrEnum):
    """How one post repeats another."""

    ID = "id"
    TEXT = "text"
    #: Nearly the same text.
    NEAR = "near"
    #: Nearly the same text with other numbers in it: a release note, a monthly notice.
    INSTALMENT = "instalment"


class TextSimilarity(Value, frozen=True, kw_only=True):
    """How alike the texts of two posts are."""

    #: Jaccard index of their sets of 5-character shingles, 0 to 1.
    jaccard: float
    #: Of the shorter one.
    characters: int


class DuplicatePair(Value, frozen=True, kw_only=True):
    """A post that repeats another, or looks as if it did."""

    post: Post
    kept: Post
    kind: DuplicateKind
    similarity: float
    #: False where both stay and the pair is only reported.
    dropped: bool
    #: For people.
    reason: str


class PublishedCategory(Value, frozen=True, kw_only=True):
    """A category or tag as it is published."""

    #: The spelling that won: the term in feeds.
    term: str
    #: For people.
    label: str
    #: In paths, unquoted; keeps its script.
    slug: str
    description: str = ""


class Entry(Value, frozen=True, kw_only=True):
    """A public post with everything that other posts and the store had a say in."""

    #: A URI, chosen once.
    id: str
    post: Post
    categories: tuple[PublishedCategory, ...]
    tags: tuple[str, ...]
    #: When a reader should look again: the post's own `updated` once that is reached, else its date.
    updated: datetime


class Catalogue(Value, frozen=True, kw_only=True):
    """Everything that is public at one moment, newest first, and a verdict on every file."""

    now: datetime
    entries: tuple[Entry, ...]
    outcomes: tuple[PostOutcome, ...]
    #: What was found to repeat or resemble another post, in the order of paths.
    duplicates: tuple[DuplicatePair, ...] = ()
    #: For people: what is odd about the categories.
    category_warnings: tuple[str, ...] = ()

    @property
    def counts(self) -> dict[str, int]:
        """How many files have which status; every status is named."""
        found = Counter(v.status for v in self.outcomes)
        return {status.value: found[status] for status in PostStatus}


class KnownEntry(Value, frozen=True, kw_only=True):
    """What the store remembers of an entry that was published."""

    id: str
    path: str
    text_digest: str
    #: The following are None where an older version wrote it down.
    sketch: bytes | None = None
    title: str | None = None
    published: datetime | None = None


class EntryVersion(Value, frozen=True, kw_only=True):
    """What an entry was from a moment on."""

    since: datetime
    path: str
    text_digest: str
    #: None where an older version wrote it down.
    title: str | None


class KnownFeed(Value, frozen=True, kw_only=True):
    """What the store remembers of a feed that was published."""

    #: What it is made by: `all`, `category`, `tag`, `author`, `language`, `extra`, `newsletter`.
    kind: str
    #: Of what, as names are compared; empty for the feed of everything.
    key: str
    id: str
    #: Below `public/`, with `/` at the end.
    folder: str
    #: For people.
    label: str
    #: What it has said of itself; it is never turned back.
    updated: datetime | None = None
    #: Where it lay before.
    former: tuple[str, ...] = ()


class ArchivePage(Value, frozen=True, kw_only=True):
    """Some entries of a feed, together for good (RFC 5005 section 4)."""

    #: Of its feed.
    kind: str
    key: str
    #: From 1, the oldest.
    number: int
    #: How many entries it takes, decided when it was begun: a page that was full stays full.
    size: int
    #: Ids in the order in which they came; those that are not public any more too.
    entries: tuple[str, ...]


class Ping(Value, frozen=True, kw_only=True):
    """A feed that has changed and whose hub does not know yet."""

    #: Below `public/`.
    path: str
    since: datetime
    tries: int = 0
    #: Not before.
    next_at: datetime


class IssueState(StrEnum):
    """How far an issue has come."""

    #: Posts and letters are frozen; it waits for somebody to approve it.
    COMPOSED = "composed"
    #: Recipients are frozen too; some deliveries are not sent yet.
    SENDING = "sending"
    SENT = "sent"


class DeliveryState(StrEnum):
    """How far one letter to one reader has come."""

    READY = "ready"
    #: Taken by a sender, which has not touched it yet.
    LEASED = "leased"
    #: Written down before the transport sees the message, so that a crash leaves a trace.
    HANDING_OVER = "handing_over"
    SENT = "sent"
    #: The server said "later".
    DEFERRED = "deferred"
    #: Over without having been sent: refused for good, or the reader left before.
    FAILED = "failed"
    #: Handed over, and no answer came: it may have arrived.
    UNKNOWN = "unknown"


class EditorNote(Value, frozen=True, kw_only=True):
    """What an editor says of one issue."""

    #: Below the site's folder, for messages.
    path: str
    #: Of what is written in the file.
    digest: str
    subject: str = ""
    #: HTML as rendered: not safe to show yet.
    html: str = ""
    #: Posts, as the editor names them: a path, a slug, an address, an id.
    pinned: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()


class Selection(Value, frozen=True, kw_only=True):
    """Which entries an issue is made of."""

    #: Told with excerpt, the lead first; none where the note is all there is to say.
    stories: tuple[Entry, ...]
    #: Listed by title.
    also: tuple[Entry, ...] = ()
    #: Counted as announced without being shown (a newsletter's first issue passes over its back catalogue).
    passed_over: tuple[Entry, ...] = ()
    note: "EditorNote | None" = None


class IssueContent(Value, frozen=True, kw_only=True):
    """What an issue tells, frozen: whoever it goes to, and whenever somebody approves it, it tells this."""

    selection: Selection
    #: What its posts say, by path.
    texts: dict[str, Text]


class IssuePage(Value, frozen=True, kw_only=True):
    """An issue for everybody: no personal links."""

    #: For the archive.
    html: str
    #: As an entry of the newsletter's own feed; empty where an older version froze it.
    entry: str = ""


class SubscriberPreferences(Value, frozen=True, kw_only=True):
    """What a reader asked for; readers with equal choices get the same letter."""

    #: None: the newsletter's.
    lang: str | None = None
    #: Categories, as readers were offered them, sorted; none: all.
    topics: tuple[str, ...] = ()


class Letter(Value, frozen=True, kw_only=True):
    """An issue rendered once for all readers of one language who are told the same of it."""

    lang: str
    subject: str
    html: str
    text: str


class Issue(Value, frozen=True, kw_only=True):
    """One edition of one newsletter, as the store keeps it."""

    id: int
    newsletter: str
    number: int
    #: UTC.
    slot: datetime
    state: IssueState
    subject: str
    posts: int
    recipients: int
    sent: int
    #: From which its Message-IDs are made: theirs alone, and never told.
    seed: bytes = b""
    #: Why nothing of it is handed over for now; empty: it is.
    halt_reason: str = ""
    #: Whether it may go to all, if some were to get it first.
    released_to_all: bool = False
    #: UTC; None for one that is made up.
    composed_at: datetime | None = None
    #: When it was taken back, UTC, and why, for everybody to read.
    retracted_at: datetime | None = None
    retraction: str = ""
    #: The number of the issue of the same newsletter that it corrects.
    corrects: int | None = None

    @property
    def updated(self) -> datetime:
        """When what is said of it changed last: it went out, or was taken back."""
        return max(self.slot, self.retracted_at or self.slot)


class Delivery(Value, frozen=True, kw_only=True):
    """One issue to one address."""

    id: int
    letter_id: int
    recipient: str
    state: DeliveryState
    #: The `Date` of the message: when it was first handed over. UTC.
    handed_over_at: datetime | None
    #: None: a copy for the desk, which has no subscription to leave, or a person who was erased.
    subscriber_id: int | None
    #: How often a server has answered "later".
    tries: int = 0


class Subscriber(Value, frozen=True, kw_only=True):
    """A person and where they stand."""

    id: int
    email: str
    #: As addresses are compared.
    key: str
    status: str
    lang: str | None
    newsletters: tuple[str, ...]
    #: When and how consent was given, in words.
    consent: str
    timezone: str | None = None
    #: What they want of each newsletter; all of it where none is named.
    topics: dict[str, tuple[str, ...]] = {}
    #: What they came by: `add`, or the name of a file.
    source: str = ""
    #: UTC: since when they are known, and since when they stand as they do.
    created_at: datetime
    status_at: datetime


# What the journal beside the store says --------------------------------------------------------------------------


class _Record(Struct, frozen=True, kw_only=True, tag_field="about", omit_defaults=True):
    """One line of it."""


class IdAssigned(_Record, frozen=True, kw_only=True, tag="id"):
    """An id that an entry was given, and by what the entry is known again."""

    id: str
    path: str
    #: A digest.
    text: str
    title: str | None = None
    #: ISO 8601, with offset, as it was written.
    published: str | None = None
    sketch: bytes | None = None


class IssueRecorded(_Record, frozen=True, kw_only=True, tag="issue"):
    """An issue that is on its way, or has arrived."""

    newsletter: str
    number: int
    slot: Moment
    subject: str
    state: IssueState
    composed_at: Moment
    transport: str = ""
    #: The digest of the editor's note.
    note: str = ""
    recipients: int = 0
    sent: int = 0
    #: When it was taken back, and why; the number of the issue that it corrects.
    retracted_at: Moment | None = None
    retraction: str = ""
    corrects: int | None = None
    #: How the newsletter's own feed shows it. (Its page lies in `public/`.)
    entry: str = ""
    #: The ids of the entries that count as told by it, by how (`story`, `also`, `passed_over`), in their order.
    entries: dict[str, tuple[str, ...]] = {}


class SubscriberEvent(_Record, frozen=True, kw_only=True, tag="person"):
    """That somebody has gone or come back. Nobody is named."""

    #: What an address is kept as on the suppression list.
    who: str
    #: A status; `left` or `returned` of a newsletter; `erased` or `suppressed`, when they came onto that list, and
    #: `allowed`, when they were taken off it.
    what: str
    newsletter: str = ""
    at: Moment


JournalRecord = IdAssigned | IssueRecorded | SubscriberEvent
