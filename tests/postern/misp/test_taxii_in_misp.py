"""What MISP's own converter makes of the objects that TAXII gives, as docs/misp.md says it."""

import importlib
import json
from collections.abc import Iterable
from typing import Any

import pytest
import stix2

from postern.stix.records import EndedRecord, Entry
from postern.stix.writing import bundle_text, objects_of, revoked
from postern.vocabulary import Kind
from tests.postern.misp.shared import record

# What the converter is made of is not ours: it is imported where its warnings are let pass.
pytestmark = pytest.mark.filterwarnings("ignore")


def converted(entries: Iterable[Entry]) -> Any:
    texts = {each.id: each.text for each in entries}
    parser = importlib.import_module("misp_stix_converter").ExternalSTIX2toMISPParser()
    parser.load_stix_bundle(stix2.parse(json.loads(bundle_text(texts.values()))))
    parser.parse_stix_bundle(single_event=True)
    assert not parser.errors
    return parser.misp_event


@pytest.mark.parametrize("kind", [Kind.PARTY, Kind.VENDOR])
def test_an_indicator_becomes_an_account_with_its_first_token(kind: Kind) -> None:
    rendered = objects_of(record(kind))
    event = converted((*rendered.support, *rendered.own))
    (account,) = event.objects
    (token,) = account.attributes
    assert (account.name, token.object_relation) == ("user-account", "user-id")
    assert f"'{token.value}'" in json.loads(rendered.own[0].text)["pattern"]
    assert token.to_ids
    tags = {each.name for each in token.tags}
    assert "tlp:amber+strict" in tags
    assert 'misp:confidence-level="fairly-confident"' in tags
    assert not event.tags


def test_a_revoked_indicator_becomes_one_for_detection_all_the_same() -> None:
    gone = record()
    end = EndedRecord(gone.name, gone.created, gone.modified, gone.owner, gone.kind)
    (account,) = converted(revoked(end)).objects
    (left,) = account.attributes
    assert (left.value, left.to_ids) == ("withdrawn", True)
