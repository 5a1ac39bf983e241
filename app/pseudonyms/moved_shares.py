"""Whether holders moved their shares, asked of them before a rotation relies on it.

What holders say here is public: which shares they hold, by the commitments that the key document
publishes. A holder that lies about it is named later, when its parts are not proved.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import requests
from sqlalchemy.orm import Session

from app.config import HolderSettings
from app.pseudonyms.holder_errors import SharesNotMovedError
from app.pseudonyms.sharing import find, sharing_of
from postern.group import SIZE
from postern.strict_json import MalformedError, parse_object
from postern.threshold import MOST_HOLDERS
from postern.vocabulary import EvaluationKind

PATH = "/api/v1/holder/shares"
_LARGEST_ANSWER = 1_000_000  # bytes
_MOST_SHARES = 10_000


class Standing(Enum):
    """How a holder stands to a key."""

    MOVED = "holds its share"
    NOT_MOVED = "holds no share of it"
    ANOTHER = "moved its share by another factor"
    AWAY = "does not answer"


@dataclass(frozen=True)
class HeldKey:
    """A key of which holders should have shares."""

    kind: EvaluationKind
    epoch: int
    commitments: tuple[bytes, ...]


def require_moved(
    session: Session, settings: HolderSettings, kind: EvaluationKind, epoch: int
) -> dict[str, Standing]:
    """How each holder of a shared key that is to be opened stands; empty when it is not shared.

    SharesNotMovedError when fewer hold their share than must take part: nobody could evaluate.
    """
    row = find(session, kind, epoch)
    if row is None:
        return {}
    sharing = sharing_of(row)
    key = HeldKey(kind, epoch, sharing.commitments)
    found = {each["name"]: standing(each, key, settings) for each in row.holders}
    if list(found.values()).count(Standing.MOVED) < sharing.threshold:
        each_one = "; ".join(f"{name} {each.value}" for name, each in found.items())
        raise SharesNotMovedError(
            f"{sharing.threshold} of {len(found)} holders must hold their share of "
            f"{kind.value}/{epoch}: {each_one}. Nothing was begun."
        )
    return found


def standing(holder: Mapping[str, Any], key: HeldKey, settings: HolderSettings) -> Standing:
    """What a holder says of its share of a key."""
    session = requests.Session()
    session.trust_env = False
    try:
        with (
            session,
            session.get(
                holder["address"] + PATH,
                timeout=settings.seconds,
                allow_redirects=False,
                verify=settings.ca_file or True,
                headers={"Accept": "application/json", "Accept-Encoding": "identity"},
                stream=True,
            ) as answer,
        ):
            content = answer.raw.read(_LARGEST_ANSWER, decode_content=True)
            return told(content, key) if answer.ok else Standing.AWAY
    except (requests.RequestException, OSError, MalformedError):
        return Standing.AWAY


def told(content: bytes, key: HeldKey) -> Standing:
    """What the body of a holder's answer says of a key. Raises MalformedError."""
    for each in parse_object(content).objects("shares", _MOST_SHARES):
        if (each.text("kind"), each.number("epoch")) == (key.kind.value, key.epoch):
            held: Sequence[bytes] = each.octets_list("commitments", SIZE, MOST_HOLDERS)
            return Standing.MOVED if tuple(held) == key.commitments else Standing.ANOTHER
    return Standing.NOT_MOVED
