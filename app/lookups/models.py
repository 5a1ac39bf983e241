"""Who asked under which profile, what answered, and what is watched for. No value, no case."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Date, ForeignKey, Index, LargeBinary, SmallInteger, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, BigInt, Moment, word
from postern.vocabulary import Band, Kind, Told, WatchEnd


class Lookup(Base):
    __tablename__ = "lookup"
    __table_args__ = (Index("ix_lookup_organisation_id_asked_at", "organisation_id", "asked_at"),)

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    public_id: Mapped[UUID] = mapped_column(Uuid, unique=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("person_account.id"))
    profile_id: Mapped[int] = mapped_column(ForeignKey("profile.id"))
    asked_at: Mapped[datetime] = mapped_column(Moment)
    queries: Mapped[int]
    hits: Mapped[int]
    expires_on: Mapped[date] = mapped_column(Date, index=True)


class Hit(Base):
    __tablename__ = "hit"

    lookup_id: Mapped[int] = mapped_column(
        BigInt, ForeignKey("lookup.id", ondelete="CASCADE"), primary_key=True
    )
    query: Mapped[int] = mapped_column(primary_key=True)  # place of the query in its lookup
    indicator_id: Mapped[int] = mapped_column(
        BigInt, ForeignKey("indicator.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    level: Mapped[int] = mapped_column(SmallInteger)
    points: Mapped[int]
    band: Mapped[Band] = mapped_column(word(Band))
    grant_reason_id: Mapped[int] = mapped_column(ForeignKey("grant_reason.id"))


class Watch(Base):
    """A value that an organisation waits for, by its tokens; it ends on its last day.

    `share_class_id` is what the policies of others decide by, and its owner's, when two
    organisations watch for the same.
    """

    __tablename__ = "watch"
    __table_args__ = (Index("ix_watch_organisation_id_ended_at", "organisation_id", "ended_at"),)

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    public_id: Mapped[UUID] = mapped_column(Uuid, unique=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("person_account.id"))
    profile_id: Mapped[int] = mapped_column(ForeignKey("profile.id"))
    share_class_id: Mapped[int] = mapped_column(ForeignKey("share_class.id"))
    kind: Mapped[Kind] = mapped_column(word(Kind))
    epoch: Mapped[int] = mapped_column(SmallInteger)
    facets: Mapped[int] = mapped_column(BigInt, index=True)  # bit n: it has a token of facet n
    tells: Mapped[Told] = mapped_column(word(Told))
    deconflicts: Mapped[bool]
    made_at: Mapped[datetime] = mapped_column(Moment)
    expires_on: Mapped[date] = mapped_column(Date, index=True)
    ended_at: Mapped[datetime | None] = mapped_column(Moment)
    end: Mapped[WatchEnd | None] = mapped_column(word(WatchEnd))


class WatchToken(Base):
    """What a new indicator is matched on. Gone with the end of its watch."""

    __tablename__ = "watch_token"
    __table_args__ = ({"sqlite_with_rowid": False},)

    token: Mapped[bytes] = mapped_column(LargeBinary(16), primary_key=True)
    watch_id: Mapped[int] = mapped_column(
        BigInt, ForeignKey("watch.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    facet: Mapped[int] = mapped_column(SmallInteger, primary_key=True)


class WatchMatch(Base):
    """That a new indicator answers a watch; who was told is decided when it is told."""

    __tablename__ = "watch_match"

    watch_id: Mapped[int] = mapped_column(
        BigInt, ForeignKey("watch.id", ondelete="CASCADE"), primary_key=True
    )
    indicator_id: Mapped[int] = mapped_column(
        BigInt, ForeignKey("indicator.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    points: Mapped[int]
    band: Mapped[Band] = mapped_column(word(Band))
    matched_at: Mapped[datetime] = mapped_column(Moment)
    judged_at: Mapped[datetime | None] = mapped_column(Moment)  # None: still in the outbox
    tells_requester: Mapped[bool]
    tells_owner: Mapped[bool]
    seen_at: Mapped[datetime | None] = mapped_column(Moment)


class Deconfliction(Base):
    """That two watches are for the same and both policies let their owners learn it."""

    __tablename__ = "deconfliction"
    __table_args__ = (UniqueConstraint("earlier_id", "later_id"),)

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    public_id: Mapped[UUID] = mapped_column(Uuid, unique=True)
    earlier_id: Mapped[int] = mapped_column(BigInt, ForeignKey("watch.id", ondelete="CASCADE"))
    later_id: Mapped[int] = mapped_column(
        BigInt, ForeignKey("watch.id", ondelete="CASCADE"), index=True
    )
    made_at: Mapped[datetime] = mapped_column(Moment)
