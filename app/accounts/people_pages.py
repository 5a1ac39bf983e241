"""The pages of an organisation's people and their API tokens, for who keeps them.

A password or the difference between roles is shown on the page that answers, this once.
"""

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar
from uuid import UUID

from flask import Blueprint, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from app.access import current_caller
from app.accounts import factor_resets, one_time_links, passwords, people, tokens
from app.accounts.people import KEEPERS
from app.audit.entry import Outcome
from app.audit.guard import audited, caller, transaction
from app.audit.service import append
from app.errors import ConflictError, InvalidRequestError, PosternError
from app.runtime import runtime
from postern.vocabulary import Role

P = ParamSpec("P")
R = TypeVar("R")
Page = str | tuple[str, int]

blueprint = Blueprint("people", __name__)

_ADMINISTRATOR = [Role.ADMINISTRATOR]
_STEPS = frozenset(
    {
        "factors-proposed",
        "factors-decided",
        "roles",
        "disabled",
        "enabled",
        "closed",
        "sessions",
        "confirmed",
        "refused",
    }
)


def _with_a_new_password(view: Callable[P, R]) -> Callable[P, R]:
    """Make a password and its hash before the view's transaction begins, for who may use it."""

    @functools.wraps(view)
    def first_made(*args: P.args, **kwargs: P.kwargs) -> R:
        asking = current_caller()
        g.new_password, g.new_secret = passwords.generate(), ""
        if asking is not None and Role.ADMINISTRATOR in asking.roles:
            # A generated password never breaks the rule, so no sign-in name is needed for it.
            g.new_secret = passwords.passwords().hash(g.new_password)
        return view(*args, **kwargs)

    return first_made


@blueprint.get("/people")
@audited("account.list", roles=KEEPERS)
def show_all() -> str:
    """Show everybody of the organisation, with their roles, state and last sign-in."""
    return render_template(
        "administration/people.html",
        people=people.list_people(transaction(), caller()),
        may_change=Role.ADMINISTRATOR in caller().roles,
    )


@blueprint.get("/people/new")
@audited("account.list", roles=_ADMINISTRATOR)
def begin() -> str:
    """Show the form for a new account."""
    append(transaction(), caller(), "account.list", object_type="account", count=0)
    return _form()


@blueprint.post("/people")
@_with_a_new_password
@audited("account.create", roles=_ADMINISTRATOR)
def add() -> Page:
    """Give a person an account; the page that answers shows the password, this once."""
    form = request.form
    try:
        with transaction().begin_nested():
            person = people.add(
                transaction(),
                caller(),
                login=form.get("login", ""),
                name=form.get("name", ""),
                roles=_roles("roles"),
                secret=g.new_secret,
            )
    except (InvalidRequestError, ConflictError) as error:
        _log_refusal("account.create", error)
        return _form(error), error.status
    return _person(person, password=g.new_password, step="created"), 201


@blueprint.get("/people/<uuid:person>")
@audited("account.read", roles=KEEPERS)
def show(person: UUID) -> str:
    """Show one person, and what may be changed."""
    done = request.args.get("done", "")
    return _person(person, step=done if done in _STEPS else "")


@blueprint.post("/people/<uuid:person>/roles")
@audited("account.role", roles=_ADMINISTRATOR)
def change_roles(person: UUID) -> Response | Page:
    """Show what the chosen roles would change, then change them when that was confirmed."""
    wanted, seen = _roles("roles"), _roles("seen")
    if request.form.get("confirmed") != "yes":
        found = people.read_person(transaction(), caller(), person)
        change = people.foresee(found, wanted)
        return render_template(
            "administration/person_roles.html",
            colleague=found,
            change=change,
            wanted=sorted(wanted),
            seen=found.account.roles,
            guarded_days=people.PROPOSED_FOR.days,
        )
    return _changed(
        "account.role",
        person,
        "roles",
        lambda: people.change_roles(transaction(), caller(), person, wanted, seen),
    )


@blueprint.post("/people/<uuid:person>/proposal")
@audited("account.decide", roles=[Role.COMPLIANCE])
def decide(person: UUID) -> Response | Page:
    """Confirm or refuse a role that an administrator proposed."""
    agrees = request.form.get("decision") == "confirm"
    return _changed(
        "account.decide",
        person,
        "confirmed" if agrees else "refused",
        lambda: people.decide(transaction(), caller(), person, _role(), agrees=agrees),
    )


@blueprint.post("/people/<uuid:person>/disable")
@audited("account.status", roles=_ADMINISTRATOR)
def disable(person: UUID) -> Response | Page:
    """Shut a person out for a time."""
    return _changed(
        "account.status",
        person,
        "disabled",
        lambda: people.disable(transaction(), caller(), person),
    )


@blueprint.post("/people/<uuid:person>/enable")
@audited("account.status", roles=_ADMINISTRATOR)
def enable(person: UUID) -> Response | Page:
    """Let a disabled person in again."""
    return _changed(
        "account.status", person, "enabled", lambda: people.enable(transaction(), caller(), person)
    )


@blueprint.post("/people/<uuid:person>/close")
@audited("account.status", roles=_ADMINISTRATOR)
def close(person: UUID) -> Response | Page:
    """End an account for good."""
    return _changed(
        "account.status", person, "closed", lambda: people.close(transaction(), caller(), person)
    )


@blueprint.post("/people/<uuid:person>/sessions/end")
@audited("session.end", roles=_ADMINISTRATOR)
def end_sessions(person: UUID) -> Response | Page:
    """Sign a person out everywhere."""
    return _changed(
        "session.end",
        person,
        "sessions",
        lambda: people.end_sessions(transaction(), caller(), person),
    )


@blueprint.post("/people/<uuid:person>/password")
@_with_a_new_password
@audited("account.password", roles=_ADMINISTRATOR)
def reset_password(person: UUID) -> Page:
    """Make a one-time password; the page that answers shows it, this once."""
    try:
        with transaction().begin_nested():
            people.reset_password(transaction(), caller(), person, g.new_secret)
    except ConflictError as error:
        _log_refusal("account.password", error, person)
        return _person(person, problem=error), error.status
    return _person(person, password=g.new_password, step="password")


@blueprint.post("/people/<uuid:person>/link")
@audited("account.link", roles=_ADMINISTRATOR)
def make_link(person: UUID) -> Page:
    """Make a one-time link; the page that answers shows it, this once."""
    try:
        with transaction().begin_nested():
            secret = one_time_links.make(transaction(), caller(), person)
    except ConflictError as error:
        _log_refusal("account.link", error, person)
        return _person(person, problem=error), error.status
    return _person(person, link=secret, step="link")


@blueprint.post("/people/<uuid:person>/factors/reset")
@audited("factor.reset", roles=_ADMINISTRATOR)
def propose_factor_reset(person: UUID) -> Response | Page:
    """Propose that a person's second factors are removed."""
    return _changed(
        "factor.reset",
        person,
        "factors-proposed",
        lambda: factor_resets.propose(transaction(), caller(), person),
    )


@blueprint.post("/people/<uuid:person>/factors/decide")
@audited("factor.reset", roles=[Role.COMPLIANCE])
def decide_factor_reset(person: UUID) -> Response | Page:
    """Agree to it, or refuse, as a second person."""
    agrees = request.form.get("decision") == "confirm"
    return _changed(
        "factor.reset",
        person,
        "factors-decided",
        lambda: factor_resets.decide(transaction(), caller(), person, agrees=agrees),
    )


@blueprint.get("/tokens")
@audited("token.list", roles=KEEPERS)
def show_tokens() -> str:
    """Show the API tokens of everybody of the organisation."""
    return render_template(
        "administration/tokens.html",
        tokens=tokens.list_organisation_tokens(transaction(), caller()),
        notice=request.args.get("done") == "revoked",
        longest_days=runtime().settings.token.longest_days,
    )


@blueprint.post("/tokens/<uuid:token>/revoke")
@audited("token.revoke", roles=KEEPERS)
def revoke_token(token: UUID) -> Response:
    """Revoke a token of anybody of the organisation."""
    tokens.revoke_organisation_token(transaction(), caller(), token)
    return redirect(url_for(".show_tokens", done="revoked"), 303)


def _changed(act: str, person: UUID, step: str, change: Callable[[], object]) -> Response | Page:
    """Do it and show the person; what contradicts the present state is told on their page."""
    try:
        with transaction().begin_nested():
            change()
    except (ConflictError, people.OwnProposalError) as error:
        _log_refusal(act, error, person)
        return _person(person, problem=error), error.status
    return redirect(url_for(".show", person=person, done=step), 303)


def _person(
    person: UUID,
    *,
    step: str = "",
    password: str = "",
    link: str = "",
    problem: PosternError | None = None,
) -> str:
    found = people.read_person(transaction(), caller(), person)
    return render_template(
        "administration/person.html",
        colleague=found,
        roles=list(Role),
        pending=[each.role for each in found.proposals],
        guarded=people.GUARDED,
        may_change=Role.ADMINISTRATOR in caller().roles and not found.is_self,
        is_officer=Role.COMPLIANCE in caller().roles,
        step=step,
        password=password,
        link=f"{runtime().settings.platform.origin}/sign-in/link#{link}" if link else "",
        link_hours=int(one_time_links.LIVES.total_seconds() // 3600),
        one_time_days=people.ONE_TIME.days,
        problem=problem,
        reset=factor_resets.read(transaction(), caller(), person),
    )


def _form(problem: PosternError | None = None) -> str:
    errors = problem.extensions.get("errors", ()) if problem else ()
    return render_template(
        "administration/person_new.html",
        roles=list(Role),
        guarded=people.GUARDED,
        typed=request.form,
        problem=problem,
        wrong={each["field"]: each["reason"] for each in errors},
        one_time_days=people.ONE_TIME.days,
    )


def _roles(field: str) -> frozenset[Role]:
    """The roles that the form names; InvalidRequestError for what is none."""
    try:
        return frozenset(Role(value) for value in request.form.getlist(field))
    except ValueError:
        raise InvalidRequestError(
            errors=[{"field": "roles", "reason": "Choose from what the form offers."}]
        ) from None


def _role() -> Role:
    """The one role that the form names."""
    try:
        return Role(request.form.get("role", ""))
    except ValueError:
        raise InvalidRequestError(
            errors=[{"field": "role", "reason": "Choose from what the form offers."}]
        ) from None


def _log_refusal(act: str, error: PosternError, person: UUID | None = None) -> None:
    append(
        transaction(),
        caller(),
        act,
        outcome=Outcome.ERROR,
        object_type="account",
        objects=[] if person is None else [str(person)],
        details={"refusal": error.code},
    )
