"""The addresses that subscribers want to move to, which were in the links before."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Add the columns. The links that were mailed before are not valid any more; their subscribers can ask again."""
    op.add_column("address_changes", sa.Column("email", sa.Text))
    op.add_column("address_changes", sa.Column("email_key", sa.Text))
