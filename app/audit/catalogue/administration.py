"""What administrators read: the platform, its quotas, the home pages."""

from app.audit.catalogue.acts import KnownAct, Operation

ACTS: dict[str, KnownAct] = {
    "overview.read": KnownAct(Operation.CONSULTATION, "A home page with figures was opened."),
    "platform.epochs": KnownAct(
        Operation.ADMINISTRATION, "It was read which evaluation keys are in use."
    ),
    "platform.health": KnownAct(Operation.ADMINISTRATION, "It was read how the platform is."),
    "platform.restore": KnownAct(
        Operation.ADMINISTRATION, "The platform was restored from a backup."
    ),
    "platform.size": KnownAct(Operation.ADMINISTRATION, "It was read how large the platform is."),
    "quota.read": KnownAct(
        Operation.ADMINISTRATION, "It was read what is left of an organisation's quotas."
    ),
}
