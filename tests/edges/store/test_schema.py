"""The tables of the store, for both databases."""

from alembic.config import Config
from alembic.script import ScriptDirectory

from feeds.edges.store import schema
from tests.edges.store.fresh_schema import fresh_schemas


def test_the_tables_of_a_new_store_are_those_of_the_migrations(tmp_path):
    """The files with the tables of a new store are made by `make schema` from the migrations."""
    for path, text in fresh_schemas(tmp_path).items():
        assert path.read_text("utf-8") == text, "run `make schema`"


def test_the_version_is_the_last_migration():
    """`SCHEMA_VERSION` is the last migration."""
    config = Config()
    config.set_main_option("script_location", str(schema.MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_current_head() == schema.SCHEMA_VERSION
