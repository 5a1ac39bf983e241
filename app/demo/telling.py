"""What the demonstration prints."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import click

from app.demo.members import SignIn
from app.demo.premises import Premises


def tell(what: str) -> None:
    """One line of progress."""
    click.secho(f"· {what} ...", dim=True)


@dataclass(frozen=True)
class Done:
    """What was done on premises: what the commands said, and the lookups one by one."""

    submitted: str
    found: list[dict[str, Any]]
    received: str
    verified: str
    counted: int  # reports of the made-up year


def farewell(
    address: str,
    premises: Premises,
    sign_ins: list[SignIn],
    done: Done,
) -> None:
    """What was loaded and found, the address, the sign-ins, and what to try."""
    found = done.found
    click.echo(f"\n{done.submitted.strip()}\n")
    for each in found:
        best = each["hits"][0] if each["hits"] else None
        answer = f"{best['band']}: {best['explanation']}" if best else "no hit that may be shown"
        click.echo(f"  asked      {_written(each['asked'])}")
        click.echo(f"  submitted  {_written(each['submitted'])}")
        click.echo(f"  answer     {answer}\n")
    matched = sum(1 for each in found if each["hits"])
    click.echo(f"{matched} of {len(found)} misspelled variants found what the post submitted.\n")
    if done.received:
        click.echo("What the post released to the police, opened on the police's own premises:\n")
        click.echo(f"{done.received.strip()}\n")
    click.echo(f"{done.verified.strip()}\n")
    click.secho(f"Postern runs at {address}", bold=True)
    click.echo("\nSign-ins (made for this demonstration):")
    for sign_in in sign_ins:
        click.echo(
            f"  {sign_in.login:34} {sign_in.password}   {sign_in.organisation}, {sign_in.role}"
        )
    post, police = premises.of("post-be"), premises.of("police-de")
    officer, customs = premises.of("post-be-compliance"), premises.of("customs-nl")
    postern = f".venv/bin/postern --config {customs}/config.toml"
    variant = found[0]["asked"] if found else None
    lookup = (
        f'--name "{variant["name"]}" --street "{variant["line"]}" --postcode '
        f'"{variant["postcode"]}" --city "{variant["city"]}" --country {variant["cc"].upper()}'
        if variant
        else '--street "Wetstraat 16" --postcode 1040 --city Brussel --country BE'
    )
    until = date.today() + timedelta(days=30)  # noqa: DTZ011 - a day of the reader's calendar
    click.echo(
        f"""
Ten things to try:
  1. Look someone up as the police, with a typing error of your own:
       .venv/bin/postern --config {police}/config.toml lookup {lookup} \\
         --purpose criminal_investigation --legal-basis criminal_procedure --case DEMO-3
     or sign in as analyst@police-de.example and type it, as it comes, under "Search".
  2. Submit a shipment of your own as the post; nothing in clear leaves it. Then look it up:
       printf 'sender_name,sender_street,sender_postcode,sender_city,sender_country\\n%s\\n' \\
         'Sender Example,Rue de la Loi 16,1040,Bruxelles,BE' > {post}/mine.csv
       .venv/bin/postern --config {post}/config.toml submit {post}/mine.csv \\
         --learned outside_of_item --legal-basis legal_obligation \\
         --purpose service_security --case DEMO-4
  3. Sign in at {address} as compliance@post-be.example and read who looked at what, and why.
  4. Sign in as policy-owner@post-be.example, open "Sharing policy", change who may see what, look
     at who would gain or lose by it, and propose it; approver@post-be.example decides.
  5. Sign in as submitter@post-be.example and read under "Outcomes" what became of the report that
     the police asked for; as analyst@police-de.example, wait for a value that nobody holds yet:
       .venv/bin/postern --config {police}/config.toml watch --name "Watched Example" \\
         --address "Rue Neuve 5, 1000 Bruxelles, BE" --until {until} --tell both \\
         --purpose criminal_investigation --legal-basis criminal_procedure --case DEMO-5
  6. Trust nobody: as the post's compliance officer, verify the whole log on your own premises:
       .venv/bin/postern --config {officer}/config.toml audit verify --report report.pdf
  7. Sign in as approver@post-be.example and decide under "Patterns" on a rule that its author may
     not publish alone; as analyst@customs-nl.example see there how shared rules do (the counts are
     made up).
  8. Screen a manifest as the customs, on its own premises: first with the pattern that it
     subscribed to, then for senders that the post reported, without telling whose parcels they are:
       .venv/bin/pip install --quiet -e '.[screen]'
       {postern} patterns fetch {customs}/patterns
       {postern} screen {customs}/manifest.csv --patterns {customs}/patterns
       {postern} filter fetch \\
         --purpose parcel_screening --legal-basis customs_law --case DEMO-6
       {postern} screen {customs}/manifest.csv \\
         --patterns policies/patterns/listed-address-and-oddity.yml \\
         --tokens {customs}/config.filter --case DEMO-6 --out {customs}/listed
     Open report.html of {customs}/manifest.csv-hits and of {customs}/listed; then tell
     the others what the shared pattern found, in two numbers:
       {postern} patterns tell {customs}/manifest.csv-hits --patterns {customs}/patterns
  9. Sign in as analyst@police-de.example and open the board of the seven steps, over a year of
     {done.counted:,} made-up reports of the three members: what was seen at each step, where no
     barrier holds, what more checks of parcels from Spain did, and where the fall in the
     Netherlands went, with the neighbours looked at as one:
       {address}/barriers/board?together=BE,DE,FR
  10. Fetch as the police, by TAXII 2.1, the points of induction that others share in bulk, and look
     at them; what was served stands in the log at once:
       .venv/bin/postern --config {police}/config.toml exchange pull
       .venv/bin/postern --config {police}/config.toml exchange objects --type indicator --most 10
     Any other client of TAXII 2.1, OpenCTI or MISP may fetch them too. How to connect each stands
     on {address}/exchange for administrator@police-de.example; the token is in
       {police}/token.txt
"""
    )


def _written(party: dict[str, Any]) -> str:
    return f"{party['name']}, {party['line']}, {party['postcode']} {party['city']}"
