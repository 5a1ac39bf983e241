"""The settings of the client: one TOML file on the organisation's own machine.

It names the platform, the file with the token, and what is the same for every run. Every key is
described in docs/client.md.
"""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

from postern.audit.receipts import ReceiptFile
from postern.client_errors import AddressRefusedError, ClientError, TokenFileError
from postern.private_files import others_may_read, write_private
from postern.transport import checked_address
from postern.vocabulary import Learned, LegalBasis, PermittedAction, Purpose, Tlp

VARIABLE = "POSTERN_CONFIG_FILE"
"""The environment variable that names the settings file."""

LONGEST_CASE = 128  # characters

Word = TypeVar("Word", bound=StrEnum)

_LONGEST_TOKEN = 512  # characters
_PINS = ".keys.json"
_PLATFORM = {"address", "token_file", "ca_file", "client_certificate", "client_key"}
_SECTIONS = {"platform", "keys", "defaults", "servers"}


class SettingsError(ClientError):
    """The settings file is missing or wrong; the message names the key and the remedy."""


@dataclass(frozen=True, slots=True)
class Defaults:
    """What holds when an option is not given. `country` and `operator` describe the own network."""

    purpose: Purpose | None = None
    legal_basis: LegalBasis | None = None
    learned: Learned | None = None
    case: str | None = None
    tlp: Tlp | None = None
    permitted_action: PermittedAction | None = None
    operator: str | None = None
    country: str | None = None


@dataclass(frozen=True, slots=True)
class OwnKeys:
    """Where the organisation's key file is, and who opens it with which passphrase file."""

    file: Path | None = None
    member: str | None = None
    passphrase_file: Path | None = None


@dataclass(frozen=True, slots=True)
class ClientSettings:
    """Where the platform is, what the client shows it, and the defaults of a run.

    `client_certificate` and `client_key` are shown in TLS, to platforms that bind a token to them.
    `servers` are other TAXII servers by name, as they stand (`postern.taxii.servers` reads them).
    """

    address: str
    token_file: Path
    ca_file: Path | None
    pin_file: Path
    defaults: Defaults
    keys: OwnKeys = OwnKeys()
    servers: Mapping[str, Any] = field(default_factory=dict)
    client_certificate: Path | None = None
    client_key: Path | None = None

    @property
    def certificate(self) -> tuple[Path, Path | None] | None:
        """The own TLS certificate and the file of its key, None where there is none."""
        if self.client_certificate is None:
            return None
        return self.client_certificate, self.client_key


def settings_file() -> Path:
    """Where the settings are: $POSTERN_CONFIG_FILE, else ~/.config/postern/config.toml."""
    named = os.environ.get(VARIABLE)
    if named:
        return Path(named)
    base = os.environ.get("XDG_CONFIG_HOME")
    return (Path(base) if base else Path.home() / ".config") / "postern" / "config.toml"


def load(path: Path) -> ClientSettings:
    """The settings in a file; names of files in it are relative to it. Raises SettingsError."""
    try:
        with path.open("rb") as file:
            document = tomllib.load(file)
    except FileNotFoundError:
        raise SettingsError(
            f"There is no settings file {path}. Make it with `postern init`, or name another with "
            f"--config or {VARIABLE}."
        ) from None
    except OSError as error:
        raise SettingsError(
            f"The settings file {path} cannot be read: {error.strerror}. Correct its permissions."
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} is not valid TOML: {error}. Correct it.") from None
    return _read(document, path)


def write(
    path: Path,
    *,
    address: str,
    token_file: Path,
    ca_file: Path | None,
    client_certificate: Path | None = None,
    client_key: Path | None = None,
) -> None:
    """Write new settings, mode 0600, with the defaults as comments to fill in. Raises OSError."""
    lines = [
        "# Settings of the command postern. Every key is described in docs/client.md.",
        "[platform]",
        f"address = {_quoted(address)}",
        f"token_file = {_quoted(str(token_file.absolute()))}",
    ]
    for name, file in (
        ("ca_file", ca_file),
        ("client_certificate", client_certificate),
        ("client_key", client_key),
    ):
        if file:
            lines.append(f"{name} = {_quoted(str(file.absolute()))}")
    lines += [
        "",
        "# Your organisation's key file (`postern keys new`): what you submit is sealed to it.",
        "[keys]",
        '# file = "keys.json"',
        '# member = "dispatch"',
        '# passphrase_file = "passphrase"',
        "",
        "# What holds when the option of the same name is not given.",
        "[defaults]",
        '# purpose = "parcel_screening"',
        '# legal_basis = "postal_law"',
        '# learned = "carrier_record"',
        '# case = "CASE-REFERENCE"',
        '# tlp = "AMBER"',
        '# permitted_action = "know"',
        '# operator = "name of the network, for induction points"',
        '# country = "be"',
        "",
    ]
    write_private(path, "\n".join(lines))


def pin_file_of(settings_path: Path) -> Path:
    """The file beside the settings that remembers the platform's keys."""
    return settings_path.with_suffix(_PINS)


def receipts_of(settings: "ClientSettings") -> ReceiptFile:
    """The receipts of acts at the platform, kept beside the settings."""
    name = settings.pin_file.name.removesuffix(_PINS)
    return ReceiptFile(settings.pin_file.with_name(f"{name}.receipts.jsonl"))


def organisations_of(settings: "ClientSettings") -> Path:
    """The file beside the settings with the keys of other organisations that are pinned."""
    name = settings.pin_file.name.removesuffix(_PINS)
    return settings.pin_file.with_name(f"{name}.organisations.json")


def mirror_of(settings: "ClientSettings") -> Path:
    """The directory beside the settings with the own copy of the platform's log."""
    return settings.pin_file.with_name(f"{settings.pin_file.name.removesuffix(_PINS)}.audit")


def filter_of(settings: "ClientSettings") -> Path:
    """The file beside the settings with the token filter that was fetched last."""
    return settings.pin_file.with_name(f"{settings.pin_file.name.removesuffix(_PINS)}.filter")


def token_cache_of(settings: "ClientSettings") -> tuple[Path, Path]:
    """The files beside the settings with the cache of tokens, and with its key."""
    name = settings.pin_file.name.removesuffix(_PINS)
    place = settings.pin_file
    return place.with_name(f"{name}.tokens.sqlite"), place.with_name(f"{name}.tokens.key")


def received_folder_of(settings: "ClientSettings") -> Path:
    """The folder beside the settings with what was received from collections of others."""
    return settings.pin_file.with_name(f"{settings.pin_file.name.removesuffix(_PINS)}.received")


def pushed_file_of(settings: "ClientSettings") -> Path:
    """The file beside the settings that says which objects of others became which reports."""
    return settings.pin_file.with_name(f"{settings.pin_file.name.removesuffix(_PINS)}.pushed.jsonl")


def read_token(path: Path) -> str:
    """The API token in a file that only its owner may read. Raises TokenFileError."""
    try:
        if others_may_read(path):
            raise TokenFileError(
                f"Others may read the token file {path}. Run `chmod 600` on it; if others were on "
                "this machine, ask for a new token."
            )
        with path.open(encoding="ascii") as file:
            text = file.read(_LONGEST_TOKEN + 1).strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it holds more than ASCII"
        raise TokenFileError(
            f"The token file {path} cannot be read: {reason}. Put the token that your "
            "administrator gave you into it, alone."
        ) from None
    if not text or len(text) > _LONGEST_TOKEN or any(not "!" <= each <= "~" for each in text):
        raise TokenFileError(
            f"The token file {path} does not hold one token. Put the token that your administrator "
            "gave you into it, alone."
        )
    return text


def _read(document: Mapping[str, Any], path: Path) -> ClientSettings:
    for name in document:
        if name not in _SECTIONS:
            raise SettingsError(
                f"{name} is not a section of {path}. Remove it, or use [platform], [keys], "
                "[defaults] and [servers.NAME]."
            )
    platform = _section(document, "platform", _PLATFORM, path)
    if platform.get("client_key") and not platform.get("client_certificate"):
        raise SettingsError(
            f"platform.client_key in {path} needs platform.client_certificate beside it. Add it."
        )
    ca_file = platform.get("ca_file")
    try:
        address = checked_address(_needed(platform, "address", path))
    except AddressRefusedError as error:
        raise SettingsError(f"platform.address in {path}: {error}") from None
    known = {each.name for each in fields(Defaults)}
    keys = _section(document, "keys", {each.name for each in fields(OwnKeys)}, path)
    return ClientSettings(
        address=address,
        token_file=path.parent / Path(_needed(platform, "token_file", path)).expanduser(),
        ca_file=_file_beside(ca_file, path),
        pin_file=pin_file_of(path),
        defaults=_defaults(_section(document, "defaults", known, path), path),
        keys=OwnKeys(
            file=_file_beside(keys.get("file"), path),
            member=keys.get("member"),
            passphrase_file=_file_beside(keys.get("passphrase_file"), path),
        ),
        servers=document.get("servers", {}),
        client_certificate=_file_beside(platform.get("client_certificate"), path),
        client_key=_file_beside(platform.get("client_key"), path),
    )


def _file_beside(name: str | None, path: Path) -> Path | None:
    return path.parent / Path(name).expanduser() if name else None


def _section(document: Mapping[str, Any], name: str, known: set[str], path: Path) -> dict[str, str]:
    section = document.get(name, {})
    if not isinstance(section, dict):
        raise SettingsError(f"{name} in {path} is no section. Write it as [{name}].")
    for key, value in section.items():
        if key not in known:
            raise SettingsError(
                f"{name}.{key} in {path} is not a setting. Remove it, or use one of: "
                f"{', '.join(sorted(known))}."
            )
        if not isinstance(value, str):
            raise SettingsError(f"{name}.{key} in {path} is no text. Write it in quotation marks.")
    return section


def _needed(section: Mapping[str, str], key: str, path: Path) -> str:
    found = section.get(key)
    if not found:
        raise SettingsError(
            f"platform.{key} is missing in {path}. Add it, or run `postern init --replace`."
        )
    return found


def _defaults(section: Mapping[str, str], path: Path) -> Defaults:
    case = section.get("case")
    if case is not None and not 1 <= len(case.strip()) <= LONGEST_CASE:
        raise SettingsError(
            f"defaults.case in {path} is empty or longer than {LONGEST_CASE} characters. Write the "
            "reference of the case file."
        )
    return Defaults(
        purpose=_word(section, "purpose", Purpose, path),
        legal_basis=_word(section, "legal_basis", LegalBasis, path),
        learned=_word(section, "learned", Learned, path),
        case=case,
        tlp=_word(section, "tlp", Tlp, path),
        permitted_action=_word(section, "permitted_action", PermittedAction, path),
        operator=section.get("operator"),
        country=section.get("country"),
    )


def _word(section: Mapping[str, str], key: str, words: type[Word], path: Path) -> Word | None:
    text = section.get(key)
    if text is None:
        return None
    try:
        return words(text)
    except ValueError:
        raise SettingsError(
            f"defaults.{key} in {path} is not a known word. Use one of: {', '.join(words)}."
        ) from None


def _quoted(text: str) -> str:
    escaped = "".join(
        f"\\U{ord(each):08x}" if each in '"\\' or not each.isprintable() else each for each in text
    )
    return f'"{escaped}"'
