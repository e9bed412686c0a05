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

#: The command that makes a store this site's.
CLAIM = "feeds store claim"


class StoredSite(NamedTuple):
    """The site that a store is of."""

    id_authority: str
    url: str

    def __str__(self) -> str:
        return f"{self.url} ({self.id_authority})"


def is_same_site(stored: StoredSite, site: SiteSettings) -> bool:
    """Return whether a site is the stored one: it has its authority, and its URL but for http and https.

    The authority alone does not say it, even if it was chosen: `feeds init` gives all sites of a host the same one.
    """
    return stored.id_authority == site.authority and _without_scheme(stored.url) == _without_scheme(site.url)


def _without_scheme(url: str) -> str:
    return url.partition("://")[2]


def check_site(database: Database, site: SiteSettings, name: str, claim: str = CLAIM) -> bool:
    """Check that a store is not of another site; return whether it has this one's row. *name* is the store's.

    It changes nothing, so the tables may be of any version, or another program's. *claim* is the command that makes the
    store this site's, for the message; empty: there is none.

    Raises:
        OtherSiteError: it is of another site.
    """
    stored = load_site(database)
    if stored and not is_same_site(stored, site):
        raise OtherSiteError(f"{name}: {_describe(stored, site, _PLACES[database.dialect], claim)}")
    return stored == to_stored(site)


def save_site(database: Database, site: SiteSettings, name: str) -> None:
    """Store that a store is of a site.

    Raises:
        OtherSiteError: another site has stored itself meanwhile.
    """
    with database.transaction():
        check_site(database, site, name)
        database.execute("sites.save", **to_stored(site)._asdict())


def replace_site(database: Database, site: SiteSettings) -> None:
    """Store that a store is of a site, whichever it was of; without a row, nothing is stored."""
    with database.transaction():
        database.execute("sites.replace", **to_stored(site)._asdict())


def load_site(database: Database) -> StoredSite | None:
    """Return the site; None in a new store, and in one of a version, or a program, without our table."""
    if not read_columns(database, "sites") >= {*StoredSite._fields}:
        return None
    row = database.one("sites.load")
    return StoredSite(*row) if row else None


def to_stored(site: SiteSettings) -> StoredSite:
    """Return a site as its store has it."""
    return StoredSite(id_authority=site.authority, url=site.url)


def _describe(stored: StoredSite, site: SiteSettings, place: str, claim: str) -> str:
    found = f"the store is of another site, {stored}; give each site its own {place}"
    if not claim:
        return found
    is_default = site.id_authority is None and site.authority != stored.id_authority
    setting = f'set site.id_authority = "{stored.id_authority}" and ' if is_default else ""
    return f"{found}, or, if this site has moved here, {setting}run `{claim}`"
