"""What others share, through every door: listed, counted, exported, read, passed on; and told."""

import csv
import io
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app import clock
from app.access import CONSOLE
from app.indicators import shared, shared_rows
from app.indicators.export import COLUMNS, safe_cell
from app.organisations import service as organisations
from app.organisations.models import OrganisationStatus
from postern.vocabulary import Role, Scope
from tests.app.exchange import (
    ALERT_OWNER,
    JAN,
    OPEN_TO_POLICE,
    PRESENCE_TO_POLICE,
    REQUESTER_ONLY,
    SOPHIE,
    Exchange,
    place,
    report,
)
from tests.app.people import bearer, make_person, sign_in

INDICATORS = "/api/v1/indicators"
GROUNDS = {
    "purpose": "criminal_investigation",
    "legal_basis": "criminal_procedure",
    "case": "PV-2024-17",
}
METADATA_TO_POLICE = """
@id("metadata/police") @label("Police see what they find, and get no list")
permit (principal, action in [Action::"presence", Action::"metadata"], resource)
when { principal.sector == Sector::"police" };
"""

Ask = Callable[..., TestResponse]


@pytest.fixture
def ask(exchange: Exchange, client: FlaskClient) -> Ask:
    """Asks as the police; arguments that are None are left out."""
    headers = bearer(exchange.app, exchange.people["police-de"], [Scope.INDICATORS_READ])

    def asked(path: str = "", **arguments: Any) -> TestResponse:
        given = {name: each for name, each in (GROUNDS | arguments).items() if each is not None}
        return client.get(f"{INDICATORS}{path}", query_string=given, headers=headers)

    return asked


def submit(exchange: Exchange, code: str, *given: Any, **fields: Any) -> list[str]:
    """Ids of the indicators of a new report."""
    (result,) = exchange.submit(code, report(uuid4().hex, *given, **fields)).results
    assert result.status == "created", result.errors
    return [str(each) for each in result.indicators]


def listed(answer: TestResponse) -> list[str]:
    assert answer.status_code == 200, answer.get_json()
    return [each["indicator"]["id"] for each in answer.get_json()["indicators"]]


def anonymous(answer: TestResponse) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body, without the request's own reference and the entry's receipt."""
    reference = answer.headers["X-Request-Id"]
    apart = {"X-Request-Id", "Postern-Receipt"}
    headers = {name: value for name, value in answer.headers if name not in apart}
    headers["receipt"] = str(len(answer.headers["Postern-Receipt"]))
    return answer.status_code, headers, answer.get_data().replace(reference.encode(), b"*" * 36)


def test_what_others_share_is_listed_newest_first_with_owner_and_report(
    exchange: Exchange, ask: Ask
) -> None:
    (first,) = submit(
        exchange,
        "post-be",
        exchange.indicator(SOPHIE),
        barrier_step=4,
        shipment={"origin_country": "BE"},
    )
    (second,) = submit(exchange, "customs-nl", place())
    for code in ("post-be", "customs-nl"):
        exchange.publish(code, OPEN_TO_POLICE)
    answer = ask()
    assert set(listed(answer)) == {first, second}
    assert answer.get_json()["next"] is None
    found = {each["indicator"]["id"]: each for each in answer.get_json()["indicators"]}
    assert found[first]["organisation"]["code"] == "post-be"
    assert found[first]["level"] == "request"
    assert found[first]["report"]["barrier_step"] == 4
    assert found[first]["report"]["shipment"]["origin_country"] == "BE"
    assert found[first]["indicator"]["tlp"] == "AMBER"
    assert found[second]["indicator"]["place"]["code"] == "BRU-1"


def test_neither_tokens_nor_facets_leave(exchange: Exchange, ask: Ask) -> None:
    submit(exchange, "post-be", exchange.indicator(SOPHIE))
    exchange.publish("post-be", OPEN_TO_POLICE)
    told = ask().get_data(as_text=True) + ask("/export").get_data(as_text=True)
    assert "post-be" in told
    for word in ("token", "facet", "element", "epoch"):
        assert word not in told


@pytest.mark.parametrize("policy", ["", PRESENCE_TO_POLICE, METADATA_TO_POLICE, ALERT_OWNER])
def test_what_is_not_shared_in_bulk_is_neither_listed_nor_counted_nor_exported(
    exchange: Exchange, ask: Ask, policy: str
) -> None:
    empty = [anonymous(ask(path)) for path in ("", "/counts", "/export")]
    submit(exchange, "customs-nl", exchange.indicator(SOPHIE))
    exchange.publish("customs-nl", policy)
    assert [anonymous(ask(path)) for path in ("", "/counts", "/export")] == empty
    assert exchange.entries("indicator.shared") == exchange.entries("indicator.alert") == []


def test_one_s_own_are_not_in_the_list(exchange: Exchange, ask: Ask) -> None:
    submit(exchange, "police-de", exchange.indicator(SOPHIE))
    assert listed(ask()) == []
    assert ask("/counts").get_json() == {"indicators": 0, "counts": []}


def test_another_purpose_lists_nothing(exchange: Exchange, ask: Ask) -> None:
    submit(exchange, "post-be", exchange.indicator(SOPHIE))
    only = '&& context.purpose == Purpose::"criminal_intelligence" };'
    exchange.publish("post-be", OPEN_TO_POLICE.replace("};", only))
    assert listed(ask()) == []
    assert len(listed(ask(purpose="criminal_intelligence"))) == 1


def test_nothing_of_a_suspended_owner_is_listed_or_read(exchange: Exchange, ask: Ask) -> None:
    (sent,) = submit(exchange, "post-be", exchange.indicator(SOPHIE))
    exchange.publish("post-be", OPEN_TO_POLICE)
    assert ask(f"/{sent}").status_code == 200
    _suspend(exchange, "post-be")
    assert listed(ask()) == []
    assert ask(f"/{sent}").status_code == 404


@pytest.mark.parametrize("few", [0, 3, 5000])
def test_pages_follow_the_cursor_and_miss_nothing(
    exchange: Exchange, ask: Ask, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_rows, "_FEW", few)
    sent = [submit(exchange, "post-be", exchange.indicator(SOPHIE))[0] for _ in range(5)]
    exchange.publish("post-be", OPEN_TO_POLICE)
    found: list[str] = []
    cursor = None
    for size in (2, 2, 1):
        answer = ask(limit=2, cursor=cursor)
        assert len(listed(answer)) == size
        found += listed(answer)
        cursor = answer.get_json()["next"]
    assert cursor is None
    assert found == sorted(sent, reverse=True)


def test_a_cursor_need_not_name_anything_and_tells_nothing(exchange: Exchange, ask: Ask) -> None:
    (seen,) = submit(exchange, "post-be", exchange.indicator(SOPHIE))
    exchange.publish("post-be", OPEN_TO_POLICE)
    (hidden,) = submit(exchange, "customs-nl", exchange.indicator(SOPHIE))
    beside = str(UUID(int=UUID(hidden).int + 1))
    assert listed(ask(cursor=hidden)) == listed(ask(cursor=beside)) == [seen]
    assert listed(ask(cursor=str(UUID(int=0)))) == []


FILTERS: list[dict[str, Any]] = [
    {},
    {"owner": "post-be"},
    {"owner": "customs-nl"},
    {"owner": "police-de"},
    {"kind": "party"},
    {"kind": "induction_point"},
    {"role": "addressee"},
    {"barrier_step": 4},
    {"substance": "mdma"},
    {"substance": "unknown"},
    {"tlp": "GREEN"},
    {"seen_since": "2024-05-01"},
    {"seen_since": "9999-12-31"},
    {"seen_since": "0001-01-01"},
    {"owner": "post-be", "kind": "party", "tlp": "AMBER"},
]


@pytest.mark.parametrize("filters", FILTERS, ids=str)
def test_lists_counts_and_exports_agree_under_every_filter(
    exchange: Exchange, ask: Ask, filters: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    told = _varied(exchange)
    expected = {
        key for key, facts in told.items() if all(_fits(facts, *one) for one in filters.items())
    }
    sorted_here = listed(ask(**filters))
    assert set(sorted_here) == expected
    with monkeypatch.context() as patched:
        patched.setattr(shared_rows, "_FEW", 0)
        assert listed(ask(**filters)) == sorted_here
    counts = ask("/counts", **filters).get_json()
    assert counts["indicators"] == sum(each["indicators"] for each in counts["counts"])
    counted = {
        (each["organisation"], each["kind"], each["barrier_step"]): each["indicators"]
        for each in counts["counts"]
    }
    assert len(counted) == len(counts["counts"])
    by_hand: dict[tuple[Any, ...], int] = {}
    for key in expected:
        group = told[key]["owner"], told[key]["kind"], told[key].get("barrier_step")
        by_hand[group] = by_hand.get(group, 0) + 1
    assert counted == by_hand
    lines = ask("/export", format="ndjson", **filters).get_data(as_text=True).splitlines()
    assert {json.loads(line)["indicator"]["id"] for line in lines} == expected


@pytest.mark.parametrize(
    "wrong",
    [
        {"purpose": None},
        {"legal_basis": None},
        {"case": None},
        {"case": " "},
        {"purpose": "curiosity"},
        {"kind": "person"},
        {"barrier_step": 8},
        {"seen_since": "yesterday"},
        {"owner": "post-xx"},
        {"text": "Rue de la Loi"},
    ],
    ids=str,
)
@pytest.mark.parametrize("path", ["", "/counts", "/export"])
def test_a_question_without_grounds_or_with_a_wrong_filter_is_refused(
    ask: Ask, path: str, wrong: dict[str, Any]
) -> None:
    answer = ask(path, **wrong)
    assert (answer.status_code, answer.get_json()["code"]) == (422, "invalid-request")
    if "text" not in wrong:
        (error,) = answer.get_json()["errors"]
        assert error["field"] == f"query.{next(iter(wrong))}"
    assert "Rue" not in answer.get_data(as_text=True)


def test_an_export_is_a_file_with_a_header_and_a_way_on(exchange: Exchange, ask: Ask) -> None:
    submit(exchange, "post-be", exchange.indicator(SOPHIE, handling=["H0", "H2"]), place())
    exchange.publish("post-be", OPEN_TO_POLICE)
    first = ask("/export", limit=1)
    assert first.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert first.headers["Content-Disposition"] == 'attachment; filename="indicators.csv"'
    rest = ask("/export", limit=1, cursor=first.headers["Postern-Next"])
    assert "Postern-Next" not in rest.headers
    rows = [_row(each.get_data(as_text=True)) for each in (first, rest)]
    assert sorted(row["id"] for row in rows) == sorted(listed(ask()))
    by_kind = {row["kind"]: row for row in rows}
    assert by_kind["party"]["handling"] == "H0 H2"
    assert by_kind["party"]["place_code"] == ""
    assert by_kind["induction_point"]["place_code"] == "BRU-1"
    assert by_kind["party"]["organisation_code"] == "post-be"


def test_a_line_of_an_export_is_what_the_list_holds(exchange: Exchange, ask: Ask) -> None:
    submit(exchange, "post-be", exchange.indicator(SOPHIE), shipment={"hs_chapter": "39"})
    exchange.publish("post-be", OPEN_TO_POLICE)
    answer = ask("/export", format="ndjson")
    assert answer.headers["Content-Type"] == "application/x-ndjson"
    (line,) = answer.get_data(as_text=True).splitlines()
    assert [json.loads(line)] == ask().get_json()["indicators"]


def test_an_export_without_a_record_has_its_header(ask: Ask) -> None:
    assert ask("/export").get_data(as_text=True) == ",".join(COLUMNS) + "\r\n"
    assert ask("/export", format="ndjson").get_data() == b""


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("+32", "'+32"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("\uff1d1", "'\uff1d1"),
        ("Post of Example", "Post of Example"),
        (["H0", "H2"], "H0 H2"),
        ([], ""),
        (4, "4"),
        (None, ""),
    ],
)
def test_no_cell_is_a_formula(value: Any, cell: str) -> None:
    assert safe_cell(value) == cell


def test_one_is_read_at_metadata_though_it_is_on_no_list(exchange: Exchange, ask: Ask) -> None:
    (sent,) = submit(exchange, "post-be", exchange.indicator(SOPHIE))
    exchange.publish("post-be", METADATA_TO_POLICE)
    answer = ask(f"/{sent}")
    assert answer.status_code == 200
    assert answer.get_json()["level"] == "metadata"
    assert answer.get_json()["indicator"]["id"] == sent


def test_one_s_own_is_read_by_its_id_and_nobody_else_is_told(exchange: Exchange, ask: Ask) -> None:
    (sent,) = submit(exchange, "police-de", exchange.indicator(SOPHIE, tlp="RED"))
    answer = ask(f"/{sent}")
    assert answer.get_json()["organisation"]["code"] == "police-de"
    (entry,) = exchange.entries("indicator.read")
    assert entry.details["policies"] == ["platform"]
    assert exchange.entries("indicator.shared") == []


@pytest.mark.parametrize("path", ["/{}", "/{}/onward"])
def test_not_there_not_yours_and_not_visible_are_one_answer(
    exchange: Exchange, ask: Ask, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    to = "customs-nl" if path.endswith("onward") else None
    absent = anonymous(ask(path.format(uuid4()), to=to))
    assert absent[0] == 404
    (no_policy,) = submit(exchange, "customs-nl", exchange.indicator(SOPHIE))
    (presence,) = submit(exchange, "post-be", exchange.indicator(SOPHIE))
    exchange.publish("post-be", PRESENCE_TO_POLICE)
    for hidden in (no_policy, presence):
        assert anonymous(ask(path.format(hidden), to=to)) == absent
    exchange.publish("post-be", METADATA_TO_POLICE)
    assert ask(path.format(presence), to=to).status_code == 200
    (other,) = submit(exchange, "post-be", exchange.indicator(JAN, tlp="RED"))
    assert anonymous(ask(path.format(other), to=to)) == absent
    later = clock.now() + timedelta(days=4000)
    monkeypatch.setattr(shared, "now", lambda: later)
    assert anonymous(ask(path.format(presence), to=to)) == absent
    logged = exchange.entries("indicator.onward" if to else "indicator.read")
    refusals = [entry.details.get("refusal") for entry in logged]
    assert refusals == ["not-found"] * 3 + [None] + ["not-found"] * 2
    lengths = [len(entry.record) for entry in logged if "refusal" in entry.details]
    assert len(set(lengths)) == 1


@pytest.mark.parametrize(("path", "act"), [("", "indicator.list"), ("/export", "indicator.export")])
def test_reader_and_owners_learn_what_left_and_why(
    exchange: Exchange, ask: Ask, path: str, act: str
) -> None:
    (post,) = submit(exchange, "post-be", exchange.indicator(SOPHIE))
    (customs,) = submit(exchange, "customs-nl", exchange.indicator(SOPHIE))
    exchange.publish("post-be", OPEN_TO_POLICE)
    exchange.publish("customs-nl", OPEN_TO_POLICE)
    ask(path, kind="party")
    (entry,) = exchange.entries(act)
    assert entry.audience == ["police-de"]
    assert sorted(entry.details["objects"]) == sorted([post, customs])
    assert entry.details["policies"] == ["customs-nl/1", "post-be/1"]
    assert entry.details["filters"] == {"kind": "party"}
    assert entry.details["case"] == "PV-2024-17"
    assert json.loads(entry.record)["purpose"] == "criminal_investigation"
    assert json.loads(entry.record)["basis"] == "criminal_procedure"
    told = {each.audience[0]: each for each in exchange.entries("indicator.shared")}
    assert {code: each.details for code, each in told.items()} == {
        code: {
            "objects": [sent],
            "viewer": "police-de",
            "level": "request",
            "policy": f"{code}/1",
            "policies": ["open/police"],
            "by": act,
        }
        for code, sent in (("post-be", post), ("customs-nl", customs))
    }
    for each in told.values():
        assert len(each.audience) == 1
        assert json.loads(each.record)["purpose"] == "criminal_investigation"


def test_the_owner_learns_who_read_one(exchange: Exchange, ask: Ask) -> None:
    (sent,) = submit(exchange, "post-be", exchange.indicator(SOPHIE))
    exchange.publish("post-be", METADATA_TO_POLICE)
    ask(f"/{sent}")
    (entry,) = exchange.entries("indicator.shared")
    assert (entry.audience, entry.details["objects"]) == (["post-be"], [sent])
    assert (entry.details["level"], entry.details["by"]) == ("metadata", "indicator.read")


def test_an_owner_that_is_not_told_learns_nothing_and_the_reader_s_entry_is_whole(
    exchange: Exchange, ask: Ask
) -> None:
    (sent,) = submit(exchange, "post-be", exchange.indicator(SOPHIE))
    exchange.publish("post-be", OPEN_TO_POLICE + REQUESTER_ONLY)
    for path in ("", "/export", f"/{sent}"):
        assert ask(path).status_code == 200
    assert exchange.entries("indicator.shared") == []
    for act in ("indicator.list", "indicator.export", "indicator.read"):
        (entry,) = exchange.entries(act)
        assert entry.details["objects"] == [sent]
        assert entry.audience == ["police-de"]


def test_what_else_a_report_names_is_told_as_far_as_it_may_be_listed(
    exchange: Exchange, ask: Ask
) -> None:
    asked, other, where = submit(
        exchange, "post-be", exchange.indicator(SOPHIE), exchange.indicator(JAN), place()
    )
    submit(exchange, "post-be", exchange.indicator(JAN))  # of another report
    exchange.publish("post-be", METADATA_TO_POLICE)
    assert listed(ask(f"/{asked}/beside")) == []  # it is seen, but nothing is given in bulk
    exchange.publish("post-be", OPEN_TO_POLICE)
    assert set(listed(ask(f"/{asked}/beside"))) == {other, where}
    entry = exchange.entries("indicator.list")[-1]
    assert set(entry.details["objects"]) == {other, where}
    assert entry.details["filters"].keys() == {"report"}
    assert entry.details["case"] == "PV-2024-17"
    told = exchange.entries("indicator.shared")
    assert {sent for each in told for sent in each.details["objects"]} == {other, where}
    assert {each.details["by"] for each in told} == {"indicator.list"}


def test_nothing_is_told_beside_what_one_may_not_see(exchange: Exchange, ask: Ask) -> None:
    hidden, _ = submit(exchange, "post-be", exchange.indicator(SOPHIE), exchange.indicator(JAN))
    absent = anonymous(ask(f"/{uuid4()}/beside"))
    assert absent[0] == 404
    assert anonymous(ask(f"/{hidden}/beside")) == absent
    exchange.publish("post-be", PRESENCE_TO_POLICE)
    assert anonymous(ask(f"/{hidden}/beside")) == absent


def test_of_a_report_of_many_indicators_some_are_told(
    exchange: Exchange, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared, "MOST_BESIDE", 2)
    sent = submit(
        exchange,
        "post-be",
        exchange.indicator(SOPHIE),
        exchange.indicator(JAN),
        place(),
        place("BRU-2"),
    )
    exchange.publish("post-be", OPEN_TO_POLICE)
    for asked in sent:
        found = listed(ask(f"/{asked}/beside"))
        assert len(found) == 2
        assert asked not in found


def test_a_count_is_logged_and_names_no_record(exchange: Exchange, ask: Ask) -> None:
    submit(exchange, "post-be", exchange.indicator(SOPHIE))
    exchange.publish("post-be", OPEN_TO_POLICE)
    assert ask("/counts", owner="post-be").get_json()["indicators"] == 1
    (entry,) = exchange.entries("indicator.count")
    assert "objects" not in entry.details
    assert (entry.details["filters"], json.loads(entry.record)["n"]) == ({"owner": "post-be"}, 1)
    assert exchange.entries("indicator.shared") == []


ONWARD_TO_CUSTOMS = """
@id("onward/customs") @label("What police see of ours they may tell customs")
permit (principal, action == Action::"onward", resource)
when { principal.sector == Sector::"police" && context.to in Sector::"customs" };
"""


def test_what_the_owner_permits_may_be_passed_on(exchange: Exchange, ask: Ask) -> None:
    (sent,) = submit(exchange, "post-be", exchange.indicator(SOPHIE, tlp="GREEN"))
    exchange.publish("post-be", METADATA_TO_POLICE + ONWARD_TO_CUSTOMS)
    answer = ask(f"/{sent}/onward", to="customs-nl")
    assert answer.get_json() == {
        "indicator": sent,
        "to": "customs-nl",
        "allowed": True,
        "policy": "post-be/1",
        "rules": ["What police see of ours they may tell customs"],
    }
    (entry,) = exchange.entries("indicator.onward")
    assert entry.audience == ["police-de"]
    assert (entry.details["to"], entry.details["allowed"]) == ("customs-nl", True)
    assert (entry.details["objects"], entry.details["case"]) == ([sent], "PV-2024-17")


@pytest.mark.parametrize("why", ["TLP:AMBER", "H2", "no rule", "another sector", "suspended"])
def test_of_a_denial_no_reason_is_told(exchange: Exchange, ask: Ask, why: str) -> None:
    marks: dict[str, Any] = {"tlp": "GREEN"}
    if why == "TLP:AMBER":
        marks = {"tlp": "AMBER"}
    elif why == "H2":
        marks = {"tlp": "AMBER", "handling": ["H2"]}
    (sent,) = submit(exchange, "post-be", exchange.indicator(SOPHIE, **marks))
    onward = "" if why == "no rule" else ONWARD_TO_CUSTOMS
    exchange.publish("post-be", METADATA_TO_POLICE + onward)
    if why == "suspended":
        _suspend(exchange, "customs-nl")
    to = "post-be" if why == "another sector" else "customs-nl"
    assert ask(f"/{sent}/onward", to=to).get_json() == {
        "indicator": sent,
        "to": to,
        "allowed": False,
        "policy": None,
        "rules": [],
    }


def test_one_s_own_may_be_passed_on(exchange: Exchange, ask: Ask) -> None:
    (sent,) = submit(exchange, "police-de", exchange.indicator(SOPHIE))
    answer = ask(f"/{sent}/onward", to="customs-nl").get_json()
    assert (answer["allowed"], answer["policy"]) == (True, "platform")


@pytest.mark.parametrize("to", [None, "", "nobody", "police-de"])
def test_passing_on_names_an_organisation_that_there_is(
    exchange: Exchange, ask: Ask, to: str | None
) -> None:
    (sent,) = submit(exchange, "post-be", exchange.indicator(SOPHIE))
    exchange.publish("post-be", METADATA_TO_POLICE)
    answer = ask(f"/{sent}/onward", to=to)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.get_json()["errors"]] == ["query.to"]


def test_an_owner_reads_who_can_see_its_indicator(exchange: Exchange, client: FlaskClient) -> None:
    (sent,) = submit(exchange, "post-be", exchange.indicator(SOPHIE, tlp="GREEN"))
    exchange.publish("post-be", METADATA_TO_POLICE + ONWARD_TO_CUSTOMS + REQUESTER_ONLY)
    headers = sign_in(client, exchange.people["post-be"])
    answer = client.get(f"{INDICATORS}/{sent}/audience", headers=headers)
    assert answer.status_code == 200
    told = answer.get_json()
    assert (told["indicator"], told["age_band"], told["scheduled"]) == (sent, 0, None)
    assert told["in_force"]["version"] == 1
    (found,) = told["in_force"]["audiences"]
    assert [each["code"] for each in found["organisations"]] == ["police-de"]
    assert "criminal_investigation" in found["purposes"]
    assert [each["code"] for each in found["onward"]] == ["customs-nl"]
    (period,) = found["periods"]
    assert period["access"] == {
        "level": "metadata",
        "may_screen": False,
        "may_feed": False,
        "told": "requester_only",
    }
    assert {"id": "metadata/police", "label": "Police see what they find, and get no list"} in (
        period["rules"]
    )
    (entry,) = exchange.entries("policy.explain")
    assert (entry.audience, entry.details["objects"]) == (["post-be"], [sent])


def test_nobody_else_reads_who_can_see_an_indicator(
    exchange: Exchange, client: FlaskClient
) -> None:
    (sent,) = submit(exchange, "post-be", exchange.indicator(SOPHIE))
    exchange.publish("post-be", OPEN_TO_POLICE)
    headers = sign_in(client, exchange.people["police-de"])
    told = [
        anonymous(client.get(f"{INDICATORS}/{each}/audience", headers=headers))
        for each in (sent, uuid4())
    ]
    assert told[0] == told[1]
    assert told[0][0] == 404
    token = bearer(exchange.app, exchange.people["post-be"], list(Scope))
    stranger = exchange.app.test_client()
    assert stranger.get(f"{INDICATORS}/{sent}/audience", headers=token).status_code == 403


def test_who_may_not_read_is_refused_and_logged(exchange: Exchange, client: FlaskClient) -> None:
    submitter = make_person(exchange.app, "police-de", [Role.SUBMITTER])
    analyst = exchange.people["police-de"]
    for headers, status in (
        ({}, 401),
        (bearer(exchange.app, submitter, [Scope.REPORTS_READ]), 403),
        (bearer(exchange.app, analyst, [Scope.LOOKUPS_WRITE, Scope.REPORTS_READ]), 403),
    ):
        answer = client.get(INDICATORS, query_string=GROUNDS, headers=headers)
        assert answer.status_code == status
    refused = exchange.entries("indicator.list")
    assert [entry.details["refusal"] for entry in refused] == ["not-allowed"] * 2


def test_what_cannot_be_logged_does_not_leave(
    exchange: Exchange, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    (sent,) = submit(exchange, "post-be", exchange.indicator(SOPHIE))
    exchange.publish("post-be", OPEN_TO_POLICE)

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(shared, "tell_owners", fail)
    for path in ("", "/export", f"/{sent}"):
        answer = ask(path)
        assert answer.status_code == 500
        assert "post-be" not in answer.get_data(as_text=True)


def _varied(exchange: Exchange) -> dict[str, dict[str, Any]]:
    """Shared indicators that differ in all that can be filtered by; id -> what each is."""
    told: dict[str, dict[str, Any]] = {}

    def share(code: str, given: Any, **fields: Any) -> None:
        (sent,) = submit(exchange, code, given, **fields)
        told[sent] = {
            "owner": code,
            "kind": given["kind"],
            "role": given["role"],
            "tlp": given.get("tlp", "AMBER"),
            "seen": given.get("observed_to", clock.now().date().isoformat()),
            "barrier_step": fields.get("barrier_step"),
            "substance": fields.get("shipment", {}).get("substance", "unknown"),
        }

    share("post-be", exchange.indicator(SOPHIE), barrier_step=4, shipment={"substance": "mdma"})
    share("post-be", exchange.indicator(SOPHIE), barrier_step=4)
    share("post-be", exchange.indicator(JAN, role="addressee", observed_to="2024-04-30"))
    share("post-be", place(observed_to="2024-05-01"), shipment={"substance": "unknown"})
    share("customs-nl", exchange.indicator(JAN, tlp="GREEN"), barrier_step=5)
    submit(exchange, "customs-nl", exchange.indicator(SOPHIE, tlp="RED"), barrier_step=4)
    submit(exchange, "police-de", exchange.indicator(SOPHIE), barrier_step=4)
    for code in ("post-be", "customs-nl"):
        exchange.publish(code, OPEN_TO_POLICE)
    return told


def _fits(facts: dict[str, Any], name: str, value: Any) -> bool:
    if name == "seen_since":
        return bool(facts["seen"] >= value)
    return bool(facts[name] == value)


def _row(text: str) -> dict[str, str]:
    (row,) = csv.DictReader(io.StringIO(text))
    return row


def _suspend(exchange: Exchange, code: str) -> None:
    with exchange.database.transaction() as session:
        organisations.set_status(session, CONSOLE, code, OrganisationStatus.SUSPENDED)
