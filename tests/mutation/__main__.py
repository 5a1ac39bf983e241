"""Mutation testing of the files named: `python -m tests.mutation app/sharing/visibility.py`.

Prints every mutant that survives as it is found, then a table of files and, on the last line, one
JSON object. Ends with 1 when a survivor is not in tests/mutants-explained.toml, or when one listed
there does not survive any more.
"""

import argparse
import json
import math
import random
import sys
import tempfile
import time
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.mutation import explained, trial, warm
from tests.mutation.explained import Key, Verdict
from tests.mutation.mutants import MODULE, Mutant, mutants
from tests.mutation.trial import Baseline, Found, Outcome, TrialError
from tests.mutation.warm import Workshop

EXPLAINED = trial.ROOT / "tests" / "mutants-explained.toml"
_TELL_EVERY = 30  # seconds
_FIRST = 3  # tests that noticed the most faults of a function are the first to be asked again
_SURVIVING = (Outcome.SURVIVED, Outcome.NO_COVERAGE)


@dataclass(frozen=True, slots=True)
class Tried:
    """A mutant and what became of it."""

    mutant: Mutant
    outcome: Outcome


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when every survivor is explained and every explanation is of use."""
    options = _parser().parse_args(arguments)
    files = _files(options.paths)
    listed = explained.explanations(EXPLAINED.read_text("utf-8"))
    every = [
        mutant for file in files for mutant in mutants(file, (trial.ROOT / file).read_text("utf-8"))
    ]
    made = _chosen(every, options, listed)
    if options.list:
        sys.stdout.writelines(f"{m.file} {m.function}: {m.change}\n" for m in made)
        return 0
    tried = _try(
        made,
        files,
        listed,
        options=["-knot postgresql"] if options.sqlite else [],
        brief=options.brief or math.inf,
        seconds=options.minutes * 60 if options.minutes else math.inf,
        prepared=options.prepared,
    )
    survivors = [each.mutant.key for each in tried if each.outcome in _SURVIVING]
    is_whole = len(tried) == len(every) and not (options.sqlite or options.brief)
    verdict = explained.judge(survivors, listed, files if is_whole else [])
    sys.stdout.write(report(tried, verdict))
    return 1 if verdict.unexplained or verdict.obsolete else 0


def _chosen(
    every: Sequence[Mutant], options: argparse.Namespace, listed: dict[Key, str]
) -> list[Mutant]:
    made = [each for each in every if options.only in f"{each.function} {each.change}"]
    if options.again:
        offered = explained.offered_in(options.again.read_text("utf-8")) - listed.keys()
        made = [mutant for mutant in made if mutant.key in offered]
    return sample(made, options.sample, options.seed) if options.sample else made


def report(tried: Sequence[Tried], verdict: Verdict) -> str:
    """The table by file, what is left to do, and one line of JSON."""
    columns = ("mutants", "killed", "survived", "timeout", "no coverage", "score")
    by_file = {
        file: _figures(each for each in tried if each.mutant.file == file)
        for file in dict.fromkeys(each.mutant.file for each in tried)
    }
    total = _figures(tried)
    lines = ["".join(["\n", "file".ljust(36), *(name.rjust(13) for name in columns)])]
    lines += [
        file.ljust(36) + "".join(_cell(figures[name]).rjust(13) for name in columns)
        for file, figures in [*by_file.items(), ("all", total)]
    ]
    lines += [f"not explained: {' | '.join(key)}" for key in verdict.unexplained]
    lines += [f"explained, but does not survive: {' | '.join(key)}" for key in verdict.obsolete]
    summary = {
        "files": by_file,
        "all": total,
        "unexplained": len(verdict.unexplained),
        "obsolete": len(verdict.obsolete),
    }
    return "\n".join([*lines, json.dumps(summary)]) + "\n"


def sample(made: Iterable[Mutant], size: int, seed: int) -> list[Mutant]:
    """Up to `size` mutants of each file, chosen at random and always the same, in their order."""
    by_file: dict[str, list[Mutant]] = defaultdict(list)
    for mutant in made:
        by_file[mutant.file].append(mutant)
    chosen: list[Mutant] = []
    for file, of_file in by_file.items():
        drawn = random.Random(f"{seed} {file}")  # noqa: S311 - nothing secret depends on it
        places = sorted(drawn.sample(range(len(of_file)), min(size, len(of_file))))
        chosen += [of_file[place] for place in places]
    return chosen


def deciding_tests(files: Iterable[str]) -> list[str]:
    """The tests that decide about the files, as pyproject.toml says; LookupError for none.

    The longest path that fits a file counts: close tests judge it faster than all of the room.
    """
    configured = tomllib.loads((trial.ROOT / "pyproject.toml").read_text("utf-8"))
    by_path: dict[str, list[str]] = configured["tool"]["mutation"]["tests"]
    chosen: list[str] = []
    for file in files:
        matching = [path for path in by_path if file.startswith(path)]
        if not matching:
            raise LookupError(f"Add the tests of {file} to [tool.mutation.tests].")
        chosen += by_path[max(matching, key=len)]
    return list(dict.fromkeys(chosen))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("paths", nargs="+", help="files, or directories of files")
    parser.add_argument(
        "--only", default="", help="only mutants whose function or change has this text in it"
    )
    parser.add_argument(
        "--again",
        type=Path,
        metavar="OUTPUT",
        help="only those that survived in an earlier search and are not explained since",
    )
    parser.add_argument("--sample", type=int, metavar="N", help="only N of each file, at random")
    parser.add_argument("--seed", type=int, default=1, help="another one draws other samples")
    parser.add_argument(
        "--sqlite", action="store_true", help="only tests on SQLite: quicker, but proves less"
    )
    parser.add_argument(
        "--brief",
        type=float,
        metavar="SECONDS",
        help="for each mutant only the first tests that together take so long",
    )
    parser.add_argument(
        "--prepared",
        type=Path,
        metavar="DIRECTORY",
        help="databases that tests.mutation.prepared made, for several searches in a row",
    )
    parser.add_argument(
        "--minutes", type=float, metavar="N", help="stop then, and report on what was tried"
    )
    parser.add_argument("--list", action="store_true", help="list the mutants and try none")
    return parser


def _files(paths: Sequence[str]) -> list[str]:
    found = [
        file
        for path in paths
        for file in (sorted(Path(path).rglob("*.py")) if Path(path).is_dir() else [Path(path)])
    ]
    return [str(file.resolve().relative_to(trial.ROOT)) for file in found]


def _try(
    made: Sequence[Mutant],
    files: list[str],
    listed: dict[Key, str],
    *,
    options: list[str],
    brief: float,
    seconds: float,
    prepared: Path | None,
) -> list[Tried]:
    tried: list[Tried] = []
    with trial.prepared_databases(prepared) as databases, tempfile.TemporaryDirectory() as logs:
        arguments = [
            *(f"--prepared={databases}", f"--basetemp={logs}/tests", *options),
            *deciding_tests(files),
        ]
        known = trial.baseline(trial.ROOT, files, arguments)
        trial.import_early(known.modules)
        log = Path(logs) / "log"
        with warm.workshop(trial.ROOT, files, arguments, log) as ready:
            bench = _Bench(known, arguments, log, ready, brief)
            bench.check_control(files[0])
            began = shown = time.monotonic()
            # What can be tried without importing comes first: it is much quicker.
            for place, mutant in enumerate(sorted(made, key=known.ran_on_import), 1):
                if time.monotonic() - began > seconds:
                    break
                outcome = bench.attempt(mutant)
                tried.append(Tried(mutant, outcome))
                if outcome in _SURVIVING and mutant.key not in listed:
                    sys.stdout.write(
                        f"# {outcome}, line {min(mutant.lines)}\n"
                        f"{explained.entry_for(mutant.key)}\n"
                    )
                    sys.stdout.flush()
                if time.monotonic() - shown > _TELL_EVERY or place == len(made):
                    shown = time.monotonic()
                    pace = (shown - began) / place
                    sys.stderr.write(f"{place} of {len(made)}, {pace:.2f} s each\n")
    return tried


@dataclass
class _Bench:
    """Tries one mutant after the other, and remembers which tests noticed."""

    known: Baseline
    arguments: list[str]
    log: Path
    ready: Workshop
    brief: float  # seconds that the tests of one mutant may take
    noticed: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    anew: dict[tuple[str, str], bool] = field(default_factory=dict)  # file, test: it tells so

    def attempt(self, mutant: Mutant) -> Outcome:
        """What the tests say, those first that noticed a fault of the same function.

        Or, where the fault must be imported, of the same file: those alone are asked at first.
        """
        is_imported = self.known.ran_on_import(mutant)
        noticed = self.noticed[mutant.file if is_imported else mutant.function]
        first = [test for test, _ in noticed.most_common(_FIRST)]
        tests = list(self._within_time(self.known.tests_of(mutant, first)))
        if not tests:
            return Outcome.NO_COVERAGE
        found: Found | None = None
        if not is_imported:
            found = self.ready.attempt(mutant, tests, self.known.patience(tests))
        elif first:
            found = self._noticed_again(mutant, first)
        if found is None:
            found = self._import(mutant, tests)
        if found.by:
            noticed[found.by] += 1
        return found.outcome

    def _noticed_again(self, mutant: Mutant, first: Sequence[str]) -> Found | None:
        """What those tests say of a mutant to be imported; None when they do not notice it."""
        fit = [test for test in first if self._tells_anew(mutant.file, test)]
        if fit:
            found = self.ready.attempt(mutant, fit, self.known.patience(fit), anew=True)
        else:
            found = self._import(mutant, first)
        return None if found is None or found.outcome is Outcome.SURVIVED else found

    def _tells_anew(self, file: str, test: str) -> bool:
        """Whether the test passes when the file as it is was run anew."""
        if (file, test) not in self.anew:
            found = self.ready.attempt(
                self._unchanged(file), [test], self.known.patience([test]), anew=True
            )
            self.anew[file, test] = found is not None and found.outcome is Outcome.SURVIVED
        return self.anew[file, test]

    def _import(self, mutant: Mutant, tests: Sequence[str]) -> Found:
        return trial.attempt(
            trial.ROOT, mutant, self.known, tests, arguments=self.arguments, log=self.log
        )

    def check_control(self, file: str) -> None:
        """TrialError when the file as it is is not found well, by either way of trying it."""
        tests = list(self._within_time(self.known.seconds))
        trial.check_control(
            trial.ROOT, file, self.known, tests, arguments=self.arguments, log=self.log
        )
        found = self.ready.attempt(self._unchanged(file), tests, self.known.patience(tests))
        if found is None or found.outcome is not Outcome.SURVIVED:
            raise TrialError(f"The tests refuse the code as it is: {found}")

    @staticmethod
    def _unchanged(file: str) -> Mutant:
        source = (trial.ROOT / file).read_text("utf-8")
        return Mutant(file, MODULE, frozenset(), "(nothing) => (nothing)", source)

    def _within_time(self, tests: Iterable[str]) -> Iterator[str]:
        """The first, and as many more as fit."""
        taken = 0.0
        for test in tests:
            if taken and taken + self.known.seconds[test] > self.brief:
                return
            taken += self.known.seconds[test]
            yield test


def _figures(tried: Iterable[Tried]) -> dict[str, float]:
    counted = Counter(each.outcome for each in tried)
    mutants_ = counted.total()
    noticed = counted[Outcome.KILLED] + counted[Outcome.TIMEOUT]
    return {
        "mutants": mutants_,
        **{str(outcome): counted[outcome] for outcome in Outcome},
        "score": round(noticed / mutants_, 4) if mutants_ else 1.0,
    }


def _cell(figure: float) -> str:
    return f"{figure:.1%}" if isinstance(figure, float) else str(figure)


if __name__ == "__main__":
    sys.exit(main())
