"""Subscriptions to other servers: kept sealed, polled without a gap, and gone when removed."""

import base64
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select, update

from app import clock
from app.errors import InvalidRequestError, NotFoundError
from app.exchange import pulling, received, subscriptions
from app.exchange.pulling import MOST_FAILURES
from app.exchange.server_models import (
    ExchangeServer,
    ReceivedObject,
    ServerMeans,
    ServerState,
    ServerTry,
)
from app.exchange.subscriptions import (
    MOST,
    ServerAskedError,
    ServerSealing,
    ShownServer,
    TooManyServersError,
)
from app.jobs import draining
from app.jobs.models import Notification
from app.organisations.models import Organisation, OrganisationStatus
from app.runtime import runtime
from postern.audit.receipt_memory import WINDOW
from postern.base64url import to_base64url
from postern.tlog.notes import Note, SigningKey
from tests.app.exchange_room.peers import (
    COLLECTION,
    TAXII,
    Answer,
    Asked,
    Peer,
    clear,
    envelope,
    identity,
    indicator,
    peer_server,
    revoked,
)
from tests.app.exchange_room.reading import Room
from tests.app.people import runtime_of

CODE = "police-de"
T1, T2, T3 = (f"2026-11-2{day}T08:00:00.123456Z" for day in (1, 2, 3))
LATER = "2026-11-25T08:00:00.000Z"

on_one_database = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def peer() -> Any:
    with peer_server(Peer()) as made:
        yield made


def add(room: Room, address: str, **fields: Any) -> ShownServer:
    given: dict[str, Any] = {
        "title": "The other one",
        "address": address,
        "means": ServerMeans.BEARER,
        "secret": "pst_secret",
    } | fields
    caller = room.exchange.caller(CODE)
    return room.within(lambda session: subscriptions.add(session, caller, **given))


def drain(room: Room) -> None:
    """One round of the worker."""
    with room.exchange.app.app_context():
        draining.drain(runtime())
        with runtime().database.reading() as session:
            assert not draining.failing(session)


def ask(room: Room, server: ShownServer) -> None:
    """The next asking, as when its time has come."""
    past = clock.now() - timedelta(minutes=5)
    with room.exchange.database.transaction() as session:
        session.execute(update(ExchangeServer).values(due_at=past))
        session.execute(update(ServerTry).values(began_at=past))
    room.within(subscriptions.put_due)
    drain(room)


def row(room: Room) -> ExchangeServer:
    (found,) = room.exchange.rows(select(ExchangeServer))
    assert isinstance(found, ExchangeServer)
    return found


def tries(room: Room) -> list[ServerTry]:
    return room.exchange.rows(select(ServerTry).order_by(ServerTry.id))


def held(room: Room) -> dict[str, ReceivedObject]:
    return {each.stix_id: each for each in room.exchange.rows(select(ReceivedObject))}


def test_a_subscription_is_stored_sealed_and_logged_without_address_and_credential(
    room: Room, peer: Peer
) -> None:
    made = add(room, peer.address, means=ServerMeans.BASIC, user="desk", secret="S3cret")
    found = row(room)
    stored = repr(vars(found))
    assert "127.0.0.1" not in stored
    assert "S3cret" not in stored
    assert "desk" not in stored
    assert made.address == f"http://127.0.0.1:{peer.port}/…"
    (entry,) = room.exchange.entries("server.add")
    assert entry.details["objects"] == [str(made.id)]
    assert "127.0.0.1" not in entry.record + repr(entry.details)
    drain(room)
    told = peer.asked[0].headers["authorization"].removeprefix("Basic ")
    assert base64.b64decode(told) == b"desk:S3cret"


def receipt_of(key: SigningKey, leaf: int = 0, at: int = 1) -> str:
    """What another platform's log promises, signed."""
    told = base64.b64encode(leaf.to_bytes(32, "big")).decode()
    text = f"{key.verifier.name}\nentry {told}\ntime {at}\n"
    return to_base64url(Note(text, (key.sign(text),)).encode())


def test_with_a_key_a_page_is_kept_only_with_a_receipt_that_it_signed(
    room: Room, peer: Peer
) -> None:
    key, other = (SigningKey("peer.example/receipt", bytes([n]) * 32) for n in (1, 2))
    sent = [identity(), indicator()]
    made = add(room, peer.address, receipt_key=f" {key.verifier} ")
    assert made.receipt_key == str(key.verifier)
    for told in ("", "cmVjZWlwdA", receipt_of(other), "A" * 5000):
        peer.says(envelope(sent, T1, receipt=told))
        ask(room, made)
        assert (row(room).error, held(room)) == ("ServerReceiptError", {})
        assert row(room).state is ServerState.FAILING
    peer.says(envelope(sent, T1, receipt=receipt_of(key)))
    ask(room, made)
    assert (row(room).error, len(held(room))) == (None, 2)
    assert tries(room)[-1].receipts == 1
    later = [indicator()]
    for leaf, at, error in (
        (0, 1, "ServerReceiptError"),
        (1, 1_000, None),
        (2, 999 - WINDOW, "ServerReceiptError"),
        (1, 1_000, "ServerReceiptError"),
        (2, 1_000, None),
    ):
        peer.says(envelope(later, T1, receipt=receipt_of(key, leaf, at)))
        ask(room, made)
        assert row(room).error == error, (leaf, at)
    assert len(held(room)) == 3


def test_a_server_whose_pages_are_all_empty_is_told_to_lead_nowhere(
    room: Room, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pulling, "MOST_PAGES", 3)
    numbers = iter(range(100))
    peer.answering = lambda _asked: envelope([], more=True, following=f"p{next(numbers)}")
    add(room, peer.address)
    drain(room)
    assert (row(room).error, row(room).state) == ("ServerPagingError", ServerState.FAILING)
    assert len(peer.asked) == 3


@on_one_database
@pytest.mark.parametrize("wrong", ["key", "a+b+c", "x" * 500, "peer.example+00000000+AAAA"])
def test_what_is_no_key_of_receipts_is_refused(room: Room, peer: Peer, wrong: str) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        add(room, peer.address, receipt_key=wrong)
    assert [each["field"] for each in refused.value.extensions["errors"]] == ["receipt_key"]


def test_what_a_postern_sends_is_kept_with_the_names_of_its_organisations(
    room: Room, peer: Peer
) -> None:
    sent = indicator()
    peer.says(envelope([identity(), sent], T1, receipt="cmVjZWlwdA"))
    made = add(room, peer.address)
    drain(room)
    caller = room.exchange.caller(CODE)
    found = room.within(lambda session: received.read(session, caller, made.id))
    (shown,) = found.objects
    assert (shown.stix_id, shown.owner) == (sent["id"], "Poste de France")
    assert found.server.is_postern
    assert found.server.state is ServerState.ANSWERING
    assert peer.asked[0].path == f"{COLLECTION}objects/"
    assert peer.asked[0].headers["authorization"] == "Bearer pst_secret"
    assert peer.asked[0].headers["accept"] == TAXII
    (tried,) = tries(room)
    assert (tried.pages, tried.objects, tried.kept, tried.receipts) == (1, 2, 2, 1)
    (entry,) = room.exchange.entries("server.received")
    assert entry.details["received"] == [sent["id"]]


def test_what_is_in_clear_is_counted_and_never_stored(room: Room, peer: Peer) -> None:
    peer.says(envelope([clear(), clear(1), identity(), "odd"], T1))
    add(room, peer.address)
    drain(room)
    assert held(room) == {}
    (tried,) = tries(room)
    assert tried.refused == {"in_clear": 2, "malformed": 1, "support": 1}
    assert not row(room).is_postern
    (entry,) = room.exchange.entries("server.asked")
    assert "Vries" not in entry.record + repr(entry.details)


def test_a_later_version_replaces_and_a_revocation_empties(room: Room, peer: Peer) -> None:
    first, second = indicator(), indicator()
    peer.says(
        envelope([first, second], T1),
        envelope([{**first, "modified": LATER}, revoked(second, LATER), second], T2),
    )
    made = add(room, peer.address)
    drain(room)
    ask(room, made)
    found = held(room)
    assert found[first["id"]].version == LATER
    assert (found[second["id"]].is_revoked, found[second["id"]].content) == (True, {})
    assert [(each.kept, each.revoked) for each in tries(room)] == [(2, 0), (1, 1)]


def test_what_was_revoked_before_it_was_known_leaves_nothing(room: Room, peer: Peer) -> None:
    peer.says(envelope([revoked(indicator(), LATER)], T1))
    add(room, peer.address)
    drain(room)
    assert held(room) == {}
    assert tries(room)[0].refused == {"revoked_before": 1}


def test_reading_goes_on_by_next_within_a_poll_and_by_date_after_it(room: Room, peer: Peer) -> None:
    peer.says(
        envelope([indicator()], T1, more=True, following="page-2"),
        envelope([indicator()], T2),
        envelope([indicator()], T3),
    )
    made = add(room, peer.address)
    drain(room)
    ask(room, made)
    asked = [(each.query.get("added_after"), each.query.get("next")) for each in peer.asked]
    assert asked == [(None, None), (None, "page-2"), (T2, None)]
    assert row(room).added_after == T3
    assert len(held(room)) == 3


def test_of_a_server_that_is_no_postern_each_poll_begins_a_little_back(
    room: Room, peer: Peer
) -> None:
    peer.says(envelope([clear()], T1))
    made = add(room, peer.address)
    drain(room)
    ask(room, made)
    assert peer.asked[1].query["added_after"] == "2026-11-21T07:55:00.123Z"
    assert row(room).added_after == T1


def test_a_poll_that_was_cut_short_goes_on_at_its_next_page(
    room: Room, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pulling, "MOST_PAGES", 1)
    peer.says(
        envelope([indicator()], T1, more=True, following="page-2"), envelope([indicator()], T2)
    )
    add(room, peer.address)
    drain(room)
    assert [each.query.get("next") for each in peer.asked] == [None, "page-2"]
    assert [(each.round, each.pages) for each in tries(room)] == [(1, 1), (2, 1)]


def test_a_page_is_stored_once_however_often_it_comes(room: Room, peer: Peer) -> None:
    sent = indicator()
    peer.says(envelope([sent], T1), envelope([sent, sent], T1))
    made = add(room, peer.address)
    drain(room)
    ask(room, made)
    assert list(held(room)) == [sent["id"]]
    assert tries(room)[1].refused == {"known": 1}


def test_what_ended_by_its_own_day_is_not_kept_and_what_is_kept_ends_by_the_earlier_day(
    room: Room, peer: Peer
) -> None:
    day = clock.now().date()
    over = indicator(expires_on=day - timedelta(days=1), review_on=day - timedelta(days=2))
    short = indicator(expires_on=day + timedelta(days=3))
    peer.says(envelope([over, short, indicator()], T1))
    add(room, peer.address, kept_days=30)
    drain(room)
    ends = sorted(each.expires_on for each in held(room).values())
    assert len(ends) == 2
    assert ends[0] <= day + timedelta(days=4)
    assert ends[1] == day + timedelta(days=30)
    assert tries(room)[0].refused == {"ended": 1}


def test_what_is_over_is_erased_and_logged(room: Room, peer: Peer) -> None:
    peer.says(envelope([indicator(), indicator()], T1))
    add(room, peer.address)
    drain(room)
    with room.exchange.database.transaction() as session:
        session.execute(update(ReceivedObject).values(expires_on=clock.now().date()))
    assert room.within(received.expire) == 2
    assert held(room) == {}
    (entry,) = room.exchange.entries("server.erase")
    assert CODE in entry.audience


def test_removing_erases_address_credential_and_all_that_was_received(
    room: Room, peer: Peer
) -> None:
    key = SigningKey("peer.example/receipt", bytes(32))
    peer.says(envelope([indicator()], T1, receipt=receipt_of(key)))
    made = add(room, peer.address, receipt_key=str(key.verifier))
    drain(room)
    caller = room.exchange.caller(CODE)
    room.within(lambda session: subscriptions.remove(session, caller, made.id))
    found = row(room)
    assert (found.sealed_address, found.sealed_credential, found.title) == (b"", None, "")
    assert found.receipt_key is None
    assert held(room) == {}
    with pytest.raises(NotFoundError):
        room.within(lambda session: subscriptions.read(session, caller, made.id))
    ask(room, made)
    assert len(peer.asked) == 1
    with room.exchange.database.transaction() as session:
        session.execute(update(ExchangeServer).values(stopped_at=clock.now() - timedelta(days=181)))
    room.within(subscriptions.forget)
    assert room.exchange.rows(select(ExchangeServer)) == []
    assert tries(room) == []


@pytest.mark.parametrize("verb", ["read", "ask_now", "remove"])
@on_one_database
def test_another_organisation_finds_nothing(room: Room, peer: Peer, verb: str) -> None:
    made = add(room, peer.address)
    stranger = room.exchange.caller("post-be")
    with pytest.raises(NotFoundError):
        room.within(lambda session: getattr(subscriptions, verb)(session, stranger, made.id))
    with pytest.raises(NotFoundError):
        room.within(lambda session: received.read(session, stranger, made.id))
    assert room.within(lambda session: subscriptions.list_own(session, stranger)) == []


def test_for_a_suspended_member_nothing_is_asked(room: Room, peer: Peer) -> None:
    add(room, peer.address)
    with room.exchange.database.transaction() as session:
        session.execute(
            update(Organisation)
            .where(Organisation.code == CODE)
            .values(status=OrganisationStatus.SUSPENDED)
        )
    drain(room)
    assert peer.asked == []


def answer(status: int, **headers: str) -> Answer:
    return Answer(b"{}", status, {"Content-Type": TAXII, **headers})


@pytest.mark.parametrize(
    ("sent", "error"),
    [
        (answer(401), "ServerDeniedError"),
        (answer(403), "ServerDeniedError"),
        (answer(404), "ServerUnknownError"),
        (answer(406), "ServerVersionError"),
        (answer(302, Location="http://10.0.0.1/"), "ServerRedirectsError"),
        (answer(503), "ServerBusyError"),
        (answer(418), "ServerAnswerError"),
        (Answer(b"<html>", 200, {"Content-Type": "text/html"}), "ServerVersionError"),
        (Answer(b"{", 200, {"Content-Type": TAXII}), "ServerAnswerError"),
        (Answer(b"[]", 200, {"Content-Type": TAXII}), "ServerAnswerError"),
        (Answer(b"[" * 100_000, 200, {"Content-Type": TAXII}), "ServerAnswerError"),
        (
            Answer(b'{"objects":[' + b"[" * 90 + b"]" * 90 + b"]}", 200, {"Content-Type": TAXII}),
            "ServerAnswerError",
        ),
        (Answer(b'{"more": 1}', 200, {"Content-Type": TAXII}), "ServerAnswerError"),
        (Answer(b'{"more": true}', 200, {"Content-Type": TAXII}), "ServerPagingError"),
        (Answer(b"9" * 5000, 200, {"Content-Type": TAXII}), "ServerAnswerError"),
    ],
)
@on_one_database
def test_what_goes_wrong_is_named_and_tried_again(
    room: Room, peer: Peer, sent: Answer, error: str
) -> None:
    peer.answering = lambda _asked: sent
    add(room, peer.address)
    drain(room)
    found = row(room)
    assert (found.state, found.error, found.failures) == (ServerState.FAILING, error, 1)
    assert found.due_at > clock.now()
    (entry,) = room.exchange.entries("server.asked")
    assert entry.details["ending"] == "failing"


@on_one_database
def test_a_body_without_an_end_is_not_read_to_it(
    room: Room, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.exchange.asking.LONGEST_BODY", 100_000)
    peer.answering = lambda _asked: Answer(b" " * 300_000, 200, {"Content-Type": TAXII})
    add(room, peer.address)
    drain(room)
    assert row(room).error == "ServerLargeError"


@on_one_database
def test_a_busy_server_is_left_alone_for_as_long_as_it_says(room: Room, peer: Peer) -> None:
    peer.answering = lambda _asked: answer(429, **{"Retry-After": "7200"})
    add(room, peer.address)
    drain(room)
    assert row(room).due_at > clock.now() + timedelta(seconds=7000)


@on_one_database
def test_a_server_that_refuses_its_own_next_is_read_again_from_the_last_date(
    room: Room, peer: Peer
) -> None:
    peer.says(envelope([indicator()], T1), envelope([], more=True, following="x"), answer(400))
    made = add(room, peer.address)
    drain(room)
    ask(room, made)
    assert row(room).error == "ServerPagingError"
    ask(room, made)
    assert peer.asked[-1].query == {"limit": "500", "added_after": T1}
    assert row(room).state is ServerState.ANSWERING


def test_after_so_many_failures_it_is_given_up_and_administrators_are_told(
    room: Room, peer: Peer
) -> None:
    peer.answering = lambda _asked: answer(500)
    made = add(room, peer.address)
    with room.exchange.database.transaction() as session:
        session.execute(update(ExchangeServer).values(failures=MOST_FAILURES - 1))
    drain(room)
    assert row(room).state is ServerState.GIVEN_UP
    (told,) = room.exchange.rows(select(Notification).where(Notification.kind == "server.given-up"))
    assert told.address == f"/exchange/servers/{made.id}"
    ask(room, made)
    assert len(peer.asked) == 1
    peer.says()
    caller = room.exchange.caller(CODE)
    room.within(lambda session: subscriptions.ask_now(session, caller, made.id))
    drain(room)
    assert row(room).state is ServerState.ANSWERING


@on_one_database
def test_a_server_is_asked_before_its_time_once(room: Room, peer: Peer) -> None:
    made = add(room, peer.address)
    caller = room.exchange.caller(CODE)
    with pytest.raises(ServerAskedError):
        room.within(lambda session: subscriptions.ask_now(session, caller, made.id))


@on_one_database
def test_an_address_that_leads_elsewhere_by_now_is_not_entered(room: Room, peer: Peer) -> None:
    made = add(room, peer.address)
    sealing = runtime_of(room.exchange.app).part(ServerSealing)
    with room.exchange.database.transaction() as session:
        moved = sealing.seal_address("https://10.0.0.1/collections/x/", made.id)
        session.execute(update(ExchangeServer).values(sealed_address=moved))
    drain(room)
    assert row(room).error == "ForbiddenAddressError"
    assert peer.asked == []


@on_one_database
def test_no_more_is_kept_than_may_be(
    room: Room, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pulling, "MOST_KEPT", 2)
    peer.says(envelope([indicator(), indicator()], T1), envelope([indicator()], T2))
    made = add(room, peer.address)
    drain(room)
    kept = set(held(room))
    assert (len(kept), row(room).error) == (2, None)
    ask(room, made)
    assert row(room).error == "ServerFullError"
    assert row(room).added_after == T1
    assert set(held(room)) == kept


@on_one_database
def test_a_page_that_comes_when_a_later_asking_began_is_not_stored(room: Room, peer: Peer) -> None:
    def late(_asked: Asked) -> Answer:
        with room.exchange.database.transaction() as session:
            session.execute(update(ExchangeServer).values(round=9))
        return envelope([indicator()], T1)

    peer.answering = late
    add(room, peer.address)
    drain(room)
    assert held(room) == {}
    assert row(room).added_after is None


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"title": " "}, "title"),
        ({"title": "x" * 81}, "title"),
        ({"address": "https://server.example/taxii2/"}, "address"),
        ({"address": "https://10.0.0.1/api/collections/x/"}, "address"),
        ({"address": "http://server.example/api/collections/x/"}, "address"),
        ({"address": "https://a:b@server.example/api/collections/x/"}, "address"),
        ({"address": "https://server.example/api/collections/x/?next=1"}, "address"),
        ({"address": "https://[server.example/collections/x/"}, "address"),
        ({"secret": ""}, "secret"),
        ({"secret": "two words"}, "secret"),
        ({"secret": "line\nbreak"}, "secret"),
        ({"means": ServerMeans.BASIC, "user": "a:b"}, "user"),
        ({"every_minutes": 1}, "every"),
        ({"kept_days": 1000}, "kept"),
    ],
)
@on_one_database
def test_what_cannot_be_a_subscription_is_refused_by_field(
    room: Room, fields: dict[str, Any], field: str
) -> None:
    address = "https://server.example/api/collections/x/"
    with pytest.raises(InvalidRequestError) as caught:
        add(room, **{"address": address, **fields})
    assert [each["field"] for each in caught.value.extensions["errors"]] == [field]


@on_one_database
def test_an_organisation_has_so_many_subscriptions_and_no_more(room: Room) -> None:
    for _ in range(MOST):
        add(room, f"https://server.example/api/collections/{uuid4()}/")
    with pytest.raises(TooManyServersError):
        add(room, "https://server.example/api/collections/x/")


@on_one_database
def test_the_platform_does_not_poll_itself(room: Room) -> None:
    origin = runtime_of(room.exchange.app).settings.platform.origin
    with pytest.raises(InvalidRequestError):
        add(room, f"{origin}/taxii2/exchange/collections/{uuid4()}/")


@on_one_database
def test_the_address_of_the_objects_is_that_of_their_collection(room: Room, peer: Peer) -> None:
    add(room, f"{peer.address}objects/")
    drain(room)
    assert peer.asked[0].path == f"{COLLECTION}objects/"
