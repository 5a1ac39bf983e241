"""Guessing: a dictionary against what was stolen, against some of the shares, and online."""

import hashlib
import hmac
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import inspect, text

from app.access import CONSOLE
from app.pseudonyms import service as pseudonyms
from app.pseudonyms.models import Window
from postern import group, normalise, threshold, voprf
from postern.facets import evaluation_input, facets
from postern.pseudonym import derive_epoch_key, token
from postern.vocabulary import EVALUATION_KIND, EvaluationKind, Role, Scope
from tests.app.exchange import b64, distinct_elements, report
from tests.app.people import bearer, make_person
from tests.attack.ground import OWNER, READER, Ground, Visit
from tests.attack.verdict import Tried, attack

_ONE = (1).to_bytes(32, "little")
_BUDGET = 40  # evaluations an hour, in the attack on it
_BATCH = 7
_PHONE = EvaluationKind.PHONE

Derive = Callable[[normalise.Value], Iterable[bytes]]


def phones(count: int, first: int = 0) -> list[normalise.Value]:
    return [normalise.Phone(f"+3247{first + number:07}") for number in range(count)]


@attack(
    "dictionary against the stolen database",
    stopped_by="tokens need the evaluation key, which is in no table",
)
def dictionary(made: Ground) -> Tried:
    guesses = phones(made.many(2_000, 60))
    held = guesses[::10]
    reports = [
        report(f"taken-{number}", made.exchange.indicator(value))
        for number, value in enumerate(held)
    ]
    made.exchange.submit(OWNER, *reports)
    tokens, public = _stolen(made)
    tried = Tried()
    some = public[:: max(1, len(public) // made.many(40, 6))]
    drawn = group.random_scalar()
    ways: dict[str, Derive] = {
        "hashes": _hashes,
        "hashes under what the tables hold": lambda value: _hashes_under(some, value),
        "no key": lambda value: _keyed(_ONE, value),
        "a key of one's own": lambda value: _keyed(drawn, value),
    }
    for number, seed in enumerate(some[: made.many(8, 2)]):
        key = derive_epoch_key(seed, _PHONE, 1)[0]
        ways[f"stolen bytes {number} as the seed"] = lambda value, key=key: _keyed(key, value)  # type: ignore[misc]
    for name, derive in ways.items():
        for value in guesses:
            for guess in derive(value):
                tried.attempt(name, wins=guess in tokens)
    key = derive_epoch_key(made.exchange.seed, _PHONE, 1)[0]
    tried.control = sum(each in tokens for value in guesses for each in _keyed(key, value))
    return tried


@attack(
    "dictionary with the platform's share, or of holders",
    stopped_by="platform's share and two of three holders are needed",
)
def shares(made: Ground) -> Tried:
    """Every set of shares that must not suffice, with every weight that its holders could try."""
    own = group.random_scalar()
    dealt = threshold.deal(2, [1, 2, 3])
    points = [_point(value) for value in phones(made.many(500, 30))]

    def parts(numbers: Iterable[int]) -> dict[int, list[bytes]]:
        return {
            each: [group.mul(dealt.shares[each], point) for point in points] for each in numbers
        }

    mine = [group.mul(own, point) for point in points]
    whole = threshold.combine(mine, parts((1, 2)))
    known = {token(_PHONE, 1, element) for element in whole[::10]}
    tried = Tried()
    pair = threshold.weights((1, 2))
    alone = {each: parts([each])[each] for each in (1, 2, 3)}
    sets: dict[str, list[bytes]] = {"the platform's share": mine}
    for number, part in alone.items():
        sets[f"holder {number}"] = part
        sets[f"the platform and holder {number}"] = threshold.combine(mine, {number: part})
        sets[f"the same, weighted as of two {number}"] = [
            group.add(one, group.mul(pair[1], other)) for one, other in zip(mine, part, strict=True)
        ]
    three = [
        group.weighted_sum(list(threshold.weights((1, 2, 3)).values()), each)
        for each in zip(*(alone[number] for number in (1, 2, 3)), strict=True)
    ]
    sets["all three holders"] = three
    for name, elements in sets.items():
        for element in elements:
            tried.attempt(name, wins=token(_PHONE, 1, element) in known)
    other = threshold.combine(mine, parts((2, 3)))
    tried.control = sum(token(_PHONE, 1, element) in known for element in other)
    return tried


@attack(
    "online probing up to the budget, and beyond it",
    stopped_by="durable budget of evaluations per organisation and kind, spent before the answer",
)
def probing(made: Ground) -> Tried:
    """By two colleagues, with many tokens, in parallel, singly and in bulk, for other purposes."""
    database = made.exchange.database
    with made.app.app_context(), database.transaction() as session:
        limits = dict.fromkeys(Window, _BUDGET)
        pseudonyms.allow(session, CONSOLE, READER, _PHONE, limits)
    colleague = make_person(made.app, READER, Role)
    headers = [
        bearer(made.app, person, [Scope.EVALUATE])
        for person in (made.person(READER), colleague)
        for _ in range(2)
    ]
    elements = [b64(each) for each in distinct_elements(made.many(400, 120))]
    batches = [elements[start : start + _BATCH] for start in range(0, len(elements), _BATCH)]

    def got(place: int) -> int:
        body = {
            "kind": _PHONE.value,
            "epoch": 1,
            "elements": batches[place],
            "purpose": ("risk_analysis", "criminal_investigation")[place % 2],
            "case": f"C-{place}",
        }
        answer = Visit(made.address).ask(
            "POST", "/api/v1/evaluate", json=body, headers=headers[place % len(headers)]
        )
        assert answer.status_code in {200, 429}, answer.text
        return len(batches[place]) if answer.ok else 0

    with ThreadPoolExecutor(4) as pool:
        found = sum(pool.map(got, range(len(batches))))
    for place in range(len(batches))[: made.many(20, 3)]:
        batches[place] = batches[place][:1]
        found += got(place)
    tried = Tried(tries=len(elements))
    assert found, "nothing at all was evaluated"
    tried.won = ["evaluated beyond the budget"] * max(0, found - _BUDGET)
    body = {
        "kind": _PHONE.value,
        "epoch": 1,
        "elements": elements[: 2 * _BUDGET],
        "purpose": "risk_analysis",
        "case": "C-0",
    }
    free = made.call("customs-nl", "POST", "/api/v1/evaluate", json=body)
    tried.control = len(body["elements"]) - _BUDGET if free.ok else 0
    return tried


def _stolen(made: Ground) -> tuple[frozenset[bytes], list[bytes]]:
    """The tokens, and whatever in any column could be a key."""
    tokens: set[bytes] = set()
    found: set[bytes] = set()
    with made.exchange.database.reading() as session:
        for table in inspect(session.connection()).get_table_names():
            for row in session.execute(text(f'SELECT * FROM "{table}"')).mappings():  # noqa: S608 - names of our own schema
                cells = [
                    bytes(cell) for cell in row.values() if isinstance(cell, bytes | memoryview)
                ]
                found.update(cell for cell in cells if len(cell) == 32)
                if table == "token":
                    tokens.add(bytes(row["token"]))
    return frozenset(tokens), sorted(found)


def _inputs(value: normalise.Value) -> list[bytes]:
    normalised = normalise.normalise(value)
    kind = EVALUATION_KIND[normalised.kind]
    return [evaluation_input(facet, kind) for facet in facets(normalised)]


def _point(value: normalise.Value) -> bytes:
    return voprf.blind(_inputs(value)[0], r=_ONE)[1]


def _keyed(key: bytes, value: normalise.Value) -> list[bytes]:
    points = (voprf.blind(each, r=_ONE)[1] for each in _inputs(value))
    return [token(_PHONE, 1, group.mul(key, point)) for point in points]


def _hashes(value: normalise.Value) -> list[bytes]:
    return [
        hashlib.new(algorithm, content).digest()[:16]
        for whole in _inputs(value)
        for content in (whole, b"PN-token-v1" + whole)
        for algorithm in ("sha256", "sha512", "blake2b", "md5")
    ]


def _hashes_under(keys: list[bytes], value: normalise.Value) -> list[bytes]:
    return [
        hmac.digest(key, whole, algorithm)[:16]
        for whole in _inputs(value)
        for key in keys
        for algorithm in ("sha256", "sha512")
    ]
