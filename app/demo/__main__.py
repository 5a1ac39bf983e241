"""The demonstration from the first secret to Ctrl-C: `python -m app.demo`."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import click
from flask import Flask

from app.demo import board, feeds, manifest, members, patterns, premises
from app.demo.members import MEMBERS, ROOT, SignIn, console
from app.demo.premises import Premises
from app.demo.processes import service, witnesses
from app.demo.telling import Done, farewell, tell


@click.command()
@click.option("--port", default=8080, show_default=True, help="Port on 127.0.0.1.")
@click.option("--once", is_flag=True, help="Load and show everything, then stop.")
@click.option("--rows", default=0, help="Submit only the first ROWS shipments (0: all).")
@click.option(
    "--folder",
    default="var/demo",
    show_default=True,
    type=click.Path(path_type=Path),
    help="Where everything is kept; made anew each time.",
)
def main(port: int, once: bool, rows: int, folder: Path) -> None:
    """Set up the demonstration and run it until Ctrl-C."""
    os.chdir(ROOT)
    address = f"http://127.0.0.1:{port}"
    at_members = Premises(folder / "premises")
    _begin_anew(folder, address)

    tell("Preparing secrets and database")
    subprocess.run((sys.executable, "-m", "app", "prepare"), check=True, stdout=subprocess.DEVNULL)
    app = _application()
    fingerprint = _found(app)
    sign_ins: list[SignIn] = []
    for member in MEMBERS:
        tell(f"{member.name}: organisation, people")
        sign_ins += members.settle(app, member)
    members.publish(app)
    tell("Customs and post share shipping patterns; a screening allowance is agreed")
    patterns.share(app)
    patterns.agree(app)
    tell("Each tells a made-up year of induction points, and which barriers it set")
    counted = board.fill(app)
    tell("Police and customs open a collection each, to be fetched by TAXII or MISP")
    feeds.begin(app)
    tokens = members.tokens(app)
    log_key = console(app, "audit", "keys").output.split()[1]
    app.extensions["postern"].database.dispose()

    tell(f"Starting the service, the keeper of its log and its duties on {address}")
    with service(port):
        at_members.set_up_all(tokens, address, fingerprint)
        tell("Each makes and publishes its keys; post and police pin each other's: postern keys")
        premises.make_keys(at_members)
        premises.publish_and_pin(at_members)
        tell("Example Post Belgium submits its shipments, sealed: postern submit shipments.csv")
        submitted = premises.submit(at_members, rows)
        tell("Example Police Germany looks up misspelled variants: postern lookup")
        found = premises.look_up(at_members, rows)
        tell(
            "The police ask for a value, two people of the post release it: postern request, decide"
        )
        received = premises.disclose(at_members, found)
        tell("The three compliance officers cosign the log: postern witness cosign")
        premises.cosign(at_members, log_key)
        tell("The post's compliance officer verifies the log: postern audit verify")
        verified = premises.verify(at_members, log_key)
        manifest.write(at_members.of("customs-nl") / "manifest.csv", rows)
        done = Done(submitted, found, received, verified, counted)
        farewell(address, at_members, sign_ins, done)
        if not once:
            with witnesses(at_members):
                _until_interrupted()


def _begin_anew(folder: Path, address: str) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    settings = folder / "platform.toml"
    text = (ROOT / "config" / "demo.toml").read_text(encoding="utf-8")
    text = text.replace("http://127.0.0.1:8080", address).replace("var/demo", folder.as_posix())
    settings.write_text(text, encoding="utf-8")
    os.environ["POSTERN_CONFIG"] = str(settings)


def _application() -> Flask:
    # Imported late: the settings file must be named in the environment first.
    from app import create_app  # noqa: PLC0415

    return create_app()


def _found(app: Flask) -> str:
    """Open the key epochs; returns the fingerprint that members compare."""
    output = console(app, "keys", "open").output
    return output.strip().rpartition(": ")[2]


def _until_interrupted() -> None:
    click.echo("Stop with Ctrl-C.")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        signal.pause()
    except KeyboardInterrupt:
        click.echo("Stopped.")


if __name__ == "__main__":
    main()
