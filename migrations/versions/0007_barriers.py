"""barriers: models and which is used, tags by steps, registered barriers, cells of the board

Revision ID: 0007
Revises: 0006

What a version of a model says never changes, nor does one that was decided on, a choice or a tag:
triggers say so to everybody.

Each report gets a key of 32 random bits. The way back forgets all of it, with the share classes of
barriers and the API tokens for them, which nothing older can read.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    _add_keys()
    _make_models()
    _make_tags()
    _make_barriers()
    _make_cells()
    for refused in _STANDING:
        _let_stand(*refused)


def downgrade() -> None:
    for refused in reversed(_STANDING):
        _let_go(*refused)
    for table in (
        *("stat_told", "stat_signal", "stat_point", "stat_cell", "stat_shape", "stat_seen"),
        *(
            "stat_change",
            "stat_intake",
            "stat_closing",
            "barrier",
            "step_tag_signal",
            "step_tag",
            "model_choice",
        ),
        *("barrier_model_version", "barrier_model"),
    ):
        op.drop_table(table)
    with op.batch_alter_table("report") as report:
        report.drop_column("key")
    op.execute(
        "DELETE FROM share_grant WHERE share_class_id IN"
        " (SELECT id FROM share_class WHERE attributes ->> 'kind' = 'barrier')"
    )
    op.execute("DELETE FROM share_class WHERE attributes ->> 'kind' = 'barrier'")
    op.execute("DELETE FROM api_token WHERE CAST(scopes AS TEXT) LIKE '%\"barriers:%'")


def _add_keys() -> None:
    op.add_column("report", sa.Column("key", sa.BigInteger(), nullable=True))
    if op.get_bind().dialect.name == "sqlite":
        op.execute("UPDATE report SET key = random() & 4294967295")
    else:
        op.execute(
            "UPDATE report SET key = ('x' || substr(md5(gen_random_uuid()::text ||"
            " gen_random_uuid()::text), 1, 8))::bit(32)::bigint"
        )
    with op.batch_alter_table("report") as report:
        report.alter_column("key", nullable=False)


def _make_models() -> None:
    op.create_table(
        "barrier_model",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=True),
        sa.Column("community_id", sa.Integer(), nullable=True),
        sa.Column("document_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("current_id", sa.BigInteger(), nullable=True),
        _to("barrier_model", "organisation_id", "organisation"),
        _to("barrier_model", "community_id", "community", ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_barrier_model")),
        sa.UniqueConstraint(
            "organisation_id",
            "document_id",
            name=op.f("uq_barrier_model_organisation_id_document_id"),
        ),
        sa.UniqueConstraint("public_id", name=op.f("uq_barrier_model_public_id")),
    )
    _index("barrier_model", "community_id")
    platforms = sa.text("organisation_id IS NULL")
    op.create_index(
        "uq_barrier_model_platform_document_id",
        "barrier_model",
        ["document_id"],
        unique=True,
        sqlite_where=platforms,
        postgresql_where=platforms,
    )
    op.create_table(
        "barrier_model_version",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("model_id", _BIG, nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("title", sa.String(length=160), nullable=False),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("steps", sa.SmallInteger(), nullable=False),
        sa.Column("proposed_at", _MOMENT, nullable=False),
        sa.Column("proposed_by", sa.Uuid(), nullable=True),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("decided_at", _MOMENT, nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("note", sa.String(length=500), nullable=True),
        _to("barrier_model_version", "model_id", "barrier_model", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_barrier_model_version")),
        sa.UniqueConstraint("model_id", "seq", name=op.f("uq_barrier_model_version_model_id_seq")),
    )
    op.create_index(
        "ix_barrier_model_version_state_proposed_at",
        "barrier_model_version",
        ["state", "proposed_at"],
        unique=False,
    )
    op.create_table(
        "model_choice",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=True),
        sa.Column("community_id", sa.Integer(), nullable=True),
        sa.Column("model_id", _BIG, nullable=False),
        sa.Column("since", _MOMENT, nullable=False),
        sa.Column("chosen_by", sa.Uuid(), nullable=True),
        _to("model_choice", "organisation_id", "organisation"),
        _to("model_choice", "community_id", "community", ondelete="CASCADE"),
        _to("model_choice", "model_id", "barrier_model"),
        sa.CheckConstraint(
            "(organisation_id IS NULL) <> (community_id IS NULL)",
            name=op.f("ck_model_choice_one_chooser"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_model_choice")),
    )
    _index("model_choice", "organisation_id")
    _index("model_choice", "community_id")


def _make_tags() -> None:
    op.create_table(
        "step_tag",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("report_id", _BIG, nullable=True),
        sa.Column("pattern_id", _BIG, nullable=True),
        sa.Column("outcome_id", _BIG, nullable=True),
        sa.Column("version_id", _BIG, nullable=False),
        sa.Column("step", sa.SmallInteger(), nullable=True),
        sa.Column("suggested", sa.JSON(), nullable=False),
        sa.Column("rejected", sa.JSON(), nullable=False),
        sa.Column("made_at", _MOMENT, nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        _to("step_tag", "organisation_id", "organisation"),
        _to("step_tag", "report_id", "report", ondelete="CASCADE"),
        _to("step_tag", "pattern_id", "pattern", ondelete="CASCADE"),
        _to("step_tag", "outcome_id", "outcome", ondelete="CASCADE"),
        _to("step_tag", "version_id", "barrier_model_version"),
        sa.CheckConstraint(
            "CASE WHEN report_id IS NULL THEN 0 ELSE 1 END"
            " + CASE WHEN pattern_id IS NULL THEN 0 ELSE 1 END"
            " + CASE WHEN outcome_id IS NULL THEN 0 ELSE 1 END = 1",
            name=op.f("ck_step_tag_one_subject"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_step_tag")),
    )
    for column in ("organisation_id", "report_id", "pattern_id", "outcome_id", "version_id"):
        _index("step_tag", column)
    op.create_table(
        "step_tag_signal",
        sa.Column("tag_id", _BIG, nullable=False),
        sa.Column("signal", sa.String(length=48), nullable=False),
        _to("step_tag_signal", "tag_id", "step_tag", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tag_id", "signal", name=op.f("pk_step_tag_signal")),
    )


def _make_barriers() -> None:
    op.create_table(
        "barrier",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("version_id", _BIG, nullable=False),
        sa.Column("step", sa.SmallInteger(), nullable=False),
        sa.Column("barrier_key", sa.String(length=48), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=True),
        sa.Column("point_operator", sa.String(length=40), nullable=True),
        sa.Column("point_code", sa.String(length=40), nullable=True),
        sa.Column("from_day", sa.Date(), nullable=False),
        sa.Column("to_day", sa.Date(), nullable=True),
        sa.Column("cost", sa.String(32), nullable=False),
        sa.Column("legal_basis", sa.String(32), nullable=False),
        sa.Column("tlp", sa.String(32), nullable=False),
        sa.Column("handling", sa.JSON(), nullable=False),
        sa.Column("source_grade", sa.String(32), nullable=False),
        sa.Column("information_grade", sa.String(32), nullable=False),
        sa.Column("assertion", sa.String(32), nullable=False),
        sa.Column("share_class_id", sa.Integer(), nullable=False),
        sa.Column("seen_day", sa.SmallInteger(), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=False),
        sa.Column("registered_at", _MOMENT, nullable=False),
        sa.Column("registered_by", sa.Uuid(), nullable=False),
        sa.Column("changed_at", _MOMENT, nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=False),
        sa.Column("reminded_at", _MOMENT, nullable=True),
        _to("barrier", "organisation_id", "organisation"),
        _to("barrier", "version_id", "barrier_model_version"),
        _to("barrier", "share_class_id", "share_class"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_barrier")),
        sa.UniqueConstraint("public_id", name=op.f("uq_barrier_public_id")),
    )
    for name, columns in (
        (op.f("ix_barrier_version_id"), ["version_id"]),
        (op.f("ix_barrier_share_class_id"), ["share_class_id"]),
        ("ix_barrier_expires_on", ["expires_on"]),
        ("ix_barrier_organisation_id_expires_on", ["organisation_id", "expires_on"]),
    ):
        op.create_index(name, "barrier", columns, unique=False)


def _make_cells() -> None:
    op.create_table(
        "stat_closing",
        sa.Column("week", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("closed_at", _MOMENT, nullable=False),
        sa.Column("mark", sa.BigInteger(), nullable=False),
        sa.Column("reports", sa.Integer(), nullable=False),
        sa.Column("done_at", _MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("week", name=op.f("pk_stat_closing")),
    )
    op.create_table(
        "stat_intake",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.SmallInteger(), nullable=False),
        sa.Column("since", sa.SmallInteger(), nullable=False),
        sa.Column("until", sa.SmallInteger(), nullable=True),
        sa.Column("reports", sa.Integer(), nullable=False),
        sa.Column("counted_at", _MOMENT, nullable=True),
        sa.Column("compared_at", _MOMENT, nullable=True),
        _to("stat_intake", "organisation_id", "organisation"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stat_intake")),
        sa.UniqueConstraint(
            "organisation_id",
            "day",
            "since",
            name=op.f("uq_stat_intake_organisation_id_day_since"),
        ),
    )
    op.create_table(
        "stat_change",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.SmallInteger(), nullable=False),
        _to("stat_change", "organisation_id", "organisation"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stat_change")),
    )
    op.create_table(
        "stat_seen",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("intake_id", sa.BigInteger(), nullable=False),
        sa.Column("report_id", sa.BigInteger(), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("share_class_id", sa.Integer(), nullable=False),
        sa.Column("week", sa.SmallInteger(), nullable=False),
        sa.Column("ends", sa.SmallInteger(), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=True),
        sa.Column("operator", sa.String(length=40), nullable=True),
        sa.Column("code", sa.String(length=40), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stat_seen")),
    )
    op.create_table(
        "stat_shape",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("faces", sa.Text(), nullable=False),
        sa.Column("shift", sa.SmallInteger(), nullable=False),
        sa.Column("ends", sa.SmallInteger(), nullable=False),
        _to("stat_shape", "organisation_id", "organisation"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stat_shape")),
        sa.UniqueConstraint(
            "organisation_id", "faces", name=op.f("uq_stat_shape_organisation_id_faces")
        ),
    )
    _cell_table(
        "stat_cell",
        sa.Column("step", sa.SmallInteger(), nullable=False),
        sa.Column("origin", sa.String(length=2), nullable=False),
        sa.Column("destination", sa.String(length=2), nullable=False),
        sa.Column("substance", sa.String(length=32), nullable=False),
        sa.Column("concealment", sa.String(length=32), nullable=False),
    )
    _cell_table(
        "stat_point",
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("operator", sa.String(length=40), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
    )
    _cell_table(
        "stat_signal",
        sa.Column("step", sa.SmallInteger(), nullable=False),
        sa.Column("signal", sa.String(length=64), nullable=False),
    )
    op.create_table(
        "stat_told",
        sa.Column("profile_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(length=32), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("asked_at", _MOMENT, nullable=False),
        _to("stat_told", "profile_id", "profile", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("profile_id", name=op.f("pk_stat_told")),
    )


def _cell_table(name: str, *dimensions: sa.Column[object]) -> None:
    """Counts of an intake by shape, week and dimensions, with the sum of the keys counted."""
    op.create_table(
        name,
        sa.Column("id", _BIG, nullable=False),
        sa.Column("intake_id", _BIG, nullable=False),
        sa.Column("shape_id", _BIG, nullable=False),
        sa.Column("week", sa.SmallInteger(), nullable=False),
        *dimensions,
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("keys", sa.BigInteger(), nullable=False),
        _to(name, "intake_id", "stat_intake", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{name}")),
    )
    _index(name, "intake_id")
    _index(name, "shape_id")


def _to(
    table: str, column: str, other: str, key: str = "id", *, ondelete: str | None = None
) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_{column}_{other}")
    return sa.ForeignKeyConstraint([column], [f"{other}.{key}"], name=name, ondelete=ondelete)


def _index(table: str, column: str) -> None:
    op.create_index(op.f(f"ix_{table}_{column}"), table, [column], unique=False)


_TEXT = ("model_id", "seq", "number", "text", "sha256", "title", "status", "steps")
_WITH_MODEL = "EXISTS (SELECT 1 FROM barrier_model m WHERE m.id = OLD.model_id)"

# Table, name of the rule, event, when it is refused, and what is said then.
_STANDING = (
    (
        "barrier_model_version",
        "rewrite",
        f"UPDATE OF id, {', '.join(_TEXT)}, proposed_at, proposed_by",
        "OLD.id = OLD.id",
        "the text of a version of a barrier model never changes",
    ),
    (
        "barrier_model_version",
        "change",
        "UPDATE",
        "OLD.state <> 'proposed'",
        "a version of a barrier model that was decided on never changes",
    ),
    (
        "barrier_model_version",
        "delete",
        "DELETE",
        f"OLD.state = 'published' AND {_WITH_MODEL}",
        "a version of a barrier model that was in force stays",
    ),
    ("model_choice", "change", "UPDATE", "OLD.id = OLD.id", "a choice of a model never changes"),
    ("step_tag", "change", "UPDATE", "OLD.id = OLD.id", "a tag never changes"),
    ("step_tag_signal", "change", "UPDATE", "OLD.tag_id = OLD.tag_id", "a tag never changes"),
)


def _let_stand(table: str, rule: str, event: str, condition: str, refusal: str) -> None:
    name = f"{table}_no_{rule}"
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            f"CREATE TRIGGER {name} BEFORE {event} ON {table} WHEN {condition} "
            f"BEGIN SELECT RAISE(ABORT, '{refusal}'); END"
        )
        return
    # A condition of a trigger cannot ask another table, so the function asks.
    op.execute(
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF {condition} THEN RAISE EXCEPTION '{refusal}'; END IF; "
        f"RETURN {'OLD' if event == 'DELETE' else 'NEW'}; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()"
    )


def _let_go(table: str, rule: str, _event: str, _condition: str, _refusal: str) -> None:
    name = f"{table}_no_{rule}"
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    op.execute(f"DROP TRIGGER {name}{'' if is_sqlite else f' ON {table}'}")
    if not is_sqlite:
        op.execute(f"DROP FUNCTION {name}()")
