"""A person's second factors: kept, used and taken away.

What is threatened: a stolen or guessed password, a session left open, a code read over a shoulder,
a stolen copy of the database, and a helpful administrator. Therefore secrets and names are sealed,
a code counts once and within one step of its time, recovery codes are stored as keyed digests, and
nobody but their person adds or removes a factor; a reset needs two others.
"""

import base64
import hmac
import json
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pyotp
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from app import clock, row_security
from app.access import Caller
from app.accounts import passkeys
from app.accounts.authentication import must_have_factor, roles_of
from app.accounts.factor_models import FactorKind, RecoveryCode, SecondFactor
from app.accounts.models import PersonAccount, WebSession
from app.accounts.own_notices import tell_caller
from app.accounts.passkeys import Passkey, Purpose
from app.accounts.profiles import profiles
from app.accounts.records import refuse_break_glass
from app.audit.service import append
from app.errors import ConflictError, InvalidRequestError, NotFoundError
from app.jobs.notifications import notify
from app.runtime import runtime
from app.secret_files import Sealer
from postern.base64url import from_base64url, to_base64url
from postern.vocabulary import Role

BY_RECOVERY = "recovery"
RECOVERY_CODES = 10
MOST_FACTORS = 10
LONGEST_NAME = 60  # characters

_CONTEXT = b"postern/second_factor/v1/"
_DRAFT_CONTEXT = b"postern/second_factor/draft/v1/"
_STEP = 30  # seconds, RFC 6238
_DIGITS = 6
_CODE_LENGTH = 10  # bytes of a recovery code
_DRAFT_LIFE = timedelta(minutes=30)


class TooManyFactorsError(ConflictError):
    code = "factors-too-many"
    title = f"You have {MOST_FACTORS} second factors already"
    remedy = "Remove one that you do not use any more."


class LastFactorError(ConflictError):
    code = "factor-last"
    title = "Your roles need a second factor, and this is the last one"
    remedy = "Add another one first, then remove this one."


@dataclass(frozen=True, repr=False)
class Factor:
    """One second factor as its person sees it."""

    id: UUID
    kind: FactorKind
    name: str
    added_at: datetime
    last_used_at: datetime | None


@dataclass(frozen=True, repr=False)
class OwnFactors:
    """A person's factors, and how many recovery codes are left."""

    factors: Sequence[Factor]
    codes_left: int
    is_needed: bool


@dataclass(frozen=True, repr=False)
class Draft:
    """A secret that waits for the first code of the app: shown, and sealed for the form."""

    secret: str
    address: str  # otpauth://, for the picture
    sealed: str


@dataclass(frozen=True, repr=False)
class Proof:
    """What a person offers as a second factor: a code, or a browser's answer of a passkey."""

    code: str = ""
    passkey: str = ""


def has_factor(session: Session, person_id: int) -> bool:
    """Whether the person has a second factor, and is therefore asked for one."""
    found = session.scalar(
        select(SecondFactor.id).where(SecondFactor.person_id == person_id).limit(1)
    )
    return found is not None


def read_own(session: Session, caller: Caller) -> OwnFactors:
    """The caller's second factors. Logged."""
    person_id = caller.member[1]
    rows = _rows(session, person_id)
    append(session, caller, "interface.read", object_type="account", count=1)
    return OwnFactors(
        factors=[
            Factor(row.public_id, row.kind, _opened(row)["name"], row.added_at, row.last_used_at)
            for row in rows
        ],
        codes_left=session.scalar(select(func.count()).where(RecoveryCode.person_id == person_id))
        or 0,
        is_needed=must_have_factor(roles_of(session, person_id)),
    )


def draft(session: Session, caller: Caller) -> Draft:
    """A new secret for an authenticator app of the caller, which is stored nowhere yet."""
    person = session.get_one(PersonAccount, caller.member[1])
    secret = pyotp.random_base32()
    login = profiles().open(person.sealed_profile, person.public_id).login
    end = int((clock.now() + _DRAFT_LIFE).timestamp())
    plain = json.dumps({"secret": secret, "end": end}).encode()
    sealed = _sealer().seal(plain, _DRAFT_CONTEXT + person.public_id.bytes)
    return _draft_of(secret, login, to_base64url(sealed))


def drafted(session: Session, caller: Caller, sealed: str) -> Draft | None:
    """The draft that the form brings back; None when it is not the caller's or has ended."""
    person = session.get_one(PersonAccount, caller.member[1])
    raw = from_base64url(sealed)
    try:
        plain = _sealer().open(raw or b"", _DRAFT_CONTEXT + person.public_id.bytes)
    except ValueError:
        return None
    told = json.loads(plain)
    if clock.now().timestamp() >= told["end"]:
        return None
    login = profiles().open(person.sealed_profile, person.public_id).login
    return _draft_of(told["secret"], login, sealed)


def add_app(
    session: Session,
    caller: Caller,
    found: Draft,
    code: str,
    name: str,
    *,
    keep: bytes,
) -> Sequence[str] | None:
    """Add an authenticator app whose first code is right; None when it is wrong.

    Returns recovery codes where the caller had none, to be shown once. Other sessions than `keep`
    end. Raises TooManyFactorsError, BreakGlassAccountError, InvalidRequestError for the name.
    """
    person = _hold(session, caller)
    step = _step_of(found.secret, code, after=0)
    if step is None:
        return None
    told = {"name": _checked(name), "secret": found.secret}
    _add(session, person, FactorKind.TOTP, told, counter=step)
    return _added(session, caller, person, FactorKind.TOTP, keep)


def add_passkey(
    session: Session, caller: Caller, answer: str, name: str, keep: bytes
) -> Sequence[str] | None:
    """Add the passkey that the browser made; None when its answer does not hold. As `add_app`."""
    person = _hold(session, caller)
    found = passkeys.made(session, answer, keep)
    if found is None or _by_credential(session, found.credential_id) is not None:
        return None
    told = {
        "name": _checked(name),
        "id": to_base64url(found.credential_id),
        "key": to_base64url(found.public_key),
    }
    index = _index(found.credential_id)
    _add(session, person, FactorKind.PASSKEY, told, counter=found.count, credential_index=index)
    return _added(session, caller, person, FactorKind.PASSKEY, keep)


def rename(session: Session, caller: Caller, factor: UUID, name: str) -> None:
    """Name one's own factor; NotFoundError for every other."""
    row = _own(session, caller, factor)
    row.sealed = _sealed(row.public_id, _opened(row) | {"name": _checked(name)})
    append(session, caller, "factor.rename", object_type="account", count=1)


def remove(session: Session, caller: Caller, factor: UUID, keep: bytes) -> None:
    """Take one's own factor away; other sessions end. LastFactorError when one must be left.

    With the last factor the recovery codes go: the password alone is the way in then.
    """
    person = _hold(session, caller)
    row = _own(session, caller, factor)
    is_last = len(_rows(session, person.id)) == 1
    if is_last and must_have_factor(roles_of(session, person.id)):
        raise LastFactorError
    session.delete(row)
    if is_last:
        _forget_codes(session, person.id)
    _end_others(session, person.id, keep)
    _tell(session, caller, "factor.remove", row.kind)


def renew_codes(session: Session, caller: Caller) -> Sequence[str]:
    """New recovery codes, to be shown once; the former open nothing. Needs a factor."""
    person = _hold(session, caller)
    if not has_factor(session, person.id):
        raise NotFoundError
    codes = _new_codes(session, person)
    append(session, caller, "factor.recovery", object_type="account", count=len(codes))
    tell_caller(session, caller, "factor.recovery")
    return codes


def use(
    session: Session, person: PersonAccount, proof: Proof, purpose: Purpose, subject: bytes
) -> str | None:
    """What the proof is of ("totp", "passkey", "recovery"), spent by this; None when it fails.

    The caller holds the lock on the person's row, so no code is taken twice at once.
    """
    if proof.passkey:
        row = _signer(session, proof.passkey)
        is_theirs = row is not None and row.person_id == person.id
        if (
            row is None
            or not is_theirs
            or not _signs(session, row, proof.passkey, purpose, subject)
        ):
            return None
        return FactorKind.PASSKEY.value
    code = "".join(proof.code.replace("-", "").split()).upper()
    if len(code) == _DIGITS:
        return FactorKind.TOTP.value if _takes(session, person.id, code) else None
    left = session.get(RecoveryCode, (person.id, _code_index(person.public_id, code)))
    if left is None:
        return None
    session.delete(left)
    return BY_RECOVERY


def enter_with(session: Session, answer: str) -> int | None:
    """The id of the person whose passkey signed to enter without a password; None for nobody."""
    row = _signer(session, answer)
    if row is None or not _signs(session, row, answer, Purpose.ENTER, b""):
        return None
    return row.person_id


def credential_ids(session: Session, person_id: int) -> list[bytes]:
    """The ids of the person's passkeys, for the browser."""
    rows = _rows(session, person_id)
    ids = [from_base64url(_opened(row).get("id", "")) for row in rows]
    return [each for each in ids if each]


def forget_all(session: Session, person_id: int) -> int:
    """Take every factor and code of a person away, after two people decided; returns how many."""
    gone = session.scalars(
        delete(SecondFactor).where(SecondFactor.person_id == person_id).returning(SecondFactor.id)
    ).all()
    _forget_codes(session, person_id)
    return len(gone)


def _takes(session: Session, person_id: int, code: str) -> bool:
    for row in _rows(session, person_id):
        if row.kind is FactorKind.TOTP:
            step = _step_of(_opened(row)["secret"], code, after=row.counter)
            if step is not None:
                row.counter, row.last_used_at = step, clock.now()
                return True
    return False


def _step_of(secret: str, code: str, after: int) -> int | None:
    """The time step whose code this is: now, the one before or the one after, each once."""
    now = int(clock.now().timestamp()) // _STEP
    app = pyotp.TOTP(secret)
    offered = "".join(code.split()).encode()
    fitting = [
        step
        for step in (now - 1, now, now + 1)
        if hmac.compare_digest(app.generate_otp(step).encode(), offered)
    ]
    return next((step for step in fitting if step > after), None)


def _signs(
    session: Session, row: SecondFactor, answer: str, purpose: Purpose, subject: bytes
) -> bool:
    told = _opened(row)
    key = Passkey(
        from_base64url(told["id"]) or b"", from_base64url(told["key"]) or b"", row.counter
    )
    count = passkeys.count_of(session, answer, key, purpose, subject)
    if count is None:
        return False
    row.counter, row.last_used_at = count, clock.now()
    return True


def _signer(session: Session, answer: str) -> SecondFactor | None:
    credential = passkeys.id_of(answer)
    return None if credential is None else _by_credential(session, credential)


def _by_credential(session: Session, credential: bytes) -> SecondFactor | None:
    index = _index(credential)
    row_security.present(index, session)
    return session.scalar(
        select(SecondFactor).where(SecondFactor.credential_index == index).with_for_update()
    )


def _hold(session: Session, caller: Caller) -> PersonAccount:
    """The caller's row, locked until commit; BreakGlassAccountError for that of an emergency."""
    person = session.scalars(
        select(PersonAccount).where(PersonAccount.id == caller.member[1]).with_for_update()
    ).one()
    refuse_break_glass(session, person.id)
    return person


def _add(
    session: Session,
    person: PersonAccount,
    kind: FactorKind,
    told: dict[str, Any],
    *,
    counter: int,
    credential_index: bytes | None = None,
) -> None:
    if len(_rows(session, person.id)) >= MOST_FACTORS:
        raise TooManyFactorsError
    public_id = uuid4()
    session.add(
        SecondFactor(
            public_id=public_id,
            person_id=person.id,
            kind=kind,
            sealed=_sealed(public_id, told),
            credential_index=credential_index,
            counter=counter,
            added_at=clock.now(),
        )
    )


def _added(
    session: Session, caller: Caller, person: PersonAccount, kind: FactorKind, keep: bytes
) -> Sequence[str]:
    own = session.get(WebSession, keep)
    if own is not None:
        own.proved_by = sorted({*own.proved_by, kind.value})
        own.proved_at = clock.now()
    _end_others(session, person.id, keep)
    _tell(session, caller, "factor.add", kind)
    left = session.scalar(select(RecoveryCode).where(RecoveryCode.person_id == person.id).limit(1))
    return () if left is not None else _new_codes(session, person)


def _tell(session: Session, caller: Caller, act: str, kind: FactorKind) -> None:
    append(session, caller, act, object_type="account", count=1, details={"factor": kind.value})
    tell_caller(session, caller, act)
    facts = {"change": act, "person": str(caller.person)}
    for role in (Role.COMPLIANCE, Role.ADMINISTRATOR):
        notify(session, caller.member[0], role, "account.change", facts, f"/people/{caller.person}")


def _new_codes(session: Session, person: PersonAccount) -> Sequence[str]:
    _forget_codes(session, person.id)
    codes = [
        base64.b32encode(secrets.token_bytes(_CODE_LENGTH)).decode() for _ in range(RECOVERY_CODES)
    ]
    session.add_all(
        RecoveryCode(person_id=person.id, code_index=_code_index(person.public_id, code))
        for code in codes
    )
    return ["-".join(code[at : at + 4] for at in range(0, len(code), 4)) for code in codes]


def _forget_codes(session: Session, person_id: int) -> None:
    session.execute(delete(RecoveryCode).where(RecoveryCode.person_id == person_id))


def _end_others(session: Session, person_id: int, keep: bytes) -> None:
    session.execute(
        delete(WebSession).where(WebSession.person_id == person_id, WebSession.name_hash != keep)
    )


def _own(session: Session, caller: Caller, factor: UUID) -> SecondFactor:
    row = session.scalar(
        select(SecondFactor).where(
            SecondFactor.public_id == factor, SecondFactor.person_id == caller.member[1]
        )
    )
    if row is None:
        raise NotFoundError
    return row


def _rows(session: Session, person_id: int) -> Collection[SecondFactor]:
    return session.scalars(
        select(SecondFactor).where(SecondFactor.person_id == person_id).order_by(SecondFactor.id)
    ).all()


def _checked(name: str) -> str:
    name = name.strip()
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        reason = f"Name it with 1 to {LONGEST_NAME} printable characters."
        raise InvalidRequestError(errors=[{"field": "name", "reason": reason}])
    return name


def _draft_of(secret: str, login: str, sealed: str) -> Draft:
    issuer = runtime().settings.platform.name
    address = pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name=issuer)
    return Draft(secret, address, sealed)


def _sealed(public_id: UUID, told: dict[str, Any]) -> bytes:
    return _sealer().seal(json.dumps(told).encode(), _CONTEXT + public_id.bytes)


def _opened(row: SecondFactor) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(_sealer().open(row.sealed, _CONTEXT + row.public_id.bytes))
    return told


def _index(credential: bytes) -> bytes:
    return _sealer().index(b"passkey\n" + credential)


def _code_index(person: UUID, code: str) -> bytes:
    return _sealer().index(b"recovery\n" + person.bytes + code.encode())


def _sealer() -> Sealer:
    return Sealer(runtime().secrets.accounts)
