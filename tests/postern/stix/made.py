"""Records, objects and strategies for tests of STIX."""

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import stix2
import stix2validator
from hypothesis import strategies as st

from postern.normalise import Flag
from postern.stix.names import new_name
from postern.stix.records import Entry, IndicatorRecord, OwnerRecord, ReportRecord
from postern.stix.schema import SHIPMENT_WORDS, facets_of
from postern.stix.tokens import exchange_token, reference
from postern.vocabulary import (
    EVALUATION_KIND,
    INDICATOR_KINDS,
    Assertion,
    Handling,
    InformationGrade,
    Kind,
    Learned,
    LegalBasis,
    Level,
    PartyRole,
    PermittedAction,
    Purpose,
    Sector,
    SourceGrade,
    SubjectCategory,
    Tlp,
)

KEY = bytes(range(32))
CREATED = datetime(2026, 11, 24, 7, 0, 0, 123_456, tzinfo=UTC)
LATER = CREATED + timedelta(hours=2)
OWNER = OwnerRecord("post-be", 'Post "of" Belgium, 100 %', Sector.POST, "BE")
POINT = {"operator": "bpost", "code": "BXL 1/2", "country": "BE"}
ELEMENT = "A" * 43
OTHER_ELEMENT = "B" * 42 + "A"
UUID_REPORT = UUID("5f4f1d2e-0b5e-4f0a-9d0c-2d0a8f0f0a01")


def tokens(kind: Kind, epoch: int = 3) -> tuple[tuple[int, str], ...]:
    """A token of each facet that a kind has, two of the first."""
    numbers = facets_of(kind)
    return tuple(
        (number, exchange_token(KEY, kind, epoch, bytes([place] * 16)))
        for place, number in enumerate((numbers[0], *numbers))
    )


def record(kind: Kind = Kind.PARTY, **changed: Any) -> IndicatorRecord:
    """An indicator, with whatever a test wants otherwise."""
    is_point = kind is Kind.INDUCTION_POINT
    fields: dict[str, Any] = {
        "name": new_name(),
        "created": CREATED,
        "modified": LATER,
        "owner": OWNER,
        "report": ReportRecord(UUID_REPORT, 5, {"service": "letter", "hs_chapter": None}),
        "level": Level.METADATA,
        "kind": kind,
        "role": PartyRole.INDUCTION_POINT if is_point else PartyRole.SENDER,
        "subject_category": SubjectCategory.UNKNOWN,
        "assertion": Assertion.FACT,
        "source_grade": SourceGrade.B,
        "information_grade": InformationGrade.TWO,
        "learned": Learned.XRAY,
        "legal_basis": LegalBasis.POSTAL_LAW,
        "tlp": Tlp.AMBER,
        "handling": (Handling.H1,),
        "permitted_action": PermittedAction.WATCH,
        "review_on": date(2026, 12, 30),
        "expires_on": date(2027, 3, 1),
        "reference": reference(KEY, uuid4()),
        "epoch": 3 if kind in EVALUATION_KIND else 0,
        "tokens": None if is_point else tokens(kind),
        "place": POINT if is_point else None,
    }
    return IndicatorRecord(**{**fields, **changed})


def read(entry: Entry) -> dict[str, Any]:
    """The object of an entry."""
    found: dict[str, Any] = json.loads(entry.text)
    return found


def parse(content: Any) -> Any:
    """What the library of OASIS makes of it, when it allows nothing of one's own."""
    return stix2.parse(content, allow_custom=False)


def assert_valid(bundle: str, *, has_own_paths: bool = False) -> None:
    """Neither an error nor a warning of the validator of OASIS, at its strictest.

    With `strict_types` it refuses every path of one's own in patterns, as shipping patterns have.
    """
    options = stix2validator.ValidationOptions(
        version="2.1",
        strict=True,
        strict_types=not has_own_paths,
        strict_properties=True,
        enforce_refs=True,
    )
    found = stix2validator.validate_string(bundle, options)
    assert (found.is_valid, found.errors, found.warnings) == (True, [], [])


_DAYS = st.dates(date(2026, 11, 25), date(2036, 1, 1))
_MOMENTS = st.datetimes(
    datetime(2020, 1, 1),  # noqa: DTZ001 - hypothesis wants them naive
    datetime(2035, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)
_TEXTS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=30)
_NAMES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9 ._/-]{0,39}", fullmatch=True)


@st.composite
def records(draw: st.DrawFn) -> IndicatorRecord:
    """Any indicator that the closed lists allow."""
    kind = draw(st.sampled_from(INDICATOR_KINDS))
    created = draw(_MOMENTS)
    shipment = {
        name: draw(st.none() | st.sampled_from([word.value for word in words]))
        for name, words in SHIPMENT_WORDS.items()
    }
    place = {"operator": draw(_NAMES), "code": draw(_NAMES), "country": "BE"}
    has_tokens = kind in EVALUATION_KIND and draw(st.booleans())
    first, last = draw(st.none() | _DAYS), draw(st.none() | _DAYS)
    return record(
        kind,
        created=created,
        modified=created + draw(st.timedeltas(timedelta(), timedelta(days=400))),
        owner=OwnerRecord(
            draw(st.from_regex(r"[a-z0-9-]{2,40}", fullmatch=True)),
            draw(_TEXTS),
            draw(st.sampled_from(Sector)),
            "NL",
            draw(st.none() | _MOMENTS),
        ),
        report=ReportRecord(draw(st.uuids()), draw(st.none() | st.integers(1, 7)), shipment),
        level=draw(st.sampled_from([Level.METADATA, Level.REQUEST])),
        role=draw(st.sampled_from(PartyRole)),
        subject_category=draw(st.sampled_from(SubjectCategory)),
        assertion=draw(st.sampled_from(Assertion)),
        source_grade=draw(st.sampled_from(SourceGrade)),
        information_grade=draw(st.sampled_from(InformationGrade)),
        learned=draw(st.sampled_from(Learned)),
        legal_basis=draw(st.sampled_from(LegalBasis)),
        tlp=draw(st.sampled_from(Tlp)),
        handling=tuple(draw(st.sets(st.sampled_from(Handling)))),
        permitted_action=draw(st.sampled_from(PermittedAction)),
        quality=tuple(draw(st.sets(st.sampled_from([flag.value for flag in Flag]), max_size=3))),
        purposes=tuple(draw(st.sets(st.sampled_from(Purpose), max_size=2))),
        onward=draw(st.none() | st.booleans()),
        review_on=draw(_DAYS),
        expires_on=created.date() + draw(st.timedeltas(timedelta(), timedelta(days=3650))),
        observed_from=first,
        observed_to=last,
        tokens=tokens(kind) if has_tokens else None,
        place=place if kind is Kind.INDUCTION_POINT else None,
    )
