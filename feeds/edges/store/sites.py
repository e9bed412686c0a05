"""The site that a store is of, so that two sites do not use one store by mistake.

A store that may be named by several sites has a row with the first one that wrote to it (see `is_in_folder` in
`feeds.edges.store.database`). Ids, issues and addresses of two sites would otherwise become those of both.
"""

from typing import NamedTuple

from feeds.edges.store.interface import Database
from feeds.edges.store.schema import read_columns
from feeds.errors import OtherSiteError
from feeds.settings import SiteSettings

#: What each site should have of its own.
_PLACES = {"sqlite": "file", "postgresql": "database or schema"}


class StoredSite(NamedTuple):
    """The site that a store is of, as it was when it last wrote."""

    id_authority: str
    url: str


def is_same_site(stored: StoredSite, site: SiteSettings) -> bool:
    """Return whether a site is the stored one, which may have moved.

    Its authority must be the same, since it is part of all ids (RFC 4151). If the authority was not chosen but is the
    host of the URL, other sites of that host have it too: then the URL must be the same, but for http and https.
    """
    if stored.id_authority != site.authority:
        return False
    return site.id_authority is not None or _without_scheme(stored.url) == _without_scheme(site.url)


def _without_scheme(url: str) -> str:
    return url.partition("://")[2]


def check_site(database: Database, site: SiteSettings, name: str) -> bool:
    """Check that a store is not of another site; return whether it has this one's row. *name* is the store's.

    It changes nothing, so the tables may be of any version, or another program's.

    Raises:
        OtherSiteError: it is of another site.
    """
    stored = _load(database)
    if stored and not is_same_site(stored, site):
        raise OtherSiteError(f"{name}: {_describe(stored, site, _PLACES[database.dialect])}")
    return stored == _to_stored(site)


def save_site(database: Database, site: SiteSettings, name: str) -> None:
    """Store that a store is of a site.

    Raises:
        OtherSiteError: another site has stored itself meanwhile.
    """
    with database.transaction():
        check_site(database, site, name)
        database.execute("sites.save", **_to_stored(site)._asdict())


def _load(database: Database) -> StoredSite | None:
    """Return the site; None in a new store, and in one of a version, or a program, without our table."""
    if not read_columns(database, "sites") >= {*StoredSite._fields}:
        return None
    row = database.one("sites.load")
    return StoredSite(*row) if row else None


def _to_stored(site: SiteSettings) -> StoredSite:
    return StoredSite(id_authority=site.authority, url=site.url)


def _describe(stored: StoredSite, site: SiteSettings, place: str) -> str:
    found = f"the store is of another site, {stored.url} ({stored.id_authority}); give each site its own {place}"
    if site.id_authority is not None:
        return found
    return f'{found}, or, if this site has moved, set site.id_authority = "{stored.id_authority}"'
