"""What the tests of accounts share: a clock to move, and the log as plain values."""

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

import app.clock
from app.audit.models import AuditAudience, AuditDetail, AuditEntry
from app.database import Database
from postern.audit.record import open_disclosures
from tests.app.people import make_organisation


@dataclass
class MovingClock:
    """The platform's clock, ahead of the real one by `ahead`."""

    ahead: timedelta = field(default_factory=timedelta)
    _real: Any = app.clock.now

    def now(self) -> datetime:
        moment: datetime = self._real()
        return moment + self.ahead

    def move(self, **by: float) -> None:
        self.ahead += timedelta(**by)


@dataclass(frozen=True)
class Logged:
    """One entry of the log, opened."""

    act: str
    organisation: str
    outcome: str
    audience: frozenset[str]
    details: dict[str, Any]


@pytest.fixture
def moving_clock(monkeypatch: pytest.MonkeyPatch) -> MovingClock:
    moving = MovingClock()
    monkeypatch.setattr(app.clock, "now", moving.now)
    return moving


@pytest.fixture
def post(app: Flask, database: Database) -> str:
    """The code of an organisation that has joined."""
    make_organisation(database, "post-be")
    return "post-be"


def log_of(database: Database, act: str | None = None) -> list[Logged]:
    """The log, or its entries of one act, oldest first."""
    with database.reading() as session:
        readers = session.execute(select(AuditAudience.eid, AuditAudience.org)).all()
        rows = session.execute(
            select(AuditEntry.eid, AuditEntry.rec, AuditDetail.disc)
            .join(AuditDetail, AuditDetail.eid == AuditEntry.eid)
            .order_by(AuditEntry.eid)
        ).all()
    entries = []
    for eid, record, disclosures in rows:
        told = json.loads(record)
        audience = frozenset(code for of, code in readers if of == eid)
        opened = open_disclosures(disclosures)
        entries.append(Logged(told["act"], told["org"], told["out"], audience, opened))
    return [entry for entry in entries if act is None or entry.act == act]
