"""the log as a tree: places, tiles, checkpoints, witnesses; compact details; months on PostgreSQL

Revision ID: 0003
Revises: 0002

Entries that exist keep their bytes and wait in the queue for their place. Details are stored as
the bytes that their base64url stood for, newer records and leaves packed; downgrading writes them
again as they were hashed. It refuses while entries stand in archives, which it could not bring
back.
"""

import base64
import hashlib
import json
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_KEPT = ("audit_entry", "audit_audience")
"""Tables whose rows are never changed or deleted; a trigger says so to everybody."""

_ALSO_KEPT = ("audit_seq",)

_PARTITIONED = ("audit_entry", "audit_detail", "audit_audience", "audit_object")
_MONTHS_AHEAD = 3
_BATCH = 1000

_WORDS_OF_RECORD = ("doer", "basis", "obj")
"""Columns of audit_audience that 0002 does not have."""

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _make_tables()
    op.execute("INSERT INTO audit_state (k, size) VALUES (1, 0)")
    for table in _KEPT:
        _allow_change(table)
    _rebuild(_new_tables())
    _make_functions()
    for table in _ALSO_KEPT:
        _refuse_change(table)
    for table in _KEPT:
        _refuse_change(table)
    _refuse_change_of_checkpoints()


def downgrade() -> None:
    if op.get_bind().scalar(sa.text("SELECT count(*) FROM audit_archive")):
        raise RuntimeError("Entries stand in archives. Restore a backup of the former schema.")
    for table in (*_KEPT, *_ALSO_KEPT, "audit_checkpoint"):
        _allow_change(table)
    _drop_functions()
    _restore(_old_tables())
    for table in _KEPT:
        _refuse_change_as_before(table)
    _drop_tables()


def _new_tables() -> dict[str, list[sa.Column[Any]]]:
    return {
        "audit_entry": [
            sa.Column("eid", _BIG, nullable=False),
            sa.Column("t", sa.BigInteger(), nullable=False),
            sa.Column("act", sa.String(64), nullable=False),
            sa.Column("org", sa.String(64), nullable=False),
            sa.Column("rec", sa.LargeBinary(), nullable=False),
            sa.Column("leaf", sa.LargeBinary(), nullable=False),
        ],
        "audit_detail": [
            sa.Column("eid", _BIG, nullable=False),
            sa.Column("t", sa.BigInteger(), nullable=False),
            sa.Column("actor", sa.LargeBinary(), nullable=True),
            sa.Column("casref", sa.String(128), nullable=True),
            sa.Column("disc", sa.LargeBinary(), nullable=False),
        ],
        "audit_audience": [
            sa.Column("org", sa.String(64), nullable=False),
            sa.Column("t", sa.BigInteger(), nullable=False),
            sa.Column("eid", _BIG, nullable=False),
            sa.Column("act", sa.String(64), nullable=False),
            sa.Column("doer", sa.String(64), nullable=False),
            sa.Column("out", sa.String(8), nullable=False),
            sa.Column("purpose", sa.String(32), nullable=False),
            sa.Column("basis", sa.String(32), nullable=False),
            sa.Column("obj", sa.String(32), nullable=False),
        ],
        "audit_object": [
            sa.Column("about", sa.LargeBinary(16), nullable=False),
            sa.Column("t", sa.BigInteger(), nullable=False),
            sa.Column("eid", _BIG, nullable=False),
        ],
        "audit_queue": [
            sa.Column("eid", _BIG, nullable=False, autoincrement=False),
            sa.Column("t", sa.BigInteger(), nullable=False),
        ],
    }


def _old_tables() -> dict[str, list[sa.Column[Any]]]:
    new = _new_tables()
    return {
        "audit_entry": new["audit_entry"],
        "audit_detail": [
            sa.Column("eid", _BIG, nullable=False),
            sa.Column("actor", sa.String(64), nullable=True),
            sa.Column("casref", sa.String(128), nullable=True),
            sa.Column("disc", sa.Text(), nullable=False),
        ],
        "audit_audience": [
            column for column in new["audit_audience"] if column.name not in _WORDS_OF_RECORD
        ],
        "audit_queue": [sa.Column("eid", _BIG, nullable=False)],
    }


_KEYS = {
    "audit_entry": ("eid",),
    "audit_detail": ("eid",),
    "audit_audience": ("org", "t", "eid"),
    "audit_object": ("about", "t", "eid"),
    "audit_queue": ("eid",),
}
_WITHOUT_ROWID = ("audit_audience", "audit_object")
_FORMER = "former_"


def _rebuild(tables: dict[str, list[sa.Column[Any]]]) -> None:
    """Make the tables anew beside the former ones, move every row, drop the former ones."""
    former = [name for name in tables if name != "audit_object"]
    _set_aside(former)
    for name, columns in tables.items():
        _make(name, columns, in_months=name in _PARTITIONED)
    _make_months()
    _move("audit_entry", ("eid", "t", "act", "org", "rec", "leaf"))
    _move_audience()
    op.execute(
        "INSERT INTO audit_queue (eid, t) SELECT q.eid, e.t FROM former_audit_queue q"
        " JOIN audit_entry e ON e.eid = q.eid"
    )
    _pack_details()
    _drop_former(former)


def _restore(tables: dict[str, list[sa.Column[Any]]]) -> None:
    former = [*tables, "audit_object"]
    _set_aside(former)
    for name, columns in tables.items():
        _make(name, columns, in_months=False, refer=name != "audit_entry")
    _move("audit_entry", ("eid", "t", "act", "org", "rec", "leaf"))
    _unpack_entries()
    _move("audit_audience", ("org", "t", "eid", "act", "out", "purpose"))
    op.execute("INSERT INTO audit_queue (eid) SELECT eid FROM audit_entry")  # the tree goes
    _unpack_details()
    _drop_former(former)


def _is_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"


def _set_aside(names: list[str]) -> None:
    """Rename tables; what bears a name that the new ones need goes."""
    if "audit_detail" in names:
        op.drop_index("ix_audit_detail_actor", table_name="audit_detail")
        op.drop_index("ix_audit_detail_casref", table_name="audit_detail")
    if not _is_sqlite():
        op.execute("ALTER SEQUENCE audit_entry_eid_seq OWNED BY NONE")
        for name in names:
            if name in {"audit_detail", "audit_audience", "audit_queue"}:
                op.execute(
                    f"ALTER TABLE {name} DROP CONSTRAINT IF EXISTS fk_{name}_eid_audit_entry"
                )
        for name in names:
            op.execute(f"ALTER TABLE {name} DROP CONSTRAINT pk_{name}")
    for name in names:
        op.rename_table(name, _FORMER + name)


def _make(
    name: str, columns: list[sa.Column[Any]], *, in_months: bool, refer: bool = False
) -> None:
    key = list(_KEYS[name])
    if in_months and not _is_sqlite() and "t" not in key:
        key.append("t")
    constraints: list[sa.Constraint] = [sa.PrimaryKeyConstraint(*key, name=f"pk_{name}")]
    if refer:
        constraints.append(
            sa.ForeignKeyConstraint(["eid"], ["audit_entry.eid"], name=f"fk_{name}_eid_audit_entry")
        )
    options: dict[str, Any] = {}
    if name in _WITHOUT_ROWID:
        options["sqlite_with_rowid"] = False
    if in_months:
        options["postgresql_partition_by"] = "RANGE (t)"
    op.create_table(name, *columns, *constraints, **options)
    if name == "audit_detail":
        op.create_index("ix_audit_detail_actor", name, ["actor"])
        op.create_index("ix_audit_detail_casref", name, ["casref"])
    if name == "audit_entry" and not _is_sqlite():
        default = "nextval('audit_entry_eid_seq'::regclass)"
        op.execute(f"ALTER TABLE audit_entry ALTER COLUMN eid SET DEFAULT {default}")
        op.execute("ALTER SEQUENCE audit_entry_eid_seq OWNED BY audit_entry.eid")


def _make_months() -> None:
    """A partition for each month that has entries, for some to come, and one for what is left."""
    if _is_sqlite():
        return
    oldest = op.get_bind().scalar(sa.text("SELECT min(t) FROM former_audit_entry"))
    today = datetime.now(UTC)
    first = datetime.fromtimestamp(oldest / 1000, UTC) if oldest else today
    for number in range(_number(first), _number(today) + _MONTHS_AHEAD + 1):
        since, until = _beginning(number), _beginning(number + 1)
        suffix = f"y{number // 12:04d}m{number % 12 + 1:02d}"
        for table in _PARTITIONED:
            op.execute(
                f"CREATE TABLE {table}_{suffix} PARTITION OF {table}"
                f" FOR VALUES FROM ({since}) TO ({until})"
            )
    for table in _PARTITIONED:
        op.execute(f"CREATE TABLE {table}_other PARTITION OF {table} DEFAULT")


_FUNCTIONS = (
    "audit_month_begins(integer)",
    "audit_month_name(text, integer)",
    "audit_make_months(integer, integer)",
    "audit_leave_month(integer)",
)
_FUNCTION_TEXTS = Path(__file__).parent.parent / "sql" / "0003_months.sql"


def _make_functions() -> None:
    if _is_sqlite():
        return
    for statement in _FUNCTION_TEXTS.read_text("utf-8").split("\n----\n"):
        op.execute(statement)
    for function in _FUNCTIONS:
        op.execute(f"REVOKE ALL ON FUNCTION {function} FROM PUBLIC")


def _drop_functions() -> None:
    if not _is_sqlite():
        for function in reversed(_FUNCTIONS):
            op.execute(f"DROP FUNCTION {function}")


def _number(day: datetime) -> int:
    return day.year * 12 + day.month - 1


def _beginning(number: int) -> int:
    return int(datetime(number // 12, number % 12 + 1, 1, tzinfo=UTC).timestamp()) * 1000


def _move(name: str, columns: tuple[str, ...]) -> None:
    listed = ", ".join(columns)
    op.execute(f"INSERT INTO {name} ({listed}) SELECT {listed} FROM {_FORMER}{name}")  # noqa: S608


def _move_audience() -> None:
    """Each row with the words of its record that it did not repeat before."""
    columns = ("org", "t", "eid", "act", "doer", "out", "purpose", "basis", "obj")
    audience = sa.table("audit_audience", *map(sa.column, columns))
    query = "SELECT eid, rec FROM audit_entry WHERE eid > :after ORDER BY eid LIMIT :most"
    for rows in _batches(query):
        records = {row.eid: json.loads(bytes(row.rec)) for row in rows}
        former = op.get_bind().execute(
            sa.text(
                "SELECT org, t AS moment, eid, act, out, purpose FROM former_audit_audience"
                " WHERE eid >= :first AND eid <= :last"
            ),
            {"first": rows[0].eid, "last": rows[-1].eid},
        )
        told = [
            {
                "org": row.org,
                "t": row.moment,
                "eid": row.eid,
                "act": row.act,
                "doer": records[row.eid]["org"],
                "out": row.out,
                "purpose": row.purpose,
                "basis": records[row.eid]["basis"],
                "obj": records[row.eid]["obj"],
            }
            for row in former
        ]
        op.bulk_insert(audience, told)


def _pack_details() -> None:
    detail = sa.table("audit_detail", *map(sa.column, ("eid", "t", "actor", "casref", "disc")))
    about = sa.table("audit_object", *map(sa.column, ("about", "t", "eid")))
    query = (
        "SELECT d.eid, e.t AS moment, d.actor, d.casref, d.disc FROM former_audit_detail d"
        " JOIN audit_entry e ON e.eid = d.eid WHERE d.eid > :after ORDER BY d.eid LIMIT :most"
    )
    for rows in _batches(query):
        details, objects = [], []
        for row in rows:
            openings = [_decoded(line) for line in row.disc.splitlines()]
            details.append(
                {
                    "eid": row.eid,
                    "t": row.moment,
                    "actor": None if row.actor is None else _person_key(row.actor),
                    "casref": row.casref,
                    "disc": b"\n".join(openings),
                }
            )
            for opening in openings:
                _salt, field, value = json.loads(opening)
                if field == "objects":
                    objects += [
                        {"about": key, "t": row.moment, "eid": row.eid}
                        for key in sorted({_object_key(str(one)) for one in value})
                    ]
        op.bulk_insert(detail, details)
        if objects:
            op.bulk_insert(about, objects)


def _unpack_entries() -> None:
    """Older code reads records and leaves as they were hashed."""
    entry = sa.table("audit_entry", *map(sa.column, ("eid", "rec", "leaf")))
    change = (
        sa.update(entry)
        .where(entry.c.eid == sa.bindparam("number"))
        .values(rec=sa.bindparam("record"), leaf=sa.bindparam("whole"))
    )
    query = "SELECT eid, rec, leaf FROM audit_entry WHERE eid > :after ORDER BY eid LIMIT :most"
    for rows in _batches(query):
        plain = [
            {
                "number": row.eid,
                "record": _unpacked_record(bytes(row.rec)),
                "whole": _unpacked_leaf(bytes(row.leaf)),
            }
            for row in rows
        ]
        op.get_bind().execute(change, plain)


def _unpack_details() -> None:
    detail = sa.table("audit_detail", *map(sa.column, ("eid", "actor", "casref", "disc")))
    query = (
        "SELECT eid, actor, casref, disc FROM former_audit_detail"
        " WHERE eid > :after ORDER BY eid LIMIT :most"
    )
    for rows in _batches(query):
        details = [
            {
                "eid": row.eid,
                "actor": None if row.actor is None else _person(bytes(row.actor)),
                "casref": row.casref,
                "disc": "\n".join(map(_encoded, bytes(row.disc).split(b"\n"))) if row.disc else "",
            }
            for row in rows
        ]
        op.bulk_insert(detail, details)


def _batches(query: str) -> Iterator[list[sa.Row[Any]]]:
    after = -1
    while True:
        rows = list(op.get_bind().execute(sa.text(query), {"after": after, "most": _BATCH}))
        if not rows:
            return
        after = rows[-1].eid
        yield rows


def _drop_former(names: list[str]) -> None:
    for name in reversed(names):
        op.drop_table(_FORMER + name)


_PACKED = b"\x01"
_RECORD_WORDS = (
    b"indicator.shared.export.list.readreport.submit.withdrawevaluation.evaluatesession.startpolicy"
    b"lookup.listaudit.readpolice_lawcustoms_lawpostal_lawpublic_taskcourt_orderlegal_obligation"
    b"legitimate_interestparcel_screeningcustoms_controlcriminal_intelligencerisk_analysis"
    b'service_security"refusal":"reason":"filters":"viewer":"person":"indicators":"levels":"by":"'
    b'denied","obj":"report","obj":"indicator","act":"indicator.match","aud":["post-be"],"f":{"by":"'
    b'{"act":"lookup.ask","aud":["police-de"],"basis":"criminal_procedure","f":{"actor":"","case":"",'
    b'"hits":"","means":"","objects":"","policies":"","query":""},"id":"","n":1,"obj":"lookup",'
    b'"org":"police-de","out":"ok","purpose":"criminal_investigation","rh":"","t":179,"v":1}'
)


def _unpacked_record(stored: bytes) -> bytes:
    if not stored.startswith(_PACKED):
        return stored
    inflating = zlib.decompressobj(-12, zdict=_RECORD_WORDS)
    return inflating.decompress(stored[1:]) + inflating.flush()


def _unpacked_leaf(stored: bytes) -> bytes:
    if not stored.startswith(_PACKED):
        return stored
    nonce, *tags = (_encoded(stored[at : at + 12]) for at in range(33, len(stored), 12))
    fields = {"a": tags, "c": _encoded(stored[1:33]), "n": nonce, "v": 1}
    return json.dumps(fields, separators=(",", ":")).encode()


def _decoded(line: str) -> bytes:
    return base64.urlsafe_b64decode(line + "=" * (-len(line) % 4))


def _encoded(opening: bytes) -> str:
    return base64.urlsafe_b64encode(opening).rstrip(b"=").decode()


def _person_key(actor: str) -> bytes:
    try:
        return UUID(actor).bytes
    except ValueError:
        return actor.encode()


def _person(key: bytes) -> str:
    return str(UUID(bytes=key)) if len(key) == 16 else key.decode()  # noqa: PLR2004 - a UUID


def _object_key(identifier: str) -> bytes:
    try:
        return UUID(identifier).bytes
    except ValueError:
        return hashlib.sha256(identifier.encode()).digest()[:16]


def _refuse_change(table: str) -> None:
    if _is_sqlite():
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
    # Row by row it reaches the partitions too, whichever table a statement names.
    op.execute(
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
        f"FOR EACH ROW EXECUTE FUNCTION {table}_append_only()"
    )
    op.execute(
        f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_append_only()"
    )


_LASTING = (
    "OLD.size = (SELECT max(size) FROM audit_checkpoint)"
    " OR EXISTS (SELECT 1 FROM audit_cosignature c WHERE c.size = OLD.size)"
)
"""A checkpoint that may never go; the others may, once nobody waits for them."""


def _refuse_change_of_checkpoints() -> None:
    """No checkpoint changes, and none that a witness cosigned or that is the newest goes."""
    if _is_sqlite():
        for verb, condition in (("UPDATE", "1"), ("DELETE", _LASTING)):
            op.execute(
                f"CREATE TRIGGER audit_checkpoint_no_{verb.lower()} BEFORE {verb} "
                f"ON audit_checkpoint WHEN {condition} "
                "BEGIN SELECT RAISE(ABORT, 'this row of audit_checkpoint lasts'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION audit_checkpoint_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ "
        f"BEGIN IF TG_OP = 'DELETE' AND TG_LEVEL = 'ROW' THEN IF NOT ({_LASTING}) THEN RETURN OLD; "
        "END IF; END IF; RAISE EXCEPTION 'this row of audit_checkpoint lasts'; END $$"
    )
    op.execute(
        "CREATE TRIGGER audit_checkpoint_append_only BEFORE UPDATE OR DELETE ON audit_checkpoint "
        "FOR EACH ROW EXECUTE FUNCTION audit_checkpoint_append_only()"
    )
    op.execute(
        "CREATE TRIGGER audit_checkpoint_no_truncate BEFORE TRUNCATE ON audit_checkpoint "
        "FOR EACH STATEMENT EXECUTE FUNCTION audit_checkpoint_append_only()"
    )


def _refuse_change_as_before(table: str) -> None:
    if _is_sqlite():
        _refuse_change(table)
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
    if _is_sqlite():
        for verb in ("update", "delete"):
            op.execute(f"DROP TRIGGER {table}_no_{verb}")
        return
    op.execute(f"DROP TRIGGER IF EXISTS {table}_no_truncate ON {table}")
    op.execute(f"DROP TRIGGER {table}_append_only ON {table}")
    op.execute(f"DROP FUNCTION {table}_append_only()")


def _make_tables() -> None:
    op.create_table(
        "audit_archive",
        sa.Column(
            "first",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("length", sa.BigInteger(), nullable=False),
        sa.Column("t_first", sa.BigInteger(), nullable=False),
        sa.Column("t_last", sa.BigInteger(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("first", name=op.f("pk_audit_archive")),
    )
    op.create_table(
        "audit_archive_key",
        sa.Column("org", sa.String(length=64), nullable=False),
        sa.Column("month", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("org", "month", name=op.f("pk_audit_archive_key")),
    )
    op.create_table(
        "audit_checkpoint",
        sa.Column(
            "size",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("root", sa.LargeBinary(length=32), nullable=False),
        sa.Column("t", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("size", name=op.f("pk_audit_checkpoint")),
    )
    op.create_table(
        "audit_erasure",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("org", sa.String(length=64), nullable=False),
        sa.Column("wanted", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("done_at", sa.BigInteger(), nullable=True),
        sa.Column("erased", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_erasure")),
    )
    op.create_index(op.f("ix_audit_erasure_org"), "audit_erasure", ["org"], unique=False)
    op.create_index(op.f("ix_audit_erasure_state"), "audit_erasure", ["state"], unique=False)
    op.create_table(
        "audit_key",
        sa.Column("vkey", sa.String(length=256), nullable=False),
        sa.Column("used_for", sa.String(32), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("vkey", name=op.f("pk_audit_key")),
    )
    op.create_table(
        "audit_retention",
        sa.Column("org", sa.String(length=64), nullable=False),
        sa.Column("rule", sa.String(32), nullable=False),
        sa.Column("length", sa.Integer(), nullable=False),
        sa.Column("legal_source", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("org", name=op.f("pk_audit_retention")),
    )
    op.create_table(
        "audit_seq",
        sa.Column(
            "idx",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("eid", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("t", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("idx", name=op.f("pk_audit_seq")),
        sa.UniqueConstraint("eid", name=op.f("uq_audit_seq_eid")),
    )
    op.create_table(
        "audit_state",
        sa.Column("k", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("k", name=op.f("pk_audit_state")),
    )
    op.create_table(
        "audit_tile",
        sa.Column("level", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column(
            "n",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("level", "n", name=op.f("pk_audit_tile")),
    )
    op.create_table(
        "audit_witness",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("org", sa.String(length=64), nullable=False),
        sa.Column("vkey", sa.String(length=256), nullable=False),
        sa.Column("address", sa.String(length=256), nullable=True),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("seen", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_witness")),
        sa.UniqueConstraint("vkey", name=op.f("uq_audit_witness_vkey")),
    )
    op.create_index(op.f("ix_audit_witness_org"), "audit_witness", ["org"], unique=False)
    op.create_table(
        "anomaly",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("signal", sa.String(32), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("person", sa.Uuid(), nullable=True),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("entries", sa.JSON(), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("verdict", sa.String(32), nullable=True),
        sa.Column("sealed_note", sa.LargeBinary(), nullable=True),
        sa.Column("closed_by", sa.Uuid(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name=op.f("fk_anomaly_organisation_id_organisation"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_anomaly")),
        sa.UniqueConstraint("organisation_id", "key", name=op.f("uq_anomaly_organisation_id_key")),
        sa.UniqueConstraint("public_id", name=op.f("uq_anomaly_public_id")),
    )
    op.create_index(
        "ix_anomaly_open", "anomaly", ["organisation_id", "closed_at", "found_at"], unique=False
    )
    op.create_table(
        "audit_alarm",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("witness_id", sa.Integer(), nullable=True),
        sa.Column("raised_at", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("told_at", sa.BigInteger(), nullable=True),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["witness_id"],
            ["audit_witness.id"],
            name=op.f("fk_audit_alarm_witness_id_audit_witness"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_alarm")),
    )
    op.create_index("ix_audit_alarm_closed_at", "audit_alarm", ["closed_at"], unique=False)
    op.create_table(
        "audit_cosignature",
        sa.Column("size", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("witness_id", sa.Integer(), nullable=False),
        sa.Column("t", sa.BigInteger(), nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["size"],
            ["audit_checkpoint.size"],
            name=op.f("fk_audit_cosignature_size_audit_checkpoint"),
        ),
        sa.ForeignKeyConstraint(
            ["witness_id"],
            ["audit_witness.id"],
            name=op.f("fk_audit_cosignature_witness_id_audit_witness"),
        ),
        sa.PrimaryKeyConstraint("size", "witness_id", name=op.f("pk_audit_cosignature")),
    )
    op.create_table(
        "notification",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("address", sa.String(length=200), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_by", sa.Uuid(), nullable=True),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name=op.f("fk_notification_organisation_id_organisation"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notification")),
        sa.UniqueConstraint("public_id", name=op.f("uq_notification_public_id")),
    )
    op.create_index(op.f("ix_notification_made_at"), "notification", ["made_at"], unique=False)
    op.create_index(
        "ix_notification_unseen",
        "notification",
        ["organisation_id", "role", "seen_at", "made_at"],
        unique=False,
    )
    op.create_table(
        "review",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("sealed_title", sa.LargeBinary(), nullable=False),
        sa.Column("filters", sa.JSON(), nullable=False),
        sa.Column("sample", sa.Integer(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name=op.f("fk_review_organisation_id_organisation"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review")),
        sa.UniqueConstraint("public_id", name=op.f("uq_review_public_id")),
    )
    op.create_index(op.f("ix_review_organisation_id"), "review", ["organisation_id"], unique=False)
    op.create_table(
        "review_round",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("review_id", sa.Integer(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("seed", sa.LargeBinary(length=32), nullable=False),
        sa.Column("population", sa.Integer(), nullable=False),
        sa.Column("drawn_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["review_id"], ["review.id"], name=op.f("fk_review_round_review_id_review")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_round")),
        sa.UniqueConstraint("public_id", name=op.f("uq_review_round_public_id")),
        sa.UniqueConstraint("review_id", "month", name=op.f("uq_review_round_review_id_month")),
    )
    op.create_table(
        "finding",
        sa.Column("round_id", sa.Integer(), nullable=False),
        sa.Column("place", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("eid", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("t", sa.BigInteger(), nullable=False),
        sa.Column("verdict", sa.String(32), nullable=True),
        sa.Column("sealed_note", sa.LargeBinary(), nullable=True),
        sa.Column("judged_by", sa.Uuid(), nullable=True),
        sa.Column("judged_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["round_id"],
            ["review_round.id"],
            name=op.f("fk_finding_round_id_review_round"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("round_id", "place", name=op.f("pk_finding")),
    )


def _drop_tables() -> None:
    op.drop_table("finding")
    op.drop_table("review_round")
    op.drop_index(op.f("ix_review_organisation_id"), table_name="review")
    op.drop_table("review")
    op.drop_index("ix_notification_unseen", table_name="notification")
    op.drop_index(op.f("ix_notification_made_at"), table_name="notification")
    op.drop_table("notification")
    op.drop_table("audit_cosignature")
    op.drop_index("ix_audit_alarm_closed_at", table_name="audit_alarm")
    op.drop_table("audit_alarm")
    op.drop_index("ix_anomaly_open", table_name="anomaly")
    op.drop_table("anomaly")
    op.drop_index(op.f("ix_audit_witness_org"), table_name="audit_witness")
    op.drop_table("audit_witness")
    op.drop_table("audit_tile")
    op.drop_table("audit_state")
    op.drop_table("audit_seq")
    op.drop_table("audit_retention")
    op.drop_table("audit_key")
    op.drop_index(op.f("ix_audit_erasure_state"), table_name="audit_erasure")
    op.drop_index(op.f("ix_audit_erasure_org"), table_name="audit_erasure")
    op.drop_table("audit_erasure")
    op.drop_table("audit_checkpoint")
    op.drop_table("audit_archive_key")
    op.drop_table("audit_archive")
