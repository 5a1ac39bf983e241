"""The report of a month: figures from the log, as a PDF in the officer's language, logged."""

import hashlib
from collections.abc import Iterable
from datetime import date, timedelta

import pytest
from flask.testing import FlaskClient
from reportlab.platypus import Flowable, Paragraph, Table

from app import paper
from app.audit.catalogue import Operation
from app.compliance import month_figures, signals
from app.compliance import month_report as reporting
from app.compliance.models import Signal, Verdict
from tests.app.compliance.office import CODE, NOVEMBER, Office
from tests.app.compliance.test_signals import close, raised
from tests.app.people import sign_in

MONTH = date(2026, 11, 1)


def figures_of(office: Office, month: date = MONTH) -> month_figures.Figures:
    found: month_figures.Figures = office.do(month_figures.figures, office.officer, month)
    return found


def text_of(story: Iterable[Flowable]) -> str:
    """What a document says, paragraph by paragraph and cell by cell."""
    said = []
    for each in story:
        if isinstance(each, Table):
            said += [cell.getPlainText() for row in each._cellvalues for cell in row]
        elif isinstance(each, Paragraph):
            said.append(each.getPlainText())
    return "\n".join(said)


def test_the_months_of_a_year_can_be_chosen() -> None:
    found = month_figures.months(NOVEMBER)
    assert found[:2] == [date(2026, 11, 1), date(2026, 10, 1)]
    assert found[-1] == date(2025, 11, 1)
    assert date(2025, 12, 1) in found


def test_use_is_counted_by_whom_and_for_which_purpose(office: Office) -> None:
    office.ask(3)
    found = figures_of(office)
    assert found.use.operations[Operation.CONSULTATION] == 3
    assert dict(found.use.purposes) == {"criminal_investigation": 3}
    assert dict(found.use.people)[str(office.analyst_id)] >= 3
    assert not found.is_whole


def test_another_month_holds_nothing_of_this_one(office: Office) -> None:
    office.ask(1)
    assert figures_of(office, date(2026, 9, 1)).use.entries == 0
    office.clock.at += timedelta(days=30)
    assert figures_of(office).is_whole


def test_signals_are_counted_when_raised_and_when_closed(office: Office) -> None:
    one = raised(office)
    close(office, one, office.officer, verdict=Verdict.MISTAKE)
    found = figures_of(office)
    assert found.raised == {Signal.REFUSALS: 1}
    assert found.closed == {Verdict.MISTAKE: 1}
    assert found.today.signals == signals.Waiting(open=0, mine=0, overdue=0)


def test_the_document_tells_them_with_the_checkpoint_and_is_logged(
    office: Office, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = []

    def keep(title: str, story: list[Flowable], foot: str) -> bytes:
        said.append(text_of(story))
        return paper.printed(title, story, foot)

    monkeypatch.setattr(reporting, "printed", keep)
    office.ask(2)
    office.sequence()
    raised(office)
    sign_in(client, office.officer)
    content = client.get("/access-log/month?month=2026-11").get_data()
    (text,) = said
    assert f"Report of November 2026, Organisation {CODE}" in text
    assert "so far" in text
    assert "criminal investigation\n2" in text
    assert "Many refusals\n1" in text
    assert "Nobody of the organisation has verified it" in text
    assert f"{office.analyst_id}\n" in text
    (entry,) = office.exchange.entries("oversight.report")
    assert entry.details["month"] == "2026-11"
    assert entry.details["sha256"] == hashlib.sha256(content).hexdigest()


def test_the_document_names_its_title_language_and_sections(
    office: Office, client: FlaskClient
) -> None:
    sign_in(client, office.officer)
    content = client.get("/access-log/month?month=2026-11").get_data()
    assert f"/Title (Report of November 2026, Organisation {CODE})".encode() in content
    assert b"/Lang (en-GB)" in content
    assert b"/DisplayDocTitle true" in content
    assert b"/Title (Signals)" in content
    assert content.count(b"/Dest [") + content.count(b"/Dest ") >= 7


def test_only_a_month_of_the_list_has_a_report(office: Office, client: FlaskClient) -> None:
    sign_in(client, office.officer)
    page = client.get("/access-log").get_data(as_text=True)
    assert '<option value="2026-10" selected>' in page
    answer = client.get("/access-log/month?month=2026-10")
    assert answer.content_type == "application/pdf"
    assert f"report-{CODE}-2026-10.pdf" in answer.headers["Content-Disposition"]
    for month in ("2030-01", "2020-01", "x", ""):
        assert client.get(f"/access-log/month?month={month}").status_code == 422
