"""Ids that were taken from another program's feed, and ids that replace others."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Add the columns, and a trigger: the journal records a replaced id once more."""
    op.add_column("entries", sa.Column("replaced_by", sa.Text))
    op.add_column("entries", sa.Column("own_updated", sa.String(40)))
    op.add_column("entries", sa.Column("shown_updated", sa.String(40)))
    op.execute(
        "CREATE TRIGGER journal_replaced AFTER UPDATE OF replaced_by ON entries"
        " WHEN NEW.replaced_by IS NOT OLD.replaced_by BEGIN INSERT INTO journal (what, who, newsletter, at)"
        " VALUES ('id', NEW.id, '', NEW.first_public_at); END"
    )
