"""An exchange on which every page has something to show: one record of each kind, made today."""

from datetime import date, timedelta
from uuid import UUID

from app import clock
from app.access import CONSOLE
from app.barriers import closing, modelling, tagging
from app.barriers.tagging import Subject
from app.compliance import subject_requests
from app.indicators import holds
from app.indicators.kinds import FACETS_OF
from app.indicators.telling import Grounds
from app.lookups import watches
from app.lookups.watches import Wanted
from app.organisations import service as organisations
from app.patterns import counting
from app.patterns.counting import Examined
from app.sharing import drafts
from postern.vocabulary import (
    HoldReason,
    Kind,
    LegalBasis,
    Purpose,
    SubjectRight,
    Tlp,
    Told,
)
from tests.app.barriers import ground, texts
from tests.app.exchange import JAN, POLICIES, SOPHIE, SOPHIE_TYPED, Exchange, place, report
from tests.app.matrix.compliance_stage import make_tasks
from tests.app.matrix.disclosure_stage import make_requests
from tests.app.matrix.jobs_stage import make_channels
from tests.app.matrix.keys_stage import make_alarms, publish_keys
from tests.app.matrix.recall_stage import make_recalls
from tests.app.patterns.shelf import publish, starter

HOME = "post-be"
"""Whose pages are full; its person holds every role."""

_ABROAD = "customs-nl"


def make_busy(exchange: Exchange) -> None:
    """Policies, reports, lookups and matches, so that no overview is empty."""
    for code in exchange.people:
        with exchange.app.app_context(), exchange.database.transaction() as session:
            organisations.join(session, CONSOLE, code, "postal-exchange", "Postal exchange")
    for code in exchange.people:
        exchange.publish(code, (POLICIES / f"{code}.cedar").read_text())
    exchange.submit(
        HOME,
        report("2026-001", exchange.indicator(SOPHIE), place()),
        report("2026-002", exchange.indicator(JAN)),
        report("2026-003"),
    )
    exchange.ask("police-de", SOPHIE_TYPED, JAN)
    exchange.ask(
        HOME,
        SOPHIE,
        purpose=Purpose.SERVICE_SECURITY,
        legal_basis=LegalBasis.POSTAL_LAW,
    )


def make_lively(exchange: Exchange) -> None:
    """What `make_busy` makes, and what follows from it: requests, recalls, watches, tasks."""
    make_busy(exchange)
    (abroad,) = exchange.submit(
        _ABROAD, report("NL-1", exchange.indicator(SOPHIE), place("AMS-1"))
    ).results
    own = exchange.submit(HOME, report("2026-004", exchange.indicator(SOPHIE))).results[0]
    last_day = clock.now().date() + timedelta(days=60)
    person, other = exchange.caller(HOME), exchange.caller(_ABROAD)
    with exchange.app.app_context(), exchange.database.transaction() as session:
        make_requests(session, person, other, own=own.indicators[0], others=abroad.indicators[0])
        make_recalls(session, person, other)
        make_channels(session, person)
        make_tasks(session, person)
        for code in (HOME, _ABROAD):
            publish_keys(session, exchange.caller(code))
        make_alarms(session, person, _ABROAD)
        holds.place(
            session, person, own.id, reason=HoldReason.PROCEEDINGS, until=last_day, case="K-1"
        )
        subject_requests.open_request(
            session, person, right=SubjectRight.ACCESS, case="K-2", note=""
        )
        watches.set_up(session, person, *_watch(last_day))
        text = (POLICIES / f"{HOME}.cedar").read_text()
        drafts.create(session, person, title="Customs sooner", text=text)
    make_patterns(exchange)
    make_barriers(exchange, own.id)


def make_barriers(exchange: Exchange, report_id: UUID) -> None:
    """A model in force, one of HOME's own whose next version waits, a barrier, and a tag."""
    ground.load(exchange, texts.TEXT)
    ground.in_force(exchange, HOME)
    ground.registered(exchange, HOME)
    person = exchange.caller(HOME)
    with exchange.app.app_context(), exchange.database.transaction() as session:
        (own,) = [each for each in modelling.list_models(session, person) if each.is_own]
        modelling.propose(session, person, own.model.public_id, ground.own_text(2, "De tweede"))
        for step in (2, 1):
            tagging.tag(session, person, Subject.REPORT, report_id, step, ["norway-gifts"])
        closing.close(session, clock.now())


def make_patterns(exchange: Exchange) -> None:
    """A pattern of two versions, so that they can be compared, with figures to be drawn."""
    text = starter("documents-fan-out")
    pattern = publish(exchange, HOME, text, text.replace("barrier_step: 5", "barrier_step: 6"))
    today, person = clock.now().date(), exchange.caller(HOME)
    with exchange.app.app_context(), exchange.database.transaction() as session:
        for version, hits in ((1, 31), (2, 47)):
            on = today - timedelta(days=31 * (2 - version))
            counting.tell_run(session, person, pattern, version, on, 900_000, hits)
            found = Examined(examined=20, found=4 + version, not_found=12, wrong=4 - version)
            counting.tell_outcomes(session, person, pattern, version, on, found)


def _watch(last_day: date) -> tuple[Grounds, Wanted]:
    (facet,) = FACETS_OF[Kind.INDUCTION_POINT]
    why = Grounds(Purpose.SERVICE_SECURITY, LegalBasis.POSTAL_LAW, "PV-2024-17")
    wanted = Wanted(
        kind=Kind.INDUCTION_POINT,
        epoch=0,
        tokens=[(facet, b"waited for 16 by")],
        tells=Told.BOTH,
        deconflicts=False,
        tlp=Tlp.AMBER,
        expires_on=last_day,
    )
    return why, wanted
