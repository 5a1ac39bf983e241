"""Pulling a collection: nothing lost, nothing twice, and on from where it was cut off."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from postern.taxii.client import Collection, TaxiiClient
from postern.taxii.errors import ServerBusyError, StalePlaceError
from postern.taxii.folder import Folder
from postern.taxii.index_rows import Taken
from postern.taxii.pulling import Pulling
from tests.postern.taxii.loopback_taxii import (
    COLLECTION,
    LoopbackTaxii,
    Reply,
    indicator,
    moment,
)

OBJECTS = f"/lab/collections/{COLLECTION}/objects/"
Makes = Callable[..., Pulling]


def names(folder: Folder) -> list[str]:
    found = [folder.content(kept) for kept in folder.kept()]
    return sorted(str(each["name"]) for each in found if each)


def numbered(*numbers: int) -> list[str]:
    return sorted(f"Indicator {number}" for number in numbers)


def test_everything_is_fetched_once_and_then_only_what_is_new(
    taxii: LoopbackTaxii, folder: Folder, collection: Collection, pulling: Makes
) -> None:
    taxii.put(*(indicator(number) for number in range(25)))
    first = pulling(is_exact=True).pull(collection)
    assert (first.taken, first.pages, first.is_resumed) == (Taken(fresh=25), 3, False)
    taxii.put(indicator(30), indicator(3, 9))
    second = pulling(is_exact=True).pull(collection)
    assert second.taken == Taken(fresh=1, changed=1)
    assert taxii.pages()[-1] == {"added_after": moment(25), "limit": "10"}
    assert pulling(is_exact=True).pull(collection).taken == Taken()
    assert names(folder) == numbered(*range(25), 30)


def test_a_pull_that_is_cut_off_goes_on_where_it_ended(
    taxii: LoopbackTaxii,
    client: TaxiiClient,
    folder: Folder,
    collection: Collection,
    pulling: Makes,
) -> None:
    taxii.put(*(indicator(number) for number in range(25)))
    left = [1]

    def fail() -> None:
        left[0] -= 1
        if left[0] < 0:
            taxii.replies[OBJECTS] = [Reply(503) for _ in range(6)]

    taxii.before_page = fail
    with pytest.raises(ServerBusyError):
        pulling().pull(collection)
    assert len(names(folder)) == 20
    taxii.before_page = lambda: None
    taxii.replies.clear()
    again = pulling().pull(collection)
    assert (again.is_resumed, again.pages, again.taken.known) == (True, 1, 0)
    assert names(folder) == numbered(*range(25))


def test_what_was_dated_before_it_was_seen_is_not_lost(
    taxii: LoopbackTaxii, folder: Folder, collection: Collection, pulling: Makes
) -> None:
    taxii.put(indicator(1), at=moment(400))
    pulling().pull(collection)
    taxii.put(indicator(2), at=moment(390))  # committed by a slower writer, after our poll
    assert pulling().pull(collection).taken == Taken(fresh=1, known=1)
    assert names(folder) == numbered(1, 2)


def test_an_exact_server_is_asked_nothing_twice(
    taxii: LoopbackTaxii, collection: Collection, pulling: Makes
) -> None:
    taxii.put(indicator(1))
    pulling(is_exact=True).pull(collection)
    assert pulling(is_exact=True).pull(collection).taken.known == 0
    assert taxii.pages()[-1]["added_after"] == moment(1)


@pytest.mark.parametrize("is_exact", [True, False])
def test_a_token_that_is_over_does_not_lose_a_page(
    taxii: LoopbackTaxii,
    folder: Folder,
    collection: Collection,
    pulling: Makes,
    is_exact: bool,
) -> None:
    taxii.put(*(indicator(number) for number in range(25)))
    taxii.stale.add(moment(10))
    pulled = pulling(is_exact=is_exact).pull(collection)
    assert names(folder) == numbered(*range(25))
    assert pulled.taken.known == (0 if is_exact else 10)


def test_a_server_that_refuses_every_token_of_its_own_ends_the_pull(
    taxii: LoopbackTaxii, folder: Folder, collection: Collection, pulling: Makes
) -> None:
    taxii.put(*(indicator(number) for number in range(25)))
    taxii.stale.update(moment(number) for number in range(30))
    with pytest.raises(StalePlaceError):
        pulling().pull(collection)
    assert len(names(folder)) == 20


def test_a_server_that_dates_nothing_is_believed_about_its_clock(
    taxii: LoopbackTaxii, folder: Folder, collection: Collection, pulling: Makes
) -> None:
    taxii.gives_dates = False
    taxii.put(indicator(1))
    pulling().pull(collection)
    (source,) = folder.sources()
    assert source.place.seen is not None
    told = datetime.fromisoformat(source.place.seen)
    assert abs((datetime.now(UTC) - told).total_seconds()) < 60


def test_comparing_finds_what_lacks_and_ends_what_is_gone(
    taxii: LoopbackTaxii, folder: Folder, collection: Collection, pulling: Makes
) -> None:
    taxii.put(*(indicator(number) for number in range(5)), at=moment(4000))
    pulling().pull(collection)
    taxii.entries.pop(0)
    for number in range(100, 130):  # long before what was seen, and beyond every overlap
        taxii.put(indicator(number), at=moment(number))
    pulled = pulling().pull(collection, compare=True)
    assert (pulled.taken.gone, pulled.fetched_missing, pulled.taken.fresh) == (1, 30, 30)
    assert names(folder) == numbered(*range(1, 5), *range(100, 130))
    quiet = pulling().pull(collection, compare=True)
    assert (quiet.taken.gone, quiet.fetched_missing) == (0, 0)


def test_comparing_does_not_ask_for_what_ended_here(
    taxii: LoopbackTaxii, folder: Folder, collection: Collection, pulling: Makes
) -> None:
    taxii.put(indicator(1, valid_until="2026-01-01T00:00:00Z"), indicator(2, revoked=True))
    pulled = pulling().pull(collection, compare=True)
    assert pulled.taken == Taken(expired=1, withdrawn=1)
    assert pulled.fetched_missing == 0


def test_a_withdrawal_reaches_the_folder(
    taxii: LoopbackTaxii, folder: Folder, collection: Collection, pulling: Makes
) -> None:
    taxii.put(indicator(1), indicator(2))
    pulling().pull(collection)
    taxii.put(indicator(1, 3, revoked=True))
    assert pulling(is_exact=True).pull(collection).taken == Taken(withdrawn=1)
    assert names(folder) == numbered(2)


def test_a_new_collection_may_begin_later(
    taxii: LoopbackTaxii, client: TaxiiClient, folder: Folder, collection: Collection
) -> None:
    taxii.put(indicator(1), indicator(2))
    pulling = Pulling(client, folder, is_exact=True, since=moment(1))
    assert pulling.pull(collection).taken == Taken(fresh=1)
    taxii.put(indicator(3))
    later = Pulling(client, folder, is_exact=True, since=moment(1))
    assert later.pull(collection).taken == Taken(fresh=1)
