"""from hit to disclosure: keys, envelopes, watches, requests, recalls, outcomes, the outbox

Revision ID: 0004
Revises: 0003

Nothing that is stored changes. The way back forgets what these tables hold.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _make_what_names_members()
    _make_what_names_others()
    op.add_column("indicator", sa.Column("amended_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "indicator", sa.Column("restricted_at", sa.DateTime(timezone=True), nullable=True)
    )
    if op.get_bind().dialect.name == "postgresql":
        # Sealed content does not compress; trying costs time.
        op.execute("ALTER TABLE envelope ALTER COLUMN content SET STORAGE EXTERNAL")
        op.execute("ALTER TABLE delivery ALTER COLUMN sealed SET STORAGE EXTERNAL")


def _make_what_names_members() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("topic", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=128), nullable=True),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lease", sa.Uuid(), nullable=True),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.String(length=200), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sa.UniqueConstraint("topic", "key", name=op.f("uq_outbox_topic_key")),
    )
    op.create_index("ix_outbox_due", "outbox", ["state", "due_at"], unique=False)
    op.create_table(
        "channel",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("roles", sa.JSON(), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("sealed_address", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_secret", sa.LargeBinary(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        sa.Column("stopped_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name=op.f("fk_channel_organisation_id_organisation"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_channel")),
        sa.UniqueConstraint("public_id", name=op.f("uq_channel_public_id")),
    )
    op.create_index(
        op.f("ix_channel_organisation_id"), "channel", ["organisation_id"], unique=False
    )
    op.create_table(
        "contact_point",
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("desk", sa.String(length=120), nullable=False),
        sa.Column("mail", sa.String(length=254), nullable=False),
        sa.Column("phone", sa.String(length=40), nullable=False),
        sa.Column("hours", sa.String(length=120), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name=op.f("fk_contact_point_organisation_id_organisation"),
        ),
        sa.PrimaryKeyConstraint("organisation_id", name=op.f("pk_contact_point")),
    )
    op.create_table(
        "disclosure_rules",
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("four_eyes", sa.String(32), nullable=False),
        sa.Column("delivery_days", sa.SmallInteger(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name=op.f("fk_disclosure_rules_organisation_id_organisation"),
        ),
        sa.PrimaryKeyConstraint("organisation_id", name=op.f("pk_disclosure_rules")),
    )
    op.create_table(
        "given",
        sa.Column("indicator", sa.Uuid(), nullable=False),
        sa.Column("recipient_id", sa.Integer(), nullable=False),
        sa.Column("way", sa.String(32), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("level", sa.SmallInteger(), nullable=False),
        sa.Column("tells_owner", sa.Boolean(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended", sa.JSON(), nullable=True),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["organisation.id"], name=op.f("fk_given_owner_id_organisation")
        ),
        sa.ForeignKeyConstraint(
            ["recipient_id"], ["organisation.id"], name=op.f("fk_given_recipient_id_organisation")
        ),
        sa.PrimaryKeyConstraint("indicator", "recipient_id", "way", name=op.f("pk_given")),
    )
    op.create_index("ix_given_owner_id_indicator", "given", ["owner_id", "indicator"], unique=False)
    op.create_table(
        "key_alarm",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("reporter_id", sa.Integer(), nullable=False),
        sa.Column("about_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("pinned", sa.String(length=48), nullable=False),
        sa.Column("offered", sa.String(length=48), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["about_id"], ["organisation.id"], name=op.f("fk_key_alarm_about_id_organisation")
        ),
        sa.ForeignKeyConstraint(
            ["reporter_id"], ["organisation.id"], name=op.f("fk_key_alarm_reporter_id_organisation")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_key_alarm")),
        sa.UniqueConstraint("public_id", name=op.f("uq_key_alarm_public_id")),
    )
    op.create_index(op.f("ix_key_alarm_about_id"), "key_alarm", ["about_id"], unique=False)
    op.create_table(
        "organisation_key",
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("signed", sa.JSON(), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_by", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name=op.f("fk_organisation_key_organisation_id_organisation"),
        ),
        sa.PrimaryKeyConstraint("organisation_id", "number", name=op.f("pk_organisation_key")),
    )
    op.create_table(
        "outcome",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("indicator", sa.Uuid(), nullable=False),
        sa.Column("report", sa.Uuid(), nullable=False),
        sa.Column("request", sa.Uuid(), nullable=True),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("teller_id", sa.Integer(), nullable=False),
        sa.Column("person", sa.Uuid(), nullable=False),
        sa.Column("asked", sa.String(32), nullable=False),
        sa.Column("located", sa.String(32), nullable=False),
        sa.Column("held", sa.String(32), nullable=False),
        sa.Column("examined", sa.String(32), nullable=False),
        sa.Column("result", sa.String(32), nullable=False),
        sa.Column("substance", sa.String(32), nullable=True),
        sa.Column("quantity", sa.Numeric(precision=14, scale=3), nullable=True),
        sa.Column("unit", sa.String(32), nullable=True),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("learned", sa.String(32), nullable=False),
        sa.Column("source_grade", sa.String(32), nullable=False),
        sa.Column("barrier_step", sa.SmallInteger(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("replaced_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["organisation.id"], name=op.f("fk_outcome_owner_id_organisation")
        ),
        sa.ForeignKeyConstraint(
            ["teller_id"], ["organisation.id"], name=op.f("fk_outcome_teller_id_organisation")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outcome")),
        sa.UniqueConstraint("public_id", name=op.f("uq_outcome_public_id")),
    )
    op.create_index("ix_outcome_indicator", "outcome", ["indicator"], unique=False)
    op.create_index("ix_outcome_teller_id", "outcome", ["teller_id"], unique=False)
    op.create_index("ix_outcome_owner_id_made_at", "outcome", ["owner_id", "made_at"], unique=False)
    op.create_table(
        "recall",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("indicator", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("reason", sa.String(32), nullable=False),
        sa.Column("changes", sa.JSON(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["organisation.id"], name=op.f("fk_recall_owner_id_organisation")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recall")),
        sa.UniqueConstraint("public_id", name=op.f("uq_recall_public_id")),
    )
    op.create_index(op.f("ix_recall_indicator"), "recall", ["indicator"], unique=False)
    op.create_index(
        "ix_recall_owner_id_completed_at", "recall", ["owner_id", "completed_at"], unique=False
    )
    op.create_table(
        "subject_request",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("right", sa.String(32), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("sealed_note", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_answer", sa.LargeBinary(), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_by", sa.Uuid(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("searched_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("holdings", sa.Integer(), nullable=True),
        sa.Column("recipients", sa.Integer(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by", sa.Uuid(), nullable=True),
        sa.Column("reminded_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name=op.f("fk_subject_request_organisation_id_organisation"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subject_request")),
        sa.UniqueConstraint("public_id", name=op.f("uq_subject_request_public_id")),
    )
    op.create_index(
        "ix_subject_request_organisation_id",
        "subject_request",
        ["organisation_id", "state"],
        unique=False,
    )
    op.create_table(
        "acknowledgement",
        sa.Column("recall_id", _BIG, nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("ways", sa.JSON(), nullable=False),
        sa.Column("named", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("done", sa.String(32), nullable=True),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("completed_by", sa.Uuid(), nullable=True),
        sa.Column("reminders", sa.SmallInteger(), nullable=False),
        sa.Column("escalated_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name=op.f("fk_acknowledgement_organisation_id_organisation"),
        ),
        sa.ForeignKeyConstraint(
            ["recall_id"],
            ["recall.id"],
            name=op.f("fk_acknowledgement_recall_id_recall"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("recall_id", "organisation_id", name=op.f("pk_acknowledgement")),
    )
    op.create_index(
        "ix_acknowledgement_organisation_id",
        "acknowledgement",
        ["organisation_id", "state"],
        unique=False,
    )
    op.create_table(
        "dispatch",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("notification_id", _BIG, nullable=False),
        sa.Column("channel_id", _BIG, nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tried_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(
            ["channel_id"],
            ["channel.id"],
            name=op.f("fk_dispatch_channel_id_channel"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["notification_id"],
            ["notification.id"],
            name=op.f("fk_dispatch_notification_id_notification"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dispatch")),
        sa.UniqueConstraint(
            "notification_id", "channel_id", name=op.f("uq_dispatch_notification_id_channel_id")
        ),
        sa.UniqueConstraint("public_id", name=op.f("uq_dispatch_public_id")),
    )
    op.create_index(op.f("ix_dispatch_channel_id"), "dispatch", ["channel_id"], unique=False)


def _make_what_names_others() -> None:
    op.create_table(
        "watch",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("profile_id", sa.Integer(), nullable=False),
        sa.Column("share_class_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("epoch", sa.SmallInteger(), nullable=False),
        sa.Column("facets", _BIG, nullable=False),
        sa.Column("tells", sa.String(32), nullable=False),
        sa.Column("deconflicts", sa.Boolean(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("end", sa.String(32), nullable=True),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name=op.f("fk_watch_organisation_id_organisation"),
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person_account.id"], name=op.f("fk_watch_person_id_person_account")
        ),
        sa.ForeignKeyConstraint(
            ["profile_id"], ["profile.id"], name=op.f("fk_watch_profile_id_profile")
        ),
        sa.ForeignKeyConstraint(
            ["share_class_id"], ["share_class.id"], name=op.f("fk_watch_share_class_id_share_class")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_watch")),
        sa.UniqueConstraint("public_id", name=op.f("uq_watch_public_id")),
    )
    op.create_index(op.f("ix_watch_expires_on"), "watch", ["expires_on"], unique=False)
    op.create_index(op.f("ix_watch_facets"), "watch", ["facets"], unique=False)
    op.create_index(
        "ix_watch_organisation_id_ended_at", "watch", ["organisation_id", "ended_at"], unique=False
    )
    op.create_table(
        "deconfliction",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("earlier_id", _BIG, nullable=False),
        sa.Column("later_id", _BIG, nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["earlier_id"],
            ["watch.id"],
            name=op.f("fk_deconfliction_earlier_id_watch"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["later_id"],
            ["watch.id"],
            name=op.f("fk_deconfliction_later_id_watch"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deconfliction")),
        sa.UniqueConstraint(
            "earlier_id", "later_id", name=op.f("uq_deconfliction_earlier_id_later_id")
        ),
        sa.UniqueConstraint("public_id", name=op.f("uq_deconfliction_public_id")),
    )
    op.create_index(op.f("ix_deconfliction_later_id"), "deconfliction", ["later_id"], unique=False)
    op.create_table(
        "legal_hold",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("report_id", _BIG, nullable=False),
        sa.Column("reason", sa.String(32), nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("released_by", sa.Uuid(), nullable=True),
        sa.Column("reminded_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name=op.f("fk_legal_hold_organisation_id_organisation"),
        ),
        sa.ForeignKeyConstraint(
            ["report_id"],
            ["report.id"],
            name=op.f("fk_legal_hold_report_id_report"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_legal_hold")),
        sa.UniqueConstraint("public_id", name=op.f("uq_legal_hold_public_id")),
    )
    op.create_index(
        op.f("ix_legal_hold_organisation_id"), "legal_hold", ["organisation_id"], unique=False
    )
    op.create_index(op.f("ix_legal_hold_report_id"), "legal_hold", ["report_id"], unique=False)
    op.create_table(
        "watch_token",
        sa.Column("token", sa.LargeBinary(length=16), nullable=False),
        sa.Column("watch_id", _BIG, nullable=False),
        sa.Column("facet", sa.SmallInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["watch_id"],
            ["watch.id"],
            name=op.f("fk_watch_token_watch_id_watch"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("token", "watch_id", "facet", name=op.f("pk_watch_token")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_watch_token_watch_id"), "watch_token", ["watch_id"], unique=False)
    op.create_table(
        "disclosure_request",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("requester_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("indicator", sa.Uuid(), nullable=False),
        sa.Column("indicator_id", _BIG, nullable=True),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("role", sa.String(32), nullable=False),
        sa.Column("lookup", sa.Uuid(), nullable=False),
        sa.Column("profile_id", sa.Integer(), nullable=False),
        sa.Column("purpose", sa.String(32), nullable=False),
        sa.Column("legal_basis", sa.String(32), nullable=False),
        sa.Column("case_tag", sa.LargeBinary(length=16), nullable=False),
        sa.Column("urgency", sa.String(32), nullable=False),
        sa.Column("asked", sa.JSON(), nullable=False),
        sa.Column("action", sa.String(32), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lapses_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("allowed_seconds", sa.Integer(), nullable=False),
        sa.Column("wakes_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("questioned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reminders", sa.SmallInteger(), nullable=False),
        sa.Column("escalated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["indicator_id"],
            ["indicator.id"],
            name=op.f("fk_disclosure_request_indicator_id_indicator"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["owner_id"],
            ["organisation.id"],
            name=op.f("fk_disclosure_request_owner_id_organisation"),
        ),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["person_account.id"],
            name=op.f("fk_disclosure_request_person_id_person_account"),
        ),
        sa.ForeignKeyConstraint(
            ["profile_id"], ["profile.id"], name=op.f("fk_disclosure_request_profile_id_profile")
        ),
        sa.ForeignKeyConstraint(
            ["requester_id"],
            ["organisation.id"],
            name=op.f("fk_disclosure_request_requester_id_organisation"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_disclosure_request")),
        sa.UniqueConstraint("public_id", name=op.f("uq_disclosure_request_public_id")),
    )
    op.create_index(
        op.f("ix_disclosure_request_indicator"), "disclosure_request", ["indicator"], unique=False
    )
    op.create_index(
        op.f("ix_disclosure_request_indicator_id"),
        "disclosure_request",
        ["indicator_id"],
        unique=False,
    )
    op.create_index(
        "ix_disclosure_request_owner_id_state",
        "disclosure_request",
        ["owner_id", "state", "due_at"],
        unique=False,
    )
    op.create_index(
        "ix_disclosure_request_requester_id_made_at",
        "disclosure_request",
        ["requester_id", "made_at"],
        unique=False,
    )
    op.create_index(
        "ix_disclosure_request_wakes_at", "disclosure_request", ["wakes_at"], unique=False
    )
    op.create_table(
        "envelope",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("report_id", _BIG, nullable=False),
        sa.Column("indicator_id", _BIG, nullable=True),
        sa.Column("part", sa.String(32), nullable=False),
        sa.Column("number", sa.SmallInteger(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("epoch", sa.SmallInteger(), nullable=False),
        sa.Column("token", sa.LargeBinary(length=16), nullable=False),
        sa.Column("record", sa.String(length=96), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["indicator_id"],
            ["indicator.id"],
            name=op.f("fk_envelope_indicator_id_indicator"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name=op.f("fk_envelope_organisation_id_organisation"),
        ),
        sa.ForeignKeyConstraint(
            ["report_id"],
            ["report.id"],
            name=op.f("fk_envelope_report_id_report"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_envelope")),
        sa.UniqueConstraint("public_id", name=op.f("uq_envelope_public_id")),
    )
    op.create_index(op.f("ix_envelope_indicator_id"), "envelope", ["indicator_id"], unique=False)
    op.create_index(op.f("ix_envelope_report_id"), "envelope", ["report_id"], unique=False)
    op.create_table(
        "watch_match",
        sa.Column("watch_id", _BIG, nullable=False),
        sa.Column("indicator_id", _BIG, nullable=False),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.Column("band", sa.String(32), nullable=False),
        sa.Column("matched_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("judged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tells_requester", sa.Boolean(), nullable=False),
        sa.Column("tells_owner", sa.Boolean(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["indicator_id"],
            ["indicator.id"],
            name=op.f("fk_watch_match_indicator_id_indicator"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["watch_id"],
            ["watch.id"],
            name=op.f("fk_watch_match_watch_id_watch"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("watch_id", "indicator_id", name=op.f("pk_watch_match")),
    )
    op.create_index(
        op.f("ix_watch_match_indicator_id"), "watch_match", ["indicator_id"], unique=False
    )
    op.create_table(
        "decision",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("request_id", _BIG, nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("answer", sa.String(32), nullable=False),
        sa.Column("reason", sa.String(32), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("second_id", sa.Integer(), nullable=True),
        sa.Column("judged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("review_due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reminders", sa.SmallInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person_account.id"], name=op.f("fk_decision_person_id_person_account")
        ),
        sa.ForeignKeyConstraint(
            ["request_id"],
            ["disclosure_request.id"],
            name=op.f("fk_decision_request_id_disclosure_request"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["second_id"], ["person_account.id"], name=op.f("fk_decision_second_id_person_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decision")),
        sa.UniqueConstraint("public_id", name=op.f("uq_decision_public_id")),
    )
    op.create_index(op.f("ix_decision_request_id"), "decision", ["request_id"], unique=False)
    op.create_index(op.f("ix_decision_review_due_at"), "decision", ["review_due_at"], unique=False)
    op.create_table(
        "disclosure_message",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("request_id", _BIG, nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("record", sa.String(length=96), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name=op.f("fk_disclosure_message_organisation_id_organisation"),
        ),
        sa.ForeignKeyConstraint(
            ["request_id"],
            ["disclosure_request.id"],
            name=op.f("fk_disclosure_message_request_id_disclosure_request"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_disclosure_message")),
        sa.UniqueConstraint("public_id", name=op.f("uq_disclosure_message_public_id")),
    )
    op.create_index(
        op.f("ix_disclosure_message_request_id"), "disclosure_message", ["request_id"], unique=False
    )
    op.create_table(
        "delivery",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("request_id", _BIG, nullable=False),
        sa.Column("decision_id", _BIG, nullable=False),
        sa.Column("part", sa.String(32), nullable=False),
        sa.Column("number", sa.SmallInteger(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("epoch", sa.SmallInteger(), nullable=False),
        sa.Column("token", sa.LargeBinary(length=16), nullable=False),
        sa.Column("record", sa.String(length=96), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("available_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("fetched_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("receipt", sa.LargeBinary(length=64), nullable=True),
        sa.Column("receipt_kid", sa.LargeBinary(length=16), nullable=True),
        sa.Column("check", sa.String(32), nullable=True),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["decision_id"],
            ["decision.id"],
            name=op.f("fk_delivery_decision_id_decision"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["request_id"],
            ["disclosure_request.id"],
            name=op.f("fk_delivery_request_id_disclosure_request"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery")),
        sa.UniqueConstraint(
            "decision_id", "part", "number", name=op.f("uq_delivery_decision_id_part_number")
        ),
        sa.UniqueConstraint("public_id", name=op.f("uq_delivery_public_id")),
    )
    op.create_index(op.f("ix_delivery_expires_at"), "delivery", ["expires_at"], unique=False)
    op.create_index(op.f("ix_delivery_request_id"), "delivery", ["request_id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("indicator") as indicator:
        indicator.drop_column("restricted_at")
        indicator.drop_column("amended_at")
    for table in reversed(_TABLES):
        op.drop_table(table)


_TABLES = (
    "outbox",
    "channel",
    "contact_point",
    "disclosure_rules",
    "given",
    "key_alarm",
    "organisation_key",
    "outcome",
    "recall",
    "subject_request",
    "acknowledgement",
    "dispatch",
    "watch",
    "deconfliction",
    "legal_hold",
    "watch_token",
    "disclosure_request",
    "envelope",
    "watch_match",
    "decision",
    "disclosure_message",
    "delivery",
)
"""In the order in which they are made."""
