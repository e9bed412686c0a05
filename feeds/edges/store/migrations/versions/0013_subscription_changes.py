"""A record of each change of what a subscriber gets, which they have made themselves."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Create the table. What was recorded before stays in the text `consent` of the subscriber."""
    op.create_table(
        "subscription_changes",
        sa.Column("id", sa.Integer),
        sa.Column(
            "subscriber_id",
            sa.Integer,
            sa.ForeignKey("subscribers.id", name="fk_subscription_changes_subscriber_id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("newsletter", sa.Text, nullable=False),
        sa.Column("at", sa.DateTime, nullable=False),
        sa.Column("what", sa.String(16), nullable=False),
        sa.Column("topics", sa.Text, nullable=False),
        sa.Column("how", sa.String(16), nullable=False),
        sa.Column("wording", sa.String(16), nullable=False),
        sa.Column("client", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_subscription_changes"),
    )
    op.create_index("ix_subscription_changes_subscriber", "subscription_changes", ["subscriber_id", "newsletter"])
