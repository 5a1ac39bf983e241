"""Members, their communities and their contacts."""

from app.audit.catalogue.acts import KnownAct, Operation

ACTS: dict[str, KnownAct] = {
    "contact.change": KnownAct(
        Operation.ADMINISTRATION, "The desk through which others reach an organisation was entered."
    ),
    "contact.read": KnownAct(
        Operation.ADMINISTRATION, "The desk through which others reach an organisation was read."
    ),
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
}
