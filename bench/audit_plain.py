"""The peer: what a platform without such a log does, one row in one table, as durable.

The row carries the same words and details, and the table the one index without which nobody could
read the log of an organisation.
"""

import json
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    insert,
)
from sqlalchemy.orm import Session

from app.access import Caller
from app.clock import milliseconds, now
from app.database import BigInt, Database

_PLAIN = Table(
    "bench_plain",
    MetaData(),
    Column("id", BigInt, primary_key=True),
    Column("t", BigInteger, nullable=False),
    Column("org", String(64), nullable=False),
    Column("actor", String(64)),
    Column("act", String(64), nullable=False),
    Column("purpose", String(32), nullable=False),
    Column("basis", String(32), nullable=False),
    Column("casref", String(128), nullable=False),
    Column("object_type", String(32), nullable=False),
    Column("objects", Text, nullable=False),
    Column("count", Integer, nullable=False),
    Column("details", Text, nullable=False),
    Index("bench_plain_org_t", "org", "t"),
)
_INSERT = insert(_PLAIN)


def make_table(database: Database) -> None:
    """Make the peer's table."""
    _PLAIN.metadata.create_all(database.engine)


def append_plainly(session: Session, caller: Caller, act: str, **given: Any) -> None:
    """Take what the log's own `append` takes, and insert one row."""
    objects = list(given.get("objects", ()))
    session.connection().execute(
        _INSERT,
        {
            "t": milliseconds(now()),
            "org": caller.organisation,
            "actor": str(caller.person),
            "act": act,
            "purpose": str(given.get("purpose", "")),
            "basis": str(given.get("basis", "")),
            "casref": given.get("case", ""),
            "object_type": given.get("object_type", ""),
            "objects": json.dumps(objects),
            "count": given.get("count", len(objects)),
            "details": json.dumps(given.get("details", {})),
        },
    )
