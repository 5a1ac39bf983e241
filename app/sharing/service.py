"""The verbs of sharing: publish and read a policy, find profiles and share classes, figures.

Whoever needs a profile or a class asks here and finds it with its grants, decided in the same
transaction. A policy takes effect with the transaction that publishes it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, ScalarSelect, String, bindparam, func, select, update
from sqlalchemy.orm import Session, aliased

from app import clock
from app.access import Caller
from app.audit.service import append
from app.errors import ConflictError
from app.organisations import service as organisations
from app.organisations.models import Community, Organisation, OrganisationStatus
from app.prepared import Prepared
from app.sharing import engine, grants, versions, visibility
from app.sharing.classes import ClassAttributes
from app.sharing.classes import read as read_class
from app.sharing.models import Cause, Profile, ShareClass, ShareGrant
from app.sharing.policy_text import Fault, Policy, PolicyRefusedError, read
from app.sharing.probe import probe
from app.sharing.seats import Member, Seat
from postern.vocabulary import LegalBasis, Level, Purpose, Role


class PublishedBeforeError(ConflictError):
    code = "policy-published"
    title = "The organisation has a policy already, and only its own people change it"
    remedy = "Have a policy owner of the organisation make a draft and a second person approve it."


@dataclass(frozen=True)
class CurrentPolicy:
    """The policy in force; version 0 with an empty text when none was ever published."""

    organisation: str
    version: int
    valid_from: datetime | None
    text: str
    policies: tuple[Policy, ...]
    is_valid: bool  # False: the present schema refuses the text, which shares nothing


@dataclass(frozen=True)
class Examined:
    """A text as the policy of one organisation: it can take effect when it has no faults.

    `policies` is empty where there are faults of the text itself.
    """

    policies: tuple[Policy, ...]
    faults: tuple[Fault, ...]
    warnings: tuple[Fault, ...]


@dataclass(frozen=True)
class LevelCount:
    """How many of an owner's live indicators one organisation may see for one purpose.

    Each indicator is counted once, at the highest level that it is visible at.
    """

    organisation: str
    name: str
    purpose: Purpose
    presence: int
    metadata: int
    request: int

    @property
    def total(self) -> int:
        """All that is visible at any level."""
        return self.presence + self.metadata + self.request


def check(session: Session, text: str) -> list[Policy]:
    """The policies of a text that could be published now.

    PolicyRefusedError lists every fault, among them organisations and communities that do not
    exist: a misspelt name would silently share nothing, or silently forbid nothing.
    """
    policies = read(text)
    known = {
        "Organisation": set(session.scalars(select(Organisation.code))),
        "Community": set(session.scalars(select(Community.code))),
    }
    faults = [
        Fault(
            policy.id,
            policy.line,
            f'{kind}::"{name}" does not exist here',
            f"Correct the code of the {kind.lower()}, or have it created first.",
        )
        for policy in policies
        for kind, name in sorted(policy.entities())
        if kind in known and name not in known[kind]
    ]
    if faults:
        raise PolicyRefusedError(faults)
    return policies


def examine(session: Session, organisation_id: int, text: str) -> Examined:
    """All that is wrong or odd with a text as the policy of this organisation.

    Beyond the faults of `check`: whether it would let nobody or everybody in, and which of its
    rules have no effect.
    """
    try:
        policies = check(session, text)
    except PolicyRefusedError as refusal:
        return Examined((), refusal.faults, ())
    members = grants.members(session)
    probed = probe(policies, members[organisation_id], members.values())
    return Examined(tuple(policies), probed.faults, probed.warnings)


def publish_first(session: Session, caller: Caller, organisation_code: str, text: str) -> int:
    """Put an organisation's first policy in force from the end of this transaction on.

    For the console: from then on its own people change it, by drafts that a second person
    approves. Returns 1. Raises PublishedBeforeError, PolicyRefusedError and
    UnknownOrganisationError.
    """
    organisation_id, _ = organisations.find(session, organisation_code)
    grants.hold_owner(session, organisation_id)
    if versions.history(session, organisation_id):
        raise PublishedBeforeError
    faults = examine(session, organisation_id, text).faults
    if faults:
        raise PolicyRefusedError(faults)
    return versions.put_in_force(session, caller, organisation_id, text, Cause.CONSOLE)


def publish(session: Session, caller: Caller, organisation_code: str, text: str) -> int:
    """Put a policy in force from the end of this transaction on; returns its version number.

    Without a second person, so for nothing that people reach. Raises PolicyRefusedError,
    UnknownOrganisationError and ScheduledPolicyError.
    """
    organisation_id, _ = organisations.find(session, organisation_code)
    check(session, text)
    return versions.put_in_force(session, caller, organisation_id, text, Cause.CONSOLE)


def current(session: Session, caller: Caller, organisation_code: str) -> CurrentPolicy:
    """The organisation's policy in force; UnknownOrganisationError for an unknown code."""
    organisation_id, _ = organisations.find(session, organisation_code)
    held = versions.in_force(session, organisation_id, clock.now())
    found = CurrentPolicy(
        organisation=organisation_code,
        version=held.seq if held else 0,
        valid_from=held.valid_from if held else None,
        text=held.text if held else "",
        policies=held.policies if held else (),
        is_valid=held.is_valid if held else True,
    )
    append(
        session,
        caller,
        "policy.read",
        audience=[organisation_code],
        object_type="policy",
        objects=[f"{organisation_code}/{found.version}"],
    )
    return found


def share_class_ids(
    session: Session, organisation_id: int, attributes: Iterable[ClassAttributes]
) -> dict[ClassAttributes, int]:
    """The share class of each of these attributes, made with its grants when it is new.

    Call it before other rows are written: while a class is made, others of the same organisation
    wait.
    """
    keys = {each.key(organisation_id): each for each in attributes}
    found = _class_ids(session, keys)
    if len(found) < len(keys):
        grants.hold_owner(session, organisation_id)
        found = _class_ids(session, keys)
        found |= _make_classes(
            session,
            organisation_id,
            {key: each for key, each in keys.items() if key not in found},
        )
    return {keys[key]: class_id for key, class_id in found.items()}


def profile_id(
    session: Session,
    organisation_id: int,
    role: Role,
    purpose: Purpose,
    legal_basis: LegalBasis,
) -> int:
    """The profile of such a reader, made with its grants when it is new.

    Its grants are renewed when the organisation's sector, country or communities have changed
    since, or the platform's rules have. LookupError when there is no such organisation.
    """
    named = {
        "organisation_id": organisation_id,
        "role": role,
        "purpose": purpose,
        "legal_basis": legal_basis,
    }
    found = _CURRENT_PROFILE.execute(session.connection(), {**named, "rules": grants.rules()})
    if found:
        return int(found[0].id)

    grants.hold_readers(session)
    facts = grants.facts(session, organisation_id)
    # Nothing is granted under these facts yet, so the first to lock the row lays it out.
    new = {**named, "facts": {}, "facts_seq": 0, "rules": ""}
    grants.insert_new(session, Profile, [new])
    row = session.execute(
        select(Profile.id, Profile.facts_seq, Profile.rules).filter_by(**named).with_for_update()
    ).one()
    if (row.facts_seq, row.rules) != (facts["facts_seq"], facts["rules"]):
        _renew(session, row.id, facts)
    return int(row.id)


def current_profile(
    organisation_id: ColumnElement[int],
    role: Role,
    purpose: ColumnElement[Any],
    legal_basis: ColumnElement[Any],
) -> ScalarSelect[int]:
    """The profile that `profile_id` finds, as a part of a statement.

    Its parameter `rules` is `grants.rules()`. Null where `profile_id` must lay it out first.
    """
    profile, reader = aliased(Profile), aliased(Organisation)
    return (
        select(profile.id)
        .join(reader, reader.id == profile.organisation_id)
        .where(
            profile.organisation_id == organisation_id,
            profile.role == role,
            profile.purpose == purpose,
            profile.legal_basis == legal_basis,
            profile.rules == bindparam("rules", type_=String),
            profile.facts_seq == reader.facts_seq,
        )
        .scalar_subquery()
    )


def own_grounds() -> tuple[Purpose, LegalBasis]:
    """Under which one's own records are read."""
    return Purpose.RISK_ANALYSIS, LegalBasis.LEGAL_OBLIGATION


def own_profile_id(session: Session, organisation_id: int, role: Role) -> int:
    """The profile under which an organisation keeps its own records: lists, figures, withdrawal.

    One's own records are visible whatever the purpose; this one is fit for every sector.
    """
    return profile_id(session, organisation_id, role, *own_grounds())


def refill(session: Session, caller: Caller) -> int:
    """Decide everything anew for all organisations; returns the number of grants.

    Needed only after a database was edited by hand: policies, classes, memberships and releases
    renew what they concern by themselves.
    """
    grants.hold_all(session)
    for organisation_id in session.scalars(select(Profile.organisation_id).distinct()).all():
        _state_facts(session, organisation_id)
    for owner in grants.owners(session):
        versions.lay_out_owner(session, owner.organisation_id)
    laid_out = session.execute(select(func.count()).select_from(ShareGrant)).scalar_one()
    append(session, caller, "policy.refill", object_type="grant", count=laid_out)
    return laid_out


def refill_for_organisation(session: Session, organisation_id: int) -> None:
    """Decide anew what this organisation may see and what it shares.

    Its own profiles renew themselves at their next use; this is for not waiting until then.
    """
    grants.hold_all(session)
    _state_facts(session, organisation_id)
    renewed = grants.readers(session, organisation_id=organisation_id)
    grants.clear_readers(session, [reader.profile_id for reader in renewed])
    for owner in grants.owners(session):
        grants.lay_out(session, owner, renewed, grants.classes_of(session, owner.organisation_id))
    versions.lay_out_owner(session, organisation_id)


def level_counts(session: Session, organisation_id: int, at: datetime) -> list[LevelCount]:
    """For every other active organisation and purpose: how much of one's own it may see at `at`.

    What an analyst with a fitting legal basis would see, whether or not one has ever asked; so
    the figures tell what the policy means, not who has used it. In the order of codes and of the
    list of purposes.
    """
    shared = visibility.live_by_class(session, organisation_id, at)
    owner = grants.owner(session, organisation_id, at)
    names = session.execute(
        select(Organisation.id, Organisation.name)
        .where(Organisation.status == OrganisationStatus.ACTIVE, Organisation.id != organisation_id)
        .order_by(Organisation.code)
    ).all()
    members = grants.members(session)
    return [
        _level_count(owner, members[viewer_id], name, purpose, shared)
        for viewer_id, name in names
        for purpose in Purpose
    ]


def _class_ids(session: Session, keys: Iterable[bytes]) -> dict[bytes, int]:
    rows = session.execute(
        select(ShareClass.key, ShareClass.id).where(ShareClass.key.in_(list(keys)))
    )
    return {bytes(key): class_id for key, class_id in rows}


def _make_classes(
    session: Session, organisation_id: int, new: dict[bytes, ClassAttributes]
) -> dict[bytes, int]:
    if not new:
        return {}
    grants.insert_new(
        session,
        ShareClass,
        [
            {"organisation_id": organisation_id, "key": key, "attributes": each.stored()}
            for key, each in new.items()
        ],
    )
    made = _class_ids(session, new)
    grants.lay_out(
        session,
        grants.owner(session, organisation_id),
        grants.readers(session),
        [grants.StoredClass(class_id, new[key]) for key, class_id in made.items()],
    )
    return made


def _renew(session: Session, profile_id: int, facts: Mapping[str, object]) -> None:
    session.execute(update(Profile).where(Profile.id == profile_id).values(facts))
    grants.clear_readers(session, [profile_id])
    readers = grants.readers(session, profile_id=profile_id)
    for owner in grants.owners(session):
        grants.lay_out(session, owner, readers, grants.classes_of(session, owner.organisation_id))


def _state_facts(session: Session, organisation_id: int) -> None:
    session.execute(
        update(Profile)
        .where(Profile.organisation_id == organisation_id)
        .values(grants.facts(session, organisation_id))
    )


def _level_count(
    owner: grants.Owner,
    viewer: Member,
    name: str,
    purpose: Purpose,
    shared: Sequence[visibility.ClassCount],
) -> LevelCount:
    subjects = [(read_class(each.attributes), each.age_band) for each in shared]
    seats = [
        Seat(viewer, Role.ANALYST, purpose, basis) for basis in owner.policies.distinct_bases()
    ]
    by_basis = owner.policies.rulings(owner.member, seats, subjects)
    highest = [max(ruling.level for ruling in found) for found in zip(*by_basis, strict=True)]
    counts = dict.fromkeys(Level, 0)
    for level, each in zip(highest, shared, strict=True):
        if level:
            counts[engine.CHAIN[level - 1]] += each.count
    return LevelCount(
        viewer.code,
        name,
        purpose,
        counts[Level.PRESENCE],
        counts[Level.METADATA],
        counts[Level.REQUEST],
    )


# The hot path of every question: one row by its natural key, if what it was laid out with is true.
_CURRENT_PROFILE = Prepared(
    select(Profile.__table__.c.id)
    .join(
        Organisation.__table__,
        Organisation.__table__.c.id == Profile.__table__.c.organisation_id,
    )
    .where(
        *(
            Profile.__table__.c[name] == bindparam(name)
            for name in ("organisation_id", "role", "purpose", "legal_basis", "rules")
        ),
        Profile.__table__.c.facts_seq == Organisation.__table__.c.facts_seq,
    )
)
