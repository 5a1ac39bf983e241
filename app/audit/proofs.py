"""Proofs for one's own entries: that each stands at its place in a log that was signed."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.access import Caller
from app.audit.models import AuditOrgKey
from app.audit.reading import record_id
from app.audit.service import append
from app.audit.tree import NoSuchTileError, Published, newest, place_of, reader
from app.audit.witnesses import newest_cosigned
from app.errors import NotFoundError
from app.runtime import runtime
from postern.tlog.proof_file import ProofFile
from postern.tlog.tiles import inclusion_proof


@dataclass(frozen=True)
class TagKey:
    """A key by which an organisation recognises its leaves; `epoch` counts from 1."""

    epoch: int
    key: bytes


def prove(session: Session, caller: Caller, place: int) -> bytes:
    """A proof file (C2SP tlog-proof) of the entry at `place`; logged.

    NotFoundError when no entry is there, or the caller's organisation is not in its audience.
    """
    try:
        entry = place_of(session, caller.organisation, place)
    except NoSuchTileError:
        raise NotFoundError from None
    found = covering(session, [place])
    if found is None or found.size <= place:
        raise NotFoundError
    (proof,) = proof_files(session, found, [place])
    append(
        session,
        caller,
        "audit.prove",
        object_type="audit-entry",
        objects=[record_id(entry.rec)],
        details={"place": place, "size": found.size},
    )
    return proof.encode()


def covering(session: Session, places: Iterable[int]) -> Published | None:
    """The checkpoint to prove places against: the newest that meets the quorum if it covers all.

    Else the newest of all, which covers every place there is; None before the first checkpoint.
    """
    cosigned = newest_cosigned(session, runtime().settings.audit.operator)
    if cosigned is not None and cosigned.size > max(places, default=-1):
        return cosigned
    return newest(session)


def proof_files(
    session: Session, checkpoint: Published, places: Iterable[int]
) -> Iterator[ProofFile]:
    """A proof file for each place, all against the same checkpoint, which must cover them."""
    read = reader(session)
    for place in places:
        proof = inclusion_proof(read, place, checkpoint.size)
        yield ProofFile(place, tuple(proof), checkpoint.note)


def read_tag_keys(session: Session, caller: Caller) -> list[TagKey]:
    """The tag keys of the caller's organisation, oldest first; logged."""
    found = tag_keys(session, caller.organisation)
    append(session, caller, "audit.tag-keys", object_type="audit-key", count=len(found))
    return found


def tag_keys(session: Session, organisation: str) -> list[TagKey]:
    """The tag keys of an organisation, oldest first; the caller of this logs it."""
    rows = session.execute(
        select(AuditOrgKey.epoch, AuditOrgKey.key)
        .where(AuditOrgKey.org == organisation)
        .order_by(AuditOrgKey.epoch)
    )
    return [TagKey(row.epoch, bytes(row.key)) for row in rows]
