"""The nouns: frozen values that are valid because they exist.

One file is a `Post`. What is public at a moment is the `Catalogue` of `Entry` values; a `Verdict` says of every file
what became of it. An `Issue` is one edition of a newsletter, a `Letter` its rendering, a `Delivery` its way to one
reader.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Status(StrEnum):
    """What became of a post file."""

    PUBLIC = "public"
    DRAFT = "draft"
    FUTURE = "future"
    EXPIRED = "expired"
    DUPLICATE = "duplicate"
    REJECTED = "rejected"


@dataclass(frozen=True, kw_only=True, slots=True)
class Author:
    """Somebody who wrote a post."""

    name: str
    uri: str | None = None
    email: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Image:
    """A post's lead picture."""

    #: Absolute.
    url: str
    alt: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Post:
    """One Markdown file, read and understood."""

    #: Relative to the posts folder, with `/`.
    path: str
    title: str
    #: Always aware.
    published: datetime
    #: None where the post names none; then it has not been updated since `published`.
    updated: datetime | None = None
    expires: datetime | None = None
    draft: bool = False
    #: BCP 47.
    lang: str
    slug: str
    #: Absolute.
    url: str
    #: `id` or `guid` of the front matter, as written.
    own_id: str | None = None
    #: The page a link post points to.
    target: str | None = None
    authors: tuple[Author, ...] = ()
    categories: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    #: What `tags.rules` found in title and text; each tag as its rule spells it.
    rule_tags: tuple[str, ...] = ()
    image: Image | None = None
    #: Markdown, as published: without repeated title, passages and separators.
    body: str
    excerpt: str
    #: Whole minutes, at least 1; the post's own where it names one.
    reading_minutes: int
    #: Of the normalised plain text; equal texts have equal digests.
    text_digest: str
    #: Characters of normalised plain text.
    text_length: int
    #: False keeps the post out of every feed.
    feed: bool = True
    #: True lets an old post into a newsletter, False keeps it out, None leaves it to its age.
    newsletter: bool | None = None
    featured: bool = False
    #: `path:line: …`, for people.
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for moment in (self.published, self.updated, self.expires):
            if moment is not None and moment.utcoffset() is None:
                raise ValueError(f"{self.path}: {moment} has no time zone")


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What became of one file, and why."""

    path: str
    status: Status
    #: Empty for a public post.
    reason: str = ""
    #: Path of the post that stays.
    duplicate_of: str | None = None
    #: None only when the file could not be read as a post.
    post: Post | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Topic:
    """A category or tag as it is published."""

    #: The spelling that won: the term in feeds.
    term: str
    #: For people.
    label: str
    #: In paths, unquoted; keeps its script.
    slug: str
    description: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """A public post with everything that other posts and the store had a say in."""

    #: A URI, chosen once.
    id: str
    post: Post
    categories: tuple[Topic, ...]
    tags: tuple[str, ...]
    #: When a reader should look again: the post's own `updated` once that is reached, else its date.
    updated: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Catalogue:
    """Everything that is public at one moment, newest first, and a verdict on every file."""

    now: datetime
    entries: tuple[Entry, ...]
    verdicts: tuple[Verdict, ...]

    @property
    def counts(self) -> dict[str, int]:
        """How many files have which status; every status is named."""
        found = Counter(v.status for v in self.verdicts)
        return {status.value: found[status] for status in Status}


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """What the store remembers of an entry that was published."""

    id: str
    path: str
    text_digest: str


class IssueState(StrEnum):
    """How far an issue has come."""

    #: Recipients and letters are frozen; some deliveries are not sent yet.
    SENDING = "sending"
    SENT = "sent"


class DeliveryState(StrEnum):
    """How far one letter to one reader has come."""

    READY = "ready"
    #: Written down before the transport sees the message, so that a crash leaves a trace.
    HANDING_OVER = "handing_over"
    SENT = "sent"
    #: Over without having been sent: the reader left before.
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True, slots=True)
class Selection:
    """Which entries an issue is made of."""

    #: Told with excerpt, the lead first.
    stories: tuple[Entry, ...]
    #: Listed by title.
    also: tuple[Entry, ...] = ()
    #: Counted as announced without being shown (a newsletter's first issue passes over its back catalogue).
    passed_over: tuple[Entry, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Letter:
    """An issue rendered once for one language."""

    lang: str
    subject: str
    html: str
    text: str
    #: The same issue for the archive: no personal links.
    page: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Issue:
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


@dataclass(frozen=True, kw_only=True, slots=True)
class Delivery:
    """One issue to one address."""

    id: int
    recipient: str
    lang: str
    state: DeliveryState
    message_id: str
    #: The `Date` of the message: when it was first handed over. UTC.
    handed_over_at: datetime | None
    #: A copy for the desk: it has no subscription to leave.
    copy: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Subscriber:
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
