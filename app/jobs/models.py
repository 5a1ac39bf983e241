"""When each periodic duty runs next, and what people should know. No personal data."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, Index, String, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, BigInt, Moment, word
from postern.vocabulary import Role


class DutyRun(Base):
    """One row per duty; its lock is what keeps two processes from doing the same duty at once."""

    __tablename__ = "duty_run"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    due_at: Mapped[datetime] = mapped_column(Moment)
    finished_at: Mapped[datetime | None] = mapped_column(Moment)  # the last success
    failures: Mapped[int]  # since the last success


class Notification(Base):
    """Something that people of one role of an organisation should know; no personal data.

    `kind` names the sentence, `facts` the codes and counts in it, `address` the page to open.
    """

    __tablename__ = "notification"
    __table_args__ = (
        Index("ix_notification_unseen", "organisation_id", "role", "seen_at", "made_at"),
    )

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    public_id: Mapped[UUID] = mapped_column(Uuid, unique=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    role: Mapped[Role] = mapped_column(word(Role))
    kind: Mapped[str] = mapped_column(String(64))
    facts: Mapped[dict[str, Any]] = mapped_column(JSON)
    address: Mapped[str] = mapped_column(String(200))
    made_at: Mapped[datetime] = mapped_column(Moment, index=True)
    seen_by: Mapped[UUID | None] = mapped_column(Uuid)
    seen_at: Mapped[datetime | None] = mapped_column(Moment)
