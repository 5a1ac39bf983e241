"""What requests of the board's pages and files say: for what one looks, and the day of a change.

As on the pages of patterns the likeliest purpose of the sector is chosen, is always shown, and
stands in addresses, for it is of no person; a case does not. `for=own` asks for one's own figures.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from flask import request

from app.audit.guard import caller, transaction
from app.barriers.board import board
from app.barriers.board_arranging import arranged
from app.barriers.board_view import BoardView
from app.indicators.telling import Grounds
from app.organisations.service import directory
from app.patterns.page_requests import written
from postern.vocabulary import LegalBasis, Purpose, Sector

OWN = "own"
"""The choice of one's own figures alone: no purpose, and so nothing of others."""

_SEPARATOR = ","
_COUNTRY = re.compile(r"[A-Z]{2}", re.ASCII)
_MOST_TOGETHER = 12

Offered = Mapping[Purpose, Sequence[LegalBasis]]

_OF_OPERATORS: Offered = {Purpose.RISK_ANALYSIS: (LegalBasis.POSTAL_LAW,)}

OFFERED: Mapping[Sector, Offered] = {
    Sector.POST: _OF_OPERATORS,
    Sector.COURIER: _OF_OPERATORS,
    Sector.CUSTOMS: {
        Purpose.RISK_ANALYSIS: (LegalBasis.CUSTOMS_LAW, LegalBasis.PUBLIC_TASK),
        Purpose.CUSTOMS_CONTROL: (LegalBasis.CUSTOMS_LAW,),
    },
    Sector.POLICE: {
        Purpose.RISK_ANALYSIS: (LegalBasis.POLICE_LAW, LegalBasis.PUBLIC_TASK),
        Purpose.CRIMINAL_INTELLIGENCE: (LegalBasis.POLICE_LAW, LegalBasis.CRIMINAL_PROCEDURE),
    },
    Sector.AUTHORITY: {
        Purpose.RISK_ANALYSIS: (LegalBasis.PUBLIC_TASK, LegalBasis.LEGAL_OBLIGATION),
    },
}
"""What a form offers, the likeliest first. It is no rule of access: policies decide."""


@dataclass(frozen=True, slots=True)
class AskedBoard:
    """What the address asks for; `grounds` None: one's own figures alone.

    `arguments` keep the choice in an address, without what is usual. `chosen` is the choice as the
    form writes it; one that is not `offered` was typed, and the verb decides on it. `together` are
    countries of origin that are looked at as one.
    """

    grounds: Grounds | None
    offered: Offered
    chosen: str
    changed: date | None
    together: Sequence[str]
    arguments: Mapping[str, str]


def asked() -> AskedBoard:
    """What the request in progress asks for; what means nothing is left out, as if not asked."""
    organisation_id, _person = caller().member
    offered = OFFERED[directory(transaction())[organisation_id].sector]
    purpose, bases = next(iter(offered.items()))
    usual = written(purpose, bases[0])
    typed = request.args.get("for", "")
    grounds = _grounds(typed)
    if typed != OWN and grounds is None:
        typed, grounds = usual, Grounds(purpose, bases[0], "")
    changed = _day(request.args.get("changed", ""))
    arguments = {} if typed == usual else {"for": typed}
    if changed is not None:
        arguments["changed"] = changed.isoformat()
    together = _countries(request.args.getlist("together"))
    if together:
        arguments["together"] = _SEPARATOR.join(together)
    return AskedBoard(grounds, offered, typed, changed, together, arguments)


def read(asked_for: AskedBoard) -> BoardView:
    """The board for what was asked for, by the one verb, which logs it; raises what that raises."""
    found = board(
        transaction(),
        caller(),
        asked_for.grounds,
        changed=asked_for.changed,
        together=asked_for.together,
    )
    return arranged(found, asked_others=asked_for.grounds is not None)


def _grounds(typed: str) -> Grounds | None:
    for purpose in Purpose:
        for basis in LegalBasis:
            if typed == written(purpose, basis):
                return Grounds(purpose, basis, "")
    return None


def _countries(typed: Sequence[str]) -> list[str]:
    """Codes of countries, each once, of several fields or of one with commas."""
    parts = [each.strip().upper() for field in typed for each in field.split(_SEPARATOR)]
    found = [each for each in dict.fromkeys(parts) if _COUNTRY.fullmatch(each)]
    return found[:_MOST_TOGETHER]


def _day(typed: str) -> date | None:
    try:
        return date.fromisoformat(typed)
    except ValueError:
        return None
