"""A breach: all tables, logs and error pages are out, the secrets are not. What do they tell?

Real addresses are submitted through the library's own path (normalise, facets, blind, evaluate,
verify, unblind). The thief then has every column of every table and the complete list of the clear
values, and tries every derivation that needs no secret; each attempt is shown to succeed once the
secret is added, so a test that tries nothing would fail.
"""

import base64
import binascii
import hashlib
import hmac
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import inspect, text

from app.database import Database
from postern import group, normalise, voprf
from postern.facets import Facet, evaluation_input, facets
from postern.pseudonym import derive_epoch_key, token
from postern.vocabulary import EVALUATION_KIND, EvaluationKind, Kind, Scope
from tests.app.exchange import OPEN_TO_POLICE, Exchange, b64, make_exchange, report
from tests.app.people import bearer, runtime_of

ADDRESSES = Path(__file__).parent.parent / "data" / "addresses-open.json"
PARTIES = 250
MALFORMED = 30  # values that a careless client sends in clear
_ONE = (1).to_bytes(32, "little")
_SHORTEST_WORD = 6  # letters; shorter ones occur by chance in what is random


@dataclass(frozen=True)
class Submitted:
    """What was submitted: the values, and the facets of each with their elements."""

    values: list[normalise.Value]
    facets: dict[tuple[EvaluationKind, str], bytes]


@dataclass(frozen=True)
class Loot:
    """What the thief has: cells of the tables as bytes, the public keys, and all that was said."""

    cells: dict[str, list[bytes]]
    tokens: frozenset[bytes]
    public: list[bytes]

    @property
    def everything(self) -> bytes:
        return b"\n".join(cell for cells in self.cells.values() for cell in cells)


class Haystack:
    """What was stolen, in lower case; whole words and whole fields are looked for.

    Digests are taken out first: in what is random a short word may occur by chance.
    """

    def __init__(self, raw: bytes) -> None:
        self.text = re.sub(r"(?<![\w-])[\w-]{43}(?![\w-])", "#", _folded(raw))
        self.words = frozenset(re.findall(r"\w+", self.text))

    def __contains__(self, needle: str) -> bool:
        return needle in self.words or (not needle.isalnum() and needle in self.text)


class Client:
    """The on-premises side, over the interface of the platform."""

    def __init__(self, exchange: Exchange, client: FlaskClient) -> None:
        self.client = client
        scopes = [Scope.EVALUATE, Scope.REPORTS_WRITE]
        self.headers = bearer(exchange.app, exchange.people["post-be"], scopes)
        document = client.get("/.well-known/postern-keys.json").get_json()["document"]
        self.keys = {each["kind"]: _unb64(each["public_key"]) for each in document["epochs"]}

    def elements(self, kind: EvaluationKind, inputs: Sequence[bytes]) -> list[bytes]:
        blinds, blinded = zip(*(voprf.blind(value) for value in inputs), strict=True)
        answer = self.client.post(
            "/api/v1/evaluate",
            json={
                "kind": kind.value,
                "epoch": 1,
                "elements": [b64(element) for element in blinded],
                "purpose": "service_security",
                "case": "nightly",
            },
            headers=self.headers,
        )
        assert answer.status_code == 200, answer.get_data(as_text=True)
        (part,) = answer.get_json()["parts"]
        finalised = voprf.finalize(
            inputs,
            blinds,
            blinded,
            [_unb64(element) for element in part["elements"]],
            public_key=self.keys[kind.value],
            proof=_unb64(part["proof"]),
        )
        return [each.element for each in finalised]

    def submit(self, reports: list[dict[str, Any]]) -> None:
        answer = self.client.post(
            "/api/v1/reports", json={"reports": reports}, headers=self.headers
        )
        assert answer.get_json()["counts"] == {
            "created": len(reports),
            "existing": 0,
            "rejected": 0,
        }


@pytest.fixture
def exchange(app: Any) -> Exchange:
    made = make_exchange(app)
    made.publish("post-be", OPEN_TO_POLICE)
    return made


def test_without_a_secret_no_token_is_recovered_and_with_it_all_are(
    exchange: Exchange, client: FlaskClient
) -> None:
    submitted = _submit(Client(exchange, client), _values())
    loot = _steal(exchange.database)
    assert len(loot.tokens) > PARTIES * 10
    guesses = list(submitted.facets)
    for name, attempt in _attempts(loot).items():
        recovered = loot.tokens.intersection(_tried(attempt, guesses))
        assert not recovered, f"{name} recovers {len(recovered)} tokens"
    seed = runtime_of(exchange.app).secrets.evaluation
    assert loot.tokens == set(_tried(_keyed(seed, 1), guesses))


def test_no_clear_value_stands_in_any_table_log_or_error(
    exchange: Exchange, client: FlaskClient, capfd: pytest.CaptureFixture[str]
) -> None:
    before = Haystack(_steal(exchange.database).everything)
    platform = Client(exchange, client)
    values = _values()
    submitted = _submit(platform, values)
    _look_up(exchange, client, submitted)
    careless = values[:MALFORMED]
    answers = list(_malformed(exchange, client, careless))
    assert {answer.status_code for answer in answers} <= {400, 401, 403, 404, 405, 415, 422}
    said = "\n".join(answer.get_data(as_text=True) for answer in answers)
    out, err = capfd.readouterr()
    assert err.count("act refused") > len(careless)

    needles = [needle for needle in _needles(values) if needle not in before]
    assert len(needles) > PARTIES * 3
    for place, haystack in (
        ("tables", Haystack(_steal(exchange.database).everything)),
        ("logs", Haystack((out + err).encode())),
        ("answers", Haystack(said.encode())),
    ):
        found = [needle for needle in needles if needle in haystack]
        assert found == [], f"clear values in the {place}"


def test_the_search_would_find_a_clear_value(exchange: Exchange) -> None:
    needles = _needles(_values())
    (word, line) = (
        next(each for each in needles if (" " in each) == spaced) for spaced in (False, True)
    )
    assert word not in Haystack(_steal(exchange.database).everything)
    with exchange.database.transaction() as session:
        session.execute(
            text("INSERT INTO community (code, name) VALUES ('leak', :name)"),
            {"name": f"x {word.upper()}, y {line.title()}"},
        )
    haystack = Haystack(_steal(exchange.database).everything)
    assert word in haystack
    assert line in haystack


def test_no_pseudonym_stands_in_a_log_or_the_audit_log_and_no_element_anywhere(
    exchange: Exchange, client: FlaskClient, capfd: pytest.CaptureFixture[str]
) -> None:
    submitted = _submit(Client(exchange, client), _values()[:40])
    _look_up(exchange, client, submitted)
    loot = _steal(exchange.database)
    out, err = capfd.readouterr()
    told = "\n".join((out, err)).encode() + b"\n".join(
        cell for table, cells in loot.cells.items() if table.startswith("audit") for cell in cells
    )
    opened = told + b"\n".join(_opened(loot.cells["audit_detail"]))
    for secret in (*loot.tokens, *submitted.facets.values()):
        assert secret not in opened
        assert secret.hex().encode() not in opened
        assert b64(secret).encode() not in opened
    everything = loot.everything
    for element in submitted.facets.values():
        assert element not in everything
        assert b64(element).encode() not in everything
    assert len(loot.cells["element_vault"]) >= len(submitted.values)


def _values() -> list[normalise.Value]:
    rows = json.loads(ADDRESSES.read_text())["B"][:PARTIES]
    values: list[normalise.Value] = []
    for number, row in enumerate(rows):
        where = {
            "lines": (row["line"],),
            "postcode": row["postcode"],
            "city": row["city"],
            "country": row["cc"],
        }
        value: normalise.Value = (
            normalise.Party(row["name"], **where) if row["name"] else normalise.Address(**where)
        )
        if not facets(value):
            continue  # too little to compare: a client says so and sends nothing
        values.append(value)
        if number % 10 == 0:
            values += [
                normalise.Phone(f"+324755{number:05}"),
                normalise.Email(f"{row['eid']}.parcelbuyer{number}@mailbox.example"),
                normalise.Vendor("midnightmarket", f"whitelotusseller{number}"),
            ]
    return values


def _submit(client: Client, values: Sequence[normalise.Value]) -> Submitted:
    by_kind: dict[EvaluationKind, dict[str, Facet]] = {}
    for value in values:
        kind = EVALUATION_KIND[normalise.normalise(value).kind]
        by_kind.setdefault(kind, {}).update({facet.text: facet for facet in facets(value)})
    found: dict[tuple[EvaluationKind, str], bytes] = {}
    for kind, named in by_kind.items():
        texts = list(named)
        for start in range(0, len(texts), voprf.MAX_BATCH):
            chunk = texts[start : start + voprf.MAX_BATCH]
            inputs = [evaluation_input(named[each], kind) for each in chunk]
            elements = client.elements(kind, inputs)
            found.update(zip(((kind, each) for each in chunk), elements, strict=True))
    reports = []
    for number, value in enumerate(values):
        kind = normalise.normalise(value).kind
        reports.append(
            report(
                f"row-{number}",
                {
                    "kind": kind.value,
                    "role": "vendor" if kind is Kind.VENDOR else "sender",
                    "epoch": 1,
                    "elements": [
                        {
                            "facet": facet.number,
                            "element": b64(found[EVALUATION_KIND[kind], facet.text]),
                        }
                        for facet in facets(value)
                    ],
                    "learned": "outside_of_item",
                    "legal_basis": "postal_law",
                },
            )
        )
    for start in range(0, len(reports), 100):
        client.submit(reports[start : start + 100])
    return Submitted(list(values), found)


def _look_up(exchange: Exchange, client: FlaskClient, submitted: Submitted) -> None:
    headers = bearer(exchange.app, exchange.people["police-de"], [Scope.LOOKUPS_WRITE])
    queries = []
    for number, value in enumerate(submitted.values[:50]):
        kind = EVALUATION_KIND[normalise.normalise(value).kind]
        tokens = [
            (facet.number, token(kind, 1, submitted.facets[kind, facet.text]))
            for facet in facets(value)
        ]
        queries.append(
            {
                "id": f"q{number}",
                "kind": normalise.normalise(value).kind.value,
                "epoch": 1,
                "tokens": [{"facet": facet, "token": b64(each)} for facet, each in tokens],
            }
        )
    answer = client.post(
        "/api/v1/lookups",
        json={
            "purpose": "criminal_investigation",
            "legal_basis": "criminal_procedure",
            "case": "PV-1",
            "queries": queries,
        },
        headers=headers,
    )
    assert all(result["hits"] for result in answer.get_json()["results"])


def _malformed(
    exchange: Exchange, client: FlaskClient, values: Sequence[normalise.Value]
) -> Iterator[Any]:
    """Answers to requests into which a careless client has put clear values."""
    headers = bearer(exchange.app, exchange.people["post-be"], list(Scope))
    for value in values:
        clear = " ".join(_parts(value))
        wrong = {
            "client_key": clear,
            clear: clear,
            "indicators": [{"kind": clear, "place": {"operator": clear}, "elements": [clear]}],
        }
        yield client.post("/api/v1/reports", json={"reports": clear}, headers=headers)
        yield client.post("/api/v1/reports", json={clear: [wrong]}, headers=headers)
        refused = client.post("/api/v1/reports", json={"reports": [wrong, clear]}, headers=headers)
        assert refused.get_json()["counts"]["rejected"] == 2
        assert clear not in refused.get_data(as_text=True)
        yield client.post("/api/v1/reports", data=clear.encode(), headers=headers)
        asked = {"purpose": clear, "queries": [{"id": 1, "kind": clear, "tokens": [clear]}]}
        yield client.post("/api/v1/lookups", json=asked, headers=headers)
        yield client.post(
            "/api/v1/evaluate", json={"kind": clear, "elements": [clear]}, headers=headers
        )
        yield client.get(f"/api/v1/reports/{clear}", headers=headers)
        yield client.get("/api/v1/reports", query_string={"cursor": clear}, headers=headers)
        yield client.get("/api/v1/me", headers={"Authorization": f"Bearer {clear!a}"})


def _steal(database: Database) -> Loot:
    cells: dict[str, list[bytes]] = {}
    tokens: set[bytes] = set()
    public: list[bytes] = []
    with database.reading() as session:
        for table in inspect(session.connection()).get_table_names():
            rows = session.execute(text(f"SELECT * FROM {table}")).mappings().all()  # noqa: S608 - names of our own schema
            cells[table] = [_bytes(value) for row in rows for value in row.values()]
            if table == "token":
                tokens = {bytes(row["token"]) for row in rows}
            public += [
                value
                for row in rows
                for value in map(_bytes, row.values())
                if len(value) == 32 and table != "element_vault"
            ]
    return Loot(cells, frozenset(tokens), public)


def _attempts(loot: Loot) -> dict[str, Callable[[EvaluationKind, str], Iterable[bytes]]]:
    """Every derivation of a token from a guess that comes to mind without a secret."""
    attempts = {
        "a plain hash": _hashes,
        "a hash under what the tables hold": _hashes_under(loot.public),
        "the element without a key": _keyed_with(_ONE),
        "a key of one's own": _keyed_with(group.random_scalar()),
        "a seed of zeros": _keyed(bytes(32), 1),
        "the next epoch of a seed of zeros": _keyed(bytes(32), 2),
    }
    for number, key in enumerate(key for key in loot.public if any(key)):
        if number < 4:  # the public keys and tag keys, as if one were the seed
            attempts[f"stolen value {number} as the seed"] = _keyed(key, 1)
    return attempts


def _tried(
    attempt: Callable[[EvaluationKind, str], Iterable[bytes]],
    guesses: Sequence[tuple[EvaluationKind, str]],
) -> Iterator[bytes]:
    for kind, guess in guesses:
        yield from attempt(kind, guess)


def _hashes(kind: EvaluationKind, guess: str) -> Iterator[bytes]:
    for content in _spellings(kind, guess):
        for algorithm in ("sha256", "sha512", "sha1", "md5", "blake2b"):
            digest = hashlib.new(algorithm, content).digest()
            yield digest[:16]
            yield digest[-16:]


def _hashes_under(keys: Sequence[bytes]) -> Callable[[EvaluationKind, str], Iterator[bytes]]:
    some = keys[:12]

    def attempt(kind: EvaluationKind, guess: str) -> Iterator[bytes]:
        for content in _spellings(kind, guess):
            for key in some:
                yield hmac.digest(key, content, "sha256")[:16]
                yield hmac.digest(key, content, "sha512")[:16]

    return attempt


def _spellings(kind: EvaluationKind, guess: str) -> tuple[bytes, ...]:
    text_ = guess.partition("=")[2]
    whole = evaluation_input(Facet(0, "", guess), kind)
    return guess.encode(), text_.encode(), whole, b"PN-token-v1" + whole


def _keyed(seed: bytes, epoch: int) -> Callable[[EvaluationKind, str], Iterator[bytes]]:
    keys: Mapping[EvaluationKind, bytes] = {
        kind: derive_epoch_key(seed, kind, epoch)[0] for kind in EvaluationKind
    }

    def attempt(kind: EvaluationKind, guess: str) -> Iterator[bytes]:
        yield from _keyed_with(keys[kind])(kind, guess)

    return attempt


def _keyed_with(key: bytes) -> Callable[[EvaluationKind, str], Iterator[bytes]]:
    def attempt(kind: EvaluationKind, guess: str) -> Iterator[bytes]:
        _, point = voprf.blind(evaluation_input(Facet(0, "", guess), kind), r=_ONE)
        yield token(kind, 1, group.mul(key, point))

    return attempt


def _parts(value: normalise.Value) -> list[str]:
    match value:
        case normalise.Party():
            return [value.name, *value.lines, value.city]
        case normalise.Address():
            return [*value.lines, value.city]
        case normalise.Phone():
            return [value.number]
        case normalise.Email():
            return [value.address]
        case normalise.Vendor():
            return [value.market, value.handle]
    raise TypeError


def _needles(values: Sequence[normalise.Value]) -> list[str]:
    """Whole fields, and words that are long enough not to occur by chance; folded."""
    parts = {part for value in values for part in _parts(value)}
    words = {word for part in parts for word in re.findall(r"\w+", part)}
    long_enough = {each for each in parts | words if len(each) >= _SHORTEST_WORD}
    return sorted({_folded(each.encode()) for each in long_enough})


def _folded(raw: bytes) -> str:
    return raw.decode("utf-8", errors="replace").casefold()


def _opened(details: Iterable[bytes]) -> Iterator[bytes]:
    for cell in details:
        for line in cell.splitlines():
            padded = line + b"=" * (-len(line) % 4)
            yield _unb64(padded.decode("ascii", errors="ignore").rstrip("="), strict=False)


def _bytes(value: Any) -> bytes:
    if isinstance(value, bytes | memoryview):
        return bytes(value)
    return str(value).encode()


def _unb64(text_: str, *, strict: bool = True) -> bytes:
    try:
        return base64.urlsafe_b64decode(text_ + "=" * (-len(text_) % 4))
    except binascii.Error:
        if strict:
            raise
        return b""
