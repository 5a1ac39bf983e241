"""A platform and three holders of its key, each a process with a database of its own.

One holder cheats and is named, one is stopped; every two that are honest give the same pseudonym.
"""

import dataclasses
import json
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import text

from app import create_app
from app.config import Settings
from app.database import Database
from app.pseudonyms import holder_service
from app.pseudonyms.evaluator import SingleKeyEvaluator
from app.secret_files import Sealer
from app.secret_files import create as create_secrets
from postern import group, key_document, key_file_form, threshold, voprf
from postern.cli import cli
from postern.client import Client
from postern.client_errors import CheatingHoldersError, HoldersMissingError, SignatureNeededError
from postern.commands.evaluating import RequestSigner
from postern.facets import evaluation_input, facets
from postern.holder_share import read_share
from postern.key_ring import KeyRing, pin
from postern.key_sharing import read_ceremony
from postern.normalise import Phone, normalise
from postern.organisation_entry import SignedEntry
from postern.pseudonymise import Pseudonym, Pseudonymiser
from postern.settings import OwnKeys
from postern.vocabulary import EvaluationKind, Purpose, Role, Scope, Sector
from tests.app.people import bearer, make_organisation, make_person
from tests.conftest import settings_for
from tests.functional.serving import serving
from tests.postern.premises import locked

NAMES = ("alpha", "beta", "gamma")
WORDS = "cobalt ferry lantern marble twig {name}"
PHONE = EvaluationKind.PHONE


@dataclasses.dataclass
class Ring:
    """The processes, and a client of the platform for police-be."""

    platform: Flask
    holders: dict[str, Flask]
    running: dict[str, ExitStack]
    folder: Path
    client: Client
    keys: KeyRing

    def pseudonymiser(self, *, signs: bool = True) -> Pseudonymiser:
        signer = RequestSigner(OwnKeys(), locked("police-be").keys) if signs else None
        return Pseudonymiser(
            self.client,
            self.keys,
            purpose=Purpose.CRIMINAL_INVESTIGATION,
            case="PV-1",
            signer=signer,
        )

    def key(self) -> bytes:
        """The whole key of phones, which exists nowhere but in this test."""
        ceremony = read_ceremony((self.folder / "ceremony.json").read_bytes())
        shares = {}
        for name in NAMES[:2]:
            file = key_file_form.read(self.folder / f"{name}.share.json")
            opened = read_share(file, WORDS.format(name=name), ceremony)
            shares[opened.number] = opened.shares[PHONE]
        evaluator = self.platform.extensions["postern"].part(SingleKeyEvaluator)
        total = int.from_bytes(evaluator.secret_key(PHONE, 1), "little")
        for number, weight in threshold.weights((1, 2)).items():
            total += int.from_bytes(group.scalar_mul(weight, shares[number]), "little")
        return (total % group.L).to_bytes(32, "little")

    def put_share(self, name: str, share: bytes | None) -> bytes:
        """Have a holder evaluate with another share of phones; gives the bytes it had."""
        runtime = self.holders[name].extensions["postern"]
        context = b"postern/held-share/v1/phone/1"
        sealer = Sealer(runtime.secrets.vault)
        with runtime.database.engine.begin() as connection:
            found = connection.execute(
                text("SELECT sealed FROM held_share WHERE kind = 'phone'")
            ).scalar_one()
            if share is not None:
                connection.execute(
                    text("UPDATE held_share SET sealed = :sealed WHERE kind = 'phone'"),
                    {"sealed": sealer.seal(share, context)},
                )
        return sealer.open(bytes(found), context)


@pytest.fixture(scope="module")
def ring(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[Ring]:
    home = tmp_path_factory.mktemp("holders")
    with ExitStack() as opened:
        holders, running, addresses = {}, {}, {}
        for name in NAMES:
            settings = of_settings(home / name, sqlite_template, "holder")
            running[name] = opened.enter_context(ExitStack())
            addresses[name] = running[name].enter_context(
                serving(settings, home / name / "settings.toml")
            )
            holders[name] = made(settings)
        folder = hold_ceremony(home, addresses)
        for name, app in holders.items():
            install(app, home, folder, name)
        settings = of_settings(home / "platform", sqlite_template, "platform")
        platform = made(settings)
        console(platform, "keys", "share", folder / "ceremony.json")
        address = opened.enter_context(serving(settings, home / "platform" / "settings.toml"))
        database: Database = platform.extensions["postern"].database
        make_organisation(database, "police-be", Sector.POLICE, "BE")
        person = make_person(platform, "police-be", [Role.ANALYST])
        token = bearer(platform, person, [Scope.EVALUATE])["Authorization"].split()[1]
        client = Client.at(address, token=token)
        opened.callback(client.close)
        raw = client.keys().raw
        pin(raw, key_document.signer(raw), home / "pins.json", datetime.now(UTC))
        keys = KeyRing(client, home / "pins.json")
        yield Ring(platform, holders, running, folder, client, keys)
        for app in (platform, *holders.values()):
            app.extensions["postern"].database.dispose()


def of_settings(home: Path, template: Path, mode: str) -> Settings:
    home.mkdir()
    create_secrets(home / "secrets")
    shutil.copyfile(template, home / "postern.sqlite3")
    settings = settings_for(f"sqlite:///{home}/postern.sqlite3", home / "secrets")
    return dataclasses.replace(settings, platform=dataclasses.replace(settings.platform, mode=mode))


def made(settings: Settings) -> Flask:
    app = create_app(settings)
    app.testing = False
    return app


def console(app: Flask, *arguments: object) -> str:
    done = app.test_cli_runner().invoke(args=[str(each) for each in arguments])
    assert done.exit_code == 0, done.output
    return done.output


def hold_ceremony(home: Path, addresses: dict[str, str]) -> Path:
    """`postern keys ceremony`, and every holder's `postern keys check-share`."""
    folder = home / "ceremony"
    arguments: list[str] = ["keys", "ceremony", "Postern", "--to", str(folder)]
    for name, address in addresses.items():
        said = home / f"{name}.passphrase"
        said.touch(mode=0o600)
        said.write_text(WORDS.format(name=name))
        arguments += ["--holder", f"{name}={address}", "--passphrase-file", f"{name}={said}"]
    held = CliRunner().invoke(cli, arguments)
    assert held.exit_code == 0, held.output
    digest = read_ceremony((folder / "ceremony.json").read_bytes()).digest()
    assert digest in (folder / "transcript.txt").read_text()
    for name in addresses:
        checked = CliRunner().invoke(
            cli,
            [
                *("keys", "check-share", str(folder / f"{name}.share.json")),
                *(str(folder / "ceremony.json"), "--passphrase-file"),
                str(home / f"{name}.passphrase"),
            ],
        )
        assert checked.exit_code == 0, checked.output
        assert digest in checked.output
    return folder


def install(app: Flask, home: Path, folder: Path, name: str) -> None:
    """What a holder's administrator does at the console."""
    share, said = folder / f"{name}.share.json", home / f"{name}.passphrase"
    console(app, *("holder", "install", share, folder / "ceremony.json", "--passphrase-file", said))
    assert "phone" in console(app, "holder", "list")
    creating = ("organisations", "create", "police-be", "--name", "Police")
    console(app, *creating, "--sector", "police", "--country", "BE")
    keys = locked("police-be").keys
    entries = home / "police-be.entries.json"
    entries.write_text(json_of(keys.chain))
    console(app, "holder", "admit", entries, "--fingerprint", keys.entry.fingerprint)


def json_of(chain: tuple[SignedEntry, ...]) -> str:
    return json.dumps([each.on_wire() for each in chain])


def phone(ring: Ring, made: Pseudonymiser, number: str) -> Pseudonym:
    value = normalise(Phone(number))
    (found,) = made.pseudonymise([value])
    (facet,) = facets(value)
    element = voprf.blind(evaluation_input(facet, PHONE), r=ONE)[1]
    assert found.facets[0].element == group.mul(ring.key(), element)
    return found


ONE = (1).to_bytes(32, "little")


def test_holders_evaluate_together_and_a_cheat_is_named(ring: Ring) -> None:
    with ring.pseudonymiser() as asking:
        before = phone(ring, asking, "+32 2 555 01 01")
        assert asking.cheating == []

    with ring.pseudonymiser(signs=False) as unsigned, pytest.raises(SignatureNeededError):
        phone(ring, unsigned, "+32 2 555 01 02")

    # Beta evaluates with a share of its own making, and proves that.
    honest = ring.put_share("beta", group.random_scalar())
    with ring.pseudonymiser() as asking:
        assert phone(ring, asking, "+32 2 555 01 01") == before
        assert asking.cheating == ["beta"]

    # Gamma goes: of the two that are left one cheats, and nothing is used.
    ring.running["gamma"].close()
    with ring.pseudonymiser() as asking, pytest.raises(CheatingHoldersError) as cheated:
        phone(ring, asking, "+32 2 555 01 03")
    assert cheated.value.names == ("beta",)
    assert "holder beta" in str(cheated.value)

    # Beta honest again: two of three are enough.
    ring.put_share("beta", honest)
    with ring.pseudonymiser() as asking:
        assert phone(ring, asking, "+32 2 555 01 01") == before
        assert asking.cheating == []

    # One is not, and who is missed is told.
    ring.running["beta"].close()
    with ring.pseudonymiser() as asking, pytest.raises(HoldersMissingError) as missed:
        phone(ring, asking, "+32 2 555 01 04")
    assert "beta, gamma" in str(missed.value)

    # Every holder wrote down for itself what it was asked.
    for app in ring.holders.values():
        with app.app_context(), app.extensions["postern"].database.reading() as session:
            assert len(holder_service.held(session)) == len(EvaluationKind)
            kept = session.execute(
                text("SELECT count(*) FROM audit_entry WHERE act = 'holder.evaluate'")
            ).scalar_one()
            assert kept >= 2
