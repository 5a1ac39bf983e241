"""What a search of the log found, counted: per act, purpose, person, organisation, level."""

import pytest

from app.audit import facets
from app.audit.facets import Facets
from app.audit.reading import Filters
from postern.vocabulary import Purpose
from tests.app.exchange import JAN, OPEN_TO_POLICE, SOPHIE, SOPHIE_TYPED, Exchange, report


def counted(exchange: Exchange, organisation: str, filters: Filters | None = None) -> Facets:
    with exchange.database.reading() as session:
        return facets.count(session, organisation, filters or Filters())


@pytest.fixture
def busy(exchange: Exchange) -> Exchange:
    exchange.submit("post-be", report("k1", exchange.indicator(SOPHIE)))
    exchange.publish("post-be", OPEN_TO_POLICE)
    exchange.ask("police-de", SOPHIE_TYPED)
    exchange.ask("police-de", JAN)
    return exchange


def test_what_fits_is_counted_by_each_facet(busy: Exchange) -> None:
    found = counted(busy, "police-de", Filters(act="lookup.ask"))
    assert (found.counted, found.is_cut) == (2, False)
    assert found.acts.values == (("lookup.ask", 2),)
    assert found.purposes.values == ((Purpose.CRIMINAL_INVESTIGATION.value, 2),)
    assert found.people.values == ((str(busy.caller("police-de").person), 2),)
    assert found.organisations.values == (("police-de", 2),)
    assert found.outcomes.values == (("ok", 2),)
    assert found.levels.values == ()


def test_an_owner_counts_levels_but_not_who_asked(busy: Exchange) -> None:
    found = counted(busy, "post-be", Filters(act="indicator.match"))
    assert found.counted == 1
    ((level, count),) = found.levels.values
    assert (level, count) == ("request", 1)
    assert found.people.values == ()


def test_entries_of_others_are_not_counted(busy: Exchange) -> None:
    assert counted(busy, "customs-nl", Filters(act="lookup.ask")).counted == 0


def test_only_the_newest_are_counted(busy: Exchange, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(facets, "MOST_COUNTED", 1)
    found = counted(busy, "police-de", Filters(act="lookup.ask"))
    assert (found.counted, found.is_cut) == (1, True)


def test_few_values_are_told_and_the_others_numbered(
    busy: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    everything = counted(busy, "post-be")
    monkeypatch.setattr(facets, "MOST_VALUES", 1)
    found = counted(busy, "post-be")
    assert found.acts.values == everything.acts.values[:1]
    assert found.acts.others == len(everything.acts.values) - 1 > 0
