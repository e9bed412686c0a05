"""Read every post and say what became of it."""

from collections.abc import Iterable
from datetime import datetime

from feeds.config import Config
from feeds.core.curation import catalogue
from feeds.core.posts import read
from feeds.edges import folder
from feeds.errors import PostError
from feeds.jobs.report import Progress
from feeds.model import Catalogue, Known, Post, Status, Verdict


def survey(config: Config, *, now: datetime, known: Iterable[Known], progress: Progress) -> Catalogue:
    """Return what is public at *now*, and a verdict on every file of the posts folder."""
    posts = config.resolve(config.settings.posts.folder)
    paths = [path for path in folder.scan(posts) if read.is_post(path)]
    found = []
    for done, path in enumerate(paths, 1):
        found.append(_one(config, path))
        progress("Reading posts", done, len(paths))
    return catalogue.build(found, now=now, known=known, settings=config.settings)


def _one(config: Config, path: str) -> Post | Verdict:
    posts = config.resolve(config.settings.posts.folder)
    try:
        return read.understand(path, folder.read(posts, path, read.MOST_BYTES), config.settings)
    except PostError as e:
        return Verdict(path=e.path, status=Status.REJECTED, reason=str(e))
    except Exception as e:  # noqa: BLE001 - posts are anybody's; one must never decide about its neighbours
        reason = f"{path}:1: cannot be understood ({type(e).__name__}: {e}); please report this"
        return Verdict(path=path, status=Status.REJECTED, reason=reason)


def complaints(config: Config, found: Catalogue) -> tuple[list[str], list[str]]:
    """Return errors and warnings about posts, each a line that starts with the file as seen from the config."""
    place = config.settings.posts.folder.rstrip("/")
    errors = [f"{place}/{v.reason}" for v in found.verdicts if v.status is Status.REJECTED]
    warnings = [f"{place}/{line}" for v in found.verdicts if v.post for line in v.post.warnings]
    return errors, warnings
