"""The verbs of a holder: keep a share, admit organisations, evaluate what they signed.

A holder believes no platform: who asks is who signed. A signature is good once and for minutes,
and what an organisation may have evaluated is counted here as well.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete, insert, select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Session

from app.access import Caller, Means
from app.audit.service import append
from app.clock import moment, now
from app.errors import NotFoundError
from app.organisations import service as organisations
from app.pseudonyms import quota
from app.pseudonyms.holder_errors import (
    ChainRefusedError,
    ShareHeldError,
    ShareInUseError,
    ShareMissingError,
    SignerUnknownError,
    StaleSignatureError,
    UsedSignatureError,
)
from app.pseudonyms.holder_models import HeldShare, HolderMember, HolderRequest
from app.pseudonyms.service import InvalidElementsError
from app.pseudonyms.sharing import split
from app.runtime import runtime
from app.secret_files import Sealer
from postern import voprf
from postern.group import InvalidElementError, base, check_scalar
from postern.organisation_entry import SignedEntry
from postern.signed_evaluation import TOLERANCE_SECONDS, Question, Signed
from postern.signing_identity import VerifyingKey
from postern.threshold import check_share, moved, moved_elements
from postern.vocabulary import EvaluationKind


@dataclass(frozen=True)
class HeldEvaluation:
    elements: list[bytes]
    proof: bytes


@dataclass(frozen=True)
class Admitted:
    organisation: str
    entry: int
    fingerprint_of_entry: str


def install(
    session: Session,
    caller: Caller,
    *,
    number: int,
    epoch: int,
    commitments: dict[EvaluationKind, tuple[bytes, ...]],
    shares: dict[EvaluationKind, bytes],
) -> None:
    """Keep the shares of holder `number`, each checked against the dealer's commitments.

    threshold.ShareRefusedError, and ShareHeldError when a share of a kind and epoch is held.
    """
    for kind, share in sorted(shares.items()):
        check_share(share, number, commitments[kind])
        if session.get(HeldShare, (kind, epoch)) is not None:
            raise ShareHeldError
        committed = b"".join(commitments[kind])
        _keep(session, kind, epoch, number=number, commitments=committed, share=share)
    _tell_keys(session, caller, [f"{kind.value}/{epoch}" for kind in sorted(shares)])


def move(
    session: Session, caller: Caller, kind: EvaluationKind, old: int, *, new: int, factor: bytes
) -> None:
    """Make the share of a new epoch from that of an old one, for a rotation by `factor`."""
    row = _row(session, kind, old)
    if session.get(HeldShare, (kind, new)) is not None:
        raise ShareHeldError
    (share,) = moved([_opened(row)], factor)
    commitments = moved_elements(split(bytes(row.commitments)), factor)
    check_share(share, row.number, commitments)
    committed = b"".join(commitments)
    _keep(session, kind, new, number=row.number, commitments=committed, share=share)
    _tell_keys(session, caller, [f"{kind.value}/{new}"])


def forget(session: Session, caller: Caller, kind: EvaluationKind, epoch: int) -> None:
    """Erase the share of an epoch that a rotation has left behind.

    ShareMissingError; ShareInUseError unless that of a later epoch is held.
    """
    row = _row(session, kind, epoch)
    if not any(each.kind is kind and each.epoch > epoch for each in held(session)):
        raise ShareInUseError
    session.delete(row)
    append(
        session,
        caller,
        "key.wipe",
        object_type="key_epoch",
        count=1,
        details={"epochs": [f"{kind.value}/{epoch}"]},
    )


def admit(session: Session, caller: Caller, chain: Sequence[SignedEntry]) -> Admitted:
    """Take the newest signing key of a checked chain for that of its organisation.

    UnknownOrganisationError; ChainRefusedError when the chain does not hold the entry that was
    admitted before.
    """
    entry = chain[-1].entry
    organisation_id, _ = organisations.find(session, entry.organisation)
    known = session.get(HolderMember, organisation_id)
    if known is not None:
        numbered = {each.entry.number: each.entry for each in chain}
        before = numbered.get(known.number)
        if before is None or before.digest() != bytes(known.digest):
            raise ChainRefusedError
        session.delete(known)
        session.flush()
    session.execute(
        insert(HolderMember).values(
            organisation_id=organisation_id,
            number=entry.number,
            digest=entry.digest(),
            signing=entry.signing.raw,
            admitted_at=now(),
        )
    )
    append(
        session,
        caller,
        "holder.admit",
        audience=[entry.organisation],
        object_type="organisation",
        objects=[entry.organisation],
        details={"entry": entry.number, "fingerprint": entry.fingerprint},
    )
    return Admitted(entry.organisation, entry.number, entry.fingerprint)


def commitment(session: Session, kind: EvaluationKind, epoch: int) -> bytes:
    """C_0 of a key of which a share is held. ShareMissingError."""
    return split(bytes(_row(session, kind, epoch).commitments))[0]


def signer(session: Session, question: Question, signed: Signed) -> Caller:
    """The organisation that signed a question.

    SignerUnknownError when it is not admitted, is suspended or did not.
    """
    try:
        organisation_id, member = organisations.find(session, question.organisation)
    except NotFoundError:
        raise SignerUnknownError from None
    row = session.get(HolderMember, organisation_id)
    is_known = row is not None and member.is_active
    if row is None or not is_known or not signed.is_by(VerifyingKey(bytes(row.signing)), question):
        raise SignerUnknownError
    return Caller(
        person_id=None,
        person=None,
        organisation_id=organisation_id,
        organisation=member.code,
        roles=frozenset(),
        scopes=None,
        means=Means.SIGNATURE,
    )


def evaluate(
    session: Session, caller: Caller, question: Question, signed: Signed
) -> HeldEvaluation:
    """Evaluate what a `signer` asks, once per signature, within the holder's own quota.

    StaleSignatureError, UsedSignatureError, QuotaSpentError, InvalidElementsError.
    """
    organisation_id = caller.organisation_id
    if organisation_id is None:
        raise SignerUnknownError
    if not signed.is_timely(now()):
        raise StaleSignatureError
    _use(session, organisation_id, signed)
    quota.spend(
        session,
        runtime().settings.quota,
        organisation_id=organisation_id,
        person_id=quota.WHOLE_ORGANISATION,
        kind=question.kind,
        elements=len(question.elements),
    )
    append(
        session,
        caller,
        "holder.evaluate",
        purpose=question.purpose,
        object_type="evaluation",
        count=len(question.elements),
        details={"query": {"kind": question.kind.value, "epoch": question.epoch}},
    )
    share = _opened(_row(session, question.kind, question.epoch))
    try:
        return HeldEvaluation(*voprf.evaluate(share, base(share), question.elements))
    except InvalidElementError as error:
        raise InvalidElementsError(positions=[error.position]) from None


def check_held(row: HeldShare) -> None:
    """Return when a share opens under this holder's secret and is what was committed to.

    ValueError when it does not open, threshold.ShareRefusedError, group.InvalidScalarError.
    """
    check_share(_opened(row), row.number, split(bytes(row.commitments)))


def opens(row: HeldShare) -> bool:
    """Whether a share opens under this holder's secret."""
    try:
        _opened(row)
    except ValueError:
        return False
    return True


def held(session: Session) -> list[HeldShare]:
    """The shares that are held, by kind and epoch."""
    return list(session.scalars(select(HeldShare).order_by(HeldShare.kind, HeldShare.epoch)))


def _use(session: Session, organisation_id: int, signed: Signed) -> None:
    """Remember a signature for as long as one of its age could be taken."""
    session.execute(delete(HolderRequest).where(HolderRequest.kept_until < now()))
    is_postgresql = session.get_bind().dialect.name == "postgresql"
    made = (postgresql_insert if is_postgresql else sqlite_insert)(HolderRequest).values(
        organisation_id=organisation_id,
        request_id=signed.request_id,
        kept_until=moment(signed.asked_at * 1000) + timedelta(seconds=2 * TOLERANCE_SECONDS),
    )
    first = made.on_conflict_do_nothing().returning(HolderRequest.request_id)
    if session.execute(first).first() is None:
        raise UsedSignatureError


def _row(session: Session, kind: EvaluationKind, epoch: int) -> HeldShare:
    row = session.get(HeldShare, (kind, epoch))
    if row is None:
        raise ShareMissingError
    return row


def _keep(
    session: Session,
    kind: EvaluationKind,
    epoch: int,
    *,
    number: int,
    commitments: bytes,
    share: bytes,
) -> None:
    check_scalar(share)
    session.execute(
        insert(HeldShare).values(
            kind=kind,
            epoch=epoch,
            number=number,
            commitments=commitments,
            sealed=_sealer().seal(share, _context(kind, epoch)),
            installed_at=now(),
        )
    )
    session.flush()


def _tell_keys(session: Session, caller: Caller, epochs: list[str]) -> None:
    append(
        session,
        caller,
        "holder.install",
        object_type="key_epoch",
        count=len(epochs),
        details={"epochs": epochs},
    )


def _opened(row: HeldShare) -> bytes:
    return _sealer().open(bytes(row.sealed), _context(row.kind, row.epoch))


def _sealer() -> Sealer:
    return Sealer(runtime().secrets.vault)


def _context(kind: EvaluationKind, epoch: int) -> bytes:
    return f"postern/held-share/v1/{kind.value}/{epoch}".encode()
