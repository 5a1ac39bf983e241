"""Keys with holders over HTTP: evaluated one way and in bulk, by the process that has a share."""

import dataclasses
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from app.access import CONSOLE
from app.audit.models import AuditEntry
from app.config import Settings
from app.database import Database
from app.database_roles import Work
from app.patterns.screening_quota import allow
from app.pseudonyms.evaluator import SingleKeyEvaluator
from app.pseudonyms.sharing import share_keys
from postern import group, key_document, threshold, voprf
from postern.base64url import from_base64url, to_base64url
from postern.evaluation_octets import LEFT_HEADER, PARTS_HEADER, unpacked_shared
from postern.key_sharing import KeySharing
from postern.shared_evaluation import NamedPart, combined
from postern.signed_evaluation import Question, Signed, sign
from postern.vocabulary import Purpose, Scope
from tests.app.exchange import Exchange, distinct_elements, make_exchange
from tests.app.people import bearer, runtime_of
from tests.app.pseudonyms.holding import MEMBER, NAMES, POSTAL, Circle, circle
from tests.app.role_processes import process
from tests.postern.premises import locked

WHY = {"purpose": Purpose.PARCEL_SCREENING.value, "case": "S-1"}
BULK = "/api/v1/evaluate/screening/postal/1"
OCTETS = "application/octet-stream"


@pytest.fixture
def holders(tmp_path: Path, sqlite_template: Path) -> Iterator[Circle]:
    with circle(tmp_path, sqlite_template) as made:
        yield made


@pytest.fixture
def exchange(app: Flask, holders: Circle) -> Exchange:
    """The exchange, whose key of postal values is shared; its member may screen 5 a day."""
    database = runtime_of(app).database
    with app.app_context(), database.transaction() as session:
        share_keys(session, CONSOLE, holders.ceremony)
    made = make_exchange(app)
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    with app.app_context(), database.transaction() as session:
        allow(session, CONSOLE, MEMBER, POSTAL, elements=5, ends_on=tomorrow, reason="one depot")
    return made


class Asking:
    """The member, at a process of the platform."""

    def __init__(self, exchange: Exchange, holders: Circle, client: FlaskClient) -> None:
        own = runtime_of(exchange.app).part(SingleKeyEvaluator)
        commitments = holders.dealt.commitments
        self.sharing = KeySharing(own.public_key(POSTAL, 1), commitments, holders.ceremony.holders)
        shares = [
            int.from_bytes(group.scalar_mul(weight, holders.dealt.shares[number]), "little")
            for number, weight in threshold.weights((1, 2)).items()
        ]
        total = sum((int.from_bytes(own.secret_key(POSTAL, 1), "little"), *shares)) % group.L
        self.key = total.to_bytes(group.SIZE, "little")
        self.client = client
        person = exchange.people[MEMBER]
        scopes = [Scope.EVALUATE, Scope.SCREENING_RUN]
        self.headers = bearer(exchange.app, person, scopes)
        self.blinds, self.blinded = zip(*(voprf.blind(each) for each in (b"a", b"b")), strict=True)

    def signed(self, elements: list[bytes]) -> Signed:
        question = Question(
            MEMBER, POSTAL, 1, self.sharing.commitments[0], Purpose.PARCEL_SCREENING, elements
        )
        return sign(locked(MEMBER).keys.identity, question, datetime.now(UTC))

    def singly(self) -> Any:
        signed = self.signed(list(self.blinded))
        body = {
            "kind": POSTAL.value,
            "epoch": 1,
            "elements": [to_base64url(each) for each in self.blinded],
            "signed": {
                "request_id": to_base64url(signed.request_id),
                "asked_at": signed.asked_at,
                "signature": to_base64url(signed.signature),
            },
            **WHY,
        }
        return self.client.post("/api/v1/evaluate", json=body, headers=self.headers)

    def in_bulk(self, elements: list[bytes] | None = None, **more: str) -> Any:
        sent = list(self.blinded) if elements is None else elements
        asked = {**WHY, "signed": self.signed(sent).word(), **more}
        return self.client.post(
            BULK,
            data=b"".join(sent),
            query_string={name: value for name, value in asked.items() if value},
            content_type=OCTETS,
            headers=self.headers,
        )

    def require_right(self, parts: dict[str, tuple[list[bytes], bytes]]) -> None:
        """Whatever the parts are called in an answer, they make what the whole key makes."""
        assert set(parts) == {"platform", "alpha", "beta"}
        numbers = {"platform": 0} | {name: place for place, name in enumerate(NAMES, start=1)}
        named = [NamedPart(numbers[name], *part) for name, part in parts.items()]
        found = combined(self.sharing, self.blinds, self.blinded, named)
        assert (found.cheating, found.away) == ((), (3,))
        assert found.elements == [
            voprf.unblind(blind, group.mul(self.key, each))
            for blind, each in zip(self.blinds, self.blinded, strict=True)
        ]

    def require_all(self) -> None:
        """Both ways of evaluating work, with one holder away."""
        answer = self.singly()
        assert answer.status_code == 200, answer.json
        self.require_right(
            {
                part["key_id"].rpartition("/")[2]: (
                    [from_base64url(each) or b"" for each in part["elements"]],
                    from_base64url(part["proof"]) or b"",
                )
                for part in answer.json["parts"]
            }
        )
        answer = self.in_bulk()
        assert answer.status_code == 200, answer.json
        assert answer.headers[LEFT_HEADER] == "3"
        names = answer.headers[PARTS_HEADER].split(",")
        cut = unpacked_shared(answer.data, len(self.blinded), len(names))
        self.require_right(
            {name: (list(each.elements), each.proof) for name, each in zip(names, cut, strict=True)}
        )


def held(holders: Circle) -> list[int]:
    """How often each holder that answers wrote down that it evaluated."""
    counts = []
    for app in holders.holders.values():
        with runtime_of(app).database.reading() as session:
            made = select(func.count()).where(AuditEntry.act == "holder.evaluate")
            counts.append(session.scalar(made) or 0)
    return counts


def test_holders_evaluate_in_bulk_what_the_member_signed(
    exchange: Exchange, holders: Circle
) -> None:
    asking = Asking(exchange, holders, exchange.app.test_client())
    asking.require_all()
    assert held(holders) == [2, 2]
    refusals = {
        "signature-needed": asking.in_bulk(signed=""),
        "signature-refused": asking.in_bulk(signed=asking.signed([asking.blinded[0]]).word()),
        "invalid-element": asking.in_bulk([bytes(32)]),
        "quota-spent": asking.in_bulk(distinct_elements(4)),
    }
    assert {code: answer.json["code"] for code, answer in refusals.items()} == {
        code: code for code in refusals
    }
    for wrong in ("x", "a.b.c", "AAAA.1.AAAA", "AAAA.99999999999999.AAAA", "..", "é.1.é"):
        assert asking.in_bulk(signed=wrong).json["code"] == "invalid-request", wrong
    many = asking.in_bulk(distinct_elements(voprf.MAX_BATCH + 1))
    assert many.json["errors"] == [
        {"field": "body", "reason": "Of a key with holders it holds up to 1000 elements."}
    ]
    assert held(holders) == [2, 2]
    assert asking.in_bulk(distinct_elements(3)).headers[LEFT_HEADER] == "0"


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_the_evaluator_has_the_platforms_share_and_the_web_service_has_none(
    exchange: Exchange, holders: Circle, settings: Settings, database: Database, tmp_path: Path
) -> None:
    folder = tmp_path / "web-secrets"
    shutil.copytree(settings.secrets.directory, folder)
    (folder / "evaluation.key").unlink()
    of_web = dataclasses.replace(
        settings, secrets=dataclasses.replace(settings.secrets, directory=str(folder))
    )
    with (
        process(of_web, database, Work.WEB, evaluates=False) as web,
        process(settings, database, Work.EVALUATOR, mode="evaluator") as evaluator,
    ):
        Asking(exchange, holders, evaluator.test_client()).require_all()
        asking = Asking(exchange, holders, web.test_client())
        assert (asking.singly().status_code, asking.in_bulk().status_code) == (503, 503)
        for made in (web, evaluator):
            raw = made.test_client().get("/.well-known/postern-keys.json").json
            document = key_document.read(raw, None, datetime.now(UTC))
            assert document.at(POSTAL, datetime.now(UTC)).sharing == asking.sharing
    assert held(holders) == [2, 2]
