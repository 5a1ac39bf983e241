"""Revision 0002 on a database that holds what revision 0001 held, and back, and up again."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy import MetaData, text
from sqlalchemy.exc import DatabaseError

from app.__main__ import migrate
from app.config import Settings
from app.database import Database
from app.sharing.classes import ClassAttributes, read
from postern.vocabulary import Kind, LegalBasis, Purpose, Tlp
from tests.app.sharing.world import PLAIN, TODAY, World, like, token_of

MOMENT = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)
OPEN = '@id("post-be/open") @label("All to all") permit (principal, action, resource);\n'
NOT_THE_THIRD_STEP = OPEN + (
    '@id("post-be/not-three") @label("But nothing of the third step")'
    " forbid (principal, action, resource) when { resource.barrierStep == 3 };\n"
)

PGP = like(kind=Kind.PGP, tlp=Tlp.GREEN)


@dataclass(frozen=True)
class Told:
    """A report with one indicator, as revision 0001 stored them."""

    id: int
    owner: int
    step: int | None
    substance: str | None
    before: ClassAttributes  # without step and substance
    class_id: int

    @property
    def after(self) -> ClassAttributes:
        stored = self.before.stored()
        return read(
            {
                **stored,
                "barrier_step": self.step or 0,
                "substance": self.substance or "unknown",
            }
        )


STORED = (
    Told(1, 1, None, None, PLAIN, 1),
    Told(2, 1, 3, None, PLAIN, 1),
    Told(3, 1, 3, "mdma", PLAIN, 1),
    Told(4, 1, None, "mdma", PGP, 2),
    Told(5, 1, None, "unknown", PLAIN, 1),
    Told(6, 1, 3, "mdma", PLAIN, 1),
    Told(7, 2, 3, None, PLAIN, 3),
    Told(8, 2, 7, "fentanyl", PLAIN, 3),
    Told(9, 1, 5, None, PGP, 2),
)
HITS = {1: 1, 2: 1, 3: 2, 4: None}
"""Which version decided on each indicator that was hit; None: the platform's rules."""


@pytest.fixture
def old(settings: Settings) -> Settings:
    """A database at revision 0001 with rows in every table that revision 0002 touches or cites."""
    migrate(settings, "base", down=True)
    migrate(settings, "0001")
    database = Database(settings.database.url)
    with database.engine.begin() as connection:
        tables = MetaData()
        tables.reflect(connection)
        for name, rows in rows_of_0001().items():
            columns = {column.name: column.type for column in tables.tables[name].columns}
            connection.execute(
                tables.tables[name].insert(),
                [{key: fit(columns[key], value) for key, value in row.items()} for row in rows],
            )
            if not database.is_sqlite and "id" in columns:
                connection.execute(
                    text(f"SELECT setval(pg_get_serial_sequence('{name}', 'id'), 100)")
                )
    database.dispose()
    return settings


def test_every_indicator_is_in_the_class_that_its_report_tells(
    old: Settings, database: Database
) -> None:
    migrate(old)
    assert _classes(database) == {each.id: each.after for each in STORED}
    with database.engine.connect() as connection:
        keys = connection.execute(
            text("SELECT id, organisation_id, key FROM share_class ORDER BY id")
        ).all()
        used = set(connection.scalars(text("SELECT share_class_id FROM indicator")))
        on_tokens = connection.execute(
            text(
                "SELECT count(*) FROM token t JOIN indicator i ON i.id = t.indicator_id"
                " WHERE t.share_class_id = i.share_class_id"
            )
        ).scalar_one()
    attributes = _attributes(database)
    assert {row.id for row in keys} >= used
    assert [bytes(row.key) for row in keys] == [
        attributes[row.id].key(row.organisation_id) for row in keys
    ]
    assert on_tokens == len(STORED)


def test_a_policy_may_ask_for_the_step_at_once(old: Settings, database: Database) -> None:
    migrate(old)
    world = World(database, {"post-be": 1, "customs-nl": 2, "police-de": 3})
    profile = world.profile("police-de")
    of_post = [each for each in STORED if each.owner == 1]
    assert {world.level(profile, token_of(each.id)) for each in of_post} == {3}
    world.publish("post-be", NOT_THE_THIRD_STEP)
    seen = {each.id for each in of_post if world.level(profile, token_of(each.id))}
    assert seen == {each.id for each in of_post if each.step != 3}


def test_nothing_else_is_lost_or_changed(old: Settings, database: Database) -> None:
    before = _everything(database)
    migrate(old)
    after = _everything(database)
    changed = {"share_class", "share_grant", "alembic_version"}
    for name, rows in before.items():
        if name in changed:
            continue
        known = rows[0].keys() & after[name][0].keys() if rows else set()
        ignored = {"share_class_id"} | ({"facts"} if name == "profile" else set())
        for old_row, new_row in zip(rows, after[name], strict=True):
            for column in known - ignored:
                assert old_row[column] == new_row[column], (name, column)
    for version in after["policy_version"]:
        assert version["created_at"] == version["valid_from"]
        assert version["cause"] == "console"
    assert _hits(database) == HITS
    _is_sound(database)


def test_decisions_are_made_anew_at_the_next_use(old: Settings, database: Database) -> None:
    migrate(old)
    world = World(database, {"post-be": 1, "police-de": 3})
    # Profile 1 had a grant of level 1 that no policy in force gives.
    assert world.profile("police-de") == 1
    assert world.level(1, token_of(4)) == 3


@pytest.mark.parametrize("table", ["policy_version", "grant_reason"])
def test_what_is_append_only_cannot_be_changed(
    old: Settings, database: Database, table: str
) -> None:
    migrate(old)
    with (
        pytest.raises(DatabaseError, match="append-only"),
        database.engine.begin() as connection,
    ):
        connection.execute(text(f"DELETE FROM {table}"))  # noqa: S608 - one of the two above


def test_going_back_keeps_the_data_and_going_up_again_too(
    old: Settings, database: Database
) -> None:
    before = _everything(database)
    migrate(old)
    migrate(old, "0001", down=True)
    back = _everything(database)
    assert back.keys() == before.keys()
    assert _classes(database) == {each.id: each.before for each in STORED}
    for name in before.keys() - {"share_grant", "share_class", "profile", "alembic_version"}:
        without = {"share_class_id"}
        assert [
            {key: value for key, value in row.items() if key not in without} for row in back[name]
        ] == [
            {key: value for key, value in row.items() if key not in without} for row in before[name]
        ], name
    assert len(back["profile"]) == len(before["profile"])
    _is_sound(database)
    migrate(old)
    assert _classes(database) == {each.id: each.after for each in STORED}
    assert _hits(database) == HITS
    _is_sound(database)


def rows_of_0001() -> dict[str, list[dict[str, Any]]]:
    def organisation(key: int, code: str, sector: str, country: str) -> dict[str, Any]:
        return {
            "id": key,
            "code": code,
            "name": code.upper(),
            "sector": sector,
            "country": country,
            "status": "active",
            "created_at": MOMENT,
        }

    classes = {each.class_id: (each.owner, each.before) for each in STORED}
    last_day = date.fromordinal(date(1970, 1, 1).toordinal() + TODAY + 100)
    return {
        "organisation": [
            organisation(1, "post-be", "post", "BE"),
            organisation(2, "customs-nl", "customs", "NL"),
            organisation(3, "police-de", "police", "DE"),
        ],
        "audit_org_key": [
            {"org": code, "epoch": 1, "key": bytes([number]) * 32}
            for number, code in enumerate(("platform", "post-be", "customs-nl", "police-de"))
        ],
        "community": [{"id": 1, "code": "exchange", "name": "Exchange"}],
        "community_member": [{"community_id": 1, "organisation_id": key} for key in (1, 2, 3)],
        "evaluation_allowance": [
            {"organisation_id": 1, "kind": "postal", "window": "hour", "elements": 5_000}
        ],
        "person_account": [
            {
                "id": key,
                "public_id": UUID(int=key),
                "organisation_id": key,
                "login_index": bytes([key]) * 32,
                "sealed_profile": b"-",
                "language": "en",
                "status": "active",
                "failures": 0,
                "created_at": MOMENT,
            }
            for key in (1, 2, 3)
        ],
        "role_grant": [{"person_id": 3, "role": "analyst", "granted_at": MOMENT}],
        "policy_version": [
            {
                "id": key,
                "organisation_id": 1,
                "seq": key,
                "text": policy,
                "sha256": bytes([key]) * 32,
                "valid_from": MOMENT.replace(day=key),
            }
            for key, policy in ((1, ""), (2, OPEN))
        ],
        "profile": [
            {
                "id": key,
                "organisation_id": 3,
                "role": "analyst",
                "purpose": purpose.value,
                "legal_basis": LegalBasis.CRIMINAL_PROCEDURE.value,
                "facts": {
                    "sector": "police",
                    "country": "DE",
                    "communities": ["exchange"],
                    "rules": "of before",
                },
            }
            for key, purpose in (
                (1, Purpose.CRIMINAL_INVESTIGATION),
                (2, Purpose.CRIMINAL_INTELLIGENCE),
            )
        ],
        "share_class": [
            {
                "id": key,
                "organisation_id": owner,
                "key": bytes([key]) * 16,
                "attributes": _bare(attributes),
            }
            for key, (owner, attributes) in sorted(classes.items())
        ],
        "share_grant": [
            {
                "profile_id": 1,
                "share_class_id": 2,
                "age_min": 0,
                "age_max": 32_767,
                "level": 1,
                "policy_version_id": 1,
                "reasons": ["post-be/of-before"],
            }
        ],
        "report": [
            {
                "id": each.id,
                "public_id": UUID(int=100 + each.id),
                "organisation_id": each.owner,
                "person_id": each.owner,
                "client_key": f"r{each.id}",
                "content_hash": bytes([each.id]) * 32,
                "status": "active",
                "created_at": MOMENT,
                "barrier_step": each.step,
                "substance": each.substance,
            }
            for each in STORED
        ],
        "indicator": [
            {
                "id": each.id,
                "public_id": UUID(int=200 + each.id),
                "report_id": each.id,
                "organisation_id": each.owner,
                "share_class_id": each.class_id,
                "seen_day": TODAY,
                "kind": each.before.kind.value,
                "role": each.before.role.value,
                "subject_category": "unknown",
                "assertion": each.before.assertion.value,
                "source_grade": each.before.source_grade.value,
                "information_grade": each.before.information_grade.value,
                "learned": "carrier_record",
                "legal_basis": "postal_law",
                "tlp": each.before.tlp.value,
                "handling": [],
                "permitted_action": each.before.permitted_action.value,
                "review_on": last_day,
                "expires_on": last_day,
                "quality": [],
                "epoch": 1,
                "facets_stored": 2,
                "facets_common": 0,
                "tokens": token_of(each.id),
            }
            for each in STORED
        ],
        "token": [
            {
                "token": token_of(each.id),
                "indicator_id": each.id,
                "share_class_id": each.class_id,
                "seen_day": TODAY,
                "facet": 1,
            }
            for each in STORED
        ],
        "lookup": [
            {
                "id": 1,
                "public_id": uuid4(),
                "organisation_id": 3,
                "person_id": 3,
                "profile_id": 1,
                "asked_at": MOMENT,
                "queries": 1,
                "hits": len(HITS),
                "expires_on": last_day,
            }
        ],
        "hit": [
            {
                "lookup_id": 1,
                "query": 0,
                "indicator_id": indicator_id,
                "level": 3,
                "points": 300,
                "band": "strong",
                "policy_version_id": version,
            }
            for indicator_id, version in HITS.items()
        ],
        "tombstone": [
            {
                "public_id": UUID(int=300),
                "organisation_id": 1,
                "ended_at": MOMENT,
                "reason": "expired",
            }
        ],
    }


def _bare(attributes: ClassAttributes) -> dict[str, Any]:
    stored = attributes.stored()
    return {key: stored[key] for key in stored if key not in {"barrier_step", "substance"}}


def fit(kind: Any, value: Any) -> Any:
    """SQLite's reflected columns do not know that they hold an identifier."""
    return value.hex if isinstance(value, UUID) and not isinstance(kind, sa.Uuid) else value


def _everything(database: Database) -> dict[str, list[dict[str, Any]]]:
    with database.engine.connect() as connection:
        tables = MetaData()
        tables.reflect(connection)
        return {
            name: sorted(
                (dict(row) for row in connection.execute(table.select()).mappings()), key=repr
            )
            for name, table in tables.tables.items()
            if not name.startswith("audit_")
        }


def _attributes(database: Database) -> dict[int, ClassAttributes]:
    with database.engine.connect() as connection:
        tables = MetaData()
        tables.reflect(connection, only=["share_class"])
        rows = connection.execute(tables.tables["share_class"].select()).all()
    unknown = {"barrier_step": 0, "substance": "unknown"}
    return {row.id: read({**unknown, **row.attributes}) for row in rows}


def _classes(database: Database) -> dict[int, ClassAttributes]:
    attributes = _attributes(database)
    with database.engine.connect() as connection:
        rows = connection.execute(text("SELECT id, share_class_id FROM indicator")).all()
    return {row.id: attributes[row.share_class_id] for row in rows}


def _hits(database: Database) -> dict[int, int | None]:
    with database.engine.connect() as connection:
        rows = connection.execute(
            text(
                "SELECT h.indicator_id, r.policy_version_id FROM hit h"
                " JOIN grant_reason r ON r.id = h.grant_reason_id"
            )
        ).all()
    return {row.indicator_id: row.policy_version_id for row in rows}


def _is_sound(database: Database) -> None:
    """On SQLite a table that is made anew can lose what refers to it; PostgreSQL checks itself."""
    if database.is_sqlite:
        with database.engine.connect() as connection:
            assert connection.execute(text("PRAGMA foreign_key_check")).all() == []
            assert connection.execute(text("PRAGMA integrity_check")).scalar_one() == "ok"
