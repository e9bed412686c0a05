"""The posts that were dropped as duplicates."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add a table. It is empty: the next publish run reports every post that it drops."""
    op.create_table(
        "dropped_posts",
        sa.Column("path", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("path", name="pk_dropped_posts"),
    )
