"""What the overview shows to each role. All figures come from the rooms' own services.

A person with several roles sees one section for each, in the order of an indicator's life.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy.orm import Session

from app import clock
from app.access import Caller
from app.accounts import factor_resets
from app.accounts.records import Account
from app.accounts.service import list_accounts
from app.audit import reading
from app.audit.catalogue import Operation
from app.audit.service import append
from app.barriers import model_storage as models
from app.compliance import breaches, month_figures, reviews, signals, subject_requests
from app.disclosures import figures as disclosures
from app.disclosures import outcome_reading, recall_answers, recall_own
from app.indicators import service as indicators
from app.indicators.own import Figures as ReportFigures
from app.indicators.own import OwnReport
from app.lookups import service as lookups
from app.lookups import watches
from app.organisations.service import Member, directory
from app.patterns import figures as patterns
from app.pseudonyms import service as pseudonyms
from app.pseudonyms.models import KeyEpoch
from app.pseudonyms.quota import Remaining
from app.sharing import draft_pages, drafts
from app.sharing import service as sharing
from app.sharing.models import DraftStatus
from postern.vocabulary import EvaluationKind, Role

RECENT = timedelta(days=30)
SOON = timedelta(days=30)
LATEST = 5  # reports, lookups or entries that a section lists


@dataclass(frozen=True)
class SubmitterSection:
    figures: ReportFigures
    latest: Sequence[OwnReport]
    evaluations: Mapping[EvaluationKind, Remaining]
    outcomes: int  # that others told in the last 30 days


@dataclass(frozen=True)
class AnalystSection:
    """Lookups, the requests that follow some of them, and watches."""

    figures: lookups.Figures
    asked: disclosures.Asked
    watches: watches.Figures


@dataclass(frozen=True)
class ApproverSection:
    """`matches` counts the lookups of others that met one's indicators in the last 30 days.

    `proposals` counts drafts of the sharing policy that wait for this person's decision,
    `to_decide` the requests of others that wait, `patterns` versions of patterns that wait for a
    second person, `models` those of barrier models that wait for this one.
    """

    proposals: int
    to_decide: disclosures.ToDecide
    matches: int
    latest: Sequence[reading.ReadEntry]
    patterns: int = 0
    models: int = 0


@dataclass(frozen=True)
class ComplianceSection:
    """Entries and refusals of the last 30 days, and what waits for an officer.

    `to_judge` counts drawn entries of reviews, `signals` those that nobody has closed, `recalls`
    those of others that wait for an answer, `recalled` one's own that others have not answered,
    `subjects` requests of persons that wait for an answer; `months` are those of which a report can
    be made. `proposed` counts changes of colleagues' accounts that wait for this person's decision.
    """

    operations: Mapping[Operation, int]
    refusals: int
    latest: Sequence[reading.ReadEntry]
    to_judge: int
    signals: signals.Waiting
    recalls: int
    recalled: int
    subjects: int
    months: Sequence[date]
    breaches: breaches.Standing
    proposed: int

    @property
    def entries(self) -> int:
        """All entries of the period."""
        return sum(self.operations.values())


@dataclass(frozen=True)
class SharedWith:
    """What one other organisation may see of one's own today; `rows` only where it is something."""

    name: str
    rows: Sequence[sharing.LevelCount]


@dataclass(frozen=True)
class PolicySection:
    """`proposals` counts drafts that wait for this person's decision, the others as above."""

    proposals: int
    policy: sharing.CurrentPolicy
    shared: Sequence[SharedWith]
    patterns: int = 0
    models: int = 0


@dataclass(frozen=True)
class Epoch:
    """`ends_soon`: within 30 days."""

    row: KeyEpoch
    ends_soon: bool


@dataclass(frozen=True)
class AdministratorSection:
    members: Sequence[Member]
    accounts: Sequence[Account]
    epochs: Sequence[Epoch]


@dataclass(frozen=True)
class Overview:
    """A section is None for those who do not hold its role; `names` are by organisation code."""

    at: datetime
    names: Mapping[str, str]
    submitter: SubmitterSection | None
    analyst: AnalystSection | None
    approver: ApproverSection | None
    compliance: ComplianceSection | None
    policy: PolicySection | None
    administrator: AdministratorSection | None

    @property
    def is_empty(self) -> bool:
        """Whether the person holds no role at all."""
        sections = (self.submitter, self.analyst, self.approver, self.compliance, self.policy)
        return not any((*sections, self.administrator))


def read(session: Session, caller: Caller) -> Overview:
    """The sections of the caller's roles; opening them is logged as one act."""
    held = caller.roles
    # First, so that it does not list what the other sections append.
    compliance = _compliance(session, caller) if Role.COMPLIANCE in held else None
    overview = Overview(
        at=clock.now(),
        names={member.code: member.name for member in directory(session).values()},
        submitter=_submitter(session, caller) if Role.SUBMITTER in held else None,
        analyst=_analyst(session, caller) if Role.ANALYST in held else None,
        approver=_approver(session, caller) if Role.APPROVER in held else None,
        compliance=compliance,
        policy=_policy(session, caller) if Role.POLICY_OWNER in held else None,
        administrator=_administrator(session, caller) if Role.ADMINISTRATOR in held else None,
    )
    append(
        session,
        caller,
        "overview.read",
        object_type="overview",
        count=len(held),
        details={"sections": sorted(held)},
    )
    return overview


def _submitter(session: Session, caller: Caller) -> SubmitterSection:
    organisation_id, person_id = caller.member
    return SubmitterSection(
        figures=indicators.figures(session, organisation_id),
        latest=indicators.list_own(session, caller, LATEST).reports,
        evaluations=pseudonyms.remaining(session, organisation_id, person_id),
        outcomes=outcome_reading.recent_count(session, organisation_id),
    )


def _analyst(session: Session, caller: Caller) -> AnalystSection:
    organisation_id, _ = caller.member
    return AnalystSection(
        figures=lookups.figures(session, organisation_id, LATEST),
        asked=disclosures.asked(session, organisation_id),
        watches=watches.figures(session, organisation_id),
    )


def _approver(session: Session, caller: Caller) -> ApproverSection:
    since = clock.now() - RECENT
    matches = reading.Filters(operation=Operation.COMBINATION, since=since)
    return ApproverSection(
        proposals=_proposals(session, caller),
        to_decide=disclosures.to_decide(session, caller.member[0]),
        matches=reading.operation_counts(session, caller.organisation, since)[
            Operation.COMBINATION
        ],
        latest=reading.entries(session, caller.organisation, matches, limit=LATEST).entries,
        patterns=patterns.overview(session, caller.member[0]).awaiting,
        models=models.awaiting(session, caller.member[0], caller.person),
    )


def _compliance(session: Session, caller: Caller) -> ComplianceSection:
    since, code = clock.now() - RECENT, caller.organisation
    return ComplianceSection(
        operations=reading.operation_counts(session, code, since),
        refusals=reading.refusal_count(session, code, since),
        latest=reading.entries(session, code, reading.Filters(), limit=LATEST).entries,
        to_judge=reviews.waiting_count(session, caller.member[0]),
        signals=signals.waiting(session, caller),
        recalls=recall_answers.to_do_count(session, caller.member[0]),
        recalled=recall_own.open_count(session, caller.member[0]),
        subjects=subject_requests.open_count(session, caller.member[0]),
        months=month_figures.months(clock.now()),
        breaches=breaches.standing(session, caller.member[0]),
        proposed=factor_resets.waiting_count(session, caller),
    )


def _policy(session: Session, caller: Caller) -> PolicySection:
    counts = sharing.level_counts(session, caller.member[0], clock.now())
    names = dict.fromkeys(count.name for count in counts)
    return PolicySection(
        proposals=_proposals(session, caller),
        policy=sharing.current(session, caller, caller.organisation),
        shared=[
            SharedWith(name, [count for count in counts if count.name == name and count.total])
            for name in names
        ],
        patterns=patterns.overview(session, caller.member[0]).awaiting,
        models=models.awaiting(session, caller.member[0], caller.person),
    )


def _proposals(session: Session, caller: Caller) -> int:
    proposed = drafts.list_drafts(session, caller, DraftStatus.PROPOSED)
    return sum(draft_pages.may_decide(each) for each in proposed)


def _administrator(session: Session, caller: Caller) -> AdministratorSection:
    soon = clock.now() + SOON
    return AdministratorSection(
        members=sorted(directory(session).values(), key=lambda member: member.name),
        accounts=list_accounts(session, caller, caller.organisation),
        epochs=[Epoch(row, row.valid_to <= soon) for row in pseudonyms.epochs(session)],
    )
