"""second_factors: passkeys, codes of an app, recovery codes, and sign-ins that wait for one

Revision ID: 0012
Revises: 0011

The way back forgets every second factor: people then sign in with their password alone.
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "second_factor",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("credential_index", sa.LargeBinary(length=32), nullable=True),
        sa.Column("counter", sa.BigInteger(), nullable=False),
        sa.Column("added_at", _MOMENT, nullable=False),
        sa.Column("last_used_at", _MOMENT, nullable=True),
        _of_person("second_factor"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_second_factor")),
        sa.UniqueConstraint("public_id", name=op.f("uq_second_factor_public_id")),
        sa.UniqueConstraint("credential_index", name=op.f("uq_second_factor_credential_index")),
    )
    op.create_table(
        "recovery_code",
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("code_index", sa.LargeBinary(length=32), nullable=False),
        _of_person("recovery_code"),
        sa.PrimaryKeyConstraint("person_id", "code_index", name=op.f("pk_recovery_code")),
    )
    op.create_table(
        "pending_sign_in",
        sa.Column("name_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("proved_by", sa.JSON(), nullable=False),
        sa.Column("sealed_device", sa.LargeBinary(), nullable=True),
        sa.Column("roles_bound", sa.JSON(), nullable=True),
        sa.Column("expires_at", _MOMENT, nullable=False),
        _of_person("pending_sign_in"),
        sa.PrimaryKeyConstraint("name_hash", name=op.f("pk_pending_sign_in")),
    )
    op.create_table(
        "spent_challenge",
        sa.Column("challenge_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("expires_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("challenge_hash", name=op.f("pk_spent_challenge")),
    )
    op.create_table(
        "factor_reset",
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("proposed_by", sa.Uuid(), nullable=False),
        sa.Column("proposed_at", _MOMENT, nullable=False),
        sa.Column("expires_at", _MOMENT, nullable=False),
        _of_person("factor_reset"),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_factor_reset")),
    )
    for table in ("second_factor", "pending_sign_in"):
        op.create_index(op.f(f"ix_{table}_person_id"), table, ["person_id"])
    for table in ("pending_sign_in", "spent_challenge", "factor_reset"):
        op.create_index(op.f(f"ix_{table}_expires_at"), table, ["expires_at"])


def downgrade() -> None:
    for table in (
        "factor_reset",
        "spent_challenge",
        "pending_sign_in",
        "recovery_code",
        "second_factor",
    ):
        op.drop_table(table)


def _of_person(table: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_person_id_person_account")
    return sa.ForeignKeyConstraint(["person_id"], ["person_account.id"], name, ondelete="CASCADE")
