"""row-level security: a second belt beneath the conditions of services, on PostgreSQL

Revision ID: 0017
Revises: 0016

Every policy asks `acting_organisations()`, for which organisations the transaction acts, or
`presented()`, the key of a credential; both are settings of the transaction, and what is not set
shows nothing. The owner of the tables is not bound by them: migrations and backups run as it.
Roles that need more get policies of their own by `python -m app grants`.

The functions that run as the owner are keyholes: who names a token or a watch is told of it, and
nobody can list any. SQLite has neither roles nor policies, and nothing happens there.
"""

from collections.abc import Sequence

from alembic import op

revision = "0017"
down_revision: str | None = "0016"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

_ACTING = "((SELECT acting_organisations())::int[])"


def _own(column: str = "organisation_id") -> str:
    return f"{column} = ANY ({_ACTING})"


def _through(table: str, column: str, parent: str) -> str:
    """Whoever may see the row of the parent; its own policies answer that."""
    return f"EXISTS (SELECT 1 FROM {parent} AS parent WHERE parent.id = {table}.{column})"  # noqa: S608 - names of this file


def _of_person(table: str) -> str:
    return (
        "EXISTS (SELECT 1 FROM person_account AS person"  # noqa: S608 - names of this file
        f" WHERE person.id = {table}.person_id AND person.organisation_id = ANY ({_ACTING}))"
    )


def _presented(column: str) -> str:
    return f"{column} = (SELECT presented())"


_OWN = (
    "anomaly",
    "breach",
    "channel",
    "envelope",
    "evaluation_allowance",
    "evaluation_budget",
    "exchange_collection",
    "exchange_name",
    "exchange_server",
    "exchange_sighting",
    "exchange_status",
    "filter_issue",
    "filter_salt",
    "legal_hold",
    "lookup",
    "notification",
    "pattern_subscription",
    "policy_draft",
    "review",
    "screening_allowance",
    "screening_budget",
    "subject_request",
    "value_allowance",
    "value_budget",
    "value_seen",
    "watch",
)
_EITHER = {
    "disclosure_request": ("requester_id", "owner_id"),
    "given": ("owner_id", "recipient_id"),
    "outcome": ("owner_id", "teller_id"),
}
_THROUGH = {
    "breach_note": ("breach_id", "breach"),
    "decision": ("request_id", "disclosure_request"),
    "delivery": ("request_id", "disclosure_request"),
    "disclosure_message": ("request_id", "disclosure_request"),
    "dispatch": ("channel_id", "channel"),
    "exchange_ending": ("collection_id", "exchange_collection"),
    "exchange_entry": ("collection_id", "exchange_collection"),
    "exchange_news": ("collection_id", "exchange_collection"),
    "exchange_poller": ("collection_id", "exchange_collection"),
    "exchange_received": ("server_id", "exchange_server"),
    "exchange_try": ("server_id", "exchange_server"),
    "filter_part": ("issue_id", "filter_issue"),
    "finding": ("round_id", "review_round"),
    "hit": ("lookup_id", "lookup"),
    "policy_draft_author": ("draft_id", "policy_draft"),
    "review_round": ("review_id", "review"),
    "watch_match": ("watch_id", "watch"),
    "watch_token": ("watch_id", "watch"),
}
_OF_PERSON = ("credential", "factor_reset", "recovery_code", "role_proposal")
_PRESENTED = {
    "pending_sign_in": "name_hash",
    "second_factor": "credential_index",
    "sign_on_link": "subject_index",
    "web_session": "name_hash",
}

_RULES = (
    {table: _own() for table in _OWN}
    | {table: f"{_own(one)} OR {_own(other)}" for table, (one, other) in _EITHER.items()}
    | {table: _through(table, *parent) for table, parent in _THROUGH.items()}
    | {table: _of_person(table) for table in _OF_PERSON}
    | {
        table: f"{_of_person(table)} OR {_presented(column)}"
        for table, column in _PRESENTED.items()
    }
    | {
        "acknowledgement": f"{_own()} OR {_own('recall_owner(recall_id)')}",
        "api_token": _own(),
        "deconfliction": ("EXISTS (SELECT 1 FROM watch WHERE watch.id IN (earlier_id, later_id))"),
        "break_glass": f"{_own()} OR {_presented('uuid_send(public_id)')}",
        # At each request of a session, before its person is known: is their password to be changed?
        "credential": (
            f"{_of_person('credential')} OR EXISTS (SELECT 1 FROM web_session AS own"  # noqa: S608
            f" WHERE own.person_id = credential.person_id AND {_presented('own.name_hash')})"
        ),
        "recall": (
            f"{_own('owner_id')} OR EXISTS (SELECT 1 FROM acknowledgement"  # noqa: S608
            " WHERE acknowledgement.recall_id = recall.id)"
        ),
    }
)
"""What a row must be to be read, made, changed or removed."""

_READ_BY_ALL = {
    "person_account": _own(),
    "role_grant": _of_person("role_grant"),
}
"""Read by every role that may read the table; made, changed and removed only by these rules."""

_MADE_BY_ALL = ("watch_match",)
"""Whoever submits makes the rows, unread, for the watches that match."""

_SETTINGS = (
    """
    CREATE FUNCTION acting_organisations() RETURNS int[] LANGUAGE sql STABLE PARALLEL SAFE AS $$
        SELECT NULLIF(current_setting('postern.organisations', true), '')::int[]
    $$
    """,
    """
    CREATE FUNCTION presented() RETURNS bytea LANGUAGE sql STABLE PARALLEL SAFE AS $$
        SELECT decode(NULLIF(current_setting('postern.presented', true), ''), 'hex')
    $$
    """,
)

_RECALL_OWNER = """
    CREATE FUNCTION recall_owner(wanted bigint) RETURNS int LANGUAGE plpgsql STABLE
    SECURITY DEFINER SET search_path = public, pg_temp AS $$
    BEGIN
        RETURN (SELECT owner_id FROM recall WHERE id = wanted);
    END $$
    """

_BY_PUBLIC_ID = """
    CREATE FUNCTION token_presented(wanted uuid) RETURNS SETOF api_token LANGUAGE plpgsql STABLE
    ROWS 1 SECURITY DEFINER SET search_path = public, pg_temp AS $$
    BEGIN
        RETURN QUERY SELECT * FROM api_token WHERE public_id = wanted;
    END $$
    """

_WATCH_SHAPES = """
    CREATE FUNCTION watch_shapes() RETURNS SETOF bigint LANGUAGE plpgsql STABLE
    ROWS 20 SECURITY DEFINER SET search_path = public, pg_temp AS $$
    BEGIN
        RETURN QUERY WITH RECURSIVE shape (facets) AS (
            SELECT min(watch.facets) FROM watch
            UNION ALL
            SELECT (SELECT min(watch.facets) FROM watch WHERE watch.facets > shape.facets)
            FROM shape WHERE shape.facets IS NOT NULL
        )
        SELECT shape.facets::bigint FROM shape WHERE shape.facets IS NOT NULL;
    END $$
    """

_WATCHES_WAITING = """
    CREATE FUNCTION watches_waiting(wanted bytea[]) RETURNS TABLE (token bytea, watch_id bigint)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    BEGIN
        RETURN QUERY SELECT found.token, found.watch_id::bigint FROM watch_token AS found
        WHERE found.token = ANY (wanted);
    END $$
    """

_WATCHES_LIVE = """
    CREATE FUNCTION watches_live(wanted bigint[], today date)
    RETURNS TABLE (id bigint, kind varchar, facet int, token bytea)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    BEGIN
        RETURN QUERY SELECT watch.id::bigint, watch.kind::varchar, found.facet::int, found.token
        FROM watch JOIN watch_token AS found ON found.watch_id = watch.id
        WHERE watch.id = ANY (wanted) AND watch.ended_at IS NULL AND watch.expires_on > today;
    END $$
    """

_DECONFLICTED_OWNER = """
    CREATE FUNCTION deconflicted_owner(wanted bigint) RETURNS int LANGUAGE plpgsql STABLE
    SECURITY DEFINER SET search_path = public, pg_temp AS $$
    BEGIN
        RETURN (
            SELECT organisation_id FROM watch WHERE id = wanted AND EXISTS (
                SELECT 1 FROM deconfliction AS pair
                JOIN watch AS own ON own.id IN (pair.earlier_id, pair.later_id)
                WHERE wanted IN (pair.earlier_id, pair.later_id)
                AND own.organisation_id = ANY (acting_organisations())
            )
        );
    END $$
    """

_KEYHOLES = {
    "deconflicted_owner(bigint)": _DECONFLICTED_OWNER,
    "recall_owner(bigint)": _RECALL_OWNER,
    "token_presented(uuid)": _BY_PUBLIC_ID,
    "watch_shapes()": _WATCH_SHAPES,
    "watches_waiting(bytea[])": _WATCHES_WAITING,
    "watches_live(bigint[], date)": _WATCHES_LIVE,
}


def upgrade() -> None:
    """Make the functions and policies, on PostgreSQL."""
    if op.get_bind().dialect.name != "postgresql":
        return
    for each in (*_SETTINGS, *_KEYHOLES.values()):
        op.execute(each)
    for name in _KEYHOLES:
        op.execute(f"REVOKE ALL ON FUNCTION {name} FROM PUBLIC")
    for table, rule in _RULES.items():
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY own_rows ON {table} USING ({rule}) WITH CHECK ({rule})")
    for table, rule in _READ_BY_ALL.items():
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY read_rows ON {table} FOR SELECT USING (true)")
        op.execute(f"CREATE POLICY make_rows ON {table} FOR INSERT WITH CHECK ({rule})")
        op.execute(
            f"CREATE POLICY change_rows ON {table} FOR UPDATE USING ({rule}) WITH CHECK ({rule})"
        )
        op.execute(f"CREATE POLICY remove_rows ON {table} FOR DELETE USING ({rule})")
    for table in _MADE_BY_ALL:
        op.execute(f"CREATE POLICY make_rows ON {table} FOR INSERT WITH CHECK (true)")


def downgrade() -> None:
    """Remove them, with the policies of single roles."""
    if op.get_bind().dialect.name != "postgresql":
        return
    for table in (*_RULES, *_READ_BY_ALL):
        op.execute(
            "DO $$ DECLARE each name; BEGIN FOR each IN"  # noqa: S608 - names of this file
            f" SELECT policyname FROM pg_policies WHERE tablename = '{table}'"
            " AND schemaname = current_schema()"
            f" LOOP EXECUTE format('DROP POLICY %I ON {table}', each); END LOOP; END $$"
        )
        op.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")
    for name in (*_KEYHOLES, "acting_organisations()", "presented()"):
        op.execute(f"DROP FUNCTION {name}")
