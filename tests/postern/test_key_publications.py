"""What the log tells of published keys, beside what the directory shows."""

from datetime import UTC, datetime, timedelta

from postern.base64url import to_base64url
from postern.hpke import SecretKey
from postern.key_publications import Comparison, Publication, compare
from postern.organisation_entry import SignedEntry
from postern.organisation_keys import new_keys, rotated

AT = datetime(2026, 1, 1, tzinfo=UTC)
OTHER = new_keys("post-be", SecretKey.new().public, AT)
HELD = rotated(new_keys("post-be", SecretKey.new().public, AT), AT + timedelta(days=1))


def told(signed: SignedEntry) -> Publication:
    entry = signed.entry
    return Publication(
        entry.organisation, entry.number, to_base64url(entry.digest()), entry.fingerprint
    )


def test_a_directory_that_is_as_the_log_tells_is_confirmed() -> None:
    publications = [told(each) for each in HELD.chain]
    directory = {"post-be": HELD.chain, "police-de": ()}
    assert compare(directory, publications * 2) == Comparison((), 2, ())


def test_what_the_own_log_does_not_tell_is_named_and_no_contradiction() -> None:
    compared = compare({"post-be": HELD.chain}, [told(HELD.chain[1])])
    assert compared == Comparison((), 1, (("post-be", 1),))


def test_a_changed_a_withheld_and_a_doubled_entry_are_contradictions() -> None:
    publications = [told(each) for each in HELD.chain]
    changed = compare({"post-be": OTHER.chain}, publications)
    assert [each.split(",", maxsplit=1)[0] for each in changed.contradictions] == [
        f"post-be: entry 1 is {HELD.chain[0].entry.fingerprint} in the log",
        "post-be: the log tells of entry 2",
    ]
    doubled = compare({"post-be": HELD.chain}, [*publications, told(OTHER.chain[0])])
    assert len(doubled.contradictions) == 1
    assert "two different entries 1" in doubled.contradictions[0]
