"""Issues taken back or corrected; what the operator was told; what goes into the journal beside the store."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_GONE = "('unsubscribed', 'bounced', 'complained')"
_WAS_GONE = f"OLD.status IN {_GONE}"
_NOW = "strftime('%Y-%m-%d %H:%M:%f000', 'now')"
_READER = "FROM subscribers WHERE id"
#: Whatever part of the program writes, or writes next year: who has gone, or has come back, goes into the journal.
#: Name: after what, and which row.
_TRIGGERS = {
    "came": (
        f"INSERT ON subscribers WHEN NEW.status IN {_GONE}",
        "VALUES (NEW.status, NEW.email_key, '', NEW.status_at)",
    ),
    "status": (
        f"UPDATE OF status ON subscribers WHEN NEW.status != OLD.status AND (NEW.status IN {_GONE} OR {_WAS_GONE})",
        "VALUES (NEW.status, NEW.email_key, '', NEW.status_at)",
    ),
    "left": (
        "INSERT ON leaves",
        f"SELECT 'left', email_key, NEW.newsletter, NEW.at {_READER} = NEW.subscriber_id",
    ),
    "returned": (
        "DELETE ON leaves",
        f"SELECT 'returned', email_key, OLD.newsletter, {_NOW} {_READER} = OLD.subscriber_id",
    ),
    "suppressed": ("INSERT ON suppressions", "VALUES (NEW.reason, NEW.digest, '', NEW.at)"),
    "allowed": ("DELETE ON suppressions", f"VALUES ('allowed', OLD.digest, '', {_NOW})"),
}


def upgrade() -> None:
    """Add columns and tables; nothing that is there changes."""
    op.add_column("issues", sa.Column("retracted_at", sa.DateTime))
    op.add_column("issues", sa.Column("retraction", sa.Text, nullable=False, server_default=""))
    op.add_column("issues", sa.Column("corrects", sa.Integer))
    op.add_column("issues", sa.Column("whole", sa.Boolean, nullable=False, server_default="0"))
    op.create_table(
        "alerts",
        sa.Column("about", sa.Text),
        sa.Column("at", sa.DateTime, nullable=False),
        sa.PrimaryKeyConstraint("about", name="pk_alerts"),
    )
    op.create_table(
        "journal",
        sa.Column("id", sa.Integer),
        sa.Column("what", sa.String(16), nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("newsletter", sa.Text, nullable=False),
        sa.Column("at", sa.DateTime, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_journal"),
    )
    for name, (after, row) in _TRIGGERS.items():
        op.execute(
            f"CREATE TRIGGER journal_{name} AFTER {after}"
            f" BEGIN INSERT INTO journal (what, who, newsletter, at) {row}; END"
        )
