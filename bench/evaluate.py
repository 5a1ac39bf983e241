"""Blind evaluation with its proof, per core, beside the least that libsodium can do for it.

    python -m bench.evaluate [--rounds 15]

The floor is what no implementation over libsodium's interface can do without: two scalar
multiplications and one addition per element, called on buffers made beforehand with nothing else.
It is measured twice: through the same ctypes functions as `postern.group`, and, where there is a
C compiler, in a loop of C. Rounds of floor and of evaluation alternate within one process, so that
other load on the machine falls on both; times are CPU times of the process; ratios are medians of
the ratios of neighbours. The last line is one JSON object.
"""

import argparse
import ctypes
import json
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import process_time

from bench.machine import machine
from postern import group, voprf

BAR = 1.2  # times the floor
BATCH = 1000  # elements under one proof, and elements per round
BATCHES = (BATCH, 100, 10, 1)


def main() -> None:
    """Measure, print a table and, as the last line, the JSON object."""
    parser = argparse.ArgumentParser(description="Blind evaluation against libsodium's floor.")
    parser.add_argument("--rounds", type=int, default=15, help="rounds, of 1000 elements each")
    rounds: int = parser.parse_args().rounds
    secret_key, public_key = voprf.derive_key_pair(b"\x07" * voprf.SEED_SIZE, b"bench")
    elements = [voprf.blind(b"%d" % number)[1] for number in range(BATCH)]
    evaluated, proof = voprf.evaluate(secret_key, public_key, elements)
    voprf.verify(public_key, elements, evaluated, proof)  # what is timed is right

    subjects: dict[str, Callable[[], object]] = {}
    with tempfile.TemporaryDirectory() as directory:
        in_c = _floor_in_c(secret_key, elements, Path(directory))
        if in_c is not None:
            subjects["floor_in_c"] = in_c
        subjects["floor"] = _floor(secret_key, elements)  # next to the batch it is compared with
        for size in BATCHES:
            subjects[f"batch_{size}"] = _evaluation(secret_key, public_key, elements, size)
        times = _alternate(subjects, rounds)

    for name, measured in times.items():
        print(f"{name:>12}: {median(measured):7.2f} us of CPU per element")
    ours = times[f"batch_{BATCH}"]
    ratio = _ratio(ours, times["floor"])
    print(
        json.dumps(
            {
                "benchmark": "evaluate",
                "elements_per_s": round(1e6 / median(ours)),
                "ratio_to_floor": ratio,
                "ratio_to_floor_in_c": _ratio(ours, times.get("floor_in_c")),
                "bar": BAR,
                "within_bar": ratio is not None and ratio <= BAR,
                "batch": BATCH,
                "rounds": rounds,
                "us_per_element": {
                    name: {"median": round(median(each), 2), "least": round(min(each), 2)}
                    for name, each in times.items()
                },
                "machine": machine(),
            }
        )
    )


def _floor(secret_key: bytes, elements: list[bytes]) -> Callable[[], None]:
    library = group.library()
    scalarmult = library.crypto_scalarmult_ristretto255
    add = library.crypto_core_ristretto255_add
    weights = [group.random_scalar() for _ in elements]
    evaluated = [(ctypes.c_char * group.SIZE)() for _ in elements]
    term, total = (ctypes.c_char * group.SIZE)(), (ctypes.c_char * group.SIZE)()

    def run() -> None:
        for result, weight, element in zip(evaluated, weights, elements, strict=True):
            scalarmult(result, secret_key, element)
            scalarmult(term, weight, element)
            add(total, total, term)

    return run


def _floor_in_c(
    secret_key: bytes, elements: list[bytes], directory: Path
) -> Callable[[], None] | None:
    compiler = shutil.which("cc")
    if compiler is None:
        return None
    built = directory / "floor.so"
    source = Path(__file__).with_name("floor.c")
    subprocess.run([compiler, "-O2", "-shared", "-fPIC", "-o", built, source], check=True)
    floor_of = ctypes.CDLL(str(built)).floor_of
    floor_of.argtypes = [ctypes.c_void_p] * 2 + [ctypes.c_char_p] * 3 + [ctypes.c_ulong]
    floor_of.argtypes += [ctypes.c_char_p] * 2
    library = group.library()
    scalarmult = ctypes.cast(library.crypto_scalarmult_ristretto255, ctypes.c_void_p)
    add = ctypes.cast(library.crypto_core_ristretto255_add, ctypes.c_void_p)
    weights = b"".join(group.random_scalar() for _ in elements)
    joined = b"".join(elements)
    evaluated = ctypes.create_string_buffer(len(joined))
    total = ctypes.create_string_buffer(group.SIZE)

    def run() -> None:
        failed = floor_of(
            scalarmult, add, secret_key, weights, joined, len(elements), evaluated, total
        )
        assert not failed

    return run


def _evaluation(
    secret_key: bytes, public_key: bytes, elements: list[bytes], size: int
) -> Callable[[], None]:
    batches = [elements[start : start + size] for start in range(0, len(elements), size)]

    def run() -> None:
        for batch in batches:
            voprf.evaluate(secret_key, public_key, batch)

    return run


def _alternate(subjects: dict[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Microseconds of CPU per element, one figure per round; each round turns the order about."""
    times: dict[str, list[float]] = {name: [] for name in subjects}
    for number in range(rounds + 1):
        names = list(subjects) if number % 2 else list(reversed(subjects))
        for name in names:
            start = process_time()
            subjects[name]()
            spent = process_time() - start
            if number:  # the first round only warms up
                times[name].append(spent * 1e6 / BATCH)
    return times


def _ratio(ours: list[float], floor: list[float] | None) -> float | None:
    if floor is None:
        return None
    return round(median(mine / least for mine, least in zip(ours, floor, strict=True)), 3)


if __name__ == "__main__":
    main()
