"""shared_patterns: shipping patterns in collections, those that clients add, and receipts taken

Revision ID: 0019
Revises: 0018

The way back takes the patterns out of every collection without telling those that were served, and
forgets what clients call theirs; the patterns themselves stay.
"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_OF_PATTERN = sa.text("pattern_id IS NOT NULL")


def upgrade() -> None:
    for name in ("exchange_entry", "exchange_name"):
        with op.batch_alter_table(name) as table:
            table.add_column(sa.Column("pattern_id", _BIG, nullable=True))
            table.create_foreign_key(
                op.f(f"fk_{name}_pattern_id_pattern"),
                "pattern",
                ["pattern_id"],
                ["id"],
                ondelete="CASCADE",
            )
            if name == "exchange_name":
                table.alter_column("report_id", existing_type=sa.Integer(), nullable=True)
        op.create_index(
            f"ix_{name}_pattern_id",
            name,
            ["pattern_id"],
            postgresql_where=_OF_PATTERN,
            sqlite_where=_OF_PATTERN,
        )
    op.create_index(
        "ix_exchange_entry_patterns",
        "exchange_entry",
        ["collection_id", "added"],
        postgresql_where=_OF_PATTERN,
        sqlite_where=_OF_PATTERN,
    )
    op.add_column("exchange_server", sa.Column("receipts_taken", sa.JSON(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("exchange_server") as table:
        table.drop_column("receipts_taken")
    op.execute("DELETE FROM exchange_entry WHERE pattern_id IS NOT NULL")
    op.execute("DELETE FROM exchange_name WHERE pattern_id IS NOT NULL")
    op.drop_index("ix_exchange_entry_patterns", "exchange_entry")
    for name in ("exchange_name", "exchange_entry"):
        op.drop_index(f"ix_{name}_pattern_id", name)
        with op.batch_alter_table(name) as table:
            table.drop_constraint(op.f(f"fk_{name}_pattern_id_pattern"), type_="foreignkey")
            table.drop_column("pattern_id")
            if name == "exchange_name":
                table.alter_column("report_id", existing_type=sa.Integer(), nullable=False)
