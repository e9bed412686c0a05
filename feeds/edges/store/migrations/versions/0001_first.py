"""The first tables: entries, issues, announcements, letters, subscribers, deliveries."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "entries",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("text_digest", sa.String(32), nullable=False),
        sa.Column("first_public_at", sa.DateTime, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_entries"),
    )
    op.create_index("ix_entries_path", "entries", ["path"])
    op.create_index("ix_entries_text_digest", "entries", ["text_digest"])
    op.create_table(
        "issues",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("newsletter", sa.Text, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("slot", sa.DateTime, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("composed_at", sa.DateTime, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_issues"),
        sa.UniqueConstraint("newsletter", "slot", name="uq_issues_newsletter_slot"),
        sa.UniqueConstraint("newsletter", "number", name="uq_issues_newsletter_number"),
        sa.CheckConstraint("state IN ('sending', 'sent')", name="ck_issues_state"),
    )
    op.create_table(
        "announced",
        sa.Column("newsletter", sa.Text, nullable=False),
        sa.Column("entry_id", sa.Text, nullable=False),
        sa.Column("issue_id", sa.Integer, nullable=False),
        sa.Column("how", sa.String(16), nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("newsletter", "entry_id", name="pk_announced"),
        sa.ForeignKeyConstraint(["entry_id"], ["entries.id"], name="fk_announced_entry_id"),
        sa.ForeignKeyConstraint(["issue_id"], ["issues.id"], name="fk_announced_issue_id"),
        sa.CheckConstraint("how IN ('story', 'also', 'passed_over')", name="ck_announced_how"),
    )
    op.create_index("ix_announced_issue_id", "announced", ["issue_id"])
    op.create_table(
        "letters",
        sa.Column("issue_id", sa.Integer, nullable=False),
        sa.Column("lang", sa.String(35), nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("html", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("page", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("issue_id", "lang", name="pk_letters"),
        sa.ForeignKeyConstraint(["issue_id"], ["issues.id"], name="fk_letters_issue_id"),
    )
    op.create_table(
        "subscribers",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("email", sa.Text, nullable=False),
        sa.Column("email_key", sa.Text, nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("lang", sa.String(35)),
        sa.Column("consent", sa.Text, nullable=False),
        sa.Column("created_at", sa.DateTime, nullable=False),
        sa.Column("status_at", sa.DateTime, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_subscribers"),
        sa.UniqueConstraint("email_key", name="uq_subscribers_email_key"),
        sa.CheckConstraint(
            "status IN ('pending', 'active', 'unsubscribed', 'bounced', 'complained')",
            name="ck_subscribers_status",
        ),
    )
    op.create_table(
        "subscriptions",
        sa.Column("subscriber_id", sa.Integer, nullable=False),
        sa.Column("newsletter", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("subscriber_id", "newsletter", name="pk_subscriptions"),
        sa.ForeignKeyConstraint(
            ["subscriber_id"], ["subscribers.id"], name="fk_subscriptions_subscriber_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_subscriptions_newsletter", "subscriptions", ["newsletter"])
    op.create_table(
        "deliveries",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("issue_id", sa.Integer, nullable=False),
        sa.Column("subscriber_id", sa.Integer),
        sa.Column("recipient", sa.Text, nullable=False),
        sa.Column("recipient_key", sa.Text, nullable=False),
        sa.Column("lang", sa.String(35), nullable=False),
        sa.Column("copy", sa.Boolean, nullable=False),
        sa.Column("message_id", sa.Text, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("handed_over_at", sa.DateTime),
        sa.Column("sent_at", sa.DateTime),
        sa.Column("answer", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_deliveries"),
        sa.UniqueConstraint("message_id", name="uq_deliveries_message_id"),
        sa.UniqueConstraint("issue_id", "recipient_key", name="uq_deliveries_issue_id_recipient_key"),
        sa.ForeignKeyConstraint(["issue_id"], ["issues.id"], name="fk_deliveries_issue_id"),
        sa.ForeignKeyConstraint(
            ["subscriber_id"], ["subscribers.id"], name="fk_deliveries_subscriber_id", ondelete="SET NULL"
        ),
        sa.CheckConstraint(
            "state IN ('ready', 'leased', 'handing_over', 'sent', 'deferred', 'failed', 'unknown')",
            name="ck_deliveries_state",
        ),
    )
    op.create_index("ix_deliveries_subscriber_id", "deliveries", ["subscriber_id"])
