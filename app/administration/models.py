"""What the platform notes of its own size. No personal data, and nothing of any organisation's."""

from sqlalchemy import BigInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base


class SizeNote(Base):
    """How large the tables of one room were on a day; what growth by months is told from."""

    __tablename__ = "size_note"

    day: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)  # since 1970, in UTC
    room: Mapped[str] = mapped_column(String(64), primary_key=True)
    rows: Mapped[int] = mapped_column(BigInteger)
    bytes: Mapped[int] = mapped_column(BigInteger)  # with indexes; 0 where it cannot be told
