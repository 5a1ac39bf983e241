"""How the two sides of a request learn what happens: each by entries of its own, and by notices.

Neither side learns a person of the other: an entry for the other side carries no actor, and the
case stays in the log of who asked. Facts of notices are codes, counts and ids.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from app.access import Caller
from app.audit.service import append
from app.disclosures.models import DisclosureRequest
from app.errors import ConflictError
from app.jobs import notifications
from app.organisations.service import Member, directory
from postern.vocabulary import Role

ANALYSTS = (Role.ANALYST,)
APPROVERS = (Role.APPROVER,)
OFFICERS = (Role.COMPLIANCE,)
DECIDERS = (Role.APPROVER, Role.COMPLIANCE)

_OBJECT = "disclosure_request"


class SuspendedError(ConflictError):
    """One of the two organisations is suspended: nothing goes out, whatever was decided."""

    code = "disclosure-suspended"
    title = "An organisation of the request is suspended, so nothing is given"
    remedy = "Refuse the request, or wait until the organisation is active again."


@dataclass(frozen=True, slots=True)
class Sides:
    """The two organisations of a request."""

    requester: Member
    owner: Member

    def require_active(self) -> None:
        """Return when both are; SuspendedError."""
        if not (self.requester.is_active and self.owner.is_active):
            raise SuspendedError


def sides(session: Session, request: DisclosureRequest) -> Sides:
    """Who asks and who is asked."""
    members = directory(session)
    return Sides(members[request.requester_id], members[request.owner_id])


def tell_own(
    session: Session,
    caller: Caller,
    act: str,
    request: DisclosureRequest,
    *,
    case: str = "",
    details: Mapping[str, Any] | None = None,
) -> None:
    """Append the entry of the acting side alone."""
    append(
        session,
        caller,
        act,
        purpose=request.purpose,
        basis=request.legal_basis,
        case=case,
        object_type=_OBJECT,
        objects=_named(request),
        count=1,
        details=details,
    )


def tell_both(
    session: Session,
    caller: Caller,
    act: str,
    request: DisclosureRequest,
    between: Sides,
    *,
    case: str = "",
    details: Mapping[str, Any] | None = None,
) -> None:
    """Append an entry for the acting side, and one without the person for the other."""
    codes = {between.requester.code, between.owner.code}
    if caller.person is None:
        _tell_others(
            session,
            caller,
            act,
            request,
            audience=sorted(codes),
            details=details,
            tell_actor=True,
        )
        return
    tell_own(session, caller, act, request, case=case, details=details)
    others = sorted(codes - {caller.organisation})
    told = {**(details or {}), "viewer": caller.organisation}
    _tell_others(session, caller, act, request, audience=others, details=told, tell_actor=False)


def tell_listed(
    session: Session, caller: Caller, box: str, requests: Sequence[DisclosureRequest]
) -> None:
    """Append that requests were listed; `box` is asked or received."""
    append(
        session,
        caller,
        "disclosure.list",
        object_type=_OBJECT,
        objects=[str(request.public_id) for request in requests],
        details={"box": box},
    )


def tell_of_life(session: Session, request: DisclosureRequest, between: Sides) -> None:
    """Notices of a threat to life: to who decides, and to the officers of both sides at once."""
    facts = {"organisation": between.requester.code, "owner": between.owner.code}
    notify(session, request.owner_id, DECIDERS, "disclosure.life", request, facts)
    notify(session, request.requester_id, OFFICERS, "disclosure.life", request, facts)


def notify(  # noqa: PLR0917 - the parts of a notice, in the order in which they are read
    session: Session,
    organisation_id: int,
    roles: Iterable[Role],
    kind: str,
    request: DisclosureRequest,
    facts: Mapping[str, Any],
) -> None:
    """Write the same notice for several roles; it leads to the page of the request."""
    address = f"/disclosures/{request.public_id}"
    for role in roles:
        notifications.notify(session, organisation_id, role, kind, facts, address)


def _tell_others(
    session: Session,
    caller: Caller,
    act: str,
    request: DisclosureRequest,
    *,
    audience: Sequence[str],
    details: Mapping[str, Any] | None,
    tell_actor: bool,
) -> None:
    append(
        session,
        caller,
        act,
        audience=audience,
        tell_actor=tell_actor,
        purpose=request.purpose,
        basis=request.legal_basis,
        object_type=_OBJECT,
        objects=_named(request),
        count=1,
        details=details,
    )


def _named(request: DisclosureRequest) -> list[str]:
    return [str(request.public_id), str(request.indicator)]
