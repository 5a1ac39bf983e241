"""Keys of members through the command, against a real platform that shows swapped ones."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from sqlalchemy import delete, insert, select

from app.organisations.models import KeyAlarm, OrganisationKey
from postern import key_file_form
from postern.organisation_keys import OrganisationKeys, rotated, unlock_keys
from postern.vocabulary import Scope
from tests.app.exchange import Exchange
from tests.app.sealing import member_keys
from tests.functional.conftest import Platform
from tests.functional.test_client_against_platform import Premises, settle

WORDS = "cobalt ferry lantern marble twig"


@dataclass
class Members:
    """post-be with a key file, police-de that seals to it, and the platform between them."""

    exchange: Exchange
    post: Premises
    police: Premises
    key_file: Path

    def keys(self, verb: str, *arguments: object) -> Result:
        """A command of post-be on its key file."""
        said = self.post.home / "passphrase"
        if not said.exists():
            said.touch(mode=0o600)
            said.write_text(WORDS)
        opener = ("--member", "dispatch", "--passphrase-file", said)
        return self.post.run("keys", verb, *arguments, *opener)

    def held(self) -> OrganisationKeys:
        return unlock_keys(key_file_form.read(self.key_file), "dispatch", WORDS)

    def publish(self) -> None:
        result = self.keys("publish", self.key_file)
        assert result.exit_code == 0, result.output

    def pin(self, fingerprint: str) -> Result:
        return self.police.run("keys", "pin", "post-be", "--fingerprint", fingerprint)

    def alarms(self) -> list[KeyAlarm]:
        return self.exchange.rows(select(KeyAlarm).order_by(KeyAlarm.id))

    def pinned(self) -> str:
        return (self.police.home / "config.organisations.json").read_text()


@pytest.fixture
def members(platform: Platform, exchange: Exchange, tmp_path: Path) -> Members:
    post = settle(platform, exchange, tmp_path, "post-be", [Scope.KEYS_WRITE])
    police = settle(platform, exchange, tmp_path, "police-de", [Scope.EVALUATE])
    made = Members(exchange, post, police, post.home / "keys.json")
    recovery = post.home / "recovery.passphrase"
    recovery.touch(mode=0o600)
    recovery.write_text("granite otter willow number forty")
    result = made.keys(
        "new",
        *("post-be", "--key-file", made.key_file, "--recovery-file", post.home / "recovery.json"),
        *("--recovery-passphrase-file", recovery),
    )
    assert result.exit_code == 0, result.output
    return made


def test_keys_are_published_compared_pinned_and_followed(members: Members) -> None:
    unpublished = members.police.run("keys", "pin", "post-be")
    assert (unpublished.exit_code, "has published no keys" in unpublished.output) == (1, True)
    members.publish()
    again = members.keys("publish", members.key_file)
    assert (again.exit_code, "Everything was published already." in again.output) == (0, True)
    first = members.held().entry.fingerprint

    shown = members.police.run("keys", "pin", "post-be")
    assert (shown.exit_code, first in shown.output) == (0, True)
    assert "Nothing was pinned. Telephone post-be" in shown.output
    assert not (members.police.home / "config.organisations.json").exists()
    wrong = members.pin("-".join(["ABCD"] * 8))
    assert (wrong.exit_code, "Nothing was pinned" in wrong.output) == (1, True)
    pinned = members.pin(first.lower().replace("-", " "))
    assert (pinned.exit_code, "Pinned post-be: entry 1" in pinned.output) == (0, True)

    checked = members.police.run("keys", "check")
    assert checked.exit_code == 0
    assert f"post-be: entry 1, {first}" in checked.output
    assert "police-de: no keys published" in checked.output
    before = members.pinned()
    assert members.keys("rotate", members.key_file).exit_code == 0
    members.publish()
    grown = members.police.run("keys", "check")
    assert (grown.exit_code, "1 new entry accepted" in grown.output) == (0, True)
    assert members.pinned() != before
    assert members.held().entry.fingerprint in members.police.run("keys", "check").output
    # One's own keys are compared too, for who publishes knows them.
    own = members.post.run("keys", "check")
    assert (own.exit_code, "post-be: entry 2" in own.output) == (0, True)
    assert members.alarms() == []


def test_a_token_without_the_scope_or_of_another_publishes_nothing(
    platform: Platform, members: Members, tmp_path: Path
) -> None:
    said = members.post.home / "passphrase"
    opener = (members.key_file, "--member", "dispatch", "--passphrase-file", said)
    lacking = members.police.run("keys", "publish", *opener)
    assert (lacking.exit_code, "keys:write" in lacking.output) == (1, True)
    away = tmp_path / "away"
    away.mkdir()
    customs = settle(platform, members.exchange, away, "customs-nl", [Scope.KEYS_WRITE])
    others = customs.run("keys", "publish", *opener)
    assert (others.exit_code, "The key file is of post-be" in others.output) == (1, True)
    assert members.exchange.rows(select(OrganisationKey)) == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_log_confirms_the_directory_and_convicts_one_that_was_changed(
    platform: Platform, members: Members, tmp_path: Path
) -> None:
    members.publish()
    assert members.keys("rotate", members.key_file).exit_code == 0
    members.publish()
    away = tmp_path / "away"
    away.mkdir()
    # An officer who pinned nothing sees it too.
    officer = settle(platform, members.exchange, away, "customs-nl", [Scope.AUDIT_READ])
    lacking = members.police.run("keys", "check", "--log")
    assert (lacking.exit_code, "audit:read" in lacking.output) == (1, True)
    whole = officer.run("keys", "check", "--log")
    assert (whole.exit_code, "log: 2 entries of the directory" in whole.output) == (0, True)
    thief = member_keys("post-be")
    _tamper(members.exchange, [each.on_wire() for each in thief.chain])
    convicted = officer.run("keys", "check", "--log")
    assert convicted.exit_code == 1
    assert convicted.stderr.count("STOP. THE LOG CONTRADICTS THE DIRECTORY: post-be") == 2
    assert thief.entry.fingerprint in convicted.stderr
    assert "entry 2" in convicted.stderr


def _other_first_entry(thief: OrganisationKeys, held: OrganisationKeys) -> list[Any]:
    return [each.on_wire() for each in thief.chain]


def _unsigned_successor(thief: OrganisationKeys, held: OrganisationKeys) -> list[Any]:
    """A second entry that follows in everything but the signature that only its owner can make."""
    stolen = replace(held, identity=thief.identity)
    after = rotated(stolen, datetime.now(UTC) - timedelta(seconds=1))
    return [each.on_wire() for each in after.chain]


def _damaged(thief: OrganisationKeys, held: OrganisationKeys) -> list[Any]:
    """The recovery key exchanged under the signatures as they were."""
    (entry,), (theirs,) = ([each.on_wire() for each in keys.chain] for keys in (held, thief))
    changed = {**_entry(entry), "recovery": _entry(theirs)["recovery"]}
    return [{**entry, "entry": changed}]


def _withheld(thief: OrganisationKeys, held: OrganisationKeys) -> list[Any]:
    return []


@pytest.mark.parametrize(
    ("tampered", "number", "is_offered"),
    [
        (_other_first_entry, 1, True),
        (_unsigned_successor, 2, True),
        (_damaged, 1, False),
        (_withheld, 1, False),
    ],
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_directory_that_was_tampered_with_is_refused_loudly_and_reported(
    members: Members,
    tampered: Callable[[OrganisationKeys, OrganisationKeys], list[Any]],
    number: int,
    is_offered: bool,
) -> None:
    members.publish()
    held = members.held()
    assert members.pin(held.entry.fingerprint).exit_code == 0
    before = members.pinned()
    _tamper(members.exchange, tampered(member_keys("post-be"), held))

    checked = members.police.run("keys", "check")
    assert checked.exit_code == 1
    assert "STOP. THE KEYS OF POST-BE WERE SWAPPED" in checked.stderr
    assert "Telephone post-be at a number that you know" in checked.stderr
    assert "post-be: SWAPPED, nothing was accepted" in checked.stdout
    assert members.pinned() == before
    (alarm,) = members.alarms()
    assert alarm.number == number
    assert alarm.pinned == (held.entry.fingerprint if number == 1 else "")
    assert bool(alarm.offered) is is_offered
    assert alarm.offered != alarm.pinned
    # Pinning again does not override it, whatever fingerprint the directory shows.
    again = members.pin(alarm.offered or held.entry.fingerprint)
    assert again.exit_code == 1
    assert members.pinned() == before
    assert len(members.alarms()) == 1
    # Its owner, who knows its own keys, finds it too.
    own = members.post.run("keys", "check")
    assert (own.exit_code, len(members.alarms())) == (1, 2)


def _entry(signed: dict[str, object]) -> dict[str, object]:
    found = signed["entry"]
    assert isinstance(found, dict)
    return found


def _tamper(exchange: Exchange, entries: list[Any]) -> None:
    """What somebody does who has the platform's database."""
    organisation_id = exchange.organisation_id("post-be")
    with exchange.database.transaction() as session:
        row = session.scalars(select(OrganisationKey).limit(1)).one()
        kept = {"published_at": row.published_at, "published_by": row.published_by}
        session.execute(delete(OrganisationKey))
        for number, signed in enumerate(entries, 1):
            session.execute(
                insert(OrganisationKey).values(
                    organisation_id=organisation_id,
                    number=number,
                    signed=signed,
                    digest=bytes(32),
                    **kept,
                )
            )
