"""The commands of PostgreSQL that back up and restore a store."""

import shlex
import shutil
import subprocess
from pathlib import Path
from urllib.parse import quote

import pytest

from feeds.config_types import Url
from feeds.edges.store.database import open_database, open_store
from feeds.edges.store.postgresql_backup import dump_command, restore_command
from feeds.edges.store.sites import load_site, replace_site
from feeds.settings import SiteSettings
from tests.postgresql import run_sql, schema_url, server_url

HARBOUR = SiteSettings(url=Url("https://harbour.example/"))


def run(command, url):
    """Run a command as it is printed, for a database."""
    subprocess.run(shlex.split(command.replace("URL", shlex.quote(url))), check=True, capture_output=True)


@pytest.fixture(params=["newsletters_{}", "News-Letters {}", 'a"b*_{}'])
def named_schema(request):
    """The URL of an empty schema with a name that is plain, or that `pg_dump` would take for something else."""
    with schema_url() as url:
        name = request.param.format(url.rpartition("%3D")[2])
        quoted = '"{}"'.format(name.replace('"', '""'))
        run_sql(url, f"CREATE SCHEMA {quoted}")
        try:
            yield url.rpartition("%3D")[0] + "%3D" + quote(quoted.replace(" ", r"\ "))
        finally:
            run_sql(url, f"DROP SCHEMA {quoted} CASCADE")


@pytest.mark.skipif(shutil.which("pg_dump") is None, reason="pg_dump is not installed")
def test_tables_of_other_schemas_are_left_alone(tmp_path, named_schema):
    """Neither those that have changed since the dump, nor those that are new; the store is as it was."""
    with open_store(named_schema, tmp_path, site=HARBOUR):
        pass
    with schema_url() as foreign:
        run_sql(foreign, "CREATE TABLE entries (number int)", "INSERT INTO entries VALUES (1)")
        run(dump_command(named_schema, tmp_path / "my dump"), named_schema)
        run_sql(foreign, "UPDATE entries SET number = 2", "CREATE TABLE issues (number int)")
        with open_database(named_schema, tmp_path) as database:
            replace_site(database, SiteSettings(url=Url("https://quay.example/")))
        run(restore_command(named_schema, tmp_path / "my dump"), named_schema)
        with open_database(named_schema, tmp_path) as database:
            assert load_site(database).url == HARBOUR.url
        with open_database(foreign, tmp_path) as database:
            assert [*database.query("SELECT number FROM entries")] == [(2,)]
            assert [*database.query("SELECT number FROM issues")] == []


def test_the_default_schema_is_not_named(tmp_path):
    """A database of its own is dumped as a whole; so it is if it cannot be asked."""
    options = "--clean --if-exists --single-transaction --dbname=URL 'my dump'"
    for url in server_url(), "postgresql://127.0.0.1:1/feeds":
        assert restore_command(url, Path("my dump")) == f"pg_restore {options}"
        assert dump_command(url, tmp_path / "d") == f"pg_dump --format=custom --file={tmp_path / 'd'} --dbname=URL"
