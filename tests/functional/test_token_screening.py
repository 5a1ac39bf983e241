"""A manifest against a token filter, with the real command and the real platform."""

import json
from datetime import timedelta
from pathlib import Path

from click.testing import Result

from app.access import CONSOLE
from app.clock import now
from app.patterns import screening_quota
from postern.vocabulary import EvaluationKind, Scope
from tests.app.exchange import Exchange
from tests.functional.conftest import Platform
from tests.functional.test_client_against_platform import (
    OPTIONS,
    SOPHIE,
    SUBMIT,
    Premises,
    everything_stored,
    settle,
)
from tests.postern.patterns.examples import row_rule

OPEN_TO_ALL = """
@id("open/all") @label("What may leave may be screened against")
permit (principal, action, resource);
"""
WHY = (
    *("--purpose", "criminal_investigation", "--legal-basis", "criminal_procedure"),
    *("--case", "S-1"),
)
SCREEN = (Scope.SCREENING_RUN, Scope.LOOKUPS_WRITE)
RULE = row_rule("of: {sender_token: [exact, near]}\ngift: {declared_category: gift}", "of and gift")
MANIFEST = """\
item_id,posted_on,declared_category,sender_name,sender_street,sender_postcode,sender_city,sender_country
A,2026-11-01,gift,S. Van Damme,Rue de la Loi 16,1040,Bruxelles,BE
B,2026-11-01,gift,Anneliese Quastenfeld,Hafengasse 77,20457,Hamburg,DE
C,2026-11-02,documents,Sophie Van Damme,Rue de la Loi 16,1040,Bruxelles,BE
"""


def test_a_parcel_of_a_reported_sender_is_found_and_no_other_is_told(
    platform: Platform, exchange: Exchange, tmp_path: Path
) -> None:
    exchange.publish("post-be", OPEN_TO_ALL)
    post = settle(platform, exchange, tmp_path, "post-be", SUBMIT)
    police = settle(platform, exchange, tmp_path, "police-de", SCREEN)
    sent = post.run("submit", post.file(SOPHIE), *OPTIONS, "--permitted-action", "watch")
    assert sent.exit_code == 0, sent.output
    manifest = police.home / "m.csv"
    manifest.write_text(MANIFEST)
    (police.home / "rule.yml").write_text(RULE)
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


def screened(police: Premises, manifest: Path) -> Result:
    return police.run(
        *("screen", manifest, "--patterns", police.home / "rule.yml", "--workers", 1),
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
