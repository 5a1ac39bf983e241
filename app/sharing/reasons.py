"""Why something was granted: which policies of which version, for ever as it was decided."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.organisations.models import Organisation
from app.runtime import runtime
from app.sharing.models import GrantReason, PolicyVersion
from app.sharing.policy_text import platform_policies, still_valid

_KEPT = 10_000


@dataclass(frozen=True, slots=True)
class Decided:
    """The policies that granted something; `owner` and `version` 0 where the platform's did."""

    owner: str
    version: int
    policies: tuple[str, ...]

    @property
    def name(self) -> str:
        """The version as the log names it, such as post-be/3; platform where no owner decided."""
        return f"{self.owner}/{self.version}" if self.owner else "platform"


class KnownReasons(dict[int, Decided]):
    """Reasons that this process has read; rows of `grant_reason` are never changed."""


def decided(session: Session, reason_ids: Iterable[int]) -> Mapping[int, Decided]:
    """What each reason says, by its id; from memory when it was read before."""
    known = runtime().part(KnownReasons)
    wanted = set(reason_ids)
    missing = wanted - known.keys()
    if missing:
        if len(known) > _KEPT:
            known.clear()
            missing = wanted
        known.update(read(session, missing))
    return {reason_id: known[reason_id] for reason_id in wanted}


def read(session: Session, reason_ids: Iterable[int]) -> dict[int, Decided]:
    """What each reason says, by its id, from the database."""
    rows = session.execute(
        select(GrantReason.id, Organisation.code, PolicyVersion.seq, GrantReason.reasons)
        .outerjoin(PolicyVersion, PolicyVersion.id == GrantReason.policy_version_id)
        .outerjoin(Organisation, Organisation.id == PolicyVersion.organisation_id)
        .where(GrantReason.id.in_(list(reason_ids)))
    )
    return {
        reason_id: Decided(code or "", seq or 0, tuple(policies))
        for reason_id, code, seq, policies in rows
    }


def labels(session: Session, reason: Decided) -> list[str]:
    """The label of each policy that decided, as its author wrote it; its id if that is gone."""
    text = session.scalar(
        select(PolicyVersion.text)
        .join(Organisation, Organisation.id == PolicyVersion.organisation_id)
        .where(Organisation.code == reason.owner, PolicyVersion.seq == reason.version)
    )
    policies = (*platform_policies(), *still_valid(text or ""))
    known = {policy.id: policy.label for policy in policies}
    return [known.get(each, each) for each in reason.policies]
