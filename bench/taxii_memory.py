"""Memory of the processes that answer, while a whole collection is read by two clients at once."""

import threading
import time
from pathlib import Path
from typing import Any

from bench.taxii_peers import Server
from bench.taxii_whole import whole
from bench.taxii_wire import AnswerError

_READERS = 2
_EVERY_SECONDS = 0.05


def memory(server: Server, patience: float) -> dict[str, Any]:
    """MiB of all workers together: before, at most while read twice over, and after."""
    before = _resident(server)
    counts: list[int] = []
    failures: list[str] = []

    def read() -> None:
        try:
            counts.append(whole(server.reading, patience)[0])
        except AnswerError as error:
            failures.append(str(error))

    readers = [threading.Thread(target=read) for _ in range(_READERS)]
    for reader in readers:
        reader.start()
    peak = before
    while any(reader.is_alive() for reader in readers):
        peak = max(peak, _resident(server))
        time.sleep(_EVERY_SECONDS)
    told = {"before_mib": before, "peak_mib": peak, "after_mib": _resident(server)}
    return {**told, "objects": counts, **({"failures": failures} if failures else {})}


def _resident(server: Server) -> int:
    found = 0
    for process in server.workers():
        try:
            lines = Path(f"/proc/{process}/status").read_text().splitlines()
        except OSError:
            continue  # a worker that was just replaced
        found += sum(int(each.split()[1]) for each in lines if each.startswith("VmRSS"))
    return found // 1024
