"""exchange: collections with their logs of entries, and what clients add by TAXII

Revision ID: 0008
Revises: 0007

The way back forgets all of it, with the API tokens for it, which nothing older can read. What was
given by a feed stays in the ledger, so that a recall still reaches everybody.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    _make_collections()
    _make_entries()
    _make_added()


def downgrade() -> None:
    for table in reversed(_TABLES):
        op.drop_table(table)
    op.execute("DELETE FROM api_token WHERE CAST(scopes AS TEXT) LIKE '%\"exchange:%'")


def _make_collections() -> None:
    op.create_table(
        "exchange_collection",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("title", sa.String(length=80), nullable=False),
        sa.Column("description", sa.String(length=500), nullable=False),
        sa.Column("purpose", sa.String(32), nullable=True),
        sa.Column("legal_basis", sa.String(32), nullable=True),
        sa.Column("sealed_case", sa.LargeBinary(), nullable=True),
        sa.Column("least", sa.SmallInteger(), nullable=False),
        sa.Column("with_revoked", sa.Boolean(), nullable=False),
        sa.Column("opened_at", _MOMENT, nullable=False),
        sa.Column("opened_by", sa.Uuid(), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=False),
        sa.Column("ended_at", _MOMENT, nullable=True),
        sa.Column("ended_by", sa.Uuid(), nullable=True),
        sa.Column("last_added", sa.BigInteger(), nullable=False),
        sa.Column("mark", sa.LargeBinary(length=32), nullable=False),
        sa.Column("compared_at", _MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name=op.f("fk_exchange_collection_organisation_id_organisation"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exchange_collection")),
        sa.UniqueConstraint("public_id", name=op.f("uq_exchange_collection_public_id")),
    )
    op.create_index(
        op.f("ix_exchange_collection_expires_on"),
        "exchange_collection",
        ["expires_on"],
        unique=False,
    )
    op.create_index(
        op.f("ix_exchange_collection_organisation_id"),
        "exchange_collection",
        ["organisation_id"],
        unique=False,
    )
    op.create_table(
        "exchange_poller",
        sa.Column("collection_id", sa.Integer(), nullable=False),
        sa.Column("person", sa.Uuid(), nullable=False),
        sa.Column("last_at", _MOMENT, nullable=False),
        sa.Column("last_added", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["collection_id"],
            ["exchange_collection.id"],
            name=op.f("fk_exchange_poller_collection_id_exchange_collection"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("collection_id", "person", name=op.f("pk_exchange_poller")),
    )


def _make_entries() -> None:
    op.create_table(
        "exchange_entry",
        sa.Column("collection_id", sa.Integer(), nullable=False),
        sa.Column("added", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("stix_id", sa.String(length=80), nullable=False),
        sa.Column("type", sa.String(length=32), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("first_day", sa.SmallInteger(), nullable=False),
        sa.Column("generation", sa.SmallInteger(), nullable=False),
        sa.Column("is_first", sa.Boolean(), nullable=False),
        sa.Column("is_last", sa.Boolean(), nullable=False),
        sa.Column("is_main", sa.Boolean(), nullable=False),
        sa.Column("is_revoked", sa.Boolean(), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=True),
        sa.Column("indicator_id", _BIG, nullable=True),
        sa.Column("indicator", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.String(32), nullable=True),
        sa.Column("level", sa.SmallInteger(), nullable=False),
        sa.Column("has_tokens", sa.Boolean(), nullable=False),
        sa.Column("amended", sa.BigInteger(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["collection_id"],
            ["exchange_collection.id"],
            name=op.f("fk_exchange_entry_collection_id_exchange_collection"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["indicator_id"],
            ["indicator.id"],
            name=op.f("fk_exchange_entry_indicator_id_indicator"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["organisation.id"], name=op.f("fk_exchange_entry_owner_id_organisation")
        ),
        sa.PrimaryKeyConstraint("collection_id", "added", name=op.f("pk_exchange_entry")),
    )
    op.create_index(
        "ix_exchange_entry_collection_id_stix_id",
        "exchange_entry",
        ["collection_id", "stix_id"],
        unique=False,
    )
    op.create_index(
        "ix_exchange_entry_standing",
        "exchange_entry",
        ["collection_id", "added"],
        unique=False,
        postgresql_where=sa.text("indicator_id IS NULL"),
        sqlite_where=sa.text("indicator_id IS NULL"),
    )
    op.create_index(
        "ix_exchange_entry_day",
        "exchange_entry",
        ["collection_id", "owner_id", "first_day"],
        unique=False,
        postgresql_where=sa.text("is_main"),
        sqlite_where=sa.text("is_main"),
    )
    op.create_index(
        "ix_exchange_entry_ended",
        "exchange_entry",
        ["collection_id", "indicator"],
        unique=False,
        postgresql_where=sa.text("is_revoked"),
        sqlite_where=sa.text("is_revoked"),
    )
    op.create_index(
        op.f("ix_exchange_entry_indicator_id"), "exchange_entry", ["indicator_id"], unique=False
    )
    op.create_table(
        "exchange_ending",
        sa.Column("collection_id", sa.Integer(), nullable=False),
        sa.Column("indicator", sa.Uuid(), nullable=False),
        sa.Column("stix_id", sa.String(length=80), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("first_day", sa.SmallInteger(), nullable=False),
        sa.Column("generation", sa.SmallInteger(), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.ForeignKeyConstraint(
            ["collection_id"],
            ["exchange_collection.id"],
            name=op.f("fk_exchange_ending_collection_id_exchange_collection"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["organisation.id"], name=op.f("fk_exchange_ending_owner_id_organisation")
        ),
        sa.PrimaryKeyConstraint("collection_id", "indicator", name=op.f("pk_exchange_ending")),
    )


def _make_added() -> None:
    op.create_table(
        "exchange_name",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("stix_id", sa.String(length=80), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("report_id", _BIG, nullable=False),
        sa.Column("indicator", sa.Uuid(), nullable=False),
        sa.Column("subject_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("content_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name=op.f("fk_exchange_name_organisation_id_organisation"),
        ),
        sa.ForeignKeyConstraint(
            ["report_id"],
            ["report.id"],
            name=op.f("fk_exchange_name_report_id_report"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exchange_name")),
        sa.UniqueConstraint(
            "organisation_id", "stix_id", name=op.f("uq_exchange_name_organisation_id_stix_id")
        ),
    )
    op.create_index(
        op.f("ix_exchange_name_indicator"), "exchange_name", ["indicator"], unique=False
    )
    op.create_index(
        op.f("ix_exchange_name_report_id"), "exchange_name", ["report_id"], unique=False
    )
    op.create_table(
        "exchange_sighting",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("stix_id", sa.String(length=80), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("indicator", sa.Uuid(), nullable=False),
        sa.Column("named", sa.String(length=80), nullable=False),
        sa.Column("tells_owner", sa.Boolean(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("first_seen", _MOMENT, nullable=True),
        sa.Column("last_seen", _MOMENT, nullable=True),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("expires_on", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name=op.f("fk_exchange_sighting_organisation_id_organisation"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exchange_sighting")),
        sa.UniqueConstraint(
            "organisation_id", "stix_id", name=op.f("uq_exchange_sighting_organisation_id_stix_id")
        ),
    )
    op.create_index(
        op.f("ix_exchange_sighting_expires_on"), "exchange_sighting", ["expires_on"], unique=False
    )
    op.create_index(
        "ix_exchange_sighting_indicator", "exchange_sighting", ["indicator"], unique=False
    )
    op.create_table(
        "exchange_status",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("collection", sa.Uuid(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("expires_at", _MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name=op.f("fk_exchange_status_organisation_id_organisation"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exchange_status")),
    )
    op.create_index(
        op.f("ix_exchange_status_expires_at"), "exchange_status", ["expires_at"], unique=False
    )
    op.create_index(
        op.f("ix_exchange_status_organisation_id"),
        "exchange_status",
        ["organisation_id"],
        unique=False,
    )


_TABLES = (
    "exchange_collection",
    "exchange_poller",
    "exchange_entry",
    "exchange_ending",
    "exchange_name",
    "exchange_sighting",
    "exchange_status",
)
