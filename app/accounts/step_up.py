"""Acts of weight ask again who is there: a session left open on a desk is not its person.

A view of WEIGHTY runs when the session's last proof is younger than
`session.step_up_minutes`. Otherwise the person is asked, on a page that carries what they typed:
its form goes to the same address with the same fields and a proof beside them, so nothing is kept
and nothing is lost. Tokens are not asked: their scopes bound them already.
"""

from datetime import timedelta

from flask import g, render_template, request
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from app import clock
from app.access import Means
from app.accounts import factors, passkeys
from app.accounts.authentication import BY_PASSWORD, Refusal, SignedIn, signed_in
from app.accounts.factors import Proof
from app.accounts.models import Credential, CredentialKind, PersonAccount, WebSession
from app.accounts.passkeys import Purpose
from app.accounts.passwords import passwords
from app.accounts.sign_in import count_failure, is_locked
from app.audit.entry import Outcome
from app.audit.service import append
from app.errors import NotAllowedError
from app.problems import is_for_machines
from app.runtime import runtime

ALWAYS = 10
"""Minutes for changes of how a person signs in, where `session.step_up_minutes` asks for none."""

OF_FACTORS = frozenset(
    f"accounts.security.{view}"
    for view in ("add_app", "add_passkey", "begin_app", "remove", "renew_codes")
)

WEIGHTY = frozenset(
    {
        "account.create_token",
        "account.rotate_token",
        "accounts.break_glass.look",
        "accounts.create_token",
        "accounts.people.add",
        "accounts.people.change_roles",
        "accounts.people.close",
        "accounts.people.decide",
        "accounts.people.decide_factor_reset",
        "accounts.people.enable",
        "accounts.people.make_link",
        "accounts.people.propose_factor_reset",
        "accounts.people.reset_password",
        "accounts.rotate_token",
        "accounts.sign_on.decide",
        "accounts.sign_on.end",
        "accounts.sign_on.propose",
        "audit-export.take_away",
        "audit-retention.ask_erasure",
        "audit-retention.choose_retention",
        "barrier_models.approve",
        "barriers.approve_model",
        "channels.add_channel",
        "channels.rotate_secret",
        "compliance.holds.release",
        "compliance.log.end",
        "compliance.log.register",
        "compliance.reviews.export",
        "compliance.take_away",
        "compliance.take_month",
        "compliance.upkeep.ask",
        "compliance.upkeep.choose",
        "disclosure_pages.change_rules",
        "disclosure_pages.judge",
        "disclosure_pages.ledger.export",
        "disclosure_pages.refuse",
        "disclosures.change_rules",
        "disclosures.decide",
        "disclosures.judge",
        "exchange_changes.add_news",
        "exchange_changes.rotate_news_secret",
        "exchange_news.add",
        "exchange_news.rotate_secret",
        "exchange_pages.open_one",
        "holds.release",
        "indicators.export_shared",
        "jobs.add_channel",
        "jobs.rotate_secret",
        "organisation_pages.change_contact",
        "organisation_pages.close_alarm",
        "organisations.change_contact",
        "organisations.publish_keys",
        "pattern_pages.approve",
        "patterns.approve",
        "policies.approve_draft",
        "policies.cancel_version",
        "reviews.export_findings",
        "shared_pages.take",
        "sharing.cancel_version",
        "sharing.drafts.approve",
        "witnesses.end",
        "witnesses.register",
    }
)
"""Views that decide, release, grant or take away; a test finds each among the routes."""

_FIELDS = frozenset({"csrf_token", "proof_code", "proof_password", "proof_passkey"})
_ASKED, _REFUSED = 403, 422


class ProofNeededError(NotAllowedError):
    code = "proof-needed"
    title = "Prove once more that it is you: the last proof of this session is too old"
    remedy = "Open /account/prove in this browser, then send this again."


def ask_if_stale() -> Response | None:
    """Before a view of weight: None where the proof is new enough or was given with the request.

    Otherwise the page that asks; ProofNeededError for programs and scripts.
    """
    proof = signed_in()
    minutes = _minutes(request.endpoint or "")
    if proof is None or proof.session_hash is None or _is_fresh(proof, minutes):
        return None
    is_offered = any(request.form.get(each) for each in _FIELDS - {"csrf_token"})
    if is_offered:
        # In a transaction of its own, so that a failure is counted whatever follows.
        with runtime().database.transaction() as session:
            is_proved = prove(session)
        if is_proved:
            return None
    return _ask(failed=is_offered)


def prove(session: Session) -> bool:
    """Judge the proof in the form in progress and note it for the session; False when it fails."""
    proof = signed_in()
    if proof is None or proof.session_hash is None:
        raise NotAllowedError
    password = request.form.get("proof_password", "")
    compared, is_right = _compared(proof.caller.member[1], password) if password else (None, False)
    offered = Proof(request.form.get("proof_code", ""), request.form.get("proof_passkey", ""))
    return _judge(session, proof, offered, compared if is_right else None)


def asking() -> dict[str, object]:
    """What the template of the questions needs: `has_factor`, `passkey` (options or "")."""
    proof = signed_in()
    if proof is None or proof.session_hash is None:
        raise NotAllowedError
    with runtime().database.reading() as session:
        has_factor = factors.has_factor(session, proof.caller.member[1])
        ids = factors.credential_ids(session, proof.caller.member[1])
    is_offered = bool(ids) and passkeys.are_possible()
    options = passkeys.asking_options(Purpose.PROVE, proof.session_hash, ids) if is_offered else ""
    return {"has_factor": has_factor, "passkey": options}


def _minutes(endpoint: str) -> int:
    wanted = runtime().settings.session.step_up_minutes
    if endpoint in OF_FACTORS:
        return wanted or ALWAYS
    return wanted if endpoint in WEIGHTY else 0


def _ask(*, failed: bool) -> Response:
    g.refused = True
    if is_for_machines() or request.is_json:
        raise ProofNeededError
    kept = [(name, value) for name, value in request.form.items(multi=True) if name not in _FIELDS]
    page = render_template(
        "accounts/prove.html",
        action=request.full_path.rstrip("?") if request.method == "POST" else None,
        next=request.full_path.rstrip("?"),
        kept=kept,
        is_kept=bool(kept),
        has_files=bool(request.files),
        failed=failed,
        **asking(),
    )
    return Response(page, _REFUSED if failed else _ASKED, mimetype="text/html")


def _is_fresh(proof: SignedIn | None, minutes: int) -> bool:
    if proof is None or proof.proved_at is None or not minutes:
        return True
    if proof.caller.means is Means.BREAK_GLASS:
        return True  # it has no other proof than its secret, and ends by itself
    return clock.now() - proof.proved_at < timedelta(minutes=minutes)


def _compared(person_id: int, password: str) -> tuple[str | None, bool]:
    with runtime().database.reading() as session:
        stored = session.scalar(
            select(Credential.secret_hash).where(
                Credential.person_id == person_id, Credential.kind == CredentialKind.PASSWORD
            )
        )
    return stored, passwords().is_right(stored, password)


def _judge(session: Session, proof: SignedIn, offered: Proof, compared: str | None) -> bool:
    person = session.scalars(
        select(PersonAccount).where(PersonAccount.id == proof.caller.member[1]).with_for_update()
    ).one()
    own = session.get(WebSession, proof.session_hash)
    refusal = Refusal.LOCKED if is_locked(person) else None
    proved = None
    if refusal is None and own is not None:
        proved = _proved(session, person, proof, offered, compared)
        refusal = None if proved else Refusal.SECOND_FACTOR
    if own is None or proved is None:
        if refusal is Refusal.SECOND_FACTOR:
            count_failure(person)
        told = {"refusal": (refusal or Refusal.EXPIRED).value}
        append(session, proof.caller, "session.prove", outcome=Outcome.DENIED, details=told)
        return False
    person.failures, person.locked_until = 0, None
    own.proved_by, own.proved_at = sorted({*own.proved_by, proved}), clock.now()
    by = {"proved_by": [proved]}
    append(session, proof.caller, "session.prove", object_type="session", count=1, details=by)
    return True


def _proved(
    session: Session, person: PersonAccount, proof: SignedIn, offered: Proof, compared: str | None
) -> str | None:
    """By what: a password counts only for who has no second factor."""
    if factors.has_factor(session, person.id):
        subject = proof.session_hash or b""
        return factors.use(session, person, offered, Purpose.PROVE, subject)
    stored = session.get(Credential, (person.id, CredentialKind.PASSWORD))
    is_theirs = stored is not None and compared is not None and stored.secret_hash == compared
    return BY_PASSWORD if is_theirs else None
