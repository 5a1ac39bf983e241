"""Every act that the log knows: the source of docs/audit-acts.md and of the tests that hold it.

The class is the operation of Directive (EU) 2016/680, Art. 25(1); acts that concern no personal
data of an indicator are `administration`.
"""

from dataclasses import dataclass
from enum import StrEnum


class Operation(StrEnum):
    """LED Art. 25(1), and what lies outside it."""

    COLLECTION = "collection"
    ALTERATION = "alteration"
    CONSULTATION = "consultation"
    COMBINATION = "combination"
    DISCLOSURE = "disclosure"
    ERASURE = "erasure"
    ADMINISTRATION = "administration"


@dataclass(frozen=True)
class KnownAct:
    """One kind of act: its operation, and a sentence for people."""

    operation: Operation
    meaning: str


CATALOGUE: dict[str, KnownAct] = {
    "account.create": KnownAct(Operation.ADMINISTRATION, "A person was given an account."),
    "account.language": KnownAct(
        Operation.ADMINISTRATION, "A person chose the language of the pages."
    ),
    "account.list": KnownAct(Operation.ADMINISTRATION, "The accounts were listed."),
    "account.password": KnownAct(Operation.ADMINISTRATION, "A password was changed."),
    "account.role": KnownAct(Operation.ADMINISTRATION, "A role was granted or withdrawn."),
    "account.status": KnownAct(Operation.ADMINISTRATION, "An account was closed or unlocked."),
    "audit.read": KnownAct(Operation.ADMINISTRATION, "The audit log was read."),
    "evaluation.evaluate": KnownAct(
        Operation.CONSULTATION, "Blinded identifiers were evaluated; what they are is unknown."
    ),
    "indicator.alert": KnownAct(
        Operation.COMBINATION,
        "Another organisation's lookup matched your indicators, and was not told of it.",
    ),
    "indicator.count": KnownAct(
        Operation.CONSULTATION, "What other organisations share was counted; no record left."
    ),
    "indicator.expire": KnownAct(
        Operation.ERASURE, "Indicators past their expiry were erased with their tokens."
    ),
    "indicator.export": KnownAct(
        Operation.DISCLOSURE, "Indicators that other organisations share left as a file."
    ),
    "indicator.list": KnownAct(
        Operation.CONSULTATION, "Indicators that other organisations share were listed."
    ),
    "indicator.match": KnownAct(
        Operation.COMBINATION, "Another organisation's lookup matched your indicators."
    ),
    "indicator.onward": KnownAct(
        Operation.CONSULTATION,
        "It was asked whether an indicator may be passed on to a third organisation.",
    ),
    "indicator.read": KnownAct(Operation.CONSULTATION, "An indicator was read."),
    "indicator.shared": KnownAct(
        Operation.DISCLOSURE,
        "Your indicators were given to another organisation: in a list, one by one or as a file.",
    ),
    "interface.read": KnownAct(
        Operation.ADMINISTRATION, "The facts of the caller's own account were read."
    ),
    "key.epoch": KnownAct(Operation.ADMINISTRATION, "An evaluation key epoch was opened."),
    "lookup.ask": KnownAct(
        Operation.CONSULTATION, "Identifiers were looked up, with or without a hit."
    ),
    "lookup.expire": KnownAct(
        Operation.ERASURE, "Records of lookups past their retention were erased."
    ),
    "lookup.list": KnownAct(Operation.CONSULTATION, "The organisation's own lookups were listed."),
    "organisation.allow": KnownAct(
        Operation.ADMINISTRATION, "An organisation's evaluation allowance was set."
    ),
    "organisation.community": KnownAct(
        Operation.ADMINISTRATION, "An organisation joined or left a community."
    ),
    "organisation.create": KnownAct(Operation.ADMINISTRATION, "An organisation joined."),
    "organisation.list": KnownAct(Operation.ADMINISTRATION, "The organisations were listed."),
    "organisation.status": KnownAct(
        Operation.ADMINISTRATION, "An organisation was suspended or made active again."
    ),
    "overview.read": KnownAct(Operation.CONSULTATION, "A home page with figures was opened."),
    "policy.cancel": KnownAct(
        Operation.ADMINISTRATION, "A version of the sharing policy was cancelled before its time."
    ),
    "policy.check": KnownAct(
        Operation.ADMINISTRATION, "The text of a policy was checked, or made of a form of rules."
    ),
    "policy.draft": KnownAct(
        Operation.ADMINISTRATION,
        "A draft of the sharing policy was written, proposed, approved, refused or discarded.",
    ),
    "policy.explain": KnownAct(
        Operation.CONSULTATION, "It was read who may see an indicator, or why a hit was shown."
    ),
    "policy.invalid": KnownAct(
        Operation.ADMINISTRATION,
        "A sharing policy is no longer valid after an upgrade and shares nothing.",
    ),
    "policy.publish": KnownAct(
        Operation.ADMINISTRATION, "A version of the sharing policy was made; it says from when."
    ),
    "policy.read": KnownAct(Operation.ADMINISTRATION, "A sharing policy was read."),
    "policy.refill": KnownAct(
        Operation.ADMINISTRATION, "All sharing decisions were made anew from the policies in force."
    ),
    "policy.simulate": KnownAct(
        Operation.CONSULTATION, "It was computed who would gain or lose what by a draft."
    ),
    "report.list": KnownAct(Operation.CONSULTATION, "Reports were listed."),
    "report.read": KnownAct(Operation.CONSULTATION, "A report was read."),
    "report.submit": KnownAct(Operation.COLLECTION, "Reports were submitted."),
    "report.withdraw": KnownAct(Operation.ERASURE, "A report was withdrawn by its owner."),
    "session.end": KnownAct(Operation.ADMINISTRATION, "A person signed out."),
    "session.expire": KnownAct(Operation.ADMINISTRATION, "Sessions past their end were removed."),
    "session.start": KnownAct(Operation.ADMINISTRATION, "A person signed in."),
    "session.refuse": KnownAct(Operation.ADMINISTRATION, "A sign-in was refused."),
    "token.create": KnownAct(Operation.ADMINISTRATION, "An API token was made."),
    "token.list": KnownAct(Operation.ADMINISTRATION, "API tokens were listed."),
    "token.revoke": KnownAct(Operation.ADMINISTRATION, "An API token was revoked."),
    "token.refuse": KnownAct(Operation.ADMINISTRATION, "A presented API token was refused."),
}
