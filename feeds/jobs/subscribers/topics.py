"""Compare the topics of subscribers with the categories of posts."""

from collections.abc import Collection
from datetime import datetime

from feeds.config import Config
from feeds.core.curation.taxonomy import unknown_categories
from feeds.jobs.context import Context
from feeds.jobs.posts.listing import open_survey


def topic_warnings(config: Config, topics: Collection[str], now: datetime, context: Context) -> list[str]:
    """Return a text for each topic that is the category of no public post; none if no post is public.

    Posts are read only if there are topics.
    """
    if not topics:
        return []
    with open_survey(config, now, context) as opened:
        entries = opened.survey.catalogue.entries
    published = dict.fromkeys(category for entry in entries for category in entry.categories)
    return [*unknown_categories(topics if entries else (), published, config.settings.categories)]
