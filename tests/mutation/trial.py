"""Trying mutants: each in a forked process that imports the code afresh, with the mutant in it.

The parent imports nothing of the project, only (once) the packages that it needs, so that a fork
is ready in milliseconds; nothing on disk changes, so that a checkout can be worked in meanwhile.
"""

import gc
import importlib
import importlib.util
import math
import multiprocessing
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from functools import _lru_cache_wrapper
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from multiprocessing.connection import Connection
from multiprocessing.context import ForkProcess
from pathlib import Path
from types import CodeType, ModuleType

import coverage
import pytest

from tests.mutation.mutants import MODULE, Mutant

ROOT = Path(__file__).parent.parent.parent
_FORK = multiprocessing.get_context("fork")
_JUDGED = ("app.", "postern.")
_OURS = ("app", "postern", "migrations", "tests", "bench")
OPTIONS = [
    *("-q", "--no-header", "--no-summary", "-p", "no:cacheprovider"),
    # Plugins of pytest are imported before it, like everything.
    *("-W", "ignore::pytest.PytestAssertRewriteWarning"),
]
PATIENCE = (4.0, 4.0)  # seconds of work, and times as many as without a mutant
_WAITING = 12.0  # times as long on a machine that others use too
_NO_TESTS = int(pytest.ExitCode.NO_TESTS_COLLECTED)


class Outcome(StrEnum):
    """What became of a mutant."""

    KILLED = "killed"
    SURVIVED = "survived"
    TIMEOUT = "timeout"
    NO_COVERAGE = "no coverage"


@dataclass(frozen=True, slots=True)
class Found:
    """What became of a mutant, and the test that noticed where that is known."""

    outcome: Outcome
    by: str | None = None


@dataclass(frozen=True)
class Baseline:
    """What the tests do without a mutant."""

    seconds: dict[str, float]  # of work, by test, in the order they ran
    on_postgresql: frozenset[str]
    ran: dict[str, dict[int, list[str]]]  # file, line: tests; "" is the import
    modules: list[str]

    def tests_of(self, mutant: Mutant, first: Sequence[str] = ()) -> list[str]:
        """The tests that may notice it: those of `first`, then the quick ones on SQLite.

        Those that run one of its lines; for what happens on import simply all, as a table can be
        read without running a line of its file.
        """
        by_line = self.ran.get(mutant.file, {})
        running = {test for line in mutant.lines for test in by_line.get(line, [])}
        chosen = set(self.seconds) if "" in running else running
        return sorted(
            chosen,
            key=lambda test: (
                test not in first,
                test in self.on_postgresql,
                self.seconds[test],
            ),
        )

    def patience(self, tests: Sequence[str]) -> float:
        """How many seconds the tests may work before a mutant is held to be endless."""
        least, times = PATIENCE
        return least + times * sum(self.seconds[test] for test in tests)

    def ran_on_import(self, mutant: Mutant) -> bool:
        """Whether one of its lines ran before any test: then it must be imported to be tried."""
        by_line = self.ran.get(mutant.file, {})
        return any("" in by_line.get(line, []) for line in mutant.lines)


@contextmanager
def prepared_databases(made_before: Path | None = None) -> Iterator[Path]:
    """A directory for `--prepared`, with a server that runs until the end of the block."""
    if made_before is not None:
        yield made_before
        return
    with (
        tempfile.TemporaryDirectory(prefix="postern-mutation-") as made,
        subprocess.Popen(
            [sys.executable, "-m", "tests.mutation.prepared", made],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,  # a signal to end us all must not keep it from tidying up
        ) as process,
    ):
        assert process.stdin is not None
        assert process.stdout is not None
        # The server may greet first.
        if not any(line == "ready\n" for line in process.stdout):
            raise TrialError("No databases could be prepared. Run the tests and see why.")
        yield Path(made)
        process.stdin.close()


class TrialError(Exception):
    """The tests cannot judge mutants: they fail, or do not run, without any."""


def baseline(root: Path, files: Sequence[str], arguments: Sequence[str]) -> Baseline:
    """Run the tests once and note which run which lines of `files`; TrialError when one fails."""
    receiving, sending = _FORK.Pipe(duplex=False)
    process = _FORK.Process(target=_measure, args=(root, list(files), list(arguments), sending))
    process.start()
    sending.close()
    try:
        code, found = receiving.recv()
    except EOFError:
        code, found = None, None
    process.join()
    if code != 0 or found is None:
        raise TrialError(
            f"The tests do not pass without a mutant (pytest ended with {code}). "
            "Mend them, then try mutants."
        )
    assert isinstance(found, Baseline)
    return found


def import_early(modules: Sequence[str]) -> None:
    """Import what every fork would import for itself, except what is under test."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in modules:
            if name.split(".")[0] not in _OURS:
                try:
                    importlib.import_module(name)
                except ImportError:
                    continue


def check_control(
    root: Path,
    file: str,
    known: Baseline,
    tests: Sequence[str],
    *,
    arguments: Sequence[str],
    log: Path,
) -> None:
    """Try the file as it is; TrialError when that is not found well, as then all are killed."""
    source = (root / file).read_text("utf-8")
    unchanged = Mutant(file, MODULE, frozenset({0}), "(nothing) => (nothing)", source)
    found = attempt(root, unchanged, known, tests, arguments=arguments, log=log)
    if found.outcome is not Outcome.SURVIVED:
        told = log.read_text("utf-8")[-2_000:]
        raise TrialError(f"The tests refuse the code as it is. See why:\n{told}")


def attempt(
    root: Path,
    mutant: Mutant,
    known: Baseline,
    tests: Sequence[str],
    *,
    arguments: Sequence[str],
    log: Path,
) -> Found:
    """Import the mutant and run the tests in their order, up to the first that notices it."""
    hearing, telling = _FORK.Pipe(duplex=False)
    process = _FORK.Process(
        target=_run,
        args=(root, mutant, list(tests)),
        kwargs={
            "arguments": list(arguments),
            "log": log,
            "telling": telling,
            "patience": known.patience(tests),
        },
    )
    process.start()
    telling.close()
    if was_endless(process, known.patience(tests)):
        return Found(Outcome.TIMEOUT)
    if process.exitcode == _NO_TESTS:
        raise TrialError(f"None of the tests of {mutant.key} could be found again.")
    if process.exitcode == 0:
        return Found(Outcome.SURVIVED)
    try:
        return Found(Outcome.KILLED, hearing.recv())
    except EOFError:  # it could not even be imported
        return Found(Outcome.KILLED)


def import_judged(files: Sequence[str]) -> None:
    """Import the files, so that no test is the first to do so and holds their lines for its own."""
    for file in files:
        importlib.import_module(module_of(file))


def module_of(file: str) -> str:
    """The name by which the file, from the root of the repository, is imported."""
    parts = Path(file).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def limit_work(patience: float) -> None:
    """End this process when it has worked for `patience` seconds, however slowly it is run."""
    seconds = math.ceil(patience)
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))


def was_endless(process: ForkProcess, patience: float) -> bool:
    """Wait for a process that has its work limited; whether it did not end of itself."""
    process.join(patience * _WAITING)
    if process.is_alive():  # it waits for something
        process.kill()
        process.join()
        return True
    return process.exitcode in {-signal.SIGXCPU, -signal.SIGKILL}


def _measure(root: Path, files: list[str], arguments: list[str], sending: Connection) -> None:
    begin(root)
    measured = coverage.Coverage(
        data_file=None, config_file=False, include=[str(root / file) for file in files]
    )
    watching = _Watching(measured, files)
    measured.start()
    code = int(pytest.main([*OPTIONS, *arguments], plugins=[watching]))
    measured.stop()
    found = measured.get_data()
    ran = {file: found.contexts_by_lineno(str(root / file)) for file in files}
    sending.send(
        (
            code,
            Baseline(
                watching.seconds,
                frozenset(watching.on_postgresql),
                {file: dict(lines) for file, lines in ran.items()},
                list(sys.modules),
            ),
        )
    )


def _run(
    root: Path,
    mutant: Mutant,
    tests: list[str],
    *,
    arguments: list[str],
    log: Path,
    telling: Connection,
    patience: float,
) -> None:
    limit_work(patience)
    begin(root)
    with log.open("w") as output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
    sys.meta_path.insert(0, _Mutated(root, mutant))
    others = [argument for argument in arguments if argument.startswith("-")]
    files = list(dict.fromkeys(test.partition("::")[0] for test in tests))
    code = pytest.main(["-x", *OPTIONS, *others, *files], plugins=[_Chosen(tests, telling)])
    sys.stdout.flush()
    os._exit(int(code))


def begin(root: Path) -> None:
    gc.freeze()  # what the parent made is no garbage, and pytest collects often
    os.chdir(root)
    sys.path.insert(0, str(root))


class _Mutated(MetaPathFinder):
    """Finds one module, with the text of the mutant."""

    def __init__(self, root: Path, mutant: Mutant) -> None:
        self._path = root / mutant.file
        self._source = mutant.source
        self._name = module_of(mutant.file)

    def find_spec(
        self, fullname: str, _path: Sequence[str] | None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != self._name:
            return None
        loader = _MutatedLoader(fullname, str(self._path), self._source)
        return importlib.util.spec_from_file_location(fullname, self._path, loader=loader)


class _MutatedLoader(SourceFileLoader):
    def __init__(self, name: str, path: str, source: str) -> None:
        super().__init__(name, path)
        self._source = source

    def get_code(self, _fullname: str) -> CodeType:
        # Never from, and never into, the cache of compiled files.
        return compile(self._source, self.path, "exec", dont_inherit=True)


class _Chosen:
    """A pytest plugin: runs the tests of the list, in its order."""

    def __init__(self, tests: list[str], telling: Connection) -> None:
        self._place = {test: place for place, test in enumerate(tests)}
        self._telling = telling

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed and not self._telling.closed:
            self._telling.send(report.nodeid)
            self._telling.close()

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        chosen = [item for item in items if item.nodeid in self._place]
        items[:] = sorted(chosen, key=lambda item: self._place[item.nodeid])


@dataclass
class _Watching:
    """A pytest plugin: which test runs which lines, and how long it takes."""

    measured: coverage.Coverage
    files: list[str]
    seconds: dict[str, float] = field(default_factory=dict)
    on_postgresql: set[str] = field(default_factory=set)
    began: float = 0.0

    def pytest_collection_finish(self) -> None:
        import_judged(self.files)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        _forget_answers()
        self.measured.switch_context(item.nodeid)
        self.began = time.process_time()
        parameters = getattr(getattr(item, "callspec", None), "params", {})
        if parameters.get("database_url") == "postgresql":
            self.on_postgresql.add(item.nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        waited = report.nodeid in self.on_postgresql  # for another process that works
        spent = report.duration if waited else time.process_time() - self.began
        self.began = time.process_time()
        self.seconds[report.nodeid] = self.seconds.get(report.nodeid, 0.0) + spent


def _forget_answers() -> None:
    """So that each test runs what it relies on, not only the first that asks."""
    for kept in gc.get_objects():
        if isinstance(kept, _lru_cache_wrapper) and str(kept.__module__).startswith(_JUDGED):
            kept.cache_clear()
