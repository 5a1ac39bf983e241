"""Servers of others that an organisation polls, each try, and what was kept of what they sent.

A server's address and credential are sealed. Of an object of a server nothing in clear is kept:
`content` holds what received_forms.py let through.
"""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    Date,
    ForeignKey,
    Index,
    LargeBinary,
    SmallInteger,
    String,
    Text,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, BigInt, Moment, word


class ServerMeans(StrEnum):
    """How the platform proves to a server for whom it asks."""

    BEARER = "bearer"
    BASIC = "basic"
    NONE = "none"


class ServerState(StrEnum):
    """How asking a server goes."""

    NEW = "new"  # it was never asked
    ANSWERING = "answering"
    FAILING = "failing"  # the last try failed; it is asked again, ever more rarely
    GIVEN_UP = "given_up"  # it failed too often in a row: a person must look


class NotKept(StrEnum):
    """Why nothing is kept of an object that a server sent."""

    MALFORMED = "malformed"
    IN_CLEAR = "in_clear"
    SUPPORT = "support"  # nothing is lost: definitions and names that objects refer to
    KNOWN = "known"
    REVOKED = "revoked_before"  # nothing of it was ever kept here
    ENDED = "ended"
    PATTERN = "pattern"  # a shipping pattern that cannot be proposed here: it is not mapped


class ExchangeServer(Base):
    """One collection of another TAXII server, which the platform polls for an organisation.

    `added_after` and `next_page` are how far it was read; both advance in the transaction that
    stores a page. `round` numbers the askings, so that none is made twice at once.
    """

    __tablename__ = "exchange_server"
    __table_args__ = (Index("ix_exchange_server_stopped_at_due_at", "stopped_at", "due_at"),)

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    public_id: Mapped[UUID] = mapped_column(Uuid, unique=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), index=True)
    title: Mapped[str] = mapped_column(String(80))
    sealed_address: Mapped[bytes] = mapped_column(LargeBinary)
    sealed_credential: Mapped[bytes | None] = mapped_column(LargeBinary)
    means: Mapped[ServerMeans] = mapped_column(word(ServerMeans))
    every_minutes: Mapped[int] = mapped_column(SmallInteger)
    kept_days: Mapped[int] = mapped_column(SmallInteger)
    state: Mapped[ServerState] = mapped_column(word(ServerState))
    is_postern: Mapped[bool]  # one of its objects was of a form that only Postern serves
    round: Mapped[int]
    failures: Mapped[int]  # since the last success
    due_at: Mapped[datetime] = mapped_column(Moment)
    answered_at: Mapped[datetime | None] = mapped_column(Moment)  # the last success
    error: Mapped[str | None] = mapped_column(String(64))  # the kind of the last error
    added_after: Mapped[str | None] = mapped_column(String(40))
    next_page: Mapped[str | None] = mapped_column(Text)
    made_at: Mapped[datetime] = mapped_column(Moment)
    made_by: Mapped[UUID] = mapped_column(Uuid)
    stopped_at: Mapped[datetime | None] = mapped_column(Moment)
    receipt_key: Mapped[str | None] = mapped_column(String(400))  # C2SP verifier key of a Postern
    receipts_taken: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))


class ServerTry(Base):
    """One asking of a server, and what came of it; `refused` counts by reason what was not kept."""

    __tablename__ = "exchange_try"
    __table_args__ = (UniqueConstraint("server_id", "round"),)

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    server_id: Mapped[int] = mapped_column(
        BigInt, ForeignKey("exchange_server.id", ondelete="CASCADE")
    )
    round: Mapped[int]
    began_at: Mapped[datetime] = mapped_column(Moment, index=True)
    ended_at: Mapped[datetime | None] = mapped_column(Moment)
    pages: Mapped[int]
    objects: Mapped[int]
    kept: Mapped[int]
    revoked: Mapped[int]
    refused: Mapped[dict[str, int]] = mapped_column(JSON)
    receipts: Mapped[int]  # pages that came with a receipt; with a key, those that it signed
    error: Mapped[str | None] = mapped_column(String(64))


class ReceivedObject(Base):
    """What an organisation keeps of one object of a server, in its last version."""

    __tablename__ = "exchange_received"
    __table_args__ = (UniqueConstraint("server_id", "stix_id"),)

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    server_id: Mapped[int] = mapped_column(
        BigInt, ForeignKey("exchange_server.id", ondelete="CASCADE")
    )
    stix_id: Mapped[str] = mapped_column(String(80))
    type: Mapped[str] = mapped_column(String(32))
    version: Mapped[str] = mapped_column(String(40))
    is_revoked: Mapped[bool]
    received_at: Mapped[datetime] = mapped_column(Moment)
    expires_on: Mapped[date] = mapped_column(Date, index=True)
    content: Mapped[dict[str, Any]] = mapped_column(JSON)
