"""What PostgreSQL needs as well: the order of entries and the domains of addresses as columns, and no triggers.

Refused deliveries have an index, since nothing says any more that the ids of an issue's deliveries follow each other.

The first version that PostgreSQL has. The journal is written by the repositories from now on, and only for SQLite.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"

_JOURNAL = (
    "given",
    "issue",
    "approved",
    "told",
    "arrived",
    "retracted",
    "came",
    "status",
    "left",
    "returned",
    "suppressed",
    "erased",
    "allowed",
    "replaced",
)
#: Tables with addresses, and the column of the address as addresses are compared.
_ADDRESSES = {"subscribers": "email_key", "deliveries": "recipient_key", "service_mails": "recipient_key"}


def upgrade() -> None:
    """Add and fill the columns, and drop the triggers first, so that nothing of this is journalled."""
    for name in (*(f"journal_{event}" for event in _JOURNAL), "moved_subscriber_returned"):
        op.execute(f"DROP TRIGGER {name}")
    op.add_column("entries", sa.Column("number", sa.Integer, nullable=False, server_default="0"))
    op.execute("UPDATE entries SET number = rowid")
    op.create_index("ix_entries_number", "entries", ["number"], unique=True)
    op.create_index("ix_deliveries_failed", "deliveries", ["issue_id", "id"], sqlite_where=sa.text("state = 'failed'"))
    for table, key in _ADDRESSES.items():
        op.add_column(table, sa.Column("domain", sa.Text, nullable=False, server_default=""))
        _fill_domains(table, key)


def _fill_domains(table: str, key: str) -> None:
    """Set the domain: what follows the last `@`, as a quoted name may have one too; empty for an erased address."""
    values = sa.table(table, sa.column("id"), sa.column(key), sa.column("domain"))
    connection = op.get_bind()
    driver: Any = connection.connection.driver_connection
    driver.create_function("domain_of", 1, lambda address: address.rpartition("@")[2], deterministic=True)
    is_address = values.c[key].not_like("%@erased")
    connection.execute(values.update().where(is_address).values(domain=sa.func.domain_of(values.c[key])))
