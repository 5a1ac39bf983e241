"""policies by two people, decisions with their reasons, classes with step and substance

Revision ID: 0002
Revises: 0001

Share classes now tell the barrier step and the substance of the report, so indicators whose report
names one move to a class of their own; decisions are laid out anew at each profile's next use.
"""

import hashlib
import json
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_REFUSE_CHANGE = ("grant_reason", "policy_cancellation", "policy_version")
"""Tables whose rows are never changed or deleted; a trigger says so to everybody."""

_UNKNOWN = {"barrier_step": 0, "substance": "unknown"}

_CLASS = sa.table(
    "share_class",
    sa.column("id", sa.Integer()),
    sa.column("organisation_id", sa.Integer()),
    sa.column("key", sa.LargeBinary()),
    sa.column("attributes", sa.JSON()),
)
_INDICATOR = sa.table(
    "indicator",
    sa.column("id", sa.BigInteger()),
    sa.column("report_id", sa.BigInteger()),
    sa.column("share_class_id", sa.Integer()),
)
_REPORT = sa.table(
    "report",
    sa.column("id", sa.BigInteger()),
    sa.column("barrier_step", sa.SmallInteger()),
    sa.column("substance", sa.String()),
)
_TOKEN = sa.table(
    "token", sa.column("indicator_id", sa.BigInteger()), sa.column("share_class_id", sa.Integer())
)
_HIT = sa.table(
    "hit",
    sa.column("policy_version_id", sa.Integer()),
    sa.column("grant_reason_id", sa.Integer()),
)
_REASON = sa.table(
    "grant_reason",
    sa.column("id", sa.Integer()),
    sa.column("policy_version_id", sa.Integer()),
    sa.column("reasons", sa.JSON()),
    sa.column("key", sa.LargeBinary()),
)


def upgrade() -> None:
    _make_drafts()
    _extend_versions()
    with op.batch_alter_table("organisation") as organisation:
        organisation.add_column(
            sa.Column("facts_seq", sa.Integer(), nullable=False, server_default="1")
        )
    with op.batch_alter_table("organisation") as organisation:
        organisation.alter_column("facts_seq", server_default=None)
    with op.batch_alter_table("profile") as profile:
        profile.add_column(sa.Column("facts_seq", sa.Integer(), nullable=False, server_default="0"))
        profile.add_column(
            sa.Column("rules", sa.String(length=16), nullable=False, server_default="")
        )
    with op.batch_alter_table("profile") as profile:
        profile.alter_column("facts_seq", server_default=None)
        profile.alter_column("rules", server_default=None)
    _make_grants()
    _explain_hits()
    _reclass(_with_step_and_substance)
    op.create_index(
        "ix_indicator_counted",
        "indicator",
        ["organisation_id", "share_class_id", "seen_day", "expires_on"],
    )
    for table in _REFUSE_CHANGE:
        _refuse_change(table)


def downgrade() -> None:
    for table in _REFUSE_CHANGE:
        _allow_change(table)
    op.drop_index("ix_indicator_counted", table_name="indicator")
    _reclass(None)
    with op.batch_alter_table("hit") as hit:
        hit.add_column(sa.Column("policy_version_id", sa.Integer(), nullable=True))
        hit.create_foreign_key(
            op.f("fk_hit_policy_version_id_policy_version"),
            "policy_version",
            ["policy_version_id"],
            ["id"],
        )
    of_reason = (
        sa.select(_REASON.c.policy_version_id)
        .where(_REASON.c.id == _HIT.c.grant_reason_id)
        .scalar_subquery()
    )
    op.execute(_HIT.update().values(policy_version_id=of_reason))
    with op.batch_alter_table("hit") as hit:
        hit.drop_constraint(op.f("fk_hit_grant_reason_id_grant_reason"), type_="foreignkey")
        hit.drop_column("grant_reason_id")
    op.drop_table("share_grant")
    op.drop_table("grant_reason")
    op.create_table(
        "share_grant",
        *_grant_keys(),
        sa.Column("age_max", sa.SmallInteger(), nullable=False),
        sa.Column("level", sa.SmallInteger(), nullable=False),
        sa.Column("policy_version_id", sa.Integer(), nullable=True),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["policy_version_id"],
            ["policy_version.id"],
            name=op.f("fk_share_grant_policy_version_id_policy_version"),
        ),
        sa.PrimaryKeyConstraint(
            "profile_id", "share_class_id", "age_min", name=op.f("pk_share_grant")
        ),
    )
    op.create_index(op.f("ix_share_grant_share_class_id"), "share_grant", ["share_class_id"])
    op.execute('UPDATE profile SET facts = \'{"rules": ""}\'')
    with op.batch_alter_table("profile") as profile:
        profile.drop_column("rules")
        profile.drop_column("facts_seq")
    with op.batch_alter_table("organisation") as organisation:
        organisation.drop_column("facts_seq")
    op.drop_table("policy_cancellation")
    with op.batch_alter_table("policy_version") as version:
        version.drop_constraint(op.f("fk_policy_version_draft_id_policy_draft"), type_="foreignkey")
        for name in ("approved_by", "author", "draft_id", "form", "cause", "created_at"):
            version.drop_column(name)
    op.drop_table("policy_draft_author")
    op.drop_index(op.f("ix_policy_draft_organisation_id"), table_name="policy_draft")
    op.drop_table("policy_draft")


def _make_drafts() -> None:
    op.create_table(
        "policy_draft",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("form", sa.JSON(), nullable=True),
        sa.Column("base_seq", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=32), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("activate_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("proposed_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=True),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name=op.f("fk_policy_draft_organisation_id_organisation"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy_draft")),
        sa.UniqueConstraint("public_id", name=op.f("uq_policy_draft_public_id")),
    )
    op.create_index(op.f("ix_policy_draft_organisation_id"), "policy_draft", ["organisation_id"])
    op.create_table(
        "policy_draft_author",
        sa.Column("draft_id", sa.Integer(), nullable=False),
        sa.Column("person", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["draft_id"],
            ["policy_draft.id"],
            name=op.f("fk_policy_draft_author_draft_id_policy_draft"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("draft_id", "person", name=op.f("pk_policy_draft_author")),
    )


def _extend_versions() -> None:
    with op.batch_alter_table("policy_version") as version:
        version.add_column(sa.Column("created_at", sa.DateTime(timezone=True), nullable=True))
        version.add_column(
            sa.Column("cause", sa.String(length=32), nullable=False, server_default="console")
        )
        version.add_column(sa.Column("form", sa.JSON(), nullable=True))
        version.add_column(sa.Column("draft_id", sa.Integer(), nullable=True))
        version.add_column(sa.Column("author", sa.Uuid(), nullable=True))
        version.add_column(sa.Column("approved_by", sa.Uuid(), nullable=True))
        version.create_foreign_key(
            op.f("fk_policy_version_draft_id_policy_draft"), "policy_draft", ["draft_id"], ["id"]
        )
    op.execute("UPDATE policy_version SET created_at = valid_from")
    with op.batch_alter_table("policy_version") as version:
        version.alter_column("created_at", nullable=False)
        version.alter_column("cause", server_default=None)
    op.create_table(
        "policy_cancellation",
        sa.Column("policy_version_id", sa.Integer(), nullable=False),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cancelled_by", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["policy_version_id"],
            ["policy_version.id"],
            name=op.f("fk_policy_cancellation_policy_version_id_policy_version"),
        ),
        sa.PrimaryKeyConstraint("policy_version_id", name=op.f("pk_policy_cancellation")),
    )


def _make_grants() -> None:
    """Every decision is made anew at the next use of its profile; what was decided goes."""
    op.create_table(
        "grant_reason",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("policy_version_id", sa.Integer(), nullable=True),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("key", sa.LargeBinary(length=16), nullable=False),
        sa.ForeignKeyConstraint(
            ["policy_version_id"],
            ["policy_version.id"],
            name=op.f("fk_grant_reason_policy_version_id_policy_version"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_grant_reason")),
        sa.UniqueConstraint("key", name=op.f("uq_grant_reason_key")),
    )
    op.drop_index(op.f("ix_share_grant_share_class_id"), table_name="share_grant")
    op.drop_table("share_grant")
    op.create_table(
        "share_grant",
        *_grant_keys(),
        sa.Column("valid_from", sa.BigInteger(), nullable=False),
        sa.Column("age_max", sa.SmallInteger(), nullable=False),
        sa.Column("valid_until", sa.BigInteger(), nullable=False),
        sa.Column("level", sa.SmallInteger(), nullable=False),
        sa.Column("tells_owner", sa.Boolean(), nullable=False),
        sa.Column("may_screen", sa.Boolean(), nullable=False),
        sa.Column("may_feed", sa.Boolean(), nullable=False),
        sa.Column("grant_reason_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["grant_reason_id"],
            ["grant_reason.id"],
            name=op.f("fk_share_grant_grant_reason_id_grant_reason"),
        ),
        sa.PrimaryKeyConstraint(
            "profile_id",
            "share_class_id",
            "age_min",
            "valid_from",
            name=op.f("pk_share_grant"),
        ),
    )
    op.create_index(op.f("ix_share_grant_share_class_id"), "share_grant", ["share_class_id"])


def _grant_keys() -> tuple[sa.schema.SchemaItem, ...]:
    return (
        sa.Column("profile_id", sa.Integer(), nullable=False),
        sa.Column("share_class_id", sa.Integer(), nullable=False),
        sa.Column("age_min", sa.SmallInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["profile_id"],
            ["profile.id"],
            name=op.f("fk_share_grant_profile_id_profile"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["share_class_id"],
            ["share_class.id"],
            name=op.f("fk_share_grant_share_class_id_share_class"),
            ondelete="CASCADE",
        ),
    )


def _explain_hits() -> None:
    """A hit of before names the version that decided, and no policy of it."""
    connection = op.get_bind()
    with op.batch_alter_table("hit") as hit:
        hit.add_column(sa.Column("grant_reason_id", sa.Integer(), nullable=True))
    for (version_id,) in connection.execute(sa.select(_HIT.c.policy_version_id).distinct()).all():
        key = _key([version_id, []])
        connection.execute(
            _REASON.insert().values(policy_version_id=version_id, reasons=[], key=key)
        )
        reason_id = connection.execute(
            sa.select(_REASON.c.id).where(_REASON.c.key == key)
        ).scalar_one()
        connection.execute(
            _HIT.update()
            .where(_HIT.c.policy_version_id.is_not_distinct_from(version_id))
            .values(grant_reason_id=reason_id)
        )
    with op.batch_alter_table("hit") as hit:
        hit.drop_constraint(op.f("fk_hit_policy_version_id_policy_version"), type_="foreignkey")
        hit.drop_column("policy_version_id")
        hit.alter_column("grant_reason_id", nullable=False)
        hit.create_foreign_key(
            op.f("fk_hit_grant_reason_id_grant_reason"), "grant_reason", ["grant_reason_id"], ["id"]
        )


def _with_step_and_substance(
    attributes: dict[str, Any], step: int | None, substance: str | None
) -> dict[str, Any]:
    return {
        **attributes,
        "barrier_step": step or 0,
        "substance": substance or _UNKNOWN["substance"],
    }


def _reclass(extend: Any) -> None:
    """Give every class its new attributes and key, and every indicator the class that fits.

    `extend` adds step and substance; None takes them away, which lets classes fall together.
    """
    connection = op.get_bind()
    rows = connection.execute(
        sa.select(_CLASS.c.id, _CLASS.c.organisation_id, _CLASS.c.attributes).order_by(_CLASS.c.id)
    ).all()
    kinds = connection.execute(
        sa.select(_INDICATOR.c.share_class_id, _REPORT.c.barrier_step, _REPORT.c.substance)
        .join(_REPORT, _REPORT.c.id == _INDICATOR.c.report_id)
        .distinct()
    ).all()
    ids: dict[bytes, int] = {}
    for class_id, organisation_id, attributes in rows:
        bare = {name: value for name, value in attributes.items() if name not in _UNKNOWN}
        plain = extend(bare, None, None) if extend else bare
        key = _key([organisation_id, plain])
        if key in ids:  # it has fallen together with an earlier one
            continue
        ids[key] = class_id
        connection.execute(
            _CLASS.update().where(_CLASS.c.id == class_id).values(attributes=plain, key=key)
        )
    by_id = {
        class_id: (organisation_id, attributes) for class_id, organisation_id, attributes in rows
    }
    for class_id, step, substance in kinds:
        organisation_id, attributes = by_id[class_id]
        bare = {name: value for name, value in attributes.items() if name not in _UNKNOWN}
        wanted = extend(bare, step, substance) if extend else bare
        key = _key([organisation_id, wanted])
        if key not in ids:
            connection.execute(
                _CLASS.insert().values(organisation_id=organisation_id, key=key, attributes=wanted)
            )
            ids[key] = connection.execute(
                sa.select(_CLASS.c.id).where(_CLASS.c.key == key)
            ).scalar_one()
        if ids[key] != class_id:
            _move(class_id, ids[key], step, substance)
    unused = [class_id for class_id, _, _ in rows if class_id not in ids.values()]
    connection.execute(_CLASS.delete().where(_CLASS.c.id.in_(unused)))


def _move(from_id: int, to_id: int, step: int | None, substance: str | None) -> None:
    of_report = sa.select(_REPORT.c.id).where(
        _REPORT.c.barrier_step.is_not_distinct_from(step),
        _REPORT.c.substance.is_not_distinct_from(substance),
    )
    moved = sa.select(_INDICATOR.c.id).where(
        _INDICATOR.c.share_class_id == from_id, _INDICATOR.c.report_id.in_(of_report)
    )
    op.execute(_TOKEN.update().where(_TOKEN.c.indicator_id.in_(moved)).values(share_class_id=to_id))
    op.execute(_INDICATOR.update().where(_INDICATOR.c.id.in_(moved)).values(share_class_id=to_id))


def _key(told: list[Any]) -> bytes:
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode("ascii")).digest()[:16]


def _refuse_change(table: str) -> None:
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
        return
    op.execute(
        f"CREATE FUNCTION {table}_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{table} is append-only'; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_append_only()"
    )


def _allow_change(table: str) -> None:
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("update", "delete"):
            op.execute(f"DROP TRIGGER {table}_no_{verb}")
        return
    op.execute(f"DROP TRIGGER {table}_append_only ON {table}")
    op.execute(f"DROP FUNCTION {table}_append_only()")
