"""What must hold before the platform starts: the schema and the platform's rules can be read."""

from flask import Flask

from app.errors import StartRefusedError
from app.runtime import Runtime
from app.sharing import engine
from app.sharing.policy_text import PLATFORM_FILE, SCHEMA_FILE, PolicyRefusedError


def start(_app: Flask, _runtime: Runtime) -> None:
    """StartRefusedError when a file of policies/ is missing or damaged."""
    try:
        engine.load("")
    except (OSError, ValueError) as error:
        raise StartRefusedError(
            f"{SCHEMA_FILE} or {PLATFORM_FILE} cannot be read: {error}. "
            "Restore both from the release."
        ) from None
    except PolicyRefusedError as refusal:
        fault = refusal.faults[0]
        raise StartRefusedError(
            f"{PLATFORM_FILE}, line {fault.line}: {fault.reason}. Restore it from the release."
        ) from None
