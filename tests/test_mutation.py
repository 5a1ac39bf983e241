"""The tool that judges the tests: it makes the faults it says, and tells which are noticed."""

import json
import textwrap
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import CodeType
from typing import Any

import pytest

from tests.mutation import trial, warm
from tests.mutation.__main__ import Tried, deciding_tests, report, sample
from tests.mutation.explained import (
    ExplanationError,
    Verdict,
    entry_for,
    explanations,
    judge,
    offered_in,
)
from tests.mutation.mutants import MODULE, Mutant, mutants
from tests.mutation.trial import Baseline, Outcome, TrialError
from tests.mutation.warm import Workshop, put_in

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


def test_so_are_the_words_of_a_class_of_errors_and_its_code_is_not() -> None:
    source = """
        class NoError(Exception):
            code = "no"
            title = "No"
            remedy = "Ask again."
    """
    assert _changes(source) == {'code = "no" => code = None', 'code = "no" => code = "XXnoXX"'}


def test_the_strictness_of_zip_is_left_alone_and_its_other_arguments_are_not() -> None:
    made = _changes("def act():\n    return zip(a, b, strict=True)\n")
    assert made == {
        f"return zip(a, b, strict=True) => return zip({left}strict=True)"
        for left in ("None, b, ", "a, None, ", "b, ", "a, ")
    }


def test_words_that_document_are_left_alone_and_what_stands_beside_them_is_not() -> None:
    made = _changes("""
        def number(least, description):
            return field(least, metadata={"description": description})
        age = number(18, "In years.")
        name = field(metadata={"description": "Its name.", "type": "string"}, help="A name.")
        found = Found(examples=made)
    """)
    assert made == {
        'return field(least, metadata={"description": description}) => '
        'return field(None, metadata={"description": description})',
        'return field(least, metadata={"description": description}) => '
        'return field(metadata={"description": description})',
        'age = number(18, "In years.") => age = None',
        'age = number(18, "In years.") => age = number(None, "In years.")',
        'age = number(18, "In years.") => age = number("In years.")',
        'age = number(18, "In years.") => age = number(19, "In years.")',
        *(
            'name = field(metadata={"description": "Its name.", "type": "string"}, '
            f'help="A name.") => name = {after}'
            for after in (
                "None",
                'field(metadata=None, help="A name.")',
                'field(help="A name.")',
                'field(metadata={"description": "Its name.", "XXtypeXX": "string"}, '
                'help="A name.")',
                'field(metadata={"description": "Its name.", "type": "XXstringXX"}, '
                'help="A name.")',
            )
        ),
        "found = Found(examples=made) => found = None",
        "found = Found(examples=made) => found = Found(examples=None)",
    }


def test_sentences_to_translate_are_left_alone_and_what_fills_them_is_not() -> None:
    made = _changes('def act():\n    return _("%(n)s left", n=count)\n')
    assert made == {
        f'return _("%(n)s left", n=count) => return _("%(n)s left", {left})'
        for left in ("n=None", "")
    }


def test_what_nothing_reads_at_run_time_is_left_alone() -> None:
    source = '''
        """Words."""
        from a import b
        Pair = tuple[int, "Pair"]
        Shape: TypeAlias = Any
        Columns = TypeVarTuple("Columns")
        @cache
        def f(a: "int | None") -> "str":
            """More words."""
    '''
    assert _changes(source) == set()


def test_only_the_tests_that_run_a_line_are_asked_about_it() -> None:
    known = Baseline(
        seconds={"quick": 1.0, "slow": 9.0, "elsewhere": 0.1, "on_server": 0.5},
        on_postgresql=frozenset({"on_server"}),
        ran={"gate.py": {3: [""], 9: ["slow", "on_server", "quick"]}},
        modules=[],
    )
    assert known.tests_of(_mutant(9)) == ["quick", "slow", "on_server"]
    assert known.tests_of(_mutant(9), ["slow"]) == ["slow", "quick", "on_server"]
    assert known.tests_of(_mutant(3)) == ["elsewhere", "quick", "slow", "on_server"]
    assert known.tests_of(_mutant(12)) == []


def test_what_ran_on_import_is_known() -> None:
    known = Baseline({}, frozenset(), {"gate.py": {3: [""], 9: ["quick"]}}, [])
    assert known.ran_on_import(_mutant(3))
    assert not known.ran_on_import(_mutant(9))


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


@pytest.fixture(scope="module")
def ready(
    project: Path, known: Baseline, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Workshop]:
    assert known.seconds  # measured first, by a process that has imported nothing of it
    log = tmp_path_factory.mktemp("workshop") / "log"
    with warm.workshop(project, ["gate.py"], ["test_gate.py"], log) as ready:
        yield ready


_OUTCOMES = [
    ("return age >= LEAST => return age > LEAST", Outcome.KILLED),
    ("while count < turns: => while not (count < turns):", Outcome.KILLED),
    ("count += 1 => count = 1", Outcome.SURVIVED),
    ("count += 1 => count -= 1", Outcome.TIMEOUT),
]


@pytest.mark.parametrize(
    ("change", "outcome"), [*_OUTCOMES, ("LEAST = 18 => LEAST = 19", Outcome.KILLED)]
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
    mutant = _of_gate(change)
    found = trial.attempt(
        project,
        mutant,
        known,
        known.tests_of(mutant),
        arguments=["test_gate.py"],
        log=tmp_path / "log",
    )
    assert found.outcome is outcome
    assert (found.by is not None) is (outcome is Outcome.KILLED)
    assert (project / "gate.py").read_text() == GATE


@pytest.mark.parametrize(("change", "outcome"), _OUTCOMES)
def test_a_mutant_gets_the_same_outcome_without_being_imported(
    known: Baseline, ready: Workshop, *, change: str, outcome: Outcome
) -> None:
    mutant = _of_gate(change)
    patience = 2.0 if outcome is Outcome.TIMEOUT else 60.0
    found = ready.attempt(mutant, known.tests_of(mutant), patience)
    assert found is not None
    assert found.outcome is outcome
    assert (found.by is not None) is (outcome is Outcome.KILLED)


@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        ("LEAST = 18 => LEAST = 19", Outcome.KILLED),
        ("LEAST = 18 => LEAST = None", Outcome.KILLED),
        _OUTCOMES[0],
        _OUTCOMES[2],
    ],
)
def test_a_file_can_be_run_anew_for_what_it_does_on_import(
    known: Baseline, ready: Workshop, *, change: str, outcome: Outcome
) -> None:
    found = ready.attempt(_of_gate(change), list(known.seconds), 60.0, anew=True)
    assert found is not None
    assert found.outcome is outcome


def test_a_file_that_only_a_test_imports_is_judged_like_others(
    project: Path, tmp_path: Path
) -> None:
    late = project / "test_late.py"
    late.write_text("def test_it():\n    import gate\n    assert gate.may_pass(18, is_guest=False)")
    known = trial.baseline(project, ["gate.py"], [late.name])
    assert known.ran_on_import(_of_gate("LEAST = 18 => LEAST = 19"))
    with warm.workshop(project, ["gate.py"], [late.name], tmp_path / "log") as ready:
        found = ready.attempt(_of_gate(_OUTCOMES[0][0]), list(known.seconds), 60.0)
    assert found is not None
    assert found.outcome is Outcome.KILLED


def test_a_line_that_no_test_runs_has_no_tests(known: Baseline) -> None:
    assert known.tests_of(_of_gate("return 1 + 1 => return 1 - 1")) == []


def test_a_fault_leaves_nothing_behind_in_the_process_that_waits(
    known: Baseline, ready: Workshop
) -> None:
    killed, unnoticed = (_of_gate(change) for change, _ in (_OUTCOMES[0], _OUTCOMES[2]))
    for mutant, outcome in [(killed, Outcome.KILLED), (unnoticed, Outcome.SURVIVED)]:
        found = ready.attempt(mutant, list(known.seconds), 60.0)
        assert found is not None
        assert found.outcome is outcome


def _code(source: str) -> tuple[dict[str, Any], CodeType]:
    code = compile(textwrap.dedent(source), "made.py", "exec")
    names: dict[str, Any] = {}
    exec(code, names)  # noqa: S102 - the source stands in the test
    return names, code


def test_functions_within_others_and_methods_get_the_code_of_the_mutant() -> None:
    source = """
        def keep(f):
            def kept():
                return f() + 1
            return kept
        class Box:
            def size(self):
                return 2
    """
    names, before = _code(source)
    kept = names["keep"](lambda: 1)
    _, after = _code(source.replace("f() + 1", "f() - 1").replace("return 2", "return 3"))
    assert put_in([kept, names["keep"], names["Box"].size], before, after)
    assert (kept(), names["Box"]().size()) == (0, 3)


def test_what_would_close_over_other_names_is_to_be_imported() -> None:
    source = "def f(a):\n    def g(): return a\n    return g\ng = f(1)"
    names, before = _code(source)
    _, after = _code(source.replace("return a", "return 1"))
    assert not put_in([names["g"]], before, after)


def test_a_workshop_whose_tests_cannot_be_collected_says_so(project: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with (
        warm.workshop(project, ["gate.py"], ["--no-such-option"], log) as ready,
        pytest.raises(TrialError, match="collected"),
    ):
        ready.attempt(_of_gate(_OUTCOMES[0][0]), [], 2.0)


def test_a_sample_is_of_each_file_and_always_the_same() -> None:
    made = mutants("gate.py", GATE) + mutants("other.py", GATE)
    drawn = sample(made, 4, 1)
    assert [each.file for each in drawn] == ["gate.py"] * 4 + ["other.py"] * 4
    assert drawn == sample(made, 4, 1) != sample(made, 4, 2)
    assert [made.index(each) for each in drawn] == sorted(made.index(each) for each in drawn)
    assert sample(made, 1_000, 1) == made


def test_code_that_the_tests_refuse_as_it_is_judges_no_mutants(
    project: Path, known: Baseline, tmp_path: Path
) -> None:
    tests, log = list(known.seconds), tmp_path / "log"
    trial.check_control(project, "gate.py", known, tests, arguments=["test_gate.py"], log=log)
    with pytest.raises(TrialError, match="as it is"):
        trial.check_control(project, "gate.py", known, tests, arguments=["--no-option"], log=log)


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


def test_what_an_output_offers_can_be_tried_again() -> None:
    keys = {("a.py", "f", "a => b"), ("a.py", "C.g", "a['b'] => \"c\"")}
    told = "\n".join(f"# survived, line 3\n{entry_for(key)}\n" for key in keys)
    assert offered_in(f"...\n{told}\nfile    mutants\nnot explained: a.py | f | a => b") == keys


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
    assert deciding_tests(["app/sharing/__init__.py"]) == ["tests/app/sharing"]
    assert deciding_tests(["app/sharing/classes.py"]) == ["tests/app/sharing/test_classes.py"]
    with pytest.raises(LookupError, match=r"gate\.py"):
        deciding_tests(["gate.py"])


def test_the_files_and_the_tests_that_decide_about_them_exist() -> None:
    configured = tomllib.loads((trial.ROOT / "pyproject.toml").read_text("utf-8"))
    by_path = configured["tool"]["mutation"]["tests"]
    tests = {test.partition("::")[0] for each in by_path.values() for test in each}
    assert [path for path in {*by_path, *tests} if not (trial.ROOT / path).exists()] == []


def test_every_explanation_names_a_mutant_that_can_be_made() -> None:
    root = trial.ROOT
    listed = explanations((root / "tests" / "mutants-explained.toml").read_text("utf-8"))
    functions: dict[str, set[str]] = {}
    for file, function, _ in listed:
        functions.setdefault(file, set()).add(function)
    made = {
        mutant.key
        for file, named in functions.items()
        for mutant in mutants(file, (root / file).read_text("utf-8"), named)
    }
    assert set(listed) - made == set()


def _of_gate(change: str) -> Mutant:
    (mutant,) = [each for each in mutants("gate.py", GATE) if each.change == change]
    return mutant


def _mutant(line: int) -> Mutant:
    return Mutant("gate.py", "may_pass", frozenset({line}), "a => b", GATE)
