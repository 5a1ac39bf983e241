"""What an analyst may ask about a hit, before anything is asked: for the form of a request.

It is found as `requests.ask` finds it: whatever may not be asked for is not there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from app import clock
from app.access import Caller
from app.audit.service import append
from app.disclosures import asymmetry, storage
from app.disclosures.asymmetry import ACTIONS, Asking
from app.errors import NotFoundError
from app.organisations import keys
from app.organisations.service import Member, directory
from app.sharing.visibility import METADATA, REQUEST
from postern.vocabulary import Kind, LegalBasis, PartyRole, Purpose, RequestedAction, Urgency


@dataclass(frozen=True, slots=True)
class Askable:
    """A hit whose owner can be asked, or why it cannot.

    `urgencies` is the threat to life alone where the policy shows no more than metadata. `faults`
    are the rules of the sectors that the request would break, `missing` the names of organisations
    without published keys, `opened` one's own request that is not decided yet.
    """

    lookup: UUID
    indicator: UUID
    owner: Member
    kind: Kind
    role: PartyRole
    purpose: Purpose
    legal_basis: LegalBasis
    urgencies: Sequence[Urgency]
    actions: Sequence[RequestedAction]
    faults: Sequence[str]
    missing: Sequence[str]
    opened: UUID | None

    @property
    def may_be_asked(self) -> bool:
        """Whether nothing stands in the way."""
        return not (self.faults or self.missing or self.opened)


def prepare(session: Session, caller: Caller, *, lookup: UUID, indicator: UUID) -> Askable:
    """What can be asked about a hit of one's own lookup; NotFoundError for whatever else."""
    organisation_id, _ = caller.member
    at = clock.now()
    hit = storage.hit(session, organisation_id, lookup, indicator, at.date())
    if hit is None or hit.owner_id == organisation_id:
        raise NotFoundError
    grants = [
        least
        for least in (METADATA, REQUEST)
        if storage.is_visible(session, hit.profile_id, hit.indicator_id, at, least)
    ]
    if not grants:
        raise NotFoundError
    members = directory(session)
    own, owner = members[organisation_id], members[hit.owner_id]
    asking = Asking(own.sector, owner.sector, hit.purpose, hit.legal_basis, RequestedAction.NONE)
    append(
        session,
        caller,
        "disclosure.prepare",
        purpose=hit.purpose,
        basis=hit.legal_basis,
        object_type="indicator",
        objects=[str(indicator)],
        count=1,
        details={"owner": owner.code},
    )
    both = ((organisation_id, own), (hit.owner_id, owner))
    return Askable(
        lookup=lookup,
        indicator=indicator,
        owner=owner,
        kind=hit.kind,
        role=hit.role,
        purpose=hit.purpose,
        legal_basis=hit.legal_basis,
        urgencies=tuple(Urgency) if REQUEST in grants else (Urgency.LIFE,),
        actions=tuple(each for each in RequestedAction if each in ACTIONS[owner.sector]),
        faults=tuple(reason for _, reason in asymmetry.faults(asking)),
        missing=tuple(each.name for number, each in both if not keys.usable(session, number, at)),
        opened=storage.open_request(session, organisation_id, indicator),
    )
