"""A platform with one record of every relation and state, and somebody to ask by every means.

Everything is made through the rooms' own services, at the time at which it would have been made.
"""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from app import clock
from app.access import CONSOLE, Caller
from app.accounts import tokens
from app.accounts.models import RoleGrant
from app.audit.models import AuditAudience, AuditSeq
from app.audit.running import sequencer
from app.database import Database
from app.indicators import service as indicators
from app.indicators.kinds import FACETS_OF
from app.jobs.models import Notification
from app.jobs.notifications import notify
from app.lookups import service as lookups
from app.lookups.scoring import Query
from app.organisations import service as organisations
from app.organisations.models import OrganisationStatus
from app.pseudonyms.service import open_first_epochs
from app.sharing import drafts, versions
from app.sharing import service as sharing
from app.sharing.drafts import Draft
from app.sharing.models import Cause
from postern.organisation_keys import OrganisationKeys
from postern.vocabulary import (
    Kind,
    LegalBasis,
    PermittedAction,
    Purpose,
    Role,
    Scope,
    Sector,
)
from tests.app.exchange import REQUESTER_ONLY, distinct_elements
from tests.app.matrix.accounts_stage import make_factors, make_people
from tests.app.matrix.barrier_stage import load_model, make_barriers
from tests.app.matrix.cells import PERSONS
from tests.app.matrix.compliance_stage import Made, make_tasks
from tests.app.matrix.disclosure_stage import make_requests
from tests.app.matrix.ending_stage import make_endings
from tests.app.matrix.exchange_stage import make_collections
from tests.app.matrix.expectations import Means, Named, Relation, State
from tests.app.matrix.filter_stage import make_filters
from tests.app.matrix.jobs_stage import make_channels
from tests.app.matrix.keys_stage import attach_file, make_alarms, publish_keys
from tests.app.matrix.pattern_stage import make_patterns
from tests.app.matrix.recall_stage import make_recalls
from tests.app.matrix.server_stage import make_servers
from tests.app.matrix.watch_stage import make_watches
from tests.app.people import (
    Person,
    cross_site_headers,
    make_organisation,
    make_person,
    runtime_of,
    sign_in,
)
from tests.app.sharing.ground import NOON, Clock, Thing, fitting, wire
from tests.app.sharing.world import like

READER, KEEPER, SUSPENDED = "police-de", "authority-be", "police-fr"
"""Who asks: of everything; of versions of a policy, since one waits; and being suspended."""

NEWCOMER = "customs-new"
"""Another that has nothing yet."""

HOMES = (READER, KEEPER)
COUNTRIES = {READER: "DE", KEEPER: "BE", SUSPENDED: "FR"}
COMMUNITY = "task-force"
GROUNDS = {
    "purpose": Purpose.CRIMINAL_INVESTIGATION.value,
    "legal_basis": LegalBasis.CRIMINAL_PROCEDURE.value,
    "case": "PV-2024-17",
}

RECORD = like(permitted_action=PermittedAction.WATCH)
"""What every record of the stage is like, but for its kind."""

_TO_POLICE = 'when { principal.sector == Sector::"police" }'


def _permit(*actions: str, who: str = _TO_POLICE) -> str:
    named = ", ".join(f'Action::"{action}"' for action in actions)
    head = f'@id("a/{actions[-1]}") @label("Some of ours")'
    return f"{head} permit (principal, action in [{named}], resource) {who};"


_FED = _permit("presence", "metadata", "feed")

POLICIES: dict[Relation, str] = {
    Relation.NOTHING: "",
    Relation.PRESENCE: _permit("presence"),
    Relation.METADATA: _permit("presence", "metadata"),
    Relation.REQUEST: _permit("presence", "metadata", "request", "screen"),
    Relation.FEED: _FED,
    Relation.OWNER_ONLY: _permit("alert_owner"),
    Relation.REQUESTER_ONLY: _FED + REQUESTER_ONLY,
    Relation.OWNER_SUSPENDED: _permit("presence", "metadata", "request", "feed"),
    Relation.READER_LEFT: _permit(
        "presence",
        "metadata",
        "request",
        "feed",
        who=f'when {{ principal in Community::"{COMMUNITY}" }}',
    ),
}
"""What the other owners share, by the relation that it makes of them to the reader."""

OWNERS = {relation: f"customs-{place}" for place, relation in enumerate(POLICIES)}
MEMBERS = {Relation.OWN: READER, **OWNERS, Relation.READER_SUSPENDED: OWNERS[Relation.FEED]}

_OWN_POLICY = _permit("presence", who='when { principal.sector == Sector::"customs" }')

NEVER = UUID("019caea7-6b40-7abc-8def-0123456789ab")
NO_PLACE = 10**6
NO_VERSION = 9  # of as many digits as those that there are

_LONG_AGO = NOON - timedelta(days=400)
_BEFORE = NOON - timedelta(days=5)
_LATER = NOON + timedelta(days=2)


@dataclass(frozen=True)
class Sent:
    """A report of one indicator, and by what it is looked up."""

    report: UUID
    indicator: UUID
    thing: Thing
    age: int  # days at NOON


@dataclass(repr=False)
class Stage:
    """The platform, what is on it, and the headers by which somebody asks."""

    app: Flask  # by which everything is made, on PostgreSQL as the owner of the tables
    clock: Clock
    asked: Flask  # whose answers are looked at, on PostgreSQL under the web service's own role
    people: dict[tuple[str, Role | None], Person] = field(default_factory=dict)
    writers: dict[str, Person] = field(default_factory=dict)
    headers: dict[tuple[str, Role | None, Means, Scope | None], dict[str, str]] = field(
        default_factory=dict
    )
    sent: dict[tuple[Relation, State], Sent] = field(default_factory=dict)
    lookups: dict[tuple[str, State], UUID] = field(default_factory=dict)
    tokens: dict[tuple[int, State], UUID] = field(default_factory=dict)
    factors: dict[int | Relation, UUID] = field(default_factory=dict)
    unknown: Thing = field(init=False)  # that nobody ever reported
    drafts: dict[tuple[Relation, State], Draft] = field(default_factory=dict)
    notices: dict[tuple[str, Role], UUID] = field(default_factory=dict)
    tasks: dict[str, Made] = field(default_factory=dict)
    keys: dict[str, OrganisationKeys] = field(default_factory=dict)
    files: dict[tuple[Relation, State], UUID] = field(default_factory=dict)
    model: UUID = field(init=False)  # the platform's own
    checkpoint: int = 0  # size of the log's newest

    @property
    def database(self) -> Database:
        return runtime_of(self.app).database

    @property
    def client(self) -> FlaskClient:
        """A client that keeps no cookie: `headers` carry it."""
        return self.asked.test_client(use_cookies=False)

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        with self.app.app_context(), self.database.transaction() as session:
            yield session

    def path_value(self, named: Named, relation: Relation, state: State, person: Person) -> Any:
        """What stands in the path for a record; `person` is who asks."""
        if named in {Named.VERSION, Named.PUBLISHED, Named.MODEL}:
            return self._with_version(named, relation, state)
        if named is Named.PLACE:
            return NO_PLACE if state is State.NEVER else self._place(relation)
        if state is State.NEVER:
            return NEVER
        if named in {Named.ENVELOPE, Named.REPORTED, Named.ASKED_PART, Named.DELIVERY}:
            is_reported = named in {Named.ENVELOPE, Named.REPORTED}
            return (self._in_report if is_reported else self._of_request)(named, relation, state)
        if named is Named.NOTIFICATION:
            return self._notice(relation, person.caller)
        holder = person if relation is Relation.MINE else self._holder(relation)
        ids: dict[Named, Callable[[], UUID | Mapping[str, UUID | str]]] = {
            Named.INDICATOR: lambda: self.sent[relation, state].indicator,
            Named.OWN_INDICATOR: lambda: self.sent[relation, state].indicator,
            Named.REPORT: lambda: self.sent[relation, state].report,
            Named.DRAFT: lambda: self.drafts[relation, state].id,
            Named.LOOKUP: lambda: self.lookups[holder.caller.organisation, state],
            Named.TOKEN: lambda: self.tokens[holder.person_id, state],
            Named.FACTOR: lambda: self.factors[
                person.person_id if relation is Relation.MINE else relation
            ],
            Named.MEMBER_TOKEN: lambda: self.tokens[holder.person_id, state],
            Named.PERSON: lambda: self.tasks[holder.caller.organisation][named, state],
            Named.REVIEW: lambda: self.tasks[holder.caller.organisation][named, state],
            Named.ROUND: lambda: self.tasks[holder.caller.organisation][named, state],
            Named.WATCH: lambda: self.tasks[holder.caller.organisation][named, state],
            Named.PATTERN: lambda: self.tasks[holder.caller.organisation][named, state],
            Named.PATTERN_DRAFT: lambda: self.tasks[holder.caller.organisation][named, state],
            Named.BARRIER: lambda: self.tasks[holder.caller.organisation][named, state],
            Named.OWN_BARRIER: lambda: self.tasks[holder.caller.organisation][named, state],
            Named.FILTER: lambda: self.tasks[holder.caller.organisation][named, state],
            Named.SIGNAL: lambda: self.tasks[holder.caller.organisation][named, state],
            Named.HOLD: lambda: self.tasks[holder.caller.organisation][named, state],
            Named.SUBJECT: lambda: self.tasks[holder.caller.organisation][named, state],
            Named.BREACH: lambda: self.tasks[holder.caller.organisation][named, state],
            Named.ASKED: lambda: self.tasks[holder.caller.organisation][named, state],
            Named.RECEIVED: lambda: self.tasks[holder.caller.organisation][named, state],
            Named.RECEIVED_RECALL: lambda: self.tasks[holder.caller.organisation][named, state],
            Named.OWN_RECALL: lambda: self.tasks[holder.caller.organisation][named, state],
            Named.KEY_ALARM: lambda: self.tasks[holder.caller.organisation][named, state],
            Named.CHANNEL: lambda: self.tasks[holder.caller.organisation][named, state],
            Named.SERVER: lambda: self.tasks[holder.caller.organisation][named, state],
            Named.COLLECTION: lambda: self.tasks[holder.caller.organisation][named, state],
            Named.KEPT_COLLECTION: lambda: self.tasks[holder.caller.organisation][named, state],
            Named.OWN_COLLECTION: lambda: self.tasks[holder.caller.organisation][named, state],
            Named.OWN_OBJECT: lambda: self._in_collection(relation),
            Named.OWN_EVENT: lambda: self._in_collection(relation),
            Named.TAXII_STATUS: lambda: self.tasks[holder.caller.organisation][named, state],
            Named.NEWS: lambda: self._of_collection(relation, state),
        }
        return ids[named]()

    def _in_collection(self, relation: Relation) -> dict[str, UUID | str]:
        made = self.tasks[self._holder(relation).caller.organisation]
        name = made[Named.OWN_OBJECT, State.LIVE]
        collection = made[Named.OWN_COLLECTION, State.LIVE]
        return {
            "collection_id": collection,
            "object_id": f"indicator--{name}",
            "event_id": made[Named.OWN_EVENT, State.LIVE],
        }

    def _of_collection(self, relation: Relation, state: State) -> dict[str, UUID]:
        """By the names that pages and programs have for both."""
        made = self.tasks[self._holder(relation).caller.organisation]
        collection, news = made[Named.COLLECTION, State.LIVE], made[Named.NEWS, state]
        of_programs = {"collection_id": collection, "news_id": news}
        return {**of_programs, "collection": collection, "address": news}

    def _in_report(self, named: Named, relation: Relation, state: State) -> dict[str, UUID]:
        owned = Relation.FEED if relation is Relation.OTHER else relation
        sent = self.sent[owned, state]
        if named is Named.ENVELOPE:
            return {"report_id": sent.report, "envelope_id": self.files[owned, state]}
        return {"report_id": sent.report, "indicator_id": sent.indicator}

    def _of_request(self, named: Named, relation: Relation, state: State) -> dict[str, UUID]:
        made = self.tasks[self._holder(relation).caller.organisation]
        if named is Named.DELIVERY:
            released = made[Named.DELIVERY, State.NEVER]
            return {"request_id": released, "delivery_id": made[named, state]}
        owned = Relation.FEED if relation is Relation.OTHER else relation
        part = self.files[owned, State.LIVE]
        return {"request_id": made[Named.RECEIVED, state], "envelope_id": part}

    def _with_version(self, named: Named, relation: Relation, state: State) -> Any:
        if named is Named.VERSION:
            return _version_number(relation, state)
        made = self.tasks[self._holder(relation).caller.organisation]
        of_what = "pattern_id" if named is Named.PUBLISHED else "model_id"
        return {of_what: made.get((named, state), NEVER), "seq": 1}

    def _place(self, relation: Relation) -> int:
        """Of an entry that names one organisation alone."""
        code = self._holder(relation).caller.organisation
        alone = (
            select(AuditAudience.eid)
            .group_by(AuditAudience.eid)
            .having(func.count() == 1, func.min(AuditAudience.org) == code)
        )
        with self.database.reading() as session:
            place: int = session.scalars(
                select(AuditSeq.idx).where(AuditSeq.eid.in_(alone)).order_by(AuditSeq.idx).limit(1)
            ).one()
        return place

    def _notice(self, relation: Relation, caller: Caller) -> UUID:
        """One for a role of the asking person: their own, a colleague's, that of another member."""
        (role,) = [role for role in PERSONS if self._is(caller, role)]
        others = [other for other in Role if other is not role]
        code = NEWCOMER if relation is Relation.OTHER else caller.organisation
        chosen = others[0] if relation is Relation.COLLEAGUE or role is None else role
        return self.notices[code, chosen]

    def _is(self, caller: Caller, role: Role | None) -> bool:
        return self.people[caller.organisation, role].caller.person == caller.person

    def _holder(self, relation: Relation) -> Person:
        code = READER if relation is Relation.COLLEAGUE else MEMBERS[_owner(relation)]
        return self.writers[code]


@contextmanager
def staged(app: Flask, asked: Flask | None = None) -> Iterator[Stage]:
    """Everything, at noon; the clock of every room is the stage's."""
    made = Stage(app, Clock(), asked or app)
    with pytest.MonkeyPatch.context() as patch:
        real = clock.now
        for name, module in list(sys.modules.items()):
            if name.startswith("app.") and getattr(module, "now", None) is real:
                patch.setattr(module, "now", made.clock)
        _long_ago(made)
        _some_days_ago(made)
        made.clock.at = _LATER
        _submit(made, State.FUTURE, age=0)
        made.clock.at = NOON
        _today(made)
        made.checkpoint = sequencer(runtime_of(app)).step().head.size
        yield made


@contextmanager
def undone(stage: Stage) -> Iterator[None]:
    """Requests within it leave nothing behind, so that each finds the stage as it was made."""

    database = runtime_of(stage.asked).database

    @contextmanager
    def transaction() -> Iterator[Session]:
        with database._turn(), Session(database.engine) as session:
            session.expire_on_commit = False
            yield session
            session.flush()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database, "transaction", transaction)
        yield


def _version_number(relation: Relation, state: State) -> int:
    """The keeper has the first four; what only another has begins at five."""
    order = (State.PAST, State.IN_FORCE, State.CANCELLED, State.SCHEDULED)
    if state not in order:
        return NO_VERSION
    return order.index(state) + (1 if relation is Relation.OWN else 5)


def _owner(relation: Relation) -> Relation:
    return Relation.FEED if relation is Relation.OTHER else relation


def _long_ago(stage: Stage) -> None:
    stage.clock.at = _LONG_AGO
    for code, sector in (
        (READER, Sector.POLICE),
        (KEEPER, Sector.AUTHORITY),
        (SUSPENDED, Sector.POLICE),
        (NEWCOMER, Sector.CUSTOMS),
        *((code, Sector.CUSTOMS) for code in OWNERS.values()),
    ):
        make_organisation(stage.database, code, sector, COUNTRIES.get(code, "NL"))
        stage.writers[code] = make_person(stage.app, code, Role)
        _ask(stage, code, State.ERASED)
    with stage.transaction() as session:
        organisations.join(session, CONSOLE, READER, COMMUNITY)


def _some_days_ago(stage: Stage) -> None:
    stage.clock.at = _BEFORE
    for code in (*HOMES, SUSPENDED):
        for role in PERSONS:
            stage.people[code, role] = make_person(stage.app, code, Role)
            _sign_in(stage, code, role, Means.STALE)
    for person in _everybody(stage):
        _make_token(stage, person, State.EXPIRED, days=1)
    with stage.transaction() as session:
        open_first_epochs(session, CONSOLE)
        for relation, text in POLICIES.items():
            sharing.publish(session, CONSOLE, OWNERS[relation], text)
        for _ in range(2):
            sharing.publish(session, CONSOLE, KEEPER, _OWN_POLICY)
        for code in (READER, OWNERS[Relation.FEED], OWNERS[Relation.OWNER_SUSPENDED]):
            stage.keys[code] = publish_keys(session, stage.writers[code].caller)
    _submit(stage, State.LIVE, age=5)
    _submit(stage, State.WITHDRAWN, age=5)
    _submit(stage, State.EXPIRED, age=5, expires_in=5)
    _submit(stage, State.ERASED, age=5, expires_in=2)


def _today(stage: Stage) -> None:
    with stage.transaction() as session:
        assert indicators.expire(session, (NOON - timedelta(days=1)).date()) == len(OWNERS) + 1
        assert lookups.expire(session, NOON.date()) == len(stage.writers)
    for (relation, state), sent in stage.sent.items():
        if state is State.WITHDRAWN and relation is not Relation.READER_SUSPENDED:
            with stage.transaction() as session:
                writer = stage.writers[MEMBERS[relation]].caller
                indicators.withdraw(session, writer, sent.report, "error")
    for code in stage.writers:
        _ask(stage, code, State.LIVE)
    for person in _everybody(stage):
        _make_token(stage, person, State.LIVE)
        _make_token(stage, person, State.REVOKED)
        with stage.transaction() as session:
            tokens.revoke_token(session, CONSOLE, stage.tokens[person.person_id, State.REVOKED])
    _let_in(stage)
    _write_drafts(stage)
    with stage.transaction() as session:
        stage.model = load_model(session)
    for code in (READER, OWNERS[Relation.FEED], OWNERS[Relation.OWNER_SUSPENDED]):
        with stage.transaction() as session:
            stage.tasks[code] = make_tasks(session, stage.writers[code].caller)
            stage.tasks[code] |= make_endings(session, stage.writers[code].caller)
            stage.tasks[code] |= make_recalls(
                session, stage.writers[code].caller, stage.writers[NEWCOMER].caller
            )
            stage.tasks[code] |= make_requests(
                session,
                stage.writers[code].caller,
                stage.writers[NEWCOMER].caller,
                own=_live_of(stage, code),
                others=stage.sent[Relation.REQUEST, State.LIVE].indicator,
            )
            stage.tasks[code] |= make_channels(session, stage.writers[code].caller)
            stage.tasks[code] |= make_collections(session, stage.writers[code].caller)
            stage.tasks[code] |= make_servers(session, stage.writers[code].caller)
            stage.tasks[code] |= make_people(session, stage.writers[code].caller)
            stage.tasks[code] |= make_patterns(session, stage.writers[code].caller)
            stage.tasks[code] |= make_barriers(session, stage.writers[code].caller)
            stage.tasks[code] |= make_filters(session, stage.writers[code].caller)
            stage.tasks[code] |= make_watches(session, stage.writers[code].caller)
            stage.tasks[code] |= make_alarms(session, stage.writers[code].caller, KEEPER)
    _publish_of_all(stage)
    _schedule(stage)
    owners: dict[int, int | Relation] = {
        make_person(stage.app, code, [Role.APPROVER]).person_id: relation
        for code, relation in ((READER, Relation.COLLEAGUE), (NEWCOMER, Relation.OTHER))
    }
    owners |= {each.person_id: each.person_id for each in stage.people.values()}
    with stage.transaction() as session:
        stage.factors = make_factors(session, owners)
    _notify(stage)
    with stage.transaction() as session:
        organisations.leave(session, CONSOLE, READER, COMMUNITY)
        for code in (SUSPENDED, OWNERS[Relation.OWNER_SUSPENDED]):
            organisations.set_status(session, CONSOLE, code, OrganisationStatus.SUSPENDED)
    # The profiles of those who ask are made by their first question, not by each that is undone.
    for code in HOMES:
        _ask(stage, code, State.LIVE)
        with stage.transaction() as session:
            indicators.list_own(session, stage.writers[code].caller, 1)


def _publish_of_all(stage: Stage) -> None:
    """Every owner publishes a pattern and a barrier."""
    with stage.transaction() as session:
        for code in OWNERS.values():
            caller = stage.writers[code].caller
            if code not in stage.tasks:
                stage.tasks[code] = make_patterns(session, caller, drafts=False)
            if (Named.BARRIER, State.LIVE) not in stage.tasks[code]:
                stage.tasks[code] |= make_barriers(session, caller, models=False)


def _live_of(stage: Stage, code: str) -> UUID:
    """A live indicator of the organisation."""
    relation = next(each for each, owner in MEMBERS.items() if owner == code)
    return stage.sent[relation, State.LIVE].indicator


def _notify(stage: Stage) -> None:
    """One for each role of those who ask, and of another."""
    for code in (*HOMES, SUSPENDED, NEWCOMER):
        for role in Role:
            with stage.transaction() as session:
                organisation_id, _ = organisations.find(session, code)
                notify(session, organisation_id, role, "log.alarm", {"alarm": "rollback"}, "/log")
                session.flush()
                stage.notices[code, role] = session.scalars(
                    select(Notification.public_id).order_by(Notification.id.desc()).limit(1)
                ).one()


def _everybody(stage: Stage) -> list[Person]:
    return [*stage.people.values(), *stage.writers.values()]


def _submit(stage: Stage, state: State, *, age: int, expires_in: int = 100) -> None:
    """One report of each owner; `age` is that at NOON."""
    *elements, unknown = distinct_elements(len(OWNERS) + 2)
    stage.unknown = Thing(Kind.PHONE, 20, unknown)
    for relation, element in zip((Relation.OWN, *OWNERS), elements, strict=True):
        thing = Thing(Kind.PHONE, 20, element)
        raw = wire(state.name, thing, fitting(thing, RECORD), stage.clock.at, expires_in=expires_in)
        caller = stage.writers[MEMBERS[relation]].caller
        with stage.transaction() as session:
            (result,) = indicators.submit(session, caller, [raw]).results
        assert result.id is not None, result.errors
        stage.sent[relation, state] = Sent(result.id, result.indicators[0], thing, age)
        held = stage.keys.get(caller.organisation)
        if held:
            with stage.transaction() as session:
                stage.files[relation, state] = attach_file(
                    session, caller, held, result.id, state.name
                )
    stage.sent[Relation.READER_SUSPENDED, state] = stage.sent[Relation.FEED, state]


def _ask(stage: Stage, code: str, state: State) -> None:
    """A lookup of a place, which needs no key."""
    (facet,) = FACETS_OF[Kind.INDUCTION_POINT]
    with stage.transaction() as session:
        stage.lookups[code, state] = lookups.ask(
            session,
            stage.writers[code].caller,
            purpose=Purpose.CRIMINAL_INVESTIGATION,
            legal_basis=LegalBasis.CRIMINAL_PROCEDURE,
            case="PV-2024-17",
            queries=[Query("q1", Kind.INDUCTION_POINT, 0, [(facet, b"-" * 16)])],
        ).lookup


def _make_token(stage: Stage, person: Person, state: State, days: int = 30) -> None:
    headers, made = _token(stage, person, Scope, days)
    stage.tokens[person.person_id, state] = made
    means = {State.LIVE: Means.TOKEN, State.REVOKED: Means.REVOKED_TOKEN}
    for (code, role), holder in stage.people.items():
        if holder is person:
            of_state = means.get(state, Means.EXPIRED_TOKEN)
            stage.headers[code, role, of_state, None] = headers


def _token(
    stage: Stage, person: Person, scopes: Iterable[Scope], days: int = 30
) -> tuple[dict[str, str], UUID]:
    with stage.transaction() as session:
        made = tokens.create_token(session, CONSOLE, person.login, scopes=scopes, days=days)
    return {"Authorization": f"Bearer {made.text}"}, made.token.id


def _let_in(stage: Stage) -> None:
    """Sessions and tokens of today; from now on everybody has one role, or none."""
    for (code, role), person in stage.people.items():
        _sign_in(stage, code, role, Means.SESSION)
        if code == SUSPENDED:
            continue
        _sign_in(stage, code, role, Means.SIGNED_OUT)
        headers = stage.headers[code, role, Means.SIGNED_OUT, None]
        assert stage.client.post("/sign-out", headers=headers).status_code == 303
        for scope in Scope:
            headers, _ = _token(stage, person, [scope])
            stage.headers[code, role, Means.TOKEN, scope] = headers
    with stage.transaction() as session:
        for (_, role), person in stage.people.items():
            others = RoleGrant.person_id == person.person_id, RoleGrant.role != role
            session.execute(delete(RoleGrant).where(*(others if role else others[:1])))
    client = stage.app.test_client()
    stage.headers[READER, None, Means.NONE, None] = _carried(client, cross_site_headers(client))


def _sign_in(stage: Stage, code: str, role: Role | None, means: Means) -> None:
    client = stage.app.test_client()
    headers = sign_in(client, stage.people[code, role])
    stage.headers[code, role, means, None] = _carried(client, headers)


def _carried(client: FlaskClient, headers: dict[str, str]) -> dict[str, str]:
    cookie = client.get_cookie("postern")
    assert cookie is not None
    return {**headers, "Cookie": f"postern={cookie.value}"}


def _write_drafts(stage: Stage) -> None:
    """First what becomes a version, so that no draft is behind the version in force."""
    for state in (State.APPROVED, State.EDITING, State.PROPOSED, State.REFUSED, State.DISCARDED):
        for relation, code, author in (
            (Relation.MINE, READER, stage.people[READER, Role.POLICY_OWNER].caller),
            (Relation.COLLEAGUE, READER, stage.writers[READER].caller),
            (Relation.OTHER, OWNERS[Relation.FEED], None),
            (Relation.OWNER_SUSPENDED, OWNERS[Relation.OWNER_SUSPENDED], None),
        ):
            text = _OWN_POLICY if code == READER else POLICIES[_owner(relation)]
            writer = author or stage.writers[code].caller
            stage.drafts[relation, state] = _draft(stage, writer, state, text)


def _draft(stage: Stage, writer: Caller, state: State, text: str) -> Draft:
    second = make_person(stage.app, writer.organisation, [Role.APPROVER]).caller
    with stage.transaction() as session:
        made = drafts.create(session, writer, title="A change", text=text)
        if state in {State.PROPOSED, State.APPROVED, State.REFUSED}:
            made = drafts.propose(session, writer, made.id, made.revision)
        if state is State.APPROVED:
            made = drafts.approve(session, second, made.id, made.revision)
        elif state is State.REFUSED:
            made = drafts.refuse(session, second, made.id, made.revision, "Too wide")
        elif state is State.DISCARDED:
            made = drafts.discard(session, writer, made.id)
    return made


def _schedule(stage: Stage) -> None:
    """For the keeper, and for another that has versions of higher numbers."""
    other = OWNERS[Relation.FEED]
    for code, text, first in ((KEEPER, _OWN_POLICY, 3), (other, POLICIES[Relation.FEED], 7)):
        with stage.transaction() as session:
            organisation_id, _ = organisations.find(session, code)
            while versions.newest_seq(session, organisation_id) < first - 1:
                sharing.publish(session, CONSOLE, code, text)
            cancelled = _to_come(session, organisation_id, text, 10)
            versions.cancel(session, CONSOLE, organisation_id, cancelled)
            waiting = _to_come(session, organisation_id, text, 20)
        assert (cancelled, waiting) == (first, first + 1)


def _to_come(session: Session, organisation_id: int, text: str, days: int) -> int:
    return versions.put_in_force(
        session,
        CONSOLE,
        organisation_id,
        text,
        Cause.CONSOLE,
        valid_from=NOON + timedelta(days=days),
    )
