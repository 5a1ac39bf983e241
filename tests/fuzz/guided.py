"""One parser under atheris, which follows what parts of the code a case reaches.

`python -m tests.fuzz.guided TARGET SECONDS FOLDER SEED`: a process of its own, since libFuzzer ends
the one in which it runs. What it did stands in FOLDER/figures.json, also when it was ended.
"""

import json
import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(
    include=["postern", "app.sharing", "app.barriers", "app.exchange", "app.patterns"]
):
    from tests.fuzz.targets import TARGETS, outcome, place_of

from tests.fuzz.found import Found

_LONGEST = 20_000  # bytes of a case
_EVERY = 500  # cases


def main() -> None:
    """Fuzz for so many seconds."""
    name, seconds, where, seed = sys.argv[1:5]
    target, folder = TARGETS[name], Path(where)
    corpus = folder / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for place, each in enumerate(target.seeds()):
        (corpus / f"seed-{place}").write_bytes(each)
    found = Found(name, "atheris", folder / "crashes")

    def one(case: bytes) -> None:
        error = outcome(target, case)
        found.cases += 1
        if error is not None:
            found.add(place_of(error), case)
        if error is not None or found.cases % _EVERY == 1:
            told = {"cases": found.cases, "kinds": {k: str(v) for k, v in found.kinds.items()}}
            beside = folder / "figures.new"
            beside.write_text(json.dumps(told))
            beside.replace(folder / "figures.json")

    options = [
        *(f"-max_total_time={seconds}", f"-max_len={_LONGEST}", f"-seed={seed}", "-timeout=20"),
        *("-rss_limit_mb=3000", f"-artifact_prefix={folder}/ended-", "-verbosity=0"),
    ]
    atheris.Setup([sys.argv[0], *options, str(corpus)], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
