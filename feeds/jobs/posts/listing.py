"""List posts, duplicates and tags of a site, without writing anything but the cache."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from feeds.config import Config
from feeds.core.curation.suggest import Suggestion
from feeds.core.curation.tags import Tag, tag_overview
from feeds.edges.process.workers import Workers, workers
from feeds.edges.store.database import Store
from feeds.jobs.context import Context
from feeds.jobs.posts import tags
from feeds.jobs.posts.survey import Survey, SurveyOptions, survey_posts
from feeds.jobs.store.site_store import open_site_store
from feeds.model import DuplicatePair, Text


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenSurvey:
    """A survey with its open store and workers."""

    survey: Survey
    store: Store
    team: Workers


@dataclass(frozen=True, kw_only=True, slots=True)
class PostList:
    """Every post file with its outcome."""

    survey: Survey
    #: The rendered texts by path, without their HTML; empty unless asked for.
    texts: Mapping[str, Text]


@dataclass(frozen=True, kw_only=True, slots=True)
class DuplicateList:
    """The pairs of posts that are duplicates or similar, in the order of paths."""

    survey: Survey
    pairs: Sequence[DuplicatePair]


@contextmanager
def open_survey(config: Config, now: datetime, context: Context, *, use_cache: bool = True) -> Iterator[OpenSurvey]:
    """Survey the posts at *now*; keep the store and the workers open.

    Raises:
        StoreError: the database cannot be used.
    """
    with open_site_store(config, create=False) as store, workers() as team:
        options = SurveyOptions(team=team, progress=context.progress, use_cache=use_cache)
        survey = survey_posts(config, now=now, known=store.entries.load_entries(), options=options)
        yield OpenSurvey(survey=survey, store=store, team=team)


def list_posts(
    config: Config, now: datetime, context: Context, *, use_cache: bool = True, with_texts: bool = False
) -> PostList:
    """Return every post file with its status at *now*, and its rendered text if *with_texts*."""
    with open_survey(config, now, context, use_cache=use_cache) as opened:
        texts = opened.survey.texts(opened.team, context.progress) if with_texts else {}
    return PostList(survey=opened.survey, texts=texts)


def list_duplicates(config: Config, now: datetime, context: Context, *, use_cache: bool = True) -> DuplicateList:
    """Return the pairs of posts that are duplicates, near-duplicates or instalments."""
    with open_survey(config, now, context, use_cache=use_cache) as opened:
        instalments = opened.survey.instalments(opened.team, context.progress)
    pairs = sorted((*opened.survey.catalogue.duplicates, *instalments), key=lambda pair: pair.post.path)
    return DuplicateList(survey=opened.survey, pairs=pairs)


def list_tags(config: Config, now: datetime, context: Context) -> Sequence[Tag]:
    """Return the tags of the public posts, with their spellings and counts."""
    with open_survey(config, now, context) as opened:
        return tag_overview(opened.survey.catalogue, config.settings)


def suggest_tags(config: Config, now: datetime, context: Context) -> list[Suggestion]:
    """Return tags for public posts that have none; see `tags.suggest_missing_tags`."""
    with open_survey(config, now, context) as opened:
        return tags.suggest_missing_tags(config, opened.survey.catalogue, context.progress)


def fix_tags(config: Config, now: datetime, context: Context, *, write: bool) -> Iterable[tags.TagChange]:
    """Yield the changes to tags in post files; see `tags.fix_tag_spellings`."""
    with open_survey(config, now, context) as opened:
        return tags.fix_tag_spellings(config, opened.survey.catalogue, write=write)
