"""Asking: levels, hidden indicators, and what the log and the owners learn."""

import dataclasses
import json
import os
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import func, select

from app import clock, create_app
from app.config import Settings
from app.errors import InvalidRequestError
from app.indicators import service as indicators
from app.jobs.service import run_due
from app.lookups import service, storage
from app.lookups.answers import ShownHit
from app.lookups.models import Hit, Lookup
from app.lookups.scoring import Query
from app.pseudonyms.service import EpochClosedError
from postern.facet_kinds import NUMBERS
from postern.normalise import Address, Phone, Vendor
from postern.pseudonym import clear_token
from postern.vocabulary import Kind, LegalBasis, Purpose
from tests.app.exchange import (
    ALERT_OWNER,
    JAN,
    OPEN_TO_POLICE,
    PRESENCE_TO_POLICE,
    REQUESTER_ONLY,
    SOPHIE,
    SOPHIE_TYPED,
    Exchange,
    b64,
    make_exchange,
    place,
    report,
)
from tests.app.people import runtime_of

OTHER_AT_THE_ADDRESS = Address(("Wetstraat 16", "16, rue de la Loi"), "1040", "Brussel", "BE")


def hits(answer: service.Answer, place_: int = 0) -> list[ShownHit]:
    return answer.results[place_].hits


def submit(exchange: Exchange, code: str, key: str, *given: Any, **fields: Any) -> Any:
    (result,) = exchange.submit(code, report(key, *given, **fields)).results
    assert result.status == "created"
    return result


def test_a_spelling_variant_finds_the_report_with_its_reasons(exchange: Exchange) -> None:
    sent = submit(
        exchange,
        "post-be",
        "k1",
        exchange.indicator(SOPHIE, handling=["H2"]),
        shipment={"origin_country": "BE"},
        barrier_step=4,
    )
    exchange.publish("post-be", OPEN_TO_POLICE)
    answer = exchange.ask("police-de", SOPHIE_TYPED)
    (hit,) = hits(answer)
    assert (hit.organisation.code, hit.level, hit.band) == ("post-be", "request", "strong")
    assert hit.precision is not None
    assert 0.9 < hit.precision <= 1
    assert hit.points is not None
    assert hit.explanation == "Same name, street, house number, postcode and city."
    assert {each.answer for each in hit.facets} == {"agrees"}
    assert all(each.words for each in hit.facets)
    assert hit.indicator is not None
    assert hit.indicator["id"] == sent.indicators[0]
    assert hit.indicator["handling"] == ["H2"]
    assert hit.report is not None
    assert (hit.report.id, hit.report.barrier_step) == (sent.id, 4)
    assert hit.report.shipment["origin_country"] == "BE"
    assert not answer.results[0].more


def test_an_address_finds_the_party_that_lives_there(exchange: Exchange) -> None:
    submit(exchange, "post-be", "k1", exchange.indicator(SOPHIE))
    exchange.publish("post-be", OPEN_TO_POLICE)
    (hit,) = hits(exchange.ask("police-de", OTHER_AT_THE_ADDRESS))
    assert hit.band in {"strong", "likely"}
    assert {each.facet for each in hit.facets} == {
        facet for facet, _ in exchange.elements(OTHER_AT_THE_ADDRESS)
    }


def test_other_values_find_nothing(exchange: Exchange) -> None:
    submit(exchange, "post-be", "k1", exchange.indicator(SOPHIE))
    exchange.publish("post-be", OPEN_TO_POLICE)
    answer = exchange.ask("police-de", JAN, Phone("+32 2 555 12 34"), Vendor("alpha", "sophie"))
    assert [result.hits for result in answer.results] == [[], [], []]
    assert [result.id for result in answer.results] == ["q0", "q1", "q2"]


def test_an_induction_point_is_found_in_clear(exchange: Exchange) -> None:
    submit(exchange, "post-be", "k1", place())
    exchange.publish("post-be", OPEN_TO_POLICE)
    token = clear_token("induction_point", "POINT=bpost|bru1|be")
    query = Query("point", Kind.INDUCTION_POINT, 0, [(30, token)])
    (hit,) = hits(exchange.ask("police-de", query))
    assert hit.band == "strong"
    assert hit.precision is None  # not measured for this kind
    assert hit.indicator is not None
    assert hit.indicator["place"] == place()["place"]


def test_presence_tells_who_and_how_sure_and_nothing_else(exchange: Exchange) -> None:
    submit(exchange, "post-be", "k1", exchange.indicator(SOPHIE), barrier_step=4)
    submit(exchange, "post-be", "k2", exchange.indicator(SOPHIE))
    exchange.publish("post-be", PRESENCE_TO_POLICE)
    (hit,) = hits(exchange.ask("police-de", SOPHIE))
    assert hit == ShownHit(hit.organisation, hit.level, hit.band, hit.precision)
    assert (hit.organisation.code, hit.level, hit.band) == ("post-be", "presence", "strong")


def test_the_number_behind_a_presence_is_hidden(exchange: Exchange) -> None:
    submit(exchange, "post-be", "k1", exchange.indicator(SOPHIE))
    exchange.publish("post-be", PRESENCE_TO_POLICE)
    one = hits(exchange.ask("police-de", SOPHIE))
    for n in range(4):
        submit(exchange, "post-be", f"more{n}", exchange.indicator(SOPHIE))
    assert hits(exchange.ask("police-de", SOPHIE)) == one
    (listed, *_) = _listed(exchange, "police-de").lookups
    assert listed.hits == 1


def test_without_a_policy_nothing_is_seen(exchange: Exchange) -> None:
    submit(exchange, "post-be", "k1", exchange.indicator(SOPHIE))
    assert hits(exchange.ask("police-de", SOPHIE)) == []


def test_a_purpose_that_the_policy_does_not_name_sees_nothing(exchange: Exchange) -> None:
    submit(exchange, "post-be", "k1", exchange.indicator(SOPHIE))
    exchange.publish(
        "post-be",
        OPEN_TO_POLICE.replace("};", '&& context.purpose == Purpose::"criminal_intelligence" };'),
    )
    assert hits(exchange.ask("police-de", SOPHIE)) == []
    intelligence = exchange.ask("police-de", SOPHIE, purpose=Purpose.CRIMINAL_INTELLIGENCE)
    assert len(hits(intelligence)) == 1


def test_own_indicators_are_found_too(exchange: Exchange) -> None:
    submit(exchange, "police-de", "k1", exchange.indicator(SOPHIE))
    (hit,) = hits(exchange.ask("police-de", SOPHIE))
    assert (hit.organisation.code, hit.level) == ("police-de", "request")
    assert exchange.entries("indicator.match") == []


def test_two_owners_of_the_same_thing_stay_two(exchange: Exchange) -> None:
    submit(exchange, "post-be", "k1", exchange.indicator(SOPHIE))
    submit(exchange, "customs-nl", "k1", exchange.indicator(SOPHIE))
    for code in ("post-be", "customs-nl"):
        exchange.publish(code, OPEN_TO_POLICE)
    found = hits(exchange.ask("police-de", SOPHIE))
    assert [hit.organisation.code for hit in found] == ["post-be", "customs-nl"]


def test_a_lookup_and_its_hits_are_kept_without_what_was_asked(exchange: Exchange) -> None:
    submit(exchange, "post-be", "k1", exchange.indicator(SOPHIE))
    exchange.publish("post-be", OPEN_TO_POLICE)
    answer = exchange.ask("police-de", JAN, SOPHIE)
    (lookup,) = exchange.rows(select(Lookup))
    assert (lookup.public_id, lookup.queries, lookup.hits) == (answer.lookup, 2, 1)
    (hit,) = exchange.rows(select(Hit))
    assert (hit.query, hit.level, hit.band) == (1, 3, "strong")
    assert hit.grant_reason_id is not None


def test_a_lookup_without_a_hit_is_logged_just_the_same(exchange: Exchange) -> None:
    answer = exchange.ask("police-de", JAN)
    (entry,) = exchange.entries("lookup.ask")
    assert entry.audience == ["police-de"]
    assert entry.details["objects"] == [str(answer.lookup)]
    assert entry.details["query"] == {"party": 1}
    assert entry.details["hits"] == 0
    assert entry.details["case"] == "PV-2024-17"
    assert '"purpose":"criminal_investigation"' in entry.record
    assert '"basis":"criminal_procedure"' in entry.record


def test_each_other_owner_learns_which_of_its_indicators_were_found(exchange: Exchange) -> None:
    sent = submit(exchange, "post-be", "k1", exchange.indicator(SOPHIE))
    submit(exchange, "post-be", "k2", exchange.indicator(JAN))
    theirs = submit(exchange, "customs-nl", "k1", exchange.indicator(SOPHIE))
    exchange.publish("post-be", OPEN_TO_POLICE)
    exchange.publish("customs-nl", PRESENCE_TO_POLICE)
    exchange.ask("police-de", SOPHIE)
    entries = {entry.audience[0]: entry for entry in exchange.entries("indicator.match")}
    assert {code: entry.details for code, entry in entries.items()} == {
        "post-be": {
            "objects": [str(sent.indicators[0])],
            "level": "request",
            "viewer": "police-de",
            "policy": "post-be/1",
            "policies": ["open/police"],
        },
        "customs-nl": {
            "objects": [str(theirs.indicators[0])],
            "level": "presence",
            "viewer": "police-de",
            "policy": "customs-nl/1",
            "policies": ["presence/police"],
        },
    }
    for entry in entries.values():
        assert len(entry.audience) == 1
        assert '"purpose":"criminal_investigation"' in entry.record
        assert '"basis":"criminal_procedure"' in entry.record


def test_an_owner_whose_indicator_stays_hidden_learns_nothing(exchange: Exchange) -> None:
    submit(exchange, "post-be", "k1", exchange.indicator(SOPHIE))
    exchange.ask("police-de", SOPHIE)
    assert exchange.entries("indicator.match") == []


def test_an_owner_that_alone_is_told_learns_of_a_match(exchange: Exchange) -> None:
    submit(exchange, "customs-nl", "k0", exchange.indicator(JAN))
    sent = [
        submit(exchange, "customs-nl", key, exchange.indicator(SOPHIE)).indicators[0]
        for key in ("k1", "k2")
    ]
    exchange.publish("customs-nl", ALERT_OWNER)
    exchange.ask("police-de", SOPHIE, SOPHIE_TYPED)
    (entry,) = exchange.entries("indicator.alert")
    assert entry.audience == ["customs-nl"]
    assert entry.details == {
        "objects": [str(each) for each in sent],
        "viewer": "police-de",
        "policy": "customs-nl/1",
        "policies": ["alert/police"],
    }
    assert '"purpose":"criminal_investigation"' in entry.record
    assert '"basis":"criminal_procedure"' in entry.record
    assert exchange.entries("indicator.match") == []


def test_a_reader_who_is_not_told_keeps_no_trace_of_a_match(exchange: Exchange) -> None:
    exchange.ask("police-de", SOPHIE)
    submit(exchange, "customs-nl", "k1", exchange.indicator(SOPHIE))
    exchange.publish("customs-nl", ALERT_OWNER)
    answer = exchange.ask("police-de", SOPHIE)
    assert len(exchange.entries("indicator.alert")) == 1
    assert (hits(answer), answer.results[0].more) == ([], False)
    assert exchange.rows(select(Hit)) == []
    assert [each.hits for each in exchange.rows(select(Lookup))] == [0, 0]
    without, beside = exchange.entries("lookup.ask")
    for entry in (without, beside):
        del entry.details["objects"]
    assert without.details == beside.details
    assert without.audience == beside.audience == ["police-de"]
    assert len(without.record) == len(beside.record)
    for name in ("n", "rh", "obj", "aud"):
        assert json.loads(without.record)[name] == json.loads(beside.record)[name]


def test_what_is_told_to_owners_alone_takes_no_place_among_the_hits(settings: Settings) -> None:
    few = dataclasses.replace(settings.matching, hits_per_query=1)
    app = create_app(dataclasses.replace(settings, matching=few))
    exchange = make_exchange(app)
    submit(exchange, "customs-nl", "k1", exchange.indicator(SOPHIE))
    submit(exchange, "post-be", "k1", exchange.indicator(SOPHIE))
    exchange.publish("customs-nl", ALERT_OWNER)
    exchange.publish("post-be", OPEN_TO_POLICE)
    (result,) = exchange.ask("police-de", SOPHIE).results
    assert ([hit.organisation.code for hit in result.hits], result.more) == (["post-be"], False)
    assert [entry.audience for entry in exchange.entries("indicator.alert")] == [["customs-nl"]]
    runtime_of(app).database.dispose()


def test_nobody_is_alerted_by_what_hardly_agrees(exchange: Exchange) -> None:
    submit(exchange, "customs-nl", "k1", exchange.indicator(SOPHIE))
    exchange.publish("customs-nl", ALERT_OWNER)
    query = exchange.query(SOPHIE)
    same = NUMBERS["SK*H"]
    tokens = [(n, token if n == same else os.urandom(16)) for n, token in query.tokens]
    exchange.ask("police-de", dataclasses.replace(query, tokens=tokens))
    assert exchange.entries("indicator.alert") == []


def test_an_operator_is_not_alerted_of_what_police_ask(exchange: Exchange) -> None:
    submit(exchange, "post-be", "k1", exchange.indicator(SOPHIE))
    exchange.publish("post-be", ALERT_OWNER)
    exchange.ask("police-de", SOPHIE)
    assert exchange.entries("indicator.alert") == []


def test_where_the_reader_alone_is_told_its_owner_learns_nothing(exchange: Exchange) -> None:
    submit(exchange, "post-be", "k1", exchange.indicator(SOPHIE))
    exchange.publish("post-be", OPEN_TO_POLICE + REQUESTER_ONLY)
    (hit,) = hits(exchange.ask("police-de", SOPHIE))
    assert hit.level == "request"
    assert exchange.entries("indicator.match") == exchange.entries("indicator.alert") == []
    (entry,) = exchange.entries("lookup.ask")
    assert entry.audience == ["police-de"]
    assert (entry.details["hits"], entry.details["policies"]) == (1, ["post-be/1"])
    assert entry.details["case"] == "PV-2024-17"
    assert len(exchange.rows(select(Hit))) == 1


def test_the_log_holds_no_token(exchange: Exchange) -> None:
    submit(exchange, "post-be", "k1", exchange.indicator(SOPHIE))
    exchange.publish("post-be", OPEN_TO_POLICE)
    query = exchange.query(SOPHIE)
    exchange.ask("police-de", query)
    told = "".join(
        entry.record + repr(entry.details)
        for act in ("lookup.ask", "indicator.match")
        for entry in exchange.entries(act)
    )
    assert not [facet for facet, token in query.tokens if b64(token) in told]
    assert not [facet for facet, token in query.tokens if token.hex() in told]


def test_only_as_many_hits_as_the_settings_say(settings: Settings) -> None:
    few = dataclasses.replace(settings.matching, hits_per_query=2)
    app = create_app(dataclasses.replace(settings, matching=few))
    exchange = make_exchange(app)
    exchange.submit("post-be", *(report(f"k{n}", exchange.indicator(SOPHIE)) for n in range(3)))
    exchange.publish("post-be", OPEN_TO_POLICE)
    (result,) = exchange.ask("police-de", SOPHIE).results
    assert (len(result.hits), result.more) == (2, True)
    assert len(exchange.rows(select(Hit))) == 2
    (entry,) = exchange.entries("indicator.match")
    assert len(entry.details["objects"]) == 2
    runtime_of(app).database.dispose()


@pytest.mark.parametrize(
    "change",
    [
        {"tokens": [(3, b"x" * 16), (4, b"x" * 16)]},
        {"tokens": [(20, b"x" * 16)]},
        {"epoch": 0},
        {"kind": Kind.INDUCTION_POINT, "tokens": [(30, b"x" * 16)]},
        {"kind": Kind.ADDRESS},
    ],
)
def test_a_query_that_contradicts_itself_is_refused(
    exchange: Exchange, change: dict[str, Any]
) -> None:
    query = dataclasses.replace(exchange.query(SOPHIE), **change)
    with pytest.raises(InvalidRequestError) as refused:
        exchange.ask("police-de", query)
    assert [each["field"][:15] for each in refused.value.extensions["errors"]] == [
        "json.queries.0."
    ]


def test_query_ids_must_differ_and_be_few_enough(exchange: Exchange) -> None:
    query = exchange.query(SOPHIE)
    with pytest.raises(InvalidRequestError):
        exchange.ask("police-de", query, query)
    most = runtime_of(exchange.app).settings.limit.lookup_queries
    many = [dataclasses.replace(query, id=f"q{n}") for n in range(most + 1)]
    with pytest.raises(InvalidRequestError):
        exchange.ask("police-de", *many)
    assert len(exchange.ask("police-de", *many[:most]).results) == most


def test_tokens_of_an_epoch_that_is_not_open_are_refused(exchange: Exchange) -> None:
    query = dataclasses.replace(exchange.query(SOPHIE), epoch=2)
    with pytest.raises(EpochClosedError) as refused:
        exchange.ask("police-de", query)
    assert refused.value.extensions == {"epoch": 1, "kind": "postal"}


def test_an_indicator_erased_meanwhile_is_left_out(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = submit(exchange, "post-be", "k1", exchange.indicator(SOPHIE))
    submit(exchange, "post-be", "k2", exchange.indicator(SOPHIE))
    exchange.publish("post-be", OPEN_TO_POLICE)
    held = storage.hold_details

    def held_too_late(session: Any, ids: Any) -> Any:
        found = held(session, ids)
        return {
            key: details
            for key, details in found.items()
            if details.columns["id"] != gone.indicators[0]
        }

    monkeypatch.setattr(storage, "hold_details", held_too_late)
    (hit,) = hits(exchange.ask("police-de", SOPHIE))
    assert hit.indicator is not None
    assert hit.indicator["id"] != gone.indicators[0]
    assert exchange.rows(select(func.count()).select_from(Hit)) == [1]


def test_asking_while_reports_are_withdrawn_fails_nobody(exchange: Exchange) -> None:
    sent = exchange.submit(
        "post-be", *(report(f"k{n}", exchange.indicator(SOPHIE)) for n in range(8))
    ).results
    exchange.publish("post-be", OPEN_TO_POLICE)
    ready = Barrier(3)

    def withdraw_all() -> int:
        ready.wait()
        erased = 0
        for each in sent:
            with exchange.app.app_context(), exchange.database.transaction() as session:
                caller = exchange.caller("post-be")
                erased += indicators.withdraw(session, caller, each.id, "error").erased
        return erased

    def keep_asking() -> list[int]:
        ready.wait()
        return [len(hits(exchange.ask("police-de", SOPHIE))) for _ in range(8)]

    with ThreadPoolExecutor(3) as pool:
        withdrawn = pool.submit(withdraw_all)
        asked = [pool.submit(keep_asking) for _ in range(2)]
        assert withdrawn.result() == 8
        for each in asked:
            assert each.result() == sorted(each.result(), reverse=True)
    assert hits(exchange.ask("police-de", SOPHIE)) == []


def test_own_lookups_are_listed_in_pages(exchange: Exchange) -> None:
    asked = [exchange.ask("police-de", JAN).lookup for _ in range(3)]
    exchange.ask(
        "customs-nl", JAN, purpose=Purpose.CUSTOMS_CONTROL, legal_basis=LegalBasis.CUSTOMS_LAW
    )
    first = _listed(exchange, "police-de", 2)
    second = _listed(exchange, "police-de", 2, first.next)
    assert [each.id for each in (*first.lookups, *second.lookups)] == asked[::-1]
    assert second.next is None
    latest = first.lookups[0]
    assert latest.person == exchange.caller("police-de").person
    assert (latest.purpose, latest.legal_basis) == ("criminal_investigation", "criminal_procedure")
    (theirs,) = _listed(exchange, "customs-nl").lookups
    assert _listed(exchange, "police-de", 2, theirs.id).lookups == []
    assert len(exchange.entries("lookup.list")) == 4


def test_figures_count_the_last_thirty_days(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    submit(exchange, "post-be", "k1", exchange.indicator(SOPHIE))
    exchange.publish("post-be", OPEN_TO_POLICE)
    exchange.ask("police-de", SOPHIE)
    exchange.ask("police-de", JAN)
    exchange.ask("police-de", JAN, purpose=Purpose.CRIMINAL_INTELLIGENCE)
    found = _figures(exchange, "police-de")
    assert (found.lookups, found.with_hits, found.hits) == (3, 1, 1)
    assert found.by_purpose == {
        Purpose.CRIMINAL_INVESTIGATION: service.PurposeFigures(2, 1, 1),
        Purpose.CRIMINAL_INTELLIGENCE: service.PurposeFigures(1, 0, 0),
    }
    assert len(found.latest) == 3
    assert _figures(exchange, "post-be").lookups == 0
    _move_clock(monkeypatch, clock.now() + timedelta(days=31))
    assert _figures(exchange, "police-de").lookups == 0


def test_records_of_lookups_end(exchange: Exchange, monkeypatch: pytest.MonkeyPatch) -> None:
    submit(exchange, "post-be", "k1", exchange.indicator(SOPHIE))
    exchange.publish("post-be", OPEN_TO_POLICE)
    exchange.ask("police-de", SOPHIE)
    exchange.ask("police-de", JAN)
    days = runtime_of(exchange.app).settings.retention.lookup_days
    today = clock.now().date()
    with exchange.app.app_context(), exchange.database.transaction() as session:
        assert service.expire(session, today + timedelta(days=days - 1)) == 0
    _move_clock(monkeypatch, clock.now() + timedelta(days=days))
    monkeypatch.setattr(indicators, "expire", lambda *_: 0)
    with exchange.app.app_context():
        done = {each.name: each.count for each in run_due(runtime_of(exchange.app))}
    assert done["lookups.expire"] == 2
    assert exchange.rows(select(Lookup)) == exchange.rows(select(Hit)) == []
    (entry,) = exchange.entries("lookup.expire")
    assert entry.audience == ["platform", "police-de"]
    assert '"n":2' in entry.record


def test_a_lookup_that_cannot_be_logged_is_not_answered(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(service, "append", fail)
    with pytest.raises(RuntimeError):
        exchange.ask("police-de", JAN)
    assert exchange.rows(select(Lookup)) == []


def _listed(exchange: Exchange, code: str, limit: int = 50, cursor: Any = None) -> service.Page:
    with exchange.app.app_context(), exchange.database.transaction() as session:
        return service.list_own(session, exchange.caller(code), limit, cursor)


def _figures(exchange: Exchange, code: str) -> service.Figures:
    with exchange.app.app_context(), exchange.database.transaction() as session:
        return service.figures(session, exchange.organisation_id(code))


def _move_clock(monkeypatch: pytest.MonkeyPatch, moment: datetime) -> None:
    for module in ("lookups.service", "lookups.start", "jobs.service"):
        monkeypatch.setattr(f"app.{module}.now", lambda: moment)
