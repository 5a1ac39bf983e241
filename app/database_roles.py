"""Rights of the service's database roles on PostgreSQL: only what each needs."""

import re
from enum import StrEnum

from sqlalchemy import text

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
"""Tables on which the web service has less than SELECT, INSERT, UPDATE and DELETE."""

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
"""What who rotates evaluation keys has instead: nobody else reads an element."""

_LOG_TABLES = "audit_"
"""How the names of the log's tables begin."""

_FUNCTIONS = ("audit_make_months(integer, integer)", "audit_leave_month(integer)")
"""What belongs to the owner of partitions, and may be asked for by who keeps the log."""


class Work(StrEnum):
    """What a role is for."""

    WEB = "web"
    LOG = "log"  # the periodic duties and the log: all that the web service may, and more
    VAULT = "vault"  # key rotations: all that the web service may, and the vault of elements
    AUDIT = "audit"  # whoever inspects the log in the database: reads its tables, and no others


def grant(database: Database, role: str, work: Work = Work.WEB) -> None:
    """Give `role` exactly the rights of its work; StartRefusedError says why not."""
    if database.is_sqlite:
        raise StartRefusedError("SQLite has no roles. Use this with PostgreSQL only.")
    if not _ROLE_NAME.fullmatch(role):
        raise StartRefusedError(
            f"{role!r} is not a role name. Use lower case letters, digits and underscores."
        )
    with database.engine.begin() as connection:
        connection.execute(text(f"GRANT USAGE ON SCHEMA public TO {role}"))
        verb, whom = ("REVOKE", "FROM") if work is Work.AUDIT else ("GRANT", "TO")
        sequences = "ON ALL SEQUENCES IN SCHEMA public"
        connection.execute(text(f"{verb} USAGE, SELECT {sequences} {whom} {role}"))
        rights_of = _RIGHTS | _MORE.get(work, {})
        for table in Base.metadata.tables:
            connection.execute(text(f"REVOKE ALL ON {table} FROM {role}"))
            if work is Work.AUDIT:
                rights = "SELECT" if table.startswith(_LOG_TABLES) else ""
            else:
                rights = rights_of.get(table, "SELECT, INSERT, UPDATE, DELETE")
            if rights:
                connection.execute(text(f"GRANT {rights} ON {table} TO {role}"))
        connection.execute(text(f"GRANT SELECT ON alembic_version TO {role}"))
        for function in _FUNCTIONS:
            verb, whom = ("GRANT", "TO") if work is Work.LOG else ("REVOKE", "FROM")
            connection.execute(text(f"{verb} EXECUTE ON FUNCTION {function} {whom} {role}"))


_MORE = {Work.LOG: _LOG_RIGHTS, Work.VAULT: _VAULT_RIGHTS}
