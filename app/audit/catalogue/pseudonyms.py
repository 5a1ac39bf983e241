"""Evaluation, its keys and their holders, and members' own keys."""

from app.audit.catalogue.acts import KnownAct, Operation

ACTS: dict[str, KnownAct] = {
    "evaluation.evaluate": KnownAct(
        Operation.CONSULTATION, "Blinded identifiers were evaluated; what they are is unknown."
    ),
    "evaluation.screen": KnownAct(
        Operation.CONSULTATION,
        "Blinded values of parcels were evaluated in bulk to screen; what they are is unknown.",
    ),
    "holder.admit": KnownAct(
        Operation.ADMINISTRATION, "A holder of key shares took an organisation's signing key."
    ),
    "holder.evaluate": KnownAct(
        Operation.CONSULTATION, "A holder evaluated, with its share, what an organisation signed."
    ),
    "holder.install": KnownAct(
        Operation.ADMINISTRATION, "A holder took shares of evaluation keys into its keeping."
    ),
    "key.alarm": KnownAct(
        Operation.ADMINISTRATION,
        "A member was offered other keys of a member than those it had pinned.",
    ),
    "key.close": KnownAct(
        Operation.ADMINISTRATION,
        "The old epoch of an evaluation key that is rotated was closed.",
    ),
    "key.close-alarm": KnownAct(Operation.ADMINISTRATION, "An alarm about keys was closed."),
    "key.epoch": KnownAct(Operation.ADMINISTRATION, "An evaluation key epoch was opened."),
    "key.list": KnownAct(Operation.ADMINISTRATION, "The published keys of members were read."),
    "key.proof": KnownAct(
        Operation.ADMINISTRATION, "The proof of a rotation of an evaluation key was read."
    ),
    "key.publish": KnownAct(Operation.ADMINISTRATION, "An organisation published its keys."),
    "key.rotate": KnownAct(
        Operation.ADMINISTRATION, "A new evaluation key was drawn, and stored values are moved."
    ),
    "key.wipe": KnownAct(Operation.ERASURE, "The old evaluation key of a rotation was wiped."),
}
