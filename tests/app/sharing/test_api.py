"""The policy of one's own organisation through the interface: read, drafted, approved, stopped."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app import clock
from app.access import CONSOLE
from app.accounts import service as accounts
from app.audit.reading import Filters, entries
from app.sharing import service
from postern.vocabulary import Role, Scope, Sector
from tests.app.people import (
    Person,
    bearer,
    make_organisation,
    make_person,
    runtime_of,
    sign_in,
)
from tests.app.sharing.world import EVERYTHING_TO_POLICE, PLAIN

ROOT = "/api/v1/policies"
ADDRESS = f"{ROOT}/current"
DRAFTS = f"{ROOT}/drafts"

TO_CUSTOMS = (
    '@id("post-be/customs") @label("Customs learn of us")\n'
    'permit (principal, action == Action::"presence", resource)\n'
    'when { principal.sector == Sector::"customs" };\n'
)
RULE = {
    "name": "customs",
    "label": "Customs learn of us",
    "sectors": ["customs"],
    "level": "presence",
}


@pytest.fixture(autouse=True)
def policies(app: Flask) -> None:
    database = runtime_of(app).database
    make_organisation(database, "post-be")
    make_organisation(database, "police-de", Sector.POLICE, "DE")
    with database.transaction() as session:
        service.publish(session, CONSOLE, "post-be", EVERYTHING_TO_POLICE)


class Browser:
    """A person of an organisation who is signed in."""

    def __init__(self, app: Flask, organisation: str, *roles: Role) -> None:
        self.person: Person = make_person(app, organisation, roles)
        self.client = app.test_client()
        self.headers = sign_in(self.client, self.person)

    def get(self, path: str) -> TestResponse:
        return self.client.get(f"{ROOT}{path}")

    def post(self, path: str, **body: Any) -> TestResponse:
        return self.client.post(f"{ROOT}{path}", json=body, headers=self.headers)

    def put(self, path: str, **body: Any) -> TestResponse:
        return self.client.put(f"{ROOT}{path}", json=body, headers=self.headers)


@pytest.fixture
def owner(app: Flask) -> Browser:
    return Browser(app, "post-be", Role.POLICY_OWNER)


@pytest.fixture
def second(app: Flask) -> Browser:
    return Browser(app, "post-be", Role.APPROVER)


@pytest.mark.parametrize("role", [Role.POLICY_OWNER, Role.COMPLIANCE, Role.APPROVER])
def test_who_answers_for_the_policy_reads_its_text(
    app: Flask, client: FlaskClient, role: Role
) -> None:
    sign_in(client, make_person(app, "post-be", [role]))
    answer = client.get(ADDRESS)
    assert answer.status_code == 200
    body = answer.get_json()
    assert body.keys() == {
        "organisation",
        "version",
        "valid_from",
        "text",
        "policies",
        "is_valid",
    }
    assert (body["organisation"], body["version"], body["is_valid"]) == ("post-be", 1, True)
    assert body["text"] == EVERYTHING_TO_POLICE
    assert body["policies"] == [
        {"id": "post-be/all-to-police", "label": "Police see everything", "line": 2}
    ]


def test_another_organisation_reads_its_own_and_nothing_else(
    app: Flask, client: FlaskClient
) -> None:
    sign_in(client, make_person(app, "police-de", [Role.POLICY_OWNER]))
    assert client.get(ADDRESS).get_json() == {
        "organisation": "police-de",
        "version": 0,
        "valid_from": None,
        "text": "",
        "policies": [],
        "is_valid": True,
    }
    assert client.get(f"{ROOT}/versions").get_json() == {"versions": []}


def test_other_roles_and_api_tokens_are_refused(app: Flask, client: FlaskClient) -> None:
    sign_in(client, make_person(app, "post-be", [Role.ANALYST, Role.ADMINISTRATOR]))
    assert client.get(ADDRESS).status_code == 403
    owner = make_person(app, "post-be", [Role.POLICY_OWNER, Role.COMPLIANCE, Role.ANALYST])
    headers = bearer(app, owner, [Scope.AUDIT_READ])
    assert app.test_client().get(ADDRESS, headers=headers).status_code == 403
    assert app.test_client().get(ADDRESS).status_code == 401


def test_a_draft_becomes_the_policy_by_two_people(owner: Browser, second: Browser) -> None:
    made = owner.post("/drafts", title="Customs", text=TO_CUSTOMS)
    assert made.status_code == 201
    draft = made.get_json()
    assert (draft["status"], draft["revision"], draft["base_version"]) == ("editing", 1, 1)
    assert draft["check"]["faults"] == []
    assert draft["check"]["policies"][0]["id"] == "post-be/customs"
    place = f"/drafts/{draft['id']}"

    sent = owner.post(f"{place}/propose", revision=1).get_json()
    assert (sent["status"], sent["revision"]) == ("proposed", 2)
    assert sent["authors"] == [str(owner.person.caller.person)]

    own = owner.post(f"{place}/approve", revision=2)
    assert (own.status_code, own.get_json()["code"]) == (403, "draft-own")
    assert owner.get("/current").get_json()["version"] == 1

    done = second.post(f"{place}/approve", revision=2, reason="Agreed").get_json()
    assert (done["status"], done["version"], done["reason"]) == ("approved", 2, "Agreed")
    assert done["decided_by"] == str(second.person.caller.person)
    assert done["time_had_passed"] is False
    assert owner.get("/current").get_json()["text"] == TO_CUSTOMS

    versions = owner.get("/versions").get_json()["versions"]
    assert [(each["version"], each["state"], each["cause"]) for each in versions] == [
        (2, "in_force", "draft"),
        (1, "past", "console"),
    ]
    assert versions[0]["draft"] == draft["id"]
    assert versions[1]["draft"] is None
    kept = second.get("/versions/2").get_json()
    assert (kept["text"], kept["sha256"], kept["rules"]) == (TO_CUSTOMS, draft["sha256"], None)


def test_a_denied_approval_is_a_denial_in_the_log(app: Flask, owner: Browser) -> None:
    draft = owner.post("/drafts", title="Customs", text=TO_CUSTOMS).get_json()
    owner.post(f"/drafts/{draft['id']}/propose", revision=1)
    owner.post(f"/drafts/{draft['id']}/approve", revision=2)
    with runtime_of(app).database.reading() as session:
        last = entries(session, "post-be", Filters(act="policy.draft")).entries[0]
    assert (last.fields["out"], last.details["refusal"]) == ("denied", "draft-own")


def test_an_approver_whose_role_was_withdrawn_cannot_approve(
    app: Flask, owner: Browser, second: Browser
) -> None:
    draft = owner.post("/drafts", title="Customs", text=TO_CUSTOMS).get_json()
    owner.post(f"/drafts/{draft['id']}/propose", revision=1)
    with app.app_context(), runtime_of(app).database.transaction() as session:
        accounts.set_roles(session, CONSOLE, second.person.login, withdraw=[Role.APPROVER])
    answer = second.post(f"/drafts/{draft['id']}/approve", revision=2)
    assert (answer.status_code, answer.get_json()["code"]) == (403, "not-allowed")
    assert owner.get("/current").get_json()["version"] == 1


def test_an_approver_decides_and_does_not_write(owner: Browser, second: Browser) -> None:
    draft = owner.post("/drafts", title="Customs", text=TO_CUSTOMS).get_json()
    place = f"/drafts/{draft['id']}"
    owner.post(f"{place}/propose", revision=1)
    assert second.get(place).status_code == 200
    for answer in (
        second.post("/drafts", title="x", text=""),
        second.put(place, revision=2, title="x", text=""),
        second.post(f"{place}/withdraw"),
        second.post(f"{place}/discard"),
        second.post("/stop"),
    ):
        assert answer.status_code == 403
    assert second.post(f"{place}/refuse", revision=2, reason="").status_code == 422
    refused = second.post(f"{place}/refuse", revision=2, reason="Too wide").get_json()
    assert (refused["status"], refused["reason"]) == ("refused", "Too wide")


def test_a_stale_revision_is_answered_with_the_newest(owner: Browser, app: Flask) -> None:
    draft = owner.post("/drafts", title="Customs", text=TO_CUSTOMS).get_json()
    other = Browser(app, "post-be", Role.POLICY_OWNER)
    place = f"/drafts/{draft['id']}"
    assert other.put(place, revision=1, title="Mine", text="").get_json()["revision"] == 2
    late = owner.put(place, revision=1, title="Yours", text=TO_CUSTOMS)
    problem = late.get_json()
    assert (late.status_code, problem["code"], problem["revision"]) == (409, "draft-changed", 2)
    assert owner.get(place).get_json()["title"] == "Mine"


def test_a_draft_of_rules_comes_with_the_text_that_they_make(owner: Browser) -> None:
    draft = owner.post("/drafts", title="Customs", rules=[RULE]).get_json()
    assert draft["text"].startswith('@id("post-be/customs")')
    assert (draft["rules"][0]["name"], draft["rules"][0]["purposes"]) == ("customs", [])
    again = owner.put(f"/drafts/{draft['id']}", revision=1, title="Same", rules=draft["rules"])
    assert again.get_json()["text"] == draft["text"]


@pytest.mark.parametrize(
    "body",
    [
        {"title": "x"},
        {"title": "x", "text": "", "rules": []},
        {"title": " ", "text": ""},
        {"title": "x", "text": "a\0b"},
        {"title": "x", "text": "\ud800"},
        {"title": "x", "rules": [RULE, RULE]},
        {"title": "x", "rules": [RULE | {"level": None}]},
        {"title": "x", "text": "", "status": "approved"},
    ],
)
def test_what_no_draft_can_be_is_refused_with_its_place(
    owner: Browser, body: dict[str, Any]
) -> None:
    answer = owner.post("/drafts", **body)
    assert (answer.status_code, answer.get_json()["code"]) == (422, "invalid-request")
    assert answer.get_json()["errors"][0]["field"]


def test_a_text_with_faults_is_kept_and_its_proposal_refused(owner: Browser) -> None:
    faulty = owner.post("/drafts", title="Bad", text="permit (principal").get_json()
    assert faulty["check"]["faults"][0]["line"] == 1
    assert owner.get(f"/drafts/{faulty['id']}").get_json() == faulty
    answer = owner.post(f"/drafts/{faulty['id']}/propose", revision=1)
    assert (answer.status_code, answer.get_json()["code"]) == (422, "policy-refused")
    assert answer.get_json()["errors"] == faulty["check"]["faults"]


@pytest.mark.parametrize(
    "moment", ["2001-01-01T00:00:00Z", "9999-12-31T23:59:59-23:59", "2026-01-01T00:00:00"]
)
def test_a_time_that_cannot_be_is_refused(owner: Browser, moment: str) -> None:
    draft = owner.post("/drafts", title="Customs", text=TO_CUSTOMS).get_json()
    answer = owner.post(f"/drafts/{draft['id']}/propose", revision=1, activate_at=moment)
    assert answer.status_code == 422
    assert "activate_at" in answer.get_json()["errors"][0]["field"]


def test_a_scheduled_version_is_shown_and_can_be_cancelled(owner: Browser, second: Browser) -> None:
    draft = owner.post("/drafts", title="Customs", text=TO_CUSTOMS).get_json()
    place, due = f"/drafts/{draft['id']}", clock.now() + timedelta(days=2)
    owner.post(f"{place}/propose", revision=1, activate_at=due.isoformat())
    second.post(f"{place}/approve", revision=2)
    waiting = owner.get("/versions/2").get_json()
    assert waiting["state"] == "scheduled"
    assert waiting["valid_from"] == due.replace(microsecond=0).isoformat()
    assert owner.get("/current").get_json()["version"] == 1
    cancelled = owner.post("/versions/2/cancel").get_json()
    assert (cancelled["state"], cancelled["cancelled_at"] is None) == ("cancelled", False)
    again = owner.post("/versions/2/cancel")
    assert (again.status_code, again.get_json()["code"]) == (409, "policy-not-scheduled")


def test_sharing_stops_at_once_and_comes_back_by_two_people(
    owner: Browser, second: Browser
) -> None:
    assert owner.post("/stop").get_json() == {"version": 2}
    assert owner.get("/current").get_json()["text"] == ""
    back = owner.post("/versions/1/draft")
    assert back.status_code == 201
    draft = back.get_json()
    assert (draft["text"], draft["title"]) == (EVERYTHING_TO_POLICE, "Back to version 1")
    place = f"/drafts/{draft['id']}"
    owner.post(f"{place}/propose", revision=1)
    assert owner.post(f"{place}/approve", revision=2).status_code == 403
    assert second.post(f"{place}/approve", revision=2).get_json()["version"] == 3
    assert owner.get("/current").get_json()["text"] == EVERYTHING_TO_POLICE


def test_drafts_are_listed_by_status_and_page(
    owner: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.sharing.drafts.PAGE", 2)
    made = [
        owner.post("/drafts", title=f"Draft {number}", text="").get_json()["id"]
        for number in range(3)
    ]
    owner.post(f"/drafts/{made[0]}/discard")
    first = owner.get("/drafts").get_json()
    assert [each["id"] for each in first["drafts"]] == [made[2], made[1]]
    assert "text" not in first["drafts"][0]
    rest = owner.get(f"/drafts?before={first['next']}").get_json()
    assert ([each["id"] for each in rest["drafts"]], rest["next"]) == ([made[0]], None)
    closed = owner.get("/drafts?status=discarded").get_json()
    assert [each["id"] for each in closed["drafts"]] == [made[0]]
    assert owner.get("/drafts?status=lost").status_code == 422


def test_not_there_and_not_yours_are_the_same_answer(app: Flask, owner: Browser) -> None:
    draft = owner.post("/drafts", title="Customs", text=TO_CUSTOMS).get_json()
    stranger = Browser(app, "police-de", Role.POLICY_OWNER, Role.APPROVER)
    acts: list[Callable[[str], TestResponse]] = [
        stranger.get,
        lambda place: stranger.put(place, revision=1, title="x", text=""),
        lambda place: stranger.post(f"{place}/propose", revision=1),
        lambda place: stranger.post(f"{place}/withdraw"),
        lambda place: stranger.post(f"{place}/approve", revision=1),
        lambda place: stranger.post(f"{place}/refuse", revision=1, reason="No"),
        lambda place: stranger.post(f"{place}/discard"),
    ]
    for act in acts:
        theirs, nobodys = act(f"/drafts/{draft['id']}"), act(f"/drafts/{uuid4()}")
        assert_same_refusal(theirs, nobodys)
    for path in ("/versions/1", "/versions/1/draft", "/versions/1/cancel"):
        missing = path.replace("1", "7")
        if path == "/versions/1":
            assert_same_refusal(stranger.get(path), stranger.get(missing))
        else:
            assert_same_refusal(stranger.post(path), stranger.post(missing))


@pytest.mark.parametrize("number", ["0", "2147483648", "99999999999999999999", "-1"])
def test_a_number_that_no_version_has_is_not_there(owner: Browser, number: str) -> None:
    assert owner.get(f"/versions/{number}").status_code == 404


def test_templates_come_with_the_country_of_the_organisation(owner: Browser) -> None:
    found = {each["id"]: each for each in owner.get("/templates").get_json()["templates"]}
    assert "deconfliction" not in found  # is for authorities
    customs = found["customs-control"]
    assert customs["rules"][0]["countries"] == ["BE"]
    assert customs["title"]
    composed = owner.post("/compose", rules=customs["rules"])
    assert composed.status_code == 200
    assert composed.get_json()["check"]["faults"] == []


def test_a_form_is_composed_and_a_text_checked_without_being_kept(owner: Browser) -> None:
    composed = owner.post("/compose", rules=[RULE]).get_json()
    assert composed["rules"][0]["told"] == "both"
    checked = owner.post("/check", text=composed["text"]).get_json()
    assert checked == composed["check"]
    assert (checked["faults"], len(checked["policies"])) == ([], 1)
    everybody = '@id("post-be/all") @label("All") permit (principal, action, resource);'
    (fault,) = owner.post("/check", text=everybody).get_json()["faults"]
    assert "everybody" in fault["reason"]
    assert owner.get("/drafts").get_json()["drafts"] == []


def test_every_draft_that_is_open_says_who_may_not_approve_it(app: Flask, owner: Browser) -> None:
    draft = owner.post("/drafts", title="Customs", text=TO_CUSTOMS).get_json()
    other = Browser(app, "post-be", Role.POLICY_OWNER)
    edited = other.put(f"/drafts/{draft['id']}", revision=1, title="x", text="").get_json()
    assert edited["authors"] == sorted(
        [str(owner.person.caller.person), str(other.person.caller.person)]
    )


def test_a_draft_and_a_text_are_simulated_alike(owner: Browser) -> None:
    draft = owner.post("/drafts", title="Customs", text=TO_CUSTOMS).get_json()
    of_draft = owner.post(f"/drafts/{draft['id']}/simulate").get_json()
    of_text = owner.post("/simulate", text=TO_CUSTOMS).get_json()
    assert of_draft["comparisons"] == of_text["comparisons"]
    (against,) = of_draft["comparisons"]
    assert (against["against"]["version"], against["indicators"]) == (1, 0)
    assert owner.post("/simulate", text="x" * 200_000).status_code == 422


def test_a_draft_is_replayed_over_the_days_that_were_asked_for(owner: Browser) -> None:
    draft = owner.post("/drafts", title="Customs", text=TO_CUSTOMS).get_json()
    found = owner.post(f"/drafts/{draft['id']}/replay", days=7).get_json()
    assert (found["entries"], found["readers"]) == (0, [])
    assert found["since"] < found["until"]
    assert "recorded" in found["not_replayed"]
    assert owner.post(f"/drafts/{draft['id']}/replay", days=0).status_code == 422
    assert_same_refusal(
        owner.post(f"/drafts/{uuid4()}/replay"), owner.post(f"/drafts/{uuid4()}/simulate")
    )


def test_who_would_see_a_record_is_foreseen_before_it_is_submitted(app: Flask) -> None:
    submitter = Browser(app, "post-be", Role.SUBMITTER)
    found = submitter.post("/audience", **PLAIN.stored(), age_band=0).get_json()
    (police,) = found["in_force"]["audiences"]
    assert [each["code"] for each in police["organisations"]] == ["police-de"]
    assert police["periods"][0]["access"]["level"] == "request"
    red = {**PLAIN.stored(), "tlp": "RED"}
    hidden = submitter.post("/audience", **red, age_band=0).get_json()
    levels = {
        period["access"]["level"]
        for audience in hidden["in_force"]["audiences"]
        for period in audience["periods"]
    }
    assert levels <= {None}  # nobody sees it; its owner may be told that it was asked for
    assert submitter.post("/audience", **PLAIN.stored(), age_band=5).status_code == 422
    assert submitter.post("/audience", **{**red, "tlp": "PINK"}, age_band=0).status_code == 422


def assert_same_refusal(one: TestResponse, other: TestResponse) -> None:
    assert (one.status_code, other.status_code) == (404, 404)
    first, second = one.get_json(), other.get_json()
    assert first.pop("instance") != second.pop("instance")
    assert first == second
    assert one.headers["Content-Length"] == other.headers["Content-Length"]
    assert set(one.headers.keys()) == set(other.headers.keys())
