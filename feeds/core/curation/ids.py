"""Permanent ids: chosen once, never changed, never given to another post.

An id is a post's, wherever its file lies and whatever it says by now. What was published is recognised by, in this
order: an id of its own; the same text in the same file; the same text in another file, if no other post has it; the
same file, as long as title or text are still alike; and, for a file that was renamed and edited at once, a text that is
much alike where the old file is gone. What is not recognised gets a `tag:` URI (RFC 4151) made from the authority, its
date and its path, which is then never given again.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cached_property
from urllib.parse import quote

from feeds.core.curation.duplicates import SHORT
from feeds.core.curation.taxonomy import unique_name
from feeds.core.posts.sketch import resemblance, sketch_hashes
from feeds.core.posts.text import normalize
from feeds.model import KnownEntry, Post

#: What RFC 4151 section 2.1 lets stand unescaped in `specific` (pchar and `/`), less what would be misread.
_PLAIN = "/-._~!$'()*+,="
_PLAIN_PATH = re.compile(r"[A-Za-z0-9/._-]*")
#: Of sketches: about a third of the text was kept. Texts of different posts have 0 to 0.1.
_ALIKE = 0.2
#: About two thirds were kept.
_MUCH_ALIKE = 0.5


def assign_ids(
    posts: Iterable[Post], known: Iterable[KnownEntry], authority: str, present: Collection[str] = ()
) -> dict[str, str]:
    """Return an id for each post, by path. The order of *posts* does not matter.

    *present* holds the paths of all files, also of those that are not public: a file that is held back was not renamed.
    """
    remembered = {k.id: k for k in known}
    work = _Assignment(list(posts), remembered)
    for rule in (_own_id, _same_file, _same_text, _same_place, _moved_and_edited):
        work.give(rule(work.waiting, work.free(), present))
    taken = remembered.keys() | work.found.values()
    for post in sorted(work.waiting, key=lambda post: (post.published, post.path)):
        identity = tag_uri(post, authority)
        if identity in taken:
            identity = unique_name(identity, ";", taken)
        work.found[post.path] = identity
        taken.add(identity)
    return work.found


class _Assignment:
    """Posts that wait for an id, and ids that wait for a post."""

    def __init__(self, posts: list[Post], remembered: Mapping[str, KnownEntry]) -> None:
        self.waiting = posts
        self.found: dict[str, str] = {}
        self._free = dict(remembered)

    def free(self) -> Collection[KnownEntry]:
        return self._free.values()

    def give(self, matches: Iterable[tuple[Post, str]]) -> None:
        """Give each match's id to its post, unless either has found another."""
        had = len(self.found)
        for post, identity in matches:
            if post.path not in self.found and (post.declared_id or identity in self._free):
                self.found[post.path] = identity
                self._free.pop(identity, None)
        if len(self.found) > had:
            self.waiting = [post for post in self.waiting if post.path not in self.found]


def may_be_same_entry(post: Post, known: KnownEntry) -> bool:
    """Return whether *post* may be what *known* was, edited: it has its title, or a good part of its text.

    A text of a few words has no sketch that could tell; there the date decides.
    """
    if known.sketch is None or known.title is None or post.text_digest == known.text_digest:
        return True
    if normalize(post.title).casefold() == normalize(known.title).casefold():
        return True
    if not post.sketch or not known.sketch:
        return post.published == known.published
    return resemblance(post.sketch, known.sketch) >= _ALIKE


class PublishedBefore:
    """Which posts were published before, as a question; asked of the few that repeat another."""

    def __init__(self, known: Iterable[KnownEntry]) -> None:
        self._known = known

    def __call__(self, post: Post) -> bool:
        """Return whether *post*, edited perhaps, lay in this file when it was last public."""
        return any(may_be_same_entry(post, k) for k in self.at.get(post.path, ()))

    @cached_property
    def at(self) -> dict[str, list[KnownEntry]]:
        """The entries that lay in each file, the latest last."""
        at: dict[str, list[KnownEntry]] = defaultdict(list)
        for k in self._known:
            at[k.path].append(k)
        return at


def tag_uri(post: Post, authority: str) -> str:
    """Return the id a post gets when nothing better is known."""
    path = post.path if _PLAIN_PATH.fullmatch(post.path) else quote(post.path, safe=_PLAIN)
    return f"tag:{authority}:{post.published.date()}/{path}"


def _own_id(posts: list[Post], _known: Collection[KnownEntry], _present: Collection[str]) -> Iterator[tuple[Post, str]]:
    return ((post, post.declared_id) for post in posts if post.declared_id)


def _same_file(
    posts: list[Post], known: Collection[KnownEntry], _present: Collection[str]
) -> Iterator[tuple[Post, str]]:
    at = {(k.path, k.text_digest): k.id for k in known}
    return ((post, at[here]) for post in posts if (here := (post.path, post.text_digest)) in at)


def _same_text(
    posts: list[Post], known: Collection[KnownEntry], _present: Collection[str]
) -> Iterator[tuple[Post, str]]:
    """A text that only one post has and only one had: the file was renamed. Short texts prove nothing."""
    if not (posts and known):
        return iter(())
    had = _single({k.id: k.text_digest for k in known})
    have = _single({post.path: post.text_digest for post in posts if post.text_size >= SHORT})
    return (
        (post, had[post.text_digest])
        for post in posts
        if have.get(post.text_digest) == post.path and post.text_digest in had
    )


def _same_place(
    posts: list[Post], known: Collection[KnownEntry], _present: Collection[str]
) -> Iterator[tuple[Post, str]]:
    """The file that was there before, unless a new post has taken its name. A file may have been several entries'."""
    at = PublishedBefore(known if posts else ()).at
    return ((post, k.id) for post in posts for k in reversed(at.get(post.path, ())) if may_be_same_entry(post, k))


def _moved_and_edited(
    posts: list[Post], known: Collection[KnownEntry], present: Collection[str]
) -> Iterator[tuple[Post, str]]:
    """What resembles a new file most of what lay in files that are gone, the closest pairs first."""
    here = {*present, *(post.path for post in posts)} if posts else set()
    gone = [k for k in known if posts and k.path not in here and k.sketch is not None and k.title is not None]
    pairs = ((_resemblance(post, k), post, k.id) for post, k in _meeting(posts, gone))
    close = sorted((p for p in pairs if p[0] >= _MUCH_ALIKE), key=lambda p: (-p[0], p[1].path, p[2]))
    return ((post, identity) for _, post, identity in close)


def _meeting(posts: list[Post], gone: list[KnownEntry]) -> Iterator[tuple[Post, KnownEntry]]:
    """Yield posts and entries that have a hash of their sketches, or their title and date, in common."""
    index: dict[object, list[KnownEntry]] = defaultdict(list)
    for k in gone:
        for mark in (*sketch_hashes(k.sketch or b""), (k.title, k.published)):
            index[mark].append(k)
    for post in posts:
        met = {
            k.id: k for mark in (*sketch_hashes(post.sketch), (post.title, post.published)) for k in index.get(mark, ())
        }
        yield from ((post, k) for k in met.values())


def _resemblance(post: Post, known: KnownEntry) -> float:
    same = (post.title, post.published) == (known.title, known.published)
    return 1.0 if same else resemblance(post.sketch, known.sketch or b"")


def _single(values: Mapping[str, str]) -> dict[str, str]:
    """Return value -> key for the values that stand once."""
    counts = Counter(values.values())
    return {value: key for key, value in values.items() if counts[value] == 1}
