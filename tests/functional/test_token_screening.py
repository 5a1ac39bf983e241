"""A manifest against a shared pattern and a token filter: the real command, the real platform."""

import json
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from click.testing import Result

from app.access import CONSOLE
from app.clock import now
from app.patterns import figures, screening_quota, subscriptions
from app.patterns import grounds as offers
from postern.vocabulary import EvaluationKind, Scope, Sector
from tests.app.exchange import Exchange
from tests.app.patterns.shelf import publish
from tests.functional.conftest import Platform
from tests.functional.test_client_against_platform import (
    OPTIONS,
    SOPHIE,
    SUBMIT,
    Premises,
    everything_stored,
    settle,
)
from tests.functional.test_pages import on_one_database
from tests.postern.patterns.examples import row_rule

OPEN_TO_ALL = """
@id("open/all") @label("What may leave may be screened against")
permit (principal, action, resource);
"""
WHY = (
    *("--purpose", "criminal_investigation", "--legal-basis", "criminal_procedure"),
    *("--case", "S-1"),
)
SCREEN = (
    *(Scope.SCREENING_RUN, Scope.LOOKUPS_WRITE),
    *(Scope.PATTERNS_READ, Scope.PATTERNS_WRITE),
)
RULE = row_rule(
    "of: {sender_token: [exact, near]}\ngift: {declared_category: gift}", "of and gift"
).replace("hit: [{pieces: 1}]", "hit: [{sender_token: exact, declared_category: gift}]")
MANIFEST = """\
item_id,posted_on,declared_category,sender_name,sender_street,sender_postcode,sender_city,sender_country
A,2026-11-01,gift,S. Van Damme,Rue de la Loi 16,1040,Bruxelles,BE
B,2026-11-01,gift,Anneliese Quastenfeld,Hafengasse 77,20457,Hamburg,DE
C,2026-11-02,documents,Sophie Van Damme,Rue de la Loi 16,1040,Bruxelles,BE
"""


@on_one_database
def test_a_parcel_of_a_reported_sender_is_found_and_no_other_is_told(
    platform: Platform, exchange: Exchange, tmp_path: Path
) -> None:
    exchange.publish("post-be", OPEN_TO_ALL)
    pattern = publish(exchange, "post-be", RULE)
    subscribe(exchange, pattern)
    post = settle(platform, exchange, tmp_path, "post-be", SUBMIT)
    police = settle(platform, exchange, tmp_path, "police-de", SCREEN)
    sent = post.run("submit", post.file(SOPHIE), *OPTIONS, "--permitted-action", "watch")
    assert sent.exit_code == 0, sent.output
    manifest = police.home / "m.csv"
    manifest.write_text(MANIFEST)
    assert "1 pattern written" in police.run("patterns", "fetch", police.home / "shared").stdout
    fetched = police.run("filter", "fetch", *WHY)
    assert fetched.exit_code == 0, fetched.output
    assert json.loads(police.run("filter", "show", "--json").stdout)["count"] >= 16

    refused = screened(police, manifest)
    assert refused.exit_code == 1
    assert "agreed no evaluations for screening" in refused.stderr
    agree(exchange)
    result = screened(police, manifest)
    assert result.exit_code == 0, result.output
    told = json.loads((police.home / "m.csv-hits" / "hits.json").read_text())
    assert [each["item_id"] for each in told["hits"]] == ["A"]
    (listed,) = json.loads((police.home / "m.csv-hits" / "listed.json").read_text())["listed"]
    assert {hit["organisation"]["code"] for hit in listed["lookups"][0]["hits"]} == {"post-be"}
    assert "Quastenfeld" not in everything_stored(exchange)

    again = police.run("filter", "fetch", *WHY)
    assert "what changed" in again.stdout, again.output
    counted_back(exchange, police, pattern)


def counted_back(exchange: Exchange, police: Premises, pattern: UUID) -> None:
    """Two numbers of the run and what examining showed reach the platform, and nothing else."""
    hits = police.home / "m.csv-hits"
    told = police.run("patterns", "tell", hits, "--patterns", police.home / "shared")
    assert told.stdout == "Told of 1 shared pattern.\n", told.output
    told = police.run("patterns", "outcome", pattern, "--version", 1, "--found", 1)
    assert told.exit_code == 0, told.output
    with exchange.app.app_context(), exchange.database.transaction() as session:
        grounds = offers.default(Sector.POLICE)
        own = figures.figures(session, exchange.caller("police-de"), grounds, pattern).own
    assert [(month.parcels, month.hits) for month in own.months] == [(3, 1)]
    assert own.total is not None
    assert (own.total.examined, own.total.found) == (1, 1)


def subscribe(exchange: Exchange, pattern: UUID) -> None:
    with exchange.app.app_context(), exchange.database.transaction() as session:
        grounds = offers.default(Sector.POLICE)
        subscriptions.subscribe(session, exchange.caller("police-de"), grounds, pattern)


def screened(police: Premises, manifest: Path) -> Result:
    return police.run(
        *("screen", manifest, "--patterns", police.home / "shared", "--workers", 1),
        *("--tokens", police.home / "config.filter", "--case", "S-1"),
    )


def agree(exchange: Exchange) -> None:
    with exchange.database.transaction() as session:
        screening_quota.allow(
            session,
            CONSOLE,
            "police-de",
            EvaluationKind.POSTAL,
            elements=1_000,
            ends_on=(now() + timedelta(days=30)).date(),
            reason="Agreed for a test",
        )
