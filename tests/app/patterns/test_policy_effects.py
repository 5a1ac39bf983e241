"""A change of policy tells which patterns who gains and loses, and who may have one."""

import pytest
from flask import Flask

from app import clock
from app.patterns import drafting, reading
from app.sharing import replay, simulation
from app.sharing.changes import Figure
from postern.vocabulary import Role
from tests.app.exchange import Exchange, make_exchange
from tests.app.patterns.writing import (
    CONTROL,
    SCREENING,
    act,
    document,
    published,
    second,
    seen,
    shares,
)
from tests.app.people import make_person, sign_in

OTHER_ID = "5f4f1d2e-0b5e-4f0a-9d0c-2d0a8f0f0a02"


@pytest.fixture
def exchange(app: Flask) -> Exchange:
    return make_exchange(app)


def test_a_text_tells_who_gains_and_loses_which_patterns(exchange: Exchange) -> None:
    operators = shares("police-de", "screen").replace(
        "when {", 'when { principal.sector == Sector::"post" &&'
    )
    exchange.publish("police-de", operators)
    ids = {
        title: published(exchange, "police-de", document(rule_id, title=title))
        for title, rule_id in (
            ("Kept", "5f4f1d2e-0b5e-4f0a-9d0c-2d0a8f0f0a01"),
            ("Worn out", OTHER_ID),
        )
    }
    act(exchange, drafting.begin, exchange.caller("police-de"), document(), None)
    for pattern in ids.values():
        seen(exchange, "post-be", SCREENING, pattern)
    other = second(exchange, "police-de")
    act(exchange, drafting.deprecate, other, ids["Worn out"], "Too old")
    customs = shares("police-de", "feed").replace(
        "when {", 'when { principal.sector == Sector::"customs" &&'
    )
    found = act(exchange, simulation.simulate, other, customs, clock.now()).comparisons[0]
    assert (found.indicators, found.concerned, found.changes_indicators) == (0, 0, False)
    told = found.patterns
    assert (told.assets, told.concerned) == (2, 2)
    assert (told.known, told.whole) == (Figure(2, 2), Figure(2, 0, 0, 2))
    assert [[each.code for each in some] for some in (told.gaining, told.losing)] == [
        ["customs-nl"],
        ["post-be"],
    ]
    gains = {tuple(each.title for each in row.gained) for row in told.readers if row.gained}
    assert gains == {("Worn out", "Kept")}
    assert {row.purpose for row in told.readers if row.gained} >= {CONTROL.purpose}
    assert {row.purpose for row in told.readers if row.lost} >= {SCREENING.purpose}

    # The same text over the last days: of the two rules that the post read, it would get neither.
    replayed = act(exchange, replay.replay, other, customs, clock.now())
    (row,) = replayed.patterns
    assert (row.organisation.code, row.purpose) == ("post-be", SCREENING.purpose)
    assert (row.same, row.known, row.nothing, row.gone) == (0, 0, 2, 0)
    assert [each.title for each in row.examples] == ["Worn out", "Kept"]
    assert (replayed.hits, replayed.entries) == (0, 2)
    kept = act(exchange, replay.replay, other, operators, clock.now())
    assert kept.patterns[0].same == 2

    # What is told is what then comes true.
    exchange.publish("police-de", customs)
    for code, grounds, count in (("post-be", SCREENING, 0), ("customs-nl", CONTROL, 2)):
        page = act(exchange, reading.list_patterns, exchange.caller(code), grounds)
        assert [each.may_screen for each in page.patterns] == [False] * count


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_pages_and_programs_tell_it(exchange: Exchange) -> None:
    exchange.publish("police-de", shares("police-de", "screen"))
    pattern = published(exchange, "police-de", document(title="On the page"))
    seen(exchange, "post-be", SCREENING, pattern)
    client = exchange.app.test_client()
    headers = sign_in(client, make_person(exchange.app, "police-de", [Role.POLICY_OWNER]))
    made = client.post(
        "/api/v1/policies/drafts", json={"title": "Nothing", "text": ""}, headers=headers
    ).get_json()
    address = f"/api/v1/policies/drafts/{made['id']}"
    told = client.post(f"{address}/simulate", headers=headers).get_json()["comparisons"][0]
    assert told["patterns"]["screened"] == {"before": 1, "after": 0, "gained": 0, "lost": 1}
    assert told["patterns"]["readers"][0]["lost"] == [{"id": str(pattern), "title": "On the page"}]
    replayed = client.post(f"{address}/replay", json={}, headers=headers).get_json()
    assert [each["nothing"] for each in replayed["patterns"]] == [1]
    page = client.get(f"/policy/drafts/{made['id']}/changes", headers=headers)
    assert page.get_data(as_text=True).count("On the page") > 1

    answer = client.get(f"/api/v1/patterns/{pattern}/audience", headers=headers)
    audience = answer.get_json()
    assert (audience["title"], audience["is_draft"]) == ("On the page", False)
    readers = {
        each["code"]: one["periods"][0]["access"]
        for one in audience["explained"]["in_force"]["audiences"]
        for each in one["organisations"]
    }
    assert readers.keys() == {"post-be", "customs-nl"}
    assert readers["post-be"]["may_screen"] is True
    draft = act(exchange, drafting.begin, exchange.caller("police-de"), "not yet", None).listed.id
    judged = client.get(f"/api/v1/patterns/{draft}/audience", headers=headers).get_json()
    assert (judged["is_draft"], judged["explained"]) == (True, None)
