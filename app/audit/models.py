"""Tables of the log. The web service's database role may INSERT and SELECT, nothing else.

`audit_detail` and `audit_object` alone hold what may concern persons, and can be erased; everything
else is fixed by the leaf hash. On PostgreSQL the first four tables are partitioned by month of `t`,
which is why `t` stands in each of them; there is no foreign key among them, since a partition
leaves as a whole and the tree proves more than a key would.
"""

from enum import StrEnum

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, SmallInteger, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.audit.columns import Leaf, Openings, Pseudonym, Record
from app.database import Base, BigInt, word

PARTITIONED = ("audit_entry", "audit_detail", "audit_audience", "audit_object")
"""Tables that PostgreSQL keeps one partition a month of, named TABLE_yYYYYmMM."""


class AuditEntry(Base):
    """`rec` and `leaf` come back as the exact bytes that are hashed; they are stored packed."""

    __tablename__ = "audit_entry"

    eid: Mapped[int] = mapped_column(BigInt, primary_key=True)
    t: Mapped[int] = mapped_column(BigInteger)  # milliseconds since 1970
    act: Mapped[str] = mapped_column(String(64))
    org: Mapped[str] = mapped_column(String(64))
    rec: Mapped[bytes] = mapped_column(Record)
    leaf: Mapped[bytes] = mapped_column(Leaf)


class AuditDetail(Base):
    """Erasable openings of the record's salted digests, and the columns that search them."""

    __tablename__ = "audit_detail"

    eid: Mapped[int] = mapped_column(BigInt, primary_key=True)
    t: Mapped[int] = mapped_column(BigInteger)
    actor: Mapped[str | None] = mapped_column(Pseudonym, index=True)
    casref: Mapped[str | None] = mapped_column(String(128), index=True)
    disc: Mapped[str] = mapped_column(Openings)  # disclosures, one a line


class AuditAudience(Base):
    """Which organisations may read which entries: one row per code in the record's `aud`.

    The other columns repeat words of the record, so that a filter need not open entries; `t` stands
    in the key, so that a period of one organisation's log is one range of it.
    """

    __tablename__ = "audit_audience"
    __table_args__ = ({"sqlite_with_rowid": False},)

    org: Mapped[str] = mapped_column(String(64), primary_key=True)
    t: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    eid: Mapped[int] = mapped_column(BigInt, primary_key=True)
    act: Mapped[str] = mapped_column(String(64))
    doer: Mapped[str] = mapped_column(String(64))  # the acting organisation
    out: Mapped[str] = mapped_column(String(8))
    purpose: Mapped[str] = mapped_column(String(32))
    basis: Mapped[str] = mapped_column(String(32))
    obj: Mapped[str] = mapped_column(String(32))  # type of the objects


class AuditObject(Base):
    """By which ids an entry is found: 16 bytes of a UUID, or of the SHA-256 of another id."""

    __tablename__ = "audit_object"
    __table_args__ = ({"sqlite_with_rowid": False},)

    about: Mapped[bytes] = mapped_column(LargeBinary(16), primary_key=True)
    t: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    eid: Mapped[int] = mapped_column(BigInt, primary_key=True)


class AuditQueue(Base):
    """Entries that wait for their place in the tree; only a sequencer deletes rows."""

    __tablename__ = "audit_queue"

    eid: Mapped[int] = mapped_column(BigInt, primary_key=True, autoincrement=False)
    t: Mapped[int] = mapped_column(BigInteger)


class AuditSeq(Base):
    """The place of each entry in the tree. A place is given once, to one entry."""

    __tablename__ = "audit_seq"

    idx: Mapped[int] = mapped_column(BigInt, primary_key=True, autoincrement=False)
    eid: Mapped[int] = mapped_column(BigInt, unique=True)
    t: Mapped[int] = mapped_column(BigInteger)


class AuditTile(Base):
    """Hash tiles (C2SP tlog-tiles): up to 256 hashes of 32 bytes; a row grows in place."""

    __tablename__ = "audit_tile"

    level: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    n: Mapped[int] = mapped_column(BigInt, primary_key=True, autoincrement=False)
    data: Mapped[bytes] = mapped_column(LargeBinary)


class AuditCheckpoint(Base):
    """A signed tree head: `note` is the signed note without cosignatures."""

    __tablename__ = "audit_checkpoint"

    size: Mapped[int] = mapped_column(BigInt, primary_key=True, autoincrement=False)
    root: Mapped[bytes] = mapped_column(LargeBinary(32))
    t: Mapped[int] = mapped_column(BigInteger)  # milliseconds since 1970
    note: Mapped[bytes] = mapped_column(LargeBinary)


class AuditState(Base):
    """One row, k = 1: how many entries the tree has. Its lock is the sequencer's turn."""

    __tablename__ = "audit_state"

    k: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    size: Mapped[int] = mapped_column(BigInteger)


class KeyUse(StrEnum):
    """What a key of the log signs."""

    LOG = "log"  # checkpoints, and nothing else
    RECEIPT = "receipt"


class AuditKey(Base):
    """Public keys under which the log has signed, as vkeys (C2SP signed-note)."""

    __tablename__ = "audit_key"

    vkey: Mapped[str] = mapped_column(String(256), primary_key=True)
    used_for: Mapped[KeyUse] = mapped_column(word(KeyUse))
    since: Mapped[int] = mapped_column(BigInteger)  # milliseconds since 1970
    until: Mapped[int | None] = mapped_column(BigInteger)


class AuditOrgKey(Base):
    """The key by which an organisation recognises the leaves that concern it."""

    __tablename__ = "audit_org_key"

    org: Mapped[str] = mapped_column(String(64), primary_key=True)
    epoch: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[bytes] = mapped_column(LargeBinary(32))


class AuditWitness(Base):
    """A witness of the log: whose it is, its public key, and where it takes checkpoints if it does.

    `size` is the largest size it has cosigned; a smaller log than that is a rollback.
    """

    __tablename__ = "audit_witness"

    id: Mapped[int] = mapped_column(primary_key=True)
    org: Mapped[str] = mapped_column(String(64), index=True)
    vkey: Mapped[str] = mapped_column(String(256), unique=True)
    address: Mapped[str | None] = mapped_column(String(256))  # of its add-checkpoint, when pushed
    since: Mapped[int] = mapped_column(BigInteger)
    until: Mapped[int | None] = mapped_column(BigInteger)
    size: Mapped[int] = mapped_column(BigInteger)
    seen: Mapped[int | None] = mapped_column(BigInteger)  # milliseconds: its last cosignature


class AuditCosignature(Base):
    """A witness's line for a checkpoint; checkpoints that have one are kept for ever."""

    __tablename__ = "audit_cosignature"

    size: Mapped[int] = mapped_column(ForeignKey("audit_checkpoint.size"), primary_key=True)
    witness_id: Mapped[int] = mapped_column(ForeignKey("audit_witness.id"), primary_key=True)
    t: Mapped[int] = mapped_column(BigInteger)  # seconds since 1970, by the witness's clock
    line: Mapped[str] = mapped_column(Text)


class AlarmKind(StrEnum):
    """What is wrong with the log, or seems to be."""

    STORED_MISMATCH = "stored-mismatch"  # what is stored does not verify; nothing is signed
    SPLIT_VIEW = "split-view"  # a witness holds a checkpoint that ours contradicts
    ROLLBACK = "rollback"  # a witness has seen a larger log than there is
    WITNESS_SILENT = "witness-silent"
    NO_QUORUM = "no-quorum"


class AuditAlarm(Base):
    """An alarm about the log itself: never about a person. `evidence` is what proves it."""

    __tablename__ = "audit_alarm"
    __table_args__ = (Index("ix_audit_alarm_closed_at", "closed_at"),)

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    kind: Mapped[AlarmKind] = mapped_column(word(AlarmKind))
    witness_id: Mapped[int | None] = mapped_column(ForeignKey("audit_witness.id"))
    raised_at: Mapped[int] = mapped_column(BigInteger)  # milliseconds since 1970
    reason: Mapped[str] = mapped_column(String(500))
    evidence: Mapped[str] = mapped_column(Text)
    told_at: Mapped[int | None] = mapped_column(BigInteger)  # when members were notified of it
    closed_at: Mapped[int | None] = mapped_column(BigInteger)


class RetentionRule(StrEnum):
    """When the details of an organisation's entries must go."""

    MONTHS = "months"  # so many months after the act
    YEAR_END = "year-end"  # at the end of the year that is so many years after that of the act


class AuditRetention(Base):
    """An organisation's own choice; without a row its country's default holds."""

    __tablename__ = "audit_retention"

    org: Mapped[str] = mapped_column(String(64), primary_key=True)
    rule: Mapped[RetentionRule] = mapped_column(word(RetentionRule))
    length: Mapped[int]
    legal_source: Mapped[str] = mapped_column(String(200))


class ErasureState(StrEnum):
    """How far an erasure is."""

    WAITING = "waiting"
    DONE = "done"


class AuditErasure(Base):
    """Details that an organisation wants erased: asked by its officer, done by the log's own role.

    `wanted` is JSON: record ids, or a person's pseudonym, or a period. No name, no reason in words.
    """

    __tablename__ = "audit_erasure"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    org: Mapped[str] = mapped_column(String(64), index=True)
    wanted: Mapped[str] = mapped_column(Text)
    asked_at: Mapped[int] = mapped_column(BigInteger)  # milliseconds since 1970
    state: Mapped[ErasureState] = mapped_column(word(ErasureState), index=True)
    done_at: Mapped[int | None] = mapped_column(BigInteger)
    erased: Mapped[int]  # details so far


class AuditArchive(Base):
    """A sealed file that holds the places from `first` on, `count` of them; never changed."""

    __tablename__ = "audit_archive"

    first: Mapped[int] = mapped_column(BigInt, primary_key=True, autoincrement=False)
    count: Mapped[int] = mapped_column(BigInteger)
    name: Mapped[str] = mapped_column(String(128))
    sha256: Mapped[bytes] = mapped_column(LargeBinary(32))
    length: Mapped[int] = mapped_column(BigInteger)  # bytes of the file
    t_first: Mapped[int] = mapped_column(BigInteger)
    t_last: Mapped[int] = mapped_column(BigInteger)
    made_at: Mapped[int] = mapped_column(BigInteger)


class AuditArchiveKey(Base):
    """The key of one organisation's details in one month of archives: without it they are gone."""

    __tablename__ = "audit_archive_key"

    org: Mapped[str] = mapped_column(String(64), primary_key=True)
    month: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)  # year * 12 + month-1
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
