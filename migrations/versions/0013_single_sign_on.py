"""single_sign_on: what proved a session and on which device; emergency accounts; OpenID providers

Revision ID: 0013
Revises: 0012

Sessions end with the upgrade and with the way back: what proved them is not known. The way back
forgets emergency accounts (the people of them keep a closed door: no password) and providers.
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)
_SESSION = (
    ("proved_by", sa.JSON(), False),
    ("proved_at", _MOMENT, False),
    ("sealed_device", sa.LargeBinary(), True),
    ("roles_bound", sa.JSON(), True),
)


def upgrade() -> None:
    op.execute("DELETE FROM web_session")
    with op.batch_alter_table("web_session") as table:
        for name, kind, nullable in _SESSION:
            table.add_column(sa.Column(name, kind, nullable=nullable))
    _make_break_glass()
    _make_providers()
    _make_links()


def downgrade() -> None:
    for table in ("sign_on_link", "sign_on_provider", "break_glass"):
        op.drop_table(table)
    op.execute("DELETE FROM web_session")
    with op.batch_alter_table("web_session") as web_session:
        for name, _, _ in reversed(_SESSION):
            web_session.drop_column(name)


def _make_break_glass() -> None:
    op.create_table(
        "break_glass",
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("sealed_at", _MOMENT, nullable=False),
        sa.Column("opened_at", _MOMENT, nullable=True),
        sa.Column("ends_at", _MOMENT, nullable=True),
        sa.Column("uses", sa.Integer(), nullable=False),
        sa.Column("first_by", sa.Uuid(), nullable=True),
        sa.Column("first_is_officer", sa.Boolean(), nullable=True),
        sa.Column("second_by", sa.Uuid(), nullable=True),
        _refers("break_glass", "person_id", "person_account", ondelete="CASCADE"),
        _refers("break_glass", "organisation_id", "organisation"),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_break_glass")),
        sa.UniqueConstraint("organisation_id", name=op.f("uq_break_glass_organisation_id")),
        sa.UniqueConstraint("public_id", name=op.f("uq_break_glass_public_id")),
    )


def _make_providers() -> None:
    op.create_table(
        "sign_on_provider",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("issuer", sa.String(length=300), nullable=False),
        sa.Column("client_id", sa.String(length=200), nullable=False),
        sa.Column("sealed_secret", sa.LargeBinary(), nullable=False),
        sa.Column("role_claim", sa.String(length=64), nullable=False),
        sa.Column("roles", sa.JSON(), nullable=False),
        sa.Column("strong", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("proposed_by", sa.Uuid(), nullable=False),
        sa.Column("proposed_at", _MOMENT, nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", _MOMENT, nullable=True),
        _refers("sign_on_provider", "organisation_id", "organisation"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_on_provider")),
        sa.UniqueConstraint("public_id", name=op.f("uq_sign_on_provider_public_id")),
    )
    _index("sign_on_provider", "organisation_id")


def _make_links() -> None:
    op.create_table(
        "sign_on_link",
        sa.Column("subject_index", sa.LargeBinary(length=32), nullable=False),
        sa.Column("provider_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("linked_at", _MOMENT, nullable=False),
        _refers("sign_on_link", "provider_id", "sign_on_provider", ondelete="CASCADE"),
        _refers("sign_on_link", "person_id", "person_account", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("subject_index", name=op.f("pk_sign_on_link")),
        sa.UniqueConstraint(
            "provider_id", "person_id", name=op.f("uq_sign_on_link_provider_id_person_id")
        ),
    )
    _index("sign_on_link", "person_id")


def _refers(
    table: str, column: str, to: str, ondelete: str | None = None
) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_{column}_{to}")
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=name, ondelete=ondelete)


def _index(table: str, column: str) -> None:
    op.create_index(op.f(f"ix_{table}_{column}"), table, [column])
