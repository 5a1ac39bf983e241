"""Reviews: ordered, drawn by nobody's choice, judged by another than who did the act."""

import csv
import hashlib
import io
import json
import os
import subprocess
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update

from app.access import CONSOLE
from app.audit.catalogue import Operation
from app.audit.entry import Outcome
from app.audit.models import AuditCheckpoint, AuditEntry
from app.compliance import reviews, rounds
from app.compliance.drawing import drawn, following, month_of, whole_months
from app.compliance.models import Finding, Review, ReviewRound, Verdict
from app.compliance.reviews import Kinds, Ordered, ReviewEndedError, UnknownReviewError
from app.compliance.rounds import OwnActError, RoundClosedError, Sample, UnknownRoundError
from app.errors import InvalidRequestError
from app.jobs.models import Notification
from app.organisations import service as organisations
from app.organisations.models import OrganisationStatus
from postern.base64url import to_base64url
from postern.tlog.hashing import leaf_hash
from postern.vocabulary import Purpose, Role
from tests.app.compliance.office import CODE, DECEMBER, NOVEMBER, Office
from tests.app.people import Person, make_person
from tests.written_docs import DOCS

LOOKUPS = Kinds(act="lookup.ask")
TITLE = "Lookups of unit 4: is each case real?"


def ordered(office: Office, sample: int = 2, kinds: Kinds = LOOKUPS, title: str = TITLE) -> Ordered:
    made: Ordered = office.do(
        reviews.order, office.officer, title=title, kinds=kinds, sample=sample
    )
    return made


def drawn_round(office: Office, sample: int = 2, asked: int = 6) -> Sample:
    """A round of December over lookups of November."""
    review = ordered(office, sample)
    office.ask(asked)
    office.clock.at = DECEMBER
    office.sequence()
    assert office.draw() == 1
    (one,) = office.do(reviews.read, office.officer, review.id).rounds
    return read(office, one.id)


def read(office: Office, round_id: UUID, who: Person | None = None) -> Sample:
    found: Sample = office.do(rounds.read_round, who or office.officer, round_id)
    return found


def judge(office: Office, sample: Sample, place: int, who: Person, **given: Any) -> Sample:
    given = {"verdict": Verdict.IN_ORDER, "note": ""} | given
    found: Sample = office.do(rounds.judge, who, sample.round.id, place=place, **given)
    return found


def told(office: Office, act: str) -> list[dict[str, Any]]:
    return [entry.details for entry in office.exchange.entries(act)]


def test_a_month_is_drawn_once_when_it_is_over(office: Office) -> None:
    ordered(office)
    office.ask(6)
    office.sequence()
    office.clock.at = DECEMBER - timedelta(hours=1, minutes=1)
    assert office.draw() == 0, "its last hour is not over by an hour"
    office.clock.at = DECEMBER
    assert office.draw() == 0, "no checkpoint was signed after its end"
    office.ask()
    office.sequence()
    assert (office.draw(), office.draw()) == (1, 0)
    (one,) = office.do(reviews.list_reviews, office.officer)[0].rounds
    assert (one.month, one.population, one.drawn, one.waiting) == (date(2026, 11, 1), 6, 2, 2)


def test_a_month_waits_until_each_of_its_entries_has_a_place(office: Office) -> None:
    ordered(office)
    office.ask(1)
    office.clock.at = DECEMBER
    office.sequence()
    office.clock.at = NOVEMBER
    office.ask(1)
    office.clock.at = DECEMBER
    assert office.draw() == 0
    office.sequence()
    assert office.draw() == 1


def test_the_sample_follows_from_the_seed_and_anybody_draws_it_again(office: Office) -> None:
    sample = drawn_round(office, sample=3, asked=8)
    with office.exchange.database.reading() as session:
        checkpoint = session.scalars(
            select(AuditCheckpoint).order_by(AuditCheckpoint.size).limit(1)
        ).one()
        entries = session.scalars(select(AuditEntry).where(AuditEntry.act == "lookup.ask")).all()
        ranked = sorted(
            (hashlib.sha256(checkpoint.root + leaf_hash(each.leaf)).digest(), each.rec)
            for each in entries
        )
    assert sample.round.seed == checkpoint.root
    assert sample.round.size == checkpoint.size
    assert [each.entry.record for each in sample.findings if each.entry] == [
        record for _, record in ranked[:3]
    ]


def test_the_lines_of_the_documentation_draw_the_same_sample(
    office: Office, tmp_path: Path
) -> None:
    sample = drawn_round(office, sample=4, asked=8)
    with office.exchange.database.reading() as session:
        entries = session.scalars(select(AuditEntry).where(AuditEntry.act == "lookup.ask")).all()
        leaves = [to_base64url(bytes(each.leaf)) for each in entries]
    (tmp_path / "leaves.txt").write_text("\n".join(leaves) + "\n")
    page = (DOCS / "reviews.md").read_text()
    script = page.partition("```sh\n")[2].partition("```")[0].replace("-n 20", "-n 4")
    ranked = subprocess.run(
        ["bash", "-euc", script],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "seed": sample.round.seed.hex()},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    drawn_leaves = [line.split()[1] for line in ranked.splitlines()]
    assert drawn_leaves == [to_base64url(each.entry.leaf) for each in sample.findings if each.entry]


def test_the_first_checkpoint_after_the_month_is_the_seed_though_there_are_later(
    office: Office,
) -> None:
    ordered(office)
    office.ask(3)
    office.sequence()
    office.clock.at = DECEMBER
    office.ask()
    office.sequence()
    office.ask()
    office.sequence()
    office.draw()
    with office.exchange.database.reading() as session:
        second = session.scalars(select(AuditCheckpoint).order_by(AuditCheckpoint.size)).all()[1]
        assert session.scalars(select(ReviewRound.seed)).one() == second.root


def test_only_what_one_s_own_organisation_did_is_drawn_and_only_of_these_kinds(
    office: Office,
) -> None:
    wanted = Kinds(
        operation=Operation.CONSULTATION,
        outcome=Outcome.OK,
        purpose=Purpose.CRIMINAL_INVESTIGATION,
    )
    ordered(office, 50, wanted)
    office.ask(2)
    office.exchange.ask("customs-nl")
    office.do(reviews.list_reviews, office.officer)
    office.clock.at = DECEMBER
    office.ask(1)
    office.sequence()
    office.draw()
    (one,) = office.do(reviews.list_reviews, office.officer)[0].rounds
    acts = [each.entry.fields["act"] for each in read(office, one.id).findings if each.entry]
    assert acts == ["lookup.ask", "lookup.ask"]


def test_a_review_ordered_after_the_month_does_not_draw_it_since_its_seed_is_known(
    office: Office,
) -> None:
    office.ask(3)
    office.clock.at = DECEMBER
    office.sequence()
    ordered(office)
    assert office.draw() == 0


def test_months_that_were_missed_are_drawn_later(office: Office) -> None:
    ordered(office)
    office.ask(3)
    office.clock.at = DECEMBER + timedelta(days=40)
    office.ask()
    office.sequence()
    assert office.draw() == 2
    found = office.do(reviews.list_reviews, office.officer)[0].rounds
    assert [one.month for one in found] == [date(2026, 12, 1), date(2026, 11, 1)]


def test_a_month_without_anything_to_draw_is_a_closed_round(office: Office) -> None:
    sample = drawn_round(office, asked=0)
    assert (sample.round.population, sample.round.drawn) == (0, 0)
    assert sample.round.closed_at == DECEMBER
    with office.exchange.database.reading() as session:
        assert session.scalars(select(Notification)).all() == []


def test_officers_are_told_of_a_round(office: Office) -> None:
    sample = drawn_round(office)
    with office.exchange.database.reading() as session:
        (notice,) = session.scalars(select(Notification)).all()
    assert (notice.role, notice.kind) == (Role.COMPLIANCE, "review.drawn")
    assert notice.facts == {"month": "2026-11", "count": 2}
    assert notice.address == f"/reviews/rounds/{sample.round.id}"


def test_an_ended_review_and_a_suspended_organisation_draw_nothing(office: Office) -> None:
    first, second = ordered(office), ordered(office)
    office.ask(3)
    office.do(reviews.end, office.officer, first.id)
    with pytest.raises(ReviewEndedError):
        office.do(reviews.end, office.officer, first.id)
    office.clock.at = DECEMBER
    office.sequence()
    with office.transaction() as session:
        organisations.set_status(session, CONSOLE, CODE, OrganisationStatus.SUSPENDED)
    assert office.draw() == 0
    with office.transaction() as session:
        organisations.set_status(session, CONSOLE, CODE, OrganisationStatus.ACTIVE)
    assert office.draw() == 1
    assert office.do(reviews.read, office.officer, second.id).waiting == 2
    assert office.do(reviews.read, office.officer, first.id).rounds == []


def test_a_judgement_is_kept_with_its_note_and_the_last_one_closes_the_round(
    office: Office,
) -> None:
    sample = drawn_round(office)
    note = "No such case in our register.\nAsked the unit."
    found = judge(office, sample, 1, office.officer, verdict=Verdict.BREACH, note=note)
    assert (found.round.waiting, found.round.closed_at) == (1, None)
    assert (found.findings[0].verdict, found.findings[0].note) == (Verdict.BREACH, note)
    assert found.findings[0].judged_by == office.officer.caller.person
    corrected = judge(office, sample, 1, office.second, verdict=Verdict.MISTAKE, note="It is there")
    assert corrected.findings[0].verdict is Verdict.MISTAKE
    closed = judge(office, sample, 2, office.second)
    assert closed.round.closed_at == DECEMBER
    assert closed.round.counts == {Verdict.MISTAKE: 1, Verdict.IN_ORDER: 1}
    with pytest.raises(RoundClosedError):
        judge(office, sample, 2, office.officer)
    assert [(each["place"], each["verdict"]) for each in told(office, "review.judge")] == [
        (1, "breach"),
        (1, "mistake"),
        (2, "in-order"),
    ]


def test_who_did_the_act_may_not_judge_it(office: Office) -> None:
    review = ordered(office, 1)
    office.ask(1, office.second)
    office.clock.at = DECEMBER
    office.sequence()
    office.draw()
    (one,) = office.do(reviews.read, office.officer, review.id).rounds
    sample = read(office, one.id, office.second)
    assert [each.is_own for each in sample.findings] == [True]
    assert [each.is_own for each in read(office, one.id).findings] == [False]
    with pytest.raises(OwnActError):
        judge(office, sample, 1, office.second)
    assert read(office, one.id).round.waiting == 1
    judge(office, sample, 1, office.officer)


@pytest.mark.parametrize("verdict", [Verdict.BREACH, Verdict.MISTAKE, Verdict.UNCLEAR])
def test_what_is_not_in_order_needs_a_note(office: Office, verdict: Verdict) -> None:
    sample = drawn_round(office)
    with pytest.raises(InvalidRequestError):
        judge(office, sample, 1, office.officer, verdict=verdict, note=" \n ")
    judge(office, sample, 1, office.officer, verdict=verdict, note="Why")


@pytest.mark.parametrize("note", ["x" * 2001, "a\x00b"], ids=["long", "control"])
def test_a_note_that_cannot_be_kept_is_refused(office: Office, note: str) -> None:
    sample = drawn_round(office)
    with pytest.raises(InvalidRequestError):
        judge(office, sample, 1, office.officer, note=note)


def test_title_and_note_are_stored_nowhere_in_clear(office: Office) -> None:
    sample = drawn_round(office)
    judge(office, sample, 1, office.officer, verdict=Verdict.BREACH, note="the unit of Musterstadt")
    with office.exchange.database.reading() as session:
        (review,) = session.scalars(select(Review)).all()
        (finding,) = session.scalars(select(Finding).where(Finding.place == 1)).all()
        assert b"unit" not in review.sealed_title
        assert finding.sealed_note
        assert b"Musterstadt" not in finding.sealed_note
        logged = b"".join(bytes(each.rec) for each in session.scalars(select(AuditEntry)))
    everything = json.dumps([told(office, act) for act in ("review.order", "review.judge")])
    assert "Musterstadt" not in everything
    assert TITLE not in everything
    assert b"Musterstadt" not in logged


def test_a_sealed_note_does_not_open_at_another_place(office: Office) -> None:
    sample = drawn_round(office)
    judge(office, sample, 1, office.officer, verdict=Verdict.BREACH, note="of the first")
    with office.transaction() as session:
        sealed = session.scalars(select(Finding.sealed_note).where(Finding.place == 1)).one()
        session.execute(update(Finding).where(Finding.place == 2).values(sealed_note=sealed))
    with pytest.raises(ValueError, match="do not open in this context"):
        read(office, sample.round.id)


@pytest.mark.parametrize(
    "wrong",
    [
        {"title": " "},
        {"title": "x" * 201},
        {"title": "two\nlines"},
        {"sample": 0},
        {"sample": 201},
        {"kinds": Kinds(act="lookup.ask", operation=Operation.ERASURE)},
    ],
)
def test_a_review_that_cannot_be_is_refused(office: Office, wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequestError):
        office.do(
            reviews.order,
            office.officer,
            **{"title": TITLE, "kinds": LOOKUPS, "sample": 2, **wrong},
        )


def test_there_is_a_bound_to_reviews_that_run(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reviews, "MOST_REVIEWS", 1)
    first = ordered(office)
    with pytest.raises(reviews.TooManyReviewsError):
        ordered(office)
    office.do(reviews.end, office.officer, first.id)
    ordered(office)


def test_another_organisation_s_review_and_round_are_not_there(office: Office) -> None:
    sample = drawn_round(office)
    stranger = make_person(office.exchange.app, "customs-nl", [Role.COMPLIANCE])
    assert office.do(reviews.list_reviews, stranger) == []
    for verb in (reviews.read, reviews.end):
        with pytest.raises(UnknownReviewError):
            office.do(verb, stranger, sample.round.review)
    for verb in (rounds.read_round, rounds.findings_csv):
        with pytest.raises(UnknownRoundError):
            office.do(verb, stranger, sample.round.id)
    with pytest.raises(UnknownRoundError):
        judge(office, sample, 1, stranger)
    with pytest.raises(UnknownRoundError):
        judge(office, sample, 3, office.officer)


def test_every_step_is_an_entry_of_the_log(office: Office) -> None:
    sample = drawn_round(office)
    judge(office, sample, 1, office.officer)
    office.do(rounds.findings_csv, office.officer, sample.round.id)
    office.do(reviews.list_reviews, office.officer)
    office.do(reviews.end, office.officer, sample.round.review)
    (drawing,) = office.exchange.entries("review.draw")
    assert drawing.audience == ["platform", CODE]
    assert drawing.details["population"] == 6
    assert drawing.details["month"] == "2026-11"
    for act in ("review.order", "review.read", "review.export", "review.list", "review.end"):
        assert office.exchange.entries(act), act


def test_the_findings_leave_as_csv_that_no_spreadsheet_computes(office: Office) -> None:
    sample = drawn_round(office)
    judge(office, sample, 1, office.officer, verdict=Verdict.BREACH, note='=1+1, "quoted"')
    written = office.do(rounds.findings_csv, office.officer, sample.round.id)
    rows = list(csv.DictReader(io.StringIO(written.decode())))
    assert [row["place"] for row in rows] == ["1", "2"]
    assert rows[0]["note"] == '\'=1+1, "quoted"'
    assert (rows[0]["verdict"], rows[1]["verdict"]) == ("breach", "")
    assert rows[0]["case"] == "PV-2024-17"
    assert rows[0]["person"] == str(office.analyst_id)
    assert rows[0]["time"] == "2026-11-10T09:00:00+00:00"


def test_a_round_is_read_though_an_entry_left_for_an_archive(office: Office) -> None:
    sample = drawn_round(office)
    with office.transaction() as session:
        session.execute(update(Finding).where(Finding.place == 1).values(eid=10**9))
    found = read(office, sample.round.id)
    assert found.findings[0].entry is None
    assert judge(office, sample, 1, office.officer).round.waiting == 1


def test_drawing_is_by_rank_alone_and_takes_all_when_there_are_fewer() -> None:
    leaves = [(bytes([number]) * 32, number) for number in range(10)]
    first = drawn(b"seed", leaves, 4)
    assert drawn(b"seed", reversed(leaves), 4) == first
    assert drawn(b"seed", leaves, 10)[:4] == first
    assert sorted(drawn(b"other", leaves, 20)) == list(range(10))
    assert drawn(b"other", leaves, 4) != first


def test_months_follow_one_another_over_the_year() -> None:
    assert following(date(2026, 12, 1)) == date(2027, 1, 1)
    assert month_of(DECEMBER) == date(2026, 12, 1)
    assert whole_months(date(2026, 11, 1), NOVEMBER) == []
    assert whole_months(date(2026, 11, 1), DECEMBER + timedelta(days=31)) == [
        date(2026, 11, 1),
        date(2026, 12, 1),
    ]
