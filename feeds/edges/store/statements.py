"""Named SQL statements: `sql/common/` has what both databases understand, the other folders what differs.

A file has the statements of one repository. Each begins with its name and a sentence:

    -- name: entries.load
    -- Return every entry that was ever public.
    SELECT id FROM entries ORDER BY number;

Parameters are written `:name`. This could be aiosql's work, but its queries are attributes that are made at run time:
neither grep nor a type checker finds them, and it has no second folder for what differs.
"""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Literal

Dialect = Literal["sqlite", "postgresql"]

SQL_FOLDER = Path(__file__).parent / "sql"
_NAME = re.compile(r"^-- name: (\S+)\n((?:--.*\n)+)", re.MULTILINE)
#: What a colon or a percent sign may be part of: literals, quoted names and comments; then casts, parameters, percent.
_TOKEN = re.compile(r"'[^']*'|\"[^\"]*\"|--[^\n]*|::|:(?P<parameter>[a-z_]+)|%")


class Statements(dict[str, str]):
    """The statements of a database by name; a file is read when the first of its statements is used."""

    def __init__(self, dialect: Dialect) -> None:
        super().__init__()
        self._dialect = dialect

    def __missing__(self, name: str) -> str:
        loaded = load_file(self._dialect, name.partition(".")[0])
        if name not in loaded:
            raise KeyError(name)
        self.update(loaded)
        return loaded[name]


@cache
def load_file(dialect: Dialect, repository: str) -> Mapping[str, str]:
    """Return the statements of a repository for a database, as its driver takes them.

    A file is read once: a web server opens the store for each request.
    """
    files = (SQL_FOLDER / folder / f"{repository}.sql" for folder in ("common", dialect))
    found = {name: sql for file in files if file.exists() for name, sql in parse_statements(file.read_text("utf-8"))}
    return {name: to_psycopg(sql) for name, sql in found.items()} if dialect == "postgresql" else found


def parse_statements(text: str) -> list[tuple[str, str]]:
    """Return names and SQL of the statements in the text of a file, without the final semicolons.

    Raises:
        ValueError: a statement has no name, or no sentence about it.
    """
    first, *parts = _NAME.split(text)
    if first.strip() or not parts:
        raise ValueError(f"a statement without a name and a sentence: {(first or text)[:80]!r}")
    return [(name, sql.strip().removesuffix(";")) for name, sql in zip(parts[::3], parts[2::3], strict=True)]


def to_psycopg(sql: str) -> str:
    """Return a statement with its parameters as psycopg writes them: `%(name)s`, and each `%` doubled."""

    def translate(token: re.Match[str]) -> str:
        parameter = token["parameter"]
        return f"%({parameter})s" if parameter else token[0].replace("%", "%%")

    return _TOKEN.sub(translate, sql)
