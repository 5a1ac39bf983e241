"""Token filters and screening with them, from the command line to a platform and back."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from postern.normalise import Address, Email, Party, Phone, normalise
from tests.postern.conftest import Desk
from tests.postern.loopback_platform import ORGANISATION, LoopbackPlatform, serving
from tests.postern.patterns.examples import row_rule
from tests.postern.screening_platform import ScreeningPlatform
from tests.postern.test_cli_lookup import METADATA, PRESENCE

WHY = ("--purpose", "parcel_screening", "--legal-basis", "postal_law", "--case", "S-1")
VRIES = normalise(Party("Jan de Vries", ("Keizersgracht 12",), "1015 CS", "Amsterdam", "nl"))
HOUSE = normalise(Address(("Rue Haute 5",), "1000", "Bruxelles", "be"))
PHONE = normalise(Phone("+32470123456"))
HEAD = (
    "item_id,posted_on,declared_category,destination_country,sender_name,sender_street,"
    "sender_postcode,sender_city,sender_country,addressee_name,addressee_street,"
    "addressee_house_number,addressee_postcode,addressee_city,addressee_phone,addressee_email\n"
)
MANIFEST = HEAD + "".join(
    f"{line}\n"
    for line in (
        "A,2026-11-01,gift,NL,,,,,,J. de Vries,Keizersgracht,12,1015CS,Amsterdam,,",
        "B,2026-11-01,documents,NL,,,,,,Jan de Vries,Keizersgracht,12,1015 CS,Amsterdam,,",
        "C,2026-11-02,gift,NL,,,,,,Piet Bakker,Dorpsstraat,7,9999 ZZ,Elders,,",
        "D,2026-11-02,gift,BE,,,,,,Marie Roux,Rue Haute,5,1000,Bruxelles,,",
        "E,2026-11-02,gift,BE,,,,,,,,,,,0470 12 34 56,nobody",
        "F,2026-11-02,gift,NL,Jan de Vries,Keizersgracht 12,1015 CS,Amsterdam,NL,Els Smit,Laan,3,"
        "1111 AA,Diemen,,",
        "G,2026-11-03,gift,NL,,,,,,Jan  de Vries,Keizersgracht,12,1015CS,Amsterdam,,",
    )
)
RULE = row_rule(
    "listed: {addressee_token: [exact, near]}\ngift: {declared_category: gift}", "gift and listed"
)


@pytest.fixture
def platform() -> Iterator[LoopbackPlatform]:
    with serving(ScreeningPlatform(listed=[VRIES, HOUSE, PHONE])) as running:
        running.hits = [METADATA, PRESENCE]
        yield running


@pytest.fixture
def lists(platform: LoopbackPlatform) -> ScreeningPlatform:
    assert isinstance(platform, ScreeningPlatform)
    return platform


@pytest.fixture
def ready(desk: Desk, lists: ScreeningPlatform) -> Desk:
    """A desk with a manifest, a rule and a filter."""
    desk.write("m.csv", MANIFEST)
    desk.write("rule.yml", RULE)
    result = desk.run("filter", "fetch", *WHY)
    assert result.exit_code == 0, result.output
    return desk


def screened(desk: Desk, *more: object) -> Result:
    return desk.run(
        *("screen", desk.home / "m.csv", "--patterns", desk.home / "rule.yml", "--workers", 1),
        *("--tokens", desk.home / "config.filter", "--case", "S-1", *more),
    )


def lines_of(desk: Desk) -> dict[str, str]:
    """Item -> the reason of its hit."""
    told = json.loads((desk.home / "m.csv-hits" / "hits.json").read_text())
    return {each["item_id"]: each["patterns"][0]["reason"] for each in told["hits"]}


def bulk_bodies(platform: LoopbackPlatform) -> list[tuple[str, bytes]]:
    return [each for each in platform.bodies if each[0].startswith("/api/v1/evaluate")]


def test_a_filter_is_fetched_checked_and_shown(ready: Desk, lists: ScreeningPlatform) -> None:
    assert lists.sent_to("/api/v1/filters") == [
        {"purpose": "parcel_screening", "legal_basis": "postal_law", "case": "S-1"}
    ]
    path = ready.home / "config.filter"
    assert path.stat().st_mode & 0o777 == 0o600
    shown = ready.run("filter", "show")
    assert f"For         {ORGANISATION['code']}, of Loopback" in shown.stdout
    assert "        1  the telephone number" in shown.stdout
    told = json.loads(ready.run("filter", "show", path, "--json").stdout)
    assert told["count"] == sum(told["facets"].values()) == lists.made[0].header.count
    assert told["purpose"] == "parcel_screening"


def test_a_filter_of_nothing_says_why_that_may_be(ready: Desk, lists: ScreeningPlatform) -> None:
    lists.listed = []
    result = ready.run("filter", "fetch", *WHY, "--out", ready.home / "empty.filter")
    assert "0 entries" in result.stdout, result.output
    assert "Nothing may be screened against for this purpose" in result.stderr


def test_what_was_agreed_is_shown(ready: Desk, lists: ScreeningPlatform) -> None:
    lists.agreed = 1234
    told = ready.run("filter", "allowance").stdout
    assert told == "postal      1,000,000 a day until 2027-01-31, 1,234 left today\n"
    assert json.loads(ready.run("filter", "allowance", "--json").stdout)[0]["left"] == 1234


def test_the_next_filter_is_made_of_the_changes(ready: Desk, lists: ScreeningPlatform) -> None:
    lists.listed = [HOUSE, normalise(Email("a@mail.example"))]
    lists.builds = 1
    result = ready.run("filter", "fetch", *WHY)
    assert "what changed" in result.stdout
    told = json.loads(ready.run("filter", "show", "--json").stdout)
    assert told["number"] == 2
    assert told["count"] == lists.made[1].header.count
    lists.changes_are_wrong = True
    lists.listed = [PHONE]
    assert "the whole of it" in ready.run("filter", "fetch", *WHY).stdout
    assert json.loads(ready.run("filter", "show", "--json").stdout)["facets"] == {"PHONE": 1}


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("platform", "Another", "made by Another"),
        ("organisation", "post-nl", "for post-nl"),
        ("sha256", bytes(32), "another one"),
    ],
)
def test_a_filter_that_is_not_ours_or_not_whole_is_not_kept(
    desk: Desk, lists: ScreeningPlatform, field: str, value: Any, words: str
) -> None:
    made = lists._make

    def spoilt(body: Any) -> Any:
        found = made(body)
        object.__setattr__(found.header, field, value)
        return found

    lists._make = spoilt  # type: ignore[method-assign]
    result = desk.run("filter", "fetch", *WHY)
    assert result.exit_code == 1
    assert words in result.stderr
    assert not (desk.home / "config.filter").exists()


def test_listed_parties_of_parcels_that_a_pattern_points_to_are_hits(
    ready: Desk, lists: ScreeningPlatform
) -> None:
    result = screened(ready)
    assert result.exit_code == 0, result.output
    # B is no gift, C is not listed, and of F only the sender is, of whom the rule does not ask.
    assert sorted(lines_of(ready)) == ["A", "D", "E", "G"]
    assert "addressee's address on the screening list: exact" in lines_of(ready)["A"]
    listed = json.loads((ready.home / "m.csv-hits" / "listed.json").read_text())
    assert listed["confirmed"] is True
    places = [[place["line"] for place in each["places"]] for each in listed["listed"]]
    assert sorted(places) == [[2], [5], [6], [8]]
    assert listed["listed"][0]["lookups"][0]["hits"] == [METADATA, PRESENCE]
    (looked_up,) = lists.sent_to("/api/v1/lookups")
    assert (looked_up["purpose"], looked_up["legal_basis"], looked_up["case"]) == (
        *("parcel_screening", "postal_law", "S-1"),
    )
    assert len(looked_up["queries"]) == 4
    for path in (ready.home / "m.csv-hits").iterdir():
        assert path.stat().st_mode & 0o777 == 0o600, path.name
        assert not re.search(b"Vries|Roux|Keizers", path.read_bytes()), path.name


def test_nothing_readable_and_nothing_of_other_parcels_leaves_the_premises(
    ready: Desk, lists: ScreeningPlatform
) -> None:
    screened(ready)
    everything = json.dumps([repr(each) for each in (lists.calls, lists.bodies)])
    assert not re.search("Vries|Roux|Bakker|Keizers|Haute|1015|470.?12", everything)
    few = lists.bulk_evaluated
    # Three first facets of five parties, the rest of two, and a telephone number.
    assert few < 5 * 3 + 2 * 16
    assert all(len(body) % 32 == 0 for _, body in bulk_bodies(lists))
    (token,) = {path.partition("?")[2] for path, _ in bulk_bodies(lists)}
    assert token == "purpose=parcel_screening&case=S-1"


def test_the_second_night_evaluates_nothing_anew(ready: Desk, lists: ScreeningPlatform) -> None:
    screened(ready)
    first, hits = lists.bulk_evaluated, lines_of(ready)
    lists.bulk_evaluated = 0
    result = screened(ready)
    assert lists.bulk_evaluated == 0
    assert "0 evaluations" in result.stderr
    assert lines_of(ready) == hits
    # What the first facets left out is all that every facet costs more, and it finds no more.
    result = screened(ready, "--every-facet")
    assert 0 < lists.bulk_evaluated < first
    assert lines_of(ready) == hits


def test_what_lookups_do_not_confirm_is_no_hit(ready: Desk, lists: ScreeningPlatform) -> None:
    lists.hits = []
    result = screened(ready)
    assert "0 confirmed by lookups" in result.stdout
    assert lines_of(ready) == {}
    lists.hits = [PRESENCE]
    screened(ready)
    assert "on the screening list: near" in lines_of(ready)["A"]


def test_without_confirmation_the_list_alone_decides(ready: Desk, lists: ScreeningPlatform) -> None:
    result = screened(ready, "--no-confirm")
    assert "4 not confirmed" in result.stdout
    assert sorted(lines_of(ready)) == ["A", "D", "E", "G"]
    assert not lists.sent_to("/api/v1/lookups")


def test_a_run_goes_on_where_the_allowance_ended(ready: Desk, lists: ScreeningPlatform) -> None:
    lists.agreed = 7
    result = screened(ready)
    assert result.exit_code == 1
    assert "quota" in result.stderr
    assert lists.bulk_evaluated == 7
    assert not (ready.home / "m.csv-hits" / "hits.json").exists()
    lists.agreed = 1000
    assert screened(ready).exit_code == 0
    assert sorted(lines_of(ready)) == ["A", "D", "E", "G"]


def test_an_evaluation_without_a_proof_is_refused(ready: Desk, lists: ScreeningPlatform) -> None:
    lists.forges_proofs = True
    result = screened(ready)
    assert result.exit_code == 1
    assert "no valid proof" in result.stderr
    lists.forges_proofs = False
    assert screened(ready).exit_code == 0


def test_a_filter_that_was_called_back_is_not_used(ready: Desk, lists: ScreeningPlatform) -> None:
    lists.state = "called_back"
    result = screened(ready)
    assert result.exit_code == 1
    assert "called back" in result.stderr
    assert lists.bulk_evaluated == 0
    assert "it is called_back" in ready.run("filter", "fetch", *WHY).stderr


def test_a_closed_epoch_asks_for_a_new_filter(ready: Desk, lists: ScreeningPlatform) -> None:
    lists.epochs = dict.fromkeys(lists.epochs, 2)
    result = screened(ready)
    assert result.exit_code == 1
    assert "filter fetch" in result.stderr


def test_a_filter_that_the_pinned_key_did_not_sign_is_not_used(ready: Desk) -> None:
    path = ready.home / "config.filter"
    line, _, content = path.read_bytes().partition(b"\n")
    path.write_bytes(line.replace(b'"seq": 1', b'"seq": 2') + b"\n" + content)
    result = screened(ready)
    assert result.exit_code == 1
    assert "not signed by the platform's pinned key" in result.stderr


def test_rules_that_ask_for_no_token_cost_no_evaluation(
    ready: Desk, lists: ScreeningPlatform
) -> None:
    ready.write("rule.yml", row_rule("gift: {declared_category: gift}", "gift"))
    result = screened(ready)
    assert result.exit_code == 0, result.output
    assert lists.bulk_evaluated == 0
    assert len(lines_of(ready)) == 6


@pytest.mark.parametrize("option", [("--case", "S-1"), ("--every-facet",), ("--no-confirm",)])
def test_options_of_tokens_do_nothing_in_silence(desk: Desk, option: tuple[str, ...]) -> None:
    desk.write("m.csv", MANIFEST)
    desk.write("rule.yml", RULE)
    result = desk.run("screen", desk.home / "m.csv", "--patterns", desk.home / "rule.yml", *option)
    assert result.exit_code == 2
    assert "belong to --tokens" in result.stderr


def test_every_line_is_screened_when_a_rule_is_about_the_list_alone(
    ready: Desk, lists: ScreeningPlatform, tmp_path: Path
) -> None:
    text = row_rule(
        "to: {addressee_token: [exact, near]}\nof: {sender_token: [exact, near]}", "to or of"
    )
    ready.write("rule.yml", text)
    screened(ready)
    assert sorted(lines_of(ready)) == ["A", "B", "D", "E", "F", "G"]
