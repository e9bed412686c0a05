"""Stores on both databases."""

import pytest

from feeds.edges.store.database import open_store
from tests.postgresql import schema_url


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request):
    """The URL of an empty store."""
    if request.param == "sqlite":
        yield "sqlite:///feeds.db"
    else:
        with schema_url() as url:
            yield url


@pytest.fixture
def store(tmp_path, store_url):
    """An empty store."""
    with open_store(store_url, tmp_path) as found:
        yield found


@pytest.fixture
def sqlite_store(tmp_path):
    """An empty store in a SQLite file, `feeds.db`."""
    with open_store("sqlite:///feeds.db", tmp_path) as found:
        yield found
