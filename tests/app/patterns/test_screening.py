"""Bulk evaluation for screening: what is agreed, what is counted, and what is answered."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from app.access import CONSOLE
from app.errors import InvalidRequestError, NotFoundError, QuotaSpentError
from app.organisations.service import UnknownOrganisationError
from app.patterns import screening, screening_quota
from app.patterns.filter_models import ScreeningAllowance, ScreeningBudget
from app.patterns.screening import BulkEvaluation
from app.patterns.screening_quota import ScreeningNotAgreedError
from app.pseudonyms.evaluator import SingleKeyEvaluator
from app.pseudonyms.service import EpochClosedError, InvalidElementsError
from postern import voprf
from postern.evaluation_octets import LEFT_HEADER, MOST, RESETS_HEADER, unpacked
from postern.vocabulary import EvaluationKind, Purpose, Role, Scope
from tests.app.disclosures.ring import CASE, NOON, Ring, open_ring
from tests.app.exchange import distinct_elements
from tests.app.people import bearer, make_person, runtime_of, sign_in

POSTAL = EvaluationKind.POSTAL
TODAY = NOON.date()
OCTETS = {"content_type": "application/octet-stream"}
ADDRESS = "/api/v1/evaluate/screening/postal/1"
GROUNDS = {"purpose": "parcel_screening", "case": CASE}


@pytest.fixture
def ring(app: Flask) -> Iterator[Ring]:
    with open_ring(app) as made:
        yield made


def allow(
    ring: Ring, elements: int = 3000, ends_on: date = TODAY, kind: EvaluationKind = POSTAL
) -> None:
    with ring.doing() as session:
        screening_quota.allow(
            session,
            CONSOLE,
            "post-be",
            kind,
            elements=elements,
            ends_on=ends_on,
            reason="trial of one depot",
        )


def evaluate(ring: Ring, elements: list[bytes], **other: Any) -> BulkEvaluation:
    asked = {"kind": POSTAL, "epoch": 1, "purpose": Purpose.PARCEL_SCREENING, "case": CASE}
    with ring.doing() as session:
        return screening.evaluate(
            session, ring.caller("post-be"), elements=elements, **(asked | other)
        )


def test_nothing_is_evaluated_until_it_is_agreed_and_only_as_much(ring: Ring) -> None:
    elements = distinct_elements(1001)
    with pytest.raises(ScreeningNotAgreedError):
        evaluate(ring, elements)
    allow(ring, 1500, TODAY + timedelta(days=1))
    with pytest.raises(ScreeningNotAgreedError):
        evaluate(ring, elements, kind=EvaluationKind.PHONE)
    done = evaluate(ring, elements)
    assert (done.standing.used, done.standing.left) == (1001, 499)
    public = runtime_of(ring.exchange.app).part(SingleKeyEvaluator).public_key(POSTAL, 1)
    assert [len(part.elements) for part in done.parts] == [1000, 1]
    for part, batch in zip(done.parts, (elements[:1000], elements[1000:]), strict=True):
        voprf.verify(public, batch, part.elements, part.proof)
    with pytest.raises(QuotaSpentError) as refused:
        evaluate(ring, elements[:500])
    assert refused.value.headers["Retry-After"] == str(12 * 3600 + 1)
    assert [row.used for row in ring.exchange.rows(select(ScreeningBudget))] == [1001]
    (entry,) = ring.exchange.entries("evaluation.screen")
    assert entry.audience == ["post-be"]
    assert entry.details["case"] == CASE
    ring.wait(hours=12)
    assert evaluate(ring, elements[:500]).standing.left == 1000
    ring.wait(days=1)
    with pytest.raises(ScreeningNotAgreedError):
        evaluate(ring, elements[:1])


def test_what_cannot_be_evaluated_is_refused_and_costs_nothing(ring: Ring) -> None:
    allow(ring)
    elements = distinct_elements(1002)
    with pytest.raises(InvalidElementsError) as refused:
        evaluate(ring, [*elements[:1001], bytes(32)])
    assert refused.value.extensions["positions"] == [1001]
    with pytest.raises(InvalidRequestError):
        evaluate(ring, [elements[0], elements[1], elements[0]])
    with pytest.raises(EpochClosedError):
        evaluate(ring, elements[:1], epoch=2)
    assert ring.exchange.rows(select(ScreeningBudget)) == []


def test_an_agreement_has_an_end_and_a_reason_and_stands_in_the_log_of_both(ring: Ring) -> None:
    allow(ring, 10, TODAY + timedelta(days=2))
    allow(ring, 20, TODAY + timedelta(days=3))
    allow(ring, 5, kind=EvaluationKind.PHONE)
    evaluate(ring, distinct_elements(3))
    with ring.doing() as session:
        post = ring.exchange.organisation_id("post-be")
        assert [
            (each.kind, each.elements, each.used, each.left)
            for each in screening_quota.standings(session, post)
        ] == [(POSTAL, 20, 3, 17), (EvaluationKind.PHONE, 5, 0, 5)]
        assert screening.read_agreed(session, ring.caller("police-de")) == []
        for wrong in (
            {"elements": 0},
            {"ends_on": TODAY - timedelta(days=1)},
            {"ends_on": TODAY + timedelta(days=367)},
            {"reason": "  "},
            {"reason": "a\x00b"},
        ):
            right: dict[str, Any] = {"elements": 1, "ends_on": TODAY, "reason": "r"}
            with pytest.raises(InvalidRequestError):
                screening_quota.allow(session, CONSOLE, "post-be", POSTAL, **(right | wrong))
        with pytest.raises(UnknownOrganisationError):
            screening_quota.end(session, CONSOLE, "post-xx", POSTAL)
    allowed = ring.exchange.entries("screening.allow")
    assert [entry.audience for entry in allowed] == [["platform", "post-be"]] * 3
    assert allowed[1].details["reason"] == "trial of one depot"
    ring.wait(days=1)
    with ring.doing() as session:
        assert screening_quota.expire(session, CONSOLE) == 1
        screening_quota.end(session, CONSOLE, "post-be", POSTAL)
        with pytest.raises(NotFoundError):
            screening_quota.end(session, CONSOLE, "post-be", POSTAL)
    causes = [entry.details["cause"] for entry in ring.exchange.entries("screening.end")]
    assert causes == ["expired", "ended"]
    assert ring.exchange.rows(select(ScreeningAllowance)) == []
    ring.wait(days=100)
    with ring.doing() as session:
        screening_quota.expire(session, CONSOLE)
    assert ring.exchange.rows(select(ScreeningBudget)) == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_over_http_it_is_bytes_both_ways(ring: Ring, client: FlaskClient) -> None:
    analyst = bearer(ring.exchange.app, ring.exchange.people["post-be"], [Scope.SCREENING_RUN])
    lookups = bearer(ring.exchange.app, ring.exchange.people["post-be"], [Scope.EVALUATE])
    elements = distinct_elements(3)

    def post(raw: bytes, headers: dict[str, str] = analyst, **more: Any) -> Any:
        return client.post(
            more.pop("path", ADDRESS),
            data=raw,
            query_string=more.pop("grounds", GROUNDS),
            headers=headers,
            **(OCTETS | more),
        )

    refused = post(b"".join(elements))
    assert (refused.status_code, refused.json["code"]) == (403, "screening-not-agreed")
    runner = ring.exchange.app.test_cli_runner()
    until = (TODAY + timedelta(days=30)).isoformat()
    told = ["allow", "post-be", "postal", "--day", "10", "--until", until, "--reason", "trial"]
    assert runner.invoke(args=["screening", *told]).exit_code == 0
    answer = post(b"".join(elements))
    assert (answer.status_code, answer.content_type) == (200, OCTETS["content_type"])
    (part,) = unpacked(answer.data, 3)
    public = runtime_of(ring.exchange.app).part(SingleKeyEvaluator).public_key(POSTAL, 1)
    voprf.verify(public, elements, part.elements, part.proof)
    assert answer.headers[LEFT_HEADER] == "7"
    assert answer.headers[RESETS_HEADER].startswith((TODAY + timedelta(days=1)).isoformat())
    (standing,) = client.get("/api/v1/evaluate/screening", headers=analyst).json["kinds"]
    assert (standing["kind"], standing["elements_per_day"], standing["left"]) == ("postal", 10, 7)

    assert post(b"".join(elements), lookups).json["code"] == "not-allowed"
    assert post(bytes(33)).status_code == post(b"").status_code == 422
    assert post(bytes(32 * MOST + 1)).status_code == 413
    assert post(b"{}", content_type="application/json").status_code == 415
    assert post(b"".join(elements), grounds={}).status_code == 422
    assert post(b"".join(elements), path="/api/v1/evaluate/screening/place/1").status_code == 404
    listed = runner.invoke(args=["screening", "list"]).output
    assert "post-be" in listed
    assert "trial" in listed
    assert runner.invoke(args=["screening", "end", "post-be", "postal"]).exit_code == 0
    assert post(b"".join(elements)).json["code"] == "screening-not-agreed"
    assert runner.invoke(args=["screening", "end", "post-be", "postal"]).exit_code == 1


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_page_of_quotas_tells_what_is_agreed(ring: Ring, client: FlaskClient) -> None:
    allow(ring, 12_345, TODAY + timedelta(days=5))
    sign_in(client, make_person(ring.exchange.app, "post-be", [Role.ADMINISTRATOR]))
    page = client.get("/quotas").get_data(as_text=True)
    assert "12,345" in page
    assert "screening allow post-be KIND" in page
