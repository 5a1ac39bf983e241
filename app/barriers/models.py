"""Barrier models with their versions, which model is used, tags by steps, registered barriers.

No table here knows a person but as the pseudonym of the audit log, and none has free text of one's
own but the document of a model. The database itself refuses to change a version, a choice or a tag.
"""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Date,
    ForeignKey,
    Index,
    LargeBinary,
    SmallInteger,
    String,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.barriers.model import Cost, Status
from app.database import Base, BigInt, Moment, word
from postern.vocabulary import (
    Assertion,
    InformationGrade,
    LegalBasis,
    SourceGrade,
    Tlp,
)

_OF_PLATFORM = text("organisation_id IS NULL")


class ModelState(StrEnum):
    """How far a version of a model has come; only the first is open."""

    PROPOSED = "proposed"  # waits for a second person
    PUBLISHED = "published"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"  # by its own organisation
    LAPSED = "lapsed"  # nobody decided in time


class StoredModel(Base):
    """A barrier model through its versions; without an organisation it is the platform's own.

    `document_id` is the id that its documents carry. `community_id` names the community whose
    members may read and use it too. `current_id` is the newest published version; not a foreign
    key, for the two tables would hold each other.
    """

    __tablename__ = "barrier_model"
    __table_args__ = (
        UniqueConstraint("organisation_id", "document_id"),
        Index(
            "uq_barrier_model_platform_document_id",
            "document_id",
            unique=True,
            sqlite_where=_OF_PLATFORM,
            postgresql_where=_OF_PLATFORM,
        ),
    )

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    public_id: Mapped[UUID] = mapped_column(Uuid, unique=True)
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"))
    community_id: Mapped[int | None] = mapped_column(
        ForeignKey("community.id", ondelete="SET NULL"), index=True
    )
    document_id: Mapped[UUID] = mapped_column(Uuid)
    created_at: Mapped[datetime] = mapped_column(Moment)
    current_id: Mapped[int | None] = mapped_column(BigInteger)


class ModelVersion(Base):
    """One text of a model; its text never changes, and once it is decided on nothing does.

    `number` is the version that the document gives itself, `seq` counts what was proposed here.
    """

    __tablename__ = "barrier_model_version"
    __table_args__ = (
        UniqueConstraint("model_id", "seq"),
        Index("ix_barrier_model_version_state_proposed_at", "state", "proposed_at"),
    )

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    model_id: Mapped[int] = mapped_column(
        BigInt, ForeignKey("barrier_model.id", ondelete="CASCADE")
    )
    seq: Mapped[int]  # from 1
    number: Mapped[int]
    text: Mapped[str] = mapped_column(Text)
    sha256: Mapped[bytes] = mapped_column(LargeBinary(32))
    title: Mapped[str] = mapped_column(String(160))  # in the document's first language
    status: Mapped[Status] = mapped_column(word(Status))
    steps: Mapped[int] = mapped_column(SmallInteger)
    proposed_at: Mapped[datetime] = mapped_column(Moment)
    proposed_by: Mapped[UUID | None] = mapped_column(Uuid)  # None: the platform
    state: Mapped[ModelState] = mapped_column(word(ModelState))
    decided_at: Mapped[datetime | None] = mapped_column(Moment)
    decided_by: Mapped[UUID | None] = mapped_column(Uuid)
    note: Mapped[str | None] = mapped_column(String(500))


class ModelChoice(Base):
    """That an organisation, or a community for its members, uses a model from then on.

    The newest row holds; the earlier ones are the history.
    """

    __tablename__ = "model_choice"
    __table_args__ = (
        CheckConstraint("(organisation_id IS NULL) <> (community_id IS NULL)", "one_chooser"),
    )

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"), index=True)
    community_id: Mapped[int | None] = mapped_column(
        ForeignKey("community.id", ondelete="CASCADE"), index=True
    )
    model_id: Mapped[int] = mapped_column(BigInt, ForeignKey("barrier_model.id"))
    since: Mapped[datetime] = mapped_column(Moment)
    chosen_by: Mapped[UUID | None] = mapped_column(Uuid)  # None: the platform's administrator


class StepTag(Base):
    """That a person said at which step something belongs, and which signals it shows.

    The one with the highest id holds. `step` None: at none of the steps. `suggested` has, of the
    signals that a rule suggested and the person took, the facts that counted (field and values);
    the others are the person's own. `rejected` are keys that were suggested and not taken. A tag
    goes with what it is of.
    """

    __tablename__ = "step_tag"
    __table_args__ = (
        CheckConstraint(
            "CASE WHEN report_id IS NULL THEN 0 ELSE 1 END"
            " + CASE WHEN pattern_id IS NULL THEN 0 ELSE 1 END"
            " + CASE WHEN outcome_id IS NULL THEN 0 ELSE 1 END = 1",
            "one_subject",
        ),
    )

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), index=True)
    report_id: Mapped[int | None] = mapped_column(
        BigInt, ForeignKey("report.id", ondelete="CASCADE"), index=True
    )
    pattern_id: Mapped[int | None] = mapped_column(
        BigInt, ForeignKey("pattern.id", ondelete="CASCADE"), index=True
    )
    outcome_id: Mapped[int | None] = mapped_column(
        BigInt, ForeignKey("outcome.id", ondelete="CASCADE"), index=True
    )
    version_id: Mapped[int] = mapped_column(
        BigInt, ForeignKey("barrier_model_version.id"), index=True
    )
    step: Mapped[int | None] = mapped_column(SmallInteger)
    suggested: Mapped[dict[str, Any]] = mapped_column(JSON)
    rejected: Mapped[list[str]] = mapped_column(JSON)
    made_at: Mapped[datetime] = mapped_column(Moment)
    made_by: Mapped[UUID] = mapped_column(Uuid)


class StepTagSignal(Base):
    """That a tag names a signal, by its key in the version of the model."""

    __tablename__ = "step_tag_signal"

    tag_id: Mapped[int] = mapped_column(
        BigInt, ForeignKey("step_tag.id", ondelete="CASCADE"), primary_key=True
    )
    signal: Mapped[str] = mapped_column(String(48), primary_key=True)


class RegisteredBarrier(Base):
    """A barrier of a model that an organisation has set, where and from when to when.

    `point_operator` and `point_code` name an induction point, which is public. It holds on its
    first and on its last day. `expires_on` ends the record, not the barrier: who says until then
    that it holds still renews it.
    """

    __tablename__ = "barrier"
    __table_args__ = (
        Index("ix_barrier_organisation_id_expires_on", "organisation_id", "expires_on"),
        Index("ix_barrier_expires_on", "expires_on"),
    )

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    public_id: Mapped[UUID] = mapped_column(Uuid, unique=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    version_id: Mapped[int] = mapped_column(
        BigInt, ForeignKey("barrier_model_version.id"), index=True
    )
    step: Mapped[int] = mapped_column(SmallInteger)
    barrier_key: Mapped[str] = mapped_column(String(48))
    country: Mapped[str | None] = mapped_column(String(2))
    point_operator: Mapped[str | None] = mapped_column(String(40))
    point_code: Mapped[str | None] = mapped_column(String(40))
    from_day: Mapped[date] = mapped_column(Date)
    to_day: Mapped[date | None] = mapped_column(Date)
    cost: Mapped[Cost] = mapped_column(word(Cost))
    legal_basis: Mapped[LegalBasis] = mapped_column(word(LegalBasis))
    tlp: Mapped[Tlp] = mapped_column(word(Tlp))
    handling: Mapped[list[Any]] = mapped_column(JSON)
    source_grade: Mapped[SourceGrade] = mapped_column(word(SourceGrade))
    information_grade: Mapped[InformationGrade] = mapped_column(word(InformationGrade))
    assertion: Mapped[Assertion] = mapped_column(word(Assertion))
    share_class_id: Mapped[int] = mapped_column(ForeignKey("share_class.id"), index=True)
    seen_day: Mapped[int] = mapped_column(SmallInteger)  # since 1970: registered, or renewed last
    expires_on: Mapped[date] = mapped_column(Date)
    registered_at: Mapped[datetime] = mapped_column(Moment)
    registered_by: Mapped[UUID] = mapped_column(Uuid)
    changed_at: Mapped[datetime] = mapped_column(Moment)
    changed_by: Mapped[UUID] = mapped_column(Uuid)
    reminded_at: Mapped[datetime | None] = mapped_column(Moment)  # that the record's end is near
