"""Find the posts of the entries of another program's feed, so that they keep the ids that readers know.

An entry belongs to the post with its address; scheme, host aliases, a slash or `index.html` at the end and
percent-encoding make no difference, nor does the folder of the site on its host. Failing that, it belongs to the post
with its title and date. An id is only taken if one post fits, and only one for each post.
"""

import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import replace as evolve
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeVar
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from feeds.core.curation.old_feed import OldEntry
from feeds.core.curation.titles import fold_title
from feeds.model import AdoptedDate, KnownEntry, Post

_Value = TypeVar("_Value")
_DAY = timedelta(days=1)
_INDEX = ("index.html", "index.htm", "index.xhtml", "index.php")
_MOST_NAMED = 3


class AdoptionStatus(StrEnum):
    """The result for an entry of the other feed."""

    #: Its id is taken for a post.
    MATCHED = "matched"
    #: The post has this id already.
    KEPT = "kept"
    #: The post was published with another id, or declares one.
    PUBLISHED = "published"
    #: Several posts fit, or several ids for one post.
    AMBIGUOUS = "ambiguous"
    UNMATCHED = "unmatched"


@dataclass(frozen=True, kw_only=True, slots=True)
class Adoption:
    """An entry of the other feed, and its post."""

    entry: OldEntry
    status: AdoptionStatus
    #: None if there is not exactly one.
    post: Post | None = None
    #: `link` or `title and date`; empty without a post.
    by: str = ""
    #: The id that the post has already, if it is another one.
    present_id: str | None = None
    #: A message for the user; empty if the id is taken.
    reason: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class OldDocument:
    """The entries of the documents of one feed, newest first, and the address of their site; empty if unknown."""

    entries: Sequence[OldEntry]
    home: str = ""


def match_entries(documents: Iterable[OldDocument], posts: Iterable[Post], site_url: str) -> list[Adoption]:
    """Return each entry with its post, `MATCHED`, or the reason why there is none.

    Of several *documents* and entries that fit a post, the first counts. Several posts with an entry's address are told
    apart by title and date.
    """
    posts = list(posts)
    taken: dict[str, Adoption] = {}
    found = [(entry, document.home) for document in documents for entry in document.entries]
    links, titles = _LinkIndex(posts, site_url), _TitleIndex(posts)
    by_link = [(entry, links.find(entry, home)) for entry, home in found]
    adoptions = {id(entry): _decide(entry, candidates, titles, taken) for entry, candidates in by_link if candidates}
    others = [entry for entry, candidates in by_link if not candidates]
    adoptions |= {id(entry): _match_by_title(entry, titles, taken) for entry in others}
    return [adoptions[id(entry)] for entry, _ in found]


def compare_with_known(
    adoptions: Iterable[Adoption], present: Mapping[str, str], known: Mapping[str, KnownEntry], *, replace: bool
) -> list[Adoption]:
    """Return the adoptions after a look at the ids that posts have already.

    *present* has the id of each post, by path, *known* the stored entries by id. With *replace*, ids that posts were
    published with are replaced; ids that they declare are not.
    """
    return [
        _compare(adoption, present, known, replace=replace) if adoption.status is AdoptionStatus.MATCHED else adoption
        for adoption in adoptions
    ]


def _compare(
    adoption: Adoption, present: Mapping[str, str], known: Mapping[str, KnownEntry], *, replace: bool
) -> Adoption:
    assert adoption.post is not None
    path, old_id = adoption.post.path, adoption.entry.id
    present_id, owner = present.get(path), known.get(old_id)
    if present_id == old_id:
        return evolve(adoption, status=AdoptionStatus.KEPT if owner else AdoptionStatus.MATCHED)
    if adoption.post.declared_id:
        reason = f"{path} declares the id {adoption.post.declared_id}; remove it from the front matter to keep this one"
        return evolve(adoption, status=AdoptionStatus.PUBLISHED, present_id=present_id, reason=reason)
    if owner and (owner.replaced_by is None or owner.replaced_by != present_id):
        reason = f"this id belongs to {owner.path}"
        return evolve(adoption, status=AdoptionStatus.AMBIGUOUS, reason=reason)
    if present_id not in known:
        return adoption
    if replace:
        return evolve(adoption, present_id=present_id)
    reason = f"{path} was already published with the id {present_id}"
    return evolve(adoption, status=AdoptionStatus.PUBLISHED, present_id=present_id, reason=reason)


def known_entry(adoption: Adoption, own_updated: datetime) -> KnownEntry:
    """Return what the store keeps of an adopted entry.

    *own_updated* is the `updated` that the entry would have. The other feed's date is kept if it is earlier: a reader
    that marks changed entries as unread would show it again.
    """
    post, shown = adoption.post, adoption.entry.last_change
    assert post is not None
    shown = max(shown, post.published).astimezone(own_updated.tzinfo) if shown else own_updated
    return KnownEntry(
        id=adoption.entry.id,
        path=post.path,
        text_digest=post.text_digest,
        sketch=post.sketch,
        title=post.title,
        published=post.published,
        adopted=AdoptedDate(own=own_updated, shown=shown) if shown < own_updated else None,
    )


def _decide(entry: OldEntry, candidates: Sequence[Post], titles: "_TitleIndex", taken: dict[str, Adoption]) -> Adoption:
    """Return the adoption of an entry whose address one or more posts have."""
    named = candidates if len(candidates) == 1 else titles.choose(entry, candidates)
    if len(named) != 1:
        reason = f"{_name_all(candidates)} have this address"
        return Adoption(entry=entry, status=AdoptionStatus.AMBIGUOUS, reason=reason)
    return _take(entry, named[0], "link", taken)


def _match_by_title(entry: OldEntry, titles: "_TitleIndex", taken: dict[str, Adoption]) -> Adoption:
    """Return the adoption of an entry whose address no post has."""
    same_title = titles.find(entry)
    fitting = titles.choose(entry, same_title)
    candidates = [post for post in fitting if post.path not in taken] or fitting
    if len(candidates) == 1:
        return _take(entry, candidates[0], "title and date", taken)
    if candidates:
        reason = f"no post has this address; {_name_all(candidates)} have this title and date"
        return Adoption(entry=entry, status=AdoptionStatus.AMBIGUOUS, reason=reason)
    hint = f"; {same_title[0].path} has this title, but another date" if same_title and entry.published else ""
    return Adoption(entry=entry, status=AdoptionStatus.UNMATCHED, reason=f"no post has this address{hint}")


def _take(entry: OldEntry, post: Post, by: str, taken: dict[str, Adoption]) -> Adoption:
    first = taken.get(post.path)
    if first is None:
        taken[post.path] = Adoption(entry=entry, status=AdoptionStatus.MATCHED, post=post, by=by)
        return taken[post.path]
    reason = f"{post.path} already gets the id {first.entry.id}, which is named first"
    return Adoption(entry=entry, status=AdoptionStatus.AMBIGUOUS, post=post, by=by, reason=reason)


def _name_all(posts: Sequence[Post]) -> str:
    names = [post.path for post in posts[:_MOST_NAMED]]
    more = f" and {len(posts) - _MOST_NAMED} more" if len(posts) > _MOST_NAMED else ""
    return ", ".join(names) + more


# Addresses --------------------------------------------------------------------------------------------------------


class _LinkIndex:
    """Posts by address."""

    def __init__(self, posts: Iterable[Post], site_url: str) -> None:
        self._site = site_url
        self._by_address: dict[str, list[Post]] = defaultdict(list)
        self._by_path: dict[str, list[Post]] = defaultdict(list)
        for post in posts:
            for url in filter(None, (post.url, post.external_url)):
                self._by_address[address_key(url, (site_url,))].append(post)
            if path := _path_below(post.url, site_url):
                self._by_path[path].append(post)

    def find(self, entry: OldEntry, home: str) -> list[Post]:
        """Return the posts with an address of *entry*; failing that, with its path below the home page."""
        hosts = (self._site, home)
        found = _unique(post for url in entry.links for post in self._by_address.get(address_key(url, hosts), ()))
        if found or not home:
            return found
        paths = [path for url in entry.links if (path := _path_below(url, home))]
        return _unique(post for path in paths for post in self._by_path.get(path, ()))


def address_key(url: str, own: Sequence[str]) -> str:
    """Return an address in the form in which addresses are compared; one at a host of *own* is only its path."""
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return url
    host = site_host(url)
    path = unicodedata.normalize("NFC", unquote(parts.path))
    folder, slash, name = path.rpartition("/")
    path = folder if name in _INDEX else folder + slash + name
    # Campaign parameters are added by feed services; WordPress's `?p=12` names the post.
    query = urlencode([pair for pair in parse_qsl(parts.query) if not pair[0].startswith("utm_")])
    is_own = host in {site_host(one) for one in own if one} or not host
    return ("" if is_own else f"//{host}") + path.rstrip("/") + (f"?{query}" if query else "")


def _path_below(url: str, home: str) -> str:
    """Return the path of a URL below a home page; empty if it is elsewhere."""
    base, key = address_key(home, (home,)), address_key(url, (home,))
    return key[len(base) :] if key.startswith(f"{base}/") else ""


def site_host(url: str) -> str:
    """Return the host of a URL without `www.`; empty if it has none or cannot be read."""
    try:
        return (urlsplit(url.strip()).hostname or "").removeprefix("www.")
    except ValueError:
        return ""


# Titles and dates -------------------------------------------------------------------------------------------------


class _TitleIndex:
    """Posts by title."""

    def __init__(self, posts: Iterable[Post]) -> None:
        self._by_title = _group(posts, lambda post: _title_key(post.title))

    def find(self, entry: OldEntry) -> list[Post]:
        """Return the posts with the title of *entry*."""
        return self._by_title.get(_title_key(entry.title), []) if entry.title else []

    def choose(self, entry: OldEntry, posts: Sequence[Post]) -> list[Post]:
        """Return those of *posts* with the title and the date of *entry*.

        Dates less than a day apart fit too, unless others are the same: programs read a date in different time zones.
        """
        date, title = entry.published, _title_key(entry.title)
        if date is None:
            return []
        near = [post for post in posts if _title_key(post.title) == title and abs(post.published - date) < _DAY]
        same = [post for post in near if post.published == date] or [
            post for post in near if post.published.date() == date.date()
        ]
        return same or near


def _title_key(title: str) -> str:
    """Return letters and digits of a title only: generators change quotes and dashes, and drop markup."""
    folded = fold_title(title)
    return "".join(char for char in folded if char.isalnum() or unicodedata.category(char)[0] == "M") or folded


def _group(values: Iterable[_Value], key: Callable[[_Value], str]) -> Mapping[str, list[_Value]]:
    groups: dict[str, list[_Value]] = defaultdict(list)
    for value in values:
        groups[key(value)].append(value)
    return groups


def _unique(posts: Iterator[Post]) -> list[Post]:
    return list({post.path: post for post in posts}.values())
