"""Sign-ups on the web, and mail to one person outside of any issue."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Create the tables."""
    _create_service_mails()
    _create_requests()
    _create_signups()
    op.create_table(
        "consent_wordings",
        sa.Column("version", sa.String(16)),
        sa.Column("lang", sa.String(35), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("at", sa.DateTime, nullable=False),
        sa.PrimaryKeyConstraint("version", name="pk_consent_wordings"),
    )


def _create_service_mails() -> None:
    op.create_table(
        "service_mails",
        sa.Column("id", sa.Integer),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("recipient", sa.Text, nullable=False),
        sa.Column("recipient_key", sa.Text, nullable=False),
        sa.Column("lang", sa.String(35)),
        sa.Column("template_values", sa.Text, nullable=False),
        sa.Column("seed", sa.LargeBinary, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("created_at", sa.DateTime, nullable=False),
        sa.Column("expires_at", sa.DateTime, nullable=False),
        sa.Column("handed_over_at", sa.DateTime),
        sa.Column("sent_at", sa.DateTime),
        sa.Column("answer", sa.Text),
        sa.Column("tries", sa.Integer, nullable=False, server_default="0"),
        sa.Column("next_at", sa.DateTime),
        sa.Column("unknowns", sa.Integer, nullable=False, server_default="0"),
        sa.Column("complained_at", sa.DateTime),
        sa.PrimaryKeyConstraint("id", name="pk_service_mails"),
        sa.CheckConstraint(
            "state IN ('ready', 'handing_over', 'sent', 'failed', 'cancelled', 'unknown')",
            name=op.f("ck_service_mails_state"),
        ),
    )
    op.create_index("ix_service_mails_recipient_key", "service_mails", ["recipient_key"])
    waiting = sa.text("state IN ('ready', 'handing_over', 'unknown')")
    op.create_index("ix_service_mails_waiting", "service_mails", ["id"], sqlite_where=waiting, postgresql_where=waiting)


def _create_requests() -> None:
    op.create_table(
        "signup_requests",
        sa.Column("id", sa.Integer),
        *_entered(),
        sa.Column("signals", sa.Text, nullable=False),
        sa.Column("at", sa.DateTime, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_signup_requests"),
        sa.UniqueConstraint("email_key", name="uq_signup_requests_email_key"),
    )
    op.create_table(
        "signup_networks",
        sa.Column("network", sa.String(32)),
        sa.Column("since", sa.DateTime, nullable=False),
        sa.Column("requests", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("network", name="pk_signup_networks"),
    )


def _create_signups() -> None:
    op.create_table(
        "signups",
        sa.Column("id", sa.Integer),
        *_entered(),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("held", sa.Text, nullable=False),
        sa.Column("created_at", sa.DateTime, nullable=False),
        sa.Column("confirmation_at", sa.DateTime),
        sa.Column("reminded_at", sa.DateTime),
        sa.Column("confirmed_at", sa.DateTime),
        sa.PrimaryKeyConstraint("id", name="pk_signups"),
        sa.UniqueConstraint("email_key", name="uq_signups_email_key"),
        sa.CheckConstraint("state IN ('held', 'waiting', 'confirmed')", name=op.f("ck_signups_state")),
    )


def _entered() -> list[sa.Column[str]]:
    """Return the columns that a request and a sign-up share."""
    return [
        sa.Column("email", sa.Text, nullable=False),
        sa.Column("email_key", sa.Text, nullable=False),
        sa.Column("newsletters", sa.Text, nullable=False),
        sa.Column("lang", sa.String(35), nullable=False),
        sa.Column("client", sa.String(32), nullable=False),
        sa.Column("network", sa.String(32), nullable=False),
        sa.Column("wording", sa.String(16), nullable=False),
    ]
