"""The pages of drafts: write one, see what it would change, propose it, decide on it.

A refusal brings the same page back with the reason and what was typed. It is logged, and what the
verb had done is undone first.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from flask import Blueprint, render_template, request, url_for
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from app import clock
from app.audit.entry import Outcome
from app.audit.guard import audited, caller, transaction
from app.audit.service import append
from app.errors import ConflictError, InvalidRequestError, NotAllowedError, PosternError
from app.organisations import service as organisations
from app.sharing import (
    composing,
    drafts,
    replay,
    service,
    side_by_side,
    simulation,
    typed_rules,
    versions,
)
from app.sharing.composing import OfferedTemplate
from app.sharing.draft_content import LONGEST_REASON, LONGEST_TITLE, wrong
from app.sharing.drafts import Draft, DraftChangedError
from app.sharing.models import DraftStatus
from app.sharing.policy_text import LONGEST_TEXT, PolicyRefusedError
from app.sharing.rule_schemas import from_form, to_form
from app.sharing.rules import AGE_LIMITS, Effect, cedar, place_of
from app.sharing.templates import templates
from app.sharing.text_diff import differences
from app.sharing.typed_rules import Step, TypedRules
from postern.vocabulary import (
    Assertion,
    Handling,
    InformationGrade,
    Kind,
    LegalBasis,
    Level,
    PartyRole,
    PermittedAction,
    Purpose,
    Role,
    Sector,
    SourceGrade,
    Substance,
    Tlp,
    Told,
)

Page = tuple[str, int]
Answer = Response | Page

blueprint = Blueprint("drafts", __name__)

READERS = (Role.POLICY_OWNER, Role.APPROVER, Role.COMPLIANCE)
WRITERS = (Role.POLICY_OWNER,)
DECIDERS = (Role.POLICY_OWNER, Role.APPROVER)

REPLAYED_DAYS = 30

_DRAFT = "/policy/drafts/<uuid:draft_id>"
_REFUSALS = (ConflictError, InvalidRequestError, NotAllowedError, PolicyRefusedError)
_NOTICES = frozenset({"saved", "proposed", "withdrawn", "begun"})
_LISTS = {
    "sectors": Sector,
    "roles": Role,
    "purposes": Purpose,
    "legal_bases": LegalBasis,
    "kinds": Kind,
    "party_roles": PartyRole,
    "tlp": Tlp,
    "handling": Handling,
    "handling_without": Handling,
    "source_grades": SourceGrade,
    "information_grades": InformationGrade,
    "permitted_actions": PermittedAction,
    "substances": Substance,
    "onward_to": Sector,
    "assertion": Assertion,
    "level": Level,
    "keeps": Level,
    "told": Told,
    "effect": Effect,
}
_CHOICES: Mapping[str, Sequence[Any]] = {
    **{name: tuple(kind) for name, kind in _LISTS.items()},
    "barrier_steps": range(8),
    "newer_than": AGE_LIMITS,
    "older_than": AGE_LIMITS,
}
"""What can be chosen in each field of a rule."""


@dataclass(frozen=True)
class _Typed:
    """What was typed and not kept: a form of rules or a text, and the revision it was made of."""

    title: str
    rules: list[dict[str, Any]] | None
    text: str


@dataclass(frozen=True)
class _RuleFault:
    """What is wrong or odd with one rule of the form; `field` empty for the rule as a whole."""

    field: str
    reason: str
    remedy: str
    is_warning: bool


@blueprint.post("/policy/drafts")
@audited("policy.draft", roles=WRITERS)
def create() -> Response:
    """Begin a draft from a template, from the text in force, empty, or as a text by hand."""
    title = request.form.get("title", "")
    source, _, about = request.form.get("from", "").partition(":")
    organisation_id, _person = caller().member
    held = versions.in_force(transaction(), organisation_id, clock.now())
    if source == "template":
        offered = _offered(about)
        made = drafts.create(transaction(), caller(), title=title, form=to_form(offered.rules))
    elif source == "current" and held is not None:
        made = drafts.from_version(transaction(), caller(), held.seq, title)
    elif source == "text":
        made = drafts.create(transaction(), caller(), title=title, text="")
    elif source == "empty":
        made = drafts.create(transaction(), caller(), title=title, form=[])
    else:
        raise wrong("from", "Choose one of the beginnings that the page offers.")
    return _to(made.id, "begun")


@blueprint.get(_DRAFT)
@audited("policy.read", roles=READERS)
def show(draft_id: UUID) -> Page:
    """Show a draft: to be written by its writers, to be decided on, or to be read."""
    done = request.args.get("done")
    return _page(draft_id, notice=done if done in _NOTICES else None)


@blueprint.post(_DRAFT)
@audited("policy.draft", roles=WRITERS)
def save(draft_id: UUID) -> Answer:
    """Save what was typed, after a step that adds, removes or moves a rule, or gives up the form.

    What has faults is not saved and stays on the page.
    """
    typed = typed_rules.read(request.form)
    title = request.form.get("title", "")
    place: int | None = None
    if "text" in request.form:
        kept = _Typed(title, None, request.form["text"])
    else:
        rules = typed_rules.moved(typed)
        if typed.step is Step.ADD:
            place = len(rules)
            rules = typed_rules.joined(rules, to_form(_offered(typed.about).rules))
        kept = _Typed(title, rules, "")

    def edit() -> Draft:
        text, form = kept.text, kept.rules
        if form is not None and typed.step is Step.BY_HAND:
            text, form = cedar(from_form(form), caller().organisation), None
        return drafts.edit(
            transaction(),
            caller(),
            draft_id,
            _revision(),
            title=title,
            text=text if form is None else None,
            form=form,
        )

    return _done(edit, draft_id, "saved", kept, _place_after(typed, place))


@blueprint.post("/policy/compose")
@audited("policy.check", roles=WRITERS)
def compose() -> dict[str, Any]:
    """The text that the form makes, for the script of the page; nothing is kept."""
    rules = typed_rules.moved(typed_rules.read(request.form))
    made = composing.compose(transaction(), caller(), rules)
    return {
        "text": made.text,
        "faults": len(made.examined.faults),
        "warnings": len(made.examined.warnings),
    }


@blueprint.get(f"{_DRAFT}/changes")
@audited("policy.simulate", roles=READERS)
def changes(draft_id: UUID) -> str:
    """Show who would gain and lose what, and what the last 30 days would have been."""
    draft = drafts.read(transaction(), caller(), draft_id)
    organisation_id, _ = caller().member
    held = versions.in_force(transaction(), organisation_id, clock.now())
    examined = service.examine(transaction(), organisation_id, draft.text)
    return render_template(
        "sharing/changes.html",
        draft=draft,
        held=held,
        rows=side_by_side.rows(held.text if held else "", draft.text),
        rules=side_by_side.rules(held.policies if held else (), examined.policies),
        **_changes(draft),
    )


@blueprint.post(f"{_DRAFT}/propose")
@audited("policy.draft", roles=WRITERS)
def propose(draft_id: UUID) -> Answer:
    """Put the draft before a second person, for the time given in UTC."""

    def verb() -> Draft:
        return drafts.propose(transaction(), caller(), draft_id, _revision(), _activation())

    return _done(verb, draft_id, "proposed")


@blueprint.post(f"{_DRAFT}/withdraw")
@audited("policy.draft", roles=WRITERS)
def withdraw(draft_id: UUID) -> Answer:
    """Take the proposal back."""
    return _done(lambda: drafts.withdraw(transaction(), caller(), draft_id), draft_id, "withdrawn")


@blueprint.post(f"{_DRAFT}/approve")
@audited("policy.draft", roles=DECIDERS)
def approve(draft_id: UUID) -> Answer:
    """Approve the proposal as the second person."""

    def verb() -> Draft:
        return drafts.approve(transaction(), caller(), draft_id, _revision(), _reason())

    return _done(verb, draft_id, "approved")


@blueprint.post(f"{_DRAFT}/refuse")
@audited("policy.draft", roles=DECIDERS)
def refuse(draft_id: UUID) -> Answer:
    """Refuse the proposal with a reason."""

    def verb() -> Draft:
        return drafts.refuse(transaction(), caller(), draft_id, _revision(), _reason())

    return _done(verb, draft_id, "refused")


@blueprint.post(f"{_DRAFT}/discard")
@audited("policy.draft", roles=WRITERS)
def discard(draft_id: UUID) -> Answer:
    """Close the draft."""
    return _done(lambda: drafts.discard(transaction(), caller(), draft_id), draft_id, "discarded")


def had_part(draft: Draft) -> bool:
    """Whether the caller wrote or proposed the draft, and so may not approve it."""
    return caller().person in {draft.created_by, draft.proposed_by, *draft.authors}


def may_decide(draft: Draft) -> bool:
    """Whether the caller may decide on the draft once it is proposed."""
    return bool(caller().roles & set(DECIDERS)) and not had_part(draft)


def _offered(template_id: str) -> OfferedTemplate:
    found = composing.offered_templates(transaction(), caller())
    for each in found:
        if each.id == template_id:
            return each
    raise wrong("from", "Choose one of the templates that the page offers.")


def _done(
    verb: Callable[[], Draft],
    draft_id: UUID,
    notice: str,
    typed: _Typed | None = None,
    place: int | None = None,
) -> Answer:
    """The way to the page after the verb; the page itself with the reason when it is refused."""
    try:
        with transaction().begin_nested():
            verb()
    except _REFUSALS as error:
        append(
            transaction(),
            caller(),
            "policy.draft",
            outcome=Outcome.DENIED if isinstance(error, NotAllowedError) else Outcome.ERROR,
            object_type="policy-draft",
            objects=[str(draft_id)],
            details={"refusal": error.code},
        )
        return _page(draft_id, typed=typed, problem=error)
    if notice in _NOTICES:
        return _to(draft_id, notice, place)
    return redirect(url_for("sharing.overview", done=notice), code=303)


def _to(draft_id: UUID, notice: str, place: int | None = None) -> Response:
    anchor = None if place is None else f"rule-{place}"
    address = url_for("sharing.drafts.show", draft_id=draft_id, done=notice, _anchor=anchor)
    return redirect(address, code=303)


def _place_after(typed: TypedRules, added: int | None) -> int | None:
    """The rule to show first after the step."""
    place = typed.place()
    if place is None or typed.step is Step.REMOVE:
        return added
    step = {Step.UP: -1, Step.DOWN: 1}.get(typed.step, 0)
    return min(max(place + step, 0), len(typed.rules) - 1)


def _revision() -> int:
    """The revision that the page showed; 0, which none has, when it is not a number."""
    typed = request.form.get("revision", "")
    return int(typed) if typed.isascii() and typed.isdecimal() and len(typed) < 10 else 0  # noqa: PLR2004


def _reason() -> str:
    return request.form.get("reason", "")


def _activation() -> datetime | None:
    typed = request.form.get("activate_at", "").strip()
    if not typed:
        return None
    try:
        return datetime.fromisoformat(typed).replace(tzinfo=UTC)
    except ValueError:
        raise wrong("activate_at", "Write the moment as 2027-01-31T09:00, in UTC.") from None


def _page(
    draft_id: UUID,
    *,
    typed: _Typed | None = None,
    problem: PosternError | None = None,
    notice: str | None = None,
) -> Page:
    draft = drafts.read(transaction(), caller(), draft_id)
    is_written = draft.status is DraftStatus.EDITING and Role.POLICY_OWNER in caller().roles
    page = render_template(
        "sharing/draft.html",
        draft=draft,
        problem=problem,
        notice=notice,
        **_standing(draft),
        **(_writing(draft, typed, problem) if is_written else _reading(draft)),
    )
    return page, 200 if problem is None else problem.status


def _standing(draft: Draft) -> dict[str, Any]:
    """Where the draft stands, and what the reader may do with it."""
    organisation_id, _ = caller().member
    newest = versions.newest_seq(transaction(), organisation_id)
    return {
        "newest": newest,
        "is_outdated": draft.is_open and draft.base_seq != newest,
        "had_part": had_part(draft),
        "may_write": Role.POLICY_OWNER in caller().roles,
        "may_decide": may_decide(draft),
        "longest_reason": LONGEST_REASON,
        "decision_days": drafts.DECISION_TIME.days,
    }


def _reading(draft: Draft) -> dict[str, Any]:
    """The text and how it differs; of a proposal, also what it changes."""
    organisation_id, _ = caller().member
    held = versions.in_force(transaction(), organisation_id, clock.now())
    examined = service.examine(transaction(), organisation_id, draft.text)
    return {
        "is_written": False,
        "examined": examined,
        "held": held,
        "lines": differences(held.text if held else "", draft.text),
        **(_changes(draft) if draft.status is DraftStatus.PROPOSED else {}),
    }


def _changes(draft: Draft) -> dict[str, Any]:
    """What the draft changes; only its faults when it has some."""
    now = clock.now()
    try:
        simulated = simulation.simulate(transaction(), caller(), draft.text, now)
    except PolicyRefusedError as refusal:
        append(
            transaction(),
            caller(),
            "policy.simulate",
            outcome=Outcome.ERROR,
            details={"refusal": refusal.code},
        )
        return {"simulated": None, "faults_found": refusal.faults}
    return {
        "simulated": simulated,
        "faults_found": simulated.faults,
        "replayed": replay.replay(transaction(), caller(), draft.text, now, REPLAYED_DAYS),
        "replayed_days": REPLAYED_DAYS,
    }


def _writing(draft: Draft, typed: _Typed | None, problem: PosternError | None) -> dict[str, Any]:
    """The fields of the form, filled with what was typed or what is kept."""
    shown = typed or _Typed(draft.title, draft.form, draft.text)
    text, examined = draft.text, None
    if problem is None:
        text, examined = _examined(shown)
    organisation_id, _ = caller().member
    members = organisations.directory(transaction())
    return {
        "is_written": True,
        "shown": shown,
        "text": text,
        "rules": [typed_rules.whole(rule) for rule in shown.rules or ()],
        "faults_of": _faults_by_rule(shown, examined, problem),
        "examined": examined,
        "is_mine_to_overwrite": isinstance(problem, DraftChangedError),
        "choices": _CHOICES,
        "open_of": [_open_fields(rule) for rule in shown.rules or ()],
        "offered": composing.offered_templates(transaction(), caller()),
        "members": sorted(
            (one for key, one in members.items() if key != organisation_id),
            key=lambda one: one.name,
        ),
        "communities": sorted(
            {each for codes in organisations.communities(transaction()).values() for each in codes}
        ),
        "longest_title": LONGEST_TITLE,
        "longest_text": LONGEST_TEXT,
    }


def _examined(shown: _Typed) -> tuple[str, service.Examined | None]:
    """The text that is shown, and its faults; of a form with faults of its own nothing."""
    organisation_id, _ = caller().member
    text = shown.text
    if shown.rules is not None:
        try:
            text = cedar(from_form(shown.rules), caller().organisation)
        except InvalidRequestError:
            return "", None
    return text, service.examine(transaction(), organisation_id, text)


def _open_fields(rule: Mapping[str, Any]) -> frozenset[str]:
    """The fields to show at once: those that say something, and those that a template asks."""
    asked = {ask.field for each in templates() for ask in each.asks if ask.rule == rule["name"]}
    gets = "keeps" if rule.get("effect") == Effect.FORBID.value else "level"
    return frozenset({*asked, *typed_rules.said(rule), gets, "sectors", "purposes"})


def _faults_by_rule(
    shown: _Typed, examined: service.Examined | None, problem: PosternError | None
) -> dict[int, list[_RuleFault]]:
    """Faults and warnings by the place of their rule; -1 for the text or the form as a whole."""
    found: dict[int, list[_RuleFault]] = {}
    if isinstance(problem, InvalidRequestError):
        for error in problem.extensions.get("errors", ()):
            place, field = _place_of_field(error["field"])
            fault = _RuleFault(field, error["reason"], "", is_warning=False)
            found.setdefault(place, []).append(fault)
    if examined is None or shown.rules is None:
        return found
    try:
        rules = from_form(shown.rules)
    except InvalidRequestError:
        return found
    for is_warning, faults in enumerate((examined.faults, examined.warnings)):
        for each in faults:
            of_rule = place_of(each.policy, rules, caller().organisation)
            found.setdefault(-1 if of_rule is None else of_rule, []).append(
                _RuleFault("", each.reason, each.remedy, is_warning=bool(is_warning))
            )
    return found


def _place_of_field(name: str) -> tuple[int, str]:
    """`rules.2.countries.0` is field countries of rule 2; other names are of no rule."""
    parts = name.split(".")
    if len(parts) > 1 and parts[0] == "rules" and parts[1].isdecimal():
        return int(parts[1]), parts[2] if len(parts) > 2 else ""  # noqa: PLR2004 - the rule's field
    return -1, parts[-1]
