"""the first tables

Revision ID: 0001
Revises:
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


_REFUSE_CHANGE = ("audit_entry", "audit_audience")
"""Tables whose rows are never changed or deleted; a trigger says so to everybody."""


def upgrade() -> None:
    op.create_table(
        "audit_entry",
        sa.Column("eid", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("t", sa.BigInteger(), nullable=False),
        sa.Column("act", sa.String(length=64), nullable=False),
        sa.Column("org", sa.String(length=64), nullable=False),
        sa.Column("rec", sa.LargeBinary(), nullable=False),
        sa.Column("leaf", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("eid", name=op.f("pk_audit_entry")),
    )
    op.create_table(
        "audit_org_key",
        sa.Column("org", sa.String(length=64), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("key", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("org", "epoch", name=op.f("pk_audit_org_key")),
    )
    op.create_table(
        "community",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_community")),
        sa.UniqueConstraint("code", name=op.f("uq_community_code")),
    )
    op.create_table(
        "duty_run",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_duty_run")),
    )
    op.create_table(
        "key_epoch",
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("norm", sa.String(length=16), nullable=False),
        sa.Column("public_key", sa.LargeBinary(length=32), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_to", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("kind", "epoch", name=op.f("pk_key_epoch")),
    )
    op.create_table(
        "organisation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("sector", sa.String(32), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organisation")),
        sa.UniqueConstraint("code", name=op.f("uq_organisation_code")),
    )
    _create_token()
    op.create_table(
        "audit_audience",
        sa.Column("org", sa.String(length=64), nullable=False),
        sa.Column("t", sa.BigInteger(), nullable=False),
        sa.Column("eid", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("act", sa.String(length=64), nullable=False),
        sa.Column("out", sa.String(length=8), nullable=False),
        sa.Column("purpose", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["eid"], ["audit_entry.eid"], name=op.f("fk_audit_audience_eid_audit_entry")
        ),
        sa.PrimaryKeyConstraint("org", "t", "eid", name=op.f("pk_audit_audience")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "audit_detail",
        sa.Column("eid", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("actor", sa.String(length=64), nullable=True),
        sa.Column("casref", sa.String(length=128), nullable=True),
        sa.Column("disc", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["eid"], ["audit_entry.eid"], name=op.f("fk_audit_detail_eid_audit_entry")
        ),
        sa.PrimaryKeyConstraint("eid", name=op.f("pk_audit_detail")),
    )
    op.create_index(op.f("ix_audit_detail_actor"), "audit_detail", ["actor"], unique=False)
    op.create_index(op.f("ix_audit_detail_casref"), "audit_detail", ["casref"], unique=False)
    op.create_table(
        "audit_queue",
        sa.Column("eid", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(
            ["eid"], ["audit_entry.eid"], name=op.f("fk_audit_queue_eid_audit_entry")
        ),
        sa.PrimaryKeyConstraint("eid", name=op.f("pk_audit_queue")),
    )
    op.create_table(
        "community_member",
        sa.Column("community_id", sa.Integer(), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["community_id"],
            ["community.id"],
            name=op.f("fk_community_member_community_id_community"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name=op.f("fk_community_member_organisation_id_organisation"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "community_id", "organisation_id", name=op.f("pk_community_member")
        ),
    )
    op.create_index(
        op.f("ix_community_member_organisation_id"),
        "community_member",
        ["organisation_id"],
        unique=False,
    )
    op.create_table(
        "evaluation_allowance",
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("window", sa.String(32), nullable=False),
        sa.Column("elements", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name=op.f("fk_evaluation_allowance_organisation_id_organisation"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "organisation_id", "kind", "window", name=op.f("pk_evaluation_allowance")
        ),
    )
    op.create_table(
        "evaluation_budget",
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("window", sa.String(32), nullable=False),
        sa.Column("window_start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name=op.f("fk_evaluation_budget_organisation_id_organisation"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "organisation_id",
            "person_id",
            "kind",
            "window",
            "window_start",
            name=op.f("pk_evaluation_budget"),
        ),
    )
    op.create_table(
        "person_account",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("login_index", sa.LargeBinary(length=32), nullable=False),
        sa.Column("sealed_profile", sa.LargeBinary(), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name=op.f("fk_person_account_organisation_id_organisation"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person_account")),
        sa.UniqueConstraint("login_index", name=op.f("uq_person_account_login_index")),
        sa.UniqueConstraint("public_id", name=op.f("uq_person_account_public_id")),
    )
    op.create_index(
        op.f("ix_person_account_organisation_id"),
        "person_account",
        ["organisation_id"],
        unique=False,
    )
    op.create_table(
        "policy_version",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name=op.f("fk_policy_version_organisation_id_organisation"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy_version")),
        sa.UniqueConstraint(
            "organisation_id", "seq", name=op.f("uq_policy_version_organisation_id_seq")
        ),
    )
    op.create_table(
        "profile",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(32), nullable=False),
        sa.Column("purpose", sa.String(32), nullable=False),
        sa.Column("legal_basis", sa.String(32), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name=op.f("fk_profile_organisation_id_organisation"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_profile")),
        sa.UniqueConstraint(
            "organisation_id",
            "role",
            "purpose",
            "legal_basis",
            name=op.f("uq_profile_organisation_id_role_purpose_legal_basis"),
        ),
    )
    op.create_table(
        "share_class",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.LargeBinary(length=16), nullable=False),
        sa.Column("attributes", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name=op.f("fk_share_class_organisation_id_organisation"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_share_class")),
        sa.UniqueConstraint("key", name=op.f("uq_share_class_key")),
    )
    op.create_index(
        op.f("ix_share_class_organisation_id"), "share_class", ["organisation_id"], unique=False
    )
    op.create_table(
        "tombstone",
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name=op.f("fk_tombstone_organisation_id_organisation"),
        ),
        sa.PrimaryKeyConstraint("public_id", name=op.f("pk_tombstone")),
    )
    op.create_index(
        op.f("ix_tombstone_organisation_id"), "tombstone", ["organisation_id"], unique=False
    )
    op.create_table(
        "api_token",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_used_on", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name=op.f("fk_api_token_organisation_id_organisation"),
        ),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["person_account.id"],
            name=op.f("fk_api_token_person_id_person_account"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_token")),
        sa.UniqueConstraint("public_id", name=op.f("uq_api_token_public_id")),
    )
    op.create_index(op.f("ix_api_token_expires_at"), "api_token", ["expires_at"], unique=False)
    op.create_index(
        op.f("ix_api_token_organisation_id"), "api_token", ["organisation_id"], unique=False
    )
    op.create_index(op.f("ix_api_token_person_id"), "api_token", ["person_id"], unique=False)
    op.create_table(
        "credential",
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("secret_hash", sa.String(length=256), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["person_account.id"],
            name=op.f("fk_credential_person_id_person_account"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("person_id", "kind", name=op.f("pk_credential")),
    )
    op.create_table(
        "lookup",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("profile_id", sa.Integer(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("queries", sa.Integer(), nullable=False),
        sa.Column("hits", sa.Integer(), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name=op.f("fk_lookup_organisation_id_organisation"),
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person_account.id"], name=op.f("fk_lookup_person_id_person_account")
        ),
        sa.ForeignKeyConstraint(
            ["profile_id"], ["profile.id"], name=op.f("fk_lookup_profile_id_profile")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lookup")),
        sa.UniqueConstraint("public_id", name=op.f("uq_lookup_public_id")),
    )
    op.create_index(op.f("ix_lookup_expires_on"), "lookup", ["expires_on"], unique=False)
    op.create_index(
        "ix_lookup_organisation_id_asked_at",
        "lookup",
        ["organisation_id", "asked_at"],
        unique=False,
    )
    op.create_table(
        "report",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("client_key", sa.String(length=64), nullable=False),
        sa.Column("content_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("barrier_step", sa.SmallInteger(), nullable=True),
        sa.Column("origin_country", sa.String(length=2), nullable=True),
        sa.Column("destination_country", sa.String(length=2), nullable=True),
        sa.Column("service", sa.String(32), nullable=True),
        sa.Column("weight_band", sa.String(32), nullable=True),
        sa.Column("value_band", sa.String(32), nullable=True),
        sa.Column("declared_category", sa.String(32), nullable=True),
        sa.Column("hs_chapter", sa.String(length=2), nullable=True),
        sa.Column("concealment", sa.String(32), nullable=True),
        sa.Column("substance", sa.String(32), nullable=True),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name=op.f("fk_report_organisation_id_organisation"),
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person_account.id"], name=op.f("fk_report_person_id_person_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_report")),
        sa.UniqueConstraint(
            "organisation_id", "client_key", name=op.f("uq_report_organisation_id_client_key")
        ),
        sa.UniqueConstraint("public_id", name=op.f("uq_report_public_id")),
    )
    op.create_index(
        "ix_report_organisation_id_created_at",
        "report",
        ["organisation_id", "created_at"],
        unique=False,
    )
    op.create_table(
        "role_grant",
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(32), nullable=False),
        sa.Column("granted_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["person_account.id"],
            name=op.f("fk_role_grant_person_id_person_account"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("person_id", "role", name=op.f("pk_role_grant")),
    )
    op.create_table(
        "share_grant",
        sa.Column("profile_id", sa.Integer(), nullable=False),
        sa.Column("share_class_id", sa.Integer(), nullable=False),
        sa.Column("age_min", sa.SmallInteger(), nullable=False),
        sa.Column("age_max", sa.SmallInteger(), nullable=False),
        sa.Column("level", sa.SmallInteger(), nullable=False),
        sa.Column("policy_version_id", sa.Integer(), nullable=True),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["policy_version_id"],
            ["policy_version.id"],
            name=op.f("fk_share_grant_policy_version_id_policy_version"),
        ),
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
        sa.PrimaryKeyConstraint(
            "profile_id", "share_class_id", "age_min", name=op.f("pk_share_grant")
        ),
    )
    op.create_index(
        op.f("ix_share_grant_share_class_id"), "share_grant", ["share_class_id"], unique=False
    )
    op.create_table(
        "web_session",
        sa.Column("name_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["person_account.id"],
            name=op.f("fk_web_session_person_id_person_account"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("name_hash", name=op.f("pk_web_session")),
    )
    op.create_index(op.f("ix_web_session_expires_at"), "web_session", ["expires_at"], unique=False)
    op.create_index(op.f("ix_web_session_person_id"), "web_session", ["person_id"], unique=False)
    op.create_table(
        "indicator",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column(
            "report_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("share_class_id", sa.Integer(), nullable=False),
        sa.Column("seen_day", sa.SmallInteger(), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("role", sa.String(32), nullable=False),
        sa.Column("subject_category", sa.String(32), nullable=False),
        sa.Column("assertion", sa.String(32), nullable=False),
        sa.Column("source_grade", sa.String(32), nullable=False),
        sa.Column("information_grade", sa.String(32), nullable=False),
        sa.Column("learned", sa.String(32), nullable=False),
        sa.Column("legal_basis", sa.String(32), nullable=False),
        sa.Column("tlp", sa.String(32), nullable=False),
        sa.Column("handling", sa.JSON(), nullable=False),
        sa.Column("permitted_action", sa.String(32), nullable=False),
        sa.Column("observed_from", sa.Date(), nullable=True),
        sa.Column("observed_to", sa.Date(), nullable=True),
        sa.Column("review_on", sa.Date(), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=False),
        sa.Column("quality", sa.JSON(), nullable=False),
        sa.Column("epoch", sa.SmallInteger(), nullable=False),
        sa.Column(
            "facets_stored", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "facets_common", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("tokens", sa.LargeBinary(), nullable=False),
        sa.Column("place", sa.JSON(), nullable=True),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name=op.f("fk_indicator_organisation_id_organisation"),
        ),
        sa.ForeignKeyConstraint(
            ["report_id"],
            ["report.id"],
            name=op.f("fk_indicator_report_id_report"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["share_class_id"],
            ["share_class.id"],
            name=op.f("fk_indicator_share_class_id_share_class"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_indicator")),
        sa.UniqueConstraint("public_id", name=op.f("uq_indicator_public_id")),
    )
    op.create_index("ix_indicator_expires_on", "indicator", ["expires_on"], unique=False)
    op.create_index(
        "ix_indicator_organisation_id_expires_on",
        "indicator",
        ["organisation_id", "expires_on"],
        unique=False,
    )
    op.create_index(op.f("ix_indicator_report_id"), "indicator", ["report_id"], unique=False)
    op.create_table(
        "element_vault",
        sa.Column(
            "indicator_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("epoch", sa.SmallInteger(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["indicator_id"],
            ["indicator.id"],
            name=op.f("fk_element_vault_indicator_id_indicator"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("indicator_id", name=op.f("pk_element_vault")),
    )
    op.create_table(
        "hit",
        sa.Column(
            "lookup_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("query", sa.Integer(), nullable=False),
        sa.Column(
            "indicator_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("level", sa.SmallInteger(), nullable=False),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.Column("band", sa.String(32), nullable=False),
        sa.Column("policy_version_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["indicator_id"],
            ["indicator.id"],
            name=op.f("fk_hit_indicator_id_indicator"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["lookup_id"], ["lookup.id"], name=op.f("fk_hit_lookup_id_lookup"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["policy_version_id"],
            ["policy_version.id"],
            name=op.f("fk_hit_policy_version_id_policy_version"),
        ),
        sa.PrimaryKeyConstraint("lookup_id", "query", "indicator_id", name=op.f("pk_hit")),
    )
    op.create_index(op.f("ix_hit_indicator_id"), "hit", ["indicator_id"], unique=False)
    for table in _REFUSE_CHANGE:
        _refuse_change(table)


def downgrade() -> None:
    for table in _REFUSE_CHANGE:
        _allow_change(table)
    op.drop_index(op.f("ix_hit_indicator_id"), table_name="hit")
    op.drop_table("hit")
    op.drop_table("element_vault")
    op.drop_index(op.f("ix_indicator_report_id"), table_name="indicator")
    op.drop_index("ix_indicator_organisation_id_expires_on", table_name="indicator")
    op.drop_index("ix_indicator_expires_on", table_name="indicator")
    op.drop_table("indicator")
    op.drop_index(op.f("ix_web_session_person_id"), table_name="web_session")
    op.drop_index(op.f("ix_web_session_expires_at"), table_name="web_session")
    op.drop_table("web_session")
    op.drop_index(op.f("ix_share_grant_share_class_id"), table_name="share_grant")
    op.drop_table("share_grant")
    op.drop_table("role_grant")
    op.drop_index("ix_report_organisation_id_created_at", table_name="report")
    op.drop_table("report")
    op.drop_index("ix_lookup_organisation_id_asked_at", table_name="lookup")
    op.drop_index(op.f("ix_lookup_expires_on"), table_name="lookup")
    op.drop_table("lookup")
    op.drop_table("credential")
    op.drop_index(op.f("ix_api_token_person_id"), table_name="api_token")
    op.drop_index(op.f("ix_api_token_organisation_id"), table_name="api_token")
    op.drop_index(op.f("ix_api_token_expires_at"), table_name="api_token")
    op.drop_table("api_token")
    op.drop_index(op.f("ix_tombstone_organisation_id"), table_name="tombstone")
    op.drop_table("tombstone")
    op.drop_index(op.f("ix_share_class_organisation_id"), table_name="share_class")
    op.drop_table("share_class")
    op.drop_table("profile")
    op.drop_table("policy_version")
    op.drop_index(op.f("ix_person_account_organisation_id"), table_name="person_account")
    op.drop_table("person_account")
    op.drop_table("evaluation_budget")
    op.drop_table("evaluation_allowance")
    op.drop_index(op.f("ix_community_member_organisation_id"), table_name="community_member")
    op.drop_table("community_member")
    op.drop_table("audit_queue")
    op.drop_index(op.f("ix_audit_detail_casref"), table_name="audit_detail")
    op.drop_index(op.f("ix_audit_detail_actor"), table_name="audit_detail")
    op.drop_table("audit_detail")
    op.drop_table("audit_audience")
    op.drop_table("token")
    op.drop_table("organisation")
    op.drop_table("key_epoch")
    op.drop_table("duty_run")
    op.drop_table("community")
    op.drop_table("audit_org_key")
    op.drop_table("audit_entry")


def _create_token() -> None:
    """SQLite clusters the rows by token; PostgreSQL answers a lookup from the index alone."""
    columns = [
        sa.Column("token", sa.LargeBinary(16), nullable=False),
        sa.Column(
            "indicator_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
        ),
        sa.Column("share_class_id", sa.Integer(), nullable=False),
        sa.Column("seen_day", sa.SmallInteger(), nullable=False),
        sa.Column("facet", sa.SmallInteger(), nullable=False),
    ]
    if op.get_bind().dialect.name == "sqlite":
        key = sa.PrimaryKeyConstraint("token", "indicator_id", name=op.f("pk_token"))
        op.create_table("token", *columns, key, sqlite_with_rowid=False)
        return
    op.create_table("token", *columns)
    op.create_index(
        "ix_token_token",
        "token",
        ["token"],
        postgresql_include=["indicator_id", "share_class_id", "seen_day", "facet"],
    )


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
