"""The commands of PostgreSQL that back up and restore a store: Feeds has none for it."""

import re
import shlex
from contextlib import closing
from pathlib import Path

from feeds.edges.store.postgresql import connect
from feeds.errors import LockedError, StoreError

#: The schema that a database begins with.
_DEFAULT = "public"
#: What pg_dump takes as it is; in other names it would look for patterns, or change letters to lower case.
_PLAIN_NAME = re.compile(r"[a-z_][a-z0-9_]*")


def dump_command(url: str, file: Path) -> str:
    """Return the command that backs up the store of a URL to a file, without those of other schemas."""
    schema = _find_schema(url)
    pattern = schema if _PLAIN_NAME.fullmatch(schema) else '"{}"'.format(schema.replace('"', '""'))
    return _join("pg_dump --format=custom", schema and pattern, f"--file={shlex.quote(str(file))} --dbname=URL")


def restore_command(url: str, file: Path) -> str:
    """Return the command that restores it: it replaces the tables of the store's schema only."""
    options = "--clean --if-exists --single-transaction"
    return _join("pg_restore", _find_schema(url), f"{options} --dbname=URL {shlex.quote(str(file))}")


def _join(program: str, schema: str, options: str) -> str:
    return " ".join([program, *([f"--schema={shlex.quote(schema)}"] if schema else []), options])


def _find_schema(url: str) -> str:
    """Return the schema of the store; empty: it is the default one, or the database cannot be asked."""
    try:
        with closing(connect(url)) as database:
            [(schema,)] = database.query("SELECT current_schema()")
    except (StoreError, LockedError):
        return ""
    return "" if schema == _DEFAULT else str(schema)
