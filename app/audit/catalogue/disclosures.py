"""From a hit to what was given, what became of it, and its recall."""

from app.audit.catalogue.acts import KnownAct, Operation

ACTS: dict[str, KnownAct] = {
    "disclosure.answer": KnownAct(
        Operation.ADMINISTRATION, "A requester answered a question about its disclosure request."
    ),
    "disclosure.ask": KnownAct(
        Operation.CONSULTATION,
        "An organisation asked the owner of an indicator for its clear text.",
        follows_up=True,
    ),
    "disclosure.confirm": KnownAct(
        Operation.ADMINISTRATION, "A second person judged what another proposed to release."
    ),
    "disclosure.decide": KnownAct(
        Operation.ADMINISTRATION, "An approver decided on a disclosure request."
    ),
    "disclosure.end": KnownAct(
        Operation.ADMINISTRATION, "A disclosure request ended with its indicator."
    ),
    "disclosure.erase": KnownAct(
        Operation.ERASURE, "Sealed deliveries and messages of a disclosure request were erased."
    ),
    "disclosure.fetch": KnownAct(Operation.DISCLOSURE, "The requester fetched a sealed delivery."),
    "disclosure.forget": KnownAct(
        Operation.ERASURE, "Records of disclosure requests that ended long ago were erased."
    ),
    "disclosure.lapse": KnownAct(
        Operation.ADMINISTRATION, "A disclosure request lapsed: nobody decided in time."
    ),
    "disclosure.list": KnownAct(Operation.CONSULTATION, "Disclosure requests were listed."),
    "disclosure.open": KnownAct(
        Operation.CONSULTATION, "An approver fetched a sealed part, to decide on a request."
    ),
    "disclosure.overdue": KnownAct(
        Operation.ADMINISTRATION, "The clock of a disclosure request ran out before a decision."
    ),
    "disclosure.prepare": KnownAct(
        Operation.CONSULTATION, "The form to ask the owner of an indicator was opened."
    ),
    "disclosure.question": KnownAct(
        Operation.ADMINISTRATION, "An owner asked back about a disclosure request."
    ),
    "disclosure.read": KnownAct(Operation.CONSULTATION, "A disclosure request was read."),
    "disclosure.receipt": KnownAct(
        Operation.ADMINISTRATION, "A requester proved that it opened a delivery."
    ),
    "disclosure.release": KnownAct(
        Operation.DISCLOSURE, "Sealed parts of an indicator were released to a requester."
    ),
    "disclosure.review": KnownAct(
        Operation.ADMINISTRATION, "A second person looked at a release by break-glass."
    ),
    "disclosure.rules": KnownAct(
        Operation.ADMINISTRATION, "The rules of deciding on disclosure were changed."
    ),
    "disclosure.rules-read": KnownAct(
        Operation.ADMINISTRATION, "The rules of deciding on disclosure were read."
    ),
    "disclosure.withdraw": KnownAct(
        Operation.ADMINISTRATION, "A requester withdrew its disclosure request."
    ),
    "ledger.expire": KnownAct(
        Operation.ERASURE, "Who got what of indicators that ended long ago was erased."
    ),
    "ledger.export": KnownAct(
        Operation.CONSULTATION, "Who got what of one's own indicators was taken away as a file."
    ),
    "ledger.read": KnownAct(
        Operation.CONSULTATION, "It was read who got what of one's own indicators."
    ),
    "outcome.count": KnownAct(
        Operation.CONSULTATION, "It was read how reliable indicators turned out."
    ),
    "outcome.expire": KnownAct(Operation.ERASURE, "Outcomes past their retention were erased."),
    "outcome.list": KnownAct(Operation.CONSULTATION, "Outcomes were listed."),
    "outcome.tell": KnownAct(
        Operation.DISCLOSURE, "It was told what became of an indicator.", follows_up=True
    ),
    "outcome.told": KnownAct(
        Operation.DISCLOSURE, "Another organisation told what became of your indicator."
    ),
    "recall.answer": KnownAct(
        Operation.ADMINISTRATION, "A recall was acknowledged, or completed with what was done."
    ),
    "recall.answered": KnownAct(
        Operation.ADMINISTRATION, "A recipient acknowledged or completed your recall."
    ),
    "recall.escalate": KnownAct(Operation.ADMINISTRATION, "An answer to a recall is overdue."),
    "recall.list": KnownAct(Operation.ADMINISTRATION, "Recalls were listed."),
    "recall.make": KnownAct(
        Operation.ADMINISTRATION,
        "Recipients of your indicators were called upon to erase or correct what they got.",
    ),
    "recall.read": KnownAct(Operation.ADMINISTRATION, "A recall of the organisation was read."),
    "recall.receive": KnownAct(
        Operation.ADMINISTRATION, "Another organisation called back or corrected what you got."
    ),
    "recall.remind": KnownAct(
        Operation.ADMINISTRATION, "A reminder was sent of recalls that wait for an answer."
    ),
}
