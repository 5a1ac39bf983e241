"""What deciding costs: Cedar's answers by themselves, and laying them out as rows to join."""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from statistics import median
from time import perf_counter
from typing import Any
from unittest.mock import patch

import cedarpy
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.access import CONSOLE, Caller
from app.clock import now
from app.sharing import engine, visibility
from app.sharing import service as sharing
from app.sharing.classes import AGE_BANDS
from app.sharing.engine import OwnerPolicies
from app.sharing.models import ShareGrant
from app.sharing.policy_text import read
from app.sharing.seats import Member, Seat
from app.sharing.simulation import simulate
from bench.policy_stage import CLASSES, COUNTRIES, PolicyStage, owner_code, policy_text
from postern.vocabulary import LegalBasis, Purpose, Role, Sector

ROUNDS = 7
SIMULATIONS = 3
ORGANISATIONS = 1000
_OWNER = Member(owner_code(0), Sector.POST, "BE")

# Asks for what the policies of the stage do not ask, so that no two classes fall together.
_ASKS_EVERYTHING = """
@id("owner-0000/never") @label("Asks for the rest of what the schema knows")
forbid (principal, action, resource)
when {
  resource.kind == Kind::"pgp" && resource.assertion == Assertion::"fact" &&
  resource.permittedAction == PermittedAction::"know" && resource.barrierStep == 7 &&
  resource.substance == Substance::"lsd" && principal.role == Role::"submitter"
};
"""


def decisions() -> dict[str, Any]:
    """Microseconds of a ruling on one (seat, class, band), and of one question by its action."""
    text = policy_text(0) + _ASKS_EVERYTHING
    subjects = [(each, band) for each in CLASSES for band in range(len(AGE_BANDS))]
    few = [_seat(f"police-{country}", Sector.POLICE, country) for country in COUNTRIES[:3]]
    few += [_seat(f"customs-{country}", Sector.CUSTOMS, country) for country in COUNTRIES[:3]]
    many = [
        replace(seat, member=replace(seat.member, code=f"{seat.member.code}-{number}"))
        for number in range(ORGANISATIONS // len(few) + 1)
        for seat in few
    ][:ORGANISATIONS]
    reading, cold, remembered, alike = [], [], [], []
    asking: dict[str, list[float]] = defaultdict(list)
    put: Counter[str] = Counter()
    for _ in range(ROUNDS):
        put.clear()
        start = perf_counter()
        policies = OwnerPolicies(read(text))
        reading.append(perf_counter() - start)
        with _questions(asking, put):
            cold.append(_rule(policies, few, subjects))
        remembered.append(_rule(policies, few, subjects))
        alike.append(_rule(OwnerPolicies(read(text)), many, subjects))
    return {
        "policies_in_the_text": len(read(text)),
        "ms_to_read_and_check_the_text": round(median(reading) * 1000, 2),
        "us_per_ruling_cold": _us(cold),
        "us_per_ruling_remembered": _us(remembered),
        "us_per_ruling_1000_organisations_of_6_kinds": _us(alike),
        "us_per_question": {action: _us(each) for action, each in asking.items()},
        "rulings": len(few) * len(subjects),
        "questions_put": put,
    }


def laying_out(stage: PolicyStage) -> dict[str, Any]:
    """Milliseconds of what makes decisions anew, with its commit, at the present owners."""
    stranger = stage.strangers.pop()
    rounds = range(min(ROUNDS, len(stage.owners)))
    ran = {
        "new_class_ms": [_timed(stage, _new_class(stage, number)) for number in rounds],
        "publish_ms": [_timed(stage, _publication(stage, number)) for number in rounds],
        "new_profile_ms": [_timed(stage, _new_profile(stranger))],
    }
    with stage.on.database.reading() as session:
        laid_out = session.execute(select(func.count()).select_from(ShareGrant)).scalar_one()
    stage.forget(stranger)
    return {"grants": laid_out} | {
        name: round(median(each) * 1000, 1) for name, each in ran.items()
    }


def simulation(stage: PolicyStage) -> dict[str, Any]:
    """Seconds of trying another policy of one owner, whose all indicators are, at the start of a
    process: neither policy was ever asked before."""
    owner = stage.owners[0]
    caller = replace(owner, person=stage.police.caller.person)
    whole, counting = [], []
    for _ in range(SIMULATIONS):
        engine._load.cache_clear()
        with stage.app.app_context(), stage.on.database.transaction() as session:
            start = perf_counter()
            counted = visibility.live_by_class(session, owner.member[0], now())
            counting.append(perf_counter() - start)
            start = perf_counter()
            tried = simulate(session, caller, policy_text(0, is_changed=True), now())
            whole.append(perf_counter() - start)
    (comparison,) = tried.comparisons
    assert comparison.indicators == sum(each.count for each in counted)
    return {
        "seconds": round(median(whole), 2),
        "seconds_most": round(max(whole), 2),
        "seconds_of_counting": round(median(counting), 2),
        "indicators": comparison.indicators,
        "readers_who_gain": len(comparison.gaining),
        "readers_who_lose": len(comparison.losing),
    }


def _seat(code: str, sector: Sector, country: str) -> Seat:
    is_police = sector is Sector.POLICE
    return Seat(
        Member(code, sector, country),
        Role.ANALYST,
        Purpose.CRIMINAL_INVESTIGATION if is_police else Purpose.CUSTOMS_CONTROL,
        LegalBasis.CRIMINAL_PROCEDURE if is_police else LegalBasis.CUSTOMS_LAW,
    )


def _rule(
    policies: OwnerPolicies, seats: Sequence[Seat], subjects: Sequence[engine.Subject]
) -> float:
    """Seconds for one ruling."""
    start = perf_counter()
    policies.rulings(_OWNER, seats, subjects)
    return (perf_counter() - start) / (len(seats) * len(subjects))


def _questions(asking: dict[str, list[float]], put: Counter[str]) -> AbstractContextManager[object]:
    """Note the seconds of a question put to Cedar, and how many there are, by their action."""
    whole = cedarpy.is_authorized_batch

    def timed(requests: list[dict[str, Any]], *rest: Any) -> Any:
        start = perf_counter()
        found = whole(requests, *rest)
        spent = perf_counter() - start
        action = requests[0]["action"].split('"')[1]
        asking[action].append(spent / len(requests))
        put[action] += len(requests)
        return found

    return patch.object(cedarpy, "is_authorized_batch", timed)


def _timed(stage: PolicyStage, act: Callable[[Session], object]) -> float:
    start = perf_counter()
    with stage.app.app_context(), stage.on.database.transaction() as session:
        act(session)
    return perf_counter() - start


def _new_class(stage: PolicyStage, number: int) -> Callable[[Session], object]:
    owner = stage.owners[number]
    # A step that no class of this owner has yet, however often this is measured.
    step = 1 + len(stage.strangers) % 7
    made = replace(CLASSES[number], barrier_step=step)
    return lambda session: sharing.share_class_ids(session, owner.member[0], [made])


def _publication(stage: PolicyStage, number: int) -> Callable[[Session], object]:
    code = stage.owners[number].organisation
    text = policy_text(number) + f"// {len(stage.owners)} organisations\n"
    return lambda session: sharing.publish(session, CONSOLE, code, text)


def _new_profile(stranger: Caller) -> Callable[[Session], object]:
    return lambda session: sharing.profile_id(
        session,
        stranger.member[0],
        Role.ANALYST,
        Purpose.CRIMINAL_INVESTIGATION,
        LegalBasis.CRIMINAL_PROCEDURE,
    )


def _us(seconds: Sequence[float]) -> float:
    return round(median(seconds) * 1e6, 2)
