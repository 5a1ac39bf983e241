"""Mutation testing of the files named: `python -m tests.mutation app/sharing/visibility.py`.

Prints every mutant that survives as it is found, then a table of files and, on the last line, one
JSON object. Ends with 1 when a survivor is not in tests/mutants-explained.toml, or when one listed
there does not survive any more.
"""

import argparse
import json
import os
import sys
import tempfile
import time
import tomllib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.mutation import explained, trial
from tests.mutation.explained import Key, Verdict
from tests.mutation.mutants import Mutant, mutants
from tests.mutation.trial import Outcome

EXPLAINED = trial.ROOT / "tests" / "mutants-explained.toml"
_TELL_EVERY = 30  # seconds
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
    made = [
        mutant
        for file in files
        for mutant in mutants(file, (trial.ROOT / file).read_text("utf-8"))
        if options.only in f"{mutant.function} {mutant.change}"
    ]
    if options.list:
        sys.stdout.writelines(f"{m.file} {m.function}: {m.change}\n" for m in made)
        return 0
    listed = explained.explanations(EXPLAINED.read_text("utf-8"))
    tried = _try(made, files, listed)
    survivors = [each.mutant.key for each in tried if each.outcome in _SURVIVING]
    verdict = explained.judge(survivors, listed, files if not options.only else [])
    sys.stdout.write(report(tried, verdict))
    return 1 if verdict.unexplained or verdict.obsolete else 0


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
    parser.add_argument("--list", action="store_true", help="list the mutants and try none")
    return parser


def _files(paths: Sequence[str]) -> list[str]:
    found = [
        file
        for path in paths
        for file in (sorted(Path(path).rglob("*.py")) if Path(path).is_dir() else [Path(path)])
    ]
    return [str(file.resolve().relative_to(trial.ROOT)) for file in found]


def _try(made: Sequence[Mutant], files: list[str], listed: dict[Key, str]) -> list[Tried]:
    tried: list[Tried] = []
    with trial.prepared_databases() as databases, tempfile.TemporaryDirectory() as logs:
        arguments = [f"--prepared={databases}", *deciding_tests(files)]
        known = trial.baseline(trial.ROOT, files, arguments)
        trial.import_early(known.modules)
        log = Path(logs) / "log"
        trial.check_control(trial.ROOT, files[0], known, arguments, log)
        began, shown = _spent(), time.monotonic()
        for place, mutant in enumerate(made, 1):
            outcome = trial.attempt(trial.ROOT, mutant, known, arguments, log)
            tried.append(Tried(mutant, outcome))
            if outcome in _SURVIVING and mutant.key not in listed:
                sys.stdout.write(
                    f"# {outcome}, line {min(mutant.lines)}\n{explained.entry_for(mutant.key)}\n"
                )
                sys.stdout.flush()
            if time.monotonic() - shown > _TELL_EVERY or place == len(made):
                shown = time.monotonic()
                pace = (_spent() - began) / place
                sys.stderr.write(f"{place} of {len(made)}, {pace:.2f} s of one core each\n")
    return tried


def _spent() -> float:
    """Seconds of processor that the forks have used: what others do meanwhile does not count."""
    return os.times().children_user + os.times().children_system


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
