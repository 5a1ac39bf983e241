"""The run over a file, against a platform on the loopback interface, in one process."""

import json
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from postern import submission as module
from postern.client import Client
from postern.client_errors import AnswerMalformedError, BodyTooLargeError, QuotaSpentError
from postern.columns import read_header
from postern.csv_file import examine
from postern.journal import Fate, Journal, RunHeader
from postern.key_ring import KeyRing
from postern.pseudonymise import Pseudonymiser
from postern.rejected import RejectedRows
from postern.rows import Reading
from postern.submission import Source, Submission, rehearse
from postern.terms import Terms
from postern.vocabulary import EvaluationKind, Learned, LegalBasis, Purpose
from tests.postern.loopback_platform import LoopbackPlatform, Reply, now, problem

REPORTS = "/api/v1/reports"
EVALUATE = "/api/v1/evaluate"
TERMS = Terms(learned=Learned.XRAY, legal_basis=LegalBasis.POSTAL_LAW)


def phone_rows(count: int, start: int = 0) -> list[str]:
    return [f"+3247{number:07},x" for number in range(start, start + count)]


class Runner:
    """Runs a file as often as a test wants; the journal lies beside it."""

    def __init__(
        self, client: Client, ring: KeyRing, directory: Path, platform: LoopbackPlatform
    ) -> None:
        self.client = client
        self.ring = ring
        self.path = directory / "in.csv"
        self.journal_path = directory / "in.csv.journal"
        self.rejected_path = directory / "in.rejected.csv"
        self.platform = platform
        self.slept: list[float] = []
        self.on_sleep: Callable[[], None] = lambda: None

    def write(self, rows: list[str]) -> None:
        self.path.write_text("\n".join(["phone,remarks", *rows]) + "\n")

    def source(self) -> Source:
        file = examine(self.path)
        reading = Reading(date(2026, 11, 25), TERMS)
        return Source(file, read_header(file.header, {}), reading)

    def run(self, *, wait: bool = False) -> Journal:
        source = self.source()
        journal = Journal.resume(self.journal_path) or Journal.create(
            self.journal_path,
            RunHeader.new(
                file_sha256=source.file.sha256,
                terms="",
                day=date(2026, 11, 25),
                rejected=self.rejected_path.name,
            ),
        )
        rejected = RejectedRows(self.rejected_path, source.file, size=journal.rejected_bytes)

        def sleep(seconds: float) -> None:
            self.slept.append(seconds)
            self.on_sleep()

        try:
            with Pseudonymiser(
                self.client, self.ring, purpose=Purpose.RISK_ANALYSIS, case="C"
            ) as pseudonymiser:
                Submission(
                    source, journal, rejected, self.client, pseudonymiser, wait=wait, sleep=sleep
                ).run()
        finally:
            journal.close()
        return journal

    def counts(self, journal: Journal) -> tuple[int, int, int]:
        found = journal.counts
        return found[Fate.CREATED], found[Fate.EXISTING], found[Fate.REJECTED]


@pytest.fixture
def runner(client: Client, ring: KeyRing, tmp_path: Path, platform: LoopbackPlatform) -> Runner:
    return Runner(client, ring, tmp_path, platform)


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BATCH", 10)


def test_every_row_goes_in_and_the_counts_add_up(runner: Runner) -> None:
    runner.write([*phone_rows(25), "12,too short", *phone_rows(5, 25)])
    journal = runner.run()
    assert journal.done == 31
    assert runner.counts(journal) == (30, 0, 1)
    assert len(runner.platform.stored) == 30
    assert runner.rejected_path.read_text(encoding="utf-8-sig").count("\n") == 2


def test_what_is_sent_holds_elements_and_terms_and_no_value(runner: Runner) -> None:
    runner.write(phone_rows(1))
    runner.run()
    (body,) = runner.platform.sent_to(REPORTS)
    (report,) = body["reports"]
    assert report.keys() == {"client_key", "indicators"}
    (indicator,) = report["indicators"]
    assert indicator.keys() == {"kind", "role", "epoch", "elements", "learned", "legal_basis"}
    assert indicator["elements"][0].keys() == {"facet", "element"}
    assert "+3247" not in json.dumps(runner.platform.bodies)


def test_a_finished_run_sends_nothing_again(runner: Runner) -> None:
    runner.write(phone_rows(12))
    runner.run()
    calls = len(runner.platform.calls)
    journal = runner.run()
    assert journal.done == 12
    assert len(runner.platform.calls) == calls


def test_rows_whose_answer_was_lost_are_recognised_and_not_doubled(runner: Runner) -> None:
    runner.write(phone_rows(30))
    runner.run()
    whole = runner.journal_path.read_bytes().splitlines(keepends=True)
    runner.journal_path.write_bytes(b"".join(whole[:2]))  # the last two batches are forgotten
    journal = runner.run()
    assert runner.counts(journal) == (10, 20, 0)
    assert len(runner.platform.stored) == 30


def test_rows_that_read_otherwise_since_are_still_the_same_rows(runner: Runner) -> None:
    runner.write(phone_rows(20))
    runner.run()
    whole = runner.journal_path.read_bytes().splitlines(keepends=True)
    runner.journal_path.write_bytes(b"".join(whole[:2]))
    runner.platform.epochs[EvaluationKind.PHONE] = 2
    runner.platform.published[EvaluationKind.PHONE] = 2
    journal = runner.run()
    assert runner.counts(journal) == (10, 10, 0)
    assert len(runner.platform.stored) == 20


def test_a_platform_that_goes_away_in_the_middle_leaves_a_run_that_goes_on(
    runner: Runner,
) -> None:
    runner.write([*phone_rows(15), "12,short", *phone_rows(14, 15)])
    away = [Reply(500, b"")]
    real = runner.platform.answer

    def answer(method: str, path: str, body: Any) -> Reply:
        if path == REPORTS and len(runner.platform.stored) >= 10 and away:
            return away.pop()
        return real(method, path, body)

    runner.platform.answer = answer  # type: ignore[method-assign]
    with pytest.raises(Exception, match="failed with 500"):
        runner.run()
    again = runner.run()
    assert again.done == 30
    assert runner.counts(again) == (29, 0, 1)
    assert runner.rejected_path.read_text().count("too") == 0
    assert runner.rejected_path.read_text().count("12,short") == 1


def test_rows_that_the_platform_rejects_come_back_with_their_column(runner: Runner) -> None:
    runner.platform.refuse_rows_with = "phone"
    runner.write(phone_rows(2))
    journal = runner.run()
    assert runner.counts(journal) == (0, 0, 2)
    text = runner.rejected_path.read_text(encoding="utf-8-sig")
    assert "phone (tlp)" in text
    assert "It is not right." in text
    assert "Mend it." in text


def test_a_rejected_key_of_a_new_run_is_a_rejection(runner: Runner) -> None:
    runner.write(phone_rows(1))
    source = runner.source()
    header = RunHeader.new(
        file_sha256=source.file.sha256, terms="", day=date(2026, 11, 25), rejected="r.csv"
    )
    journal = Journal.create(runner.journal_path, header)
    runner.platform.stored[header.client_key(1)] = ("other content", "id")
    with Pseudonymiser(
        runner.client, runner.ring, purpose=Purpose.RISK_ANALYSIS, case="C"
    ) as pseudonymiser:
        rejected = RejectedRows(runner.rejected_path, source.file)
        Submission(source, journal, rejected, runner.client, pseudonymiser).run()
    journal.close()
    assert runner.counts(journal) == (0, 0, 1)


def test_what_a_quota_allowed_is_in_when_the_run_stops(runner: Runner) -> None:
    runner.platform.quota = 14
    runner.write(phone_rows(30))
    with pytest.raises(QuotaSpentError):
        runner.run()
    assert len(runner.platform.stored) == 14
    runner.platform.quota = 100
    journal = runner.run()
    assert runner.counts(journal) == (30, 0, 0)
    assert runner.platform.evaluated["phone"] == 30


def test_a_run_that_may_wait_goes_on_by_itself(runner: Runner) -> None:
    runner.platform.quota = 14
    runner.platform.resets_at = now() + timedelta(minutes=30)
    runner.on_sleep = lambda: setattr(runner.platform, "quota", 100)
    runner.write(phone_rows(30))
    journal = runner.run(wait=True)
    assert runner.counts(journal) == (30, 0, 0)
    (slept,) = runner.slept
    assert 1700 < slept < 1900
    assert runner.platform.evaluated["phone"] == 30


def test_a_wait_without_a_known_end_is_a_minute(runner: Runner) -> None:
    runner.platform.replies[EVALUATE] = [problem(429, "quota-spent")] * 5
    runner.write(phone_rows(10))
    journal = runner.run(wait=True)
    assert runner.counts(journal) == (10, 0, 0)
    assert set(runner.slept) == {60.0}


def test_a_submission_that_is_too_large_is_halved(runner: Runner) -> None:
    runner.platform.body_limit = 1000
    runner.write(phone_rows(10))
    journal = runner.run()
    assert runner.counts(journal) == (10, 0, 0)
    assert max(len(body["reports"]) for body in runner.platform.sent_to(REPORTS)) == 10
    assert min(len(body["reports"]) for body in runner.platform.sent_to(REPORTS)) < 5


def test_a_single_report_that_is_too_large_is_an_error(runner: Runner) -> None:
    runner.platform.body_limit = 10
    runner.write(phone_rows(2))
    with pytest.raises(BodyTooLargeError):
        runner.run()


def test_an_epoch_that_turns_before_the_submission_is_evaluated_again(runner: Runner) -> None:
    runner.write(phone_rows(5))
    real = runner.platform.answer

    def answer(method: str, path: str, body: Any) -> Reply:
        if path == REPORTS and runner.platform.epochs[EvaluationKind.PHONE] == 1:
            runner.platform.epochs = dict.fromkeys(EvaluationKind, 2)
            runner.platform.published = dict.fromkeys(EvaluationKind, 2)
        return real(method, path, body)

    runner.platform.answer = answer  # type: ignore[method-assign]
    journal = runner.run()
    assert runner.counts(journal) == (5, 0, 0)
    assert runner.platform.evaluated["phone"] == 10


@pytest.mark.parametrize(
    "spoil",
    [
        lambda results: results[:-1],
        lambda results: results[::-1],
        lambda results: [{**each, "status": "perhaps"} for each in results],
    ],
)
def test_an_answer_that_does_not_fit_the_rows_is_not_believed(
    runner: Runner, spoil: Callable[[list[Any]], list[Any]]
) -> None:
    runner.write(phone_rows(3))
    real = runner.platform.answer

    def answer(method: str, path: str, body: Any) -> Reply:
        reply = real(method, path, body)
        if path == REPORTS:
            reply.body = {"results": spoil(reply.body["results"])}
        return reply

    runner.platform.answer = answer  # type: ignore[method-assign]
    with pytest.raises(AnswerMalformedError):
        runner.run()
    journal = Journal.resume(runner.journal_path)
    assert journal is not None
    assert journal.done == 0
    journal.close()


def test_progress_is_told_in_rows(runner: Runner) -> None:
    runner.write(phone_rows(25))
    source = runner.source()
    header = RunHeader.new(
        file_sha256=source.file.sha256, terms="", day=date(2026, 11, 25), rejected="r.csv"
    )
    journal = Journal.create(runner.journal_path, header)
    seen: list[int] = []
    with Pseudonymiser(
        runner.client, runner.ring, purpose=Purpose.RISK_ANALYSIS, case="C"
    ) as pseudonymiser:
        rejected = RejectedRows(runner.rejected_path, source.file)
        Submission(
            source, journal, rejected, runner.client, pseudonymiser, on_rows=seen.append
        ).run()
    journal.close()
    assert seen == [10, 20, 25]


def test_a_rehearsal_counts_what_would_be_sent(runner: Runner) -> None:
    runner.write([*phone_rows(3), "12,short", "0475123456,national", "13,short"])
    found = rehearse(runner.source(), most_faults=1)
    assert (found.rows, found.rejected) == (6, 2)
    assert found.indicators == {("phone", "unknown"): 4}
    assert found.facets == {("phone", "unknown", "PHONE"): 4}
    assert found.inputs == {"phone": 4}
    assert found.flags == {"no_country": 1}
    assert [(line, fault.field) for line, fault in found.first_faults] == [(5, "phone")]
    assert not runner.platform.calls


@pytest.mark.parametrize(
    "change",
    [
        {"address": "https://other.example"},
        {"purpose": Purpose.PARCEL_SCREENING},
        {"terms": Terms(learned=Learned.DOG, legal_basis=LegalBasis.POSTAL_LAW)},
        {"country": "be"},
    ],
)
def test_other_options_have_another_digest(runner: Runner, change: dict[str, Any]) -> None:
    runner.write(phone_rows(1))
    source = runner.source()
    asked: dict[str, Any] = {"address": "https://p.example", "purpose": Purpose.RISK_ANALYSIS}
    before = source.terms_digest(**asked)
    assert before == runner.source().terms_digest(**asked)
    asked |= {name: change[name] for name in change.keys() & asked.keys()}
    reading = Reading(
        source.reading.today, change.get("terms", TERMS), country=change.get("country", "")
    )
    other = Source(source.file, source.columns, reading)
    assert other.terms_digest(**asked) != before


def test_the_wait_is_told(runner: Runner) -> None:
    told: list[datetime | None] = []
    runner.write(phone_rows(1))
    source = runner.source()
    header = RunHeader.new(
        file_sha256=source.file.sha256, terms="", day=date(2026, 11, 25), rejected="r.csv"
    )
    journal = Journal.create(runner.journal_path, header)
    runner.platform.quota = 0
    with Pseudonymiser(
        runner.client, runner.ring, purpose=Purpose.RISK_ANALYSIS, case="C"
    ) as pseudonymiser:
        Submission(
            source,
            journal,
            RejectedRows(runner.rejected_path, source.file),
            runner.client,
            pseudonymiser,
            wait=True,
            on_wait=told.append,
            sleep=lambda _: setattr(runner.platform, "quota", 1),
        ).run()
    journal.close()
    assert len(told) == 1
    assert told[0] is not None
