"""Words of the closed lists of disclosure, recall, watches and jobs, for `languages.WORDS`."""

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _
from flask_babel.speaklater import LazyString

from postern.vocabulary import (
    AcknowledgementState,
    Answer,
    ChannelKind,
    DecisionReason,
    DecisionState,
    DispatchState,
    FourEyes,
    HoldReason,
    MessageKind,
    OutcomeResult,
    RecallKind,
    RecallReason,
    Rectification,
    RequestedAction,
    RequestState,
    SealedPart,
    Step,
    SubjectRequestState,
    SubjectRight,
    TokenCheck,
    Unit,
    Urgency,
    WatchEnd,
    Way,
)


def _by_value(told: Mapping[Any, LazyString]) -> dict[str, LazyString]:
    return {str(member): sentence for member, sentence in told.items()}


DISCLOSURE_WORDS: Mapping[str, Mapping[str, LazyString]] = {
    "SealedPart": _by_value(
        {
            SealedPart.VALUE: _("value"),
            SealedPart.NOTE: _("note"),
            SealedPart.ATTACHMENT: _("attachment"),
        }
    ),
    "FourEyes": _by_value(
        {
            FourEyes.NEVER: _("one person suffices"),
            FourEyes.PERSONS: _("a second person where a person could be named"),
            FourEyes.ALWAYS: _("always a second person"),
        }
    ),
    "Urgency": _by_value(
        {
            Urgency.NORMAL: _("normal"),
            Urgency.URGENT: _("urgent"),
            Urgency.LIFE: _("imminent threat to life"),
        }
    ),
    "RequestedAction": _by_value(
        {
            RequestedAction.NONE: _("nothing more"),
            RequestedAction.LOCATE: _("locate the item"),
            RequestedAction.HOLD_FOR_CUSTOMS: _("hold the item for customs"),
            RequestedAction.EXAMINE: _("examine the item"),
        }
    ),
    "RequestState": _by_value(
        {
            RequestState.OPEN: _("waits for a decision"),
            RequestState.QUESTIONED: _("a question was put back"),
            RequestState.PROPOSED: _("waits for a second person"),
            RequestState.RELEASED: _("released"),
            RequestState.REFUSED: _("refused"),
            RequestState.RECEIVED: _("received"),
            RequestState.WITHDRAWN: _("withdrawn"),
            RequestState.LAPSED: _("lapsed without a decision"),
            RequestState.ENDED: _("ended with its indicator"),
            RequestState.RECALLED: _("called back"),
            RequestState.EXPIRED: _("delivery erased"),
        }
    ),
    "Answer": _by_value(
        {
            Answer.ALL: _("all"),
            Answer.PART: _("part"),
            Answer.NOTHING: _("nothing"),
        }
    ),
    "DecisionReason": _by_value(
        {
            DecisionReason.NECESSARY: _("lawful, necessary and proportionate"),
            DecisionReason.PARTLY_NECESSARY: _("necessary in part"),
            DecisionReason.LIFE_AT_RISK: _("a life is at risk"),
            DecisionReason.NOT_NECESSARY: _("not necessary for the purpose"),
            DecisionReason.TOO_BROAD: _("asks for too much"),
            DecisionReason.NO_LEGAL_BASIS: _("no sufficient legal basis"),
            DecisionReason.OWN_PROCEEDINGS: _("would harm own proceedings"),
            DecisionReason.NOT_HELD: _("not held any more"),
            DecisionReason.OTHER: _("another reason, told in the message"),
        }
    ),
    "DecisionState": _by_value(
        {
            DecisionState.PROPOSED: _("proposed"),
            DecisionState.EFFECTIVE: _("effective"),
            DecisionState.REJECTED: _("rejected by the second person"),
            DecisionState.VOID: _("void"),
        }
    ),
    "MessageKind": _by_value(
        {
            MessageKind.ASK: _("what is asked"),
            MessageKind.QUESTION: _("question back"),
            MessageKind.ANSWER: _("answer"),
            MessageKind.REASON: _("reason"),
        }
    ),
    "TokenCheck": _by_value(
        {
            TokenCheck.MATCHES: _("the value gives the same token"),
            TokenCheck.DIFFERS: _("the value gives another token"),
            TokenCheck.NOT_CHECKED: _("not checked"),
        }
    ),
    "Way": _by_value(
        {
            Way.LOOKUP: _("lookup"),
            Way.LIST: _("list"),
            Way.EXPORT: _("export"),
            Way.WATCH: _("watch"),
            Way.DISCLOSURE: _("disclosure"),
            Way.FEED: _("feed"),
            Way.FILTER: _("screening filter"),
        }
    ),
    "RecallKind": _by_value(
        {
            RecallKind.WITHDRAWAL: _("withdrawal"),
            RecallKind.CORRECTION: _("correction"),
        }
    ),
    "RecallReason": _by_value(
        {
            RecallReason.WRONG_IDENTITY: _("wrong person or place"),
            RecallReason.WRONG_DATA: _("wrong data"),
            RecallReason.UNLAWFUL: _("unlawfully processed"),
            RecallReason.SOURCE_WITHDREW: _("the source withdrew it"),
            RecallReason.SUBJECT_REQUEST: _("request of the person concerned"),
            RecallReason.COURT_ORDER: _("order of a court"),
            RecallReason.NO_LONGER_NEEDED: _("no longer needed"),
            RecallReason.OTHER: _("another reason"),
        }
    ),
    "AcknowledgementState": _by_value(
        {
            AcknowledgementState.OPEN: _("open"),
            AcknowledgementState.ACKNOWLEDGED: _("acknowledged"),
            AcknowledgementState.COMPLETED: _("completed"),
        }
    ),
    "Rectification": _by_value(
        {
            Rectification.ERASED: _("erased"),
            Rectification.CORRECTED: _("corrected"),
            Rectification.NOT_KEPT: _("was not kept"),
            Rectification.KEPT_BY_LAW: _("kept by law, restricted"),
        }
    ),
    "OutcomeResult": _by_value(
        {
            OutcomeResult.PENDING: _("not known yet"),
            OutcomeResult.FOUND: _("drugs found"),
            OutcomeResult.NOT_FOUND: _("nothing found"),
            OutcomeResult.ERROR: _("the indicator was wrong"),
        }
    ),
    "Step": _by_value(
        {
            Step.YES: _("yes"),
            Step.NO: _("no"),
            Step.UNKNOWN: _("not known"),
        }
    ),
    "Unit": _by_value({Unit.GRAM: _("g"), Unit.MILLILITRE: _("ml"), Unit.PIECE: _("pieces")}),
    "WatchEnd": _by_value(
        {
            WatchEnd.EXPIRED: _("its time was over"),
            WatchEnd.STOPPED: _("stopped"),
        }
    ),
    "HoldReason": _by_value(
        {
            HoldReason.PROCEEDINGS: _("evidence in proceedings"),
            HoldReason.COURT_ORDER: _("order of a court"),
            HoldReason.COMPLAINT: _("complaint"),
            HoldReason.SUBJECT_REQUEST: _("request of the person concerned"),
            HoldReason.OTHER: _("another reason"),
        }
    ),
    "SubjectRight": _by_value(
        {
            SubjectRight.ACCESS: _("access"),
            SubjectRight.RECTIFICATION: _("rectification"),
            SubjectRight.ERASURE: _("erasure"),
            SubjectRight.RESTRICTION: _("restriction"),
        }
    ),
    "SubjectRequestState": _by_value(
        {
            SubjectRequestState.OPEN: _("open"),
            SubjectRequestState.ANSWERED: _("answered"),
            SubjectRequestState.REFUSED: _("refused"),
        }
    ),
    "ChannelKind": _by_value(
        {
            ChannelKind.MAIL: _("mail"),
            ChannelKind.WEBHOOK: _("webhook"),
        }
    ),
    "DispatchState": _by_value(
        {
            DispatchState.WAITING: _("waits"),
            DispatchState.SENT: _("sent"),
            DispatchState.WITHHELD: _("withheld"),
            DispatchState.GIVEN_UP: _("given up"),
        }
    ),
}
