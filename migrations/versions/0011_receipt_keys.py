"""receipt_keys: by which key a polled server must sign the receipts of its answers

Revision ID: 0011
Revises: 0010
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("exchange_server", sa.Column("receipt_key", sa.String(length=400), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("exchange_server") as table:
        table.drop_column("receipt_key")
