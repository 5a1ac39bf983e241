"""Proof files: everything that shows an entry stands in the log, checkable without the log.

Source: C2SP tlog-proof (c2sp.org/tlog-proof@v1). Verify the checkpoint first (`checkpoint`,
`policy`), then the proof against its root (`tree.verify_inclusion`).
"""

from dataclasses import dataclass

from postern.tlog.strict import (
    MalformedError,
    check_parts,
    decimal_of,
    first_line,
    from_base64,
    proof_lines,
    to_base64,
)

_WHAT = "proof file"
_HEADER = "c2sp.org/tlog-proof@v1"
_EXTRA = "extra "
_INDEX = "index "


@dataclass(frozen=True)
class ProofFile:
    """Where an entry stands, the hashes from it to the root, and the signed note of that root.

    `extra` is nobody's statement: no signature covers it. Raises MalformedError when a part could
    not be written in the format.
    """

    index: int
    proof: tuple[bytes, ...]
    checkpoint: bytes
    extra: bytes = b""

    def __post_init__(self) -> None:
        check_parts(self.index, self.proof, self.checkpoint, _WHAT)

    def encode(self) -> bytes:
        """The file's bytes."""
        lines = [_HEADER]
        if self.extra:
            lines.append(_EXTRA + to_base64(self.extra))
        lines.append(f"{_INDEX}{self.index}")
        lines += map(to_base64, self.proof)
        return "\n".join([*lines, "", ""]).encode("ascii") + self.checkpoint

    @classmethod
    def parse(cls, written: bytes) -> "ProofFile":
        """The parts of a file; raises MalformedError when it is in any other form."""
        header, rest = first_line(written, _WHAT)
        if header != _HEADER:
            raise MalformedError(_WHAT, f"its first line is not {_HEADER}")
        line, rest = first_line(rest, _WHAT)
        extra = b""
        if line.startswith(_EXTRA):
            extra = from_base64(line.removeprefix(_EXTRA)) or b""
            if not extra:
                raise MalformedError(_WHAT, "its extra line is not base64")
            line, rest = first_line(rest, _WHAT)
        index = decimal_of(line.removeprefix(_INDEX)) if line.startswith(_INDEX) else None
        if index is None:
            raise MalformedError(_WHAT, "it has no index in plain decimal where one belongs")
        proof, checkpoint = proof_lines(rest, _WHAT)
        return cls(index, proof, checkpoint, extra)
