"""Membership: who is in, under which code, and in which communities."""

import pytest
from sqlalchemy import select

from app.access import CONSOLE
from app.audit.models import AuditAudience, AuditEntry, AuditOrgKey
from app.database import Database
from app.errors import InvalidRequestError
from app.organisations import service
from app.organisations.models import OrganisationStatus
from app.organisations.service import (
    Member,
    OrganisationExistsError,
    UnknownCommunityError,
    UnknownOrganisationError,
)
from postern.vocabulary import Sector
from tests.app.people import make_organisation


def create(
    database: Database, code: str = "post-be", name: str = "Post", country: str = "BE"
) -> int:
    with database.transaction() as session:
        return service.create(
            session, CONSOLE, code=code, name=name, sector=Sector.POST, country=country
        )


def acts(database: Database) -> list[tuple[str, frozenset[str]]]:
    """Each logged act, oldest first, with the organisations that may read of it."""
    with database.reading() as session:
        entries = session.execute(select(AuditEntry.eid, AuditEntry.act).order_by(AuditEntry.eid))
        rows = [(row.eid, row.act) for row in entries]
        readers = session.execute(select(AuditAudience.eid, AuditAudience.org)).all()
    return [(act, frozenset(code for of, code in readers if of == eid)) for eid, act in rows]


def test_an_organisation_that_joins_is_in_the_directory(database: Database) -> None:
    organisation_id = create(database, name=" Post of Example ", country="be")
    with database.reading() as session:
        found = service.directory(session)
    assert found == {
        organisation_id: Member(
            "post-be", "Post of Example", Sector.POST, "BE", OrganisationStatus.ACTIVE
        )
    }


def test_joining_is_logged_for_the_organisation_and_gives_it_a_tag_key(database: Database) -> None:
    create(database)
    assert acts(database) == [("organisation.create", frozenset({"platform", "post-be"}))]
    with database.reading() as session:
        keys = session.scalars(select(AuditOrgKey.key).where(AuditOrgKey.org == "post-be")).all()
    assert [len(key) for key in keys] == [32]


@pytest.mark.parametrize(
    "code", ["", "a", "x" * 41, "Post-BE", "post be", "post_be", "pöst", "platform", "post-be\n"]
)
def test_a_code_that_breaks_the_rule_is_refused(database: Database, code: str) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        create(database, code)
    assert refused.value.extensions["errors"][0]["field"] == "code"
    assert acts(database) == []


@pytest.mark.parametrize("country", ["", "B", "ZZ", "Belgium", "BEL", "UK"])
def test_a_country_outside_iso_3166_is_refused(database: Database, country: str) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        create(database, country=country)
    assert refused.value.extensions["errors"][0]["field"] == "country"


@pytest.mark.parametrize("name", ["", "   ", "x" * 201, "two\nlines"])
def test_a_name_that_cannot_be_shown_is_refused(database: Database, name: str) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        create(database, name=name)
    assert refused.value.extensions["errors"][0]["field"] == "name"


def test_a_code_is_never_given_twice(database: Database) -> None:
    create(database)
    with pytest.raises(OrganisationExistsError):
        create(database)
    assert len(acts(database)) == 1


def test_a_suspended_organisation_leaves_the_list_and_stays_in_the_directory(
    database: Database,
) -> None:
    post = make_organisation(database, "post-be")
    make_organisation(database, "customs-nl", Sector.CUSTOMS, "NL")
    with database.transaction() as session:
        service.set_status(session, CONSOLE, "post-be", OrganisationStatus.SUSPENDED)
    with database.transaction() as session:
        assert [member.code for member in service.list_active(session, CONSOLE)] == ["customs-nl"]
        assert [member.code for member in service.list_all(session, CONSOLE)] == [
            "customs-nl",
            "post-be",
        ]
        assert not service.directory(session)[post].is_active
    with database.transaction() as session:
        service.set_status(session, CONSOLE, "post-be", OrganisationStatus.ACTIVE)
        assert service.directory(session)[post].is_active
    assert ("organisation.status", frozenset({"platform", "post-be"})) in acts(database)


def test_communities_are_made_when_the_first_joins_and_joining_twice_is_joining_once(
    database: Database,
) -> None:
    post = make_organisation(database, "post-be")
    customs = make_organisation(database, "customs-nl", Sector.CUSTOMS, "NL")
    with database.transaction() as session:
        service.join(session, CONSOLE, "post-be", "postal-exchange", "Postal exchange")
        service.join(session, CONSOLE, "post-be", "postal-exchange")
        service.join(session, CONSOLE, "customs-nl", "postal-exchange")
        service.join(session, CONSOLE, "customs-nl", "benelux")
    with database.transaction() as session:
        assert service.communities(session) == {
            post: frozenset({"postal-exchange"}),
            customs: frozenset({"postal-exchange", "benelux"}),
        }
        listed = service.list_communities(session, CONSOLE)
    assert [(one.code, one.name, one.members) for one in listed] == [
        ("benelux", "benelux", ("customs-nl",)),
        ("postal-exchange", "Postal exchange", ("customs-nl", "post-be")),
    ]


def test_leaving_a_community_takes_the_organisation_out_of_it_alone(database: Database) -> None:
    make_organisation(database, "post-be")
    customs = make_organisation(database, "customs-nl", Sector.CUSTOMS, "NL")
    with database.transaction() as session:
        service.join(session, CONSOLE, "post-be", "benelux")
        service.join(session, CONSOLE, "customs-nl", "benelux")
        service.leave(session, CONSOLE, "post-be", "benelux")
    with database.reading() as session:
        assert service.communities(session) == {customs: frozenset({"benelux"})}
    assert ("organisation.community", frozenset({"platform", "post-be"})) in acts(database)


def test_what_does_not_exist_is_named_as_such(database: Database) -> None:
    make_organisation(database, "post-be")
    with database.transaction() as session:
        with pytest.raises(UnknownOrganisationError):
            service.find(session, "post-nl")
        with pytest.raises(UnknownOrganisationError):
            service.join(session, CONSOLE, "post-nl", "benelux")
        with pytest.raises(UnknownCommunityError):
            service.leave(session, CONSOLE, "post-be", "benelux")
        service.join(session, CONSOLE, "post-be", "benelux")
        service.leave(session, CONSOLE, "post-be", "benelux")
        with pytest.raises(UnknownCommunityError):
            service.leave(session, CONSOLE, "post-be", "benelux")
        with pytest.raises(InvalidRequestError):
            service.join(session, CONSOLE, "post-be", "Not A Code")
