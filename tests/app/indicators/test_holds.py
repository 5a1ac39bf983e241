"""Legal holds: what they keep, for whom, and that it ends with the last of them."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app.access import Caller
from app.database_roles import Work, grant
from app.errors import InvalidRequestError, NotFoundError, StartRefusedError
from app.indicators import amending, holds, service
from app.indicators.amending import Correction
from app.indicators.holds import Hold
from app.indicators.hooks import Ending, Hooks
from app.indicators.models import Envelope, Indicator, Report, ReportStatus, Tombstone
from app.jobs.models import Notification
from app.jobs.service import run_due
from postern.vocabulary import HoldReason, RecallReason, Role, Scope, SealedPart
from tests.app.compliance.office import NOVEMBER, Clock, standing_clock
from tests.app.exchange import (
    JAN,
    OPEN_TO_POLICE,
    SOPHIE,
    Exchange,
    make_exchange,
    place,
    report,
)
from tests.app.people import bearer, runtime_of

TODAY = NOVEMBER.date()


@dataclass
class House:
    """post-be reported SOPHIE and a counter in one report, with sealed parts; police see both."""

    exchange: Exchange
    clock: Clock
    sent: Any
    endings: list[Ending]

    @contextmanager
    def work(self) -> Iterator[Session]:
        with self.exchange.app.app_context(), self.exchange.database.transaction() as session:
            yield session

    def caller(self, *roles: Role) -> Caller:
        """The person of post-be, with these roles alone."""
        return replace(self.exchange.caller("post-be"), roles=frozenset(roles))

    def hold(self, until: date, reason: HoldReason = HoldReason.PROCEEDINGS) -> Hold:
        with self.work() as session:
            officer = self.caller(Role.COMPLIANCE)
            return holds.place(
                session, officer, self.sent.id, reason=reason, until=until, case="PV-2026-17"
            )

    def release(self, hold: UUID) -> Hold:
        with self.work() as session:
            return holds.release(session, self.caller(Role.COMPLIANCE), hold)

    def withdraw(self, recall: RecallReason | None = None) -> service.Withdrawal:
        with self.work() as session:
            writer = self.caller(Role.SUBMITTER)
            return service.withdraw(session, writer, self.sent.id, "unlawful", recall)

    def sweep(self) -> int:
        with self.work() as session:
            return service.expire(session, self.clock.at.date())

    def pass_days(self, days: int) -> None:
        self.clock.at += timedelta(days=days)

    def read(self, *roles: Role) -> Any:
        with self.work() as session:
            return service.read_own(session, self.caller(*roles), self.sent.id)

    def hits(self) -> int:
        return len(self.exchange.ask("police-de", SOPHIE).results[0].hits)

    def left(self) -> dict[str, int]:
        tables = ("indicator", "token", "element_vault", "envelope", "tombstone")
        with self.exchange.database.reading() as session:
            return {
                table: session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()  # noqa: S608 - a list of our own
                for table in tables
            }


@pytest.fixture
def house(app: Flask) -> Iterator[House]:
    with standing_clock(NOVEMBER) as clock:
        exchange = make_exchange(app)
        exchange.publish("post-be", OPEN_TO_POLICE)
        soon = (TODAY + timedelta(days=3)).isoformat()
        sent = report(
            "k1",
            exchange.indicator(SOPHIE, expires_on=soon),
            place(expires_on=soon),
            shipment={"service": "parcel", "substance": "mdma"},
            barrier_step=4,
        )
        (result,) = exchange.submit("post-be", sent).results
        made = House(exchange, clock, result, [])

        def hear(_session: Any, _caller: Caller, ending: Ending) -> None:
            made.endings.append(ending)

        runtime_of(exchange.app).part(Hooks).ending.append(hear)
        with exchange.database.transaction() as session:
            for row in seal_something(session):
                session.add(row)
        yield made


def seal_something(session: Session) -> list[Envelope]:
    """An envelope of each indicator and a file of each report; what is in them is no matter."""
    parts: list[tuple[int, int | None, SealedPart]] = [
        (row.report_id, row.id, SealedPart.VALUE) for row in session.scalars(select(Indicator))
    ]
    parts += [(row, None, SealedPart.ATTACHMENT) for row in session.scalars(select(Report.id))]
    owner = session.scalars(select(Report.organisation_id)).first()
    return [
        Envelope(
            public_id=uuid4(),
            organisation_id=owner,
            report_id=report_id,
            indicator_id=indicator_id,
            part=part,
            number=0 if indicator_id else 1,
            kind="report",
            epoch=0,
            token=bytes(16),
            record="k1",
            size=1,
            digest=bytes(32),
            content=b"-",
            added_at=NOVEMBER,
        )
        for report_id, indicator_id, part in parts
    ]


GONE = {"indicator": 0, "token": 0, "element_vault": 0, "envelope": 0, "tombstone": 2}
KEPT = {"indicator": 2, "token": 0, "element_vault": 0, "envelope": 3, "tombstone": 0}


def test_what_is_over_is_kept_for_its_keepers_alone_until_the_hold_ends(house: House) -> None:
    hold = house.hold(TODAY + timedelta(days=30))
    assert house.hits() == 1  # a hold changes nothing while it lives
    house.pass_days(3)
    assert house.sweep() == 2
    assert house.sweep() == 0  # and does not come round again
    assert house.left() == KEPT
    assert house.hits() == 0
    for keeper in (Role.SUBMITTER, Role.COMPLIANCE):
        shown = house.read(keeper)
        assert [each["id"] for each in shown.indicators] == list(house.sent.indicators)
        assert {each["restricted_at"] for each in shown.indicators} == {house.clock.at}
        assert shown.barrier_step == 4
    for other in (Role.ANALYST, Role.APPROVER):
        assert list(house.read(other).indicators) == []
    (listed,) = house_holds(house)
    assert (listed.stands, listed.restricted) == (True, 2)
    assert [(ending.recalled, len(ending.indicators)) for ending in house.endings] == [(None, 2)]

    house.release(hold.id)
    assert house.sweep() == 2
    assert house.left() == GONE
    assert len(house.endings) == 1  # for others it had ended before
    assert {stone.reason for stone in house.exchange.rows(select(Tombstone))} == {"expired"}
    for act in ("indicator.restrict", "indicator.erase"):
        (entry,) = house.exchange.entries(act)
        assert entry.details["objects"] == [str(each) for each in house.sent.indicators]
        assert entry.audience == ["platform", "post-be"]
    assert house.exchange.entries("indicator.expire") == []


def test_a_withdrawal_calls_recipients_though_a_hold_keeps_it(house: House) -> None:
    house.hold(TODAY + timedelta(days=30))
    made = house.withdraw(RecallReason.SUBJECT_REQUEST)
    assert (made.erased, made.restricted) == (0, 2)
    again = house.withdraw()
    assert (again.erased, again.restricted) == (0, 0)
    assert house.left() == KEPT
    assert house.hits() == 0
    (heard,) = house.endings
    assert heard.recalled is RecallReason.SUBJECT_REQUEST
    assert list(heard.indicators) == list(house.sent.indicators)
    kept, hidden = house.read(Role.SUBMITTER), house.read(Role.ANALYST)
    assert (kept.status, kept.barrier_step, kept.shipment["substance"]) == ("withdrawn", 4, "mdma")
    assert (hidden.status, hidden.barrier_step, list(hidden.indicators)) == ("withdrawn", None, [])
    assert not any(hidden.shipment.values())
    (entry, second) = house.exchange.entries("report.withdraw")
    assert (entry.details["restricted"], second.details["indicators"]) == (2, [])

    house.pass_days(30)  # its last day
    assert house.sweep() == 0
    house.pass_days(1)
    assert house.sweep() == 2
    assert house.left() == GONE
    assert {stone.reason for stone in house.exchange.rows(select(Tombstone))} == {"withdrawn"}
    (stored,) = house.exchange.rows(select(Report))
    assert (stored.status, stored.barrier_step, stored.substance) == (
        ReportStatus.WITHDRAWN,
        None,
        None,
    )


def test_the_last_of_several_holds_decides(house: House) -> None:
    first, second = (house.hold(TODAY + timedelta(days=days)) for days in (10, 20))
    house.withdraw()
    house.release(second.id)
    assert house.sweep() == 0
    third = house.hold(TODAY + timedelta(days=400))  # there is something left to hold
    house.pass_days(11)
    assert house.sweep() == 0
    assert [each.stands for each in house_holds(house)] == [True, False, False]
    with pytest.raises(holds.HoldEndedError):
        house.release(first.id)
    with pytest.raises(holds.HoldEndedError):
        house.release(second.id)
    house.release(third.id)
    assert house.sweep() == 2
    with pytest.raises(holds.NothingToHoldError):
        house.hold(TODAY + timedelta(days=30))


def test_without_a_hold_the_sealed_parts_go_with_what_they_are_of(house: House) -> None:
    house.pass_days(3)
    assert house.sweep() == 2
    assert house.left() == GONE


def test_a_file_stays_as_long_as_one_indicator_of_its_report(house: House) -> None:
    later = TODAY + timedelta(days=9)
    correction = Correction({"expires_on": later}, RecallReason.OTHER)
    with house.work() as session:
        amending.amend_indicator(
            session,
            house.caller(Role.SUBMITTER),
            house.sent.id,
            house.sent.indicators[1],
            correction,
        )
    house.pass_days(3)
    assert house.sweep() == 1
    assert {row.part for row in house.exchange.rows(select(Envelope))} == {
        SealedPart.VALUE,
        SealedPart.ATTACHMENT,
    }
    house.pass_days(6)
    assert house.sweep() == 1
    assert house.left() == GONE


def test_what_a_hold_keeps_cannot_be_amended(house: House) -> None:
    house.hold(TODAY + timedelta(days=30))
    house.pass_days(3)
    house.sweep()
    correction = Correction({"expires_on": TODAY + timedelta(days=90)}, RecallReason.OTHER)
    with house.work() as session, pytest.raises(amending.RestrictedError):
        amending.amend_indicator(
            session,
            house.caller(Role.SUBMITTER),
            house.sent.id,
            house.sent.indicators[0],
            correction,
        )
    report_correction = Correction({"barrier_step": 1}, RecallReason.OTHER)
    with house.work() as session, pytest.raises(amending.ReportEndedError):
        amending.amend_report(
            session, house.caller(Role.SUBMITTER), house.sent.id, report_correction
        )


def test_a_hold_has_a_day_and_a_report_of_ones_own(house: House) -> None:
    assert holds.longest(date(2028, 2, 29)) == date(2033, 2, 28)
    latest = date(2031, 11, 10)
    for wrong in (TODAY - timedelta(days=1), latest + timedelta(days=1)):
        with pytest.raises(InvalidRequestError):
            house.hold(wrong)
    assert house.hold(latest).until == latest
    (theirs,) = house.exchange.submit("customs-nl", report("k", place())).results
    for unknown in (theirs.id, uuid4()):
        house.sent = replace(house.sent, id=unknown)
        with pytest.raises(NotFoundError):
            house.hold(latest)
    (entry,) = house.exchange.entries("hold.place")
    assert entry.details["case"] == "PV-2026-17"
    assert (entry.details["reason"], entry.details["until"]) == ("proceedings", "2031-11-10")
    assert entry.audience == ["post-be"]
    assert "PV-2026-17" not in entry.record


def test_compliance_is_told_once_two_weeks_before_a_hold_ends(house: House) -> None:
    house.hold(TODAY + timedelta(days=20))
    house.release(house.hold(TODAY + timedelta(days=5)).id)

    def told() -> list[Any]:
        with house.exchange.app.app_context():
            done = {each.name: each.count for each in run_due(runtime_of(house.exchange.app))}
        assert "holds.remind" in done
        return house.exchange.rows(select(Notification).where(Notification.kind == "hold.ending"))

    assert told() == []
    house.pass_days(6)
    (notice,) = told()
    assert (notice.role, notice.address) == (Role.COMPLIANCE, "/holds")
    assert notice.facts["until"] == "2026-11-30"
    house.pass_days(1)
    assert len(told()) == 1


def test_the_interface_places_lists_and_releases(house: House, client: FlaskClient) -> None:
    headers = bearer(house.exchange.app, house.exchange.people["post-be"], [Scope.SUBJECTS_WRITE])
    asked = {"reason": "court_order", "until": "2026-12-24", "case": "K 4/26"}
    address = f"/api/v1/reports/{house.sent.id}/holds"
    ids = []
    for _ in range(3):
        answer = client.post(address, json=asked, headers=headers)
        assert answer.status_code == 201
        assert answer.get_json()["report"] == str(house.sent.id)
        ids.append(answer.get_json()["id"])
    page = client.get("/api/v1/holds?limit=2", headers=headers).get_json()
    assert [each["id"] for each in page["holds"]] == ids[:0:-1]
    rest = client.get(f"/api/v1/holds?limit=2&cursor={page['next']}", headers=headers).get_json()
    assert ([each["id"] for each in rest["holds"]], rest["next"]) == (ids[:1], None)
    released = client.delete(f"/api/v1/holds/{ids[0]}", headers=headers)
    assert (released.status_code, released.get_json()["stands"]) == (200, False)
    again = client.delete(f"/api/v1/holds/{ids[0]}", headers=headers)
    assert (again.status_code, again.get_json()["code"]) == (409, "hold-ended")
    theirs = bearer(house.exchange.app, house.exchange.people["customs-nl"], [Scope.SUBJECTS_WRITE])
    for unknown in (ids[1], str(uuid4())):
        refused = client.delete(f"/api/v1/holds/{unknown}", headers=theirs)
        assert (refused.status_code, refused.get_json()["code"]) == (404, "not-found")
    assert client.get("/api/v1/holds", headers=theirs).get_json() == {"holds": [], "next": None}


def test_a_restriction_takes_a_batch_at_a_time(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "EXPIRY_BATCH", 1)
    hold = house.hold(TODAY + timedelta(days=30))
    house.exchange.submit(
        "post-be",
        report("k2", place("BRU-2", expires_on=(TODAY + timedelta(days=3)).isoformat())),
        report("k3", house.exchange.indicator(JAN)),
    )
    house.pass_days(3)
    runs = [house.sweep() for _ in range(4)]
    assert runs == [1, 1, 1, 0]
    house.release(hold.id)
    assert [house.sweep() for _ in range(3)] == [1, 1, 0]
    assert house.left()["indicator"] == 1


def house_holds(house: House) -> list[Hold]:
    with house.work() as session:
        return holds.list_holds(session, house.caller(Role.COMPLIANCE), 50).holds


def test_a_hold_that_is_just_being_placed_is_not_overtaken_by_the_sweep(house: House) -> None:
    house.pass_days(3)
    placed, swept = threading.Event(), threading.Event()
    faults: list[BaseException] = []

    def place_slowly() -> None:
        try:
            with house.work() as session:
                officer = house.caller(Role.COMPLIANCE)
                why, until = HoldReason.COURT_ORDER, TODAY + timedelta(days=9)
                holds.place(session, officer, house.sent.id, reason=why, until=until, case="K")
                placed.set()
                # SQLite lets the sweep wait for this transaction, PostgreSQL lets it pass by.
                swept.wait(0.5)
        except BaseException as error:
            faults.append(error)
            placed.set()

    thread = threading.Thread(target=place_slowly)
    thread.start()
    placed.wait()
    house.sweep()
    swept.set()
    thread.join()
    assert faults == []
    house.sweep()
    assert house.left() == KEPT


def test_the_role_of_duties_restricts_and_still_reads_no_element(house: House) -> None:
    database, role = house.exchange.database, "test_restricting"
    if database.is_sqlite:
        return
    with database.engine.begin() as connection:
        connection.execute(text(f"DROP ROLE IF EXISTS {role}"))
        connection.execute(text(f"CREATE ROLE {role}"))
    house.hold(TODAY + timedelta(days=30))
    house.pass_days(3)
    grant(database, role, Work.WEB)
    with house.work() as session:
        session.execute(text(f"SET LOCAL ROLE {role}"))
        with pytest.raises(StartRefusedError, match="no legal hold"):
            service.expire(session, house.clock.at.date())
    grant(database, role, Work.JOBS)
    with house.work() as session:
        session.execute(text(f"SET LOCAL ROLE {role}"))
        with pytest.raises(Exception, match="permission denied"), session.begin_nested():
            session.execute(text("SELECT sealed FROM element_vault"))
    with house.work() as session:
        session.execute(text(f"SET LOCAL ROLE {role}"))
        assert service.expire(session, house.clock.at.date()) == 2
    assert house.left() == KEPT
    with database.engine.begin() as connection:
        connection.execute(text(f"DROP OWNED BY {role}"))
        connection.execute(text(f"DROP ROLE {role}"))
