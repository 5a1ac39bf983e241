"""A platform on which everything about entering, abuse and breaches has happened, and much of it.

post-be is full: its emergency account is in use, second factors are to be removed, lists are long.
customs-nl has used its emergency account up; police-de has nothing of the sort.
"""

import itertools
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from flask import Flask
from sqlalchemy import update
from sqlalchemy.orm import Session

from app import clock
from app.access import CONSOLE
from app.accounts import break_glass, factor_resets, factors, people, sign_on, tokens
from app.accounts.factor_models import FactorKind, SecondFactor
from app.accounts.models import ApiToken
from app.accounts.sign_on import Wanted
from app.accounts.token_bounds import Bounds
from app.clock import day
from app.compliance import breaches
from app.compliance.breach_models import BreachStep, Risk
from app.compliance.models import Anomaly, Signal, Verdict
from app.pseudonyms import quota, rotation
from app.pseudonyms.models import KeyEpoch
from app.pseudonyms.sharing import _keep
from app.public_ids import new_public_id
from postern import threshold
from postern.key_sharing import Holder, KeySharing
from postern.vocabulary import EvaluationKind, Role, Scope
from tests.app.exchange import Exchange
from tests.app.people import Person, cross_site_headers, make_person, runtime_of, sign_in

FULL, USED_UP, BARE = "post-be", "customs-nl", "police-de"
TOTP_SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
MANY_TOKENS, MANY_SESSIONS, MANY_BREACHES = 60, 12, 52
AGENTS = (
    "Mozilla/5.0 (Windows NT 10.0) Firefox/128.0",
    "Mozilla/5.0 (iPhone) Version/17 Safari/604.1",
    "curl/8.0",
)
FACTS: dict[Signal, dict[str, Any]] = {
    Signal.BULK: {
        "identifiers": 4210,
        "lookups": 55,
        "usual": 31,
        "usual_own": 12,
        "limit": 310,
    },
    Signal.PROBING: {
        "lookups": 48,
        "identifiers": 48,
        "minutes": 12,
        "hits": 0,
        "pattern": "regular",
        "usual_days": 0,
    },
    Signal.NO_CASE_ACTIVITY: {"lone": 14, "cases": 16, "others_percent": 22},
    Signal.UNUSUAL_HOURS: {
        "lookups": 9,
        "from": "02:10",
        "to": "03:40",
        "weekend": True,
        "usual_acts": 812,
        "usual_days": 40,
        "usual_here": 0,
        "minutes_after_sign_in": 2,
    },
    Signal.OWN_INTEREST: {
        "lookups": 11,
        "cases": 6,
        "days": 9,
        "others": 0,
        "share_percent": 35,
    },
    Signal.QUOTA: {
        "used": 19_400,
        "limit": 20_000,
        "percent": 97,
        "kind": "postal",
        "window": "values-day",
    },
    Signal.NOT_FOLLOWED_UP: {"open": 9, "hits": 12, "others_percent": 18},
    Signal.REFUSALS: {"refused": 24, "what": "tokens", "limit": 20},
    Signal.SCREENING: {"what": "no-list", "evaluations": 30_000, "limit": 1000},
    Signal.UNUSED: {"evaluations": 16_000, "used": 3, "limit": 1000},
    Signal.WALKING: {"what": "purposes", "lookups": 40, "count": 5, "limit": 4},
    Signal.NEIGHBOURS: {
        "what": "pairs",
        "count": 17,
        "colleagues": 3,
        "values": 43,
        "limit": 3,
    },
    Signal.STEADY: {
        "what": "hours",
        "count": 6,
        "percent": 70,
        "used": 88_000,
        "limit": 20_000,
        "kind": "postal",
    },
}
"""What each kind of signal was raised for."""


@dataclass
class SecurityStage:
    """Who may be signed in, and what their pages are about."""

    exchange: Exchange
    full: Person  # every role of post-be
    used_up: Person  # every role of customs-nl
    bare: Person  # every role of police-de
    guarded: Person  # of post-be, with three second factors
    lost: Person  # of post-be, whose second factors are proposed to be removed
    glass: str  # the secret that opens post-be's emergency account
    breach: UUID
    signals: dict[Signal, UUID]


def make_stage(exchange: Exchange) -> SecurityStage:
    """Everything, in a minute of the platform's own services."""
    app = exchange.app
    administrator = make_person(app, FULL, [Role.ADMINISTRATOR])
    guarded, lost = (make_person(app, FULL, [Role.ANALYST, Role.SUBMITTER]) for _ in range(2))
    owners = [make_person(app, FULL, [Role.ANALYST, Role.SUBMITTER]) for _ in range(4)]
    full = exchange.people[FULL]
    with app.app_context(), exchange.database.transaction() as session:
        _make_factors(session, guarded, lost)
        factor_resets.propose(session, administrator.caller, lost.caller.pseudonym)
        people.change_roles(
            session,
            administrator.caller,
            owners[0].caller.pseudonym,
            frozenset({Role.ANALYST, Role.SUBMITTER, Role.COMPLIANCE}),
            frozenset({Role.ANALYST, Role.SUBMITTER}),
        )
        _make_tokens(session, [full, *owners])
        secrets = {code: break_glass.make(session, CONSOLE, code, 60) for code in (FULL, USED_UP)}
        found = _make_signals(session, full, owners[1])
        breach = _make_breaches(session, full)
        _use_budgets(session, exchange, [full, *owners])
        _make_keys(session)
    for code, secret in secrets.items():
        _break(app, secret)
        if code == USED_UP:
            with app.app_context(), exchange.database.transaction() as session:
                break_glass.end(session, CONSOLE, code)
    for agent, _ in zip(itertools.cycle(AGENTS), range(MANY_SESSIONS), strict=False):
        client = app.test_client()
        client.environ_base["HTTP_USER_AGENT"] = agent
        sign_in(client, full)
    return SecurityStage(
        exchange,
        full,
        exchange.people[USED_UP],
        exchange.people[BARE],
        guarded,
        lost,
        secrets[FULL],
        breach,
        found,
    )


def let_sign_on(exchange: Exchange, issuer: str, client_id: str, secret: str) -> None:
    """A provider in force at post-be and another that waits there; one that waits at police-de."""
    right = Wanted(
        issuer=issuer,
        client_id=client_id,
        secret=secret,
        role_claim="groups",
        roles={
            "desk": [Role.ANALYST, Role.SUBMITTER],
            "chiefs": [Role.ADMINISTRATOR, Role.COMPLIANCE, Role.ANALYST],
        },
        strong=["otp", "mfa"],
    )
    proposer = make_person(exchange.app, FULL, [Role.ADMINISTRATOR])
    with exchange.app.app_context(), exchange.database.transaction() as session:
        sign_on.propose(session, proposer.caller, right)
        proposed = sign_on.read(session, proposer.caller)
        which = next(each.id for each in proposed if each is not None and each.id)
        sign_on.decide(session, exchange.caller(FULL), str(which), agrees=True)
        sign_on.propose(session, proposer.caller, right)
        sign_on.propose(session, exchange.caller(BARE), right)


def _make_factors(session: Session, guarded: Person, lost: Person) -> None:
    for person, names in ((guarded, ("Telephone", "Old telephone", "Spare")), (lost, ("App",))):
        for name in names:
            public_id = uuid4()
            content = {"name": name, "secret": TOTP_SECRET}
            session.add(
                SecondFactor(
                    public_id=public_id,
                    person_id=person.person_id,
                    kind=FactorKind.TOTP,
                    sealed=factors._sealed(public_id, content),
                    counter=0,
                    added_at=clock.now() - timedelta(days=40),
                )
            )


def _make_tokens(session: Session, owners: list[Person]) -> None:
    networks = ("192.0.2.0/24", "2001:db8:aaaa:bbbb::/64", "198.51.100.16/28")
    for number, owner in zip(range(MANY_TOKENS), itertools.cycle(owners), strict=False):
        bounds = Bounds(
            networks[: number % 4], b"c" * 32 if number % 5 == 0 else None, number % 10 == 0
        )
        scopes = [Scope.EVALUATE, Scope.REPORTS_WRITE, Scope.LOOKUPS_WRITE][: 1 + number % 3]
        made = tokens.create_token(
            session, CONSOLE, owner.login, scopes=scopes, days=10 + number, bounds=bounds
        )
        if number % 3 == 0:
            session.execute(
                update(ApiToken)
                .where(ApiToken.public_id == made.token.id)
                .values(
                    created_at=clock.now() - timedelta(days=200),
                    last_used_on=day(clock.now() - timedelta(days=100)),
                    last_network="2001:db8::/32" if number % 2 else "192.0.0.0/16",
                )
            )
        if number % 4 == 0:
            tokens.revoke_token(session, CONSOLE, made.token.id)


def _make_signals(session: Session, officer: Person, about: Person) -> dict[Signal, UUID]:
    moment = clock.now()
    made: dict[Signal, UUID] = {}
    for number, (signal, facts) in enumerate((*FACTS.items(), *FACTS.items())):
        is_closed = number >= len(FACTS)
        row = Anomaly(
            public_id=new_public_id(moment),
            organisation_id=officer.caller.member[0],
            signal=signal,
            key=f"{signal.value}/{number}",
            person=about.caller.person if number % 2 else None,
            since=moment - timedelta(hours=7),
            until=moment - timedelta(hours=1),
            facts=facts,
            entries=[1, 2, 3],
            found_at=moment,
            assigned_to=officer.caller.person if number % 3 == 0 else None,
            due_on=(moment - timedelta(days=1)).date() if number % 6 == 0 else None,
            verdict=Verdict.IN_ORDER if is_closed else None,
            closed_by=officer.caller.person if is_closed else None,
            closed_at=moment if is_closed else None,
        )
        session.add(row)
        made.setdefault(signal, row.public_id)
    session.flush()
    return made


def _make_breaches(session: Session, officer: Person) -> UUID:
    moment = clock.now()

    def opened(title: str, hours: int, **more: datetime) -> UUID:
        aware = moment - timedelta(hours=hours)
        return breaches.open_breach(session, officer.caller, title=title, aware_at=aware, **more).id

    for number in range(MANY_BREACHES):
        opened(f"A mail with list {number} went to a wrong desk", 100 + number)
    told = opened("A laptop was left in a train", 90)
    for step, risk, text in (
        (BreachStep.RISK, Risk.UNLIKELY, "The disk is encrypted."),
        (BreachStep.CLOSED, None, "Found again, untouched."),
    ):
        breaches.add_note(session, officer.caller, told, step=step, text=text, risk=risk)
    opened("Nobody knows yet what was in the box that was stolen", 60)
    since = moment - timedelta(days=6)
    running = opened(
        "An export of reports was sent to an organisation that is no member",
        20,
        since=since,
        until=since + timedelta(hours=5),
    )
    for step, risk, text in (
        (BreachStep.FACT, None, "The export went out by mail on Friday.\nThe recipient rang."),
        (BreachStep.MEASURE, None, "They destroyed it and confirmed that in writing."),
        (BreachStep.RISK, Risk.HIGH, "Names stood in it; two people are in danger."),
    ):
        breaches.add_note(session, officer.caller, running, step=step, text=text, risk=risk)
    return running


def _use_budgets(session: Session, exchange: Exchange, spenders: list[Person]) -> None:
    settings = runtime_of(exchange.app).settings.quota
    for number, person in enumerate(spenders):
        organisation_id, person_id = person.caller.member
        quota.spend(
            session,
            settings,
            organisation_id=organisation_id,
            person_id=person_id,
            kind=EvaluationKind.POSTAL,
            elements=settings.hour // 5 - number,
        )


def _make_keys(session: Session) -> None:
    """One key is being rotated; another is shared with three holders."""
    kinds = list(EvaluationKind)
    dealt = threshold.deal(2, (1, 2, 3))
    names = tuple(
        Holder(place + 1, name) for place, name in enumerate((BARE, "court-be", "dpa-nl"))
    )
    addresses = [
        {"number": each.number, "name": each.name, "address": f"https://{each.name}.example"}
        for each in names
    ]
    epoch = session.get_one(KeyEpoch, (kinds[1], 1))
    sharing = KeySharing(bytes(epoch.public_key), dealt.commitments, names)
    epoch.public_key = sharing.public_key
    _keep(session, kinds[1], 1, sharing, addresses)
    rotation.begin(session, CONSOLE, kinds[:1], 7)


def _break(app: Flask, secret: str) -> None:
    client = app.test_client()
    headers = cross_site_headers(client)
    entered = client.post("/sign-in/break-glass", data={"secret": secret}, headers=headers)
    assert entered.status_code == 303, entered.text
