"""The brake on testing values one by one: different values are counted, and the count is durable.

A lookup and a watch cost as many values as their tokens could stand for; the same value again on
the same day costs nothing. The count is written in the transaction of the answer, before anything
is looked for, so a counter that cannot be written refuses the answer.

What was asked is kept as digests under a key of the day and the organisation, so that nobody can
join two days or two organisations by them, and only until the next day is over.
"""

import hmac
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, delete, select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Session

from app.access import Caller
from app.audit.service import append
from app.clock import now
from app.config import Settings
from app.errors import QuotaSpentError
from app.lookups.budget_models import ValueAllowance, ValueBudget, ValueSeen
from app.organisations.service import find
from app.prepared import Prepared
from app.pseudonyms.models import Window
from app.pseudonyms.quota import WHOLE_ORGANISATION, span
from app.runtime import runtime
from postern.facet_kinds import FACETS, NUMBERS
from postern.vocabulary import Kind

WINDOWS = (Window.DAY, Window.MONTH)

Tokens = Sequence[tuple[int, bytes]]
"""Facet numbers, each with the 16 bytes of its token."""

_KEPT = timedelta(days=62)  # counts of windows that are over
_DIGEST = 16  # bytes

# Atoms of which a value can have two: words of a name, and streets.
_TWOFOLD = frozenset({"EK", "E4", "TI", "SK", "S4", "R3", "T3"})
_MOST_OF = {
    number: 2 ** sum(atom in _TWOFOLD for atom in kind.split("*"))
    for number, kind in FACETS.items()
}
_PLACE = (NUMBERS["P*H"],)
_NAMED = (NUMBERS["NK*P3"],)
_TURNED = (NUMBERS["R3*P*HT"], NUMBERS["T3*P*HT"])


class ValueKey:
    """Makes the digests of one day and organisation, under a key derived from `secret`."""

    def __init__(self, secret: bytes) -> None:
        self._root = hmac.digest(secret, b"postern/values/v1", "sha256")

    def of(self, day: date, organisation_id: int) -> bytes:
        """32 bytes; of no use for another day or another organisation."""
        return hmac.digest(self._root, f"{day.isoformat()}/{organisation_id}".encode(), "sha256")


@dataclass(frozen=True)
class UsedValues:
    """How much of one window is used; `person_id` 0 is the whole organisation."""

    person_id: int
    kind: Kind
    window: Window
    begins: datetime
    ends: datetime
    used: int
    limit: int

    @property
    def left(self) -> int:
        """Different values that may still be asked for until the window ends."""
        return max(0, self.limit - self.used)


def spend(session: Session, caller: Caller, asked: Iterable[tuple[Kind, Tokens]]) -> None:
    """Count the values that were not asked for today against every window.

    QuotaSpentError, with Retry-After, when one of them would be exceeded; the caller's transaction
    then undoes the count, so a refused request costs nothing.
    """
    moment = now()
    organisation_id, person_id = caller.member
    day = moment.astimezone(UTC).date()
    key = runtime().part(ValueKey).of(day, organisation_id)
    rows = {
        (who, row["kind"].value, row["digest"]): row
        for kind, tokens in asked
        for row in rows_of(key, kind, tokens, (WHOLE_ORGANISATION, person_id))
        for who in (row["person_id"],)
    }
    # In one order, so that two colleagues who ask for the same do not wait for each other.
    wanted = [
        {"day": day, "organisation_id": organisation_id, **rows[place]} for place in sorted(rows)
    ]
    fresh: dict[tuple[int, Kind], int] = {}
    for who, kind, counted in _insert_new(session, wanted):
        fresh[who, kind] = fresh.get((who, kind), 0) + counted
    if fresh:
        _count(session, organisation_id, fresh, moment)


def standings(session: Session, settings: Settings, organisation_id: int) -> list[UsedValues]:
    """Every window that is open now: the organisation's, used or not, and those of its people.

    By kind, then the organisation before its people, then the day before the month.
    """
    moment, found = now(), []
    rows = session.scalars(
        select(ValueBudget).where(
            ValueBudget.organisation_id == organisation_id,
            ValueBudget.window_start >= span(Window.MONTH, moment)[0],
        )
    ).all()
    used = {(row.person_id, row.kind, row.window, row.window_start): row.used for row in rows}
    persons = sorted({row.person_id for row in rows} - {WHOLE_ORGANISATION})
    limits = _limits(session, settings, organisation_id)
    for kind in Kind:
        for person_id in (WHOLE_ORGANISATION, *persons):
            for window in WINDOWS:
                begins, ends = span(window, moment)
                counted = used.get((person_id, kind, window, begins))
                if counted is None and person_id != WHOLE_ORGANISATION:
                    continue
                most = _most(settings, limits[kind, window], person_id)
                found.append(UsedValues(person_id, kind, window, begins, ends, counted or 0, most))
    return found


def own_standings(session: Session, settings: Settings, caller: Caller) -> list[UsedValues]:
    """What one person used of their windows that are open now, and of what the whole may."""
    organisation_id, person_id = caller.member
    whole = standings(session, settings, organisation_id)
    own = {(each.kind, each.window): each for each in whole if each.person_id == person_id}
    return [
        own.get((each.kind, each.window))
        or UsedValues(
            person_id,
            each.kind,
            each.window,
            each.begins,
            each.ends,
            0,
            _most(settings, each.limit, person_id),
        )
        for each in whole
        if each.person_id == WHOLE_ORGANISATION
    ]


def used_since(
    session: Session, settings: Settings, organisation_id: int, since: datetime
) -> list[UsedValues]:
    """Every window with a count that ends after `since`, by person, kind and time."""
    limits = _limits(session, settings, organisation_id)
    rows = session.scalars(
        select(ValueBudget)
        .where(
            ValueBudget.organisation_id == organisation_id,
            ValueBudget.window_start > since - timedelta(days=31),  # no window is longer
        )
        .order_by(ValueBudget.person_id, ValueBudget.kind, ValueBudget.window_start)
    )
    found = []
    for row in rows:
        begins, ends = span(row.window, row.window_start)
        if ends > since:
            most = _most(settings, limits[row.kind, row.window], row.person_id)
            found.append(
                UsedValues(row.person_id, row.kind, row.window, begins, ends, row.used, most)
            )
    return found


def allow(
    session: Session,
    caller: Caller,
    organisation: str,
    kind: Kind,
    most: Mapping[Window, int],
) -> None:
    """Give an organisation its own number of different values; UnknownOrganisationError."""
    organisation_id, _ = find(session, organisation)
    for window, number in most.items():
        session.merge(
            ValueAllowance(organisation_id=organisation_id, kind=kind, window=window, most=number)
        )
    session.flush()
    append(
        session,
        caller,
        "organisation.allow",
        audience=[organisation],
        object_type="organisation",
        objects=[organisation],
        details={"allowance": {f"values of {kind.value}": {str(w): n for w, n in most.items()}}},
    )


def forget(session: Session) -> int:
    """Erase what was asked for before yesterday, and counts long past; returns how many digests."""
    today = now().astimezone(UTC).date()
    gone = session.connection().execute(
        delete(ValueSeen).where(ValueSeen.day < today - timedelta(days=1))
    )
    session.execute(delete(ValueBudget).where(ValueBudget.window_start < now() - _KEPT))
    return gone.rowcount


def counted(tokens: Tokens) -> int:
    """How many values the tokens of one query could stand for: 1 for all that clients make."""
    facets = [facet for facet, _ in tokens]
    return max((-(-facets.count(facet) // _MOST_OF[facet]) for facet in set(facets)), default=1)


def rows_of(
    key: bytes, kind: Kind, tokens: Tokens, persons: Iterable[int]
) -> Iterable[dict[str, Any]]:
    """A row of `value_seen` for each of the persons, without day and organisation."""
    whole = _digest(key, b"value", tokens)
    parts = {
        "place": _part(key, b"place", tokens, _PLACE),
        "named": _part(key, b"named", tokens, _NAMED),
        "turned": _part(key, b"turned", tokens, _TURNED),
    }
    nothing = dict.fromkeys(parts)
    for person_id in persons:
        yield {
            "person_id": person_id,
            "kind": kind,
            "digest": whole,
            "counted": counted(tokens),
            **(nothing if person_id == WHOLE_ORGANISATION else parts),
        }


def _part(key: bytes, name: bytes, tokens: Tokens, facets: Sequence[int]) -> bytes | None:
    """A digest of the tokens of some facets; None where one of these has no token."""
    chosen = [(facet, token) for facet, token in tokens if facet in facets]
    if {facet for facet, _ in chosen} != set(facets):
        return None
    return _digest(key, name, chosen)


def _digest(key: bytes, name: bytes, tokens: Tokens) -> bytes:
    told = b"".join(facet.to_bytes(2, "big") + token for facet, token in sorted(tokens))
    return hmac.digest(key, name + b"\0" + told, "sha256")[:_DIGEST]


def _insert_new(
    session: Session, wanted: Sequence[Mapping[str, Any]]
) -> list[tuple[int, Kind, int]]:
    """Store those that are not there; (person, kind, counted) of each that is new."""
    if not wanted:
        return []
    connection = session.connection()
    return [tuple(row) for row in connection.execute(_NEW[connection.dialect.name], list(wanted))]


def _count(
    session: Session, organisation_id: int, fresh: Mapping[tuple[int, Kind], int], moment: datetime
) -> None:
    settings = runtime().settings
    limits = _limits(session, settings, organisation_id)
    connection = session.connection()
    rows = [
        {
            "organisation_id": organisation_id,
            "person_id": person_id,
            "kind": kind,
            "window": window,
            "window_start": span(window, moment)[0],
            "used": fresh[person_id, kind],
        }
        for person_id, kind in sorted(fresh, key=lambda each: (each[0], each[1].value))
        for window in WINDOWS
    ]
    counts = connection.execute(_COUNTED[connection.dialect.name], rows)
    for person_id, kind, window, used in counts:
        if used > _most(settings, limits[kind, window], person_id):
            raise _spent(window, moment)


def _limits(
    session: Session, settings: Settings, organisation_id: int
) -> dict[tuple[Kind, Window], int]:
    usual = {Window.DAY: settings.abuse.values_day, Window.MONTH: settings.abuse.values_month}
    limits = {(kind, window): usual[window] for kind in Kind for window in WINDOWS}
    own = _ALLOWED.execute(session.connection(), {"organisation_id": organisation_id})
    return limits | {(each.kind, each.window): each.most for each in own}


def _most(settings: Settings, limit: int, person_id: int) -> int:
    """The limit itself for the organisation; for a person what one may use of it."""
    if person_id == WHOLE_ORGANISATION:
        return limit
    return max(1, limit * settings.quota.person_percent // 100)


def _spent(window: Window, moment: datetime) -> QuotaSpentError:
    _, ends = span(window, moment)
    seconds = max(1, int((ends - moment).total_seconds()) + 1)
    return QuotaSpentError(
        f"The different values that may be looked up in a {window.value} are used up.",
        headers={"Retry-After": str(seconds)},
        window=window.value,
        resets_at=ends.isoformat(timespec="seconds"),
    )


# Every lookup runs these: made once, by the dialect, whose INSERT knows ON CONFLICT.
def _new(make: Any) -> Any:
    seen = ValueSeen.__table__
    return (
        make(seen).on_conflict_do_nothing().returning(seen.c.person_id, seen.c.kind, seen.c.counted)
    )


def _counted(make: Any) -> Any:
    budget = ValueBudget.__table__
    new = make(budget)
    return new.on_conflict_do_update(
        index_elements=["organisation_id", "person_id", "kind", "window", "window_start"],
        set_={"used": budget.c.used + new.excluded.used},
    ).returning(budget.c.person_id, budget.c.kind, budget.c.window, budget.c.used)


_INSERTS = {"postgresql": postgresql_insert, "sqlite": sqlite_insert}
_NEW = {name: _new(make) for name, make in _INSERTS.items()}
_COUNTED = {name: _counted(make) for name, make in _INSERTS.items()}
_ALLOWED = Prepared(
    select(
        *(ValueAllowance.__table__.c[name] for name in ("kind", "window", "most")),
    ).where(ValueAllowance.__table__.c.organisation_id == bindparam("organisation_id"))
)
