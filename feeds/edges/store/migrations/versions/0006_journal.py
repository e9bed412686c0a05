"""Retracted and corrected issues; alerts; pending journal records."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_GONE = "('unsubscribed', 'bounced', 'complained')"
_NOW = "strftime('%Y-%m-%d %H:%M:%f000', 'now')"
_READER = "FROM subscribers WHERE id"
_ISSUE = "VALUES ('issue', NEW.number, NEW.newsletter, {})"
#: One issue may announce thousands of entries in one transaction: it is recorded once.
_IS_LAST = (
    "EXISTS (SELECT 1 FROM journal j JOIN issues i ON i.id = NEW.issue_id WHERE j.id = (SELECT max(id) FROM journal)"
    " AND j.what = 'issue' AND j.newsletter = i.newsletter AND j.who = i.number)"
)
#: Assigned ids, sent issues and changes of subscribers are recorded whichever part of the program writes them. By name:
#: the event, and the row to insert.
_TRIGGERS = {
    "given": ("INSERT ON entries", "VALUES ('id', NEW.id, '', NEW.first_public_at)"),
    "issue": ("INSERT ON issues WHEN NEW.approved", _ISSUE.format("NEW.composed_at")),
    "approved": ("UPDATE OF approved ON issues WHEN NEW.approved AND NOT OLD.approved", _ISSUE.format(_NOW)),
    "told": (
        f"INSERT ON announced WHEN NOT {_IS_LAST}",
        f"SELECT 'issue', number, newsletter, {_NOW} FROM issues WHERE id = NEW.issue_id AND approved",  # noqa: S608 - made of constants
    ),
    "arrived": ("UPDATE OF state ON issues WHEN NEW.state != OLD.state AND NEW.approved", _ISSUE.format(_NOW)),
    "retracted": ("UPDATE OF retracted_at, retraction ON issues WHEN NEW.approved", _ISSUE.format(_NOW)),
    "came": (
        f"INSERT ON subscribers WHEN NEW.status IN {_GONE}",
        "VALUES (NEW.status, NEW.email_key, '', NEW.status_at)",
    ),
    "status": (
        "UPDATE OF status ON subscribers WHEN NEW.status != OLD.status",
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
    "erased": (
        "UPDATE OF reason ON suppressions WHEN NEW.reason != OLD.reason",
        "VALUES (NEW.reason, NEW.digest, '', NEW.at)",
    ),
    "allowed": ("DELETE ON suppressions", f"VALUES ('allowed', OLD.digest, '', {_NOW})"),
}
#: Records of what was stored before there was a journal.
_BEFORE = (
    "SELECT 'id', id, '', first_public_at FROM entries ORDER BY rowid",
    "SELECT 'issue', number, newsletter, composed_at FROM issues WHERE approved ORDER BY id",
    f"SELECT status, email_key, '', status_at FROM subscribers WHERE status IN {_GONE} ORDER BY id",  # noqa: S608 - made of constants
    "SELECT 'left', s.email_key, l.newsletter, l.at FROM leaves l JOIN subscribers s ON s.id = l.subscriber_id",
    "SELECT reason, digest, '', at FROM suppressions",
)
_INTO = "INSERT INTO journal (what, who, newsletter, at)"


def upgrade() -> None:
    """Add columns, tables and triggers; existing ids, issues and gone subscribers become the first journal records."""
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
    for rows in _BEFORE:
        op.execute(f"{_INTO} {rows}")
    for name, (after, row) in _TRIGGERS.items():
        op.execute(f"CREATE TRIGGER journal_{name} AFTER {after} BEGIN {_INTO} {row}; END")
