"""The verbs of pseudonymisation: open a key epoch, publish the keys, evaluate blindly."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import bindparam, delete, func, insert, select
from sqlalchemy.orm import Session

from app.access import Caller
from app.audit.service import append
from app.clock import now
from app.errors import (
    InvalidRequestError,
    NotFoundError,
    PosternError,
    QuotaSpentError,
    UnavailableError,
)
from app.organisations.models import Organisation
from app.prepared import Prepared
from app.pseudonyms import rotation
from app.pseudonyms.evaluator import Part, SingleKeyEvaluator
from app.pseudonyms.holder_errors import SignatureNeededError
from app.pseudonyms.holder_models import SharedKey
from app.pseudonyms.holders import HeldPart, Holders
from app.pseudonyms.models import EvaluationAllowance, KeyEpoch, Window
from app.pseudonyms.quota import Remaining, spend
from app.pseudonyms.quota import remaining as remaining_of
from app.pseudonyms.sharing import all_shared, find, sharing_of
from app.runtime import runtime
from postern import key_document
from postern.base64url import to_base64url
from postern.group import InvalidElementError, check_element
from postern.key_sharing import PLATFORM_PART
from postern.normalise import NORMALISER_VERSION
from postern.signed_evaluation import Signed
from postern.threshold import weights
from postern.vocabulary import EvaluationKind, Purpose

EPOCH_LENGTH = timedelta(days=365)
"""Oracle use weakens a key slowly (RFC 9497, section 7.2.3), so keys are rotated yearly."""

_DOCUMENT_LENGTH = timedelta(days=7)


class EpochClosedError(PosternError):
    """The client works with a key document that is out of date."""

    status: ClassVar[int] = 409
    code: ClassVar[str] = "epoch-closed"
    title: ClassVar[str] = "That key epoch is not open"
    remedy: ClassVar[str] = "Fetch the key document again and use its newest epoch of the kind."


class InvalidElementsError(PosternError):
    """`positions` lists the elements that are not canonical points, counted from 0."""

    status: ClassVar[int] = 422
    code: ClassVar[str] = "invalid-element"
    title: ClassVar[str] = "An element is not a canonical group element"
    remedy: ClassVar[str] = "Blind the identifiers again; if it happens again, update the client."


@dataclass(frozen=True)
class Evaluation:
    kind: EvaluationKind
    epoch: int
    parts: list[Part]
    quota: Remaining


def evaluate(
    session: Session,
    caller: Caller,
    *,
    kind: EvaluationKind,
    epoch: int,
    elements: Sequence[bytes],
    purpose: Purpose,
    case: str,
    signed: Mapping[str, Any] | None = None,
) -> Evaluation:
    """Evaluate blinded elements, after counting them; the log learns how many, never what.

    EpochClosedError, InvalidElementsError, InvalidRequestError when elements repeat or are more
    than limit.evaluate_elements, QuotaSpentError. The evaluation itself is the last step:
    everything else is already written in the transaction and becomes durable before the elements
    leave. Of a shared key the holders are asked first, so that no counter is locked meanwhile:
    `signed` is the organisation's word for it. HoldersMissingError, SignatureNeededError,
    SignatureRefusedError.
    """
    runtime().part(SingleKeyEvaluator).require_key()
    most = runtime().settings.limit.evaluate_elements
    if len(elements) > most:
        reason = f"It holds more than {most} elements."
        raise InvalidRequestError(errors=[{"field": "json.elements", "reason": reason}])
    require_open(session, kind, epoch)
    if len(set(elements)) != len(elements):
        raise InvalidRequestError(
            errors=[{"field": "json.elements", "reason": "Each element may stand there once."}]
        )
    organisation_id, person_id = caller.member
    quota = runtime().settings.quota
    shared = find(session, kind, epoch)
    held: list[HeldPart] = []
    if shared is not None:
        left = remaining_of(
            session, quota, organisation_id=organisation_id, person_id=person_id, kind=kind
        )
        held = held_parts(caller, shared, elements, purpose=purpose, signed=signed, left=left)
    standing = spend(
        session,
        quota,
        organisation_id=organisation_id,
        person_id=person_id,
        kind=kind,
        elements=len(elements),
    )
    append(
        session,
        caller,
        "evaluation.evaluate",
        purpose=purpose,
        case=case,
        object_type="evaluation",
        count=len(elements),
        details={"query": {"kind": kind.value, "epoch": epoch}},
    )
    try:
        parts = runtime().part(SingleKeyEvaluator).evaluate(kind, epoch, elements)
    except InvalidElementError as error:
        raise InvalidElementsError(positions=[error.position]) from None
    if shared is not None:
        parts = _all_parts(shared, parts[0], held)
    return Evaluation(kind, epoch, parts, standing)


def held_parts(
    caller: Caller,
    shared: SharedKey,
    elements: Sequence[bytes],
    *,
    purpose: Purpose,
    signed: Mapping[str, Any] | None,
    left: Remaining,
) -> list[HeldPart]:
    """What the holders make of up to 1000 elements, before anything is counted or logged.

    Their answers leave with the caller's only once that is done. Who has fewer evaluations `left`
    does not get as far as them: QuotaSpentError. InvalidElementsError, HoldersMissingError,
    SignatureNeededError, SignatureRefusedError.
    """
    if signed is None:
        raise SignatureNeededError
    for position, element in enumerate(elements):
        try:
            check_element(element)
        except InvalidElementError:
            raise InvalidElementsError(positions=[position]) from None
    if left.left < len(elements):
        raise QuotaSpentError(
            "The evaluations that are left are fewer than were asked for.",
            headers={"Retry-After": str(max(1, int((left.resets_at - now()).total_seconds()) + 1))},
        )
    once = Signed(**signed)
    body = {
        "organisation": caller.organisation,
        "kind": shared.kind.value,
        "epoch": shared.epoch,
        "purpose": purpose.value,
        "elements": [to_base64url(each) for each in elements],
        "signed": {
            "request_id": to_base64url(once.request_id),
            "asked_at": once.asked_at,
            "signature": to_base64url(once.signature),
        },
    }
    return runtime().part(Holders).ask(shared.holders, sharing_of(shared).threshold, body)


def _all_parts(shared: SharedKey, own: Part, held: Sequence[HeldPart]) -> list[Part]:
    name = f"{shared.kind.value}/{shared.epoch}"
    weight_of = weights([each.number for each in held])
    return [
        Part(f"{name}/{PLATFORM_PART}", own.weight, own.elements, own.proof),
        *(
            Part(f"{name}/{each.name}", weight_of[each.number], each.elements, each.proof)
            for each in held
        ),
    ]


def open_first_epochs(session: Session, caller: Caller) -> list[EvaluationKind]:
    """Open epoch 1 of every kind that has none; returns those kinds. Safe to repeat."""
    known = set(session.scalars(select(KeyEpoch.kind)))
    opened = [kind for kind in EvaluationKind if kind not in known]
    evaluator = runtime().part(SingleKeyEvaluator)
    begins = now().replace(microsecond=0)
    for kind in opened:
        session.execute(
            insert(KeyEpoch).values(
                kind=kind,
                epoch=1,
                norm=NORMALISER_VERSION,
                public_key=evaluator.public_key(kind, 1),
                valid_from=begins,
                valid_to=begins + EPOCH_LENGTH,
            )
        )
    append(
        session,
        caller,
        "key.epoch",
        object_type="key_epoch",
        count=len(opened),
        details={
            "epochs": [f"{kind.value}/1" for kind in opened],
            "public_keys": [to_base64url(evaluator.public_key(kind, 1)) for kind in opened],
        },
    )
    return opened


def allow(
    session: Session,
    caller: Caller,
    organisation: str,
    kind: EvaluationKind,
    limits: Mapping[Window, int],
) -> None:
    """Set an organisation's own limits, in elements per window; NotFoundError for no such code."""
    organisation_id = session.scalar(
        select(Organisation.id).where(Organisation.code == organisation)
    )
    if organisation_id is None:
        raise NotFoundError(
            f"There is no organisation {organisation}.",
            remedy="List the codes with: flask --app wsgi organisations list",
        )
    session.execute(
        delete(EvaluationAllowance).where(
            EvaluationAllowance.organisation_id == organisation_id,
            EvaluationAllowance.kind == kind,
        )
    )
    session.execute(
        insert(EvaluationAllowance),
        [
            {
                "organisation_id": organisation_id,
                "kind": kind,
                "window": window,
                "elements": elements,
            }
            for window, elements in limits.items()
        ],
    )
    append(
        session,
        caller,
        "organisation.allow",
        audience=[organisation],
        object_type="organisation",
        objects=[organisation],
        details={"allowance": {kind.value: {str(w): n for w, n in limits.items()}}},
    )


def epochs(session: Session) -> list[KeyEpoch]:
    """All epochs, ordered by kind and number."""
    return list(session.scalars(select(KeyEpoch).order_by(KeyEpoch.kind, KeyEpoch.epoch)))


def open_epoch(session: Session, kind: EvaluationKind) -> int:
    """The newest epoch of `kind` that is open now; UnavailableError when none is."""
    (row,) = _OPEN_EPOCH.execute(session.connection(), {"kind": kind, "moment": now()})
    if row.epoch is None:
        raise UnavailableError(
            f"No key epoch of the kind {kind.value} is open.",
            remedy="The platform's administrator must run: flask --app wsgi keys open",
        )
    return int(row.epoch)


_EPOCHS = KeyEpoch.__table__.c
_MOMENT = bindparam("moment", type_=_EPOCHS.valid_from.type)
_OPEN_EPOCH = Prepared(
    select(func.max(_EPOCHS.epoch).label("epoch")).where(
        _EPOCHS.kind == bindparam("kind"), _EPOCHS.valid_from <= _MOMENT, _EPOCHS.valid_to > _MOMENT
    )
)
"""Every lookup, submission and evaluation asks for it."""


def open_epochs(session: Session, kinds: Iterable[EvaluationKind]) -> dict[EvaluationKind, int]:
    """The newest open epoch of each of `kinds`."""
    return {kind: open_epoch(session, kind) for kind in kinds}


def signed_document(session: Session) -> dict[str, object]:
    """The key document in its wire form, signed; the same for all clients within an hour."""
    settings = runtime().settings
    shared = all_shared(session)
    issued = now().replace(minute=0, second=0, microsecond=0)
    document = key_document.KeyDocument(
        platform=settings.platform.name,
        issued_at=issued,
        expires_at=issued + _DOCUMENT_LENGTH,
        epochs=tuple(
            key_document.KeyEpoch(
                kind=each.kind.value,
                epoch=each.epoch,
                norm=each.norm,
                public_key=bytes(each.public_key),
                valid_from=each.valid_from,
                valid_to=each.valid_to,
                sharing=shared.get((each.kind, each.epoch)),
            )
            for each in epochs(session)
            if each.valid_from < each.valid_to  # one closed within its first second was never open
        ),
    )
    return key_document.sign(document, directory_key())


def directory_fingerprint() -> str:
    """What people compare by another channel before they trust the key document."""
    return key_document.fingerprint(directory_key().public_key().public_bytes_raw())


def remaining(
    session: Session, organisation_id: int, person_id: int
) -> dict[EvaluationKind, Remaining]:
    """Evaluations left for a person, per kind."""
    quota = runtime().settings.quota
    return {
        kind: remaining_of(
            session, quota, organisation_id=organisation_id, person_id=person_id, kind=kind
        )
        for kind in EvaluationKind
    }


def require_open(session: Session, kind: EvaluationKind, epoch: int) -> None:
    """Raise EpochClosedError unless `epoch` is open: the newest, or the one before that a rotation
    still takes."""
    newest = open_epoch(session, kind)
    if epoch != newest and not rotation.is_overlapping(session, kind, epoch):
        raise EpochClosedError(
            f"Epoch {epoch} of the kind {kind.value} is not open.", epoch=newest, kind=kind.value
        )


def directory_key() -> Ed25519PrivateKey:
    """What signs the documents whose signer members pin."""
    return Ed25519PrivateKey.from_private_bytes(runtime().secrets.directory)
