"""The site that a store is of, so that two sites do not use one store by mistake.

The first migration of stores on PostgreSQL.
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"

#: Texts sort as SQLite sorts them, whatever the language of the server.
_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Create the table; the first site that writes to the store is stored in it."""
    op.create_table(
        "sites",
        sa.Column("id_authority", _TEXT, nullable=False),
        sa.Column("url", _TEXT, nullable=False),
        sa.PrimaryKeyConstraint("id_authority", name="pk_sites"),
    )
