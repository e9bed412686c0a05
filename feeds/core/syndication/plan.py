"""Which feeds there are, and which entries each one shows."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import chain
from urllib.parse import quote, urljoin

from feeds.core.curation.taxonomy import Spellings, assign_slugs, category_keys, plain_slug, unique_name
from feeds.core.curation.taxonomy import normalize_name as key_of
from feeds.model import Catalogue, Entry, KnownFeed, PublishedCategory
from feeds.settings import CategorySettings, ContentMode, CustomFeed, Format, Newsletter, OneOrMany, Settings

#: What each format's document is called.
FILES: dict[Format, str] = {"atom": "atom.xml", "rss": "rss.xml", "json": "feed.json"}
MEDIA_TYPES: dict[Format, str] = {
    "atom": "application/atom+xml",
    "rss": "application/rss+xml",
    "json": "application/feed+json",
}
#: The page for people beside them.
PAGE = "index.html"
ALL = ("all", "")
#: Of feeds, whoever wrote them.
FEED_ENDINGS = (".xml", ".json", ".rss", ".atom", ".rdf")
#: What a path ends in that people write and that is no folder: a category may be called `node.js`.
_FILE_ENDINGS = (*FEED_ENDINGS, ".html", ".opml")
_OWN_FOLDER = "all/"
#: What a document that shows nothing says: `updated` is required (RFC 4287 section 4.1.1) and must not come from the
#: clock.
NEVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True, slots=True)
class Feed:
    """One feed: what it is called, where it lies, what it shows."""

    #: `all`, `category`, `tag`, `author`, `language`, `extra`, `newsletter`; and of what, as names are compared.
    kind: str
    key: str
    #: A `tag:` URI.
    id: str
    title: str
    subtitle: str = ""
    #: What tells it from its neighbours.
    label: str
    #: The folder below `public/`, with `/`, and on the web.
    folder: str
    url: str
    #: The page that shows the same to people.
    home: str
    lang: str
    #: The category or tag it is about: term and label.
    about: tuple[str, str] | None = None
    #: All of them, newest first; none of a newsletter, whose issues are no entries.
    entries: tuple[Entry, ...] = ()
    #: How many there are.
    total: int
    #: How many are shown, and stand on a page of the archive.
    size: int
    content: ContentMode
    formats: tuple[Format, ...]
    updated: datetime
    #: Folders where it lay before, and what it was called then, as names are compared.
    former: tuple[str, ...] = ()
    before: str = ""

    @property
    def shown(self) -> tuple[Entry, ...]:
        """The newest ones."""
        return self.entries[: self.size]

    @property
    def files(self) -> dict[Format, str]:
        """The documents below `public/`, by format."""
        return {name: f"{self.folder}{FILES[name]}" for name in self.formats}

    def url_of(self, name: str) -> str:
        """Return where a file of the feed is on the web."""
        return self.url + quote(name)

    @property
    def page(self) -> str:
        """The page for people below `public/`; beside the feed of everything lies the list of all feeds."""
        return f"{self.folder}{_OWN_FOLDER if self.kind == 'all' else ''}{PAGE}"

    @property
    def page_url(self) -> str:
        """That page on the web."""
        return f"{self.url}{_OWN_FOLDER if self.kind == 'all' else ''}"

    @property
    def known_feed(self) -> KnownFeed:
        """What is to be remembered of it."""
        updated = None if self.updated == NEVER else self.updated
        return KnownFeed(
            kind=self.kind,
            key=self.key,
            id=self.id,
            folder=self.folder,
            label=self.label,
            updated=updated,
            former=self.former,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class ArchivePosition:
    """Where a document stands in its feed's archive (RFC 5005 section 4)."""

    #: Its number; None for the feed itself.
    number: int | None = None
    older: int | None = None
    newer: int | None = None


#: The feed itself, without an archive.
CURRENT = ArchivePosition()


def plan_feeds(
    catalogue: Catalogue, settings: Settings, known: Iterable[KnownFeed] = (), retired: Iterable[str] = ()
) -> tuple[Feed, ...]:
    """Return the feed of everything, then the others in the order of their kinds and folders.

    A feed that was published once goes on, empty if need be, until it is *retired*.
    """
    remembered, gone = list(known), retired_paths(retired, settings)
    maker = _FeedBuilder(catalogue, settings, remembered)
    moved = frozenset(map(normalize_feed_path, settings.feeds.moved))
    over = {(feed.kind, feed.key) for feed in remembered if feed.folder in gone}
    found = (feed for feed in maker.feeds() if (feed.kind, feed.key) not in over)
    return tuple(drop_retired_formats(gone, (feed for feed in found if feed.entries or feed.folder not in moved)))


def retired_paths(retired: Iterable[str], settings: Settings) -> frozenset[str]:
    """Return what was ended and has not been moved since."""
    return frozenset(retired).difference(map(normalize_feed_path, settings.feeds.moved))


def normalize_feed_path(written: str) -> str:
    """Return a path as people write it as one that starts at `public/`: as on the web with a slash, else in `feeds/`.

    `category/x` is the folder `feeds/category/x/`; `/feed.xml` is a file beside `feeds/`.
    """
    found = written.strip()
    if not found.startswith(("/", "feeds/", "newsletters/", "public/")):
        found = f"feeds/{found}"
    found = found.lstrip("/").removeprefix("public/")
    is_file = found.endswith(_FILE_ENDINGS)
    return found if is_file or found.endswith("/") or not found else f"{found}/"


def drop_retired_formats(gone: Collection[str], feeds: Iterable[Feed]) -> Iterator[Feed]:
    """Yield feeds without the formats that were ended one by one."""
    for feed in feeds:
        if any(path in gone for path in feed.files.values()):
            yield replace(feed, formats=tuple(name for name, path in feed.files.items() if path not in gone))
        else:
            yield feed


class _FeedBuilder:
    """What all feeds of a site are made from."""

    def __init__(self, catalogue: Catalogue, settings: Settings, known: Iterable[KnownFeed]) -> None:
        self.now, self.settings = catalogue.now, settings
        self.entries = [entry for entry in catalogue.entries if entry.post.feed]
        remembered = list(known)
        # What another feed was before is no feed any more, even where the config no longer tells of the renaming.
        renamed = {(feed.id, folder) for feed in remembered for folder in feed.former}
        self.known = {(f.kind, f.key): f for f in remembered if (f.id, f.folder) not in renamed}
        self.ids = {feed.id for feed in remembered}
        #: Folders where a feed lay that lies elsewhere now: without posts, nothing else lies there.
        self.left = {folder for feed in remembered for folder in feed.former}
        self.configured = {key_of(name): (name, category) for name, category in settings.categories.items()}

    def feeds(self) -> Iterator[Feed]:
        site = self.settings.site
        yield self.feed(*ALL, label=site.name, place="", entries=self.entries)
        makers: dict[str, Callable[[], Iterable[Feed]]] = {
            "category": self.categories,
            "tag": lambda: self.named("tag", lambda entry: entry.tags),
            "author": lambda: self.named("author", lambda entry: (author.name for author in entry.post.authors)),
            "language": self.languages,
        }
        for kind, make in makers.items():
            if kind in self.settings.feeds.by:
                yield from sorted(make(), key=lambda feed: feed.folder)
        yield from map(self.extra, self.settings.feeds.extra)

    def feed(  # noqa: PLR0913 - a feed is what it is
        self,
        kind: str,
        key: str,
        *,
        label: str,
        place: str,
        entries: Iterable[Entry],
        title: str | None = None,
        subtitle: str = "",
        lang: str | None = None,
        about: tuple[str, str] | None = None,
        size: int | None = None,
        content: ContentMode | None = None,
        before: KnownFeed | None = None,
        former: Iterable[str] = (),
    ) -> Feed:
        """Return a feed; *before* is what it was under another name, *former* where it lay."""
        settings, had = self.settings, self.known.get((kind, key))
        folder, remembered = f"feeds/{place}", had or before
        shown = list(entries)
        size = size or settings.feeds.entries
        left = (*former, *(had.former if had else ()), *([had.folder] if had else ()))
        return Feed(
            kind=kind,
            key=key,
            id=remembered.id if remembered else unique_name(self.new_id(place), "-", self.ids),
            title=title or (label if kind == "all" else f"{label} · {settings.site.name}"),
            subtitle=subtitle,
            label=label,
            folder=folder,
            url=settings.feeds_url + quote(place),
            home=str(settings.site.url) if kind == "all" else settings.feeds_url + quote(place),
            lang=str(lang or settings.site.language),
            about=about,
            entries=tuple(shown),
            total=len(shown),
            size=size,
            content=content or settings.feeds.content,
            formats=tuple(name for name in FILES if name in settings.feeds.formats),
            updated=self.updated(shown[:size], remembered),
            former=tuple(place for place in dict.fromkeys(left) if place != folder),
            before=before.key if before else "",
        )

    def new_id(self, place: str) -> str:
        """Return the id of a feed that nothing is remembered of."""
        return f"tag:{self.settings.site.authority}:feeds/{quote(place)}"

    def updated(self, shown: Iterable[Entry], remembered: KnownFeed | None) -> datetime:
        """Return when the newest entry was updated; what was said before is not taken back, unless by the clock."""
        newest = max((entry.updated for entry in shown), default=NEVER)
        said = remembered.updated if remembered else None
        return to_rfc3339(max(newest, said) if said is not None and said <= self.now else newest)

    def without_posts(self, kind: str, used: Collection[str]) -> list[KnownFeed]:
        """Return the feeds of a kind that were published and have no posts now."""
        return [
            feed
            for (other, key), feed in self.known.items()
            if other == kind and key not in used and feed.folder not in self.left
        ]

    # By kind ----------------------------------------------------------------------------------------------------

    def categories(self) -> Iterator[Feed]:
        by_topic: dict[PublishedCategory, list[Entry]] = {}
        for entry in self.entries:
            for topic in entry.categories:
                by_topic.setdefault(topic, []).append(entry)
        found = {key_of(topic.term): (topic, entries) for topic, entries in by_topic.items()}
        found |= {at: (topic, []) for at, topic in self.empty_categories(found).items()}
        for at, (topic, entries) in found.items():
            said = self.configured.get(at, ("", CategorySettings()))[1]
            was = [self.before(name) for name in said.was]
            yield self.feed(
                "category",
                at,
                label=topic.label,
                place=f"category/{topic.slug}/",
                entries=entries,
                title=said.title,
                subtitle=topic.description,
                about=(topic.term, topic.label),
                size=said.entries,
                content=said.content,
                before=next((old for old in was if ("category", old.key) in self.known), was[0] if was else None),
                former=chain.from_iterable((*old.former, old.folder) for old in was),
            )

    def empty_categories(
        self, used: Mapping[str, tuple[PublishedCategory, list[Entry]]]
    ) -> dict[str, PublishedCategory]:
        """Return categories without posts whose feed was published, under this name or a former one."""
        renamed = {key_of(was): at for at, (_, category) in self.configured.items() for was in category.was}
        names = {renamed.get(k.key, k.key): k.label for k in self.without_posts("category", used)}
        names = {
            at: self.configured[at][0] if at in self.configured else n for at, n in names.items() if at not in used
        }
        taken = {topic.slug for topic, _ in used.values()}
        found = {}
        for at, name in names.items():
            said = self.configured.get(at, ("", CategorySettings()))[1]
            given = assigned_slugs(self.known.values(), "category").get(at) or plain_slug(name, "category")
            slug = unique_name(plain_slug(said.slug, "category") if said.slug else given, "-", taken)
            taken.add(slug)
            found[at] = PublishedCategory(
                term=name, label=said.label or name, slug=slug, description=said.description or ""
            )
        return found

    def before(self, name: str) -> KnownFeed:
        """Return what is known of a renamed category, or what its feed must have been."""
        place = f"category/{plain_slug(name, 'category')}/"
        guess = KnownFeed(
            kind="category",
            key=key_of(name),
            id=self.new_id(place),
            folder=f"feeds/{place}",
            label=name,
        )
        return self.known.get(("category", key_of(name)), guess)

    def named(self, kind: str, names_of: Callable[[Entry], Iterable[str]]) -> Iterator[Feed]:
        """Yield a feed for each name that entries have of a kind."""
        spelled = Spellings(name for entry in self.entries for name in names_of(entry))
        found: dict[str, list[Entry]] = {}
        for entry in self.entries:
            for name in spelled.of(names_of(entry)):
                found.setdefault(name, []).append(entry)
        names = {key_of(name): name for name in found}
        for known in self.without_posts(kind, names):
            names[known.key], found[known.label] = known.label, []
        given = assign_slugs(names, configured={}, known=assigned_slugs(self.known.values(), kind), fallback=kind)
        for at, name in names.items():
            about = (name, name) if kind == "tag" else None
            yield self.feed(kind, at, label=name, place=f"{kind}/{given[at]}/", entries=found[name], about=about)

    def languages(self) -> Iterator[Feed]:
        """Yield a feed for each language, called as its readers call it."""
        found: dict[str, list[Entry]] = {}
        for entry in self.entries:
            found.setdefault(entry.post.lang, []).append(entry)
        found |= {known.key: [] for known in self.without_posts("language", found)}
        for lang, entries in found.items():
            yield self.feed(
                "language", lang, label=_own_name(lang), place=f"language/{lang.lower()}/", entries=entries, lang=lang
            )

    def extra(self, extra: CustomFeed) -> Feed:
        fits = _fits(extra, self.settings)
        return self.feed(
            "extra",
            extra.name,
            label=extra.title or extra.name,
            place=f"{extra.name}/",
            entries=filter(fits, self.entries),
            title=extra.title or None,
            subtitle=extra.description,
            lang=extra.language if isinstance(extra.language, str) else None,
            size=extra.entries,
            content=extra.content,
        )


def plan_newsletter_feed(
    newsletter: Newsletter, settings: Settings, *, issues: int, updated: datetime, known: KnownFeed | None
) -> Feed:
    """Return the feed of a newsletter's issues, which are no entries of the catalogue."""
    place = f"newsletters/{newsletter.name}/"
    url = public_url(place, settings.feeds_url)
    return Feed(
        kind="newsletter",
        key=newsletter.name,
        id=known.id if known else f"tag:{settings.site.authority}:{place}",
        title=f"{newsletter.heading} · {settings.site.name}",
        label=newsletter.heading,
        folder=place,
        url=url,
        home=url,
        lang=str(newsletter.language or settings.site.language),
        total=issues,
        size=settings.feeds.entries,
        content="full",
        formats=tuple(name for name in FILES if name in settings.feeds.formats),
        updated=to_rfc3339(updated),
    )


def assigned_slugs(known: Iterable[KnownFeed], kind: str) -> dict[str, str]:
    """Return the slugs that feeds of a kind were given, by key."""
    start = f"feeds/{kind}/"
    return {feed.key: feed.folder.removeprefix(start).rstrip("/") for feed in known if feed.kind == kind}


def public_url(path: str, feeds_url: str) -> str:
    """Return where a file below `public/` is on the web: `public/feeds/` at *feeds_url*, the rest beside it."""
    inside = path.removeprefix("feeds/")
    return feeds_url + quote(inside) if inside != path else urljoin(feeds_url, "../" + quote(path))


def _fits(extra: CustomFeed, settings: Settings) -> Callable[[Entry], bool]:
    """Return whether an entry passes a filter: each key that is set must fit, by one of its names."""
    categories = category_keys(_names(extra.category), settings.categories)
    tags = frozenset(map(key_of, Spellings((), settings.tags.aliases).of(_names(extra.tag))))
    authors = frozenset(map(key_of, _names(extra.author)))
    languages = tuple(lang.lower() for lang in _names(extra.language))

    def fits(entry: Entry) -> bool:
        post = entry.post
        return (
            (not categories or any(key_of(c.term) in categories for c in entry.categories))
            and (not tags or any(key_of(tag) in tags for tag in entry.tags))
            and (not authors or any(key_of(author.name) in authors for author in post.authors))
            and (not languages or any(_speaks(post.lang, lang) for lang in languages))
        )

    return fits


def _names(names: OneOrMany) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else names


def _speaks(lang: str, wanted: str) -> bool:
    """Return whether a language is meant by a range: `zh` means `zh-Hans` too (RFC 4647 section 3.3.1)."""
    return f"{lang.lower()}-".startswith(f"{wanted}-")


def _own_name(lang: str) -> str:
    from babel import Locale, UnknownLocaleError  # noqa: PLC0415 - only for sites with feeds by language

    try:
        name = Locale.parse(lang, sep="-").get_display_name() or lang
    except (UnknownLocaleError, ValueError):
        return lang
    return name[0].upper() + name[1:]


def to_rfc3339(at: datetime) -> datetime:
    """Return a moment as RFC 3339 can write it: whole seconds, an offset of whole minutes (no local mean time)."""
    offset = at.utcoffset()
    whole = offset is not None and offset.total_seconds() % 60 == 0
    return (at if whole else at.astimezone(UTC)).replace(microsecond=0)
