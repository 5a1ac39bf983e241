"""The pages of disclosure requests: what each side sees, and what it can do there."""

import re
from dataclasses import replace
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.disclosures.asymmetry import Asking, faults
from app.disclosures.decisions import DecisionJudgedError, SamePersonError
from app.disclosures.deliveries import DeliveryGoneError, ReceiptGivenError
from app.disclosures.messages import KeysNotPublishedError, TooManyMessagesError
from app.disclosures.refusal_words import REFUSALS
from app.disclosures.releasing import KeysChangedError, NotSharedNowError
from app.disclosures.requests import CaseRequestsSpentError, RequestOpenError
from app.disclosures.telling import SuspendedError
from app.disclosures.transitions import RequestStateError
from app.errors import NotFoundError
from postern.vocabulary import (
    Answer,
    DecisionReason,
    LegalBasis,
    Purpose,
    RequestedAction,
    RequestState,
    Role,
    SealedPart,
    Sector,
    TokenCheck,
    Urgency,
)
from tests.app.disclosures.desk import VALUE, Desk, Found
from tests.app.exchange import CLOSED
from tests.app.people import Person, make_person, sign_in

METADATA_TO_ALL = """
@id("metadata/all") @label("Every member sees the metadata")
permit (principal, action in [Action::"presence", Action::"metadata"], resource);
"""

FAST = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


class Browser:
    """Somebody who is signed in, and what their pages say, in one line."""

    def __init__(self, desk: Desk, person: Person) -> None:
        self.client: FlaskClient = desk.app.test_client()
        self.headers = sign_in(self.client, person)

    def open(self, address: str, status: int = 200) -> str:
        answer = self.client.get(address, headers={"Accept": "text/html"})
        assert answer.status_code == status, answer.get_data(as_text=True)
        return one_line(answer)

    def send(self, address: str, status: int = 303, **form: str) -> str:
        answer = self.client.post(
            address, data=form, headers={**self.headers, "Accept": "text/html"}
        )
        assert answer.status_code == status, answer.get_data(as_text=True)
        return answer.headers.get("Location", "") if status == 303 else one_line(answer)


def one_line(answer: TestResponse) -> str:
    page = answer.get_data(as_text=True)
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def browser(desk: Desk, code: str, *roles: Role) -> Browser:
    return Browser(desk, make_person(desk.app, code, roles))


def address_of(found: Found) -> str:
    return f"/disclosures/{found.id}"


@FAST
def test_the_owner_sees_everything_it_needs_and_what_to_run(desk: Desk) -> None:
    found = desk.found()
    found.ask(SealedPart.VALUE, SealedPart.NOTE, urgency=Urgency.URGENT)
    page = browser(desk, "post-be", Role.APPROVER).open(address_of(found))
    for told in (
        "Organisation police-de asks about: phone number",
        "police-de, police, DE",
        "criminal investigation",
        "criminal procedure",
        "value, note",
        "To be decided within 8 hours: until 2 Mar 2026, 21:00:00 CET",
        f"postern requests show {found.id}",
        f"postern decide {found.id} --release all",
        f"postern requests ask-back {found.id}",
        "TLP:",
        "Give nothing",
        "asked by Organisation police-de",
    ):
        assert told in page, told
    asker = desk.caller("police-de")
    assert str(asker.person) not in page
    assert str(found.lookup) not in page


@FAST
def test_each_role_opens_its_own_box_and_nobody_else_opens_any(desk: Desk) -> None:
    found = desk.found()
    found.ask()
    at_owner = {
        Role.APPROVER: 200,
        Role.COMPLIANCE: 200,
        Role.ANALYST: 404,
        Role.SUBMITTER: 403,
        Role.POLICY_OWNER: 403,
    }
    for role, status in at_owner.items():
        browser(desk, "post-be", role).open(address_of(found), status)
    at_requester = {Role.ANALYST: 200, Role.COMPLIANCE: 200, Role.APPROVER: 404}
    for role, status in at_requester.items():
        browser(desk, "police-de", role).open(address_of(found), status)
    browser(desk, "customs-nl", Role.ANALYST, Role.APPROVER).open(address_of(found), 404)


@FAST
def test_an_approver_gives_nothing_with_a_reason_and_another_is_told_who_was_first(
    desk: Desk,
) -> None:
    found = desk.found()
    found.ask()
    first, second = (browser(desk, "post-be", Role.APPROVER) for _ in range(2))
    refused = first.send(f"{address_of(found)}/refusal", 422, reason="necessary")
    assert "Choose a reason of the list" in refused
    where = first.send(f"{address_of(found)}/refusal", reason="too_broad")
    assert "Nothing is given; the requester was told your reason" in first.open(where)
    late = second.send(f"{address_of(found)}/refusal", 409, reason="not_held")
    assert "Nothing was changed" in late
    assert "somebody may have decided it meanwhile" in late
    told = browser(desk, "police-de", Role.ANALYST).open(address_of(found))
    assert "nothing: asks for too much" in told


@FAST
def test_the_second_person_judges_on_the_page_and_the_first_cannot(desk: Desk) -> None:
    found = desk.found()
    found.ask(SealedPart.VALUE, SealedPart.NOTE)
    decided = found.decide()
    assert decided.decision
    own = Browser(desk, desk.exchange.people["post-be"])
    assert "You made this decision yourself" in own.open(address_of(found))
    form = {"decision": str(decided.decision.id), "agrees": "yes"}
    assert "another person must judge it" in own.send(f"{address_of(found)}/judgement", 403, **form)
    asker = browser(desk, "police-de", Role.ANALYST)
    before = asker.open(address_of(found))
    assert "waits for a decision" in before
    assert "second person" not in before
    second = Browser(desk, desk.seconds["post-be"])
    assert "Agree and release it" in second.open(address_of(found))
    where = second.send(f"{address_of(found)}/judgement", **form)
    assert "Released: the requester can fetch it now" in second.open(where)
    after = asker.open(address_of(found))
    assert f"postern receive {found.id}" in after
    assert "not fetched yet" in after
    assert found.opened() == VALUE
    found.receive(check=TokenCheck.DIFFERS)
    assert "the value gives another token" in asker.open(address_of(found))
    second.send(f"{address_of(found)}/judgement", 409, **form)
    second.send(f"{address_of(found)}/judgement", 404, decision="no", agrees="yes")


@FAST
def test_a_requester_withdraws_and_answers_from_the_page(desk: Desk) -> None:
    found = desk.found()
    found.ask()
    found.question()
    analyst = browser(desk, "police-de", Role.ANALYST)
    page = analyst.open(address_of(found))
    assert f"postern requests answer {found.id}" in page
    assert "The clock stands still since" in page
    where = analyst.send(f"{address_of(found)}/withdrawal")
    assert "Withdrawn; the owner was told" in analyst.open(where)
    assert "Nothing was changed" in analyst.send(f"{address_of(found)}/withdrawal", 409)
    assert found.read_asked().state is RequestState.WITHDRAWN


@FAST
def test_lists_are_by_box_and_state_and_long_ones_go_on(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.disclosures.request_pages.PAGE", 2)
    officer = browser(desk, "post-be", Role.COMPLIANCE)
    assert "Nobody waits for a decision" in officer.open("/disclosures")
    assert "Nothing is undecided" in officer.open("/disclosures?box=asked")
    assert "None of this kind" in officer.open("/disclosures?show=over")
    asked = [desk.found() for _ in range(3)]
    for found in asked:
        found.ask()
    page = officer.client.get("/disclosures").get_data(as_text=True)
    assert page.count("asks about: phone number") == 2
    assert str(asked[0].id) in page
    (later,) = re.findall(r'href="([^"]*before=[^"]*)"', page)
    page = officer.client.get(later.replace("&amp;", "&")).get_data(as_text=True)
    assert str(asked[2].id) in page
    assert page.count("asks about") == 1
    nothing_later = f"/disclosures?before={asked[2].id}"
    assert "There are no more" in officer.open(nothing_later)
    page = officer.client.get("/disclosures?show=all").get_data(as_text=True)
    assert str(asked[2].id) in page
    assert str(asked[0].id) not in page
    asked[0].decide(Answer.NOTHING, DecisionReason.NOT_HELD)
    assert str(asked[0].id) in officer.client.get("/disclosures?show=over").get_data(as_text=True)
    analyst = browser(desk, "police-de", Role.ANALYST)
    assert analyst.open("/disclosures").count("To Organisation post-be about") == 2
    assert "Asked of us" not in analyst.open("/disclosures?box=received")


def in_order(page: str, *found: Found) -> list[Found]:
    """Those that the page lists, in its order."""
    listed = re.findall(r'<h3><a href="/disclosures/([0-9a-f-]+)"', page)
    return [next(each for each in found if str(each.id) == id_) for id_ in listed]


def test_what_waits_is_listed_as_it_is_due_and_can_be_narrowed(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.disclosures.request_pages.PAGE", 2)
    still, normal, urgent, life = every = [desk.found() for _ in range(4)]
    still.ask(urgency=Urgency.URGENT)
    still.question()
    normal.ask()
    urgent.ask(urgency=Urgency.URGENT)
    life.ask(urgency=Urgency.LIFE)
    approver = browser(desk, "post-be", Role.APPROVER)

    def shown(query: str) -> list[Found]:
        page = approver.client.get(f"/disclosures?{query}").get_data(as_text=True)
        return in_order(page, *every)

    assert shown("") == [life, urgent]
    assert shown(f"before={urgent.id}") == [normal, still]
    assert shown(f"before={normal.id}") == [still]
    assert shown("urgency=urgent") == [urgent, still]
    assert shown("urgency=life&other=police-de") == [life]
    assert shown("other=customs-nl") == []
    assert "No request fits these filters" in approver.open("/disclosures?other=customs-nl")
    assert shown("other=nobody&urgency=soon") == [life, urgent]


@FAST
def test_an_analyst_is_shown_what_may_be_asked_of_a_hit_and_whatever_else_is_not_there(
    desk: Desk,
) -> None:
    found = desk.found()
    analyst = browser(desk, "police-de", Role.ANALYST)
    assert "Nothing is chosen to ask about" in analyst.open("/disclosures/new")
    address = f"/disclosures/new?lookup={found.lookup}&indicator={found.indicator}"
    page = analyst.open(address)
    for told in (
        "Organisation post-be post-be, post, BE",
        "criminal investigation",
        "to be decided within 8 hours where",
        "imminent threat to life",
        "hold the item for customs",
        f"postern request --lookup {found.lookup}",
    ):
        assert told in page, told
    assert "examine the item" not in page
    stranger = browser(desk, "customs-nl", Role.ANALYST)
    stranger.open(address, 404)
    browser(desk, "post-be", Role.ANALYST).open(address, 404)
    browser(desk, "police-de", Role.APPROVER).open(address, 403)
    for wrong in (
        f"lookup={found.lookup}",
        f"lookup={found.lookup}&indicator=x",
        f"lookup={found.indicator}&indicator={found.indicator}",
    ):
        analyst.open(f"/disclosures/new?{wrong}", 404)
    found.ask()
    assert "has an open request on this indicator already" in analyst.open(address)
    opened = [each.details.get("owner") for each in desk.exchange.entries("disclosure.prepare")]
    assert opened.count("post-be") == 2


@FAST
def test_where_only_metadata_is_shown_a_threat_to_life_alone_can_be_asked_about(
    desk: Desk,
) -> None:
    desk.exchange.publish("post-be", METADATA_TO_ALL)
    found = desk.found()
    analyst = browser(desk, "police-de", Role.ANALYST)
    page = analyst.open(f"/disclosures/new?lookup={found.lookup}&indicator={found.indicator}")
    assert "only where a life is in imminent danger" in page
    assert "to be decided within 7 days" not in page
    desk.exchange.publish("post-be", CLOSED)
    analyst.open(f"/disclosures/new?lookup={found.lookup}&indicator={found.indicator}", 404)


@FAST
def test_what_the_rules_of_the_sectors_forbid_is_told_before_anything_is_written(
    desk: Desk,
) -> None:
    basis = LegalBasis.PUBLIC_TASK
    found = desk.found(legal_basis=basis)
    analyst = browser(desk, "police-de", Role.ANALYST)
    page = analyst.open(f"/disclosures/new?lookup={found.lookup}&indicator={found.indicator}")
    assert "This cannot be asked as it stands" in page
    assert "An authority asks an operator under police law" in page
    assert "Seal and ask" not in page


@FAST
def test_the_overview_tells_how_many_wait_and_the_oldest_clock(desk: Desk) -> None:
    first, second = desk.found(), desk.found()
    first.ask()
    second.ask(SealedPart.NOTE, urgency=Urgency.URGENT)
    approver = browser(desk, "post-be", Role.APPROVER)
    page = approver.open("/")
    assert "2 disclosure requests wait for a decision The first is due 2 Mar 2026, 21:00" in page
    first.decide()
    page = approver.open("/")
    assert "1 disclosure request waits for a decision" in page
    assert "1 release waits for a second person" in page
    first.judge()
    second.question()
    page = browser(desk, "police-de", Role.ANALYST).open("/")
    assert "1 request waits for your answer to a question" in page
    assert "1 request was released: open it and confirm" in page


@FAST
def test_a_policy_owner_changes_the_rules_and_compliance_is_told(desk: Desk) -> None:
    owner = browser(desk, "post-be", Role.POLICY_OWNER)
    page = owner.open("/disclosures/rules")
    assert "a second person where a person could be named" in page
    assert "never: the defaults hold" in page
    wrong = owner.send("/disclosures/rules", 422, four_eyes="always", delivery_days="31")
    assert "A delivery lives for 1 to 30 days" in wrong
    owner.send("/disclosures/rules", 422, four_eyes="sometimes", delivery_days="3")
    where = owner.send("/disclosures/rules", four_eyes="always", delivery_days="3")
    assert "The rules hold from now on" in owner.open(where)
    officer = browser(desk, "post-be", Role.COMPLIANCE)
    assert "always a second person" in officer.open("/disclosures/rules")
    officer.send("/disclosures/rules", 403, four_eyes="never", delivery_days="3")
    assert "The rules of disclosure were changed: always a second person" in officer.open(
        "/notifications"
    )
    found = desk.found()
    shown = found.release(SealedPart.VALUE)
    days = (shown.deliveries[0].expires_at - desk.clock.at).days
    assert days == 3


@FAST
def test_a_break_glass_is_shown_to_the_second_person_for_review(desk: Desk) -> None:
    found = desk.found()
    found.ask(urgency=Urgency.LIFE)
    approver = Browser(desk, desk.seconds["post-be"])
    assert "imminent threat to life" in approver.open(address_of(found))
    shown = found.decide(Answer.ALL, DecisionReason.LIFE_AT_RISK)
    assert shown.decision
    page = approver.open(address_of(found))
    assert "One approver released alone" in page
    form = {"decision": str(shown.decision.id), "agrees": "no"}
    where = approver.send(f"{address_of(found)}/judgement", **form)
    assert "stands in the log of both organisations" in approver.open(where)
    assert found.read_asked().state is RequestState.RECALLED
    told = browser(desk, "police-de", Role.COMPLIANCE).open("/notifications")
    assert "did not agree with the release by break-glass" in told


def test_ids_that_are_none_are_not_there(desk: Desk) -> None:
    nothing = UUID("019caea7-6b40-7abc-8def-0123456789ab")
    approver = browser(desk, "post-be", Role.APPROVER)
    approver.open(f"/disclosures/{nothing}", 404)
    approver.send(f"/disclosures/{nothing}/refusal", 404, reason="not_held")


def test_what_the_pages_refuse_is_said_in_every_language() -> None:
    said = {str(sentence) for sentence in REFUSALS}
    for kind in (
        RequestStateError,
        SamePersonError,
        DecisionJudgedError,
        NotSharedNowError,
        KeysChangedError,
        SuspendedError,
        KeysNotPublishedError,
        RequestOpenError,
        CaseRequestsSpentError,
        TooManyMessagesError,
        DeliveryGoneError,
        ReceiptGivenError,
        NotFoundError,
    ):
        assert {kind.title, kind.remedy} <= said
    asking = Asking(
        Sector.POLICE,
        Sector.POST,
        Purpose.CRIMINAL_INVESTIGATION,
        LegalBasis.PUBLIC_TASK,
        RequestedAction.EXAMINE,
    )
    back = replace(asking, requester=Sector.POST, owner=Sector.POLICE)
    assert {reason for one in (asking, back) for _, reason in faults(one)} <= said
