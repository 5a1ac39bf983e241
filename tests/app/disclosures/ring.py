"""Owner and recipients of indicators, with a clock that stands where a test puts it."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app import clock
from app.access import CONSOLE, Caller
from app.disclosures import outcomes, recall_answers, recall_own
from app.disclosures.models import Acknowledgement, Recall
from app.disclosures.outcomes import OutcomeTold, Told
from app.disclosures.recall_answers import Received
from app.disclosures.recall_own import Own
from app.indicators import amending, service, shared
from app.indicators.amending import Correction
from app.indicators.telling import Grounds
from app.jobs.models import Notification
from app.organisations import service as organisations
from app.organisations.models import OrganisationStatus
from app.pseudonyms.models import KeyEpoch
from postern import normalise
from postern.vocabulary import (
    AcknowledgementState,
    LegalBasis,
    OutcomeResult,
    Purpose,
    RecallReason,
    Rectification,
    Role,
    Sector,
    Step,
)
from tests.app.exchange import Exchange, make_exchange, report
from tests.app.people import make_organisation, make_person

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
CASE = "PV-2024-17"
GROUNDS = Grounds(Purpose.CRIMINAL_INVESTIGATION, LegalBasis.CRIMINAL_PROCEDURE, CASE)

FED = """
@id("fed/all") @label("Every member takes what it wants")
permit (principal, action, resource);
"""
UNTOLD = """
@id("untold/police") @label("We are not told of what police get")
forbid (principal, action == Action::"tell_owner", resource)
when { principal.sector == Sector::"police" };
"""


@dataclass
class Standing:
    """The clock of every room."""

    at: datetime = NOON

    def __call__(self) -> datetime:
        return self.at


@dataclass
class Ring:
    """post-be owns; customs-nl, police-de and police-fr get."""

    exchange: Exchange
    clock: Standing

    def wait(self, **passing: float) -> None:
        self.clock.at += timedelta(**passing)

    @contextmanager
    def doing(self) -> Iterator[Session]:
        with self.exchange.app.app_context(), self.exchange.database.transaction() as session:
            yield session

    def caller(self, code: str, *roles: Role) -> Caller:
        """Who acts, with all roles or some."""
        found = self.exchange.caller(code)
        return replace(found, roles=frozenset(roles)) if roles else found

    def submit(self, key: str, *values: normalise.Value, code: str = "post-be") -> list[UUID]:
        """A report; its own id and those of its indicators."""
        sent = report(
            key,
            *(self.exchange.indicator(value) for value in values),
            barrier_step=3,
            shipment={"substance": "mdma"},
        )
        (made,) = self.exchange.submit(code, sent).results
        assert made.id, made.errors
        return [made.id, *made.indicators]

    def take(self, code: str) -> None:
        """Export all that others let this organisation have."""
        with self.doing() as session:
            shared.export_shared(session, self.caller(code), GROUNDS, wanted={}, limit=2000)

    def withdraw(self, report_id: UUID, recall: RecallReason = RecallReason.WRONG_DATA) -> None:
        with self.doing() as session:
            service.withdraw(session, self.caller("post-be"), report_id, "error", recall)

    def amend(self, report_id: UUID, indicator: UUID, **fields: Any) -> None:
        right = Correction(fields, RecallReason.WRONG_IDENTITY)
        with self.doing() as session:
            amending.amend_indicator(session, self.caller("post-be"), report_id, indicator, right)

    def amend_report(self, report_id: UUID, **fields: Any) -> None:
        right = Correction(fields, RecallReason.OTHER)
        with self.doing() as session:
            amending.amend_report(session, self.caller("post-be"), report_id, right)

    def received(
        self, code: str, states: Sequence[AcknowledgementState] = tuple(AcknowledgementState)
    ) -> list[Received]:
        with self.doing() as session:
            return recall_answers.received(session, self.caller(code), states, 100).recalls

    def answer(
        self, code: str, recall: UUID, done: Rectification | None = Rectification.ERASED
    ) -> Received:
        """Complete a recall; acknowledge it where nothing is said to be done."""
        state = AcknowledgementState.COMPLETED if done else AcknowledgementState.ACKNOWLEDGED
        with self.doing() as session:
            return recall_answers.answer(session, self.caller(code), recall, state=state, done=done)

    def own(self, *, is_open: bool | None = None, code: str = "post-be") -> list[Own]:
        with self.doing() as session:
            return recall_own.own(session, self.caller(code), is_open=is_open, limit=100).recalls

    def recalls(self) -> list[tuple[Recall, list[Acknowledgement]]]:
        """The rows as they stand, oldest first."""
        answers = self.exchange.rows(select(Acknowledgement))
        return [
            (row, [each for each in answers if each.recall_id == row.id])
            for row in self.exchange.rows(select(Recall).order_by(Recall.id))
        ]

    def tell(
        self,
        code: str,
        indicator: UUID,
        result: OutcomeResult = OutcomeResult.FOUND,
        step: Step = Step.YES,
        **more: Any,
    ) -> OutcomeTold:
        told = Told(
            **{"asked": step, "located": step, "held": step, "examined": step} | more, result=result
        )
        with self.doing() as session:
            return outcomes.tell(
                session, self.caller(code), indicator=indicator, case=CASE, told=told
            )

    def notices(self, code: str, prefix: str) -> list[tuple[str, Role, dict[str, Any], str]]:
        """What an organisation was told, oldest first."""
        found = self.exchange.rows(
            select(Notification)
            .where(Notification.organisation_id == self.exchange.organisation_id(code))
            .order_by(Notification.id)
        )
        return [
            (row.kind, row.role, dict(row.facts), row.address)
            for row in found
            if row.kind.startswith(prefix)
        ]

    def set_status(self, code: str, status: OrganisationStatus) -> None:
        with self.doing() as session:
            organisations.set_status(session, CONSOLE, code, status)


@contextmanager
def open_ring(app: Flask) -> Iterator[Ring]:
    """The exchange with a second police force and an open policy, at noon."""
    standing = Standing()
    with pytest.MonkeyPatch.context() as patch:
        real = clock.now
        for name, module in list(sys.modules.items()):
            if name.startswith("app.") and getattr(module, "now", None) is real:
                patch.setattr(module, "now", standing)
        made = make_exchange(app)
        make_organisation(made.database, "police-fr", Sector.POLICE, "FR")
        made.people["police-fr"] = make_person(app, "police-fr", Role)
        made.publish("post-be", FED)
        with made.database.transaction() as session:
            # Years pass in these tests, and no new epoch is opened meanwhile.
            session.execute(update(KeyEpoch).values(valid_to=NOON + timedelta(days=36500)))
        yield Ring(made, standing)
