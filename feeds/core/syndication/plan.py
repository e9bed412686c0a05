"""Plan the feeds of a site: which there are, their names and folders, and the entries of each."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from itertools import chain
from urllib.parse import quote

from feeds.core.curation.taxonomy import Spellings, assign_slugs, category_keys, plain_slug, unique_name
from feeds.core.curation.taxonomy import normalize_name as key_of
from feeds.core.syndication.feed import FILES, NEVER, Feed, normalize_feed_path, public_url, to_rfc3339
from feeds.model import Catalogue, Entry, KnownFeed, PublishedCategory
from feeds.settings import CategorySettings, ContentMode, CustomFeed, Newsletter, OneOrMany, Settings


def plan_feeds(
    catalogue: Catalogue, settings: Settings, known: Iterable[KnownFeed] = (), retired: Iterable[str] = ()
) -> tuple[Feed, ...]:
    """Return the feed of everything, then the others in the order of their kinds and folders.

    A *known* feed, which was published before, stays even without entries until its path is *retired*.
    """
    known, retired = list(known), retired_paths(retired, settings)
    builder = _FeedBuilder(catalogue, settings, known)
    moved = frozenset(map(normalize_feed_path, settings.feeds.moved))
    retired_keys = {(feed.kind, feed.key) for feed in known if feed.folder in retired}
    feeds = (feed for feed in builder.build_all() if (feed.kind, feed.key) not in retired_keys)
    return tuple(drop_retired_formats(retired, (feed for feed in feeds if feed.entries or feed.folder not in moved)))


def retired_paths(retired: Iterable[str], settings: Settings) -> frozenset[str]:
    """Return the paths that are *retired* and were not moved afterwards (`feeds.moved`)."""
    return frozenset(retired).difference(map(normalize_feed_path, settings.feeds.moved))


def drop_retired_formats(retired: Collection[str], feeds: Iterable[Feed]) -> Iterator[Feed]:
    """Yield feeds without the formats whose document is *retired*."""
    for feed in feeds:
        if any(path in retired for path in feed.files.values()):
            yield replace(feed, formats=tuple(name for name, path in feed.files.items() if path not in retired))
        else:
            yield feed


class _FeedBuilder:
    """Builds the feeds of a site."""

    def __init__(self, catalogue: Catalogue, settings: Settings, known: Collection[KnownFeed]) -> None:
        self.now, self.settings = catalogue.now, settings
        self.entries = [entry for entry in catalogue.entries if entry.post.feed]
        # A feed that was renamed is not a feed of the old name any more, even if the config does not say so any more.
        renamed = {(feed.id, folder) for feed in known for folder in feed.former}
        self.known = {(f.kind, f.key): f for f in known if (f.id, f.folder) not in renamed}
        self.ids = {feed.id for feed in known}
        #: Former folders of feeds: a feed without entries is not put there.
        self.former_folders = {folder for feed in known for folder in feed.former}
        self.configured = {key_of(name): (name, category) for name, category in settings.categories.items()}

    def build_all(self) -> Iterator[Feed]:
        site = self.settings.site
        yield self.build("all", "", label=site.name, path="", entries=self.entries)
        builders: dict[str, Callable[[], Iterable[Feed]]] = {
            "category": self.category_feeds,
            "tag": lambda: self.named_feeds("tag", lambda entry: entry.tags),
            "author": lambda: self.named_feeds("author", lambda entry: (author.name for author in entry.post.authors)),
            "language": self.language_feeds,
        }
        for kind, build in builders.items():
            if kind in self.settings.feeds.by:
                yield from sorted(build(), key=lambda feed: feed.folder)
        yield from map(self.custom_feed, self.settings.feeds.extra)

    def build(  # noqa: PLR0913 - a feed has them all
        self,
        kind: str,
        key: str,
        *,
        label: str,
        path: str,
        entries: Iterable[Entry],
        title: str | None = None,
        subtitle: str = "",
        lang: str | None = None,
        about: tuple[str, str] | None = None,
        size: int | None = None,
        content: ContentMode | None = None,
        renamed_from: KnownFeed | None = None,
        former: Iterable[str] = (),
    ) -> Feed:
        """Return a feed at *path* below `feeds/`; *former* are more of its former folders."""
        settings, known = self.settings, self.known.get((kind, key))
        folder, predecessor = f"feeds/{path}", known or renamed_from
        all_entries = tuple(entries)
        size = size or settings.feeds.entries
        all_former = (*former, *((*known.former, known.folder) if known else ()))
        return Feed(
            kind=kind,
            key=key,
            id=predecessor.id if predecessor else unique_name(self.new_id(path), "-", self.ids),
            title=title or (label if kind == "all" else f"{label} · {settings.site.name}"),
            subtitle=subtitle,
            label=label,
            folder=folder,
            url=settings.feeds_url + quote(path),
            home=str(settings.site.url) if kind == "all" else settings.feeds_url + quote(path),
            lang=str(lang or settings.site.language),
            about=about,
            entries=all_entries,
            total=len(all_entries),
            size=size,
            content=content or settings.feeds.content,
            formats=tuple(name for name in FILES if name in settings.feeds.formats),
            updated=self.last_updated(all_entries[:size], predecessor),
            former=tuple(old for old in dict.fromkeys(all_former) if old != folder),
            former_key=renamed_from.key if renamed_from else "",
        )

    def new_id(self, path: str) -> str:
        """Return the id of a feed that was not published before."""
        return f"tag:{self.settings.site.authority}:feeds/{quote(path)}"

    def last_updated(self, shown: Iterable[Entry], predecessor: KnownFeed | None) -> datetime:
        """Return when the newest entry was updated; never before the published time, unless that is in the future."""
        newest = max((entry.updated for entry in shown), default=NEVER)
        published = predecessor.updated if predecessor else None
        return to_rfc3339(max(newest, published) if published is not None and published <= self.now else newest)

    def feeds_without_posts(self, kind: str, used: Collection[str]) -> list[KnownFeed]:
        """Return the known feeds of a kind whose keys are not *used* by a post."""
        return [
            feed
            for (other, key), feed in self.known.items()
            if other == kind and key not in used and feed.folder not in self.former_folders
        ]

    # By kind ----------------------------------------------------------------------------------------------------

    def category_feeds(self) -> Iterator[Feed]:
        by_category: dict[PublishedCategory, list[Entry]] = {}
        for entry in self.entries:
            for category in entry.categories:
                by_category.setdefault(category, []).append(entry)
        by_key = {key_of(category.term): (category, entries) for category, entries in by_category.items()}
        by_key |= {key: (category, []) for key, category in self.empty_categories(by_key).items()}
        for key, (category, entries) in by_key.items():
            options = self.configured.get(key, ("", CategorySettings()))[1]
            former = [self.former_feed(name) for name in options.was]
            yield self.build(
                "category",
                key,
                label=category.label,
                path=f"category/{category.slug}/",
                entries=entries,
                title=options.title,
                subtitle=category.description,
                about=(category.term, category.label),
                size=options.entries,
                content=options.content,
                renamed_from=next(
                    (feed for feed in former if ("category", feed.key) in self.known), former[0] if former else None
                ),
                former=chain.from_iterable((*feed.former, feed.folder) for feed in former),
            )

    def empty_categories(
        self, used: Mapping[str, tuple[PublishedCategory, list[Entry]]]
    ) -> dict[str, PublishedCategory]:
        """Return the categories without posts whose feed is known under this name or a former one, by key."""
        renamed = {key_of(was): key for key, (_, category) in self.configured.items() for was in category.was}
        names = {renamed.get(k.key, k.key): k.label for k in self.feeds_without_posts("category", used)}
        names = {
            key: self.configured[key][0] if key in self.configured else name
            for key, name in names.items()
            if key not in used
        }
        slugs = {category.slug for category, _ in used.values()}
        categories = {}
        for key, name in names.items():
            options = self.configured.get(key, ("", CategorySettings()))[1]
            assigned = assigned_slugs(self.known.values(), "category").get(key) or plain_slug(name, "category")
            slug = unique_name(plain_slug(options.slug, "category") if options.slug else assigned, "-", slugs)
            slugs.add(slug)
            categories[key] = PublishedCategory(
                term=name, label=options.label or name, slug=slug, description=options.description or ""
            )
        return categories

    def former_feed(self, name: str) -> KnownFeed:
        """Return the known feed of a category's former *name*, or the feed that it would have had."""
        path = f"category/{plain_slug(name, 'category')}/"
        default = KnownFeed(
            kind="category",
            key=key_of(name),
            id=self.new_id(path),
            folder=f"feeds/{path}",
            label=name,
        )
        return self.known.get(("category", key_of(name)), default)

    def named_feeds(self, kind: str, names_of: Callable[[Entry], Iterable[str]]) -> Iterator[Feed]:
        """Yield a feed for each of the names that entries have (*names_of*)."""
        spellings = Spellings(name for entry in self.entries for name in names_of(entry))
        by_name: dict[str, list[Entry]] = {}
        for entry in self.entries:
            for name in spellings.of(names_of(entry)):
                by_name.setdefault(name, []).append(entry)
        names = {key_of(name): name for name in by_name}
        for known in self.feeds_without_posts(kind, names):
            names[known.key], by_name[known.label] = known.label, []
        slugs = assign_slugs(names, configured={}, known=assigned_slugs(self.known.values(), kind), fallback=kind)
        for key, name in names.items():
            about = (name, name) if kind == "tag" else None
            yield self.build(kind, key, label=name, path=f"{kind}/{slugs[key]}/", entries=by_name[name], about=about)

    def language_feeds(self) -> Iterator[Feed]:
        """Yield a feed for each language, labelled in that language."""
        by_lang: dict[str, list[Entry]] = {}
        for entry in self.entries:
            by_lang.setdefault(entry.post.lang, []).append(entry)
        by_lang |= {known.key: [] for known in self.feeds_without_posts("language", by_lang)}
        for lang, entries in by_lang.items():
            path = f"language/{lang.lower()}/"
            yield self.build("language", lang, label=_own_name(lang), path=path, entries=entries, lang=lang)

    def custom_feed(self, custom: CustomFeed) -> Feed:
        return self.build(
            "extra",
            custom.name,
            label=custom.title or custom.name,
            path=f"{custom.name}/",
            entries=filter(_entry_filter(custom, self.settings), self.entries),
            title=custom.title or None,
            subtitle=custom.description,
            lang=custom.language if isinstance(custom.language, str) else None,
            size=custom.entries,
            content=custom.content,
        )


def plan_newsletter_feed(
    newsletter: Newsletter, settings: Settings, *, issues: int, updated: datetime, known: KnownFeed | None
) -> Feed:
    """Return the feed of a newsletter's issues, which are not entries of the catalogue."""
    folder = f"newsletters/{newsletter.name}/"
    url = public_url(folder, settings.feeds_url)
    return Feed(
        kind="newsletter",
        key=newsletter.name,
        id=known.id if known else f"tag:{settings.site.authority}:{folder}",
        title=f"{newsletter.heading} · {settings.site.name}",
        label=newsletter.heading,
        folder=folder,
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
    """Return the slugs of known feeds of a kind, by key."""
    start = f"feeds/{kind}/"
    return {feed.key: feed.folder.removeprefix(start).rstrip("/") for feed in known if feed.kind == kind}


def _entry_filter(custom: CustomFeed, settings: Settings) -> Callable[[Entry], bool]:
    """Return the filter of a custom feed: an entry must match each key that is set, by one of its names."""
    categories = category_keys(_as_tuple(custom.category), settings.categories)
    tags = frozenset(map(key_of, Spellings((), settings.tags.aliases).of(_as_tuple(custom.tag))))
    authors = frozenset(map(key_of, _as_tuple(custom.author)))
    languages = tuple(lang.lower() for lang in _as_tuple(custom.language))

    def matches(entry: Entry) -> bool:
        post = entry.post
        return (
            (not categories or any(key_of(c.term) in categories for c in entry.categories))
            and (not tags or any(key_of(tag) in tags for tag in entry.tags))
            and (not authors or any(key_of(author.name) in authors for author in post.authors))
            and (not languages or any(_matches_range(post.lang, lang) for lang in languages))
        )

    return matches


def _as_tuple(names: OneOrMany) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else names


def _matches_range(lang: str, language_range: str) -> bool:
    """Return whether a language matches a range: `zh` matches `zh-Hans` too (RFC 4647 section 3.3.1)."""
    return f"{lang.lower()}-".startswith(f"{language_range}-")


def _own_name(lang: str) -> str:
    """Return the name of a language in that language, or its tag."""
    from babel import Locale, UnknownLocaleError

    try:
        name = Locale.parse(lang, sep="-").get_display_name() or lang
    except (UnknownLocaleError, ValueError):
        return lang
    return name[0].upper() + name[1:]
