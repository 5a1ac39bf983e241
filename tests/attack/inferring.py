"""Inference from member to member: what answers, counts, errors, other pages and time tell."""

import re
from collections.abc import Sequence

import requests

from tests.app.exchange import CLOSED, place, report
from tests.attack.ground import GROUNDS, OUTSIDER, OWNER, READER, Ground, ids_in
from tests.attack.guessing import phones
from tests.attack.verdict import Tried, attack

_DRAWN = [
    (re.compile(r'"asked_at": ?"[^"]*"'), '"asked_at":""'),
    (re.compile(r'"lookup": ?"[^"]*"'), '"lookup":""'),
    (re.compile(r'(name="csrf_token"[^>]* value=")[^"]*"'), r'\1"'),
    (re.compile(r'(name="csrf-token" content=")[^"]*"'), r'\1"'),
]
_OF_REQUEST = {"Date", "X-Request-Id", "Postern-Receipt", "Set-Cookie", "Connection"}
SHARING = "customs-nl"


def told(answer: requests.Response) -> tuple[object, ...]:
    """All that an answer tells, but for what is drawn anew in each."""
    body = answer.text
    for drawn, instead in _DRAWN:
        body = drawn.sub(instead, body)
    headers = sorted(
        (name, text) for name, text in answer.headers.items() if name not in _OF_REQUEST
    )
    return answer.status_code, tuple(headers), body


@attack(
    "inference from counts, lists, pages and notifications",
    stopped_by="one predicate under lists, counts, exports, notifications and statistics",
)
def side_channels(made: Ground) -> Tried:
    """Every page and list that names no record, before and after another member acts in secret.

    What changes by being read alone (a person's own log) tells nothing and is left out.
    """
    tried = Tried()
    rules = sorted(
        rule.rule
        for rule in made.app.url_map.iter_rules()
        if "GET" in (rule.methods or ())
        and not rule.arguments
        and not rule.rule.startswith(
            ("/audit/log", "/static", "/sign", "/api/docs", "/api/openapi")
        )
    )
    if made.is_short:
        rules = [each for each in rules if each.startswith("/api/")][::4]
    visit = made.visit(OUTSIDER)

    def looked() -> dict[str, tuple[object, ...]]:
        return {rule: told(visit.ask("GET", rule, params=GROUNDS)) for rule in rules}

    first, second = looked(), looked()
    steady = [rule for rule in rules if first[rule] == second[rule]]
    made.exchange.publish(OWNER, CLOSED)
    _submit(made, OWNER, phones(5, 4_000_000))
    made.exchange.submit(OWNER, report("secret-place", place("SECRET-1")))
    made.exchange.ask(OWNER, *phones(2, 4_000_000))
    third = looked()
    for rule in steady:
        tried.attempt(rule, wins=third[rule] != second[rule])
    own = made.visit(OWNER)
    tried.control = sum(
        told(own.ask("GET", rule, params=GROUNDS))[2] != second[rule][2] for rule in steady
    )
    return tried


@attack(
    "inference from errors: already exists, not yours",
    stopped_by="keys of clients are per organisation; records of others are not there",
)
def errors(made: Ground) -> Tried:
    tried = Tried()
    keys = [f"key-{number}" for number in range(made.many(40, 4))]
    _send(made, OWNER, keys)
    for key in keys:
        taken, free = _send(made, OUTSIDER, [key]), _send(made, OUTSIDER, [key + "-free"])
        tried.attempt("another's key of a report", wins=_shape(taken) != _shape(free))
        tried.control += _shape(_send(made, OWNER, [key])) != _shape(free)
    return tried


def _send(made: Ground, code: str, keys: Sequence[str]) -> requests.Response:
    reports = [{"client_key": key, "indicators": [place()]} for key in keys]
    return made.call(code, "POST", "/api/v1/reports", json={"reports": reports})


def _shape(answer: requests.Response) -> tuple[object, ...]:
    drawn = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.+Z]*"
    body = re.sub(r'"client_key": ?"[^"]*"', "", re.sub(drawn, "", answer.text))
    return answer.status_code, body


@attack(
    "two answers to one question: list, view, count, export",
    stopped_by="one place where visibility is decided: app/sharing/visibility.py",
)
def two_answers(made: Ground) -> Tried:
    tried = Tried()
    answers: dict[str, set[str]] = {}
    for code in (READER, SHARING, OUTSIDER):
        listed = _listed(made, code)
        export = made.call(code, "GET", "/api/v1/indicators/export", params=GROUNDS).text
        readable = {
            each
            for each in _all_indicators(made)
            if made.call(code, "GET", f"/api/v1/indicators/{each}", params=GROUNDS).ok
        }
        for each in _all_indicators(made):
            tried.attempt(f"{code} lists and does not read {each}", wins=each in listed - readable)
            tried.attempt(
                f"{code} exports what is not listed", wins=(each in export) != (each in listed)
            )
        answers[code] = readable
    tried.control = len(answers[READER] ^ answers[OUTSIDER])
    return tried


def _listed(made: Ground, code: str) -> set[str]:
    found: set[str] = set()
    cursor: dict[str, str] = {}
    while True:
        answer = made.call(code, "GET", "/api/v1/indicators", params={**GROUNDS, **cursor})
        found |= set(ids_in([answer.text]))
        following = answer.json().get("next") or answer.headers.get("Postern-Next")
        if not following:
            return found
        cursor = {"cursor": following}


def _all_indicators(made: Ground) -> list[str]:
    from sqlalchemy import select  # noqa: PLC0415 - beside its only use

    from app.indicators.models import Indicator  # noqa: PLC0415

    rows = made.exchange.rows(select(Indicator).order_by(Indicator.id))
    return [str(row.public_id) for row in rows[:: max(1, len(rows) // made.many(60, 8))]]


def _submit(made: Ground, code: str, values: Sequence[object]) -> None:
    rows = [
        report(f"{code}-{value.number}", made.exchange.indicator(value))  # type: ignore[attr-defined,arg-type]
        for value in values
    ]
    made.exchange.submit(code, *rows)
