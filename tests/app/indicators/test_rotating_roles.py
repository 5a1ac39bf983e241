"""A key is rotated by the vault's role while web, evaluator and jobs work on under their own.

Each process has a folder of secrets of its own, as docs/database-roles.md has it done: the web
service and the worker hold no evaluation key, and get the factor before the rotation begins.
"""

import dataclasses
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, text
from sqlalchemy.exc import ProgrammingError

from app.config import Settings
from app.database import Database
from app.database_roles import Work
from app.indicators.models import Indicator, Token
from app.indicators.storage import split_tokens
from app.jobs import draining, service
from app.pseudonyms import rotation as rotations
from app.pseudonyms.models import KeyEpoch
from app.pseudonyms.rotation_models import KeyRotationChunk, RotationState
from postern import normalise, voprf
from postern.base64url import from_base64url
from postern.vocabulary import LegalBasis, Purpose, Scope
from tests.app.exchange import OPEN_TO_POLICE, b64, make_exchange, report
from tests.app.indicators.rotation_house import POSTAL, Rotating, party, with_own_secrets
from tests.app.people import bearer, runtime_of
from tests.app.role_processes import process

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)

FACTOR = "rotation_postal_2.key"


@dataclass
class Processes:
    web: Flask
    evaluator: Flask
    jobs: Flask
    vault: Flask


class Served(Rotating):
    """The same, asked over HTTP of the web service under its own role."""

    processes: Processes
    headers: dict[Scope, dict[str, str]]

    def post(self, app: Flask, code: str, scope: Scope, path: str, **body: Any) -> Any:
        if scope not in self.headers:
            person = self.exchange.people[code]
            self.headers[scope] = bearer(self.exchange.app, person, [scope])
        headers = self.headers[scope]
        answer = app.test_client().post(f"/api/v1{path}", json=body, headers=headers)
        assert answer.status_code == 200, answer.get_data(as_text=True)
        return answer.get_json()

    def submit(self, key: str, value: normalise.Value, epoch: int | None = None) -> None:
        epoch = epoch or self.epoch
        sent = [
            {"facet": facet, "element": b64(element)}
            for facet, element in self.elements(value, epoch)
        ]
        item = self.exchange.indicator(value, epoch=epoch, elements=sent)
        told = self.post(
            self.processes.web,
            "post-be",
            Scope.REPORTS_WRITE,
            "/reports",
            reports=[report(key, item)],
        )
        assert told["counts"]["created"] == 1, told
        self.sent[key] = value

    def find(self, epoch: int, newest: int = 100) -> None:
        """The values that were sent last are found, in one lookup."""
        sent = list(self.sent.items())[-newest:]
        queries = [self.query(value, epoch, key) for key, value in sent]
        told = self.post(
            self.processes.web,
            "police-de",
            Scope.LOOKUPS_WRITE,
            "/lookups",
            purpose=Purpose.CRIMINAL_INVESTIGATION.value,
            legal_basis=LegalBasis.CRIMINAL_PROCEDURE.value,
            case="PV-2024-17",
            queries=[
                {
                    "id": each.id,
                    "kind": each.kind.value,
                    "epoch": each.epoch,
                    "tokens": [{"facet": f, "token": b64(token)} for f, token in each.tokens],
                }
                for each in queries
            ],
        )
        for result in told["results"]:
            assert "strong" in {hit["band"] for hit in result["hits"]}, result["id"]

    def evaluate(self, epoch: int) -> None:
        """Blindly, with a proof by the key of the epoch."""
        _, blinded = voprf.blind(b"x")
        told = self.post(
            self.processes.evaluator,
            "police-de",
            Scope.EVALUATE,
            "/evaluate",
            kind=POSTAL.value,
            epoch=epoch,
            elements=[b64(blinded)],
            purpose=Purpose.PARCEL_SCREENING.value,
            case="S-1",
        )
        (part,) = told["parts"]
        (key,) = self.exchange.rows(
            select(KeyEpoch).where(KeyEpoch.kind == POSTAL, KeyEpoch.epoch == epoch)
        )
        elements = [from_base64url(each) or b"" for each in part["elements"]]
        voprf.verify(
            bytes(key.public_key), [blinded], elements, from_base64url(part["proof"]) or b""
        )

    def duties(self) -> None:
        """A pass of the worker, of which nothing may fail."""
        with self.processes.jobs.app_context():
            runtime = runtime_of(self.processes.jobs)
            performed = list(service.run_due(runtime))
            assert [each.name for each in performed if each.count is None] == []
            draining.drain(runtime)

    def keys(self, *arguments: str) -> str:
        """A command of the administrator, with the vault's role and the evaluator's secrets."""
        result = self.processes.vault.test_cli_runner().invoke(args=["keys", *arguments])
        assert result.exit_code == 0, result.output
        return result.output

    def meanwhile(self, *arguments: str, epochs: tuple[int, ...]) -> None:
        """Have a command run while reports and lookups of these epochs come in."""
        failed: list[BaseException] = []

        def run() -> None:
            try:
                self.keys(*arguments)
            except BaseException as error:
                failed.append(error)

        running = Thread(target=run)
        running.start()
        rounds = 0
        while rounds < 2 or running.is_alive():
            epoch = epochs[rounds % len(epochs)]
            self.submit(f"m{len(self.sent)}", party(len(self.sent) % 10), epoch)
            self.find(epoch, newest=6)
            rounds += 1
            running.join(0.1)  # both share this process
        running.join()
        assert failed == []


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    return with_own_secrets(settings, tmp_path)


@pytest.fixture
def house(app: Flask, settings: Settings, database: Database, tmp_path: Path) -> Iterator[Served]:
    made = Served(make_exchange(app))
    made.headers = {}
    made.exchange.publish("post-be", OPEN_TO_POLICE)
    folder = tmp_path / "web-secrets"
    shutil.copytree(settings.secrets.directory, folder)
    (folder / "evaluation.key").unlink()
    apart = dataclasses.replace(
        settings, secrets=dataclasses.replace(settings.secrets, directory=str(folder))
    )
    with (
        process(apart, database, Work.WEB, evaluates=False) as web,
        process(settings, database, Work.EVALUATOR, mode="evaluator") as evaluator,
        process(apart, database, Work.JOBS, evaluates=False) as jobs,
        process(settings, database, Work.VAULT) as vault,
    ):
        made.processes = Processes(web, evaluator, jobs, vault)
        yield made


def test_a_whole_rotation_under_roles_stops_nobody_and_loses_nothing(
    house: Served, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        house.submit(f"k{number}", party(number))
    kind = ("--kind", POSTAL.value)

    assert FACTOR in house.keys("rotate", "--prepare", *kind)
    folder = tmp_path / "web-secrets"
    shutil.copy2(Path(settings.secrets.directory) / FACTOR, folder)
    house.meanwhile("rotate", *kind, "--overlap-days", "14", epochs=(1,))
    assert house.state is RotationState.OVERLAPPING
    house.duties()
    for epoch in (1, 2):
        house.submit(f"o{epoch}", party(epoch), epoch)
        house.find(epoch)
        house.evaluate(epoch)

    house.keys("close-epoch", POSTAL.value, "--yes")
    house.meanwhile("rotate", "--work", epochs=(2,))
    assert house.state is RotationState.DONE
    (folder / FACTOR).unlink()
    house.submit("after", party(9))
    house.find(2)
    house.evaluate(2)
    house.duties()

    rows = house.exchange.rows(select(Indicator))
    assert {(row.epoch, row.also_epoch) for row in rows} == {(2, None)}
    assert len(rows) == len(house.sent)
    with house.exchange.database.reading() as session:
        postings = session.scalar(select(func.count()).select_from(Token))
    assert postings == sum(len(split_tokens(row.tokens)) for row in rows)
    assert list(folder.glob("evaluation*")) == []
    assert not (Path(settings.secrets.directory) / FACTOR).exists()

    erased(house, monkeypatch)


def erased(house: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """In time the worker erases the rows that prove it to their owners, and may not read them."""
    unerased = select(func.count()).where(KeyRotationChunk.sealed_rows.is_not(None))
    with house.exchange.database.reading() as session:
        assert (session.scalar(unerased) or 0) > 0
    jobs = runtime_of(house.processes.jobs).database
    with pytest.raises(ProgrammingError, match="permission denied"), jobs.reading() as session:
        session.execute(text("SELECT sealed_rows FROM key_rotation_chunk"))
    monkeypatch.setattr(rotations, "ROWS_KEPT", rotations.ROWS_KEPT * 0)
    with house.processes.jobs.app_context(), jobs.transaction() as session:
        rotations.erase_rows(session)
    with house.exchange.database.reading() as session:
        assert session.scalar(unerased) == 0


def test_without_the_factor_the_web_service_says_what_to_copy(house: Served) -> None:
    house.submit("k0", party(0))
    house.keys("rotate", "--kind", POSTAL.value, "--overlap-days", "14")
    item = house.exchange.indicator(party(1))
    headers = bearer(house.exchange.app, house.exchange.people["post-be"], [Scope.REPORTS_WRITE])
    answer = house.processes.web.test_client().post(
        "/api/v1/reports", json={"reports": [report("lost", item)]}, headers=headers
    )
    assert (answer.status_code, FACTOR in answer.get_json()["remedy"]) == (503, True)
