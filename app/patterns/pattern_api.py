"""Over HTTP: shared patterns, their versions, subscriptions, and what they turned out worth."""

from typing import Any
from uuid import UUID

from flask_smorest import Blueprint

from app.audit.guard import audited, caller, transaction
from app.audit.service import append
from app.clock import now
from app.indicators.telling import Grounds
from app.patterns import (
    counting,
    documents,
    drafting,
    figures,
    pattern_audience,
    reading,
    subscriptions,
)
from app.patterns.beside import Beside
from app.patterns.counting import Examined
from app.patterns.documents import Checked
from app.patterns.drafting import DECIDERS, WRITERS
from app.patterns.figures import Figures
from app.patterns.pattern_audience import PatternAudience
from app.patterns.pattern_schemas import (
    CheckedPatternSchema,
    CheckPatternSchema,
    DiscardArgumentsSchema,
    ListedPatternsSchema,
    ListPatternsSchema,
    NewPatternSchema,
    PatternApprovalSchema,
    PatternAudienceSchema,
    PatternDeprecatingSchema,
    PatternDraftSchema,
    PatternExaminedSchema,
    PatternFiguresSchema,
    PatternGroundsSchema,
    PatternRefusalSchema,
    PatternRevisionSchema,
    PatternRunSchema,
    PatternSchema,
    PatternSubscriptionSchema,
    PatternTextSchema,
    ReadPatternSchema,
    SubscribedPatternsSchema,
)
from app.patterns.reading import READERS, Page, Pattern, Wanted
from app.patterns.subscriptions import SUBSCRIBERS, Subscribed
from postern.vocabulary import Scope

blueprint = Blueprint(
    "patterns",
    __name__,
    url_prefix="/api/v1/patterns",
    description="Shipping patterns that organisations share: rules about parcels, not persons.",
)

_READ, _WRITE = Scope.PATTERNS_READ, Scope.PATTERNS_WRITE
_ONE = "/<uuid:pattern_id>"


@blueprint.get("")
@audited("pattern.list", roles=READERS, scope=_READ)
@blueprint.arguments(ListPatternsSchema, location="query", unknown=None)
@blueprint.response(200, ListedPatternsSchema)
def list_patterns(asked: dict[str, Any]) -> Page:
    """List patterns

    Your own, and with a purpose and a legal basis those of others that their policies let you
    know of: where they may be fed to you, or screened with. Newest first, in pages.
    """
    limit, cursor = asked.pop("limit"), asked.pop("cursor")
    grounds = _grounds(asked)
    return reading.list_patterns(
        transaction(), caller(), grounds, wanted=Wanted(**asked), limit=limit, cursor=cursor
    )


@blueprint.post("")
@audited("pattern.draft", roles=WRITERS, scope=_WRITE)
@blueprint.arguments(NewPatternSchema)
@blueprint.response(201, PatternSchema)
def begin(sent: dict[str, Any]) -> Pattern:
    """Begin a pattern

    Its first version is a draft, which nobody else knows of. A document with faults is kept too;
    `draft.checked` of the answer tells them.
    """
    text = sent.pop("text")
    return drafting.begin(transaction(), caller(), text, _beside(sent))


@blueprint.post("/check")
@audited("pattern.check", roles=WRITERS, scope=_WRITE)
@blueprint.arguments(CheckPatternSchema)
@blueprint.response(200, CheckedPatternSchema)
def check(sent: dict[str, Any]) -> Checked:
    """Check a document

    Its faults with line, column and remedy, what it asks for in words, how its own tests come out,
    and what of it STIX patterning can say. Nothing is kept.
    """
    append(transaction(), caller(), "pattern.check", object_type="pattern")
    return documents.check(sent["text"], now().date(), sent["language"])


@blueprint.get("/subscribed")
@audited("pattern.fetch", roles=WRITERS, scope=_READ)
@blueprint.response(200, SubscribedPatternsSchema)
def fetch_subscribed() -> Subscribed:
    """Fetch what you screen with

    The documents in force of the patterns that your organisation subscribes to, and those that are
    not to be used any more. Each owner's policy is asked again, for the purpose of the
    subscription.
    """
    return subscriptions.subscribed(transaction(), caller())


@blueprint.get(_ONE)
@audited("pattern.read", roles=READERS, scope=_READ)
@blueprint.arguments(ReadPatternSchema, location="query", unknown=None)
@blueprint.response(200, PatternSchema)
def read_pattern(asked: dict[str, Any], pattern_id: UUID) -> Pattern:
    """Read a pattern

    One of your own, or with a purpose and a legal basis one of another that its policy lets you
    know of; its rule only where you may screen with it.
    """
    language = asked.pop("language")
    return reading.read(transaction(), caller(), _grounds(asked), pattern_id, language)


@blueprint.get(f"{_ONE}/versions/<int:seq>")
@audited("pattern.read", roles=READERS, scope=_READ)
@blueprint.arguments(PatternGroundsSchema, location="query", unknown=None)
@blueprint.response(200, PatternTextSchema)
def read_version(asked: dict[str, Any], pattern_id: UUID, seq: int) -> dict[str, str]:
    """Read the text of a version

    Of your own any, of another's those that were published and that you may screen with.
    """
    grounds = _grounds(asked)
    text = reading.version_text(transaction(), caller(), grounds, pattern_id, seq)
    return {"text": text}


@blueprint.put(f"{_ONE}/draft")
@audited("pattern.draft", roles=WRITERS, scope=_WRITE)
@blueprint.arguments(PatternDraftSchema)
@blueprint.response(200, PatternSchema)
def save_draft(sent: dict[str, Any], pattern_id: UUID) -> Pattern:
    """Save the draft

    Changes the open version of your own pattern, or opens the next one. What is published stays in
    force until another version is.
    """
    text, revision = sent.pop("text"), sent.pop("revision")
    return drafting.save_draft(transaction(), caller(), pattern_id, text, _beside(sent), revision)


@blueprint.delete(f"{_ONE}/draft")
@audited("pattern.draft", roles=WRITERS, scope=_WRITE)
@blueprint.arguments(DiscardArgumentsSchema, location="query", unknown=None)
@blueprint.response(204)
def discard_draft(asked: dict[str, Any], pattern_id: UUID) -> None:
    """Discard the draft

    A pattern that was never published goes with it.
    """
    drafting.discard(transaction(), caller(), pattern_id, asked["revision"])


@blueprint.post(f"{_ONE}/propose")
@audited("pattern.draft", roles=WRITERS, scope=_WRITE)
@blueprint.arguments(PatternRevisionSchema)
@blueprint.response(200, PatternSchema)
def propose(sent: dict[str, Any], pattern_id: UUID) -> Pattern:
    """Propose the draft

    Puts it before a second person; its text stands still from then on.
    """
    return drafting.propose(transaction(), caller(), pattern_id, sent["revision"])


@blueprint.post(f"{_ONE}/withdraw")
@audited("pattern.draft", roles=WRITERS, scope=_WRITE)
@blueprint.arguments(PatternRevisionSchema)
@blueprint.response(200, PatternSchema)
def withdraw(sent: dict[str, Any], pattern_id: UUID) -> Pattern:
    """Withdraw the proposal

    To edit the draft again.
    """
    return drafting.withdraw(transaction(), caller(), pattern_id, sent["revision"])


@blueprint.post(f"{_ONE}/approve")
@audited("pattern.publish", roles=DECIDERS)
@blueprint.arguments(PatternApprovalSchema)
@blueprint.response(200, PatternSchema)
def approve(sent: dict[str, Any], pattern_id: UUID) -> Pattern:
    """Publish the proposed version

    By a second person, who had no part in writing it, and never by a program. Whom your policy
    lets screen with it has it from then on.
    """
    return drafting.approve(transaction(), caller(), pattern_id, sent["revision"], sent["note"])


@blueprint.post(f"{_ONE}/refuse")
@audited("pattern.draft", roles=DECIDERS)
@blueprint.arguments(PatternRefusalSchema)
@blueprint.response(200, PatternSchema)
def refuse(sent: dict[str, Any], pattern_id: UUID) -> Pattern:
    """Refuse the proposed version

    With a note for its author, who may write the next one.
    """
    return drafting.refuse(transaction(), caller(), pattern_id, sent["revision"], sent["note"])


@blueprint.post(f"{_ONE}/deprecate")
@audited("pattern.deprecate", roles=DECIDERS)
@blueprint.arguments(PatternDeprecatingSchema)
@blueprint.response(200, PatternSchema)
def deprecate(sent: dict[str, Any], pattern_id: UUID) -> Pattern:
    """Deprecate a pattern

    Subscribers are told, and are not given it any more. It stays listed until its end.
    """
    return drafting.deprecate(
        transaction(), caller(), pattern_id, sent["reason"], sent["superseded_by"]
    )


@blueprint.put(f"{_ONE}/subscription")
@audited("pattern.subscribe", roles=SUBSCRIBERS, scope=_WRITE)
@blueprint.arguments(PatternSubscriptionSchema)
@blueprint.response(204)
def subscribe(sent: dict[str, Any], pattern_id: UUID) -> None:
    """Subscribe to a pattern

    For this purpose and on this basis, which the owner's policy is asked by at each fetch.
    """
    grounds = Grounds(sent["purpose"], sent["legal_basis"], "")
    subscriptions.subscribe(transaction(), caller(), grounds, pattern_id)


@blueprint.delete(f"{_ONE}/subscription")
@audited("pattern.unsubscribe", roles=SUBSCRIBERS, scope=_WRITE)
@blueprint.response(204)
def unsubscribe(pattern_id: UUID) -> None:
    """End a subscription"""
    subscriptions.unsubscribe(transaction(), caller(), pattern_id)


@blueprint.post(f"{_ONE}/runs")
@audited("pattern.run", roles=WRITERS, scope=_WRITE)
@blueprint.arguments(PatternRunSchema)
@blueprint.response(204)
def tell_run(sent: dict[str, Any], pattern_id: UUID) -> None:
    """Tell the counts of a run

    How many parcels were screened with a version on a day, and how many hit; once for each
    organisation, version and day: told again, the newest stands.
    """
    counting.tell_run(
        transaction(),
        caller(),
        pattern_id,
        sent["version"],
        sent["day"],
        sent["parcels"],
        sent["hits"],
    )


@blueprint.post(f"{_ONE}/outcomes")
@audited("pattern.outcome", roles=WRITERS, scope=_WRITE)
@blueprint.arguments(PatternExaminedSchema)
@blueprint.response(204)
def tell_outcomes(sent: dict[str, Any], pattern_id: UUID) -> None:
    """Tell what examining hits showed

    Of the parcels of a day that hit a version and were examined; told again, the newest stands.
    """
    version, on = sent.pop("version"), sent.pop("day")
    counting.tell_outcomes(transaction(), caller(), pattern_id, version, on, Examined(**sent))


@blueprint.get(f"{_ONE}/figures")
@audited("pattern.count", roles=READERS, scope=_READ)
@blueprint.arguments(PatternGroundsSchema, location="query", unknown=None)
@blueprint.response(200, PatternFiguresSchema)
def read_figures(asked: dict[str, Any], pattern_id: UUID) -> Figures:
    """Read how a pattern does

    Precision with its interval by version, hits per million parcels by month, how many
    organisations run it, its age: of all others together without small counts and without
    anybody's volume, and of your own whole.
    """
    return figures.figures(transaction(), caller(), _grounds(asked), pattern_id)


@blueprint.get(f"{_ONE}/audience")
@audited("policy.explain", roles=READERS)
@blueprint.response(200, PatternAudienceSchema)
def audience(pattern_id: UUID) -> PatternAudience:
    """Explain who may have one of your patterns

    By organisation, purpose and age, and by which rules, now and under the version of your policy
    that waits: of the open version, were it published now, else of the one in force. Not by
    programs.
    """
    return pattern_audience.audience(transaction(), caller(), pattern_id, now())


def _grounds(asked: dict[str, Any]) -> Grounds | None:
    """Why this is asked, taken out of the arguments."""
    case = asked.pop("case").strip()
    if "purpose" not in asked:
        return None
    return Grounds(asked.pop("purpose"), asked.pop("legal_basis"), case)


def _beside(sent: dict[str, Any]) -> Beside:
    return Beside(**{**sent, "handling": frozenset(sent["handling"])})
