"""The file of a SQLite store, and its entries."""

import sqlite3
import stat
from contextlib import closing
from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from feeds.edges.store.database import open_store
from feeds.errors import StoreError
from feeds.model import (
    KnownEntry,
)
from tests.core.factory import entry

URL = "sqlite:///feeds.db"
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.fixture
def store(tmp_path):
    with open_store(URL, tmp_path) as found:
        yield found


def test_only_its_owner_may_read_the_store(tmp_path, store):
    """The store is readable by its owner only."""
    assert stat.S_IMODE((tmp_path / "feeds.db").stat().st_mode) == 0o600


def test_without_create_a_missing_store_is_empty_and_leaves_no_trace(tmp_path):
    """Without *create*, a missing store is empty, and no file is created."""
    with open_store(URL, tmp_path, create=False) as store:
        assert store.entries.load_entries() == ()
        assert not store.has_issues
        assert store.issues.load_issues() == ()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "content", [b"this is not a database, just some words in a file", b"SQLite format 3\0" + b"\xff" * 200]
)
def test_a_damaged_store_is_named(tmp_path, content):
    """A file that is not a database is an error, and is not overwritten."""
    (tmp_path / "feeds.db").write_bytes(content)
    with pytest.raises(StoreError, match=r"feeds\.db: the store cannot be used"), open_store(URL, tmp_path):
        pass
    assert (tmp_path / "feeds.db").read_bytes() == content


@pytest.mark.parametrize("create", [True, False])
def test_a_file_of_another_program_is_left_alone(tmp_path, create):
    """Reading and writing commands name its tables, and the file stays as it was."""
    file = tmp_path / "theirs.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE theirs (id)")
    before = file.read_bytes()
    opened = open_store("sqlite:///theirs.db", tmp_path, create=create)
    with pytest.raises(StoreError, match=r"theirs\.db: the database has tables of another program \(theirs\)"), opened:
        pass
    assert file.read_bytes() == before


def test_a_store_of_a_newer_version_is_left_alone(tmp_path):
    """A store of a newer version is an error."""
    with open_store(URL, tmp_path):
        pass
    with sqlite3.connect(tmp_path / "feeds.db") as db:
        db.execute("UPDATE alembic_version SET version_num = '9999'")
    db.close()
    with pytest.raises(StoreError, match="was written by a newer version"), open_store(URL, tmp_path):
        pass


def test_what_was_public_is_remembered(store):
    """Entries are stored with their last path and text."""
    store.entries.save_entries([entry("a.md"), entry("b.md")], NOW)
    store.entries.save_entries([entry("a.md", text_digest="new")], NOW)
    assert {(k.path, k.text_digest) for k in store.entries.load_entries()} == {("a.md", "new"), ("b.md", "b.md")}


def test_ids_are_replaced_in_a_row_and_back(store):
    """An id that was replaced by a replaced id names the last one; an id that is used again is not replaced."""
    store.entries.add_known([KnownEntry(id=f"urn:{n}", path="a.md", text_digest="d") for n in range(3)], NOW)

    def replaced():
        return [entry.replaced_by for entry in store.entries.load_entries()]

    store.entries.replace_ids({"urn:1": "urn:0"})
    store.entries.replace_ids({"urn:2": "urn:1"})
    assert replaced() == ["urn:2", "urn:2", None]
    store.entries.replace_ids({"urn:0": "urn:2"})
    assert replaced() == [None, "urn:0", "urn:0"]
    assert len(store.journal.load_pending()) == 3 + 1 + 2 + 3


def test_of_several_entries_with_one_id_the_last_is_stored(store):
    """A journal may have an id more than once: its last line counts, and what replaced a known id is stored too."""
    given = [KnownEntry(id="urn:0", path=path, text_digest="d") for path in ("a.md", "b.md")]
    assert store.entries.add_known(given, NOW) == 1
    later = KnownEntry(id="urn:0", path="c.md", text_digest="d", replaced_by="urn:1")
    assert store.entries.add_known([later], NOW) == 0
    assert store.entries.load_entries() == (replace(given[1], replaced_by="urn:1"),)
