"""A small exchange for tests of sharing: organisations, share classes and their indicators."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import insert
from sqlalchemy.orm import Session

from app.access import CONSOLE
from app.accounts.models import AccountStatus, PersonAccount
from app.database import Database
from app.indicators.models import Indicator, Report, ReportStatus, Token
from app.organisations import service as organisations
from app.sharing import service, visibility
from app.sharing.classes import ClassAttributes
from app.sharing.visibility import Match
from postern.vocabulary import (
    Assertion,
    InformationGrade,
    Kind,
    Learned,
    LegalBasis,
    PartyRole,
    PermittedAction,
    Purpose,
    Role,
    Sector,
    SourceGrade,
    SubjectCategory,
    Tlp,
)

POLICIES = Path(__file__).parent.parent.parent.parent / "policies"

TODAY = 20_000  # days since 1970

PLAIN = ClassAttributes(
    kind=Kind.PARTY,
    role=PartyRole.SENDER,
    tlp=Tlp.AMBER,
    handling=frozenset(),
    source_grade=SourceGrade.X,
    information_grade=InformationGrade.FOUR,
    assertion=Assertion.ASSESSMENT,
    permitted_action=PermittedAction.KNOW,
)

EVERYTHING_TO_POLICE = """
@id("post-be/all-to-police") @label("Police see everything")
permit (principal, action, resource) when { principal.sector == Sector::"police" };
"""


@dataclass
class World:
    """Wraps a database with verbs that read as sentences in tests."""

    database: Database
    ids: dict[str, int] = field(default_factory=dict)
    reports: dict[str, int] = field(default_factory=dict)

    def organisation(
        self, code: str, sector: Sector, country: str, communities: tuple[str, ...] = ()
    ) -> int:
        with self.database.transaction() as session:
            self.ids[code] = organisations.create(
                session, CONSOLE, code=code, name=code.upper(), sector=sector, country=country
            )
            for community in communities:
                organisations.join(session, CONSOLE, code, community)
            self.reports[code] = _report(session, self.ids[code])
        return self.ids[code]

    def publish(self, code: str, text: str) -> int:
        with self.database.transaction() as session:
            return service.publish(session, CONSOLE, code, text)

    def indicator(
        self,
        owner: str,
        attributes: ClassAttributes = PLAIN,
        *,
        age: int = 0,
        token: bytes | None = None,
        expires_in: int = 100,
    ) -> int:
        """Store one indicator with one token; returns its id."""
        (made,) = self.indicators([(owner, attributes, age, token or uuid4().bytes)], expires_in)
        return made

    def indicators(
        self, rows: Sequence[tuple[str, ClassAttributes, int, bytes]], expires_in: int = 100
    ) -> list[int]:
        """Store (owner, class, age, token) each, owners one after the other; returns the ids."""
        made = []
        for owner in dict.fromkeys(row[0] for row in rows):
            of_owner = [row for row in rows if row[0] == owner]
            with self.database.transaction() as session:
                found = service.share_class_ids(session, self.ids[owner], [r[1] for r in of_owner])
                made += [
                    _indicator(
                        session,
                        report_id=self.reports[owner],
                        organisation_id=self.ids[owner],
                        share_class_id=found[attributes],
                        attributes=attributes,
                        age=age,
                        token=token,
                        expires_in=expires_in,
                    )
                    for _, attributes, age, token in of_owner
                ]
        return made

    def profile(
        self,
        code: str,
        purpose: Purpose = Purpose.CRIMINAL_INVESTIGATION,
        legal_basis: LegalBasis = LegalBasis.CRIMINAL_PROCEDURE,
        role: Role = Role.ANALYST,
    ) -> int:
        with self.database.transaction() as session:
            return service.profile_id(session, self.ids[code], role, purpose, legal_basis)

    def matches(self, profile: int, *tokens: bytes, today: int = TODAY) -> list[Match]:
        with self.database.reading() as session:
            return visibility.matching_tokens(session, profile, tokens, moment(today))

    def level(self, profile: int, token: bytes, today: int = TODAY) -> int:
        """The level at which the only posting of `token` is visible; 0 when it is not."""
        found = self.matches(profile, token, today=today)
        assert len(found) <= 1
        return found[0].level if found else 0


def like(**changes: Any) -> ClassAttributes:
    """The plain class with some attributes changed."""
    return replace(PLAIN, **changes)


def moment(today: int) -> datetime:
    """Noon of a day since 1970."""
    return datetime(1970, 1, 1, 12, tzinfo=UTC) + timedelta(days=today)


def token_of(number: int) -> bytes:
    return number.to_bytes(16, "big")


def trio(database: Database) -> World:
    """The three organisations of the demonstration, without their policies."""
    world = World(database)
    world.organisation("post-be", Sector.POST, "BE", ("postal-exchange",))
    world.organisation("customs-nl", Sector.CUSTOMS, "NL", ("postal-exchange",))
    world.organisation("police-de", Sector.POLICE, "DE", ("postal-exchange",))
    return world


def _report(session: Session, organisation_id: int) -> int:
    person = PersonAccount(
        public_id=uuid4(),
        organisation_id=organisation_id,
        login_index=uuid4().bytes,
        sealed_profile=b"-",
        language="en",
        status=AccountStatus.ACTIVE,
        created_at=datetime(2024, 1, 1, tzinfo=UTC),
    )
    session.add(person)
    session.flush()
    report = Report(
        public_id=uuid4(),
        organisation_id=organisation_id,
        person_id=person.id,
        client_key="a",
        content_hash=b"-" * 32,
        status=ReportStatus.ACTIVE,
        created_at=datetime(2024, 1, 1, tzinfo=UTC),
    )
    session.add(report)
    session.flush()
    return report.id


def _indicator(
    session: Session,
    *,
    report_id: int,
    organisation_id: int,
    share_class_id: int,
    attributes: ClassAttributes,
    age: int,
    token: bytes,
    expires_in: int,
) -> int:
    last_day = date(1970, 1, 1) + timedelta(days=TODAY + expires_in)
    indicator = Indicator(
        public_id=uuid4(),
        report_id=report_id,
        organisation_id=organisation_id,
        share_class_id=share_class_id,
        seen_day=TODAY - age,
        kind=attributes.kind,
        role=attributes.role,
        subject_category=SubjectCategory.UNKNOWN,
        assertion=attributes.assertion,
        source_grade=attributes.source_grade,
        information_grade=attributes.information_grade,
        learned=Learned.CARRIER_RECORD,
        legal_basis=LegalBasis.POSTAL_LAW,
        tlp=attributes.tlp,
        handling=sorted(attributes.handling),
        permitted_action=attributes.permitted_action,
        review_on=last_day,
        expires_on=last_day,
        quality=[],
        epoch=1,
        facets_stored=1,
        facets_common=0,
        tokens=b"",
    )
    session.add(indicator)
    session.flush()
    session.execute(
        insert(Token).values(
            token=token,
            indicator_id=indicator.id,
            share_class_id=share_class_id,
            seen_day=indicator.seen_day,
            facet=1,
        )
    )
    return indicator.id
