"""The tables and keys of config.toml: every table a frozen struct, every key with its default.

The types of single values are in `feeds.config_types`; `feeds.config` reads the file and reports its errors.
"""

from typing import Annotated, Literal
from urllib.parse import urlsplit

from msgspec import Meta, Struct, field

from feeds.config_types import (
    Crontab,
    Duration,
    Endpoint,
    IdAuthority,
    Language,
    MailboxUrl,
    NamedAddress,
    TimeWindow,
    TimeZone,
    Url,
)
from feeds.relays import RELAYS, Relay, RelayName

Count = Annotated[int, Meta(ge=0)]
AtLeastOne = Annotated[int, Meta(ge=1)]
Policy = Literal["drop", "report", "keep"]


class Table(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of config.toml: no key but those below."""


class SiteSettings(Table, frozen=True):
    """Whose posts these are."""

    title: str = ""
    url: Url = Url("http://localhost/")
    id_authority: IdAuthority | None = None
    language: Language = Language("en")
    timezone: TimeZone = TimeZone("UTC")
    author: str = ""

    @property
    def name(self) -> str:
        """The title, or the host where there is none."""
        return self.title or self.host

    @property
    def host(self) -> str:
        """The host of the site's URL."""
        return urlsplit(self.url).hostname or "localhost"

    @property
    def authority(self) -> str:
        """The tagging authority for new ids (RFC 4151)."""
        return self.id_authority or f"{self.host},2026"


class ReadingSpeed(Table, frozen=True):
    """How fast people read."""

    #: 238: the mean for silent reading of English non-fiction (Brysbaert, 2019).
    words_per_minute: AtLeastOne = 238
    cjk_characters_per_minute: AtLeastOne = 500


class PostSettings(Table, frozen=True):
    """Where posts lie and how they are read."""

    folder: str = "posts"
    permalink: str = "/{year}/{month}/{day}/{slug}/"
    reading: ReadingSpeed = ReadingSpeed()


class TagRule(Table, frozen=True):
    """A tag that posts with certain words get."""

    tag: str
    match: tuple[str, ...]


class TagSettings(Table, frozen=True):
    """How tags are brought together."""

    aliases: dict[str, str] = field(default_factory=dict)
    rules: tuple[TagRule, ...] = ()
    #: For posts without tags: never, in `feeds tags --suggest` only, or published as well.
    suggest: Literal["off", "show", "apply"] = "show"


class DuplicateSettings(Table, frozen=True):
    """What happens to what stands twice."""

    near: Policy = "drop"
    similarity: Annotated[float, Meta(gt=0, le=1)] = 0.85
    passages: Policy = "drop"


Format = Literal["atom", "rss", "json"]
ContentMode = Literal["full", "summary"]
OneOrMany = str | tuple[str, ...]


class CustomFeed(Table, frozen=True):
    """A feed of the posts that pass a filter: each key that is set must fit, by one of its names."""

    #: Its folder below `feeds/`.
    name: Annotated[str, Meta(pattern=r"^[a-z0-9]([a-z0-9-]{0,48}[a-z0-9])?\Z")]
    title: str = ""
    description: str = ""
    category: OneOrMany = ()
    tag: OneOrMany = ()
    author: OneOrMany = ()
    language: OneOrMany = ()
    entries: AtLeastOne | None = None
    content: ContentMode | None = None


class FeedSettings(Table, frozen=True):
    """Which feeds are written, and where."""

    folder: str = "public"
    url: Url | None = None
    formats: tuple[Format, ...] = ("atom", "rss", "json")
    by: tuple[Literal["category", "tag", "author", "language"], ...] = ("category",)
    entries: AtLeastOne = 20
    content: ContentMode = "full"
    archives: bool | Literal["auto"] = "auto"
    hub: Endpoint | None = None
    #: Where a feed lay -> where it lies.
    moved: dict[str, str] = field(default_factory=dict)
    extra: tuple[CustomFeed, ...] = ()


class CategorySettings(Table, frozen=True):
    """What is known of one category beyond its name."""

    label: str | None = None
    slug: str | None = None
    description: str | None = None
    was: tuple[str, ...] = ()
    #: Of its feed.
    title: str | None = None
    entries: AtLeastOne | None = None
    content: ContentMode | None = None


class PublishSettings(Table, frozen=True):
    """What happens around a publish."""

    after: str | None = None
    #: Is given what the operator should know, on its standard input.
    alert: str | None = None
    wait_for_site: bool = True
    every: Duration = Duration(minutes=5)


class Theme(Table, frozen=True):
    """What a newsletter looks like beyond the words; `feeds check` measures its contrast."""

    accent: Annotated[str, Meta(pattern=r"^#[0-9a-fA-F]{6}\Z")] = "#0a5a78"
    accent_dark: Annotated[str, Meta(pattern=r"^#[0-9a-fA-F]{6}\Z")] = "#86c8e2"
    logo: str = ""
    logo_alt: str = ""
    #: Lists of font families, as CSS has them.
    font: Annotated[str, Meta(pattern=r"^[^<>{};\"\\]*\Z")] = ""
    headline_font: Annotated[str, Meta(pattern=r"^[^<>{};\"\\]*\Z")] = ""
    #: Of the column, in pixels.
    width: Annotated[int, Meta(ge=320, le=800)] = 600


class Newsletter(Table, frozen=True, kw_only=True):
    """One newsletter: what goes into it, when, and to whom it always goes."""

    name: Annotated[str, Meta(pattern=r"^[a-z0-9]([a-z0-9-]{0,48}[a-z0-9])?\Z")]
    title: str = ""
    language: Language | None = None
    timezone: TimeZone | None = None
    schedule: Crontab
    categories: tuple[str, ...] = ()
    template: Literal["digest", "letter"] = "digest"
    group_by: Literal["category", "none"] = "category"
    order: Literal["newest", "oldest"] = "newest"
    min_posts: AtLeastOne = 1
    max_posts: AtLeastOne = 12
    max_age: Duration = Duration(days=30)
    catch_up: Duration = Duration(hours=12)
    approve: bool = False
    copy_to: tuple[NamedAddress, ...] = ()
    archive: Literal["public", "unlisted", "off"] = "public"
    theme: Theme = Theme()
    #: Markdown of whoever pays for an issue; marked as such.
    sponsor: str = ""
    #: Put behind the address of every post in letters: none, unless somebody asks for them.
    link_parameters: dict[str, str] = field(default_factory=dict)

    @property
    def heading(self) -> str:
        """The title, or the name where there is none."""
        return self.title or self.name


class SmtpSettings(Table, frozen=True):
    """A server that takes our mail."""

    #: What its other keys are if they are not set (`feeds.relays`); config.toml is read that way.
    relay: RelayName = "plain"
    host: str = "127.0.0.1"
    port: Annotated[int, Meta(ge=1, le=65535)] = 25
    security: Literal["none", "starttls", "tls"] = "none"
    user: str = ""
    password_env: str = "FEEDS_SMTP_PASSWORD"  # noqa: S105 - the name of a variable, not a secret
    connections: AtLeastOne = 4
    per_minute: Count = 0
    #: Its part of the mail, beside that of the other servers.
    weight: AtLeastOne = 1


class DkimSettings(Table, frozen=True):
    """A key that signs our mail (RFC 6376)."""

    selector: str
    key_file: str


class BounceSettings(Table, frozen=True):
    """Where mail that comes back is found."""

    address: NamedAddress
    mailbox: MailboxUrl
    #: For IMAP.
    password_env: str = "FEEDS_BOUNCES_PASSWORD"  # noqa: S105 - the name of a variable, not a secret


#: What `mail.transport` may name without another package, and where those bring theirs (entry points).
TRANSPORTS = ("outbox", "maildir", "smtp", "sendmail")
TRANSPORT_GROUP = "feeds.transports"


class MailSettings(Table, frozen=True):
    """How letters leave."""

    sender: NamedAddress | None = field(name="from", default=None)
    reply_to: NamedAddress | None = None
    address: str = ""
    #: `outbox`, `maildir`, `smtp`, `sendmail`, or one that another package brings.
    transport: str = "outbox"
    #: The command of `transport = "sendmail"`.
    sendmail: str = "/usr/sbin/sendmail"
    on_unknown: Literal["resend", "hold"] = "resend"
    #: How many messages leave within any 24 hours; 0: no limit.
    per_day: Count = 0
    #: When they leave, in the site's zone; None: at any time.
    hours: TimeWindow | None = None
    #: How much of an issue leaves first, and how long the rest waits for what becomes of it; 0: all leaves at once.
    first_percent: Annotated[int, Meta(ge=0, le=50)] = 0
    first_pause: Duration = Duration(minutes=30)
    smtp: SmtpSettings = SmtpSettings()
    #: Further ones beside it.
    servers: tuple[SmtpSettings, ...] = ()
    dkim: tuple[DkimSettings, ...] = ()
    bounces: BounceSettings | None = None

    @property
    def all_servers(self) -> tuple[SmtpSettings, ...]:
        """Every server, that of `[mail.smtp]` first."""
        return self.smtp, *self.servers

    @property
    def relays(self) -> dict[RelayName, Relay]:
        """Every relay that letters may go through."""
        names = [server.relay for server in self.all_servers] if self.transport == "smtp" else []
        return {name: RELAYS[name] for name in names}

    @property
    def is_signed(self) -> bool:
        """Whether letters are signed with the keys that are named: a signature must outlive every relay."""
        return bool(self.dkim) and not any(relay.rewrites for relay in self.relays.values())


class StoreSettings(Table, frozen=True):
    """Where the memory lies."""

    url: Annotated[str, Meta(pattern=r"^(sqlite:///.+|postgresql(\+psycopg)?://.+)$")] = "sqlite:///feeds.db"


class SecretSettings(Table, frozen=True):
    """Where the keys lie."""

    file: str = "feeds.key"


class WebSettings(Table, frozen=True):
    """The web face."""

    listen: str = "127.0.0.1:8000"
    url: Url | None = None


class Settings(Table, frozen=True):
    """config.toml, whole."""

    site: SiteSettings = SiteSettings()
    posts: PostSettings = PostSettings()
    tags: TagSettings = TagSettings()
    duplicates: DuplicateSettings = DuplicateSettings()
    feeds: FeedSettings = FeedSettings()
    categories: dict[str, CategorySettings] = field(default_factory=dict)
    publish: PublishSettings = PublishSettings()
    newsletters: tuple[Newsletter, ...] = ()
    mail: MailSettings = MailSettings()
    store: StoreSettings = StoreSettings()
    secrets: SecretSettings = SecretSettings()
    web: WebSettings = WebSettings()

    @property
    def feeds_url(self) -> str:
        """Where the feeds are found on the web; the parent is where `public/` is served."""
        return self.feeds.url or f"{self.site.url}feeds/"
