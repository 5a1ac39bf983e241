"""Reports and their indicators: tokens, coarse fields and sealed elements, never a clear value.

The one exception is public by nature: the code of an induction point, a place of the operator.
"""

import secrets
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    BigInteger,
    Date,
    ForeignKey,
    Index,
    LargeBinary,
    SmallInteger,
    String,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, BigInt, Moment, word
from postern.vocabulary import (
    Assertion,
    Concealment,
    DeclaredCategory,
    Handling,
    HoldReason,
    InformationGrade,
    Kind,
    Learned,
    LegalBasis,
    PartyRole,
    PermittedAction,
    SealedPart,
    Service,
    SourceGrade,
    SubjectCategory,
    Substance,
    Tlp,
    ValueBand,
    Way,
    WeightBand,
)

_KEY_BITS = 32


def new_key() -> int:
    """The random number by which a report takes part in the noise of counts."""
    return secrets.randbits(_KEY_BITS)


class ReportStatus(StrEnum):
    ACTIVE = "active"
    WITHDRAWN = "withdrawn"


class Report(Base):
    """One suspicious shipment, as its organisation tells it. Shipment fields are for filtering."""

    __tablename__ = "report"
    __table_args__ = (
        UniqueConstraint("organisation_id", "client_key"),
        Index("ix_report_organisation_id_created_at", "organisation_id", "created_at"),
    )

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    public_id: Mapped[UUID] = mapped_column(Uuid, unique=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("person_account.id"))
    client_key: Mapped[str] = mapped_column(String(64))  # the submitter's own, opaque
    content_hash: Mapped[bytes] = mapped_column(LargeBinary(32))  # a retry must say the same
    status: Mapped[ReportStatus] = mapped_column(word(ReportStatus))
    created_at: Mapped[datetime] = mapped_column(Moment)
    barrier_step: Mapped[int | None] = mapped_column(SmallInteger)  # 1 to 7
    origin_country: Mapped[str | None] = mapped_column(String(2))
    destination_country: Mapped[str | None] = mapped_column(String(2))
    service: Mapped[Service | None] = mapped_column(word(Service))
    weight_band: Mapped[WeightBand | None] = mapped_column(word(WeightBand))
    value_band: Mapped[ValueBand | None] = mapped_column(word(ValueBand))
    declared_category: Mapped[DeclaredCategory | None] = mapped_column(word(DeclaredCategory))
    hs_chapter: Mapped[str | None] = mapped_column(String(2))
    concealment: Mapped[Concealment | None] = mapped_column(word(Concealment))
    substance: Mapped[Substance | None] = mapped_column(word(Substance))
    key: Mapped[int] = mapped_column(BigInteger, default=new_key)  # decides the noise of counts


class Indicator(Base):
    """One thing that was seen. `seen_day` is the day from which policies count its age."""

    __tablename__ = "indicator"
    __table_args__ = (
        Index("ix_indicator_organisation_id_expires_on", "organisation_id", "expires_on"),
        Index("ix_indicator_expires_on", "expires_on"),
        # Covers the counts of what an organisation shares, class by class and band by band.
        Index(
            "ix_indicator_counted", "organisation_id", "share_class_id", "seen_day", "expires_on"
        ),
        # What a hold keeps beyond its end: a sweep must not read all that is due to find it.
        Index(
            "ix_indicator_restricted",
            "expires_on",
            "id",
            postgresql_where=text("restricted_at IS NOT NULL"),
            sqlite_where=text("restricted_at IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    public_id: Mapped[UUID] = mapped_column(Uuid, unique=True)
    report_id: Mapped[int] = mapped_column(
        BigInt, ForeignKey("report.id", ondelete="CASCADE"), index=True
    )
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    share_class_id: Mapped[int] = mapped_column(ForeignKey("share_class.id"))
    seen_day: Mapped[int] = mapped_column(SmallInteger)  # days since 1970
    kind: Mapped[Kind] = mapped_column(word(Kind))
    role: Mapped[PartyRole] = mapped_column(word(PartyRole))
    subject_category: Mapped[SubjectCategory] = mapped_column(word(SubjectCategory))
    assertion: Mapped[Assertion] = mapped_column(word(Assertion))
    source_grade: Mapped[SourceGrade] = mapped_column(word(SourceGrade))
    information_grade: Mapped[InformationGrade] = mapped_column(word(InformationGrade))
    learned: Mapped[Learned] = mapped_column(word(Learned))
    legal_basis: Mapped[LegalBasis] = mapped_column(word(LegalBasis))
    tlp: Mapped[Tlp] = mapped_column(word(Tlp))
    handling: Mapped[list[Handling]] = mapped_column(JSON)
    permitted_action: Mapped[PermittedAction] = mapped_column(word(PermittedAction))
    observed_from: Mapped[date | None] = mapped_column(Date)
    observed_to: Mapped[date | None] = mapped_column(Date)
    review_on: Mapped[date] = mapped_column(Date)
    expires_on: Mapped[date] = mapped_column(Date)  # erased by the sweep of that day
    quality: Mapped[list[str]] = mapped_column(JSON)  # flags of the normaliser
    epoch: Mapped[int] = mapped_column(SmallInteger)  # of the evaluation key; 0 for clear kinds
    facets_stored: Mapped[int] = mapped_column(BigInt)  # bit n: facet n is stored completely
    facets_common: Mapped[int] = mapped_column(BigInt)  # bit n: too common to be stored
    tokens: Mapped[bytes] = mapped_column(LargeBinary)  # concatenated, to delete by key
    # While a key is rotated: the epoch of the second half of `tokens`; else all are of `epoch`.
    also_epoch: Mapped[int | None] = mapped_column(SmallInteger)
    place: Mapped[dict[str, Any] | None] = mapped_column(JSON)  # of an induction point, in clear
    amended_at: Mapped[datetime | None] = mapped_column(Moment)
    # Its time is over and a legal hold keeps it: no posting is left, so no lookup finds it, and
    # nobody but its owner is told of it.
    restricted_at: Mapped[datetime | None] = mapped_column(Moment)


class Token(Base):
    """What lookups match on; the token comes first in every key, for one day it may be sharded.

    `app/sharing/visibility.py` is the only reader.
    """

    __tablename__ = "token"
    __table_args__ = ({"sqlite_with_rowid": False},)

    token: Mapped[bytes] = mapped_column(LargeBinary(16), primary_key=True)
    indicator_id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    share_class_id: Mapped[int]
    seen_day: Mapped[int] = mapped_column(SmallInteger)
    facet: Mapped[int] = mapped_column(SmallInteger)


class Tombstone(Base):
    """That an indicator existed and ended, and why; nothing of what it was."""

    __tablename__ = "tombstone"

    public_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), index=True)
    ended_at: Mapped[datetime] = mapped_column(Moment)
    reason: Mapped[str] = mapped_column(String(32))  # expired, withdrawn


class Envelope(Base):
    """Content that was sealed on premises to its owner's keys; nobody here can open it.

    `kind`, `epoch`, `token` and `record` are the context in which it opens; see docs/keys.md.
    """

    __tablename__ = "envelope"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    public_id: Mapped[UUID] = mapped_column(Uuid, unique=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    report_id: Mapped[int] = mapped_column(
        BigInt, ForeignKey("report.id", ondelete="CASCADE"), index=True
    )
    indicator_id: Mapped[int | None] = mapped_column(
        BigInt, ForeignKey("indicator.id", ondelete="CASCADE"), index=True
    )  # None for an attachment, which belongs to the whole report
    part: Mapped[SealedPart] = mapped_column(word(SealedPart))
    number: Mapped[int] = mapped_column(SmallInteger)  # of the attachment, from 1; else 0
    kind: Mapped[str] = mapped_column(String(32))
    epoch: Mapped[int] = mapped_column(SmallInteger)
    token: Mapped[bytes] = mapped_column(LargeBinary(16))
    record: Mapped[str] = mapped_column(String(96))  # the submitter's own, opaque
    size: Mapped[int]  # bytes of the envelope
    digest: Mapped[bytes] = mapped_column(LargeBinary(32))  # SHA-256 of the envelope
    content: Mapped[bytes] = mapped_column(LargeBinary)
    added_at: Mapped[datetime] = mapped_column(Moment)


class Given(Base):
    """Who got what: that an organisation got something of another's indicator, and by which way.

    It outlives the indicator, so that a recall reaches everybody.
    """

    __tablename__ = "given"
    __table_args__ = (Index("ix_given_owner_id_indicator", "owner_id", "indicator"),)

    indicator: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    recipient_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), primary_key=True)
    way: Mapped[Way] = mapped_column(word(Way), primary_key=True)
    owner_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    level: Mapped[int] = mapped_column(SmallInteger)  # the highest: 2 metadata, 3 request, 4 clear
    tells_owner: Mapped[bool]  # its policy let the owner be told, at least once
    times: Mapped[int]
    first_at: Mapped[datetime] = mapped_column(Moment)
    last_at: Mapped[datetime] = mapped_column(Moment)
    # Of an indicator that ended: its report, and the coarse words by which outcomes are counted.
    ended: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))


class LegalHold(Base):
    """That a report of one's own is kept beyond its time, restricted, until a day or a release."""

    __tablename__ = "legal_hold"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    public_id: Mapped[UUID] = mapped_column(Uuid, unique=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), index=True)
    report_id: Mapped[int] = mapped_column(
        BigInt, ForeignKey("report.id", ondelete="CASCADE"), index=True
    )
    reason: Mapped[HoldReason] = mapped_column(word(HoldReason))
    until: Mapped[date] = mapped_column(Date)
    made_at: Mapped[datetime] = mapped_column(Moment)
    made_by: Mapped[UUID] = mapped_column(Uuid)
    released_at: Mapped[datetime | None] = mapped_column(Moment)
    released_by: Mapped[UUID | None] = mapped_column(Uuid)
    reminded_at: Mapped[datetime | None] = mapped_column(Moment)
