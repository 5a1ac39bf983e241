"""What a log sends to a witness: a checkpoint, and the proof that it extends the last one.

Source: C2SP tlog-witness v1.0.0, add-checkpoint.
"""

from dataclasses import dataclass

from postern.tlog.strict import (
    MalformedError,
    check_parts,
    decimal_of,
    first_line,
    proof_lines,
    to_base64,
)

_WHAT = "request to a witness"
_OLD = "old "


@dataclass(frozen=True)
class AddCheckpoint:
    """The size that the witness last cosigned (0 = none), the consistency proof, the signed note.

    Raises MalformedError when a part could not be written in the format. Nothing is verified:
    a witness opens the checkpoint, compares `old` with its state and checks the proof itself.
    """

    old: int
    proof: tuple[bytes, ...]
    checkpoint: bytes

    def __post_init__(self) -> None:
        check_parts(self.old, self.proof, self.checkpoint, _WHAT)
        if self.proof and not self.old:
            raise MalformedError(_WHAT, "it has a proof from the empty log, which needs none")

    def encode(self) -> bytes:
        """The body of the request."""
        lines = [f"{_OLD}{self.old}", *map(to_base64, self.proof), "", ""]
        return "\n".join(lines).encode("ascii") + self.checkpoint

    @classmethod
    def parse(cls, body: bytes) -> "AddCheckpoint":
        """The parts of a body; raises MalformedError (status 400) when it is in another form."""
        line, rest = first_line(body, _WHAT)
        old = decimal_of(line.removeprefix(_OLD)) if line.startswith(_OLD) else None
        if old is None:
            raise MalformedError(_WHAT, "its first line is not `old` and a size in plain decimal")
        return cls(old, *proof_lines(rest, _WHAT))
