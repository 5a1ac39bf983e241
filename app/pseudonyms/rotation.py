"""Rotations of evaluation keys: begin one, what writes must do meanwhile, switch, close, wipe.

Who wins a secret key tests guesses against every copy of the matching tables. A new key ends that
for what is stored from then on, and moving what is stored ends it for the rest; it must neither
lose a row nor stop anybody. So from the first moment every write is posted under both epochs; the
rows that were there are moved one after another (`app.indicators.rotating`); then the new epoch
opens, and the old one is still taken until those who work with it are through.

Invariant: a transaction that writes tokens holds `stand_still` off by `writing`, reads the state
after that, and posts under both epochs of a rotation. So after `begin` has committed no row can
appear that has the tokens of the old epoch alone, and after `close` none that has them at all.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from pathlib import Path

from sqlalchemy import func, insert, select, text, update
from sqlalchemy.orm import Session

from app.access import Caller
from app.audit.service import append
from app.clock import now
from app.errors import ConflictError, NotFoundError, UnavailableError
from app.pseudonyms.evaluator import SingleKeyEvaluator
from app.pseudonyms.key_files import KeyFiles
from app.pseudonyms.models import KeyEpoch
from app.pseudonyms.rotation_models import KeyRotation, KeyRotationChunk, RotationState
from app.pseudonyms.sharing import find, sharing_of
from app.runtime import runtime
from app.secret_files import Sealer
from postern import group
from postern import rotation as proofs
from postern.base64url import to_base64url
from postern.normalise import NORMALISER_VERSION
from postern.vocabulary import EvaluationKind

EPOCH_LENGTH = timedelta(days=365)
ROWS_KEPT = timedelta(days=30)
"""How long an owner may have the rows of its chunks, which prove that they were moved rightly."""

_ERASED_AGAIN = timedelta(days=60)
"""For how long a role that cannot see what is erased erases what came to its end, once a day."""

_LOCK = 7_461_923  # of writers, shared, and of `begin` and `close`
_RUNNING = KeyRotation.state != RotationState.DONE


@dataclass(frozen=True, slots=True)
class Twin:
    """The other epoch in which a value is found while a key is rotated.

    `factor` times an element of the epoch in hand is the element there.
    """

    epoch: int
    factor: bytes


@dataclass
class RotationHooks:
    """What rooms above do for a rotation; they register here, from their `start`.

    `waiting` counts what still works with the old epoch and would be lost by closing it.
    """

    waiting: list[Callable[[Session, EvaluationKind, int], int]] = field(default_factory=list)


def writing(session: Session) -> None:
    """Until the commit no rotation begins and no epoch closes; to be called before tokens are read.

    On SQLite there is one writer anyhow.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock_shared(:key)"), {"key": _LOCK})


def twin_of(session: Session, kind: EvaluationKind, epoch: int) -> Twin | None:
    """Where else a value sent in `epoch` is posted; None when no rotation concerns it.

    UnavailableError when the factor of a rotation cannot be read: then nothing may be written.
    """
    found = running(session, kind)
    return None if found is None else _twin(found, epoch)


def twins(session: Session) -> Callable[[EvaluationKind, int], Twin | None]:
    """`twin_of` for many values of one transaction: the rotations are read once."""
    found = {each.kind: each for each in session.scalars(select(KeyRotation).where(_RUNNING))}

    @cache
    def of(kind: EvaluationKind, epoch: int) -> Twin | None:
        return _twin(found[kind], epoch) if kind in found else None

    return of


def _twin(found: KeyRotation, epoch: int) -> Twin | None:
    if found.state not in {RotationState.MOVING, RotationState.OVERLAPPING}:
        return None
    if epoch == found.old_epoch:
        return Twin(found.new_epoch, factor_of(found))
    if epoch == found.new_epoch and found.state is RotationState.OVERLAPPING:
        return Twin(found.old_epoch, group.invert(factor_of(found)))
    return None


def is_overlapping(session: Session, kind: EvaluationKind, epoch: int) -> bool:
    """Whether an epoch that is not the newest is still taken, because its key is being rotated."""
    found = running(session, kind)
    return (
        found is not None and found.state is RotationState.OVERLAPPING and found.old_epoch == epoch
    )


def running(session: Session, kind: EvaluationKind) -> KeyRotation | None:
    """The rotation of a kind that is not done."""
    return session.scalars(
        select(KeyRotation).where(KeyRotation.kind == kind, _RUNNING)
    ).one_or_none()


def all_running(session: Session) -> list[KeyRotation]:
    """Every rotation that is not done, by kind; locked until the commit."""
    return list(
        session.scalars(
            select(KeyRotation)
            .where(_RUNNING)
            .order_by(KeyRotation.kind)
            .with_for_update(skip_locked=True)
        )
    )


def rotations(session: Session) -> list[KeyRotation]:
    """All rotations, the newest first."""
    return list(session.scalars(select(KeyRotation).order_by(KeyRotation.began_at.desc())))


def factor_of(rotation: KeyRotation) -> bytes:
    """The factor of a running rotation; UnavailableError when its file is not there."""
    files = runtime().part(KeyFiles)
    found = files.factor(rotation.kind, rotation.new_epoch)
    if found is None:
        name = files.factor_path(rotation.kind, rotation.new_epoch).name
        raise UnavailableError(
            f"The factor of the rotation of {rotation.kind.value} is missing.",
            remedy=f"The platform's administrator must copy {name} to the secrets of this process"
            " from those with which the rotation began, or restore it from the backup.",
        )
    return found


def statement_of(rotation: KeyRotation) -> proofs.Rotation:
    """What the proofs of a rotation speak of."""
    return proofs.Rotation(
        rotation.kind.value,
        rotation.old_epoch,
        rotation.new_epoch,
        bytes(rotation.old_key),
        bytes(rotation.new_key),
    )


def prepare(
    session: Session, kinds: Sequence[EvaluationKind], factor: bytes | None = None
) -> list[Path]:
    """Draw the keys and factors that `begin` will use; the files that each process must have.

    Where processes have secrets of their own, each that writes tokens gets them before that. It
    raises what `begin` does, and changes nothing in the database.
    """
    found = []
    for kind in kinds:
        old, _ = _drawn(session, kind, factor)
        found.append(runtime().part(KeyFiles).factor_path(kind, old.epoch + 1))
    return found


def begin(
    session: Session,
    caller: Caller,
    kinds: Sequence[EvaluationKind],
    overlap_days: int,
    factor: bytes | None = None,
) -> list[KeyRotation]:
    """Draw a new key for each kind; from the commit on every write is posted under both.

    A key that is shared with holders moves by the `factor` by which they moved their shares. A
    key file that is there already, of a try that did not commit, is used. ConflictError when a
    key of a kind is being rotated, or its sharing does not fit the factor; NotFoundError when a
    kind has no epoch.
    """
    _stand_still(session)
    _keep_keys(session)
    begun = [_begin(session, kind, overlap_days, factor) for kind in kinds]
    append(
        session,
        caller,
        "key.rotate",
        object_type="key_epoch",
        count=len(begun),
        details={
            "epochs": [_name(each, each.new_epoch) for each in begun],
            "public_keys": [to_base64url(each.new_key) for each in begun],
        },
    )
    return begun


def switch(session: Session, caller: Caller, rotation: KeyRotation) -> None:
    """Open the new epoch; everything stored is found under both from before this."""
    moment = now().replace(microsecond=0)
    session.execute(
        insert(KeyEpoch).values(
            kind=rotation.kind,
            epoch=rotation.new_epoch,
            norm=NORMALISER_VERSION,
            public_key=bytes(rotation.new_key),
            valid_from=moment,
            valid_to=moment + EPOCH_LENGTH,
        )
    )
    # The old epoch stays valid in the key document until it closes, whatever day it was to end.
    session.execute(
        update(KeyEpoch)
        .where(KeyEpoch.kind == rotation.kind, KeyEpoch.epoch == rotation.old_epoch)
        .values(valid_to=moment + EPOCH_LENGTH)
    )
    rotation.state, rotation.switched_at, rotation.after = RotationState.OVERLAPPING, moment, 0
    _log(session, caller, "key.epoch", rotation)


def may_close(session: Session, rotation: KeyRotation) -> bool:
    """Whether the time of the overlap is over and nothing waits under the old epoch any more."""
    if rotation.switched_at is None or rotation.turned_at is None:
        return False
    over = rotation.switched_at + timedelta(days=rotation.overlap_days) <= now()
    return over and waiting(session, rotation) == 0


def waiting(session: Session, rotation: KeyRotation) -> int:
    """How many things of members still wait under the old epoch."""
    return sum(
        count(session, rotation.kind, rotation.old_epoch)
        for count in runtime().part(RotationHooks).waiting
    )


def close(session: Session, caller: Caller, rotation: KeyRotation) -> None:
    """Take the old epoch no more. What still waits under it is lost: `waiting` counts it."""
    _stand_still(session)
    moment = now().replace(microsecond=0)
    session.execute(
        update(KeyEpoch)
        .where(KeyEpoch.kind == rotation.kind, KeyEpoch.epoch == rotation.old_epoch)
        .values(valid_to=moment)
    )
    rotation.state, rotation.closed_at, rotation.after = RotationState.GATHERING, moment, 0
    _log(session, caller, "key.close", rotation, waiting=waiting(session, rotation))


def close_now(session: Session, caller: Caller, kind: EvaluationKind) -> int:
    """Close the old epoch of a kind before its time; returns how much was lost by it.

    ConflictError unless both epochs are open and every row is read as the new one.
    """
    found = running(session, kind)
    if found is None or found.state is not RotationState.OVERLAPPING or found.turned_at is None:
        raise ConflictError(
            f"The old epoch of {kind.value} cannot be closed now.",
            remedy="See how it stands with: flask --app wsgi keys rotations",
        )
    lost = waiting(session, found)
    found.overlap_days = 0
    close(session, caller, found)
    return lost


def wipe(session: Session, caller: Caller, rotation: KeyRotation) -> None:
    """Forget the old key and the factor, and the seed when no key in use follows from it.

    UnavailableError when the files cannot be changed by this user: then the rotation is not done.
    """
    files = runtime().part(KeyFiles)
    try:
        files.wipe(rotation.kind, rotation.old_epoch, rotation.new_epoch)
        files.replace_seed(runtime().secrets.evaluation)
    except OSError as error:
        raise UnavailableError(
            f"The old key of {rotation.kind.value} could not be deleted ({type(error).__name__}).",
            remedy="Let a user who may write the secrets run: flask --app wsgi keys rotate --work",
        ) from None
    rotation.state, rotation.done_at = RotationState.DONE, now()
    _log(session, caller, "key.wipe", rotation)


def keep_chunk(session: Session, rotation: KeyRotation, owner: int, moved: proofs.Moved) -> None:
    """Keep a chunk and chain its statement; its rows are sealed for their owner."""
    statement = moved.statement
    session.execute(
        insert(KeyRotationChunk).values(
            kind=rotation.kind,
            new_epoch=rotation.new_epoch,
            number=statement.number,
            organisation_id=owner,
            elements=statement.rows,
            old=statement.old,
            new=statement.new,
            m=statement.m,
            z=statement.z,
            proof=statement.proof,
            made_at=now(),
            sealed_rows=_rows_sealer().seal(
                b"".join((*moved.old, *moved.new)), _rows_context(rotation, statement.number)
            ),
        )
    )
    rotation.chunks = statement.number
    rotation.elements += statement.rows
    rotation.head = proofs.next_head(bytes(rotation.head), statement)


def proof_lines(
    session: Session, kind: EvaluationKind, new_epoch: int, *, owner: int | None = None
) -> Iterator[str]:
    """The lines of the proof file; with the rows of `owner`, by its id, as long as they are kept.

    NotFoundError when there is no such rotation.
    """
    found = session.get(KeyRotation, (kind, new_epoch))
    if found is None:
        raise NotFoundError
    yield from proofs.written(statement_of(found), _chunks(session, found, owner))


def read_proof(
    session: Session,
    caller: Caller,
    kind: EvaluationKind,
    new_epoch: int,
    *,
    owner: int | None = None,
    organisation: str | None = None,
) -> list[str]:
    """The lines of `proof_lines`; logged, and told to the organisation whose rows they hold."""
    lines = list(proof_lines(session, kind, new_epoch, owner=owner))
    append(
        session,
        caller,
        "key.proof",
        audience=[] if organisation is None else [organisation],
        object_type="key_epoch",
        count=1,
        details={"epochs": [f"{kind.value}/{new_epoch}"]},
    )
    return lines


def erase_rows(session: Session) -> int:
    """Erase the rows of chunks whose owners had time enough to ask for them; returns how many.

    A role that may erase rows and read none, as the worker's, does it to all that came to their
    end in the last weeks, however often, and counts none.
    """
    due = now() - ROWS_KEPT
    erasing = update(KeyRotationChunk).where(KeyRotationChunk.made_at <= due)
    sees = session.get_bind().dialect.name == "sqlite" or bool(session.scalar(_SEES_ROWS))
    erased = session.execute(
        erasing.where(
            KeyRotationChunk.sealed_rows.is_not(None)
            if sees
            else KeyRotationChunk.made_at > due - _ERASED_AGAIN
        ).values(sealed_rows=None),
        execution_options={"synchronize_session": False},
    )
    return int(getattr(erased, "rowcount", 0)) if sees else 0


def _begin(
    session: Session, kind: EvaluationKind, overlap_days: int, given: bytes | None
) -> KeyRotation:
    old, d = _drawn(session, kind, given)
    rotation = KeyRotation(
        kind=kind,
        new_epoch=old.epoch + 1,
        old_epoch=old.epoch,
        old_key=bytes(old.public_key),
        new_key=group.mul(d, bytes(old.public_key)),
        state=RotationState.MOVING,
        overlap_days=overlap_days,
        began_at=now(),
        after=0,
        chunks=0,
        elements=0,
        head=proofs.NO_HEAD,
    )
    session.add(rotation)
    session.flush()
    return rotation


def _drawn(session: Session, kind: EvaluationKind, given: bytes | None) -> tuple[KeyEpoch, bytes]:
    """The epoch that a rotation leaves, and the factor to the next one, written to its file."""
    if running(session, kind) is not None:
        raise ConflictError(
            f"The key of {kind.value} is being rotated.",
            remedy="See how it stands with: flask --app wsgi keys rotations",
        )
    old = session.scalars(
        select(KeyEpoch).where(KeyEpoch.kind == kind).order_by(KeyEpoch.epoch.desc()).limit(1)
    ).one_or_none()
    if old is None:
        raise NotFoundError(
            f"The kind {kind.value} has no key epoch.", remedy="Run: flask --app wsgi keys open"
        )
    _check_sharing(session, old, given)
    return old, _factor(kind, old.epoch, old.epoch + 1, given)


def _check_sharing(session: Session, old: KeyEpoch, given: bytes | None) -> None:
    """Return when the key is held alone and no factor is given, or it is shared and moved by it."""
    if find(session, old.kind, old.epoch) is None:
        if given is not None:
            raise ConflictError(
                f"The platform holds the key of {old.kind.value} alone, and draws its own factor.",
                remedy="Leave the file of a factor away.",
            )
        return
    moved = find(session, old.kind, old.epoch + 1)
    if given is None or moved is None:
        raise ConflictError(
            f"The key of {old.kind.value} is shared with holders, who move their shares first.",
            remedy="Draw a factor with `keys draw-factor`; have each holder run `holder move` with "
            "it, and run `keys move-sharing`; then `keys rotate` with its file.",
        )
    if sharing_of(moved).public_key != group.mul(given, bytes(old.public_key)):
        raise ConflictError(
            f"The shares of {old.kind.value}/{old.epoch + 1} were moved by another factor.",
            remedy="Use the file with which `keys move-sharing` was run.",
        )


def _factor(kind: EvaluationKind, old_epoch: int, epoch: int, given: bytes | None) -> bytes:
    """The factor to the new key, both written to files; those of an earlier try are used."""
    files, evaluator = runtime().part(KeyFiles), runtime().part(SingleKeyEvaluator)
    old = evaluator.secret_key(kind, old_epoch)
    key = files.key(kind, epoch)
    if key is None:
        key = group.random_scalar() if given is None else group.scalar_mul(old, given)
        files.keep_key(kind, epoch, key)
    d = proofs.factor(old, key)
    if given not in {None, d}:
        raise ConflictError(
            f"The secrets hold a key of {kind.value}/{epoch} that another factor made.",
            remedy="Restore the secrets as they were before that, and begin again.",
        )
    kept = files.factor(kind, epoch)
    if kept is None:
        files.keep_factor(kind, epoch, d)
    return d if kept is None else kept


def _keep_keys(session: Session) -> None:
    """Write down every key that follows from the seed, so that the seed can be forgotten."""
    files, evaluator = runtime().part(KeyFiles), runtime().part(SingleKeyEvaluator)
    newest = select(KeyEpoch.kind, func.max(KeyEpoch.epoch)).group_by(KeyEpoch.kind)
    for kind, epoch in session.execute(newest):
        if files.key(kind, epoch) is None:
            files.keep_key(kind, epoch, evaluator.secret_key(kind, epoch))


def _stand_still(session: Session) -> None:
    """Wait for every transaction that writes tokens, and keep new ones waiting until the commit."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})


def _chunks(
    session: Session, rotation: KeyRotation, owner: int | None
) -> Iterable[tuple[proofs.Statement, proofs.Moved | None]]:
    columns = [column for column in KeyRotationChunk.__table__.columns if column.name != _ROWS]
    if owner is not None:
        columns.append(KeyRotationChunk.__table__.columns[_ROWS])
    wanted = (
        select(*columns)
        .where(
            KeyRotationChunk.kind == rotation.kind,
            KeyRotationChunk.new_epoch == rotation.new_epoch,
        )
        .order_by(KeyRotationChunk.number)
        .execution_options(yield_per=100)
    )
    for row in session.execute(wanted):
        statement = proofs.Statement(
            row.number,
            row.elements,
            *(bytes(part) for part in (row.old, row.new, row.m, row.z, row.proof)),
        )
        is_shown = owner is not None and row.organisation_id == owner and row.sealed_rows
        yield statement, _opened(rotation, statement, row.sealed_rows) if is_shown else None


def _opened(rotation: KeyRotation, statement: proofs.Statement, sealed: bytes) -> proofs.Moved:
    joined = _rows_sealer().open(bytes(sealed), _rows_context(rotation, statement.number))
    rows = [joined[at : at + group.SIZE] for at in range(0, len(joined), group.SIZE)]
    half = len(rows) // 2
    return proofs.Moved(statement, tuple(rows[:half]), tuple(rows[half:]))


def _rows_sealer() -> Sealer:
    return Sealer(runtime().secrets.vault)


def _rows_context(rotation: KeyRotation, number: int) -> bytes:
    numbers = rotation.new_epoch.to_bytes(4, "big") + number.to_bytes(4, "big")
    return b"postern/rotation-rows/v1" + numbers + rotation.kind.value.encode("ascii")


def _log(session: Session, caller: Caller, act: str, rotation: KeyRotation, **more: object) -> None:
    append(
        session,
        caller,
        act,
        object_type="key_epoch",
        count=1,
        details={
            "epochs": [_name(rotation, rotation.new_epoch)],
            "public_keys": [to_base64url(bytes(rotation.new_key))],
            "proof": {
                "chunks": rotation.chunks,
                "elements": rotation.elements,
                "head": to_base64url(bytes(rotation.head)),
            },
            **more,
        },
    )


def _name(rotation: KeyRotation, epoch: int) -> str:
    return f"{rotation.kind.value}/{epoch}"


_ROWS = "sealed_rows"
_SEES_ROWS = text("SELECT has_column_privilege('key_rotation_chunk', 'sealed_rows', 'SELECT')")
