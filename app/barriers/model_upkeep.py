"""What models need beside the verbs of members: the platform's own, communities, and upkeep."""

from collections.abc import Mapping
from datetime import timedelta
from hashlib import sha256
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.access import CONSOLE, Caller
from app.audit.service import append
from app.barriers.documents import read_model
from app.barriers.modelling import new_version
from app.barriers.models import ModelChoice, ModelState, ModelVersion, StoredModel
from app.clock import now
from app.errors import NotFoundError
from app.organisations.models import Community, CommunityMember
from app.organisations.service import Member, directory
from app.public_ids import new_public_id
from app.sharing.policy_text import DIRECTORY

DECISION_TIME = timedelta(days=30)  # a proposal that nobody decides on lapses after it
KEPT = timedelta(days=366)  # of what was not put in force, from the decision
BATCH = 200  # of one call

SHIPPED = DIRECTORY / "barriers" / "postal-seven-steps.yml"


def load_shipped(session: Session) -> int:
    """Put the shipped text in force as the platform's own model; 1 if it was not there yet.

    The errors of `load`.
    """
    return load(session, SHIPPED.read_text(encoding="utf-8"), SHIPPED.name)


def load(session: Session, text: str, name: str) -> int:
    """Put a text in force as a model of the platform's own; 1 if it was not there yet.

    `name` is what errors call it. ModelError for a damaged text, ValueError for another one under
    the version that is in force or an earlier one.
    """
    digest = sha256(text.encode()).digest()
    is_in_force = select(ModelVersion.id).where(
        ModelVersion.sha256 == digest,
        ModelVersion.id.in_(
            select(StoredModel.current_id).where(StoredModel.organisation_id.is_(None))
        ),
    )
    if session.scalar(is_in_force) is not None:
        return 0
    document = read_model(text, name)
    document_id = UUID(document.id)
    model = session.scalar(
        select(StoredModel)
        .where(StoredModel.organisation_id.is_(None), StoredModel.document_id == document_id)
        .with_for_update()
    )
    at = now()
    if model is None:
        model = StoredModel(
            public_id=new_public_id(at), document_id=document_id, created_at=at, current_id=None
        )
        session.add(model)
        session.flush()
    held = session.get(ModelVersion, model.current_id) if model.current_id else None
    if held is not None and held.number >= document.version:
        raise ValueError(
            f"{name} says version {document.version}, and another text is in force as"
            f" version {held.number}. Give the file a higher version."
        )
    version = new_version(session, model, document, text, at)
    version.state, version.decided_at = ModelState.PUBLISHED, at
    session.add(version)
    session.flush()
    model.current_id = version.id
    session.flush()
    details = {"version": version.seq, "number": version.number, "sha256": digest.hex()}
    append(
        session,
        CONSOLE,
        "model.load",
        object_type="barrier-model",
        objects=[str(model.public_id)],
        details=details,
    )
    return 1


def lapse(session: Session) -> int:
    """Close up to BATCH proposals that nobody decided on in time; how many."""
    at = now()
    rows = session.execute(
        select(ModelVersion, StoredModel)
        .join(StoredModel, StoredModel.id == ModelVersion.model_id)
        .where(
            ModelVersion.state == ModelState.PROPOSED,
            ModelVersion.proposed_at <= at - DECISION_TIME,
        )
        .order_by(ModelVersion.id)
        .limit(BATCH)
        .with_for_update(skip_locked=True, of=ModelVersion)
    ).all()
    members = directory(session) if rows else {}
    for version, model in rows:
        version.state, version.decided_at = ModelState.LAPSED, at
        _log_for(session, members, model, "model.draft", {"step": "lapse", "version": version.seq})
    session.flush()
    return len(rows)


def erase(session: Session) -> int:
    """Erase up to BATCH versions that were never in force and are long over; how many.

    A model of which nothing is left goes with its last one. What was in force stays: tags say by
    which text they were made.
    """
    rows = session.execute(
        select(ModelVersion, StoredModel)
        .join(StoredModel, StoredModel.id == ModelVersion.model_id)
        .where(
            ModelVersion.state.in_((ModelState.REFUSED, ModelState.WITHDRAWN, ModelState.LAPSED)),
            ModelVersion.decided_at <= now() - KEPT,
        )
        .order_by(ModelVersion.id)
        .limit(BATCH)
        .with_for_update(skip_locked=True, of=ModelVersion)
    ).all()
    members = directory(session) if rows else {}
    for version, model in rows:
        _log_for(session, members, model, "model.erase", {"version": version.seq})
        session.delete(version)
    session.flush()
    for model in {model.id: model for _, model in rows}.values():
        left = select(ModelVersion.id).where(ModelVersion.model_id == model.id).limit(1)
        if session.scalar(left) is None:
            session.delete(model)
    session.flush()
    return len(rows)


def choose_for_community(session: Session, caller: Caller, code: str, public_id: UUID) -> None:
    """Let the members of a community use a model unless they choose; for the console.

    It is one of the platform's, or one that a member made for this community; else NotFoundError.
    """
    community = session.scalar(select(Community).where(Community.code == code))
    model = session.scalar(
        select(StoredModel).where(
            StoredModel.public_id == public_id, StoredModel.current_id.is_not(None)
        )
    )
    if community is None or model is None:
        raise NotFoundError
    if model.organisation_id is not None and model.community_id != community.id:
        raise NotFoundError
    session.add(
        ModelChoice(
            community_id=community.id, model_id=model.id, since=now(), chosen_by=caller.person
        )
    )
    session.flush()
    members = directory(session)
    named = select(CommunityMember.organisation_id).where(
        CommunityMember.community_id == community.id
    )
    append(
        session,
        caller,
        "model.choose",
        audience=[members[each].code for each in session.scalars(named)],
        object_type="barrier-model",
        objects=[str(public_id)],
        details={"community": code},
    )


def _log_for(
    session: Session,
    members: Mapping[int, Member],
    model: StoredModel,
    act: str,
    details: Mapping[str, object],
) -> None:
    owner = model.organisation_id
    append(
        session,
        CONSOLE,
        act,
        audience=[members[owner].code] if owner is not None else [],
        object_type="barrier-model",
        objects=[str(model.public_id)],
        details=details,
    )
