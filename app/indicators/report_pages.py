"""The pages on which an operator reports shipments: one in a form, many from a file.

Both work in the browser: values are normalised, blinded and sealed there and never come here. What
the pages send goes through the interface for programs. What can be seen without a script are the
closed lists, and the command on premises that does the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, render_template
from flask_babel import get_locale

from app.audit.guard import audited, caller, transaction
from app.audit.service import append
from app.indicators.report_words import MAPPINGS, report_words
from app.organisations.service import directory
from app.pseudonyms import service as pseudonyms
from app.runtime import runtime
from postern.columns import FIELDS, IGNORE
from postern.normalise.countries import ISO
from postern.vocabulary import (
    INDICATOR_KINDS,
    Assertion,
    Concealment,
    DeclaredCategory,
    Handling,
    InformationGrade,
    Learned,
    LegalBasis,
    Level,
    PartyRole,
    PermittedAction,
    Purpose,
    Role,
    Sector,
    Service,
    SourceGrade,
    SubjectCategory,
    Substance,
    Tlp,
    Told,
)

blueprint = Blueprint("reporting", __name__)

STEPS = tuple(range(1, 8))  # of the barrier model
LARGEST_FILE = 9_900_000  # bytes of an attachment, so that it fits into an envelope
MOST_FILES = 10

_SUBMITTERS = (Role.SUBMITTER,)


@dataclass(frozen=True, slots=True)
class Usual:
    """What an organisation of a sector says of most reports; "" where nothing is usual."""

    purpose: Purpose
    learned: Learned | str
    legal_basis: LegalBasis | str


_OPERATOR = Usual(Purpose.PARCEL_SCREENING, Learned.OUTSIDE_OF_ITEM, LegalBasis.POSTAL_LAW)
USUAL: dict[Sector, Usual] = {
    Sector.POST: _OPERATOR,
    Sector.COURIER: _OPERATOR,
    Sector.CUSTOMS: Usual(Purpose.CUSTOMS_CONTROL, Learned.CUSTOMS_CONTROL, LegalBasis.CUSTOMS_LAW),
    Sector.POLICE: Usual(Purpose.CRIMINAL_INTELLIGENCE, "", LegalBasis.POLICE_LAW),
    Sector.AUTHORITY: Usual(Purpose.RISK_ANALYSIS, "", LegalBasis.PUBLIC_TASK),
}
"""Chosen when a form opens; everything of it can be changed."""


@dataclass(frozen=True, slots=True)
class Country:
    code: str
    name: str


@blueprint.get("/reports/new")
@audited("report.list", roles=_SUBMITTERS)
def begin() -> str:
    """Show the form for one report."""
    return _page("indicators/report.html", "new")


@blueprint.get("/reports/upload")
@audited("report.list", roles=_SUBMITTERS)
def upload() -> str:
    """Show the place for a file of reports."""
    organisation_id, person_id = caller().member
    return _page(
        "indicators/upload.html",
        "upload",
        mappings=MAPPINGS,
        column_fields=FIELDS - {IGNORE},
        evaluations=pseudonyms.remaining(transaction(), organisation_id, person_id),
    )


def countries() -> Sequence[Country]:
    """Every country of ISO 3166-1 by its name in the language of the page."""
    locale = get_locale()
    names = locale.territories if locale else {}
    found = (Country(code.upper(), names.get(code.upper(), code.upper())) for code in ISO)
    return sorted(found, key=lambda country: country.name)


def _page(template: str, box: str, **more: Any) -> str:
    append(transaction(), caller(), "report.list", object_type="report", details={"box": box})
    member = directory(transaction())[caller().member[0]]
    settings = runtime().settings
    return render_template(
        template,
        usual=USUAL[member.sector],
        member=member,
        countries=countries(),
        lists=_LISTS,
        steps=STEPS,
        words_of_rows=report_words(),
        may_read_policy=bool(caller().roles & _POLICY_READERS),
        usual_days=settings.retention.indicator_days,
        longest_days=settings.retention.longest_indicator_days,
        largest_file=LARGEST_FILE,
        most_files=MOST_FILES,
        **more,
    )


_POLICY_READERS = frozenset({Role.POLICY_OWNER, Role.APPROVER, Role.COMPLIANCE})

_LISTS = {
    "assertion": list(Assertion),
    "concealment": list(Concealment),
    "declared_category": list(DeclaredCategory),
    "handling": list(Handling),
    "information": list(InformationGrade),
    "kind": list(INDICATOR_KINDS),
    "learned": list(Learned),
    "legal_basis": list(LegalBasis),
    "level": list(Level),
    "permitted_action": list(PermittedAction),
    "purpose": list(Purpose),
    "role": list(PartyRole),
    "service": list(Service),
    "source": list(SourceGrade),
    "subject_category": list(SubjectCategory),
    "substance": list(Substance),
    "tlp": list(Tlp),
    "told": list(Told),
}
