"""Deliveries that were ended before they were sent have a state of their own."""

from alembic import op

revision = "0007"
down_revision = "0006"

_SET_CANCELLED = """
    UPDATE deliveries SET state = 'cancelled'
    WHERE state = 'failed' AND (answer IN ('cancelled', 'retracted') OR answer LIKE 'cancelled: %')
"""
_ALLOW_CANCELLED = """
    UPDATE sqlite_schema SET sql = replace(sql, '''failed'', ''unknown''', '''failed'', ''cancelled'', ''unknown''')
    WHERE type = 'table' AND name = 'deliveries'
"""
_INDEX = """
    CREATE INDEX ix_deliveries_open ON deliveries (issue_id, id) WHERE (state NOT IN ('sent', 'failed', 'cancelled'))
"""


def upgrade() -> None:
    """Allow the state, without rebuilding a table that has millions of rows and that bounces refer to.

    A CHECK constraint is not in the content of a table, so it may be changed in the schema itself
    (https://www.sqlite.org/lang_altertable.html, section 7).
    """
    connection = op.get_bind()
    version = connection.exec_driver_sql("PRAGMA schema_version").scalar_one()
    connection.exec_driver_sql("PRAGMA writable_schema = ON")
    connection.exec_driver_sql(_ALLOW_CANCELLED)
    connection.exec_driver_sql(f"PRAGMA schema_version = {version + 1}")
    connection.exec_driver_sql("PRAGMA writable_schema = OFF")
    connection.exec_driver_sql(_SET_CANCELLED)
    connection.exec_driver_sql("DROP INDEX ix_deliveries_open")
    connection.exec_driver_sql(_INDEX)
