"""Take the ids of another program's feed for the posts that it shows, so that no reader shows them again."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from dataclasses import replace as evolve
from datetime import datetime
from pathlib import Path

from feeds.config import Config
from feeds.core.curation.adoption import (
    Adoption,
    AdoptionStatus,
    OldDocument,
    compare_with_known,
    known_entry,
    match_entries,
    site_host,
)
from feeds.core.curation.catalogue import last_update
from feeds.core.curation.ids import PublishedBefore
from feeds.core.curation.old_feed import OldEntry, OldFeed, parse_old_feed
from feeds.core.posts.urls import is_uri
from feeds.display import format_count, format_time
from feeds.edges.net.fetch import fetch_document
from feeds.edges.process import lock
from feeds.edges.process.workers import workers
from feeds.edges.store.database import Store
from feeds.errors import FeedsError
from feeds.jobs.context import Context
from feeds.jobs.posts.survey import Survey, SurveyOptions, survey_posts
from feeds.jobs.store.journal import append_pending
from feeds.jobs.store.site_store import open_site_store
from feeds.model import KnownEntry, Post, PostStatus

#: Documents of one feed; at 10 entries each more than any blog has.
_MOST_DOCUMENTS = 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class AdoptionReport:
    """The result for each entry of the other feed, and messages for the user."""

    adoptions: list[Adoption]
    warnings: list[str] = field(default_factory=list)

    def count(self, status: AdoptionStatus) -> int:
        """Return how many entries have a status."""
        return sum(adoption.status is status for adoption in self.adoptions)


def adopt_ids(
    config: Config, names: Sequence[str], now: datetime, context: Context, *, replace: bool = False, dry_run: bool
) -> AdoptionReport:
    """Store the ids of the feeds at *names*, files or URLs, for the posts that they show.

    With *replace*, also for posts that were published with another id; what was announced stays announced.

    Raises:
        FeedsError: a feed cannot be read; nothing was stored.
        LockedError: a publish run is at work on this site.
    """
    warnings: list[str] = []
    documents = _without_repetitions([_load_feed(name, warnings) for name in names])
    with (
        lock.lock_site(config.folder),
        open_site_store(config, create=not dry_run) as store,
        workers() as team,
    ):
        known = {entry.id: entry for entry in store.entries.load_entries()}
        options = SurveyOptions(team=team, progress=context.progress, dry_run=dry_run)
        survey = survey_posts(config, now=now, known=known.values(), options=options)
        matches = _match(documents, survey, config.settings.site.url)
        adoptions = compare_with_known(matches, _present_ids(survey, known), known, replace=replace)
        if not dry_run:
            _save(config, store, adoptions, survey)
    return AdoptionReport(adoptions=adoptions, warnings=[*warnings, *_warnings(config, adoptions)])


# Reading feeds ----------------------------------------------------------------------------------------------------


def _load_feed(name: str, warnings: list[str]) -> OldDocument:
    """Return the entries of the feed in a file; of one at a URL with those of its older documents."""
    feeds = list(_fetch_documents(name, warnings)) if _is_url(name) else [_read_document(name, warnings)]
    home = next((feed.home for feed in feeds if feed.home), "")
    return OldDocument(entries=[entry for feed in feeds for entry in feed.entries], home=home)


def _is_url(name: str) -> bool:
    return name.lower().startswith(("http://", "https://"))


def _read_document(name: str, warnings: list[str]) -> OldFeed:
    try:
        content = Path(name).read_bytes()
    except OSError as e:
        raise FeedsError(f"{name}: cannot be read: {e.strerror or e}") from e
    feed = _parse(content, "", name, warnings)
    warnings += (f"{name}: has older entries at {url}; name that address, too" for url in feed.older)
    return feed


def _fetch_documents(first: str, warnings: list[str]) -> Iterator[OldFeed]:
    """Yield the documents of a feed: `next` and `prev-archive` are followed on its host (RFC 5005)."""
    waiting, seen = [first], {first}
    while waiting and len(seen) <= _MOST_DOCUMENTS:
        url = waiting.pop(0)
        content, final_url = fetch_document(url)
        feed = _parse(content, final_url, url, warnings)
        yield feed
        for older in dict.fromkeys(feed.older):
            if not _is_url(older) or site_host(older) not in {site_host(first), site_host(final_url)}:
                warnings.append(f"{url}: has older entries on another host, {older}; name that address, too")
            elif older not in seen:
                waiting.append(older)
                seen.add(older)
    if waiting:
        warnings.append(f"{first}: has more than {_MOST_DOCUMENTS} documents; the others were not read")


def _parse(content: bytes, url: str, name: str, warnings: list[str]) -> OldFeed:
    try:
        feed = parse_old_feed(content, url)
    except FeedsError as e:
        raise FeedsError(f"{name}: {e}") from e
    warnings += (f"{name}: {warning}" for warning in feed.warnings)
    return feed


def _without_repetitions(documents: Iterable[OldDocument]) -> list[OldDocument]:
    """Return the documents with the first entry of each id: archives and feeds of categories repeat entries."""
    seen: set[str] = set()
    return [evolve(document, entries=list(_new_entries(document.entries, seen))) for document in documents]


def _new_entries(entries: Iterable[OldEntry], seen: set[str]) -> Iterator[OldEntry]:
    for entry in entries:
        if entry.id not in seen:
            seen.add(entry.id)
            yield entry


# Matching ---------------------------------------------------------------------------------------------------------


def _match(documents: Sequence[OldDocument], survey: Survey, site_url: str) -> list[Adoption]:
    """Return the adoption of each entry; posts that are not public now are only looked at for entries without a post.

    An expired post and a duplicate that was dropped were public once, and may be so again.
    """
    public = [entry.post for entry in survey.catalogue.entries]
    adoptions = match_entries(documents, public, site_url)
    unmatched = {a.entry.id for a in adoptions if a.status is AdoptionStatus.UNMATCHED}
    rest = [evolve(d, entries=[entry for entry in d.entries if entry.id in unmatched]) for d in documents]
    hidden = [o.post for o in survey.catalogue.outcomes if o.post and o.status is not PostStatus.PUBLIC]
    found = {a.entry.id: a for a in match_entries(rest, hidden, site_url) if a.status is AdoptionStatus.MATCHED}
    return [found.get(adoption.entry.id, adoption) for adoption in adoptions]


def _present_ids(survey: Survey, known: Mapping[str, KnownEntry]) -> dict[str, str]:
    """Return the id that each post has, or had when it was public, by path."""
    published = PublishedBefore(entry for entry in known.values() if entry.replaced_by is None)
    hidden = (o.post for o in survey.catalogue.outcomes if o.post and o.status is not PostStatus.PUBLIC)
    ids = {post.path: published.by_path[post.path][-1].id for post in hidden if published(post)}
    return ids | {entry.post.path: entry.id for entry in survey.catalogue.entries}


def _save(config: Config, store: Store, adoptions: Iterable[Adoption], survey: Survey) -> None:
    updated = {entry.post.path: entry.updated for entry in survey.catalogue.entries}
    now = survey.catalogue.now

    def own_date(post: Post) -> datetime:
        return updated.get(post.path) or last_update(post, now)

    matched = [(a, a.post) for a in adoptions if a.status is AdoptionStatus.MATCHED and a.post]
    store.entries.add_known([known_entry(adoption, own_date(post)) for adoption, post in matched], now)
    store.entries.replace_ids({a.entry.id: a.present_id for a, _ in matched if a.present_id})
    append_pending(config, store)


# Messages ---------------------------------------------------------------------------------------------------------


def _warnings(config: Config, adoptions: Sequence[Adoption]) -> Iterator[str]:
    """Yield what the user should look at, each kind once, with an example."""
    matched = [(a.entry, a.post) for a in adoptions if a.post and a.status in _WITH_OLD_ID]
    zone = config.settings.site.timezone
    moved = [(e, post, e.published) for e, post in matched if e.published and e.published != post.published]
    for _, post, date in moved[:1]:
        there, here = format_time(date, zone), format_time(post.published, zone)
        yield (
            f"{format_count(len(moved), 'post has', 'posts have')} another date than in the old feed, for example"
            f" {post.path}: {here}, there {there}; check site.timezone"
        )
    for entry in [entry for entry, _ in matched if not is_uri(entry.id)][:1]:
        yield f"{entry.id!r} is not a URI, which Atom requires; it is kept, since readers know the entry by it"
    if number := sum(bool(a.status is AdoptionStatus.PUBLISHED and not _declares(a)) for a in adoptions):
        yield (
            f"{format_count(number, 'post was', 'posts were')} already published with another id; if nobody reads these"
            " feeds yet, `feeds ids adopt --replace` gives them the old ids"
        )


#: The old id is published for these.
_WITH_OLD_ID = (AdoptionStatus.MATCHED, AdoptionStatus.KEPT)


def _declares(adoption: Adoption) -> bool:
    return adoption.post is not None and adoption.post.declared_id is not None
