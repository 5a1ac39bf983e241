"""Every requirement is pinned to one version and carries the hash of its files."""

import re
import sys
from pathlib import Path

_PINNED = re.compile(r"^[A-Za-z0-9._-]+(\[[a-z,]+\])?==[^\s;\\]+( ;[^\\]*)? \\$")


def faults(path: Path) -> list[str]:
    """The lines that name a requirement without pinning it."""
    lines = path.read_text().splitlines()
    starts = [line for line in lines if line and not line.startswith((" ", "#"))]
    return [f"{path}: {line}" for line in starts if not _PINNED.match(line)]


def main() -> int:
    paths = [*Path().glob("requirements*.txt"), *Path("bench/peers").glob("*.txt")]
    found = [fault for path in paths for fault in faults(path)]
    sys.stderr.writelines(f"not pinned by hash: {fault}\n" for fault in found)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
