"""webhook_secrets: two secrets while one is replaced; whom sign-out meets; one-time links; notices

Revision ID: 0018
Revises: 0017

Sessions that a provider began end with the upgrade: which provider it was is not known. The way
back forgets former secrets (receivers that still use one refuse messages), one-time links and what
a person alone was told.
"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)
_FORMER = (("former_secret", sa.LargeBinary()), ("former_until", _MOMENT))
_SIGNED_ON = ("web_session", "pending_sign_in")
_OWN = """
    secret_hash = (SELECT presented()) OR EXISTS (
        SELECT 1 FROM person_account AS person WHERE person.id = one_time_link.person_id
        AND person.organisation_id = ANY ((SELECT acting_organisations())::int[])
    )
"""
"""As in 0017: of the organisation for which the transaction acts, or presented by its holder."""


def upgrade() -> None:
    for table in ("channel", "exchange_news"):
        for name, kind in _FORMER:
            op.add_column(table, sa.Column(name, kind, nullable=True))
    for table in _SIGNED_ON:
        op.execute(f"DELETE FROM {table} WHERE roles_bound IS NOT NULL")  # noqa: S608 - names of this file
        _name_provider(table)
    _make_one_time_links()
    with op.batch_alter_table("notification") as notification:
        notification.add_column(sa.Column("person", sa.Uuid(), nullable=True))
        notification.alter_column("role", existing_type=sa.String(32), nullable=True)
    op.create_index(op.f("ix_notification_person"), "notification", ["person"])


def downgrade() -> None:
    op.execute("DELETE FROM notification WHERE role IS NULL")
    op.drop_index(op.f("ix_notification_person"), "notification")
    with op.batch_alter_table("notification") as notification:
        notification.alter_column("role", existing_type=sa.String(32), nullable=False)
        notification.drop_column("person")
    op.drop_table("one_time_link")
    for table in _SIGNED_ON:
        with op.batch_alter_table(table) as altered:
            altered.drop_constraint(_provider_of(table), type_="foreignkey")
            altered.drop_column("provider_session")
            altered.drop_column("provider_id")
    for table in ("exchange_news", "channel"):
        with op.batch_alter_table(table) as altered:
            for name, _ in reversed(_FORMER):
                altered.drop_column(name)


def _name_provider(table: str) -> None:
    with op.batch_alter_table(table) as altered:
        altered.add_column(sa.Column("provider_id", sa.Integer(), nullable=True))
        altered.add_column(sa.Column("provider_session", sa.LargeBinary(length=32), nullable=True))
        altered.create_foreign_key(
            _provider_of(table), "sign_on_provider", ["provider_id"], ["id"], ondelete="CASCADE"
        )


def _make_one_time_links() -> None:
    op.create_table(
        "one_time_link",
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        sa.Column("made_at", _MOMENT, nullable=False),
        sa.Column("expires_at", _MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["person_account.id"],
            name=op.f("fk_one_time_link_person_id_person_account"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_one_time_link")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_one_time_link_secret_hash")),
    )
    op.create_index(op.f("ix_one_time_link_expires_at"), "one_time_link", ["expires_at"])
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE one_time_link ENABLE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY own_rows ON one_time_link USING ({_OWN}) WITH CHECK ({_OWN})")


def _provider_of(table: str) -> str:
    return op.f(f"fk_{table}_provider_id_sign_on_provider")
