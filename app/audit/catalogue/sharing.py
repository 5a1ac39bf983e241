"""Sharing policies: written, decided, explained."""

from app.audit.catalogue.acts import KnownAct, Operation

ACTS: dict[str, KnownAct] = {
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
}
