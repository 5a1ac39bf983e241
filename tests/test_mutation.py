"""The tool that judges the tests: it makes the faults it says, and tells which are noticed."""

import json
import textwrap
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.mutation import trial
from tests.mutation.__main__ import Tried, deciding_tests, report
from tests.mutation.explained import (
    ExplanationError,
    Verdict,
    entry_for,
    explanations,
    judge,
)
from tests.mutation.mutants import MODULE, Mutant, mutants
from tests.mutation.trial import Baseline, Outcome, TrialError

GATE = """\
\"\"\"Who may pass.\"\"\"

LEAST = 18


def may_pass(age: int, *, is_guest: bool) -> bool:
    if is_guest:
        raise PermissionError("Guests do not pass alone.")
    return age >= LEAST


def forgotten() -> int:
    return 1 + 1


def endless(turns: int) -> int:
    count = 0
    while count < turns:
        count += 1
    return count
"""
TESTS = """\
import pytest
import gate


def test_at_eighteen_one_passes():
    assert gate.may_pass(18, is_guest=False)
    assert not gate.may_pass(17, is_guest=False)


def test_a_guest_does_not():
    with pytest.raises(PermissionError):
        gate.may_pass(20, is_guest=True)


def test_turns_are_counted():
    assert gate.endless(1) == 1
"""


def _changes(source: str, function: str | None = None) -> set[str]:
    made = mutants("gate.py", textwrap.dedent(source))
    return {m.change for m in made if function is None or m.function == function}


def test_every_mutant_differs_from_the_file_and_from_the_others() -> None:
    made = mutants("gate.py", GATE)
    sources = [mutant.source for mutant in made]
    assert len(set(sources)) == len(sources) >= 15
    assert GATE not in sources


def test_what_runs_on_import_is_mutated_too() -> None:
    assert "LEAST = 18 => LEAST = 19" in _changes(GATE, MODULE)


def test_a_fault_names_its_function_and_its_lines() -> None:
    (found,) = [m for m in mutants("gate.py", GATE) if m.change.endswith("age > LEAST")]
    assert found.key == ("gate.py", "may_pass", "return age >= LEAST => return age > LEAST")
    assert found.lines == {9}


def test_a_condition_is_reversed_and_a_refusal_dropped() -> None:
    assert {
        "if is_guest: => if not (is_guest):",
        'raise PermissionError("Guests do not pass alone.") => pass',
    } <= _changes(GATE, "may_pass")


def test_a_call_for_its_effect_is_dropped() -> None:
    assert "log(1) => pass" in _changes("def act():\n    log(1)\n", "act")


def test_an_argument_is_left_out() -> None:
    made = _changes("def act():\n    return where(own(a), live(b))\n")
    assert "return where(own(a), live(b)) => return where(live(b))" in made


def test_the_words_of_an_error_are_left_alone_and_its_other_arguments_are_not() -> None:
    made = _changes('def act():\n    raise RefusedError("No.", 404)\n')
    assert made == {
        'raise RefusedError("No.", 404) => pass',
        'raise RefusedError("No.", 404) => raise RefusedError("No.", None)',
        'raise RefusedError("No.", 404) => raise RefusedError("No.", )',
        'raise RefusedError("No.", 404) => raise RefusedError("No.", 405)',
    }


def test_what_nothing_reads_at_run_time_is_left_alone() -> None:
    source = '''
        """Words."""
        from a import b
        Pair = tuple[int, "Pair"]
        @cache
        def f(a: "int | None") -> "str":
            """More words."""
    '''
    assert _changes(source) == set()


def test_only_the_tests_that_run_a_line_are_asked_about_it() -> None:
    known = Baseline(
        seconds={"quick": 1.0, "slow": 9.0, "elsewhere": 0.1, "on_server": 0.5},
        on_postgresql=frozenset({"on_server"}),
        ran={"gate.py": {3: [""], 9: ["slow", "on_server", "quick"]}, "table.py": {3: [""]}},
        modules=[],
    )
    assert known.tests_of(_mutant(9)) == ["quick", "slow", "on_server"]
    assert known.tests_of(_mutant(3)) == ["quick", "slow", "on_server"]
    in_a_table = replace(_mutant(3), file="table.py")
    assert known.tests_of(in_a_table) == ["elsewhere", "quick", "slow", "on_server"]
    assert known.tests_of(_mutant(12)) == []


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("project")
    (root / "gate.py").write_text(GATE)
    (root / "test_gate.py").write_text(TESTS)
    (root / "pytest.ini").write_text("[pytest]\n")
    return root


@pytest.fixture(scope="module")
def known(project: Path) -> Iterator[Baseline]:
    return trial.baseline(project, ["gate.py"], ["test_gate.py"])


@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        ("return age >= LEAST => return age > LEAST", Outcome.KILLED),
        ("LEAST = 18 => LEAST = 19", Outcome.KILLED),
        ("while count < turns: => while not (count < turns):", Outcome.KILLED),
        ("return 1 + 1 => return 1 - 1", Outcome.NO_COVERAGE),
        ("count += 1 => count = 1", Outcome.SURVIVED),
        ("count += 1 => count -= 1", Outcome.TIMEOUT),
    ],
)
def test_a_mutant_gets_the_outcome_it_deserves(
    project: Path,
    known: Baseline,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    change: str,
    outcome: Outcome,
) -> None:
    if outcome is Outcome.TIMEOUT:
        monkeypatch.setattr(trial, "PATIENCE", (2.0, 1.0))
    (mutant,) = [each for each in mutants("gate.py", GATE) if each.change == change]
    found = trial.attempt(project, mutant, known, ["test_gate.py"], tmp_path / "log")
    assert found is outcome
    assert (project / "gate.py").read_text() == GATE


def test_code_that_the_tests_refuse_as_it_is_judges_no_mutants(
    project: Path, known: Baseline, tmp_path: Path
) -> None:
    arguments = ["test_gate.py"]
    trial.check_control(project, "gate.py", known, arguments, tmp_path / "log")
    with pytest.raises(TrialError, match="as it is"):
        trial.check_control(project, "gate.py", known, ["--no-such-option"], tmp_path / "log")


def test_tests_that_fail_without_a_mutant_judge_none(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "gate.py").write_text(GATE)
    (tmp_path / "test_gate.py").write_text("def test_it():\n    assert False\n")
    with pytest.raises(TrialError, match="without a mutant"):
        trial.baseline(tmp_path, ["gate.py"], ["test_gate.py"])


def test_a_survivor_is_explained_or_told() -> None:
    first, second, elsewhere = ("a.py", "f", "1"), ("a.py", "f", "2"), ("b.py", "g", "3")
    assert judge([first, second], [first], ["a.py"]) == Verdict([second], [])
    assert judge([first], [first, second, elsewhere], ["a.py"]) == Verdict([], [second])
    assert judge([first, first], [first], ["a.py"]) == Verdict([], [])


@pytest.mark.parametrize("change", ["a => b", "a['b'] => a[\"c\"]", "a['\\n'] => b"])
def test_an_entry_that_is_offered_reads_back_once_it_has_a_reason(change: str) -> None:
    key = ("a.py", "C.f", change)
    offered = entry_for(key)
    with pytest.raises(ExplanationError):
        explanations(offered)
    assert explanations(offered.replace('why = ""', 'why = "Equal."')) == {key: "Equal."}


def test_a_mutant_explained_twice_is_refused() -> None:
    entry = entry_for(("a.py", "f", "a => b")).replace('why = ""', 'why = "Equal."')
    with pytest.raises(ExplanationError, match="twice"):
        explanations(entry + entry)


def test_the_report_ends_with_its_figures_as_json() -> None:
    tried = [Tried(_mutant(9), Outcome.KILLED), Tried(_mutant(3), Outcome.SURVIVED)]
    told = report(tried, Verdict([_mutant(3).key], [])).splitlines()
    assert json.loads(told[-1])["all"] == {
        "mutants": 2,
        "killed": 1,
        "survived": 1,
        "timeout": 0,
        "no coverage": 0,
        "score": 0.5,
    }
    assert told[-2] == "not explained: gate.py | may_pass | a => b"


def test_a_file_whose_tests_nobody_named_is_refused() -> None:
    assert deciding_tests(["app/sharing/rules.py"]) == ["tests/app/sharing"]
    assert deciding_tests(["app/sharing/classes.py"]) == ["tests/app/sharing/test_classes.py"]
    with pytest.raises(LookupError, match=r"gate\.py"):
        deciding_tests(["gate.py"])


def test_every_explanation_names_a_mutant_that_can_be_made() -> None:
    root = trial.ROOT
    listed = explanations((root / "tests" / "mutants-explained.toml").read_text("utf-8"))
    files = {file for file, _, _ in listed}
    made = {m.key for file in files for m in mutants(file, (root / file).read_text("utf-8"))}
    assert set(listed) - made == set()


def _mutant(line: int) -> Mutant:
    return Mutant("gate.py", "may_pass", frozenset({line}), "a => b", GATE)
