"""A model's text is read whole, and what is wrong is told with its place and a remedy."""

import pytest

from app.barriers.errors import ModelError
from app.barriers.model import (
    Barrier,
    BarrierType,
    Basis,
    CellKind,
    Cost,
    CostBasis,
    Finding,
    Reading,
    Status,
    Strength,
)
from postern.vocabulary import Sector
from tests.app.barriers.texts import TEXT, changed, faults, model


def test_a_model_in_one_language_is_read_whole() -> None:
    read = model()
    assert (read.version, read.languages, read.status) == (1, ("nl",), Status.OWN)
    assert [(step.number, step.key) for step in read.steps] == [(1, "buy"), (2, "send")]
    assert [(kind, cell.key) for kind, cell in read.steps[0].cells] == [
        (CellKind.OPPORTUNITY, "open-shop"),
        (CellKind.SIGNAL, "norway-gifts"),
        (CellKind.FACILITATOR, "seller"),
        (CellKind.PARTNER, "police"),
        (CellKind.BARRIER, "ask-why"),
    ]
    assert list(read.steps[1].cells) == []
    source = read.source("report")
    assert (source.date, source.url, source.read) == ("2024-05", "", Reading.PRIMARY)
    assert read.partner("police").sectors == (Sector.POLICE,)
    assert read.partner("shops").sectors == ()
    assert [(step.key, signal.key) for step, signal in read.signals] == [("buy", "norway-gifts")]


def test_a_barrier_says_who_sets_it_what_it_costs_and_what_is_known_of_it() -> None:
    (barrier,) = model().steps[0].barriers
    assert isinstance(barrier, Barrier)
    assert (barrier.type, barrier.set_by) == (BarrierType.AGREEMENT, ("police",))
    assert (barrier.cost, barrier.cost_basis) == (Cost.LOW, CostBasis.ESTIMATE)
    assert (barrier.basis, barrier.sources) == (Basis.DERIVED, ("report",))
    assert barrier.legal_basis is None
    assert (barrier.evidence.strength, barrier.evidence.finding) == (
        Strength.PRESS,
        Finding.SUPPORTS,
    )
    law = "legal_basis: {text: {nl: Een wet.}, sources: [report]}"
    (with_law,) = model(changed("legal_basis: not_known", law)).steps[0].barriers
    assert with_law.legal_basis is not None
    assert with_law.legal_basis.text.said("nl") == ("Een wet.", "nl")
    unknown = changed("cost: low\n        cost_basis: estimate", "cost: not_known")
    (without_cost,) = model(unknown).steps[0].barriers
    assert (without_cost.cost, without_cost.cost_basis) == (Cost.NOT_KNOWN, None)


def test_a_text_is_said_in_the_language_asked_for_or_else_in_the_first() -> None:
    text = changed("languages: [nl]", "languages: [de, nl]")
    for wording in ("title: {", "statement: {", "summary: {", "text: {"):
        text = text.replace(wording, f"{wording}de: Deutsch, ")
    read = model(text)
    assert read.title.said("nl") == ("Ons eigen model", "nl")
    assert read.title.said("de") == ("Deutsch", "de")
    assert read.title.said("fr") == ("Deutsch", "de")


@pytest.mark.parametrize(
    "written", ["2024-05", "2024", "2024-02-29", "not_known"], ids=lambda each: each
)
def test_a_date_may_be_as_coarse_as_it_is_known(written: str) -> None:
    read = model(changed("date: 2024-05", f"date: {written}"))
    assert read.source("report").date == ("" if written == "not_known" else written)


BARRIER, STEP = "key: ask-why", "number: 1"


@pytest.mark.parametrize(
    ("old", "new", "at", "told"),
    [
        ("model/1", "model/2", "barrier-model/2", "format is not barrier-model/1"),
        ("id: 11111111", "id: 1", "1-2222", "not a UUID"),
        ("version: 1", "version: 0", "0\nlanguages", "whole number from 1 to 9999"),
        ("version: 1\n", "", "format", "The key 'version' is missing"),
        ("languages: [nl]", "languages: [nl, nl]", "[nl, nl]", "list of languages, each once"),
        ("languages: [nl]", "languages: [es]", "[es]", "list of languages"),
        ("languages: [nl]", "languages: nl", "nl\n", "list of languages"),
        ("languages: [nl]", "languages: []", "[]", "list of languages"),
        ("languages: [nl]", "languages: [nl, de]", "{nl: Ons", "The key 'de' is missing"),
        ("title: {nl: Ons", "title: {en: Our", "en: Our", "none of the document's languages"),
        ("status: own", "status: offical", "offical", "Did you mean official?"),
        ("status: own", "status: own\ncode: x", "code", "The key 'code' is not known"),
        ("read: primary", "read: all", "all}", "read is not a word of its list"),
        ("date: 2024-05", "date: 2024-13", "2024-13", "not a day, a month or a year"),
        ("date: 2024-05", "date: in May", "in May", "not a day, a month or a year"),
        ("read: primary", "read: primary, url: 'ftp://x'", "'ftp", "no address of the web"),
        ("  report: {title", "  Report: {title", "Report", "small letters and digits"),
        ("read: primary", "read: primary, url: 'https://x y'", "'https", "no address of the web"),
        ("sectors: [police]", "sectors: [police, police]", "police]}\n  shops", "twice"),
        ("key: seller", f"key: {'s' * 49}", "s" * 49, "of 1 to 48 characters"),
        ("sectors: [police]", "sectors: [polce]", "polce", "Did you mean police"),
        ("  shops: {title: {nl: Winkels}}", "  shops: Winkels", "Winkels", "is not a map"),
        ("number: 1", "number: 2", "2\n    key: buy", "not numbered as they stand"),
        ("number: 2", "number: x", "x\n", "whole number from 1 to 12"),
        ("key: send", "key: buy", "buy", "has the key 'buy'"),
        ("key: seller", "key: open-shop", "open-shop", "has the key 'open-shop'"),
        ("key: seller", "key: Sell it", "Sell it", "small letters and digits"),
        ("key: seller, ", "", "{text: {nl: De verkoper", "The key 'key' is missing"),
        ("key: police, text", "key: polce, text", "polce", "Did you mean police"),
        ("key: police, text", "text", "{text: {nl: Ziet", "The key 'key' is missing"),
        ("[report]\n        suggest", "[x]\n        suggest", "x]", "'x', which is not known"),
        ("[report]\n        suggest", "[]\n        suggest", "[]", "No source is named"),
        ("stated\n        s", "judgement\n        s", "[report]\n        sugg", "names sources"),
        ("judgement\n    opp", "stated\n    opp", "stated\n    opp", "No source is named"),
        ("set_by: [police]", "set_by: [shops]", "shops]", "'shops', which is not known"),
        ("set_by: [police]", "set_by: []", "[]", "Nobody is said to set"),
        ("        set_by: [police]\n", "", BARRIER, "Nobody is said to set"),
        ("type: agreement", "type: law", "law", "type is not a word"),
        ("cost: low", "cost: not_known", "estimate", "has no basis"),
        ("        cost_basis: estimate\n", "", BARRIER, "The key 'cost_basis' is missing"),
        ("legal_basis: not_known", "legal_basis: none", "none", "The legal basis is not told"),
        ("        legal_basis: not_known\n", "", BARRIER, "The legal basis is not told"),
        ("strength: press", "strength: none", "finding", "The key 'finding' is not known"),
        (", sources: [report]}\n  -", "}\n  -", "{strength", "No source is named"),
        ("finding: supports", "finding: good", "good", "finding is not a word"),
        ("De verkoper.", "' '", "' '", "has not 1 to 600 characters"),
        ("    opportunities:\n", "    opportunities: {}\n    x:\n", "{}", "not a list of up to"),
        ("    facilitators:\n", "    facilitators:\n      - nobody\n", "nobody", "is not a map"),
        ("    basis: judgement\n    opp", "    opp", STEP, "The key 'basis' is missing"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(old: str, new: str, at: str, told: str) -> None:
    text = changed(old, new)
    before = text[: text.rindex(at)]
    place = before.count("\n") + 1, len(before) - before.rfind("\n")
    found = faults(text)
    assert any(each[:2] == place and told in each[2] for each in found), (place, found)


def test_an_e_mail_address_is_refused_wherever_it_stands() -> None:
    text = changed("De verkoper.", "Jan jan@mail.example")
    line = text[: text.index("jan@")].count("\n") + 1
    ((found, _, told),) = faults(text)
    assert found == line
    assert "An e-mail address stands here" in told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "It is empty"),
        ("- a list", "not a map"),
        (changed("status: own", "status: &a own"), "Anchors and aliases"),
        (changed("status: own", "status: !!python/name:os.system own"), "Tags are not allowed"),
        (changed("status: own", "status: own\nstatus: own"), "stands here twice"),
        (f"{TEXT}---\n{TEXT}", "several documents"),
        ("a: " + "[" * 12 + "]" * 12, "nested deeper"),
        ("x" * 600_000, "longer than 512 KiB"),
        ("a: [" + "x, " * 40_000 + "x]", "more than 30000 parts"),
        (TEXT[: TEXT.index("steps:")], "not 1 to 12 steps"),
        (TEXT[: TEXT.index("steps:")] + "steps: none\n", "not 1 to 12 steps"),
    ],
    ids=lambda each: each[:20],
)
def test_what_could_run_or_cost_too_much_is_refused(text: str, told: str) -> None:
    assert any(told in each[2] for each in faults(text)), faults(text)


def test_a_column_and_the_steps_have_an_end() -> None:
    line = "      - {key: seller, text: {nl: De verkoper.}, basis: judgement}\n"
    many = "".join(line.replace("seller", f"seller-{n}") for n in range(41))
    assert any("up to 40 entries" in each[2] for each in faults(changed(line, many)))
    assert faults(changed(line, many.rsplit("\n", 2)[0] + "\n")) == []
    step = TEXT[TEXT.index("  - number: 2") :]
    steps = "".join(
        step.replace("number: 2", f"number: {n}").replace("key: send", f"key: send-{n}")
        for n in range(3, 14)
    )
    assert any("not 1 to 12 steps" in each[2] for each in faults(TEXT + steps))
    twelve = steps[: steps.index("  - number: 13")]
    assert len(model(TEXT + twelve).steps) == 12


def test_a_partner_stands_in_a_step_once_and_may_stand_in_several() -> None:
    line = "      - {key: police, text: {nl: Ziet wie koopt.}, basis: judgement}\n"
    assert any("twice" in each[2] for each in faults(changed(line, line + line)))
    read = model(f"{TEXT}    partners:\n{line}")
    assert [cell.key for step in read.steps for cell in step.partners] == ["police", "police"]


def test_every_fault_is_told_in_order_and_the_text_is_named() -> None:
    text = changed("version: 1", "version: x", changed("cost: low", "cost: much"))
    with pytest.raises(ModelError, match="The text cannot be used") as caught:
        model(text)
    assert [each.line for each in caught.value.faults] == [3, 42]
