"""What waits for a person, one line each, most urgent first: the head of their overview.

Every count is one that a section of the overview has read already. Who holds several roles sees
what is the same for two of them once.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from app.web.languages import gettext, ngettext

if TYPE_CHECKING:
    from app.web.overview import Overview


@dataclass(frozen=True)
class Task:
    """`count` stands before `words`, which say what there are so many of; `due_at` is the next."""

    count: int
    words: str
    address: str
    due_at: datetime | None = None

    def is_late(self, at: datetime) -> bool:
        """Whether its clock has run out."""
        return self.due_at is not None and self.due_at < at


def tasks_of(overview: "Overview") -> Sequence[Task]:
    """Those with a clock first, by what is due next; the others in the order of the roles."""
    once = {task.words: task for task in _all(overview) if task.count}
    return sorted(once.values(), key=lambda task: (task.due_at is None, task.due_at or overview.at))


def _all(overview: "Overview") -> Iterator[Task]:
    yield from _of_approver(overview)
    yield from _of_analyst(overview)
    yield from _of_policy(overview)
    yield from _of_compliance(overview)
    yield from _of_administrator(overview)


def _of_approver(overview: "Overview") -> Iterator[Task]:
    if overview.approver is None:
        return
    waits, received = overview.approver.to_decide, "/disclosures?box=received"
    yield Task(
        waits.open.count,
        ngettext(
            "disclosure request waits for a decision",
            "disclosure requests wait for a decision",
            waits.open.count,
        ),
        received,
        waits.open.due_at,
    )
    yield Task(
        waits.proposed.count,
        ngettext(
            "release waits for a second person",
            "releases wait for a second person",
            waits.proposed.count,
        ),
        received,
        waits.proposed.due_at,
    )
    yield _proposals(overview.approver.proposals)
    yield _patterns(overview.approver.patterns)
    yield _models(overview.approver.models)


def _of_analyst(overview: "Overview") -> Iterator[Task]:
    if overview.analyst is None:
        return
    asked, watches = overview.analyst.asked, overview.analyst.watches
    own = "/disclosures?box=asked"
    yield Task(
        asked.questioned.count,
        ngettext(
            "request waits for your answer to a question",
            "requests wait for your answer to a question",
            asked.questioned.count,
        ),
        own,
    )
    yield Task(
        asked.released.count,
        ngettext(
            "request was released: open it and confirm",
            "requests were released: open them and confirm",
            asked.released.count,
        ),
        f"{own}&show=given",
    )
    yield Task(
        watches.with_news,
        ngettext(
            "watch found something that nobody has looked at",
            "watches found something that nobody has looked at",
            watches.with_news,
        ),
        "/watches",
    )


def _of_policy(overview: "Overview") -> Iterator[Task]:
    if overview.policy is None:
        return
    yield _proposals(overview.policy.proposals)
    yield _patterns(overview.policy.patterns)
    yield _models(overview.policy.models)
    policy = overview.policy.policy
    if policy.version and not policy.is_valid:
        yield Task(1, gettext("policy in force is not valid any more: correct it"), "/policy")


def _of_compliance(overview: "Overview") -> Iterator[Task]:
    section = overview.compliance
    if section is None:
        return
    yield Task(
        section.breaches.open,
        ngettext("open breach of data", "open breaches of data", section.breaches.open),
        "/breaches",
        section.breaches.due_at,
    )
    yield Task(
        section.proposed,
        ngettext(
            "change of an account waits for your decision",
            "changes of accounts wait for your decision",
            section.proposed,
        ),
        "/people",
    )
    yield Task(
        section.subjects,
        ngettext("subject request to answer", "subject requests to answer", section.subjects),
        "/subjects",
    )
    yield Task(
        section.recalls,
        ngettext("recall to answer", "recalls to answer", section.recalls),
        "/recalls",
    )
    yield Task(
        section.signals.open,
        ngettext("open signal to look at", "open signals to look at", section.signals.open),
        "/signals",
    )
    yield Task(
        section.to_judge,
        ngettext("drawn entry to judge", "drawn entries to judge", section.to_judge),
        "/reviews",
    )


def _of_administrator(overview: "Overview") -> Iterator[Task]:
    if overview.administrator is None:
        return
    ending = sum(epoch.ends_soon for epoch in overview.administrator.epochs)
    yield Task(
        ending,
        ngettext(
            "key epoch ends within 30 days or has ended",
            "key epochs end within 30 days or have ended",
            ending,
        ),
        "/platform/epochs",
    )


def _proposals(count: int) -> Task:
    return Task(
        count,
        ngettext(
            "change of the sharing policy waits for your decision",
            "changes of the sharing policy wait for your decision",
            count,
        ),
        "/policy",
    )


def _patterns(count: int) -> Task:
    return Task(
        count,
        ngettext(
            "version of a pattern waits for a second person",
            "versions of patterns wait for a second person",
            count,
        ),
        "/patterns?shelf=own",
    )


def _models(count: int) -> Task:
    return Task(
        count,
        ngettext(
            "version of a barrier model waits for your decision",
            "versions of barrier models wait for your decision",
            count,
        ),
        "/barriers/models",
    )
