"""Read every post and say what became of it.

What the cache knows of a file that has not changed is not found out again; the rest is read, on all cores where that
pays. The outcome is the same with a cache and without one.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache, partial
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

import msgspec
from msgspec.structs import replace

from feeds.config import Config
from feeds.core.curation import catalogue, duplicates
from feeds.core.posts import parse, render
from feeds.edges.cache import fingerprint
from feeds.edges.cache.build_manifest import input_digest
from feeds.edges.cache.post_cache import CachedPost, PostCache, with_trusted_stamp
from feeds.edges.files import source_files
from feeds.edges.files.scan import Scan, Stamp, scan_folder
from feeds.edges.process.workers import Workers
from feeds.errors import PostChangedDuringRead, PostError
from feeds.jobs.context import Progress
from feeds.model import Catalogue, DuplicatePair, KnownEntry, Post, PostOutcome, PostStatus, Text, TextSimilarity

Item = TypeVar("Item")
#: Files that one call to a worker reads, pairs that it compares.
_PART, _PAIRS = 200, 10
#: From so many on, other cores save more time than they take to start.
_MANY, _MANY_PAIRS = 600, 60


@dataclass(frozen=True, kw_only=True)
class Survey:
    """What lies in the posts folder, and what it comes to at one moment."""

    config: Config
    #: A name for everything but the posts that decided what was read from them.
    build: str
    catalogue: Catalogue
    scan: Scan
    #: By path.
    readings: Mapping[str, CachedPost]
    #: Whether no file was changed so recently that it may change again unnoticed.
    settled: bool
    #: The next moment at which a post appears, changes or expires by itself; None where there is none.
    until: datetime | None
    warnings: tuple[str, ...] = ()

    def text(self, post: Post) -> Text:
        """Return what a post says; raises as `shown` does."""
        return render_unchanged(self.config, post.path, self.readings[post.path].content_digest)

    def texts(self, team: Workers, progress: Progress) -> dict[str, Text]:
        """Return what every post says that can be shown, by path, without its HTML."""
        contents = [(path, reading.content_digest) for path, reading in self.readings.items() if reading.post]
        found: dict[str, Text] = {}
        for part in team.map(partial(_said, self.config), _parts(contents, _PART), long=len(contents) >= _MANY):
            found.update(part)
            progress("Rendering posts", len(found), len(contents))
        return found

    def side_by_side(self, pair: DuplicatePair) -> list[tuple[str, str, bool]]:
        """Return the paragraphs of two posts beside each other, and whether they are the same."""
        place, settings = _posts_folder(self.config), self.config.settings
        texts = (
            render.plain_paragraphs(post.path, source_files.read_file(place, post.path, parse.MOST_BYTES), settings)
            for post in (pair.post, pair.kept)
        )
        return duplicates.align_paragraphs(*texts)

    def instalments(self, team: Workers, progress: Progress) -> list[DuplicatePair]:
        """Return the public posts that are like an earlier one but for their numbers. Nothing else asks for them."""
        if self.config.settings.duplicates.near == "keep":
            return []
        pairs = list(duplicates.instalment_pairs([entry.post for entry in self.catalogue.entries]))
        likeness = _compare_pairs(self.config, [(a.path, b.path) for a, b in pairs], team, progress)
        told = (
            duplicates.describe_instalment(a, b, like, self.config.settings.duplicates)
            for (a, b), like in zip(pairs, likeness, strict=True)
        )
        return [finding for finding in told if finding]

    def diagnostics(self) -> tuple[list[str], list[str]]:
        """Return errors and warnings about posts, each a line that starts with the file as seen from the config."""
        place = self.config.settings.posts.folder.rstrip("/")
        verdicts = self.catalogue.outcomes
        errors = [f"{place}/{v.reason}" for v in verdicts if v.status is PostStatus.REJECTED]
        warnings = [f"{place}/{line}" for v in verdicts if v.post for line in v.post.warnings]
        warnings += (
            f"{place}/{f.post.path}: {f.reason}; it is published all the same (duplicates.near)"
            for f in self.catalogue.duplicates
            if not f.dropped
        )
        return errors, warnings


@dataclass(frozen=True, kw_only=True)
class SurveyOptions:
    """How a survey goes about it."""

    team: Workers
    progress: Progress
    use_cache: bool = True
    #: Nothing is written, not even what was found out.
    dry_run: bool = False
    #: For workers that have nothing to read any more: what they can get ready for.
    meanwhile: Callable[[], None] | None = None
    #: The files in the posts folder, if they were listed a moment ago.
    scan: Scan | None = None


def survey_posts(
    config: Config,
    *,
    now: datetime,
    known: Iterable[KnownEntry],
    options: SurveyOptions,
    refused: Mapping[str, str] | None = None,
    slugs: Mapping[str, str] | None = None,
) -> Survey:
    """Return what is public at *now*, and a verdict on every file of the posts folder.

    *refused* holds reasons, by path, why posts that can be read are to be rejected all the same, *slugs* what
    categories were given before.
    """
    team, progress = options.team, options.progress
    name = _input_name(config)
    cache = PostCache(config.folder / fingerprint.CACHE, name, keep=options.use_cache and not options.dry_run)
    if options.use_cache:
        cache.load()
    moment = cache.trust_threshold()
    scanned = options.scan or scan_folder(str(_posts_folder(config)))
    readings, fresh = _readings(config, scanned, cache.posts, team, progress)
    likeness = _compared(config, readings, fresh, cache, team, progress)
    if options.meanwhile is not None:
        team.preload(options.meanwhile)
    build_ = partial(
        catalogue.build_catalogue,
        list(_understood(readings, refused or {})),
        now=now,
        known=known,
        settings=config.settings,
        similarities=cache.similarities | likeness,
        slugs=slugs,
    )
    found = build_()
    if config.settings.tags.suggest == "apply":
        found = build_(extra_tags=_suggested(config, found, readings, cache, progress))
    gone = [path for path in cache.posts if path not in readings]
    kept = {path: with_trusted_stamp(readings[path], moment) for path in fresh}
    if fresh or gone or likeness:
        cache.save(kept, gone, likeness)
    return Survey(
        config=config,
        build=name,
        catalogue=found,
        scan=scanned,
        readings=readings,
        settled=moment > 0 and all(kept[path] == readings[path] for path in fresh),
        until=min(_turns(readings, now), default=None),
        warnings=tuple(cache.warnings),
    )


def _turns(readings: Mapping[str, CachedPost], now: datetime) -> Iterator[datetime]:
    """Yield the moments still to come at which a post becomes something else."""
    for reading in readings.values():
        if (post := reading.post) and not post.draft:
            if post.published > now:
                yield post.published
            if post.expires is not None and post.expires > now:
                yield post.expires
            if post.updated is not None and post.updated > now:
                yield post.updated


def _suggested(
    config: Config, found: Catalogue, readings: Mapping[str, CachedPost], kept: PostCache, progress: Progress
) -> dict[str, tuple[str, ...]]:
    """Return the tags that are suggested for posts without any, by path; reckoned anew when any public post changed."""
    from feeds.core.curation.suggest import extra_tags  # noqa: PLC0415 - only for sites that want it
    from feeds.jobs.posts.tags import suggest_missing_tags  # noqa: PLC0415 - as above

    public = [(e.post.path, readings[e.post.path].content_digest, e.tags) for e in found.entries]
    made_of = input_digest(public)
    known = kept.recall("suggested", made_of)
    if known is not None:
        return msgspec.json.decode(known, type=dict[str, tuple[str, ...]])
    made = extra_tags(suggest_missing_tags(config, found, progress))
    kept.store("suggested", made_of, msgspec.json.encode(made))
    return made


def _understood(readings: Mapping[str, CachedPost], refused: Mapping[str, str]) -> Iterator[Post | PostOutcome]:
    for path, reading in readings.items():
        if path in refused:
            yield PostOutcome(path=path, status=PostStatus.REJECTED, reason=refused[path])
        elif found := reading.post or reading.outcome:
            yield found


def render_unchanged(config: Config, path: str, content: str) -> Text:
    """Return what a post says; *content* is the digest of the bytes that were read.

    Raises:
        Changed: the file holds something else by now.
        PostError: it cannot be shown.
    """
    try:
        data = source_files.read_file(_posts_folder(config), path, parse.MOST_BYTES)
    except PostError:
        raise PostChangedDuringRead(path) from None
    if _digest(data) != content:
        raise PostChangedDuringRead(path)
    return render.render_post(path, data, config.settings)


def _said(config: Config, contents: Sequence[tuple[str, str]]) -> list[tuple[str, Text]]:
    found = []
    for path, content in contents:
        with suppress(PostChangedDuringRead, PostError):
            found.append((path, replace(render_unchanged(config, path, content), html="")))
    return found


def _input_name(config: Config) -> str:
    """Return a name for everything but the posts themselves that decides what is read from them."""
    settings = config.settings
    read_with = input_digest(settings.site, settings.posts, settings.tags, settings.duplicates)
    return f"{fingerprint.build_fingerprint()} {read_with}"


def _posts_folder(config: Config) -> Path:
    return config.resolve(config.settings.posts.folder)


def _parts(whole: Sequence[Item], size: int) -> list[Sequence[Item]]:
    return [whole[n : n + size] for n in range(0, len(whole), size)]


def _digest(content: bytes) -> str:
    return sha256(content).hexdigest()[:32]  # twice as fast as BLAKE2 where the processor knows it


# Reading ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _File:
    """A file to read, and what is known of it already."""

    path: str
    stamp: Stamp
    had: str


def _readings(
    config: Config, scanned: Scan, known: Mapping[str, CachedPost], team: Workers, progress: Progress
) -> tuple[dict[str, CachedPost], list[str]]:
    """Return what is in every file, and the paths of those that had to be opened for it."""
    found: dict[str, CachedPost] = {}
    files = []
    for path, stamp in zip(scanned.paths, scanned.stamps(), strict=True):
        reading = known.get(path)
        if reading is not None and reading.stamp == stamp and stamp[3] != 0:
            found[path] = reading
        elif not _is_utf8(path):
            # A name that neither a cache nor another process can be told.
            found[path] = _read(config, _posts_folder(config), _File(path, stamp, ""))
        else:
            found[path] = reading or _NOTHING  # holds its place in the order
            files.append(_File(path, stamp, reading.content_digest if reading else ""))
    done = 0
    for encoded in team.map(partial(_read_part, config), _parts(files, _PART), long=len(files) >= _MANY):
        for reading in _decoder().decode(encoded):
            same = reading.post is None and reading.outcome is None
            found[reading.path] = replace(found[reading.path], stamp=reading.stamp) if same else reading
            done += 1
        progress("Reading posts", done, len(files))
    return found, [file.path for file in files]


#: Stands for a file until it is read.
_NOTHING = CachedPost("", (0, 0, 0, 0), "", None)


def _is_utf8(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


@lru_cache(maxsize=1)
def _decoder() -> "msgspec.json.Decoder[list[CachedPost]]":
    return msgspec.json.Decoder(list[CachedPost])


def _read_part(config: Config, files: Sequence[_File]) -> bytes:
    """Return the readings of some files, encoded: that is how they travel between processes and lie in the cache."""
    place = _posts_folder(config)
    return msgspec.json.encode([_read(config, place, file) for file in files])


def _read(config: Config, place: Path, file: _File) -> CachedPost:
    path, content = file.path, ""
    post: Post | None = None
    verdict: PostOutcome | None = None
    try:
        data = source_files.read_file(place, path, parse.MOST_BYTES)
        content = _digest(data)
        if content != file.had:  # else nothing is said of it, and what is known stays
            found = parse.parse_post(path, data, config.settings)
            post, verdict = (found, None) if isinstance(found, Post) else (None, found)
    except PostError as e:
        verdict = PostOutcome(path=e.path, status=PostStatus.REJECTED, reason=str(e))
    except Exception as e:  # noqa: BLE001 - posts are anybody's; one must never decide about its neighbours
        reason = f"{path}:1: cannot be understood ({type(e).__name__}: {e}); please report this"
        verdict = PostOutcome(path=path, status=PostStatus.REJECTED, reason=reason)
    return CachedPost(path, file.stamp, content, post, verdict)


# Comparing --------------------------------------------------------------------------------------------------------


def _compared(
    config: Config,
    readings: Mapping[str, CachedPost],
    fresh: Sequence[str],
    kept: PostCache,
    team: Workers,
    progress: Progress,
) -> dict[duplicates.Pair, TextSimilarity]:
    """Return how alike the texts are that may be alike and were not compared before."""
    posts = [reading.post for reading in readings.values() if reading.post]
    new = {duplicates.text_key(post) for path in fresh if (post := readings[path].post)}
    pairs = {
        duplicates.pair_key(a, b): (a.path, b.path)
        for a, b in duplicates.candidate_pairs(posts, new, kept.similarities)
    }
    return dict(zip(pairs, _compare_pairs(config, list(pairs.values()), team, progress), strict=True))


def _compare_pairs(
    config: Config, pairs: Sequence[tuple[str, str]], team: Workers, progress: Progress
) -> list[TextSimilarity]:
    """Return how alike the texts of pairs of files are."""
    found: list[TextSimilarity] = []
    for part in team.map(partial(_compare_part, config), _parts(pairs, _PAIRS), long=len(pairs) >= _MANY_PAIRS):
        found += part
        progress("Comparing posts", len(found), len(pairs))
    return found


def _compare_part(config: Config, pairs: Sequence[tuple[str, str]]) -> list[TextSimilarity]:
    plain = cache(partial(_plain, config, _posts_folder(config)))
    return [duplicates.compare_texts(plain(one), plain(other)) for one, other in pairs]


def _plain(config: Config, place: Path, path: str) -> str:
    """Return a post's text as texts are compared; nothing, which is like no other, where it cannot be had any more."""
    try:
        content = source_files.read_file(place, path, parse.MOST_BYTES)
        return render.comparison_text(path, content, config.settings)
    except PostError:
        return ""
