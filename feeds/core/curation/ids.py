"""Permanent ids: chosen once, never changed, never given to another post.

First form. A post's own id wins; else the one its path had before, or, for a renamed file, its text; else a `tag:` URI
(RFC 4151) made from the authority, the date and the path.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from urllib.parse import quote

from feeds.core.curation.duplicates import SHORT
from feeds.core.curation.names import unused
from feeds.model import Known, Post

#: What RFC 4151 section 2.1 lets stand unescaped in `specific` (pchar and `/`), less what would be misread.
_PLAIN = "/-._~!$'()*+,="


def assign(posts: Iterable[Post], known: Iterable[Known], authority: str) -> dict[str, str]:
    """Return an id for each post, by path. The order of *posts* does not matter."""
    remembered = list(known)
    found: dict[str, str] = {}
    waiting = sorted(posts, key=lambda post: (post.published, post.path))
    for post in waiting:
        if post.own_id:
            found[post.path] = post.own_id
    for rule in (_same_file, _same_text, _same_path):
        taken = set(found.values())
        free = [k for k in remembered if k.id not in taken]
        found |= rule([p for p in waiting if p.path not in found], free)
    taken = {k.id for k in remembered} | set(found.values())
    for post in waiting:
        if post.path not in found:
            found[post.path] = unused(tag_uri(post, authority), ";", taken)
            taken.add(found[post.path])
    return found


def tag_uri(post: Post, authority: str) -> str:
    """Return the id a post gets when nothing better is known."""
    return f"tag:{authority}:{post.published:%Y-%m-%d}/{quote(post.path, safe=_PLAIN)}"


def _same_file(posts: list[Post], known: list[Known]) -> dict[str, str]:
    at = {(k.path, k.text_digest): k.id for k in known}
    return {p.path: at[p.path, p.text_digest] for p in posts if (p.path, p.text_digest) in at}


def _same_text(posts: list[Post], known: list[Known]) -> dict[str, str]:
    """A text that only one post has and only one had: the file was renamed. Short texts prove nothing."""
    had = _single({k.id: k.text_digest for k in known})
    have = _single({p.path: p.text_digest for p in posts if p.text_length >= SHORT})
    return {path: had[digest] for digest, path in have.items() if digest in had}


def _same_path(posts: list[Post], known: list[Known]) -> dict[str, str]:
    at = {k.path: k.id for k in known}
    return {p.path: at[p.path] for p in posts if p.path in at}


def _single(values: Mapping[str, str]) -> dict[str, str]:
    """Return value -> key for the values that stand once."""
    counts = Counter(values.values())
    return {value: key for key, value in values.items() if counts[value] == 1}
