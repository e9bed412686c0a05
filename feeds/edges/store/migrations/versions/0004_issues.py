"""Issues that wait for approval, and the editor's note of each issue."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the columns; earlier issues needed no approval and had no note.

    Not a new state: SQLite cannot change a check without creating the table again, and other tables refer to it.
    """
    op.add_column("issues", sa.Column("approved", sa.Boolean, nullable=False, server_default="1"))
    op.add_column("issues", sa.Column("note", sa.String(32), nullable=False, server_default=""))
