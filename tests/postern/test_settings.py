import stat
from pathlib import Path

import pytest

from postern.client_errors import TokenFileError
from postern.settings import (
    VARIABLE,
    SettingsError,
    load,
    pin_file_of,
    read_token,
    settings_file,
    write,
)
from postern.vocabulary import Learned, LegalBasis, PermittedAction, Purpose, Tlp

PLATFORM = '[platform]\naddress = "https://platform.example"\ntoken_file = "token"\n'


def settings_of(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(text)
    return path


def test_what_is_written_is_read_and_private(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "config.toml"
    token_file = tmp_path / 'tok"en\\'
    write(path, address="https://platform.example", token_file=token_file, ca_file=None)
    settings = load(path)
    assert settings.address == "https://platform.example"
    assert settings.token_file == token_file
    assert settings.ca_file is None
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_an_authority_file_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    write(path, address="https://p.example", token_file=Path("t"), ca_file=tmp_path / "ca.pem")
    assert load(path).ca_file == tmp_path / "ca.pem"


def test_every_default_is_read(tmp_path: Path) -> None:
    path = settings_of(
        tmp_path,
        PLATFORM + '[defaults]\npurpose = "parcel_screening"\nlegal_basis = "postal_law"\n'
        'learned = "xray"\ncase = "C-1"\ntlp = "RED"\npermitted_action = "watch"\n'
        'operator = "Post"\ncountry = "be"\n',
    )
    defaults = load(path).defaults
    assert defaults.purpose is Purpose.PARCEL_SCREENING
    assert defaults.legal_basis is LegalBasis.POSTAL_LAW
    assert defaults.learned is Learned.XRAY
    assert defaults.tlp is Tlp.RED
    assert defaults.permitted_action is PermittedAction.WATCH
    assert (defaults.case, defaults.operator, defaults.country) == ("C-1", "Post", "be")


def test_names_of_files_are_relative_to_the_settings(tmp_path: Path) -> None:
    path = settings_of(tmp_path, PLATFORM)
    assert load(path).token_file == tmp_path / "token"
    assert load(path).pin_file == pin_file_of(path) == tmp_path / "config.keys.json"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("address =", "not valid TOML"),
        ('[platform]\ntoken_file = "t"\n', "platform.address is missing"),
        ('[platform]\naddress = "https://p.example"\n', "platform.token_file is missing"),
        (PLATFORM.replace("https", "http"), "platform.address"),
        (PLATFORM + 'colour = "red"\n', "platform.colour"),
        (PLATFORM + "[other]\n", "other is not a section"),
        ("platform = 1\n", "platform in"),
        (PLATFORM + "[defaults]\ncase = 1\n", "defaults.case"),
        (PLATFORM + '[defaults]\ncase = " "\n', "defaults.case"),
        (PLATFORM + '[defaults]\npurpose = "fun"\n', "Use one of: parcel_screening"),
    ],
)
def test_a_wrong_setting_names_the_key_and_the_remedy(
    tmp_path: Path, text: str, words: str
) -> None:
    with pytest.raises(SettingsError, match=words):
        load(settings_of(tmp_path, text))


def test_a_missing_file_says_how_to_make_it(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="postern init"):
        load(tmp_path / "none.toml")
    with pytest.raises(SettingsError, match="cannot be read"):
        load(tmp_path)


def test_the_environment_names_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "elsewhere.toml")
    assert settings_file() == Path("elsewhere.toml")
    monkeypatch.delenv(VARIABLE)
    monkeypatch.setenv("XDG_CONFIG_HOME", "base")
    assert settings_file() == Path("base/postern/config.toml")
    monkeypatch.delenv("XDG_CONFIG_HOME")
    assert settings_file() == Path.home() / ".config/postern/config.toml"


def test_a_token_is_read_without_its_line_end(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("pst_abc\n")
    file.chmod(0o600)
    assert read_token(file) == "pst_abc"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_token_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    file = tmp_path / "token"
    file.write_text("pst_abc\n")
    file.chmod(mode)
    with pytest.raises(TokenFileError, match="chmod 600") as caught:
        read_token(file)
    assert "pst_abc" not in str(caught.value)


@pytest.mark.parametrize("content", ["", "two words", "two\nlines", "x" * 600, "tökén"])
def test_a_file_that_is_no_token_is_refused(tmp_path: Path, content: str) -> None:
    file = tmp_path / "token"
    file.write_text(content)
    file.chmod(0o600)
    with pytest.raises(TokenFileError) as caught:
        read_token(file)
    assert not content or content not in str(caught.value)


def test_a_missing_token_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(TokenFileError, match="No such file"):
        read_token(tmp_path / "none")
