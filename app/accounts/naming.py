"""What a page calls a person whom the log knows by a pseudonym."""

from uuid import UUID

from flask import g
from sqlalchemy import select

from app.accounts.models import PersonAccount
from app.accounts.profiles import profiles
from app.audit.guard import caller, transaction

_SHOWN_OF_ID = 8  # characters, as the sentences of the access log show


def person_name(public_id: UUID) -> str:
    """The display name of a person of the caller's organisation; of others a short pseudonym.

    For templates of audited pages.
    """
    known: dict[UUID, str] = g.setdefault("person_names", {})
    if public_id not in known:
        known[public_id] = _name(public_id)
    return known[public_id]


def _name(public_id: UUID) -> str:
    organisation_id, _ = caller().member
    sealed = transaction().scalar(
        select(PersonAccount.sealed_profile).where(
            PersonAccount.public_id == public_id, PersonAccount.organisation_id == organisation_id
        )
    )
    if sealed is None:
        return str(public_id)[:_SHOWN_OF_ID]
    return profiles().open(sealed, public_id).name
