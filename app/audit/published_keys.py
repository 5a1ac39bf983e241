"""The public keys by which anybody verifies the log, as the platform tells them."""

from typing import Any

from sqlalchemy.orm import Session

from app.audit import tree, witnesses
from app.audit.models import KeyUse
from app.runtime import runtime


def published_keys(session: Session) -> dict[str, Any]:
    """The keys of the log, of receipts and of the witnesses that count, and the policy in force.

    What `KeysSchema` describes; it stands in every package for offline verification too.
    """
    settings = runtime().settings.audit
    living = witnesses.living(session)
    return {
        "origin": settings.name,
        "log": [str(key) for key in tree.log_keys(session)],
        "receipt": [str(key) for key in tree.log_keys(session, KeyUse.RECEIPT)],
        "witnesses": [{"organisation": row.org, "vkey": row.vkey} for row in living],
        "operator": settings.operator or None,
        "quorum": witnesses.quorum(session, settings.operator),
        "policy": witnesses.policy(session, settings.operator).encode().decode(),
    }
