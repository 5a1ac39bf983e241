"""The rows of a key rotation: moved, turned and cleared in steps, while everybody works on.

Each step is a bounded part of one transaction, so a process that dies loses at most one step and
the next one goes on. Only a role that may read the vault does any of it.

1. Moving: elements times the factor, with a proof for each chunk, and a second set of postings.
2. Turning, once the new epoch is open: the row is of the new epoch, and of the old one too.
3. Gathering, once the old epoch is closed: what was sent under it late is moved in the vault.
4. Clearing: the postings of the old epoch go.
"""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sqlalchemy import Row, exists, func, select, text, update
from sqlalchemy.orm import Session

from app.access import CONSOLE
from app.clock import now
from app.indicators import storage
from app.indicators.hooks import Hooks, Rotated
from app.indicators.models import Indicator
from app.indicators.storage import Posting, split_tokens
from app.indicators.vault import Vault
from app.pseudonyms import rotation as rotations
from app.pseudonyms.models import ElementVault
from app.pseudonyms.rotation_models import KeyRotation, RotationState
from app.runtime import runtime
from postern import group, pseudonym
from postern import rotation as proofs
from postern.vocabulary import EVALUATION_KIND, EvaluationKind, Kind

BATCH = 500
"""Indicators of one step."""

_SECONDS = 5.0  # of one run of the duty, so that its transaction stays short
_ROW = 1 + group.SIZE  # bytes of the vault for an element: its facet, then itself


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a rotation stands: rows of the vault and of the index that wait for the next step."""

    rotation: KeyRotation
    left: int
    waiting: int


def work(session: Session) -> int:
    """Do what can be done of every running rotation in a few seconds; returns rows and steps.

    0 too for a role that may not read the vault: then a process that may has to do it.
    """
    if not may_work(session):
        return 0
    done, until = 0, time.monotonic() + _SECONDS
    for rotation in rotations.all_running(session):
        while time.monotonic() < until:
            did, is_last = step(session, rotation)
            done += did
            if is_last or not did:
                break
    return done


def may_work(session: Session) -> bool:
    """Whether this database role may read and write the vault."""
    if session.get_bind().dialect.name == "sqlite":
        return True
    return bool(session.scalar(_MAY_WORK))


def step(session: Session, rotation: KeyRotation, most: int = BATCH) -> tuple[int, bool]:
    """The next part of a rotation: how much was done, and whether the transaction should end.

    (0, ...) when it waits for the end of the overlap, or is done.
    """
    do = _STEPS.get(rotation.state)
    return (0, True) if do is None else do(session, rotation, most)


def progress(session: Session) -> list[Progress]:
    """Every rotation, the newest first, with what is left to do in its present state."""
    return [
        Progress(
            each,
            _left(session, each),
            rotations.waiting(session, each) if each.state is RotationState.OVERLAPPING else 0,
        )
        for each in rotations.rotations(session)
    ]


def _moving(session: Session, rotation: KeyRotation, most: int) -> tuple[int, bool]:
    moved = _move(session, rotation, most)
    if moved or _begins_again(rotation):
        return max(moved, 1), False
    rotations.switch(session, CONSOLE, rotation)
    return 1, True


def _overlapping(session: Session, rotation: KeyRotation, most: int) -> tuple[int, bool]:
    if rotation.turned_at is not None:
        if not rotations.may_close(session, rotation):
            return 0, True
        rotations.close(session, CONSOLE, rotation)
        return 1, True
    turned = _turn(session, rotation, most)
    if turned or _begins_again(rotation):
        return max(turned, 1), False
    rotation.turned_at = now()
    return 1, True


def _gathering(session: Session, rotation: KeyRotation, most: int) -> tuple[int, bool]:
    moved = _move(session, rotation, most)
    if moved or _begins_again(rotation):
        return max(moved, 1), False
    rotation.state = RotationState.CLEARING
    return 1, True


def _clearing(session: Session, rotation: KeyRotation, most: int) -> tuple[int, bool]:
    cleared = _clear(session, rotation, most)
    if cleared or _begins_again(rotation):
        # The key is wiped by a transaction of its own: a refusal must undo nothing else.
        return max(cleared, 1), cleared < most
    rotations.wipe(session, CONSOLE, rotation)
    return 1, True


def _begins_again(rotation: KeyRotation) -> bool:
    """Whether the pass is to be made once more from the first row: some may have come behind it."""
    if rotation.after == 0:
        return False
    rotation.after = 0
    return True


def _move(session: Session, rotation: KeyRotation, most: int) -> int:
    rows = session.execute(
        select(
            Indicator.id,
            Indicator.public_id,
            Indicator.organisation_id,
            Indicator.share_class_id,
            Indicator.seen_day,
            Indicator.tokens,
            Indicator.also_epoch,
            Indicator.epoch,
            ElementVault.sealed,
        )
        .join(ElementVault, ElementVault.indicator_id == Indicator.id)
        .where(
            ElementVault.kind == rotation.kind,
            ElementVault.epoch == rotation.old_epoch,
            ElementVault.indicator_id > rotation.after,
        )
        .order_by(Indicator.id)
        .limit(most)
        .with_for_update(key_share=True, of=Indicator)
    ).all()
    if not rows:
        return 0
    vault, d = runtime().part(Vault), rotations.factor_of(rotation)
    sealed: list[dict[str, Any]] = []
    changed: list[dict[str, Any]] = []
    postings: list[Posting] = []
    by_owner = sorted(rows, key=lambda row: (row.organisation_id, row.id))
    for owner, owned in groupby(by_owner, key=lambda row: row.organisation_id):
        for chunk in _chunks(vault, rotation, owned):
            elements = [element for _, held in chunk for _, element in held]
            moved = proofs.move(rotations.statement_of(rotation), d, rotation.chunks + 1, elements)
            rotations.keep_chunk(session, rotation, owner, moved)
            new = iter(moved.new)
            for row, held in chunk:
                after = [(facet, next(new)) for facet, _ in held]
                sealed.append(_sealed(vault, rotation, row, after))
                if row.also_epoch is None and row.epoch == rotation.old_epoch:
                    blob, posted = _posted(rotation, row, held, after)
                    changed.append(blob)
                    postings += posted
    session.execute(update(ElementVault), sealed)
    if changed:
        session.execute(update(Indicator), changed)
    storage.insert_postings(session, postings)
    rotation.after = rows[-1].id
    session.flush()
    return len(rows)


def _chunks(
    vault: Vault, rotation: KeyRotation, rows: Iterable[Any]
) -> Iterator[list[tuple[Row[Any], list[tuple[int, bytes]]]]]:
    """Rows with their elements, as many in each list as one proof holds."""
    chunk: list[tuple[Row[Any], list[tuple[int, bytes]]]] = []
    size = 0
    for row in rows:
        joined = vault.open(row.public_id, rotation.kind, rotation.old_epoch, bytes(row.sealed))
        held = [(joined[at], joined[at + 1 : at + _ROW]) for at in range(0, len(joined), _ROW)]
        if size + len(held) > proofs.MOST_ROWS:
            yield chunk
            chunk, size = [], 0
        chunk.append((row, held))
        size += len(held)
    yield chunk


def _sealed(
    vault: Vault, rotation: KeyRotation, row: Row[Any], elements: Sequence[tuple[int, bytes]]
) -> dict[str, Any]:
    joined = b"".join(bytes((facet,)) + element for facet, element in elements)
    return {
        "indicator_id": row.id,
        "epoch": rotation.new_epoch,
        "sealed": vault.seal(row.public_id, rotation.kind, rotation.new_epoch, joined),
    }


def _posted(
    rotation: KeyRotation,
    row: Row[Any],
    held: Sequence[tuple[int, bytes]],
    after: Sequence[tuple[int, bytes]],
) -> tuple[dict[str, Any], list[Posting]]:
    """What the indicator is found by in the new epoch: the facets by which it is found already."""
    kind = rotation.kind.value
    moved: Mapping[bytes, tuple[int, bytes]] = {
        pseudonym.token(kind, rotation.old_epoch, old): (
            facet,
            pseudonym.token(kind, rotation.new_epoch, new),
        )
        for (facet, old), (_, new) in zip(held, after, strict=True)
    }
    old_tokens = bytes(row.tokens)
    found = [moved[token] for token in split_tokens(old_tokens)]
    changed = {
        "id": row.id,
        "also_epoch": rotation.new_epoch,
        "tokens": old_tokens + b"".join(token for _, token in found),
    }
    return changed, [
        Posting(token, row.id, row.share_class_id, row.seen_day, facet) for facet, token in found
    ]


def _turn(session: Session, rotation: KeyRotation, most: int) -> int:
    rows = _doubled(session, rotation, most, turned=False)
    if not rows:
        return 0
    session.execute(
        update(Indicator),
        [
            {
                "id": row.id,
                "epoch": rotation.new_epoch,
                "also_epoch": rotation.old_epoch,
                "tokens": b"".join(reversed(_halves(row.tokens))),
            }
            for row in rows
        ],
    )
    for owner, owned in groupby(
        sorted(rows, key=lambda row: (row.organisation_id, row.id)),
        key=lambda row: row.organisation_id,
    ):
        told = Rotated(owner, now(), [row.id for row in owned if row.restricted_at is None])
        for tell in runtime().part(Hooks).rotated:
            tell(session, told)
    rotation.after = rows[-1].id
    return len(rows)


def _clear(session: Session, rotation: KeyRotation, most: int) -> int:
    rows = _doubled(session, rotation, most, turned=True)
    if not rows:
        return 0
    changed, gone = [], []
    for row in rows:
        first, second = _halves(row.tokens)
        kept, old = (first, second) if row.epoch == rotation.new_epoch else (second, first)
        changed.append(
            {"id": row.id, "epoch": rotation.new_epoch, "also_epoch": None, "tokens": kept}
        )
        gone.append((old, row.id))
    session.execute(update(Indicator), changed)
    storage.delete_postings(session, gone)
    rotation.after = rows[-1].id
    return len(rows)


def _doubled(session: Session, rotation: KeyRotation, most: int, *, turned: bool) -> Sequence[Any]:
    """Rows with tokens of both epochs, held until the commit; `turned`: whichever comes first."""
    wanted = (
        select(
            Indicator.id,
            Indicator.organisation_id,
            Indicator.epoch,
            Indicator.tokens,
            Indicator.restricted_at,
        )
        .where(
            Indicator.kind.in_(kinds_of(rotation.kind)),
            Indicator.also_epoch.is_not(None),
            Indicator.id > rotation.after,
        )
        .order_by(Indicator.id)
        .limit(most)
        .with_for_update(key_share=True)
    )
    if not turned:
        wanted = wanted.where(Indicator.epoch == rotation.old_epoch)
    return session.execute(wanted).all()


def kinds_of(evaluated: EvaluationKind) -> list[Kind]:
    """The kinds of indicators whose values are evaluated under this kind's key."""
    return [kind for kind, each in EVALUATION_KIND.items() if each is evaluated]


def _halves(joined: bytes) -> tuple[bytes, bytes]:
    half = len(joined) // 2
    return bytes(joined[:half]), bytes(joined[half:])


def _left(session: Session, rotation: KeyRotation) -> int:
    """Rows that the present state has yet to do, as far as the role may count them."""
    if rotation.state in {RotationState.MOVING, RotationState.DONE}:
        unmoved = select(func.count()).where(
            Indicator.kind.in_(kinds_of(rotation.kind)),
            Indicator.epoch == rotation.old_epoch,
            Indicator.also_epoch.is_(None),
            exists().where(ElementVault.indicator_id == Indicator.id),
        )
        return session.scalar(unmoved) or 0
    doubled = select(func.count()).where(
        Indicator.kind.in_(kinds_of(rotation.kind)), Indicator.also_epoch.is_not(None)
    )
    if rotation.state is RotationState.OVERLAPPING:
        doubled = doubled.where(Indicator.epoch == rotation.old_epoch)
    return session.scalar(doubled) or 0


_MAY_WORK = text(
    "SELECT has_column_privilege('element_vault', 'sealed', 'SELECT')"
    " AND has_column_privilege('element_vault', 'sealed', 'UPDATE')"
)

_STEPS = {
    RotationState.MOVING: _moving,
    RotationState.OVERLAPPING: _overlapping,
    RotationState.GATHERING: _gathering,
    RotationState.CLEARING: _clearing,
}
