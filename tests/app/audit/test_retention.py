"""How long details are kept: defaults by country, own choices, what they mean on a day."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from app.audit import retention
from app.audit.models import AuditEntry, AuditRetention, RetentionRule
from app.audit.retention import Retention
from app.database import Database
from app.errors import InvalidRequestError
from postern.normalise.countries import country_code
from tests.app.audit.old_log import OldLog, old_log, stand_still
from tests.app.bare import give_tag_keys, member

TODAY = datetime(2026, 3, 10, tzinfo=UTC)


@pytest.fixture
def log(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OldLog:
    give_tag_keys(database, "police-de", "post-be")
    stand_still(monkeypatch)
    return old_log(database, tmp_path / "log")


@pytest.mark.parametrize(
    ("rule", "length", "before"),
    [
        (RetentionRule.MONTHS, 1, datetime(2026, 2, 1, tzinfo=UTC)),
        (RetentionRule.MONTHS, 12, datetime(2025, 3, 1, tzinfo=UTC)),
        (RetentionRule.YEAR_END, 1, datetime(2025, 1, 1, tzinfo=UTC)),
        (RetentionRule.YEAR_END, 5, datetime(2021, 1, 1, tzinfo=UTC)),
    ],
)
def test_a_rule_says_what_is_erased_today(
    rule: RetentionRule, length: int, before: datetime
) -> None:
    assert Retention(rule, length, "Act, s. 1", is_chosen=True).before(TODAY) == before


def test_a_month_is_kept_whole_until_the_last_of_it_is_old_enough() -> None:
    held = Retention(RetentionRule.MONTHS, 6, "Act, s. 1", is_chosen=True)
    assert held.before(datetime(2026, 7, 31, 23, tzinfo=UTC)) == datetime(2026, 1, 1, tzinfo=UTC)
    assert held.before(datetime(2026, 8, 1, tzinfo=UTC)) == datetime(2026, 2, 1, tzinfo=UTC)


def test_a_country_has_its_default_and_others_a_common_one() -> None:
    germany = retention.default("DE")
    assert (germany.rule, germany.length) == (RetentionRule.YEAR_END, 1)
    assert retention.default("ZZ") == retention.default(None)
    assert not retention.default(None).is_verified


def test_every_default_is_of_a_country_and_names_its_source() -> None:
    for country, held in retention._defaults().items():
        assert country == "other" or country_code(country) == (country.lower(), [])
        assert held.legal_source
        assert 1 <= held.length <= retention.LONGEST[held.rule]


def test_an_organisation_chooses_and_goes_back(log: OldLog) -> None:
    with log.database.transaction() as session:
        retention.choose(session, member(), RetentionRule.MONTHS, 24, "  Act,  s. 1 ")
        chosen = retention.in_force(session, "police-de", "DE")
        assert (chosen.length, chosen.legal_source, chosen.is_chosen) == (24, "Act, s. 1", True)
        retention.choose(session, member(), RetentionRule.MONTHS, 36, "Act, s. 2")
        assert retention.in_force(session, "police-de", "DE").length == 36
        assert retention.in_force(session, "post-be", "DE") == retention.default("DE")
        retention.give_up(session, member())
        assert retention.in_force(session, "police-de", "DE") == retention.default("DE")
        retention.give_up(session, member())
        acts = session.scalars(select(AuditEntry.act)).all()
        assert session.scalars(select(AuditRetention)).all() == []
    assert acts == ["audit.retention"] * 4


@pytest.mark.parametrize(
    ("rule", "length", "source"),
    [
        (RetentionRule.MONTHS, 0, "Act"),
        (RetentionRule.MONTHS, 361, "Act"),
        (RetentionRule.YEAR_END, 31, "Act"),
        (RetentionRule.MONTHS, 12, "  "),
        (RetentionRule.MONTHS, 12, "x" * 201),
    ],
)
def test_a_choice_out_of_range_or_without_source_is_refused(
    log: OldLog, rule: RetentionRule, length: int, source: str
) -> None:
    with pytest.raises(InvalidRequestError), log.database.transaction() as session:
        retention.choose(session, member(), rule, length, source)


def test_what_is_due_is_erased_of_each_organisation_by_its_own_rule(log: OldLog) -> None:
    at = datetime(2025, 6, 1, tzinfo=UTC)
    log.write(at, 2)
    log.write(at, 3, caller=member("post-be"))
    with log.database.transaction() as session:
        retention.choose(session, member("post-be"), RetentionRule.MONTHS, 6, "Act, s. 1")
        countries = {"police-de": "DE", "post-be": "BE"}
        assert retention.erase_due(session, log.archivist, countries, TODAY) == 3
        assert retention.erase_due(session, log.archivist, countries, TODAY) == 0
        later = datetime(2027, 1, 1, tzinfo=UTC)
        # By then also what stands in the log of choosing and erasing, but no entry of an erasure.
        assert retention.erase_due(session, log.archivist, countries, later) >= 2
