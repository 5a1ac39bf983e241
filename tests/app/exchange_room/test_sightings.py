"""Sightings: the owner is told where its policy says so; both read them in their collections."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import stix2
from sqlalchemy import delete, select

from app.exchange import sightings
from app.exchange.adding_models import ExchangeSighting
from app.exchange.models import CollectionKind, ExchangeEntry
from app.jobs.models import Notification
from postern.stix.names import identity_id
from postern.vocabulary import Role
from tests.app.exchange import OPEN_TO_POLICE, REQUESTER_ONLY
from tests.app.exchange_room.taxii_room import Object, Taxii, changed, loaded, made_taxii
from tests.app.exchange_room.test_taxii_adding import reason, sighting
from tests.conftest import BACKENDS

OWNER, POLICE = "post-be", "police-de"


@pytest.fixture(scope="module", params=BACKENDS)
def taxii(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Taxii]:
    with made_taxii(request, request.param, tmp_path_factory.mktemp("sightings")) as made:
        yield made


@pytest.fixture
def desk(taxii: Taxii) -> UUID:
    """A collection of the police's own, by which it tells what it saw."""
    return taxii.open(POLICE, CollectionKind.OWN).id


@pytest.fixture(autouse=True)
def nobody_was_told(taxii: Taxii) -> None:
    with taxii.exchange.database.transaction() as session:
        session.execute(delete(Notification))


def shared(taxii: Taxii) -> tuple[Object, str]:
    """A new indicator of post-be, and what the police's collection calls it."""
    obj = taxii.party(tlp="GREEN")
    taxii.status(obj)
    return obj, taxii.seen()[-1]


def send(taxii: Taxii, desk: UUID, *objects: Object) -> dict[str, Any]:
    answer = taxii.add(*objects, code=POLICE, to=desk)
    assert answer.status_code == 202
    taxii.work()
    found: dict[str, Any] = loaded(answer)
    return found


def read(taxii: Taxii, collection: UUID, code: str, **arguments: Any) -> list[Object]:
    """Every sighting of a collection, in its last version."""
    answer = taxii.objects(collection, code, type="sighting", limit=1000, **arguments)
    found: list[Object] = loaded(answer).get("objects", [])
    return found


def of(objects: list[Object], name: str) -> list[Object]:
    return [each for each in objects if each["sighting_of_ref"] == name]


def told(taxii: Taxii) -> list[Notification]:
    found: list[Notification] = taxii.exchange.rows(
        select(Notification).where(Notification.kind == sightings.TOLD).order_by(Notification.id)
    )
    return found


def test_the_owner_reads_who_saw_it_again_under_a_name_of_its_own_collection(
    taxii: Taxii, desk: UUID
) -> None:
    obj, name = shared(taxii)
    seen = sighting(name)
    send(taxii, desk, seen)
    (found,) = of(read(taxii, taxii.own, OWNER), obj["id"])
    assert found["id"] != seen["id"]
    assert found["created_by_ref"] == identity_id(POLICE)
    assert found["where_sighted_refs"] == [identity_id(POLICE)]
    assert (found["count"], found["first_seen"]) == (2, "2026-11-19T00:00:00.000Z")
    stix2.parse(found, allow_custom=False)
    page = loaded(taxii.objects(taxii.own, OWNER, limit=1000))["objects"]
    assert identity_id(POLICE) in {each["id"] for each in page}
    assert set(found["object_marking_refs"]) <= {each["id"] for each in page}
    # Another version is one there too, and one that was sent twice is not there twice.
    send(taxii, desk, seen, changed(seen, count=7))
    send(taxii, desk, changed(seen, count=7))
    (later,) = of(read(taxii, taxii.own, OWNER), obj["id"])
    assert (later["id"], later["created"], later["count"]) == (found["id"], found["created"], 7)
    assert len(of(read(taxii, taxii.own, OWNER, version="all"), obj["id"])) == 2


def test_who_sent_a_sighting_reads_it_as_it_called_it(taxii: Taxii, desk: UUID) -> None:
    _, name = shared(taxii)
    seen = sighting(name)
    send(taxii, desk, seen)
    # The police hold no indicator of their own: nothing else stands in that collection.
    page = loaded(taxii.objects(desk, POLICE, limit=1000))["objects"]
    (found,) = of([each for each in page if each["type"] == "sighting"], name)
    assert (found["id"], found["modified"]) == (seen["id"], seen["modified"])
    assert {identity_id(POLICE), *found["object_marking_refs"]} <= {each["id"] for each in page}
    taxii.work()
    assert of(read(taxii, desk, POLICE), name) == [found]


def test_pages_of_one_hold_what_a_sighting_refers_to_before_it(taxii: Taxii, desk: UUID) -> None:
    _, name = shared(taxii)
    send(taxii, desk, sighting(name))
    whole = loaded(taxii.objects(desk, POLICE, limit=1000))["objects"]
    pages, following = [], None
    while True:
        page = loaded(taxii.objects(desk, POLICE, limit=1, next=following))
        pages += page.get("objects", [])
        following = page.get("next")
        if following is None:
            break
    assert [each["id"] for each in pages] == [each["id"] for each in whole]
    assert pages[-1]["type"] == "sighting"
    assert {identity_id(POLICE), *pages[-1]["object_marking_refs"]} <= {e["id"] for e in pages[:-1]}


def test_a_collection_opened_later_holds_sightings_too(taxii: Taxii, desk: UUID) -> None:
    obj, name = shared(taxii)
    seen = sighting(name)
    send(taxii, desk, seen)
    later = taxii.open(OWNER, CollectionKind.OWN).id
    other = taxii.open(POLICE, CollectionKind.OWN).id
    taxii.work()
    (at_owner,) = of(read(taxii, later, OWNER), obj["id"])
    (before,) = of(read(taxii, taxii.own, OWNER), obj["id"])
    assert at_owner["id"] != before["id"]
    assert [each["id"] for each in of(read(taxii, other, POLICE), name)] == [seen["id"]]


def test_sightings_go_with_their_indicator(taxii: Taxii, desk: UUID) -> None:
    obj, name = shared(taxii)
    seen = sighting(name)
    send(taxii, desk, seen)
    (at_owner,) = of(read(taxii, taxii.own, OWNER), obj["id"])
    taxii.status(changed(obj, revoked=True))
    wanted = select(ExchangeEntry).where(ExchangeEntry.stix_id.in_([seen["id"], at_owner["id"]]))
    assert taxii.exchange.rows(wanted) == []
    taxii.work()
    assert taxii.exchange.rows(wanted) == []
    assert of(read(taxii, taxii.own, OWNER, version="all"), obj["id"]) == []
    assert of(read(taxii, desk, POLICE, version="all"), name) == []


def test_what_is_taken_back_is_revoked_where_it_was(taxii: Taxii, desk: UUID) -> None:
    obj, name = shared(taxii)
    quiet = taxii.open(OWNER, CollectionKind.OWN, with_revoked=False).id
    seen = sighting(name)
    send(taxii, desk, seen)
    assert of(read(taxii, quiet, OWNER), obj["id"])
    send(taxii, desk, changed(seen, 9, revoked=True))
    for collection, code, sighted in ((taxii.own, OWNER, obj["id"]), (desk, POLICE, name)):
        (found,) = of(read(taxii, collection, code, version="all"), sighted)
        assert found["revoked"] is True
        assert "count" not in found
        stix2.parse(found, allow_custom=False)
    assert of(read(taxii, quiet, OWNER, version="all"), obj["id"]) == []
    assert (
        taxii.exchange.rows(select(ExchangeSighting).where(ExchangeSighting.stix_id == seen["id"]))
        == []
    )


def test_what_was_sighted_never_changes(taxii: Taxii, desk: UUID) -> None:
    (_, first), (_, second) = shared(taxii), shared(taxii)
    seen = sighting(first)
    send(taxii, desk, seen)
    assert "cannot change" in reason(send(taxii, desk, changed(seen, sighting_of_ref=second)))
    assert of(read(taxii, desk, POLICE), second) == []


def test_a_sighting_of_ones_own_is_read_once_and_tells_nobody(taxii: Taxii) -> None:
    obj, _ = shared(taxii)
    seen = sighting(obj["id"])
    taxii.status(seen)
    taxii.work()
    assert [each["id"] for each in of(read(taxii, taxii.own, OWNER), obj["id"])] == [seen["id"]]
    assert told(taxii) == []


def test_people_of_the_owner_are_told_once_of_an_indicator_and_day(
    taxii: Taxii, desk: UUID
) -> None:
    (_, first), (_, second) = shared(taxii), shared(taxii)
    send(taxii, desk, sighting(first), sighting(first), sighting(second))
    send(taxii, desk, sighting(first))
    notices = told(taxii)
    assert [each.role for each in notices] == [Role.SUBMITTER, Role.ANALYST] * 2
    owner = taxii.exchange.organisation_id(OWNER)
    assert {each.organisation_id for each in notices} == {owner}
    assert {each.facts["organisation"] for each in notices} == {POLICE}
    assert len({each.facts["indicator"] for each in notices}) == 2
    with taxii.exchange.database.transaction() as session:
        for each in session.scalars(select(Notification)):
            each.made_at -= timedelta(days=1)
    send(taxii, desk, sighting(first))
    assert len(told(taxii)) == 6


def test_an_owner_that_is_not_to_be_told_gets_nothing_of_it(taxii: Taxii, desk: UUID) -> None:
    obj, name = shared(taxii)
    taxii.exchange.publish(OWNER, OPEN_TO_POLICE + REQUESTER_ONLY)
    try:
        send(taxii, desk, sighting(name))
        assert told(taxii) == []
        assert of(read(taxii, taxii.own, OWNER, version="all"), obj["id"]) == []
        later = taxii.open(OWNER, CollectionKind.OWN).id
        taxii.work()
        assert of(read(taxii, later, OWNER, version="all"), obj["id"]) == []
        assert len(of(read(taxii, desk, POLICE), name)) == 1
    finally:
        taxii.exchange.publish(OWNER, OPEN_TO_POLICE)
