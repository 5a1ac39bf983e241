"""Alembic's entry: migrates the database of the settings, or the connection it is handed."""

from collections.abc import Iterable
from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from alembic.runtime.migration import MigrationContext, MigrationInfo
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Enum

import app.accounts.entry_models
import app.accounts.factor_models
import app.accounts.models
import app.administration.models
import app.audit.models
import app.barriers.models
import app.barriers.stat_models
import app.compliance.breach_models
import app.compliance.models
import app.disclosures.models
import app.exchange.adding_models
import app.exchange.models
import app.exchange.news_models
import app.exchange.server_models
import app.indicators.models
import app.jobs.models
import app.lookups.budget_models
import app.lookups.models
import app.organisations.models
import app.patterns.filter_models
import app.patterns.models
import app.pseudonyms.holder_models
import app.pseudonyms.models
import app.pseudonyms.rotation_models
import app.sharing.models  # noqa: F401 - each import adds the room's tables to the metadata
from app import schema_version
from app.config import load
from app.database import Base, Database, Moment
from app.migrating import LockPatience, guard


def render_item(kind: str, item: Any, _context: AutogenContext) -> str | Literal[False]:
    """Write plain types into migrations: they must not change when the code does."""
    if kind == "type" and isinstance(item, Moment):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, Enum):
        return f"sa.String({item.length})"
    return False


def note_serves(
    ctx: MigrationContext, step: MigrationInfo, heads: Iterable[str], run_args: Any
) -> None:
    """After each migration, in its transaction: which versions the schema serves now."""
    scripts = ScriptDirectory.from_config(context.config)
    if ctx.connection is not None:
        for head in heads:
            applied = scripts.iterate_revisions(head, "base")
            schema_version.note_serves(ctx.connection, head, applied)


def migrate(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_item=render_item,
        transaction_per_migration=True,
        on_version_apply=note_serves,
    )
    with context.begin_transaction():
        context.run_migrations()


handed: Connection | None = context.config.attributes.get("connection")
if handed is not None:
    migrate(handed)
else:
    settings = load()
    database = Database(settings.database.url)
    with database.engine.connect() as connection:
        guard(connection, LockPatience())
        migrate(connection)
        connection.commit()
    database.dispose()
