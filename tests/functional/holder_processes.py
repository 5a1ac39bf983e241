"""A platform and three holders of its keys, each a process with its own database and secrets."""

import dataclasses
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from click.testing import CliRunner
from flask import Flask
from sqlalchemy import text

from app import create_app
from app.config import Settings
from app.pseudonyms.evaluator import SingleKeyEvaluator
from app.secret_files import Sealer
from app.secret_files import create as create_secrets
from postern import group, key_file_form, normalise, threshold, voprf
from postern.cli import cli
from postern.facets import evaluation_input, facets
from postern.holder_share import read_share
from postern.key_sharing import read_ceremony
from postern.vocabulary import EVALUATION_KIND, EvaluationKind
from tests.app.exchange import Exchange, b64, make_exchange
from tests.conftest import settings_for
from tests.functional.server_process import Servers, servers
from tests.functional.serving import PATIENCE
from tests.postern.premises import locked

NAMES = ("alpha", "beta", "gamma")
MEMBERS = ("police-de", "post-be")
"""Who may ask the holders; the exchange has others, who may not."""
PHONE = EvaluationKind.PHONE
_WORDS = "cobalt ferry lantern marble twig {name}"
_ONE = (1).to_bytes(32, "little")


@dataclasses.dataclass
class Ring:
    """The processes; `exchange` is what the platform holds, `folder` what the ceremony left."""

    home: Path
    address: str
    platform: Flask
    exchange: Exchange
    holders: dict[str, Flask]
    addresses: dict[str, str]
    servers: Servers
    folder: Path

    def stop(self, name: str) -> None:
        """End the process of a holder."""
        self.servers.stop(self.addresses[name])

    def start(self, name: str) -> None:
        """Begin it again at its address."""
        settings = self.holders[name].extensions["postern"].settings
        self.servers.start(settings, self.home / name / "settings.toml", self.addresses[name])

    def restart(self, name: str) -> None:
        """Have the process of a holder run, whatever went before."""
        if self.servers.is_running(self.addresses[name]):
            self.stop(name)
        self.start(name)

    def key(self, kind: EvaluationKind = PHONE) -> bytes:
        """The whole key of epoch 1, which exists nowhere but in this test."""
        ceremony = read_ceremony((self.folder / "ceremony.json").read_bytes())
        shares = {}
        for name in NAMES[:2]:
            file = key_file_form.read(self.folder / f"{name}.share.json")
            opened = read_share(file, _WORDS.format(name=name), ceremony)
            shares[opened.number] = opened.shares[kind]
        evaluator = self.platform.extensions["postern"].part(SingleKeyEvaluator)
        total = int.from_bytes(evaluator.secret_key(kind, 1), "little")
        for number, weight in threshold.weights((1, 2)).items():
            total += int.from_bytes(group.scalar_mul(weight, shares[number]), "little")
        return (total % group.L).to_bytes(32, "little")

    def elements(self, value: normalise.Value, key: bytes) -> list[tuple[int, bytes]]:
        """Facet numbers and elements of a value under the whole key."""
        normalised = normalise.normalise(value)
        kind = EVALUATION_KIND[normalised.kind]
        return [
            (each.number, group.mul(key, voprf.blind(evaluation_input(each, kind), r=_ONE)[1]))
            for each in facets(normalised)
        ]

    def indicator(self, value: normalise.Value, key: bytes) -> dict[str, object]:
        """A value of epoch 1 as it is submitted."""
        elements = [
            {"facet": facet, "element": b64(each)} for facet, each in self.elements(value, key)
        ]
        made: dict[str, object] = self.exchange.indicator(value, elements=elements)
        return made

    def put_share(self, name: str, share: bytes, kind: EvaluationKind = PHONE) -> bytes:
        """Have a holder evaluate with another share of epoch 1; gives the bytes it had."""
        runtime = self.holders[name].extensions["postern"]
        context = f"postern/held-share/v1/{kind.value}/1".encode()
        sealer = Sealer(runtime.secrets.vault)
        of_kind = {"kind": kind.value}
        with runtime.database.engine.begin() as connection:
            found = connection.execute(
                text("SELECT sealed FROM held_share WHERE kind = :kind AND epoch = 1"), of_kind
            ).scalar_one()
            connection.execute(
                text("UPDATE held_share SET sealed = :sealed WHERE kind = :kind AND epoch = 1"),
                {"sealed": sealer.seal(share, context), **of_kind},
            )
        return sealer.open(bytes(found), context)


@contextmanager
def opened_ring(home: Path, template: Path) -> Iterator[Ring]:
    """The processes after a ceremony, with the exchange of the tests on the platform."""
    of_platform = of_settings(home / "platform", template, "platform")
    with servers(of_platform, home / "platform" / "first.toml") as begun:
        holders: dict[str, Flask] = {}
        addresses: dict[str, str] = {}
        for name in NAMES:
            settings = of_settings(home / name, template, "holder")
            addresses[name] = begun.start(settings, home / name / "settings.toml")
            holders[name] = made(settings)
        folder = hold_ceremony(home, addresses)
        for name, app in holders.items():
            install(app, home, folder, name)
        platform = made(of_platform)
        console(platform, "keys", "share", folder / "ceremony.json")
        exchange = make_exchange(platform)
        address = begun.start(of_platform, home / "platform" / "settings.toml")
        yield Ring(home, address, platform, exchange, holders, addresses, begun, folder)
        for app in (platform, *holders.values()):
            app.extensions["postern"].database.dispose()


def of_settings(home: Path, template: Path, mode: str) -> Settings:
    home.mkdir()
    create_secrets(home / "secrets")
    shutil.copyfile(template, home / "postern.sqlite3")
    settings = settings_for(f"sqlite:///{home}/postern.sqlite3", home / "secrets")
    return dataclasses.replace(
        settings,
        platform=dataclasses.replace(settings.platform, mode=mode),
        # Who is stopped refuses at once; who is slow on a busy machine is not away.
        holders=dataclasses.replace(settings.holders, seconds=PATIENCE),
    )


def made(settings: Settings) -> Flask:
    app = create_app(settings)
    app.testing = False
    return app


def console(app: Flask, *arguments: object) -> str:
    """What a command of an administrator says."""
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
        said.write_text(_WORDS.format(name=name))
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
    for code in MEMBERS:
        creating = ("organisations", "create", code, "--name", code, "--sector", "police")
        console(app, *creating, "--country", "BE")
        keys = locked(code).keys
        entries = home / f"{code}.entries.json"
        entries.write_text(json.dumps([each.on_wire() for each in keys.chain]))
        console(app, "holder", "admit", entries, "--fingerprint", keys.entry.fingerprint)
