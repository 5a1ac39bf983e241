"""What can go wrong with a witness, each with what to do."""

from pathlib import Path

from postern.client_errors import ClientError


class WitnessStateError(ClientError):
    """The directory of the witness is missing, incomplete or cannot be read."""


class LogUnknownError(ClientError):
    """The platform's log is not the one that was pinned."""


class WitnessBusyError(ClientError):
    """Another process works with the same directory."""

    def __init__(self, directory: Path) -> None:
        super().__init__(
            f"Another witness uses {directory}. Let it end, or give this one a directory and a key "
            "of its own."
        )


class CosignatureFailedError(ClientError):
    """The platform showed a checkpoint that cannot be cosigned, without this proving anything."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"The checkpoint was not cosigned: {reason} Nothing is proven by that; if it happens "
            "again, tell the platform's operator."
        )


class LogContradictsItselfError(ClientError):
    """The log's key signed what cannot be true beside what was cosigned. `evidence` keeps both."""

    def __init__(self, reason: str, evidence: Path, *, is_new: bool) -> None:
        super().__init__(
            f"ALARM: {reason} The checkpoint was NOT cosigned. Both signed checkpoints are kept in "
            f"{evidence}. Tell your compliance officer and those of other members now, by another "
            "channel than the platform, and compare."
        )
        self.evidence = evidence
        self.is_new = is_new
