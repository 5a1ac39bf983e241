"""How long details are kept: by the country of an organisation, until it chooses for itself.

The periods are whole calendar months, so that archives can forget a month by one key.
"""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.access import Caller
from app.audit import months
from app.audit.archive import Archivist
from app.audit.erasure import erase_before
from app.audit.models import AuditOrgKey, AuditRetention, RetentionRule
from app.audit.service import append
from app.errors import InvalidRequestError

DEFAULTS = Path(__file__).parent.parent.parent / "policies" / "retention.toml"

LONGEST = {RetentionRule.MONTHS: 360, RetentionRule.YEAR_END: 30}
"""The longest period of each rule, in months and in years."""

SOURCE_LENGTH = 200  # characters

_OTHER = "other"


@dataclass(frozen=True)
class Retention:
    """What holds for an organisation: its own choice, or the default of its country."""

    rule: RetentionRule
    length: int  # months or years, by the rule
    legal_source: str
    is_chosen: bool
    is_verified: bool = True  # of a default: whether somebody read the provision itself

    def month(self, at: datetime) -> int:
        """The number of the month before whose beginning details are erased at a moment."""
        present = months.number_of(at)
        if self.rule is RetentionRule.MONTHS:
            return present - self.length
        return (present // 12 - self.length) * 12

    def before(self, at: datetime) -> datetime:
        """The moment before which details are erased at another."""
        return months.first_day(self.month(at))


@dataclass(frozen=True)
class Countries:
    """How this room learns the country of each organisation: a room above tells it at start."""

    by_code: Callable[[Session], Mapping[str, str]]


def default(country: str | None) -> Retention:
    """What holds in a country (ISO 3166-1 alpha-2), or where no country is known."""
    known = _defaults()
    return known.get(country or _OTHER, known[_OTHER])


def in_force(session: Session, organisation: str, country: str | None) -> Retention:
    """What holds for an organisation."""
    chosen = session.get(AuditRetention, organisation)
    if chosen is None:
        return default(country)
    return Retention(chosen.rule, chosen.length, chosen.legal_source, is_chosen=True)


def choose(
    session: Session, caller: Caller, rule: RetentionRule, length: int, legal_source: str
) -> None:
    """Set how long the caller's organisation keeps details, and by which law.

    InvalidRequestError when the length is out of range or no source is given.
    """
    source = " ".join(legal_source.split())
    errors = []
    if not 1 <= length <= LONGEST[rule]:
        months_, years = LONGEST[RetentionRule.MONTHS], LONGEST[RetentionRule.YEAR_END]
        reason = f"Use 1 to {months_} months, or 1 to {years} years."
        errors.append({"field": "json.length", "reason": reason})
    if not 1 <= len(source) <= SOURCE_LENGTH:
        reason = f"Name law and article, in at most {SOURCE_LENGTH} characters."
        errors.append({"field": "json.legal_source", "reason": reason})
    if errors:
        raise InvalidRequestError(errors=errors)
    chosen = {"rule": rule, "length": length, "legal_source": source}
    session.merge(AuditRetention(org=caller.organisation, **chosen))
    session.flush()
    _tell(session, caller, {"rule": rule.value, "length": length, "legal_source": source})


def give_up(session: Session, caller: Caller) -> None:
    """Go back to the default of the country."""
    chosen = session.get(AuditRetention, caller.organisation)
    if chosen is not None:
        session.delete(chosen)
        session.flush()
    _tell(session, caller, {"rule": "default"})


def erase_due(
    session: Session, archivist: Archivist, countries: Mapping[str, str], at: datetime
) -> int:
    """Erase a bounded part of what each organisation may keep no longer; how many entries."""
    erased = 0
    for code in session.scalars(select(AuditOrgKey.org).distinct().order_by(AuditOrgKey.org)):
        month = in_force(session, code, countries.get(code)).month(at)
        erased += erase_before(session, archivist, code, month)
    return erased


def _tell(session: Session, caller: Caller, retention: Mapping[str, object]) -> None:
    details = {"retention": dict(retention)}
    append(session, caller, "audit.retention", object_type="audit-retention", details=details)


@cache
def _defaults() -> Mapping[str, Retention]:
    with DEFAULTS.open("rb") as file:
        document = tomllib.load(file)
    return {
        country: Retention(
            RetentionRule(stated["rule"]),
            stated["length"],
            stated["source"],
            is_chosen=False,
            is_verified=stated["verified"],
        )
        for country, stated in document.items()
    }
