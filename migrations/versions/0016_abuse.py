"""abuse: budgets of different values that are looked up, and the record of breaches

Revision ID: 0016
Revises: 0015

The way back forgets what was counted, and every record of a breach: take those away first
(docs/breach.md).
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    _make_budgets()
    _make_breaches()


def downgrade() -> None:
    for table in ("breach_note", "breach", "value_allowance", "value_budget", "value_seen"):
        op.drop_table(table)


def _make_budgets() -> None:
    op.create_table(
        "value_seen",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=16), nullable=False),
        sa.Column("counted", sa.SmallInteger(), nullable=False),
        sa.Column("place", sa.LargeBinary(length=16), nullable=True),
        sa.Column("named", sa.LargeBinary(length=16), nullable=True),
        sa.Column("turned", sa.LargeBinary(length=16), nullable=True),
        _of_organisation("value_seen"),
        sa.PrimaryKeyConstraint(
            "day", "organisation_id", "person_id", "kind", "digest", name=op.f("pk_value_seen")
        ),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "value_budget",
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("window", sa.String(32), nullable=False),
        sa.Column("window_start", _MOMENT, nullable=False),
        sa.Column("used", _BIG, nullable=False),
        _of_organisation("value_budget"),
        sa.PrimaryKeyConstraint(
            "organisation_id",
            "person_id",
            "kind",
            "window",
            "window_start",
            name=op.f("pk_value_budget"),
        ),
    )
    op.create_table(
        "value_allowance",
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("window", sa.String(32), nullable=False),
        sa.Column("most", _BIG, nullable=False),
        _of_organisation("value_allowance"),
        sa.PrimaryKeyConstraint(
            "organisation_id", "kind", "window", name=op.f("pk_value_allowance")
        ),
    )


def _make_breaches() -> None:
    op.create_table(
        "breach",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("sealed_title", sa.LargeBinary(), nullable=False),
        sa.Column("aware_at", _MOMENT, nullable=False),
        sa.Column("since", _MOMENT, nullable=True),
        sa.Column("until", _MOMENT, nullable=True),
        sa.Column("risk", sa.String(32), nullable=True),
        sa.Column("opened_at", _MOMENT, nullable=False),
        sa.Column("opened_by", sa.Uuid(), nullable=False),
        sa.Column("authority_at", _MOMENT, nullable=True),
        sa.Column("people_at", _MOMENT, nullable=True),
        sa.Column("partners_at", _MOMENT, nullable=True),
        sa.Column("reminded_hours", sa.SmallInteger(), nullable=True),
        sa.Column("closed_at", _MOMENT, nullable=True),
        sa.Column("closed_by", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name=op.f("fk_breach_organisation_id_organisation"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_breach")),
        sa.UniqueConstraint("public_id", name=op.f("uq_breach_public_id")),
    )
    op.create_index(
        op.f("ix_breach_organisation_id_closed_at"), "breach", ["organisation_id", "closed_at"]
    )
    op.create_table(
        "breach_note",
        sa.Column("breach_id", _BIG, nullable=False),
        sa.Column("place", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("step", sa.String(32), nullable=False),
        sa.Column("sealed_note", sa.LargeBinary(), nullable=False),
        sa.Column("told_at", _MOMENT, nullable=False),
        sa.Column("told_by", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["breach_id"],
            ["breach.id"],
            name=op.f("fk_breach_note_breach_id_breach"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("breach_id", "place", name=op.f("pk_breach_note")),
    )


def _of_organisation(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["organisation_id"],
        ["organisation.id"],
        name=op.f(f"fk_{table}_organisation_id_organisation"),
        ondelete="CASCADE",
    )
