"""The platform's side of a shared key: opening it after a ceremony, and publishing who holds it.

The platform's own share is the key that follows from its seed, so that no dealer ever sees it; the
dealer makes the holders' shares alone. The whole public key is the sum of both sides'.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from app.access import Caller
from app.audit.service import append
from app.clock import now
from app.errors import InvalidRequestError
from app.pseudonyms.evaluator import SingleKeyEvaluator
from app.pseudonyms.holder_errors import EpochExistsError, ShareMissingError
from app.pseudonyms.holder_models import SharedKey
from app.pseudonyms.models import KeyEpoch
from app.runtime import runtime
from postern.base64url import to_base64url
from postern.group import SIZE
from postern.key_sharing import Ceremony, Holder, KeySharing
from postern.normalise import NORMALISER_VERSION
from postern.threshold import moved_elements
from postern.vocabulary import EvaluationKind

EPOCH_LENGTH = timedelta(days=365)
"""As for a key that the platform holds alone."""


def sharing_of(row: SharedKey) -> KeySharing:
    """How the key of a row is shared."""
    return KeySharing(
        bytes(row.platform_key),
        split(bytes(row.commitments)),
        tuple(Holder(each["number"], each["name"]) for each in row.holders),
    )


def split(commitments: bytes) -> tuple[bytes, ...]:
    """Commitments as they stand in a row, 32 bytes each."""
    return tuple(commitments[at : at + SIZE] for at in range(0, len(commitments), SIZE))


def find(session: Session, kind: EvaluationKind, epoch: int) -> SharedKey | None:
    """The shared key of a kind and epoch; None when the platform holds it alone."""
    return session.get(SharedKey, (kind, epoch))


def all_shared(session: Session) -> Mapping[tuple[EvaluationKind, int], KeySharing]:
    """How each shared key is shared."""
    return {(row.kind, row.epoch): sharing_of(row) for row in session.scalars(select(SharedKey))}


def share_keys(session: Session, caller: Caller, ceremony: Ceremony) -> list[EvaluationKind]:
    """Open the keys of a ceremony; returns their kinds.

    InvalidRequestError when it was held for another platform or epoch, EpochExistsError when a
    kind has a key already.
    """
    platform = runtime().settings.platform.name
    if ceremony.platform != platform or ceremony.epoch != 1:
        reason = f"The ceremony is for {ceremony.platform}, epoch {ceremony.epoch}."
        raise InvalidRequestError(
            errors=[{"field": "ceremony", "reason": reason}],
            remedy=f"Hold one for the platform {platform} and epoch 1.",
        )
    known = set(session.scalars(select(KeyEpoch.kind)))
    if known & ceremony.commitments.keys():
        raise EpochExistsError
    holders = [
        {"number": each.number, "name": each.name, "address": ceremony.addresses[each.number]}
        for each in ceremony.holders
    ]
    begins = now().replace(microsecond=0)
    publics = []
    for kind, commitments in sorted(ceremony.commitments.items()):
        own = runtime().part(SingleKeyEvaluator).public_key(kind, ceremony.epoch)
        sharing = KeySharing(own, commitments, ceremony.holders)
        publics.append(to_base64url(sharing.public_key))
        _open(session, kind, ceremony.epoch, sharing, begins)
        _keep(session, kind, ceremony.epoch, sharing, holders)
    kinds = sorted(ceremony.commitments)
    append(
        session,
        caller,
        "key.epoch",
        object_type="key_epoch",
        count=len(kinds),
        details={
            "epochs": [f"{kind.value}/{ceremony.epoch}" for kind in kinds],
            "public_keys": publics,
            "holders": [each.name for each in ceremony.holders],
            "ceremony": ceremony.digest(),
        },
    )
    return kinds


def move(session: Session, caller: Caller, kind: EvaluationKind, old: int, factor: bytes) -> None:
    """Keep how the key of the epoch after `old` is shared: that of `old`, times a factor.

    ShareMissingError when the platform holds that of `old` alone, EpochExistsError when the next
    is kept already. The holders move their shares by the same factor.
    """
    row = find(session, kind, old)
    if row is None:
        raise ShareMissingError
    if find(session, kind, old + 1) is not None:
        raise EpochExistsError
    before = sharing_of(row)
    own, *commitments = moved_elements((before.platform_key, *before.commitments), factor)
    after = KeySharing(own, tuple(commitments), before.holders)
    _keep(session, kind, old + 1, after, row.holders)
    append(
        session,
        caller,
        "key.epoch",
        object_type="key_epoch",
        count=1,
        details={
            "epochs": [f"{kind.value}/{old + 1}"],
            "public_keys": [to_base64url(after.public_key)],
            "holders": [each.name for each in before.holders],
        },
    )


def _open(
    session: Session, kind: EvaluationKind, epoch: int, sharing: KeySharing, begins: datetime
) -> None:
    session.execute(
        insert(KeyEpoch).values(
            kind=kind,
            epoch=epoch,
            norm=NORMALISER_VERSION,
            public_key=sharing.public_key,
            valid_from=begins,
            valid_to=begins + EPOCH_LENGTH,
        )
    )


def _keep(
    session: Session,
    kind: EvaluationKind,
    epoch: int,
    sharing: KeySharing,
    holders: list[dict[str, Any]],
) -> None:
    session.execute(
        insert(SharedKey).values(
            kind=kind,
            epoch=epoch,
            platform_key=sharing.platform_key,
            commitments=b"".join(sharing.commitments),
            holders=holders,
        )
    )
