"""Revision 0007 and back: reports stay, and nothing that an older platform cannot read."""

from flask import Flask
from sqlalchemy import text

from app.__main__ import migrate
from app.config import Settings
from postern.vocabulary import Scope
from tests.app.barriers.ground import make_ground, registered, submitted
from tests.app.people import bearer


def test_barriers_leave_with_their_classes_and_tokens_and_reports_stay(
    app: Flask, settings: Settings
) -> None:
    ground = make_ground(app)
    submitted(ground, "post-be", "k1")
    submitted(ground, "post-be", "k2")
    registered(ground, "post-be")
    for scope in (Scope.BARRIERS_READ, Scope.BARRIERS_WRITE, Scope.EVALUATE):
        bearer(app, ground.people["post-be"], [scope])

    def column(statement: str) -> list[str]:
        with ground.database.engine.connect() as connection:
            return sorted(str(each) for each in connection.execute(text(statement)).scalars())

    kinds = "SELECT attributes ->> 'kind' FROM share_class"
    assert column(kinds) == ["barrier", "party"]
    migrate(settings, "0006", down=True)
    assert column(kinds) == ["party"]
    assert column("SELECT CAST(scopes AS TEXT) FROM api_token") == ['["evaluate"]']
    migrate(settings)
    assert column("SELECT count(*) FROM barrier_model") == ["0"]
    assert column("SELECT count(*) FROM indicator") == ["2"]
    # What was reported before has keys of its own by now.
    keys = {int(each) for each in column("SELECT key FROM report")}
    assert len(keys) == 2
    assert all(0 <= each < 2**32 for each in keys)
