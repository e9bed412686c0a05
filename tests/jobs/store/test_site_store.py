"""A store that two sites name belongs to the first one."""

import json
import re
import shlex
import sys

import pytest

from feeds.cli import commands
from feeds.edges.store.database import open_database, open_store
from feeds.edges.store.schema import SCHEMA_VERSION, read_version
from feeds.edges.store.table_shapes import table_shapes
from feeds.errors import OtherSiteError
from feeds.jobs.store.site_store import open_site_store
from feeds.jobs.subscribers import subscribe
from tests.conftest import CONFIG, NEWSLETTER, NOW, SampleSite
from tests.edges.store.fresh_schema import fresh_schemas
from tests.postgresql import run_sql, schema_url
from tests.webserver import web_client

_WITHOUT_AUTHORITY = CONFIG.replace('id_authority = "example.com,2026"\n', "")
#: Commands that read, that write, of the store itself, and that do not end.
_COMMANDS = {
    "reading": "publish --dry-run|status|issues|posts|check|send weekly --yes --test me@example.org|subscribers list",
    "writing": "publish|publish --feeds-only|send weekly --yes|resume|subscribers add bea@example.org"
    "|subscribers erase ada@example.org",
    "store": "store adopt|store check|store upgrade|store copy --to sqlite:///.feeds/copy.db|ids export",
    "service": "run|serve",
}


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    """The URL of a store that more than one site can name."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'shared' / 'feeds.db'}"
    else:
        with schema_url() as found:
            yield found


def make_site(folder, url, config=CONFIG):
    """Return a site with one post, a newsletter and the store of a URL; empty: one in its own folder."""
    made = SampleSite(folder)
    (folder / "posts").mkdir(parents=True)
    made.post("first")
    set_store(made, url, config)
    return made


def set_store(site, url, config=CONFIG):
    """Write the config of a site."""
    store = f'[store]\nurl = "{url}"\n' if url else ""
    site.configure(f"{config}{NEWSLETTER}{store}")


def at(url, authority=""):
    """Return the config of a site with another URL, and perhaps an authority."""
    config = _WITHOUT_AUTHORITY.replace("https://example.com/", url)
    return config.replace("[feeds]", f'id_authority = "{authority}"\n[feeds]') if authority else config


@pytest.fixture
def first(tmp_path, url):
    """A site that has published and has a subscriber."""
    site = make_site(tmp_path / "a", url)
    subscribe.add_subscriber(site.config, "ada@example.org", [], lang=None, now=NOW, again=False)
    site.publish()
    return site


@pytest.fixture
def second(tmp_path, first, url):
    """Another site with the same store."""
    return make_site(tmp_path / "b", url, at("https://quay.example/", "quay.example,2026"))


def rows(url, folder):
    """Return all rows of a store."""
    with open_database(url, folder, create=False) as database:
        tables = ["sites", *(table.name for table in table_shapes())]
        return {name: [*database.query(f"SELECT * FROM {name}")] for name in tables}


def run(site, capsys, monkeypatch, *words):
    """Run a command in the folder of a site; return its exit code, output and errors."""
    monkeypatch.chdir(site.folder)
    monkeypatch.setenv("FEEDS_CLOCK", NOW.isoformat())
    monkeypatch.setattr(sys, "argv", ["feeds", *words])
    return commands.run(), *capsys.readouterr()


@pytest.mark.parametrize("kind", _COMMANDS)
def test_another_site_is_refused_in_one_line(second, url, capsys, monkeypatch, kind):
    """Whatever the command: it shows nothing of the first site, and changes nothing, in the store and in its folder."""
    stored, files = rows(url, second.folder), second.files("public", "posts")
    for command in _COMMANDS[kind].split("|"):
        code, output, errors = run(second, capsys, monkeypatch, *command.split())
        assert (command, code, output, len(errors.splitlines())) == (command, 1, "", 1), errors
        assert "the store is of another site, https://example.com/ (example.com,2026); give each site its" in errors
        assert rows(url, second.folder) == stored
        assert second.files("public", "posts") == files
        assert second.files(".feeds/copy.db", ".feeds/outbox") == {}


def test_health_and_pages_of_another_site_show_nothing(second):
    """`/healthz` is HTTP 503, and a page that needs the store is an error."""
    with web_client(second.config) as client:
        assert client.get("/healthz").status == 503
        assert "feeds_subscribers" not in client.get("/metrics").text
        assert "the store is of another site" in client.logged[0]


def test_the_first_site_goes_on(first, second):
    """The attempt of the other one has not changed it."""
    with pytest.raises(OtherSiteError):
        second.publish()
    assert first.publish().issues == []


def test_a_copy_does_not_go_to_the_store_of_another_site(tmp_path, first, url, capsys, monkeypatch):
    """Neither to a complete one, nor to one that is still being copied."""
    third = make_site(tmp_path / "c", "", at("https://quay.example/", "quay.example,2026"))
    third.publish()
    for version in SCHEMA_VERSION, "copying":
        with open_store(url, first.folder) as store:
            store.database.connection.execute(f"UPDATE alembic_version SET version_num = '{version}'")
        stored = rows(url, first.folder)
        code, _, errors = run(third, capsys, monkeypatch, "store", "copy", "--to", url)
        assert (code, len(errors.splitlines())) == (1, 1)
        assert "the store is of another site, https://example.com/" in errors
        assert rows(url, first.folder) == stored


def test_a_copy_is_of_the_site_that_made_it(tmp_path, first, url, capsys, monkeypatch):
    """Out of the folder it gets the site, and back in the folder it has none."""
    set_store(first, "")
    first.publish()
    other = f"sqlite:///{tmp_path / 'elsewhere.db'}"
    assert run(first, capsys, monkeypatch, "store", "copy", "--to", other)[0] == 0
    assert rows(other, first.folder)["sites"] == [("example.com,2026", "https://example.com/")]
    set_store(first, other)
    assert run(first, capsys, monkeypatch, "store", "copy", "--to", "sqlite:///.feeds/back.db")[0] == 0
    assert rows("sqlite:///.feeds/back.db", first.folder)["sites"] == []


@pytest.mark.parametrize("authority", ["", "example.com,2026"])
def test_two_sites_of_one_host_are_two(tmp_path, url, authority):
    """Their ids have the same authority, chosen or not, so the URL says that they are two."""
    first = make_site(tmp_path / "a", url, at("https://example.com/", authority))
    second = make_site(tmp_path / "b", url, at("https://example.com/blog/", authority))
    first.publish()
    for create in True, False:
        with pytest.raises(OtherSiteError, match=r"if this site has moved here, run `feeds store claim`$"):
            second.publish(dry_run=not create)


def test_sites_that_init_has_made_on_one_host_are_two(tmp_path, url, capsys, monkeypatch):
    """It gives both the same authority."""
    for name, address in ("a", "https://one.example/"), ("b", "https://one.example/blog/"):
        (folder := tmp_path / name).mkdir()
        monkeypatch.setenv("FEEDS_STORE_URL", url)
        run(SampleSite(folder), capsys, monkeypatch, "init", ".", "--url", address, "--yes")
        code, _, errors = run(SampleSite(folder), capsys, monkeypatch, "publish")
        assert (code, "another site, https://one.example/ (one.example,2026)" in errors) == (
            int(name == "b"),
            name == "b",
        )


def test_a_site_that_has_moved_does_what_the_line_says(first, url, capsys, monkeypatch):
    """With its authority in the settings, and after a claim, it goes on at the new address, and is known by it."""
    set_store(first, url, at("https://quay.example/"))
    with pytest.raises(
        OtherSiteError, match=r'set site\.id_authority = "example\.com,2026" and run `feeds store claim`$'
    ):
        first.publish(dry_run=True)
    set_store(first, url, at("https://quay.example/", "example.com,2026"))
    with pytest.raises(OtherSiteError, match=r"here, run `feeds store claim`$"):
        first.publish()
    code, output, errors = run(first, capsys, monkeypatch, "store", "claim")
    assert (code, errors) == (0, "")
    before, after = "https://example.com/ (example.com,2026)", "https://quay.example/ (example.com,2026)"
    assert output.endswith(f": the store was of {before}; it is now of {after}\n")
    assert first.publish().issues == []


@pytest.mark.parametrize(
    ("address", "authority"),
    [
        ("https://quay.example/", "example.com,2026"),
        ("https://example.com/blog/", "example.com,2026"),
        ("https://example.com/", "example.com,2020"),
        ("https://quay.example/", ""),
    ],
)
def test_a_claim_changes_one_row(first, url, capsys, monkeypatch, address, authority):
    """A dry run, and the site that has it already, change nothing; without a row there is nothing to claim."""
    set_store(first, url, at(address, authority))
    before = rows(url, first.folder)
    now = f"{address} ({authority or 'quay.example,2026'})"
    code, output, _ = run(first, capsys, monkeypatch, "store", "claim", "--dry-run")
    assert (code, output.count("\n")) == (0, 1)
    assert f"the store is of https://example.com/ (example.com,2026); it would be of {now}" in output
    assert rows(url, first.folder) == before
    for text in f"it is now of {now}", f"the store is this site's already, {now}":
        code, output, _ = run(first, capsys, monkeypatch, "store", "claim")
        assert (code, text in output) == (0, True)
        assert rows(url, first.folder) == before | {"sites": [(authority or "quay.example,2026", address)]}


def test_without_a_row_nothing_is_claimed(tmp_path, url, capsys, monkeypatch):
    """Neither in a new store, nor in one of an older version, nor in the site's own folder; tables stay as they are."""
    site = make_site(tmp_path / "a", url)
    (tmp_path / "shared").mkdir()

    def claim():
        code, output, _ = run(site, capsys, monkeypatch, "store", "claim")
        assert code == 0
        return output

    assert "the store is of no site yet; the first command that writes to it" in claim()
    assert not [*(tmp_path / "shared").iterdir()]
    make_old_store(tmp_path, site, url)
    assert "the store is of no site yet" in claim()
    with open_database(url, site.folder) as database:
        assert read_version(database) == "0015"
    set_store(site, "")
    assert claim().endswith("feeds.db: a store in the site's own folder needs no claim\n")


def test_tables_of_another_program_are_not_claimed(tmp_path, url, capsys, monkeypatch):
    """Also if one is called `sites`."""
    site = make_site(tmp_path / "a", url)
    with open_database(url, site.folder) as database:
        database.create("CREATE TABLE sites (id_authority TEXT, url TEXT)")
        database.create("INSERT INTO sites VALUES ('quay.example,2026', 'https://quay.example/')")
    code, output, errors = run(site, capsys, monkeypatch, "store", "claim")
    assert (code, output, len(errors.splitlines())) == (1, "", 1)
    assert "the database has tables of another program (sites)" in errors


def test_a_check_shows_the_site(first, url, capsys, monkeypatch):
    """As text, and in `site`, which is null for a store in the site's own folder."""
    assert ", of https://example.com/ (example.com,2026)\n" in run(first, capsys, monkeypatch, "store", "check")[1]
    found = json.loads(run(first, capsys, monkeypatch, "store", "check", "--json")[1])
    assert found["site"] == {"id_authority": "example.com,2026", "url": "https://example.com/"}
    set_store(first, "")
    first.publish()
    assert json.loads(run(first, capsys, monkeypatch, "store", "check", "--json")[1])["site"] is None


def test_a_store_of_an_older_version_becomes_that_of_the_first_site_that_writes(tmp_path, url):
    """It is migrated; a command that only reads leaves it to any site."""
    first, second = make_site(tmp_path / "a", url), make_site(tmp_path / "b", url, at("https://quay.example/"))
    make_old_store(tmp_path, first, url)
    with open_site_store(first.config, create=False) as store:
        assert read_version(store.database) == SCHEMA_VERSION
    second.publish()
    assert rows(url, first.folder)["sites"] == [("quay.example,2026", "https://quay.example/")]
    with pytest.raises(OtherSiteError):
        first.publish()


def make_old_store(tmp_path, site, url):
    """Create the tables of the last version without the table `sites`."""
    name = url.partition(":")[0]
    [script] = [text for path, text in fresh_schemas(tmp_path, "0015").items() if path.parent.name == name]
    if name == "postgresql":
        run_sql(url, *script.split(";\n"))
    else:
        with open_database(url, site.folder) as database:
            database.create(script)


def test_a_store_in_the_folder_is_not_compared(tmp_path):
    """It has no site, so the site may change its URL and authority."""
    site = make_site(tmp_path / "a", "")
    site.publish()
    set_store(site, "", at("https://quay.example/", "quay.example,2020"))
    site.publish()
    assert rows("sqlite:///.feeds/feeds.db", site.folder)["sites"] == []


@pytest.mark.parametrize("path", ["../shared.db", "link/shared.db"])
def test_a_path_that_leaves_the_folder_is_compared(tmp_path, path):
    """Also through a link."""
    first = make_site(tmp_path / "a", f"sqlite:///{path}")
    second = make_site(tmp_path / "b", f"sqlite:///{path}", at("https://quay.example/"))
    for site in first, second:
        (site.folder / "link").symlink_to(tmp_path)
    first.publish()
    with pytest.raises(OtherSiteError, match=r"shared\.db: the store is of another site, https://example\.com/"):
        second.publish()


@pytest.fixture
def backups(tmp_path):
    """Two sites with SQLite stores outside of their folders, and a backup of each."""
    made = []
    for name, config in ("a", CONFIG), ("b", at("https://quay.example/")):
        made.append(make_site(tmp_path / name, f"sqlite:///../{name}.db", config))
        subscribe.add_subscriber(made[-1].config, f"{name}@example.org", [], lang=None, now=NOW, again=False)
    return made


def test_a_backup_of_another_site_is_not_restored(tmp_path, backups, capsys, monkeypatch):
    """Nor is a backup restored over another site's store; no keys and no journal are written either."""
    first, second = backups
    assert run(first, capsys, monkeypatch, "store", "backup", "../a.bak")[0] == 0
    set_store(second, "sqlite:///../a.db", at("https://quay.example/"))
    code, _, errors = run(second, capsys, monkeypatch, "store", "backup", "../stolen.bak")
    assert (code, len(errors.splitlines())) == (1, 1)
    assert not (tmp_path / "stolen.bak").exists()
    set_store(second, "sqlite:///../b.db", at("https://quay.example/"))
    refuse_restore(second, "../a.bak", capsys, monkeypatch)
    assert run(second, capsys, monkeypatch, "store", "backup", "../b.bak")[0] == 0
    set_store(second, "sqlite:///../a.db", at("https://quay.example/"))
    refuse_restore(second, "../b.bak", capsys, monkeypatch)


def test_a_backup_from_before_a_move_is_claimed_and_restored(tmp_path, backups, capsys, monkeypatch):
    """The line has the command for the backup's file; the store itself is this site's already."""
    first, _ = backups
    assert run(first, capsys, monkeypatch, "store", "backup", "../a b.bak")[0] == 0
    set_store(first, "sqlite:///../a.db", at("https://quay.example/", "example.com,2026"))
    assert run(first, capsys, monkeypatch, "store", "claim")[0] == 0
    code, _, errors = run(first, capsys, monkeypatch, "store", "restore", "../a b.bak")
    [variable, *command] = shlex.split(re.search("run `(.*)`", errors)[1])
    assert (code, command) == (1, ["feeds", "store", "claim"])
    with monkeypatch.context() as patch:
        patch.setenv(*variable.split("=", 1))
        assert run(first, capsys, monkeypatch, *command[1:])[0] == 0
    assert run(first, capsys, monkeypatch, "store", "restore", "../a b.bak")[0] == 0
    assert rows("sqlite:///../a.db", first.folder)["sites"] == [("example.com,2026", "https://quay.example/")]


def refuse_restore(site, backup, capsys, monkeypatch):
    """Check that a backup is not restored, and that no file has changed but locks."""

    def files():
        found = site.files("..")
        return {name: content for name, content in found.items() if not name.endswith((".lock", ".sending"))}

    (site.folder / ".feeds/feeds.key").unlink(missing_ok=True)
    before = files()
    code, output, errors = run(site, capsys, monkeypatch, "store", "restore", backup)
    assert (code, output, len(errors.splitlines())) == (1, "", 1)
    assert "the store is of another site, https://example.com/" in errors
    assert files() == before
