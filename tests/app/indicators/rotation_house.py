"""An exchange of the tests whose key of postal values is rotated step by step."""

import dataclasses
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import select

from app.access import CONSOLE
from app.config import Settings
from app.indicators import rotating
from app.lookups.scoring import Query
from app.pseudonyms import rotation as rotations
from app.pseudonyms.evaluator import SingleKeyEvaluator
from app.pseudonyms.rotation_models import KeyRotation, RotationState
from app.pseudonyms.service import open_epoch
from postern import group, normalise, pseudonym, voprf
from postern.facets import evaluation_input, facets
from postern.vocabulary import EvaluationKind
from tests.app.exchange import SOPHIE, Exchange, b64, report
from tests.app.people import runtime_of

POSTAL = EvaluationKind.POSTAL
_ONE = (1).to_bytes(32, "little")


def party(number: int) -> normalise.Party:
    return dataclasses.replace(SOPHIE, name=f"Anna {'abcdefghij'[number]}ansen")


class Rotating:
    """The exchange of the tests, whose key of postal values is rotated step by step."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.sent: dict[str, normalise.Value] = {}

    @property
    def epoch(self) -> int:
        with self.exchange.app.app_context(), self.exchange.database.reading() as session:
            return open_epoch(session, POSTAL)

    @property
    def state(self) -> RotationState:
        (found,) = self.exchange.rows(select(KeyRotation))
        return RotationState(found.state)

    def whole(self, platforms: bytes, _epoch: int) -> bytes:
        """The key of an epoch: what the platform holds, unless others hold shares of it."""
        return platforms

    def elements(self, value: normalise.Value, epoch: int) -> list[tuple[int, bytes]]:
        evaluator = runtime_of(self.exchange.app).part(SingleKeyEvaluator)
        key = self.whole(evaluator.secret_key(POSTAL, epoch), epoch)
        return [
            (each.number, group.mul(key, voprf.blind(evaluation_input(each, POSTAL), r=_ONE)[1]))
            for each in facets(normalise.normalise(value))
        ]

    def query(self, value: normalise.Value, epoch: int, name: str = "q") -> Query:
        tokens = [
            (facet, pseudonym.token(POSTAL, epoch, element))
            for facet, element in self.elements(value, epoch)
        ]
        return Query(name, normalise.normalise(value).kind, epoch, tokens)

    def send(self, key: str, value: normalise.Value, epoch: int) -> Any:
        sent = [
            {"facet": facet, "element": b64(element)}
            for facet, element in self.elements(value, epoch)
        ]
        item = self.exchange.indicator(value, epoch=epoch, elements=sent)
        (result,) = self.exchange.submit("post-be", report(key, item)).results
        return result

    def submit(self, key: str, value: normalise.Value, epoch: int | None = None) -> Any:
        result = self.send(key, value, epoch or self.epoch)
        assert result.status == "created", result
        self.sent[key] = value
        return result

    def find(self, epoch: int) -> None:
        """Every value that was sent is found: by its own best hit, and nothing twice."""
        queries = [self.query(value, epoch, key) for key, value in self.sent.items()]
        found = self.exchange.ask("police-de", *queries).results
        for result in found:
            points = [hit.points or 0 for hit in result.hits if hit.band == "strong"]
            same = list(self.sent.values()).count(self.sent[result.id])
            assert points.count(max(points, default=0)) == same, result.id
            assert len({(hit.indicator or {})["id"] for hit in result.hits}) == len(result.hits)

    def begin(self, overlap_days: int = 0, factor: bytes | None = None) -> None:
        with self.exchange.app.app_context(), self.exchange.database.transaction() as session:
            rotations.begin(session, CONSOLE, [POSTAL], overlap_days, factor)

    def step(self, most: int = 2) -> int:
        with self.exchange.app.app_context(), self.exchange.database.transaction() as session:
            (found,) = rotations.all_running(session)
            return rotating.step(session, found, most)[0]

    def until(self, wanted: RotationState, each: Callable[[], None] = lambda: None) -> None:
        for _ in range(200):
            if self.state is wanted:
                return
            assert self.step()
            each()
        raise AssertionError(f"never {wanted}")

    def turned(self) -> None:
        self.until(RotationState.OVERLAPPING)
        while self.exchange.rows(select(KeyRotation))[0].turned_at is None:
            assert self.step()


def with_own_secrets(settings: Settings, directory: Path) -> Settings:
    """The settings with a copy of the secrets, which a rotation changes."""
    secrets = directory / "secrets"
    shutil.copytree(settings.secrets.directory, secrets)
    return dataclasses.replace(
        settings, secrets=dataclasses.replace(settings.secrets, directory=str(secrets))
    )
