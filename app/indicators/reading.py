"""From one report as it was sent to what is stored, or to the faults that refuse it.

Every item is read by itself, so that a wrong one comes back with its reasons and the others go in.
No fault quotes a value: neither what a user typed nor a field name that is not ours.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from marshmallow import ValidationError

from app.config import RetentionSettings
from app.indicators.kinds import FACETS_OF, ROLES_OF
from app.indicators.schemas import ReportSchema
from app.indicators.sealed_parts import NewEnvelope, Sealer, read_sealed
from app.organisations.envelope_checks import Misfit
from app.pseudonyms.rotation import Twin
from app.sharing.classes import ClassAttributes
from postern import group, normalise, pseudonym
from postern.facets import facets
from postern.vocabulary import (
    EVALUATION_KIND,
    HANDLING_AGAINST_TLP,
    EvaluationKind,
    Kind,
    SubjectCategory,
    Substance,
)

FIRST_DAY = date(1970, 1, 1)
_TOMORROW = timedelta(days=1)  # observers may live east of the platform
_CLEAR_EPOCH = 0


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a report is refused: the place, what is wrong there and what to do."""

    field: str
    reason: str
    remedy: str


@dataclass(frozen=True, slots=True)
class NewIndicator:
    """An indicator that may be stored, with what is sealed of it.

    `columns` are those of the table that no other row decides. `facets[i]` is the facet of
    `tokens[i]`. `elements` is what the vault keeps: for each, the facet in one byte and 32 bytes,
    under `sent_epoch`; empty for a place. While the key is rotated, `also_tokens[i]` is what
    `tokens[i]` is in the epoch `also_epoch` of the columns.
    """

    columns: dict[str, Any]
    share_class: ClassAttributes
    facets: tuple[int, ...]
    tokens: tuple[bytes, ...]
    elements: bytes
    sealed: tuple[NewEnvelope, ...] = ()
    sent_epoch: int = _CLEAR_EPOCH
    also_tokens: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class NewReport:
    """A report that may be stored; `content_hash` (32 bytes) tells a retry from another report.

    `other_hash` is what it would have been, sent in the other epochs of keys that are rotated.
    """

    client_key: str
    content_hash: bytes
    columns: dict[str, Any]
    indicators: tuple[NewIndicator, ...]
    other_hash: bytes | None = None


@dataclass(frozen=True)
class Rules:
    """What a report is read against: the day, the periods, the open epochs, the owner's keys."""

    today: date
    retention: RetentionSettings
    open_epoch: Callable[[EvaluationKind], int]
    sealer: Callable[[], Sealer]
    twin: Callable[[EvaluationKind, int], Twin | None] = lambda _kind, _epoch: None


def read_report(raw: Any, rules: Rules) -> NewReport | tuple[Fault, ...]:
    """The report of one item of a request, or all its faults (at least one)."""
    try:
        loaded = _SCHEMA.load(raw)
    except ValidationError as error:
        return tuple(_faults(error.messages))
    content_hash = _content_hash(loaded)
    shipment = loaded["shipment"] or {}
    columns = {name: shipment.get(name) for name in SHIPMENT_FIELDS}
    columns["barrier_step"] = loaded["barrier_step"]
    faults: list[Fault] = []
    indicators: list[NewIndicator] = []
    for place, fields in enumerate(loaded["indicators"]):
        found = [
            Fault(f"indicators.{place}.{fault.field}", fault.reason, fault.remedy)
            for fault in (*check_words(fields), *check_days(fields, rules.today, rules.retention))
        ]
        # Only what is otherwise right is worth the cost of its elements.
        read = () if found else _tokens(fields, rules, f"indicators.{place}")
        if isinstance(read, _Tokens):
            record = f"{loaded['client_key']}/{place}"
            sealed, misfits = _sealed(fields, read.tokens[0], record, rules)
            faults += [
                Fault(f"indicators.{place}.sealed.{part}", why.reason, why.remedy)
                for part, why in misfits
            ]
            new = _indicator(fields, columns, read, rules)
            indicators.append(replace(new, sealed=sealed) if sealed else new)
        else:
            faults += found or read
    if faults:
        return tuple(faults)
    other_hash = _other_hash(loaded, rules)
    return NewReport(loaded["client_key"], content_hash, columns, tuple(indicators), other_hash)


def client_key(raw: Any) -> str | None:
    """The key of an item if it has a valid one, refused or not."""
    key = raw.get("client_key") if isinstance(raw, dict) else None
    if not isinstance(key, str) or _SCHEMA.validate({"client_key": key}, partial=True):
        return None
    return key


@dataclass(frozen=True, slots=True)
class _Tokens:
    facets: tuple[int, ...]
    tokens: tuple[bytes, ...]
    elements: bytes
    flags: tuple[str, ...] = ()
    also_epoch: int | None = None
    also_tokens: tuple[bytes, ...] = ()


def _other_hash(loaded: Mapping[str, Any], rules: Rules) -> bytes | None:
    """The hash of the same content with its values in the other epochs; None without a rotation.

    So a retry is known although the client went to the new epoch in between.
    """
    told, is_other = [], False
    for fields in loaded["indicators"]:
        kind = EVALUATION_KIND.get(fields["kind"])
        twin = None if kind is None else rules.twin(kind, fields["epoch"])
        if twin is None:
            told.append(fields)
            continue
        is_other = True
        moved = [(facet, group.mul(twin.factor, each)) for facet, each in fields["elements"]]
        told.append({**fields, "epoch": twin.epoch, "elements": moved})
    return _content_hash({**loaded, "indicators": told}) if is_other else None


def _content_hash(loaded: Mapping[str, Any]) -> bytes:
    # Before the defaults that depend on the day, so that a retry tomorrow says the same.
    digest = hashlib.sha256()
    told = [loaded["barrier_step"], _without_none(loaded["shipment"] or {})]
    for indicator in loaded["indicators"]:
        same = {name: indicator[name] for name in indicator if name not in _DIFFERENT}
        parts = sorted(_without_none(indicator["sealed"] or {}))
        if parts:
            # Sealing is random: that a part is sealed is the same in a retry, its bytes are not.
            same["sealed"] = parts
        told.append(same)
        for facet, element in indicator["elements"]:
            digest.update(bytes((facet,)) + element)
    digest.update(json.dumps(told, sort_keys=True, default=str).encode())
    return digest.digest()


def _without_none(mapping: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in mapping.items() if value is not None}


def check_words(fields: Mapping[str, Any]) -> Iterator[Fault]:
    """What contradicts itself in the words of an indicator."""
    kind = fields["kind"]
    if fields["role"] not in ROLES_OF[kind]:
        allowed = ", ".join(sorted(ROLES_OF[kind]))
        yield Fault("role", f"A {kind} cannot play this part.", f"Use one of: {allowed}.")
    handling = fields["handling"]
    if len(set(handling)) != len(handling):
        yield Fault("handling", "A code stands there twice.", "Name each code once.")
    contradicting = HANDLING_AGAINST_TLP[fields["tlp"]].intersection(handling)
    if contradicting:
        yield Fault(
            "handling",
            f"{', '.join(sorted(contradicting))} restricts what TLP:{fields['tlp']} sets free.",
            "Raise the TLP marking or leave the code out.",
        )
    if kind in _NOT_OF_PEOPLE and fields["subject_category"] is not SubjectCategory.UNKNOWN:
        yield Fault(
            "subject_category",
            f"A {kind} is not a person.",
            "Leave subject_category out, or put it on the indicator of the person.",
        )


def check_days(
    fields: Mapping[str, Any], today: date, retention: RetentionSettings
) -> Iterator[Fault]:
    """What is wrong with the days of an indicator; `expires_on` and `review_on` may be None."""
    start, end = fields["observed_from"], fields["observed_to"]
    for name in ("observed_from", "observed_to"):
        day = fields[name]
        if day is not None and not FIRST_DAY <= day <= today + _TOMORROW:
            yield Fault(name, "The day lies in the future or before 1970.", "Correct the day.")
    if start is not None and end is not None and start > end:
        yield Fault("observed_to", "It ends before it begins.", "Exchange the two days.")
    expires = fields["expires_on"]
    longest = retention.longest_indicator_days
    if expires is not None and not today < expires <= today + timedelta(days=longest):
        yield Fault(
            "expires_on",
            f"It is not within 1 to {longest} days from today.",
            "Choose a day in that period, or leave it out.",
        )
        return
    review = fields["review_on"]
    if review is not None:
        yield from check_review(review, _expires_on(fields, today, retention), today)


def check_review(review: date, expires: date, today: date) -> Iterator[Fault]:
    """What is wrong with the day on which an indicator is to be looked at again."""
    if not today <= review <= expires:
        yield Fault(
            "review_on",
            "It lies in the past or after the expiry.",
            "Choose a day from today until expires_on, or leave it out.",
        )


def _expires_on(fields: Mapping[str, Any], today: date, retention: RetentionSettings) -> date:
    chosen: date | None = fields["expires_on"]
    return chosen or today + timedelta(days=retention.indicator_days)


def _tokens(fields: Mapping[str, Any], rules: Rules, place: str) -> _Tokens | list[Fault]:
    kind = fields["kind"]
    if kind is Kind.INDUCTION_POINT:
        return _tokens_of_place(fields, place)
    elements = fields["elements"]
    if fields["place"] is not None or not elements:
        remedy = "Leave place out and send epoch and elements."
        return [Fault(f"{place}.elements", f"A {kind} is not sent in clear.", remedy)]
    evaluation_kind = EVALUATION_KIND[kind]
    twin = rules.twin(evaluation_kind, fields["epoch"])
    if twin is None and fields["epoch"] != rules.open_epoch(evaluation_kind):
        return [
            Fault(
                f"{place}.epoch",
                "That key epoch is not open.",
                "Fetch the key document again and evaluate the value with its newest epoch.",
            )
        ]
    read = _tokens_of_elements(kind, evaluation_kind, fields["epoch"], elements, place)
    if twin is None or not isinstance(read, _Tokens):
        return read
    also = tuple(
        pseudonym.token(evaluation_kind, twin.epoch, group.mul(twin.factor, element))
        for _, element in elements
    )
    return replace(read, also_epoch=twin.epoch, also_tokens=also)


def _tokens_of_elements(
    kind: Kind,
    evaluation_kind: EvaluationKind,
    epoch: int,
    elements: Iterable[tuple[int, bytes]],
    place: str,
) -> _Tokens | list[Fault]:
    known = FACETS_OF[kind]
    numbers: list[int] = []
    tokens: list[bytes] = []
    kept: list[bytes] = []
    faults: list[Fault] = []
    for position, (facet, element) in enumerate(elements):
        if facet not in known:
            remedy = f"Use the facets {', '.join(map(str, sorted(known)))}."
            reason = f"A {kind} has no facet of this number."
            faults.append(Fault(f"{place}.elements.{position}.facet", reason, remedy))
            continue
        try:
            tokens.append(pseudonym.token(evaluation_kind, epoch, element))
        except group.InvalidElementError:
            faults.append(
                Fault(
                    f"{place}.elements.{position}.element",
                    "It is not a canonical group element.",
                    "Evaluate the value again; if it happens again, update the client.",
                )
            )
            continue
        numbers.append(facet)
        kept += (bytes((facet,)), element)
    if not faults and len(set(tokens)) != len(tokens):
        remedy = "Send each element once."
        faults.append(Fault(f"{place}.elements", "An element stands there twice.", remedy))
    return faults or _Tokens(tuple(numbers), tuple(tokens), b"".join(kept))


def _tokens_of_place(fields: Mapping[str, Any], place: str) -> _Tokens | list[Fault]:
    point = fields["place"]
    if point is None or fields["elements"] or fields["epoch"] != _CLEAR_EPOCH:
        remedy = "Send place with operator, code and country, and neither epoch nor elements."
        return [Fault(f"{place}.place", "An induction point is sent in clear.", remedy)]
    try:
        normalised = normalise.normalise(normalise.InductionPoint(**point))
    except normalise.NormalisationError as error:
        return [Fault(f"{place}.place.{error.field}", error.reason, error.remedy)]
    found = facets(normalised)
    return _Tokens(
        tuple(facet.number for facet in found),
        tuple(pseudonym.clear_token(Kind.INDUCTION_POINT, facet.text) for facet in found),
        b"",
        normalised.flags,
    )


def _sealed(
    fields: Mapping[str, Any], token: bytes, record: str, rules: Rules
) -> tuple[tuple[NewEnvelope, ...], list[tuple[str, Misfit]]]:
    """The envelopes of an indicator, and what is wrong with those that are refused, by part."""
    if not fields["sealed"]:
        return (), []
    read = list(read_sealed(fields, token, record, rules.sealer()))
    fitting = tuple(each for each in read if isinstance(each, NewEnvelope))
    return fitting, [each for each in read if not isinstance(each, NewEnvelope)]


def _indicator(
    fields: Mapping[str, Any], report: Mapping[str, Any], read: _Tokens, rules: Rules
) -> NewIndicator:
    expires_on = _expires_on(fields, rules.today, rules.retention)
    seen = fields["observed_to"] or fields["observed_from"] or rules.today
    columns = {name: fields[name] for name in _COLUMNS}
    columns["handling"] = sorted(fields["handling"])
    columns["quality"] = sorted({*fields["quality"], *read.flags})
    columns["seen_day"] = (min(seen, rules.today) - FIRST_DAY).days
    columns["expires_on"] = expires_on
    columns["review_on"] = fields["review_on"] or rules.today + (expires_on - rules.today) / 2
    share_class = ClassAttributes(
        kind=fields["kind"],
        role=fields["role"],
        tlp=fields["tlp"],
        handling=frozenset(fields["handling"]),
        source_grade=fields["source_grade"],
        information_grade=fields["information_grade"],
        assertion=fields["assertion"],
        permitted_action=fields["permitted_action"],
        barrier_step=report["barrier_step"] or 0,
        substance=report["substance"] or Substance.UNKNOWN,
    )
    tokens, also = read.tokens, read.also_tokens
    columns["also_epoch"] = read.also_epoch
    if read.also_epoch is not None and fields["kind"] in EVALUATION_KIND:
        newest = rules.open_epoch(EVALUATION_KIND[fields["kind"]])
        if fields["epoch"] != newest:  # sent in the old epoch although the new one is open
            columns["epoch"], columns["also_epoch"] = newest, fields["epoch"]
            tokens, also = also, tokens
    return NewIndicator(
        columns,
        share_class,
        read.facets,
        tokens,
        read.elements,
        sent_epoch=fields["epoch"],
        also_tokens=also,
    )


def _faults(messages: Any, place: str = "") -> Iterator[Fault]:
    """Marshmallow's messages, flattened; a key that is not a field of ours is not repeated."""
    if isinstance(messages, Mapping):
        for key, inner in messages.items():
            if key == "_schema" or inner == [_UNKNOWN]:
                yield from _faults(inner, place)
            else:
                yield from _faults(inner, f"{place}.{key}" if place else str(key))
        return
    for message in messages if isinstance(messages, list) else [messages]:
        reason, _, remedy = str(message).partition("\n")
        yield Fault(place, reason, remedy or _REMEDIES.get(reason, _REMEDY))


SHIPMENT_FIELDS = (
    "origin_country",
    "destination_country",
    "service",
    "weight_band",
    "value_band",
    "declared_category",
    "hs_chapter",
    "concealment",
    "substance",
)
"""Columns of a report that the wire gathers under `shipment`."""

_COLUMNS = (
    "kind",
    "role",
    "subject_category",
    "assertion",
    "source_grade",
    "information_grade",
    "learned",
    "legal_basis",
    "tlp",
    "permitted_action",
    "observed_from",
    "observed_to",
    "epoch",
    "place",
)

_DIFFERENT = frozenset({"elements", "sealed"})
"""Members of an indicator that its content hash takes in apart."""

_NOT_OF_PEOPLE = frozenset({Kind.INDUCTION_POINT, Kind.ITEM})
_UNKNOWN = "Unknown field."
_REMEDY = "Correct it; docs/reports.md says what each field may hold."
_REMEDIES = {
    _UNKNOWN: "Remove it; docs/reports.md lists the fields.",
    "Missing data for required field.": "Add the field.",
    "Field may not be null.": "Leave the field out or give it a value.",
    "Not a valid date.": "Write the day as YYYY-MM-DD.",
    "Not a valid integer.": "Write a whole number without quotation marks.",
}

_SCHEMA = ReportSchema()
