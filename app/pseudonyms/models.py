"""Evaluation keys (public parts), the quotas that brake guessing, and the vault of elements."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, LargeBinary, SmallInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, BigInt, Moment, word
from postern.vocabulary import EvaluationKind


class Window(StrEnum):
    """The spans over which evaluations are counted."""

    HOUR = "hour"
    DAY = "day"
    MONTH = "month"


class KeyEpoch(Base):
    __tablename__ = "key_epoch"

    kind: Mapped[EvaluationKind] = mapped_column(word(EvaluationKind), primary_key=True)
    epoch: Mapped[int] = mapped_column(primary_key=True)
    norm: Mapped[str] = mapped_column(String(16))  # version of the normaliser's rules
    public_key: Mapped[bytes] = mapped_column(LargeBinary(32))
    valid_from: Mapped[datetime] = mapped_column(Moment)
    valid_to: Mapped[datetime] = mapped_column(Moment)


class EvaluationBudget(Base):
    """Evaluations used; `person_id` 0 counts the whole organisation."""

    __tablename__ = "evaluation_budget"

    organisation_id: Mapped[int] = mapped_column(
        ForeignKey("organisation.id", ondelete="CASCADE"), primary_key=True
    )
    person_id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[EvaluationKind] = mapped_column(word(EvaluationKind), primary_key=True)
    window: Mapped[Window] = mapped_column(word(Window), primary_key=True)
    window_start: Mapped[datetime] = mapped_column(Moment, primary_key=True)
    used: Mapped[int] = mapped_column(BigInt)


class EvaluationAllowance(Base):
    """An organisation's own limit, where it differs from the settings."""

    __tablename__ = "evaluation_allowance"

    organisation_id: Mapped[int] = mapped_column(
        ForeignKey("organisation.id", ondelete="CASCADE"), primary_key=True
    )
    kind: Mapped[EvaluationKind] = mapped_column(word(EvaluationKind), primary_key=True)
    window: Mapped[Window] = mapped_column(word(Window), primary_key=True)
    elements: Mapped[int] = mapped_column(BigInt)


class ElementVault(Base):
    """The unblinded elements of one indicator, sealed; what a key rotation moves.

    The web service's database role may only INSERT and DELETE here, and read which indicators have
    a row: a reader of the matching tables never meets an element.
    """

    __tablename__ = "element_vault"

    indicator_id: Mapped[int] = mapped_column(
        BigInt, ForeignKey("indicator.id", ondelete="CASCADE"), primary_key=True
    )
    kind: Mapped[EvaluationKind] = mapped_column(word(EvaluationKind))
    epoch: Mapped[int] = mapped_column(SmallInteger)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
