"""What is added by TAXII: ordinary reports, judged one by one, amended, withdrawn, sighted."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import NAMESPACE_URL, uuid4, uuid5

import pytest
from sqlalchemy import func, select

from app import clock
from app.disclosures.models import Recall
from app.exchange import sightings, statuses
from app.exchange.adding_models import ExchangeName, ExchangeSighting, ExchangeStatus
from app.exchange.models import CollectionKind
from app.indicators.models import Indicator, Report, ReportStatus
from postern.stix.names import EXTENSIONS, TLP_IDS
from postern.vocabulary import Tlp
from tests.app.exchange import JAN
from tests.app.exchange_room.taxii_room import (
    COLLECTIONS,
    ROOT,
    Object,
    Taxii,
    changed,
    loaded,
    made_taxii,
)
from tests.conftest import BACKENDS

POSTAL = EXTENSIONS["postal-indicator"]


@pytest.fixture(scope="module", params=BACKENDS)
def taxii(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Taxii]:
    with made_taxii(request, request.param, tmp_path_factory.mktemp("adding")) as made:
        yield made


def count(taxii: Taxii, table: type[Any]) -> int:
    with taxii.exchange.database.reading() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def report_of(taxii: Taxii, stix_id: str) -> Report:
    wanted = (
        select(Report)
        .join(ExchangeName, ExchangeName.report_id == Report.id)
        .where(ExchangeName.stix_id == stix_id)
    )
    found: list[Report] = taxii.exchange.rows(wanted)
    return found[0]


def indicator_of(taxii: Taxii, stix_id: str) -> Indicator | None:
    found = taxii.exchange.rows(
        select(Indicator)
        .join(ExchangeName, ExchangeName.indicator == Indicator.public_id)
        .where(ExchangeName.stix_id == stix_id)
    )
    return found[0] if found else None


def reason(status: dict[str, Any]) -> str:
    (failure,) = status["failures"]
    return str(failure["message"])


def sighting(of: str, **properties: Any) -> Object:
    moment = "2026-11-20T09:00:00.000Z"
    return {
        "type": "sighting",
        "spec_version": "2.1",
        "id": f"sighting--{uuid4()}",
        "created": moment,
        "modified": moment,
        "sighting_of_ref": of,
        "count": 2,
        "first_seen": "2026-11-19T00:00:00Z",
        "last_seen": "2026-11-20T00:00:00Z",
        **properties,
    }


def test_an_indicator_is_an_ordinary_report_and_is_found_by_the_clients_id(taxii: Taxii) -> None:
    obj = taxii.object(JAN, tlp="GREEN", barrier_step=4, shipment={"service": "parcel"})
    status = taxii.status(obj)
    assert status["status"] == "complete"
    assert (status["total_count"], status["success_count"], status["failure_count"]) == (1, 1, 0)
    assert status["successes"] == [{"id": obj["id"], "version": obj["modified"]}]
    assert "failures" not in status
    report = report_of(taxii, obj["id"])
    assert (report.barrier_step, report.service) == (4, "parcel")
    (found,) = loaded(taxii.ask(f"{COLLECTIONS}{taxii.own}/objects/{obj['id']}/"))["objects"]
    assert (found["id"], found["modified"]) == (obj["id"], obj["modified"])
    assert "elements" not in json.dumps(found)
    (entry,) = taxii.exchange.entries("exchange.add")
    assert entry.details["added"] == 1
    assert entry.details["refused"] == 0
    assert taxii.exchange.entries("report.submit")


def test_the_status_is_read_by_its_organisation_until_it_expires(
    taxii: Taxii, monkeypatch: pytest.MonkeyPatch
) -> None:
    status = taxii.status(taxii.party())
    path = f"{ROOT}status/{status['id']}/"
    assert loaded(taxii.ask(path)) == status
    assert taxii.ask(path, "police-de").status_code == 404
    assert taxii.ask(f"{ROOT}status/{uuid4()}/").status_code == 404
    assert taxii.ask(f"{ROOT}status/nothing/").status_code == 404
    later = clock.now() + statuses.KEPT_FOR
    monkeypatch.setattr(statuses, "now", lambda: later)
    assert taxii.ask(path).status_code == 404
    with taxii.exchange.app.app_context(), taxii.exchange.database.transaction() as session:
        assert statuses.sweep(session) >= 1
    assert count(taxii, ExchangeStatus) == 0


def test_what_names_one_consignment_is_one_report_and_nothing_else_is(taxii: Taxii) -> None:
    report = uuid4()
    pair = [taxii.party(report=report, shipment={"service": "letter"}) for _ in range(2)]
    alone = [taxii.party() for _ in range(2)]
    taxii.status(*pair, *alone)
    reports = [report_of(taxii, each["id"]).id for each in (*pair, *alone)]
    assert reports[0] == reports[1]
    assert len(set(reports)) == 3


def test_a_wrong_object_holds_no_other_up(taxii: Taxii) -> None:
    report = uuid4()
    good, late, other = (taxii.party(report=report) for _ in range(3))
    late["extensions"][POSTAL]["observed_from"] = "2199-01-01"
    mail = {
        "type": "email-addr",
        "spec_version": "2.1",
        "id": f"email-addr--{uuid5(NAMESPACE_URL, 'jan')}",
        "value": "jan@example.org",
    }
    status = taxii.status(good, late, mail, other)
    assert {each["id"] for each in status["successes"]} == {good["id"], other["id"]}
    failures = {each["id"]: each["message"] for each in status["failures"]}
    assert "observed_from" in failures[late["id"]]
    # The id of an observable follows from its value: nothing of it is repeated.
    assert "postern exchange push" in failures["objects.2"]
    assert mail["id"] not in json.dumps(status)
    assert "jan@" not in json.dumps(status)
    assert report_of(taxii, good["id"]).id == report_of(taxii, other["id"]).id
    assert indicator_of(taxii, late["id"]) is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "Jan de Vries"},
        {"description": "lives in the Keizersgracht"},
        {"x_note": "Keizersgracht"},
        {"pattern": "[email-addr:value = 'jan@example.org']"},
        {"pattern": "nonsense"},
        {"modified": "yesterday"},
        {"spec_version": "2.0"},
        {"object_marking_refs": [f"marking-definition--{uuid4()}"]},
        {"extensions": {}},
        {"labels": ["Keizersgracht"]},
        {"id": "indicator--1"},
        {"id": 7},
        {"type": "indicator\0"},
        {"confidence": 10**30},
        {"name": "\ud800"},
        {"kill_chain_phases": [{"kill_chain_name": "x", "phase_name": "\0"}]},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_what_could_be_in_clear_or_is_not_stix_is_refused_and_not_repeated(
    taxii: Taxii, wrong: Object
) -> None:
    before = count(taxii, Indicator)
    status = taxii.status({**taxii.party(), **wrong})
    assert status["failure_count"] == 1, status
    assert count(taxii, Indicator) == before
    for word in ("Keizersgracht", "jan@", "Jan"):
        assert word not in json.dumps(status)


def test_an_element_that_is_none_and_an_epoch_that_is_closed_are_refused(taxii: Taxii) -> None:
    forged, old = taxii.party(), taxii.party()
    elements = forged["extensions"][POSTAL]["elements"]
    elements[next(iter(elements))] = ["_" * 42 + "8"]
    old["extensions"][POSTAL]["epoch"] = 9
    status = taxii.status(forged, old)
    failures = {each["id"]: each["message"] for each in status["failures"]}
    assert "group element" in failures[forged["id"]]
    assert "epoch" in failures[old["id"]]


def test_what_is_known_here_succeeds_and_is_not_stored(taxii: Taxii) -> None:
    moment = "2022-10-01T00:00:00.000Z"
    marking = {
        "type": "marking-definition",
        "spec_version": "2.1",
        "id": TLP_IDS[Tlp.AMBER],
        "created": moment,
        "name": "TLP:AMBER",
        "extensions": {
            "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d": {
                "extension_type": "property-extension",
                "tlp_2_0": "amber",
            }
        },
    }
    identity = {
        "type": "identity",
        "spec_version": "2.1",
        "id": f"identity--{uuid4()}",
        "created": moment,
        "modified": moment,
        "name": "Post of Belgium",
        "identity_class": "organization",
    }
    before = count(taxii, Report)
    status = taxii.status(marking, identity)
    assert status["success_count"] == 2
    assert all(each["message"] for each in status["successes"])
    assert count(taxii, Report) == before


def test_the_same_again_is_a_success_and_does_nothing_twice(taxii: Taxii) -> None:
    obj, other = taxii.party(), taxii.party()
    taxii.status(obj)
    before = count(taxii, Indicator)
    status = taxii.status(obj, obj)
    assert status["success_count"] == 2
    assert count(taxii, Indicator) == before
    status = taxii.status(obj, other)
    assert status["success_count"] == 2
    assert count(taxii, Indicator) == before + 1


def test_other_content_under_a_known_version_is_refused(taxii: Taxii) -> None:
    obj = taxii.party(tlp="AMBER")
    taxii.status(obj)
    assert "version" in reason(taxii.status({**obj, "object_marking_refs": [TLP_IDS[Tlp.RED]]}))
    one = taxii.party(tlp="AMBER")
    status = taxii.status(one, {**one, "object_marking_refs": [TLP_IDS[Tlp.RED]]})
    assert (status["success_count"], status["failure_count"]) == (1, 1)


def test_a_later_version_amends_and_an_earlier_one_changes_nothing(taxii: Taxii) -> None:
    obj = taxii.party(tlp="AMBER", shipment={"service": "parcel"}, report=uuid4())
    taxii.status(obj)
    later = changed(obj, 5, object_marking_refs=[TLP_IDS[Tlp.RED]])
    later["extensions"] = json.loads(json.dumps(obj["extensions"]))
    later["extensions"][EXTENSIONS["consignment"]]["service"] = "express"
    status = taxii.status(later)
    assert status["success_count"] == 1, status
    found = indicator_of(taxii, obj["id"])
    assert found is not None
    assert found.tlp is Tlp.RED
    assert report_of(taxii, obj["id"]).service == "express"
    status = taxii.status(changed(obj, 2))
    assert "later version" in status["successes"][0]["message"]
    found = indicator_of(taxii, obj["id"])
    assert found is not None
    assert found.tlp is Tlp.RED
    assert taxii.exchange.entries("indicator.amend")


def test_of_several_versions_in_one_envelope_the_newest_stands(taxii: Taxii) -> None:
    obj = taxii.party(tlp="AMBER")
    newest = changed(obj, 9, object_marking_refs=[TLP_IDS[Tlp.GREEN]])
    status = taxii.status(newest, obj, changed(obj, 3))
    assert status["success_count"] == 3
    found = indicator_of(taxii, obj["id"])
    assert found is not None
    assert found.tlp is Tlp.GREEN


def test_what_an_indicator_is_of_never_changes(taxii: Taxii) -> None:
    obj, other = taxii.party(), taxii.party()
    taxii.status(obj)
    status = taxii.status(changed(obj, extensions=other["extensions"]))
    assert "cannot change" in reason(status)
    wrong = changed(obj)
    wrong["extensions"] = json.loads(json.dumps(obj["extensions"]))
    wrong["extensions"][POSTAL]["observed_from"] = "2199-01-01"
    assert "observed_from" in reason(taxii.status(wrong))


def test_a_revoked_version_withdraws_calls_back_and_does_not_return(taxii: Taxii) -> None:
    report = uuid4()
    obj, sibling = (taxii.party(report=report) for _ in range(2))
    taxii.status(obj, sibling)
    seen = taxii.seen()
    assert len(seen) >= 2
    recalls = count(taxii, Recall)
    status = taxii.status(changed(obj, revoked=True))
    assert status["success_count"] == 1, status
    assert indicator_of(taxii, obj["id"]) is None
    assert indicator_of(taxii, sibling["id"]) is not None
    assert count(taxii, Recall) > recalls
    # Again is nothing new; and it stays gone.
    assert taxii.status(changed(obj, revoked=True))["success_count"] == 1
    assert taxii.status(obj)["success_count"] == 1
    assert indicator_of(taxii, obj["id"]) is None
    assert "does not return" in reason(taxii.status(changed(obj, 20)))
    taxii.status(changed(sibling, revoked=True))
    assert report_of(taxii, sibling["id"]).status is ReportStatus.WITHDRAWN


def test_what_was_never_here_can_be_withdrawn_without_effect(taxii: Taxii) -> None:
    before = count(taxii, Report)
    status = taxii.status({**taxii.party(), "revoked": True})
    assert "never here" in status["successes"][0]["message"]
    assert count(taxii, Report) == before


def test_an_object_is_deleted_by_its_owner_only_and_as_a_whole(taxii: Taxii) -> None:
    obj = taxii.party()
    taxii.status(obj)
    path = f"{COLLECTIONS}{taxii.own}/objects/{obj['id']}/"
    assert taxii.ask(path, "police-de", method="DELETE").status_code == 404
    strange = taxii.ask(
        path, method="DELETE", query_string={"match[version]": "2020-01-01T00:00:00Z"}
    )
    assert strange.status_code == 404
    shown = taxii.seen()[-1]
    shared = f"{COLLECTIONS}{taxii.shared}/objects/{shown}/"
    assert taxii.ask(shared, "police-de", method="DELETE").status_code == 403
    answer = taxii.ask(path, method="DELETE")
    assert (answer.status_code, answer.get_data()) == (200, b"")
    assert indicator_of(taxii, obj["id"]) is None
    assert taxii.ask(path, method="DELETE").status_code == 404
    assert taxii.status(obj)["success_count"] == 1
    assert indicator_of(taxii, obj["id"]) is None
    entries = taxii.exchange.entries("exchange.delete")
    (entry,) = [each for each in entries if "collection" in each.details]
    assert entry.audience == ["post-be"]


def test_nothing_is_added_to_what_is_read_only_or_not_there(taxii: Taxii) -> None:
    before = count(taxii, Report)
    assert taxii.add(taxii.party(), code="police-de", to=taxii.shared).status_code == 403
    assert taxii.add(taxii.party(), to=taxii.shared).status_code == 404
    assert taxii.add(taxii.party(), to=uuid4()).status_code == 404
    assert taxii.add(taxii.party(), code="police-de").status_code == 404
    closed = taxii.open("post-be", CollectionKind.OWN, days=1)
    assert taxii.add(taxii.party(), to=closed.id).status_code == 202
    assert count(taxii, Report) == before + 1


def test_a_sighting_of_what_one_sees_is_kept_and_its_owner_is_told(taxii: Taxii) -> None:
    obj = taxii.party()
    taxii.status(obj)
    of = taxii.seen()[-1]
    desk = taxii.open("police-de", CollectionKind.OWN)
    told = len(taxii.exchange.entries("exchange.sighted"))
    seen = sighting(of)

    def send(*objects: Object) -> dict[str, Any]:
        answer = taxii.add(*objects, code="police-de", to=desk.id)
        assert answer.status_code == 202
        found: dict[str, Any] = loaded(answer)
        return found

    assert send(seen)["success_count"] == 1
    assert send(seen)["success_count"] == 1
    (row,) = taxii.exchange.rows(select(ExchangeSighting))
    assert (row.times, row.stix_id) == (2, seen["id"])
    entries = taxii.exchange.entries("exchange.sighted")
    assert len(entries) == told + 1
    assert entries[-1].audience == ["post-be"]
    assert entries[-1].details["viewer"] == "police-de"
    assert "PV-2024-17" not in str(entries[-1].details)
    assert send(changed(seen, count=5))["success_count"] == 1
    (row,) = taxii.exchange.rows(select(ExchangeSighting))
    assert row.times == 5
    # Of what one does not see there is nothing, whether it exists or not.
    for unknown in (f"indicator--{uuid4()}", obj["id"]):
        status = send(sighting(unknown))
        assert "sighting_of_ref" in reason(status)
    assert send(changed(seen, 9, revoked=True))["success_count"] == 1
    assert count(taxii, ExchangeSighting) == 0


def test_sightings_end_with_their_indicator(taxii: Taxii, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = taxii.party(), taxii.party()
    taxii.status(first, second)
    taxii.status(sighting(first["id"]), sighting(second["id"]))
    assert count(taxii, ExchangeSighting) == 2
    taxii.status(changed(first, revoked=True))
    assert count(taxii, ExchangeSighting) == 1
    later = clock.now() + timedelta(days=4000)
    monkeypatch.setattr(clock, "now", lambda: later)
    with taxii.exchange.app.app_context(), taxii.exchange.database.transaction() as session:
        assert sightings.sweep(session) == 1


@pytest.mark.parametrize("year", ["0001", "1969", "9999"])
def test_versions_far_away_are_kept_or_refused(taxii: Taxii, year: str) -> None:
    moment = f"{year}-12-31T23:59:59.999Z"
    obj = {**taxii.party(), "created": moment, "modified": moment}
    status = taxii.status({**obj, "valid_from": moment})
    assert status["failure_count"] == (year == "9999")
    taxii.work()
    assert taxii.objects(taxii.own, limit=1000).status_code == 200


def test_names_and_versions_keep_their_spelling(taxii: Taxii) -> None:
    obj = {**taxii.party(), "modified": "2026-11-20T08:00:00.123456Z"}
    status = taxii.status(obj)
    assert status["successes"][0]["version"] == "2026-11-20T08:00:00.123456Z"
