"""The transparency log as every member reads it: C2SP tlog-tiles below /audit/log.

Checkpoints, hash tiles and bundles of leaves: values that look random to everybody. Records and
details are read elsewhere, by those whom an entry names. Witnesses fetch what they check here, and
hand in what they cosign.
"""

from typing import Any

from flask import Response, request
from flask_smorest import Blueprint

from app.audit import cosigning, tree, watching, witnesses
from app.audit.guard import audited, caller, transaction, unlogged
from app.audit.models import AlarmKind
from app.audit.published_keys import published_keys
from app.audit.tree import NoSuchTileError, Published
from app.audit.witness_schemas import (
    AcceptedSchema,
    AfterQuerySchema,
    AlarmSchema,
    CheckpointsSchema,
    CosignQuerySchema,
    EvidenceSchema,
    KeysSchema,
    NewWitnessSchema,
    PendingQuerySchema,
    WitnessSchema,
)
from app.errors import NotFoundError
from app.runtime import runtime
from postern.tlog.strict import LARGEST_SIZE
from postern.tlog.tiles import MalformedError, Tile
from postern.vocabulary import Role, Scope

blueprint = Blueprint(
    "audit-log",
    __name__,
    url_prefix="/audit/log",
    description="The log as a Merkle tree, for members and for tools of third parties.",
)

witness_blueprint = Blueprint(
    "witnesses",
    __name__,
    url_prefix="/api/v1/audit",
    description="The witnesses that your organisation gives the log.",
)

_PAGE = 200  # checkpoints
_OFFICER = (Role.COMPLIANCE,)
_RANDOM_LOOKING = (
    "Hashes, leaves and signatures of the log show no content, and an entry for each reading would"
    " make the log grow by being verified."
)
_UNCHANGING = "private, max-age=31536000, immutable"
_NEWEST = "private, no-cache"
_BYTES = {"content": {"application/octet-stream": {"schema": {"type": "string"}}}}
_NOTE = {"content": {"text/plain": {"schema": {"type": "string"}}}}


@blueprint.get("/checkpoint")
@unlogged(_RANDOM_LOOKING)
@blueprint.doc(responses={"200": {"description": "A signed note.", **_NOTE}})
def checkpoint() -> Response:
    """The newest checkpoint

    A signed note (C2SP tlog-checkpoint) with the cosignatures it has so far. 404 before the first.
    """
    found = tree.newest(transaction())
    if found is None:
        raise NotFoundError
    return _note(found)


@blueprint.get("/checkpoint/cosigned")
@unlogged(_RANDOM_LOOKING)
@blueprint.doc(responses={"200": {"description": "A signed note.", **_NOTE}})
def cosigned_checkpoint() -> Response:
    """The newest checkpoint that meets the quorum

    A signed note with its cosignatures. 404 while none was cosigned by enough organisations, or
    no organisation other than the operator has a witness.
    """
    operator = runtime().settings.audit.operator
    found = witnesses.newest_cosigned(transaction(), operator)
    if found is None:
        raise NotFoundError
    return _note(found)


@blueprint.get("/checkpoint/<int:size>")
@unlogged(_RANDOM_LOOKING)
@blueprint.doc(responses={"200": {"description": "A signed note.", **_NOTE}})
def checkpoint_of_size(size: int) -> Response:
    """The checkpoint of a size

    The one that was signed for exactly this size, with all its cosignatures; 404 when there was
    none, or when it was thinned out without ever having been cosigned.
    """
    if size > LARGEST_SIZE:
        raise NotFoundError
    try:
        return _note(tree.checkpoint(transaction(), size))
    except NoSuchTileError:
        raise NotFoundError from None


@blueprint.get("/checkpoints")
@unlogged(_RANDOM_LOOKING)
@blueprint.arguments(AfterQuerySchema, location="query", unknown=None)
@blueprint.response(200, CheckpointsSchema)
def cosigned_checkpoints(asked: dict[str, int]) -> dict[str, Any]:
    """Every checkpoint that a witness cosigned

    Signed notes with their cosignatures, smallest first, 200 at most. Their times bound those of
    the entries between them.
    """
    found = tree.cosigned_after(transaction(), asked["after"], _PAGE)
    return {
        "checkpoints": [each.note.decode() for each in found],
        "next": found[-1].size if len(found) == _PAGE else None,
    }


@blueprint.get("/keys")
@unlogged(_RANDOM_LOOKING)
@blueprint.response(200, KeysSchema)
def keys() -> dict[str, Any]:
    """The public keys of the log and its witnesses

    The keys under which the log has signed checkpoints and receipts, those of the witnesses that
    count, and how many organisations make a quorum; the same as a trust policy (C2SP tlog-policy).
    Pin what you compared by another channel: the platform could name any.
    """
    return published_keys(transaction())


@blueprint.get("/tile/<path:name>")
@unlogged(_RANDOM_LOOKING)
@blueprint.doc(responses={"200": {"description": "Hashes, or leaves.", **_BYTES}})
def tile(name: str) -> Response:
    """A tile of hashes, or a bundle of leaves

    `LEVEL/INDEX` with 256 hashes of 32 bytes, `LEVEL/INDEX.p/WIDTH` with fewer, `entries/INDEX`
    with leaves, each after its length in two bytes (C2SP tlog-tiles). It never changes. 404 beyond
    the newest checkpoint.
    """
    try:
        wanted = Tile.parse(f"tile/{name}")
        content = tree.published_tile(transaction(), wanted)
    except (MalformedError, NoSuchTileError):
        raise NotFoundError from None
    return _response(content, "application/octet-stream", _UNCHANGING)


@blueprint.get("/witness/pending")
@unlogged(_RANDOM_LOOKING)
@blueprint.arguments(PendingQuerySchema, location="query", unknown=None)
@blueprint.doc(responses={"200": {"description": "A request to a witness.", **_NOTE}})
def pending(asked: dict[str, int]) -> Response:
    """What a witness checks next

    The body of an add-checkpoint request (C2SP tlog-witness): the size that the witness has
    cosigned, a proof from there to a checkpoint, and that checkpoint: for each minute all witnesses
    are asked for the same one. There is no proof when the witness has seen more than there is.
    """
    turn = runtime().settings.audit.cosign_seconds
    body = cosigning.pending(transaction(), asked["old"], turn)
    return _response(body, "text/plain; charset=utf-8", _NEWEST)


@blueprint.post("/witness/cosign")
@unlogged(_RANDOM_LOOKING, writing=True, roles=_OFFICER, scope=Scope.AUDIT_WITNESS)
@blueprint.arguments(CosignQuerySchema, location="query", unknown=None)
@blueprint.response(200, AcceptedSchema)
@blueprint.doc(requestBody={"required": True, **_NOTE})
def cosign(asked: dict[str, int | None]) -> dict[str, Any]:
    """Hand in cosignatures

    The body is lines of signatures under the checkpoint of `size`, by any registered witness.
    Each is verified. Safe to repeat; 404 when there is no such checkpoint (any more).
    """
    lines = request.get_data(cache=False)
    return {
        "witnesses": [str(k) for k in cosigning.accept(transaction(), lines, asked.get("size"))]
    }


@blueprint.post("/witness/alarm")
@audited("audit.evidence", roles=_OFFICER, scope=Scope.AUDIT_WITNESS)
@blueprint.arguments(EvidenceSchema)
@blueprint.response(200, AlarmSchema)
def take_evidence(asked: dict[str, list[str]]) -> dict[str, AlarmKind]:
    """Hand in evidence against the log

    Checkpoints signed by the log's key that cannot be true beside the published log: of one size
    with different roots, not contained in it, or larger than it. They must prove it themselves;
    then an alarm is raised and every organisation is notified.
    """
    return {"alarm": watching.take_evidence(transaction(), caller(), asked["notes"])}


@witness_blueprint.post("/witnesses")
@audited("audit.witness", roles=_OFFICER, scope=Scope.AUDIT_WITNESS)
@witness_blueprint.arguments(NewWitnessSchema)
@witness_blueprint.response(201, WitnessSchema)
def register(asked: dict[str, str]) -> dict[str, str]:
    """Register a witness of your organisation

    Its public key, as `postern witness init` prints it. From then on it counts towards the quorum.
    """
    row = witnesses.register(transaction(), caller(), asked["vkey"], caller().organisation)
    return {"organisation": row.org, "vkey": row.vkey}


@witness_blueprint.post("/witnesses/end")
@audited("audit.witness", roles=_OFFICER, scope=Scope.AUDIT_WITNESS)
@witness_blueprint.arguments(NewWitnessSchema)
@witness_blueprint.response(204)
def end(asked: dict[str, str]) -> None:
    """End a witness of your organisation

    It counts no more, and its key is never taken again. What it cosigned stays. Safe to repeat.
    """
    witnesses.end(transaction(), caller(), asked["vkey"], caller().organisation)


def _note(found: Published) -> Response:
    return _response(found.note, "text/plain; charset=utf-8", _NEWEST)


def _response(content: bytes, content_type: str, cache: str) -> Response:
    response = Response(content, content_type=content_type)
    response.headers["Cache-Control"] = cache
    return response
