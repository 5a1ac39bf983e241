"""The room's schemas promise what they promised: a client is not surprised by a change."""

from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from marshmallow import ValidationError

from app.sharing.draft_schemas import DraftContentSchema, DraftSummarySchema
from app.sharing.history import KeptVersion, VersionState
from app.sharing.rule_schemas import to_form
from app.sharing.rules import Rule
from app.sharing.schemas import PolicyVersionSchema
from tests.app.sharing.test_history import HELD
from tests.app.sharing.wire import described, every_schema

PROMISED = Path(__file__).parent.parent.parent / "data" / "sharing-wire.txt"


def test_what_is_promised_on_the_wire_changes_on_purpose_only() -> None:
    # After a change on purpose: python -m tests.app.sharing.wire > tests/data/sharing-wire.txt
    assert described() == PROMISED.read_text("utf-8")


def test_every_field_says_what_it_is() -> None:
    untold = [
        f"{schema.__name__}.{name}"
        for schema in every_schema()
        for name, field in schema().fields.items()
        if not schema.__name__.startswith("_")
        and not field.metadata.get("description", "").endswith(".")
    ]
    assert untold == []


def test_a_version_leaves_as_it_was_stored() -> None:
    form = to_form([Rule(name="a", label="A")])
    kept = replace(HELD, form=form, sha256=b"\x01\xff")
    told = PolicyVersionSchema().dump(KeptVersion(kept, VersionState.IN_FORCE, None))
    assert told["rules"] is form
    assert (told["sha256"], told["version"], told["state"]) == ("01ff", 2, "in_force")
    assert told["valid_from"] == HELD.valid_from.isoformat()
    by_hand = KeptVersion(replace(kept, form=None), VersionState.PAST, None)
    assert PolicyVersionSchema().dump(by_hand)["rules"] is None


@pytest.mark.parametrize("content", [{}, {"text": "", "rules": []}, {"text": None}])
def test_a_draft_is_a_text_or_a_form(content: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as refusal:
        DraftContentSchema().load({"title": "A change", **content})
    assert refusal.value.messages == {"text": ["Send either a text or rules."]}
    whole: list[dict[str, Any]] = [{"text": ""}, {"rules": []}, {"text": "", "rules": None}]
    for one in whole:
        DraftContentSchema().load({"title": "A change", **one})


def test_who_wrote_a_draft_is_told_in_a_fixed_order() -> None:
    ann, bob = UUID(int=1), UUID(int=2)
    field = DraftSummarySchema().fields["authors"]
    assert field.serialize("authors", {"authors": frozenset({bob, ann})}) == [str(ann), str(bob)]
