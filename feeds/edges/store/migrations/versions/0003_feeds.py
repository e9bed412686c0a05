"""Feeds: folders and former folders, archive pages, retired feeds, pending WebSub pings."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the tables; feeds that were published before are found by their names."""
    op.create_table(
        "feeds",
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("folder", sa.Text, nullable=False),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("updated", sa.DateTime),
        sa.Column("former", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("kind", "key", name="pk_feeds"),
        sa.UniqueConstraint("folder", name="uq_feeds_folder"),
    )
    op.create_table(
        "archive_pages",
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("entries", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("kind", "key", "number", name="pk_archive_pages"),
    )
    op.create_table(
        "retired",
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("at", sa.DateTime, nullable=False),
        sa.PrimaryKeyConstraint("path", name="pk_retired"),
    )
    op.create_table(
        "pings",
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("since", sa.DateTime, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("next_at", sa.DateTime, nullable=False),
        sa.PrimaryKeyConstraint("path", name="pk_pings"),
    )
    op.add_column("letters", sa.Column("entry", sa.Text, nullable=False, server_default=""))
