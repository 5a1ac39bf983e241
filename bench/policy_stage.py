"""The stage of the benchmark of policies: owners by the hundred, each with a policy of its own.

One reader is let see everything (the police of the queries), another a part (customs). Eight more
profiles of theirs are granted as much, so that the table of decisions has the size it would have.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import product

from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.access import CONSOLE, Caller
from app.organisations import service as organisations
from app.sharing import service as sharing
from app.sharing.classes import ClassAttributes
from bench.stage import Stage, database_of, member, new_secret, platform
from postern.vocabulary import (
    Assertion,
    InformationGrade,
    Kind,
    LegalBasis,
    PartyRole,
    PermittedAction,
    Purpose,
    Role,
    Sector,
    SourceGrade,
    Tlp,
)

COUNTRIES = ("BE", "NL", "LU", "DE", "FR", "AT", "CH", "IE", "DK", "SE")
_SECTORS = (Sector.POST, Sector.COURIER, Sector.POST, Sector.CUSTOMS, Sector.POLICE)
_OWNERS_AT_ONCE = 50  # in one transaction


@dataclass(frozen=True)
class Reader:
    """Somebody who asks, and why."""

    caller: Caller
    purpose: Purpose
    legal_basis: LegalBasis


@dataclass
class PolicyStage:
    """A platform whose owners grow in number; `classes[i]` are the share classes of `owners[i]`."""

    app: Flask
    police: Reader  # sees everything
    customs: Reader  # sees a part
    strangers: list[Caller]  # police forces that have not asked for anything yet
    owners: list[Caller] = field(default_factory=list)
    classes: list[list[int]] = field(default_factory=list)

    @property
    def on(self) -> Stage:
        """As the other benchmarks know a stage."""
        return Stage(self.app, self.owners, self.police.caller, self.classes)

    def grow(self, owners: int) -> None:
        """Let owners join until there are so many, each with 48 share classes and its policy."""
        self._sql(_DROP_COPIES)  # the service would decide for each; here they are copied
        for first in range(len(self.owners), owners, _OWNERS_AT_ONCE):
            numbers = range(first, min(first + _OWNERS_AT_ONCE, owners))
            with self.app.app_context(), database_of(self.app).transaction() as session:
                person = self.police.caller.person_id  # reports need one; it is never asked for
                for number in numbers:
                    code = owner_code(number)
                    organisation_id = organisations.create(
                        session,
                        CONSOLE,
                        code=code,
                        name=f"Owner {number}",
                        sector=_SECTORS[number % len(_SECTORS)],
                        country=COUNTRIES[number // len(_SECTORS) % len(COUNTRIES)],
                    )
                    made = sharing.share_class_ids(session, organisation_id, CLASSES)
                    sharing.publish(session, CONSOLE, code, policy_text(number))
                    self.classes.append(list(made.values()))
                    self.owners.append(
                        Caller(
                            person_id=person,
                            person=None,
                            organisation_id=organisation_id,
                            organisation=code,
                            roles=frozenset(Role),
                            scopes=None,
                            means=self.police.caller.means,
                        )
                    )
        self._sql(*_MAKE_COPIES)

    def forget(self, stranger: Caller) -> None:
        """Undo that this organisation ever asked."""
        self._sql(f"DELETE FROM profile WHERE organisation_id = {stranger.member[0]}")  # noqa: S608 - a number

    def _sql(self, *statements: str) -> None:
        with database_of(self.app).engine.begin() as connection:
            for statement in statements:
                connection.execute(text(statement))


@contextmanager
def policy_stage(backend: str) -> Iterator[PolicyStage]:
    """A platform on `backend` with its readers and no owner yet, removed at the end."""
    with platform(backend) as app:
        secret = new_secret(app)
        police = Reader(
            member(app, "police-0", Sector.POLICE, COUNTRIES[0], secret),
            Purpose.CRIMINAL_INVESTIGATION,
            LegalBasis.CRIMINAL_PROCEDURE,
        )
        customs = Reader(
            member(app, "customs-0", Sector.CUSTOMS, COUNTRIES[0], secret),
            Purpose.CUSTOMS_CONTROL,
            LegalBasis.CUSTOMS_LAW,
        )
        strangers = [
            member(app, f"police-{number}", Sector.POLICE, country, secret)
            for number, country in enumerate(COUNTRIES[1:], 1)
        ]
        with app.app_context(), database_of(app).transaction() as session:
            for each in (police, customs):
                profile_of(session, each)
        yield PolicyStage(app, police, customs, strangers)


def profile_of(session: Session, reader: Reader) -> int:
    """The profile of a reader's lookups."""
    organisation_id, _ = reader.caller.member
    return sharing.profile_id(
        session, organisation_id, Role.ANALYST, reader.purpose, reader.legal_basis
    )


def owner_code(number: int) -> str:
    """The code of the owner with this number."""
    return f"owner-{number:04}"


def policy_text(number: int, *, is_changed: bool = False) -> str:
    """The policy of the owner with this number: five rules, as real ones are.

    Changed, customs learn less, and the police of all but one country may ask for more purposes.
    """
    code = owner_code(number)
    youngest, graded = 1 + number % 3, 1 + number % 4
    investigating = (
        'context.purpose == Purpose::"criminal_investigation" && '
        'context.legalBasis == LegalBasis::"criminal_procedure"'
    )
    if is_changed:
        investigating = (
            '[Purpose::"criminal_investigation", Purpose::"criminal_intelligence"].contains('
            'context.purpose) && principal.country != Country::"LU"'
        )
        youngest -= 1
    return f"""
@id("{code}/police") @label("Police who investigate see what we reported, and may ask us")
permit (principal in Sector::"police",
  action in [Action::"presence", Action::"metadata", Action::"request"], resource)
when {{ {investigating} }};
@id("{code}/customs-known") @label("Customs learn that we reported something lately")
permit (principal in Sector::"customs", action == Action::"presence", resource)
when {{ context.purpose == Purpose::"customs_control" && resource.ageBand <= {youngest} }};
@id("{code}/customs-graded") @label("Customs see what was graded well")
permit (principal in Sector::"customs", action in [Action::"metadata", Action::"feed"], resource)
when {{
  context.purpose == Purpose::"customs_control" && resource.informationGrade <= {graded} &&
  resource.sourceGrade == SourceGrade::"B"
}};
@id("{code}/partner") @label("One police force screens parcels for us")
permit (principal in Organisation::"police-1",
  action in [Action::"presence", Action::"screen"], resource)
when {{ context.purpose == Purpose::"risk_analysis" && resource.ageBand <= {youngest} }};
@id("{code}/not-addressees") @label("Addressees are not for customs")
forbid (principal in Sector::"customs", action, resource)
when {{ resource.role == PartyRole::"addressee" && resource.tlp == Tlp::"AMBER" }};
"""


CLASSES = [
    ClassAttributes(
        kind=Kind.PARTY,
        role=role,
        tlp=tlp,
        handling=frozenset(),
        source_grade=source,
        information_grade=information,
        assertion=Assertion.ASSESSMENT,
        permitted_action=PermittedAction.WATCH,
    )
    for role, tlp, source, information in product(
        (PartyRole.SENDER, PartyRole.ADDRESSEE),
        (Tlp.CLEAR, Tlp.GREEN, Tlp.AMBER),
        (SourceGrade.B, SourceGrade.X),
        InformationGrade,
    )
]
"""The 48 classes into which an owner's indicators fall here; nothing in them is for nobody."""

# A copied profile differs in its role, which no policy of the stage asks for.
_DROP_COPIES = "DELETE FROM profile WHERE role <> 'analyst'"
_MAKE_COPIES = (
    """
    INSERT INTO profile (organisation_id, role, purpose, legal_basis, facts, facts_seq, rules)
    SELECT organisation_id, r.role, purpose, legal_basis, facts, facts_seq, rules
    FROM profile CROSS JOIN (
      SELECT 'submitter' AS role UNION ALL SELECT 'approver'
      UNION ALL SELECT 'compliance' UNION ALL SELECT 'policy_owner'
    ) r
    """,
    """
    INSERT INTO share_grant (profile_id, share_class_id, age_min, valid_from, age_max,
      valid_until, level, tells_owner, may_screen, may_feed, grant_reason_id)
    SELECT c.id, g.share_class_id, g.age_min, g.valid_from, g.age_max,
      g.valid_until, g.level, g.tells_owner, g.may_screen, g.may_feed, g.grant_reason_id
    FROM share_grant g JOIN profile p ON p.id = g.profile_id
    JOIN profile c ON c.organisation_id = p.organisation_id AND c.purpose = p.purpose
      AND c.legal_basis = p.legal_basis AND c.role <> p.role
    WHERE p.role = 'analyst'
    """,
)
