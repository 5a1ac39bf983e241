"""The TAXII servers that the settings name: the own platform, and others by a name of their own."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from postern.client_errors import TokenFileError
from postern.private_files import others_may_read
from postern.settings import ClientSettings, SettingsError, read_token
from postern.taxii.client import DISCOVERY
from postern.taxii.connection import Access, checked_address
from postern.taxii.errors import ServerAddressError
from postern.tlog.notes import NoteError, VerifierKey

PLATFORM = "platform"
"""The name of the own platform, which needs no section of its own."""

KEYS = (
    "address",
    "token_file",
    "user",
    "password_file",
    "ca_file",
    "certificate_file",
    "key_file",
    "receipt_key",
)
"""What a section [servers.NAME] may hold."""

_LONGEST_PASSWORD = 1024  # characters


@dataclass(frozen=True, slots=True)
class Server:
    """A server, and how it knows us."""

    name: str
    address: str
    access: Access
    receipt_key: VerifierKey | None = None  # that must sign a receipt of each page

    @property
    def is_platform(self) -> bool:
        """Whether it is the platform of the settings."""
        return self.name == PLATFORM


def server_named(settings: ClientSettings, name: str) -> Server:
    """The server of a name, with its credential read. Raises SettingsError, TokenFileError."""
    if name == PLATFORM:
        return Server(
            name,
            platform_address(settings),
            Access(
                token=read_token(settings.token_file),
                ca_file=settings.ca_file,
                certificate_file=settings.client_certificate,
                key_file=settings.client_key,
            ),
        )
    if not isinstance(settings.servers, Mapping) or name not in settings.servers:
        known = [PLATFORM, *(settings.servers if isinstance(settings.servers, Mapping) else ())]
        raise SettingsError(
            f"There is no server {name!r} in the settings. Add a section [servers.{name}] with its "
            f"address, or use one of: {', '.join(known)}."
        )
    return _read(name, settings.servers[name], settings.pin_file.parent)


def platform_address(settings: ClientSettings) -> str:
    """Where the own platform's discovery resource is."""
    return checked_address(settings.address + DISCOVERY)


def _read(name: str, section: Any, base: Path) -> Server:
    where = f"servers.{name}"
    if not isinstance(section, dict):
        raise SettingsError(f"{where} is no section. Write it as [{where}].")
    for key, value in section.items():
        if key not in KEYS:
            raise SettingsError(
                f"{where}.{key} is not a setting. Remove it, or use one of: {', '.join(KEYS)}."
            )
        if not isinstance(value, str) or not value:
            raise SettingsError(f"{where}.{key} is no text. Write it in quotation marks.")
    if "address" not in section:
        raise SettingsError(f"{where}.address is missing. Add the address of its discovery.")
    try:
        address = checked_address(section["address"])
    except ServerAddressError as error:
        raise SettingsError(f"{where}.address: {error}") from None
    if ("user" in section) != ("password_file" in section):
        raise SettingsError(
            f"{where} needs user and password_file together. Add the one that is missing."
        )
    if "token_file" in section and "user" in section:
        raise SettingsError(f"{where} has a token and a user. Remove one of them.")
    if "key_file" in section and "certificate_file" not in section:
        raise SettingsError(f"{where}.key_file needs certificate_file beside it. Add it.")
    files = {
        key: base / Path(section[key]).expanduser()
        for key in KEYS
        if key.endswith("_file") and key in section
    }
    return Server(
        name,
        address,
        Access(
            token=read_token(files["token_file"]) if "token_file" in files else None,
            user=section.get("user"),
            password=_password(files["password_file"]) if "password_file" in files else None,
            ca_file=files.get("ca_file"),
            certificate_file=files.get("certificate_file"),
            key_file=files.get("key_file"),
        ),
        receipt_key=key_of_receipts(section["receipt_key"], f"{where}.receipt_key")
        if "receipt_key" in section
        else None,
    )


def key_of_receipts(text: str, where: str) -> VerifierKey:
    """The key by which a Postern signs its receipts, as its console tells it.

    Raises SettingsError, which names `where` it stands.
    """
    try:
        return VerifierKey.parse(text.strip())
    except NoteError:
        raise SettingsError(
            f"{where} is no key of receipts. Write the line `receipt` of `flask --app wsgi audit "
            "keys` as the other platform's operator tells it: NAME+8 signs+base64."
        ) from None


def _password(path: Path) -> str:
    """The password in a file that only its owner may read. Raises TokenFileError."""
    try:
        if others_may_read(path):
            raise TokenFileError(
                f"Others may read the password file {path}. Run `chmod 600` on it; if others were "
                "on this machine, ask for a new password."
            )
        with path.open(encoding="utf-8") as file:
            text = file.read(_LONGEST_PASSWORD + 1).strip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise TokenFileError(
            f"The password file {path} cannot be read: {reason}. Put the password into it, alone."
        ) from None
    if not text or len(text) > _LONGEST_PASSWORD:
        raise TokenFileError(
            f"The password file {path} holds no password. Put the password into it, alone."
        )
    return text
