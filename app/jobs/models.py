"""What is to be done and when, and what people should know. No personal data.

An address of a channel could be a person's, so it is sealed.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, String, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, BigInt, Moment, word
from postern.vocabulary import ChannelKind, DispatchState, Role


class DutyRun(Base):
    """One row per duty; its lock is what keeps two processes from doing the same duty at once."""

    __tablename__ = "duty_run"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    due_at: Mapped[datetime] = mapped_column(Moment)
    finished_at: Mapped[datetime | None] = mapped_column(Moment)  # the last success
    failures: Mapped[int]  # since the last success


class Notification(Base):
    """Something that people of one role of an organisation should know, or one person alone.

    Either `role` or `person`, a pseudonym, is set; there is no personal data in it. `kind` names
    the sentence, `facts` the codes and counts in it, `address` the page to open.
    """

    __tablename__ = "notification"
    __table_args__ = (
        Index("ix_notification_unseen", "organisation_id", "role", "seen_at", "made_at"),
    )

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    public_id: Mapped[UUID] = mapped_column(Uuid, unique=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    role: Mapped[Role | None] = mapped_column(word(Role))
    person: Mapped[UUID | None] = mapped_column(Uuid, index=True)
    kind: Mapped[str] = mapped_column(String(64))
    facts: Mapped[dict[str, Any]] = mapped_column(JSON)
    address: Mapped[str] = mapped_column(String(200))
    made_at: Mapped[datetime] = mapped_column(Moment, index=True)
    seen_by: Mapped[UUID | None] = mapped_column(Uuid)
    seen_at: Mapped[datetime | None] = mapped_column(Moment)


class JobState(StrEnum):
    """How a row of the outbox stands; one that is done is removed after a while."""

    WAITING = "waiting"
    DONE = "done"
    DEAD = "dead"  # tried as often as it is tried: a person must look


class Outbox(Base):
    """What a transaction wants done after its commit; the truth, whatever becomes of a worker.

    `payload` holds ids and codes only. `key`, where there is one, makes the row stand once.
    """

    __tablename__ = "outbox"
    __table_args__ = (
        UniqueConstraint("topic", "key"),
        Index("ix_outbox_due", "state", "due_at"),
    )

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    topic: Mapped[str] = mapped_column(String(64))
    key: Mapped[str | None] = mapped_column(String(128))
    payload: Mapped[dict[str, Any]] = mapped_column(JSON)
    state: Mapped[JobState] = mapped_column(word(JobState))
    tries: Mapped[int]
    made_at: Mapped[datetime] = mapped_column(Moment)
    due_at: Mapped[datetime] = mapped_column(Moment)
    lease: Mapped[UUID | None] = mapped_column(Uuid)  # of the worker that does it now
    leased_until: Mapped[datetime | None] = mapped_column(Moment)
    error: Mapped[str | None] = mapped_column(String(200))  # the kind of error, never its text
    ended_at: Mapped[datetime | None] = mapped_column(Moment)


class Channel(Base):
    """A way by which people of some roles of an organisation are told, beside the page."""

    __tablename__ = "channel"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    public_id: Mapped[UUID] = mapped_column(Uuid, unique=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), index=True)
    kind: Mapped[ChannelKind] = mapped_column(word(ChannelKind))
    roles: Mapped[list[str]] = mapped_column(JSON)
    language: Mapped[str] = mapped_column(String(2))
    sealed_address: Mapped[bytes] = mapped_column(LargeBinary)
    sealed_secret: Mapped[bytes | None] = mapped_column(LargeBinary)  # a webhook's, for signing
    former_secret: Mapped[bytes | None] = mapped_column(LargeBinary)  # sealed; signs beside it
    former_until: Mapped[datetime | None] = mapped_column(Moment)
    made_at: Mapped[datetime] = mapped_column(Moment)
    made_by: Mapped[UUID] = mapped_column(Uuid)
    stopped_at: Mapped[datetime | None] = mapped_column(Moment)


class Dispatch(Base):
    """The sending of one notification by one channel."""

    __tablename__ = "dispatch"
    __table_args__ = (UniqueConstraint("notification_id", "channel_id"),)

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    public_id: Mapped[UUID] = mapped_column(Uuid, unique=True)  # the same at each try
    notification_id: Mapped[int] = mapped_column(
        BigInt, ForeignKey("notification.id", ondelete="CASCADE")
    )
    channel_id: Mapped[int] = mapped_column(
        BigInt, ForeignKey("channel.id", ondelete="CASCADE"), index=True
    )
    state: Mapped[DispatchState] = mapped_column(word(DispatchState))
    tries: Mapped[int]
    made_at: Mapped[datetime] = mapped_column(Moment)
    tried_at: Mapped[datetime | None] = mapped_column(Moment)
    error: Mapped[str | None] = mapped_column(String(200))
