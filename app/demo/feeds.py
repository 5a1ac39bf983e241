"""Collections of the demonstration: what police and customs fetch by TAXII or MISP.

It is what the policies give them in bulk to analyse risk, points of induction of the made-up year.
The post has one of its own.
"""

from flask import Flask

from app.demo import members
from app.exchange.collections import open_collection
from app.exchange.models import CollectionKind
from app.indicators.telling import Grounds
from app.runtime import runtime
from postern.vocabulary import LegalBasis, Purpose, Role

TITLE = "Points of induction"
OWN = "What we reported"

_READING = {"police-de": LegalBasis.POLICE_LAW, "customs-nl": LegalBasis.CUSTOMS_LAW}


def begin(app: Flask) -> None:
    """Open them as the administrators of the three would; the duties of the platform fill them."""
    with app.app_context(), runtime().database.transaction() as session:
        for code, basis in _READING.items():
            open_collection(
                session,
                members.person(session, code, Role.ADMINISTRATOR),
                kind=CollectionKind.SHARED,
                title=TITLE,
                description="Where suspicious items came into the post, as others tell it.",
                grounds=Grounds(Purpose.RISK_ANALYSIS, basis, "DEMO-7"),
            )
        open_collection(
            session,
            members.person(session, "post-be", Role.ADMINISTRATOR),
            kind=CollectionKind.OWN,
            title=OWN,
            description="For our own systems: what we submitted, and what they add.",
        )
