"""Over HTTP: barrier models and which is used, tags by steps, registered barriers and gaps."""

from typing import Any
from uuid import UUID

from flask_smorest import Blueprint

from app.audit.guard import audited, caller, transaction
from app.barriers import barrier_audience, modelling, registering, showing, tagging
from app.barriers.barrier_schemas import (
    BarrierAudienceSchema,
    BarrierEndSchema,
    BarrierGroundsSchema,
    BarrierRenewalSchema,
    BarrierSchema,
    BarriersSchema,
    GapsArgumentsSchema,
    GapsSchema,
    ListBarriersSchema,
    NewBarrierSchema,
    NewTagSchema,
    SuggestedSchema,
    TagsArgumentsSchema,
    TagsSchema,
)
from app.barriers.barrier_storage import BarrierFilters
from app.barriers.model_schemas import (
    BarrierLanguageSchema,
    CheckedModelSchema,
    CheckModelSchema,
    ListedModelsSchema,
    ModelApprovalSchema,
    ModelChoosingSchema,
    ModelComparingSchema,
    ModelComparisonSchema,
    ModelInUseSchema,
    ModelKeptTextSchema,
    ModelRefusalSchema,
    ModelSchema,
    ModelTextSchema,
    ModelVersionSchema,
    NewModelSchema,
)
from app.barriers.modelling import DECIDERS, READERS, WRITERS
from app.barriers.registering import REGISTRARS, NewBarrier, Place
from app.barriers.showing import Told
from app.barriers.tagging import TAGGERS
from app.clock import now
from app.indicators.telling import Grounds
from postern.vocabulary import Scope

blueprint = Blueprint(
    "barriers",
    __name__,
    url_prefix="/api/v1/barriers",
    description="The barrier model: steps of a crime, their signals, and what holds at each.",
)

_READ, _WRITE = Scope.BARRIERS_READ, Scope.BARRIERS_WRITE
_MODEL = "/models/<uuid:model_id>"
_ONE = "/<uuid:barrier_id>"
_ENGLISH = "en"


@blueprint.get("/models")
@audited("model.list", roles=READERS, scope=_READ)
@blueprint.response(200, ListedModelsSchema)
def list_models() -> Told:
    """List barrier models

    The platform's own, those of your organisation, and those that members of your communities made
    for them.
    """
    found = modelling.list_models(transaction(), caller())
    return {"models": [showing.listed(each) for each in found]}


@blueprint.post("/models")
@audited("model.draft", roles=WRITERS)
@blueprint.arguments(NewModelSchema)
@blueprint.response(201, ModelSchema)
def begin_model(sent: dict[str, Any]) -> Told:
    """Propose a barrier model of your own

    Its first version waits for a second person. Not by programs.
    """
    made = modelling.begin(transaction(), caller(), sent["text"], sent["community"])
    return showing.model(made, _ENGLISH)


@blueprint.post("/models/check")
@audited("model.check", roles=READERS, scope=_READ)
@blueprint.arguments(CheckModelSchema)
@blueprint.response(200, CheckedModelSchema)
def check_model(sent: dict[str, Any]) -> Told:
    """Check the text of a barrier model

    Its faults with line, column and remedy, or what it holds. Nothing is kept.
    """
    found = modelling.check(transaction(), caller(), sent["text"])
    return showing.checked(found, sent["language"])


@blueprint.get("/models/used")
@audited("model.read", roles=READERS, scope=_READ)
@blueprint.arguments(BarrierLanguageSchema, location="query", unknown=None)
@blueprint.response(200, ModelInUseSchema)
def read_used(asked: dict[str, Any]) -> Told:
    """Read the barrier model in use

    The one that your organisation chose, else one of your communities, else the platform's own.
    """
    return showing.in_use(modelling.current(transaction(), caller()), asked["language"])


@blueprint.put("/models/used")
@audited("model.choose", roles=DECIDERS)
@blueprint.arguments(ModelChoosingSchema)
@blueprint.response(200, ModelInUseSchema)
def choose_model(sent: dict[str, Any]) -> Told:
    """Choose the barrier model to use

    From now on your organisation tags and registers by it. What was tagged before keeps the version
    that it was tagged with. Not by programs.
    """
    return showing.in_use(modelling.choose(transaction(), caller(), sent["model"]), _ENGLISH)


@blueprint.get(_MODEL)
@audited("model.read", roles=READERS, scope=_READ)
@blueprint.arguments(BarrierLanguageSchema, location="query", unknown=None)
@blueprint.response(200, ModelSchema)
def read_model(asked: dict[str, Any], model_id: UUID) -> Told:
    """Read a barrier model

    The version in force in one language, and its versions. Its label is to be shown with it.
    """
    return showing.model(modelling.read(transaction(), caller(), model_id), asked["language"])


@blueprint.get(f"{_MODEL}/versions/<int:seq>")
@audited("model.read", roles=READERS, scope=_READ)
@blueprint.response(200, ModelKeptTextSchema)
def read_text(model_id: UUID, seq: int) -> Told:
    """Read the text of a version of a barrier model"""
    return {"text": modelling.version_text(transaction(), caller(), model_id, seq)}


@blueprint.get(f"{_MODEL}/compare")
@audited("model.compare", roles=READERS, scope=_READ)
@blueprint.arguments(ModelComparingSchema, location="query", unknown=None)
@blueprint.response(200, ModelComparisonSchema)
def compare_versions(asked: dict[str, Any], model_id: UUID) -> Told:
    """Compare two versions of a barrier model

    What was added, removed, moved to another step, reworded, or changed in meaning.
    """
    found = modelling.compare(transaction(), caller(), model_id, asked["before"], asked["after"])
    return showing.comparison(found)


@blueprint.post(f"{_MODEL}/versions")
@audited("model.draft", roles=WRITERS)
@blueprint.arguments(ModelTextSchema)
@blueprint.response(201, ModelSchema)
def propose_version(sent: dict[str, Any], model_id: UUID) -> Told:
    """Propose the next version of a barrier model

    Of your own model, with a higher version than the one in force. Not by programs.
    """
    made = modelling.propose(transaction(), caller(), model_id, sent["text"])
    return showing.model(made, _ENGLISH)


@blueprint.post(f"{_MODEL}/approve")
@audited("model.publish", roles=DECIDERS)
@blueprint.arguments(ModelApprovalSchema)
@blueprint.response(200, ModelSchema)
def approve_model(sent: dict[str, Any], model_id: UUID) -> Told:
    """Put the proposed version of a barrier model in force

    By a second person, who did not propose it, and never by a program.
    """
    made = modelling.approve(transaction(), caller(), model_id, sent["version"], sent["note"])
    return showing.model(made, _ENGLISH)


@blueprint.post(f"{_MODEL}/refuse")
@audited("model.draft", roles=DECIDERS)
@blueprint.arguments(ModelRefusalSchema)
@blueprint.response(200, ModelSchema)
def refuse_model(sent: dict[str, Any], model_id: UUID) -> Told:
    """Refuse the proposed version of a barrier model

    With a note for its author, who may propose the next one.
    """
    made = modelling.refuse(transaction(), caller(), model_id, sent["version"], sent["note"])
    return showing.model(made, _ENGLISH)


@blueprint.post(f"{_MODEL}/withdraw")
@audited("model.draft", roles=WRITERS)
@blueprint.arguments(ModelVersionSchema)
@blueprint.response(200, ModelSchema)
def withdraw_model(sent: dict[str, Any], model_id: UUID) -> Told:
    """Withdraw the proposed version of a barrier model"""
    made = modelling.withdraw(transaction(), caller(), model_id, sent["version"])
    return showing.model(made, _ENGLISH)


@blueprint.get("/reports/<uuid:report_id>/suggestions")
@audited("step.suggest", roles=TAGGERS, scope=_READ)
@blueprint.arguments(BarrierLanguageSchema, location="query", unknown=None)
@blueprint.response(200, SuggestedSchema)
def suggest(asked: dict[str, Any], report_id: UUID) -> Told:
    """Suggest step and signals for a report

    By the rules of the model in use over the coarse facts of one of your own reports, each with its
    reason. It is an offer: nothing follows from it until somebody tags.
    """
    found = tagging.suggest(transaction(), caller(), report_id)
    return showing.suggested(found, asked["language"])


@blueprint.get("/tags/<uuid:subject_id>")
@audited("step.read", roles=READERS, scope=_READ)
@blueprint.arguments(TagsArgumentsSchema, location="query", unknown=None)
@blueprint.response(200, TagsSchema)
def read_tags(asked: dict[str, Any], subject_id: UUID) -> Told:
    """Read the tags of a report, a pattern or an outcome

    Of your own, each with the version of the model that it was made with, newest first.
    """
    found = tagging.tags(transaction(), caller(), asked["subject"], subject_id)
    return {"tags": [showing.tag(each, asked["language"]) for each in found]}


@blueprint.post("/tags/<uuid:subject_id>")
@audited("step.tag", roles=TAGGERS, scope=_WRITE)
@blueprint.arguments(NewTagSchema)
@blueprint.response(201, TagsSchema)
def tag(sent: dict[str, Any], subject_id: UUID) -> Told:
    """Tag a report, a pattern or an outcome

    With a step of the model in use, or none, and with signals. What was suggested and is not among
    them is kept as rejected. A tag is never changed, only followed; the barrier step of a report
    follows it, and so does what its policy lets others see.
    """
    found = tagging.tag(
        transaction(),
        caller(),
        sent["subject"],
        subject_id,
        sent["step"],
        sent["signals"],
        sent["version"],
    )
    return {"tags": [showing.tag(each, sent["language"]) for each in found]}


@blueprint.get("")
@audited("barrier.list", roles=READERS, scope=_READ)
@blueprint.arguments(ListBarriersSchema, location="query", unknown=None)
@blueprint.response(200, BarriersSchema)
def list_barriers(asked: dict[str, Any]) -> Told:
    """List registered barriers

    Your own, and with a purpose and a legal basis those of others that their policies let you know
    of. Newest first, in pages.
    """
    limit, cursor, language = (asked.pop(name) for name in ("limit", "cursor", "language"))
    grounds = _grounds(asked)
    page = registering.list_barriers(
        transaction(),
        caller(),
        grounds,
        wanted=BarrierFilters(**asked),
        limit=limit,
        cursor=cursor,
    )
    told = [showing.barrier(each, language) for each in page.barriers]
    return {"barriers": told, "next": page.next}


@blueprint.post("")
@audited("barrier.register", roles=REGISTRARS, scope=_WRITE)
@blueprint.arguments(NewBarrierSchema)
@blueprint.response(201, BarrierSchema)
def register_barrier(sent: dict[str, Any]) -> Told:
    """Register a barrier

    One of the model in use that your organisation has set: where, from when to when. Who else knows
    of it is decided by your policy, as of the kind `barrier`.
    """
    seen = sent.pop("version")
    place = Place(*(sent.pop(name) for name in ("country", "operator", "code")))
    new = NewBarrier(
        key=sent.pop("barrier"), place=place, handling=frozenset(sent.pop("handling")), **sent
    )
    return showing.barrier(registering.register(transaction(), caller(), new, seen), _ENGLISH)


@blueprint.get("/gaps")
@audited("barrier.gaps", roles=READERS, scope=_READ)
@blueprint.arguments(GapsArgumentsSchema, location="query", unknown=None)
@blueprint.response(200, GapsSchema)
def read_gaps(asked: dict[str, Any]) -> Told:
    """Read where no barrier holds

    Each step of the model in use with the barriers that hold today, of yours and of those that
    others share with you. A gap says that nobody here recorded one, not that there is none.
    """
    country, language = asked.pop("country"), asked.pop("language")
    found = registering.gaps(transaction(), caller(), _grounds(asked), country)
    return showing.gaps(found, language)


@blueprint.get(_ONE)
@audited("barrier.read", roles=READERS, scope=_READ)
@blueprint.arguments(BarrierGroundsSchema, location="query", unknown=None)
@blueprint.response(200, BarrierSchema)
def read_barrier(asked: dict[str, Any], barrier_id: UUID) -> Told:
    """Read a registered barrier

    One of your own, or with a purpose and a legal basis one of another that its policy lets you
    know of.
    """
    language = asked.pop("language")
    found = registering.read(transaction(), caller(), _grounds(asked), barrier_id)
    return showing.barrier(found, language)


@blueprint.get(f"{_ONE}/audience")
@audited("policy.explain", roles=READERS)
@blueprint.response(200, BarrierAudienceSchema)
def explain_barrier(barrier_id: UUID) -> Told:
    """Explain who may know of one of your barriers

    By organisation, purpose and age, and by which rules, now and under the version of your policy
    that waits. Not by programs.
    """
    found = barrier_audience.audience(transaction(), caller(), barrier_id, now())
    return {"id": barrier_id, "explained": found.explained}


@blueprint.post(f"{_ONE}/renew")
@audited("barrier.change", roles=REGISTRARS, scope=_WRITE)
@blueprint.arguments(BarrierRenewalSchema)
@blueprint.response(200, BarrierSchema)
def renew_barrier(sent: dict[str, Any], barrier_id: UUID) -> Told:
    """Renew a registered barrier

    Says that one of your own still holds; its record goes on, and its age is counted from today.
    """
    found = registering.renew(transaction(), caller(), barrier_id, sent["expires_on"])
    return showing.barrier(found, _ENGLISH)


@blueprint.post(f"{_ONE}/end")
@audited("barrier.change", roles=REGISTRARS, scope=_WRITE)
@blueprint.arguments(BarrierEndSchema)
@blueprint.response(200, BarrierSchema)
def end_barrier(sent: dict[str, Any], barrier_id: UUID) -> Told:
    """End a registered barrier

    Says on which day one of your own held last. Its record stays until its own end, so that what it
    did can be compared.
    """
    found = registering.end(transaction(), caller(), barrier_id, sent["on"])
    return showing.barrier(found, _ENGLISH)


def _grounds(asked: dict[str, Any]) -> Grounds | None:
    """Why this is asked, taken out of the arguments."""
    case = asked.pop("case").strip()
    if "purpose" not in asked:
        return None
    return Grounds(asked.pop("purpose"), asked.pop("legal_basis"), case)
