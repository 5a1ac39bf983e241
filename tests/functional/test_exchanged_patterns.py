"""Shipping patterns over a real socket: by taxii2-client, in MISP, and to another organisation."""

import json
from datetime import datetime
from typing import Any

import pytest
import requests
import stix2
from sqlalchemy import select

from app.patterns import drafting
from app.patterns.models import PatternVersion, VersionState
from postern.stix.names import EXTENSIONS
from tests.app.exchange import OPEN_TO_POLICE, make_exchange, place
from tests.app.exchange_room.misp_instance import Instance, moving_clock
from tests.app.exchange_room.reading import Room
from tests.app.exchange_room.taxii_room import Taxii
from tests.app.patterns import writing
from tests.app.patterns.writing import document, next_version, published, shares
from tests.functional.conftest import Platform
from tests.functional.serving import PATIENCE
from tests.functional.test_taxii import named, root_of, token_of
from tests.postern.stix.made import assert_valid

PATTERN = EXTENSIONS["shipping-pattern"]
RULES = [f"5f4f1d2e-0b5e-4f0a-9d0c-2d0a8f0f0a0{number}" for number in range(2)]


@pytest.fixture
def taxii(platform: Platform) -> Taxii:
    made = Taxii(make_exchange(platform.app), platform.app.test_client())
    made.exchange.publish("post-be", OPEN_TO_POLICE + shares("post-be", "feed", "screen"))
    made.work()
    return made


def bundle_of(objects: list[dict[str, Any]]) -> str:
    """The last versions, as one bundle."""
    last = {each["id"]: each for each in objects}
    found = {"type": "bundle", "id": "bundle--0d1e7a3c-0000-4000-8000-000000000001"}
    return json.dumps({**found, "objects": list(last.values())})


def test_taxii2_client_gets_patterns_their_versions_and_their_end_and_may_pass_them_on(
    platform: Platform, taxii: Taxii
) -> None:
    patterns = [published(taxii.exchange, "post-be", document(each)) for each in RULES]
    Room(taxii.exchange).submit("post-be", place("BRU-1"))
    taxii.work()
    shared = named(root_of(platform.address, taxii, "police-de"), taxii.shared)
    first = shared.get_objects()["objects"]
    assert stix2.parse(bundle_of(first), allow_custom=False)
    assert_valid(bundle_of(first), has_own_paths=True)
    ruled = [each for each in first if PATTERN in each.get("extensions", {})]
    assert sorted(each["type"] for each in ruled) == ["attack-pattern"] * 2 + ["indicator"] * 2
    ways = shared.get_objects(type="attack-pattern")["objects"]
    assert {each["id"] for each in ways} <= {each["id"] for each in ruled}
    listed = shared.get_manifest()["objects"]
    assert [each["id"] for each in listed] == [each["id"] for each in first]
    newest = datetime.fromisoformat(listed[-1]["date_added"])

    next_version(taxii.exchange, "post-be", patterns[0], document(RULES[0], title="Again"))
    second = writing.second(taxii.exchange, "post-be")
    writing.act(taxii.exchange, drafting.deprecate, second, patterns[1], "Found nothing.")
    taxii.work()
    after = shared.get_objects(added_after=newest)["objects"]
    assert_valid(bundle_of([*first, *after]), has_own_paths=True)
    told = [each for each in after if each["type"] == "indicator"]
    assert [each["name"] for each in told if not each.get("revoked")] == ["Again"]
    (gone,) = [each for each in told if each.get("revoked")]
    assert gone["id"] in {each["id"] for each in ruled}
    (again,) = [each for each in told if not each.get("revoked")]
    assert len(shared.object_versions(again["id"])["versions"]) == 2

    own = named(root_of(platform.address, taxii, "post-be"), taxii.own)
    status = own.add_objects({"objects": [again]})  # as a platform of others would send it
    assert (status.success_count, status.failure_count) == (1, 0)


def test_misp_gets_patterns_as_objects_and_loses_what_ended(
    platform: Platform, taxii: Taxii, monkeypatch: pytest.MonkeyPatch
) -> None:
    pass_seconds = moving_clock(monkeypatch)
    pattern = published(taxii.exchange, "post-be", document(RULES[0]))
    taxii.work()

    def get(name: str) -> str:
        answer = requests.get(
            f"{platform.address}/misp/{taxii.shared}/{name}",
            headers={"Authorization": f"Bearer {token_of(taxii, 'police-de')}"},
            timeout=PATIENCE,
        )
        assert answer.ok, answer.text
        return answer.text

    instance = Instance(get)
    pass_seconds(2)
    instance.pull()
    assert [each["name"] for each in instance.living()] == ["postal-shipping-pattern"]
    assert instance.values("rule") == {document(RULES[0])}
    second = writing.second(taxii.exchange, "post-be")
    writing.act(taxii.exchange, drafting.deprecate, second, pattern, "Found nothing.")
    taxii.work()
    pass_seconds(2)
    instance.pull()
    assert instance.living() == []
    assert instance.values("rule") == set()


def test_a_pattern_of_another_organisation_is_proposed_when_it_is_added(
    platform: Platform, taxii: Taxii
) -> None:
    published(taxii.exchange, "post-be", document(RULES[0]))
    taxii.work()
    shared = named(root_of(platform.address, taxii, "police-de"), taxii.shared)
    objects = shared.get_objects()["objects"]
    mine = Room(taxii.exchange).own("customs-nl")
    own = named(root_of(platform.address, taxii, "customs-nl"), mine.id)
    status = own.add_objects({"objects": objects})
    assert (status.failure_count, status.success_count) == (0, len(objects))
    (version,) = taxii.exchange.rows(
        select(PatternVersion).where(PatternVersion.state == VersionState.PROPOSED)
    )
    assert version.text == document(RULES[0])
