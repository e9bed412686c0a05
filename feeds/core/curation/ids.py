"""Permanent entry ids: assigned once, never changed, never given to another post.

A post keeps its id when its file is renamed or its text is edited. A published post is recognised by, in this order:
the id in its front matter; the same title, date and text, in the same file or, if no other post has them, in another
one; the same text in the same file; the same text in another file, if no other post has it and it is not short; the
same file, if title or text are still similar; for a file that was renamed and edited at once, the same title and date
or a very similar text in a file that no longer exists or holds another post now; and, if a text is too short to be
compared, the same file and date. Any other post gets a `tag:` URI (RFC 4151) made from the authority, its date and its
path, which is never assigned again.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping
from datetime import timedelta
from functools import cached_property
from html import unescape
from typing import TypeVar
from urllib.parse import quote

from feeds.core.curation.duplicates import SHORT
from feeds.core.curation.taxonomy import unique_name
from feeds.core.posts.sketch import resemblance, sketch_hashes
from feeds.core.posts.text import normalize
from feeds.core.posts.urls import quote_url
from feeds.model import KnownEntry, Post

_Value = TypeVar("_Value", bound=Hashable)

#: Characters that RFC 4151 section 2.1 allows unescaped in `specific` (pchar and `/`), without those easily misread.
_PLAIN = "/-._~!$'()*+,="
_PLAIN_PATH = re.compile(r"[A-Za-z0-9/._-]*")
_DAY = timedelta(days=1)
#: Resemblance of sketches when about a third of the text was kept. Texts of different posts have 0 to 0.1.
_SIMILAR = 0.2
#: When about two thirds were kept.
_VERY_SIMILAR = 0.5


def assign_ids(
    posts: Iterable[Post], known: Iterable[KnownEntry], authority: str, present: Collection[str] = ()
) -> dict[str, str]:
    """Return the id of each post, by path. The order of *posts* does not matter.

    *present* holds the paths of all files. A file in it was not renamed, even if its post is not public.
    """
    by_id = {entry.id: entry for entry in known}
    assignment = _Assignment(list(posts), by_id, present)
    for rule in _RULES:
        assignment.assign(rule(assignment))
    taken = by_id.keys() | assignment.ids.values()
    for post in sorted(assignment.unassigned, key=lambda post: (post.published, post.path)):
        new_id = tag_uri(post, authority)
        if new_id in taken:
            new_id = unique_name(new_id, ";", taken)
        assignment.ids[post.path] = new_id
        taken.add(new_id)
    return assignment.ids


def find_replaced_ids(
    posts: Iterable[Post], known: Iterable[KnownEntry], entry_ids: Mapping[str, str]
) -> dict[str, str]:
    """Return the published ids that ids in front matter replace, by the new id; *entry_ids* are by path.

    Whoever adds an id to a published post changes nothing else, so its date must still be the same: a post that was
    written over another one, and has an id of its own, is another entry.
    """
    new = [post for post in posts if post.declared_id]
    active = {entry.id: entry for entry in known if entry.replaced_by is None} if new else {}
    new = [post for post in new if entry_ids[post.path] not in active]
    if not new:
        return {}
    assigned = set(entry_ids.values())
    free = [entry for entry_id, entry in active.items() if entry_id not in assigned]
    by_path, identities = PublishedBefore(free).by_path, _invert_unique({entry.id: _identity(entry) for entry in free})
    replacing: dict[str, str] = {}
    for post in new:
        same_file = (entry.id for entry in reversed(by_path.get(post.path, ())) if _is_same_at_its_date(post, entry))
        old = next(same_file, identities.get(_identity(post)))
        if old is not None:
            replacing.setdefault(old, entry_ids[post.path])
    return {new_id: old for old, new_id in replacing.items()}


def _is_same_at_its_date(post: Post, known: KnownEntry) -> bool:
    """Return whether *post* is *known* with the same date; another time zone makes it a little different."""
    return may_be_same_entry(post, known) and (known.published is None or abs(post.published - known.published) < _DAY)


class _Assignment:
    """Posts without an id, and known entries without a post."""

    def __init__(self, posts: list[Post], by_id: Mapping[str, KnownEntry], present: Collection[str]) -> None:
        self.unassigned = posts
        #: By path.
        self.ids: dict[str, str] = {}
        self._free = {entry_id: entry for entry_id, entry in by_id.items() if entry.replaced_by is None}
        #: The files whose posts are not public: they may still hold what they held.
        self._hidden = set(present) - {post.path for post in posts}

    @property
    def free(self) -> Collection[KnownEntry]:
        """The known entries without a post; empty if every post has its id, as nothing is left to do then."""
        return self._free.values() if self.unassigned else ()

    def is_gone(self, entry: KnownEntry) -> bool:
        """Return whether no file can hold the post of *entry* any more: its file is gone or holds another post.

        A public post that is still like the entry of its file has its id by now (`_match_edited`).
        """
        return entry.path not in self._hidden

    def assign(self, matches: Iterable[tuple[Post, str]]) -> None:
        """Assign the id of each match to its post, unless one of the two is already assigned."""
        before = len(self.ids)
        for post, entry_id in matches:
            if post.path not in self.ids and (post.declared_id or entry_id in self._free):
                self.ids[post.path] = entry_id
                self._free.pop(entry_id, None)
        if len(self.ids) > before:
            self.unassigned = [post for post in self.unassigned if post.path not in self.ids]


def may_be_same_entry(post: Post, known: KnownEntry) -> bool:
    """Return whether *post* may be an edited version of *known*: it has the same title, or much of the same text.

    If a text is too short for a sketch, the date decides.
    """
    return _is_alike(post, known) or (not (post.sketch and known.sketch) and post.published == known.published)


def _is_alike(post: Post, known: KnownEntry) -> bool:
    if known.sketch is None or known.title is None or post.text_digest == known.text_digest:
        return True
    if normalize(post.title).casefold() == normalize(known.title).casefold():
        return True
    return resemblance(post.sketch, known.sketch) >= _SIMILAR


class PublishedBefore:
    """Tells whether a post was published before from the same file."""

    def __init__(self, known: Iterable[KnownEntry]) -> None:
        self._known = known

    def __call__(self, post: Post) -> bool:
        """Return whether *post*, or an earlier version of it, was published from its file."""
        return any(may_be_same_entry(post, entry) for entry in self.by_path.get(post.path, ()))

    @cached_property
    def by_path(self) -> dict[str, list[KnownEntry]]:
        """The known entries of each file, the latest last. Built when first used: most sites have no duplicates."""
        by_path: dict[str, list[KnownEntry]] = defaultdict(list)
        for entry in self._known:
            by_path[entry.path].append(entry)
        return by_path


def tag_uri(post: Post, authority: str) -> str:
    """Return the `tag:` URI of a post that is not recognised."""
    path = post.path if _PLAIN_PATH.fullmatch(post.path) else quote(post.path, safe=_PLAIN)
    return f"tag:{authority}:{post.published.date()}/{path}"


# Rules: each yields (post, id) for posts that it recognises -----------------------------------------------------------


def _match_declared_ids(at: _Assignment) -> Iterator[tuple[Post, str]]:
    """Match a post with the id in its front matter, or with the id that it was given for that."""
    ids = {entry.id for entry in at.free}
    return ((post, _published_id(post.declared_id, ids)) for post in at.unassigned if post.declared_id)


def _published_id(declared: str, known_ids: Collection[str]) -> str:
    """Return the id in the front matter, or what was made of it when `&copy=1` was read as `©=1`, if that is known."""
    if "&" not in declared or declared in known_ids:
        return declared
    published = quote_url(unescape(declared))
    return published if published in known_ids else declared


def _match_unchanged(at: _Assignment) -> Iterator[tuple[Post, str]]:
    """Match a post with the entry of the same title, date and text in the same file. Nearly all posts have one."""
    entries = {(entry.path, entry.text_digest, entry.title): entry for entry in at.free}
    for post in at.unassigned:
        entry = entries.get((post.path, post.text_digest, post.title))
        if entry is not None and entry.published == post.published:
            yield post, entry.id


def _match_moved(at: _Assignment) -> Iterator[tuple[Post, str]]:
    """Match a post with the entry of the same title, date and text, if no other post and no other entry has them."""
    ids = _invert_unique({entry.id: _identity(entry) for entry in at.free})
    paths = _invert_unique({post.path: _identity(post) for post in at.unassigned})
    return ((post, ids[key]) for post in at.unassigned if paths.get(key := _identity(post)) == post.path and key in ids)


def _identity(one: Post | KnownEntry) -> Hashable:
    return (one.title, one.published, one.text_digest)


def _match_same_file(at: _Assignment) -> Iterator[tuple[Post, str]]:
    """Match a post with the entry of the same path and text."""
    ids = {(entry.path, entry.text_digest): entry.id for entry in at.free}
    return ((post, ids[key]) for post in at.unassigned if (key := (post.path, post.text_digest)) in ids)


def _match_renamed(at: _Assignment) -> Iterator[tuple[Post, str]]:
    """Match a post with the entry of the same text, if no other post and no other entry has it and it is not short."""
    ids = _invert_unique({entry.id: entry.text_digest for entry in at.free})
    paths = _invert_unique({post.path: post.text_digest for post in at.unassigned if post.text_size >= SHORT})
    return (
        (post, ids[post.text_digest])
        for post in at.unassigned
        if paths.get(post.text_digest) == post.path and post.text_digest in ids
    )


def _match_edited(at: _Assignment) -> Iterator[tuple[Post, str]]:
    """Match a post with an entry of the same path that has its title or is similar, the latest first."""
    return ((post, entry.id) for post, entry in _pairs_with_same_file(at) if _is_alike(post, entry))


def _match_renamed_and_edited(at: _Assignment) -> Iterator[tuple[Post, str]]:
    """Match a post with a very similar entry whose file is gone or holds another post, the most similar pairs first."""
    gone = [e for e in at.free if e.sketch is not None and e.title is not None and at.is_gone(e)]
    pairs = ((_resemblance(post, e), post, e.id) for post, e in _pairs_with_common_keys(at.unassigned, gone))
    similar = sorted((p for p in pairs if p[0] >= _VERY_SIMILAR), key=lambda p: (-p[0], p[1].path, p[2]))
    return ((post, entry_id) for _, post, entry_id in similar)


def _match_rewritten(at: _Assignment) -> Iterator[tuple[Post, str]]:
    """Match a post with an entry of the same path and date if their texts are too short to be compared."""
    return ((post, entry.id) for post, entry in _pairs_with_same_file(at) if may_be_same_entry(post, entry))


#: In the order in which they are tried.
_RULES: tuple[Callable[[_Assignment], Iterator[tuple[Post, str]]], ...] = (
    _match_declared_ids,
    _match_unchanged,
    _match_moved,
    _match_same_file,
    _match_renamed,
    _match_edited,
    _match_renamed_and_edited,
    _match_rewritten,
)


def _pairs_with_same_file(at: _Assignment) -> Iterator[tuple[Post, KnownEntry]]:
    """Yield posts and entries of the same path, the latest entry of each first."""
    by_path = PublishedBefore(at.free).by_path
    return ((post, entry) for post in at.unassigned for entry in reversed(by_path.get(post.path, ())))


def _pairs_with_common_keys(posts: list[Post], gone: list[KnownEntry]) -> Iterator[tuple[Post, KnownEntry]]:
    """Yield posts and entries that share a hash of their sketches, or their title and date."""
    index: dict[object, list[KnownEntry]] = defaultdict(list)
    for entry in gone:
        for key in (*sketch_hashes(entry.sketch or b""), (entry.title, entry.published)):
            index[key].append(entry)
    for post in posts:
        keys = (*sketch_hashes(post.sketch), (post.title, post.published))
        entries = {entry.id: entry for key in keys for entry in index.get(key, ())}
        yield from ((post, entry) for entry in entries.values())


def _resemblance(post: Post, known: KnownEntry) -> float:
    is_same = (post.title, post.published) == (known.title, known.published)
    return 1.0 if is_same else resemblance(post.sketch, known.sketch or b"")


def _invert_unique(values: Mapping[str, _Value]) -> dict[_Value, str]:
    """Return value -> key for the values that occur once."""
    counts = Counter(values.values())
    return {value: key for key, value in values.items() if counts[value] == 1}
