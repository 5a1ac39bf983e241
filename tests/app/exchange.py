"""A small exchange for tests of reports and lookups: a post, customs, police, and their policies.

Values are pseudonymised with the platform's own key, without the detour of blinding; the whole path
of a client is tested in tests/functional.
"""

import base64
import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import Select

from app.access import CONSOLE, Caller
from app.audit.models import AuditAudience, AuditDetail, AuditEntry
from app.database import Database
from app.indicators import service as indicators
from app.lookups import service as lookups
from app.lookups.scoring import Query
from app.pseudonyms.service import open_first_epochs
from app.sharing import service as sharing
from postern import group, normalise, pseudonym, voprf
from postern.audit.record import open_disclosures
from postern.facets import evaluation_input, facets
from postern.vocabulary import EVALUATION_KIND, Kind, LegalBasis, Purpose, Role, Sector
from tests.app.people import Person, make_organisation, make_person, runtime_of

POLICIES = Path(__file__).parent.parent.parent / "policies" / "demo"

SOPHIE = normalise.Party("Sophie Van Damme", ("16, rue de la Loi",), "1040", "Bruxelles", "BE")
SOPHIE_TYPED = normalise.Party(
    "Mme Sophie VAN DAMME", ("R. de la Loi, 16 bte 3",), "B-1040", "Brussel", "BE"
)
JAN = normalise.Party("Jan de Vries", ("Keizersgracht 101",), "1015 AB", "Amsterdam", "NL")

OPEN_TO_POLICE = """
@id("open/police") @label("Police of the exchange see everything that may leave")
permit (principal, action, resource) when { principal.sector == Sector::"police" };
"""
PRESENCE_TO_POLICE = """
@id("presence/police") @label("Police of the exchange learn that something is known")
permit (principal, action == Action::"presence", resource)
when { principal.sector == Sector::"police" };
"""
ALERT_OWNER = """
@id("alert/police") @label("Where police ask, we are told, and they are not")
permit (principal, action == Action::"alert_owner", resource)
when { principal.sector == Sector::"police" };
"""
REQUESTER_ONLY = """
@id("untold/police") @label("We are not told of what police find")
forbid (principal, action == Action::"tell_owner", resource)
when { principal.sector == Sector::"police" };
"""
CLOSED = ""

_ONE = (1).to_bytes(32, "little")


@dataclass
class Exchange:
    """The platform with three members; each has one person with every role."""

    app: Flask
    people: dict[str, Person]

    @property
    def database(self) -> Database:
        return runtime_of(self.app).database

    def caller(self, code: str) -> Caller:
        return self.people[code].caller

    def organisation_id(self, code: str) -> int:
        return self.caller(code).member[0]

    def publish(self, code: str, text: str) -> None:
        with self.app.app_context(), self.database.transaction() as session:
            sharing.publish(session, CONSOLE, code, text)

    @property
    def seed(self) -> bytes:
        """From which the platform derives its evaluation keys."""
        return runtime_of(self.app).secrets.evaluation

    def elements(self, value: normalise.Value) -> list[tuple[int, bytes]]:
        return elements_of(value, self.seed)

    def indicator(self, value: normalise.Value, role: str = "sender", **fields: Any) -> Any:
        """An indicator on the wire; `fields` are added or replace."""
        return indicator_of(value, self.seed, role=role, **fields)

    def submit(self, code: str, *reports: Any) -> indicators.Submission:
        with self.app.app_context(), self.database.transaction() as session:
            return indicators.submit(session, self.caller(code), reports)

    def query(self, value: normalise.Value, name: str = "q1") -> Query:
        """A value as a query."""
        normalised = normalise.normalise(value)
        kind = EVALUATION_KIND[normalised.kind]
        tokens = [
            (facet, pseudonym.token(kind, 1, element)) for facet, element in self.elements(value)
        ]
        return Query(name, normalised.kind, 1, tokens)

    def ask(
        self,
        code: str,
        *values: normalise.Value | Query,
        purpose: Purpose = Purpose.CRIMINAL_INVESTIGATION,
        legal_basis: LegalBasis = LegalBasis.CRIMINAL_PROCEDURE,
    ) -> lookups.Answer:
        queries = [
            value if isinstance(value, Query) else self.query(value, f"q{place}")
            for place, value in enumerate(values)
        ]
        with self.app.app_context(), self.database.transaction() as session:
            return lookups.ask(
                session,
                self.caller(code),
                purpose=purpose,
                legal_basis=legal_basis,
                case="PV-2024-17",
                queries=queries,
            )

    def rows(self, statement: Select[Any]) -> list[Any]:
        """Whole rows of one table, detached."""
        with self.database.reading() as session:
            found = list(session.scalars(statement))
            session.expunge_all()
        return found

    def entries(self, act: str) -> list["LoggedEntry"]:
        """The log's entries of an act, oldest first, with their opened details."""
        with self.database.reading() as session:
            rows = (
                session.query(AuditEntry, AuditDetail)
                .join(AuditDetail, AuditDetail.eid == AuditEntry.eid)
                .filter(AuditEntry.act == act)
                .order_by(AuditEntry.eid)
            )
            return [
                LoggedEntry(
                    bytes(entry.rec).decode(),
                    open_disclosures(detail.disc),
                    [
                        audience.org
                        for audience in session.query(AuditAudience)
                        .filter(AuditAudience.eid == entry.eid)
                        .order_by(AuditAudience.org)
                    ],
                )
                for entry, detail in rows
            ]


@dataclass(frozen=True)
class LoggedEntry:
    """One entry: the record as hashed, its details, and who may read it."""

    record: str
    details: dict[str, Any]
    audience: Sequence[str]


def make_exchange(app: Flask) -> Exchange:
    """post-be, customs-nl and police-de in a community, with open key epochs and no policy."""
    database = runtime_of(app).database
    members: Iterable[tuple[str, Sector, str]] = (
        ("post-be", Sector.POST, "BE"),
        ("customs-nl", Sector.CUSTOMS, "NL"),
        ("police-de", Sector.POLICE, "DE"),
    )
    people = {}
    for code, sector, country in members:
        make_organisation(database, code, sector, country)
        people[code] = make_person(app, code, Role)
    with app.app_context(), database.transaction() as session:
        open_first_epochs(session, CONSOLE)
    return Exchange(app, people)


def elements_of(value: normalise.Value, seed: bytes) -> list[tuple[int, bytes]]:
    """Facet numbers and unblinded elements of a value, in epoch 1 of the keys of `seed`."""
    normalised = normalise.normalise(value)
    kind = EVALUATION_KIND[normalised.kind]
    secret, _ = pseudonym.derive_epoch_key(seed, kind, 1)
    return [
        (facet.number, group.mul(secret, voprf.blind(evaluation_input(facet, kind), r=_ONE)[1]))
        for facet in facets(normalised)
    ]


def indicator_of(value: normalise.Value, seed: bytes, **fields: Any) -> dict[str, Any]:
    """An indicator on the wire; `fields` are added or replace."""
    return {
        "kind": normalise.normalise(value).kind.value,
        "role": "sender",
        "epoch": 1,
        "elements": [
            {"facet": facet, "element": b64(element)} for facet, element in elements_of(value, seed)
        ],
        "learned": "outside_of_item",
        "legal_basis": "postal_law",
        **fields,
    }


def report(key: str, *indicators_: Mapping[str, Any], **fields: Any) -> dict[str, Any]:
    """A report on the wire."""
    return {"client_key": key, "indicators": list(indicators_), **fields}


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def place(code: str = "BRU-1", **fields: Any) -> dict[str, Any]:
    """An induction point on the wire."""
    return {
        "kind": Kind.INDUCTION_POINT.value,
        "role": "induction_point",
        "place": {"operator": "bpost", "code": code, "country": "BE"},
        "learned": "carrier_record",
        "legal_basis": "postal_law",
        **fields,
    }


def distinct_elements(count: int) -> list[bytes]:
    """Valid elements that belong to no value."""
    return list(
        itertools.accumulate(
            range(count - 1),
            lambda element, _: group.add(element, group.GENERATOR),
            initial=group.base(group.random_scalar()),
        )
    )
