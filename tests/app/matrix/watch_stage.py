"""Watches of the stage: one that waits and one that was stopped."""

from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session

from app.access import Caller
from app.indicators.kinds import FACETS_OF
from app.indicators.telling import Grounds
from app.lookups import watch_ending, watches
from app.lookups.watches import Wanted
from postern.base64url import to_base64url
from postern.vocabulary import Kind, LegalBasis, Purpose, Tlp, Told
from tests.app.matrix.compliance_stage import Made
from tests.app.matrix.expectations import Named, State
from tests.app.sharing.ground import NOON

_WHY = Grounds(Purpose.CRIMINAL_INVESTIGATION, LegalBasis.CRIMINAL_PROCEDURE, "PV-2024-17")
_LAST = (NOON + timedelta(days=30)).date()
_TOKEN = b"waited for 16 by"


def make_watches(session: Session, caller: Caller) -> Made:
    """One of each, for a place, which needs no key; no other organisation is told."""
    (facet,) = FACETS_OF[Kind.INDUCTION_POINT]
    wanted = Wanted(
        kind=Kind.INDUCTION_POINT,
        epoch=0,
        tokens=[(facet, _TOKEN)],
        tells=Told.BOTH,
        deconflicts=False,
        tlp=Tlp.AMBER,
        expires_on=_LAST,
    )
    made: Made = {
        (Named.WATCH, state): watches.set_up(session, caller, _WHY, wanted).id
        for state in (State.LIVE, State.CLOSED)
    }
    watch_ending.stop(session, caller, made[Named.WATCH, State.CLOSED])
    return made


def watch_of() -> dict[str, Any]:
    """What is waited for and until when, on the wire."""
    (facet,) = FACETS_OF[Kind.INDUCTION_POINT]
    return {
        "kind": Kind.INDUCTION_POINT.value,
        "tokens": [{"facet": facet, "token": to_base64url(_TOKEN)}],
        "expires_on": _LAST.isoformat(),
    }
