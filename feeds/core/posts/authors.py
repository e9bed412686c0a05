"""Authors: in the front matter of a post, and in the data files of a site, where posts name them by id.

Sources: the pages on authors of docusaurus.io (`authors.yml`), on data files of jekyllrb.com and gohugo.io, on
taxonomies of gohugo.io (a page for each term), and on content collections of docs.astro.build.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from msgspec.structs import replace

from feeds.core.posts.post_file import legal_line
from feeds.core.posts.slugs import hugo_part
from feeds.core.posts.urls import below_site, resolve_url
from feeds.core.posts.vocabulary import normal_key
from feeds.errors import PostError
from feeds.model import Author, Post

#: As far as a feed cares (RFC 4287 section 3.2.3).
_MAIL_ADDRESS = re.compile(r"[^\s@<>]+@[^\s@<>]+\Z")
#: The keys of an author's name, and what stands for it. Docusaurus has a `key` beside the job `title`, WordPress a
#: `login`; a title alone is a name.
_NAMES = ("name", "display_name", "displayname", "full_name", "fullname")
_IDS = ("key", "login", "username", "handle", "slug", "title")
_URLS = ("url", "uri", "website", "homepage", "link")
#: The key of an author's id in a list of authors.
_LIST_IDS = ("id", "key", "slug", "username", "login", "handle")
#: A name that can only be an id.
_ID = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)*\Z")


def parse_author(value: Any, site: str) -> Author | None:
    """Return an author that is written as a name or a mapping; None without a name."""
    if not isinstance(value, dict):
        name = clean(value)
        return Author(name=name) if name else None
    given = {normal_key(str(key)): inner for key, inner in value.items()}
    parts = " ".join(filter(None, (clean(given.get(key)) for key in ("first_name", "last_name"))))
    names = [*(given.get(key) for key in _NAMES), parts, *(given.get(key) for key in _IDS)]
    name = next((name for written in names if (name := clean(written))), "")
    uri = next((clean(given[key]) for key in _URLS if given.get(key)), None)
    email = clean(given.get("email"))
    if not name:
        return None
    return Author(
        name=name,
        uri=resolve_url(site, below_site(uri, site)) if uri else None,
        email=email if _MAIL_ADDRESS.match(email) else None,
    )


def clean(value: Any) -> str:
    """Return a name or address as one line; empty if the value is neither text nor a number."""
    return "" if value is None or isinstance(value, (bool, dict, list)) else legal_line(str(value))


# Data files -------------------------------------------------------------------------------------------------------


class AuthorDirectory:
    """The authors of a site's data files, by id; empty without such files."""

    def __init__(self, authors: Mapping[str, Author]) -> None:
        self._authors = {_normal_id(id_): author for id_, author in authors.items()}
        self._names = {_normal_id(author.name) for author in authors.values()}

    def __bool__(self) -> bool:
        return bool(self._authors)

    def complete(self, post: Post) -> Post:
        """Return *post* with the name, URL and address of each author that it names by id."""
        authors = tuple(dict.fromkeys(self._authors.get(_id_of(author), author) for author in post.authors))
        return post if authors == post.authors else replace(post, authors=authors)

    def unknown_ids(self, post: Post) -> Iterator[str]:
        """Yield what can only be the id of an author and is not in the files."""
        for author in post.authors:
            id_ = _id_of(author)
            if id_ and _ID.match(author.name) and id_ not in self._authors and id_ not in self._names:
                yield author.name


def _id_of(author: Author) -> str:
    """Return the name of an author that may be an id, for comparison; empty if more is known than a name."""
    return "" if author.uri or author.email else _normal_id(author.name)


def _normal_id(written: str) -> str:
    return written.strip().casefold()


def parse_author_file(path: str, content: bytes, site: str, *, is_single: bool) -> dict[str, Author]:
    """Return the authors of one data file (YAML, TOML, JSON, or the front matter of a Markdown file), by id.

    *is_single*: the file is one author, whose id is its name, or that of its folder if it is `_index.md`; else it has
    several, by id or as a list.

    Raises:
        PostError: it is not text, or cannot be parsed.
    """
    found = _load(path, content)
    folder, _, file_name = path.rpartition("/")
    name = file_name.rpartition(".")[0]
    if is_single and name == "_index":
        pairs: Iterable[tuple[Any, Any]] = [_term(folder, found)]
    else:
        pairs = [(name, found)] if is_single else _list_authors(found)
    parsed = ((clean(id_), parse_author(_with_key(value, id_), site)) for id_, value in pairs)
    return {id_: author for id_, author in parsed if id_ and author}


def _term(folder: str, found: Any) -> tuple[str, Any]:
    """Return the id and the values of an author who has a page of Hugo: its title is the name.

    The `url` is the address of that page, which is named after the folder by default.
    """
    parent, _, id_ = folder.rpartition("/")
    values = found if isinstance(found, dict) else {}
    return id_, {"name": values.get("title"), "url": f"/{parent.rpartition('/')[2]}/{hugo_part(id_)}/"} | values


def _with_key(value: Any, id_: Any) -> Any:
    """Return an author whose name is at least the id, since a `title` is the job."""
    return {"key": id_} | value if isinstance(value, dict) else value


def _list_authors(found: Any) -> Iterable[tuple[Any, Any]]:
    if isinstance(found, dict):
        return found.items()
    entries = [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []
    return [(next((entry[key] for key in _LIST_IDS if entry.get(key)), None), entry) for entry in entries]


def _load(path: str, content: bytes) -> Any:
    """Return the data in a file by the kind that its name ends with."""
    from feeds.core.posts import handlers
    from feeds.core.posts.frontmatter import parse_source

    kind = path.rpartition(".")[2].lower()
    if kind not in _LOADERS:
        return parse_source(path, content).metadata
    try:
        return _LOADERS[kind](content.decode("utf-8-sig"))
    except handlers.UNREADABLE as e:
        line, reason = handlers.error_position(e)
        raise PostError(path, line, f"cannot be read: {reason}") from e


def _load_yaml(text: str) -> Any:
    from feeds.core.posts import handlers

    handlers.check_length(text)
    return handlers.Yaml().parse(text)


def _load_toml(text: str) -> Any:
    import tomllib

    return tomllib.loads(text)


def _load_json(text: str) -> Any:
    import json

    return json.loads(text)


_LOADERS = {"yml": _load_yaml, "yaml": _load_yaml, "toml": _load_toml, "json": _load_json}
