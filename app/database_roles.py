"""Rights of the service's database roles on PostgreSQL: only what each needs."""

import re
from enum import StrEnum

from sqlalchemy import Connection, text

from app.database import Base, Database
from app.errors import StartRefusedError

_ROLE_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")

_RIGHTS = {
    "audit_entry": "SELECT, INSERT",
    "audit_audience": "SELECT, INSERT",
    "audit_org_key": "SELECT, INSERT",
    "audit_archive": "SELECT",
    "audit_archive_key": "SELECT",
    "audit_checkpoint": "SELECT",
    "audit_detail": "SELECT, INSERT",
    "audit_erasure": "SELECT, INSERT",
    "audit_key": "SELECT",
    "audit_object": "SELECT, INSERT",
    "audit_queue": "SELECT, INSERT",  # SELECT: the page of the log's state counts what waits
    "audit_seq": "SELECT",
    "audit_state": "SELECT",
    "audit_tile": "SELECT",
    # What is deleted is named by its indicator; an element is never read.
    "element_vault": "SELECT (indicator_id), INSERT, DELETE",
    "envelope": "SELECT, INSERT, DELETE",
    "grant_reason": "SELECT, INSERT",
    "key_rotation": "SELECT",
    # The rows that prove to an owner what became of its elements are for the vault's role.
    "key_rotation_chunk": (
        "SELECT (kind, new_epoch, number, organisation_id, elements, old, new, m, z, proof,"
        " made_at)"
    ),
    "organisation_key": "SELECT, INSERT",
    "policy_cancellation": "SELECT, INSERT",
    "policy_version": "SELECT, INSERT",
    "share_class": "SELECT, INSERT",
}
"""Tables on which web service and console have less than SELECT, INSERT, UPDATE and DELETE."""

_LOG_RIGHTS = {
    "audit_archive": "SELECT, INSERT, UPDATE",
    "audit_archive_key": "SELECT, INSERT, DELETE",
    "audit_checkpoint": "SELECT, INSERT, DELETE",
    "audit_detail": "SELECT, INSERT, UPDATE (actor, casref, disc), DELETE",
    "audit_erasure": "SELECT, INSERT, UPDATE",
    "audit_key": "SELECT, INSERT, UPDATE",
    "audit_object": "SELECT, INSERT, DELETE",
    "audit_queue": "SELECT, INSERT, DELETE",
    "audit_seq": "SELECT, INSERT",
    "audit_state": "SELECT, UPDATE",
    "audit_tile": "SELECT, INSERT, UPDATE",
}
"""What who sequences, erases and archives has instead. Entries and audiences stay unchangeable."""

_VAULT_RIGHTS = {
    "element_vault": "SELECT, INSERT, UPDATE, DELETE",
    "key_rotation": "SELECT, INSERT, UPDATE",
    "key_rotation_chunk": "SELECT, INSERT, UPDATE",
}
"""What who rotates evaluation keys has instead of the console: nobody else reads an element."""

_LOG_TABLES = "audit_"
"""How the names of the log's tables begin."""

_ALL = "SELECT, INSERT, UPDATE, DELETE"


class Work(StrEnum):
    """What a role is for."""

    WEB = "web"  # answers requests, each bound to the rows of its caller's organisation
    EVALUATOR = "evaluator"  # answers blind evaluations and nothing else, bound likewise
    JOBS = "jobs"  # duties and messages: rows of all organisations, no secret of any person
    LOG = "log"  # places, checkpoints and archives: the tables of the log, and no others
    CONSOLE = "console"  # the administrator's commands: rows of all organisations
    VAULT = "vault"  # key rotations: as the console, and the vault of elements
    METRICS = "metrics"  # counts how the platform is: columns that say when something is over
    AUDIT = "audit"  # whoever inspects the log in the database: reads its tables, and no others


_OF_ALL = frozenset({Work.JOBS, Work.LOG, Work.CONSOLE, Work.VAULT, Work.METRICS})
"""Who is bound to no organisation: policies of their own show them all rows of their tables."""

_MONTHS = frozenset({Work.JOBS, Work.LOG, Work.CONSOLE})
_SUBMITTING = frozenset({Work.WEB, Work.CONSOLE, Work.VAULT, Work.JOBS})
_CALLED = frozenset({Work.WEB, Work.EVALUATOR, Work.CONSOLE, Work.VAULT})

_FUNCTIONS = {
    "audit_make_months(integer, integer)": _MONTHS,
    "audit_leave_month(integer)": _MONTHS,
    "deconflicted_owner(bigint)": _SUBMITTING,
    "recall_owner(bigint)": _SUBMITTING,
    "token_presented(uuid)": _CALLED,
    "watch_shapes()": _SUBMITTING,
    "watches_waiting(bytea[])": _SUBMITTING,
    "watches_live(bigint[], date)": _SUBMITTING,
}
"""What runs as the owner of the tables, and for which works it may be asked."""


def grant(database: Database, role: str, work: Work = Work.WEB, *, evaluates: bool = True) -> None:
    """Give `role` exactly the rights of its work; StartRefusedError says why not.

    Where another process evaluates, the web service counts nothing: it gets `evaluates=False`.
    """
    if database.is_sqlite:
        raise StartRefusedError("SQLite has no roles. Use this with PostgreSQL only.")
    if not _ROLE_NAME.fullmatch(role):
        raise StartRefusedError(
            f"{role!r} is not a role name. Use lower case letters, digits and underscores."
        )
    with database.engine.begin() as connection:
        connection.execute(text(f"GRANT USAGE ON SCHEMA public TO {role}"))
        is_reader = work in {Work.AUDIT, Work.METRICS}
        verb, whom = ("REVOKE", "FROM") if is_reader else ("GRANT", "TO")
        sequences = "ON ALL SEQUENCES IN SCHEMA public"
        connection.execute(text(f"{verb} USAGE, SELECT {sequences} {whom} {role}"))
        for table in Base.metadata.tables:
            connection.execute(text(f"REVOKE ALL ON {table} FROM {role}"))
            if rights := rights_on(table, work, evaluates=evaluates):
                connection.execute(text(f"GRANT {rights} ON {table} TO {role}"))
        connection.execute(text(f"GRANT SELECT ON alembic_version TO {role}"))
        for function, works in _FUNCTIONS.items():
            verb, whom = ("GRANT", "TO") if work in works else ("REVOKE", "FROM")
            connection.execute(text(f"{verb} EXECUTE ON FUNCTION {function} {whom} {role}"))
        _show_rows(connection, role, work)


def rights_on(table: str, work: Work, *, evaluates: bool = True) -> str:
    """What a work may do with a table, as GRANT takes it; empty for nothing."""
    if work is Work.AUDIT:
        return "SELECT" if table.startswith(_LOG_TABLES) else ""
    if work is Work.METRICS:
        return _METRICS_RIGHTS.get(table, "")
    if work is Work.EVALUATOR:
        return _EVALUATOR_RIGHTS.get(table, "")
    if work is Work.LOG and not table.startswith(_LOG_TABLES):
        return _READ_BY_LOG.get(table, "")
    rights = _RIGHTS | _MORE.get(work, {})
    if work is Work.WEB and not evaluates:
        rights = rights | _EVALUATED_ELSEWHERE
    return rights.get(table, _ALL)


def _show_rows(connection: Connection, role: str, work: Work) -> None:
    """A policy of the role's own on each table with row-level security, or none of them."""
    secured = connection.scalars(
        text(
            "SELECT relname FROM pg_class WHERE relrowsecurity"
            " AND relnamespace = 'public'::regnamespace ORDER BY relname"
        )
    ).all()
    for table in secured:
        connection.execute(text(f"DROP POLICY IF EXISTS {role} ON {table}"))
        if work in _OF_ALL and rights_on(table, work):
            connection.execute(
                text(f"CREATE POLICY {role} ON {table} TO {role} USING (true) WITH CHECK (true)")
            )


_READ_BY_LOG = {"organisation": "SELECT"}

_CALLER = {
    "api_token": "SELECT, UPDATE (last_used_on, last_network)",
    "credential": "SELECT",
    "organisation": "SELECT",
    "organisation_key": "SELECT",
    "person_account": "SELECT",
    "role_grant": "SELECT",
    "web_session": "SELECT, UPDATE (last_seen_at)",
}
"""What is read, and noted, of whoever is calling."""

_EVALUATOR_RIGHTS = _CALLER | {
    "audit_audience": "INSERT",
    "audit_detail": "INSERT",
    "audit_entry": "SELECT (eid), INSERT",
    "audit_object": "INSERT",
    "audit_org_key": "SELECT, INSERT",
    "audit_queue": "INSERT",
    "evaluation_allowance": "SELECT",
    "evaluation_budget": "SELECT, INSERT, UPDATE",
    "key_epoch": "SELECT",
    "key_rotation": "SELECT",
    "key_sharing": "SELECT",
    "screening_allowance": "SELECT",
    "screening_budget": "SELECT, INSERT, UPDATE",
}
"""All that blind evaluation needs: the caller, the keys, the budgets and the log's queue."""

_METRICS_RIGHTS = {
    "audit_alarm": "SELECT",
    "audit_checkpoint": "SELECT",
    "audit_cosignature": "SELECT",
    "audit_erasure": "SELECT (state, asked_at)",
    "audit_queue": "SELECT (t)",
    "audit_state": "SELECT",
    "audit_witness": "SELECT",
    "breach": "SELECT (closed_at)",
    "delivery": "SELECT (expires_at, erased_at, available_at)",
    "duty_run": "SELECT",
    "indicator": "SELECT (expires_on, restricted_at)",
    "key_epoch": "SELECT",
    "lookup": "SELECT (expires_on)",
    "notification": "SELECT (made_at)",
    "outbox": "SELECT (topic, state, due_at, error, ended_at)",
    "subject_request": "SELECT (closed_at)",
    "value_seen": "SELECT (day)",
    "watch": "SELECT (expires_on, ended_at)",
    "web_session": "SELECT (expires_at, last_seen_at)",
}
"""What the gauges of `metrics run` are counted from: moments and states, and no content."""

_KEPT = "SELECT, INSERT, UPDATE"
"""Of what ends by a duty alone: the web service makes and changes it, and removes none of it."""

_WEB_RIGHTS = {
    "breach": _KEPT,
    "breach_note": _KEPT,
    "disclosure_request": _KEPT,
    "duty_run": "SELECT",
    "evaluation_budget": _KEPT,
    "lookup": _KEPT,
    "notification": "SELECT, INSERT, UPDATE (seen_by, seen_at)",
    "outbox": _KEPT,
    "recall": _KEPT,
    "screening_budget": _KEPT,
    "size_note": "SELECT",
    "subject_request": _KEPT,
    "value_budget": _KEPT,
    "value_seen": _KEPT,
    "watch": _KEPT,
}
"""Where the web service has less than the console."""

_JOBS_RIGHTS = _LOG_RIGHTS | {
    "api_token": "SELECT, UPDATE (warned_at)",
    "break_glass": "SELECT (person_id)",
    "community": "SELECT",
    "community_member": "SELECT",
    "contact_point": "SELECT",
    "credential": "SELECT (person_id)",
    "element_vault": "SELECT (indicator_id), DELETE",
    # Its content is sealed to its owner, and no duty moves it.
    "envelope": (
        "SELECT (id, public_id, organisation_id, report_id, indicator_id, part, number, kind,"
        " epoch, token, record, size, digest, added_at), DELETE"
    ),
    "evaluation_allowance": "SELECT",
    "evaluation_budget": "SELECT",
    "factor_reset": "SELECT (person_id, expires_at), DELETE",
    "held_share": "SELECT (kind)",
    "holder_member": "SELECT (organisation_id)",
    "holder_request": "SELECT (organisation_id)",
    "key_epoch": "SELECT",
    # The rows that prove a rotation to their owners: erased in time, and never read.
    "key_rotation_chunk": f"{_RIGHTS['key_rotation_chunk']}, UPDATE (sealed_rows)",
    "key_sharing": "SELECT",
    "one_time_link": "SELECT (person_id, expires_at), DELETE",
    # PostgreSQL asks for it where rows are locked, as they are while a reader is laid out.
    "organisation": "SELECT, UPDATE (facts_seq)",
    "organisation_key": "SELECT",
    "pending_sign_in": "SELECT (person_id, expires_at), DELETE",
    "person_account": "SELECT",
    "policy_cancellation": "SELECT",
    "policy_version": "SELECT",
    "recovery_code": "SELECT (person_id)",
    "role_grant": "SELECT",
    "second_factor": "SELECT (id)",
    "sign_on_link": "SELECT (person_id)",
    "sign_on_provider": "SELECT (id)",
    "spent_challenge": "SELECT (expires_at), DELETE",
    "value_allowance": "SELECT",
    "web_session": "SELECT (person_id, last_seen_at, expires_at), DELETE",
}
"""What duties and messages need: no password, no second factor, no session's name, no envelope.

One column of what they never need, so that its rows can be counted.
"""

_EVALUATED_ELSEWHERE = {"evaluation_budget": "SELECT", "screening_budget": "SELECT"}
"""What the web service keeps of blind evaluation where a process of its own does it."""

_MORE = {
    Work.WEB: _WEB_RIGHTS,
    Work.JOBS: _JOBS_RIGHTS,
    Work.LOG: _LOG_RIGHTS,
    Work.VAULT: _VAULT_RIGHTS,
}
