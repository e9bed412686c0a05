"""The site that a store is of."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.config_types import Url
from feeds.edges.store.database import is_in_folder, open_store
from feeds.edges.store.sites import CLAIM, StoredSite, check_site, is_same_site, load_site, replace_site, save_site
from feeds.errors import OtherSiteError
from feeds.settings import SiteSettings

_HOSTS = st.sampled_from(["a.example", "b.example", "www.a.example", "xn--bcher-kva.example", "localhost"])
_URLS = st.builds(
    lambda scheme, host, path: Url(f"{scheme}://{host}/{path}"),
    st.sampled_from(["http", "https"]),
    _HOSTS,
    st.sampled_from(["", "blog/", "b/"]),
)
_SITES = st.builds(SiteSettings, url=_URLS, id_authority=st.none() | _HOSTS.map("{},2025".format))
HARBOUR = SiteSettings(url=Url("https://harbour.example/"))


def stored(site):
    """Return a site as a store has it."""
    return StoredSite(site.authority, site.url)


@given(_SITES)
def test_a_site_is_the_one_that_it_has_stored(site):
    """A site is never refused its own store, whether it has chosen its authority or not."""
    assert is_same_site(stored(site), site)


@given(_SITES, _SITES)
def test_sites_of_other_authorities_are_other_sites(one, other):
    """Whatever their URLs are: the authority is part of all ids."""
    if one.authority != other.authority:
        assert not is_same_site(stored(one), other)


@given(_SITES, _URLS)
def test_sites_of_one_authority_with_other_urls_are_other_sites(site, url):
    """Also if the authority was chosen: `feeds init` gives it to each site of a host."""
    other = SiteSettings(url=url, id_authority=site.authority)
    assert is_same_site(stored(site), other) is (url.partition("://")[2] == site.url.partition("://")[2])


@pytest.mark.parametrize("authority", [None, "harbour.example,2026"])
@pytest.mark.parametrize(
    ("url", "is_same"),
    [
        ("http://harbour.example/", True),
        ("https://harbour.example:8443/", False),
        ("https://harbour.example/blog/", False),
        ("https://www.harbour.example/", False),
        ("https://quay.example/", False),
    ],
)
def test_only_the_scheme_of_the_url_may_change(url, is_same, authority):
    """Two sites of one host may have the same authority."""
    assert is_same_site(stored(HARBOUR), SiteSettings(url=Url(url), id_authority=authority)) is is_same


def test_the_first_site_that_writes_is_stored(tmp_path, store_url):
    """Who only reads stores nothing, and another site can neither read nor write from then on."""
    other = SiteSettings(url=Url("https://quay.example/"))
    for create, site in (True, None), (False, other), (True, HARBOUR), (False, HARBOUR):
        with open_store(store_url, tmp_path, create=create, site=site) as store:
            assert check_site(store.database, HARBOUR, "s") is (site is HARBOUR)
    for create in (True, False):
        with (
            pytest.raises(OtherSiteError, match=r"another site, https://harbour\.example/ \(harbour\.example,2026\)"),
            open_store(store_url, tmp_path, create=create, site=other),
        ):
            pass


def test_a_site_with_another_scheme_is_stored_anew(tmp_path, store_url):
    """When it writes, not when it reads."""
    moved = SiteSettings(url=Url("http://harbour.example/"))
    with open_store(store_url, tmp_path, site=HARBOUR):
        pass
    for create in (False, True):
        with open_store(store_url, tmp_path, create=create, site=moved) as store:
            assert load_site(store.database) == stored(moved if create else HARBOUR)


def test_a_replaced_site_is_the_only_one(store):
    """The row of the former one is changed, whether its authority or its URL differs; a store without one gets none."""
    replace_site(store.database, HARBOUR)
    assert load_site(store.database) is None
    save_site(store.database, HARBOUR, "s")
    for url, authority in ("https://quay.example/", None), ("https://quay.example/b/", "quay.example,2020"):
        site = SiteSettings(url=Url(url), id_authority=authority)
        replace_site(store.database, site)
        assert [*store.database.query("SELECT id_authority, url FROM sites")] == [stored(site)]


def test_of_two_sites_that_begin_at_once_one_is_refused(tmp_path, store_url):
    """Both have found a new store; the second one to store itself is refused."""
    other = SiteSettings(url=Url("https://quay.example/"))
    with open_store(store_url, tmp_path) as first, open_store(store_url, tmp_path) as second:
        assert not check_site(second.database, other, "s")
        save_site(first.database, HARBOUR, "s")
        with pytest.raises(OtherSiteError):
            save_site(second.database, other, "s")


@pytest.mark.parametrize(
    ("url", "authority", "claim", "advice"),
    [
        (
            "https://quay.example/",
            None,
            CLAIM,
            'set site.id_authority = "harbour.example,2026" and run `feeds store claim`',
        ),
        ("https://harbour.example/b/", None, CLAIM, "run `feeds store claim`"),
        ("https://harbour.example/b/", "harbour.example,2026", CLAIM, "run `feeds store claim`"),
        ("https://quay.example/", "quay.example,2026", CLAIM, "run `feeds store claim`"),
        ("https://quay.example/", None, "", ""),
    ],
)
def test_the_line_says_what_to_do(store, url, authority, claim, advice):
    """A site that has moved keeps the authority of its ids, also if it has never chosen one."""
    save_site(store.database, HARBOUR, "s")
    with pytest.raises(OtherSiteError) as raised:
        check_site(store.database, SiteSettings(url=Url(url), id_authority=authority), "s", claim)
    place = {"sqlite": "file", "postgresql": "database or schema"}[store.database.dialect]
    moved = f", or, if this site has moved here, {advice}" if advice else ""
    found = "s: the store is of another site, https://harbour.example/ (harbour.example,2026)"
    assert str(raised.value) == f"{found}; give each site its own {place}{moved}"


def test_a_table_sites_of_another_program_is_not_read(tmp_path, store):
    """A store of a version without the table, or another program's table of that name, has no site."""
    for table in ("", "CREATE TABLE sites (id INTEGER, domain TEXT)"):
        store.database.connection.execute(table or "DROP TABLE sites")
        assert not check_site(store.database, HARBOUR, "s")


@pytest.mark.parametrize(
    ("url", "is_inside"),
    [
        ("sqlite:///.feeds/feeds.db", True),
        ("sqlite:///sub/../feeds.db", True),
        ("sqlite:///../a/feeds.db", True),
        ("sqlite:////{0}/a/feeds.db", True),
        ("sqlite:///../feeds.db", False),
        ("sqlite:///link/feeds.db", False),
        ("sqlite:////{0}/ab/feeds.db", False),
        ("postgresql:///feeds", False),
    ],
)
def test_a_path_leaves_the_folder_however_it_is_written(tmp_path, url, is_inside):
    """Links and dots are followed."""
    (tmp_path / "a" / "sub").mkdir(parents=True)
    (tmp_path / "a" / "link").symlink_to(tmp_path)
    assert is_in_folder(url.format(tmp_path), tmp_path / "a") is is_inside
