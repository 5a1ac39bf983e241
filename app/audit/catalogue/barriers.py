"""Barriers, their models and the steps of the barrier model."""

from app.audit.catalogue.acts import KnownAct, Operation

ACTS: dict[str, KnownAct] = {
    "barrier.board": KnownAct(
        Operation.CONSULTATION, "The board of the barrier model was read, as of the last week."
    ),
    "barrier.change": KnownAct(
        Operation.ADMINISTRATION, "A registered barrier was renewed, or its last day was told."
    ),
    "barrier.erase": KnownAct(
        Operation.ERASURE, "Registered barriers whose record had ended were erased."
    ),
    "barrier.export": KnownAct(
        Operation.CONSULTATION, "The board of the barrier model was taken away as a file."
    ),
    "barrier.gaps": KnownAct(
        Operation.ADMINISTRATION, "It was read at which steps a barrier holds, and at which none."
    ),
    "barrier.list": KnownAct(Operation.ADMINISTRATION, "Registered barriers were listed."),
    "barrier.read": KnownAct(Operation.ADMINISTRATION, "A registered barrier was read."),
    "barrier.recount": KnownAct(
        Operation.ADMINISTRATION,
        "Counts of the board were found to differ from the reports, and are counted anew.",
    ),
    "barrier.register": KnownAct(
        Operation.ADMINISTRATION, "An organisation registered a barrier that it has set."
    ),
    "barrier.shared": KnownAct(
        Operation.ADMINISTRATION,
        "Another organisation was told of your barrier, as your policy says.",
    ),
    "model.check": KnownAct(Operation.ADMINISTRATION, "The text of a barrier model was checked."),
    "model.choose": KnownAct(Operation.ADMINISTRATION, "The barrier model to use was chosen."),
    "model.compare": KnownAct(
        Operation.ADMINISTRATION, "Two versions of a barrier model were compared."
    ),
    "model.draft": KnownAct(
        Operation.ADMINISTRATION,
        "A version of a barrier model was proposed, withdrawn or refused, or lapsed.",
    ),
    "model.erase": KnownAct(
        Operation.ADMINISTRATION, "A version of a barrier model that was never in force was erased."
    ),
    "model.list": KnownAct(Operation.ADMINISTRATION, "Barrier models were listed."),
    "model.load": KnownAct(
        Operation.ADMINISTRATION, "The barrier model that is shipped was put in force."
    ),
    "model.publish": KnownAct(
        Operation.ADMINISTRATION, "A second person put a version of a barrier model in force."
    ),
    "model.read": KnownAct(Operation.ADMINISTRATION, "A barrier model was read."),
    "step.read": KnownAct(
        Operation.CONSULTATION, "The tags of a report, a pattern or an outcome were read."
    ),
    "step.suggest": KnownAct(
        Operation.CONSULTATION, "Step and signals were suggested for a report of one's own."
    ),
    "step.tag": KnownAct(
        Operation.ALTERATION,
        "A person tagged a report, a pattern or an outcome with a step and signals.",
    ),
}
