"""What a form of rules looks like on the wire and in the database.

A form is stored as it travels. Whoever reads one gets `Rule`s, or every fault by its place.
"""

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from marshmallow import (
    RAISE,
    Schema,
    ValidationError,
    fields,
    post_load,
    validate,
    validates_schema,
)

from app.errors import InvalidRequestError
from app.fields import plain_text
from app.problems import places
from app.sharing.rules import AGE_LIMITS, SUFFIXES, Effect, Rule, contradictions
from postern.normalise.countries import country_code
from postern.vocabulary import (
    Assertion,
    Handling,
    InformationGrade,
    Kind,
    LegalBasis,
    Level,
    PartyRole,
    PermittedAction,
    Purpose,
    Role,
    Sector,
    SourceGrade,
    Substance,
    Tlp,
    Told,
)

MOST_RULES = 100
LONGEST_LIST = 250  # organisations or communities of one rule
LONGEST_LABEL = 200  # characters

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_CODE = re.compile(r"[a-z0-9-]{2,40}")
_LAST_BARRIER_STEP = 7


def to_form(rules: Sequence[Rule]) -> list[dict[str, Any]]:
    """The form as JSON, every parameter written out."""
    form: list[dict[str, Any]] = RuleSchema(many=True).dump(rules)
    return form


def from_form(form: Sequence[Mapping[str, Any]]) -> list[Rule]:
    """The rules of a form; parameters that are left out are as in `Rule`.

    InvalidRequestError lists every fault by its place, such as `rules.2.countries.0`. That the
    organisations and communities named exist is found by `service.check` on the text made.
    """
    try:
        loaded = _FormSchema().load({"rules": form})
    except ValidationError as error:
        raise InvalidRequestError(errors=places(error.messages)) from None
    rules: list[Rule] = loaded["rules"]
    return rules


def _name(name: str) -> None:
    if not _NAME.fullmatch(name) or name.endswith(SUFFIXES):
        raise ValidationError(
            "Write up to 40 lower-case letters, digits and hyphens, "
            f"not ending in {' or '.join(SUFFIXES)}."
        )


def _country(code: str) -> None:
    if not code.isupper() or country_code(code) != (code.lower(), []):
        raise ValidationError("Use an ISO 3166-1 code of two capital letters, such as NL.")


def _code(code: str) -> None:
    if not _CODE.fullmatch(code):
        raise ValidationError("Write the code: lower-case letters, digits and hyphens.")


def _any_of(values: type[StrEnum], description: str) -> fields.Field[Any]:
    return fields.List(
        fields.Enum(values, by_value=True),
        load_default=(),
        validate=validate.Length(max=len(values)),
        metadata={"description": description},
    )


def _codes(check: Any, description: str) -> fields.Field[Any]:
    return fields.List(
        fields.String(validate=check),
        load_default=(),
        validate=validate.Length(max=LONGEST_LIST),
        metadata={"description": description},
    )


def _flag(description: str) -> fields.Field[Any]:
    return fields.Boolean(
        truthy={True}, falsy={False}, load_default=False, metadata={"description": description}
    )


def _level(description: str) -> fields.Field[Any]:
    return fields.Enum(
        Level,
        by_value=True,
        load_default=None,
        metadata={"description": description},
    )


def _age(description: str) -> fields.Field[Any]:
    return fields.Integer(
        strict=True,
        load_default=None,
        validate=validate.OneOf(AGE_LIMITS),
        metadata={"description": description},
    )


class RuleSchema(Schema):
    """One rule of a form; an empty list means any, and several lists must all be met."""

    class Meta:
        unknown = RAISE

    name = fields.String(
        required=True,
        validate=_name,
        metadata={
            "description": "Short name, up to 40 lower-case letters, digits and hyphens; "
            "with the organisation's code before it, it names the rule in every explanation."
        },
    )
    label = fields.String(
        required=True,
        validate=[
            validate.Length(min=1, max=LONGEST_LABEL),
            validate.Regexp(r".*\S", error="Write one sentence."),
            plain_text,
        ],
        metadata={"description": "What the rule does, in one sentence of up to 200 characters."},
    )
    effect = fields.Enum(
        Effect,
        by_value=True,
        load_default=Effect.PERMIT,
        metadata={"description": "Whether the rule lets out or keeps back; forbid wins."},
    )

    sectors = _any_of(Sector, "Sectors of those who ask.")
    countries = _codes(_country, "Countries of those who ask: ISO 3166-1 codes in capitals.")
    communities = _codes(_code, "Codes of communities to one of which those who ask belong.")
    organisations = _codes(_code, "Codes of the organisations that ask.")
    roles = _any_of(Role, "Roles of those who ask; lookups are made by analysts.")
    everybody_else = _flag(
        "Whether a rule that forbids is about everybody but those named by the five lists above."
    )

    purposes = _any_of(Purpose, "Why it is asked.")
    legal_bases = _any_of(LegalBasis, "Under which kind of law it is asked.")

    kinds = _any_of(Kind, "What the records are indicators of.")
    party_roles = _any_of(PartyRole, "The part that the thing indicated plays in the shipment.")
    tlp = _any_of(Tlp, "Markings of the records.")
    handling = _any_of(Handling, "Only records that carry at least one of these handling codes.")
    handling_without = _any_of(
        Handling, "Only records that carry none of these handling codes; empty leaves none out."
    )
    source_grades = _any_of(SourceGrade, "Reliability of the source; X was not assessed.")
    information_grades = _any_of(
        InformationGrade, "Accuracy of the information; 4 was not assessed."
    )
    assertion = fields.Enum(
        Assertion,
        by_value=True,
        load_default=None,
        metadata={"description": "Only facts, or only assessments; null for both."},
    )
    permitted_actions = _any_of(PermittedAction, "How far the records let their recipients go.")
    barrier_steps = fields.List(
        fields.Integer(strict=True, validate=validate.Range(0, _LAST_BARRIER_STEP)),
        load_default=(),
        validate=validate.Length(max=_LAST_BARRIER_STEP + 1),
        metadata={"description": "Steps of the barrier model, 1 to 7; 0 where none is named."},
    )
    substances = _any_of(Substance, "What was found or is suspected.")
    newer_than = _age("Only records younger than so many days; null for any age.")
    older_than = _age("Only records so many days old or older; null for any age.")

    level = _level("What a rule that permits lets out, with all levels before it; null for none.")
    keeps = _level(
        "From which level on a rule that forbids keeps back: presence keeps everything, metadata "
        "all but the answer that something is known; null for no level."
    )
    screen = _flag("Whether the rule is about filters matched against parcels (needs presence).")
    feed = _flag("Whether it is about lists, counts, exports and feeds (needs metadata).")
    onward_to = _any_of(
        Sector, "Whether it is about passing on to these sectors (needs metadata); empty: no."
    )
    told = fields.Enum(
        Told,
        by_value=True,
        load_default=Told.BOTH,
        metadata={
            "description": "Who is told of a hit. With owner_only the reader gets nothing; with "
            "requester_only you are not told of hits that the rule is about."
        },
    )

    @validates_schema
    def _go_together(self, loaded: dict[str, Any], **_: Any) -> None:
        faults: dict[str, list[str]] = {}
        for field, sentence in contradictions(_rule(loaded)):
            faults.setdefault(field, []).append(sentence)
        if faults:
            raise ValidationError(faults)

    @post_load
    def _make(self, loaded: dict[str, Any], **_: Any) -> Rule:
        return _rule(loaded)


class _FormSchema(Schema):
    """A form of rules; their names differ."""

    class Meta:
        unknown = RAISE

    rules = fields.List(
        fields.Nested(RuleSchema), required=True, validate=validate.Length(max=MOST_RULES)
    )

    @validates_schema
    def _names_differ(self, loaded: dict[str, Any], **_: Any) -> None:
        names = [rule.name for rule in loaded["rules"]]
        faults = {
            place: {"name": ["Another rule has this name."]}
            for place, name in enumerate(names)
            if name in names[:place]
        }
        if faults:
            raise ValidationError({"rules": faults})


def _rule(loaded: Mapping[str, Any]) -> Rule:
    """Lists as tuples, each value once and in a fixed order, so that equal forms are equal."""
    parameters: dict[str, Any] = {
        name: tuple(sorted(set(value), key=_place)) if isinstance(value, list) else value
        for name, value in loaded.items()
    }
    return Rule(**parameters)


def _place(value: StrEnum | str | int) -> Any:
    return list(type(value)).index(value) if isinstance(value, StrEnum) else value
