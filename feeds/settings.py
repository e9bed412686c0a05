"""The shape of config.toml: every table a frozen struct, every key with its default.

A value that exists is valid: the types below refuse what cannot be. Where the file is read, and how a refusal
becomes a line number, is `feeds.config`'s business.
"""

import re
from datetime import time, timedelta
from typing import TYPE_CHECKING, Annotated, Literal, Self
from urllib.parse import quote, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Meta, Struct, field

from feeds.relays import RELAYS, Relay, RelayName

if TYPE_CHECKING:
    from email.headerregistry import Address

_UNITS = {"s": "seconds", "min": "minutes", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_UNITS |= {name: name for name in ("seconds", "minutes", "hours", "days", "weeks")}
_UNITS |= {name[:-1]: name for name in ("seconds", "minutes", "hours", "days", "weeks")}


class ConfigString:
    """A value that is written as a string in config.toml and checked while it is read."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the value; raise ValueError with words for the user."""
        raise NotImplementedError


class Url(ConfigString, str):
    """An absolute http(s) URL that ends with a slash, in ASCII: the host as punycode, the path percent-encoded."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return *text* as ASCII, with a slash at its end."""
        try:
            parts = urlsplit(text)
            host = (parts.hostname or "").encode("idna").decode()
            port = f":{parts.port}" if parts.port else ""
        except ValueError:  # UnicodeError of a label that IDNA cannot take included
            host = ""
        plain = re.fullmatch(r"[A-Za-z0-9._-]+", host) and not (parts.query or parts.fragment or parts.username)
        if parts.scheme not in {"http", "https"} or not plain or re.search(r"[\s\x00-\x1f]", text):
            raise ValueError(f"{text!r} is no web address; write it whole, such as https://example.com/")
        path = quote(parts.path, safe="%/:=&~+!$,;'@()*")
        return cls(f"{parts.scheme}://{host}{port}{path.rstrip('/')}/")


class Endpoint(ConfigString, str):
    """A web address that is asked as it is written: path and query stay."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return *text*."""
        Url.parse(text.partition("?")[0])
        if not re.fullmatch(r"[!-~]+", text):
            raise ValueError(f"{text!r} is no web address; write it in ASCII, without spaces")
        return cls(text)


class Duration(ConfigString, timedelta):
    """A length of time such as `12h`, `5 min` or `30 days`."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the span; never negative."""
        found = re.fullmatch(r"\s*(\d+)\s*([a-z]+)\s*", text)
        if not found or found[2] not in _UNITS:
            raise ValueError(f"{text!r} is no length of time; write such as '12h', '5 min' or '30 days'")
        try:
            return cls(**{_UNITS[found[2]]: int(found[1])})
        except OverflowError:
            raise ValueError(f"{text!r} is longer than this program can reckon with") from None


class Crontab(ConfigString, str):
    """Five fields as in crontab(5): minute, hour, day of the month, month, day of the week (0 and 7: Sunday)."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return *text* with single spaces."""
        from datetime import UTC, datetime  # noqa: PLC0415

        from cronsim import CronSim, CronSimError  # noqa: PLC0415 - only newsletters have schedules

        fields = text.split()
        if len(fields) != len(("minute", "hour", "day", "month", "weekday")):
            raise ValueError(f"{text!r} has {len(fields)} fields; crontab has five, such as '0 8 * * mon'")
        try:
            CronSim(text, datetime(2026, 1, 1, tzinfo=UTC))
        except CronSimError as e:
            raise ValueError(f"{text!r} is no crontab line: {e}") from e
        return cls(" ".join(fields))


class Language(ConfigString, str):
    """A BCP 47 tag in its usual case: `en`, `zh-Hans`, `pt-BR`."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the tag; underscores are taken as hyphens."""
        first, *rest = text.strip().replace("_", "-").split("-")
        known = re.fullmatch(r"[A-Za-z]{2,3}", first) and all(re.fullmatch(r"[A-Za-z0-9]{1,8}", p) for p in rest)
        if not known:
            raise ValueError(f"{text!r} is no language tag (BCP 47); write such as 'en' or 'zh-Hans'")
        return cls("-".join([first.lower(), *map(_subtag, rest)]))


def _subtag(part: str) -> str:
    """Return one subtag in the case RFC 5646 section 2.1.1 recommends: script Title, region UPPER."""
    cases = {4: part.title(), 2: part.upper()}
    return cases.get(len(part), part.lower()) if part.isalpha() else part.lower()


class TimeZone(ConfigString, ZoneInfo):
    """A time zone by its name in the IANA database."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the zone."""
        try:
            return cls(text)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"{text!r} is no time zone; write a name such as 'Asia/Tokyo' or 'UTC'") from None


class NamedAddress(ConfigString):
    """A mailbox with an optional name: `Sample Letters <letters@example.com>`."""

    __slots__ = ("address",)

    def __init__(self, address: "Address") -> None:
        self.address = address

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the mailbox; one, with a domain, without line breaks."""
        from email.errors import HeaderParseError  # noqa: PLC0415 - slow to load, and not every site sends mail
        from email.headerregistry import Address  # noqa: PLC0415

        name, bracket, rest = text.rpartition("<")
        spec = rest.removesuffix(">").strip() if bracket else text.strip()
        try:
            address = Address(display_name=name.strip().strip('"'), addr_spec=spec)
            address.domain.encode("idna")
        except (HeaderParseError, ValueError, IndexError, AttributeError):
            address = None
        if address is None or not (address.username and address.domain) or re.search(r"[\x00-\x1f\x7f]", text):
            raise ValueError(f"{text!r} is no mailbox; write such as 'Sample Letters <letters@example.com>'")
        return cls(address)

    def __str__(self) -> str:
        return str(self.address)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, NamedAddress) and self.address == other.address

    def __hash__(self) -> int:
        return hash(str(self.address))


class TimeWindow(ConfigString):
    """A part of each day, such as `08:00-20:00`; it may go over midnight."""

    __slots__ = ("begin", "end")

    def __init__(self, begin: time, end: time) -> None:
        self.begin, self.end = begin, end

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the hours."""
        found = re.fullmatch(r"\s*(\d\d?):(\d\d)\s*-\s*(\d\d?):(\d\d)\s*", text)
        try:
            hours = [int(part) for part in found.groups()] if found else [0, 0, 0, 0]
            begin, end = time(hours[0], hours[1]), time(hours[2], hours[3])
        except ValueError:
            begin = end = time()
        if begin == end:
            raise ValueError(f"{text!r} is no part of a day; write such as '08:00-20:00'")
        return cls(begin, end)

    def __str__(self) -> str:
        return f"{self.begin:%H:%M}-{self.end:%H:%M}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TimeWindow) and (self.begin, self.end) == (other.begin, other.end)

    def __hash__(self) -> int:
        return hash((self.begin, self.end))


class MailboxUrl(ConfigString, str):
    """A mailbox: `maildir:PATH`, `mbox:PATH`, `imap://USER@HOST/FOLDER` or `imaps://…`."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return *text*."""
        kind, _, where = text.partition(":")
        try:
            parts = urlsplit(text)
            on_server = bool(kind in {"imap", "imaps"} and parts.hostname and parts.username) and parts.port != 0
        except ValueError:
            on_server = False
        if not (on_server or (kind in {"maildir", "mbox"} and where)) or not text.isprintable():
            raise ValueError(
                f"{text!r} is no mailbox; write such as 'maildir:/var/mail/bounces' or 'imaps://me@host/INBOX'"
            )
        if on_server and (parts.password is not None or not text.isascii()):
            raise ValueError(
                "must hold no password and be ASCII; the password comes from the variable password_env names"
            )
        return cls(text)


class IdAuthority(ConfigString, str):
    """A name somebody held on a day, for `tag:` URIs: `example.com,2026` (RFC 4151 section 2.1)."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return *text*: a DNS name or mail address in lower case, a comma, a date."""
        name = r"([a-z0-9._+-]+@)?[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*"
        if not re.fullmatch(name + r",\d{4}(-\d\d){0,2}", text):
            raise ValueError(
                f"{text!r} is no tagging authority (RFC 4151); write a name you held and the day: 'example.com,2026'",
            )
        return cls(text)


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
