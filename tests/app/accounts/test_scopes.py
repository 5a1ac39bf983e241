"""Scopes of API tokens follow the roles of their person, and the views agree."""

from typing import Any

from flask import Flask

from app.accounts.scopes import ROLES_OF_SCOPE, scopes_of
from postern.vocabulary import Role, Scope


def test_every_scope_names_the_roles_that_may_have_it() -> None:
    assert set(ROLES_OF_SCOPE) == set(Scope)
    assert all(ROLES_OF_SCOPE.values())


def test_without_a_role_no_scope_is_allowed() -> None:
    assert scopes_of([]) == frozenset()
    assert scopes_of([Role.SUBMITTER]) == {
        Scope.EVALUATE,
        Scope.REPORTS_WRITE,
        Scope.REPORTS_READ,
        Scope.OUTCOMES_WRITE,
        Scope.PATTERNS_READ,
        Scope.PATTERNS_WRITE,
        Scope.BARRIERS_READ,
        Scope.BARRIERS_WRITE,
        Scope.RECALLS_WRITE,
        Scope.EXCHANGE_WRITE,
    }
    assert scopes_of([Role.COMPLIANCE]) == {
        Scope.EVALUATE,
        Scope.REPORTS_READ,
        Scope.LOOKUPS_WRITE,
        Scope.AUDIT_READ,
        Scope.AUDIT_WITNESS,
        Scope.DISCLOSURES_ASK,
        Scope.DISCLOSURES_DECIDE,
        Scope.WATCHES_WRITE,
        Scope.OUTCOMES_WRITE,
        Scope.PATTERNS_READ,
        Scope.BARRIERS_READ,
        Scope.RECALLS_WRITE,
        Scope.SCREENING_RUN,
        Scope.SUBJECTS_WRITE,
    }


def test_whoever_may_use_a_view_by_session_may_get_a_token_with_its_scope(app: Flask) -> None:
    views: dict[str, Any] = dict(app.view_functions)
    scoped = {
        name: view for name, view in views.items() if getattr(view, "audit_scope", None) is not None
    }
    assert scoped
    for name, view in scoped.items():
        assert view.audit_roles <= ROLES_OF_SCOPE[view.audit_scope], name
