"""keys: shares of holders, and rotations with their proofs

Revision ID: 0015
Revises: 0014

The way back is refused once a key is shared or was rotated: older programs know a key that follows
from the seed alone, so they would evaluate with another one.
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.DateTime(timezone=True)
_IN_USE = {
    "key_rotation": "An evaluation key is being rotated, or was",
    "key_sharing": "An evaluation key is shared with holders",
    "held_share": "Shares of evaluation keys are held here",
}


def upgrade() -> None:
    _holders_up()
    _rotation_up()


def downgrade() -> None:
    _refuse_what_is_in_use()
    _rotation_down()
    _holders_down()


def _refuse_what_is_in_use() -> None:
    for table, what in _IN_USE.items():
        if op.get_bind().scalar(sa.text(f"SELECT count(*) FROM {table}")):  # noqa: S608 - names of this file
            raise RuntimeError(
                f"{what}, and older programs know no such key. Restore the backup from before that."
            )


def _holders_up() -> None:
    """What the platform knows of shared keys, and what a holder keeps."""
    op.create_table(
        "key_sharing",
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("platform_key", sa.LargeBinary(length=32), nullable=False),
        sa.Column("commitments", sa.LargeBinary(), nullable=False),
        sa.Column("holders", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "epoch", name=op.f("pk_key_sharing")),
    )
    op.create_table(
        "held_share",
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("number", sa.SmallInteger(), nullable=False),
        sa.Column("commitments", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("installed_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("kind", "epoch", name=op.f("pk_held_share")),
    )
    op.create_table(
        "holder_member",
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("signing", sa.LargeBinary(length=32), nullable=False),
        sa.Column("admitted_at", _MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name=op.f("fk_holder_member_organisation_id_organisation"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("organisation_id", name=op.f("pk_holder_member")),
    )
    op.create_table(
        "holder_request",
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("request_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("kept_until", _MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name=op.f("fk_holder_request_organisation_id_organisation"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("organisation_id", "request_id", name=op.f("pk_holder_request")),
    )
    op.create_index(op.f("ix_holder_request_kept_until"), "holder_request", ["kept_until"])


def _holders_down() -> None:
    for table in ("holder_request", "holder_member", "held_share", "key_sharing"):
        op.drop_table(table)


def _rotation_up() -> None:
    op.add_column("indicator", sa.Column("also_epoch", sa.SmallInteger(), nullable=True))
    op.create_table(
        "key_rotation",
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("new_epoch", sa.SmallInteger(), nullable=False),
        sa.Column("old_epoch", sa.SmallInteger(), nullable=False),
        sa.Column("old_key", sa.LargeBinary(length=32), nullable=False),
        sa.Column("new_key", sa.LargeBinary(length=32), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("overlap_days", sa.SmallInteger(), nullable=False),
        sa.Column("began_at", _MOMENT, nullable=False),
        sa.Column("switched_at", _MOMENT, nullable=True),
        sa.Column("turned_at", _MOMENT, nullable=True),
        sa.Column("closed_at", _MOMENT, nullable=True),
        sa.Column("done_at", _MOMENT, nullable=True),
        sa.Column("after", _BIG, nullable=False),
        sa.Column("chunks", sa.Integer(), nullable=False),
        sa.Column("elements", _BIG, nullable=False),
        sa.Column("head", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("kind", "new_epoch", name=op.f("pk_key_rotation")),
    )
    op.create_table(
        "key_rotation_chunk",
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("new_epoch", sa.SmallInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("elements", sa.SmallInteger(), nullable=False),
        sa.Column("old", sa.LargeBinary(length=32), nullable=False),
        sa.Column("new", sa.LargeBinary(length=32), nullable=False),
        sa.Column("m", sa.LargeBinary(length=32), nullable=False),
        sa.Column("z", sa.LargeBinary(length=32), nullable=False),
        sa.Column("proof", sa.LargeBinary(length=64), nullable=False),
        sa.Column("made_at", _MOMENT, nullable=False),
        sa.Column("sealed_rows", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name=op.f("fk_key_rotation_chunk_organisation_id_organisation"),
        ),
        sa.PrimaryKeyConstraint("kind", "new_epoch", "number", name=op.f("pk_key_rotation_chunk")),
    )
    op.create_index("ix_key_rotation_chunk_made_at", "key_rotation_chunk", ["made_at"])


def _rotation_down() -> None:
    op.drop_table("key_rotation_chunk")
    op.drop_table("key_rotation")
    op.drop_column("indicator", "also_epoch")
