"""What each template lets out and keeps back, and that all of them can be used."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from babel.messages.extract import extract_from_file

from app.errors import InvalidRequestError, NotFoundError
from app.sharing import engine
from app.sharing import templates as module
from app.sharing.classes import age_band
from app.sharing.engine import NOTHING, Ruling
from app.sharing.policy_text import read
from app.sharing.rule_schemas import RuleSchema
from app.sharing.rules import cedar
from app.sharing.seats import Member, Seat
from app.sharing.templates import OWN_COUNTRY, Audience, Template, template, templates
from postern.vocabulary import (
    Assertion,
    Handling,
    InformationGrade,
    Kind,
    LegalBasis,
    PartyRole,
    PermittedAction,
    Purpose,
    Role,
    Sector,
    SourceGrade,
    Tlp,
    Told,
)
from tests.app.sharing.world import POLICIES, like

EVERY = templates()

POST = Member("post-be", Sector.POST, "BE")
POLICE = Member("police-be", Sector.POLICE, "BE")
OWNERS = {
    Audience.OPERATORS: POST,
    Audience.AUTHORITIES: POLICE,
    Audience.ALL: POST,
}


def reader(
    sector: Sector,
    purpose: Purpose,
    basis: LegalBasis = LegalBasis.PUBLIC_TASK,
    country: str = "BE",
    role: Role = Role.ANALYST,
) -> Seat:
    return Seat(Member(f"{sector.value}-other", sector, country), role, purpose, basis)


CUSTOMS = reader(Sector.CUSTOMS, Purpose.CUSTOMS_CONTROL, LegalBasis.CUSTOMS_LAW)
CUSTOMS_NL = reader(Sector.CUSTOMS, Purpose.CUSTOMS_CONTROL, LegalBasis.CUSTOMS_LAW, "NL")
CUSTOMS_RISK = reader(Sector.CUSTOMS, Purpose.RISK_ANALYSIS)
CUSTOMS_INTELLIGENCE = reader(Sector.CUSTOMS, Purpose.CRIMINAL_INTELLIGENCE)
CUSTOMS_SCREEN = reader(Sector.CUSTOMS, Purpose.PARCEL_SCREENING)
INVESTIGATION = reader(Sector.POLICE, Purpose.CRIMINAL_INVESTIGATION, LegalBasis.CRIMINAL_PROCEDURE)
INVESTIGATION_DE = reader(
    Sector.POLICE, Purpose.CRIMINAL_INVESTIGATION, LegalBasis.CRIMINAL_PROCEDURE, "DE"
)
BY_POLICE_LAW = reader(Sector.POLICE, Purpose.CRIMINAL_INVESTIGATION, LegalBasis.POLICE_LAW)
INTELLIGENCE = reader(Sector.POLICE, Purpose.CRIMINAL_INTELLIGENCE, LegalBasis.POLICE_LAW, "DE")
AUTHORITY = reader(Sector.AUTHORITY, Purpose.CRIMINAL_INVESTIGATION)
COURIER_SECURITY = reader(Sector.COURIER, Purpose.SERVICE_SECURITY)
COURIER_SCREEN = reader(Sector.COURIER, Purpose.PARCEL_SCREENING)

ITEM = {"kind": Kind.ITEM, "role": PartyRole.SHIPMENT, "tlp": Tlp.GREEN}
PATTERN = {
    "kind": Kind.PATTERN,
    "role": PartyRole.SHIPMENT,
    "permitted_action": PermittedAction.WATCH,
}
BARRIER = {
    "kind": Kind.BARRIER,
    "role": PartyRole.SHIPMENT,
    "permitted_action": PermittedAction.KNOW,
}
TO_HOLD = {"permitted_action": PermittedAction.HOLD_FOR_CUSTOMS}
TO_WATCH = {"permitted_action": PermittedAction.WATCH}
ASSESSED = {"information_grade": InformationGrade.TWO}
FACT = {"assertion": Assertion.FACT, "source_grade": SourceGrade.B}


def answer(text: str, owner: Member, seat: Seat, record: dict[str, Any], age: int = 0) -> Ruling:
    """What Cedar answers of a record: a sender of TLP:AMBER, graded X4, unless it says more."""
    ((found,),) = engine.load(text).rulings(owner, [seat], [(like(**record), age_band(age))])
    return found


def text_of(template_id: str, owner: Member) -> str:
    return cedar(template(template_id).rules(owner.country), owner.code)


@pytest.mark.parametrize(
    ("template_id", "seat", "record", "age", "gets"),
    [
        ("nothing", CUSTOMS, {}, 0, "nothing"),
        ("nothing", INVESTIGATION, ITEM, 0, "nothing"),
        ("customs-control", CUSTOMS, {}, 364, "metadata"),
        ("customs-control", CUSTOMS, {}, 365, "nothing"),
        ("customs-control", CUSTOMS, {"tlp": Tlp.RED}, 0, "nothing"),
        ("customs-control", CUSTOMS_NL, {}, 0, "nothing"),
        ("customs-control", CUSTOMS_RISK, {}, 0, "nothing"),
        ("customs-control", INVESTIGATION, {}, 0, "nothing"),
        ("customs-ask", CUSTOMS, TO_HOLD, 0, "request"),
        ("customs-ask", CUSTOMS, TO_WATCH, 0, "nothing"),
        ("customs-ask", CUSTOMS_NL, TO_HOLD, 0, "nothing"),
        ("police-ask", INVESTIGATION, {}, 0, "request"),
        ("police-ask", INVESTIGATION_DE, {}, 2_000, "request"),
        ("police-ask", INTELLIGENCE, {}, 0, "presence"),
        ("police-ask", AUTHORITY, {}, 0, "nothing"),
        ("police-ask", CUSTOMS_INTELLIGENCE, {}, 0, "nothing"),
        ("police-investigation", INVESTIGATION, ASSESSED, 0, "request"),
        ("police-investigation", INVESTIGATION, {}, 0, "presence"),
        (
            "police-investigation",
            INVESTIGATION,
            {**ASSESSED, "handling": frozenset({Handling.H1})},
            0,
            "presence",
        ),
        ("police-investigation", BY_POLICE_LAW, ASSESSED, 0, "nothing"),
        ("police-investigation", INVESTIGATION_DE, ASSESSED, 0, "nothing"),
        ("operators-warn", COURIER_SECURITY, ITEM, 0, "presence"),
        ("operators-warn", COURIER_SECURITY, {**ITEM, "tlp": Tlp.AMBER}, 0, "nothing"),
        ("operators-warn", COURIER_SECURITY, {"tlp": Tlp.GREEN}, 0, "nothing"),
        ("operators-warn", COURIER_SCREEN, ITEM, 0, "nothing"),
        ("operators-warn", CUSTOMS, ITEM, 0, "nothing"),
        ("authorities-intelligence", INTELLIGENCE, {}, 0, "metadata"),
        ("authorities-intelligence", CUSTOMS_INTELLIGENCE, {}, 0, "metadata"),
        ("authorities-intelligence", INTELLIGENCE, FACT, 0, "request"),
        ("authorities-intelligence", INVESTIGATION_DE, FACT, 0, "nothing"),
        ("authorities-intelligence", COURIER_SECURITY, FACT, 0, "nothing"),
        ("screening-filters", CUSTOMS, TO_WATCH, 89, "presence, screen"),
        ("screening-filters", CUSTOMS_SCREEN, TO_WATCH, 89, "presence, screen"),
        ("screening-filters", CUSTOMS, TO_WATCH, 90, "nothing"),
        ("screening-filters", CUSTOMS, {}, 0, "nothing"),
        ("screening-filters", CUSTOMS_NL, TO_WATCH, 0, "nothing"),
        ("screening-filters", COURIER_SCREEN, {**ITEM, **TO_WATCH}, 29, "presence, screen"),
        ("screening-filters", COURIER_SCREEN, {**ITEM, **TO_WATCH}, 30, "nothing"),
        ("screening-filters", COURIER_SCREEN, TO_WATCH, 0, "nothing"),
        ("shipping-patterns", COURIER_SCREEN, PATTERN, 900, "metadata, both"),
        ("shipping-patterns", INTELLIGENCE, PATTERN, 0, "metadata, both"),
        ("shipping-patterns", COURIER_SCREEN, {**ITEM, **TO_WATCH}, 0, "nothing"),
        ("barriers", COURIER_SCREEN, BARRIER, 900, "metadata, feed"),
        ("barriers", INTELLIGENCE, BARRIER, 0, "metadata, feed"),
        ("barriers", INTELLIGENCE, {**BARRIER, "tlp": Tlp.RED}, 0, "nothing"),
        ("barriers", INTELLIGENCE, ITEM, 0, "nothing"),
        ("risk-analysis-feed", CUSTOMS_RISK, ITEM, 0, "metadata, feed"),
        (
            "risk-analysis-feed",
            CUSTOMS_RISK,
            {**ITEM, "handling": frozenset({Handling.H0})},
            0,
            "metadata, feed",
        ),
        (
            "risk-analysis-feed",
            CUSTOMS_RISK,
            {**ITEM, "handling": frozenset({Handling.H2})},
            0,
            "nothing",
        ),
        ("risk-analysis-feed", CUSTOMS_RISK, {}, 0, "nothing"),
        ("risk-analysis-feed", CUSTOMS, ITEM, 0, "nothing"),
        ("risk-analysis-feed", COURIER_SECURITY, ITEM, 0, "nothing"),
    ],
)
def test_a_template_lets_out_what_its_summary_says(
    template_id: str, seat: Seat, record: dict[str, Any], age: int, gets: str
) -> None:
    owner = OWNERS[template(template_id).audience]
    found = answer(text_of(template_id, owner), owner, seat, record, age)
    level, _, beyond = gets.partition(", ")
    assert ("nothing", *engine.CHAIN)[found.level] == level
    allowed = {"both": {"screen", "feed"}}.get(beyond, {beyond})
    assert (found.may_screen, found.may_feed) == ("screen" in allowed, "feed" in allowed)
    assert found.told is (Told.BOTH if found.level else None)


def test_an_authority_puts_nothing_into_the_filters_of_operators() -> None:
    text = text_of("screening-filters", POLICE)
    found = answer(text, POLICE, COURIER_SCREEN, {**ITEM, **TO_WATCH})
    assert (found.level, found.may_screen) == (1, False)


def test_an_authority_shares_its_patterns_with_operators() -> None:
    text = text_of("shipping-patterns", POLICE)
    found = answer(text, POLICE, COURIER_SCREEN, PATTERN)
    assert (found.level, found.may_screen, found.may_feed) == (2, True, True)


def test_an_authority_shares_its_barriers_with_operators() -> None:
    found = answer(text_of("barriers", POLICE), POLICE, COURIER_SCREEN, BARRIER)
    assert (found.level, found.may_screen, found.may_feed) == (2, False, True)


@pytest.mark.parametrize("seat", [INVESTIGATION_DE, INTELLIGENCE, AUTHORITY, CUSTOMS_INTELLIGENCE])
def test_deconfliction_tells_the_owner_alone(seat: Seat) -> None:
    found = answer(text_of("deconfliction", POLICE), POLICE, seat, {})
    assert (found.level, found.told) == (0, Told.OWNER_ONLY)


@pytest.mark.parametrize("seat", [COURIER_SECURITY, CUSTOMS, CUSTOMS_RISK])
def test_deconfliction_tells_nobody_of_other_questions(seat: Seat) -> None:
    assert answer(text_of("deconfliction", POLICE), POLICE, seat, {}) == NOTHING


def test_deconfliction_tells_no_operator_what_an_authority_asks() -> None:
    assert answer(text_of("deconfliction", POST), POST, INVESTIGATION, {}) == NOTHING


def test_deconfliction_gives_way_to_a_rule_that_answers() -> None:
    both = text_of("deconfliction", POLICE) + text_of("authorities-intelligence", POLICE)
    found = answer(both, POLICE, INTELLIGENCE, {})
    assert (found.level, found.told) == (2, Told.BOTH)


def test_a_silent_investigation_tells_the_reader_alone() -> None:
    text = text_of("silent-investigation", POST)
    found = answer(text, POST, INVESTIGATION, {})
    assert (found.level, found.told) == (2, Told.REQUESTER_ONLY)
    for seat in (INVESTIGATION_DE, BY_POLICE_LAW, CUSTOMS):
        assert answer(text, POST, seat, {}) == NOTHING


def test_a_silent_investigation_silences_the_hits_of_other_rules_too() -> None:
    both = text_of("police-ask", POST) + text_of("silent-investigation", POST)
    assert answer(both, POST, INVESTIGATION, {}).told is Told.REQUESTER_ONLY
    assert answer(both, POST, INVESTIGATION_DE, {}).told is Told.BOTH


@pytest.mark.parametrize(
    ("seat", "record", "age", "level"),
    [
        (INVESTIGATION, {}, 364, 3),
        (INVESTIGATION, {}, 365, 0),
        (INVESTIGATION, {"role": PartyRole.ADDRESSEE}, 0, 0),
        (INVESTIGATION, {"role": PartyRole.ADDRESSEE, "assertion": Assertion.FACT}, 0, 3),
        (INVESTIGATION, {"handling": frozenset({Handling.H2})}, 0, 1),
        (INVESTIGATION, {"handling": frozenset({Handling.H0})}, 0, 3),
    ],
)
def test_holding_back_wins_over_what_is_permitted(
    seat: Seat, record: dict[str, Any], age: int, level: int
) -> None:
    text = text_of("police-ask", POST) + text_of("holding-back", POST)
    assert answer(text, POST, seat, record, age).level == level


@pytest.mark.parametrize("role", Role)
def test_holding_back_answers_analysts_only(role: Role) -> None:
    seat = reader(Sector.POLICE, Purpose.CRIMINAL_INVESTIGATION, role=role)
    permitted = text_of("police-ask", POST)
    assert answer(permitted, POST, seat, {}).level == 3
    held_back = answer(permitted + text_of("holding-back", POST), POST, seat, {})
    assert held_back.level == (3 if role is Role.ANALYST else 0)


def test_holding_back_alone_shares_nothing() -> None:
    assert answer(text_of("holding-back", POST), POST, INVESTIGATION, {}) == NOTHING


def test_all_templates_can_be_used_together() -> None:
    form = [rule for each in EVERY for rule in each.rules("NL")]
    assert len({rule.name for rule in form}) == len(form)
    assert len(read(cedar(form, "post-nl"))) >= len(form)


@pytest.mark.parametrize("each", EVERY, ids=lambda each: each.id)
def test_a_template_makes_a_valid_text_for_its_user(each: Template) -> None:
    for country in ("BE", "NL"):
        rules = each.rules(country)
        assert [policy.label for policy in read(cedar(rules, "post-be"))] or each.id == "nothing"
        countries = {code for rule in rules for code in rule.countries}
        assert countries <= {country}


@pytest.mark.parametrize("each", EVERY, ids=lambda each: each.id)
def test_the_short_form_asks_for_parameters_of_its_rules(each: Template) -> None:
    names = {rule.name for rule in each.rules("BE")}
    assert len(set(each.asks)) == len(each.asks)
    assert {ask.rule for ask in each.asks} <= names
    assert {ask.field for ask in each.asks} <= RuleSchema().fields.keys() - {"name"}
    assert each.asks or not names


def test_own_stands_for_the_country_of_the_user() -> None:
    (rule,) = template("customs-control").rules("LU")
    assert rule.countries == ("LU",)
    assert template("customs-control").form[0]["countries"] == [OWN_COUNTRY]


def test_a_country_that_is_named_stays_what_it_is() -> None:
    shipped = template("customs-control")
    form = {**shipped.form[0], "countries": [OWN_COUNTRY, "FR"]}
    (rule,) = replace(shipped, form=(form,)).rules("LU")
    assert rule.countries == ("FR", "LU")


@pytest.mark.parametrize("country", ["own", "lu", "XX", ""])
def test_a_template_is_not_for_what_is_no_country(country: str) -> None:
    with pytest.raises(InvalidRequestError):
        template("customs-control").rules(country)


def test_an_unknown_template_is_not_there() -> None:
    with pytest.raises(NotFoundError):
        template("everything")


def test_every_file_is_a_template_and_every_template_has_a_file() -> None:
    files = {file.stem for file in POLICIES.glob("templates/*")}
    assert files == {each.id for each in EVERY}
    assert {file.suffix for file in POLICIES.glob("templates/*")} == {".toml"}


def test_the_titles_and_summaries_are_found_by_the_translators() -> None:
    found = {entry[1] for entry in extract_from_file("python", module.__file__)}
    told = [sentence for each in EVERY for sentence in (each.title, each.summary)]
    assert len(set(told)) == len(told)
    assert set(told) == found


def test_an_organisation_is_offered_what_is_meant_for_its_sector() -> None:
    for_post = {each.id for each in templates(Sector.POST)}
    for_courier = {each.id for each in templates(Sector.COURIER)}
    for_police = {each.id for each in templates(Sector.POLICE)}
    assert for_post == for_courier
    assert "operators-warn" in for_post - for_police
    assert "deconfliction" in for_police - for_post
    assert "customs-control" in for_post & for_police
    for sector in (Sector.CUSTOMS, Sector.AUTHORITY):
        assert {each.id for each in templates(sector)} == for_police
    assert for_post | for_police == {each.id for each in EVERY}


def test_a_damaged_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "templates").mkdir()
    file = tmp_path / "templates" / "nothing.toml"
    file.write_text('audience = "all"\nasks = []\nrules = [{name = "a"}]\n', "utf-8")
    monkeypatch.setattr(module, "DIRECTORY", tmp_path)
    module._all.cache_clear()
    try:
        with pytest.raises(ValueError, match=r"nothing\.toml is damaged.*rules\.0\.label"):
            templates()
    finally:
        module._all.cache_clear()
