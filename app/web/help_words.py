"""What stands behind the words "What is this?" beside a hard field, in every language.

`{{ help_about("grades") }}` (macros.html) shows one of TOPICS: a question, an answer and, where a
field offers a closed list of codes, what each of them means. The words are for a first-time user
who knows parcels or investigations, and neither cryptography nor intelligence handling.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask_babel import lazy_gettext as _
from flask_babel.speaklater import LazyString


@dataclass(frozen=True)
class Topic:
    """`answer` is one or more sentences; `codes` are what a field offers, with their meaning."""

    question: LazyString
    answer: LazyString
    codes: Sequence[tuple[str, LazyString]] = ()


def help_topic(name: str) -> Topic:
    """The topic of that name; KeyError when there is none, which a page's test notices."""
    return TOPICS[name]


TOPICS: Mapping[str, Topic] = {
    # Of a report.
    "grades": Topic(
        _("What is X4?"),
        _(
            "How far the source can be trusted (a letter) and how far this piece of information"
            " can (a digit): Europol's 4x4 system. X4 is the default and says that nobody has"
            " judged it. Change it only when you know better."
        ),
        (
            ("A", _("No doubt about the source: it has always proved reliable.")),
            ("B", _("The source has mostly proved reliable.")),
            ("C", _("The source has mostly proved unreliable.")),
            ("X", _("The source has not been judged, or cannot be.")),
            ("1", _("Known to be true without reservation.")),
            ("2", _("The source knows it at first hand, the officer who passes it on does not.")),
            ("3", _("Not known at first hand, and other information supports it.")),
            ("4", _("Not known at first hand, and nothing supports it yet.")),
        ),
    ),
    "handling": Topic(
        _("What is H1?"),
        _(
            "Handling codes, as in SIENA: conditions that go with the record wherever it is seen."
            " Without one, only your policy and the law apply."
        ),
        (
            ("H0", _("Only to prevent and combat crime.")),
            ("H1", _("Not to be used in judicial proceedings without your permission.")),
            ("H2", _("Not to be passed on without your permission.")),
            ("H3", _("Other conditions, which you explain; others learn no more than presence.")),
        ),
    ),
    "tlp": Topic(
        _("What is TLP:AMBER?"),
        _(
            "The Traffic Light Protocol (version 2.0, by FIRST): how far a reader may pass the"
            " record on. It narrows what your policy allows and never widens it."
        ),
        (
            ("CLEAR", _("May go to everybody.")),
            ("GREEN", _("May go to the whole community, and not beyond it.")),
            (
                "AMBER",
                _("Others see it where your policy says so, and pass it on to nobody."),
            ),
            ("AMBER+STRICT", _("Stays within your organisation.")),
            ("RED", _("Stays with the people named; no other organisation's lookup finds it.")),
        ),
    ),
    "permitted_action": Topic(
        _("What is a permitted action?"),
        _(
            "How far a reader may go with it: only know it, watch for it, hold a parcel for"
            " customs, have it opened by the authority, or contact the sender. Know is the default."
            " Whatever is allowed, a person decides it each time and says why."
        ),
    ),
    "induction_point": Topic(
        _("What is an induction point?"),
        _(
            "Where the item entered the network: a counter, a parcel locker, a letter box or a"
            " pick-up round. It belongs to an operator and names no person, so it is shared"
            " readable, by the operator's own code."
        ),
    ),
    "barrier_step": Topic(
        _("What is a barrier step?"),
        _(
            "At which of the seven steps of the barrier model, from getting hold of the substance"
            " to collecting the profit, this was noticed. It helps to see where a barrier is"
            " missing. Leave it empty when you are not sure."
        ),
    ),
    "barrier_model": Topic(
        _("What is a barrier model?"),
        _(
            "A text that shows a crime in steps. The one that is shipped is derived from public"
            " sources and is not the official list of any authority: every statement says what it"
            " rests on. Your organisation may use a model of its own, or of one of its communities."
        ),
    ),
    "barrier_model_text": Topic(
        _("How is a model written?"),
        _(
            "In YAML, as docs/barrier-model.md describes it. Copy a model that you may read and"
            " change it: it gets an id of its own. Check tells every fault with its line and what"
            " to do, and keeps nothing. Write no person into it."
        ),
    ),
    "barrier_registered": Topic(
        _("What does it mean that a barrier is registered?"),
        _(
            "An organisation says that it has set it; nobody checks that here. Its record ends by"
            " itself: who set it renews it as long as it holds. None registered means that nobody"
            " recorded one that you may know of, not that there is none."
        ),
    ),
    "step_tag": Topic(
        _("What is a tag, and who decides?"),
        _(
            "A tag says at which step of the barrier model something was noticed, and which signals"
            " it shows. Rules suggest, and say by which facts; a person decides. A tag is never"
            " changed, only followed by the next, and each keeps the model by which it was made."
        ),
    ),
    "learned": Topic(
        _("How it was learned: why does it matter?"),
        _(
            "Secrecy of correspondence: what stands on the outside of an item may be noted by those"
            " who handle it, what is inside only after a lawful opening. Readers weigh the record"
            " by it, and so does a court."
        ),
    ),
    "subject_category": Topic(
        _("Why say what the person is?"),
        _(
            "The law keeps suspects, victims and people who know nothing apart (Directive (EU)"
            " 2016/680, Art. 6). A sender is often unwitting: leave unknown unless you know."
        ),
    ),
    "expiry": Topic(
        _("Why does it expire?"),
        _(
            "Everything here ends. On that day the indicator is erased on the platform and nobody"
            " finds it any more; you can report it again when it is still true."
        ),
    ),
    "sealed_note": Topic(
        _("What is sealed?"),
        _(
            "Clear text is locked in your browser to keys of your own organisation before it is"
            " sent. The platform stores what it cannot read; only your approvers can open it, when"
            " they decide a request."
        ),
    ),
    # Of a question.
    "purpose": Topic(
        _("What is the purpose?"),
        _(
            "Why you ask. The owner's policy answers by purpose, and the access log keeps it: what"
            " was learned for one purpose is not used for another. Choose the one that your case"
            " file will show."
        ),
    ),
    "legal_basis": Topic(
        _("What is the legal basis?"),
        _(
            "The law that lets you ask: for police and customs mostly the police law, criminal"
            " procedure or customs law, for operators the postal law or a legal obligation. Ask"
            " your compliance officer once which one fits your work."
        ),
    ),
    "case": Topic(
        _("What is the case reference?"),
        _(
            "The number under which your organisation keeps the file. It is logged for your own"
            " compliance officer; other organisations never read it. Write no name in it."
        ),
    ),
    "level": Topic(
        _("What are presence, metadata and on request?"),
        _(
            "How much of a matching record its owner's policy lets you see. Each holds what stands"
            " before it; the clear text itself is never shown, only disclosed by a person."
        ),
        (
            ("1", _("Presence: somebody holds something that matches, and how well it matches.")),
            ("2", _("Metadata: also its kind, grades, conditions and the coarse facts.")),
            ("3", _("On request: also that you may ask the owner to disclose it.")),
        ),
    ),
    "band": Topic(
        _("What do strong and likely mean?"),
        _(
            "How much of what you typed agrees, and how rare that is. Strong: hardly anything else"
            " fits. Likely: worth a look, such as the same building with another spelling of the"
            " name. Open the explanation to see which parts agree."
        ),
    ),
    "facet": Topic(
        _("What is a facet?"),
        _(
            "One way in which two spellings can be the same: the house, the street with the name,"
            " the sound of the name. Each becomes a token of its own, so that an address is still"
            " found when a part of it is written differently."
        ),
    ),
    "watch": Topic(
        _("What does a watch do?"),
        _(
            "It waits for what you looked up and tells you when somebody submits it, as far as"
            " their policy allows. It ends on the day that you choose. Where two organisations"
            " watch the same, both can learn of it and come to an arrangement."
        ),
    ),
    # Of a request and what follows.
    "urgency": Topic(
        _("Which clock runs?"),
        _(
            "How long the owner has to decide. Urgent and normal requests have the times of"
            " Directive (EU) 2023/977, Art. 5. The clock stands still while a question waits for"
            " you."
        ),
    ),
    "break_glass": Topic(
        _("When is it an imminent threat to life?"),
        _(
            "When somebody may die or be gravely hurt before an ordinary answer could come. The"
            " owner has minutes instead of days, one approver may then release alone, the offices"
            " of both sides are told at once, and a second person looks at it afterwards. Do not"
            " choose it to be faster."
        ),
    ),
    "four_eyes": Topic(
        _("What are four eyes?"),
        _(
            "Two persons: one decides, another confirms, and neither can do both. Until the second"
            " has confirmed, nothing leaves your organisation."
        ),
    ),
    "onward": Topic(
        _("What is passing on?"),
        _(
            "Giving what you were shown to a third organisation. Only where the owner's rule says"
            " so; TLP:AMBER and H2 forbid it."
        ),
    ),
    "recall": Topic(
        _("What is a recall?"),
        _(
            "The owner takes back what it reported or disclosed, because it was wrong or must be"
            " erased. Everybody who received it is told and says what became of it; who has not"
            " answered is counted."
        ),
    ),
    "outcome": Topic(
        _("Why record an outcome?"),
        _(
            "It tells the owner whether the indicator was worth something: located, held, examined,"
            " found or not found. Without outcomes nobody learns which reports help, and an error"
            " would live on."
        ),
    ),
    # Of keys and the log.
    "key_file": Topic(
        _("What is the key file?"),
        _(
            "The file that your key holder gave you, locked by a passphrase that only you know. It"
            " opens what was sealed for you. It stays in this browser and is never sent; when it is"
            " lost, your key holder makes another."
        ),
    ),
    "fingerprint": Topic(
        _("What is a fingerprint?"),
        _(
            "A short form of a public key that people can read out to each other. When both sides"
            " read the same, nobody has put another key in between. Compare it by telephone, with a"
            " number that you knew before."
        ),
    ),
    "epoch": Topic(
        _("What is an epoch?"),
        _(
            "The span of time in which one secret key of the platform makes the tokens. A new one"
            " begins from time to time, and nothing can be matched under a key that is gone. You"
            " need not do anything."
        ),
    ),
    # Of patterns and filters.
    "pattern": Topic(
        _("What is a pattern?"),
        _(
            "A rule about parcels, such as: five letters declared as documents, from one posting"
            " area to four addressees in a week. It names no person. A hit is a reason to look, not"
            " a finding; whoever screens tells back how often it was right."
        ),
    ),
    "pattern_text": Topic(
        _("How is a pattern written?"),
        _(
            "As a short text in YAML. Selections compare fields of a parcel, a condition joins them"
            " with and, or and not, an aggregate counts alike parcels within some days. Tests say"
            " which parcels must hit and which must not: it can be proposed when all of them come"
            " out so. Nothing in it can run."
        ),
    ),
    "pattern_figures": Topic(
        _("What do these figures tell?"),
        _(
            "How many of the examined parcels that it hit held something, with what this share lies"
            " within at 95 percent; and how many of a million parcels it hits, month by month: when"
            " that drifts, smugglers or the mail have changed. Organisations tell counts only, and"
            " small counts are hidden."
        ),
    ),
    "filter": Topic(
        _("What is in a screening filter?"),
        _(
            "Shortened tokens of indicators that their owners let you screen with, keyed for your"
            " organisation alone. A parcel that is in it is looked up by a person, for a purpose"
            " and a case; of all other parcels the platform learns nothing. When an indicator is"
            " withdrawn, the filter is called back."
        ),
    ),
    "token": Topic(
        _("What does the platform see of what I type?"),
        _(
            "Tokens: numbers that your browser makes together with the platform, without the"
            " platform learning what you typed. Equal values give equal tokens, and that is all"
            " that is compared."
        ),
    ),
    "quota": Topic(
        _("Why is there a quota?"),
        _(
            "Somebody who could try millions of addresses could guess what is stored. So each"
            " person and each organisation has a number of values an hour and a day; the page says"
            " when it is renewed."
        ),
    ),
    "checkpoint": Topic(
        _("What is a checkpoint?"),
        _(
            "The signed state of the access log at a moment: how many entries there are and one"
            " number that depends on all of them. Who keeps an old checkpoint can prove later that"
            " nothing was changed or taken out."
        ),
    ),
    "witness": Topic(
        _("What is a witness?"),
        _(
            "A program of another organisation that signs each checkpoint after checking that the"
            " log only grew. As long as witnesses sign, nobody, the platform included, can show two"
            " people two different logs."
        ),
    ),
    "share_class": Topic(
        _("Who will see this?"),
        _(
            "Your organisation's policy decides by what the record is marked with: kind, grades,"
            " handling, TLP. Records that are marked alike are seen by the same readers. No policy"
            " means that nobody else sees anything."
        ),
    ),
    "legal_hold": Topic(
        _("What is a legal hold?"),
        _(
            "A reasoned order to keep a record beyond its expiry, for a proceeding or a request of"
            " the person concerned. It has an end of its own and a second look before it."
        ),
    ),
}
"""Every topic that a page may name; a test holds pages and topics together."""
