"""Keep the posts of the sample out of a real site: out of its feeds, and out of what it remembers."""

from collections.abc import Collection

from feeds.core.newsletters.domains import is_reserved_domain
from feeds.core.posts.parse import MOST_BYTES
from feeds.edges.files import resources, source_files
from feeds.errors import FeedsError
from feeds.jobs.posts.read import content_digest
from feeds.jobs.posts.survey import Survey
from feeds.model import KnownEntry

#: How the ids of the sample's entries begin.
_SAMPLE_IDS = "tag:example.com,2026:"


def refuse_sample(survey: Survey, known: Collection[KnownEntry]) -> None:
    """Raise if a site with a real URL has new posts of the sample, or remembers nothing but posts of the sample.

    Raises:
        FeedsError: the message says what to delete.
    """
    if is_reserved_domain(survey.config.settings.site.host):
        return
    folder = resources.resource_folder() / "posts"
    names = {file.name for file in folder.iterdir()}
    if known and all(one.path in names and one.id.startswith(_SAMPLE_IDS) for one in known):
        state, public = survey.config.settings.state, survey.config.settings.feeds.folder
        raise FeedsError(
            f"{state}/ and {public}/ are those of the sample: delete both before you publish at your own URL"
            " (`feeds subscribers export` first, if you have imported subscribers)"
        )
    remembered = {one.path for one in known}
    for path in sorted(names.difference(remembered).intersection(e.post.path for e in survey.catalogue.entries)):
        content = source_files.read_file(folder, path, MOST_BYTES)
        if content_digest(content) == survey.cached_posts[path].content_digest:
            place = survey.config.settings.posts.folder
            raise FeedsError(f"{place}/{path}: is a post of the sample; delete its posts before you publish your own")
