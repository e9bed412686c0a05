"""Which post a link means that names one by its path, file name or slug."""

import re
from collections import defaultdict
from collections.abc import Iterable
from functools import cached_property
from posixpath import normpath
from urllib.parse import quote

from feeds.core.posts.dates import strip_date
from feeds.core.posts.tags.fragments import POST_SCHEME
from feeds.model import Post, PostLink

_EXTENSION = re.compile(r"\.(?:mdx?|markdown|html|rst)\Z")
_MARKDOWN = re.compile(r"\.(?:mdx?|markdown)\Z")
_ROOT = re.compile(r"@?/|\{filename\}/|\|filename\|/")
_RELATIVE = re.compile(r"\{filename\}|\|filename\|")
#: The file of a folder's own page.
_OWN_PAGE = re.compile(r"(?:\A|/)_?index\Z")


class PostIndex:
    """The posts of a folder by everything that a link may name them by."""

    def __init__(self, posts: Iterable[Post], folder: str) -> None:
        self._posts = list(posts)
        self._folder = folder.strip("/").split("/")

    def find(self, source: Post, target: str) -> Post | None:
        """Return the post that *target* means in a link of *source*; None if there is none, or more than one.

        Paths begin at the file of *source* or, with a slash, at the posts folder, one that it is in, or the site's
        folder. Extension and language may be left out. A name alone may be that of any post: its file, its file without
        the date, or its slug.
        """
        if not target:
            return source
        path, is_root = _normal_path(target)
        beside = path if is_root else _key(normpath(f"{source.path.rpartition('/')[0]}/{path}").lstrip("/"))
        for key in (beside, _key(path), *self._without_folder(path)):
            if (found := self._choose(source, self._by_path[key])) is not None:
                return found
        if path.startswith("..") or not path:
            return None
        by_end = self._choose(source, self._by_end[_key(path)])
        return by_end or (None if "/" in path else self._choose(source, self._by_name[path]))

    def is_of_post(self, target: str) -> bool:
        """Return whether a path can only be that of a post: a Markdown file in the posts folder or in a `_posts`."""
        path, _ = _normal_path(target)
        *folders, name = path.split("/")
        is_file = _MARKDOWN.search(target) is not None and name not in ("_index", "index")
        return is_file and ("_posts" in folders or bool(self._without_folder(path)))

    def _without_folder(self, path: str) -> list[str]:
        """Return a path of the site as one of the posts folder, if its first parts are the last ones of that."""
        parts = path.split("/")
        shared = (n for n in range(1, len(parts)) if parts[:n] == self._folder[-n:])
        return ["/".join(parts[n:]) for n in shared]

    @staticmethod
    def _choose(source: Post, candidates: list[Post]) -> Post | None:
        """Return the only candidate, or the only one in the language of *source*."""
        if len(candidates) > 1:
            candidates = [post for post in candidates if post.lang == source.lang]
        return candidates[0] if len(candidates) == 1 else None

    @cached_property
    def _by_path(self) -> dict[str, list[Post]]:
        found: dict[str, list[Post]] = defaultdict(list)
        for post in self._posts:
            for key in _keys(post):
                found[key].append(post)
        return found

    @cached_property
    def _by_end(self) -> dict[str, list[Post]]:
        found: dict[str, list[Post]] = defaultdict(list)
        for key, posts in self._by_path.items():
            parts = key.split("/")
            for n in range(len(parts)):
                found["/".join(parts[n:])] += posts
        return found

    @cached_property
    def _by_name(self) -> dict[str, list[Post]]:
        found: dict[str, list[Post]] = defaultdict(list)
        for post in self._posts:
            name = _keys(post)[-1].rpartition("/")[2]
            for key in {strip_date(name), post.slug}:
                found[key].append(post)
        return found


def link_key(link: PostLink) -> str:
    """Return what stands for a link in the text, see `feeds.core.posts.tags.links`."""
    return f"{POST_SCHEME}{link.target}" if link.by_tag else link.target


def page_url(target: str, site: str) -> str | None:
    """Return the address of a page of the site that is not a post, from the path of its file as Hugo has it.

    None for a name alone, a path relative to the post, and a path that is not one of Hugo's `ref`, which may be a file.
    """
    path, is_root = _normal_path(target)
    if target.startswith(("@", "{", "|", ".")) or not ("/" in path or is_root):
        return None
    return site + (f"{quote(_key(path))}/" if path else "")


def _normal_path(target: str) -> tuple[str, bool]:
    """Return a path without its extension and marks, and whether it begins at a folder above the posts."""
    root = _ROOT.match(target)
    path = target[root.end() :] if root else _RELATIVE.sub("", target, count=1)
    return _EXTENSION.sub("", path).strip("/"), root is not None


def _key(path: str) -> str:
    return _OWN_PAGE.sub("", path)


def _keys(post: Post) -> list[str]:
    """Return the paths of a post without its extension: with and without the language in its name."""
    path = _EXTENSION.sub("", post.path)
    language = re.search(r"\.([A-Za-z]{2,3}(?:-\w+)?)\Z", path)
    without = path[: language.start()] if language and language[1].lower() == post.lang.lower() else path
    return list(dict.fromkeys((_key(path), _key(without))))
