"""The least that a server of this stack can do with an answer that must be logged first.

Flask under gunicorn and psycopg, as the platform is served: the presented token looked up, one
indexed SELECT, one row of a log and a durable COMMIT, in one exchange with the database, and the
stored text joined into the answer. No policy, no levels, no ledger, no tree of the log, and nothing
that is added is checked. It is a bound for the benchmark of TAXII, not a server to use.
"""

import hashlib
import json
import os
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from threading import local
from typing import Any

import psycopg
from flask import Flask, Response, abort, request

ADDRESS = "POSTERN_BENCH_LIMIT"
"""The environment variable with the address of its database, as libpq reads it."""

COLLECTION = "/limit/collections/held/"
SCHEMA = """
CREATE TABLE held (
    added bigint PRIMARY KEY, id text NOT NULL UNIQUE, version text NOT NULL, body text NOT NULL
);
CREATE TABLE token (
    token bytea, added bigint, facet smallint, PRIMARY KEY (token, added, facet)
);
CREATE TABLE log (number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, said text NOT NULL);
CREATE TABLE bearer (secret bytea PRIMARY KEY);
"""
TOKENS = 16  # rows of each object that is added, as an indicator of the platform has
_MEDIA = "application/taxii+json;version=2.1"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

app = Flask(__name__)
_of_thread = local()


@app.get(COLLECTION)
def collection() -> Response:
    """What `taxii2-client` asks first."""
    told = {"id": "held", "title": "held", "can_read": True, "can_write": True}
    return _answer(json.dumps(told))


@app.get(f"{COLLECTION}objects/<name>/")
def single(name: str) -> Response:
    """One object by its id."""
    return _page(*_read("id = %s", name, 1))


@app.get(f"{COLLECTION}objects/")
def objects() -> Response:
    """A page of what was added after a date, or an object by `match[id]`."""
    if "match[id]" in request.args:
        return _page(*_read("id = %s", request.args["match[id]"], 1))
    return _page(*_read("added > %s", _after(), _limit()))


@app.get(f"{COLLECTION}manifest/")
def manifest() -> Response:
    """The same without the texts."""
    rows, more = _read("added > %s", _after(), _limit())
    listed = (
        f'{{"id":"{name}","date_added":"{word(added)}","version":"{version}",'
        f'"media_type":"application/stix+json;version=2.1"}}'
        for added, name, version, _ in rows
    )
    return _answer(f'{{"more":{json.dumps(more)},"objects":[{",".join(listed)}]}}', rows)


@app.post(f"{COLLECTION}objects/")
def add() -> Response:
    """Keep every object with its tokens and a row of the log each."""
    told = json.loads(request.data)["objects"]
    first = (datetime.now(UTC) - _EPOCH) // timedelta(microseconds=1)
    held = [
        (first + number, each["id"], each["modified"], json.dumps(each))
        for number, each in enumerate(told)
    ]
    tokens = [(secrets.token_bytes(16), row[0], n) for row in held for n in range(TOKENS)]
    connection = _connection()
    with connection.pipeline(), connection.transaction():
        is_known = _sign_in(connection)
        connection.execute(
            "INSERT INTO held "
            "SELECT * FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[])",
            _columns(held),
        )
        connection.execute(
            "INSERT INTO token SELECT * FROM unnest(%s::bytea[], %s::bigint[], %s::smallint[])",
            _columns(tokens),
        )
        connection.execute(
            "INSERT INTO log (said) SELECT * FROM unnest(%s::text[])", [[row[1] for row in held]]
        )
    if not is_known.fetchall():
        abort(401)
    return _answer(
        json.dumps({"id": "0", "status": "complete", "success_count": len(held)}), code=202
    )


def _connection() -> psycopg.Connection[Any]:
    """The connection of this thread."""
    if not hasattr(_of_thread, "connection"):
        _of_thread.connection = psycopg.connect(os.environ[ADDRESS], autocommit=True)
    found: psycopg.Connection[Any] = _of_thread.connection
    return found


def _read(condition: str, value: Any, most: int) -> tuple[list[tuple[Any, ...]], bool]:
    """Up to `most` rows, and whether there are more; noted and durable on return."""
    connection = _connection()
    with connection.pipeline(), connection.transaction():
        is_known = _sign_in(connection)
        found = connection.execute(
            f"SELECT added, id, version, body FROM held WHERE {condition} "  # noqa: S608 - our own
            "ORDER BY added LIMIT %s",
            [value, most + 1],
        )
        connection.execute("INSERT INTO log (said) VALUES (%s)", [request.full_path])
    rows = found.fetchall()
    if not is_known.fetchall():
        abort(401)
    return rows[:most], len(rows) > most


def _sign_in(connection: psycopg.Connection[Any]) -> psycopg.Cursor[Any]:
    secret = request.headers.get("Authorization", "").removeprefix("Bearer ")
    return connection.execute(
        "SELECT 1 FROM bearer WHERE secret = %s", [hashlib.sha256(secret.encode()).digest()]
    )


def _page(rows: Sequence[tuple[Any, ...]], more: bool) -> Response:
    texts = ",".join(row[3] for row in rows)
    following = f',"next":"{rows[-1][0]}"' if more else ""
    return _answer(f'{{"more":{json.dumps(more)}{following},"objects":[{texts}]}}', rows)


def _answer(body: str, rows: Sequence[tuple[Any, ...]] = (), code: int = 200) -> Response:
    made = Response(body, code, content_type=_MEDIA)
    if rows:
        made.headers["X-TAXII-Date-Added-First"] = word(rows[0][0])
        made.headers["X-TAXII-Date-Added-Last"] = word(rows[-1][0])
    return made


def _after() -> int:
    """Microseconds since 1970 after which was added what is asked for."""
    if "next" in request.args:
        return int(request.args["next"])
    text = request.args.get("added_after")
    return (datetime.fromisoformat(text) - _EPOCH) // timedelta(microseconds=1) if text else 0


def _limit() -> int:
    return int(request.args.get("limit", 1000))


def word(added: int) -> str:
    """The moment of so many microseconds since 1970, as TAXII writes it."""
    return f"{_EPOCH + timedelta(microseconds=added):%Y-%m-%dT%H:%M:%S.%f}Z"


def _columns(rows: Sequence[Sequence[Any]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]
