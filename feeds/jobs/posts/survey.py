"""Read every post and decide its outcome: public, draft, future, expired, duplicate or rejected.

Files that have not changed are taken from the cache. The result is the same with and without a cache.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, partial

import msgspec
from msgspec.structs import replace

from feeds.config import Config
from feeds.core.curation import catalogue
from feeds.core.curation.post_links import PostIndex, link_key, page_url
from feeds.core.posts.authors import AuthorDirectory
from feeds.core.posts.parse import MOST_BYTES
from feeds.core.posts.post_file import PostFile
from feeds.core.posts.urls import page_of
from feeds.display import format_count
from feeds.edges.cache import fingerprint
from feeds.edges.cache.build_manifest import input_digest
from feeds.edges.cache.post_cache import CachedPost, PostCache, with_trusted_stamp
from feeds.edges.files import source_files
from feeds.edges.files.built_site import BuiltSite
from feeds.edges.files.scan import Scan, scan_folder
from feeds.edges.process.workers import Workers
from feeds.errors import PostError
from feeds.jobs.context import Progress
from feeds.jobs.posts import compare
from feeds.jobs.posts.authors import SiteAuthors, read_authors
from feeds.jobs.posts.pages import built_folder, page_warnings, read_pages, require_built_site, require_pages
from feeds.jobs.posts.read import LinkUrls, posts_folder, read_posts, render_texts, render_unchanged, skipped_folder
from feeds.model import (
    Catalogue,
    DuplicateKind,
    DuplicatePair,
    KnownEntry,
    Post,
    PostLink,
    PostOutcome,
    PostStatus,
    Text,
)


@dataclass(frozen=True, kw_only=True)
class Survey:
    """The posts folder as it was read, and the entries that are public at one moment."""

    config: Config
    #: Identifies the build and the settings that the posts were read with.
    input_name: str
    catalogue: Catalogue
    scan: Scan
    #: By path.
    cached_posts: Mapping[str, CachedPost]
    #: The files that may be the pages of posts in the built site, whether they exist or not.
    checked_pages: Sequence[str]
    #: False if a file was changed so recently that its stamp may stay the same if it is changed again.
    is_settled: bool
    #: The next moment at which a post becomes public, is updated or expires; None if there is none.
    next_change_at: datetime | None
    warnings: tuple[str, ...] = ()
    authors: SiteAuthors

    def text(self, post: Post) -> Text:
        """Return the rendered text of a post; raises as `render_unchanged` does."""
        return render_unchanged(self.config, post.path, self.cached_posts[post.path].inputs, self.links(post))

    def links(self, post: Post) -> LinkUrls:
        """Return the addresses of the public posts that a post links to, by what names them in its text."""
        found = ((link_key(link), self._linked_url(post, link)) for link in post.links)
        return tuple((key, url) for key, url in found if url)

    def _linked_url(self, post: Post, link: PostLink) -> str | None:
        """Return the address of a public post, or that of a page that is not a post; None for another post or none."""
        linked = self._post_index.find(post, link.target)
        if linked is not None:
            return linked.url if linked.path in self._public_paths or linked is post else None
        is_page = link.by_tag and not self._post_index.is_of_post(link.target)
        return page_url(link.target, self.config.settings.site.url) if is_page else None

    @cached_property
    def _post_index(self) -> PostIndex:
        posts = (cached.post for cached in self.cached_posts.values() if cached.post)
        return PostIndex(posts, self._place)

    @cached_property
    def _public_paths(self) -> frozenset[str]:
        return frozenset(entry.post.path for entry in self.catalogue.entries)

    def texts(self, team: Workers, progress: Progress) -> dict[str, Text]:
        """Return the texts of all posts that can be rendered, by path, without their HTML."""
        posts = [(path, cached.inputs) for path, cached in self.cached_posts.items() if cached.post]
        return render_texts(self.config, posts, team, progress)

    def side_by_side(self, pair: DuplicatePair) -> list[tuple[str, str, bool]]:
        """Return the paragraphs of two posts side by side, and whether they are the same."""
        return compare.align_pair(self.config, pair, self.cached_posts)

    def instalments(self, team: Workers, progress: Progress) -> list[DuplicatePair]:
        """Return the public posts that differ from an earlier one only in their numbers; they stay public."""
        return compare.find_instalments(self.config, self.catalogue.entries, self.cached_posts, team, progress)

    def diagnostics(self) -> tuple[list[str], list[str]]:
        """Return errors and warnings about posts; each starts with the path of the file from the config's folder."""
        place = self._place
        outcomes = self.catalogue.outcomes
        errors = [f"{place}/{outcome.reason}" for outcome in outcomes if outcome.status is PostStatus.REJECTED]
        warnings = [f"{place}/{line}" for outcome in outcomes if outcome.post for line in outcome.post.warnings]
        if self.config.settings.posts.rendered:
            public = [self.cached_posts[entry.post.path] for entry in self.catalogue.entries]
            warnings += page_warnings(self.config, public)
        warnings += self._tag_warnings()
        warnings += self._link_warnings()
        warnings += [*self._address_warnings(), *self._author_warnings(), *self._replaced_id_warnings()]
        warnings += (
            f"{place}/{pair.post.path}: {pair.reason}; it is published anyway (duplicates.near)"
            for pair in self.catalogue.duplicates
            if not pair.dropped and pair.kind is not DuplicateKind.INSTALMENT
        )
        return errors, warnings

    def drop_warnings(self) -> list[str]:
        """Return a warning for each post that is dropped as a duplicate."""
        return [self._drop_warning(pair) for pair in self.catalogue.duplicates if pair.dropped]

    def _drop_warning(self, pair: DuplicatePair) -> str:
        if pair.kind is DuplicateKind.ID:
            where = self._where(pair.post.path, "id")
            return f"{where}: {pair.reason}; it is not published: give it an id of its own if it is another post"
        return (
            f"{self._place}/{pair.post.path}: {pair.reason}; it is not published (`feeds duplicates --show` compares)"
        )

    def _has_page(self, path: str) -> bool:
        """Return whether the text of a post is taken from the built site, where its tags and links are rendered."""
        return bool(self.cached_posts[path].inputs.page_path)

    def _tag_warnings(self) -> Iterator[str]:
        """Yield a warning for each kind of template tags that cannot be rendered, at the first post that has it."""
        places: dict[str, list[str]] = defaultdict(list)
        for outcome in self.catalogue.outcomes:
            for tag in outcome.post.unknown_tags if outcome.post and not self._has_page(outcome.path) else ():
                places[tag.kind].append(f"{self._place}/{outcome.path}:{tag.line}")
        is_kept = self.config.settings.posts.unknown_tags == "keep"
        for kind, (first, *others) in places.items():
            more = f", also in {format_count(len(others), 'other post')}" if others else ""
            done = "stays" if is_kept else "is left out"
            reason = f"{kind} cannot be rendered without the site's templates"
            yield f"{first}: {reason}; it {done}{more} (posts.unknown_tags)"

    def _link_warnings(self) -> Iterator[str]:
        """Yield a warning for each link of a public post to one that is not public, or that does not exist."""
        unrendered = (entry.post for entry in self.catalogue.entries if not self._has_page(entry.post.path))
        for post in sorted((post for post in unrendered if post.links), key=lambda post: post.path):
            for link in post.links:
                if self._linked_url(post, link) is None and (link.by_tag or not link.target.startswith("/")):
                    linked = self._post_index.find(post, link.target)
                    public = f"{linked.path}, which is not public" if linked else ""
                    named = public or f"{link.target!r}, which is not the path or name of a post"
                    yield f"{self._place}/{post.path}:{link.line}: links to {named}; the link becomes text"

    def _address_warnings(self) -> Iterator[str]:
        """Yield a warning for each address that several public posts have; readers can reach only one of them."""
        by_url: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for entry in self.catalogue.entries:
            by_url[page_of(entry.post.url)].append((entry.post.path, entry.post.url))
        for posts in by_url.values():
            if len(posts) > 1:
                (first, url), (second, _), *others = sorted(posts)
                more = f" and {len(others)} more" if others else ""
                yield (
                    f"{self._where(second, 'url', 'slug')}: has the same address as {first}{more}, {url}: give each"
                    " post a slug of its own, or complete posts.permalink"
                )

    def _author_warnings(self) -> Iterator[str]:
        """Yield a warning for each file of authors that cannot be read, and each id of an author that is in none."""
        yield from self.authors.warnings
        for path, reason in self.authors.unknown_ids(entry.post for entry in self.catalogue.entries).values():
            yield f"{self._where(path, 'authors')}: {reason}"

    def _replaced_id_warnings(self) -> Iterator[str]:
        """Yield a warning for each published post that has got an id in its front matter."""
        for entry in self.catalogue.entries if self.catalogue.replaced_ids else ():
            if old := self.catalogue.replaced_ids.get(entry.id):
                yield (
                    f"{self._where(entry.post.path, 'id')}: this id replaces {old}, with which the post was published:"
                    " feed readers show it again, newsletters do not announce it again; remove the id to keep the"
                    " published one"
                )

    @property
    def _place(self) -> str:
        return self.config.settings.posts.folder.rstrip("/")

    def _where(self, path: str, *meanings: str) -> str:
        """Return the file, from the config's folder, and the line of the first of these keys that it has."""
        try:
            content = source_files.read_file(posts_folder(self.config), path, MOST_BYTES)
            file = PostFile(path, content, self.config.settings)
        except PostError:  # it has changed since it was read
            return f"{self._place}/{path}"
        keys = (file.fields.get(meaning) for meaning in meanings)
        key = next((key for key, value in keys if value is not None), meanings[0])
        return f"{self._place}/{path}:{file.source.line_of(key)}"


@dataclass(frozen=True, kw_only=True)
class SurveyOptions:
    """The options of a survey, and what it works with."""

    team: Workers
    progress: Progress
    use_cache: bool = True
    #: Write nothing, not even to the cache.
    dry_run: bool = False
    #: Called in each worker that was started once all posts are read, to load modules that are needed later.
    meanwhile: Callable[[], None] | None = None
    #: The files in the posts folder, if they were listed a moment ago.
    scan: Scan | None = None


def survey_posts(
    config: Config,
    *,
    now: datetime,
    known: Iterable[KnownEntry],
    options: SurveyOptions,
    unrenderable: Mapping[str, str] | None = None,
    slugs: Mapping[str, str] | None = None,
) -> Survey:
    """Survey the posts folder: the entries that are public at *now*, and the outcome of every file.

    *unrenderable* are posts to reject although they can be read: reasons by path. *slugs* are those that categories
    were given by earlier runs.
    """
    team, progress = options.team, options.progress
    input_name = _input_name(config)
    authors = read_authors(config)
    cache = PostCache(config.cache_folder, input_name, keep=options.use_cache and not options.dry_run)
    if options.use_cache:
        cache.load()
    threshold = cache.trust_threshold()
    require_built_site(config)
    scan = options.scan or scan_folder(str(posts_folder(config)), skipped_folder(config))
    cached_posts, read = read_posts(config, scan, cache.posts, team, progress)
    built_site = BuiltSite(str(built_folder(config) or ""))
    if built_folder(config):
        changed = read_pages(config, cached_posts, built_site, team, progress)
        cached_posts |= changed
        read = list(dict.fromkeys((*read, *changed)))
        cache.forget_similarities(one.post.text_digest for one in changed.values() if one.post)
    similarities = compare.compare_new_posts(config, cached_posts, read, cache.similarities, team, progress)
    if options.meanwhile is not None:
        team.preload(options.meanwhile)
    build = partial(
        catalogue.build_catalogue,
        list(_posts_and_rejections(cached_posts, unrenderable or {}, authors.directory)),
        now=now,
        known=known,
        settings=config.settings,
        similarities=cache.similarities | similarities,
        slugs=slugs,
    )
    found = build()
    if config.settings.tags.suggest == "apply":
        found = build(extra_tags=_suggested_tags(config, found, cached_posts, cache, progress))
    require_pages(config, [cached_posts[entry.post.path] for entry in found.entries])
    removed = [path for path in cache.posts if path not in cached_posts]
    stamped = {path: with_trusted_stamp(cached_posts[path], threshold) for path in read}
    if read or removed or similarities:
        cache.save(stamped, removed, similarities)
    return Survey(
        config=config,
        input_name=input_name,
        catalogue=found,
        scan=scan,
        cached_posts=cached_posts,
        checked_pages=built_site.checked_paths,
        is_settled=threshold > 0 and all(stamped[path] == cached_posts[path] for path in read),
        next_change_at=min(_changes_after(now, cached_posts), default=None),
        warnings=tuple(cache.warnings),
        authors=authors,
    )


def _input_name(config: Config) -> str:
    """Return a name for everything besides the posts that decides how they are read: the build and the settings."""
    settings = config.settings
    digest = input_digest(settings.site, settings.posts, settings.tags, settings.duplicates)
    return f"{fingerprint.build_fingerprint()} {digest}"


def _posts_and_rejections(
    cached_posts: Mapping[str, CachedPost], unrenderable: Mapping[str, str], authors: AuthorDirectory
) -> Iterator[Post | PostOutcome]:
    for path, cached in cached_posts.items():
        if path in unrenderable:
            yield PostOutcome(path=path, status=PostStatus.REJECTED, reason=unrenderable[path])
        elif cached.post:
            post = _without_text_warnings(cached.post) if cached.page and cached.post.text_warnings else cached.post
            yield authors.complete(post) if authors else post
        elif cached.outcome:
            yield cached.outcome


def _without_text_warnings(post: Post) -> Post:
    """Return a post without warnings about its Markdown, which is not shown."""
    return replace(post, warnings=tuple(line for line in post.warnings if line not in post.text_warnings))


def _suggested_tags(
    config: Config,
    found: Catalogue,
    cached_posts: Mapping[str, CachedPost],
    cache: PostCache,
    progress: Progress,
) -> dict[str, tuple[str, ...]]:
    """Return suggested tags for posts without any, by path; computed again if any public post has changed."""
    from feeds.core.curation.suggest import extra_tags
    from feeds.jobs.posts.tags import suggest_missing_tags

    digest = input_digest([(e.post.path, cached_posts[e.post.path].content_digest, e.tags) for e in found.entries])
    stored = cache.recall("suggested", digest)
    if stored is not None:
        return msgspec.json.decode(stored, type=dict[str, tuple[str, ...]])
    suggested = extra_tags(suggest_missing_tags(config, found, progress))
    cache.store("suggested", digest, msgspec.json.encode(suggested))
    return suggested


def _changes_after(now: datetime, cached_posts: Mapping[str, CachedPost]) -> Iterator[datetime]:
    """Yield the moments after *now* at which a post becomes public, is updated or expires."""
    for cached in cached_posts.values():
        if (post := cached.post) and not post.draft:
            if post.published > now:
                yield post.published
            if post.expires is not None and post.expires > now:
                yield post.expires
            if post.updated is not None and post.updated > now:
                yield post.updated
