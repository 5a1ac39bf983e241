"""A change of policy tells which barriers who comes to know of or no longer, and who may know."""

import pytest
from flask import Flask

from app import clock
from app.barriers import barrier_audience, registering
from app.barriers.registering import Place
from app.errors import NotFoundError
from app.sharing import replay, simulation
from app.sharing.changes import Figure
from postern.vocabulary import Kind, Purpose, Role
from tests.app.barriers.ground import make_ground, registered
from tests.app.exchange import Exchange
from tests.app.patterns.writing import ANALYSIS, act, second, shares
from tests.app.people import make_person, sign_in


@pytest.fixture
def ground(app: Flask) -> Exchange:
    return make_ground(app)


def to_sector(sector: str) -> str:
    """A policy of the customs by which a sector may know of its barriers."""
    condition = f'when {{ principal.sector == Sector::"{sector}" &&'
    return shares("customs-nl", "feed", kinds="barrier").replace("when {", condition)


def listed(exchange: Exchange, code: str) -> int:
    page = act(exchange, registering.list_barriers, exchange.caller(code), ANALYSIS)
    return len(page.barriers)


def test_a_text_tells_who_gains_and_loses_which_barriers(ground: Exchange) -> None:
    ground.publish("customs-nl", to_sector("post"))
    registered(ground, "customs-nl")
    registered(ground, "customs-nl", place=Place("NL"))
    registered(ground, "post-be")
    assert (listed(ground, "post-be"), listed(ground, "police-de")) == (3, 0)
    writer = second(ground, "customs-nl")
    police = to_sector("police")
    found = act(ground, simulation.simulate, writer, police, clock.now()).comparisons[0]
    assert (found.indicators, found.concerned, found.changes_indicators) == (0, 0, False)
    told = found.barriers
    assert (told.assets, told.concerned, told.known) == (2, 2, Figure(2, 2))
    assert [[each.code for each in some] for some in (told.gaining, told.losing)] == [
        ["police-de"],
        ["post-be"],
    ]
    gains = {tuple(each.title for each in row.gained) for row in told.readers if row.gained}
    assert gains == {("ask-why NL", "ask-why")}
    assert found.patterns.assets == 0

    # The same text over the last days: the post was told of both, and would be told of neither.
    replayed = act(ground, replay.replay, writer, police, clock.now())
    (row,) = replayed.barriers
    assert (row.organisation.code, row.purpose) == ("post-be", ANALYSIS.purpose)
    assert (row.same, row.nothing, row.gone) == (0, 2, 0)
    kept = act(ground, replay.replay, writer, to_sector("post"), clock.now())
    assert kept.barriers[0].same == 2

    # What is told is what then comes true.
    ground.publish("customs-nl", police)
    assert (listed(ground, "post-be"), listed(ground, "police-de")) == (1, 2)


def test_the_owner_alone_is_told_who_may_know_of_a_barrier(ground: Exchange) -> None:
    ground.publish("customs-nl", to_sector("post"))
    barrier = registered(ground, "customs-nl").found.barrier.public_id
    found = act(
        ground, barrier_audience.audience, ground.caller("customs-nl"), barrier, clock.now()
    )
    assert (found.attributes.kind, found.attributes.barrier_step) == (Kind.BARRIER, 1)
    (readers,) = found.explained.in_force.audiences
    assert [each.code for each in readers.organisations] == ["post-be"]
    assert Purpose.RISK_ANALYSIS in readers.purposes
    assert readers.periods[0].access.may_feed
    assert listed(ground, "post-be") == 1
    with pytest.raises(NotFoundError):
        act(ground, barrier_audience.audience, ground.caller("post-be"), barrier, clock.now())


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_pages_and_programs_tell_it(ground: Exchange) -> None:
    ground.publish("customs-nl", to_sector("post"))
    barrier = registered(ground, "customs-nl", place=Place("NL")).found.barrier.public_id
    assert listed(ground, "post-be") == 1
    client = ground.app.test_client()
    headers = sign_in(client, make_person(ground.app, "customs-nl", [Role.POLICY_OWNER]))
    made = client.post(
        "/api/v1/policies/drafts", json={"title": "Nothing", "text": ""}, headers=headers
    ).get_json()
    address = f"/api/v1/policies/drafts/{made['id']}"
    told = client.post(f"{address}/simulate", headers=headers).get_json()["comparisons"][0]
    assert told["barriers"]["known"] == {"before": 1, "after": 0, "gained": 0, "lost": 1}
    example = {"id": str(barrier), "title": "ask-why NL"}
    assert told["barriers"]["readers"][0]["lost"] == [example]
    replayed = client.post(f"{address}/replay", json={}, headers=headers).get_json()
    assert [each["nothing"] for each in replayed["barriers"]] == [1]
    page = client.get(f"/policy/drafts/{made['id']}/changes", headers=headers)
    body = page.get_data(as_text=True)
    assert body.count("ask-why NL") > 1
    assert f"/barriers/{barrier}/audience" in body

    answer = client.get(f"/api/v1/barriers/{barrier}/audience", headers=headers).get_json()
    readers = [
        each["code"]
        for one in answer["explained"]["in_force"]["audiences"]
        for each in one["organisations"]
    ]
    assert (answer["id"], readers) == (str(barrier), ["post-be"])
    shown = client.get(f"/barriers/{barrier}/audience").get_data(as_text=True)
    assert "that it was set: what, where and from when" in shown
    assert "Netherlands" in shown
