"""The verbs of barrier models: read, compare, propose, approve, choose.

A version is proposed by one person and put in force by a second one of the same organisation.
"""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.access import Caller
from app.audit.service import append
from app.barriers import model_storage as storage
from app.barriers.comparing import Comparison, compared
from app.barriers.documents import read_model
from app.barriers.errors import ModelError
from app.barriers.model import BarrierModel
from app.barriers.model_storage import Choice, FoundModel
from app.barriers.models import ModelChoice, ModelState, ModelVersion, StoredModel
from app.barriers.refusals import (
    ModelNotProposedError,
    ModelProposedError,
    ModelRefusedError,
    NoModelError,
    OwnModelError,
    TooManyModelsError,
)
from app.clock import now
from app.errors import InvalidRequestError, NotFoundError
from app.jobs.notifications import notify
from app.organisations.models import Community, CommunityMember
from app.public_ids import new_public_id
from postern.vocabulary import Role
from postern.yaml_documents import Fault

READERS = (Role.SUBMITTER, Role.ANALYST, Role.APPROVER, Role.COMPLIANCE, Role.POLICY_OWNER)
"""Who reads models, tags and barriers: everybody but who keeps an organisation's accounts."""

WRITERS = (Role.ANALYST, Role.POLICY_OWNER)
DECIDERS = (Role.POLICY_OWNER, Role.APPROVER)
MOST_MODELS = 20  # of one organisation
MOST_BYTES = 524_288  # of a text; the reader of documents counts characters
LONGEST_NOTE = 500  # characters


@dataclass(frozen=True, slots=True)
class Model:
    """A model as its reader may have it; `text` is that of the version in force."""

    found: FoundModel
    document: BarrierModel | None
    versions: Sequence[ModelVersion]
    is_in_use: bool


@dataclass(frozen=True, slots=True)
class InUse:
    """The model that is used, and what was chosen before, newest first."""

    model: UUID
    version: int
    document: BarrierModel
    history: Sequence[Choice]


@dataclass(frozen=True, slots=True)
class Checked:
    """What a text holds: its model, or its faults."""

    model: BarrierModel | None
    faults: Sequence[Fault]


def check(session: Session, caller: Caller, text: str) -> Checked:
    """Read a text without keeping it."""
    append(session, caller, "model.check", object_type="barrier-model")
    try:
        return Checked(_read(text), ())
    except ModelError as error:
        return Checked(None, error.faults)


def list_models(session: Session, caller: Caller) -> list[FoundModel]:
    """The platform's models, one's own, and those of one's communities."""
    organisation_id, _ = caller.member
    found = storage.known(session, organisation_id)
    append(session, caller, "model.list", object_type="barrier-model", count=len(found))
    return found


def read(session: Session, caller: Caller, public_id: UUID) -> Model:
    """One model; NotFoundError for one that the organisation may not read."""
    found = _known(session, caller, public_id)
    _log(session, caller, "model.read", public_id, {})
    return _shown(session, caller, found)


def version_text(session: Session, caller: Caller, public_id: UUID, seq: int) -> str:
    """The text of a version; NotFoundError where there is none for this reader."""
    version = _version(session, _known(session, caller, public_id), seq)
    _log(session, caller, "model.read", public_id, {"version": seq})
    return version.text


def read_version(
    session: Session, caller: Caller, public_id: UUID, seq: int
) -> tuple[ModelVersion, BarrierModel]:
    """A version with its model; NotFoundError where there is none for this reader."""
    found = _version(session, _known(session, caller, public_id), seq)
    _log(session, caller, "model.read", public_id, {"version": seq})
    return found, storage.read_kept(found)


def compare(
    session: Session, caller: Caller, public_id: UUID, before: int, after: int
) -> Comparison:
    """What one version changes of another; NotFoundError where there is none for this reader."""
    return compared(*both(session, caller, public_id, before, after))


def both(
    session: Session, caller: Caller, public_id: UUID, before: int, after: int
) -> tuple[BarrierModel, BarrierModel]:
    """Two versions to be compared; NotFoundError where there is none for this reader."""
    found = _known(session, caller, public_id)
    old, new = (_version(session, found, seq) for seq in (before, after))
    _log(session, caller, "model.compare", public_id, {"before": before, "after": after})
    return storage.read_kept(old), storage.read_kept(new)


def begin(session: Session, caller: Caller, text: str, community: str | None = None) -> Model:
    """Propose a model of one's own, for a community of one's own to read and use if one is named.

    ModelRefusedError for a text with faults, TooManyModelsError, InvalidRequestError for a
    community that one is not in.
    """
    organisation_id, _ = caller.member
    document = _checked(text)
    at = now()
    own = select(func.count()).where(StoredModel.organisation_id == organisation_id)
    if session.execute(own).scalar_one() >= MOST_MODELS:
        raise TooManyModelsError(f"It has {MOST_MODELS}.")
    document_id = UUID(document.id)
    taken = select(StoredModel.id).where(
        StoredModel.organisation_id == organisation_id, StoredModel.document_id == document_id
    )
    if session.scalar(taken) is not None:
        raise ModelRefusedError(
            errors=[
                _fault(
                    Fault(
                        1,
                        1,
                        "Your organisation has a model with this id.",
                        "Propose the text as its next version, or give it an id of its own.",
                    )
                )
            ]
        )
    model = StoredModel(
        public_id=new_public_id(at),
        organisation_id=organisation_id,
        community_id=None if community is None else _community(session, organisation_id, community),
        document_id=document_id,
        created_at=at,
    )
    session.add(model)
    session.flush()
    return _proposed(session, caller, model, document, text, at)


def propose(session: Session, caller: Caller, public_id: UUID, text: str) -> Model:
    """Propose the next version of one's own model.

    Raises NotFoundError, ModelProposedError while another one waits, and ModelRefusedError for a
    text with faults, of another model, or whose version is not higher than the one in force.
    """
    model = _held(session, caller, public_id)
    document = _checked(text)
    if storage.proposal_of(session, model.id) is not None:
        raise ModelProposedError
    _demand_next(session, model, document)
    return _proposed(session, caller, model, document, text, now())


def approve(
    session: Session, caller: Caller, public_id: UUID, seq: int, note: str | None = None
) -> Model:
    """Put the proposed version in force; OwnModelError for who proposed it.

    Also raises NotFoundError and ModelNotProposedError.
    """
    model, version = _waiting(session, caller, public_id, seq)
    if caller.person is None or caller.person == version.proposed_by:
        raise OwnModelError
    _decide(version, caller, ModelState.PUBLISHED, _note(note))
    model.current_id = version.id
    session.flush()
    details = {"version": seq, "number": version.number, "sha256": version.sha256.hex()}
    _log(session, caller, "model.publish", public_id, details)
    _tell(session, model, version, WRITERS, "model.decided")
    return _shown(session, caller, _known(session, caller, public_id))


def refuse(session: Session, caller: Caller, public_id: UUID, seq: int, note: str) -> Model:
    """Refuse the proposed version, with a reason for its author; the errors of `approve`."""
    model, version = _waiting(session, caller, public_id, seq)
    told = _note(note)
    if told is None:
        raise _wrong("note", f"Say why in up to {LONGEST_NOTE} characters: the author reads it.")
    _tell(session, model, version, WRITERS, "model.decided", "refused")
    return _close(session, caller, model, version, ModelState.REFUSED, told)


def withdraw(session: Session, caller: Caller, public_id: UUID, seq: int) -> Model:
    """Take a proposal back; the errors of `approve` but for that of one's own."""
    model, version = _waiting(session, caller, public_id, seq)
    return _close(session, caller, model, version, ModelState.WITHDRAWN, None)


def current(session: Session, caller: Caller) -> InUse:
    """The model that one's organisation uses; NoModelError while there is none at all."""
    organisation_id, _ = caller.member
    model, version = used(session, organisation_id)
    _log(session, caller, "model.read", model.public_id, {"version": version.seq})
    return _in_use(session, organisation_id, model, version)


def choose(session: Session, caller: Caller, public_id: UUID) -> InUse:
    """Use a model from now on; what was tagged before keeps its own.

    NotFoundError for one that the organisation may not read, or that was never put in force.
    """
    organisation_id, _ = caller.member
    found = _known(session, caller, public_id)
    if found.version is None:
        raise NotFoundError
    session.add(
        ModelChoice(
            organisation_id=organisation_id,
            model_id=found.model.id,
            since=now(),
            chosen_by=caller.person,
        )
    )
    session.flush()
    _log(session, caller, "model.choose", public_id, {"version": found.version.seq})
    return _in_use(session, organisation_id, found.model, found.version)


def used(session: Session, organisation_id: int) -> tuple[StoredModel, ModelVersion]:
    """The model and version that the organisation uses; NoModelError where there is none."""
    found = storage.in_use(session, organisation_id)
    if found is None:
        raise NoModelError
    return found


def new_version(
    session: Session, model: StoredModel, document: BarrierModel, text: str, at: datetime
) -> ModelVersion:
    """A version with this text that is not stored yet and waits for a decision."""
    newest = select(func.max(ModelVersion.seq)).where(ModelVersion.model_id == model.id)
    title, _ = document.title.said(document.languages[0])
    return ModelVersion(
        model_id=model.id,
        seq=(session.scalar(newest) or 0) + 1,
        number=document.version,
        text=text,
        sha256=sha256(text.encode()).digest(),
        title=title,
        status=document.status,
        steps=len(document.steps),
        proposed_at=at,
        state=ModelState.PROPOSED,
    )


def _read(text: str) -> BarrierModel:
    if len(text.encode("utf-8", "replace")) > MOST_BYTES:
        raise _wrong("text", f"A model has up to {MOST_BYTES} bytes.")
    if any(unicodedata.category(each) in {"Cc", "Cs"} for each in text if each not in "\n\r\t"):
        raise _wrong("text", "Leave out control characters and broken ones.")
    return read_model(text)


def _checked(text: str) -> BarrierModel:
    try:
        return _read(text)
    except ModelError as error:
        raise ModelRefusedError(errors=[_fault(each) for each in error.faults]) from None


def _fault(fault: Fault) -> dict[str, Any]:
    return {
        "line": fault.line,
        "column": fault.column,
        "reason": fault.reason,
        "remedy": fault.remedy,
    }


def _demand_next(session: Session, model: StoredModel, document: BarrierModel) -> None:
    held = session.get(ModelVersion, model.current_id) if model.current_id else None
    reasons = []
    if UUID(document.id) != model.document_id:
        reasons.append(("The id is not that of the model.", f"Write id: {model.document_id}"))
    if held is not None and document.version <= held.number:
        reasons.append(
            (
                f"Its version is {document.version}, and {held.number} is in force.",
                f"Write version: {held.number + 1}",
            )
        )
    if reasons:
        raise ModelRefusedError(errors=[_fault(Fault(1, 1, *each)) for each in reasons])


def _community(session: Session, organisation_id: int, code: str) -> int:
    found = session.scalar(
        select(Community.id)
        .join(CommunityMember, CommunityMember.community_id == Community.id)
        .where(Community.code == code, CommunityMember.organisation_id == organisation_id)
    )
    if found is None:
        raise _wrong("community", "Name a community that your organisation is in.")
    return found


def _proposed(  # noqa: PLR0917 - a model, and what is proposed of it
    session: Session,
    caller: Caller,
    model: StoredModel,
    document: BarrierModel,
    text: str,
    at: datetime,
) -> Model:
    version = new_version(session, model, document, text, at)
    version.proposed_by = caller.person
    session.add(version)
    session.flush()
    _log_draft(session, caller, model, version, "propose")
    _tell(session, model, version, DECIDERS, "model.proposed")
    return _shown(session, caller, _known(session, caller, model.public_id))


def _held(session: Session, caller: Caller, public_id: UUID) -> StoredModel:
    """One's own model, which nobody else changes until the transaction ends."""
    organisation_id, _ = caller.member
    found = session.scalar(
        select(StoredModel)
        .where(StoredModel.public_id == public_id, StoredModel.organisation_id == organisation_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if found is None:
        raise NotFoundError
    return found


def _waiting(
    session: Session, caller: Caller, public_id: UUID, seq: int
) -> tuple[StoredModel, ModelVersion]:
    model = _held(session, caller, public_id)
    version = storage.proposal_of(session, model.id)
    if version is None or version.seq != seq:
        raise ModelNotProposedError
    return model, version


def _decide(version: ModelVersion, caller: Caller, state: ModelState, note: str | None) -> None:
    version.state, version.note = state, note
    version.decided_at, version.decided_by = now(), caller.person


def _close(  # noqa: PLR0917 - a proposal, and what became of it
    session: Session,
    caller: Caller,
    model: StoredModel,
    version: ModelVersion,
    state: ModelState,
    note: str | None,
) -> Model:
    _decide(version, caller, state, note)
    session.flush()
    step = "refuse" if state is ModelState.REFUSED else "withdraw"
    _log_draft(session, caller, model, version, step)
    return _shown(session, caller, _known(session, caller, model.public_id))


def _known(session: Session, caller: Caller, public_id: UUID) -> FoundModel:
    organisation_id, _ = caller.member
    found = storage.one(session, organisation_id, public_id)
    if found is None:
        raise NotFoundError
    return found


def _version(session: Session, found: FoundModel, seq: int) -> ModelVersion:
    for version in storage.versions(session, found):
        if version.seq == seq:
            return version
    raise NotFoundError


def _shown(session: Session, caller: Caller, found: FoundModel) -> Model:
    organisation_id, _ = caller.member
    chosen = storage.in_use(session, organisation_id)
    document = storage.read_kept(found.version) if found.version else None
    is_in_use = chosen is not None and chosen[0].id == found.model.id
    return Model(found, document, storage.versions(session, found), is_in_use)


def _in_use(
    session: Session, organisation_id: int, model: StoredModel, version: ModelVersion
) -> InUse:
    history = storage.choices(session, organisation_id)
    return InUse(model.public_id, version.seq, storage.read_kept(version), history)


def _tell(  # noqa: PLR0917 - the parts of one notice
    session: Session,
    model: StoredModel,
    version: ModelVersion,
    roles: Sequence[Role],
    kind: str,
    decision: str = "",
) -> None:
    if model.organisation_id is None:
        return
    facts = {"model": str(model.public_id), "version": version.seq}
    address = f"/barriers/models/{model.public_id}"
    if kind == "model.decided":
        facts["decision"] = decision or version.state.value
    for role in roles:
        notify(session, model.organisation_id, role, kind, facts, address)


def _log_draft(
    session: Session, caller: Caller, model: StoredModel, version: ModelVersion, step: str
) -> None:
    details = {"step": step, "version": version.seq, "sha256": version.sha256.hex()}
    _log(session, caller, "model.draft", model.public_id, details)


def _log(
    session: Session, caller: Caller, act: str, public_id: UUID, details: Mapping[str, object]
) -> None:
    append(
        session,
        caller,
        act,
        object_type="barrier-model",
        objects=[str(public_id)],
        details=details,
    )


def _note(note: str | None) -> str | None:
    note = (note or "").strip()
    if len(note) > LONGEST_NOTE or any(
        unicodedata.category(each) in {"Cc", "Cs"} for each in note.replace("\n", "")
    ):
        raise _wrong("note", f"Write up to {LONGEST_NOTE} characters of plain text.")
    return note or None


def _wrong(field: str, reason: str) -> InvalidRequestError:
    return InvalidRequestError(errors=[{"field": f"json.{field}", "reason": reason}])
