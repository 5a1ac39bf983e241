"""Screening filters: what goes in, to whom it is given, how it is called back, and how it ends."""

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import delete, func, select

from app.accounts.models import RoleGrant
from app.errors import NotFoundError
from app.indicators.ledger import PRESENCE
from app.indicators.models import Given, Indicator, Token
from app.indicators.telling import Grounds
from app.jobs.draining import drain
from app.organisations.models import OrganisationStatus
from app.patterns import filter_building, filter_changes, filter_ending, filters
from app.patterns.filter_changes import NoChangesError
from app.patterns.filter_models import FilterIssue, FilterPart, FilterSalt, FilterState
from app.patterns.filters import (
    FilterGoneError,
    FilterNotReadyError,
    FilterTooLargeError,
    Issue,
    TooManyFiltersError,
)
from app.pseudonyms.service import directory_fingerprint
from postern import token_filter, token_tags
from postern.base64url import from_base64url
from postern.normalise import Phone, Value
from postern.vocabulary import LegalBasis, Purpose, RecallReason, Role, SourceGrade, Way
from tests.app.disclosures.ring import FED, GROUNDS, NOON, UNTOLD, Ring, open_ring
from tests.app.exchange import JAN, SOPHIE, place, report
from tests.app.people import runtime_of

PHONE = Phone("+32 470 12 34 56")
INTELLIGENCE = replace(GROUNDS, purpose=Purpose.CRIMINAL_INTELLIGENCE)

SCREENED_BY_ONE = """
@id("one/all") @label("One police force takes what it wants")
permit (principal, action, resource) when { principal.organisation == Organisation::"police-de" };
@id("other/presence") @label("The other learns that something is known")
permit (principal, action == Action::"presence", resource);
"""


on_one_database = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def ring(app: Flask) -> Iterator[Ring]:
    with open_ring(app) as made:
        yield made


def submit(ring: Ring, key: str, *values: Value, code: str = "post-be") -> list[UUID]:
    """A report whose indicators may be watched for; its own id and those of its indicators."""
    sent = [ring.exchange.indicator(value, permitted_action="watch") for value in values]
    (made,) = ring.exchange.submit(code, report(key, *sent)).results
    assert made.id, made.errors
    return [made.id, *made.indicators]


def make(ring: Ring, code: str = "police-de", grounds: Grounds = GROUNDS) -> Issue:
    with ring.doing() as session:
        return filters.make(session, ring.caller(code), grounds)


def read(ring: Ring, issue: UUID, code: str = "police-de") -> Issue:
    with ring.doing() as session:
        return filters.read_issue(session, ring.caller(code), issue)


def fetch(ring: Ring, issue: UUID, part: int = 1, code: str = "police-de") -> bytes:
    with ring.doing() as session:
        return filters.fetch(session, ring.caller(code), issue, part)


def content_of(ring: Ring, issue: Issue, code: str = "police-de") -> bytes:
    return b"".join(fetch(ring, issue.id, part, code) for part in range(1, issue.parts + 1))


def changes(ring: Ring, issue: UUID, since: int) -> bytes:
    with ring.doing() as session:
        return filter_changes.changes(session, ring.caller("police-de"), issue, since)


def salt_of(issue: Issue) -> bytes:
    assert issue.header is not None
    document = issue.header["document"]
    assert isinstance(document, dict)
    salt = from_base64url(document["salt"])
    assert salt is not None
    return salt


def tagged(ring: Ring, issue: Issue, *of: UUID) -> bytes:
    """What the content must be for indicators with these ids."""
    ids = select(Indicator.id).where(Indicator.public_id.in_(of)).scalar_subquery()
    rows = ring.exchange.rows(select(Token).where(Token.indicator_id.in_(ids)))
    salt = salt_of(issue)
    return token_tags.content_of((token_tags.tag(salt, row.token), row.facet) for row in rows)


def state_of(ring: Ring, issue: UUID) -> FilterState:
    (row,) = ring.exchange.rows(select(FilterIssue).where(FilterIssue.public_id == issue))
    state: FilterState = row.state
    return state


def test_a_filter_lists_what_may_be_screened_and_is_signed(ring: Ring) -> None:
    _, sophie, jan = submit(ring, "k1", SOPHIE, JAN)
    _, phone = submit(ring, "k2", PHONE)
    _, own = submit(ring, "k3", SOPHIE, code="police-de")
    red, known = (
        report(key, ring.exchange.indicator(JAN, **fields))
        for key, fields in (("r", {"tlp": "RED", "permitted_action": "watch"}), ("k", {}))
    )
    ring.exchange.submit("post-be", red, known, report("p", place()))
    submit(ring, "n", JAN, code="customs-nl")  # whose policy shares nothing
    issue = make(ring)
    content = content_of(ring, issue)
    assert content == tagged(ring, issue, sophie, jan, phone, own)
    assert issue.count == len(content) // 9 == len(set(token_tags.records(content)))
    with ring.doing():
        header = token_filter.read(issue.header, directory_fingerprint(), NOON)
    assert (header.organisation, header.seq, header.issue) == ("police-de", 1, issue.id)
    assert (header.purpose, header.legal_basis) == (GROUNDS.purpose, GROUNDS.legal_basis)
    assert (header.created_at, header.expires_at) == (NOON, NOON + timedelta(days=7))
    assert (header.sha256, header.count) == (hashlib.sha256(content).digest(), issue.count)
    assert header.epochs == issue.epochs
    assert read(ring, issue.id) == issue

    given = ring.exchange.rows(select(Given))
    assert {(row.indicator, row.way, row.level) for row in given} == {
        (each, Way.FILTER, PRESENCE) for each in (sophie, jan, phone)
    }
    (made,) = ring.exchange.entries("filter.make")
    assert (made.audience, made.details["case"]) == (["police-de"], GROUNDS.case)
    (shared,) = ring.exchange.entries("filter.shared")
    assert shared.audience == ["post-be"]
    assert '"n":3' in shared.record.replace(" ", "")
    assert shared.details["viewer"] == "police-de"
    assert "case" not in shared.details
    assert "actor" not in shared.details


@on_one_database
def test_two_organisations_get_the_same_under_salts_that_cannot_be_compared(ring: Ring) -> None:
    _, sophie = submit(ring, "k1", SOPHIE)
    issues = {code: make(ring, code) for code in ("police-de", "police-fr")}
    contents = [content_of(ring, issue, code) for code, issue in issues.items()]
    for content, issue in zip(contents, issues.values(), strict=True):
        assert content == tagged(ring, issue, sophie)
    first, second = ({record[:8] for record in token_tags.records(each)} for each in contents)
    assert len(first) == len(second)
    assert not first & second
    sealed = ring.exchange.rows(select(FilterSalt))
    salts = {salt_of(issue) for issue in issues.values()}
    assert len(sealed) == len(salts) == 2
    assert not any(salt in row.sealed for salt in salts for row in sealed)


@on_one_database
def test_without_the_permission_to_screen_nothing_is_listed_or_noted(ring: Ring) -> None:
    submit(ring, "k1", SOPHIE)
    ring.exchange.publish("post-be", SCREENED_BY_ONE)
    empty = make(ring, "police-fr")
    assert (empty.count, empty.parts, empty.state) == (0, 0, FilterState.READY)
    service_security = Grounds(Purpose.SERVICE_SECURITY, LegalBasis.POSTAL_LAW, "c")
    assert make(ring, "police-de", service_security).count == 0
    assert not ring.exchange.rows(select(Given))
    assert not ring.exchange.entries("filter.shared")
    assert make(ring).count
    ring.set_status("post-be", OrganisationStatus.SUSPENDED)
    assert make(ring).count == 0


@on_one_database
def test_nothing_of_an_authority_goes_into_the_filter_of_an_operator(ring: Ring) -> None:
    _, own = submit(ring, "k1", SOPHIE)
    submit(ring, "k2", JAN, code="police-de")
    ring.exchange.publish("police-de", FED)
    issue = make(ring, "post-be", Grounds(Purpose.PARCEL_SCREENING, LegalBasis.POSTAL_LAW, "c"))
    assert content_of(ring, issue, "post-be") == tagged(ring, issue, own)
    assert ring.exchange.rows(select(Given)) == []


def test_an_owner_that_may_not_be_told_is_not_told_and_reaches_the_holder(ring: Ring) -> None:
    report_id, sophie = submit(ring, "k1", SOPHIE)
    ring.exchange.publish("post-be", FED + UNTOLD)
    make(ring)
    assert not ring.exchange.entries("filter.shared")
    ring.withdraw(report_id)
    (recall,) = ring.received("police-de")
    assert (recall.indicator, recall.ways) == (sophie, [Way.FILTER])
    assert ring.own() == []


@on_one_database
def test_another_organisations_filter_is_like_one_that_does_not_exist(ring: Ring) -> None:
    submit(ring, "k1", SOPHIE)
    issue = make(ring)
    for attempt in (
        lambda: read(ring, issue.id, "police-fr"),
        lambda: fetch(ring, issue.id, 1, "police-fr"),
        lambda: fetch(ring, issue.id, 2),
        lambda: fetch(ring, issue.id, 0),
    ):
        with pytest.raises(NotFoundError):
            attempt()
    with ring.doing() as session:
        assert filters.list_issues(session, ring.caller("police-fr"), 10).issues == []
        page = filters.list_issues(session, ring.caller("police-de"), 10)
    assert [(each.id, each.header) for each in page.issues] == [(issue.id, None)]


def test_what_is_withdrawn_stops_the_filter_and_is_revoked_by_the_next(ring: Ring) -> None:
    first_report, sophie = submit(ring, "k1", SOPHIE)
    submit(ring, "k2", JAN)
    older, other = make(ring), make(ring, "police-fr")
    before = content_of(ring, older)
    ring.wait(hours=20)
    ring.withdraw(first_report, RecallReason.WRONG_IDENTITY)
    submit(ring, "k3", PHONE)
    assert state_of(ring, older.id) is state_of(ring, other.id) is FilterState.CALLED_BACK
    assert read(ring, older.id).header is None
    with pytest.raises(FilterGoneError):
        fetch(ring, older.id)
    (recall,) = ring.received("police-de")
    assert (recall.indicator, recall.reason) == (sophie, RecallReason.WRONG_IDENTITY)
    newer = make(ring)
    after = content_of(ring, newer)
    change = changes(ring, newer.id, older.seq)
    had, has = (set(token_tags.records(each)) for each in (before, after))
    revoked = sorted(record[:8] for record in had - has)
    assert revoked
    assert change == token_tags.changes(sorted(has - had), revoked)
    assert token_tags.changed(before, change) == after
    stopped = [entry.audience for entry in ring.exchange.entries("filter.call-back")]
    assert stopped == [["police-de"], ["police-fr"]]
    facts = {"filter": str(older.id)}
    told = [("filter.called-back", Role.ANALYST, facts, "/filters")]
    assert ring.notices("police-de", "filter") == told
    assert state_of(ring, newer.id) is FilterState.READY


@on_one_database
def test_a_correction_does_not_reach_who_was_shown_nothing(ring: Ring) -> None:
    report_id, sophie = submit(ring, "k1", SOPHIE)
    issue = make(ring)
    ring.amend(report_id, sophie, source_grade=SourceGrade.A)
    assert ring.received("police-de") == []
    assert state_of(ring, issue.id) is FilterState.READY
    with pytest.raises(NotFoundError):
        ring.tell("police-de", sophie)


def test_a_withdrawal_under_way_waits_for_the_filter_and_finds_its_holder(ring: Ring) -> None:
    report_id, sophie = submit(ring, "k1", SOPHIE)
    with ThreadPoolExecutor(1) as pool:
        with ring.doing() as session:
            issue = filters.make(session, ring.caller("police-de"), GROUNDS)
            withdrawal = pool.submit(ring.withdraw, report_id)
            assert not wait([withdrawal], timeout=0.5).done
        withdrawal.result()
    assert [each.indicator for each in ring.received("police-de")] == [sophie]
    assert state_of(ring, issue.id) is FilterState.CALLED_BACK


def test_there_are_changes_only_from_a_filter_of_the_same_kind_that_stands(
    ring: Ring, monkeypatch: pytest.MonkeyPatch
) -> None:
    submit(ring, "k1", SOPHIE)
    older, other = make(ring), make(ring, grounds=INTELLIGENCE)
    newer = make(ring)
    assert changes(ring, newer.id, older.seq) == bytes(4)
    for since in (other.seq, newer.seq, 99):
        with pytest.raises(NoChangesError):
            changes(ring, newer.id, since)
    submit(ring, "k2", JAN)
    last = make(ring)
    monkeypatch.setattr(filter_changes, "LARGEST", 8)
    with pytest.raises(NoChangesError):
        changes(ring, last.id, older.seq)
    monkeypatch.undo()


@on_one_database
def test_a_content_of_several_parts_is_one_list(
    ring: Ring, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, sophie, jan = submit(ring, "k1", SOPHIE, JAN)
    monkeypatch.setattr(filter_building, "PART_RECORDS", 5)
    issue = make(ring)
    assert issue.count is not None
    assert issue.parts == -(-issue.count // 5) > 2
    assert len(fetch(ring, issue.id, 1)) == 45
    assert content_of(ring, issue) == tagged(ring, issue, sophie, jan)
    assert changes(ring, make(ring).id, issue.seq) == bytes(4)


def test_a_large_filter_is_built_by_a_job_with_the_rights_of_its_maker(
    ring: Ring, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, sophie = submit(ring, "k1", SOPHIE)
    monkeypatch.setattr(filters, "MOST_AT_ONCE", 3)
    issue, left = make(ring), make(ring, "police-fr")
    assert (issue.state, issue.count, issue.header) == (FilterState.BUILDING, None, None)
    with pytest.raises(FilterNotReadyError):
        fetch(ring, issue.id)
    ring.wait(minutes=5)
    with ring.doing() as session:
        session.execute(
            delete(RoleGrant).where(
                RoleGrant.person_id == ring.caller("police-fr").person_id,
                RoleGrant.role == Role.ANALYST,
            )
        )
    with ring.exchange.app.app_context():
        assert drain(runtime_of(ring.exchange.app)) >= 2
    built = read(ring, issue.id)
    assert (built.state, built.made_at) == (FilterState.READY, ring.clock.at)
    assert content_of(ring, built) == tagged(ring, built, sophie)
    assert state_of(ring, left.id) is FilterState.FAILED
    with pytest.raises(FilterGoneError):
        fetch(ring, left.id, 1, "police-fr")
    facts = {"filter": str(issue.id)}
    told = [("filter.ready", Role.ANALYST, facts, "/filters")]
    assert ring.notices("police-de", "filter") == told
    ((kind, *_),) = ring.notices("police-fr", "filter")
    assert kind == "filter.failed"
    by_job = {entry.audience[0]: entry.details for entry in ring.exchange.entries("filter.build")}
    assert {code: each["state"] for code, each in by_job.items()} == {
        "police-de": "ready",
        "police-fr": "failed",
    }
    holders = {row.recipient_id for row in ring.exchange.rows(select(Given))}
    assert holders == {ring.exchange.organisation_id("police-de")}


def test_a_filter_ends_after_a_week_and_is_forgotten(ring: Ring) -> None:
    submit(ring, "k1", SOPHIE)
    issue = make(ring)
    ring.wait(days=7)
    assert read(ring, issue.id).state is FilterState.EXPIRED
    with pytest.raises(FilterGoneError):
        fetch(ring, issue.id)
    with ring.doing() as session:
        assert filter_ending.expire(session) == 1
        assert filter_ending.expire(session) == 0
        assert session.scalar(select(func.count()).select_from(FilterPart)) == 0
    (entry,) = ring.exchange.entries("filter.expire")
    assert entry.audience == ["police-de"]
    # Of who is suspended nothing is kept for better days.
    left = make(ring, "police-fr")
    ring.set_status("police-fr", OrganisationStatus.SUSPENDED)
    with ring.doing() as session:
        assert filter_ending.expire(session) == 1
    ring.set_status("police-fr", OrganisationStatus.ACTIVE)
    with pytest.raises(FilterGoneError):
        fetch(ring, left.id, 1, "police-fr")
    make(ring)
    ring.wait(days=180)
    with ring.doing() as session:
        assert filter_ending.forget(session) == 1
    assert len(ring.exchange.rows(select(FilterIssue))) == 2
    assert len(ring.exchange.rows(select(FilterSalt))) == 2


@on_one_database
def test_only_so_many_filters_stand_and_only_so_large(
    ring: Ring, monkeypatch: pytest.MonkeyPatch
) -> None:
    submit(ring, "k1", SOPHIE)
    monkeypatch.setattr(filters, "MOST_STANDING", 2)
    make(ring)
    make(ring)
    with pytest.raises(TooManyFiltersError):
        make(ring)
    make(ring, "police-fr")
    ring.wait(days=7)
    make(ring)
    monkeypatch.setattr(token_filter, "MOST_RECORDS", 3)
    with pytest.raises(FilterTooLargeError):
        make(ring)
    numbers = [row.seq for row in ring.exchange.rows(select(FilterIssue).order_by(FilterIssue.id))]
    assert numbers == [1, 2, 1, 3]
