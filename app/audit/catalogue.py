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
    "account.decide": KnownAct(
        Operation.ADMINISTRATION, "A second person decided on a role that was proposed."
    ),
    "account.language": KnownAct(
        Operation.ADMINISTRATION, "A person chose the language of the pages."
    ),
    "account.list": KnownAct(Operation.ADMINISTRATION, "The accounts were listed."),
    "account.password": KnownAct(Operation.ADMINISTRATION, "A password was changed."),
    "account.propose": KnownAct(
        Operation.ADMINISTRATION, "A role was proposed for a person and waits for a second one."
    ),
    "account.read": KnownAct(Operation.ADMINISTRATION, "The account of a person was read."),
    "account.role": KnownAct(Operation.ADMINISTRATION, "A role was granted or withdrawn."),
    "account.status": KnownAct(
        Operation.ADMINISTRATION, "An account was disabled, enabled, closed or unlocked."
    ),
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
    "break-glass.end": KnownAct(
        Operation.ADMINISTRATION, "An emergency account was ended before its time."
    ),
    "break-glass.look": KnownAct(
        Operation.ADMINISTRATION,
        "A person said that they read what was done with an emergency account.",
    ),
    "break-glass.open": KnownAct(
        Operation.ADMINISTRATION, "An emergency account was entered with its sealed secret."
    ),
    "break-glass.read": KnownAct(
        Operation.ADMINISTRATION, "It was read how an emergency account stands."
    ),
    "break-glass.refuse": KnownAct(
        Operation.ADMINISTRATION, "A secret of an emergency account was refused."
    ),
    "break-glass.seal": KnownAct(
        Operation.ADMINISTRATION, "A secret was made for an emergency account."
    ),
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
    "channel.add": KnownAct(Operation.ADMINISTRATION, "A channel for notifications was set up."),
    "channel.list": KnownAct(Operation.ADMINISTRATION, "The organisation's channels were listed."),
    "channel.read": KnownAct(
        Operation.ADMINISTRATION, "It was read what a channel sent and was to send."
    ),
    "channel.remove": KnownAct(
        Operation.ADMINISTRATION, "A channel was removed and its address erased."
    ),
    "channel.trial": KnownAct(
        Operation.ADMINISTRATION, "A trial message of a channel was asked for."
    ),
    "configuration.change": KnownAct(
        Operation.ADMINISTRATION, "The platform started with other settings than before."
    ),
    "contact.change": KnownAct(
        Operation.ADMINISTRATION, "The desk through which others reach an organisation was entered."
    ),
    "contact.read": KnownAct(
        Operation.ADMINISTRATION, "The desk through which others reach an organisation was read."
    ),
    "deconfliction.list": KnownAct(
        Operation.CONSULTATION, "It was read who else works on what one's own watches wait for."
    ),
    "deconfliction.match": KnownAct(
        Operation.COMBINATION,
        "Two organisations that watch for the same were told of each other, as both policies say.",
    ),
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
    "envelope.attach": KnownAct(Operation.COLLECTION, "A sealed file was attached to a report."),
    "envelope.list": KnownAct(Operation.CONSULTATION, "The sealed parts of a report were listed."),
    "envelope.read": KnownAct(
        Operation.CONSULTATION,
        "A sealed part of a report was fetched; only its owner's keys open it.",
    ),
    "evaluation.evaluate": KnownAct(
        Operation.CONSULTATION, "Blinded identifiers were evaluated; what they are is unknown."
    ),
    "evaluation.screen": KnownAct(
        Operation.CONSULTATION,
        "Blinded values of parcels were evaluated in bulk to screen; what they are is unknown.",
    ),
    "exchange.add": KnownAct(
        Operation.COLLECTION,
        "Objects came by TAXII: indicators were submitted, amended or withdrawn, sightings stored.",
    ),
    "exchange.delete": KnownAct(
        Operation.ERASURE, "An object was deleted by TAXII: its indicator was withdrawn."
    ),
    "exchange.discover": KnownAct(
        Operation.ADMINISTRATION, "The addresses of the platform's TAXII service were read."
    ),
    "exchange.fed": KnownAct(
        Operation.ADMINISTRATION, "It was read which organisations fetch one's indicators by feed."
    ),
    "exchange.key": KnownAct(
        Operation.CONSULTATION,
        "The key was fetched by which an organisation recognises what its exchange tokens mean.",
    ),
    "exchange.sighted": KnownAct(
        Operation.DISCLOSURE, "Another organisation saw again what your indicator is about."
    ),
    "exchange.status": KnownAct(
        Operation.ADMINISTRATION, "It was read what became of objects that came by TAXII."
    ),
    "exchange.sweep": KnownAct(
        Operation.ERASURE, "Sightings and statuses of TAXII whose time was over were erased."
    ),
    "exchange.close": KnownAct(
        Operation.ADMINISTRATION, "A collection for standard clients was ended before its day."
    ),
    "exchange.compare": KnownAct(
        Operation.ADMINISTRATION, "A collection was put in line to be compared as a whole."
    ),
    "exchange.expire": KnownAct(
        Operation.ADMINISTRATION, "A collection for standard clients ended with its last day."
    ),
    "exchange.list": KnownAct(
        Operation.ADMINISTRATION, "An organisation's collections for standard clients were listed."
    ),
    "exchange.manifest": KnownAct(
        Operation.CONSULTATION, "It was listed which objects a collection holds."
    ),
    "exchange.news-add": KnownAct(
        Operation.ADMINISTRATION, "An address was named that is told when a collection changed."
    ),
    "exchange.news-again": KnownAct(
        Operation.ADMINISTRATION, "It was asked that an address be told of a collection anew."
    ),
    "exchange.news-list": KnownAct(
        Operation.ADMINISTRATION, "The addresses that are told of a collection were listed."
    ),
    "exchange.news-remove": KnownAct(
        Operation.ADMINISTRATION, "An address is told of a collection no more, and was forgotten."
    ),
    "exchange.news-sent": KnownAct(
        Operation.ADMINISTRATION,
        "A message that a collection changed was sent, failed, was given up or was withheld.",
    ),
    "exchange.news-try": KnownAct(
        Operation.ADMINISTRATION,
        "A message that a collection changed is about to be sent; it holds no content.",
    ),
    "exchange.open": KnownAct(
        Operation.ADMINISTRATION,
        "A collection was opened, from which standard clients take what others share, "
        "or their own.",
    ),
    "exchange.read": KnownAct(
        Operation.ADMINISTRATION, "How a collection for standard clients stands was read."
    ),
    "exchange.serve": KnownAct(
        Operation.CONSULTATION, "Objects of a collection were taken by a standard client."
    ),
    "exchange.versions": KnownAct(
        Operation.CONSULTATION, "The versions of an object of a collection were listed."
    ),
    "factor.add": KnownAct(Operation.ADMINISTRATION, "A person added a second factor."),
    "factor.recovery": KnownAct(
        Operation.ADMINISTRATION, "A person got new recovery codes for their sign-in."
    ),
    "factor.remove": KnownAct(Operation.ADMINISTRATION, "A person removed a second factor."),
    "factor.rename": KnownAct(Operation.ADMINISTRATION, "A person renamed a second factor."),
    "factor.reset": KnownAct(
        Operation.ADMINISTRATION,
        "It was proposed or decided that the second factors of a person are removed.",
    ),
    "filter.build": KnownAct(
        Operation.DISCLOSURE, "A large screening filter that was asked for was built, or not."
    ),
    "filter.call-back": KnownAct(
        Operation.ADMINISTRATION,
        "A screening filter was stopped: an indicator in it was withdrawn.",
    ),
    "filter.changes": KnownAct(
        Operation.DISCLOSURE, "What changed since an older screening filter was fetched."
    ),
    "filter.expire": KnownAct(
        Operation.ERASURE, "The content of screening filters that were over was erased."
    ),
    "filter.fetch": KnownAct(Operation.DISCLOSURE, "A part of a screening filter was fetched."),
    "filter.list": KnownAct(Operation.ADMINISTRATION, "Screening filters were listed."),
    "filter.make": KnownAct(
        Operation.DISCLOSURE,
        "A screening filter was made of what an organisation may screen its parcels for.",
    ),
    "filter.read": KnownAct(Operation.ADMINISTRATION, "A screening filter was read about."),
    "filter.shared": KnownAct(
        Operation.DISCLOSURE,
        "Indicators of yours went into another organisation's screening filter, as your policy "
        "says.",
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
    "interface.read": KnownAct(
        Operation.ADMINISTRATION, "The facts of the caller's own account were read."
    ),
    "key.alarm": KnownAct(
        Operation.ADMINISTRATION,
        "A member was offered other keys of a member than those it had pinned.",
    ),
    "key.close-alarm": KnownAct(Operation.ADMINISTRATION, "An alarm about keys was closed."),
    "job.read": KnownAct(
        Operation.ADMINISTRATION, "It was read how the work in the background stands."
    ),
    "job.retry": KnownAct(
        Operation.ADMINISTRATION, "A job whose tries were used up was begun anew."
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
    "key.close": KnownAct(
        Operation.ADMINISTRATION,
        "The old epoch of an evaluation key that is rotated was closed.",
    ),
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
    "ledger.expire": KnownAct(
        Operation.ERASURE, "Who got what of indicators that ended long ago was erased."
    ),
    "ledger.export": KnownAct(
        Operation.CONSULTATION, "Who got what of one's own indicators was taken away as a file."
    ),
    "ledger.read": KnownAct(
        Operation.CONSULTATION, "It was read who got what of one's own indicators."
    ),
    "log.growth": KnownAct(Operation.ADMINISTRATION, "The size and growth of the log were read."),
    "log.read": KnownAct(
        Operation.ADMINISTRATION, "The state of the log, its witnesses and its alarms was read."
    ),
    "log.verify": KnownAct(
        Operation.ADMINISTRATION,
        "A person verified the log in a browser; what was found is the browser's word.",
    ),
    "lookup.ask": KnownAct(
        Operation.CONSULTATION, "Identifiers were looked up, with or without a hit."
    ),
    "lookup.expire": KnownAct(
        Operation.ERASURE, "Records of lookups past their retention were erased."
    ),
    "lookup.list": KnownAct(Operation.CONSULTATION, "The organisation's own lookups were listed."),
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
    "notification.read": KnownAct(Operation.ADMINISTRATION, "Notifications were read."),
    "notification.seen": KnownAct(Operation.ADMINISTRATION, "A notification was marked as seen."),
    "notification.sent": KnownAct(
        Operation.ADMINISTRATION,
        "The sending of a notification by a channel ended: sent, withheld, failed or given up.",
    ),
    "notification.try": KnownAct(
        Operation.ADMINISTRATION, "A notification was about to be handed to a channel."
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
    "oversight.report": KnownAct(
        Operation.ADMINISTRATION, "The report of a month was made and taken away."
    ),
    "overview.read": KnownAct(Operation.CONSULTATION, "A home page with figures was opened."),
    "platform.epochs": KnownAct(
        Operation.ADMINISTRATION, "It was read which evaluation keys are in use."
    ),
    "platform.health": KnownAct(Operation.ADMINISTRATION, "It was read how the platform is."),
    "platform.size": KnownAct(Operation.ADMINISTRATION, "It was read how large the platform is."),
    "policy.cancel": KnownAct(
        Operation.ADMINISTRATION, "A version of the sharing policy was cancelled before its time."
    ),
    "policy.check": KnownAct(
        Operation.ADMINISTRATION, "The text of a policy was checked, or made of a form of rules."
    ),
    "pattern.check": KnownAct(
        Operation.ADMINISTRATION, "A document of a shipping pattern was checked and tried."
    ),
    "pattern.count": KnownAct(
        Operation.ADMINISTRATION, "It was read how a shipping pattern turned out."
    ),
    "pattern.deprecate": KnownAct(
        Operation.ADMINISTRATION, "It was said that a shipping pattern is used no longer."
    ),
    "pattern.draft": KnownAct(
        Operation.ADMINISTRATION,
        "A version of a shipping pattern was written, proposed, withdrawn, refused or discarded.",
    ),
    "pattern.erase": KnownAct(
        Operation.ADMINISTRATION, "Shipping patterns that were over long ago were erased."
    ),
    "pattern.fetch": KnownAct(
        Operation.ADMINISTRATION, "The shipping patterns to screen with were fetched."
    ),
    "pattern.list": KnownAct(Operation.ADMINISTRATION, "Shipping patterns were listed."),
    "pattern.outcome": KnownAct(
        Operation.ADMINISTRATION, "It was told what examining the hits of a pattern showed."
    ),
    "pattern.publish": KnownAct(
        Operation.ADMINISTRATION,
        "A second person published a version of a shipping pattern.",
    ),
    "pattern.read": KnownAct(Operation.ADMINISTRATION, "A shipping pattern was read."),
    "pattern.run": KnownAct(
        Operation.ADMINISTRATION, "It was told how many parcels a pattern was run over, and hit."
    ),
    "pattern.shared": KnownAct(
        Operation.ADMINISTRATION,
        "Another organisation got the rule of your shipping pattern, as your policy says.",
    ),
    "pattern.subscribe": KnownAct(
        Operation.ADMINISTRATION, "An organisation subscribed to a shipping pattern."
    ),
    "pattern.unsubscribe": KnownAct(
        Operation.ADMINISTRATION, "A subscription to a shipping pattern was ended."
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
    "privacy.pack": KnownAct(
        Operation.ADMINISTRATION, "The pack for an impact assessment was written."
    ),
    "privacy.read": KnownAct(Operation.ADMINISTRATION, "The record of processing was read."),
    "quota.read": KnownAct(
        Operation.ADMINISTRATION, "It was read what is left of an organisation's quotas."
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
    "report.amend": KnownAct(
        Operation.ALTERATION, "A report was amended by its owner; the entry says in what."
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
    "screening.allow": KnownAct(
        Operation.ADMINISTRATION, "Evaluations for screening were agreed with an organisation."
    ),
    "screening.end": KnownAct(Operation.ADMINISTRATION, "What was agreed for screening ended."),
    "screening.read": KnownAct(
        Operation.ADMINISTRATION, "It was read how many evaluations are agreed for screening."
    ),
    "server.add": KnownAct(
        Operation.ADMINISTRATION, "A subscription to a collection of another server was set up."
    ),
    "server.ask": KnownAct(
        Operation.ADMINISTRATION, "It was asked for that a server be asked before its time."
    ),
    "server.asked": KnownAct(
        Operation.COLLECTION, "A server that an organisation polls answered, or failed."
    ),
    "server.erase": KnownAct(
        Operation.ERASURE, "What was received from other servers was erased at the end of its time."
    ),
    "server.list": KnownAct(
        Operation.ADMINISTRATION, "The subscriptions to other servers were listed."
    ),
    "server.read": KnownAct(
        Operation.ADMINISTRATION, "It was read how a subscription to another server fares."
    ),
    "server.received": KnownAct(Operation.CONSULTATION, "It was read what another server sent."),
    "server.remove": KnownAct(
        Operation.ERASURE, "A subscription was removed, with all that was received by it."
    ),
    "server.try": KnownAct(
        Operation.ADMINISTRATION, "A server that an organisation polls was about to be asked."
    ),
    "session.await": KnownAct(
        Operation.ADMINISTRATION, "A password was right, and a second factor is waited for."
    ),
    "session.end": KnownAct(Operation.ADMINISTRATION, "A person signed out."),
    "session.expire": KnownAct(Operation.ADMINISTRATION, "Sessions past their end were removed."),
    "session.start": KnownAct(Operation.ADMINISTRATION, "A person signed in."),
    "session.prove": KnownAct(
        Operation.ADMINISTRATION, "A person was asked to prove again that it is them."
    ),
    "session.refuse": KnownAct(Operation.ADMINISTRATION, "A sign-in was refused."),
    "sign-on.decide": KnownAct(
        Operation.ADMINISTRATION, "A second person decided on a proposed provider of sign-in."
    ),
    "sign-on.end": KnownAct(
        Operation.ADMINISTRATION, "The provider of sign-in of an organisation was ended."
    ),
    "sign-on.link": KnownAct(
        Operation.ADMINISTRATION, "A person linked their account with one at the provider."
    ),
    "sign-on.propose": KnownAct(
        Operation.ADMINISTRATION, "A provider of sign-in was proposed for an organisation."
    ),
    "sign-on.read": KnownAct(Operation.ADMINISTRATION, "The settings of single sign-on were read."),
    "sign-on.unlink": KnownAct(
        Operation.ADMINISTRATION, "A person undid the link of their account."
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
    "token.create": KnownAct(Operation.ADMINISTRATION, "An API token was made."),
    "token.list": KnownAct(Operation.ADMINISTRATION, "API tokens were listed."),
    "token.revoke": KnownAct(Operation.ADMINISTRATION, "An API token was revoked."),
    "token.rotate": KnownAct(Operation.ADMINISTRATION, "An API token got a new secret."),
    "token.refuse": KnownAct(Operation.ADMINISTRATION, "A presented API token was refused."),
    "watch.erase": KnownAct(
        Operation.ERASURE, "Records of watches past their retention were erased."
    ),
    "watch.expire": KnownAct(
        Operation.ERASURE,
        "Watches ended on their last day, or with the right of who set them; their tokens went.",
    ),
    "watch.list": KnownAct(Operation.CONSULTATION, "The organisation's own watches were listed."),
    "watch.match": KnownAct(
        Operation.COMBINATION, "A watch matched an indicator; it names whoever may know of it."
    ),
    "watch.read": KnownAct(Operation.CONSULTATION, "A watch was read, with what it found."),
    "watch.set": KnownAct(
        Operation.CONSULTATION,
        "A watch was set: its organisation is told when an indicator of a value is submitted.",
        follows_up=True,
    ),
    "watch.stop": KnownAct(Operation.ERASURE, "A watch was stopped and its tokens were erased."),
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
    "barrier",
    "barrier-counts",
    "barrier-model",
    "breach",
    "channel",
    "class",
    "collection",
    "community",
    "disclosure_request",
    "disclosure_rules",
    "envelope",
    "evaluation",
    "exchange-key",
    "exchange-status",
    "filter",
    "grant",
    "hold",
    "indicator",
    "job",
    "key-alarm",
    "key_epoch",
    "lookup",
    "notification",
    "organisation",
    "outcome",
    "overview",
    "pattern",
    "platform",
    "policy",
    "policy-draft",
    "policy-template",
    "policy-text",
    "provider",
    "quota",
    "recall",
    "record",
    "report",
    "review",
    "review-round",
    "server",
    "session",
    "settings",
    "signal",
    "subject-request",
    "token",
    "watch",
)
"""What acts are about (`obj` of a record); a test holds the list to the code."""
