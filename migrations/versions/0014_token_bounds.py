"""token_bounds: networks and certificate of API tokens, a former secret, what was warned of

Revision ID: 0014
Revises: 0013

The way back revokes tokens that were bound to networks or a certificate: without the bounds they
would open more than they were made for. A former secret ends at once.
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)
_COLUMNS = (
    ("networks", sa.JSON()),
    ("certificate", sa.LargeBinary(32)),
    ("certificate_suffices", sa.Boolean()),
    ("former_hash", sa.LargeBinary(32)),
    ("former_until", _MOMENT),
    ("rotated_at", _MOMENT),
    ("last_network", sa.String(length=48)),
    ("warned_at", _MOMENT),
)


def upgrade() -> None:
    with op.batch_alter_table("api_token") as table:
        for name, kind in _COLUMNS:
            table.add_column(sa.Column(name, kind, nullable=True))
    op.execute("UPDATE api_token SET networks = '[]', certificate_suffices = false")
    op.execute("UPDATE api_token SET last_network = ''")
    with op.batch_alter_table("api_token") as table:
        for name in ("networks", "certificate_suffices", "last_network"):
            table.alter_column(name, nullable=False)


def downgrade() -> None:
    op.execute(
        "UPDATE api_token SET revoked_at = COALESCE(revoked_at, CURRENT_TIMESTAMP) "
        "WHERE certificate IS NOT NULL OR CAST(networks AS TEXT) <> '[]'"
    )
    with op.batch_alter_table("api_token") as table:
        for name, _ in reversed(_COLUMNS):
            table.drop_column(name)
