"""Letters for different preferences; deliveries that are deferred, tried again, or possibly delivered."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_STATES = "'ready', 'leased', 'handing_over', 'sent', 'deferred', 'failed', 'unknown'"
_OPEN = sa.text("state NOT IN ('sent', 'failed')")


def upgrade() -> None:
    """Separate pages and letters, and link each delivery to its letter; no other table refers to the rebuilt tables."""
    op.add_column("issues", sa.Column("seed", sa.LargeBinary, nullable=False, server_default=""))
    op.add_column("issues", sa.Column("halted", sa.Text, nullable=False, server_default=""))
    op.add_column("issues", sa.Column("transport", sa.Text, nullable=False, server_default=""))
    op.add_column("issues", sa.Column("recipients", sa.Integer, nullable=False, server_default="0"))
    op.add_column("issues", sa.Column("sent", sa.Integer, nullable=False, server_default="0"))
    op.add_column("subscribers", sa.Column("timezone", sa.String(64)))
    op.add_column("subscribers", sa.Column("source", sa.Text, nullable=False, server_default=""))
    op.add_column("subscriptions", sa.Column("topics", sa.Text, nullable=False, server_default="[]"))
    op.execute(
        "UPDATE issues SET seed = randomblob(16),"
        " recipients = (SELECT count(*) FROM deliveries d WHERE d.issue_id = issues.id),"
        " sent = (SELECT count(*) FROM deliveries d WHERE d.issue_id = issues.id AND d.state = 'sent')"
    )
    _make()
    op.execute(
        "INSERT INTO contents (issue_id, page, entry) SELECT issue_id, page, entry FROM letters GROUP BY issue_id"
    )
    op.execute(
        "INSERT INTO letters_new (issue_id, lang, subject, html, text)"
        " SELECT issue_id, lang, subject, html, text FROM letters"
    )
    op.execute(
        "INSERT INTO deliveries_new"
        " (id, issue_id, letter_id, subscriber_id, recipient, recipient_key, state, handed_over_at, sent_at, answer)"
        " SELECT d.id, d.issue_id, l.id, d.subscriber_id, d.recipient, d.recipient_key, d.state, d.handed_over_at,"
        " d.sent_at, d.answer FROM deliveries d JOIN letters_new l ON l.issue_id = d.issue_id AND l.lang = d.lang",
    )
    op.drop_table("deliveries")
    op.drop_table("letters")
    op.rename_table("letters_new", "letters")
    op.rename_table("deliveries_new", "deliveries")
    op.create_index("ix_letters_issue_id", "letters", ["issue_id"])
    op.create_index("ix_deliveries_subscriber_id", "deliveries", ["subscriber_id"])
    op.create_index("ix_deliveries_open", "deliveries", ["issue_id", "id"], sqlite_where=_OPEN, postgresql_where=_OPEN)
    _make_bounces()


def _make() -> None:
    op.create_table(
        "undeployed", sa.Column("since", sa.DateTime), sa.PrimaryKeyConstraint("since", name="pk_undeployed")
    )
    op.create_table(
        "contents",
        sa.Column("issue_id", sa.Integer, sa.ForeignKey("issues.id", name="fk_contents_issue_id")),
        sa.Column("page", sa.Text, nullable=False),
        sa.Column("entry", sa.Text, nullable=False),
        sa.Column("content", sa.LargeBinary),
        sa.PrimaryKeyConstraint("issue_id", name="pk_contents"),
    )
    op.create_table(
        "suppressions",
        sa.Column("digest", sa.String(64)),
        sa.Column("reason", sa.String(16), nullable=False),
        sa.Column("at", sa.DateTime, nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_suppressions"),
    )
    op.create_table(
        "letters_new",
        sa.Column("id", sa.Integer),
        sa.Column("issue_id", sa.Integer, sa.ForeignKey("issues.id", name="fk_letters_issue_id"), nullable=False),
        sa.Column("lang", sa.String(35), nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("html", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("encoded", sa.LargeBinary),
        sa.PrimaryKeyConstraint("id", name="pk_letters"),
    )
    op.create_table(
        "deliveries_new",
        sa.Column("id", sa.Integer),
        sa.Column("issue_id", sa.Integer, sa.ForeignKey("issues.id", name="fk_deliveries_issue_id"), nullable=False),
        sa.Column(
            "letter_id", sa.Integer, sa.ForeignKey("letters_new.id", name="fk_deliveries_letter_id"), nullable=False
        ),
        sa.Column(
            "subscriber_id",
            sa.Integer,
            sa.ForeignKey("subscribers.id", name="fk_deliveries_subscriber_id", ondelete="SET NULL"),
        ),
        sa.Column("recipient", sa.Text, nullable=False),
        sa.Column("recipient_key", sa.Text, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("handed_over_at", sa.DateTime),
        sa.Column("sent_at", sa.DateTime),
        sa.Column("answer", sa.Text),
        sa.Column("tries", sa.Integer, nullable=False, server_default="0"),
        sa.Column("next_at", sa.DateTime),
        sa.Column("unknowns", sa.Integer, nullable=False, server_default="0"),
        sa.PrimaryKeyConstraint("id", name="pk_deliveries"),
        sa.UniqueConstraint("issue_id", "recipient_key", name="uq_deliveries_issue_id_recipient_key"),
        sa.CheckConstraint(f"state IN ({_STATES})", name="ck_deliveries_state"),
    )


def _make_bounces() -> None:
    """Create the tables of bounces, which refer to the new deliveries."""
    reader = ("subscribers.id", "CASCADE")
    op.create_table(
        "bounces",
        sa.Column("id", sa.Integer),
        _reference("bounces", "subscriber_id", *reader, nullable=False),
        _reference("bounces", "delivery_id", "deliveries.id"),
        _reference("bounces", "issue_id", "issues.id"),
        sa.Column("domain", sa.Text, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("decision", sa.String(16), nullable=False, server_default=""),
        sa.Column("said", sa.Text, nullable=False),
        sa.Column("at", sa.DateTime, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_bounces"),
        sa.UniqueConstraint("delivery_id", "kind", name="uq_bounces_delivery_id_kind"),
    )
    undecided = sa.text("decision = ''")
    op.create_index("ix_bounces_subscriber_id", "bounces", ["subscriber_id"])
    op.create_index("ix_bounces_domain", "bounces", ["domain", "issue_id"])
    op.create_index("ix_bounces_undecided", "bounces", ["id"], sqlite_where=undecided, postgresql_where=undecided)
    op.create_table(
        "pauses",
        _reference("pauses", "subscriber_id", *reader, nullable=False),
        sa.Column("until", sa.DateTime, nullable=False),
        sa.PrimaryKeyConstraint("subscriber_id", name="pk_pauses"),
    )
    op.create_table(
        "paused_domains",
        sa.Column("domain", sa.Text),
        sa.Column("until", sa.DateTime, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("domain", name="pk_paused_domains"),
    )
    op.create_table(
        "leaves",
        _reference("leaves", "subscriber_id", *reader, nullable=False),
        sa.Column("newsletter", sa.Text),
        sa.Column("at", sa.DateTime, nullable=False),
        sa.PrimaryKeyConstraint("subscriber_id", "newsletter", name="pk_leaves"),
    )
    op.create_table(
        "handled_messages",
        sa.Column("digest", sa.String(64)),
        sa.Column("at", sa.DateTime, nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_handled_messages"),
    )


def _reference(
    table: str, column: str, to: str, ondelete: str | None = None, *, nullable: bool = True
) -> "sa.Column[int]":
    key = sa.ForeignKey(to, name=f"fk_{table}_{column}", ondelete=ondelete)
    return sa.Column(column, sa.Integer, key, nullable=nullable)
