"""Data to find an entry again when its file was edited or renamed, and the earlier versions of entries."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add columns and a table; existing entries have only path and text. The two indexes were not used."""
    op.drop_index("ix_entries_path", "entries")
    op.drop_index("ix_entries_text_digest", "entries")
    op.add_column("entries", sa.Column("title", sa.Text))
    op.add_column("entries", sa.Column("published", sa.String(40)))
    op.add_column("entries", sa.Column("sketch", sa.LargeBinary))
    op.create_table(
        "entry_history",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("entry_id", sa.Text, nullable=False),
        sa.Column("until", sa.DateTime, nullable=False),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("text_digest", sa.String(32), nullable=False),
        sa.Column("title", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_entry_history"),
        sa.ForeignKeyConstraint(["entry_id"], ["entries.id"], name="fk_entry_history_entry_id"),
    )
    op.create_index("ix_entry_history_entry_id", "entry_history", ["entry_id"])
