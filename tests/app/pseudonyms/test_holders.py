"""A holder of key shares: whom it believes, how often, and what it keeps of it."""

import dataclasses
import secrets
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, text

from app import create_app
from app.access import CONSOLE
from app.audit.models import AuditEntry
from app.config import Settings
from app.database import Database
from app.organisations import service as organisations
from app.organisations.models import OrganisationStatus
from app.pseudonyms import holder_service, moved_shares, service
from app.pseudonyms.holder_errors import (
    ChainRefusedError,
    EpochExistsError,
    ShareHeldError,
    ShareInUseError,
)
from app.pseudonyms.holder_models import HolderRequest
from app.pseudonyms.moved_shares import HeldKey, Standing
from app.pseudonyms.sharing import find, move, share_keys, sharing_of
from postern import group, threshold, voprf
from postern.base64url import from_base64url, to_base64url
from postern.key_document import read as read_document
from postern.key_sharing import Ceremony, Holder
from postern.signed_evaluation import TOLERANCE_SECONDS, Question, Signed, sign
from postern.vocabulary import EvaluationKind, Purpose, Role, Scope, Sector
from tests.app.people import bearer, make_organisation, make_person
from tests.postern.premises import fresh_keys, locked

POSTAL = EvaluationKind.POSTAL
QUOTA = 12
HOLDERS = (Holder(1, "alpha"), Holder(2, "beta"), Holder(3, "gamma"))
AWAY = "http://127.0.0.1:9"  # where nothing listens
DEALT = {kind: threshold.deal(2, (1, 2, 3)) for kind in EvaluationKind}
CEREMONY = Ceremony(
    platform="Postern",
    epoch=1,
    holders=HOLDERS,
    addresses=dict.fromkeys((1, 2, 3), AWAY),
    commitments={kind: dealt.commitments for kind, dealt in DEALT.items()},
)
NUMBER = 2


def of_settings(settings: Settings, mode: str) -> Settings:
    small = dataclasses.replace(settings.quota, hour=QUOTA, day=QUOTA, month=QUOTA)
    platform = dataclasses.replace(settings.platform, mode=mode)
    return dataclasses.replace(settings, quota=small, platform=platform)


@pytest.fixture
def holder(settings: Settings) -> Iterator[Flask]:
    """Holder beta, which has admitted police-be."""
    made = create_app(of_settings(settings, "holder"))
    made.testing = False
    database: Database = made.extensions["postern"].database
    make_organisation(database, "police-be", Sector.POLICE, "BE")
    with made.app_context(), database.transaction() as session:
        holder_service.install(
            session,
            CONSOLE,
            number=NUMBER,
            epoch=1,
            commitments=dict(CEREMONY.commitments),
            shares={kind: dealt.shares[NUMBER] for kind, dealt in DEALT.items()},
        )
        holder_service.admit(session, CONSOLE, locked("police-be").keys.chain)
    yield made
    database.dispose()


def elements(count: int = 1) -> list[bytes]:
    return [voprf.blind(secrets.token_bytes(8))[1] for _ in range(count)]


def asked(sent: list[bytes], code: str = "police-be") -> Question:
    return Question(
        code, POSTAL, 1, DEALT[POSTAL].commitments[0], Purpose.CRIMINAL_INVESTIGATION, sent
    )


def signed_by(question: Question, code: str = "police-be", at: timedelta = timedelta()) -> Signed:
    return sign(locked(code).keys.identity, question, datetime.now(UTC) + at)


def body_of(question: Question, signed: Signed, **changes: Any) -> dict[str, Any]:
    return {
        "organisation": question.organisation,
        "kind": question.kind.value,
        "epoch": question.epoch,
        "purpose": question.purpose.value,
        "elements": [to_base64url(each) for each in question.elements],
        "signed": {
            "request_id": to_base64url(signed.request_id),
            "asked_at": signed.asked_at,
            "signature": to_base64url(signed.signature),
        },
    } | changes


def send(holder: Flask, body: Any) -> Any:
    return holder.test_client().post("/api/v1/holder/evaluate", json=body)


def test_a_holder_evaluates_what_an_admitted_organisation_signed(holder: Flask) -> None:
    question = asked(elements(3))
    answer = send(holder, body_of(question, signed_by(question)))
    assert answer.status_code == 200, answer.json
    evaluated = [from_base64url(each) or b"" for each in answer.json["elements"]]
    proof = from_base64url(answer.json["proof"]) or b""
    key = threshold.share_key(DEALT[POSTAL].commitments, NUMBER)
    voprf.verify(key, question.elements, evaluated, proof)
    with holder.extensions["postern"].database.reading() as session:
        (entry,) = session.scalars(select(AuditEntry).where(AuditEntry.act == "holder.evaluate"))
        assert "Postern-Receipt" in answer.headers
        assert entry is not None


def other_elements(question: Question, signed: Signed) -> dict[str, Any]:
    return body_of(question, signed, elements=[to_base64url(elements()[0])])


def other_purpose(question: Question, signed: Signed) -> dict[str, Any]:
    return body_of(question, signed, purpose="parcel_screening")


def other_organisation(question: Question, signed: Signed) -> dict[str, Any]:
    return body_of(question, signed, organisation="customs-nl")


def other_kind(question: Question, signed: Signed) -> dict[str, Any]:
    return body_of(question, signed, kind="phone")


def other_moment(question: Question, signed: Signed) -> dict[str, Any]:
    return body_of(question, dataclasses.replace(signed, asked_at=signed.asked_at + 1))


def other_number(question: Question, signed: Signed) -> dict[str, Any]:
    return body_of(question, dataclasses.replace(signed, request_id=bytes(16)))


@pytest.mark.parametrize(
    "change",
    [other_elements, other_purpose, other_organisation, other_kind, other_moment, other_number],
)
def test_nothing_of_what_is_signed_can_be_changed(
    holder: Flask, change: Callable[[Question, Signed], dict[str, Any]]
) -> None:
    question = asked(elements())
    answer = send(holder, change(question, signed_by(question)))
    assert (answer.status_code, answer.json["code"]) == (401, "signer-unknown")


def test_who_is_unknown_suspended_or_signs_with_other_keys_gets_one_answer(holder: Flask) -> None:
    question, stranger = asked(elements()), asked(elements(), "customs-nl")
    told = [
        send(holder, body_of(question, signed_by(question, "post-be"))),
        send(holder, body_of(stranger, signed_by(stranger, "post-be"))),
    ]
    database: Database = holder.extensions["postern"].database
    with holder.app_context(), database.transaction() as session:
        organisations.set_status(session, CONSOLE, "police-be", OrganisationStatus.SUSPENDED)
    told.append(send(holder, body_of(question, signed_by(question))))
    bodies = [{k: v for k, v in each.json.items() if k != "instance"} for each in told]
    assert [each.status_code for each in told] == [401, 401, 401]
    assert bodies[0] == bodies[1] == bodies[2]


def test_a_signature_is_taken_once(holder: Flask) -> None:
    question = asked(elements())
    body = body_of(question, signed_by(question))
    assert send(holder, body).status_code == 200
    again = send(holder, body)
    assert (again.status_code, again.json["code"]) == (409, "signature-used")
    assert send(holder, body_of(question, signed_by(question))).status_code == 200


@pytest.mark.parametrize("minutes", [-6, 6], ids=["too-old", "of-the-future"])
def test_a_signature_is_good_for_minutes(holder: Flask, minutes: int) -> None:
    question = asked(elements())
    answer = send(holder, body_of(question, signed_by(question, at=timedelta(minutes=minutes))))
    assert (answer.status_code, answer.json["code"]) == (409, "signature-stale")


def test_used_signatures_are_forgotten_when_they_are_good_no_more(holder: Flask) -> None:
    question = asked(elements())
    early = timedelta(seconds=TOLERANCE_SECONDS - 20)
    assert send(holder, body_of(question, signed_by(question, at=early))).status_code == 200
    database: Database = holder.extensions["postern"].database
    with database.transaction() as session:
        kept = session.scalars(select(HolderRequest.kept_until)).one()
        assert kept >= datetime.now(UTC) + timedelta(seconds=2 * TOLERANCE_SECONDS)
        session.execute(
            text("UPDATE holder_request SET kept_until = :then"),
            {"then": datetime(2020, 1, 1, tzinfo=UTC)},
        )
    assert send(holder, body_of(question, signed_by(question))).status_code == 200
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(HolderRequest)) == 1


def test_a_holder_counts_by_itself(holder: Flask) -> None:
    question = asked(elements(QUOTA - 2))
    assert send(holder, body_of(question, signed_by(question))).status_code == 200
    more = asked(elements(3))
    refused = send(holder, body_of(more, signed_by(more)))
    assert (refused.status_code, refused.json["code"]) == (429, "quota-spent")
    assert int(refused.headers["Retry-After"]) >= 1
    few = asked(elements(2))
    assert send(holder, body_of(few, signed_by(few))).status_code == 200


@pytest.mark.parametrize(
    "body",
    [None, [], {"kind": "postal"}, {"organisation": 1}, "x"],
    ids=["nothing", "list", "too-little", "wrong-type", "text"],
)
def test_what_is_no_question_is_refused(holder: Flask, body: Any) -> None:
    assert send(holder, body).status_code in {400, 422}


def test_an_element_that_is_none_is_refused_and_costs_nothing(holder: Flask) -> None:
    question = asked([bytes(32)])
    answer = send(holder, body_of(question, signed_by(question)))
    assert (answer.status_code, answer.json["positions"]) == (422, [0])
    whole = asked(elements(QUOTA))
    assert send(holder, body_of(whole, signed_by(whole))).status_code == 200


def test_a_holder_answers_nothing_else(holder: Flask) -> None:
    client = holder.test_client()
    for path in (
        "/",
        "/api/v1/evaluate",
        "/api/v1/me",
        "/sign-in",
        "/.well-known/postern-keys.json",
    ):
        assert client.get(path, headers={"Accept": "application/json"}).status_code == 404, path
    assert client.get("/health/live").status_code == 200
    assert client.get("/health/ready").status_code == 200


def test_a_holder_tells_which_shares_it_has_by_their_commitments(holder: Flask) -> None:
    factor = group.random_scalar()
    moved = tuple(threshold.moved_elements(DEALT[POSTAL].commitments, factor))
    old, new = HeldKey(POSTAL, 1, DEALT[POSTAL].commitments), HeldKey(POSTAL, 2, moved)
    other = HeldKey(POSTAL, 1, DEALT[EvaluationKind.PHONE].commitments)

    def says(key: HeldKey) -> Standing:
        answer = holder.test_client().get(moved_shares.PATH)
        assert answer.status_code == 200
        return moved_shares.told(answer.data, key)

    assert [says(key) for key in (old, new, other)] == [
        Standing.MOVED,
        Standing.NOT_MOVED,
        Standing.ANOTHER,
    ]
    with holder.app_context(), holder.extensions["postern"].database.transaction() as session:
        holder_service.move(session, CONSOLE, POSTAL, 1, new=2, factor=factor)
    assert [says(key) for key in (old, new)] == [Standing.MOVED, Standing.MOVED]


def test_a_share_lies_sealed_and_is_not_replaced(holder: Flask) -> None:
    database: Database = holder.extensions["postern"].database
    share = DEALT[POSTAL].shares[NUMBER]
    with database.reading() as session:
        rows = session.execute(text("SELECT sealed FROM held_share")).scalars().all()
        assert len(rows) == len(EvaluationKind)
        assert not any(share in bytes(row) for row in rows)
    with holder.app_context(), pytest.raises(ShareHeldError), database.transaction() as session:
        holder_service.install(
            session,
            CONSOLE,
            number=NUMBER,
            epoch=1,
            commitments=dict(CEREMONY.commitments),
            shares={POSTAL: share},
        )


def test_a_share_that_does_not_fit_is_not_kept(holder: Flask) -> None:
    database: Database = holder.extensions["postern"].database
    with (
        holder.app_context(),
        pytest.raises(threshold.ShareRefusedError),
        database.transaction() as session,
    ):
        holder_service.install(
            session,
            CONSOLE,
            number=1,
            epoch=9,
            commitments=dict(CEREMONY.commitments),
            shares={POSTAL: DEALT[POSTAL].shares[NUMBER]},
        )


def test_an_organisation_is_admitted_again_only_by_what_follows(holder: Flask) -> None:
    database: Database = holder.extensions["postern"].database
    chain = locked("police-be").keys.chain
    with holder.app_context(), database.transaction() as session:
        holder_service.admit(session, CONSOLE, chain)
    swapped = fresh_keys("police-be").chain
    with (
        holder.app_context(),
        pytest.raises(ChainRefusedError),
        database.transaction() as session,
    ):
        holder_service.admit(session, CONSOLE, swapped)


def test_a_rotation_moves_a_share_by_the_factor(holder: Flask) -> None:
    database: Database = holder.extensions["postern"].database
    factor = group.random_scalar()
    with holder.app_context(), database.transaction() as session:
        holder_service.move(session, CONSOLE, POSTAL, 1, new=2, factor=factor)
    (commitment, *_) = threshold.moved_elements(DEALT[POSTAL].commitments, factor)
    question = dataclasses.replace(asked(elements()), epoch=2, commitment=commitment)
    answer = send(holder, body_of(question, signed_by(question)))
    assert answer.status_code == 200
    (share,) = threshold.moved([DEALT[POSTAL].shares[NUMBER]], factor)
    assert from_base64url(answer.json["elements"][0]) == group.mul(share, question.elements[0])


def test_a_share_is_forgotten_once_the_next_is_held(holder: Flask) -> None:
    database: Database = holder.extensions["postern"].database
    runner = holder.test_cli_runner()
    refused = runner.invoke(args=["holder", "forget", "postal", "1"])
    assert refused.exit_code != 0
    with holder.app_context(), database.transaction() as session:
        with pytest.raises(ShareInUseError):
            holder_service.forget(session, CONSOLE, POSTAL, 1)
        holder_service.move(session, CONSOLE, POSTAL, 1, new=2, factor=group.random_scalar())
    done = runner.invoke(args=["holder", "forget", "postal", "1"])
    assert done.exit_code == 0, done.output
    with database.reading() as session:
        kept = {(row.kind, row.epoch) for row in holder_service.held(session)}
        wiped = session.scalars(select(AuditEntry).where(AuditEntry.act == "key.wipe")).all()
    assert (POSTAL, 1) not in kept
    assert (POSTAL, 2) in kept
    assert len(wiped) == 1
    question = asked(elements())
    assert send(holder, body_of(question, signed_by(question))).json["code"] == "share-missing"


@pytest.fixture
def platform(settings: Settings) -> Iterator[Flask]:
    """A platform whose keys are shared with three holders that do not answer."""
    made = create_app(of_settings(settings, "platform"))
    made.testing = False
    database: Database = made.extensions["postern"].database
    with made.app_context(), database.transaction() as session:
        share_keys(session, CONSOLE, CEREMONY)
        assert service.open_first_epochs(session, CONSOLE) == []
    make_organisation(database, "police-be", Sector.POLICE, "BE")
    yield made
    database.dispose()


def evaluation(platform: Flask, **changes: Any) -> Any:
    person = make_person(platform, "police-be", [Role.ANALYST])
    question = asked(elements(2))
    body = body_of(question, signed_by(question)) | {"case": "PV-1"} | changes
    del body["organisation"]
    return platform.test_client().post(
        "/api/v1/evaluate",
        json={name: value for name, value in body.items() if value is not None},
        headers=bearer(platform, person, [Scope.EVALUATE]),
    )


def test_without_holders_or_a_signature_nothing_is_evaluated_or_counted(platform: Flask) -> None:
    missing = evaluation(platform)
    assert (missing.status_code, missing.json["code"]) == (503, "holders-missing")
    assert missing.json["holders"] == ["alpha", "beta", "gamma"]
    unsigned = evaluation(platform, signed=None)
    assert (unsigned.status_code, unsigned.json["code"]) == (422, "signature-needed")
    with platform.extensions["postern"].database.reading() as session:
        assert session.execute(text("SELECT count(*) FROM evaluation_budget")).scalar_one() == 0


def test_who_has_too_few_evaluations_left_does_not_reach_the_holders(platform: Flask) -> None:
    many = [to_base64url(each) for each in elements(QUOTA + 1)]
    refused = evaluation(platform, elements=many)
    assert (refused.status_code, refused.json["code"]) == (429, "quota-spent")


def test_the_key_document_tells_who_holds_which_share(platform: Flask) -> None:
    raw = platform.test_client().get("/.well-known/postern-keys.json").json
    document = read_document(raw, None, datetime.now(UTC))
    sharing = document.at(POSTAL, datetime.now(UTC)).sharing
    assert sharing is not None
    assert sharing.holders == HOLDERS
    assert sharing.commitments == DEALT[POSTAL].commitments
    assert sharing.public_key == document.at(POSTAL, datetime.now(UTC)).public_key


def test_a_kind_that_has_a_key_is_not_shared(platform: Flask) -> None:
    database: Database = platform.extensions["postern"].database
    with (
        platform.app_context(),
        pytest.raises(EpochExistsError),
        database.transaction() as session,
    ):
        share_keys(session, CONSOLE, CEREMONY)


def test_the_platform_shares_the_key_of_a_rotation_as_the_one_before(platform: Flask) -> None:
    database: Database = platform.extensions["postern"].database
    factor = group.random_scalar()
    with platform.app_context(), database.transaction() as session:
        move(session, CONSOLE, POSTAL, 1, factor)
        old, new = find(session, POSTAL, 1), find(session, POSTAL, 2)
        assert old is not None
        assert new is not None
        moved = group.mul(factor, sharing_of(old).public_key)
        assert sharing_of(new).public_key == moved
        with pytest.raises(EpochExistsError):
            move(session, CONSOLE, POSTAL, 1, factor)


def test_a_rotation_begins_once_enough_holders_have_moved(platform: Flask, tmp_path: Path) -> None:
    file = tmp_path / "factor"
    file.write_bytes(group.random_scalar())
    runner = platform.test_cli_runner()
    moving = ["postal", "1", "--factor-file", str(file)]
    assert runner.invoke(args=["keys", "move-sharing", *moving]).exit_code == 0
    begin = ["keys", "rotate", "--kind", "postal", "--factor-file", str(file)]
    refused = runner.invoke(args=begin)
    assert refused.exit_code == 1
    assert "alpha does not answer; beta does not answer" in refused.output
    assert "Nothing was begun." in refused.output


def test_a_platform_takes_no_share(platform: Flask) -> None:
    refused = platform.test_cli_runner().invoke(args=["holder", "list"])
    assert refused.exit_code == 1
    assert "platform.mode" in refused.output
