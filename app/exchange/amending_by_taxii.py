"""A later version of an indicator that a client added: it is amended, or withdrawn if revoked."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from marshmallow import ValidationError

from app.errors import ConflictError, InvalidRequestError, NotFoundError
from app.exchange.adding_models import NameState
from app.exchange.sent import Known, Run, Sent, note_version
from app.exchange.statuses import Outcome
from app.indicators.amend_schemas import AmendIndicatorSchema, AmendReportSchema
from app.indicators.amending import Correction, amend_indicator, amend_report
from app.indicators.reading import SHIPMENT_FIELDS
from app.indicators.taking_back import take_back
from app.problems import places
from postern.vocabulary import RecallReason

_OVER = "It is over here: it expired, or was withdrawn by its organisation. Send it under a new id."
_INDICATOR, _REPORT = AmendIndicatorSchema(), AmendReportSchema()


def follow(run: Run, later: Sequence[tuple[Sent, Known]]) -> dict[int, Outcome]:
    """Take later versions of known indicators; each is taken whole or refused."""
    outcomes: dict[int, Outcome] = {}
    ending: dict[UUID, list[tuple[Sent, Known]]] = {}
    for sent, known in later:
        if sent.object.revoked:
            ending.setdefault(known.report, []).append((sent, known))
        else:
            outcomes[sent.place] = _amend(run, sent, known)
    for report, pairs in ending.items():
        named = [known.name.indicator for _, known in pairs]
        take_back(run.session, run.caller, report, named, RecallReason.SOURCE_WITHDREW)
        for sent, known in pairs:
            note_version(run.session, known.name, sent, NameState.REVOKED)
            outcomes[sent.place] = sent.outcome()
        run.done["withdrawn"] += len(pairs)
    return outcomes


def _amend(run: Run, sent: Sent, known: Known) -> Outcome:
    report, indicator = known.report, known.name.indicator
    try:
        of_indicator = _correction(_INDICATOR, sent.object.indicator)
        of_report = _correction(_REPORT, _told_of_shipment(sent))
        with run.session.begin_nested():
            amend_indicator(run.session, run.caller, report, indicator, of_indicator)
            amend_report(run.session, run.caller, report, of_report)
    except InvalidRequestError as error:
        faults = error.extensions.get("errors", ())
        message = " ".join(
            f"{each['field'].removeprefix('json.')}: {each['reason']}" for each in faults
        )
        return sent.outcome(message or error.detail, is_success=False)
    except (NotFoundError, ConflictError):
        return sent.outcome(_OVER, is_success=False)
    note_version(run.session, known.name, sent, NameState.LIVE)
    run.done["amended"] += 1
    return sent.outcome()


def _correction(schema: AmendIndicatorSchema | AmendReportSchema, said: Mapping[str, Any]) -> Any:
    """What of a version can be amended; what it leaves out stays as it is."""
    given = {name: said[name] for name in said if name in schema.fields.keys() - schema.fixed}
    try:
        fields = schema.load({**given, "reason": RecallReason.WRONG_DATA.value})
    except ValidationError as error:
        raise InvalidRequestError(errors=places(error.messages)) from None
    return Correction(fields, fields.pop("reason"))


def _told_of_shipment(sent: Sent) -> dict[str, Any]:
    """The shipment as a whole where the version tells one: what it no longer says is taken back."""
    told: dict[str, Any] = {}
    if sent.object.shipment:
        told |= dict.fromkeys(SHIPMENT_FIELDS) | dict(sent.object.shipment)
    if sent.object.barrier_step is not None:
        told["barrier_step"] = sent.object.barrier_step
    return told
