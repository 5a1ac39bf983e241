"""From hit to disclosure, recall and outcome: states, ids and times; what was written is sealed.

A message or a delivery is an envelope that was made on one member's premises for another's keys.
Persons stand here by their accounts, or as the pseudonyms of the log.
"""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    ForeignKey,
    Index,
    LargeBinary,
    Numeric,
    SmallInteger,
    String,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, BigInt, Moment, word
from postern.vocabulary import (
    AcknowledgementState,
    Answer,
    DecisionReason,
    DecisionState,
    FourEyes,
    Kind,
    Learned,
    LegalBasis,
    MessageKind,
    OutcomeResult,
    PartyRole,
    Purpose,
    RecallKind,
    RecallReason,
    Rectification,
    RequestedAction,
    RequestState,
    SealedPart,
    SourceGrade,
    Step,
    Substance,
    TokenCheck,
    Unit,
    Urgency,
)


class DisclosureRules(Base):
    """How an organisation decides; without a row the defaults of the service hold."""

    __tablename__ = "disclosure_rules"

    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), primary_key=True)
    four_eyes: Mapped[FourEyes] = mapped_column(word(FourEyes))
    delivery_days: Mapped[int] = mapped_column(SmallInteger)  # after which a delivery is erased
    changed_at: Mapped[datetime] = mapped_column(Moment)
    changed_by: Mapped[UUID] = mapped_column(Uuid)


class DisclosureRequest(Base):
    """What one organisation asks another to tell of one indicator that a lookup found."""

    __tablename__ = "disclosure_request"
    __table_args__ = (
        Index("ix_disclosure_request_owner_id_state", "owner_id", "state", "due_at"),
        Index("ix_disclosure_request_requester_id_made_at", "requester_id", "made_at"),
        Index("ix_disclosure_request_wakes_at", "wakes_at"),
    )

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    public_id: Mapped[UUID] = mapped_column(Uuid, unique=True)
    requester_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("person_account.id"))
    owner_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    indicator: Mapped[UUID] = mapped_column(Uuid, index=True)  # its public id, which outlives it
    indicator_id: Mapped[int | None] = mapped_column(
        BigInt, ForeignKey("indicator.id", ondelete="SET NULL"), index=True
    )
    kind: Mapped[Kind] = mapped_column(word(Kind))  # kind and role of it, which outlive it too
    role: Mapped[PartyRole] = mapped_column(word(PartyRole))
    lookup: Mapped[UUID] = mapped_column(Uuid)  # the requester's own, in which it was a hit
    profile_id: Mapped[int] = mapped_column(ForeignKey("profile.id"))
    purpose: Mapped[Purpose] = mapped_column(word(Purpose))
    legal_basis: Mapped[LegalBasis] = mapped_column(word(LegalBasis))
    case_tag: Mapped[bytes] = mapped_column(LargeBinary(16))  # keyed: counts requests of one case
    urgency: Mapped[Urgency] = mapped_column(word(Urgency))
    asked: Mapped[list[str]] = mapped_column(JSON)  # parts: value, note, attachment
    action: Mapped[RequestedAction] = mapped_column(word(RequestedAction))
    state: Mapped[RequestState] = mapped_column(word(RequestState))
    made_at: Mapped[datetime] = mapped_column(Moment)
    due_at: Mapped[datetime] = mapped_column(Moment)
    lapses_at: Mapped[datetime] = mapped_column(Moment)
    allowed_seconds: Mapped[int]  # that the owner has, without the time that the clock stood still
    wakes_at: Mapped[datetime | None] = mapped_column(Moment)  # when its clock does something next
    questioned_at: Mapped[datetime | None] = mapped_column(Moment)  # the clock stands still since
    reminders: Mapped[int] = mapped_column(SmallInteger)
    escalated_at: Mapped[datetime | None] = mapped_column(Moment)
    closed_at: Mapped[datetime | None] = mapped_column(Moment)


class DisclosureMessage(Base):
    """Free text of a request, sealed by one side to both."""

    __tablename__ = "disclosure_message"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    public_id: Mapped[UUID] = mapped_column(Uuid, unique=True)
    request_id: Mapped[int] = mapped_column(
        BigInt, ForeignKey("disclosure_request.id", ondelete="CASCADE"), index=True
    )
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    kind: Mapped[MessageKind] = mapped_column(word(MessageKind))
    record: Mapped[str] = mapped_column(String(96))  # of its context, as the sealer chose it
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)  # None once it is erased
    made_at: Mapped[datetime] = mapped_column(Moment)


class Decision(Base):
    """What one approver decided; `second_id` is the other person, where one is needed."""

    __tablename__ = "decision"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    public_id: Mapped[UUID] = mapped_column(Uuid, unique=True)
    request_id: Mapped[int] = mapped_column(
        BigInt, ForeignKey("disclosure_request.id", ondelete="CASCADE"), index=True
    )
    person_id: Mapped[int] = mapped_column(ForeignKey("person_account.id"))
    answer: Mapped[Answer] = mapped_column(word(Answer))
    reason: Mapped[DecisionReason] = mapped_column(word(DecisionReason))
    state: Mapped[DecisionState] = mapped_column(word(DecisionState))
    made_at: Mapped[datetime] = mapped_column(Moment)
    second_id: Mapped[int | None] = mapped_column(ForeignKey("person_account.id"))
    judged_at: Mapped[datetime | None] = mapped_column(Moment)
    # Break-glass let one person release: a second looks at it afterwards.
    review_due_at: Mapped[datetime | None] = mapped_column(Moment, index=True)
    reminders: Mapped[int] = mapped_column(SmallInteger)  # of that review


class Delivery(Base):
    """One part that was released to the requester, sealed to its keys; who got what."""

    __tablename__ = "delivery"
    __table_args__ = (UniqueConstraint("decision_id", "part", "number"),)

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    public_id: Mapped[UUID] = mapped_column(Uuid, unique=True)
    request_id: Mapped[int] = mapped_column(
        BigInt, ForeignKey("disclosure_request.id", ondelete="CASCADE"), index=True
    )
    decision_id: Mapped[int] = mapped_column(BigInt, ForeignKey("decision.id", ondelete="CASCADE"))
    part: Mapped[SealedPart] = mapped_column(word(SealedPart))
    number: Mapped[int] = mapped_column(SmallInteger)
    kind: Mapped[str] = mapped_column(String(32))  # context, as of the envelope it came from
    epoch: Mapped[int] = mapped_column(SmallInteger)
    token: Mapped[bytes] = mapped_column(LargeBinary(16))
    record: Mapped[str] = mapped_column(String(96))
    size: Mapped[int]
    digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)  # None once it is erased
    made_at: Mapped[datetime] = mapped_column(Moment)
    available_at: Mapped[datetime | None] = mapped_column(Moment)  # None: a second person is needed
    expires_at: Mapped[datetime] = mapped_column(Moment, index=True)
    fetched_at: Mapped[datetime | None] = mapped_column(Moment)
    received_at: Mapped[datetime | None] = mapped_column(Moment)
    receipt: Mapped[bytes | None] = mapped_column(LargeBinary(64))  # requester's signature
    receipt_kid: Mapped[bytes | None] = mapped_column(LargeBinary(16))
    check: Mapped[TokenCheck | None] = mapped_column(word(TokenCheck))
    erased_at: Mapped[datetime | None] = mapped_column(Moment)


class Recall(Base):
    """That an owner withdrew or corrected an indicator that others got."""

    __tablename__ = "recall"
    __table_args__ = (Index("ix_recall_owner_id_completed_at", "owner_id", "completed_at"),)

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    public_id: Mapped[UUID] = mapped_column(Uuid, unique=True)
    owner_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    indicator: Mapped[UUID] = mapped_column(Uuid, index=True)
    kind: Mapped[RecallKind] = mapped_column(word(RecallKind))
    reason: Mapped[RecallReason] = mapped_column(word(RecallReason))
    changes: Mapped[dict[str, Any]] = mapped_column(JSON)  # coarse fields and their new words
    made_at: Mapped[datetime] = mapped_column(Moment)
    due_at: Mapped[datetime] = mapped_column(Moment)
    completed_at: Mapped[datetime | None] = mapped_column(Moment)


class Acknowledgement(Base):
    """How far one recipient is with a recall; there is a row from the recall on."""

    __tablename__ = "acknowledgement"
    __table_args__ = (Index("ix_acknowledgement_organisation_id", "organisation_id", "state"),)

    recall_id: Mapped[int] = mapped_column(
        BigInt, ForeignKey("recall.id", ondelete="CASCADE"), primary_key=True
    )
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), primary_key=True)
    ways: Mapped[list[str]] = mapped_column(JSON)  # by which it got the indicator
    named: Mapped[bool]  # whether the owner may know that this recipient has it
    state: Mapped[AcknowledgementState] = mapped_column(word(AcknowledgementState))
    done: Mapped[Rectification | None] = mapped_column(word(Rectification))
    acknowledged_at: Mapped[datetime | None] = mapped_column(Moment)
    completed_at: Mapped[datetime | None] = mapped_column(Moment)
    completed_by: Mapped[UUID | None] = mapped_column(Uuid)
    reminders: Mapped[int] = mapped_column(SmallInteger)
    escalated_at: Mapped[datetime | None] = mapped_column(Moment)


class Outcome(Base):
    """What became of an indicator, as one organisation tells its owner; never changed, only
    followed by a later one.

    It keeps what reliability is counted by, so that it still counts when the indicator is gone.
    """

    __tablename__ = "outcome"
    __table_args__ = (
        Index("ix_outcome_owner_id_made_at", "owner_id", "made_at"),
        Index("ix_outcome_indicator", "indicator"),
        Index("ix_outcome_teller_id", "teller_id"),
    )

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    public_id: Mapped[UUID] = mapped_column(Uuid, unique=True)
    indicator: Mapped[UUID] = mapped_column(Uuid)
    report: Mapped[UUID] = mapped_column(Uuid)  # its owner's
    request: Mapped[UUID | None] = mapped_column(Uuid)
    owner_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    teller_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    person: Mapped[UUID] = mapped_column(Uuid)
    asked: Mapped[Step] = mapped_column(word(Step))
    located: Mapped[Step] = mapped_column(word(Step))
    held: Mapped[Step] = mapped_column(word(Step))
    examined: Mapped[Step] = mapped_column(word(Step))
    result: Mapped[OutcomeResult] = mapped_column(word(OutcomeResult))
    substance: Mapped[Substance | None] = mapped_column(word(Substance))
    quantity: Mapped[Decimal | None] = mapped_column(Numeric(14, 3))
    unit: Mapped[Unit | None] = mapped_column(word(Unit))
    kind: Mapped[Kind] = mapped_column(word(Kind))
    learned: Mapped[Learned] = mapped_column(word(Learned))
    source_grade: Mapped[SourceGrade] = mapped_column(word(SourceGrade))
    barrier_step: Mapped[int | None] = mapped_column(SmallInteger)
    made_at: Mapped[datetime] = mapped_column(Moment)
    replaced_at: Mapped[datetime | None] = mapped_column(Moment)  # by the same teller's later one
