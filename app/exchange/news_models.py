"""Addresses that are told when a collection has changed. No personal data.

An address could be a person's, so it is sealed.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, LargeBinary, String, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, Moment


class ExchangeNews(Base):
    """One address, and how far it was told. Cursors are microseconds since 1970.

    `told` is what it last took; `newest` is how far the collection is; `asked` is the cursor of the
    message under way, None between messages: of an address one message is under way at a time.
    """

    __tablename__ = "exchange_news"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[UUID] = mapped_column(Uuid, unique=True)
    collection_id: Mapped[int] = mapped_column(
        ForeignKey("exchange_collection.id", ondelete="CASCADE"), index=True
    )
    sealed_address: Mapped[bytes] = mapped_column(LargeBinary)
    sealed_secret: Mapped[bytes] = mapped_column(LargeBinary)
    former_secret: Mapped[bytes | None] = mapped_column(LargeBinary)  # sealed; signs beside it
    former_until: Mapped[datetime | None] = mapped_column(Moment)
    made_at: Mapped[datetime] = mapped_column(Moment)
    made_by: Mapped[UUID] = mapped_column(Uuid)
    told: Mapped[int] = mapped_column(BigInteger)
    newest: Mapped[int] = mapped_column(BigInteger)
    asked: Mapped[int | None] = mapped_column(BigInteger)
    message: Mapped[UUID | None] = mapped_column(Uuid)  # of the last one, the same at each try
    tries: Mapped[int]  # of that message
    tried_at: Mapped[datetime | None] = mapped_column(Moment)
    sent_at: Mapped[datetime | None] = mapped_column(Moment)
    error: Mapped[str | None] = mapped_column(String(200))  # of its last try
    is_given_up: Mapped[bool]  # the last message was
    is_gone: Mapped[bool]  # the receiver wants no more
