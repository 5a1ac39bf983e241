"""Which scopes an API token may have: never more than its person's roles allow."""

from collections.abc import Iterable, Mapping

from postern.vocabulary import Role, Scope

ROLES_OF_SCOPE: Mapping[Scope, frozenset[Role]] = {
    # Compliance evaluates to answer a person who asks for their rights.
    Scope.EVALUATE: frozenset({Role.SUBMITTER, Role.ANALYST, Role.COMPLIANCE}),
    Scope.REPORTS_WRITE: frozenset({Role.SUBMITTER}),
    Scope.REPORTS_READ: frozenset({Role.SUBMITTER, Role.ANALYST, Role.APPROVER, Role.COMPLIANCE}),
    # Compliance lists the lookups under this scope; asking one needs the analyst's role.
    Scope.LOOKUPS_WRITE: frozenset({Role.ANALYST, Role.COMPLIANCE}),
    Scope.INDICATORS_READ: frozenset({Role.ANALYST}),
    Scope.AUDIT_READ: frozenset({Role.COMPLIANCE}),
    Scope.AUDIT_WITNESS: frozenset({Role.COMPLIANCE}),
    Scope.KEYS_WRITE: frozenset({Role.ADMINISTRATOR}),
    Scope.DISCLOSURES_ASK: frozenset({Role.ANALYST, Role.COMPLIANCE}),
    Scope.DISCLOSURES_DECIDE: frozenset({Role.APPROVER, Role.COMPLIANCE}),
    Scope.WATCHES_WRITE: frozenset({Role.ANALYST, Role.COMPLIANCE}),
    Scope.OUTCOMES_WRITE: frozenset({Role.ANALYST, Role.SUBMITTER, Role.COMPLIANCE}),
    # All of an organisation read patterns but who keeps its accounts.
    Scope.PATTERNS_READ: frozenset(Role) - {Role.ADMINISTRATOR},
    Scope.PATTERNS_WRITE: frozenset({Role.SUBMITTER, Role.ANALYST}),
    # As of patterns; a model is proposed by its policy owner or an analyst, without a token.
    Scope.BARRIERS_READ: frozenset(Role) - {Role.ADMINISTRATOR},
    Scope.BARRIERS_WRITE: frozenset({Role.SUBMITTER, Role.ANALYST}),
    Scope.RECALLS_WRITE: frozenset({Role.ANALYST, Role.SUBMITTER, Role.COMPLIANCE}),
    # Compliance reads the list of filters under this scope.
    Scope.SCREENING_RUN: frozenset({Role.ANALYST, Role.COMPLIANCE}),
    Scope.SUBJECTS_WRITE: frozenset({Role.COMPLIANCE}),
    # What is read and added by TAXII and MISP.
    Scope.EXCHANGE_READ: frozenset({Role.ANALYST}),
    Scope.EXCHANGE_WRITE: frozenset({Role.SUBMITTER}),
}
"""Any one of the roles suffices. The verb itself asks for the role again, so a role that is
withdrawn takes effect on living tokens at once."""


def scopes_of(roles: Iterable[Role]) -> frozenset[Scope]:
    """The scopes that a person with these roles may give to a token."""
    held = frozenset(roles)
    return frozenset(scope for scope, needed in ROLES_OF_SCOPE.items() if needed & held)
