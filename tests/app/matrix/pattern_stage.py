"""Shared patterns of the stage: one in force, one that is written, one that waits for a second."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4, uuid5

from sqlalchemy.orm import Session

from app.access import Caller
from app.indicators.telling import Grounds
from app.patterns import drafting, subscriptions
from app.patterns.reading import Pattern
from postern.vocabulary import LegalBasis, Purpose
from tests.app.matrix.compliance_stage import Made
from tests.app.matrix.expectations import Named, State
from tests.app.sharing.ground import NOON

_WHY = Grounds(Purpose.CRIMINAL_INVESTIGATION, LegalBasis.CRIMINAL_PROCEDURE, "")
_RULES = UUID("019caea7-6b40-7abc-8def-0123456789ac")


def make_patterns(session: Session, caller: Caller, *, drafts: bool = True) -> Made:
    """One in force, to which its own organisation subscribes, and two open drafts."""
    made = drafting.begin(session, caller, pattern_text(caller.organisation))
    made = drafting.propose(session, caller, made.listed.id, _revision(made))
    second = replace(caller, person=uuid4())
    drafting.approve(session, second, made.listed.id, _revision(made))
    subscriptions.subscribe(session, caller, _WHY, made.listed.id)
    found: Made = {
        (Named.PATTERN, State.LIVE): made.listed.id,
        (Named.PUBLISHED, State.LIVE): made.listed.id,
    }
    if drafts:
        written = drafting.begin(session, caller, pattern_text(f"{caller.organisation}/1"))
        proposed = drafting.begin(session, caller, pattern_text(f"{caller.organisation}/2"))
        drafting.propose(session, caller, proposed.listed.id, _revision(proposed))
        found[Named.PATTERN_DRAFT, State.EDITING] = written.listed.id
        found[Named.PATTERN_DRAFT, State.PROPOSED] = proposed.listed.id
    return found


def pattern_text(name: str) -> str:
    """A document that may be shared; its id follows from the name."""
    return f"""\
format: parcel-pattern/1
id: {uuid5(_RULES, name)}
title: Documents
status: test
author: Example
description: Letters.
references: [None]
barrier_step: 5
level: low
false_positives: [A club.]
tlp: GREEN
expires: {(NOON + timedelta(days=100)).date()}
detection:
  docs: {{declared_category: documents}}
  condition: docs
tests:
  hit: [{{declared_category: documents}}]
  miss: [{{declared_category: gift}}]
"""


def revision_in(state: State | None) -> int:
    """The revision of the open draft in that state."""
    return 2 if state is State.PROPOSED else 1


def _revision(pattern: Pattern) -> int:
    assert pattern.draft is not None
    return pattern.draft.revision
