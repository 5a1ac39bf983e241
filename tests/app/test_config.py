"""Settings are read once; a wrong one refuses the start and names key, value and remedy."""

import tomllib
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from app.config import VARIABLE, Settings, load, read
from app.errors import StartRefusedError
from app.secret_files import read as read_secrets

CONFIG = Path(__file__).parents[2] / "config"
FILES = sorted(CONFIG.glob("*.toml"))


@pytest.fixture
def document() -> dict[str, Any]:
    return tomllib.loads((CONFIG / "test.toml").read_text())


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_settings_file_that_we_ship_is_valid(file: Path) -> None:
    assert load(file).platform.name


def test_there_is_a_settings_file_for_each_environment() -> None:
    assert {file.name for file in FILES} >= {"development.toml", "production.toml", "test.toml"}


@pytest.mark.parametrize(
    ("section", "key", "value", "told"),
    [
        ("database", "url", "mysql://root@db/x", "database.url is 'mysql'. Use sqlite:///"),
        ("database", "pool_size", 0, "database.pool_size is 0. It must be at least 1."),
        ("database", "replica_url", "sqlite:///x", "database.replica_url is 'of a form"),
        ("database", "replica_url", "standby", "database.replica_url is 'without ://'. Write"),
        ("database", "replica_url", "postgresql+psycopg://u@h/x", "Only PostgreSQL has replicas"),
        ("platform", "origin", "example.org", "platform.origin is 'example.org'. Write scheme"),
        ("platform", "origin", "http://x.example/", "without a final slash"),
        ("platform", "origin", "http://x.example/app", "without a final slash, a path or a space"),
        ("platform", "origin", "http://x y.example", "without a final slash, a path or a space"),
        ("platform", "origin", "http://", "platform.origin is 'http://'. Write scheme and host"),
        ("network", "hosts", "https://x.example", "Write hosts as they stand in Host"),
        ("network", "hosts", "x.example,y.example", "separated by a space"),
        ("network", "certificate_header", "Client Cert", "Write the name of a header"),
        ("network", "proxies", "10.0.0.1/8", "network.proxies is '10.0.0.1/8'. Write networks"),
        ("mail", "port", 70_000, "mail.port is 70000. Use 1 to 65535."),
        ("audit", "operator", "The Police", "Write the code of the member that runs"),
        ("holders", "ca_file", "missing.pem", "holders.ca_file is 'missing.pem'. Write the path"),
        ("platform", "secure_cookies", True, "exactly when platform.origin begins with https://"),
        ("platform", "name", 7, "platform.name is 7; it must be of type str."),
        ("log", "format", "xml", "log.format is 'xml'. Use json or console."),
        ("log", "level", "LOUD", "log.level is 'LOUD'. Use DEBUG, INFO, WARNING or ERROR."),
        ("mail", "security", "ssl", "mail.security is 'ssl'. Use starttls, tls or none."),
        ("webhook", "networks", "10.0.0.1/8", "webhook.networks is '10.0.0.1/8'. Write networks"),
        ("webhook", "networks", " ", "webhook.networks is ' '. Write networks as"),
        ("quota", "day", 1, "quota.day is 1. Order them: hour <= day <= month."),
        ("quota", "person_percent", 101, "quota.person_percent is 101. Use 1 to 100."),
        ("quota", "hour", True, "quota.hour is True; it must be of type int."),
        ("quota", "hour", 1.5, "quota.hour is 1.5; it must be of type int."),
        ("retention", "indicator_days", 5000, "must not exceed retention.longest_indicator_days"),
        ("session", "idle_minutes", -1, "session.idle_minutes is -1. It must be at least 1."),
    ],
)
def test_a_wrong_value_names_key_value_and_remedy(
    document: dict[str, Any], section: str, key: str, value: object, told: str
) -> None:
    document[section][key] = value
    with pytest.raises(StartRefusedError) as refusal:
        read(document)
    assert told in str(refusal.value)


@pytest.mark.parametrize("url", ["mysql://user:s3cret@db/x", "s3cret", "postgres:s3cret@db"])
def test_a_wrong_database_address_is_told_without_its_password(
    document: dict[str, Any], url: str
) -> None:
    document["database"]["url"] = url
    with pytest.raises(StartRefusedError, match=r"database\.url") as refusal:
        read(document)
    assert "s3cret" not in str(refusal.value)


@pytest.mark.parametrize(
    "place", ["", "u:s3cret@h:port/x", "u:s3cret@h:5x/x", "u:s3cret@[::1/x", "u:s3cret@h"]
)
def test_a_database_address_that_cannot_be_read_is_told_with_what_to_escape(
    document: dict[str, Any], place: str
) -> None:
    document["database"]["url"] = f"postgresql+psycopg://{place}"
    with pytest.raises(StartRefusedError, match=r"database\.url .*HOST:PORT.* % as %25") as refusal:
        read(document)
    assert "s3cret" not in str(refusal.value)


def test_a_certificate_header_needs_a_proxy_that_is_believed(document: dict[str, Any]) -> None:
    document["network"] |= {"proxies": "", "certificate_header": "Client-Cert"}
    with pytest.raises(StartRefusedError, match=r"name them in network\.proxies"):
        read(document)


def test_secrets_that_are_no_files_refuse_the_start(tmp_path: Path) -> None:
    (tmp_path / "cookies.key").mkdir()
    for directory in (tmp_path, Path(__file__)):
        with pytest.raises(StartRefusedError, match=r"cookies\.key cannot be read \(\w+\). Make"):
            read_secrets(directory)


def test_every_setting_must_be_there(document: dict[str, Any]) -> None:
    for section in fields(Settings):
        for key in list(document[section.name]):
            without = {**document, section.name: dict(document[section.name])}
            del without[section.name][key]
            with pytest.raises(StartRefusedError, match=f"{section.name}.{key} is missing"):
                read(without)
    del document["log"]
    with pytest.raises(StartRefusedError, match="log is missing"):
        read(document)


def test_a_setting_that_does_not_exist_is_refused_with_those_that_do(
    document: dict[str, Any],
) -> None:
    document["log"]["colour"] = "red"
    with pytest.raises(StartRefusedError, match=r"log\.colour is not a setting.*format, level"):
        read(document)
    del document["log"]["colour"]
    document["logs"] = {}
    with pytest.raises(StartRefusedError, match="logs is not a setting"):
        read(document)


def test_a_section_must_be_a_table(document: dict[str, Any]) -> None:
    document["log"] = "json"
    with pytest.raises(StartRefusedError, match=r"log must be a table. Write it as \[log\]"):
        read(document)


def test_a_missing_file_names_the_variable(tmp_path: Path) -> None:
    with pytest.raises(StartRefusedError, match=VARIABLE):
        load(tmp_path / "nowhere.toml")


def test_a_file_that_is_not_toml_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text("[log\n")
    with pytest.raises(StartRefusedError, match="not valid TOML"):
        load(file)


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_bytes(b"\xff\xfe[log]")
    for unreadable in (file, tmp_path):
        with pytest.raises(StartRefusedError, match="cannot be read"):
            load(unreadable)


def test_the_variable_names_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "settings.toml"
    file.write_text((CONFIG / "test.toml").read_text().replace('"Postern"', '"Poterne"'))
    monkeypatch.setenv(VARIABLE, str(file))
    assert load().platform.name == "Poterne"
    monkeypatch.delenv(VARIABLE)
    assert load() == load(CONFIG / "development.toml")
