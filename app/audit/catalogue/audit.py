"""The log itself: read, proven, exported, erased, archived, witnessed."""

from app.audit.catalogue.acts import KnownAct, Operation

ACTS: dict[str, KnownAct] = {
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
}
