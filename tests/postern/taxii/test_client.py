"""The typed client: what a server says of itself, pages, manifests, sending and removing."""

import json
from typing import Any

import pytest

from postern.taxii.client import (
    Collection,
    Place,
    TaxiiClient,
    found_collection,
)
from postern.taxii.connection import Access, Connection
from postern.taxii.errors import (
    BodyRefusedError,
    NoProgressError,
    NotTaxiiError,
    NotThereError,
    ServerAnswerError,
    ServerRefusedError,
    StalePlaceError,
)
from postern.taxii.moments import earlier_by, later, sortable
from tests.postern.taxii.loopback_taxii import (
    COLLECTION,
    STATUS,
    LoopbackTaxii,
    Reply,
    indicator,
    moment,
)

OBJECTS = f"/lab/collections/{COLLECTION}/objects/"


def test_discovery_says_who_it_is_and_whether_its_dates_are_exact(
    taxii: LoopbackTaxii, client: TaxiiClient
) -> None:
    found = client.discovery()
    assert (found.title, found.contact, found.is_exact) == ("Lab", "lab", False)
    taxii.is_exact = True
    assert client.discovery().is_exact


def test_the_address_may_be_that_of_an_api_root(taxii: LoopbackTaxii) -> None:
    root = taxii.address.replace("/taxii2/", "/lab/")
    client = TaxiiClient(Connection(root, Access()))
    (found,) = client.every_collection()
    assert (found.id, found.address) == (COLLECTION, f"{root}collections/{COLLECTION}/")


def test_only_a_default_root_is_one_as_well(taxii: LoopbackTaxii, client: TaxiiClient) -> None:
    taxii.discovery = {"title": "Lab", "default": "/lab/"}
    assert len(client.every_collection()) == 1


@pytest.mark.parametrize("told", [{"hello": "world"}, {"detail": "x"}])
def test_another_json_service_is_no_taxii_server(
    taxii: LoopbackTaxii, client: TaxiiClient, told: dict[str, Any]
) -> None:
    taxii.discovery = told
    with pytest.raises(NotTaxiiError):
        client.discovery()


@pytest.mark.parametrize("roots", ["/lab/", [1], {"a": 1}, None, ["x"] * 20_000])
def test_roots_that_are_no_list_of_addresses_are_refused(
    taxii: LoopbackTaxii, client: TaxiiClient, roots: object
) -> None:
    taxii.discovery = {"api_roots": roots, "hello": 1}
    with pytest.raises((ServerAnswerError, NotTaxiiError)):
        client.discovery()


@pytest.mark.parametrize(
    "collections",
    ["x", [1], [{"title": "no id"}], [{"id": 3}], [{"id": "a", "media_types": [3]}]],
)
def test_collections_that_are_none_are_refused(
    taxii: LoopbackTaxii, client: TaxiiClient, collections: Any
) -> None:
    taxii.collections = collections
    with pytest.raises(ServerAnswerError):
        client.every_collection()


def test_rights_that_are_not_told_are_not_there(taxii: LoopbackTaxii, client: TaxiiClient) -> None:
    taxii.collections = [{"id": "a", "title": "A\x1b", "can_read": "yes"}]
    (found,) = client.every_collection()
    assert (found.can_read, found.can_write, found.title) == (False, False, "A ")


def test_a_collection_is_named_by_id_alias_or_title(collection: Collection) -> None:
    for named in (COLLECTION.upper(), "parcels", "Parcels"):
        assert found_collection([collection], named) == collection
    with pytest.raises(NotThereError):
        found_collection([collection], "parcel")
    with pytest.raises(NotThereError):
        found_collection([collection, collection], "Parcels")


@pytest.mark.parametrize("gives_next", [True, False])
def test_pages_follow_each_other_to_the_end(
    taxii: LoopbackTaxii, client: TaxiiClient, collection: Collection, gives_next: bool
) -> None:
    taxii.gives_next = gives_next
    taxii.put(*(indicator(number) for number in range(25)))
    place, found, more = Place(), [], True
    while more:
        page = client.page(collection, place, {}, limit=10)
        found += [each["name"] for each in page.objects]
        place, more = page.place, page.more
    assert found == [f"Indicator {number}" for number in range(25)]
    assert place.seen == moment(25)
    assert place.anew() == Place(after=moment(25), seen=moment(25))
    assert not client.page(collection, place.anew(), {}).objects


def test_next_goes_together_with_the_date_that_it_belongs_to(
    taxii: LoopbackTaxii, client: TaxiiClient, collection: Collection
) -> None:
    taxii.put(*(indicator(number) for number in range(5)))
    page = client.page(collection, Place(after=moment(1)), {"match[type]": "indicator"}, limit=2)
    client.page(collection, page.place, {"match[type]": "indicator"}, limit=2)
    assert taxii.pages()[-1] == {
        "added_after": moment(1),
        "next": moment(3),
        "limit": "2",
        "match[type]": "indicator",
    }


def test_a_token_that_is_over_is_told_apart_from_a_bad_request(
    taxii: LoopbackTaxii, client: TaxiiClient, collection: Collection
) -> None:
    taxii.stale.add("old")
    with pytest.raises(StalePlaceError):
        client.page(collection, Place(next="old"), {})
    taxii.replies[OBJECTS] = [Reply(400)]
    with pytest.raises(ServerRefusedError):
        client.page(collection, Place(after=moment(1)), {})


@pytest.mark.parametrize(
    ("content", "headers"),
    [
        ({"more": True}, {}),
        ({"more": True, "objects": [{}]}, {}),
        ({"more": True, "objects": [{}]}, {"X-TAXII-Date-Added-Last": "yesterday"}),
        ({"more": True, "objects": [{}]}, {"X-TAXII-Date-Added-Last": moment(3)}),
        ({"more": True, "next": "same"}, {}),
    ],
)
def test_a_server_that_announces_more_without_a_way_ends_the_reading(
    taxii: LoopbackTaxii,
    client: TaxiiClient,
    collection: Collection,
    content: dict[str, Any],
    headers: dict[str, str],
) -> None:
    taxii.replies[OBJECTS] = [Reply(200, content, headers)]
    with pytest.raises(NoProgressError):
        client.page(collection, Place(after=moment(3), next="same"), {})


@pytest.mark.parametrize("content", [{"objects": {}}, {"objects": [], "more": True, "next": 3}])
def test_an_envelope_of_another_form_is_refused(
    taxii: LoopbackTaxii, client: TaxiiClient, collection: Collection, content: dict[str, Any]
) -> None:
    taxii.replies[OBJECTS] = [Reply(200, content)]
    with pytest.raises(ServerAnswerError):
        client.page(collection, Place(), {})


def test_the_first_date_stands_for_the_last_where_there_is_no_other(
    taxii: LoopbackTaxii, client: TaxiiClient, collection: Collection
) -> None:
    taxii.replies[OBJECTS] = [
        Reply(200, {"objects": [indicator(1)]}, {"X-TAXII-Date-Added-First": moment(1)})
    ]
    assert client.page(collection, Place(), {}).place.seen == moment(1)


@pytest.mark.parametrize("gives_next", [True, False])
def test_a_manifest_is_read_to_its_end(
    taxii: LoopbackTaxii, client: TaxiiClient, collection: Collection, gives_next: bool
) -> None:
    taxii.gives_next = gives_next
    taxii.put(*(indicator(number) for number in range(7)))
    found = list(client.manifest(collection, {}, limit=3))
    assert [each.date_added for each in found] == [moment(number) for number in range(1, 8)]
    assert found[0].version == indicator(0)["modified"]


def test_a_manifest_that_leads_in_a_circle_is_left(
    taxii: LoopbackTaxii, client: TaxiiClient, collection: Collection
) -> None:
    record = {"id": "a", "date_added": moment(1), "version": moment(1)}
    taxii.replies[OBJECTS.replace("objects", "manifest")] = [
        Reply(200, {"objects": [record], "more": True, "next": following})
        for following in ("one", "two", "one")
    ]
    with pytest.raises(NoProgressError):
        list(client.manifest(collection, {}))


@pytest.mark.parametrize("records", [3, [3], [{"id": "a"}], [{"id": 1, "version": "", "x": 3}]])
def test_a_manifest_of_another_form_is_refused(
    taxii: LoopbackTaxii, client: TaxiiClient, collection: Collection, records: object
) -> None:
    taxii.replies[OBJECTS.replace("objects", "manifest")] = [Reply(200, {"objects": records})]
    with pytest.raises(ServerAnswerError):
        list(client.manifest(collection, {}))


def test_what_is_sent_is_told_with_what_was_refused(
    taxii: LoopbackTaxii, client: TaxiiClient, collection: Collection
) -> None:
    (status,) = client.add(collection, [indicator(1), indicator(2, name="Refused")])
    assert (status.id, status.is_complete, status.successes, status.failed) == (STATUS, True, 1, 1)
    assert [(each.id, each.message) for each in status.failures] == [(indicator(2)["id"], "No.")]
    assert client.status(collection.root, STATUS).is_complete


def test_requests_are_as_large_as_the_root_takes_them(
    taxii: LoopbackTaxii, client: TaxiiClient
) -> None:
    taxii.largest = 2000
    collection = client.every_collection()[0]
    client.add(collection, [indicator(number) for number in range(20)])
    assert len(taxii.received) > 2
    assert [each for few in taxii.received for each in few] == [indicator(n) for n in range(20)]
    assert all(len(json.dumps({"objects": few}).encode()) < 2500 for few in taxii.received)


def test_a_server_that_takes_less_than_it_says_gets_halves(
    taxii: LoopbackTaxii, client: TaxiiClient, collection: Collection
) -> None:
    taxii.largest = 1200
    client.add(collection, [indicator(number) for number in range(9)])
    assert [each for few in taxii.received for each in few] == [indicator(n) for n in range(9)]
    taxii.largest = 10
    with pytest.raises(BodyRefusedError):
        client.add(collection, [indicator(1)])


@pytest.mark.parametrize(
    "told",
    [
        {"success_count": "1"},
        {"success_count": -1},
        {"failures": {}},
        {"failures": [3]},
    ],
)
def test_a_status_of_another_form_is_refused(
    taxii: LoopbackTaxii, client: TaxiiClient, collection: Collection, told: dict[str, Any]
) -> None:
    taxii.replies[OBJECTS] = [Reply(202, told)]
    with pytest.raises(ServerAnswerError):
        client.add(collection, [indicator(1)])


def test_an_object_is_removed_in_all_its_versions(
    taxii: LoopbackTaxii, client: TaxiiClient, collection: Collection
) -> None:
    client.delete(collection, "indicator--a/../b")
    assert taxii.deleted == ["indicator--a%2F..%2Fb {'match[version]': 'all'}"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2026-11-01T00:00:00Z", "2026-11-01T00:00:00.000Z"),
        ("2026-11-01T00:00:00.5Z", "2026-11-01T00:00:00.500000+00:00"),
        ("2026-12-31T23:59:60Z", "2026-12-31T23:59:60.0z"),
    ],
)
def test_moments_are_the_same_however_they_are_spelt(one: str, other: str) -> None:
    assert sortable(one) == sortable(other) is not None


@pytest.mark.parametrize(
    "text",
    ["", None, 3, "2026-11-01", "2026-13-01T00:00:00Z", "2026-11-01T00:00:00+01:00", "\uff19"],
)
def test_what_is_no_moment_is_none(text: object) -> None:
    assert sortable(text) is None


def test_the_later_of_two_moments_is_kept_as_it_stands() -> None:
    one, other = "2026-11-01T00:00:00.9Z", "2026-11-01T00:00:00.10Z"
    assert later(one, other) == later(other, one) == one
    assert later(None, one) == later(one, "never") == one
    assert later(None, None) is later("x", None) is None
    assert earlier_by(one, 60) == "2026-10-31T23:59:00.900000Z"
    with pytest.raises(ValueError, match="not a timestamp"):
        earlier_by("never", 1)
