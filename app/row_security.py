"""Row-level security of PostgreSQL: whose rows the transaction of a request may touch.

The second belt beneath the conditions that services write. Migration 0017 makes the policies; they
ask two settings of the transaction, which is sent with its BEGIN and costs no round trip:

- `postern.organisations`: the caller's organisation, and others for which the act in progress says
  that it acts (`act_for`), such as the one that is told something;
- `postern.presented`: what a credential is found by before anybody is known (the digest of a
  session's name, the index of a passkey), so that its row, and no other, is seen.

Without them a role of the web service sees no row of the tables that are covered. Outside of
requests nothing is set: consoles and workers have roles with policies of their own, see
`app/database_roles.py`. SQLite has nothing of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import psycopg
from flask import g, has_request_context
from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from app.access import current_caller
from app.errors import StartRefusedError
from app.patient_connection import PatientConnection

_ACTING = "row_security"  # key of Session.info: for whom the transaction acts
_PRESENTED = "presented"  # name in flask.g


@dataclass(frozen=True)
class Scope:
    """What is set for a transaction: ids of organisations, and the key of a credential."""

    organisations: frozenset[int]
    presented: bytes | None

    @property
    def settings(self) -> list[str]:
        """The statements that set it; numbers and hexadecimal digits only."""
        told = []
        if self.organisations:
            told.append(_acting(self.organisations))
        if self.presented is not None:
            told.append(_presenting(self.presented))
        return told


def present(key: bytes, session: Session | None = None) -> None:
    """Let this request see the credential that has this key, in transactions that follow.

    With `session` also in the transaction in progress.
    """
    if not has_request_context():
        return
    setattr(g, _PRESENTED, key)
    if session is not None and _is_postgresql(session):
        session.execute(text(_presenting(key)))


def act_for(session: Session, *organisations: int) -> None:
    """Let the rest of the transaction in progress act for these organisations too.

    For what one organisation does to another on purpose (it asks, answers, tells), and for whoever
    signs in, once it is known where they belong. Nothing is sent when it does already.
    """
    if not has_request_context() or not _is_postgresql(session):
        return
    known: frozenset[int] = session.info.get(_ACTING, _scope().organisations)
    wanted = known | set(organisations)
    if wanted == known:
        return
    session.execute(text(_acting(wanted)))
    if not session.in_nested_transaction():  # else a savepoint's undoing would take it back
        session.info[_ACTING] = wanted


def is_asked_for(session: Session) -> bool:
    """Whether the transaction belongs to a request, on PostgreSQL: elsewhere nothing is set."""
    return has_request_context() and _is_postgresql(session)


def demand_all_rows(session: Session) -> None:
    """StartRefusedError when duties run under a role that is bound to organisations.

    It would see no legal hold, and erase what one keeps: a role that was given its rights before
    migration 0017, or those of the web service.
    """
    if is_asked_for(session) or not _is_postgresql(session):
        return
    is_bound = session.scalar(
        text(
            "SELECT row_security_active('legal_hold') AND NOT EXISTS (SELECT 1 FROM pg_policies"
            " WHERE schemaname = current_schema() AND tablename = 'legal_hold'"
            " AND current_user = ANY (roles))"
        )
    )
    if is_bound:
        raise StartRefusedError(
            "This database role sees the rows of no organisation, and so no legal hold. Give it the"
            " rights of duties: python -m app grants ROLE --for jobs."
        )


def settings_of(session: Session) -> list[str]:
    """The statements that let a transaction elsewhere touch what this one of a request may."""
    scope = _scope()
    acting: frozenset[int] = session.info.get(_ACTING, scope.organisations)
    return Scope(acting, scope.presented).settings


def begin(connection: Connection) -> None:
    """Begin the transaction together with its settings, in one round trip.

    Where nothing is to be set the driver begins it with the first statement, as ever.
    """
    settings = _scope().settings
    driver = cast("PatientConnection", connection.connection.driver_connection)
    if not settings or driver.autocommit:
        return
    try:
        driver.exchange("; ".join(("BEGIN", *settings)).encode())
    except psycopg.Error:
        # A connection that broke, say: sent once more, its failure is SQLAlchemy's to handle.
        for each in settings:
            connection.exec_driver_sql(each)


def _scope() -> Scope:
    """What the request in progress may touch; nothing outside of requests."""
    if not has_request_context():
        return Scope(frozenset(), None)
    caller = current_caller()
    own = None if caller is None else caller.organisation_id
    presented: bytes | None = g.get(_PRESENTED)
    return Scope(frozenset() if own is None else frozenset({own}), presented)


def _acting(organisations: frozenset[int]) -> str:
    return f"SET LOCAL postern.organisations = '{{{','.join(map(str, sorted(organisations)))}}}'"


def _presenting(key: bytes) -> str:
    return f"SET LOCAL postern.presented = '{key.hex()}'"


def _is_postgresql(session: Session) -> bool:
    return session.get_bind().dialect.name == "postgresql"


_PREDICATE = "Reading across organisations is its purpose: the visibility predicate decides."
_DIRECTORY = "Every member may read it: the directory."
_KEYS = "It says nothing of any member's cases: epochs and rotations of keys, for all."
_PLATFORM = "It belongs to the platform and names no organisation."
_COUNTS = "Counts of all members together, told with small numbers left out."
_HOLDER = "Only a holder of key shares has rows in it, and a holder has one user: its operator."
_LOG = "The log has its own guards: rows cannot be changed, and an entry names its audience."

EXEMPT: Mapping[str, str] = {
    "barrier": _PREDICATE,
    "barrier_model": _PREDICATE,
    "barrier_model_version": _PREDICATE,
    "community": _DIRECTORY,
    "community_member": _DIRECTORY,
    "contact_point": _DIRECTORY,
    "disclosure_rules": "Whoever asks an organisation is told by which rules it decides.",
    "duty_run": _PLATFORM,
    "element_vault": "The web service may not read it at all; see the rights of its role.",
    "grant_reason": _PREDICATE,
    "held_share": _HOLDER,
    "holder_member": _HOLDER,
    "holder_request": _HOLDER,
    "indicator": _PREDICATE,
    "key_alarm": "Whom it is about, who raised it and who runs the platform see it.",
    "key_epoch": _KEYS,
    "key_rotation": _KEYS,
    "key_rotation_chunk": _KEYS,
    "key_sharing": _KEYS,
    "model_choice": _PREDICATE,
    "organisation": _DIRECTORY,
    "organisation_key": _DIRECTORY,
    "outbox": "Ids and codes only, of all topics; the web service may add rows, not read theirs.",
    "pattern": _PREDICATE,
    "pattern_outcome": _PREDICATE,
    "pattern_run": _PREDICATE,
    "pattern_version": _PREDICATE,
    "pattern_version_author": _PREDICATE,
    "policy_cancellation": _PREDICATE,
    "policy_version": "Policies of all owners decide on each request.",
    "profile": "How an organisation stands towards the policies of all others.",
    "report": _PREDICATE,
    "share_class": _PREDICATE,
    "share_grant": _PREDICATE,
    "sign_on_provider": "Found before anybody is known; its secret is sealed.",
    "size_note": _PLATFORM,
    "spent_challenge": "Random values that were used once, before anybody is known.",
    "stat_cell": _COUNTS,
    "stat_change": _COUNTS,
    "stat_closing": _COUNTS,
    "stat_intake": _COUNTS,
    "stat_point": _COUNTS,
    "stat_seen": _COUNTS,
    "stat_shape": _COUNTS,
    "stat_signal": _COUNTS,
    "stat_told": _COUNTS,
    "step_tag": _PREDICATE,
    "step_tag_signal": _PREDICATE,
    "token": _PREDICATE,
    "tombstone": "Only that something ended: whoever polls a collection is told.",
}
"""Tables without row-level security beside those of the log, and why; a test knows them all."""

EXEMPT_PREFIX, EXEMPT_PREFIX_REASON = "audit_", _LOG
