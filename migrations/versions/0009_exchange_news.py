"""exchange: addresses that are told when a collection has changed

Revision ID: 0009
Revises: 0008

The way back forgets the addresses; nobody is told any more, and nothing else changes.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "exchange_news",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("collection_id", sa.Integer(), nullable=False),
        sa.Column("sealed_address", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_secret", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", _MOMENT, nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        sa.Column("told", sa.BigInteger(), nullable=False),
        sa.Column("newest", sa.BigInteger(), nullable=False),
        sa.Column("asked", sa.BigInteger(), nullable=True),
        sa.Column("message", sa.Uuid(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("tried_at", _MOMENT, nullable=True),
        sa.Column("sent_at", _MOMENT, nullable=True),
        sa.Column("error", sa.String(length=200), nullable=True),
        sa.Column("is_given_up", sa.Boolean(), nullable=False),
        sa.Column("is_gone", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["collection_id"],
            ["exchange_collection.id"],
            name=op.f("fk_exchange_news_collection_id_exchange_collection"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exchange_news")),
        sa.UniqueConstraint("public_id", name=op.f("uq_exchange_news_public_id")),
    )
    op.create_index(
        op.f("ix_exchange_news_collection_id"), "exchange_news", ["collection_id"], unique=False
    )


def downgrade() -> None:
    op.drop_table("exchange_news")
