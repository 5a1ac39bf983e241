"""A folder with the shared patterns that an organisation subscribed to, and the list of them.

The folder is the organisation's own: files that this list does not name are left alone.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from postern.client_errors import ClientError
from postern.client_screening import SharedPattern, Subscribed
from postern.patterns.errors import PatternError, PatternFault
from postern.patterns.reading import read_rules
from postern.private_files import write_private

LIST = "subscribed.json"
_MOST_EARLIER = 20  # versions that are remembered of one pattern


class PatternFolderError(ClientError):
    """The list of subscribed patterns is missing or damaged."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"There is no readable {path}. Fetch the patterns with `postern patterns fetch`."
        )


@dataclass(frozen=True, slots=True)
class Held:
    """A pattern in the folder: its id at the platform, its version, and the id of its rule."""

    id: str
    version: int
    sha256: str
    rule: str
    file: str


@dataclass(frozen=True, slots=True)
class Kept:
    """What a fetch did: patterns written, unchanged and removed, and titles that were refused."""

    written: tuple[str, ...]
    unchanged: int
    removed: int
    refused: tuple[tuple[str, str], ...]  # title, why


def keep_subscribed(folder: Path, subscribed: Subscribed) -> Kept:
    """Bring a folder to what is subscribed now. Raises OSError.

    A text that is not the one of its digest, or that this version cannot read, is refused; what
    stood there before is removed then, for it is in force no more. The list remembers which texts
    stood there: what was screened with one of them is still told of its own version.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    listed, remembered = _listed(folder)
    before = {each.id: each for each in listed}
    held: list[Held] = []
    written, refused = [], []
    for pattern in subscribed.patterns:
        try:
            each = _held(pattern)
        except PatternError as error:
            refused.append((pattern.title, str(error)))
            continue
        path = folder / each.file
        if before.get(each.id) != each or not path.exists():
            write_private(path, pattern.text)
            written.append(pattern.title)
        held.append(each)
    current = {each.file for each in held}
    gone = [each for each in before.values() if each.file not in current]
    for each in gone:
        (folder / each.file).unlink(missing_ok=True)
    earlier = _earlier([*remembered, *listed], held)
    rows = {
        "patterns": [asdict(each) for each in held],
        "earlier": [asdict(each) for each in earlier],
    }
    write_private(folder / LIST, json.dumps(rows, indent=1) + "\n")
    return Kept(tuple(written), len(held) - len(written), len(gone), tuple(refused))


def fetched(folder: Path) -> Mapping[str, Held]:
    """What was ever fetched into a folder and is remembered, by the digest of its text.

    Raises PatternFolderError.
    """
    if not (folder / LIST).exists():
        raise PatternFolderError(folder / LIST)
    listed, remembered = _listed(folder)
    return {each.sha256: each for each in (*remembered, *listed)}


def _earlier(before: Sequence[Held], held: Sequence[Held]) -> list[Held]:
    """What stood there before and stands there no more, the newest versions of each pattern."""
    found = {(each.id, each.version): each for each in before if each not in held}
    kept: dict[str, list[Held]] = {}
    for key in sorted(found):
        kept.setdefault(key[0], []).append(found[key])
    return [each for of_one in kept.values() for each in of_one[-_MOST_EARLIER:]]


def _held(pattern: SharedPattern) -> Held:
    digest = hashlib.sha256(pattern.text.encode()).hexdigest()
    if digest != pattern.sha256:
        raise _refused(pattern, "The text is not the one of its digest.")
    rules = read_rules(pattern.text, pattern.title)
    if len(rules) != 1:
        raise _refused(pattern, "The text is not one rule.")
    # The id comes from outside: only its digest becomes part of a path.
    name = hashlib.sha256(pattern.id.encode()).hexdigest()[:16]
    return Held(pattern.id, pattern.version, digest, rules[0].id, f"shared-{name}.yml")


def _listed(folder: Path) -> tuple[list[Held], list[Held]]:
    """What stands in the folder, and what stood there before."""
    path = folder / LIST
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
        found, remembered = (
            [
                Held(
                    str(r["id"]),
                    int(r["version"]),
                    str(r["sha256"]),
                    str(r["rule"]),
                    str(r["file"]),
                )
                for r in rows[part]
            ]
            for part in ("patterns", "earlier")
        )
    except FileNotFoundError:
        return [], []
    except (ValueError, TypeError, KeyError):
        raise PatternFolderError(path) from None
    if any(Path(each.file).name != each.file for each in found):
        raise PatternFolderError(path)
    return found, remembered


def _refused(pattern: SharedPattern, reason: str) -> PatternError:
    remedy = "Fetch it again; if this stays, tell the platform's operator."
    return PatternError(pattern.title, [PatternFault(1, 1, reason, remedy)])
