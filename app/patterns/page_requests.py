"""What requests of the room's pages say: for what one looks at patterns, in which language.

The purpose is chosen on the page, likeliest first, and always shown. It stands in the addresses of
the pages, for it is of no person; a case does not.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from flask import request
from flask_babel import get_locale
from sqlalchemy import select

from app.audit.guard import caller, transaction
from app.indicators.telling import Grounds
from app.organisations.service import directory
from app.patterns import grounds as offers
from app.patterns.models import PatternSubscription, SharedPattern
from app.patterns.telling import grounds_of
from postern.vocabulary import LegalBasis, Purpose

_SEPARATOR = "."


@dataclass(frozen=True)
class ShownGrounds:
    """`grounds` are asked of the policies; `arguments` keep them in an address, if not usual."""

    grounds: Grounds
    offered: Mapping[Purpose, Sequence[LegalBasis]]
    arguments: Mapping[str, str]

    @property
    def chosen(self) -> str:
        """The choice as the form and the address write it."""
        return written(self.grounds.purpose, self.grounds.legal_basis)


def written(purpose: Purpose, legal_basis: LegalBasis) -> str:
    """A purpose and a basis as one choice of a form."""
    return f"{purpose.value}{_SEPARATOR}{legal_basis.value}"


def shown_grounds(pattern_id: UUID | None = None) -> ShownGrounds:
    """What the address chooses of what the organisation's sector is offered, else the likeliest.

    Of a pattern to which the organisation subscribed it is else that of the subscription, so that
    a notification about it leads to what may be read.
    """
    organisation_id, _person = caller().member
    sector = directory(transaction())[organisation_id].sector
    offered, usual = offers.OFFERED[sector], offers.default(sector)
    if pattern_id is not None:
        usual = _of_subscription(organisation_id, pattern_id) or usual
    typed = request.values.get("for", "")
    for purpose, bases in offered.items():
        for basis in bases:
            if typed == written(purpose, basis):
                chosen = Grounds(purpose, basis, "")
                return ShownGrounds(chosen, offered, {} if chosen == usual else {"for": typed})
    return ShownGrounds(usual, offered, {})


def _of_subscription(organisation_id: int, pattern_id: UUID) -> Grounds | None:
    found = transaction().scalar(
        select(PatternSubscription)
        .join(SharedPattern, SharedPattern.id == PatternSubscription.pattern_id)
        .where(
            PatternSubscription.organisation_id == organisation_id,
            SharedPattern.public_id == pattern_id,
        )
    )
    return grounds_of(found) if found else None


def spoken() -> str:
    """The language of the page, as `postern` names it."""
    locale = get_locale()
    return str(locale.language) if locale else "en"


def revision() -> int | None:
    """The revision that the page showed, None where it showed none; 0, which none has, if odd."""
    typed = request.form.get("revision", "")
    if not typed:
        return None
    return int(typed) if typed.isascii() and typed.isdecimal() and len(typed) < 10 else 0  # noqa: PLR2004 - digits
