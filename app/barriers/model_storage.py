"""Statements on barrier models: which may be read by whom, which is used, and their texts.

A model is a text that names nobody, so no policy is asked: an organisation reads the platform's,
its own, and those that a member of one of its communities made for that community.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlalchemy.orm import Session, aliased

from app.barriers.documents import read_model
from app.barriers.model import BarrierModel
from app.barriers.models import ModelChoice, ModelState, ModelVersion, StoredModel
from app.indicators.shared_rows import Owner
from app.organisations.models import Community, CommunityMember, Organisation, OrganisationStatus


@dataclass(frozen=True, slots=True)
class FoundModel:
    """A model that the organisation may read, with its version in force and what waits of it.

    `owner` None: the platform's. `version` is None for one's own that was never put in force, and
    `proposal` for another's always.
    """

    model: StoredModel
    version: ModelVersion | None
    proposal: ModelVersion | None
    owner: Owner | None
    community: str | None
    is_own: bool


@dataclass(frozen=True, slots=True)
class Choice:
    """A choice as it was made; `community` names the one that made it for its members."""

    model: UUID
    since: datetime
    community: str | None


def known(session: Session, organisation_id: int) -> list[FoundModel]:
    """Every model that the organisation may read, the platform's first, then by age."""
    rows = _found(session, organisation_id)
    return sorted(rows, key=lambda each: (each.owner is not None, each.model.id))


def one(session: Session, organisation_id: int, public_id: UUID) -> FoundModel | None:
    """The model if the organisation may read it."""
    found = _found(session, organisation_id, StoredModel.public_id == public_id)
    return found[0] if found else None


def versions(session: Session, found: FoundModel) -> list[ModelVersion]:
    """The versions that its reader may know of, newest first: of another's the published ones."""
    wanted = select(ModelVersion).where(ModelVersion.model_id == found.model.id)
    if not found.is_own:
        wanted = wanted.where(ModelVersion.state == ModelState.PUBLISHED)
    return list(session.scalars(wanted.order_by(ModelVersion.seq.desc())))


def proposal_of(session: Session, model_id: int) -> ModelVersion | None:
    """The version of the model that waits for a second person."""
    return session.scalar(
        select(ModelVersion).where(
            ModelVersion.model_id == model_id, ModelVersion.state == ModelState.PROPOSED
        )
    )


def awaiting(session: Session, organisation_id: int, person: UUID | None) -> int:
    """How many versions of the organisation's models wait for a decision that is this person's."""
    rows = session.scalars(
        select(ModelVersion.proposed_by)
        .join(StoredModel, StoredModel.id == ModelVersion.model_id)
        .where(
            StoredModel.organisation_id == organisation_id,
            ModelVersion.state == ModelState.PROPOSED,
        )
    )
    return sum(each != person for each in rows)


def in_use(session: Session, organisation_id: int) -> tuple[StoredModel, ModelVersion] | None:
    """The model that the organisation uses, in the version in force.

    Its own choice, else the newest of its communities, else the platform's oldest. A choice of what
    it may not read any more is as none.
    """
    readable = {
        each.model.id: each.model for each in known(session, organisation_id) if each.version
    }
    own = ModelChoice.organisation_id == organisation_id
    of_community = ModelChoice.community_id.in_(_communities(organisation_id))
    chosen = None
    for condition in (own, of_community):
        chosen = chosen or next(
            (
                readable[each]
                for each in session.scalars(
                    select(ModelChoice.model_id).where(condition).order_by(ModelChoice.id.desc())
                )
                if each in readable
            ),
            None,
        )
    platforms = (each for each in readable.values() if each.organisation_id is None)
    chosen = chosen or min(platforms, key=lambda each: each.id, default=None)
    if chosen is None:
        return None
    version = session.get(ModelVersion, chosen.current_id)
    return None if version is None else (chosen, version)


def choices(session: Session, organisation_id: int) -> list[Choice]:
    """What the organisation and its communities chose, newest first."""
    rows = session.execute(
        select(StoredModel.public_id, ModelChoice.since, Community.code)
        .join(StoredModel, StoredModel.id == ModelChoice.model_id)
        .outerjoin(Community, Community.id == ModelChoice.community_id)
        .where(
            or_(
                ModelChoice.organisation_id == organisation_id,
                ModelChoice.community_id.in_(_communities(organisation_id)),
            )
        )
        .order_by(ModelChoice.id.desc())
    )
    return [Choice(*row) for row in rows]


def own_communities(session: Session, organisation_id: int) -> list[tuple[str, str]]:
    """Code and name of each community that the organisation is in, by name."""
    rows = session.execute(
        select(Community.code, Community.name)
        .where(Community.id.in_(_communities(organisation_id)))
        .order_by(Community.name, Community.code)
    )
    return [(code, name or code) for code, name in rows]


def of_ids(session: Session, version_ids: Iterable[int]) -> dict[int, ModelVersion]:
    """Versions by their inner keys."""
    rows = session.scalars(select(ModelVersion).where(ModelVersion.id.in_(list(version_ids))))
    return {each.id: each for each in rows}


def read_kept(version: ModelVersion) -> BarrierModel:
    """The model in a version's text, which was read before it was kept."""
    return _read(version.text)


@lru_cache(maxsize=16)
def _read(text: str) -> BarrierModel:
    return read_model(text)


def _found(
    session: Session, organisation_id: int, condition: ColumnElement[bool] | None = None
) -> list[FoundModel]:
    current, waiting = aliased(ModelVersion), aliased(ModelVersion)
    wanted = (
        select(StoredModel, current, waiting, Organisation, Community.code)
        .outerjoin(current, current.id == StoredModel.current_id)
        .outerjoin(
            waiting,
            and_(waiting.model_id == StoredModel.id, waiting.state == ModelState.PROPOSED),
        )
        .outerjoin(Organisation, Organisation.id == StoredModel.organisation_id)
        .outerjoin(Community, Community.id == StoredModel.community_id)
        .where(_may_read(organisation_id))
    )
    rows = session.execute(wanted if condition is None else wanted.where(condition))
    found = []
    for model, version, proposal, organisation, community in rows:
        is_own = model.organisation_id == organisation_id
        owner = None if model.organisation_id is None else _owner(organisation)
        found.append(
            FoundModel(model, version, proposal if is_own else None, owner, community, is_own)
        )
    return found


def _owner(row: Organisation) -> Owner:
    return Owner(row.code, row.name, row.sector, row.country)


def _may_read(organisation_id: int) -> ColumnElement[bool]:
    # What its owner made for a community goes with the owner's membership and its good standing.
    shared = select(CommunityMember.organisation_id).where(
        CommunityMember.organisation_id == StoredModel.organisation_id,
        CommunityMember.community_id == StoredModel.community_id,
    )
    is_offered = and_(
        StoredModel.community_id.in_(_communities(organisation_id)),
        StoredModel.current_id.is_not(None),
        Organisation.status == OrganisationStatus.ACTIVE,
        shared.exists(),
    )
    is_platforms = and_(StoredModel.organisation_id.is_(None), StoredModel.current_id.is_not(None))
    return or_(StoredModel.organisation_id == organisation_id, is_platforms, is_offered)


def _communities(organisation_id: int) -> Select[int]:
    return select(CommunityMember.community_id).where(
        CommunityMember.organisation_id == organisation_id
    )
