"""The pages of shared patterns: which there are, what each asks for, how it does, who reads it.

They ask what the interface for programs asks, by the same verbs, and are logged as the same acts.
They need no script.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from flask import Blueprint, render_template, request, url_for
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from app import clock
from app.audit.entry import Outcome
from app.audit.guard import audited, caller, transaction
from app.audit.service import append
from app.errors import ConflictError, InvalidRequestError, NotAllowedError, PosternError
from app.patterns import (
    documents,
    drafting,
    editing_pages,
    figures,
    filter_pages,
    pattern_audience,
    reading,
    subscriptions,
)
from app.patterns.drafting import DECIDERS, LONGEST_NOTE, WRITERS
from app.patterns.page_requests import revision, shown_grounds, spoken
from app.patterns.reading import READERS, PatternState, Wanted
from app.patterns.subscriptions import SUBSCRIBERS
from app.sharing import side_by_side
from postern.patterns.model import Level
from postern.patterns.reading import LAST_STEP
from postern.vocabulary import Role

Page = tuple[str, int]
Answer = Response | Page

blueprint = Blueprint("pattern_pages", __name__)
blueprint.register_blueprint(editing_pages.blueprint)
blueprint.register_blueprint(filter_pages.blueprint)

PAGE = 25  # patterns of one list
_LONGEST_SEQ = 6  # digits


_SHELVES: Mapping[str, Wanted] = {
    "live": Wanted(state=PatternState.LIVE),
    "own": Wanted(own=True),
    "drafts": Wanted(own=True, state=PatternState.DRAFT),
    "subscribed": Wanted(subscribed=True),
    "deprecated": Wanted(state=PatternState.DEPRECATED),
    "expired": Wanted(state=PatternState.EXPIRED),
}
_FILTERS = ("shelf", "level", "step", "words")
_LONGEST_WORDS = 100  # characters
_NOTICES = frozenset(
    {
        *("proposed", "withdrawn", "published", "refused", "discarded", "deprecated"),
        *("subscribed", "unsubscribed"),
    }
)
_REFUSED = (ConflictError, InvalidRequestError, NotAllowedError)
_ONE = "/patterns/<uuid:pattern_id>"


@blueprint.get("/patterns")
@audited("pattern.list", roles=READERS)
def show_all() -> str:
    """Show the patterns that the organisation may know of and that fit the filters."""
    given = {name: request.args[name].strip() for name in _FILTERS if request.args.get(name)}
    shown = shown_grounds()
    cursor = _uuid(request.args.get("cursor"))
    page = reading.list_patterns(
        transaction(),
        caller(),
        shown.grounds,
        wanted=_wanted(given),
        limit=PAGE,
        cursor=cursor,
    )
    asks_for_lost = cursor is None and (not given or given == {"shelf": "subscribed"})
    kept = {**given, **shown.arguments}
    done = request.args.get("done", "")
    return render_template(
        "patterns/list.html",
        page=page,
        lost=subscriptions.no_longer_shared(transaction(), caller()) if asks_for_lost else (),
        may_subscribe=_may(SUBSCRIBERS),
        given=given,
        shown=shown,
        done=done if done in _NOTICES else None,
        shelves=list(_SHELVES),
        levels=list(Level),
        steps=range(1, LAST_STEP + 1),
        is_later_page=cursor is not None,
        first_address=_address(kept),
        next_address=_address(kept, cursor=page.next) if page.next else "",
        may_write=_may(WRITERS),
    )


@blueprint.get(_ONE)
@audited("pattern.read", roles=READERS)
def show(pattern_id: UUID) -> Page:
    """Show one pattern: what it asks for, its figures, its versions, and what one may do."""
    return _one(pattern_id)


@blueprint.get(f"{_ONE}/compare")
@audited("pattern.read", roles=READERS)
def compare(pattern_id: UUID) -> str:
    """Show two versions side by side, by default the two newest; the address names others."""
    shown = shown_grounds(pattern_id)
    pattern = reading.read(transaction(), caller(), shown.grounds, pattern_id, spoken())
    seqs = [each.seq for each in pattern.versions if each.may_read_text]
    chosen = {"from": _chosen("from", seqs, 1), "to": _chosen("to", seqs, 0)}
    texts = {
        seq: reading.version_text(transaction(), caller(), shown.grounds, pattern_id, seq)
        for seq in set(chosen.values())
        if seq in seqs
    }
    before, after = (texts.get(seq) for seq in chosen.values())
    today = clock.now().date()
    return render_template(
        "patterns/compare.html",
        pattern=pattern,
        shown=shown,
        chosen=chosen,
        versions={each.seq: each for each in pattern.versions if each.may_read_text},
        is_found=before is not None and after is not None,
        said={
            name: documents.check(texts[seq], today, spoken()).explanation
            for name, seq in chosen.items()
            if seq in texts
        },
        rows=side_by_side.rows(before or "", after or ""),
    )


@blueprint.get(f"{_ONE}/audience")
@audited("policy.explain", roles=READERS)
def audience(pattern_id: UUID) -> str:
    """Show which organisations may have one of one's own patterns, and by which rules."""
    found = pattern_audience.audience(transaction(), caller(), pattern_id, clock.now())
    return render_template("patterns/audience.html", found=found)


@blueprint.post(f"{_ONE}/subscribe")
@audited("pattern.subscribe", roles=SUBSCRIBERS)
def subscribe(pattern_id: UUID) -> Answer:
    """Subscribe the organisation, for the purpose that the page shows."""
    shown = shown_grounds(pattern_id)

    def verb() -> None:
        subscriptions.subscribe(transaction(), caller(), shown.grounds, pattern_id)

    return _done("pattern.subscribe", pattern_id, verb, "subscribed")


@blueprint.post(f"{_ONE}/unsubscribe")
@audited("pattern.unsubscribe", roles=SUBSCRIBERS)
def unsubscribe(pattern_id: UUID) -> Answer:
    """End the organisation's subscription."""

    def verb() -> None:
        subscriptions.unsubscribe(transaction(), caller(), pattern_id)

    return _done("pattern.unsubscribe", pattern_id, verb, "unsubscribed")


@blueprint.post(f"{_ONE}/withdraw")
@audited("pattern.draft", roles=WRITERS)
def withdraw(pattern_id: UUID) -> Answer:
    """Take a proposal back, to write on."""

    def verb() -> None:
        drafting.withdraw(transaction(), caller(), pattern_id, revision() or 0)

    return _done("pattern.draft", pattern_id, verb, "withdrawn")


@blueprint.post(f"{_ONE}/approve")
@audited("pattern.publish", roles=DECIDERS)
def approve(pattern_id: UUID) -> Answer:
    """Publish the proposed version, as the second person."""

    def verb() -> None:
        note = request.form.get("note", "").strip() or None
        drafting.approve(transaction(), caller(), pattern_id, revision() or 0, note)

    return _done("pattern.publish", pattern_id, verb, "published")


@blueprint.post(f"{_ONE}/refuse")
@audited("pattern.draft", roles=DECIDERS)
def refuse(pattern_id: UUID) -> Answer:
    """Refuse the proposed version, with a reason."""

    def verb() -> None:
        note = request.form.get("note", "").strip()
        drafting.refuse(transaction(), caller(), pattern_id, revision() or 0, note)

    return _done("pattern.draft", pattern_id, verb, "refused")


@blueprint.post(f"{_ONE}/deprecate")
@audited("pattern.deprecate", roles=DECIDERS)
def deprecate(pattern_id: UUID) -> Answer:
    """Say that the pattern is used no longer, why, and what replaces it."""

    def verb() -> None:
        reason = request.form.get("reason", "").strip()
        other = request.form.get("superseded_by", "").strip()
        drafting.deprecate(transaction(), caller(), pattern_id, reason, _uuid(other))

    return _done("pattern.deprecate", pattern_id, verb, "deprecated")


def _done(act: str, pattern_id: UUID, verb: Callable[[], None], notice: str) -> Answer:
    """The way back after the verb; the page itself with the reason when it is refused."""
    try:
        with transaction().begin_nested():
            verb()
    except _REFUSED as error:
        append(
            transaction(),
            caller(),
            act,
            outcome=Outcome.DENIED if isinstance(error, NotAllowedError) else Outcome.ERROR,
            object_type="pattern",
            objects=[str(pattern_id)],
            details={"refusal": error.code},
        )
        return _one(pattern_id, act, error)
    kept: dict[str, Any] = {"done": notice}
    if notice == "unsubscribed":  # it may be none of those that one may still know of
        return redirect(url_for("pattern_pages.show_all", **kept), code=303)
    kept |= shown_grounds(pattern_id).arguments
    return redirect(url_for("pattern_pages.show", pattern_id=pattern_id, **kept), code=303)


def _one(pattern_id: UUID, act: str = "", problem: PosternError | None = None) -> Page:
    shown = shown_grounds(pattern_id)
    pattern = reading.read(transaction(), caller(), shown.grounds, pattern_id, spoken())
    draft, done = pattern.draft, request.args.get("done", "")
    proposed = draft if draft and draft.state == "proposed" else None
    page = render_template(
        "patterns/show.html",
        pattern=pattern,
        listed=pattern.listed,
        shown=shown,
        found=figures.figures(transaction(), caller(), shown.grounds, pattern_id),
        proposed=proposed,
        rows=side_by_side.rows(pattern.text or "", proposed.text)
        if proposed and pattern.listed.published_on
        else [],
        had_part=draft is not None and caller().person in {*draft.authors, draft.proposed_by},
        may_write=pattern.listed.is_own and _may(WRITERS),
        may_decide=pattern.listed.is_own and _may(DECIDERS),
        may_subscribe=_may(SUBSCRIBERS),
        may_explain=pattern.listed.is_own and _may(READERS),
        longest_reason=LONGEST_NOTE,
        done=done if done in _NOTICES else None,
        refused_act=act,
        problem=problem,
        typed=request.form,
    )
    return page, problem.status if problem else 200


def _wanted(given: Mapping[str, str]) -> Wanted:
    """What the address asks for; what means nothing is left out, as if it were not asked."""
    shelf = _SHELVES.get(given.get("shelf", ""), Wanted())
    step = given.get("step", "")
    return Wanted(
        own=shelf.own,
        subscribed=shelf.subscribed,
        state=shelf.state,
        level=next((each for each in Level if each.value == given.get("level")), None),
        barrier_step=int(step) if step in {str(each) for each in range(1, LAST_STEP + 1)} else None,
        words=given.get("words", "")[:_LONGEST_WORDS],
    )


def _chosen(name: str, newest: list[int], place: int) -> int:
    """The version of the address, or the one at that place from the newest; 0 for none."""
    typed = request.args.get(name, "")
    if typed.isascii() and typed.isdecimal() and len(typed) <= _LONGEST_SEQ:
        return int(typed)
    return newest[place] if place < len(newest) else 0


def _may(roles: Iterable[Role]) -> bool:
    return bool(caller().roles & frozenset(roles))


def _address(kept: Mapping[str, str], **more: Any) -> str:
    asked = urlencode({**kept, **more})
    address = url_for("pattern_pages.show_all")
    return f"{address}?{asked}" if asked else address


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None
