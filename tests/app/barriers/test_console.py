"""The commands for models, as they are typed and as they answer."""

import json
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask

from app import clock
from app.access import CONSOLE
from app.barriers import modelling
from app.barriers.schema import FOLDER, model_schema
from app.organisations import service as organisations
from tests.app.barriers.ground import in_force, make_ground
from tests.app.barriers.stored_reports import plain, store
from tests.app.barriers.texts import TEXT, changed
from tests.app.patterns.writing import act

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def run(app: Flask, *words: str) -> Result:
    return app.test_cli_runner().invoke(args=["barriers", *words])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "model.yml"
    path.write_text(TEXT, "utf-8")
    return path


def test_the_shipped_model_is_told_with_its_label(app: Flask) -> None:
    answer = run(app, "check", str(FOLDER / "postal-seven-steps.yml"))
    assert answer.exit_code == 0
    assert answer.output.splitlines()[0] == (
        "Drugs by post and courier in seven steps, version 1: "
        "derived from public sources, not the official list."
    )
    assert answer.output.splitlines()[1].startswith("Steps: 7; ")


def test_a_model_of_ones_own_is_told_with_what_it_lacks(app: Flask, file: Path) -> None:
    answer = run(app, "check", str(file))
    assert answer.output.splitlines() == [
        "Ons eigen model, version 1: a model of one's own.",
        "Steps: 2; opportunities: 1; signals: 1; facilitators: 1; partners: 1; barriers: 1.",
        "What they rest on: said by the source: 1; concluded from the sources: 1; "
        "judgement of the makers: 3.",
        "Signals that a rule suggests: 1.",
        "Step 2 has no opportunities, no signals, no facilitators, no partners, no barriers.",
    ]


def test_what_is_wrong_is_told_with_its_place(app: Flask, file: Path) -> None:
    file.write_text(changed("cost: low", "cost: much"), "utf-8")
    answer = run(app, "check", str(file))
    assert answer.exit_code == 1
    assert "model.yml cannot be used." in answer.output
    assert "line 42, column 15: cost is not a word of its list." in answer.output
    file.write_bytes(b"\xff\xfe\xff")
    assert "is not UTF-8" in run(app, "check", str(file)).output


def test_two_versions_are_compared(app: Flask, file: Path, tmp_path: Path) -> None:
    later = tmp_path / "later.yml"
    text = changed("version: 1", "version: 2", changed("key: seller", "key: landlord"))
    text = changed("De winkel vraagt niets.", "Niemand vraagt iets.", text)
    text = changed("cost: low", "cost: high", changed("status: own", "status: official", text))
    later.write_text(text, "utf-8")
    answer = run(app, "compare", str(file), str(later))
    assert answer.exit_code == 0
    assert answer.output.splitlines() == [
        "of the document: status",
        "added     step 1: facilitator landlord",
        "removed   step 1: facilitator seller",
        "reworded  step 1: opportunity open-shop (nl)",
        "changed   step 1: barrier ask-why",
    ]
    assert run(app, "compare", str(later), str(later)).output.splitlines() == [
        "Its version is 2, and must be larger than 2.",
        "Nothing differs.",
    ]


def test_the_shipped_model_is_put_in_force_once(app: Flask) -> None:
    assert run(app, "load").output == "The shipped model is in force.\n"
    assert run(app, "load").output == "It was in force already.\n"


def test_reports_of_the_last_week_are_counted_anew(app: Flask) -> None:
    exchange = make_ground(app)
    owners = {
        code: (exchange.organisation_id(code), each.person_id)
        for code, each in exchange.people.items()
    }
    at = clock.now()
    with app.app_context(), exchange.database.transaction() as session:
        store(session, [plain("post-be", 10), plain("police-de", 12)], at, owners)
    for _ in range(2):  # also when that was done
        assert run(app, "count").output == "2 reports counted.\n"


def test_a_model_is_chosen_for_a_community_and_used_by_its_members(app: Flask) -> None:
    exchange = make_ground(app)
    with app.app_context(), exchange.database.transaction() as session:
        for code in ("post-be", "customs-nl"):
            organisations.join(session, CONSOLE, code, "benelux", "Benelux")
    model = in_force(exchange, "post-be", "benelux")
    answer = run(app, "choose", "benelux", str(model))
    assert answer.output == (f"benelux uses {model} from now on, where a member did not choose.\n")
    used = {
        code: act(exchange, modelling.current, exchange.caller(code)).model == model
        for code in exchange.people
    }
    assert used == {"post-be": True, "customs-nl": True, "police-de": False}
    assert run(app, "choose", "nowhere", str(model)).exit_code != 0


def test_the_schema_is_printed(app: Flask) -> None:
    assert json.loads(run(app, "schema").output) == model_schema()
