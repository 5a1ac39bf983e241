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
    """One kind of act: its operation, and a sentence for people.

    `follows_up`: it is done because of a hit, so a hit without one was left to itself.
    """

    operation: Operation
    meaning: str
    follows_up: bool = False


CATALOGUE: dict[str, KnownAct] = {
    "account.create": KnownAct(Operation.ADMINISTRATION, "A person was given an account."),
    "account.language": KnownAct(
        Operation.ADMINISTRATION, "A person chose the language of the pages."
    ),
    "account.list": KnownAct(Operation.ADMINISTRATION, "The accounts were listed."),
    "account.password": KnownAct(Operation.ADMINISTRATION, "A password was changed."),
    "account.role": KnownAct(Operation.ADMINISTRATION, "A role was granted or withdrawn."),
    "account.status": KnownAct(Operation.ADMINISTRATION, "An account was closed or unlocked."),
    "audit.alarm": KnownAct(
        Operation.ADMINISTRATION, "An alarm about the log itself was raised or closed."
    ),
    "audit.archive": KnownAct(
        Operation.ADMINISTRATION, "Old entries of the log were sealed in an archive file."
    ),
    "audit.erase": KnownAct(Operation.ERASURE, "Details of entries of the log were erased."),
    "audit.erasure": KnownAct(
        Operation.ADMINISTRATION, "The erasure of details of the log was asked for."
    ),
    "audit.evidence": KnownAct(
        Operation.ADMINISTRATION, "Signed checkpoints were handed in as evidence against the log."
    ),
    "audit.export": KnownAct(
        Operation.ADMINISTRATION, "Entries of the audit log were taken away as a file."
    ),
    "audit.key": KnownAct(
        Operation.ADMINISTRATION,
        "A key of the log began or ceased to sign.",
    ),
    "audit.prove": KnownAct(
        Operation.ADMINISTRATION, "A proof that an entry stands in the log was made."
    ),
    "audit.read": KnownAct(Operation.ADMINISTRATION, "The audit log was read."),
    "audit.retention": KnownAct(
        Operation.ADMINISTRATION, "It was set how long details of the log are kept."
    ),
    "audit.tag-keys": KnownAct(
        Operation.ADMINISTRATION,
        "The keys by which an organisation recognises its leaves were read.",
    ),
    "audit.timeline": KnownAct(
        Operation.ADMINISTRATION, "The timeline of a person, an object or a case was read."
    ),
    "audit.witness": KnownAct(
        Operation.ADMINISTRATION, "A witness of the log was registered or ended."
    ),
    "configuration.change": KnownAct(
        Operation.ADMINISTRATION, "The platform started with other settings than before."
    ),
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
        follows_up=True,
    ),
    "indicator.read": KnownAct(Operation.CONSULTATION, "An indicator was read.", follows_up=True),
    "indicator.shared": KnownAct(
        Operation.DISCLOSURE,
        "Your indicators were given to another organisation: in a list, one by one or as a file.",
    ),
    "interface.read": KnownAct(
        Operation.ADMINISTRATION, "The facts of the caller's own account were read."
    ),
    "key.epoch": KnownAct(Operation.ADMINISTRATION, "An evaluation key epoch was opened."),
    "log.growth": KnownAct(Operation.ADMINISTRATION, "The size and growth of the log were read."),
    "log.read": KnownAct(
        Operation.ADMINISTRATION, "The state of the log, its witnesses and its alarms was read."
    ),
    "lookup.ask": KnownAct(
        Operation.CONSULTATION, "Identifiers were looked up, with or without a hit."
    ),
    "lookup.expire": KnownAct(
        Operation.ERASURE, "Records of lookups past their retention were erased."
    ),
    "lookup.list": KnownAct(Operation.CONSULTATION, "The organisation's own lookups were listed."),
    "notification.read": KnownAct(Operation.ADMINISTRATION, "Notifications were read."),
    "notification.seen": KnownAct(Operation.ADMINISTRATION, "A notification was marked as seen."),
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
    "retention.read": KnownAct(
        Operation.ADMINISTRATION, "It was read how long details of the log are kept."
    ),
    "review.draw": KnownAct(
        Operation.ADMINISTRATION, "The sample of a review was drawn from the month's entries."
    ),
    "review.end": KnownAct(
        Operation.ADMINISTRATION, "A review was ended; no further sample is drawn."
    ),
    "review.export": KnownAct(
        Operation.ADMINISTRATION, "The findings of a review's round left as a file."
    ),
    "review.judge": KnownAct(
        Operation.ADMINISTRATION, "A drawn entry was judged: in order, mistake, breach or unclear."
    ),
    "review.list": KnownAct(Operation.ADMINISTRATION, "The reviews were listed."),
    "review.order": KnownAct(Operation.ADMINISTRATION, "A monthly review of entries was ordered."),
    "review.read": KnownAct(
        Operation.ADMINISTRATION, "A review, or a round of it with its entries, was read."
    ),
    "session.end": KnownAct(Operation.ADMINISTRATION, "A person signed out."),
    "session.expire": KnownAct(Operation.ADMINISTRATION, "Sessions past their end were removed."),
    "session.start": KnownAct(Operation.ADMINISTRATION, "A person signed in."),
    "session.refuse": KnownAct(Operation.ADMINISTRATION, "A sign-in was refused."),
    "signal.close": KnownAct(
        Operation.ADMINISTRATION, "A person closed a signal and said what they found."
    ),
    "signal.list": KnownAct(Operation.ADMINISTRATION, "The signals were listed."),
    "signal.raise": KnownAct(
        Operation.ADMINISTRATION,
        "Something unusual in the log was brought to the compliance officers' attention.",
    ),
    "signal.read": KnownAct(
        Operation.ADMINISTRATION, "A signal was read, with the entries that show it."
    ),
    "token.create": KnownAct(Operation.ADMINISTRATION, "An API token was made."),
    "token.list": KnownAct(Operation.ADMINISTRATION, "API tokens were listed."),
    "token.revoke": KnownAct(Operation.ADMINISTRATION, "An API token was revoked."),
    "token.refuse": KnownAct(Operation.ADMINISTRATION, "A presented API token was refused."),
}


OBJECT_TYPES = (
    "account",
    "audit-alarm",
    "audit-archive",
    "audit-checkpoint",
    "audit-entry",
    "audit-key",
    "audit-log",
    "audit-retention",
    "audit-witness",
    "class",
    "community",
    "evaluation",
    "grant",
    "indicator",
    "key_epoch",
    "lookup",
    "notification",
    "organisation",
    "overview",
    "policy",
    "policy-draft",
    "policy-template",
    "policy-text",
    "report",
    "review",
    "review-round",
    "session",
    "settings",
    "signal",
    "token",
)
"""What acts are about (`obj` of a record); a test holds the list to the code."""
