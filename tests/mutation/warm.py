"""Trying faults inside functions: each in a fork of a process that has imported everything already.

The fork gives the functions of the file the code of the mutant and runs tests that were collected
once. That is true only of what did not run on import: what did has left its results behind, and is
to be tried by importing afresh (`trial.attempt`). Before that, which takes long, the fork can run
the whole file `anew`, as the module that it is: a test that passes when the file as it is was run
anew, and fails when the mutant was, has noticed it. One that passes proves nothing.
"""

import gc
import multiprocessing
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from types import CodeType, FunctionType

import pytest

from tests.mutation import trial
from tests.mutation.mutants import Mutant
from tests.mutation.trial import Found, Outcome, TrialError

_FORK = multiprocessing.get_context("fork")
_UNFIT = "unfit"


@dataclass(frozen=True)
class Workshop:
    """The process that waits with everything imported and all tests collected."""

    orders: Connection
    answers: Connection

    def attempt(
        self, mutant: Mutant, tests: Sequence[str], patience: float, *, anew: bool = False
    ) -> Found | None:
        """Run the tests in their order up to the first that fails; `patience` is in seconds.

        None when the mutant can only be tried by importing it. TrialError when the process that
        waited has ended.
        """
        try:
            self.orders.send((mutant, list(tests), patience, anew))
            answer: Found | None = self.answers.recv()
        except (EOFError, BrokenPipeError) as error:
            raise TrialError("The tests could not be collected. Run them and see why.") from error
        return answer


@contextmanager
def workshop(
    root: Path, files: Sequence[str], arguments: Sequence[str], log: Path
) -> Iterator[Workshop]:
    """A workshop for mutants of `files`; it ends with the block."""
    taking, orders = _FORK.Pipe(duplex=False)
    answers, giving = _FORK.Pipe(duplex=False)
    process = _FORK.Process(
        target=_wait_for_orders,
        args=(root, log, list(arguments), _Serving(root, list(files), taking, giving)),
        kwargs={"not_its_own": (orders, answers)},
    )
    process.start()
    taking.close()
    giving.close()
    try:
        yield Workshop(orders, answers)
    finally:
        orders.close()
        process.terminate()
        process.join()


def put_in(functions: Sequence[FunctionType], before: CodeType, after: CodeType) -> bool:
    """Give every function made from a part of `before` the same part of `after`.

    False when one of them cannot take it, or when it is not plain which part it was made from.
    """
    renewed: dict[CodeType, CodeType] = {}
    for old, new in _parts(before, after):
        if renewed.setdefault(old, new) != new:
            return False
    for function in functions:
        new = renewed.get(function.__code__, function.__code__)
        try:
            if new != function.__code__:
                function.__code__ = new
        except ValueError:  # it would close over other names
            return False
    return True


def _parts(before: CodeType, after: CodeType) -> Iterator[tuple[CodeType, CodeType]]:
    yield before, after
    inside = [
        [constant for constant in code.co_consts if isinstance(constant, CodeType)]
        for code in (before, after)
    ]
    if [each.co_name for each in inside[0]] == [each.co_name for each in inside[1]]:
        for old, new in zip(*inside, strict=True):
            yield from _parts(old, new)


def _wait_for_orders(
    root: Path,
    log: Path,
    arguments: list[str],
    serving: "_Serving",
    *,
    not_its_own: Sequence[Connection],
) -> None:
    for end in not_its_own:  # else it would wait for itself when the one who orders has died
        end.close()
    trial.begin(root)
    with log.open("w") as output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
    pytest.main([*trial.OPTIONS, *arguments], plugins=[serving])
    os._exit(0)


@dataclass
class _Serving:
    """A pytest plugin: instead of running what was collected, tries what is ordered."""

    root: Path
    files: list[str]
    taking: Connection
    giving: Connection

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        trial.import_judged(self.files)
        paths = {str(self.root / file): file for file in self.files}
        functions: dict[str, list[FunctionType]] = {file: [] for file in self.files}
        for each in gc.get_objects():
            if isinstance(each, FunctionType) and each.__code__.co_filename in paths:
                functions[paths[each.__code__.co_filename]].append(each)
        gc.freeze()
        by_name = {item.nodeid: item for item in session.items}
        while True:
            try:
                mutant, tests, patience, anew = self.taking.recv()
            except EOFError:
                return True
            items = [by_name[test] for test in tests if test in by_name]
            changed = None if anew else functions[mutant.file]
            self.giving.send(self._attempt(session, mutant, changed, items, patience))

    def _attempt(
        self,
        session: pytest.Session,
        mutant: Mutant,
        functions: list[FunctionType] | None,
        items: list[pytest.Item],
        patience: float,
    ) -> Found | None:
        hearing, telling = _FORK.Pipe(duplex=False)
        process = _FORK.Process(
            target=self._try,
            args=(session, mutant, functions, items),
            kwargs={"telling": telling, "patience": patience},
        )
        process.start()
        telling.close()
        if trial.was_endless(process, patience):
            return Found(Outcome.TIMEOUT)
        try:
            failed: str | None = hearing.recv()
        except EOFError:
            failed = ""  # the mutant ended the process
        if failed == _UNFIT:
            return None
        return Found(Outcome.SURVIVED if failed is None else Outcome.KILLED, failed or None)

    def _try(
        self,
        session: pytest.Session,
        mutant: Mutant,
        functions: list[FunctionType] | None,
        items: list[pytest.Item],
        *,
        telling: Connection,
        patience: float,
    ) -> None:
        trial.limit_work(patience)
        path = str(self.root / mutant.file)
        after = compile(mutant.source, path, "exec", dont_inherit=True)
        if functions is None:
            exec(after, vars(sys.modules[trial.module_of(mutant.file)]))  # noqa: S102 - our code
        else:
            before = compile(Path(path).read_text("utf-8"), path, "exec", dont_inherit=True)
            if not put_in(functions, before, after):
                telling.send(_UNFIT)
                os._exit(0)
        failed = _first_that_fails(session, items)
        session.config.hook.pytest_sessionfinish(session=session, exitstatus=0)
        telling.send(failed)
        os._exit(0)


def _first_that_fails(session: pytest.Session, items: list[pytest.Item]) -> str | None:
    for item, following in zip(items, [*items[1:], None], strict=True):
        item.ihook.pytest_runtest_protocol(item=item, nextitem=following)
        if session.testsfailed:
            return item.nodeid
    return None
