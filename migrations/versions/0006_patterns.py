"""patterns: shared shipping patterns with what they turned out to be worth, and screening filters

Revision ID: 0006
Revises: 0005

A published version never changes, and goes only with its pattern: triggers say so to everybody.

Nothing that is stored before changes. The way back forgets every pattern and every filter, with the
share classes of patterns and the API tokens for either, which nothing older can read.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "filter_salt",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("stamp", sa.LargeBinary(length=32), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name=op.f("fk_filter_salt_organisation_id_organisation"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_filter_salt")),
        sa.UniqueConstraint(
            "organisation_id", "stamp", name=op.f("uq_filter_salt_organisation_id_stamp")
        ),
    )
    op.create_table(
        "pattern",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("rule_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("current_id", sa.BigInteger(), nullable=True),
        sa.Column("deprecated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deprecated_by", sa.Uuid(), nullable=True),
        sa.Column("deprecation_reason", sa.String(length=500), nullable=True),
        sa.Column("superseded_by", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name=op.f("fk_pattern_organisation_id_organisation"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pattern")),
        sa.UniqueConstraint(
            "organisation_id", "rule_id", name=op.f("uq_pattern_organisation_id_rule_id")
        ),
        sa.UniqueConstraint("public_id", name=op.f("uq_pattern_public_id")),
    )
    op.create_index(op.f("ix_pattern_current_id"), "pattern", ["current_id"], unique=False)
    op.create_table(
        "screening_allowance",
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("elements", _BIG, nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("agreed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name=op.f("fk_screening_allowance_organisation_id_organisation"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("organisation_id", "kind", name=op.f("pk_screening_allowance")),
    )
    op.create_table(
        "screening_budget",
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("used", _BIG, nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name=op.f("fk_screening_budget_organisation_id_organisation"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("organisation_id", "kind", "day", name=op.f("pk_screening_budget")),
    )
    op.create_table(
        "filter_issue",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("profile_id", sa.Integer(), nullable=False),
        sa.Column("purpose", sa.String(32), nullable=False),
        sa.Column("legal_basis", sa.String(32), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("salt_id", sa.Integer(), nullable=False),
        sa.Column("epochs", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("parts", sa.SmallInteger(), nullable=False),
        sa.Column("count", _BIG, nullable=True),
        sa.Column("sha256", sa.LargeBinary(length=32), nullable=True),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name=op.f("fk_filter_issue_organisation_id_organisation"),
        ),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["person_account.id"],
            name=op.f("fk_filter_issue_person_id_person_account"),
        ),
        sa.ForeignKeyConstraint(
            ["profile_id"], ["profile.id"], name=op.f("fk_filter_issue_profile_id_profile")
        ),
        sa.ForeignKeyConstraint(
            ["salt_id"], ["filter_salt.id"], name=op.f("fk_filter_issue_salt_id_filter_salt")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_filter_issue")),
        sa.UniqueConstraint(
            "organisation_id", "seq", name=op.f("uq_filter_issue_organisation_id_seq")
        ),
        sa.UniqueConstraint("public_id", name=op.f("uq_filter_issue_public_id")),
    )
    op.create_index("ix_filter_issue_expires_at", "filter_issue", ["expires_at"], unique=False)
    op.create_table(
        "pattern_subscription",
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("pattern_id", _BIG, nullable=False),
        sa.Column("purpose", sa.String(32), nullable=False),
        sa.Column("legal_basis", sa.String(32), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("given", sa.JSON(), nullable=False),
        sa.Column("lost_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name=op.f("fk_pattern_subscription_organisation_id_organisation"),
        ),
        sa.ForeignKeyConstraint(
            ["pattern_id"],
            ["pattern.id"],
            name=op.f("fk_pattern_subscription_pattern_id_pattern"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "organisation_id", "pattern_id", name=op.f("pk_pattern_subscription")
        ),
    )
    op.create_index(
        op.f("ix_pattern_subscription_pattern_id"),
        "pattern_subscription",
        ["pattern_id"],
        unique=False,
    )
    op.create_table(
        "pattern_version",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("pattern_id", _BIG, nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("level", sa.String(32), nullable=True),
        sa.Column("barrier_step", sa.SmallInteger(), nullable=True),
        sa.Column("tlp", sa.String(32), nullable=True),
        sa.Column("expires_on", sa.Date(), nullable=True),
        sa.Column("handling", sa.JSON(), nullable=False),
        sa.Column("source_grade", sa.String(32), nullable=False),
        sa.Column("information_grade", sa.String(32), nullable=False),
        sa.Column("assertion", sa.String(32), nullable=False),
        sa.Column("substance", sa.String(32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("proposed_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("note", sa.String(length=500), nullable=True),
        sa.Column("share_class_id", sa.Integer(), nullable=True),
        sa.Column("seen_day", sa.SmallInteger(), nullable=True),
        sa.Column("reminded_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name=op.f("fk_pattern_version_organisation_id_organisation"),
        ),
        sa.ForeignKeyConstraint(
            ["pattern_id"],
            ["pattern.id"],
            name=op.f("fk_pattern_version_pattern_id_pattern"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["share_class_id"],
            ["share_class.id"],
            name=op.f("fk_pattern_version_share_class_id_share_class"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pattern_version")),
        sa.UniqueConstraint("pattern_id", "seq", name=op.f("uq_pattern_version_pattern_id_seq")),
    )
    op.create_index(
        "ix_pattern_version_organisation_id_expires_on",
        "pattern_version",
        ["organisation_id", "expires_on"],
        unique=False,
    )
    op.create_index(
        op.f("ix_pattern_version_share_class_id"),
        "pattern_version",
        ["share_class_id"],
        unique=False,
    )
    op.create_index(
        "ix_pattern_version_state_updated_at",
        "pattern_version",
        ["state", "updated_at"],
        unique=False,
    )
    op.create_table(
        "filter_part",
        sa.Column("issue_id", _BIG, nullable=False),
        sa.Column("number", sa.SmallInteger(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["issue_id"],
            ["filter_issue.id"],
            name=op.f("fk_filter_part_issue_id_filter_issue"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("issue_id", "number", name=op.f("pk_filter_part")),
    )
    op.create_table(
        "pattern_outcome",
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("version_id", _BIG, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("examined", sa.Integer(), nullable=False),
        sa.Column("found", sa.Integer(), nullable=False),
        sa.Column("not_found", sa.Integer(), nullable=False),
        sa.Column("wrong", sa.Integer(), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name=op.f("fk_pattern_outcome_organisation_id_organisation"),
        ),
        sa.ForeignKeyConstraint(
            ["version_id"],
            ["pattern_version.id"],
            name=op.f("fk_pattern_outcome_version_id_pattern_version"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "organisation_id", "version_id", "day", name=op.f("pk_pattern_outcome")
        ),
    )
    op.create_index(
        op.f("ix_pattern_outcome_version_id"), "pattern_outcome", ["version_id"], unique=False
    )
    op.create_table(
        "pattern_run",
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("version_id", _BIG, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("parcels", sa.BigInteger(), nullable=False),
        sa.Column("hits", sa.BigInteger(), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name=op.f("fk_pattern_run_organisation_id_organisation"),
        ),
        sa.ForeignKeyConstraint(
            ["version_id"],
            ["pattern_version.id"],
            name=op.f("fk_pattern_run_version_id_pattern_version"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "organisation_id", "version_id", "day", name=op.f("pk_pattern_run")
        ),
    )
    op.create_index(op.f("ix_pattern_run_version_id"), "pattern_run", ["version_id"], unique=False)
    op.create_table(
        "pattern_version_author",
        sa.Column("version_id", _BIG, nullable=False),
        sa.Column("person", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["version_id"],
            ["pattern_version.id"],
            name=op.f("fk_pattern_version_author_version_id_pattern_version"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("version_id", "person", name=op.f("pk_pattern_version_author")),
    )
    _keep_published()


def downgrade() -> None:
    _let_published_go()
    op.drop_table("pattern_version_author")
    op.drop_table("pattern_run")
    op.drop_table("pattern_outcome")
    op.drop_table("filter_part")
    op.drop_table("pattern_version")
    op.drop_table("pattern_subscription")
    op.drop_table("filter_issue")
    op.drop_table("screening_budget")
    op.drop_table("screening_allowance")
    op.drop_table("pattern")
    op.drop_table("filter_salt")
    op.execute(
        "DELETE FROM share_grant WHERE share_class_id IN"
        " (SELECT id FROM share_class WHERE attributes ->> 'kind' = 'pattern')"
    )
    op.execute("DELETE FROM share_class WHERE attributes ->> 'kind' = 'pattern'")
    op.execute(
        "DELETE FROM api_token WHERE CAST(scopes AS TEXT) LIKE '%\"patterns:%'"
        " OR CAST(scopes AS TEXT) LIKE '%\"screening:%'"
    )


_MAY_CHANGE = frozenset({"reminded_at"})
_REFUSAL = "a published version of a pattern never changes"
_PUBLISHED = "OLD.state = 'published'"
_WITH_PATTERN = "EXISTS (SELECT 1 FROM pattern p WHERE p.id = OLD.pattern_id)"


def _keep_published() -> None:
    """Nobody changes what was published, and nobody deletes it while its pattern is there."""
    columns = ", ".join(
        each["name"]
        for each in sa.inspect(op.get_bind()).get_columns("pattern_version")
        if each["name"] not in _MAY_CHANGE
    )
    stays = f"{_PUBLISHED} AND {_WITH_PATTERN}"
    if op.get_bind().dialect.name == "sqlite":
        for name, event, condition in (
            ("change", f"UPDATE OF {columns}", _PUBLISHED),
            ("delete", "DELETE", stays),
        ):
            op.execute(
                f"CREATE TRIGGER pattern_version_no_{name} BEFORE {event} ON pattern_version "
                f"WHEN {condition} BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION pattern_version_kept() RETURNS trigger LANGUAGE plpgsql AS $$ "
        f"BEGIN IF TG_OP = 'DELETE' THEN IF NOT ({stays}) THEN RETURN OLD; END IF; END IF; "
        f"RAISE EXCEPTION '{_REFUSAL}'; END $$"
    )
    op.execute(
        f"CREATE TRIGGER pattern_version_no_change BEFORE UPDATE OF {columns} ON pattern_version "
        f"FOR EACH ROW WHEN ({_PUBLISHED}) EXECUTE FUNCTION pattern_version_kept()"
    )
    op.execute(
        "CREATE TRIGGER pattern_version_no_delete BEFORE DELETE ON pattern_version "
        "FOR EACH ROW EXECUTE FUNCTION pattern_version_kept()"
    )
    op.execute(
        "CREATE TRIGGER pattern_version_no_truncate BEFORE TRUNCATE ON pattern_version "
        "FOR EACH STATEMENT EXECUTE FUNCTION pattern_version_kept()"
    )


def _let_published_go() -> None:
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for name in ("change", "delete", *(() if is_sqlite else ("truncate",))):
        of_table = "" if is_sqlite else " ON pattern_version"
        op.execute(f"DROP TRIGGER pattern_version_no_{name}{of_table}")
    if not is_sqlite:
        op.execute("DROP FUNCTION pattern_version_kept()")
