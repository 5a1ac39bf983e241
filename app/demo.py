"""`make demo`: three organisations, their people, real addresses through the real client.

Everything lies in var/demo and is made anew each time. The operator's shipments are the committed
part of a European address set (its `about` names sources and licences); names of parties in it are
made up. Police then look up the misspelled variants of the same set.
"""

import csv
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from click.testing import Result
from flask import Flask

ROOT = Path(__file__).parent.parent
ADDRESSES = ROOT / "tests" / "data" / "addresses-open.json"
COMMUNITY = "postal-exchange"
LOOKUPS = 12
_READY_SECONDS = 30


@dataclass(frozen=True)
class Member:
    """An organisation of the demonstration and the roles its people have, one person each."""

    code: str
    name: str
    sector: str
    country: str
    roles: tuple[str, ...]


MEMBERS = (
    Member(
        "post-be",
        "Example Post Belgium",
        "post",
        "BE",
        ("submitter", "approver", "compliance", "policy_owner"),
    ),
    Member(
        "customs-nl",
        "Example Customs Netherlands",
        "customs",
        "NL",
        ("submitter", "analyst", "approver", "compliance", "policy_owner"),
    ),
    Member(
        "police-de",
        "Example Police Germany",
        "police",
        "DE",
        ("analyst", "approver", "compliance", "policy_owner", "administrator"),
    ),
)


@dataclass(frozen=True)
class SignIn:
    organisation: str
    role: str
    login: str
    password: str


@dataclass(frozen=True)
class Premises:
    """What each organisation keeps on its own premises: a token file, a configuration, pins."""

    folder: Path

    def of(self, code: str) -> Path:
        return self.folder / code

    def set_up(self, code: str, token: str, address: str, fingerprint: str) -> None:
        self.of(code).mkdir(parents=True)
        token_file = self.of(code) / "token.txt"
        token_file.touch(mode=0o600)
        token_file.write_text(token, encoding="utf-8")
        self.run(
            code,
            *("init", "--address", address, "--token-file", str(token_file.resolve())),
            *("--fingerprint", fingerprint),
        )

    def run(self, code: str, *args: str) -> subprocess.CompletedProcess[str]:
        """Run `postern` as the organisation would; ClickException when it fails."""
        config = self.of(code) / "config.toml"
        program = Path(sys.executable).with_name("postern")
        command = [str(program), "--config", str(config), *args]
        result = subprocess.run(  # noqa: S603
            command, stdout=subprocess.PIPE, text=True, check=False
        )
        if result.returncode:
            raise click.ClickException(f"postern {args[0]} ended with {result.returncode}")
        return result


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
    premises = Premises(folder / "premises")
    _begin_anew(folder, address)

    _tell("Preparing secrets and database")
    _run(sys.executable, "-m", "app", "prepare")
    app = _application()
    fingerprint = _found(app)
    sign_ins = [each for member in MEMBERS for each in _settle(app, member)]
    _publish(app)
    tokens = _tokens(app)
    app.extensions["postern"].database.dispose()

    _tell(f"Starting the service on {address}")
    with _service(port):
        _wait(f"{address}/health/ready")
        for code, token in tokens.items():
            premises.set_up(code, token, address, fingerprint)
        submitted = _submit(premises, rows)
        found = _look_up(premises, rows)
        _farewell(address, premises, sign_ins, submitted, found)
        if not once:
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
    output = _console(app, "keys", "open").output
    return output.strip().rpartition(": ")[2]


def _settle(app: Flask, member: Member) -> Iterator[SignIn]:
    _tell(f"{member.name}: organisation, people")
    _console(
        app,
        *("organisations", "create", member.code, "--name", member.name),
        *("--sector", member.sector, "--country", member.country),
    )
    _console(app, "organisations", "join", member.code, COMMUNITY)
    _console(
        app,
        *("keys", "allow", member.code, "postal"),
        *("--hour", "200000", "--day", "400000", "--month", "4000000"),
    )
    for role in member.roles:
        login = f"{role.replace('_', '-')}@{member.code}.example"
        password = "-".join(secrets.token_hex(3) for _ in range(3))
        name = f"{role.replace('_', ' ').capitalize()}, {member.name}"
        _console(
            app,
            *("accounts", "create", member.code, login, "--name", name),
            *("--role", role, "--password-stdin"),
            stdin=password + "\n",
        )
        yield SignIn(member.name, role, login, password)


def _publish(app: Flask) -> None:
    for member in MEMBERS:
        policy = ROOT / "policies" / "demo" / f"{member.code}.cedar"
        _console(app, "policies", "publish", member.code, str(policy))


def _tokens(app: Flask) -> dict[str, str]:
    wanted = {
        "post-be": ("submitter@post-be.example", ("evaluate", "reports:write", "reports:read")),
        "police-de": (
            "analyst@police-de.example",
            ("evaluate", "lookups:write", "indicators:read"),
        ),
    }
    made = {}
    for code, (login, scopes) in wanted.items():
        options = [part for scope in scopes for part in ("--scope", scope)]
        result = _console(app, "tokens", "create", login, *options, "--days", "30")
        made[code] = result.stdout.strip()
    return made


def _submit(premises: Premises, rows: int) -> str:
    shipments = premises.of("post-be") / "shipments.csv"
    parties = json.loads(ADDRESSES.read_text(encoding="utf-8"))["B"]
    with shipments.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(
            [
                "Sender's name",
                "Sender's address",
                "Sender's postcode",
                "Sender's city",
                "Sender's country",
            ]
        )
        for party in parties[: rows or None]:
            writer.writerow(
                [
                    party["name"],
                    party["line"],
                    party["postcode"],
                    party["city"],
                    party["cc"].upper(),
                ]
            )
    _tell("Example Post Belgium submits its shipments: postern submit shipments.csv")
    result = premises.run(
        "post-be",
        *("submit", str(shipments)),
        *("--learned", "outside_of_item", "--legal-basis", "legal_obligation"),
        *("--purpose", "service_security", "--case", "DEMO-1"),
    )
    return result.stdout


def _look_up(premises: Premises, rows: int) -> list[dict[str, Any]]:
    """Look up variants whose spelling differs from what was submitted; returns what to tell."""
    about = json.loads(ADDRESSES.read_text(encoding="utf-8"))
    submitted = {party["eid"]: party for party in about["B"][: rows or None] if party["name"]}
    variants = [
        party
        for party in about["A"]
        if party["eid"] in submitted and party["level"] > 0 and party["name"]
    ][:LOOKUPS]
    _tell(f"Example Police Germany looks up {len(variants)} misspelled variants: postern lookup")
    told = []
    for party in variants:
        result = premises.run(
            "police-de",
            *("lookup", "--name", party["name"], "--street", party["line"]),
            *("--postcode", party["postcode"], "--city", party["city"]),
            *("--country", party["cc"].upper(), "--json"),
            *("--purpose", "criminal_investigation", "--legal-basis", "criminal_procedure"),
            *("--case", "DEMO-2"),
        )
        hits = json.loads(result.stdout)["results"][0]["hits"]
        told.append({"asked": party, "submitted": submitted[party["eid"]], "hits": hits})
    return told


def _farewell(
    address: str,
    premises: Premises,
    sign_ins: list[SignIn],
    submitted: str,
    found: list[dict[str, Any]],
) -> None:
    click.echo(f"\n{submitted.strip()}\n")
    for each in found:
        best = each["hits"][0] if each["hits"] else None
        answer = f"{best['band']}: {best['explanation']}" if best else "no hit that may be shown"
        click.echo(f"  asked      {_written(each['asked'])}")
        click.echo(f"  submitted  {_written(each['submitted'])}")
        click.echo(f"  answer     {answer}\n")
    matched = sum(1 for each in found if each["hits"])
    click.echo(f"{matched} of {len(found)} misspelled variants found what the post submitted.\n")
    click.secho(f"Postern runs at {address}", bold=True)
    click.echo("\nSign-ins (made for this demonstration):")
    for sign_in in sign_ins:
        click.echo(
            f"  {sign_in.login:34} {sign_in.password}   {sign_in.organisation}, {sign_in.role}"
        )
    post, police = premises.of("post-be"), premises.of("police-de")
    variant = found[0]["asked"] if found else None
    lookup = (
        f'--name "{variant["name"]}" --street "{variant["line"]}" --postcode '
        f'"{variant["postcode"]}" --city "{variant["city"]}" --country {variant["cc"].upper()}'
        if variant
        else '--street "Wetstraat 16" --postcode 1040 --city Brussel --country BE'
    )
    click.echo(
        f"""
Four things to try:
  1. Look someone up as the police, with a typing error of your own:
       .venv/bin/postern --config {police}/config.toml lookup {lookup} \\
         --purpose criminal_investigation --legal-basis criminal_procedure --case DEMO-3
  2. Submit a shipment of your own as the post; nothing in clear leaves it. Then look it up:
       printf 'sender_name,sender_street,sender_postcode,sender_city,sender_country\\n%s\\n' \\
         'Sender Example,Rue de la Loi 16,1040,Bruxelles,BE' > {post}/mine.csv
       .venv/bin/postern --config {post}/config.toml submit {post}/mine.csv \\
         --learned outside_of_item --legal-basis legal_obligation \\
         --purpose service_security --case DEMO-4
  3. Sign in at {address} as compliance@post-be.example and read who looked at what, and why.
  4. Sign in as policy-owner@post-be.example, open "Sharing policy", change who may see what, look
     at who would gain or lose by it, and propose it; approver@post-be.example decides.
"""
    )


def _written(party: dict[str, Any]) -> str:
    return f"{party['name']}, {party['line']}, {party['postcode']} {party['city']}"


def _console(app: Flask, *args: str, stdin: str | None = None) -> Result:
    result = app.test_cli_runner().invoke(args=list(args), input=stdin)
    if result.exit_code:
        raise click.ClickException(f"flask {' '.join(args[:3])}: {result.output}")
    return result


@contextmanager
def _service(port: int) -> Iterator[None]:
    command = [
        *(sys.executable, "-m", "gunicorn", "--config", "config/gunicorn.conf.py"),
        *("--bind", f"127.0.0.1:{port}", "--workers", "2"),
    ]
    process = subprocess.Popen(command)  # noqa: S603
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=_READY_SECONDS)


def _wait(url: str) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while True:
        try:
            with urllib.request.urlopen(url, timeout=2):  # noqa: S310 - our own loopback address
                return
        except OSError:
            if time.monotonic() > deadline:
                raise click.ClickException("the service did not become ready") from None
            time.sleep(0.2)


def _until_interrupted() -> None:
    click.echo("Stop with Ctrl-C.")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        signal.pause()
    except KeyboardInterrupt:
        click.echo("Stopped.")


def _run(*command: str) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # noqa: S603


def _tell(what: str) -> None:
    click.secho(f"· {what} ...", dim=True)


if __name__ == "__main__":
    main()
