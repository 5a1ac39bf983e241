"""The ledger, recalls and outcomes over HTTP: what programs are told, and the pages."""

import csv
import io
from collections.abc import Iterator
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from app.disclosures import ledger_reading, outcome_pages, recall_pages
from app.disclosures.ledger_reading import COLUMNS
from app.disclosures.models import Outcome
from app.indicators.models import Given
from postern.vocabulary import RecallReason, Rectification, Role, Scope, SourceGrade
from tests.app.disclosures.ring import FED, UNTOLD, Ring, open_ring
from tests.app.exchange import JAN, SOPHIE
from tests.app.people import bearer, cross_site_headers, make_person, sign_in

API = "/api/v1"


@pytest.fixture
def ring(app: Flask) -> Iterator[Ring]:
    with open_ring(app) as made:
        yield made


class Browser:
    """A person of an organisation at the pages."""

    def __init__(self, ring: Ring, code: str, *roles: Role) -> None:
        app = ring.exchange.app
        person = make_person(app, code, roles) if roles else ring.exchange.people[code]
        self.client = app.test_client()
        sign_in(self.client, person)

    def page(self, address: str, status: int = 200) -> str:
        answer = self.client.get(address)
        assert answer.status_code == status, address
        return " ".join(answer.get_data(as_text=True).split())

    def send(self, address: str, status: int = 303, /, **fields: str) -> str:
        headers = cross_site_headers(self.client)
        answer = self.client.post(address, data=fields, headers=headers)
        assert answer.status_code == status, answer.get_data(as_text=True)
        text = answer.location if status == 303 else answer.get_data(as_text=True)
        return " ".join((text or "").split())


def program(ring: Ring, code: str, *scopes: Scope) -> tuple[FlaskClient, dict[str, str]]:
    app = ring.exchange.app
    return app.test_client(), bearer(app, ring.exchange.people[code], scopes)


def test_the_ledger_is_read_by_indicator_report_and_recipient(ring: Ring) -> None:
    report_id, sophie = ring.submit("k1", SOPHIE)
    ring.wait(seconds=1)
    other, jan = ring.submit("k2", JAN)
    ring.take("customs-nl")
    ring.exchange.ask("police-de", SOPHIE)
    ring.withdraw(report_id)
    client, headers = program(ring, "post-be", Scope.RECALLS_WRITE)

    def read(**asked: object) -> dict[UUID, list[str]]:
        told = client.get(f"{API}/ledger", query_string=asked, headers=headers).get_json()
        return {
            UUID(each["indicator"]): [one["organisation"]["code"] for one in each["recipients"]]
            for each in told["indicators"]
        }

    every = {jan: ["customs-nl"], sophie: ["customs-nl", "police-de"]}
    assert read() == every
    assert list(read()) == [jan, sophie]  # newest first
    assert read(recipient="police-de") == {sophie: ["police-de"]}
    assert read(indicator=jan) == read(report=other) == {jan: ["customs-nl"]}
    assert read(report=report_id) == {sophie: every[sophie]}  # ended, and its report is known
    assert read(indicator=uuid4()) == read(report=uuid4()) == read(recipient="police-fr") == {}
    first = client.get(f"{API}/ledger?limit=1", headers=headers).get_json()
    assert [each["indicator"] for each in first["indicators"]] == [str(jan)]
    rest = client.get(f"{API}/ledger?limit=1&cursor={first['next']}", headers=headers).get_json()
    (last,) = rest["indicators"]
    assert (last["kind"], last["report"], rest["next"]) == ("party", str(report_id), None)
    assert last["ended_at"] == "2026-03-02T12:00:01+00:00"
    (way,) = last["recipients"][1]["ways"]
    assert (way["way"], way["level"], way["times"]) == ("lookup", "request", 1)
    refused = client.get(f"{API}/ledger?recipient=nobody", headers=headers)
    assert refused.status_code == 422
    stranger, as_police = program(ring, "police-de", Scope.RECALLS_WRITE)
    assert stranger.get(f"{API}/ledger", headers=as_police).get_json()["indicators"] == []


def test_the_ledger_does_not_show_of_whom_the_owner_may_not_be_told(ring: Ring) -> None:
    ring.exchange.publish("post-be", FED + UNTOLD)
    ring.submit("k1", SOPHIE)
    ring.take("police-de")
    browser = Browser(ring, "post-be", Role.COMPLIANCE)
    assert "Nobody got anything yet" in browser.page("/ledger")
    assert browser.page("/ledger/export").split()[0] == ",".join(COLUMNS)
    assert len(ring.exchange.rows(select(Given))) == 1


def test_the_page_of_the_ledger_is_filtered_and_taken_away(
    ring: Ring, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.disclosures.ledger_pages.PAGE", 2)
    monkeypatch.setattr(ledger_reading, "MOST_EXPORTED", 2)
    report_id, *ids = ring.submit("k1", SOPHIE, JAN)
    ring.submit("k2", SOPHIE)
    ring.take("police-de")
    browser = Browser(ring, "post-be", Role.SUBMITTER)
    page = browser.page("/ledger")
    assert "Older indicators" in page
    assert page.count('class="sheet-head"') == 2
    assert "Organisation police-de" in page
    before = page.split("before=")[1].split('"')[0]
    assert "Back to the newest" in browser.page(f"/ledger?before={before}")
    shown = browser.page(f"/ledger?report={report_id}&recipient=police-de")
    assert all(str(each) in shown for each in ids)
    assert "Nobody got anything of this" in browser.page("/ledger?recipient=customs-nl")
    wrong = browser.page("/ledger?indicator=x&recipient=nobody", 422)
    assert wrong.count('aria-invalid="true"') == 2
    browser.page("/ledger/export?report=x", 422)
    answer = browser.client.get("/ledger/export")
    rows = list(csv.DictReader(io.StringIO(answer.get_data(as_text=True))))
    assert len(rows) == 2
    assert answer.headers["Postern-Next"] == rows[-1]["indicator"]
    assert {row["recipient_code"] for row in rows} == {"police-de"}
    assert {(row["way"], row["level"]) for row in rows} == {("export", "request")}
    rest = browser.client.get(f"/ledger/export?before={rows[-1]['indicator']}")
    assert len(rest.get_data(as_text=True).splitlines()) == 2
    assert "Postern-Next" not in rest.headers


def test_recalls_over_http(ring: Ring) -> None:
    report_id, sophie, jan = ring.submit("k1", SOPHIE, JAN)
    ring.take("police-de")
    ring.amend(report_id, jan, source_grade=SourceGrade.B)
    client, headers = program(ring, "police-de", Scope.RECALLS_WRITE)
    (told,) = client.get(f"{API}/recalls/received?state=open", headers=headers).get_json()[
        "recalls"
    ]
    assert {**told, "owner": told["owner"]["code"]} == {
        "id": told["id"],
        "owner": "post-be",
        "indicator": str(jan),
        "kind": "correction",
        "reason": "wrong_identity",
        "changed": ["source_grade"],
        "changes": {"source_grade": "B"},
        "ways": ["export"],
        "made_at": "2026-03-02T12:00:00+00:00",
        "due_at": "2026-03-09T12:00:00+00:00",
        "overdue": False,
        "state": "open",
        "done": None,
        "acknowledged_at": None,
        "completed_at": None,
    }
    address = f"{API}/recalls/received/{told['id']}"
    for body, status in (
        ({"state": "open"}, 422),
        ({"state": "completed"}, 422),
        ({"state": "acknowledged"}, 200),
        ({"state": "completed", "done": "corrected"}, 200),
        ({"state": "completed", "done": "corrected"}, 200),
        ({"state": "completed", "done": "erased"}, 409),
    ):
        assert client.post(address, json=body, headers=headers).status_code == status, body
    owner, as_owner = program(ring, "post-be", Scope.RECALLS_WRITE)
    assert owner.get(f"{API}/recalls/own?state=open", headers=as_owner).get_json()["recalls"] == []
    (own,) = owner.get(f"{API}/recalls/own?state=completed", headers=as_owner).get_json()["recalls"]
    assert own == owner.get(f"{API}/recalls/own/{told['id']}", headers=as_owner).get_json()
    (recipient,) = own["recipients"]
    assert recipient["organisation"]["code"] == "police-de"
    assert (recipient["done"], recipient["suspended"], own["completed"]) == ("corrected", False, 1)
    assert str(sophie) not in str(own)
    assert client.get(f"{API}/recalls/own/{told['id']}", headers=headers).status_code == 404


def test_the_pages_of_recalls(ring: Ring, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recall_pages, "PAGE", 1)
    analyst, owner = Browser(ring, "police-de", Role.ANALYST), Browser(ring, "post-be")
    assert "Nothing is to be done" in analyst.page("/recalls")
    assert "Nothing was done yet" in analyst.page("/recalls?box=done")
    assert "Our own" not in analyst.page("/recalls?box=own")
    assert "Nobody is to answer you" in owner.page("/recalls?box=own")
    assert "No recall of yours is complete yet" in owner.page("/recalls?box=own&show=closed")
    first, _ = ring.submit("k1", SOPHIE)
    second, _ = ring.submit("k2", JAN)
    ring.take("police-de")
    ring.withdraw(first, RecallReason.UNLAWFUL)
    ring.wait(minutes=1)
    ring.withdraw(second)
    page = analyst.page("/recalls")
    assert "Withdrawn: unlawfully processed" in page  # what was called back first
    assert "More recalls" in page
    later = analyst.page("/recalls?before=" + page.split("before=")[1].split('"')[0])
    assert "Withdrawn: wrong data" in later
    assert "Back to the first" in later
    unlawful, wrong = (row.public_id for row, _ in ring.recalls())
    address = f"/recalls/received/{unlawful}"
    refused = analyst.send(address, 422, state="completed")
    assert "Choose what was done; what was withdrawn cannot be corrected." in refused
    assert analyst.send(address, state="acknowledged").endswith("done=acknowledged")
    assert "Acknowledged. It stays here" in analyst.page("/recalls?done=acknowledged")
    analyst.send(address, state="completed", done="erased")
    assert "erased" in analyst.page("/recalls?box=done")
    again = analyst.send(address, 409, state="completed", done="not_kept")
    assert "Your organisation has completed this recall already" in again
    analyst.send(f"/recalls/received/{uuid4()}", 404, state="acknowledged")
    own = owner.page("/recalls?box=own")
    assert "0 of 1 recipient has completed it." in own
    ring.wait(days=8)
    analyst, owner = Browser(ring, "police-de", Role.ANALYST), Browser(ring, "post-be")
    assert "overdue" in analyst.page("/recalls")
    one = owner.page(f"/recalls/own/{wrong}")
    assert "Organisation police-de" in one
    assert "overdue" in one
    assert "1 of 1 recipient has completed it." in owner.page(f"/recalls/own/{unlawful}")
    owner.page(f"/recalls/own/{uuid4()}", 404)
    analyst.page(f"/recalls/own/{wrong}", 403)
    home = Browser(ring, "police-de", Role.COMPLIANCE).page("/")
    assert "recalls to answer</a></dt><dd>1</dd>" in home
    assert "own recalls that wait</a></dt><dd>1</dd>" in owner.page("/")


def test_outcomes_over_http(ring: Ring) -> None:
    report_id, sophie = ring.submit("k1", SOPHIE)
    ring.take("police-de")
    client, headers = program(ring, "police-de", Scope.OUTCOMES_WRITE)
    body = {
        "indicator": str(sophie),
        "case": "PV-2024-17",
        **dict.fromkeys(("asked", "located", "held", "examined"), "yes"),
        "result": "found",
        "substance": "mdma",
        "quantity": "250.5",
        "unit": "g",
    }
    for wrong in (
        {"quantity": "1.2345"},
        {"quantity": "NaN"},
        {"quantity": "a lot"},
        {"examined": "no"},
        {"case": " "},
        {"more": 1},
    ):
        answer = client.post(f"{API}/outcomes", json={**body, **wrong}, headers=headers)
        assert answer.status_code == 422, wrong
    unknown = client.post(
        f"{API}/outcomes", json={**body, "indicator": str(uuid4())}, headers=headers
    )
    assert unknown.status_code == 404
    answer = client.post(f"{API}/outcomes", json=body, headers=headers)
    assert answer.status_code == 201
    made = answer.get_json()
    assert (made["indicator"], made["replaces"]) == (str(sophie), None)
    owner, as_owner = program(ring, "post-be", Scope.OUTCOMES_WRITE)
    address = f"{API}/outcomes?report={report_id}"
    (shown,) = owner.get(address, headers=as_owner).get_json()["outcomes"]
    assert shown["organisation"]["code"] == "police-de"
    assert (shown["id"], shown["quantity"], shown["unit"]) == (made["id"], "250.500", "g")
    (told,) = client.get(f"{API}/outcomes/told", headers=headers).get_json()["outcomes"]
    assert (told["organisation"]["code"], told["report"]) == ("post-be", None)
    became = owner.get(f"{API}/outcomes/reports", headers=as_owner).get_json()
    assert (became["all_reports"], became["with_outcome"]) == (1, 1)
    assert became["reports"][0]["report"] == str(report_id)
    assert became["reports"][0]["latest"]["id"] == made["id"]
    assert became["counts"]["found"] == 1
    empty: dict[str, object] = {"rows": [], "total": None}
    read = owner.get(f"{API}/outcomes/reliability", headers=as_owner).get_json()
    assert read == {"own": empty, "told": empty, "others": []}


def test_the_pages_of_outcomes(ring: Ring, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outcome_pages, "PAGE", 1)
    reports = [ring.submit(f"k{n}", SOPHIE)[:2] for n in range(2)]
    ring.take("police-de")
    analyst = Browser(ring, "police-de", Role.ANALYST)
    owner, officer = (
        Browser(ring, "post-be", Role.SUBMITTER),
        Browser(ring, "post-be", Role.COMPLIANCE),
    )
    assert "Your organisation told nothing yet" in analyst.page("/outcomes/told")
    assert "Nothing was told yet" in owner.page("/outcomes")
    assert "There are too few outcomes" in owner.page("/outcomes/reliability")
    assert "Tell an outcome" not in officer.page("/outcomes")
    officer.page("/outcomes/new", 403)
    sophie = str(reports[0][1])
    assert f'value="{sophie}"' in analyst.page(f"/outcomes/new?indicator={sophie}")
    steps = dict.fromkeys(("asked", "located", "held", "examined"), "yes")
    right = {"indicator": sophie, "case": "PV-1", **steps, "result": "found", "substance": "mdma"}
    for wrong, said in (
        ({"result": ""}, "Choose one of the list."),
        ({"quantity": "much", "unit": "g"}, "Write a quantity as a number"),
        ({"quantity": "0", "unit": "g"}, "Write a quantity above 0"),
        ({"located": "no", "held": "no"}, "An item that was examined was located: say yes."),
        ({"case": ""}, "Write the reference of the case"),
        ({"unit": "pounds"}, "Choose one of the list."),
    ):
        page = analyst.send("/outcomes/new", 422, **{**right, **wrong})
        assert said in page, wrong
        assert 'value="PV-1"' in page or "case" in wrong
    for indicator in ("no id", str(uuid4())):
        page = analyst.send("/outcomes/new", 404, **{**right, "indicator": indicator})
        assert "Your organisation was not given this indicator" in page
    analyst.send("/outcomes/new", 404, **{**right, "request": str(uuid4())})
    assert ring.exchange.rows(select(Outcome)) == []
    analyst.send("/outcomes/new", **right, quantity="12,5", unit="g")
    analyst.send(
        "/outcomes/new",
        **{**right, "indicator": str(reports[1][1]), "result": "error", "substance": ""},
    )
    assert "Told. The owner of the indicator learns it" in analyst.page("/outcomes/told?done=told")
    page = owner.page("/outcomes")
    assert "2 of 2 reports have an outcome" in page
    assert "Older reports" in page
    one = owner.page(f"/outcomes?report={reports[0][0]}")
    assert "drugs found (MDMA, 12.5 g)" in one
    assert "Nothing was told of this report" in owner.page(f"/outcomes?report={uuid4()}")
    home = owner.page("/")
    assert "outcomes told in 30 days</a></dt><dd>2</dd>" in home


def test_a_page_of_reliability_hides_small_counts(ring: Ring) -> None:
    for number in range(6):
        _, indicator = ring.submit(f"k{number}", SOPHIE)
        ring.take("police-de")
        ring.tell("police-de", indicator)
    page = Browser(ring, "post-be", Role.COMPLIANCE).page("/outcomes/reliability")
    assert "party, outside of the item; source X, step 3" in page or "step 3" in page
    assert "100%" in page
    assert "&lt; 5" in page  # none was not found
    assert Rectification.ERASED.value not in page
