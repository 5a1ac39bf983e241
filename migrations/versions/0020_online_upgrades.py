"""online_upgrades: which versions a schema still serves, and an index of what holds have restricted

Revision ID: 0020
Revises: 0019

Without the index each batch of the sweep reads all that is due to find what a released hold no
longer keeps. The way back forgets what the schema serves.
"""

import sqlalchemy as sa
from alembic import op

from app.online_changes import drop_index, make_index

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_RESTRICTED = "ix_indicator_restricted"


def upgrade() -> None:
    op.add_column("alembic_version", sa.Column("serves", sa.String(length=32), nullable=True))
    make_index(_RESTRICTED, "indicator", ["expires_on", "id"], where="restricted_at IS NOT NULL")


def downgrade() -> None:
    drop_index(_RESTRICTED, "indicator")
    with op.batch_alter_table("alembic_version") as table:
        table.drop_column("serves")
