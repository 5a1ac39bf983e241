"""A statement that the driver executes gives what SQLAlchemy would, whatever the types."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import bindparam, column, insert, select, table
from sqlalchemy.exc import ProgrammingError

from app.database import Database
from app.organisations.models import Organisation, OrganisationStatus
from app.prepared import Prepared
from postern.vocabulary import Sector

_BY_SECTOR = select(
    Organisation.code, Organisation.sector, Organisation.created_at, Organisation.status
).where(Organisation.sector == bindparam("sector"), Organisation.created_at <= bindparam("at"))
executed_by_the_driver = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
_AT = datetime(2026, 11, 27, 9, tzinfo=UTC)


def test_rows_are_those_of_sqlalchemy(database: Database) -> None:
    with database.transaction() as session:
        session.execute(
            insert(Organisation).values(
                code="post-aa",
                name="A",
                sector=Sector.POST,
                country="BE",
                status=OrganisationStatus.ACTIVE,
                created_at=_AT,
                facts_seq=1,
            )
        )
        prepared, parameters = Prepared(_BY_SECTOR), {"sector": Sector.POST, "at": _AT}
        connection = session.connection()
        for _ in range(2):
            found = prepared.execute(connection, parameters)
            assert [tuple(row) for row in found] == [
                tuple(row) for row in connection.execute(_BY_SECTOR, parameters)
            ]
            assert (found[0].sector, found[0].created_at) == (Sector.POST, _AT)
        assert prepared.execute(connection, {**parameters, "sector": Sector.POLICE}) == []


@executed_by_the_driver
def test_what_is_wrong_with_it_is_an_error_of_sqlalchemy(database: Database) -> None:
    wrong = Prepared(select(column("id")).select_from(table("nowhere")))
    with database.reading() as session, pytest.raises(ProgrammingError):
        wrong.execute(session.connection(), {})


@executed_by_the_driver
def test_no_list_may_grow_into_the_text(database: Database) -> None:
    many = Prepared(
        select(Organisation.id).where(Organisation.code.in_(bindparam("codes", expanding=True)))
    )
    with database.reading() as session, pytest.raises(ValueError, match="text of the statement"):
        many.execute(session.connection(), {"codes": ["a"]})
