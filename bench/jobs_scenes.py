"""What must have happened before a job of bench.jobs can be done, through the platform's services.

Where something is sealed, it is sealed and opened on the members' premises, as the command does it.
"""

import os
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any
from uuid import UUID

from app.access import CONSOLE
from app.audit.cosigning import accept
from app.audit.running import LogKeeper, sequencer
from app.audit.tree import newest
from app.audit.witnesses import register
from app.compliance import reviews, rounds
from app.compliance.reviews import Kinds
from app.disclosures import decisions, outcomes, requests
from app.disclosures.decisions import Ruling
from app.disclosures.messages import Sent
from app.disclosures.outcomes import Told
from app.disclosures.releasing import HandedIn
from app.disclosures.requests import Question
from app.indicators import service as indicators
from app.lookups import service as lookups
from app.lookups.scoring import Query
from app.organisations import keys as published_keys
from app.organisations import service as organisations
from app.sharing import drafts
from app.sharing.rule_schemas import to_form
from app.sharing.templates import template
from bench.jobs_stage import CASE, POLICE, POST, Stage
from postern import group, key_file_form, normalise, pseudonym, voprf
from postern.base64url import to_base64url
from postern.disclosing import Side
from postern.envelope import Resealing
from postern.facets import evaluation_input, facets
from postern.hpke import SecretKey
from postern.key_file import Member
from postern.organisation_keys import OrganisationKeys, lock_keys, new_keys
from postern.seal import seal
from postern.sealed_content import Value
from postern.sealed_message import Asked, Message
from postern.sealing import Sealer
from postern.tlog.notes import KIND_COSIGNATURE, Note, SigningKey
from postern.vocabulary import (
    EVALUATION_KIND,
    Answer,
    DecisionReason,
    Kind,
    LegalBasis,
    MessageKind,
    OutcomeResult,
    Purpose,
    RecallReason,
    RequestedAction,
    SealedPart,
    Sector,
    Step,
    Substance,
    Unit,
    Urgency,
)

HELD = normalise.Party("Sophie Van Damme", ("16, rue de la Loi",), "1040", "Bruxelles", "BE")
PASSPHRASE = "cobalt ferry lantern marble twig oslo"  # noqa: S105 - of keys made for a run
WHY = "A parcel of the same sender was seized in Köln. We need to know who sent it."
PROPOSAL = "Police of every member may ask"
LAST_MONTH = timedelta(days=40)
SAMPLE = 3  # entries that an officer judges

_FIELDS = {
    "name": "Sophie Van Damme",
    "street": "16, rue de la Loi",
    "postcode": "1040",
    "city": "Bruxelles",
    "country": "BE",
}
_ONE = (1).to_bytes(32, "little")
_RECORD = "shipment-1"
_SEARCHES = 100  # in the log that is verified


@cache
def key_file(code: str) -> tuple[OrganisationKeys, str]:
    """The keys of a member, an hour old, and the key file that its people have."""
    keys = new_keys(code, SecretKey.new().public, datetime.now(UTC) - timedelta(hours=1))
    file = lock_keys(keys, [Member.new("dispatch", PASSPHRASE, code)])
    return keys, key_file_form.written(file)


def held(stage: Stage) -> tuple[UUID, UUID]:
    """The post has reported somebody: the report and its indicator."""
    return _submit(stage, _indicator(stage))


def sealed(stage: Stage) -> tuple[UUID, UUID]:
    """The same, and the value lies sealed on the platform; both members' keys are published."""
    for code in (POST, POLICE):
        keys, _ = key_file(code)
        with stage.doing() as session:
            administrator = stage.people["administrator", code]
            published_keys.publish(session, administrator, [each.on_wire() for each in keys.chain])
    indicator = _indicator(stage)
    token = pseudonym.token(EVALUATION_KIND[Kind.PARTY], 1, _elements(stage)[0][1])
    value = Sealer.of(key_file(POST)[0]).value(Kind.PARTY, 1, token, f"{_RECORD}/0", _FIELDS)
    return _submit(stage, indicator | {"sealed": {"value": to_base64url(value)}})


def asked(stage: Stage) -> None:
    """Police have asked for it."""
    _ask(stage)


def proposed(stage: Stage) -> None:
    """One approver has decided to release it; a second is needed."""
    _propose(stage)


def released(stage: Stage) -> None:
    """Both have agreed, and it waits for police to open it."""
    request, decision = _propose(stage)
    with stage.doing() as session:
        decisions.judge(session, stage.approvers[1], request, decision, agrees=True)


def found(stage: Stage) -> None:
    """Police have found it."""
    held(stage)
    _search(stage)


def withdrawn(stage: Stage) -> None:
    """Police have found it, and the post has taken it back since."""
    report, _ = held(stage)
    _search(stage)
    with stage.doing() as session:
        indicators.withdraw(session, stage.submitter, report, "error", RecallReason.WRONG_DATA)


def told(stage: Stage) -> None:
    """Police have found it, and told what came of it."""
    _, indicator = held(stage)
    _search(stage)
    what = Told(
        *(Step.YES, Step.YES, Step.YES, Step.YES, OutcomeResult.FOUND),
        *(Substance.MDMA, Decimal(250), Unit.GRAM),
    )
    with stage.doing() as session:
        outcomes.tell(session, stage.analyst, indicator=indicator, case=CASE, told=what)


def drawn(stage: Stage) -> None:
    """A review was ordered last month; its sample has been drawn since; the clock is right."""
    with stage.doing() as session:
        reviews.order(
            session,
            stage.people["compliance", POLICE],
            title="Lookups and their cases",
            kinds=Kinds(act="lookup.ask"),
            sample=SAMPLE,
        )
    for _ in range(SAMPLE + 2):
        _search(stage)
    stage.clock.back = timedelta()
    sequencer(stage.runtime).step()
    with stage.doing() as session:
        rounds.draw_due(session)


def witnessed(stage: Stage) -> None:
    """The log has grown by more than a hundred entries, and two members have cosigned it."""
    held(stage)
    for _ in range(_SEARCHES):
        _search(stage)
    with stage.doing() as session:
        organisations.create(
            session,
            CONSOLE,
            code="customs-nl",
            name="Member customs-nl",
            sector=Sector.CUSTOMS,
            country="NL",
        )
    keeper = LogKeeper(stage.runtime, sequencer(stage.runtime))
    with stage.app.app_context():
        keeper.begin()
    keys = []
    for code in (POST, "customs-nl"):
        keys.append(SigningKey(f"{code}.example/witness", os.urandom(32), KIND_COSIGNATURE))
        with stage.doing() as session:
            register(session, CONSOLE, str(keys[-1].verifier), code)
    keeper.sequencer.step()
    for key in keys:
        with stage.doing() as session:
            head = newest(session)
            assert head is not None
            line = key.cosign(Note.parse(head.note).text, int(time.time())).line
            accept(session, f"{line}\n".encode())


def policy_proposed(stage: Stage) -> None:
    """A policy owner of the post has proposed another policy."""
    held(stage)
    owner = stage.people["policy-owner", POST]
    rules = to_form(template("police-ask").rules("BE"))
    with stage.doing() as session:
        begun = drafts.create(session, owner, title=PROPOSAL, form=rules)
    with stage.doing() as session:
        drafts.propose(session, owner, begun.id, begun.revision)


def _indicator(stage: Stage) -> dict[str, Any]:
    return {
        "kind": "party",
        "role": "sender",
        "epoch": 1,
        "elements": [
            {"facet": number, "element": to_base64url(element)}
            for number, element in _elements(stage)
        ],
        "learned": "outside_of_item",
        "legal_basis": "postal_law",
    }


def _submit(stage: Stage, indicator: dict[str, Any]) -> tuple[UUID, UUID]:
    with stage.doing() as session:
        report = {"client_key": _RECORD, "indicators": [indicator]}
        (made,) = indicators.submit(session, stage.submitter, [report]).results
    assert made.id is not None, made.errors
    return made.id, made.indicators[0]


def _search(stage: Stage) -> UUID:
    """Look HELD up as police; the lookup."""
    kind = EVALUATION_KIND[Kind.PARTY]
    tokens = [(number, pseudonym.token(kind, 1, element)) for number, element in _elements(stage)]
    with stage.doing() as session:
        return lookups.ask(
            session,
            stage.analyst,
            purpose=Purpose.CRIMINAL_INVESTIGATION,
            legal_basis=LegalBasis.CRIMINAL_PROCEDURE,
            case=CASE,
            queries=[Query("1", Kind.PARTY, 1, tokens)],
        ).lookup


def _ask(stage: Stage) -> UUID:
    """The request of police, whose message is sealed to the post."""
    _, indicator = sealed(stage)
    lookup = _search(stage)
    ours, theirs = key_file(POLICE)[0], key_file(POST)[0]
    about = Asked(CASE, str(indicator), Urgency.NORMAL.value, ("value",), "none")
    side = Side(ours, theirs.entry, theirs.signers)
    made = side.write(POST, MessageKind.ASK, Message(WHY, about), None)
    question = Question(
        *(CASE, Urgency.NORMAL, (SealedPart.VALUE,), RequestedAction.NONE),
        Sent(made.sealed, made.record),
    )
    with stage.doing() as session:
        return requests.ask(
            session, stage.analyst, lookup=lookup, indicator=indicator, question=question
        ).id


def _propose(stage: Stage) -> tuple[UUID, UUID]:
    """The request and the decision of the first approver, who sealed the value to police."""
    request = _ask(stage)
    first, _ = stage.approvers
    owner, requester = key_file(POST)[0], key_file(POLICE)[0]
    with stage.doing() as session:
        (stored,) = decisions.read_received(session, first, request).envelopes
        context = stored.context(POST, Resealing(str(request), POLICE, POST))
        value = Value(Kind.PARTY, _FIELDS).plaintext()
        given = seal(value, context, requester.entry.recipients, owner.identity)
        ruling = Ruling(Answer.ALL, DecisionReason.NECESSARY, [HandedIn(stored.id, given)])
        decided = decisions.decide(session, first, request, ruling).decision
    assert decided is not None
    return request, decided.id


def _elements(stage: Stage) -> list[tuple[int, bytes]]:
    """Facets of HELD and their elements, by the platform's own key, without being blinded."""
    normalised = normalise.normalise(HELD)
    kind = EVALUATION_KIND[normalised.kind]
    secret, _ = pseudonym.derive_epoch_key(stage.runtime.secrets.evaluation, kind, 1)
    return [
        (facet.number, group.mul(secret, voprf.blind(evaluation_input(facet, kind), r=_ONE)[1]))
        for facet in facets(normalised)
    ]
