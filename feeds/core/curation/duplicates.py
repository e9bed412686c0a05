"""Which posts are the same post again.

The same text in two files, or the same id of their own. Posts in different languages never are: an untranslated page
may equal its original. Texts below `SHORT` say too little: link posts and empty ones are the same only when title,
target and text all are.
"""

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass

from feeds.core.posts import text
from feeds.model import Post

#: Below so many characters a text says too little to know a post by.
SHORT = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class Duplicate:
    """A post that goes, and the one that stays in its place."""

    post: Post
    stays: Post
    reason: str


def find(posts: Iterable[Post]) -> list[Duplicate]:
    """Return the posts that repeat another.

    One of each group stays: the one that names an id, else the earlier date, else the shorter path. The order of
    *posts* does not matter.
    """
    holders: dict[Hashable, Post] = {}
    found = []
    for post in sorted(posts, key=_preference):
        marks = list(_marks(post))
        twin = next(((reason, holders[mark]) for reason, mark in marks if mark in holders), None)
        if twin:
            found.append(Duplicate(post=post, stays=twin[1], reason=f"{twin[0]} as {twin[1].path}"))
        else:
            holders.update({mark: post for _, mark in marks})
    return found


def _preference(post: Post) -> tuple[object, ...]:
    return (post.own_id is None, post.published, len(post.path), post.path)


def _marks(post: Post) -> Iterator[tuple[str, Hashable]]:
    """Yield what no two different posts share, each with the words for it."""
    if post.own_id:
        yield "the same id", ("id", post.own_id)
    if post.text_length >= SHORT:
        yield "the same text", ("text", post.lang, post.text_digest)
    else:
        mark = ("all", post.lang, post.text_digest, text.normal(post.title), post.target)
        yield "the same title, target and text", mark
