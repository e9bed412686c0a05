"""Find and read the data files in which a site keeps its authors."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from feeds.config import Config
from feeds.core.posts.authors import AuthorDirectory, parse_author_file
from feeds.edges.files import source_files
from feeds.errors import PostError
from feeds.model import Author, Post

_KINDS = ("yml", "yaml", "json", "toml")
#: Where the generators keep authors, from the site's folder: Jekyll and Eleventy, Hugo, Hexo, Astro. Docusaurus keeps
#: them in the folder of posts. A name without an ending may be a folder with a file for each author.
_PLACES = ("_data/authors", "src/_data/authors", "data/authors", "source/_data/authors", "src/data/authors")
_FOLDERS_ONLY = ("src/content/authors", "content/authors", "content/author")
#: Hugo: the page of an author, in a folder that is named after the id.
_TERM_PAGE = "_index.md"
#: A larger file is not read.
_MOST_BYTES = 1_000_000


def author_names(posts: str) -> list[str]:
    """Return every place in which authors are looked for, from the site's folder; *posts* is the folder of posts."""
    files = [f"{base}.{kind}" for base in (f"{posts}/authors", *_PLACES) for kind in _KINDS]
    return [*files, *_PLACES, *_FOLDERS_ONLY]


def author_places(config: Config) -> list[Path]:
    """Return every file and folder in which authors are looked for; the first one that exists counts."""
    posts = config.settings.posts
    return [config.resolve(name) for name in ([posts.authors] if posts.authors else author_names(posts.folder))]


@dataclass(frozen=True, kw_only=True)
class SiteAuthors:
    """The authors of a site's data files."""

    directory: AuthorDirectory
    #: The files, as they are shown.
    files: tuple[str, ...] = ()
    #: One line for each file that cannot be read.
    warnings: tuple[str, ...] = ()

    def unknown_ids(self, posts: Iterable[Post]) -> dict[str, tuple[str, str]]:
        """Return what can only be an id and is in no file: the path of the first post that names it, and a warning."""
        found: dict[str, tuple[str, str]] = {}
        for post in posts if self.files and not self.warnings else ():
            for id_ in self.directory.unknown_ids(post):
                reason = f"{id_!r} is not an author in {self.files[0]}; it stays as it is: add it there, or correct it"
                found.setdefault(id_, (post.path, reason))
        return found


def read_authors(config: Config) -> SiteAuthors:
    """Return the authors of the site's data files; none if there are no such files."""
    place = next((place for place in author_places(config) if place.exists()), None)
    if place is None:
        return SiteAuthors(directory=AuthorDirectory({}))
    files = author_files(place)
    authors: dict[str, Author] = {}
    warnings = []
    for file in files:
        try:
            authors |= _read_file(config, file, is_single=place.is_dir())
        except PostError as e:
            warnings.append(f"{e}; its authors stay as posts name them")
    shown = tuple(_shown_path(config, file) for file in files)
    return SiteAuthors(directory=AuthorDirectory(authors), files=shown, warnings=tuple(warnings))


def author_files(place: Path) -> list[Path]:
    """Return *place*, or the files of authors in it and in its folders if it is a folder."""
    if not place.is_dir():
        return [place]
    inside = sorted(place.iterdir())
    pages = (one / _TERM_PAGE for one in inside if one.is_dir())
    return [*filter(_is_author_file, inside), *(page for page in pages if page.is_file())]


def watched_author_paths(config: Config) -> Iterator[Path]:
    """Yield every path whose change may change the authors, whether it exists or not."""
    for place in author_places(config):
        yield place
        if place.is_dir():
            yield from (one / _TERM_PAGE if one.is_dir() else one for one in place.iterdir())


def _is_author_file(file: Path) -> bool:
    return file.suffix.lower().removeprefix(".") in (*_KINDS, "md", "mdx") and not file.name.startswith(("_", "."))


def _read_file(config: Config, file: Path, *, is_single: bool) -> dict[str, Author]:
    """Return the authors of one file; an error names it from the site's folder."""
    shown = _shown_path(config, file)
    try:
        content = source_files.read_file(file.parent, file.name, _MOST_BYTES)
    except PostError as e:
        raise PostError(shown, e.line, e.reason) from e
    return parse_author_file(shown, content, config.settings.site.url, is_single=is_single)


def _shown_path(config: Config, file: Path) -> str:
    """Return the path of a file as it is shown, from the site's folder if it is in there."""
    return str(file.relative_to(config.folder)) if file.is_relative_to(config.folder) else str(file)
