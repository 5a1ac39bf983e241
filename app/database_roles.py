"""Rights of the web service's database role on PostgreSQL: only what it needs."""

import re

from sqlalchemy import text

from app.database import Base, Database
from app.errors import StartRefusedError

_ROLE_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")

_RIGHTS = {
    "audit_entry": "SELECT, INSERT",
    "audit_audience": "SELECT, INSERT",
    "audit_org_key": "SELECT, INSERT",
    "audit_detail": "SELECT, INSERT",
    "audit_queue": "INSERT",
    "element_vault": "INSERT, DELETE",
    "grant_reason": "SELECT, INSERT",
    "policy_cancellation": "SELECT, INSERT",
    "policy_version": "SELECT, INSERT",
    "share_class": "SELECT, INSERT",
}
"""Tables on which the role has less than SELECT, INSERT, UPDATE and DELETE."""


def grant(database: Database, role: str) -> None:
    """Give `role` exactly the rights of the web service; StartRefusedError says why not."""
    if database.is_sqlite:
        raise StartRefusedError("SQLite has no roles. Use this with PostgreSQL only.")
    if not _ROLE_NAME.fullmatch(role):
        raise StartRefusedError(
            f"{role!r} is not a role name. Use lower case letters, digits and underscores."
        )
    with database.engine.begin() as connection:
        connection.execute(text(f"GRANT USAGE ON SCHEMA public TO {role}"))
        connection.execute(text(f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {role}"))
        for table in Base.metadata.tables:
            rights = _RIGHTS.get(table, "SELECT, INSERT, UPDATE, DELETE")
            connection.execute(text(f"REVOKE ALL ON {table} FROM {role}"))
            connection.execute(text(f"GRANT {rights} ON {table} TO {role}"))
