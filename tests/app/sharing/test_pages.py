"""The pages of the sharing policy: from a template to a version that a second person approved."""

import html
import re
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from sqlalchemy import insert, select
from werkzeug.test import TestResponse

from app import clock
from app.accounts.naming import person_name
from app.audit.entry import Outcome
from app.indicators.models import Indicator
from app.sharing.models import Cause, DraftStatus, PolicyDraft, PolicyVersion
from postern.vocabulary import Role
from tests.app.exchange import (
    OPEN_TO_POLICE,
    SOPHIE,
    Exchange,
    LoggedEntry,
    make_exchange,
    report,
)
from tests.app.people import Person, make_person, sign_in
from tests.app.sharing.browsing import fields_of, with_field

NOWHERE = "Organisation no-such-organisation"


class Desk:
    """A person of post-be at a browser without script."""

    def __init__(self, exchange: Exchange, person: Person) -> None:
        self.exchange = exchange
        self.person = person
        self.client = exchange.app.test_client()
        self.headers = sign_in(self.client, person)

    def open(self, address: str, status: int = 200) -> str:
        answer = self.client.get(address, headers={"Accept": "text/html"})
        assert answer.status_code == status, answer.get_data(as_text=True)
        return text_of(answer)

    def send(self, address: str, fields: Any = (), status: int = 303) -> TestResponse:
        data = fields if isinstance(fields, dict) else dict(fields)
        answer = self.client.post(
            address, data=data, headers={**self.headers, "Accept": "text/html"}
        )
        assert answer.status_code == status, answer.get_data(as_text=True)
        return answer

    def begin(self, source: str, title: str = "A change") -> str:
        """The address of a new draft."""
        made = self.send("/policy/drafts", {"from": source, "title": title})
        return made.location.partition("?")[0]

    def fields(self, draft: str) -> list[tuple[str, str]]:
        return fields_of(self.client.get(draft).get_data(as_text=True))

    def propose(self, draft: str, **more: str) -> None:
        revision = dict(self.fields(draft))["revision"]
        self.send(f"{draft}/propose", {"revision": revision, **more})


@pytest.fixture
def exchange(app: Flask) -> Exchange:
    return make_exchange(app)


@pytest.fixture
def writer(exchange: Exchange) -> Desk:
    return Desk(exchange, make_person(exchange.app, "post-be", [Role.POLICY_OWNER]))


@pytest.fixture
def second(exchange: Exchange) -> Desk:
    return Desk(exchange, make_person(exchange.app, "post-be", [Role.APPROVER]))


def text_of(answer: TestResponse) -> str:
    return html.unescape(answer.get_data(as_text=True))


def draft_of(exchange: Exchange, address: str) -> PolicyDraft:
    (row,) = exchange.rows(
        select(PolicyDraft).where(PolicyDraft.public_id == UUID(address.rpartition("/")[2]))
    )
    found: PolicyDraft = row
    return found


def newest_version(exchange: Exchange) -> PolicyVersion | None:
    rows = exchange.rows(select(PolicyVersion).order_by(PolicyVersion.seq.desc()))
    return rows[0] if rows else None


def refusals(exchange: Exchange) -> list[LoggedEntry]:
    return [each for each in exchange.entries("policy.draft") if "refusal" in each.details]


def cedar_shown(page: str) -> str:
    found = re.search(r'<div id="cedar".*?<pre class="cedar"><code>(.*?)</code>', page, re.DOTALL)
    assert found
    return found[1]


def test_an_organisation_without_a_policy_is_told_that_it_shares_nothing(writer: Desk) -> None:
    page = writer.open("/policy")
    assert "No policy yet: you share nothing" in page
    assert 'href="/policy/new"' in page
    assert "Stop all sharing now" not in page


def test_a_template_becomes_a_form_with_ones_own_country_filled_in(writer: Desk) -> None:
    page = writer.open("/policy/new")
    assert "Customs of your country, to control parcels" in page
    assert "Deconfliction" not in page  # for authorities alone
    address = writer.begin("template:customs-control", "Customs of Belgium")
    page, fields = writer.open(address), dict(writer.fields(address))
    assert fields["title"] == "Customs of Belgium"
    assert fields["rules-0-countries"] == "BE"
    assert fields["rules-0-newer_than"] == "365"
    assert fields["rules-0-level"] == "metadata"
    assert 'principal.country == Country::"BE"' in cedar_shown(page)


def test_what_the_page_shows_is_what_is_kept(writer: Desk) -> None:
    """Every field of every template goes out to the page and comes back the same."""
    address = writer.begin("empty")
    for each in (
        "police-investigation",
        "screening-filters",
        "holding-back",
        "silent-investigation",
    ):
        writer.send(address, with_field(writer.fields(address), "do", f"add:{each}"))
    before = draft_of(writer.exchange, address)
    writer.send(address, with_field(writer.fields(address), "do", "save"))
    after = draft_of(writer.exchange, address)
    assert len(before.form or []) > 6
    assert (after.form, after.text) == (before.form, before.text)
    assert after.revision == before.revision + 1


def test_a_ticked_condition_enters_the_text(writer: Desk) -> None:
    address = writer.begin("template:customs-control")
    fields = writer.fields(address)
    assert not [value for name, value in fields if name == "rules-0-tlp"]
    writer.send(address, with_field(fields, "rules-0-tlp", "CLEAR", "GREEN"))
    text = cedar_shown(writer.open(address))
    assert '[Tlp::"CLEAR", Tlp::"GREEN"].contains(resource.tlp)' in text
    ticked = [value for name, value in writer.fields(address) if name == "rules-0-tlp"]
    assert ticked == ["CLEAR", "GREEN"]


def test_rules_are_added_moved_and_removed_by_buttons(writer: Desk) -> None:
    address = writer.begin("template:customs-control")

    def names() -> list[str]:
        return [rule["name"] for rule in draft_of(writer.exchange, address).form or []]

    answer = writer.send(address, with_field(writer.fields(address), "do", "add:customs-control"))
    assert names() == ["customs-control", "customs-control-2"]
    assert answer.location.endswith("#rule-1")
    writer.send(address, with_field(writer.fields(address), "do", "add:police-ask"))
    answer = writer.send(address, with_field(writer.fields(address), "do", "up:2"))
    assert names()[:3] == ["customs-control", "police-any-presence", "customs-control-2"]
    assert answer.location.endswith("#rule-1")
    writer.send(address, with_field(writer.fields(address), "do", "down:0"))
    assert names()[:2] == ["police-any-presence", "customs-control"]
    writer.send(address, with_field(writer.fields(address), "do", "remove:1"))
    assert names() == ["police-any-presence", "customs-control-2", "police-any-request"]


def test_the_order_is_that_of_the_fields_whatever_their_numbers(writer: Desk) -> None:
    address = writer.begin("template:police-ask")
    fields = writer.fields(address)
    of_first = [each for each in fields if each[0].startswith("rules-0-")]
    others = [each for each in fields if not each[0].startswith("rules-0-")]
    writer.send(address, with_field(others + of_first, "do", "save"))
    form = draft_of(writer.exchange, address).form or []
    assert [rule["name"] for rule in form] == ["police-any-request", "police-any-presence"]


def test_a_fault_stands_at_its_field_and_what_was_typed_is_kept_on_the_page(
    writer: Desk,
) -> None:
    address = writer.begin("template:customs-control")
    typed = with_field(writer.fields(address), "rules-0-countries", "Belgium")
    page = text_of(writer.send(address, typed, status=422))
    assert 'value="Belgium" aria-invalid="true" aria-describedby="error-0-countries"' in page
    assert "Use an ISO 3166-1 code of two capital letters, such as NL." in page
    assert draft_of(writer.exchange, address).revision == 1
    (entry,) = [
        each for each in writer.exchange.entries("policy.draft") if "refusal" in each.details
    ]
    assert entry.details["refusal"] == "invalid-request"
    assert f'"out":"{Outcome.ERROR.value}"' in entry.record.replace(" ", "")


def test_a_rule_that_contradicts_itself_is_told_so_at_the_field(writer: Desk) -> None:
    address = writer.begin("template:customs-control")
    typed = with_field(writer.fields(address), "rules-0-effect", "forbid")
    page = text_of(writer.send(address, typed, status=422))
    assert "A rule that forbids permits no level: choose what it keeps back." in page


def test_an_unknown_community_is_told_at_the_rule_that_names_it(writer: Desk) -> None:
    address = writer.begin("template:customs-control")
    writer.send(address, with_field(writer.fields(address), "rules-0-communities", "benelux"))
    page = writer.open(address)
    assert 'Community::"benelux" does not exist here' in page
    assert "has faults" in page


def test_turning_to_cedar_by_hand_keeps_the_text_and_gives_up_the_form(writer: Desk) -> None:
    address = writer.begin("template:customs-control")
    text = draft_of(writer.exchange, address).text
    writer.send(address, with_field(writer.fields(address), "do", "by_hand"))
    kept = draft_of(writer.exchange, address)
    assert (kept.form, kept.text) == (None, text)
    assert "Written by hand, so it has no form." in writer.open(address)
    assert dict(writer.fields(address))["text"] == text


def test_a_text_by_hand_with_faults_is_saved_and_its_faults_named_by_line(writer: Desk) -> None:
    address = writer.begin("text")
    text = (
        '\n\n@id("post-be/x") @label("X") permit (principal, action, resource)\n'
        'when { resource.tlp == Tlp::"AMBRE" };'
    )
    writer.send(address, with_field(writer.fields(address), "text", text))
    page = writer.open(address)
    assert "The text cannot take effect:" in page
    assert "line 3" in page
    assert "Did you mean AMBER?" in page
    refused = text_of(writer.send(f"{address}/propose", {"revision": "2"}, status=422))
    assert "Nothing was changed." in refused
    assert draft_of(writer.exchange, address).status is DraftStatus.EDITING


def test_two_people_make_a_version_and_both_are_named_on_the_page(
    writer: Desk, second: Desk
) -> None:
    address = writer.begin("template:police-ask", "Police may ask")
    writer.propose(address)
    page = second.open("/policy")
    assert "For you to decide" in page
    page = second.open(address)
    assert f"written by {writer.person.name}" in page
    assert "Approve revision 2" in page
    assert '<span class="diff-sign">+</span> @id("post-be/police-any-presence")' in page
    answer = second.send(f"{address}/approve", {"revision": "2", "reason": ""})
    assert answer.location == "/policy?done=approved"
    page = writer.open("/policy")
    assert "In force: version 1" in page
    assert f"<dt>Proposed by</dt><dd>{writer.person.name}</dd>" in page
    assert f"<dt>Approved by</dt><dd>{second.person.name}</dd>" in page
    assert "Police of any member learn that we know something" in page
    assert str(writer.person.caller.person) not in page


@pytest.mark.parametrize("also", [[], [Role.APPROVER]])
def test_whoever_wrote_it_is_told_why_they_cannot_approve_it(
    exchange: Exchange, also: list[Role]
) -> None:
    author = Desk(exchange, make_person(exchange.app, "post-be", [Role.POLICY_OWNER, *also]))
    address = author.begin("template:police-ask")
    author.propose(address)
    page = author.open(address)
    assert "You had a part in this draft, so you cannot approve it." in page
    assert "Ask a policy owner or an approver" in page
    assert f'action="{address}/approve"' not in page
    assert "For you to decide" not in author.open("/policy")
    refused = text_of(author.send(f"{address}/approve", {"revision": "2"}, status=403))
    assert "You wrote or proposed this draft, so somebody else must approve it" in refused
    assert newest_version(exchange) is None
    assert [each.details["refusal"] for each in refusals(exchange)] == ["draft-own"]


def test_a_refusal_needs_a_reason_which_the_author_reads(writer: Desk, second: Desk) -> None:
    address = writer.begin("template:police-ask")
    writer.propose(address)
    refused = text_of(
        second.send(f"{address}/refuse", {"revision": "2", "reason": " "}, status=422)
    )
    assert "Say why in up to 500 characters: the author reads it." in refused
    second.send(f"{address}/refuse", {"revision": "2", "reason": "Too wide for us."})
    assert "Too wide for us." in writer.open("/policy")
    page = writer.open(address)
    assert "Too wide for us." in page
    assert second.person.name in page


def test_a_decision_that_is_refused_leaves_nothing_of_it_behind(writer: Desk, second: Desk) -> None:
    address = writer.begin("template:police-ask")
    writer.propose(address)
    second.send(f"{address}/approve", {"revision": "2", "reason": "x" * 501}, status=422)
    assert newest_version(writer.exchange) is None
    assert draft_of(writer.exchange, address).status is DraftStatus.PROPOSED
    assert writer.exchange.entries("policy.publish") == []


def test_what_somebody_else_saved_meanwhile_is_not_overwritten_unseen(writer: Desk) -> None:
    address = writer.begin("template:police-ask")
    mine = writer.fields(address)
    writer.send(address, with_field(mine, "title", "Theirs"))
    answer = writer.send(address, with_field(mine, "title", "Mine"), status=409)
    assert "Somebody has changed the draft since you read it" in text_of(answer)
    shown = fields_of(answer.get_data(as_text=True))
    assert (dict(shown)["title"], dict(shown)["revision"]) == ("Mine", "2")
    assert draft_of(writer.exchange, address).title == "Theirs"
    writer.send(address, with_field(shown, "do", "save"))
    assert draft_of(writer.exchange, address).title == "Mine"


def test_a_proposal_that_was_overtaken_says_what_to_do(writer: Desk, second: Desk) -> None:
    address = writer.begin("template:police-ask")
    writer.propose(address)
    writer.exchange.publish("post-be", OPEN_TO_POLICE)
    page = second.open(address)
    assert "It cannot be approved." in page
    assert "Approve revision" not in page
    refused = text_of(second.send(f"{address}/approve", {"revision": "2"}, status=409))
    assert "The policy has changed since this text was compared with it" in refused
    writer.send(f"{address}/withdraw")
    assert "Compare it with the newest version, save it again" in writer.open(address)


def test_a_version_waits_for_its_time_and_can_be_cancelled(writer: Desk, second: Desk) -> None:
    address = writer.begin("template:police-ask")
    at = (clock.now() + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M")
    writer.propose(address, activate_at=at)
    second.send(f"{address}/approve", {"revision": "2"})
    page = writer.open("/policy")
    assert "Waiting for its time: version 1" in page
    assert "No policy yet" in page
    assert 'action="/policy/versions/1/cancel"' not in second.open("/policy")
    writer.send("/policy/versions/1/cancel")
    page = writer.open("/policy?done=cancelled")
    assert "the version that waited will not take effect" in page
    assert "cancelled before its time" in page


@pytest.mark.parametrize("typed", ["tomorrow", "2020-01-01T00:00", "2999-01-01T00:00"])
def test_a_time_that_cannot_be_is_refused_on_the_page(writer: Desk, typed: str) -> None:
    address = writer.begin("template:police-ask")
    refused = writer.send(f"{address}/propose", {"revision": "1", "activate_at": typed}, status=422)
    assert "Nothing was changed." in text_of(refused)
    assert draft_of(writer.exchange, address).status is DraftStatus.EDITING


def test_stopping_asks_first_and_then_nothing_is_shared(writer: Desk) -> None:
    writer.exchange.publish("post-be", OPEN_TO_POLICE)
    page = writer.open("/policy/stop")
    assert "Police of the exchange see everything that may leave" in page
    assert newest_version(writer.exchange).seq == 1  # type: ignore[union-attr]
    writer.send("/policy/stop")
    stopped = newest_version(writer.exchange)
    assert stopped is not None
    assert (stopped.text, stopped.cause) == ("", Cause.STOP)
    assert "all sharing stopped" in writer.open("/policy")


def test_a_version_is_compared_with_the_one_before_and_gone_back_to(writer: Desk) -> None:
    writer.exchange.publish("post-be", OPEN_TO_POLICE)
    writer.exchange.publish("post-be", OPEN_TO_POLICE.replace('"police" }', '"customs" }'))
    page = writer.open("/policy/versions/2")
    assert '<span class="diff-sign">-</span> permit (principal, action, resource) when' in page
    assert '<span class="diff-sign">+</span> permit (principal, action, resource) when' in page
    made = writer.send("/policy/versions/1/draft", {"title": "Back to police"})
    kept = draft_of(writer.exchange, made.location.partition("?")[0])
    assert (kept.title, kept.text) == ("Back to police", OPEN_TO_POLICE)


def test_what_changes_is_counted_and_examples_lead_to_their_audience(writer: Desk) -> None:
    writer.exchange.submit("post-be", report("1", writer.exchange.indicator(SOPHIE)))
    address = writer.begin("template:police-ask")
    page = writer.open(f"{address}/changes")
    assert "Compared with no policy at all" in page
    assert "They see something of yours for the first time:" in page
    assert "Organisation police-de" in page
    assert "/policy/audience?indicator=" in page
    assert len(writer.exchange.entries("policy.simulate")) == 2  # with the replay


def test_what_changes_of_a_text_with_faults_are_its_faults(writer: Desk) -> None:
    address = writer.begin("text")
    writer.send(address, with_field(writer.fields(address), "text", "permit (principal"))
    page = writer.open(f"{address}/changes")
    assert "The text cannot take effect:" in page
    assert "What changes is told once the text has no faults." in page


def test_a_policy_that_is_no_longer_valid_alarms(writer: Desk) -> None:
    with writer.exchange.database.transaction() as session:
        session.execute(
            insert(PolicyVersion).values(
                organisation_id=writer.exchange.organisation_id("post-be"),
                seq=1,
                text=OPEN_TO_POLICE.replace("sector", "no_longer_known"),
                sha256=bytes(32),
                valid_from=clock.now(),
                created_at=clock.now(),
                cause=Cause.CONSOLE,
            )
        )
    assert "The policy in force is no longer valid, so you share nothing." in writer.open("/policy")
    assert "The policy in force is no longer valid" in writer.open("/")
    assert "no longer accept this text" in writer.open("/policy/versions/1")


def test_the_script_of_the_page_gets_the_text_that_the_form_makes(writer: Desk) -> None:
    address = writer.begin("template:customs-control")
    fields = with_field(writer.fields(address), "rules-0-countries", "BE NL")
    made = writer.send("/policy/compose", fields, status=200).get_json()
    assert '[Country::"BE", Country::"NL"].contains(principal.country)' in made["text"]
    assert made["faults"] == 0
    assert draft_of(writer.exchange, address).revision == 1
    fields = with_field(writer.fields(address), "rules-0-countries", "Belgium")
    writer.send("/policy/compose", fields, status=422)


def test_a_reader_without_the_role_to_write_sees_no_form(writer: Desk, exchange: Exchange) -> None:
    address = writer.begin("template:customs-control")
    officer = Desk(exchange, make_person(exchange.app, "post-be", [Role.COMPLIANCE]))
    page = officer.open(address)
    assert "Customs of our country see what we reported within a year" in page
    assert "<form id=" not in page
    assert "/policy/new" not in officer.open("/policy")
    officer.send(address, {"revision": "1"}, status=403)


def test_drafts_and_versions_of_others_are_answered_like_none(
    writer: Desk, exchange: Exchange
) -> None:
    address = writer.begin("template:customs-control")
    exchange.publish("post-be", OPEN_TO_POLICE)
    other = Desk(exchange, make_person(exchange.app, "police-de", [Role.POLICY_OWNER]))
    for theirs, none in (
        (address, f"/policy/drafts/{uuid4()}"),
        (f"{address}/changes", f"/policy/drafts/{uuid4()}/changes"),
        ("/policy/versions/1", "/policy/versions/7"),
    ):
        answers = [without_reference(other.open(each, 404), each) for each in (theirs, none)]
        assert answers[0] == answers[1]
    other.send(f"{address}/discard", status=404)
    assert draft_of(exchange, address).status is DraftStatus.EDITING


def without_reference(page: str, address: str) -> str:
    page = page.replace(address, "")
    return re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|value=\"[^\"]*\"", "", page)


def test_people_have_names_in_their_own_organisation_and_nowhere_else(
    exchange: Exchange,
) -> None:
    post, police = exchange.people["post-be"], exchange.people["police-de"]
    desk = Desk(exchange, post)
    own, foreign = post.caller.person, police.caller.person
    assert own is not None
    assert foreign is not None
    with exchange.app.test_request_context(), exchange.database.transaction() as session:
        from flask import g  # noqa: PLC0415 - only within a request

        g.caller, g.transaction = post.caller, session
        assert person_name(own) == post.name
        assert person_name(foreign) == str(foreign)[:8]
    assert police.name not in desk.open("/policy")


def test_forty_versions_are_folded_behind_the_newest_ten(writer: Desk) -> None:
    for _ in range(12):
        writer.exchange.publish("post-be", OPEN_TO_POLICE)
    page = writer.open("/policy")
    assert "2 older versions" in page
    assert page.count('href="/policy/versions/') == 12


def test_two_versions_stand_side_by_side_and_the_newest_two_are_offered(
    exchange: Exchange, writer: Desk
) -> None:
    assert "There are no two versions to compare yet" in writer.open("/policy/compare")
    exchange.publish("post-be", OPEN_TO_POLICE)
    exchange.publish("post-be", "")
    page = writer.open("/policy/compare")
    assert '<option value="1" selected>' in page
    assert '<option value="2" selected>' in page
    assert re.search(r"\S gone</span>", page)
    assert "+ new" not in page
    assert "+ new" in writer.open("/policy/compare?from=2&to=1")
    for address in ("?from=1&to=9", "?from=9999999999&to=1"):
        assert "There is no such version" in writer.open(f"/policy/compare{address}")


def test_a_form_from_another_site_is_refused(writer: Desk) -> None:
    answer = writer.client.post("/policy/stop", headers={"Accept": "text/html"})
    assert answer.status_code == 400
    assert newest_version(writer.exchange) is None


def test_the_home_page_says_that_a_proposal_waits_for_the_reader(
    writer: Desk, second: Desk
) -> None:
    address = writer.begin("template:police-ask")
    writer.propose(address)
    assert "change of the sharing policy waits for your decision" in second.open("/")
    assert "waits for your decision" not in writer.open("/")


def test_the_audience_of_an_indicator_names_readers_purposes_rules_and_ages(
    exchange: Exchange,
) -> None:
    exchange.publish("post-be", OPEN_TO_POLICE)
    exchange.submit("post-be", report("1", exchange.indicator(SOPHIE)))
    submitter = Desk(exchange, make_person(exchange.app, "post-be", [Role.SUBMITTER]))
    home = submitter.open("/")
    found = re.search(r"/policy/audience\?indicator=([0-9a-f-]{36})", home)
    assert found
    page = submitter.open(found[0])
    assert "By version 1, in force" in page
    assert "Organisation police-de" in page
    assert "Organisation customs-nl" not in page
    assert "criminal investigation" in page
    assert "open/police" in page
    assert [each.details["objects"] for each in exchange.entries("policy.explain")] == [[found[1]]]


def test_the_audience_of_what_is_not_ones_own_is_that_of_nothing(exchange: Exchange) -> None:
    exchange.submit("post-be", report("1", exchange.indicator(SOPHIE)))
    (entry,) = exchange.entries("report.submit")
    theirs = exchange.rows(select(Indicator))[0].public_id
    assert entry
    other = Desk(exchange, make_person(exchange.app, "police-de", [Role.SUBMITTER]))
    answers = []
    for indicator in (theirs, uuid4()):
        page = other.open(f"/policy/audience?indicator={indicator}", 404)
        assert "You have no live indicator with this id" in page
        answers.append(page.replace(str(indicator), ""))
    assert without_reference(answers[0], "") == without_reference(answers[1], "")
    assert "This is no id." in other.open("/policy/audience?indicator=x", 422)
    assert "Show who can see it" in other.open("/policy/audience")


def test_a_proposal_shows_what_the_last_days_would_have_been(
    writer: Desk, second: Desk, exchange: Exchange
) -> None:
    exchange.publish("post-be", OPEN_TO_POLICE)
    exchange.submit("post-be", report("1", exchange.indicator(SOPHIE)))
    exchange.ask("police-de", SOPHIE)
    address = writer.begin("template:operators-warn")
    writer.propose(address)
    page = second.open(address)
    assert "What the last 30 days would have been" in page
    assert "on request → nothing" in page
    assert "Only hits that you were told of can be decided again." in page
