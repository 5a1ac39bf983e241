"""How fast a rotation moves elements, without a database: the multiplications, proofs and tokens.

python -m bench.rotation [ELEMENTS]
"""

import sys
import time

from postern import group, pseudonym, rotation, voprf


def main() -> None:
    """Print elements per second of processor time: moved with a proof, checked, tokens made."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    old, new = group.random_scalar(), group.random_scalar()
    about = rotation.Rotation("postal", 1, 2, group.base(old), group.base(new))
    d = rotation.factor(old, new)
    rows = [voprf.blind(b"%d" % number)[1] for number in range(count)]
    batches = [rows[at : at + rotation.MOST_ROWS] for at in range(0, count, rotation.MOST_ROWS)]
    began = time.process_time()
    moved = [rotation.move(about, d, number, batch) for number, batch in enumerate(batches, 1)]
    _tell("moved with a proof", count, began)
    began = time.process_time()
    for each in moved:
        for element in each.new:
            pseudonym.token("postal", 2, element)
    _tell("tokens of the new epoch", count, began)
    began = time.process_time()
    for each in moved:
        rotation.check_rows(about, each)
    _tell("checked row by row", count, began)
    began = time.process_time()
    for each in moved:
        rotation.check(about, each.statement)
    _tell("checked by its sums", count, began)


def _tell(what: str, count: int, began: float) -> None:
    seconds = time.process_time() - began
    print(f"{what}: {count} elements in {seconds:.2f} s, {count / seconds:,.0f} a second")


if __name__ == "__main__":
    main()
