"""Oversight: reviews, signals, requests of persons, breaches, retention, reports."""

from app.audit.catalogue.acts import KnownAct, Operation

ACTS: dict[str, KnownAct] = {
    "breach.close": KnownAct(
        Operation.ADMINISTRATION, "A breach was closed with a note on how it ended."
    ),
    "breach.expire": KnownAct(
        Operation.ERASURE, "Records of breaches past their time were erased."
    ),
    "breach.list": KnownAct(Operation.ADMINISTRATION, "The breaches were listed."),
    "breach.note": KnownAct(
        Operation.ADMINISTRATION, "What was found or done about a breach was noted."
    ),
    "breach.open": KnownAct(
        Operation.ADMINISTRATION, "A breach of personal data was recorded; its clock runs."
    ),
    "breach.read": KnownAct(Operation.ADMINISTRATION, "A breach was read."),
    "log.growth": KnownAct(Operation.ADMINISTRATION, "The size and growth of the log were read."),
    "log.read": KnownAct(
        Operation.ADMINISTRATION, "The state of the log, its witnesses and its alarms was read."
    ),
    "log.verify": KnownAct(
        Operation.ADMINISTRATION,
        "A person verified the log in a browser; what was found is the browser's word.",
    ),
    "oversight.report": KnownAct(
        Operation.ADMINISTRATION, "The report of a month was made and taken away."
    ),
    "privacy.pack": KnownAct(
        Operation.ADMINISTRATION, "The pack for an impact assessment was written."
    ),
    "privacy.read": KnownAct(Operation.ADMINISTRATION, "The record of processing was read."),
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
    "signal.assign": KnownAct(
        Operation.ADMINISTRATION, "A signal was given to an officer, or back to all of them."
    ),
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
    "subject.close": KnownAct(
        Operation.ADMINISTRATION, "A subject request was closed as answered or refused."
    ),
    "subject.expire": KnownAct(
        Operation.ERASURE, "Subject requests that were closed long ago were erased."
    ),
    "subject.list": KnownAct(Operation.ADMINISTRATION, "The subject requests were listed."),
    "subject.open": KnownAct(
        Operation.ADMINISTRATION, "A person's request for their rights was opened."
    ),
    "subject.read": KnownAct(Operation.ADMINISTRATION, "A subject request was read."),
    "subject.search": KnownAct(
        Operation.CONSULTATION,
        "One's own holdings were searched for a subject request; the entry has counts alone.",
    ),
}
