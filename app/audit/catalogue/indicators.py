"""Reports, indicators, sealed envelopes and legal holds."""

from app.audit.catalogue.acts import KnownAct, Operation

ACTS: dict[str, KnownAct] = {
    "envelope.attach": KnownAct(Operation.COLLECTION, "A sealed file was attached to a report."),
    "envelope.list": KnownAct(Operation.CONSULTATION, "The sealed parts of a report were listed."),
    "envelope.read": KnownAct(
        Operation.CONSULTATION,
        "A sealed part of a report was fetched; only its owner's keys open it.",
    ),
    "hold.list": KnownAct(Operation.ADMINISTRATION, "The legal holds were listed."),
    "hold.place": KnownAct(
        Operation.ADMINISTRATION, "A legal hold was placed on a report of one's own."
    ),
    "hold.release": KnownAct(Operation.ADMINISTRATION, "A legal hold was released."),
    "indicator.alert": KnownAct(
        Operation.COMBINATION,
        "Another organisation's lookup or watch matched your indicators, and was not told of it.",
    ),
    "indicator.amend": KnownAct(
        Operation.ALTERATION, "An indicator was amended by its owner; the entry says in what."
    ),
    "indicator.count": KnownAct(
        Operation.CONSULTATION, "What other organisations share was counted; no record left."
    ),
    "indicator.erase": KnownAct(
        Operation.ERASURE, "Indicators that a legal hold had kept were erased: it has ended."
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
    "indicator.restrict": KnownAct(
        Operation.ALTERATION,
        "Indicators past their expiry were restricted: a legal hold keeps them, without tokens.",
    ),
    "indicator.shared": KnownAct(
        Operation.DISCLOSURE,
        "Your indicators were given to another organisation: in a list, one by one or as a file.",
    ),
    "indicator.withdraw": KnownAct(
        Operation.ERASURE, "Indicators of a report were withdrawn by their owner; others stayed."
    ),
    "report.amend": KnownAct(
        Operation.ALTERATION, "A report was amended by its owner; the entry says in what."
    ),
    "report.list": KnownAct(Operation.CONSULTATION, "Reports were listed."),
    "report.read": KnownAct(Operation.CONSULTATION, "A report was read."),
    "report.submit": KnownAct(Operation.COLLECTION, "Reports were submitted."),
    "report.withdraw": KnownAct(Operation.ERASURE, "A report was withdrawn by its owner."),
}
