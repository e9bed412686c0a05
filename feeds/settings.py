"""The tables and keys of config.toml: every table a frozen struct, every key with its default.

The types of single values are in `feeds.config_types`; `feeds.config` reads the file and reports its errors.
"""

from typing import Annotated, Literal
from urllib.parse import urlsplit

from msgspec import Meta, Struct, field

from feeds.config_types import (
    Crontab,
    CssSelector,
    Duration,
    Endpoint,
    FilePath,
    Host,
    IdAuthority,
    Language,
    ListenAddress,
    MailboxUrl,
    NamedAddress,
    Network,
    OptionalDuration,
    PodcastGuid,
    StoreUrl,
    TimeWindow,
    TimeZone,
    Url,
)
from feeds.idn import idna2003_domain
from feeds.permalinks import GeneratorChoice, GeneratorName
from feeds.relays import RELAYS, Relay, RelayName
from feeds.themes import ThemeName

NonNegativeInt = Annotated[int, Meta(ge=0)]
PositiveInt = Annotated[int, Meta(ge=1)]
#: A name that is also the name of a folder and part of URLs.
#: Descriptions of patterns complete the message about a value that does not match.
FolderName = Annotated[
    str,
    Meta(
        pattern=r"^[a-z0-9]([a-z0-9-]{0,48}[a-z0-9])?\Z",
        description="cannot be the name of a folder; write lower-case letters, digits and hyphens (1 to 50), such as"
        " 'weekly-letter'",
    ),
]
HexColor = Annotated[
    str,
    Meta(
        pattern=r"^#[0-9a-fA-F]{6}\Z",
        description="is not a colour; write it as #rrggbb, such as #0a5a78",
    ),
]
#: Font families as in CSS; no character that would end the attribute they are written into.
FontList = Annotated[
    str,
    Meta(
        pattern=r"^[^<>{};\"\\]*\Z",
        description="is not a list of fonts; write names with commas, such as Georgia, 'Times New Roman', serif",
    ),
]
DuplicatePolicy = Literal["drop", "report", "keep"]


class Table(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of config.toml; a key that is not one of its fields is an error."""


class SiteSettings(Table, frozen=True):
    """`[site]`: the website that the posts belong to."""

    title: str = ""
    url: Url = Url("http://localhost/")
    id_authority: IdAuthority | None = None
    language: Language = Language("en")
    timezone: TimeZone = TimeZone("UTC")
    author: str = ""

    @property
    def name(self) -> str:
        """The title, or the host of the URL if the title is empty."""
        return self.title or self.host

    @property
    def host(self) -> str:
        """The host of the site's URL."""
        return urlsplit(self.url).hostname or "localhost"

    @property
    def authority(self) -> str:
        """The tagging entity of ids (RFC 4151).

        Without `id_authority` it is the site's host, in the spelling that it has always had here: ids never change.
        """
        return self.id_authority or f"{idna2003_domain(self.host)},2026"


class ReadingSpeed(Table, frozen=True):
    """`posts.reading`: the reading speed that reading times are computed from."""

    #: 238 is the mean for silent reading of English non-fiction (Brysbaert, 2019).
    words_per_minute: PositiveInt = 238
    cjk_characters_per_minute: PositiveInt = 500


class PostSettings(Table, frozen=True):
    """`[posts]`: the posts folder, the URLs of posts, how posts are read, the built site, and the reading speed."""

    folder: FilePath = FilePath("posts")
    #: Below it, only files in folders of this name are posts, as in Jekyll's `blog/_posts`; empty for all.
    only_in: str = ""
    #: The site generator, whose rules for addresses, lists and authors apply; `auto` is recognised by its files.
    generator: GeneratorChoice = "auto"
    #: Handling of template tags that only the generator can render.
    unknown_tags: Literal["drop", "keep", "reject"] = "drop"
    #: Whether a line break in a paragraph is shown as one; `auto` is what the generator does.
    breaks: bool | Literal["auto"] = "auto"
    #: Where the date of a post is looked for first: the front matter, or the name of its file (Hugo's `:filename`).
    date_from: Literal["front_matter", "file_name"] = "front_matter"
    permalink: str = "/{year}/{month}/{day}/{slug}/"
    #: Section (the first folder) -> a pattern that replaces `permalink` there.
    permalinks: dict[str, str] = field(default_factory=dict)
    #: The pattern of posts in another language than the site's; empty for that of Pelican, else for the same.
    permalink_lang: str = ""
    #: A file or folder with authors by id; by default the places where generators keep them.
    authors: FilePath | None = None
    #: The folder of the built site, from whose pages the texts of posts are taken; empty to render the Markdown.
    rendered: FilePath = FilePath("")
    #: The element with a post's text in a built page; empty to find it.
    content_selector: CssSelector = CssSelector("")
    reading: ReadingSpeed = ReadingSpeed()

    @property
    def generator_name(self) -> GeneratorName:
        """The generator; `none` if it was not recognised."""
        return "none" if self.generator == "auto" else self.generator


class TagRule(Table, frozen=True):
    """A rule of `tags.rules`: posts that contain one of the words get the tag."""

    tag: str
    match: tuple[str, ...]


class TagSettings(Table, frozen=True):
    """`[tags]`: aliases, rules and suggestions."""

    aliases: dict[str, str] = field(default_factory=dict)
    rules: tuple[TagRule, ...] = ()
    #: Suggest tags for posts without tags: never, only in `feeds tags --suggest`, or also in what is published.
    suggest: Literal["off", "show", "apply"] = "show"


class DuplicateSettings(Table, frozen=True):
    """`[duplicates]`: the handling of similar posts and of repeated passages in one post."""

    near: DuplicatePolicy = "drop"
    similarity: Annotated[float, Meta(gt=0, le=1)] = 0.85
    passages: DuplicatePolicy = "drop"


Format = Literal["atom", "rss", "json"]
ContentMode = Literal["full", "summary"]
OneOrMany = str | tuple[str, ...]


class CustomFeed(Table, frozen=True):
    """`[[feeds.extra]]`: a feed of the posts that match every filter that is set.

    The filters are `category`, `tag`, `author` and `language`; a post matches one if it has any of its values.
    """

    name: FolderName
    title: str = ""
    description: str = ""
    category: OneOrMany = ()
    tag: OneOrMany = ()
    author: OneOrMany = ()
    language: OneOrMany = ()
    entries: PositiveInt | None = None
    content: ContentMode | None = None


class FeedSettings(Table, frozen=True):
    """`[feeds]`: which feeds are written, and where."""

    folder: FilePath = FilePath("public")
    url: Url | None = None
    formats: tuple[Format, ...] = ("atom", "rss", "json")
    by: tuple[Literal["category", "tag", "author", "language"], ...] = ("category",)
    entries: PositiveInt = 20
    content: ContentMode = "full"
    archives: bool | Literal["auto"] = "auto"
    hub: Endpoint | None = None
    #: Former path of a feed -> its current path.
    moved: dict[str, str] = field(default_factory=dict)
    extra: tuple[CustomFeed, ...] = ()


class Funding(Table, frozen=True):
    """`podcasts.funding`: a page where listeners can give money."""

    url: Endpoint
    text: str = ""


class Podcast(Table, frozen=True):
    """`[[podcasts]]`: a feed that is a podcast, and what apps and directories show of it."""

    #: The folder of the feed below `feeds/`; empty for the feed of all posts.
    feed: str = ""
    #: Names of Apple's categories and subcategories.
    category: OneOrMany = ()
    explicit: bool = False
    image: Endpoint | None = None
    author: str = ""
    owner: NamedAddress | None = None
    type: Literal["episodic", "serial"] = "episodic"
    locked: bool | None = None
    guid: PodcastGuid | None = None
    funding: Funding | None = None


class CategorySettings(Table, frozen=True):
    """`[categories.NAME]`: the slug, texts and former names of a category."""

    label: str | None = None
    slug: str | None = None
    description: str | None = None
    #: Former names of the category.
    was: tuple[str, ...] = ()
    #: Of the category's feed, as are the two keys below.
    title: str | None = None
    entries: PositiveInt | None = None
    content: ContentMode | None = None


class PublishSettings(Table, frozen=True):
    """`[publish]`: commands that a publish runs, and how often `feeds run` publishes."""

    #: A command line that uploads `public/`; it runs when files have changed, before anything is announced.
    after: str | None = None
    #: A command line that gets alerts for the operator on its standard input.
    alert: str | None = None
    #: Announce nothing before the website serves it.
    wait_for_site: bool = True
    #: How often `feeds run` looks for changed posts.
    every: Duration = Duration(minutes=5)


class Theme(Table, frozen=True):
    """`[newsletters.theme]`: colours, logo, fonts and width of letters; `feeds check` measures the contrast."""

    #: A ready theme; its defaults (`feeds.themes`) replace those below; `feeds.config` applies them.
    name: ThemeName = "quiet"
    accent: HexColor = "#0a5a78"
    accent_dark: HexColor = "#86c8e2"
    #: The background and the text in a light scheme; tints and lines are made from both.
    paper: HexColor = "#fffdf8"
    ink: HexColor = "#1d1b18"
    #: The colours of categories' names, by name; in a dark scheme they are made lighter.
    categories: dict[str, HexColor] = field(default_factory=dict)
    logo: str = ""
    #: The logo in a dark scheme, where a mail program has style sheets.
    logo_dark: str = ""
    logo_alt: str = ""
    font: FontList = ""
    headline_font: FontList = ""
    #: Width of the column in pixels.
    width: Annotated[int, Meta(ge=320, le=800)] = 600


class Newsletter(Table, frozen=True, kw_only=True):
    """`[[newsletters]]`: the content, schedule and look of one newsletter."""

    name: FolderName
    title: str = ""
    language: Language | None = None
    timezone: TimeZone | None = None
    schedule: Crontab
    categories: tuple[str, ...] = ()
    template: Literal["digest", "letter"] = "digest"
    group_by: Literal["category", "none"] = "category"
    order: Literal["newest", "oldest"] = "newest"
    min_posts: PositiveInt = 1
    max_posts: PositiveInt = 12
    max_age: Duration = Duration(days=30)
    catch_up: Duration = Duration(hours=12)
    approve: bool = False
    copy_to: tuple[NamedAddress, ...] = ()
    archive: Literal["public", "unlisted", "off"] = "public"
    theme: Theme = Theme()
    #: Markdown of the sponsor, shown in a block that is marked as sponsored.
    sponsor: str = ""
    #: Query parameters that are added to the URLs of posts in letters; none by default.
    link_parameters: dict[str, str] = field(default_factory=dict)

    @property
    def heading(self) -> str:
        """The title, or the name if the title is empty."""
        return self.title or self.name


class SmtpSettings(Table, frozen=True):
    """`[mail.smtp]` and `[[mail.servers]]`: a mail server that letters are sent through."""

    #: Its defaults (`feeds.relays`) replace those below; `feeds.config` applies them.
    relay: RelayName = "plain"
    host: Host = Host("127.0.0.1")
    port: Annotated[int, Meta(ge=1, le=65535)] = 25
    security: Literal["none", "starttls", "tls"] = "none"
    user: str = ""
    #: The environment variable with the password.
    password_env: str = "FEEDS_SMTP_PASSWORD"  # noqa: S105 - the name of a variable, not a secret
    connections: PositiveInt = 4
    #: The most messages a minute, over all connections; 0 means unlimited.
    per_minute: NonNegativeInt = 0
    #: The server's share of the messages, relative to the other servers.
    weight: PositiveInt = 1


class DkimSettings(Table, frozen=True):
    """`[[mail.dkim]]`: a key that signs letters (RFC 6376)."""

    selector: str
    key_file: FilePath


class BounceSettings(Table, frozen=True):
    """`[mail.bounces]`: the mailbox that receives bounces, complaints and unsubscribe requests."""

    address: NamedAddress
    mailbox: MailboxUrl
    #: The name that the receiving server writes into `Authentication-Results`; without it no author is authenticated.
    authserv_id: str = ""
    #: The environment variable with the IMAP password.
    password_env: str = "FEEDS_BOUNCES_PASSWORD"  # noqa: S105 - the name of a variable, not a secret


#: The built-in values of `mail.transport`; other packages add theirs as entry points in this group.
TRANSPORTS = ("outbox", "maildir", "smtp", "sendmail")
TRANSPORT_GROUP = "feeds.transports"


class MailSettings(Table, frozen=True):
    """`[mail]`: the sender of letters and how they are sent."""

    sender: NamedAddress | None = field(name="from", default=None)
    reply_to: NamedAddress | None = None
    #: The postal address in the footer of letters.
    address: str = ""
    #: `reply`: without `web.url` and `bounces`, readers write to `reply_to`, and the editor removes them by hand.
    unsubscribe: Literal["auto", "reply"] = "auto"
    #: `convert` makes JPEG or PNG of pictures that not all mail programs show, or that are wider than 1200 pixels.
    pictures: Literal["link", "convert"] = "link"
    #: One of `TRANSPORTS`, or a transport of another package.
    transport: str = "outbox"
    #: The command that `transport = "sendmail"` runs.
    sendmail: FilePath = FilePath("/usr/sbin/sendmail")
    #: Handling of a message that the server may have accepted before the connection was lost.
    on_unknown: Literal["resend", "hold"] = "resend"
    #: The most messages within any 24 hours; 0 means unlimited.
    per_day: NonNegativeInt = 0
    #: Time of day at which mail is sent, in the site's time zone; None is at any time.
    hours: TimeWindow | None = None
    #: The part of an issue that is sent first, and how long the rest waits for its bounces; 0 sends all at once.
    first_percent: Annotated[int, Meta(ge=0, le=50)] = 0
    first_pause: Duration = Duration(minutes=30)
    smtp: SmtpSettings = SmtpSettings()
    #: Further servers that share the messages with `smtp`.
    servers: tuple[SmtpSettings, ...] = ()
    dkim: tuple[DkimSettings, ...] = ()
    bounces: BounceSettings | None = None

    @property
    def all_servers(self) -> tuple[SmtpSettings, ...]:
        """All servers; the one of `[mail.smtp]` is first."""
        return self.smtp, *self.servers

    @property
    def relays(self) -> dict[RelayName, Relay]:
        """All relays that letters may be sent through."""
        servers = self.all_servers if self.transport == "smtp" else ()
        return {server.relay: RELAYS[server.relay] for server in servers}

    @property
    def is_signed(self) -> bool:
        """True if letters are signed with the keys of `dkim`: there are keys, and no relay would break a signature."""
        return bool(self.dkim) and not any(relay.rewrites for relay in self.relays.values())


class StoreSettings(Table, frozen=True):
    """`[store]`: the database."""

    #: By default `feeds.db` in the state folder.
    url: StoreUrl | None = None


class SecretSettings(Table, frozen=True):
    """`[secrets]`: the file with the secret keys."""

    #: By default `feeds.key` in the state folder.
    file: FilePath | None = None


#: In `signup.welcome`: the newest issue.
LATEST = "latest"


#: The first parts of the paths of the web server's pages.
PAGE_PATHS = frozenset({"subscribe", "confirm", "unsubscribe", "preferences", "address", "healthz", "metrics"})


class WebSettings(Table, frozen=True):
    """`[web]`: the web server for readers (`feeds serve`)."""

    listen: ListenAddress = ListenAddress("127.0.0.1:8000")
    #: The address of the pages as readers reach them; None if there are no pages, so that no letter links to one.
    url: Url | None = None
    #: Proxies whose `X-Forwarded-For` is believed.
    trusted_proxies: tuple[Network, ...] = (Network("127.0.0.1"), Network("::1"))


class SignupSettings(Table, frozen=True):
    """`[signup]`: subscribing on the web."""

    open: bool = True
    #: The newsletters that the page offers; empty: all.
    newsletters: tuple[str, ...] = ()
    #: Above it, sign-ups wait for the editor.
    confirmations_per_hour: PositiveInt = 200
    #: How long after the confirmation a reminder is sent; zero: none is.
    reminder: OptionalDuration = OptionalDuration(hours=24)
    #: How long a sign-up waits for its click.
    expire: Duration = Duration(days=30)
    #: A Markdown file that new subscribers get, `latest` for a link to the newest issue, or both; empty: nothing.
    welcome: OneOrMany = ()

    @property
    def welcome_parts(self) -> tuple[str, ...]:
        """The parts of the welcome letter: Markdown files, and `LATEST`; empty: there is none."""
        names = (self.welcome,) if isinstance(self.welcome, str) else self.welcome
        return tuple(name for name in names if name)


class Settings(Table, frozen=True):
    """All of config.toml."""

    #: The folder of everything that Feeds keeps for itself.
    state: FilePath = FilePath(".feeds")
    site: SiteSettings = SiteSettings()
    posts: PostSettings = PostSettings()
    tags: TagSettings = TagSettings()
    duplicates: DuplicateSettings = DuplicateSettings()
    feeds: FeedSettings = FeedSettings()
    categories: dict[str, CategorySettings] = field(default_factory=dict)
    podcasts: tuple[Podcast, ...] = ()
    publish: PublishSettings = PublishSettings()
    newsletters: tuple[Newsletter, ...] = ()
    mail: MailSettings = MailSettings()
    store: StoreSettings = StoreSettings()
    secrets: SecretSettings = SecretSettings()
    web: WebSettings = WebSettings()
    signup: SignupSettings = SignupSettings()

    @property
    def feeds_url(self) -> str:
        """The URL of the folder `feeds/`; its parent is the URL of `public/`."""
        return self.feeds.url or f"{self.site.url}feeds/"
