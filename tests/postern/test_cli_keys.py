"""`postern keys`: an organisation's keys from the first day to the day all passphrases are lost."""

import json
import stat
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import Result

from postern import key_file_form
from postern.commands import keys as commands
from postern.organisation_entry import read_chain
from postern.organisation_keys import OrganisationKeys, unlock_keys, unlock_recovery
from postern.seal import Context, open_envelope, seal
from tests.postern.conftest import Desk

WORDS = {
    "dispatch": "cobalt ferry lantern marble twig",
    "night-desk": "seven quiet herons mend ladders",
    "recovery": "granite otter willow number forty",
    "fresh": "amber wagon thistle quarry lemon",
}
CONTEXT = Context("post-be", "address", 1, bytes(16), "record-1", "value")


@dataclass(frozen=True)
class Office:
    """A desk with the keys of an organisation."""

    desk: Desk
    key_file: Path
    recovery_file: Path
    made: Result

    def said(self, name: str) -> Path:
        """The file with a passphrase."""
        return passphrase_file(self.desk, WORDS[name])

    def run(self, verb: str, *arguments: object, by: str = "dispatch") -> Result:
        """A verb on the key file, by a member."""
        opener = ("--member", by, "--passphrase-file", self.said(by))
        return self.desk.run("keys", verb, self.key_file, *arguments, *opener)

    def keys(self, by: str = "dispatch") -> OrganisationKeys:
        """The keys in the file."""
        return unlock_keys(key_file_form.read(self.key_file), by, WORDS[by])


def passphrase_file(desk: Desk, words: str) -> Path:
    path = desk.home / f"{words.split(maxsplit=1)[0]}.passphrase"
    path.touch(mode=0o600)
    path.write_text(words + "\n", encoding="utf-8")
    return path


@pytest.fixture
def office(bare_desk: Desk) -> Office:
    key_file, recovery_file = bare_desk.home / "keys.json", bare_desk.home / "recovery.json"
    made = bare_desk.run(
        *("keys", "new", "post-be", "--key-file", key_file, "--recovery-file", recovery_file),
        *("--member", "dispatch"),
        *("--passphrase-file", passphrase_file(bare_desk, WORDS["dispatch"])),
        *("--recovery-passphrase-file", passphrase_file(bare_desk, WORDS["recovery"])),
    )
    assert made.exit_code == 0, made.output
    return Office(bare_desk, key_file, recovery_file, made)


def test_new_keys_are_private_files_and_their_fingerprint_is_shown(office: Office) -> None:
    for path in (office.key_file, office.recovery_file):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert office.keys().entry.fingerprint in office.made.stdout
    assert "offline in a safe" in office.made.stderr


def test_no_output_and_no_file_shows_a_passphrase_or_a_seed(office: Office) -> None:
    keys = office.keys()
    shown = office.made.output + office.key_file.read_text() + office.recovery_file.read_text()
    shown += office.run("show").output
    for words in WORDS.values():
        assert words not in shown
    for seed in (keys.identity.seed, *(key.seed for key in keys.opening_keys)):
        assert seed.hex() not in shown


def test_passphrases_are_asked_for_when_no_file_is_named(bare_desk: Desk) -> None:
    key_file = bare_desk.home / "keys.json"
    typed = "\n".join([WORDS["dispatch"]] * 2 + [WORDS["recovery"]] * 2) + "\n"
    result = bare_desk.run(
        *("keys", "new", "post-be", "--key-file", key_file, "--member", "dispatch"),
        *("--recovery-file", bare_desk.home / "recovery.json"),
        typed=typed,
    )
    assert result.exit_code == 0, result.output
    assert WORDS["dispatch"] not in result.output
    shown = bare_desk.run(
        "keys", "show", key_file, "--member", "dispatch", typed=WORDS["dispatch"] + "\n"
    )
    assert shown.exit_code == 0, shown.output


def test_a_weak_passphrase_makes_no_file(bare_desk: Desk) -> None:
    weak = passphrase_file(bare_desk, "abcdefghijklmnopqrs")
    result = bare_desk.run(
        *("keys", "new", "post-be", "--key-file", bare_desk.home / "keys.json"),
        *("--recovery-file", bare_desk.home / "recovery.json"),
        *("--member", "dispatch", "--passphrase-file", weak),
    )
    assert result.exit_code == 1
    assert "The new passphrase is refused" in result.stderr
    assert not list(bare_desk.home.glob("*.json"))


def test_keys_are_never_written_over(office: Office) -> None:
    before = office.key_file.read_bytes(), office.recovery_file.read_bytes()
    for key_file, recovery_file in (
        (office.key_file, office.desk.home / "other.json"),
        (office.desk.home / "other.json", office.recovery_file),
    ):
        result = office.desk.run(
            *("keys", "new", "post-be", "--key-file", key_file, "--recovery-file", recovery_file),
            *("--member", "dispatch", "--passphrase-file", office.said("dispatch")),
            *("--recovery-passphrase-file", office.said("recovery")),
        )
        assert result.exit_code == 1
        assert "not written over" in result.stderr
    assert (office.key_file.read_bytes(), office.recovery_file.read_bytes()) == before


@pytest.mark.parametrize(
    ("organisation", "recovery"), [("Post BE", "recovery.json"), ("post-be", "keys.json")]
)
def test_a_wrong_command_line_makes_no_keys(
    bare_desk: Desk, organisation: str, recovery: str
) -> None:
    result = bare_desk.run(
        *("keys", "new", organisation, "--key-file", bare_desk.home / "keys.json"),
        *("--recovery-file", bare_desk.home / recovery, "--member", "dispatch"),
    )
    assert result.exit_code == 2
    assert not list(bare_desk.home.glob("*.json"))


def test_show_tells_what_is_published_and_writes_the_entries(office: Office) -> None:
    entries = office.desk.home / "entries.json"
    result = office.run("show", "--entry-file", entries)
    assert result.exit_code == 0, result.output
    keys = office.keys()
    assert keys.entry.fingerprint in result.stdout
    assert keys.entry.sealing.kid.hex() in result.stdout
    assert "Members: dispatch" in result.stdout
    assert read_chain(json.loads(entries.read_text())) == keys.chain


def test_the_entries_of_others_are_checked_and_shown_without_any_key(office: Office) -> None:
    entries = office.desk.home / "entries.json"
    assert office.run("rotate").exit_code == 0
    assert office.run("show", "--entry-file", entries).exit_code == 0
    shown = office.desk.run("keys", "show", entries)
    assert shown.exit_code == 0, shown.output
    for each in office.keys().chain:
        assert each.entry.fingerprint in shown.stdout
    text = entries.read_text()
    for damaged in (text.replace("post-be", "post-nl", 1), text[:-20], "[]"):
        entries.write_text(damaged)
        refused = office.desk.run("keys", "show", entries)
        assert refused.exit_code == 1
        assert "is refused" in refused.stderr


def test_show_of_a_file_that_is_missing_is_told(office: Office) -> None:
    result = office.desk.run("keys", "show", office.desk.home / "none")
    assert result.exit_code == 1
    assert "could not be used" in result.stderr


def test_show_asks_who_opens_the_file_and_takes_no_options_without_one(office: Office) -> None:
    assert office.desk.run("keys", "show", office.key_file).exit_code == 2
    assert office.desk.run("keys", "show", "--member", "dispatch").exit_code == 2


def test_a_wrong_passphrase_and_an_unknown_member_are_told(office: Office) -> None:
    wrong = office.desk.run(
        *("keys", "show", office.key_file, "--member", "dispatch"),
        *("--passphrase-file", office.said("fresh")),
    )
    assert wrong.exit_code == 1
    assert "not the one of dispatch" in wrong.stderr
    unknown = office.run("show", by="night-desk")
    assert unknown.exit_code == 1
    assert "no member night-desk" in unknown.stderr


def test_a_rotation_keeps_old_envelopes_readable(office: Office) -> None:
    before = office.keys()
    raw = seal(b"early", CONTEXT, before.entry.recipients, before.identity)
    result = office.run("rotate")
    assert result.exit_code == 0, result.output
    after = office.keys()
    assert after.entry.number == 2
    assert after.entry.fingerprint in result.stdout
    assert open_envelope(raw, CONTEXT, after.opening_keys, after.signers) == b"early"
    assert "of 2 generations open" in result.stdout


def test_a_rotation_can_replace_the_recovery_key(office: Office) -> None:
    fresh = office.desk.home / "recovery-2.json"
    said = ("--recovery-passphrase-file", office.said("fresh"))
    assert office.run("rotate", *said).exit_code == 2
    result = office.run("rotate", "--new-recovery-file", fresh, *said)
    assert result.exit_code == 0, result.output
    key = unlock_recovery(key_file_form.read(fresh), "recovery", WORDS["fresh"])
    assert office.keys().entry.recovery == key.public
    assert office.run("rotate", "--new-recovery-file", fresh, *said).exit_code == 1


def test_an_added_member_opens_the_file_and_a_removed_one_does_not(office: Office) -> None:
    added = office.run(
        "add-member", "night-desk", "--new-passphrase-file", office.said("night-desk")
    )
    assert added.exit_code == 0, added.output
    assert office.keys("night-desk").entry == office.keys().entry
    removed = office.run("remove-member", "dispatch", by="night-desk")
    assert removed.exit_code == 0, removed.output
    assert "kept a copy" in removed.stderr
    assert "postern keys rotate" in removed.stderr
    assert office.run("show").exit_code == 1
    assert office.run("show", by="night-desk").exit_code == 0


def test_the_last_member_and_an_unknown_one_cannot_be_removed(office: Office) -> None:
    last = office.run("remove-member", "dispatch")
    assert last.exit_code == 1
    assert "last one cannot be removed" in last.stderr
    unknown = office.run("remove-member", "nobody")
    assert unknown.exit_code == 1
    assert office.run("show").exit_code == 0


def test_a_member_is_not_added_twice(office: Office) -> None:
    again = office.run("add-member", "dispatch", "--new-passphrase-file", office.said("fresh"))
    assert again.exit_code == 1
    assert office.run("show").exit_code == 0


@pytest.mark.parametrize("name", ["key_file", "recovery_file"])
def test_a_passphrase_is_changed_in_either_file(office: Office, name: str) -> None:
    path: Path = getattr(office, name)
    member = {"key_file": "dispatch", "recovery_file": "recovery"}[name]
    result = office.desk.run(
        *("keys", "change-passphrase", path, "--member", member),
        *("--passphrase-file", office.said(member)),
        *("--new-passphrase-file", office.said("fresh")),
    )
    assert result.exit_code == 0, result.output
    file = key_file_form.read(path)
    assert file.unlock(member, WORDS["fresh"])
    shown = office.desk.run(
        *("keys", "change-passphrase", path, "--member", member),
        *("--passphrase-file", office.said(member)),
        *("--new-passphrase-file", office.said("fresh")),
    )
    assert "not the one of" in shown.stderr


def test_when_all_passphrases_are_lost_the_recovery_file_gives_the_keys_back(
    office: Office,
) -> None:
    before = office.keys()
    raw = seal(b"early", CONTEXT, before.entry.recipients, before.identity)
    assert office.run("rotate").exit_code == 0
    found = office.desk.home / "found.json"
    arguments = (
        *("keys", "recover", office.key_file, "--recovery-file", office.recovery_file),
        *("--new-key-file", found, "--member", "night-desk"),
        *("--recovery-passphrase-file", office.said("recovery")),
        *("--new-passphrase-file", office.said("night-desk")),
    )
    result = office.desk.run(*arguments)
    assert result.exit_code == 0, result.output
    assert "each of 2 generations opens with the keys in it, and 2 with the" in result.stdout
    keys = unlock_keys(key_file_form.read(found), "night-desk", WORDS["night-desk"])
    assert open_envelope(raw, CONTEXT, keys.opening_keys, keys.signers) == b"early"
    assert office.desk.run(*arguments).exit_code == 1


def test_the_recovery_file_of_others_opens_nothing(office: Office) -> None:
    home = office.desk.home
    other = office.desk.run(
        *("keys", "new", "post-be", "--key-file", home / "k2", "--recovery-file", home / "r2"),
        *("--member", "dispatch", "--passphrase-file", office.said("dispatch")),
        *("--recovery-passphrase-file", office.said("recovery")),
    )
    assert other.exit_code == 0, other.output
    result = office.desk.run(
        *("keys", "recover", office.key_file, "--recovery-file", home / "r2"),
        *("--new-key-file", home / "k3", "--member", "dispatch"),
        *("--recovery-passphrase-file", office.said("recovery")),
        *("--new-passphrase-file", office.said("fresh")),
    )
    assert result.exit_code == 1
    assert "does not belong to this key file" in result.stderr
    assert not (home / "k3").exists()


def test_a_change_by_someone_else_meanwhile_is_not_undone(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = commands._chosen

    def slowly(file: Path | None, whose: str) -> str:
        # Another member rotates while this one still types.
        monkeypatch.setattr(commands, "_chosen", chosen)
        assert office.run("rotate").exit_code == 0
        return chosen(file, whose)

    monkeypatch.setattr(commands, "_chosen", slowly)
    result = office.run(
        "add-member", "night-desk", "--new-passphrase-file", office.said("night-desk")
    )
    assert result.exit_code == 1
    assert "changed by someone else meanwhile" in result.stderr
    assert office.keys().entry.number == 2


def test_a_rotation_that_cannot_be_written_leaves_no_new_recovery_file(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen, fresh = commands._chosen, office.desk.home / "recovery-2.json"

    def slowly(file: Path | None, whose: str) -> str:
        monkeypatch.setattr(commands, "_chosen", chosen)
        assert office.run("rotate").exit_code == 0
        return chosen(file, whose)

    monkeypatch.setattr(commands, "_chosen", slowly)
    said = ("--recovery-passphrase-file", office.said("fresh"))
    assert office.run("rotate", "--new-recovery-file", fresh, *said).exit_code == 1
    assert not fresh.exists()
