"""Databases made once for many runs of the tests: `python -m tests.mutation.prepared DIRECTORY`.

Writes the secrets, a migrated SQLite file and the address of a running PostgreSQL with a migrated
template into the directory, says "ready", and stops the server when its standard input ends. Runs
of pytest take them with `--prepared DIRECTORY`.
"""

import sys
from pathlib import Path

from app.__main__ import migrate
from app.secret_files import create as create_secrets
from tests.conftest import (
    PREPARED_SECRETS,
    PREPARED_SERVER,
    PREPARED_SQLITE,
    make_postgresql_template,
    running_postgresql,
    settings_for,
)


def main() -> None:
    directory = Path(sys.argv[1])
    secrets = directory / PREPARED_SECRETS
    create_secrets(secrets)
    migrate(settings_for(f"sqlite:///{directory / PREPARED_SQLITE}", secrets))
    with running_postgresql() as server:
        make_postgresql_template(server, secrets)
        (directory / PREPARED_SERVER).write_text(server)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    main()
