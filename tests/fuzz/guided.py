"""Parsers under atheris, which follows what parts of the code a case reaches.

`python -m tests.fuzz.guided SECONDS FOLDER SEED TARGET...`: the code is instrumented once, and each
target has forks of its own, since libFuzzer ends the process in which it runs. All have their turn
some times, so that a busy hour is not that of a few; each goes on with the cases that it has found.
What was done to one stands in FOLDER/guided-TARGET/figures.json, also when its fork was ended.
"""

import contextlib
import json
import math
import os
import signal
import sys
import time
from pathlib import Path

import atheris

with atheris.instrument_imports(
    include=[
        "postern",
        *("app.accounts.oidc", "app.accounts.passkeys", "app.accounts.token_bounds"),
        *("app.barriers", "app.exchange", "app.jobs.addresses", "app.origin", "app.patterns"),
        *("app.pseudonyms.holders", "app.sharing"),
    ]
):
    from tests.fuzz.target import Target, outcome, place_of
    from tests.fuzz.targets import TARGETS

from tests.fuzz.found import Found

PATIENCE = 300  # seconds beyond its time until a fork is ended: a machine may be busy

_SLICE = 20  # seconds of a turn at least
_MOST_TURNS = 4
_LONGEST = 20_000  # bytes of a case
_EVERY = 1  # seconds between two notes of the figures


def main() -> None:
    """Fuzz each target for so many seconds, in some turns."""
    seconds, folder, seed = int(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    turns = max(1, min(_MOST_TURNS, seconds // _SLICE))
    for turn in range(turns):
        for name in sys.argv[4:]:
            own = folder / f"guided-{name}"
            own.mkdir(parents=True, exist_ok=True)
            if not turn:
                (own / "figures.json").unlink(missing_ok=True)
            child = os.fork()
            if not child:
                _said_to(own / "log")
                _fuzz(TARGETS[name], seconds // turns, own, seed + turn)
            _await(child, seconds // turns + PATIENCE, own)


def _await(child: int, seconds: float, own: Path) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if os.waitpid(child, os.WNOHANG)[0]:
            return
        time.sleep(0.2)
    (own / "ended-by-the-harness").write_bytes(b"")
    with contextlib.suppress(ProcessLookupError):
        os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def _said_to(log: Path) -> None:
    with log.open("wb") as file:
        for stream in (1, 2):
            os.dup2(file.fileno(), stream)


def _fuzz(target: Target, seconds: int, own: Path, seed: int) -> None:
    """Does not return: libFuzzer ends this process."""
    corpus = own / "corpus"
    corpus.mkdir(exist_ok=True)
    for place, each in enumerate(target.seeds()):
        (corpus / f"seed-{place}").write_bytes(each)
    found = Found(target.name, "atheris", own / "crashes")
    if (own / "figures.json").exists():
        before = json.loads((own / "figures.json").read_text())
        found.cases = before["cases"]
        found.kinds = {kind: Path(path) for kind, path in before["kinds"].items()}
    told_at = -math.inf

    def one(case: bytes) -> None:
        nonlocal told_at
        error = outcome(target, case)
        found.cases += 1
        if error is not None:
            found.add(place_of(error), case)
        if error is not None or time.monotonic() - told_at > _EVERY:
            told_at = time.monotonic()
            told = {"cases": found.cases, "kinds": {k: str(v) for k, v in found.kinds.items()}}
            beside = own / "figures.new"
            beside.write_text(json.dumps(told))
            beside.replace(own / "figures.json")

    options = [
        *(f"-max_total_time={seconds}", f"-max_len={_LONGEST}", f"-seed={seed}", "-timeout=20"),
        *("-rss_limit_mb=3000", f"-artifact_prefix={own}/ended-", "-verbosity=0"),
    ]
    atheris.Setup([sys.argv[0], *options, str(corpus)], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
