"""Revision 0012 and back: second factors go with what waits for them, people and passwords stay."""

from datetime import timedelta
from uuid import uuid4

from flask import Flask
from sqlalchemy import inspect, text

from app import clock
from app.__main__ import migrate
from app.accounts.factor_models import (
    FactorKind,
    FactorReset,
    PendingSignIn,
    RecoveryCode,
    SecondFactor,
    SpentChallenge,
)
from app.config import Settings
from app.database import Database
from tests.app.people import make_organisation, make_person, sign_in

TABLES = {"factor_reset", "pending_sign_in", "recovery_code", "second_factor", "spent_challenge"}


def test_second_factors_leave_and_the_password_alone_signs_in(
    app: Flask, settings: Settings, database: Database
) -> None:
    make_organisation(database, "post-be")
    person = make_person(app, "post-be")
    at = clock.now()
    ends = at + timedelta(minutes=5)
    with database.transaction() as session:
        session.add_all(
            [
                SecondFactor(
                    public_id=uuid4(),
                    person_id=person.person_id,
                    kind=FactorKind.TOTP,
                    sealed=b"sealed",
                    credential_index=None,
                    counter=1,
                    added_at=at,
                ),
                RecoveryCode(person_id=person.person_id, code_index=bytes(32)),
                PendingSignIn(
                    name_hash=bytes(32),
                    person_id=person.person_id,
                    proved_by=["password"],
                    roles_bound=None,
                    expires_at=ends,
                ),
                SpentChallenge(challenge_hash=bytes(32), expires_at=ends),
                FactorReset(
                    person_id=person.person_id, proposed_by=uuid4(), proposed_at=at, expires_at=ends
                ),
            ]
        )

    def count(table: str) -> int:
        with database.engine.connect() as connection:
            found: int = connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()  # noqa: S608 - names of this file
            return found

    kept = {table: count(table) for table in ("credential", "organisation", "person_account")}
    assert min(kept.values()) > 0
    assert {table: count(table) for table in TABLES} == dict.fromkeys(TABLES, 1)
    migrate(settings, "0011", down=True)
    assert not TABLES & set(inspect(database.engine).get_table_names())
    assert {table: count(table) for table in kept} == kept
    migrate(settings)
    assert {table: count(table) for table in TABLES} == dict.fromkeys(TABLES, 0)
    assert {table: count(table) for table in kept} == kept
    sign_in(app.test_client(), person)
