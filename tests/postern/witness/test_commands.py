"""The command `postern witness`, with a platform in memory."""

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from postern.cli import cli
from postern.client_errors import PlatformUnreachableError
from postern.commands import witness as commands
from postern.tlog.hashing import leaf_hash
from postern.tlog.notes import Signature, SigningKey, VerifierKey
from postern.tlog.witnessing import AddCheckpoint
from postern.witness.platform import LogKeys, LogPlatform
from postern.witness.state import Store
from tests.postern.tlog.vectors import LOG, numbered
from tests.postern.witness.conftest import ORIGIN, SignedLog

NEXT = SigningKey(ORIGIN, b"n" * 32)


class Platform(LogPlatform):
    """One log, and what was handed in."""

    def __init__(self, log: SignedLog) -> None:
        self.log = log
        self.keys_told: tuple[VerifierKey, ...] = (LOG.verifier,)
        self.cosigned: list[int] = []
        self.registered: list[VerifierKey] = []
        self.accused: list[list[bytes]] = []
        self.is_away = False

    def keys(self) -> LogKeys:
        return LogKeys(ORIGIN, self.keys_told)

    def pending(self, old: int) -> AddCheckpoint:
        return self.log.request(old)

    def cosign(self, line: Signature, size: int) -> None:
        self.cosigned.append(size)

    def accuse(self, notes: Sequence[bytes]) -> str:
        if self.is_away:
            raise PlatformUnreachableError("it is away")
        self.accused.append(list(notes))
        return "split-view"

    def register(self, key: VerifierKey) -> None:
        self.registered.append(key)


class Machine:
    """A machine with settings, a token and whatever witness was made on it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.store = Store(home / "config.witness")

    def run(self, *arguments: str, typed: str = "") -> Result:
        options = ["--config", str(self.home / "config.toml"), "witness", *arguments]
        return CliRunner().invoke(cli, options, input=typed)

    def init(self, *options: str, typed: str = "y\n") -> Result:
        return self.run("init", "--name", "police.example/witness", *options, typed=typed)


@pytest.fixture
def platform(log: SignedLog, monkeypatch: pytest.MonkeyPatch) -> Platform:
    made = Platform(log)

    @contextmanager
    def connected(_chosen: object) -> Iterator[Platform]:
        yield made

    monkeypatch.setattr(commands, "_platform", connected)
    return made


@pytest.fixture
def machine(tmp_path: Path, platform: Platform) -> Machine:
    return Machine(tmp_path)


def forged() -> SignedLog:
    return SignedLog([*numbered(9), leaf_hash(b"forged")])


def test_the_key_of_the_log_is_shown_and_pinned_when_it_is_confirmed(machine: Machine) -> None:
    result = machine.init()
    assert result.exit_code == 0
    assert str(LOG.verifier) in result.stderr
    assert str(machine.store.key().verifier) in result.stdout
    (watched,) = machine.store.all_watched()
    assert (watched.origin, watched.keys, watched.size) == (ORIGIN, (LOG.verifier,), 0)


def test_a_key_that_is_not_confirmed_makes_no_witness(machine: Machine) -> None:
    assert machine.init(typed="n\n").exit_code == 1
    assert not machine.store.directory.exists()


def test_a_key_that_was_told_by_another_channel_needs_no_question(
    machine: Machine, platform: Platform
) -> None:
    result = machine.init("--log-key", str(LOG.verifier), "--register", typed="")
    assert result.exit_code == 0
    assert platform.registered == [machine.store.key().verifier]


@pytest.mark.parametrize("pinned", [NEXT, SigningKey("other.example/audit", b"n" * 32)])
def test_a_platform_with_another_key_is_refused(machine: Machine, pinned: SigningKey) -> None:
    result = machine.init("--log-key", str(pinned.verifier))
    assert result.exit_code == 1
    assert "another key" in result.stderr
    assert machine.init("--log-key", "no key").exit_code == 2


def test_a_log_that_was_never_signed_cannot_be_pinned_unseen(
    machine: Machine, platform: Platform
) -> None:
    platform.keys_told = ()
    assert "has not been signed" in machine.init().stderr
    assert machine.init("--log-key", str(LOG.verifier)).exit_code == 0


def test_a_round_cosigns_and_status_tells_of_it(machine: Machine, platform: Platform) -> None:
    machine.init()
    assert "nothing cosigned yet" in machine.run("status").stdout
    result = machine.run("cosign")
    assert (result.exit_code, platform.cosigned) == (0, [10])
    assert "cosigned 10 entries" in result.stdout
    assert "nothing new" in machine.run("cosign").stderr
    assert "10 entries cosigned" in machine.run("status").stdout
    told = json.loads(machine.run("status", "--json").stdout)
    assert told["logs"][0]["size"] == 10
    assert told["evidence"] == []


def test_without_a_witness_the_command_says_how_to_make_one(machine: Machine) -> None:
    for command in ("cosign", "run", "serve", "status"):
        result = machine.run(command)
        assert result.exit_code == 1
        assert "postern witness init" in result.stderr


def test_a_contradiction_is_loud_and_told_once_to_command_and_platform(
    machine: Machine, platform: Platform
) -> None:
    machine.init()
    machine.run("cosign")
    honest, platform.log = platform.log.note(), forged()
    script = "import sys, pathlib; pathlib.Path(sys.argv[1], 'ran').write_text(sys.argv[2])"
    command = f'{sys.executable} -c "{script}" {machine.home}'
    for _ in range(2):
        result = machine.run("cosign", "--alarm-command", command)
        assert result.exit_code == 3
        assert "ALARM" in result.stderr
        assert "NOT cosigned" in result.stderr
    assert platform.accused == [[honest, platform.log.note()]]
    assert platform.cosigned == [10]
    (kept,) = machine.store.evidence()
    assert (machine.home / "ran").read_text() == str(kept.path)
    status = machine.run("status")
    assert status.exit_code == 3
    assert str(kept.path) in status.stdout


def test_an_alarm_stays_an_alarm_when_telling_it_fails(
    machine: Machine, platform: Platform
) -> None:
    machine.init()
    machine.run("cosign")
    platform.log, platform.is_away = forged(), True
    result = machine.run("run", "--alarm-command", "no-such-program-at-all")
    assert result.exit_code == 3
    assert "The alarm command failed" in result.stderr
    assert "Reporting to the platform failed" in result.stderr
    assert len(machine.store.evidence()) == 1


def test_a_replaced_key_is_pinned_beside_the_old_one(machine: Machine, platform: Platform) -> None:
    machine.init()
    machine.run("cosign")
    assert machine.run("trust", str(NEXT.verifier)).exit_code == 0
    (watched,) = machine.store.all_watched()
    assert (watched.keys, watched.size) == ((LOG.verifier, NEXT.verifier), 10)
    platform.log = SignedLog(numbered(12), NEXT)
    assert machine.run("cosign").exit_code == 0
    assert platform.cosigned == [10, 12]
    stranger = SigningKey("other.example/audit", b"n" * 32)
    assert machine.run("trust", str(stranger.verifier)).exit_code == 1


@pytest.mark.parametrize("listen", ["7380", "127.0.0.1:", "127.0.0.1:99999", ":7380"])
def test_an_address_to_listen_at_must_be_one(machine: Machine, listen: str) -> None:
    machine.init()
    assert machine.run("serve", "--listen", listen).exit_code == 2
