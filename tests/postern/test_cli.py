"""The command line: setting up, checking, keys, and how errors are told."""

import json
import stat
from datetime import timedelta

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from postern import __version__
from postern.cli import cli
from postern.commands import check as check_module
from postern.vocabulary import EvaluationKind
from tests.postern.conftest import Desk
from tests.postern.loopback_platform import LoopbackPlatform, Reply, now, problem, serving

KEYS = "/.well-known/postern-keys.json"
ME = "/api/v1/me"


def findings(desk: Desk) -> dict[str, tuple[str, str]]:
    told = json.loads(desk.run("check", "--json").stdout)
    return {each["part"]: (each["verdict"], each["words"]) for each in told}


def test_help_and_version_need_no_settings(bare_desk: Desk) -> None:
    for arguments in (["--help"], ["submit", "--help"], ["lookup", "-h"], ["keys", "--help"]):
        result = bare_desk.run(*arguments)
        assert result.exit_code == 0
        assert "Usage: " in result.stdout
    assert __version__ in bare_desk.run("--version").stdout


def test_init_pins_what_the_fingerprint_names(bare_desk: Desk, platform: LoopbackPlatform) -> None:
    result = bare_desk.run(
        *("init", "--address", platform.address, "--token-file", bare_desk.token_file),
        *("--fingerprint", platform.fingerprint.lower().replace("-", " ")),
    )
    assert result.exit_code == 0, result.output
    assert platform.fingerprint in result.stdout
    assert stat.S_IMODE(bare_desk.config.stat().st_mode) == 0o600
    assert {verdict for verdict, _ in findings(bare_desk).values()} == {"good"}


def test_init_asks_to_compare_the_fingerprint(bare_desk: Desk, platform: LoopbackPlatform) -> None:
    arguments = ("init", "--address", platform.address, "--token-file", bare_desk.token_file)
    refused = bare_desk.run(*arguments, typed="n\n")
    assert refused.exit_code == 1
    assert platform.fingerprint in refused.output
    assert not bare_desk.config.exists()
    accepted = bare_desk.run(*arguments, typed="y\n")
    assert accepted.exit_code == 0
    assert bare_desk.config.exists()


def test_init_without_an_answer_pins_nothing(bare_desk: Desk, platform: LoopbackPlatform) -> None:
    result = bare_desk.run(
        "init", "--address", platform.address, "--token-file", bare_desk.token_file
    )
    assert result.exit_code == 1
    assert not list(bare_desk.home.glob("config*"))


def test_init_refuses_another_fingerprint(bare_desk: Desk, platform: LoopbackPlatform) -> None:
    result = bare_desk.run(
        *("init", "--address", platform.address, "--token-file", bare_desk.token_file),
        *("--fingerprint", "AAAA-BBBB"),
    )
    assert result.exit_code == 1
    assert "AAAA-BBBB is pinned" in result.stderr
    assert not bare_desk.config.exists()


def test_init_replaces_settings_only_when_told(desk: Desk, platform: LoopbackPlatform) -> None:
    arguments = (
        *("init", "--address", platform.address, "--token-file", desk.token_file),
        *("--fingerprint", platform.fingerprint),
    )
    result = desk.run(*arguments)
    assert result.exit_code == 1
    assert "--replace" in result.stderr
    assert desk.run(*arguments, "--replace").exit_code == 0


def test_an_address_without_tls_is_refused(bare_desk: Desk) -> None:
    result = bare_desk.run(
        "init", "--address", "http://platform.example", "--token-file", bare_desk.token_file
    )
    assert result.exit_code == 1
    assert "https://" in result.stderr


def test_a_token_file_that_others_may_read_is_refused(
    bare_desk: Desk, platform: LoopbackPlatform
) -> None:
    bare_desk.token_file.chmod(0o644)
    result = bare_desk.run(
        "init", "--address", platform.address, "--token-file", bare_desk.token_file
    )
    assert result.exit_code == 1
    assert "chmod 600" in result.stderr
    assert not platform.calls


def test_check_says_that_all_is_well(desk: Desk) -> None:
    result = desk.run("check")
    assert result.exit_code == 0
    assert "Post of Example (post-be)" in result.stdout
    assert "evaluate, lookups:write, reports:write" in result.stdout
    assert "7 key epochs of Loopback" in result.stdout


@pytest.mark.parametrize(
    ("ahead", "words"),
    [(timedelta(hours=3), "3 h 0 min behind"), (timedelta(minutes=-5), "ahead of")],
)
def test_check_warns_of_a_wrong_clock(
    desk: Desk, platform: LoopbackPlatform, ahead: timedelta, words: str
) -> None:
    platform.date = ahead + timedelta(seconds=20)
    verdict, told = findings(desk)["clock"]
    assert verdict == "warning"
    assert words in told
    assert "NTP" in told
    assert desk.run("check").exit_code == 0


def test_a_clock_that_is_a_little_off_is_good(desk: Desk, platform: LoopbackPlatform) -> None:
    platform.date = check_module.LARGEST_SKEW - timedelta(seconds=30)
    assert findings(desk)["clock"][0] == "good"


def test_check_warns_of_a_token_that_ends_soon(desk: Desk, platform: LoopbackPlatform) -> None:
    platform.me["expires_at"] = (now() + timedelta(days=3)).isoformat()
    assert findings(desk)["token"][0] == "warning"
    platform.me["expires_at"] = None
    assert findings(desk)["token"][0] == "good"


def test_check_says_what_is_wrong_with_the_token(desk: Desk, platform: LoopbackPlatform) -> None:
    platform.replies[ME] = [problem(401, "sign-in-needed")]
    result = desk.run("check")
    assert result.exit_code == 1
    assert "expired or revoked" in result.stdout


def test_check_says_that_the_platform_is_away(desk: Desk, platform: LoopbackPlatform) -> None:
    platform.replies[KEYS] = [Reply(503, b"")]
    result = desk.run("check")
    assert result.exit_code == 1
    assert "FAIL platform" in result.stdout


def test_check_says_that_the_keys_changed(desk: Desk, platform: LoopbackPlatform) -> None:
    platform.directory_key = Ed25519PrivateKey.generate()
    verdict, words = findings(desk)["keys"]
    assert verdict == "bad"
    assert "postern keys accept" in words


def test_keys_are_shown(desk: Desk, platform: LoopbackPlatform) -> None:
    result = desk.run("keys", "show")
    assert result.exit_code == 0
    assert platform.fingerprint in result.stdout
    assert "postal" in result.stdout


def test_a_change_of_keys_is_accepted_under_its_fingerprint_only(
    desk: Desk, platform: LoopbackPlatform
) -> None:
    before = platform.fingerprint
    platform.directory_key = Ed25519PrivateKey.generate()
    wrong = desk.run("keys", "accept", "--fingerprint", before)
    assert wrong.exit_code == 1
    right = desk.run("keys", "accept", "--fingerprint", platform.fingerprint)
    assert right.exit_code == 0
    assert before in right.stderr
    assert findings(desk)["keys"][0] == "good"


def test_an_epoch_that_was_taken_back_is_accepted_by_a_person_only(
    desk: Desk, platform: LoopbackPlatform
) -> None:
    platform.published[EvaluationKind.PHONE] = 2
    assert findings(desk)["keys"][0] == "good"
    platform.published[EvaluationKind.PHONE] = 1
    assert findings(desk)["keys"][0] == "bad"
    accepted = desk.run("keys", "accept", "--fingerprint", platform.fingerprint)
    assert accepted.exit_code == 0
    assert "vanished" in accepted.stderr
    assert findings(desk)["keys"][0] == "good"


def test_missing_settings_say_how_to_make_them(bare_desk: Desk) -> None:
    result = bare_desk.run("check")
    assert result.exit_code == 1
    assert "postern init" in result.stderr


def test_a_platform_that_is_down_is_one_sentence_and_a_remedy(
    bare_desk: Desk,
) -> None:
    with serving(LoopbackPlatform()) as gone:
        address = gone.address
    result = bare_desk.run("init", "--address", address, "--token-file", bare_desk.token_file)
    assert result.exit_code == 1
    assert "refuses connections" in result.stderr
    assert "Traceback" not in result.output


def test_something_else_at_the_address_is_told(bare_desk: Desk, platform: LoopbackPlatform) -> None:
    platform.replies[KEYS] = [Reply(404, b"<html>Not found</html>")]
    result = bare_desk.run(
        "init", "--address", platform.address, "--token-file", bare_desk.token_file
    )
    assert result.exit_code == 1
    assert "does not answer like a Postern platform" in result.stderr


def test_what_should_never_happen_shows_a_place_and_no_value(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise RuntimeError("Jan de Vries")

    monkeypatch.setattr(check_module, "findings", fails)
    result = desk.run("check")
    assert result.exit_code == 1
    assert "RuntimeError at test_cli.py:" in result.stderr
    assert "Jan" not in result.output


def test_an_interrupt_has_its_own_exit_code(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(check_module, "findings", interrupted)
    result = desk.run("check")
    assert result.exit_code == 130
    assert "run the same command again" in result.stderr


def test_a_settings_file_may_be_named(bare_desk: Desk, platform: LoopbackPlatform) -> None:
    other = bare_desk.home / "other.toml"
    result = bare_desk.run(
        *("--config", other, "init", "--address", platform.address),
        *("--token-file", bare_desk.token_file, "--fingerprint", platform.fingerprint),
    )
    assert result.exit_code == 0
    assert (bare_desk.home / "other.keys.json").exists()
    runner = CliRunner()
    assert runner.invoke(cli, ["--config", str(other), "check"]).exit_code == 0
