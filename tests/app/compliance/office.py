"""An office in which time passes, the log is kept, and officers review what was done."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy.orm import Session

from app import clock
from app.audit.running import sequencer
from app.compliance import rounds, signals
from app.lookups import service as lookups
from postern.vocabulary import LegalBasis, Purpose, Role
from tests.app.exchange import JAN, Exchange
from tests.app.people import Person, make_person, runtime_of

NOVEMBER = datetime(2026, 11, 10, 9, tzinfo=UTC)
DECEMBER = datetime(2026, 12, 1, 2, tzinfo=UTC)
CODE = "police-de"


class Clock:
    """The clock of every room, standing where the test puts it."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at


@contextmanager
def standing_clock(at: datetime) -> Iterator[Clock]:
    """Every room's clock stands still until the test moves it."""
    made, real = Clock(at), clock.now
    with pytest.MonkeyPatch.context() as patch:
        for name, module in list(sys.modules.items()):
            if name.startswith("app.") and getattr(module, "now", None) is real:
                patch.setattr(module, "now", made)
        yield made


@dataclass
class Office:
    """police-de with an analyst and two compliance officers, one of whom also looks things up."""

    exchange: Exchange
    clock: Clock
    analyst: Person
    officer: Person
    second: Person

    @property
    def analyst_id(self) -> Any:
        return self.analyst.caller.person

    def do(self, verb: Callable[..., Any], who: Person, *args: Any, **kwargs: Any) -> Any:
        """One verb in a transaction of its own."""
        with self.transaction() as session:
            return verb(session, who.caller, *args, **kwargs)

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        with self.exchange.app.app_context(), self.exchange.database.transaction() as session:
            yield session

    def ask(self, count: int = 1, who: Person | None = None, case: str = "PV-2024-17") -> None:
        """Lookups without a hit."""
        for _ in range(count):
            self.do(
                lookups.ask,
                who or self.analyst,
                purpose=Purpose.CRIMINAL_INVESTIGATION,
                legal_basis=LegalBasis.CRIMINAL_PROCEDURE,
                case=case,
                queries=[self.exchange.query(JAN)],
            )

    def sequence(self) -> None:
        """Give every waiting entry its place, and sign."""
        sequencer(runtime_of(self.exchange.app)).step()

    def draw(self) -> int:
        with self.transaction() as session:
            return rounds.draw_due(session)

    def look(self) -> int:
        with self.transaction() as session:
            return signals.look(session)


def make_office(exchange: Exchange, clock: Clock) -> Office:
    return Office(
        exchange,
        clock,
        analyst=make_person(exchange.app, CODE, [Role.ANALYST]),
        officer=make_person(exchange.app, CODE, [Role.COMPLIANCE]),
        second=make_person(exchange.app, CODE, [Role.COMPLIANCE, Role.ANALYST]),
    )
