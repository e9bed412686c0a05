"""Domains whose deliveries wait, and what mail servers accept, each for one issue."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Create both tables."""
    op.create_table(
        "delayed_domains",
        _issue("delayed_domains"),
        sa.Column("domain", sa.Text),
        sa.Column("cause", sa.String(16), nullable=False),
        sa.Column("answer", sa.Text, nullable=False),
        sa.Column("times", sa.Integer, nullable=False),
        sa.Column("until", sa.DateTime),
        sa.PrimaryKeyConstraint("issue_id", "domain", name="pk_delayed_domains"),
    )
    op.create_table(
        "server_limits",
        _issue("server_limits"),
        sa.Column("server", sa.Text),
        sa.Column("answer", sa.Text, nullable=False),
        sa.Column("times", sa.Integer, nullable=False),
        sa.Column("until", sa.DateTime),
        sa.Column("per_connection", sa.Integer, nullable=False),
        sa.Column("per_minute", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("issue_id", "server", name="pk_server_limits"),
    )


def _issue(table: str) -> sa.Column[int]:
    return sa.Column("issue_id", sa.Integer, sa.ForeignKey("issues.id", name=f"fk_{table}_issue_id"))
