"""exchange: servers of others that organisations poll, each try, and what was kept of it

Revision ID: 0010
Revises: 0009

The way back forgets all of it. What was received was no indicator of this platform.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    _make_servers()
    _make_tries()
    _make_received()


def downgrade() -> None:
    for table in ("exchange_received", "exchange_try", "exchange_server"):
        op.drop_table(table)


def _make_servers() -> None:
    op.create_table(
        "exchange_server",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=80), nullable=False),
        sa.Column("sealed_address", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_credential", sa.LargeBinary(), nullable=True),
        sa.Column("means", sa.String(32), nullable=False),
        sa.Column("every_minutes", sa.SmallInteger(), nullable=False),
        sa.Column("kept_days", sa.SmallInteger(), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("is_postern", sa.Boolean(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("due_at", _MOMENT, nullable=False),
        sa.Column("answered_at", _MOMENT, nullable=True),
        sa.Column("error", sa.String(length=64), nullable=True),
        sa.Column("added_after", sa.String(length=40), nullable=True),
        sa.Column("next_page", sa.Text(), nullable=True),
        sa.Column("made_at", _MOMENT, nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        sa.Column("stopped_at", _MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name=op.f("fk_exchange_server_organisation_id_organisation"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exchange_server")),
        sa.UniqueConstraint("public_id", name=op.f("uq_exchange_server_public_id")),
    )
    op.create_index(
        op.f("ix_exchange_server_organisation_id"), "exchange_server", ["organisation_id"]
    )
    op.create_index(
        "ix_exchange_server_stopped_at_due_at", "exchange_server", ["stopped_at", "due_at"]
    )


def _make_tries() -> None:
    op.create_table(
        "exchange_try",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("server_id", _BIG, nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("began_at", _MOMENT, nullable=False),
        sa.Column("ended_at", _MOMENT, nullable=True),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("objects", sa.Integer(), nullable=False),
        sa.Column("kept", sa.Integer(), nullable=False),
        sa.Column("revoked", sa.Integer(), nullable=False),
        sa.Column("refused", sa.JSON(), nullable=False),
        sa.Column("receipts", sa.Integer(), nullable=False),
        sa.Column("error", sa.String(length=64), nullable=True),
        _of_server("exchange_try"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exchange_try")),
        sa.UniqueConstraint("server_id", "round", name=op.f("uq_exchange_try_server_id_round")),
    )
    op.create_index(op.f("ix_exchange_try_began_at"), "exchange_try", ["began_at"])


def _make_received() -> None:
    op.create_table(
        "exchange_received",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("server_id", _BIG, nullable=False),
        sa.Column("stix_id", sa.String(length=80), nullable=False),
        sa.Column("type", sa.String(length=32), nullable=False),
        sa.Column("version", sa.String(length=40), nullable=False),
        sa.Column("is_revoked", sa.Boolean(), nullable=False),
        sa.Column("received_at", _MOMENT, nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        _of_server("exchange_received"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exchange_received")),
        sa.UniqueConstraint(
            "server_id", "stix_id", name=op.f("uq_exchange_received_server_id_stix_id")
        ),
    )
    op.create_index(op.f("ix_exchange_received_expires_on"), "exchange_received", ["expires_on"])


def _of_server(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["server_id"],
        ["exchange_server.id"],
        name=op.f(f"fk_{table}_server_id_exchange_server"),
        ondelete="CASCADE",
    )
