"""Keys that are shared among holders: what the platform knows of them, and what a holder keeps."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, LargeBinary, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, Moment, word
from postern.vocabulary import EvaluationKind


class SharedKey(Base):
    """On the platform: the public side of a key that it holds with others."""

    __tablename__ = "key_sharing"

    kind: Mapped[EvaluationKind] = mapped_column(word(EvaluationKind), primary_key=True)
    epoch: Mapped[int] = mapped_column(primary_key=True)
    platform_key: Mapped[bytes] = mapped_column(LargeBinary(32))
    commitments: Mapped[bytes] = mapped_column(LargeBinary)  # 32 bytes each; as many as must agree
    holders: Mapped[list[dict[str, Any]]] = mapped_column(JSON)  # {number, name, address}


class HeldShare(Base):
    """At a holder: its share of a key, sealed, with the commitments that it was checked against."""

    __tablename__ = "held_share"

    kind: Mapped[EvaluationKind] = mapped_column(word(EvaluationKind), primary_key=True)
    epoch: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(SmallInteger)
    commitments: Mapped[bytes] = mapped_column(LargeBinary)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    installed_at: Mapped[datetime] = mapped_column(Moment)


class HolderMember(Base):
    """At a holder: the signing key of an organisation, as a person there confirmed it."""

    __tablename__ = "holder_member"

    organisation_id: Mapped[int] = mapped_column(
        ForeignKey("organisation.id", ondelete="CASCADE"), primary_key=True
    )
    number: Mapped[int]  # of the directory entry
    digest: Mapped[bytes] = mapped_column(LargeBinary(32))  # of that entry
    signing: Mapped[bytes] = mapped_column(LargeBinary(32))
    admitted_at: Mapped[datetime] = mapped_column(Moment)


class HolderRequest(Base):
    """At a holder: signatures that were used, until none of their age is taken any more."""

    __tablename__ = "holder_request"

    organisation_id: Mapped[int] = mapped_column(
        ForeignKey("organisation.id", ondelete="CASCADE"), primary_key=True
    )
    request_id: Mapped[bytes] = mapped_column(LargeBinary(16), primary_key=True)
    kept_until: Mapped[datetime] = mapped_column(Moment, index=True)
