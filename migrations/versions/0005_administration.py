"""administration: one-time passwords, proposed roles, days of sign-in, sizes noted by day

Revision ID: 0005
Revises: 0004

Nothing that is stored changes. The way back turns one-time passwords into lasting ones, closes
accounts that were disabled, and forgets the rest.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("person_account", sa.Column("last_sign_in_on", sa.Integer(), nullable=True))
    op.add_column("credential", sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "role_proposal",
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(32), nullable=False),
        sa.Column("proposed_by", sa.Uuid(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["person_account.id"],
            name=op.f("fk_role_proposal_person_id_person_account"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("person_id", "role", name=op.f("pk_role_proposal")),
    )
    op.create_index(
        op.f("ix_role_proposal_expires_at"), "role_proposal", ["expires_at"], unique=False
    )
    op.create_table(
        "size_note",
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("room", sa.String(length=64), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("day", "room", name=op.f("pk_size_note")),
    )
    op.add_column("anomaly", sa.Column("assigned_to", sa.Uuid(), nullable=True))
    op.add_column("anomaly", sa.Column("due_on", sa.Date(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("anomaly") as anomaly:
        anomaly.drop_column("due_on")
        anomaly.drop_column("assigned_to")
    op.drop_table("size_note")
    op.drop_table("role_proposal")
    op.execute("UPDATE person_account SET status = 'closed' WHERE status = 'disabled'")
    with op.batch_alter_table("credential") as credential:
        credential.drop_column("expires_at")
    with op.batch_alter_table("person_account") as person_account:
        person_account.drop_column("last_sign_in_on")
