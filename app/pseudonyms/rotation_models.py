"""A rotation of an evaluation key: where it stands, and what is proved of it so far."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, LargeBinary, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, BigInt, Moment, word
from postern.vocabulary import EvaluationKind


class RotationState(StrEnum):
    """In this order, and never back."""

    MOVING = "moving"  # the old epoch is open; stored rows are moved
    OVERLAPPING = "overlapping"  # the new epoch is open, the old one is still taken
    GATHERING = "gathering"  # the old epoch is closed; what came under it late is moved
    CLEARING = "clearing"  # the postings of the old epoch go
    DONE = "done"  # the old key and the factor are wiped


class KeyRotation(Base):
    """At most one of a kind is not DONE. `head` chains the statements of all its chunks."""

    __tablename__ = "key_rotation"

    kind: Mapped[EvaluationKind] = mapped_column(word(EvaluationKind), primary_key=True)
    new_epoch: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    old_epoch: Mapped[int] = mapped_column(SmallInteger)
    old_key: Mapped[bytes] = mapped_column(LargeBinary(32))
    new_key: Mapped[bytes] = mapped_column(LargeBinary(32))
    state: Mapped[RotationState] = mapped_column(word(RotationState))
    overlap_days: Mapped[int] = mapped_column(SmallInteger)
    began_at: Mapped[datetime] = mapped_column(Moment)
    switched_at: Mapped[datetime | None] = mapped_column(Moment)
    turned_at: Mapped[datetime | None] = mapped_column(Moment)  # all rows are read as the new epoch
    closed_at: Mapped[datetime | None] = mapped_column(Moment)
    done_at: Mapped[datetime | None] = mapped_column(Moment)
    after: Mapped[int] = mapped_column(BigInt)  # up to here this pass over the rows has come
    chunks: Mapped[int]
    elements: Mapped[int] = mapped_column(BigInt)
    head: Mapped[bytes] = mapped_column(LargeBinary(32))


class KeyRotationChunk(Base):
    """One chunk of rows of one owner: what is published of it, and sealed what its owner may see.

    The rows are for who may read the vault alone, and are erased after some time.
    """

    __tablename__ = "key_rotation_chunk"
    __table_args__ = (Index("ix_key_rotation_chunk_made_at", "made_at"),)

    kind: Mapped[EvaluationKind] = mapped_column(word(EvaluationKind), primary_key=True)
    new_epoch: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    elements: Mapped[int] = mapped_column(SmallInteger)
    old: Mapped[bytes] = mapped_column(LargeBinary(32))
    new: Mapped[bytes] = mapped_column(LargeBinary(32))
    m: Mapped[bytes] = mapped_column(LargeBinary(32))
    z: Mapped[bytes] = mapped_column(LargeBinary(32))
    proof: Mapped[bytes] = mapped_column(LargeBinary(64))
    made_at: Mapped[datetime] = mapped_column(Moment)
    sealed_rows: Mapped[bytes | None] = mapped_column(LargeBinary)
