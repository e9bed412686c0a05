"""What subscribers change themselves: chosen pauses, moves to another address, requests for links and erasure."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Create the tables, and a column for the topics of a subscription that has ended."""
    op.add_column("leaves", sa.Column("topics", sa.Text, nullable=False, server_default="[]"))
    op.create_table(
        "chosen_pauses",
        sa.Column("subscriber_id", sa.Integer, _subscriber("chosen_pauses")),
        sa.Column("until", sa.DateTime, nullable=False),
        sa.PrimaryKeyConstraint("subscriber_id", name="pk_chosen_pauses"),
    )
    op.create_table(
        "address_changes",
        sa.Column("id", sa.Integer),
        sa.Column("subscriber_id", sa.Integer, _subscriber("address_changes"), nullable=False),
        sa.Column("at", sa.DateTime, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_address_changes"),
    )
    op.create_index("ix_address_changes_subscriber_id", "address_changes", ["subscriber_id"])
    op.create_table(
        "erased_subscribers",
        sa.Column("id", sa.Integer),
        sa.PrimaryKeyConstraint("id", name="pk_erased_subscribers"),
    )
    for name in ("link_requests", "erasure_requests"):
        op.create_table(
            name,
            sa.Column("email_key", sa.Text),
            sa.Column("at", sa.DateTime, nullable=False),
            sa.PrimaryKeyConstraint("email_key", name=f"pk_{name}"),
        )


def _subscriber(table: str) -> sa.ForeignKey:
    return sa.ForeignKey("subscribers.id", name=f"fk_{table}_subscriber_id", ondelete="CASCADE")
