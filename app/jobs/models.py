"""When each periodic duty runs next. No personal data."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, Moment


class DutyRun(Base):
    """One row per duty; its lock is what keeps two processes from doing the same duty at once."""

    __tablename__ = "duty_run"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    due_at: Mapped[datetime] = mapped_column(Moment)
    finished_at: Mapped[datetime | None] = mapped_column(Moment)  # the last success
    failures: Mapped[int]  # since the last success
