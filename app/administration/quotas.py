"""What an organisation and its people have used of their evaluations, and which keys are in use."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock
from app.access import Caller
from app.accounts.models import PersonAccount
from app.audit.service import append
from app.indicators import rotating
from app.lookups import value_budget
from app.lookups.value_budget import UsedValues
from app.organisations import contacts, keys
from app.organisations.contacts import Contact
from app.organisations.service import directory
from app.patterns import screening_quota
from app.patterns.screening_quota import ScreeningStanding
from app.pseudonyms import quota
from app.pseudonyms import service as pseudonyms
from app.pseudonyms.quota import WHOLE_ORGANISATION, Used
from app.pseudonyms.sharing import all_shared
from app.runtime import runtime
from postern import key_document
from postern.key_sharing import KeySharing
from postern.vocabulary import EvaluationKind, Kind

SOON = timedelta(days=30)


@dataclass(frozen=True)
class KindQuota:
    """The windows of one kind: the whole organisation's, and what each person used of theirs."""

    kind: EvaluationKind
    windows: Sequence[Used]
    persons: Sequence[tuple[UUID, Used]]

    @property
    def is_used(self) -> bool:
        """Whether anybody evaluated anything of the kind in a window that is open."""
        return any(each.used for each in self.windows)


@dataclass(frozen=True)
class ValueKind:
    """The budgets of different values of one kind, and what each person used of theirs."""

    kind: Kind
    windows: Sequence[UsedValues]
    persons: Sequence[tuple[UUID, UsedValues]]


@dataclass(frozen=True)
class OwnQuotas:
    """What one person may still do: look up different values, and have values evaluated."""

    values: Sequence[UsedValues]
    evaluations: Sequence[Used]


@dataclass(frozen=True)
class Quotas:
    """`person_percent` of the organisation's allowance is the most that one person may use.

    `screening` is what is agreed for screening, apart from the windows of `kinds`.
    `operator` is the desk of the member that runs the platform, None where nobody entered one.
    """

    kinds: Sequence[KindQuota]
    values: Sequence[ValueKind]
    screening: Sequence[ScreeningStanding]
    person_percent: int
    operator_name: str
    operator: Contact | None


@dataclass(frozen=True)
class Epoch:
    """`state` is "open", "ending" (within 30 days), "ended" or "coming".

    `sharing` names the holders of a key that the platform does not have alone.
    """

    kind: EvaluationKind
    number: int
    norm: str
    begins: datetime
    ends: datetime
    state: str
    fingerprint: str
    sharing: KeySharing | None


@dataclass(frozen=True)
class OwnKeys:
    """What the caller's organisation published of its own keys: how often, and when last."""

    entries: int
    newest_at: datetime | None
    age_days: int


@dataclass(frozen=True)
class Epochs:
    """The evaluation keys of the platform; `document` is the fingerprint that members compare."""

    epochs: Sequence[Epoch]
    rotations: Sequence[rotating.Progress]
    document: str
    own: OwnKeys


def read_quotas(session: Session, caller: Caller) -> Quotas:
    """What is used and left in the windows that are open now; the reading is logged."""
    organisation_id, _ = caller.member
    used = quota.standings(session, runtime().settings.quota, organisation_id)
    names = _pseudonyms(session, organisation_id)
    code = runtime().settings.audit.operator
    by_code = {member.code: (key, member) for key, member in directory(session).items()}
    operator = by_code.get(code)
    append(session, caller, "quota.read", object_type="quota", count=len(used))
    return Quotas(
        kinds=[_of_kind(kind, used, names) for kind in EvaluationKind],
        values=_values(session, organisation_id, names),
        screening=screening_quota.standings(session, organisation_id),
        person_percent=runtime().settings.quota.person_percent,
        operator_name=operator[1].name if operator else "",
        operator=contacts.contact(session, operator[0]) if operator else None,
    )


def read_own(session: Session, caller: Caller) -> OwnQuotas:
    """What the caller used and has left in the windows that are open now; logged."""
    organisation_id, person_id = caller.member
    settings = runtime().settings
    values = value_budget.own_standings(session, settings, caller)
    used = [
        each
        for each in quota.standings(session, settings.quota, organisation_id)
        if each.person_id == person_id
    ]
    append(session, caller, "quota.read", object_type="quota", count=len(values) + len(used))
    return OwnQuotas(values, used)


def read_epochs(session: Session, caller: Caller) -> Epochs:
    """Every key epoch, the newest of each kind first, and one's own keys; logged."""
    organisation_id, _ = caller.member
    rows, shared = pseudonyms.epochs(session), all_shared(session)
    own = keys.published_times(session, organisation_id)
    moment = clock.now()
    append(session, caller, "platform.epochs", object_type="key_epoch", count=len(rows))
    return Epochs(
        epochs=[
            Epoch(
                kind=row.kind,
                number=row.epoch,
                norm=row.norm,
                begins=row.valid_from,
                ends=row.valid_to,
                state=_state(row.valid_from, row.valid_to, moment),
                fingerprint=key_document.fingerprint(bytes(row.public_key)),
                sharing=shared.get((row.kind, row.epoch)),
            )
            for row in sorted(rows, key=lambda row: (row.kind.value, -row.epoch))
        ],
        rotations=rotating.progress(session),
        document=pseudonyms.directory_fingerprint(),
        own=OwnKeys(
            entries=len(own),
            newest_at=own[-1] if own else None,
            age_days=(moment - own[-1]).days if own else 0,
        ),
    )


def _of_kind(kind: EvaluationKind, used: Sequence[Used], names: Mapping[int, UUID]) -> KindQuota:
    of_kind = [each for each in used if each.kind is kind]
    return KindQuota(
        kind=kind,
        windows=[each for each in of_kind if each.person_id == WHOLE_ORGANISATION],
        persons=[
            (names[each.person_id], each)
            for each in of_kind
            if each.person_id in names and each.used
        ],
    )


def _values(session: Session, organisation_id: int, names: Mapping[int, UUID]) -> list[ValueKind]:
    used = value_budget.standings(session, runtime().settings, organisation_id)
    return [
        ValueKind(
            kind,
            [each for each in of_kind if each.person_id == WHOLE_ORGANISATION],
            [(names[each.person_id], each) for each in of_kind if each.person_id in names],
        )
        for kind in Kind
        for of_kind in ([each for each in used if each.kind is kind],)
    ]


def _pseudonyms(session: Session, organisation_id: int) -> Mapping[int, UUID]:
    rows = session.execute(
        select(PersonAccount.id, PersonAccount.public_id).where(
            PersonAccount.organisation_id == organisation_id
        )
    )
    return {row.id: row.public_id for row in rows}


def _state(begins: datetime, ends: datetime, moment: datetime) -> str:
    if moment < begins:
        return "coming"
    if moment >= ends:
        return "ended"
    return "ending" if ends <= moment + SOON else "open"
