"""Submitting: good reports go in, wrong ones come back with reasons, a retry does nothing twice."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import func, select, text

from app.clock import now
from app.errors import InvalidRequestError
from app.indicators import service
from app.indicators.models import Indicator, Report, Token
from app.indicators.vault import context
from app.pseudonyms.models import ElementVault
from app.secret_files import Sealer
from postern import pseudonym
from postern.normalise import Vendor
from postern.vocabulary import EvaluationKind
from tests.app.exchange import JAN, SOPHIE, Exchange, b64, distinct_elements, place, report
from tests.app.people import runtime_of


def count(exchange: Exchange, table: type[Any]) -> int:
    with exchange.database.reading() as session:
        return session.execute(select(func.count()).select_from(table)).scalar_one()


def days(offset: int) -> str:
    return (now().date() + timedelta(days=offset)).isoformat()


def test_a_report_goes_in_with_all_that_belongs_to_it(exchange: Exchange) -> None:
    answer = exchange.submit(
        "post-be",
        report(
            "k1",
            exchange.indicator(SOPHIE, observed_to=days(-3), handling=["H1"], quality=["no_city"]),
            place(),
            barrier_step=4,
            shipment={"origin_country": "BE", "weight_band": "0-100", "substance": None},
        ),
    )
    (result,) = answer.results
    assert (result.status, result.client_key, list(result.errors)) == ("created", "k1", [])
    assert answer.counts == {"created": 1, "existing": 0, "rejected": 0}
    (stored,) = exchange.rows(select(Report))
    assert stored.public_id == result.id
    assert (stored.barrier_step, stored.origin_country, stored.substance) == (4, "BE", None)
    party, point = exchange.rows(select(Indicator).order_by(Indicator.id))
    assert [party.public_id, point.public_id] == list(result.indicators)
    assert party.seen_day == (now().date() - date(1970, 1, 1)).days - 3
    assert party.expires_on == now().date() + timedelta(days=365)
    assert now().date() < party.review_on < party.expires_on
    assert (party.handling, party.quality, party.epoch) == (["H1"], ["no_city"], 1)
    assert (point.place, point.epoch) == (place()["place"], 0)
    rows = exchange.rows(select(Token).where(Token.indicator_id == party.id))
    elements = exchange.elements(SOPHIE)
    expected = {(pseudonym.token("postal", 1, element), facet) for facet, element in elements}
    assert {(bytes(row.token), row.facet) for row in rows} == expected
    assert {(row.seen_day, row.share_class_id) for row in rows} == {
        (party.seen_day, party.share_class_id)
    }
    assert party.facets_stored == sum({1 << facet for facet, _ in elements})
    assert party.facets_common == 0
    assert bytes(party.tokens) == b"".join(pseudonym.token("postal", 1, e) for _, e in elements)


def test_the_vault_keeps_the_elements_bound_to_their_indicator(exchange: Exchange) -> None:
    exchange.submit("post-be", report("k1", exchange.indicator(SOPHIE), place()))
    (vault,) = exchange.rows(select(ElementVault))
    (indicator,) = exchange.rows(select(Indicator).where(Indicator.id == vault.indicator_id))
    sealer = Sealer(runtime_of(exchange.app).secrets.vault)
    opened = sealer.open(
        bytes(vault.sealed), context(indicator.public_id, EvaluationKind.POSTAL, 1)
    )
    expected = [bytes((facet,)) + element for facet, element in exchange.elements(SOPHIE)]
    assert opened == b"".join(expected)
    with pytest.raises(ValueError, match="do not open"):
        sealer.open(bytes(vault.sealed), context(indicator.public_id, EvaluationKind.POSTAL, 2))


def test_wrong_reports_come_back_and_the_others_go_in(exchange: Exchange) -> None:
    good = exchange.indicator(JAN)
    answer = exchange.submit(
        "post-be",
        report("k1", good),
        {"client_key": "k2"},
        7,
        report("k4", {**good, "tlp": "PURPLE"}),
        report("not a key", good),
        report("k6", good),
    )
    assert [result.status.value for result in answer.results] == [
        *("created", "rejected", "rejected", "rejected", "rejected", "created"),
    ]
    assert [result.client_key for result in answer.results] == ["k1", "k2", None, "k4", None, "k6"]
    assert [[fault.field for fault in result.errors] for result in answer.results] == [
        [],
        ["indicators"],
        [""],
        ["indicators.0.tlp"],
        ["client_key"],
        [],
    ]
    assert answer.counts == {"created": 2, "existing": 0, "rejected": 4}
    assert count(exchange, Report) == count(exchange, Indicator) == 2


def test_the_same_report_again_is_existing_with_the_same_ids(exchange: Exchange) -> None:
    sent = report("k1", exchange.indicator(SOPHIE), place())
    (first,) = exchange.submit("post-be", sent).results
    again, twin = exchange.submit("post-be", sent, sent).results
    assert again.status == twin.status == "existing"
    assert again.id == twin.id == first.id
    assert list(again.indicators) == list(first.indicators)
    assert count(exchange, Report) == 1


def test_twins_in_one_request_are_stored_once(exchange: Exchange) -> None:
    sent = report("k1", exchange.indicator(SOPHIE))
    other = report("k1", exchange.indicator(JAN))
    first, twin, third = exchange.submit("post-be", sent, sent, other).results
    assert (first.status, twin.status, third.status) == ("created", "existing", "rejected")
    assert (twin.id, twin.indicators) == (first.id, first.indicators)
    assert [fault.field for fault in third.errors] == ["client_key"]


def test_a_field_left_out_and_its_default_are_the_same_content(exchange: Exchange) -> None:
    (first,) = exchange.submit("post-be", report("k1", exchange.indicator(SOPHIE))).results
    spelt_out = report("k1", exchange.indicator(SOPHIE, tlp="AMBER"), shipment={})
    (again,) = exchange.submit("post-be", spelt_out).results
    assert (again.status, again.id) == ("existing", first.id)


@pytest.mark.parametrize(
    "change",
    [
        {"barrier_step": 2},
        {"shipment": {"origin_country": "NL"}},
        {"indicators": []},
    ],
)
def test_other_content_under_a_used_key_is_rejected(
    exchange: Exchange, change: dict[str, Any]
) -> None:
    sent = report("k1", exchange.indicator(SOPHIE))
    exchange.submit("post-be", sent)
    if "indicators" in change:
        change = {"indicators": [exchange.indicator(JAN)]}
    (result,) = exchange.submit("post-be", {**sent, **change}).results
    assert result.status == "rejected"
    assert [fault.field for fault in result.errors] == ["client_key"]


def test_two_organisations_may_use_the_same_key(exchange: Exchange) -> None:
    sent = report("k1", exchange.indicator(SOPHIE))
    (ours,) = exchange.submit("post-be", sent).results
    (theirs,) = exchange.submit("customs-nl", sent).results
    assert (ours.status, theirs.status) == ("created", "created")
    assert ours.id != theirs.id


def test_identical_requests_at_once_create_one_report(exchange: Exchange) -> None:
    reports = [report(f"k{n}", exchange.indicator(SOPHIE)) for n in range(5)]
    ready = Barrier(4)

    def send() -> service.Submission:
        ready.wait()
        return exchange.submit("post-be", *reports)

    with ThreadPoolExecutor(4) as pool:
        answers = [future.result() for future in [pool.submit(send) for _ in range(4)]]
    created = sum(answer.counts["created"] for answer in answers)
    existing = sum(answer.counts["existing"] for answer in answers)
    assert (created, existing) == (5, 15)
    assert count(exchange, Report) == count(exchange, Indicator) == 5
    ids = {tuple(result.id for result in answer.results) for answer in answers}
    assert len(ids) == 1


def test_more_than_the_cap_of_one_token_is_common_and_not_stored(exchange: Exchange) -> None:
    # JAN's neighbours share the facets of the address, not those of the name.
    most = runtime_of(exchange.app).settings.matching.common_after
    reports = [report(f"k{n}", exchange.indicator(SOPHIE)) for n in range(most - 1)]
    exchange.submit("post-be", *reports)
    answer = exchange.submit(
        "post-be",
        report("last", exchange.indicator(SOPHIE)),
        report("beyond", exchange.indicator(SOPHIE), exchange.indicator(JAN)),
    )
    assert answer.counts["created"] == 2
    bits = sum({1 << facet for facet, _ in exchange.elements(SOPHIE)})
    *_, last, beyond, jan = exchange.rows(select(Indicator).order_by(Indicator.id))
    postings = exchange.rows(select(func.count()).select_from(Token).group_by(Token.token))
    assert (last.facets_stored, last.facets_common) == (bits, 0)
    assert (beyond.facets_stored, beyond.facets_common, bytes(beyond.tokens)) == (0, bits, b"")
    assert jan.facets_common == 0
    assert max(postings) == most


def test_the_cap_of_one_owner_is_not_felt_by_another(exchange: Exchange) -> None:
    most = runtime_of(exchange.app).settings.matching.common_after
    reports = [report(f"k{n}", exchange.indicator(SOPHIE)) for n in range(most + 1)]
    exchange.submit("post-be", *reports)
    exchange.submit("customs-nl", report("k", exchange.indicator(SOPHIE)))
    theirs = exchange.rows(select(Indicator).order_by(Indicator.id))[-1]
    assert theirs.facets_common == 0


def test_one_common_token_of_a_facet_makes_the_facet_common(exchange: Exchange) -> None:
    most = runtime_of(exchange.app).settings.matching.common_after
    shared, *others = distinct_elements(most + 2)

    def vendor(*elements: bytes) -> dict[str, Any]:
        return {
            **exchange.indicator(Vendor("market", "handle"), role="vendor"),
            "elements": [{"facet": 27, "element": b64(element)} for element in elements],
        }

    exchange.submit(
        "post-be",
        *(report(f"k{n}", vendor(shared, others[n])) for n in range(most)),
    )
    exchange.submit("post-be", report("k", vendor(shared, others[most])))
    last = exchange.rows(select(Indicator).order_by(Indicator.id))[-1]
    assert (last.facets_stored, last.facets_common) == (0, 1 << 27)
    assert bytes(last.tokens) == pseudonym.token("vendor", 1, others[most])


def test_a_request_may_hold_as_many_reports_as_the_settings_say(exchange: Exchange) -> None:
    most = runtime_of(exchange.app).settings.limit.report_items
    with pytest.raises(InvalidRequestError):
        exchange.submit("post-be", *([{}] * (most + 1)))
    assert exchange.submit("post-be", *([{}] * most)).counts["rejected"] == most


def test_the_log_learns_ids_and_counts_and_no_value(exchange: Exchange) -> None:
    answer = exchange.submit(
        "post-be",
        report("k1", exchange.indicator(SOPHIE), place()),
        report("k2", exchange.indicator(JAN)),
        {},
    )
    (entry,) = exchange.entries("report.submit")
    assert entry.audience == ["post-be"]
    assert entry.details["objects"] == [str(result.id) for result in answer.results[:2]]
    assert entry.details["counts"] == {"created": 2, "existing": 0, "rejected": 1}
    assert entry.details["kinds"] == {"party": 2, "induction_point": 1}
    assert '"basis":"postal_law"' in entry.record
    told = entry.record + repr(entry.details)
    for facet, element in exchange.elements(SOPHIE):
        assert b64(element) not in told, facet
        assert b64(pseudonym.token("postal", 1, element)) not in told, facet


def test_a_request_that_fails_at_the_end_leaves_nothing(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(service, "append", fail)
    with pytest.raises(RuntimeError):
        exchange.submit("post-be", report("k1", exchange.indicator(SOPHIE)))
    with exchange.database.reading() as session:
        for table in ("report", "indicator", "token", "element_vault"):
            assert session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() == 0  # noqa: S608 - a list of our own
