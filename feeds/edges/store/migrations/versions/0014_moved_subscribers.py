"""Which subscriber has moved to which, and which requests for another address are confirmed."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"

#: Moves of before: both addresses have records of the same moment. Where that is ambiguous, nothing is linked.
_LINK_RECORDED = """
    INSERT INTO moved_subscribers (subscriber_id, successor_id)
    SELECT o.subscriber_id, max(n.subscriber_id) FROM subscription_changes o
    JOIN subscription_changes n ON n.at = o.at AND n.how = o.how AND n.client = o.client
        AND n.newsletter = o.newsletter AND n.what != 'unsubscribed' AND n.subscriber_id != o.subscriber_id
    JOIN subscribers s ON s.id = o.subscriber_id AND s.status != 'active'
    WHERE o.how = 'address' AND o.what = 'unsubscribed'
    GROUP BY o.subscriber_id HAVING count(DISTINCT n.subscriber_id) = 1
"""


def _subscriber(column: str) -> sa.ForeignKey:
    return sa.ForeignKey("subscribers.id", name=f"fk_moved_subscribers_{column}", ondelete="CASCADE")


def upgrade() -> None:
    """Create the table, with the moves that are recorded, and a trigger: who returns has not moved any more."""
    op.add_column("address_changes", sa.Column("confirmed_at", sa.DateTime))
    op.create_table(
        "moved_subscribers",
        sa.Column("subscriber_id", sa.Integer, _subscriber("subscriber_id")),
        sa.Column("successor_id", sa.Integer, _subscriber("successor_id"), nullable=False),
        sa.PrimaryKeyConstraint("subscriber_id", name="pk_moved_subscribers"),
    )
    op.create_index("ix_moved_subscribers_successor_id", "moved_subscribers", ["successor_id"])
    op.execute(_LINK_RECORDED)
    op.execute(
        "CREATE TRIGGER moved_subscriber_returned AFTER UPDATE OF status ON subscribers"
        " WHEN NEW.status = 'active' AND OLD.status != 'active'"
        " BEGIN DELETE FROM moved_subscribers WHERE subscriber_id = NEW.id; END"
    )
