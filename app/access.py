"""Who is calling: filled in by the accounts room, read by every room above the floor.

The value lives on the lowest floor so that the audit guard can ask for roles and scopes without
knowing how people sign in.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from flask import g, has_request_context

from postern.vocabulary import Role, Scope

PLATFORM = "platform"
"""The organisation code under which the platform's own acts are logged; no organisation has it."""


class Means(StrEnum):
    """How the caller proved who they are."""

    SESSION = "session"
    TOKEN = "token"  # noqa: S105 - the name of a means, not a secret
    CONSOLE = "console"
    SIGNATURE = "signature"  # of an organisation, at a holder of key shares
    BREAK_GLASS = "break-glass"  # a session begun with the sealed secret of an emergency


@dataclass(frozen=True)
class Caller:
    """A person, the organisation they act for, and what they may do.

    `person` is the pseudonym that enters the audit log; `scopes` is None for a web session, which
    has the full width of the person's roles.
    """

    person_id: int | None
    person: UUID | None
    organisation_id: int | None
    organisation: str
    roles: frozenset[Role]
    scopes: frozenset[Scope] | None
    means: Means

    def may(self, roles: frozenset[Role], scope: Scope | None, *, any_scope: bool = False) -> bool:
        """Whether one of `roles` is held and, for a token, `scope` was granted to it.

        `any_scope` takes a token whatever its scopes; no role named is any role.
        """
        if roles and not roles & self.roles:
            return False
        if self.scopes is None or any_scope:
            return True
        return scope is not None and scope in self.scopes

    @property
    def member(self) -> tuple[int, int]:
        """(organisation id, person id) of a caller who is a person of a member organisation."""
        if self.organisation_id is None or self.person_id is None:
            raise LookupError("the console is not a person of an organisation")
        return self.organisation_id, self.person_id

    @property
    def pseudonym(self) -> UUID:
        """`person` of a caller who is one; LookupError for the console."""
        if self.person is None:
            raise LookupError("the console is not a person of an organisation")
        return self.person


CONSOLE = Caller(
    person_id=None,
    person=None,
    organisation_id=None,
    organisation=PLATFORM,
    roles=frozenset(),
    scopes=None,
    means=Means.CONSOLE,
)
"""The administrator at the platform's own console (`flask --app wsgi ...`)."""


def renewed_caller() -> Caller | None:
    """Ask anew who is calling, while a long answer is under way.

    None when what proved it opens nothing any more; that is then the caller of the request.
    """
    renew: Callable[[], Caller | None] | None = g.get("renew_caller")
    g.caller = None if renew is None else renew()
    return current_caller()


def current_caller() -> Caller | None:
    """The caller of the request in progress, None when nobody is signed in."""
    if not has_request_context():
        return None
    caller: Caller | None = g.get("caller")
    return caller
