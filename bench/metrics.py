"""What metrics, and the line of the log of each request, cost: requests a second with and without.

    python -m bench.metrics [--rounds 15] [--requests 300]

Two applications on one database answer the same requests in this process, in turns: one with the
secret metrics.key, whose workers' figures are files as under gunicorn, and one without it. A third
is without metrics and says no line for a request (level WARNING). /health/live does next to
nothing, so its ratio is the worst there is; /api/v1/me is a small audited read. The last line is
one JSON object.
"""

import argparse
import dataclasses
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter

SHARED = "/dev/shm"  # noqa: S108 - a directory of mode 700 is made below it
ROUTES = {"live": ("/health/live", 1), "me": ("/api/v1/me", 20)}
"""Address, and by what the requests of a turn are divided: each audited read waits for the disk."""


def main() -> None:
    """Measure, print a table and, as the last line, the JSON object."""
    parser = argparse.ArgumentParser(description="The cost of metrics.")
    parser.add_argument("--rounds", type=int, default=15, help="turns of each application")
    parser.add_argument("--requests", type=int, default=300, help="requests of a turn")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(dir=SHARED) as figures,
        tempfile.TemporaryFile("w+") as said,
    ):
        # Before the first import of the client: it decides then where figures are kept.
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = figures
        before, sys.stderr = sys.stderr, said  # the lines are written, as they are in service
        try:
            told = _measured(options.rounds, options.requests)
        finally:
            sys.stderr = before
    for name, found in told.items():
        print(
            f"{name:>5}: {found['plain_per_second']:,.0f} requests/s without,"
            f" {found['measured_per_second']:,.0f} with metrics ({found['ratio']}),"
            f" {found['silent_per_second']:,.0f} without metrics and lines"
            f" ({found['ratio_to_silent']} with both)"
        )
    from bench.machine import machine  # noqa: PLC0415 - after the variable is set

    print(json.dumps({"benchmark": "metrics", **told, "machine": machine("prometheus-client")}))


def _measured(rounds: int, requests: int) -> dict[str, dict[str, float]]:
    from app import create_app  # noqa: PLC0415
    from app.access import CONSOLE  # noqa: PLC0415
    from app.accounts import tokens  # noqa: PLC0415
    from app.logs import configure_logs  # noqa: PLC0415
    from bench.stage import VIEWER, database_of, member, platform  # noqa: PLC0415
    from postern.vocabulary import Scope, Sector  # noqa: PLC0415

    with platform("postgresql") as app, tempfile.TemporaryDirectory() as directory:
        settings = app.extensions["postern"].settings
        own = Path(directory) / "secrets"
        shutil.copytree(settings.secrets.directory, own)
        key = own / "metrics.key"
        key.write_text("k" * 32)
        key.chmod(0o600)
        secrets = dataclasses.replace(settings.secrets, directory=str(own))
        quiet = dataclasses.replace(settings.log, level="WARNING", format="json")
        lines = dataclasses.replace(settings.log, level="INFO", format="json")
        kinds = {
            "plain": dataclasses.replace(settings, log=lines),
            "measured": dataclasses.replace(settings, log=lines, secrets=secrets),
            "silent": dataclasses.replace(settings, log=quiet),
        }
        apps = {name: create_app(each) for name, each in kinds.items()}
        member(app, VIEWER, Sector.POLICE)
        login = f"analyst@{VIEWER}.example"
        with app.app_context(), database_of(app).transaction() as session:
            made = tokens.create_token(session, CONSOLE, login, scopes=[Scope.EVALUATE], days=1)
        headers = {"Authorization": f"Bearer {made.text}"}

        def asking(name: str, path: str) -> Callable[[], None]:
            client = apps[name].test_client()

            def ask() -> None:
                answer = client.get(path, headers=headers, buffered=True)
                assert answer.status_code == 200, answer.get_data(as_text=True)

            return ask

        told = {}
        for route, (path, fewer) in ROUTES.items():
            most = max(requests // fewer, 1)
            asks = {name: asking(name, path) for name in apps}
            rates: dict[str, list[float]] = {name: [] for name in apps}
            for turn in range(rounds + 1):
                order = list(apps) if turn % 2 else list(reversed(apps))
                for name in order:
                    configure_logs(kinds[name].log)
                    start = perf_counter()
                    for _ in range(most):
                        asks[name]()
                    if turn:  # the first warms up
                        rates[name].append(most / (perf_counter() - start))
            told[route] = _figures(rates)
        for each in apps.values():
            each.extensions["postern"].database.dispose()
        return told


def _figures(rates: dict[str, list[float]]) -> dict[str, float]:
    middle = {name: median(each) for name, each in rates.items()}
    paired = median(a / b for a, b in zip(rates["measured"], rates["plain"], strict=True))
    both = median(a / b for a, b in zip(rates["measured"], rates["silent"], strict=True))
    return {
        **{f"{name}_per_second": round(each, 1) for name, each in middle.items()},
        "ratio": round(paired, 3),
        "ratio_to_silent": round(both, 3),
        "rounds": len(rates["plain"]),
    }


if __name__ == "__main__":
    main()
