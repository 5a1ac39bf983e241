"""Tables of the log. The application's database role may INSERT and SELECT, nothing else.

`audit_detail` alone holds personal details, as salted openings, and can be erased; everything
else is fixed by the leaf hash. `audit_audience` finds the entries an organisation may read.
"""

from sqlalchemy import BigInteger, ForeignKey, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, BigInt


class AuditEntry(Base):
    """`rec` and `leaf` are the exact bytes that are hashed; they are never re-serialised."""

    __tablename__ = "audit_entry"

    eid: Mapped[int] = mapped_column(BigInt, primary_key=True)
    t: Mapped[int] = mapped_column(BigInteger)  # milliseconds since 1970
    act: Mapped[str] = mapped_column(String(64))
    org: Mapped[str] = mapped_column(String(64))
    rec: Mapped[bytes] = mapped_column(LargeBinary)
    leaf: Mapped[bytes] = mapped_column(LargeBinary)


class AuditDetail(Base):
    """Erasable openings of the record's salted digests, and the columns that search them."""

    __tablename__ = "audit_detail"

    eid: Mapped[int] = mapped_column(BigInt, ForeignKey("audit_entry.eid"), primary_key=True)
    actor: Mapped[str | None] = mapped_column(String(64), index=True)
    casref: Mapped[str | None] = mapped_column(String(128), index=True)
    disc: Mapped[str] = mapped_column(Text)  # disclosures, one a line


class AuditAudience(Base):
    """Which organisations may read which entries: one row per code in the record's `aud`.

    The other columns repeat words of the record, so that a filter need not open entries; `t` stands
    in the key, so that a period of one organisation's log is one range of it.
    """

    __tablename__ = "audit_audience"
    __table_args__ = ({"sqlite_with_rowid": False},)

    org: Mapped[str] = mapped_column(String(64), primary_key=True)
    t: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    eid: Mapped[int] = mapped_column(BigInt, ForeignKey("audit_entry.eid"), primary_key=True)
    act: Mapped[str] = mapped_column(String(64))
    out: Mapped[str] = mapped_column(String(8))
    purpose: Mapped[str] = mapped_column(String(32))


class AuditQueue(Base):
    """Entries that wait for their place in the tree; only a sequencer deletes rows."""

    __tablename__ = "audit_queue"

    eid: Mapped[int] = mapped_column(BigInt, ForeignKey("audit_entry.eid"), primary_key=True)


class AuditOrgKey(Base):
    """The key by which an organisation recognises the leaves that concern it."""

    __tablename__ = "audit_org_key"

    org: Mapped[str] = mapped_column(String(64), primary_key=True)
    epoch: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[bytes] = mapped_column(LargeBinary(32))
